/* Mass revocation: the row, its states, what operators may do with it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/key_block.h"
#include "ca/mass_internal.h"
#include "ca/params.h"
#include "ca/reasons.h"
#include "ca/revoke.h"

#define COLUMNS                                                                                          \
    "id, status, source, scope, scope_sha256, cause, reason, note, aware_us, should_us, must_us, "       \
    "late_because, revoked_us, as_of_us, created_us, created_by, plan, count, root, batches, at_batch, " \
    "stop_after, at_tier, at_issuer, at_serial, revoked, already, held, started_us, ended_us, why"

static const struct store_sql sql[] = {
    {"mass.get", "SELECT " COLUMNS " FROM mass WHERE id = ?1"},
    {"mass.add", "INSERT INTO mass (" COLUMNS ") VALUES (?1, 'freezing', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                 "?10, ?11, ?12, ?13, ?13, ?14, '', 0, ?16, 0, 0, ?15, 0, 0, ?16, 0, 0, 0, 0, 0, '')"},
    {"mass.tier-add", "INSERT INTO mass_tier (mass, tier, scope) VALUES (?1, ?2, ?3)"},
    {"mass.alone-add", "INSERT INTO mass_tier_alone (mass, tier, scope) VALUES (?1, ?2, ?3)"},
    {"mass.same",
     "SELECT id, cause, reason, status FROM mass WHERE scope_sha256 = ?1 ORDER BY id DESC LIMIT 16"},
    {"mass.tiers", "SELECT scope FROM mass_tier WHERE mass = ?1 ORDER BY tier LIMIT 17"},
    {"mass.move", "UPDATE mass SET status = ?3, why = ?4, started_us = ?5, ended_us = ?6, stop_after = ?7 "
                  "WHERE id = ?1 AND status = ?2"},
    {"mass.use-plan", "UPDATE mass SET plan = ?2 WHERE id = ?1"},
    {"mass.live", "SELECT id FROM mass WHERE status = 'freezing' OR status = 'sealing' OR "
                  "status = 'checking' OR status = 'running' ORDER BY id LIMIT 16"},
    {"mass.late", "UPDATE mass SET late_because = ?2 WHERE id = ?1"},
    {"mass.stop-after", "UPDATE mass SET stop_after = ?2 WHERE id = ?1 AND status = 'proposed'"},
};
enum {
    SQL_GET,
    SQL_ADD,
    SQL_TIER_ADD,
    SQL_ALONE_ADD,
    SQL_SAME,
    SQL_TIERS,
    SQL_MOVE,
    SQL_USE_PLAN,
    SQL_LIVE,
    SQL_LATE,
    SQL_STOP_AFTER
};
const struct store_sql *const ca_mass_sql = sql;
const size_t ca_mass_sql_count = LT_COUNT(sql);

enum { LIVE_MAX = 16, NOTE_MAX = 1000 };

/* What ends a run is in the words of its event; "stopped" and "done" have no way on. */
const struct ca_mass_edge ca_mass_edges[] = {
    {"freezing", "frozen", "sealing"}, {"sealing", "sealed", "proposed"}, {"sealing", "empty", "done"},
    {"proposed", "start", "checking"}, {"checking", "same", "running"},   {"checking", "differs", "paused"},
    {"running", "pause", "paused"},    {"running", "differs", "paused"},  {"running", "tier-end", "paused"},
    {"running", "finish", "done"},     {"paused", "resume", "running"},   {"freezing", "stop", "stopped"},
    {"sealing", "stop", "stopped"},    {"proposed", "stop", "stopped"},   {"checking", "stop", "stopped"},
    {"checking", "pause", "paused"},   {"running", "stop", "stopped"},    {"paused", "stop", "stopped"},
    {"freezing", "fail", "stopped"},   {"checking", "fail", "paused"},
};
const size_t ca_mass_edge_count = LT_COUNT(ca_mass_edges);

