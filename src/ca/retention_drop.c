/* Dropping, slice by slice: a page of records goes into the hash, then out of the book, and how far it is
 * comes with it in one transaction. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/body.h"
#include "ca/event.h"
#include "ca/retention.h"
#include "crypto/digest.h"
#include "store/segment.h"

enum {
    SQL_STATE,
    SQL_BEGIN,
    SQL_MOVE,
    SQL_LOWEST_SEGMENT,
    SQL_NEXT_SEGMENT,
    SQL_PAGE_ORDERS,
    SQL_ORDER_AUTHORIZATIONS,
    SQL_ORDER_WAIT,
    SQL_ORDER_CAA,
    SQL_ORDER_ENROLMENT,
    SQL_ORDER,
    SQL_PAGE_AUTHORIZATIONS,
    SQL_CHALLENGES,
    SQL_LETTERS,
    SQL_LOOKUPS,
    SQL_AUTHORIZATION_ORDERS,
    SQL_AUTHORIZATION,
    SQL_PAGE_EVIDENCE,
    SQL_EVIDENCE,
    SQL_PAGE_SEGMENTS,
    SQL_FRAMES,
    SQL_SEGMENT,
    SQL_PAGE_CERTIFICATES,
    SQL_DER,
    SQL_INTENT,
};
static const struct store_sql sql[] = {
    [SQL_STATE] = {"retention.state", "SELECT status, at, dropped, sha256 FROM retention "
                                      "WHERE month = ?1 AND kind = ?2"},
    [SQL_BEGIN] = {"retention.begin",
                   "INSERT INTO retention (month, kind, status, from_us, to_us, duty, kept_until_us, at, "
                   "dropped, sha256, began_us, ended_us) VALUES (?1, ?2, 'dropping', ?3, ?4, ?5, ?6, ?7, 0, "
                   "?8, ?9, 0)"},
    [SQL_MOVE] = {"retention.move", "UPDATE retention SET status = ?3, at = ?4, dropped = ?5, sha256 = ?6, "
                                    "ended_us = ?7 WHERE month = ?1 AND kind = ?2"},
    [SQL_LOWEST_SEGMENT] = {"retention.segment-lowest",
                            "SELECT number FROM evidence_segment WHERE number >= ?1 AND number <= ?2 "
                            "ORDER BY number LIMIT 1"},
    [SQL_NEXT_SEGMENT] = {"retention.segment-next",
                          "SELECT created_us FROM evidence_segment WHERE number = ?1"},
    [SQL_PAGE_ORDERS] = {"retention.orders",
                         "SELECT id, account, status, profile, identifiers, name_set_sha256, replaces, "
                         "error, created_us, expires_us, certificate_issuer, certificate_serial "
                         "FROM ca_order WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 250"},
    [SQL_ORDER_AUTHORIZATIONS] = {"retention.order-authorizations",
                                  "DELETE FROM order_authorization WHERE order_id = ?1"},
    [SQL_ORDER_WAIT] = {"retention.order-wait", "DELETE FROM order_wait WHERE order_id = ?1"},
    [SQL_ORDER_CAA] = {"retention.order-caa", "DELETE FROM caa_check WHERE order_id = ?1"},
    [SQL_ORDER_ENROLMENT] = {"retention.order-enrolment", "DELETE FROM enrolment WHERE order_id = ?1"},
    [SQL_ORDER] = {"retention.order", "DELETE FROM ca_order WHERE id = ?1"},
    [SQL_PAGE_AUTHORIZATIONS] = {"retention.authorizations",
                                 "SELECT id, account, identifier_type, identifier, wildcard, status, "
                                 "created_us, expires_us, validated_us FROM authorization "
                                 "WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 250"},
    [SQL_CHALLENGES] = {"retention.challenges", "DELETE FROM challenge WHERE authorization_id = ?1"},
    [SQL_LETTERS] = {"retention.letters", "DELETE FROM mail WHERE authorization_id = ?1"},
    [SQL_LOOKUPS] = {"retention.lookups", "DELETE FROM mail_lookup WHERE authorization_id = ?1"},
    [SQL_AUTHORIZATION_ORDERS] = {"retention.authorization-orders",
                                  "DELETE FROM order_authorization WHERE authorization_id = ?1"},
    [SQL_AUTHORIZATION] = {"retention.authorization", "DELETE FROM authorization WHERE id = ?1"},
    [SQL_PAGE_EVIDENCE] = {"retention.evidence",
                           "SELECT authorization_id, checked_us, identifier_type, identifier, statement, "
                           "segment, position, length, sha256 FROM evidence WHERE authorization_id >= ?1 AND "
                           "authorization_id < ?2 AND (segment <> 0 OR statement <> '') "
                           "ORDER BY authorization_id, checked_us LIMIT 250"},
    [SQL_EVIDENCE] = {"retention.evidence-row",
                      "UPDATE evidence SET statement = '', segment = 0, position = 0, length = 0, "
                      "sha256 = ?3 WHERE authorization_id = ?1 AND checked_us = ?2"},
    [SQL_PAGE_SEGMENTS] = {"retention.segments",
                           "SELECT number, length, created_us FROM evidence_segment WHERE "
                           "created_us >= ?1 AND created_us < ?2 ORDER BY created_us, number LIMIT 250"},
    [SQL_FRAMES] = {"retention.frames", "DELETE FROM evidence_frame WHERE segment = ?1"},
    [SQL_SEGMENT] = {"retention.segment", "DELETE FROM evidence_segment WHERE number = ?1"},
    [SQL_PAGE_CERTIFICATES] =
        {"retention.certificates",
         "SELECT c.issued_us, c.issuer, c.serial, c.copy, c.sha256 FROM certificate c JOIN certificate_der d "
         "ON d.issuer = c.issuer AND d.serial = c.serial AND d.copy = c.copy WHERE c.issued_us >= ?1 AND "
         "c.issued_us < ?2 AND NOT EXISTS (SELECT 1 FROM issuer i WHERE i.spki_sha256 = c.spki_sha256) "
         "ORDER BY c.issued_us, c.issuer, c.serial, c.copy LIMIT 250"},
    [SQL_DER] = {"retention.der",
                 "DELETE FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND copy = ?3"},
    [SQL_INTENT] = {"retention.intent",
                    "UPDATE intent SET tbs = ?3, request = ?3 WHERE issuer = ?1 AND serial = ?2"},
};
const struct store_sql *const ca_retention_drop_sql = sql;
const size_t ca_retention_drop_sql_count = LT_COUNT(sql);

enum { KEYS = 4 };

/* What is needed of a row once the page is closed. */
struct record {
    int64_t key[KEYS]; /* the first columns, as numbers */
    lt_slice serial;   /* third column of a certificate */
    uint8_t sha256[CA_HASH_LEN];
    bool stays; /* a segment whose frames somebody may still need */
};

