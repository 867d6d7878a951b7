/* Certificates that break one requirement each must have an error; the clean ones that they were made from,
 * and real ones, must have none. Role and profile are guessed. */
#include "corpus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../forge.h"

enum { FILES_MAX = 512 };

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every file of a folder must be without error. Returns how many have one. */
static size_t clean_folder(const char *folder, size_t *ret_files)
{
    static char names[FILES_MAX][CORPUS_PATH_MAX];
    struct lt_arena a;
    size_t count = 0;
    size_t bad = 0;
    lt_arena_init(&a, 4096);
    DIR *dir = opendir(forge_path(&a, folder));
    LT_ASSERT(dir != NULL);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            LT_ASSERT(count < FILES_MAX);
            (void)snprintf(names[count++], CORPUS_PATH_MAX, "%s/%.200s", folder, e->d_name);
        }
    }
    (void)closedir(dir); /* only read */
    lt_arena_done(&a);
    qsort(names, count, CORPUS_PATH_MAX, by_text);
    for (size_t i = 0; i < count; i++) {
        struct corpus_object object = {
            .file = names[i], .kind = LINT_CERTIFICATE, .config = lint_config_default()};
        const struct lint_results *r = corpus_judge(&object);
        if (r->worst >= LINT_ERROR) {
            printf("false alarm\t%s\n", names[i]);
            corpus_print(r, (lt_slice){0}, LINT_ERROR);
            bad++;
        }
    }
    *ret_files = count;
    return bad;
}

static void print_miss(const struct corpus_options *o, const struct corpus_row *row,
                       const struct lint_results *r)
{
    const lt_slice *f = row->field;
    printf("miss\t%.*s\t%.*s\t%.*s\t%s\t%.*s\tzlint: %.*s\tpkilint: %.*s %.*s\n", LT_FMT(f[0]), LT_FMT(f[3]),
           LT_FMT(f[4]), lint_status_name(r->worst), LT_FMT(f[6]), LT_FMT(f[8]), LT_FMT(f[9]), LT_FMT(f[10]));
    if (o->verbose) {
        corpus_print(r, (lt_slice){0}, LINT_NOTICE);
    }
}

/* Does a rule say more than it does of the clean base? Some warnings stand on every certificate. */
static bool more_than_base(const struct lint_results *r, const uint8_t *base)
{
    for (size_t i = 0; r->status != NULL && i < lint_rule_count(); i++) {
        if (r->status[i] >= LINT_NOTICE && r->status[i] > base[i]) {
            return true;
        }
    }
    return false;
}

static void judge_base(lt_slice name, uint8_t *ret_status)
{
    char path[CORPUS_PATH_MAX];
    (void)snprintf(path, sizeof(path), "probes/base/%.*s.pem", LT_FMT(name));
    struct corpus_object object = {.file = path, .kind = LINT_CERTIFICATE, .config = lint_config_default()};
    const struct lint_results *r = corpus_judge(&object);
    LT_ASSERT(r->status != NULL);
    memcpy(ret_status, r->status, lint_rule_count());
}

void corpus_probes(const struct corpus_options *o, struct corpus_result *ret)
{
    struct corpus_table table;
    size_t all[2] = {0, 0}; /* soft, hard */
    size_t found[2] = {0, 0};
    uint8_t *base_status = calloc(1, lint_rule_count());
    LT_ASSERT(base_status != NULL);
    corpus_read_shared("probes.tsv", "id\tfile", &table);
    for (size_t i = 0; i < table.count; i++) {
        const struct corpus_row *row = &table.rows[i];
        bool hard = lt_slice_eq_cstr(row->field[5], "error");
        if (lt_slice_eq_cstr(row->field[5], "-") || (o->rule != NULL && !corpus_wanted(o, row->field[0]))) {
            continue;
        }
        char path[CORPUS_PATH_MAX];
        (void)snprintf(path, sizeof(path), "probes/%.*s", LT_FMT(row->field[1]));
        struct corpus_object object = {
            .file = path, .kind = LINT_CERTIFICATE, .config = lint_config_default()};
        judge_base(row->field[2], base_status);
        const struct lint_results *r = corpus_judge(&object);
        all[hard]++;
        if (hard ? r->worst >= LINT_ERROR : more_than_base(r, base_status)) {
            found[hard]++;
            if (o->verbose) {
                printf("found\t%.*s\n", LT_FMT(row->field[0]));
                corpus_print(r, (lt_slice){0}, LINT_WARN);
            }
        } else {
            print_miss(o, row, r);
        }
    }
    corpus_free(&table);
    free(base_status);
    size_t base = 0;
    size_t chains = 0;
    size_t base_bad = clean_folder("probes/base", &base);
    size_t chains_bad = clean_folder("real/chains", &chains);
    corpus_figure(ret, "hard probes", (double)all[1]);
    corpus_figure(ret, "hard with an error", (double)found[1]);
    corpus_figure(ret, "hard with an error, percent", corpus_percent(found[1], all[1]));
    corpus_figure(ret, "soft probes", (double)all[0]);
    corpus_figure(ret, "soft with a finding", (double)found[0]);
    corpus_figure(ret, "clean bases", (double)base);
    corpus_figure(ret, "clean bases with an error", (double)base_bad);
    corpus_figure(ret, "real certificates", (double)chains);
    corpus_figure(ret, "real certificates with an error", (double)chains_bad);
}