const char *ca_mass_next(const char *from, const char *event)
{
    for (size_t i = 0; i < LT_COUNT(ca_mass_edges); i++) {
        if (strcmp(ca_mass_edges[i].from, from) == 0 && strcmp(ca_mass_edges[i].event, event) == 0) {
            return ca_mass_edges[i].to;
        }
    }
    return NULL;
}

static char *text(struct ca_turn *t, const struct store_rows *rows, int at)
{
    char *s = lt_arena_cstr(t->arena, store_bytes(rows, at));
    LT_ASSERT(s != NULL);
    return s;
}

static lt_slice bytes(struct ca_turn *t, const struct store_rows *rows, int at)
{
    lt_slice s = lt_arena_copy(t->arena, store_bytes(rows, at));
    LT_ASSERT(s.ptr != NULL || s.len == 0);
    return s;
}

static void read_row(struct ca_turn *t, const struct store_rows *rows, struct ca_mass *m)
{
    const struct {
        int column;
        const char **to;
    } texts[] = {{1, &m->status},        {2, &m->source},      {5, &m->cause}, {7, &m->note},
                 {11, &m->late_because}, {15, &m->created_by}, {16, &m->plan}, {30, &m->why}};
    const struct {
        int column;
        int64_t *to;
    } numbers[] = {{0, &m->id},          {8, &m->aware_us},  {9, &m->should_us},   {10, &m->must_us},
                   {12, &m->revoked_us}, {13, &m->as_of_us}, {14, &m->created_us}, {17, &m->count},
                   {19, &m->batches},    {20, &m->at_batch}, {21, &m->stop_after}, {22, &m->at_tier},
                   {23, &m->at_issuer},  {25, &m->revoked},  {26, &m->already},    {27, &m->held},
                   {28, &m->started_us}, {29, &m->ended_us}};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        *texts[i].to = text(t, rows, texts[i].column);
    }
    for (size_t i = 0; i < LT_COUNT(numbers); i++) {
        *numbers[i].to = store_int(rows, numbers[i].column);
    }
    m->reason = (uint32_t)store_int(rows, 6);
    m->scope = bytes(t, rows, 3);
    m->scope_sha256 = bytes(t, rows, 4);
    m->root = bytes(t, rows, 18);
    m->at_serial = bytes(t, rows, 24);
}

lt_res ca_mass_load(struct ca_turn *t, int64_t id, struct ca_mass *ret_mass)
{
    struct store_rows rows;
    *ret_mass = (struct ca_mass){.id = 0};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        read_row(t, &rows, ret_mass);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_mass->id != 0, LT_PEER_NOT_FOUND, "there is no mass revocation m%lld", (long long)id);
    return LT_OK;
}

static bool one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

lt_res ca_mass_move(struct ca_turn *t, struct ca_mass *m, const char *event, const char *why)
{
    static const char *const ends[] = {"done", "stopped"};
    const char *to = ca_mass_next(m->status, event);
    LT_CHECK(to != NULL, LT_PEER_CONFLICT, "mass revocation m%lld is %s", (long long)m->id, m->status);
    m->started_us = m->started_us == 0 && strcmp(to, "running") == 0 ? t->now.us : m->started_us;
    m->ended_us = one_of(to, ends, LT_COUNT(ends)) ? t->now.us : 0;
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(m->id), STORE_S(m->status), STORE_S(to), STORE_S(why),
                                 STORE_I(m->started_us), STORE_I(m->ended_us), STORE_I(m->stop_after)),
                      &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "m%lld has just changed", (long long)m->id);
    m->status = to;
    m->why = why;
    t->book->mass.pending = true;
    return m->ended_us == 0 ? LT_OK : ca_mass_keep_list(t, m);
}

