/* zlint's own tests, and whole runs of it: the same status of each rule for each file. Rules that do not
 * exist yet are counted apart. */
#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of all modes end up here. */
struct tally {
    const struct corpus_options *options;
    struct corpus_reasons reasons;
    size_t rows;
    size_t agree;
    size_t explained;
    size_t differ;
    size_t missing; /* no such rule */
    size_t extra;   /* status of ours that the run does not list */
};

static enum lint_kind kind_of(lt_slice word)
{
    return lt_slice_eq_cstr(word, "crl")    ? LINT_CRL
           : lt_slice_eq_cstr(word, "ocsp") ? LINT_OCSP
                                            : LINT_CERTIFICATE;
}

static bool has(lt_slice text, const char *part)
{
    char buf[512];
    (void)snprintf(buf, sizeof(buf), "%.*s", LT_FMT(text));
    return strstr(buf, part) != NULL;
}

/* zlint's TOML, as far as its tests use it. */
static struct lint_config config_of(lt_slice toml)
{
    struct lint_config c = lint_config_default();
    bool on = has(toml, "= true");
    if (has(toml, "CrossSignedCa")) {
        c.cross_signed_ca = on;
    } else if (has(toml, "e_ca_multiple_reserved_policy_oids")) {
        c.reserved_oids_cross_cert = on;
    } else if (has(toml, "e_subj_orgunit_in_ca_cert")) {
        c.subject_ou_cross_cert = on;
    } else if (has(toml, "SubscriberCRL")) {
        c.crl_of_subscribers = on;
    } else if (has(toml, "e_subj_contains_html_entities")) {
        c.html_entities_skip = on;
    }
    return c;
}

static lt_slice without(lt_slice file, const char *folder)
{
    lt_slice f = lt_slice_cstr(folder);
    return lt_slice_starts(file, f) ? lt_slice_sub(file, f.len, file.len) : file;
}

static void compare(struct tally *t, const struct lint_results *r, lt_slice file, lt_slice rule,
                    lt_slice theirs)
{
    file = without(without(file, "zlint/"), "real/");
    enum lint_status ours = LINT_RESERVED;
    t->rows++;
    if (!corpus_status(r, rule, &ours)) {
        t->missing++;
        if (t->options->verbose) {
            printf("missing\t%.*s\t%.*s\t%.*s\n", LT_FMT(file), LT_FMT(rule), LT_FMT(theirs));
        }
        return;
    }
    const char *word = lint_status_name(ours);
    if (lt_slice_eq_cstr(theirs, word)) {
        t->agree++;
        corpus_refute(&t->reasons, file, rule);
    } else if (corpus_explained(&t->reasons, file, rule, theirs, lt_slice_cstr(word))) {
        t->explained++;
    } else {
        t->differ++;
        printf("differs\t%.*s\t%.*s\t%.*s\t%s\n", LT_FMT(file), LT_FMT(rule), LT_FMT(theirs), word);
        if (t->options->verbose) {
            corpus_print(r, rule, LINT_NOTICE);
        }
    }
}

static void begin(struct tally *t, const struct corpus_options *o)
{
    memset(t, 0, sizeof(*t));
    t->options = o;
    corpus_reasons_read(ZLINT_WRONG, &t->reasons);
}

static void end(struct tally *t, struct corpus_result *r)
{
    size_t known = t->rows - t->missing;
    corpus_figure(r, "pairs", (double)t->rows);
    corpus_figure(r, "pairs of rules that are missing", (double)t->missing);
    corpus_figure(r, "agree", (double)t->agree);
    corpus_figure(r, "explained", (double)t->explained);
    corpus_figure(r, "differ", (double)t->differ);
    corpus_figure(r, "agree or explained, percent of all", corpus_percent(t->agree + t->explained, t->rows));
    corpus_figure(r, "agree, percent of those with a rule", corpus_percent(t->agree, known));
    corpus_figure(r, "stale", (double)corpus_stale(&t->reasons));
    corpus_reasons_free(&t->reasons);
}

