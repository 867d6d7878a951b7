/* The TorServiceDescriptor extension of version 2 onion names (ballots 144 and 201), as zlint judges it. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/url.h"

enum { DESCRIPTORS_MAX = 256, V2_LABEL = 16 };

/* 2.23.140.1.31 */
static const uint8_t descriptor_oid[] = {0x67, 0x81, 0x0c, 0x01, 0x1f};

static const struct x509_extension *find(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (lt_slice_eq(e->list[i].id.der, LT_SLICE(descriptor_oid, sizeof(descriptor_oid)))) {
            return &e->list[i];
        }
    }
    return NULL;
}

static size_t find_last(lt_slice s, uint8_t byte)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == byte) {
            return i - 1;
        }
    }
    return s.len;
}

/* The two last labels of an onion name; empty for any other. */
static lt_slice service_of(lt_slice name)
{
    if (!lt_slice_ends(name, LT_LIT(".onion"))) {
        return LT_SLICE(NULL, 0);
    }
    lt_slice head = lt_slice_sub(name, 0, name.len - sizeof(".onion") + 1);
    size_t dot = find_last(head, '.');
    return dot == head.len ? name : lt_slice_sub(name, dot + 1, name.len);
}

static bool is_v2(lt_slice name)
{
    size_t dot = lt_slice_find(name, '.');
    if (!lt_slice_ends(name, LT_LIT("onion")) || dot != V2_LABEL || dot == name.len) {
        return false;
    }
    for (size_t i = 0; i < V2_LABEL; i++) {
        uint8_t c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '2' && c <= '7')) {
            return false;
        }
    }
    return true;
}

/* The names of the certificate one after the other: dNSNames, then the last common name. */
static bool name_at(const struct lint_subject *s, size_t i, lt_slice *ret)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    *ret = LT_SLICE(NULL, 0);
    if (i < san->count) {
        if (san->list[i].type == X509_GN_DNS) {
            *ret = san->list[i].value;
        }
        return true;
    }
    const struct x509_attribute *cn = NULL;
    for (size_t k = 0; i == san->count && k < s->cert->subject.count; k++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[k];
        cn = a->oid == X509_OID_CN ? a : cn;
    }
    if (cn != NULL) {
        *ret = cn->value;
    }
    return cn != NULL;
}

static bool applies(const struct lint_subject *s)
{
    if (find(s) != NULL) {
        return true;
    }
    if (!lint_is(s, LINT_IS_SUBSCRIBER | LINT_IS_EV_ANY)) {
        return false;
    }
    bool onion = false;
    bool v2 = false;
    lt_slice name;
    for (size_t i = 0; name_at(s, i, &name); i++) {
        onion = onion || service_of(name).len > 0;
        v2 = v2 || is_v2(name);
    }
    return onion && v2;
}

static bool is_subject(const struct lint_subject *s, lt_slice service)
{
    lt_slice name;
    for (size_t i = 0; name_at(s, i, &name); i++) {
        if (service_of(name).len > 0 && lt_slice_eq(service_of(name), service)) {
            return true;
        }
    }
    return false;
}

static bool hash_known(lt_slice oid, size_t *ret_len)
{
    static const uint8_t sha2[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    lt_slice prefix = LT_SLICE(sha2, sizeof(sha2));
    uint8_t last = oid.len == sizeof(sha2) + 1 && lt_slice_starts(oid, prefix) ? oid.ptr[sizeof(sha2)] : 0;
    *ret_len = last == 1 ? 32 : last == 2 ? 48 : last == 3 ? 64 : 0;
    return *ret_len > 0;
}

/* TorServiceDescriptorHash ::= SEQUENCE { onionURI UTF8String, algorithm AlgorithmIdentifier,
 *   subjectPublicKeyHash BIT STRING }
 * Gives what is wrong with it, or NULL and its host name. */
static const char *descriptor(const struct lint_subject *s, struct der_cursor *list, lt_slice *ret_host)
{
    struct der_cursor c = der_enter(list, DER_SEQUENCE);
    lt_slice uri = der_read(&c, DER_UTF8_STRING);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&alg);
    struct der_bits hash = der_bitstring(&c);
    der_leave(list, &c);
    struct lint_url url;
    size_t want = 0;
    if (!der_ok(list)) {
        return "it does not decode";
    }
    if (!lint_url_parse(uri, &url) || url.host.len == 0 || !lt_slice_eq_nocase(url.scheme, LT_LIT("https"))) {
        return "its address is no https URL";
    }
    if (!hash_known(oid, &want) || hash.bytes.len != want || hash.unused != 0) {
        return "its hash is not of SHA-256, -384 or -512";
    }
    *ret_host = url.name;
    return is_subject(s, url.name) ? NULL : "its address is no subject of the certificate";
}

static bool is_listed(const lt_slice *list, size_t count, lt_slice host)
{
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq(list[i], host)) {
            return true;
        }
    }
    return false;
}

static void all_covered(const struct lint_subject *s, struct lint_report *r, const lt_slice *hosts,
                        size_t count)
{
    lt_slice name;
    for (size_t i = 0; name_at(s, i, &name); i++) {
        lt_slice service = service_of(name);
        if (service.len > 0 && !is_listed(hosts, count, service)) {
            lint_found(r, name, "no descriptor for \"%.*s\"", LT_FMT(service));
            return;
        }
    }
}

static void descriptors(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = find(s);
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "there is no TorServiceDescriptor");
        return;
    }
    lt_slice hosts[DESCRIPTORS_MAX];
    size_t count = 0;
    struct der_cursor c = der_open(x->value);
    struct der_cursor list = der_enter(&c, DER_SEQUENCE);
    while (der_more(&list) && count < DESCRIPTORS_MAX) {
        const char *why = descriptor(s, &list, &hosts[count]);
        if (why == NULL && is_listed(hosts, count, hosts[count])) {
            why = "its address has a descriptor already";
        }
        if (why != NULL) {
            lint_found(r, x->der, "descriptor %zu: %s", count + 1, why);
            return;
        }
        count++;
    }
    if (count == 0) {
        lint_found(r, x->der, "there is no descriptor in it");
    } else if (lint_is(s, LINT_IS_EV_ANY)) {
        all_covered(s, r, hosts, count);
    }
}

static const struct lint_rule rows[] = {
    {"e_ext_tor_service_descriptor_hash_invalid", .source = LINT_CABF_BR, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .zlint = true,
     .asks = "each version 2 onion name of an EV certificate has one well-formed TorServiceDescriptorHash",
     .citation = "Ballot 201; ballot SC27", .effective = LINT_DAY(2017, 7, 28), .applies = applies,
     .check = descriptors},
};
const struct lint_table lint_cabf_br_tor = LINT_TABLE(rows);
