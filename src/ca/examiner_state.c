/* The examiner's own memory: halts and lint exceptions. Blocked keys: examiner_blocked.c. */
#include "ca/examiner_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/approval.h"
#include "ca/examiner_private.h"
#include "ca/parameters.h"

enum { FILE_MAX = 4 * 1024 * 1024, TEXTS_MAX = 16 * 1024 * 1024, LIST_SLACK_S = CA_HALT_LIST_MAX_AGE_S };

static const char halts_file[] = "halts";
static const char exceptions_file[] = "exceptions";

/* ---- in memory ---- */

static const char *keep(struct ca_examiner_state *s, lt_slice text)
{
    return lt_arena_cstr(&s->texts, text);
}

static bool lifted(const struct ca_examiner_state *s, lt_slice id)
{
    for (size_t i = 0; i < s->lifted_count; i++) {
        if (lt_slice_eq_cstr(id, s->lifted[i].id)) {
            return true;
        }
    }
    return false;
}

static bool known(const struct ca_examiner_state *s, const char *id)
{
    for (size_t i = 0; i < s->halt_count; i++) {
        if (strcmp(s->halts[i]->id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* A copy of the halt into our own memory. When there is no more room, everything is halted: see full. */
static void halt_take(struct ca_examiner_state *s, const Ipc__Halt *h)
{
    Ipc__Halt *own = s->halt_count < CA_EXAMINER_HALTS_MAX ? LT_NEW(&s->texts, Ipc__Halt) : NULL;
    const char *texts[] = {h->id, h->value, h->reason, h->operator_};
    char *copies[LT_COUNT(texts)] = {NULL};
    bool good = own != NULL;
    for (size_t i = 0; good && i < LT_COUNT(texts); i++) {
        copies[i] = lt_arena_cstr(&s->texts, lt_slice_cstr(texts[i]));
        good = copies[i] != NULL;
    }
    if (!good) {
        s->full = true;
        return;
    }
    ipc__halt__init(own);
    own->id = copies[0];
    own->kind = h->kind;
    own->value = copies[1];
    own->reason = copies[2];
    own->operator_ = copies[3];
    own->since_us = h->since_us;
    s->halts[s->halt_count++] = own;
}

static void halt_drop(struct ca_examiner_state *s, const char *id)
{
    for (size_t i = 0; i < s->halt_count; i++) {
        if (strcmp(s->halts[i]->id, id) == 0) {
            s->halts[i] = s->halts[--s->halt_count];
            return;
        }
    }
}

static lt_res lifted_take(struct ca_examiner_state *s, lt_slice id, lt_slice plan)
{
    LT_CHECK(s->lifted_count < CA_EXAMINER_LIFTED_MAX, LT_STATE_IO, "examiner/halts: over %d lifted halts",
             CA_EXAMINER_LIFTED_MAX);
    struct examiner_lifted row = {keep(s, id), keep(s, plan)};
    LT_CHECK(row.id != NULL && row.plan != NULL, LT_STATE_IO, "examiner/halts: too large");
    s->lifted[s->lifted_count++] = row;
    return LT_OK;
}

/* ---- files ---- */

static const char *or_dash(const char *text)
{
    return text[0] == 0 ? "-" : text;
}

static lt_res halts_save(const struct ca_examiner_state *s)
{
    struct lt_buf out;
    lt_buf_init(&out, FILE_MAX);
    for (size_t i = 0; i < s->lifted_count; i++) {
        lt_buf_addf(&out, "lifted %s %s\n", s->lifted[i].id, or_dash(s->lifted[i].plan));
    }
    for (size_t i = 0; i < s->halt_count; i++) {
        const Ipc__Halt *h = s->halts[i];
        lt_buf_addf(&out, "halt %s %s %s %lld %s %s\n", h->id, ca_halt_kind_name(h->kind), or_dash(h->value),
                    (long long)h->since_us, or_dash(h->operator_), h->reason);
    }
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = lt_file_replace(s->dir_fd, halts_file, 0600, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    return r;
}

bool examiner_words(lt_slice line, lt_slice *ret, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (!lt_slice_split(&line, ' ', &ret[i]) || ret[i].len == 0) {
            return false;
        }
    }
    ret[count - 1] = line;
    return line.len > 0;
}

static lt_res halt_line(struct ca_examiner_state *s, lt_slice line)
{
    lt_slice w[7];
    uint64_t since = 0;
    LT_CHECK(examiner_words(line, w, LT_COUNT(w)), LT_STATE_CORRUPT, "examiner/halts: '%.*s'", LT_FMT(line));
    bool good = !lt_failed(lt_parse_u64(w[4], INT64_MAX, &since));
    Ipc__Halt h = IPC__HALT__INIT;
    char *texts[] = {lt_arena_cstr(&s->texts, w[1]), lt_arena_cstr(&s->texts, w[3]),
                     lt_arena_cstr(&s->texts, w[5]), lt_arena_cstr(&s->texts, w[6])};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        LT_CHECK(texts[i] != NULL, LT_STATE_CORRUPT, "examiner/halts: too large");
    }
    h.id = texts[0];
    h.kind = ca_halt_kind_by_name(w[2]);
    h.value = strcmp(texts[1], "-") == 0 ? texts[1] + 1 : texts[1];
    h.operator_ = texts[2];
    h.reason = texts[3];
    h.since_us = (int64_t)since;
    LT_CHECK(good && !lt_failed(ca_halt_valid(&h)), LT_STATE_CORRUPT, "examiner/halts: '%.*s'", LT_FMT(line));
    halt_take(s, &h);
    return LT_OK;
}

static lt_res halts_line(struct ca_examiner_state *s, lt_slice line)
{
    if (lt_slice_starts(line, LT_LIT("lifted "))) {
        lt_slice w[3];
        LT_CHECK(examiner_words(line, w, LT_COUNT(w)), LT_STATE_CORRUPT, "examiner/halts: '%.*s'",
                 LT_FMT(line));
        return lifted_take(s, w[1], w[2]);
    }
    LT_CHECK(lt_slice_starts(line, LT_LIT("halt ")), LT_STATE_CORRUPT, "examiner/halts: '%.*s'",
             LT_FMT(line));
    return halt_line(s, line);
}

static lt_res exceptions_save(const struct ca_examiner_state *s)
{
    struct lt_buf out;
    lt_buf_init(&out, FILE_MAX);
    for (size_t i = 0; i < s->exception_count; i++) {
        const struct examiner_exception *e = &s->exceptions[i];
        lt_buf_addf(&out, "%lld %s %s %s\n", (long long)e->expires.us, e->rule, e->profile, e->plan);
    }
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = lt_file_replace(s->dir_fd, exceptions_file, 0600, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    return r;
}

static lt_res exceptions_line(struct ca_examiner_state *s, lt_slice line)
{
    lt_slice w[4];
    uint64_t expires = 0;
    LT_CHECK(examiner_words(line, w, LT_COUNT(w)) && !lt_failed(lt_parse_u64(w[0], INT64_MAX, &expires)) &&
                 s->exception_count < CA_EXAMINER_EXCEPTIONS_MAX,
             LT_STATE_CORRUPT, "examiner/exceptions: '%.*s'", LT_FMT(line));
    struct examiner_exception e = {{(int64_t)expires}, keep(s, w[1]), keep(s, w[2]), keep(s, w[3])};
    LT_CHECK(e.rule != NULL && e.profile != NULL && e.plan != NULL, LT_STATE_CORRUPT,
             "examiner/exceptions: too large");
    s->exceptions[s->exception_count++] = e;
    return LT_OK;
}

lt_res examiner_file_lines(struct ca_examiner_state *s, const char *file, examiner_line *take)
{
    struct lt_arena a;
    lt_slice text = {0};
    lt_slice line = {0};
    lt_arena_init(&a, CA_EXAMINER_FILE_MAX);
    lt_res r = lt_file_read(&a, s->dir_fd, file, CA_EXAMINER_FILE_MAX - 1024, &text);
    if (r.code == LT_PEER_NOT_FOUND) {
        r = LT_OK;
    }
    while (!lt_failed(r) && text.len > 0 && lt_slice_split(&text, '\n', &line)) {
        r = line.len == 0 ? LT_OK : take(s, line);
    }
    lt_arena_done(&a);
    return r;
}

lt_res ca_examiner_state_open(int dir_fd, struct ca_examiner_state **ret_state)
{
    struct ca_examiner_state *s = calloc(1, sizeof(*s));
    LT_ASSERT(s != NULL);
    s->dir_fd = dir_fd;
    lt_arena_init(&s->texts, TEXTS_MAX);
    lt_res r = examiner_file_lines(s, halts_file, halts_line);
    if (!lt_failed(r)) {
        r = examiner_file_lines(s, exceptions_file, exceptions_line);
    }
    if (!lt_failed(r)) {
        r = examiner_used_open(s);
    }
    if (!lt_failed(r)) {
        r = examiner_passkeys_open(s);
    }
    if (!lt_failed(r)) {
        r = examiner_blocked_open(s);
    }
    if (lt_failed(r)) {
        ca_examiner_state_free(s);
        return r;
    }
    *ret_state = s;
    return LT_OK;
}

void ca_examiner_state_free(struct ca_examiner_state *s)
{
    if (s != NULL) {
        examiner_blocked_close(s);
        ca_passkeys_done(&s->passkeys);
        lt_arena_done(&s->texts);
        free(s);
    }
}

/* ---- halts ---- */

/* A list that was sent before the last one is no news; a halt that is none is a registrar that lies. */
lt_res ca_examiner_halts(struct ca_examiner_state *s, const Ipc__HaltList *list, lt_time now)
{
    bool added = false;
    if (s->have_list && list->time_us < s->list_time.us) {
        return LT_OK;
    }
    for (size_t i = 0; i < list->n_halts; i++) {
        const Ipc__Halt *h = list->halts[i];
        LT_TRY(ca_halt_valid(h));
        LT_CHECK(h->id[0] != 0 && h->since_us >= 0 &&
                     (h->operator_[0] == 0 || ca_operator_name_valid(lt_slice_cstr(h->operator_))),
                 LT_PEER_MALFORMED, "a halt without id, time or a proper operator");
        if (!known(s, h->id) && !lifted(s, lt_slice_cstr(h->id))) {
            halt_take(s, h);
            added = true;
        }
    }
    s->have_list = true;
    s->list_time = (lt_time){list->time_us};
    s->list_seen = now;
    s->hold = list->hold;
    return added ? halts_save(s) : LT_OK;
}

void ca_examiner_forget_list(struct ca_examiner_state *s)
{
    s->have_list = false;
}

lt_res ca_examiner_fresh(const struct ca_examiner_state *s, lt_time now)
{
    LT_CHECK(s->have_list, LT_RETRY_UNAVAILABLE, "the registrar has not said what is halted");
    LT_CHECK(now.us <= lt_time_add_seconds(s->list_time, LIST_SLACK_S).us &&
                 now.us >= lt_time_add_seconds(s->list_time, -LIST_SLACK_S).us,
             LT_RETRY_UNAVAILABLE, "the list of halts is not from within %d s", LIST_SLACK_S);
    return LT_OK;
}

lt_res ca_examiner_halted(const struct ca_examiner_state *s, const struct ca_halt_subject *subject)
{
    LT_CHECK(!s->hold, LT_RETRY_UNAVAILABLE, "the supervisor holds issuance");
    LT_CHECK(!s->full, LT_POLICY_HALTED, "more halts than the examiner can hold: everything is halted");
    return ca_halt_check(s->halts, s->halt_count, subject);
}

size_t ca_examiner_halt_count(const struct ca_examiner_state *s)
{
    return s->halt_count;
}

/* ---- approvals ---- */

lt_res ca_examiner_plan_life(const Ipc__PlanStatement *plan, lt_time now)
{
    LT_CHECK(plan->expires_us <= lt_time_add_seconds(now, CA_PLAN_MAX_DAYS * LT_SECONDS_PER_DAY).us,
             LT_POLICY_APPROVAL, "plan %.64s expires over %d days from now", plan->plan_id, CA_PLAN_MAX_DAYS);
    return LT_OK;
}

lt_res examiner_approved(const struct ca_approvers *by, const char *action, const struct examiner_plan *p,
                         lt_time now)
{
    LT_CHECK(p->plan != NULL && strcmp(p->plan->action, action) == 0, LT_POLICY_APPROVAL, "no plan for %s",
             action);
    LT_CHECK(lt_slice_eq_cstr(lt_buf_slice(p->parameters), p->plan->parameters), LT_POLICY_APPROVAL,
             "plan %s is for something else: %s", p->plan->plan_id, p->plan->parameters);
    LT_TRY(ca_examiner_plan_life(p->plan, now));
    struct ca_approval_policy policy = ca_approval_policy_of(action, by->needed);
    return ca_approvals_suffice(by->operators, p->plan, p->approvals, p->approval_count, &policy, now);
}

lt_res ca_examiner_lift(struct ca_examiner_state *s, const struct ca_approvers *by, const Ipc__HaltLift *m,
                        lt_time now)
{
    struct lt_buf text;
    lt_slice id = lt_slice_cstr(m->halt_id);
    lt_buf_init(&text, 4096);
    ca_parameters_halt(id, &text);
    struct examiner_plan p = {m->plan, m->approvals, m->n_approvals, &text};
    lt_res r = examiner_approved(by, CA_ACTION_HALT_LIFT, &p, now);
    lt_buf_done(&text);
    LT_TRY(r);
    LT_CHECK(id.len > 0 && id.len <= 64 && lt_slice_find(id, ' ') == id.len &&
                 lt_slice_find(id, '\n') == id.len,
             LT_PEER_MALFORMED, "no halt's id");
    if (lifted(s, id)) {
        return LT_OK;
    }
    halt_drop(s, m->halt_id);
    LT_TRY(lifted_take(s, id, lt_slice_cstr(m->plan->plan_id)));
    return halts_save(s);
}

bool examiner_word(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return len > 0 && len <= CA_EXAMINER_WORD_MAX;
}

lt_res ca_examiner_except(struct ca_examiner_state *s, const struct ca_approvers *by,
                          const Ipc__LintException *m, lt_time now)
{
    struct lt_buf text;
    lt_time expires = {m->expires_us};
    lt_buf_init(&text, 4096);
    ca_parameters_lint(lt_slice_cstr(m->rule), lt_slice_cstr(m->profile), expires, &text);
    struct examiner_plan p = {m->plan, m->approvals, m->n_approvals, &text};
    lt_res r = examiner_approved(by, CA_ACTION_LINT_EXCEPTION, &p, now);
    lt_buf_done(&text);
    LT_TRY(r);
    LT_CHECK(examiner_word(m->rule) && examiner_word(m->profile) && examiner_word(m->plan->plan_id),
             LT_PEER_MALFORMED, "a rule, a profile and a plan are words");
    LT_CHECK(expires.us > now.us &&
                 expires.us <= lt_time_add_seconds(now, CA_EXCEPTION_MAX_DAYS * LT_SECONDS_PER_DAY).us,
             LT_POLICY_APPROVAL, "an exception lasts at most %d days from now", CA_EXCEPTION_MAX_DAYS);
    size_t live = 0;
    for (size_t i = 0; i < s->exception_count; i++) {
        if (s->exceptions[i].expires.us > now.us) {
            s->exceptions[live++] = s->exceptions[i];
        }
    }
    s->exception_count = live;
    LT_CHECK(live < CA_EXAMINER_EXCEPTIONS_MAX, LT_PEER_TOO_LARGE, "over %d exceptions",
             CA_EXAMINER_EXCEPTIONS_MAX);
    struct examiner_exception e = {expires, keep(s, lt_slice_cstr(m->rule)),
                                   keep(s, lt_slice_cstr(m->profile)),
                                   keep(s, lt_slice_cstr(m->plan->plan_id))};
    LT_CHECK(e.rule != NULL && e.profile != NULL && e.plan != NULL, LT_PEER_TOO_LARGE, "too many exceptions");
    s->exceptions[s->exception_count++] = e;
    return exceptions_save(s);
}

/* One of zlint's rules has a blank in its id, which no word of our files can hold: it is written with "_". */
static bool same_rule(const char *written, const char *id)
{
    size_t i = 0;
    while (written[i] != 0 && (written[i] == id[i] || (written[i] == '_' && id[i] == ' '))) {
        i++;
    }
    return written[i] == 0 && id[i] == 0;
}

bool ca_examiner_excepted(const struct ca_examiner_state *s, const char *rule, const char *profile,
                          lt_time now)
{
    for (size_t i = 0; i < s->exception_count; i++) {
        const struct examiner_exception *e = &s->exceptions[i];
        if (now.us < e->expires.us && same_rule(e->rule, rule) && strcmp(e->profile, profile) == 0) {
            return true;
        }
    }
    return false;
}
