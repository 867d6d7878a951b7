/* Related incidents, root causes, lessons and action items of a report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "incident/report_write_internal.h"

enum { RELATED_MAX = 12, CELLS = 5, ACTIONS_MAX = 1000 };

/* A cell is one line, and a bar ends it. */
static void add_cell(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        lt_buf_add_cstr(out, c == '|' ? "\\" : "");
        lt_buf_add_byte(out, c == '\n' || c == '\r' ? ' ' : c);
    }
}

static void missing(struct report_writer *r, const char *id, const char *words, const char *role)
{
    struct incident_sections *s = r->sections;
    if (s->count < LT_COUNT(s->list)) {
        s->list[s->count++] = (struct incident_section){
            .id = id, .words = words, .role = role, .state = "missing", .by = ""};
        s->missing++;
    }
}

/* ---- related incidents ---- */

struct related {
    lt_slice cells[CELLS]; /* bug, day, CA, causes, what happened */
    int64_t day_us;
    int rank;
};

static bool has_tag(lt_slice tags, const char *tag)
{
    lt_slice word;
    while (lt_slice_split(&tags, ' ', &word)) {
        if (tag[0] != 0 && lt_slice_eq_cstr(word, tag)) {
            return true;
        }
    }
    return false;
}

static bool read_related(const struct report_writer *r, lt_slice line, struct related *ret)
{
    lt_time day;
    const char *cause = incident_fact(r->incident, "cause");
    size_t n = 0;
    if (line.len == 0 || line.ptr[0] == '#') {
        return false;
    }
    while (n < CELLS && lt_slice_split(&line, '\t', &ret->cells[n])) {
        n++;
    }
    if (n != CELLS || lt_failed(lt_time_parse_or_day(ret->cells[1], &day)) || day.us > r->w->now.us) {
        return false; /* what the future brings is not known in a drill of the past */
    }
    ret->day_us = day.us;
    const char *slash = strrchr(cause, '/');
    ret->rank = has_tag(ret->cells[3], slash != NULL ? slash + 1 : cause) ? 0 : 2;
    ret->rank = ret->rank > 1 && r->delayed && has_tag(ret->cells[3], "delayed-revocation") ? 1 : ret->rank;
    return true;
}

static int compare_related(const void *a, const void *b)
{
    const struct related *x = a;
    const struct related *y = b;
    if (x->rank != y->rank) {
        return x->rank - y->rank;
    }
    return x->day_us > y->day_us ? -1 : x->day_us < y->day_us;
}

static void add_related(struct report_writer *r, const struct related *row)
{
    static const char *const why[] = {"the same cause", "a delayed revocation as well",
                                      "of the last years, looked through for what we could learn"};
    lt_buf_addf(r->out, "| [%.*s](https://bugzilla.mozilla.org/show_bug.cgi?id=%.*s) | %.*s | ",
                LT_FMT(row->cells[0]), LT_FMT(row->cells[0]), LT_FMT(row->cells[1]));
    add_cell(r->out, row->cells[2]);
    lt_buf_add_cstr(r->out, ": ");
    add_cell(r->out, row->cells[4]);
    lt_buf_addf(r->out, " Related by: %s. |\n", why[row->rank]);
}

void report_related(struct report_writer *r)
{
    lt_slice rest = lt_slice_cstr(r->w->related);
    lt_slice line;
    size_t count = 0;
    lt_buf_addf(r->out, "\n### Related Incidents\n\n%s", incident_related_head);
    struct related *list = LT_NEW_ARRAY(r->arena, struct related, 1000);
    while (list != NULL && count < 1000 && lt_slice_split(&rest, '\n', &line)) {
        count += read_related(r, line, &list[count]);
    }
    if (count > 0) {
        qsort(list, count, sizeof(*list), compare_related);
    }
    for (size_t i = 0; i < count && i < RELATED_MAX; i++) {
        add_related(r, &list[i]);
    }
    if (count == 0) {
        missing(r, "related", "Related Incidents", "scribe");
    }
}

/* ---- root causes ---- */

static void factor_field(struct report_writer *r, size_t k, const char *text, int64_t cause)
{
    lt_buf_addf(r->out, "- **%s:** ", incident_factor_fields[k]);
    if (text[0] == 0) {
        lt_buf_add_cstr(r->out, "**[To be written by scribe: lintel incident cause]**");
        char id[64];
        (void)snprintf(id, sizeof(id), "causes.%lld.%zu", (long long)cause, k);
        const char *kept = lt_arena_cstr(r->arena, lt_slice_cstr(id));
        missing(r, kept != NULL ? kept : "causes", incident_factor_fields[k], "scribe");
    }
    for (const char *p = text; *p != 0; p++) {
        lt_buf_add_byte(r->out, (uint8_t)*p);
        lt_buf_add_cstr(r->out, *p == '\n' ? "  " : "");
    }
    lt_buf_add_byte(r->out, '\n');
}

static void add_whys(struct report_writer *r, int64_t cause)
{
    size_t i;
    json_t *why;
    json_array_foreach(json_object_get(r->w->facts, "whys"), i, why)
    {
        if (incident_fact_number(why, "cause") == cause) {
            lt_buf_addf(r->out, "  %lld. %s %s", (long long)incident_fact_number(why, "step"),
                        incident_fact(why, "question"), incident_fact(why, "answer"));
            const char *evidence = incident_fact(why, "evidence");
            lt_buf_addf(r->out, evidence[0] != 0 ? " (%s)\n" : "%s\n", evidence);
        }
    }
}

