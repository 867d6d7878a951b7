#ifndef CMD_ENROLL_H
#define CMD_ENROLL_H
/* Between the files of lintel enroll. */
#include <jansson.h>

#include "cmd/cmd.h"

enum { ENROLL_PATH_SIZE = 512, ENROLL_ID_MAX = 19 };

/* "enrollments/ID" and what follows. */
LT_MUST_USE lt_res cmd_enroll_path(const char *id, const char *rest, char ret_path[ENROLL_PATH_SIZE]);
LT_MUST_USE lt_res cmd_enroll_get(struct cmd *c, const char *id, json_t **ret_json);
/* With what the subscriber has to do; or the document, with --json. */
LT_MUST_USE lt_res cmd_enroll_say(const struct cmd *c, const json_t *enrolment);
/* The request that asks for a certificate: what the options say, and the certificate request of a file. */
LT_MUST_USE lt_res cmd_enroll_fill(struct cmd *c, const char *path, json_t *payload);
/* Waits while the validator looks, or the certificate is made; at most so many seconds. */
LT_MUST_USE lt_res cmd_enroll_wait(struct cmd *c, const char *id, int64_t seconds, json_t **ret_json);

#endif
