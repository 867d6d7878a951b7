/* From bytes to facts: decodes the object once and finds out what it is and what is in it. */
#include "lint/subject.h"

#include <string.h>

#include "lint/rules.h"

static const struct {
    enum x509_oid oid;
    uint64_t fact;
} extension_facts[] = {
    {X509_OID_BASIC_CONSTRAINTS, LINT_HAS_BC},
    {X509_OID_KEY_USAGE, LINT_HAS_KU},
    {X509_OID_EXTENDED_KEY_USAGE, LINT_HAS_EKU},
    {X509_OID_SUBJECT_ALT_NAME, LINT_HAS_SAN},
    {X509_OID_ISSUER_ALT_NAME, LINT_HAS_IAN},
    {X509_OID_CERTIFICATE_POLICIES, LINT_HAS_CP},
    {X509_OID_AUTHORITY_INFO_ACCESS, LINT_HAS_AIA},
    {X509_OID_CRL_DISTRIBUTION_POINTS, LINT_HAS_CDP},
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, LINT_HAS_AKI},
    {X509_OID_SUBJECT_KEY_IDENTIFIER, LINT_HAS_SKI},
    {X509_OID_NAME_CONSTRAINTS, LINT_HAS_NC},
    {X509_OID_SUBJECT_INFO_ACCESS, LINT_HAS_SIA},
    {X509_OID_POLICY_MAPPINGS, LINT_HAS_POLICY_MAPPINGS},
    {X509_OID_POLICY_CONSTRAINTS, LINT_HAS_POLICY_CONSTRAINTS},
    {X509_OID_INHIBIT_ANY_POLICY, LINT_HAS_INHIBIT_ANY},
    {X509_OID_SCT_LIST, LINT_HAS_SCT},
    {X509_OID_FRESHEST_CRL, LINT_HAS_FRESHEST},
    {X509_OID_CT_POISON, LINT_IS_PRECERT},
};

static const struct {
    enum x509_oid oid;
    uint64_t fact;
} policy_facts[] = {
    {X509_OID_POLICY_DV, LINT_IS_DV},
    {X509_OID_POLICY_OV, LINT_IS_OV},
    {X509_OID_POLICY_IV, LINT_IS_IV},
    {X509_OID_POLICY_EV, LINT_IS_EV | LINT_IS_EV_ANY},
};
#define TLS_POLICIES (LINT_IS_DV | LINT_IS_OV | LINT_IS_IV | LINT_IS_EV)

static uint64_t content_facts(const struct x509_cert *c)
{
    uint64_t facts = 0;
    for (size_t i = 0; i < c->ext.count; i++) {
        for (size_t k = 0; k < LT_COUNT(extension_facts); k++) {
            facts |= c->ext.list[i].id.oid == extension_facts[k].oid ? extension_facts[k].fact : 0;
        }
    }
    for (size_t i = 0; i < c->ext.policy_count; i++) {
        for (size_t k = 0; k < LT_COUNT(policy_facts); k++) {
            facts |= c->ext.policies[i].id.oid == policy_facts[k].oid ? policy_facts[k].fact : 0;
        }
    }
    for (size_t i = 0; i < c->ext.san.count; i++) {
        facts |= c->ext.san.list[i].type == X509_GN_DNS ? LINT_HAS_DNS : 0;
    }
    facts |= c->ext.count > 0 ? LINT_HAS_EXTENSIONS : 0;
    facts |= c->subject.count > 0 ? LINT_HAS_SUBJECT : 0;
    facts |= x509_name_find(&c->subject, X509_OID_CN, 0) != NULL ? LINT_HAS_CN : 0;
    facts |= c->spki.type == X509_KEY_RSA ? LINT_HAS_RSA : 0;
    facts |= c->spki.type == X509_KEY_P256 || c->spki.type == X509_KEY_P384 || c->spki.type == X509_KEY_P521
                 ? LINT_HAS_EC
                 : 0;
    return facts;
}

