/* lintel lint without its files and threads: the TOML subset, what goes out to terminals and JSON, what an
 * input holds. */
#include "check.h"

#include "base/text.h"
#include "cmd/lint.h"
#include "lint/kinds.h"

static void toml_is_read(void **state)
{
    (void)state;
    static const char text[] = "# zlint -exampleConfig\n"
                               "[AppleRootStorePolicyConfig]\n"
                               "\n"
                               "[CABFBaselineRequirementsConfig]\n"
                               "CrossSignedCa = true # yes\n"
                               "[e_ca_common_name_missing]\r\n"
                               "[e_ca_multiple_reserved_policy_oids]\n"
                               "CrossCert=true\n"
                               "[e_crl_next_update_invalid]\n"
                               "  SubscriberCRL = false\r\n"
                               "[ e_rsa_fermat_factorization ]\n"
                               "Rounds = 7\n"
                               "[e_subj_contains_html_entities]\n"
                               "Skip = true\n"
                               "[e_subj_orgunit_in_ca_cert]\n"
                               "CrossCert = false";
    struct lint_config c;
    assert_ok(cmd_lint_toml(lt_slice_cstr(text), "a.toml", &c));
    assert_true(c.cross_signed_ca);
    assert_true(c.reserved_oids_cross_cert);
    assert_false(c.crl_of_subscribers);
    assert_int_equal(c.fermat_rounds, 7);
    assert_true(c.html_entities_skip);
    assert_false(c.subject_ou_cross_cert);
    assert_ok(
        cmd_lint_toml(LT_LIT("\xef\xbb\xbf[e_subj_contains_html_entities]\nSkip = true\n"), "a.toml", &c));
    assert_true(c.html_entities_skip);
    assert_ok(cmd_lint_toml(lt_slice_cstr(""), "a.toml", &c));
    assert_true(c.crl_of_subscribers);
    assert_int_equal(c.fermat_rounds, 100);
}

static void toml_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"[e_rsa_fermat]\n", "a.toml:1: there is no section [e_rsa_fermat]"},
        {"\n\n[e_rsa_fermat_factorization\n", "a.toml:3: a section is written [name]"},
        {"[]\n", "a.toml:1: a section is written [name]"},
        {"Rounds = 1\n", "a.toml:1: \"Rounds\" stands in no [section]"},
        {"[e_rsa_fermat_factorization]\nrounds = 1\n",
         "a.toml:2: [e_rsa_fermat_factorization] has no key \"rounds\", but Rounds"},
        {"[e_rsa_fermat_factorization]\nRounds = 1.5\n",
         "a.toml:2: Rounds is a whole number up to 1000000, not \"1.5\""},
        {"[e_rsa_fermat_factorization]\nRounds = -1\n",
         "a.toml:2: Rounds is a whole number up to 1000000, not \"-1\""},
        {"[e_rsa_fermat_factorization]\nRounds = 1000001\n",
         "a.toml:2: Rounds is a whole number up to 1000000, not \"1000001\""},
        {"[e_subj_contains_html_entities]\nSkip = 1\n", "a.toml:2: Skip is true or false, not \"1\""},
        {"[e_subj_contains_html_entities]\nSkip = \"true\"\n",
         "a.toml:2: Skip is true or false, not \"\"true\"\""},
        {"[e_subj_contains_html_entities]\nSkip\n", "a.toml:2: neither [section] nor key = value: \"Skip\""},
        {"[e_subj_contains_html_entities]\nSkip = true\nSkip = true\n", "a.toml:3: Skip is given twice"},
        {"[CommunityConfig]\nSkip = true\n",
         "a.toml:2: [CommunityConfig] has no keys; there stands \"Skip\""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_config c = {.fermat_rounds = 42};
        assert_fails(cmd_lint_toml(lt_slice_cstr(rows[i].text), "a.toml", &c), LT_PEER_USAGE);
        assert_string_equal(lt_error_last()->detail, rows[i].says);
        assert_int_equal(c.fermat_rounds, 42); /* nothing is half taken */
    }
}

struct escape {
    const char *in;
    size_t len;
    const char *out;
};
#define ROW(in_, out_)             \
    {                              \
        in_, sizeof(in_) - 1, out_ \
    }

