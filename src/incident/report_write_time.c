/* The timeline of a report: events of the book in words, by the minute. A row for each kind of event; a kind
 * without a row is nothing that a reader of the report needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident/report_write_internal.h"

enum { ENTRIES_MAX = 2000 };

struct entry {
    lt_time at;   /* by the second, as all that is told */
    int64_t us;   /* when it was written down, or began: what tells two of one second apart; 0: not known */
    size_t order; /* as it came, where that does not either */
    const char *text;
};

struct entries {
    struct entry *list;
    size_t count;
};

/* In words: {name} is a member of the event's body; a count with separators, a time by the minute. at: the
 * member that says when it was, where that is not when it was written down. */
static const struct {
    const char *kind;
    const char *at;
    const char *words;
} kinds[] = {
    {"incident.opened", "aware", "the CA became aware of the incident: {title}"},
    {"incident.declare", NULL, "the incident was declared"},
    {"incident.halt", NULL, "issuance was halted for {kind} {value}: {reason}"},
    {"incident.fix", NULL, "the fix was deployed: build {build}; {proof} fails on the old behaviour"},
    {"incident.fix-checked", NULL,
     "the scope was run again: {issued_since} certificates of it were issued since"},
    {"incident.scoped", NULL,
     "the scope was determined: {count} certificates are affected (version {version})"},
    {"incident.corrected", NULL,
     "the scope was corrected from {count_before} to {count} certificates, found wrong on {detected}: "
     "{wrong}; "
     "avoided from now on by: {avoided}"},
    {"incident.planned", NULL, "replacement and revocation were planned"},
    {"incident.windows", NULL,
     "renewal information asks the clients of {count} certificates to renew, the last until {last_closes}"},
    {"incident.notified", NULL, "the affected Subscribers were notified"},
    {"incident.held", NULL, "certificates that are not revoked: {held}, {reason} ({reference})"},
    {"incident.thawed", NULL, "{thawed} certificates may be revoked again: {reason} ({reference})"},
    {"incident.late", NULL, "it was clear that {not_revoked} certificates will not be revoked by {must}"},
    {"incident.revoked", "ended", "revocation was finished: {revoked} certificates revoked, {held} left out"},
    {"incident.close", NULL, "the incident was closed"},
    {"report.event", "at", "{text}"},
    {"report.handed", "at", "the {kind} incident report was posted: {where}"},
    {"problem.received", NULL, "a problem report was received (problem {problem})"},
    {"problem.findings-sent", "sent",
     "the findings were sent to who had reported and to the affected Subscribers (problem {problem})"},
};

static void add_member(struct lt_buf *out, const json_t *value)
{
    lt_time t;
    if (json_is_integer(value)) {
        incident_add_count(out, json_integer_value(value));
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        if (strlen(text) >= 20 && !lt_failed(lt_time_parse(lt_slice_cstr(text), &t))) {
            incident_add_minute(out, t);
            return;
        }
        for (; *text != 0; text++) { /* an entry is one line */
            lt_buf_add_byte(out, *text == '\n' || *text == '\r' ? ' ' : (uint8_t)*text);
        }
    }
}

/* problem: of the report that it belongs to, where its body does not say. */
static const char *in_words(struct report_writer *r, const char *words, const json_t *body, int64_t problem)
{
    struct lt_buf b;
    lt_buf_init(&b, 64 * 1024);
    for (const char *p = words; *p != 0; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        char name[40];
        if (end == NULL) {
            lt_buf_add_byte(&b, (uint8_t)*p);
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)(end - p - 1), p + 1);
        if (strcmp(name, "problem") == 0) {
            lt_buf_addf(&b, "%lld", (long long)problem);
        } else {
            add_member(&b, json_object_get(body, name));
        }
        p = end;
    }
    const char *text = lt_arena_cstr(r->arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return text != NULL ? text : "";
}

static void add(struct entries *e, lt_time at, int64_t us, const char *text)
{
    if (e->count < ENTRIES_MAX && at.us != 0 && text[0] != 0) {
        e->list[e->count] = (struct entry){.at = at, .us = us, .order = e->count, .text = text};
        e->count++;
    }
}

