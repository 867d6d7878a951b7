/* Freezing: the list of members is written down, then sealed into batches, then proposed. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/mass_internal.h"
#include "ca/mass_members.h"
#include "ca/merkle.h"
#include "ca/revoke.h"
#include "store/segment.h"

static const struct store_sql sql[] = {
    {"mass.of-key", "SELECT issuer, serial, not_after_us FROM certificate WHERE spki_sha256 = ?1 AND "
                    "(issuer, serial) > (?2, ?3) ORDER BY issuer, serial LIMIT 1000"},
    {"mass.member-add", "INSERT INTO mass_member (mass, tier, issuer, serial, state) "
                        "VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT (mass, tier, issuer, serial) DO NOTHING"},
    {"mass.frozen-to", "UPDATE mass SET count = count + ?2, at_tier = ?3, at_issuer = ?4, at_serial = ?5 "
                       "WHERE id = ?1"},
    {"mass.tier-get", "SELECT scope FROM mass_tier WHERE mass = ?1 AND tier = ?2"},
    {"mass.alone", "SELECT scope FROM mass_tier_alone WHERE mass = ?1 ORDER BY tier LIMIT 16"},
    {"mass.members", "SELECT issuer, serial FROM mass_member WHERE mass = ?1 AND tier = ?2 AND "
                     "(issuer, serial) > (?3, ?4) ORDER BY issuer, serial LIMIT 1000"},
    {"mass.batch-add", "INSERT INTO mass_batch (mass, batch, tier, issuer, first, last, count, root, status, "
                       "revoked_us, sequence, at, revoked, already, held) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'sealed', 0, 0, ?9, 0, 0, 0)"},
    {"mass.sealed-to", "UPDATE mass SET batches = ?2, at_tier = ?3, at_issuer = ?4, at_serial = ?5 "
                       "WHERE id = ?1"},
    {"mass.roots", "SELECT root FROM mass_batch WHERE mass = ?1 AND batch >= ?2 ORDER BY batch LIMIT 1000"},
    {"mass.root", "UPDATE mass SET root = ?2 WHERE id = ?1"},
};
enum {
    SQL_OF_KEY,
    SQL_MEMBER_ADD,
    SQL_FROZEN_TO,
    SQL_TIER_GET,
    SQL_ALONE,
    SQL_MEMBERS,
    SQL_BATCH_ADD,
    SQL_SEALED_TO,
    SQL_ROOTS,
    SQL_ROOT,
};
const struct store_sql *const ca_mass_freeze_sql = sql;
const size_t ca_mass_freeze_sql_count = LT_COUNT(sql);

enum { ASK_AGAIN_S = 60, SERIAL_MAX = 20 };

struct place {
    int64_t tier;
    int64_t issuer;
    lt_slice serial;
};

static lt_res add_member(struct ca_turn *t, int64_t mass, const struct place *p, int64_t *count)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_MEMBER_ADD],
                      STORE_ARGS(STORE_I(mass), STORE_I(p->tier), STORE_I(p->issuer), STORE_B(p->serial)),
                      &changed));
    *count += changed;
    return LT_OK;
}

static lt_res frozen_to(struct ca_turn *t, struct ca_mass *m, const struct place *p, int64_t added)
{
    m->count += added;
    return store_exec(
        t->store, &sql[SQL_FROZEN_TO],
        STORE_ARGS(STORE_I(m->id), STORE_I(added), STORE_I(p->tier), STORE_I(p->issuer), STORE_B(p->serial)),
        NULL);
}

/* The list is whole: sealing begins at its front. */
static lt_res frozen(struct ca_turn *t, struct ca_mass *m)
{
    LT_TRY(frozen_to(t, m, &(struct place){0, 0, LT_LIT("")}, 0));
    return ca_mass_move(t, m, "frozen", "");
}

struct found {
    int64_t issuer;
    int64_t not_after_us;
    lt_slice serial;
};

static lt_res read_key_page(struct ca_turn *t, const struct ca_mass *m, struct found *list, size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_OF_KEY],
                       STORE_ARGS(STORE_B(m->scope_sha256), STORE_I(m->at_issuer), STORE_B(m->at_serial)),
                       &rows));
    while (*ret_count < CA_MASS_SLICE && store_next(&rows)) {
        struct found *f = &list[(*ret_count)++];
        f->issuer = store_int(&rows, 0);
        f->serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        f->not_after_us = store_int(&rows, 2);
        LT_ASSERT(f->serial.ptr != NULL);
    }
    return store_rows_end(&rows);
}

