/* Rows that can be changed over against what cannot: events, which are chained by hash, and DER, which is
 * signed. One check for each table; each reads its table in order of its key, a thousand rows at a time.
 *
 * Refuses to judge what is derived from nothing: rows that a restore or a ceremony wrote have no event of
 * their own, and are left alone.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "ca/audit_internal.h"
#include "ca/revoke.h"
#include "crypto/digest.h"
#include "x509/cert.h"

static const struct store_sql sql[] = {
    {"audit.events-of",
     "SELECT kind, body FROM event WHERE subject = ?1 ORDER BY time_us, sequence LIMIT 64"},
    {"audit.rows.revocation",
     "SELECT r.issuer, r.shard, r.serial, s.name, r.reason, r.revoked_us, r.sequence, r.not_after_us, "
     "c.not_after_us, r.by_whom FROM revocation r JOIN issuer s ON s.id = r.issuer LEFT JOIN certificate c "
     "ON "
     "c.issuer = r.issuer AND c.serial = r.serial AND c.copy = 0 "
     "WHERE (r.issuer, r.shard, r.serial) > (?1, ?2, ?3) ORDER BY r.issuer, r.shard, r.serial LIMIT 1000"},
    {"audit.rows.batch", "SELECT 1 FROM mass_batch b JOIN mass m ON m.id = b.mass WHERE b.mass = ?1 AND "
                         "b.sequence = ?2 AND b.issuer = ?3 AND b.first <= ?4 AND b.last >= ?4 AND "
                         "m.reason = ?5 AND b.revoked_us >= ?6 LIMIT 1"},
    {"audit.rows.halt", "SELECT id, kind, value, lifted_us FROM halt WHERE id > ?1 ORDER BY id LIMIT 1000"},
    {"audit.rows.halt-added", "SELECT sequence, subject FROM event WHERE kind = 'halt.added' AND NOT EXISTS "
                              "(SELECT 1 FROM halt WHERE id = substr(subject, 6)) LIMIT 1000"},
    {"audit.rows.key-block", "SELECT spki_sha256 FROM key_block WHERE spki_sha256 > ?1 "
                             "ORDER BY spki_sha256 LIMIT 1000"},
    {"audit.rows.key-blocked",
     "SELECT DISTINCT subject FROM event WHERE kind = 'key.blocked' AND subject > ?1 "
     "ORDER BY subject LIMIT 1000"},
    {"audit.rows.key-block-get", "SELECT 1 FROM key_block WHERE spki_sha256 = ?1"},
    {"audit.rows.crl", "SELECT issuer, shard, number, sha256, der FROM crl WHERE "
                       "(issuer, shard, number) > (?1, ?2, ?3) ORDER BY issuer, shard, number LIMIT 1000"},
    {"audit.rows.issuer",
     "SELECT name, certificate, spki_sha256, subject_sha256, not_before_us, not_after_us "
     "FROM issuer ORDER BY id LIMIT 256"},
    {"audit.rows.retention",
     "SELECT kind, month, sha256, dropped FROM retention WHERE dropped > 0 AND status = 'dropped' "
     "ORDER BY month, kind LIMIT 10000"},
    {"audit.rows.plan", "SELECT p.id, p.needed, (SELECT count(*) FROM approval a WHERE a.plan = p.id) "
                        "FROM plan p WHERE p.id > ?1 AND p.status = 'done' ORDER BY p.id LIMIT 1000"},
};
enum {
    SQL_EVENTS_OF,
    SQL_REVOCATION,
    SQL_BATCH,
    SQL_HALT,
    SQL_HALT_ADDED,
    SQL_KEY_BLOCK,
    SQL_KEY_BLOCKED,
    SQL_KEY_BLOCK_GET,
    SQL_CRL,
    SQL_ISSUER,
    SQL_RETENTION,
    SQL_PLAN,
};
const struct store_sql *const ca_audit_rows_sql = sql;
const size_t ca_audit_rows_sql_count = LT_COUNT(sql);

enum { KEY_MAX = 256, TEXT_MAX = 320, CERTIFICATE_ARENA_MAX = 4 * 1024 * 1024 };

/* Where the next part of a table begins. */
struct at {
    int64_t issuer;
    int64_t shard;
    uint8_t key[KEY_MAX];
    size_t key_len;
};

