/* The questions of this area: promises, reviews, training, concerns. */
#include <string.h>

#include "base/text.h"
#include "incident/ask.h"

enum {
    SQL_ACTIONS,
    SQL_ACTIONS_OF,
    SQL_ACTIONS_BY,
    SQL_ACTION,
    SQL_CHECKS,
    SQL_CALENDAR,
    SQL_REVIEWS,
    SQL_REVIEW,
    SQL_REVIEWERS,
    SQL_SOURCES,
    SQL_TRAININGS,
    SQL_TRAININGS_OF,
    SQL_COURSES,
    SQL_TRAINEES,
    SQL_MISSING,
    SQL_CONCERNS,
};

#define ACTION_COLUMNS                                                                              \
    "id, subject, title, kind, causes, criteria, owner, status, due_us, first_due_us, created_us, " \
    "created_by, changed_us, done_us, evidence, tell_by_us, told_us, lapses"
#define REVIEW_COLUMNS \
    "r.id, r.source, s.kind, s.title, s.link, r.reviewer, r.assigned_us, r.due_us, r.filed_us, r.filed_by"
#define REVIEW_FROM "incident_review r LEFT JOIN incident_review_source s ON s.source = r.source"
#define TRAINING_COLUMNS "id, person, role, course, done_us, until_us, evidence, recorded_us, by_whom"
#define CONCERN_COLUMNS "id, incident, received_us, answered_us" /* the words: concerns/N/show */

static const struct store_sql sql[] = {
    [SQL_ACTIONS] = {"query.actions", "SELECT " ACTION_COLUMNS " FROM incident_action WHERE id < ?1 "
                                      "ORDER BY id DESC LIMIT ?2"},
    [SQL_ACTIONS_OF] = {"query.actions-of", "SELECT " ACTION_COLUMNS " FROM incident_action WHERE id < ?1 "
                                            "AND subject = ?3 ORDER BY id DESC LIMIT ?2"},
    [SQL_ACTIONS_BY] = {"query.actions-by", "SELECT " ACTION_COLUMNS " FROM incident_action WHERE id < ?1 "
                                            "AND owner = ?3 ORDER BY id DESC LIMIT ?2"},
    [SQL_ACTION] = {"query.action", "SELECT " ACTION_COLUMNS " FROM incident_action WHERE id = ?1"},
    [SQL_CHECKS] = {"query.action-checks", "SELECT months, due_us, done_us, holds, evidence, by_whom FROM "
                                           "incident_action_check WHERE action = ?1 ORDER BY months"},
    [SQL_CALENDAR] = {"query.review-calendar",
                      "SELECT every_us, within_us, next_us FROM incident_review_calendar WHERE id = 1"},
    [SQL_REVIEWS] = {"query.reviews", "SELECT " REVIEW_COLUMNS " FROM " REVIEW_FROM
                                      " WHERE r.id < ?1 ORDER BY r.id DESC LIMIT ?2"},
    [SQL_REVIEW] = {"query.review",
                    "SELECT " REVIEW_COLUMNS ", r.brief FROM " REVIEW_FROM " WHERE r.id = ?1"},
    [SQL_REVIEWERS] = {"query.reviewers", "SELECT name, since_us, last_us, ended_us FROM incident_reviewer "
                                          "WHERE name > '' ORDER BY name LIMIT 1000"},
    [SQL_SOURCES] = {"query.review-sources",
                     "SELECT source, kind, title, link, last_us, ended_us FROM incident_review_source WHERE "
                     "source > ?1 ORDER BY source LIMIT ?2"},
    [SQL_TRAININGS] = {"query.trainings", "SELECT " TRAINING_COLUMNS " FROM incident_training WHERE id < ?1 "
                                          "ORDER BY id DESC LIMIT ?2"},
    [SQL_TRAININGS_OF] = {"query.trainings-of",
                          "SELECT " TRAINING_COLUMNS " FROM incident_training WHERE person = ?1 ORDER BY "
                          "role, course, done_us LIMIT 1000"},
    [SQL_COURSES] = {"query.courses", "SELECT role, course, valid_us, words, since_us, ended_us FROM "
                                      "incident_course WHERE role > '' ORDER BY role, course LIMIT 1000"},
    [SQL_TRAINEES] = {"query.trainees", "SELECT person, role, since_us, ended_us FROM incident_trainee WHERE "
                                        "person > '' ORDER BY person, role LIMIT 1000"},
    [SQL_MISSING] = {"query.training-missing",
                     "SELECT c.course FROM incident_course c WHERE c.role = ?1 AND c.ended_us = 0 AND NOT "
                     "EXISTS (SELECT 1 FROM incident_training t WHERE t.person = ?2 AND t.role = c.role AND "
                     "t.course = c.course AND (t.until_us = 0 OR t.until_us > ?3)) ORDER BY c.course "
                     "LIMIT 100"},
    [SQL_CONCERNS] = {"query.concerns", "SELECT " CONCERN_COLUMNS " FROM incident_concern WHERE id < ?1 "
                                        "ORDER BY id DESC LIMIT ?2"},
};
static const struct ca_query_sql statements = {sql, LT_COUNT(sql)};

