/* Headings and fields of a report held against the template's rows: there, once, in order, in its words. */
#include <string.h>

#include "incident/report_check_internal.h"

/* Where people write something else for a part; also what the guidelines' own field table says. */
static const struct {
    const char *id;
    const char *words;
} otherwise[] = {
    {"lessons.additional", "Other"},
    {"causes", "Root Causes"},
    {"causes", "Root Cause"},
    {"lessons.not-well", "What did not go well"},
    {"lessons.not-well", "What went wrong"},
    {"lessons", "Lessons"},
    {"actions", "Actions"},
    {"related", "Related Bugs"},
    {"summary.source", "Source of disclosure"},
    {"summary.owner-id", "CA Owner unique ID"},
    {"summary.policies", "Policies"},
    {"impact.total", "Number of certificates"},
    {"impact.valid", "Remaining valid certificates"},
    {"impact.stopped", "Was issuance stopped"},
    {"appendix", "Appendices"},
};

/* Letters and digits alone, ASCII, without case. */
static bool alike(lt_slice a, lt_slice b)
{
    size_t i = 0;
    size_t j = 0;
    for (;;) {
        while (i < a.len && !((a.ptr[i] | 0x20) >= 'a' && (a.ptr[i] | 0x20) <= 'z') &&
               !(a.ptr[i] >= '0' && a.ptr[i] <= '9')) {
            i++;
        }
        while (j < b.len && !((b.ptr[j] | 0x20) >= 'a' && (b.ptr[j] | 0x20) <= 'z') &&
               !(b.ptr[j] >= '0' && b.ptr[j] <= '9')) {
            j++;
        }
        if (i == a.len || j == b.len) {
            return i == a.len && j == b.len;
        }
        if ((a.ptr[i] | 0x20) != (b.ptr[j] | 0x20)) {
            return false;
        }
        i++;
        j++;
    }
}

/* In a full report a field belongs to the section before the dot; the others have one section. */
static bool may_be(const struct incident_report_part *p, unsigned kind, enum report_item_kind what,
                   lt_slice section)
{
    if ((p->kinds & kind) == 0 || (p->part == INCIDENT_PART_HEADING) != (what == REPORT_HEADING)) {
        return false;
    }
    size_t dot = lt_slice_find(lt_slice_cstr(p->id), '.');
    return what == REPORT_HEADING || kind != INCIDENT_REPORT_FULL ||
           lt_slice_eq(LT_SLICE(p->id, dot), section);
}

/* The row, or -1; *ret_exact: by its very words. */
static int part_index(unsigned kind, const struct report_item *it, lt_slice section, bool *ret_exact)
{
    int near = -1;
    for (size_t i = 0; i < incident_report_part_count; i++) {
        const struct incident_report_part *p = &incident_report_parts[i];
        if (!may_be(p, kind, it->kind, section)) {
            continue;
        }
        if (lt_slice_eq_cstr(it->label, p->words)) {
            *ret_exact = true;
            return (int)i;
        }
        bool like = it->label.len > 0 && alike(it->label, lt_slice_cstr(p->words));
        for (size_t k = 0; !like && k < LT_COUNT(otherwise); k++) {
            like = strcmp(otherwise[k].id, p->id) == 0 &&
                   lt_slice_eq_nocase(it->label, lt_slice_cstr(otherwise[k].words));
        }
        near = like && near < 0 ? (int)i : near;
    }
    *ret_exact = false;
    return near;
}

struct walk {
    lt_slice section; /* id of the one we are in; empty: none of the template */
    const char *section_words;
    int last_heading; /* rows that came last */
    int last_field;
    bool in_factor;
};

static void met(struct report_check *c, const struct report_item *it, int index, bool exact, struct walk *w)
{
    const struct incident_report_part *p = &incident_report_parts[index];
    bool head = it->kind == REPORT_HEADING;
    int *last = head ? &w->last_heading : &w->last_field;
    if (!exact) {
        REPORT_FOUND(c, R_WORDS, it->line, w->section_words, "\"%.*s\" is \"%s\" in the template",
                     LT_FMT(it->label), p->words);
    }
    if (c->r->parts[index] != NULL) {
        REPORT_FOUND(c, head ? R_SECTION_TWICE : R_FIELD_TWICE, it->line, w->section_words,
                     "\"%s\" is there in line %zu already", p->words, c->r->parts[index]->line);
        return;
    }
    c->r->parts[index] = it;
    if (index < *last) {
        REPORT_FOUND(c, head ? R_SECTION_ORDER : R_FIELD_ORDER, it->line, w->section_words,
                     "\"%s\" comes before \"%s\" in the template", p->words,
                     incident_report_parts[*last].words);
    }
    *last = index > *last ? index : *last;
    if (head && it->level != p->level) {
        REPORT_FOUND(c, R_SECTION_LEVEL, it->line, w->section_words, "\"%s\" has %d \"#\", the template %d",
                     p->words, it->level, p->level);
    }
    if (!head && it->loose) {
        REPORT_FOUND(c, R_FIELD_MARKUP, it->line, w->section_words, "the template has \"**%s:**\"", p->words);
    }
}

