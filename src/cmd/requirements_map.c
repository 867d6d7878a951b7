/* Reading data/requirements.tsv: ten columns, comments, a head; anything else is refused with its line. */
#include "cmd/requirements.h"

#include <fcntl.h>

#include "base/file.h"

enum { COLUMNS = 10, MAP_MAX = 32 * 1024 * 1024 };

static const char head[] =
    "document\tedition\tsection\tline\tkey\tkeywords\tsummary\tstatus\tkept-by\treason";

static const char *const statuses[REQUIREMENT_STATUS_COUNT] = {
    [REQUIREMENT_KEPT] = "kept",
    [REQUIREMENT_PROCEDURAL] = "procedural",
    [REQUIREMENT_NOT_APPLICABLE] = "not-applicable",
    [REQUIREMENT_NOT_YET] = "not-yet",
};

const char *requirements_status_name(enum requirement_status status)
{
    return statuses[status];
}

static lt_slice unless_dash(lt_slice cell)
{
    return lt_slice_eq_cstr(cell, "-") ? LT_SLICE(NULL, 0) : cell;
}

static lt_res read_row(lt_slice line, const char *name, size_t number, struct requirement *ret_row)
{
    lt_slice cells[COLUMNS];
    size_t n = 0;
    lt_slice cell;
    while (lt_slice_split(&line, '\t', &cell)) {
        LT_CHECK(n < COLUMNS, LT_PEER_MALFORMED, "%.100s:%zu: more than %d columns", name, number, COLUMNS);
        cells[n++] = cell;
    }
    LT_CHECK(n == COLUMNS, LT_PEER_MALFORMED, "%.100s:%zu: %zu columns instead of %d", name, number, n,
             COLUMNS);
    *ret_row = (struct requirement){
        .document = cells[0],
        .edition = cells[1],
        .section = cells[2],
        .line = cells[3],
        .key = cells[4],
        .keywords = unless_dash(cells[5]),
        .summary = unless_dash(cells[6]),
        .kept_by = unless_dash(cells[8]),
        .reason = unless_dash(cells[9]),
    };
    for (size_t i = 0; i < REQUIREMENT_STATUS_COUNT; i++) {
        if (lt_slice_eq_cstr(cells[7], statuses[i])) {
            ret_row->status = (enum requirement_status)i;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "%.100s:%zu: status \"%.*s\": kept, procedural, not-applicable or not-yet",
            name, number, LT_FMT(lt_slice_sub(cells[7], 0, 40)));
}

static size_t count_lines(lt_slice text)
{
    lt_slice line;
    size_t n = 0;
    while (lt_slice_split(&text, '\n', &line)) {
        n++;
    }
    return n;
}

lt_res requirements_read(struct lt_arena *a, lt_slice text, const char *name, struct requirement_map *ret_map)
{
    size_t lines = count_lines(text);
    lt_slice line;
    bool headed = false;
    LT_CHECK(lines <= REQUIREMENTS_ROWS_MAX, LT_PEER_TOO_LARGE, "%.100s: more than %d lines", name,
             REQUIREMENTS_ROWS_MAX);
    *ret_map = (struct requirement_map){.rows = LT_NEW_ARRAY(a, struct requirement, lines + 1)};
    LT_CHECK(ret_map->rows != NULL, LT_PEER_TOO_LARGE, "%.100s: too large", name);
    for (size_t n = 1; lt_slice_split(&text, '\n', &line); n++) {
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (!headed) {
            LT_CHECK(lt_slice_eq_cstr(line, head), LT_PEER_MALFORMED,
                     "%.100s:%zu: not the head of such a map", name, n);
            headed = true;
            continue;
        }
        LT_TRY(read_row(line, name, n, &ret_map->rows[ret_map->count++]));
    }
    LT_CHECK(headed, LT_PEER_MALFORMED, "%.100s: not the head of such a map", name);
    return LT_OK;
}

lt_res requirements_load(struct cmd *c, struct requirement_map *ret_map)
{
    const char *path = cmd_value(c, "map");
    lt_slice text = lt_slice_cstr(requirements_shipped);
    if (path != NULL) {
        LT_TRY(lt_file_read(&c->arena, AT_FDCWD, path, MAP_MAX, &text));
    }
    return requirements_read(&c->arena, text, path != NULL ? path : "requirements.tsv", ret_map);
}

const struct requirement *requirements_find(const struct requirement_map *map, lt_slice document,
                                            lt_slice section, lt_slice key)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct requirement *r = &map->rows[i];
        if (lt_slice_eq(r->key, key) && lt_slice_eq(r->section, section) &&
            lt_slice_eq(r->document, document)) {
            return r;
        }
    }
    return NULL;
}