/* What it is, by its contents. */
static uint64_t guessed_role(const struct x509_cert *c)
{
    bool self = lt_slice_eq(c->subject.der, c->issuer.der);
    uint64_t facts = self ? LINT_IS_SELF_ISSUED | LINT_IS_SELF_SIGNED : 0;
    if (c->ext.ca) {
        facts |= LINT_IS_CA | (self ? LINT_IS_ROOT : LINT_IS_SUB_CA);
    } else if (!self) {
        facts |= LINT_IS_SUBSCRIBER;
    }
    if (!c->ext.ca && x509_has_eku(&c->ext, X509_OID_OCSP_SIGNING)) {
        facts |= LINT_IS_OCSP_RESPONDER;
    }
    return facts;
}

static const uint64_t role_facts[LINT_ROLE_COUNT] = {
    [LINT_ROLE_ROOT] = LINT_IS_CA | LINT_IS_ROOT | LINT_IS_SELF_SIGNED | LINT_IS_SELF_ISSUED,
    [LINT_ROLE_CROSS_CA] = LINT_IS_CA | LINT_IS_SUB_CA | LINT_IS_CROSS_CA,
    [LINT_ROLE_SUB_CA] = LINT_IS_CA | LINT_IS_SUB_CA,
    [LINT_ROLE_SUBSCRIBER] = LINT_IS_SUBSCRIBER,
    [LINT_ROLE_OCSP_RESPONDER] = LINT_IS_SUBSCRIBER | LINT_IS_OCSP_RESPONDER,
};

static uint64_t guessed_purpose(const struct x509_cert *c, uint64_t facts)
{
    bool any = !c->ext.has_eku || x509_has_eku(&c->ext, X509_OID_ANY_EXTENDED_KEY_USAGE);
    if (any || x509_has_eku(&c->ext, X509_OID_SERVER_AUTH) || (facts & TLS_POLICIES) != 0) {
        facts |= LINT_IS_SERVER_AUTH;
    }
    if (x509_has_eku(&c->ext, X509_OID_SERVER_AUTH) || (facts & TLS_POLICIES) != 0 ||
        ((facts & LINT_IS_CA) != 0 && any)) {
        facts |= LINT_IS_TLS;
    }
    return facts;
}

static int64_t day_of(lt_time t)
{
    int64_t seconds = lt_time_seconds(t);
    return seconds >= 0 ? seconds / LT_SECONDS_PER_DAY
                        : (seconds - LT_SECONDS_PER_DAY + 1) / LT_SECONDS_PER_DAY;
}

static uint64_t input_facts(const struct lint_input *in)
{
    return (in->issuer != NULL ? LINT_WITH_ISSUER : 0) |
           (in->precertificate != NULL ? LINT_WITH_PRECERT : 0) |
           (in->signing_time.us != 0 ? LINT_WITH_TIME : 0) |
           (in->evidence != NULL && in->evidence->known ? LINT_WITH_EVIDENCE : 0) |
           (in->bare ? LINT_IS_BARE : 0);
}

/* The day whose rules count. dated: what the object says of itself. */
static int64_t day_that_counts(const struct lint_input *in, lt_time dated)
{
    return day_of(in->as_of.us != 0 ? in->as_of : in->signing_time.us != 0 ? in->signing_time : dated);
}

lt_res lint_subject_init(struct lint_subject *s, const struct lint_input *in, struct lt_arena *a)
{
    static const struct lint_config defaults = {.crl_of_subscribers = true, .fermat_rounds = 100};
    *s = (struct lint_subject){
        .in = in, .der = in->der, .arena = a, .config = in->config == NULL ? &defaults : in->config};
    s->facts = input_facts(in);
    if (in->kind == LINT_CERTIFICATE) {
        s->cert = in->cert;
        s->facts |= LINT_IS_READABLE | content_facts(s->cert);
        s->facts |= in->role == LINT_ROLE_AUTO ? guessed_role(s->cert) : role_facts[in->role];
        s->facts = guessed_purpose(s->cert, s->facts);
        s->der = in->der.len > 0 ? in->der : s->cert->der.len > 0 ? s->cert->der : s->cert->tbs;
        s->day = day_that_counts(in, s->cert->not_before);
    }
    if (in->kind == LINT_CRL) {
        s->crl = in->crl;
        s->facts |= LINT_IS_READABLE;
        s->der = in->der.len > 0 ? in->der : s->crl->der.len > 0 ? s->crl->der : s->crl->tbs;
        s->day = day_that_counts(in, s->crl->this_update);
    }
    return LT_OK;
}
