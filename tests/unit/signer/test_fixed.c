/* The fixed-field reader against certificates and CRLs that OpenSSL made: good ones pass, whatever must never
 * be signed does not. */
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "signer/fixed_reader.h"

enum { NOW = 1795000000, DAY = 86400 };

static const uint8_t es256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static EVP_PKEY *key;
static X509 *ca;
static uint8_t *ca_der;
static struct fixed_issuer issuer;

struct extension {
    int nid;
    const char *value;
};

struct leaf {
    long version; /* 0 for version 3 */
    const char *serial;
    const char *issuer_name;
    int64_t from; /* seconds from NOW */
    int64_t until;
    const EVP_MD *md;
    struct extension extensions[6];
};

static void put_name(X509_NAME *name, const char *cn)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0), 1);
}

static void put_extensions(X509 *x, const struct extension *list)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    for (const struct extension *e = list; e->value != NULL; e++) {
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, e->nid, e->value);
        assert_non_null(ext);
        assert_int_equal(X509_add_ext(x, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
}

static X509 *make(const struct leaf *l)
{
    X509 *x = X509_new();
    assert_int_equal(X509_set_version(x, l->version == 0 ? 2 : l->version - 1), 1);
    BIGNUM *bn = NULL;
    assert_true(BN_hex2bn(&bn, l->serial) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
    BN_free(bn);
    put_name(X509_get_issuer_name(x) == NULL ? NULL : (X509_NAME *)(uintptr_t)X509_get_issuer_name(x),
             l->issuer_name);
    put_name((X509_NAME *)(uintptr_t)X509_get_subject_name(x), "leaf.example.com");
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(NOW + l->from)));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(NOW + l->until)));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    put_extensions(x, l->extensions);
    assert_true(X509_sign(x, key, l->md == NULL ? EVP_sha256() : l->md) > 0);
    return x;
}

static lt_slice tbs_of(X509 *x)
{
    uint8_t *der = NULL;
    int len = i2d_re_X509_tbs(x, &der);
    assert_true(len > 0);
    return LT_SLICE(der, (size_t)len);
}

static lt_slice unhex(const char *hex)
{
    long len;
    uint8_t *bytes = OPENSSL_hexstr2buf(hex, &len);
    assert_non_null(bytes);
    return LT_SLICE(bytes, (size_t)len);
}

static void release(lt_slice s)
{
    OPENSSL_free((void *)(uintptr_t)s.ptr);
}

static lt_res check_tbs(lt_slice tbs, const char *serial, bool precertificate)
{
    lt_slice number = unhex(serial);
    struct fixed_order o = {
        .number = number, .tbs = tbs, .precertificate = precertificate, .now = lt_time_from_seconds(NOW)};
    lt_res r = fixed_check_certificate(&issuer, &o);
    release(number);
    return r;
}

static lt_res check_leaf(const struct leaf *l, const char *serial, bool precertificate)
{
    X509 *x = make(l);
    lt_slice tbs = tbs_of(x);
    lt_res r = check_tbs(tbs, serial, precertificate);
    release(tbs);
    X509_free(x);
    return r;
}

#define SERIAL "0D0A0B0C0102030405060708090A0B0C"
#define USUAL                                                                                     \
    {NID_subject_alt_name, "DNS:leaf.example.com"}, {NID_key_usage, "critical,digitalSignature"}, \
    {                                                                                             \
        NID_ext_key_usage, "serverAuth"                                                           \
    }
static const struct leaf good = {
    .serial = SERIAL, .issuer_name = "Test CA", .from = 0, .until = 90 * DAY - 1, .extensions = {USUAL}};

