/* What stands where in bytes. */
#include "check.h"

#include "der/outline.h"
#include "der/reader.h"

struct want {
    unsigned depth;
    size_t offset;
    size_t header;
    size_t len;
    uint32_t tag;
};

static const struct {
    const char *what;
    lt_slice input;
    struct want rows[8];
    size_t count;
} cases[] = {
    {"nothing", LT_LIT(""), {{0}}, 0},
    {"one element", LT_LIT("\x05\x00"), {{0, 0, 2, 0, DER_NULL}}, 1},
    {"a sequence",
     LT_LIT("\x30\x06\x02\x01\x05\x01\x01\xff"),
     {{0, 0, 2, 6, DER_SEQUENCE}, {1, 2, 2, 1, DER_INTEGER}, {1, 5, 2, 1, DER_BOOLEAN}},
     3},
    {"out of a level and on",
     LT_LIT("\x30\x02\x30\x00\x05\x00"),
     {{0, 0, 2, 2, DER_SEQUENCE}, {1, 2, 2, 0, DER_SEQUENCE}, {0, 4, 2, 0, DER_NULL}},
     3},
    {"inside an OCTET STRING",
     LT_LIT("\x04\x03\x02\x01\x07"),
     {{0, 0, 2, 3, DER_OCTET_STRING}, {1, 2, 2, 1, DER_INTEGER}},
     2},
    {"a hash that begins like an element",
     LT_LIT("\x04\x03\x02\x05\x07"),
     {{0, 0, 2, 3, DER_OCTET_STRING}},
     1},
    {"inside a BIT STRING",
     LT_LIT("\x03\x03\x00\x05\x00"),
     {{0, 0, 2, 3, DER_BIT_STRING}, {1, 3, 2, 0, DER_NULL}},
     2},
    {"bits that are no whole bytes", LT_LIT("\x03\x03\x01\x05\x00"), {{0, 0, 2, 3, DER_BIT_STRING}}, 1},
    {"a length that is not minimal", LT_LIT("\x02\x81\x01\x05"), {{0, 0, 3, 1, DER_INTEGER}}, 1},
    {"cut off", LT_LIT("\x30\x05\x02\x01\x05"), {{0, 0, 2, 3, DER_SEQUENCE}, {1, 2, 2, 1, DER_INTEGER}}, 2},
    {"what is no element", LT_LIT("\x05\x00\x30"), {{0, 0, 2, 0, DER_NULL}, {0, 2, 0, 1, DER_NONE}}, 2},
    {"an indefinite length", LT_LIT("\x30\x80\x05\x00"), {{0, 0, 0, 4, DER_NONE}}, 1},
};

static void rows_of_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(cases); i++) {
        struct der_outline o;
        struct der_outline_row row;
        size_t n = 0;
        print_message("%s\n", cases[i].what);
        der_outline_init(&o, cases[i].input);
        for (; der_outline_next(&o, &row); n++) {
            assert_true(n < cases[i].count);
            const struct want *w = &cases[i].rows[n];
            assert_int_equal(row.depth, w->depth);
            assert_int_equal(row.offset, w->offset);
            assert_int_equal(row.header, w->header);
            assert_int_equal(row.content.len, w->len);
            assert_int_equal(row.tag, w->tag);
        }
        assert_int_equal(n, cases[i].count);
    }
}

/* 0x30 0x82 … nested as deep as 64 KiB allow: it stops going in, and tells the rest as bytes. */
static void deep_and_long(void **state)
{
    (void)state;
    static uint8_t bytes[(size_t)DER_OUTLINE_ROWS_MAX * 2 + 64];
    struct der_outline o;
    struct der_outline_row row;
    size_t n = 0;
    for (size_t i = 0; i < 100; i++) {
        bytes[i * 2] = 0x30;
        bytes[i * 2 + 1] = (uint8_t)((99 - i) * 2 < 128 ? (99 - i) * 2 : 127);
    }
    der_outline_init(&o, LT_SLICE(bytes, 200));
    while (der_outline_next(&o, &row)) {
        assert_true(row.depth < DER_OUTLINE_DEPTH_MAX);
        assert_true(row.offset + row.header + row.content.len <= 200);
        n++;
    }
    assert_true(n >= DER_OUTLINE_DEPTH_MAX);
    for (size_t i = 0; i < sizeof(bytes); i += 2) {
        bytes[i] = 0x05;
        bytes[i + 1] = 0;
    }
    der_outline_init(&o, LT_SLICE(bytes, sizeof(bytes)));
    for (n = 0; der_outline_next(&o, &row); n++) {
    }
    assert_int_equal(n, DER_OUTLINE_ROWS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_bytes),
        cmocka_unit_test(deep_and_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
