/* Apple's and Chrome's policies: as zlint judges them, and what it does not ask. */
#include "lint/rules/common.h"

static bool tls_leaf(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SERVER_AUTH);
}

static void days_at_most(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->tbs, "valid for %lld s, more than %lld days", (long long)seconds,
                   (long long)r->rule->value);
    }
}

/* How many logs Apple wants to see, by lifetime in months. */
static unsigned logs_wanted(const struct x509_cert *c)
{
    static const int months[] = {15, 27, 39};
    int64_t end = lt_time_seconds(c->not_after);
    for (unsigned i = 0; i < LT_COUNT(months); i++) {
        if (end < lint_add_months(c->not_before, months[i])) {
            return 2 + i;
        }
    }
    return 5;
}

enum { LOG_ID_LEN = 32, LOGS_MAX = 16 };

/* SerializedSCT ::= opaque<1..2^16-1>: version, then the ID of the log. */
static bool log_next(lt_slice *list, lt_slice *ret_log)
{
    if (list->len < 2) {
        return false;
    }
    size_t len = (size_t)list->ptr[0] << 8 | list->ptr[1];
    lt_slice sct = lt_slice_sub(*list, 2, len);
    *list = lt_slice_sub(*list, 2 + len, list->len);
    *ret_log = lt_slice_sub(sct, 1, LOG_ID_LEN);
    return ret_log->len == LOG_ID_LEN;
}

static unsigned logs_count(lt_slice list)
{
    lt_slice seen[LOGS_MAX];
    unsigned count = 0;
    lt_slice log = {0};
    list = lt_slice_sub(list, 2, list.len);
    while (count < LOGS_MAX && log_next(&list, &log)) {
        unsigned i = 0;
        while (i < count && !lt_slice_eq(seen[i], log)) {
            i++;
        }
        seen[i] = log;
        count += i == count ? 1 : 0;
    }
    return count;
}

static void enough_logs(const struct lint_subject *s, struct lint_report *r)
{
    unsigned wanted = logs_wanted(s->cert);
    unsigned there = logs_count(s->cert->ext.sct_list);
    if (there < wanted) {
        lint_found(r, lint_ext_at(s, X509_OID_SCT_LIST), "timestamps of %u logs, %u are wanted", there,
                   wanted);
    }
}

static void no_client_auth(const struct lint_subject *s, struct lint_report *r)
{
    if (x509_has_eku(&s->cert->ext, X509_OID_CLIENT_AUTH)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "clientAuth is among the key purposes");
    }
}

/* Chrome's CT policy: of certificates with timestamps in them, by lifetime. One log is never enough; a third
 * one's timestamp may still come by the handshake or with a stapled OCSP response. */
static void logs_by_lifetime(const struct lint_subject *s, struct lint_report *r)
{
    enum { SHORT_DAYS = 180, LOGS_SHORT = 2, LOGS_LONG = 3 };
    const struct x509_cert *c = s->cert;
    int64_t life = lt_time_seconds(c->not_after) - lt_time_seconds(c->not_before);
    unsigned wanted = life <= SHORT_DAYS * LT_SECONDS_PER_DAY ? LOGS_SHORT : LOGS_LONG;
    unsigned there = logs_count(c->ext.sct_list);
    if (there < wanted) {
        lint_found_at(r, there < LOGS_SHORT ? LINT_ERROR : LINT_WARN, lint_ext_at(s, X509_OID_SCT_LIST),
                      "timestamps of %u logs, %u are wanted", there, wanted);
    }
}

/* For TLS servers and nothing else. */
static void server_auth_alone(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->eku_count != 1 || e->eku[0].oid != X509_OID_SERVER_AUTH) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE),
                   "%zu key purposes, where serverAuth is to be the only one", e->eku_count);
    }
}

#define ROW(source_, level_) .source = (source_), .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true

static const struct lint_rule rows[] = {
    {"e_tls_server_cert_valid_time_longer_than_398_days", ROW(LINT_APPLE, LINT_ERROR),
     .asks = "a TLS server's certificate is valid for at most 398 days", .citation = "Apple HT211025",
     .unless = LINT_IS_CA, .effective = LINT_DAY(2020, 9, 1), .applies = tls_leaf, .check = days_at_most,
     .value = 398},
    {"w_tls_server_cert_valid_time_longer_than_397_days", ROW(LINT_APPLE, LINT_WARN),
     .asks = "a TLS server's certificate should be valid for at most 397 days", .citation = "Apple HT211025",
     .unless = LINT_IS_CA, .effective = LINT_DAY(2020, 9, 1), .applies = tls_leaf, .check = days_at_most,
     .value = 397},
    {"w_ct_sct_policy_count_unsatisfied", ROW(LINT_APPLE, LINT_NOTICE),
     .asks = "a certificate has timestamps of as many logs as its lifetime calls for",
     .citation = "Apple HT205280", .when = LINT_IS_SUBSCRIBER, .unless = LINT_IS_PRECERT,
     .effective = LINT_DAY(2018, 10, 15), .check = enough_logs},
    {"e_client_auth_not_allowed", ROW(LINT_CHROME, LINT_ERROR),
     .asks = "a TLS server's certificate is not for clientAuth", .citation = "Chrome Root Program 1.3.2",
     .when = LINT_IS_SERVER_AUTH | LINT_IS_SUBSCRIBER, .effective = LINT_DAY(2027, 3, 15),
     .check = no_client_auth},
    {"lintel_chrome_logs", .source = LINT_CHROME, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "timestamps are of two logs, of three for more than 180 days", .citation = "Chrome CT policy",
     .when = LINT_IS_SUBSCRIBER | LINT_IS_TLS | LINT_HAS_SCT, .unless = LINT_IS_PRECERT,
     .effective = LINT_DAY(2022, 4, 15), .check = logs_by_lifetime},
    {"lintel_chrome_ca_purpose", .source = LINT_CHROME, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "a subordinate CA for TLS servers is for nothing else", .citation = "Chrome Root Program 1.3.2",
     .when = LINT_IS_SUB_CA | LINT_IS_TLS, .effective = LINT_DAY(2026, 6, 15), .check = server_auth_alone},
};
const struct lint_table lint_browsers = LINT_TABLE(rows);
