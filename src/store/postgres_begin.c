/* Transactions on PostgreSQL. A writer begins by taking the book's lock, alone or beside others, and the
 * server gives it back with the transaction, however that ends. Alone nobody else decides meanwhile; beside
 * others a second lock keeps apart what belongs together (the requests of one account). One that stood still
 * too long finds its transaction gone. A reader has one view of the book until it commits.
 *
 * Who wants to be alone waits for those who are at work, and those who come after it wait behind it: so it
 * gives up sooner than they do.
 */
#include "store/postgres_internal.h"

#include <stdio.h>

/* The lock's number is any that nobody else uses in this database: "LTEL", 1. */
#define BEGIN_ALONE                                                                         \
    "BEGIN; SET LOCAL lock_timeout = '100ms'; SELECT pg_advisory_xact_lock(1280591180, 1);" \
    "SET LOCAL lock_timeout = '250ms'; SELECT last_value FROM store_generation"
#define BEGIN_BESIDE                                             \
    "BEGIN; SELECT pg_advisory_xact_lock_shared(1280591180, 1);" \
    "SELECT last_value FROM store_generation"
#define MARK "SAVEPOINT message"
#define MARK_AGAIN "RELEASE message; SAVEPOINT message"
#define COMMIT_WRITTEN "SELECT nextval('store_generation'); COMMIT"
#define COMMIT_UNSYNCED "SET LOCAL synchronous_commit = off; " COMMIT_WRITTEN

static struct postgres *postgres_of(struct store *store)
{
    return (struct postgres *)(void *)store;
}

/* One round trip; each statement of it sees what was committed before it, so the last what the lock waited
 * for. */
static lt_res begin_writing(struct postgres *s, const char *words)
{
    int64_t generation = 0;
    s->begun = true;
    lt_res r = postgres_scalar(s, words, &generation);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        postgres_rollback(&s->base);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    s->changed = s->generation != 0 && generation != s->generation;
    s->generation = generation;
    return LT_OK;
}

static lt_res begin(struct store *store, const char *words)
{
    struct postgres *s = postgres_of(store);
    LT_ASSERT(!s->begun);
    LT_CHECK(store->usable, LT_PEER_USAGE, "the book is older than this program: run lintel migrate");
    LT_CHECK(!s->gone, LT_STATE_CLOSED, "the connection to the book is gone");
    s->wrote = false;
    if (!s->read_only) {
        return begin_writing(s, words);
    }
    LT_TRY(postgres_run(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    s->begun = true;
    return LT_OK;
}

lt_res postgres_begin(struct store *store)
{
    return begin(store, BEGIN_ALONE);
}

lt_res postgres_begin_beside(struct store *store)
{
    return begin(store, BEGIN_BESIDE);
}

/* The savepoint in the same round trip: a wait that ends in a failure goes back to it. */
lt_res postgres_lock(struct store *store, int64_t number)
{
    struct postgres *s = postgres_of(store);
    int64_t generation = 0;
    char text[200];
    LT_ASSERT(s->begun && s->mark_wanted);
    (void)snprintf(text, sizeof text,
                   "%s; SELECT pg_advisory_xact_lock(%lld); SELECT last_value FROM store_generation",
                   s->mark_kept ? MARK_AGAIN : MARK, (long long)number); /* fits */
    s->mark_wanted = false;
    s->mark_kept = false;
    s->marked = true;
    LT_TRY(postgres_scalar(s, text, &generation));
    s->changed = generation != s->generation;
    s->generation = generation;
    return LT_OK;
}

static void ended(struct postgres *s)
{
    s->begun = false;
    s->free_plans = false;
    s->broken = false;
    s->mark_wanted = false;
    s->marked = false;
    s->mark_kept = false;
}

/* COMMIT of a transaction that failed is a ROLLBACK, and says so in its tag alone. */
static lt_res commit(struct postgres *s, const char *words)
{
    LT_CHECK(!s->gone, LT_STATE_CLOSED, "commit: the connection to the book is gone");
    LT_CHECK(!s->broken, LT_RETRY_UNAVAILABLE, "commit: the transaction was rolled back before");
    if (!s->wrote) {
        return postgres_run(s, "COMMIT");
    }
    s->generation++; /* if another draws one meanwhile, or it is not drawn, the next begin sees a change */
    return postgres_run(s, words);
}

static lt_res end_by(struct store *store, const char *words)
{
    struct postgres *s = postgres_of(store);
    LT_ASSERT(s->begun);
    lt_res r = commit(s, words);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        postgres_rollback(store);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    ended(s);
    return LT_OK;
}

lt_res postgres_commit(struct store *store)
{
    return end_by(store, COMMIT_WRITTEN);
}

lt_res postgres_commit_unsynced(struct store *store)
{
    return end_by(store, COMMIT_UNSYNCED);
}

void postgres_rollback(struct store *store)
{
    struct postgres *s = postgres_of(store);
    if (s->begun && !s->gone) {
        s->begun = false;                       /* its failure is none of the transaction */
        lt_ignore(postgres_run(s, "ROLLBACK")); /* one that fails has lost the connection, and so the rest */
    }
    ended(s);
}

lt_res postgres_limit(struct store *store, int64_t ms)
{
    struct postgres *s = postgres_of(store);
    char text[64];
    LT_ASSERT(s->begun && ms > 0);
    (void)snprintf(text, sizeof text, "SET LOCAL statement_timeout = %lld", (long long)ms); /* fits */
    return postgres_run(s, text);
}

/* The mark of the message before is let go with the next one's, or with the commit: a round trip less for
 * each. */
lt_res postgres_make_mark(struct postgres *s)
{
    s->mark_wanted = false;
    LT_TRY(postgres_run(s, s->mark_kept ? MARK_AGAIN : MARK));
    s->mark_kept = false;
    s->marked = true;
    return LT_OK;
}

lt_res postgres_savepoint(struct store *store)
{
    struct postgres *s = postgres_of(store);
    LT_ASSERT(s->begun && !s->mark_wanted);
    s->mark_wanted = true;
    return LT_OK;
}

lt_res postgres_release(struct store *store)
{
    struct postgres *s = postgres_of(store);
    s->mark_kept = s->mark_kept || s->marked;
    s->mark_wanted = false;
    s->marked = false;
    LT_CHECK(!s->broken, LT_RETRY_UNAVAILABLE, "release: the transaction was rolled back before");
    return LT_OK;
}

void postgres_rollback_to(struct store *store)
{
    struct postgres *s = postgres_of(store);
    bool marked = s->marked;
    s->mark_wanted = false;
    s->marked = false;
    if (!marked || s->gone) {
        return; /* nothing was written; if something failed, the commit will say so */
    }
    lt_res back = postgres_run(s, "ROLLBACK TO message; RELEASE message");
    s->broken = lt_failed(back);
}
