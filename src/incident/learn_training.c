/* Training: who has a role of the incident desk has learned what it wants, and not too long ago. What is
 * missing, or lapses, raises an alarm until it is done or the role is given up. */
#include <string.h>

#include "ca/body.h"
#include "incident/learn.h"

enum {
    WORDS_MAX = 1000,
    DAYS_MOST = 3650,
    GRACE_DAYS = 30, /* for who is new in a role, and for a course that is new */
    COURSES_MAX = 100,
};

struct trainee {
    const char *person;
    const char *role;
    int64_t since_us;
};

/* The courses of a role, names in the arena. */
static lt_res courses_of(struct ca_turn *t, const char *role, const char *ret_list[COURSES_MAX],
                         size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_COURSE_OF], STORE_ARGS(STORE_S(role)), &rows));
    while (*ret_count < COURSES_MAX && store_next(&rows)) {
        ret_list[*ret_count] = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        *ret_count += ret_list[*ret_count] != NULL ? 1 : 0;
    }
    return store_rows_end(&rows);
}

/* Until when a course counts for somebody; 0: never learned, INT64_MAX: for good. */
static lt_res counts_until(struct ca_turn *t, const struct trainee *p, const char *course,
                           int64_t *ret_until_us)
{
    struct store_rows rows;
    *ret_until_us = 0;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_TRAINING_LAST],
                       STORE_ARGS(STORE_S(p->person), STORE_S(p->role), STORE_S(course)), &rows));
    if (store_next(&rows)) {
        int64_t until = store_int(&rows, 1);
        *ret_until_us = until == 0 ? INT64_MAX : until;
    }
    return store_rows_end(&rows);
}

struct standing {
    int64_t alarm_us;    /* when the first of them lapses; 0: never */
    const char *missing; /* "a, b": lapsed or never learned; "" */
};

static lt_res judge(struct ca_turn *t, const struct trainee *p, struct standing *ret)
{
    const char *courses[COURSES_MAX];
    size_t count = 0;
    struct lt_buf missing;
    int64_t first = INT64_MAX;
    lt_res r = courses_of(t, p->role, courses, &count);
    lt_buf_init(&missing, WORDS_MAX);
    for (size_t i = 0; i < count && !lt_failed(r); i++) {
        int64_t until = 0;
        r = counts_until(t, p, courses[i], &until);
        if (until <= t->now.us && missing.len + strlen(courses[i]) + 2 < WORDS_MAX) {
            lt_buf_addf(&missing, "%s%s", missing.len > 0 ? ", " : "", courses[i]);
        }
        int64_t grace = t->now.us + GRACE_DAYS * INCIDENT_DAY_US;
        int64_t at = until == 0 ? grace : until;
        first = at < first ? at : first;
    }
    *ret = (struct standing){.alarm_us = first == INT64_MAX ? 0 : first,
                             .missing = lt_arena_cstr(t->arena, lt_buf_slice(&missing))};
    lt_buf_done(&missing);
    LT_TRY(r);
    LT_CHECK(ret->missing != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res set_alarm(struct ca_turn *t, const struct trainee *p, int64_t alarm_us)
{
    return store_exec(t->store, &incident_learn_sql[LEARN_TRAINEE_ALARM],
                      STORE_ARGS(STORE_S(p->person), STORE_S(p->role), STORE_I(alarm_us)), NULL);
}

/* ---- what is due ---- */

static lt_res look(struct ca_turn *t, const struct trainee *p)
{
    struct standing s = {0};
    struct ca_body b;
    LT_CHECK(p->person != NULL && p->role != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(judge(t, p, &s));
    if (s.missing[0] == '\0') {
        return set_alarm(t, p, s.alarm_us);
    }
    char *subject = lt_arena_printf(t->arena, "trainee %s %s", p->person, p->role);
    char *words = lt_arena_printf(t->arena, "%s, %s, has not learned, or not lately: %.200s", p->person,
                                  p->role, s.missing);
    LT_CHECK(subject != NULL && words != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "person", p->person);
    ca_body_str(&b, "role", p->role);
    ca_body_str(&b, "missing", s.missing);
    LT_TRY(ca_body_event(&b, t, "training.lapsed", subject, LT_SLICE(NULL, 0)));
    LT_TRY(set_alarm(t, p, t->now.us + INCIDENT_LEARN_AGAIN_US));
    return incident_learn_alarm(t, "low", subject, words);
}

lt_res incident_training_beat(struct ca_turn *t, bool *ret_more)
{
    struct trainee list[INCIDENT_LEARN_SLICE];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_TRAINEE_DUE],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(INCIDENT_LEARN_SLICE)), &rows));
    while (count < INCIDENT_LEARN_SLICE && store_next(&rows)) {
        list[count++] = (struct trainee){lt_arena_cstr(t->arena, store_bytes(&rows, 0)),
                                         lt_arena_cstr(t->arena, store_bytes(&rows, 1)), store_int(&rows, 2)};
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(look(t, &list[i]));
    }
    *ret_more = *ret_more || count == INCIDENT_LEARN_SLICE;
    return LT_OK;
}

