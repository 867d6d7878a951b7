/* What people have to do: clocks, incidents, problem reports, halts, and what was promised and lapsed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "incident/duty.h"
#include "incident/overview_private.h"

enum {
    SQL_NEXT,
    SQL_MISSED,
    SQL_MISSED_COUNT,
    SQL_INCIDENTS,
    SQL_DUE,
    SQL_PROBLEMS,
    SQL_PROBLEM_DUE,
    SQL_HALTS,
    SQL_PROMISES,
    SQL_CONTROLS,
    SQL_ALARMS,
    SQL_WATCH,
};
#define CLOCK "SELECT id, duty, subject, start_us, due_us, status FROM clock WHERE status = ?1 "
#define COUNT_OF(rows_) "SELECT count(*) FROM (SELECT 1 FROM " rows_ " LIMIT ?2) c"
static const struct store_sql sql[] = {
    [SQL_NEXT] = {"overview.next", CLOCK "ORDER BY due_us, id LIMIT ?2"},
    [SQL_MISSED] = {"overview.missed", CLOCK "ORDER BY due_us DESC, id DESC LIMIT ?2"},
    [SQL_MISSED_COUNT] = {"overview.missed-count", COUNT_OF("clock WHERE status = ?1")},
    [SQL_INCIDENTS] =
        {"overview.incidents",
         "SELECT i.id, i.title, i.status, i.severity, i.opened_us, i.must_us, i.restricted FROM incident i "
         "WHERE i.closed_us = 0 AND i.id < ?2 AND (i.restricted = 0 OR EXISTS (SELECT 1 FROM incident_role r "
         "WHERE "
         "r.holder = ?1 AND r.incident = i.id AND r.until_us = 0)) ORDER BY i.id DESC LIMIT 12"},
    [SQL_DUE] = {"overview.due", "SELECT due_us FROM clock WHERE subject = ?1 AND (status = 'open' OR "
                                 "status = 'breached' OR status = 'overdue') ORDER BY due_us LIMIT 1"},
    [SQL_PROBLEMS] = {"overview.problems", COUNT_OF("problem WHERE status = ?1")},
    [SQL_PROBLEM_DUE] = {"overview.problem-due",
                         "SELECT due_us FROM clock WHERE status = 'open' AND subject >= 'problem ' AND "
                         "subject < 'problem!' ORDER BY due_us LIMIT 1"},
    [SQL_HALTS] = {"overview.halts", "SELECT id, kind, value, reason, since_us FROM halt WHERE "
                                     "lifted_us IS NULL AND id > ?1 ORDER BY id LIMIT 10"},
    [SQL_PROMISES] = {"overview.promises",
                      COUNT_OF("incident_action WHERE alarm_us > 0 AND status IN ('Ongoing', 'Delayed') AND "
                               "due_us < ?1")},
    [SQL_CONTROLS] = {"overview.controls", COUNT_OF("control WHERE status = 'live' AND due_us < ?1")},
    [SQL_ALARMS] = {"overview.alarms", COUNT_OF("oncall_page WHERE status = 'calling' AND due_us > ?1")},
    [SQL_WATCH] = {"overview.watch", COUNT_OF("watch_finding WHERE trigger_id >= ?1")},
};
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};
const struct incident_questions incident_questions_overview_desk = {NULL, 0, &tables};

enum { ID, DUTY, SUBJECT, START, DUE, STATUS };
enum { MISSED_SHOWN = 3, WARNING_PERCENT = 75, WHAT_MAX = 100 };

/* ---- clocks ---- */

static bool number_behind(lt_slice subject, lt_slice word, uint64_t *ret_id)
{
    return lt_slice_starts(subject, word) &&
           !lt_failed(lt_parse_u64(lt_slice_sub(subject, word.len, subject.len), INT64_MAX, ret_id));
}

/* The page of what a clock is about. */
static void write_place(struct query_out *out, lt_slice subject)
{
    char href[OVERVIEW_HREF] = "/console/clocks";
    uint64_t id = 0;
    bool of_incident = number_behind(subject, LT_LIT("incident "), &id);
    if (of_incident) {
        (void)snprintf(href, sizeof href, "/console/incidents/%llu", (unsigned long long)id);
    } else if (number_behind(subject, LT_LIT("problem "), &id)) {
        (void)snprintf(href, sizeof href, "/console/problems/%llu", (unsigned long long)id);
    }
    query_cstr(out, "href", href);
    if (of_incident) {
        query_int(out, "incident", (int64_t)id);
    } else {
        query_raw(out, "incident", (lt_slice){NULL, 0});
    }
}

