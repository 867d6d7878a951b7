/* A cursor with notes takes what has one meaning, says where it is not DER, and refuses the rest as ever; a
 * strict one refuses all of it. */
#include "check.h"

#include "der/reader.h"

#define B(bytes_) LT_LIT(bytes_)

enum what { BOOLEAN, INTEGER, UNSIGNED, SMALL, OID, NULL_VALUE, BITS, OCTET_BITS, NAMED, TIME };

/* The value as a number: of an OID, of bits and of other bytes their count. */
static int64_t value_of(struct der_cursor *c, enum what what)
{
    switch (what) {
    case BOOLEAN:
        return der_boolean(c);
    case INTEGER:
        return (int64_t)der_integer(c).len;
    case UNSIGNED:
        return (int64_t)der_unsigned(c).len;
    case SMALL:
        return (int64_t)der_small(c, 70000);
    case OID:
        return (int64_t)der_oid(c).len;
    case NULL_VALUE:
        der_null(c);
        return 0;
    case BITS:
        return (int64_t)der_bitstring(c).bytes.len;
    case OCTET_BITS:
        return (int64_t)der_bitstring_octets(c).len;
    case NAMED:
        return der_named_bits(c);
    case TIME:
        return lt_time_seconds(der_time(c));
    }
    return -1;
}

static const struct {
    enum what what;
    lt_slice der;
    int64_t value;
    const char *note; /* NULL: it is DER */
} readable[] = {
    {BOOLEAN, B("\x01\x01\xff"), 1, NULL},
    {BOOLEAN, B("\x01\x01\x01"), 1, "a BOOLEAN other than 00 and FF"},
    {BOOLEAN, B("\x01\x81\x01\xff"), 1, "length not minimal"},
    {BOOLEAN, B("\x01\x82\x00\x01\x00"), 0, "length not minimal"},
    {INTEGER, B("\x02\x02\x00\x01"), 2, "an INTEGER that is not minimal"},
    {INTEGER, B("\x02\x02\xff\x80"), 2, "an INTEGER that is not minimal"},
    {UNSIGNED, B("\x02\x04\x00\x00\x00\x81"), 1, "an INTEGER that is not minimal"},
    {SMALL, B("\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00"), 256, "an INTEGER that is not minimal"},
    {OID, B("\x06\x03\x2a\x80\x01"), 3, "an OBJECT IDENTIFIER that is not minimal"},
    {NULL_VALUE, B("\x05\x01\x00"), 0, "a NULL with content"},
    {BITS, B("\x03\x02\x04\x8f"), 1, "a BIT STRING with unused bits that are set"},
    {OCTET_BITS, B("\x03\x02\x04\x80"), 1, "a BIT STRING that is no whole number of bytes"},
    {NAMED, B("\x03\x02\x05\xa0"), 5, NULL},
    {NAMED, B("\x03\x02\x04\xa0"), 5, "named bits with zero bits at the end"},
    {NAMED, B("\x03\x02\x05\xbf"), 5, "a BIT STRING with unused bits that are set"},
    {TIME, B("\x17\x0d\x37\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x31Z"), 1, NULL},
    {TIME, B("\x17\x0b\x37\x30\x30\x31\x30\x31\x30\x30\x30\x31Z"), 60, "a time that is none of RFC 5280's"},
    {TIME, B("\x17\x11\x37\x30\x30\x31\x30\x31\x30\x31\x30\x30\x30\x30+0100"), 0,
     "a time that is none of RFC 5280's"},
    {TIME, B("\x17\x11\x37\x30\x30\x31\x30\x31\x30\x31\x30\x30\x30\x30-0130"), 9000,
     "a time that is none of RFC 5280's"},
    {TIME, B("\x17\x0c\x37\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x31"), 1,
     "a time that is none of RFC 5280's"},
    {TIME, B("\x18\x11\x32\x30\x36\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30.5Z"), 2840140800,
     "a time that is none of RFC 5280's"},
    {TIME, B("\x18\x0f\x31\x39\x37\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x31Z"), 1,
     "a GeneralizedTime before 2050"},
};

static void what_can_be_read(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(readable); i++) {
        struct der_notes notes = {.count = 0};
        struct der_cursor strict = der_open(readable[i].der);
        struct der_cursor c = der_open(readable[i].der);
        c.notes = &notes;
        int64_t value = value_of(&c, readable[i].what);
        lt_res r = der_done_noted(&c, "value");
        if (r.code != 0 || value != readable[i].value || notes.last.why != NULL ||
            notes.count != (readable[i].note != NULL) ||
            (notes.count > 0 && strcmp(notes.list[0].why, readable[i].note) != 0)) {
            fail_msg("row %zu: %lld, %zu notes, %s", i, (long long)value, notes.count,
                     notes.count > 0 ? notes.list[0].why : c.why);
        }
        (void)value_of(&strict, readable[i].what);
        assert_int_equal(der_ok(&strict), readable[i].note == NULL);
    }
}

