/* Questions about incidents: lists, one, what its plan may count on, and what it will miss. */
#include <string.h>

#include "base/text.h"
#include "ca/ari_wave.h"
#include "ca/ready_tier.h"
#include "ca/viewer.h"
#include "incident/ask.h"
#include "incident/case_show.h"

static const struct store_sql sql[] = {
    {"case.issued-busiest",
     "SELECT minute, n FROM (SELECT issued_us / 60000000 AS minute, count(*) AS n FROM certificate "
     "WHERE issued_us >= ?1 GROUP BY issued_us / 60000000) x ORDER BY n DESC LIMIT 1"},
    {"case.issued-second",
     "SELECT max(n) FROM (SELECT count(*) AS n FROM certificate WHERE issued_us >= ?1 AND issued_us < ?2 "
     "GROUP BY issued_us / 1000000) x"},
    {"case.crl-slowest",
     "SELECT max(k.published_us - c.this_update_us), max(c.entries) FROM crl_check k JOIN crl c ON "
     "c.issuer = k.issuer AND c.shard = k.shard AND c.number = k.number"},
    {"case.mail-busiest",
     "SELECT minute, n FROM (SELECT y.ended_us / 60000000 AS minute, count(*) AS n FROM (SELECT ended_us "
     "FROM notice "
     "WHERE channel = 'mail' AND status = 'sent' ORDER BY id DESC LIMIT 100000) y WHERE y.ended_us >= ?1 "
     "GROUP BY y.ended_us / 60000000) x ORDER BY n DESC LIMIT 1"},
    {"case.mass-pace",
     "SELECT revoked, started_us, ended_us FROM mass WHERE status = 'done' AND revoked >= 10000 AND "
     "ended_us > started_us ORDER BY id DESC LIMIT 1"},
    {"case.plan",
     "SELECT p.version, p.mass, p.status, p.count, p.first_rank, p.start_us, p.end_us, p.width_us, "
     "p.per_hour, i.must_us, m.status, m.plan, m.started_us, i.restricted "
     "FROM incident i JOIN incident_plan p ON p.incident = i.id AND p.version = i.plan_version "
     "JOIN mass m ON m.id = p.mass WHERE i.id = ?1"},
    {"case.tiers",
     "SELECT t.tier, t.scope, (SELECT coalesce(sum(b.count), 0) FROM mass_batch b WHERE b.mass = t.mass AND "
     "b.tier = t.tier), (SELECT coalesce(sum(b.revoked + b.already), 0) FROM mass_batch b WHERE "
     "b.mass = t.mass AND b.tier = t.tier) FROM mass_tier t WHERE t.mass = ?1 ORDER BY t.tier LIMIT 16"},
    {"case.replaced",
     "SELECT x.tier, count(x.first_us), coalesce(sum(CASE WHEN x.first_us >= ?2 THEN 1 ELSE 0 END), 0) FROM "
     "(SELECT m.tier AS tier, (SELECT min(p.seen_us) FROM replacement p WHERE p.old_issuer = m.issuer AND "
     "p.old_serial = m.serial) AS first_us FROM mass_member m WHERE m.mass = ?1) x GROUP BY x.tier"},
    {"case.held",
     "SELECT m.tier, count(*) FROM revocation_hold h JOIN mass_member m ON m.mass = ?1 AND m.tier IN (0, 1, "
     "2, "
     "3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) AND m.issuer = h.issuer AND m.serial = h.serial "
     "WHERE h.lifted_us = 0 GROUP BY m.tier"},
    {"case.viewer-role",
     "SELECT 1 FROM incident_role WHERE holder = ?1 AND incident = ?2 AND until_us = 0 LIMIT 1"},
};
enum {
    SQL_BUSIEST,
    SQL_SECOND,
    SQL_CRL,
    SQL_MAIL,
    SQL_PACE,
    SQL_PLAN,
    SQL_TIERS,
    SQL_REPLACED,
    SQL_HELD,
    SQL_VIEWER_ROLE,
};

enum {
    ANSWER_MAX = 16 * 1024 * 1024,
    LOOK_BACK_S = 30 * 86400,
    HOUR_S = 3600,
    MINUTE_US = 60000000,
    MINE_MAX = 1000
};

static lt_res id_of(const struct ca_query *query, int64_t *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is no incident", query->q->id);
    *ret_id = (int64_t)id;
    return LT_OK;
}

lt_res incident_ask_has_role(const struct ca_query *query, int64_t id, bool *ret_has)
{
    struct store_rows rows;
    *ret_has = false;
    if (query->viewer == NULL) { /* by the socket: who asks there signs for it */
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[SQL_VIEWER_ROLE],
                       STORE_ARGS(STORE_S(query->viewer->operator_), STORE_I(id)), &rows));
    *ret_has = store_next(&rows);
    return store_rows_end(&rows);
}

