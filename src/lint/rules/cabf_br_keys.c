/* TLS Baseline Requirements on public keys and signature algorithms, as zlint judges them. What zlint does
 * not ask stands in cabf_br_algorithms.c. */
#include "crypto/check.h"
#include "lint/keys.h"
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/key_alg.h"

static bool is_dsa(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_DSA;
}

static bool is_ec(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_EC;
}

/* value: bits. */
static void modulus_bits(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.bits < r->rule->value) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits", s->cert->spki.bits);
    }
}

#define NO_RSA_1024_ROOTS (LINT_DAY(2011, 1, 1) * LT_SECONDS_PER_DAY)
#define NO_RSA_1024 (LINT_DAY(2014, 1, 1) * LT_SECONDS_PER_DAY)

static bool old_root(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_before) < NO_RSA_1024_ROOTS;
}

static bool old_sub_ca(const struct lint_subject *s)
{
    return old_root(s) && lt_time_seconds(s->cert->not_after) < NO_RSA_1024;
}

static bool not_old(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_after) >= NO_RSA_1024;
}

static void exponent_odd(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    if (e.len == 0 || (e.ptr[e.len - 1] & 1) == 0) {
        lint_found(r, s->cert->spki.der, "the exponent is even");
    }
}

static void exponent_3(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    if (lint_bits(e) < 2 || (e.len == 1 && e.ptr[0] < 3)) {
        lint_found(r, s->cert->spki.der, "the exponent is %u", e.len == 1 ? e.ptr[0] : 0u);
    }
}

/* From 2^16 + 1 to 2^256 - 1. */
static void exponent_range(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    unsigned bits = lint_bits(e);
    bool power = e.len == 3 && e.ptr[0] == 1 && e.ptr[1] == 0 && e.ptr[2] == 0;
    if (bits < 17 || power || bits > 256) {
        lint_found(r, s->cert->spki.der, "an exponent of %u bits", bits);
    }
}

static void modulus_odd(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice n = s->cert->spki.modulus;
    if (n.len == 0 || (n.ptr[n.len - 1] & 1) == 0) {
        lint_found(r, s->cert->spki.der, "the modulus is even");
    }
}

static void small_factor(const struct lint_subject *s, struct lint_report *r)
{
    if (s->key != NULL && (s->key->flaws & LINT_KEY_SMALL_PRIME) != 0) {
        lint_found(r, s->cert->spki.der, "%u divides the modulus", s->key->small_prime);
    }
}

/* Dss-Parms ::= SEQUENCE { p INTEGER, q INTEGER, g INTEGER }, DSAPublicKey ::= INTEGER; magnitudes. */
struct dsa {
    lt_slice p;
    lt_slice q;
    lt_slice g;
    lt_slice y;
};

static bool dsa_read(const struct x509_spki *k, struct dsa *ret)
{
    struct der_cursor c = der_open(k->algorithm);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    (void)der_oid(&alg);
    struct der_cursor parameters = der_enter(&alg, DER_SEQUENCE);
    ret->p = der_unsigned(&parameters);
    ret->q = der_unsigned(&parameters);
    ret->g = der_unsigned(&parameters);
    der_leave(&alg, &parameters);
    struct der_cursor key = der_open(k->key);
    ret->y = der_unsigned(&key);
    return der_ok(&alg) && der_ok(&key);
}

static void dsa_parameters(const struct lint_subject *s, struct lint_report *r)
{
    struct dsa d = {0};
    if (!dsa_read(&s->cert->spki, &d) || lint_bits(d.p) == 0 || lint_bits(d.q) == 0 || lint_bits(d.g) == 0) {
        lint_found(r, s->cert->spki.algorithm, "a DSA key without all of p, q and g");
    }
}

static void dsa_sizes(const struct lint_subject *s, struct lint_report *r)
{
    struct dsa d = {0};
    if (!dsa_read(&s->cert->spki, &d)) {
        lint_say(r, LINT_NA);
        return;
    }
    unsigned l = lint_bits(d.p);
    unsigned n = lint_bits(d.q);
    if (!(l == 2048 && (n == 224 || n == 256)) && !(l == 3072 && n == 256)) {
        lint_found(r, s->cert->spki.der, "p of %u bits with q of %u", l, n);
    }
}

/* zlint asks for 244 bits of q where the document said 224; its verdict stands under its name. */
static void dsa_short(const struct lint_subject *s, struct lint_report *r)
{
    struct dsa d = {0};
    if (!dsa_read(&s->cert->spki, &d)) {
        lint_say(r, LINT_NA);
    } else if (lint_bits(d.p) < 2048 || lint_bits(d.q) < 244) {
        lint_found(r, s->cert->spki.der, "p of %u bits with q of %u", lint_bits(d.p), lint_bits(d.q));
    }
}

