/* The names of nodes: the deepest element that holds the bytes a finding is about. */
#include "forge.h"

#include "lint/schema.h"
#include "lint/subject.h"
#include "lint/tables.h"

struct row {
    const char *base;
    const char *needle; /* DER text of the bytes; the first place where they stand */
    size_t skip;        /* bytes of the needle that are not meant */
    const char *path;
};

static const struct row rows[] = {
    {"dv", "020102", 0, "certificate.tbsCertificate.version"},
    {"ov", "(2.5.4.10)", 2, "certificate.tbsCertificate.issuer.rdnSequence.1.0.type"},
    {"dv", "(1.2.840.10045.2.1)", 0, "certificate.tbsCertificate.subjectPublicKeyInfo.algorithm.algorithm"},
    {"dv", "(1.2.840.10045.3.1.7)", 0,
     "certificate.tbsCertificate.subjectPublicKeyInfo.algorithm.parameters"},
    {"dvrsa", "0203010001", 0,
     "certificate.tbsCertificate.subjectPublicKeyInfo.subjectPublicKey.rSAPublicKey.publicExponent"},
    {"root", "30030101ff", 2, "certificate.tbsCertificate.extensions.0.extnValue.basicConstraints.cA"},
};

static void nodes(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct forge f;
        forge_open(&f, rows[i].base);
        lt_slice der = forge_make(&f, false);
        lt_slice needle = forge_der(&f.arena, rows[i].needle);
        const uint8_t *at = memmem(der.ptr, der.len, needle.ptr, needle.len);
        if (at == NULL) {
            fail_msg("row %zu: its bytes do not stand in %s", i, rows[i].base);
        }
        struct lint_input in = {.kind = LINT_CERTIFICATE, .der = der};
        struct lint_subject s = {.in = &in, .der = der, .arena = &f.arena};
        const char *path = lint_path(&s, LT_SLICE(at + rows[i].skip, needle.len - rows[i].skip));
        if (strcmp(path, rows[i].path) != 0) {
            fail_msg("row %zu: %s", i, path);
        }
        forge_done(&f);
    }
}

/* Parts of a decoded certificate. */
static void parts(void **unused)
{
    (void)unused;
    struct forge f;
    struct x509_cert c;
    forge_open(&f, "sub");
    lt_slice der = forge_make(&f, false);
    assert_ok(x509_cert_decode(der, &f.arena, &c));
    struct lint_input in = {.kind = LINT_CERTIFICATE, .der = der};
    struct lint_subject s = {.in = &in, .der = der, .arena = &f.arena};
    assert_string_equal(lint_path(&s, (lt_slice){0}), "certificate");
    assert_string_equal(lint_path(&s, LT_LIT("elsewhere")), "certificate");
    assert_string_equal(lint_path(&s, der), "certificate");
    assert_string_equal(lint_path(&s, c.tbs), "certificate.tbsCertificate");
    assert_string_equal(lint_path(&s, c.serial), "certificate.tbsCertificate.serialNumber");
    assert_string_equal(lint_path(&s, c.subject.der), "certificate.tbsCertificate.subject.rdnSequence");
    assert_string_equal(lint_path(&s, c.subject.attributes[0].value),
                        "certificate.tbsCertificate.subject.rdnSequence.0.0.value.x520countryName");
    assert_string_equal(lint_path(&s, c.validity), "certificate.tbsCertificate.validity");
    assert_string_equal(lint_path(&s, lt_slice_sub(c.validity, 4, 3)),
                        "certificate.tbsCertificate.validity.notBefore");
    assert_string_equal(lint_path(&s, c.outer_sig_alg_der), "certificate.signatureAlgorithm");
    assert_string_equal(lint_path(&s, c.signature), "certificate.signature");
    assert_string_equal(lint_path(&s, c.ext.list[0].der), "certificate.tbsCertificate.extensions.0");
    for (size_t i = 0; i < c.ext.count; i++) {
        char begin[80];
        const struct x509_extension *x = &c.ext.list[i];
        int len = snprintf(begin, sizeof begin, "certificate.tbsCertificate.extensions.%zu.extnValue", i);
        const char *path = lint_path(&s, x->value);
        assert_int_equal(strncmp(path, begin, (size_t)len), 0);
        assert_true(x->id.oid == X509_OID_UNKNOWN || strlen(path) > (size_t)len);
    }
    lt_slice url = c.ext.crldp[0].names.list[0].value;
    const char *path = lint_path(&s, url);
    assert_non_null(
        strstr(path, ".cRLDistributionPoints.0.distributionPoint.fullName.0.uniformResourceIdentifier"));
    path = lint_path(&s, c.ext.aia[0].location.value);
    assert_non_null(strstr(path, ".authorityInfoAccessSyntax.0.accessLocation.uniformResourceIdentifier"));
    path = lint_path(&s, c.ext.policies[0].id.der);
    assert_non_null(strstr(path, ".certificatePolicies.0.policyIdentifier"));
    path = lint_path(&s, c.ext.aki_key_id);
    assert_non_null(strstr(path, ".authorityKeyIdentifier.keyIdentifier"));
    /* What is there of a certificate that is cut off has its names, too. */
    s.der = lt_slice_sub(der, 0, (size_t)(c.ext.aki_key_id.ptr - der.ptr) + 3);
    path = lint_path(&s, lt_slice_sub(c.ext.aki_key_id, 0, 2));
    assert_non_null(strstr(path, ".authorityKeyIdentifier.keyIdentifier"));
    /* The same, of what is to be signed alone. */
    in = (struct lint_input){.kind = LINT_CERTIFICATE, .der = c.tbs, .bare = true};
    s.der = c.tbs;
    assert_string_equal(lint_path(&s, c.serial), "certificate.tbsCertificate.serialNumber");
    assert_string_equal(lint_path(&s, c.tbs), "certificate.tbsCertificate");
    assert_string_equal(lint_path(&s, c.signature), "certificate.tbsCertificate");
    forge_done(&f);
}

