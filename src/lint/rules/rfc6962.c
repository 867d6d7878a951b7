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

#define ROW                                                                                \
    .source = LINT_RFC6962, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .citation = "RFC 6962 3.3", .effective = LINT_DAY(2013, 6, 1)

static const struct lint_rule rows[] = {
    {"e_empty_sct_list", ROW, .asks = "A list of timestamps has at least one", .when = LINT_IS_SUBSCRIBER,
     .unless = LINT_IS_PRECERT, .check = list_not_empty},
    {"e_precert_with_sct_list", ROW, .asks = "A precertificate has no list of timestamps",
     .when = LINT_IS_PRECERT, .check = precertificate_without},
};
const struct lint_table lint_rfc6962 = LINT_TABLE(rows);
