#ifndef CA_LIMITS_H
#define CA_LIMITS_H
/* Limits that rules set, as dated data with their source: what a limit is depends on the day. And the one
 * place that turns a duration into a validity period. Never reads the clock. */
#include "base/clock.h"

enum ca_limit {
    CA_LIMIT_TLS_VALIDITY_S,    /* longest validity of a subscriber certificate */
    CA_LIMIT_TLS_SHORT_LIVED_S, /* longest validity of one that needs no revocation pointers */
    CA_LIMIT_DOMAIN_REUSE_S,    /* how long a domain validation may be used */
    CA_LIMIT_CAA_REUSE_S,       /* how long a CAA check may be used */
    CA_LIMIT_NOT_BEFORE_SKEW_S, /* distance between notBefore and signing */
    CA_LIMIT_CRL_LIFETIME_S,    /* nextUpdate - thisUpdate of a CRL that covers subscriber certificates */
    CA_LIMIT_CA_CRL_LIFETIME_S, /* of one that covers CA certificates */
    CA_LIMIT_CRL_INTERVAL_S,    /* a new CRL at least so often (no OCSP pointer) */
    CA_LIMIT_RSA_MIN_BITS,
    CA_LIMIT_TOKEN_AGE_S,       /* of a validation's random value */
    CA_LIMIT_KEEP_LOG_S,        /* records of a certificate's life, after it expired */
    CA_LIMIT_KEEP_ARCHIVE_S,    /* archived records, after they were made */
    CA_LIMIT_KEEP_VALIDATION_S, /* what verification rested on, after the last certificate on it expired */
    CA_LIMIT_COUNT,
};

struct ca_limit_row {
    enum ca_limit limit;
    int64_t value;
    const char *from;  /* RFC 3339, in force from this instant on; "" from ever */
    const char *until; /* not any more from this instant on; "" until further notice */
    const char *source;
    const char *quote;
};

extern const struct ca_limit_row ca_limit_rows[];
extern const size_t ca_limit_row_count;

/* The row in force at that time. Each limit has exactly one at any time: a test walks the table. */
const struct ca_limit_row *ca_limit_row_at(enum ca_limit limit, lt_time when);
int64_t ca_limit_at(enum ca_limit limit, lt_time when);
/* "tls-validity". Static storage. */
const char *ca_limit_name(enum ca_limit limit);

/*= RFC 5280 4.1.2.5 "the period of time from notBefore through notAfter, inclusive" */
/* So a certificate valid for 90 days ends one second before notBefore + 90 days. Both ends are whole
 * seconds. */
lt_time ca_validity_end(lt_time not_before, int64_t duration_s);
/* And back: the seconds a certificate is valid, both ends counted. */
int64_t ca_validity_seconds(lt_time not_before, lt_time not_after);

#endif
