/* Why it happened: contributing factors with their whys and bones; and what was learned. */
#include <string.h>

#include "incident/report_book.h"

enum { CAUSES_MAX = 100 }; /* as many as a report reads */
enum {
    SQL_CAUSE_LAST,
    SQL_CAUSE,
    SQL_CAUSE_ADD,
    SQL_CAUSE_SET,
    SQL_CAUSE_DROP,
    SQL_WHY_LAST,
    SQL_WHY_CUT,
    SQL_WHY_ADD,
    SQL_BONE_LAST,
    SQL_BONE_CUT,
    SQL_BONE_ADD,
    SQL_BONE_DROP,
    SQL_LESSON_LAST,
    SQL_LESSON_CUT,
    SQL_LESSON_ADD,
    SQL_LESSON_DROP
};
static const struct store_sql sql[] = {
    [SQL_CAUSE_LAST] = {"report.cause-last",
                        "SELECT cause FROM report_cause WHERE incident = ?1 ORDER BY cause DESC LIMIT 1"},
    [SQL_CAUSE] = {"report.cause",
                   "SELECT title, description, timeline, detection, interaction, method FROM report_cause "
                   "WHERE incident = ?1 AND cause = ?2 AND dropped_us = 0"},
    [SQL_CAUSE_ADD] =
        {"report.cause-add",
         "INSERT INTO report_cause (incident, cause, title, description, timeline, detection, "
         "interaction, method, changed_us, changed_by, dropped_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
         "?7, ?8, ?9, ?10, 0)"},
    [SQL_CAUSE_SET] = {"report.cause-set",
                       "UPDATE report_cause SET title = ?3, description = ?4, timeline = ?5, detection = ?6, "
                       "interaction = ?7, method = ?8, changed_us = ?9, changed_by = ?10 "
                       "WHERE incident = ?1 AND cause = ?2"},
    [SQL_CAUSE_DROP] = {"report.cause-drop", "UPDATE report_cause SET dropped_us = ?3, changed_by = ?4 WHERE "
                                             "incident = ?1 AND cause = ?2 AND dropped_us = 0"},
    [SQL_WHY_LAST] = {"report.why-last", "SELECT step FROM report_why WHERE incident = ?1 AND cause = ?2 "
                                         "ORDER BY step DESC LIMIT 1"},
    [SQL_WHY_CUT] = {"report.why-cut",
                     "DELETE FROM report_why WHERE incident = ?1 AND cause = ?2 AND step = ?3"},
    [SQL_WHY_ADD] = {"report.why-add",
                     "INSERT INTO report_why (incident, cause, step, question, answer, evidence, changed_us, "
                     "changed_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    [SQL_BONE_LAST] = {"report.bone-last",
                       "SELECT bone FROM report_bone WHERE incident = ?1 ORDER BY bone DESC LIMIT 1"},
    [SQL_BONE_CUT] = {"report.bone-cut", "DELETE FROM report_bone WHERE incident = ?1 AND bone = ?2"},
    [SQL_BONE_ADD] =
        {"report.bone-add",
         "INSERT INTO report_bone (incident, bone, cause, category, text, changed_us, changed_by, "
         "dropped_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)"},
    [SQL_BONE_DROP] = {"report.bone-drop", "UPDATE report_bone SET dropped_us = ?3, changed_by = ?4 WHERE "
                                           "incident = ?1 AND bone = ?2 AND dropped_us = 0"},
    [SQL_LESSON_LAST] = {"report.lesson-last",
                         "SELECT lesson FROM report_lesson WHERE incident = ?1 ORDER BY lesson DESC LIMIT 1"},
    [SQL_LESSON_CUT] = {"report.lesson-cut", "DELETE FROM report_lesson WHERE incident = ?1 AND lesson = ?2"},
    [SQL_LESSON_ADD] = {"report.lesson-add",
                        "INSERT INTO report_lesson (incident, lesson, kind, text, actions, changed_us, "
                        "changed_by, dropped_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)"},
    [SQL_LESSON_DROP] = {"report.lesson-drop",
                         "UPDATE report_lesson SET dropped_us = ?3, changed_by = ?4 WHERE "
                         "incident = ?1 AND lesson = ?2 AND dropped_us = 0"},
};
const struct incident_sql report_causes_sql = {sql, LT_COUNT(sql)};

/* One more than the greatest there is. */
static lt_res next(struct incident_call *c, const struct store_sql *last, const struct store_value *v,
                   size_t count, int64_t *ret_number)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, last, v, count, &rows));
    *ret_number = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    return store_rows_end(&rows);
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- factors ---- */

