/* The incident desk's rows against their events: nothing of it may appear, or go, without one. And reports as
 * they came: the bytes that are kept are those that were received. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/audit_internal.h"
#include "crypto/digest.h"

#define ROWS(name_, table_)                                                                   \
    {                                                                                         \
        "audit.desk." name_, "SELECT id FROM " table_ " WHERE id > ?1 ORDER BY id LIMIT 1000" \
    }
/* n_: where the number begins in the subject. */
#define GONE(name_, table_, kind_, n_)                                                                   \
    {                                                                                                    \
        "audit.desk." name_ "-gone", "SELECT e.subject FROM event e WHERE e.kind = '" kind_ "' AND NOT " \
                                     "EXISTS (SELECT 1 FROM " table_ " x WHERE x.id = "                  \
                                     "CAST(substr(e.subject, " n_ ") AS bigint)) LIMIT 1000"             \
    }

static const struct store_sql sql[] = {
    ROWS("incident", "incident"),
    GONE("incident", "incident", "incident.opened", "10"),
    ROWS("problem", "problem"),
    GONE("problem", "problem", "problem.received", "9"),
    ROWS("action", "incident_action"),
    GONE("action", "incident_action", "action.added", "8"),
    ROWS("review", "incident_review"),
    GONE("review", "incident_review", "review.assigned", "8"),
    ROWS("concern", "incident_concern"),
    GONE("concern", "incident_concern", "concern.received", "9"),
    ROWS("drill", "drill"),
    GONE("drill", "drill", "drill.recorded", "7"),
    /* kind || '': the index on the subject is the one to take */
    {"audit.desk.event", "SELECT body FROM event WHERE subject = ?1 AND kind || '' = ?2 LIMIT 1"},
    {"audit.desk.reports",
     "SELECT id, upload, raw_sha256, kept_sha256 FROM problem WHERE id > ?1 ORDER BY id "
     "LIMIT 1000"},
    {"audit.desk.parts", "SELECT part, bytes FROM problem_part WHERE upload = ?1 AND part > ?2 ORDER BY part "
                         "LIMIT 64"},
    {"audit.desk.concerns", "SELECT id, words FROM incident_concern WHERE id > ?1 ORDER BY id LIMIT 1000"},
    {"audit.desk.proofs",
     "SELECT spki_sha256 FROM key_compromise WHERE spki_sha256 > ?1 ORDER BY spki_sha256 "
     "LIMIT 1000"},
};
enum { SQL_EVENT = 12, SQL_REPORTS, SQL_PARTS, SQL_CONCERNS, SQL_PROOFS };
const struct store_sql *const ca_audit_desk_sql = sql;
const size_t ca_audit_desk_sql_count = LT_COUNT(sql);

static const struct {
    const char *noun; /* of the subject: "incident 12" */
    const char *kind; /* of the event that made the row */
} tables[] = {
    {"incident", "incident.opened"}, {"problem", "problem.received"}, {"action", "action.added"},
    {"review", "review.assigned"},   {"concern", "concern.received"}, {"drill", "drill.recorded"},
};
_Static_assert(2 * LT_COUNT(tables) == SQL_EVENT, "two statements for each table");

enum { SUBJECT_MAX = 128, IDS_MAX = 1000, PROOF_ARENA_MAX = 4 * 1024 * 1024 };

