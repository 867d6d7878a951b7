/* Running: batches go to the signer's journal, and from there into the book, slice by slice. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/crl_book.h"
#include "ca/key_block.h"
#include "ca/mass_internal.h"
#include "ca/revoke.h"
#include "ca/tally.h"

#define BATCH_COLUMNS                                                                                  \
    "mass, batch, tier, issuer, first, last, count, root, status, revoked_us, sequence, at, revoked, " \
    "already, held"
/* Members of a slice: mass, tier, issuer, behind ?4 up to ?5. */
#define SLICE_OF_M "m.mass = ?1 AND m.tier = ?2 AND m.issuer = ?3 AND m.serial > ?4 AND m.serial <= ?5"
/* CROSS JOIN keeps SQLite's order: members first. */
#define CERTIFICATE_OF_M \
    "CROSS JOIN certificate c ON c.issuer = m.issuer AND c.serial = m.serial AND c.copy = 0 "
#define ENTRIES                                                                                      \
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, " \
    "by_whom, sequence) "                                                                            \
    "SELECT m.issuer, c.shard, m.serial, ?6, ?7, ?8, c.not_after_us, ?9, ?10 FROM mass_member "      \
    "m " CERTIFICATE_OF_M "WHERE " SLICE_OF_M " AND m.state = 0 ON CONFLICT (issuer, shard, serial) "

static const struct store_sql sql[] = {
    {"mass.batch", "SELECT " BATCH_COLUMNS " FROM mass_batch WHERE mass = ?1 AND batch = ?2"},
    {"mass.batches-open", "SELECT " BATCH_COLUMNS " FROM mass_batch "
                          "WHERE status = 'asked' OR status = 'recorded' ORDER BY mass, batch LIMIT 16"},
    {"mass.batch-ask", "UPDATE mass_batch SET status = 'asked', revoked_us = ?3 "
                       "WHERE mass = ?1 AND batch = ?2 AND status = 'sealed'"},
    {"mass.batch-recorded", "UPDATE mass_batch SET status = 'recorded', sequence = ?3, revoked_us = ?4 "
                            "WHERE mass = ?1 AND batch = ?2 AND (status = 'asked' OR status = 'sealed')"},
    {"mass.batch-refused", "UPDATE mass_batch SET status = 'sealed' "
                           "WHERE mass = ?1 AND batch = ?2 AND status = 'asked'"},
    {"mass.slice-end", "SELECT serial FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
                       "serial > ?4 AND serial <= ?5 ORDER BY serial LIMIT 1 OFFSET ?6"},
    {"mass.slice-hold",
     "UPDATE mass_member SET state = 1 WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND serial > ?4 AND "
     "serial <= ?5 AND EXISTS (SELECT 1 FROM revocation_hold h WHERE h.issuer = mass_member.issuer AND "
     "h.serial = mass_member.serial AND h.lifted_us = 0)"},
    {"mass.any-hold", "SELECT 1 FROM revocation_hold WHERE lifted_us = 0 AND issuer = ?1 LIMIT 1"},
    {"mass.slice", ENTRIES "DO NOTHING"},
    /*= CABF-BR 7.2.2 "the CA SHOULD update the CRL entry to enter keyCompromise as the CRLReason in the
     *  reasonCode extension" */
    {"mass.slice-compromise",
     ENTRIES "DO UPDATE SET reason = excluded.reason, recorded_us = excluded.recorded_us, "
             "by_whom = excluded.by_whom, sequence = excluded.sequence, "
             "revoked_us = CASE WHEN excluded.revoked_us < revocation.revoked_us THEN excluded.revoked_us "
             "ELSE revocation.revoked_us END WHERE revocation.reason <> excluded.reason"},
    {"mass.slice-already",
     "SELECT count(*) FROM mass_member m " CERTIFICATE_OF_M
     "CROSS JOIN revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial "
     "WHERE " SLICE_OF_M " AND m.state = 0 AND r.sequence <> ?6"},
    {"mass.slice-keys", "SELECT c.spki_sha256 FROM mass_member m " CERTIFICATE_OF_M "WHERE " SLICE_OF_M
                        " AND m.state = 0 LIMIT 1000"},
    {"mass.batch-moved", "UPDATE mass_batch SET status = ?3, at = ?4, revoked = ?5, already = ?6, held = ?7 "
                         "WHERE mass = ?1 AND batch = ?2"},
    {"mass.moved", "UPDATE mass SET at_batch = ?2, revoked = revoked + ?3, already = already + ?4, "
                   "held = held + ?5 WHERE id = ?1"},
};
enum {
    SQL_BATCH,
    SQL_OPEN,
    SQL_ASK,
    SQL_RECORDED,
    SQL_REFUSED,
    SQL_SLICE_END,
    SQL_HOLD,
    SQL_ANY_HOLD,
    SQL_SLICE,
    SQL_COMPROMISE,
    SQL_ALREADY,
    SQL_KEYS,
    SQL_BATCH_MOVED,
    SQL_MOVED,
};
const struct store_sql *const ca_mass_run_sql = sql;
const size_t ca_mass_run_sql_count = LT_COUNT(sql);

