/* Triggers that look at duties, rules, facts, hosts and our own reports: 15 to 17, 19, 24. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/event.h"
#include "ca/freshness.h"
#include "ca/limits.h"
#include "ca/reasons.h"
#include "incident/duty.h"
#include "incident/watch.h"

static const struct store_sql sql[] = {
    {"watch.channels",
     "SELECT name, added_us, removed_us FROM problem_channel WHERE name > ?1 ORDER BY name LIMIT 100"},
    {"watch.probe",
     "SELECT seen_us, sent_us, due_us FROM problem_probe WHERE channel = ?1 ORDER BY sent_us DESC LIMIT 1"},
    {"watch.clocks", "SELECT id, subject, warned, due_us FROM clock WHERE status = ?1 AND due_us >= ?2 AND "
                     "(due_us > ?2 OR id > ?3) ORDER BY due_us, id LIMIT 250"},
    {"watch.hosts", "SELECT name, seen_us FROM host WHERE id > 0 ORDER BY id LIMIT 100"},
    {"watch.future",
     "SELECT chain, sequence, time_us FROM event WHERE time_us > ?1 ORDER BY time_us LIMIT 1"},
    {"watch.knot", "SELECT sequence FROM knot WHERE chain = ?1 ORDER BY sequence DESC LIMIT 1"},
    {"watch.event-at", "SELECT time_us FROM event WHERE chain = ?1 AND sequence = ?2"},
    {"watch.open-intent", "SELECT i.id, i.created_us FROM intent_open o JOIN intent i ON i.id = o.intent "
                          "WHERE o.intent > 0 ORDER BY o.intent LIMIT 1"},
};
enum {
    SQL_CHANNELS,
    SQL_PROBE,
    SQL_CLOCKS,

    SQL_HOSTS,
    SQL_FUTURE,
    SQL_KNOT,
    SQL_EVENT_AT,
    SQL_OPEN_INTENT,
};
const struct incident_sql watch_rule_sql = {sql, LT_COUNT(sql)};

enum {
    HOUR = 3600,
    DAY = 86400,
    COMING_S = 90 * DAY,
    BEAT_S = 26 * HOUR, /* each channel is tried once a day */
    DRIFT_US = 2000000,
    UNTIED_S = 120,
    WAITING_S = 600,
};

/* ---- 15 ---- */

static lt_res heard(struct watch_look *look, const char *channel, lt_time added)
{
    struct store_rows rows;
    lt_time now = look->t->now;
    LT_TRY(store_query(look->t->store, &sql[SQL_PROBE], STORE_ARGS(STORE_S(channel)), &rows));
    bool tried = store_next(&rows);
    bool lost = tried && store_int(&rows, 0) == 0 && store_int(&rows, 2) < now.us;
    int64_t last_us = tried ? store_int(&rows, 1) : added.us;
    LT_TRY(store_rows_end(&rows));
    char subject[WATCH_SUBJECT_MAX];
    (void)snprintf(subject, sizeof subject, "channel %.120s", channel);
    if (lost) {
        return watch_found(look, subject, "the report that we sent ourselves did not arrive");
    }
    return lt_time_add_seconds((lt_time){last_us}, BEAT_S).us < now.us
               ? watch_found(look, subject, "nothing was sent through it for over a day")
               : LT_OK;
}

