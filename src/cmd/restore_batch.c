/* Batches of mass revocations that the signer journaled and the book has not carried out. The journal has how
 * many, why and a Merkle root, not who. Who: the sealed list, where the book is new enough to have it; else
 * what the registrar wrote into the evidence when it sealed the batch; else the published CRLs. What is left
 * is told, and only by a decision of two people does the family start without it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/body.h"
#include "ca/hold_record.h"
#include "ca/mass.h"
#include "ca/mass_members.h"
#include "ca/merkle.h"
#include "ca/revoke.h"
#include "cmd/restore.h"
#include "store/segment.h"

enum { MASS_LEN = 8, BATCH_LEN = 4, COUNT_LEN = 4, SEGMENT_MAX = 1024 * 1024 * 1024 };

enum {
    SQL_BATCH,
    SQL_HOLD,
    SQL_MEMBERS,
    SQL_DONE,
    SQL_MASS,
    SQL_SEGMENT,
    SQL_HELD,
    SQL_HOLD_ADD,
    SQL_HOLD_LIFT
};
static const struct store_sql sql[] = {
    [SQL_BATCH] = {"restore.batch", "SELECT tier, issuer, last, count, root, at, revoked, already, held "
                                    "FROM mass_batch WHERE mass = ?1 AND batch = ?2"},
    [SQL_HOLD] =
        {"restore.batch-hold",
         "UPDATE mass_member SET state = 1 WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
         "serial > ?4 AND serial <= ?5 AND state = 0 AND EXISTS (SELECT 1 FROM revocation_hold h "
         "WHERE h.issuer = mass_member.issuer AND h.serial = mass_member.serial AND h.lifted_us = 0)"},
    [SQL_MEMBERS] = {"restore.batch-members",
                     "SELECT serial FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
                     "serial > ?4 AND serial <= ?5 AND state = 0 ORDER BY serial LIMIT 1000"},
    [SQL_DONE] = {"restore.batch-done",
                  "UPDATE mass_batch SET status = 'done', revoked_us = ?3, sequence = ?4, at = last, "
                  "revoked = revoked + ?5, already = already + ?6, held = held + ?7 "
                  "WHERE mass = ?1 AND batch = ?2"},
    [SQL_MASS] =
        {"restore.batch-mass",
         "UPDATE mass SET revoked = revoked + ?3, already = already + ?4, held = held + ?5, at_batch = "
         "CASE WHEN at_batch = ?2 THEN ?2 + 1 ELSE at_batch END WHERE id = ?1"},
    [SQL_HELD] = {"restore.held", "SELECT 1 FROM revocation_hold WHERE issuer = ?1 AND serial = ?2 AND "
                                  "lifted_us = 0"},
    [SQL_HOLD_ADD] = {"restore.hold-add",
                      "INSERT INTO revocation_hold (issuer, serial, since_us, reason, reference, by_whom, "
                      "lifted_us, lifted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, '') ON CONFLICT DO NOTHING"},
    [SQL_HOLD_LIFT] = {"restore.hold-lift", "UPDATE revocation_hold SET lifted_us = ?3, lifted_by = ?4 "
                                            "WHERE issuer = ?1 AND serial = ?2 AND lifted_us = 0"},
    [SQL_SEGMENT] = {"restore.segment", "SELECT number, length FROM evidence_segment WHERE number >= ?1 AND "
                                        "number <= ?2 ORDER BY number DESC LIMIT 1"},
};

/* A batch of the book. */
struct sealed {
    int64_t tier;
    int64_t issuer;
    int64_t done; /* of its members, before */
    lt_slice last;
    lt_slice at;
    bool there;
};

static uint64_t number(lt_slice bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        n = n << 8 | bytes.ptr[i];
    }
    return n;
}

static lt_res read_batch(struct restore *k, const struct journal_entry *e, struct restore_batch *b)
{
    LT_CHECK(e->serial.len == MASS_LEN + BATCH_LEN && e->signature.len == COUNT_LEN, LT_STATE_CORRUPT,
             "record %llu of the journal is no batch", (unsigned long long)e->sequence);
    *b = (struct restore_batch){
        .mass = number(lt_slice_sub(e->serial, 0, MASS_LEN)),
        .batch = (uint32_t)number(lt_slice_sub(e->serial, MASS_LEN, BATCH_LEN)),
        .count = (uint32_t)number(e->signature),
        .reason = e->reason,
        .revoked_us = e->revoked_us,
        .sequence = e->sequence,
    };
    memcpy(b->root, e->digest, sizeof b->root);
    return restore_issuer_index(k, e->issuer, &b->issuer);
}

