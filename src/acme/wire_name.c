/* Identifiers as clients write them: host names in A-labels, wildcards, addresses. Form only; whether a name
 * may have a certificate is the registrar's to say. */
#include <idn2.h>

#include "acme/wire.h"
#include "x509/dnsname.h"

static lt_res check_a_label(lt_slice label)
{
    char text[X509_DNS_LABEL_MAX + 1];
    uint8_t *encoded = NULL;
    LT_CHECK(label.len < sizeof text, LT_PEER_MALFORMED, "a label of %zu bytes", label.len);
    for (size_t i = 0; i < label.len; i++) {
        text[i] = (char)label.ptr[i];
    }
    text[label.len] = 0;
    int rc = idn2_register_u8(NULL, (const uint8_t *)text, &encoded, 0);
    bool same = rc == IDN2_OK && lt_slice_eq(label, lt_slice_cstr((const char *)encoded));
    idn2_free(encoded);
    LT_CHECK(same, LT_PEER_MALFORMED, "label \"%s\" is no A-label: %s", text,
             rc == IDN2_OK ? "it encodes to something else" : idn2_strerror(rc));
    return LT_OK;
}

lt_res wire_check_a_labels(lt_slice name)
{
    lt_slice label;
    while (lt_slice_split(&name, '.', &label)) {
        if (lt_slice_starts(label, LT_LIT("xn--"))) {
            LT_TRY(check_a_label(label));
        }
    }
    return LT_OK;
}

/* A name of one label ("localhost") has the form of a host name; whether it may stand in a certificate
 * depends on the CA, so it is left to the registrar. */
static lt_res check_form(lt_slice name)
{
    if (lt_slice_find(name, '.') < name.len || name.len == 0 || name.len > X509_DNS_LABEL_MAX) {
        return x509_dns_check(name, X509_DNS_WILDCARD);
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool inner = i > 0 && i + 1 < name.len;
        LT_CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && inner), LT_PEER_MALFORMED,
                 "a byte that is no letter, digit or hyphen at %zu", i);
    }
    return LT_OK;
}

static lt_res read_dns(struct wire_reader *r, lt_slice value, Ipc__Identifier *ret_identifier)
{
    LT_CHECK(value.len <= X509_DNS_MAX + 2, LT_PEER_MALFORMED, "a name of %zu bytes", value.len);
    char *name = lt_arena_cstr(r->arena, value);
    LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < value.len; i++) {
        name[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    }
    lt_slice lower = LT_SLICE(name, value.len);
    LT_TRY(check_form(lower));
    /*= RFC 8555 7.1.4 "Servers MUST verify any identifier values that begin with the ASCII-Compatible
     *= Encoding prefix "xn--" as defined in [RFC5890] are properly encoded." */
    LT_TRY(wire_check_a_labels(lower));
    ret_identifier->value = name;
    return LT_OK;
}

static lt_res read_ip(struct wire_reader *r, lt_slice value, Ipc__Identifier *ret_identifier)
{
    struct x509_ip ip;
    LT_TRY(x509_ip_parse(value, &ip));
    LT_CLEANUP(lt_buf_done) struct lt_buf text;
    lt_buf_init(&text, 64);
    LT_TRY(x509_ip_text(LT_SLICE(ip.bytes, ip.len), &text));
    /*= RFC 8738 3 "the textual form of the address as defined in Section 2.1 of [RFC1123] for IPv4 and in
     *= Section 4 of [RFC5952] for IPv6." */
    LT_CHECK(lt_slice_eq(lt_buf_slice(&text), value), LT_PEER_MALFORMED,
             "the address is written as \"%s\" (RFC 5952)", lt_buf_cstr(&text));
    ret_identifier->value = lt_arena_cstr(r->arena, value);
    LT_CHECK(ret_identifier->value != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res wire_identifier(struct wire_reader *r, lt_slice type, lt_slice value, Ipc__Identifier *ret_identifier)
{
    static char dns[] = "dns";
    static char ip[] = "ip";
    ipc__identifier__init(ret_identifier);
    if (lt_slice_eq_cstr(type, dns)) {
        ret_identifier->type = dns;
        return read_dns(r, value, ret_identifier);
    }
    if (lt_slice_eq_cstr(type, ip)) {
        ret_identifier->type = ip;
        return read_ip(r, value, ret_identifier);
    }
    r->problem_type = "unsupportedIdentifier";
    LT_FAIL(LT_PEER_UNSUPPORTED, "identifiers of type \"%.*s\" are not taken; use dns or ip",
            (int)(type.len > 32 ? 32 : type.len),
            (const char *)(type.ptr == NULL ? (const uint8_t *)"" : type.ptr));
}
