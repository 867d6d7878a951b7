/* The store over a real PostgreSQL server: the promises that test_store.c holds SQLite to, and those that
 * only a server can break: two writers on different hosts, a connection that is lost anywhere, one who stood
 * still. */
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pg_rig.h"
#include "store/internal.h"
#include "store/postgres_text.h"
#include "store/postgres_value.h"
#include "store/store.h"

static const struct store_sql sql[] = {
    {"put", "INSERT INTO meta (key, value) VALUES (?1, ?2)"},
    {"get", "SELECT value FROM meta WHERE key = ?1"},
    {"all", "SELECT key, value FROM meta ORDER BY key"},
    {"change", "UPDATE meta SET value = ?2 WHERE key = ?1"},
    {"bad-type", "INSERT INTO nonce_epoch (epoch, started_us) VALUES (?1, ?2)"},
    {"put-over", "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING"},
    {"orphan",
     "INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, "
     "expires_us) VALUES (1, 999, 'pending', 'p', '[]', x'00', 1, 2)"},
    {"nonsense", "SELECT nothing FROM nowhere"},
    {"event", "INSERT INTO event (chain, sequence, time_us, kind, subject, body, attachment, hash) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    {"event-get",
     "SELECT sequence, time_us, attachment, hash, body FROM event WHERE chain = ?1 ORDER BY sequence"},
    {"event-sum",
     "SELECT count(*), sum(time_us), max(sequence), count(*) > 2, CAST(max(sequence) AS INTEGER) "
     "FROM event WHERE chain = ?1"},
    {"authorization", "SELECT id FROM authorization WHERE account = ?1"},
    {"slow", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
             "SELECT count(*) FROM n"},
};
enum {
    PUT,
    GET,
    ALL,
    CHANGE,
    BAD_TYPE,
    PUT_OVER,
    ORPHAN,
    NONSENSE,
    EVENT,
    EVENT_GET,
    EVENT_SUM,
    AUTHORIZATION,
    SLOW,
};

struct rig {
    char url[192];
    struct store *store;
};

static struct store *open_as(const char *url, const char *writer, bool read_only)
{
    struct store *s = NULL;
    const struct store_options o = {.path = url, .read_only = read_only, .writer = writer};
    assert_ok(store_open(&o, &s));
    return s;
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    const char *url = pg_rig_database();
    assert_non_null(url);
    (void)snprintf(r->url, sizeof r->url, "%s", url);
    r->store = open_as(r->url, NULL, false);
    assert_ok(store_migrate(r->store));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    store_close(r->store);
    free(r);
    return 0;
}

static lt_res put(struct store *s, const char *key, const char *value)
{
    return store_exec(s, &sql[PUT], STORE_ARGS(STORE_S(key), STORE_S(value)), NULL);
}

static bool has(struct store *s, const char *key, const char *value)
{
    struct store_rows rows;
    assert_ok(store_query(s, &sql[GET], STORE_ARGS(STORE_S(key)), &rows));
    bool found = store_next(&rows) && lt_slice_eq_cstr(store_bytes(&rows, 0), value);
    assert_ok(store_rows_end(&rows));
    return found;
}

static void commit_put(struct store *s, const char *key, const char *value)
{
    assert_ok(store_begin(s));
    assert_ok(put(s, key, value));
    assert_ok(store_commit(s));
}

