/* Mozilla Root Store Policy, as zlint judges it. What it does not ask stands in mozilla_more.c. */
#include "lint/rules.h"
#include "lint/rules/key_alg.h"
#include "lint/rules/purposes.h"

static void no_dsa(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_DSA) {
        lint_found(r, s->cert->spki.algorithm, "a DSA key");
    }
}

static void purposes_apart(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool any_known = false;
    for (size_t i = 0; i < e->eku_count && !any_known; i++) {
        any_known = lint_purpose_known(e->eku[i].der);
    }
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    if (!any_known) {
        lint_found(r, where, "a subordinate CA without any of the usual key purposes");
    } else if (x509_has_eku(e, X509_OID_ANY_EXTENDED_KEY_USAGE)) {
        lint_found(r, where, "a subordinate CA for any purpose");
    } else if (x509_has_eku(e, X509_OID_EMAIL_PROTECTION) && x509_has_eku(e, X509_OID_SERVER_AUTH)) {
        lint_found(r, where, "a subordinate CA for both serverAuth and emailProtection");
    }
}

/* The fields by their tags, whatever is in them. */
static void key_id_or_issuer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    struct der_cursor c = der_open(x->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    if (!der_ok(&seq)) {
        lint_found_at(r, LINT_FATAL, x->der, "authorityKeyIdentifier does not decode: %s", seq.why);
        return;
    }
    size_t key_id = 0;
    size_t issuer = 0;
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    while (der_more(&seq) && der_any(&seq, &tag, &content, NULL)) {
        key_id += DER_TAG_NUMBER(tag) == 0 ? content.len : 0;
        issuer += DER_TAG_NUMBER(tag) == 1 ? content.len : 0;
    }
    if (key_id > 0 && issuer > 0) {
        lint_found(r, x->der, "both a key identifier and the issuer's name and serial number");
    }
}

static bool has_ec_key(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_EC;
}

static void ec_key_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        const char *der;
        size_t len;
    } accepted[] = {
        {"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 18},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", 18},
    };
    for (size_t i = 0; i < LT_COUNT(accepted); i++) {
        if (lt_slice_eq(s->cert->spki.algorithm, LT_SLICE(accepted[i].der, accepted[i].len))) {
            return;
        }
    }
    lint_found(r, s->cert->spki.algorithm, "the algorithm of the EC key is none of the three that are taken");
}

/* ecdsa-with-SHA1 and -SHA224 by their bytes: Lintel knows them from nowhere else. */
static bool signed_with_ecdsa(const struct lint_subject *s)
{
    enum lint_sig_alg alg = lint_sig_alg(s->cert->sig_alg_der);
    struct der_cursor c = der_open(s->cert->sig_alg_der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    return alg == LINT_SIG_ALG_ECDSA_SHA1 || alg == LINT_SIG_ALG_ECDSA_SHA256 ||
           alg == LINT_SIG_ALG_ECDSA_SHA384 || alg == LINT_SIG_ALG_ECDSA_SHA512 ||
           lt_slice_eq(der_oid(&seq), LT_LIT("\x2a\x86\x48\xce\x3d\x04\x03\x01"));
}

/* The curve of the issuer is guessed from the length of the signature. */
static void ecdsa_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        size_t max;
        const char *curve;
        enum x509_sig_alg alg;
    } curves[] = {
        {72, "P-256", X509_SIG_ECDSA_SHA256},
        {104, "P-384", X509_SIG_ECDSA_SHA384},
        {140, "P-521", X509_SIG_ECDSA_SHA512},
    };
    size_t len = s->cert->signature.len;
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (len > curves[i].max) {
            continue;
        }
        if (!lt_slice_eq(s->cert->sig_alg_der, x509_sig_alg_der(curves[i].alg))) {
            lint_found(r, s->cert->sig_alg_der, "not the algorithm of signatures by a %s key",
                       curves[i].curve);
        }
        return;
    }
    lint_found(r, s->cert->signature, "a signature of %zu bytes is of no curve", len);
}

static bool has_rsa_key(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_RSA;
}

static void exponent_not_one(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    if (e.len == 1 && e.ptr[0] == 1) {
        lint_found(r, e, "the public exponent is 1");
    }
}

