#ifndef LINT_NAMES_H
#define LINT_NAMES_H
/* Private to lint/: a host name taken apart once: labels, top-level domain with its dates, public suffix. */
#include "base/arena.h"
#include "base/slice.h"

/* A top-level domain: data/lint/tlds.tsv. Days since 1970; removed 0: still there. */
struct lint_tld {
    const char *name; /* A-label, lower case */
    int32_t delegated;
    int32_t removed;
};
/* NULL when there never was one. */
const struct lint_tld *lint_tld_find(lt_slice label);

struct lint_name {
    lt_slice text;      /* as it stands in the certificate */
    bool is_cn;         /* from a common name, not from the SAN */
    bool is_ip;         /* text of an IP address (in a common name) */
    bool wildcard;      /* begins with "*." */
    bool ldh;           /* all labels are letters, digits, hyphens, underscores, after the wildcard */
    bool psl_ok;        /* there is a label left of a public suffix */
    size_t label_count; /* the wildcard is one */
    lt_slice tld;       /* last label; empty when the name ends in a dot */
    const struct lint_tld *tld_row; /* NULL: no such TLD */
    lt_slice suffix;                /* public suffix by the ICANN part of the list */
    lt_slice sld; /* the label before the suffix ("*" of "*.com"), empty when there is none */
    lt_slice trd; /* what stands before that, without its dot */
};

/* All borrowed from text. */
void lint_name_split(lt_slice text, bool is_cn, struct lint_name *ret_name);

#endif
