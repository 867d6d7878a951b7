#ifndef LINT_KINDS_H
#define LINT_KINDS_H
/* What an input is, for all that take one: its name, the label of its PEM block, its outermost tags. Kinds
 * are those of enum lint_kind; 0 is none of them. */
#include "lint/lint.h"

/* "certificate", "crl", "ocsp", "csr"; "" for none. */
const char *lint_kind_name(unsigned kind);
unsigned lint_kind_by_name(lt_slice name);
unsigned lint_kind_by_label(lt_slice label);
/* By the outermost tags, however broken the rest is. bare: what is to be signed. */
unsigned lint_kind_of(lt_slice der, bool bare);
/* What stands in a PEM block: its label, unless the contents are plainly something else. What OpenSSL appends
 * to a "TRUSTED CERTIFICATE" is taken off *der. */
unsigned lint_kind_labelled(lt_slice label, lt_slice *der, bool bare);

#endif
