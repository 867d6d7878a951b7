/* Verifying a book again: chains, knots, certificates, journal, approvals. */
#include "ca/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/approval.h"
#include "ca/audit_internal.h"
#include "ca/event.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "ipc/arena.h"
#include "sign.pb-c.h"
#include "signer/knot.h"
#include "x509/cert.h"

static const struct store_sql sql[] = {
    {"audit.chain", "SELECT chain FROM event WHERE chain > ?1 ORDER BY chain LIMIT 1"},
    {"audit.events", "SELECT sequence, time_us, kind, subject, body, attachment, hash FROM event "
                     "WHERE chain = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1000"},
    {"audit.event-hash", "SELECT hash FROM event WHERE chain = ?1 AND sequence = ?2"},
    {"audit.knots", "SELECT time_us, sequence, head, journal_sequence, journal_head, signature FROM knot "
                    "WHERE chain = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1000"},
    {"audit.issuers", "SELECT id, name FROM issuer ORDER BY id LIMIT 256"},
    {"audit.certificates",
     "SELECT c.serial, c.sha256, d.der, i.tbs, e.outcome, c.spki_sha256, c.not_before_us, c.not_after_us, "
     "m.form, (SELECT max(x.month) FROM retention x WHERE x.kind = 'certificates' AND x.dropped > 0 AND "
     "x.from_us <= "
     "c.issued_us AND x.to_us > c.issued_us) FROM certificate c "
     "LEFT JOIN certificate_import m ON m.issuer = c.issuer AND m.serial = c.serial AND m.copy = c.copy "
     "LEFT JOIN certificate_der d ON d.issuer = c.issuer AND d.serial = c.serial AND d.copy = c.copy "
     "LEFT JOIN intent i ON i.issuer = c.issuer AND i.serial = c.serial "
     "LEFT JOIN intent_end e ON e.intent = i.id "
     "WHERE c.issuer = ?1 AND c.serial > ?2 AND c.copy = 0 ORDER BY c.serial LIMIT 1000"},
    /* kind || '': the index on the subject is the one to take; that on kind would read every certificate's */
    {"audit.issued-event",
     "SELECT 1 FROM event WHERE subject = ?1 AND kind || '' = 'certificate.issued' LIMIT 1"},
    {"audit.intent",
     "SELECT i.tbs, e.outcome, (SELECT max(x.month) FROM certificate c JOIN retention x ON x.kind = "
     "'certificates' AND x.dropped > 0 AND x.from_us <= c.issued_us AND x.to_us > c.issued_us WHERE c.issuer "
     "= i.issuer AND "
     "c.serial = i.serial AND c.copy = 0) FROM issuer s JOIN intent i ON i.issuer = s.id AND i.serial = ?2 "
     "LEFT JOIN intent_end e ON e.intent = i.id WHERE s.name = ?1"},
    {"audit.revocation", "SELECT 1 FROM issuer s JOIN certificate c ON c.issuer = s.id AND c.serial = ?2 AND "
                         "c.copy = 0 JOIN revocation r ON r.issuer = s.id AND r.shard = c.shard AND "
                         "r.serial = c.serial WHERE s.name = ?1"},
    {"audit.batch",
     "SELECT 1 FROM mass_batch WHERE mass = ?1 AND batch = ?2 AND (sequence = ?3 OR ?5 = 1) AND root = ?4"},
    {"audit.acknowledged", "SELECT acknowledged FROM journal WHERE signer = ?1"},
    {"audit.chain-elsewhere", "SELECT count(*) FROM host WHERE id > 0 AND id <> ?1 AND chain = ?2"},
    /* What lintel restore said of it when the book was put back. */
    {"audit.restored", "SELECT body FROM event WHERE subject = ?1 AND (kind || '' = 'restore.lost' OR "
                       "kind || '' = 'restore.published' OR kind || '' = 'restore.sealed' OR "
                       "kind || '' = 'restore.missing') LIMIT 10000"},
    {"audit.knot",
     "SELECT head, journal_sequence, journal_head FROM knot WHERE chain = ?1 AND sequence = ?2"},
    {"audit.approvals",
     "SELECT a.plan, a.operator, a.signature, a.signed_us, p.action, p.scope_sha256, p.count, p.parameters, "
     "p.expires_us, p.proposer, a.passkey FROM approval a JOIN plan p ON p.id = a.plan "
     "WHERE a.plan > ?1 OR (a.plan = ?1 AND a.operator > ?2) ORDER BY a.plan, a.operator LIMIT 1000"},
};
enum {
    SQL_CHAIN,
    SQL_EVENTS,
    SQL_EVENT_HASH,
    SQL_KNOTS,
    SQL_ISSUERS,
    SQL_CERTIFICATES,
    SQL_ISSUED_EVENT,
    SQL_INTENT,
    SQL_REVOCATION,
    SQL_BATCH,
    SQL_ACKNOWLEDGED,
    SQL_CHAIN_ELSEWHERE,
    SQL_RESTORED,
    SQL_KNOT,
    SQL_APPROVALS,
};
const struct store_sql *const ca_audit_sql = sql;
const size_t ca_audit_sql_count = LT_COUNT(sql);

