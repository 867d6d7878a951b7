/* TLS Baseline Requirements 7.2 on CRLs, where zlint does not ask or asks otherwise. */
#include "lint/crl_facts.h"
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/common.h"

static lt_slice ext_at(const struct lint_subject *s, enum x509_oid oid)
{
    const struct x509_extension *x = x509_extension_find(&s->crl->ext, oid);
    return x == NULL ? s->crl->tbs : x->der;
}

/* Does it cover CA certificates: by the role that was given, else by what it says itself. */
static bool of_cas(const struct lint_subject *s)
{
    enum lint_role role = s->in->role;
    return role == LINT_ROLE_AUTO
               ? s->crl->ext.idp_only_ca
               : role == LINT_ROLE_ROOT || role == LINT_ROLE_CROSS_CA || role == LINT_ROLE_SUB_CA;
}

static bool of_subscribers(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_AUTO ? s->crl->ext.idp_only_user : s->in->role == LINT_ROLE_SUBSCRIBER;
}

enum { SUBSCRIBER_DAYS = 10, CA_MONTHS = 12 };

/*= CABF-BR 7.2 "For CRLs covering Subscriber Certificates, at most 10 days after the thisUpdate. For other
 *= CRLs, at most 12 months after the thisUpdate." */
static void next_update(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_crl *c = s->crl;
    if (!c->has_next_update) {
        lint_found(r, c->tbs, "there is no nextUpdate");
        return;
    }
    int64_t begin = lt_time_seconds(c->this_update);
    int64_t last = of_subscribers(s) ? begin + SUBSCRIBER_DAYS * LT_SECONDS_PER_DAY
                                     : lint_add_months(c->this_update, CA_MONTHS);
    if (lt_time_seconds(c->next_update) > last) {
        lint_found(r, c->tbs, "nextUpdate is %lld s after thisUpdate, at most %lld",
                   (long long)(lt_time_seconds(c->next_update) - begin), (long long)(last - begin));
    }
}

/*= CABF-BR 7.2 "Encoded value MUST be byte-for-byte identical to the tbsCertList.signature" */
static void algorithms(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->outer_sig_alg_der.len > 0 && !lt_slice_eq(s->crl->outer_sig_alg_der, s->crl->sig_alg_der)) {
        lint_found(r, s->crl->outer_sig_alg_der, "the algorithm is not byte for byte the inner one");
    }
}

/*= CABF-BR 7.2.2 "authorityKeyIdentifier MUST N See Section 7.1.2.11.1" */
static void aki(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    lt_slice at = ext_at(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    if (!e->has_aki || e->aki_key_id.len == 0) {
        lint_found(r, at, "there is no %s", e->has_aki ? "keyIdentifier" : "authorityKeyIdentifier");
    }
    if (e->aki_issuer.count > 0 || e->aki_serial.len > 0) {
        lint_found(r, at, "there is %s in authorityKeyIdentifier",
                   e->aki_issuer.count > 0 ? "authorityCertIssuer" : "authorityCertSerialNumber");
    }
}

/*= CABF-BR 7.2.2 "Any other extension NOT RECOMMENDED" */
static void other_extension(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    for (size_t i = 0; i < e->count; i++) {
        enum x509_oid oid = e->list[i].id.oid;
        if (oid != X509_OID_AUTHORITY_KEY_IDENTIFIER && oid != X509_OID_CRL_NUMBER &&
            oid != X509_OID_ISSUING_DISTRIBUTION_POINT) {
            lint_found(r, e->list[i].der, "extension %zu (%s)", i + 1,
                       lint_oid_label(s, e->list[i].id.der, oid));
        }
    }
}

/* zlint looks no further when there is an extension that it does not know. */
/*= CABF-BR 7.2.2 "CRLNumber MUST N", "IssuingDistributionPoint * Y" */
static void criticality(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    for (size_t i = 0; i < e->count; i++) {
        enum x509_oid oid = e->list[i].id.oid;
        bool should = oid == X509_OID_ISSUING_DISTRIBUTION_POINT;
        bool asked = should || oid == X509_OID_AUTHORITY_KEY_IDENTIFIER || oid == X509_OID_CRL_NUMBER;
        if (asked && e->list[i].critical != should) {
            lint_found(r, e->list[i].der, "%s is %scritical", x509_oid_name(oid), should ? "not " : "");
        }
    }
}

/*= CABF-BR 7.2.2.1 "The distributionPoint field of the Issuing Distribution Point extension MUST be present."
 */
static void idp(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    lt_slice at = ext_at(s, X509_OID_ISSUING_DISTRIBUTION_POINT);
    if (e->has_idp && e->idp.names.count == 0) {
        lint_found(r, at, "there is no fullName");
    }
    for (size_t i = 0; i < e->idp.names.count; i++) {
        if (e->idp.names.list[i].type != X509_GN_URI) {
            lint_found(r, e->idp.names.list[i].value, "name %zu is no URL, but name form %d", i + 1,
                       (int)e->idp.names.list[i].type);
        }
    }
    if (e->idp_indirect || e->idp_only_attribute) {
        lint_found(r, at, "%s is TRUE", e->idp_indirect ? "indirectCRL" : "onlyContainsAttributeCerts");
    }
    if (e->idp_only_user && e->idp_only_ca) {
        lint_found(r, at, "both onlyContainsUserCerts and onlyContainsCACerts are TRUE");
    }
}

/*= CABF-BR 7.2.2.1 "The onlySomeReasons field SHOULD NOT be included" */
static void idp_reasons(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->ext.idp.has_reasons) {
        lint_found(r, ext_at(s, X509_OID_ISSUING_DISTRIBUTION_POINT), "onlySomeReasons is there");
    }
}