static const char *const members[] = {"title",     "description", "timeline",
                                      "detection", "interaction", "method"};
enum { MEMBERS = LT_COUNT(members) };

/* What is there already; only what was given changes. */
static lt_res load_cause(struct incident_call *c, int64_t incident, int64_t cause, const char *texts[MEMBERS])
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &sql[SQL_CAUSE], STORE_ARGS(STORE_I(incident), STORE_I(cause)), &rows));
    bool found = store_next(&rows);
    bool room = true;
    for (int i = 0; found && i < (int)MEMBERS; i++) {
        texts[i] = lt_arena_cstr(c->t->arena, store_bytes(&rows, i));
        room = room && texts[i] != NULL;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "incident %lld has no root cause %lld", (long long)incident,
             (long long)cause);
    LT_CHECK(room, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res report_op_cause(struct incident_call *c)
{
    struct incident_case row;
    struct ca_body b;
    const char *texts[MEMBERS] = {"", "", "", "", "", "N/A"};
    int64_t cause = incident_number(c, "cause");
    bool is_new = cause == 0;
    LT_TRY(report_incident(c, &row));
    if (is_new) {
        LT_TRY(next(c, &sql[SQL_CAUSE_LAST], STORE_ARGS(STORE_I(row.id)), &cause));
        LT_CHECK(cause <= CAUSES_MAX, LT_PEER_CONFLICT,
                 "a report has at most %d root causes, dropped ones among them", CAUSES_MAX);
    } else {
        LT_TRY(load_cause(c, row.id, cause, texts));
    }
    ca_body_init(&b);
    ca_body_int(&b, "cause", cause);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (incident_given(c, members[i])) {
            texts[i] = incident_text(c, members[i]);
            ca_body_str(&b, members[i], texts[i]);
        }
    }
    lt_res r = LT_OK;
    if (texts[0][0] == 0) {
        ca_body_done(&b);
        LT_FAIL(LT_PEER_MALFORMED, "a root cause has a title");
    }
    r = store_exec(c->t->store, &sql[is_new ? SQL_CAUSE_ADD : SQL_CAUSE_SET],
                   STORE_ARGS(STORE_I(row.id), STORE_I(cause), STORE_S(texts[0]), STORE_S(texts[1]),
                              STORE_S(texts[2]), STORE_S(texts[3]), STORE_S(texts[4]), STORE_S(texts[5]),
                              STORE_I(c->t->now.us), STORE_S(c->by)),
                   NULL);
    if (lt_failed(r)) {
        ca_body_done(&b);
        return r;
    }
    LT_TRY(report_event(c, &b, row.id, is_new ? "report.cause" : "report.cause-changed"));
    return report_answer(c, "cause", cause);
}

/* It keeps its row, and its number is not given again. */
static lt_res drop(struct incident_call *c, int which, const char *name)
{
    struct incident_case row;
    struct ca_body b;
    int64_t changed = 0;
    int64_t number = incident_number(c, name);
    const char *kind = lt_arena_printf(c->t->arena, "report.%s-dropped", name);
    LT_TRY(report_incident(c, &row));
    LT_TRY(store_exec(c->t->store, &sql[which],
                      STORE_ARGS(STORE_I(row.id), STORE_I(number), STORE_I(c->t->now.us), STORE_S(c->by)),
                      &changed));
    LT_CHECK(changed == 1 && kind != NULL, LT_PEER_NOT_FOUND, "incident %lld has no %s %lld",
             (long long)row.id, name, (long long)number);
    ca_body_init(&b);
    ca_body_int(&b, name, number);
    LT_TRY(report_event(c, &b, row.id, kind));
    return report_answer(c, name, number);
}

lt_res report_op_cause_drop(struct incident_call *c)
{
    return drop(c, SQL_CAUSE_DROP, "cause");
}

