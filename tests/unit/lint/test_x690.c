/* DER as findings: one thing wrong, its row and no undecodable; bytes that no parser takes still get a list.
 */
#include "forge.h"

#define SAN "2.5.29.17"
#define KU "2.5.29.15"
#define BC "2.5.29.19"

static const struct forge_row rows[] = {
    {"lintel_x690_undecodable", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_length", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_length", "dv", {FORGE_EXT(KU, true, "0381020780")}, LINT_ERROR},
    {"lintel_x690_undecodable", "dv", {FORGE_EXT(KU, true, "0381020780")}, LINT_PASS},
    {"lintel_x690_length", "dv", {FORGE_PUT(FORGE_SERIAL, "0281090123456789abcdef01")}, LINT_ERROR},
    {"lintel_x690_tag", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_tag", "dv", {FORGE_EXT(SAN, false, "30{a2{'a.example.com'}}")}, LINT_ERROR},
    {"lintel_x690_boolean", "sub", {{0}}, LINT_PASS},
    {"lintel_x690_boolean", "sub", {FORGE_EXT(BC, true, "30{010101}")}, LINT_ERROR},
    {"lintel_x690_boolean", "dv", {FORGE_EXT("1.2.3.4", false, "010142")}, LINT_ERROR},
    {"lintel_x690_integer", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_integer", "dv", {FORGE_PUT(FORGE_SERIAL, "020a000123456789abcdef01")}, LINT_ERROR},
    {"lintel_x690_integer", "dv", {FORGE_EXT("1.2.3.4", false, "0202ff80")}, LINT_ERROR},
    {"lintel_x690_integer", "dv", {FORGE_EXT("1.2.3.4", false, "0202ff7f")}, LINT_PASS},
    {"lintel_x690_bit_string", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_bit_string", "dv", {FORGE_EXT(KU, true, "03020781")}, LINT_ERROR},
    {"lintel_x690_bit_string", "dv", {FORGE_EXT("1.2.3.4", false, "03020880")}, LINT_ERROR},
    {"lintel_x690_named_bits", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_named_bits", "dv", {FORGE_EXT(KU, true, "03020680")}, LINT_ERROR},
    {"lintel_x690_named_bits", "dv", {FORGE_EXT(KU, true, "0303078000")}, LINT_ERROR},
    {"lintel_x690_null", "dvpre", {{0}}, LINT_PASS},
    {"lintel_x690_null", "dvpre", {FORGE_EXT("1.3.6.1.4.1.11129.2.4.3", true, "050100")}, LINT_ERROR},
    {"lintel_x690_oid", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_oid", "dv", {FORGE_EXT("2.5.29.37", false, "30{06092b0601050507038001}")}, LINT_ERROR},
    {"lintel_x690_oid", "dv", {FORGE_EXT("1.2.3.4", false, "06022b86")}, LINT_ERROR},
    {"lintel_x690_default", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_default", "dv", {FORGE_EXT(BC, true, "30{010100}")}, LINT_ERROR},
    {"lintel_x690_default", "dv", {FORGE_PUT(FORGE_VERSION, "a0{020100}")}, LINT_ERROR},
    {"lintel_x690_set_order", "ov", {{0}}, LINT_PASS},
    {"lintel_x690_set_order",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_UTF8_STRING, "B"}, {"2.5.4.3", DER_UTF8_STRING, "A", .with = true})},
     LINT_ERROR},
    {"lintel_x690_string", "ov", {{0}}, LINT_PASS},
    {"lintel_x690_string", "ov", {FORGE_SUBJECT({"2.5.4.10", DER_PRINTABLE_STRING, "a@b"})}, LINT_ERROR},
    {"lintel_x690_string",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_UTF8_STRING, "c3", .hex = true})},
     LINT_ERROR},
    {"lintel_x690_string",
     "ov",
     {FORGE_SUBJECT({"1.2.3.4", DER_UTF8_STRING, "ff", .hex = true})},
     LINT_ERROR},
    {"lintel_x690_string", "dv", {FORGE_EXT(SAN, false, "30{82{c3bc'.example.com'}}")}, LINT_ERROR},
    {"lintel_x690_time", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_time",
     "dv",
     {FORGE_PUT(FORGE_VALIDITY, "30{17{'2606010000Z'}17{'260801000000Z'}}")},
     LINT_ERROR},
    {"lintel_x690_time",
     "dv",
     {FORGE_PUT(FORGE_VALIDITY, "30{17{'260601000000+0000'}17{'260801000000Z'}}")},
     LINT_ERROR},
    {"lintel_x690_time",
     "dv",
     {FORGE_PUT(FORGE_VALIDITY, "30{17{'260601000000Z'}18{'20560801000000.5Z'}}")},
     LINT_ERROR},
    {"lintel_x690_undecodable",
     "dv",
     {FORGE_PUT(FORGE_VALIDITY, "30{17{'260601000000Z'}18{'20560801000000.5Z'}}")},
     LINT_PASS},
    {"lintel_x690_trailing", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_trailing", "dv", {FORGE_EXT(KU, true, "03020780 00")}, LINT_ERROR},
    {"lintel_x690_trailing", "sub", {FORGE_EXT(BC, true, "30{0101ff020100020100}")}, LINT_ERROR},
    {"lintel_x690_structure", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_structure", "dv", {FORGE_EXT("2.5.29.37", false, "3000")}, LINT_ERROR},
    {"lintel_x690_structure", "dv", {FORGE_EXT(SAN, false, "3000")}, LINT_ERROR},
    {"lintel_x690_structure", "dv", {FORGE_EXT("1.2.3.4", false, "'no DER'")}, LINT_ERROR},
    {"lintel_x690_structure", "dv", {FORGE_EXT("1.2.3.4", false, "")}, LINT_ERROR},
    {"lintel_x690_structure",
     "dv",
     {FORGE_EXT("1.3.6.1.4.1.11129.2.4.2", false, "04{0003000100}")},
     LINT_ERROR},
    {"lintel_x690_duplicate_extension", "dv", {{0}}, LINT_PASS},
    {"lintel_x690_duplicate_extension", "dv", {FORGE_MORE(KU, true, "03020780")}, LINT_ERROR},
    /* Keys that are none do not end the list. */
    {"lintel_x690_structure",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.10045.2.1)(1.2.840.10045.3.1.7)}03{00 04 [31]07}}")},
     LINT_ERROR},
    {"lintel_x690_undecodable",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.10045.2.1)(1.2.840.10045.3.1.7)}03{00 04 [31]07}}")},
     LINT_PASS},
    {"lintel_x690_undecodable",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.113549.1.1.1)0500}03{00 0500}}")},
     LINT_PASS},
    /* What no decoder takes. */
    {"lintel_x690_undecodable", "dv", {FORGE_PUT(FORGE_SERIAL, "0400")}, LINT_FATAL},
    {"lintel_x690_undecodable", "dv", {FORGE_PUT(FORGE_WHOLE, "")}, LINT_FATAL},
    {"lintel_x690_undecodable", "dv", {FORGE_PUT(FORGE_WHOLE, "'no DER at all'")}, LINT_FATAL},
    {"lintel_x690_undecodable", "dv", {FORGE_PUT(FORGE_WHOLE, "3080")}, LINT_FATAL},
    {"lintel_x690_undecodable", "crl", {FORGE_PUT(FORGE_WHOLE, "3000")}, LINT_FATAL},
    {"lintel_x690_undecodable", "request", {FORGE_PUT(FORGE_WHOLE, "3000")}, LINT_FATAL},
    {"lintel_x690_undecodable", "response", {FORGE_PUT(FORGE_WHOLE, "3000")}, LINT_FATAL},
    {"lintel_x690_undecodable", "crl", {{0}}, LINT_PASS},
    {"lintel_x690_undecodable", "request", {{0}}, LINT_PASS},
    {"lintel_x690_undecodable", "response", {{0}}, LINT_PASS},
    {"lintel_x690_integer", "dv", {FORGE_PUT(FORGE_WHOLE, "30{30{0200 01012a 0501ff}}")}, LINT_ERROR},
    {"lintel_x690_boolean", "dv", {FORGE_PUT(FORGE_WHOLE, "30{30{0200 01012a 0501ff}}")}, LINT_ERROR},
    {"lintel_x690_null", "dv", {FORGE_PUT(FORGE_WHOLE, "30{30{0200 01012a 0501ff}}")}, LINT_ERROR},
    {"lintel_x690_boolean", "dv", {FORGE_PUT(FORGE_WHOLE, "3082ffff 30{0200 01012a}")}, LINT_ERROR},
    {"lintel_x690_length", "dv", {FORGE_PUT(FORGE_WHOLE, "30{3081020500 3080 0000}")}, LINT_ERROR},
};

