/* RFC 5280 4.2.1.4, 4.2.1.5 and 4.2.1.11: certificatePolicies with its qualifiers, policyMappings,
 * policyConstraints. */
#include "lint/rules/rfc.h"
#include "lint/rules/text.h"
#include "lint/rules/url.h"

/* UserNotice ::= SEQUENCE { noticeRef SEQUENCE OPTIONAL, explicitText DisplayText OPTIONAL } */
struct notice {
    lt_slice ref;
    uint32_t text_tag; /* DER_NONE: there is no text, or it is empty */
    lt_slice text;
};

struct notices {
    const struct x509_extensions *e;
    size_t policy;
    struct der_cursor qualifiers;
};

static struct notices notices_open(const struct lint_subject *s)
{
    return (struct notices){.e = &s->cert->ext, .qualifiers = der_open((lt_slice){0})};
}

static void notice_read(struct der_cursor *qualifier, struct notice *ret)
{
    struct der_cursor n = der_enter(qualifier, DER_SEQUENCE);
    *ret = (struct notice){.text_tag = DER_NONE};
    (void)der_optional(&n, DER_SEQUENCE, &ret->ref); /* each may be missing */
    if (der_more(&n) && der_any(&n, &ret->text_tag, &ret->text, NULL) && ret->text.len == 0) {
        ret->text_tag = DER_NONE;
    }
}

static bool notice_next(struct notices *n, struct notice *ret)
{
    for (;;) {
        while (der_more(&n->qualifiers)) {
            struct der_cursor q = der_enter(&n->qualifiers, DER_SEQUENCE);
            if (x509_oid_find(der_oid(&q)) == X509_OID_USER_NOTICE_QUALIFIER && der_ok(&q)) {
                notice_read(&q, ret);
                return true;
            }
        }
        while (n->policy < n->e->policy_count && n->e->policies[n->policy].qualifiers.len == 0) {
            n->policy++;
        }
        if (n->policy == n->e->policy_count) {
            return false;
        }
        struct der_cursor c = der_open(n->e->policies[n->policy++].qualifiers);
        n->qualifiers = der_enter(&c, DER_SEQUENCE);
    }
}

static bool has_text(const struct lint_subject *s)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.text_tag != DER_NONE) {
            return true;
        }
    }
    return false;
}

static void no_notice_ref(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.ref.len > 0) {
            lint_found(r, n.ref, "a user notice with a noticeRef");
        }
    }
}

static void text_not_ia5(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.text_tag == DER_IA5_STRING) {
            lint_found(r, n.text, "explicitText is an IA5String");
        }
    }
}

static void text_utf8(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.text_tag != DER_NONE && n.text_tag != DER_UTF8_STRING) {
            lint_found(r, n.text, "explicitText has the ASN.1 type %u", (unsigned)DER_TAG_NUMBER(n.text_tag));
        }
    }
}

static void text_without_controls(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        struct lint_text t = lint_text_utf8(n.text);
        uint32_t p = 0;
        while (n.text_tag == DER_UTF8_STRING && lint_text_next(&t, &p)) {
            if (p < 0x20 || (p >= 0x7f && p <= 0x9f)) {
                lint_found(r, n.text, "the character U+%04X in explicitText", (unsigned)p);
                break;
            }
        }
    }
}

static void text_nfc(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        bool looked_at = n.text_tag == DER_UTF8_STRING || n.text_tag == DER_BMP_STRING;
        if (looked_at && !lint_text_is_nfc(n.text)) {
            lint_found(r, n.text, "explicitText is not in NFC");
        }
    }
}

/* Bytes of a text as UTF-8, which is what zlint counts. */
static size_t utf8_bytes(const struct notice *n)
{
    if (n->text_tag != DER_BMP_STRING) {
        return n->text.len;
    }
    if (n->text.len % 2 != 0) {
        return 0;
    }
    struct lint_text t = {.rest = n->text, .wide = true};
    uint32_t p = 0;
    size_t len = 0;
    while (lint_text_next(&t, &p)) {
        len += p < 0x80 ? 1 : p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
    }
    return len;
}

static void text_short(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.text_tag != DER_NONE && utf8_bytes(&n) > 200) {
            lint_found(r, n.text, "explicitText of %zu bytes, at most 200", utf8_bytes(&n));
        }
    }
}

static bool has_any_policy(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        if (e->policies[i].id.oid == X509_OID_ANY_POLICY) {
            return true;
        }
    }
    return false;
}

static void any_policy_qualifiers(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        const struct x509_policy *p = &e->policies[i];
        if (p->id.oid != X509_OID_ANY_POLICY || p->qualifiers.len == 0) {
            continue;
        }
        struct der_cursor c = der_open(p->qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        do {
            struct der_cursor q = der_enter(&list, DER_SEQUENCE);
            lt_slice id = der_oid(&q);
            enum x509_oid oid = x509_oid_find(id);
            if (!der_ok(&q)) {
                lint_found_at(r, LINT_FATAL, p->qualifiers, "policyQualifiers does not decode: %s", q.why);
            } else if (oid != X509_OID_CPS_QUALIFIER && oid != X509_OID_USER_NOTICE_QUALIFIER) {
                lint_found(r, id, "anyPolicy with another qualifier than CPS and user notice");
            }
        } while (der_more(&list));
    }
}

