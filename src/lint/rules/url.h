#ifndef LINT_RULES_URL_H
#define LINT_RULES_URL_H
/* Private to lint/rules/: a URL taken apart as zlint's library takes it, so that what it refuses and which
 * scheme and host it sees are the same. It checks no more than that: see dnsname.h for host names. */
#include "base/slice.h"

struct lint_url {
    lt_slice scheme; /* as it stands; compare without case. Empty: a relative reference */
    lt_slice host;   /* with its port, without the user; brackets of an IPv6 address included */
    lt_slice name;   /* the same without port and brackets; percent signs are not decoded */
    lt_slice path; /* from the first slash behind the host, or all behind the scheme when there is no host */
};

/* False for what cannot be taken apart: control characters, bad percent signs, bad port, bad characters in
 * the host. */
bool lint_url_parse(lt_slice text, struct lint_url *ret_url);
/* It can, and the scheme is that one, whatever its case. */
bool lint_url_has_scheme(lt_slice text, const char *scheme);

#endif
