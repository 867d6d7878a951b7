/* What rules of S/MIME certificates share. */
#include "lint/rules/smime.h"

#include "lint/rules/key_alg.h"
#include "lint/rules/url.h"

struct lint_smime_profile lint_smime_profile(const struct lint_subject *s)
{
    static const uint64_t types[] = {LINT_IS_SMIME_MV, LINT_IS_SMIME_OV, LINT_IS_SMIME_SV, LINT_IS_SMIME_IV};
    static const uint64_t generations[] = {LINT_IS_SMIME_LEGACY, LINT_IS_SMIME_MULTIPURPOSE,
                                           LINT_IS_SMIME_STRICT};
    static const char *const names[LINT_SMIME_TYPES][LINT_SMIME_GENERATIONS] = {
        {"mailbox-validated legacy", "mailbox-validated multipurpose", "mailbox-validated strict"},
        {"organization-validated legacy", "organization-validated multipurpose",
         "organization-validated strict"},
        {"sponsor-validated legacy", "sponsor-validated multipurpose", "sponsor-validated strict"},
        {"individual-validated legacy", "individual-validated multipurpose", "individual-validated strict"},
    };
    struct lint_smime_profile p = {0};
    while (p.type + 1 < LT_COUNT(types) && !lint_is(s, types[p.type])) {
        p.type++;
    }
    while (p.generation + 1 < LT_COUNT(generations) && !lint_is(s, generations[p.generation])) {
        p.generation++;
    }
    p.name = names[p.type][p.generation];
    return p;
}

/* Attributes of a directoryName, as far as they decode and there is room. */
static void read_name(lt_slice der, struct lint_subjects *it)
{
    it->der = der;
    it->list = it->buffer;
    it->count = 0;
    struct der_cursor c = der_open(der);
    struct der_cursor rdns = der_enter(&c, DER_SEQUENCE);
    for (unsigned rdn = 0; der_more(&rdns); rdn++) {
        struct der_cursor set = der_enter(&rdns, DER_SET);
        while (der_more(&set) && it->count < LINT_SUBJECT_ATTRIBUTES_MAX) {
            struct x509_attribute *a = &it->buffer[it->count];
            struct der_cursor pair = der_enter(&set, DER_SEQUENCE);
            a->type = der_oid(&pair);
            a->oid = x509_oid_find(a->type);
            a->rdn = rdn;
            if (der_any(&pair, &a->string_type, &a->value, NULL)) {
                it->count++;
            }
        }
    }
}

bool lint_subjects_next(const struct lint_subject *s, struct lint_subjects *it)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    if (it->next == 0) {
        it->next = 1;
        it->list = s->cert->subject.attributes;
        it->count = s->cert->subject.count;
        it->der = s->cert->subject.der;
        return true;
    }
    while (it->next <= san->count) {
        const struct x509_general_name *n = &san->list[it->next - 1];
        it->next++;
        if (n->type == X509_GN_DIRECTORY) {
            read_name(n->value, it);
            return true;
        }
    }
    return false;
}

bool lint_san_has_mail(const struct lint_subject *s, lt_slice address)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice text = san->list[i].value;
        if ((san->list[i].type == X509_GN_EMAIL || lint_smtp_utf8(&san->list[i], &text)) &&
            lt_slice_eq(text, address)) {
            return true;
        }
    }
    return false;
}

/* One PolicyQualifierInfo: a CPS pointer is http or https, a notice has a text and no reference. */
static void qualifier(struct lint_report *r, struct der_cursor *info)
{
    enum x509_oid type = x509_oid_find(der_oid(info));
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    lt_slice whole = {0};
    if (!der_any(info, &tag, &content, &whole)) {
        return;
    }
    struct lint_url url;
    if (type == X509_OID_CPS_QUALIFIER &&
        !(lint_url_parse(content, &url) && (lt_slice_eq_nocase(url.scheme, LT_LIT("http")) ||
                                            lt_slice_eq_nocase(url.scheme, LT_LIT("https"))))) {
        lint_found(r, whole, "CPS pointer '%.*s' is no http or https URL", LT_FMT(content));
    }
    if (type != X509_OID_USER_NOTICE_QUALIFIER || tag != DER_SEQUENCE) {
        return;
    }
    struct der_cursor notice = der_into(info, content);
    bool reference = der_is_next(&notice, DER_SEQUENCE);
    if (reference) {
        lint_found(r, whole, "a user notice with noticeRef");
        (void)der_read(&notice, DER_SEQUENCE); /* to what follows it */
    }
    if (!der_more(&notice)) {
        lint_found(r, whole, "a user notice without explicitText");
    }
}

void lint_smime_qualifiers(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        struct der_cursor c = der_open(s->cert->ext.policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        while (der_more(&list)) {
            struct der_cursor info = der_enter(&list, DER_SEQUENCE);
            qualifier(r, &info);
            if (!der_ok(&info)) {
                return;
            }
        }
    }
}

/* Whole AlgorithmIdentifiers of signatures, but for RSASSA-PSS. */
static const struct {
    const char *der;
    size_t len;
} signatures[] = {
    {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", 15},
    {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00", 15},
    {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00", 15},
    {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12},
    {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", 12},
    {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", 12},
    {"\x30\x05\x06\x03\x2b\x65\x70", 7},
    {"\x30\x05\x06\x03\x2b\x65\x71", 7},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11", 13},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12", 13},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13", 13},
};

/*= CABF-SMBR 7.1.3.2 "byte-for-byte identical with the specified hex-encoded bytes" */
void lint_smime_signature_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice whole = s->cert->sig_alg_der;
    for (size_t i = 0; i < LT_COUNT(signatures); i++) {
        if (lt_slice_eq(whole, LT_SLICE(signatures[i].der, signatures[i].len))) {
            return;
        }
    }
    if (!lint_pss_usual(whole)) {
        lint_found(r, whole, "a signature algorithm in none of the allowed encodings");
    }
}
