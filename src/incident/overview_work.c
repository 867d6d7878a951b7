/* What the machine does: mass revocations, queues, and how fresh CRLs and answers of OCSP are. */
#include <stdio.h>
#include <string.h>

#include "ca/freshness.h"
#include "incident/overview_private.h"

enum {
    SQL_MASSES,
    SQL_BATCHES,
    SQL_MASS_INCIDENT,
    SQL_ORDERS,
    SQL_WAITING,
    SQL_MAIL,
    SQL_NOTICES,
    SQL_BATCHED,
    SQL_VALIDATIONS,
    SQL_INTENTS,
    SQL_CRL,
    SQL_PART,
    SQL_PUBLISHED,
    SQL_HEARD,
};
#define COUNT_OF(rows_) "SELECT count(*) FROM (SELECT 1 FROM " rows_ " LIMIT ?1) c"
static const struct store_sql sql[] = {
    [SQL_MASSES] = {"overview.masses",
                    "SELECT id, status, reason, count, revoked + already + held, started_us, ended_us, plan "
                    "FROM mass WHERE id < ?1 ORDER BY id DESC LIMIT 200"},
    [SQL_BATCHES] = {"overview.batches", "SELECT tier, count, revoked + already + held FROM mass_batch "
                                         "WHERE mass = ?1 ORDER BY batch"},
    [SQL_MASS_INCIDENT] = {"overview.mass-incident",
                           "SELECT i.id, i.restricted FROM incident_plan p JOIN incident i ON i.id = "
                           "p.incident WHERE p.mass = ?1 LIMIT 1"},
    [SQL_ORDERS] = {"overview.orders",
                    "SELECT status FROM ca_order WHERE (status = 'pending' OR status = 'ready' OR "
                    "status = 'processing') AND expires_us >= ?1 ORDER BY expires_us LIMIT ?2"},
    [SQL_WAITING] = {"overview.waiting", COUNT_OF("order_wait WHERE review = 'waiting' AND order_id >= 0")},
    [SQL_MAIL] = {"overview.mail", COUNT_OF("mail WHERE status = 'queued' AND due_us >= 0")},
    [SQL_NOTICES] = {"overview.notices", "SELECT channel FROM notice WHERE status = 'queued' AND batch = 0 "
                                         "AND due_us >= ?1 ORDER BY due_us LIMIT ?2"},
    [SQL_BATCHED] = {"overview.batched", "SELECT channel FROM notice WHERE status = 'queued' AND batch > 0 "
                                         "AND due_us >= ?1 ORDER BY due_us LIMIT ?2"},
    [SQL_VALIDATIONS] = {"overview.validations",
                         COUNT_OF("challenge WHERE status = 'processing' AND started_us >= 0")},
    [SQL_INTENTS] = {"overview.intents", COUNT_OF("intent_open WHERE intent >= 0")},
    [SQL_CRL] = {"overview.crl", "SELECT this_update_us, next_update_us, entries FROM crl WHERE issuer = ?1 "
                                 "AND shard = ?2 ORDER BY number DESC LIMIT 1"},
    [SQL_PART] = {"overview.part",
                  "SELECT shard FROM crl WHERE issuer = ?1 AND shard > ?2 ORDER BY shard LIMIT 1"},
    [SQL_PUBLISHED] = {"overview.published", "SELECT time_us FROM event WHERE kind = 'crl.published' AND "
                                             "time_us <= ?1 ORDER BY time_us DESC LIMIT 1"},
    [SQL_HEARD] = {"overview.heard", "SELECT at_us, until_us FROM tally_heard WHERE host > 0 AND "
                                     "what = 'ocsp' ORDER BY host LIMIT 45"},
};
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};
const struct incident_questions incident_questions_overview_work = {NULL, 0, &tables};

enum { HOUR_S = 3600, MINUTE_S = 60, TIERS_MAX = 16, ALIVE_MAX = 4, CRLS_MS = 60000, CRLS_SHARE = 50 };

/* ---- mass revocations ---- */

struct mass {
    int64_t id;
    const char *status;
    int64_t reason;
    int64_t count;
    int64_t done;
    int64_t started_us;
    int64_t ended_us;
    const char *plan;
};

static bool is(const char *status, const char *word)
{
    return strcmp(status, word) == 0;
}

static bool moves(const char *status)
{
    return is(status, "running") || is(status, "checking");
}

/* What is only proposed is a plan that waits for approvals, and no revocation under way. */
static bool to_be_seen(const struct overview *o, const char *status, int64_t ended_us)
{
    return ended_us != 0 ? o->query->now.us - ended_us < HOUR_S * LT_US_PER_SECOND
                         : moves(status) || is(status, "paused");
}

