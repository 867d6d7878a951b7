/* Scans at work: pages of names from a reader, looks by the courier, what they showed into the book.
 *
 * Pages are in memory; the row's cursor moves behind the oldest when all of it was looked at. What is lost
 * with a process is asked again from the cursor, and an endpoint that this scan has looked at is passed over.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/book.h"
#include "ca/config.h"
#include "ca/truth.h"
#include "ca/usage_internal.h"

static const struct store_sql sql[] = {
    {"usage.count", "UPDATE usage_scan SET count = ?2 WHERE id = ?1"},
    {"usage.cursor", "UPDATE usage_scan SET at_issuer = ?2, at_serial = ?3, certificates = certificates + ?4 "
                     "WHERE id = ?1"},
    {"usage.sum", "UPDATE usage_scan SET looked = looked + ?2, served = served + ?3, ours = ours + ?4, "
                  "failed = failed + ?5, skipped = skipped + ?6 WHERE id = ?1"},
    {"usage.endpoint", "SELECT scan, issuer, serial FROM usage_endpoint WHERE name = ?1 AND port = ?2"},
    {"usage.observe", "INSERT INTO usage_observation (name, port, looked_us, scan, outcome, address, sha256, "
                      "issuer, serial, not_after_us, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                      "?10, ?11) ON CONFLICT DO NOTHING"},
    {"usage.shows", "INSERT INTO usage_endpoint (name, port, scan, looked_us, outcome, seen_us, sha256, "
                    "issuer, serial) VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7, ?8) "
                    "ON CONFLICT (name, port) DO UPDATE SET scan = excluded.scan, "
                    "looked_us = excluded.looked_us, outcome = excluded.outcome, "
                    "seen_us = excluded.seen_us, sha256 = excluded.sha256, issuer = excluded.issuer, "
                    "serial = excluded.serial"},
    {"usage.silent", "INSERT INTO usage_endpoint (name, port, scan, looked_us, outcome, seen_us, sha256, "
                     "issuer, serial) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, ?6) "
                     "ON CONFLICT (name, port) DO UPDATE SET scan = excluded.scan, "
                     "looked_us = excluded.looked_us, outcome = excluded.outcome"},
    {"usage.by-hash", "SELECT issuer, serial FROM certificate WHERE sha256 = ?1 LIMIT 1"},
    {"usage.by-serial", "SELECT sha256 FROM certificate WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
};
enum {
    SQL_COUNT,
    SQL_CURSOR,
    SQL_SUM,
    SQL_ENDPOINT,
    SQL_OBSERVE,
    SQL_SHOWS,
    SQL_SILENT,
    SQL_BY_HASH,
    SQL_BY_SERIAL,
};
const struct store_sql *const ca_usage_look_sql = sql;
const size_t ca_usage_look_sql_count = LT_COUNT(sql);

enum {
    ASK_AGAIN_S = 60,
    SILENCE_S = 120, /* of a courier with pages: then they are asked for again */
    NAME_MAX_LEN = 253,
};

void ca_usage_forget(struct ca_book *b)
{
    uint64_t number = b->usage.number;
    b->usage = (struct ca_usage_memory){.number = number};
}

void ca_usage_ask_again(struct ca_book *b)
{
    ca_usage_forget(b);
}

static bool within(lt_time since, lt_time now, int64_t seconds)
{
    return since.us != 0 && now.us >= since.us && now.us - since.us < seconds * LT_US_PER_SECOND;
}

/* ---- pages ---- */

static lt_res ask(struct ca_turn *t, const struct ca_usage *u, bool count_only)
{
    struct ca_usage_memory *m = &t->book->usage;
    const struct ca_usage_page *tail = m->count > 0 ? &m->pages[m->count - 1] : NULL;
    lt_slice after = tail == NULL ? u->at_serial : LT_SLICE(tail->last_serial, tail->last_len);
    Ipc__EndpointsWanted q = IPC__ENDPOINTS_WANTED__INIT;
    q.scan = u->id;
    q.scope = (char *)(uintptr_t)u->scope; /* packed, not kept */
    q.as_of_us = u->as_of_us;
    q.most = CA_USAGE_PAGE;
    q.count_only = count_only;
    q.after_issuer = tail == NULL ? u->at_issuer : tail->last_issuer;
    q.after_serial.data = (uint8_t *)(uintptr_t)after.ptr; /* the same */
    q.after_serial.len = after.len;
    LT_TRY(ca_turn_send(t, IPC_READER, IPC_ENDPOINTS_WANTED, (uint64_t)u->id, &q.base));
    m->asked = t->now;
    return LT_OK;
}

