/* Options by table: "--name value", "--name=value", "--flag", "--" ends them, anywhere on the line. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/cmd.h"

const struct cmd_option cmd_common[] = {
    {"dir", "DIR", "the CA folder (default: $LINTEL_DIR, or the current folder)", false, NULL},
    {"json", NULL, "one JSON document on standard output", false, NULL},
    {"help", NULL, "this text", false, NULL},
};
const size_t cmd_common_count = LT_COUNT(cmd_common);

static const struct cmd_option *find_in(const struct cmd_option *table, size_t count, lt_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq_cstr(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

static bool word_in(const char *words, const char *value)
{
    lt_slice rest = lt_slice_cstr(words);
    lt_slice word;
    while (lt_slice_split(&rest, ' ', &word)) {
        if (lt_slice_eq_cstr(word, value)) {
            return true;
        }
    }
    return false;
}

static lt_res take_option(const struct cmd_verb *verb, int argc, char **argv, int *i, struct cmd_args *a)
{
    lt_slice rest = lt_slice_cstr(argv[*i] + 2);
    lt_slice name = lt_slice_sub(rest, 0, lt_slice_find(rest, '='));
    const struct cmd_option *o = find_in(verb->options, verb->option_count, name);
    o = o != NULL ? o : find_in(cmd_common, cmd_common_count, name);
    LT_CHECK(o != NULL, LT_PEER_USAGE, "lintel %s knows no option --%.*s; see lintel %s --help", verb->name,
             LT_FMT(name), verb->name);
    LT_CHECK(a->found_count < CMD_OPTIONS_MAX, LT_PEER_USAGE, "more than %d options", CMD_OPTIONS_MAX);
    const char *value = name.len < rest.len ? argv[*i] + 2 + name.len + 1 : NULL;
    LT_CHECK(o->metavar != NULL || value == NULL, LT_PEER_USAGE, "--%s takes no value", o->name);
    if (o->metavar != NULL && value == NULL) {
        LT_CHECK(*i + 1 < argc, LT_PEER_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->metavar);
        value = argv[++*i];
    }
    LT_CHECK(o->words == NULL || word_in(o->words, value), LT_PEER_USAGE, "--%s: \"%.40s\" is none of: %s",
             o->name, value, o->words);
    for (size_t k = 0; k < a->found_count && !o->repeats && o->metavar != NULL; k++) {
        LT_CHECK(a->found[k] != o, LT_PEER_USAGE, "--%s is given twice", o->name);
    }
    a->found[a->found_count] = o;
    a->values[a->found_count++] = value;
    return LT_OK;
}

lt_res cmd_parse(const struct cmd_verb *verb, int argc, char **argv, struct cmd_args *ret_args)
{
    struct cmd_args a = {.words = argv};
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strcmp(argv[i], "-h") == 0) {
            char help[] = "--help";
            char *one[] = {help};
            int at = 0;
            LT_TRY(take_option(verb, 1, one, &at, &a));
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            LT_TRY(take_option(verb, argc, argv, &i, &a));
        } else {
            LT_CHECK(only_words || argv[i][0] != '-' || argv[i][1] == 0, LT_PEER_USAGE,
                     "%.40s: options are written --name; see lintel %s --help", argv[i], verb->name);
            a.words[a.word_count++] = argv[i]; /* never ahead of i */
        }
    }
    *ret_args = a;
    return LT_OK;
}

const char *cmd_value_nth(const struct cmd *c, const char *name, size_t index)
{
    for (size_t i = 0; i < c->args.found_count; i++) {
        if (strcmp(c->args.found[i]->name, name) == 0 && index-- == 0) {
            return c->args.values[i];
        }
    }
    return NULL;
}

const char *cmd_value(const struct cmd *c, const char *name)
{
    return cmd_value_nth(c, name, 0);
}

const char *cmd_value_or(const struct cmd *c, const char *name, const char *otherwise)
{
    const char *value = cmd_value(c, name);
    return value != NULL ? value : otherwise;
}

bool cmd_flag(const struct cmd *c, const char *name)
{
    for (size_t i = 0; i < c->args.found_count; i++) {
        if (strcmp(c->args.found[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

lt_res cmd_number(const struct cmd *c, const char *name, uint64_t otherwise, uint64_t most,
                  uint64_t *ret_number)
{
    const char *text = cmd_value(c, name);
    *ret_number = otherwise;
    if (text == NULL) {
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(text), most, ret_number)), LT_PEER_USAGE,
             "--%s: \"%.40s\" is no number up to %llu", name, text, (unsigned long long)most);
    return LT_OK;
}

static void help_options(const struct cmd_option *table, size_t count, struct lt_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", table[i].name, table[i].metavar != NULL ? " " : "",
                       table[i].metavar != NULL ? table[i].metavar : "");
        lt_buf_addf(out, "  %-26s %s%s\n", left, table[i].help, table[i].repeats ? "; may be repeated" : "");
        if (table[i].words != NULL) {
            lt_buf_addf(out, "  %-26s   one of: %s\n", "", table[i].words);
        }
    }
}

void cmd_help(const struct cmd_verb *verb, struct lt_buf *out)
{
    lt_buf_addf(out, "lintel %s: %s\n\nusage: lintel %s%s%s [options]\n\n%s\noptions:\n", verb->name,
                verb->summary, verb->name, verb->words[0] != 0 ? " " : "", verb->words, verb->help);
    help_options(verb->options, verb->option_count, out);
    help_options(cmd_common, cmd_common_count, out);
}

void cmd_overview(const char *prefix, struct lt_buf *out)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < cmd_verb_count; i++) {
        const struct cmd_verb *v = cmd_verbs[i];
        if (strncmp(v->name, prefix, len) == 0 && (len == 0 || v->name[len] == ' ')) {
            lt_buf_addf(out, "  %-22s %s\n", v->name, v->summary);
        }
    }
}
