/* RFC 5280 section 5, what zlint does not ask of CRLs. */
#include "lint/crl_facts.h"
#include "lint/rules/rfc.h"

static const struct x509_extension *find(const struct lint_subject *s, enum x509_oid oid)
{
    return x509_extension_find(&s->crl->ext, oid);
}

static void version_2(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->version != 2) {
        lint_found(r, s->crl->tbs, "a CRL of version %u", s->crl->version);
    }
}

static void algorithms_same(const struct lint_subject *s, struct lint_report *r)
{
    if (!lt_slice_eq(s->crl->sig_alg_der, s->crl->outer_sig_alg_der)) {
        lint_found(r, s->crl->outer_sig_alg_der, "the signature algorithm inside is another one");
    }
}

static void issuer_there(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->issuer.count == 0) {
        lint_found(r, s->crl->issuer.der, "a CRL of nobody");
    }
}

/* TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature, issuer, thisUpdate Time, … } */
static lt_slice this_update_at(const struct lint_subject *s)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    lt_slice whole = {0};
    struct der_cursor c = der_open(s->crl->tbs);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_optional(&seq, DER_INTEGER, &content); /* version 1 has none */
    for (int i = 0; i < 3; i++) {
        (void)der_any(&seq, &tag, &content, &whole); /* sticky: whole stays empty */
    }
    return der_ok(&seq) ? whole : s->crl->tbs;
}

/*= RFC 5280 5.1.2.5 "This field indicates the date by which the next CRL will be issued." */
static void update_order(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_crl *c = s->crl;
    if (c->has_next_update && c->next_update.us <= c->this_update.us) {
        lint_found(r, this_update_at(s), "nextUpdate lies %lld s before it",
                   (long long)(lt_time_seconds(c->this_update) - lt_time_seconds(c->next_update)));
    }
}

/* Criticality of the CRL's own extensions: .value. */
static const struct {
    enum x509_oid oid;
    bool critical;
} criticality[] = {
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, false},
    {X509_OID_CRL_NUMBER, false},
    {X509_OID_FRESHEST_CRL, false},
    {X509_OID_AUTHORITY_INFO_ACCESS, false},
    {X509_OID_DELTA_CRL, true},
    {X509_OID_ISSUING_DISTRIBUTION_POINT, true},
};

static void critical_right(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(criticality); i++) {
        const struct x509_extension *x = find(s, criticality[i].oid);
        if (x != NULL && x->critical != criticality[i].critical) {
            lint_found(r, x->der, "%s is %scritical", x509_oid_name(x->id.oid), x->critical ? "" : "not ");
        }
    }
}

/*= RFC 5280 5.2.1 "Conforming CRL issuers MUST use the key identifier method" */
static void key_identifier(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = find(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    if (x != NULL && s->crl->ext.aki_key_id.len == 0) {
        lint_found(r, x->der, "authorityKeyIdentifier without a keyIdentifier");
    }
}

static void number_length(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid numbers[] = {X509_OID_CRL_NUMBER, X509_OID_DELTA_CRL};
    for (size_t i = 0; i < LT_COUNT(numbers); i++) {
        const struct x509_extension *x = find(s, numbers[i]);
        if (x == NULL) {
            continue;
        }
        struct der_cursor c = der_open(x->value);
        lt_slice n = der_read(&c, DER_INTEGER);
        if (!der_ok(&c) || n.len == 0) {
            lint_found(r, x->der, "%s is no INTEGER", x509_oid_name(numbers[i]));
        } else if ((n.ptr[0] & 0x80) != 0 || n.len > 20) {
            lint_found(r, x->der, "%s is %s", x509_oid_name(numbers[i]),
                       n.len > 20 ? "longer than 20 octets" : "negative");
        }
    }
}

static int magnitude_cmp(lt_slice a, lt_slice b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : lt_slice_cmp(a, b);
}

/*= RFC 5280 5.2.4 "The CRL number of the complete CRL is less than the CRL number of the delta CRL." */
static void delta_base(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    if (e->has_delta && e->has_crl_number && magnitude_cmp(e->delta_base, e->crl_number) > 0) {
        lint_found(r, find(s, X509_OID_DELTA_CRL)->der, "a delta to a CRL with a higher number");
    }
    if (e->has_freshest) {
        lint_found(r, find(s, X509_OID_FRESHEST_CRL)->der, "freshestCRL in a delta CRL");
    }
}

static void distribution_point(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    const struct x509_extension *x = find(s, X509_OID_ISSUING_DISTRIBUTION_POINT);
    if (x->value.len == 2) {
        lint_found(r, x->der, "issuingDistributionPoint is an empty SEQUENCE");
    }
    if ((e->idp_only_user ? 1 : 0) + (e->idp_only_ca ? 1 : 0) + (e->idp_only_attribute ? 1 : 0) > 1) {
        lint_found(r, x->der, "more than one of onlyContainsUserCerts, CACerts and AttributeCerts");
    }
}

static void info_access(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        if (e->aia[i].method.oid != X509_OID_CA_ISSUERS) {
            lint_found(r, e->aia[i].method.der, "an access method other than caIssuers");
        }
    }
}

