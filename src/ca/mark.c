/* See mark.h. */
#include "ca/mark.h"

#include "base/arena.h"
#include "base/file.h"

enum { FILE_MAX = 64 * 1024 };

void ca_mark_write(const struct ca_mark *m, lt_slice root_pem, struct lt_buf *out)
{
    lt_buf_add_cstr(out, m->words);
    lt_buf_add(out, root_pem);
}

/* The whole text: a copy of the root alone marks nothing. */
static bool is_mark_of(const struct ca_mark *m, lt_slice text, lt_slice root)
{
    struct lt_buf whole;
    lt_buf_init(&whole, 2 * FILE_MAX);
    ca_mark_write(m, root, &whole);
    bool same = root.len > 0 && !lt_failed(lt_buf_check(&whole)) && lt_slice_eq(text, lt_buf_slice(&whole));
    lt_buf_done(&whole);
    return same;
}

static lt_res compare(const struct ca_mark *m, struct lt_arena *a, int dir_fd, bool *ret_marked)
{
    lt_slice text;
    lt_slice root;
    *ret_marked = false;
    lt_res r = lt_file_read(a, dir_fd, m->file, FILE_MAX, &text);
    if (r.code == LT_PEER_NOT_FOUND) {
        return LT_OK;
    }
    LT_TRY(r);
    LT_TRY(lt_file_read(a, dir_fd, "ca/root.pem", FILE_MAX, &root));
    *ret_marked = is_mark_of(m, text, root);
    LT_CHECK(*ret_marked, LT_POLICY_REFUSED, "the file \"%s\" is not the mark of this CA; remove it",
             m->file);
    return LT_OK;
}

lt_res ca_mark_read(const struct ca_mark *m, int dir_fd, bool *ret_marked)
{
    struct lt_arena a;
    lt_arena_init(&a, 4 * FILE_MAX);
    lt_res r = compare(m, &a, dir_fd, ret_marked);
    lt_arena_done(&a);
    return r;
}
