/* The triggers, and how they are run: one slice at a time, in the registrar's beat. */
#include "incident/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/halt.h"
#include "incident/case.h"
#include "incident/notice.h"

/* Who looks, in the order of watch_rows. */
static const struct {
    int64_t number;
    watch_look_at *look;
} looks[] = {
    {4, watch_lint},         {5, watch_journal},      {6, watch_evidence},   {7, watch_caa},
    {8, watch_crl},          {9, watch_not_on_crl},   {10, watch_ocsp},      {11, watch_early_removal},
    {12, watch_blocked_key}, {13, watch_weak_key},    {15, watch_heartbeat}, {16, watch_clocks},
    {17, watch_cps},         {19, watch_coming_rule}, {20, watch_stopped},   {21, watch_success_rate},
    {22, watch_ari},         {23, watch_bounced},     {24, watch_drift},
};

static const struct store_sql sql[] = {
    {"watch.due", "SELECT status, due_us, started_us, place, looked, found, fired, incident FROM watch_run "
                  "WHERE trigger_id = ?1"},
    {"watch.run",
     "INSERT INTO watch_run (trigger_id, status, due_us, started_us, ended_us, place, looked, found, "
     "fired, incident) VALUES (?1, 'on', ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (trigger_id) DO UPDATE "
     "SET "
     "due_us = excluded.due_us, started_us = excluded.started_us, place = excluded.place, "
     "looked = excluded.looked, found = excluded.found, fired = excluded.fired, incident = "
     "excluded.incident"},
    {"watch.ended", "UPDATE watch_run SET ended_us = ?2 WHERE trigger_id = ?1"},
    {"watch.now", "UPDATE watch_run SET due_us = 0 WHERE trigger_id = ?1"},
    {"watch.switch", "UPDATE watch_run SET status = ?2, due_us = 0 WHERE trigger_id = ?1"},
    {"watch.finding", "SELECT first_us FROM watch_finding WHERE trigger_id = ?1 AND subject = ?2"},
    {"watch.seen",
     "INSERT INTO watch_finding (trigger_id, subject, detail, severity, first_us, last_us, incident) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT (trigger_id, subject) DO UPDATE SET "
     "last_us = excluded.last_us, detail = excluded.detail"},
    {"watch.told", "SELECT 1 FROM watch_finding WHERE trigger_id = ?1 LIMIT 1000"},
    {"watch.gone", "SELECT subject FROM watch_finding WHERE trigger_id = ?1 AND last_us < ?2 LIMIT 100"},
    {"watch.clear", "DELETE FROM watch_finding WHERE trigger_id = ?1 AND subject = ?2"},
    {"watch.live",
     "SELECT not_after_us, shard FROM certificate WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    {"watch.revoked", "SELECT 1 FROM revocation WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    {"watch.fact", "SELECT value, at_us FROM watch_fact WHERE name = ?1"},
    {"watch.state", "INSERT INTO watch_fact (name, value, at_us, by_whom) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value, at_us = excluded.at_us, "
                    "by_whom = excluded.by_whom"},
    {"watch.unstate", "DELETE FROM watch_fact WHERE name = ?1"},
};
enum {
    SQL_DUE,
    SQL_RUN,
    SQL_ENDED,
    SQL_NOW,
    SQL_SWITCH,
    SQL_FINDING,
    SQL_SEEN,
    SQL_TOLD,
    SQL_GONE,
    SQL_CLEAR,
    SQL_LIVE,
    SQL_REVOKED,
    SQL_FACT,
    SQL_STATE,
    SQL_UNSTATE,
};
const struct incident_sql watch_sql = {sql, LT_COUNT(sql)};

const struct watch_row *watch_row_by_number(int64_t number)
{
    for (size_t i = 0; i < watch_row_count; i++) {
        if (watch_rows[i].number == number) {
            return &watch_rows[i];
        }
    }
    return NULL;
}

static watch_look_at *look_of(const struct watch_row *row)
{
    for (size_t i = 0; i < LT_COUNT(looks); i++) {
        if (looks[i].number == row->number) {
            return looks[i].look;
        }
    }
    LT_ASSERT(row == NULL && "every trigger has one who looks");
    return NULL;
}

static bool does(const struct watch_row *row, const char *action)
{
    return strcmp(row->action, action) == 0;
}

/* ---- what rules use ---- */

const char *watch_certificate(struct watch_look *look, int64_t issuer, lt_slice serial)
{
    const struct ca_issuer *i = ca_issuer_by_id(look->t->book, issuer);
    char *hex = lt_hex(look->t->arena, serial);
    char *text = hex == NULL ? NULL
                             : lt_arena_printf(look->t->arena, "certificate %s %s",
                                               i == NULL ? "unknown" : i->name, hex);
    LT_ASSERT(text != NULL);
    return text;
}

lt_res watch_live(struct watch_look *look, int64_t issuer, lt_slice serial, bool *ret_live)
{
    struct store_rows rows;
    int64_t shard = 0;
    LT_TRY(store_query(look->t->store, &sql[SQL_LIVE], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    *ret_live = store_next(&rows) && store_int(&rows, 0) > look->t->now.us;
    shard = *ret_live ? store_int(&rows, 1) : 0;
    LT_TRY(store_rows_end(&rows));
    if (!*ret_live) {
        return LT_OK;
    }
    LT_TRY(store_query(look->t->store, &sql[SQL_REVOKED],
                       STORE_ARGS(STORE_I(issuer), STORE_I(shard), STORE_B(serial)), &rows));
    *ret_live = !store_next(&rows);
    return store_rows_end(&rows);
}

lt_res watch_fact(struct ca_turn *t, const char *name, const char **ret_value, lt_time *ret_at)
{
    struct store_rows rows;
    *ret_value = "";
    *ret_at = (lt_time){0};
    LT_TRY(store_query(t->store, &sql[SQL_FACT], STORE_ARGS(STORE_S(name)), &rows));
    if (store_next(&rows)) {
        *ret_value = lt_arena_cstr(t->arena, lt_slice_cstr(store_cstr(&rows, 0)));
        ret_at->us = store_int(&rows, 1);
        LT_ASSERT(*ret_value != NULL);
    }
    return store_rows_end(&rows);
}

void watch_place_read(const struct watch_look *look, int64_t *ret_first, int64_t *ret_second)
{
    long long first = 0;
    long long second = 0;
    (void)sscanf(look->place, "%lld %lld", &first, &second); /* an empty place is the beginning */
    *ret_first = first;
    *ret_second = second;
}

void watch_place_write(struct watch_look *look, int64_t first, int64_t second)
{
    (void)snprintf(look->place, sizeof look->place, "%lld %lld", (long long)first, (long long)second);
}

/* ---- a finding ---- */

/* The rule's own open case, so that a thousand certificates are one incident. */
static lt_res open_case(struct watch_look *look, const char *subject, const char *detail)
{
    struct ca_turn *t = look->t;
    struct incident_case c;
    const char *subject_of = NULL;
    if (look->incident_id != 0) {
        LT_TRY(incident_load(t, look->incident_id, &c));
        if (c.closed_us == 0) {
            return LT_OK;
        }
    }
    subject_of = lt_arena_printf(t->arena, "monitoring %lld: %s (%s: %s)", (long long)look->rule->number,
                                 look->rule->words, subject, detail);
    const char *by = lt_arena_printf(t->arena, "trigger %lld", (long long)look->rule->number);
    LT_CHECK(subject_of != NULL && by != NULL, LT_PEER_TOO_LARGE, "a finding is over the limit");
    lt_slice title = lt_slice_sub(lt_slice_cstr(subject_of), 0, INCIDENT_TITLE_MAX);
    struct incident_opening o = {.title = lt_arena_cstr(t->arena, title),
                                 .source = "monitor",
                                 .cause = look->rule->cause,
                                 .severity = look->rule->severity,
                                 .by = by};
    LT_CHECK(o.title != NULL, LT_PEER_TOO_LARGE, "a finding is over the limit");
    return incident_open(t, &o, &look->incident_id);
}

static lt_res halt(struct watch_look *look, const char *detail)
{
    struct ca_turn *t = look->t;
    const char *id = NULL;
    Ipc__Halt h = IPC__HALT__INIT;
    h.kind = look->issuer == NULL ? IPC__HALT_KIND__HALT_ALL : IPC__HALT_KIND__HALT_ISSUER;
    h.value = look->issuer == NULL ? (char *)(uintptr_t) ""
                                   : lt_arena_cstr(t->arena, lt_slice_cstr(look->issuer));
    h.reason = lt_arena_printf(t->arena, "monitoring %lld: %.150s", (long long)look->rule->number, detail);
    h.operator_ = lt_arena_printf(t->arena, "trigger %lld", (long long)look->rule->number);
    LT_CHECK(h.value != NULL && h.reason != NULL && h.operator_ != NULL, LT_PEER_TOO_LARGE,
             "a finding is over the limit");
    return ca_halt_add(t, &h, LT_SLICE(NULL, 0), &id);
}

static lt_res fire(struct watch_look *look, const char *subject, const char *detail)
{
    struct ca_turn *t = look->t;
    const struct watch_row *r = look->rule;
    bool first = look->fired++ == 0;
    const char *severity = look->severity == NULL ? r->severity : look->severity;
    struct ca_body b;
    char *name = lt_arena_printf(t->arena, "watch %lld", (long long)r->number);
    char *words = lt_arena_printf(t->arena, "%s: %s: %s", r->name, subject, detail);
    LT_CHECK(name != NULL && words != NULL, LT_PEER_TOO_LARGE, "a finding is over the limit");
    if (first && does(r, "halt")) {
        LT_TRY(halt(look, words));
    }
    if (!does(r, "page") && first) {
        LT_TRY(open_case(look, subject, detail));
    }
    ca_body_init(&b);
    ca_body_str(&b, "name", r->name);
    ca_body_str(&b, "about", subject);
    ca_body_str(&b, "detail", detail);
    ca_body_str(&b, "severity", severity);
    ca_body_str(&b, "action", r->action);
    ca_body_int(&b, "incident", look->incident_id);
    LT_TRY(ca_body_event(&b, t, "watch.fired", name, LT_SLICE(NULL, 0)));
    return first || look->severity != NULL ? incident_page(t, severity, name, words) : LT_OK;
}

/* A million certificates are no million rows: the case's scope counts them. */
enum { TOLD_MAX = 1000 };

static lt_res no_more(struct watch_look *look)
{
    struct ca_body b;
    char *name = lt_arena_printf(look->t->arena, "watch %lld", (long long)look->rule->number);
    LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "a finding is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "name", look->rule->name);
    ca_body_int(&b, "told", TOLD_MAX);
    ca_body_int(&b, "incident", look->incident_id);
    return ca_body_event(&b, look->t, "watch.more", name, LT_SLICE(NULL, 0));
}

lt_res watch_found(struct watch_look *look, const char *subject, const char *format, ...)
{
    struct ca_turn *t = look->t;
    struct store_rows rows;
    char detail[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    look->found++;
    LT_TRY(store_query(t->store, &sql[SQL_FINDING], STORE_ARGS(STORE_I(look->rule->number), STORE_S(subject)),
                       &rows));
    bool known = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    if (!known && look->told >= TOLD_MAX) {
        return LT_OK;
    }
    if (!known) {
        LT_TRY(fire(look, subject, detail));
        LT_TRY(++look->told == TOLD_MAX ? no_more(look) : LT_OK);
    }
    return store_exec(t->store, &sql[SQL_SEEN],
                      STORE_ARGS(STORE_I(look->rule->number), STORE_S(subject), STORE_S(detail),
                                 STORE_S(look->severity == NULL ? look->rule->severity : look->severity),
                                 STORE_I(t->now.us),
                                 STORE_I(does(look->rule, "page") ? 0 : look->incident_id)),
                      NULL);
}

static lt_res cleared(struct ca_turn *t, const struct watch_row *r, const char *subject, const char *why)
{
    struct ca_body b;
    char *name = lt_arena_printf(t->arena, "watch %lld", (long long)r->number);
    LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(store_exec(t->store, &sql[SQL_CLEAR], STORE_ARGS(STORE_I(r->number), STORE_S(subject)), NULL));
    ca_body_init(&b);
    ca_body_str(&b, "name", r->name);
    ca_body_str(&b, "about", subject);
    ca_body_str(&b, "why", why);
    return ca_body_event(&b, t, "watch.cleared", name, LT_SLICE(NULL, 0));
}

/* What this pass has not seen is over; *ret_more: there may be more of it. */
static lt_res clear_old(struct watch_look *look, bool *ret_more)
{
    enum { AT_ONCE = 100 };
    const char *subjects[AT_ONCE];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(look->t->store, &sql[SQL_GONE],
                       STORE_ARGS(STORE_I(look->rule->number), STORE_I(look->began.us)), &rows));
    while (count < AT_ONCE && store_next(&rows)) {
        subjects[count] = lt_arena_cstr(look->t->arena, lt_slice_cstr(store_cstr(&rows, 0)));
        LT_ASSERT(subjects[count] != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(cleared(look->t, look->rule, subjects[i], "not seen any more"));
    }
    *ret_more = count == AT_ONCE;
    return LT_OK;
}

/* ---- passes ---- */

struct run {
    bool on;
    lt_time due;
};

static lt_res load(struct watch_look *look, struct run *ret_run)
{
    struct store_rows rows;
    *ret_run = (struct run){.on = true};
    LT_TRY(store_query(look->t->store, &sql[SQL_DUE], STORE_ARGS(STORE_I(look->rule->number)), &rows));
    if (store_next(&rows)) {
        ret_run->on = strcmp(store_cstr(&rows, 0), "on") == 0;
        ret_run->due.us = store_int(&rows, 1);
        look->began.us = store_int(&rows, 2);
        (void)snprintf(look->place, sizeof look->place, "%s", store_cstr(&rows, 3));
        look->looked = store_int(&rows, 4);
        look->found = store_int(&rows, 5);
        look->fired = store_int(&rows, 6);
        look->incident_id = store_int(&rows, 7);
    }
    return store_rows_end(&rows);
}

static lt_res save(struct watch_look *look, lt_time due)
{
    return store_exec(look->t->store, &sql[SQL_RUN],
                      STORE_ARGS(STORE_I(look->rule->number), STORE_I(due.us), STORE_I(look->began.us),
                                 STORE_S(look->place), STORE_I(look->looked), STORE_I(look->found),
                                 STORE_I(look->fired), STORE_I(look->incident_id)),
                      NULL);
}

/* A place behind which there is nothing left but to forget: a pass that has seen all. */
#define AT_END "end"

static lt_res count_told(struct watch_look *look)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, &sql[SQL_TOLD], STORE_ARGS(STORE_I(look->rule->number)), &rows));
    for (look->told = 0; store_next(&rows); look->told++) {
    }
    return store_rows_end(&rows);
}

static lt_res slice(struct watch_look *look)
{
    bool more = false;
    bool fresh = look->began.us == 0;
    if (fresh) {
        look->began = look->t->now;
        look->looked = 0;
        look->found = 0;
        look->fired = 0;
    }
    if (look->rule->onward && look->place[0] == '\0') {
        watch_place_write(look, look->t->now.us, 0); /* what was before is looked at when somebody asks */
    }
    if (strcmp(look->place, AT_END) != 0) {
        LT_TRY(count_told(look));
        LT_TRY(look_of(look->rule)(look));
        if (!look->done) {
            return save(look, look->t->now);
        }
        if (!look->rule->onward) {
            (void)snprintf(look->place, sizeof look->place, AT_END);
        }
    }
    if (!look->rule->onward) {
        LT_TRY(clear_old(look, &more));
        if (more) {
            return save(look, look->t->now);
        }
        look->place[0] = '\0';
    }
    look->began.us = 0; /* the next one begins a new pass */
    LT_TRY(save(look, lt_time_add_seconds(look->t->now, look->rule->every_s)));
    return store_exec(look->t->store, &sql[SQL_ENDED],
                      STORE_ARGS(STORE_I(look->rule->number), STORE_I(look->t->now.us)), NULL);
}

lt_res watch_beat(struct incident_beat *b, bool *ret_more)
{
    *ret_more = false;
    for (size_t i = 0; i < watch_row_count; i++) {
        struct watch_look look = {.t = b->t, .config = b->config, .rule = &watch_rows[i]};
        struct run run;
        LT_TRY(load(&look, &run));
        if (run.on && run.due.us <= b->t->now.us) {
            LT_TRY(slice(&look));
            *ret_more = true; /* of this rule, or the next */
            return LT_OK;
        }
    }
    return LT_OK;
}

/* A row for a rule that has none yet. */
static lt_res with_row(struct ca_turn *t, const struct watch_row *r, struct run *ret_run)
{
    struct watch_look look = {.t = t, .rule = r};
    LT_TRY(load(&look, ret_run));
    return save(&look, ret_run->due);
}

static lt_res rule_of(int64_t number, const struct watch_row **ret_rule)
{
    *ret_rule = watch_row_by_number(number);
    LT_CHECK(*ret_rule != NULL, LT_PEER_NOT_FOUND, "there is no trigger %lld", (long long)number);
    return LT_OK;
}

lt_res watch_run(struct ca_turn *t, int64_t number, lt_time from)
{
    const struct watch_row *r = NULL;
    struct run run;
    LT_TRY(rule_of(number, &r));
    LT_TRY(with_row(t, r, &run));
    LT_CHECK(run.on, LT_PEER_CONFLICT, "trigger %lld is switched off", (long long)number);
    if (from.us != 0) {
        struct watch_look look = {.t = t, .rule = r};
        LT_CHECK(r->onward, LT_PEER_MALFORMED, "trigger %lld always looks at everything", (long long)number);
        LT_TRY(load(&look, &run));
        watch_place_write(&look, from.us, 0);
        look.began.us = 0; /* a new pass */
        return save(&look, (lt_time){0});
    }
    return store_exec(t->store, &sql[SQL_NOW], STORE_ARGS(STORE_I(number)), NULL);
}

lt_res watch_switch(struct ca_turn *t, int64_t number, bool on)
{
    const struct watch_row *r = NULL;
    struct run run;
    LT_TRY(rule_of(number, &r));
    LT_TRY(with_row(t, r, &run));
    return store_exec(t->store, &sql[SQL_SWITCH], STORE_ARGS(STORE_I(number), STORE_S(on ? "on" : "off")),
                      NULL);
}

lt_res watch_settle(struct ca_turn *t, int64_t number, const char *subject, const char *why)
{
    const struct watch_row *r = NULL;
    struct store_rows rows;
    LT_TRY(rule_of(number, &r));
    LT_TRY(store_query(t->store, &sql[SQL_FINDING], STORE_ARGS(STORE_I(number), STORE_S(subject)), &rows));
    bool known = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(known, LT_PEER_NOT_FOUND, "trigger %lld has found nothing about \"%.80s\"", (long long)number,
             subject);
    return cleared(t, r, subject, why);
}

lt_res watch_state(struct ca_turn *t, const char *name, const char *value, const char *by)
{
    if (value[0] == '\0') {
        return store_exec(t->store, &sql[SQL_UNSTATE], STORE_ARGS(STORE_S(name)), NULL);
    }
    return store_exec(t->store, &sql[SQL_STATE],
                      STORE_ARGS(STORE_S(name), STORE_S(value), STORE_I(t->now.us), STORE_S(by)), NULL);
}
