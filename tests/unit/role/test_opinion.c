/* What another linter says: only a plain all-clear is one. And what it is let near. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "role/opinion.h"
#include "role/profiles.h"

static const struct ca_config_opinion zlint = {
    .format = CA_OPINION_ZLINT, .fail_on = CA_OPINION_ERROR, .timeout_s = 7};
static const struct ca_config_opinion strict = {
    .format = CA_OPINION_ZLINT, .fail_on = CA_OPINION_NOTICE, .timeout_s = 7};
static const struct ca_config_opinion by_status = {.format = CA_OPINION_STATUS, .timeout_s = 7};

static const struct {
    const char *what;
    const struct ca_config_opinion *config;
    int code;
    int status;
    bool late;
    const char *out;
    const char *err;
    const char *outcome;
    const char *detail; /* stands in it */
    size_t findings;
} rows[] = {
    {"all pass", &zlint, CLD_EXITED, 0, false,
     "{\"e_a\":{\"result\":\"pass\"},\"e_b\":{\"result\":\"NA\"},\"e_c\":{\"result\":\"NE\"}}\n", "", "clean",
     "", 0},
    {"warnings pass", &zlint, CLD_EXITED, 0, false,
     "{\"w_a\":{\"result\":\"warn\",\"details\":\"x\"},\"n_b\":{\"result\":\"info\"}}", "", "clean", "", 0},
    {"unless not even notices may", &strict, CLD_EXITED, 0, false,
     "{\"w_a\":{\"result\":\"warn\",\"details\":\"x\"},\"n_b\":{\"result\":\"info\"}}", "", "findings",
     "w_a: x", 2},
    {"an error", &zlint, CLD_EXITED, 0, false, "{\"e_a\":{\"result\":\"error\",\"details\":\"too long\"}}",
     "", "findings", "e_a: too long", 1},
    {"a fatal one, status and all", &zlint, CLD_EXITED, 1, false, "{\"e_a\":{\"result\":\"fatal\"}}", "",
     "findings", "e_a", 1},
    {"control characters", &zlint, CLD_EXITED, 0, false,
     "{\"e_a\\u0007\":{\"result\":\"error\",\"details\":\"\\u001b[31mred\\n\\nline \\u00e9\"}}", "",
     "findings", "e_a?: ?[31mred line ??", 1},
    {"all pass, but it failed", &zlint, CLD_EXITED, 3, false, "{\"e_a\":{\"result\":\"pass\"}}", "broken",
     "failed", "failed without a finding: broken", 0},
    {"nothing at all", &zlint, CLD_EXITED, 0, false, "", "", "failed", "said nothing", 0},
    {"only complaints", &zlint, CLD_EXITED, 0, false, "", "no such file", "failed", "no such file", 0},
    {"an empty object", &zlint, CLD_EXITED, 0, false, "{}", "", "failed", "said nothing", 0},
    {"an array", &zlint, CLD_EXITED, 0, false, "[]", "", "failed", "said nothing", 0},
    {"cut short", &zlint, CLD_EXITED, 0, false, "{\"e_a\":{\"result\":\"pass\"}", "", "failed",
     "said nothing", 0},
    {"two documents", &zlint, CLD_EXITED, 0, false,
     "{\"e_a\":{\"result\":\"pass\"}}{\"e_b\":{\"result\":\"error\"}}", "", "failed", "said nothing", 0},
    {"a name twice", &zlint, CLD_EXITED, 0, false,
     "{\"e_a\":{\"result\":\"error\"},\"e_a\":{\"result\":\"pass\"}}", "", "failed", "said nothing", 0},
    {"a result that is none", &zlint, CLD_EXITED, 0, false, "{\"e_a\":{\"result\":\"maybe\"}}", "", "failed",
     "said nothing", 0},
    {"no result", &zlint, CLD_EXITED, 0, false, "{\"e_a\":{\"details\":\"x\"}}", "", "failed", "said nothing",
     0},
    {"a verdict that is no object", &zlint, CLD_EXITED, 0, false, "{\"e_a\":\"pass\"}", "", "failed",
     "said nothing", 0},
    {"an error and then nonsense", &zlint, CLD_EXITED, 0, false, "{\"e_a\":{\"result\":\"error\"},\"e_b\":7}",
     "", "failed", "said nothing", 0},
    {"bytes", &zlint, CLD_EXITED, 0, false, "\xff\xfe{}", "", "failed", "said nothing", 0},
    {"status 0", &by_status, CLD_EXITED, 0, false, "whatever it says", "", "clean", "", 0},
    {"status 1", &by_status, CLD_EXITED, 1, false, "  not\tnice \n", "", "findings",
     "exit-status-1: not nice", 1},
    {"status 127", &by_status, CLD_EXITED, 127, false, "", "cannot be started", "findings",
     "cannot be started", 1},
    {"late", &by_status, CLD_KILLED, SIGKILL, true, "", "", "failed", "took longer than 7 s", 0},
    {"late, whatever it said", &zlint, CLD_KILLED, SIGKILL, true, "{\"e_a\":{\"result\":\"pass\"}}", "",
     "failed", "took longer than 7 s", 0},
    {"late, and ended by itself", &by_status, CLD_EXITED, 0, true, "", "", "failed", "took longer", 0},
    {"crashed", &by_status, CLD_DUMPED, SIGSEGV, false, "", "", "failed", "signal 11", 0},
    {"crashed behind an all-clear", &zlint, CLD_KILLED, SIGABRT, false, "{\"e_a\":{\"result\":\"pass\"}}", "",
     "failed", "signal 6", 0},
    {"too much", &by_status, CLD_KILLED, SIGXFSZ, false, "", "", "failed", "says too much", 0},
};