static void removed_in_delta(const struct lint_subject *s, struct lint_report *r)
{
    enum { REMOVE_FROM_CRL = 8 };
    if (s->crl_facts->reason[REMOVE_FROM_CRL].len > 0) {
        lint_found(r, s->crl_facts->reason[REMOVE_FROM_CRL], "removeFromCRL (8) outside a delta CRL");
    }
}

/* Rows that are a fact of the entries: .value is its place in struct lint_crl_facts, .data what to say. */
static void entry_fact(const struct lint_subject *s, struct lint_report *r)
{
    const lt_slice *fact = (const lt_slice *)((const uint8_t *)s->crl_facts + r->rule->value);
    if (fact->len > 0) {
        lint_found(r, *fact, "%s", (const char *)r->rule->data);
    }
}

static void entries_decode(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->broken.len > 0) {
        lint_found(r, s->crl_facts->broken, "an entry does not decode: %s", s->crl_facts->broken_by);
    }
}

/*= RFC 5280 5.3.3 "If this extension is not present on the first entry in an indirect CRL, the certificate
 * issuer defaults to the CRL issuer.": in indirect CRLs only */
static void issuers_in_indirect(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->issuer.len > 0 && !s->crl->ext.idp_indirect) {
        lint_found(r, s->crl_facts->issuer,
                   "an entry with a certificateIssuer in a CRL that is not indirect");
    }
}

static bool utc_until_2050(lt_slice tbs)
{
    struct der_cursor c = der_open(tbs);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice skipped = {0};
    (void)der_optional(&in, DER_INTEGER, &skipped); /* version 1 has none */
    (void)der_read(&in, DER_SEQUENCE);
    (void)der_read(&in, DER_SEQUENCE);
    while (der_is_next(&in, DER_UTC_TIME) || der_is_next(&in, DER_GENERALIZED_TIME)) {
        bool generalized = der_is_next(&in, DER_GENERALIZED_TIME);
        uint32_t tag = DER_NONE;
        lt_slice text = {0};
        (void)der_any(&in, &tag, &text, NULL); /* sticky: ends the loop */
        if (generalized && text.len > 4 && lt_slice_cmp(lt_slice_sub(text, 0, 4), LT_LIT("2050")) < 0) {
            return false;
        }
    }
    return true;
}

static void time_types(const struct lint_subject *s, struct lint_report *r)
{
    if (!utc_until_2050(s->crl->tbs)) {
        lint_found(r, s->crl->tbs, "thisUpdate or nextUpdate before 2050 as GeneralizedTime");
    }
    if (s->crl_facts->wrong_time.len > 0) {
        lint_found(r, s->crl_facts->wrong_time, "revocationDate before 2050 as GeneralizedTime");
    }
}

#define ROW(level_) \
    .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CRL, .effective = LINT_SINCE_RFC5280
#define FACT(field_, says_)                                                                 \
    .check = entry_fact, .value = offsetof(struct lint_crl_facts, field_), .data = (says_), \
    .when = LINT_CRL_HAS_ENTRIES

