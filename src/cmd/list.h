#ifndef CMD_LIST_H
#define CMD_LIST_H
/* A list of the API for people: where it is asked for, and its columns. A verb that lists is such a row. */
#include "cmd/api.h"

enum { CMD_LIST_FILTERS_MAX = 4 };

struct cmd_column {
    const char *head;
    const char *member;
    size_t most; /* bytes that are shown; 0: as many as there is room for */
};
struct cmd_list {
    const char *path;
    const char *key; /* of the array */
    struct cmd_column columns[CMD_TABLE_COLUMNS];
    struct {
        const char *option;
        const char *parameter;
    } filters[CMD_LIST_FILTERS_MAX];
};
LT_MUST_USE lt_res cmd_list(struct cmd *c, const struct cmd_list *l);
/* With more of a question than the filters say. */
LT_MUST_USE lt_res cmd_list_with(struct cmd *c, const struct cmd_list *l, struct lt_buf *query);
/* Rows that are at hand. */
LT_MUST_USE lt_res cmd_list_print(struct cmd *c, const struct cmd_list *l, const json_t *rows);

/* Any value on one line: yes and no, "a, b"; "-" where there is nothing. */
enum { CMD_CELL_MAX = 160 };
void cmd_cell(const json_t *row, const char *member, char out[CMD_CELL_MAX]);

#endif
