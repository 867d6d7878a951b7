/* A book moved from SQLite to PostgreSQL and back: the same rows, by count and by hash, whatever they hold.
 */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "pg_rig.h"
#include "store/copy.h"
#include "store/internal.h"

static struct lt_arena arena;
static char folder[64];

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

static const char *file(const char *name)
{
    return lt_arena_printf(&arena, "%s/%s", folder, name);
}

/* One row in each table, of values that its columns take; then some that are hard. */
static void fill(struct store *s)
{
    assert_ok(store_script(
        s,
        "BEGIN;"
        "INSERT INTO issuer VALUES (1, 'root', NULL, x'00', x'ff', x'', -5, 9223372036854775807, 1);"
        "INSERT INTO issuer VALUES (7, 'tls', 1, x'00', x'ff', x'27', -9223372036854775807, 0, 0);"
        "INSERT INTO profile VALUES (3, 'tls-server', x'5c785c');"
        "INSERT INTO meta VALUES ('a', ''), ('B', 'zwei\n'), ('b', '\\x00'), ('\xc3\xa4', "
        "'\xf0\x9f\x8e\x84');"
        "INSERT INTO account VALUES (4611686018427387904, x'01', x'02', 'ES256', 'valid', '[]', NULL, 1, '');"
        "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, "
        "expires_us) VALUES (1, 4611686018427387904, 'dns', 'a.example', 0, 'valid', 1, 2);"
        "INSERT INTO enrolment VALUES (9, 4611686018427387904, '', x'01', 0, 1, 'admin');" /* no id to draw */
        "COMMIT"));
    for (int i = 0; i < 45000; i++) {
        char text[160];
        (void)snprintf(text, sizeof text,
                       "INSERT INTO event VALUES ('c', %d, %d, 'k', 's%d', '{}', %s, x'%08x')", i, -i, i % 7,
                       i % 3 == 0   ? "NULL"
                       : i % 3 == 1 ? "x''"
                                    : "x'00ff'",
                       i);
        assert_ok(store_script(s, i == 0 ? "BEGIN" : "SELECT 1"));
        assert_ok(store_script(s, text));
    }
    assert_ok(store_script(s, "COMMIT"));
}