enum { SUBJECT_MAX = 256 };

void ca_audit_finding(struct ca_audit *a, const char *what, const char *subject, const char *format, ...)
{
    char detail[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args); /* cut: for people */
    va_end(args);
    a->counts.findings++;
    a->found(a->self, what, subject, detail);
}

/* The next chain behind `name`, which it replaces; false at the end. */
struct ca_host ca_audit_host(const struct ca_audit *a)
{
    struct ca_host host = a->host;
    if (host.id == 0) {
        ca_host_main(&host);
    }
    return host;
}

static lt_res next_chain(struct ca_audit *a, char name[CA_CHAIN_NAME_MAX], bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_CHAIN], STORE_ARGS(STORE_S(name)), &rows));
    *ret_found = store_next(&rows);
    bool fits = true;
    if (*ret_found) {
        const char *next = store_cstr(&rows, 0);
        fits = strlen(next) < CA_CHAIN_NAME_MAX;
        (void)snprintf(name, CA_CHAIN_NAME_MAX, "%s", next); /* fits is told below */
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(fits, LT_STATE_CORRUPT, "a chain's name is too long");
    return LT_OK;
}

static lt_res check_event(struct ca_audit *a, struct ca_chain *at, const struct store_rows *rows)
{
    struct ca_event_row row = {
        .chain = at->name,
        .sequence = store_int(rows, 0),
        .time = {store_int(rows, 1)},
        .kind = store_bytes(rows, 2),
        .subject = store_bytes(rows, 3),
        .body = store_bytes(rows, 4),
        .attachment = store_bytes(rows, 5),
    };
    char where[SUBJECT_MAX];
    (void)snprintf(where, sizeof where, "%s %lld", at->name, (long long)row.sequence);
    if (row.sequence != at->sequence + 1) {
        ca_audit_finding(a, "event-chain", where, "%lld events are missing before it",
                         (long long)(row.sequence - at->sequence - 1));
    }
    uint8_t hash[CA_HASH_LEN];
    lt_res r = ca_event_hash(&row, at->head, hash);
    lt_slice stored = store_bytes(rows, 6);
    if (lt_failed(r) || !lt_slice_eq(stored, LT_SLICE(hash, sizeof hash))) {
        ca_audit_finding(a, "event-chain", where,
                         "%.*s %.*s: the hash is not that of the event and those before", LT_FMT(row.kind),
                         LT_FMT(row.subject));
    }
    /* Go on from what is stored, so that one change is one finding. */
    at->sequence = row.sequence;
    if (stored.len == CA_HASH_LEN) {
        memcpy(at->head, stored.ptr, CA_HASH_LEN);
    }
    a->counts.events++;
    bool is_jws = row.attachment.len > 0 && row.attachment.ptr[0] == '{';
    return is_jws ? ca_audit_jws(a, where, row.attachment) : LT_OK;
}

