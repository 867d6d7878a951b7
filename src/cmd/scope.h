#ifndef CMD_SCOPE_H
#define CMD_SCOPE_H
/* Between the files of scopes. */
#include <jansson.h>

#include "cmd/cmd.h"

/* A list of certificates, page by page, as --limit, --cursor and --all say. */
struct cmd_scope_listing {
    lt_slice text;    /* an expression; unused with side */
    const char *side; /* NULL, or that member of the answer: "added", "removed" */
    /* Asks with what stands in query, and what else it wants. */
    lt_res (*fetch)(struct cmd *c, const struct cmd_scope_listing *l, struct lt_buf *query,
                    json_t **ret_json);
    char cursor[256]; /* of the page to come */
    int64_t total;
    int64_t shown;
    bool first;
};
LT_MUST_USE lt_res cmd_scope_pages(struct cmd *c, struct cmd_scope_listing *l);

/* An expression that is wrong here, or that the family refused ("byte 17: …"): its line goes to standard
 * error with a mark under the place. */
LT_MUST_USE lt_res cmd_scope_check(lt_slice text);
LT_MUST_USE lt_res cmd_scope_pointed(lt_slice text, lt_res r);

/* What the family says of the expression beside its answer, on standard error. */
void cmd_scope_remarks(const json_t *answer);

/* "certificates" of an answer as a table. */
LT_MUST_USE lt_res cmd_scope_rows(struct cmd *c, const json_t *answer);

#endif
