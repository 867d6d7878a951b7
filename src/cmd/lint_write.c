/* Findings for people, and one JSON object a line for programs. */
#include "base/text.h"
#include "cmd/lint.h"

/* In the order in which they are shown. */
static const struct {
    enum lint_status level;
    const char *one;
    const char *many;
    const char *colour;
} levels[] = {
    {LINT_FATAL, "fatal", "fatal", "\033[1;31m"},
    {LINT_ERROR, "error", "errors", "\033[31m"},
    {LINT_WARN, "warning", "warnings", "\033[33m"},
    {LINT_NOTICE, "notice", "notices", "\033[36m"},
};

static void colour(const struct cmd_lint *job, const char *sequence, struct lt_buf *out)
{
    if (job->colour) {
        lt_buf_add_cstr(out, sequence);
    }
}

static void say_counts(const size_t *counts, struct lt_buf *out)
{
    const char *between = "";
    for (size_t i = 0; i < LT_COUNT(levels); i++) {
        size_t n = counts[levels[i].level];
        if (n > 0) {
            lt_buf_addf(out, "%s%zu %s", between, n, n == 1 ? levels[i].one : levels[i].many);
            between = ", ";
        }
    }
}

static void say_finding(const struct lint_finding *f, struct lt_buf *out)
{
    const struct lint_rule *r = f->rule;
    lt_buf_addf(out, "    %s\n      ", r->id);
    cmd_lint_plain(out, lt_slice_cstr(f->message != NULL && f->message[0] != 0 ? f->message : r->asks));
    lt_buf_addf(out, "\n      asks:  %s\n      from:  %s%s%s%s, %s\n", r->asks != NULL ? r->asks : "",
                r->citation != NULL ? r->citation : "", r->formerly != NULL ? " (formerly " : "",
                r->formerly != NULL ? r->formerly : "", r->formerly != NULL ? ")" : "",
                lint_source_name(r->source));
    lt_buf_add_cstr(out, "      at:    ");
    cmd_lint_plain(out, lt_slice_cstr(f->path));
    lt_buf_addf(out, ", offset %zu, %zu bytes\n", f->offset, f->len);
}

void cmd_lint_write_text(const struct cmd_lint *job, const char *name, const struct lint_results *results,
                         struct lt_buf *out)
{
    size_t counts[LINT_STATUS_COUNT] = {0};
    for (size_t i = 0; i < results->count; i++) {
        counts[results->list[i].level]++;
    }
    cmd_lint_plain(out, lt_slice_cstr(name));
    if (results->count == 0 && results->dropped == 0) {
        lt_buf_add_cstr(out, ": ");
        colour(job, "\033[32m", out);
        lt_buf_add_cstr(out, "clean");
        colour(job, "\033[0m", out);
        lt_buf_add_byte(out, '\n');
        return;
    }
    lt_buf_add_cstr(out, ": ");
    say_counts(counts, out);
    lt_buf_add_byte(out, '\n');
    for (size_t l = 0; l < LT_COUNT(levels); l++) {
        if (counts[levels[l].level] == 0) {
            continue;
        }
        lt_buf_add_cstr(out, "  ");
        colour(job, levels[l].colour, out);
        lt_buf_add_cstr(out, counts[levels[l].level] == 1 ? levels[l].one : levels[l].many);
        colour(job, "\033[0m", out);
        lt_buf_add_cstr(out, ":\n");
        for (size_t i = 0; i < results->count; i++) {
            if (results->list[i].level == levels[l].level) {
                say_finding(&results->list[i], out);
            }
        }
    }
    if (results->dropped > 0) {
        lt_buf_addf(out, "  and %zu more, which are not kept\n", results->dropped);
    }
}

static void add_member(struct lt_buf *out, const char *name, const char *value)
{
    lt_buf_addf(out, ",\"%s\":", name);
    lt_json_add_string(out, lt_slice_cstr(value));
}

void cmd_lint_write_json(const struct cmd_lint *job, const char *name, const struct lint_results *results,
                         struct lt_buf *out)
{
    (void)job; /* the same arguments for every format */
    lt_buf_add_cstr(out, "{\"file\":");
    lt_json_add_string(out, lt_slice_cstr(name));
    add_member(out, "worst", lint_status_name(results->worst));
    lt_buf_add_cstr(out, ",\"findings\":[");
    for (size_t i = 0; i < results->count; i++) {
        lt_buf_add_cstr(out, i > 0 ? "," : "");
        lint_finding_json(&results->list[i], out);
    }
    lt_buf_add_cstr(out, "]}\n");
}

void cmd_lint_summary(const struct cmd_lint_tally *t, struct lt_buf *out)
{
    size_t clean = t->worst[LINT_PASS];
    lt_buf_addf(out, "\n%zu %s in %zu %s: %zu clean", t->objects, t->objects == 1 ? "object" : "objects",
                t->files, t->files == 1 ? "file" : "files", clean);
    static const struct {
        enum lint_status level;
        const char *text;
    } rows[] = {{LINT_NOTICE, "with notices at most"},
                {LINT_WARN, "with warnings at most"},
                {LINT_ERROR, "with errors"},
                {LINT_FATAL, "with fatal findings"}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (t->worst[rows[i].level] > 0) {
            lt_buf_addf(out, ", %zu %s", t->worst[rows[i].level], rows[i].text);
        }
    }
    if (t->unreadable > 0) {
        lt_buf_addf(out, "; %zu unreadable", t->unreadable);
    }
    lt_buf_add_byte(out, '\n');
}
