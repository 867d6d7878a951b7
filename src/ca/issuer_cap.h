#ifndef CA_ISSUER_CAP_H
#define CA_ISSUER_CAP_H
/* How many certificates of an issuer are good, and its cap (`cap` of an issuer in lintel.yaml): so many fall
 * at once if its key does. Every ten minutes a reader counts for the registrar; what is over 80, 90 and 100
 * percent is an event, once for each step, and shown by status and doctor. Warns, and stops nothing.
 */
#include "ca/book.h"
#include "mass.pb-c.h"

enum { CA_CAP_EVERY_S = 600 };

/* Once a second: asks for what is due. */
LT_MUST_USE lt_res ca_cap_tick(struct ca_turn *t);
/* Members of no mass revocation: a reader counted. */
LT_MUST_USE lt_res ca_cap_counted(struct ca_turn *t, const Ipc__Members *m);
/* 0, 80, 90, 100: the highest step that is reached. */
unsigned ca_cap_step(int64_t valid, int64_t cap);

extern const struct store_sql *const ca_cap_sql;
extern const size_t ca_cap_sql_count;

#endif
