#ifndef CMD_INCIDENT_H
#define CMD_INCIDENT_H
/* Between the files of lintel incident. */
#include <jansson.h>

#include "cmd/cmd.h"

enum { CMD_INCIDENT_PATH = 512 };

#define CMD_INCIDENT_MINE_OPTION                                                                         \
    {                                                                                                    \
        "mine", NULL, "restricted ones where --operator has a role: asked with a signature", false, NULL \
    }

/* "incidents/12/what" of the first word; LT_PEER_USAGE when that is no number. */
LT_MUST_USE lt_res cmd_incident_path(const struct cmd *c, const char *what, char ret_path[CMD_INCIDENT_PATH]);
/* Members that are texts, numbers, times, flags, from options of that name; what was not given stays out. */
enum cmd_incident_type { CMD_INCIDENT_TEXT, CMD_INCIDENT_NUMBER, CMD_INCIDENT_TIME, CMD_INCIDENT_FLAG };
struct cmd_incident_member {
    const char *option;
    const char *member;
    enum cmd_incident_type type;
};
LT_MUST_USE lt_res cmd_incident_put(struct cmd *c, const struct cmd_incident_member *members, size_t count,
                                    json_t *payload);
LT_MUST_USE lt_res cmd_incident_set(json_t *payload, const char *member, const char *text);
/* The incident as it is, asked plainly, or with the operator's signature where --mine, or it is restricted.
 */
LT_MUST_USE lt_res cmd_incident_load(struct cmd *c, json_t **ret_incident);
/* For a verb that has just signed a request: a restricted one is asked with the signature from then on. */
LT_MUST_USE lt_res cmd_incident_load_again(struct cmd *c, bool *sign, json_t **ret_incident);
/* A run of its scope: "as_of", "count", "members_sha256". */
LT_MUST_USE lt_res cmd_incident_run_scope(struct cmd *c, const char *scope, json_t **ret_run);

#endif
