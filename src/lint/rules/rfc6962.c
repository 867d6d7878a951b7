/* RFC 6962 3.3: the list of signed certificate timestamps. */
#include "lint/rules.h"

static void list_not_empty(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SCT_LIST);
    if (x == NULL) {
        return;
    }
    struct der_cursor c = der_open(x->value);
    lt_slice list = der_octets(&c);
    if (!der_ok(&c) || list.len < 2) {
        lint_found_at(r, LINT_FATAL, x->der, "the list does not decode");
    } else if (list.ptr[0] == 0 && list.ptr[1] == 0) {
        lint_found(r, x->value, "the list is empty");
    }
}

static void precertificate_without(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_is(s, LINT_HAS_SCT)) {
        lint_found(r, lint_ext_at(s, X509_OID_SCT_LIST), "a list of timestamps in a precertificate");
    }
}

/*= RFC 6962 3.1 "a special critical poison extension (OID 1.3.6.1.4.1.11129.2.4.3, whose extnValue OCTET
 * STRING contains ASN.1 NULL data (0x05 0x00))" */
static void poison_form(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CT_POISON);
    if (!x->critical) {
        lint_found(r, x->der, "the poison is not critical");
    }
    if (!lt_slice_eq(x->value, LT_LIT("\x05\x00"))) {
        lint_found(r, x->value, "the poison is not NULL");
    }
}

/*= RFC 6962 3.3 "SerializedSCT sct_list <1..2^16-1>": lengths that fit, and at least the fixed fields of v1
 */
static bool list_is_whole(lt_slice list)
{
    enum { SCT_V1_MIN = 1 + 32 + 8 + 2 + 2 + 2 }; /* version, log, time, extensions, algorithms, signature */
    if (list.len < 2 || (size_t)(list.ptr[0] << 8 | list.ptr[1]) != list.len - 2) {
        return false;
    }
    list = lt_slice_sub(list, 2, list.len);
    while (list.len > 0) {
        size_t len = list.len < 2 ? 0 : (size_t)(list.ptr[0] << 8 | list.ptr[1]);
        if (len > list.len - 2 || len == 0 || (list.ptr[2] == 0 && len < SCT_V1_MIN)) {
            return false;
        }
        list = lt_slice_sub(list, 2 + len, list.len);
    }
    return true;
}

static void list_form(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SCT_LIST);
    struct der_cursor c = der_open(x->value);
    lt_slice list = der_octets(&c);
    if (!der_ok(&c) || der_more(&c) || !list_is_whole(list)) {
        lint_found(r, x->der, "the list of timestamps does not decode");
    }
}

#define ROW                                                                                \
    .source = LINT_RFC6962, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .citation = "RFC 6962 3.3", .effective = LINT_DAY(2013, 6, 1)

#define OURS \
    .source = LINT_RFC6962, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .effective = LINT_DAY(2013, 6, 1)

static const struct lint_rule rows[] = {
    {"e_empty_sct_list", ROW, .asks = "a list of timestamps has at least one", .when = LINT_IS_SUBSCRIBER,
     .unless = LINT_IS_PRECERT, .check = list_not_empty},
    {"e_precert_with_sct_list", ROW, .asks = "a precertificate has no list of timestamps",
     .when = LINT_IS_PRECERT, .check = precertificate_without},
    {"lintel_rfc6962_poison", OURS, .asks = "the poison of a precertificate is critical and NULL",
     .citation = "RFC 6962 3.1", .when = LINT_IS_PRECERT, .check = poison_form},
    {"lintel_rfc6962_list", OURS, .asks = "a list of timestamps decodes", .citation = "RFC 6962 3.3",
     .when = LINT_HAS_SCT, .check = list_form},
};
const struct lint_table lint_rfc6962 = LINT_TABLE(rows);
