/* bench_scopes BOOK FILE [NOW]: runs each expression of FILE (a name, a tab, the expression) against a book,
 * with the settings of the reader, as a count and as the list of its members, then counts all of it by each
 * field, and prints milliseconds. `lintel bench inventory` asks data/scopes.tsv, whose days it moves to those
 * of its book; this one takes any book and any expression. NOW defaults to this moment. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "scope/scope.h"

enum { FILE_MAX = 1024 * 1024, CACHE_KIB = 4096, ARENA_MAX = 64 * 1024 * 1024, LIMIT_MS = 6000, ROWS = 100 };

struct bench {
    struct store *book;
    struct scope_catalog catalog;
    struct lt_arena fixed;
    lt_time now;
    int64_t cpu_ms; /* of the last */
    int64_t slowest_ms;
    size_t over;
};

/* Of this process: what it would take on a machine of its own. */
static int64_t cpu_ms(void)
{
    return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static lt_res timed(struct bench *b, const struct scope *s, enum scope_want want, int64_t *ret_count,
                    int64_t *ret_ms)
{
    struct lt_arena a;
    struct scope_sql sql;
    uint8_t hash[SCOPE_HASH_LEN];
    struct scope_ask ask = {.want = want, .now = b->now, .catalog = &b->catalog};
    int64_t begun = lt_monotonic_ms();
    int64_t begun_cpu = cpu_ms();
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = scope_compile(s, &ask, &a, NULL, &sql);
    if (!lt_failed(r)) {
        r = want == SCOPE_COUNT ? scope_count(b->book, &sql, ret_count)
                                : scope_members_hash(b->book, &sql, ret_count, hash);
    }
    lt_arena_done(&a);
    *ret_ms = lt_monotonic_ms() - begun;
    b->cpu_ms = cpu_ms() - begun_cpu;
    b->slowest_ms = *ret_ms > b->slowest_ms ? *ret_ms : b->slowest_ms;
    b->over += *ret_ms > LIMIT_MS ? 1 : 0;
    return r;
}

static lt_res run_line(struct bench *b, lt_slice line)
{
    struct lt_arena a;
    lt_slice name;
    lt_slice text;
    const struct scope *s = NULL;
    int64_t count = 0;
    int64_t listed = 0;
    int64_t count_cpu_ms = 0;
    int64_t count_ms = 0;
    int64_t list_ms = 0;
    if (line.len == 0 || line.ptr[0] == '#' || !lt_slice_split(&line, '\t', &name) ||
        !lt_slice_split(&line, '\t', &text)) {
        return LT_OK;
    }
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = scope_parse(text, &a, NULL, &s);
    r = lt_failed(r) ? r : timed(b, s, SCOPE_COUNT, &count, &count_ms);
    count_cpu_ms = b->cpu_ms;
    r = lt_failed(r) ? r : timed(b, s, SCOPE_MEMBERS, &listed, &list_ms);
    lt_arena_done(&a);
    LT_TRY(r);
    LT_CHECK(count == listed, LT_STATE_CORRUPT, "%.*s: %lld counted, %lld listed", LT_FMT(name),
             (long long)count, (long long)listed);
    (void)printf("%-22.*s %9lld  count %6lld ms (%6lld of CPU)  members %6lld ms (%6lld of CPU)\n",
                 LT_FMT(name), (long long)count, (long long)count_ms, (long long)count_cpu_ms,
                 (long long)list_ms, (long long)b->cpu_ms);
    (void)fflush(stdout); /* it is watched */
    return LT_OK;
}

/* The whole book, counted by each field that is to be counted by. */
static lt_res run_groups(struct bench *b)
{
    for (size_t i = 0; i < scope_field_count(); i++) {
        struct lt_arena a;
        const struct scope *s = NULL;
        struct scope_groups g = {.groups = 0};
        struct scope_ask ask = {.want = SCOPE_COUNT, .now = b->now, .catalog = &b->catalog};
        int64_t begun = lt_monotonic_ms();
        int64_t begun_cpu = cpu_ms();
        lt_arena_init(&a, ARENA_MAX);
        lt_res r = scope_parse(LT_LIT("names > 0"), &a, NULL, &s);
        r = lt_failed(r) ? r : scope_group_by(b->book, s, &ask, scope_field_info(i).name, ROWS, &a, &g);
        lt_arena_done(&a);
        if (r.code == LT_PEER_MALFORMED) { /* nobody counts by it */
            continue;
        }
        LT_TRY(r);
        int64_t took = lt_monotonic_ms() - begun;
        b->slowest_ms = took > b->slowest_ms ? took : b->slowest_ms;
        b->over += took > LIMIT_MS ? 1 : 0;
        (void)printf("by %-19s %9lld groups %5lld ms (%6lld of CPU)\n", scope_field_info(i).name,
                     (long long)g.groups, (long long)took, (long long)(cpu_ms() - begun_cpu));
        (void)fflush(stdout); /* it is watched */
    }
    return LT_OK;
}

static lt_res run(struct bench *b, int argc, char **argv)
{
    lt_slice file;
    lt_slice line;
    const struct store_options options = {.path = argv[1], .read_only = true, .cache_kib = CACHE_KIB};
    b->now = lt_now();
    LT_TRY(argc > 3 ? lt_time_parse_or_day(lt_slice_cstr(argv[3]), &b->now) : LT_OK);
    LT_TRY(lt_file_read(&b->fixed, AT_FDCWD, argv[2], FILE_MAX, &file));
    LT_TRY(store_open(&options, &b->book));
    LT_TRY(store_begin(b->book));
    LT_TRY(scope_catalog_load(b->book, &b->fixed, &b->catalog));
    while (lt_slice_split(&file, '\n', &line)) {
        LT_TRY(run_line(b, line));
    }
    return run_groups(b);
}

int main(int argc, char **argv)
{
    struct bench b = {.book = NULL};
    struct rusage usage;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: bench_scopes BOOK FILE [NOW]\n");
        return 2;
    }
    lt_arena_init(&b.fixed, ARENA_MAX);
    lt_res r = run(&b, argc, argv);
    if (lt_failed(r)) {
        (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
    }
    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail with these arguments */
    (void)printf("slowest %lld ms, %zu over %d ms, %ld MB of memory\n", (long long)b.slowest_ms, b.over,
                 LIMIT_MS, usage.ru_maxrss / 1024);
    store_close(b.book);
    lt_arena_done(&b.fixed);
    return lt_failed(r) || b.over > 0 ? 1 : 0;
}
