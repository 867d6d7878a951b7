/* Headings and fields of a report. */
#include <stdio.h>
#include <string.h>

#include "incident/report_write_internal.h"

const char *incident_fact(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

int64_t incident_fact_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

lt_time incident_fact_time(const json_t *object, const char *key)
{
    lt_time t = {0};
    const char *text = incident_fact(object, key);
    if (text[0] != 0 && lt_failed(lt_time_parse(lt_slice_cstr(text), &t))) {
        t.us = 0;
    }
    return t;
}

/*= CCADB IRG 3.2: times are in UTC, to the minute. */
void incident_add_minute(struct lt_buf *out, lt_time t)
{
    struct lt_date d = lt_date_of(t);
    lt_buf_addf(out, "%04d-%02d-%02d %02d:%02d UTC", d.year, d.month, d.day, d.hour, d.minute);
}

void incident_add_count(struct lt_buf *out, int64_t n)
{
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-') {
            lt_buf_add_byte(out, ',');
        }
        lt_buf_add_byte(out, (uint8_t)digits[i]);
    }
}

/* ---- what people wrote ---- */

/* A report without a text of its own has that of the one before it; then that of the house. */
static const char *const before[][4] = {
    {"preliminary", NULL},
    {"full", "preliminary", NULL},
    {"delayed", "full", "preliminary", NULL},
    {"closure", "full", "preliminary", NULL},
};

static const json_t *section_row(const json_t *facts, int64_t incident, const char *kind, const char *id)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(facts, "sections"), i, row)
    {
        if (incident_fact_number(row, "incident") == incident &&
            strcmp(incident_fact(row, "kind"), kind) == 0 && strcmp(incident_fact(row, "section"), id) == 0) {
            return row;
        }
    }
    return NULL;
}

const char *report_text(const struct report_writer *r, const char *id, const json_t **ret_row)
{
    const char *kind = incident_report_kind_name(r->w->kind);
    int64_t number = incident_fact_number(r->incident, "id");
    *ret_row = section_row(r->w->facts, number, kind, id);
    for (int house = 0; house < 2; house++) {
        for (size_t k = 0; k < LT_COUNT(before); k++) {
            for (size_t i = 0; strcmp(before[k][0], kind) == 0 && before[k][i] != NULL; i++) {
                const json_t *row = section_row(r->w->facts, house ? 0 : number, before[k][i], id);
                if (incident_fact(row, "text")[0] != 0) {
                    *ret_row = *ret_row != NULL && i == 0 ? *ret_row : row;
                    return incident_fact(row, "text");
                }
            }
        }
    }
    return "";
}

/* Further lines belong to the same field: two blanks in front of each. */
static void add_text(struct lt_buf *out, const char *text)
{
    lt_slice rest = lt_slice_cstr(text);
    lt_slice line;
    bool first = true;
    while (rest.len > 0 && rest.ptr[rest.len - 1] == '\n') {
        rest.len--;
    }
    while (lt_slice_split(&rest, '\n', &line)) {
        lt_buf_add_cstr(out, first ? "" : line.len > 0 ? "\n  " : "\n");
        lt_buf_add(out, line);
        first = false;
    }
}

static lt_time clock_due(const struct report_writer *r, const char *duty)
{
    lt_time due = {0};
    size_t i;
    json_t *clock;
    json_array_foreach(json_object_get(r->w->facts, "clocks"), i, clock)
    {
        if (strcmp(incident_fact(clock, "duty"), duty) == 0) {
            due = incident_fact_time(clock, "due");
        }
    }
    return due;
}

/* The clock of a report of that kind: its sections are due with it. Where it does not run yet, when it will
 * be over if the report before comes at the last moment; what is delayed is said before the deadline is over.
 */
static lt_time due_of(const struct report_writer *r, const json_t *row)
{
    static const int64_t full_days = 14;
    lt_time due = incident_fact_time(row, "due");
    if (due.us != 0) {
        return due;
    }
    lt_time first = clock_due(r, "irg-1");
    switch (r->w->kind) {
    case INCIDENT_REPORT_PRELIMINARY:
        return first;
    case INCIDENT_REPORT_FULL:
        due = clock_due(r, "irg-2");
        return due.us != 0 || first.us == 0 ? due
                                            : lt_time_add_seconds(first, full_days * LT_SECONDS_PER_DAY);
    case INCIDENT_REPORT_DELAYED:
        due = clock_due(r, "irg-9");
        return due.us != 0 ? due : incident_fact_time(r->incident, "must");
    }
    return clock_due(r, "irg-8");
}

