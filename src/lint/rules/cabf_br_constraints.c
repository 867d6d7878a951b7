/* TLS Baseline Requirements 7.1.2.5.2 and 7.1.2.10.8 on nameConstraints. A TLS CA that has them is taken for
 * a technically constrained one, as whoever put them there wants it to be. */
#include "lint/rules/cabf_br_dates.h"

enum { NET_V4 = 8, NET_V6 = 32 };

static lt_slice at(const struct lint_subject *s)
{
    return lint_ext_at(s, X509_OID_NAME_CONSTRAINTS);
}

/* A subtree of that type: dNSName, or networks of that length (0: any); all: the one that holds every name.
 */
static bool has_subtree(const struct x509_general_names *trees, enum x509_general_name_type type, size_t len,
                        bool all)
{
    for (size_t i = 0; i < trees->count; i++) {
        lt_slice v = trees->list[i].value;
        if (trees->list[i].type != type || (len > 0 && v.len != len)) {
            continue;
        }
        bool zero = true;
        for (size_t k = 0; k < v.len; k++) {
            zero = zero && v.ptr[k] == 0;
        }
        if (!all || (zero && (v.len == 0 || len > 0))) {
            return true;
        }
    }
    return false;
}

/*= CABF-BR 7.1.2.5.2 "The permittedSubtrees MUST contain at least one GeneralSubtree for both of the dNSName
 *= and iPAddress GeneralName name types, UNLESS the specified GeneralName name type appears within the
 *= excludedSubtrees to exclude all names of that name type. Additionally, the permittedSubtrees MUST contain
 *= at least one GeneralSubtree of the directoryName GeneralName name type." */
static void complete(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        enum x509_general_name_type type;
        size_t len;
        const char *what;
    } kinds[] = {
        {X509_GN_DNS, 0, "dNSName"},
        {X509_GN_IP, NET_V4, "IPv4"},
        {X509_GN_IP, NET_V6, "IPv6"},
    };
    const struct x509_extensions *e = &s->cert->ext;
    if (!e->has_name_constraints) {
        return; /* it does not decode: not for this rule */
    }
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (!has_subtree(&e->permitted, kinds[i].type, kinds[i].len, false) &&
            !has_subtree(&e->excluded, kinds[i].type, kinds[i].len, true)) {
            lint_found(r, at(s), "%s is neither permitted in part nor excluded as a whole", kinds[i].what);
        }
    }
    if (!has_subtree(&e->permitted, X509_GN_DIRECTORY, 0, false)) {
        lint_found(r, at(s), "no directoryName is permitted");
    }
}

static void each_type(const struct lint_subject *s, struct lint_report *r,
                      const struct x509_general_names *trees)
{
    for (size_t i = 0; i < trees->count; i++) {
        enum x509_general_name_type t = trees->list[i].type;
        if (t != X509_GN_DNS && t != X509_GN_IP && t != X509_GN_DIRECTORY && t != X509_GN_OTHER) {
            lint_found(r, trees->list[i].value.len > 0 ? trees->list[i].value : at(s),
                       "name form %d has no place in the constraints of a TLS CA", (int)t);
        }
    }
}

/*= CABF-BR 7.1.2.5.2 "Any other value MUST NOT" */
static void types(const struct lint_subject *s, struct lint_report *r)
{
    each_type(s, r, &s->cert->ext.permitted);
    each_type(s, r, &s->cert->ext.excluded);
}

/*= CABF-BR 7.1.2.5.2 "The directoryName name type is NOT RECOMMENDED."; "otherName NOT RECOMMENDED" */
static void discouraged(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (has_subtree(&e->excluded, X509_GN_DIRECTORY, 0, false)) {
        lint_found(r, at(s), "a directoryName is excluded");
    }
    if (has_subtree(&e->excluded, X509_GN_OTHER, 0, false) ||
        has_subtree(&e->permitted, X509_GN_OTHER, 0, false)) {
        lint_found(r, at(s), "there is an otherName");
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0

static const struct lint_rule rows[] = {
    {"lintel_br_nc_complete", BR(LINT_ERROR),
     .asks = "a constrained TLS CA limits or excludes dNSName, IPv4 and IPv6 and permits a directoryName",
     .citation = "BR 7.1.2.5.2", .formerly = "BR 7.1.5", .when = LINT_IS_SUB_CA | LINT_IS_TLS | LINT_HAS_NC,
     .unless = LINT_IS_CROSS_CA, .check = complete},
    {"lintel_br_nc_types", BR(LINT_ERROR),
     .asks = "nameConstraints of a constrained TLS CA has dNSName, iPAddress and directoryName",
     .citation = "BR 7.1.2.5.2", .when = LINT_IS_SUB_CA | LINT_IS_TLS | LINT_HAS_NC,
     .unless = LINT_IS_CROSS_CA, .check = types},
    {"lintel_br_nc_cross_types", BR(LINT_WARN),
     .asks = "nameConstraints of a cross-certified CA has dNSName, iPAddress and directoryName",
     .citation = "BR 7.1.2.10.8", .when = LINT_IS_CROSS_CA | LINT_IS_TLS | LINT_HAS_NC, .check = types},
    {"lintel_br_nc_discouraged", BR(LINT_WARN),
     .asks = "nameConstraints excludes no directoryName and has no otherName",
     .citation = "BR 7.1.2.5.2, 7.1.2.10.8", .when = LINT_IS_SUB_CA | LINT_IS_TLS | LINT_HAS_NC,
     .check = discouraged},
};
const struct lint_table lint_cabf_br_constraints = LINT_TABLE(rows);
