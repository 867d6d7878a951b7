/* What other hosts have decided, for this one's examiner. Its memory is its own: halts that were lifted, keys
 * that were unblocked and exceptions that were granted come with the signatures of those who approved, which
 * it verifies for itself; blocked keys need none. Each second the book is asked for what is new. */
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/key_block.h"
#include "ca/plan.h"
#include "ca/session.h"

static const struct store_sql sql[] = {
    {"news.plans",
     "SELECT subject, time_us FROM event WHERE kind = 'plan.done' AND time_us >= ?1 AND chain <> ?2 "
     "ORDER BY time_us LIMIT 100"},
    {"news.keys", "SELECT spki_sha256, reason, blocked_us FROM key_block "
                  "WHERE (blocked_us, spki_sha256) > (?1, ?2) ORDER BY blocked_us, spki_sha256 LIMIT 1000"},
};
enum { SQL_PLANS, SQL_KEYS };
const struct store_sql *const ca_host_news_sql = sql;
const size_t ca_host_news_sql_count = LT_COUNT(sql);

/* Clocks differ, and what was begun earlier may be committed later. */
enum { OVERLAP_S = 30, MISSED_S = 600, PLANS_MAX = 100, KEYS_MAX = 1000, KEY_PARTS = 5, PASSKEYS_S = 10 };

void ca_host_news_again(struct ca_book *b, lt_time now)
{
    lt_time seen = b->host.seen.us == 0 ? now : b->host.seen;
    seen = b->news.plans.us == 0 ? seen : now;
    b->news = (struct ca_news){.plans = lt_time_add_seconds(seen, -MISSED_S)};
    b->news.keys = lt_time_add_seconds(now, -OVERLAP_S); /* all of them are told when the link comes up */
    b->news.keys_looked = now;
}

void ca_host_news_lost(struct ca_book *b)
{
    b->news.lost = true;
}

static void go_back(struct ca_news *n)
{
    memset(n->told, 0, sizeof n->told);
    memset(n->key, 0, sizeof n->key);
    memset(n->rest_key, 0, sizeof n->rest_key);
    n->plans = lt_time_add_seconds(n->plans, -MISSED_S);
    n->keys = lt_time_add_seconds(n->keys, -MISSED_S);
    n->rest = true;
    n->lost = false;
}

static bool was_told(const struct ca_news *n, uint64_t plan)
{
    for (size_t i = 0; i < LT_COUNT(n->told); i++) {
        if (n->told[i] == plan) {
            return true;
        }
    }
    return false;
}

/* "plan p123". One that does not read is of no action that the examiner knows. */
static bool plan_of(lt_slice subject, uint64_t *ret_plan)
{
    return lt_slice_starts(subject, LT_LIT("plan p")) &&
           !lt_failed(lt_parse_u64(lt_slice_sub(subject, 6, SIZE_MAX), INT64_MAX, ret_plan));
}

static lt_res tell_plan(struct ca_turn *t, uint64_t plan)
{
    struct ca_news *n = &t->book->news;
    char *id = lt_arena_printf(t->arena, "p%llu", (unsigned long long)plan);
    LT_ASSERT(id != NULL);
    LT_TRY(ca_plan_repeat(t, id));
    n->told[n->next++ % LT_COUNT(n->told)] = plan;
    return LT_OK;
}

static lt_res plans(struct ca_turn *t)
{
    uint64_t list[PLANS_MAX];
    size_t count = 0;
    size_t rows_read = 0;
    struct ca_book *b = t->book;
    struct store_rows rows;
    lt_time last = b->news.plans;
    LT_TRY(store_query(t->store, &sql[SQL_PLANS],
                       STORE_ARGS(STORE_I(b->news.plans.us), STORE_S(b->at.chain.name)), &rows));
    while (count < PLANS_MAX && store_next(&rows)) {
        count += plan_of(store_bytes(&rows, 0), &list[count]);
        last.us = store_int(&rows, 1);
        rows_read++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(was_told(&b->news, list[i]) ? LT_OK : tell_plan(t, list[i]));
    }
    last.us += last.us == b->news.plans.us; /* a full page of one time: on */
    b->news.plans = rows_read == PLANS_MAX ? last : lt_time_add_seconds(t->now, -OVERLAP_S);
    return LT_OK;
}

/* A page ends anywhere among those that were blocked at one time. */
static lt_res part_of_keys(struct ca_turn *t, bool *ret_more)
{
    struct ca_news *n = &t->book->news;
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_KEYS],
                       STORE_ARGS(STORE_I(n->keys.us), STORE_B(LT_SLICE(n->key, sizeof n->key))), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        lt_slice key = store_bytes(&rows, 0);
        r = ca_key_block_tell(t, key, store_cstr(&rows, 1));
        if (!lt_failed(r)) {
            memcpy(n->key, key.ptr, sizeof n->key);
            n->keys.us = store_int(&rows, 2);
            count++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    *ret_more = count == KEYS_MAX;
    return r;
}

/* What many were blocked at once is told in several turns. The next look goes back to before this one began:
 * what was committed meanwhile may be dated earlier. */
static lt_res keys(struct ca_turn *t)
{
    struct ca_news *n = &t->book->news;
    bool more = true;
    for (size_t i = 0; more && i < KEY_PARTS; i++) {
        LT_TRY(part_of_keys(t, &more));
    }
    if (!more) {
        n->keys = lt_time_add_seconds(n->keys_looked, -OVERLAP_S);
        memset(n->key, 0, sizeof n->key);
        n->keys_looked = t->now;
    }
    return LT_OK;
}

/* Those of other hosts, and any that came before this host's examiner had read of the link. */
static lt_res passkeys(struct ca_turn *t)
{
    struct ca_news *n = &t->book->news;
    if (t->now.us < lt_time_add_seconds(n->passkeys, PASSKEYS_S).us) {
        return LT_OK;
    }
    n->passkeys = t->now;
    return ca_passkeys_tell(t, lt_time_add_seconds(t->now, -MISSED_S));
}

static lt_res news(struct ca_turn *t)
{
    struct ca_news *n = &t->book->news;
    LT_TRY(passkeys(t));
    LT_TRY(n->rest ? ca_key_block_recover(t, KEY_PARTS) : LT_OK);
    LT_TRY(t->book->host.shared ? plans(t) : LT_OK);
    return t->book->host.shared ? keys(t) : LT_OK;
}

lt_res ca_host_news(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    if (!b->examiner_linked || b->news.plans.us == 0) {
        return LT_OK;
    }
    if (b->news.lost) {
        go_back(&b->news);
    }
    lt_res r = news(t);
    b->news.lost = lt_failed(r);
    return r;
}