static void take_heading(struct report_check *c, const struct report_item *it, struct walk *w)
{
    bool exact = false;
    int index = part_index(c->r->kind, it, w->section, &exact);
    w->in_factor = false;
    if (index < 0) {
        if (it->level <= 3 && !lt_slice_eq_nocase(it->label, LT_LIT("Incident Report"))) {
            REPORT_FOUND(c, R_SECTION_UNKNOWN, it->line, "", "the template has no section \"%.*s\"",
                         LT_FMT(it->label));
            w->section = LT_SLICE(NULL, 0);
            w->section_words = "";
        }
        return; /* deeper ones are somebody's own order within a section */
    }
    w->section = lt_slice_cstr(incident_report_parts[index].id);
    w->section_words = incident_report_parts[index].words;
    w->last_field = -1;
    met(c, it, index, exact, w);
}

static bool has_own_fields(lt_slice section)
{
    static const char *const free_ones[] = {"timeline", "related", "actions", "appendix", "causes", ""};
    for (size_t i = 0; i < LT_COUNT(free_ones); i++) {
        if (lt_slice_eq_cstr(section, free_ones[i])) {
            return true;
        }
    }
    return false;
}

static void take_field(struct report_check *c, const struct report_item *it, struct walk *w)
{
    bool exact = false;
    if (w->in_factor || has_own_fields(w->section)) {
        return;
    }
    int index = part_index(c->r->kind, it, w->section, &exact);
    if (index >= 0) {
        met(c, it, index, exact, w);
    } else if (it->indent == 0) { /* further in people list what they like */
        REPORT_FOUND(c, R_FIELD_UNKNOWN, it->line, w->section_words, "the template has no field \"%.*s\"",
                     LT_FMT(it->label));
    }
}

static bool section_of_field_is_there(const struct report_check *c, const struct incident_report_part *p)
{
    lt_slice id = lt_slice_cstr(p->id);
    lt_slice section = lt_slice_sub(id, 0, lt_slice_find(id, '.'));
    for (size_t i = 0; i < incident_report_part_count; i++) {
        if (lt_slice_eq_cstr(section, incident_report_parts[i].id) &&
            (incident_report_parts[i].kinds & c->r->kind) != 0) {
            return c->r->parts[i] != NULL;
        }
    }
    return true;
}

static const char *section_words(const struct incident_report_part *p)
{
    lt_slice id = lt_slice_cstr(p->id);
    lt_slice section = lt_slice_sub(id, 0, lt_slice_find(id, '.'));
    for (size_t i = 0; i < incident_report_part_count; i++) {
        if (lt_slice_eq_cstr(section, incident_report_parts[i].id)) {
            return incident_report_parts[i].words;
        }
    }
    return "";
}

static void check_missing(struct report_check *c)
{
    for (size_t i = 0; i < incident_report_part_count; i++) {
        const struct incident_report_part *p = &incident_report_parts[i];
        const struct report_item *it = c->r->parts[i];
        bool field = p->part == INCIDENT_PART_FIELD;
        bool optional = strcmp(p->id, "impact.additional") == 0; /* by the guidelines' field table */
        if ((p->kinds & c->r->kind) == 0 || optional || (p->may_lack && c->o->third_party)) {
            continue;
        }
        if (it == NULL && p->level != 2 && (!field || section_of_field_is_there(c, p))) {
            REPORT_FOUND(c, field ? R_FIELD_MISSING : R_SECTION_MISSING, 0, section_words(p),
                         field ? "there is no field \"%s\"" : "there is no section \"%s\"", p->words);
        } else if (it != NULL && field && report_trim(it->whole).len == 0 &&
                   strcmp(p->id, "summary.timeline") != 0) {
            REPORT_FOUND(c, R_FIELD_EMPTY, it->line, section_words(p),
                         "\"%s\" is empty: what does not apply "
                         "says N/A",
                         p->words);
        }
    }
}

void report_check_parts(struct report_check *c)
{
    struct walk w = {.section_words = "", .last_heading = -1, .last_field = -1};
    _Static_assert(REPORT_PARTS_MAX >= 33, "a place for each row");
    LT_ASSERT(incident_report_part_count <= REPORT_PARTS_MAX);
    for (size_t i = 0; i < c->r->doc.count; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        if (it->kind == REPORT_HEADING) {
            take_heading(c, it, &w);
        } else if (it->kind == REPORT_FACTOR) {
            w.in_factor = true;
        } else if (it->kind == REPORT_FIELD) {
            take_field(c, it, &w);
        }
    }
    check_missing(c);
}

const struct report_item *report_part(const struct incident_reading *r, const char *id)
{
    for (size_t i = 0; i < incident_report_part_count; i++) {
        if (strcmp(incident_report_parts[i].id, id) == 0) {
            return r->parts[i];
        }
    }
    return NULL;
}

struct report_range report_section(const struct incident_reading *r, const char *id)
{
    const struct report_item *head = report_part(r, id);
    struct report_range range = {.first = 0};
    if (head == NULL) {
        return range;
    }
    range.first = (size_t)(head - r->doc.items) + 1;
    range.end = range.first;
    while (range.end < r->doc.count &&
           (r->doc.items[range.end].kind != REPORT_HEADING || r->doc.items[range.end].level > head->level)) {
        range.end++;
    }
    return range;
}
