/* What comes from a PostgreSQL server, and what goes there. The first byte chooses: a statement in its words,
 * or a binary value of one of the types that count. */
#include <string.h>

#include "store/postgres_text.h"
#include "store/postgres_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SQL_MAX = 4096 };

static size_t count_of(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == c;
    }
    return n;
}

static void statement(lt_slice in)
{
    char sql[SQL_MAX];
    struct lt_buf out;
    size_t highest = 0;
    size_t len = in.len < sizeof sql ? in.len : sizeof sql - 1;
    memcpy(sql, in.ptr, len);
    sql[len] = '\0';
    lt_buf_init(&out, 4 * SQL_MAX);
    if (!lt_failed(postgres_text(sql, &out, &highest))) {
        const char *text = lt_buf_cstr(&out);
        LT_ASSERT(count_of(text, '?') + count_of(text, '$') == count_of(sql, '?') + count_of(sql, '$'));
        LT_ASSERT(count_of(text, '\'') == count_of(sql, '\'')); /* no string begins or ends elsewhere */
        LT_ASSERT(highest == 0 || count_of(text, '$') > 0);
    }
    lt_buf_done(&out);
}

static void value(uint8_t which, lt_slice in)
{
    static const uint32_t types[] = {POSTGRES_INT8, POSTGRES_NUMERIC, POSTGRES_BOOL,
                                     POSTGRES_INT4, POSTGRES_INT2,    POSTGRES_TEXT};
    uint32_t type = types[which % LT_COUNT(types)];
    int64_t number = postgres_integer(type, in);
    uint8_t again[8];
    postgres_put_int8(again, number);
    LT_ASSERT(postgres_integer(POSTGRES_INT8, LT_SLICE(again, sizeof again)) == number);
    LT_ASSERT(type != POSTGRES_TEXT || number == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    lt_slice rest = LT_SLICE(data + 1, size - 1);
    if (data[0] == 0) {
        statement(rest);
    } else {
        value((uint8_t)(data[0] - 1), rest);
    }
    return 0;
}
