/* Lintel's own rules for the TLS Baseline Requirements: names and addresses of subscriber certificates, where
 * zlint has no rule or a weaker one. */
#include <string.h>

#include "crypto/digest.h"
#include "lint/rules.h"
#include "lint/rules/ip.h"
#include "lint/rules/text.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

enum { ONION_CHARS = 56, ONION_BYTES = 35, ONION_KEY_BYTES = 32, ONION_VERSION = 3 };

/*= CABF-BR 7.1.2.7.12 "MUST contain at least one dNSName or iPAddress GeneralName" */
static void no_host(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        if (san->list[i].type == X509_GN_DNS || san->list[i].type == X509_GN_IP) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME), "neither a domain name nor an address");
}

static void x400(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        if (san->list[i].type == X509_GN_X400) {
            lint_found(r, san->list[i].value, "x400Address among the names");
        }
    }
}

/*= CABF-BR 7.1.2.7.12 "Otherwise, this extension MUST NOT be marked critical." */
static void critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_ALT_NAME);
    if (x->critical) {
        lint_found(r, x->der, "critical although the subject is not empty");
    }
}

/* Underscores and stray wildcards are told of by zlint's rules. */
static bool is_host_byte(uint8_t c)
{
    uint8_t l = c | 0x20;
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '*';
}

/* What keeps the labels from being LDH labels, or NULL. */
static const char *label_flaw(lt_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        bool edge = i == 0 || i + 1 == name.len || name.ptr[i - 1] == '.' || name.ptr[i + 1] == '.';
        if (name.ptr[i] == '-' && edge) {
            return "has a label that begins or ends with a hyphen";
        }
        if (!is_host_byte(name.ptr[i])) {
            return "has a character that no host name has";
        }
    }
    return NULL;
}

/*= CABF-BR 7.1.2.7.12 "MUST be composed entirely of P-Labels or Non-Reserved LDH Labels" */
static void ldh_labels(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice name = s->names[i].text;
        const char *flaw = label_flaw(name);
        if (flaw != NULL) {
            lint_found(r, name, "'%.*s' %s", LT_FMT(name), flaw);
        }
    }
}

/*= CABF-BR 1.6.1 "P-Label: A XN-Label that contains valid output of the Punycode algorithm" */
static bool is_p_label(lt_slice label)
{
    uint32_t points[LINT_ULABEL_MAX];
    size_t count = 0;
    lt_slice encoded = lt_slice_sub(label, 4, label.len);
    if (!lint_punycode(encoded, points, &count) || count == 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (points[i] >= 0x80) {
            return true; /* what is ASCII alone is never put into Punycode */
        }
    }
    return false;
}

static void p_label(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice name = s->names[i].text;
        size_t at = 0;
        lt_slice label;
        while (lint_label_next(name, &at, &label)) {
            if (lint_label_is_xn(label) && !is_p_label(label)) {
                lint_found(r, label, "'%.*s' in '%.*s' is no Punycode", LT_FMT(label), LT_FMT(name));
            }
        }
    }
}

/* A name that is a public suffix has no Base Domain Name that anybody could have registered. */
static void public_suffix(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        const struct lint_name *n = &s->names[i];
        if (n->label_count > 1 && !n->psl_ok && n->suffix.len == n->text.len) {
            lint_found(r, n->text, "'%.*s' is a public suffix", LT_FMT(n->text));
        }
    }
}

/*= CABF-BR 3.2.2.6 "If the FQDN portion of any Wildcard Domain Name is \"registry-controlled\" or is a
 * \"public suffix\", CAs MUST refuse issuance unless the Applicant proves its rightful control of the entire
 * Domain Namespace." */
static void wildcard_suffix(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        const struct lint_name *n = &s->names[i];
        if (n->wildcard && n->psl_ok && lt_slice_eq(n->sld, LT_LIT("*"))) {
            lint_found(r, n->text, "'%.*s' is for all of a public suffix", LT_FMT(n->text));
        }
    }
}

/*= CABF-BR 1.6.1 "Reserved IP Address: An IPv4 or IPv6 address that is contained in the address block of any
 * entry in either of the following IANA registries" */
static void reserved_address(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        if (san->list[i].type == X509_GN_IP && lint_ip_reserved(san->list[i].value)) {
            lint_found(r, san->list[i].value, "a reserved address of %zu bytes", san->list[i].value.len);
        }
    }
}

static bool is_onion(const struct lint_name *n)
{
    return lt_slice_eq_nocase(n->tld, LT_LIT("onion"));
}

static bool has_onion(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->san_names; i++) {
        if (is_onion(&s->names[i])) {
            return true;
        }
    }
    return false;
}

