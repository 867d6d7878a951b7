/* The named expressions of data/scopes.tsv against a large book, with the reader's settings. Their dates are
 * those of 2020; the book's are of the day on which it was loaded, so that its certificates are valid and can
 * be revoked: the days of each expression are moved along. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cmd/bench_inventory.h"
#include "scope/scope.h"

enum { CACHE_KIB = 4096, ARENA_MAX = 64 * 1024 * 1024, PLAN_MAX = 64 * 1024, DAY_LEN = 10, MONTH_LEN = 7 };

struct asking {
    struct store *book; /* owned */
    struct scope_catalog catalog;
    struct lt_arena fixed;
    lt_time now;
    int64_t days;
    inventory_answered *tell;
    void *self;
};

/* ---- days ---- */

static bool is_digit(lt_slice s, size_t at)
{
    return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* Of a day or a month that begins here and is no part of something longer; 0: there is none. */
static size_t date_len(lt_slice s, size_t at)
{
    static const char form[] = "dddd-dd-dd";
    size_t n = 0;
    bool inside = at > 0 && (is_digit(s, at - 1) || s.ptr[at - 1] == '-' || s.ptr[at - 1] == '.');
    bool range = at > 1 && s.ptr[at - 1] == '.' && s.ptr[at - 2] == '.';
    while (n < DAY_LEN && at + n < s.len && (form[n] == 'd' ? is_digit(s, at + n) : s.ptr[at + n] == '-')) {
        n++;
    }
    bool whole = (n == DAY_LEN || n == MONTH_LEN) && !is_digit(s, at + n);
    return whole && (!inside || range) ? n : 0;
}

static lt_res add_day(lt_slice year_month, int day, int months, int64_t days, struct lt_buf *out)
{
    char text[DAY_LEN + 1];
    char moved[LT_RFC3339_SIZE];
    lt_time t;
    int year = 0;
    int month = 0;
    (void)snprintf(text, sizeof text, "%.7s", (const char *)year_month.ptr); /* seven bytes, seen before */
    LT_CHECK(sscanf(text, "%4d-%2d", &year, &month) == 2 && month >= 1 && month <= 12, LT_PEER_MALFORMED,
             "%s is no month", text);
    month += months;
    const struct lt_date date = {
        .year = month > 12 ? year + 1 : year, .month = month > 12 ? month - 12 : month, .day = day};
    LT_TRY(lt_time_of(&date, &t));
    lt_time_rfc3339(lt_time_add_seconds(t, days * LT_SECONDS_PER_DAY), moved);
    lt_buf_addf(out, "%.10s", moved);
    return LT_OK;
}

static lt_res add_date(lt_slice date, int64_t days, struct lt_buf *out)
{
    if (date.len == DAY_LEN) {
        int day = (date.ptr[8] - '0') * 10 + date.ptr[9] - '0';
        return add_day(date, day, 0, days, out);
    }
    LT_TRY(add_day(date, 1, 0, days, out)); /* all days of that month */
    lt_buf_add_cstr(out, "..");
    return add_day(date, 1, 1, days - 1, out);
}

lt_res inventory_move_days(lt_slice text, int64_t days, struct lt_buf *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = date_len(text, at);
        if (len == 0) {
            lt_buf_add_byte(out, text.ptr[at++]);
            continue;
        }
        LT_TRY(add_date(lt_slice_sub(text, at, len), days, out));
        at += len;
    }
    return lt_buf_check(out);
}

/* ---- questions ---- */

/* The index of summarised evidence answers it, beside tables of a few rows. */
static lt_res limit_of(const struct asking *a, const struct scope_sql *sql, struct lt_arena *arena,
                       int64_t *ret_limit_ms)
{
    static const char *const others[] = {"SEARCH r ", "SEARCH p ", "SEARCH n ",
                                         "SEARCH f ", "SCAN n ",   "SCAN f "};
    struct lt_buf plan;
    lt_buf_init(&plan, PLAN_MAX);
    lt_res r = scope_plan(a->book, sql, arena, &plan);
    if (!lt_failed(r)) {
        const char *text = lt_buf_cstr(&plan);
        bool summary = strstr(text, "COVERING INDEX certificate_summary") != NULL;
        for (size_t i = 0; i < LT_COUNT(others); i++) {
            summary = summary && strstr(text, others[i]) == NULL;
        }
        *ret_limit_ms = summary ? INVENTORY_COUNT_LIMIT_MS : INVENTORY_LIMIT_MS;
    }
    lt_buf_done(&plan);
    return r;
}