/* ---- what operators say ---- */

struct said {
    const char *key;
    const char *value;
};

static lt_res say(struct incident_call *c, const char *kind, const char *subject, const struct said *members,
                  size_t count)
{
    struct ca_body b;
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (int i = 0; i < 2; i++) { /* the event and the answer say the same */
        ca_body_init(&b);
        for (size_t k = 0; k < count; k++) {
            ca_body_str(&b, members[k].key, members[k].value);
        }
        ca_body_str(&b, "operator", c->by);
        LT_TRY(i == 0 ? ca_body_event(&b, c->t, kind, subject, c->jws)
                      : ca_body_cstr(&b, c->t->arena, &c->json));
    }
    return LT_OK;
}

/* ret_ended_us -1: there is no such row; ret_other its second column. */
static lt_res look_up(struct ca_turn *t, enum incident_learn_statement statement, const char *a,
                      const char *b, int64_t ret_row[2])
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[statement], STORE_ARGS(STORE_S(a), STORE_S(b)), &rows));
    bool found = store_next(&rows);
    ret_row[0] = found ? store_int(&rows, 0) : -1;
    ret_row[1] = found ? store_int(&rows, 1) : 0;
    return store_rows_end(&rows);
}

/* Who has the role has some time for a course that is new. */
static lt_res everybody_again(struct ca_turn *t, const char *role)
{
    const char *people[1000];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_TRAINEE_OF],
                       STORE_ARGS(STORE_S(role), STORE_S("")), &rows));
    while (count < LT_COUNT(people) && store_next(&rows)) {
        people[count] = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        count += people[count] != NULL ? 1 : 0;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        const struct trainee p = {people[i], role, 0};
        struct standing s = {0};
        LT_TRY(judge(t, &p, &s));
        LT_TRY(set_alarm(t, &p, s.alarm_us));
    }
    return LT_OK;
}

lt_res incident_op_course_add(struct incident_call *c)
{
    const char *role = incident_text(c, "role");
    const char *course = incident_text(c, "course");
    int64_t days = incident_number(c, "valid-days");
    int64_t row[2] = {0};
    LT_TRY(incident_learn_name("role", role));
    LT_TRY(incident_learn_name("course", course));
    LT_TRY(incident_learn_text("words", incident_text(c, "words"), WORDS_MAX));
    LT_CHECK(days <= DAYS_MOST, LT_PEER_MALFORMED, "a course counts for at most %d days, or for good (0)",
             DAYS_MOST);
    LT_TRY(look_up(c->t, LEARN_COURSE_GET, role, course, row));
    LT_CHECK(row[0] != 0, LT_PEER_CONFLICT, "\"%s\" is wanted of a %s already", course, role);
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[row[0] < 0 ? LEARN_COURSE_ADD : LEARN_COURSE_BACK],
                      STORE_ARGS(STORE_S(role), STORE_S(course), STORE_I(days * INCIDENT_DAY_US),
                                 STORE_S(incident_text(c, "words")), STORE_I(c->t->now.us)),
                      NULL));
    LT_TRY(everybody_again(c->t, role));
    const struct said members[] = {{"role", role}, {"course", course}, {"words", incident_text(c, "words")}};
    return say(c, "training.course-added", lt_arena_printf(c->t->arena, "course %s %s", role, course),
               members, LT_COUNT(members));
}

lt_res incident_op_course_end(struct incident_call *c)
{
    const char *role = incident_text(c, "role");
    const char *course = incident_text(c, "course");
    int64_t changed = 0;
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_COURSE_END],
                      STORE_ARGS(STORE_S(role), STORE_S(course), STORE_I(c->t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no \"%.63s\" is wanted of a \"%.63s\"", course, role);
    LT_TRY(everybody_again(c->t, role));
    const struct said members[] = {{"role", role}, {"course", course}};
    return say(c, "training.course-ended", lt_arena_printf(c->t->arena, "course %s %s", role, course),
               members, LT_COUNT(members));
}