static void add_events(struct report_writer *r, const char *list, struct entries *e)
{
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(r->w->facts, list), i, event)
    {
        const json_t *body = json_object_get(event, "body");
        for (size_t k = 0; k < LT_COUNT(kinds); k++) {
            if (strcmp(incident_fact(event, "kind"), kinds[k].kind) != 0) {
                continue;
            }
            lt_time at = kinds[k].at != NULL ? incident_fact_time(body, kinds[k].at) : (lt_time){0};
            add(e, at.us != 0 ? at : incident_fact_time(event, "time"), incident_fact_number(event, "us"),
                in_words(r, kinds[k].words, body, incident_fact_number(event, "problem")));
        }
    }
}

/* Two plans of an incident may be of one list. */
static bool is_again(const json_t *masses, size_t at)
{
    int64_t id = incident_fact_number(json_array_get(masses, at), "id");
    for (size_t i = 0; i < at; i++) {
        if (incident_fact_number(json_array_get(masses, i), "id") == id) {
            return true;
        }
    }
    return false;
}

/* What is no event of the incident, but of a halt or a revocation that belongs to it. */
static void add_rows(struct report_writer *r, struct entries *e)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(r->w->facts, "halts"), i, row)
    {
        add(e, incident_fact_time(row, "lifted"), incident_fact_number(row, "us"),
            in_words(r, "issuance resumed for {kind} {value}", row, 0));
    }
    json_array_foreach(json_object_get(r->w->facts, "masses"), i, row)
    {
        if (is_again(json_object_get(r->w->facts, "masses"), i)) {
            continue;
        }
        add(e, incident_fact_time(row, "started"), incident_fact_number(row, "us"),
            in_words(r, "revocation of {count} certificates began", row, 0));
    }
    lt_time expected = r->delayed ? report_expected(r) : (lt_time){0};
    if (expected.us != 0) {
        add(e, expected, 0, "all remaining certificates are expected to be revoked, or expired, by now");
    }
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int64_t a_s = lt_time_seconds(x->at);
    int64_t b_s = lt_time_seconds(y->at);
    if (a_s != b_s) {
        return a_s < b_s ? -1 : 1;
    }
    return x->us != y->us ? (x->us < y->us ? -1 : 1) : (x->order > y->order) - (x->order < y->order);
}

static void gather(struct report_writer *r, struct entries *e)
{
    add_events(r, "events", e);
    add_events(r, "problems", e);
    add_rows(r, e);
    qsort(e->list, e->count, sizeof(*e->list), compare);
}

void report_timeline(struct report_writer *r)
{
    struct entries e = {.list = LT_NEW_ARRAY(r->arena, struct entry, ENTRIES_MAX)};
    lt_buf_add_cstr(r->out, "\n### Timeline\n\n");
    if (e.list == NULL) {
        return;
    }
    gather(r, &e);
    for (size_t i = 0; i < e.count; i++) {
        lt_buf_add_cstr(r->out, "- ");
        incident_add_minute(r->out, e.list[i].at);
        lt_buf_addf(r->out, ": %s\n", e.list[i].text);
    }
}

lt_res incident_report_moments(const json_t *facts, struct lt_arena *a, struct incident_moments *ret_moments)
{
    const struct incident_writing w = {.facts = facts, .kind = INCIDENT_REPORT_FULL};
    struct report_writer r = {.w = &w, .arena = a, .incident = json_object_get(facts, "incident")};
    struct entries e = {.list = LT_NEW_ARRAY(a, struct entry, ENTRIES_MAX)};
    *ret_moments = (struct incident_moments){.list = LT_NEW_ARRAY(a, struct incident_moment, ENTRIES_MAX)};
    LT_CHECK(e.list != NULL && ret_moments->list != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    gather(&r, &e);
    for (size_t i = 0; i < e.count; i++) {
        ret_moments->list[i] = (struct incident_moment){e.list[i].at, e.list[i].text};
    }
    ret_moments->count = e.count;
    return LT_OK;
}
