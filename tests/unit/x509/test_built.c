/* Everything that x509/ builds is read back by OpenSSL, which also checks the signature, and by our own
 * parser: certificates of leaves and CAs, requests and CRLs, for every key and signature type. */
#include "check.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keys.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/tbs.h"

static struct lt_arena arena;
static struct lt_buf tbs;
static struct lt_buf signature;
static struct lt_buf der;
static struct lt_buf name;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    lt_buf_init(&tbs, 1 << 24);
    lt_buf_init(&signature, 4096);
    lt_buf_init(&der, 1 << 24);
    lt_buf_init(&name, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    lt_buf_done(&tbs);
    lt_buf_done(&signature);
    lt_buf_done(&der);
    lt_buf_done(&name);
    return 0;
}

static lt_slice issuer_name(void)
{
    static const struct x509_name_item items[] = {
        {X509_OID_C, {(const uint8_t *)"AT", 2}},
        {X509_OID_O, {(const uint8_t *)"Lintel T\xc3\xa9st", 12}},
        {X509_OID_CN, {(const uint8_t *)"Lintel TLS 1", 12}},
    };
    struct der_writer w;
    der_write_init(&w, &name);
    assert_ok(x509_name_write(&w, items, LT_COUNT(items)));
    assert_ok(der_write_done(&w));
    return lt_buf_slice(&name);
}

static void sign_and_assemble(const struct test_key *k, enum x509_sig_alg alg)
{
    lt_buf_reset(&signature);
    lt_buf_reset(&der);
    test_sign(k, alg, lt_buf_slice(&tbs), &signature);
    assert_ok(x509_assemble(lt_buf_slice(&tbs), alg, lt_buf_slice(&signature), &der));
}

static X509 *openssl_cert(void)
{
    const uint8_t *p = der.ptr;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(x);
    assert_ptr_equal(p, der.ptr + der.len);
    uint8_t *again = NULL;
    X509 *copy = X509_dup(x); /* dup encodes anew: DER and nothing else comes back the same */
    int len = i2d_X509(copy, &again);
    assert_int_equal(len, der.len);
    assert_memory_equal(again, der.ptr, der.len);
    OPENSSL_free(again);
    X509_free(copy);
    return x;
}

