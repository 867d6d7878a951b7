/* See list.h. */
#include "cmd/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MAX = 8192 };

static void array_cell(const json_t *array, char out[CMD_CELL_MAX])
{
    size_t i;
    const json_t *part;
    json_array_foreach(array, i, part)
    {
        size_t len = strlen(out);
        const char *text = json_is_string(part) ? json_string_value(part) : "…";
        (void)snprintf(out + len, CMD_CELL_MAX - len, "%s%s", i == 0 ? "" : ", ", text); /* cut: for people */
    }
}

void cmd_cell(const json_t *row, const char *member, char out[CMD_CELL_MAX])
{
    const json_t *v = json_object_get(row, member);
    out[0] = '\0';
    if (json_is_string(v)) {
        (void)snprintf(out, CMD_CELL_MAX, "%s", json_string_value(v)); /* cut: for people */
    } else if (json_is_integer(v)) {
        (void)snprintf(out, CMD_CELL_MAX, "%lld", (long long)json_integer_value(v));
    } else if (json_is_boolean(v)) {
        (void)snprintf(out, CMD_CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
    } else if (json_is_array(v)) {
        array_cell(v, out);
    } else if (json_is_object(v)) {
        char *text = json_dumps(v, JSON_COMPACT);
        (void)snprintf(out, CMD_CELL_MAX, "%s", text != NULL ? text : "");
        free(text);
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x20 ? ' ' : *p;
    }
    if (out[0] == '\0') {
        (void)snprintf(out, CMD_CELL_MAX, "-");
    }
}

/* Bytes of UTF-8 that end with a character. */
static void shorten(char *text, size_t most)
{
    if (most == 0 || strlen(text) <= most) {
        return;
    }
    size_t at = most - 3;
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80) {
        at--;
    }
    (void)snprintf(text + at, CMD_CELL_MAX - at, "...");
}

lt_res cmd_list_print(struct cmd *c, const struct cmd_list *l, const json_t *rows)
{
    const char *heads[CMD_TABLE_COLUMNS];
    size_t columns = 0;
    size_t i;
    const json_t *row;
    for (; columns < CMD_TABLE_COLUMNS && l->columns[columns].head != NULL; columns++) {
        heads[columns] = l->columns[columns].head;
    }
    struct cmd_table *t = cmd_table_new(c, heads, columns);
    json_array_foreach(rows, i, row)
    {
        char text[CMD_TABLE_COLUMNS][CMD_CELL_MAX];
        const char *cells[CMD_TABLE_COLUMNS];
        for (size_t k = 0; k < columns; k++) {
            cmd_cell(row, l->columns[k].member, text[k]);
            shorten(text[k], l->columns[k].most);
            cells[k] = text[k];
        }
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

lt_res cmd_list_with(struct cmd *c, const struct cmd_list *l, struct lt_buf *query)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    for (size_t i = 0; i < CMD_LIST_FILTERS_MAX && l->filters[i].option != NULL; i++) {
        cmd_query_add(query, l->filters[i].parameter, cmd_value(c, l->filters[i].option));
    }
    LT_TRY(cmd_api_list(c, l->path, l->key, query, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_list_print(c, l, json_object_get(answer, l->key)));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

lt_res cmd_list(struct cmd *c, const struct cmd_list *l)
{
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_list_with(c, l, &query);
    lt_buf_done(&query);
    return r;
}
