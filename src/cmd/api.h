#ifndef CMD_API_H
#define CMD_API_H
/* The operator API of a running family, over DIR/run/api.sock. Reading needs the peer credentials of root or
 * the folder's owner; changing needs a JWS by an operator's key. */
#include <jansson.h>

#include "cmd/cmd.h"

/* --operator, --key, --key-passphrase-file: for verbs that change something. */
#define CMD_OPERATOR_OPTIONS                                                                            \
    {"operator", "NAME", "who asks (default: $LINTEL_OPERATOR, or admin)", false, NULL},                \
        {"key", "FILE", "their private key (default: $LINTEL_OPERATOR_KEY, or DIR/operators/NAME.key)", \
         false, NULL},                                                                                  \
    {                                                                                                   \
        "key-passphrase-file", "FILE", "of that key, when it is encrypted", false, NULL                 \
    }
/* Dangerous verbs only say what they would do without it. */
#define CMD_YES_OPTION                                                           \
    {                                                                            \
        "yes", NULL, "do it; without this the effect is only shown", false, NULL \
    }
/* For lists. */
#define CMD_PAGE_OPTIONS                                                          \
    {"limit", "N", "rows of one page, at most 1000 (default: 100)", false, NULL}, \
        {"cursor", "TEXT", "go on behind a page: its \"next\"", false, NULL},     \
    {                                                                             \
        "all", NULL, "every page", false, NULL                                    \
    }

void cmd_json_freep(json_t **value);
/* A path below /api/v1/, with its query. LT_RETRY_UNAVAILABLE when no family runs. */
LT_MUST_USE lt_res cmd_api_get(struct cmd *c, const char *path, json_t **ret_json);
/* The same, pages followed with --all and joined: key names the array. query: "a=b&c=d" or "". */
LT_MUST_USE lt_res cmd_api_list(struct cmd *c, const char *path, const char *key, struct lt_buf *query,
                                json_t **ret_json);
/* A body that is no signed change: what shall be judged, an expression. */
LT_MUST_USE lt_res cmd_api_ask(struct cmd *c, const char *path, const char *content_type, lt_slice body,
                               json_t **ret_json);
LT_MUST_USE lt_res cmd_api_post(struct cmd *c, const char *path, const json_t *payload, json_t **ret_json);

struct cmd_key;
/* Who asks, and the key that signs for them. */
const char *cmd_operator_name(const struct cmd *c);
LT_MUST_USE lt_res cmd_operator_key(struct cmd *c, struct cmd_key *ret_key);

/* "&name=value", percent-encoded; nothing when value is NULL. */
void cmd_query_add(struct lt_buf *query, const char *name, const char *value);
/* The same for a point in time: "2027-01-01" is its first second. */
void cmd_query_add_time(struct lt_buf *query, const char *name, const char *value);

/* Members; "" and 0 where they are missing. Borrowed. */
const char *cmd_text(const json_t *object, const char *key);
int64_t cmd_int(const json_t *object, const char *key);

/* The document as it is, on one line. */
LT_MUST_USE lt_res cmd_print_json(const json_t *value);

/* Columns that fit their contents. */
enum { CMD_TABLE_CELLS = 4096, CMD_TABLE_COLUMNS = 12 };
struct cmd_table {
    struct lt_arena *arena;
    const char *cells[CMD_TABLE_CELLS];
    size_t columns;
    size_t count;
};
/* Lives in the run's arena. */
struct cmd_table *cmd_table_new(struct cmd *c, const char *const *heads, size_t columns);
/* Copied. A table that is full prints itself and goes on. */
LT_MUST_USE lt_res cmd_table_row(struct cmd_table *t, const char *const *cells);
LT_MUST_USE lt_res cmd_table_print(struct cmd_table *t);

#endif