static void rows_in_and_out(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "b", ""));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(put(r->store, "B", "\xc3\xa4"));
    int64_t changed = -1;
    assert_ok(store_exec(r->store, &sql[CHANGE], STORE_ARGS(STORE_S("none"), STORE_S("x")), &changed));
    assert_int_equal(changed, 0);
    assert_ok(store_exec(r->store, &sql[CHANGE], STORE_ARGS(STORE_S("a"), STORE_S("2")), &changed));
    assert_int_equal(changed, 1);
    assert_ok(store_commit(r->store));
    struct store_rows rows;
    assert_ok(store_query(r->store, &sql[ALL], STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    assert_string_equal(store_cstr(&rows, 0), "B"); /* by bytes, as SQLite */
    assert_true(store_next(&rows));
    assert_string_equal(store_cstr(&rows, 0), "a");
    assert_string_equal(store_cstr(&rows, 1), "2");
    assert_true(store_next(&rows));
    assert_false(store_is_null(&rows, 1));
    assert_int_equal(store_bytes(&rows, 1).len, 0);
    assert_int_equal(store_type(&rows, 1), STORE_TEXT);
    assert_false(store_next(&rows));
    assert_false(store_next(&rows));
    assert_ok(store_rows_end(&rows));
}

static lt_res put_event(struct store *s, int64_t sequence, int64_t time_us,
                        const struct store_value *attachment)
{
    return store_exec(s, &sql[EVENT],
                      STORE_ARGS(STORE_S("c"), STORE_I(sequence), STORE_I(time_us), STORE_S("k"),
                                 STORE_S("s"), STORE_S("{}"), *attachment, STORE_B(LT_LIT("\0\1"))),
                      NULL);
}

static void every_type_and_its_ends(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put_event(r->store, 1, INT64_MAX, &STORE_N));
    assert_ok(put_event(r->store, 2, INT64_MIN, &STORE_B(LT_LIT("a\0b\xff"))));
    assert_ok(put_event(r->store, 3, -1, &STORE_B(LT_SLICE(NULL, 0))));
    assert_ok(put_event(r->store, 4, 30000000000001, &STORE_N));
    struct store_rows rows;
    assert_ok(store_query(r->store, &sql[EVENT_GET], STORE_ARGS(STORE_S("c")), &rows));
    assert_true(store_next(&rows));
    assert_true(store_int(&rows, 1) == INT64_MAX);
    assert_true(store_is_null(&rows, 2));
    assert_int_equal(store_type(&rows, 2), STORE_NULL);
    assert_int_equal(store_type(&rows, 1), STORE_INT);
    assert_int_equal(store_type(&rows, 3), STORE_BLOB);
    assert_true(store_next(&rows));
    assert_true(store_int(&rows, 1) == INT64_MIN);
    assert_true(lt_slice_eq(store_bytes(&rows, 2), LT_LIT("a\0b\xff")));
    assert_true(store_next(&rows));
    assert_false(store_is_null(&rows, 2));
    assert_int_equal(store_bytes(&rows, 2).len, 0);
    assert_ok(store_rows_end(&rows));
    assert_ok(store_query(r->store, &sql[EVENT_SUM], STORE_ARGS(STORE_S("c")), &rows));
    assert_true(store_next(&rows));
    assert_int_equal(store_int(&rows, 0), 4);
    assert_int_equal(store_int(&rows, 1), 29999999999999);
    assert_int_equal(store_int(&rows, 2), 4);
    assert_int_equal(store_int(&rows, 3), 1);
    assert_int_equal(store_int(&rows, 4), 4);
    assert_ok(store_rows_end(&rows));
    assert_fails(put(r->store, "nul", "x\xff"), LT_PEER_MALFORMED);
    assert_ok(store_query(r->store, &sql[AUTHORIZATION], STORE_ARGS(STORE_I(1)), &rows));
    assert_ok(store_rows_end(&rows));
    assert_ok(store_commit(r->store));
}

static void one_statement_within_itself(void **state)
{
    struct rig *r = *state;
    commit_put(r->store, "a", "1");
    commit_put(r->store, "b", "2");
    struct store_rows outer;
    size_t pairs = 0;
    assert_ok(store_query(r->store, &sql[ALL], STORE_NO_ARGS, &outer));
    while (store_next(&outer)) {
        struct store_rows inner;
        assert_ok(store_query(r->store, &sql[ALL], STORE_NO_ARGS, &inner));
        while (store_next(&inner)) {
            pairs++;
        }
        assert_ok(store_rows_end(&inner));
    }
    assert_ok(store_rows_end(&outer));
    assert_int_equal(pairs, 4);
}

