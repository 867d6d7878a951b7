/* RFC 5280 4.2.1.10: nameConstraints. Read here from its bytes: what it must not contain, the decoder of
 * certificates refuses. */
#include "lint/rules/fqdn.h"
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

#define ROW(level_)                                                                      \
    .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .citation = "RFC 5280 4.2.1.10", .when = LINT_HAS_NC

static const struct lint_rule rows[] = {
    {"e_ext_name_constraints_not_in_ca", ROW(LINT_ERROR), .asks = "nameConstraints stands in CAs only",
     .effective = LINT_SINCE_RFC2459, .check = in_ca_only},
    {"e_name_constraint_empty", ROW(LINT_ERROR), .asks = "nameConstraints permits or excludes something",
     .effective = LINT_SINCE_RFC5280, .applies = is_sequence, .check = not_empty},
    {"e_name_constraint_maximum_not_absent", ROW(LINT_ERROR), .asks = "A subtree has no maximum",
     .effective = LINT_SINCE_RFC2459, .check = maximum_absent},
    {"e_name_constraint_minimum_non_zero", ROW(LINT_ERROR), .asks = "The minimum of a subtree is 0",
     .effective = LINT_SINCE_RFC2459, .check = minimum_zero},
    {"e_name_constraint_not_fqdn", ROW(LINT_ERROR), .asks = "A constraint on URIs is a domain name",
     .effective = LINT_SINCE_RFC5280, .check = uri_is_host},
    {"w_name_constraint_on_edi_party_name", ROW(LINT_WARN),
     .asks = "Constraints should not be on ediPartyName", .effective = LINT_SINCE_RFC5280,
     .check = form_absent, .value = X509_GN_EDI},
    {"w_name_constraint_on_registered_id", ROW(LINT_WARN),
     .asks = "Constraints should not be on registeredID", .effective = LINT_SINCE_RFC5280,
     .check = form_absent, .value = X509_GN_REGISTERED_ID},
    {"w_name_constraint_on_x400", ROW(LINT_WARN), .asks = "Constraints should not be on x400Address",
     .effective = LINT_SINCE_RFC5280, .check = form_absent, .value = X509_GN_X400},
};
const struct lint_table lint_rfc5280_constraints = LINT_TABLE(rows);
