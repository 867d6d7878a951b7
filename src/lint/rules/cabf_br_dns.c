/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: the form of domain names in the SAN and in
 * the common name. Reverse-zone and .onion names are in cabf_br_zones.c. */
#include <string.h>

#include "lint/rules.h"

/* What is wrong with one name. */
struct name_test {
    bool (*bad)(const struct lint_name *n, const struct lint_subject *s);
    const char *what;
    bool needs_suffix; /* nothing is said at all once the public suffix list cannot split a name */
    bool only_san;
    bool addresses_too; /* a common name that is an IP address is looked at, too */
};

static bool is_ldh(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool holds(lt_slice s, uint8_t byte)
{
    return lt_slice_find(s, byte) < s.len;
}

/* The label before the next dot; false behind the last one. Unlike lt_slice_split it also gives the empty one
 * at the end. */
static bool next_label(lt_slice *rest, bool *done, lt_slice *ret_label)
{
    if (*done) {
        return false;
    }
    size_t dot = lt_slice_find(*rest, '.');
    *ret_label = lt_slice_sub(*rest, 0, dot);
    *done = dot == rest->len;
    *rest = lt_slice_sub(*rest, dot + 1, rest->len);
    return true;
}

static bool bad_characters(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice rest = n->text;
    if (lt_slice_starts(rest, LT_LIT("*."))) {
        rest = lt_slice_sub(rest, 2, rest.len);
    }
    while (lt_slice_starts(rest, LT_LIT("?."))) {
        rest = lt_slice_sub(rest, 2, rest.len);
    }
    bool done = false;
    lt_slice label;
    while (next_label(&rest, &done, &label)) {
        if (label.len == 0 && !done) {
            return true;
        }
        for (size_t i = 0; i < label.len; i++) {
            if (!is_ldh(label.ptr[i]) && label.ptr[i] != '_' && label.ptr[i] != '*') {
                return true;
            }
        }
    }
    return false;
}

static bool is_bare_tld(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return n->label_count == 1 && n->tld_row != NULL;
}

static bool is_reserved_label(lt_slice label)
{
    return label.len >= 4 && label.ptr[2] == '-' && label.ptr[3] == '-' &&
           !lt_slice_eq_nocase(lt_slice_sub(label, 0, 2), LT_LIT("xn"));
}

static bool reserved_label(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice rest = n->text;
    bool done = false;
    lt_slice label;
    while (next_label(&rest, &done, &label)) {
        if (is_reserved_label(label)) {
            return true;
        }
    }
    return false;
}

static bool empty_label(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice rest = n->text;
    bool done = false;
    lt_slice label;
    while (next_label(&rest, &done, &label)) {
        if (label.len == 0) {
            return true;
        }
    }
    return false;
}

static bool long_label(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice rest = n->text;
    bool done = false;
    lt_slice label;
    while (next_label(&rest, &done, &label)) {
        if (label.len > 63) {
            return true;
        }
    }
    return false;
}

static bool part_wildcard(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice first = lt_slice_sub(n->text, 0, lt_slice_find(n->text, '.'));
    return first.len > 1 && holds(first, '*');
}

static bool inner_wildcard(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    size_t dot = lt_slice_find(n->text, '.');
    return holds(lt_slice_sub(n->text, dot, n->text.len), '*');
}

static bool no_tld(const struct lint_name *n, const struct lint_subject *s)
{
    int64_t at = lt_time_seconds(s->cert->not_before);
    const struct lint_tld *t = n->tld_row;
    return t == NULL || at < t->delegated * LT_SECONDS_PER_DAY ||
           (t->removed != 0 && at > t->removed * LT_SECONDS_PER_DAY);
}

static bool hyphen_in_sld(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return lt_slice_starts(n->sld, LT_LIT("-")) || lt_slice_ends(n->sld, LT_LIT("-"));
}

static bool underscore_in_sld(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return holds(n->sld, '_');
}

static bool underscore_in_trd(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return holds(n->trd, '_');
}

static bool wildcard_sld(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return lt_slice_eq(n->sld, LT_LIT("*"));
}

static bool underscore(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    return holds(n->text, '_');
}

/* Would the label be one of letters, digits and hyphens if its underscores were hyphens? */
static bool bad_when_replaced(lt_slice label)
{
    if (!holds(label, '_') || lt_slice_eq(label, LT_LIT("*"))) {
        return false;
    }
    uint8_t text[64];
    if (label.len >= sizeof(text)) {
        return true;
    }
    for (size_t i = 0; i < label.len; i++) {
        text[i] = label.ptr[i] == '_' ? '-' : label.ptr[i];
        if (!is_ldh(text[i])) {
            return true;
        }
    }
    return text[0] == '-' || text[label.len - 1] == '-' || is_reserved_label(LT_SLICE(text, label.len));
}

static bool bad_underscore(const struct lint_name *n, const struct lint_subject *s)
{
    (void)s;
    lt_slice rest = n->text;
    bool done = false;
    lt_slice label;
    while (next_label(&rest, &done, &label)) {
        if (bad_when_replaced(label)) {
            return true;
        }
    }
    return false;
}

/* The last common name, which is the one that zlint sees; NULL without one. */
static const struct lint_name *common_name(const struct lint_subject *s)
{
    const struct lint_name *n = s->name_count > s->san_names ? &s->names[s->name_count - 1] : NULL;
    return n != NULL && n->text.len > 0 ? n : NULL;
}

static bool has_names(const struct lint_subject *s)
{
    return s->san_names > 0 || common_name(s) != NULL;
}

/* False: nothing more to say. */
static bool one_name(const struct lint_subject *s, struct lint_report *r, const struct lint_name *n)
{
    const struct name_test *t = r->rule->data;
    if (t->needs_suffix && !n->psl_ok) {
        if (r->status == LINT_PASS) {
            lint_say(r, LINT_NA);
        }
        return false;
    }
    if (t->bad(n, s)) {
        lint_found(r, n->text, "'%.*s' %s", LT_FMT(n->text), t->what);
    }
    return true;
}

static void names(const struct lint_subject *s, struct lint_report *r)
{
    const struct name_test *t = r->rule->data;
    const struct lint_name *cn = t->only_san ? NULL : common_name(s);
    if (cn != NULL && (!cn->is_ip || t->addresses_too) && !one_name(s, r, cn)) {
        return;
    }
    for (size_t i = 0; i < s->san_names; i++) {
        if (!one_name(s, r, &s->names[i])) {
            return;
        }
    }
}

#define TEST(...)                                     \
    .check = names, .data = &(const struct name_test) \
    {                                                 \
        __VA_ARGS__                                   \
    }
#define BR(level_, ...)                                                                  \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(__VA_ARGS__)
#define OF_SUBSCRIBER .when = LINT_IS_SUBSCRIBER, .applies = has_names

static const struct lint_rule rows[] = {
    {"e_dnsname_bad_character_in_label", BR(LINT_ERROR, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "labels of domain names are made of letters, digits, hyphens, underscores and wildcards",
     .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2",
     TEST(bad_characters, "has a character that no host name has")},
    {"e_dnsname_contains_bare_iana_suffix", BR(LINT_ERROR, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "a domain name is more than a top-level domain", .citation = "BR 1.6.1",
     TEST(is_bare_tld, "is a top-level domain")},
    {"e_dnsname_contains_prohibited_reserved_label", BR(LINT_ERROR, 2021, 10, 1), OF_SUBSCRIBER,
     .asks = "hyphens as third and fourth character stand only behind xn", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1", TEST(reserved_label, "has a label with reserved hyphens", .only_san = true)},
    {"e_dnsname_empty_label", BR(LINT_ERROR, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "no label of a domain name is empty", .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2",
     TEST(empty_label, "has an empty label")},
    {"e_dnsname_hyphen_in_sld", BR(LINT_ERROR, 2008, 5, 1), OF_SUBSCRIBER,
     .asks = "the label before the public suffix neither begins nor ends with a hyphen",
     .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2",
     TEST(hyphen_in_sld, "has a hyphen at an end of its registered label", .needs_suffix = true)},
    {"e_dnsname_label_too_long", BR(LINT_ERROR, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "a label of a domain name has at most 63 octets", .citation = "RFC 1035 2.3.4",
     TEST(long_label, "has a label of more than 63 octets")},
    {"e_dnsname_left_label_wildcard_correct", BR(LINT_ERROR, 2012, 7, 1),
     .asks = "a wildcard is the whole left-most label", .citation = "BR 1.6.1",
     TEST(part_wildcard, "has a wildcard beside other characters", .addresses_too = true)},
    {"e_dnsname_not_valid_tld", BR(LINT_ERROR, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "a domain name ends in a top-level domain that was delegated on the day of issuance",
     .citation = "BR 3.2.2.4", TEST(no_tld, "ends in no top-level domain of its time")},
    {"e_dnsname_underscore_in_sld", BR(LINT_ERROR, 2008, 5, 1), OF_SUBSCRIBER,
     .asks = "the label before the public suffix has no underscore", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1",
     TEST(underscore_in_sld, "has an underscore in its registered label", .needs_suffix = true)},
    {"e_dnsname_wildcard_only_in_left_label", BR(LINT_ERROR, 2012, 7, 1),
     .asks = "a wildcard stands only in the left-most label", .citation = "BR 1.6.1",
     TEST(inner_wildcard, "has a wildcard behind its first label", .addresses_too = true)},
    {"e_underscore_not_permissible_in_dnsname", BR(LINT_ERROR, 2019, 4, 1), OF_SUBSCRIBER,
     .asks = "domain names in the SAN have no underscores", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1", TEST(underscore, "has an underscore", .only_san = true)},
    {"e_underscore_permissible_in_dnsname_if_valid_when_replaced", BR(LINT_ERROR, 2018, 12, 10),
     OF_SUBSCRIBER, .asks = "a label with underscores would be a valid one with hyphens in their place",
     .citation = "BR 7.1.2.7.12", .formerly = "BR 7.1.4.2.1", .retired = LINT_DAY(2019, 4, 1),
     TEST(bad_underscore, "has a label that is wrong even with hyphens for its underscores",
          .only_san = true)},
    {"n_dnsname_wildcard_left_of_public_suffix", BR(LINT_NOTICE, 2012, 7, 1), OF_SUBSCRIBER,
     .asks = "a wildcard directly before a public suffix is something to look at twice",
     .citation = "BR 3.2.2.6",
     TEST(wildcard_sld, "has its wildcard directly before a public suffix", .needs_suffix = true)},
    {"w_dnsname_underscore_in_trd", BR(LINT_WARN, 2008, 5, 1), OF_SUBSCRIBER,
     .asks = "the labels before the registered domain have no underscore", .citation = "BR 7.1.2.7.12",
     .formerly = "BR 7.1.4.2.1",
     TEST(underscore_in_trd, "has an underscore below its registered domain", .needs_suffix = true)},
};
const struct lint_table lint_cabf_br_dns = LINT_TABLE(rows);