/* An INSERT that fails takes nothing along; another failure ends the transaction, and the commit says so. */
static void codes(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_fails(put(r->store, "a", "2"), LT_PEER_CONFLICT);
    int64_t changed = -1;
    assert_ok(store_exec(r->store, &sql[PUT_OVER], STORE_ARGS(STORE_S("a"), STORE_S("2")), &changed));
    assert_int_equal(changed, 0);
    assert_fails(store_exec(r->store, &sql[ORPHAN], STORE_NO_ARGS, NULL), LT_STATE_CORRUPT);
    assert_true(has(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    assert_true(has(r->store, "a", "1"));
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "b", "1"));
    assert_fails(
        store_exec(r->store, &sql[BAD_TYPE], STORE_ARGS(STORE_B(LT_LIT("e")), STORE_S("text")), NULL),
        LT_STATE_CORRUPT);
    assert_fails(put(r->store, "c", "1"), LT_RETRY_UNAVAILABLE);
    assert_fails(store_commit(r->store), LT_RETRY_UNAVAILABLE);
    assert_false(has(r->store, "b", "1"));
    assert_fails(store_exec(r->store, &sql[NONSENSE], STORE_NO_ARGS, NULL), LT_STATE_IO);
    commit_put(r->store, "d", "1");
}

static void a_savepoint_goes_alone(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(store_savepoint(r->store));
    assert_ok(put(r->store, "kept", "1"));
    assert_ok(store_release(r->store));
    assert_ok(store_savepoint(r->store));
    assert_ok(put(r->store, "lost", "1"));
    assert_fails(
        store_exec(r->store, &sql[BAD_TYPE], STORE_ARGS(STORE_B(LT_LIT("e")), STORE_S("text")), NULL),
        LT_STATE_CORRUPT);
    store_rollback_to(r->store);
    assert_ok(store_savepoint(r->store));
    store_rollback_to(r->store);
    assert_ok(store_savepoint(r->store));
    assert_ok(put(r->store, "after", "1"));
    assert_ok(store_release(r->store));
    assert_ok(store_commit(r->store));
    assert_true(has(r->store, "kept", "1"));
    assert_false(has(r->store, "lost", "1"));
    assert_true(has(r->store, "after", "1"));
}

static void rollback_leaves_nothing(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    store_rollback(r->store);
    assert_false(has(r->store, "a", "1"));
    store_rollback(r->store); /* without a transaction it is nothing */
    assert_ok(store_begin(r->store));
    assert_ok(store_commit(r->store));
}

static void one_decides_at_a_time(void **state)
{
    struct rig *r = *state;
    struct store *other = open_as(r->url, NULL, false);
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_fails(store_begin(other), LT_RETRY_BUSY);
    assert_ok(store_commit(r->store));
    assert_ok(store_begin(other));
    assert_true(has(other, "a", "1"));
    assert_ok(put(other, "b", "1"));
    assert_ok(store_commit(other));
    store_close(other);
}

static void what_another_wrote_is_noticed(void **state)
{
    struct rig *r = *state;
    struct store *other = open_as(r->url, NULL, false);
    commit_put(r->store, "a", "1");
    assert_ok(store_begin(r->store));
    assert_false(store_changed_elsewhere(r->store));
    assert_ok(store_commit(r->store));
    commit_put(other, "b", "1");
    assert_ok(store_begin(r->store));
    assert_true(store_changed_elsewhere(r->store));
    assert_ok(store_commit(r->store));
    assert_ok(store_begin(other)); /* it only looks */
    assert_ok(store_commit(other));
    assert_ok(store_begin(r->store));
    assert_false(store_changed_elsewhere(r->store));
    assert_ok(store_commit(r->store));
    store_close(other);
}

/* Beside each other they keep each other off what has the same number, and off nothing else. */
static void some_decide_side_by_side(void **state)
{
    struct rig *r = *state;
    struct store *other = open_as(r->url, NULL, false);
    assert_ok(store_begin_beside(r->store));
    assert_ok(store_begin_beside(other));
    assert_ok(store_savepoint(r->store));
    assert_ok(store_lock(r->store, 7));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_release(r->store));
    assert_ok(store_savepoint(other));
    assert_fails(store_lock(other, 7), LT_RETRY_BUSY);
    store_rollback_to(other);
    assert_ok(store_savepoint(other)); /* the transaction lives */
    assert_ok(store_lock(other, 8));
    assert_ok(put(other, "b", "1"));
    assert_false(has(other, "a", "1"));
    assert_ok(store_release(other));
    assert_ok(store_commit(r->store));
    assert_true(has(other, "a", "1")); /* what others commit is seen */
    assert_ok(store_savepoint(other));
    assert_ok(store_lock(other, 7));
    assert_true(store_changed_elsewhere(other));
    assert_ok(store_commit(other));
    store_close(other);
}

