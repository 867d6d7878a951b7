/* The reader: every rule of DER that X.509 needs, one accepted and at least one refused encoding each. */
#include "check.h"

#include "der/reader.h"

#define B(bytes_)                                     \
    {                                                 \
        (const uint8_t *)(bytes_), sizeof(bytes_) - 1 \
    }

/* One element as it stands: does the reader take it as a whole, all the way down? */
static void whole_elements(void **state)
{
    (void)state;
    static const struct {
        lt_slice der;
        const char *why; /* NULL: fine */
    } rows[] = {
        {B("\x05\x00"), NULL},
        {B("\x30\x00"), NULL},
        {B("\x30\x03\x02\x01\x05"), NULL},
        {B("\x30\x05\x31\x03\x02\x01\x05"), NULL},
        {B("\x9f\x1f\x01\x00"), NULL},         /* [31]: the first high tag number */
        {B("\x9f\x87\x7f\x01\x00"), NULL},     /* [1023] */
        {B("\xbf\xff\xff\xff\x7f\x00"), NULL}, /* the largest that is taken */
        {B(""), "nothing"},
        {B("\x30"), "length cut off"},
        {B("\x1f"), "tag cut off"},
        {B("\x9f\x87"), "tag cut off"},
        {B("\x9f\x80\x1f\x00"), "tag not minimal"},
        {B("\x9f\x1e\x00"), "tag not minimal"}, /* fits the short form */
        {B("\x9f\xff\xff\xff\xff\x7f\x00"), "tag number too large"},
        {B("\x00\x00"), "end-of-contents"},
        {B("\x30\x80\x00\x00"), "indefinite length"},
        {B("\x30\x81\x03\x02\x01\x05"), "length not minimal"},
        {B("\x04\x82\x00\x80"), "length not minimal"},
        {B("\x30\xff"), "length too large"},
        {B("\x30\x85\x01\x00\x00\x00\x00"), "length too large"},
        {B("\x30\x82\x01"), "length cut off"},
        {B("\x30\x03\x02\x01"), "content cut off"},
        {B("\x30\x03\x02\x02\x05"), "content cut off"},
        {B("\x05\x00\x00"), "behind the element"},
        {B("\x30\x02\x05\x00\x05\x00"), "behind the element"},
        {B("\x30\x04\x30\x80\x00\x00"), "indefinite length"},
        {B("\x30\x84\xff\xff\xff\xff"), "content cut off"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].why == NULL) {
            assert_ok(der_check(rows[i].der));
            continue;
        }
        assert_fails(der_check(rows[i].der), LT_PEER_MALFORMED);
        if (strstr(lt_error_last()->detail, rows[i].why) == NULL) {
            fail_msg("row %zu: '%s' does not say '%s'", i, lt_error_last()->detail, rows[i].why);
        }
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    uint8_t der[2 * (DER_DEPTH_MAX + 1)];
    for (size_t depth = DER_DEPTH_MAX; depth <= DER_DEPTH_MAX + 1; depth++) {
        for (size_t i = 0; i < depth; i++) {
            der[2 * i] = 0x30;
            der[2 * i + 1] = (uint8_t)(2 * (depth - 1 - i));
        }
        lt_res r = der_check(LT_SLICE(der, 2 * depth));
        assert_int_equal(r.code, depth == DER_DEPTH_MAX ? 0 : LT_PEER_MALFORMED);
    }
}

enum what {
    BOOLEAN,
    INTEGER,
    UNSIGNED,
    SMALL,
    OID,
    NULL_VALUE,
    BITS,
    OCTET_BITS,
    NAMED,
    TIME,
    GENERALIZED,
    ENUMERATED
};

static void read_one(struct der_cursor *c, enum what what)
{
    switch (what) {
    case BOOLEAN:
        (void)der_boolean(c);
        break;
    case INTEGER:
        (void)der_integer(c);
        break;
    case UNSIGNED:
        (void)der_unsigned(c);
        break;
    case SMALL:
        (void)der_small(c, 1000);
        break;
    case OID:
        (void)der_oid(c);
        break;
    case NULL_VALUE:
        der_null(c);
        break;
    case BITS:
        (void)der_bitstring(c);
        break;
    case OCTET_BITS:
        (void)der_bitstring_octets(c);
        break;
    case NAMED:
        (void)der_named_bits(c);
        break;
    case TIME:
        (void)der_time(c);
        break;
    case GENERALIZED:
        (void)der_generalized_time(c);
        break;
    case ENUMERATED:
        (void)der_enumerated(c, 10);
        break;
    }
}

