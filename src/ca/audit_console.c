/* The console's sessions and passkeys, verified again: each passkey by the link that made it somebody's, each
 * session by the request and the passkey that opened it. What was signed in sessions is verified with their
 * keys (audit_jws.c). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/audit_internal.h"
#include "ca/passkey.h"
#include "ca/session_kid.h"
#include "crypto/digest.h"
#include "jose/jws.h"

static const struct store_sql sql[] = {
    {"audit.passkeys", "SELECT id, credential_id, operator, rp, spki, alg, enrolment_spki, signature FROM "
                       "console_passkey WHERE id > ?1 ORDER BY id LIMIT 500"},
    {"audit.session", "SELECT operator, spki, passkey, method FROM console_session WHERE id = ?1"},
    {"audit.sessions", "SELECT id, operator FROM console_session WHERE id > ?1 ORDER BY id LIMIT 500"},
    {"audit.session-events",
     "SELECT chain, sequence, body, attachment FROM event WHERE (chain, sequence) > (?1, ?2) "
     "AND kind || '' = 'session.opened' ORDER BY chain, sequence LIMIT 500"},
    {"audit.passkey-event",
     "SELECT body FROM event WHERE subject = ?1 AND kind || '' = 'passkey.added' LIMIT 10000"},
    {"audit.session-event",
     "SELECT body FROM event WHERE subject = ?1 AND kind || '' = 'session.opened' LIMIT 100000"},
};
enum { SQL_PASSKEYS, SQL_SESSION, SQL_SESSIONS, SQL_SESSION_EVENTS, SQL_PASSKEY_EVENT, SQL_SESSION_EVENT };
const struct store_sql *const ca_audit_console_sql = sql;
const size_t ca_audit_console_sql_count = LT_COUNT(sql);

enum { ARENA_MAX = 64 * 1024 * 1024, SUBJECT_SIZE = 128, TEXT_MAX = 1024 };

/* ---- passkeys ---- */

/* Does an event of that subject name it? */
static lt_res told(struct ca_audit *a, size_t which, lt_slice operator_, const char *member, lt_slice id,
                   bool *ret_told)
{
    char subject[SUBJECT_SIZE];
    char named[SUBJECT_SIZE + 32];
    struct store_rows rows;
    *ret_told = false;
    (void)snprintf(subject, sizeof subject, "operator %.*s", LT_FMT(operator_));
    (void)snprintf(named, sizeof named, "\"%s\":\"%.*s\"", member, LT_FMT(lt_slice_sub(id, 0, SUBJECT_SIZE)));
    LT_TRY(store_query(a->store, &sql[which], STORE_ARGS(STORE_S(subject)), &rows));
    while (!*ret_told && store_next(&rows)) {
        *ret_told = strstr(store_cstr(&rows, 0), named) != NULL;
    }
    return store_rows_end(&rows);
}

static bool id_fits(lt_slice id, lt_slice credential)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct lt_buf text;
    crypto_sha256(credential, hash);
    lt_buf_init(&text, SUBJECT_SIZE);
    lt_base64url_add(&text, LT_SLICE(hash, sizeof hash));
    bool fits = lt_slice_eq(lt_buf_slice(&text), id);
    lt_buf_done(&text);
    return fits;
}

struct passkey_row {
    struct ca_passkey k;
    lt_slice id;
    lt_slice enrolment;
    lt_slice signature;
};

static lt_res check_passkey(struct ca_audit *a, const struct passkey_row *p, struct ca_passkeys *all)
{
    char subject[SUBJECT_SIZE];
    bool known = false;
    (void)snprintf(subject, sizeof subject, "passkey %.*s", LT_FMT(p->id));
    if (!id_fits(p->id, p->k.id) || lt_failed(ca_passkey_signed(&p->k, p->enrolment, p->signature))) {
        ca_audit_finding(a, "passkey", subject, "no link's key made it %s's", p->k.operator_);
    }
    LT_TRY(told(a, SQL_PASSKEY_EVENT, lt_slice_cstr(p->k.operator_), "passkey", p->id, &known));
    if (!known) {
        ca_audit_finding(a, "passkey", subject, "no event tells that it became %s's", p->k.operator_);
    }
    a->counts.passkeys++;
    return ca_passkeys_add(all, &p->k);
}