/* y and its group, and one question about them. */
static void dsa_ask(const struct lint_subject *s, struct lint_report *r,
                    lt_res (*ask)(const struct crypto_dsa *key, bool *ret_yes), const char *otherwise)
{
    struct dsa d = {0};
    bool yes = false;
    if (!dsa_read(&s->cert->spki, &d) ||
        lt_failed(ask(&(struct crypto_dsa){.p = d.p, .q = d.q, .y = d.y}, &yes))) {
        lint_say(r, LINT_NA);
    } else if (!yes) {
        lint_found(r, s->cert->spki.der, "%s", otherwise);
    }
}

static void dsa_order(const struct lint_subject *s, struct lint_report *r)
{
    dsa_ask(s, r, crypto_dsa_is_of_order, "y is not of order q");
}

static void dsa_range(const struct lint_subject *s, struct lint_report *r)
{
    dsa_ask(s, r, crypto_dsa_is_in_range, "y is not between 2 and p - 2");
}

static void no_dsa(const struct lint_subject *s, struct lint_report *r)
{
    if (is_dsa(s)) {
        lint_found(r, s->cert->spki.algorithm, "a DSA key");
    }
}

static void curve(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_key_type t = s->cert->spki.type;
    if (t != X509_KEY_P256 && t != X509_KEY_P384 && t != X509_KEY_P521) {
        lint_found(r, s->cert->spki.algorithm, "a curve other than P-256, P-384 and P-521");
    }
}

static void key_type(const struct lint_subject *s, struct lint_report *r)
{
    enum lint_key_alg alg = lint_key_alg(&s->cert->spki);
    if (alg == LINT_KEY_ALG_UNKNOWN || alg == LINT_KEY_ALG_RSA_PSS) {
        lint_found(r, s->cert->spki.algorithm, "a key that is neither RSA nor on an elliptic curve");
    }
}

static void key_encoding(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        const char *der;
        size_t len;
    } allowed[] = {
        {"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21},
        {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 18},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", 18},
    };
    for (size_t i = 0; i < LT_COUNT(allowed); i++) {
        if (lt_slice_eq(s->cert->spki.algorithm, LT_SLICE(allowed[i].der, allowed[i].len))) {
            return;
        }
    }
    lint_found(r, s->cert->spki.algorithm, "other bytes than those of RSA, P-256, P-384 and P-521");
}

static void signature_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice at = s->cert->sig_alg_der;
    enum lint_sig_alg alg = lint_sig_alg(at);
    if (alg == LINT_SIG_ALG_RSA_PSS && lint_pss_usual(at)) {
        lint_found_at(r, LINT_WARN, at, "RSASSA-PSS, which few know");
    } else if (alg == LINT_SIG_ALG_UNKNOWN || alg == LINT_SIG_ALG_RSA_PSS || alg == LINT_SIG_ALG_ED25519) {
        lint_found(r, at, "a signature algorithm that the Requirements do not have");
    }
}

static void ec_usages(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t bits = s->cert->ext.key_usage;
    lt_slice at = lint_ext_at(s, X509_OID_KEY_USAGE);
    if ((bits & X509_KU_DIGITAL_SIGNATURE) == 0) {
        lint_found(r, at, "the bits 0x%x are without digitalSignature", bits);
    } else if ((bits & ~(uint32_t)(X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_AGREEMENT)) != 0) {
        lint_found(r, at, "the bits 0x%x are more than digitalSignature and keyAgreement", bits);
    }
}

static void key_agreement(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & X509_KU_KEY_AGREEMENT) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "keyAgreement is set");
    }
}

static void not_critical_eku(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_EXTENDED_KEY_USAGE);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "extKeyUsage is critical");
    }
}

static void version_3(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->version != 3) {
        lint_found(r, s->cert->tbs, "version %u", s->cert->version);
    }
}

#define BR(level_) .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define RSA(level_) BR(level_), .when = LINT_HAS_RSA
#define DSA BR(LINT_ERROR), .unless = LINT_HAS_RSA | LINT_HAS_EC, .applies = is_dsa
#define SUBSCRIBER_KU (LINT_IS_SUBSCRIBER | LINT_HAS_KU)