static void modulus_long(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.bits < 2048) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits", s->cert->spki.bits);
    }
}

static void modulus_whole_bytes(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.bits % 8 != 0) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits", s->cert->spki.bits);
    }
}

static void no_pss_key(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_RSA_PSS) {
        lint_found(r, s->cert->spki.algorithm, "a key for RSASSA-PSS alone");
    }
}

static bool signed_with_pss(const struct lint_subject *s)
{
    return lint_sig_alg(s->cert->sig_alg_der) == LINT_SIG_ALG_RSA_PSS;
}

static void pss_parameters(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_pss_usual(s->cert->sig_alg_der)) {
        lint_found(r, s->cert->sig_alg_der,
                   "parameters of RSASSA-PSS that are none of the three that are taken");
    }
}

#define ROW(level_) .source = LINT_MOZILLA, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true

static const struct lint_rule rows[] = {
    {"e_prohibit_dsa_usage", ROW(LINT_ERROR), .asks = "no certificate has a DSA key", .citation = "MRSP 5.1",
     .effective = LINT_DAY(2017, 3, 31), .check = no_dsa},
    {"n_mp_allowed_eku", ROW(LINT_NOTICE),
     .asks = "a subordinate CA is not for both TLS servers and mail, nor for any purpose",
     .citation = "MRSP 5.3", .when = LINT_IS_SUB_CA, .effective = LINT_DAY(2019, 1, 1),
     .check = purposes_apart},
    {"e_mp_authority_key_identifier_correct", ROW(LINT_ERROR),
     .asks = "authorityKeyIdentifier has a key identifier or the issuer's name and serial, not both",
     .citation = "MRSP 5.2", .when = LINT_HAS_AKI, .effective = LINT_DAY(2013, 7, 26),
     .check = key_id_or_issuer},
    {"e_mp_ecdsa_pub_key_encoding_correct", ROW(LINT_ERROR),
     .asks = "the algorithm of an EC key is one of three encodings", .citation = "MRSP 5.1.2",
     .effective = LINT_DAY(2025, 3, 15), .applies = has_ec_key, .check = ec_key_algorithm},
    {"e_mp_ecdsa_signature_encoding_correct", ROW(LINT_ERROR),
     .asks = "the algorithm of an ECDSA signature is the one that goes with the key's curve",
     .citation = "MRSP 5.1.2", .unless = LINT_IS_BARE, .effective = LINT_DAY(2025, 3, 15),
     .applies = signed_with_ecdsa, .check = ecdsa_algorithm},
    {"e_mp_exponent_cannot_be_one", ROW(LINT_ERROR), .asks = "the exponent of an RSA key is not 1",
     .citation = "MRSP 5.2", .effective = LINT_DAY(2017, 2, 28), .applies = has_rsa_key,
     .check = exponent_not_one},
    {"e_mp_modulus_must_be_2048_bits_or_more", ROW(LINT_ERROR),
     .asks = "the modulus of an RSA key has at least 2048 bits", .citation = "MRSP 5.1",
     .effective = LINT_DAY(2017, 2, 28), .applies = has_rsa_key, .check = modulus_long},
    {"e_mp_modulus_must_be_divisible_by_8", ROW(LINT_ERROR),
     .asks = "the modulus of an RSA key is a whole number of bytes long", .citation = "MRSP 5.1",
     .effective = LINT_DAY(2017, 2, 28), .applies = has_rsa_key, .check = modulus_whole_bytes},
    {"e_mp_rsassa-pss_in_spki", ROW(LINT_ERROR), .asks = "no key is for RSASSA-PSS alone",
     .citation = "MRSP 5.1.1", .effective = LINT_DAY(2020, 1, 1), .check = no_pss_key},
    {"e_mp_rsassa-pss_parameters_encoding_in_signature_algorithm_correct", ROW(LINT_ERROR),
     .asks = "the parameters of RSASSA-PSS are one of three encodings", .citation = "MRSP 5.1.1",
     .effective = LINT_DAY(2020, 1, 1), .applies = signed_with_pss, .check = pss_parameters},
};
const struct lint_table lint_mozilla = LINT_TABLE(rows);
