/* YAML by schema. Two passes over a small text: the first, on libyaml's events, refuses what a schema cannot
 * see (a key twice, a second document, aliases, depth) and finds positions; the second is libcyaml's. */
#include "ca/yaml_load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

const cyaml_strval_t ca_yaml_truth[2] = {{"false", 0}, {"true", 1}};

enum { DEPTH_MAX = 8, KEYS_MAX = 64, PATH_MAX_LEN = 256, ALLOC_HEADER = 16 };

struct level {
    bool mapping;
    bool value_next; /* of a mapping: the key was read */
    size_t index;    /* of a sequence */
    size_t path_len; /* of the path above this level */
    lt_slice keys[KEYS_MAX];
    size_t key_count;
};

/* One walk over the events: refuses, and remembers where `wanted` or its nearest ancestor stands. */
struct walk {
    const struct ca_yaml *y;
    struct lt_arena *arena;
    struct level level[DEPTH_MAX];
    size_t depth;
    char path[PATH_MAX_LEN];
    const char *wanted; /* NULL: only check */
    size_t best_len;
    size_t line;
    size_t column;
    size_t documents;
};

static bool path_covers(const char *wanted, const char *path)
{
    size_t len = strlen(path);
    return strncmp(wanted, path, len) == 0 && (wanted[len] == 0 || wanted[len] == '.' || len == 0);
}

static void note_position(struct walk *w, const yaml_mark_t *mark)
{
    size_t len = strlen(w->path);
    if (w->wanted != NULL && len >= w->best_len && path_covers(w->wanted, w->path)) {
        w->best_len = len;
        w->line = mark->line + 1;
        w->column = mark->column + 1;
    }
}

/* The path of a node that begins now: parent, ".", key or index. */
static void enter_node(struct walk *w, const yaml_mark_t *mark)
{
    if (w->depth == 0) {
        return;
    }
    struct level *l = &w->level[w->depth - 1];
    if (!l->mapping) {
        char *end = w->path + l->path_len;
        (void)snprintf(end, sizeof(w->path) - l->path_len, "%s%zu", l->path_len > 0 ? "." : "", l->index);
        l->index++;
    }
    note_position(w, mark);
    l->value_next = false;
}

static lt_res take_key(struct walk *w, const yaml_event_t *e)
{
    struct level *l = &w->level[w->depth - 1];
    lt_slice key = lt_arena_copy(w->arena, LT_SLICE(e->data.scalar.value, e->data.scalar.length));
    LT_CHECK(key.ptr != NULL && l->key_count < KEYS_MAX, LT_PEER_TOO_LARGE,
             "%s:%zu:%zu: more than %d keys in one mapping", w->y->file, e->start_mark.line + 1,
             e->start_mark.column + 1, KEYS_MAX);
    for (size_t i = 0; i < l->key_count; i++) {
        LT_CHECK(!lt_slice_eq(l->keys[i], key), LT_PEER_USAGE,
                 "%s:%zu:%zu: \"%.*s\" is written twice; keep one of them", w->y->file,
                 e->start_mark.line + 1, e->start_mark.column + 1, LT_FMT(key));
    }
    l->keys[l->key_count++] = key;
    l->value_next = true;
    char *end = w->path + l->path_len;
    (void)snprintf(end, sizeof(w->path) - l->path_len, "%s%.*s", l->path_len > 0 ? "." : "", LT_FMT(key));
    note_position(w, &e->start_mark);
    return LT_OK;
}

static lt_res open_level(struct walk *w, const yaml_event_t *e)
{
    enter_node(w, &e->start_mark);
    LT_CHECK(w->depth < DEPTH_MAX, LT_PEER_TOO_LARGE, "%s:%zu:%zu: nested deeper than %d levels", w->y->file,
             e->start_mark.line + 1, e->start_mark.column + 1, DEPTH_MAX);
    struct level *l = &w->level[w->depth++];
    *l = (struct level){.mapping = e->type == YAML_MAPPING_START_EVENT, .path_len = strlen(w->path)};
    return LT_OK;
}

static lt_res close_level(struct walk *w)
{
    w->depth--;
    w->path[w->level[w->depth].path_len] = 0;
    return LT_OK;
}

static lt_res walk_event(struct walk *w, const yaml_event_t *e)
{
    switch ((int)e->type) {
    case YAML_DOCUMENT_START_EVENT:
        LT_CHECK(++w->documents == 1, LT_PEER_USAGE,
                 "%s:%zu:1: a second document begins; remove the line \"---\" and what follows", w->y->file,
                 e->start_mark.line + 1);
        return LT_OK;
    case YAML_ALIAS_EVENT:
        LT_FAIL(LT_PEER_USAGE, "%s:%zu:%zu: aliases are not taken here; write the value out", w->y->file,
                e->start_mark.line + 1, e->start_mark.column + 1);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return open_level(w, e);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return close_level(w);
    case YAML_SCALAR_EVENT:
        if (w->depth > 0 && w->level[w->depth - 1].mapping && !w->level[w->depth - 1].value_next) {
            return take_key(w, e);
        }
        enter_node(w, &e->start_mark);
        return LT_OK;
    case YAML_NO_EVENT:
    default:
        return LT_OK;
    }
}

