/* The engine: which rows apply to this input on this day, and what they found. */
#include "lint/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lint/rules.h"

static const struct lint_table *const tables[] = {
    &lint_rfc5280,
    &lint_rfc5280_crl,
    &lint_cabf_br,
    &lint_cabf_br_names,
};

size_t lint_rule_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < LT_COUNT(tables); i++) {
        count += tables[i]->count;
    }
    return count;
}

const struct lint_rule *lint_rule_at(size_t i)
{
    for (size_t t = 0; t < LT_COUNT(tables); t++) {
        if (i < tables[t]->count) {
            return &tables[t]->rows[i];
        }
        i -= tables[t]->count;
    }
    return NULL;
}

const struct lint_rule *lint_rule_by_id(lt_slice id)
{
    for (size_t i = 0; i < lint_rule_count(); i++) {
        if (lt_slice_eq_cstr(id, lint_rule_at(i)->id)) {
            return lint_rule_at(i);
        }
    }
    return NULL;
}

const char *lint_level_name(enum lint_level level)
{
    static const char *const names[] = {"notice", "warn", "error", "fatal"};
    LT_ASSERT((unsigned)level < LT_COUNT(names));
    return names[level];
}

const char *lint_rule_set(void)
{
    return "lintel-2026-11";
}

/* The day whose rules count: of signing before issuance, else the one the object claims. */
static int64_t day_of(const struct lint_input *in)
{
    lt_time t = in->signing_time;
    if (t.us == 0) {
        t = in->kind == LINT_CRL ? in->crl->this_update : in->cert->not_before;
    }
    int64_t seconds = lt_time_seconds(t);
    return seconds >= 0 ? seconds / LT_SECONDS_PER_DAY
                        : (seconds - LT_SECONDS_PER_DAY + 1) / LT_SECONDS_PER_DAY;
}

static bool in_force(const struct lint_rule *r, int64_t day)
{
    return (r->effective == 0 || day >= r->effective) && (r->retired == 0 || day < r->retired);
}

void lint_run(const struct lint_input *in, struct lt_arena *a, struct lint_results *ret_results)
{
    memset(ret_results, 0, sizeof(*ret_results));
    int64_t day = day_of(in);
    for (size_t t = 0; t < LT_COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct lint_rule *r = &tables[t]->rows[i];
            bool runs = r->kind == in->kind && (in->sources & r->source) != 0 && in_force(r, day) &&
                        (r->applies == NULL || r->applies(in));
            if (runs) {
                struct lint_report report = {ret_results, r, a};
                ret_results->rules_run++;
                r->check(in, &report);
            }
        }
    }
}

static lt_slice object_of(const struct lint_input *in)
{
    return in->kind == LINT_CRL ? in->crl->tbs : in->cert->tbs;
}

void lint_found(struct lint_report *report, const struct lint_input *in, lt_slice where, const char *path,
                const char *format, ...)
{
    struct lint_results *r = report->results;
    if (report->rule->level > r->worst) {
        r->worst = report->rule->level;
    }
    char text[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    const char *message = lt_arena_cstr(report->arena, lt_slice_cstr(text));
    if (r->count == LINT_FINDINGS_MAX || message == NULL) {
        r->dropped++;
        return;
    }
    lt_slice all = object_of(in);
    bool inside = where.ptr >= all.ptr && where.ptr < all.ptr + all.len;
    r->list[r->count++] = (struct lint_finding){
        .rule = report->rule,
        .level = report->rule->level,
        .message = message,
        .path = path,
        .offset = inside ? (size_t)(where.ptr - all.ptr) : 0,
    };
}
