#ifndef CA_MASS_INTERNAL_H
#define CA_MASS_INTERNAL_H
/* Between the files of mass revocation. */
#include "ca/mass.h"

/* A row, in the turn's arena. */
struct ca_mass {
    int64_t id;
    const char *status;
    const char *source;
    lt_slice scope;
    lt_slice scope_sha256;
    const char *cause;
    uint32_t reason;
    const char *note;
    int64_t aware_us;
    int64_t should_us;
    int64_t must_us;
    const char *late_because;
    int64_t revoked_us;
    int64_t as_of_us;
    int64_t created_us;
    const char *created_by;
    const char *plan;
    int64_t count;
    lt_slice root;
    int64_t batches;
    int64_t at_batch;
    int64_t stop_after;
    int64_t at_tier;
    int64_t at_issuer;
    lt_slice at_serial;
    int64_t revoked;
    int64_t already;
    int64_t held;
    int64_t started_us;
    int64_t ended_us;
    const char *why;
};

LT_MUST_USE lt_res ca_mass_load(struct ca_turn *t, int64_t id, struct ca_mass *ret_mass);
/* Along an edge; LT_PEER_CONFLICT when there is none. why: of a pause or an end; "" otherwise. */
LT_MUST_USE lt_res ca_mass_move(struct ca_turn *t, struct ca_mass *m, const char *event, const char *why);
/* Its row as JSON, in the turn's arena. */
LT_MUST_USE lt_res ca_mass_json(struct ca_turn *t, const struct ca_mass *m, const char **ret_json);
/* The clock that is aimed at has run out, and nobody has said why: then this is kept as the reason. */
LT_MUST_USE lt_res ca_mass_late(struct ca_turn *t, struct ca_mass *m, const char *why);
/* An event with what the row says; by may be NULL. */
LT_MUST_USE lt_res ca_mass_event(struct ca_turn *t, const struct ca_mass *m, const char *kind,
                                 const struct ca_plan_asker *by);

/* As ca_mass_create. */
LT_MUST_USE lt_res ca_mass_make(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                                int64_t *ret_id);
/* The plan that approves a sealed list. expires {0}: in a day. */
LT_MUST_USE lt_res ca_mass_propose(struct ca_turn *t, const struct ca_mass *m, const struct ca_plan_asker *by,
                                   lt_time expires);
/* It starts by itself when it has at most so many members. */
LT_MUST_USE lt_res ca_mass_auto_add(struct ca_turn *t, int64_t id, int64_t most);
/* A mass that nobody has to start, and that is sealed: starts it when it may. */
LT_MUST_USE lt_res ca_mass_auto_start(struct ca_turn *t, struct ca_mass *m);
/* It has ended: its list is kept for a while. */
LT_MUST_USE lt_res ca_mass_keep_list(struct ca_turn *t, const struct ca_mass *m);

/* One slice of a mass in that status. */
LT_MUST_USE lt_res ca_mass_freeze(struct ca_turn *t, struct ca_mass *m, bool *ret_more);
LT_MUST_USE lt_res ca_mass_seal(struct ca_turn *t, struct ca_mass *m, bool *ret_more);
LT_MUST_USE lt_res ca_mass_check(struct ca_turn *t, struct ca_mass *m, bool *ret_more);
LT_MUST_USE lt_res ca_mass_run(struct ca_turn *t, struct ca_mass *m, bool *ret_more);
/* Batches that are with the signer, or recorded. */
LT_MUST_USE lt_res ca_mass_run_open(struct ca_turn *t, bool *ret_more);

#endif
