#ifndef BASE_METRICS_H
#define BASE_METRICS_H
/* Counters and histograms of a process on a board: one page of shared memory that only its process writes and
 * the gateway reads for /metrics. A metric is a row; names are full Prometheus names with labels already in
 * them: lintel_certificates_issued_total{profile="tls-server"}. Not for secrets: the gateway sees the board.
 */
#include "base/buf.h"

enum { LT_METRICS_ROWS = 120, LT_METRICS_NAME_MAX = 96, LT_METRICS_BUCKETS = 16 };

struct lt_metric {
    char name[LT_METRICS_NAME_MAX];
    uint32_t kind; /* 0 free, 1 counter, 2 gauge, 3 histogram */
    uint32_t reserved;
    uint64_t value;                      /* counter; gauge (two's complement); count of a histogram */
    uint64_t sum_us;                     /* histogram */
    uint64_t bucket[LT_METRICS_BUCKETS]; /* of 2^i * 64 us, not cumulative; the last takes the rest */
};

struct lt_metrics {
    struct lt_metric row[LT_METRICS_ROWS];
};

/* The board of this process: a private one until lt_metrics_use gave a shared one. What was counted is added
 * to what the board holds already: its process may have had a predecessor. */
void lt_metrics_use(struct lt_metrics *board);
/* Adds to the row of that name, making it on first use; a full board drops it. name: NUL-terminated, copied.
 */
void lt_metric_add(const char *name, uint64_t n);
void lt_metric_set(const char *name, int64_t value);
void lt_metric_observe_us(const char *name, uint64_t us);
/* Hot paths: find the row once, then touch it directly. NULL when the board is full. */
struct lt_metric *lt_metric_row(const char *name, uint32_t kind);
/* Prometheus text format of a board; process becomes a label of every row. */
void lt_metrics_print(const struct lt_metrics *board, const char *process, struct lt_buf *out);
/* Several boards as one page: the rows of a metric together, under their TYPE, as the format wants it. */
struct lt_metrics_board {
    const struct lt_metrics *board; /* borrowed */
    char process[32];
};
void lt_metrics_print_all(const struct lt_metrics_board *boards, size_t count, struct lt_buf *out);

#endif
