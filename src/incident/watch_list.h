#ifndef INCIDENT_WATCH_LIST_H
#define INCIDENT_WATCH_LIST_H
/* The triggers of monitoring by number: for the registrar, which looks (incident/watch.h), and the reader,
 * which shows what was found. No book. The numbers are those of the list of triggers in docs/duties.md;
 * what needs certificate transparency, CCADB or a bug tracker is not here: 1, 2, 3, 14, 18. */
#include <stdint.h>

#include "base/slice.h"

struct watch_row {
    int64_t number;
    const char *name;
    const char *words;    /* what it looks for */
    const char *severity; /* of the case and the call: critical, high, medium, low */
    const char *action; /* "page": calls who is on duty; "case": opens an incident, once until that is closed,
                         * and calls; "halt": halts the issuer, and as above */
    const char *cause;  /* of the case, ca/reasons.h; "": for people to say */
    int64_t every_s;    /* from the end of a pass to the beginning of the next */
    /* true: a pass goes on where the last one ended, and a finding lasts until somebody settles it. false: a
     * pass sees all, and what it sees no more is over. */
    bool onward;
};
extern const struct watch_row watch_rows[];
extern const size_t watch_row_count;

#endif
