/* Caps of issuers. */
#include "ca/issuer_cap.h"

#include "base/text.h"
#include "ca/body.h"
#include "ca/config.h"

static const struct store_sql sql[] = {
    {"cap.get", "SELECT counted_us, warned, cap FROM issuer_load WHERE issuer = ?1"},
    {"cap.put",
     "INSERT INTO issuer_load (issuer, valid, counted_us, cap, warned) VALUES (?1, ?2, ?3, ?4, ?5) "
     "ON CONFLICT (issuer) DO UPDATE SET valid = excluded.valid, "
     "counted_us = excluded.counted_us, cap = excluded.cap, warned = excluded.warned"},
};
enum { SQL_GET, SQL_PUT };
const struct store_sql *const ca_cap_sql = sql;
const size_t ca_cap_sql_count = LT_COUNT(sql);

enum { PATIENCE_S = 60 }; /* for a reader, which may have a long question before it */

static const unsigned steps[] = {100, 90, 80};

unsigned ca_cap_step(int64_t valid, int64_t cap)
{
    for (size_t i = 0; cap > 0 && i < LT_COUNT(steps); i++) {
        if (valid * 100 >= cap * (int64_t)steps[i]) { /* both are below 2^53 */
            return steps[i];
        }
    }
    return 0;
}

static int64_t cap_of(const struct ca_book *book, const struct ca_issuer *issuer)
{
    const struct ca_config_issuer *c = book->config == NULL
                                           ? NULL
                                           : ca_config_issuer(book->config, lt_slice_cstr(issuer->name));
    return c == NULL ? 0 : c->cap;
}

struct load {
    int64_t counted_us;
    unsigned warned;
    int64_t cap; /* that it was held against */
};

static lt_res read_row(struct ca_turn *t, int64_t issuer, struct load *ret)
{
    struct store_rows rows;
    *ret = (struct load){.counted_us = 0};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(issuer)), &rows));
    if (store_next(&rows)) {
        *ret = (struct load){store_int(&rows, 0), (unsigned)store_int(&rows, 1), store_int(&rows, 2)};
    }
    return store_rows_end(&rows);
}

static lt_res ask(struct ca_turn *t, const struct ca_issuer *issuer)
{
    Ipc__MembersWanted q = IPC__MEMBERS_WANTED__INIT;
    q.scope = lt_arena_printf(t->arena, "issuer = \"%s\" and valid", issuer->name);
    LT_CHECK(q.scope != NULL, LT_PEER_TOO_LARGE, "caps: too much at once");
    q.tier = (uint32_t)issuer->id; /* repeated in the answer */
    q.as_of_us = t->now.us;
    q.most = 1;
    q.count_only = true;
    return ca_turn_send(t, IPC_READER, IPC_MEMBERS_WANTED, 0, &q.base);
}

/* One at a time, the next when that one is answered: a count of millions holds a reader for seconds. */
lt_res ca_cap_tick(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    if (b->cap_asked.us != 0 && t->now.us - b->cap_asked.us < PATIENCE_S * LT_US_PER_SECOND) {
        return LT_OK;
    }
    for (size_t i = 0; i < b->issuer_count; i++) {
        struct load was;
        int64_t cap = cap_of(b, &b->issuers[i]);
        if (cap == 0) {
            continue;
        }
        LT_TRY(read_row(t, b->issuers[i].id, &was));
        if (was.cap != cap || t->now.us - was.counted_us >= CA_CAP_EVERY_S * LT_US_PER_SECOND) {
            b->cap_asked = t->now;
            return ask(t, &b->issuers[i]);
        }
    }
    return LT_OK;
}

static lt_res say_near(struct ca_turn *t, const struct ca_issuer *issuer, int64_t valid, int64_t cap)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "issuer %s", issuer->name);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "caps: too much at once");
    ca_body_init(&b);
    ca_body_int(&b, "valid", valid);
    ca_body_int(&b, "cap", cap);
    ca_body_int(&b, "percent", (int64_t)ca_cap_step(valid, cap));
    return ca_body_event(&b, t, valid >= cap ? "issuer.cap-reached" : "issuer.cap-near", subject,
                         (lt_slice){0});
}

lt_res ca_cap_counted(struct ca_turn *t, const Ipc__Members *m)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, m->tier);
    struct load was;
    LT_CHECK(issuer != NULL && m->count_only && m->count <= INT64_MAX, LT_PEER_MALFORMED,
             "a count of no issuer");
    t->book->cap_asked = (lt_time){0};
    if (m->failed[0] != '\0') {
        return LT_OK; /* the reader says why, and is asked again */
    }
    int64_t cap = cap_of(t->book, issuer);
    int64_t valid = (int64_t)m->count;
    unsigned step = ca_cap_step(valid, cap);
    LT_TRY(read_row(t, issuer->id, &was));
    LT_TRY(store_exec(
        t->store, &sql[SQL_PUT],
        STORE_ARGS(STORE_I(issuer->id), STORE_I(valid), STORE_I(t->now.us), STORE_I(cap), STORE_I(step)),
        NULL));
    return step > was.warned ? say_near(t, issuer, valid, cap) : LT_OK;
}