static void put_row(struct ca_body *b, const struct ca_mass *m)
{
    char id[32];
    (void)snprintf(id, sizeof id, "m%lld", (long long)m->id);
    ca_body_str(b, "id", id);
    ca_body_str(b, "status", m->status);
    ca_body_str(b, "source", m->source);
    ca_body_text(b, "scope", m->scope);
    ca_body_hex(b, "scope_sha256", m->scope_sha256);
    ca_body_str(b, "cause", m->cause);
    ca_body_str(b, "reason", ca_reason_name(m->reason));
    ca_body_str(b, "note", m->note);
    ca_body_time(b, "aware", (lt_time){m->aware_us});
    if (m->should_us != 0) {
        ca_body_time(b, "should", (lt_time){m->should_us});
    }
    if (m->must_us != 0) {
        ca_body_time(b, "must", (lt_time){m->must_us});
    }
    if (m->late_because[0] != '\0') {
        ca_body_str(b, "late_because", m->late_because);
    }
    if (m->revoked_us != 0) {
        ca_body_time(b, "dated_back_to", (lt_time){m->revoked_us});
    }
    ca_body_int(b, "count", m->count);
    ca_body_hex(b, "root", m->root);
    ca_body_int(b, "batches", m->batches);
    ca_body_int(b, "batches_done", m->at_batch);
    ca_body_int(b, "revoked", m->revoked);
    ca_body_int(b, "already", m->already);
    ca_body_int(b, "held", m->held);
}

static void put_life(struct ca_body *b, const struct ca_mass *m)
{
    ca_body_str(b, "plan", m->plan);
    ca_body_int(b, "stop_after", m->stop_after);
    ca_body_time(b, "created", (lt_time){m->created_us});
    ca_body_str(b, "created_by", m->created_by);
    if (m->started_us != 0) {
        ca_body_time(b, "started", (lt_time){m->started_us});
    }
    if (m->ended_us != 0) {
        ca_body_time(b, "ended", (lt_time){m->ended_us});
    }
    ca_body_str(b, "why", m->why);
}

lt_res ca_mass_json(struct ca_turn *t, const struct ca_mass *m, const char **ret_json)
{
    struct ca_body b;
    ca_body_init(&b);
    put_row(&b, m);
    put_life(&b, m);
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* An expression may be longer than an event: there its hash stands for it. */
lt_res ca_mass_event(struct ca_turn *t, const struct ca_mass *m, const char *kind,
                     const struct ca_plan_asker *by)
{
    enum { SCOPE_IN_EVENT_MAX = 4096 };
    struct ca_mass shown = *m;
    struct ca_body b;
    shown.scope = lt_slice_sub(m->scope, 0, SCOPE_IN_EVENT_MAX);
    ca_body_init(&b);
    put_row(&b, &shown);
    put_life(&b, &shown);
    if (by != NULL) {
        ca_body_str(&b, "operator", by->operator_name);
    }
    char *subject = lt_arena_printf(t->arena, "mass m%lld", (long long)m->id);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, t, kind, subject, by == NULL ? LT_SLICE(NULL, 0) : by->jws);
}

/* ---- made ---- */

static lt_res check_wanted(struct ca_turn *t, const Ipc__MassWanted *w)
{
    bool key = w->spki_sha256.len > 0;
    LT_CHECK(key ? w->spki_sha256.len == CA_HASH_LEN && w->n_scopes == 0
                 : w->n_scopes > 0 && w->n_scopes <= CA_MASS_TIERS_MAX && w->scope_sha256.len == CA_HASH_LEN,
             LT_PEER_MALFORMED, "a key, or 1 to %d expressions are wanted", CA_MASS_TIERS_MAX);
    LT_CHECK(w->n_alone == 0 || w->n_alone + 1 == w->n_scopes, LT_PEER_MALFORMED,
             "%zu tiers by themselves for %zu in all", w->n_alone, w->n_scopes);
    LT_CHECK(lt_slice_cstr(w->note).len <= NOTE_MAX && lt_slice_cstr(w->late_because).len <= NOTE_MAX,
             LT_PEER_TOO_LARGE, "a note has at most %d bytes", NOTE_MAX);
    LT_CHECK(ca_reason_allowed(w->reason, true), LT_PEER_UNSUPPORTED,
             "the reason %s (%u) may not be given here", ca_reason_name(w->reason), w->reason);
    LT_CHECK(!w->block || (key && w->reason == CA_REASON_KEY_COMPROMISE), LT_PEER_MALFORMED,
             "only a compromised key is blocked");
    if (w->revoked_us != 0) {
        LT_TRY(ca_backdating_check(w->reason, (lt_time){w->revoked_us}, (lt_time){0}, t->now));
    }
    return LT_OK;
}

