/* The questions of this area. */
#include <string.h>

#include "base/text.h"
#include "incident/ask.h"
#include "incident/duty.h"

#define COLUMNS                                                                                        \
    "SELECT id, duty, subject, start_us, evidence, force, section, aim_us, due_us, exact, opened_us, " \
    "status, warned, met_us, proof FROM clock "
static const struct store_sql sql[] = {
    {"query.clock", COLUMNS "WHERE id = ?1"},
    {"query.clocks", COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2"},
    {"query.clocks.of", COLUMNS "WHERE subject = ?1 AND id > ?2 ORDER BY id LIMIT ?3"},
    {"query.clocks.status", COLUMNS "WHERE status = ?1 AND due_us >= ?2 AND (due_us > ?2 OR id > ?3) "
                                    "ORDER BY due_us, id LIMIT ?4"},
    {"query.controls", "SELECT name, kind, owner, about, source, every_s, last_us, due_us, added_us, status "
                       "FROM control WHERE name > ?1 ORDER BY name LIMIT ?2"},
    {"query.clock.restricted", "SELECT 1 FROM incident WHERE id = ?1 AND restricted = 1"},
};
enum { SQL_ONE, SQL_ALL, SQL_OF, SQL_STATUS, SQL_CONTROLS, SQL_RESTRICTED };
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};

enum column {
    ID,
    DUTY,
    SUBJECT,
    START,
    EVIDENCE,
    FORCE,
    SECTION,
    AIM,
    DUE,
    EXACT,
    OPENED,
    STATUS,
    WARNED,
    MET,
    PROOF,
};

static bool runs(const char *status)
{
    return strcmp(status, "open") == 0 || strcmp(status, "breached") == 0 || strcmp(status, "overdue") == 0;
}