void report_causes(struct report_writer *r)
{
    static const char *const keys[INCIDENT_FACTOR_FIELDS] = {"description", "timeline", "detection",
                                                             "interaction", "method"};
    const json_t *causes = json_object_get(r->w->facts, "causes");
    size_t i;
    json_t *row;
    lt_buf_add_cstr(r->out, "\n### Root Cause Analysis\n");
    json_array_foreach(causes, i, row)
    {
        int64_t cause = incident_fact_number(row, "cause");
        lt_buf_addf(r->out, "\n**%s%zu: %s**\n", INCIDENT_FACTOR_WORDS, i + 1, incident_fact(row, "title"));
        for (size_t k = 0; k < INCIDENT_FACTOR_FIELDS; k++) {
            factor_field(r, k, incident_fact(row, keys[k]), cause);
        }
        add_whys(r, cause);
    }
    if (json_array_size(causes) == 0) {
        lt_buf_addf(r->out, "\n**%s1: [To be written by commander: lintel incident cause]**\n",
                    INCIDENT_FACTOR_WORDS);
        missing(r, "causes", "Root Cause Analysis", "commander");
    }
    if (json_array_size(json_object_get(r->w->facts, "bones")) > 0) {
        lt_buf_add_cstr(r->out, "\nAttached: fishbone.svg, which circumstances led to which factor.\n");
    }
}

/* By its number in the book the number in the report: those that were dropped leave no gap there. */
static size_t place_of(const json_t *rows, const char *key, int64_t id)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (incident_fact_number(row, key) == id) {
            return i + 1;
        }
    }
    return 0;
}

/* "1, 3" of the book as "Root Cause # 1, # 2" of the report. */
static size_t add_places(struct lt_buf *out, const char *text, const json_t *rows, const char *key,
                         const char *words)
{
    size_t count = 0;
    const char *p = text;
    while (*p != 0) {
        size_t digits = strspn(p, "0123456789");
        uint64_t id = 0;
        if (digits == 0) {
            p++;
            continue;
        }
        size_t place = lt_failed(lt_parse_u64(LT_SLICE(p, digits), INT64_MAX, &id))
                           ? 0
                           : place_of(rows, key, (int64_t)id);
        if (place != 0) {
            lt_buf_addf(out, count == 0 ? "%s# %zu" : ", %s# %zu", count == 0 ? words : "", place);
            count++;
        }
        p += digits;
    }
    return count;
}

/* ---- lessons ---- */

static size_t add_lessons(struct report_writer *r, const char *kind, struct lt_buf *out)
{
    const json_t *actions = json_object_get(r->w->facts, "actions");
    size_t count = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(r->w->facts, "lessons"), i, row)
    {
        if (strcmp(incident_fact(row, "kind"), kind) != 0) {
            continue;
        }
        lt_buf_add_cstr(out, "\n- ");
        add_cell(out, lt_slice_cstr(incident_fact(row, "text")));
        struct lt_buf places;
        lt_buf_init(&places, 4096);
        if (add_places(&places, incident_fact(row, "actions"), actions, "id", "Action Item ") > 0) {
            lt_buf_addf(out, " (%s)", lt_buf_cstr(&places));
        }
        lt_buf_done(&places);
        count++;
    }
    return count;
}

void report_lessons(struct report_writer *r)
{
    static const struct {
        const char *id;
        const char *kind;
        bool may_lack;
    } rows[] = {
        {"lessons.well", "well", false},
        {"lessons.not-well", "not-well", false},
        {"lessons.lucky", "lucky", true},
        {"lessons.additional", "additional", true},
    };
    lt_buf_add_cstr(r->out, "\n### Lessons Learned\n\n");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf b;
        lt_buf_init(&b, 1024 * 1024);
        size_t count = add_lessons(r, rows[i].kind, &b);
        const char *text = count == 0 ? "" : lt_arena_cstr(r->arena, lt_buf_slice(&b));
        lt_buf_done(&b);
        report_field(r, rows[i].id, text != NULL && text[0] != 0 ? text : rows[i].may_lack ? "N/A" : "");
    }
}

/* ---- action items ---- */

static void add_action(struct report_writer *r, const json_t *row)
{
    const json_t *causes = json_object_get(r->w->facts, "causes");
    lt_time due = incident_fact_time(row, "due");
    struct lt_date d = lt_date_of(due);
    lt_buf_add_cstr(r->out, "| ");
    add_cell(r->out, lt_slice_cstr(incident_fact(row, "title")));
    lt_buf_addf(r->out, " | %s | ", incident_fact(row, "kind"));
    if (add_places(r->out, incident_fact(row, "causes"), causes, "cause", "Root Cause ") == 0) {
        lt_buf_add_cstr(r->out, "Lessons Learned");
    }
    lt_buf_add_cstr(r->out, " | ");
    add_cell(r->out, lt_slice_cstr(incident_fact(row, "criteria")));
    lt_buf_addf(r->out, " | %04d-%02d-%02d | %s |\n", d.year, d.month, d.day, incident_fact(row, "status"));
}

void report_actions(struct report_writer *r)
{
    const json_t *actions = json_object_get(r->w->facts, "actions");
    size_t i;
    json_t *row;
    lt_buf_addf(r->out, "\n### Action Items\n\n%s", incident_actions_head);
    json_array_foreach(actions, i, row)
    {
        add_action(r, row);
    }
    if (json_array_size(actions) == 0) {
        missing(r, "actions", "Action Items", "commander");
    }
}
