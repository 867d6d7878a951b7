#ifndef CMD_LEARN_H
#define CMD_LEARN_H
/* Rows of the verbs of action, review, training and concern: what they ask, and what they say. */
#include "cmd/list.h"
#include "cmd/verbs.h"

enum { LEARN_MEMBERS_MAX = 8, LEARN_WORDS_MAX = 3 };

enum learn_type { LEARN_TEXT, LEARN_TEXTS, LEARN_TIME, LEARN_NUMBER, LEARN_FLAG };

struct learn_member {
    const char *option;
    const char *member;
    enum learn_type type;
    bool needed;
};
struct learn_change {
    const char *path;                   /* "*" stands for the first word */
    const char *words[LEARN_WORDS_MAX]; /* members that are the words after that */
    bool file;                          /* the word is a file, or "-" */
    struct learn_member members[LEARN_MEMBERS_MAX];
};
LT_MUST_USE lt_res cmd_learn_change(struct cmd *c, const struct learn_change *row);
/* The same without the options. */
LT_MUST_USE lt_res cmd_learn_end(struct cmd *c, const struct learn_change *row);

LT_MUST_USE lt_res cmd_learn_show(struct cmd *c, const char *noun);
/* The same, signed: what not everybody may see. */
LT_MUST_USE lt_res cmd_learn_show_signed(struct cmd *c, const char *noun);

#endif
