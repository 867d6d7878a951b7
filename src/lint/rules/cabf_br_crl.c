/* TLS Baseline Requirements for CRLs, as zlint judges them. What zlint does not ask stands in
 * cabf_br_crl_profile.c. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/common.h"

static const struct x509_extension *find(const struct lint_subject *s, enum x509_oid oid)
{
    return x509_extension_find(&s->crl->ext, oid);
}

/* As zlint reads it: a field that is not where and what it looks for is skipped, and what comes behind is
 * not looked at. authorityCertIssuer in its right, constructed form is not seen therefore. */
static void key_id_alone(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = find(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    if (x == NULL) {
        return;
    }
    struct der_cursor c = der_open(x->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    lt_slice key_id = {0};
    lt_slice field = {0};
    bool present = der_optional(&seq, DER_CONTEXT(0), &key_id);
    bool issuer = der_optional(&seq, DER_CONTEXT(1), &field);
    bool serial = der_optional(&seq, DER_CONTEXT(2), &field);
    if (!der_ok(&seq) || der_more(&c)) {
        lint_found(r, x->der, "authorityKeyIdentifier does not decode");
    } else if (!present) {
        lint_found(r, x->der, "there is no keyIdentifier");
    } else if (issuer || serial) {
        lint_found(r, x->der, "there is %s", issuer ? "authorityCertIssuer" : "authorityCertSerialNumber");
    }
}

static const struct {
    enum x509_oid oid;
    bool critical;
} expected[] = {
    {X509_OID_CRL_NUMBER, false},
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, false},
    {X509_OID_ISSUING_DISTRIBUTION_POINT, true},
};

static size_t expected_index(enum x509_oid oid)
{
    size_t i = 0;
    while (i < LT_COUNT(expected) && expected[i].oid != oid) {
        i++;
    }
    return i;
}

static void extensions(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (expected_index(e->list[i].id.oid) == LT_COUNT(expected)) {
            lint_found_at(r, LINT_WARN, e->list[i].der, "an extension (%s) beyond the usual three",
                          x509_oid_name(e->list[i].id.oid));
            return;
        }
    }
    for (size_t i = 0; i < e->count; i++) {
        if (e->list[i].critical != expected[expected_index(e->list[i].id.oid)].critical) {
            lint_found(r, e->list[i].der, "%s is %scritical", x509_oid_name(e->list[i].id.oid),
                       e->list[i].critical ? "" : "not ");
            return;
        }
    }
}

static bool has_next_update(const struct lint_subject *s)
{
    return s->crl->has_next_update;
}

enum { SUBSCRIBER_DAYS = 10, CA_MONTHS = 12 };

/* Whom it is for: the role that was given knows better than an option, and so does the list when it says that
 * it holds CA certificates alone. */
static bool of_subscribers(const struct lint_subject *s)
{
    if (s->in->role != LINT_ROLE_AUTO) {
        return s->in->role == LINT_ROLE_SUBSCRIBER;
    }
    return s->config->crl_of_subscribers && !lint_is(s, LINT_CRL_OF_CAS);
}

static void next_update(const struct lint_subject *s, struct lint_report *r)
{
    int64_t begin = lt_time_seconds(s->crl->this_update);
    int64_t end = lt_time_seconds(s->crl->next_update);
    int64_t last = of_subscribers(s) ? begin + SUBSCRIBER_DAYS * LT_SECONDS_PER_DAY
                                     : lint_add_months(s->crl->this_update, CA_MONTHS);
    if (end > last) {
        lint_found(r, s->crl->tbs, "nextUpdate is %lld s after thisUpdate, at most %lld",
                   (long long)(end - begin), (long long)(last - begin));
    }
}

static void number(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = find(s, X509_OID_CRL_NUMBER);
    if (x == NULL) {
        lint_found(r, s->crl->tbs, "there is no cRLNumber");
        return;
    }
    struct der_cursor c = der_open(x->value);
    lt_slice n = der_read(&c, DER_INTEGER);
    if (n.len > 0 && n.ptr[0] >= 0x80) {
        lint_found(r, x->der, "the number is negative");
    } else if (n.len > 20) {
        lint_found(r, x->der, "a number of %zu bytes", n.len);
    }
}

#define BR .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CRL, .zlint = true

static const struct lint_rule rows[] = {
    {"e_crl_auth_key_id_only_contains_keyid", BR,
     .asks = "a CRL's authorityKeyIdentifier has a keyIdentifier and nothing else",
     .citation = "BR 7.2.2, 7.1.2.11.1", .effective = BR_2_0_1, .check = key_id_alone},
    {"e_crl_extensions_validity", BR,
     .asks = "a CRL has cRLNumber, authorityKeyIdentifier and a critical issuingDistributionPoint at most",
     .citation = "BR 7.2.2", .check = extensions},
    {"e_crl_next_update_invalid", BR,
     .asks = "a CRL's nextUpdate is at most 10 days after thisUpdate, 12 months for a CRL of CAs",
     .citation = "BR 7.2", .formerly = "BR 4.9.7", .effective = BR_1_8_7, .applies = has_next_update,
     .check = next_update},
    {"e_crl_number_out_of_range", BR, .asks = "a CRL's number is not negative and below 2^159",
     .citation = "BR 7.2.2", .check = number},
};
const struct lint_table lint_cabf_br_crl = LINT_TABLE(rows);