static const char *role_of(const struct report_writer *r, const struct incident_report_part *p,
                           const json_t *row)
{
    const char *role = incident_fact(row, "role");
    const char *named = role[0] != 0 ? role : p->role[0] != 0 ? p->role : "scribe";
    size_t i;
    json_t *holder;
    json_array_foreach(json_object_get(r->w->facts, "roles"), i, holder)
    {
        if (strcmp(incident_fact(holder, "role"), named) == 0 &&
            incident_fact_time(holder, "until").us == 0) {
            const char *text = lt_arena_printf(r->arena, "%s (%s)", named, incident_fact(holder, "holder"));
            return text != NULL ? text : named;
        }
    }
    return named;
}

static void note_section(struct report_writer *r, const struct incident_report_part *p, const json_t *row,
                         const char *state)
{
    struct incident_sections *s = r->sections;
    bool is_signed = incident_fact_time(row, "signed").us != 0;
    bool written = strcmp(state, "written") == 0;
    if (s->count == LT_COUNT(s->list)) {
        return;
    }
    s->list[s->count++] = (struct incident_section){
        .id = p->id,
        .words = p->words,
        .role = role_of(r, p, row),
        .state = written && is_signed ? "signed" : state,
        .due = due_of(r, row),
        .by = is_signed ? incident_fact(row, "signed_by") : incident_fact(row, "written_by"),
    };
    s->missing += strcmp(state, "missing") == 0;
    s->unsigned_ += written && !is_signed;
}

void report_field(struct report_writer *r, const char *id, const char *computed)
{
    const json_t *row = NULL;
    const struct incident_report_part *p = incident_report_part_of(r->w->kind, lt_slice_cstr(id));
    const char *text = report_text(r, id, &row);
    LT_ASSERT(p != NULL);
    bool list = text[0] == 0 && computed[0] == '\n'; /* it begins on the next line */
    lt_buf_addf(r->out, "%s- **%s:**%s", p->level == 1 ? "   " : "", p->words, list ? "" : " ");
    if (text[0] != 0) {
        add_text(r->out, text);
        note_section(r, p, row, "written");
    } else if (computed[0] != 0) {
        add_text(r->out, computed);
        note_section(r, p, row, "computed");
    } else {
        lt_time due = due_of(r, row);
        lt_buf_addf(r->out, "**[To be written by %s", role_of(r, p, row));
        if (due.us != 0) {
            lt_buf_add_cstr(r->out, " until ");
            incident_add_minute(r->out, due);
        }
        lt_buf_add_cstr(r->out, "]**");
        note_section(r, p, row, "missing");
    }
    lt_buf_add_byte(r->out, '\n');
}

/* ---- what the book says ---- */

static const char *ready(struct report_writer *r, struct lt_buf *b)
{
    const char *text = lt_arena_cstr(r->arena, lt_buf_slice(b));
    lt_buf_done(b);
    return text != NULL ? text : "";
}

static const char *minute(struct report_writer *r, lt_time t)
{
    struct lt_buf b;
    if (t.us == 0) {
        return "";
    }
    lt_buf_init(&b, 64);
    incident_add_minute(&b, t);
    return ready(r, &b);
}

static const char *source_words(const struct report_writer *r)
{
    const char *source = incident_fact(r->incident, "source");
    return strcmp(source, "problem-report") == 0 ? "Third Party Reported"
           : strcmp(source, "audit") == 0        ? "Audit"
                                                 : "Self Reported";
}

/* Which sections set the clocks that run; a person adds what was broken. */
static const char *policies(struct report_writer *r)
{
    struct lt_buf b;
    size_t i;
    json_t *clock;
    lt_buf_init(&b, 4096);
    json_array_foreach(json_object_get(r->w->facts, "clocks"), i, clock)
    {
        lt_slice section = lt_slice_cstr(incident_fact(clock, "section"));
        const lt_slice prefix = LT_LIT("CABF-BR ");
        if (strncmp(incident_fact(clock, "duty"), "revoke-", 7) == 0 && lt_slice_starts(section, prefix)) {
            lt_buf_addf(&b, "%sCA/Browser Forum TLS Baseline Requirements 2.2.6, section %.*s",
                        b.len > 0 ? "; " : "", LT_FMT(lt_slice_sub(section, prefix.len, section.len)));
        }
    }
    return ready(r, &b);
}

static const json_t *last_of(const struct report_writer *r, const char *list)
{
    const json_t *rows = json_object_get(r->w->facts, list);
    return json_array_get(rows, json_array_size(rows) - 1);
}

int64_t report_total(const struct report_writer *r)
{
    if (r->w->numbers->known) {
        return r->w->numbers->total;
    }
    const json_t *scope = last_of(r, "scopes");
    return scope == NULL ? -1 : incident_fact_number(scope, "count");
}

