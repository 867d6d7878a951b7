/* Writing the lines; see audit_lines.h. Chain by chain, in pages, so that memory does not grow with the book.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/approval.h"
#include "ca/audit_internal.h"
#include "ca/audit_lines.h"
#include "ca/event.h"
#include "crypto/digest.h"
#include "ipc/arena.h"

static const struct store_sql sql[] = {
    {"export.chain", "SELECT chain FROM event WHERE chain > ?1 ORDER BY chain LIMIT 1"},
    {"export.last", "SELECT max(sequence) FROM event WHERE chain = ?1"},
    {"export.at", "SELECT time_us, hash FROM event WHERE chain = ?1 AND sequence = ?2"},
    {"export.events",
     "SELECT sequence, time_us, kind, subject, body, attachment, hash FROM event WHERE chain "
     "= ?1 AND sequence > ?2 AND sequence <= ?3 ORDER BY sequence LIMIT 500"},
    {"export.knots",
     "SELECT sequence, time_us, head, journal_sequence, journal_head, signature FROM knot WHERE "
     "chain = ?1 AND sequence > ?2 AND sequence <= ?3 ORDER BY sequence LIMIT 500"},
    {"export.approvals",
     "SELECT a.plan, a.operator, a.signature, a.signed_us, p.action, p.scope_sha256, p.count, p.parameters, "
     "p.expires_us, p.proposer, a.passkey FROM approval a JOIN plan p ON p.id = a.plan "
     "WHERE a.plan > ?1 OR (a.plan = ?1 AND a.operator > ?2) ORDER BY a.plan, a.operator LIMIT 500"},
    {"export.passkey", "SELECT spki, alg, rp FROM console_passkey WHERE id = ?1"},
};
enum { SQL_CHAIN, SQL_LAST, SQL_AT, SQL_EVENTS, SQL_KNOTS, SQL_APPROVALS, SQL_PASSKEY };
const struct store_sql *const ca_audit_export_sql = sql;
const size_t ca_audit_export_sql_count = LT_COUNT(sql);

enum { ARENA_MAX = 256 * 1024 * 1024 };

/* One line at a time. */
struct writer {
    struct ca_audit_export *e;
    struct lt_buf line;
    struct lt_arena arena; /* of a line */
};

static void begin(struct writer *w, const char *type)
{
    lt_buf_reset(&w->line);
    lt_arena_reset(&w->arena);
    lt_buf_addf(&w->line, "{\"type\":\"%s\"", type);
}

static void add_text(struct writer *w, const char *key, lt_slice text)
{
    lt_buf_addf(&w->line, ",\"%s\":", key);
    lt_json_add_string(&w->line, text);
}

static void add_int(struct writer *w, const char *key, int64_t n)
{
    lt_buf_addf(&w->line, ",\"%s\":%lld", key, (long long)n);
}

static void add_time(struct writer *w, const char *key, int64_t us)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){us}, text);
    lt_buf_addf(&w->line, ",\"%s\":\"%s\"", key, text);
}

static void add_hex(struct writer *w, const char *key, lt_slice bytes)
{
    lt_buf_addf(&w->line, ",\"%s\":\"", key);
    lt_hex_add(&w->line, bytes);
    lt_buf_add_byte(&w->line, '"');
}

static void add_base64(struct writer *w, const char *key, lt_slice bytes)
{
    lt_buf_addf(&w->line, ",\"%s\":\"", key);
    lt_base64_add(&w->line, bytes);
    lt_buf_add_byte(&w->line, '"');
}

static lt_res end(struct writer *w)
{
    lt_buf_add_cstr(&w->line, "}\n");
    LT_TRY(lt_buf_check(&w->line));
    return w->e->write(w->e->self, lt_buf_slice(&w->line));
}

