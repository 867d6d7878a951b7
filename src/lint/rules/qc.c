/* qcStatements: one cursor over the extension, one decoder for each kind of information. */
#include "lint/rules/qc.h"

struct der_cursor lint_statements(const struct lint_subject *s)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_QC_STATEMENTS);
    struct der_cursor c = der_open(x == NULL ? LT_SLICE(NULL, 0) : x->value);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    if (der_ok(&in) && c.pos != c.end) {
        der_fail(&in, "bytes behind the statements");
    }
    return in;
}

static void classify(struct lint_statement *st)
{
    static const uint8_t esi[] = {0x04, 0x00, 0x8e, 0x46, 0x01};
    static const uint8_t psd2[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x02};
    st->type = LINT_QC_OTHER;
    st->qc_type = 0;
    if (lt_slice_eq(st->id, LT_SLICE(psd2, sizeof(psd2)))) {
        st->type = LINT_QC_PSD2;
        return;
    }
    if (!lt_slice_starts(st->id, LT_SLICE(esi, sizeof(esi)))) {
        return;
    }
    lt_slice rest = lt_slice_sub(st->id, sizeof(esi), st->id.len);
    if (rest.len == 1 && rest.ptr[0] < LINT_QC_COUNT) {
        st->type = (enum lint_qc)rest.ptr[0];
    } else if (rest.len == 2 && rest.ptr[0] == LINT_QC_TYPE) {
        st->qc_type = rest.ptr[1];
    }
}

bool lint_statement_next(struct der_cursor *c, struct lint_statement *ret_statement)
{
    *ret_statement = (struct lint_statement){0};
    if (!der_more(c)) {
        return false;
    }
    uint32_t tag;
    lt_slice content;
    if (!der_any(c, &tag, &content, &ret_statement->whole)) {
        return false;
    }
    if (tag != DER_SEQUENCE) {
        der_fail(c, "a statement that is no SEQUENCE");
        return false;
    }
    struct der_cursor in = der_into(c, content);
    ret_statement->id = der_oid(&in);
    if (der_more(&in)) {
        (void)der_any(&in, &tag, &content, &ret_statement->info); /* failure stays in the cursor */
    }
    if (!der_ok(&in)) {
        der_fail(c, in.why);
        return false;
    }
    classify(ret_statement);
    return true;
}

bool lint_statement_find(const struct lint_subject *s, enum lint_qc type,
                         struct lint_statement *ret_statement)
{
    struct der_cursor c = lint_statements(s);
    while (lint_statement_next(&c, ret_statement)) {
        if (ret_statement->type == type) {
            return true;
        }
    }
    return false;
}

bool lint_qc_types_read(lt_slice info, struct lint_qc_types *ret_types)
{
    static const uint8_t prefix[] = {0x04, 0x00, 0x8e, 0x46, 0x01, 0x06};
    *ret_types = (struct lint_qc_types){0};
    struct der_cursor c = der_open(info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    while (der_more(&in)) {
        lt_slice id = der_oid(&in);
        uint8_t last = id.len == sizeof(prefix) + 1 && lt_slice_starts(id, LT_SLICE(prefix, sizeof(prefix)))
                           ? id.ptr[sizeof(prefix)]
                           : 0;
        bool known = last > 0 && last < LT_COUNT(ret_types->has);
        ret_types->count++;
        ret_types->others += !known;
        ret_types->has[known ? last : 0] = true;
    }
    return der_ok(&in) && der_ok(&c) && c.pos == c.end;
}

bool lint_pds_next(struct der_cursor *c, struct lint_pds *ret_pds)
{
    *ret_pds = (struct lint_pds){0};
    if (!der_more(c)) {
        return false;
    }
    struct der_cursor in = der_enter(c, DER_SEQUENCE);
    (void)der_any(&in, &ret_pds->url_tag, &ret_pds->url, NULL); /* failure stays in the cursor */
    (void)der_any(&in, &ret_pds->language_tag, &ret_pds->language, NULL);
    ret_pds->more = der_more(&in);
    if (!der_ok(&in)) {
        der_fail(c, in.why);
        return false;
    }
    return true;
}