static const uint8_t key_id[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
static const uint8_t serial[16] = {0x8c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t address[4] = {192, 0, 2, 1};
static const enum x509_oid purposes[] = {X509_OID_SERVER_AUTH, X509_OID_CLIENT_AUTH};
static const struct x509_general_name names[] = {
    {X509_GN_DNS, {(const uint8_t *)"www.example.com", 15}},
    {X509_GN_DNS, {(const uint8_t *)"*.example.org", 13}},
    {X509_GN_IP, {address, sizeof(address)}},
};

static struct x509_tbs_spec leaf_spec(enum x509_sig_alg alg, lt_slice issuer, lt_slice spki)
{
    static lt_slice policy;
    static lt_slice url;
    policy = x509_oid_der(X509_OID_POLICY_DV);
    url = LT_LIT("http://c.example.com/crl/tls.crl");
    return (struct x509_tbs_spec){
        .sig_alg = alg,
        .serial = LT_SLICE(serial, sizeof(serial)),
        .issuer = issuer,
        .not_before = lt_time_from_seconds(1795305600),
        .not_after = lt_time_from_seconds(1795305600 + 90 * 86400 - 1),
        .spki = spki,
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = purposes,
        .eku_count = 1,
        .policies = &policy,
        .policy_count = 1,
        .san = names,
        .san_count = LT_COUNT(names),
        .aki = LT_SLICE(key_id, sizeof(key_id)),
        .crl_urls = &url,
        .crl_url_count = 1,
        .issuer_urls = &url,
        .issuer_url_count = 1,
        .ocsp_urls = &url,
        .ocsp_url_count = 1,
        .must_staple = true,
    };
}

static void check_leaf(const struct x509_tbs_spec *s)
{
    struct x509_cert c;
    assert_ok(x509_cert_parse(lt_buf_slice(&der), &arena, &c));
    assert_true(lt_slice_eq(c.tbs, lt_buf_slice(&tbs)));
    assert_int_equal(c.version, 3);
    assert_true(lt_slice_eq(x509_serial_magnitude(c.serial), s->serial));
    assert_int_equal(c.sig_alg, s->sig_alg);
    assert_true(lt_slice_eq(c.issuer.der, s->issuer));
    assert_int_equal(c.subject.count, 0);
    assert_int_equal(c.not_before.us, s->not_before.us);
    assert_int_equal(c.not_after.us, s->not_after.us);
    assert_true(lt_slice_eq(c.spki.der, s->spki));
    assert_true(lt_slice_eq(c.signature, lt_buf_slice(&signature)));
    assert_false(c.ext.ca || c.ext.has_basic_constraints);
    assert_int_equal(c.ext.key_usage, s->key_usage);
    assert_true(x509_has_eku(&c.ext, X509_OID_SERVER_AUTH));
    assert_false(x509_has_eku(&c.ext, X509_OID_CLIENT_AUTH));
    assert_int_equal(c.ext.policy_count, 1);
    assert_int_equal(c.ext.policies[0].id.oid, X509_OID_POLICY_DV);
    assert_int_equal(c.ext.san.count, s->san_count);
    assert_slice(c.ext.san.list[1].value, "*.example.org");
    assert_true(x509_extension_find(&c.ext, X509_OID_SUBJECT_ALT_NAME)->critical);
    assert_true(lt_slice_eq(c.ext.aki_key_id, s->aki));
    assert_int_equal(c.ext.crldp_count, 1);
    assert_slice(c.ext.crldp[0].names.list[0].value, "http://c.example.com/crl/tls.crl");
    assert_int_equal(c.ext.aia_count, 2);
    assert_int_equal(c.ext.aia[0].method.oid, X509_OID_OCSP);
    assert_int_equal(c.ext.aia[1].method.oid, X509_OID_CA_ISSUERS);
    assert_true(c.ext.must_staple);
    struct x509_cert bare;
    assert_ok(x509_tbs_parse(lt_buf_slice(&tbs), &arena, &bare));
    assert_true(lt_slice_eq(bare.spki.der, s->spki));
    assert_int_equal(bare.ext.count, c.ext.count);
}

static void check_leaf_openssl(const struct test_key *issuer)
{
    X509 *x = openssl_cert();
    assert_int_equal(X509_verify(x, issuer->key), 1);
    assert_int_equal(X509_get_version(x), 2);
    assert_int_equal(X509_check_ca(x), 0);
    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    assert_int_equal(X509_check_host(x, "www.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x, "a.example.org", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x, "a.example.com", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip(x, address, sizeof(address), 0), 1);
    assert_int_equal(X509_get_extension_flags(x) & EXFLAG_INVALID, 0);
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        void *decoded = X509V3_EXT_d2i(X509_get_ext(x, i));
        assert_non_null(decoded);
        const X509V3_EXT_METHOD *m = X509V3_EXT_get(X509_get_ext(x, i));
        ASN1_item_free(decoded, ASN1_ITEM_ptr(m->it));
    }
    X509_free(x);
}

/* Every issuer's key with every algorithm it may sign with, over every subject's key. */
static void leaves(void **state)
{
    (void)state;
    lt_slice issuer = issuer_name();
    size_t built = 0;
    for (size_t i = 0; i < TEST_KEYS; i++) {
        for (int alg = 1; alg < X509_SIG_COUNT; alg++) {
            if (!x509_sig_alg_fits((enum x509_sig_alg)alg, test_keys[i].type)) {
                continue;
            }
            const struct test_key *subject = &test_keys[built++ % TEST_KEYS];
            struct x509_tbs_spec s = leaf_spec((enum x509_sig_alg)alg, issuer, test_key_spki(subject));
            lt_buf_reset(&tbs);
            assert_ok(x509_tbs_build(&s, &tbs));
            sign_and_assemble(&test_keys[i], (enum x509_sig_alg)alg);
            check_leaf(&s);
            check_leaf_openssl(&test_keys[i]);
        }
    }
    assert_int_equal(built, 13);
}

static void certificate_authorities(void **state)
{
    (void)state;
    static const struct x509_general_name permitted[] = {{X509_GN_DNS, {(const uint8_t *)"example.com", 11}}};
    static const uint8_t all[32] = {0};
    static const struct x509_general_name excluded[] = {{X509_GN_IP, {all, 8}}, {X509_GN_IP, {all, 32}}};
    lt_slice issuer = issuer_name();
    const struct test_key *k = &test_keys[1];
    struct x509_tbs_spec s = {
        .sig_alg = x509_sig_alg_for(k->type),
        .serial = LT_LIT("\x01"),
        .issuer = issuer,
        .subject = issuer,
        .not_before = lt_time_from_seconds(2524600000),
        .not_after = lt_time_from_seconds(2524610000), /* over the edge of 2050 */
        .spki = test_key_spki(k),
        .ca = true,
        .has_path_len = true,
        .path_len = 0,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_SLICE(key_id, sizeof(key_id)),
        .permitted = permitted,
        .permitted_count = 1,
        .excluded = excluded,
        .excluded_count = 2,
    };
    assert_ok(x509_tbs_build(&s, &tbs));
    sign_and_assemble(k, s.sig_alg);
    struct x509_cert c;
    assert_ok(x509_cert_parse(lt_buf_slice(&der), &arena, &c));
    assert_true(c.ext.ca && c.ext.has_path_len);
    assert_int_equal(c.ext.path_len, 0);
    assert_int_equal(c.ext.permitted.count, 1);
    assert_int_equal(c.ext.excluded.count, 2);
    assert_slice(c.ext.permitted.list[0].value, "example.com");
    assert_int_equal(c.not_after.us, s.not_after.us);
    assert_true(lt_slice_eq(c.ext.ski, s.ski));
    assert_true(x509_extension_find(&c.ext, X509_OID_NAME_CONSTRAINTS)->critical);
    X509 *x = openssl_cert();
    assert_int_equal(X509_check_ca(x), 1);
    assert_int_equal(X509_get_pathlen(x), 0);
    assert_int_equal(X509_verify(x, k->key), 1);
    NAME_CONSTRAINTS *nc = X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
    assert_non_null(nc);
    assert_int_equal(sk_GENERAL_SUBTREE_num(nc->excludedSubtrees), 2);
    NAME_CONSTRAINTS_free(nc);
    X509_free(x);
}

static void precertificates(void **state)
{
    (void)state;
    const struct test_key *k = &test_keys[0];
    struct x509_tbs_spec s = leaf_spec(X509_SIG_ECDSA_SHA256, issuer_name(), test_key_spki(k));
    s.ct_poison = true;
    assert_ok(x509_tbs_build(&s, &tbs));
    struct x509_cert c;
    assert_ok(x509_tbs_parse(lt_buf_slice(&tbs), &arena, &c));
    assert_true(c.ext.ct_poison && x509_extension_find(&c.ext, X509_OID_CT_POISON)->critical);
    lt_buf_reset(&tbs);
    s.ct_poison = false;
    static const uint8_t list[51] = {0, 49, 0, 47}; /* one, of version 1, all zero */
    s.sct_list = LT_SLICE(list, sizeof(list));
    assert_ok(x509_tbs_build(&s, &tbs));
    assert_ok(x509_tbs_parse(lt_buf_slice(&tbs), &arena, &c));
    assert_true(c.ext.has_sct_list && !c.ext.ct_poison);
    assert_true(lt_slice_eq(c.ext.sct_list, s.sct_list));
}

static void a_spec_that_makes_no_sense(void **state)
{
    (void)state;
    const struct x509_tbs_spec good = leaf_spec(X509_SIG_ECDSA_SHA256, issuer_name(),
                                                test_key_spki(&test_keys[0]));
    struct x509_tbs_spec s = good;
    s.serial = LT_LIT("");
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_MALFORMED);
    s = good;
    s.serial = LT_SLICE(names, 21);
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_MALFORMED);
    s = good;
    s.not_after.us = s.not_before.us - 1;
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_MALFORMED);
    s = good;
    s.san_count = 0;
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_MALFORMED);
    s = good;
    s.sig_alg = X509_SIG_UNKNOWN;
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_UNSUPPORTED);
    s = good;
    s.spki = LT_LIT("");
    assert_fails(x509_tbs_build(&s, &tbs), LT_PEER_MALFORMED);
    struct lt_buf small;
    lt_buf_init(&small, 300);
    assert_fails(x509_tbs_build(&good, &small), LT_PEER_TOO_LARGE);
    lt_buf_done(&small);
    assert_fails(x509_assemble(LT_LIT(""), good.sig_alg, LT_LIT("x"), &der), LT_PEER_MALFORMED);
}

