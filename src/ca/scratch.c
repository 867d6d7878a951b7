/* The marks of a drill's folder and keys. */
#include "ca/scratch.h"

#include "base/file.h"
#include "base/text.h"

enum { FILE_MAX = 64 * 1024, CLOCK_MAX = 64 };

static const char words[] =
    "This is the folder of a drill, made by `lintel drill`. Its clock is moved, its letters go nowhere, and\n"
    "nobody may trust what it issues. What follows is its root.\n";

void ca_scratch_mark(lt_slice root_pem, struct lt_buf *out)
{
    lt_buf_add_cstr(out, words);
    lt_buf_add(out, root_pem);
}

/* The whole text: a copy of the root alone marks nothing. */
static bool is_mark_of(lt_slice mark, lt_slice root)
{
    struct lt_buf whole;
    lt_buf_init(&whole, 2 * FILE_MAX);
    ca_scratch_mark(root, &whole);
    bool same = root.len > 0 && !lt_failed(lt_buf_check(&whole)) && lt_slice_eq(mark, lt_buf_slice(&whole));
    lt_buf_done(&whole);
    return same;
}

static lt_res compare(struct lt_arena *a, int dir_fd, bool *ret_marked)
{
    lt_slice mark;
    lt_slice root;
    *ret_marked = false;
    lt_res r = lt_file_read(a, dir_fd, CA_SCRATCH_MARK, FILE_MAX, &mark);
    if (r.code == LT_PEER_NOT_FOUND) {
        return LT_OK;
    }
    LT_TRY(r);
    LT_TRY(lt_file_read(a, dir_fd, "ca/root.pem", FILE_MAX, &root));
    *ret_marked = is_mark_of(mark, root);
    LT_CHECK(*ret_marked, LT_POLICY_REFUSED,
             "the file \"" CA_SCRATCH_MARK "\" is not the mark of this CA; remove it");
    return LT_OK;
}

lt_res ca_scratch_marked(int dir_fd, bool *ret_marked)
{
    struct lt_arena a;
    lt_arena_init(&a, 4 * FILE_MAX);
    lt_res r = compare(&a, dir_fd, ret_marked);
    lt_arena_done(&a);
    return r;
}

lt_res ca_scratch_check(int dir_fd, bool drill)
{
    bool marked = false;
    LT_TRY(ca_scratch_marked(dir_fd, &marked));
    LT_CHECK(marked || !drill, LT_POLICY_REFUSED,
             "this is no folder of a drill, and no clock is moved in it; `lintel drill run` makes its own");
    LT_CHECK(!marked || drill, LT_POLICY_REFUSED,
             "this is the folder of a drill: it runs under `lintel drill` alone, and is nobody's CA");
    return LT_OK;
}

static lt_res read_clock(struct lt_arena *a, int dir_fd, int64_t *ret_us)
{
    lt_slice text;
    uint64_t us = 0;
    lt_res r = lt_file_read(a, dir_fd, CA_SCRATCH_CLOCK, CLOCK_MAX, &text);
    if (r.code == LT_PEER_NOT_FOUND) {
        return LT_OK;
    }
    LT_TRY(r);
    LT_TRY(lt_parse_u64(lt_slice_sub(text, 0, lt_slice_find(text, '\n')), INT64_MAX, &us));
    *ret_us = (int64_t)us;
    return LT_OK;
}

lt_res ca_scratch_ahead(int dir_fd, int64_t *ret_us)
{
    bool marked = false;
    struct lt_arena a;
    *ret_us = 0;
    LT_TRY(ca_scratch_marked(dir_fd, &marked));
    if (!marked) {
        return LT_OK;
    }
    lt_arena_init(&a, 4096);
    lt_res r = read_clock(&a, dir_fd, ret_us);
    lt_arena_done(&a);
    return r;
}
