/* The engine: which rows apply to this object, which are in force on its day, and what they found. */
#include "lint/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lint/rules.h"
#include "lint/tables.h"

size_t lint_rule_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < lint_table_count; i++) {
        count += lint_tables[i]->count;
    }
    return count;
}

const struct lint_rule *lint_rule_at(size_t i)
{
    for (size_t t = 0; t < lint_table_count; t++) {
        if (i < lint_tables[t]->count) {
            return &lint_tables[t]->rows[i];
        }
        i -= lint_tables[t]->count;
    }
    return NULL;
}

const struct lint_rule *lint_rule_by_id(lt_slice id)
{
    for (size_t t = 0; t < lint_table_count; t++) {
        for (size_t i = 0; i < lint_tables[t]->count; i++) {
            if (lt_slice_eq_cstr(id, lint_tables[t]->rows[i].id)) {
                return &lint_tables[t]->rows[i];
            }
        }
    }
    return NULL;
}

struct lint_config lint_config_default(void)
{
    return (struct lint_config){.crl_of_subscribers = true, .fermat_rounds = 100};
}

/* What an object must be before a document speaks of it at all, as zlint's framework filter has it. */
static const uint64_t filter[LINT_SOURCE_COUNT] = {
    [LINT_CABF_BR] = LINT_IS_SERVER_AUTH,
    [LINT_CABF_CS_BR] = LINT_IS_CODE_SIGNING,
    [LINT_CABF_SMIME_BR] = LINT_IS_EMAIL,
};

static bool applies(const struct lint_rule *r, const struct lint_subject *s)
{
    uint64_t when = r->when;
    if (s->in->kind == LINT_CERTIFICATE && !r->any_purpose) {
        when |= filter[r->source];
    }
    return (s->facts & when) == when && (s->facts & r->unless) == 0 && (r->applies == NULL || r->applies(s));
}

static bool in_force(const struct lint_rule *r, int64_t day)
{
    return (r->effective == 0 || day >= r->effective) && (r->retired == 0 || day < r->retired);
}

static enum lint_status judge(const struct lint_rule *r, const struct lint_subject *s,
                              struct lint_results *results)
{
    if (!applies(r, s)) {
        return LINT_NA;
    }
    if (!in_force(r, s->day)) {
        return LINT_NE;
    }
    struct lint_report report = {.subject = s, .rule = r, .results = results, .status = LINT_PASS};
    r->check(s, &report);
    return report.status;
}

lt_res lint_run(const struct lint_input *in, struct lt_arena *a, struct lint_results *ret_results)
{
    memset(ret_results, 0, sizeof(*ret_results));
    ret_results->worst = LINT_PASS;
    struct lint_subject s;
    LT_TRY(lint_subject_init(&s, in, a));
    uint8_t *status = lt_arena_alloc(a, lint_rule_count());
    LT_CHECK(status != NULL, LT_PEER_TOO_LARGE, "no room for the results of %zu rules", lint_rule_count());
    ret_results->status = status;
    uint32_t sources = in->sources == 0 ? LINT_SOURCES_ALL : in->sources;
    size_t n = 0;
    for (size_t t = 0; t < lint_table_count; t++) {
        for (size_t i = 0; i < lint_tables[t]->count; i++, n++) {
            const struct lint_rule *r = &lint_tables[t]->rows[i];
            bool wanted = (r->kinds & (unsigned)in->kind) != 0 && (sources >> r->source & 1) != 0;
            status[n] = (uint8_t)(wanted ? judge(r, &s, ret_results) : LINT_RESERVED);
            ret_results->tally[status[n]]++;
        }
    }
    return LT_OK;
}

/* The finding is kept while there is room; the verdict always. */
static void keep(struct lint_report *r, enum lint_status level, lt_slice where, const char *text)
{
    struct lint_results *out = r->results;
    if (level > r->status) {
        r->status = level;
    }
    if (level > out->worst) {
        out->worst = level;
    }
    struct lt_arena *a = r->subject->arena;
    if (out->list == NULL) {
        out->list = LT_NEW_ARRAY(a, struct lint_finding, LINT_FINDINGS_MAX);
    }
    const char *message = lt_arena_cstr(a, lt_slice_cstr(text));
    if (out->list == NULL || message == NULL || out->count == LINT_FINDINGS_MAX) {
        out->dropped++;
        return;
    }
    lt_slice all = r->subject->der;
    bool inside = where.len > 0 && where.ptr >= all.ptr && where.ptr < all.ptr + all.len;
    out->list[out->count++] = (struct lint_finding){
        .rule = r->rule,
        .level = level,
        .message = message,
        .path = lint_path(r->subject, where),
        .offset = inside ? (size_t)(where.ptr - all.ptr) : 0,
        .len = inside ? where.len : all.len,
    };
}

void lint_found(struct lint_report *r, lt_slice where, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    keep(r, r->rule->level, where, text);
}

void lint_found_at(struct lint_report *r, enum lint_status level, lt_slice where, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    keep(r, level, where, text);
}
