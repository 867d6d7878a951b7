/* Scope expressions: any text is refused at a place inside it, or has a canonical text that means the same
 * (it is its own canonical text), words, and SQL whose values are all bound. */
#include <stdint.h>
#include <string.h>

#include "scope/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 32 * 1024 * 1024, TEXT_MAX = SCOPE_TEXT_MAX * 4 };

/* Nothing of the input stands in the SQL: its quotes are those of the fragments, and every value has its
 * number. */
static void check_sql(const struct scope_sql *sql)
{
    size_t marks = 0;
    for (const char *p = sql->text; *p != 0; p++) {
        LT_ASSERT(*p >= 0x20 && *p < 0x7f && *p != '"' && *p != ';' && *p != '@' && *p != '#');
        marks += *p == '?' ? 1 : 0;
    }
    LT_ASSERT(marks == sql->count);
}

static void compile_all(const struct scope *s, struct lt_arena *a)
{
    static const char *const names[] = {"tls", "1.4.2", "a"};
    const struct scope_catalog catalog = {names, 3, names, 3, names, 3};
    const struct scope_ask asks[] = {
        {.want = SCOPE_COUNT, .now = {INT64_C(1583280000000000)}, .catalog = &catalog},
        {.want = SCOPE_MEMBERS,
         .now = {INT64_C(1583280000000000)},
         .catalog = &catalog,
         .as_of = true,
         .limit = 5},
        {.want = SCOPE_MEMBERS,
         .now = {INT64_C(1583280000000000)},
         .few = true,
         .after = {.set = true},
         .but_not = s},
        {.want = SCOPE_MEMBERS,
         .now = {INT64_C(1583280000000000)},
         .as_of = true,
         .catalog = &catalog,
         .but_not = s,
         .but_not_now = {INT64_C(1580000000000000)},
         .but_not_as_of = true},
    };
    for (size_t i = 0; i < LT_COUNT(asks); i++) {
        struct scope_sql sql;
        struct scope_error error = {0};
        if (!lt_failed(scope_compile(s, &asks[i], a, &error, &sql))) {
            check_sql(&sql);
        }
    }
    const struct scope_grouping grouping = {.field = "age", .value = "@ - c.issued_us"};
    const struct scope_grouped grouped = {
        .grouping = &grouping, .field = scope_field_find(LT_LIT("age")), .unit = 60, .limit = 9};
    struct scope_sql sql;
    if (!lt_failed(scope_compile_grouped(s, &asks[1], &grouped, a, &sql))) {
        check_sql(&sql);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct lt_buf first;
    struct lt_buf second;
    struct scope_error error = {0};
    const struct scope *s = NULL;
    const struct scope *again = NULL;
    lt_arena_init(&a, ARENA_MAX);
    if (lt_failed(scope_parse(LT_SLICE(data, size), &a, &error, &s))) {
        LT_ASSERT(size > SCOPE_TEXT_MAX || error.offset + error.len <= size);
        lt_arena_done(&a);
        return 0;
    }
    lt_buf_init(&first, TEXT_MAX);
    lt_buf_init(&second, TEXT_MAX);
    LT_ASSERT(!lt_failed(scope_canonical(s, &first)));
    lt_res r = scope_parse(lt_buf_slice(&first), &a, NULL, &again);
    LT_ASSERT(r.code == 0 ||
              r.code == LT_PEER_TOO_LARGE); /* quotation marks may make it longer than is taken */
    if (r.code == 0) {
        LT_ASSERT(!lt_failed(scope_canonical(again, &second)));
        LT_ASSERT(lt_slice_eq(lt_buf_slice(&first), lt_buf_slice(&second)));
    }
    lt_buf_reset(&second);
    LT_ASSERT(!lt_failed(scope_words(s, &second)) || second.overflow);
    compile_all(s, &a);
    lt_buf_done(&first);
    lt_buf_done(&second);
    lt_arena_done(&a);
    return 0;
}