static void go_strings(void **state)
{
    (void)state;
    /* checked against encoding/json of Go 1.26 */
    static const struct escape rows[] = {
        ROW("", "\"\""),
        ROW("plain text", "\"plain text\""),
        ROW("a\"b\\c", "\"a\\\"b\\\\c\""),
        ROW("<a href='x'>&", "\"\\u003ca href='x'\\u003e\\u0026\""),
        ROW("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
        ROW("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""),
        ROW("\0", "\"\\u0000\""),
        ROW("M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x94\x92",
            "\"M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x94\x92\""),
        ROW("\xe2\x80\xa8|\xe2\x80\xa9", "\"\\u2028|\\u2029\""),
        ROW("\xff|\xc3", "\"\\ufffd|\\ufffd\""),
        ROW("\xe2\x82", "\"\\ufffd\\ufffd\""),            /* each byte for itself */
        ROW("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""), /* a surrogate */
        ROW("\xc0\xaf", "\"\\ufffd\\ufffd\""),            /* overlong */
        ROW("\xef\xbf\xbd", "\"\xef\xbf\xbd\""),          /* U+FFFD itself */
        ROW("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf out;
        lt_buf_init(&out, 1024);
        cmd_lint_go_string(&out, LT_SLICE(rows[i].in, rows[i].len));
        assert_string_equal(lt_buf_cstr(&out), rows[i].out);
        lt_buf_done(&out);
    }
}

static void terminals_are_safe(void **state)
{
    (void)state;
    static const struct escape rows[] = {
        ROW("plain <&> \"text\"", "plain <&> \"text\""),
        ROW("M\xc3\xbcnchen \xf0\x9f\x94\x92", "M\xc3\xbcnchen \xf0\x9f\x94\x92"),
        ROW("\033[31mred", "\\x1b[31mred"),
        ROW("a\nb\r\tc\x7f", "a\\x0ab\\x0d\\x09c\\x7f"),
        ROW("\xc2\x9b"
            "31m",
            "\\x9b31m"), /* CSI as one character */
        ROW("\xe2\x80\xae"
            "evil",
            "\\u202eevil"), /* right to left */
        ROW("\xe2\x80\x8b\xef\xbb\xbf", "\\u200b\\ufeff"),
        ROW("\x9b\xff", "\\x9b\\xff"),
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf out;
        lt_buf_init(&out, 1024);
        cmd_lint_plain(&out, LT_SLICE(rows[i].in, rows[i].len));
        assert_string_equal(lt_buf_cstr(&out), rows[i].out);
        lt_buf_done(&out);
    }
}

/* The outermost tags of each kind, with hardly anything in them. */
#define CERT                                                                                               \
    "\x30\x1a\x30\x16\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00\xa3\x02\x30" \
    "\x00\x30\x00"
#define CERT_V1 "\x30\x0f\x30\x0b\x02\x01\x01\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00"
#define CRL "\x30\x0d\x30\x09\x02\x01\x01\x30\x00\x30\x00\x17\x00\x30\x00"
#define CRL_V1 "\x30\x0a\x30\x06\x30\x00\x30\x00\x18\x00\x30\x00"
#define CSR "\x30\x0d\x30\x09\x02\x01\x00\x30\x00\x30\x00\xa0\x00\x30\x00"
#define OCSP "\x30\x07\x0a\x01\x00\xa0\x02\x30\x00"

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        size_t len;
        bool bare;
        unsigned kind;
    } rows[] = {
        {CERT, sizeof(CERT) - 1, false, LINT_CERTIFICATE},
        {CERT_V1, sizeof(CERT_V1) - 1, false, LINT_CERTIFICATE},
        {CRL, sizeof(CRL) - 1, false, LINT_CRL},
        {CRL_V1, sizeof(CRL_V1) - 1, false, LINT_CRL},
        {CSR, sizeof(CSR) - 1, false, LINT_CSR},
        {OCSP, sizeof(OCSP) - 1, false, LINT_OCSP},
        {&CERT[2], sizeof(CERT) - 3, true, LINT_CERTIFICATE},
        {&CRL[2], sizeof(CRL) - 3, true, LINT_CRL},
        {CERT, 9, false, LINT_CERTIFICATE},                       /* cut short */
        {"\x30\x80\x30\x80\xa0\x80", 6, false, LINT_CERTIFICATE}, /* BER */
        {"\x30\x83\x00\x00\x09\x30\x07\xa0\x00", 9, false, LINT_CERTIFICATE},
        {CERT, sizeof(CERT) - 1, true, 0},
        {OCSP, sizeof(OCSP) - 1, true, 0},
        {"", 0, false, 0},
        {"\x30", 1, false, 0},
        {"\x30\x00", 2, false, 0},
        {"\x30\x02\x30\x00", 4, false, 0},
        {"\x30\x03\x02\x01\x00", 5, false, 0}, /* a private key begins so */
        {"\x30\xff\xff\xff\xff", 5, false, 0},
        {"hello", 5, false, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(lint_kind_of(LT_SLICE(rows[i].der, rows[i].len), rows[i].bare), rows[i].kind);
    }
}

/* What comes out of an input, one word for each: a kind, "bad" or "?". */
static const char *read_all(const char *text, size_t len)
{
    static char said[256];
    struct lt_arena a;
    struct cmd_lint_reader r;
    struct cmd_lint_object o;
    size_t at = 0;
    said[0] = 0;
    lt_arena_init(&a, 1 << 20);
    cmd_lint_open(&r, LT_SLICE(text, len), false);
    for (int i = 0; i < 10; i++) {
        lt_res result = cmd_lint_next(&r, &a, &o);
        if (result.code == LT_PEER_NOT_FOUND) {
            break;
        }
        const char *word = lt_failed(result) ? "bad" : o.kind == 0 ? "?" : lint_kind_name(o.kind);
        at += (size_t)snprintf(said + at, sizeof said - at, "%s%s", at > 0 ? " " : "", word);
    }
    lt_arena_done(&a);
    return said;
}

#define BLOCK(label_, body_) "-----BEGIN " label_ "-----\n" body_ "\n-----END " label_ "-----\n"

static void inputs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {BLOCK("CERTIFICATE", "MAA="), "certificate"},
        {BLOCK("X509 CRL", "MAA="), "crl"},
        {BLOCK("CERTIFICATE REQUEST", "MAA="), "csr"},
        {BLOCK("OCSP RESPONSE", "MAA="), "ocsp"},
        {"text before\n" BLOCK("CERTIFICATE", "MAA=") "between\r\n" BLOCK("X509 CRL", "MAA=") "after",
         "certificate crl"},
        {BLOCK("PRIVATE KEY", "MAA=") BLOCK("CERTIFICATE", "MAA="), "certificate"},
        {BLOCK("CERTIFICATE", "M\xff") BLOCK("CERTIFICATE", "MAA="), "bad certificate"},
        {BLOCK("CERTIFICATE", "") BLOCK("CERTIFICATE", "MAA="), "bad certificate"},
        {BLOCK("CERTIFICATE", "Proc-Type: 4,CLEAR\nX: y\n\nMAA="), "certificate"},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n", "bad"},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n", "bad"},
        {BLOCK("PRIVATE KEY", "MAA="), ""},
        {"a -----BEGIN CERTIFICATE----- in the middle of a line", "?"},
        {BLOCK("CERTIFICATE", "MAcKAQCgAjAA"), "ocsp"}, /* the label is wrong */
        {"MAcKAQCgAjAA\n", "ocsp"},                     /* base64 alone */
        {"MAcKAQCg\n AjAA\n", "ocsp"},
        {"hello\n", "bad"}, /* letters, but no base64 */
        {"hello, world\n", "?"},
        {"", "bad"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_string_equal(read_all(rows[i].text, strlen(rows[i].text)), rows[i].says);
    }
    assert_string_equal(read_all(OCSP, sizeof(OCSP) - 1), "ocsp");
    static const char with_text[] = OCSP "\n-----BEGIN CERTIFICATE-----\n"; /* DER may hold anything */
    assert_string_equal(read_all(with_text, sizeof(with_text) - 1), "ocsp");
}

/* An end that is not there is looked for once for each label, and said once. */
static void endless_blocks(void **state)
{
    (void)state;
    static const char *const labels[] = {"CERTIFICATE", "X509 CRL"};
    enum { BLOCKS = 200000 };
    struct lt_buf text;
    struct lt_arena a;
    struct cmd_lint_reader r;
    struct cmd_lint_object o;
    lt_buf_init(&text, 16 << 20);
    lt_arena_init(&a, 1 << 20);
    for (size_t i = 0; i < BLOCKS; i++) {
        lt_buf_addf(&text, "-----BEGIN %s-----\n", labels[i % LT_COUNT(labels)]);
    }
    lt_buf_add_cstr(&text, BLOCK("OCSP RESPONSE", "MAA="));
    cmd_lint_open(&r, lt_buf_slice(&text), false);
    assert_fails(cmd_lint_next(&r, &a, &o), LT_PEER_MALFORMED);
    assert_fails(cmd_lint_next(&r, &a, &o), LT_PEER_MALFORMED);
    assert_ok(cmd_lint_next(&r, &a, &o));
    assert_int_equal(o.kind, LINT_OCSP);
    assert_fails(cmd_lint_next(&r, &a, &o), LT_PEER_NOT_FOUND);
    lt_arena_done(&a);
    lt_buf_done(&text);
}

static void kind_names(void **state)
{
    (void)state;
    for (unsigned k = 0; k < CMD_LINT_KINDS; k++) {
        assert_int_equal(lint_kind_by_name(lt_slice_cstr(lint_kind_name(1u << k))), 1u << k);
    }
    assert_int_equal(lint_kind_by_name(LT_LIT("")), 0);
    assert_int_equal(lint_kind_by_name(LT_LIT("key")), 0);
    assert_string_equal(lint_kind_name(0), "");
    assert_string_equal(lint_kind_name(LINT_CERTIFICATE | LINT_CRL), "");
    static const struct {
        const char *label;
        const char *der;
        size_t len;
        unsigned kind;
        size_t left;
    } rows[] = {
        {"CERTIFICATE", OCSP, sizeof(OCSP) - 1, LINT_OCSP, sizeof(OCSP) - 1},
        {"CERTIFICATE", "0", 1, LINT_CERTIFICATE, 1},
        {"", CRL, sizeof(CRL) - 1, LINT_CRL, sizeof(CRL) - 1},
        {"PRIVATE KEY", "0", 1, 0, 1},
        {"TRUSTED CERTIFICATE", CERT "\x30\x00", sizeof(CERT) + 1, LINT_CERTIFICATE, sizeof(CERT) - 1},
        {"TRUSTED CERTIFICATE", CERT, sizeof(CERT) - 1, LINT_CERTIFICATE, sizeof(CERT) - 1},
        {"TRUSTED CERTIFICATE", CERT, 5, LINT_CERTIFICATE, 5},
        {"CERTIFICATE", CERT "\x30\x00", sizeof(CERT) + 1, LINT_CERTIFICATE, sizeof(CERT) + 1},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice der = LT_SLICE(rows[i].der, rows[i].len);
        assert_int_equal(lint_kind_labelled(lt_slice_cstr(rows[i].label), &der, false), rows[i].kind);
        assert_int_equal(der.len, rows[i].left);
    }
}

/* Details stand where zlint has them. */
static void details(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum lint_status status;
        bool said;
    } rows[] = {
        {"w_ext_subject_key_identifier_missing_sub_cert", LINT_WARN, false},
        {"e_sub_cert_aia_missing", LINT_ERROR, false},
        {"e_excessively backdated", LINT_ERROR, true},
        {"e_duplicate_subject_attribs", LINT_ERROR, true},
        {"e_duplicate_subject_attribs", LINT_FATAL, false},
        {"e_mp_modulus_must_be_divisible_by_8", LINT_ERROR, false},
        {"e_mp_modulus_must_be_divisible_by_8", LINT_FATAL, true},
        {"e_cab_iv_requires_personal_name_strict", LINT_ERROR, true},
        {"e_cab_iv_requires_personal_name_strict", LINT_PASS, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct lint_rule *rule = lint_rule_by_id(lt_slice_cstr(rows[i].id));
        assert_non_null(rule);
        if (cmd_lint_has_details(rule, rows[i].status) != rows[i].said) {
            fail_msg("%s has %s details", rows[i].id, rows[i].said ? "no" : "some");
        }
    }
    for (size_t i = 0; i < cmd_lint_details_count; i++) {
        const struct cmd_lint_details *d = &cmd_lint_details[i];
        const struct lint_rule *rule = lint_rule_by_id(lt_slice_cstr(d->id));
        assert_true(i == 0 || strcmp(cmd_lint_details[i - 1].id, d->id) < 0);
        assert_true(rule != NULL && rule->zlint);
        assert_true(cmd_lint_has_details(rule, LINT_ERROR) || cmd_lint_has_details(rule, LINT_FATAL) ||
                    cmd_lint_has_details(rule, LINT_WARN) || cmd_lint_has_details(rule, LINT_NOTICE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_is_read), cmocka_unit_test(toml_is_refused),
        cmocka_unit_test(go_strings),   cmocka_unit_test(terminals_are_safe),
        cmocka_unit_test(kinds),        cmocka_unit_test(inputs),
        cmocka_unit_test(details),      cmocka_unit_test(endless_blocks),
        cmocka_unit_test(kind_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
