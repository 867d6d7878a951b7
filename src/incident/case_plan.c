/* See case.h: from a frozen list to windows and revocation; and saying in time what will be late. */
#include <string.h>

#include "base/text.h"
#include "ca/ari_wave.h"
#include "ca/mass.h"
#include "ca/reasons.h"
#include "incident/case_internal.h"
#include "incident/clock.h"
#include "incident/notice.h"

#define COLUMNS                                                                                       \
    "incident, version, scope_version, mass, status, count, first_rank, start_us, end_us, width_us, " \
    "reserve_us, must_us, per_hour, capacity, late, set_us, made_us, made_by, explanation"

static const struct store_sql sql[] = {
    {"incident.mass-of-plan",
     "SELECT scope_sha256, status, count, created_us, ended_us, revoked, already, held, "
     "plan FROM mass WHERE id = ?1"},
    {"incident.plan-add",
     "INSERT INTO incident_plan (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, 'freezing', 0, ?5, "
     "?6, ?7, ?8, ?15, ?9, ?10, ?11, 0, 0, ?12, ?13, ?14)"},
    {"incident.plan-get", "SELECT " COLUMNS " FROM incident_plan WHERE incident = ?1 AND version = ?2"},
    {"incident.plan-set",
     "UPDATE incident_plan SET status = 'set', count = ?3, first_rank = ?4, start_us = ?5, "
     "end_us = ?6, width_us = ?7, late = ?8, set_us = ?9 "
     "WHERE incident = ?1 AND version = ?2"},
    {"incident.plan-move", "UPDATE incident_plan SET status = ?3, set_us = ?4 "
                           "WHERE incident = ?1 AND version = ?2"},
    {"incident.batches", "SELECT batch, tier, count FROM mass_batch WHERE mass = ?1 AND batch > ?2 "
                         "ORDER BY batch LIMIT 1000"},
    {"incident.scope-hash", "SELECT sha256 FROM incident_scope WHERE incident = ?1 AND version = ?2"},
    /* What its run left out, page by page of all holds, also those that are over: when each was revoked. */
    {"incident.kept-back",
     "SELECT h.issuer, h.serial, coalesce((SELECT r.revoked_us FROM certificate c CROSS JOIN revocation r ON "
     "r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial WHERE c.issuer = h.issuer AND "
     "c.serial = h.serial AND c.copy = 0), 0), EXISTS (SELECT 1 FROM mass_tier x CROSS JOIN mass_member m ON "
     "m.mass = x.mass AND m.tier = x.tier AND m.issuer = h.issuer AND m.serial = h.serial AND m.state = 1 "
     "WHERE x.mass = ?1) FROM revocation_hold h WHERE (h.issuer, h.serial) > (?2, ?3) "
     "ORDER BY h.issuer, h.serial LIMIT 500"},
};
enum { SQL_MASS, SQL_ADD, SQL_GET, SQL_SET, SQL_MOVE, SQL_BATCHES, SQL_SCOPE_HASH, SQL_KEPT_BACK };
const struct incident_sql incident_case_plan_sql = {sql, LT_COUNT(sql)};

enum {
    PAGE = 1000,
    KEPT_PAGE = 500,
    REVOKED_PER_S = 20000, /* a run's pace at the least; docs/performance.md */
    PUBLISH_S = 120,       /* CRLs signed, published, fetched back */
    RESERVE_LEAST_S = 900,
    LATE_AT = 75, /* percent of the time after which it is said what will be late */
};

struct mass {
    const char *status;
    lt_slice scope_sha256;
    int64_t count;
    int64_t ended_us;
    int64_t revoked;
    int64_t already;
    int64_t held;
    const char *plan; /* of its approval */
};

