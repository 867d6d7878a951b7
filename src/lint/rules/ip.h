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

/* A range as nameConstraints has it, address and mask (8 or 32 bytes), that meets one of zlint's reserved
 * blocks. */
bool lint_net_reserved(lt_slice range);

#endif