static const struct {
    enum what what;
    lt_slice der;
} unreadable[] = {
    {BOOLEAN, B("\x01\x00")},
    {BOOLEAN, B("\x01\x02\xff\xff")},
    {BOOLEAN, B("\x01\x80")},
    {BOOLEAN, B("\x01\x81")},
    {BOOLEAN, B("\x01\x84\xff\xff\xff\xff\x01")},
    {INTEGER, B("\x02\x00")},
    {INTEGER, B("\x02\x05\x01")},
    {INTEGER, B("")},
    {UNSIGNED, B("\x02\x01\xff")},
    {SMALL, B("\x02\x03\x01\x11\x71")},
    {SMALL, B("\x02\x0b\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
    {OID, B("\x06\x00")},
    {OID, B("\x06\x02\x2a\x81")},
    {BITS, B("\x03\x00")},
    {BITS, B("\x03\x01\x01")},
    {BITS, B("\x03\x02\x08\x00")},
    {NAMED, B("\x03\x06\x00\x01\x02\x03\x04\x05")},
    {TIME, B("\x17\x0d"
             "7001010000xxZ")},
    {TIME, B("\x17\x0d"
             "700132000000Z")},
    {TIME, B("\x17\x0f"
             "700101000000+01")},
    {TIME, B("\x17\x00")},
    {TIME, B("\x04\x0d"
             "700101000001Z")},
};

static void what_cannot(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(unreadable); i++) {
        struct der_notes notes = {.count = 0};
        struct der_cursor c = der_open(unreadable[i].der);
        c.notes = &notes;
        (void)value_of(&c, unreadable[i].what);
        if (der_ok(&c)) {
            fail_msg("row %zu was read", i);
        }
        assert_fails(der_done_noted(&c, "value"), LT_PEER_MALFORMED);
        assert_non_null(notes.last.why);
        assert_true(notes.last.offset <= unreadable[i].der.len);
    }
}

/* Too many fields, bytes behind the end; a place that two cursors look at is noted once; the list is bounded.
 */
static void notes_of_structures(void **unused)
{
    (void)unused;
    const lt_slice der = B("\x30\x06\x02\x01\x05\x02\x01\x06\xff\xff");
    struct der_notes notes = {.count = 0};
    struct der_cursor c = der_open(der);
    c.notes = &notes;
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    assert_int_equal(der_small(&seq, 9), 5);
    der_leave(&c, &seq);
    der_leave(&c, &seq);
    assert_int_equal(notes.count, 1);
    assert_int_equal(notes.list[0].offset, 5);
    assert_ok(der_done_noted(&c, "x"));
    assert_int_equal(notes.count, 2);
    assert_int_equal(notes.list[1].offset, 8);
    for (size_t i = 0; i < 3 * DER_NOTES_MAX; i++) {
        struct der_cursor more = der_open(der);
        more.notes = &notes;
        der_wart(&more, der.ptr, i % 2 == 0 ? "one thing" : "another");
        der_wart(&more, der.ptr + i % der.len, "something else");
    }
    assert_true(notes.count >= 12);
    for (size_t i = 0; i < notes.count && i < DER_NOTES_MAX; i++) {
        assert_non_null(notes.list[i].why);
    }
}

static void steps(void **unused)
{
    (void)unused;
    static const struct {
        lt_slice der;
        bool good;
        size_t content;
        size_t left;
    } rows[] = {
        {B("\x05\x00"), true, 0, 0},
        {B("\x04\x02xy\x05"), true, 2, 1},
        {B(""), false, 0, 0},
        {B("\x05"), false, 0, 0},
        {B("\x04\x03xy"), false, 0, 0},
        {B("\x04\x81\x02xy"), false, 0, 0},
        {B("\x04\x80\x00\x00"), false, 0, 0},
        {B("\x1f\x1f\x00"), false, 0, 0},
        {B("\x00\x00"), false, 0, 0},
        {B("\x04\x82\x00\x80"), false, 0, 0},
        {B("\x04\x81\x80"), false, 0, 0},
        {B("\x04\x81"), false, 0, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice rest = rows[i].der;
        lt_slice content = {0};
        uint32_t tag = DER_NONE;
        assert_int_equal(der_step(&rest, &tag, &content), rows[i].good);
        assert_int_equal(rest.len, rows[i].good ? rows[i].left : rows[i].der.len);
        assert_int_equal(content.len, rows[i].content);
    }
    static uint8_t large[0x203] = {0x30, 0x82, 0x01, 0xff};
    lt_slice rest = LT_SLICE(large, sizeof large);
    lt_slice content = {0};
    uint32_t tag = DER_NONE;
    assert_true(der_step(&rest, &tag, &content));
    assert_int_equal(tag, DER_SEQUENCE);
    assert_int_equal(content.len, 0x1ff);
    assert_int_equal(rest.len, 0);
}

static void steps_over_anything(void **unused)
{
    (void)unused;
    static const struct {
        lt_slice der;
        bool good;
        size_t content;
        size_t left;
    } rows[] = {
        {B("\x05\x00"), true, 0, 0},
        {B("\x04\x03xy"), true, 2, 0},
        {B("\x04\x81\x02xyz"), true, 2, 1},
        {B("\x04\x84\x00\x00\x00\x01xy"), true, 1, 1},
        {B("\x1f\x1f\x01x"), true, 1, 0},
        {B("\x30\x82\xff\xff\x05\x00"), true, 2, 0},
        {B(""), false, 0, 0},
        {B("\x04"), false, 0, 0},
        {B("\x04\x80\x00\x00"), false, 0, 0},
        {B("\x04\x85\x00\x00\x00\x00\x01x"), false, 0, 0},
        {B("\x00\x00"), false, 0, 0},
        {B("\x1f\x80\x01\x00"), false, 0, 0},
        {B("\x04\x82\x01"), false, 0, 0},
        {B("\x1f\xff"), false, 0, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice rest = rows[i].der;
        lt_slice content = {0};
        uint32_t tag = DER_NONE;
        bool good = der_step_any(&rest, &tag, &content);
        if (good != rows[i].good || content.len != rows[i].content ||
            rest.len != (good ? rows[i].left : rows[i].der.len)) {
            fail_msg("row %zu: %d, %zu, %zu", i, good, content.len, rest.len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read),    cmocka_unit_test(what_cannot),
        cmocka_unit_test(notes_of_structures), cmocka_unit_test(steps),
        cmocka_unit_test(steps_over_anything),
    };
    return cmocka_run_group_tests_name("der/lenient", tests, NULL, NULL);
}