static void accepts(void **state)
{
    (void)state;
    struct leaf l = good;
    assert_ok(check_leaf(&l, SERIAL, false));
    l.from = -47 * 3600;
    assert_ok(check_leaf(&l, SERIAL, false));
    l = good;
    l.until = FIXED_VALIDITY_MAX_S - 1;
    assert_ok(check_leaf(&l, SERIAL, false));
    l = good;
    l.extensions[1] = (struct extension){NID_key_usage,
                                         "critical,digitalSignature,keyAgreement,decipherOnly"};
    assert_ok(check_leaf(&l, SERIAL, false));
    l.extensions[3] = (struct extension){NID_basic_constraints, "critical,CA:FALSE"};
    assert_ok(check_leaf(&l, SERIAL, false));
    l = good;
    l.extensions[3] = (struct extension){NID_ct_precert_poison, "critical,NULL"};
    assert_ok(check_leaf(&l, SERIAL, true));
    l = good;
    l.serial = "80FF";
    assert_ok(check_leaf(&l, "80FF", false)); /* DER puts a zero before it */
    assert_ok(check_leaf(&l, "000080FF", false));
    l.serial = "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
    assert_ok(check_leaf(&l, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false));
}

static void refuses_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct leaf l;
        const char *serial;
        bool precertificate;
    } rows[] = {
        {"CA",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {USUAL, {NID_basic_constraints, "critical,CA:TRUE"}}},
         SERIAL,
         false},
        {"CA, not critical",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_basic_constraints, "CA:TRUE"}}},
         SERIAL,
         false},
        {"CA with path length",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"}}},
         SERIAL,
         false},
        {"no CA, but a path length",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_basic_constraints, "CA:FALSE,pathlen:3"}}},
         SERIAL,
         false},
        {"a second basicConstraints",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_basic_constraints, "CA:FALSE"}, {NID_basic_constraints, "CA:TRUE"}}},
         SERIAL,
         false},
        {"keyCertSign",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_key_usage, "critical,digitalSignature,keyCertSign"}}},
         SERIAL,
         false},
        {"cRLSign",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_key_usage, "cRLSign"}}},
         SERIAL,
         false},
        {"keyCertSign in two bytes",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_key_usage, "keyCertSign,decipherOnly"}}},
         SERIAL,
         false},
        {"a second keyUsage",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {USUAL, {NID_key_usage, "keyCertSign"}}},
         SERIAL,
         false},
        {"an intermediate",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = 700 * (int64_t)DAY,
          .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                         {NID_key_usage, "critical,keyCertSign,cRLSign"},
                         {NID_ext_key_usage, "serverAuth"}}},
         SERIAL,
         false},
        {"another serial",
         {.serial = SERIAL, .issuer_name = "Test CA", .until = DAY, .extensions = {USUAL}},
         "0D0A0B0C0102030405060708090A0B0D",
         false},
        {"a serial of zero",
         {.serial = "00", .issuer_name = "Test CA", .until = DAY, .extensions = {USUAL}},
         "00",
         false},
        {"a negative serial",
         {.serial = "-05", .issuer_name = "Test CA", .until = DAY, .extensions = {USUAL}},
         "05",
         false},
        {"a serial of 21 bytes",
         {.serial = "80FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {USUAL}},
         "80FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
         false},
        {"another issuer",
         {.serial = SERIAL, .issuer_name = "Test CB", .until = DAY, .extensions = {USUAL}},
         SERIAL,
         false},
        {"a longer issuer",
         {.serial = SERIAL, .issuer_name = "Test CA 2", .until = DAY, .extensions = {USUAL}},
         SERIAL,
         false},
        {"version 1",
         {.version = 1, .serial = SERIAL, .issuer_name = "Test CA", .until = DAY},
         SERIAL,
         false},
        {"version 2",
         {.version = 2, .serial = SERIAL, .issuer_name = "Test CA", .until = DAY},
         SERIAL,
         false},
        {"no extensions", {.serial = SERIAL, .issuer_name = "Test CA", .until = DAY}, SERIAL, false},
        {"it ends before it begins",
         {.serial = SERIAL, .issuer_name = "Test CA", .from = 0, .until = -1, .extensions = {USUAL}},
         SERIAL,
         false},
        {"backdated",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .from = -49 * 3600,
          .until = DAY,
          .extensions = {USUAL}},
         SERIAL,
         false},
        {"postdated",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .from = 49 * 3600,
          .until = 5 * DAY,
          .extensions = {USUAL}},
         SERIAL,
         false},
        {"longer than anything",
         {.serial = SERIAL, .issuer_name = "Test CA", .until = FIXED_VALIDITY_MAX_S, .extensions = {USUAL}},
         SERIAL,
         false},
        {"beyond the issuer",
         {.serial = SERIAL, .issuer_name = "Test CA", .until = 4000 * (int64_t)DAY, .extensions = {USUAL}},
         SERIAL,
         false},
        {"a year beyond 2049",
         {.serial = SERIAL, .issuer_name = "Test CA", .until = 12000 * (int64_t)DAY, .extensions = {USUAL}},
         SERIAL,
         false},
        {"poison in a certificate",
         {.serial = SERIAL,
          .issuer_name = "Test CA",
          .until = DAY,
          .extensions = {{NID_ct_precert_poison, "critical,NULL"}}},
         SERIAL,
         false},
        {"no poison in a precertificate",
         {.serial = SERIAL, .issuer_name = "Test CA", .until = DAY, .extensions = {USUAL}},
         SERIAL,
         true},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = check_leaf(&rows[i].l, rows[i].serial, rows[i].precertificate);
        if (r.code != LT_POLICY_REFUSED) {
            fail_msg("%s: passed", rows[i].why);
        }
    }
    struct leaf l = good;
    l.md = EVP_sha384();
    assert_fails(check_leaf(&l, SERIAL, false), LT_POLICY_REFUSED);
}

