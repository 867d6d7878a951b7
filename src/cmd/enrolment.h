#ifndef CMD_ENROLMENT_H
#define CMD_ENROLMENT_H
/* Links by which a passkey becomes an operator's: one-time keys. The public half goes into
 * operators/NAME.json; the private one is in the link alone, behind its "#", which browsers send to nobody.
 */
#include "ca/operator.h"
#include "cmd/cmd.h"

enum { CMD_ENROLMENT_HOURS = 24, CMD_ENROLMENT_HOURS_MAX = 30 * 24 };

struct cmd_enrolment {
    struct ca_enrolment row; /* in the command's arena */
    const char *secret;      /* the same: NAME.BASE64URL(d ‖ x ‖ y); wiped with it */
};
/* Draws the key. */
LT_MUST_USE lt_res cmd_enrolment_draw(struct cmd *c, const char *name, int64_t hours,
                                      struct cmd_enrolment *ret_enrolment);
/* Into the operator: over what has expired, else over the oldest. rows: in the command's arena. */
LT_MUST_USE lt_res cmd_enrolment_add(struct cmd *c, struct ca_operator *o, const struct ca_enrolment *row);
/* "http://localhost:14001/console/enroll#SECRET"; "" when there is no listener for it. console:
 * ca_config_console_url. */
LT_MUST_USE lt_res cmd_enrolment_link(struct cmd *c, const char *console, const char *secret,
                                      const char **ret_link);

#endif
