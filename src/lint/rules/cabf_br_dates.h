#ifndef LINT_RULES_CABF_BR_DATES_H
#define LINT_RULES_CABF_BR_DATES_H
/* Private to lint/rules: days on which versions of the TLS Baseline Requirements came into force. */
#include "lint/rules.h"

#define BR_1_0 LINT_DAY(2012, 7, 1)
#define BR_1_0_2 LINT_DAY(2012, 6, 8)
#define BR_1_1_3 LINT_DAY(2013, 2, 21)
#define BR_1_1_6 LINT_DAY(2013, 7, 29)
#define BR_1_3_0 LINT_DAY(2015, 4, 16)
#define BR_1_6_2 LINT_DAY(2018, 12, 10)
#define BR_1_7_1 LINT_DAY(2020, 8, 20)
#define BR_1_8_7 LINT_DAY(2023, 7, 15)
#define BR_2_0_0 LINT_DAY(2023, 9, 15) /* profiles: ballot SC-62 */
#define BR_2_0_1 LINT_DAY(2024, 3, 15) /* CRL profile; OCSP optional: ballot SC-63 */
#define BR_SC_81_FIRST LINT_DAY(2026, 3, 15)
#define BR_SC_81_SECOND LINT_DAY(2027, 3, 15)
#define BR_SC_81_THIRD LINT_DAY(2029, 3, 15)

#endif
