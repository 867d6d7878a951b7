/* Rows are found again, histograms add up, the text is what Prometheus reads. */
#include "check.h"

#include "base/metrics.h"

static void prints_prometheus_text(void **state)
{
    (void)state;
    static struct lt_metrics board;
    lt_metric_add("before_total", 2);
    lt_metrics_use(&board);
    lt_metric_add("before_total", 1);
    lt_metric_add("issued_total{profile=\"tls-server\"}", 5);
    lt_metric_set("queue", -3);
    lt_metric_observe_us("wait_seconds", 64);
    lt_metric_observe_us("wait_seconds", 65);
    lt_metric_observe_us("wait_seconds", UINT64_C(1) << 40);
    struct lt_buf out;
    lt_buf_init(&out, 65536);
    lt_metrics_print(&board, "registrar-0", &out);
    const char *text = lt_buf_cstr(&out);
    assert_non_null(strstr(text, "before_total{process=\"registrar-0\"} 3\n"));
    assert_non_null(strstr(text, "issued_total{process=\"registrar-0\",profile=\"tls-server\"} 5\n"));
    assert_non_null(strstr(text, "queue{process=\"registrar-0\"} -3\n"));
    assert_non_null(strstr(text, "wait_seconds_bucket{process=\"registrar-0\",le=\"0.000064\"} 1\n"));
    assert_non_null(strstr(text, "wait_seconds_bucket{process=\"registrar-0\",le=\"0.000128\"} 2\n"));
    assert_non_null(strstr(text, "wait_seconds_bucket{process=\"registrar-0\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "wait_seconds_count{process=\"registrar-0\"} 3\n"));
    lt_buf_done(&out);
}

static void groups_by_metric(void **state)
{
    (void)state;
    static struct lt_metrics one = {.row = {{.name = "a_total{x=\"1\"}", .kind = 1, .value = 1},
                                            {.name = "b", .kind = 2, .value = 2},
                                            {.name = "a_total{x=\"2\"}", .kind = 1, .value = 3}}};
    static struct lt_metrics two = {
        .row = {{.name = "a_total_more", .kind = 1, .value = 4}, {.name = "a_total", .kind = 1, .value = 5}}};
    const struct lt_metrics_board boards[] = {{&one, "p"}, {&two, "q"}};
    struct lt_buf out;
    lt_buf_init(&out, 65536);
    lt_metrics_print_all(boards, LT_COUNT(boards), &out);
    assert_string_equal(lt_buf_cstr(&out), "# TYPE a_total counter\n"
                                           "a_total{process=\"p\",x=\"1\"} 1\n"
                                           "a_total{process=\"p\",x=\"2\"} 3\n"
                                           "a_total{process=\"q\"} 5\n"
                                           "# TYPE b gauge\n"
                                           "b{process=\"p\"} 2\n"
                                           "# TYPE a_total_more counter\n"
                                           "a_total_more{process=\"q\"} 4\n");
    lt_buf_done(&out);
}

/* The board of a process that died: its successor goes on counting. */
static void a_used_board_goes_on(void **state)
{
    (void)state;
    static struct lt_metrics old;
    static struct lt_metrics other;
    lt_metrics_use(&other);
    lt_metric_add("lived_total", 7);
    lt_metric_set("gauge", 5);
    lt_metric_observe_us("lived_seconds", 1);
    memcpy(&old, &other, sizeof old);
    memset(&other, 0, sizeof other);
    lt_metric_add("second_total", 1);
    lt_metric_add("lived_total", 2);
    lt_metric_set("gauge", 1);
    lt_metric_observe_us("lived_seconds", 1);
    lt_metrics_use(&old);
    assert_int_equal(lt_metric_row("lived_total", 1)->value, 9);
    assert_int_equal(lt_metric_row("second_total", 1)->value, 1);
    assert_int_equal(lt_metric_row("gauge", 2)->value, 1);
    assert_int_equal(lt_metric_row("lived_seconds", 3)->value, 2);
    assert_int_equal(lt_metric_row("lived_seconds", 3)->bucket[0], 2);
}

static void a_full_board_drops(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < LT_METRICS_ROWS + 10; i++) {
        (void)snprintf(name, sizeof name, "filler_%d", i);
        lt_metric_add(name, 1);
    }
    assert_null(lt_metric_row("one_more", 1));
    lt_metric_add("one_more", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_prometheus_text),
        cmocka_unit_test(groups_by_metric),
        cmocka_unit_test(a_used_board_goes_on),
        cmocka_unit_test(a_full_board_drops),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
