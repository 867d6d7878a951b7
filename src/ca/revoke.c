/* Revocation of one certificate: open, journaled by the signer, in the book, answered. */
#include "ca/revoke.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/compromise.h"
#include "ca/crl_book.h"
#include "ca/event.h"
#include "ca/key_block.h"
#include "ca/mass.h"
#include "ca/tally.h"
#include "publish.pb-c.h"

static const struct store_sql sql[] = {
    {"revoke.certificate", "SELECT spki_sha256, not_after_us, shard, not_before_us, profile FROM certificate "
                           "WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    {"revoke.get",
     "SELECT reason, revoked_us FROM revocation WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    {"revoke.open", "INSERT INTO revocation_open (id, issuer, serial, reason, revoked_us, by_whom, jws, "
                    "created_us, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?8)"},
    {"revoke.open-of", "SELECT id, reason FROM revocation_open WHERE issuer = ?1 AND serial = ?2"},
    {"revoke.open-get", "SELECT issuer, serial, reason, revoked_us, by_whom, jws FROM revocation_open "
                        "WHERE id = ?1"},
    {"revoke.close", "DELETE FROM revocation_open WHERE id = ?1"},
    {"revoke.add", "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, "
                   "not_after_us, by_whom, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                   "ON CONFLICT (issuer, shard, serial) DO UPDATE SET reason = excluded.reason, "
                   "revoked_us = excluded.revoked_us, recorded_us = excluded.recorded_us, "
                   "by_whom = excluded.by_whom, sequence = excluded.sequence"},
    {"revoke.open-before", "SELECT id FROM revocation_open WHERE (host = ?2 OR ?2 = 0) AND id < ?1 "
                           "ORDER BY id LIMIT 256"},
    {"revoke.cause", "INSERT INTO revocation_cause (issuer, serial, since_us, cause, section, reason, "
                     "aware_us, should_us, must_us, late_because, by_whom) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
};
enum {
    SQL_CERTIFICATE,
    SQL_GET,
    SQL_OPEN,
    SQL_OPEN_OF,
    SQL_OPEN_GET,
    SQL_CLOSE,
    SQL_ADD,
    SQL_OPEN_BEFORE,
    SQL_CAUSE,
};
const struct store_sql *const ca_revoke_sql = sql;
const size_t ca_revoke_sql_count = LT_COUNT(sql);

enum { WAITERS_MAX = 10000, WAITER_LIFE_S = 60, PATIENCE_S = 10 };

struct ca_revoke_waiter {
    struct ca_revoke_waiter *next;
    int64_t id; /* of the open revocation */
    enum ca_revoke_origin origin;
    struct ipc_addr reply_to;
    lt_time since;
};

void ca_revoke_waiters_free(struct ca_book *b)
{
    while (b->waiters != NULL) {
        struct ca_revoke_waiter *next = b->waiters->next;
        free(b->waiters);
        b->waiters = next;
    }
}

/* Who waits longer than a minute has been told so by somebody else. */
static size_t drop_old(struct ca_turn *t)
{
    size_t left = 0;
    struct ca_revoke_waiter **at = &t->book->waiters;
    while (*at != NULL) {
        struct ca_revoke_waiter *w = *at;
        if (t->now.us - w->since.us > WAITER_LIFE_S * LT_US_PER_SECOND) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
            left++;
        }
    }
    return left;
}

static void wait_for(struct ca_turn *t, int64_t id, const struct ca_revoke_request *r)
{
    if (r->origin == CA_REVOKE_BY_NOBODY || drop_old(t) >= WAITERS_MAX) {
        return;
    }
    struct ca_revoke_waiter *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    *w = (struct ca_revoke_waiter){t->book->waiters, id, r->origin, r->reply_to, t->now};
    t->book->waiters = w;
}

bool ca_revoke_awaited(const struct ca_book *b, lt_time now)
{
    for (const struct ca_revoke_waiter *w = b->waiters; w != NULL; w = w->next) {
        if (now.us - w->since.us < PATIENCE_S * LT_US_PER_SECOND) {
            return true;
        }
    }
    return false;
}

/* The certificate as far as revoking it goes. */
struct target {
    const struct ca_issuer *issuer;
    lt_slice serial;
    bool has_key; /* not of what was brought in as serial number and dates */
    uint8_t spki_sha256[CA_HASH_LEN];
    int64_t not_before_us;
    int64_t not_after_us;
    int64_t shard;
    int64_t profile;
    bool revoked;
    uint32_t reason; /* when revoked */
    int64_t revoked_us;
};

static lt_res find_certificate(struct ca_turn *t, struct target *g)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(g->issuer->id), STORE_B(g->serial)), &rows));
    bool found = store_next(&rows);
    if (found) {
        g->has_key = store_bytes(&rows, 0).len == CA_HASH_LEN;
        if (g->has_key) {
            memcpy(g->spki_sha256, store_bytes(&rows, 0).ptr, CA_HASH_LEN);
        }
        g->not_after_us = store_int(&rows, 1);
        g->shard = store_int(&rows, 2);
        g->not_before_us = store_int(&rows, 3);
        g->profile = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no certificate of %s has the serial %s", g->issuer->name,
             lt_hex(t->arena, g->serial));
    return LT_OK;
}

