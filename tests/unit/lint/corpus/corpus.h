#ifndef TESTS_UNIT_LINT_CORPUS_H
#define TESTS_UNIT_LINT_CORPUS_H
/* The linter held against what others say of the shared fixtures: zlint's own tests, a whole run of zlint,
 * pkilint's findings, certificates that break one requirement each, and real ones. Each comparison is a mode
 * of one program, which prints every difference, and its figures; as a test it holds them to floors. */
#include "lint/lint.h"

enum { CORPUS_FIELDS_MAX = 12, CORPUS_PATH_MAX = 512 };

struct corpus_options {
    const char *rule;  /* only rules that begin so; NULL: all */
    const char *table; /* zlint-run: another run, with files below lint/ ("zlint/39months.pem") */
    bool verbose;      /* findings of ours, and rules that are missing */
};

/* Lines of fields between tabs. */
struct corpus_row {
    lt_slice field[CORPUS_FIELDS_MAX];
};
struct corpus_table {
    char *text; /* owned */
    struct corpus_row *rows;
    size_t count;
};
/* Path as it is; packed by gzip or not; the first line is left out when it begins with head. Lines that begin
 * with # are left out. */
void corpus_read(const char *path, const char *head, struct corpus_table *ret_table);
void corpus_read_shared(const char *below, const char *head, struct corpus_table *ret_table);
void corpus_free(struct corpus_table *t);

/* A file and what all rules say of it; valid until the next one. */
struct corpus_object {
    const char *file; /* below lint/ */
    enum lint_kind kind;
    enum lint_role role;
    enum lint_profile profile;
    struct lint_config config;
    int64_t as_of; /* day whose rules count; 0: its own */
};
const struct lint_results *corpus_judge(const struct corpus_object *o);
/* Objects that were judged, by now. */
size_t corpus_judged(void);
bool corpus_has(const char *file);
/* Status of a rule; false when there is no such rule. */
bool corpus_status(const struct lint_results *r, lt_slice rule, enum lint_status *ret_status);
bool corpus_wanted(const struct corpus_options *o, lt_slice rule);
/* Our findings of a rule (or of all, for an empty one) at or above level, indented. */
void corpus_print(const struct lint_results *r, lt_slice rule, enum lint_status level);

/* Differences that somebody has looked at, each with its reason: file, rule, theirs, ours, reason. Of
 * pkilint: file, code, reason. One that is no more true is stale. */
struct corpus_reasons {
    struct corpus_table table;
    bool *used;
    bool *refuted;
};
void corpus_reasons_read(const char *path, struct corpus_reasons *ret_reasons);
void corpus_reasons_free(struct corpus_reasons *x);
/* Is the difference explained? Looks at the fields that are not empty. */
bool corpus_explained(struct corpus_reasons *x, lt_slice file, lt_slice rule, lt_slice theirs, lt_slice ours);
/* It was compared, and there is no difference. */
void corpus_refute(struct corpus_reasons *x, lt_slice file, lt_slice rule);
/* Rows that were refuted and never used: printed and counted. */
size_t corpus_stale(const struct corpus_reasons *x);

/* What a mode found out. */
enum { CORPUS_FIGURES_MAX = 16 };
struct corpus_figure {
    const char *name;
    double value;
};
struct corpus_result {
    struct corpus_figure list[CORPUS_FIGURES_MAX];
    size_t count;
};
void corpus_figure(struct corpus_result *r, const char *name, double value);
double corpus_percent(size_t part, size_t all);

void corpus_zlint_expect(const struct corpus_options *o, struct corpus_result *r);
void corpus_zlint_run(const struct corpus_options *o, struct corpus_result *r);
void corpus_real(const struct corpus_options *o, struct corpus_result *r);
void corpus_probes(const struct corpus_options *o, struct corpus_result *r);
void corpus_pkilint(const struct corpus_options *o, struct corpus_result *r);

#endif
