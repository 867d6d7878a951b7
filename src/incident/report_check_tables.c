/* Related incidents, root causes, action items and lessons; and that each cause and each lesson is answered.
 */
#include <string.h>

#include "base/text.h"
#include "incident/report_check_internal.h"

/* Of the section's first table: its head and its rows. */
struct table {
    const struct report_item *head;
    const struct report_item *rows[REPORT_ACTIONS_MAX];
    size_t count;
};

static void read_table(const struct incident_reading *r, const char *id, struct table *t)
{
    struct report_range range = report_section(r, id);
    *t = (struct table){.head = NULL};
    for (size_t i = range.first; i < range.end; i++) {
        const struct report_item *it = &r->doc.items[i];
        if (it->kind != REPORT_ROW || report_row_is_rule(it->value)) {
            continue;
        }
        if (t->head == NULL) {
            t->head = it;
        } else if (t->count < REPORT_ACTIONS_MAX) {
            t->rows[t->count++] = it;
        }
    }
}

static bool head_is(const struct report_item *head, const char *const *words, size_t count)
{
    lt_slice cells[REPORT_CELLS_MAX];
    size_t n = report_cells(head->value, cells);
    bool same = n == count;
    for (size_t i = 0; same && i < count; i++) {
        same = lt_slice_eq_cstr(report_plain(cells[i]), words[i]);
    }
    return same;
}

/* ---- related incidents ---- */

void report_check_related(struct report_check *c)
{
    static const char *const words[] = {"Bug", "Date", "Description"};
    static const char section[] = "Related Incidents";
    const struct report_item *head = report_part(c->r, "related");
    struct table t;
    int64_t oldest = c->o->now.us - 2 * 366 * LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    bool fresh = false;
    if (head == NULL) {
        return;
    }
    read_table(c->r, "related", &t);
    if (t.head == NULL || t.count == 0) {
        REPORT_FOUND(c, R_RELATED, head->line, section, "there is no row: other CAs' incidents count too");
        return;
    }
    if (!head_is(t.head, words, LT_COUNT(words))) {
        REPORT_FOUND(c, R_RELATED_HEAD, t.head->line, section, "the columns are Bug, Date, Description");
    }
    for (size_t i = 0; i < t.count; i++) {
        lt_slice cells[REPORT_CELLS_MAX];
        struct report_date d = {.has_time = false};
        size_t n = report_cells(t.rows[i]->value, cells);
        if (n >= 1 && report_has(cells[0], "related bug url")) {
            REPORT_FOUND(c, R_PLACEHOLDER, t.rows[i]->line, section, "the template's example is still there");
        } else if (n < 3 || report_trim(cells[2]).len == 0) {
            REPORT_FOUND(c, R_RELATED_ROW, t.rows[i]->line, section, "a row says how the bug is related");
        } else if (!report_has(cells[0], "http")) {
            REPORT_FOUND(c, R_RELATED_ROW, t.rows[i]->line, section, "\"%.*s\" is no link to a bug",
                         LT_FMT(cells[0]));
        } else if (!report_date_find(cells[1], &d) || d.wrong) {
            REPORT_FOUND(c, R_RELATED_ROW, t.rows[i]->line, section, "\"%.*s\" is no date", LT_FMT(cells[1]));
        }
        fresh = fresh || d.time.us >= oldest;
    }
    if (!fresh) {
        REPORT_FOUND(c, R_RELATED_OLD, t.head->line, section, "no row is of the last two years");
    }
}

/* ---- root causes ---- */

/* How the analysis was done is recommended, and optional. */
enum { FACTOR_FIELDS_NEEDED = INCIDENT_FACTOR_FIELDS - 1 };

