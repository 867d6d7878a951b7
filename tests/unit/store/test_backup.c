/* A copy of a book while somebody writes to it: one moment of it, whole or not there. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/internal.h"

enum { ROWS = 20000, KILLS = 12, PATH_SIZE = 128 };

static char folder[64];
static char from[PATH_SIZE];
static char to[PATH_SIZE];

static const struct store_sql sql[] = {
    {"test.add", "INSERT INTO meta (key, value) VALUES (?1, ?2)"},
    {"test.both", "SELECT (SELECT count(*) FROM meta WHERE key LIKE 'a%'), "
                  "(SELECT count(*) FROM meta WHERE key LIKE 'b%')"},
};

static struct store *open_book(const char *path, bool read_only)
{
    struct store *s = NULL;
    const struct store_options o = {.path = path, .create = !read_only, .read_only = read_only};
    assert_ok(store_open(&o, &s));
    if (!read_only) {
        assert_ok(store_migrate(s));
    }
    return s;
}

/* Two rows that belong together, in one transaction. */
static void add_pair(struct store *s, int n)
{
    char a[32];
    char b[32];
    (void)snprintf(a, sizeof a, "a%d", n);
    (void)snprintf(b, sizeof b, "b%d", n);
    assert_ok(store_begin(s));
    assert_ok(store_exec(s, &sql[0], STORE_ARGS(STORE_S(a), STORE_S("some words to fill a page")), NULL));
    assert_ok(store_exec(s, &sql[0], STORE_ARGS(STORE_S(b), STORE_S("some words to fill a page")), NULL));
    assert_ok(store_commit(s));
}

static void fill(struct store *s, int rows)
{
    assert_ok(store_begin(s));
    for (int i = 0; i < rows; i++) {
        char a[32];
        char b[32];
        (void)snprintf(a, sizeof a, "a%d", i);
        (void)snprintf(b, sizeof b, "b%d", i);
        assert_ok(store_exec(s, &sql[0], STORE_ARGS(STORE_S(a), STORE_S("some words to fill a page")), NULL));
        assert_ok(store_exec(s, &sql[0], STORE_ARGS(STORE_S(b), STORE_S("some words to fill a page")), NULL));
    }
    assert_ok(store_commit(s));
}

static int64_t pairs_in(const char *path)
{
    struct store *s = open_book(path, true);
    struct store_rows rows;
    assert_ok(store_query(s, &sql[1], STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    int64_t a = store_int(&rows, 0);
    int64_t b = store_int(&rows, 1);
    assert_ok(store_rows_end(&rows));
    store_close(s);
    assert_int_equal(a, b);
    return a;
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-backup-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(from, sizeof from, "%s/from.db", folder);
    (void)snprintf(to, sizeof to, "%s/to.db", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = {"from.db",   "from.db-wal", "from.db-shm",     "to.db",
                                        "to.db-wal", "to.db-shm",   "to.db.unfinished"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

struct meanwhile {
    struct store *writer;
    int next;
    uint64_t steps;
};

/* Somebody else's commit between two steps. */
static void write_more(void *self, uint64_t done, uint64_t total)
{
    struct meanwhile *m = self;
    assert_true(done <= total);
    m->steps++;
    add_pair(m->writer, m->next++);
}

static void one_moment(void **state)
{
    (void)state;
    struct meanwhile m = {.writer = open_book(from, false), .next = ROWS};
    fill(m.writer, ROWS);
    const struct store_backup b = {from, to, write_more, &m};
    assert_ok(store_backup_run(&b));
    assert_true(m.steps > 1);
    assert_int_equal(pairs_in(to), ROWS);
    assert_true(pairs_in(from) > ROWS);
    assert_ok(store_backup_check(to));
    store_close(m.writer);
}

/* It needs no other file: what reads it may have no right to make one. */
static void stands_alone(void **state)
{
    (void)state;
    struct store *s = open_book(from, false);
    fill(s, 10);
    const struct store_backup b = {.from = from, .to = to};
    assert_ok(store_backup_run(&b));
    store_close(s);
    char wal[PATH_SIZE + 8];
    (void)snprintf(wal, sizeof wal, "%s-wal", to);
    assert_int_not_equal(access(wal, F_OK), 0);
    uint8_t head[20];
    int fd = open(to, O_RDONLY);
    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(head[18], 1);
    assert_int_equal(st.st_mode & 077, 0);
    s = open_book(to, false); /* and is a book like any other */
    add_pair(s, 77777);
    store_close(s);
}

static void refuses(void **state)
{
    (void)state;
    const struct store_backup b = {.from = from, .to = to};
    assert_int_equal(store_backup_run(&b).code, LT_STATE_IO); /* no such book */
    assert_int_not_equal(access(to, F_OK), 0);
    FILE *f = fopen(from, "w");
    for (int i = 0; i < 5000; i++) {
        assert_true(fputs("this is no book", f) >= 0);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(store_backup_run(&b).code, LT_STATE_CORRUPT);
    assert_int_not_equal(access(to, F_OK), 0);
    assert_int_equal(store_backup_check(from).code, LT_STATE_CORRUPT);
    assert_int_equal(unlink(from), 0);
    struct store *s = open_book(from, false);
    assert_ok(store_backup_run(&b));
    assert_int_equal(store_backup_run(&b).code, LT_PEER_CONFLICT); /* never over another */
    const struct store_backup nowhere = {.from = from, .to = "/nonexistent/to.db"};
    assert_int_equal(store_backup_run(&nowhere).code, LT_STATE_IO);
    store_close(s);
}

/* A page that was changed on the disk. */
static void finds_damage(void **state)
{
    (void)state;
    struct store *s = open_book(from, false);
    fill(s, 2000);
    const struct store_backup b = {.from = from, .to = to};
    assert_ok(store_backup_run(&b));
    store_close(s);
    int fd = open(to, O_RDWR);
    off_t end = lseek(fd, 0, SEEK_END);
    for (off_t at = 4096 * 60; at < end; at += 4096) {
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 8);
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(store_backup_check(to).code, LT_STATE_CORRUPT);
}

static void wait_a_little(void *self, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    (void)usleep(*(const useconds_t *)self);
}

/* Killed at any moment: the copy is whole or not there, and the next one is made all the same. */
static void killed(void **state)
{
    (void)state;
    struct store *s = open_book(from, false);
    fill(s, ROWS);
    for (useconds_t i = 0; i < KILLS; i++) {
        useconds_t slow = 2000;
        pid_t child = fork();
        if (child == 0) {
            const struct store_backup b = {from, to, wait_a_little, &slow};
            _exit(lt_failed(store_backup_run(&b)) ? 1 : 0);
        }
        (void)usleep(i * 1500);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        if (access(to, F_OK) == 0) {
            assert_int_equal(pairs_in(to), ROWS);
            assert_ok(store_backup_check(to));
            assert_int_equal(unlink(to), 0);
        }
    }
    const struct store_backup b = {.from = from, .to = to};
    assert_ok(store_backup_run(&b));
    assert_int_equal(pairs_in(to), ROWS);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(stands_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