static void policies_once(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 1; i < e->policy_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->policies[i].id.der, e->policies[k].id.der)) {
                lint_found(r, e->policies[i].id.der, "a policy that stands there already");
                break;
            }
        }
    }
}

/* PolicyMappings ::= SEQUENCE OF SEQUENCE { issuerDomainPolicy OID, subjectDomainPolicy OID } */
struct mapping {
    lt_slice issuer;
    lt_slice subject;
};

static struct der_cursor mappings_open(const struct lint_subject *s)
{
    struct der_cursor c = der_open(lint_ext(s, X509_OID_POLICY_MAPPINGS)->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    if (der_ok(&seq) && (der_more(&c) || !der_more(&seq))) {
        der_fail(&seq, "no mapping in it, or bytes behind it");
    }
    return seq;
}

static bool mapping_next(struct der_cursor *c, struct mapping *ret)
{
    if (!der_more(c)) {
        return false;
    }
    struct der_cursor one = der_enter(c, DER_SEQUENCE);
    ret->issuer = der_oid(&one);
    ret->subject = der_oid(&one);
    der_leave(c, &one);
    return der_ok(c);
}

static void mappings_fatal(const struct lint_subject *s, struct lint_report *r, const struct der_cursor *c)
{
    if (!der_ok(c)) {
        lint_found_at(r, LINT_FATAL, lint_ext_at(s, X509_OID_POLICY_MAPPINGS),
                      "policyMappings does not decode: %s", c->why);
    }
}

static void any_policy_not_mapped(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = mappings_open(s);
    struct mapping m;
    while (mapping_next(&c, &m)) {
        if (x509_oid_find(m.issuer) == X509_OID_ANY_POLICY ||
            x509_oid_find(m.subject) == X509_OID_ANY_POLICY) {
            lint_found(r, m.issuer, "anyPolicy is mapped");
        }
    }
    mappings_fatal(s, r, &c);
}

static bool has_policy(const struct x509_extensions *e, lt_slice id)
{
    for (size_t i = 0; i < e->policy_count; i++) {
        if (lt_slice_eq(e->policies[i].id.der, id)) {
            return true;
        }
    }
    return false;
}

static void mapped_policies_there(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = mappings_open(s);
    struct mapping m;
    while (mapping_next(&c, &m)) {
        if (!has_policy(&s->cert->ext, m.issuer)) {
            lint_found(r, m.issuer, "a policy is mapped that is not among the certificate's");
        }
    }
    mappings_fatal(s, r, &c);
}

static bool constraints_are_sequence(const struct lint_subject *s)
{
    struct der_cursor c = der_open(lint_ext(s, X509_OID_POLICY_CONSTRAINTS)->value);
    (void)der_read(&c, DER_SEQUENCE); /* sticky in the cursor */
    return der_ok(&c) && !der_more(&c);
}

static void constraints_not_empty(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_POLICY_CONSTRAINTS);
    if (x->value.len == 2) {
        lint_found(r, x->der, "policyConstraints is an empty SEQUENCE");
    }
}

/* Until RFC 6818 allowed it. */
static void text_not_visible(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        if (n.text_tag == DER_VISIBLE_STRING || n.text_tag == DER_BMP_STRING) {
            lint_found(r, n.text, "explicitText has the ASN.1 type %u", (unsigned)DER_TAG_NUMBER(n.text_tag));
        }
    }
}

/*= RFC 5280 4.2.1.4 "DisplayText ::= CHOICE" of four string types */
static void text_is_display(const struct lint_subject *s, struct lint_report *r)
{
    struct notices all = notices_open(s);
    struct notice n;
    while (notice_next(&all, &n)) {
        bool display = n.text_tag == DER_IA5_STRING || n.text_tag == DER_VISIBLE_STRING ||
                       n.text_tag == DER_BMP_STRING || n.text_tag == DER_UTF8_STRING;
        if (n.text_tag != DER_NONE && !display) {
            lint_found(r, n.text, "explicitText has the ASN.1 type %u", (unsigned)DER_TAG_NUMBER(n.text_tag));
        }
    }
}

/* The next qualifier of a policy: its type and its value. */
static bool qualifier_next(struct der_cursor *list, lt_slice *ret_id, uint32_t *ret_tag, lt_slice *ret_value)
{
    if (!der_more(list)) {
        return false;
    }
    struct der_cursor q = der_enter(list, DER_SEQUENCE);
    *ret_id = der_oid(&q);
    return der_any(&q, ret_tag, ret_value, NULL);
}

