/* The engine: which rows apply to this object, which are in force on its day, and what they found. */
#include "lint/lint.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lint/profiles.h"
#include "lint/rules.h"
#include "lint/schema.h"
#include "lint/tables.h"

enum { RULES_MAX = 4096, FINDINGS_FIRST = 16 };

/* What decides of most rows at once that they do not apply, apart from the rest of them: a run reads these in
 * order, and a row only when it is to be judged. */
struct gate {
    uint64_t when;
    uint64_t unless;
    const struct lint_rule *rule;
    uint16_t index; /* of the row among all */
    uint8_t source;
};

enum { KINDS = 4 };

static struct {
    const struct lint_rule *all[RULES_MAX];
    size_t count;
    struct gate gates[KINDS][RULES_MAX]; /* by bit of enum lint_kind */
    size_t gate_count[KINDS];
} index_of_rules; /* constant once made */

/* What an object must be before a document speaks of it at all, as zlint's framework filter has it. */
static const uint64_t filter[LINT_SOURCE_COUNT] = {
    [LINT_CABF_BR] = LINT_IS_SERVER_AUTH,
    [LINT_CABF_CS_BR] = LINT_IS_CODE_SIGNING,
    [LINT_CABF_SMIME_BR] = LINT_IS_EMAIL,
};

static void index_row(const struct lint_rule *r)
{
    LT_ASSERT(index_of_rules.count < RULES_MAX && r->check != NULL);
    size_t n = index_of_rules.count++;
    index_of_rules.all[n] = r;
    uint64_t when = r->when | (r->source == LINT_X690 || r->undecoded ? 0 : LINT_IS_READABLE);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        if ((r->kinds >> kind & 1) == 0) {
            continue;
        }
        bool filtered = 1u << kind == LINT_CERTIFICATE && !r->any_purpose;
        index_of_rules.gates[kind][index_of_rules.gate_count[kind]++] = (struct gate){
            .when = when | (filtered ? filter[r->source] : 0),
            .unless = r->unless,
            .rule = r,
            .index = (uint16_t)n,
            .source = (uint8_t)r->source};
    }
}

static void index_make(void)
{
    for (size_t t = 0; t < lint_table_count; t++) {
        for (size_t i = 0; i < lint_tables[t]->count; i++) {
            index_row(&lint_tables[t]->rows[i]);
        }
    }
}

static void index_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int r = pthread_once(&once, index_make);
    LT_ASSERT(r == 0);
}

size_t lint_rule_count(void)
{
    index_ready();
    return index_of_rules.count;
}

const struct lint_rule *lint_rule_at(size_t i)
{
    index_ready();
    return i < index_of_rules.count ? index_of_rules.all[i] : NULL;
}

const struct lint_rule *lint_rule_by_id(lt_slice id)
{
    for (size_t i = 0; i < lint_rule_count(); i++) {
        if (lt_slice_eq_cstr(id, index_of_rules.all[i]->id)) {
            return index_of_rules.all[i];
        }
    }
    return NULL;
}

bool lint_rule_asks_book(const struct lint_rule *rule)
{
    return (rule->when & LINT_WITH_EVIDENCE) != 0;
}

struct lint_config lint_config_default(void)
{
    return (struct lint_config){.crl_of_subscribers = true, .fermat_rounds = 100};
}

static bool in_force(const struct lint_rule *r, int64_t day)
{
    return (r->effective == 0 || day >= r->effective) && (r->retired == 0 || day < r->retired);
}

static enum lint_status judge(const struct lint_rule *r, const struct lint_subject *s,
                              struct lint_results *results)
{
    if (r->applies != NULL && !r->applies(s)) {
        return LINT_NA;
    }
    if (!in_force(r, s->day)) {
        return LINT_NE;
    }
    struct lint_report report = {.subject = s, .rule = r, .results = results, .status = LINT_PASS};
    r->check(s, &report);
    return report.status;
}

/* Bytes that do not decode have no day: then the rules of DER itself are the only ones, and always in force.
 */
static void run_rules(const struct lint_subject *s, uint8_t *status, struct lint_results *results)
{
    unsigned kind = (unsigned)__builtin_ctz((unsigned)s->in->kind);
    uint32_t sources = s->in->sources == 0 ? LINT_SOURCES_ALL : s->in->sources;
    uint32_t silent = lint_profile_silent(s->in->profile);
    const struct gate *gates = index_of_rules.gates[kind];
    size_t count = index_of_rules.gate_count[kind];
    size_t tally[LINT_STATUS_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct gate *g = &gates[i];
        if ((sources >> g->source & 1) == 0) {
            continue;
        }
        enum lint_status verdict = LINT_NA;
        if ((s->facts & g->when) == g->when && (s->facts & g->unless) == 0 &&
            (silent >> g->source & 1) == 0) {
            verdict = judge(g->rule, s, results);
        }
        status[g->index] = (uint8_t)verdict;
        tally[verdict]++;
    }
    size_t judged = 0;
    for (size_t i = LINT_NA; i < LINT_STATUS_COUNT; i++) {
        judged += tally[i];
    }
    tally[LINT_RESERVED] = index_of_rules.count - judged;
    memcpy(results->tally, tally, sizeof tally);
}

lt_res lint_run(const struct lint_input *in, struct lt_arena *a, struct lint_results *ret_results)
{
    *ret_results = (struct lint_results){.worst = LINT_PASS};
    struct lint_subject s;
    struct lint_path_hint hint = {.index = 0};
    LT_TRY(lint_subject_init(&s, in, a));
    s.hint = &hint;
    size_t count = lint_rule_count();
    uint8_t *status = lt_arena_alloc(a, count + 1);
    LT_CHECK(status != NULL, LT_PEER_TOO_LARGE, "no room for the results of %zu rules", count);
    ret_results->status = status;
    run_rules(&s, status, ret_results);
    return LT_OK;
}

/* Room for one more; the list doubles in the arena, and most objects never have one. */
static bool room(struct lint_results *out, struct lt_arena *a)
{
    if (out->count < out->room) {
        return true;
    }
    size_t want = out->room == 0 ? FINDINGS_FIRST : out->room * 2;
    struct lint_finding *list = out->count < LINT_FINDINGS_MAX ? LT_NEW_ARRAY(a, struct lint_finding, want)
                                                               : NULL;
    if (list == NULL) {
        return false;
    }
    if (out->count > 0) {
        memcpy(list, out->list, out->count * sizeof *list);
    }
    out->list = list;
    out->room = want;
    return true;
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
    const char *message = room(out, a) ? lt_arena_cstr(a, lt_slice_cstr(text)) : NULL;
    if (message == NULL) {
        out->dropped++;
        return;
    }
    lt_slice all = r->subject->der;
    bool inside = where.ptr != NULL && where.ptr >= all.ptr && where.ptr < all.ptr + all.len;
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