static lt_res load_mass(struct ca_turn *t, int64_t id, struct mass *ret_mass)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_MASS], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        *ret_mass = (struct mass){
            .scope_sha256 = lt_arena_copy(t->arena, store_bytes(&rows, 0)),
            .status = lt_arena_cstr(t->arena, store_bytes(&rows, 1)),
            .count = store_int(&rows, 2),
            .ended_us = store_int(&rows, 4),
            .revoked = store_int(&rows, 5),
            .already = store_int(&rows, 6),
            .held = store_int(&rows, 7),
            .plan = lt_arena_cstr(t->arena, store_bytes(&rows, 8)),
        };
        LT_ASSERT(ret_mass->status != NULL && ret_mass->plan != NULL);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no mass revocation m%lld", (long long)id);
    return LT_OK;
}

/* A plan as the book has it. */
struct plan {
    int64_t version;
    int64_t mass;
    const char *status;
    int64_t first_tiers; /* before it is set: tiers that need no replacement */
    lt_time start;       /* .us 0: when it is set */
    lt_time until;       /* .us 0: as computed */
    int64_t width_us;
    int64_t reserve_us; /* 0: as computed */
    lt_time must;
    int64_t per_hour;
};

static lt_res load_plan(struct ca_turn *t, const struct incident_case *c, struct plan *p)
{
    struct store_rows rows;
    *p = (struct plan){.version = 0};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(c->id), STORE_I(c->plan_version)), &rows));
    if (store_next(&rows)) {
        p->version = store_int(&rows, 1);
        p->mass = store_int(&rows, 3);
        p->status = lt_arena_cstr(t->arena, store_bytes(&rows, 4));
        p->first_tiers = store_int(&rows, 6);
        p->start.us = store_int(&rows, 7);
        p->until.us = store_int(&rows, 8);
        p->width_us = store_int(&rows, 9);
        p->reserve_us = store_int(&rows, 10);
        p->must.us = store_int(&rows, 11);
        p->per_hour = store_int(&rows, 12);
        LT_ASSERT(p->status != NULL);
    }
    return store_rows_end(&rows);
}

/* ---- making one ---- */

static lt_res mass_of(struct incident_call *c, const struct incident_case *in, int64_t *ret_mass,
                      struct mass *ret_row)
{
    struct store_rows rows;
    uint64_t id = 0;
    lt_slice name = lt_slice_cstr(incident_text(c, "mass"));
    LT_CHECK(in->scope_version > 0, LT_PEER_CONFLICT, "incident %lld has no scope yet: lintel incident scope",
             (long long)in->id);
    LT_CHECK(lt_slice_starts(name, LT_LIT("m")) &&
                 !lt_failed(lt_parse_u64(lt_slice_sub(name, 1, name.len), INT64_MAX, &id)),
             LT_PEER_MALFORMED, "\"mass\" is the id of a mass revocation: m123");
    *ret_mass = (int64_t)id;
    LT_TRY(load_mass(c->t, *ret_mass, ret_row));
    LT_TRY(store_query(c->t->store, &sql[SQL_SCOPE_HASH],
                       STORE_ARGS(STORE_I(in->id), STORE_I(in->scope_version)), &rows));
    bool same = store_next(&rows) && lt_slice_eq(store_bytes(&rows, 0), ret_row->scope_sha256);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(same, LT_PEER_CONFLICT,
             "m%lld is of other certificates than version %lld of the incident's scope", (long long)id,
             (long long)in->scope_version);
    LT_CHECK(strcmp(ret_row->status, "stopped") != 0, LT_PEER_CONFLICT, "m%lld is stopped", (long long)id);
    return LT_OK;
}

static lt_res replace_last(struct ca_turn *t, const struct incident_case *in)
{
    return in->plan_version == 0 ? LT_OK
                                 : store_exec(t->store, &sql[SQL_MOVE],
                                              STORE_ARGS(STORE_I(in->id), STORE_I(in->plan_version),
                                                         STORE_S("replaced"), STORE_I(t->now.us)),
                                              NULL);
}

