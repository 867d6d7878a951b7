#ifndef LINT_EV_H
#define LINT_EV_H
/* Private to lint/. */
#include "base/slice.h"

/* Does a certificate with this policy say that it is EV? oid: content of the OBJECT IDENTIFIER. */
bool lint_is_ev_policy(lt_slice oid);

#endif
