/* Signed requests that were kept with their events, verified again with the key of who signed them. An
 * account may have changed its key since: the keys before are in its key changes, signed by themselves. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/audit_internal.h"
#include "ca/session_kid.h"
#include "jose/jws.h"

static const struct store_sql sql[] = {
    {"audit.account-key", "SELECT spki FROM account WHERE id = ?1"},
    {"audit.key-changes",
     "SELECT attachment FROM event WHERE subject = ?1 AND kind || '' = 'account.key-changed' "
     "ORDER BY time_us LIMIT 1000"},
    {"audit.operator-key", "SELECT spki FROM operator WHERE name = ?1"},
    {"audit.session-key", "SELECT spki FROM console_session WHERE id = ?1"},
};
enum { SQL_ACCOUNT, SQL_KEY_CHANGES, SQL_OPERATOR, SQL_SESSION };
const struct store_sql *const ca_audit_jws_sql = sql;
const size_t ca_audit_jws_sql_count = LT_COUNT(sql);

enum { JWS_ARENA_MAX = 4 * 1024 * 1024 };

static bool verifies(const struct jws *jws, lt_slice spki)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    if (lt_failed(crypto_pub_new(spki, &pub))) {
        return false;
    }
    return !lt_failed(jws_verify(jws, pub));
}

static lt_res first_blob(struct ca_audit *a, const struct store_sql *which, struct store_value key,
                         struct lt_arena *arena, lt_slice *ret_blob)
{
    struct store_rows rows;
    *ret_blob = LT_SLICE(NULL, 0);
    LT_TRY(store_query(a->store, which, &key, 1, &rows));
    if (store_next(&rows)) {
        *ret_blob = lt_arena_copy(arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

/* The key that a key change replaced: "oldKey" in the payload of the inner JWS. */
static bool old_key(lt_slice attachment, struct lt_arena *arena, struct jwk *ret_key)
{
    struct jws outer;
    struct jws inner;
    if (lt_failed(jws_parse(attachment, JWS_REQUEST, arena, &outer)) ||
        lt_failed(jws_parse(outer.payload, JWS_KEY_CHANGE, arena, &inner))) {
        return false;
    }
    json_error_t e;
    json_t *payload = json_loadb((const char *)inner.payload.ptr, inner.payload.len, 0, &e);
    bool found = payload != NULL && !lt_failed(jwk_parse(json_object_get(payload, "oldKey"), arena, ret_key));
    json_decref(payload);
    return found;
}

static lt_res by_older_key(struct ca_audit *a, const struct jws *jws, int64_t account, struct lt_arena *arena,
                           lt_slice *ret_spki, bool *ret_good)
{
    char subject[64];
    (void)snprintf(subject, sizeof subject, "account %lld", (long long)account);
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_KEY_CHANGES], STORE_ARGS(STORE_S(subject)), &rows));
    while (!*ret_good && store_next(&rows)) {
        struct jwk key;
        *ret_good = old_key(store_bytes(&rows, 0), arena, &key) && verifies(jws, key.spki);
        *ret_spki = *ret_good ? key.spki : *ret_spki;
    }
    return store_rows_end(&rows);
}

static lt_res by_account(struct ca_audit *a, const struct jws *jws, struct lt_arena *arena,
                         lt_slice *ret_spki, bool *ret_known, bool *ret_good)
{
    lt_slice id_text = jws->kid;
    for (lt_slice rest = jws->kid; lt_slice_split(&rest, '/', &id_text);) {
    }
    uint64_t id = 0;
    if (lt_failed(lt_parse_u64(id_text, INT64_MAX, &id))) {
        return LT_OK;
    }
    LT_TRY(first_blob(a, &sql[SQL_ACCOUNT], STORE_I(id), arena, ret_spki));
    *ret_known = ret_spki->len > 0;
    *ret_good = *ret_known && verifies(jws, *ret_spki);
    return *ret_known && !*ret_good ? by_older_key(a, jws, (int64_t)id, arena, ret_spki, ret_good) : LT_OK;
}

