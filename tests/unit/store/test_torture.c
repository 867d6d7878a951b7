/* The store on a disk that fails: at every call that could, for every kind of failure. What was committed is
 * there afterwards, whole groups or nothing, and the store works again without a hand.
 *
 * The writer commits groups of rows, numbered; the last number whose commit returned LT_OK is what a client
 * would have been told.
 */
#include "check.h"

#include "faultvfs.h"
#include "store/store.h"

enum { GROUPS = 12, ROWS = 5, PAYLOAD = 700 };

static const struct store_sql sql[] = {
    {"put", "INSERT INTO certificate_der (issuer, serial, copy, der) VALUES (?1, ?2, 0, ?3)"},
    {"count", "SELECT count(*) FROM certificate_der WHERE issuer = ?1"},
    {"all", "SELECT issuer, count(*) FROM certificate_der GROUP BY issuer ORDER BY issuer"},
};
enum { PUT, COUNT, ALL };

static lt_res open_store(bool create, struct store **ret_store)
{
    const struct store_options o = {.path = "book", .create = create, .vfs = FAULTVFS_NAME, .cache_kib = 64};
    return store_open(&o, ret_store);
}

static void make_book(void)
{
    struct store *s = NULL;
    faultvfs_format();
    assert_ok(open_store(true, &s));
    assert_ok(store_migrate(s));
    store_close(s);
}

static lt_res put_row(struct store *s, int64_t group, int row)
{
    uint8_t payload[PAYLOAD];
    memset(payload, row, sizeof payload);
    uint8_t serial[2] = {(uint8_t)group, (uint8_t)row};
    LT_TRY(store_savepoint(s));
    lt_res r = store_exec(s, &sql[PUT],
                          STORE_ARGS(STORE_I(group), STORE_B(LT_SLICE(serial, sizeof serial)),
                                     STORE_B(LT_SLICE(payload, sizeof payload))),
                          NULL);
    if (lt_failed(r)) {
        store_rollback_to(s);
        return r;
    }
    return store_release(s);
}

static lt_res put_group(struct store *s, int64_t group)
{
    LT_TRY(store_begin(s));
    for (int row = 0; row < ROWS; row++) {
        lt_res r = put_row(s, group, row);
        if (lt_failed(r)) {
            store_rollback(s);
            return r;
        }
    }
    return store_commit(s);
}

/* Opens, writes groups from `from` on; remembers in told[] what a client was told. */
static void write_groups(int64_t from, bool told[GROUPS])
{
    struct store *s = NULL;
    if (lt_failed(open_store(false, &s))) {
        return;
    }
    for (int64_t g = from; g < GROUPS; g++) {
        told[g] = !lt_failed(put_group(s, g));
    }
    store_close(s);
}

/* Every group that was told is whole; no group is in parts. */
static void check_book(const bool told[GROUPS])
{
    struct store *s = NULL;
    assert_ok(open_store(false, &s));
    for (int64_t g = 0; g < GROUPS; g++) {
        struct store_rows rows;
        assert_ok(store_query(s, &sql[COUNT], STORE_ARGS(STORE_I(g)), &rows));
        assert_true(store_next(&rows));
        int64_t count = store_int(&rows, 0);
        assert_true(count == 0 || count == ROWS);
        assert_true(!told[g] || count == ROWS);
        assert_ok(store_rows_end(&rows));
    }
    bool more[GROUPS] = {false};
    lt_res r = put_group(s, GROUPS + 1); /* it works again */
    assert_ok(r);
    store_close(s);
    (void)more;
}

static uint64_t torture(enum faultvfs_kind kind, uint64_t seed)
{
    uint64_t n = 1;
    for (bool struck = true; struck; n++) {
        bool told[GROUPS] = {false};
        make_book();
        faultvfs_arm(kind, n);
        write_groups(0, told);
        struck = faultvfs_struck();
        faultvfs_power_cut(seed == 0 ? 0 : seed + n);
        check_book(told);
        assert_true(n < 100000);
    }
    return n;
}

static void killed_at_every_call(void **state)
{
    (void)state;
    assert_true(torture(FAULTVFS_KILL, 0) > 50);
}

static void killed_with_torn_sectors(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        assert_true(torture(FAULTVFS_KILL, seed * 7919) > 50);
    }
}

static void every_call_fails_once(void **state)
{
    (void)state;
    assert_true(torture(FAULTVFS_IO, 0) > 50);
}

static void every_lock_is_taken_once(void **state)
{
    (void)state;
    assert_true(torture(FAULTVFS_BUSY, 0) > 5);
}

/* The disk fills up at every write; the code says so; room returns, and the same store goes on. */
static void full_at_every_write(void **state)
{
    (void)state;
    bool struck = true;
    for (uint64_t n = 1; struck; n++) {
        bool told[GROUPS + 2] = {false};
        struct store *s = NULL;
        make_book();
        assert_ok(open_store(false, &s));
        faultvfs_arm(FAULTVFS_FULL, n);
        for (int64_t g = 0; g < GROUPS / 2; g++) {
            lt_res r = put_group(s, g);
            told[g] = !lt_failed(r);
            assert_true(told[g] || r.code == LT_RETRY_UNAVAILABLE);
        }
        struck = faultvfs_struck();
        faultvfs_arm(FAULTVFS_NONE, 0);
        for (int64_t g = GROUPS / 2; g < GROUPS; g++) {
            assert_ok(put_group(s, g));
            told[g] = true;
        }
        store_close(s);
        faultvfs_power_cut(0);
        check_book(told);
    }
}

/* Locked for long: a clear code, nothing written, and afterwards all is well. */
static void busy_for_long(void **state)
{
    (void)state;
    struct store *s = NULL;
    bool told[GROUPS] = {false};
    make_book();
    assert_ok(open_store(false, &s));
    assert_ok(put_group(s, 0));
    told[0] = true;
    faultvfs_arm(FAULTVFS_BUSY, 1);
    faultvfs_busy_count(UINT64_MAX / 2);
    assert_fails(put_group(s, 1), LT_RETRY_BUSY);
    assert_fails(put_group(s, 1), LT_RETRY_BUSY);
    faultvfs_arm(FAULTVFS_NONE, 0);
    assert_ok(put_group(s, 2));
    told[2] = true;
    store_close(s);
    faultvfs_power_cut(0);
    check_book(told);
}

/* A commit that was not synced is not told: the proof that this test can fail. */
static void the_test_can_fail(void **state)
{
    (void)state;
    struct store *s = NULL;
    make_book();
    assert_ok(open_store(false, &s));
    assert_ok(put_group(s, 0));
    assert_ok(store_begin(s));
    assert_ok(put_row(s, 1, 0));
    store_rollback(s);
    store_close(s);
    faultvfs_power_cut(0);
    assert_ok(open_store(false, &s));
    struct store_rows rows;
    assert_ok(store_query(s, &sql[ALL], STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    assert_int_equal(store_int(&rows, 1), ROWS);
    assert_false(store_next(&rows));
    assert_ok(store_rows_end(&rows));
    store_close(s);
}

int main(void)
{
    faultvfs_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_every_call),  cmocka_unit_test(killed_with_torn_sectors),
        cmocka_unit_test(every_call_fails_once), cmocka_unit_test(every_lock_is_taken_once),
        cmocka_unit_test(full_at_every_write),   cmocka_unit_test(busy_for_long),
        cmocka_unit_test(the_test_can_fail),
    };
    return cmocka_run_group_tests_name("store torture", tests, NULL, NULL);
}