/* Entries of a CRL, in order and not, with and without the hint. */
static void entries(void **unused)
{
    (void)unused;
    struct forge f;
    struct x509_crl crl;
    struct der_notes scratch;
    struct x509_crl_entry e;
    static char text[400 * 32];
    size_t len = (size_t)snprintf(text, sizeof text, "30{");
    for (unsigned i = 0; i < 300; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "30{0202%04x17{'260601000000Z'}}", 0x100 + i);
    }
    (void)snprintf(text + len, sizeof text - len, "}");
    const struct forge_edit edit = FORGE_PUT(FORGE_ENTRIES, text);
    forge_open(&f, "crl");
    forge_edit(&f, &edit);
    lt_slice der = forge_make(&f, false);
    assert_ok(x509_crl_decode(der, &f.arena, &crl));
    assert_int_equal(crl.entry_count, 300);
    struct lint_path_hint hint = {.index = 0};
    struct lint_input in = {.kind = LINT_CRL, .der = der};
    struct lint_subject s = {.in = &in, .der = der, .arena = &f.arena, .hint = &hint};
    size_t n = 0;
    lt_slice first = {0};
    for (struct der_cursor c = x509_crl_entries(&crl, &scratch); x509_crl_next(&c, &e); n++) {
        char want[100];
        (void)snprintf(want, sizeof want,
                       "certificateList.tbsCertList.revokedCertificates.%zu.userCertificate", n);
        assert_string_equal(lint_path(&s, e.serial), want);
        first = n == 0 ? e.serial : first;
    }
    assert_int_equal(n, 300);
    assert_true(hint.index > 200);
    assert_string_equal(lint_path(&s, first),
                        "certificateList.tbsCertList.revokedCertificates.0.userCertificate");
    assert_string_equal(lint_path(&s, crl.issuer.der), "certificateList.tbsCertList.issuer.rdnSequence");
    forge_done(&f);
}

/* Every byte of every base has a path, also when the end is missing. */
static void everywhere(void **unused)
{
    (void)unused;
    static const struct {
        const char *base;
        enum lint_kind kind;
    } all[] = {{"ev", LINT_CERTIFICATE}, {"subtc", LINT_CERTIFICATE}, {"smsvs", LINT_CERTIFICATE},
               {"crl", LINT_CRL},        {"request", LINT_CSR},       {"response", LINT_OCSP}};
    for (size_t i = 0; i < LT_COUNT(all); i++) {
        struct forge f;
        struct lt_arena arena;
        forge_open(&f, all[i].base);
        lt_slice der = forge_make(&f, false);
        struct lint_input in = {.kind = all[i].kind, .der = der};
        lt_arena_init(&arena, 1 << 20);
        for (size_t cut = 0; cut < 40; cut += 13) {
            for (size_t at = 0; at < der.len - cut; at++) {
                struct lint_subject s = {
                    .in = &in, .der = lt_slice_sub(der, 0, der.len - cut), .arena = &arena};
                const char *path = lint_path(&s, lt_slice_sub(der, at, 1));
                assert_true(strlen(path) > 5 && strlen(path) < 300);
                lt_arena_reset(&arena);
            }
        }
        lt_arena_done(&arena);
        forge_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes),
        cmocka_unit_test(parts),
        cmocka_unit_test(entries),
        cmocka_unit_test(everywhere),
    };
    return cmocka_run_group_tests_name("lint paths", tests, NULL, NULL);
}