static lt_res walk_text(struct walk *w)
{
    yaml_parser_t parser;
    LT_CHECK(yaml_parser_initialize(&parser) == 1, LT_STATE_IO, "out of memory for a YAML parser");
    yaml_parser_set_input_string(&parser, w->y->text.ptr, w->y->text.len);
    lt_res r = LT_OK;
    bool end = false;
    while (!end && !lt_failed(r)) {
        yaml_event_t e;
        if (yaml_parser_parse(&parser, &e) != 1) {
            r = lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "%s:%zu:%zu: %s", w->y->file,
                        parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                        parser.problem != NULL ? parser.problem : "not YAML");
            break;
        }
        end = e.type == YAML_STREAM_END_EVENT;
        r = walk_event(w, &e);
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    return r;
}

/* libcyaml says what was wrong in one line and where in the next ones: keep the first of each. */
struct complaint {
    char what[160];
    char key[64];
    size_t line;
    size_t column;
};

LT_PRINTF(3, 0)
static void hear_cyaml(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
    struct complaint *c = ctx;
    char text[256];
    if (level < CYAML_LOG_ERROR) {
        return;
    }
    (void)vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = 0;
    const char *at = strstr(text, "(line: ");
    if (at != NULL) {
        const char *quote = strchr(text, '\'');
        if (c->line == 0) {
            (void)sscanf(at, "(line: %zu, column: %zu)", &c->line, &c->column);
        }
        if (c->key[0] == 0 && quote != NULL) {
            (void)snprintf(c->key, sizeof(c->key), "%.*s", (int)strcspn(quote + 1, "'"), quote + 1);
        }
        return;
    }
    const char *what = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    if (c->what[0] == 0 && strncmp(what, "Backtrace", 9) != 0) {
        (void)snprintf(c->what, sizeof(c->what), "%.150s", what);
    }
}

/* An arena behind libcyaml's realloc-like interface: the size stands before each block. */
static void *arena_memory(void *ctx, void *ptr, size_t size)
{
    if (size == 0 || size > SIZE_MAX - ALLOC_HEADER) {
        return NULL;
    }
    uint8_t *block = lt_arena_alloc(ctx, size + ALLOC_HEADER);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &size, sizeof(size));
    if (ptr != NULL) {
        size_t old = 0;
        memcpy(&old, (uint8_t *)ptr - ALLOC_HEADER, sizeof(old));
        memcpy(block + ALLOC_HEADER, ptr, old < size ? old : size);
    }
    return block + ALLOC_HEADER;
}

lt_res ca_yaml_load(const struct ca_yaml *y, const cyaml_schema_value_t *schema, struct lt_arena *arena,
                    void **ret_root)
{
    struct walk w = {.y = y, .arena = arena};
    LT_TRY(walk_text(&w));
    struct complaint c = {0};
    const cyaml_config_t config = {
        .log_fn = hear_cyaml,
        .log_ctx = &c,
        .mem_fn = arena_memory,
        .mem_ctx = arena,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    cyaml_data_t *root = NULL;
    cyaml_err_t err = cyaml_load_data(y->text.ptr, y->text.len, &config, schema, &root, NULL);
    LT_CHECK(err != CYAML_ERR_OOM, LT_PEER_TOO_LARGE, "%s:1:1: more than fits in %zu bytes", y->file,
             arena->max);
    LT_CHECK(err == CYAML_OK, LT_PEER_USAGE, "%s:%zu:%zu: %s%s%s%s", y->file, c.line > 0 ? c.line : 1,
             c.column > 0 ? c.column : 1, c.key[0] != 0 ? c.key : "", c.key[0] != 0 ? ": " : "",
             c.what[0] != 0 ? c.what : cyaml_strerror(err), c.what[0] != 0 ? "" : " (is the file empty?)");
    LT_CHECK(root != NULL, LT_PEER_USAGE, "%s:1:1: the file is empty", y->file);
    *ret_root = root;
    return LT_OK;
}

lt_res ca_yaml_refuse(const struct ca_yaml *y, const char *path, const char *format, ...)
{
    struct lt_arena arena;
    lt_arena_init(&arena, y->text.len * 2 + 64 * 1024);
    struct walk w = {.y = y, .arena = &arena, .wanted = path, .line = 1, .column = 1};
    (void)lt_failed(walk_text(&w)); /* it loaded before; without a position the message still helps */
    lt_arena_done(&arena);
    char text[201];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    LT_FAIL(LT_PEER_USAGE, "%s:%zu:%zu: %s: %s", y->file, w.line, w.column, path, text);
}

lt_res ca_yaml_number(const struct ca_yaml *y, const char *path, const char *text, uint32_t least,
                      uint32_t most, uint32_t *ret_number)
{
    uint64_t n = 0;
    if (lt_failed(lt_parse_u64(lt_slice_cstr(text), UINT32_MAX, &n)) || n < least || n > most) {
        return ca_yaml_refuse(y, path, "\"%.40s\" is out of range or no number; write %u to %u", text, least,
                              most);
    }
    *ret_number = (uint32_t)n;
    return LT_OK;
}

lt_res ca_yaml_duration(const struct ca_yaml *y, const char *path, const char *text, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t len = strlen(text);
    if (strcmp(text, "0") == 0) {
        *ret_seconds = 0;
        return LT_OK;
    }
    for (size_t i = 0; len > 1 && i < LT_COUNT(units); i++) {
        uint64_t n = 0;
        if (text[len - 1] != units[i].unit) {
            continue;
        }
        if (lt_failed(lt_parse_u64(LT_SLICE(text, len - 1), 1000000000, &n))) {
            break;
        }
        *ret_seconds = (int64_t)n * units[i].seconds;
        return LT_OK;
    }
    return ca_yaml_refuse(y, path, "\"%.40s\" is no duration; write 90d, 36h, 15m or 30s", text);
}