/* Of a restricted incident everybody may know that a clock runs, and nobody what it is about. */
lt_res incident_ask_restricted(const struct ca_query *query, lt_slice subject, bool *ret_restricted)
{
    struct store_rows rows;
    uint64_t id = 0;
    bool has_role = false;
    const lt_slice word = LT_LIT("incident ");
    *ret_restricted = false;
    if (!lt_slice_starts(subject, word) ||
        lt_failed(lt_parse_u64(lt_slice_sub(subject, word.len, subject.len), INT64_MAX, &id))) {
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[SQL_RESTRICTED], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool restricted = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_TRY(restricted ? incident_ask_has_role(query, (int64_t)id, &has_role) : LT_OK);
    *ret_restricted = restricted && !has_role;
    return LT_OK;
}

/* Until when time counts; 0: it does not. */
static int64_t until_of(const struct ca_query *query, const struct store_rows *rows)
{
    return runs(store_cstr(rows, STATUS)) ? query->now.us : store_int(rows, MET);
}

static void write_margin(struct query_out *o, int64_t start, int64_t due, int64_t until)
{
    int64_t whole = due - start;
    if (until != 0) {
        query_int(o, "margin_s", (due - until) / LT_US_PER_SECOND);
        query_int(o, "percent", whole <= 0 ? 100 : (until - start) / (whole / 100 + 1));
    }
}

static const char *status_as_of(const struct store_rows *rows, const struct incident_duty *d, int64_t due,
                                int64_t until)
{
    bool over = until > due;
    if (until == 0) {
        return "void";
    }
    if (store_int(rows, MET) != 0) {
        return over ? "late" : "met";
    }
    return !over ? "open" : d->exact ? "breached" : "overdue";
}

/* What the rules of another day make of it. */
static void write_as_of(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    lt_time then = {query->q->as_of_us};
    int64_t until = until_of(query, rows);
    lt_time start = {store_int(rows, START)};
    const struct incident_duty *d = incident_duty_at(store_bytes(rows, DUTY), then);
    query_open(o, "as_of", '{');
    query_time(o, "at", then.us);
    query_bool(o, "in_force", d != NULL);
    if (d != NULL) {
        struct incident_due due = incident_duty_due(d, start);
        query_cstr(o, "section", d->section);
        query_cstr(o, "force", d->force);
        query_time(o, "aim", due.aim.us);
        query_time(o, "due", due.due.us);
        write_margin(o, start.us, due.due.us, until);
        query_cstr(o, "status", status_as_of(rows, d, due.due.us, until));
    }
    query_close(o, '}');
}

static lt_res write_clock(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    const char *status = store_cstr(rows, STATUS);
    lt_slice duty = store_bytes(rows, DUTY);
    bool restricted = false;
    LT_TRY(incident_ask_restricted(query, store_bytes(rows, SUBJECT), &restricted));
    query_int(o, "id", store_int(rows, ID));
    /* "revoke-tls/key-compromise" would say it */
    query_text(o, "duty", restricted ? lt_slice_sub(duty, 0, lt_slice_find(duty, '/')) : duty);
    query_bool(o, "restricted", restricted);
    query_cstr(o, "subject", store_cstr(rows, SUBJECT));
    query_cstr(o, "status", status);
    query_cstr(o, "force", store_cstr(rows, FORCE));
    query_cstr(o, "section", restricted ? "" : store_cstr(rows, SECTION));
    query_time(o, "start", store_int(rows, START));
    query_cstr(o, "evidence", restricted ? "" : store_cstr(rows, EVIDENCE));
    query_time(o, "aim", store_int(rows, AIM));
    query_time(o, "due", store_int(rows, DUE));
    query_bool(o, "own_measure", store_int(rows, EXACT) == 0);
    query_time(o, "opened", store_int(rows, OPENED));
    query_int(o, "warned", store_int(rows, WARNED));
    query_time(o, "met", store_int(rows, MET));
    query_cstr(o, "proof", restricted ? "" : store_cstr(rows, PROOF));
    write_margin(o, store_int(rows, START), store_int(rows, DUE), until_of(query, rows));
    if (query->q->as_of_us != 0 && !restricted) {
        write_as_of(query, o, rows);
    }
    return LT_OK;
}

/* One page of one statement; *ret_more: the last row did not fit. */
struct page {
    const struct store_sql *q;
    const struct store_value *values;
    size_t value_count;
    size_t room; /* shrinks */
    int64_t last_id;
    int64_t last_due;
    bool more;
};

static lt_res write_page(const struct ca_query *query, struct page *p, struct query_out *out)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(query->store, p->q, p->values, p->value_count, &rows));
    while (!lt_failed(r) && !p->more && store_next(&rows)) {
        if (p->room == 0) {
            p->more = true;
            continue;
        }
        p->room--;
        query_open(out, NULL, '{');
        r = write_clock(query, out, &rows);
        query_close(out, '}');
        p->last_id = store_int(&rows, ID);
        p->last_due = store_int(&rows, DUE);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* Of these states, the worst first, each by its end. */
static const char *const running[] = {"breached", "overdue", "open"};

static lt_res list_by_status(const struct ca_query *query, struct query_cursor *at, struct query_out *out)
{
    bool all = query->q->status[0] == '\0' || strcmp(query->q->status, "running") == 0;
    struct page p = {.q = &sql[SQL_STATUS], .value_count = 4, .room = query_limit(query)};
    for (size_t i = (size_t)at->issuer; !p.more && i < (all ? LT_COUNT(running) : 1); i++) {
        bool first = at->set && i == (size_t)at->issuer;
        const struct store_value values[] = {STORE_S(all ? running[i] : query->q->status),
                                             STORE_I(first ? at->key : INT64_MIN),
                                             STORE_I(first ? at->copy : 0), STORE_I(p.room + 1)};
        p.values = values;
        p.last_due = first ? at->key : 0;
        p.last_id = first ? at->copy : 0;
        LT_TRY(write_page(query, &p, out));
        if (p.more) {
            *at = (struct query_cursor){
                .set = true, .issuer = (int64_t)i, .key = p.last_due, .copy = p.last_id};
            return LT_OK;
        }
    }
    at->set = false;
    return LT_OK;
}

static lt_res list_by_id(const struct ca_query *query, struct query_cursor *at, struct query_out *out)
{
    bool of = query->q->name[0] != '\0';
    struct page p = {.q = &sql[of ? SQL_OF : SQL_ALL], .room = query_limit(query)};
    const struct store_value of_values[] = {STORE_S(query->q->name), STORE_I(at->key), STORE_I(p.room + 1)};
    const struct store_value all_values[] = {STORE_I(at->key), STORE_I(p.room + 1)};
    p.values = of ? of_values : all_values;
    p.value_count = of ? LT_COUNT(of_values) : LT_COUNT(all_values);
    LT_TRY(write_page(query, &p, out));
    *at = (struct query_cursor){.set = p.more, .key = p.last_id};
    return LT_OK;
}

static lt_res clock_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    static const char *const states[] = {"running", "open", "breached", "overdue",
                                         "met",     "late", "void",     "all"};
    bool known = query->q->status[0] == '\0';
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        known = known || strcmp(states[i], query->q->status) == 0;
    }
    LT_CHECK(known, LT_PEER_MALFORMED,
             "status is running, open, breached, overdue, met, late, void or all, not \"%.40s\"",
             query->q->status);
    bool by_id = strcmp(query->q->status, "all") == 0 || query->q->name[0] != '\0';
    LT_TRY(query_cursor_read(query, by_id ? 'i' : 'k', &at));
    query_open(out, "clocks", '[');
    LT_TRY(by_id ? list_by_id(query, &at, out) : list_by_status(query, &at, out));
    query_close(out, ']');
    query_cursor_write(out, by_id ? 'i' : 'k', &at);
    return LT_OK;
}

