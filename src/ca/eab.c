/* Keys for external account binding. */
#include "ca/eab.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/seal.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"

#define COLUMNS                                                                                    \
    "SELECT k.kid, k.secret, k.profiles, k.suffixes, k.accounts_most, k.accounts, k.orders_most, " \
    "k.orders_period_s, k.orders, k.period_us, k.expires_us, k.status FROM "

static const struct store_sql sql[] = {
    {"eab.key", COLUMNS "eab_key AS k WHERE k.kid = ?1"},
    {"eab.of-account", COLUMNS "account_eab AS a JOIN eab_key AS k ON k.kid = a.kid WHERE a.account = ?1"},
    {"eab.add", "INSERT INTO eab_key (kid, secret, note, profiles, suffixes, accounts_most, orders_most, "
                "orders_period_s, status, created_us, created_by, expires_us, accounts, orders, period_us) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'valid', ?9, ?10, ?11, 0, 0, ?9)"},
    {"eab.revoke", "UPDATE eab_key SET status = 'revoked', secret = ?2 WHERE kid = ?1 AND status = 'valid'"},
    {"eab.bind", "INSERT INTO account_eab (account, kid, bound_us, binding) VALUES (?1, ?2, ?3, ?4)"},
    {"eab.bound", "UPDATE eab_key SET accounts = accounts + 1 WHERE kid = ?1 AND accounts = ?2"},
    {"eab.count", "UPDATE eab_key SET orders = ?2, period_us = ?3 WHERE kid = ?1 AND orders = ?4 AND "
                  "period_us = ?5"},
    {"eab.some", "SELECT kid, secret FROM eab_key WHERE kid > ?1 ORDER BY kid LIMIT 20"},
    {"eab.binding", "SELECT binding FROM account_eab WHERE account = ?1"},
};
enum { SQL_KEY, SQL_OF_ACCOUNT, SQL_ADD, SQL_REVOKE, SQL_BIND, SQL_BOUND, SQL_COUNT, SQL_SOME, SQL_BINDING };
const struct store_sql *const ca_eab_sql = sql;
const size_t ca_eab_sql_count = LT_COUNT(sql);

enum { KID_BYTES = 16, PERIOD_S = 86400, SECRET_HASH_BITS_MAX = 512 };

static lt_res read_key(struct ca_turn *t, struct store_rows *rows, struct ca_eab_key *ret_key)
{
    *ret_key = (struct ca_eab_key){0};
    if (!store_next(rows)) {
        return store_rows_end(rows);
    }
    struct ca_eab_key k = {
        .kid = lt_arena_cstr(t->arena, store_bytes(rows, 0)),
        .secret = lt_arena_copy(t->arena, store_bytes(rows, 1)),
        .profiles = lt_arena_cstr(t->arena, store_bytes(rows, 2)),
        .suffixes = lt_arena_cstr(t->arena, store_bytes(rows, 3)),
        .accounts_most = store_int(rows, 4),
        .accounts = store_int(rows, 5),
        .orders_most = store_int(rows, 6),
        .orders_period_s = store_int(rows, 7),
        .orders = store_int(rows, 8),
        .period = {store_int(rows, 9)},
        .expires = {store_int(rows, 10)},
        .valid = lt_slice_eq_cstr(store_bytes(rows, 11), "valid"),
    };
    LT_TRY(store_rows_end(rows));
    LT_CHECK(k.kid != NULL && k.profiles != NULL && k.suffixes != NULL, LT_PEER_TOO_LARGE,
             "an external account key is over the limit");
    *ret_key = k;
    return LT_OK;
}

lt_res ca_eab_binding(struct ca_turn *t, int64_t account, lt_slice *ret_binding)
{
    struct store_rows rows;
    *ret_binding = LT_SLICE(NULL, 0);
    LT_TRY(store_query(t->store, &sql[SQL_BINDING], STORE_ARGS(STORE_I(account)), &rows));
    if (store_next(&rows)) {
        *ret_binding = lt_arena_copy(t->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

lt_res ca_eab_find(struct ca_turn *t, const char *kid, struct ca_eab_key *ret_key)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_KEY], STORE_ARGS(STORE_S(kid)), &rows));
    return read_key(t, &rows, ret_key);
}

lt_res ca_eab_of_account(struct ca_turn *t, int64_t account, struct ca_eab_key *ret_key)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OF_ACCOUNT], STORE_ARGS(STORE_I(account)), &rows));
    return read_key(t, &rows, ret_key);
}