/* ret_body: in the arena; NULL when there is no such event. */
static lt_res event_of(struct ca_audit *a, const char *subject, const char *kind, struct lt_arena *arena,
                       const char **ret_body)
{
    struct store_rows rows;
    *ret_body = NULL;
    LT_TRY(store_query(a->store, &sql[SQL_EVENT], STORE_ARGS(STORE_S(subject), STORE_S(kind)), &rows));
    if (store_next(&rows)) {
        *ret_body = lt_arena_cstr(arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res check_row(struct ca_audit *a, size_t table, int64_t id, struct lt_arena *arena)
{
    char subject[SUBJECT_MAX];
    const char *body = NULL;
    (void)snprintf(subject, sizeof subject, "%s %lld", tables[table].noun, (long long)id);
    lt_arena_reset(arena);
    LT_TRY(event_of(a, subject, tables[table].kind, arena, &body));
    if (body == NULL) {
        ca_audit_finding(a, tables[table].noun, subject, "no event %s tells of it", tables[table].kind);
    }
    return LT_OK;
}

static lt_res check_rows(struct ca_audit *a, size_t table, struct lt_arena *arena)
{
    int64_t after = 0;
    size_t count = 0;
    do {
        int64_t ids[IDS_MAX];
        struct store_rows rows;
        count = 0;
        LT_TRY(store_query(a->store, &sql[2 * table], STORE_ARGS(STORE_I(after)), &rows));
        while (count < IDS_MAX && store_next(&rows)) {
            ids[count++] = store_int(&rows, 0);
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(check_row(a, table, ids[i], arena));
            after = ids[i];
        }
    } while (count > 0);
    return LT_OK;
}

static lt_res check_gone(struct ca_audit *a, size_t table)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[2 * table + 1], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) {
        ca_audit_finding(a, tables[table].noun, store_cstr(&rows, 0), "its row is gone");
    }
    return store_rows_end(&rows);
}

/* ---- reports as they came ---- */

struct report {
    int64_t id;
    lt_slice upload; /* all in the arena */
    lt_slice sha256; /* of what is kept */
};

static lt_res hash_parts(struct ca_audit *a, const struct report *p, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    struct crypto_stream hash;
    int64_t after = -1;
    bool more = true;
    lt_res r = LT_OK;
    crypto_stream_init(&hash, CRYPTO_SHA256);
    while (more && !lt_failed(r)) {
        struct store_rows rows;
        more = false;
        r = store_query(a->store, &sql[SQL_PARTS], STORE_ARGS(STORE_B(p->upload), STORE_I(after)), &rows);
        while (!lt_failed(r) && store_next(&rows)) {
            after = store_int(&rows, 0);
            crypto_stream_add(&hash, store_bytes(&rows, 1));
            more = true;
        }
        r = lt_failed(r) ? r : store_rows_end(&rows);
    }
    crypto_stream_finish(&hash, ret_hash);
    crypto_stream_done(&hash);
    return r;
}

static lt_res check_report(struct ca_audit *a, const struct report *p)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char subject[SUBJECT_MAX];
    if (p->upload.len == 0) {
        return LT_OK; /* no bytes of its own */
    }
    LT_TRY(hash_parts(a, p, hash));
    if (!lt_slice_eq(p->sha256, LT_SLICE(hash, sizeof hash))) {
        (void)snprintf(subject, sizeof subject, "problem %lld", (long long)p->id);
        ca_audit_finding(a, "problem", subject, "the bytes that are kept are not those that came");
    }
    return LT_OK;
}

static lt_res check_reports(struct ca_audit *a, struct lt_arena *arena)
{
    struct report list[IDS_MAX];
    int64_t after = 0;
    size_t count = 0;
    do {
        struct store_rows rows;
        count = 0;
        lt_arena_reset(arena);
        LT_TRY(store_query(a->store, &sql[SQL_REPORTS], STORE_ARGS(STORE_I(after)), &rows));
        while (count < IDS_MAX && store_next(&rows)) {
            bool kept = store_bytes(&rows, 3).len > 0;
            list[count++] = (struct report){store_int(&rows, 0), lt_arena_copy(arena, store_bytes(&rows, 1)),
                                            lt_arena_copy(arena, store_bytes(&rows, kept ? 3 : 2))};
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(check_report(a, &list[i]));
            after = list[i].id;
        }
    } while (count > 0);
    return LT_OK;
}

/* ---- concerns, proven keys ---- */

struct concern {
    int64_t id;
    const char *hash;
};

static lt_res check_concern(struct ca_audit *a, const struct concern *c, struct lt_arena *arena)
{
    char subject[SUBJECT_MAX];
    const char *body = NULL;
    (void)snprintf(subject, sizeof subject, "concern %lld", (long long)c->id);
    LT_TRY(event_of(a, subject, "concern.received", arena, &body));
    if (body != NULL && (c->hash == NULL || strstr(body, c->hash) == NULL)) {
        ca_audit_finding(a, "concern", subject, "its words are not those that were filed");
    }
    return LT_OK;
}