/* Who wants to be alone waits for those beside each other, and they for it. */
static void alone_or_beside(void **state)
{
    struct rig *r = *state;
    struct store *other = open_as(r->url, NULL, false);
    assert_ok(store_begin_beside(r->store));
    assert_fails(store_begin(other), LT_RETRY_BUSY);
    assert_ok(store_begin_beside(other));
    store_rollback(other);
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    assert_ok(store_begin(other));
    assert_true(has(other, "a", "1"));
    assert_fails(store_begin_beside(r->store), LT_RETRY_BUSY);
    assert_fails(store_begin(r->store), LT_RETRY_BUSY);
    assert_ok(store_commit(other));
    commit_put(r->store, "b", "1");
    store_close(other);
}

static void a_reader_sees_one_moment(void **state)
{
    struct rig *r = *state;
    struct store *reader = open_as(r->url, NULL, true);
    assert_ok(store_begin(reader));
    assert_false(has(reader, "a", "1"));
    commit_put(r->store, "a", "1");
    assert_false(has(reader, "a", "1"));
    assert_ok(store_commit(reader));
    assert_true(has(reader, "a", "1"));
    assert_fails(put(reader, "b", "1"), LT_STATE_IO);
    store_close(reader);
}

/* More than one slice of the cursor, two at once, and one left early. */
static void long_answers(void **state)
{
    enum { MANY = 12001 };
    struct rig *r = *state;
    assert_int_equal(
        pg_rig_sql("INSERT INTO meta SELECT lpad(n::text, 8, '0'), 'v' FROM generate_series(1, 12001) AS n"),
        0);
    struct store *reader = open_as(r->url, NULL, true);
    struct store_rows rows;
    struct store_rows early;
    int count = 0;
    assert_ok(store_begin(reader));
    assert_ok(store_query(reader, &sql[ALL], STORE_NO_ARGS, &rows));
    assert_ok(store_query(reader, &sql[ALL], STORE_NO_ARGS, &early));
    assert_true(store_next(&early));
    while (store_next(&rows)) {
        count++;
    }
    assert_ok(store_rows_end(&rows));
    assert_int_equal(count, MANY);
    assert_string_equal(store_cstr(&early, 0), "00000001");
    assert_ok(store_rows_end(&early));
    assert_ok(store_commit(reader));
    store_close(reader);
}

static void versions(void **state)
{
    struct rig *r = *state;
    struct store *s = NULL;
    assert_ok(store_migrate(r->store));
    assert_int_equal(pg_rig_sql("UPDATE store_version SET version = 1000000"), 0);
    const struct store_options newer = {.path = r->url};
    assert_fails(store_open(&newer, &s), LT_PEER_USAGE);
    const char *empty = pg_rig_database();
    assert_non_null(empty);
    s = open_as(empty, NULL, false);
    assert_fails(store_begin(s), LT_PEER_USAGE); /* not migrated yet */
    assert_fails(put(s, "a", "1"), LT_PEER_USAGE);
    store_close(s);
    const struct store_options missing = {.path = "postgresql:///none?host=/nowhere"};
    assert_fails(store_open(&missing, &s), LT_STATE_CLOSED);
}

static void not_every_server(void **state)
{
    struct rig *r = *state;
    struct store *s = NULL;
    const struct store_options o = {.path = r->url};
    assert_int_equal(pg_rig_sql("ALTER SYSTEM SET full_page_writes = off"), 0);
    assert_int_equal(pg_rig_sql("SELECT pg_reload_conf(), pg_sleep(0.3)"), 0);
    assert_fails(store_open(&o, &s), LT_PEER_USAGE);
    assert_int_equal(pg_rig_sql("ALTER SYSTEM RESET full_page_writes"), 0);
    assert_int_equal(pg_rig_sql("SELECT pg_reload_conf(), pg_sleep(0.3)"), 0);
    assert_int_equal(pg_rig_sql("ALTER ROLE book SET synchronous_commit = off"), 0);
    s = open_as(r->url, NULL, false);
    int64_t off = -1;
    assert_ok(store_scalar(s, "SELECT (current_setting('synchronous_commit') = 'off')::int", &off));
    assert_int_equal(off, 0);
    store_close(s);
    assert_int_equal(pg_rig_sql("ALTER ROLE book RESET synchronous_commit"), 0);
}

