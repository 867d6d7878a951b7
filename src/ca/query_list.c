/* The short lists: accounts, halts, operators, plans, issuers. */
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "ca/viewer.h"
#include "crypto/digest.h"
#include "x509/cert.h"

enum {
    SQL_ACCOUNTS,
    SQL_ACCOUNT,
    SQL_ACCOUNT_CERTIFICATES,
    SQL_ACCOUNT_ORDERS,
    SQL_HALTS,
    SQL_OPERATORS,
    SQL_PLANS,
    SQL_PLAN,
    SQL_APPROVALS,
    SQL_EAB,
};
#define ACCOUNT_COLUMNS                                                                                \
    "SELECT id, status, contacts, alg, thumbprint, terms_agreed_us, a.created_us, address, name FROM " \
    "account AS a "                                                                                    \
    "LEFT JOIN subscriber AS s ON s.account = a.id "
#define PLAN_COLUMNS                                                                                         \
    "SELECT id, action, scope_sha256, count, parameters, proposer, created_us, expires_us, status, needed, " \
    "result FROM plan "
static const struct store_sql sql[] = {
    [SQL_ACCOUNTS] = {"query.accounts", ACCOUNT_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2"},
    [SQL_ACCOUNT] = {"query.account", ACCOUNT_COLUMNS "WHERE id = ?1"},
    [SQL_ACCOUNT_CERTIFICATES] =
        {"query.account.certificates",
         "SELECT count(*) FROM (SELECT 1 FROM certificate WHERE account = ?1 LIMIT 1000) c"},
    [SQL_ACCOUNT_ORDERS] = {"query.account.orders",
                            "SELECT count(*) FROM (SELECT 1 FROM ca_order WHERE account = ?1 LIMIT 1000) o"},
    [SQL_HALTS] = {"query.halts",
                   "SELECT id, kind, value, reason, operator, since_us, lifted_us, lifted_plan "
                   "FROM halt WHERE id > ?1 ORDER BY id LIMIT ?2"},
    [SQL_OPERATORS] = {"query.operators", "SELECT name, roles, alg, thumbprint, status, added_us "
                                          "FROM operator WHERE name > ?1 ORDER BY name LIMIT ?2"},
    [SQL_PLANS] = {"query.plans", PLAN_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2"},
    [SQL_PLAN] = {"query.plan", PLAN_COLUMNS "WHERE id = ?1"},
    [SQL_APPROVALS] = {"query.approvals", "SELECT operator, signature, signed_us FROM approval "
                                          "WHERE plan = ?1 ORDER BY operator LIMIT 100"},
    /* Never the secret. */
    [SQL_EAB] = {"query.eab", "SELECT kid, note, profiles, suffixes, accounts_most, accounts, orders_most, "
                              "orders_period_s, orders, status, created_us, created_by, expires_us "
                              "FROM eab_key WHERE kid > ?1 ORDER BY kid LIMIT ?2"},
};
const struct ca_query_sql query_list_sql = {sql, LT_COUNT(sql)};

enum { WORDS_MAX = 64 * 1024 };

/* A list keyed by its first column. */
struct simple {
    const char *key; /* of the JSON array */
    char kind;       /* of the cursor */
    int statement;
    bool text_key;
    int status_column; /* -1: no filter on status */
    void (*write)(const struct ca_query *query, struct query_out *o, const struct store_rows *rows);
};

static void write_account(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    query_id(o, "id", store_int(rows, 0));
    query_cstr(o, "status", store_cstr(rows, 1));
    query_raw(o, "contacts", ca_viewer_sees_people(query) ? store_bytes(rows, 2) : LT_SLICE(NULL, 0));
    query_cstr(o, "alg", store_cstr(rows, 3));
    query_hex(o, "thumbprint", store_bytes(rows, 4));
    query_time(o, "terms_agreed", store_int(rows, 5));
    query_time(o, "created", store_int(rows, 6));
    query_cstr(o, "address", store_cstr(rows, 7));
    query_cstr(o, "subscriber", store_cstr(rows, 8)); /* of enrolments: such an account has no key */
}

static void write_halt(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    (void)query; /* same signature as its neighbours */
    query_cstr(o, "id", store_cstr(rows, 0));
    query_cstr(o, "kind", store_cstr(rows, 1));
    query_cstr(o, "value", store_cstr(rows, 2));
    query_cstr(o, "reason", store_cstr(rows, 3));
    query_cstr(o, "operator", store_cstr(rows, 4));
    query_time(o, "since", store_int(rows, 5));
    query_time(o, "lifted", store_int(rows, 6));
    query_cstr(o, "lifted_plan", store_cstr(rows, 7));
}

static void write_operator(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    (void)query; /* same signature as its neighbours */
    query_cstr(o, "name", store_cstr(rows, 0));
    query_raw(o, "roles", store_bytes(rows, 1));
    query_cstr(o, "alg", store_cstr(rows, 2));
    query_hex(o, "key_sha256", store_bytes(rows, 3));
    query_cstr(o, "status", store_cstr(rows, 4));
    query_time(o, "added", store_int(rows, 5));
}

/* "approved" is for who reads: enough approvals are there; "expired" wins over what the row says. */
static void write_plan(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    const char *status = store_cstr(rows, 8);
    bool open = strcmp(status, "proposed") == 0 || strcmp(status, "approved") == 0;
    query_cstr(o, "id", store_cstr(rows, 0));
    query_cstr(o, "action", store_cstr(rows, 1));
    query_hex(o, "scope_sha256", store_bytes(rows, 2));
    query_int(o, "count", store_int(rows, 3));
    query_raw(o, "parameters", store_bytes(rows, 4));
    query_cstr(o, "parameters_text", store_cstr(rows, 4));
    query_cstr(o, "proposer", store_cstr(rows, 5));
    query_time(o, "created", store_int(rows, 6));
    query_time(o, "expires", store_int(rows, 7));
    query_cstr(o, "status", open && store_int(rows, 7) < query->now.us ? "expired" : status);
    query_int(o, "needed", store_int(rows, 9));
    query_cstr(o, "result", store_cstr(rows, 10));
}

static lt_res list(const struct ca_query *query, struct query_out *out, const struct simple *s)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    bool more = false;
    LT_TRY(query_cursor_read(query, s->kind, &at));
    LT_TRY(store_query(
        query->store, &sql[s->statement],
        STORE_ARGS(s->text_key ? STORE_T(at.name) : STORE_I(at.key), STORE_I(query_limit(query) + 1)),
        &rows));
    query_open(out, s->key, '[');
    while (store_next(&rows)) {
        if (count++ == query_limit(query)) {
            more = true;
            break;
        }
        at.key = s->text_key ? 0 : store_int(&rows, 0);
        at.name = s->text_key ? lt_arena_copy(query->arena, store_bytes(&rows, 0)) : (lt_slice){NULL, 0};
        if (s->status_column < 0 || query->q->status[0] == 0 ||
            strcmp(query->q->status, store_cstr(&rows, s->status_column)) == 0) {
            query_open(out, NULL, '{');
            s->write(query, out, &rows);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at.set = more;
    query_cursor_write(out, s->kind, &at);
    return LT_OK;
}

lt_res query_account_list(const struct ca_query *query, struct query_out *out)
{
    static const struct simple accounts = {"accounts", 'A', SQL_ACCOUNTS, false, 1, write_account};
    return list(query, out, &accounts);
}

lt_res query_halt_list(const struct ca_query *query, struct query_out *out)
{
    static const struct simple halts = {"halts", 'H', SQL_HALTS, true, -1, write_halt};
    return list(query, out, &halts);
}

/* " a b " as an array. */
static void write_words(struct query_out *o, const char *key, lt_slice text)
{
    struct lt_buf b;
    lt_slice one;
    lt_buf_init(&b, WORDS_MAX);
    lt_buf_add_byte(&b, '[');
    while (lt_slice_split(&text, ' ', &one)) {
        if (one.len > 0) {
            lt_buf_add_cstr(&b, b.len > 1 ? "," : "");
            lt_json_add_string(&b, one);
        }
    }
    lt_buf_add_byte(&b, ']');
    query_raw(o, key, lt_failed(lt_buf_check(&b)) ? LT_LIT("[]") : lt_buf_slice(&b));
    lt_buf_done(&b);
}

static void write_eab(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    (void)query; /* same signature as its neighbours */
    query_cstr(o, "kid", store_cstr(rows, 0));
    query_cstr(o, "note", store_cstr(rows, 1));
    write_words(o, "profiles", store_bytes(rows, 2));
    write_words(o, "suffixes", store_bytes(rows, 3));
    query_int(o, "accounts_most", store_int(rows, 4));
    query_int(o, "accounts", store_int(rows, 5));
    query_int(o, "orders_most", store_int(rows, 6));
    query_int(o, "orders_period_s", store_int(rows, 7));
    query_int(o, "orders", store_int(rows, 8));
    query_cstr(o, "status", store_cstr(rows, 9));
    query_time(o, "created", store_int(rows, 10));
    query_cstr(o, "created_by", store_cstr(rows, 11));
    if (store_int(rows, 12) != 0) {
        query_time(o, "expires", store_int(rows, 12));
    }
}

lt_res query_eab_list(const struct ca_query *query, struct query_out *out)
{
    static const struct simple keys = {"keys", 'E', SQL_EAB, true, 9, write_eab};
    return list(query, out, &keys);
}

lt_res query_operator_list(const struct ca_query *query, struct query_out *out)
{
    static const struct simple operators = {"operators", 'O', SQL_OPERATORS, true, 4, write_operator};
    return list(query, out, &operators);
}

lt_res query_plan_list(const struct ca_query *query, struct query_out *out)
{
    static const struct simple plans = {"plans", 'P', SQL_PLANS, true, 8, write_plan};
    return list(query, out, &plans);
}

static lt_res count_of(const struct ca_query *query, int statement, int64_t id, int64_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(query->store, &sql[statement], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        *ret_count = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

lt_res query_account_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    int64_t certificates = 0;
    int64_t orders = 0;
    LT_TRY(store_query(query->store, &sql[SQL_ACCOUNT], STORE_ARGS(STORE_I(query->q->account_id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_account(query, out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no account %lld", (long long)query->q->account_id);
    LT_TRY(count_of(query, SQL_ACCOUNT_CERTIFICATES, query->q->account_id, &certificates));
    LT_TRY(count_of(query, SQL_ACCOUNT_ORDERS, query->q->account_id, &orders));
    query_int(out, "certificates", certificates); /* counted up to 1,000 */
    query_int(out, "orders", orders);
    return LT_OK;
}

lt_res query_plan_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_PLAN], STORE_ARGS(STORE_S(query->q->id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_plan(query, out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no plan \"%.60s\"", query->q->id);
    LT_TRY(store_query(query->store, &sql[SQL_APPROVALS], STORE_ARGS(STORE_S(query->q->id)), &rows));
    query_open(out, "approvals", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_cstr(out, "operator", store_cstr(&rows, 0));
        query_base64(out, "signature", store_bytes(&rows, 1));
        query_time(out, "signed", store_int(&rows, 2));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

static lt_res write_issuer(const struct ca_query *query, struct query_out *o, const struct query_tables *t,
                           const struct query_issuer *i)
{
    const struct query_issuer *parent = query_issuer_by_id(t, i->parent);
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct x509_cert cert;
    struct lt_buf subject;
    LT_TRY(x509_cert_parse(i->der, query->arena, &cert));
    lt_buf_init(&subject, 8192);
    x509_name_text(&cert.subject, &subject);
    crypto_sha256(i->der, hash);
    query_open(o, NULL, '{');
    query_cstr(o, "name", i->name);
    query_cstr(o, "parent", parent != NULL ? parent->name : "");
    query_text(o, "subject", lt_buf_slice(&subject));
    query_hex(o, "serial", x509_serial_magnitude(cert.serial));
    query_cstr(o, "key_type", x509_key_type_name(cert.spki.type));
    query_time(o, "not_before", i->not_before_us);
    query_time(o, "not_after", i->not_after_us);
    query_bool(o, "offline", i->offline);
    query_hex(o, "sha256", LT_SLICE(hash, sizeof(hash)));
    if (query->q->with_der) {
        query_pem(o, "pem", i->der);
    }
    query_close(o, '}');
    lt_buf_done(&subject);
    return LT_OK;
}

lt_res query_issuer_list(const struct ca_query *query, struct query_out *out)
{
    struct query_tables t;
    LT_TRY(query_tables_load(query, &t));
    query_open(out, "issuers", '[');
    for (size_t i = 0; i < t.issuer_count; i++) {
        LT_TRY(write_issuer(query, out, &t, &t.issuers[i]));
    }
    query_close(out, ']');
    return LT_OK;
}