static const char *seal_id(const char *kid, char text[CA_SEAL_ID_MAX])
{
    (void)snprintf(text, CA_SEAL_ID_MAX, "eab %.100s", kid);
    return text;
}

/* A few are enough: all were sealed with one key. */
lt_res ca_eab_seal_fits(struct ca_book *b, struct lt_arena *a)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(b->store, &sql[SQL_SOME], STORE_ARGS(STORE_S("")), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char id[CA_SEAL_ID_MAX];
        lt_slice secret = {0};
        lt_slice sealed = store_bytes(&rows, 1);
        if (sealed.len > 0) { /* none: it is revoked */
            r = ca_seal_open(b->seal, seal_id(store_cstr(&rows, 0), id), sealed, a, &secret);
            if (!lt_failed(r)) {
                explicit_bzero((uint8_t *)(uintptr_t)secret.ptr, secret.len); /* the arena's alone */
            }
        }
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    return end;
}

/* ---- made and revoked ---- */

/* " a b ", so that " a " is found in it. */
static lt_res join(struct ca_turn *t, char *const *list, size_t count, const char *what,
                   const char **ret_text)
{
    struct lt_buf b;
    LT_CHECK(count <= CA_EAB_LIST_MAX, LT_PEER_TOO_LARGE, "at most %d %s", CA_EAB_LIST_MAX, what);
    lt_buf_init(&b, CA_EAB_TEXT_MAX);
    lt_res r = LT_OK;
    for (size_t i = 0; i < count; i++) {
        lt_slice one = lt_slice_cstr(list[i]);
        if (one.len == 0 || lt_slice_find(one, ' ') < one.len) {
            r = lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "\"%.60s\" is none of the %s", list[i], what);
        }
        lt_buf_add_cstr(&b, i == 0 ? " " : "");
        lt_buf_add(&b, one);
        lt_buf_add_byte(&b, ' ');
    }
    r = lt_failed(r) ? r : lt_buf_check(&b);
    *ret_text = lt_arena_cstr(t->arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    LT_TRY(r);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res check_suffixes(const Ipc__EabWanted *w)
{
    for (size_t i = 0; i < w->n_suffixes; i++) {
        for (const char *c = w->suffixes[i]; *c != '\0'; c++) {
            bool good = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '.';
            LT_CHECK(good, LT_PEER_MALFORMED, "\"%.100s\" is no domain in lower case", w->suffixes[i]);
        }
    }
    return LT_OK;
}

static void event_members(struct ca_body *b, const char *kid, const char *by)
{
    ca_body_init(b);
    ca_body_str(b, "kid", kid);
    ca_body_str(b, "operator", by);
}

static lt_res add_event(struct ca_turn *t, struct ca_body *b, const char *kind, const char *kid, lt_slice jws)
{
    char *subject = lt_arena_printf(t->arena, "eab %s", kid);
    if (subject == NULL) {
        ca_body_done(b);
        LT_FAIL(LT_PEER_TOO_LARGE, "the request is over the limit");
    }
    return ca_body_event(b, t, kind, subject, jws);
}

static lt_res insert(struct ca_turn *t, const Ipc__EabWanted *w, const struct ca_eab_key *k, const char *by)
{
    lt_slice sealed;
    LT_TRY(ca_seal_close(t->book->seal, t->random, seal_id(k->kid, (char[CA_SEAL_ID_MAX]){0}), k->secret,
                         t->arena, &sealed));
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_S(k->kid), STORE_B(sealed), STORE_S(w->note), STORE_S(k->profiles),
                                 STORE_S(k->suffixes), STORE_I(k->accounts_most), STORE_I(k->orders_most),
                                 STORE_I(k->orders_period_s), STORE_I(t->now.us), STORE_S(by),
                                 STORE_I(k->expires.us)),
                      NULL);
}

