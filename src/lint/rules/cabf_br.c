/* CA/Browser Forum TLS Baseline Requirements: subscriber certificates, all but their names. */
#include "lint/rules.h"

enum { DAY = 86400 };

static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > r->rule->value * DAY) {
        lint_found(r, s->cert->tbs, "%lld s: at most %lld days of 86,400", (long long)seconds,
                   (long long)r->rule->value);
    }
}

static bool before_signing(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SUBSCRIBER | LINT_WITH_TIME);
}

static void not_before_near(const struct lint_subject *s, struct lint_report *r)
{
    int64_t distance = lt_time_seconds(s->cert->not_before) - lt_time_seconds(s->in->signing_time);
    if (distance > r->rule->value || distance < -r->rule->value) {
        lint_found(r, s->cert->tbs, "notBefore is %lld s from the time of signing", (long long)distance);
    }
}

/*= CABF-BR 7.1.2.7 "less than 2¹⁵⁹ containing at least 64 bits of output from a CSPRNG" */
/* 2^159 and more takes 21 bytes, which the parser refuses already. */
static void serial_size(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice serial = x509_serial_magnitude(s->cert->serial);
    if (serial.len < 8) {
        lint_found(r, s->cert->serial, "%zu bytes cannot hold 64 random bits", serial.len);
    }
}

static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->ca || e->has_path_len || (e->key_usage & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) != 0) {
        lint_found(r, s->cert->tbs, "a subscriber certificate that could sign certificates or CRLs");
    }
}

/*= CABF-BR 7.1.2.7.11 RSA: digitalSignature, keyEncipherment, dataEncipherment; ECC: digitalSignature,
 * keyAgreement */
static void key_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool rsa = s->cert->spki.type == X509_KEY_RSA;
    uint32_t may = rsa ? X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT
                       : X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_AGREEMENT;
    uint32_t some = rsa ? X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT : X509_KU_DIGITAL_SIGNATURE;
    if (e->has_key_usage && ((e->key_usage & ~may) != 0 || (e->key_usage & some) == 0)) {
        lint_found(r, s->cert->tbs, "bits 0x%x are not for this type of key", e->key_usage);
    }
    const struct x509_extension *x = x509_extension_find(e, X509_OID_KEY_USAGE);
    if (x != NULL && !x->critical) {
        lint_found(r, x->der, "it is not critical");
    }
}

/*= CABF-BR 7.1.2.7.10 id-kp-serverAuth MUST; anyExtendedKeyUsage, codeSigning, emailProtection, timeStamping,
 *OCSPSigning = and precertificate signing MUST NOT */
static void eku(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid forbidden[] = {
        X509_OID_ANY_EXTENDED_KEY_USAGE, X509_OID_CODE_SIGNING, X509_OID_EMAIL_PROTECTION,
        X509_OID_TIME_STAMPING,          X509_OID_OCSP_SIGNING, X509_OID_PRECERTIFICATE_SIGNING,
    };
    if (!x509_has_eku(&s->cert->ext, X509_OID_SERVER_AUTH)) {
        lint_found(r, s->cert->tbs, "serverAuth is missing");
    }
    for (size_t i = 0; i < LT_COUNT(forbidden); i++) {
        if (x509_has_eku(&s->cert->ext, forbidden[i])) {
            lint_found(r, s->cert->tbs, "%s has no place here", x509_oid_name(forbidden[i]));
        }
    }
}

static void one_reserved_policy(const struct lint_subject *s, struct lint_report *r)
{
    size_t reserved = 0;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        enum x509_oid oid = s->cert->ext.policies[i].id.oid;
        reserved += oid == X509_OID_POLICY_DV || oid == X509_OID_POLICY_OV || oid == X509_OID_POLICY_IV ||
                    oid == X509_OID_POLICY_EV;
        if (oid == X509_OID_ANY_POLICY) {
            lint_found(r, s->cert->tbs, "anyPolicy in a subscriber certificate");
        }
    }
    if (reserved != 1) {
        lint_found(r, s->cert->tbs, "%zu reserved policies: exactly one", reserved);
    }
}

/*= CABF-BR 6.1.5 "Ensure that the modulus size, when encoded, is at least 2048 bits"; P-256, P-384, P-521 */
static void key(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->cert->spki;
    if (k->type == X509_KEY_UNKNOWN || k->type == X509_KEY_ED25519) {
        lint_found(r, k->der, "a kind of key that the Requirements do not know");
        return;
    }
    lt_res checked = x509_spki_check(k);
    if (lt_failed(checked)) {
        lint_found(r, k->der, "%s", lt_error_last()->detail);
    }
}

static void signature_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->sig_alg == X509_SIG_UNKNOWN || s->cert->sig_alg == X509_SIG_ED25519) {
        lint_found(r, s->cert->sig_alg_der, "not one of the Requirements' encodings");
    } else if (s->in->issuer != NULL && !x509_sig_alg_fits(s->cert->sig_alg, s->in->issuer->spki.type)) {
        lint_found(r, s->cert->sig_alg_der, "%s does not go with the issuer's %s key",
                   x509_sig_alg_name(s->cert->sig_alg), x509_key_type_name(s->in->issuer->spki.type));
    }
}