/* Certificates that are over need no entry. */
static lt_res freeze_key(struct ca_turn *t, struct ca_mass *m)
{
    struct found *list = LT_NEW_ARRAY(t->arena, struct found, CA_MASS_SLICE);
    size_t count = 0;
    int64_t added = 0;
    LT_ASSERT(list != NULL);
    LT_TRY(read_key_page(t, m, list, &count));
    for (size_t i = 0; i < count; i++) {
        const struct place p = {0, list[i].issuer, list[i].serial};
        LT_TRY(list[i].not_after_us < m->as_of_us ? LT_OK : add_member(t, m->id, &p, &added));
    }
    if (count > 0) {
        const struct place to = {0, list[count - 1].issuer, list[count - 1].serial};
        LT_TRY(frozen_to(t, m, &to, added));
    }
    return count < CA_MASS_SLICE ? frozen(t, m) : LT_OK;
}

static lt_res tier_scope(struct ca_turn *t, const struct ca_mass *m, int64_t tier, char **ret_scope)
{
    struct store_rows rows;
    *ret_scope = NULL;
    LT_TRY(store_query(t->store, &sql[SQL_TIER_GET], STORE_ARGS(STORE_I(m->id), STORE_I(tier)), &rows));
    if (store_next(&rows)) {
        *ret_scope = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        LT_ASSERT(*ret_scope != NULL);
    }
    return store_rows_end(&rows);
}

static bool asked_lately(struct ca_turn *t)
{
    int64_t since_us = t->now.us - t->book->mass.members_asked.us;
    return since_us >= 0 && since_us < ASK_AGAIN_S * LT_US_PER_SECOND;
}

/* What the tiers say by themselves: then the whole is read once, and each member comes with its tier. */
static lt_res add_alone(struct ca_turn *t, const struct ca_mass *m, Ipc__MembersWanted *q)
{
    struct store_rows rows;
    q->tiers = LT_NEW_ARRAY(t->arena, char *, CA_MASS_TIERS_MAX);
    LT_ASSERT(q->tiers != NULL);
    LT_TRY(store_query(t->store, &sql[SQL_ALONE], STORE_ARGS(STORE_I(m->id)), &rows));
    while (q->n_tiers < CA_MASS_TIERS_MAX && store_next(&rows)) {
        q->tiers[q->n_tiers] = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        LT_ASSERT(q->tiers[q->n_tiers] != NULL);
        q->n_tiers++;
    }
    LT_TRY(store_rows_end(&rows));
    if (q->n_tiers > 0) {
        q->scope = lt_arena_cstr(t->arena, m->scope);
        LT_ASSERT(q->scope != NULL);
    }
    return LT_OK;
}

/* A page of a scope: the reader answers with ca_mass_on_members. */
static lt_res ask_members(struct ca_turn *t, const struct ca_mass *m, char *scope, bool count_only)
{
    uint8_t serial[SERIAL_MAX];
    Ipc__MembersWanted q = IPC__MEMBERS_WANTED__INIT;
    LT_CHECK(m->at_serial.len <= sizeof serial, LT_STATE_CORRUPT, "a serial of %zu bytes", m->at_serial.len);
    q.mass = m->id;
    q.tier = (uint32_t)m->at_tier;
    q.scope = scope;
    q.as_of_us = m->as_of_us;
    q.most = t->book->mass.busy || store_shared(t->store) ? CA_MASS_PAGE_BUSY : CA_MASS_PAGE;
    q.count_only = count_only;
    q.after_issuer = m->at_issuer;
    q.after_serial.data = m->at_serial.len == 0 ? NULL : memcpy(serial, m->at_serial.ptr, m->at_serial.len);
    q.after_serial.len = m->at_serial.len;
    LT_TRY(count_only ? LT_OK : add_alone(t, m, &q));
    t->book->mass.members_asked = t->now;
    return ca_turn_send(t, IPC_READER, IPC_MEMBERS_WANTED, (uint64_t)m->id, &q.base);
}

lt_res ca_mass_freeze(struct ca_turn *t, struct ca_mass *m, bool *ret_more)
{
    if (strcmp(m->source, "key") == 0) {
        *ret_more = true;
        return freeze_key(t, m);
    }
    if (asked_lately(t)) {
        return LT_OK;
    }
    char *scope = NULL;
    LT_TRY(tier_scope(t, m, m->at_tier, &scope));
    if (scope == NULL) {
        *ret_more = true;
        return frozen(t, m);
    }
    return ask_members(t, m, scope, false);
}