static void keep_key(struct at *at, lt_slice key)
{
    lt_slice kept = lt_slice_sub(key, 0, sizeof at->key);
    memcpy(at->key, kept.ptr, kept.len);
    at->key_len = kept.len;
}

/* What the events of a subject say: the newest and the oldest whose kind begins with `family`. */
struct told {
    struct lt_arena *arena;
    size_t count;
    lt_slice first_body;
    lt_slice last_kind;
    lt_slice last_body;
};

static lt_res told_of(struct ca_audit *a, const char *subject, const char *family, struct told *t)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_EVENTS_OF], STORE_ARGS(STORE_S(subject)), &rows));
    while (store_next(&rows)) {
        if (!lt_slice_starts(store_bytes(&rows, 0), lt_slice_cstr(family))) {
            continue;
        }
        t->last_kind = lt_arena_copy(t->arena, store_bytes(&rows, 0));
        t->last_body = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        t->first_body = t->count++ == 0 ? t->last_body : t->first_body;
    }
    return store_rows_end(&rows);
}

static bool says(lt_slice body, const char *member)
{
    return body.len > 0 && memmem(body.ptr, body.len, member, strlen(member)) != NULL;
}

/* An entry of a mass revocation has no event of its own: its batch has. */
static lt_res check_batch_entry(struct ca_audit *a, const struct store_rows *rows, const char *subject)
{
    struct store_rows batch;
    uint64_t mass = 0;
    lt_slice by = store_bytes(rows, 9);
    lt_slice number = lt_slice_sub(by, sizeof "mass m" - 1, by.len);
    bool found = false;
    if (!lt_failed(lt_parse_u64(number, INT64_MAX, &mass))) {
        LT_TRY(store_query(a->store, &sql[SQL_BATCH],
                           STORE_ARGS(STORE_I((int64_t)mass), STORE_I(store_int(rows, 6)),
                                      STORE_I(store_int(rows, 0)), STORE_B(store_bytes(rows, 2)),
                                      STORE_I(store_int(rows, 4)), STORE_I(store_int(rows, 5))),
                           &batch));
        found = store_next(&batch);
        LT_TRY(store_rows_end(&batch));
    }
    if (!found) {
        ca_audit_finding(a, "revocation", subject, "it is in no batch of its mass revocation");
    }
    return LT_OK;
}

static lt_res check_revocation(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                               const struct store_rows *rows)
{
    char subject[TEXT_MAX];
    char reason[TEXT_MAX];
    char sequence[TEXT_MAX];
    char revoked[TEXT_MAX];
    char when[LT_RFC3339_SIZE];
    struct told t = {.arena = arena};
    at->issuer = store_int(rows, 0);
    at->shard = store_int(rows, 1);
    keep_key(at, store_bytes(rows, 2));
    (void)snprintf(subject, sizeof subject, "certificate %s %s", store_cstr(rows, 3),
                   lt_hex(arena, store_bytes(rows, 2)));
    if (!store_is_null(rows, 8) && store_int(rows, 7) != store_int(rows, 8)) {
        ca_audit_finding(a, "revocation", subject, "not_after is not the certificate's");
    }
    if (lt_slice_starts(store_bytes(rows, 9), LT_LIT("mass m"))) {
        return check_batch_entry(a, rows, subject);
    }
    LT_TRY(told_of(a, subject, "certificate.revo", &t));
    if (t.count == 0) {
        return LT_OK;
    }
    lt_time_rfc3339((lt_time){store_int(rows, 5)}, when);
    (void)snprintf(reason, sizeof reason, "\"reason\":\"%s\"", ca_reason_name((uint32_t)store_int(rows, 4)));
    (void)snprintf(sequence, sizeof sequence, "\"sequence\":%lld}", (long long)store_int(rows, 6));
    (void)snprintf(revoked, sizeof revoked, "\"revoked\":\"%s\"", when);
    bool dated = says(t.first_body, revoked) || says(t.last_body, revoked); /* dated back later on */
    if (!says(t.last_body, reason) || !says(t.last_body, sequence) || !dated) {
        ca_audit_finding(a, "revocation", subject, "reason, time or sequence are not those of its event");
    }
    return LT_OK;
}

