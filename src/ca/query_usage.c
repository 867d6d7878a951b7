/* Looks at who uses certificates: scans, what endpoints show, and what follows for a certificate. */
#include "ca/query_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/truth.h"
#include "scope/scope.h"
#include "x509/dnsname.h"

#define SCAN_COLUMNS                                                                                     \
    "SELECT id, status, scope, scope_sha256, ports, rate, concurrency, timeout_ms, created_us, "         \
    "created_by, started_us, ended_us, count, certificates, looked, served, ours, failed, skipped, why " \
    "FROM usage_scan "
#define ENDPOINT_COLUMNS \
    "SELECT name, port, looked_us, outcome, seen_us, sha256, issuer, serial FROM usage_endpoint "

static const struct store_sql sql[] = {
    {"query.usage.scans", SCAN_COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.usage.scan", SCAN_COLUMNS "WHERE id = ?1"},
    {"query.usage.endpoints",
     ENDPOINT_COLUMNS "WHERE name < ?1 AND (name, port) > (?2, ?3) ORDER BY name, port LIMIT ?4"},
    {"query.usage.shown-at", ENDPOINT_COLUMNS "WHERE issuer = ?1 AND serial = ?2 AND (name, port) > (?3, ?4) "
                                              "ORDER BY name, port LIMIT ?5"},
    {"query.usage.history", "SELECT port, looked_us, outcome, address, sha256, issuer, serial, not_after_us, "
                            "detail FROM usage_observation WHERE name = ?1 ORDER BY port DESC, "
                            "looked_us DESC LIMIT 1000"},
    {"query.truth", "SELECT state FROM certificate_truth WHERE issuer = ?1 AND serial = ?2 "
                    "ORDER BY step DESC LIMIT 1"},
    {"query.truth.steps", "SELECT state, event, since_us, by_issuer, by_serial FROM certificate_truth "
                          "WHERE issuer = ?1 AND serial = ?2 ORDER BY step LIMIT 1000"},
    {"query.truth.newer", "SELECT new_issuer, new_serial, how, seen_us FROM replacement WHERE "
                          "old_issuer = ?1 AND old_serial = ?2 LIMIT 100"},
    {"query.truth.older", "SELECT old_issuer, old_serial, how, seen_us FROM replacement WHERE "
                          "new_issuer = ?1 AND new_serial = ?2 LIMIT 100"},
};
enum {
    SQL_SCANS,
    SQL_SCAN,
    SQL_ENDPOINTS,
    SQL_SHOWN_AT,
    SQL_HISTORY,
    SQL_TRUTH,
    SQL_STEPS,
    SQL_NEWER,
    SQL_OLDER
};
const struct ca_query_sql query_usage_sql = {sql, LT_COUNT(sql)};

enum { NAME_MAX_LEN = 512 };

static void time_if(struct query_out *o, const char *name, int64_t us)
{
    if (us != 0) {
        query_time(o, name, us);
    }
}

/* ---- scans ---- */

enum scan_column {
    ID,
    STATUS,
    SCOPE,
    SCOPE_SHA256,
    PORTS,
    RATE,
    CONCURRENCY,
    TIMEOUT,
    CREATED,
    CREATED_BY,
    STARTED,
    ENDED,
    COUNT,
    CERTIFICATES,
    LOOKED,
    SERVED,
    OURS,
    FAILED,
    SKIPPED,
    WHY,
};

static void write_pace(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    int64_t end_us = store_int(rows, ENDED) != 0 ? store_int(rows, ENDED) : query->now.us;
    int64_t spent_us = store_int(rows, STARTED) == 0 ? 0 : end_us - store_int(rows, STARTED);
    int64_t done = store_int(rows, CERTIFICATES);
    if (spent_us <= 0) {
        return;
    }
    query_int(o, "per_second", store_int(rows, LOOKED) * LT_US_PER_SECOND / spent_us);
    if (store_int(rows, ENDED) == 0 && done > 0) {
        int64_t left = store_int(rows, COUNT) - done;
        query_int(o, "seconds_left", left > 0 ? spent_us / done * left / LT_US_PER_SECOND : 0);
    }
}

static void write_scan(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    static const struct {
        const char *name;
        int column;
    } numbers[] = {{"rate", RATE},
                   {"concurrency", CONCURRENCY},
                   {"timeout_ms", TIMEOUT},
                   {"count", COUNT},
                   {"certificates", CERTIFICATES},
                   {"looked", LOOKED},
                   {"served", SERVED},
                   {"ours", OURS},
                   {"failed", FAILED},
                   {"skipped", SKIPPED}};
    char id[32];
    (void)snprintf(id, sizeof id, "u%lld", (long long)store_int(rows, ID));
    query_cstr(o, "id", id);
    query_cstr(o, "status", store_cstr(rows, STATUS));
    query_text(o, "scope", store_bytes(rows, SCOPE));
    query_hex(o, "scope_sha256", store_bytes(rows, SCOPE_SHA256));
    query_cstr(o, "ports", store_cstr(rows, PORTS));
    for (size_t i = 0; i < LT_COUNT(numbers); i++) {
        query_int(o, numbers[i].name, store_int(rows, numbers[i].column));
    }
    query_time(o, "created", store_int(rows, CREATED));
    query_cstr(o, "created_by", store_cstr(rows, CREATED_BY));
    time_if(o, "started", store_int(rows, STARTED));
    time_if(o, "ended", store_int(rows, ENDED));
    query_cstr(o, "why", store_cstr(rows, WHY));
    write_pace(query, o, rows);
}

lt_res query_usage_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    int64_t last = 0;
    LT_TRY(query_cursor_read(query, 'U', &at));
    LT_TRY(store_query(query->store, &sql[SQL_SCANS],
                       STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "scans", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (!at.set) {
            query_open(out, NULL, '{');
            write_scan(query, out, &rows);
            query_close(out, '}');
            last = store_int(&rows, ID);
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at.key = last;
    query_cursor_write(out, 'U', &at);
    return LT_OK;
}

lt_res query_usage_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    uint64_t id = 0;
    lt_slice name = lt_slice_cstr(query->q->id);
    LT_CHECK(lt_slice_starts(name, LT_LIT("u")), LT_PEER_NOT_FOUND, "there is no scan %s", query->q->id);
    LT_TRY(lt_parse_u64(lt_slice_sub(name, 1, name.len), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_SCAN], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_scan(query, out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no scan %s", query->q->id);
    return LT_OK;
}

/* ---- endpoints ---- */

/* Forwards to the book's order and back: it is its own opposite. Addresses have no letters to turn around. */
static lt_slice turned(const struct ca_query *query, lt_slice name)
{
    struct lt_buf b;
    bool address = lt_slice_find(name, ':') != name.len;
    for (size_t i = 0, letters = 0; i < name.len; i++) {
        letters += !((name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '.');
        address = address || (i + 1 == name.len && letters == 0);
    }
    if (address) {
        return name;
    }
    lt_buf_init(&b, NAME_MAX_LEN);
    x509_dns_reverse(name, &b);
    lt_slice copy = lt_arena_copy(query->arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return copy;
}

static void write_shown(struct query_out *o, const struct query_tables *tables, int64_t issuer_id,
                        lt_slice sha256, lt_slice serial)
{
    if (sha256.len == 0) {
        return;
    }
    const struct query_issuer *issuer = query_issuer_by_id(tables, issuer_id);
    query_bool(o, "ours", issuer_id != 0);
    if (issuer != NULL) {
        query_cstr(o, "issuer", issuer->name);
    }
    query_hex(o, "serial", serial);
    query_hex(o, "sha256", sha256);
}

struct endpoints {
    const struct ca_query *query;
    struct query_tables tables;
    const struct query_issuer *issuer; /* with a serial: where that certificate is shown */
    lt_slice from;                     /* reversed; the name itself, or that and all below it */
    lt_slice end;
};

static lt_res read_filter(struct endpoints *e)
{
    const Ipc__Query *q = e->query->q;
    LT_TRY(query_tables_load(e->query, &e->tables));
    if (q->serial.len > 0) {
        e->issuer = query_issuer_by_name(&e->tables, q->issuer);
        LT_CHECK(e->issuer != NULL, LT_PEER_MALFORMED, "\"serial\" wants \"issuer\", the name of one");
        LT_CHECK(q->name[0] == 0 && q->name_suffix[0] == 0, LT_PEER_MALFORMED,
                 "\"serial\" goes with no name");
        return LT_OK;
    }
    LT_CHECK(q->issuer[0] == 0, LT_PEER_MALFORMED, "\"issuer\" wants \"serial\" with it");
    LT_CHECK(q->name[0] == 0 || q->name_suffix[0] == 0, LT_PEER_MALFORMED,
             "either a name or a suffix, not both");
    bool suffix = q->name_suffix[0] != 0;
    lt_slice name = lt_slice_cstr(suffix ? q->name_suffix : q->name);
    if (name.len == 0) {
        e->from = LT_LIT("");
        e->end = LT_LIT("\x7f");
        return LT_OK;
    }
    LT_TRY(scope_name_read(name, suffix, e->query->arena, &name, &e->from));
    char *end = lt_arena_printf(e->query->arena, suffix ? "%.*s/" : "%.*s-", LT_FMT(e->from));
    LT_CHECK(e->from.len > 0 && end != NULL, LT_PEER_MALFORMED, "the name is too long");
    e->end = lt_slice_cstr(end);
    return LT_OK;
}

/* "www.example.com-x" lies between a name and those below it: it is none of them. */
static bool wanted(const struct endpoints *e, lt_slice name)
{
    if (e->issuer != NULL || e->from.len == 0) {
        return true;
    }
    return lt_slice_starts(name, e->from) && (name.len == e->from.len || name.ptr[e->from.len] == '.');
}

static lt_res begin_endpoints(const struct endpoints *e, const struct query_cursor *at,
                              struct store_rows *ret_rows)
{
    const Ipc__Query *q = e->query->q;
    lt_slice name = at->set ? at->name : e->from;
    int64_t port = at->set ? at->key : -1;
    int64_t limit = (int64_t)query_limit(e->query) + 1;
    if (e->issuer != NULL) {
        return store_query(
            e->query->store, &sql[SQL_SHOWN_AT],
            STORE_ARGS(STORE_I(e->issuer->id), STORE_B(LT_SLICE(q->serial.data, q->serial.len)),
                       STORE_T(at->set ? at->name : LT_LIT("")), STORE_I(port), STORE_I(limit)),
            ret_rows);
    }
    return store_query(e->query->store, &sql[SQL_ENDPOINTS],
                       STORE_ARGS(STORE_T(e->end), STORE_T(name), STORE_I(port), STORE_I(limit)), ret_rows);
}

static void write_endpoint(const struct endpoints *e, struct query_out *o, const struct store_rows *rows)
{
    query_open(o, NULL, '{');
    query_text(o, "name", turned(e->query, store_bytes(rows, 0)));
    query_int(o, "port", store_int(rows, 1));
    query_time(o, "looked", store_int(rows, 2));
    query_cstr(o, "outcome", store_cstr(rows, 3));
    time_if(o, "seen", store_int(rows, 4));
    write_shown(o, &e->tables, store_int(rows, 6), store_bytes(rows, 5), store_bytes(rows, 7));
    query_close(o, '}');
}

lt_res query_usage_endpoints(const struct ca_query *query, struct query_out *out)
{
    struct endpoints e = {.query = query};
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    bool more = false;
    LT_TRY(read_filter(&e));
    LT_TRY(query_cursor_read(query, 'P', &at));
    LT_TRY(begin_endpoints(&e, &at, &rows));
    query_open(out, "endpoints", '[');
    while (!more && store_next(&rows)) {
        more = count++ == query_limit(query);
        if (!more) {
            at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
            at.key = store_int(&rows, 1);
        }
        if (!more && wanted(&e, store_bytes(&rows, 0))) {
            write_endpoint(&e, out, &rows);
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at.set = more;
    query_cursor_write(out, 'P', &at);
    return LT_OK;
}

lt_res query_usage_history(const struct ca_query *query, struct query_out *out)
{
    struct query_tables tables;
    struct store_rows rows;
    lt_slice name = lt_slice_cstr(query->q->name);
    LT_CHECK(name.len > 0, LT_PEER_MALFORMED, "\"name\" is wanted");
    LT_TRY(query_tables_load(query, &tables));
    LT_TRY(store_query(query->store, &sql[SQL_HISTORY], STORE_ARGS(STORE_T(turned(query, name))), &rows));
    query_open(out, "looks", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_int(out, "port", store_int(&rows, 0));
        query_time(out, "looked", store_int(&rows, 1));
        query_cstr(out, "outcome", store_cstr(&rows, 2));
        query_cstr(out, "address", store_cstr(&rows, 3));
        write_shown(out, &tables, store_int(&rows, 5), store_bytes(&rows, 4), store_bytes(&rows, 6));
        time_if(out, "expires", store_int(&rows, 7));
        query_cstr(out, "detail", store_cstr(&rows, 8));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

/* ---- a certificate ---- */

lt_res query_truth_state(const struct ca_query *query, int64_t issuer, lt_slice serial,
                         const char **ret_state)
{
    struct store_rows rows;
    *ret_state = ca_truth_state_name(CA_TRUTH_SILENT);
    LT_TRY(store_query(query->store, &sql[SQL_TRUTH], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        *ret_state = ca_truth_state_name(store_int(&rows, 0));
    }
    return store_rows_end(&rows);
}

static void write_other(struct query_out *o, const struct query_tables *tables, int64_t id, lt_slice serial)
{
    const struct query_issuer *issuer = query_issuer_by_id(tables, id);
    if (issuer != NULL) {
        query_cstr(o, "issuer", issuer->name);
        query_hex(o, "serial", serial);
    }
}

static lt_res write_links(const struct ca_query *query, const struct query_tables *tables, int statement,
                          const struct ca_truth_certificate *c, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[statement], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    query_open(o, statement == SQL_NEWER ? "replaced_by" : "replaces", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        write_other(o, tables, store_int(&rows, 0), store_bytes(&rows, 1));
        query_cstr(o, "how", store_cstr(&rows, 2));
        query_time(o, "since", store_int(&rows, 3));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

lt_res query_truth_show(const struct ca_query *query, const struct query_tables *tables, int64_t issuer,
                        lt_slice serial, struct query_out *o)
{
    const struct ca_truth_certificate c = {issuer, serial};
    const char *state = NULL;
    struct store_rows rows;
    LT_TRY(query_truth_state(query, issuer, serial, &state));
    query_cstr(o, "replacement", state);
    LT_TRY(store_query(query->store, &sql[SQL_STEPS], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    query_open(o, "replacement_steps", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_cstr(o, "state", ca_truth_state_name(store_int(&rows, 0)));
        query_cstr(o, "event", store_cstr(&rows, 1));
        query_time(o, "since", store_int(&rows, 2));
        write_other(o, tables, store_int(&rows, 3), store_bytes(&rows, 4));
        query_close(o, '}');
    }
    query_close(o, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(write_links(query, tables, SQL_NEWER, &c, o));
    return write_links(query, tables, SQL_OLDER, &c, o);
}
