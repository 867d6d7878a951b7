/* lint_corpus MODE [--rule PREFIX] [--table FILE] [--verbose] [--check]
 *
 * MODE: zlint-expect, zlint-run, real, probes, pkilint. Prints each difference as a line of fields between
 * tabs (what, file, rule, expected, got), then the figures. --rule: only rules (of probes: ids; of pkilint:
 * codes or files) that begin so. --check: fails when a figure is worse than its floor; this is the test. */
#include "corpus.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(const struct corpus_options *o, struct corpus_result *r);
} modes[] = {
    {"zlint-expect", corpus_zlint_expect},
    {"zlint-run", corpus_zlint_run},
    {"real", corpus_real},
    {"probes", corpus_probes},
    {"pkilint", corpus_pkilint},
};

/* How good it is already; only ever raised. */
static const struct {
    const char *mode;
    const char *figure;
    bool at_most;
    double value;
} floors[] = {
    {"zlint-expect", "agree or explained, percent of all", false, 100.0},
    {"zlint-expect", "stale", true, 0.0},
    {"zlint-run", "agree or explained, percent of all", false, 100.0},
    {"zlint-run", "agree, percent of those with a rule", false, 99.9},
    {"zlint-run", "stale", true, 0.0},
    {"real", "agree or explained, percent of all", false, 100.0},
    {"real", "stale", true, 0.0},
    {"probes", "hard with an error, percent", false, 99.0},
    {"probes", "clean bases with an error", true, 0.0},
    {"probes", "real certificates with an error", true, 0.0},
    {"pkilint", "errors found or explained, percent", false, 99.0},
    {"pkilint", "clean files kept or explained, percent", false, 100.0},
    {"pkilint", "stale", true, 0.0},
};

static int check(const char *mode, const struct corpus_result *r)
{
    int bad = 0;
    for (size_t i = 0; i < LT_COUNT(floors); i++) {
        for (size_t k = 0; k < r->count; k++) {
            if (strcmp(floors[i].mode, mode) != 0 || strcmp(floors[i].figure, r->list[k].name) != 0) {
                continue;
            }
            double value = r->list[k].value;
            if (floors[i].at_most ? value > floors[i].value : value < floors[i].value) {
                printf("FAILED: %s: %g, to be at %s %g\n", floors[i].figure, value,
                       floors[i].at_most ? "most" : "least", floors[i].value);
                bad++;
            }
        }
    }
    return bad;
}

int main(int argc, char **argv)
{
    struct corpus_options o = {0};
    struct corpus_result r = {0};
    bool checked = false;
    size_t mode = LT_COUNT(modes);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            o.verbose = true;
        } else if (strcmp(argv[i], "--check") == 0) {
            checked = true;
        } else if (strcmp(argv[i], "--rule") == 0 && i + 1 < argc) {
            o.rule = argv[++i];
        } else if (strcmp(argv[i], "--table") == 0 && i + 1 < argc) {
            o.table = argv[++i];
        } else {
            for (size_t m = 0; m < LT_COUNT(modes); m++) {
                mode = strcmp(argv[i], modes[m].name) == 0 ? m : mode;
            }
        }
    }
    if (mode == LT_COUNT(modes)) {
        fprintf(stderr, "usage: lint_corpus zlint-expect|zlint-run|real|probes|pkilint [--rule PREFIX] "
                        "[--verbose] [--check]\n");
        return 2;
    }
    modes[mode].run(&o, &r);
    for (size_t i = 0; i < r.count; i++) {
        printf("%-45s %10.10g\n", r.list[i].name, r.list[i].value);
    }
    return checked && check(modes[mode].name, &r) > 0 ? 1 : 0;
}