static lt_res check_halt(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                         const struct store_rows *rows)
{
    char subject[TEXT_MAX];
    char kind[TEXT_MAX];
    struct told t = {.arena = arena};
    keep_key(at, store_bytes(rows, 0));
    (void)snprintf(subject, sizeof subject, "halt %s", store_cstr(rows, 0));
    (void)snprintf(kind, sizeof kind, "\"kind\":\"%s\",\"value\":\"%s\"", store_cstr(rows, 1),
                   store_cstr(rows, 2));
    LT_TRY(told_of(a, subject, "halt.", &t));
    bool lifted = lt_slice_eq_cstr(t.last_kind, "halt.lifted");
    if (t.count == 0) {
        ca_audit_finding(a, "halt", subject, "no event tells of it");
    } else if (!says(t.first_body, kind)) {
        ca_audit_finding(a, "halt", subject, "it halts something else than its event says");
    } else if (lifted == store_is_null(rows, 3)) {
        ca_audit_finding(a, "halt", subject,
                         lifted ? "its events say that it was lifted" : "no event says that it was lifted");
    }
    return LT_OK;
}

static lt_res check_halt_added(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                               const struct store_rows *rows)
{
    (void)at;
    (void)arena;
    ca_audit_finding(a, "halt", store_cstr(rows, 1), "its row is gone");
    return LT_OK;
}

static lt_res check_key_block(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                              const struct store_rows *rows)
{
    char subject[TEXT_MAX];
    struct told t = {.arena = arena};
    keep_key(at, store_bytes(rows, 0));
    (void)snprintf(subject, sizeof subject, "key %s", lt_hex(arena, store_bytes(rows, 0)));
    LT_TRY(told_of(a, subject, "key.", &t));
    if (!lt_slice_eq_cstr(t.last_kind, "key.blocked")) {
        ca_audit_finding(a, "key-block", subject, "no event says that it is blocked");
    }
    return LT_OK;
}

static lt_res check_key_blocked(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                                const struct store_rows *rows)
{
    struct told t = {.arena = arena};
    const char *subject = lt_arena_cstr(arena, store_bytes(rows, 0));
    LT_ASSERT(subject != NULL);
    keep_key(at, store_bytes(rows, 0));
    LT_TRY(told_of(a, subject, "key.", &t));
    uint8_t hash[CRYPTO_SHA256_LEN];
    lt_slice hex = lt_slice_sub(lt_slice_cstr(subject), 4, SIZE_MAX);
    if (!lt_slice_eq_cstr(t.last_kind, "key.blocked") || hex.len != 2 * sizeof hash) {
        return LT_OK;
    }
    for (size_t i = 0; i < sizeof hash; i++) {
        unsigned byte = 0;
        char pair[3] = {(char)hex.ptr[2 * i], (char)hex.ptr[2 * i + 1], 0};
        (void)sscanf(pair, "%2x", &byte); /* nothing read is another key, and found below */
        hash[i] = (uint8_t)byte;
    }
    struct store_rows found;
    LT_TRY(store_query(a->store, &sql[SQL_KEY_BLOCK_GET], STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash))),
                       &found));
    if (!store_next(&found)) {
        ca_audit_finding(a, "key-block", subject, "its row is gone");
    }
    return store_rows_end(&found);
}

static lt_res check_crl(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                        const struct store_rows *rows)
{
    at->issuer = store_int(rows, 0);
    at->shard = store_int(rows, 1);
    keep_key(at, store_bytes(rows, 2));
    if (store_is_null(rows, 4)) {
        return LT_OK; /* only the newest few keep their bytes */
    }
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(store_bytes(rows, 4), hash);
    if (!lt_slice_eq(store_bytes(rows, 3), LT_SLICE(hash, sizeof hash))) {
        char subject[TEXT_MAX];
        (void)snprintf(subject, sizeof subject, "crl of issuer %lld, number %s", (long long)at->issuer,
                       lt_hex(arena, store_bytes(rows, 2)));
        ca_audit_finding(a, "crl", subject, "its bytes are not those of its row");
    }
    return LT_OK;
}

static bool is_hash_of(lt_slice hash, lt_slice bytes)
{
    uint8_t made[CRYPTO_SHA256_LEN];
    crypto_sha256(bytes, made);
    return lt_slice_eq(hash, LT_SLICE(made, sizeof made));
}

