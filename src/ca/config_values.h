#ifndef CA_CONFIG_VALUES_H
#define CA_CONFIG_VALUES_H
/* Words of a configuration that can be judged without asking anybody: what is let through here can at least
 * be meant. Pure. */
#include "base/result.h"
#include "base/slice.h"

/* An address to listen at: "127.0.0.1", "::1", "localhost". */
bool ca_value_is_listen_host(const char *text);
/* "127.0.0.1@53", "::1": an address and, if need be, a port. */
bool ca_value_is_resolver(const char *text);
/* "ca.example.com": at least two labels, as CAA records write them (RFC 8659 4.2), in lower case. */
bool ca_value_is_issuer_domain(const char *text);
/* DNSSEC trust anchors, a DS or DNSKEY record a line, ";" before what is not read. LT_PEER_USAGE names the
 * file and the line that is none; none at all is as bad. */
LT_MUST_USE lt_res ca_value_anchors(const char *file, lt_slice text);

#endif
