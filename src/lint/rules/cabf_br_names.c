/* CA/Browser Forum TLS Baseline Requirements: the names in subscriber certificates. */
#include <string.h>

#include "lint/rules.h"
#include "x509/dnsname.h"

/* Names that nobody can be shown to control: special-use domains (RFC 6761 registry) and what ICANN keeps
 * back. Not example.com, .net and .org: those are delegated. */
static const char *const internal[] = {
    "local", "localhost", "localdomain", "test",      "example", "invalid",   "internal",
    "lan",   "home",      "corp",        "mail",      "onion",   "home.arpa", "private",
    "arpa",  "alt",       "intranet",    "workgroup", "domain",
};

static void dns_check(struct lint_report *r, lt_slice name)
{
    lt_res syntax = x509_dns_check(name, X509_DNS_WILDCARD);
    if (lt_failed(syntax)) {
        lint_found(r, name, "'%.*s': %s", LT_FMT(name), lt_error_last()->detail);
        return;
    }
    for (size_t i = 0; i < LT_COUNT(internal); i++) {
        if (x509_dns_below(name, lt_slice_cstr(internal[i]))) {
            lint_found(r, name, "'%.*s' is an internal name", LT_FMT(name));
        }
    }
}

/* Blocks that the IANA registries reserve: prefix and its bits. */
static const struct {
    uint8_t prefix[16];
    uint8_t len;
    uint8_t bits;
} reserved[] = {
    {{0}, 4, 8},
    {{10}, 4, 8},
    {{100, 64}, 4, 10},
    {{127}, 4, 8},
    {{169, 254}, 4, 16},
    {{172, 16}, 4, 12},
    {{192, 0, 0}, 4, 24},
    {{192, 0, 2}, 4, 24},
    {{192, 168}, 4, 16},
    {{198, 18}, 4, 15},
    {{198, 51, 100}, 4, 24},
    {{203, 0, 113}, 4, 24},
    {{224}, 4, 3},
    {{0}, 16, 8},
    {{0x01}, 16, 64},
    {{0x20, 0x01, 0x0d, 0xb8}, 16, 32},
    {{0x20, 0x01}, 16, 23},
    {{0x20, 0x02}, 16, 16},
    {{0xfc}, 16, 7},
    {{0xfe, 0x80}, 16, 10},
    {{0xff}, 16, 8},
    {{0x3f, 0xff}, 16, 20},
    {{0x5f}, 16, 16},
};

static bool has_prefix(lt_slice address, const uint8_t *prefix, unsigned bits)
{
    if (memcmp(address.ptr, prefix, bits / 8) != 0) {
        return false;
    }
    unsigned rest = bits % 8;
    return rest == 0 || (address.ptr[bits / 8] ^ prefix[bits / 8]) >> (8 - rest) == 0;
}

static void ip_check(struct lint_report *r, lt_slice address)
{
    if (address.len != 4 && address.len != 16) {
        lint_found(r, address, "an address of %zu bytes", address.len);
        return;
    }
    for (size_t i = 0; i < LT_COUNT(reserved); i++) {
        if (reserved[i].len == address.len && has_prefix(address, reserved[i].prefix, reserved[i].bits)) {
            lint_found(r, address, "a reserved IP address");
            return;
        }
    }
}

static void san(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *names = &s->cert->ext.san;
    if (names->count == 0) {
        lint_found(r, s->cert->tbs, "it is missing");
    }
    for (size_t i = 0; i < names->count; i++) {
        const struct x509_general_name *n = &names->list[i];
        if (n->type == X509_GN_DNS) {
            dns_check(r, n->value);
        } else if (n->type == X509_GN_IP) {
            ip_check(r, n->value);
        } else {
            lint_found(r, n->value, "a name that is neither DNS nor IP");
        }
    }
}

static bool cn_in_san(const struct x509_cert *c, lt_slice cn)
{
    for (size_t i = 0; i < c->ext.san.count; i++) {
        const struct x509_general_name *n = &c->ext.san.list[i];
        if (n->type == X509_GN_DNS && lt_slice_eq(n->value, cn)) {
            return true;
        }
        struct x509_ip ip;
        bool address = n->type == X509_GN_IP && !lt_failed(x509_ip_parse(cn, &ip));
        if (address && lt_slice_eq(n->value, LT_SLICE(ip.bytes, ip.len))) {
            return true;
        }
    }
    return false;
}

static void common_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *cn = x509_name_find(&s->cert->subject, X509_OID_CN, 0);
    if (cn != NULL && !cn_in_san(s->cert, cn->value)) {
        lint_found(r, cn->value, "'%.*s' is not in subjectAltName", LT_FMT(cn->value));
    }
    if (x509_name_find(&s->cert->subject, X509_OID_CN, 1) != NULL) {
        lint_found(r, s->cert->subject.der, "more than one");
    }
}

static bool domain_validated(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; lint_is(s, LINT_IS_SUBSCRIBER) && i < e->policy_count; i++) {
        if (e->policies[i].id.oid == X509_OID_POLICY_DV) {
            return true;
        }
    }
    return false;
}

static void dv_subject(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        enum x509_oid oid = s->cert->subject.attributes[i].oid;
        if (oid != X509_OID_CN && oid != X509_OID_C) {
            lint_found(r, s->cert->subject.attributes[i].value, "%s in a domain validated certificate",
                       x509_oid_name(oid));
        }
    }
}

#define BR .source = LINT_CABF_BR, .kinds = LINT_CERTIFICATE, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"br.san", BR,
     .citation =
         "CABF-BR 7.1.2.7.12 Subscriber Certificate Subject Alternative Name; 4.2.2 \"CAs SHALL NOT issue "
         "Certificates containing Internal Names or Reserved IP Addresses\"",
     .when = LINT_IS_SUBSCRIBER, .check = san},
    {"br.common-name", BR,
     .citation = "CABF-BR 7.1.4.3 \"If present, this attribute MUST contain exactly one entry that is one of "
                 "the values "
                 "contained in the Certificate's subjectAltName extension\"",
     .when = LINT_IS_SUBSCRIBER, .check = common_name},
    {"br.dv-subject", BR, .citation = "CABF-BR 7.1.2.7.2 \"Any other attribute\" \"MUST NOT\"",
     .applies = domain_validated, .check = dv_subject},
};
const struct lint_table lint_cabf_br_names = LINT_TABLE(rows);
