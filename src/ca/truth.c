/* What has become of certificates: the edges, and who is told of what. */
#include "ca/truth.h"

#include <string.h>

#include "ca/book.h"

#define LAST_OF(issuer_, serial_)                                                                \
    "SELECT step, state FROM certificate_truth WHERE issuer = " issuer_ " AND serial = " serial_ \
    " ORDER BY step DESC LIMIT 1"

static const struct store_sql sql[] = {
    {"truth.last", LAST_OF("?1", "?2")},
    {"truth.add", "INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, "
                  "by_serial) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"},
    {"truth.replacement", "INSERT INTO replacement (old_issuer, old_serial, new_issuer, new_serial, how, "
                          "seen_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"},
    {"truth.before", "SELECT issuer, serial, not_after_us FROM certificate WHERE name_set_sha256 = ?1 AND "
                     "issued_us <= ?2 ORDER BY issued_us DESC LIMIT 17"},
    {"truth.after", "SELECT issuer, serial FROM certificate WHERE name_set_sha256 = ?1 AND issued_us > ?2 "
                    "ORDER BY issued_us LIMIT 1"},
    {"truth.newer", "SELECT new_issuer, new_serial FROM replacement WHERE old_issuer = ?1 AND "
                    "old_serial = ?2 LIMIT 1"},
    {"truth.older", "SELECT old_issuer, old_serial FROM replacement WHERE new_issuer = ?1 AND "
                    "new_serial = ?2 LIMIT 16"},
    {"truth.shown", "SELECT 1 FROM usage_endpoint WHERE issuer = ?1 AND serial = ?2 LIMIT 1"},
    {"truth.swept", "SELECT at_issuer, at_serial, done FROM truth_sweep WHERE id = 1"},
    {"truth.sweep-to", "INSERT INTO truth_sweep (id, at_issuer, at_serial, done) VALUES (1, ?1, ?2, ?3) "
                       "ON CONFLICT (id) DO UPDATE SET at_issuer = excluded.at_issuer, "
                       "at_serial = excluded.at_serial, done = excluded.done"},
    {"truth.page",
     "SELECT issuer, serial, name_set_sha256, issued_us, name_count, not_after_us, order_id, sequence FROM "
     "certificate WHERE (issuer, serial) > (?1, ?2) AND copy = 0 ORDER BY issuer, serial LIMIT 250"},
};
enum {
    SQL_LAST,
    SQL_ADD,
    SQL_REPLACEMENT,
    SQL_BEFORE,
    SQL_AFTER,
    SQL_NEWER,
    SQL_OLDER,
    SQL_SHOWN,
    SQL_SWEPT,
    SQL_SWEEP_TO,
    SQL_PAGE,
};
const struct store_sql *const ca_truth_sql = sql;
const size_t ca_truth_sql_count = LT_COUNT(sql);

enum {
    BEFORE_MAX = 17, /* rows of the statement: 16 and the certificate itself */
    OLDER_MAX = 16,
    BACK_MAX = 64, /* certificates that one sight can tell something about */
    PAGE_MAX = 250,
};

const struct ca_truth_edge ca_truth_edges[] = {
    {CA_TRUTH_SILENT, CA_TRUTH_SUCCESSOR, CA_TRUTH_NOT_SEEN},
    {CA_TRUTH_SILENT, CA_TRUTH_SEEN, CA_TRUTH_IN_USE},
    {CA_TRUTH_SILENT, CA_TRUTH_SUCCESSOR_SEEN, CA_TRUTH_DEPLOYED},
    {CA_TRUTH_NOT_SEEN, CA_TRUTH_SEEN, CA_TRUTH_IN_USE},
    {CA_TRUTH_NOT_SEEN, CA_TRUTH_SUCCESSOR_SEEN, CA_TRUTH_DEPLOYED},
    {CA_TRUTH_IN_USE, CA_TRUTH_LEFT, CA_TRUTH_DEPLOYED},
    {CA_TRUTH_DEPLOYED, CA_TRUTH_SEEN, CA_TRUTH_IN_USE},
};
const size_t ca_truth_edge_count = LT_COUNT(ca_truth_edges);

static const char *const event_names[CA_TRUTH_EVENTS] = {
    [CA_TRUTH_SUCCESSOR] = "successor",
    [CA_TRUTH_SEEN] = "seen",
    [CA_TRUTH_SUCCESSOR_SEEN] = "successor-seen",
    [CA_TRUTH_LEFT] = "left",
};

/* What has no edge changes nothing: a certificate in use stays in use, whatever was issued since. */
static enum ca_truth_state next_state(enum ca_truth_state from, enum ca_truth_event event)
{
    for (size_t i = 0; i < LT_COUNT(ca_truth_edges); i++) {
        if (ca_truth_edges[i].from == from && ca_truth_edges[i].event == event) {
            return ca_truth_edges[i].to;
        }
    }
    return from;
}

struct last {
    int64_t step;
    enum ca_truth_state state;
};