static lt_res planned_event(struct incident_call *c, const struct incident_case *in, int64_t version,
                            int64_t mass)
{
    struct ca_body b;
    char *name = lt_arena_printf(c->t->arena, "m%lld", (long long)mass);
    LT_ASSERT(name != NULL);
    ca_body_init(&b);
    ca_body_int(&b, "incident", in->id);
    ca_body_int(&b, "version", version);
    ca_body_int(&b, "scope_version", in->scope_version);
    ca_body_str(&b, "mass", name);
    ca_body_int(&b, "per_hour", incident_number(c, "per-hour"));
    ca_body_str(&b, "capacity", incident_text(c, "capacity"));
    if (in->must_us != 0) {
        ca_body_time(&b, "must", (lt_time){in->must_us});
    }
    ca_body_str(&b, "by", c->by);
    return incident_case_event(c->t, in->id, "incident.planned", &b, c->jws);
}

lt_res incident_case_op_plan(struct incident_call *c)
{
    struct incident_case in;
    struct mass m;
    int64_t mass = 0;
    struct ca_body b;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(mass_of(c, &in, &mass, &m));
    LT_CHECK(incident_number(c, "per-hour") > 0, LT_PEER_MALFORMED,
             "\"per-hour\": how many certificates can be issued in an hour");
    int64_t version = in.plan_version + 1;
    LT_TRY(replace_last(c->t, &in));
    LT_TRY(store_exec(c->t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(in.id), STORE_I(version), STORE_I(in.scope_version), STORE_I(mass),
                                 STORE_I(incident_number(c, "replaced-tiers")),
                                 STORE_I(incident_number(c, "from")), STORE_I(incident_number(c, "until")),
                                 STORE_I(incident_number(c, "width-minutes") * 60 * LT_US_PER_SECOND),
                                 STORE_I(in.must_us), STORE_I(incident_number(c, "per-hour")),
                                 STORE_S(incident_text(c, "capacity")), STORE_I(c->t->now.us), STORE_S(c->by),
                                 STORE_S(incident_text(c, "explanation")),
                                 STORE_I(incident_number(c, "reserve-s") * LT_US_PER_SECOND)),
                      NULL));
    LT_TRY(incident_case_planned(c->t, in.id, version));
    LT_TRY(planned_event(c, &in, version, mass));
    ca_body_init(&b);
    ca_body_int(&b, "version", version);
    ca_body_str(&b, "mass", incident_text(c, "mass"));
    return incident_case_answer(c, in.id, &b);
}

/* ---- windows ---- */

/* Members of the first tiers, which the batches tell. */
static lt_res count_first(struct ca_turn *t, const struct plan *p, int64_t *ret_first)
{
    int64_t last = -1;
    size_t seen = 0;
    bool behind = p->first_tiers <= 0;
    *ret_first = 0;
    do {
        struct store_rows rows;
        seen = 0;
        LT_TRY(store_query(t->store, &sql[SQL_BATCHES], STORE_ARGS(STORE_I(p->mass), STORE_I(last)), &rows));
        while (!behind && store_next(&rows)) {
            seen++;
            last = store_int(&rows, 0);
            behind = store_int(&rows, 1) >= p->first_tiers;
            *ret_first += behind ? 0 : store_int(&rows, 2);
        }
        LT_TRY(store_rows_end(&rows));
    } while (!behind && seen == PAGE);
    return LT_OK;
}

static lt_res windows_event(struct ca_turn *t, const struct incident_case *c, const struct plan *p,
                            const struct ca_wave *w, int64_t late)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_int(&b, "version", p->version);
    ca_body_int(&b, "count", w->count);
    ca_body_int(&b, "replaced_already", w->first_rank);
    ca_body_time(&b, "first_opens", w->start);
    ca_body_time(&b, "last_closes", w->end);
    ca_body_int(&b, "minutes_wide", w->width_us / LT_US_PER_SECOND / 60);
    ca_body_int(&b, "after_the_deadline", late);
    return incident_case_event(t, c->id, "incident.windows", &b, LT_SLICE(NULL, 0));
}