static void check_factor_fields(struct report_check *c, size_t index)
{
    static const char section[] = "Root Cause Analysis";
    const struct report_item *factor = c->r->factors[index].item;
    const struct report_item *end = &c->r->doc.items[report_section(c->r, "causes").end];
    const struct report_item *fields[INCIDENT_FACTOR_FIELDS] = {NULL};
    for (const struct report_item *it = factor + 1; it < end && it->kind != REPORT_FACTOR; it++) {
        for (size_t k = 0; it->kind == REPORT_FIELD && k < INCIDENT_FACTOR_FIELDS; k++) {
            if (lt_slice_eq_nocase(it->label, lt_slice_cstr(incident_factor_fields[k]))) {
                fields[k] = it;
            }
        }
    }
    for (size_t k = 0; k < FACTOR_FIELDS_NEEDED; k++) {
        if (fields[k] == NULL) {
            REPORT_FOUND(c, R_FACTOR_FIELD, factor->line, section, "factor %.*s has no field \"%s\"",
                         LT_FMT(factor->label), incident_factor_fields[k]);
        } else if (report_trim(fields[k]->whole).len == 0) {
            REPORT_FOUND(c, R_FACTOR_FIELD, fields[k]->line, section, "\"%s\" of factor %.*s is empty",
                         incident_factor_fields[k], LT_FMT(factor->label));
        }
    }
    if (fields[0] != NULL && report_trim(fields[0]->whole).len > 0 && fields[0]->whole.len < 40) {
        REPORT_FOUND(c, R_PROSE_SHALLOW, fields[0]->line, section, "\"%.*s\" explains little",
                     LT_FMT(fields[0]->whole));
    }
}

static void check_factor_head(struct report_check *c, size_t index)
{
    static const char section[] = "Root Cause Analysis";
    const struct report_item *it = c->r->factors[index].item;
    uint64_t n = 0;
    if (it->label.len == 0 && (it->value.len == 0 || lt_slice_eq_cstr(it->value, "title"))) {
        REPORT_FOUND(c, R_PLACEHOLDER, it->line, section, "the template's \"Contributing Factor #: title\"");
        return;
    }
    if (lt_failed(lt_parse_u64(it->label, 1000, &n)) || n != index + 1) {
        REPORT_FOUND(c, R_FACTOR_NUMBER, it->line, section, "factor \"%.*s\" comes as number %zu",
                     LT_FMT(it->label), index + 1);
    }
    if (it->value.len == 0 || lt_slice_eq_nocase(it->value, LT_LIT("title"))) {
        REPORT_FOUND(c, R_FACTOR_TITLE, it->line, section, "factor %.*s has no title", LT_FMT(it->label));
    }
}

void report_check_factors(struct report_check *c)
{
    static const char section[] = "Root Cause Analysis";
    struct report_range range = report_section(c->r, "causes");
    const struct report_item *head = report_part(c->r, "causes");
    if (head == NULL) {
        return;
    }
    for (size_t i = range.first; i < range.end && c->r->factor_count < REPORT_FACTORS_MAX; i++) {
        if (c->r->doc.items[i].kind == REPORT_FACTOR) {
            c->r->factors[c->r->factor_count++].item = &c->r->doc.items[i];
        }
    }
    if (c->r->factor_count == 0) {
        REPORT_FOUND(c, R_FACTOR, head->line, section, "there is no \"**Contributing Factor #1: …**\"");
    } else if (c->r->factor_count == 1) {
        REPORT_FOUND(c, R_FACTOR_ONE, head->line, section, "only one factor is named");
    }
    for (size_t i = 0; i < c->r->factor_count; i++) {
        check_factor_head(c, i);
        check_factor_fields(c, i);
    }
}

/* ---- action items ---- */

static const char actions_section[] = "Action Items";

static bool one_of(lt_slice s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq_cstr(report_plain(s), words[i])) {
            return true;
        }
    }
    return false;
}

/* Every number in "Root Cause # 1, # 2", as long as the report has that factor. */
static void check_causes(struct report_check *c, const struct report_action *a)
{
    bool any = false;
    size_t i = 0;
    while (i < a->causes.len) {
        int64_t n;
        size_t used = 0;
        if (!report_number(lt_slice_sub(a->causes, i, a->causes.len), &n, &used)) {
            i++;
            continue;
        }
        i += used;
        any = true;
        if (n >= 1 && n <= (int64_t)c->r->factor_count) {
            c->r->factors[n - 1].mapped = true;
        } else {
            REPORT_FOUND(c, R_ACTION_CAUSE, a->line, actions_section, "the report has no root cause %lld",
                         (long long)n);
        }
    }
    for (size_t k = 0; !any && k < c->r->factor_count; k++) { /* by its title */
        lt_slice title = c->r->factors[k].item->value;
        if (title.len > 3 && lt_slice_eq_nocase(report_plain(a->causes), title)) {
            c->r->factors[k].mapped = true;
            any = true;
        }
    }
    if (!any && !report_has(a->causes, "lesson") && !report_has(a->causes, "all")) {
        REPORT_FOUND(c, R_ACTION_CAUSE, a->line, actions_section, "\"%.*s\" names no root cause",
                     LT_FMT(a->causes));
    }
    for (size_t k = 0; !any && report_has(a->causes, "all") && k < c->r->factor_count; k++) {
        c->r->factors[k].mapped = true;
    }
}

