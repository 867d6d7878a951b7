/* Tables for people: columns as wide as their contents, two blanks between. */
#include <string.h>

#include "cmd/api.h"

struct cmd_table *cmd_table_new(struct cmd *c, const char *const *heads, size_t columns)
{
    struct cmd_table *t = LT_NEW(&c->arena, struct cmd_table);
    LT_ASSERT(t != NULL && columns > 0 && columns <= CMD_TABLE_COLUMNS);
    t->arena = &c->arena;
    t->columns = columns;
    t->count = 0;
    for (size_t i = 0; i < columns; i++) {
        t->cells[t->count++] = heads[i];
    }
    return t;
}

lt_res cmd_table_row(struct cmd_table *t, const char *const *cells)
{
    if (t->count + t->columns > CMD_TABLE_CELLS) {
        LT_TRY(cmd_table_print(t));
        t->count = t->columns;
    }
    for (size_t i = 0; i < t->columns; i++) {
        const char *copy = lt_arena_cstr(t->arena, lt_slice_cstr(cells[i]));
        LT_CHECK(copy != NULL, LT_PEER_TOO_LARGE, "too many rows for one run; ask for fewer, or use --json");
        t->cells[t->count++] = copy;
    }
    return LT_OK;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text != 0; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

lt_res cmd_table_print(struct cmd_table *t)
{
    size_t width[CMD_TABLE_COLUMNS] = {0};
    struct lt_buf out;
    for (size_t i = 0; i < t->count; i++) {
        size_t w = width_of(t->cells[i]);
        width[i % t->columns] = w > width[i % t->columns] ? w : width[i % t->columns];
    }
    lt_buf_init(&out, (size_t)64 * 1024 * 1024);
    for (size_t i = 0; i < t->count; i++) {
        bool last = i % t->columns == t->columns - 1;
        lt_buf_add_cstr(&out, t->cells[i]);
        for (size_t pad = last ? 0 : width[i % t->columns] + 2 - width_of(t->cells[i]); pad > 0; pad--) {
            lt_buf_add_byte(&out, ' ');
        }
        if (last) {
            lt_buf_add_byte(&out, '\n');
        }
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}
