/* bench_questions BOOK WHAT [TIMES]: asks a reader's question of a book ("blast-radius", "readiness.list",
 * …), with the reader's settings, and prints milliseconds and the size of the answer. */
#include <stdio.h>
#include <stdlib.h>

#include "ca/query.h"

enum { CACHE_KIB = 4096, ARENA_MAX = 256 * 1024 * 1024 };

static lt_res ask(struct store *book, const char *what, size_t *ret_len)
{
    struct lt_arena a;
    struct lt_buf out;
    Ipc__Query q = IPC__QUERY__INIT;
    q.what = (char *)(uintptr_t)what; /* only read */
    lt_arena_init(&a, ARENA_MAX);
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    const struct ca_query query = {.store = book, .q = &q, .now = lt_now(), .arena = &a, .build = "bench"};
    lt_res r = ca_query_answer(&query, &out);
    *ret_len = out.len;
    lt_buf_done(&out);
    lt_arena_done(&a);
    return r;
}

int main(int argc, char **argv)
{
    struct store *book = NULL;
    int times = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: bench_questions BOOK WHAT [TIMES]\n");
        return 2;
    }
    const struct store_options o = {.path = argv[1], .read_only = true, .cache_kib = CACHE_KIB};
    lt_res r = store_open(&o, &book);
    for (int i = 0; i < times && !lt_failed(r); i++) {
        size_t len = 0;
        int64_t begun_ms = lt_monotonic_ms();
        r = ask(book, argv[2], &len);
        (void)printf("%s  %lld ms  %zu bytes\n", argv[2], (long long)(lt_monotonic_ms() - begun_ms), len);
    }
    store_close(book);
    if (lt_failed(r)) {
        (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
    }
    return lt_failed(r) ? 1 : 0;
}
