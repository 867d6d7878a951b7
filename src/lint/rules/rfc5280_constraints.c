/* RFC 5280 4.2.1.10: nameConstraints. Read here from its bytes: what it must not contain, the decoder of
 * certificates refuses. */
#include "lint/rules/fqdn.h"
#include "lint/rules/mailbox.h"
#include "lint/rules/rfc.h"

static const struct x509_extension *constraints_of(const struct lint_subject *s)
{
    return lint_ext(s, X509_OID_NAME_CONSTRAINTS);
}

/* GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL } */
struct tree {
    lt_slice whole;
    unsigned form; /* tag number of the base */
    lt_slice base;
    lt_slice minimum; /* content, empty when it is not there */
    lt_slice maximum;
    bool excluded;
};

struct trees {
    struct der_cursor permitted;
    struct der_cursor excluded;
};

static struct trees trees_open(const struct lint_subject *s)
{
    struct der_cursor c = der_open(constraints_of(s)->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    lt_slice permitted = {0};
    lt_slice excluded = {0};
    (void)der_optional(&seq, DER_CONTEXT_CONS(0), &permitted); /* each may be missing */
    (void)der_optional(&seq, DER_CONTEXT_CONS(1), &excluded);
    return (struct trees){der_open(permitted), der_open(excluded)};
}

static bool tree_next(struct trees *all, struct tree *ret)
{
    bool excluded = !der_more(&all->permitted);
    struct der_cursor *c = excluded ? &all->excluded : &all->permitted;
    *ret = (struct tree){.excluded = excluded};
    if (!der_more(c)) {
        return false;
    }
    struct der_cursor ahead = *c;
    ret->whole = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor one = der_enter(c, DER_SEQUENCE);
    uint32_t tag = DER_NONE;
    bool there = der_any(&one, &tag, &ret->base, NULL);
    ret->form = DER_TAG_NUMBER(tag);
    (void)der_optional(&one, DER_CONTEXT(0), &ret->minimum); /* each may be missing */
    (void)der_optional(&one, DER_CONTEXT(1), &ret->maximum);
    return there;
}

static bool not_zero(lt_slice integer)
{
    return integer.len > 1 || (integer.len == 1 && integer.ptr[0] != 0);
}

/* zlint does not look at these two fields of URIs and otherNames, nor at maximum of permitted addresses. */
static bool bounds_seen(const struct tree *t)
{
    return t->form != X509_GN_URI && t->form != X509_GN_OTHER;
}

static void maximum_absent(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        bool seen = bounds_seen(&t) && (t.form != X509_GN_EMAIL || t.excluded);
        if (seen && not_zero(t.maximum)) {
            lint_found(r, t.whole, "a subtree with a maximum");
        }
    }
}

static void minimum_zero(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        if (bounds_seen(&t) && not_zero(t.minimum)) {
            lint_found(r, t.whole, "a subtree with a minimum other than 0");
        }
    }
}

/* .value: the form of GeneralName. */
static void form_absent(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        if (t.form == (unsigned)r->rule->value) {
            lint_found(r, t.whole, "%s subtree of that form", t.excluded ? "an excluded" : "a permitted");
        }
    }
}

static void uri_is_host(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        bool dot = t.base.len > 0 && t.base.ptr[0] == '.';
        lt_slice host = lt_slice_sub(t.base, dot ? 1 : 0, t.base.len);
        if (t.form == X509_GN_URI && !lint_fqdn_loose(host)) {
            lint_found(r, t.whole, "'%.*s' is no domain name", LT_FMT(t.base));
        }
    }
}

static bool is_sequence(const struct lint_subject *s)
{
    struct der_cursor c = der_open(constraints_of(s)->value);
    (void)der_read(&c, DER_SEQUENCE); /* sticky in the cursor */
    return der_ok(&c) && !der_more(&c);
}

static void not_empty(const struct lint_subject *s, struct lint_report *r)
{
    if (constraints_of(s)->value.len == 2) {
        lint_found(r, constraints_of(s)->der, "nameConstraints is an empty SEQUENCE");
    }
}

static void in_ca_only(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_IS_CA)) {
        lint_found(r, constraints_of(s)->der, "nameConstraints in a certificate of no CA");
    }
}

/*= RFC 5280 4.2.1.10 "the minimum MUST be zero, and maximum MUST be absent", for all forms */
static void bounds_default(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        if (t.maximum.len > 0 || t.minimum.len > 0) {
            lint_found(r, t.whole, "a subtree with a %s", t.maximum.len > 0 ? "maximum" : "minimum");
        }
    }
}

/* Ones, then zeros. */
static bool is_prefix_mask(lt_slice mask)
{
    bool ended = false;
    for (size_t i = 0; i < mask.len * 8; i++) {
        bool one = (mask.ptr[i / 8] >> (7 - i % 8) & 1) != 0;
        if (one && ended) {
            return false;
        }
        ended = ended || !one;
    }
    return true;
}

/*= RFC 5280 4.2.1.10 "encoded in the style of RFC 4632 (CIDR) to represent an address range" */
static void addresses_are_ranges(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        if (t.form != X509_GN_IP) {
            continue;
        }
        size_t half = t.base.len / 2;
        if (t.base.len != 8 && t.base.len != 32) {
            lint_found(r, t.base, "an address range of %zu octets", t.base.len);
        } else if (!is_prefix_mask(lt_slice_sub(t.base, half, half))) {
            lint_found(r, t.base, "the mask of an address range is no prefix");
        }
    }
}