enum { REASON_CA = 2, REASON_HOLD = 6, REASON_UNUSED = 7, REASON_REMOVE = 8, REASON_AA = 10 };

/*= CABF-BR 7.2.2 "certificateHold 6 MUST NOT be included"; "unspecified 0 Represented by the omission of a
 *= reasonCode" */
static const struct {
    uint32_t reason;
    const char *why;
} wrong_reasons[] = {
    {0, "unspecified is written out"},
    {REASON_HOLD, "certificateHold"},
    {REASON_UNUSED, "7 is no reason"},
    {REASON_AA, "aACompromise is for attribute certificates"},
    {REASON_AA + 1, "a reason that there is not"},
};

/* The first of its kind is enough: there may be millions. */
static void reasons(const struct lint_subject *s, struct lint_report *r)
{
    const lt_slice *seen = s->crl_facts->reason;
    for (size_t i = 0; i < LT_COUNT(wrong_reasons); i++) {
        if (seen[wrong_reasons[i].reason].len > 0) {
            lint_found(r, seen[wrong_reasons[i].reason], "an entry's reason: %s", wrong_reasons[i].why);
        }
    }
    if (seen[REASON_CA].len > 0 && of_subscribers(s)) {
        lint_found(r, seen[REASON_CA], "an entry's reason: cACompromise is not for subscriber certificates");
    }
    if (seen[REASON_REMOVE].len > 0 && !lint_is(s, LINT_CRL_IS_DELTA)) {
        lint_found(r, seen[REASON_REMOVE], "an entry's reason: removeFromCRL in a CRL that is no delta");
    }
}

/*= CABF-BR 7.2.2 "MUST NOT be marked critical"; 7.2 "CAs MUST NOT issue indirect CRLs" */
static void entry_extensions(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->reason_critical.len > 0) {
        lint_found(r, s->crl_facts->reason_critical, "an entry with a critical reasonCode");
    }
    if (s->crl_facts->issuer.len > 0) {
        lint_found(r, s->crl_facts->issuer, "an entry with certificateIssuer");
    }
}

/*= CABF-BR 7.2.2 "MUST be present unless the CRL entry is for a Certificate not technically capable" */
static void ca_reason(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->reason_absent.len > 0) {
        lint_found(r, s->crl_facts->reason_absent, "an entry of a CA without a reason");
    }
}

/*= CABF-BR 7.2.2 "Any other value NOT RECOMMENDED" */
static void other_entry_extension(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->extension_other.len > 0) {
        lint_found(r, s->crl_facts->extension_other, "an entry with %s",
                   lint_oid_label(s, s->crl_facts->extension_other_id,
                                  x509_oid_find(s->crl_facts->extension_other_id)));
    }
}

#define BR(level_) .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CRL, .effective = BR_2_0_1

static const struct lint_rule rows[] = {
    {"lintel_br_crl_next_update", .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CRL,
     .asks =
         "a CRL's nextUpdate is there, at most 12 months after thisUpdate, 10 days in a CRL of subscribers",
     .citation = "BR 7.2", .formerly = "BR 4.9.7", .effective = BR_1_8_7, .check = next_update},
    {"lintel_br_crl_algorithms", BR(LINT_ERROR), .asks = "both algorithms of a CRL are the same bytes",
     .citation = "BR 7.2", .check = algorithms},
    {"lintel_br_crl_aki", BR(LINT_ERROR),
     .asks = "a CRL has authorityKeyIdentifier with a keyIdentifier and nothing else",
     .citation = "BR 7.2.2, 7.1.2.11.1", .check = aki},
    {"lintel_br_crl_other_extension", BR(LINT_WARN),
     .asks = "a CRL has no extensions beyond those of the profile", .citation = "BR 7.2.2",
     .check = other_extension},
    {"lintel_br_crl_criticality", BR(LINT_ERROR),
     .asks = "of a CRL's extensions only issuingDistributionPoint is critical", .citation = "BR 7.2.2",
     .check = criticality},
    {"lintel_br_crl_idp", BR(LINT_ERROR),
     .asks =
         "issuingDistributionPoint has URLs, is not indirect, not for attribute certificates, and not for "
         "users and CAs at once",
     .citation = "BR 7.2.2.1", .when = LINT_CRL_HAS_IDP, .check = idp},
    {"lintel_br_crl_idp_reasons", BR(LINT_WARN), .asks = "issuingDistributionPoint is for all reasons",
     .citation = "BR 7.2.2.1", .when = LINT_CRL_HAS_IDP, .check = idp_reasons},
    {"lintel_br_crl_reason", BR(LINT_ERROR),
     .asks = "an entry's reason is one that a CA may give, and is left out when it is unspecified",
     .citation = "BR 7.2.2", .formerly = "BR 4.9.12", .when = LINT_CRL_HAS_ENTRIES, .check = reasons},
    {"lintel_br_crl_entry_extensions", BR(LINT_ERROR),
     .asks = "an entry's reasonCode is not critical, and no entry is of another issuer",
     .citation = "BR 7.2, 7.2.2", .when = LINT_CRL_HAS_ENTRIES, .check = entry_extensions},
    {"lintel_br_crl_ca_reason", BR(LINT_ERROR), .asks = "an entry of a CA certificate has a reason",
     .citation = "BR 7.2.2", .when = LINT_CRL_HAS_ENTRIES, .applies = of_cas, .check = ca_reason},
    {"lintel_br_crl_other_entry_extension", BR(LINT_WARN), .asks = "an entry has no extension but reasonCode",
     .citation = "BR 7.2.2", .when = LINT_CRL_HAS_ENTRIES, .check = other_entry_extension},
};
const struct lint_table lint_cabf_br_crl_profile = LINT_TABLE(rows);