/* ---- what a reader says ---- */

static lt_res take_page(struct ca_turn *t, struct ca_mass *m, const Ipc__Members *p)
{
    int64_t added = 0;
    struct place at = {m->at_tier, m->at_issuer, m->at_serial};
    LT_CHECK(p->n_issuers == p->n_serials && p->n_serials <= CA_MASS_PAGE, LT_PEER_MALFORMED,
             "a page of %zu members", p->n_serials);
    LT_CHECK(!p->told_apart || p->n_tiers == p->n_serials, LT_PEER_MALFORMED, "%zu tiers for %zu members",
             p->n_tiers, p->n_serials);
    for (size_t i = 0; i < p->n_serials; i++) {
        LT_CHECK(!p->told_apart || p->tiers[i] < CA_MASS_TIERS_MAX, LT_PEER_MALFORMED, "a tier beyond %d",
                 CA_MASS_TIERS_MAX);
        at.tier = p->told_apart ? p->tiers[i] : m->at_tier;
        at.issuer = p->issuers[i];
        at.serial = LT_SLICE(p->serials[i].data, p->serials[i].len);
        LT_CHECK(at.serial.len > 0 && at.serial.len <= SERIAL_MAX, LT_PEER_MALFORMED, "a serial of %zu bytes",
                 at.serial.len);
        LT_TRY(add_member(t, m->id, &at, &added));
    }
    at.tier = m->at_tier;
    if (p->last) { /* all tiers at once, or the next one */
        at = (struct place){p->told_apart ? CA_MASS_TIERS_MAX : m->at_tier + 1, 0, LT_LIT("")};
    }
    return frozen_to(t, m, &at, added);
}

static lt_res take_count(struct ca_turn *t, struct ca_mass *m, uint64_t count)
{
    if (count == (uint64_t)m->count) {
        return ca_mass_move(t, m, "same", "");
    }
    char *why = lt_arena_printf(t->arena,
                                "the scope has %llu certificates now, %lld are approved: resume revokes the "
                                "approved ones, or stop and freeze it anew",
                                (unsigned long long)count, (long long)m->count);
    LT_ASSERT(why != NULL);
    LT_TRY(ca_mass_move(t, m, "differs", why));
    return ca_mass_event(t, m, "mass.differs", NULL);
}

/* Who stopped the freezing may freeze anew; a plan that is approved waits for somebody who looks. */
static lt_res take_failure(struct ca_turn *t, struct ca_mass *m, const char *failed)
{
    char *uncounted = lt_arena_printf(t->arena,
                                      "its members could not be counted again: %.200s; resume revokes the "
                                      "approved ones uncounted",
                                      failed);
    LT_ASSERT(uncounted != NULL);
    LT_TRY(ca_mass_move(t, m, "fail", strcmp(m->status, "checking") == 0 ? uncounted : failed));
    return ca_mass_event(t, m, "mass.failed", NULL);
}

lt_res ca_mass_on_members(struct ca_turn *t, const Ipc__Members *p)
{
    struct ca_mass m;
    t->book->mass.members_asked = (lt_time){0};
    t->book->mass.pending = true;
    lt_res r = ca_mass_load(t, p->mass, &m);
    if (r.code == LT_PEER_NOT_FOUND) {
        return LT_OK;
    }
    LT_TRY(r);
    bool freezing = strcmp(m.status, "freezing") == 0;
    bool checking = strcmp(m.status, "checking") == 0;
    if (p->failed[0] != '\0') {
        bool of_this = p->count_only ? checking : freezing;
        return of_this ? take_failure(t, &m, p->failed) : LT_OK;
    }
    if (checking && p->count_only) {
        return take_count(t, &m, p->count);
    }
    bool wanted = freezing && !p->count_only && p->tier == (uint64_t)m.at_tier &&
                  p->after_issuer == m.at_issuer &&
                  lt_slice_eq(LT_SLICE(p->after_serial.data, p->after_serial.len), m.at_serial);
    return wanted ? take_page(t, &m, p) : LT_OK; /* another is an answer that was asked for twice */
}

/* The list was frozen and approved; what the expression says now may be something else. */
lt_res ca_mass_check(struct ca_turn *t, struct ca_mass *m, bool *ret_more)
{
    if (strcmp(m->source, "key") == 0) {
        *ret_more = true;
        return ca_mass_move(t, m, "same", "");
    }
    if (asked_lately(t)) {
        return LT_OK;
    }
    struct ca_mass from_the_first = *m;
    char *scope = lt_arena_cstr(t->arena, m->scope);
    LT_ASSERT(scope != NULL);
    from_the_first.at_tier = 0;
    from_the_first.at_issuer = 0;
    from_the_first.at_serial = LT_LIT("");
    from_the_first.as_of_us = t->now.us;
    return ask_members(t, &from_the_first, scope, true);
}