/* A row as members, in the order of the columns. */
enum kind { TEXT, NUMBER, TIME, DAYS, TRUTH };
struct member {
    const char *name;
    enum kind kind;
};
struct members {
    const struct member *list;
    size_t count;
};
#define MEMBERS(list_) ((struct members){(list_), LT_COUNT(list_)})

static const struct member action_members[] = {
    {"id", NUMBER},     {"for", TEXT},        {"title", TEXT},    {"kind", TEXT}, {"causes", TEXT},
    {"criteria", TEXT}, {"owner", TEXT},      {"status", TEXT},   {"due", TIME},  {"first_due", TIME},
    {"created", TIME},  {"created_by", TEXT}, {"changed", TIME},  {"done", TIME}, {"evidence", TEXT},
    {"tell_by", TIME},  {"told", TIME},       {"lapses", NUMBER},
};
static const struct member check_members[] = {
    {"months", NUMBER}, {"due", TIME}, {"done", TIME}, {"holds", TRUTH}, {"evidence", TEXT}, {"by", TEXT},
};
static const struct member review_members[] = {
    {"id", NUMBER},  {"source", TEXT},   {"kind", TEXT},     {"title", TEXT},
    {"link", TEXT},  {"reviewer", TEXT}, {"assigned", TIME}, {"due", TIME},
    {"filed", TIME}, {"filed_by", TEXT}, {"brief", TEXT}, /* of one review alone */
};
static const struct member reviewer_members[] = {
    {"name", TEXT}, {"since", TIME}, {"last", TIME}, {"ended", TIME}};
static const struct member source_members[] = {{"source", TEXT}, {"kind", TEXT}, {"title", TEXT},
                                               {"link", TEXT},   {"last", TIME}, {"ended", TIME}};
static const struct member training_members[] = {
    {"id", NUMBER},  {"person", TEXT},   {"role", TEXT},     {"course", TEXT}, {"done", TIME},
    {"until", TIME}, {"evidence", TEXT}, {"recorded", TIME}, {"by", TEXT},
};
static const struct member course_members[] = {{"role", TEXT},  {"course", TEXT}, {"valid_days", DAYS},
                                               {"words", TEXT}, {"since", TIME},  {"ended", TIME}};
static const struct member concern_members[] = {
    {"id", NUMBER}, {"incident", NUMBER}, {"received", TIME}, {"answered", TIME}};

static void write_row(struct query_out *out, const struct store_rows *rows, struct members m)
{
    for (size_t i = 0; i < m.count; i++) {
        int column = (int)i;
        switch (m.list[i].kind) {
        case TEXT:
            query_text(out, m.list[i].name, store_bytes(rows, column));
            break;
        case NUMBER:
            query_int(out, m.list[i].name, store_int(rows, column));
            break;
        case TIME:
            query_time(out, m.list[i].name, store_int(rows, column));
            break;
        case DAYS:
            query_int(out, m.list[i].name, store_int(rows, column) / (LT_SECONDS_PER_DAY * LT_US_PER_SECOND));
            break;
        case TRUTH:
            query_bool(out, m.list[i].name, store_int(rows, column) != 0);
            break;
        }
    }
}

/* Rows of a statement that takes the greatest id and a limit; wanted: NULL, or says which of them. */
struct list {
    const char *key;
    char letter; /* of the cursor */
    size_t statement;
    struct members members;
    const char *third; /* ?3; NULL: it has none */
    bool (*wanted)(const struct ca_query *query, const struct store_rows *rows);
};