static lt_res passkey_page(struct ca_audit *a, const char **at, struct lt_arena *arena,
                           struct ca_passkeys *all)
{
    enum { PAGE = 500 };
    struct passkey_row *page = LT_NEW_ARRAY(arena, struct passkey_row, PAGE);
    struct store_rows rows;
    size_t count = 0;
    LT_CHECK(page != NULL, LT_PEER_TOO_LARGE, "too many passkeys");
    LT_TRY(store_query(a->store, &sql[SQL_PASSKEYS], STORE_ARGS(STORE_S(*at)), &rows));
    while (count < PAGE && store_next(&rows)) {
        page[count++] = (struct passkey_row){
            .id = lt_arena_copy(arena, store_bytes(&rows, 0)),
            .k = {.id = lt_arena_copy(arena, store_bytes(&rows, 1)),
                  .operator_ = lt_arena_cstr(arena, store_bytes(&rows, 2)),
                  .rp = lt_arena_cstr(arena, store_bytes(&rows, 3)),
                  .spki = lt_arena_copy(arena, store_bytes(&rows, 4)),
                  .alg = lt_arena_cstr(arena, store_bytes(&rows, 5))},
            .enrolment = lt_arena_copy(arena, store_bytes(&rows, 6)),
            .signature = lt_arena_copy(arena, store_bytes(&rows, 7)),
        };
    }
    LT_TRY(store_rows_end(&rows));
    *at = NULL;
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(page[i].signature.ptr != NULL && page[i].k.alg != NULL, LT_PEER_TOO_LARGE,
                 "too many passkeys");
        LT_TRY(check_passkey(a, &page[i], all));
        *at = (const char *)page[i].id.ptr; /* copies end with a NUL */
    }
    return LT_OK;
}

lt_res ca_audit_passkeys(struct ca_audit *a, struct ca_passkeys *ret_passkeys)
{
    struct lt_arena arena;
    const char *at = "";
    lt_res r = LT_OK;
    ca_passkeys_init(ret_passkeys);
    lt_arena_init(&arena, ARENA_MAX);
    while (!lt_failed(r) && at != NULL) {
        r = passkey_page(a, &at, &arena, ret_passkeys);
    }
    lt_arena_done(&arena);
    return r;
}

/* ---- sessions ---- */

struct session_row {
    const char *operator_;
    lt_slice spki;
    const char *passkey;
    bool by_passkey;
};

static lt_res find_session(struct ca_audit *a, const char *id, struct lt_arena *arena,
                           struct session_row *ret_row)
{
    struct store_rows rows;
    *ret_row = (struct session_row){.operator_ = NULL};
    LT_TRY(store_query(a->store, &sql[SQL_SESSION], STORE_ARGS(STORE_S(id)), &rows));
    if (store_next(&rows)) {
        *ret_row = (struct session_row){
            .operator_ = lt_arena_cstr(arena, store_bytes(&rows, 0)),
            .spki = lt_arena_copy(arena, store_bytes(&rows, 1)),
            .passkey = lt_arena_cstr(arena, store_bytes(&rows, 2)),
            .by_passkey = strcmp(store_cstr(&rows, 3), "passkey") == 0,
        };
    }
    return store_rows_end(&rows);
}

static bool blob(const json_t *o, const char *name, struct lt_arena *arena, ProtobufCBinaryData *ret_blob)
{
    lt_slice bytes;
    const char *text = json_string_value(json_object_get(o, name));
    if (text == NULL || lt_failed(lt_unbase64url(arena, lt_slice_cstr(text), &bytes))) {
        return false;
    }
    *ret_blob = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
    return true;
}

/* The passkey's answer in the request, over the text that the request makes. */
static bool answers(const struct ca_passkeys *all, const struct jws *jws, const json_t *payload,
                    struct lt_arena *arena, const struct session_row *s)
{
    Ipc__PasskeyAssertion m = IPC__PASSKEY_ASSERTION__INIT;
    const json_t *o = json_object_get(payload, "passkey");
    const char *rp = json_string_value(json_object_get(payload, "rp"));
    char *nonce = lt_arena_cstr(arena, jws->nonce);
    uint32_t sign_count = 0;
    if (rp == NULL || nonce == NULL || !blob(o, "id", arena, &m.credential_id) ||
        !blob(o, "authenticator-data", arena, &m.authenticator_data) ||
        !blob(o, "client-data", arena, &m.client_data) || !blob(o, "signature", arena, &m.signature)) {
        return false;
    }
    const struct ca_passkey *k = ca_passkeys_find(all, LT_SLICE(m.credential_id.data, m.credential_id.len));
    const struct ca_session_text said = {nonce, rp, LT_SLICE(jws->jwk.thumbprint, JWK_THUMBPRINT_LEN)};
    struct lt_buf text;
    lt_buf_init(&text, TEXT_MAX);
    bool good = k != NULL && strcmp(k->operator_, s->operator_) == 0 &&
                id_fits(lt_slice_cstr(s->passkey), k->id) && strcmp(k->rp, rp) == 0 &&
                !lt_failed(ca_session_text(&said, &text)) &&
                !lt_failed(ca_passkey_verify(k, lt_buf_slice(&text), NULL, &m, &sign_count));
    lt_buf_done(&text);
    return good;
}

