#ifndef CA_USAGE_H
#define CA_USAGE_H
/* Looking who uses the certificates of a scope. A reader gives the names of its certificates in pages, the
 * courier connects to them and says what each showed, and this keeps it: a row for each look, what each
 * endpoint showed last, and what follows for the certificates (ca/truth.h).
 *
 * A scan is a row with its cursor; pages that are under way are in memory alone. A registrar or courier that
 * dies goes on behind the last page that was finished, and asks nobody twice in one scan.
 */
#include "ca/plan.h"
#include "ca/turn.h"
#include "usage.pb-c.h"

enum {
    CA_USAGE_PORTS_MAX = 8,
    CA_USAGE_RATE_MAX = 2000,
    CA_USAGE_CONCURRENCY_MAX = 512,
    CA_USAGE_TIMEOUT_MAX_MS = 30000,
    CA_USAGE_PAGE = 200, /* names of a page; the last certificate's may go beyond */
    CA_USAGE_NAMES_MAX = 2000,
    CA_USAGE_SIGHTS_MAX = 128, /* of one message */
};

struct ca_usage_edge {
    const char *from;
    const char *event;
    const char *to;
};
extern const struct ca_usage_edge ca_usage_edges[];
extern const size_t ca_usage_edge_count;
/* NULL: there is no such edge. */
const char *ca_usage_next(const char *from, const char *event);

LT_MUST_USE lt_res ca_usage_create(struct ca_turn *t, const struct ca_plan_asker *by,
                                   const Ipc__UsageWanted *m, const char **ret_json);
/* m->id names it. */
LT_MUST_USE lt_res ca_usage_pause(struct ca_turn *t, const struct ca_plan_asker *by,
                                  const Ipc__UsageWanted *m, const char **ret_json);
LT_MUST_USE lt_res ca_usage_resume(struct ca_turn *t, const struct ca_plan_asker *by,
                                   const Ipc__UsageWanted *m, const char **ret_json);
LT_MUST_USE lt_res ca_usage_stop(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                                 const char **ret_json);

/* Asks for what is wanted next; every tick. */
LT_MUST_USE lt_res ca_usage_step(struct ca_turn *t);
LT_MUST_USE lt_res ca_usage_on_endpoints(struct ca_turn *t, const Ipc__Endpoints *m);
LT_MUST_USE lt_res ca_usage_on_seen(struct ca_turn *t, const Ipc__UsageSeen *m);
/* A reader or the courier is there again: what was asked is asked again. */
void ca_usage_ask_again(struct ca_book *b);

extern const struct store_sql *const ca_usage_sql;
extern const size_t ca_usage_sql_count;
extern const struct store_sql *const ca_usage_look_sql;
extern const size_t ca_usage_look_sql_count;

#endif
