/* TLS Baseline Requirements on single characters, suffixes and networks in names, as zlint judges them. */
#include <string.h>

#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/common.h"
#include "lint/rules/ip.h"

static bool ends_nocase(lt_slice s, lt_slice suffix)
{
    return s.len >= suffix.len && lt_slice_eq_nocase(lt_slice_sub(s, s.len - suffix.len, suffix.len), suffix);
}

static void reverse_zone(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice name = san->list[i].value;
        if (san->list[i].type == X509_GN_DNS &&
            (ends_nocase(name, LT_LIT(".in-addr.arpa")) || ends_nocase(name, LT_LIT(".ip6.arpa")))) {
            lint_found(r, name, "\"%.*s\" is in a reverse zone", LT_FMT(name));
            return;
        }
    }
}

static void underscore(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice name = san->list[i].value;
        if (san->list[i].type == X509_GN_DNS && lt_slice_find(name, '_') < name.len) {
            lint_found(r, name, "\"%.*s\" has an underscore", LT_FMT(name));
            return;
        }
    }
}

/* zlint's question whether there are names at all counts a common name. */
static bool has_names(const struct lint_subject *s)
{
    return lint_is(s, LINT_HAS_DNS) || lint_last_attribute(&s->cert->subject, X509_OID_CN).len > 0;
}

enum { SHORT_DAYS = 30 };

static bool not_short(const struct lint_subject *s)
{
    return has_names(s) && lt_time_seconds(s->cert->not_before) + SHORT_DAYS * LT_SECONDS_PER_DAY <=
                               lt_time_seconds(s->cert->not_after);
}

/* A byte that betrays a JSON object, a key with its value or the like; BMPString has it as 00 xx. */
static bool has_markup(const struct x509_attribute *a)
{
    size_t step = a->string_type == DER_BMP_STRING ? 2 : 1;
    for (size_t i = step - 1; i < a->value.len; i += step) {
        bool ascii = step == 1 || a->value.ptr[i - 1] == 0;
        if (ascii && a->value.ptr[i] != 0 && strchr("=:{};\"|\\[]", a->value.ptr[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void place_markup(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if ((a->oid == X509_OID_ST || a->oid == X509_OID_L) && has_markup(a)) {
            lint_found(r, a->value, "\"%.*s\" is no plain name", LT_FMT(a->value));
            return;
        }
    }
}

static bool after_reserved(const struct lint_subject *s)
{
    return s->cert->not_after.us > LINT_DAY(2015, 11, 1) * LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
}

static void reserved_network(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *permitted = &s->cert->ext.permitted;
    for (size_t i = 0; i < permitted->count; i++) {
        if (permitted->list[i].type == X509_GN_IP && lint_net_reserved(permitted->list[i].value)) {
            lint_found(r, permitted->list[i].value, "permitted network %zu touches a reserved one", i + 1);
            return;
        }
    }
}

#define BR .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true

static const struct lint_rule rows[] = {
    {"e_arpa_domain_not_allowed", BR, .asks = "no name lies in the reverse zones of IPv4 and IPv6",
     .citation = "BR 4.2.2", .when = LINT_IS_SUBSCRIBER, .effective = LINT_DAY(2026, 3, 15),
     .check = reverse_zone},
    {"e_ext_nc_intersects_reserved_ip", BR,
     .asks = "no network that nameConstraints permits touches one that IANA reserves",
     .citation = "BR 7.1.2.5.2, 4.2.2", .formerly = "BR 7.1.5", .when = LINT_HAS_NC, .effective = BR_1_0,
     .applies = after_reserved, .check = reserved_network},
    {"e_no_underscores_before_1_6_2", BR, .asks = "a dNSName has no underscore", .citation = "BR 7.1.4.2.1",
     .when = LINT_IS_SUBSCRIBER, .retired = BR_1_6_2, .applies = has_names, .check = underscore},
    {"e_underscore_present_with_too_long_validity", BR,
     .asks = "a dNSName with an underscore stands only in a certificate that is valid for less than 30 days",
     .citation = "BR 7.1.4.2.1", .when = LINT_IS_SUBSCRIBER, .effective = BR_1_6_2,
     .retired = LINT_DAY(2019, 4, 1), .applies = not_short, .check = underscore},
    {"e_state_or_province_name_must_not_contain_control_characters", BR,
     .asks = "stateOrProvinceName and localityName are plain names, not structured data",
     .citation = "BR 3.2.2.1", .effective = BR_1_0, .check = place_markup},
};
const struct lint_table lint_cabf_br_text = LINT_TABLE(rows);