static bool points_to(const struct x509_extensions *e, enum x509_oid method)
{
    for (size_t i = 0; i < e->aia_count; i++) {
        if (e->aia[i].method.oid == method) {
            return true;
        }
    }
    return false;
}

static void crl_pointer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool short_lived = lint_validity_s(s->cert) <= r->rule->value * DAY;
    if (!short_lived && !e->has_crldp && !points_to(e, X509_OID_OCSP)) {
        lint_found(r, s->cert->tbs, "neither CRL nor OCSP pointer, and not short-lived");
    }
}

static void http_pointers(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice http = LT_LIT("http://");
    for (size_t i = 0; i < e->aia_count; i++) {
        const struct x509_general_name *n = &e->aia[i].location;
        if (n->type != X509_GN_URI || !lt_slice_starts(n->value, http)) {
            lint_found(r, n->value, "a location that is no http URL");
        }
    }
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_general_names *names = &e->crldp[i].names;
        bool good = names->count == 1 && names->list[0].type == X509_GN_URI &&
                    lt_slice_starts(names->list[0].value, http) && !e->crldp[i].has_reasons &&
                    e->crldp[i].crl_issuer.count == 0;
        if (!good) {
            lint_found(r, s->cert->tbs, "other than one http URL");
        }
    }
}

#define BR                                                                                       \
    .source = LINT_CABF_BR, .kinds = LINT_CERTIFICATE, .level = LINT_ERROR, .any_purpose = true, \
    .when = LINT_IS_SUBSCRIBER

static const struct lint_rule rows[] = {
    {"br.validity-398", BR,
     .citation = "CABF-BR 6.3.2 \"MUST NOT have a Validity Period greater than 398 days.\"",
     .effective = LINT_DAY(2020, 9, 1), .retired = LINT_DAY(2026, 3, 15), .check = validity, .value = 398},
    {"br.validity-200", BR,
     .citation = "CABF-BR 6.3.2 \"MUST NOT have a Validity Period greater than 200 days.\"",
     .effective = LINT_DAY(2026, 3, 15), .retired = LINT_DAY(2027, 3, 15), .check = validity, .value = 200},
    {"br.validity-100", BR,
     .citation = "CABF-BR 6.3.2 \"MUST NOT have a Validity Period greater than 100 days.\"",
     .effective = LINT_DAY(2027, 3, 15), .retired = LINT_DAY(2029, 3, 15), .check = validity, .value = 100},
    {"br.validity-47", BR,
     .citation = "CABF-BR 6.3.2 \"MUST NOT have a Validity Period greater than 47 days.\"",
     .effective = LINT_DAY(2029, 3, 15), .check = validity, .value = 47},
    {"br.not-before", .source = LINT_CABF_BR, .kinds = LINT_CERTIFICATE, .level = LINT_ERROR,
     .citation =
         "CABF-BR 7.1.2.7 notBefore: \"A value within 48 hours of the certificate signing operation.\"",
     .applies = before_signing, .check = not_before_near, .value = 48 * 3600},
    {"br.serial", BR,
     .citation = "CABF-BR 7.1.2.7 \"greater than zero (0) and less than 2¹⁵⁹ containing at least 64 bits of "
                 "output from "
                 "a CSPRNG\"",
     .check = serial_size},
    {"br.no-ca", BR, .citation = "CABF-BR 7.1.2.7.8 cA: \"MUST be FALSE\"", .check = no_ca},
    {"br.key-usage", BR, .citation = "CABF-BR 7.1.2.7.11 Subscriber Certificate Key Usage",
     .check = key_usage},
    {"br.ext-key-usage", BR, .citation = "CABF-BR 7.1.2.7.10 Subscriber Certificate Extended Key Usage",
     .check = eku},
    {"br.one-reserved-policy", BR,
     .citation = "CABF-BR 7.1.2.7.9 \"exactly one\" Reserved Certificate Policy Identifier",
     .check = one_reserved_policy},
    {"br.key", BR, .citation = "CABF-BR 6.1.5 and 6.1.6, key sizes and parameters", .check = key},
    {"br.signature-algorithm", BR, .citation = "CABF-BR 7.1.3.2 Signature AlgorithmIdentifier",
     .check = signature_algorithm},
    {"br.revocation-pointer", BR, .citation = "CABF-BR 7.1.2.11.2 CRL Distribution Points",
     .effective = LINT_DAY(2026, 3, 15), .check = crl_pointer, .value = 7},
    {"br.http-pointers", BR,
     .citation = "CABF-BR 7.1.2.11.2 \"The scheme of each MUST be http\"; 7.1.2.7.7 likewise",
     .check = http_pointers},
};
const struct lint_table lint_cabf_br = LINT_TABLE(rows);