static lt_res check_part(struct ca_audit *a, struct ca_chain *at, size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(
        store_query(a->store, &sql[SQL_EVENTS], STORE_ARGS(STORE_S(at->name), STORE_I(at->sequence)), &rows));
    lt_res r = LT_OK;
    while (!lt_failed(r) && store_next(&rows)) {
        r = check_event(a, at, &rows);
        (*ret_count)++;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res ca_audit_events(struct ca_audit *a)
{
    struct ca_chain at = {.sequence = 0};
    bool found = false;
    LT_TRY(next_chain(a, at.name, &found));
    while (found) {
        at.sequence = 0;
        LT_TRY(ca_event_first(at.name, at.head));
        size_t count = 0;
        do {
            LT_TRY(check_part(a, &at, &count));
        } while (count > 0);
        a->counts.chains++;
        LT_TRY(next_chain(a, at.name, &found));
    }
    return LT_OK;
}

static lt_res event_head(struct ca_audit *a, const char *chain, int64_t sequence, lt_slice head,
                         bool *ret_same)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_EVENT_HASH], STORE_ARGS(STORE_S(chain), STORE_I(sequence)), &rows));
    *ret_same = store_next(&rows) && lt_slice_eq(store_bytes(&rows, 0), head);
    return store_rows_end(&rows);
}

static lt_res check_knot(struct ca_audit *a, struct crypto_pub *pub, const char *chain,
                         const struct store_rows *rows)
{
    const struct signer_knot k = {
        .chain = lt_slice_cstr(chain),
        .sequence = (uint64_t)store_int(rows, 1),
        .head = store_bytes(rows, 2),
        .time_us = store_int(rows, 0),
        .journal_sequence = (uint64_t)store_int(rows, 3),
        .journal_head = store_bytes(rows, 4),
    };
    char where[SUBJECT_MAX];
    (void)snprintf(where, sizeof where, "%s %llu", chain, (unsigned long long)k.sequence);
    struct lt_buf text;
    lt_buf_init(&text, 1024);
    signer_knot_statement(&k, &text);
    lt_res r = crypto_pub_verify(pub, CRYPTO_EDDSA, lt_buf_slice(&text), store_bytes(rows, 5));
    lt_buf_done(&text);
    if (lt_failed(r)) {
        ca_audit_finding(a, "knot", where, "the signature is not the audit key's");
    }
    bool same = false;
    LT_TRY(event_head(a, chain, store_int(rows, 1), k.head, &same));
    if (!same) {
        ca_audit_finding(a, "knot", where, "the event it ties is not the one in the book");
    }
    a->counts.knots++;
    return LT_OK;
}

/* A chain lies on the journal of the host that has it. */
static lt_res chain_elsewhere(struct ca_audit *a, const char *chain, bool *ret_elsewhere)
{
    struct store_rows rows;
    struct ca_host host = ca_audit_host(a);
    LT_TRY(store_query(a->store, &sql[SQL_CHAIN_ELSEWHERE], STORE_ARGS(STORE_I(host.id), STORE_S(chain)),
                       &rows));
    *ret_elsewhere = store_next(&rows) && store_int(&rows, 0) > 0;
    return store_rows_end(&rows);
}

static lt_res check_knots_of(struct ca_audit *a, struct crypto_pub *pub, const char *chain)
{
    bool elsewhere = false;
    int64_t after = 0;
    bool more = true;
    while (more) {
        struct store_rows rows;
        more = false;
        LT_TRY(after > 0 ? LT_OK : chain_elsewhere(a, chain, &elsewhere));
        LT_TRY(store_query(a->store, &sql[SQL_KNOTS], STORE_ARGS(STORE_S(chain), STORE_I(after)), &rows));
        lt_res r = LT_OK;
        while (!lt_failed(r) && store_next(&rows)) {
            after = store_int(&rows, 1);
            more = true;
            a->knots_elsewhere += elsewhere;
            r = check_knot(a, pub, chain, &rows);
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res ca_audit_knots(struct ca_audit *a)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    if (a->audit_spki.len == 0) {
        return LT_OK;
    }
    LT_TRY(crypto_pub_new(a->audit_spki, &pub));
    char chain[CA_CHAIN_NAME_MAX] = "";
    bool found = false;
    LT_TRY(next_chain(a, chain, &found));
    while (found) {
        LT_TRY(check_knots_of(a, pub, chain));
        LT_TRY(next_chain(a, chain, &found));
    }
    return LT_OK;
}

static void certificate_subject(const char *issuer, lt_slice serial, char out[SUBJECT_MAX])
{
    struct lt_buf text;
    lt_buf_init(&text, SUBJECT_MAX);
    lt_buf_addf(&text, "certificate %s ", issuer);
    lt_hex_add(&text, serial);
    (void)snprintf(out, SUBJECT_MAX, "%s", lt_buf_cstr(&text)); /* fits: names 63, serials 20 bytes */
    lt_buf_done(&text);
}

static lt_res has_event(struct ca_audit *a, const char *subject, bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_ISSUED_EVENT], STORE_ARGS(STORE_S(subject)), &rows));
    *ret_found = store_next(&rows);
    return store_rows_end(&rows);
}