/* The words are in the row alone; the event has their hash. */
static lt_res check_concerns(struct ca_audit *a, struct lt_arena *arena)
{
    struct concern list[IDS_MAX];
    int64_t after = 0;
    size_t count = 0;
    do {
        struct store_rows rows;
        count = 0;
        lt_arena_reset(arena);
        LT_TRY(store_query(a->store, &sql[SQL_CONCERNS], STORE_ARGS(STORE_I(after)), &rows));
        while (count < IDS_MAX && store_next(&rows)) {
            uint8_t hash[CRYPTO_SHA256_LEN];
            crypto_sha256(store_bytes(&rows, 1), hash);
            list[count++] = (struct concern){store_int(&rows, 0), lt_hex(arena, LT_SLICE(hash, sizeof hash))};
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(check_concern(a, &list[i], arena));
            after = list[i].id;
        }
    } while (count > 0);
    return LT_OK;
}

/* The proof stands in the event. */
static void check_evidence(struct ca_audit *a, const char *subject, const char *body, struct lt_arena *arena)
{
    static const char name[] = "\"evidence\":\"";
    const char *from = strstr(body, name);
    lt_slice text = lt_slice_cstr(from == NULL ? "" : from + sizeof name - 1);
    lt_slice evidence;
    lt_slice key;
    text = lt_slice_sub(text, 0, lt_slice_find(text, '"'));
    if (a->proves == NULL || text.len == 0) {
        return; /* too large for the event: it is the request that is kept with it */
    }
    bool good = !lt_failed(lt_unbase64(arena, text, &evidence)) &&
                !lt_failed(lt_unhex(arena, lt_slice_cstr(subject + strlen("key ")), &key)) &&
                a->proves(evidence, key, arena);
    a->counts.proofs += good ? 1 : 0;
    if (!good) {
        ca_audit_finding(a, "key", subject, "what is kept does not prove that the key is compromised");
    }
}

static lt_res check_proof(struct ca_audit *a, const char *key, struct lt_arena *arena)
{
    char subject[SUBJECT_MAX];
    const char *body = NULL;
    (void)snprintf(subject, sizeof subject, "key %s", key);
    LT_TRY(event_of(a, subject, "proof.accepted", arena, &body));
    if (body == NULL) {
        ca_audit_finding(a, "key", subject, "no event tells how it was proven");
    } else {
        check_evidence(a, subject, body, arena);
    }
    return LT_OK;
}

static lt_res check_proofs(struct ca_audit *a, struct lt_arena *arena)
{
    lt_slice after = LT_LIT("");
    bool more = true;
    while (more) {
        const char *keys[IDS_MAX];
        size_t count = 0;
        struct store_rows rows;
        LT_TRY(store_query(a->store, &sql[SQL_PROOFS], STORE_ARGS(STORE_B(after)), &rows));
        while (count < IDS_MAX && store_next(&rows)) {
            after = lt_arena_copy(arena, store_bytes(&rows, 0));
            keys[count] = lt_hex(arena, store_bytes(&rows, 0));
            count += keys[count] != NULL ? 1 : 0;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            struct lt_arena own;
            lt_arena_init(&own, PROOF_ARENA_MAX);
            lt_res r = check_proof(a, keys[i], &own);
            lt_arena_done(&own);
            LT_TRY(r);
        }
        more = count > 0;
    }
    return LT_OK;
}

static lt_res check_all(struct ca_audit *a, struct lt_arena *arena)
{
    for (size_t table = 0; table < LT_COUNT(tables); table++) {
        LT_TRY(check_rows(a, table, arena));
        LT_TRY(check_gone(a, table));
    }
    LT_TRY(check_reports(a, arena));
    LT_TRY(check_concerns(a, arena));
    LT_TRY(ca_audit_notices(a));
    lt_arena_reset(arena);
    return check_proofs(a, arena);
}

lt_res ca_audit_desk(struct ca_audit *a)
{
    enum { ARENA_MAX = 64 * 1024 * 1024 };
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    lt_res r = check_all(a, &arena);
    lt_arena_done(&arena);
    return r;
}