static lt_res find_target(struct ca_turn *t, int64_t issuer, lt_slice serial, struct target *g)
{
    *g = (struct target){.issuer = ca_issuer_by_id(t->book, issuer), .serial = serial};
    LT_CHECK(g->issuer != NULL, LT_PEER_NOT_FOUND, "the certificate is of no issuer here");
    LT_TRY(find_certificate(t, g));
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_GET],
                       STORE_ARGS(STORE_I(issuer), STORE_I(g->shard), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        g->revoked = true;
        g->reason = (uint32_t)store_int(&rows, 0);
        g->revoked_us = store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

static lt_res ask_signer(struct ca_turn *t, int64_t id, const struct target *g, uint32_t reason,
                         int64_t revoked_us)
{
    if (!t->book->examiner_linked) {
        return LT_OK; /* ca_revoke_retry asks when it is there again */
    }
    uint8_t serial[64];
    LT_CHECK(g->serial.len <= sizeof serial, LT_STATE_CORRUPT, "a serial of %zu bytes", g->serial.len);
    Ipc__RevocationRecord m = IPC__REVOCATION_RECORD__INIT;
    char issuer[sizeof g->issuer->name];
    memcpy(issuer, g->issuer->name, sizeof issuer);
    m.issuer = issuer;
    m.serial.data = memcpy(serial, g->serial.ptr, g->serial.len);
    m.serial.len = g->serial.len;
    m.reason = reason;
    m.revoked_us = revoked_us;
    return ca_turn_send(t, IPC_EXAMINER, IPC_REVOCATION_RECORD, (uint64_t)id, &m.base);
}

/* The open revocation of a certificate: *ret_id is 0 where there is none. */
static lt_res find_open(struct ca_turn *t, const struct target *g, int64_t *ret_id, uint32_t *ret_reason)
{
    struct store_rows rows;
    *ret_id = 0;
    *ret_reason = CA_REASON_UNSPECIFIED;
    LT_TRY(store_query(t->store, &sql[SQL_OPEN_OF], STORE_ARGS(STORE_I(g->issuer->id), STORE_B(g->serial)),
                       &rows));
    if (store_next(&rows)) {
        *ret_id = store_int(&rows, 0);
        *ret_reason = (uint32_t)store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

/* Only who asks for the same may wait for an open revocation: its answer is for its own reason. A key
 * compromise comes again once the other is recorded, and then changes the entry and blocks the key. */
static lt_res may_join(uint32_t open, uint32_t asked)
{
    LT_CHECK(asked == open || asked != CA_REASON_KEY_COMPROMISE, LT_RETRY_BUSY,
             "the certificate is just being revoked as %s; ask again to have it changed to keyCompromise",
             ca_reason_name(open));
    LT_CHECK(asked == open, LT_PEER_CONFLICT, "the certificate is being revoked already, as %s",
             ca_reason_name(open));
    return LT_OK;
}

/* What may still change in an entry: the reason to keyCompromise, and of that the date to an earlier one.
 *= CABF-BR 4.9.1.1 a later proof of key compromise changes the reason of an entry to keyCompromise. */
static bool changes(const struct target *g, uint32_t reason, int64_t dated_us)
{
    bool other = g->reason != reason || (dated_us != 0 && dated_us < g->revoked_us);
    return reason == CA_REASON_KEY_COMPROMISE && other;
}

static lt_res check_request(struct ca_turn *t, const struct ca_revoke_request *r, struct target *g)
{
    LT_CHECK(ca_reason_allowed(r->reason, r->origin == CA_REVOKE_BY_OPERATOR), LT_PEER_UNSUPPORTED,
             "the reason %s (%u) may not be given here", ca_reason_name(r->reason), r->reason);
    LT_TRY(find_target(t, r->issuer, r->serial, g));
    LT_CHECK(!g->revoked || changes(g, r->reason, r->dated_us), LT_PEER_CONFLICT,
             "the certificate is revoked already");
    return r->dated_us == 0
               ? LT_OK
               : ca_backdating_check(r->reason, (lt_time){r->dated_us}, (lt_time){g->not_before_us}, t->now);
}

static lt_res clock_event(struct ca_turn *t, const struct ca_revoke_request *r, const struct ca_cause *cause,
                          lt_time aware)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, r->issuer);
    struct ca_clocks clocks = ca_cause_clocks(cause, aware);
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "cause", cause->name);
    ca_body_str(&body, "section", cause->section);
    ca_body_time(&body, "aware", aware);
    if (clocks.should.us != 0) {
        ca_body_time(&body, "should", clocks.should);
    }
    ca_body_time(&body, "must", clocks.must);
    ca_body_str(&body, "late_because", r->why.late_because == NULL ? "" : r->why.late_because);
    ca_body_str(&body, "by", r->by_whom);
    return ca_body_event(&body, t, "certificate.clock", ca_certificate_subject(t, issuer->name, r->serial),
                         LT_SLICE(NULL, 0));
}

