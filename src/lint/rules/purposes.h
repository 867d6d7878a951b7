#ifndef LINT_RULES_PURPOSES_H
#define LINT_RULES_PURPOSES_H
/* Private to lint/rules/: key purposes that zlint's library has a name for; it keeps the others apart. */
#include "base/slice.h"

/* oid: content of the OBJECT IDENTIFIER. */
bool lint_purpose_known(lt_slice oid);

#endif