/* One that has not ended, of the same. */
static lt_res find_same(struct ca_turn *t, const Ipc__MassWanted *w, lt_slice hash, int64_t *ret_id)
{
    static const char *const ends[] = {"done", "stopped"};
    struct store_rows rows;
    *ret_id = 0;
    LT_TRY(store_query(t->store, &sql[SQL_SAME], STORE_ARGS(STORE_B(hash)), &rows));
    while (*ret_id == 0 && store_next(&rows)) {
        bool same = strcmp(store_cstr(&rows, 1), ca_cause_given(w->cause, w->reason)) == 0 &&
                    store_int(&rows, 2) == w->reason && !one_of(store_cstr(&rows, 3), ends, LT_COUNT(ends));
        *ret_id = same ? store_int(&rows, 0) : 0;
    }
    return store_rows_end(&rows);
}

static lt_res same_tiers(struct ca_turn *t, int64_t id, const Ipc__MassWanted *w, bool *ret_same)
{
    struct store_rows rows;
    size_t at = 0;
    *ret_same = true;
    LT_TRY(store_query(t->store, &sql[SQL_TIERS], STORE_ARGS(STORE_I(id)), &rows));
    while (*ret_same && store_next(&rows)) {
        *ret_same = w->n_scopes == 0
                        ? at == 0
                        : at < w->n_scopes && lt_slice_eq_cstr(store_bytes(&rows, 0), w->scopes[at]);
        at++;
    }
    LT_TRY(store_rows_end(&rows));
    *ret_same = *ret_same && at == (w->n_scopes > 0 ? w->n_scopes : 1);
    return LT_OK;
}

/* Whoever asks twice for the same gets the same; with another order, date or clock it would be lost in the
 * first one, which others approve. */
static lt_res check_same(struct ca_turn *t, int64_t id, const Ipc__MassWanted *w)
{
    struct ca_mass m;
    bool tiers = false;
    const char *other = NULL;
    LT_TRY(ca_mass_load(t, id, &m));
    LT_TRY(same_tiers(t, id, w, &tiers));
    other = w->late_because[0] != '\0' && strcmp(m.late_because, w->late_because) != 0 ? "excuse" : other;
    other = w->note[0] != '\0' && strcmp(m.note, w->note) != 0 ? "note" : other;
    other = w->aware_us != 0 && w->aware_us != m.aware_us ? "clock" : other;
    other = w->revoked_us != m.revoked_us ? "date" : other;
    other = w->stop_after != m.stop_after ? "tier to stop after" : other;
    other = tiers ? other : "list of tiers";
    LT_CHECK(other == NULL, LT_PEER_CONFLICT,
             "m%lld is %s, of the same certificates with another %s: lintel mass show, or stop it first",
             (long long)id, m.status, other == NULL ? "" : other);
    return LT_OK;
}

static lt_res add_tiers(struct ca_turn *t, int64_t id, const Ipc__MassWanted *w, lt_slice scope)
{
    size_t tiers = w->n_scopes > 0 ? w->n_scopes : 1;
    for (size_t i = 0; i < tiers; i++) {
        lt_slice one = w->n_scopes > 0 ? lt_slice_cstr(w->scopes[i]) : scope;
        LT_CHECK(one.len > 0 && one.len <= CA_MASS_TEXT_MAX, LT_PEER_MALFORMED, "an expression of %zu bytes",
                 one.len);
        LT_TRY(store_exec(t->store, &sql[SQL_TIER_ADD], STORE_ARGS(STORE_I(id), STORE_I(i), STORE_T(one)),
                          NULL));
    }
    for (size_t i = 0; i < w->n_alone; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_ALONE_ADD],
                          STORE_ARGS(STORE_I(id), STORE_I(i), STORE_S(w->alone[i])), NULL));
    }
    return LT_OK;
}