static lt_res check_issuer(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                           const struct store_rows *rows)
{
    struct x509_cert c;
    (void)at;
    bool good = !lt_failed(x509_cert_decode(store_bytes(rows, 1), arena, &c)) &&
                is_hash_of(store_bytes(rows, 2), c.spki.der) &&
                is_hash_of(store_bytes(rows, 3), c.subject.der) && store_int(rows, 4) == c.not_before.us &&
                store_int(rows, 5) == c.not_after.us;
    if (!good) {
        ca_audit_finding(a, "issuer", store_cstr(rows, 0), "its row is not that of its certificate");
    }
    return LT_OK;
}

/* What is missing because its time was over is told by an event with the hash over all of it. */
static lt_res check_retention(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                              const struct store_rows *rows)
{
    char subject[TEXT_MAX];
    struct told t = {.arena = arena};
    (void)at;
    (void)snprintf(subject, sizeof subject, "retention %s %lld", store_cstr(rows, 0),
                   (long long)store_int(rows, 1));
    LT_TRY(told_of(a, subject, "retention.dropped", &t));
    if (t.count == 0 || !says(t.last_body, lt_hex(arena, store_bytes(rows, 2)))) {
        ca_audit_finding(a, "retention", subject, "no event tells that this was dropped");
    }
    return LT_OK;
}

static lt_res check_plan(struct ca_audit *a, struct at *at, struct lt_arena *arena,
                         const struct store_rows *rows)
{
    (void)arena;
    keep_key(at, store_bytes(rows, 0));
    if (store_int(rows, 2) < store_int(rows, 1)) {
        char subject[TEXT_MAX];
        (void)snprintf(subject, sizeof subject, "plan %s", store_cstr(rows, 0));
        ca_audit_finding(a, "plan", subject, "it was carried out with %lld approvals of %lld",
                         (long long)store_int(rows, 2), (long long)store_int(rows, 1));
    }
    return LT_OK;
}

enum key_form { KEY_NONE, KEY_TEXT, KEY_BLOB, KEY_TRIPLE };

static const struct {
    size_t statement;
    enum key_form key;
    lt_res (*check)(struct ca_audit *a, struct at *at, struct lt_arena *arena, const struct store_rows *rows);
} checks[] = {
    {SQL_ISSUER, KEY_NONE, check_issuer},       {SQL_REVOCATION, KEY_TRIPLE, check_revocation},
    {SQL_HALT, KEY_TEXT, check_halt},           {SQL_HALT_ADDED, KEY_NONE, check_halt_added},
    {SQL_KEY_BLOCK, KEY_BLOB, check_key_block}, {SQL_KEY_BLOCKED, KEY_TEXT, check_key_blocked},
    {SQL_CRL, KEY_TRIPLE, check_crl},           {SQL_PLAN, KEY_TEXT, check_plan},
    {SQL_RETENTION, KEY_NONE, check_retention},
};

static lt_res ask(struct ca_audit *a, size_t n, const struct at *at, struct store_rows *rows)
{
    const struct store_sql *q = &sql[checks[n].statement];
    lt_slice key = LT_SLICE(at->key, at->key_len);
    switch (checks[n].key) {
    case KEY_TEXT:
        return store_query(a->store, q, STORE_ARGS(STORE_T(key)), rows);
    case KEY_BLOB:
        return store_query(a->store, q, STORE_ARGS(STORE_B(key)), rows);
    case KEY_TRIPLE:
        return store_query(a->store, q, STORE_ARGS(STORE_I(at->issuer), STORE_I(at->shard), STORE_B(key)),
                           rows);
    case KEY_NONE:
        break;
    }
    return store_query(a->store, q, STORE_NO_ARGS, rows);
}

static lt_res check_table(struct ca_audit *a, size_t n)
{
    struct at at = {0};
    bool more = true;
    while (more) {
        struct store_rows rows;
        more = false;
        LT_TRY(ask(a, n, &at, &rows));
        lt_res r = LT_OK;
        while (!lt_failed(r) && store_next(&rows)) {
            struct lt_arena arena;
            lt_arena_init(&arena, CERTIFICATE_ARENA_MAX);
            r = checks[n].check(a, &at, &arena, &rows);
            lt_arena_done(&arena);
            more = checks[n].key != KEY_NONE;
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res ca_audit_rows(struct ca_audit *a)
{
    for (size_t n = 0; n < LT_COUNT(checks); n++) {
        LT_TRY(check_table(a, n));
    }
    return LT_OK;
}