static lt_res set_windows(struct ca_turn *t, struct incident_case *c, const struct plan *p, int64_t count)
{
    struct ca_wave w = {0};
    int64_t reserve_s = p->reserve_us != 0 ? p->reserve_us / LT_US_PER_SECOND
                                           : count / REVOKED_PER_S + PUBLISH_S;
    struct ca_wave_wanted want = {
        .start = p->start.us != 0 ? p->start : t->now,
        .must = p->must,
        .until = p->until,
        .width_us = p->width_us,
        .count = count,
        .per_hour = p->per_hour,
        .reserve_us = (reserve_s < RESERVE_LEAST_S ? RESERVE_LEAST_S : reserve_s) * LT_US_PER_SECOND,
    };
    LT_TRY(count_first(t, p, &want.first_rank));
    ca_wave_spread(&want, &w);
    int64_t late = w.count - ca_wave_late(&w, p->must);
    LT_TRY(store_exec(t->store, &sql[SQL_SET],
                      STORE_ARGS(STORE_I(c->id), STORE_I(p->version), STORE_I(w.count), STORE_I(w.first_rank),
                                 STORE_I(w.start.us), STORE_I(w.end.us), STORE_I(w.width_us), STORE_I(late),
                                 STORE_I(t->now.us)),
                      NULL));
    LT_TRY(windows_event(t, c, p, &w, late));
    if (strcmp(c->status, "scoped") == 0 || strcmp(c->status, "notifying") == 0) {
        LT_TRY(incident_step(t, c->id, "replace", "the plan", "renewal information asks for replacement"));
    }
    return LT_OK;
}

static lt_res give_up(struct ca_turn *t, const struct incident_case *c, const struct plan *p, const char *why)
{
    struct ca_body b;
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(c->id), STORE_I(p->version), STORE_S("over"), STORE_I(t->now.us)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_int(&b, "version", p->version);
    ca_body_str(&b, "why", why);
    return incident_case_event(t, c->id, "incident.plan-over", &b, LT_SLICE(NULL, 0));
}

/* ---- revoking ---- */

lt_res incident_case_op_revoke(struct incident_call *c)
{
    struct incident_case in;
    struct plan p;
    struct mass m;
    struct ca_body b;
    Ipc__MassWanted w = IPC__MASS_WANTED__INIT;
    const struct ca_plan_asker by = {c->by, c->jws, c->from};
    const char *json = NULL;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(load_plan(c->t, &in, &p));
    LT_CHECK(p.version != 0, LT_PEER_CONFLICT, "incident %lld has no plan yet: lintel incident plan",
             (long long)in.id);
    LT_TRY(load_mass(c->t, p.mass, &m));
    w.id = lt_arena_printf(c->t->arena, "m%lld", (long long)p.mass);
    w.late_because = lt_arena_cstr(c->t->arena, lt_slice_cstr(incident_text(c, "late-because")));
    LT_ASSERT(w.id != NULL && w.late_because != NULL);
    w.stop_after = incident_given(c, "stop-after") ? (int32_t)incident_number(c, "stop-after") : -1;
    bool approved = m.plan[0] != 0; /* then others sign, and the last signature starts it */
    bool proposed = strcmp(m.status, "proposed") == 0;
    if (incident_given(c, "expires") || (proposed && approved)) {
        LT_TRY(ca_mass_propose_again(c->t, &by, p.mass, (lt_time){incident_number(c, "expires")}));
    }
    if (proposed && !approved) {
        LT_TRY(ca_mass_start(c->t, &by, &w, &json));
    } else if (proposed && w.stop_after >= 0) {
        LT_TRY(ca_mass_stop_after(c->t, p.mass, w.stop_after));
    } else if (strcmp(m.status, "paused") == 0) {
        LT_TRY(ca_mass_resume(c->t, &by, &w, &json));
    }
    LT_TRY(load_mass(c->t, p.mass, &m));
    LT_TRY(incident_step_if(c->t, in.id, "revoke", c->by, w.id));
    ca_body_init(&b);
    ca_body_str(&b, "mass", w.id);
    ca_body_str(&b, "mass_status", m.status);
    ca_body_str(&b, "plan", m.plan);
    ca_body_int(&b, "count", m.count);
    return incident_case_answer(c, in.id, &b);
}

