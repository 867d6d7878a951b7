/* Minutes that are counted once, as good or bad, whatever is asked how often, and by which process. */
#include "book_rig.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/config.h"
#include "incident/uptime.h"

#define PATH "/tmp/lintel-test-uptime.db"
#define US LT_US_PER_SECOND
enum { MINUTE = 60, DAY = 86400, NOON = 43200, LATE = 40 };

static const struct ca_config *config; /* NULL: none */

static const struct store_sql sql[] = {
    {"test.day", "SELECT good, bad, worked, words FROM uptime_day WHERE day = ?1 AND service = ?2"},
    {"test.crl",
     "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence) "
     "VALUES (2, 0, ?1, 1, ?2, 0, x'00', 1)"},
    {"test.check",
     "INSERT INTO crl_check (issuer, shard, number, published_us, tries, good, detail, bytes, took_us) "
     "VALUES (2, 0, x'02', 1, ?1, 0, 'x', 1, 1)"},
    {"test.checked", "UPDATE crl_check SET tries = ?1"},
};
enum { SQL_DAY, SQL_CRL, SQL_CHECK, SQL_CHECKED };

static void remove_files(void)
{
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    config = NULL;
    assert_ok(rig_open(r, PATH, NULL, true));
    r->now.us = (r->now.us / US / DAY * DAY + NOON + LATE) * US;
    r->book->examiner_linked = true;
    r->book->replayed = true;
    r->book->up_since.us = 1; /* long ago */
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

static lt_res step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t, .config = config};
    bool more = true;
    (void)r;
    (void)arg;
    LT_TRY(incident_uptime_beat(&b, &more));
    assert_false(more);
    return LT_OK;
}

struct day {
    int64_t good;
    int64_t bad;
    bool worked;
    char words[200];
};

static struct day day_of(struct rig *r, const char *service)
{
    struct store_rows rows;
    struct day d = {.good = -1};
    assert_ok(store_query(r->store, &sql[SQL_DAY],
                          STORE_ARGS(STORE_I(r->now.us / US / DAY), STORE_S(service)), &rows));
    if (store_next(&rows)) {
        d = (struct day){store_int(&rows, 0), store_int(&rows, 1), store_int(&rows, 2) != 0, ""};
        (void)snprintf(d.words, sizeof d.words, "%s", store_cstr(&rows, 3));
    }
    assert_ok(store_rows_end(&rows));
    return d;
}

static void beats(struct rig *r, size_t count, int64_t apart_s)
{
    for (size_t i = 0; i < count; i++) {
        assert_ok(rig_run(r, step, NULL));
        r->now.us += apart_s * US;
    }
}

static void a_minute_counts_once(void **state)
{
    struct rig *r = *state;
    r->now.us -= LATE * US;
    beats(r, 120, 1); /* two minutes */
    struct day d = day_of(r, "issue");
    assert_int_equal(d.good, 2);
    assert_int_equal(d.bad, 0);
    assert_true(d.worked);
    assert_int_equal(day_of(r, "ocsp").good, -1); /* nobody has it */
}

/* What is not looked at is in no count; a day that begins has a row of its own. */
static void what_is_not_measured(void **state)
{
    struct rig *r = *state;
    beats(r, 3, 10 * MINUTE);
    assert_int_equal(day_of(r, "issue").good, 3);
    r->now.us += DAY * US;
    assert_int_equal(day_of(r, "issue").good, -1);
    beats(r, 1, 0);
    assert_int_equal(day_of(r, "issue").good, 1);
    r->now.us -= DAY * US; /* a clock that was put back */
    beats(r, 1, 0);
    assert_int_equal(day_of(r, "issue").good, 4);
    r->now.us -= MINUTE * US;
    beats(r, 1, 0);
    assert_int_equal(day_of(r, "issue").good, 4);
}

