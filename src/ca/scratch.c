/* The marks of a drill's folder and keys. */
#include "ca/scratch.h"

#include "base/file.h"
#include "base/text.h"
#include "ca/mark.h"

enum { CLOCK_MAX = 64 };

static const struct ca_mark mark = {
    .file = CA_SCRATCH_MARK,
    .words = "This is the folder of a drill, made by `lintel drill`. Its clock is moved, its letters go "
             "nowhere, and\n"
             "nobody may trust what it issues. What follows is its root.\n",
};

void ca_scratch_mark(lt_slice root_pem, struct lt_buf *out)
{
    ca_mark_write(&mark, root_pem, out);
}

lt_res ca_scratch_marked(int dir_fd, bool *ret_marked)
{
    return ca_mark_read(&mark, dir_fd, ret_marked);
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