/* The oldest pages that were looked at whole: the cursor goes behind them. */
static lt_res drop_whole(struct ca_turn *t, struct ca_usage *u)
{
    struct ca_usage_memory *m = &t->book->usage;
    while (m->count > 0 && m->pages[0].open == 0) {
        const struct ca_usage_page *p = &m->pages[0];
        lt_slice serial = LT_SLICE(p->last_serial, p->last_len);
        LT_TRY(store_exec(
            t->store, &sql[SQL_CURSOR],
            STORE_ARGS(STORE_I(u->id), STORE_I(p->last_issuer), STORE_B(serial), STORE_I(p->certificates)),
            NULL));
        u->at_issuer = p->last_issuer;
        u->at_serial = lt_arena_copy(t->arena, serial);
        LT_ASSERT(u->at_serial.ptr != NULL || serial.len == 0);
        m->count--;
        memmove(&m->pages[0], &m->pages[1], m->count * sizeof m->pages[0]);
    }
    return LT_OK;
}

lt_res ca_usage_go_on(struct ca_turn *t, struct ca_usage *u)
{
    struct ca_usage_memory *m = &t->book->usage;
    if (m->scan != u->id) {
        ca_usage_forget(t->book);
        m->scan = u->id;
    }
    bool asked = within(m->asked, t->now, ASK_AGAIN_S);
    if (strcmp(u->status, "counting") == 0) {
        return asked ? LT_OK : ask(t, u, true);
    }
    if (m->count > 0 && !within(m->heard, t->now, SILENCE_S)) {
        ca_usage_forget(t->book);
        return LT_OK; /* from the cursor, with the next step */
    }
    LT_TRY(drop_whole(t, u));
    if (m->whole && m->count == 0) {
        LT_TRY(ca_usage_load(t, u->id, u)); /* with what the last page added */
        LT_TRY(ca_usage_move(t, u, "finish", "", NULL));
        ca_usage_forget(t->book);
        return LT_OK;
    }
    return m->whole || asked || m->count == CA_USAGE_PAGES ? LT_OK : ask(t, u, false);
}

/* ---- what a reader says ---- */

static lt_res looked_before(struct ca_turn *t, int64_t scan, const char *name, uint32_t port,
                            bool *ret_looked)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ENDPOINT], STORE_ARGS(STORE_S(name), STORE_I(port)), &rows));
    *ret_looked = store_next(&rows) && store_int(&rows, 0) == scan;
    return store_rows_end(&rows);
}

/* "443,8443" as it was made by create. */
static size_t read_ports(const char *text, uint32_t list[CA_USAGE_PORTS_MAX])
{
    size_t count = 0;
    for (const char *at = text; count < CA_USAGE_PORTS_MAX && *at != '\0';) {
        char *end = NULL;
        list[count++] = (uint32_t)strtoul(at, &end, 10);
        at = *end == ',' ? end + 1 : end;
    }
    return count;
}

static lt_res add_targets(struct ca_turn *t, const struct ca_usage *u, const Ipc__Endpoints *m,
                          Ipc__UsageLook *look)
{
    uint32_t ports[CA_USAGE_PORTS_MAX];
    size_t port_count = read_ports(u->ports, ports);
    look->targets = LT_NEW_ARRAY(t->arena, Ipc__UsageTarget *, m->n_names * port_count + 1);
    LT_ASSERT(look->targets != NULL);
    for (size_t i = 0; i < m->n_names * port_count; i++) {
        char *name = m->names[i / port_count];
        uint32_t port = ports[i % port_count];
        bool looked = false;
        LT_TRY(looked_before(t, u->id, name, port, &looked));
        if (!looked) {
            Ipc__UsageTarget *target = LT_NEW(t->arena, Ipc__UsageTarget);
            LT_ASSERT(target != NULL);
            ipc__usage_target__init(target);
            target->name = name;
            target->port = port;
            look->targets[look->n_targets++] = target;
        }
    }
    return LT_OK;
}

