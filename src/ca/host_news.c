/* What other hosts have decided, for this one's examiner. Its memory is its own: halts that were lifted, keys
 * that were unblocked and exceptions that were granted come with the signatures of those who approved, which
 * it verifies for itself; blocked keys need none. Each second the book is asked for what is new. */
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/key_block.h"
#include "ca/plan.h"

static const struct store_sql sql[] = {
    {"news.plans", "SELECT subject FROM event WHERE kind = 'plan.done' AND time_us >= ?1 AND chain <> ?2 "
                   "ORDER BY time_us LIMIT 100"},
    {"news.keys", "SELECT spki_sha256, reason, blocked_us FROM key_block WHERE blocked_us >= ?1 "
                  "ORDER BY blocked_us LIMIT 1000"},
};
enum { SQL_PLANS, SQL_KEYS };
const struct store_sql *const ca_host_news_sql = sql;
const size_t ca_host_news_sql_count = LT_COUNT(sql);

/* Clocks differ, and what was begun earlier may be committed later. */
enum { OVERLAP_S = 30, MISSED_S = 600, PLANS_MAX = 100, KEYS_MAX = 1000 };

void ca_host_news_again(struct ca_book *b, lt_time now)
{
    lt_time seen = b->host.seen.us == 0 ? now : b->host.seen;
    seen = b->news.plans.us == 0 ? seen : now;
    b->news = (struct ca_news){.plans = lt_time_add_seconds(seen, -MISSED_S)};
    b->news.keys = now; /* all of them were told when the link came up */
}

static bool told(struct ca_news *n, uint64_t plan)
{
    for (size_t i = 0; i < LT_COUNT(n->told); i++) {
        if (n->told[i] == plan) {
            return true;
        }
    }
    n->told[n->next++ % LT_COUNT(n->told)] = plan;
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
    char *id = lt_arena_printf(t->arena, "p%llu", (unsigned long long)plan);
    LT_ASSERT(id != NULL);
    return ca_plan_repeat(t, id);
}

static lt_res plans(struct ca_turn *t)
{
    uint64_t list[PLANS_MAX];
    size_t count = 0;
    struct ca_book *b = t->book;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_PLANS],
                       STORE_ARGS(STORE_I(b->news.plans.us), STORE_S(b->at.chain.name)), &rows));
    while (count < PLANS_MAX && store_next(&rows)) {
        count += plan_of(store_bytes(&rows, 0), &list[count]);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(told(&b->news, list[i]) ? LT_OK : tell_plan(t, list[i]));
    }
    b->news.plans = lt_time_add_seconds(t->now, -OVERLAP_S);
    return LT_OK;
}

static lt_res keys(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    struct store_rows rows;
    size_t count = 0;
    int64_t last_us = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_KEYS], STORE_ARGS(STORE_I(b->news.keys.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        last_us = store_int(&rows, 2);
        r = ca_key_block_tell(t, store_bytes(&rows, 0), store_cstr(&rows, 1));
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    /* The examiner knows what it was told before; only what is told each second must have an end. */
    b->news.keys = count == KEYS_MAX ? (lt_time){last_us + 1} : lt_time_add_seconds(t->now, -OVERLAP_S);
    return LT_OK;
}

lt_res ca_host_news(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    if (!b->host.shared || !b->examiner_linked || b->news.plans.us == 0) {
        return LT_OK;
    }
    LT_TRY(plans(t));
    return keys(t);
}