/* The clocks run from what somebody knew: they stay, whatever becomes of the revocation. */
static lt_res keep_cause(struct ca_turn *t, const struct ca_revoke_request *r)
{
    const struct ca_cause *cause = NULL;
    struct ca_clocks clocks;
    LT_TRY(ca_cause_judge(&r->why, r->reason, t->now, &cause, &clocks));
    if (cause == NULL) {
        return LT_OK;
    }
    lt_time aware = {r->why.aware_us == 0 ? t->now.us : r->why.aware_us};
    LT_TRY(store_exec(t->store, &sql[SQL_CAUSE],
                      STORE_ARGS(STORE_I(r->issuer), STORE_B(r->serial), STORE_I(t->now.us),
                                 STORE_S(cause->name), STORE_S(cause->section), STORE_I(cause->reason),
                                 STORE_I(aware.us), STORE_I(clocks.should.us), STORE_I(clocks.must.us),
                                 STORE_S(r->why.late_because == NULL ? "" : r->why.late_because),
                                 STORE_S(r->by_whom)),
                      NULL));
    return clock_event(t, r, cause, aware);
}

lt_res ca_revoke_begin(struct ca_turn *t, const struct ca_revoke_request *r)
{
    struct target g;
    LT_TRY(check_request(t, r, &g));
    int64_t id = 0;
    uint32_t open = 0;
    LT_TRY(find_open(t, &g, &id, &open));
    if (id != 0) {
        LT_TRY(may_join(open, r->reason));
    } else {
        int64_t revoked_us = r->dated_us == 0 ? t->now.us : r->dated_us;
        id = ca_new_id(t);
        LT_TRY(keep_cause(t, r));
        LT_TRY(store_exec(t->store, &sql[SQL_OPEN],
                          STORE_ARGS(STORE_I(id), STORE_I(r->issuer), STORE_B(r->serial), STORE_I(r->reason),
                                     STORE_I(revoked_us), STORE_S(r->by_whom),
                                     r->jws.len > 0 ? STORE_B(r->jws) : STORE_N, STORE_I(ca_host_id(t)),
                                     STORE_I(t->now.us)),
                          NULL));
        LT_TRY(ask_signer(t, id, &g, r->reason, revoked_us));
    }
    wait_for(t, id, r);
    return LT_OK;
}

/* An open revocation as its row has it, in the turn's arena. */
struct open_row {
    int64_t issuer;
    lt_slice serial;
    uint32_t reason;
    int64_t revoked_us;
    const char *by_whom;
    lt_slice jws;
};