static lt_res add(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                  int64_t *ret_id)
{
    bool key = w->spki_sha256.len > 0;
    lt_slice hash = key ? LT_SLICE(w->spki_sha256.data, w->spki_sha256.len)
                        : LT_SLICE(w->scope_sha256.data, w->scope_sha256.len);
    lt_slice scope = lt_slice_cstr(key ? lt_hex(t->arena, hash) : w->scope);
    int64_t aware_us = w->aware_us == 0 ? t->now.us : w->aware_us;
    const struct ca_why why = {w->cause, w->aware_us, w->late_because};
    const struct ca_cause *cause = NULL;
    struct ca_clocks clocks;
    LT_TRY(find_same(t, w, hash, ret_id));
    if (*ret_id != 0) {
        return LT_OK;
    }
    LT_TRY(ca_cause_judge(&why, w->reason, t->now, &cause, &clocks));
    *ret_id = ca_new_id(t);
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(*ret_id), STORE_S(key ? "key" : "scope"), STORE_T(scope),
                                 STORE_B(hash), STORE_S(ca_cause_given(w->cause, w->reason)),
                                 STORE_I(w->reason), STORE_S(w->note), STORE_I(aware_us),
                                 STORE_I(clocks.should.us), STORE_I(clocks.must.us), STORE_S(w->late_because),
                                 STORE_I(w->revoked_us), STORE_I(t->now.us), STORE_S(by->operator_name),
                                 STORE_I(w->stop_after), STORE_B(LT_LIT(""))),
                      NULL));
    LT_TRY(add_tiers(t, *ret_id, w, scope));
    struct ca_mass m;
    LT_TRY(ca_mass_load(t, *ret_id, &m));
    LT_TRY(ca_mass_event(t, &m, "mass.created", by));
    if (!w->block) {
        return LT_OK;
    }
    char *source = lt_arena_printf(t->arena, "operator %s", by->operator_name);
    LT_ASSERT(source != NULL);
    return ca_key_block_add(t, hash, "key compromise", source);
}

lt_res ca_mass_make(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                    int64_t *ret_id)
{
    LT_TRY(check_wanted(t, w));
    t->book->mass.pending = true;
    return add(t, by, w, ret_id);
}

lt_res ca_mass_propose_again(struct ca_turn *t, const struct ca_plan_asker *by, int64_t id, lt_time expires)
{
    struct ca_mass m;
    lt_time until;
    LT_TRY(ca_mass_load(t, id, &m));
    bool waits = strcmp(m.status, "proposed") == 0 && m.plan[0] != '\0';
    LT_CHECK(waits || expires.us == 0 || strcmp(m.status, "freezing") == 0 ||
                 strcmp(m.status, "sealing") == 0,
             LT_PEER_CONFLICT, "m%lld waits for no approval: it is %s", (long long)id, m.status);
    if (!waits) {
        return LT_OK;
    }
    LT_TRY(ca_plan_expires(t, m.plan, &until));
    if (t->now.us < until.us && (expires.us == 0 || expires.us == until.us)) {
        return LT_OK;
    }
    LT_CHECK(expires.us == 0 || m.must_us <= t->now.us || expires.us <= m.must_us, LT_PEER_MALFORMED,
             "a plan that may be approved after the certificates have to be revoked");
    LT_TRY(ca_plan_replace(t, by, m.plan));
    LT_TRY(ca_mass_propose(t, &m, by, expires));
    LT_TRY(ca_mass_load(t, id, &m));
    return ca_mass_event(t, &m, "mass.proposed-again", by);
}

