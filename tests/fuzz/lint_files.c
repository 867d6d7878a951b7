/* What `lintel lint` and `lintel requirements` read from files before any certificate is looked at:
 * containers, TOML, maps and editions; and what they write of strangers' text. The first byte chooses. */
#include <string.h>

#include "cmd/lint.h"
#include "cmd/requirements.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const char requirements_shipped[] = "";
const struct cmd_verb *const cmd_verbs[1];
const size_t cmd_verb_count = 0;

static void read_objects(lt_slice text, bool bare, struct lt_arena *a)
{
    struct cmd_lint_reader r;
    struct cmd_lint_object o;
    cmd_lint_open(&r, text, bare);
    for (size_t n = 0;; n++) {
        lt_res result = cmd_lint_next(&r, a, &o);
        LT_ASSERT(n <= text.len + 1); /* it ends */
        if (result.code == LT_PEER_NOT_FOUND) {
            return;
        }
        LT_ASSERT(lt_failed(result) || o.der.len > 0);
    }
}

static void write_text(lt_slice text)
{
    struct lt_buf out;
    lt_buf_init(&out, 1 << 24);
    cmd_lint_plain(&out, text);
    for (size_t i = 0; i < out.len; i++) {
        LT_ASSERT(out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
    }
    lt_buf_reset(&out);
    cmd_lint_go_string(&out, text);
    LT_ASSERT(out.len >= 2 && out.ptr[0] == '"' && out.ptr[out.len - 1] == '"');
    for (size_t i = 0; i < out.len; i++) {
        LT_ASSERT(out.ptr[i] >= 0x20 && out.ptr[i] != '<' && out.ptr[i] != '>' && out.ptr[i] != '&');
    }
    lt_buf_done(&out);
}

static void compare(lt_slice text, struct lt_arena *a)
{
    struct edition old;
    struct edition new;
    size_t middle = lt_slice_find(text, 0);
    if (lt_failed(requirements_edition(a, lt_slice_sub(text, 0, middle), "old", &old)) ||
        lt_failed(requirements_edition(a, lt_slice_sub(text, middle + 1, SIZE_MAX), "new", &new)) ||
        lt_failed(requirements_match(&old, &new))) {
        return;
    }
    for (size_t i = 0; i < new.count; i++) {
        LT_ASSERT(new.rows[i].partner == SIZE_MAX || old.rows[new.rows[i].partner].partner == i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct lint_config config;
    struct requirement_map map;
    if (size == 0) {
        return 0;
    }
    lt_slice text = lt_slice_sub(LT_SLICE(data, size), 1, SIZE_MAX);
    lt_arena_init(&a, 1 << 24);
    switch (data[0]) {
    case 'T':
        lt_ignore(cmd_lint_toml(text, "x.toml", &config)); /* refused or not */
        break;
    case 'M':
        lt_ignore(requirements_read(&a, text, "x.tsv", &map));
        break;
    case 'E':
        compare(text, &a);
        break;
    case 'W':
        write_text(text);
        break;
    default:
        read_objects(text, data[0] == 'B', &a);
        break;
    }
    lt_arena_done(&a);
    return 0;
}
