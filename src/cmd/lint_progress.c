/* How far it is, for a terminal on standard error; silent elsewhere. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/lint.h"

enum { EVERY_MS = 200, FIRST_MS = 500, BAR = 30 };

void cmd_lint_progress_init(struct cmd_lint_progress *p)
{
    *p = (struct cmd_lint_progress){.on = isatty(STDERR_FILENO) == 1,
                                    .output_there = isatty(STDOUT_FILENO) == 1,
                                    .began_ms = lt_monotonic_ms()};
    p->said_ms = p->began_ms + FIRST_MS - EVERY_MS;
}

void cmd_lint_progress_clear(struct cmd_lint_progress *p)
{
    if (p->shown) {
        (void)fputs("\r\033[K", stderr); /* it is for looks alone */
        p->shown = false;
        p->said_ms -= EVERY_MS; /* it comes back at once */
    }
}

void cmd_lint_progress_show(struct cmd_lint_progress *p, const struct cmd_lint_tally *t)
{
    int64_t now = p->on ? lt_monotonic_ms() : 0;
    if (!p->on || now - p->said_ms < EVERY_MS) {
        return;
    }
    p->said_ms = now;
    p->shown = true;
    double seconds = (double)(now - p->began_ms) / 1000;
    double rate = (double)t->files / seconds;
    size_t done = p->total > 0 && t->files < p->total ? t->files : p->total;
    char bar[BAR + 1] = "";
    for (size_t i = 0; p->total > 0 && i < BAR; i++) {
        bar[i] = i * p->total < done * BAR ? '#' : '-';
    }
    /* all of these are for looks alone */
    if (p->total > 0) {
        (void)fprintf(stderr, "\r\033[K[%s] %zu of %zu files, %.0f/s, %.0f s left, %zu failed", bar, t->files,
                      p->total, rate, rate > 0 ? (double)(p->total - done) / rate : 0, t->failed);
    } else {
        (void)fprintf(stderr, "\r\033[K%zu files, %.0f/s, %zu failed", t->files, rate, t->failed);
    }
    (void)fflush(stderr);
}