static const char *count_words(struct report_writer *r, int64_t n)
{
    struct lt_buf b;
    if (n < 0) {
        return "";
    }
    lt_buf_init(&b, 64);
    incident_add_count(&b, n);
    return ready(r, &b);
}

static int64_t still_valid(const struct report_writer *r)
{
    const struct incident_numbers *n = r->w->numbers;
    return n->known ? n->total - n->revoked - n->expired : -1;
}

static const char *types(struct report_writer *r)
{
    struct lt_buf b;
    lt_buf_init(&b, 400);
    for (size_t i = 0; i < LT_COUNT(r->w->numbers->by_type); i++) {
        if (r->w->numbers->known && r->w->numbers->by_type[i] > 0) {
            lt_buf_addf(&b, "%s%s: ", b.len > 0 ? ", " : "", INCIDENT_TYPES[i]);
            incident_add_count(&b, r->w->numbers->by_type[i]);
        }
    }
    return ready(r, &b);
}

static const char *heuristic(struct report_writer *r)
{
    struct lt_buf b;
    const json_t *scope = last_of(r, "scopes");
    if (scope == NULL) {
        return "";
    }
    lt_buf_init(&b, 48 * 1024);
    lt_buf_addf(&b,
                "%sIn our book they are those for which this expression holds (scope version %lld, %s):\n"
                "`%s`",
                r->w->appendix[0] != 0 ? "The full corpus of affected certificates is attached. " : "",
                (long long)incident_fact_number(scope, "version"),
                minute(r, incident_fact_time(scope, "as_of")), incident_fact(scope, "text"));
    return ready(r, &b);
}

static const char *stopped(struct report_writer *r)
{
    struct lt_buf b;
    size_t i;
    json_t *halt;
    lt_buf_init(&b, 16 * 1024);
    json_array_foreach(json_object_get(r->w->facts, "halts"), i, halt)
    {
        lt_buf_addf(&b, "%s issued nothing for %s %s since %s", i == 0 ? "Yes. We" : "; and",
                    incident_fact(halt, "kind"), incident_fact(halt, "value"),
                    minute(r, incident_fact_time(halt, "since")));
        if (incident_fact_time(halt, "lifted").us != 0) {
            lt_buf_addf(&b, " until %s", minute(r, incident_fact_time(halt, "lifted")));
        }
        lt_buf_addf(&b, " (%s)", incident_fact(halt, "reason"));
    }
    lt_buf_add_cstr(&b, b.len > 0 ? "." : "");
    return ready(r, &b);
}

lt_time report_expected(const struct report_writer *r)
{
    lt_time last = incident_fact_time(last_of(r, "plans"), "end");
    size_t i;
    json_t *delay;
    json_array_foreach(json_object_get(r->w->facts, "delays"), i, delay)
    {
        lt_time until = incident_fact_time(delay, "until");
        last = until.us > last.us ? until : last;
    }
    lt_time expiry = lt_time_from_seconds(r->w->numbers->last_not_after_s);
    bool late = last.us <= r->w->now.us; /* the plan did not reach them: they run out */
    return late && expiry.us > last.us ? expiry : last;
}

/*= CCADB IRG 3.2: revoked; not yet revoked; planned but expired; an estimate when all are done. */
static void four_numbers(struct report_writer *r)
{
    const struct incident_numbers *n = r->w->numbers;
    lt_time all = report_expected(r);
    if (!n->known) {
        return;
    }
    lt_buf_add_cstr(r->out, "  As of ");
    incident_add_minute(r->out, r->w->now);
    lt_buf_add_cstr(r->out, ":\n  - Revoked: ");
    incident_add_count(r->out, n->revoked);
    lt_buf_add_cstr(r->out, "\n  - Not yet revoked: ");
    incident_add_count(r->out, n->total - n->revoked - n->expired);
    lt_buf_add_cstr(r->out, "\n  - Planned but expired: ");
    incident_add_count(r->out, n->expired);
    lt_buf_add_cstr(r->out, "\n  - All done, estimated: ");
    lt_buf_add_cstr(r->out, all.us == 0 ? "not known yet" : minute(r, all));
    lt_buf_add_byte(r->out, '\n');
}

/*= CCADB IRG 3.2: the first disclosure says what is known of the impact, and contained or ongoing. */
static void known_so_far(struct report_writer *r)
{
    int64_t total = report_total(r);
    const char *halted = stopped(r);
    lt_buf_add_cstr(r->out, "  Known so far: ");
    if (total >= 0) {
        incident_add_count(r->out, total);
        lt_buf_add_cstr(r->out, " certificates are affected.");
    } else {
        lt_buf_add_cstr(r->out, "which certificates are affected is being found out.");
    }
    lt_buf_addf(r->out, " %s\n", halted[0] != 0 ? halted + strlen("Yes. ") : "Issuance goes on.");
}