static enum overview_level level_of(const char *status, int64_t percent)
{
    if (strcmp(status, "open") != 0) {
        return OVERVIEW_BAD;
    }
    return percent >= WARNING_PERCENT ? OVERVIEW_WARNING : OVERVIEW_OK;
}

static lt_res write_clock(struct overview *o, const struct store_rows *rows)
{
    lt_slice subject = store_bytes(rows, SUBJECT);
    lt_slice duty = store_bytes(rows, DUTY);
    int64_t whole = store_int(rows, DUE) - store_int(rows, START);
    int64_t gone = o->query->now.us - store_int(rows, START);
    int64_t percent = whole <= 0 ? 100 : gone / (whole / 100 + 1);
    const struct incident_duty *d = incident_duty_at(duty, (lt_time){store_int(rows, START)});
    bool restricted = false;
    LT_TRY(incident_ask_restricted(o->query, subject, &restricted));
    lt_slice what = d == NULL ? duty : lt_slice_cstr(d->words);
    what = restricted ? LT_LIT("a duty of a restricted incident") : what;
    percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    query_open(o->out, NULL, '{');
    query_int(o->out, "id", store_int(rows, ID));
    overview_text(o->out, "what", what, WHAT_MAX);
    /* "revoke-tls/key-compromise" would say what it is about */
    query_text(o->out, "duty", restricted ? lt_slice_sub(duty, 0, lt_slice_find(duty, '/')) : duty);
    query_text(o->out, "subject", subject);
    query_time(o->out, "due", store_int(rows, DUE));
    query_int(o->out, "percent", percent);
    query_cstr(o->out, "level", overview_level_name(level_of(store_cstr(rows, STATUS), percent)));
    query_cstr(o->out, "status", store_cstr(rows, STATUS));
    write_place(o->out, subject);
    query_close(o->out, '}');
    return LT_OK;
}

static lt_res clocks(struct overview *o, int statement, const char *status, int64_t most, int64_t *shown)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(o->query->store, &sql[statement], STORE_ARGS(STORE_S(status), STORE_I(most)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = write_clock(o, &rows);
        *shown += 1;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res next_clocks(struct overview *o)
{
    static const char *const missed[] = {"breached", "overdue"};
    int64_t shown = 0;
    int64_t count = 0;
    query_open(o->out, "next", '[');
    for (size_t i = 0; i < LT_COUNT(missed); i++) {
        int64_t n = 0;
        LT_TRY(clocks(o, SQL_MISSED, missed[i], MISSED_SHOWN - shown, &shown));
        LT_TRY(overview_number(o, &sql[SQL_MISSED_COUNT],
                               STORE_ARGS(STORE_S(missed[i]), STORE_I(OVERVIEW_COUNT_MAX)), &n));
        count += n;
    }
    LT_TRY(clocks(o, SQL_NEXT, "open", OVERVIEW_CLOCKS - shown, &shown));
    query_close(o->out, ']');
    if (count > 0) {
        overview_find(o, OVERVIEW_BAD, "clocks", "%lld %s missed", (long long)count,
                      count == 1 ? "deadline was" : "deadlines were");
    }
    return LT_OK;
}

/* ---- incidents ---- */

static lt_res next_due(const struct overview *o, int64_t id, int64_t *ret_us)
{
    char subject[40];
    (void)snprintf(subject, sizeof subject, "incident %lld", (long long)id);
    return overview_number(o, &sql[SQL_DUE], STORE_ARGS(STORE_S(subject)), ret_us);
}

static lt_res write_incident(struct overview *o, const struct store_rows *rows)
{
    char href[OVERVIEW_HREF];
    int64_t due_us = 0;
    const char *severity = store_cstr(rows, 3);
    bool grave = strcmp(severity, "critical") == 0 || strcmp(severity, "high") == 0;
    LT_TRY(next_due(o, store_int(rows, 0), &due_us));
    query_open(o->out, NULL, '{');
    query_int(o->out, "id", store_int(rows, 0));
    overview_text(o->out, "title", store_bytes(rows, 1), WHAT_MAX);
    query_cstr(o->out, "state", store_cstr(rows, 2));
    query_cstr(o->out, "severity", severity);
    query_time(o->out, "since", store_int(rows, 4));
    query_time(o->out, "next_due", due_us);
    query_time(o->out, "must", store_int(rows, 5));
    query_bool(o->out, "restricted", store_int(rows, 6) != 0);
    query_close(o->out, '}');
    (void)snprintf(href, sizeof href, "incidents/%lld", (long long)store_int(rows, 0));
    overview_find(o, grave ? OVERVIEW_BAD : OVERVIEW_WARNING, href, "Incident %lld (%s) is %s",
                  (long long)store_int(rows, 0), severity, store_cstr(rows, 2));
    return LT_OK;
}

static lt_res incidents(struct overview *o)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(o->query->store, &sql[SQL_INCIDENTS],
                       STORE_ARGS(STORE_S(o->holder), STORE_I(INT64_MAX)), &rows));
    query_open(o->out, "incidents", '[');
    while (!lt_failed(r) && store_next(&rows)) {
        r = write_incident(o, &rows);
    }
    query_close(o->out, ']');
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* ---- reports, halts, promises ---- */

static lt_res problems(struct overview *o)
{
    static const struct {
        const char *status;
        bool unread; /* it waits for us */
    } states[] = {{"received", true},
                  {"open", true},
                  {"waiting-reporter", false},
                  {"waiting-requester", false},
                  {"waiting-provider", false}};
    int64_t open = 0;
    int64_t unread = 0;
    int64_t due_us = 0;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        int64_t n = 0;
        LT_TRY(overview_number(o, &sql[SQL_PROBLEMS],
                               STORE_ARGS(STORE_S(states[i].status), STORE_I(OVERVIEW_COUNT_MAX)), &n));
        open += n;
        unread += states[i].unread ? n : 0;
    }
    LT_TRY(overview_number(o, &sql[SQL_PROBLEM_DUE], STORE_NO_ARGS, &due_us));
    query_open(o->out, "problems", '{');
    query_int(o->out, "open", open);
    query_int(o->out, "unread", unread);
    query_time(o->out, "oldest_due", due_us);
    query_close(o->out, '}');
    if (unread > 0) {
        overview_find(o, OVERVIEW_WARNING, "problems", "%lld problem %s for us", (long long)unread,
                      unread == 1 ? "report waits" : "reports wait");
    }
    return LT_OK;
}