static const struct lint_rule rows[] = {
    {"e_algorithm_identifier_improper_encoding", BR(LINT_ERROR),
     .asks = "the algorithm of the key is encoded as one of four fixed byte strings",
     .citation = "BR 7.1.3.1", .effective = BR_1_7_1, .check = key_encoding},
    {"e_br_prohibit_dsa_usage", BR(LINT_ERROR), .asks = "no DSA key is certified", .citation = "BR 6.1.5",
     .effective = BR_1_7_1, .check = no_dsa},
    {"e_cabf_ecc_allowed_key_usages", BR(LINT_ERROR),
     .asks = "keyUsage of an EC key is digitalSignature, at most with keyAgreement",
     .citation = "BR 7.1.2.7.11", .when = SUBSCRIBER_KU, .unless = LINT_HAS_RSA, .effective = BR_2_0_0,
     .applies = is_ec, .check = ec_usages},
    {"e_dsa_correct_order_in_subgroup", DSA, .asks = "a DSA key is of the order of its subgroup",
     .citation = "BR 1.7.0 6.1.6", .effective = BR_1_0, .retired = BR_1_7_1, .check = dsa_order},
    {"e_dsa_improper_modulus_or_divisor_size", DSA,
     .asks = "a DSA key has p and q of 2048 and 224, 2048 and 256, or 3072 and 256 bits",
     .citation = "BR 1.7.0 6.1.5", .check = dsa_sizes},
    {"e_dsa_params_missing", DSA, .asks = "a DSA key has all its domain parameters",
     .citation = "BR 1.7.0 6.1.6", .effective = BR_1_0, .retired = BR_1_7_1, .check = dsa_parameters},
    {"e_dsa_shorter_than_2048_bits", DSA, .asks = "a DSA key has at least 2048 bits",
     .citation = "BR 1.7.0 6.1.5", .retired = BR_1_7_1, .check = dsa_short},
    {"e_dsa_unique_correct_representation", DSA, .asks = "a DSA key lies between 2 and p - 2",
     .citation = "BR 1.7.0 6.1.6", .effective = BR_1_0, .retired = BR_1_7_1, .check = dsa_range},
    {"e_ec_improper_curves", BR(LINT_ERROR), .asks = "EC keys are on P-256, P-384 or P-521",
     .citation = "BR 6.1.5", .unless = LINT_HAS_RSA, .applies = is_ec, .check = curve},
    {"e_eku_critical", BR(LINT_ERROR), .asks = "extKeyUsage is not critical", .citation = "BR 7.1.2.7.6",
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_EKU, .effective = BR_2_0_0, .check = not_critical_eku},
    {"e_invalid_certificate_version", BR(LINT_ERROR), .asks = "a certificate is of version 3",
     .citation = "BR 7.1.1", .effective = BR_1_3_0, .check = version_3},
    {"e_old_root_ca_rsa_mod_less_than_2048_bits", RSA(LINT_ERROR) | LINT_IS_ROOT,
     .asks = "a root from before 2011 has an RSA key of at least 2048 bits", .citation = "BR 6.1.5",
     .applies = old_root, .check = modulus_bits, .value = 2048},
    {"e_old_sub_ca_rsa_mod_less_than_1024_bits", RSA(LINT_ERROR) | LINT_IS_SUB_CA,
     .asks = "a subordinate CA from before 2011 that ended before 2014 has an RSA key of at least 1024 bits",
     .citation = "BR 6.1.5", .applies = old_sub_ca, .check = modulus_bits, .value = 1024},
    {"e_public_key_type_not_allowed", BR(LINT_ERROR), .asks = "keys are of a type that the document has",
     .citation = "BR 6.1.5", .effective = BR_1_0, .check = key_type},
    {"e_rsa_mod_less_than_2048_bits", RSA(LINT_ERROR), .asks = "an RSA key has at least 2048 bits",
     .citation = "BR 6.1.5", .applies = not_old, .check = modulus_bits, .value = 2048},
    {"e_rsa_public_exponent_not_odd", RSA(LINT_ERROR), .asks = "an RSA exponent is odd",
     .citation = "BR 6.1.6", .effective = BR_1_1_3, .check = exponent_odd},
    {"e_rsa_public_exponent_too_small", RSA(LINT_ERROR), .asks = "an RSA exponent is at least 3",
     .citation = "BR 6.1.6", .effective = BR_1_1_3, .check = exponent_3},
    {"e_signature_algorithm_not_supported", BR(LINT_ERROR),
     .asks = "the signature is made with an algorithm that the document has", .citation = "BR 7.1.3.2",
     .formerly = "BR 6.1.5", .check = signature_algorithm},
    {"w_cabf_ecc_ku_keyagreement_present", BR(LINT_WARN),
     .asks = "keyUsage of an EC key does without keyAgreement", .citation = "BR 7.1.2.7.11",
     .when = SUBSCRIBER_KU, .unless = LINT_HAS_RSA, .effective = BR_2_0_0, .applies = is_ec,
     .check = key_agreement},
    {"w_rsa_mod_factors_smaller_than_752", RSA(LINT_WARN),
     .asks = "no prime below 752 divides an RSA modulus", .citation = "BR 6.1.6", .effective = BR_1_1_3,
     .check = small_factor},
    {"w_rsa_mod_not_odd", RSA(LINT_WARN), .asks = "an RSA modulus is odd", .citation = "BR 6.1.6",
     .effective = BR_1_1_3, .check = modulus_odd},
    {"w_rsa_public_exponent_not_in_range", RSA(LINT_WARN),
     .asks = "an RSA exponent is between 2^16 + 1 and 2^256 - 1", .citation = "BR 6.1.6",
     .effective = BR_1_1_3, .check = exponent_range},
};
const struct lint_table lint_cabf_br_keys = LINT_TABLE(rows);