enum { OPEN_MAX = 16, ASK_AGAIN_S = 3 };

struct batch {
    int64_t mass;
    int64_t batch;
    int64_t tier;
    int64_t issuer;
    lt_slice last;
    int64_t count;
    lt_slice root;
    const char *status;
    int64_t revoked_us;
    int64_t sequence;
    lt_slice at;
    int64_t revoked;
    int64_t already;
    int64_t held;
};

static lt_slice kept(struct ca_turn *t, const struct store_rows *rows, int column)
{
    lt_slice copy = lt_arena_copy(t->arena, store_bytes(rows, column));
    LT_ASSERT(copy.ptr != NULL || copy.len == 0);
    return copy;
}

static void read_batch(struct ca_turn *t, const struct store_rows *rows, struct batch *b)
{
    *b = (struct batch){
        .mass = store_int(rows, 0),
        .batch = store_int(rows, 1),
        .tier = store_int(rows, 2),
        .issuer = store_int(rows, 3),
        .last = kept(t, rows, 5),
        .count = store_int(rows, 6),
        .root = kept(t, rows, 7),
        .status = lt_arena_cstr(t->arena, store_bytes(rows, 8)),
        .revoked_us = store_int(rows, 9),
        .sequence = store_int(rows, 10),
        .at = kept(t, rows, 11),
        .revoked = store_int(rows, 12),
        .already = store_int(rows, 13),
        .held = store_int(rows, 14),
    };
    LT_ASSERT(b->status != NULL);
}

static lt_res load_batch(struct ca_turn *t, int64_t mass, int64_t number, struct batch *b, bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_BATCH], STORE_ARGS(STORE_I(mass), STORE_I(number)), &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        read_batch(t, &rows, b);
    }
    return store_rows_end(&rows);
}

/* ---- to the signer ---- */

static lt_res ask_signer(struct ca_turn *t, const struct ca_mass *m, const struct batch *b)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, b->issuer);
    LT_CHECK(issuer != NULL, LT_STATE_CORRUPT, "m%lld: no issuer %lld", (long long)m->id,
             (long long)b->issuer);
    t->book->mass.batch_asked = t->now;
    if (!t->book->examiner_linked) {
        return LT_OK; /* asked again when it is there */
    }
    uint8_t root[CA_HASH_LEN];
    char name[sizeof issuer->name];
    LT_CHECK(b->root.len == sizeof root, LT_STATE_CORRUPT, "a root of %zu bytes", b->root.len);
    Ipc__RevocationRecord q = IPC__REVOCATION_RECORD__INIT;
    q.issuer = memcpy(name, issuer->name, sizeof name);
    q.reason = m->reason;
    q.revoked_us = b->revoked_us;
    q.root.data = memcpy(root, b->root.ptr, sizeof root);
    q.root.len = sizeof root;
    q.mass = (uint64_t)m->id;
    q.batch = (uint32_t)b->batch;
    q.count = (uint32_t)b->count;
    return ca_turn_send(t, IPC_EXAMINER, IPC_REVOCATION_RECORD, (uint64_t)m->id, &q.base);
}

static lt_res ask_first(struct ca_turn *t, const struct ca_mass *m, struct batch *b)
{
    b->revoked_us = m->revoked_us != 0 ? m->revoked_us : t->now.us;
    LT_TRY(store_exec(t->store, &sql[SQL_ASK],
                      STORE_ARGS(STORE_I(b->mass), STORE_I(b->batch), STORE_I(b->revoked_us)), NULL));
    return ask_signer(t, m, b);
}