/* Certificate ::= SEQUENCE { tbs, … }: what was signed must be what was intended. */
static bool holds_tbs(lt_slice der, lt_slice tbs)
{
    for (size_t header = 2; header <= 5 && header + tbs.len <= der.len; header++) {
        if (lt_slice_eq(lt_slice_sub(der, header, tbs.len), tbs)) {
            return true;
        }
    }
    return false;
}

/* The columns that questions and CRLs are answered from, against the bytes. */
static bool fits_der(lt_slice der, const struct store_rows *rows)
{
    enum { ARENA_MAX = 1024 * 1024 };
    struct lt_arena arena;
    struct x509_cert c;
    uint8_t hash[CA_HASH_LEN];
    lt_arena_init(&arena, ARENA_MAX);
    bool fits = !lt_failed(x509_cert_decode(der, &arena, &c));
    if (fits) {
        crypto_sha256(c.spki.der, hash);
        fits = lt_slice_eq(x509_serial_magnitude(c.serial), store_bytes(rows, 0)) &&
               lt_slice_eq(store_bytes(rows, 5), LT_SLICE(hash, sizeof hash)) &&
               lt_time_seconds((lt_time){store_int(rows, 6)}) == lt_time_seconds(c.not_before) &&
               lt_time_seconds((lt_time){store_int(rows, 7)}) == lt_time_seconds(c.not_after);
    }
    lt_arena_done(&arena);
    return fits;
}

/* Of audit.certificates: how it was brought in; the month with which its bytes were dropped. */
enum { COLUMN_FORM = 8, COLUMN_DROPPED = 9 };

static lt_res check_certificate(struct ca_audit *a, const char *issuer, const struct store_rows *rows)
{
    char subject[SUBJECT_MAX];
    certificate_subject(issuer, store_bytes(rows, 0), subject);
    lt_slice der = store_bytes(rows, 2);
    bool imported = !store_is_null(rows, COLUMN_FORM);
    a->counts.certificates++;
    if (imported && lt_slice_eq_cstr(store_bytes(rows, COLUMN_FORM), "row")) {
        return LT_OK; /* a serial number and dates: there is nothing to hold them against */
    }
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(der, hash);
    /* Its time was over; that the month was dropped is held against an event by ca/audit_rows.c. */
    bool dropped = store_is_null(rows, 2) && !store_is_null(rows, COLUMN_DROPPED);
    if (!dropped && !lt_slice_eq(store_bytes(rows, 1), LT_SLICE(hash, sizeof hash))) {
        ca_audit_finding(a, "certificate", subject, "its bytes are missing or not those of its row");
    } else if (!dropped && !fits_der(der, rows)) {
        ca_audit_finding(a, "certificate", subject,
                         "serial, key or validity of its row are not in its bytes");
    }
    if (imported) {
        return LT_OK; /* issued elsewhere: nobody here intended it */
    }
    if (store_is_null(rows, 3)) {
        ca_audit_finding(a, "certificate", subject, "it was never intended");
    } else if ((!dropped && !holds_tbs(der, store_bytes(rows, 3))) ||
               !lt_slice_eq_cstr(store_bytes(rows, 4), "signed")) {
        ca_audit_finding(a, "certificate", subject, "it is not what was intended");
    }
    bool found = false;
    LT_TRY(has_event(a, subject, &found));
    if (!found) {
        ca_audit_finding(a, "certificate", subject, "no event tells of it");
    }
    return LT_OK;
}