static lt_res clock_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is no clock's number", query->q->id);
    LT_TRY(store_query(query->store, &sql[SQL_ONE], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        const struct incident_duty *d = incident_duty_at(store_bytes(&rows, DUTY),
                                                         (lt_time){store_int(&rows, START)});
        bool restricted = true;
        r = incident_ask_restricted(query, store_bytes(&rows, SUBJECT), &restricted);
        d = restricted ? NULL : d;
        r = lt_failed(r) ? r : write_clock(query, out, &rows);
        query_cstr(out, "words", d == NULL ? "" : d->words);
        query_cstr(out, "quote", d == NULL ? "" : d->quote);
        query_cstr(out, "owner", d == NULL ? "" : d->owner);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no clock %s", query->q->id);
    return LT_OK;
}

static lt_res control_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'c', &at));
    LT_TRY(store_query(query->store, &sql[SQL_CONTROLS],
                       STORE_ARGS(STORE_T(at.set ? at.name : LT_LIT("")), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "controls", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (at.set) {
            continue;
        }
        bool lapsed = strcmp(store_cstr(&rows, 9), "live") == 0 && store_int(&rows, 7) <= query->now.us;
        query_open(out, NULL, '{');
        query_cstr(out, "name", store_cstr(&rows, 0));
        query_cstr(out, "kind", store_cstr(&rows, 1));
        query_cstr(out, "status", lapsed ? "lapsed" : store_cstr(&rows, 9));
        query_cstr(out, "owner", store_cstr(&rows, 2));
        query_cstr(out, "about", store_cstr(&rows, 3));
        query_cstr(out, "source", store_cstr(&rows, 4));
        query_int(out, "every_s", store_int(&rows, 5));
        query_time(out, "last", store_int(&rows, 6));
        query_time(out, "due", store_int(&rows, 7));
        query_time(out, "added", store_int(&rows, 8));
        query_close(out, '}');
        at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        LT_CHECK(at.name.ptr != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    query_cursor_write(out, 'c', &at);
    return LT_OK;
}

static const struct incident_question questions[] = {
    {"clock.list", clock_list},
    {"clock.show", clock_show},
    {"control.list", control_list},
};
const struct incident_questions incident_questions_duty = {questions, LT_COUNT(questions), &tables};