static lt_res answer_made(struct ca_turn *t, const struct ca_eab_key *k, const char **ret_json)
{
    struct ca_body b;
    char *secret = lt_base64url(t->arena, k->secret);
    LT_CHECK(secret != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "kid", k->kid);
    ca_body_str(&b, "hmac_key", secret);
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* What nobody could use is not given out. */
static lt_res check_wanted(struct ca_turn *t, const Ipc__EabWanted *w)
{
    LT_CHECK(w->note[0] != '\0', LT_PEER_MALFORMED, "note: for whom is it? It is how people tell keys apart");
    LT_CHECK(w->expires_us == 0 || w->expires_us > t->now.us, LT_PEER_MALFORMED,
             "expires: it would have expired already");
    for (size_t i = 0; i < w->n_profiles; i++) {
        LT_CHECK(ca_profile_by_name(t->book, lt_slice_cstr(w->profiles[i])) != NULL, LT_PEER_MALFORMED,
                 "profiles: there is no profile \"%.80s\"", w->profiles[i]);
    }
    return check_suffixes(w);
}

lt_res ca_eab_create(struct ca_turn *t, const Ipc__EabWanted *w, const char *by, lt_slice jws,
                     const char **ret_json)
{
    uint8_t id[KID_BYTES];
    uint8_t secret[CA_EAB_SECRET_LEN];
    struct ca_eab_key k = {
        .accounts_most = (int64_t)w->accounts_most,
        .orders_most = (int64_t)w->orders_most,
        .orders_period_s = w->orders_period_s == 0 ? PERIOD_S : (int64_t)w->orders_period_s,
        .expires = {w->expires_us},
    };
    LT_TRY(check_wanted(t, w));
    LT_TRY(join(t, w->profiles, w->n_profiles, "profiles", &k.profiles));
    LT_TRY(join(t, w->suffixes, w->n_suffixes, "domains", &k.suffixes));
    t->random(id, sizeof id);
    t->random(secret, sizeof secret);
    k.kid = lt_base64url(t->arena, LT_SLICE(id, sizeof id));
    k.secret = LT_SLICE(secret, sizeof secret);
    LT_CHECK(k.kid != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    lt_res r = insert(t, w, &k, by);
    r = lt_failed(r) ? r : answer_made(t, &k, ret_json);
    explicit_bzero(secret, sizeof secret);
    LT_TRY(r);
    struct ca_body b;
    event_members(&b, k.kid, by);
    ca_body_str(&b, "note", w->note);
    ca_body_str(&b, "profiles", k.profiles);
    ca_body_str(&b, "suffixes", k.suffixes);
    ca_body_int(&b, "accounts_most", k.accounts_most);
    ca_body_int(&b, "orders_most", k.orders_most);
    ca_body_int(&b, "orders_period_s", k.orders_period_s);
    return add_event(t, &b, "eab.created", k.kid, jws);
}

lt_res ca_eab_revoke(struct ca_turn *t, const char *kid, const char *by, lt_slice jws, const char **ret_json)
{
    struct ca_eab_key k;
    struct ca_body b;
    LT_TRY(ca_eab_find(t, kid, &k));
    LT_CHECK(k.kid != NULL, LT_PEER_NOT_FOUND, "there is no external account key \"%.60s\"", kid);
    LT_CHECK(k.valid, LT_PEER_CONFLICT, "the external account key %s is revoked already", kid);
    LT_TRY(store_exec(t->store, &sql[SQL_REVOKE], STORE_ARGS(STORE_S(kid), STORE_B(LT_LIT(""))), NULL));
    event_members(&b, kid, by);
    ca_body_int(&b, "accounts", k.accounts);
    LT_TRY(add_event(t, &b, "eab.revoked", kid, jws));
    event_members(&b, kid, by);
    ca_body_int(&b, "accounts", k.accounts);
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* ---- used ---- */

static bool mac_is(lt_slice secret, const Ipc__AcmeBinding *m)
{
    static const struct {
        uint32_t bits;
        enum crypto_hash hash;
    } hashes[] = {{256, CRYPTO_SHA256}, {384, CRYPTO_SHA384}, {512, CRYPTO_SHA512}};
    uint8_t mac[SECRET_HASH_BITS_MAX / 8];
    for (size_t i = 0; i < LT_COUNT(hashes); i++) {
        if (hashes[i].bits == m->hash_bits) {
            crypto_hmac(hashes[i].hash, secret, LT_SLICE(m->signing_input.data, m->signing_input.len), mac);
            return crypto_equal(LT_SLICE(mac, m->hash_bits / 8), LT_SLICE(m->mac.data, m->mac.len));
        }
    }
    return false;
}

/* The secret is open for this one comparison. */
static lt_res mac_fits(struct ca_turn *t, const struct ca_eab_key *k, const Ipc__AcmeBinding *m,
                       bool *ret_fits)
{
    char id[CA_SEAL_ID_MAX];
    lt_slice secret = {0};
    *ret_fits = false;
    if (k->kid == NULL || !k->valid) {
        return LT_OK;
    }
    LT_TRY(ca_seal_open(t->book->seal, seal_id(k->kid, id), k->secret, t->arena, &secret));
    *ret_fits = secret.len == CA_EAB_SECRET_LEN && mac_is(secret, m);
    explicit_bzero((uint8_t *)(uintptr_t)secret.ptr, secret.len); /* the arena's, and nobody else's */
    return LT_OK;
}

/* Whoever has not the secret does not learn which keys there are.
 *= RFC 8555 7.3.4 "Verify that the MAC on the JWS verifies using that MAC key" */
lt_res ca_eab_check(struct ca_turn *t, const Ipc__AcmeBinding *m, struct ca_eab_key *ret_key)
{
    struct ca_eab_key k;
    LT_TRY(ca_eab_find(t, m->kid, &k));
    bool good = false;
    LT_TRY(mac_fits(t, &k, m, &good));
    LT_CHECK(good, LT_PEER_UNAUTHORIZED,
             "the external account binding is not of a key that is valid here; ask the operator for one");
    LT_CHECK(k.expires.us == 0 || t->now.us < k.expires.us, LT_PEER_UNAUTHORIZED,
             "the external account key has expired; ask the operator for another");
    LT_CHECK(k.accounts_most == 0 || k.accounts < k.accounts_most, LT_PEER_UNAUTHORIZED,
             "the external account key is for %lld accounts, which it has", (long long)k.accounts_most);
    *ret_key = k;
    return LT_OK;
}

lt_res ca_eab_bind(struct ca_turn *t, const struct ca_eab_key *k, int64_t account, lt_slice binding)
{
    int64_t changed = 0;
    struct ca_body b;
    LT_TRY(store_exec(t->store, &sql[SQL_BIND],
                      STORE_ARGS(STORE_I(account), STORE_S(k->kid), STORE_I(t->now.us), STORE_T(binding)),
                      NULL));
    LT_TRY(
        store_exec(t->store, &sql[SQL_BOUND], STORE_ARGS(STORE_S(k->kid), STORE_I(k->accounts)), &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "another account was bound to the key at the same moment");
    ca_body_init(&b);
    ca_body_str(&b, "kid", k->kid);
    ca_body_id(&b, "account", account);
    return add_event(t, &b, "eab.bound", k->kid, LT_SLICE(NULL, 0));
}

static bool listed(const char *list, const char *word)
{
    lt_slice rest = lt_slice_cstr(list);
    lt_slice one;
    while (lt_slice_split(&rest, ' ', &one)) {
        if (one.len > 0 && lt_slice_eq_cstr(one, word)) {
            return true;
        }
    }
    return false;
}

lt_res ca_eab_permits(const struct ca_eab_key *k, const char *profile)
{
    LT_CHECK(k->valid, LT_POLICY_REFUSED, "the external account key %s of this account is revoked", k->kid);
    LT_CHECK(k->profiles[0] == '\0' || listed(k->profiles, profile), LT_POLICY_REFUSED,
             "the external account key of this account is not for the profile %s, but for:%s", profile,
             k->profiles);
    return LT_OK;
}

bool ca_eab_permits_name(const struct ca_eab_key *k, const Ipc__Identifier *name)
{
    lt_slice rest = lt_slice_cstr(k->suffixes);
    lt_slice one;
    lt_slice value = lt_slice_cstr(name->value);
    value = lt_slice_starts(value, LT_LIT("*.")) ? lt_slice_sub(value, 2, SIZE_MAX) : value;
    if (rest.len == 0) {
        return true;
    }
    while (strcmp(name->type, "dns") == 0 && lt_slice_split(&rest, ' ', &one)) {
        if (one.len > 0 && x509_dns_below(value, one)) {
            return true;
        }
    }
    return false;
}

lt_res ca_eab_count_order(struct ca_turn *t, const struct ca_eab_key *k, int64_t *ret_wait_s)
{
    lt_time end = lt_time_add_seconds(k->period, k->orders_period_s);
    bool over = t->now.us >= end.us;
    *ret_wait_s = 0;
    if (k->orders_most == 0) {
        return LT_OK;
    }
    if (!over && k->orders >= k->orders_most) {
        *ret_wait_s = (end.us - t->now.us) / LT_US_PER_SECOND + 1;
        return LT_OK;
    }
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_COUNT],
                      STORE_ARGS(STORE_S(k->kid), STORE_I(over ? 1 : k->orders + 1),
                                 STORE_I(over ? t->now.us : k->period.us), STORE_I(k->orders),
                                 STORE_I(k->period.us)),
                      &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "another order was counted at the same moment");
    return LT_OK;
}
