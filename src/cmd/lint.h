#ifndef CMD_LINT_H
#define CMD_LINT_H
/* What the files of `lintel lint` share. One thread walks the inputs and prints; workers read, judge and
 * write what is to be printed into a slot of their own, so that output stands in the order of the inputs and
 * memory does not grow with their number. Nothing that workers share changes while they run.
 */
#include "cmd/cmd.h"
#include "lint/keys.h"
#include "lint/lint.h"

enum cmd_lint_format { CMD_LINT_TEXT, CMD_LINT_JSON, CMD_LINT_ZLINT };
enum { CMD_LINT_FILE_MAX = 256 * 1024 * 1024, CMD_LINT_KINDS = 4, CMD_LINT_LABELS_MAX = 16 };

/* A row as --format zlint prints it, up to the result: "\"id\":{\"result\":\"". */
struct cmd_lint_zlint_row {
    const char *text;
    size_t len;
    size_t index; /* of the rule */
};

/* A rule by its address, for findings. */
struct cmd_lint_place {
    const struct lint_rule *rule;
    size_t index;
};

/* What is asked for: made by lint.c, read by all, changed by nobody. */
struct cmd_lint {
    enum cmd_lint_format format;
    bool pretty;
    bool colour;
    bool json_errors;
    bool bare;
    bool filtered; /* wanted leaves some out */
    unsigned kind; /* of enum lint_kind; 0: found out */
    enum lint_status fail_on;
    struct lint_input input; /* role, profile, issuer, … of every object */
    struct lint_config config;
    const bool *wanted; /* by index of the rule */
    size_t rule_count;
    const struct lint_rule *const *rules; /* by index */
    const struct cmd_lint_place *places;  /* rule_count of them, by address */
    const struct cmd_lint_zlint_row
        *zlint[CMD_LINT_KINDS]; /* sorted by id; by the number of the kind's bit */
    size_t zlint_count[CMD_LINT_KINDS];
};

struct cmd_lint_tally {
    size_t files;
    size_t objects;
    size_t unreadable; /* files or objects that could not be judged */
    size_t failed;     /* objects with a finding at or above --fail-on */
    size_t worst[LINT_STATUS_COUNT];
    size_t findings[LINT_STATUS_COUNT];
};

/* What one input has to say. */
struct cmd_lint_out {
    struct lt_buf text;   /* standard output */
    struct lt_buf errors; /* standard error */
    struct cmd_lint_tally tally;
};

/* One thread's own. */
struct cmd_lint_worker {
    const struct cmd_lint *job; /* borrowed */
    struct lt_arena arena;      /* of one file */
    struct lt_buf bytes;        /* of one file */
    struct lint_keys *keys;     /* owned */
    const char **messages;      /* owned; by index of the rule, for --format zlint */
};

/* lint_input.c: what the bytes of a file hold. */
struct cmd_lint_object {
    unsigned kind; /* of enum lint_kind; 0: cannot be told */
    lt_slice der;
};
struct cmd_lint_reader {
    lt_slice rest;
    bool pem;
    size_t count; /* objects in it, or at least 1 */
    bool bare;
    lt_slice endless[CMD_LINT_LABELS_MAX]; /* labels whose blocks do not end */
    size_t endless_count;
};
void cmd_lint_open(struct cmd_lint_reader *r, lt_slice bytes, bool bare);
/* LT_PEER_NOT_FOUND behind the last; LT_PEER_MALFORMED for a block that is none: ask on. */
LT_MUST_USE lt_res cmd_lint_next(struct cmd_lint_reader *r, struct lt_arena *a,
                                 struct cmd_lint_object *ret_object);

/* lint_toml.c: name is for messages, "FILE:LINE: …". */
extern const char cmd_lint_toml_known[];
LT_MUST_USE lt_res cmd_lint_toml(lt_slice text, const char *name, struct lint_config *ret_config);

/* lint_escape.c */
/* A JSON string as Go's encoder writes it. */
void cmd_lint_go_string(struct lt_buf *out, lt_slice s);
/* Text for a terminal: no control character gets through. */
void cmd_lint_plain(struct lt_buf *out, lt_slice s);

