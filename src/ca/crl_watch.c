/* CRLs fetched back, as the book has it. */
#include "ca/crl_watch.h"

#include "base/text.h"
#include "ca/body.h"
#include "ca/config.h"
#include "ca/crl_shard.h"
#include "ca/event.h"

static const struct store_sql sql[] = {
    {"crl.watch.put",
     "INSERT INTO crl_check (issuer, shard, number, published_us, due_us, tries, checked_us, "
     "good, detail, bytes, took_us) VALUES (?1, ?2, ?3, ?4, ?4, 0, NULL, 0, '', 0, 0) "
     "ON CONFLICT (issuer, shard) DO UPDATE SET number = excluded.number, "
     "published_us = excluded.published_us, due_us = excluded.due_us, tries = 0, good = 0, "
     "detail = ''"},
    {"crl.watch.due", "SELECT w.issuer, w.shard, w.number, w.tries, c.sha256, c.entries FROM crl_check w "
                      "JOIN crl c ON c.issuer = w.issuer AND c.shard = w.shard AND c.number = w.number "
                      "WHERE w.due_us IS NOT NULL AND w.due_us <= ?1 ORDER BY w.due_us LIMIT 32"},
    {"crl.watch.asked",
     "UPDATE crl_check SET due_us = ?4, tries = tries + 1 WHERE issuer = ?1 AND shard = ?2 "
     "AND number = ?3"},
    {"crl.watch.seen", "UPDATE crl_check SET due_us = CASE WHEN ?4 = 1 THEN NULL ELSE due_us END, "
                       "checked_us = ?5, good = ?4, detail = ?6, bytes = ?7, took_us = ?8 "
                       "WHERE issuer = ?1 AND shard = ?2 AND number = ?3"},
};
enum { SQL_PUT, SQL_DUE, SQL_ASKED, SQL_SEEN };
const struct store_sql *const ca_crl_watch_sql = sql;
const size_t ca_crl_watch_sql_count = LT_COUNT(sql);

enum {
    AT_ONCE = 32,     /* as the statement says */
    PATIENCE_S = 60,  /* for the courier's answer; then it is asked again */
    WAIT_MAX_S = 600, /* between two looks at a CRL that is not good */
    DOUBLED_MAX = 4,
};

lt_res ca_crl_watch(struct ca_turn *t, const struct ca_issuer *issuer, const Ipc__CrlPublished *m)
{
    if (t->book->config == NULL || !t->book->config->crl_fetch_back || t->book->public_http_url[0] == 0) {
        return LT_OK;
    }
    return store_exec(t->store, &sql[SQL_PUT],
                      STORE_ARGS(STORE_I(issuer->id), STORE_I(m->shard),
                                 STORE_B(LT_SLICE(m->number.data, m->number.len)), STORE_I(t->now.us)),
                      NULL);
}

/* A row that is due, as the question that it becomes; all of it in the turn's arena. */
struct due {
    Ipc__CrlFetch ask;
    int64_t issuer;
    int64_t tries;
};

static ProtobufCBinaryData kept(struct ca_turn *t, lt_slice bytes)
{
    lt_slice own = lt_arena_copy(t->arena, bytes);
    LT_ASSERT(own.ptr != NULL || bytes.len == 0);
    return (ProtobufCBinaryData){own.len, (uint8_t *)(uintptr_t)own.ptr};
}

static bool take(struct ca_turn *t, const struct store_rows *rows, struct due *d)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(t->book, store_int(rows, 0));
    ipc__crl_fetch__init(&d->ask);
    if (issuer == NULL) {
        return false;
    }
    d->issuer = issuer->id;
    d->tries = store_int(rows, 3);
    d->ask.shard = (uint32_t)store_int(rows, 1);
    d->ask.issuer = lt_arena_cstr(t->arena, lt_slice_cstr(issuer->name));
    d->ask.url = lt_arena_cstr(
        t->arena, lt_slice_cstr(ca_crl_url(t->arena, t->book->public_http_url, issuer->name, d->ask.shard)));
    LT_ASSERT(d->ask.issuer != NULL && d->ask.url != NULL);
    d->ask.number = kept(t, store_bytes(rows, 2));
    d->ask.sha256 = kept(t, store_bytes(rows, 4));
    d->ask.entries = (uint64_t)store_int(rows, 5);
    d->ask.certificate = kept(t, issuer->certificate);
    return true;
}

static lt_res read_due(struct ca_turn *t, struct due *list, size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_DUE], STORE_ARGS(STORE_I(t->now.us)), &rows));
    while (*ret_count < AT_ONCE && store_next(&rows)) {
        *ret_count += take(t, &rows, &list[*ret_count]);
    }
    return store_rows_end(&rows);
}

static int64_t wait_s(int64_t tries)
{
    int64_t s = PATIENCE_S << (tries < DOUBLED_MAX ? tries : DOUBLED_MAX);
    return s < WAIT_MAX_S ? s : WAIT_MAX_S;
}

lt_res ca_crl_watch_due(struct ca_turn *t)
{
    size_t count = 0;
    struct due *list = LT_NEW_ARRAY(t->arena, struct due, AT_ONCE);
    LT_ASSERT(list != NULL);
    LT_TRY(read_due(t, list, &count));
    for (size_t i = 0; i < count; i++) {
        const struct due *d = &list[i];
        LT_TRY(store_exec(t->store, &sql[SQL_ASKED],
                          STORE_ARGS(STORE_I(d->issuer), STORE_I(d->ask.shard),
                                     STORE_B(LT_SLICE(d->ask.number.data, d->ask.number.len)),
                                     STORE_I(lt_time_add_seconds(t->now, wait_s(d->tries)).us)),
                          NULL));
        LT_TRY(ca_turn_send(t, IPC_COURIER, IPC_CRL_FETCH, 0, &d->ask.base));
    }
    return LT_OK;
}

lt_res ca_crl_fetched(struct ca_turn *t, const Ipc__CrlFetched *m)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(m->issuer));
    lt_slice number = LT_SLICE(m->number.data, m->number.len);
    int64_t changed = 0;
    LT_CHECK(issuer != NULL, LT_PEER_MALFORMED, "a CRL of an unknown issuer was fetched");
    LT_TRY(
        store_exec(t->store, &sql[SQL_SEEN],
                   STORE_ARGS(STORE_I(issuer->id), STORE_I(m->shard), STORE_B(number), STORE_I(m->good),
                              STORE_I(t->now.us), STORE_S(m->detail), STORE_I(m->bytes), STORE_I(m->took_us)),
                   &changed));
    if (changed == 0) {
        return LT_OK; /* published anew meanwhile: that one is looked at by itself */
    }
    struct ca_body body;
    ca_body_init(&body);
    ca_body_int(&body, "shard", m->shard);
    ca_body_hex(&body, "number", number);
    ca_body_int(&body, "bytes", (int64_t)m->bytes);
    ca_body_int(&body, "took_us", m->took_us);
    if (!m->good) {
        ca_body_str(&body, "detail", m->detail);
    }
    char *subject = lt_arena_printf(t->arena, "crl %s", issuer->name);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, m->good ? "crl.fetched" : "crl.not-fetched", subject, LT_SLICE(NULL, 0));
}