lt_res watch_heartbeat(struct watch_look *look)
{
    enum { AT_ONCE = 100 };
    const char *names[AT_ONCE];
    lt_time added[AT_ONCE];
    struct store_rows rows;
    size_t count = 0;
    size_t seen = 0;
    LT_TRY(store_query(look->t->store, &sql[SQL_CHANNELS], STORE_ARGS(STORE_S(look->place)), &rows));
    while (seen < AT_ONCE && store_next(&rows)) {
        (void)snprintf(look->place, sizeof look->place, "%s", store_cstr(&rows, 0));
        seen++;
        if (store_int(&rows, 2) == 0) {
            names[count] = lt_arena_cstr(look->t->arena, store_bytes(&rows, 0));
            added[count].us = store_int(&rows, 1);
            LT_ASSERT(names[count] != NULL);
            count++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)seen;
    for (size_t i = 0; i < count; i++) {
        LT_TRY(heard(look, names[i], added[i]));
    }
    look->done = seen < AT_ONCE;
    return LT_OK;
}

/* ---- 16 ---- */

static const char *const running[] = {"breached", "overdue", "open"};
enum { HALF = 50 };

/* Place: which of the states, then the end of the last one; its number is small enough to stand beside. */
lt_res watch_clocks(struct watch_look *look)
{
    struct running {
        int64_t id;
        int64_t warned;
        int64_t due_us;
        const char *subject;
    } *list = LT_NEW_ARRAY(look->t->arena, struct running, WATCH_SLICE);
    struct store_rows rows;
    long long state = 0;
    long long due_us = 0;
    long long id = 0;
    size_t count = 0;
    LT_ASSERT(list != NULL);
    (void)sscanf(look->place, "%lld %lld %lld", &state, &due_us, &id); /* an empty place is the beginning */
    LT_CHECK(state >= 0 && (size_t)state < LT_COUNT(running), LT_STATE_CORRUPT, "a place that is none: %s",
             look->place);
    LT_TRY(store_query(look->t->store, &sql[SQL_CLOCKS],
                       STORE_ARGS(STORE_S(running[state]), STORE_I(due_us), STORE_I(id)), &rows));
    while (count < WATCH_SLICE && store_next(&rows)) {
        list[count] = (struct running){store_int(&rows, 0), store_int(&rows, 2), store_int(&rows, 3),
                                       lt_arena_cstr(look->t->arena, store_bytes(&rows, 1))};
        LT_ASSERT(list[count].subject != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        char subject[WATCH_SUBJECT_MAX];
        int64_t step = list[i].warned >= 100  ? 100
                       : list[i].warned >= 90 ? 90
                       : list[i].warned >= 75 ? 75
                                              : HALF;
        if (list[i].warned < HALF) {
            continue;
        }
        (void)snprintf(subject, sizeof subject, "clock %lld %lld%%", (long long)list[i].id, (long long)step);
        LT_TRY(watch_found(look, subject, "of %s", list[i].subject));
    }
    if (count == WATCH_SLICE) {
        (void)snprintf(look->place, sizeof look->place, "%lld %lld %lld", state,
                       (long long)list[count - 1].due_us, (long long)list[count - 1].id);
        return LT_OK;
    }
    (void)snprintf(look->place, sizeof look->place, "%lld 0 0", state + 1);
    look->done = (size_t)state + 1 == LT_COUNT(running);
    return LT_OK;
}

/* ---- 17 ---- */

lt_res watch_cps(struct watch_look *look)
{
    const struct ca_book *b = look->t->book;
    look->done = true;
    for (size_t i = 0; i < b->row_count; i++) {
        const struct ca_profile *p = b->rows[i].profile;
        const char *held = NULL;
        lt_time at;
        char *name = lt_arena_printf(look->t->arena, "cps/%s", p->name);
        char *is = lt_hex(look->t->arena, LT_SLICE(p->sha256, sizeof p->sha256));
        LT_ASSERT(name != NULL && is != NULL);
        look->looked++;
        LT_TRY(watch_fact(look->t, name, &held, &at));
        if (held[0] != '\0' && strcmp(held, is) != 0) {
            char when[LT_RFC3339_SIZE];
            lt_time_rfc3339(at, when);
            LT_TRY(watch_found(look, p->name,
                               "the profile has changed since it was held against the CPS at %s", when));
        }
    }
    return LT_OK;
}

/* ---- 19 ---- */

static lt_res coming(struct watch_look *look, const char *kind, const char *name, const char *from,
                     const char *source)
{
    lt_time at;
    char subject[WATCH_SUBJECT_MAX];
    look->looked++;
    if (from[0] == '\0' || lt_failed(lt_time_parse(lt_slice_cstr(from), &at)) || at.us <= look->t->now.us ||
        at.us > lt_time_add_seconds(look->t->now, COMING_S).us) {
        return LT_OK;
    }
    (void)snprintf(subject, sizeof subject, "%s %.100s %s", kind, name, from);
    return watch_found(look, subject, "%s: in force in %lld days", source,
                       (long long)((at.us - look->t->now.us) / LT_US_PER_SECOND / DAY));
}

lt_res watch_coming_rule(struct watch_look *look)
{
    look->done = true;
    for (size_t i = 0; i < ca_limit_row_count; i++) {
        LT_TRY(coming(look, "limit", ca_limit_name(ca_limit_rows[i].limit), ca_limit_rows[i].from,
                      ca_limit_rows[i].source));
    }
    for (size_t i = 0; i < incident_duty_count; i++) {
        LT_TRY(
            coming(look, "duty", incident_duties[i].id, incident_duties[i].from, incident_duties[i].section));
    }
    for (size_t i = 0; i < ca_fresh_rule_count; i++) {
        LT_TRY(coming(look, "freshness", ca_fresh_kind_name(ca_fresh_rules[i].kind), ca_fresh_rules[i].from,
                      ca_fresh_rules[i].source));
    }
    return LT_OK;
}

/* ---- 24 ---- */

static lt_res hosts_drift(struct watch_look *look)
{
    enum { HOSTS_MAX = 100 };
    const char *names[HOSTS_MAX];
    int64_t ahead_us[HOSTS_MAX];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(look->t->store, &sql[SQL_HOSTS], STORE_NO_ARGS, &rows));
    while (count < HOSTS_MAX && store_next(&rows)) {
        int64_t ahead = store_int(&rows, 1) - look->t->now.us;
        look->looked++;
        if (ahead > DRIFT_US) {
            names[count] = lt_arena_cstr(look->t->arena, store_bytes(&rows, 0));
            LT_ASSERT(names[count] != NULL);
            ahead_us[count++] = ahead;
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        char subject[WATCH_SUBJECT_MAX];
        (void)snprintf(subject, sizeof subject, "host %.100s", names[i]);
        LT_TRY(watch_found(look, subject, "its clock is %lld s ahead of this one's",
                           (long long)(ahead_us[i] / LT_US_PER_SECOND)));
    }
    return LT_OK;
}

static lt_res number(struct watch_look *look, const struct store_sql *q, const struct store_value *values,
                     size_t count, int64_t *ret_number)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, q, values, count, &rows));
    *ret_number = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* The first event that no knot has tied yet is old: the signer does not do it, and nothing is signed. */