/* lint_file.c */
void cmd_lint_worker_init(struct cmd_lint_worker *w, const struct cmd_lint *job);
void cmd_lint_worker_done(struct cmd_lint_worker *w);
void cmd_lint_out_init(struct cmd_lint_out *out);
void cmd_lint_out_done(struct cmd_lint_out *out);
/* Reads, judges, writes; what fails is said in out->errors and counted. "-" is standard input. */
void cmd_lint_file(struct cmd_lint_worker *w, const char *path, struct cmd_lint_out *out);
/* A line of errors about that file. */
void cmd_lint_complain(const struct cmd_lint *job, struct cmd_lint_out *out, const char *path,
                       const char *code, const char *detail);

/* lint_write.c, lint_zlint.c */
void cmd_lint_write_text(const struct cmd_lint *job, const char *name, const struct lint_results *results,
                         struct lt_buf *out);
void cmd_lint_write_json(const struct cmd_lint *job, const char *name, const struct lint_results *results,
                         struct lt_buf *out);
void cmd_lint_write_zlint(struct cmd_lint_worker *w, unsigned kind, const struct lint_results *results,
                          struct lt_buf *out);
bool cmd_lint_wanted(const struct cmd_lint *job, const struct lint_rule *rule, size_t *ret_index);
/* lint_zlint_details.c: the rows of zlint's that say more than their result. */
struct cmd_lint_details {
    const char *id;
    unsigned statuses; /* 1 << enum lint_status */
};
extern const struct cmd_lint_details cmd_lint_details[];
extern const size_t cmd_lint_details_count;
bool cmd_lint_has_details(const struct lint_rule *rule, enum lint_status status);
/* Prepares job->zlint. */
void cmd_lint_zlint_rows(struct cmd_lint *job, struct lt_arena *a);
void cmd_lint_summary(const struct cmd_lint_tally *t, struct lt_buf *out);

/* lint_walk.c: calls for each regular file below the folder; false from the callback ends the walk. */
struct cmd_lint_walker {
    lt_res (*file)(void *context, const char *path);
    void (*bad)(void *context, const char *path, const char *why);
    void *context;
};
LT_MUST_USE lt_res cmd_lint_walk(const char *folder, const struct cmd_lint_walker *walker);

/* lint_pool.c */
struct cmd_lint_pool;
struct cmd_lint_pool *cmd_lint_pool_new(const struct cmd_lint *job, size_t threads);
void cmd_lint_pool_free(struct cmd_lint_pool *p);
/* Copied. Prints what is ready when there is no room. */
LT_MUST_USE lt_res cmd_lint_pool_add(struct cmd_lint_pool *p, const char *path);
/* A file that cannot even be opened: in its turn. */
LT_MUST_USE lt_res cmd_lint_pool_bad(struct cmd_lint_pool *p, const char *path, const char *why);
/* All that is left. */
LT_MUST_USE lt_res cmd_lint_pool_finish(struct cmd_lint_pool *p, struct cmd_lint_tally *ret_tally);
/* For the bar; 0: not known. */
void cmd_lint_pool_total(struct cmd_lint_pool *p, size_t total);

/* lint_progress.c */
struct cmd_lint_progress {
    bool on;
    bool shown;        /* it stands there now */
    bool output_there; /* standard output is a terminal, too */
    size_t total;
    int64_t began_ms;
    int64_t said_ms;
};
void cmd_lint_progress_init(struct cmd_lint_progress *p);
void cmd_lint_progress_show(struct cmd_lint_progress *p, const struct cmd_lint_tally *t);
/* Before something else is written. */
void cmd_lint_progress_clear(struct cmd_lint_progress *p);

/* lint_list.c */
LT_MUST_USE lt_res cmd_lint_list(struct cmd *c, const struct cmd_lint *job);

/* lint_as_zlint.c: the program is called zlint, and what that means in our options. */
bool cmd_lint_is_zlint(const char *program);
LT_MUST_USE lt_res cmd_lint_as_zlint(struct lt_arena *a, int argc, char **argv, int *ret_argc,
                                     char ***ret_argv);

/* lint_inventory.c: what the book holds, against the verdict at issuance. */
LT_MUST_USE lt_res cmd_lint_inventory(struct cmd *c);

#endif
