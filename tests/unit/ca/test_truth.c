/* What becomes of certificates: every edge and non-edge; who is told when one is issued, when ACME says what
 * it replaces, and when an endpoint shows it; and a book that is new to this. */
#include "../check.h"
#include "book_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/truth.h"

#define PATH "/tmp/lintel-test-truth.db"

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- certificates that are only rows ---- */

enum { ISSUER = 2, DAY_S = 86400 };

static const struct store_sql add_row = {
    "test.add",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, "
    "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
    "sequence) VALUES (2, ?1, 0, 'x509', 1, ?1, ?1, 2, 256, ?2, ?3, ?2, 0, 0, ?4, 1, '', '', 1, '', 0, 0, 0, "
    "0, "
    "0, 0)"};
static const struct store_sql show = {
    "test.show", "INSERT INTO usage_endpoint (name, port, scan, looked_us, outcome, "
                 "seen_us, sha256, issuer, serial) VALUES (?1, 443, 1, 1, 'served', 1, ?2, "
                 "?3, ?2) ON CONFLICT (name, port) DO UPDATE SET issuer = ?3, serial = ?2"};

struct one {
    const char *serial;
    int64_t day;  /* issued */
    int64_t days; /* valid */
    const char *names;
};

static lt_time day(int64_t n)
{
    return (lt_time){(int64_t)1800000000 * LT_US_PER_SECOND + n * DAY_S * LT_US_PER_SECOND};
}

static struct ca_truth_certificate of(const char *serial)
{
    return (struct ca_truth_certificate){ISSUER, lt_slice_cstr(serial)};
}

static lt_res step_add(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct one *o = arg;
    (void)r;
    return store_exec(t->store, &add_row,
                      STORE_ARGS(STORE_B(lt_slice_cstr(o->serial)), STORE_I(day(o->day).us),
                                 STORE_I(day(o->day + o->days).us), STORE_B(lt_slice_cstr(o->names))),
                      NULL);
}

static lt_res step_arrive(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct one *o = arg;
    struct ca_truth_certificate c = of(o->serial);
    LT_TRY(step_add(r, t, arg));
    t->now = day(o->day);
    return ca_truth_arrived(t, &c, lt_slice_cstr(o->names), day(o->day));
}

static void arrive(struct rig *r, const char *serial, int64_t on, int64_t days, const char *names)
{
    struct one o = {serial, on, days, names};
    assert_ok(rig_run(r, step_arrive, &o));
}

struct sight {
    const char *endpoint;
    const char *before; /* NULL: none of ours */
    const char *now;    /* NULL: another CA's */
};

static lt_res step_observe(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct sight *s = arg;
    struct ca_truth_certificate before = of(s->before == NULL ? "" : s->before);
    struct ca_truth_certificate now = of(s->now == NULL ? "" : s->now);
    (void)r;
    LT_TRY(store_exec(
        t->store, &show,
        STORE_ARGS(STORE_S(s->endpoint), STORE_B(now.serial), STORE_I(s->now == NULL ? 0 : ISSUER)), NULL));
    return ca_truth_observed(t, s->before == NULL ? NULL : &before, s->now == NULL ? NULL : &now);
}

static void observe(struct rig *r, const char *endpoint, const char *before, const char *now)
{
    struct sight s = {endpoint, before, now};
    assert_ok(rig_run(r, step_observe, &s));
}

static int64_t state_of(struct rig *r, const char *serial)
{
    char sql[400];
    char hex[64] = "";
    for (size_t i = 0; serial[i] != 0 && i < sizeof hex / 2 - 1; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)serial[i]);
    }
    (void)snprintf(sql, sizeof sql,
                   "SELECT coalesce((SELECT state FROM certificate_truth WHERE issuer = 2 AND serial = x'%s' "
                   "ORDER BY step DESC LIMIT 1), 4)",
                   hex);
    return rig_number(r, sql);
}

/* ---- the machine ---- */

