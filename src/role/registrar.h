#ifndef ROLE_REGISTRAR_H
#define ROLE_REGISTRAR_H
/* Between the files of the registrar. */
#include "acme/desk.h"
#include "acme/names_policy.h"
#include "ca/book.h"
#include "ca/config.h"
#include "operator.pb-c.h"
#include "role/kit.h"
#include "validate/perspective.h"

enum { REGISTRAR_GROUP_MAX = 256, REGISTRAR_GROUP_US = 5000 };
/* Under load a group is worth waiting for: after one of so many questions, up to so long, for so many. */
enum { REGISTRAR_BUSY_GROUP = 6, REGISTRAR_GATHER_US = 2000, REGISTRAR_GATHER_MAX = 64 };

/* A message of the open group, as far as it must be answered when the commit fails. */
struct registrar_question {
    struct ipc_msg m; /* from and type; body only of a KeyLookup, in the turn's arena */
};

struct registrar {
    struct role_kit *kit;
    char *folder;                              /* owned */
    struct ca_config *config;                  /* owned */
    struct store *store;                       /* owned */
    struct ca_book *book;                      /* owned */
    char *evidence_lost;                       /* owned; found at start: said as an event */
    struct acme_desk *desk;                    /* owned */
    struct ca_profiles profiles;               /* owned: as read, until they are the book's */
    struct acme_policy policy;                 /* owned: of names */
    struct ca_operators operators;             /* owned: the same */
    struct validate_perspectives perspectives; /* owned; the desk borrows them */
    struct lt_arena arena;                     /* of the group */
    struct ca_turn turn;
    bool released; /* the leases, at the end */
    bool test_ca;  /* the folder carries the mark: no public profile is served */
    bool open;     /* a transaction is begun */
    bool beside;   /* other hosts may have one at the same time */
    int64_t opened_us;
    int64_t shut_until_us[2]; /* the book could not be begun, alone or beside others: not tried before that */
    struct registrar_question questions[REGISTRAR_GROUP_MAX];
    size_t question_count;
    size_t last_group;  /* how many questions the group before had */
    lt_time second;     /* when the things of every second were last done */
    bool sweeping;      /* registrar_usage.c: there is more, and this host does it */
    lt_time usage_next; /* when scans, and what is swept, are next looked for where nothing is known of any */
    uint32_t beats;     /* registrar_incident.c: areas that have something to do, by number */
    size_t beating;     /* the one that was last asked */
    int64_t complained_us; /* last line about something that may work later */
    bool failing;          /* the last commit failed: said once */
    bool lost;             /* answers to us may not be in the book: ask everything again that is open */
    lt_res fatal;          /* stored data contradicts itself: end after this turn */
};

/* One message's work, inside its savepoint. NULL m for work that nobody asked for. */
typedef lt_res registrar_step(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m);

/* registrar_group.c: runs step in a savepoint of the open group; a step that fails has its question answered.
 * LT_OK always, but for a neighbour that broke the rules. */
LT_MUST_USE lt_res registrar_run(struct registrar *g, registrar_step *step, const struct ipc_msg *m);
/* The burst is over: commits, or under load waits a moment for more to come. */
void registrar_turn_end(struct registrar *g);
/* Commits the open group and releases its effects; when it fails, answers every question of it. */
void registrar_commit(struct registrar *g);

/* registrar_beside.c: on a book that several hosts share, which messages need not be alone in it. */
bool registrar_beside(const struct registrar *g, const struct ipc_msg *m);
/* Behind the savepoint of such a message: keeps others off its account. */
LT_MUST_USE lt_res registrar_keep_off(struct registrar *g, const struct ipc_msg *m);
extern const struct store_sql *const registrar_beside_sql;
extern const size_t registrar_beside_sql_count;

/* registrar_mass.c: a slice of mass revocation, where there is one to do. */
void registrar_mass_slices(struct registrar *g);

/* registrar_incident.c: what is due in the incident desk. Once a second all of it is looked at. */
void registrar_incident_second(struct registrar *g);
void registrar_incident_slices(struct registrar *g);

/* registrar_usage.c: scans, and what they and issuance say about replacements. */
registrar_step registrar_endpoints;
registrar_step registrar_seen;
LT_MUST_USE lt_res registrar_usage_tick(struct registrar *g);

/* registrar_operator.c */
registrar_step registrar_operator_call;
/* An OperatorReply: json on success, else the problem that r and the last error record tell. */
LT_MUST_USE lt_res registrar_operator_reply(struct registrar *g, struct ca_turn *t, const struct ipc_addr *to,
                                            lt_res r, const char *json);
LT_MUST_USE lt_res registrar_operator_revoked(struct registrar *g, struct ca_turn *t,
                                              const struct ca_revoked *r);
/* KeyAnswer for "operator:NAME". */
LT_MUST_USE lt_res registrar_operator_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m);

/* registrar_session.c: KeyAnswer for "session:ID", "passkey:ID". */
LT_MUST_USE lt_res registrar_session_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m);
LT_MUST_USE lt_res registrar_passkey_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m);
/* Ops without an operator behind them: session.open, passkey.add. false: another op. */
bool registrar_session_is(const char *op);
registrar_step registrar_session_call;
/* Whose session that is: LT_OK and *ret_by, or *ret_ended and what the answer says. */
LT_MUST_USE lt_res registrar_session_of(struct registrar *g, struct ca_turn *t, const Ipc__OperatorCall *m,
                                        const struct ca_operator **ret_by, Ipc__Problem **ret_ended);

#endif