/* --- what is lost on the way --- */

#define END_OTHERS "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lintel'"

static void a_connection_that_ends(void **state)
{
    struct rig *r = *state;
    struct store *s = open_as(r->url, "registrar-a", false);
    assert_ok(store_begin(s));
    assert_ok(put(s, "a", "1"));
    assert_int_equal(pg_rig_sql(END_OTHERS), 0);
    assert_fails(put(s, "b", "1"), LT_STATE_CLOSED);
    assert_fails(put(s, "b", "1"), LT_STATE_CLOSED);
    store_rollback_to(s);
    assert_fails(store_commit(s), LT_STATE_CLOSED);
    assert_fails(store_begin(s), LT_STATE_CLOSED);
    store_close(s);
    s = open_as(r->url, "registrar-a", false);
    assert_false(has(s, "a", "1"));
    store_close(s);
}

/* A holder of the lock that stands still: the server takes the lock away, and what it does then is refused.
 */
static void one_who_stands_still(void **state)
{
    struct rig *r = *state;
    struct store *still = open_as(r->url, "registrar-still", false);
    assert_ok(store_script(still, "SET idle_in_transaction_session_timeout = '300ms'"));
    assert_ok(store_begin(still));
    assert_ok(put(still, "mine", "1"));
    assert_fails(store_begin(r->store), LT_RETRY_BUSY);
    const struct timespec pause = {0, 500000000}; /* what a stopped machine does */
    (void)nanosleep(&pause, NULL);
    commit_put(r->store, "mine", "2");
    assert_fails(put(still, "late", "1"), LT_STATE_CLOSED);
    assert_fails(store_commit(still), LT_STATE_CLOSED);
    store_close(still);
    assert_true(has(r->store, "mine", "2"));
    assert_false(has(r->store, "late", "1"));
}

static void a_name_is_taken_once(void **state)
{
    struct rig *r = *state;
    struct store *first = open_as(r->url, "registrar-a", false);
    struct store *other = open_as(r->url, "registrar-b", false);
    int64_t got = -1;
    assert_ok(store_scalar(r->store, "SELECT pg_try_advisory_lock(1280591181, hashtext('registrar-a'))::int",
                           &got));
    assert_int_equal(got, 0);
    store_close(first);
    first = open_as(r->url, "registrar-a", false); /* it is free as soon as the server knows */
    store_close(first);
    store_close(other);
}

enum cut { CUT_BEFORE, CUT_BEHIND };

/* Stands between a client and the server, and ends both connections when COMMIT comes by: before the server
 * has heard of it, or when it has and nobody else will. */
static void stand_between(int listener, enum cut cut)
{
    static uint8_t bytes[65536];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s/.s.PGSQL.5432", pg_rig_folder());
    int client = accept(listener, NULL, NULL);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || server < 0 || connect(server, (struct sockaddr *)&to, sizeof to) != 0) {
        _exit(1);
    }
    struct pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(fds, 2, 20000) > 0) {
        for (int i = 0; i < 2; i++) {
            ssize_t len = fds[i].revents == 0 ? 0 : read(fds[i].fd, bytes, sizeof bytes);
            bool commit = i == 0 && len > 0 && memmem(bytes, (size_t)len, "COMMIT", 7) != NULL;
            if (len < 0 || (len == 0 && fds[i].revents != 0) || (commit && cut == CUT_BEFORE)) {
                _exit(0);
            }
            if (len > 0 && write(fds[1 - i].fd, bytes, (size_t)len) != len) {
                _exit(1);
            }
            if (commit) {
                (void)shutdown(client, SHUT_RDWR);
                ssize_t rest = read(server, bytes, 1); /* it has done it */
                _exit(rest == 1 ? 0 : 1);
            }
        }
    }
    _exit(1);
}