static const struct lint_rule rows[] = {
    {"lintel_rfc5280_crl_version", ROW(LINT_ERROR), .asks = "a CRL has version 2",
     .citation = "RFC 5280 5.1.2.1", .check = version_2},
    {"lintel_rfc5280_crl_algorithms", ROW(LINT_ERROR),
     .asks = "the signature algorithm is the same inside and outside of what is signed",
     .citation = "RFC 5280 5.1.1.2", .unless = LINT_IS_BARE, .check = algorithms_same},
    {"lintel_rfc5280_crl_issuer", ROW(LINT_ERROR), .asks = "the issuer of a CRL is not empty",
     .citation = "RFC 5280 5.1.2.3", .check = issuer_there},
    {"lintel_rfc5280_crl_next_update", ROW(LINT_ERROR), .asks = "nextUpdate lies after thisUpdate",
     .citation = "RFC 5280 5.1.2.5", .check = update_order},
    {"lintel_rfc5280_crl_time_type", ROW(LINT_ERROR), .asks = "dates up to 2049 are UTCTime",
     .citation = "RFC 5280 5.1.2.4, 5.1.2.5, 5.1.2.6", .check = time_types},
    {"lintel_rfc5280_crl_criticality", ROW(LINT_ERROR),
     .asks = "extensions of a CRL are critical as their kind is", .citation = "RFC 5280 5.2",
     .when = LINT_HAS_EXTENSIONS, .check = critical_right},
    {"lintel_rfc5280_crl_key_identifier", ROW(LINT_ERROR),
     .asks = "authorityKeyIdentifier has a keyIdentifier", .citation = "RFC 5280 5.2.1",
     .when = LINT_HAS_EXTENSIONS, .check = key_identifier},
    {"lintel_rfc5280_crl_number", ROW(LINT_ERROR),
     .asks = "numbers of CRLs are not negative and have at most 20 octets", .citation = "RFC 5280 5.2.3",
     .when = LINT_HAS_EXTENSIONS, .check = number_length},
    {"lintel_rfc5280_crl_delta", ROW(LINT_ERROR),
     .asks = "a delta CRL refers to a lower number and has no freshestCRL",
     .citation = "RFC 5280 5.2.4, 5.2.6", .when = LINT_CRL_IS_DELTA, .check = delta_base},
    {"lintel_rfc5280_crl_point", ROW(LINT_ERROR),
     .asks = "issuingDistributionPoint says something and at most one kind", .citation = "RFC 5280 5.2.5",
     .when = LINT_CRL_HAS_IDP, .check = distribution_point},
    {"lintel_rfc5280_crl_info_access", ROW(LINT_ERROR),
     .asks = "authorityInfoAccess of a CRL is for caIssuers", .citation = "RFC 5280 5.2.7",
     .when = LINT_HAS_AIA, .check = info_access},
    {"lintel_rfc5280_crl_remove_in_delta", ROW(LINT_ERROR), .asks = "removeFromCRL stands in delta CRLs only",
     .citation = "RFC 5280 5.3.1", .when = LINT_CRL_HAS_ENTRIES, .unless = LINT_CRL_IS_DELTA,
     .check = removed_in_delta},
    {"lintel_rfc5280_crl_indirect", ROW(LINT_ERROR), .asks = "certificateIssuer stands in indirect CRLs only",
     .citation = "RFC 5280 5.3.3", .when = LINT_CRL_HAS_ENTRIES, .check = issuers_in_indirect},
    {"lintel_rfc5280_crl_entries", ROW(LINT_ERROR), .asks = "the entries of a CRL decode",
     .citation = "RFC 5280 5.1", .when = LINT_CRL_HAS_ENTRIES, .check = entries_decode},
    {"lintel_rfc5280_crl_reason_critical", ROW(LINT_ERROR), .asks = "reasonCode is not critical",
     .citation = "RFC 5280 5.3.1", FACT(reason_critical, "an entry with a critical reasonCode")},
    {"lintel_rfc5280_crl_invalidity_critical", ROW(LINT_ERROR), .asks = "invalidityDate is not critical",
     .citation = "RFC 5280 5.3.2", FACT(invalidity_critical, "an entry with a critical invalidityDate")},
    {"lintel_rfc5280_crl_invalidity_form", ROW(LINT_ERROR),
     .asks = "invalidityDate is a GeneralizedTime in Greenwich time", .citation = "RFC 5280 5.3.2",
     FACT(invalidity_wrong, "an entry whose invalidityDate is no such time")},
    {"lintel_rfc5280_crl_issuer_critical", ROW(LINT_ERROR), .asks = "certificateIssuer is critical",
     .citation = "RFC 5280 5.3.3",
     FACT(issuer_not_critical, "an entry with a certificateIssuer that is not critical")},
    {"lintel_rfc5280_crl_serial_positive", ROW(LINT_ERROR), .asks = "revoked serial numbers are positive",
     .citation = "RFC 5280 4.1.2.2",
     FACT(serial_not_positive, "an entry whose serial number is zero or negative")},
    {"lintel_rfc5280_crl_serial_length", ROW(LINT_ERROR),
     .asks = "revoked serial numbers have at most 20 octets", .citation = "RFC 5280 4.1.2.2",
     FACT(serial_long, "an entry with a longer serial number")},
    {"lintel_rfc5280_crl_entry_extensions", ROW(LINT_ERROR), .asks = "crlEntryExtensions is not empty",
     .citation = "RFC 5280 5.1", FACT(extensions_empty, "an entry with an empty list of extensions")},
    {"lintel_rfc5280_crl_entry_critical", ROW(LINT_WARN),
     .asks = "no CRL entry should have a critical extension that nobody knows", .citation = "RFC 5280 5.3",
     FACT(unknown_critical, "an entry with an unknown critical extension")},
    {"lintel_limit_crl_entry", .source = LINT_LINTEL, .kinds = LINT_CRL, .level = LINT_ERROR,
     .asks = "all extensions of a CRL entry were compared with each other",
     .citation = "docs/lint.md, Known limits",
     FACT(extensions_many,
          "an entry with more than 64 different extensions: those beyond were not compared")},
};
const struct lint_table lint_rfc5280_crl_more = LINT_TABLE(rows);
