/* The questions of this area: notices, who is on call. What the world may look up is in affected_ask.c. */
#include "incident/ask.h"

#include <string.h>

#include "base/text.h"

#define NOTICE_COLUMNS                                                                                       \
    "SELECT id, kind, subject, channel, recipient, account, batch, status, attempts, created_us, ended_us, " \
    "due_us, said, token, params FROM notice WHERE "

enum {
    SQL_NOTICES,
    SQL_NOTICES_OF,
    SQL_NOTICES_ACCOUNT,
    SQL_NOTICE,
    SQL_BATCHES,
    SQL_BATCH,
    SQL_LISTS,
    SQL_HOOKS,
    SQL_PEOPLE,
    SQL_ROTA,
    SQL_OVERRIDES,
    SQL_ALARMS,
    SQL_RESTRICTED,
};
static const struct store_sql sql[] = {
    [SQL_NOTICES] = {"query.notices", NOTICE_COLUMNS "id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_NOTICES_OF] = {"query.notices-of",
                        NOTICE_COLUMNS "id < ?1 AND subject = ?3 ORDER BY id DESC LIMIT ?2"},
    [SQL_NOTICES_ACCOUNT] = {"query.notices-account", NOTICE_COLUMNS
                             "account > 0 AND account = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_NOTICE] = {"query.notice", NOTICE_COLUMNS "id = ?1"},
    [SQL_BATCHES] = {"query.notice-batches",
                     "SELECT id, subject, kind, mass, status, certificates, accounts, notices, unreached, "
                     "sent, failed, created_us, created_by, written_us, ended_us FROM notice_batch WHERE "
                     "id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_BATCH] = {"query.notice-batch", "SELECT params FROM notice_batch WHERE id = ?1"},
    [SQL_LISTS] = {"query.notice-lists",
                   "SELECT incident, version, mass, title, words, deadline_us, public, wanted_us, wanted_by, "
                   "published_us, rows, bytes, sha256 FROM notice_list WHERE incident < ?1 ORDER BY incident "
                   "DESC, version DESC LIMIT ?2"},
    [SQL_HOOKS] = {"query.hooks", "SELECT name, url, account, status, added_us, added_by FROM notice_hook "
                                  "WHERE name > ?1 ORDER BY name LIMIT ?2"},
    [SQL_PEOPLE] = {"query.oncall-people",
                    "SELECT name, place, mail, hook FROM oncall_person WHERE name > '' "
                    "ORDER BY name LIMIT 100"},
    [SQL_ROTA] = {"query.oncall-rota",
                  "SELECT start_us, turn_s, step_s, changed_us, changed_by FROM oncall_rota WHERE id = 1"},
    [SQL_OVERRIDES] =
        {"query.oncall-overrides",
         "SELECT person, from_us, until_us, why, added_by, id FROM oncall_override WHERE until_us > "
         "?1 ORDER BY until_us LIMIT 100"},
    [SQL_ALARMS] =
        {"query.alarms",
         "SELECT id, severity, subject, words, status, level, due_us, opened_us, ended_us, ended_by "
         "FROM oncall_page WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_RESTRICTED] = {"query.notice-restricted", "SELECT 1 FROM incident WHERE id = ?1 AND restricted = 1"},
};
static const struct ca_query_sql statements = {sql, LT_COUNT(sql)};

/* ---- rows as members ---- */

enum kind { TEXT, NUMBER, ID, TIME, TRUTH, HEX };
struct member {
    const char *name;
    enum kind kind;
};

static void write_member(struct query_out *o, const struct store_rows *rows, int column,
                         const struct member *m)
{
    switch (m->kind) {
    case TEXT:
        query_cstr(o, m->name, store_cstr(rows, column));
        break;
    case NUMBER:
        query_int(o, m->name, store_int(rows, column));
        break;
    case ID:
        query_id(o, m->name, store_int(rows, column));
        break;
    case TIME:
        query_time(o, m->name, store_int(rows, column));
        break;
    case TRUTH:
        query_bool(o, m->name, store_int(rows, column) != 0);
        break;
    case HEX:
        query_hex(o, m->name, store_bytes(rows, column));
        break;
    }
}

static void write_members(struct query_out *o, const struct store_rows *rows, const struct member *list,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_member(o, rows, (int)i, &list[i]);
    }
}

static const struct member notice_members[] = {
    {"id", NUMBER},  {"kind", TEXT},    {"about", TEXT},  {"channel", TEXT},    {"to", TEXT},
    {"account", ID}, {"batch", NUMBER}, {"status", TEXT}, {"attempts", NUMBER}, {"created", TIME},
    {"ended", TIME}, {"due", TIME},     {"said", TEXT},
};
static const struct member batch_members[] = {
    {"id", NUMBER},        {"about", TEXT},          {"kind", TEXT},       {"mass", ID},
    {"status", TEXT},      {"certificates", NUMBER}, {"accounts", NUMBER}, {"notices", NUMBER},
    {"unreached", NUMBER}, {"sent", NUMBER},         {"failed", NUMBER},   {"created", TIME},
    {"by", TEXT},          {"written", TIME},        {"ended", TIME},
};
static const struct member list_members[] = {
    {"incident", NUMBER}, {"version", NUMBER}, {"mass", ID},     {"title", TEXT}, {"words", TEXT},
    {"deadline", TIME},   {"public", TRUTH},   {"wanted", TIME}, {"by", TEXT},    {"published", TIME},
    {"rows", NUMBER},     {"bytes", NUMBER},   {"sha256", HEX},
};
static const struct member hook_members[] = {
    {"name", TEXT}, {"url", TEXT}, {"account", ID}, {"status", TEXT}, {"added", TIME}, {"by", TEXT},
};
static const struct member override_members[] = {
    {"person", TEXT}, {"from", TIME}, {"until", TIME}, {"why", TEXT}, {"by", TEXT},
};
static const struct member alarm_members[] = {
    {"id", NUMBER},   {"severity", TEXT}, {"about", TEXT}, {"words", TEXT}, {"status", TEXT},
    {"step", NUMBER}, {"due", TIME},      {"since", TIME}, {"ended", TIME}, {"by", TEXT},
};

/* ---- pages by falling id ---- */

struct list {
    const char *name; /* of the array */
    char cursor;
    enum kind key; /* of the first column: NUMBER, or TEXT for rising names */
    const struct member *members;
    size_t count;
    int status;  /* the column that a status is held against; -1: none */
    int subject; /* the column that says what it is about; -1: none */
};

/* Of a restricted incident everybody may know that something was said, and nobody here what and to whom. */
static lt_res is_restricted(const struct ca_query *query, lt_slice subject, bool *ret_is)
{
    const lt_slice mark = LT_LIT("incident ");
    struct store_rows rows;
    uint64_t id = 0;
    *ret_is = false;
    if (!lt_slice_starts(subject, mark) ||
        lt_failed(lt_parse_u64(lt_slice_sub(subject, mark.len, SIZE_MAX), INT64_MAX, &id))) {
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[SQL_RESTRICTED], STORE_ARGS(STORE_I(id)), &rows));
    *ret_is = store_next(&rows);
    return store_rows_end(&rows);
}

static bool wanted(const struct ca_query *query, const struct store_rows *rows, const struct list *l)
{
    return l->status < 0 || query->q->status[0] == '\0' ||
           strcmp(query->q->status, store_cstr(rows, l->status)) == 0;
}

static lt_res write_row(const struct ca_query *query, struct query_out *o, const struct store_rows *rows,
                        const struct list *l)
{
    bool restricted = false;
    if (!wanted(query, rows, l)) {
        return LT_OK;
    }
    LT_TRY(l->subject < 0 ? LT_OK : is_restricted(query, store_bytes(rows, l->subject), &restricted));
    query_open(o, NULL, '{');
    if (restricted) {
        query_int(o, "id", store_int(rows, 0));
        query_cstr(o, "about", store_cstr(rows, l->subject));
        query_cstr(o, "status", store_cstr(rows, l->status));
        query_bool(o, "restricted", true);
    } else {
        write_members(o, rows, l->members, l->count);
    }
    query_close(o, '}');
    return LT_OK;
}

static lt_res page(const struct ca_query *query, struct query_out *o, const struct list *l,
                   const struct store_sql *q, const struct store_value *extra)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t limit = query_limit(query);
    size_t seen = 0;
    lt_res r = LT_OK;
    LT_TRY(query_cursor_read(query, l->cursor, &at));
    struct store_value values[3] = {l->key == TEXT ? STORE_T(at.name) : STORE_I(at.set ? at.key : INT64_MAX),
                                    STORE_I(limit), STORE_N};
    if (extra != NULL) {
        values[2] = *extra;
    }
    LT_TRY(store_query(query->store, q, values, extra == NULL ? 2 : 3, &rows));
    query_open(o, l->name, '[');
    while (!lt_failed(r) && store_next(&rows)) {
        seen++;
        at = (struct query_cursor){.set = true, .key = l->key == TEXT ? 0 : store_int(&rows, 0)};
        at.name = l->key == TEXT ? lt_arena_copy(query->arena, store_bytes(&rows, 0)) : (lt_slice){0};
        r = write_row(query, o, &rows, l);
    }
    query_close(o, ']');
    if (seen == limit) {
        query_cursor_write(o, l->cursor, &at);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

#define MEMBERS(list_) (list_), LT_COUNT(list_)

static lt_res notice_list(const struct ca_query *query, struct query_out *o)
{
    const struct list l = {"notices", 'N', NUMBER, MEMBERS(notice_members), 7, 2};
    struct store_value of = STORE_S(query->q->name);
    struct store_value account = STORE_I(query->q->account_id);
    if (query->q->account_id != 0) {
        return page(query, o, &l, &sql[SQL_NOTICES_ACCOUNT], &account);
    }
    return query->q->name[0] != '\0' ? page(query, o, &l, &sql[SQL_NOTICES_OF], &of)
                                     : page(query, o, &l, &sql[SQL_NOTICES], NULL);
}

static lt_res batch_list(const struct ca_query *query, struct query_out *o)
{
    const struct list l = {"batches", 'B', NUMBER, MEMBERS(batch_members), 4, 1};
    return page(query, o, &l, &sql[SQL_BATCHES], NULL);
}

static lt_res list_list(const struct ca_query *query, struct query_out *o)
{
    const struct list l = {"lists", 'L', NUMBER, MEMBERS(list_members), -1, -1};
    return page(query, o, &l, &sql[SQL_LISTS], NULL);
}

static lt_res hook_list(const struct ca_query *query, struct query_out *o)
{
    const struct list l = {"hooks", 'H', TEXT, MEMBERS(hook_members), 3, -1};
    return page(query, o, &l, &sql[SQL_HOOKS], NULL);
}

static lt_res alarm_list(const struct ca_query *query, struct query_out *o)
{
    const struct list l = {"alarms", 'A', NUMBER, MEMBERS(alarm_members), 4, 2};
    return page(query, o, &l, &sql[SQL_ALARMS], NULL);
}

/* ---- one notice, with its words ---- */

static lt_res write_common(const struct ca_query *query, struct query_out *o, int64_t batch)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_BATCH], STORE_ARGS(STORE_I(batch)), &rows));
    if (store_next(&rows)) {
        query_raw(o, "common_words", store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static void write_whole(struct query_out *o, const struct store_rows *rows)
{
    write_members(o, rows, notice_members, LT_COUNT(notice_members));
    query_cstr(o, "token", store_cstr(rows, 13));
    query_raw(o, "words", store_bytes(rows, 14));
}

static lt_res notice_show(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    uint64_t id = 0;
    int64_t batch = 0;
    bool found = false;
    bool restricted = false;
    lt_res r = LT_OK;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is no notice", query->q->id);
    LT_TRY(store_query(query->store, &sql[SQL_NOTICE], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        found = true;
        batch = store_int(&rows, 6);
        r = is_restricted(query, store_bytes(&rows, 2), &restricted);
        if (lt_failed(r) || restricted) {
            batch = 0;
        } else {
            write_whole(o, &rows);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(!restricted, LT_PEER_NOT_FOUND, "notice %s is about a restricted incident", query->q->id);
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no notice %s", query->q->id);
    return batch == 0 ? LT_OK : write_common(query, o, batch);
}

/* ---- who is on call ---- */

struct rota {
    char names[100][65]; /* in turn */
    int64_t places[100];
    size_t count;
    int64_t start_us;
    int64_t turn_s;
    char other[65]; /* by an override, now */
    int64_t other_id;
};

static lt_res write_people(const struct ca_query *query, struct query_out *o, struct rota *r)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_PEOPLE], STORE_NO_ARGS, &rows));
    query_open(o, "people", '[');
    while (store_next(&rows)) {
        int64_t place = store_int(&rows, 1);
        query_open(o, NULL, '{');
        query_cstr(o, "name", store_cstr(&rows, 0));
        query_int(o, "place", place);
        query_cstr(o, "mail", store_cstr(&rows, 2));
        query_cstr(o, "hook", store_cstr(&rows, 3));
        query_close(o, '}');
        size_t at = r->count;
        if (place == 0 || r->count == LT_COUNT(r->names)) {
            continue;
        }
        for (; at > 0 && r->places[at - 1] > place; at--) { /* names of one place stay as they come */
            memcpy(r->names[at], r->names[at - 1], sizeof r->names[at]);
            r->places[at] = r->places[at - 1];
        }
        lt_slice name = lt_slice_sub(store_bytes(&rows, 0), 0, sizeof r->names[at] - 1);
        memcpy(r->names[at], name.ptr, name.len);
        r->names[at][name.len] = '\0';
        r->places[at] = place;
        r->count++;
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_rota(const struct ca_query *query, struct query_out *o, struct rota *r)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_ROTA], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        r->start_us = store_int(&rows, 0);
        r->turn_s = store_int(&rows, 1);
        query_open(o, "rota", '{');
        query_time(o, "start", r->start_us);
        query_int(o, "turn_s", r->turn_s);
        query_int(o, "step_s", store_int(&rows, 2));
        query_time(o, "changed", store_int(&rows, 3));
        query_cstr(o, "by", store_cstr(&rows, 4));
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

static lt_res write_overrides(const struct ca_query *query, struct query_out *o, lt_time when, struct rota *r)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_OVERRIDES], STORE_ARGS(STORE_I(when.us)), &rows));
    query_open(o, "overrides", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        write_members(o, &rows, override_members, LT_COUNT(override_members));
        query_close(o, '}');
        if (store_int(&rows, 1) <= when.us && store_int(&rows, 5) > r->other_id) {
            lt_slice name = lt_slice_sub(store_bytes(&rows, 0), 0, sizeof r->other - 1);
            memcpy(r->other, name.ptr, name.len);
            r->other[name.len] = '\0';
            r->other_id = store_int(&rows, 5);
        }
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

/* The same reckoning as oncall.c: who has it at that time, and until when his turn goes. */
static lt_res oncall_show(const struct ca_query *query, struct query_out *o)
{
    lt_time when = query->q->as_of_us != 0 ? (lt_time){query->q->as_of_us} : query->now;
    struct rota *r = LT_NEW(query->arena, struct rota);
    LT_CHECK(r != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    query_time(o, "at", when.us);
    LT_TRY(write_people(query, o, r));
    LT_TRY(write_rota(query, o, r));
    LT_TRY(write_overrides(query, o, when, r));
    int64_t turns = r->turn_s > 0 && when.us > r->start_us
                        ? (when.us - r->start_us) / LT_US_PER_SECOND / r->turn_s
                        : 0;
    const char *by_turn = r->count == 0 ? "" : r->names[turns % (int64_t)r->count];
    query_cstr(o, "on_call", r->other[0] != '\0' ? r->other : by_turn);
    query_cstr(o, "by_turn", by_turn);
    if (r->turn_s > 0) {
        query_time(o, "turn_ends", r->start_us + (turns + 1) * r->turn_s * LT_US_PER_SECOND);
    }
    return LT_OK;
}

static const struct incident_question questions[] = {
    {"notice.list", notice_list},  {"notice.show", notice_show}, {"notice.batches", batch_list},
    {"notice.lists", list_list},   {"hook.list", hook_list},     {"oncall.show", oncall_show},
    {"oncall.alarms", alarm_list},
};
const struct incident_questions incident_questions_notice = {questions, LT_COUNT(questions), &statements};
