#ifndef CA_IMPORT_WATCH_H
#define CA_IMPORT_WATCH_H
/* For the publisher: what is brought in was issued long ago, so who looks for new certificates by the time of
 * their issue never meets it. Read-only. */
#include "base/clock.h"
#include "store/store.h"

/* Something was brought in since `base` was read, and nothing more has come for some seconds. */
LT_MUST_USE lt_res ca_import_waits(struct store *store, lt_time base, lt_time now, bool *ret_waits);
extern const struct store_sql ca_import_watch_sql;

#endif
