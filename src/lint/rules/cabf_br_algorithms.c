/* TLS Baseline Requirements 6.1.5, 6.1.6 and 7.1.3 on keys and signatures, of certificates and CRLs, where
 * zlint does not ask: exact encodings, the pairing of curve and hash, the shape of a signature, points. */
#include "crypto/check.h"
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"
#include "lint/rules/key_alg.h"

static bool under_br(const struct lint_subject *s)
{
    return lint_br_under(s);
}

/*= CABF-BR 7.1.3.2.1 "the AlgorithmIdentifier MUST be byte-for-byte identical with the specified" bytes */
static bool exact(lt_slice algorithm)
{
    enum x509_sig_alg known = x509_sig_alg_find(algorithm);
    if (known != X509_SIG_UNKNOWN) {
        return known != X509_SIG_ED25519;
    }
    static const char rsa_sha1[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00";
    return lint_pss_usual(algorithm) || lt_slice_eq(algorithm, LT_SLICE(rsa_sha1, sizeof(rsa_sha1) - 1));
}

static void encoding(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice at = s->in->kind == LINT_CRL ? s->crl->sig_alg_der : s->cert->sig_alg_der;
    if (!exact(at)) {
        lint_found(r, at, "the %zu bytes are none of the fixed forms", at.len);
    }
}

static void sha1(const struct lint_subject *s, struct lint_report *r)
{
    enum lint_sig_alg alg = lint_sig_alg(s->cert->sig_alg_der);
    if (alg == LINT_SIG_ALG_RSA_SHA1 || alg == LINT_SIG_ALG_ECDSA_SHA1 || alg == LINT_SIG_ALG_DSA_SHA1) {
        lint_found(r, s->cert->sig_alg_der, "a signature with SHA-1");
    }
}

/* One INTEGER of ECDSA-Sig-Value: minimal, positive, of the largest curve's size at most. */
static bool number_ok(struct der_cursor *c)
{
    lt_slice n = der_unsigned(c);
    return der_ok(c) && n.len <= 66 && lint_bits(n) > 0;
}

/* ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } */
/*= CABF-BR 7.1.3.2.2 "the signature MUST use ECDSA with SHA-256": its value is RFC 3279's ECDSA-Sig-Value */
static void value_check(struct lint_report *r, lt_slice algorithm, lt_slice signature)
{
    enum lint_sig_alg alg = lint_sig_alg(algorithm);
    if (alg != LINT_SIG_ALG_ECDSA_SHA256 && alg != LINT_SIG_ALG_ECDSA_SHA384 &&
        alg != LINT_SIG_ALG_ECDSA_SHA512) {
        return;
    }
    struct der_cursor c = der_open(signature);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    bool good = number_ok(&seq) && number_ok(&seq);
    der_leave(&c, &seq);
    if (!good || !der_ok(&c) || der_more(&c)) {
        lint_found(r, signature, "%zu bytes that are no DER of two positive numbers", signature.len);
    }
}

static void certificate_value(const struct lint_subject *s, struct lint_report *r)
{
    value_check(r, s->cert->sig_alg_der, s->cert->signature);
}

static void crl_value(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->signature.len > 0) {
        value_check(r, s->crl->sig_alg_der, s->crl->signature);
    }
}

/*= CABF-BR 7.1.3.2.2 "If the signing key is P-384, the signature MUST use ECDSA with SHA-384." */
/* Of roots; what others sign is compared with the issuer that was given (lintel_issuance_algorithm). */
static void pairing(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_sig_alg alg = x509_sig_alg_find(s->cert->sig_alg_der);
    enum x509_key_type type = s->cert->spki.type;
    if (alg != X509_SIG_UNKNOWN && type != X509_KEY_UNKNOWN && !x509_sig_alg_fits(alg, type)) {
        lint_found(r, s->cert->sig_alg_der, "%s by a key of type %s", x509_sig_alg_name(alg),
                   x509_key_type_name(type));
    }
}