static lt_res take_page(struct ca_turn *t, const struct ca_usage *u, const Ipc__Endpoints *p)
{
    struct ca_usage_memory *m = &t->book->usage;
    Ipc__UsageLook look = IPC__USAGE_LOOK__INIT;
    LT_CHECK(p->n_names <= CA_USAGE_NAMES_MAX && p->last_serial.len <= CA_USAGE_SERIAL_MAX, LT_PEER_MALFORMED,
             "a page of %zu names", p->n_names);
    LT_TRY(add_targets(t, u, p, &look));
    look.scan = u->id;
    look.page = m->number + 1;
    look.rate = (uint32_t)u->rate;
    look.concurrency = (uint32_t)u->concurrency;
    look.timeout_ms = (uint32_t)u->timeout_ms;
    look.private_too = t->book->config != NULL && t->book->config->allow_private;
    look.resolver = t->book->config == NULL || t->book->config->resolver == NULL
                        ? look.resolver
                        : (char *)(uintptr_t)t->book->config->resolver; /* packed, not kept */
    if (look.n_targets > 0) {
        LT_TRY(ca_turn_send(t, IPC_COURIER, IPC_USAGE_LOOK, (uint64_t)u->id, &look.base));
    }
    struct ca_usage_page *page = &m->pages[m->count++];
    *page = (struct ca_usage_page){.number = ++m->number,
                                   .open = look.n_targets,
                                   .certificates = (int64_t)p->certificates,
                                   .last_issuer = p->last_issuer,
                                   .last_len = p->last_serial.len};
    if (page->last_len > 0) {
        memcpy(page->last_serial, p->last_serial.data, page->last_len);
    }
    m->whole = p->last;
    m->heard = t->now;
    return LT_OK;
}

static bool is_next(const struct ca_usage *u, const struct ca_usage_memory *m, const Ipc__Endpoints *p)
{
    const struct ca_usage_page *tail = m->count > 0 ? &m->pages[m->count - 1] : NULL;
    lt_slice after = tail == NULL ? u->at_serial : LT_SLICE(tail->last_serial, tail->last_len);
    return p->after_issuer == (tail == NULL ? u->at_issuer : tail->last_issuer) &&
           lt_slice_eq(LT_SLICE(p->after_serial.data, p->after_serial.len), after);
}

static lt_res take_count(struct ca_turn *t, struct ca_usage *u, uint64_t count)
{
    LT_TRY(store_exec(t->store, &sql[SQL_COUNT], STORE_ARGS(STORE_I(u->id), STORE_I(count)), NULL));
    u->count = (int64_t)count;
    LT_TRY(ca_usage_move(t, u, "counted", "", NULL));
    return ca_usage_go_on(t, u);
}

lt_res ca_usage_on_endpoints(struct ca_turn *t, const Ipc__Endpoints *p)
{
    struct ca_usage_memory *m = &t->book->usage;
    struct ca_usage u;
    lt_res r = ca_usage_load(t, p->scan, &u);
    if (r.code == LT_PEER_NOT_FOUND || m->scan != p->scan) {
        return LT_OK; /* asked for by a process that is gone, or ended meanwhile */
    }
    LT_TRY(r);
    bool counting = strcmp(u.status, "counting") == 0;
    bool running = strcmp(u.status, "running") == 0;
    if (p->failed[0] != '\0') {
        return counting || running ? ca_usage_move(t, &u, "fail", p->failed, NULL) : LT_OK;
    }
    if (counting && p->count_only) {
        m->asked = (lt_time){0};
        return take_count(t, &u, p->count);
    }
    if (!running || p->count_only || m->whole || m->count == CA_USAGE_PAGES || !is_next(&u, m, p)) {
        return LT_OK; /* an answer that was asked for twice */
    }
    LT_TRY(take_page(t, &u, p));
    m->asked = (lt_time){0};
    return ca_usage_go_on(t, &u);
}

/* ---- what the courier says ---- */

struct sums {
    int64_t looked;
    int64_t served;
    int64_t ours;
    int64_t failed;
    int64_t skipped;
};

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static lt_slice kept(struct ca_turn *t, lt_slice s)
{
    lt_slice copy = lt_arena_copy(t->arena, s);
    LT_ASSERT(copy.ptr != NULL || s.len == 0);
    return copy;
}

