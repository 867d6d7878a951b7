/* S/MIME Baseline Requirements 4.9 and 7.2 on CRLs, OCSP responses and who signs these. None of them says
 * what the certificates are for: these rows speak only where an S/MIME profile is given, and whether they are
 * of CAs or of subscribers is said by the role, in a CRL else by its issuingDistributionPoint. */
#include "lint/crl_facts.h"
#include "lint/ocsp.h"
#include "lint/profiles.h"
#include "lint/rules/common.h"

enum { SUBSCRIBER_DAYS = 10, CA_MONTHS = 12, INTERVAL_S_MIN = 8 * 3600, INTERVAL_S_MAX = 10 * 86400 };
enum { REASON_HOLD = 6, REASON_UNUSED = 7, REASON_REMOVE = 8, REASON_LAST = 10 };

static bool of_mail(const struct lint_subject *s)
{
    return (lint_profile_facts(s->in->profile) & LINT_IS_SMIME) != 0;
}

static bool of_cas(const struct lint_subject *s)
{
    enum lint_role role = s->in->role;
    return role == LINT_ROLE_ROOT || role == LINT_ROLE_CROSS_CA || role == LINT_ROLE_SUB_CA ||
           (role == LINT_ROLE_AUTO && lint_is(s, LINT_CRL_OF_CAS));
}

static bool of_mail_cas(const struct lint_subject *s)
{
    return of_mail(s) && of_cas(s);
}

static bool of_mail_subscribers(const struct lint_subject *s)
{
    return of_mail(s) && s->in->role == LINT_ROLE_SUBSCRIBER;
}

static bool of_mail_responder(const struct lint_subject *s)
{
    return of_mail(s) && (lint_is(s, LINT_IS_OCSP_RESPONDER) || s->in->role == LINT_ROLE_OCSP_RESPONDER);
}

static bool says_subscribers(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_SUBSCRIBER ||
           (s->in->role == LINT_ROLE_AUTO && s->crl->ext.idp_only_user);
}

/*= CABF-SBR 4.9.7 "the value of the nextUpdate field SHALL NOT be more than ten days beyond the value of the
 *= thisUpdate field" */
/*= CABF-SBR 4.9.7 "The value of the nextUpdate field SHALL NOT be more than twelve months beyond the value of
 *the = thisUpdate field." */
static void next_update(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_crl *c = s->crl;
    int64_t begin = lt_time_seconds(c->this_update);
    int64_t last = says_subscribers(s) ? begin + SUBSCRIBER_DAYS * LT_SECONDS_PER_DAY
                                       : lint_add_months(c->this_update, CA_MONTHS);
    if (!c->has_next_update) {
        lint_found(r, c->tbs, "there is no nextUpdate");
    } else if (lt_time_seconds(c->next_update) > last) {
        lint_found(r, c->tbs, "nextUpdate is %lld s after thisUpdate, at most %lld",
                   (long long)(lt_time_seconds(c->next_update) - begin), (long long)(last - begin));
    }
}

/*= CABF-SBR 7.2.2 "If a CRL entry is for a Root CA or Subordinate CA Certificate, including Cross
 *Certificates, = this CRL entry extension SHALL be present." */
/*= CABF-SBR 7.2.2 "The CRLreason of certificateHold (6) SHALL NOT be used for Root CA or Subordinate CA
 *= Certificates." */
static void ca_reason(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_crl_facts *f = s->crl_facts;
    if (f->reason_absent.len > 0) {
        lint_found(r, f->reason_absent, "an entry of a CA without a reason");
    }
    if (f->reason[REASON_HOLD].len > 0) {
        lint_found(r, f->reason[REASON_HOLD], "an entry of a CA is on hold");
    }
}

/*= CABF-SBR 7.3.2 "The singleExtensions of an OCSP response SHALL NOT contain the reasonCode" */
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

/*= CABF-SBR 7.3 "The CRLReason indicated SHALL contain a value permitted for CRLs, as specified in Section
 *= 7.2.2." */