static lt_res find_sealed(struct restore *k, const struct restore_batch *b, struct sealed *s)
{
    struct store_rows rows;
    *s = (struct sealed){.tier = 0};
    LT_TRY(store_query(k->store, &sql[SQL_BATCH], STORE_ARGS(STORE_I((int64_t)b->mass), STORE_I(b->batch)),
                       &rows));
    if (store_next(&rows)) {
        s->tier = store_int(&rows, 0);
        s->issuer = store_int(&rows, 1);
        s->last = lt_arena_copy(&k->c->arena, store_bytes(&rows, 2));
        s->at = lt_arena_copy(&k->c->arena, store_bytes(&rows, 5));
        s->done = store_int(&rows, 6) + store_int(&rows, 7) + store_int(&rows, 8);
        s->there = lt_slice_eq(store_bytes(&rows, 4), LT_SLICE(b->root, sizeof b->root)) &&
                   store_int(&rows, 3) == (int64_t)b->count && s->issuer == k->crls.issuers[b->issuer].id &&
                   s->last.ptr != NULL && s->at.ptr != NULL;
    }
    return store_rows_end(&rows);
}

/* What a batch came to, as its row says it. */
struct outcome {
    int64_t revoked;
    int64_t already;
    int64_t held;
};

static lt_res revoke_page(struct restore *k, const struct restore_batch *b, struct sealed *s,
                          struct outcome *o, bool *ret_more)
{
    struct store_rows rows;
    char by[32];
    lt_slice serials[CA_MASS_SLICE];
    size_t count = 0;
    (void)snprintf(by, sizeof by, "mass m%llu", (unsigned long long)b->mass);
    restore_turn(k);
    LT_TRY(store_query(k->store, &sql[SQL_MEMBERS],
                       STORE_ARGS(STORE_I((int64_t)b->mass), STORE_I(s->tier), STORE_I(s->issuer),
                                  STORE_B(s->at), STORE_B(s->last)),
                       &rows));
    while (count < LT_COUNT(serials) && store_next(&rows)) {
        serials[count] = lt_arena_copy(&k->arena, store_bytes(&rows, 0));
        LT_ASSERT(serials[count].ptr != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        const struct restore_revocation r = {b->issuer,     serials[i], b->reason,
                                             b->revoked_us, by,         b->sequence};
        bool changed = false;
        LT_TRY(restore_revoke(k, &r, &changed));
        o->revoked += changed;
        o->already += !changed;
    }
    *ret_more = count == LT_COUNT(serials);
    s->at = count == 0 ? s->last : lt_arena_copy(&k->c->arena, serials[count - 1]);
    LT_CHECK(s->at.ptr != NULL, LT_PEER_TOO_LARGE, "there are too many batches for one run");
    return LT_OK;
}

static lt_res tell(struct restore *k, const struct restore_batch *b, const struct outcome *o,
                   const char *kind)
{
    struct ca_body body;
    restore_turn(k);
    ca_body_init(&body);
    ca_body_int(&body, "batch", b->batch);
    ca_body_str(&body, "issuer", k->crls.issuers[b->issuer].name);
    ca_body_int(&body, "count", b->count);
    ca_body_hex(&body, "root", LT_SLICE(b->root, sizeof b->root));
    ca_body_int(&body, "revoked", o->revoked);
    ca_body_int(&body, "already", o->already);
    ca_body_int(&body, "held", o->held);
    ca_body_str(&body, "reason", ca_reason_name(b->reason));
    ca_body_time(&body, "dated", (lt_time){b->revoked_us});
    ca_body_int(&body, "sequence", (int64_t)b->sequence);
    char *subject = lt_arena_printf(&k->arena, "mass m%llu", (unsigned long long)b->mass);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, &k->turn, kind, subject, LT_SLICE(NULL, 0));
}

/* As the registrar would have done it. */
static lt_res carry_out(struct restore *k, const struct restore_batch *b, struct sealed *s)
{
    struct outcome o = {0};
    bool more = true;
    LT_TRY(store_exec(k->store, &sql[SQL_HOLD],
                      STORE_ARGS(STORE_I((int64_t)b->mass), STORE_I(s->tier), STORE_I(s->issuer),
                                 STORE_B(s->at), STORE_B(s->last)),
                      &o.held));
    while (more) {
        LT_TRY(revoke_page(k, b, s, &o, &more));
    }
    LT_TRY(store_exec(k->store, &sql[SQL_DONE],
                      STORE_ARGS(STORE_I((int64_t)b->mass), STORE_I(b->batch), STORE_I(b->revoked_us),
                                 STORE_I((int64_t)b->sequence), STORE_I(o.revoked), STORE_I(o.already),
                                 STORE_I(o.held)),
                      NULL));
    LT_TRY(store_exec(k->store, &sql[SQL_MASS],
                      STORE_ARGS(STORE_I((int64_t)b->mass), STORE_I(b->batch), STORE_I(o.revoked),
                                 STORE_I(o.already), STORE_I(o.held)),
                      NULL));
    k->batch_members += (uint64_t)o.revoked;
    return tell(k, b, &o, "certificates.revoked");
}