static lt_res answer_show(const struct ca_query *query, struct query_out *out)
{
    struct lt_buf json;
    int64_t id = 0;
    bool has_role = false;
    LT_TRY(id_of(query, &id));
    LT_TRY(incident_ask_has_role(query, id, &has_role));
    lt_buf_init(&json, ANSWER_MAX);
    lt_res r = incident_case_show(query->store, id, has_role, &json);
    query_raw(out, "incident", lt_failed(r) ? LT_LIT("null") : lt_buf_slice(&json));
    lt_buf_done(&json);
    return r;
}

/* Restricted ones, for who has a role in them: on the first page, all of them. */
static lt_res list_mine(const struct ca_query *query, struct query_out *out)
{
    struct lt_buf json;
    int64_t last = 0;
    const struct incident_case_page page = {.before = INT64_MAX,
                                            .limit = MINE_MAX,
                                            .status = query->q->status,
                                            .holder = query->viewer->operator_};
    lt_buf_init(&json, ANSWER_MAX);
    lt_res r = incident_case_list(query->store, &page, &json, &last);
    query_raw(out, "mine", lt_failed(r) ? LT_LIT("null") : lt_buf_slice(&json));
    lt_buf_done(&json);
    return r;
}

static lt_res answer_list(const struct ca_query *query, struct query_out *out)
{
    struct lt_buf json;
    struct query_cursor at;
    int64_t last = 0;
    LT_TRY(query_cursor_read(query, 'I', &at));
    const struct incident_case_page page = {
        .before = at.set ? at.key : INT64_MAX,
        .limit = (int64_t)query_limit(query),
        .status = query->q->status,
        .holder = "",
    };
    lt_buf_init(&json, ANSWER_MAX);
    lt_res r = incident_case_list(query->store, &page, &json, &last);
    query_raw(out, "incidents", lt_failed(r) ? LT_LIT("null") : lt_buf_slice(&json));
    lt_buf_done(&json);
    LT_TRY(r);
    LT_TRY(query->viewer != NULL && !at.set ? list_mine(query, out) : LT_OK);
    at = (struct query_cursor){.set = last != 0, .key = last};
    query_cursor_write(out, 'I', &at);
    return LT_OK;
}

/* ---- capacity ---- */

struct pair {
    bool there;
    int64_t a;
    int64_t b;
};

static lt_res two(const struct ca_query *query, size_t which, const struct store_value *v, size_t count,
                  struct pair *ret_pair)
{
    struct store_rows rows;
    *ret_pair = (struct pair){.there = false};
    LT_TRY(store_query(query->store, &sql[which], v, count, &rows));
    if (store_next(&rows) && !store_is_null(&rows, 0)) {
        *ret_pair = (struct pair){true, store_int(&rows, 0), store_int(&rows, 1)};
    }
    return store_rows_end(&rows);
}

static void put_rate(struct query_out *out, const char *name, const struct pair *busiest)
{
    query_open(out, name, '{');
    query_int(out, "per_hour", busiest->b * 60);
    query_time(out, "measured", busiest->a * MINUTE_US);
    query_cstr(out, "how", "the busiest minute of the last 30 days");
    query_close(out, '}');
}

/* What was done before can be done again: nothing here is a wish. */
static lt_res answer_capacity(const struct ca_query *query, struct query_out *out)
{
    int64_t since_us = lt_time_add_seconds(query->now, -LOOK_BACK_S).us;
    struct pair issued;
    struct pair mail;
    struct pair crl;
    struct pair pace;
    struct store_rows rows;
    int64_t second = 0;
    LT_TRY(two(query, SQL_BUSIEST, STORE_ARGS(STORE_I(since_us)), &issued));
    LT_TRY(two(query, SQL_MAIL, STORE_ARGS(STORE_I(since_us)), &mail));
    LT_TRY(two(query, SQL_CRL, STORE_NO_ARGS, &crl));
    LT_TRY(store_query(query->store, &sql[SQL_SECOND],
                       STORE_ARGS(STORE_I(issued.a * MINUTE_US), STORE_I((issued.a + 1) * MINUTE_US)),
                       &rows));
    second = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(query->store, &sql[SQL_PACE], STORE_NO_ARGS, &rows));
    pace = (struct pair){.there = store_next(&rows)};
    if (pace.there) {
        pace.a = store_int(&rows, 0);
        pace.b = store_int(&rows, 2) - store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    put_rate(out, "issuance", &issued);
    query_open(out, "signing", '{');
    query_int(out, "per_second", second);
    query_cstr(out, "how", "the busiest second of that minute");
    query_close(out, '}');
    query_open(out, "crl", '{');
    query_int(out, "slowest_ms", crl.a / 1000);
    query_int(out, "entries", crl.b);
    query_cstr(out, "how", "from the list's time to its publication, of the newest of each part");
    query_close(out, '}');
    put_rate(out, "mail", &mail);
    query_open(out, "revocation", '{');
    query_int(out, "per_second", pace.there ? (int64_t)((double)pace.a * 1e6 / (double)pace.b) : 0);
    query_cstr(out, "how", "the last run over 10,000");
    query_close(out, '}');
    return LT_OK;
}

