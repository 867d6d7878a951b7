/* The writer: lengths around every boundary, integers, named bits, times; all read back by the reader. */
#include "check.h"

#include <stdlib.h>

#include "der/writer.h"

static struct lt_buf out;
static struct der_writer w;

static int set_up(void **state)
{
    (void)state;
    lt_buf_init(&out, 1 << 25);
    der_write_init(&w, &out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_buf_done(&out);
    return 0;
}

static void expect(const char *bytes, size_t len)
{
    assert_ok(der_write_done(&w));
    assert_int_equal(out.len, len);
    assert_memory_equal(out.ptr, bytes, len);
    lt_buf_reset(&out);
    der_write_init(&w, &out);
}
#define EXPECT(bytes_) expect((bytes_), sizeof(bytes_) - 1)

static void lengths(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,   1,   126, 127,   128,   129,   253,      254,
                                   255, 256, 257, 65533, 65535, 65536, 16777215, 16777216};
    static const size_t hints[] = {0, 127, 128, 256, 65536, 16777216};
    uint8_t *content = calloc(1, 16777216);
    for (size_t i = 0; i < LT_COUNT(sizes); i++) {
        for (size_t k = 0; k < LT_COUNT(hints); k++) {
            lt_buf_reset(&out);
            der_begin_hint(&w, DER_SEQUENCE, hints[k]);
            der_begin(&w, DER_OCTET_STRING);
            lt_buf_add(&out, LT_SLICE(content, sizes[i]));
            der_end(&w);
            der_end(&w);
            assert_ok(der_write_done(&w));
            assert_ok(der_check(lt_buf_slice(&out)));
            struct der_cursor c = der_open(lt_buf_slice(&out));
            struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
            assert_int_equal(der_octets(&seq).len, sizes[i]);
            der_leave(&c, &seq);
            assert_ok(der_done(&c, "x"));
        }
    }
    free(content);
}

static void numbers(void **state)
{
    (void)state;
    der_put_small(&w, 0);
    EXPECT("\x02\x01\x00");
    der_put_small(&w, 127);
    EXPECT("\x02\x01\x7f");
    der_put_small(&w, 128);
    EXPECT("\x02\x02\x00\x80");
    der_put_small(&w, UINT64_MAX);
    EXPECT("\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff");
    der_put_unsigned(&w, LT_LIT("\x00\x00\x01\x02"));
    EXPECT("\x02\x02\x01\x02");
    der_put_unsigned(&w, LT_LIT(""));
    EXPECT("\x02\x01\x00");
    der_put_boolean(&w, true);
    EXPECT("\x01\x01\xff");
    der_put_boolean(&w, false);
    EXPECT("\x01\x01\x00");
    der_put_enumerated(&w, 4);
    EXPECT("\x0a\x01\x04");
    der_put_null(&w);
    EXPECT("\x05\x00");
}

static void tags(void **state)
{
    (void)state;
    der_put(&w, DER_CONTEXT(30), LT_LIT(""));
    EXPECT("\x9e\x00");
    der_put(&w, DER_CONTEXT(31), LT_LIT(""));
    EXPECT("\x9f\x1f\x00");
    der_put(&w, DER_CONTEXT(128), LT_LIT("a"));
    EXPECT("\x9f\x81\x00\x01"
           "a");
    der_put(&w, DER_CONTEXT_CONS(0xfffffff), LT_LIT(""));
    EXPECT("\xbf\xff\xff\xff\x7f\x00");
}

static void bits(void **state)
{
    (void)state;
    der_put_named_bits(&w, DER_BIT_STRING, 0);
    EXPECT("\x03\x01\x00");
    der_put_named_bits(&w, DER_BIT_STRING, 1 << 5 | 1 << 6);
    EXPECT("\x03\x02\x01\x06");
    der_put_named_bits(&w, DER_CONTEXT(1), 1 << 8);
    EXPECT("\x81\x03\x07\x00\x80");
    der_put_bitstring(&w, LT_LIT("\x01\x02"));
    EXPECT("\x03\x03\x00\x01\x02");
    for (unsigned i = 0; i < 32; i++) {
        uint32_t bit = UINT32_C(1) << i;
        der_put_named_bits(&w, DER_BIT_STRING, bit | 1);
        struct der_cursor c = der_open(lt_buf_slice(&out));
        assert_int_equal(der_named_bits(&c), bit | 1);
        assert_ok(der_done(&c, "bits"));
        lt_buf_reset(&out);
    }
}

static void times(void **state)
{
    (void)state;
    der_put_time(&w, lt_time_from_seconds(0));
    EXPECT("\x17\x0d"
           "700101000000Z");
    der_put_time(&w, lt_time_from_seconds(2524607999));
    EXPECT("\x17\x0d"
           "491231235959Z");
    der_put_time(&w, lt_time_from_seconds(2524608000));
    EXPECT("\x18\x0f"
           "20500101000000Z");
    der_put_time(&w, lt_time_from_seconds(-631152000));
    EXPECT("\x17\x0d"
           "500101000000Z");
    der_put_time(&w, lt_time_from_seconds(-631152001));
    EXPECT("\x18\x0f"
           "19491231235959Z");
    der_put_generalized_time(&w, (lt_time){999999});
    EXPECT("\x18\x0f"
           "19700101000000Z");
    for (int64_t day = -7000; day < 2932896; day += 97) {
        lt_time t = lt_time_from_seconds(day * LT_SECONDS_PER_DAY + 86399);
        lt_buf_reset(&out);
        der_put_generalized_time(&w, t);
        struct der_cursor c = der_open(lt_buf_slice(&out));
        assert_int_equal(der_generalized_time(&c).us, t.us);
    }
}

static void overflow_is_told_at_the_end(void **state)
{
    (void)state;
    struct lt_buf small;
    for (size_t max = 0; max < 140; max++) {
        lt_buf_init(&small, max);
        der_write_init(&w, &small);
        der_begin(&w, DER_SEQUENCE);
        for (size_t i = 0; i < 43; i++) {
            der_put_small(&w, 1);
        }
        der_end(&w);
        lt_res r = der_write_done(&w);
        assert_int_equal(r.code, max < 43 * 3 + 3 ? LT_PEER_TOO_LARGE : 0);
        lt_buf_done(&small);
    }
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(lengths), EACH(numbers), EACH(tags), EACH(bits), EACH(times), EACH(overflow_is_told_at_the_end),
    };
    return cmocka_run_group_tests_name("der/writer", tests, NULL, NULL);
}