static bool request_fits(const struct ca_passkeys *all, lt_slice request, struct lt_arena *arena,
                         const struct session_row *s)
{
    struct jws jws;
    json_error_t e;
    if (lt_failed(jws_parse(request, JWS_REQUEST, arena, &jws)) || !jws.has_jwk ||
        !lt_slice_eq(jws.jwk.spki, s->spki)) {
        return false;
    }
    if (!s->by_passkey) {
        return true; /* what TLS proved to the gateway nobody can prove again */
    }
    json_t *payload = json_loadb((const char *)jws.payload.ptr, jws.payload.len, 0, &e);
    bool good = payload != NULL && answers(all, &jws, payload, arena, s);
    json_decref(payload);
    return good;
}

static lt_res check_opened(struct ca_audit *a, const struct ca_passkeys *all, lt_slice body, lt_slice request)
{
    struct lt_arena arena;
    struct session_row s;
    json_error_t e;
    lt_arena_init(&arena, ARENA_MAX);
    json_t *said = json_loadb((const char *)body.ptr, body.len, 0, &e);
    const char *id = json_string_value(json_object_get(said, "session"));
    lt_res r = find_session(a, id == NULL ? "" : id, &arena, &s);
    if (!lt_failed(r) && (s.operator_ == NULL || !request_fits(all, request, &arena, &s))) {
        char subject[SUBJECT_SIZE];
        (void)snprintf(subject, sizeof subject, "session %.60s", id == NULL ? "-" : id);
        ca_audit_finding(a, "session", subject, "%s",
                         s.operator_ == NULL ? "an event tells of it, and it is not there"
                                             : "what opened it was not its operator's, or not its key's");
    }
    json_decref(said);
    lt_arena_done(&arena);
    a->counts.sessions++;
    return r;
}

static lt_res events_page(struct ca_audit *a, const struct ca_passkeys *all, struct lt_arena *arena,
                          const char **chain, int64_t *sequence, bool *ret_more)
{
    enum { PAGE = 500 };
    struct {
        lt_slice body;
        lt_slice request;
    } *page = lt_arena_array(arena, PAGE, sizeof *page);
    struct store_rows rows;
    size_t count = 0;
    LT_CHECK(page != NULL, LT_PEER_TOO_LARGE, "too many sessions");
    LT_TRY(store_query(a->store, &sql[SQL_SESSION_EVENTS], STORE_ARGS(STORE_S(*chain), STORE_I(*sequence)),
                       &rows));
    while (count < PAGE && store_next(&rows)) {
        *chain = lt_arena_cstr(arena, store_bytes(&rows, 0));
        *sequence = store_int(&rows, 1);
        page[count].body = lt_arena_copy(arena, store_bytes(&rows, 2));
        page[count++].request = lt_arena_copy(arena, store_bytes(&rows, 3));
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(check_opened(a, all, page[i].body, page[i].request));
    }
    *ret_more = count == PAGE && *chain != NULL;
    return LT_OK;
}

/* What is there was told: no session without its event. */
static lt_res rows_page(struct ca_audit *a, struct lt_arena *arena, const char **at)
{
    enum { PAGE = 500 };
    struct store_rows rows;
    lt_slice *page = LT_NEW_ARRAY(arena, lt_slice, (size_t)PAGE * 2);
    size_t count = 0;
    LT_CHECK(page != NULL, LT_PEER_TOO_LARGE, "too many sessions");
    LT_TRY(store_query(a->store, &sql[SQL_SESSIONS], STORE_ARGS(STORE_S(*at)), &rows));
    while (count < PAGE && store_next(&rows)) {
        page[2 * count] = lt_arena_copy(arena, store_bytes(&rows, 0));
        page[2 * count + 1] = lt_arena_copy(arena, store_bytes(&rows, 1));
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    *at = NULL;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        LT_CHECK(page[2 * i + 1].ptr != NULL, LT_PEER_TOO_LARGE, "too many sessions");
        LT_TRY(told(a, SQL_SESSION_EVENT, page[2 * i + 1], "session", page[2 * i], &known));
        *at = (const char *)page[2 * i].ptr; /* copies end with a NUL */
        if (!known) {
            char subject[SUBJECT_SIZE];
            (void)snprintf(subject, sizeof subject, "session %.60s", *at);
            ca_audit_finding(a, "session", subject, "no event tells that it was opened");
        }
    }
    return LT_OK;
}

lt_res ca_audit_sessions(struct ca_audit *a, const struct ca_passkeys *all)
{
    struct lt_arena arena;
    const char *chain = "";
    const char *at = "";
    int64_t sequence = 0;
    bool more = true;
    lt_res r = LT_OK;
    lt_arena_init(&arena, (size_t)ARENA_MAX * 16);
    while (!lt_failed(r) && more) {
        r = events_page(a, all, &arena, &chain, &sequence, &more);
    }
    while (!lt_failed(r) && at != NULL) {
        r = rows_page(a, &arena, &at);
    }
    lt_arena_done(&arena);
    return r;
}