struct slice {
    struct ca_turn *t;
    struct ca_retention_part *p;
    uint8_t root[CA_HASH_LEN]; /* over everything dropped so far */
    struct record *records;    /* of the turn's arena */
    size_t count;
};

/* ---- hashes ---- */

/* Type, length, bytes of each column: no two rows give the same. */
static void hash_row(const struct store_rows *rows, int columns, uint8_t ret_hash[CA_HASH_LEN])
{
    struct crypto_stream h;
    crypto_stream_init(&h, CRYPTO_SHA256);
    for (int i = 0; i < columns; i++) {
        enum store_type type = store_type(rows, i);
        lt_slice bytes = type == STORE_INT || type == STORE_NULL ? LT_LIT("") : store_bytes(rows, i);
        uint64_t n = type == STORE_INT ? (uint64_t)store_int(rows, i) : bytes.len;
        uint8_t head[9] = {(uint8_t)type};
        for (int b = 0; b < 8; b++) {
            head[1 + b] = (uint8_t)(n >> (56 - 8 * b));
        }
        crypto_stream_add(&h, LT_SLICE(head, sizeof head));
        crypto_stream_add(&h, bytes);
    }
    crypto_stream_finish(&h, ret_hash);
    crypto_stream_done(&h);
}

static void add_to_root(struct slice *s, const uint8_t hash[CA_HASH_LEN])
{
    uint8_t both[2 * CA_HASH_LEN];
    memcpy(both, s->root, CA_HASH_LEN);
    memcpy(both + CA_HASH_LEN, hash, CA_HASH_LEN);
    crypto_sha256(LT_SLICE(both, sizeof both), s->root);
}

