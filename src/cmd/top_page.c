/* What stands on the pages of lintel top: the overview, and one incident. The worst first, as the document
 * has it; numbers that are nothing are not shown where there are many. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/top.h"

enum { MINUTES_SHOWN = 60, FINDINGS_SHOWN = 5, STEPS_SHOWN = 8, ISSUED = 1, REVOKED = 2, FAILED = 3 };

static int64_t seconds_until(const json_t *object, const char *key, lt_time now, bool *ret_there)
{
    lt_time when = {0};
    const char *text = cmd_text(object, key);
    *ret_there = text[0] != '\0' && !lt_failed(lt_time_parse(lt_slice_cstr(text), &when));
    return *ret_there ? (when.us - now.us) / LT_US_PER_SECOND : 0;
}

static void head(struct top_frame *f, const json_t *doc, lt_time now)
{
    const json_t *ca = json_object_get(doc, "ca");
    char time[LT_RFC3339_SIZE];
    lt_time_rfc3339(now, time);
    top_line(f, TOP_BOLD, "%s  %s  %s%s%s", cmd_text(ca, "name"), time, cmd_text(ca, "version"),
             json_is_true(json_object_get(ca, "drill")) ? "  THIS IS A DRILL" : "",
             json_is_true(json_object_get(ca, "testing")) ? "  TEST CA" : "");
}

static void findings(struct top_frame *f, const json_t *doc)
{
    const json_t *list = json_object_get(doc, "findings");
    size_t i;
    json_t *row;
    if (json_array_size(list) == 0) {
        top_line(f, TOP_OK, "ok       %s", cmd_text(json_object_get(doc, "worst"), "text"));
    }
    json_array_foreach(list, i, row)
    {
        if (i < FINDINGS_SHOWN) {
            top_line(f, top_style_of(cmd_text(row, "level")), "%-8s %s", cmd_text(row, "level"),
                     cmd_text(row, "text"));
        }
    }
    if (json_array_size(list) > FINDINGS_SHOWN) {
        top_line(f, TOP_DIM, "         and %zu more", json_array_size(list) - FINDINGS_SHOWN);
    }
}

static void certificates(struct top_frame *f, const json_t *doc)
{
    const json_t *counts = json_object_get(doc, "counts");
    char valid[TOP_TEXT];
    char revoked[TOP_TEXT];
    char expired[TOP_TEXT];
    char total[TOP_TEXT];
    top_line(f, TOP_DIM, "%s", "");
    top_line(f, TOP_PLAIN, "CERTIFICATES  %s valid, %s revoked, %s expired, %s in all%s",
             top_number(valid, cmd_int(counts, "valid")), top_number(revoked, cmd_int(counts, "revoked")),
             top_number(expired, cmd_int(counts, "expired")), top_number(total, cmd_int(counts, "total")),
             json_is_true(json_object_get(counts, "behind")) ? " so far: they are still being counted" : "");
}

static void rate(struct top_frame *f, const json_t *minutes, const char *name, size_t column)
{
    int64_t values[MINUTES_SHOWN] = {0};
    char picture[TOP_PICTURE];
    char last[TOP_TEXT];
    char sum[TOP_TEXT];
    int64_t all = 0;
    size_t count = json_array_size(minutes);
    size_t first = count > MINUTES_SHOWN ? count - MINUTES_SHOWN : 0;
    for (size_t i = first; i < count; i++) {
        values[i - first] = json_integer_value(json_array_get(json_array_get(minutes, i), column));
        all += values[i - first];
    }
    /* The minute that has just ended; this one has hardly begun. */
    size_t ended = count - first >= 2 ? count - first - 2 : 0;
    top_line(f, column == FAILED && all > 0 ? TOP_WARNING : TOP_PLAIN,
             "  %-8s %s %s a minute, %s in the last hour", name, top_spark(f, picture, values, count - first),
             top_number(last, values[ended]), top_number(sum, all));
}

static void rates(struct top_frame *f, const json_t *doc)
{
    const json_t *minutes = json_object_get(json_object_get(doc, "rates"), "minutes");
    rate(f, minutes, "issued", ISSUED);
    rate(f, minutes, "revoked", REVOKED);
    rate(f, minutes, "failed", FAILED);
}