static void response_reason(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *one = &s->ocsp->responses[i];
        bool wrong = one->reason == 0 || one->reason == REASON_UNUSED || one->reason == REASON_REMOVE ||
                     one->reason > REASON_LAST || (one->reason == REASON_HOLD && of_cas(s));
        if (one->has_reason && wrong) {
            lint_found(r, one->der, "response %zu has reason %u", i + 1, one->reason);
        }
    }
}

/*= CABF-SBR 7.3 "If an OCSP response is for a Root CA or Subordinate CA Certificate … and that Certificate
 *has = been revoked, then the revocationReason field … SHALL be present." */
static void response_ca_reason(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *one = &s->ocsp->responses[i];
        if (one->status == LINT_OCSP_REVOKED && !one->has_reason) {
            lint_found(r, one->der, "response %zu revokes a CA without a reason", i + 1);
        }
    }
}

/*= CABF-SBR 4.9.10 "OCSP responses SHALL have a validity interval greater than or equal to eight hours" */
/*= CABF-SBR 4.9.10 "OCSP responses SHALL have a validity interval less than or equal to ten days" */
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

/*= CABF-SBR 4.9.9 "the OCSP signing Certificate SHALL contain the ocspSigning EKU (1.3.6.1.5.5.7.3.9) and an
 *= extension of type id-pkix-ocsp-nocheck" */
static void responder(const struct lint_subject *s, struct lint_report *r)
{
    if (!x509_has_eku(&s->cert->ext, X509_OID_OCSP_SIGNING)) {
        lint_found(r, s->cert->tbs, "OCSPSigning is not among the key purposes");
    }
    if (lint_ext(s, X509_OID_OCSP_NO_CHECK) == NULL) {
        lint_found(r, s->cert->tbs, "there is no id-pkix-ocsp-nocheck");
    }
}

#define SMIME(kind_) \
    .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR, .kinds = (kind_), .effective = LINT_DAY(2023, 9, 1)

static const struct lint_rule rows[] = {
    {"lintel_smime_crl_next_update", SMIME(LINT_CRL),
     .asks = "nextUpdate is there, at most 12 months after thisUpdate, 10 days in a CRL of subscribers",
     .citation = "SBR 4.9.7", .applies = of_mail, .check = next_update},
    {"lintel_smime_crl_ca_reason", SMIME(LINT_CRL), .asks = "an entry of a CA has a reason, and not hold",
     .citation = "SBR 7.2.2", .when = LINT_CRL_HAS_ENTRIES, .applies = of_mail_cas, .check = ca_reason},
    {"lintel_smime_response_reason_extension", SMIME(LINT_OCSP),
     .asks = "no single response has reasonCode as an extension", .citation = "SBR 7.3.2", .applies = of_mail,
     .check = no_reason_extension},
    {"lintel_smime_response_reason", SMIME(LINT_OCSP),
     .asks = "a reason of revocation is one that CRLs may have", .citation = "SBR 7.3, 7.2.2",
     .applies = of_mail, .check = response_reason},
    {"lintel_smime_response_ca_reason", SMIME(LINT_OCSP), .asks = "the revocation of a CA has a reason",
     .citation = "SBR 7.3", .applies = of_mail_cas, .check = response_ca_reason},
    {"lintel_smime_responder", SMIME(LINT_CERTIFICATE), .any_purpose = true,
     .asks = "a responder's certificate is for OCSPSigning and has id-pkix-ocsp-nocheck",
     .citation = "SBR 4.9.9", .applies = of_mail_responder, .check = responder},
    {"lintel_smime_response_interval", SMIME(LINT_OCSP),
     .asks = "a response on a subscriber certificate is valid for 8 hours to 10 days",
     .citation = "SBR 4.9.10", .applies = of_mail_subscribers, .check = interval},
};
const struct lint_table lint_cabf_smime_status = LINT_TABLE(rows);