/* ---- a page of each kind ---- */

static lt_res no_more_to_take(struct slice *s, const struct store_rows *rows, struct record *r)
{
    (void)s;
    (void)rows;
    (void)r;
    return LT_OK;
}

/* Of the first version, its statement has no hash of its own: it gets one. */
static lt_res take_evidence(struct slice *s, const struct store_rows *rows, struct record *r)
{
    (void)s;
    if (store_bytes(rows, 8).len == CA_HASH_LEN) {
        memcpy(r->sha256, store_bytes(rows, 8).ptr, CA_HASH_LEN);
    } else {
        crypto_sha256(store_bytes(rows, 4), r->sha256);
    }
    return LT_OK;
}

static lt_res take_certificate(struct slice *s, const struct store_rows *rows, struct record *r)
{
    r->serial = lt_arena_copy(s->t->arena, store_bytes(rows, 2));
    LT_CHECK(r->serial.ptr != NULL, LT_PEER_TOO_LARGE, "a slice is over the memory limit");
    return LT_OK;
}

static lt_res exec_id(struct ca_turn *t, const size_t *statements, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        LT_TRY(store_exec(t->store, &sql[statements[i]], STORE_ARGS(STORE_I(id)), NULL));
    }
    return LT_OK;
}

static lt_res drop_order(struct slice *s, const struct record *r)
{
    static const size_t all[] = {SQL_ORDER_AUTHORIZATIONS, SQL_ORDER_WAIT, SQL_ORDER_CAA, SQL_ORDER_ENROLMENT,
                                 SQL_ORDER};
    return exec_id(s->t, all, LT_COUNT(all), r->key[0]);
}

static lt_res drop_authorization(struct slice *s, const struct record *r)
{
    static const size_t all[] = {SQL_CHALLENGES, SQL_LETTERS, SQL_LOOKUPS, SQL_AUTHORIZATION_ORDERS,
                                 SQL_AUTHORIZATION};
    return exec_id(s->t, all, LT_COUNT(all), r->key[0]);
}

static lt_res drop_evidence(struct slice *s, const struct record *r)
{
    return store_exec(
        s->t->store, &sql[SQL_EVIDENCE],
        STORE_ARGS(STORE_I(r->key[0]), STORE_I(r->key[1]), STORE_B(LT_SLICE(r->sha256, sizeof r->sha256))),
        NULL);
}

static lt_res drop_segment(struct slice *s, const struct record *r)
{
    static const size_t all[] = {SQL_FRAMES, SQL_SEGMENT};
    return exec_id(s->t, all, LT_COUNT(all), r->key[0]);
}

static lt_res drop_certificate(struct slice *s, const struct record *r)
{
    const struct store_value issuer = STORE_I(r->key[1]);
    const struct store_value serial = STORE_B(r->serial);
    LT_TRY(store_exec(s->t->store, &sql[SQL_DER], STORE_ARGS(issuer, serial, STORE_I(r->key[3])), NULL));
    return store_exec(s->t->store, &sql[SQL_INTENT], STORE_ARGS(issuer, serial, STORE_B(LT_LIT(""))), NULL);
}

/* The first two columns of each page are numbers; of certificates the fourth as well. */
static const struct {
    size_t page;
    int columns;
    bool by_time; /* the page's range is of times, not ids */
    int at;       /* column that the next page begins at */
    lt_res (*take)(struct slice *s, const struct store_rows *rows, struct record *r);
    lt_res (*drop)(struct slice *s, const struct record *r);
} kinds[CA_RETENTION_KINDS] = {
    [CA_RETENTION_ORDERS] = {SQL_PAGE_ORDERS, 12, false, 0, no_more_to_take, drop_order},
    [CA_RETENTION_AUTHORIZATIONS] = {SQL_PAGE_AUTHORIZATIONS, 9, false, 0, no_more_to_take,
                                     drop_authorization},
    [CA_RETENTION_EVIDENCE] = {SQL_PAGE_EVIDENCE, 9, false, 0, take_evidence, drop_evidence},
    [CA_RETENTION_SEGMENTS] = {SQL_PAGE_SEGMENTS, 3, true, 2, no_more_to_take, drop_segment},
    [CA_RETENTION_CERTIFICATES] = {SQL_PAGE_CERTIFICATES, 5, true, 0, take_certificate, drop_certificate},
};

