#ifndef LINT_TLDS_H
#define LINT_TLDS_H
/* Private to lint/: the rows of data/lint/tlds.tsv, sorted by name; made at build by tlds.py. */
#include "lint/names.h"

extern const struct lint_tld lint_tlds[];
extern const size_t lint_tld_count;

#endif
