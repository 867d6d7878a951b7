/* The forge itself: DER text gives the bytes that it spells, a base that nobody changed is the file, and each
 * kind of change is what the decoders then see. */
#include "forge.h"

#include "x509/csr.h"

static void text_gives_bytes(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", "", 0},
        {"0500", "\x05\x00", 2},
        {"30{}", "\x30\x00", 2},
        {"30{ 02{01} 0C{'ab'} }",
         "\x30\x07\x02\x01\x01\x0c\x02"
         "ab",
         9},
        {"(2.5.29.15)", "\x06\x03\x55\x1d\x0f", 5},
        {"0C{[3]'x'}", "\x0c\x03xxx", 5},
        {"A3{[2]00 01}", "\xa3\x03\x00\x00\x01", 5},
    };
    struct lt_arena a;
    lt_arena_init(&a, 1 << 20);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_true(lt_slice_eq(forge_der(&a, rows[i].text), LT_SLICE(rows[i].bytes, rows[i].len)));
    }
    lt_slice longer = forge_der(&a, "30{[300]'x'}");
    assert_int_equal(longer.len, 304);
    assert_memory_equal(longer.ptr, "\x30\x82\x01\x2c", 4);
    lt_arena_done(&a);
}

static void unchanged_is_the_file(void **unused)
{
    (void)unused;
    static const char *const bases[] = {"dv",    "dvpre", "dvrsa", "ev",        "iv",
                                        "ocsp",  "ov",    "root",  "smivs",     "smmvs",
                                        "smovs", "smsvs", "sub",   "subnontls", "subtc"};
    for (size_t i = 0; i < LT_COUNT(bases); i++) {
        struct forge f;
        char label[32];
        forge_open(&f, bases[i]);
        const char *below = lt_arena_printf(&f.arena, "probes/base/%s.pem", bases[i]);
        assert_true(lt_slice_eq(forge_make(&f, false), forge_load(&f.arena, below, label)));
        assert_string_equal(label, "CERTIFICATE");
        struct x509_cert c;
        assert_ok(x509_tbs_parse(forge_make(&f, true), &f.arena, &c));
        forge_done(&f);
    }
}

static const struct forge_edit edits[] = {
    FORGE_EXT("2.5.29.15", false, "03020186"),
    FORGE_CUT("2.5.29.37"),
    FORGE_MORE("1.2.3.4", true, "0500"),
    FORGE_PUT(FORGE_SERIAL, "02{17}"),
    FORGE_SUBJECT({"2.5.4.6", DER_PRINTABLE_STRING, "DE"}, {"2.5.4.10", DER_UTF8_STRING, "A"},
                  {"2.5.4.3", DER_BMP_STRING, "0041", .hex = true, .with = true}),
    FORGE_FROM(1780272000),
    FORGE_TO(1780272001),
};

static void changes_are_seen(void **unused)
{
    (void)unused;
    struct forge f;
    struct x509_cert before;
    struct x509_cert c;
    forge_open(&f, "dv");
    assert_ok(x509_cert_parse(forge_make(&f, false), &f.arena, &before));
    for (size_t i = 0; i < LT_COUNT(edits); i++) {
        forge_edit(&f, &edits[i]);
    }
    assert_ok(x509_cert_decode(forge_make(&f, false), &f.arena, &c));
    assert_int_equal(c.ext.count, before.ext.count);
    assert_int_equal(c.ext.key_usage, X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN);
    assert_false(c.ext.has_eku);
    assert_true(c.ext.list[c.ext.count - 1].critical);
    assert_true(lt_slice_eq(c.serial, LT_LIT("\x17")));
    assert_int_equal(c.subject.rdn_count, 2);
    assert_int_equal(c.subject.count, 3);
    assert_true(lt_slice_eq(c.subject.attributes[2].value, LT_LIT("\0A")));
    assert_int_equal(lt_time_seconds(c.not_before), 1780272000);
    assert_int_equal(lt_time_seconds(c.not_after), 1780272001);
    assert_true(lt_slice_eq(c.issuer.der, before.issuer.der));
    forge_done(&f);
}

static void what_is_made_here_decodes(void **unused)
{
    (void)unused;
    struct forge f;
    struct x509_crl crl;
    struct x509_csr csr;
    forge_open(&f, "crl");
    assert_ok(x509_crl_parse(forge_make(&f, false), &f.arena, &crl));
    assert_int_equal(crl.entry_count, 2);
    assert_ok(x509_crl_tbs_parse(forge_make(&f, true), &f.arena, &crl));
    forge_done(&f);
    forge_open(&f, "crl-empty");
    assert_ok(x509_crl_parse(forge_make(&f, false), &f.arena, &crl));
    assert_int_equal(crl.entry_count, 0);
    forge_done(&f);
    forge_open(&f, "request");
    assert_ok(x509_csr_parse(forge_make(&f, false), &f.arena, &csr));
    assert_int_equal(csr.ext.san.count, 1);
    forge_done(&f);
    forge_open(&f, "response");
    assert_ok(der_check(forge_make(&f, false)));
    forge_done(&f);
}

static void a_rule_is_asked(void **unused)
{
    (void)unused;
    struct forge f;
    struct lint_results r;
    forge_open(&f, "dv");
    forge_lint(&f, NULL, &r);
    assert_int_not_equal(r.tally[LINT_PASS], 0);
    assert_false(forge_says(&f, NULL, "no such rule", LINT_ERROR));
    forge_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_gives_bytes), cmocka_unit_test(unchanged_is_the_file),
        cmocka_unit_test(changes_are_seen), cmocka_unit_test(what_is_made_here_decodes),
        cmocka_unit_test(a_rule_is_asked),
    };
    return cmocka_run_group_tests_name("lint/forge", tests, NULL, NULL);
}