static lt_res finish(struct ca_turn *t, struct ca_mass *m)
{
    LT_TRY(ca_mass_late(t, m, "it was begun in time and ended only then"));
    LT_TRY(ca_mass_move(t, m, "finish", ""));
    return ca_mass_event(t, m, "mass.done", NULL);
}

static lt_res tier_end(struct ca_turn *t, struct ca_mass *m)
{
    char *why = lt_arena_printf(t->arena, "tier %lld is done", (long long)m->stop_after);
    LT_ASSERT(why != NULL);
    LT_TRY(ca_mass_move(t, m, "tier-end", why));
    return ca_mass_event(t, m, "mass.tier-end", NULL);
}

/* The next batches to the signer: one more than the one whose rows are being written. */
lt_res ca_mass_run(struct ca_turn *t, struct ca_mass *m, bool *ret_more)
{
    for (int64_t i = 0; i < CA_MASS_AHEAD; i++) {
        struct batch b;
        bool found = false;
        LT_TRY(load_batch(t, m->id, m->at_batch + i, &b, &found));
        if (!found) {
            *ret_more = false;
            return i == 0 ? finish(t, m) : LT_OK;
        }
        if (m->stop_after >= 0 && b.tier > m->stop_after) {
            return i == 0 ? tier_end(t, m) : LT_OK;
        }
        LT_TRY(strcmp(b.status, "sealed") == 0 ? ask_first(t, m, &b) : LT_OK);
    }
    return LT_OK;
}

/* ---- into the book ---- */

struct slice {
    lt_slice to;
    int64_t members;
    int64_t revoked;
    int64_t already;
    int64_t held;
};

static lt_res slice_end(struct ca_turn *t, const struct batch *b, struct slice *s)
{
    struct store_rows rows;
    int64_t most = t->book->mass.busy ? CA_MASS_SLICE_BUSY : CA_MASS_SLICE;
    LT_TRY(store_query(t->store, &sql[SQL_SLICE_END],
                       STORE_ARGS(STORE_I(b->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->at),
                                  STORE_B(b->last), STORE_I(most - 1)),
                       &rows));
    bool full = store_next(&rows);
    s->to = full ? kept(t, &rows, 0) : b->last;
    s->members = full ? most : b->count - b->revoked - b->already - b->held;
    return store_rows_end(&rows);
}

/* Mostly nothing is held: then nobody has to be looked up. */
static lt_res mark_held(struct ca_turn *t, const struct batch *b, struct slice *s)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ANY_HOLD], STORE_ARGS(STORE_I(b->issuer)), &rows));
    bool any = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    return !any ? LT_OK
                : store_exec(t->store, &sql[SQL_HOLD],
                             STORE_ARGS(STORE_I(b->mass), STORE_I(b->tier), STORE_I(b->issuer),
                                        STORE_B(b->at), STORE_B(s->to)),
                             &s->held);
}

static lt_res write_entries(struct ca_turn *t, const struct ca_mass *m, const struct batch *b,
                            struct slice *s)
{
    const struct store_sql *q = &sql[m->reason == CA_REASON_KEY_COMPROMISE ? SQL_COMPROMISE : SQL_SLICE];
    char *by = lt_arena_printf(t->arena, "mass m%lld", (long long)m->id);
    LT_ASSERT(by != NULL);
    LT_TRY(mark_held(t, b, s));
    const struct ca_tally_members members = {b->mass, b->tier, b->issuer, b->at, s->to};
    LT_TRY(ca_tally_mass(t, &members));
    return store_exec(t->store, q,
                      STORE_ARGS(STORE_I(b->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->at),
                                 STORE_B(s->to), STORE_I(m->reason), STORE_I(b->revoked_us),
                                 STORE_I(t->now.us), STORE_S(by), STORE_I(b->sequence)),
                      &s->revoked);
}

static lt_res count_already(struct ca_turn *t, const struct batch *b, struct slice *s)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ALREADY],
                       STORE_ARGS(STORE_I(b->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->at),
                                  STORE_B(s->to), STORE_I(b->sequence)),
                       &rows));
    s->already = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* A key of a certificate that is revoked for its compromise gets none again. */