/* Frames of a segment were written before the next one was begun. The newest of a host stays. */
static lt_res needed_still(struct slice *s, struct record *r)
{
    struct store_rows rows;
    LT_TRY(store_query(s->t->store, &sql[SQL_NEXT_SEGMENT], STORE_ARGS(STORE_I(r->key[0] + 1)), &rows));
    r->stays = !store_next(&rows) || store_int(&rows, 0) > s->p->evidence_to.us;
    return store_rows_end(&rows);
}

static lt_res read_page(struct slice *s)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    int64_t to = kinds[s->p->kind].by_time ? s->p->to.us : ca_id_from(s->p->to);
    s->records = LT_NEW_ARRAY(s->t->arena, struct record, CA_RETENTION_SLICE);
    LT_CHECK(s->records != NULL, LT_PEER_TOO_LARGE, "a slice is over the memory limit");
    LT_TRY(store_query(s->t->store, &sql[kinds[s->p->kind].page], STORE_ARGS(STORE_I(s->p->at), STORE_I(to)),
                       &rows));
    while (!lt_failed(r) && s->count < CA_RETENTION_SLICE && store_next(&rows)) {
        struct record *of = &s->records[s->count++];
        for (int i = 0; i < KEYS && i < kinds[s->p->kind].columns; i++) {
            of->key[i] = store_type(&rows, i) == STORE_INT ? store_int(&rows, i) : 0;
        }
        hash_row(&rows, kinds[s->p->kind].columns, of->sha256);
        if (s->p->kind != CA_RETENTION_SEGMENTS) {
            add_to_root(s, of->sha256);
        }
        r = kinds[s->p->kind].take(s, &rows, of);
    }
    lt_res end = store_rows_end(&rows);
    return lt_failed(r) ? r : end;
}

static lt_res drop_page(struct slice *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct record *r = &s->records[i];
        LT_TRY(s->p->kind == CA_RETENTION_SEGMENTS ? needed_still(s, r) : LT_OK);
        s->p->at = r->stays ? s->p->at : r->key[kinds[s->p->kind].at];
        if (!r->stays && s->p->kind == CA_RETENTION_SEGMENTS) {
            add_to_root(s, r->sha256);
        }
        LT_TRY(r->stays ? LT_OK : kinds[s->p->kind].drop(s, r));
        s->p->count += !r->stays;
    }
    return LT_OK;
}

/* ---- a slice ---- */

/* As the book has it, which a slice before this one may have left. */
static lt_res load(struct slice *s, bool *ret_begun)
{
    struct store_rows rows;
    LT_TRY(store_query(s->t->store, &sql[SQL_STATE],
                       STORE_ARGS(STORE_I(s->p->month), STORE_S(ca_retention_kind_name(s->p->kind))), &rows));
    *ret_begun = store_next(&rows);
    if (*ret_begun) {
        s->p->dropped = lt_slice_eq_cstr(store_bytes(&rows, 0), "dropped");
        s->p->at = store_int(&rows, 1);
        s->p->count = store_int(&rows, 2);
        if (store_bytes(&rows, 3).len == sizeof s->root) {
            memcpy(s->root, store_bytes(&rows, 3).ptr, sizeof s->root);
        }
    }
    return store_rows_end(&rows);
}

static lt_res begin(struct slice *s)
{
    const struct ca_retention_part *p = s->p;
    s->p->at = kinds[p->kind].by_time ? p->from.us : ca_id_from(p->from);
    s->p->count = 0;
    return store_exec(s->t->store, &sql[SQL_BEGIN],
                      STORE_ARGS(STORE_I(p->month), STORE_S(ca_retention_kind_name(p->kind)),
                                 STORE_I(p->from.us), STORE_I(p->to.us), STORE_S(p->duty),
                                 STORE_I(p->kept_until.us), STORE_I(p->at),
                                 STORE_B(LT_SLICE(s->root, sizeof s->root)), STORE_I(s->t->now.us)),
                      NULL);
}

