/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: kinds of names in the SAN, addresses, and
 * the common name that must stand there, too. */
#include "lint/rules.h"
#include "lint/rules/ip.h"
#include "x509/dnsname.h"

/* Reserved addresses were let run until then. */
static bool is_late(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_after) > LINT_DAY(2015, 11, 1) * LT_SECONDS_PER_DAY;
}

static void reserved_address(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        const struct x509_general_name *n = &san->list[i];
        bool sized = n->type == X509_GN_IP && (n->value.len == 4 || n->value.len == 16);
        if (sized && lint_ip_reserved_loose(n->value)) {
            lint_found(r, n->value, "a reserved address of %zu bytes", n->value.len);
        }
    }
}

static void reserved_common_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_name *cn = s->name_count > s->san_names ? &s->names[s->name_count - 1] : NULL;
    struct x509_ip ip;
    if (cn != NULL && cn->is_ip && !lt_failed(x509_ip_parse(cn->text, &ip)) &&
        lint_ip_reserved_loose(LT_SLICE(ip.bytes, ip.len))) {
        lint_found(r, cn->text, "'%.*s' is a reserved address", LT_FMT(cn->text));
    }
}

static void other_kind(const struct lint_subject *s, struct lint_report *r)
{
    static const char *const names[] = {"otherName",
                                        "rfc822Name",
                                        "dNSName",
                                        "x400Address",
                                        "directoryName",
                                        "ediPartyName",
                                        "uniformResourceIdentifier",
                                        "iPAddress",
                                        "registeredID"};
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        if ((int64_t)san->list[i].type == r->rule->value) {
            lint_found(r, san->list[i].value, "%s among the names", names[san->list[i].type]);
        }
    }
}

static void missing(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_SAN)) {
        lint_found(r, s->cert->tbs, "there is no subjectAltName");
    }
}

static void critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_ALT_NAME);
    if (x != NULL && x->critical && lint_is(s, LINT_HAS_SUBJECT)) {
        lint_found(r, x->der, "critical although the subject is not empty");
    }
}

/* Is it one of the addresses, written as it is usual? */
static bool is_address(const struct x509_general_names *san, lt_slice cn)
{
    struct x509_ip ip;
    if (lt_failed(x509_ip_parse(cn, &ip))) {
        return false;
    }
    lt_slice bytes = lint_ip_unmapped(LT_SLICE(ip.bytes, ip.len));
    struct lt_buf text;
    lt_buf_init(&text, 64);
    bool usual = !lt_failed(x509_ip_text(bytes, &text)) && lt_slice_eq(lt_buf_slice(&text), cn);
    lt_buf_done(&text);
    for (size_t i = 0; usual && i < san->count; i++) {
        if (san->list[i].type == X509_GN_IP && lt_slice_eq(lint_ip_unmapped(san->list[i].value), bytes)) {
            return true;
        }
    }
    return false;
}

static bool is_in_san(const struct x509_general_names *san, lt_slice cn, bool any_case)
{
    for (size_t i = 0; i < san->count; i++) {
        lt_slice name = san->list[i].value;
        if (san->list[i].type == X509_GN_DNS &&
            (lt_slice_eq(name, cn) || (any_case && lt_slice_eq_nocase(name, cn)))) {
            return true;
        }
    }
    return is_address(san, cn);
}

static void each_from_san(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = s->san_names; i < s->name_count; i++) {
        lt_slice cn = s->names[i].text;
        if (!is_in_san(&s->cert->ext.san, cn, false)) {
            lint_found(r, cn, "'%.*s' is no name of subjectAltName", LT_FMT(cn));
        }
    }
}

/* The last one is the one that zlint means. */
static lt_slice common_name_of(const struct lint_subject *s)
{
    return s->name_count > s->san_names ? s->names[s->name_count - 1].text : LT_SLICE(NULL, 0);
}

static bool has_common_name(const struct lint_subject *s)
{
    return common_name_of(s).len > 0;
}

static void last_from_san(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice cn = common_name_of(s);
    if (!is_in_san(&s->cert->ext.san, cn, true)) {
        lint_found(r, cn, "'%.*s' is no name of subjectAltName", LT_FMT(cn));
    }
}

