#ifndef CA_USAGE_INTERNAL_H
#define CA_USAGE_INTERNAL_H
/* Between the files of scans. */
#include "ca/usage.h"

/* A row, in the turn's arena. */
struct ca_usage {
    int64_t id;
    const char *status;
    int64_t host;
    const char *scope;
    lt_slice scope_sha256;
    const char *ports;
    int64_t rate;
    int64_t concurrency;
    int64_t timeout_ms;
    int64_t as_of_us;
    int64_t created_us;
    const char *created_by;
    int64_t started_us;
    int64_t ended_us;
    int64_t count;
    int64_t at_issuer;
    lt_slice at_serial;
    int64_t certificates;
    int64_t looked;
    int64_t served;
    int64_t ours;
    int64_t failed;
    int64_t skipped;
    const char *why;
};

LT_MUST_USE lt_res ca_usage_load(struct ca_turn *t, int64_t id, struct ca_usage *ret_scan);
/* Along an edge; LT_PEER_CONFLICT when there is none. why: of a pause or an end; "" otherwise. by may be
 * NULL. An event says so. */
LT_MUST_USE lt_res ca_usage_move(struct ca_turn *t, struct ca_usage *u, const char *event, const char *why,
                                 const struct ca_plan_asker *by);
/* One step of a scan that is running, or being counted. */
LT_MUST_USE lt_res ca_usage_go_on(struct ca_turn *t, struct ca_usage *u);
/* Nothing is under way any more. */
void ca_usage_forget(struct ca_book *b);

#endif