lt_res ca_mass_create(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                      const char **ret_json)
{
    struct ca_mass made;
    int64_t id = 0;
    LT_TRY(ca_mass_make(t, by, m, &id));
    LT_TRY(check_same(t, id, m));
    LT_TRY(ca_mass_propose_again(t, by, id, (lt_time){m->plan_expires_us}));
    LT_TRY(m->block ? ca_mass_auto_add(t, id, ca_mass_alone(t)) : LT_OK);
    LT_TRY(ca_mass_load(t, id, &made));
    return ca_mass_json(t, &made, ret_json);
}

/* ---- what operators do ---- */

static lt_res load_named(struct ca_turn *t, lt_slice name, struct ca_mass *m)
{
    uint64_t id = 0;
    LT_CHECK(lt_slice_starts(name, LT_LIT("m")), LT_PEER_NOT_FOUND, "there is no mass revocation %.*s",
             LT_FMT(lt_slice_sub(name, 0, 64)));
    LT_TRY(lt_parse_u64(lt_slice_sub(name, 1, name.len), INT64_MAX, &id));
    return ca_mass_load(t, (int64_t)id, m);
}

static lt_res act(struct ca_turn *t, const struct ca_plan_asker *by, struct ca_mass *m, const char *event,
                  const char **ret_json)
{
    char *kind = lt_arena_printf(t->arena, "mass.%s", event);
    char *why = lt_arena_printf(t->arena, "%s: operator %s", event, by->operator_name);
    LT_ASSERT(kind != NULL && why != NULL);
    LT_TRY(ca_mass_move(t, m, event, why));
    LT_TRY(ca_mass_event(t, m, kind, by));
    return ca_mass_json(t, m, ret_json);
}

lt_res ca_mass_late(struct ca_turn *t, struct ca_mass *m, const char *why)
{
    if (m->should_us == 0 || t->now.us <= m->should_us || m->late_because[0] != '\0') {
        return LT_OK;
    }
    m->late_because = why;
    return store_exec(t->store, &sql[SQL_LATE], STORE_ARGS(STORE_I(m->id), STORE_S(why)), NULL);
}

/* What an operator says of a clock that was missed; wanted once it is. */
static lt_res take_late(struct ca_turn *t, struct ca_mass *m, const Ipc__MassWanted *w)
{
    LT_CHECK(lt_slice_cstr(w->late_because).len <= NOTE_MAX, LT_PEER_TOO_LARGE, "a note has at most %d bytes",
             NOTE_MAX);
    bool over = m->should_us != 0 && t->now.us > m->should_us;
    LT_CHECK(!over || m->late_because[0] != '\0' || w->late_because[0] != '\0', LT_PEER_MALFORMED,
             "the clock that should be kept has run out: why is wanted");
    if (w->late_because[0] == '\0') {
        return LT_OK;
    }
    m->late_because = w->late_because;
    return store_exec(t->store, &sql[SQL_LATE], STORE_ARGS(STORE_I(m->id), STORE_S(w->late_because)), NULL);
}

lt_res ca_mass_start(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                     const char **ret_json)
{
    struct ca_mass m;
    LT_TRY(load_named(t, lt_slice_cstr(w->id), &m));
    LT_CHECK(m.count <= ca_mass_alone(t), LT_POLICY_APPROVAL,
             "%lld certificates need a second person: plan %s is to be approved and run", (long long)m.count,
             m.plan);
    m.stop_after = w->stop_after >= 0 ? w->stop_after : m.stop_after;
    LT_TRY(take_late(t, &m, w));
    return act(t, by, &m, "start", ret_json);
}

lt_res ca_mass_stop_after(struct ca_turn *t, int64_t id, int64_t tier)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_STOP_AFTER], STORE_ARGS(STORE_I(id), STORE_I(tier)), &changed));
    LT_CHECK(changed == 1, LT_PEER_CONFLICT, "m%lld waits for no signature", (long long)id);
    return LT_OK;
}

lt_res ca_mass_pause(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                     const char **ret_json)
{
    struct ca_mass m;
    LT_TRY(load_named(t, lt_slice_cstr(w->id), &m));
    return act(t, by, &m, "pause", ret_json);
}

