/* The mark of a test CA, and what is refused without it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/testing.h"
#include "check.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define OTHER "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"

static char folder[] = "/tmp/lintel-testing-XXXXXX";
static int dir = -1;

static int set_up(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && mkdirat(dir, "ca", 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlinkat(dir, CA_TESTING_MARK, 0); /* what a test did not make is not there */
    (void)unlinkat(dir, "ca/root.pem", 0);
    (void)unlinkat(dir, "ca", AT_REMOVEDIR);
    (void)close(dir);
    return rmdir(folder);
}

static void put(const char *path, lt_slice bytes)
{
    assert_ok(lt_file_replace(dir, path, 0644, bytes));
}

static void put_mark(const char *root)
{
    struct lt_buf mark;
    lt_buf_init(&mark, 4096);
    ca_testing_mark(lt_slice_cstr(root), &mark);
    assert_ok(lt_buf_check(&mark));
    put(CA_TESTING_MARK, lt_buf_slice(&mark));
    lt_buf_done(&mark);
}

static const struct ca_config plain = {.name = "x"};
static const struct ca_config wants = {.testing = {.wanted = true, .management = "127.0.0.1:15000"}};

static void marked(void **state)
{
    bool is = false;
    (void)state;
    put("ca/root.pem", lt_slice_cstr(PEM));
    put_mark(PEM);
    assert_ok(ca_testing_check(dir, &wants, &is));
    assert_true(is);
    is = false;
    assert_ok(ca_testing_check(dir, &plain, &is)); /* a test CA need not want anything */
    assert_true(is);
}

/* The root is public: who copies it has no test CA by that. */
static void root_alone(void **state)
{
    bool is = true;
    (void)state;
    put("ca/root.pem", lt_slice_cstr(PEM));
    put(CA_TESTING_MARK, lt_slice_cstr(PEM));
    assert_fails(ca_testing_check(dir, &wants, &is), LT_POLICY_REFUSED);
    assert_false(is);
}

static void not_marked(void **state)
{
    bool is = true;
    (void)state;
    put("ca/root.pem", lt_slice_cstr(PEM));
    assert_ok(ca_testing_check(dir, &plain, &is));
    assert_false(is);
    assert_fails(ca_testing_check(dir, &wants, &is), LT_POLICY_REFUSED);
    assert_false(is);
}

/* Copied, empty, cut, prolonged, or without anything to be compared with. */
static void wrong_marks(void **state)
{
    static const char *const marks[] = {"", "x", "-----END CERTIFICATE-----\n", PEM "\n", PEM "x", OTHER};
    bool is = true;
    (void)state;
    put("ca/root.pem", lt_slice_cstr(PEM));
    for (size_t i = 0; i < LT_COUNT(marks); i++) {
        put(CA_TESTING_MARK, lt_slice_cstr(marks[i]));
        assert_fails(ca_testing_check(dir, &plain, &is), LT_POLICY_REFUSED);
        assert_fails(ca_testing_check(dir, &wants, &is), LT_POLICY_REFUSED);
        assert_false(is);
    }
    put_mark(OTHER);
    assert_fails(ca_testing_check(dir, &wants, &is), LT_POLICY_REFUSED);
    put_mark("");
    put("ca/root.pem", LT_SLICE("", 0)); /* no root's bytes end every file */
    assert_fails(ca_testing_check(dir, &wants, &is), LT_POLICY_REFUSED);
    assert_int_equal(unlinkat(dir, "ca/root.pem", 0), 0);
    assert_fails(ca_testing_check(dir, &wants, &is), LT_PEER_NOT_FOUND);
    assert_false(is);
}

static const char *const (*variables)[2];

static char *get(const char *name)
{
    for (size_t i = 0; variables[i][0] != NULL; i++) {
        if (strcmp(variables[i][0], name) == 0) {
            return (char *)(uintptr_t)variables[i][1]; /* as getenv; only read */
        }
    }
    return NULL;
}

static const char *const all[][2] = {{"PEBBLE_WFE_NONCEREJECT", "90"},
                                     {"PEBBLE_AUTHZREUSE", "0"},
                                     {"PEBBLE_VA_ALWAYS_VALID", "1"},
                                     {"PEBBLE_VA_SLEEPTIME", "7"},
                                     {NULL, NULL}};

static void environment(void **state)
{
    static const char *const awake[][2] = {
        {"PEBBLE_VA_SLEEPTIME", "7"}, {"PEBBLE_VA_NOSLEEP", "1"}, {"PEBBLE_AUTHZREUSE", ""}, {NULL, NULL}};
    struct ca_config_testing t = {.wanted = true, .authz_reuse = 50, .nonce_reject = 5};
    (void)state;
    variables = all;
    assert_ok(ca_testing_environment(&t, get));
    assert_int_equal(t.nonce_reject, 90);
    assert_int_equal(t.authz_reuse, 0);
    assert_int_equal(t.sleep_s, 7);
    assert_true(t.always_valid);
    t = (struct ca_config_testing){.wanted = true, .authz_reuse = 50, .sleep_s = 3};
    variables = awake;
    assert_ok(ca_testing_environment(&t, get));
    assert_int_equal(t.sleep_s, 0);
    assert_int_equal(t.authz_reuse, 50);
    assert_false(t.always_valid);
}

static void environment_means_nothing_elsewhere(void **state)
{
    struct ca_config_testing t = {.management = "", .authz_reuse = 100};
    (void)state;
    variables = all;
    assert_ok(ca_testing_environment(&t, get));
    assert_int_equal(t.nonce_reject, 0);
    assert_int_equal(t.authz_reuse, 100);
    assert_int_equal(t.sleep_s, 0);
    assert_false(t.always_valid);
}

static void bad_environment(void **state)
{
    static const char *const rows[][2] = {
        {"PEBBLE_WFE_NONCEREJECT", "101"}, {"PEBBLE_WFE_NONCEREJECT", "-1"}, {"PEBBLE_AUTHZREUSE", "half"},
        {"PEBBLE_AUTHZREUSE", "5%"},       {"PEBBLE_VA_SLEEPTIME", "31"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *const one[][2] = {{rows[i][0], rows[i][1]}, {NULL, NULL}};
        struct ca_config_testing t = {.wanted = true};
        variables = one;
        assert_fails(ca_testing_environment(&t, get), LT_PEER_USAGE);
    }
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(marked),
        TEST(root_alone),
        TEST(not_marked),
        TEST(wrong_marks),
        cmocka_unit_test(environment),
        cmocka_unit_test(environment_means_nothing_elsewhere),
        cmocka_unit_test(bad_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