static lt_res knots_missing(struct watch_look *look)
{
    const struct ca_chain *chain = &look->t->book->at.chain;
    int64_t tied = 0;
    int64_t since_us = 0;
    LT_TRY(number(look, &sql[SQL_KNOT], STORE_ARGS(STORE_S(chain->name)), &tied));
    if (tied == 0 || tied >= chain->sequence) {
        return LT_OK;
    }
    LT_TRY(number(look, &sql[SQL_EVENT_AT], STORE_ARGS(STORE_S(chain->name), STORE_I(tied + 1)), &since_us));
    return since_us != 0 && look->t->now.us - since_us > UNTIED_S * LT_US_PER_SECOND
               ? watch_found(look, "signer", "it has tied no knot for %lld s",
                             (long long)((look->t->now.us - since_us) / LT_US_PER_SECOND))
               : LT_OK;
}

lt_res watch_drift(struct watch_look *look)
{
    struct store_rows rows;
    char detail[100] = "";
    look->done = true;
    LT_TRY(hosts_drift(look));
    LT_TRY(knots_missing(look));
    LT_TRY(store_query(look->t->store, &sql[SQL_FUTURE], STORE_ARGS(STORE_I(look->t->now.us + DRIFT_US)),
                       &rows));
    if (store_next(&rows)) {
        (void)snprintf(detail, sizeof detail, "event %.60s %lld is of the future", store_cstr(&rows, 0),
                       (long long)store_int(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(detail[0] == '\0' ? LT_OK : watch_found(look, "events", "%s", detail));
    LT_TRY(store_query(look->t->store, &sql[SQL_OPEN_INTENT], STORE_NO_ARGS, &rows));
    int64_t waits_us = store_next(&rows) ? look->t->now.us - store_int(&rows, 1) : 0;
    LT_TRY(store_rows_end(&rows));
    return waits_us > WAITING_S * LT_US_PER_SECOND
               ? watch_found(look, "intent", "one waits for its signature for %lld min",
                             (long long)(waits_us / LT_US_PER_SECOND / 60))
               : LT_OK;
}
