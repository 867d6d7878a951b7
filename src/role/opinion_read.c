/* What the foreign linter said. Its words are not trusted to be well formed, and an all-clear must be plain:
 * anything else stops the certificate. */
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "role/opinion.h"

enum { FINDINGS_MAX = 256, TEXT_MAX = 500, RULE_MAX = 128 };

static char clean_word[] = "clean";
static char findings_word[] = "findings";
static char failed_word[] = "failed";

/* zlint's results, with the numbers of enum lint_status; what is below a notice is no finding. */
static const struct {
    const char *result;
    int level;
} results[] = {
    {"NA", 0}, {"NE", 0}, {"pass", 0}, {"notice", 4}, {"info", 4}, {"warn", 5}, {"error", 6}, {"fatal", 7},
};

/* One line of printable ASCII out of whatever it is. */
static char *tidy(struct lt_arena *a, lt_slice text)
{
    char line[TEXT_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < TEXT_MAX; i++) {
        uint8_t c = text.ptr[i];
        bool blank = c == '\n' || c == '\t' || c == ' ' || c == '\r';
        if (!blank || (len > 0 && line[len - 1] != ' ')) {
            line[len++] = blank ? ' ' : c > ' ' && c <= '~' ? (char)c : '?';
        }
    }
    while (len > 0 && line[len - 1] == ' ') {
        len--;
    }
    char *copy = lt_arena_cstr(a, LT_SLICE(line, len));
    LT_ASSERT(copy != NULL); /* the arena is larger than all that is bounded here */
    return copy;
}

static char *sentence(struct lt_arena *a, const char *format, const char *what, lt_slice said)
{
    char *text = lt_arena_printf(a, "%s%s%s%s", format, what, said.len == 0 ? "" : ": ", tidy(a, said));
    LT_ASSERT(text != NULL);
    return text;
}

static void fail(struct lt_arena *a, Ipc__Opinion *o, const char *what, lt_slice said)
{
    o->outcome = failed_word;
    o->detail = sentence(a, "the second opinion ", what, said);
    o->n_findings = 0;
}

static void add_finding(struct lt_arena *a, Ipc__Opinion *o, const char *rule, const char *result,
                        const char *message)
{
    if (o->findings == NULL) {
        o->findings = LT_NEW_ARRAY(a, Ipc__Finding *, FINDINGS_MAX);
        LT_ASSERT(o->findings != NULL);
    }
    Ipc__Finding *f = o->n_findings == FINDINGS_MAX ? NULL : LT_NEW(a, Ipc__Finding);
    if (f != NULL) {
        ipc__finding__init(f);
        f->rule = tidy(a, lt_slice_sub(lt_slice_cstr(rule), 0, RULE_MAX));
        f->result = tidy(a, lt_slice_cstr(result));
        f->message = tidy(a, lt_slice_cstr(message));
        o->findings[o->n_findings++] = f;
    }
}

static int level_of(const char *result)
{
    for (size_t i = 0; i < LT_COUNT(results); i++) {
        if (strcmp(results[i].result, result) == 0) {
            return results[i].level;
        }
    }
    return -1;
}

/* {"e_…":{"result":"pass"},…}: an object of verdicts and nothing else. False: that it is not. */
static bool read_verdicts(const json_t *object, int fail_on, struct lt_arena *a, Ipc__Opinion *o)
{
    const char *rule;
    json_t *verdict;
    json_object_foreach((json_t *)(uintptr_t)object, rule, verdict)
    {
        const char *result = json_string_value(json_object_get(verdict, "result"));
        const char *details = json_string_value(json_object_get(verdict, "details"));
        int level = result == NULL ? -1 : level_of(result);
        if (level < 0) {
            return false;
        }
        if (level >= fail_on) {
            add_finding(a, o, rule, result, details == NULL ? "" : details);
        }
    }
    return json_object_size(object) > 0;
}

static void read_zlint(const struct ca_config_opinion *c, const struct opinion_end *end, struct lt_arena *a,
                       Ipc__Opinion *o)
{
    json_t *object = json_loadb((const char *)end->out.ptr, end->out.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object) || !read_verdicts(object, (int)c->fail_on, a, o)) {
        fail(a, o, "said nothing that zlint would say", end->out.len > 0 ? end->out : end->err);
    } else if (o->n_findings > 0) {
        o->outcome = findings_word;
        o->detail = sentence(a, "the second opinion finds ", o->findings[0]->rule,
                             lt_slice_cstr(o->findings[0]->message));
    } else if (end->status != 0) {
        fail(a, o, "failed without a finding", end->err);
    }
    json_decref(object);
}

static void read_status(const struct opinion_end *end, struct lt_arena *a, Ipc__Opinion *o)
{
    if (end->status == 0) {
        return;
    }
    lt_slice said = end->out.len > 0 ? end->out : end->err;
    char *status = lt_arena_printf(a, "exit-status-%d", end->status);
    LT_ASSERT(status != NULL);
    add_finding(a, o, status, "error", tidy(a, said));
    o->outcome = findings_word;
    o->detail = sentence(a, "the second opinion says no, ", status, said);
}

void opinion_read(const struct ca_config_opinion *c, const struct opinion_end *end, struct lt_arena *a,
                  Ipc__Opinion *ret_opinion)
{
    static char nothing[] = "";
    ipc__opinion__init(ret_opinion);
    ret_opinion->outcome = clean_word;
    ret_opinion->detail = nothing;
    if (end->late) {
        char *what = lt_arena_printf(a, "took longer than %lld s", (long long)c->timeout_s);
        LT_ASSERT(what != NULL);
        fail(a, ret_opinion, what, end->err);
    } else if (end->code != CLD_EXITED) {
        const char *why = end->status == SIGXFSZ ? " (it says too much)" : "";
        char *what = lt_arena_printf(a, "was ended by signal %d%s", end->status, why);
        LT_ASSERT(what != NULL);
        fail(a, ret_opinion, what, end->err);
    } else if (c->format == CA_OPINION_ZLINT) {
        read_zlint(c, end, a, ret_opinion);
    } else {
        read_status(end, a, ret_opinion);
    }
}