static lt_res last_of(struct ca_turn *t, const struct ca_truth_certificate *c, struct last *ret_last)
{
    struct store_rows rows;
    *ret_last = (struct last){0, CA_TRUTH_SILENT};
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    if (store_next(&rows)) {
        ret_last->step = store_int(&rows, 0);
        ret_last->state = (enum ca_truth_state)store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

/* by: what it gave way to; NULL: nothing of this book. */
static lt_res tell(struct ca_turn *t, const struct ca_truth_certificate *c, enum ca_truth_event event,
                   const struct ca_truth_certificate *by)
{
    struct last last;
    LT_TRY(last_of(t, c, &last));
    enum ca_truth_state state = next_state(last.state, event);
    if (state == last.state) {
        return LT_OK;
    }
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(last.step + 1),
                                 STORE_I(state), STORE_S(event_names[event]), STORE_I(t->now.us),
                                 STORE_I(by == NULL ? 0 : by->issuer),
                                 STORE_B(by == NULL ? LT_LIT("") : by->serial)),
                      NULL);
}

static bool same(const struct ca_truth_certificate *a, const struct ca_truth_certificate *b)
{
    return a->issuer == b->issuer && lt_slice_eq(a->serial, b->serial);
}

static lt_slice kept(struct ca_turn *t, lt_slice bytes)
{
    lt_slice copy = lt_arena_copy(t->arena, bytes);
    LT_ASSERT(copy.ptr != NULL || bytes.len == 0);
    return copy;
}

/* ---- replacements ---- */

static lt_res any_row(struct ca_turn *t, int statement, const struct ca_truth_certificate *c, bool *ret_any)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[statement], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    *ret_any = store_next(&rows);
    return store_rows_end(&rows);
}

static bool is_deployed(enum ca_truth_state state)
{
    return state == CA_TRUTH_IN_USE || state == CA_TRUTH_DEPLOYED;
}

lt_res ca_truth_replaced(struct ca_turn *t, const struct ca_truth_certificate *older,
                         const struct ca_truth_certificate *newer, const char *how)
{
    struct last last;
    if (same(older, newer)) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_REPLACEMENT],
                      STORE_ARGS(STORE_I(older->issuer), STORE_B(older->serial), STORE_I(newer->issuer),
                                 STORE_B(newer->serial), STORE_S(how), STORE_I(t->now.us)),
                      NULL));
    LT_TRY(last_of(t, newer, &last));
    return tell(t, older, is_deployed(last.state) ? CA_TRUTH_SUCCESSOR_SEEN : CA_TRUTH_SUCCESSOR, newer);
}

struct found {
    struct ca_truth_certificate c;
    int64_t not_after_us;
};

static lt_res read_before(struct ca_turn *t, lt_slice name_set, lt_time issued, struct found *list,
                          size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_BEFORE], STORE_ARGS(STORE_B(name_set), STORE_I(issued.us)), &rows));
    while (*ret_count < BEFORE_MAX && store_next(&rows)) {
        list[*ret_count].c = (struct ca_truth_certificate){store_int(&rows, 0),
                                                           kept(t, store_bytes(&rows, 1))};
        list[(*ret_count)++].not_after_us = store_int(&rows, 2);
    }
    return store_rows_end(&rows);
}

/* Back to the first that gave way before: all behind it did as well. */
static lt_res replace_older(struct ca_turn *t, const struct ca_truth_certificate *c, lt_slice name_set,
                            lt_time issued)
{
    struct found list[BEFORE_MAX];
    size_t count = 0;
    LT_TRY(read_before(t, name_set, issued, list, &count));
    for (size_t i = 0; i < count; i++) {
        bool replaced = false;
        if (same(&list[i].c, c)) {
            continue;
        }
        LT_TRY(any_row(t, SQL_NEWER, &list[i].c, &replaced));
        if (replaced || list[i].not_after_us < issued.us) {
            break;
        }
        LT_TRY(ca_truth_replaced(t, &list[i].c, c, "same-names"));
    }
    return LT_OK;
}

static lt_res replaced_by_newer(struct ca_turn *t, const struct ca_truth_certificate *c, lt_slice name_set,
                                lt_time issued)
{
    struct store_rows rows;
    struct ca_truth_certificate newer = {0, LT_LIT("")};
    bool replaced = false;
    LT_TRY(any_row(t, SQL_NEWER, c, &replaced));
    if (replaced) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_AFTER], STORE_ARGS(STORE_B(name_set), STORE_I(issued.us)), &rows));
    if (store_next(&rows)) {
        newer = (struct ca_truth_certificate){store_int(&rows, 0), kept(t, store_bytes(&rows, 1))};
    }
    LT_TRY(store_rows_end(&rows));
    return newer.issuer == 0 ? LT_OK : ca_truth_replaced(t, c, &newer, "same-names");
}

lt_res ca_truth_arrived(struct ca_turn *t, const struct ca_truth_certificate *c, lt_slice name_set_sha256,
                        lt_time issued)
{
    LT_TRY(replace_older(t, c, name_set_sha256, issued));
    return replaced_by_newer(t, c, name_set_sha256, issued);
}