static void each_row(void **unused)
{
    (void)unused;
    forge_rows(rows, LT_COUNT(rows));
}

/* Cut anywhere, a certificate has a fatal finding, and every other source is silent. */
static void cut(void **unused)
{
    (void)unused;
    struct forge f;
    struct lt_arena arena;
    forge_open(&f, "ev");
    lt_slice der = forge_make(&f, false);
    lt_arena_init(&arena, 1 << 22);
    for (size_t len = 0; len < der.len; len += 7) {
        struct lint_input in = {.kind = LINT_CERTIFICATE, .der = lt_slice_sub(der, 0, len)};
        struct lint_results r;
        assert_ok(lint_run(&in, &arena, &r));
        assert_int_equal(r.worst, LINT_FATAL);
        for (size_t i = 0; i < lint_rule_count(); i++) {
            const struct lint_rule *rule = lint_rule_at(i);
            bool mine = (rule->kinds & LINT_CERTIFICATE) != 0 && rule->source != LINT_X690 &&
                        !rule->undecoded;
            assert_true(!mine || r.status[i] == LINT_NA);
        }
        for (size_t i = 0; i < r.count; i++) {
            assert_true(r.list[i].offset <= len && r.list[i].len <= len);
            assert_non_null(r.list[i].path);
        }
        lt_arena_reset(&arena);
    }
    lt_arena_done(&arena);
    forge_done(&f);
}

