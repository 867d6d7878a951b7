/* Rows that scopes read, and saved scopes. */
#include "ca/scope_book.h"

#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "ca/book.h"

static const struct store_sql sql[] = {
    {"scope.build", "INSERT INTO build (name, first_us) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    {"scope.dimension", "INSERT INTO certificate_dimension (dimension, issuer, serial, copy) "
                        "VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING"},
    {"scope.finding", "INSERT INTO certificate_finding (rule, issuer, serial, copy, result, found_us) "
                      "VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT DO NOTHING"},
    {"scope.last",
     "SELECT version, sha256, members_sha256 FROM scope WHERE name = ?1 ORDER BY version DESC LIMIT 1"},
    {"scope.add",
     "INSERT INTO scope (name, version, text, sha256, note, as_of_us, count, members_sha256, saved_us, "
     "saved_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
};
enum { SQL_BUILD, SQL_DIMENSION, SQL_FINDING, SQL_LAST, SQL_ADD };
const struct store_sql *const ca_scope_sql = sql;
const size_t ca_scope_sql_count = LT_COUNT(sql);

enum { NAME_MAX_LEN = 64, TEXT_MAX = 256 * 1024, NOTE_MAX = 1000 };

lt_res ca_scope_finding(struct ca_turn *t, int64_t issuer, lt_slice serial, const char *rule,
                        const char *result)
{
    return store_exec(
        t->store, &sql[SQL_FINDING],
        STORE_ARGS(STORE_S(rule), STORE_I(issuer), STORE_B(serial), STORE_S(result), STORE_I(t->now.us)),
        NULL);
}

lt_res ca_scope_certificate(struct ca_turn *t, const struct ca_scope_certificate *c)
{
    LT_TRY(
        store_exec(t->store, &sql[SQL_BUILD], STORE_ARGS(STORE_S(t->book->build), STORE_I(t->now.us)), NULL));
    for (size_t i = 0; i < c->evidence_count; i++) {
        int64_t dimension = c->evidence[i]->dimension;
        if (dimension != c->worst_dimension && dimension != 0) {
            LT_TRY(store_exec(t->store, &sql[SQL_DIMENSION],
                              STORE_ARGS(STORE_I(dimension), STORE_I(c->issuer), STORE_B(c->serial)), NULL));
        }
    }
    for (size_t i = 0; i < c->finding_count; i++) {
        LT_TRY(ca_scope_finding(t, c->issuer, c->serial, c->findings[i]->rule, c->findings[i]->result));
    }
    return LT_OK;
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static lt_res check(const Ipc__ScopeWanted *w)
{
    LT_CHECK(is_name(w->name), LT_PEER_MALFORMED, "\"name\" is 1 to %d of a-z 0-9 -", NAME_MAX_LEN);
    LT_CHECK(w->text[0] != 0 && strlen(w->text) <= TEXT_MAX && strlen(w->note) <= NOTE_MAX, LT_PEER_TOO_LARGE,
             "the text or the note of a scope is too long");
    LT_CHECK(w->sha256.len == CA_HASH_LEN && w->members_sha256.len == CA_HASH_LEN, LT_PEER_MALFORMED,
             "a scope without its hashes");
    LT_CHECK(w->as_of_us > 0 && w->count <= INT64_MAX, LT_PEER_MALFORMED, "a scope without its result");
    return LT_OK;
}

static lt_res last_version(struct ca_turn *t, const Ipc__ScopeWanted *w, int64_t *ret_version)
{
    struct store_rows rows;
    bool same = false;
    *ret_version = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_ARGS(STORE_S(w->name)), &rows));
    if (store_next(&rows)) {
        *ret_version = store_int(&rows, 0);
        same = lt_slice_eq(store_bytes(&rows, 1), bytes(w->sha256)) &&
               lt_slice_eq(store_bytes(&rows, 2), bytes(w->members_sha256));
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!same, LT_PEER_CONFLICT, "version %lld of \"%s\" says the same, with the same result",
             (long long)*ret_version, w->name);
    return LT_OK;
}

static void fill(struct ca_body *b, const Ipc__ScopeWanted *w, int64_t version, const char *by)
{
    ca_body_str(b, "name", w->name);
    ca_body_int(b, "version", version);
    ca_body_hex(b, "sha256", bytes(w->sha256));
    ca_body_int(b, "count", (int64_t)w->count);
    ca_body_hex(b, "members_sha256", bytes(w->members_sha256));
    ca_body_time(b, "as_of", (lt_time){w->as_of_us});
    ca_body_str(b, "note", w->note);
    ca_body_str(b, "operator", by);
}

lt_res ca_scope_save(struct ca_turn *t, const Ipc__ScopeWanted *w, const char *by, lt_slice jws,
                     const char **ret_json)
{
    int64_t version = 0;
    struct ca_body b;
    LT_TRY(check(w));
    LT_CHECK(w->as_of_us <= t->now.us, LT_PEER_MALFORMED, "the result of a scope is of a time to come");
    LT_TRY(last_version(t, w, &version));
    version++;
    LT_TRY(
        store_exec(t->store, &sql[SQL_ADD],
                   STORE_ARGS(STORE_S(w->name), STORE_I(version), STORE_S(w->text), STORE_B(bytes(w->sha256)),
                              STORE_S(w->note), STORE_I(w->as_of_us), STORE_I(w->count),
                              STORE_B(bytes(w->members_sha256)), STORE_I(t->now.us), STORE_S(by)),
                   NULL));
    char *subject = lt_arena_printf(t->arena, "scope %s", w->name);
    LT_ASSERT(subject != NULL);
    ca_body_init(&b);
    fill(&b, w, version, by);
    LT_TRY(ca_body_event(&b, t, "scope.saved", subject, jws));
    ca_body_init(&b);
    fill(&b, w, version, by);
    return ca_body_cstr(&b, t->arena, ret_json);
}
