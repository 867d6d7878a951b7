/* The questions of this area: is a key blocked, and which were proven to be compromised. */
#include <string.h>

#include "base/text.h"
#include "incident/ask.h"

enum { SQL_BLOCK, SQL_PROVEN, SQL_LIVE, SQL_LIST, SQL_ACCOUNTS };

#define COLUMNS                                                                                             \
    "spki_sha256, proof, via, evidence_sha256, problem, received_us, proven_us, certificates, revoked_us, " \
    "step FROM key_compromise "

static const struct store_sql sql[] = {
    [SQL_BLOCK] = {"query.key-block",
                   "SELECT reason, source, blocked_us FROM key_block WHERE spki_sha256 = ?1"},
    [SQL_PROVEN] = {"query.key-proven", "SELECT " COLUMNS "WHERE spki_sha256 = ?1"},
    [SQL_LIVE] = {"query.key-certificates",
                  "SELECT count(*), coalesce(sum(CASE WHEN c.not_after_us > ?2 AND r.serial IS NULL THEN 1 "
                  "ELSE 0 END), 0) FROM certificate c LEFT JOIN revocation r ON r.issuer = c.issuer AND "
                  "r.shard = c.shard AND r.serial = c.serial WHERE c.spki_sha256 = ?1"},
    [SQL_LIST] = {"query.keys-proven",
                  "SELECT " COLUMNS "WHERE spki_sha256 > ?1 ORDER BY spki_sha256 LIMIT ?2"},
    [SQL_ACCOUNTS] = {"query.key-accounts",
                      "SELECT account, certificates, told FROM key_compromise_account WHERE spki_sha256 = ?1 "
                      "ORDER BY account LIMIT 1000"},
};
static const struct ca_query_sql room = {sql, LT_COUNT(sql)};

static const char *step_name(int64_t step)
{
    static const char *const names[] = {"revoking", "late", "counting", "telling", "done"};
    return step >= 0 && (size_t)step < LT_COUNT(names) ? names[step] : "unknown";
}

static void put_proven(struct query_out *out, struct store_rows *rows)
{
    query_hex(out, "spki_sha256", store_bytes(rows, 0));
    query_text(out, "proof", store_bytes(rows, 1));
    query_text(out, "via", store_bytes(rows, 2));
    query_hex(out, "evidence_sha256", store_bytes(rows, 3));
    query_int(out, "problem", store_int(rows, 4));
    query_time(out, "received", store_int(rows, 5));
    query_time(out, "proven", store_int(rows, 6));
    query_int(out, "certificates", store_int(rows, 7));
    query_time(out, "revoked", store_int(rows, 8));
    query_int(out, "milliseconds",
              store_int(rows, 8) == 0 ? 0 : (store_int(rows, 8) - store_int(rows, 6)) / LT_US_PER_MS);
    query_cstr(out, "step", step_name(store_int(rows, 9)));
}

static lt_res put_accounts(const struct ca_query *query, lt_slice key, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_ACCOUNTS], STORE_ARGS(STORE_B(key)), &rows));
    query_open(out, "accounts", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_id(out, "account", store_int(&rows, 0));
        query_int(out, "certificates", store_int(&rows, 1));
        query_bool(out, "told", store_int(&rows, 2) != 0);
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

static lt_res put_block(const struct ca_query *query, lt_slice key, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_BLOCK], STORE_ARGS(STORE_B(key)), &rows));
    bool blocked = store_next(&rows);
    query_bool(out, "blocked", blocked);
    if (blocked) {
        query_text(out, "reason", store_bytes(&rows, 0));
        query_text(out, "source", store_bytes(&rows, 1));
        query_time(out, "since", store_int(&rows, 2));
    }
    return store_rows_end(&rows);
}

/* Query.id: SHA-256 of the key's SubjectPublicKeyInfo in hexadecimal. */
static lt_res key_check(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    lt_slice key;
    LT_TRY(lt_unhex(query->arena, lt_slice_cstr(query->q->id), &key));
    LT_CHECK(key.len == 32, LT_PEER_MALFORMED,
             "a key is named by the SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits");
    query_hex(out, "spki_sha256", key);
    LT_TRY(put_block(query, key, out));
    LT_TRY(
        store_query(query->store, &sql[SQL_LIVE], STORE_ARGS(STORE_B(key), STORE_I(query->now.us)), &rows));
    if (store_next(&rows)) {
        query_int(out, "certificates", store_int(&rows, 0));
        query_int(out, "valid", store_int(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(query->store, &sql[SQL_PROVEN], STORE_ARGS(STORE_B(key)), &rows));
    bool proven = store_next(&rows);
    if (proven) {
        query_open(out, "proven", '{');
        put_proven(out, &rows);
        query_close(out, '}');
    }
    LT_TRY(store_rows_end(&rows));
    return proven ? put_accounts(query, key, out) : LT_OK;
}

static lt_res proof_list(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    struct query_cursor at;
    size_t count = 0;
    size_t limit = query_limit(query);
    LT_TRY(query_cursor_read(query, 'k', &at));
    LT_TRY(
        store_query(query->store, &sql[SQL_LIST], STORE_ARGS(STORE_B(at.serial), STORE_I(limit + 1)), &rows));
    query_open(out, "proofs", '[');
    while (count < limit && store_next(&rows)) {
        query_open(out, NULL, '{');
        put_proven(out, &rows);
        query_close(out, '}');
        at.serial = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        count++;
    }
    query_close(out, ']');
    if (store_next(&rows)) {
        query_cursor_write(out, 'k', &at);
    }
    return store_rows_end(&rows);
}

static const struct incident_question questions[] = {
    {"key.check", key_check},
    {"proof.list", proof_list},
};
const struct incident_questions incident_questions_proof = {questions, LT_COUNT(questions), &room};
