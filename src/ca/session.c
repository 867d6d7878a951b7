/* Sessions of the console: opened, found, ended. Passkeys themselves: passkey_book.c. */
#include "ca/session.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/config.h"
#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"session.find", "SELECT operator, spki, passkey, expires_us, ended_us, owner_thumbprint FROM "
                     "console_session WHERE id = ?1"},
    {"session.open",
     "INSERT INTO console_session (id, cookie_sha256, operator, spki, method, passkey, address, "
     "opened_us, expires_us, ended_us, ended_by, owner_thumbprint) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, '', ?10)"},
    {"session.end", "UPDATE console_session SET ended_us = ?2, ended_by = ?3 WHERE id = ?1 AND ended_us = 0"},
    {"session.alive",
     "SELECT id FROM console_session WHERE operator = ?1 AND opened_us > ?2 AND ended_us = 0 AND "
     "expires_us > ?3 ORDER BY opened_us DESC LIMIT 64"},
    {"session.of-passkey", "UPDATE console_session SET ended_us = ?3, ended_by = '' WHERE operator = ?1 AND "
                           "opened_us > ?4 AND passkey = ?2 AND ended_us = 0"},
};
enum { SQL_FIND, SQL_OPEN, SQL_END, SQL_ALIVE, SQL_OF_PASSKEY };
const struct store_sql *const ca_session_sql = sql;
const size_t ca_session_sql_count = LT_COUNT(sql);

enum { LIFE_S = 3600, LIFE_MAX_S = 8 * 3600, TEXT_MAX = 1024 };

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

lt_res ca_session_find(struct ca_turn *t, const char *id, struct ca_session *ret_session)
{
    struct store_rows rows;
    *ret_session = (struct ca_session){.found = false};
    LT_TRY(store_query(t->store, &sql[SQL_FIND], STORE_ARGS(STORE_S(id)), &rows));
    if (!store_next(&rows)) {
        return store_rows_end(&rows);
    }
    struct ca_session s = {
        .found = true,
        .id = lt_arena_cstr(t->arena, lt_slice_cstr(id)),
        .operator_ = lt_arena_cstr(t->arena, store_bytes(&rows, 0)),
        .spki = lt_arena_copy(t->arena, store_bytes(&rows, 1)),
        .passkey = lt_arena_cstr(t->arena, store_bytes(&rows, 2)),
        .expires = {store_int(&rows, 3)},
        .owner = lt_arena_copy(t->arena, store_bytes(&rows, 5)),
        .ended = store_int(&rows, 4) != 0 || store_int(&rows, 3) <= t->now.us,
    };
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(s.id != NULL && s.operator_ != NULL && s.spki.ptr != NULL && s.passkey != NULL,
             LT_PEER_TOO_LARGE, "the request is over the limit");
    *ret_session = s;
    return LT_OK;
}

/* ---- who may ---- */

struct login {
    struct ca_turn *t;
    const Ipc__OperatorCall *m;
    const struct ca_operator *who;
    const char *method;
    const char *passkey; /* its id in the book; "" */
    uint64_t window;     /* of failures */
    const char *why;     /* it was refused; NULL: it was not */
};

uint64_t ca_session_window(lt_slice name)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint64_t key = 0;
    crypto_sha256(name, hash);
    memcpy(&key, hash, sizeof key);
    return key;
}

/* Refused for a reason that the book keeps: no failure of ours. Store failures and the like go on. */
static lt_res refused(struct login *l, lt_res r)
{
    switch (lt_class_of(r.code)) {
    case LT_CLASS_POLICY:
    case LT_CLASS_PEER:
        l->why = lt_arena_cstr(l->t->arena, lt_slice_cstr(lt_error_last()->detail));
        LT_ASSERT(l->why != NULL);
        return LT_OK;
    case LT_CLASS_OK:
    case LT_CLASS_RETRY:
    case LT_CLASS_STATE:
        break;
    }
    return r;
}