/* A validity before the issuer's own. */
static void refuses_what_the_issuer_did_not_live_to_see(void **state)
{
    (void)state;
    struct fixed_issuer young = issuer;
    issuer.not_before = lt_time_from_seconds(NOW + 1);
    lt_res r = check_leaf(&good, SERIAL, false);
    issuer = young;
    assert_int_equal(r.code, LT_POLICY_REFUSED);
}

/* Every certificate cut short, with a byte more, or of an impossible length. */
static void refuses_damaged_ones(void **state)
{
    (void)state;
    X509 *x = make(&good);
    lt_slice tbs = tbs_of(x);
    uint8_t *copy = malloc(tbs.len + 1);
    assert_non_null(copy);
    for (size_t len = 0; len < tbs.len; len++) {
        uint8_t *exact = malloc(len + 1); /* its own block, so that reading too far is seen */
        assert_non_null(exact);
        memcpy(exact, tbs.ptr, len);
        assert_fails(check_tbs(LT_SLICE(exact, len), SERIAL, false), LT_POLICY_REFUSED);
        free(exact);
    }
    memcpy(copy, tbs.ptr, tbs.len);
    copy[tbs.len] = 0;
    assert_fails(check_tbs(LT_SLICE(copy, tbs.len + 1), SERIAL, false), LT_POLICY_REFUSED);
    for (size_t at = 0; at < tbs.len; at++) { /* never a crash; the fields that it looks at never pass */
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] ^= (uint8_t)(1U << bit);
            lt_res r = check_tbs(LT_SLICE(copy, tbs.len), SERIAL, false);
            assert_true(r.code == 0 || r.code == LT_POLICY_REFUSED);
            copy[at] ^= (uint8_t)(1U << bit);
        }
    }
    free(copy);
    release(tbs);
    X509_free(x);
}

static void refuses_loose_der(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "308000",         /* indefinite length */
        "30810100",       /* a length that is not minimal */
        "3082000100",     /* with a leading zero */
        "30850000000001", /* of five bytes */
        "3084FFFFFFFF",   /* beyond the end */
        "30FF",           "30", "3000", "3100",
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice tbs = unhex(rows[i]);
        assert_fails(check_tbs(tbs, SERIAL, false), LT_POLICY_REFUSED);
        release(tbs);
    }
    uint8_t *big = calloc(1, FIXED_CERTIFICATE_MAX + 1);
    assert_non_null(big);
    assert_fails(check_tbs(LT_SLICE(big, FIXED_CERTIFICATE_MAX + 1), SERIAL, false), LT_POLICY_REFUSED);
    free(big);
}

