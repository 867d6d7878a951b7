/* zlint's JSON for zlint's rows: one object, keys sorted, every row of that kind, NA included, "info" for a
 * notice. The words of details are ours, and they stand where zlint has some. Keys and order are made once,
 * so that an object costs little more than its bytes. */
#include <stdlib.h>
#include <string.h>

#include "cmd/lint.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct cmd_lint_zlint_row *)a)->text, ((const struct cmd_lint_zlint_row *)b)->text);
}

static const char *render(const struct cmd_lint *job, const struct lint_rule *rule, struct lt_arena *a)
{
    struct lt_buf key;
    lt_buf_init(&key, 4096);
    cmd_lint_go_string(&key, lt_slice_cstr(rule->id));
    const char *text = job->pretty
                           ? lt_arena_printf(a, "\n %.*s: {\n  \"result\": \"", LT_FMT(lt_buf_slice(&key)))
                           : lt_arena_printf(a, "%.*s:{\"result\":\"", LT_FMT(lt_buf_slice(&key)));
    lt_buf_done(&key);
    LT_ASSERT(text != NULL);
    return text;
}

void cmd_lint_zlint_rows(struct cmd_lint *job, struct lt_arena *a)
{
    for (unsigned k = 0; k < CMD_LINT_KINDS; k++) {
        struct cmd_lint_zlint_row *rows = LT_NEW_ARRAY(a, struct cmd_lint_zlint_row, job->rule_count);
        size_t n = 0;
        LT_ASSERT(rows != NULL);
        for (size_t i = 0; i < job->rule_count; i++) {
            const struct lint_rule *rule = job->rules[i];
            if (rule->zlint && job->wanted[i] && (rule->kinds >> k & 1) != 0) {
                const char *text = render(job, rule, a);
                rows[n++] = (struct cmd_lint_zlint_row){text, strlen(text), i};
            }
        }
        qsort(rows, n, sizeof(rows[0]), by_text);
        job->zlint[k] = rows;
        job->zlint_count[k] = n;
    }
}

/* The result with what closes it, for rows without details: most of what is written. */
struct word {
    lt_slice open;
    lt_slice closed;
    lt_slice pretty;
};
#define SLICE_OF(literal_)                                   \
    {                                                        \
        (const uint8_t *)("" literal_), sizeof(literal_) - 1 \
    }
#define WORD(text_)                                                           \
    {                                                                         \
        SLICE_OF(text_ "\""), SLICE_OF(text_ "\"}"), SLICE_OF(text_ "\"\n }") \
    }
static const struct word words[LINT_STATUS_COUNT] = {
    [LINT_RESERVED] = WORD("reserved"), [LINT_NA] = WORD("NA"),       [LINT_NE] = WORD("NE"),
    [LINT_PASS] = WORD("pass"),         [LINT_NOTICE] = WORD("info"), [LINT_WARN] = WORD("warn"),
    [LINT_ERROR] = WORD("error"),       [LINT_FATAL] = WORD("fatal"),
};

/* For each rule the message that goes with its verdict. */
static void gather(struct cmd_lint_worker *w, const struct lint_results *results)
{
    memset(w->messages, 0, w->job->rule_count * sizeof(w->messages[0]));
    for (size_t i = 0; i < results->count; i++) {
        size_t index;
        const struct lint_finding *f = &results->list[i];
        (void)cmd_lint_wanted(w->job, f->rule, &index); /* the rows that are shown are chosen already */
        if (w->messages[index] == NULL || f->level == (enum lint_status)results->status[index]) {
            w->messages[index] = f->message;
        }
    }
}

void cmd_lint_write_zlint(struct cmd_lint_worker *w, unsigned kind, const struct lint_results *results,
                          struct lt_buf *out)
{
    const struct cmd_lint *job = w->job;
    size_t k = (size_t)__builtin_ctz(kind);
    gather(w, results);
    lt_buf_add_byte(out, '{');
    for (size_t i = 0; i < job->zlint_count[k]; i++) {
        const struct cmd_lint_zlint_row *row = &job->zlint[k][i];
        const char *message = w->messages[row->index];
        const struct word *word = &words[results->status[row->index]];
        if (i > 0) {
            lt_buf_add_byte(out, ',');
        }
        lt_buf_add(out, LT_SLICE(row->text, row->len));
        if (message == NULL || message[0] == 0 ||
            !cmd_lint_has_details(job->rules[row->index], results->status[row->index])) {
            lt_buf_add(out, job->pretty ? word->pretty : word->closed);
            continue;
        }
        lt_buf_add(out, word->open);
        lt_buf_add_cstr(out, job->pretty ? ",\n  \"details\": " : ",\"details\":");
        cmd_lint_go_string(out, lt_slice_cstr(message));
        lt_buf_add_cstr(out, job->pretty ? "\n }" : "}");
    }
    lt_buf_add_cstr(out, job->pretty ? (job->zlint_count[k] > 0 ? "\n}\n\n\n" : "}\n\n\n") : "}\n");
}