static int64_t cpu_ms(void)
{
    return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static lt_res timed(const struct asking *a, const struct scope *s, struct inventory_asked *one,
                    struct lt_arena *arena)
{
    struct scope_sql sql;
    uint8_t hash[SCOPE_HASH_LEN];
    int64_t listed = 0;
    struct scope_ask ask = {.want = SCOPE_COUNT, .now = a->now, .catalog = &a->catalog};
    LT_TRY(scope_compile(s, &ask, arena, NULL, &sql));
    LT_TRY(limit_of(a, &sql, arena, &one->limit_ms));
    int64_t begun = lt_monotonic_ms();
    int64_t begun_cpu = cpu_ms();
    LT_TRY(scope_count(a->book, &sql, &one->count));
    one->count_ms = lt_monotonic_ms() - begun;
    one->count_cpu_ms = cpu_ms() - begun_cpu;
    ask.want = SCOPE_MEMBERS;
    LT_TRY(scope_compile(s, &ask, arena, NULL, &sql));
    begun = lt_monotonic_ms();
    begun_cpu = cpu_ms();
    LT_TRY(scope_members_hash(a->book, &sql, &listed, hash));
    one->list_ms = lt_monotonic_ms() - begun;
    one->list_cpu_ms = cpu_ms() - begun_cpu;
    LT_CHECK(listed == one->count, LT_STATE_CORRUPT, "%.*s: %lld counted, %lld listed", LT_FMT(one->name),
             (long long)one->count, (long long)listed);
    return LT_OK;
}

static lt_res ask_line(const struct asking *a, lt_slice line)
{
    struct lt_arena arena;
    struct lt_buf moved;
    lt_slice text;
    const struct scope *s = NULL;
    struct inventory_asked one = {.limit_ms = INVENTORY_LIMIT_MS};
    if (line.len == 0 || line.ptr[0] == '#' || !lt_slice_split(&line, '\t', &one.name) ||
        !lt_slice_split(&line, '\t', &text)) {
        return LT_OK;
    }
    lt_arena_init(&arena, ARENA_MAX);
    lt_buf_init(&moved, SCOPE_TEXT_MAX);
    lt_res r = inventory_move_days(text, a->days, &moved);
    r = lt_failed(r) ? r : scope_parse(lt_buf_slice(&moved), &arena, NULL, &s);
    r = lt_failed(r) ? r : timed(a, s, &one, &arena);
    lt_buf_done(&moved);
    lt_arena_done(&arena);
    LT_TRY(r);
    a->tell(a->self, &one);
    return LT_OK;
}

static lt_res ask_all(struct asking *a, const char *book)
{
    const struct store_options options = {.path = book, .read_only = true, .cache_kib = CACHE_KIB};
    lt_slice file = lt_slice_cstr(inventory_expressions);
    lt_slice line;
    LT_TRY(store_open(&options, &a->book));
    LT_TRY(store_begin(a->book));
    LT_TRY(scope_catalog_load(a->book, &a->fixed, &a->catalog));
    while (lt_slice_split(&file, '\n', &line)) {
        LT_TRY(ask_line(a, line));
    }
    return LT_OK;
}

lt_res inventory_ask(const char *book, lt_time loaded, inventory_answered *tell, void *self)
{
    struct asking a = {.now = loaded, .tell = tell, .self = self};
    lt_time day;
    LT_TRY(lt_time_parse_or_day(lt_slice_cstr(INVENTORY_DAY), &day));
    a.days = lt_time_seconds(loaded) / LT_SECONDS_PER_DAY - lt_time_seconds(day) / LT_SECONDS_PER_DAY;
    lt_arena_init(&a.fixed, ARENA_MAX);
    lt_res r = ask_all(&a, book);
    struct lt_error why = *lt_error_last();
    store_close(a.book);
    lt_arena_done(&a.fixed);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}