/*= RFC 4648 6 Base 32 Encoding */
/* 56 characters are 35 bytes, nothing left over. */
static bool base32(lt_slice text, uint8_t ret_bytes[ONION_BYTES])
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        uint8_t l = c | 0x20;
        uint32_t value = 32;
        if (l >= 'a' && l <= 'z') {
            value = (uint32_t)(l - 'a');
        } else if (c >= '2' && c <= '7') {
            value = (uint32_t)(c - '2') + 26;
        }
        if (value == 32) {
            return false;
        }
        bits = (bits << 5 | value) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            ret_bytes[n++] = (uint8_t)(bits >> have);
        }
    }
    return n == ONION_BYTES;
}

/* What is wrong with an address of 56 characters, or NULL. address = base32(key, checksum, version), checksum
 * = the first two bytes of SHA3-256(".onion checksum", key, version). */
static const char *onion_flaw(lt_slice label)
{
    uint8_t address[ONION_BYTES];
    if (!base32(label, address)) {
        return "has characters that base32 does not know";
    }
    if (address[ONION_BYTES - 1] != ONION_VERSION) {
        return "has an address of another version than 3";
    }
    static const char prefix[] = ".onion checksum";
    uint8_t text[sizeof(prefix) - 1 + ONION_KEY_BYTES + 1];
    uint8_t hash[CRYPTO_SHA256_LEN];
    memcpy(text, prefix, sizeof(prefix) - 1);
    memcpy(text + sizeof(prefix) - 1, address, ONION_KEY_BYTES);
    text[sizeof(text) - 1] = ONION_VERSION;
    crypto_sha3_256(LT_SLICE(text, sizeof(text)), hash);
    return memcmp(hash, address + ONION_KEY_BYTES, 2) == 0 ? NULL : "has an address with a wrong checksum";
}

/* The label before the last; empty when there is none. */
static lt_slice onion_label(const struct lint_name *n)
{
    lt_slice label = {0};
    if (n->label_count > 1) {
        lt_slice rest = lt_slice_sub(n->text, 0, n->text.len - n->tld.len - 1);
        size_t at = 0;
        while (lint_label_next(rest, &at, &label)) {
            /* the last one is wanted */
        }
    }
    return label;
}

/*= CABF-BR B.1 "the Domain Label immediately preceding the rightmost \"onion\" Domain Label is a valid
 * Version 3 Onion Address" */
static void onion(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        const struct lint_name *n = &s->names[i];
        lt_slice label = onion_label(n);
        const char *flaw = is_onion(n) && label.len == ONION_CHARS ? onion_flaw(label) : NULL;
        if (flaw != NULL) {
            lint_found(r, n->text, "'%.*s' %s", LT_FMT(n->text), flaw);
        }
    }
}

/* Until BR 2.0 the EV Guidelines let addresses of version 2 stand. */
static void onion_length(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        const struct lint_name *n = &s->names[i];
        size_t len = onion_label(n).len;
        if (is_onion(n) && len != ONION_CHARS) {
            lint_found(r, n->text, "'%.*s' has %zu characters before .onion", LT_FMT(n->text), len);
        }
    }
}

/* An http URL that leads nowhere. */
static void check_host(struct lint_report *r, const struct x509_general_name *n)
{
    struct lint_url url;
    if (n->type == X509_GN_URI && (!lint_url_parse(n->value, &url) || url.name.len == 0)) {
        lint_found(r, n->value, "'%.*s' names no host", LT_FMT(n->value));
    }
}

static void hosts(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        check_host(r, &e->aia[i].location);
    }
    for (size_t i = 0; i < e->crldp_count; i++) {
        for (size_t k = 0; k < e->crldp[i].names.count; k++) {
            check_host(r, &e->crldp[i].names.list[k]);
        }
    }
}

/*= CABF-BR 7.1.2.11.2 "The DistributionPointName MUST be a fullName formatted as described below." */
static void crl_pointer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_distribution_point *p = &e->crldp[i];
        if (p->relative_name.len > 0) {
            lint_found(r, p->relative_name, "nameRelativeToCRLIssuer");
        } else if (p->names.count == 0) {
            lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "point %zu has no fullName",
                       i + 1);
        }
        for (size_t k = 0; k < p->names.count; k++) {
            const struct x509_general_name *n = &p->names.list[k];
            if (n->type != X509_GN_URI || !lint_url_has_scheme(n->value, "http")) {
                lint_found(r, n->value, "a name of point %zu is no http URL", i + 1);
            }
        }
    }
}

/*= CABF-BR 7.1.2.11.2 "The CRL Distribution Points extension MUST be present in" "Subscriber Certificates
 * that 1) do not qualify as Short-lived Subscriber Certificates and 2) do not include an Authority
 * Information Access extension with an id-ad-ocsp accessMethod." */
static void no_revocation(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool pointed = e->crldp_count > 0;
    for (size_t i = 0; i < e->aia_count; i++) {
        pointed = pointed || e->aia[i].method.oid == X509_OID_OCSP;
    }
    int64_t seconds = lint_validity_s(s->cert);
    if (!pointed && seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->tbs, "valid for %lld s, and neither CRL nor OCSP responder is named",
                   (long long)seconds);
    }
}