/* One that was imported without its bytes is known by issuer and serial alone. */
static lt_res by_serial(struct ca_turn *t, const Ipc__UsageSight *s, struct ca_truth_certificate *ret)
{
    for (size_t i = 0; i < t->book->issuer_count; i++) {
        const struct ca_issuer *issuer = &t->book->issuers[i];
        struct store_rows rows;
        if (!lt_slice_eq(LT_SLICE(issuer->subject_sha256, CA_HASH_LEN), bytes(s->issuer_sha256))) {
            continue;
        }
        LT_TRY(store_query(t->store, &sql[SQL_BY_SERIAL],
                           STORE_ARGS(STORE_I(issuer->id), STORE_B(bytes(s->serial))), &rows));
        if (store_next(&rows) && store_bytes(&rows, 0).len == 0) {
            *ret = (struct ca_truth_certificate){issuer->id, bytes(s->serial)};
        }
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

/* issuer 0: it is not of this book. */
static lt_res find(struct ca_turn *t, const Ipc__UsageSight *s, struct ca_truth_certificate *ret)
{
    struct store_rows rows;
    *ret = (struct ca_truth_certificate){0, LT_LIT("")};
    LT_TRY(store_query(t->store, &sql[SQL_BY_HASH], STORE_ARGS(STORE_B(bytes(s->sha256))), &rows));
    if (store_next(&rows)) {
        *ret = (struct ca_truth_certificate){store_int(&rows, 0), kept(t, store_bytes(&rows, 1))};
    }
    LT_TRY(store_rows_end(&rows));
    return ret->issuer != 0 ? LT_OK : by_serial(t, s, ret);
}

/* issuer 0: it showed none of this book. */
static lt_res before(struct ca_turn *t, const Ipc__UsageSight *s, struct ca_truth_certificate *ret)
{
    struct store_rows rows;
    *ret = (struct ca_truth_certificate){0, LT_LIT("")};
    LT_TRY(store_query(t->store, &sql[SQL_ENDPOINT], STORE_ARGS(STORE_S(s->name), STORE_I(s->port)), &rows));
    if (store_next(&rows) && store_int(&rows, 1) != 0) {
        *ret = (struct ca_truth_certificate){store_int(&rows, 1), kept(t, store_bytes(&rows, 2))};
    }
    return store_rows_end(&rows);
}

static lt_res observe(struct ca_turn *t, int64_t scan, const Ipc__UsageSight *s, int64_t issuer)
{
    return store_exec(t->store, &sql[SQL_OBSERVE],
                      STORE_ARGS(STORE_S(s->name), STORE_I(s->port), STORE_I(t->now.us), STORE_I(scan),
                                 STORE_S(s->outcome), STORE_S(s->address), STORE_B(bytes(s->sha256)),
                                 STORE_I(issuer), STORE_B(bytes(s->serial)), STORE_I(s->not_after_us),
                                 STORE_S(s->detail)),
                      NULL);
}

static lt_res take_served(struct ca_turn *t, int64_t scan, const Ipc__UsageSight *s, struct sums *sums)
{
    struct ca_truth_certificate old;
    struct ca_truth_certificate now;
    LT_TRY(before(t, s, &old));
    LT_TRY(find(t, s, &now));
    LT_TRY(observe(t, scan, s, now.issuer));
    LT_TRY(store_exec(t->store, &sql[SQL_SHOWS],
                      STORE_ARGS(STORE_S(s->name), STORE_I(s->port), STORE_I(scan), STORE_I(t->now.us),
                                 STORE_S(s->outcome), STORE_B(bytes(s->sha256)), STORE_I(now.issuer),
                                 STORE_B(bytes(s->serial))),
                      NULL));
    sums->served++;
    sums->ours += now.issuer != 0;
    bool same = old.issuer == now.issuer && lt_slice_eq(old.serial, now.serial);
    return same ? LT_OK : ca_truth_observed(t, old.issuer == 0 ? NULL : &old, now.issuer == 0 ? NULL : &now);
}

static lt_res take_silent(struct ca_turn *t, int64_t scan, const Ipc__UsageSight *s, struct sums *sums)
{
    bool skipped = strcmp(s->outcome, "skipped") == 0;
    sums->skipped += skipped;
    sums->failed += !skipped;
    LT_TRY(skipped ? LT_OK : observe(t, scan, s, 0));
    return store_exec(t->store, &sql[SQL_SILENT],
                      STORE_ARGS(STORE_S(s->name), STORE_I(s->port), STORE_I(scan), STORE_I(t->now.us),
                                 STORE_S(s->outcome), STORE_B(LT_LIT(""))),
                      NULL);
}

static lt_res check_sight(const Ipc__UsageSight *s)
{
    bool served = strcmp(s->outcome, "served") == 0;
    LT_CHECK(s->name[0] != '\0' && strlen(s->name) <= NAME_MAX_LEN && s->port > 0 && s->port <= UINT16_MAX,
             LT_PEER_MALFORMED, "a sight of no endpoint");
    LT_CHECK(s->sha256.len == (served ? CA_HASH_LEN : 0) && s->serial.len <= CA_USAGE_SERIAL_MAX &&
                 (s->issuer_sha256.len == 0 || s->issuer_sha256.len == CA_HASH_LEN),
             LT_PEER_MALFORMED, "a sight of %s with a hash of %zu bytes", s->outcome, s->sha256.len);
    return LT_OK;
}

static void count_off(struct ca_usage_memory *m, const Ipc__UsageSeen *seen)
{
    for (size_t i = 0; i < seen->n_sights; i++) {
        for (size_t p = 0; p < m->count; p++) {
            struct ca_usage_page *page = &m->pages[p];
            page->open -= page->number == seen->sights[i]->page && page->open > 0 ? 1 : 0;
        }
    }
}

static lt_res courier_failed(struct ca_turn *t, const Ipc__UsageSeen *seen)
{
    struct ca_usage u;
    char *why = lt_arena_cstr(t->arena, lt_slice_cstr(seen->failed));
    LT_ASSERT(why != NULL);
    lt_res r = ca_usage_load(t, seen->scan, &u);
    if (r.code == LT_PEER_NOT_FOUND || lt_failed(r) || strcmp(u.status, "running") != 0) {
        return r.code == LT_PEER_NOT_FOUND ? LT_OK : r;
    }
    LT_TRY(ca_usage_move(t, &u, "pause", why, NULL));
    ca_usage_forget(t->book);
    return LT_OK;
}

/* What was seen is true, whatever has become of the scan. */
lt_res ca_usage_on_seen(struct ca_turn *t, const Ipc__UsageSeen *seen)
{
    struct ca_usage_memory *m = &t->book->usage;
    struct sums sums = {.looked = 0};
    struct ca_usage u;
    if (seen->failed[0] != '\0') {
        return courier_failed(t, seen);
    }
    LT_CHECK(seen->n_sights <= CA_USAGE_SIGHTS_MAX, LT_PEER_MALFORMED, "%zu sights at once", seen->n_sights);
    for (size_t i = 0; i < seen->n_sights; i++) {
        const Ipc__UsageSight *s = seen->sights[i];
        bool again = false; /* told before somebody died, and asked for once more */
        LT_TRY(check_sight(s));
        LT_TRY(looked_before(t, seen->scan, s->name, s->port, &again));
        if (again) {
            continue;
        }
        sums.looked++;
        LT_TRY(s->sha256.len > 0 ? take_served(t, seen->scan, s, &sums)
                                 : take_silent(t, seen->scan, s, &sums));
    }
    sums.looked -= sums.skipped;
    LT_TRY(store_exec(t->store, &sql[SQL_SUM],
                      STORE_ARGS(STORE_I(seen->scan), STORE_I(sums.looked), STORE_I(sums.served),
                                 STORE_I(sums.ours), STORE_I(sums.failed), STORE_I(sums.skipped)),
                      NULL));
    if (m->scan != seen->scan) {
        return LT_OK;
    }
    count_off(m, seen);
    m->heard = t->now;
    lt_res r = ca_usage_load(t, seen->scan, &u);
    if (r.code == LT_PEER_NOT_FOUND || lt_failed(r) || strcmp(u.status, "running") != 0) {
        return r.code == LT_PEER_NOT_FOUND ? LT_OK : r;
    }
    return ca_usage_go_on(t, &u);
}
