/* The questions of this area. */
#include <stdio.h>
#include <string.h>

#include "incident/ask.h"
#include "incident/watch_list.h"

static const struct store_sql sql[] = {
    {"query.watch",
     "SELECT status, due_us, ended_us, looked, found, incident FROM watch_run WHERE trigger_id = ?1"},
    {"query.watch.findings",
     "SELECT subject, detail, severity, first_us, last_us, incident FROM watch_finding WHERE "
     "trigger_id = ?1 AND subject > ?2 ORDER BY subject LIMIT ?3"},
    {"query.watch.facts",
     "SELECT name, value, at_us, by_whom FROM watch_fact WHERE name > ?1 ORDER BY name LIMIT ?2"},
};
enum { SQL_RUN, SQL_FINDINGS, SQL_FACTS };
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};

/* Findings of one trigger; *ret_more: the last one that was written, NULL when there are no others. */
static lt_res write_findings(const struct ca_query *query, const struct watch_row *w, lt_slice after,
                             size_t room, struct query_out *out, lt_slice *ret_last)
{
    struct store_rows rows;
    size_t count = 0;
    *ret_last = (lt_slice){0};
    LT_TRY(store_query(query->store, &sql[SQL_FINDINGS],
                       STORE_ARGS(STORE_I(w->number), STORE_T(after), STORE_I(room + 1)), &rows));
    query_open(out, "findings", '[');
    lt_slice last = {0};
    while (store_next(&rows)) {
        if (count++ == room) {
            *ret_last = last;
            break;
        }
        query_open(out, NULL, '{');
        query_text(out, "subject", store_bytes(&rows, 0));
        query_text(out, "detail", store_bytes(&rows, 1));
        query_cstr(out, "severity", store_cstr(&rows, 2));
        query_time(out, "first", store_int(&rows, 3));
        query_time(out, "last", store_int(&rows, 4));
        query_int(out, "incident", store_int(&rows, 5));
        query_close(out, '}');
        last = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        LT_ASSERT(last.ptr != NULL);
    }
    while (store_next(&rows)) {
        /* to its end */
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

static lt_res write_rule(const struct ca_query *query, const struct watch_row *w, struct query_out *out)
{
    struct store_rows rows;
    query_int(out, "number", w->number);
    query_cstr(out, "name", w->name);
    query_cstr(out, "words", w->words);
    query_cstr(out, "severity", w->severity);
    query_cstr(out, "action", w->action);
    query_int(out, "every_s", w->every_s);
    query_bool(out, "onward", w->onward);
    LT_TRY(store_query(query->store, &sql[SQL_RUN], STORE_ARGS(STORE_I(w->number)), &rows));
    bool there = store_next(&rows);
    query_cstr(out, "status", there ? store_cstr(&rows, 0) : "on");
    query_time(out, "due", there ? store_int(&rows, 1) : 0);
    query_time(out, "ended", there ? store_int(&rows, 2) : 0);
    query_int(out, "looked", there ? store_int(&rows, 3) : 0);
    query_int(out, "found", there ? store_int(&rows, 4) : 0);
    query_int(out, "incident", there ? store_int(&rows, 5) : 0);
    return store_rows_end(&rows);
}

enum { SHOWN = 20 }; /* findings of each in the list of all */

static lt_res watch_list(const struct ca_query *query, struct query_out *out)
{
    query_open(out, "watches", '[');
    for (size_t i = 0; i < watch_row_count; i++) {
        lt_slice last;
        query_open(out, NULL, '{');
        LT_TRY(write_rule(query, &watch_rows[i], out));
        LT_TRY(write_findings(query, &watch_rows[i], LT_LIT(""), SHOWN, out, &last));
        query_bool(out, "more", last.len > 0);
        query_close(out, '}');
    }
    query_close(out, ']');
    return LT_OK;
}

static lt_res watch_show(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    LT_TRY(query_cursor_read(query, 'w', &at));
    for (size_t i = 0; i < watch_row_count; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)watch_rows[i].number);
        if (strcmp(query->q->id, number) == 0 || strcmp(query->q->id, watch_rows[i].name) == 0) {
            lt_slice last;
            LT_TRY(write_rule(query, &watch_rows[i], out));
            LT_TRY(write_findings(query, &watch_rows[i], at.set ? at.name : LT_LIT(""), query_limit(query),
                                  out, &last));
            at = (struct query_cursor){.set = last.len > 0, .name = last};
            query_cursor_write(out, 'w', &at);
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_NOT_FOUND, "there is no trigger \"%.40s\"", query->q->id);
}

static lt_res fact_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'f', &at));
    LT_TRY(store_query(query->store, &sql[SQL_FACTS],
                       STORE_ARGS(STORE_T(at.set ? at.name : LT_LIT("")), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "facts", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (!at.set) {
            query_open(out, NULL, '{');
            query_cstr(out, "name", store_cstr(&rows, 0));
            query_cstr(out, "value", store_cstr(&rows, 1));
            query_time(out, "at", store_int(&rows, 2));
            query_cstr(out, "by", store_cstr(&rows, 3));
            query_close(out, '}');
            at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
            LT_ASSERT(at.name.ptr != NULL);
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    query_cursor_write(out, 'f', &at);
    return LT_OK;
}

static const struct incident_question questions[] = {
    {"watch.list", watch_list},
    {"watch.show", watch_show},
    {"watch.facts", fact_list},
};
const struct incident_questions incident_questions_watch = {questions, LT_COUNT(questions), &tables};
