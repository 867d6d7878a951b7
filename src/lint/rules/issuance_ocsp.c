/* OCSP responses against the issuer of the certificates that they are about. */
#include "crypto/verify.h"
#include "lint/ocsp.h"
#include "lint/rules.h"

static bool is_basic(const struct lint_subject *s)
{
    return s->ocsp->basic && s->ocsp->signature.len > 0;
}

static enum crypto_answer signed_by(const struct lint_ocsp *o, const struct x509_cert *signer)
{
    return crypto_verify_any(&signer->spki, o->sig_alg_der, o->data, o->signature);
}

/* A key of its own for answers: the issuer has certified it for that. */
static enum crypto_answer delegated(const struct x509_cert *issuer, const struct x509_cert *c)
{
    if (!lt_slice_eq(c->issuer.der, issuer->subject.der) || !x509_has_eku(&c->ext, X509_OID_OCSP_SIGNING)) {
        return CRYPTO_WRONG;
    }
    return crypto_verify_any(&issuer->spki, c->sig_alg_der, c->tbs, c->signature);
}

/*= RFC 6960 4.2.2.2 "The key that signs a certificate's status information need not be the same key" */
static void signature(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_ocsp *o = s->ocsp;
    enum crypto_answer answer = signed_by(o, s->in->issuer);
    bool unknown = answer == CRYPTO_UNKNOWN;
    for (size_t i = 0; i < o->cert_count && answer != CRYPTO_FITS; i++) {
        answer = signed_by(o, &o->certs[i]);
        unknown = unknown || answer == CRYPTO_UNKNOWN;
        if (answer != CRYPTO_FITS) {
            continue;
        }
        enum crypto_answer by_issuer = delegated(s->in->issuer, &o->certs[i]);
        if (by_issuer == CRYPTO_WRONG) {
            lint_found(r, o->certs[i].der,
                       "the signer's certificate is none of the issuer's for OCSPSigning");
        } else if (by_issuer == CRYPTO_UNKNOWN) {
            lint_say(r, LINT_NA);
        }
        return;
    }
    if (answer == CRYPTO_FITS) {
        return;
    }
    if (unknown) {
        lint_say(r, LINT_NA);
        return;
    }
    lint_found(r, o->signature, "neither the issuer's key nor one that comes with the response made it");
}

/*= CABF-BR 7.1.2.10.7 "If a CA Certificate does not assert the digitalSignature bit, the CA Private Key MUST
 * NOT be used to sign an OCSP Response." */
static void signer_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->in->issuer->ext;
    if (e->has_key_usage && (e->key_usage & X509_KU_DIGITAL_SIGNATURE) == 0 &&
        signed_by(s->ocsp, s->in->issuer) == CRYPTO_FITS) {
        lint_found(r, s->ocsp->signature,
                   "the issuer's own key made it, whose keyUsage has no digitalSignature");
    }
}

/*= RFC 6960 3.2 "The signer is currently authorized to provide a response for the certificate in question" */
static void signer_in_time(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_ocsp *o = s->ocsp;
    for (size_t i = 0; i < o->cert_count; i++) {
        const struct x509_cert *c = &o->certs[i];
        if (o->produced_at.us < c->not_before.us || o->produced_at.us > c->not_after.us) {
            lint_found(r, c->validity, "the response was produced while this certificate was not valid");
        }
    }
}

static bool brings_certs(const struct lint_subject *s)
{
    return s->ocsp->cert_count > 0;
}

#define OCSP .source = LINT_LINTEL, .kinds = LINT_OCSP, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"lintel_issuance_ocsp_signature", OCSP,
     .asks = "the issuer made the signature, or whom it delegated that to", .citation = "RFC 6960 4.2.2.2",
     .when = LINT_WITH_ISSUER, .applies = is_basic, .check = signature},
    {"lintel_issuance_ocsp_signer_usage", OCSP,
     .asks = "a CA's key that signs responses has digitalSignature",
     .citation = "BR 7.1.2.10.7; SBR 7.1.2.1, 7.1.2.2", .when = LINT_WITH_ISSUER, .applies = is_basic,
     .check = signer_usage},
    {"lintel_issuance_ocsp_signer_valid", OCSP, .asks = "the signer's certificate was valid when it signed",
     .citation = "RFC 6960 3.2", .applies = brings_certs, .check = signer_in_time},
};
const struct lint_table lint_issuance_ocsp = LINT_TABLE(rows);