static lt_res write_list(const struct ca_query *query, struct query_out *out, const struct list *l)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, l->letter, &at));
    const struct store_value values[] = {STORE_I(at.set ? at.key : INT64_MAX), STORE_I(query_limit(query)),
                                         STORE_S(l->third)};
    LT_TRY(store_query(query->store, &sql[l->statement], values, l->third == NULL ? 2 : 3, &rows));
    query_open(out, l->key, '[');
    while (store_next(&rows)) {
        at.key = store_int(&rows, 0);
        count++;
        if (l->wanted == NULL || l->wanted(query, &rows)) {
            query_open(out, NULL, '{');
            write_row(out, &rows, l->members);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at = (struct query_cursor){.set = count == query_limit(query), .key = at.key};
    query_cursor_write(out, l->letter, &at);
    return LT_OK;
}

/* Small tables whole. */
static lt_res write_all(const struct ca_query *query, struct query_out *out, const char *key,
                        size_t statement, struct members members)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[statement], STORE_NO_ARGS, &rows));
    query_open(out, key, '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        write_row(out, &rows, members);
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

static lt_res write_one(const struct ca_query *query, struct query_out *out, size_t statement,
                        struct members members, const char *what)
{
    uint64_t id = 0;
    struct store_rows rows;
    lt_res read = lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id);
    LT_CHECK(!lt_failed(read), LT_PEER_NOT_FOUND, "there is no %s \"%.40s\"", what, query->q->id);
    LT_TRY(store_query(query->store, &sql[statement], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_row(out, &rows, members);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no %s %llu", what, (unsigned long long)id);
    return LT_OK;
}

/* ---- promises ---- */

/* What is promised for a restricted incident says what it is about: those who have a role in it sign for it.
 */
static bool hidden(const struct ca_query *query, const struct store_rows *rows)
{
    bool restricted = false;
    lt_res r = incident_ask_restricted(query, store_bytes(rows, 1), &restricted);
    return lt_failed(r) || restricted;
}

/* status: a state, or "open", or "lapsed": open, and its day is over. */
static bool action_wanted(const struct ca_query *query, const struct store_rows *rows)
{
    const char *status = query->q->status;
    bool open = store_int(rows, 13) == 0;
    if (hidden(query, rows)) {
        return false;
    }
    if (status[0] == '\0') {
        return true;
    }
    if (strcmp(status, "lapsed") == 0) {
        return open && store_int(rows, 8) <= query->now.us;
    }
    return strcmp(status, "open") == 0 ? open
                                       : lt_slice_eq_nocase(lt_slice_cstr(status), store_bytes(rows, 7));
}

static lt_res action_list(const struct ca_query *query, struct query_out *out)
{
    struct list l = {"actions", 'p', SQL_ACTIONS, MEMBERS(action_members), NULL, action_wanted};
    if (query->q->id[0] != '\0') {
        l.statement = SQL_ACTIONS_OF;
        l.third = query->q->id;
    } else if (query->q->name[0] != '\0') {
        l.statement = SQL_ACTIONS_BY;
        l.third = query->q->name;
    }
    return write_list(query, out, &l);
}

static lt_res action_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    uint64_t id = 0;
    LT_TRY(write_one(query, out, SQL_ACTION, MEMBERS(action_members), "promise"));
    LT_TRY(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_ACTION], STORE_ARGS(STORE_I(id)), &rows));
    bool shown = store_next(&rows) && !hidden(query, &rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(shown, LT_PEER_NOT_FOUND, "there is no promise %llu", (unsigned long long)id);
    LT_TRY(store_query(query->store, &sql[SQL_CHECKS], STORE_ARGS(STORE_I(id)), &rows));
    query_open(out, "checks", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        write_row(out, &rows, MEMBERS(check_members));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

/* ---- reviews ---- */

static bool review_wanted(const struct ca_query *query, const struct store_rows *rows)
{
    const char *status = query->q->status;
    bool open = store_int(rows, 8) == 0;
    bool late = open && store_int(rows, 7) <= query->now.us;
    return status[0] == '\0' || (strcmp(status, "open") == 0 && open) ||
           (strcmp(status, "filed") == 0 && !open) || (strcmp(status, "lapsed") == 0 && late);
}

static lt_res review_list(const struct ca_query *query, struct query_out *out)
{
    const struct list l = {
        "reviews", 'w', SQL_REVIEWS, {review_members, LT_COUNT(review_members) - 1}, NULL, review_wanted};
    struct store_rows rows;
    LT_TRY(write_list(query, out, &l));
    LT_TRY(store_query(query->store, &sql[SQL_CALENDAR], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        int64_t day = LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
        query_int(out, "every_days", store_int(&rows, 0) / day);
        query_int(out, "within_days", store_int(&rows, 1) / day);
        query_time(out, "next_assigned", store_int(&rows, 2));
    }
    return store_rows_end(&rows);
}

static lt_res review_show(const struct ca_query *query, struct query_out *out)
{
    return write_one(query, out, SQL_REVIEW, MEMBERS(review_members), "review");
}

static lt_res review_reviewers(const struct ca_query *query, struct query_out *out)
{
    return write_all(query, out, "reviewers", SQL_REVIEWERS, MEMBERS(reviewer_members));
}

static lt_res review_sources(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    const char *last = "";
    LT_TRY(query_cursor_read(query, 'W', &at));
    LT_TRY(store_query(query->store, &sql[SQL_SOURCES],
                       STORE_ARGS(STORE_T(at.set ? at.name : LT_LIT("")), STORE_I(query_limit(query))),
                       &rows));
    query_open(out, "sources", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        write_row(out, &rows, MEMBERS(source_members));
        query_close(out, '}');
        last = ++count == query_limit(query) ? lt_arena_cstr(query->arena, store_bytes(&rows, 0)) : "";
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(last != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    at = (struct query_cursor){.set = count == query_limit(query), .name = lt_slice_cstr(last)};
    query_cursor_write(out, 'W', &at);
    return LT_OK;
}

/* ---- training ---- */

static lt_res training_list(const struct ca_query *query, struct query_out *out)
{
    const struct list l = {"trainings", 'q', SQL_TRAININGS, MEMBERS(training_members), NULL, NULL};
    struct store_rows rows;
    if (query->q->name[0] == '\0') {
        return write_list(query, out, &l);
    }
    LT_TRY(store_query(query->store, &sql[SQL_TRAININGS_OF], STORE_ARGS(STORE_S(query->q->name)), &rows));
    query_open(out, "trainings", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        write_row(out, &rows, MEMBERS(training_members));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

static lt_res training_courses(const struct ca_query *query, struct query_out *out)
{
    return write_all(query, out, "courses", SQL_COURSES, MEMBERS(course_members));
}

static lt_res write_missing(const struct ca_query *query, struct query_out *out, const char *person,
                            const char *role)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_MISSING],
                       STORE_ARGS(STORE_S(role), STORE_S(person), STORE_I(query->now.us)), &rows));
    query_open(out, "missing", '[');
    while (store_next(&rows)) {
        query_text(out, NULL, store_bytes(&rows, 0));
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

enum { TRAINEES_MAX = 1000 };

static lt_res training_trainees(const struct ca_query *query, struct query_out *out)
{
    struct {
        const char *person;
        const char *role;
        int64_t since_us;
        int64_t ended_us;
    } *list = lt_arena_array(query->arena, TRAINEES_MAX, sizeof *list);
    struct store_rows rows;
    size_t count = 0;
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(query->store, &sql[SQL_TRAINEES], STORE_NO_ARGS, &rows));
    while (count < TRAINEES_MAX && store_next(&rows)) {
        list[count].person = lt_arena_cstr(query->arena, store_bytes(&rows, 0));
        list[count].role = lt_arena_cstr(query->arena, store_bytes(&rows, 1));
        list[count].since_us = store_int(&rows, 2);
        list[count].ended_us = store_int(&rows, 3);
        count += list[count].person != NULL && list[count].role != NULL ? 1 : 0;
    }
    LT_TRY(store_rows_end(&rows));
    query_open(out, "trainees", '[');
    for (size_t i = 0; i < count; i++) {
        query_open(out, NULL, '{');
        query_cstr(out, "person", list[i].person);
        query_cstr(out, "role", list[i].role);
        query_time(out, "since", list[i].since_us);
        query_time(out, "ended", list[i].ended_us);
        LT_TRY(list[i].ended_us == 0 ? write_missing(query, out, list[i].person, list[i].role) : LT_OK);
        query_close(out, '}');
    }
    query_close(out, ']');
    return LT_OK;
}

/* ---- concerns ---- */

static lt_res concern_list(const struct ca_query *query, struct query_out *out)
{
    const struct list l = {"concerns", 'x', SQL_CONCERNS, MEMBERS(concern_members), NULL, NULL};
    return write_list(query, out, &l);
}

static const struct incident_question questions[] = {
    {"action.list", action_list},
    {"action.show", action_show},
    {"review.list", review_list},
    {"review.show", review_show},
    {"review.reviewers", review_reviewers},
    {"review.sources", review_sources},
    {"training.list", training_list},
    {"training.courses", training_courses},
    {"training.trainees", training_trainees},
    {"concern.list", concern_list},
};

const struct incident_questions incident_questions_learn = {questions, LT_COUNT(questions), &statements};
