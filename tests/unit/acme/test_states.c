/* Every edge and every pair that is none; and the page in docs is the table. */
#include "acme/states.h"
#include "base/file.h"
#include "check.h"

#include <fcntl.h>

static void test_every_pair(void **state)
{
    size_t edges = 0;
    (void)state;
    for (int o = 0; o < ACME_OBJECT_COUNT; o++) {
        for (int s = 0; s < ACME_STATE_COUNT; s++) {
            for (int e = 0; e < ACME_STEP_COUNT; e++) {
                enum acme_state to = ACME_STATE_COUNT;
                const struct acme_edge *edge = acme_edge_find((enum acme_object)o, (enum acme_state)s,
                                                              (enum acme_step)e);
                lt_res r = acme_step((enum acme_object)o, (enum acme_state)s, (enum acme_step)e, &to);
                assert_int_equal(r.code, edge == NULL ? LT_STATE_CORRUPT : 0);
                assert_true(edge == NULL ? to == ACME_STATE_COUNT : to == edge->to);
                edges += edge != NULL;
            }
        }
    }
    assert_int_equal(edges, acme_edge_count); /* so no edge stands twice */
}

/* What RFC 8555 7.1.6 says must never be left again. */
static void test_ends(void **state)
{
    static const struct {
        enum acme_object object;
        enum acme_state end;
    } ends[] = {
        {ACME_ACCOUNT, ACME_DEACTIVATED},
        {ACME_ACCOUNT, ACME_REVOKED},
        {ACME_ORDER, ACME_VALID},
        {ACME_ORDER, ACME_INVALID},
        {ACME_AUTHORIZATION, ACME_INVALID},
        {ACME_AUTHORIZATION, ACME_EXPIRED},
        {ACME_AUTHORIZATION, ACME_DEACTIVATED},
        {ACME_AUTHORIZATION, ACME_REVOKED},
        {ACME_CHALLENGE, ACME_VALID},
        {ACME_CHALLENGE, ACME_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        for (size_t e = 0; e < acme_edge_count; e++) {
            assert_false(acme_edges[e].object == ends[i].object && acme_edges[e].from == ends[i].end);
        }
    }
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", "Pending", "pending ", "ready\n", "unknown"};
    (void)state;
    for (int s = 1; s < ACME_STATE_COUNT; s++) {
        enum acme_state read = ACME_STATE_NONE;
        assert_ok(acme_state_read(lt_slice_cstr(acme_state_name((enum acme_state)s)), &read));
        assert_int_equal(read, s);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        enum acme_state read = ACME_STATE_NONE;
        assert_fails(acme_state_read(lt_slice_cstr(bad[i]), &read), LT_STATE_CORRUPT);
    }
    assert_string_equal(acme_state_name((enum acme_state)99), "");
}

static void test_page(void **state)
{
    struct lt_arena a;
    struct lt_buf page;
    lt_slice file;
    (void)state;
    lt_arena_init(&a, 1 << 20);
    lt_buf_init(&page, 1 << 16);
    acme_states_print(&page);
    assert_ok(lt_file_read(&a, AT_FDCWD, DOCS_DIR "/acme-states.md", 1 << 16, &file));
    if (!lt_slice_eq(file, lt_buf_slice(&page))) {
        print_error("docs/acme-states.md differs from the table: run `test_acme_states --print`\n");
    }
    assert_true(lt_slice_eq(file, lt_buf_slice(&page)));
    lt_buf_done(&page);
    lt_arena_done(&a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_page),
    };
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct lt_buf page;
        lt_buf_init(&page, 1 << 16);
        acme_states_print(&page);
        (void)fwrite(page.ptr, 1, page.len, stdout);
        lt_buf_done(&page);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