/* ---- CRLs ---- */

struct crl {
    const char *issuer_name;
    int64_t from;
    int64_t until;
    const char *number; /* NULL: none */
    int entries;
    bool version1;
    const EVP_MD *md;
};

static void put_entries(X509_CRL *c, int count)
{
    for (int i = 1; i <= count; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_TIME *t = ASN1_TIME_set(NULL, NOW);
        assert_true(r != NULL && serial != NULL && t != NULL);
        assert_int_equal(ASN1_INTEGER_set(serial, i), 1);
        assert_int_equal(X509_REVOKED_set_serialNumber(r, serial), 1);
        assert_int_equal(X509_REVOKED_set_revocationDate(r, t), 1);
        assert_int_equal(X509_CRL_add0_revoked(c, r), 1);
        ASN1_INTEGER_free(serial);
        ASN1_TIME_free(t);
    }
}

static lt_res check_crl(const struct crl *l, const char *number)
{
    X509_CRL *c = X509_CRL_new();
    assert_int_equal(X509_CRL_set_version(c, l->version1 ? 0 : 1), 1);
    X509_NAME *name = X509_NAME_new();
    put_name(name, l->issuer_name);
    assert_int_equal(X509_CRL_set_issuer_name(c, name), 1);
    X509_NAME_free(name);
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(NOW + l->from));
    ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(NOW + l->until));
    assert_int_equal(X509_CRL_set1_lastUpdate(c, from), 1);
    if (l->until != 0) {
        assert_int_equal(X509_CRL_set1_nextUpdate(c, until), 1);
    }
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    put_entries(c, l->entries);
    if (l->number != NULL) {
        BIGNUM *bn = NULL;
        assert_true(BN_hex2bn(&bn, l->number) > 0);
        ASN1_INTEGER *i = BN_to_ASN1_INTEGER(bn, NULL);
        assert_int_equal(X509_CRL_add1_ext_i2d(c, NID_crl_number, i, 0, 0), 1);
        ASN1_INTEGER_free(i);
        BN_free(bn);
    }
    assert_true(X509_CRL_sign(c, key, l->md == NULL ? EVP_sha256() : l->md) > 0);
    uint8_t *der = NULL;
    int len = i2d_re_X509_CRL_tbs(c, &der);
    assert_true(len > 0);
    lt_slice n = unhex(number);
    struct fixed_order o = {.number = n, .tbs = LT_SLICE(der, (size_t)len), .now = lt_time_from_seconds(NOW)};
    lt_res r = fixed_check_crl(&issuer, &o);
    release(n);
    OPENSSL_free(der);
    X509_CRL_free(c);
    return r;
}

static void accepts_crls(void **state)
{
    (void)state;
    struct crl l = {.issuer_name = "Test CA", .until = 7 * DAY, .number = "06300A0B0C0D0E"};
    assert_ok(check_crl(&l, "0006300A0B0C0D0E"));
    l.entries = 300;
    assert_ok(check_crl(&l, "0006300A0B0C0D0E"));
    l.until = 10 * DAY;
    assert_ok(check_crl(&l, "06300A0B0C0D0E"));
}