static void clocks(struct top_frame *f, const json_t *doc, lt_time now)
{
    size_t i;
    json_t *row;
    const json_t *list = json_object_get(doc, "next");
    top_line(f, TOP_PLAIN, "%s", "");
    top_line(f, TOP_PLAIN, "CLOCKS%s", json_array_size(list) == 0 ? "        none runs" : "");
    json_array_foreach(list, i, row)
    {
        bool there = false;
        char span[TOP_TEXT];
        char bar[TOP_PICTURE];
        int64_t left = seconds_until(row, "due", now, &there);
        const char *level = left < 0 ? "bad" : cmd_text(row, "level");
        top_line(f, strcmp(level, "ok") == 0 ? TOP_PLAIN : top_style_of(level), "  %14s  %s  %-12s %s",
                 there ? top_span(span, left) : "", top_bar(f, bar, cmd_int(row, "percent"), 100),
                 cmd_text(row, "subject"), cmd_text(row, "what"));
    }
}

static void incidents(struct top_frame *f, const json_t *doc, lt_time now, size_t chosen)
{
    size_t i;
    json_t *row;
    const json_t *list = json_object_get(doc, "incidents");
    const json_t *problems = json_object_get(doc, "problems");
    top_line(f, TOP_PLAIN, "%s", "");
    top_line(f, TOP_PLAIN, "INCIDENTS     %zu open; problem reports: %lld open, %lld wait for us",
             json_array_size(list), (long long)cmd_int(problems, "open"),
             (long long)cmd_int(problems, "unread"));
    json_array_foreach(list, i, row)
    {
        bool there = false;
        char span[TOP_TEXT];
        int64_t left = seconds_until(row, "next_due", now, &there);
        top_line(f, f->screen && i == chosen ? TOP_CHOSEN : TOP_PLAIN, "%s %lld  %-8s %-10s %s%s%s",
                 f->screen && i == chosen ? ">" : " ", (long long)cmd_int(row, "id"),
                 cmd_text(row, "severity"), cmd_text(row, "state"), cmd_text(row, "title"),
                 there ? "  next clock: " : "", there ? top_span(span, left) : "");
    }
}

static void masses(struct top_frame *f, const json_t *doc)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(doc, "masses"), i, row)
    {
        char bar[TOP_PICTURE];
        char done[TOP_TEXT];
        char total[TOP_TEXT];
        char pace[TOP_TEXT];
        char left[TOP_TEXT];
        bool runs = strcmp(cmd_text(row, "state"), "running") == 0 && cmd_int(row, "rate") > 0;
        if (i == 0) {
            top_line(f, TOP_PLAIN, "%s", "");
            top_line(f, TOP_PLAIN, "MASS REVOCATIONS");
        }
        top_line(f, TOP_PLAIN, "  %-5s %-9s %s %s of %s%s%s%s%s", cmd_text(row, "id"), cmd_text(row, "state"),
                 top_bar(f, bar, cmd_int(row, "done"), cmd_int(row, "total")),
                 top_number(done, cmd_int(row, "done")), top_number(total, cmd_int(row, "total")),
                 runs ? ", " : "", runs ? top_number(pace, cmd_int(row, "rate")) : "",
                 runs ? " a second, still " : "", runs ? top_span(left, cmd_int(row, "eta_s")) : "");
    }
}

static void queues(struct top_frame *f, const json_t *doc)
{
    const json_t *q = json_object_get(doc, "queues");
    const json_t *orders = json_object_get(q, "orders");
    top_line(f, TOP_PLAIN, "%s", "");
    top_line(f, TOP_PLAIN,
             "QUEUES        orders %lld pending, %lld ready, %lld processing, %lld for a person; validations "
             "%lld; "
             "intents %lld; mail %lld; notices %lld; hooks %lld",
             (long long)cmd_int(orders, "pending"), (long long)cmd_int(orders, "ready"),
             (long long)cmd_int(orders, "processing"), (long long)cmd_int(orders, "waiting"),
             (long long)cmd_int(q, "validations"), (long long)cmd_int(q, "intents"),
             (long long)cmd_int(q, "mail"), (long long)cmd_int(q, "notices"), (long long)cmd_int(q, "hooks"));
}

static void published(struct top_frame *f, const json_t *doc, lt_time now)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(doc, "crls"), i, row)
    {
        bool there = false;
        char span[TOP_TEXT];
        char entries[TOP_TEXT];
        bool fresh = strcmp(cmd_text(row, "state"), "fresh") == 0;
        int64_t left = seconds_until(row, "next_update", now, &there);
        top_line(f, fresh ? TOP_PLAIN : TOP_BAD, "%-13s %-10s %-8s %s entries, for another %s",
                 i == 0 ? "CRLS" : "", cmd_text(row, "issuer"), cmd_text(row, "state"),
                 top_number(entries, cmd_int(row, "entries")), there ? top_span(span, left) : "?");
    }
    json_array_foreach(json_object_get(doc, "ocsp"), i, row)
    {
        bool fresh = strcmp(cmd_text(row, "state"), "fresh") == 0;
        top_line(f, fresh ? TOP_PLAIN : TOP_BAD, "OCSP          %s, answers up to %s", cmd_text(row, "state"),
                 cmd_text(row, "answered"));
    }
}

