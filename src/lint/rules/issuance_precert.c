/* The final certificate against its precertificate: the same bytes to be signed, but for the poison in the
 * one and the list of SCTs in the other. */
#include "lint/rules.h"
#include "lint/rules/common.h"

static void poisoned(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = x509_extension_find(&s->in->precertificate->ext, X509_OID_CT_POISON);
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "what is given as its precertificate is none: it has no poison");
    }
}

/* The next element behind what stands before the extensions; false at the end or at the extensions. */
static bool next_field(struct der_cursor *c, lt_slice *ret_whole)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    return der_more(c) && !der_is_next(c, DER_CONTEXT_CONS(3)) && der_any(c, &tag, &content, ret_whole);
}

/* Its name, by what stands before it. *at: which of the fields that are always there comes next. */
static const char *field_name(lt_slice whole, size_t *at)
{
    static const char *const names[] = {"serialNumber", "signature", "issuer",
                                        "validity",     "subject",   "subjectPublicKeyInfo"};
    struct der_cursor c = der_open(whole);
    switch (DER_TAG_NUMBER(der_peek(&c)) | (der_peek(&c) & DER_CLASS_CONTEXT)) {
    case DER_CONTEXT(0):
        return "version";
    case DER_CONTEXT(1):
        return "issuerUniqueID";
    case DER_CONTEXT(2):
        return "subjectUniqueID";
    default:
        break;
    }
    const char *name = *at < LT_COUNT(names) ? names[*at] : "a further field";
    *at += 1;
    return name;
}

/*= CABF-BR 7.1.2.9 "Encoded value MUST be byte-for-byte identical" to the field of the certificate */
static void same_fields(const struct lint_subject *s, struct lint_report *r)
{
    struct der_notes notes = {.count = 0};
    struct der_cursor ours = der_open(s->cert->tbs);
    struct der_cursor theirs = der_open(s->in->precertificate->tbs);
    ours.notes = theirs.notes = &notes;
    struct der_cursor a = der_enter(&ours, DER_SEQUENCE);
    struct der_cursor b = der_enter(&theirs, DER_SEQUENCE);
    size_t at = 0;
    for (;;) {
        lt_slice x = {0};
        lt_slice y = {0};
        bool more = next_field(&a, &x);
        bool there = next_field(&b, &y);
        if (!more && !there) {
            return;
        }
        const char *name = field_name(more ? x : y, &at);
        if (lt_slice_eq(x, s->cert->issuer.der) && lt_slice_eq(y, s->in->precertificate->issuer.der)) {
            continue; /* that has its own row */
        }
        if (more != there || !lt_slice_eq(x, y)) {
            lint_found(r, more ? x : s->cert->tbs, "%s differs from the precertificate's", name);
        }
        if (more != there) {
            return;
        }
    }
}

static bool other_issuer(const struct lint_subject *s)
{
    return !lt_slice_eq(s->cert->issuer.der, s->in->precertificate->issuer.der);
}

/*= CABF-BR 7.1.2.9 "byte-for-byte identical to the subject field of the Precertificate Signing CA" */
/* That CA is not at hand here: somebody has to look. */
static void same_issuer(const struct lint_subject *s, struct lint_report *r)
{
    if (other_issuer(s)) {
        lint_found(r, s->cert->issuer.der,
                   "the precertificate's issuer is another: one for precertificates?");
    }
}

/* The next extension that both must have: without the poison of the one and the SCTs of the other. */
static const struct x509_extension *next_common(const struct x509_extensions *e, size_t *at,
                                                enum x509_oid but)
{
    while (*at < e->count && e->list[*at].id.oid == but) {
        *at += 1;
    }
    return *at < e->count ? &e->list[(*at)++] : NULL;
}

/*= CABF-BR 7.1.2.9.1 "The order, criticality, and encoded values of all other extensions MUST be
 *= byte-for-byte identical" */
static void same_extensions(const struct lint_subject *s, struct lint_report *r)
{
    size_t i = 0;
    size_t k = 0;
    for (;;) {
        const struct x509_extension *ours = next_common(&s->cert->ext, &i, X509_OID_SCT_LIST);
        const struct x509_extension *theirs = next_common(&s->in->precertificate->ext, &k,
                                                          X509_OID_CT_POISON);
        if (ours == NULL && theirs == NULL) {
            return;
        }
        if (ours == NULL) {
            lint_found(r, s->cert->tbs, "the precertificate has a further extension: %s",
                       lint_oid_label(s, theirs->id.der, theirs->id.oid));
            return;
        }
        bool aki = theirs != NULL && ours->id.oid == X509_OID_AUTHORITY_KEY_IDENTIFIER &&
                   theirs->id.oid == ours->id.oid && other_issuer(s);
        if (!aki && (theirs == NULL || !lt_slice_eq(ours->der, theirs->der))) {
            lint_found(r, ours->der, "extension %s is not the precertificate's at this place",
                       lint_oid_label(s, ours->id.der, ours->id.oid));
            return; /* the ones behind are out of step */
        }
    }
}

#define FINAL(level_)                                                                                    \
    .source = LINT_LINTEL, .kinds = LINT_CERTIFICATE, .level = LINT_##level_, .when = LINT_WITH_PRECERT, \
    .unless = LINT_IS_PRECERT

static const struct lint_rule rows[] = {
    {"lintel_issuance_precert_poison", FINAL(ERROR), .asks = "the precertificate is one",
     .citation = "RFC 6962 3.1", .check = poisoned},
    {"lintel_issuance_precert_fields", FINAL(ERROR),
     .asks = "all fields are byte for byte those of the precertificate",
     .citation = "BR 7.1.2.9, RFC 6962 3.2", .check = same_fields},
    {"lintel_issuance_precert_issuer", FINAL(WARN), .asks = "the precertificate has the same issuer",
     .citation = "BR 7.1.2.9", .check = same_issuer},
    {"lintel_issuance_precert_extensions", FINAL(ERROR),
     .asks =
         "all extensions but poison and SCTs are byte for byte those of the precertificate, in their order",
     .citation = "BR 7.1.2.9.1, RFC 6962 3.2", .check = same_extensions},
};
const struct lint_table lint_issuance_precert = LINT_TABLE(rows);