static void what_is_bad(void **state)
{
    struct rig *r = *state;
    beats(r, 1, MINUTE);
    r->book->held = true;
    beats(r, 2, MINUTE);
    struct day d = day_of(r, "issue");
    assert_int_equal(d.good, 1);
    assert_int_equal(d.bad, 2);
    assert_false(d.worked);
    assert_string_equal(d.words, "Issuance was held.");
    r->book->held = false;
    r->book->examiner_linked = false;
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "issue").bad, 3);
    r->book->examiner_linked = true;
    beats(r, 1, MINUTE);
    d = day_of(r, "issue");
    assert_int_equal(d.good, 2);
    assert_true(d.worked);
    assert_string_equal(d.words, "What signs certificates was not running."); /* what was wrong last stays */
}

/* Who starts is not ready at once. */
static void patience(void **state)
{
    struct rig *r = *state;
    r->now.us -= LATE * US;
    r->book->replayed = false;
    beats(r, 20, 1);
    assert_int_equal(day_of(r, "issue").good, -1);
    r->book->replayed = true;
    beats(r, 40, 1);
    assert_int_equal(day_of(r, "issue").good, 1);
    assert_int_equal(day_of(r, "issue").bad, 0);
    r->book->replayed = false;
    beats(r, 60, 1);
    assert_int_equal(day_of(r, "issue").bad, 1);
}

/* Also one that starts late in a minute. */
static void patience_of_a_start(void **state)
{
    struct rig *r = *state;
    r->book->replayed = false;
    r->book->up_since.us = 0;
    beats(r, 20, 1); /* until the minute ends */
    assert_int_equal(day_of(r, "issue").good, -1);
    beats(r, 60, 1);
    assert_int_equal(day_of(r, "issue").bad, 1);
}

static void after_a_kill(void **state)
{
    struct rig *r = *state;
    beats(r, 1, 0);
    lt_time now = r->now;
    rig_close(r);
    assert_ok(rig_open(r, PATH, NULL, false));
    r->now = now;
    r->book->examiner_linked = false; /* the same minute again: it was counted */
    beats(r, 1, 0);
    assert_int_equal(day_of(r, "issue").good, 1);
    assert_int_equal(day_of(r, "issue").bad, 0);
}

static void ocsp(void **state)
{
    struct rig *r = *state;
    struct ca_config_issuer issuer = {.name = "tls", .ocsp = true};
    struct ca_config c = {.issuers = &issuer, .issuer_count = 1};
    config = &c;
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "ocsp").good, -1); /* nobody had the time to say anything */
    r->book->ocsp_told = r->now;
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "ocsp").good, 1);
    r->now.us += 15 * MINUTE * US;
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "ocsp").bad, 1);
}

static void put(struct rig *r, size_t statement, const struct store_value *values, size_t count)
{
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &sql[statement], values, count, NULL));
    assert_ok(store_commit(r->store));
}

static void crls(void **state)
{
    struct rig *r = *state;
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "crl").good, -1); /* none was published */
    put(r, SQL_CRL, STORE_ARGS(STORE_B(LT_LIT("1")), STORE_I(r->now.us + 5 * MINUTE * US)));
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "crl").good, 1);
    put(r, SQL_CHECK, STORE_ARGS(STORE_I(2)));
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "crl").good, 2); /* it is tried again */
    put(r, SQL_CHECKED, STORE_ARGS(STORE_I(3)));
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "crl").bad, 1);
    put(r, SQL_CHECKED, STORE_ARGS(STORE_I(0)));
    r->now.us += 2 * MINUTE * US;
    beats(r, 1, MINUTE);
    struct day d = day_of(r, "crl");
    assert_int_equal(d.bad, 2);
    assert_non_null(strstr(d.words, "had expired"));
    put(r, SQL_CRL, STORE_ARGS(STORE_B(LT_LIT("2")), STORE_I(r->now.us + DAY * US)));
    beats(r, 1, MINUTE);
    assert_int_equal(day_of(r, "crl").good, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_minute_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_measured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(patience, set_up, tear_down),
        cmocka_unit_test_setup_teardown(patience_of_a_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(crls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ocsp, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
