/* Sessions and passkeys: who asks, who else is there. */
#include <string.h>

#include "ca/api.h"
#include "ca/operator.h"
#include "ca/query_parts.h"
#include "ca/viewer.h"

enum { SQL_VIEWER, SQL_SESSIONS, SQL_PASSKEYS };
static const struct store_sql sql[] = {
    [SQL_VIEWER] = {"query.viewer",
                    "SELECT s.operator, s.id, o.roles, s.method, s.expires_us FROM console_session s "
                    "JOIN operator o ON o.name = s.operator AND o.thumbprint = s.owner_thumbprint WHERE "
                    "s.cookie_sha256 = ?1 AND s.ended_us = 0 "
                    "AND o.status = 'valid'"},
    [SQL_SESSIONS] =
        {"query.sessions",
         "SELECT opened_us, id, operator, method, passkey, address, expires_us, ended_us, ended_by FROM "
         "console_session WHERE (opened_us, id) < (?1, ?2) ORDER BY opened_us DESC, id DESC LIMIT ?3"},
    [SQL_PASSKEYS] = {"query.passkeys",
                      "SELECT id, operator, rp, alg, sign_count, created_us, used_us, credential_id "
                      "FROM console_passkey WHERE id > ?1 ORDER BY id LIMIT ?2"},
};
const struct ca_query_sql query_session_sql = {sql, LT_COUNT(sql)};

/* A JSON array of our own words. */
static unsigned read_roles(lt_slice json)
{
    unsigned roles = 0;
    lt_slice word;
    while (lt_slice_split(&json, '"', &word)) {
        roles |= ca_operator_role_by_name(word);
    }
    return roles;
}

lt_res ca_viewer_find(const struct ca_query *query, lt_slice session_sha256, struct ca_viewer *ret_viewer)
{
    struct store_rows rows;
    *ret_viewer = (struct ca_viewer){.operator_ = NULL};
    LT_TRY(store_query(query->store, &sql[SQL_VIEWER], STORE_ARGS(STORE_B(session_sha256)), &rows));
    if (store_next(&rows) && store_int(&rows, 4) > query->now.us) {
        *ret_viewer = (struct ca_viewer){
            .operator_ = lt_arena_cstr(query->arena, store_bytes(&rows, 0)),
            .session = lt_arena_cstr(query->arena, store_bytes(&rows, 1)),
            .roles = read_roles(store_bytes(&rows, 2)),
            .method = lt_arena_cstr(query->arena, store_bytes(&rows, 3)),
            .expires = {store_int(&rows, 4)},
        };
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_viewer->operator_ != NULL, LT_PEER_NOT_FOUND, "no session, or one that has ended: log in");
    LT_CHECK(ret_viewer->session != NULL && ret_viewer->method != NULL, LT_PEER_TOO_LARGE,
             "a session is too large");
    return LT_OK;
}

bool ca_viewer_sees_people(const struct ca_query *query)
{
    return query->viewer == NULL || (query->viewer->roles & CA_READERS_PEOPLE) != 0;
}

void ca_viewer_write_person(const struct ca_query *query, struct query_out *o, const char *key, lt_slice text)
{
    if (ca_viewer_sees_people(query)) {
        query_text(o, key, text);
    } else {
        query_raw(o, key, LT_SLICE(NULL, 0));
    }
}

/* {"session", "operator", "roles", "method", "expires"}: as the answer to logging in. */
lt_res query_session_show(const struct ca_query *query, struct query_out *out)
{
    const struct ca_viewer *v = query->viewer;
    struct lt_buf roles;
    LT_CHECK(v != NULL, LT_PEER_NOT_FOUND, "by the socket nobody has a session");
    lt_buf_init(&roles, 1024);
    ca_operator_roles_json(v->roles, &roles);
    query_cstr(out, "session", v->session);
    query_cstr(out, "operator", v->operator_);
    query_raw(out, "roles", lt_buf_slice(&roles));
    query_cstr(out, "method", v->method);
    query_time(out, "expires", v->expires.us);
    lt_buf_done(&roles);
    return LT_OK;
}

static void write_session(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    bool ended = store_int(rows, 7) != 0;
    query_open(o, NULL, '{');
    query_cstr(o, "session", store_cstr(rows, 1));
    query_cstr(o, "operator", store_cstr(rows, 2));
    query_cstr(o, "state", ended ? "ended" : store_int(rows, 6) <= query->now.us ? "expired" : "open");
    query_cstr(o, "method", store_cstr(rows, 3));
    query_cstr(o, "passkey", store_cstr(rows, 4));
    query_cstr(o, "address", store_cstr(rows, 5));
    query_time(o, "opened", store_int(rows, 0));
    query_time(o, "expires", store_int(rows, 6));
    query_time(o, "ended", store_int(rows, 7));
    query_cstr(o, "ended_by", store_cstr(rows, 8));
    query_close(o, '}');
}

lt_res query_session_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_TRY(query_cursor_read(query, 'x', &at));
    LT_TRY(store_query(query->store, &sql[SQL_SESSIONS],
                       STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX),
                                  STORE_T(at.set ? at.name : LT_LIT("")), STORE_I(query_limit(query) + 1)),
                       &rows));
    query_open(out, "sessions", '[');
    at.set = false;
    while (!lt_failed(r) && store_next(&rows)) {
        if (count++ == query_limit(query)) {
            at.set = true;
            break;
        }
        write_session(query, out, &rows);
        at.key = store_int(&rows, 0);
        at.name = lt_arena_copy(query->arena, store_bytes(&rows, 1));
        r = at.name.ptr == NULL ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "the answer is too large")
                                : LT_OK;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    query_cursor_write(out, 'x', &at);
    return LT_OK;
}

static void write_passkey(struct query_out *o, const struct store_rows *rows)
{
    query_open(o, NULL, '{');
    query_cstr(o, "passkey", store_cstr(rows, 0));
    query_cstr(o, "operator", store_cstr(rows, 1));
    query_cstr(o, "rp", store_cstr(rows, 2));
    query_cstr(o, "alg", store_cstr(rows, 3));
    query_int(o, "sign_count", store_int(rows, 4));
    query_time(o, "created", store_int(rows, 5));
    query_time(o, "used", store_int(rows, 6));
    query_hex(o, "credential", store_bytes(rows, 7));
    query_close(o, '}');
}

lt_res query_passkey_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_TRY(query_cursor_read(query, 'y', &at));
    LT_TRY(store_query(query->store, &sql[SQL_PASSKEYS],
                       STORE_ARGS(STORE_T(at.set ? at.name : LT_LIT("")), STORE_I(query_limit(query) + 1)),
                       &rows));
    query_open(out, "passkeys", '[');
    at.set = false;
    while (!lt_failed(r) && store_next(&rows)) {
        if (count++ == query_limit(query)) {
            at.set = true;
            break;
        }
        write_passkey(out, &rows);
        at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        r = at.name.ptr == NULL ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "the answer is too large")
                                : LT_OK;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    query_cursor_write(out, 'y', &at);
    return LT_OK;
}