static void cut_commit(const struct rig *r, enum cut cut, char url[256])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.600%d", pg_rig_folder(), cut);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    (void)snprintf(url, 256, "%s&port=600%d&sslmode=disable", r->url, cut);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        stand_between(listener, cut);
    }
    (void)close(listener);
}

static void lost_in_commit(const struct rig *r, enum cut cut, bool there)
{
    char url[256];
    cut_commit(r, cut, url);
    struct store *s = open_as(url, "registrar-a", false);
    assert_ok(store_begin(s));
    assert_ok(put(s, "order", "valid"));
    assert_fails(store_commit(s), LT_STATE_CLOSED); /* in the book or not: nobody was answered */
    assert_fails(store_begin(s), LT_STATE_CLOSED);
    store_close(s);
    int status = -1;
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    s = open_as(r->url, "registrar-a", false); /* waits for the end of the one before */
    assert_ok(store_begin(s));
    assert_int_equal(has(s, "order", "valid"), there);
    assert_ok(store_exec(s, &sql[PUT_OVER], STORE_ARGS(STORE_S("order"), STORE_S("valid")), NULL));
    assert_ok(store_commit(s));
    assert_true(has(s, "order", "valid"));
    store_close(s);
}

static void lost_before_commit(void **state)
{
    lost_in_commit(*state, CUT_BEFORE, false);
}

static void lost_behind_commit(void **state)
{
    lost_in_commit(*state, CUT_BEHIND, true);
}

/* --- words and numbers, without a server --- */