static lt_res judge_answer(struct login *l, const struct ca_passkey *k)
{
    const Ipc__SessionWanted *w = l->m->login;
    struct lt_buf text;
    uint32_t sign_count = 0;
    const struct ca_session_text s = {l->m->nonce, k->rp, bytes(w->thumbprint)};
    LT_CHECK(strcmp(w->rp, k->rp) == 0, LT_POLICY_APPROVAL, "the passkey is for another host name");
    lt_buf_init(&text, TEXT_MAX);
    lt_res r = ca_session_text(&s, &text);
    if (!lt_failed(r)) {
        r = ca_passkey_verify(k, lt_buf_slice(&text), l->t->book->operators.origins, w->passkey, &sign_count);
    }
    lt_buf_done(&text);
    LT_TRY(r);
    return ca_passkey_count(l->t, w->passkey);
}

static lt_res by_passkey(struct login *l)
{
    struct ca_passkey k;
    lt_slice id = bytes(l->m->login->passkey->credential_id);
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(id, hash);
    l->method = "passkey";
    l->passkey = lt_base64url(l->t->arena, LT_SLICE(hash, sizeof hash));
    LT_ASSERT(l->passkey != NULL);
    LT_TRY(ca_passkey_by_id(l->t, lt_slice_cstr(l->passkey), &k));
    LT_CHECK(k.operator_ != NULL, LT_POLICY_APPROVAL, "nobody's passkey");
    l->window = ca_session_window(id);
    l->who = ca_operator_by_name(&l->t->book->operators, lt_slice_cstr(k.operator_));
    LT_CHECK(l->who != NULL && ca_passkey_is_of(&k, l->who), LT_POLICY_APPROVAL,
             "the passkey of %s was taken back", k.operator_);
    LT_CHECK(l->m->login->refused[0] == 0, LT_POLICY_APPROVAL, "%s", l->m->login->refused);
    return judge_answer(l, &k);
}

static lt_res by_certificate(struct login *l)
{
    lt_slice print = bytes(l->m->login->client_spki_sha256);
    const struct ca_operators *all = &l->t->book->operators;
    l->method = "certificate";
    l->passkey = "";
    for (size_t i = 0; i < all->count && l->who == NULL; i++) {
        const struct ca_operator *o = &all->list[i];
        l->who = lt_slice_eq(print, LT_SLICE(o->thumbprint, sizeof o->thumbprint)) ? o : NULL;
    }
    LT_CHECK(l->who != NULL, LT_POLICY_APPROVAL, "nobody's client certificate");
    l->window = ca_session_window(print);
    LT_CHECK(l->who->certificate, LT_POLICY_APPROVAL,
             "%s does not log in by client certificate: their file says nothing of it", l->who->name);
    return LT_OK;
}

static lt_res judge(struct login *l)
{
    l->window = CA_LOGIN_NOBODY;
    LT_TRY(l->m->login->passkey != NULL ? by_passkey(l) : by_certificate(l));
    LT_CHECK((l->who->roles & ~(unsigned)CA_ROLE_INTAKE) != 0, LT_POLICY_APPROVAL,
             "%s brings in reports, and nothing else", l->who->name);
    return LT_OK;
}

/* ---- refusals ---- */

lt_res ca_session_problem(struct ca_turn *t, uint32_t status, int64_t wait_s, Ipc__Problem **ret_problem)
{
    Ipc__Problem *p = LT_NEW(t->arena, Ipc__Problem);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__problem__init(p);
    p->status = status;
    p->retry_after_s = (uint32_t)wait_s;
    p->type = lt_arena_cstr(t->arena, status == 429 ? LT_LIT("rateLimited") : LT_LIT("unauthorized"));
    p->detail = lt_arena_cstr(t->arena, status == 429
                                            ? LT_LIT("too many attempts; wait a minute")
                                            : LT_LIT("that does not log anybody in; the log says why"));
    LT_ASSERT(p->type != NULL && p->detail != NULL);
    *ret_problem = p;
    return LT_OK;
}

static lt_res refuse(struct login *l, Ipc__Problem **ret_problem)
{
    struct ca_body b;
    char *subject = lt_arena_printf(l->t->arena, "operator %s", l->who == NULL ? "-" : l->who->name);
    LT_ASSERT(subject != NULL);
    ca_session_count(&l->t->book->login_limits, l->window, l->t->now);
    ca_body_init(&b);
    ca_body_str(&b, "method", l->method);
    ca_body_str(&b, "why", l->why);
    ca_body_str(&b, "address", l->m->remote_address);
    LT_TRY(ca_body_event(&b, l->t, "session.refused", subject, (lt_slice){NULL, 0}));
    return ca_session_problem(l->t, 403, 0, ret_problem);
}

