/* A writer like a registrar, for tests with several of them: WRITER URL NAME LINGER_MS counts in one row of
 * the book, each step read, decided and written in a transaction that it holds for a while, and says each
 * number once it is committed. Whatever is lost, it begins again from what the book says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/slice.h"
#include "store/store.h"

static const struct store_sql sql[] = {
    {"read", "SELECT due_us FROM due WHERE id = 1"},
    {"step", "UPDATE due SET due_us = ?2 WHERE id = 1 AND due_us = ?1"},
    {"event", "INSERT INTO event (chain, sequence, time_us, kind, subject, body, hash) "
              "VALUES (?1, ?2, ?2, 'counted', '', '{}', x'00')"},
};
enum { READ, STEP, EVENT };

static void wait_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static lt_res read_number(struct store *s, int64_t *ret_number)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[READ], STORE_NO_ARGS, &rows));
    *ret_number = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res count_one(struct store *s, const char *name, long linger_ms, int64_t *ret_number)
{
    int64_t number = 0;
    int64_t changed = 0;
    LT_TRY(read_number(s, &number));
    wait_ms(linger_ms);
    LT_TRY(store_exec(s, &sql[STEP], STORE_ARGS(STORE_I(number), STORE_I(number + 1)), &changed));
    LT_CHECK(changed == 1, LT_STATE_CORRUPT, "another has counted in the middle of a transaction");
    LT_TRY(store_exec(s, &sql[EVENT], STORE_ARGS(STORE_S(name), STORE_I(number + 1)), NULL));
    *ret_number = number + 1;
    return LT_OK;
}

static void say(const char *what, int64_t number)
{
    (void)printf("%s %lld\n", what, (long long)number);
    (void)fflush(stdout); /* a reader that is gone ends us by its signal */
}

/* False when the connection is of no use any more. */
static bool turn(struct store *s, const char *name, long linger_ms)
{
    int64_t number = 0;
    lt_res r = store_begin(s);
    if (r.code == LT_RETRY_BUSY) {
        wait_ms(1);
        return true;
    }
    bool begun = !lt_failed(r);
    r = begun ? count_one(s, name, linger_ms, &number) : r;
    if (begun && !lt_failed(r)) {
        r = store_commit(s);
        say(lt_failed(r) ? "doubt" : "done", number);
    } else if (begun) {
        store_rollback(s);
    }
    if (lt_failed(r)) {
        (void)fprintf(stderr, "%s: %s\n", name, lt_error_last()->detail); /* for whoever reads the test */
    }
    LT_ASSERT(r.code != LT_STATE_CORRUPT);
    return !store_gone(s);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        return 2;
    }
    for (;;) {
        struct store *s = NULL;
        const struct store_options o = {.path = argv[1], .writer = argv[2]};
        if (lt_failed(store_open(&o, &s))) {
            wait_ms(50);
            continue;
        }
        say("connected", 0);
        while (turn(s, argv[2], strtol(argv[3], NULL, 10))) {
        }
        say("lost", 0);
        store_close(s);
    }
}
