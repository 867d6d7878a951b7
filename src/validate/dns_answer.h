#ifndef VALIDATE_DNS_ANSWER_H
#define VALIDATE_DNS_ANSWER_H
/* The addresses in the answer section of a DNS message as libunbound hands it over (it has already thrown out
 * what does not belong to the question). Follows no pointer twice, reads nothing behind the end. */
#include "validate/address.h"

enum { VALIDATE_ADDRESSES_MAX = 16, VALIDATE_DNS_A = 1, VALIDATE_DNS_AAAA = 28 };

/* Appends the addresses of that type, at most VALIDATE_ADDRESSES_MAX in all. LT_PEER_MALFORMED for a message
 * that is none. */
LT_MUST_USE lt_res validate_dns_addresses(lt_slice message, uint16_t type, struct validate_address *list,
                                          size_t *count);

#endif
