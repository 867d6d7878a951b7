#ifndef LINT_RULES_IP_H
#define LINT_RULES_IP_H
/* Private to lint/rules/: addresses that nobody can be shown to control. */
#include "base/slice.h"

/* In a block of IANA's special-purpose registries, which is what the BRs call a Reserved IP Address. bytes: 4
 * or 16; other lengths are not reserved. */
bool lint_ip_reserved(lt_slice bytes);
/* By zlint's list: also what was never given out, but not the latest entries; an IPv4 address inside IPv6 is
 * judged as IPv4. */
bool lint_ip_reserved_loose(lt_slice bytes);
/* The address in its shortest form: 4 bytes of an IPv4 address mapped into IPv6. */
lt_slice lint_ip_unmapped(lt_slice bytes);

/* An address range (RFC 4632) in a table. */
struct lint_ip_block {
    uint8_t prefix[8]; /* what follows is zero */
    uint8_t len;       /* of an address: 4 or 16 */
    uint8_t bits;
    uint8_t lists; /* of enum lint_ip_list */
};
enum lint_ip_list {
    LINT_IP_SPECIAL = 1, /* IANA's special-purpose registries */
    LINT_IP_LOOSE = 2,   /* zlint's list */
};
extern const struct lint_ip_block lint_ip_blocks[];
extern const size_t lint_ip_block_count;

#endif