static lt_res move(const char *from, const char *to, uint8_t ret_hash[STORE_COPY_HASH_LEN], int64_t *ret_rows)
{
    struct store_copy copy = {
        .from = open_book(from, true), .to = open_book(to, false), .back = open_book(to, true)};
    lt_res r = store_copy_run(&copy, &arena);
    struct lt_error why = *lt_error_last();
    if (!lt_failed(r)) {
        store_copy_hash(&copy, ret_hash);
        *ret_rows = copy.rows;
    }
    store_close(copy.from);
    store_close(copy.to);
    store_close(copy.back);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

static void there_and_back(void **state)
{
    (void)state;
    uint8_t there[STORE_COPY_HASH_LEN];
    uint8_t back[STORE_COPY_HASH_LEN];
    int64_t rows = 0;
    int64_t again = 0;
    const char *url = lt_arena_cstr(&arena, lt_slice_cstr(pg_rig_database()));
    struct store *s = open_book(file("one.db"), false);
    fill(s);
    store_close(s);
    assert_ok(move(file("one.db"), url, there, &rows));
    assert_int_equal(rows, 45000 + 2 + 1 + 4 + 1 + 1 + 1 + 1 + 1); /* the last: the calendar of reviews */
    assert_ok(move(url, file("two.db"), back, &again));
    assert_int_equal(again, rows);
    assert_memory_equal(there, back, sizeof there);
    /* What the server draws goes on behind what was moved. */
    assert_int_equal(pg_rig_sql("INSERT INTO profile (name, sha256) VALUES ('next', '')"), 0);
    s = open_book(url, false);
    int64_t id = 0;
    assert_ok(store_scalar(s, "SELECT id FROM profile WHERE name = 'next'", &id));
    assert_int_equal(id, 4);
    store_close(s);
    /* A book is never written over. */
    assert_fails(move(file("one.db"), url, there, &rows), LT_PEER_CONFLICT);
    assert_fails(move(url, file("one.db"), there, &rows), LT_PEER_CONFLICT);
}

static void a_copy_that_did_not_end(void **state)
{
    (void)state;
    uint8_t hash[STORE_COPY_HASH_LEN];
    uint8_t other[STORE_COPY_HASH_LEN];
    int64_t rows = 0;
    const char *url = lt_arena_cstr(&arena, lt_slice_cstr(pg_rig_database()));
    struct store *s = open_book(url, false);
    store_close(s);
    assert_int_equal(pg_rig_sql("INSERT INTO meta VALUES ('store.copying', '1');"
                                "INSERT INTO event VALUES ('x', 1, 1, 'k', 's', '{}', NULL, '')"),
                     0);
    assert_fails(move(url, file("three.db"), hash, &rows), LT_STATE_CORRUPT); /* it is no book */
    assert_ok(move(file("one.db"), url, hash, &rows));                        /* and is made one */
    assert_ok(move(url, file("three.db"), other, &rows));
    assert_memory_equal(hash, other, sizeof hash);
}

/* A trigger stands for a server that stores something else than it was given. */
static void rows_that_are_not_the_same(void **state)
{
    (void)state;
    uint8_t hash[STORE_COPY_HASH_LEN];
    int64_t rows = 0;
    const char *url = lt_arena_cstr(&arena, lt_slice_cstr(pg_rig_database()));
    struct store *s = open_book(url, false);
    store_close(s);
    assert_int_equal(
        pg_rig_sql("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
                   "NEW.time_us := 0; RETURN NEW; END$$;"
                   "CREATE TRIGGER spoil BEFORE INSERT ON event FOR EACH ROW WHEN (NEW.sequence = "
                   "44999) EXECUTE FUNCTION spoil()"),
        0);
    assert_fails(move(file("one.db"), url, hash, &rows), LT_STATE_CORRUPT);
    assert_int_equal(
        pg_rig_sql("DROP TRIGGER spoil ON event; CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE "
                   "plpgsql AS $$BEGIN RETURN NULL; END$$;"
                   "CREATE TRIGGER drop_it BEFORE INSERT ON profile FOR EACH ROW EXECUTE FUNCTION "
                   "drop_it()"),
        0);
    assert_fails(move(file("one.db"), url, hash, &rows), LT_STATE_CORRUPT);
    assert_int_equal(pg_rig_sql("DROP TRIGGER drop_it ON profile"), 0);
    assert_ok(move(file("one.db"), url, hash, &rows));
}

/* The generated list has every table that the migrations make, with every column. */
static void the_list_is_whole(void **state)
{
    (void)state;
    struct store *s = open_book(file("list.db"), false);
    int64_t tables = 0;
    int64_t columns = 0;
    size_t listed = 0;
    assert_ok(store_scalar(s,
                           "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND schema = 'main' "
                           "AND name NOT LIKE 'sqlite_%'",
                           &tables));
    assert_ok(store_scalar(s,
                           "SELECT count(*) FROM pragma_table_list AS t, pragma_table_info(t.name) WHERE "
                           "t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'",
                           &columns));
    for (size_t i = 0; i < store_table_count; i++) {
        const struct store_table *t = &store_tables[i];
        listed += t->columns;
        /* What is drawn is called id; an order_id is another's. */
        assert_true(t->drawn[0] == '\0' || strstr(t->read.text, "SELECT id, ") == t->read.text);
    }
    assert_int_equal(store_table_count, tables);
    assert_int_equal(listed, columns);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_whole),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(a_copy_that_did_not_end),
        cmocka_unit_test(rows_that_are_not_the_same),
    };
    lt_arena_init(&arena, 1024 * 1024);
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-copy-XXXXXX");
    if (mkdtemp(folder) == NULL || !pg_rig_start()) {
        (void)fprintf(stderr, "no PostgreSQL server here (Debian: apt install postgresql)\n");
        pg_rig_stop();
        return 77; /* meson: skipped */
    }
    int failed = cmocka_run_group_tests_name("copy", tests, NULL, NULL);
    pg_rig_stop();
    static const char *const names[] = {"one.db", "two.db", "three.db", "list.db"};
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(names) * LT_COUNT(ends); i++) {
        (void)unlink(
            lt_arena_printf(&arena, "%s/%s%s", folder, names[i / LT_COUNT(ends)], ends[i % LT_COUNT(ends)]));
    }
    (void)rmdir(folder);
    lt_arena_done(&arena);
    return failed;
}