static void roles(struct top_frame *f, const json_t *doc)
{
    size_t i;
    json_t *row;
    size_t up = 0;
    const json_t *list = json_object_get(doc, "roles");
    json_array_foreach(list, i, row)
    {
        up += json_is_true(json_object_get(row, "up"));
    }
    top_line(f, up == json_array_size(list) ? TOP_PLAIN : TOP_BAD, "FAMILY        %zu of %zu programs run%s",
             up, json_array_size(list),
             json_is_true(json_object_get(doc, "held")) ? "; ISSUANCE IS HELD" : "");
}

void top_overview(struct top_frame *f, const json_t *doc, lt_time now, size_t chosen)
{
    head(f, doc, now);
    findings(f, doc);
    clocks(f, doc, now);
    incidents(f, doc, now, chosen);
    masses(f, doc);
    certificates(f, doc);
    rates(f, doc);
    queues(f, doc);
    published(f, doc, now);
    roles(f, doc);
}

/* ---- one incident ---- */

static void incident_clocks(struct top_frame *f, const json_t *incident, lt_time now)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(incident, "clocks"), i, row)
    {
        bool there = false;
        char span[TOP_TEXT];
        bool runs = strcmp(cmd_text(row, "status"), "open") == 0;
        bool good = runs || strcmp(cmd_text(row, "status"), "met") == 0 ||
                    strcmp(cmd_text(row, "status"), "void") == 0;
        int64_t left = seconds_until(row, "due", now, &there);
        top_line(f, good ? TOP_PLAIN : TOP_BAD, "%-10s %-9s %14s  %-24s %s", i == 0 ? "CLOCKS" : "",
                 cmd_text(row, "status"), runs && there ? top_span(span, left) : "", cmd_text(row, "duty"),
                 cmd_text(row, "section"));
    }
}

static void incident_steps(struct top_frame *f, const json_t *incident)
{
    const json_t *steps = json_object_get(incident, "steps");
    size_t count = json_array_size(steps);
    for (size_t i = count > STEPS_SHOWN ? count - STEPS_SHOWN : 0, n = 0; i < count; i++, n++) {
        const json_t *row = json_array_get(steps, i);
        top_line(f, TOP_PLAIN, "%-10s %s  %-10s %s  %s", n == 0 ? "STEPS" : "", cmd_text(row, "at"),
                 cmd_text(row, "status"), cmd_text(row, "by"), cmd_text(row, "words"));
    }
}

void top_incident(struct top_frame *f, const json_t *doc, lt_time now)
{
    const json_t *incident = json_object_get(doc, "incident");
    size_t i;
    json_t *row;
    bool must = false;
    char span[TOP_TEXT];
    int64_t left = seconds_until(incident, "must", now, &must);
    top_line(f, TOP_BOLD, "Incident %lld: %s", (long long)cmd_int(incident, "id"),
             cmd_text(incident, "title"));
    top_line(f, TOP_PLAIN, "%s since %s, severity %s, cause %s", cmd_text(incident, "status"),
             cmd_text(incident, "since"), cmd_text(incident, "severity"), cmd_text(incident, "cause"));
    if (must) {
        top_line(f, left < 0 ? TOP_BAD : TOP_PLAIN, "everything has to be revoked by %s: %s",
                 cmd_text(incident, "must"), top_span(span, left));
    }
    top_line(f, TOP_PLAIN, "%s", "");
    incident_clocks(f, incident, now);
    json_array_foreach(json_object_get(incident, "roles"), i, row)
    {
        top_line(f, TOP_PLAIN, "%-10s %-14s %s", i == 0 ? "PEOPLE" : "", cmd_text(row, "role"),
                 cmd_text(row, "holder"));
    }
    json_array_foreach(json_object_get(incident, "plans"), i, row)
    {
        char bar[TOP_PICTURE];
        top_line(f, TOP_PLAIN, "%-10s %s %s, mass revocation %s %s", i == 0 ? "PLAN" : "",
                 cmd_text(row, "status"), top_bar(f, bar, cmd_int(row, "revoked"), cmd_int(row, "members")),
                 cmd_text(row, "mass"), cmd_text(row, "mass_status"));
    }
    incident_steps(f, incident);
}
