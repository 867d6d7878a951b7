/* Mozilla Root Store Policy, what zlint does not ask: kinds of keys, SHA-1, key purposes. */
#include "lint/ocsp.h"
#include "lint/rules.h"
#include "lint/rules/key_alg.h"

/* In scope: certificates for TLS servers or mail, and CAs that can issue them. */
static bool in_scope(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SERVER_AUTH | LINT_IS_EMAIL | LINT_IS_TLS | LINT_IS_SMIME);
}

/*= MRSP 5.1 "MUST use only algorithms and key sizes from the following set" */
/*= MRSP 5.1 "EdDSA keys MAY be included in certificates that chain to a root certificate in our root store if
 * the certificate contains id-kp-emailProtection" */
static void key_of_set(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->cert->spki;
    if (x509_has_eku(&s->cert->ext, X509_OID_EMAIL_PROTECTION)) {
        return; /* what else mail may have is the S/MIME requirements' to say */
    }
    if (k->type != X509_KEY_RSA && k->type != X509_KEY_P256 && k->type != X509_KEY_P384 &&
        k->type != X509_KEY_P521) {
        lint_found(r, k->algorithm, "a key that is neither RSA nor on P-256, P-384 or P-521 (%s)",
                   x509_key_type_name(k->type));
    }
}

static bool is_sha1(lt_slice algorithm)
{
    enum lint_sig_alg alg = lint_sig_alg(algorithm);
    return alg == LINT_SIG_ALG_RSA_SHA1 || alg == LINT_SIG_ALG_ECDSA_SHA1 || alg == LINT_SIG_ALG_DSA_SHA1;
}

/*= MRSP 5.1.3 "Effective July 1, 2022, CAs SHALL NOT sign SHA-1 hashes over end entity certificates with an
 * EKU extension containing the id-kp-emailProtection key purpose." */
static bool is_mail_leaf(const struct lint_subject *s)
{
    return x509_has_eku(&s->cert->ext, X509_OID_EMAIL_PROTECTION);
}

/*= MRSP 5.1.3 "Effective July 1, 2023, CAs SHALL NOT sign SHA-1 hashes over" responders' certificates and
 * intermediate certificates */
static bool is_responder_or_intermediate(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_OCSP_RESPONDER | LINT_IS_SUB_CA);
}

static void no_sha1(const struct lint_subject *s, struct lint_report *r)
{
    if (is_sha1(s->cert->sig_alg_der)) {
        lint_found(r, s->cert->sig_alg_der, "signed over a SHA-1 hash");
    }
}

static void crl_no_sha1(const struct lint_subject *s, struct lint_report *r)
{
    if (is_sha1(s->crl->sig_alg_der)) {
        lint_found(r, s->crl->sig_alg_der, "signed over a SHA-1 hash");
    }
}

static bool is_basic(const struct lint_subject *s)
{
    return s->ocsp->basic;
}

static void response_no_sha1(const struct lint_subject *s, struct lint_report *r)
{
    if (is_sha1(s->ocsp->sig_alg_der)) {
        lint_found(r, s->ocsp->sig_alg_der, "signed over a SHA-1 hash");
    }
}

/*= MRSP 5.2 "end entity certificates MUST include an EKU extension … and the EKU extension MUST NOT contain
 * the KeyPurposeId anyExtendedKeyUsage" */
static void purpose_said(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    if (!lint_is(s, LINT_HAS_EKU)) {
        lint_found(r, where, "there is no extKeyUsage");
    } else if (x509_has_eku(&s->cert->ext, X509_OID_ANY_EXTENDED_KEY_USAGE)) {
        lint_found(r, where, "anyExtendedKeyUsage in an end entity's certificate");
    }
}

/* Cross-certificates are excepted, and only who issues a certificate can say that it is none. */
static bool is_new_intermediate(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_SUB_CA && in_scope(s);
}

/*= MRSP 5.3 "MUST contain an EKU extension; MUST NOT include the anyExtendedKeyUsage KeyPurposeId; MUST NOT
 * include both the id-kp-serverAuth and id-kp-emailProtection KeyPurposeIds" */
static void intermediate_purposes(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    if (!lint_is(s, LINT_HAS_EKU)) {
        lint_found(r, where, "there is no extKeyUsage");
    } else if (x509_has_eku(e, X509_OID_ANY_EXTENDED_KEY_USAGE)) {
        lint_found(r, where, "anyExtendedKeyUsage in an intermediate certificate");
    } else if (x509_has_eku(e, X509_OID_SERVER_AUTH) && x509_has_eku(e, X509_OID_EMAIL_PROTECTION)) {
        lint_found(r, where, "both serverAuth and emailProtection");
    }
}

#define ROW .source = LINT_MOZILLA, .level = LINT_ERROR
#define CERTS ROW, .kinds = LINT_CERTIFICATE

static const struct lint_rule rows[] = {
    {"lintel_mozilla_key", CERTS, .asks = "keys are RSA, or on P-256, P-384 or P-521", .citation = "MRSP 5.1",
     .effective = LINT_DAY(2017, 2, 28), .applies = in_scope, .check = key_of_set},
    {"lintel_mozilla_sha1_mail", CERTS, .asks = "certificates for mail are not signed over SHA-1",
     .citation = "MRSP 5.1.3", .when = LINT_IS_SUBSCRIBER | LINT_HAS_EKU, .effective = LINT_DAY(2022, 7, 1),
     .applies = is_mail_leaf, .check = no_sha1},
    {"lintel_mozilla_sha1", CERTS,
     .asks = "responders' and intermediate certificates are not signed over SHA-1", .citation = "MRSP 5.1.3",
     .effective = LINT_DAY(2023, 7, 1), .applies = is_responder_or_intermediate, .check = no_sha1},
    {"lintel_mozilla_sha1_crl", ROW, .kinds = LINT_CRL, .asks = "CRLs are not signed over SHA-1",
     .citation = "MRSP 5.1.3", .effective = LINT_DAY(2023, 7, 1), .check = crl_no_sha1},
    {"lintel_mozilla_sha1_ocsp", ROW, .kinds = LINT_OCSP, .asks = "OCSP responses are not signed over SHA-1",
     .citation = "MRSP 5.1.3", .effective = LINT_DAY(2023, 7, 1), .applies = is_basic,
     .check = response_no_sha1},
    {"lintel_mozilla_leaf_purpose", CERTS, .asks = "an end entity's certificate says what it is for",
     .citation = "MRSP 5.2", .when = LINT_IS_SUBSCRIBER, .effective = LINT_DAY(2020, 7, 1),
     .applies = in_scope, .check = purpose_said},
    {"lintel_mozilla_intermediate_purpose", CERTS,
     .asks = "an intermediate certificate says what it is for, and not both TLS servers and mail",
     .citation = "MRSP 5.3", .when = LINT_IS_SUB_CA, .unless = LINT_IS_CROSS_CA,
     .effective = LINT_DAY(2019, 1, 1), .applies = is_new_intermediate, .check = intermediate_purposes},
};
const struct lint_table lint_mozilla_more = LINT_TABLE(rows);
