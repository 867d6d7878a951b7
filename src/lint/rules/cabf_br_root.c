/* TLS Baseline Requirements 7.1.2.1 on root certificates, where zlint does not ask. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/common.h"

/*= CABF-BR 7.1.2.1 "Encoded value MUST be byte-for-byte identical to the encoded subject" */
static void issuer(const struct lint_subject *s, struct lint_report *r)
{
    if (!lt_slice_eq(s->cert->issuer.der, s->cert->subject.der)) {
        lint_found(r, s->cert->subject.der, "the subject is not byte for byte the issuer");
    }
}

/*= CABF-BR 7.1.2.1.1 notAfter: "2922 days (approx. 8 years)" to "9132 days (approx. 25 years)" */
enum { ROOT_DAYS_MIN = 2922, ROOT_DAYS_MAX = 9132 };

static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds < ROOT_DAYS_MIN * LT_SECONDS_PER_DAY || seconds > ROOT_DAYS_MAX * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->validity, "valid for %lld days (%lld s)",
                   (long long)(seconds / LT_SECONDS_PER_DAY), (long long)seconds);
    }
}

static void aki_missing(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, s->cert->tbs, "there is no authorityKeyIdentifier");
}

/*= CABF-BR 7.1.2.1.3 "MUST be present. MUST be identical to the subjectKeyIdentifier field." */
static void aki_is_ski(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->aki_key_id.len > 0 && e->has_ski && !lt_slice_eq(e->aki_key_id, e->ski)) {
        lint_found(r, e->ski, "the subjectKeyIdentifier is not what authorityKeyIdentifier names");
    }
}

/*= CABF-BR 7.1.2.1.2 "Any other extension NOT RECOMMENDED" */
static void other_extension(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_AUTHORITY_KEY_IDENTIFIER, X509_OID_BASIC_CONSTRAINTS, X509_OID_KEY_USAGE,
        X509_OID_SUBJECT_KEY_IDENTIFIER,   X509_OID_SCT_LIST,          X509_OID_EXTENDED_KEY_USAGE,
        X509_OID_CERTIFICATE_POLICIES, /* the last two have rows of their own */
    };
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (!lint_oid_in(e->list[i].id.oid, known, LT_COUNT(known))) {
            lint_found(r, e->list[i].der, "extension %zu (%s) in a root", i + 1,
                       lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
        }
    }
}

#define ROOT(level_)                                                                           \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0

static const struct lint_rule rows[] = {
    {"lintel_br_root_issuer", ROOT(LINT_ERROR), .asks = "a root's issuer is byte for byte its subject",
     .citation = "BR 7.1.2.1", .when = LINT_IS_ROOT | LINT_IS_TLS, .check = issuer},
    {"lintel_br_root_validity", ROOT(LINT_ERROR), .asks = "a root is valid for 2,922 to 9,132 days",
     .citation = "BR 7.1.2.1.1", .when = LINT_IS_ROOT | LINT_IS_TLS, .check = validity},
    {"lintel_br_root_aki_missing", ROOT(LINT_WARN), .asks = "a root has authorityKeyIdentifier",
     .citation = "BR 7.1.2.1.2", .when = LINT_IS_ROOT | LINT_IS_TLS, .unless = LINT_HAS_AKI,
     .check = aki_missing},
    {"lintel_br_root_aki_is_ski", ROOT(LINT_ERROR),
     .asks = "the key identifier that a root names as its issuer's is its own", .citation = "BR 7.1.2.1.3",
     .when = LINT_IS_ROOT | LINT_IS_TLS | LINT_HAS_AKI, .check = aki_is_ski},
    {"lintel_br_root_other_extension", ROOT(LINT_WARN),
     .asks = "a root has no extensions beyond those of its profile", .citation = "BR 7.1.2.1.2",
     .when = LINT_IS_ROOT | LINT_IS_TLS, .check = other_extension},
};
const struct lint_table lint_cabf_br_root = LINT_TABLE(rows);