static void requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_KEYS; i++) {
        const struct test_key *k = &test_keys[i];
        struct x509_csr_spec s = {
            .subject = i % 2 == 0 ? issuer_name() : LT_LIT(""),
            .spki = test_key_spki(k),
            .san = names,
            .san_count = i == 3 ? 0 : LT_COUNT(names),
            .must_staple = i == 1,
        };
        lt_buf_reset(&tbs);
        assert_ok(x509_csr_info_build(&s, &tbs));
        sign_and_assemble(k, x509_sig_alg_for(k->type));
        struct x509_csr c;
        assert_ok(x509_csr_parse(lt_buf_slice(&der), &arena, &c));
        assert_true(lt_slice_eq(c.info, lt_buf_slice(&tbs)));
        assert_true(lt_slice_eq(c.spki.der, s.spki));
        assert_int_equal(c.spki.type, k->type);
        assert_int_equal(c.spki.bits, k->bits);
        assert_ok(x509_spki_check(&c.spki));
        assert_int_equal(c.ext.san.count, s.san_count);
        assert_int_equal(c.ext.must_staple, s.must_staple);
        assert_int_equal(c.has_extensions, i != 3);
        assert_int_equal(c.sig_alg, x509_sig_alg_for(k->type));
        const uint8_t *p = der.ptr;
        X509_REQ *r = d2i_X509_REQ(NULL, &p, (long)der.len);
        assert_non_null(r);
        assert_int_equal(X509_REQ_verify(r, k->key), 1);
        STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(r);
        assert_int_equal(list == NULL ? 0 : sk_X509_EXTENSION_num(list), (s.san_count > 0) + s.must_staple);
        sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
        X509_REQ_free(r);
        lt_buf_reset(&name);
    }
}

