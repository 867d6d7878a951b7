#ifndef CMD_AUDIT_LINES_H
#define CMD_AUDIT_LINES_H
/* Between audit verify, export and pack. */
#include "ca/audit_lines.h"
#include "cmd/cmd.h"

/* audit verify --export FILE: no CA folder is needed. */
LT_MUST_USE lt_res cmd_audit_lines(struct cmd *c, const char *file);

/* The book of the folder, read-only, in one view; operators and audit key beside it. */
struct cmd_audit_book {
    struct ca_audit audit;         /* store, operators, audit_spki */
    struct ca_operators operators; /* owned */
    const char *folder;
    int dir; /* owned; -1 */
};
LT_MUST_USE lt_res cmd_audit_open(struct cmd *c, struct cmd_audit_book *ret_book);
void cmd_audit_close(struct cmd_audit_book *b);

/* --from and --to; from {0}: the beginning. */
LT_MUST_USE lt_res cmd_audit_period(struct cmd *c, lt_time *ret_from, lt_time *ret_until);

#endif