static void common_name(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice cn = common_name_of(s);
    if (cn.len > 0) {
        lint_found(r, cn, "common name '%.*s'", LT_FMT(cn));
    }
}

static void second_common_name(const struct lint_subject *s, struct lint_report *r)
{
    if (s->name_count > s->san_names + 1) {
        lt_slice second = s->names[s->san_names + 1].text;
        lint_found(r, second, "'%.*s' is one more common name", LT_FMT(second));
    }
}

#define BR(level_, ...)                                                                  \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(__VA_ARGS__)
#define KIND(type_)                                                                              \
    BR(LINT_ERROR, 2012, 7, 1), .when = LINT_HAS_SAN, .check = other_kind, .value = (type_),     \
                                .asks = "subjectAltName holds domain names and addresses alone", \
                                .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2.1"

static const struct lint_rule rows[] = {
    {"e_ext_san_contains_reserved_ip", BR(LINT_ERROR, 2012, 7, 1), .applies = is_late,
     .asks = "subjectAltName has no reserved address", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1", .check = reserved_address},
    {"e_ext_san_directory_name_present", KIND(X509_GN_DIRECTORY)},
    {"e_ext_san_edi_party_name_present", KIND(X509_GN_EDI)},
    {"e_ext_san_other_name_present", KIND(X509_GN_OTHER)},
    {"e_ext_san_registered_id_present", KIND(X509_GN_REGISTERED_ID)},
    {"e_ext_san_rfc822_name_present", KIND(X509_GN_EMAIL)},
    {"e_ext_san_uniform_resource_identifier_present", KIND(X509_GN_URI)},
    {"e_ext_san_missing", BR(LINT_ERROR, 2012, 7, 1), .unless = LINT_IS_CA,
     .asks = "a subscriber certificate has subjectAltName", .citation = "BR 7.1.2.7.6",
     .formerly = "BR 7.1.4.2.1", .check = missing},
    {"w_ext_san_critical_with_subject_dn", BR(LINT_WARN, 2008, 5, 1), .when = LINT_HAS_SAN,
     .asks = "subjectAltName is not critical beside a subject", .citation = "RFC 5280 4.2.1.6",
     .check = critical},
    {"e_subject_common_name_not_exactly_from_san", BR(LINT_ERROR, 2021, 8, 25), .when = LINT_HAS_CN,
     .unless = LINT_IS_CA, .asks = "each common name is a name of subjectAltName, byte for byte",
     .citation = "BR 7.1.4.3", .formerly = "BR 7.1.4.2.2", .check = each_from_san},
    {"e_subject_common_name_not_from_san", BR(LINT_ERROR, 2012, 7, 1), .retired = LINT_DAY(2021, 8, 25),
     .unless = LINT_IS_CA, .applies = has_common_name, .asks = "the common name is a name of subjectAltName",
     .citation = "BR 7.1.4.3", .formerly = "BR 7.1.4.2.2", .check = last_from_san},
    {"e_subject_contains_reserved_ip", BR(LINT_ERROR, 2012, 7, 1), .applies = is_late,
     .asks = "the common name is no reserved address", .citation = "BR 7.1.4.3", .formerly = "BR 7.1.4.2.1",
     .check = reserved_common_name},
    {"n_subject_common_name_included", BR(LINT_NOTICE, 2012, 7, 1), .retired = LINT_DAY(2023, 9, 15),
     .unless = LINT_IS_CA, .asks = "a subscriber certificate does without a common name",
     .citation = "BR 7.1.2.7.1", .formerly = "BR 7.1.4.2.2", .check = common_name},
    {"w_subject_common_name_included", BR(LINT_WARN, 2023, 9, 15), .when = LINT_IS_SUBSCRIBER,
     .asks = "a subscriber certificate does without a common name", .citation = "BR 7.1.2.7.2",
     .check = common_name},
    {"w_extra_subject_common_names", BR(LINT_WARN, 2012, 7, 1), .when = LINT_IS_SUBSCRIBER,
     .asks = "there is one common name at most", .citation = "BR 7.1.4.3", .formerly = "BR 7.1.4.2.2",
     .check = second_common_name},
};
const struct lint_table lint_cabf_br_san = LINT_TABLE(rows);