static void primitive_values(void **state)
{
    (void)state;
    static const struct {
        enum what what;
        lt_slice der;
        bool good;
    } rows[] = {
        {BOOLEAN, B("\x01\x01\xff"), true},
        {BOOLEAN, B("\x01\x01\x00"), true},
        {BOOLEAN, B("\x01\x01\x01"), false},
        {BOOLEAN, B("\x01\x00"), false},
        {BOOLEAN, B("\x01\x02\xff\xff"), false},
        {BOOLEAN, B("\x02\x01\xff"), false},
        {INTEGER, B("\x02\x01\x00"), true},
        {INTEGER, B("\x02\x01\xff"), true},
        {INTEGER, B("\x02\x02\x00\x80"), true},
        {INTEGER, B("\x02\x02\xff\x7f"), true},
        {INTEGER, B("\x02\x00"), false},
        {INTEGER, B("\x02\x02\x00\x7f"), false},
        {INTEGER, B("\x02\x02\xff\x80"), false},
        {INTEGER, B("\x02\x02\x00\x00"), false},
        {UNSIGNED, B("\x02\x02\x00\x80"), true},
        {UNSIGNED, B("\x02\x01\x80"), false},
        {SMALL, B("\x02\x02\x03\xe8"), true},
        {SMALL, B("\x02\x02\x03\xe9"), false},
        {SMALL, B("\x02\x01\xff"), false},
        {SMALL, B("\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"), false},
        {ENUMERATED, B("\x0a\x01\x0a"), true},
        {ENUMERATED, B("\x0a\x01\x0b"), false},
        {ENUMERATED, B("\x02\x01\x01"), false},
        {OID, B("\x06\x03\x55\x04\x03"), true},
        {OID, B("\x06\x01\x2a"), true},
        {OID, B("\x06\x00"), false},
        {OID, B("\x06\x03\x55\x04\x83"), false},     /* last arc cut off */
        {OID, B("\x06\x04\x55\x80\x04\x03"), false}, /* arc with a leading zero */
        {OID, B("\x06\x01\x80"), false},
        {NULL_VALUE, B("\x05\x00"), true},
        {NULL_VALUE, B("\x05\x01\x00"), false},
        {BITS, B("\x03\x02\x07\x80"), true},
        {BITS, B("\x03\x01\x00"), true},
        {BITS, B("\x03\x00"), false},
        {BITS, B("\x03\x01\x01"), false},
        {BITS, B("\x03\x02\x08\x00"), false},
        {BITS, B("\x03\x02\x07\xc0"), false},         /* an unused bit is set */
        {BITS, B("\x23\x04\x03\x02\x00\x01"), false}, /* constructed: BER */
        {OCTET_BITS, B("\x03\x02\x00\x01"), true},
        {OCTET_BITS, B("\x03\x02\x01\x02"), false},
        {NAMED, B("\x03\x02\x05\xa0"), true},
        {NAMED, B("\x03\x01\x00"), true},
        {NAMED, B("\x03\x02\x04\xa0"), false}, /* a zero bit at the end */
        {NAMED, B("\x03\x02\x00\x00"), false},
        {NAMED, B("\x03\x06\x00\x01\x01\x01\x01\x01"), false},
        {TIME,
         B("\x17\x0d"
           "261121234100Z"),
         true},
        {TIME,
         B("\x17\x0d"
           "491231235959Z"),
         true},
        {TIME,
         B("\x18\x0f"
           "20500101000000Z"),
         true},
        {TIME,
         B("\x18\x0f"
           "99991231235959Z"),
         true},
        {TIME,
         B("\x17\x0d"
           "240229000000Z"),
         true},
        {TIME,
         B("\x17\x0d"
           "230229000000Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261321234100Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "260021234100Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261100234100Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261131234100Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261121244100Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261121236000Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "261121234160Z"),
         false},
        {TIME,
         B("\x17\x0b"
           "2611212341Z"),
         false}, /* no seconds */
        {TIME,
         B("\x17\x11"
           "261121234100+0000"),
         false}, /* offset */
        {TIME,
         B("\x17\x0c"
           "261121234100"),
         false}, /* local time */
        {TIME,
         B("\x17\x0d"
           "26112123410 Z"),
         false},
        {TIME,
         B("\x17\x0d"
           "-61121234100Z"),
         false},
        {TIME,
         B("\x18\x0f"
           "20491231235959Z"),
         false}, /* belongs in UTCTime */
        {TIME,
         B("\x18\x11"
           "20500101000000.1Z"),
         false}, /* fraction */
        {TIME,
         B("\x18\x0d"
           "205001010000Z"),
         false},
        {TIME,
         B("\x16\x0d"
           "261121234100Z"),
         false},
        {GENERALIZED,
         B("\x18\x0f"
           "20261121234100Z"),
         true},
        {GENERALIZED,
         B("\x17\x0d"
           "261121234100Z"),
         false},
        {GENERALIZED,
         B("\x18\x0f"
           "20261121234100z"),
         false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct der_cursor c = der_open(rows[i].der);
        read_one(&c, rows[i].what);
        if (lt_failed(der_done(&c, "row")) == rows[i].good) {
            fail_msg("row %zu should %s: %s", i, rows[i].good ? "pass" : "fail", lt_error_last()->detail);
        }
    }
}

static void values_come_out_right(void **state)
{
    (void)state;
    struct der_cursor c = der_open(
        LT_LIT("\x02\x02\x00\x80\x02\x02\x03\xe8\x03\x02\x05\xa0\x03\x03\x07\x01\x80"
               "\x17\x0d"
               "700101000001Z\x17\x0d"
               "491231235959Z\x17\x0d"
               "500101000000Z"));
    lt_slice n = der_unsigned(&c);
    assert_int_equal(n.len, 1);
    assert_int_equal(n.ptr[0], 0x80);
    assert_int_equal(der_small(&c, UINT64_MAX), 1000);
    assert_int_equal(der_named_bits(&c), 1 << 0 | 1 << 2);
    assert_int_equal(der_named_bits(&c), 1 << 7 | 1 << 8);
    assert_int_equal(der_time(&c).us, LT_US_PER_SECOND);
    assert_int_equal(lt_date_of(der_time(&c)).year, 2049);
    assert_int_equal(lt_date_of(der_time(&c)).year, 1950);
    assert_ok(der_done(&c, "values"));
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    struct der_cursor c = der_open(LT_LIT("\x30\x05\x02\x01\x05\x01\x01\x02\x01\x05"));
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    assert_int_equal(der_small(&seq, 9), 5);
    assert_false(der_boolean(&seq)); /* content runs out of the SEQUENCE */
    assert_false(der_ok(&seq));
    const char *why = seq.why;
    assert_int_equal(der_small(&seq, 9), 0);
    assert_int_equal(der_read(&seq, DER_INTEGER).len, 0);
    assert_false(der_more(&seq));
    assert_int_equal(der_peek(&seq), DER_NONE);
    assert_ptr_equal(seq.why, why);
    der_leave(&c, &seq);
    assert_ptr_equal(c.why, why);
    assert_int_equal(der_bad_offset(&c), 5);
    assert_fails(der_done(&c, "x"), LT_PEER_MALFORMED);
    assert_non_null(strstr(lt_error_last()->detail, "at byte 5"));
}

static void what_is_left_over_is_refused(void **state)
{
    (void)state;
    struct der_cursor c = der_open(LT_LIT("\x30\x06\x02\x01\x05\x02\x01\x06"));
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    assert_int_equal(der_small(&seq, 9), 5);
    der_leave(&c, &seq);
    assert_fails(der_done(&c, "x"), LT_PEER_MALFORMED);
    struct der_cursor d = der_open(LT_LIT("\x02\x01\x05\x02\x01\x06"));
    assert_int_equal(der_small(&d, 9), 5);
    assert_fails(der_done(&d, "x"), LT_PEER_MALFORMED);
}

static void optional_elements(void **state)
{
    (void)state;
    lt_slice v;
    struct der_cursor c = der_open(LT_LIT("\x80\x01\x07\xa3\x02\x05\x00"));
    assert_false(der_optional(&c, DER_CONTEXT(1), &v));
    assert_true(der_optional(&c, DER_CONTEXT(0), &v));
    assert_int_equal(v.len, 1);
    assert_false(der_optional(&c, DER_CONTEXT(3), &v)); /* constructed is another tag */
    assert_int_equal(der_peek(&c), DER_CONTEXT_CONS(3));
    struct der_cursor inner = der_enter(&c, DER_CONTEXT_CONS(3));
    assert_int_equal(der_count(&inner), 1);
    der_null(&inner);
    assert_int_equal(der_count(&inner), 0);
    der_leave(&c, &inner);
    assert_ok(der_done(&c, "x"));
    assert_false(der_optional(&c, DER_CONTEXT(0), &v));
    assert_ok(der_done(&c, "x"));
}

static void counting_fails_on_what_is_malformed(void **state)
{
    (void)state;
    struct der_cursor c = der_open(LT_LIT("\x05\x00\x05"));
    assert_int_equal(der_count(&c), 0);
    assert_false(der_ok(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_elements),          cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(primitive_values),        cmocka_unit_test(values_come_out_right),
        cmocka_unit_test(the_first_failure_stays), cmocka_unit_test(what_is_left_over_is_refused),
        cmocka_unit_test(optional_elements),       cmocka_unit_test(counting_fails_on_what_is_malformed),
    };
    return cmocka_run_group_tests_name("der/reader", tests, NULL, NULL);
}
