/* Blocked keys: rows, events, and word to the examiner, which keeps its own file. */
#include "ca/key_block.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/event.h"

static const struct store_sql sql[] = {
    {"key-block.get", "SELECT reason FROM key_block WHERE spki_sha256 = ?1"},
    {"key-block.add", "INSERT INTO key_block (spki_sha256, reason, source, blocked_us) "
                      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (spki_sha256) DO NOTHING"},
    {"key-block.remove", "DELETE FROM key_block WHERE spki_sha256 = ?1"},
    {"key-block.part", "SELECT spki_sha256, reason FROM key_block WHERE spki_sha256 > ?1 "
                       "ORDER BY spki_sha256 LIMIT 1000"},
};
enum { SQL_GET, SQL_ADD, SQL_REMOVE, SQL_PART };
enum { PART_MAX = 1000 };
const struct store_sql *const ca_key_block_sql = sql;
const size_t ca_key_block_sql_count = LT_COUNT(sql);

lt_res ca_key_block_check(struct ca_turn *t, lt_slice spki_sha256)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_B(spki_sha256)), &rows));
    lt_res r = LT_OK;
    if (store_next(&rows)) {
        r = lt_fail(LT_POLICY_BLOCKED_KEY, __FILE__, __LINE__, "this key is blocked: %s",
                    store_cstr(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res ca_key_block_tell(struct ca_turn *t, lt_slice spki_sha256, const char *reason)
{
    uint8_t hash[CA_HASH_LEN];
    LT_CHECK(spki_sha256.len == sizeof hash, LT_PEER_MALFORMED, "a key is named by its SHA-256");
    Ipc__KeyBlock m = IPC__KEY_BLOCK__INIT;
    m.spki_sha256.data = memcpy(hash, spki_sha256.ptr, sizeof hash);
    m.spki_sha256.len = sizeof hash;
    m.reason = lt_arena_cstr(t->arena, lt_slice_cstr(reason));
    LT_ASSERT(m.reason != NULL);
    return ca_turn_send(t, IPC_EXAMINER, IPC_KEY_BLOCK, 0, &m.base);
}

static lt_res write_event(struct ca_turn *t, const char *kind, lt_slice spki_sha256,
                          const char *const pairs[4])
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_hex(&body, "spki_sha256", spki_sha256);
    for (size_t i = 0; i < 4 && pairs[i] != NULL; i += 2) {
        ca_body_str(&body, pairs[i], pairs[i + 1]);
    }
    char *subject = lt_arena_printf(t->arena, "key %s", lt_hex(t->arena, spki_sha256));
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, kind, subject, LT_SLICE(NULL, 0));
}

lt_res ca_key_block_add(struct ca_turn *t, lt_slice spki_sha256, const char *reason, const char *source)
{
    LT_CHECK(spki_sha256.len == CA_HASH_LEN, LT_PEER_MALFORMED, "a key is named by its SHA-256");
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_B(spki_sha256), STORE_S(reason), STORE_S(source), STORE_I(t->now.us)),
                      &changed));
    if (changed > 0) {
        const char *const pairs[4] = {"reason", reason, "source", source};
        LT_TRY(write_event(t, "key.blocked", spki_sha256, pairs));
    }
    return ca_key_block_tell(t, spki_sha256, reason);
}

lt_res ca_key_block_remove(struct ca_turn *t, lt_slice spki_sha256, const char *plan_id)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_REMOVE], STORE_ARGS(STORE_B(spki_sha256)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "this key is not blocked");
    const char *const pairs[4] = {"plan", plan_id, NULL, NULL};
    return write_event(t, "key.unblocked", spki_sha256, pairs);
}

static lt_res tell_part(struct ca_turn *t, uint8_t after[CA_HASH_LEN], size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_PART], STORE_ARGS(STORE_B(LT_SLICE(after, CA_HASH_LEN))), &rows));
    lt_res r = LT_OK;
    while (!lt_failed(r) && store_next(&rows)) {
        lt_slice hash = store_bytes(&rows, 0);
        r = ca_key_block_tell(t, hash, store_cstr(&rows, 1));
        if (!lt_failed(r)) {
            memcpy(after, hash.ptr, CA_HASH_LEN);
            (*ret_count)++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res ca_key_block_recover(struct ca_turn *t, size_t parts)
{
    struct ca_news *n = &t->book->news;
    size_t count = PART_MAX;
    for (size_t i = 0; count == PART_MAX && i < parts; i++) {
        LT_TRY(tell_part(t, n->rest_key, &count));
    }
    n->rest = count == PART_MAX;
    return LT_OK;
}
