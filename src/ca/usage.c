/* Scans: the row, its states, what operators may do with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/book_internal.h"
#include "ca/config.h"
#include "ca/host.h"
#include "ca/usage_internal.h"

#define COLUMNS                                                                                           \
    "id, status, host, scope, scope_sha256, ports, rate, concurrency, timeout_ms, as_of_us, created_us, " \
    "created_by, started_us, ended_us, count, at_issuer, at_serial, certificates, looked, served, ours, " \
    "failed, skipped, why"

static const struct store_sql sql[] = {
    {"usage.get", "SELECT " COLUMNS " FROM usage_scan WHERE id = ?1"},
    {"usage.add", "INSERT INTO usage_scan (" COLUMNS ") VALUES (?1, 'counting', ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                  "?9, ?9, ?10, 0, 0, 0, 0, ?11, 0, 0, 0, 0, 0, 0, '')"},
    {"usage.move", "UPDATE usage_scan SET status = ?3, host = ?4, why = ?5, started_us = ?6, ended_us = ?7 "
                   "WHERE id = ?1 AND status = ?2"},
    {"usage.live", "SELECT id FROM usage_scan WHERE (status = 'counting' OR status = 'running') AND "
                   "host = ?1 ORDER BY id LIMIT 1"},
};
enum { SQL_GET, SQL_ADD, SQL_MOVE, SQL_LIVE };
const struct store_sql *const ca_usage_sql = sql;
const size_t ca_usage_sql_count = LT_COUNT(sql);

enum { PORTS_TEXT_MAX = 64, SCOPE_MAX = 64 * 1024 };

const struct ca_usage_edge ca_usage_edges[] = {
    {"counting", "counted", "running"}, {"counting", "pause", "paused"}, {"counting", "stop", "stopped"},
    {"counting", "fail", "stopped"},    {"running", "pause", "paused"},  {"running", "stop", "stopped"},
    {"running", "fail", "stopped"},     {"running", "finish", "done"},   {"paused", "resume", "counting"},
    {"paused", "stop", "stopped"},
};
const size_t ca_usage_edge_count = LT_COUNT(ca_usage_edges);

const char *ca_usage_next(const char *from, const char *event)
{
    for (size_t i = 0; i < LT_COUNT(ca_usage_edges); i++) {
        if (strcmp(ca_usage_edges[i].from, from) == 0 && strcmp(ca_usage_edges[i].event, event) == 0) {
            return ca_usage_edges[i].to;
        }
    }
    return NULL;
}

static lt_slice kept(struct ca_turn *t, const struct store_rows *rows, int at)
{
    lt_slice s = lt_arena_copy(t->arena, store_bytes(rows, at));
    LT_ASSERT(s.ptr != NULL || s.len == 0);
    return s;
}

static void read_row(struct ca_turn *t, const struct store_rows *rows, struct ca_usage *u)
{
    const struct {
        int column;
        const char **to;
    } texts[] = {{1, &u->status}, {3, &u->scope}, {5, &u->ports}, {11, &u->created_by}, {23, &u->why}};
    const struct {
        int column;
        int64_t *to;
    } numbers[] = {{0, &u->id},         {2, &u->host},     {6, &u->rate},        {7, &u->concurrency},
                   {8, &u->timeout_ms}, {9, &u->as_of_us}, {10, &u->created_us}, {12, &u->started_us},
                   {13, &u->ended_us},  {14, &u->count},   {15, &u->at_issuer},  {17, &u->certificates},
                   {18, &u->looked},    {19, &u->served},  {20, &u->ours},       {21, &u->failed},
                   {22, &u->skipped}};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        *texts[i].to = lt_arena_cstr(t->arena, store_bytes(rows, texts[i].column));
        LT_ASSERT(*texts[i].to != NULL);
    }
    for (size_t i = 0; i < LT_COUNT(numbers); i++) {
        *numbers[i].to = store_int(rows, numbers[i].column);
    }
    u->scope_sha256 = kept(t, rows, 4);
    u->at_serial = kept(t, rows, 16);
}

lt_res ca_usage_load(struct ca_turn *t, int64_t id, struct ca_usage *ret_scan)
{
    struct store_rows rows;
    *ret_scan = (struct ca_usage){.id = 0};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        read_row(t, &rows, ret_scan);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_scan->id != 0, LT_PEER_NOT_FOUND, "there is no scan u%lld", (long long)id);
    return LT_OK;
}

static void put(struct ca_body *b, const struct ca_usage *u)
{
    enum { SCOPE_SHOWN_MAX = 4096 };
    char id[32];
    (void)snprintf(id, sizeof id, "u%lld", (long long)u->id);
    ca_body_str(b, "id", id);
    ca_body_str(b, "status", u->status);
    ca_body_text(b, "scope", lt_slice_sub(lt_slice_cstr(u->scope), 0, SCOPE_SHOWN_MAX));
    ca_body_hex(b, "scope_sha256", u->scope_sha256);
    ca_body_str(b, "ports", u->ports);
    ca_body_int(b, "rate", u->rate);
    ca_body_int(b, "concurrency", u->concurrency);
    ca_body_int(b, "count", u->count);
    ca_body_int(b, "certificates", u->certificates);
    ca_body_int(b, "looked", u->looked);
    ca_body_int(b, "served", u->served);
    ca_body_int(b, "ours", u->ours);
    ca_body_int(b, "failed", u->failed);
    ca_body_int(b, "skipped", u->skipped);
    ca_body_str(b, "why", u->why);
}

static lt_res say(struct ca_turn *t, const struct ca_usage *u, const char *kind,
                  const struct ca_plan_asker *by)
{
    struct ca_body b;
    ca_body_init(&b);
    put(&b, u);
    if (by != NULL) {
        ca_body_str(&b, "operator", by->operator_name);
    }
    char *subject = lt_arena_printf(t->arena, "usage u%lld", (long long)u->id);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, t, kind, subject, by == NULL ? LT_SLICE(NULL, 0) : by->jws);
}

static lt_res answer(struct ca_turn *t, const struct ca_usage *u, const char **ret_json)
{
    struct ca_body b;
    ca_body_init(&b);
    put(&b, u);
    return ca_body_cstr(&b, t->arena, ret_json);
}

static const char *kind_of(const char *status)
{
    static const struct {
        const char *status;
        const char *kind;
    } kinds[] = {{"counting", "usage.started"},
                 {"paused", "usage.paused"},
                 {"done", "usage.done"},
                 {"stopped", "usage.stopped"}};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (strcmp(kinds[i].status, status) == 0) {
            return kinds[i].kind;
        }
    }
    return NULL;
}

lt_res ca_usage_move(struct ca_turn *t, struct ca_usage *u, const char *event, const char *why,
                     const struct ca_plan_asker *by)
{
    const char *to = ca_usage_next(u->status, event);
    LT_CHECK(to != NULL, LT_PEER_CONFLICT, "scan u%lld is %s", (long long)u->id, u->status);
    bool ended = strcmp(to, "done") == 0 || strcmp(to, "stopped") == 0;
    u->started_us = u->started_us == 0 && strcmp(to, "running") == 0 ? t->now.us : u->started_us;
    u->ended_us = ended ? t->now.us : 0;
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(u->id), STORE_S(u->status), STORE_S(to), STORE_I(u->host),
                                 STORE_S(why), STORE_I(u->started_us), STORE_I(u->ended_us)),
                      &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "u%lld has just changed", (long long)u->id);
    u->status = to;
    u->why = why;
    return kind_of(to) == NULL ? LT_OK : say(t, u, kind_of(to), by);
}

static lt_res live(struct ca_turn *t, int64_t *ret_id)
{
    struct store_rows rows;
    *ret_id = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LIVE], STORE_ARGS(STORE_I(ca_host_id(t))), &rows));
    if (store_next(&rows)) {
        *ret_id = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* One at a time: two would share the courier, and neither keep its rate. */