/* Our own limits are no breach of a document: rows of their own say so, and what was read is judged. */
static const struct {
    const char *what;
    enum forge_part part; /* FORGE_WHOLE: the extension oid instead */
    const char *oid;
    const char *one; /* of count, in a SEQUENCE */
    unsigned count;
    enum lint_status limited;
} limits[] = {
    {"names that the strict parser refuses", FORGE_SUBJECT_NAME, NULL, "31{30{(2.5.4.11)0c{'x'}}}", 65,
     LINT_PASS},
    {"all attributes that are read", FORGE_SUBJECT_NAME, NULL, "31{30{(2.5.4.11)0c{'x'}}}", 256, LINT_PASS},
    {"one attribute more", FORGE_SUBJECT_NAME, NULL, "31{30{(2.5.4.11)0c{'x'}}}", 257, LINT_ERROR},
    {"many", FORGE_SUBJECT_NAME, NULL, "31{30{(2.5.4.11)0c{'x'}}}", 5000, LINT_ERROR},
    {"AIA", FORGE_WHOLE, "1.3.6.1.5.5.7.1.1", "30{(1.3.6.1.5.5.7.48.1)86{'http://a.com'}}", 257, LINT_PASS},
    {"AIA", FORGE_WHOLE, "1.3.6.1.5.5.7.1.1", "30{(1.3.6.1.5.5.7.48.1)86{'http://a.com'}}", 1025, LINT_ERROR},
    {"purposes", FORGE_WHOLE, "2.5.29.37", "(1.3.6.1.5.5.7.3.1)", 1024, LINT_PASS},
    {"purposes", FORGE_WHOLE, "2.5.29.37", "(1.3.6.1.5.5.7.3.1)", 1025, LINT_ERROR},
    {"policies", FORGE_WHOLE, "2.5.29.32", "30{(2.23.140.1.2.1)}", 1025, LINT_ERROR},
    {"points", FORGE_WHOLE, "2.5.29.31", "30{a0{a0{86{'http://a.com'}}}}", 1025, LINT_ERROR},
    {"names", FORGE_WHOLE, "2.5.29.17", "82{'a.com'}", 4096, LINT_PASS},
    {"names", FORGE_WHOLE, "2.5.29.17", "82{'a.com'}", 4097, LINT_ERROR},
};

