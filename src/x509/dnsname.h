#ifndef X509_DNSNAME_H
#define X509_DNSNAME_H
/* Host names and addresses as certificates carry them: syntax, comparison by suffix, the reversed form that
 * the book indexes. A-labels are checked for form only; what they decode to is judged where IDN is known. */
#include "base/arena.h"
#include "base/buf.h"

enum x509_dns_flag {
    X509_DNS_WILDCARD = 1 << 0, /* "*." and at least two more labels is fine */
};
enum { X509_DNS_MAX = 253, X509_DNS_LABEL_MAX = 63 };

/* LDH labels in lower case, 1 to 63 bytes, at least two of them, 253 bytes in all, no dot at the end, no IPv4
 * address in disguise (last label not all digits), "--" at 3 and 4 only in "xn--". LT_PEER_MALFORMED says
 * why. */
LT_MUST_USE lt_res x509_dns_check(lt_slice name, unsigned flags);
/* name is suffix, or ends in "." suffix ("*." of a wildcard is looked through). */
bool x509_dns_below(lt_slice name, lt_slice suffix);
/* "www.example.com" gives "com.example.www". */
void x509_dns_reverse(lt_slice name, struct lt_buf *out);

struct x509_ip {
    uint8_t bytes[16];
    size_t len; /* 4 or 16 */
};
/* Strict text of an IPv4 address or RFC 4291 text of an IPv6 one; no zone, no leading zeros in IPv4. */
LT_MUST_USE lt_res x509_ip_parse(lt_slice text, struct x509_ip *ret_ip);
/* Canonical text (RFC 5952); bytes: 4 or 16 of them. */
LT_MUST_USE lt_res x509_ip_text(lt_slice bytes, struct lt_buf *out);

#endif
