#ifndef CA_CITES_H
#define CA_CITES_H
/* What the Baseline Requirements say, in the words that our sources cite, made from their
 * comments at build time (cites.py): so that a report can show the rule beside what was done. */
#include "base/slice.h"

struct ca_cite {
    const char *section; /* "3.2.2.4.19" */
    const char *text;
    const char *where; /* the source that keeps it: "src/validate/http01.c" */
};
extern const struct ca_cite ca_cites[]; /* by section */
extern const size_t ca_cite_count;

#endif
