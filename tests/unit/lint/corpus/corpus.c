#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "../forge.h"

enum { TEXT_MAX = 64 << 20, LONGEST_NAME = 256 };

/* ---- tables ---- */

static char *read_text(const char *path, size_t *ret_len)
{
    gzFile f = gzopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "%s: missing; set LINTEL_CORPUS\n", path);
        exit(1);
    }
    size_t size = 1 << 20;
    size_t len = 0;
    char *text = malloc(size + 1);
    LT_ASSERT(text != NULL);
    for (;;) {
        int got = gzread(f, text + len, (unsigned)(size - len));
        LT_ASSERT(got >= 0);
        len += (size_t)got;
        if (got == 0) {
            break;
        }
        if (len == size) {
            LT_ASSERT(size < TEXT_MAX);
            size *= 2;
            text = realloc(text, size + 1);
            LT_ASSERT(text != NULL);
        }
    }
    (void)gzclose(f); /* only read */
    text[len] = 0;
    *ret_len = len;
    return text;
}

void corpus_read(const char *path, const char *head, struct corpus_table *ret_table)
{
    size_t len = 0;
    memset(ret_table, 0, sizeof(*ret_table));
    ret_table->text = read_text(path, &len);
    lt_slice rest = LT_SLICE(ret_table->text, len);
    size_t lines = 1;
    for (size_t i = 0; i < len; i++) {
        lines += ret_table->text[i] == '\n';
    }
    ret_table->rows = calloc(lines, sizeof(ret_table->rows[0]));
    LT_ASSERT(ret_table->rows != NULL);
    lt_slice line;
    while (lt_slice_split(&rest, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == '#' || lt_slice_starts(line, lt_slice_cstr(head))) {
            continue;
        }
        struct corpus_row *row = &ret_table->rows[ret_table->count++];
        for (size_t i = 0; i < CORPUS_FIELDS_MAX && line.len > 0; i++) {
            size_t at = lt_slice_find(line, '\t');
            row->field[i] = lt_slice_sub(line, 0, at);
            line = lt_slice_sub(line, at + 1, line.len);
        }
    }
}

void corpus_read_shared(const char *below, const char *head, struct corpus_table *ret_table)
{
    struct lt_arena a;
    lt_arena_init(&a, 4096);
    corpus_read(forge_path(&a, below), head, ret_table);
    lt_arena_done(&a);
}

void corpus_free(struct corpus_table *t)
{
    free(t->text);
    free(t->rows);
}

/* ---- judging ---- */

static struct lt_arena arena;
static struct lint_results results;
static size_t judged;

const struct lint_results *corpus_judge(const struct corpus_object *o)
{
    char label[32];
    if (judged == 0) {
        lt_arena_init(&arena, 64 << 20);
    }
    judged++;
    lt_arena_reset(&arena);
    struct lint_input in = {.kind = o->kind, .role = o->role, .profile = o->profile, .config = &o->config};
    in.as_of = lt_time_from_seconds(o->as_of * LT_SECONDS_PER_DAY);
    in.der = forge_load(&arena, o->file, label);
    lt_res r = lint_run(&in, &arena, &results);
    LT_ASSERT(!lt_failed(r));
    return &results;
}

bool corpus_has(const char *file)
{
    struct lt_arena a;
    lt_arena_init(&a, 4096);
    bool there = access(forge_path(&a, file), R_OK) == 0;
    lt_arena_done(&a);
    return there;
}

size_t corpus_judged(void)
{
    return judged;
}

static const char **ids; /* of all rules, sorted */
static size_t *places;   /* and their indices */

static int by_id(const void *a, const void *b)
{
    const size_t *x = a;
    const size_t *y = b;
    return strcmp(lint_rule_at(*x)->id, lint_rule_at(*y)->id);
}

