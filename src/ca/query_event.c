/* The list of events, newest first unless asked otherwise; all, of one subject (filter id), or of one kind
 * (filter name). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "ca/viewer.h"

/* ?1 … ?3: the row behind which to begin; ?4, ?5 from and until; ?6 how many; ?7 subject or kind. */
#define COLUMNS "SELECT time_us, chain, sequence, kind, subject, body, hash, attachment FROM event WHERE "
#define UP(name_, where_)                                                                                  \
    {                                                                                                      \
        name_,                                                                                             \
            COLUMNS where_ "time_us >= ?4 AND time_us < ?5 AND (time_us, chain, sequence) > (?1, ?2, ?3) " \
                           "ORDER BY time_us, chain, sequence LIMIT ?6"                                    \
    }
#define DOWN(name_, where_)                                                                                \
    {                                                                                                      \
        name_,                                                                                             \
            COLUMNS where_ "time_us >= ?4 AND time_us < ?5 AND (time_us, chain, sequence) < (?1, ?2, ?3) " \
                           "ORDER BY time_us DESC, chain DESC, sequence DESC LIMIT ?6"                     \
    }

enum {
    BY_TIME = 0,
    BY_SUBJECT = 2,
    BY_KIND = 4,
    RESTRICTED = 6,
    MASS_RESTRICTED = 7,
    ACTION_OF = 8
}; /* + 1: newest first */
static const struct store_sql sql[] = {
    UP("query.event.time", ""),
    DOWN("query.event.time-down", ""),
    UP("query.event.subject", "subject = ?7 AND "),
    DOWN("query.event.subject-down", "subject = ?7 AND "),
    UP("query.event.kind", "kind = ?7 AND "),
    DOWN("query.event.kind-down", "kind = ?7 AND "),
    {"query.event.restricted", "SELECT 1 FROM incident WHERE id = ?1 AND restricted = 1"},
    {"query.event.mass-restricted", "SELECT 1 FROM incident_plan p JOIN incident i ON i.id = p.incident AND "
                                    "i.restricted = 1 WHERE p.mass = ?1 LIMIT 1"},
    {"query.event.action-of", "SELECT subject FROM incident_action WHERE id = ?1"},
};
const struct ca_query_sql query_event_sql = {sql, LT_COUNT(sql)};

/* Behind every name of a chain: they are ASCII, and PostgreSQL takes no byte that is no UTF-8. */
static const char last_chain[] = "\x7f";

/* Of a restricted incident everybody may know that something happened, and nobody but those who have a role
 * in it what: they are asked for their signature (incident show). Its mass revocation tells the scope. */
static lt_res of_restricted(const struct ca_query *query, lt_slice subject, bool *ret_restricted)
{
    static const char of[] = "incident ";
    static const char mass[] = "mass m";
    struct store_rows rows;
    uint64_t id = 0;
    *ret_restricted = false;
    bool of_mass = lt_slice_starts(subject, lt_slice_cstr(mass));
    size_t head = of_mass ? strlen(mass) : strlen(of);
    if ((!of_mass && !lt_slice_starts(subject, lt_slice_cstr(of))) ||
        lt_failed(lt_parse_u64(lt_slice_sub(subject, head, subject.len), INT64_MAX, &id))) {
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[of_mass ? MASS_RESTRICTED : RESTRICTED],
                       STORE_ARGS(STORE_I((int64_t)id)), &rows));
    *ret_restricted = store_next(&rows);
    return store_rows_end(&rows);
}