static void range_bits(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        size_t half = t.base.len / 2;
        bool beyond = false;
        for (size_t i = 0; t.form == X509_GN_IP && (half == 4 || half == 16) && i < half; i++) {
            beyond = beyond || (t.base.ptr[i] & ~t.base.ptr[half + i] & 0xff) != 0;
        }
        if (beyond) {
            lint_found(r, t.base, "the address of a range has bits beyond its mask");
        }
    }
}

static bool is_host(lt_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t b = name.ptr[i];
        bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
        bool inner = b == '-' || b == '_' || b == '.';
        if (!letter && (!inner || i == 0 || i + 1 == name.len)) {
            return false;
        }
        if (b == '.' && name.ptr[i - 1] == '.') {
            return false;
        }
    }
    return true;
}

/*= RFC 5280 4.2.1.10 "DNS name restrictions are expressed as host.example.com": without a dot before it */
static void dns_is_name(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        if (t.form == X509_GN_DNS && !is_host(t.base)) {
            lint_found(r, t.base, "'%.*s' is no domain name", LT_FMT(t.base));
        }
    }
}

/*= RFC 5280 4.2.1.10 "A name constraint for Internet mail addresses MAY specify a particular mailbox, all
 * addresses at a particular host, or all mailboxes in a domain." */
static void email_is_one_of_three(const struct lint_subject *s, struct lint_report *r)
{
    struct trees all = trees_open(s);
    struct tree t;
    while (tree_next(&all, &t)) {
        bool dot = t.base.len > 1 && t.base.ptr[0] == '.';
        bool mailbox = lt_slice_find(t.base, '@') < t.base.len;
        bool right = mailbox ? lint_mailbox(t.base) : is_host(lt_slice_sub(t.base, dot ? 1 : 0, t.base.len));
        if (t.form == X509_GN_EMAIL && !right) {
            lint_found(r, t.base, "'%.*s' is neither a mailbox nor a host nor a domain", LT_FMT(t.base));
        }
    }
}

#define ROW(level_)                                                                      \
    .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .citation = "RFC 5280 4.2.1.10", .when = LINT_HAS_NC

#define OURS(level_)                                                                                       \
    .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .citation = "RFC 5280 4.2.1.10", \
    .when = LINT_HAS_NC, .effective = LINT_SINCE_RFC5280

static const struct lint_rule rows[] = {
    {"e_ext_name_constraints_not_in_ca", ROW(LINT_ERROR), .asks = "nameConstraints stands in CAs only",
     .effective = LINT_SINCE_RFC2459, .check = in_ca_only},
    {"e_name_constraint_empty", ROW(LINT_ERROR), .asks = "nameConstraints permits or excludes something",
     .effective = LINT_SINCE_RFC5280, .applies = is_sequence, .check = not_empty},
    {"e_name_constraint_maximum_not_absent", ROW(LINT_ERROR), .asks = "a subtree has no maximum",
     .effective = LINT_SINCE_RFC2459, .check = maximum_absent},
    {"e_name_constraint_minimum_non_zero", ROW(LINT_ERROR), .asks = "the minimum of a subtree is 0",
     .effective = LINT_SINCE_RFC2459, .check = minimum_zero},
    {"e_name_constraint_not_fqdn", ROW(LINT_ERROR), .asks = "a constraint on URIs is a domain name",
     .effective = LINT_SINCE_RFC5280, .check = uri_is_host},
    {"w_name_constraint_on_edi_party_name", ROW(LINT_WARN),
     .asks = "constraints should not be on ediPartyName", .effective = LINT_SINCE_RFC5280,
     .check = form_absent, .value = X509_GN_EDI},
    {"w_name_constraint_on_registered_id", ROW(LINT_WARN),
     .asks = "constraints should not be on registeredID", .effective = LINT_SINCE_RFC5280,
     .check = form_absent, .value = X509_GN_REGISTERED_ID},
    {"w_name_constraint_on_x400", ROW(LINT_WARN), .asks = "constraints should not be on x400Address",
     .effective = LINT_SINCE_RFC5280, .check = form_absent, .value = X509_GN_X400},
    {"lintel_rfc5280_nc_bounds", OURS(LINT_ERROR), .asks = "a subtree has neither minimum nor maximum",
     .check = bounds_default},
    {"lintel_rfc5280_nc_address_range", OURS(LINT_ERROR),
     .asks = "a constraint on addresses is an address and a prefix mask", .check = addresses_are_ranges},
    {"lintel_rfc5280_nc_address_bits", OURS(LINT_WARN),
     .asks = "the address of a constraint should be zero where its mask is", .check = range_bits},
    {"lintel_rfc5280_nc_dns", OURS(LINT_ERROR),
     .asks = "a constraint on dNSNames is a domain name without a leading dot", .check = dns_is_name},
    {"lintel_rfc5280_nc_email", OURS(LINT_ERROR),
     .asks = "a constraint on mail is a mailbox, a host or a domain", .check = email_is_one_of_three},
};
const struct lint_table lint_rfc5280_constraints = LINT_TABLE(rows);