/* ---- in time ---- */

static int64_t left_over(const struct mass *m)
{
    return m->count - m->revoked - m->already;
}

/* Before the deadline it is said that, and what, will be late: the report about it is another duty. */
static lt_res say_late(struct ca_turn *t, const struct incident_case *c, const struct mass *m)
{
    struct ca_body b;
    const char *subject = incident_case_subject(t, c->id);
    int64_t left = m == NULL ? -1 : left_over(m);
    char when[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){c->must_us}, when);
    LT_TRY(incident_case_late(t, c->id));
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_int(&b, "not_revoked", left);
    ca_body_int(&b, "held", m == NULL ? 0 : m->held);
    ca_body_time(&b, "must", (lt_time){c->must_us});
    ca_body_str(&b, "draft", "lintel incident report N --kind delayed --out DIR");
    LT_TRY(incident_case_event(t, c->id, "incident.late", &b, LT_SLICE(NULL, 0)));
    LT_TRY(incident_clock_happened(t, "incident.will-miss", subject, t->now, "incident.late"));
    char *words = lt_arena_printf(
        t->arena,
        "%lld certificates are not revoked yet, and have to be by %s: file the report about the delay before",
        (long long)left, when);
    LT_ASSERT(words != NULL);
    return incident_page(t, strcmp(c->severity, "critical") == 0 ? "critical" : "high", subject, words);
}

/* ---- the list is done ---- */

/* The duty is done with the last certificate, not with the last that one was free to revoke. */
static lt_res all_revoked(struct ca_turn *t, const struct incident_case *c, int64_t ended_us,
                          const char *evidence)
{
    const char *subject = incident_case_subject(t, c->id);
    const struct incident_duty *d =
        c->cause[0] == 0 ? NULL : incident_duty_for_cause(lt_slice_cstr(c->cause), (lt_time){c->aware_us});
    LT_TRY(d == NULL ? LT_OK : incident_clock_meet(t, subject, d->id, (lt_time){ended_us}, evidence));
    LT_TRY(incident_clock_happened(t, "incident.revoked", subject, (lt_time){ended_us}, evidence));
    return c->must_us == 0 || ended_us <= c->must_us /* feared, and did not happen */
               ? incident_clock_void(t, subject, "irg-9", "everything was revoked in time after all")
               : LT_OK;
}

/* What courts keep is late like anything else: nobody grants exceptions, so its clock goes on, and the report
 * of the delay is due. */
static lt_res kept_back(struct ca_turn *t, const struct incident_case *c, const struct plan *p,
                        const struct mass *m)
{
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(c->id), STORE_I(p->version), STORE_S("held"), STORE_I(t->now.us)),
                      NULL));
    return c->must_us != 0 && c->late_us == 0 ? say_late(t, c, m) : LT_OK;
}

static lt_res revoked(struct ca_turn *t, const struct incident_case *c, const struct plan *p,
                      const struct mass *m)
{
    struct ca_body b;
    char *evidence = lt_arena_printf(t->arena, "mass m%lld done", (long long)p->mass);
    LT_ASSERT(evidence != NULL);
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_int(&b, "revoked", m->revoked);
    ca_body_int(&b, "already", m->already);
    ca_body_int(&b, "held", m->held);
    ca_body_time(&b, "ended", (lt_time){m->ended_us});
    LT_TRY(incident_case_event(t, c->id, "incident.revoked", &b, LT_SLICE(NULL, 0)));
    LT_TRY(m->held == 0 ? all_revoked(t, c, m->ended_us, evidence) : kept_back(t, c, p, m));
    LT_TRY(incident_step_if(t, c->id, "revoke", "the revocation", evidence));
    return incident_step_if(t, c->id, "report", "the revocation", evidence);
}