/* A promise says what the incident is about for which it was made. */
static lt_res is_restricted(const struct ca_query *query, lt_slice subject, bool *ret_restricted)
{
    const lt_slice action = LT_LIT("action ");
    char of[64] = "";
    struct store_rows rows;
    uint64_t id = 0;
    if (!lt_slice_starts(subject, action) ||
        lt_failed(lt_parse_u64(lt_slice_sub(subject, action.len, subject.len), INT64_MAX, &id))) {
        return of_restricted(query, subject, ret_restricted);
    }
    LT_TRY(store_query(query->store, &sql[ACTION_OF], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    if (store_next(&rows)) {
        (void)snprintf(of, sizeof of, "%s", store_cstr(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    return of_restricted(query, lt_slice_cstr(of), ret_restricted);
}

/* Kinds whose bodies and requests say how people are reached: reporters, subscribers, who is on call. */
static bool names_people(lt_slice kind)
{
    static const char *const of[] = {"account.", "contact.", "enrolment.", "holdout.", "hook.",     "mail.",
                                     "notice",   "oncall.",  "problem.",   "proof.",   "readiness."};
    for (size_t i = 0; i < LT_COUNT(of); i++) {
        if (lt_slice_starts(kind, lt_slice_cstr(of[i]))) {
            return true;
        }
    }
    return false;
}

static void write_event(const struct ca_query *query, struct query_out *o, const struct store_rows *rows,
                        bool restricted)
{
    bool withheld = !restricted && names_people(store_bytes(rows, 3)) && !ca_viewer_sees_people(query);
    bool whole = !restricted && !withheld;
    query_open(o, NULL, '{');
    query_time(o, "time", store_int(rows, 0));
    query_cstr(o, "chain", store_cstr(rows, 1));
    query_int(o, "sequence", store_int(rows, 2));
    query_cstr(o, "kind", store_cstr(rows, 3));
    query_cstr(o, "subject", store_cstr(rows, 4));
    query_raw(o, "body",
              whole        ? store_bytes(rows, 5)
              : restricted ? LT_LIT("{\"restricted\":true}")
                           : LT_LIT("{\"withheld\":true}"));
    query_hex(o, "hash", store_bytes(rows, 6));
    if (whole && query->q->with_der && !store_is_null(rows, 7)) {
        query_base64(o, "attachment", store_bytes(rows, 7));
    } else {
        query_bool(o, "has_attachment", !store_is_null(rows, 7));
    }
    query_close(o, '}');
}

static lt_res ask(const struct ca_query *query, const struct query_cursor *at, bool down,
                  struct store_rows *ret_rows)
{
    const Ipc__Query *q = query->q;
    size_t which = q->id[0] != 0 ? BY_SUBJECT : q->name[0] != 0 ? BY_KIND : BY_TIME;
    const struct store_value v[7] = {
        STORE_I(at->set ? at->key
                : down  ? INT64_MAX
                        : -1),
        at->set ? STORE_T(at->name) : STORE_S(down ? last_chain : ""),
        STORE_I(at->set ? at->issuer
                : down  ? INT64_MAX
                        : -1),
        STORE_I(q->issued_from_us),
        STORE_I(q->issued_until_us != 0 ? q->issued_until_us : INT64_MAX),
        STORE_I(query_limit(query) + 1),
        STORE_S(which == BY_SUBJECT ? q->id : q->name),
    };
    return store_query(query->store, &sql[which + (down ? 1 : 0)], v, which == BY_TIME ? 6 : 7, ret_rows);
}

lt_res query_event_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    bool more = false;
    bool down = strcmp(query->q->order, "issued") != 0;
    LT_CHECK(query->q->order[0] == 0 || !down || strcmp(query->q->order, "-issued") == 0, LT_PEER_MALFORMED,
             "order is issued or -issued");
    LT_TRY(query_cursor_read(query, down ? 'V' : 'v', &at));
    LT_TRY(ask(query, &at, down, &rows));
    query_open(out, "events", '[');
    lt_res r = LT_OK;
    while (!lt_failed(r) && !more && store_next(&rows)) {
        if (count == query_limit(query)) {
            more = true;
            break;
        }
        bool restricted = false;
        r = is_restricted(query, store_bytes(&rows, 4), &restricted);
        write_event(query, out, &rows, restricted);
        count++;
        at = (struct query_cursor){
            .set = true,
            .key = store_int(&rows, 0),
            .issuer = store_int(&rows, 2),
            .name = lt_arena_copy(query->arena, store_bytes(&rows, 1)),
        };
        r = lt_failed(r) ? r : lt_buf_check(out->b);
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    at.set = more;
    query_cursor_write(out, down ? 'V' : 'v', &at);
    return LT_OK;
}