/* ---- opened ---- */

static lt_res end_row(struct ca_turn *t, const char *id, const char *by)
{
    return store_exec(t->store, &sql[SQL_END], STORE_ARGS(STORE_S(id), STORE_I(t->now.us), STORE_S(by)),
                      NULL);
}

/* Nobody works in so many browsers; the one that was opened first is forgotten somewhere. */
static lt_res make_room(struct login *l)
{
    enum { LIST_MAX = 64 };
    char *old[LIST_MAX];
    size_t count = 0;
    size_t seen = 0;
    struct store_rows rows;
    int64_t since = l->t->now.us - (int64_t)LIFE_MAX_S * LT_US_PER_SECOND;
    LT_TRY(store_query(l->t->store, &sql[SQL_ALIVE],
                       STORE_ARGS(STORE_S(l->who->name), STORE_I(since), STORE_I(l->t->now.us)), &rows));
    while (count < LIST_MAX && store_next(&rows)) {
        if (++seen >= CA_SESSIONS_OF_ONE) {
            old[count] = lt_arena_cstr(l->t->arena, store_bytes(&rows, 0));
            LT_ASSERT(old[count] != NULL);
            count++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(end_row(l->t, old[i], ""));
    }
    return LT_OK;
}

static char *draw(struct ca_turn *t, size_t len)
{
    uint8_t drawn[CA_SESSION_COOKIE_BYTES];
    LT_ASSERT(len <= sizeof drawn);
    t->random(drawn, len);
    char *text = lt_base64url(t->arena, LT_SLICE(drawn, len));
    explicit_bzero(drawn, sizeof drawn);
    LT_ASSERT(text != NULL);
    return text;
}

static int64_t life_s(const struct ca_book *b)
{
    int64_t s = b->config == NULL ? LIFE_S : b->config->console_session_s;
    return s > 0 && s <= LIFE_MAX_S ? s : LIFE_S;
}

static lt_res insert(struct login *l, const char *id, const char *cookie, lt_time expires)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(lt_slice_cstr(cookie), hash);
    return store_exec(l->t->store, &sql[SQL_OPEN],
                      STORE_ARGS(STORE_S(id), STORE_B(LT_SLICE(hash, sizeof hash)), STORE_S(l->who->name),
                                 STORE_B(bytes(l->m->login->spki)), STORE_S(l->method), STORE_S(l->passkey),
                                 STORE_S(l->m->remote_address), STORE_I(l->t->now.us), STORE_I(expires.us),
                                 STORE_B(LT_SLICE(l->who->thumbprint, sizeof l->who->thumbprint))),
                      NULL);
}

static lt_res say_opened(struct login *l, const char *id, lt_time expires, const char **ret_json)
{
    struct ca_body b;
    struct lt_buf roles;
    lt_buf_init(&roles, TEXT_MAX);
    ca_operator_roles_json(l->who->roles, &roles);
    ca_body_init(&b);
    ca_body_str(&b, "session", id);
    ca_body_str(&b, "operator", l->who->name);
    ca_body_json(&b, "roles", lt_buf_slice(&roles));
    ca_body_str(&b, "method", l->method);
    ca_body_time(&b, "expires", expires);
    lt_buf_done(&roles);
    return ca_body_cstr(&b, l->t->arena, ret_json);
}

static lt_res opened_event(struct login *l, const char *id, lt_time expires)
{
    struct ca_body b;
    char *subject = lt_arena_printf(l->t->arena, "operator %s", l->who->name);
    LT_ASSERT(subject != NULL);
    ca_body_init(&b);
    ca_body_str(&b, "session", id);
    ca_body_str(&b, "method", l->method);
    ca_body_str(&b, "passkey", l->passkey);
    ca_body_str(&b, "address", l->m->remote_address);
    ca_body_time(&b, "expires", expires);
    return ca_body_event(&b, l->t, "session.opened", subject, bytes(l->m->jws));
}

