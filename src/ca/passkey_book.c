/* Passkeys in the book: enrolled once for each link, counted, and told to the examiner, which believes the
 * link's key and nobody else. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/session.h"
#include "crypto/digest.h"
#include "sign.pb-c.h"

#define COLUMNS "SELECT credential_id, operator, rp, spki, alg, owner_thumbprint FROM console_passkey "
static const struct store_sql sql[] = {
    {"passkey.get", COLUMNS "WHERE id = ?1"},
    {"passkey.all", COLUMNS "WHERE id > '' ORDER BY id LIMIT 1024"},
    {"passkey.count", "SELECT count(*) FROM console_passkey WHERE created_us > 0"},
    {"passkey.link", "SELECT operator FROM console_passkey WHERE enrolment_spki = ?1"},
    {"passkey.add",
     "INSERT INTO console_passkey (id, credential_id, operator, rp, spki, alg, enrolment_spki, "
     "signature, owner_thumbprint, sign_count, created_us, used_us) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)"},
    {"passkey.used", "UPDATE console_passkey SET sign_count = ?2, used_us = ?3 WHERE id = ?1"},
    {"passkey.sign-count", "SELECT sign_count FROM console_passkey WHERE id = ?1"},
    {"passkey.tell", "SELECT credential_id, operator, rp, spki, alg, owner_thumbprint, enrolment_spki, "
                     "signature FROM console_passkey "
                     "WHERE created_us >= ?1 ORDER BY created_us LIMIT 1024"},
};
enum { SQL_GET, SQL_ALL, SQL_COUNT, SQL_LINK, SQL_ADD, SQL_USED, SQL_SIGN_COUNT, SQL_TELL };
const struct store_sql *const ca_passkey_sql = sql;
const size_t ca_passkey_sql_count = LT_COUNT(sql);

enum { SIGN_COUNT_OFFSET = 33 };

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static char *id_of(struct ca_turn *t, lt_slice credential_id)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(credential_id, hash);
    char *id = lt_base64url(t->arena, LT_SLICE(hash, sizeof hash));
    LT_ASSERT(id != NULL);
    return id;
}

static struct ca_passkey borrowed(const struct store_rows *rows)
{
    return (struct ca_passkey){
        .id = store_bytes(rows, 0),
        .operator_ = store_cstr(rows, 1),
        .rp = store_cstr(rows, 2),
        .spki = store_bytes(rows, 3),
        .alg = store_cstr(rows, 4),
        .owner = store_bytes(rows, 5),
    };
}

lt_res ca_passkey_by_id(struct ca_turn *t, lt_slice id, struct ca_passkey *ret_key)
{
    struct store_rows rows;
    *ret_key = (struct ca_passkey){.operator_ = NULL};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_T(id)), &rows));
    if (store_next(&rows)) {
        struct ca_passkey k = borrowed(&rows);
        k.id = lt_arena_copy(t->arena, k.id);
        k.spki = lt_arena_copy(t->arena, k.spki);
        k.owner = lt_arena_copy(t->arena, k.owner);
        k.operator_ = lt_arena_cstr(t->arena, lt_slice_cstr(k.operator_));
        k.rp = lt_arena_cstr(t->arena, lt_slice_cstr(k.rp));
        k.alg = lt_arena_cstr(t->arena, lt_slice_cstr(k.alg));
        LT_ASSERT(k.id.ptr != NULL && k.spki.ptr != NULL && k.operator_ != NULL && k.rp != NULL &&
                  k.alg != NULL);
        *ret_key = k;
    }
    return store_rows_end(&rows);
}

lt_res ca_passkeys_load(struct ca_turn *t)
{
    struct ca_passkeys *p = &t->book->passkeys;
    struct store_rows rows;
    lt_res r = LT_OK;
    ca_passkeys_done(p);
    ca_passkeys_init(p);
    t->book->operators.passkeys = p;
    LT_TRY(store_query(t->store, &sql[SQL_ALL], STORE_NO_ARGS, &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        struct ca_passkey k = borrowed(&rows);
        r = ca_passkeys_add(p, &k);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* WebAuthn 2, 7.2 "This is a signal that the authenticator may be cloned" */
lt_res ca_passkey_count(struct ca_turn *t, const Ipc__PasskeyAssertion *a)
{
    struct store_rows rows;
    int64_t before = 0;
    const uint8_t *c = a->authenticator_data.data + SIGN_COUNT_OFFSET;
    LT_CHECK(a->authenticator_data.len >= SIGN_COUNT_OFFSET + 4, LT_PEER_MALFORMED, "authenticator data");
    int64_t now = (int64_t)c[0] << 24 | (int64_t)c[1] << 16 | (int64_t)c[2] << 8 | (int64_t)c[3];
    const char *id = id_of(t, bytes(a->credential_id));
    LT_TRY(store_query(t->store, &sql[SQL_SIGN_COUNT], STORE_ARGS(STORE_S(id)), &rows));
    if (store_next(&rows)) {
        before = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK((now == 0 && before == 0) || now > before, LT_POLICY_APPROVAL,
             "the passkey's counter has not grown (%lld after %lld): there may be a copy of it",
             (long long)now, (long long)before);
    return store_exec(t->store, &sql[SQL_USED], STORE_ARGS(STORE_S(id), STORE_I(now), STORE_I(t->now.us)),
                      NULL);
}

/* ---- told ---- */

static ProtobufCBinaryData lend(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr}; /* packed at once, not kept */
}