/* Only text comes back as the bytes that it was. */
static bool is_text(lt_slice s)
{
    json_t *text = json_stringn(s.len == 0 ? "" : (const char *)s.ptr, s.len);
    bool good = text != NULL && memchr(s.ptr == NULL ? (const uint8_t *)"" : s.ptr, 0, s.len) == NULL;
    json_decref(text);
    return good;
}

static lt_res write_event(struct writer *w, const char *chain, const struct store_rows *rows)
{
    lt_slice body = store_bytes(rows, 4);
    lt_slice attachment = store_bytes(rows, 5);
    begin(w, "event");
    add_text(w, "chain", lt_slice_cstr(chain));
    add_int(w, "sequence", store_int(rows, 0));
    add_int(w, "time_us", store_int(rows, 1));
    add_time(w, "time", store_int(rows, 1));
    add_text(w, "kind", store_bytes(rows, 2));
    add_text(w, "subject", store_bytes(rows, 3));
    if (is_text(body)) {
        add_text(w, "body", body);
    } else {
        add_base64(w, "body_base64", body);
    }
    if (attachment.len > 0) {
        struct ca_audit_signer signer = {.known = false};
        add_base64(w, "attachment", attachment);
        LT_TRY(attachment.ptr[0] == '{' ? ca_audit_signer_of(w->e->audit, attachment, &w->arena, &signer)
                                        : LT_OK);
        if (signer.known) {
            add_text(w, "kid", signer.kid);
            add_base64(w, "key", signer.spki);
        }
    }
    add_hex(w, "hash", store_bytes(rows, 6));
    w->e->events++;
    return end(w);
}

static lt_res write_knot(struct writer *w, const char *chain, const struct store_rows *rows)
{
    begin(w, "knot");
    add_text(w, "chain", lt_slice_cstr(chain));
    add_int(w, "sequence", store_int(rows, 0));
    add_int(w, "time_us", store_int(rows, 1));
    add_hex(w, "head", store_bytes(rows, 2));
    add_int(w, "journal_sequence", store_int(rows, 3));
    add_hex(w, "journal_head", store_bytes(rows, 4));
    add_base64(w, "signature", store_bytes(rows, 5));
    w->e->knots++;
    return end(w);
}

/* Which of its events: those behind `after`, up to `last`. */
struct span {
    char chain[CA_CHAIN_NAME_MAX];
    int64_t after;
    int64_t last;
};