static lt_res halts(struct overview *o)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[SQL_HALTS], STORE_ARGS(STORE_S("")), &rows));
    query_open(o->out, "halts", '[');
    while (store_next(&rows)) {
        const char *value = store_cstr(&rows, 2);
        query_open(o->out, NULL, '{');
        query_cstr(o->out, "id", store_cstr(&rows, 0));
        query_cstr(o->out, "kind", store_cstr(&rows, 1));
        overview_text(o->out, "value", store_bytes(&rows, 2), WHAT_MAX);
        overview_text(o->out, "reason", store_bytes(&rows, 3), WHAT_MAX);
        query_time(o->out, "since", store_int(&rows, 4));
        query_close(o->out, '}');
        overview_find(o, OVERVIEW_WARNING, "settings", "Issuance is halted: %s%s%.80s", store_cstr(&rows, 1),
                      value[0] == '\0' ? "" : " ", value);
    }
    query_close(o->out, ']');
    return store_rows_end(&rows);
}

static lt_res lapsed(struct overview *o)
{
    static const struct {
        int statement;
        bool until_now; /* counted up to now, or from 0 on */
        enum overview_level level;
        const char *href;
        const char *one;
        const char *many;
    } kinds[] = {
        {SQL_ALARMS, false, OVERVIEW_BAD, "clocks", "alarm goes on: nobody has said that they have it",
         "alarms go on: nobody has said that they have them"},
        {SQL_PROMISES, true, OVERVIEW_BAD, "clocks", "promise has lapsed", "promises have lapsed"},
        {SQL_CONTROLS, true, OVERVIEW_BAD, "clocks", "review or control has lapsed",
         "reviews or controls have lapsed"},
        {SQL_WATCH, false, OVERVIEW_WARNING, "events", "finding of monitoring", "findings of monitoring"},
    };
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        int64_t n = 0;
        LT_TRY(overview_number(
            o, &sql[kinds[i].statement],
            STORE_ARGS(STORE_I(kinds[i].until_now ? o->query->now.us : 0), STORE_I(OVERVIEW_COUNT_MAX)), &n));
        if (n > 0) {
            overview_find(o, kinds[i].level, kinds[i].href, "%s%lld %s",
                          n == OVERVIEW_COUNT_MAX ? "At least " : "", (long long)n,
                          n == 1 ? kinds[i].one : kinds[i].many);
        }
    }
    return LT_OK;
}

lt_res overview_desk(struct overview *o)
{
    LT_TRY(next_clocks(o));
    LT_TRY(incidents(o));
    LT_TRY(problems(o));
    LT_TRY(halts(o));
    return lapsed(o);
}