/* ---- what an endpoint shows ---- */

struct back {
    struct ca_truth_certificate list[BACK_MAX];
    size_t count;
};

static lt_res add_older(struct ca_turn *t, const struct ca_truth_certificate *c, struct back *b)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OLDER], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    while (b->count < BACK_MAX && store_next(&rows)) {
        b->list[b->count++] = (struct ca_truth_certificate){store_int(&rows, 0),
                                                            kept(t, store_bytes(&rows, 1))};
    }
    return store_rows_end(&rows);
}

/* All that `c` replaces, directly or by way of others, as far as it was not told before. */
static lt_res tell_older(struct ca_turn *t, const struct ca_truth_certificate *c)
{
    struct back *b = LT_NEW(t->arena, struct back);
    LT_ASSERT(b != NULL);
    LT_TRY(add_older(t, c, b));
    for (size_t i = 0; i < b->count; i++) {
        struct last last;
        LT_TRY(last_of(t, &b->list[i], &last));
        if (last.state != CA_TRUTH_DEPLOYED && !same(&b->list[i], c)) {
            LT_TRY(tell(t, &b->list[i], CA_TRUTH_SUCCESSOR_SEEN, c));
            LT_TRY(add_older(t, &b->list[i], b));
        }
    }
    return LT_OK;
}

lt_res ca_truth_observed(struct ca_turn *t, const struct ca_truth_certificate *before,
                         const struct ca_truth_certificate *now)
{
    bool shown = true;
    if (before != NULL) {
        LT_TRY(any_row(t, SQL_SHOWN, before, &shown));
    }
    LT_TRY(shown ? LT_OK : tell(t, before, CA_TRUTH_LEFT, now));
    if (now == NULL) {
        return LT_OK;
    }
    LT_TRY(tell(t, now, CA_TRUTH_SEEN, NULL));
    return tell_older(t, now);
}

/* ---- what was there before ---- */

struct swept {
    struct ca_truth_certificate c;
    lt_slice name_set;
    lt_time issued;
    bool counts; /* it has names, is not over, and not of our own gateways */
};

static lt_res read_page(struct ca_turn *t, const struct ca_truth_certificate *after, struct swept *list,
                        size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_PAGE], STORE_ARGS(STORE_I(after->issuer), STORE_B(after->serial)),
                       &rows));
    while (*ret_count < PAGE_MAX && store_next(&rows)) {
        struct swept *s = &list[(*ret_count)++];
        s->c = (struct ca_truth_certificate){store_int(&rows, 0), kept(t, store_bytes(&rows, 1))};
        s->name_set = kept(t, store_bytes(&rows, 2));
        s->issued.us = store_int(&rows, 3);
        bool own = store_int(&rows, 6) == 0 && store_int(&rows, 7) > 0; /* signed here, for nobody's order */
        s->counts = !own && store_int(&rows, 4) > 0 && store_int(&rows, 5) >= t->now.us;
    }
    return store_rows_end(&rows);
}

/* A replacement may be there without anybody having told the certificate. */
static lt_res sweep_one(struct ca_turn *t, const struct swept *s)
{
    struct store_rows rows;
    struct ca_truth_certificate newer = {0, LT_LIT("")};
    if (!s->counts) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_NEWER], STORE_ARGS(STORE_I(s->c.issuer), STORE_B(s->c.serial)),
                       &rows));
    if (store_next(&rows)) {
        newer = (struct ca_truth_certificate){store_int(&rows, 0), kept(t, store_bytes(&rows, 1))};
    }
    LT_TRY(store_rows_end(&rows));
    return newer.issuer != 0 ? tell(t, &s->c, CA_TRUTH_SUCCESSOR, &newer)
                             : replaced_by_newer(t, &s->c, s->name_set, s->issued);
}

lt_res ca_truth_sweep(struct ca_turn *t, bool *ret_more)
{
    struct ca_truth_certificate after = {0, LT_LIT("")};
    struct store_rows rows;
    size_t count = 0;
    bool done = false;
    struct swept *list = LT_NEW_ARRAY(t->arena, struct swept, PAGE_MAX);
    LT_ASSERT(list != NULL);
    *ret_more = false;
    LT_TRY(store_query(t->store, &sql[SQL_SWEPT], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        after = (struct ca_truth_certificate){store_int(&rows, 0), kept(t, store_bytes(&rows, 1))};
        done = store_int(&rows, 2) != 0;
    }
    LT_TRY(store_rows_end(&rows));
    if (done) {
        return LT_OK;
    }
    LT_TRY(read_page(t, &after, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(sweep_one(t, &list[i]));
        after = list[i].c;
    }
    *ret_more = count == PAGE_MAX;
    return store_exec(t->store, &sql[SQL_SWEEP_TO],
                      STORE_ARGS(STORE_I(after.issuer), STORE_B(after.serial), STORE_I(*ret_more ? 0 : 1)),
                      NULL);
}