static lt_res tell(struct slice *s)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "month", s->p->month);
    ca_body_str(&b, "kind", ca_retention_kind_name(s->p->kind));
    ca_body_int(&b, "dropped", s->p->count);
    ca_body_hex(&b, "sha256", LT_SLICE(s->root, sizeof s->root));
    ca_body_str(&b, "duty", s->p->duty);
    ca_body_time(&b, "kept_until", s->p->kept_until);
    char *subject = lt_arena_printf(s->t->arena, "retention %s %lld", ca_retention_kind_name(s->p->kind),
                                    (long long)s->p->month);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "a slice is over the memory limit");
    return ca_body_event(&b, s->t, "retention.dropped", subject, LT_SLICE(NULL, 0));
}

static lt_res move(struct slice *s, bool ended)
{
    return store_exec(s->t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(s->p->month), STORE_S(ca_retention_kind_name(s->p->kind)),
                                 STORE_S(ended ? "dropped" : "dropping"), STORE_I(s->p->at),
                                 STORE_I(s->p->count), STORE_B(LT_SLICE(s->root, sizeof s->root)),
                                 STORE_I(ended ? s->t->now.us : 0)),
                      NULL);
}

/* Segments that stay for a while keep their month open, and what comes after them waits for another run. */
static bool left_over(const struct slice *s)
{
    size_t left = 0;
    for (size_t i = 0; i < s->count; i++) {
        left += s->records[i].stays;
    }
    return left > 0;
}

lt_res ca_retention_slice(struct ca_turn *t, struct ca_retention_part *p, bool *ret_more)
{
    struct slice s = {.t = t, .p = p};
    bool begun = false;
    *ret_more = false;
    LT_CHECK(p->due, LT_POLICY_REFUSED, "%s of %lld are to be kept (%s)", ca_retention_kind_name(p->kind),
             (long long)p->month, p->duty);
    LT_TRY(load(&s, &begun));
    if (p->dropped) {
        return LT_OK;
    }
    LT_TRY(begun ? LT_OK : begin(&s));
    LT_TRY(read_page(&s));
    LT_TRY(drop_page(&s));
    bool full = s.count == CA_RETENTION_SLICE;
    bool ended = !full && !left_over(&s);
    LT_TRY(move(&s, ended));
    p->dropped = ended;
    p->dropping = !ended;
    *ret_more = full && !left_over(&s);
    return ended && p->count > 0 ? tell(&s) : LT_OK;
}

/* ---- files ---- */

static lt_res lowest(struct store *s, uint32_t first, uint32_t last, int64_t *ret_number)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_LOWEST_SEGMENT], STORE_ARGS(STORE_I(first), STORE_I(last)), &rows));
    *ret_number = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res remove_below(int folder, uint32_t first, int64_t number, uint64_t *ret_files)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    lt_res r = LT_OK;
    LT_CHECK(dir != NULL, LT_STATE_IO, "the folder of evidence: %s", strerror(errno));
    while (!lt_failed(r) && (e = readdir(dir)) != NULL) {
        char own[STORE_SEGMENT_NAME_SIZE];
        unsigned long n = strtoul(e->d_name, NULL, 10);
        if (n < first || n > STORE_SEGMENT_NUMBER_MAX || (int64_t)n >= number) {
            continue;
        }
        store_segment_name((uint32_t)n, own);
        if (strcmp(own, e->d_name) != 0) {
            continue;
        }
        if (unlinkat(folder, e->d_name, 0) != 0) {
            r = lt_fail(LT_STATE_IO, __FILE__, __LINE__, "evidence/%s: %s", own, strerror(errno));
        }
        (*ret_files)++;
    }
    (void)closedir(dir); /* was only read */
    return r;
}

/* Below the lowest that the book names: those were dropped, and nobody asks for them. What a book that was
 * put back does not name yet lies above. */
lt_res ca_retention_sweep(struct store *s, const struct ca_host *host, const char *evidence_folder,
                          uint64_t *ret_files)
{
    int64_t number = 0;
    uint32_t first = 0;
    uint32_t last = 0;
    *ret_files = 0;
    ca_host_segments(host, &first, &last);
    LT_TRY(lowest(s, first, last, &number));
    if (number == 0) {
        return LT_OK;
    }
    LT_CLEANUP(lt_fd_closep) int folder = open(evidence_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(folder >= 0 || errno == ENOENT, LT_STATE_IO, "%.150s: %s", evidence_folder, strerror(errno));
    return folder < 0 ? LT_OK : remove_below(folder, first, number, ret_files);
}