void corpus_zlint_expect(const struct corpus_options *o, struct corpus_result *r)
{
    struct corpus_table table;
    struct tally t;
    begin(&t, o);
    corpus_read_shared("zlint-expect.tsv", "file\tlint", &table);
    for (size_t i = 0; i < table.count; i++) {
        const lt_slice *field = table.rows[i].field;
        if (!corpus_wanted(o, field[1]) || !lt_slice_eq_cstr(field[6], "yes")) {
            continue; /* what zlint's tests do not assert is no expectation */
        }
        char path[CORPUS_PATH_MAX];
        (void)snprintf(path, sizeof(path), "zlint/%.*s", LT_FMT(field[0]));
        struct corpus_object object = {
            .file = path, .kind = kind_of(field[4]), .config = config_of(field[3])};
        compare(&t, corpus_judge(&object), field[0], field[1], field[2]);
    }
    corpus_free(&table);
    end(&t, r);
}

/* ---- whole runs ---- */

static int by_slice(const void *a, const void *b)
{
    const lt_slice *x = a;
    const lt_slice *y = b;
    return lt_slice_cmp(*x, *y);
}

/* The rules that the run names at all, sorted, each once. */
static lt_slice *rules_of(const struct corpus_table *table, size_t *ret_count)
{
    lt_slice *list = calloc(table->count + 1, sizeof(*list));
    LT_ASSERT(list != NULL);
    size_t n = 0;
    for (size_t i = 0; i < table->count; i++) {
        list[i] = table->rows[i].field[2];
    }
    qsort(list, table->count, sizeof(*list), by_slice);
    for (size_t i = 0; i < table->count; i++) {
        if (n == 0 || !lt_slice_eq(list[n - 1], list[i])) {
            list[n++] = list[i];
        }
    }
    *ret_count = n;
    return list;
}

/* Statuses of ours for rules that the run knows, but not for this file: NA to zlint, or left out. */
static void extras(struct tally *t, const struct lint_results *r, const struct corpus_row *rows, size_t count,
                   const lt_slice *rules, size_t rule_count)
{
    for (size_t k = 0; k < rule_count; k++) {
        enum lint_status ours = LINT_RESERVED;
        if (!corpus_wanted(t->options, rules[k]) || !corpus_status(r, rules[k], &ours) || ours == LINT_NA ||
            ours == LINT_RESERVED) {
            continue;
        }
        size_t i = 0;
        while (i < count && !lt_slice_eq(rows[i].field[2], rules[k])) {
            i++;
        }
        if (i == count) {
            t->extra++;
            if (t->options->verbose) {
                printf("unlisted\t%.*s\t%.*s\t-\t%s\n", LT_FMT(rows[0].field[0]), LT_FMT(rules[k]),
                       lint_status_name(ours));
            }
        }
    }
}

static void run(const struct corpus_options *o, const char *below, const char *folder,
                struct corpus_result *r)
{
    struct corpus_table table;
    struct tally t;
    size_t rule_count = 0;
    begin(&t, o);
    if (o->table != NULL) {
        corpus_read(o->table, "file\tkind", &table);
        folder = ".";
    } else {
        corpus_read_shared(below, "file\tkind", &table);
    }
    lt_slice *rules = rules_of(&table, &rule_count);
    size_t next = 0;
    size_t absent = 0;
    for (size_t i = 0; i < table.count; i = next) {
        const struct corpus_row *rows = &table.rows[i];
        for (next = i; next < table.count && lt_slice_eq(table.rows[next].field[0], rows->field[0]);) {
            next++;
        }
        char path[CORPUS_PATH_MAX];
        (void)snprintf(path, sizeof(path), "%s/%.*s", folder, LT_FMT(rows->field[0]));
        if (!corpus_has(path)) {
            absent++;
            continue;
        }
        struct corpus_object object = {
            .file = path, .kind = kind_of(rows->field[1]), .config = lint_config_default()};
        const struct lint_results *ours = corpus_judge(&object);
        for (size_t k = i; k < next; k++) {
            if (corpus_wanted(o, table.rows[k].field[2])) {
                compare(&t, ours, rows->field[0], table.rows[k].field[2], table.rows[k].field[3]);
            }
        }
        extras(&t, ours, rows, next - i, rules, rule_count);
    }
    free(rules);
    corpus_free(&table);
    corpus_figure(r, "files", (double)corpus_judged());
    corpus_figure(r, "files that are in the run alone", (double)absent);
    corpus_figure(r, "statuses that the run does not list", (double)t.extra);
    end(&t, r);
}

void corpus_zlint_run(const struct corpus_options *o, struct corpus_result *r)
{
    run(o, "zlint-run.tsv.gz", "zlint", r);
}

void corpus_real(const struct corpus_options *o, struct corpus_result *r)
{
    run(o, "real/zlint-matrix.tsv.gz", "real", r);
}
