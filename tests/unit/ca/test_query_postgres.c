/* The statements of readers and of the publisher on PostgreSQL: the server prepares every one of them, on a
 * book of this version. */
#include "../check.h"
#include "../store/pg_rig.h"

#include "base/buf.h"
#include "ca/crl_build.h"
#include "ca/crl_entries.h"
#include "incident/ask.h"
#include "store/internal.h"
#include "store/postgres_text.h"
#include "store/store.h"

static int understood(struct store *s, const struct store_sql *sql)
{
    struct lt_buf text;
    size_t count = 0;
    lt_buf_init(&text, 65536);
    lt_buf_add_cstr(&text, "PREPARE statement AS ");
    lt_res r = postgres_text(sql->text, &text, &count);
    r = lt_failed(r) ? r : store_script(s, lt_buf_cstr(&text));
    if (lt_failed(r)) {
        print_error("%s: %s\n", sql->name, lt_error_last()->detail);
    } else {
        assert_ok(store_script(s, "DEALLOCATE statement"));
    }
    lt_buf_done(&text);
    return lt_failed(r) ? 0 : 1;
}

static void every_statement_is_understood(void **state)
{
    (void)state;
    struct store *s = NULL;
    const struct store_options o = {.path = pg_rig_database()};
    size_t count = 0;
    size_t good = 0;
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    for (size_t t = 0; t < ca_query_statement_tables; t++) {
        for (size_t i = 0; i < ca_query_statements[t]->count; i++, count++) {
            good += (size_t)understood(s, &ca_query_statements[t]->rows[i]);
        }
    }
    for (size_t t = 0; t < incident_questions_count; t++) {
        const struct ca_query_sql *area = incident_questions[t]->sql;
        for (size_t i = 0; area != NULL && i < area->count; i++, count++) {
            good += (size_t)understood(s, &area->rows[i]);
        }
    }
    for (size_t i = 0; i < ca_crl_build_sql_count; i++, count++) {
        good += (size_t)understood(s, &ca_crl_build_sql[i]);
    }
    for (size_t i = 0; i < ca_crl_entries_sql_count; i++, count++) {
        good += (size_t)understood(s, &ca_crl_entries_sql[i]);
    }
    store_close(s);
    assert_true(count > 60);
    assert_int_equal(good, count);
}

static lt_res ask(struct store *s, const char *what, const char *text, uint32_t within_ms, struct lt_buf *out)
{
    struct lt_arena arena;
    char word[32];
    Ipc__Query q = IPC__QUERY__INIT;
    (void)snprintf(word, sizeof word, "%s", what);
    q.what = word;
    q.body = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
    q.within_ms = within_ms;
    lt_arena_init(&arena, (size_t)16 << 20);
    lt_buf_reset(out);
    const struct ca_query query = {.store = s, .q = &q, .now = lt_now(), .arena = &arena, .build = "t"};
    lt_res r = ca_query_answer(&query, out);
    lt_arena_done(&arena);
    return r;
}

static bool says(struct lt_buf *out, const char *words)
{
    return strstr(lt_buf_cstr(out), words) != NULL;
}

/* A count that takes too long is given up, and what is asked behind it is answered; here it waits for a lock.
 */
static void a_count_that_may_not_take_long(void **state)
{
    (void)state;
    struct store *writer = NULL;
    struct store *reader = NULL;
    struct lt_buf out;
    const struct store_options o = {.path = pg_rig_database()};
    const struct store_options reading = {.path = pg_rig_database(), .read_only = true};
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    assert_ok(store_open(&o, &writer));
    assert_ok(store_migrate(writer));
    assert_ok(store_open(&reading, &reader));
    assert_ok(ask(reader, "scope.list", "not expired", 1000, &out));
    assert_true(says(&out, "\"count\":0") && says(&out, "\"certificates\":[]"));
    assert_ok(store_begin(writer));
    assert_ok(store_script(writer, "LOCK TABLE certificate IN ACCESS EXCLUSIVE MODE"));
    assert_ok(ask(reader, "scope.count", "not expired", 50, &out));
    assert_true(says(&out, "\"count\":null"));
    store_rollback(writer);
    assert_ok(ask(reader, "scope.count", "not expired", 0, &out));
    assert_true(says(&out, "\"count\":0"));
    store_close(reader);
    store_close(writer);
    lt_buf_done(&out);
}

static void the_test_can_fail(void **state)
{
    (void)state;
    static const struct store_sql bad[] = {
        {"t.word", "SELECT nothing FROM certificate"},
        {"t.group", "SELECT account, count(*) FROM certificate GROUP BY profile"},
        {"t.type", "SELECT 1 FROM certificate WHERE serial > 'a' || 1 + 1"},
    };
    struct store *s = NULL;
    const struct store_options o = {.path = pg_rig_database()};
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_int_equal(understood(s, &bad[i]), 0);
    }
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_understood),
        cmocka_unit_test(a_count_that_may_not_take_long),
        cmocka_unit_test(the_test_can_fail),
    };
    if (!pg_rig_start()) {
        (void)fprintf(stderr, "no PostgreSQL server here (Debian: apt install postgresql)\n");
        pg_rig_stop();
        return 77; /* meson: skipped */
    }
    int failed = cmocka_run_group_tests_name("query-postgres", tests, NULL, NULL);
    pg_rig_stop();
    return failed;
}
