/* The check of a report: which template it is, then each part of it in turn. */
#include "incident/report_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "incident/report_check_internal.h"

#define REPORT_RULE_ROW(name_, id_, severity_, citation_, asks_) \
    {id_, INCIDENT_##severity_, citation_, asks_},
const struct incident_report_rule incident_report_rules[] = {REPORT_RULES(REPORT_RULE_ROW)};
const size_t incident_report_rule_count = LT_COUNT(incident_report_rules);

const char *incident_severity_name(enum incident_severity s)
{
    static const char *const names[] = {"", "note", "warning", "error"};
    return names[s];
}

void incident_findings_init(struct incident_findings *f, struct lt_arena *a)
{
    *f = (struct incident_findings){.list = LT_NEW_ARRAY(a, struct incident_finding, INCIDENT_FINDINGS_MAX)};
}

void report_found(struct incident_findings *out, struct lt_arena *a, const char *file, enum report_rule rule,
                  size_t line, const char *section, const char *format, ...)
{
    char text[400];
    va_list args;
    if (out->list == NULL || out->count == INCIDENT_FINDINGS_MAX) {
        out->left_off++;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lt_slice shown = lt_slice_cstr(text);
    while (shown.len > 0 && !report_is_utf8(shown)) {
        shown.len--; /* cut inside of a character */
    }
    const char *message = lt_arena_cstr(a, shown);
    out->list[out->count++] = (struct incident_finding){
        .rule = &incident_report_rules[rule],
        .file = file,
        .line = line,
        .section = section,
        .message = message != NULL ? message : "",
    };
}

static const struct {
    const char *words;
    unsigned kind;
} headings[] = {
    {"Preliminary Incident Report", INCIDENT_REPORT_PRELIMINARY},
    {"Full Incident Report", INCIDENT_REPORT_FULL},
    {"Report Closure Summary", INCIDENT_REPORT_CLOSURE},
};

/* Which template it follows. The one before 3.0 has neither of the headings. */
static unsigned kind_of(const struct report_check *c)
{
    size_t impact = 0;
    size_t line = 0;
    for (size_t i = 0; i < c->r->doc.count; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        if (it->kind != REPORT_HEADING) {
            continue;
        }
        for (size_t k = 0; k < LT_COUNT(headings); k++) {
            if (lt_slice_eq_nocase(it->label, lt_slice_cstr(headings[k].words))) {
                return headings[k].kind;
            }
        }
        if (lt_slice_eq_nocase(it->label, LT_LIT("Incident Report"))) {
            line = it->line;
        }
        if (lt_slice_eq_nocase(it->label, LT_LIT("Impact")) && impact == 0) {
            impact = it->line;
        }
    }
    if (line != 0) {
        REPORT_FOUND(c, R_OLD, line, "", "\"Incident Report\" is the heading of a template before 3.0");
        return INCIDENT_REPORT_FULL;
    }
    REPORT_FOUND(c, R_HEADING, 0, "",
                 "there is none of \"## Preliminary Incident Report\", \"## Full Incident Report\", "
                 "\"### Report Closure Summary\"");
    return impact != 0 ? INCIDENT_REPORT_FULL : 0;
}

static bool says_delayed(lt_slice s)
{
    static const char *const words[] = {"delayed revocation", "delayed-revocation", "revocation delay",
                                        "failure to revoke", "delay in revo"};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (report_has(s, words[i])) {
            return true;
        }
    }
    return false;
}

static void check_title(struct report_check *c)
{
    if (c->o->title == NULL) {
        return;
    }
    lt_slice title = lt_slice_cstr(c->o->title);
    size_t colon = lt_slice_find(title, ':');
    if (colon == 0 || colon == title.len || report_trim(lt_slice_sub(title, colon + 1, title.len)).len == 0) {
        REPORT_FOUND(c, R_TITLE, 0, "", "\"%.*s\" is not \"CA owner: title\"", LT_FMT(title));
    }
}

static void check_closure(struct report_check *c)
{
    lt_slice text = c->r->doc.text;
    lt_slice sentence = lt_slice_cstr(incident_closure_sentence);
    /* White space may be broken otherwise: compared word by word. */
    for (size_t i = 0; i < text.len; i++) {
        size_t at = i;
        size_t n = 0;
        while (n < sentence.len && at < text.len) {
            bool blank = text.ptr[at] == ' ' || text.ptr[at] == '\n' || text.ptr[at] == '\r';
            if (sentence.ptr[n] == ' ' && blank) {
                while (at < text.len &&
                       (text.ptr[at] == ' ' || text.ptr[at] == '\n' || text.ptr[at] == '\r')) {
                    at++;
                }
                n++;
            } else if (sentence.ptr[n] == text.ptr[at]) {
                at++;
                n++;
            } else {
                break;
            }
        }
        if (n == sentence.len) {
            return;
        }
    }
    REPORT_FOUND(c, R_CLOSURE, 0, "Report Closure Summary", "it lacks \"%s\"", incident_closure_sentence);
}

static void check_full(struct report_check *c)
{
    report_check_timeline(c);
    report_check_related(c);
    report_check_factors(c);
    report_check_actions(c);
    report_check_lessons(c);
}

lt_res incident_report_check(const struct incident_check *o, const char *file, lt_slice text,
                             struct lt_arena *a, struct incident_findings *out,
                             struct incident_reading **ret_report)
{
    struct incident_reading *r = LT_NEW(a, struct incident_reading);
    LT_CHECK(r != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    struct report_check c = {.o = o, .r = r, .arena = a, .out = out};
    r->file = file;
    r->total = -1;
    r->valid = -1;
    *ret_report = r;
    if (lt_slice_starts(text, LT_LIT("\xef\xbb\xbf"))) {
        text = lt_slice_sub(text, 3, text.len);
    }
    lt_res read = report_read(text, a, &r->doc);
    if (lt_failed(read)) {
        REPORT_FOUND(&c, R_READ, 0, "", "%s", lt_error_last()->detail);
        return LT_OK;
    }
    r->kind = kind_of(&c);
    check_title(&c);
    if (r->kind == 0) {
        return LT_OK;
    }
    r->delayed = o->delayed || (o->title != NULL && says_delayed(lt_slice_cstr(o->title)));
    report_check_parts(&c);
    const struct report_item *description = report_part(r, "summary.description");
    r->delayed = r->kind == INCIDENT_REPORT_FULL &&
                 (r->delayed || (description != NULL && says_delayed(description->whole)));
    report_check_fields(&c);
    if (r->kind == INCIDENT_REPORT_FULL) {
        check_full(&c);
    } else if (r->kind == INCIDENT_REPORT_CLOSURE) {
        check_closure(&c);
    }
    report_check_prose(&c);
    return LT_OK;
}

unsigned incident_report_kind(const struct incident_reading *r)
{
    return r->kind == INCIDENT_REPORT_FULL && r->delayed ? INCIDENT_REPORT_DELAYED : r->kind;
}

/* ---- several files ---- */

static const struct incident_reading *first_of(struct incident_reading *const *reports, size_t count,
                                               unsigned kind)
{
    for (size_t i = 0; i < count; i++) {
        if (reports[i]->kind == kind) {
            return reports[i];
        }
    }
    return NULL;
}

static void check_closed(const struct incident_reading *full, const struct incident_reading *closure,
                         struct lt_arena *a, struct incident_findings *out)
{
    for (size_t i = 0; i < full->action_count; i++) {
        const struct report_action *action = &full->actions[i];
        if (!lt_slice_eq_nocase(action->status, LT_LIT("Complete")) &&
            !lt_slice_eq_nocase(action->status, LT_LIT("Canceled"))) {
            report_found(out, a, closure->file, R_CLOSURE_OPEN, 0, "Report Closure Summary",
                         "action item %zu of %s, line %zu, is \"%.*s\"", i + 1, full->file, action->line,
                         LT_FMT(action->status));
        }
    }
}

static void check_sources(const struct incident_reading *full, const struct incident_reading *preliminary,
                          struct lt_arena *a, struct incident_findings *out)
{
    const struct report_item *f = report_part(full, "summary.source");
    const struct report_item *p = report_part(preliminary, "summary.source");
    if (f != NULL && p != NULL && !report_is_na(p->whole) &&
        !lt_slice_eq_nocase(report_plain(f->whole), report_plain(p->whole))) {
        report_found(out, a, full->file, R_TOGETHER, f->line, "Summary",
                     "the source is \"%.*s\", and \"%.*s\" in %s", LT_FMT(f->whole), LT_FMT(p->whole),
                     preliminary->file);
    }
}

/* At least what is still valid must be there, and no more than all. */
static void check_counts(const struct incident_reading *full, const struct report_appendix_sum *s,
                         struct lt_arena *a, struct incident_findings *out)
{
    if (full->total >= 0 && s->rows > full->total) {
        report_found(out, a, s->file, R_APPENDIX_COUNT, 0, "Appendix",
                     "it has %lld certificates, the report says %lld in all", (long long)s->rows,
                     (long long)full->total);
    } else if (full->valid >= 0 && s->rows < full->valid) {
        report_found(out, a, s->file, R_APPENDIX_COUNT, 0, "Appendix",
                     "it has %lld certificates, the report says that %lld are still valid",
                     (long long)s->rows, (long long)full->valid);
    } else if (full->total >= 0 && full->valid >= 0 && !s->list && full->total - full->valid < s->revoked) {
        report_found(out, a, s->file, R_APPENDIX_COUNT, 0, "Appendix",
                     "it has %lld revoked certificates, by the report only %lld are no longer valid",
                     (long long)s->revoked, (long long)(full->total - full->valid));
    }
    if (s->list && full->total >= 0 && full->total < INCIDENT_APPENDIX_LIST_FROM) {
        report_found(out, a, s->file, R_APPENDIX_LIST, 0, "Appendix",
                     "%lld certificates are attached as a CSV, not as a list of addresses",
                     (long long)full->total);
    }
}

lt_res incident_report_check_together(const struct incident_check *o, struct incident_reading *const *reports,
                                      size_t count, struct incident_appendix *const *appendices,
                                      size_t appendix_count, struct lt_arena *a,
                                      struct incident_findings *out)
{
    const struct incident_reading *full = first_of(reports, count, INCIDENT_REPORT_FULL);
    const struct incident_reading *preliminary = first_of(reports, count, INCIDENT_REPORT_PRELIMINARY);
    const struct incident_reading *closure = first_of(reports, count, INCIDENT_REPORT_CLOSURE);
    struct report_appendix_sum all = {.file = "", .rows = 0};
    (void)o;
    if (full == NULL) {
        return LT_OK;
    }
    if (closure != NULL) {
        check_closed(full, closure, a, out);
    }
    if (preliminary != NULL) {
        check_sources(full, preliminary, a, out);
    }
    for (size_t i = 0; i < appendix_count; i++) {
        struct report_appendix_sum s;
        report_appendix_sum(appendices[i], &s);
        all.file = s.file;
        all.list = all.list || s.list;
        all.rows += s.rows;
        all.revoked += s.revoked;
        all.live += s.live;
    }
    if (appendix_count > 0) {
        check_counts(full, &all, a, out);
    }
    return LT_OK;
}
