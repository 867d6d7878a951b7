#ifndef LINT_RULES_MAILBOX_H
#define LINT_RULES_MAILBOX_H
/* Private to lint/rules/: mail addresses, as RFC 5322 with UTF-8 (RFC 6532) writes them. */
#include "base/slice.h"

/* A bare address and nothing else: dot-atom "@" dot-atom, or "@" and an IP address in brackets. */
bool lint_mailbox(lt_slice text);
/* Anything that a mail program would take for one address: also with a quoted local part, spaces, comments,
 * "Name <address>". */
bool lint_mail_address(lt_slice text);
/* What stands behind the last "@"; empty without one. */
lt_slice lint_mail_domain(lt_slice text);

#endif
