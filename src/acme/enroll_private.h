#ifndef ACME_ENROLL_PRIVATE_H
#define ACME_ENROLL_PRIVATE_H
/* Between the files of enrolment. */
#include "acme/desk_private.h"
#include "acme/enroll.h"

enum acme_enroll_row {
    ACME_ENROLL_SUBSCRIBER,
    ACME_ENROLL_SUBSCRIBER_ADD,
    ACME_ENROLL_ACCOUNT_DROP,
    ACME_ENROLL_ADD,
    ACME_ENROLL_GET,
    ACME_ENROLL_READY,
    ACME_ENROLL_ROWS,
};
extern const struct store_sql acme_enroll_rows[ACME_ENROLL_ROWS];

/* What was asked for names: borrowed from the request. */
struct acme_by_hand {
    Ipc__EnrollMethod *const *methods;
    size_t count;
    const char *contact; /* the one who is written to, by mail, where he may answer for the name; "": none */
};

struct acme_enrolment {
    struct acme_order order; /* id 0: there is none */
    struct acme_account account;
    Ipc__AcmeFinalize *request; /* in the turn's arena */
};

/* LT_PEER_NOT_FOUND when there is none. */
LT_MUST_USE lt_res acme_enrolment_load(struct acme_desk *d, struct ca_turn *t, int64_t id,
                                       struct acme_enrolment *ret_e);
/* Runs one of the desk's handlers for the subscriber's account; *ret_reply is what a client would have got.
 */
LT_MUST_USE lt_res acme_enroll_run(struct acme_call *c, acme_handler *handle, Ipc__AcmeCall *m,
                                   Ipc__AcmeReply *ret_reply);
/* The finalize of ACME, with the request that was kept. */
LT_MUST_USE lt_res acme_enroll_finalize(struct acme_desk *d, struct ca_turn *t,
                                        const struct acme_enrolment *e, Ipc__AcmeReply *ret_reply);
/* Tries again later, where what kept it from being issued may pass (a halt, a hold). */
LT_MUST_USE lt_res acme_enroll_later(struct ca_turn *t, int64_t id, const Ipc__Problem *problem);
/* {"id":…,"status":…} with the order as it is now. problem: what kept it from being issued at once; NULL. */
LT_MUST_USE lt_res acme_enroll_json(struct ca_turn *t, int64_t id, int64_t asked, const Ipc__Problem *problem,
                                    const char **ret_json);
/* The event of an order's enrolment; body: what acme_enroll_event has begun. */
struct ca_body;
void acme_enroll_event(struct ca_body *b, const struct acme_enroll_by *by);
LT_MUST_USE lt_res acme_enroll_event_add(struct ca_body *b, struct ca_turn *t, const char *kind,
                                         int64_t order, const struct acme_enroll_by *by);

#endif