static lt_res check_alone(struct ca_turn *t)
{
    int64_t id = 0;
    LT_TRY(live(t, &id));
    LT_CHECK(id == 0, LT_PEER_CONFLICT,
             "scan u%lld is under way: wait for it, or pause it with: lintel usage pause u%lld",
             (long long)id, (long long)id);
    return LT_OK;
}

static lt_res check(const Ipc__UsageWanted *m)
{
    LT_CHECK(m->scope[0] != '\0' && strlen(m->scope) <= SCOPE_MAX && m->scope_sha256.len == CA_HASH_LEN,
             LT_PEER_MALFORMED, "which certificates?");
    LT_CHECK(m->n_ports > 0 && m->n_ports <= CA_USAGE_PORTS_MAX, LT_PEER_MALFORMED, "1 to %d ports",
             CA_USAGE_PORTS_MAX);
    for (size_t i = 0; i < m->n_ports; i++) {
        LT_CHECK(m->ports[i] > 0 && m->ports[i] <= UINT16_MAX, LT_PEER_MALFORMED, "%u is no port",
                 m->ports[i]);
    }
    LT_CHECK(m->rate > 0 && m->rate <= CA_USAGE_RATE_MAX, LT_PEER_MALFORMED,
             "\"rate\" is 1 to %d connections a second", CA_USAGE_RATE_MAX);
    LT_CHECK(m->concurrency > 0 && m->concurrency <= CA_USAGE_CONCURRENCY_MAX, LT_PEER_MALFORMED,
             "\"concurrency\" is 1 to %d connections", CA_USAGE_CONCURRENCY_MAX);
    LT_CHECK(m->timeout_ms >= 100 && m->timeout_ms <= CA_USAGE_TIMEOUT_MAX_MS, LT_PEER_MALFORMED,
             "\"timeout\" is 100 to %d ms", CA_USAGE_TIMEOUT_MAX_MS);
    return LT_OK;
}

