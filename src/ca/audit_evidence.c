/* Evidence again: each row's frame is there, is what the row's hash says, tells of the same check, and what
 * perspectives signed in it is signed by them; segments are as long as the book says; and what is summed up
 * on each certificate is what the evidence of its names gives. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ca/audit_internal.h"
#include "ca/evidence_record.h"
#include "ca/evidence_shared.h"
#include "crypto/digest.h"
#include "store/segment.h"
#include "validate/perspective.h"

static const struct store_sql sql[] = {
    {"audit.evidence",
     "SELECT e.authorization_id, e.checked_us, e.identifier_type, e.identifier, e.agreeing, e.segment, "
     "e.position, e.length, e.sha256, d.method, d.perspectives, "
     "coalesce(e.proven_by, e.authorization_id) FROM evidence e "
     "JOIN dimension d ON d.id = e.dimension WHERE (e.authorization_id, e.checked_us) > (?1, ?2) "
     "ORDER BY e.authorization_id, e.checked_us LIMIT 1000"},
    {"audit.evidence.segment",
     "SELECT number, length FROM evidence_segment WHERE number > ?1 AND number <= ?2 "
     "ORDER BY number LIMIT 1000"},
    {"audit.evidence.key", "SELECT name, spki FROM perspective_key WHERE id = ?1"},
    {"audit.evidence.event",
     "SELECT e.body FROM authorization a LEFT JOIN event e ON e.subject = 'authorization ' || a.id AND "
     "e.kind = 'authorization.valid' WHERE a.id = ?1 AND a.validated_us = ?2 LIMIT 8"},
    {"audit.evidence.certificate",
     "SELECT issuer, serial, copy, issued_us, oldest_validation_us, least_quorum, worst_dimension "
     "FROM certificate WHERE (issuer, serial, copy) > (?1, ?2, ?3) ORDER BY issuer, serial, copy LIMIT 1000"},
    {"audit.evidence.proofs",
     "SELECT n.authorization_id, e.checked_us, e.agreeing, e.dimension FROM certificate_name n "
     "LEFT JOIN evidence e ON e.authorization_id = n.authorization_id AND e.checked_us = "
     "(SELECT max(x.checked_us) FROM evidence x JOIN dimension d ON d.id = x.dimension "
     "WHERE x.authorization_id = n.authorization_id AND x.ok = 1 AND x.checked_us <= ?4 AND "
     "d.method <> 'caa') WHERE n.issuer = ?1 AND n.serial = ?2 AND n.copy = ?3 LIMIT 10000"},
};
enum { SQL_EVIDENCE, SQL_SEGMENT, SQL_KEY, SQL_EVENT, SQL_CERTIFICATE, SQL_PROOFS };
const struct store_sql *const ca_audit_evidence_sql = sql;
const size_t ca_audit_evidence_sql_count = LT_COUNT(sql);

enum { RECORD_ARENA_MAX = 32 * 1024 * 1024, TEXT_MAX = 320, SERIAL_MAX = 64, PATH_SIZE = 1024 };

struct row {
    int64_t authorization;
    int64_t checked_us;
    int64_t proven_by; /* the authorization that the frame tells of */
    struct store_frame_ref ref;
    uint64_t agreeing;
    lt_slice type;
    lt_slice identifier;
    lt_slice method;
    lt_slice set; /* "primary,eu-west" */
    char subject[TEXT_MAX];
};

static void take_row(const struct store_rows *rows, struct row *k)
{
    lt_slice hash = lt_slice_sub(store_bytes(rows, 8), 0, sizeof k->ref.sha256);
    k->authorization = store_int(rows, 0);
    k->checked_us = store_int(rows, 1);
    k->type = store_bytes(rows, 2);
    k->identifier = store_bytes(rows, 3);
    k->agreeing = (uint64_t)store_int(rows, 4);
    k->ref.segment = (uint32_t)store_int(rows, 5);
    k->ref.position = (uint64_t)store_int(rows, 6);
    k->ref.length = (uint32_t)store_int(rows, 7);
    if (hash.len > 0) {
        memcpy(k->ref.sha256, hash.ptr, hash.len);
    }
    k->method = store_bytes(rows, 9);
    k->set = store_bytes(rows, 10);
    k->proven_by = store_int(rows, 11);
    (void)snprintf(k->subject, sizeof k->subject, "%.*s, authorization %lld at %lld", LT_FMT(k->identifier),
                   (long long)k->authorization, (long long)k->checked_us);
}

static bool is_about(const struct row *k, const Ipc__Validated *said)
{
    return said->identifier != NULL && lt_slice_eq_cstr(k->type, said->identifier->type) &&
           lt_slice_eq_cstr(k->identifier, said->identifier->value) &&
           lt_slice_eq_cstr(k->method, said->method);
}

