/* Called by the name zlint, the program takes zlint's flags: a link stands in for the binary. What it cannot
 * do as zlint does it, it refuses by name instead of doing something else. */
#include "cmd/lint.h"

#include <string.h>

enum { ARGS_EACH = 2, ARGS_AHEAD = 3 };

enum meaning { SWITCH, VALUE, IGNORED, REFUSED };

static const struct flag {
    const char *name;
    bool takes_value;
    enum meaning meaning;
    const char *option; /* ours, or what to do instead */
} flags[] = {
    {"pretty", false, SWITCH, "--pretty"},
    {"config", true, VALUE, "--config"},
    {"includeNames", true, VALUE, "--include"},
    {"includeSources", true, VALUE, "--include"},
    {"excludeNames", true, VALUE, "--exclude"},
    {"excludeSources", true, VALUE, "--exclude"},
    {"format", true, IGNORED, ""}, /* found out by looking */
    {"nameFilter", true, REFUSED, "lintel lint --include NAME,NAME"},
    {"profile", true, REFUSED, "lintel lint --include NAME,NAME"},
    {"summary", false, REFUSED, "lintel lint"},
    {"longSummary", false, REFUSED, "lintel lint"},
    {"list-lints-json", false, SWITCH, "--list"},
    {"h", false, SWITCH, "--help"},
    {"help", false, SWITCH, "--help"},
    {"list-lints-source", false, REFUSED, "lintel lint --list"},
    {"list-profiles", false, REFUSED, "lintel lint --help"},
    {"exampleConfig", false, REFUSED, "man lintel-lint"},
};

bool cmd_lint_is_zlint(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash != NULL ? slash + 1 : program, "zlint") == 0;
}

static const struct flag *find(lt_slice name)
{
    for (size_t i = 0; i < LT_COUNT(flags); i++) {
        if (lt_slice_eq_cstr(name, flags[i].name)) {
            return &flags[i];
        }
    }
    return NULL;
}

struct line {
    struct lt_arena *a;
    char **args;
    int count;
    bool includes_names;
    bool includes_sources;
};

static void add(struct line *l, const char *text)
{
    char *copy = lt_arena_cstr(l->a, lt_slice_cstr(text));
    LT_ASSERT(copy != NULL);
    l->args[l->count++] = copy;
}

static lt_res take(struct line *l, int argc, char **argv, int *i)
{
    lt_slice text = lt_slice_cstr(argv[*i]);
    text = lt_slice_sub(text, lt_slice_starts(text, LT_LIT("--")) ? 2 : 1, SIZE_MAX);
    size_t equals = lt_slice_find(text, '=');
    const struct flag *f = find(lt_slice_sub(text, 0, equals));
    LT_CHECK(f != NULL, LT_PEER_USAGE, "zlint has no flag %.40s", argv[*i]);
    LT_CHECK(f->meaning != REFUSED, LT_PEER_USAGE, "-%s is not done under this name; see %s", f->name,
             f->option);
    const char *value = equals < text.len ? (const char *)lt_slice_sub(text, equals + 1, SIZE_MAX).ptr : NULL;
    if (f->takes_value && value == NULL) {
        LT_CHECK(*i + 1 < argc, LT_PEER_USAGE, "-%s needs a value", f->name);
        value = argv[++*i];
    }
    l->includes_names = l->includes_names || strcmp(f->name, "includeNames") == 0;
    l->includes_sources = l->includes_sources || strcmp(f->name, "includeSources") == 0;
    LT_CHECK(!l->includes_names || !l->includes_sources, LT_PEER_USAGE,
             "-includeNames and -includeSources together are not done under this name");
    if (f->meaning == IGNORED || (!f->takes_value && value != NULL && strcmp(value, "false") == 0)) {
        return LT_OK;
    }
    add(l, f->option);
    if (f->takes_value) {
        add(l, value);
    }
    return LT_OK;
}

lt_res cmd_lint_as_zlint(struct lt_arena *a, int argc, char **argv, int *ret_argc, char ***ret_argv)
{
    struct line l = {.a = a, .args = LT_NEW_ARRAY(a, char *, (size_t)argc *ARGS_EACH + ARGS_AHEAD)};
    int i = 0;
    LT_CHECK(l.args != NULL, LT_PEER_TOO_LARGE, "too many arguments");
    add(&l, "--format");
    add(&l, "zlint");
    /* flags end at the first word that is none, or behind -- */
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != 0 && strcmp(argv[i], "--") != 0; i++) {
        LT_TRY(take(&l, argc, argv, &i));
    }
    i += i < argc && strcmp(argv[i], "--") == 0;
    add(&l, "--");
    for (; i < argc; i++) {
        l.args[l.count++] = argv[i];
    }
    *ret_argc = l.count;
    *ret_argv = l.args;
    return LT_OK;
}
