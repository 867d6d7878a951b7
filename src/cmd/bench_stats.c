/* What took how long, and what went wrong how often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/bench.h"

static const char *const step_names[BENCH_STEPS] = {
    [BENCH_NEW_ORDER] = "new-order", [BENCH_AUTHORIZATION] = "authorization",
    [BENCH_CHALLENGE] = "challenge", [BENCH_VALIDATION] = "validation",
    [BENCH_FINALIZE] = "finalize",   [BENCH_CERTIFICATE] = "certificate",
    [BENCH_REQUEST] = "request",     [BENCH_TOTAL] = "total",
};

const char *bench_step_name(enum bench_step step)
{
    return step_names[step];
}

void bench_stats_done(struct bench_stats *s)
{
    for (size_t i = 0; i < BENCH_STEPS; i++) {
        free(s->steps[i].us);
    }
}

void bench_sample(struct bench *b, enum bench_step step, int64_t since_us)
{
    struct bench_samples *s = &b->stats.steps[step];
    int64_t us = lt_now().us - since_us;
    if (!b->measuring) {
        return;
    }
    if (s->count == s->size) {
        s->size = s->size == 0 ? 4096 : s->size * 2;
        s->us = realloc(s->us, s->size * sizeof *s->us);
        LT_ASSERT(s->us != NULL);
    }
    s->us[s->count++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    int64_t second = (lt_now().us - b->began_us) / 1000000;
    if (step == BENCH_TOTAL && second >= 0 && second < BENCH_SECONDS_KEPT &&
        b->stats.worst_us[second] < s->us[s->count - 1]) {
        b->stats.worst_us[second] = s->us[s->count - 1];
    }
}

void bench_error(struct bench *b, const char *what)
{
    struct bench_stats *s = &b->stats;
    s->error_count++;
    size_t i = 0;
    while (i < s->error_kinds && strncmp(s->errors[i].what, what, sizeof s->errors[i].what - 1) != 0) {
        i++;
    }
    if (i == BENCH_ERROR_KINDS) {
        i--; /* the last row takes what has no row */
    } else if (i == s->error_kinds) {
        s->error_kinds++;
        (void)snprintf(s->errors[i].what, sizeof s->errors[i].what, "%s", what); /* a longer one is cut */
    }
    s->errors[i].count++;
}

static int compare(const void *a, const void *b)
{
    uint32_t x;
    uint32_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y ? 1 : 0;
}

/* Nearest rank. */
double bench_percentile_ms(struct bench_samples *s, double share)
{
    if (s->count == 0) {
        return 0;
    }
    qsort(s->us, s->count, sizeof *s->us, compare);
    size_t rank = (size_t)(share * (double)s->count + 0.999999);
    rank = rank == 0 ? 1 : rank > s->count ? s->count : rank;
    return (double)s->us[rank - 1] / 1000.0;
}

static const double shares[] = {0.5, 0.9, 0.99, 1.0};

void bench_report_text(struct bench *b, double seconds, double cpu_s, struct lt_buf *out)
{
    struct bench_stats *s = &b->stats;
    lt_buf_addf(out, "%s: %llu client%s, ", b->options.url, (unsigned long long)b->options.clients,
                b->options.clients == 1 ? "" : "s");
    if (b->options.rate > 0) {
        lt_buf_addf(out, "open loop at %llu/s, ", (unsigned long long)b->options.rate);
    } else {
        lt_buf_add_cstr(out, "closed loop, ");
    }
    lt_buf_addf(out, "%.1f s\n\n%-14s %9s %9s %9s %9s %9s\n", seconds, "step, ms", "count", "p50", "p90",
                "p99", "max");
    for (size_t i = 0; i < BENCH_STEPS; i++) {
        lt_buf_addf(out, "%-14s %9zu", step_names[i], s->steps[i].count);
        for (size_t k = 0; k < LT_COUNT(shares); k++) {
            lt_buf_addf(out, " %9.2f", bench_percentile_ms(&s->steps[i], shares[k]));
        }
        lt_buf_add_byte(out, '\n');
    }
    lt_buf_addf(out, "\ncertificates   %llu, %.1f/s\nerrors         %llu\n",
                (unsigned long long)s->certificates, (double)s->certificates / seconds,
                (unsigned long long)s->error_count);
    for (size_t i = 0; i < s->error_kinds; i++) {
        lt_buf_addf(out, "  %8llu %s\n", (unsigned long long)s->errors[i].count, s->errors[i].what);
    }
    if (b->first_error[0] != 0) {
        lt_buf_addf(out, "  first: %s\n", b->first_error);
    }
    lt_buf_addf(out, "tried again    %llu for a bad nonce, %llu when told to wait\n",
                (unsigned long long)s->bad_nonces, (unsigned long long)s->waits);
    if (b->options.rate > 0) {
        lt_buf_addf(out, "begun late     %llu: no client was free (more --clients)\n",
                    (unsigned long long)b->skipped);
    }
    lt_buf_addf(out, "own CPU        %.2f s, %.3f ms a certificate\n", cpu_s,
                s->certificates == 0 ? 0.0 : cpu_s * 1000.0 / (double)s->certificates);
}

void bench_report_json(struct bench *b, double seconds, double cpu_s, struct lt_buf *out)
{
    static const char *const names[] = {"p50_ms", "p90_ms", "p99_ms", "max_ms"};
    struct bench_stats *s = &b->stats;
    lt_buf_add_cstr(out, "{\"url\":");
    lt_json_add_string(out, lt_slice_cstr(b->options.url));
    lt_buf_addf(out, ",\"clients\":%llu,\"rate\":%llu,\"seconds\":%.3f,",
                (unsigned long long)b->options.clients, (unsigned long long)b->options.rate, seconds);
    lt_buf_addf(out, "\"certificates\":%llu,\"certificates_per_second\":%.3f,\"errors\":%llu,",
                (unsigned long long)s->certificates, (double)s->certificates / seconds,
                (unsigned long long)s->error_count);
    lt_buf_addf(out,
                "\"bad_nonces\":%llu,\"waits\":%llu,\"begun_late\":%llu,\"generator_cpu_s\":%.3f,\"steps\":{",
                (unsigned long long)s->bad_nonces, (unsigned long long)s->waits,
                (unsigned long long)b->skipped, cpu_s);
    for (size_t i = 0; i < BENCH_STEPS; i++) {
        lt_buf_addf(out, "%s\"%s\":{\"count\":%zu", i == 0 ? "" : ",", step_names[i], s->steps[i].count);
        for (size_t k = 0; k < LT_COUNT(shares); k++) {
            lt_buf_addf(out, ",\"%s\":%.3f", names[k], bench_percentile_ms(&s->steps[i], shares[k]));
        }
        lt_buf_add_byte(out, '}');
    }
    lt_buf_add_cstr(out, "},\"worst_ms_by_second\":[");
    for (size_t i = 0; i < BENCH_SECONDS_KEPT && (double)i < seconds; i++) {
        lt_buf_addf(out, "%s%.1f", i == 0 ? "" : ",", (double)s->worst_us[i] / 1000.0);
    }
    lt_buf_add_cstr(out, "],\"error_kinds\":{");
    for (size_t i = 0; i < s->error_kinds; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(s->errors[i].what));
        lt_buf_addf(out, ":%llu", (unsigned long long)s->errors[i].count);
    }
    lt_buf_add_cstr(out, "},\"first_error\":");
    lt_json_add_string(out, lt_slice_cstr(b->first_error));
    lt_buf_add_cstr(out, "}\n");
}