static lt_res load_open(struct ca_turn *t, int64_t id, struct open_row *ret_row, bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OPEN_GET], STORE_ARGS(STORE_I(id)), &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        ret_row->issuer = store_int(&rows, 0);
        ret_row->serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        ret_row->reason = (uint32_t)store_int(&rows, 2);
        ret_row->revoked_us = store_int(&rows, 3);
        ret_row->by_whom = lt_arena_cstr(t->arena, store_bytes(&rows, 4));
        ret_row->jws = lt_arena_copy(t->arena, store_bytes(&rows, 5));
        LT_ASSERT(ret_row->serial.ptr != NULL && ret_row->by_whom != NULL);
    }
    return store_rows_end(&rows);
}

/* An entry that is there keeps its date, unless the other is earlier. */
static int64_t dated(const struct target *g, const struct open_row *o)
{
    return g->revoked && g->revoked_us < o->revoked_us ? g->revoked_us : o->revoked_us;
}

static lt_res revoked_event(struct ca_turn *t, const struct target *g, const struct open_row *o,
                            uint64_t sequence)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "reason", ca_reason_name(o->reason));
    ca_body_time(&body, "revoked", (lt_time){dated(g, o)});
    ca_body_str(&body, "by", o->by_whom);
    ca_body_int(&body, "sequence", (int64_t)sequence);
    return ca_body_event(&body, t, g->revoked ? "certificate.revocation-changed" : "certificate.revoked",
                         ca_certificate_subject(t, g->issuer->name, g->serial), o->jws);
}

/* The key gets nothing any more, and its other certificates follow. */
static lt_res key_is_lost(struct ca_turn *t, const struct target *g, const char *by_whom, lt_slice jws)
{
    const struct ca_mass_compromise c = {
        .spki_sha256 = LT_SLICE(g->spki_sha256, CA_HASH_LEN), .by_whom = by_whom, .jws = jws};
    if (!g->has_key) {
        return LT_OK;
    }
    if (strcmp(by_whom, "certificate-key") == 0) { /* that is a proof, not somebody's word */
        const struct ca_compromise proof = {.spki_sha256 = c.spki_sha256,
                                            .proof = CA_COMPROMISE_BY_ACME,
                                            .key_type = "",
                                            .via = "acme",
                                            .filer = "",
                                            .evidence = jws,
                                            .jws = jws,
                                            .besides = 1};
        bool new = false;
        return ca_compromise_add(t, &proof, &new);
    }
    LT_TRY(ca_key_block_add(t, c.spki_sha256, "key compromise", "revocation"));
    return ca_mass_compromised(t, &c);
}

/* Rows and event of a revocation that the signer's journal has. */
static lt_res record(struct ca_turn *t, const struct target *g, const struct open_row *o, uint64_t sequence)
{
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(g->issuer->id), STORE_I(g->shard), STORE_B(g->serial),
                                 STORE_I(o->reason), STORE_I(dated(g, o)), STORE_I(t->now.us),
                                 STORE_I(g->not_after_us), STORE_S(o->by_whom), STORE_I(sequence)),
                      NULL));
    const struct ca_tally_certificate counted = {g->issuer->id, g->serial, g->profile, g->not_after_us};
    LT_TRY(g->revoked ? LT_OK : ca_tally_revoked(t, &counted, false));
    LT_TRY(revoked_event(t, g, o, sequence));
    LT_TRY(o->reason == CA_REASON_KEY_COMPROMISE ? key_is_lost(t, g, o->by_whom, o->jws) : LT_OK);
    ca_journal_seen(t->book, sequence);
    uint32_t shard = (uint32_t)g->shard;
    return ca_crl_hint(t, g->issuer, &shard, 1);
}

lt_res ca_revoke_key_of_held(struct ca_turn *t, const struct ca_revoke_request *r)
{
    struct target g;
    LT_TRY(check_request(t, r, &g));
    LT_CHECK(r->reason == CA_REASON_KEY_COMPROMISE, LT_PEER_UNSUPPORTED, "%s says nothing of the key",
             ca_reason_name(r->reason));
    LT_TRY(keep_cause(t, r));
    return key_is_lost(t, &g, r->by_whom, r->jws);
}

static lt_res tell_waiters(struct ca_turn *t, int64_t id, const struct open_row *o)
{
    struct ca_revoke_waiter **at = &t->book->waiters;
    lt_res r = LT_OK;
    while (*at != NULL && !lt_failed(r)) {
        struct ca_revoke_waiter *w = *at;
        if (w->id != id) {
            at = &w->next;
            continue;
        }
        const struct ca_revoked told = {o->issuer,       o->serial, o->reason,
                                        {o->revoked_us}, w->origin, w->reply_to};
        *at = w->next;
        free(w);
        const struct ca_listener *l = &t->book->listener;
        r = l->revoked == NULL ? LT_OK : l->revoked(l->self, t, &told);
    }
    return r;
}