/* *ret_last .us 0: at least one of them is not revoked. */
static lt_res last_of_kept(struct ca_turn *t, const struct plan *p, lt_time *ret_last)
{
    int64_t issuer = 0;
    lt_slice serial = LT_LIT("");
    size_t seen = 0;
    bool left = false;
    ret_last->us = 0;
    do {
        struct store_rows rows;
        seen = 0;
        LT_TRY(store_query(t->store, &sql[SQL_KEPT_BACK],
                           STORE_ARGS(STORE_I(p->mass), STORE_I(issuer), STORE_B(serial)), &rows));
        while (!left && store_next(&rows)) {
            seen++;
            issuer = store_int(&rows, 0);
            serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
            bool ours = store_int(&rows, 3) != 0;
            left = ours && store_int(&rows, 2) == 0;
            ret_last->us = ours && store_int(&rows, 2) > ret_last->us ? store_int(&rows, 2) : ret_last->us;
        }
        LT_TRY(store_rows_end(&rows));
    } while (!left && seen == KEPT_PAGE);
    ret_last->us = left ? 0 : ret_last->us;
    return LT_OK;
}

/* The order is over, and the last of them is revoked. */
static lt_res look_at_kept(struct ca_turn *t, const struct incident_case *c, const struct plan *p)
{
    struct ca_body b;
    lt_time last = {0};
    LT_TRY(last_of_kept(t, p, &last));
    if (last.us == 0) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(c->id), STORE_I(p->version), STORE_S("over"), STORE_I(t->now.us)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_int(&b, "version", p->version);
    ca_body_time(&b, "ended", last);
    LT_TRY(incident_case_event(t, c->id, "incident.held-revoked", &b, LT_SLICE(NULL, 0)));
    return all_revoked(t, c, last.us, "what an order had kept is revoked");
}

static bool will_be_late(const struct ca_turn *t, const struct incident_case *c, const struct mass *m)
{
    int64_t whole_us = c->must_us - c->aware_us;
    bool time = c->must_us != 0 && c->late_us == 0 && t->now.us - c->aware_us >= whole_us / 100 * LATE_AT;
    return time && (m == NULL || left_over(m) > 0);
}

lt_res incident_case_plan_due(struct ca_turn *t, struct incident_case *c, bool *ret_more)
{
    struct plan p;
    struct mass m = {0};
    (void)ret_more;
    LT_TRY(load_plan(t, c, &p));
    bool known = p.version != 0;
    LT_TRY(known ? load_mass(t, p.mass, &m) : LT_OK);
    bool frozen = known && strcmp(m.status, "freezing") != 0 && strcmp(m.status, "sealing") != 0;
    bool stopped = known && strcmp(m.status, "stopped") == 0;
    if (known && strcmp(p.status, "freezing") == 0 && frozen) {
        return stopped ? give_up(t, c, &p, "its list was stopped") : set_windows(t, c, &p, m.count);
    }
    bool set = known && strcmp(p.status, "set") == 0;
    if (set && stopped) {
        return give_up(t, c, &p, "its revocation was stopped");
    }
    if (set && strcmp(m.status, "done") == 0) {
        LT_TRY(give_up(t, c, &p, m.held == 0 ? "everything is revoked" : "an order keeps what is left"));
        return revoked(t, c, &p, &m);
    }
    if (known && strcmp(p.status, "held") == 0) {
        LT_TRY(look_at_kept(t, c, &p));
    }
    if (set && (strcmp(m.status, "running") == 0 || strcmp(m.status, "checking") == 0)) {
        LT_TRY(incident_step_if(t, c->id, "revoke", "the revocation", "its last approval came"));
    }
    bool counts = c->scope_version > 0 && strcmp(c->status, "reporting") != 0 &&
                  strcmp(c->status, "learning") != 0;
    return counts && will_be_late(t, c, frozen ? &m : NULL) ? say_late(t, c, frozen ? &m : NULL) : LT_OK;
}