static void test_every_edge(void **state)
{
    (void)state;
    static const enum ca_truth_state all[] = {CA_TRUTH_IN_USE, CA_TRUTH_DEPLOYED, CA_TRUTH_NOT_SEEN,
                                              CA_TRUTH_SILENT};
    size_t edges = 0;
    for (size_t i = 0; i < LT_COUNT(all); i++) {
        for (int e = 0; e < CA_TRUTH_EVENTS; e++) {
            size_t found = 0;
            for (size_t n = 0; n < ca_truth_edge_count; n++) {
                found += ca_truth_edges[n].from == all[i] && (int)ca_truth_edges[n].event == e;
                assert_true(ca_truth_edges[n].from != ca_truth_edges[n].to);
            }
            assert_true(found <= 1);
            edges += found;
        }
    }
    assert_int_equal(edges, ca_truth_edge_count);
    assert_string_equal(ca_truth_state_name(CA_TRUTH_IN_USE), "in_use");
    assert_string_equal(ca_truth_state_name(CA_TRUTH_NOT_SEEN), "not_seen");
    assert_string_equal(ca_truth_state_name(0), "silent");
    assert_string_equal(ca_truth_state_name(99), "silent");
}

/* ---- replacements ---- */

static char www[] = "www.example.com";
static char other[] = "other.example.com";

static void test_issued_twice_for_the_same_names(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, www));
    assert_ok(rig_run(r, rig_plan, other));
    assert_ok(rig_answer(r, 100));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth"), 0); /* two that know nothing */
    assert_ok(rig_run(r, rig_plan, www));
    assert_ok(rig_answer(r, 100));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM replacement WHERE how = 'same-names'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth WHERE state = 3 AND step = 1 AND "
                                   "event = 'successor'"),
                     1);
    rig_audit(r);
}

static void test_a_chain_of_renewals(void **state)
{
    struct rig *r = *state;
    arrive(r, "a", 1, 90, "names");
    arrive(r, "b", 60, 90, "names");
    arrive(r, "c", 120, 90, "names");
    arrive(r, "x", 120, 90, "other");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM replacement"), 2); /* each the one before it */
    assert_int_equal(state_of(r, "a"), CA_TRUTH_NOT_SEEN);
    assert_int_equal(state_of(r, "b"), CA_TRUTH_NOT_SEEN);
    assert_int_equal(state_of(r, "c"), CA_TRUTH_SILENT);
    assert_int_equal(state_of(r, "x"), CA_TRUTH_SILENT);
    arrive(r, "d", 400, 90, "names"); /* long after all were over */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM replacement"), 2);
    assert_int_equal(state_of(r, "c"), CA_TRUTH_SILENT);
}

/* History arrives in any order. */
static void test_imported_between(void **state)
{
    struct rig *r = *state;
    arrive(r, "new", 80, 90, "names");
    arrive(r, "old", 10, 90, "names");
    assert_int_equal(state_of(r, "old"), CA_TRUTH_NOT_SEEN);
    arrive(r, "middle", 40, 90, "names");
    assert_int_equal(state_of(r, "middle"), CA_TRUTH_NOT_SEEN);
    assert_int_equal(state_of(r, "new"), CA_TRUTH_SILENT);
}

struct pair {
    const char *older;
    const char *newer;
};

static lt_res step_replaced(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct pair *p = arg;
    struct ca_truth_certificate older = of(p->older);
    struct ca_truth_certificate newer = of(p->newer);
    (void)r;
    return ca_truth_replaced(t, &older, &newer, "acme-replaces");
}

static void test_acme_says_so(void **state)
{
    struct rig *r = *state;
    struct pair p = {"a", "b"};
    struct pair itself = {"a", "a"};
    arrive(r, "a", 1, 90, "two names");
    arrive(r, "b", 2, 90, "three names");
    assert_int_equal(state_of(r, "a"), CA_TRUTH_SILENT);
    assert_ok(rig_run(r, step_replaced, &itself));
    assert_int_equal(state_of(r, "a"), CA_TRUTH_SILENT);
    assert_ok(rig_run(r, step_replaced, &p));
    assert_ok(rig_run(r, step_replaced, &p)); /* told twice */
    assert_int_equal(state_of(r, "a"), CA_TRUTH_NOT_SEEN);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth"), 1);
}

/* ---- endpoints ---- */