static void index_rules(void)
{
    size_t n = lint_rule_count();
    ids = calloc(n, sizeof(*ids));
    places = calloc(n, sizeof(*places));
    LT_ASSERT(ids != NULL && places != NULL);
    for (size_t i = 0; i < n; i++) {
        places[i] = i;
    }
    qsort(places, n, sizeof(*places), by_id);
    for (size_t i = 0; i < n; i++) {
        ids[i] = lint_rule_at(places[i])->id;
    }
}

bool corpus_status(const struct lint_results *r, lt_slice rule, enum lint_status *ret_status)
{
    char key[LONGEST_NAME];
    (void)snprintf(key, sizeof(key), "%.*s", LT_FMT(rule));
    if (ids == NULL) {
        index_rules();
    }
    size_t low = 0;
    size_t high = lint_rule_count();
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(key, ids[middle]);
        if (order == 0) {
            *ret_status = r->status == NULL ? LINT_RESERVED : (enum lint_status)r->status[places[middle]];
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *ret_status = LINT_RESERVED;
    return false;
}

bool corpus_wanted(const struct corpus_options *o, lt_slice rule)
{
    return o->rule == NULL || lt_slice_starts(rule, lt_slice_cstr(o->rule));
}

void corpus_print(const struct lint_results *r, lt_slice rule, enum lint_status level)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_finding *f = &r->list[i];
        if (f->level >= level && (rule.len == 0 || lt_slice_eq_cstr(rule, f->rule->id))) {
            printf("    %s %s: %s (%s+%zu)\n", lint_status_name(f->level), f->rule->id, f->message, f->path,
                   f->offset);
        }
    }
}

/* ---- reasons ---- */

void corpus_reasons_read(const char *path, struct corpus_reasons *ret_reasons)
{
    corpus_read(path, "file\t", &ret_reasons->table);
    ret_reasons->used = calloc(ret_reasons->table.count + 1, sizeof(bool));
    ret_reasons->refuted = calloc(ret_reasons->table.count + 1, sizeof(bool));
    LT_ASSERT(ret_reasons->used != NULL && ret_reasons->refuted != NULL);
}

void corpus_reasons_free(struct corpus_reasons *x)
{
    corpus_free(&x->table);
    free(x->used);
    free(x->refuted);
}

static bool about(const struct corpus_row *row, lt_slice file, lt_slice rule)
{
    return lt_slice_eq(row->field[0], file) && lt_slice_eq(row->field[1], rule);
}

bool corpus_explained(struct corpus_reasons *x, lt_slice file, lt_slice rule, lt_slice theirs, lt_slice ours)
{
    for (size_t i = 0; i < x->table.count; i++) {
        const struct corpus_row *row = &x->table.rows[i];
        if (about(row, file, rule) && (theirs.len == 0 || lt_slice_eq(row->field[2], theirs)) &&
            (ours.len == 0 || lt_slice_eq(row->field[3], ours))) {
            x->used[i] = true;
            return true;
        }
    }
    return false;
}

void corpus_refute(struct corpus_reasons *x, lt_slice file, lt_slice rule)
{
    for (size_t i = 0; i < x->table.count; i++) {
        if (about(&x->table.rows[i], file, rule)) {
            x->refuted[i] = true;
        }
    }
}

size_t corpus_stale(const struct corpus_reasons *x)
{
    size_t stale = 0;
    for (size_t i = 0; i < x->table.count; i++) {
        if (x->refuted[i] && !x->used[i]) {
            printf("stale: %.*s\t%.*s\n", LT_FMT(x->table.rows[i].field[0]),
                   LT_FMT(x->table.rows[i].field[1]));
            stale++;
        }
    }
    return stale;
}

/* ---- figures ---- */

void corpus_figure(struct corpus_result *r, const char *name, double value)
{
    LT_ASSERT(r->count < CORPUS_FIGURES_MAX);
    r->list[r->count++] = (struct corpus_figure){name, value};
}

double corpus_percent(size_t part, size_t all)
{
    return all == 0 ? 100.0 : 100.0 * (double)part / (double)all;
}
