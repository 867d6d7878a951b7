/* Dated limits. A change of the rules is a row here with its ballot's date, never an edit of an old row: a
 * past certificate can be judged by the rules of its day. */
#include "ca/limits.h"

enum { DAY = 86400, HOUR = 3600, LEAP_YEAR = 366 * DAY };

const struct ca_limit_row ca_limit_rows[] = {
    /*= CABF-BR 6.3.2 "Subscriber Certificates issued on or after 2026-03-15 and before 2027-03-15 SHOULD NOT
     *  have a Validity Period greater than 199 days and MUST NOT have a Validity Period greater than 200
     * days."
     */
    {CA_LIMIT_TLS_VALIDITY_S, 398 * DAY, "", "2026-03-15T00:00:00Z", "CABF-BR 6.3.2", "398 days"},
    {CA_LIMIT_TLS_VALIDITY_S, 200 * DAY, "2026-03-15T00:00:00Z", "2027-03-15T00:00:00Z", "CABF-BR 6.3.2",
     "200 days"},
    {CA_LIMIT_TLS_VALIDITY_S, 100 * DAY, "2027-03-15T00:00:00Z", "2029-03-15T00:00:00Z", "CABF-BR 6.3.2",
     "100 days"},
    {CA_LIMIT_TLS_VALIDITY_S, 47 * DAY, "2029-03-15T00:00:00Z", "", "CABF-BR 6.3.2", "47 days"},
    /* CABF-BR 1.6.1, Short-lived Subscriber Certificate: ten days, seven since 2026-03-15. */
    {CA_LIMIT_TLS_SHORT_LIVED_S, 10 * DAY, "", "2026-03-15T00:00:00Z", "CABF-BR 1.6.1",
     "10 days, 864,000 seconds"},
    {CA_LIMIT_TLS_SHORT_LIVED_S, 7 * DAY, "2026-03-15T00:00:00Z", "", "CABF-BR 1.6.1",
     "7 days, 604,800 seconds"},
    /* CABF-BR 4.2.1: how old the validation of a name may be that a certificate rests on. */
    {CA_LIMIT_DOMAIN_REUSE_S, 398 * DAY, "", "2026-03-15T00:00:00Z", "CABF-BR 4.2.1", "398 days"},
    {CA_LIMIT_DOMAIN_REUSE_S, 200 * DAY, "2026-03-15T00:00:00Z", "2027-03-15T00:00:00Z", "CABF-BR 4.2.1",
     "200 days"},
    {CA_LIMIT_DOMAIN_REUSE_S, 100 * DAY, "2027-03-15T00:00:00Z", "2029-03-15T00:00:00Z", "CABF-BR 4.2.1",
     "100 days"},
    {CA_LIMIT_DOMAIN_REUSE_S, 10 * DAY, "2029-03-15T00:00:00Z", "", "CABF-BR 4.2.1", "10 days"},
    /*= CABF-BR 3.2.2.8 "it MUST do so within the TTL of the CAA record, or 8 hours, whichever is greater" */
    {CA_LIMIT_CAA_REUSE_S, 8 * HOUR, "", "", "CABF-BR 3.2.2.8", "8 hours"},
    /* CABF-BR 7.1.2.7, validity. */
    {CA_LIMIT_NOT_BEFORE_SKEW_S, 48 * HOUR, "", "", "CABF-BR 7.1.2.7", "within 48 hours"},
    /* CABF-BR 7.2, nextUpdate. */
    {CA_LIMIT_CRL_LIFETIME_S, 10 * DAY, "", "", "CABF-BR 7.2", "10 days"},
    {CA_LIMIT_CA_CRL_LIFETIME_S, 365 * DAY, "", "", "CABF-BR 7.2", "12 months"},
    /*= CABF-BR 4.9.7 "MUST update and publish a new CRL at least every:" — four days where not all
     * certificates point to OCSP */
    {CA_LIMIT_CRL_INTERVAL_S, 4 * DAY, "", "", "CABF-BR 4.9.7", "4 days"},
    {CA_LIMIT_RSA_MIN_BITS, 2048, "", "", "CABF-BR 6.1.5", "2048 bits"},
    {CA_LIMIT_TOKEN_AGE_S, 30 * DAY, "", "", "CABF-BR 3.2.2.4.19", "30 days"},
    /* Two years are counted as two leap years: a day too many harms nobody. */
    /*= CABF-BR 5.4.3 "The CA and each Delegated Third Party SHALL retain, for at least two (2) years:" */
    {CA_LIMIT_KEEP_LOG_S, 2 * LEAP_YEAR, "", "", "CABF-BR 5.4.3", "two years after it expired"},
    /*= CABF-BR 5.5.2 "Archived audit logs (as set forth in Section 5.5.1 SHALL be retained for a period of at
     *  least two (2) years from their record creation timestamp, or as long as they are required to be
     *  retained per Section 5.4.3, whichever is longer." */
    {CA_LIMIT_KEEP_ARCHIVE_S, 2 * LEAP_YEAR, "", "", "CABF-BR 5.5.2", "two years after it was made"},
    /*= CABF-BR 5.5.2 "Additionally, the CA and each Delegated Third Party SHALL retain, for at least two (2)
     *  years:" */
    {CA_LIMIT_KEEP_VALIDATION_S, 2 * LEAP_YEAR, "", "", "CABF-BR 5.5.2",
     "two years after the last certificate that relied on it"},
};
const size_t ca_limit_row_count = LT_COUNT(ca_limit_rows);