lt_res ca_mass_resume(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                      const char **ret_json)
{
    struct ca_mass m;
    LT_TRY(load_named(t, lt_slice_cstr(w->id), &m));
    m.stop_after = w->stop_after;
    LT_TRY(take_late(t, &m, w));
    return act(t, by, &m, "resume", ret_json);
}

lt_res ca_mass_stop(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *w,
                    const char **ret_json)
{
    struct ca_mass m;
    LT_TRY(load_named(t, lt_slice_cstr(w->id), &m));
    return act(t, by, &m, "stop", ret_json);
}

/* ---- plans ---- */

lt_res ca_mass_plan(struct ca_turn *t, const struct ca_params *params, Ipc__PlanStatement *p)
{
    struct ca_mass m;
    LT_TRY(load_named(t, ca_params_get(params, "mass"), &m));
    LT_CHECK(strcmp(m.status, "proposed") == 0, LT_PEER_CONFLICT, "mass revocation m%lld is %s",
             (long long)m.id, m.status);
    LT_CHECK(lt_slice_eq_cstr(ca_params_get(params, "root"), lt_hex(t->arena, m.root)) &&
                 lt_slice_eq_cstr(ca_params_get(params, "reason"), ca_reason_name(m.reason)),
             LT_PEER_MALFORMED, "root and reason are not those of m%lld", (long long)m.id);
    memcpy(&p->scope_sha256.data, &m.scope_sha256.ptr, sizeof p->scope_sha256.data); /* both in the arena */
    p->scope_sha256.len = m.scope_sha256.len;
    p->count = (uint64_t)m.count;
    return store_exec(t->store, &sql[SQL_USE_PLAN], STORE_ARGS(STORE_I(m.id), STORE_S(p->plan_id)), NULL);
}

lt_res ca_mass_approved(struct ca_turn *t, lt_slice id, const char *plan_id)
{
    struct ca_mass m;
    LT_TRY(load_named(t, id, &m));
    if (strcmp(m.status, "proposed") != 0) {
        return LT_OK; /* it was stopped, or is on its way */
    }
    LT_CHECK(strcmp(m.plan, plan_id) == 0, LT_PEER_CONFLICT, "m%lld has another plan by now: %s",
             (long long)m.id, m.plan);
    LT_TRY(ca_mass_late(t, &m, "its last approval came only then"));
    LT_TRY(ca_mass_move(t, &m, "start", ""));
    return ca_mass_event(t, &m, "mass.start", NULL);
}

/* ---- slices ---- */

static lt_res step_one(struct ca_turn *t, int64_t id, bool *ret_more)
{
    static const struct {
        const char *status;
        lt_res (*step)(struct ca_turn *t, struct ca_mass *m, bool *ret_more);
    } steps[] = {
        {"freezing", ca_mass_freeze},
        {"sealing", ca_mass_seal},
        {"checking", ca_mass_check},
        {"running", ca_mass_run},
    };
    struct ca_mass m;
    LT_TRY(ca_mass_load(t, id, &m));
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        if (strcmp(m.status, steps[i].status) == 0) {
            return steps[i].step(t, &m, ret_more);
        }
    }
    return LT_OK;
}

lt_res ca_mass_step(struct ca_turn *t, bool *ret_more)
{
    int64_t ids[LIVE_MAX];
    size_t count = 0;
    *ret_more = false;
    LT_TRY(ca_mass_run_open(t, ret_more));
    if (*ret_more) {
        return LT_OK;
    }
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_LIVE], STORE_NO_ARGS, &rows));
    while (count < LIVE_MAX && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count && !*ret_more; i++) {
        LT_TRY(step_one(t, ids[i], ret_more));
    }
    bool rest = false; /* goes on in the next second */
    return count > 0 ? LT_OK : ca_mass_drop(t, &rest);
}

void ca_mass_ask_again(struct ca_book *b)
{
    b->mass.pending = true;
    b->mass.members_asked = (lt_time){0};
    b->mass.batch_asked = (lt_time){0};
}