/* ---- forecast ---- */

struct tier {
    char *scope;
    int64_t members;
    int64_t revoked;
    int64_t replaced;
    int64_t replaced_last_hour;
    int64_t held;
    int64_t asked;       /* their windows are over */
    int64_t replaced_of; /* percent of those whose windows are over who replaced, or are taken to */
    bool assumed;
    int64_t unreplaced; /* expected, at the deadline */
};

struct forecast {
    struct ca_wave wave;
    int64_t version;
    int64_t mass;
    bool set;
    lt_time must;
    const char *mass_status;
    const char *approval;
    int64_t started_us;
    struct tier tiers[CA_WAVE_TIERS];
    size_t tier_count;
};

static lt_res load_plan(const struct ca_query *query, int64_t id, struct forecast *f)
{
    struct store_rows rows;
    bool has_role = false;
    LT_TRY(incident_ask_has_role(query, id, &has_role));
    LT_TRY(store_query(query->store, &sql[SQL_PLAN], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows) && (has_role || store_int(&rows, 13) == 0);
    if (found) {
        f->version = store_int(&rows, 0);
        f->mass = store_int(&rows, 1);
        f->set = strcmp(store_cstr(&rows, 2), "freezing") != 0;
        f->wave = (struct ca_wave){.count = store_int(&rows, 3),
                                   .first_rank = store_int(&rows, 4),
                                   .start = {store_int(&rows, 5)},
                                   .end = {store_int(&rows, 6)},
                                   .width_us = store_int(&rows, 7)};
        f->must.us = store_int(&rows, 9);
        f->mass_status = lt_arena_cstr(query->arena, store_bytes(&rows, 10));
        f->approval = lt_arena_cstr(query->arena, store_bytes(&rows, 11));
        f->started_us = store_int(&rows, 12);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "incident %lld has no plan that everybody may see", (long long)id);
    LT_CHECK(f->mass_status != NULL && f->approval != NULL, LT_PEER_TOO_LARGE,
             "the answer is over the limit");
    return LT_OK;
}

static lt_res load_tiers(const struct ca_query *query, struct forecast *f)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_TIERS], STORE_ARGS(STORE_I(f->mass)), &rows));
    while (f->tier_count < CA_WAVE_TIERS && store_next(&rows)) {
        struct tier *one = &f->tiers[f->tier_count++];
        one->scope = lt_arena_cstr(query->arena, store_bytes(&rows, 1));
        one->members = store_int(&rows, 2);
        one->revoked = store_int(&rows, 3);
        LT_CHECK(one->scope != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    }
    LT_TRY(store_rows_end(&rows));
    int64_t hour_us = lt_time_add_seconds(query->now, -HOUR_S).us;
    LT_TRY(
        store_query(query->store, &sql[SQL_REPLACED], STORE_ARGS(STORE_I(f->mass), STORE_I(hour_us)), &rows));
    while (store_next(&rows)) {
        int64_t tier = store_int(&rows, 0);
        if (tier >= 0 && (size_t)tier < f->tier_count) {
            f->tiers[tier].replaced = store_int(&rows, 1);
            f->tiers[tier].replaced_last_hour = store_int(&rows, 2);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(query->store, &sql[SQL_HELD], STORE_ARGS(STORE_I(f->mass)), &rows));
    while (store_next(&rows)) {
        int64_t tier = store_int(&rows, 0);
        if (tier >= 0 && (size_t)tier < f->tier_count) {
            f->tiers[tier].held = store_int(&rows, 1);
        }
    }
    return store_rows_end(&rows);
}

/* How many of a tier follow their window, where too few windows are over to tell. */
static int64_t assumed_share(const char *scope)
{
    static const int64_t shares[] = {[CA_READY_AUTOMATIC] = 98,
                                     [CA_READY_UNATTENDED] = 60,
                                     [CA_READY_REACHABLE] = 40,
                                     [CA_READY_BY_HAND] = 10,
                                     [CA_READY_HOLD_OUT] = 0};
    static const char *const words[] = {[CA_READY_AUTOMATIC] = "tier = automatic",
                                        [CA_READY_UNATTENDED] = "tier = unattended",
                                        [CA_READY_REACHABLE] = "tier = reachable",
                                        [CA_READY_BY_HAND] = "tier = by-hand",
                                        [CA_READY_HOLD_OUT] = "tier = hold-out"};
    for (size_t i = CA_READY_AUTOMATIC; i < LT_COUNT(words); i++) {
        const char *at = strstr(scope, words[i]);
        bool not_in = at != NULL && strstr(scope, "not (") != NULL && strstr(scope, "not (") < at;
        if (at != NULL && !not_in) {
            return shares[i];
        }
    }
    return 25;
}

static int64_t windows_over(const struct ca_wave *w, int64_t first, int64_t count, lt_time now)
{
    int64_t over = ca_wave_late(w, now) - first; /* the first rank whose window closes after now */
    return over < 0 ? 0 : over > count ? count : over;
}

static void predict_tier(const struct forecast *f, struct tier *t, int64_t first, lt_time now)
{
    enum { TELLING = 20 };
    int64_t remaining = t->members - t->replaced;
    int64_t left_s = f->must.us > now.us ? (f->must.us - now.us) / LT_US_PER_SECOND : 0;
    t->asked = f->set ? windows_over(&f->wave, first, t->members, now) : 0;
    t->assumed = t->asked < TELLING;
    t->replaced_of = t->assumed ? assumed_share(t->scope) : t->replaced * 100 / t->asked;
    t->replaced_of = t->replaced_of > 100 ? 100 : t->replaced_of;
    int64_t to_come = t->members - t->asked;
    to_come = to_come < remaining ? to_come : remaining;
    int64_t by_windows = to_come * t->replaced_of / 100;
    int64_t by_pace = t->replaced_last_hour * left_s / HOUR_S;
    int64_t gained = by_windows > by_pace ? by_windows : by_pace;
    gained = left_s == 0 ? 0 : gained;
    t->unreplaced = remaining > gained ? remaining - gained : 0;
}

static void write_tier(struct query_out *out, size_t i, const struct tier *t)
{
    query_open(out, NULL, '{');
    query_int(out, "tier", (int64_t)i);
    query_cstr(out, "scope", t->scope);
    query_int(out, "members", t->members);
    query_int(out, "replaced", t->replaced);
    query_int(out, "replaced_last_hour", t->replaced_last_hour);
    query_int(out, "windows_over", t->asked);
    query_int(out, "percent_follow", t->replaced_of);
    query_bool(out, "assumed", t->assumed);
    query_int(out, "revoked", t->revoked);
    query_int(out, "held", t->held);
    query_int(out, "unreplaced_at_deadline", t->unreplaced);
    query_close(out, '}');
}

/* A run that nobody has approved yet is not on its way. */
static bool runs(const struct forecast *f)
{
    return f->started_us != 0 && strcmp(f->mass_status, "paused") != 0 &&
           strcmp(f->mass_status, "stopped") != 0;
}

static lt_res answer_forecast(const struct ca_query *query, struct query_out *out)
{
    struct forecast *f = LT_NEW(query->arena, struct forecast);
    int64_t id = 0;
    int64_t first = 0;
    struct tier sum = {0};
    LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(id_of(query, &id));
    LT_TRY(load_plan(query, id, f));
    LT_TRY(load_tiers(query, f));
    query_int(out, "incident", id);
    query_int(out, "version", f->version);
    query_time(out, "at", query->now.us);
    query_time(out, "must", f->must.us);
    query_open(out, "tiers", '[');
    for (size_t i = 0; i < f->tier_count; i++) {
        struct tier *t = &f->tiers[i];
        predict_tier(f, t, first, query->now);
        write_tier(out, i, t);
        first += t->members;
        sum.members += t->members;
        sum.replaced += t->replaced;
        sum.revoked += t->revoked;
        sum.held += t->held;
        sum.unreplaced += t->unreplaced;
    }
    query_close(out, ']');
    query_int(out, "members", sum.members);
    query_int(out, "replaced", sum.replaced);
    query_int(out, "revoked", sum.revoked);
    query_int(out, "held", sum.held);
    query_int(out, "unreplaced_at_deadline", sum.unreplaced);
    query_int(out, "after_the_deadline",
              f->set && f->must.us != 0 ? f->wave.count - ca_wave_late(&f->wave, f->must) : 0);
    query_int(out, "unrevoked_at_deadline", runs(f) ? sum.held : sum.members - sum.revoked);
    query_cstr(out, "mass_status", f->mass_status);
    query_cstr(out, "approval", f->approval);
    return LT_OK;
}

static const struct incident_question questions[] = {
    {"incident.list", answer_list},
    {"incident.show", answer_show},
    {"incident.forecast", answer_forecast},
    {"incident.capacity", answer_capacity},
    {"incident.choices", incident_ask_choices},
};
static const struct ca_query_sql statements = {sql, LT_COUNT(sql)};

const struct incident_questions incident_questions_case = {questions, LT_COUNT(questions), &statements};