static const char *const names[CA_LIMIT_COUNT] = {
    [CA_LIMIT_TLS_VALIDITY_S] = "tls-validity",
    [CA_LIMIT_TLS_SHORT_LIVED_S] = "tls-short-lived",
    [CA_LIMIT_DOMAIN_REUSE_S] = "domain-reuse",
    [CA_LIMIT_CAA_REUSE_S] = "caa-reuse",
    [CA_LIMIT_NOT_BEFORE_SKEW_S] = "not-before-skew",
    [CA_LIMIT_CRL_LIFETIME_S] = "crl-lifetime",
    [CA_LIMIT_CA_CRL_LIFETIME_S] = "ca-crl-lifetime",
    [CA_LIMIT_CRL_INTERVAL_S] = "crl-interval",
    [CA_LIMIT_RSA_MIN_BITS] = "rsa-min-bits",
    [CA_LIMIT_TOKEN_AGE_S] = "token-age",
    [CA_LIMIT_KEEP_LOG_S] = "keep-log",
    [CA_LIMIT_KEEP_ARCHIVE_S] = "keep-archive",
    [CA_LIMIT_KEEP_VALIDATION_S] = "keep-validation",
};

/* A date of the table; "" is the edge given. A date that does not parse is a bug in the table. */
static int64_t row_time(const char *text, int64_t edge_us)
{
    lt_time t = {edge_us};
    if (text[0] != 0) {
        LT_ASSERT(!lt_failed(lt_time_parse(lt_slice_cstr(text), &t)));
    }
    return t.us;
}

const struct ca_limit_row *ca_limit_row_at(enum ca_limit limit, lt_time when)
{
    for (size_t i = 0; i < ca_limit_row_count; i++) {
        const struct ca_limit_row *row = &ca_limit_rows[i];
        if (row->limit == limit && row_time(row->from, INT64_MIN) <= when.us &&
            when.us < row_time(row->until, INT64_MAX)) {
            return row;
        }
    }
    LT_ASSERT(limit == CA_LIMIT_COUNT && "every limit has a row at any time");
    return NULL;
}

int64_t ca_limit_at(enum ca_limit limit, lt_time when)
{
    return ca_limit_row_at(limit, when)->value;
}

const char *ca_limit_name(enum ca_limit limit)
{
    LT_ASSERT((unsigned)limit < CA_LIMIT_COUNT);
    return names[limit];
}

lt_time ca_validity_end(lt_time not_before, int64_t duration_s)
{
    return lt_time_add_seconds(not_before, duration_s - 1);
}

int64_t ca_validity_seconds(lt_time not_before, lt_time not_after)
{
    return lt_time_seconds(not_after) - lt_time_seconds(not_before) + 1;
}
