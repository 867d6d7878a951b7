#ifndef VALIDATE_DNS_TXT_H
#define VALIDATE_DNS_TXT_H
/* What the DNS methods write and read, without asking anybody: the names at which records are looked for, and
 * what a record that stays (BR 3.2.2.4.22, draft-ietf-acme-dns-persist) says of one question. */
#include "base/clock.h"
#include "validate/address.h"

enum {
    VALIDATE_ACCOUNT_LABEL = 18, /* "_", sixteen letters of base32, NUL */
    VALIDATE_REVERSE_NAME = 74,  /* of an IPv6 address */
};

/* draft-ietf-acme-dns-account-label: "_" and the base32, in lower case, of the first ten bytes of the
 * SHA-256 of the account's URL. */
void validate_account_label(const uint8_t hash[32], char ret_label[VALIDATE_ACCOUNT_LABEL]);
/* "1.2.0.192.in-addr.arpa" */
void validate_reverse_name(const struct validate_address *a, char ret_name[VALIDATE_REVERSE_NAME]);

struct validate_persist_question {
    const char *const *issuer_domains; /* of this CA; one match is enough */
    size_t issuer_count;
    lt_slice account_uri;
    bool wildcard;
    lt_time now;
};

/* NULL: the record shows control for this question. Otherwise why not, a clause in static storage. ret_ours:
 * it is meant for this CA at all. */
const char *validate_persist_refusal(lt_slice text, const struct validate_persist_question *q,
                                     bool *ret_ours);

/* A label that may be put before a name by hand: it begins with an underscore; letters, digits, "-", "_". */
bool validate_underscore_label(lt_slice label);

#endif