static void remember(struct restore *k, const struct restore_batch *b)
{
    if (k->unknown_count == k->unknown_size) {
        k->unknown_size = k->unknown_size == 0 ? 64 : k->unknown_size * 2;
        k->unknown = realloc(k->unknown, k->unknown_size * sizeof *k->unknown);
        LT_ASSERT(k->unknown != NULL);
    }
    k->unknown[k->unknown_count++] = *b;
}

lt_res restore_take_batch(struct restore *k, const struct journal_entry *e)
{
    struct restore_batch b;
    struct sealed s;
    LT_TRY(read_batch(k, e, &b));
    LT_TRY(find_sealed(k, &b, &s));
    k->batches++;
    if (!s.there) {
        remember(k, &b);
        return LT_OK;
    }
    return carry_out(k, &b, &s);
}

/* ---- batches of a list that is younger than the book: by the evidence ---- */

static struct restore_batch *find_unknown(struct restore *k, const struct ca_mass_members *m)
{
    for (size_t i = 0; i < k->unknown_count; i++) {
        struct restore_batch *b = &k->unknown[i];
        if (!b->found && b->mass == m->mass && b->batch == m->batch && b->count == m->count &&
            lt_slice_eq_cstr(m->issuer, k->crls.issuers[b->issuer].name)) {
            return b;
        }
    }
    return NULL;
}

/* The root that the signer journaled is over exactly these. */
static bool proven(const struct ca_mass_members *m, const struct restore_batch *b)
{
    struct ca_merkle tree;
    uint8_t root[CA_HASH_LEN];
    lt_slice rest = m->serials;
    lt_slice serial;
    ca_merkle_init(&tree);
    while (ca_mass_members_next(&rest, &serial)) {
        ca_merkle_add(&tree, serial);
    }
    ca_merkle_root(&tree, root);
    return memcmp(root, b->root, sizeof root) == 0;
}

static lt_res is_held(struct restore *k, int64_t issuer, lt_slice serial, bool *ret_held)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_HELD], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    *ret_held = store_next(&rows);
    return store_rows_end(&rows);
}

static lt_res revoke_members(struct restore *k, const struct ca_mass_members *m, struct restore_batch *b)
{
    struct outcome o = {0};
    lt_slice rest = m->serials;
    lt_slice serial;
    while (ca_mass_members_next(&rest, &serial)) {
        bool held = false;
        LT_TRY(is_held(k, k->crls.issuers[b->issuer].id, serial, &held));
        o.held += held;
        if (held) {
            continue;
        }
        const struct restore_revocation r = {b->issuer,     serial,    b->reason,
                                             b->revoked_us, "journal", b->sequence};
        bool changed = false;
        restore_turn(k);
        LT_TRY(restore_revoke(k, &r, &changed));
        o.revoked += changed;
        o.already += !changed;
    }
    b->found = true;
    k->batch_members += (uint64_t)o.revoked;
    return tell(k, b, &o, "restore.sealed");
}

static lt_res take_members(struct restore *k, lt_slice plain)
{
    struct ca_mass_members m;
    if (!ca_mass_members_is(plain) || lt_failed(ca_mass_members_read(plain, &m))) {
        return LT_OK;
    }
    struct restore_batch *b = find_unknown(k, &m);
    return b != NULL && proven(&m, b) ? revoke_members(k, &m, b) : LT_OK;
}

/* Orders of courts that came since: what they protect stays as it is. */
static lt_res take_hold(struct restore *k, lt_slice plain)
{
    struct ca_hold_record h;
    size_t issuer = 0;
    if (!ca_hold_record_is(plain) || lt_failed(ca_hold_record_read(plain, &h)) ||
        lt_failed(restore_issuer_index(k, h.issuer, &issuer))) {
        return LT_OK;
    }
    const struct store_value id = STORE_I(k->crls.issuers[issuer].id);
    k->holds++;
    if (h.lifted) {
        return store_exec(k->store, &sql[SQL_HOLD_LIFT],
                          STORE_ARGS(id, STORE_B(h.serial), STORE_I(h.at_us), STORE_T(h.by_whom)), NULL);
    }
    return store_exec(k->store, &sql[SQL_HOLD_ADD],
                      STORE_ARGS(id, STORE_B(h.serial), STORE_I(h.at_us), STORE_T(h.reason),
                                 STORE_T(h.reference), STORE_T(h.by_whom)),
                      NULL);
}

