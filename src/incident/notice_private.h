#ifndef INCIDENT_NOTICE_PRIVATE_H
#define INCIDENT_NOTICE_PRIVATE_H
/* Between the files of notices: rows and states (notice.c), how they leave (notice_send.c), many of them
 * (notice_batch.c), hooks (notice_hook.c), lists (notice_list.c), who is on call (oncall.c). */
#include "ca/book.h"
#include "ca/config.h"
#include "incident/notice.h"
#include "incident/op.h"

enum {
    INCIDENT_NOTICE_PARAMS_MAX = 60000,
    INCIDENT_NOTICE_PATIENCE_S = 180, /* for the courier's answer */
    INCIDENT_NOTICE_STEP = 100,       /* letters of one slice */
    INCIDENT_TOKEN_LEN = 24,          /* bytes of a link */
};

/* A row of notice. Strings in the turn's arena. */
struct incident_notice_row {
    int64_t id; /* 0: there is none */
    const char *kind;
    const char *subject;
    const char *channel;
    const char *to;
    const char *params;
    int64_t account;
    int64_t batch;
    const char *reply_to;
    const char *in_reply_to;
    const char *token;
    const char *status;
    int64_t attempts;
    lt_time created;
};
LT_MUST_USE lt_res incident_notice_load(struct ca_turn *t, int64_t id, struct incident_notice_row *ret_row);
/* The next state, NULL: there is no such edge. */
struct incident_notice_edge {
    const char *from;
    const char *event;
    const char *to;
};
extern const struct incident_notice_edge incident_notice_edges[];
extern const size_t incident_notice_edge_count;
const char *incident_notice_next(const char *from, const char *event);
/* Moves it along an edge, with its event; an edge that is none: LT_OK, and nothing. */
LT_MUST_USE lt_res incident_notice_move(struct ca_turn *t, const struct incident_notice_row *n,
                                        const char *event, const char *said);
/* Writes the row alone: of a batch, where one event is for a slice. *next: the id to take, moved on. */
LT_MUST_USE lt_res incident_notice_put(struct ca_turn *t, const struct incident_notice *n, int64_t batch,
                                       int64_t *next);
LT_MUST_USE lt_res incident_notice_last_id(struct ca_turn *t, int64_t *ret_id);
/* Two JSON objects of strings as one, in the arena. LT_PEER_MALFORMED: one is none. */
LT_MUST_USE lt_res incident_params_join(struct ca_turn *t, const char *a, const char *b,
                                        const char **ret_json);

/* notice_send.c */
LT_MUST_USE lt_res incident_notice_send_due(struct incident_beat *b, bool *ret_more);
/* Does not wait for the beat: an alarm. */
LT_MUST_USE lt_res incident_notice_send_now(struct ca_turn *t, int64_t id);
/* notice_hook.c */
LT_MUST_USE lt_res incident_hook_send(struct ca_turn *t, const struct ca_config *config,
                                      const struct incident_notice_row *n, const char *params);
LT_MUST_USE lt_res incident_hook_known(struct ca_turn *t, const char *name);
struct incident_hooks {
    const char *list[16];
    size_t count;
};
LT_MUST_USE lt_res incident_hooks_of(struct ca_turn *t, int64_t account, struct incident_hooks *ret_hooks);
lt_res incident_op_hook_add(struct incident_call *c);
lt_res incident_op_hook_remove(struct incident_call *c);
/* notice_batch.c */
LT_MUST_USE lt_res incident_batch_slice(struct ca_turn *t, bool *ret_more);
/* An outcome of one of its notices. */
LT_MUST_USE lt_res incident_batch_counted(struct ca_turn *t, int64_t batch, bool sent);
LT_MUST_USE lt_res incident_batch_params(struct ca_turn *t, int64_t batch, const char **ret_params);
/* oncall.c, oncall_ops.c */
LT_MUST_USE lt_res incident_oncall_due(struct ca_turn *t);
/* LT_PEER_NOT_FOUND; acknowledged already: LT_OK, *ret_by says by whom. */
LT_MUST_USE lt_res incident_oncall_ack(struct ca_turn *t, int64_t id, const char *by, const char *note,
                                       lt_slice jws, const char **ret_by);
/* Who has it at that time; "": nobody. */
LT_MUST_USE lt_res incident_oncall_now(struct ca_turn *t, lt_time when, const char **ret_name);
lt_res incident_op_oncall_person(struct incident_call *c);
lt_res incident_op_oncall_remove(struct incident_call *c);
lt_res incident_op_oncall_rota(struct incident_call *c);
lt_res incident_op_oncall_override(struct incident_call *c);
lt_res incident_op_oncall_ack(struct incident_call *c);
lt_res incident_op_oncall_test(struct incident_call *c);

extern const struct incident_sql incident_notice_sql, incident_notice_send_sql, incident_notice_batch_sql,
    incident_notice_hook_sql, incident_notice_list_sql, incident_oncall_sql, incident_oncall_ops_sql;

#endif