/* ---- the four kinds ---- */

static void write_summary(struct report_writer *r)
{
    bool full = (r->w->kind & INCIDENT_REPORT_FULLS) != 0;
    lt_buf_add_cstr(r->out, full ? "### Summary\n\n" : "### Summary\n");
    if (full) {
        report_field(r, "summary.owner-id", "");
    }
    report_field(r, "summary.description", "");
    if (!full) {
        known_so_far(r);
    } else {
        lt_buf_add_cstr(r->out, "- **Timeline summary:**\n");
        report_field(r, "summary.start", "");
        report_field(r, "summary.identified", minute(r, incident_fact_time(r->incident, "aware")));
        report_field(r, "summary.end", minute(r, incident_fact_time(r->incident, "contained")));
    }
    report_field(r, "summary.policies", policies(r));
    report_field(r, "summary.source", source_words(r));
}

static void write_impact(struct report_writer *r)
{
    lt_buf_add_cstr(r->out, "\n### Impact\n\n");
    report_field(r, "impact.total", count_words(r, report_total(r)));
    report_field(r, "impact.valid", count_words(r, still_valid(r)));
    report_field(r, "impact.types", types(r));
    report_field(r, "impact.heuristic", heuristic(r));
    report_field(r, "impact.stopped", stopped(r));
    report_field(r, "impact.analysis", r->delayed ? "" : "N/A");
    report_field(r, "impact.additional", r->delayed ? "The four numbers of a delayed revocation:" : "N/A");
    if (r->delayed) {
        four_numbers(r);
    }
}

static void write_full(struct report_writer *r)
{
    const json_t *row = NULL;
    lt_buf_add_cstr(r->out, "## Full Incident Report\n\n");
    write_summary(r);
    write_impact(r);
    report_timeline(r);
    report_related(r);
    report_causes(r);
    report_lessons(r);
    report_actions(r);
    lt_buf_add_cstr(r->out, "\n### Appendix\n\n");
    const char *own = report_text(r, "appendix", &row);
    if (r->w->appendix[0] != 0) {
        lt_buf_addf(r->out, "Attached: %s.\n", r->w->appendix);
    }
    lt_buf_addf(r->out, "%s%s", own, own[0] != 0 ? "\n" : "");
    if (own[0] == 0 && r->w->appendix[0] == 0) {
        lt_buf_add_cstr(r->out, report_total(r) > 0 ? "**[To be written by revocation: where the list of "
                                                      "certificates is]**\n"
                                                    : "No certificate is affected.\n");
    }
}

static const char *joined(struct report_writer *r, const char *list, const char *key, const char *status)
{
    struct lt_buf b;
    size_t i;
    json_t *row;
    lt_buf_init(&b, 48 * 1024);
    json_array_foreach(json_object_get(r->w->facts, list), i, row)
    {
        if (status == NULL || strcmp(incident_fact(row, "status"), status) == 0) {
            lt_buf_addf(&b, "%s%s", b.len > 0 ? "; " : "", incident_fact(row, key));
        }
    }
    return ready(r, &b);
}

static void write_closure(struct report_writer *r)
{
    lt_buf_add_cstr(r->out, "### Report Closure Summary\n\n");
    report_field(r, "summary.description", "");
    report_field(r, "closure.causes", joined(r, "causes", "title", NULL));
    report_field(r, "closure.remediation", joined(r, "actions", "title", "Complete"));
    report_field(r, "closure.commitments", "N/A");
    lt_buf_addf(r->out, "\n%s\n", incident_closure_sentence);
}

lt_res incident_report_write(const struct incident_writing *w, struct lt_arena *a, struct lt_buf *out,
                             struct incident_sections *ret_sections)
{
    struct report_writer r = {
        .w = w,
        .arena = a,
        .out = out,
        .sections = ret_sections,
        .incident = json_object_get(w->facts, "incident"),
        .delayed = w->kind == INCIDENT_REPORT_DELAYED,
    };
    *ret_sections = (struct incident_sections){.count = 0};
    LT_CHECK(r.incident != NULL, LT_STATE_CORRUPT, "the answer has no incident");
    if (w->kind == INCIDENT_REPORT_PRELIMINARY) {
        lt_buf_add_cstr(out, "## Preliminary Incident Report\n\n");
        write_summary(&r);
    } else if (w->kind == INCIDENT_REPORT_CLOSURE) {
        write_closure(&r);
    } else {
        write_full(&r);
    }
    return lt_buf_check(out);
}