/*= RFC 5280 4.2.1.4 "CPSuri ::= IA5String" */
static void cps_is_uri(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        if (e->policies[i].qualifiers.len == 0) {
            continue;
        }
        struct der_cursor c = der_open(e->policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        lt_slice id = {0};
        lt_slice value = {0};
        uint32_t tag = DER_NONE;
        while (qualifier_next(&list, &id, &tag, &value)) {
            if (x509_oid_find(id) != X509_OID_CPS_QUALIFIER) {
                continue;
            }
            struct lint_url u;
            if (tag != DER_IA5_STRING) {
                lint_found(r, value, "a CPS pointer of the ASN.1 type %u", (unsigned)DER_TAG_NUMBER(tag));
            } else if (!lint_url_parse(value, &u) || u.scheme.len == 0) {
                lint_found(r, value, "the CPS pointer '%.*s' is no absolute URI", LT_FMT(value));
            }
        }
    }
}

#define ROW(level_) .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define TEXT(level_)                                                                        \
    ROW(level_), .when = LINT_HAS_CP, .applies = has_text, .effective = LINT_SINCE_RFC6818, \
                 .citation = "RFC 6818 3"

static const struct lint_rule rows[] = {
    {"w_ext_cert_policy_contains_noticeref", ROW(LINT_WARN), .asks = "user notices should have no noticeRef",
     .citation = "RFC 5280 4.2.1.4", .when = LINT_HAS_CP, .effective = LINT_SINCE_RFC5280,
     .check = no_notice_ref},
    {"e_ext_cert_policy_explicit_text_ia5_string", TEXT(LINT_ERROR), .asks = "explicitText is no IA5String",
     .check = text_not_ia5},
    {"e_ext_cert_policy_explicit_text_too_long", TEXT(LINT_ERROR),
     .asks = "explicitText has at most 200 bytes", .check = text_short},
    {"w_ext_cert_policy_explicit_text_includes_control", TEXT(LINT_WARN),
     .asks = "explicitText should have no control characters", .check = text_without_controls},
    {"w_ext_cert_policy_explicit_text_not_nfc", TEXT(LINT_WARN), .asks = "explicitText should be in NFC",
     .check = text_nfc},
    {"w_ext_cert_policy_explicit_text_not_utf8", TEXT(LINT_WARN), .asks = "explicitText should be UTF8String",
     .check = text_utf8},
    {"e_ext_cert_policy_disallowed_any_policy_qualifier", ROW(LINT_ERROR),
     .asks = "anyPolicy has no qualifiers but CPS and user notice", .citation = "RFC 5280 4.2.1.4",
     .when = LINT_HAS_CP, .applies = has_any_policy, .effective = LINT_SINCE_RFC3280,
     .check = any_policy_qualifiers},
    {"e_ext_cert_policy_duplicate", ROW(LINT_ERROR), .asks = "no policy stands there twice",
     .citation = "RFC 5280 4.2.1.4", .when = LINT_HAS_CP, .effective = LINT_SINCE_RFC5280,
     .check = policies_once},
    {"e_ext_policy_map_any_policy", ROW(LINT_ERROR), .asks = "anyPolicy is not mapped",
     .citation = "RFC 5280 4.2.1.5", .when = LINT_HAS_POLICY_MAPPINGS, .effective = LINT_SINCE_RFC3280,
     .check = any_policy_not_mapped},
    {"w_ext_policy_map_not_in_cert_policy", ROW(LINT_WARN),
     .asks = "mapped policies should be among the certificate's", .citation = "RFC 5280 4.2.1.5",
     .when = LINT_HAS_POLICY_MAPPINGS, .effective = LINT_SINCE_RFC3280, .check = mapped_policies_there},
    {"e_ext_policy_constraints_empty", ROW(LINT_ERROR), .asks = "policyConstraints constrains something",
     .citation = "RFC 5280 4.2.1.11", .when = LINT_HAS_POLICY_CONSTRAINTS, .effective = LINT_SINCE_RFC2459,
     .applies = constraints_are_sequence, .check = constraints_not_empty},
    {"lintel_rfc5280_explicit_text_type", .source = LINT_RFC5280, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .asks = "explicitText is neither VisibleString nor BMPString",
     .citation = "RFC 5280 4.2.1.4", .when = LINT_HAS_CP, .effective = LINT_SINCE_RFC5280,
     .retired = LINT_SINCE_RFC6818, .check = text_not_visible},
    {"lintel_rfc5280_display_text", .source = LINT_RFC5280, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "explicitText is one of the types of DisplayText", .citation = "RFC 5280 4.2.1.4",
     .when = LINT_HAS_CP, .effective = LINT_SINCE_RFC5280, .check = text_is_display},
    {"lintel_rfc5280_cps_uri", .source = LINT_RFC5280, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "a CPS pointer is an absolute URI as IA5String", .citation = "RFC 5280 4.2.1.4",
     .when = LINT_HAS_CP, .effective = LINT_SINCE_RFC5280, .check = cps_is_uri},
};
const struct lint_table lint_rfc5280_policies = LINT_TABLE(rows);
