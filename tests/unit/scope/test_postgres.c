/* Every named scope, and one with more values than a statement has, on a real PostgreSQL server. */
#include "../check.h"

#include <fcntl.h>

#include "../store/pg_rig.h"
#include "base/file.h"
#include "scope/scope.h"

static struct lt_arena text;
static struct lt_arena arena;
static struct store *book;
static const struct scope_ask plain = {.want = SCOPE_COUNT, .now = {1763000000000000}};

static int run(lt_slice name, lt_slice expression, enum scope_want want)
{
    const struct scope *s = NULL;
    struct scope_sql sql;
    struct scope_catalog catalog;
    struct scope_ask ask = plain;
    int64_t count = -1;
    uint8_t hash[SCOPE_HASH_LEN];
    ask.want = want;
    ask.catalog = &catalog;
    lt_res r = scope_catalog_load(book, &arena, &catalog);
    r = lt_failed(r) ? r : scope_parse(expression, &arena, NULL, &s);
    r = lt_failed(r) ? r : scope_compile(s, &ask, &arena, NULL, &sql);
    if (!lt_failed(r)) {
        r = want == SCOPE_COUNT ? scope_count(book, &sql, &count)
                                : scope_members_hash(book, &sql, &count, hash);
    }
    if (lt_failed(r)) {
        print_error("%.*s: %s\n", LT_FMT(name), lt_error_last()->detail);
    }
    lt_arena_reset(&arena);
    return lt_failed(r) || count != 0 ? 1 : 0;
}

static void every_named_scope(void **state)
{
    (void)state;
    lt_slice file;
    lt_slice line;
    int bad = 0;
    int seen = 0;
    assert_ok(lt_file_read(&text, AT_FDCWD, DATA_DIR "/scopes.tsv", 512 * 1024, &file));
    while (lt_slice_split(&file, '\n', &line)) {
        lt_slice name;
        lt_slice expression;
        if (line.len > 0 && line.ptr[0] != '#' && lt_slice_split(&line, '\t', &name) &&
            lt_slice_split(&line, '\t', &expression)) {
            bad += run(name, expression, SCOPE_COUNT) + run(name, expression, SCOPE_MEMBERS);
            seen++;
        }
    }
    assert_int_equal(bad, 0);
    assert_true(seen >= 40);
}

/* What no named scope asks. */
static void readiness(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "tier = by-hand",
        "not tier in {automatic, unattended} and hold_out",
        "cannot_tolerate or not contact_verified",
        "client = \"certbot/2.9\" and renewed < now-30d",
        "terms = \"2026\" and not terms_clause",
        "polled >= now-7d and not hold_out",
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(run(lt_slice_cstr(rows[i]), lt_slice_cstr(rows[i]), SCOPE_COUNT), 0);
        assert_int_equal(run(lt_slice_cstr(rows[i]), lt_slice_cstr(rows[i]), SCOPE_MEMBERS), 0);
    }
}

static void many_values(void **state)
{
    (void)state;
    struct lt_buf out;
    lt_buf_init(&out, 64 * 1024);
    lt_buf_add_cstr(&out, "serial in {");
    for (int i = 0; i < 3000; i++) {
        lt_buf_addf(&out, "%s%08x", i == 0 ? "" : ", ", i + 1);
    }
    lt_buf_add_cstr(&out, "}");
    assert_int_equal(run(LT_LIT("many"), lt_buf_slice(&out), SCOPE_COUNT), 0);
    lt_buf_done(&out);
}

/* Every field is counted by there as well, or refused for the same reason. */
static void every_group(void **state)
{
    (void)state;
    const struct scope *s = NULL;
    struct scope_catalog catalog;
    size_t counted = 0;
    assert_int_equal(
        pg_rig_sql("INSERT INTO certificate VALUES (2, '\\x0a', 0, 'x509', 1, '\\x01', '\\x02', 2, 256, "
                   "1760000000000000, 1764000000000000, 1760000000000000, 7, 8, '\\x03', 2, 'rules', '0.1', "
                   "1, 'http-01', 1, 1759000000000000, 0, 2, 3, 4)"),
        0);
    for (size_t i = 0; i < scope_field_count(); i++) {
        struct scope_ask ask = plain;
        struct scope_groups groups;
        ask.catalog = &catalog;
        assert_ok(scope_catalog_load(book, &arena, &catalog));
        assert_ok(scope_parse(LT_LIT("issuer = tls and names > 0"), &arena, NULL, &s));
        lt_res r = scope_group_by(book, s, &ask, scope_field_info(i).name, 100, &arena, &groups);
        if (lt_failed(r)) {
            print_error("%s: %s\n", scope_field_info(i).name, lt_error_last()->detail);
            assert_int_equal(r.code, LT_PEER_MALFORMED);
        } else {
            assert_int_equal(groups.certificates, 1);
            assert_int_equal(groups.count, 1);
            assert_int_equal(groups.list[0].count, 1);
            counted++;
        }
        lt_arena_reset(&arena);
    }
    assert_true(counted > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_named_scope), cmocka_unit_test(readiness),
                                       cmocka_unit_test(many_values), cmocka_unit_test(every_group)};
    lt_arena_init(&text, 1024 * 1024);
    lt_arena_init(&arena, SCOPE_ARENA_MAX);
    if (!pg_rig_start()) {
        (void)fprintf(stderr, "no PostgreSQL server here (Debian: apt install postgresql)\n");
        pg_rig_stop();
        return 77; /* meson: skipped */
    }
    const struct store_options o = {.path = pg_rig_database()};
    int failed = 1;
    if (!lt_failed(store_open(&o, &book)) && !lt_failed(store_migrate(book)) &&
        pg_rig_sql("INSERT INTO issuer VALUES (2, 'tls', NULL, '', '', '', 0, 1, 0);"
                   "INSERT INTO profile VALUES (1, 'tls-server', '')") == 0) {
        failed = cmocka_run_group_tests_name("scope-postgres", tests, NULL, NULL);
    }
    store_close(book);
    pg_rig_stop();
    lt_arena_done(&arena);
    lt_arena_done(&text);
    return failed;
}
