#ifndef LINT_RULES_RFC_H
#define LINT_RULES_RFC_H
/* Private to lint/rules/: the days from which zlint holds certificates to the RFCs. */
#include "lint/rules.h"

#define LINT_SINCE_RFC2459 LINT_DAY(1999, 1, 1)
#define LINT_SINCE_RFC3280 LINT_DAY(2002, 4, 1)
#define LINT_SINCE_RFC5280 LINT_DAY(2008, 5, 1)
#define LINT_SINCE_RFC6818 LINT_DAY(2013, 1, 1)

#endif
