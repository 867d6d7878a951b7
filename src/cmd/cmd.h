#ifndef CMD_CMD_H
#define CMD_CMD_H
/* The command line: one row per verb, one file per verb or family of verbs. Options are tables, from which
 * parsing, --help, man page checks and shell completion all come. A verb returns lt_res; main turns the
 * record into one line on standard error and an exit status. Text for people by default, one JSON document
 * with --json. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    CMD_OPTIONS_MAX = 40, /* written on one command line, the same one several times included */
    CMD_WORDS_MAX = 16,   /* of a plan */
    CMD_ARENA_MAX = 64 * 1024 * 1024,
};

/* Exit statuses; documented in lintel(1). */
enum cmd_exit {
    CMD_DONE = 0,
    CMD_FAILED = 1, /* I/O, stored data, a refusal by the other side without a better word */
    CMD_USAGE = 2,  /* command line or configuration */
    CMD_NOT_FOUND = 3,
    CMD_REFUSED = 4,     /* by policy: halted, approval missing, profile */
    CMD_UNAVAILABLE = 5, /* nobody answers, busy, time-out: the same command may work later */
    CMD_FINDINGS = 6,    /* doctor, audit verify: it ran, and found something */
};

struct cmd_option {
    const char *name;    /* without "--" */
    const char *metavar; /* NULL: a flag */
    const char *help;
    bool repeats;
    const char *words; /* NULL, or the values it takes, blank-separated: checked, completed */
};

struct cmd_args {
    const struct cmd_option *found[CMD_OPTIONS_MAX];
    const char *values[CMD_OPTIONS_MAX];
    size_t found_count;
    char **words; /* what is no option: moved to the front of argv */
    size_t word_count;
};

struct cmd_verb;

struct cmd {
    const struct cmd_verb *verb;
    struct cmd_args args;
    struct lt_arena arena; /* for the whole run */
    bool json;
    lt_time now;
    int findings;    /* by doctor and audit: exit status CMD_FINDINGS */
    int exit_status; /* of a verb that has statuses of its own (lint); 0: none */
};

struct cmd_verb {
    const char *name;  /* "init", "cert list" */
    const char *words; /* what may follow, for usage: "DIR", "SERIAL" */
    size_t words_least;
    size_t words_most;
    const char *summary; /* one line */
    const char *help;    /* paragraphs, then examples */
    const struct cmd_option *options;
    size_t option_count;
    lt_res (*run)(struct cmd *c);
};

/* Every verb, in the order of --help. */
extern const struct cmd_verb *const cmd_verbs[];
extern const size_t cmd_verb_count;
/* --dir, --json, --help: taken by every verb. */
extern const struct cmd_option cmd_common[];
extern const size_t cmd_common_count;

/* args.c */
LT_MUST_USE lt_res cmd_parse(const struct cmd_verb *verb, int argc, char **argv, struct cmd_args *ret_args);
/* The last value given, or NULL. */
const char *cmd_value(const struct cmd *c, const char *name);
const char *cmd_value_or(const struct cmd *c, const char *name, const char *otherwise);
/* The index-th of a repeated option, or NULL. */
const char *cmd_value_nth(const struct cmd *c, const char *name, size_t index);
bool cmd_flag(const struct cmd *c, const char *name);
LT_MUST_USE lt_res cmd_number(const struct cmd *c, const char *name, uint64_t otherwise, uint64_t most,
                              uint64_t *ret_number);
void cmd_help(const struct cmd_verb *verb, struct lt_buf *out);
void cmd_overview(const char *prefix, struct lt_buf *out);

/* folder.c: the CA folder. */
/* --dir, else LINTEL_DIR, else the folder we stand in if it has a lintel.yaml. */
LT_MUST_USE lt_res cmd_folder(const struct cmd *c, const char **ret_folder);
/* For offline verbs: LT_PEER_CONFLICT while run/supervisor.pid is locked; holds that lock until closed. */
LT_MUST_USE lt_res cmd_folder_lock(const char *folder, int *ret_fd);
/* Where the book is: what lintel.yaml says. */
LT_MUST_USE lt_res cmd_book(struct cmd *c, const char *folder, const char **ret_path);
/* Which of the families on that book this folder is of; "main" where nothing is said. */
LT_MUST_USE lt_res cmd_host(struct cmd *c, const char *folder, const char **ret_name);
/* The supervisor's process id while it runs, else 0. */
int cmd_folder_pid(const char *folder);

/* drill_folder.c: in the folder of a drill the time is the drill's, for verbs as for its family. */
LT_MUST_USE lt_res cmd_drill_time(struct cmd *c);
/* LT_POLICY_REFUSED: the folder is of a drill. */
LT_MUST_USE lt_res cmd_no_drill(const char *folder);

/* Standard output, checked: a full disk or a closed pipe is an error. */
LT_MUST_USE lt_res cmd_print(lt_slice text);
LT_MUST_USE lt_res cmd_printf(const char *format, ...) LT_PRINTF(1, 2);
/* What a dry run says: a line, or {"done":false,"would":"…"}. */
LT_MUST_USE lt_res cmd_would(const struct cmd *c, const char *format, ...) LT_PRINTF(2, 3);

#endif