static lt_res open_session(struct login *l, struct ca_session_answer *a)
{
    const char *id = draw(l->t, CA_SESSION_ID_BYTES);
    const char *cookie = draw(l->t, CA_SESSION_COOKIE_BYTES);
    int64_t s = life_s(l->t->book);
    lt_time expires = lt_time_add_seconds(l->t->now, s);
    LT_TRY(make_room(l));
    LT_TRY(insert(l, id, cookie, expires));
    LT_TRY(opened_event(l, id, expires));
    LT_TRY(say_opened(l, id, expires, &a->json));
    a->cookie = cookie;
    a->cookie_s = (uint32_t)s;
    return LT_OK;
}

lt_res ca_session_open(struct ca_turn *t, const Ipc__OperatorCall *m, struct ca_session_answer *ret_answer)
{
    struct login l = {.t = t, .m = m, .passkey = ""};
    struct ca_session_limits *limits = &t->book->login_limits;
    *ret_answer = (struct ca_session_answer){.json = NULL};
    LT_CHECK(m->login != NULL && m->login->spki.len > 0 && m->login->thumbprint.len == CRYPTO_SHA256_LEN,
             LT_PEER_MALFORMED, "a session is wanted");
    int64_t wait = ca_session_wait_s(limits, CA_LOGIN_NOBODY, CA_LOGIN_STRANGERS, t->now);
    lt_res r = refused(&l, judge(&l));
    LT_TRY(r);
    if (l.window != CA_LOGIN_NOBODY) { /* who is known does not wait for strangers */
        wait = ca_session_wait_s(limits, l.window, CA_LOGIN_FAILURES, t->now);
    }
    uint64_t own = l.who == NULL ? CA_LOGIN_NOBODY : ca_session_window(lt_slice_cstr(l.who->name));
    wait = wait == 0 && l.why == NULL ? ca_session_wait_s(limits, own, CA_LOGIN_SUCCESSES, t->now) : wait;
    if (wait > 0) {
        return ca_session_problem(t, 429, wait, &ret_answer->problem);
    }
    if (l.why != NULL) {
        return refuse(&l, &ret_answer->problem);
    }
    ca_session_count(limits, own, t->now);
    return open_session(&l, ret_answer);
}

/* ---- ended ---- */

lt_res ca_session_end(struct ca_turn *t, const char *id, const char *by, lt_slice jws, const char **ret_json)
{
    struct ca_session s;
    struct ca_body b;
    LT_TRY(ca_session_find(t, id, &s));
    LT_CHECK(s.found, LT_PEER_NOT_FOUND, "there is no session \"%.60s\"", id);
    LT_CHECK(!s.ended, LT_PEER_CONFLICT, "session %.60s has ended already", id);
    LT_TRY(end_row(t, id, by));
    char *subject = lt_arena_printf(t->arena, "operator %s", s.operator_);
    LT_ASSERT(subject != NULL);
    ca_body_init(&b);
    ca_body_str(&b, "session", id);
    ca_body_str(&b, "by", by);
    LT_TRY(ca_body_event(&b, t, "session.ended", subject, jws));
    ca_body_init(&b);
    ca_body_str(&b, "session", id);
    ca_body_str(&b, "operator", s.operator_);
    return ca_body_cstr(&b, t->arena, ret_json);
}

lt_res ca_session_sweep(struct ca_turn *t)
{
    const struct ca_operators *all = &t->book->operators;
    int64_t since = t->now.us - (int64_t)LIFE_MAX_S * LT_US_PER_SECOND;
    for (size_t i = 0; i < all->count; i++) {
        const struct ca_operator *o = &all->list[i];
        for (size_t k = 0; k < o->refused_count; k++) {
            char *id = lt_base64url(t->arena, o->refused[k]);
            LT_ASSERT(id != NULL);
            LT_TRY(store_exec(t->store, &sql[SQL_OF_PASSKEY],
                              STORE_ARGS(STORE_S(o->name), STORE_S(id), STORE_I(t->now.us), STORE_I(since)),
                              NULL));
        }
    }
    return LT_OK;
}