static void our_limits(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(limits); i++) {
        struct forge f;
        struct lt_buf text;
        lt_buf_init(&text, 1 << 20);
        lt_buf_add_cstr(&text, "30{");
        for (unsigned k = 0; k < limits[i].count; k++) {
            lt_buf_add_cstr(&text, limits[i].one);
        }
        lt_buf_add(&text, LT_SLICE("}", 2)); /* with its NUL */
        const char *der = (const char *)lt_buf_slice(&text).ptr;
        const struct forge_edit list[] = {FORGE_PUT(limits[i].part, der),
                                          FORGE_EXT(limits[i].oid, false, der)};
        forge_open(&f, "dv");
        forge_edit(&f, &list[limits[i].oid != NULL]);
        struct lint_input in = {.kind = LINT_CERTIFICATE, .der = forge_make(&f, false)};
        print_message("%s, %u\n", limits[i].what, limits[i].count);
        forge_expect(&f, &in, "lintel_limit_count", limits[i].limited);
        forge_expect(&f, &in, "lintel_limit_bytes", LINT_PASS);
        forge_expect(&f, &in, "lintel_x690_undecodable", LINT_PASS);
        forge_expect(&f, &in, "lintel_x690_structure", LINT_PASS);
        forge_expect(&f, &in, "w_sub_cert_sha1_expiration_too_long", LINT_NA); /* other rows go on */
        forge_expect(&f, &in, "e_serial_number_longer_than_20_octets", LINT_PASS);
        forge_done(&f);
        lt_buf_done(&text);
    }
}

static void too_long(void **unused)
{
    (void)unused;
    static uint8_t bytes[(1 << 20) + 1];
    static const struct {
        enum lint_kind kind;
        size_t len;
        enum lint_status limited;
        enum lint_status undecodable;
    } sizes[] = {
        {LINT_CERTIFICATE, 1 << 20, LINT_PASS, LINT_FATAL},
        {LINT_CERTIFICATE, (1 << 20) + 1, LINT_ERROR, LINT_PASS},
        {LINT_CSR, 1 << 20, LINT_PASS, LINT_FATAL},
        {LINT_CSR, (1 << 20) + 1, LINT_ERROR, LINT_PASS},
        {LINT_CRL, (1 << 20) + 1, LINT_NA, LINT_FATAL},
    };
    struct lt_arena arena;
    lt_arena_init(&arena, 1 << 22);
    for (size_t i = 0; i < LT_COUNT(sizes); i++) {
        struct lint_input in = {.kind = sizes[i].kind, .der = LT_SLICE(bytes, sizes[i].len)};
        struct lint_results r;
        assert_ok(lint_run(&in, &arena, &r));
        for (size_t k = 0; k < lint_rule_count(); k++) {
            const char *id = lint_rule_at(k)->id;
            if (strcmp(id, "lintel_limit_bytes") == 0 && sizes[i].limited != LINT_NA) {
                assert_int_equal(r.status[k], sizes[i].limited);
            } else if (strcmp(id, "lintel_x690_undecodable") == 0) {
                assert_int_equal(r.status[k], sizes[i].undecodable);
            }
        }
        lt_arena_reset(&arena);
    }
    lt_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_row), cmocka_unit_test(cut),
                                       cmocka_unit_test(our_limits), cmocka_unit_test(too_long)};
    return cmocka_run_group_tests_name("lint x690", tests, NULL, NULL);
}