static lt_res tell(struct ca_turn *t, const struct ca_passkey *k, lt_slice enrolment, lt_slice signature)
{
    Ipc__PasskeyAdd m = IPC__PASSKEY_ADD__INIT;
    m.operator_ = (char *)(uintptr_t)k->operator_;
    m.rp = (char *)(uintptr_t)k->rp;
    m.alg = (char *)(uintptr_t)k->alg;
    m.credential_id = lend(k->id);
    m.spki = lend(k->spki);
    m.enrolment_spki = lend(enrolment);
    m.signature = lend(signature);
    return ca_turn_send(t, IPC_EXAMINER, IPC_PASSKEY_ADD, 0, &m.base);
}

lt_res ca_passkeys_tell(struct ca_turn *t, lt_time since)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_TELL], STORE_ARGS(STORE_I(since.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        struct ca_passkey k = borrowed(&rows);
        r = tell(t, &k, store_bytes(&rows, 6), store_bytes(&rows, 7));
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* ---- enrolled ---- */

static lt_res check_link(struct ca_turn *t, const Ipc__PasskeyWanted *w)
{
    struct store_rows rows;
    bool used = false;
    LT_TRY(store_query(t->store, &sql[SQL_LINK], STORE_ARGS(STORE_B(bytes(w->enrolment_spki))), &rows));
    used = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!used, LT_POLICY_APPROVAL, "this link was used; make another with: lintel operator passkey %s",
             w->operator_);
    return LT_OK;
}

static lt_res check_room(struct ca_turn *t)
{
    struct store_rows rows;
    int64_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_COUNT], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        count = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(count < CA_PASSKEYS_MAX, LT_PEER_CONFLICT, "there are %lld passkeys: no more are taken",
             (long long)count);
    return LT_OK;
}

static lt_res insert(struct ca_turn *t, const struct ca_passkey *k, const Ipc__PasskeyWanted *w,
                     const char *id)
{
    lt_res r = store_exec(t->store, &sql[SQL_ADD],
                          STORE_ARGS(STORE_S(id), STORE_B(k->id), STORE_S(k->operator_), STORE_S(k->rp),
                                     STORE_B(k->spki), STORE_S(k->alg), STORE_B(bytes(w->enrolment_spki)),
                                     STORE_B(bytes(w->signature)), STORE_B(k->owner), STORE_I(w->sign_count),
                                     STORE_I(t->now.us)),
                          NULL);
    LT_CHECK(r.code != LT_PEER_CONFLICT, LT_PEER_CONFLICT, "this passkey is enrolled already");
    return r;
}

static lt_res take_key(struct ca_turn *t, const Ipc__OperatorCall *m, const char **ret_json)
{
    const Ipc__PasskeyWanted *w = m->passkey;
    const struct ca_operator *o = ca_operator_by_name(&t->book->operators, lt_slice_cstr(w->operator_));
    LT_CHECK(o != NULL, LT_POLICY_APPROVAL, "there is no operator %s", w->operator_);
    const struct ca_passkey k = {w->operator_,   w->rp,
                                 w->alg,         bytes(w->credential_id),
                                 bytes(w->spki), LT_SLICE(o->thumbprint, sizeof o->thumbprint)};
    struct ca_body b;
    LT_TRY(
        ca_passkey_enrolled(&t->book->operators, &k, bytes(w->enrolment_spki), bytes(w->signature), t->now));
    LT_CHECK(t->book->operators.origins != NULL && ca_origins_have_rp(t->book->operators.origins, k.rp),
             LT_POLICY_APPROVAL, "the console has not the name %.100s", k.rp);
    LT_TRY(check_link(t, w));
    LT_TRY(check_room(t));
    const char *id = id_of(t, k.id);
    LT_TRY(insert(t, &k, w, id));
    LT_TRY(tell(t, &k, bytes(w->enrolment_spki), bytes(w->signature)));
    char *subject = lt_arena_printf(t->arena, "operator %s", k.operator_);
    LT_ASSERT(subject != NULL);
    ca_body_init(&b);
    ca_body_str(&b, "passkey", id);
    ca_body_str(&b, "rp", k.rp);
    ca_body_str(&b, "address", m->remote_address);
    LT_TRY(ca_body_event(&b, t, "passkey.added", subject, bytes(m->jws)));
    ca_body_init(&b);
    ca_body_str(&b, "operator", k.operator_);
    ca_body_str(&b, "passkey", id);
    return ca_body_cstr(&b, t->arena, ret_json);
}

lt_res ca_passkey_take(struct ca_turn *t, const Ipc__OperatorCall *m, struct ca_session_answer *ret_answer)
{
    *ret_answer = (struct ca_session_answer){.json = NULL};
    LT_CHECK(m->passkey != NULL, LT_PEER_MALFORMED, "a passkey is wanted");
    struct ca_session_limits *limits = &t->book->login_limits;
    lt_slice link = bytes(m->passkey->enrolment_spki);
    bool known = ca_passkey_link_known(&t->book->operators, m->passkey->operator_, link);
    uint64_t window = known ? ca_session_window(link)
                            : CA_LOGIN_NOBODY; /* who has a link does not wait for strangers */
    int64_t wait = ca_session_wait_s(limits, window, known ? CA_LOGIN_FAILURES : CA_LOGIN_STRANGERS, t->now);
    if (wait > 0) {
        return ca_session_problem(t, 429, wait, &ret_answer->problem);
    }
    lt_res r = take_key(t, m, &ret_answer->json);
    if (lt_failed(r)) {
        ca_session_count(limits, window, t->now);
    }
    return r;
}