/* A CA goes out to its subscribers' servers only where somebody decided so. */
static lt_res check_allowed(const struct ca_turn *t)
{
    LT_CHECK(
        t->book->config == NULL || t->book->config->usage_scan, LT_PEER_UNSUPPORTED,
        "this CA looks at no endpoints: write \"usage: {scan: true}\" into lintel.yaml and start it anew");
    LT_CHECK(!t->book->no_courier, LT_PEER_UNSUPPORTED,
             "no courier runs, so nobody would look: start the family anew, as lintel.yaml wants one by now");
    return LT_OK;
}

lt_res ca_usage_create(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                       const char **ret_json)
{
    char ports[PORTS_TEXT_MAX] = "";
    struct ca_usage u;
    LT_TRY(check(m));
    LT_TRY(check_allowed(t));
    LT_TRY(check_alone(t));
    for (size_t i = 0, at = 0; i < m->n_ports; i++) {
        at += (size_t)snprintf(ports + at, sizeof ports - at, "%s%u", i == 0 ? "" : ",", m->ports[i]);
    }
    int64_t id = ca_new_id(t);
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(ca_host_id(t)), STORE_S(m->scope),
                                 STORE_B(LT_SLICE(m->scope_sha256.data, m->scope_sha256.len)), STORE_S(ports),
                                 STORE_I(m->rate), STORE_I(m->concurrency), STORE_I(m->timeout_ms),
                                 STORE_I(t->now.us), STORE_S(by->operator_name), STORE_B(LT_LIT(""))),
                      NULL));
    LT_TRY(ca_usage_load(t, id, &u));
    LT_TRY(say(t, &u, "usage.started", by));
    LT_TRY(answer(t, &u, ret_json));
    ca_usage_forget(t->book);
    t->book->usage.scan = u.id; /* begun with the next tick */
    return LT_OK;
}

static lt_res find(struct ca_turn *t, const Ipc__UsageWanted *m, struct ca_usage *ret_scan)
{
    uint64_t id = 0;
    lt_slice text = lt_slice_cstr(m->id);
    LT_CHECK(text.len > 1 && text.ptr[0] == 'u' &&
                 !lt_failed(lt_parse_u64(lt_slice_sub(text, 1, SIZE_MAX), INT64_MAX, &id)),
             LT_PEER_MALFORMED, "\"%.40s\" is no scan; see lintel usage list", m->id);
    return ca_usage_load(t, (int64_t)id, ret_scan);
}

/* What waits at the courier is not looked at any more; what is open there ends by itself. */
static lt_res halt(struct ca_turn *t, const struct ca_usage *u)
{
    Ipc__UsageStop stop = IPC__USAGE_STOP__INIT;
    stop.scan = u->id;
    LT_TRY(ca_turn_send(t, IPC_COURIER, IPC_USAGE_STOP, 0, &stop.base));
    ca_usage_forget(t->book);
    return LT_OK;
}

lt_res ca_usage_pause(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                      const char **ret_json)
{
    struct ca_usage u;
    LT_TRY(find(t, m, &u));
    LT_TRY(ca_usage_move(t, &u, "pause", "by an operator", by));
    LT_TRY(answer(t, &u, ret_json));
    return halt(t, &u);
}

lt_res ca_usage_resume(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                       const char **ret_json)
{
    struct ca_usage u;
    LT_TRY(find(t, m, &u));
    LT_TRY(check_allowed(t));
    LT_TRY(check_alone(t));
    u.host = ca_host_id(t); /* where it was asked for */
    LT_TRY(ca_usage_move(t, &u, "resume", "", by));
    LT_TRY(answer(t, &u, ret_json));
    ca_usage_forget(t->book);
    t->book->usage.scan = u.id; /* begun with the next tick */
    return LT_OK;
}

lt_res ca_usage_stop(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                     const char **ret_json)
{
    struct ca_usage u;
    LT_TRY(find(t, m, &u));
    LT_TRY(ca_usage_move(t, &u, "stop", "by an operator", by));
    LT_TRY(answer(t, &u, ret_json));
    return halt(t, &u);
}

lt_res ca_usage_step(struct ca_turn *t)
{
    struct ca_usage u;
    int64_t id = 0;
    LT_TRY(live(t, &id));
    if (id == 0) {
        ca_usage_forget(t->book);
        return LT_OK;
    }
    LT_TRY(ca_usage_load(t, id, &u));
    return ca_usage_go_on(t, &u);
}
