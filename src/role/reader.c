/* reader: answers questions of the command line, the API and the console out of the book, read-only, and
 * judges what is handed to it by the rules of the linter. Several may run; each answers one question after
 * the other, in one view of the book for each.
 *
 * Refuses: to write (the connection cannot), to decide, to talk to anybody but notaries, and the registrar,
 * for which it lists the members of a scope.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "ca/scratch_book.h"
#include "crypto/digest.h"
#include "incident/ask.h"
#include "incident/overview.h"
#include "jose/json.h"
#include "lint/lint.h"
#include "query.pb-c.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "role/reader_access.h"
#include "role/reader_endpoints.h"
#include "role/reader_raw.h"

enum { QUESTION_ARENA_MAX = 256 * 1024 * 1024, CACHE_KIB = 4096, LIVE_MAX = 1024 * 1024 };

struct reader {
    struct role_kit *kit;
    struct store *store;
    struct lt_arena arena; /* of one question */
    char build[64];
    char *folder;       /* owned: of the CA */
    char *evidence;     /* owned: folder of segments */
    struct lt_buf live; /* the last overview that consoles share */
    int64_t live_ms;    /* when it was made */
    struct overview_memory overview;
    struct reader_members *members; /* owned */
    struct reader_members *scanned; /* owned: of scans, so that neither loses its place */
};

/* How a failure looks to who asked. */
static const struct {
    int code;
    uint32_t status;
    const char *type;
} refusals[] = {
    {LT_PEER_NOT_FOUND, 404, "lintel:not-found"}, {LT_PEER_MALFORMED, 400, "malformed"},
    {LT_PEER_UNSUPPORTED, 400, "malformed"},      {LT_PEER_TOO_LARGE, 413, "lintel:too-large"},
    {LT_RETRY_BUSY, 503, "lintel:busy"},          {0, 500, "serverInternal"},
};

/* 401 and 403: of a session. */
static lt_res turn_away(struct reader *r, const struct ipc_addr *to, uint32_t status)
{
    char detail[sizeof lt_error_last()->detail];
    (void)snprintf(detail, sizeof(detail), "%s", lt_error_last()->detail);
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    problem.type = (char *)(uintptr_t)(status == 401 ? "lintel:session"
                                                     : "unauthorized"); /* packed, not kept */
    problem.status = status;
    problem.detail = detail;
    Ipc__QueryReply body = IPC__QUERY_REPLY__INIT;
    body.status = status;
    body.problem = &problem;
    return role_reply(r->kit, to, IPC_QUERY_REPLY, &body.base);
}

static lt_res refuse(struct reader *r, const struct ipc_addr *to, lt_res why)
{
    char detail[sizeof lt_error_last()->detail];
    size_t row = 0;
    (void)snprintf(detail, sizeof(detail), "%s", lt_error_last()->detail);
    while (refusals[row].code != 0 && refusals[row].code != why.code) {
        row++;
    }
    if (refusals[row].code == 0) {
        lt_log_error("a question was not answered");
        (void)snprintf(detail, sizeof(detail), "the book cannot be read; the log says why");
    }
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    problem.type = (char *)(uintptr_t)refusals[row].type; /* packed, not kept */
    problem.status = refusals[row].status;
    problem.detail = detail;
    Ipc__QueryReply body = IPC__QUERY_REPLY__INIT;
    body.status = refusals[row].status;
    body.problem = &problem;
    return role_reply(r->kit, to, IPC_QUERY_REPLY, &body.base);
}

