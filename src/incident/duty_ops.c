/* The changes of this area, and what is due in it. */
#include <string.h>

#include "ca/body.h"
#include "ca/event.h"
#include "incident/clock.h"
#include "incident/clock_beat.h"
#include "incident/control.h"
#include "incident/duty.h"
#include "incident/op.h"

static const struct store_sql sql[] = {
    {"clock.of", "SELECT duty, subject, start_us, status FROM clock WHERE id = ?1"},
};
enum { SQL_OF };
static const struct incident_sql ops_sql = {sql, LT_COUNT(sql)};

/* The words that a subject may have before its number or name: what is not ours gets no clock by hand. */
static const char *const subjects[] = {"incident ", "problem ", "control ", "action ", "drill ", "own "};

static bool good_subject(const char *subject)
{
    for (size_t i = 0; i < LT_COUNT(subjects); i++) {
        size_t len = strlen(subjects[i]);
        if (strncmp(subject, subjects[i], len) == 0 && subject[len] != '\0') {
            return true;
        }
    }
    return false;
}

static lt_res check_subject(const char *subject)
{
    LT_CHECK(good_subject(subject), LT_PEER_MALFORMED,
             "\"%.60s\" is nothing that has clocks: write \"incident 12\", \"problem 7\", \"own TEXT\"",
             subject);
    return LT_OK;
}

static lt_time time_or_now(const struct incident_call *c, const char *name)
{
    return incident_given(c, name) ? (lt_time){incident_number(c, name)} : c->t->now;
}

/* The request is kept with an event of its own: the clock's events come from its room. */
static lt_res keep_request(struct incident_call *c, const char *subject)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "by", c->by);
    return ca_body_event(&b, c->t, "clock.asked", subject, c->jws);
}

static lt_res answer_id(struct incident_call *c, int64_t id)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "id", id);
    ca_body_bool(&b, "in_force", id != 0);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res op_open(struct incident_call *c)
{
    int64_t id = 0;
    struct incident_clock_start s = {incident_text(c, "duty"),
                                     incident_text(c, "subject"),
                                     {incident_number(c, "start")},
                                     incident_text(c, "evidence")};
    LT_TRY(check_subject(s.subject));
    LT_TRY(keep_request(c, s.subject));
    LT_TRY(incident_clock_open(c->t, &s, &id));
    return answer_id(c, id);
}