/* ---- sealing ---- */

struct seal {
    struct ca_merkle tree;
    int64_t issuer;
    lt_slice first;
    lt_slice last;    /* both in the turn's arena */
    bool full;        /* the next member is another batch's */
    bool end;         /* the tier has no more */
    uint8_t *members; /* of the turn's arena: serials, each behind its length */
    size_t members_len;
};

static lt_slice kept(struct ca_turn *t, lt_slice serial)
{
    lt_slice copy = lt_arena_copy(t->arena, serial);
    LT_ASSERT(copy.ptr != NULL);
    return copy;
}

/* What is longer than a serial number may be leaves the list short, and no frame is written. */
static void remember(struct seal *s, lt_slice serial)
{
    if (serial.len <= CA_MASS_SERIAL_MAX) {
        s->members[s->members_len] = (uint8_t)serial.len;
        memcpy(&s->members[s->members_len + 1], serial.ptr, serial.len);
        s->members_len += 1 + serial.len;
    }
}

/* Among the evidence, which is synced before the commit: a book that is put back finds it behind its own end.
 */
static lt_res keep_members(struct ca_turn *t, const struct ca_mass *m, const struct seal *s)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, s->issuer);
    const struct ca_mass_members members = {
        .mass = (uint64_t)m->id,
        .batch = (uint32_t)m->batches,
        .count = (uint32_t)s->tree.count,
        .issuer = lt_slice_cstr(issuer == NULL ? "" : issuer->name),
        .serials = LT_SLICE(s->members, s->members_len),
    };
    struct lt_buf plain;
    struct store_frame_ref unused;
    struct ca_mass_members again;
    if (t->book->evidence == NULL) {
        return LT_OK;
    }
    lt_buf_init(&plain, STORE_FRAME_PLAIN_MAX);
    ca_mass_members_write(&members, &plain);
    bool whole = !lt_failed(ca_mass_members_read(lt_buf_slice(&plain), &again));
    lt_res r = whole ? store_segments_append(t->book->evidence, lt_buf_slice(&plain), t->now, &unused)
                     : LT_OK;
    t->book->at.evidence_waiting = store_segments_mark(t->book->evidence);
    lt_buf_done(&plain);
    return r;
}

static lt_res seal_page(struct ca_turn *t, const struct ca_mass *m, struct seal *s)
{
    struct store_rows rows;
    size_t count = 0;
    uint8_t last[SERIAL_MAX];
    size_t last_len = 0;
    bool begun = s->tree.count > 0;
    LT_TRY(
        store_query(t->store, &sql[SQL_MEMBERS],
                    STORE_ARGS(STORE_I(m->id), STORE_I(m->at_tier), STORE_I(begun ? s->issuer : m->at_issuer),
                               STORE_B(begun ? s->last : m->at_serial)),
                    &rows));
    while (!s->full && store_next(&rows)) {
        lt_slice serial = store_bytes(&rows, 1);
        count++;
        if (s->tree.count == 0) {
            s->issuer = store_int(&rows, 0);
            s->first = kept(t, serial);
        }
        s->full = store_int(&rows, 0) != s->issuer || s->tree.count == CA_MASS_BATCH;
        if (!s->full && serial.len <= sizeof last) {
            ca_merkle_add(&s->tree, serial);
            remember(s, serial);
            memcpy(last, serial.ptr, serial.len);
            last_len = serial.len;
        }
    }
    s->end = count < CA_MASS_SLICE && !s->full;
    s->last = last_len > 0 ? kept(t, LT_SLICE(last, last_len)) : s->last;
    return store_rows_end(&rows);
}

static lt_res sealed_to(struct ca_turn *t, struct ca_mass *m, const struct place *p)
{
    return store_exec(t->store, &sql[SQL_SEALED_TO],
                      STORE_ARGS(STORE_I(m->id), STORE_I(m->batches), STORE_I(p->tier), STORE_I(p->issuer),
                                 STORE_B(p->serial)),
                      NULL);
}