static void texts(void **state)
{
    (void)state;
    static const struct {
        const char *ours;
        const char *theirs; /* NULL: refused */
        size_t count;
    } rows[] = {
        {"SELECT 1", "SELECT 1", 0},
        {"SELECT a FROM b WHERE c = ?1 AND d = ?12", "SELECT a FROM b WHERE c = $1 AND d = $12", 12},
        {"SELECT '?1 authorization' FROM x", "SELECT '?1 authorization' FROM x", 0},
        {"SELECT 'it''s ?1'", "SELECT 'it''s ?1'", 0},
        {"INSERT INTO t VALUES (x'00fF', X'')", "INSERT INTO t VALUES ('\\x00fF'::bytea, '\\x'::bytea)", 0},
        {"SELECT id FROM authorization AS a", "SELECT id FROM \"authorization\" AS a", 0},
        {"SELECT authorization_id FROM order_authorization",
         "SELECT authorization_id FROM order_authorization", 0},
        {"SELECT CAST(a AS INTEGER), CAST(b AS BLOB)", "SELECT CAST(a AS bigint), CAST(b AS bytea)", 0},
        {"SELECT 1 FROM a CROSS JOIN b ON a.i = b.i", "SELECT 1 FROM a  JOIN b ON a.i = b.i", 0},
        {"SELECT max('a', x)", "SELECT max('a', x)", 0},
        {"SELECT ?", NULL, 0},
        {"SELECT ?x", NULL, 0},
        {"SELECT ?0", NULL, 0},
        {"SELECT 'open", NULL, 0},
        {"SELECT x'00", NULL, 0},
        {"SELECT \"open", NULL, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf out;
        size_t count = 99;
        lt_buf_init(&out, 4096);
        lt_res r = postgres_text(rows[i].ours, &out, &count);
        assert_int_equal(r.code, rows[i].theirs == NULL ? LT_PEER_MALFORMED : 0);
        if (rows[i].theirs != NULL) {
            assert_string_equal(lt_buf_cstr(&out), rows[i].theirs);
            assert_int_equal(count, rows[i].count);
        }
        lt_buf_done(&out);
    }
    struct lt_buf small;
    size_t count = 0;
    lt_buf_init(&small, 8);
    assert_fails(postgres_text("SELECT something", &small, &count), LT_PEER_TOO_LARGE);
    lt_buf_done(&small);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        lt_slice value;
        int64_t number;
    } rows[] = {
        {POSTGRES_INT8, LT_LIT("\x80\0\0\0\0\0\0\0"), INT64_MIN},
        {POSTGRES_INT4, LT_LIT("\xff\xff\xff\xfe"), -2},
        {POSTGRES_INT2, LT_LIT("\x01\x00"), 256},
        {POSTGRES_BOOL, LT_LIT("\1"), 1},
        {POSTGRES_NUMERIC, LT_LIT("\0\0\0\0\0\0\0\0"), 0},
        {POSTGRES_NUMERIC, LT_LIT("\0\2\0\1\0\0\0\0\0\1\0\2"), 10002},
        {POSTGRES_NUMERIC, LT_LIT("\0\1\0\1\x40\0\0\0\0\3"), -30000},
        {POSTGRES_NUMERIC, LT_LIT("\0\2\0\0\0\0\0\4\0\5\x13\x88"), 5}, /* 5.5 */
        {POSTGRES_NUMERIC, LT_LIT("\0\1\0\x09\0\0\0\0\0\1"), INT64_MAX},
        {POSTGRES_NUMERIC, LT_LIT("\0\0\0\0\xc0\0\0\0"), 0},   /* NaN */
        {POSTGRES_NUMERIC, LT_LIT("\0\2\0\1\0\0\0\0\0\1"), 0}, /* fewer digits than said */
        {POSTGRES_NUMERIC, LT_LIT("\0"), 0},
        {POSTGRES_INT8, LT_LIT("\0\0\0\1"), 0},
        {POSTGRES_TEXT, LT_LIT("12345678"), 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_true(postgres_integer(rows[i].type, rows[i].value) == rows[i].number);
    }
    uint8_t out[8];
    postgres_put_int8(out, -2);
    assert_memory_equal(out, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
}

/* What a reader asks may be limited; with the transaction the limit goes. */
static void a_limit_ends_with_its_transaction(void **state)
{
    struct rig *r = *state;
    struct store_rows rows;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    struct store *reader = open_as(r->url, NULL, true);
    assert_ok(store_begin(reader));
    assert_ok(store_limit(reader, 20));
    lt_res asked = store_query(reader, &sql[SLOW], STORE_NO_ARGS, &rows);
    if (!lt_failed(asked)) {
        assert_false(store_next(&rows));
        asked = store_rows_end(&rows);
    }
    assert_fails(asked, LT_RETRY_TIMEOUT);
    store_rollback(reader);
    assert_ok(store_begin(reader));
    assert_ok(store_limit(reader, 60000));
    assert_true(has(reader, "a", "1"));
    assert_ok(store_commit(reader));
    assert_ok(store_begin(reader));
    assert_true(has(reader, "a", "1"));
    store_rollback(reader);
    store_close(reader);
}

int main(void)
{
#define WITH_BOOK(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(numbers),
        WITH_BOOK(a_limit_ends_with_its_transaction),
        WITH_BOOK(rows_in_and_out),
        WITH_BOOK(every_type_and_its_ends),
        WITH_BOOK(one_statement_within_itself),
        WITH_BOOK(codes),
        WITH_BOOK(a_savepoint_goes_alone),
        WITH_BOOK(rollback_leaves_nothing),
        WITH_BOOK(one_decides_at_a_time),
        WITH_BOOK(what_another_wrote_is_noticed),
        WITH_BOOK(some_decide_side_by_side),
        WITH_BOOK(alone_or_beside),
        WITH_BOOK(a_reader_sees_one_moment),
        WITH_BOOK(long_answers),
        WITH_BOOK(versions),
        WITH_BOOK(not_every_server),
        WITH_BOOK(a_connection_that_ends),
        WITH_BOOK(one_who_stands_still),
        WITH_BOOK(a_name_is_taken_once),
        WITH_BOOK(lost_before_commit),
        WITH_BOOK(lost_behind_commit),
    };
    if (!pg_rig_start()) {
        (void)fprintf(stderr, "no PostgreSQL server here (Debian: apt install postgresql)\n");
        pg_rig_stop();
        return 77; /* meson: skipped */
    }
    int failed = cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
    pg_rig_stop();
    return failed;
}