static void refuses_crls(void **state)
{
    (void)state;
    static const struct {
        struct crl l;
        const char *number;
    } rows[] = {
        {{.issuer_name = "Test CA", .until = 7 * DAY, .number = "05"}, "06"},
        {{.issuer_name = "Test CA", .until = 7 * DAY, .number = NULL}, "06"},
        {{.issuer_name = "Test CA", .until = 7 * DAY, .number = "00"}, "00"},
        {{.issuer_name = "Test CA", .until = 7 * DAY, .number = "-06"}, "06"},
        {{.issuer_name = "Test CB", .until = 7 * DAY, .number = "06"}, "06"},
        {{.issuer_name = "Test CA", .until = 10 * DAY + 1, .number = "06"}, "06"},
        {{.issuer_name = "Test CA", .until = -1, .number = "06"}, "06"},
        {{.issuer_name = "Test CA", .until = 0, .number = "06"}, "06"}, /* no nextUpdate */
        {{.issuer_name = "Test CA", .from = -3601, .until = DAY, .number = "06"}, "06"},
        {{.issuer_name = "Test CA", .from = 3601, .until = DAY, .number = "06"}, "06"},
        {{.issuer_name = "Test CA", .until = 7 * DAY, .number = "06", .version1 = true}, "06"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (check_crl(&rows[i].l, rows[i].number).code != LT_POLICY_REFUSED) {
            fail_msg("row %zu passed", i);
        }
    }
    struct crl l = {.issuer_name = "Test CA", .until = 7 * DAY, .number = "06", .md = EVP_sha512()};
    assert_fails(check_crl(&l, "06"), LT_POLICY_REFUSED);
    /* A certificate is no CRL and a CRL no certificate. */
    X509 *x = make(&good);
    lt_slice tbs = tbs_of(x);
    struct fixed_order o = {.number = LT_LIT("\x06"), .tbs = tbs, .now = lt_time_from_seconds(NOW)};
    assert_fails(fixed_check_crl(&issuer, &o), LT_POLICY_REFUSED);
    release(tbs);
    X509_free(x);
}

static void reads_issuers(void **state)
{
    (void)state;
    struct fixed_issuer i;
    int len = i2d_X509(ca, NULL);
    lt_slice der = LT_SLICE(ca_der, (size_t)len);
    assert_ok(fixed_read_issuer(der, &i));
    const X509_NAME *name = X509_get_subject_name(ca);
    const uint8_t *bytes;
    size_t name_len;
    assert_int_equal(X509_NAME_get0_der(name, &bytes, &name_len), 1);
    assert_true(lt_slice_eq(i.subject, LT_SLICE(bytes, name_len)));
    assert_int_equal(i.not_before.us, lt_time_from_seconds(NOW - 5 * DAY).us);
    uint8_t *spki = NULL;
    int spki_len = i2d_PUBKEY(key, &spki);
    assert_true(lt_slice_eq(i.spki, LT_SLICE(spki, (size_t)spki_len)));
    OPENSSL_free(spki);
    for (size_t cut = 0; cut < (size_t)len; cut++) {
        assert_fails(fixed_read_issuer(lt_slice_sub(der, 0, cut), &i), LT_STATE_CORRUPT);
    }
}

static int setup(void **state)
{
    (void)state;
    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct leaf l = {.serial = "01",
                     .issuer_name = "Test CA",
                     .from = -5 * DAY,
                     .until = 3650 * (int64_t)DAY,
                     .extensions = {{NID_basic_constraints, "critical,CA:TRUE"}}};
    ca = make(&l);
    X509_NAME *name = X509_NAME_new();
    put_name(name, "Test CA");
    bool named = X509_set_subject_name(ca, name) == 1 && X509_sign(ca, key, EVP_sha256()) > 0;
    X509_NAME_free(name);
    int len = i2d_X509(ca, &ca_der);
    lt_res r = fixed_read_issuer(LT_SLICE(ca_der, (size_t)len), &issuer);
    issuer.algorithm = LT_SLICE(es256, sizeof es256);
    return named && !lt_failed(r) ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(ca);
    EVP_PKEY_free(key);
    OPENSSL_free(ca_der);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses_leaves),
        cmocka_unit_test(refuses_what_the_issuer_did_not_live_to_see),
        cmocka_unit_test(refuses_damaged_ones),
        cmocka_unit_test(refuses_loose_der),
        cmocka_unit_test(accepts_crls),
        cmocka_unit_test(refuses_crls),
        cmocka_unit_test(reads_issuers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
