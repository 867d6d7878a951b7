/* Metrics on a shared page. One writer, readers that tolerate a row in the making (name before kind). */
#include "base/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct lt_metrics private_board;
static struct lt_metrics *board = &private_board;

struct lt_metric *lt_metric_row(const char *name, uint32_t kind)
{
    for (size_t i = 0; i < LT_METRICS_ROWS; i++) {
        struct lt_metric *m = &board->row[i];
        if (m->kind == 0) {
            (void)snprintf(m->name, sizeof m->name, "%s", name); /* a longer name is cut */
            atomic_thread_fence(memory_order_release);
            m->kind = kind;
            return m;
        }
        if (m->kind == kind && strncmp(m->name, name, sizeof m->name - 1) == 0) {
            return m;
        }
    }
    return NULL;
}

/* What was counted so far joins what the board holds: a restarted process goes on where its predecessor
 * stopped. */
void lt_metrics_use(struct lt_metrics *b)
{
    const struct lt_metrics *before = board;
    board = b;
    for (size_t i = 0; i < LT_METRICS_ROWS && before->row[i].kind != 0; i++) {
        const struct lt_metric *from = &before->row[i];
        struct lt_metric *to = lt_metric_row(from->name, from->kind);
        if (to == NULL) {
            continue; /* a full board drops it */
        }
        to->value = from->kind == 2 ? from->value : to->value + from->value;
        to->sum_us += from->sum_us;
        for (size_t k = 0; k < LT_METRICS_BUCKETS; k++) {
            to->bucket[k] += from->bucket[k];
        }
    }
}

void lt_metric_add(const char *name, uint64_t n)
{
    struct lt_metric *m = lt_metric_row(name, 1);
    if (m != NULL) {
        m->value += n;
    }
}

void lt_metric_set(const char *name, int64_t value)
{
    struct lt_metric *m = lt_metric_row(name, 2);
    if (m != NULL) {
        m->value = (uint64_t)value;
    }
}

void lt_metric_observe_us(const char *name, uint64_t us)
{
    struct lt_metric *m = lt_metric_row(name, 3);
    if (m == NULL) {
        return;
    }
    size_t i = 0;
    while (i < LT_METRICS_BUCKETS - 1 && us > UINT64_C(64) << i) {
        i++;
    }
    m->bucket[i]++;
    m->value++;
    m->sum_us += us;
}

/* name{labels} split so that the process label joins the others. */
static void add_name(struct lt_buf *out, const char *name, const char *suffix, const char *process,
                     const char *le)
{
    const char *brace = strchr(name, '{');
    int base_len = brace == NULL ? (int)strlen(name) : (int)(brace - name);
    lt_buf_addf(out, "%.*s%s{process=\"%s\"", base_len, name, suffix, process);
    if (brace != NULL && strlen(brace) > 2) {
        lt_buf_addf(out, ",%.*s", (int)strlen(brace) - 2, brace + 1);
    }
    if (le != NULL) {
        lt_buf_addf(out, ",le=\"%s\"", le);
    }
    lt_buf_add_cstr(out, "} ");
}

static void print_histogram(const struct lt_metric *m, const char *process, struct lt_buf *out)
{
    uint64_t below = 0;
    for (size_t i = 0; i < LT_METRICS_BUCKETS; i++) {
        below += m->bucket[i];
        char le[32];
        (void)snprintf(le, sizeof le, "%.6f", (double)(UINT64_C(64) << i) / 1e6);
        add_name(out, m->name, "_bucket", process, i == LT_METRICS_BUCKETS - 1 ? "+Inf" : le);
        lt_buf_addf(out, "%llu\n", (unsigned long long)below);
    }
    add_name(out, m->name, "_sum", process, NULL);
    lt_buf_addf(out, "%.6f\n", (double)m->sum_us / 1e6);
    add_name(out, m->name, "_count", process, NULL);
    lt_buf_addf(out, "%llu\n", (unsigned long long)m->value);
}

/* The row as it is now: the writer goes on. False for a free one. */
static bool read_row(const struct lt_metrics *b, size_t i, struct lt_metric *ret_row)
{
    if (i >= LT_METRICS_ROWS || b->row[i].kind == 0) {
        return false;
    }
    *ret_row = b->row[i];
    ret_row->name[sizeof ret_row->name - 1] = 0;
    return true;
}

static void print_row(const struct lt_metric *m, const char *process, struct lt_buf *out)
{
    if (m->kind == 3) {
        print_histogram(m, process, out);
    } else {
        add_name(out, m->name, "", process, NULL);
        lt_buf_addf(out, "%lld\n", (long long)m->value);
    }
}

void lt_metrics_print(const struct lt_metrics *b, const char *process, struct lt_buf *out)
{
    struct lt_metric m;
    for (size_t i = 0; read_row(b, i, &m); i++) {
        print_row(&m, process, out);
    }
}

static bool same_metric(const struct lt_metric *a, const struct lt_metric *b)
{
    size_t len = strcspn(a->name, "{");
    return a->kind == b->kind && strcspn(b->name, "{") == len && memcmp(a->name, b->name, len) == 0;
}

/* Has a row of that metric come before this one? */
static bool seen_before(const struct lt_metrics_board *boards, size_t at, size_t row,
                        const struct lt_metric *m)
{
    struct lt_metric other;
    for (size_t b = 0; b <= at; b++) {
        for (size_t i = 0; (b < at || i < row) && read_row(boards[b].board, i, &other); i++) {
            if (same_metric(m, &other)) {
                return true;
            }
        }
    }
    return false;
}

static void print_metric(const struct lt_metrics_board *boards, size_t count, const struct lt_metric *m,
                         struct lt_buf *out)
{
    static const char *const kinds[] = {"untyped", "counter", "gauge", "histogram"};
    struct lt_metric row;
    lt_buf_addf(out, "# TYPE %.*s %s\n", (int)strcspn(m->name, "{"), m->name,
                kinds[m->kind % LT_COUNT(kinds)]);
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; read_row(boards[b].board, i, &row); i++) {
            if (same_metric(m, &row)) {
                print_row(&row, boards[b].process, out);
            }
        }
    }
}

void lt_metrics_print_all(const struct lt_metrics_board *boards, size_t count, struct lt_buf *out)
{
    struct lt_metric m;
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; read_row(boards[b].board, i, &m); i++) {
            if (!seen_before(boards, b, i, &m)) {
                print_metric(boards, count, &m, out);
            }
        }
    }
}
