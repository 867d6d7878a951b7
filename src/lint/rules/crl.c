/* RFC 5280 section 5 and BR 7.2: CRLs. */
#include "lint/rules.h"

static void number_and_aki(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    if (!e->has_crl_number) {
        lint_found(r, s->crl->tbs, "there is no cRLNumber");
    }
    if (!e->has_aki || e->aki_key_id.len == 0) {
        lint_found(r, s->crl->tbs, "there is no authorityKeyIdentifier");
    }
}

static void version_2(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->version != 2) {
        lint_found(r, s->crl->tbs, "a CRL of version %u", s->crl->version);
    }
}

static void next_update(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_crl *c = s->crl;
    if (!c->has_next_update || c->next_update.us <= c->this_update.us) {
        lint_found(r, c->tbs, "there is no nextUpdate behind thisUpdate");
    }
}

static void next_update_near(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_crl *c = s->crl;
    int64_t life = lt_time_seconds(c->next_update) - lt_time_seconds(c->this_update);
    if (c->has_next_update && life > r->rule->value) {
        lint_found(r, c->tbs, "%lld s behind thisUpdate: at most %lld", (long long)life,
                   (long long)r->rule->value);
    }
}

static void reasons(const struct lint_subject *s, struct lint_report *r)
{
    struct der_notes scratch;
    struct der_cursor at = x509_crl_entries(s->crl, &scratch);
    struct x509_crl_entry e;
    while (x509_crl_next(&at, &e)) {
        if (e.has_reason && (e.reason == 0 || e.reason == r->rule->value)) {
            lint_found(r, e.serial, "an entry with reason %u", e.reason);
            return; /* one says it: there may be millions */
        }
    }
}

static void crl_issuer(const struct lint_subject *s, struct lint_report *r)
{
    if (!lt_slice_eq(s->crl->issuer.der, s->in->issuer->subject.der)) {
        lint_found(r, s->crl->issuer.der, "the issuer is not byte for byte its certificate's subject");
    }
    if (s->in->issuer->ext.has_ski && !lt_slice_eq(s->crl->ext.aki_key_id, s->in->issuer->ext.ski)) {
        lint_found(r, s->crl->ext.aki_key_id, "it is not the issuer's subjectKeyIdentifier");
    }
}

static bool for_subscribers(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_SUBSCRIBER;
}

#define CRL(source_) .source = (source_), .kinds = LINT_CRL, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"rfc5280.crl-version", CRL(LINT_RFC5280),
     .citation = "RFC 5280 5.1.2.1 \"When extensions are used … this field MUST be present and MUST specify "
                 "version 2\"",
     .check = version_2},
    {"rfc5280.crl-extensions", CRL(LINT_RFC5280),
     .citation = "RFC 5280 5.2 \"CRL issuers are REQUIRED to include the authority key identifier (Section "
                 "5.2.1) and "
                 "the CRL number (Section 5.2.3) extensions in all CRLs issued.\"",
     .check = number_and_aki},
    {"rfc5280.crl-next-update", CRL(LINT_RFC5280),
     .citation = "RFC 5280 5.1.2.5 \"Conforming CRL issuers MUST include the nextUpdate field in all CRLs.\"",
     .check = next_update},
    {"rfc5280.crl-issuer", CRL(LINT_RFC5280),
     .citation =
         "RFC 5280 5.1.2.3 \"The issuer name identifies the entity that has signed and issued the CRL.\"",
     .when = LINT_WITH_ISSUER, .check = crl_issuer},
    {"rfc5280.crl-reason", CRL(LINT_RFC5280),
     .citation = "RFC 5280 5.3.1 \"the reason code CRL entry extension SHOULD be absent instead of using the "
                 "unspecified "
                 "(0) reasonCode value\"; removeFromCRL (8) \"may only appear in delta CRLs\"",
     .check = reasons, .value = 8},
    {"br.crl-next-update", CRL(LINT_CABF_BR),
     .citation = "CABF-BR 7.2 nextUpdate: at most 10 days after thisUpdate", .applies = for_subscribers,
     .check = next_update_near, .value = 10 * 86400},
    {"br.crl-no-hold", CRL(LINT_CABF_BR),
     .citation = "CABF-BR 7.2.2 \"certificateHold (6)\" MUST NOT be used", .check = reasons, .value = 6},
};
const struct lint_table lint_rfc5280_crl = LINT_TABLE(rows);