lt_res report_op_why(struct incident_call *c)
{
    struct incident_case row;
    struct ca_body b;
    const char *texts[MEMBERS];
    int64_t cause = incident_number(c, "cause");
    int64_t step = incident_number(c, "step");
    LT_TRY(report_incident(c, &row));
    LT_TRY(load_cause(c, row.id, cause, texts));
    if (step == 0) {
        LT_TRY(next(c, &sql[SQL_WHY_LAST], STORE_ARGS(STORE_I(row.id), STORE_I(cause)), &step));
    }
    LT_TRY(store_exec(c->t->store, &sql[SQL_WHY_CUT],
                      STORE_ARGS(STORE_I(row.id), STORE_I(cause), STORE_I(step)), NULL));
    LT_TRY(
        store_exec(c->t->store, &sql[SQL_WHY_ADD],
                   STORE_ARGS(STORE_I(row.id), STORE_I(cause), STORE_I(step),
                              STORE_S(incident_text(c, "question")), STORE_S(incident_text(c, "answer")),
                              STORE_S(incident_text(c, "evidence")), STORE_I(c->t->now.us), STORE_S(c->by)),
                   NULL));
    ca_body_init(&b);
    ca_body_int(&b, "cause", cause);
    ca_body_int(&b, "step", step);
    ca_body_str(&b, "question", incident_text(c, "question"));
    ca_body_str(&b, "answer", incident_text(c, "answer"));
    ca_body_str(&b, "evidence", incident_text(c, "evidence"));
    LT_TRY(report_event(c, &b, row.id, "report.why"));
    return report_answer(c, "step", step);
}

lt_res report_op_bone(struct incident_call *c)
{
    static const char *const categories[] = {"people",   "process",     "tools",
                                             "software", "environment", "measurement"};
    struct incident_case row;
    struct ca_body b;
    const char *category = incident_text(c, "category");
    const char *texts[MEMBERS];
    int64_t bone = incident_number(c, "bone");
    int64_t cause = incident_number(c, "cause");
    LT_CHECK(is_one_of(category, categories, LT_COUNT(categories)), LT_PEER_MALFORMED,
             "category is people, process, tools, software, environment or measurement, not \"%.40s\"",
             category);
    LT_TRY(report_incident(c, &row));
    if (cause != 0) {
        LT_TRY(load_cause(c, row.id, cause, texts));
    }
    if (bone == 0) {
        LT_TRY(next(c, &sql[SQL_BONE_LAST], STORE_ARGS(STORE_I(row.id)), &bone));
    }
    LT_TRY(store_exec(c->t->store, &sql[SQL_BONE_CUT], STORE_ARGS(STORE_I(row.id), STORE_I(bone)), NULL));
    LT_TRY(store_exec(c->t->store, &sql[SQL_BONE_ADD],
                      STORE_ARGS(STORE_I(row.id), STORE_I(bone), STORE_I(cause), STORE_S(category),
                                 STORE_S(incident_text(c, "text")), STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "bone", bone);
    ca_body_int(&b, "cause", cause);
    ca_body_str(&b, "category", category);
    ca_body_str(&b, "text", incident_text(c, "text"));
    LT_TRY(report_event(c, &b, row.id, "report.bone"));
    return report_answer(c, "bone", bone);
}

lt_res report_op_bone_drop(struct incident_call *c)
{
    return drop(c, SQL_BONE_DROP, "bone");
}

/* ---- lessons ---- */

lt_res report_op_lesson(struct incident_call *c)
{
    static const char *const kinds[] = {"well", "not-well", "lucky", "additional"};
    struct incident_case row;
    struct ca_body b;
    const char *kind = incident_text(c, "kind");
    const char *actions = incident_text(c, "actions");
    int64_t lesson = incident_number(c, "lesson");
    LT_CHECK(is_one_of(kind, kinds, LT_COUNT(kinds)), LT_PEER_MALFORMED,
             "kind is well, not-well, lucky or additional, not \"%.40s\"", kind);
    LT_CHECK(strspn(actions, "0123456789 ,") == strlen(actions), LT_PEER_MALFORMED,
             "actions are numbers of action items, not \"%.40s\"", actions);
    LT_TRY(report_incident(c, &row));
    if (lesson == 0) {
        LT_TRY(next(c, &sql[SQL_LESSON_LAST], STORE_ARGS(STORE_I(row.id)), &lesson));
    }
    LT_TRY(store_exec(c->t->store, &sql[SQL_LESSON_CUT], STORE_ARGS(STORE_I(row.id), STORE_I(lesson)), NULL));
    LT_TRY(store_exec(c->t->store, &sql[SQL_LESSON_ADD],
                      STORE_ARGS(STORE_I(row.id), STORE_I(lesson), STORE_S(kind),
                                 STORE_S(incident_text(c, "text")), STORE_S(actions), STORE_I(c->t->now.us),
                                 STORE_S(c->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "lesson", lesson);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "text", incident_text(c, "text"));
    ca_body_str(&b, "actions", actions);
    LT_TRY(report_event(c, &b, row.id, "report.lesson"));
    return report_answer(c, "lesson", lesson);
}

lt_res report_op_lesson_drop(struct incident_call *c)
{
    return drop(c, SQL_LESSON_DROP, "lesson");
}