/* A word that begins or meets no duty is a slip of the pen. */
static bool known_happening(const char *what)
{
    for (size_t i = 0; i < incident_duty_count; i++) {
        if (strcmp(incident_duties[i].on, what) == 0 || strcmp(incident_duties[i].met, what) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res op_happened(struct incident_call *c)
{
    const char *subject = incident_text(c, "subject");
    const char *what = incident_text(c, "what");
    LT_CHECK(what[0] != '\0' && known_happening(what), LT_PEER_MALFORMED,
             "\"%.60s\" begins or meets no duty; lintel duty show says what does", what);
    LT_TRY(check_subject(subject));
    LT_TRY(keep_request(c, subject));
    LT_TRY(
        incident_clock_happened(c->t, what, subject, time_or_now(c, "when"), incident_text(c, "evidence")));
    c->json = "{}";
    return LT_OK;
}

struct which {
    const char *duty;
    const char *subject;
    lt_time start;
};

static lt_res which(struct incident_call *c, struct which *ret_which)
{
    struct store_rows rows;
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(store_query(c->t->store, &sql[SQL_OF], STORE_ARGS(STORE_I(id)), &rows));
    bool there = store_next(&rows);
    bool runs = false;
    if (there) {
        ret_which->duty = lt_arena_cstr(c->t->arena, lt_slice_cstr(store_cstr(&rows, 0)));
        ret_which->subject = lt_arena_cstr(c->t->arena, lt_slice_cstr(store_cstr(&rows, 1)));
        ret_which->start.us = store_int(&rows, 2);
        const char *status = store_cstr(&rows, 3);
        runs = strcmp(status, "open") == 0 || strcmp(status, "breached") == 0 ||
               strcmp(status, "overdue") == 0;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(there, LT_PEER_NOT_FOUND, "there is no clock %lld", (long long)id);
    LT_CHECK(runs, LT_PEER_CONFLICT, "clock %lld has ended", (long long)id);
    LT_CHECK(ret_which->duty != NULL && ret_which->subject != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    return keep_request(c, ret_which->subject);
}

static lt_res op_meet(struct incident_call *c)
{
    struct which w;
    lt_time when = time_or_now(c, "when");
    LT_TRY(which(c, &w));
    LT_CHECK(when.us >= w.start.us, LT_PEER_MALFORMED, "a duty cannot be met before it began");
    LT_TRY(incident_clock_meet(c->t, w.subject, w.duty, when, incident_text(c, "evidence")));
    c->json = "{}";
    return LT_OK;
}

static lt_res op_void(struct incident_call *c)
{
    struct which w;
    LT_TRY(which(c, &w));
    LT_TRY(incident_clock_void(c->t, w.subject, w.duty, incident_text(c, "why")));
    c->json = "{}";
    return LT_OK;
}

static lt_res op_until(struct incident_call *c)
{
    struct which w;
    LT_TRY(which(c, &w));
    /* Root programs agree to another day for an update; a limit of the requirements nobody can put off. */
    const struct incident_duty *d = incident_duty_at(lt_slice_cstr(w.duty), c->t->now);
    bool fixed = d != NULL && d->exact && strcmp(d->force, "MUST") == 0 &&
                 strncmp(d->section, "CABF-", 5) == 0;
    LT_CHECK(!fixed, LT_PEER_CONFLICT,
             "the end of %.60s is set by %.60s: it is met or missed, and cannot be moved", w.duty,
             d->section);
    LT_TRY(incident_clock_until(c->t, w.subject, w.duty, (lt_time){incident_number(c, "due")},
                                incident_text(c, "why")));
    c->json = "{}";
    return LT_OK;
}

static lt_res op_control_add(struct incident_call *c)
{
    struct incident_control control = {.name = incident_text(c, "name"),
                                       .kind = incident_text(c, "kind"),
                                       .owner = incident_text(c, "owner"),
                                       .about = incident_text(c, "about"),
                                       .source = incident_text(c, "source"),
                                       .every_s = incident_number(c, "every"),
                                       .due = {incident_number(c, "due")},
                                       .by = c->by,
                                       .jws = c->jws};
    LT_TRY(incident_control_add(c->t, &control));
    c->json = "{}";
    return LT_OK;
}

static lt_res op_control_done(struct incident_call *c)
{
    lt_time due;
    struct ca_body b;
    struct incident_control_done d = {.name = c->id,
                                      .when = {incident_number(c, "when")},
                                      .evidence = incident_text(c, "evidence"),
                                      .by = c->by,
                                      .jws = c->jws};
    LT_TRY(incident_control_done(c->t, &d, &due));
    ca_body_init(&b);
    ca_body_time(&b, "next", due);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res op_control_retire(struct incident_call *c)
{
    struct incident_control_done d = {
        .name = c->id, .evidence = incident_text(c, "why"), .by = c->by, .jws = c->jws};
    LT_TRY(incident_control_retire(c->t, &d));
    c->json = "{}";
    return LT_OK;
}

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    return incident_clock_beat(b->t, ret_more);
}

static const struct incident_op ops[] = {
    {"clock.open", CA_ROLE_OPERATOR, op_open},
    {"clock.meet", CA_ROLE_OPERATOR, op_meet},
    /* That a duty does not apply, or ends later, is said by who may approve. */
    {"clock.void", CA_ROLE_APPROVER, op_void},
    {"clock.until", CA_ROLE_APPROVER, op_until},
    {"clock.happened", CA_ROLE_OPERATOR, op_happened},
    {"control.add", CA_ROLE_OPERATOR, op_control_add},
    {"control.done", CA_ROLE_OPERATOR, op_control_done},
    {"control.retire", CA_ROLE_APPROVER, op_control_retire},
};
const struct incident_area incident_area_duty = {
    .name = "duty",
    .ops = {ops, LT_COUNT(ops)},
    .beat = beat,
    .sql = {&incident_clock_sql, &incident_control_sql, &ops_sql},
};