static void check_due(struct report_check *c, const struct report_action *a)
{
    struct report_date d;
    if (!report_date_find(a->due, &d) || d.wrong) {
        REPORT_FOUND(c, R_ACTION_DUE, a->line, actions_section, "\"%.*s\" is no date", LT_FMT(a->due));
        return;
    }
    int64_t end = d.time.us + LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    if (end < c->o->now.us && lt_slice_eq_cstr(report_plain(a->status), "Ongoing")) {
        REPORT_FOUND(c, R_ACTION_LATE, a->line, actions_section, "it was due on %.*s and is Ongoing",
                     LT_FMT(a->due));
    }
}

static void check_action(struct report_check *c, const struct report_action *a)
{
    static const char *const kinds[] = {"Prevent", "Mitigate", "Detect"};
    static const char *const states[] = {"Ongoing", "Complete", "Delayed", "Canceled"};
    if (!one_of(a->kind, kinds, LT_COUNT(kinds))) {
        REPORT_FOUND(c, R_ACTION_KIND, a->line, actions_section,
                     "\"%.*s\" is not Prevent, Mitigate or Detect", LT_FMT(a->kind));
    }
    if (!one_of(a->status, states, LT_COUNT(states))) {
        REPORT_FOUND(c, R_ACTION_STATUS, a->line, actions_section,
                     "\"%.*s\" is not Ongoing, Complete, Delayed or Canceled", LT_FMT(a->status));
    }
    if (report_is_na(a->criteria)) {
        REPORT_FOUND(c, R_ACTION_CRITERIA, a->line, actions_section,
                     "nothing says how one will see that it helped");
    }
    check_due(c, a);
    check_causes(c, a);
}

static void take_row(struct report_check *c, const struct report_item *row)
{
    lt_slice cells[REPORT_CELLS_MAX];
    size_t n = report_cells(row->value, cells);
    if (n >= 4 && lt_slice_eq_cstr(cells[0], "Example") && lt_slice_eq_cstr(cells[3], "Criteria")) {
        REPORT_FOUND(c, R_PLACEHOLDER, row->line, actions_section, "the template's example is still there");
        return;
    }
    if (n != 6 || report_trim(cells[0]).len == 0) {
        REPORT_FOUND(c, R_ACTIONS_ROW, row->line, actions_section, "it has %zu cells, or no words, and not 6",
                     n);
        return;
    }
    struct report_action *a = &c->r->actions[c->r->action_count++];
    *a = (struct report_action){row->line, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]};
    check_action(c, a);
}

static bool against_delay(lt_slice s)
{
    static const char *const words[] = {"revo", "delay", "replac", "renew", "automat"};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (report_has(s, words[i])) {
            return true;
        }
    }
    return report_has_word(s, "ari");
}