static void test_answers(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 1 << 22);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct opinion_end end = {rows[i].code, rows[i].status, rows[i].late, lt_slice_cstr(rows[i].out),
                                  lt_slice_cstr(rows[i].err)};
        Ipc__Opinion o;
        opinion_read(rows[i].config, &end, &a, &o);
        bool good = strcmp(o.outcome, rows[i].outcome) == 0 && strstr(o.detail, rows[i].detail) != NULL &&
                    o.n_findings == rows[i].findings;
        if (!good) {
            fail_msg("%s: %s (%s), %zu findings", rows[i].what, o.outcome, o.detail, o.n_findings);
        }
        size_t len = ipc__opinion__get_packed_size(&o); /* it can be sent */
        assert_true(len > 0 && len < 65536);
        lt_arena_reset(&a);
    }
    lt_arena_done(&a);
}

/* However much it finds, what is told is bounded. */
static void test_many_findings(void **state)
{
    (void)state;
    struct lt_arena a;
    struct lt_buf text;
    Ipc__Opinion o;
    lt_arena_init(&a, 1 << 24);
    lt_buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < 900; i++) {
        lt_buf_addf(&text, "%s\"e_%u\":{\"result\":\"error\",\"details\":\"%0600u\"}", i == 0 ? "{" : ",", i,
                    i);
    }
    lt_buf_add_byte(&text, '}');
    assert_ok(lt_buf_check(&text));
    struct opinion_end end = {CLD_EXITED, 0, false, lt_buf_slice(&text), LT_LIT("")};
    opinion_read(&zlint, &end, &a, &o);
    assert_string_equal(o.outcome, "findings");
    assert_true(o.n_findings > 0 && o.n_findings <= 256);
    assert_true(ipc__opinion__get_packed_size(&o) < 256 * 1024);
    lt_buf_done(&text);
    lt_arena_done(&a);
}

static bool has(const struct sandbox_profile *p, const char *path)
{
    for (size_t i = 0; i < p->path_count; i++) {
        if (strcmp(p->paths[i].path, path) == 0) {
            assert_false(p->paths[i].write);
            return p->paths[i].exec;
        }
    }
    return false;
}

static const char *script(const char *folder, const char *text)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/linter", folder);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void test_walls(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-opinion-XXXXXX";
    struct lt_arena a;
    struct sandbox_profile p;
    assert_non_null(mkdtemp(folder));
    lt_arena_init(&a, 1 << 20);
    static const struct {
        const char *text;
        const char *starts; /* beside itself; NULL: refused */
    } cases[] = {
        {"#!/bin/sh\nexit 0\n", "/bin/sh"},
        {"#! /bin/sh -e\nexit 0\n", "/bin/sh"},
        {"#!/usr/bin/env sh\nexit 0\n", "/usr/bin/sh"},
        {"#!/usr/bin/env no-such-program-at-all\n", NULL},
        {"#!\n", NULL},
        {"\x7f"
         "ELF and so on",
         ""},
        {"", ""},
    };
    for (size_t i = 0; i < LT_COUNT(cases); i++) {
        const char *path = script(folder, cases[i].text);
        const char *const command[] = {path};
        const char *const paths[] = {"/opt/linter"};
        struct ca_config_opinion o = {
            .command = command, .command_count = 1, .paths = paths, .path_count = 1};
        lt_res r = opinion_walls(&o, &a, &p);
        assert_int_equal(lt_failed(r), cases[i].starts == NULL);
        if (!lt_failed(r)) {
            assert_true(has(&p, path) && has(&p, "/opt/linter"));
            assert_true(cases[i].starts[0] == 0 || has(&p, cases[i].starts));
            assert_true((p.calls & (SANDBOX_CONNECT | SANDBOX_ACCEPT | SANDBOX_OPEN_WRITE | SANDBOX_FORK)) ==
                        0);
            assert_false(has(&p, "/usr"));
        }
        assert_int_equal(unlink(path), 0);
    }
    const char *const missing[] = {"/nowhere/linter"};
    struct ca_config_opinion o = {.command = missing, .command_count = 1};
    assert_true(lt_failed(opinion_walls(&o, &a, &p)));
    lt_arena_done(&a);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_many_findings),
        cmocka_unit_test(test_walls),
    };
    return cmocka_run_group_tests_name("role/opinion", tests, NULL, NULL);
}
