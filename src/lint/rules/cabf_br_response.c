/* TLS Baseline Requirements 7.3 and 4.9.9 on OCSP responses. Whether the certificates that a response speaks
 * of are CAs' or subscribers' is said by the role: the response itself does not tell. */
#include "lint/ocsp.h"
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/key_alg.h"

/*= CABF-BR 7.3.2 "The singleExtensions of an OCSP response MUST NOT contain the reasonCode" */
static void no_reason_extension(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct x509_extension *x = x509_extension_find(&s->ocsp->responses[i].ext,
                                                             X509_OID_REASON_CODE);
        if (x != NULL) {
            lint_found(r, x->der, "response %zu has reasonCode among its extensions", i + 1);
        }
    }
}

enum { REASON_HOLD = 6, REASON_UNUSED = 7, REASON_REMOVE = 8, REASON_LAST = 9 };

/*= CABF-BR 7.3 "The CRLReason indicated MUST contain a value permitted for CRLs, as specified in Section
 *= 7.2.2." */
static void reason(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *one = &s->ocsp->responses[i];
        if (one->has_reason &&
            (one->reason == 0 || one->reason == REASON_HOLD || one->reason == REASON_UNUSED ||
             one->reason == REASON_REMOVE || one->reason > REASON_LAST)) {
            lint_found(r, one->der, "response %zu has reason %u", i + 1, one->reason);
        }
    }
}

static bool of_cas(const struct lint_subject *s)
{
    enum lint_role role = s->in->role;
    return role == LINT_ROLE_ROOT || role == LINT_ROLE_CROSS_CA || role == LINT_ROLE_SUB_CA;
}

/*= CABF-BR 7.3 "If an OCSP response is for a Root CA or Subordinate CA Certificate … and that certificate has
 *= been revoked, then the revocationReason field … MUST be present." */
static void ca_reason(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *one = &s->ocsp->responses[i];
        if (one->status == LINT_OCSP_REVOKED && !one->has_reason) {
            lint_found(r, one->der, "response %zu revokes a CA without a reason", i + 1);
        }
    }
}

static bool of_subscribers(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_SUBSCRIBER;
}

enum { INTERVAL_S_MIN = 8 * 3600, INTERVAL_S_MAX = 10 * 86400 };

/*= CABF-BR 4.9.9 "OCSP responses for Subscriber Certificates MUST have a validity interval greater than or
 * equal to eight hours and less than or equal to ten days." */
static void interval(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *one = &s->ocsp->responses[i];
        int64_t seconds = lt_time_seconds(one->next_update) - lt_time_seconds(one->this_update) + 1;
        if (!one->has_next_update) {
            lint_found(r, one->der, "response %zu has no nextUpdate", i + 1);
        } else if (seconds < INTERVAL_S_MIN || seconds > INTERVAL_S_MAX) {
            lint_found(r, one->der, "response %zu is valid for %lld s", i + 1, (long long)seconds);
        }
    }
}

static bool is_signed(const struct lint_subject *s)
{
    return s->ocsp->basic;
}

/*= CABF-BR 7.1.3.2 "All objects signed by a CA Private Key MUST conform to these requirements" */
static void encoding(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice at = s->ocsp->sig_alg_der;
    enum x509_sig_alg known = x509_sig_alg_find(at);
    bool sha1 = lint_sig_alg(at) == LINT_SIG_ALG_RSA_SHA1;
    if ((known == X509_SIG_UNKNOWN || known == X509_SIG_ED25519) && !sha1 && !lint_pss_usual(at)) {
        lint_found(r, at, "the %zu bytes are none of the fixed forms", at.len);
    }
}

/*= CABF-BR 7.1.3.2.1 "The producedAt field value of the ResponseData MUST be earlier than 2022-06-01" */
static void sha1(const struct lint_subject *s, struct lint_report *r)
{
    enum lint_sig_alg alg = lint_sig_alg(s->ocsp->sig_alg_der);
    int64_t last = LINT_DAY(2022, 6, 1) * LT_SECONDS_PER_DAY;
    if ((alg == LINT_SIG_ALG_RSA_SHA1 || alg == LINT_SIG_ALG_ECDSA_SHA1) &&
        lt_time_seconds(s->ocsp->produced_at) >= last) {
        lint_found(r, s->ocsp->sig_alg_der, "a signature with SHA-1");
    }
}

#define BR .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_OCSP
#define REASONS LINT_DAY(2020, 9, 30)

static const struct lint_rule rows[] = {
    {"lintel_br_response_reason_extension", BR, .asks = "no single response has reasonCode as an extension",
     .citation = "BR 7.3.2", .effective = REASONS, .check = no_reason_extension},
    {"lintel_br_response_reason", BR,
     .asks = "a reason of revocation is one that CRLs may have, and left out when it is unspecified",
     .citation = "BR 7.3, 7.2.2", .effective = BR_2_0_1, .check = reason},
    {"lintel_br_response_ca_reason", BR, .asks = "the revocation of a CA has a reason", .citation = "BR 7.3",
     .effective = REASONS, .applies = of_cas, .check = ca_reason},
    {"lintel_br_response_interval", BR,
     .asks = "a response on a subscriber certificate is valid for 8 hours to 10 days", .citation = "BR 4.9.9",
     .formerly = "BR 4.9.10", .effective = REASONS, .applies = of_subscribers, .check = interval},
    {"lintel_br_response_signature_encoding", BR,
     .asks = "the algorithm of a response's signature is encoded as one of the fixed byte strings",
     .citation = "BR 7.1.3.2", .effective = BR_1_7_1, .applies = is_signed, .check = encoding},
    {"lintel_br_response_signature_sha1", BR, .asks = "from 2022-06-01 on no response is signed with SHA-1",
     .citation = "BR 7.1.3.2.1", .applies = is_signed, .check = sha1},
};
const struct lint_table lint_cabf_br_response = LINT_TABLE(rows);