void report_check_actions(struct report_check *c)
{
    static const char *const words[] = {"Action Item",         "Kind",     "Corresponding Root Cause(s)",
                                        "Evaluation Criteria", "Due Date", "Status"};
    const struct report_item *head = report_part(c->r, "actions");
    struct table t;
    bool sooner = false;
    if (head == NULL) {
        return;
    }
    read_table(c->r, "actions", &t);
    if (t.head == NULL || t.count == 0) {
        REPORT_FOUND(c, R_ACTIONS, head->line, actions_section, "there is no row");
        return;
    }
    if (!head_is(t.head, words, LT_COUNT(words))) {
        REPORT_FOUND(c, R_ACTIONS_HEAD, t.head->line, actions_section,
                     "the columns are Action Item, Kind, Corresponding Root Cause(s), Evaluation Criteria, "
                     "Due Date, Status");
    }
    for (size_t i = 0; i < t.count; i++) {
        take_row(c, t.rows[i]);
    }
    for (size_t i = 0; i < c->r->action_count; i++) {
        const struct report_action *a = &c->r->actions[i];
        sooner = sooner || against_delay(a->text) || against_delay(a->criteria);
    }
    if (c->r->delayed && !sooner) {
        REPORT_FOUND(c, R_ACTION_DELAY, head->line, actions_section,
                     "none is about revoking or replacing sooner the next time");
    }
    for (size_t i = 0; i < c->r->factor_count; i++) {
        if (!c->r->factors[i].mapped) {
            REPORT_FOUND(c, R_FACTOR_UNMAPPED, c->r->factors[i].item->line, actions_section,
                         "no action item names root cause %zu", i + 1);
        }
    }
}

/* ---- lessons ---- */

/* "(Action Item 2)", "Action Items #1 and #3": one that the report has. */
static bool names_action(const struct incident_reading *r, lt_slice s)
{
    for (size_t i = 0; i + 11 <= s.len; i++) {
        if (!lt_slice_eq_nocase(lt_slice_sub(s, i, 11), LT_LIT("action item"))) {
            continue;
        }
        for (size_t k = i + 11; k < s.len && k < i + 24; k++) {
            int64_t n;
            size_t used;
            if (report_number(lt_slice_sub(s, k, s.len), &n, &used)) {
                return n >= 1 && n <= (int64_t)r->action_count;
            }
        }
    }
    return false;
}

static bool letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* How many words of at least five letters both have, by their first five. */
static size_t words_shared(lt_slice a, lt_slice b)
{
    size_t shared = 0;
    for (size_t i = 0; i < a.len;) {
        size_t len = 0;
        while (i + len < a.len && letter(a.ptr[i + len])) {
            len++;
        }
        bool both = false;
        for (size_t k = 0; len >= 5 && !both && k + 5 <= b.len; k++) {
            both = (k == 0 || !letter(b.ptr[k - 1])) &&
                   lt_slice_eq_nocase(LT_SLICE(a.ptr + i, 5), LT_SLICE(b.ptr + k, 5));
        }
        shared += both;
        i += len + 1;
    }
    return shared;
}

static bool is_answered(const struct incident_reading *r, lt_slice item)
{
    if (names_action(r, item)) {
        return true;
    }
    for (size_t i = 0; i < r->action_count; i++) {
        const struct report_action *a = &r->actions[i];
        if (words_shared(item, a->text) >= 2 || words_shared(item, a->criteria) >= 3) {
            return true;
        }
    }
    return false;
}

static void check_lesson(struct report_check *c, const struct report_item *it, lt_slice item,
                         enum report_rule rule)
{
    item = report_trim(item);
    if (report_is_na(item) || is_answered(c->r, item)) {
        return;
    }
    REPORT_FOUND(c, rule, it->line, "Lessons Learned", "no action item answers \"%.*s\"",
                 LT_FMT(lt_slice_sub(item, 0, 100)));
}

/* The field's own line, then each bullet below it. */
static void check_lessons_of(struct report_check *c, const char *id, enum report_rule rule)
{
    const struct report_item *field = report_part(c->r, id);
    const struct report_item *end = c->r->doc.items + c->r->doc.count;
    size_t bullets = 0;
    if (field == NULL || report_is_na(field->whole)) {
        return;
    }
    for (const struct report_item *it = field + 1; it < end && it->kind == REPORT_BULLET; it++) {
        check_lesson(c, it, it->value, rule);
        bullets++;
    }
    if (bullets == 0) {
        check_lesson(c, field, field->whole, rule);
    } else if (field->value.len > 0 && field->value.ptr[field->value.len - 1] != ':') {
        check_lesson(c, field, field->value, rule);
    }
}

void report_check_lessons(struct report_check *c)
{
    check_lessons_of(c, "lessons.not-well", R_LESSON);
    check_lessons_of(c, "lessons.additional", R_LESSON);
    check_lessons_of(c, "lessons.lucky", R_LUCKY);
}
