/* What rules of S/MIME certificates share. */
#include "lint/rules/smime.h"

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