static lt_res time_at(struct writer *w, const char *chain, int64_t sequence, int64_t *ret_us)
{
    struct store_rows rows;
    LT_TRY(
        store_query(w->e->audit->store, &sql[SQL_AT], STORE_ARGS(STORE_S(chain), STORE_I(sequence)), &rows));
    *ret_us = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* The last event before a time: events of a chain are in the order of their times. */
static lt_res before(struct writer *w, const struct span *s, lt_time when, int64_t *ret_sequence)
{
    int64_t low = 0;
    int64_t high = s->last;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        int64_t us = 0;
        LT_TRY(time_at(w, s->chain, middle, &us));
        if (us < when.us) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    *ret_sequence = low;
    return LT_OK;
}

static lt_res find_span(struct writer *w, struct span *s)
{
    struct store_rows rows;
    int64_t last = 0;
    LT_TRY(store_query(w->e->audit->store, &sql[SQL_LAST], STORE_ARGS(STORE_S(s->chain)), &rows));
    s->last = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(before(w, s, w->e->until, &last));
    s->last = last;
    s->after = 0;
    return w->e->from.us == 0 ? LT_OK : before(w, s, w->e->from, &s->after);
}

static lt_res write_chain(struct writer *w, const struct span *s)
{
    uint8_t hash[CA_HASH_LEN];
    struct store_rows rows;
    LT_TRY(ca_event_first(s->chain, hash));
    if (s->after > 0) {
        LT_TRY(store_query(w->e->audit->store, &sql[SQL_AT], STORE_ARGS(STORE_S(s->chain), STORE_I(s->after)),
                           &rows));
        bool found = store_next(&rows) && store_bytes(&rows, 1).len == sizeof hash;
        if (found) {
            memcpy(hash, store_bytes(&rows, 1).ptr, sizeof hash);
        }
        LT_TRY(store_rows_end(&rows));
        LT_CHECK(found, LT_STATE_CORRUPT, "%s %lld is not in the book: lintel audit verify", s->chain,
                 (long long)s->after);
    }
    begin(w, "chain");
    add_text(w, "chain", lt_slice_cstr(s->chain));
    add_int(w, "sequence", s->after);
    add_hex(w, "hash", LT_SLICE(hash, sizeof hash));
    w->e->chains++;
    return end(w);
}

static lt_res write_pages(struct writer *w, const struct span *s, size_t statement,
                          lt_res (*write)(struct writer *w, const char *chain, const struct store_rows *rows))
{
    int64_t at = s->after;
    bool more = true;
    while (more) {
        struct store_rows rows;
        lt_res r = LT_OK;
        more = false;
        LT_TRY(store_query(w->e->audit->store, &sql[statement],
                           STORE_ARGS(STORE_S(s->chain), STORE_I(at), STORE_I(s->last)), &rows));
        while (!lt_failed(r) && store_next(&rows)) {
            at = store_int(&rows, 0);
            more = true;
            r = write(w, s->chain, &rows);
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

static lt_res next_chain(struct writer *w, char name[CA_CHAIN_NAME_MAX], bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(w->e->audit->store, &sql[SQL_CHAIN], STORE_ARGS(STORE_S(name)), &rows));
    *ret_found = store_next(&rows) && store_bytes(&rows, 0).len < CA_CHAIN_NAME_MAX;
    if (*ret_found) {
        (void)snprintf(name, CA_CHAIN_NAME_MAX, "%s", store_cstr(&rows, 0)); /* measured */
    }
    return store_rows_end(&rows);
}

/* ---- approvals ---- */

static char *copy(struct writer *w, const struct store_rows *rows, int column)
{
    char *text = lt_arena_cstr(&w->arena, store_bytes(rows, column));
    LT_ASSERT(text != NULL); /* a plan has a few KiB */
    return text;
}

/* By a passkey: what its authenticator signed, and the key that it signed with. */
static lt_res write_passkey(struct writer *w, lt_slice packed)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct store_rows rows;
    ProtobufCAllocator allocator = ipc_arena_allocator(&w->arena);
    const Ipc__PasskeyAssertion *m = ipc__passkey_assertion__unpack(&allocator, packed.len, packed.ptr);
    LT_CHECK(m != NULL, LT_STATE_CORRUPT, "an approval by passkey does not read");
    lt_slice credential = LT_SLICE(m->credential_id.data, m->credential_id.len);
    crypto_sha256(credential, hash);
    const char *id = lt_base64url(&w->arena, LT_SLICE(hash, sizeof hash));
    LT_ASSERT(id != NULL);
    add_base64(w, "credential", credential);
    add_base64(w, "authenticator_data", LT_SLICE(m->authenticator_data.data, m->authenticator_data.len));
    add_base64(w, "client_data", LT_SLICE(m->client_data.data, m->client_data.len));
    add_base64(w, "signature", LT_SLICE(m->signature.data, m->signature.len));
    LT_TRY(store_query(w->e->audit->store, &sql[SQL_PASSKEY], STORE_ARGS(STORE_S(id)), &rows));
    if (store_next(&rows)) {
        add_text(w, "rp", store_bytes(&rows, 2));
        add_text(w, "alg", store_bytes(&rows, 1));
        add_base64(w, "key", store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res write_approval(struct writer *w, const struct store_rows *rows)
{
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    struct lt_buf statement;
    const struct ca_operator *o = ca_operator_by_name(w->e->audit->operators, store_bytes(rows, 1));
    lt_slice scope = store_bytes(rows, 5);
    begin(w, "approval");
    p.plan_id = copy(w, rows, 0);
    p.action = copy(w, rows, 4);
    p.scope_sha256 = (ProtobufCBinaryData){scope.len, (uint8_t *)copy(w, rows, 5)};
    p.count = (uint64_t)store_int(rows, 6);
    p.parameters = copy(w, rows, 7);
    p.expires_us = store_int(rows, 8);
    p.proposer = copy(w, rows, 9);
    lt_buf_init(&statement, CA_AUDIT_LINE_MAX);
    lt_res r = ca_approval_statement(&p, &statement);
    add_text(w, "plan", store_bytes(rows, 0));
    add_text(w, "operator", store_bytes(rows, 1));
    add_time(w, "signed", store_int(rows, 3));
    add_text(w, "statement", lt_buf_slice(&statement));
    lt_buf_done(&statement);
    LT_TRY(r);
    if (!store_is_null(rows, 10)) {
        LT_TRY(write_passkey(w, store_bytes(rows, 10)));
        w->e->approvals++;
        return end(w);
    }
    add_base64(w, "signature", store_bytes(rows, 2));
    if (o != NULL) {
        add_text(w, "alg", lt_slice_cstr(o->alg));
        add_base64(w, "key", o->spki);
    }
    w->e->approvals++;
    return end(w);
}

static lt_res write_approvals(struct writer *w, struct lt_arena *keys)
{
    const char *plan = "";
    const char *operator_name = "";
    bool more = true;
    while (more) {
        struct store_rows rows;
        lt_res r = LT_OK;
        more = false;
        LT_TRY(store_query(w->e->audit->store, &sql[SQL_APPROVALS],
                           STORE_ARGS(STORE_S(plan), STORE_S(operator_name)), &rows));
        while (!lt_failed(r) && store_next(&rows)) {
            bool wanted = store_int(&rows, 3) >= w->e->from.us && store_int(&rows, 3) < w->e->until.us;
            plan = lt_arena_cstr(keys, store_bytes(&rows, 0));
            operator_name = lt_arena_cstr(keys, store_bytes(&rows, 1));
            more = plan != NULL && operator_name != NULL;
            r = !more    ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "too many approvals")
                : wanted ? write_approval(w, &rows)
                         : LT_OK;
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

static lt_res write_all(struct writer *w, struct lt_arena *keys)
{
    struct span s = {.after = 0};
    bool found = false;
    begin(w, "export");
    add_text(w, "format", LT_LIT(CA_AUDIT_FORMAT));
    add_time(w, "from", w->e->from.us);
    add_time(w, "until", w->e->until.us);
    add_base64(w, "audit_key", w->e->audit->audit_spki);
    LT_TRY(end(w));
    LT_TRY(next_chain(w, s.chain, &found));
    while (found) {
        LT_TRY(find_span(w, &s));
        LT_TRY(write_chain(w, &s));
        LT_TRY(write_pages(w, &s, SQL_EVENTS, write_event));
        LT_TRY(write_pages(w, &s, SQL_KNOTS, write_knot));
        LT_TRY(next_chain(w, s.chain, &found));
    }
    LT_TRY(write_approvals(w, keys));
    begin(w, "end");
    add_int(w, "chains", (int64_t)w->e->chains);
    add_int(w, "events", (int64_t)w->e->events);
    add_int(w, "knots", (int64_t)w->e->knots);
    add_int(w, "approvals", (int64_t)w->e->approvals);
    return end(w);
}

lt_res ca_audit_export(struct ca_audit_export *e)
{
    struct writer w = {.e = e};
    struct lt_arena keys;
    lt_buf_init(&w.line, CA_AUDIT_LINE_MAX);
    lt_arena_init(&w.arena, ARENA_MAX);
    lt_arena_init(&keys, ARENA_MAX);
    lt_res r = write_all(&w, &keys);
    lt_buf_done(&w.line);
    lt_arena_done(&w.arena);
    lt_arena_done(&keys);
    return r;
}