static lt_res check_issuer(struct ca_audit *a, int64_t id, const char *name)
{
    uint8_t after[64];
    size_t after_len = 0;
    bool more = true;
    while (more) {
        struct store_rows rows;
        more = false;
        LT_TRY(store_query(a->store, &sql[SQL_CERTIFICATES],
                           STORE_ARGS(STORE_I(id), STORE_B(LT_SLICE(after, after_len))), &rows));
        lt_res r = LT_OK;
        while (!lt_failed(r) && store_next(&rows)) {
            lt_slice serial = lt_slice_sub(store_bytes(&rows, 0), 0, sizeof after);
            memcpy(after, serial.ptr, serial.len);
            after_len = serial.len;
            more = true;
            r = check_certificate(a, name, &rows);
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res ca_audit_certificates(struct ca_audit *a)
{
    struct store_rows rows;
    LT_TRY(store_query(a->store, &sql[SQL_ISSUERS], STORE_NO_ARGS, &rows));
    lt_res r = LT_OK;
    while (!lt_failed(r) && store_next(&rows)) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s", store_cstr(&rows, 1)); /* the registrar refuses longer ones */
        r = check_issuer(a, store_int(&rows, 0), name);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res acknowledged(struct ca_audit *a, uint64_t *ret_sequence)
{
    struct store_rows rows;
    *ret_sequence = 0;
    struct ca_host host = ca_audit_host(a);
    LT_TRY(store_query(a->store, &sql[SQL_ACKNOWLEDGED], STORE_ARGS(STORE_S(host.signer)), &rows));
    if (store_next(&rows)) {
        *ret_sequence = (uint64_t)store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* NULL: all is well; "": not there; else what is wrong. */
static lt_res compare_signature(struct ca_audit *a, const char *issuer, const struct journal_entry *e,
                                const char **ret_wrong)
{
    struct store_rows rows;
    *ret_wrong = "";
    LT_TRY(store_query(a->store, &sql[SQL_INTENT], STORE_ARGS(STORE_S(issuer), STORE_B(e->serial)), &rows));
    if (store_next(&rows)) {
        uint8_t hash[CA_HASH_LEN];
        crypto_sha256(store_bytes(&rows, 0), hash);
        bool same = lt_slice_eq(LT_SLICE(hash, sizeof hash), LT_SLICE(e->digest, sizeof e->digest));
        bool dropped = store_bytes(&rows, 0).len == 0 && !store_is_null(&rows, 2);
        *ret_wrong = NULL;
        if (!same && !dropped) {
            *ret_wrong = "signed over other bytes than the intent's";
        } else if (!lt_slice_eq_cstr(store_bytes(&rows, 1), "signed")) {
            *ret_wrong = "";
        }
    }
    return store_rows_end(&rows);
}

static lt_res compare_revocation(struct ca_audit *a, const char *issuer, const struct journal_entry *e,
                                 const char **ret_wrong)
{
    struct store_rows rows;
    LT_TRY(
        store_query(a->store, &sql[SQL_REVOCATION], STORE_ARGS(STORE_S(issuer), STORE_B(e->serial)), &rows));
    *ret_wrong = store_next(&rows) ? NULL : "";
    a->counts.revocations++;
    return store_rows_end(&rows);
}

/* A batch of a mass revocation: its row has the record and the root. */
static lt_res compare_batch(struct ca_audit *a, const struct journal_entry *e, const char **ret_wrong)
{
    enum { MASS_LEN = 8 };
    uint64_t mass = 0;
    uint64_t batch = 0;
    for (size_t i = 0; i < e->serial.len; i++) {
        uint64_t *n = i < MASS_LEN ? &mass : &batch;
        *n = *n << 8 | e->serial.ptr[i];
    }
    struct store_rows rows;
    LT_TRY(
        store_query(a->store, &sql[SQL_BATCH],
                    STORE_ARGS(STORE_I((int64_t)mass), STORE_I((int64_t)batch), STORE_I((int64_t)e->sequence),
                               STORE_B(LT_SLICE(e->digest, sizeof e->digest)), STORE_I(a->host.shared)),
                    &rows)); /* a batch that two hosts were asked for has the record of one */
    *ret_wrong = store_next(&rows) ? NULL : "";
    a->counts.revocations++;
    return store_rows_end(&rows);
}

/* A record of before the book was put back: lost, or found on CRLs, and told. */
static lt_res was_restored(struct ca_audit *a, const char *issuer, const struct journal_entry *e,
                           bool *ret_told)
{
    enum { MASS_LEN = 8 };
    char subject[SUBJECT_MAX];
    char sequence[SUBJECT_MAX];
    uint64_t mass = 0;
    struct store_rows rows;
    for (size_t i = 0; i < e->serial.len && i < MASS_LEN; i++) {
        mass = mass << 8 | e->serial.ptr[i];
    }
    certificate_subject(issuer, e->serial, subject);
    if (e->what == JOURNAL_REVOCATIONS) {
        (void)snprintf(subject, sizeof subject, "mass m%llu", (unsigned long long)mass);
    }
    (void)snprintf(sequence, sizeof sequence, "\"sequence\":%llu}", (unsigned long long)e->sequence);
    *ret_told = false;
    LT_TRY(store_query(a->store, &sql[SQL_RESTORED], STORE_ARGS(STORE_S(subject)), &rows));
    while (store_next(&rows)) {
        lt_slice body = store_bytes(&rows, 0);
        *ret_told = *ret_told || e->what != JOURNAL_REVOCATIONS ||
                    (body.len > 0 && memmem(body.ptr, body.len, sequence, strlen(sequence)) != NULL);
    }
    return store_rows_end(&rows);
}

/* The knot that this record tied, when the book has it. A knot that was asked for twice is stored once. */
static lt_res compare_knot(struct ca_audit *a, const char *chain, const struct journal_entry *e)
{
    uint64_t sequence = 0;
    for (size_t i = 0; i < e->serial.len; i++) {
        sequence = sequence << 8 | e->serial.ptr[i];
    }
    struct store_rows rows;
    LT_TRY(
        store_query(a->store, &sql[SQL_KNOT], STORE_ARGS(STORE_S(chain), STORE_I((int64_t)sequence)), &rows));
    if (store_next(&rows) && (uint64_t)store_int(&rows, 1) == e->sequence) {
        bool same = lt_slice_eq(store_bytes(&rows, 0), LT_SLICE(e->digest, sizeof e->digest)) &&
                    lt_slice_eq(store_bytes(&rows, 2), LT_SLICE(e->chain, sizeof e->chain));
        a->knots_tied++;
        if (!same) {
            ca_audit_finding(a, "knot", chain, "record %llu of the journal ties another head than knot %llu",
                             (unsigned long long)e->sequence, (unsigned long long)sequence);
        }
    }
    return store_rows_end(&rows);
}

lt_res ca_audit_journal_end(struct ca_audit *a, const struct journal_summary *summary)
{
    uint64_t committed = 0;
    LT_TRY(acknowledged(a, &committed));
    if (summary->last < committed) {
        ca_audit_finding(a, "journal", "signer", "it ends at record %llu, and the book has acknowledged %llu",
                         (unsigned long long)summary->last, (unsigned long long)committed);
    }
    uint64_t knots = a->counts.knots - a->knots_elsewhere;
    if (summary->first <= 1 && a->knots_tied < knots) {
        ca_audit_finding(a, "journal", "signer", "%llu knots of the book do not lie on it",
                         (unsigned long long)(knots - a->knots_tied));
    }
    return LT_OK;
}

lt_res ca_audit_journal_entry(void *self, const struct journal_entry *e)
{
    struct ca_audit *a = self;
    char issuer[JOURNAL_NAME_MAX + 1];
    (void)snprintf(issuer, sizeof issuer, "%.*s", LT_FMT(e->issuer));
    const char *wrong = NULL;
    a->counts.journal_entries++;
    if (e->what == JOURNAL_REVOCATION) {
        LT_TRY(compare_revocation(a, issuer, e, &wrong));
    } else if (e->what == JOURNAL_REVOCATIONS) {
        LT_TRY(compare_batch(a, e, &wrong));
    } else if (e->what == JOURNAL_KNOT) {
        LT_TRY(compare_knot(a, issuer, e));
    } else if (e->what == JOURNAL_SIGNATURE && e->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE) {
        LT_TRY(compare_signature(a, issuer, e, &wrong));
    }
    if (wrong == NULL) {
        return LT_OK;
    }
    uint64_t committed = 0;
    LT_TRY(acknowledged(a, &committed));
    if (wrong[0] == 0 && e->sequence > committed) {
        a->counts.journal_pending++; /* it will be replayed */
        return LT_OK;
    }
    bool told = false;
    LT_TRY(wrong[0] == 0 ? was_restored(a, issuer, e, &told) : LT_OK);
    if (told) {
        return LT_OK;
    }
    char subject[SUBJECT_MAX];
    certificate_subject(issuer, e->serial, subject);
    ca_audit_finding(a, "journal", subject, "record %llu: %s", (unsigned long long)e->sequence,
                     wrong[0] == 0 ? "acknowledged, and not in the book" : wrong);
    return LT_OK;
}

static char *copy(struct lt_arena *arena, lt_slice s)
{
    char *text = lt_arena_cstr(arena, s);
    LT_ASSERT(text != NULL);
    return text;
}

/* Verified as of the moment it was signed: plans expire, approvals stay. */
static lt_res check_approval(struct ca_audit *a, struct lt_arena *arena, const struct store_rows *rows)
{
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    Ipc__Approval approval = IPC__APPROVAL__INIT;
    p.plan_id = copy(arena, store_bytes(rows, 0));
    p.action = copy(arena, store_bytes(rows, 4));
    lt_slice scope = store_bytes(rows, 5);
    p.scope_sha256.data = (uint8_t *)copy(arena, scope);
    p.scope_sha256.len = scope.len;
    p.count = (uint64_t)store_int(rows, 6);
    p.parameters = copy(arena, store_bytes(rows, 7));
    p.expires_us = store_int(rows, 8);
    p.proposer = copy(arena, store_bytes(rows, 9));
    approval.operator_ = copy(arena, store_bytes(rows, 1));
    lt_slice signature = store_bytes(rows, 2);
    approval.signature.data = (uint8_t *)copy(arena, signature);
    approval.signature.len = signature.len;
    approval.signed_us = store_int(rows, 3);
    if (!store_is_null(rows, 10)) {
        ProtobufCAllocator allocator = ipc_arena_allocator(arena);
        lt_slice packed = store_bytes(rows, 10);
        approval.passkey = ipc__passkey_assertion__unpack(&allocator, packed.len, packed.ptr);
        a->counts.passkey_approvals++;
    }
    lt_res r = ca_approval_verify(a->operators, &p, &approval, (lt_time){approval.signed_us});
    if (lt_failed(r)) {
        char subject[SUBJECT_MAX];
        (void)snprintf(subject, sizeof subject, "plan %s", p.plan_id);
        ca_audit_finding(a, "approval", subject, "%s", lt_error_last()->detail);
    }
    a->counts.approvals++;
    return LT_OK;
}

static lt_res check_approvals(struct ca_audit *a, struct lt_arena *arena)
{
    const char *plan = "";
    const char *operator_name = "";
    bool more = true;
    while (more) {
        struct store_rows rows;
        more = false;
        LT_TRY(store_query(a->store, &sql[SQL_APPROVALS], STORE_ARGS(STORE_S(plan), STORE_S(operator_name)),
                           &rows));
        lt_res r = LT_OK;
        while (!lt_failed(r) && store_next(&rows)) {
            plan = copy(arena, store_bytes(&rows, 0));
            operator_name = copy(arena, store_bytes(&rows, 1));
            more = true;
            r = check_approval(a, arena, &rows);
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res ca_audit_approvals(struct ca_audit *a)
{
    enum { APPROVALS_ARENA_MAX = 256 * 1024 * 1024 };
    if (a->operators == NULL) {
        return LT_OK;
    }
    struct lt_arena arena;
    lt_arena_init(&arena, APPROVALS_ARENA_MAX);
    lt_res r = check_approvals(a, &arena);
    lt_arena_done(&arena);
    return r;
}