lt_res ca_revoke_on_recorded(struct ca_turn *t, uint64_t id, const Ipc__RevocationRecorded *m)
{
    struct open_row o;
    bool found = false;
    if (strcmp(m->outcome, "recorded") != 0 || id > INT64_MAX) {
        return LT_OK; /* unavailable: ca_revoke_retry asks again */
    }
    LT_TRY(load_open(t, (int64_t)id, &o, &found));
    if (!found) {
        ca_journal_seen(t->book, m->sequence);
        return LT_OK; /* the replay was faster, or it was asked twice */
    }
    struct target g;
    LT_TRY(find_target(t, o.issuer, o.serial, &g));
    LT_TRY(record(t, &g, &o, m->sequence));
    LT_TRY(store_exec(t->store, &sql[SQL_CLOSE], STORE_ARGS(STORE_I(id)), NULL));
    return tell_waiters(t, (int64_t)id, &o);
}

lt_res ca_revoke_on_replay(struct ca_turn *t, const Ipc__JournalEntry *e)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(e->issuer));
    lt_slice serial = LT_SLICE(e->serial.data, e->serial.len);
    LT_CHECK(issuer != NULL, LT_PEER_MALFORMED, "a revocation for an unknown issuer %s", e->issuer);
    struct target g;
    LT_TRY(find_target(t, issuer->id, serial, &g));
    int64_t id = 0;
    uint32_t open = 0;
    LT_TRY(find_open(t, &g, &id, &open));
    struct open_row o = {issuer->id, serial, e->reason, e->revoked_us, "signer's journal", {NULL, 0}};
    struct open_row asked;
    bool found = false;
    LT_TRY(id == 0 ? LT_OK : load_open(t, id, &asked, &found));
    if (found && open == CA_REASON_KEY_COMPROMISE &&
        (e->reason != open || e->revoked_us != asked.revoked_us)) {
        id = 0; /* of an earlier request: the open one stays open until the signer has its own */
    } else if (found) {
        o.by_whom = asked.by_whom;
        o.jws = asked.jws;
    }
    if (!g.revoked || changes(&g, e->reason, e->revoked_us)) {
        LT_TRY(record(t, &g, &o, e->sequence));
    }
    ca_journal_seen(t->book, e->sequence);
    if (id != 0) {
        LT_TRY(store_exec(t->store, &sql[SQL_CLOSE], STORE_ARGS(STORE_I(id)), NULL));
        return tell_waiters(t, id, &o);
    }
    return LT_OK;
}

static lt_res ask_again(struct ca_turn *t, int64_t id)
{
    struct open_row o;
    bool found = false;
    LT_TRY(load_open(t, id, &o, &found));
    if (!found) {
        return LT_OK;
    }
    struct target g;
    LT_TRY(find_target(t, o.issuer, o.serial, &g));
    return ask_signer(t, id, &g, o.reason, o.revoked_us);
}

static lt_res retry(struct ca_turn *t, int64_t age_s, int64_t host, size_t *ret_asked)
{
    int64_t ids[CA_RETRY_AT_ONCE];
    size_t count = 0;
    struct store_rows rows;
    int64_t before = ca_id_at(lt_time_add_seconds(t->now, -age_s));
    LT_TRY(store_query(t->store, &sql[SQL_OPEN_BEFORE], STORE_ARGS(STORE_I(before), STORE_I(host)), &rows));
    while (count < CA_RETRY_AT_ONCE && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(ask_again(t, ids[i]));
    }
    *ret_asked += count;
    return LT_OK;
}

/* What a host that is gone had accepted is recorded by another signer: twice harms nobody. */
lt_res ca_revoke_retry(struct ca_turn *t, int64_t age_s, size_t *ret_asked)
{
    enum { OF_OTHERS_S = 30 };
    bool for_all = false;
    *ret_asked = 0;
    LT_TRY(retry(t, age_s, ca_host_id(t), ret_asked));
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &for_all));
    return for_all && t->book->host.shared ? retry(t, OF_OTHERS_S, 0, ret_asked) : LT_OK;
}