static void test_the_successor_is_seen(void **state)
{
    struct rig *r = *state;
    arrive(r, "a", 1, 90, "names");
    arrive(r, "b", 30, 90, "names");
    arrive(r, "c", 60, 90, "names");
    observe(r, "com.example.www", NULL, "c");
    assert_int_equal(state_of(r, "c"), CA_TRUTH_IN_USE);
    assert_int_equal(state_of(r, "b"), CA_TRUTH_DEPLOYED);
    assert_int_equal(state_of(r, "a"), CA_TRUTH_DEPLOYED); /* by way of b */
    arrive(r, "older", 0, 90, "names"); /* imported later: what replaces it is deployed already */
    assert_int_equal(state_of(r, "older"), CA_TRUTH_DEPLOYED);
}

static void test_the_old_one_is_still_there(void **state)
{
    struct rig *r = *state;
    arrive(r, "a", 1, 90, "names");
    observe(r, "one", NULL, "a");
    observe(r, "two", NULL, "a");
    assert_int_equal(state_of(r, "a"), CA_TRUTH_IN_USE);
    arrive(r, "b", 30, 90, "names");
    assert_int_equal(state_of(r, "a"), CA_TRUTH_IN_USE); /* whatever was issued */
    observe(r, "one", "a", "b");
    assert_int_equal(state_of(r, "a"), CA_TRUTH_IN_USE); /* the second endpoint has it */
    observe(r, "two", "a", "b");
    assert_int_equal(state_of(r, "a"), CA_TRUTH_DEPLOYED);
    observe(r, "two", "b", "a"); /* put back */
    assert_int_equal(state_of(r, "a"), CA_TRUTH_IN_USE);
    assert_int_equal(state_of(r, "b"), CA_TRUTH_IN_USE);
    observe(r, "one", "b", "a");
    assert_int_equal(state_of(r, "b"), CA_TRUTH_DEPLOYED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth WHERE serial = x'61'"), 3);
}

static void test_another_ca_took_over(void **state)
{
    struct rig *r = *state;
    arrive(r, "a", 1, 90, "names");
    observe(r, "one", NULL, NULL);
    assert_int_equal(state_of(r, "a"), CA_TRUTH_SILENT); /* it was never there */
    observe(r, "one", NULL, "a");
    observe(r, "one", "a", NULL);
    assert_int_equal(state_of(r, "a"), CA_TRUTH_DEPLOYED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth WHERE event = 'left' AND "
                                   "by_issuer = 0"),
                     1);
}

/* ---- a book that is new to this ---- */

static lt_res step_sweep(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    t->now = day(0);
    return ca_truth_sweep(t, arg);
}

static void add(struct rig *r, const char *serial, int64_t on, int64_t days, const char *names)
{
    struct one o = {serial, on, days, names};
    assert_ok(rig_run(r, step_add, &o));
}

static void test_sweep(void **state)
{
    struct rig *r = *state;
    static char serials[600][8];
    bool more = true;
    size_t slices = 0;
    add(r, "a", 1, 90, "names");
    add(r, "b", 30, 90, "names");
    add(r, "over", -200, 90, "names"); /* on day 0 nobody asks any more */
    for (size_t i = 0; i < LT_COUNT(serials); i++) {
        (void)snprintf(serials[i], sizeof serials[i], "s%05zu", i);
        add(r, serials[i], 1, 90, serials[i]);
    }
    while (more) {
        assert_ok(rig_run(r, step_sweep, &more));
        slices++;
        if (slices == 2) { /* a process that dies goes on where it was */
            rig_close(r);
            assert_ok(rig_open(r, PATH, NULL, false));
        }
    }
    assert_int_equal(slices, 3);
    assert_int_equal(state_of(r, "a"), CA_TRUTH_NOT_SEEN);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth"), 1);
    assert_int_equal(rig_number(r, "SELECT done FROM truth_sweep"), 1);
    assert_ok(rig_run(r, step_sweep, &more));
    assert_false(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_edge),
        cmocka_unit_test_setup_teardown(test_issued_twice_for_the_same_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_chain_of_renewals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_imported_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acme_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_successor_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_old_one_is_still_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_ca_took_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