typedef lt_res take_plain(struct restore *k, lt_slice plain);

static lt_res take_frame(struct restore *k, lt_slice frame, const struct store_frame_ref *ref,
                         take_plain *take)
{
    struct lt_arena a;
    lt_slice plain;
    lt_arena_init(&a, 2 * (size_t)STORE_FRAME_PLAIN_MAX);
    lt_res r = store_frame_read(frame, ref->sha256, &a, &plain);
    r = lt_failed(r) ? r : take(k, plain);
    struct lt_error why = *lt_error_last();
    lt_arena_done(&a);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

/* Frames behind what the book names; a torn end is nobody's. */
static lt_res read_tail(struct restore *k, const char *path, uint64_t from, take_plain *take)
{
    struct lt_arena a;
    lt_slice bytes = {0};
    struct store_frame_ref ref = {0};
    lt_arena_init(&a, SEGMENT_MAX);
    lt_res r = lt_file_read(&a, k->dir, path, SEGMENT_MAX / 2, &bytes);
    bytes = lt_slice_sub(bytes, from < bytes.len ? (size_t)from : bytes.len, SIZE_MAX);
    while (!lt_failed(r) && bytes.len > 0 && !lt_failed(store_frame_check(bytes, &ref))) {
        r = take_frame(k, lt_slice_sub(bytes, 0, ref.length), &ref, take);
        bytes = lt_slice_sub(bytes, ref.length, SIZE_MAX);
    }
    struct lt_error why = *lt_error_last();
    lt_arena_done(&a);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

static lt_res read_tails(struct restore *k, take_plain *take)
{
    uint32_t first = 0;
    uint32_t last = 0;
    uint64_t from = STORE_SEGMENT_HEADER_LEN;
    struct store_rows rows;
    ca_host_segments(&k->host, &first, &last);
    LT_TRY(store_query(k->store, &sql[SQL_SEGMENT], STORE_ARGS(STORE_I(first), STORE_I(last)), &rows));
    if (store_next(&rows)) {
        first = (uint32_t)store_int(&rows, 0);
        from = (uint64_t)store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    for (uint32_t n = first; n <= last; n++) {
        char name[STORE_SEGMENT_NAME_SIZE];
        char path[64];
        store_segment_name(n, name);
        (void)snprintf(path, sizeof path, "evidence/%s", name);
        if (faccessat(k->dir, path, F_OK, 0) != 0) {
            return LT_OK; /* they have no gaps */
        }
        LT_TRY(read_tail(k, path, from, take));
        from = STORE_SEGMENT_HEADER_LEN;
    }
    return LT_OK;
}

lt_res restore_read_sealed(struct restore *k)
{
    return k->unknown_count == 0 ? LT_OK : read_tails(k, take_members);
}

lt_res restore_read_holds(struct restore *k)
{
    return read_tails(k, take_hold);
}

/* ---- and by the published CRLs ---- */

static bool same_entries(const struct restore_batch *a, const struct restore_batch *b)
{
    return a->issuer == b->issuer && a->reason == b->reason &&
           a->revoked_us / LT_US_PER_SECOND == b->revoked_us / LT_US_PER_SECOND;
}

/* Entries of published CRLs with that reason and date, and nothing else explains them: what the book had, the
 * journal one by one, or the evidence of another batch, is no member of this one. */
static uint64_t published(const struct restore *k, const struct restore_batch *b)
{
    uint64_t n = 0;
    for (size_t i = 0; i < k->crls.entry_count; i++) {
        const struct restore_entry *e = &k->crls.entries[i];
        n += e->unknown && e->issuer == b->issuer && e->reason == b->reason &&
             e->revoked_us / LT_US_PER_SECOND == b->revoked_us / LT_US_PER_SECOND;
    }
    return n;
}

/* Batches of one second look alike on a CRL: they are counted together. Each is told by itself. */
static lt_res count_alike(struct restore *k, size_t first)
{
    uint64_t left = published(k, &k->unknown[first]);
    for (size_t i = first; i < k->unknown_count; i++) {
        struct restore_batch *b = &k->unknown[i];
        if (b->found || !same_entries(b, &k->unknown[first])) {
            continue;
        }
        uint64_t there = left < b->count ? left : b->count;
        const struct outcome o = {.revoked = (int64_t)there};
        left -= there;
        k->missing += b->count - there;
        b->found = true;
        LT_TRY(tell(k, b, &o, there == b->count ? "restore.published" : "restore.missing"));
    }
    return LT_OK;
}

lt_res restore_count_missing(struct restore *k)
{
    for (size_t i = 0; i < k->unknown_count; i++) {
        if (!k->unknown[i].found) {
            LT_TRY(count_alike(k, i));
        }
    }
    return LT_OK;
}