static lt_res add_batch(struct ca_turn *t, struct ca_mass *m, const struct seal *s)
{
    uint8_t root[CA_MERKLE_LEN];
    lt_slice at = m->at_issuer == s->issuer ? m->at_serial : LT_LIT("");
    ca_merkle_root(&s->tree, root);
    LT_TRY(store_exec(t->store, &sql[SQL_BATCH_ADD],
                      STORE_ARGS(STORE_I(m->id), STORE_I(m->batches), STORE_I(m->at_tier), STORE_I(s->issuer),
                                 STORE_B(s->first), STORE_B(s->last), STORE_I((int64_t)s->tree.count),
                                 STORE_B(LT_SLICE(root, sizeof root)), STORE_B(at)),
                      NULL));
    LT_TRY(keep_members(t, m, s));
    m->batches++;
    return LT_OK;
}

static lt_res root_of(struct ca_turn *t, const struct ca_mass *m, uint8_t ret_root[CA_MERKLE_LEN])
{
    struct ca_merkle tree;
    ca_merkle_init(&tree);
    while ((int64_t)tree.count < m->batches) {
        struct store_rows rows;
        uint64_t before = tree.count;
        LT_TRY(store_query(t->store, &sql[SQL_ROOTS], STORE_ARGS(STORE_I(m->id), STORE_I((int64_t)before)),
                           &rows));
        while (store_next(&rows)) {
            ca_merkle_add(&tree, store_bytes(&rows, 0));
        }
        LT_TRY(store_rows_end(&rows));
        LT_CHECK(tree.count > before, LT_STATE_CORRUPT, "m%lld lacks batches", (long long)m->id);
    }
    ca_merkle_root(&tree, ret_root);
    return LT_OK;
}

/* More than one person may decide alone: the plan is there to be approved. */
lt_res ca_mass_propose(struct ca_turn *t, const struct ca_mass *m, const struct ca_plan_asker *by,
                       lt_time expires)
{
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    const char *json = NULL;
    p.action = lt_arena_cstr(t->arena, LT_LIT(CA_ACTION_MASS_REVOKE));
    p.parameters = lt_arena_printf(t->arena, "{\"mass\":\"m%lld\",\"reason\":\"%s\",\"root\":\"%s\"}",
                                   (long long)m->id, ca_reason_name(m->reason), lt_hex(t->arena, m->root));
    LT_ASSERT(p.action != NULL && p.parameters != NULL);
    p.expires_us = expires.us;
    return ca_plan_create(t, by, &p, &json);
}

static lt_res sealed(struct ca_turn *t, struct ca_mass *m)
{
    uint8_t root[CA_MERKLE_LEN];
    LT_TRY(root_of(t, m, root));
    LT_TRY(store_exec(t->store, &sql[SQL_ROOT],
                      STORE_ARGS(STORE_I(m->id), STORE_B(LT_SLICE(root, sizeof root))), NULL));
    m->root = kept(t, LT_SLICE(root, sizeof root));
    if (m->count == 0) {
        LT_TRY(ca_mass_move(t, m, "empty", "no certificate is meant"));
        return ca_mass_event(t, m, "mass.done", NULL);
    }
    LT_TRY(ca_mass_move(t, m, "sealed", ""));
    if (m->count > ca_mass_alone(t)) {
        const struct ca_plan_asker by = {.operator_name = m->created_by};
        LT_TRY(ca_mass_propose(t, m, &by, (lt_time){0}));
        LT_TRY(ca_mass_load(t, m->id, m));
    }
    LT_TRY(ca_mass_event(t, m, "mass.proposed", NULL));
    return ca_mass_auto_start(t, m);
}

/* One batch. */
lt_res ca_mass_seal(struct ca_turn *t, struct ca_mass *m, bool *ret_more)
{
    struct seal s = {.issuer = 0};
    ca_merkle_init(&s.tree);
    s.members = lt_arena_alloc(t->arena, (size_t)CA_MASS_BATCH * (CA_MASS_SERIAL_MAX + 1));
    LT_ASSERT(s.members != NULL);
    t->book->mass.sealing = true;
    *ret_more = true;
    while (!s.full && !s.end) {
        LT_TRY(seal_page(t, m, &s));
    }
    if (s.tree.count > 0) {
        LT_TRY(add_batch(t, m, &s));
        const struct place to = {m->at_tier, s.issuer, s.last};
        return sealed_to(t, m, &to);
    }
    char *scope = NULL;
    LT_TRY(tier_scope(t, m, m->at_tier + 1, &scope));
    const struct place next = {m->at_tier + 1, 0, LT_LIT("")};
    return scope == NULL ? sealed(t, m) : sealed_to(t, m, &next);
}