/* In pieces that a link carries well; the notary passes each on as it comes. */
static lt_res stream(struct reader *r, const struct ipc_addr *to, lt_slice json, int64_t until_us)
{
    do {
        lt_slice piece = lt_slice_sub(json, 0, CA_QUERY_PIECE_MAX);
        json = lt_slice_sub(json, piece.len, json.len);
        Ipc__QueryReply body = IPC__QUERY_REPLY__INIT;
        body.status = 200;
        body.session_until_us = until_us;
        body.json = lt_arena_cstr(&r->arena, piece);
        LT_CHECK(body.json != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit; ask for fewer rows");
        body.more = json.len > 0;
        LT_TRY(role_reply(r->kit, to, IPC_QUERY_REPLY, &body.base));
        lt_arena_reset(&r->arena);
    } while (json.len > 0);
    return LT_OK;
}

/* The overview that all consoles share is the same for all of them: one look at the book in a second is
 * enough.
 */
static lt_res ask(struct reader *r, const struct ca_query *query, struct lt_buf *out)
{
    int64_t now_ms = lt_monotonic_ms();
    if (strcmp(query->q->what, "overview.live") != 0) {
        return incident_ask(query, out);
    }
    if (r->live.len == 0 || now_ms - r->live_ms >= OVERVIEW_FRESH_MS) {
        lt_buf_reset(&r->live);
        lt_res answer = incident_ask(query, &r->live);
        if (lt_failed(answer)) {
            lt_buf_reset(&r->live);
            return answer;
        }
        r->live_ms = now_ms;
    }
    lt_buf_add(out, lt_buf_slice(&r->live));
    return lt_buf_check(out);
}

static lt_res on_query(void *self, const struct ipc_msg *m)
{
    struct reader *r = self;
    struct lt_buf out;
    int64_t begun_ms = lt_monotonic_ms();
    struct ca_viewer viewer;
    uint32_t status = 0;
    struct ca_query query = {
        .store = r->store,
        .q = (const Ipc__Query *)(const void *)m->body,
        .now = lt_now(),
        .arena = &r->arena,
        .build = r->build,
        .evidence_folder = r->evidence,
        .folder = r->folder,
        .overview = &r->overview,
    };
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    lt_res answer = reader_access(&query, &viewer, &status);
    query.viewer = viewer.operator_ == NULL ? NULL : &viewer;
    answer = lt_failed(answer) ? answer : ask(r, &query, &out);
    int64_t until_us = viewer.expires.us;
    lt_arena_reset(&r->arena);
    lt_res sent = status != 0         ? turn_away(r, &m->from, status)
                  : lt_failed(answer) ? refuse(r, &m->from, answer)
                                      : stream(r, &m->from, lt_buf_slice(&out), until_us);
    lt_buf_done(&out);
    lt_metric_add(lt_failed(answer) ? "lintel_queries_refused_total" : "lintel_queries_total", 1);
    lt_metric_observe_us("lintel_query_seconds", (uint64_t)(lt_monotonic_ms() - begun_ms) * 1000);
    /* A link that is gone or full is the asker's affair: it will ask again. */
    return sent.code == LT_RETRY_BUSY || sent.code == LT_STATE_CLOSED ? LT_OK : sent;
}

static lt_res tick(void *self, lt_time now)
{
    const struct reader *r = self;
    (void)now;
    LT_CHECK(!store_gone(r->store), LT_STATE_CLOSED, "the connection to the book is gone");
    return LT_OK;
}

static lt_res on_members(void *self, const struct ipc_msg *m)
{
    const struct reader *r = self;
    return reader_members_asked(r->members, m);
}

static lt_res on_endpoints(void *self, const struct ipc_msg *m)
{
    const struct reader *r = self;
    return reader_endpoints_asked(r->scanned, r->store, r->kit, m);
}

static lt_res on_raw(void *self, const struct ipc_msg *m)
{
    const struct reader *r = self;
    return reader_raw_asked(r->store, r->kit, m);
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    static struct reader reader;
    struct reader *r = &reader;
    size_t seed = 0;
    r->kit = kit;
    crypto_start();
    lt_random((uint8_t *)&seed, sizeof(seed));
    jose_json_seed(seed);
    (void)lint_rule_set(); /* computed now, and not at the first question */
    lt_arena_init(&r->arena, QUESTION_ARENA_MAX);
    (void)snprintf(r->build, sizeof(r->build), "%s", m->build);
    const char *path = m->store[0] != 0 ? m->store
                                        : lt_arena_printf(&r->arena, "%s/book/lintel.db", m->folder);
    LT_ASSERT(path != NULL);
    const char *evidence = lt_arena_printf(&r->arena, "%s/evidence", m->folder);
    LT_ASSERT(evidence != NULL);
    r->evidence = strdup(evidence);
    r->folder = strdup(m->folder);
    LT_ASSERT(r->evidence != NULL && r->folder != NULL);
    const struct store_options options = {.path = path, .read_only = true, .cache_kib = CACHE_KIB};
    LT_TRY(store_open(&options, &r->store));
    LT_TRY(ca_scratch_book_check(r->store, m->scratch));
    lt_buf_init(&r->live, LIVE_MAX);
    r->members = reader_members_new(kit, r->store);
    r->scanned = reader_members_new(kit, r->store);
    lt_arena_reset(&r->arena);
    *ret_self = r;
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_NOTARY, IPC_QUERY, on_query},
    {IPC_REGISTRAR, IPC_MEMBERS_WANTED, on_members},
    {IPC_REGISTRAR, IPC_ENDPOINTS_WANTED, on_endpoints},
    {IPC_REGISTRAR, IPC_RAW_WANTED, on_raw},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_READER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_READER],
        .start = start,
        .tick = tick,
    };
    return role_main(&spec);
}
