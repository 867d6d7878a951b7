#ifndef LINT_RULES_FQDN_H
#define LINT_RULES_FQDN_H
/* Private to lint/rules/: the careless test whether a text can be a host, as zlint's library has it: also
 * with underscores, a scheme, a port or a path. For a strict one see x509/dnsname.h. */
#include "base/slice.h"

/* After "*." and any "?." before it. */
bool lint_fqdn_loose(lt_slice text);
bool lint_ip_text(lt_slice text);

#endif