/* Where the next one goes: behind the others, or, of one that moves, in the place of the oldest that does
 * not.
 */
static size_t place_of(const struct mass *list, size_t count, const char *status)
{
    size_t at = count;
    for (size_t i = 0; count == ALIVE_MAX && moves(status) && i < count; i++) {
        at = moves(list[i].status) ? at : i;
    }
    return at;
}

static lt_res load_masses(const struct overview *o, struct mass *list, size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[SQL_MASSES], STORE_ARGS(STORE_I(INT64_MAX)), &rows));
    while (store_next(&rows)) {
        int64_t ended_us = store_int(&rows, 6);
        const char *status = lt_arena_cstr(o->query->arena, store_bytes(&rows, 1));
        status = status == NULL ? "" : status;
        size_t at = place_of(list, *ret_count, status);
        if (at < ALIVE_MAX && to_be_seen(o, status, ended_us)) {
            *ret_count += at == *ret_count ? 1 : 0;
            list[at] = (struct mass){
                .id = store_int(&rows, 0),
                .status = status,
                .reason = store_int(&rows, 2),
                .count = store_int(&rows, 3),
                .done = store_int(&rows, 4),
                .started_us = store_int(&rows, 5),
                .ended_us = ended_us,
                .plan = lt_arena_cstr(o->query->arena, store_bytes(&rows, 7)),
            };
        }
    }
    return store_rows_end(&rows);
}

static lt_res write_tiers(struct overview *o, const struct mass *m)
{
    struct store_rows rows;
    int64_t total[TIERS_MAX] = {0};
    int64_t done[TIERS_MAX] = {0};
    LT_TRY(store_query(o->query->store, &sql[SQL_BATCHES], STORE_ARGS(STORE_I(m->id)), &rows));
    while (store_next(&rows)) {
        int64_t tier = store_int(&rows, 0);
        if (tier >= 0 && tier < TIERS_MAX) {
            total[tier] += store_int(&rows, 1);
            done[tier] += store_int(&rows, 2);
        }
    }
    LT_TRY(store_rows_end(&rows));
    query_open(o->out, "tiers", '[');
    for (int64_t i = 0; i < TIERS_MAX; i++) {
        if (total[i] > 0) {
            query_open(o->out, NULL, '{');
            query_int(o->out, "tier", i);
            query_int(o->out, "total", total[i]);
            query_int(o->out, "done", done[i]);
            query_close(o->out, '}');
        }
    }
    query_close(o->out, ']');
    return LT_OK;
}

/* Both from what was done since the start; 0: nobody knows. */
static void write_pace(struct overview *o, const struct mass *m)
{
    int64_t until_us = m->ended_us != 0 ? m->ended_us : o->query->now.us;
    int64_t spent_us = m->started_us == 0 ? 0 : until_us - m->started_us;
    int64_t rate = spent_us > 0 ? (int64_t)((double)m->done * 1e6 / (double)spent_us) : 0;
    query_int(o->out, "rate", rate);
    query_int(o->out, "eta_s", rate > 0 && m->ended_us == 0 ? (m->count - m->done) / rate : 0);
}

static lt_res write_incident(struct overview *o, const struct mass *m)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[SQL_MASS_INCIDENT], STORE_ARGS(STORE_I(m->id)), &rows));
    if (store_next(&rows) && store_int(&rows, 1) == 0) {
        query_int(o->out, "incident", store_int(&rows, 0));
    } else {
        query_raw(o->out, "incident", (lt_slice){NULL, 0});
    }
    return store_rows_end(&rows);
}

static lt_res masses(struct overview *o)
{
    struct mass list[ALIVE_MAX];
    size_t count = 0;
    LT_TRY(load_masses(o, list, &count));
    query_open(o->out, "masses", '[');
    for (size_t i = 0; i < count; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "m%lld", (long long)list[i].id);
        query_open(o->out, NULL, '{');
        query_cstr(o->out, "id", id);
        query_cstr(o->out, "reason", query_reason_name(list[i].reason));
        query_cstr(o->out, "state", list[i].status);
        LT_TRY(write_tiers(o, &list[i]));
        query_int(o->out, "done", list[i].done);
        query_int(o->out, "total", list[i].count);
        write_pace(o, &list[i]);
        LT_TRY(write_incident(o, &list[i]));
        query_cstr(o->out, "plan", list[i].plan == NULL ? "" : list[i].plan);
        query_close(o->out, '}');
    }
    query_close(o->out, ']');
    return LT_OK;
}