/* A statement that agreed counts by its signature alone. */
static lt_res check_voice(struct ca_audit *a, const struct row *k, const Ipc__EvidenceVoice *v,
                          struct lt_arena *arena)
{
    struct store_rows rows;
    struct validate_perspective p = {.name = v->name};
    const Ipc__Validated *said = NULL;
    LT_TRY(store_query(a->store, &sql[SQL_KEY], STORE_ARGS(STORE_I(v->key_id)), &rows));
    bool known = store_next(&rows) && lt_slice_eq_cstr(store_bytes(&rows, 0), v->name);
    if (known) {
        p.spki = lt_arena_copy(arena, store_bytes(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    if (!known) {
        ca_audit_finding(a, "evidence", k->subject, "the key of perspective %s is not in the book", v->name);
    } else if (lt_failed(validate_statement_verify(&p, v->said, arena, &said))) {
        ca_audit_finding(a, "evidence", k->subject, "the statement of %s: %s", v->name,
                         lt_error_last()->detail);
    } else if (said->authorization_id != k->proven_by || (v->agrees && !said->ok) || !is_about(k, said)) {
        ca_audit_finding(a, "evidence", k->subject, "%s signed something else", v->name);
    } else {
        a->counts.statements++;
    }
    return LT_OK;
}

static lt_res check_voices(struct ca_audit *a, const struct row *k, const Ipc__EvidenceCorroboration *c,
                           struct lt_arena *arena)
{
    uint64_t agreeing = 1; /* without the primary one nobody else is asked */
    lt_slice set = k->set;
    lt_slice name;
    (void)lt_slice_split(&set, ',', &name);
    for (size_t i = 0; i < c->n_voices; i++) {
        const Ipc__EvidenceVoice *v = c->voices[i];
        bool named = lt_slice_split(&set, ',', &name) && lt_slice_eq_cstr(name, v->name);
        if (!named || (v->agrees && v->said == NULL)) {
            ca_audit_finding(a, "evidence", k->subject,
                             named ? "%s agreed and signed nothing" : "%s is not of the row's perspectives",
                             v->name);
        }
        agreeing |= v->agrees ? UINT64_C(1) << (i + 1) : 0;
        if (v->said != NULL) {
            LT_TRY(check_voice(a, k, v, arena));
        }
    }
    if (agreeing != k->agreeing) {
        ca_audit_finding(a, "evidence", k->subject, "other perspectives agreed than the row says");
    }
    return LT_OK;
}

/* The event of a proof has the hash of its frame: whoever changes both row and segment, or writes a proof
 * beside the registrar, meets the chain. */
static lt_res check_event(struct ca_audit *a, const struct row *k, struct lt_arena *arena)
{
    struct store_rows rows;
    char *hex = lt_hex(arena, LT_SLICE(k->ref.sha256, sizeof k->ref.sha256));
    bool proof = false;
    bool told = false;
    LT_CHECK(hex != NULL, LT_PEER_TOO_LARGE, "the row is too large");
    LT_TRY(store_query(a->store, &sql[SQL_EVENT], STORE_ARGS(STORE_I(k->proven_by), STORE_I(k->checked_us)),
                       &rows));
    while (store_next(&rows)) {
        lt_slice body = store_bytes(&rows, 0);
        proof = true;
        told = told || (body.len > 0 && memmem(body.ptr, body.len, hex, strlen(hex)) != NULL);
    }
    LT_TRY(store_rows_end(&rows));
    if (proof && !told) {
        ca_audit_finding(a, "evidence", k->subject, "no event of the proof has its hash");
    }
    return LT_OK;
}

static lt_res check_record(struct ca_audit *a, const struct row *k, struct lt_arena *arena)
{
    const Ipc__EvidenceRecord *record = NULL;
    lt_slice plain = {0};
    lt_res r = ca_evidence_read(a->store, a->evidence_folder, &k->ref, arena, &plain);
    r = lt_failed(r) ? r : ca_evidence_unpack(plain, k->proven_by, k->checked_us, arena, &record);
    if (lt_failed(r)) {
        ca_audit_finding(a, "evidence", k->subject, "%s", lt_error_last()->detail);
        return LT_OK;
    }
    const Ipc__Validated *v = record->primary;
    if (!lt_slice_eq_cstr(k->type, v->identifier->type) ||
        !lt_slice_eq_cstr(k->identifier, v->identifier->value) || !lt_slice_eq_cstr(k->method, v->method)) {
        ca_audit_finding(a, "evidence", k->subject, "its frame tells of another name or method");
    }
    a->counts.evidence++;
    LT_TRY(check_event(a, k, arena));
    return record->corroboration == NULL ? LT_OK : check_voices(a, k, record->corroboration, arena);
}

static lt_res check_rows(struct ca_audit *a)
{
    struct row k = {0};
    bool more = true;
    while (more) {
        struct store_rows rows;
        lt_res r = LT_OK;
        more = false;
        LT_TRY(store_query(a->store, &sql[SQL_EVIDENCE],
                           STORE_ARGS(STORE_I(k.authorization), STORE_I(k.checked_us)), &rows));
        while (!lt_failed(r) && store_next(&rows)) {
            struct lt_arena arena;
            lt_arena_init(&arena, RECORD_ARENA_MAX);
            take_row(&rows, &k);
            r = k.ref.segment == 0 ? LT_OK : check_record(a, &k, &arena); /* 0: of the first version */
            lt_arena_done(&arena);
            more = true;
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

/* Where a walk over certificates stands. */
struct certificate {
    int64_t issuer;
    uint8_t serial[SERIAL_MAX];
    size_t serial_len;
    int64_t copy;
};

/* What the certificate's row says, and what its names' proofs give. */
struct sum {
    int64_t issued_us;
    int64_t oldest_us;
    int64_t quorum;
    int64_t dimension;
};

/* Over the last proof of each name before the certificate. NULL: it is as the row says, or there is nothing
 * to hold it against (names that nobody proved: service, ceremonies). */
static const char *add_up(struct store_rows *rows, const struct sum *says)
{
    struct sum is = {.oldest_us = INT64_MAX, .quorum = INT64_MAX};
    bool same_dimension = false;
    size_t names = 0;
    while (store_next(rows)) {
        int64_t checked = store_int(rows, 1);
        int64_t agreed = __builtin_popcountll((uint64_t)store_int(rows, 2));
        if (store_int(rows, 0) == 0) {
            return NULL;
        }
        if (store_is_null(rows, 1)) {
            return "a name of it has no evidence that it was proven";
        }
        is.oldest_us = checked < is.oldest_us ? checked : is.oldest_us;
        is.quorum = agreed < is.quorum ? agreed : is.quorum;
        same_dimension = same_dimension ||
                         (checked == says->oldest_us && store_int(rows, 3) == says->dimension);
        names++;
    }
    if (names > 0 && is.oldest_us != says->oldest_us) {
        return "its oldest validation is not the one of its names' evidence";
    }
    if (names > 0 && is.quorum != says->quorum) {
        return "its least quorum is not the one of its names' evidence";
    }
    return names > 0 && !same_dimension ? "its worst dimension is not that of its oldest validation" : NULL;
}

static lt_res check_sum(struct ca_audit *a, const struct certificate *c, const struct sum *says)
{
    struct store_rows rows;
    lt_slice serial = LT_SLICE(c->serial, c->serial_len);
    LT_TRY(store_query(
        a->store, &sql[SQL_PROOFS],
        STORE_ARGS(STORE_I(c->issuer), STORE_B(serial), STORE_I(c->copy), STORE_I(says->issued_us)), &rows));
    const char *wrong = add_up(&rows, says);
    LT_TRY(store_rows_end(&rows));
    if (wrong != NULL) {
        char hex[2 * SERIAL_MAX + 1] = "";
        for (size_t i = 0; i < c->serial_len; i++) {
            (void)snprintf(&hex[2 * i], 3, "%02x", c->serial[i]); /* fits */
        }
        ca_audit_finding(a, "evidence", hex, "%s", wrong);
    }
    return LT_OK;
}

static lt_res check_certificates(struct ca_audit *a)
{
    struct certificate c = {.issuer = -1};
    bool more = true;
    while (more) {
        struct store_rows rows;
        lt_res r = LT_OK;
        more = false;
        LT_TRY(store_query(
            a->store, &sql[SQL_CERTIFICATE],
            STORE_ARGS(STORE_I(c.issuer), STORE_B(LT_SLICE(c.serial, c.serial_len)), STORE_I(c.copy)),
            &rows));
        while (!lt_failed(r) && store_next(&rows)) {
            lt_slice serial = lt_slice_sub(store_bytes(&rows, 1), 0, sizeof c.serial);
            c.issuer = store_int(&rows, 0);
            memcpy(c.serial, serial.ptr, serial.len);
            c.serial_len = serial.len;
            c.copy = store_int(&rows, 2);
            const struct sum says = {store_int(&rows, 3), store_int(&rows, 4), store_int(&rows, 5),
                                     store_int(&rows, 6)};
            r = check_sum(a, &c, &says);
            more = true;
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res ca_audit_segments(struct ca_audit *a)
{
    struct store_rows rows;
    struct ca_host host = ca_audit_host(a);
    uint32_t first = 0;
    uint32_t end = 0;
    bool more = true;
    ca_host_segments(&host, &first, &end);
    int64_t last = (int64_t)first - 1;
    while (more) {
        more = false;
        LT_TRY(store_query(a->store, &sql[SQL_SEGMENT], STORE_ARGS(STORE_I(last), STORE_I(end)), &rows));
        while (store_next(&rows)) {
            char name[STORE_SEGMENT_NAME_SIZE];
            char path[PATH_SIZE];
            struct stat st;
            last = store_int(&rows, 0);
            a->counts.segments++;
            more = true;
            store_segment_name((uint32_t)last, name);
            (void)snprintf(path, sizeof path, "%.900s/%s", a->evidence_folder, name);
            if (stat(path, &st) != 0) {
                ca_audit_finding(a, "evidence", name, "the segment is missing");
            } else if (st.st_size < store_int(&rows, 1)) {
                ca_audit_finding(a, "evidence", name, "it has %lld bytes, the book names %lld of it",
                                 (long long)st.st_size, (long long)store_int(&rows, 1));
            }
        }
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

lt_res ca_audit_evidence(struct ca_audit *a)
{
    LT_TRY(ca_audit_segments(a));
    LT_TRY(check_rows(a));
    return check_certificates(a);
}