static lt_res block_keys(struct ca_turn *t, const struct batch *b, const struct slice *s)
{
    struct store_rows rows;
    size_t count = 0;
    uint8_t(*keys)[CA_HASH_LEN] = lt_arena_alloc(t->arena, (size_t)CA_MASS_SLICE * CA_HASH_LEN);
    LT_ASSERT(keys != NULL);
    LT_TRY(store_query(
        t->store, &sql[SQL_KEYS],
        STORE_ARGS(STORE_I(b->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->at), STORE_B(s->to)),
        &rows));
    while (count < CA_MASS_SLICE && store_next(&rows)) {
        if (store_bytes(&rows, 0).len == CA_HASH_LEN) {
            memcpy(keys[count++], store_bytes(&rows, 0).ptr, CA_HASH_LEN);
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && memcmp(keys[i], keys[i - 1], CA_HASH_LEN) == 0;
        LT_TRY(same ? LT_OK
                    : ca_key_block_add(t, LT_SLICE(keys[i], CA_HASH_LEN), "key compromise", "revocation"));
    }
    return LT_OK;
}

static lt_res batch_event(struct ca_turn *t, const struct ca_mass *m, const struct batch *b)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, b->issuer);
    struct ca_body body;
    ca_body_init(&body);
    ca_body_int(&body, "batch", b->batch);
    ca_body_int(&body, "tier", b->tier);
    ca_body_str(&body, "issuer", issuer == NULL ? "" : issuer->name);
    ca_body_int(&body, "count", b->count);
    ca_body_hex(&body, "root", b->root);
    ca_body_int(&body, "revoked", b->revoked);
    ca_body_int(&body, "already", b->already);
    ca_body_int(&body, "held", b->held);
    ca_body_str(&body, "reason", ca_reason_name(m->reason));
    ca_body_time(&body, "dated", (lt_time){b->revoked_us});
    ca_body_int(&body, "sequence", b->sequence);
    char *subject = lt_arena_printf(t->arena, "mass m%lld", (long long)m->id);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, "certificates.revoked", subject, LT_SLICE(NULL, 0));
}

/* CRLs are made once for what was written without a break: of each issuer, at its end. */
static lt_res hint(struct ca_turn *t, const struct ca_mass *m, const struct batch *b)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, b->issuer);
    struct batch next;
    bool found = false;
    LT_TRY(load_batch(t, b->mass, b->batch + 1, &next, &found));
    bool goes_on = found && next.issuer == b->issuer && strcmp(m->status, "running") == 0 &&
                   (m->stop_after < 0 || next.tier <= m->stop_after);
    return goes_on || issuer == NULL ? LT_OK : ca_crl_hint(t, issuer, NULL, 0);
}

static lt_res count_differs(struct ca_turn *t, struct ca_mass *m, const struct batch *b, int64_t gone)
{
    char *why = lt_arena_printf(t->arena, "batch %lld: %lld of its members are not in the book",
                                (long long)b->batch, (long long)gone);
    LT_ASSERT(why != NULL);
    if (strcmp(m->status, "running") != 0) {
        return LT_OK;
    }
    LT_TRY(ca_mass_move(t, m, "differs", why));
    return ca_mass_event(t, m, "mass.differs", NULL);
}

static lt_res slice_done(struct ca_turn *t, struct ca_mass *m, struct batch *b, const struct slice *s)
{
    bool end = lt_slice_eq(s->to, b->last);
    b->revoked += s->revoked;
    b->already += s->already;
    b->held += s->held;
    LT_TRY(store_exec(t->store, &sql[SQL_BATCH_MOVED],
                      STORE_ARGS(STORE_I(b->mass), STORE_I(b->batch), STORE_S(end ? "done" : "recorded"),
                                 STORE_B(s->to), STORE_I(b->revoked), STORE_I(b->already), STORE_I(b->held)),
                      NULL));
    int64_t at_batch = end && b->batch == m->at_batch ? b->batch + 1 : m->at_batch;
    LT_TRY(store_exec(t->store, &sql[SQL_MOVED],
                      STORE_ARGS(STORE_I(m->id), STORE_I(at_batch), STORE_I(s->revoked), STORE_I(s->already),
                                 STORE_I(s->held)),
                      NULL));
    if (!end) {
        return LT_OK;
    }
    LT_TRY(batch_event(t, m, b));
    return hint(t, m, b);
}

