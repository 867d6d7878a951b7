/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: names below .onion, in-addr.arpa and
 * ip6.arpa. */
#include <string.h>

#include "lint/rules.h"
#include "lint/rules/ip.h"
#include "x509/dnsname.h"

enum { ONION_V2_LEN = 16, ONION_V3_LEN = 56 };

/* The last common name is the one that zlint sees. */
static bool is_seen(const struct lint_subject *s, size_t i)
{
    return i < s->san_names || i + 1 == s->name_count;
}

static bool any_ends(const struct lint_subject *s, const char *const *suffixes, size_t count)
{
    for (size_t i = 0; i < s->name_count; i++) {
        for (size_t k = 0; k < count && is_seen(s, i); k++) {
            lt_slice suffix = lt_slice_cstr(suffixes[k]);
            lt_slice text = s->names[i].text;
            bool long_enough = text.len >= suffix.len;
            if (long_enough &&
                lt_slice_eq_nocase(lt_slice_sub(text, text.len - suffix.len, suffix.len), suffix)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_onion(lt_slice name)
{
    return lt_slice_ends(name, LT_LIT(".onion"));
}

static bool has_onion(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->name_count; i++) {
        if (is_seen(s, i) && is_onion(s->names[i].text)) {
            return true;
        }
    }
    return false;
}

static bool has_onion_in_its_time(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_before) < LINT_DAY(2020, 3, 27) * LT_SECONDS_PER_DAY && has_onion(s);
}

/* The label before ".onion". */
static lt_slice onion_label(lt_slice name)
{
    lt_slice rest = lt_slice_sub(name, 0, name.len - LT_LIT(".onion").len);
    size_t start = rest.len;
    while (start > 0 && rest.ptr[start - 1] != '.') {
        start--;
    }
    return lt_slice_sub(rest, start, rest.len - start);
}

static bool is_base32(lt_slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'))) {
            return false;
        }
    }
    return true;
}

static void onion(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->name_count; i++) {
        lt_slice name = s->names[i].text;
        if (!is_seen(s, i) || !is_onion(name)) {
            continue;
        }
        lt_slice label = onion_label(name);
        if (label.len == ONION_V2_LEN && !lint_is(s, LINT_IS_EV_ANY)) {
            lint_found(r, name, "'%.*s' has an address of version 2 and no EV policy stands by it",
                       LT_FMT(name));
        } else if (label.len != ONION_V2_LEN && label.len != ONION_V3_LEN) {
            lint_found(r, name, "'%.*s' has %zu characters before .onion, neither 16 nor 56", LT_FMT(name),
                       label.len);
        } else if (!is_base32(label)) {
            lint_found(r, name, "'%.*s' has characters that base32 does not know", LT_FMT(name));
        }
    }
}

static void onion_of_ev(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_IS_EV_ANY)) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME), "a .onion name without an EV policy");
    }
}

/* A reverse zone: how many labels an address takes there. */
static const struct zone {
    const char *suffix;
    size_t labels;
    bool v6;
} zones[] = {
    {".in-addr.arpa", 4, false},
    {".ip6.arpa", 32, true},
};

static bool has_reverse(const struct lint_subject *s)
{
    static const char *const suffixes[] = {".in-addr.arpa", ".ip6.arpa"};
    return any_ends(s, suffixes, LT_COUNT(suffixes));
}

static const struct zone *zone_of(lt_slice name, lt_slice *ret_rest)
{
    for (size_t i = 0; i < LT_COUNT(zones); i++) {
        lt_slice suffix = lt_slice_cstr(zones[i].suffix);
        if (name.len >= suffix.len &&
            lt_slice_eq_nocase(lt_slice_sub(name, name.len - suffix.len, suffix.len), suffix)) {
            *ret_rest = lt_slice_sub(name, 0, name.len - suffix.len);
            return &zones[i];
        }
    }
    return NULL;
}

static size_t count_labels(lt_slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '.';
    }
    return count;
}

/* The labels from the last to the first, with dots or, four at a time, with colons between them. */
static bool address_of(lt_slice rest, const struct zone *z, struct x509_ip *ret_ip)
{
    uint8_t text[64];
    size_t len = 0;
    size_t end = rest.len;
    for (size_t n = z->labels; n > 0; n--) {
        size_t start = end;
        while (start > 0 && rest.ptr[start - 1] != '.') {
            start--;
        }
        if (len + (end - start) + 1 > sizeof(text)) {
            return false;
        }
        for (size_t i = start; i < end; i++) {
            text[len++] = rest.ptr[i];
        }
        if (n > 1 && (!z->v6 || n % 4 == 1)) {
            text[len++] = z->v6 ? ':' : '.';
        }
        end = start > 0 ? start - 1 : 0;
    }
    return !lt_failed(x509_ip_parse(LT_SLICE(text, len), ret_ip));
}

static void malformed_reverse(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice name = s->names[i].text;
        lt_slice rest;
        const struct zone *z = zone_of(name, &rest);
        struct x509_ip ip;
        if (z == NULL) {
            continue;
        }
        size_t count = count_labels(rest);
        if (count != z->labels) {
            lint_found(r, name, "'%.*s' has %zu labels before its reverse zone, an address has %zu",
                       LT_FMT(name), count, z->labels);
        } else if (!address_of(rest, z, &ip)) {
            lint_found(r, name, "'%.*s' spells no address", LT_FMT(name));
        }
    }
}

static void reserved_reverse(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice name = s->names[i].text;
        lt_slice rest;
        const struct zone *z = zone_of(name, &rest);
        struct x509_ip ip;
        if (z == NULL || count_labels(rest) != z->labels || !address_of(rest, z, &ip)) {
            continue;
        }
        lt_slice bytes = LT_SLICE(ip.bytes, ip.len);
        bool v6 = lint_ip_unmapped(bytes).len == 16;
        if (v6 != z->v6) {
            lint_found(r, name, "'%.*s' spells an address of the other version of IP", LT_FMT(name));
        } else if (lint_ip_reserved_loose(bytes)) {
            lint_found(r, name, "'%.*s' spells a reserved address", LT_FMT(name));
        }
    }
}

#define BR(level_, ...)                                                                  \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(__VA_ARGS__)

static const struct lint_rule rows[] = {
    {"e_san_dns_name_onion_invalid", BR(LINT_ERROR, 2015, 5, 1), .applies = has_onion,
     .asks = "a .onion name has an address of version 3, or of version 2 with an EV policy",
     .citation = "BR Appendix B", .formerly = "BR Appendix C", .check = onion},
    {"e_san_dns_name_onion_not_ev_cert", BR(LINT_ERROR, 2015, 5, 1), .when = LINT_IS_SUBSCRIBER,
     .applies = has_onion_in_its_time, .asks = "a .onion name of before BR 1.6.9 stands in an EV certificate",
     .citation = "BR Appendix B", .formerly = "EVG Appendix F", .check = onion_of_ev},
    {"e_subject_contains_reserved_arpa_ip", BR(LINT_ERROR, 2012, 7, 1), .applies = has_reverse,
     .asks = "a name in a reverse zone spells no reserved address", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1", .check = reserved_reverse},
    {"w_subject_contains_malformed_arpa_ip", BR(LINT_WARN, 2012, 7, 1), .applies = has_reverse,
     .asks = "a name in a reverse zone spells a whole address", .citation = "BR 3.2.2.6",
     .check = malformed_reverse},
};
const struct lint_table lint_cabf_br_zones = LINT_TABLE(rows);
