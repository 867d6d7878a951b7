/* The store over real SQLite files: settings, rows, transactions, savepoints, codes of failure, readers
 * without the right to write. */
#include "check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/store.h"

static const struct store_sql sql[] = {
    {"put", "INSERT INTO meta (key, value) VALUES (?1, ?2)"},
    {"get", "SELECT value FROM meta WHERE key = ?1"},
    {"all", "SELECT key, value FROM meta ORDER BY key"},
    {"change", "UPDATE meta SET value = ?2 WHERE key = ?1"},
    {"bad-type", "INSERT INTO nonce_epoch (epoch, started_us) VALUES (?1, ?2)"},
    {"orphan",
     "INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, "
     "expires_us) VALUES (1, 999, 'pending', 'p', '[]', x'00', 1, 2)"},
    {"nonsense", "SELECT nothing FROM nowhere"},
    {"slow", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
             "SELECT count(*) FROM n"},
};
enum { PUT, GET, ALL, CHANGE, BAD_TYPE, ORPHAN, NONSENSE, SLOW };

struct rig {
    char folder[64];
    char path[96];
    struct store *store;
};

static struct store *open_at(const char *path, bool create, bool read_only)
{
    struct store *s = NULL;
    const struct store_options o = {.path = path, .create = create, .read_only = read_only};
    assert_ok(store_open(&o, &s));
    return s;
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    (void)snprintf(r->folder, sizeof r->folder, "/tmp/lintel-store-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    (void)snprintf(r->path, sizeof r->path, "%s/book.db", r->folder);
    r->store = open_at(r->path, true, false);
    assert_ok(store_migrate(r->store));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    store_close(r->store);
    (void)chmod(r->folder, 0700);
    for (size_t i = 0; i < LT_COUNT(suffixes); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", r->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(r->folder);
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

static int64_t pragma(struct store *s, const char *text)
{
    int64_t value = -1;
    assert_ok(store_scalar(s, text, &value));
    return value;
}

static void settings_lose_nothing(void **state)
{
    struct rig *r = *state;
    assert_int_equal(pragma(r->store, "PRAGMA synchronous"), 3);
    assert_int_equal(pragma(r->store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(pragma(r->store, "PRAGMA trusted_schema"), 0);
    assert_int_equal(pragma(r->store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(pragma(r->store, "PRAGMA user_version"), store_schema_version());
    assert_int_equal(pragma(r->store, "PRAGMA mmap_size"), 0);
    int64_t ignored = 0;
    assert_true(lt_failed(store_scalar(r->store, "SELECT load_extension('x')", &ignored)));
    assert_ok(store_script(r->store, "PRAGMA writable_schema = ON"));
    assert_true(lt_failed(store_script(r->store, "DELETE FROM sqlite_schema")));
    assert_true(lt_failed(store_script(r->store, "INSERT INTO meta VALUES (\"a\", \"b\")")));
}

static void every_table_is_strict(void **state)
{
    struct rig *r = *state;
    assert_int_equal(pragma(r->store, "SELECT count(*) FROM pragma_table_list WHERE type = 'table' "
                                      "AND name NOT LIKE 'sqlite_%' AND strict = 0"),
                     0);
    assert_true(pragma(r->store, "SELECT count(*) FROM pragma_table_list WHERE strict = 1") > 25);
}

static void rows_in_and_out(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(put(r->store, "b", ""));
    int64_t changed = -1;
    assert_ok(store_exec(r->store, &sql[CHANGE], STORE_ARGS(STORE_S("none"), STORE_S("x")), &changed));
    assert_int_equal(changed, 0);
    assert_ok(store_exec(r->store, &sql[CHANGE], STORE_ARGS(STORE_S("a"), STORE_S("2")), &changed));
    assert_int_equal(changed, 1);
    assert_ok(store_commit(r->store));
    struct store_rows rows;
    assert_ok(store_query(r->store, &sql[ALL], STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    assert_string_equal(store_cstr(&rows, 0), "a");
    assert_string_equal(store_cstr(&rows, 1), "2");
    assert_true(store_next(&rows));
    assert_false(store_is_null(&rows, 1));
    assert_int_equal(store_bytes(&rows, 1).len, 0);
    assert_false(store_next(&rows));
    assert_ok(store_rows_end(&rows));
}

static void one_statement_within_itself(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(put(r->store, "b", "2"));
    assert_ok(store_commit(r->store));
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

static void codes(void **state)
{
    struct rig *r = *state;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_fails(put(r->store, "a", "2"), LT_PEER_CONFLICT);
    assert_fails(
        store_exec(r->store, &sql[BAD_TYPE], STORE_ARGS(STORE_B(LT_LIT("e")), STORE_S("text")), NULL),
        LT_STATE_CORRUPT);
    assert_fails(store_exec(r->store, &sql[ORPHAN], STORE_NO_ARGS, NULL), LT_STATE_CORRUPT);
    assert_fails(store_exec(r->store, &sql[NONSENSE], STORE_NO_ARGS, NULL), LT_STATE_IO);
    assert_ok(store_commit(r->store));
    assert_true(has(r->store, "a", "1"));
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

static void a_second_writer_is_busy(void **state)
{
    struct rig *r = *state;
    struct store *other = open_at(r->path, false, false);
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_fails(store_begin(other), LT_RETRY_BUSY);
    assert_ok(store_commit(r->store));
    assert_ok(store_begin(other));
    assert_true(has(other, "a", "1"));
    assert_ok(store_commit(other));
    store_close(other);
}

static void a_reader_sees_one_moment(void **state)
{
    struct rig *r = *state;
    struct store *reader = open_at(r->path, false, true);
    assert_ok(store_begin(reader));
    assert_false(has(reader, "a", "1"));
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    assert_false(has(reader, "a", "1"));
    assert_ok(store_commit(reader));
    assert_true(has(reader, "a", "1"));
    assert_fails(put(reader, "b", "1"), LT_STATE_IO);
    store_close(reader);
}

/* In a child of another user, with the folder and all files read-only for it. */
/* What a reader asks may be limited; with the transaction the limit goes. */
static void a_limit_ends_with_its_transaction(void **state)
{
    struct rig *r = *state;
    struct store_rows rows;
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    struct store *reader = open_at(r->path, false, true);
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

static int read_as_nobody(const struct rig *r)
{
    enum { NOBODY = 65534 };
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
        return 2;
    }
    struct store *s = NULL;
    const struct store_options o = {.path = r->path, .read_only = true};
    if (lt_failed(store_open(&o, &s))) {
        (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
        return 3;
    }
    int rc = has(s, "a", "1") ? 0 : 4;
    rc = lt_failed(put(s, "b", "1")) ? rc : 5;
    store_close(s);
    return rc;
}

static void fork_reader(const struct rig *r)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(read_as_nobody(r));
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_reader_without_rights(void **state)
{
    struct rig *r = *state;
    if (geteuid() != 0) {
        skip(); /* needs another user */
    }
    assert_int_equal(chmod(r->folder, 0755), 0);
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "a", "1"));
    assert_ok(store_commit(r->store));
    fork_reader(r); /* beside the writer */
    store_close(r->store);
    r->store = NULL;
    fork_reader(r); /* alone: nobody there to make the WAL's index */
    r->store = open_at(r->path, false, false);
    assert_ok(store_begin(r->store));
    assert_ok(put(r->store, "c", "1"));
    assert_ok(store_commit(r->store));
    fork_reader(r);
}

static void versions(void **state)
{
    struct rig *r = *state;
    char other[128];
    struct store *s = NULL;
    (void)snprintf(other, sizeof other, "%s-old", r->path);
    s = open_at(other, true, false);
    assert_fails(store_begin(s), LT_PEER_USAGE); /* not migrated yet */
    assert_ok(store_migrate(s));
    assert_ok(store_migrate(s));
    assert_ok(store_begin(s));
    assert_ok(store_commit(s));
    assert_ok(store_script(s, "PRAGMA user_version = 1000000"));
    store_close(s);
    const struct store_options newer = {.path = other};
    assert_fails(store_open(&newer, &s), LT_PEER_USAGE);
    (void)unlink(other);
    const struct store_options missing = {.path = other};
    assert_fails(store_open(&missing, &s), LT_STATE_IO);
}

/* A book of the first version that anybody has: what it holds is there afterwards, and evidence lies nowhere.
 */
static void a_book_of_version_1(void **state)
{
    struct rig *r = *state;
    char other[128];
    int64_t value = 0;
    (void)snprintf(other, sizeof other, "%s-one", r->path);
    struct store *s = open_at(other, true, false);
    assert_int_equal(store_migrations[0].version, 1);
    assert_ok(store_script(s, store_migrations[0].sql));
    assert_ok(store_script(s, "PRAGMA user_version = 1"));
    assert_ok(store_script(
        s,
        "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) "
        "VALUES (1, x'00', x'00', 'ES256', 'valid', '[]', 1, '');"
        "INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, "
        "expires_us) VALUES (2, 1, 'valid', 'tls-server', '[]', x'00', 1, 2);"
        "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, "
        "expires_us, validated_us) VALUES (3, 1, 'dns', 'a.example', 0, 'valid', 1, 2, 3);"
        "INSERT INTO challenge (authorization_id, idx, type, status, token) "
        "VALUES (3, 0, 'http-01', 'valid', 't');"
        "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
        "VALUES (4, 'http-01', 'BR', '0', 'r', 'primary');"
        "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, "
        "dnssec, statement) VALUES (3, 3, 4, 1, 'dns', 'a.example', 'insecure', '{\"seen\":1}');"));
    store_close(s);
    s = open_at(other, false, false);
    assert_fails(store_begin(s), LT_PEER_USAGE);
    assert_ok(store_migrate(s));
    assert_ok(store_scalar(s, "PRAGMA user_version", &value));
    assert_int_equal(value, store_schema_version());
    assert_ok(
        store_scalar(s,
                     "SELECT count(*) FROM evidence WHERE segment = 0 AND position = 0 AND sha256 IS NULL "
                     "AND statement = '{\"seen\":1}'",
                     &value));
    assert_int_equal(value, 1);
    assert_ok(store_scalar(s,
                           "SELECT count(*) FROM ca_order JOIN account ON account.id = ca_order.account JOIN "
                           "challenge ON challenge.status = ca_order.status",
                           &value));
    assert_int_equal(value, 1);
    assert_ok(store_scalar(s, "SELECT count(*) FROM evidence_segment", &value));
    assert_int_equal(value, 0);
    assert_ok(store_scalar(s, "SELECT count(*) FROM pragma_foreign_key_check", &value));
    assert_int_equal(value, 0);
    store_close(s);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(suffixes); i++) {
        char file[160];
        (void)snprintf(file, sizeof file, "%s%s", other, suffixes[i]);
        (void)unlink(file);
    }
}

static void no_book_at_all(void **state)
{
    struct rig *r = *state;
    char other[128];
    struct store *s = NULL;
    (void)snprintf(other, sizeof other, "%s-bad", r->path);
    int fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    char junk[8192];
    memset(junk, 'x', sizeof junk);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    (void)close(fd);
    const struct store_options o = {.path = other};
    assert_fails(store_open(&o, &s), LT_STATE_CORRUPT);
    (void)unlink(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_lose_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_table_is_strict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_in_and_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_statement_within_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(codes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_savepoint_goes_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rollback_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_writer_is_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_sees_one_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_limit_ends_with_its_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_without_rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_book_of_version_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_book_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
