#ifndef CA_SESSION_H
#define CA_SESSION_H
/* Sessions of the console, and the passkeys that open them; the registrar's alone.
 *
 * Logging in: the browser makes a key that it never gives away, and signs the request with it; a passkey, or
 * the key of a client certificate, says whose it is. From then on that key signs every change ("session:ID"),
 * and a cookie shows what may be read; the book has its SHA-256.
 *
 * Refuses: passkeys that are nobody's or were taken back, answers that do not fit, a counter that does not
 * grow (the passkey has been copied), links that were used, more attempts than a person makes. Which of them
 * it was, the log says; who tries hears one sentence.
 */
#include "ca/book.h"
#include "ca/passkey.h"
#include "ca/session_kid.h"
#include "ca/turn.h"
#include "operator.pb-c.h"

enum {
    CA_SESSION_ID_BYTES = 16,
    CA_SESSION_COOKIE_BYTES = 32,
    CA_SESSIONS_OF_ONE = 16, /* alive at a time; the oldest goes */
    CA_LOGIN_FAILURES = 10,  /* of one passkey, in CA_LOGIN_WINDOW_S */
    CA_LOGIN_STRANGERS = 60, /* of all that nobody knows */
    CA_LOGIN_SUCCESSES = 30, /* of one operator */
    CA_LOGIN_WINDOW_S = 60,
};

/* Key of the window of all that nobody knows. */
enum { CA_LOGIN_NOBODY = 1 };

struct ca_session { /* in the turn's arena */
    bool found;
    const char *id;
    const char *operator_;
    const char *passkey; /* "": of a client certificate */
    lt_slice spki;
    lt_slice owner; /* thumbprint of the operator's own key then: another key is another person */
    lt_time expires;
    bool ended; /* or expired */
};
LT_MUST_USE lt_res ca_session_find(struct ca_turn *t, const char *id, struct ca_session *ret_session);

/* What the answer carries besides. */
struct ca_session_answer {
    const char *json;
    const char *cookie; /* the value, said this once */
    uint32_t cookie_s;
    Ipc__Problem *problem; /* refused: what was written about that stays written */
};
/* The nonce is redeemed. */
LT_MUST_USE lt_res ca_session_open(struct ca_turn *t, const Ipc__OperatorCall *m,
                                   struct ca_session_answer *ret_answer);
/* Key of the window of a passkey, an operator, a link. */
uint64_t ca_session_window(lt_slice name);
/* 429 with the time to wait, or a refusal that says nothing. */
LT_MUST_USE lt_res ca_session_problem(struct ca_turn *t, uint32_t status, int64_t wait_s,
                                      Ipc__Problem **ret_problem);
/* by: the operator who ends it. LT_PEER_NOT_FOUND, LT_PEER_CONFLICT. */
LT_MUST_USE lt_res ca_session_end(struct ca_turn *t, const char *id, const char *by, lt_slice jws,
                                  const char **ret_json);
/* Sessions of passkeys that the operators' files have taken back end. */
LT_MUST_USE lt_res ca_session_sweep(struct ca_turn *t);

LT_MUST_USE lt_res ca_passkey_take(struct ca_turn *t, const Ipc__OperatorCall *m,
                                   struct ca_session_answer *ret_answer);
/* NULL members when there is none of that id (as in the book). In the turn's arena. */
LT_MUST_USE lt_res ca_passkey_by_id(struct ca_turn *t, lt_slice id, struct ca_passkey *ret_key);
/* The book's passkeys into b->operators.passkeys: before approvals are judged. */
LT_MUST_USE lt_res ca_passkeys_load(struct ca_turn *t);
/* An approval by passkey was handed in: the counter has to grow. */
LT_MUST_USE lt_res ca_passkey_count(struct ca_turn *t, const Ipc__PasskeyAssertion *a);
/* All that were enrolled since then, to the examiner, which verifies them again. */
LT_MUST_USE lt_res ca_passkeys_tell(struct ca_turn *t, lt_time since);

extern const struct store_sql *const ca_session_sql;
extern const size_t ca_session_sql_count;
extern const struct store_sql *const ca_passkey_sql;
extern const size_t ca_passkey_sql_count;

#endif