/* ---- queues ---- */

static lt_res orders(struct overview *o)
{
    static const char *const states[] = {"pending", "ready", "processing"};
    struct store_rows rows;
    int64_t counts[LT_COUNT(states)] = {0};
    int64_t waiting = 0;
    LT_TRY(store_query(o->query->store, &sql[SQL_ORDERS],
                       STORE_ARGS(STORE_I(o->query->now.us), STORE_I(OVERVIEW_COUNT_MAX)), &rows));
    while (store_next(&rows)) {
        for (size_t i = 0; i < LT_COUNT(states); i++) {
            counts[i] += strcmp(store_cstr(&rows, 0), states[i]) == 0;
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(overview_number(o, &sql[SQL_WAITING], STORE_ARGS(STORE_I(OVERVIEW_COUNT_MAX)), &waiting));
    query_open(o->out, "orders", '{');
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        query_int(o->out, states[i], counts[i]);
    }
    query_int(o->out, "waiting", waiting);
    query_close(o->out, '}');
    if (waiting > 0) {
        overview_find(o, OVERVIEW_WARNING, "accounts", "%lld %s for a person's review", (long long)waiting,
                      waiting == 1 ? "order waits" : "orders wait");
    }
    return LT_OK;
}

static lt_res notices(struct overview *o, int statement, int64_t *notices_, int64_t *hooks)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[statement], STORE_ARGS(STORE_I(0), STORE_I(OVERVIEW_COUNT_MAX)),
                       &rows));
    while (store_next(&rows)) {
        bool hook = strcmp(store_cstr(&rows, 0), "webhook") == 0;
        *(hook ? hooks : notices_) += 1;
    }
    return store_rows_end(&rows);
}

static lt_res queues(struct overview *o)
{
    static const struct {
        const char *member;
        int statement;
    } counted[] = {{"mail", SQL_MAIL}, {"validations", SQL_VALIDATIONS}, {"intents", SQL_INTENTS}};
    int64_t waiting = 0;
    int64_t hooks = 0;
    query_open(o->out, "queues", '{');
    LT_TRY(orders(o));
    LT_TRY(notices(o, SQL_NOTICES, &waiting, &hooks));
    LT_TRY(notices(o, SQL_BATCHED, &waiting, &hooks));
    query_int(o->out, "notices", waiting);
    query_int(o->out, "hooks", hooks);
    for (size_t i = 0; i < LT_COUNT(counted); i++) {
        int64_t n = 0;
        LT_TRY(overview_number(o, &sql[counted[i].statement], STORE_ARGS(STORE_I(OVERVIEW_COUNT_MAX)), &n));
        query_int(o->out, counted[i].member, n);
    }
    query_close(o->out, '}');
    return LT_OK;
}

/* ---- what relying parties are given ---- */

static int64_t least(const struct overview_parts *p, int64_t so_far, int64_t us)
{
    return p->count == 0 || us < so_far ? us : so_far;
}

static lt_res add_part(const struct overview *o, const struct query_issuer *i, int64_t shard,
                       struct overview_parts *p)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[SQL_CRL], STORE_ARGS(STORE_I(i->id), STORE_I(shard)), &rows));
    if (store_next(&rows)) {
        const struct ca_fresh_crl crl = {{store_int(&rows, 0)}, {store_int(&rows, 1)}, i->offline};
        enum ca_fresh_state state = ca_fresh_judge_crl(&crl, o->query->now);
        p->late += state == CA_FRESH_LATE;
        p->broken += state == CA_FRESH_BROKEN;
        p->expired = p->expired || o->query->now.us >= crl.next_update.us;
        p->entries += store_int(&rows, 2);
        p->this_us = least(p, p->this_us, crl.this_update.us);
        p->next_us = least(p, p->next_us, crl.next_update.us);
        p->count++;
    }
    return store_rows_end(&rows);
}

static void write_parts(struct overview *o, const struct query_issuer *i, const struct overview_parts *p)
{
    enum ca_fresh_state worst = p->broken > 0 ? CA_FRESH_BROKEN : p->late > 0 ? CA_FRESH_LATE : CA_FRESH_GOOD;
    const char *state = p->expired ? "expired" : ca_fresh_state_name(worst);
    query_open(o->out, NULL, '{');
    query_cstr(o->out, "issuer", i->name);
    query_cstr(o->out, "state", state);
    query_int(o->out, "parts", p->count);
    query_int(o->out, "late", p->late);
    query_int(o->out, "broken", p->broken);
    query_int(o->out, "entries", p->entries);
    query_time(o->out, "this_update", p->this_us);
    query_time(o->out, "next_update", p->next_us);
    query_close(o->out, '}');
    if (worst != CA_FRESH_GOOD || p->expired) {
        overview_find(o, worst == CA_FRESH_LATE && !p->expired ? OVERVIEW_WARNING : OVERVIEW_BAD, "settings",
                      "CRL of %s: %s", i->name, state);
    }
}