static lt_res apply(struct ca_turn *t, struct batch *b)
{
    struct ca_mass m;
    struct slice s = {.members = 0};
    LT_TRY(ca_mass_load(t, b->mass, &m));
    LT_TRY(slice_end(t, b, &s));
    LT_TRY(write_entries(t, &m, b, &s));
    LT_TRY(s.revoked + s.held < s.members ? count_already(t, b, &s) : LT_OK);
    int64_t gone = s.members - s.revoked - s.held - s.already;
    if (gone != 0) {
        LT_TRY(count_differs(t, &m, b, gone));
        s.already += gone;
    }
    bool by_key = strcmp(m.source, "key") == 0;
    LT_TRY(m.reason == CA_REASON_KEY_COMPROMISE && !by_key ? block_keys(t, b, &s) : LT_OK);
    return slice_done(t, &m, b, &s);
}

static bool asked_lately(struct ca_turn *t)
{
    int64_t since_us = t->now.us - t->book->mass.batch_asked.us;
    return since_us >= 0 && since_us < ASK_AGAIN_S * LT_US_PER_SECOND;
}

lt_res ca_mass_run_open(struct ca_turn *t, bool *ret_more)
{
    struct batch list[OPEN_MAX];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OPEN], STORE_NO_ARGS, &rows));
    while (count < OPEN_MAX && store_next(&rows)) {
        read_batch(t, &rows, &list[count++]);
    }
    LT_TRY(store_rows_end(&rows));
    bool ask = !asked_lately(t);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].status, "recorded") == 0) {
            *ret_more = true;
            return apply(t, &list[i]);
        }
        struct ca_mass m;
        LT_TRY(ca_mass_load(t, list[i].mass, &m));
        LT_TRY(ask ? ask_signer(t, &m, &list[i]) : LT_OK);
    }
    return LT_OK;
}

/* ---- what the signer says ---- */

static lt_res refused(struct ca_turn *t, const struct batch *b)
{
    struct ca_mass m;
    LT_TRY(store_exec(t->store, &sql[SQL_REFUSED], STORE_ARGS(STORE_I(b->mass), STORE_I(b->batch)), NULL));
    LT_TRY(ca_mass_load(t, b->mass, &m));
    if (strcmp(m.status, "running") != 0) {
        return LT_OK;
    }
    LT_TRY(ca_mass_move(t, &m, "differs", "the signer's journal has this batch with another root"));
    return ca_mass_event(t, &m, "mass.differs", NULL);
}

static lt_res recorded(struct ca_turn *t, const struct batch *b, uint64_t sequence, int64_t revoked_us)
{
    LT_TRY(store_exec(
        t->store, &sql[SQL_RECORDED],
        STORE_ARGS(STORE_I(b->mass), STORE_I(b->batch), STORE_I((int64_t)sequence), STORE_I(revoked_us)),
        NULL));
    ca_journal_seen(t->book, sequence); /* the row has it: the rest follows from the book */
    t->book->mass.pending = true;
    return LT_OK;
}

lt_res ca_mass_on_recorded(struct ca_turn *t, const Ipc__RevocationRecorded *m)
{
    struct batch b;
    bool found = false;
    LT_TRY(m->mass > INT64_MAX ? LT_OK : load_batch(t, (int64_t)m->mass, m->batch, &b, &found));
    LT_CHECK(found, LT_PEER_MALFORMED, "a batch that nobody asked for");
    if (strcmp(m->outcome, "refused") == 0) {
        return refused(t, &b);
    }
    if (strcmp(m->outcome, "recorded") != 0) {
        return LT_OK; /* unavailable: asked again */
    }
    return recorded(t, &b, m->sequence, b.revoked_us);
}

static uint64_t number(const uint8_t *at, size_t len)
{
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n = n << 8 | at[i];
    }
    return n;
}

lt_res ca_mass_on_replay(struct ca_turn *t, const Ipc__JournalEntry *e)
{
    enum { MASS_LEN = 8, BATCH_LEN = 4 };
    struct batch b;
    bool found = false;
    LT_CHECK(e->serial.len == MASS_LEN + BATCH_LEN, LT_PEER_MALFORMED, "a batch is named wrong");
    uint64_t mass = number(e->serial.data, MASS_LEN);
    uint64_t batch = number(&e->serial.data[MASS_LEN], BATCH_LEN);
    LT_TRY(mass > INT64_MAX ? LT_OK : load_batch(t, (int64_t)mass, (int64_t)batch, &b, &found));
    LT_CHECK(found && lt_slice_eq(b.root, LT_SLICE(e->tbs_sha256.data, e->tbs_sha256.len)), LT_PEER_NOT_FOUND,
             "m%llu has no such batch here", (unsigned long long)mass);
    return recorded(t, &b, e->sequence, e->revoked_us);
}