/*= CABF-BR 7.1.3.1.1 "the AlgorithmIdentifier for RSA keys MUST be byte-for-byte identical with …" */
static void key_encoding(const struct lint_subject *s, struct lint_report *r)
{
    static const char rsa[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const struct x509_spki *k = &s->cert->spki;
    bool good = k->type == X509_KEY_RSA ? lt_slice_eq(k->algorithm, LT_SLICE(rsa, sizeof(rsa) - 1))
                                        : lint_is(s, LINT_HAS_EC);
    if (!good) {
        lint_found(r, k->algorithm, "other bytes than those of RSA, P-256, P-384 and P-521");
    }
}

/*= CABF-BR 6.1.5 "Ensure that the modulus size, when encoded, is at least 2048 bits, and; Ensure that the
 *= modulus size, in bits, is evenly divisible by 8." */
static void rsa_size(const struct lint_subject *s, struct lint_report *r)
{
    unsigned bits = s->cert->spki.bits;
    if (bits < X509_RSA_BITS_MIN || bits % 8 != 0) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits", bits);
    }
}

/*= CABF-BR 6.1.5 "Ensure that the key represents a valid point on the NIST P-256, NIST P-384 or NIST P-521
 *= elliptic curve." */
static void point(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->cert->spki;
    if (k->point.len == 0 || k->point.ptr[0] != 4) {
        lint_found(r, k->der, "the point is not written out as x and y");
    } else if (lt_failed(crypto_check_point((enum crypto_key_type)k->type, k->point))) {
        lint_found(r, k->der, "the point does not lie on %s", x509_key_type_name(k->type));
    }
}

#define BR .source = LINT_CABF_BR, .level = LINT_ERROR, .any_purpose = true
#define CERT BR, .kinds = LINT_CERTIFICATE

static const struct lint_rule rows[] = {
    {"lintel_br_signature_encoding", CERT,
     .asks = "the signature's algorithm is encoded as one of the fixed byte strings",
     .citation = "BR 7.1.3.2.1, 7.1.3.2.2", .effective = BR_1_7_1, .applies = under_br, .check = encoding},
    {"lintel_br_signature_sha1", CERT, .asks = "no certificate is signed with SHA-1",
     .citation = "BR 7.1.3.2.1", .effective = LINT_DAY(2022, 6, 1), .applies = under_br, .check = sha1},
    {"lintel_br_signature_value", CERT, .asks = "an ECDSA signature is the DER of two positive numbers",
     .citation = "BR 7.1.3.2.2; RFC 3279 2.2.3", .unless = LINT_IS_BARE, .applies = under_br,
     .check = certificate_value},
    {"lintel_br_root_signature_pairing", CERT,
     .asks = "a root of P-256 signs itself with SHA-256, of P-384 with SHA-384, of P-521 with SHA-512",
     .citation = "BR 7.1.3.2.2", .when = LINT_IS_ROOT | LINT_IS_TLS, .effective = BR_1_7_1, .check = pairing},
    {"lintel_br_key_encoding", CERT,
     .asks = "the algorithm of the key is encoded as one of four fixed byte strings",
     .citation = "BR 7.1.3.1.1, 7.1.3.1.2", .unless = LINT_IS_SERVER_AUTH, .effective = BR_1_7_1,
     .applies = under_br, .check = key_encoding},
    {"lintel_br_rsa_size", CERT, .asks = "an RSA key has at least 2048 bits and whole bytes",
     .citation = "BR 6.1.5", .when = LINT_HAS_RSA, .effective = BR_1_7_1, .applies = under_br,
     .check = rsa_size},
    {"lintel_br_ec_point", CERT, .asks = "an EC key is a point on its curve, written out as x and y",
     .citation = "BR 6.1.5, 7.1.3.1.2; RFC 5480 2.2", .when = LINT_HAS_EC, .effective = BR_1_7_1,
     .applies = under_br, .check = point},
    {"lintel_br_crl_signature_encoding", BR, .kinds = LINT_CRL,
     .asks = "the algorithm of a CRL's signature is encoded as one of the fixed byte strings",
     .citation = "BR 7.2, 7.1.3.2", .effective = BR_2_0_1, .check = encoding},
    {"lintel_br_crl_signature_value", BR, .kinds = LINT_CRL,
     .asks = "an ECDSA signature is the DER of two positive numbers",
     .citation = "BR 7.2, 7.1.3.2.2; RFC 3279 2.2.3", .check = crl_value},
};
const struct lint_table lint_cabf_br_algorithms = LINT_TABLE(rows);
