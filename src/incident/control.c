/* Reviews and controls that come back, as rows with a clock each. */
#include "incident/control.h"

#include <string.h>

#include "ca/body.h"
#include "ca/event.h"
#include "incident/clock.h"
#include "incident/clock_beat.h"

static const struct store_sql sql[] = {
    {"control.find", "SELECT every_s, last_us, due_us, status FROM control WHERE name = ?1"},
    {"control.add", "INSERT INTO control (name, kind, owner, about, source, every_s, last_us, due_us, "
                    "added_us, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, 'live')"},
    {"control.done", "UPDATE control SET last_us = ?2, due_us = ?3 WHERE name = ?1"},
    {"control.retire", "UPDATE control SET status = 'retired' WHERE name = ?1"},
};
enum { SQL_FIND, SQL_ADD, SQL_DONE, SQL_RETIRE };
const struct incident_sql incident_control_sql = {sql, LT_COUNT(sql)};

#define DUTY "control"
enum { EVERY_LEAST_S = 3600, EVERY_MOST_S = 3 * 366 * 86400 };

static lt_res subject_of(struct ca_turn *t, const char *name, const char **ret_subject)
{
    *ret_subject = lt_arena_printf(t->arena, "control %s", name);
    LT_CHECK(*ret_subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static bool good_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= INCIDENT_CONTROL_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* A clock from the last time to the next. */
static lt_res wind(struct ca_turn *t, const char *subject, lt_time start, lt_time due)
{
    int64_t id = 0;
    struct incident_clock_start s = {DUTY, subject, start, "its last time, or its promise"};
    LT_TRY(incident_clock_open(t, &s, &id));
    return incident_clock_until(t, subject, DUTY, due, "as often as it was promised");
}

static lt_res check(const struct ca_turn *t, const struct incident_control *c)
{
    LT_CHECK(good_name(c->name), LT_PEER_MALFORMED,
             "\"%.80s\" is no name: small letters, digits and \"-\", at most %d", c->name,
             INCIDENT_CONTROL_NAME_MAX);
    LT_CHECK(strcmp(c->kind, "review") == 0 || strcmp(c->kind, "control") == 0, LT_PEER_MALFORMED,
             "\"%.40s\" is neither review nor control", c->kind);
    LT_CHECK(c->owner[0] != '\0' && c->about[0] != '\0', LT_PEER_MALFORMED,
             "it needs an owner, and words about what is done");
    LT_CHECK(c->every_s >= EVERY_LEAST_S && c->every_s <= EVERY_MOST_S, LT_PEER_MALFORMED,
             "every %lld s: an hour at least, three years at most", (long long)c->every_s);
    LT_CHECK(c->due.us == 0 || c->due.us > t->now.us, LT_PEER_MALFORMED, "the first date is over already");
    return LT_OK;
}

struct found {
    int64_t every_s;
    int64_t last_us;
    bool live;
    bool there;
};

static lt_res find(struct ca_turn *t, const char *name, struct found *ret_found)
{
    struct store_rows rows;
    *ret_found = (struct found){0};
    LT_TRY(store_query(t->store, &sql[SQL_FIND], STORE_ARGS(STORE_S(name)), &rows));
    if (store_next(&rows)) {
        *ret_found = (struct found){.every_s = store_int(&rows, 0),
                                    .last_us = store_int(&rows, 1),
                                    .live = strcmp(store_cstr(&rows, 3), "live") == 0,
                                    .there = true};
    }
    return store_rows_end(&rows);
}

lt_res incident_control_add(struct ca_turn *t, const struct incident_control *c)
{
    struct found f;
    const char *subject = NULL;
    LT_TRY(check(t, c));
    LT_TRY(find(t, c->name, &f));
    LT_CHECK(!f.there, LT_PEER_CONFLICT, "there is a control %s already, or was one", c->name);
    LT_TRY(subject_of(t, c->name, &subject));
    lt_time due = c->due.us != 0 ? c->due : lt_time_add_seconds(t->now, c->every_s);
    LT_TRY(
        store_exec(t->store, &sql[SQL_ADD],
                   STORE_ARGS(STORE_S(c->name), STORE_S(c->kind), STORE_S(c->owner), STORE_S(c->about),
                              STORE_S(c->source), STORE_I(c->every_s), STORE_I(due.us), STORE_I(t->now.us)),
                   NULL));
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "kind", c->kind);
    ca_body_str(&b, "owner", c->owner);
    ca_body_str(&b, "about", c->about);
    ca_body_str(&b, "source", c->source);
    ca_body_int(&b, "every_s", c->every_s);
    ca_body_time(&b, "due", due);
    ca_body_str(&b, "by", c->by);
    LT_TRY(ca_body_event(&b, t, "control.added", subject, c->jws));
    return wind(t, subject, t->now, due);
}

static lt_res live(struct ca_turn *t, const char *name, struct found *ret_found)
{
    LT_TRY(find(t, name, ret_found));
    LT_CHECK(ret_found->there, LT_PEER_NOT_FOUND, "there is no control \"%.80s\"", name);
    LT_CHECK(ret_found->live, LT_PEER_CONFLICT, "the control %s was retired", name);
    return LT_OK;
}

static lt_res say(struct ca_turn *t, const struct incident_control_done *d, const char *kind,
                  const char *subject, lt_time due)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "evidence", d->evidence);
    if (d->when.us != 0) {
        ca_body_time(&b, "when", d->when);
    }
    if (due.us != 0) {
        ca_body_time(&b, "next", due);
    }
    ca_body_str(&b, "by", d->by);
    return ca_body_event(&b, t, kind, subject, d->jws);
}

lt_res incident_control_done(struct ca_turn *t, const struct incident_control_done *d, lt_time *ret_due)
{
    struct found f;
    const char *subject = NULL;
    lt_time when = d->when.us == 0 ? t->now : d->when;
    LT_TRY(live(t, d->name, &f));
    LT_TRY(subject_of(t, d->name, &subject));
    LT_CHECK(d->evidence[0] != '\0', LT_PEER_MALFORMED, "that it was done needs evidence");
    LT_CHECK(when.us <= t->now.us, LT_PEER_MALFORMED, "nothing was done in the future");
    LT_CHECK(when.us > f.last_us, LT_PEER_MALFORMED, "it was done later than that already");
    *ret_due = lt_time_add_seconds(when, f.every_s);
    LT_TRY(store_exec(t->store, &sql[SQL_DONE],
                      STORE_ARGS(STORE_S(d->name), STORE_I(when.us), STORE_I(ret_due->us)), NULL));
    LT_TRY(say(t, d, "control.done", subject, *ret_due));
    /* Done before the promise was written down: the first clock counts from the promise. */
    LT_TRY(incident_clock_meet(t, subject, DUTY, when, d->evidence));
    LT_TRY(incident_clock_void(t, subject, DUTY, "it was done before it was promised here"));
    return wind(t, subject, when, *ret_due);
}

lt_res incident_control_retire(struct ca_turn *t, const struct incident_control_done *d)
{
    struct found f;
    const char *subject = NULL;
    LT_TRY(live(t, d->name, &f));
    LT_TRY(subject_of(t, d->name, &subject));
    LT_CHECK(d->evidence[0] != '\0', LT_PEER_MALFORMED, "that it is not needed any more needs a reason");
    LT_TRY(store_exec(t->store, &sql[SQL_RETIRE], STORE_ARGS(STORE_S(d->name)), NULL));
    LT_TRY(say(t, d, "control.retired", subject, (lt_time){0}));
    return incident_clock_void(t, subject, DUTY, d->evidence);
}
