#ifndef VALIDATE_DNS_ANSWER_H
#define VALIDATE_DNS_ANSWER_H
/* The answer section of a DNS message as libunbound hands it over (it has already thrown out what does not
 * belong to the question): the records of one type at the end of the chain of aliases, and that chain.
 * Follows pointers backwards only, reads nothing behind the end, keeps a bounded number of everything.
 */
#include "validate/address.h"

enum {
    VALIDATE_ADDRESSES_MAX = 16,
    VALIDATE_DNS_RECORDS_MAX = 64, /* of the type asked for; more are counted and not kept */
    VALIDATE_DNS_CHAIN_MAX = 16,   /* aliases; more are an error */
    VALIDATE_DNS_NAME = 254,       /* as text without the last dot, with its NUL */
    VALIDATE_DNS_TXT_MAX = 4096,
    VALIDATE_DNS_A = 1,
    VALIDATE_DNS_CNAME = 5,
    VALIDATE_DNS_TXT = 16,
    VALIDATE_DNS_AAAA = 28,
    VALIDATE_DNS_CAA = 257,
};

struct validate_dns_message {
    unsigned rcode;
    uint32_t ttl;                               /* least of the records and aliases; 0 when there are none */
    lt_slice records[VALIDATE_DNS_RECORDS_MAX]; /* RDATA; borrowed from the message */
    size_t count;
    size_t left_out;
    /* From the name asked for to the canonical one; lower case, foreign bytes as \DDD. At least one. */
    char chain[VALIDATE_DNS_CHAIN_MAX][VALIDATE_DNS_NAME];
    size_t chain_count;
};

/* LT_PEER_MALFORMED for a message that is none. name: what was asked. */
LT_MUST_USE lt_res validate_dns_read(lt_slice message, const char *name, uint16_t type,
                                     struct validate_dns_message *ret_message);
/* Appends the addresses of a message that was read for A or AAAA, at most VALIDATE_ADDRESSES_MAX in all. */
LT_MUST_USE lt_res validate_dns_addresses(const struct validate_dns_message *m, uint16_t type,
                                          struct validate_address *list, size_t *count);
/* The character strings of a TXT record, one after the other. size: of ret_text, at most that much is kept.
 * LT_PEER_MALFORMED, LT_PEER_TOO_LARGE. */
LT_MUST_USE lt_res validate_dns_txt(lt_slice rdata, uint8_t *ret_text, size_t size, size_t *ret_len);

#endif
