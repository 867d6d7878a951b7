#ifndef VALIDATE_ADDRESS_H
#define VALIDATE_ADDRESS_H
/* Which addresses a validation may connect to: the table of special-purpose blocks (RFC 6890 and the IANA
 * registries it made). What is not globally reachable is refused, unless the configuration says that this CA
 * serves a private network. */
#include <sys/socket.h>

#include "base/slice.h"

enum { VALIDATE_ADDRESS_TEXT = 46 };

struct validate_address {
    bool v6;
    uint8_t bytes[16]; /* 4 used by IPv4 */
};

/* Why it is refused ("private-use, RFC 1918"), or NULL. Static storage. An IPv4-mapped, 6to4 or NAT64 address
 * is judged by the IPv4 address in it as well. */
const char *validate_address_special(const struct validate_address *a);
LT_MUST_USE lt_res validate_address_parse(lt_slice text, struct validate_address *ret_address);
void validate_address_print(const struct validate_address *a, char ret_text[VALIDATE_ADDRESS_TEXT]);
socklen_t validate_address_sockaddr(const struct validate_address *a, uint16_t port,
                                    struct sockaddr_storage *ret_sockaddr);

#endif
