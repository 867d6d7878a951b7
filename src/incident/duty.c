/* Duties of data/duties, looked up for a day. */
#include "incident/duty.h"

#include <string.h>

/* A date of the tables; "" is the edge given. duties.py has seen every one of them. */
static int64_t row_time(const char *text, int64_t edge_us)
{
    lt_time t = {edge_us};
    if (text[0] != 0) {
        LT_ASSERT(!lt_failed(lt_time_parse(lt_slice_cstr(text), &t)));
    }
    return t.us;
}

static bool in_force(const char *from, const char *until, lt_time when)
{
    return row_time(from, INT64_MIN) <= when.us && when.us < row_time(until, INT64_MAX);
}

const struct incident_duty *incident_duty_at(lt_slice id, lt_time when)
{
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (lt_slice_eq_cstr(id, d->id) && in_force(d->from, d->until, when)) {
            return d;
        }
    }
    return NULL;
}

bool incident_duty_known(lt_slice id)
{
    for (size_t i = 0; i < incident_duty_count; i++) {
        if (lt_slice_eq_cstr(id, incident_duties[i].id)) {
            return true;
        }
    }
    return false;
}

bool incident_duty_in_force(const struct incident_duty *duty, lt_time when)
{
    return in_force(duty->from, duty->until, when);
}

/* "misuse" is of TLS, as operators write it. */
static bool same_cause(lt_slice given, const char *row)
{
    lt_slice name = lt_slice_cstr(row);
    return lt_slice_eq(given, name) ||
           (lt_slice_starts(name, LT_LIT("tls/")) && lt_slice_eq(given, lt_slice_sub(name, 4, name.len)));
}

const struct incident_duty *incident_duty_for_cause(lt_slice cause, lt_time when)
{
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (d->cause[0] != 0 && same_cause(cause, d->cause) && in_force(d->from, d->until, when)) {
            return d;
        }
    }
    return NULL;
}

struct incident_due incident_duty_due(const struct incident_duty *duty, lt_time start)
{
    struct incident_due due = {{0}, lt_time_add_seconds(start, duty->limit_s)};
    if (duty->aim_s != 0) {
        due.aim = lt_time_add_seconds(start, duty->aim_s);
    }
    return due;
}

const struct incident_start *incident_start_at(lt_slice source, lt_time when)
{
    for (size_t i = 0; i < incident_start_count; i++) {
        const struct incident_start *s = &incident_starts[i];
        if (lt_slice_eq_cstr(source, s->source) && in_force(s->from, s->until, when)) {
            return s;
        }
    }
    return NULL;
}

static const char *const instant_names[INCIDENT_INSTANTS] = {
    [INCIDENT_RECEIVED] = "received", [INCIDENT_FOUND] = "found", [INCIDENT_CONFIRMED] = "confirmed"};

const char *incident_instant_name(enum incident_instant instant)
{
    LT_ASSERT((unsigned)instant < INCIDENT_INSTANTS);
    return instant_names[instant];
}

lt_res incident_start_judge(lt_slice source, const lt_time instants[INCIDENT_INSTANTS], lt_time as_of,
                            const struct incident_start **ret_rule, lt_time *ret_start)
{
    const struct incident_start *rule = incident_start_at(source, as_of);
    LT_CHECK(rule != NULL, LT_PEER_MALFORMED,
             "no rule says when clocks of the source \"%.*s\" began then; lintel duty list --starts has them",
             LT_FMT(lt_slice_sub(source, 0, 40)));
    *ret_rule = rule;
    *ret_start = instants[rule->at];
    LT_CHECK(ret_start->us != 0, LT_PEER_NOT_FOUND, "no clock runs yet: %s counts from when it was %s",
             rule->source, instant_names[rule->at]);
    return LT_OK;
}

const struct incident_recorded *incident_recorded_find(lt_slice name)
{
    for (size_t i = 0; i < incident_recorded_count; i++) {
        if (lt_slice_eq_cstr(name, incident_recorded[i].name)) {
            return &incident_recorded[i];
        }
    }
    return NULL;
}

void incident_recorded_instants(const struct incident_recorded *r, lt_time ret_instants[INCIDENT_INSTANTS])
{
    for (size_t i = 0; i < INCIDENT_INSTANTS; i++) {
        ret_instants[i].us = row_time(r->instants[i], 0);
    }
}