static lt_res add_parts(const struct overview *o, const struct query_issuer *i, struct overview_parts *p)
{
    int64_t shard = 0;
    int64_t next = 0;
    *p = (struct overview_parts){.issuer = i->id};
    do { /* by steps of the primary key: the table has every CRL that there ever was */
        shard = next;
        LT_TRY(add_part(o, i, shard, p));
        LT_TRY(overview_number(o, &sql[SQL_PART], STORE_ARGS(STORE_I(i->id), STORE_I(shard)), &next));
    } while (next > shard);
    return LT_OK;
}

static lt_res read_crls(const struct overview *o, const struct query_tables *t, struct overview_memory *m)
{
    int64_t begun_ms = lt_monotonic_ms();
    m->read_ms = 0; /* nothing, where this fails */
    m->count = 0;
    for (size_t i = 0; i < t->issuer_count && m->count < OVERVIEW_ISSUERS; i++) {
        struct overview_parts *p = &m->crls[m->count];
        LT_TRY(add_parts(o, &t->issuers[i], p));
        m->count += p->count > 0;
    }
    m->read_ms = lt_monotonic_ms();
    m->took_ms = m->read_ms - begun_ms;
    return LT_OK;
}

static lt_res remember_crls(const struct overview *o, const struct query_tables *t, struct overview_memory *m)
{
    int64_t published_us = 0;
    int64_t since_ms = lt_monotonic_ms() - m->read_ms;
    LT_TRY(overview_number(o, &sql[SQL_PUBLISHED], STORE_ARGS(STORE_I(INT64_MAX)), &published_us));
    bool other = published_us != m->published_us && since_ms >= m->took_ms * CRLS_SHARE;
    if (m->read_ms == 0 || other || since_ms >= CRLS_MS) {
        LT_TRY(read_crls(o, t, m));
        m->published_us = published_us;
    }
    return LT_OK;
}

static lt_res crls(struct overview *o)
{
    struct query_tables t;
    struct overview_memory *m = o->query->overview;
    if (m == NULL) {
        m = LT_NEW(o->query->arena, struct overview_memory);
        LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
        *m = (struct overview_memory){.read_ms = 0};
    }
    LT_TRY(query_tables_load(o->query, &t));
    LT_TRY(remember_crls(o, &t, m));
    query_open(o->out, "crls", '[');
    for (size_t i = 0; i < m->count; i++) {
        const struct query_issuer *issuer = query_issuer_by_id(&t, m->crls[i].issuer);
        if (issuer != NULL) {
            write_parts(o, issuer, &m->crls[i]);
        }
    }
    query_close(o->out, ']');
    return LT_OK;
}

static lt_res ocsp(struct overview *o)
{
    struct store_rows rows;
    int64_t answered_us = 0;
    bool any = false;
    LT_TRY(store_query(o->query->store, &sql[SQL_HEARD], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) { /* one host publishes at a time: the newest word is its */
        any = true;
        answered_us = store_int(&rows, 1) > answered_us ? store_int(&rows, 1) : answered_us;
    }
    LT_TRY(store_rows_end(&rows));
    query_open(o->out, "ocsp", '[');
    if (any) {
        enum ca_fresh_state state = ca_fresh_judge(CA_FRESH_ANSWER, (lt_time){answered_us}, o->query->now);
        query_open(o->out, NULL, '{');
        query_cstr(o->out, "state", ca_fresh_state_name(state));
        query_time(o->out, "answered", answered_us - answered_us % (MINUTE_S * LT_US_PER_SECOND));
        query_close(o->out, '}');
        if (state != CA_FRESH_GOOD) {
            overview_find(o, state == CA_FRESH_LATE ? OVERVIEW_WARNING : OVERVIEW_BAD, "settings",
                          "Answers of OCSP are %s", ca_fresh_state_name(state));
        }
    }
    query_close(o->out, ']');
    return LT_OK;
}

lt_res overview_work(struct overview *o)
{
    LT_TRY(masses(o));
    LT_TRY(queues(o));
    LT_TRY(crls(o));
    return ocsp(o);
}
