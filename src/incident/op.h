#ifndef INCIDENT_OP_H
#define INCIDENT_OP_H
/* What the registrar does of the incident desk: operators' changes, pages, and what is due. A row for each
 * change; who may is in the row, and has been looked at (nonce, key, role) before it runs. Everything runs in
 * the message's savepoint: an op that fails has changed nothing. */
#include "ca/operator.h"
#include "ca/turn.h"
#include "operator.pb-c.h"

struct acme_desk;
struct ca_config;

struct incident_call {
    struct ca_turn *t;
    const struct ca_config *config;
    struct acme_desk *desk;
    const struct ca_operator *operator_;
    const char *by; /* their name */
    lt_slice jws;   /* kept with the event */
    struct ipc_addr from;
    const char *id; /* of the path; "" */
    const Ipc__DeskWanted *m;
    const char *json; /* the answer, set by the op, in the turn's arena; NULL: the op answers itself, later */
};

/* Members of the request by name; "", 0, empty where it was not given. */
const char *incident_text(const struct incident_call *c, const char *name);
const char *incident_text_nth(const struct incident_call *c, const char *name,
                              size_t index); /* NULL: no more */
int64_t incident_number(const struct incident_call *c, const char *name);
lt_slice incident_data(const struct incident_call *c, const char *name);
bool incident_given(const struct incident_call *c, const char *name);
/* The id of the path as a number; LT_PEER_NOT_FOUND when it is none. */
LT_MUST_USE lt_res incident_id(const struct incident_call *c, int64_t *ret_id);

struct incident_op {
    const char *op;
    unsigned roles; /* CA_ROLE_*: one of them is needed */
    lt_res (*run)(struct incident_call *c);
};
struct incident_ops {
    const struct incident_op *ops;
    size_t count;
};

/* What is due; once a second on the host that has the timers, in slices. */
struct incident_beat {
    struct ca_turn *t;
    const struct ca_config *config;
    struct acme_desk *desk;
};

enum { INCIDENT_SQL_MAX = 16 };
struct incident_sql {
    const struct store_sql *rows;
    size_t count;
};

/* One for each area of this room: its own file AREA_ops.c. A beat sets *ret_more when it has more that waits
 * for nobody: it is called again after what has arrived. */
struct incident_area {
    const char *name;
    struct incident_ops ops;
    lt_res (*beat)(struct incident_beat *b, bool *ret_more); /* NULL: nothing is ever due */
    const struct incident_sql
        *sql[INCIDENT_SQL_MAX]; /* of its files, for the test that EXPLAINs every statement */
};
extern const struct incident_area incident_area_case;
extern const struct incident_area incident_area_drill;
extern const struct incident_area incident_area_duty;
extern const struct incident_area incident_area_learn;
extern const struct incident_area incident_area_notice;
extern const struct incident_area incident_area_overview;
extern const struct incident_area incident_area_problem;
extern const struct incident_area incident_area_proof;
extern const struct incident_area incident_area_report;
extern const struct incident_area incident_area_uptime;
extern const struct incident_area incident_area_watch;

extern const struct incident_area *const incident_areas[];
extern const size_t incident_area_count;

/* NULL: it is not ours. */
const struct incident_op *incident_op_find(const char *op);
/* The beat of one area, round robin by the caller. */
LT_MUST_USE lt_res incident_beat_run(struct incident_beat *b, size_t area, bool *ret_more);

#endif