static lt_res by_operator(struct ca_audit *a, const struct jws *jws, struct lt_arena *arena,
                          lt_slice *ret_spki, bool *ret_known, bool *ret_good)
{
    lt_slice prefix = LT_LIT("operator:");
    lt_slice name = lt_slice_sub(jws->kid, prefix.len, jws->kid.len);
    LT_TRY(first_blob(a, &sql[SQL_OPERATOR], STORE_T(name), arena, ret_spki));
    *ret_good = ret_spki->len > 0 && verifies(jws, *ret_spki);
    *ret_known = *ret_good; /* an operator's key before this one is kept nowhere but in backups */
    return LT_OK;
}

/* Of the console: rows of sessions stay. */
static lt_res by_session(struct ca_audit *a, const struct jws *jws, struct lt_arena *arena,
                         lt_slice *ret_spki, bool *ret_good)
{
    lt_slice id = lt_slice_sub(jws->kid, strlen(CA_SESSION_KID), jws->kid.len);
    LT_TRY(first_blob(a, &sql[SQL_SESSION], STORE_T(id), arena, ret_spki));
    *ret_good = ret_spki->len > 0 && verifies(jws, *ret_spki);
    return LT_OK;
}

static lt_res by_kid(struct ca_audit *a, const struct jws *jws, struct lt_arena *arena, lt_slice *ret_spki,
                     bool *ret_known, bool *ret_good)
{
    *ret_spki = (lt_slice){NULL, 0};
    if (lt_slice_starts(jws->kid, LT_LIT(CA_SESSION_KID))) {
        *ret_known = true;
        return by_session(a, jws, arena, ret_spki, ret_good);
    }
    return lt_slice_starts(jws->kid, LT_LIT("operator:"))
               ? by_operator(a, jws, arena, ret_spki, ret_known, ret_good)
               : by_account(a, jws, arena, ret_spki, ret_known, ret_good);
}

lt_res ca_audit_signer_of(struct ca_audit *a, lt_slice text, struct lt_arena *arena,
                          struct ca_audit_signer *ret_signer)
{
    struct jws jws;
    bool known = false;
    bool good = false;
    *ret_signer = (struct ca_audit_signer){.known = false};
    if (lt_failed(jws_parse(text, JWS_REQUEST, arena, &jws)) || jws.has_jwk) {
        return LT_OK;
    }
    LT_TRY(by_kid(a, &jws, arena, &ret_signer->spki, &known, &good));
    ret_signer->known = good;
    ret_signer->kid = jws.kid;
    return LT_OK;
}

static lt_res check(struct ca_audit *a, const char *subject, lt_slice text, struct lt_arena *arena)
{
    struct jws jws;
    bool known = true;
    bool good = false;
    if (lt_failed(jws_parse(text, JWS_REQUEST, arena, &jws))) {
        ca_audit_finding(a, "jws", subject, "the request that was kept is none: %s", lt_error_last()->detail);
        return LT_OK;
    }
    if (jws.has_jwk) {
        good = !lt_failed(jws_verify(&jws, NULL));
    } else {
        lt_slice spki;
        LT_TRY(by_kid(a, &jws, arena, &spki, &known, &good));
    }
    if (!known) {
        a->counts.jws_unknown++;
    } else if (!good) {
        ca_audit_finding(a, "jws", subject, "the signature of the request that was kept does not verify");
    }
    a->counts.jws += good ? 1 : 0;
    return LT_OK;
}

lt_res ca_audit_jws(struct ca_audit *a, const char *subject, lt_slice text)
{
    struct lt_arena arena;
    lt_arena_init(&arena, JWS_ARENA_MAX);
    lt_res r = check(a, subject, text, &arena);
    lt_arena_done(&arena);
    return r;
}