/*= CABF-BR 7.1.2.11.2 "containing more than one is NOT RECOMMENDED" */
static void crl_pointers(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.crldp_count > 1) {
        lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "%zu distribution points",
                   s->cert->ext.crldp_count);
    }
}

#define BR(level_, when_, ...)                                                                 \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .when = LINT_IS_TLS | (when_), .effective = LINT_DAY(__VA_ARGS__)
#define OF_SUBSCRIBER \
    .unless = LINT_IS_OCSP_RESPONDER, .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2.1"
#define SAN (LINT_IS_SUBSCRIBER | LINT_HAS_SAN)
#define DNS (LINT_IS_SUBSCRIBER | LINT_HAS_DNS)

static const struct lint_rule rows[] = {
    {"lintel_br_san_without_host", BR(LINT_ERROR, SAN, 2012, 7, 1), OF_SUBSCRIBER, .check = no_host,
     .asks = "subjectAltName has a domain name or an address"},
    {"lintel_br_san_x400_address", BR(LINT_ERROR, SAN, 2012, 7, 1), OF_SUBSCRIBER, .check = x400,
     .asks = "subjectAltName holds domain names and addresses alone"},
    {"lintel_br_san_critical", BR(LINT_ERROR, SAN | LINT_HAS_SUBJECT, 2023, 9, 15), OF_SUBSCRIBER,
     .check = critical, .asks = "subjectAltName is not critical beside a subject"},
    {"lintel_br_ldh_labels", BR(LINT_ERROR, DNS, 2021, 10, 1), OF_SUBSCRIBER, .check = ldh_labels,
     .asks = "labels are letters, digits and hyphens, no hyphen at either end"},
    {"lintel_br_p_label", BR(LINT_ERROR, DNS, 2021, 10, 1), OF_SUBSCRIBER, .check = p_label,
     .asks = "what stands behind xn-- is Punycode"},
    {"lintel_br_public_suffix", BR(LINT_ERROR, DNS, 2012, 7, 1), .unless = LINT_IS_OCSP_RESPONDER,
     .check = public_suffix, .asks = "a domain name is more than a public suffix", .citation = "BR 1.6.1"},
    {"lintel_br_wildcard_public_suffix", BR(LINT_ERROR, DNS, 2012, 7, 1), .unless = LINT_IS_OCSP_RESPONDER,
     .check = wildcard_suffix, .asks = "no wildcard is for all of a public suffix", .citation = "BR 3.2.2.6",
     .formerly = "BR 11.1.3"},
    {"lintel_br_reserved_address", BR(LINT_ERROR, SAN, 2015, 11, 1), OF_SUBSCRIBER, .check = reserved_address,
     .asks = "no address is from a block for special purposes"},
    {"lintel_br_onion_address", BR(LINT_ERROR, DNS, 2020, 3, 27), .unless = LINT_IS_OCSP_RESPONDER,
     .applies = has_onion, .check = onion, .asks = "the address before .onion has version 3 and its checksum",
     .citation = "BR Appendix B", .formerly = "BR Appendix C"},
    {"lintel_br_onion_version", BR(LINT_ERROR, DNS, 2023, 9, 15), .unless = LINT_IS_OCSP_RESPONDER,
     .applies = has_onion, .check = onion_length, .asks = "a .onion name has an address of version 3",
     .citation = "BR Appendix B"},
    {"lintel_br_url_without_host", BR(LINT_ERROR, LINT_IS_SUBSCRIBER, 2023, 9, 15), .check = hosts,
     .asks = "URLs of issuers, responders and CRLs name a host", .citation = "BR 7.1.2.7.7, 7.1.2.11.2"},
    {"lintel_br_crl_pointer", BR(LINT_ERROR, LINT_IS_SUBSCRIBER | LINT_HAS_CDP, 2023, 9, 15),
     .check = crl_pointer, .asks = "a distribution point has a fullName of http URLs",
     .citation = "BR 7.1.2.11.2"},
    {"lintel_br_no_revocation", BR(LINT_ERROR, LINT_IS_SUBSCRIBER, 2026, 3, 15), .check = no_revocation,
     .unless = LINT_IS_OCSP_RESPONDER, .value = 7,
     .asks = "what is valid for more than 7 days says where its revocation is found",
     .citation = "BR 7.1.2.11.2, 1.6.1"},
    {"lintel_br_crl_pointers", BR(LINT_WARN, LINT_IS_SUBSCRIBER | LINT_HAS_CDP, 2023, 9, 15),
     .check = crl_pointers, .asks = "there is one distribution point", .citation = "BR 7.1.2.11.2"},
};
const struct lint_table lint_cabf_br_hosts = LINT_TABLE(rows);