lt_res incident_op_trainee_add(struct incident_call *c)
{
    struct standing s = {0};
    const struct trainee p = {incident_text(c, "person"), incident_text(c, "role"), c->t->now.us};
    int64_t row[2] = {0};
    LT_TRY(incident_learn_name("person", p.person));
    LT_TRY(incident_learn_name("role", p.role));
    LT_TRY(look_up(c->t, LEARN_TRAINEE_GET, p.person, p.role, row));
    LT_CHECK(row[0] != 0, LT_PEER_CONFLICT, "\"%s\" has the role %s already", p.person, p.role);
    LT_TRY(judge(c->t, &p, &s));
    LT_TRY(store_exec(
        c->t->store, &incident_learn_sql[row[0] < 0 ? LEARN_TRAINEE_ADD : LEARN_TRAINEE_BACK],
        STORE_ARGS(STORE_S(p.person), STORE_S(p.role), STORE_I(c->t->now.us), STORE_I(s.alarm_us)), NULL));
    const struct said members[] = {{"person", p.person}, {"role", p.role}, {"missing", s.missing}};
    return say(c, "training.role-given", lt_arena_printf(c->t->arena, "trainee %s %s", p.person, p.role),
               members, LT_COUNT(members));
}

lt_res incident_op_trainee_end(struct incident_call *c)
{
    const char *person = incident_text(c, "person");
    const char *role = incident_text(c, "role");
    int64_t changed = 0;
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_TRAINEE_END],
                      STORE_ARGS(STORE_S(person), STORE_S(role), STORE_I(c->t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "\"%.63s\" does not have the role \"%.63s\"", person, role);
    const struct said members[] = {{"person", person}, {"role", role}};
    return say(c, "training.role-ended", lt_arena_printf(c->t->arena, "trainee %s %s", person, role), members,
               LT_COUNT(members));
}

static lt_res write_training(struct incident_call *c, const struct trainee *p, const char *course,
                             int64_t valid_us)
{
    const char *by = NULL;
    int64_t id = 0;
    int64_t done = incident_number(c, "done") != 0 ? incident_number(c, "done") : c->t->now.us;
    LT_CHECK(done <= c->t->now.us, LT_PEER_MALFORMED, "\"done\" lies in the future");
    LT_TRY(incident_learn_by(c, &by));
    LT_TRY(incident_learn_next(c->t, &incident_learn_sql[LEARN_TRAINING_MAX], &id));
    return store_exec(c->t->store, &incident_learn_sql[LEARN_TRAINING_ADD],
                      STORE_ARGS(STORE_I(id), STORE_S(p->person), STORE_S(p->role), STORE_S(course),
                                 STORE_I(done), STORE_I(valid_us == 0 ? 0 : done + valid_us),
                                 STORE_S(incident_text(c, "evidence")), STORE_I(c->t->now.us), STORE_S(by)),
                      NULL);
}

lt_res incident_op_training_add(struct incident_call *c)
{
    const struct trainee p = {incident_text(c, "person"), incident_text(c, "role"), 0};
    const char *course = incident_text(c, "course");
    int64_t wanted[2] = {0};
    int64_t has[2] = {0};
    struct standing s = {0};
    LT_TRY(incident_learn_text("evidence", incident_text(c, "evidence"), WORDS_MAX));
    LT_TRY(look_up(c->t, LEARN_COURSE_GET, p.role, course, wanted));
    LT_CHECK(wanted[0] == 0, LT_PEER_NOT_FOUND,
             "no \"%.63s\" is wanted of a \"%.63s\": lintel training courses", course, p.role);
    LT_TRY(look_up(c->t, LEARN_TRAINEE_GET, p.person, p.role, has));
    LT_CHECK(has[0] == 0, LT_PEER_NOT_FOUND, "\"%.63s\" does not have the role \"%.63s\"", p.person, p.role);
    LT_TRY(write_training(c, &p, course, wanted[1]));
    LT_TRY(judge(c->t, &p, &s));
    LT_TRY(set_alarm(c->t, &p, s.alarm_us));
    const struct said members[] = {{"person", p.person},
                                   {"role", p.role},
                                   {"course", course},
                                   {"evidence", incident_text(c, "evidence")},
                                   {"missing", s.missing}};
    return say(c, "training.done", lt_arena_printf(c->t->arena, "trainee %s %s", p.person, p.role), members,
               LT_COUNT(members));
}