static void crl_with(const struct test_key *k, size_t entries, bool shard)
{
    enum x509_sig_alg alg = x509_sig_alg_for(k->type);
    lt_buf_reset(&name);
    struct x509_crl_spec s = {
        .sig_alg = alg,
        .issuer = issuer_name(),
        .aki = LT_SLICE(key_id, sizeof(key_id)),
        .this_update = lt_time_from_seconds(1795305600),
        .next_update = lt_time_from_seconds(1795305600 + 7 * 86400),
        .number = LT_LIT("\x06\x5d\x00\x00\x00\x01\x02"),
        .idp_url = shard ? LT_LIT("http://c.example.com/crl/tls-1.crl") : LT_LIT(""),
        .only_user_certificates = shard,
        .entries_hint = entries,
    };
    struct x509_crl_builder b;
    lt_buf_reset(&tbs);
    x509_crl_begin(&b, &s, &tbs);
    for (size_t i = 0; i < entries; i++) {
        uint8_t one[16] = {0x0c, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 9};
        static const uint32_t reasons[] = {0, 1, 4, 9};
        x509_crl_add(&b, LT_SLICE(one, sizeof(one)), lt_time_from_seconds(1795300000 + (int64_t)i),
                     reasons[i % 4]);
    }
    assert_ok(x509_crl_end(&b));
    sign_and_assemble(k, alg);
    struct x509_crl c;
    assert_ok(x509_crl_parse(lt_buf_slice(&der), &arena, &c));
    assert_int_equal(c.entry_count, entries);
    assert_true(lt_slice_eq(c.issuer.der, s.issuer) && lt_slice_eq(c.ext.crl_number, s.number));
    assert_true(lt_slice_eq(c.ext.aki_key_id, s.aki));
    assert_int_equal(c.ext.has_idp, shard);
    assert_int_equal(c.ext.idp_only_user, shard);
    assert_int_equal(c.next_update.us, s.next_update.us);
    struct x509_crl_entry e;
    struct der_cursor at = der_open(c.entries);
    for (size_t i = 0; i < entries; i++) {
        assert_true(x509_crl_next(&at, &e));
        assert_int_equal(e.serial.ptr[3], i & 0xff);
        assert_int_equal(e.has_reason, i % 4 != 0);
        assert_int_equal(e.revoked.us, (1795300000 + (int64_t)i) * LT_US_PER_SECOND);
    }
    assert_false(x509_crl_next(&at, &e));
    assert_true(der_ok(&at));
}

static void crls(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 5, 1000, 100000};
    for (size_t i = 0; i < LT_COUNT(sizes); i++) {
        const struct test_key *k = &test_keys[i % TEST_KEYS];
        crl_with(k, sizes[i], i % 2 == 1);
        const uint8_t *p = der.ptr;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
        assert_non_null(crl);
        assert_ptr_equal(p, der.ptr + der.len);
        assert_int_equal(X509_CRL_verify(crl, k->key), 1);
        STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
        assert_int_equal(list == NULL ? 0 : sk_X509_REVOKED_num(list), sizes[i]);
        ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
        assert_non_null(number);
        ASN1_INTEGER_free(number);
        ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
        assert_int_equal(idp != NULL, i % 2 == 1);
        ISSUING_DIST_POINT_free(idp);
        X509_CRL_free(crl);
    }
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(leaves),          EACH(certificate_authorities),
        EACH(precertificates), EACH(a_spec_that_makes_no_sense),
        EACH(requests),        EACH(crls),
    };
    return cmocka_run_group_tests_name("x509/built", tests, test_keys_make, test_keys_free);
}
