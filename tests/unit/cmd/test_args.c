/* The command line's options: what is taken, what is refused, and that help says all of it. */
#include "check.h"

#include "cmd/cmd.h"

static const struct cmd_option options[] = {
    {"name", "NAME", "a name", false, NULL},
    {"host", "HOST", "a host", true, NULL},
    {"kind", "WORD", "a kind", false, "one two"},
    {"yes", NULL, "do it", false, NULL},
};
static const struct cmd_verb verb = {
    .name = "thing do",
    .words = "WHAT",
    .summary = "do a thing",
    .help = "examples:\n  lintel thing do x\n",
    .options = options,
    .option_count = LT_COUNT(options),
};
const struct cmd_verb *const cmd_verbs[] = {&verb};
const size_t cmd_verb_count = 1;

enum { WORDS_MAX = 48 };

static lt_res parse(struct cmd *c, const char *line)
{
    static char text[1024];
    static char *argv[WORDS_MAX];
    int argc = 0;
    (void)snprintf(text, sizeof text, "%s", line);
    for (char *at = text; *at != 0 && argc < WORDS_MAX; argc++) {
        argv[argc] = at;
        at += strcspn(at, " ");
        if (*at == ' ') {
            *at++ = 0;
        }
    }
    *c = (struct cmd){.verb = &verb};
    return cmd_parse(&verb, argc, argv, &c->args);
}

static void taken(void **state)
{
    (void)state;
    struct cmd c;
    uint64_t n = 0;
    assert_ok(parse(&c, "x --name a --host b y --host=c --yes --kind two --dir /d"));
    assert_string_equal(cmd_value(&c, "name"), "a");
    assert_string_equal(cmd_value_nth(&c, "host", 0), "b");
    assert_string_equal(cmd_value_nth(&c, "host", 1), "c");
    assert_null(cmd_value_nth(&c, "host", 2));
    assert_string_equal(cmd_value(&c, "kind"), "two");
    assert_string_equal(cmd_value(&c, "dir"), "/d");
    assert_true(cmd_flag(&c, "yes"));
    assert_false(cmd_flag(&c, "json"));
    assert_int_equal(c.args.word_count, 2);
    assert_string_equal(c.args.words[1], "y");
    assert_string_equal(cmd_value_or(&c, "nothing", "else"), "else");
    assert_ok(parse(&c, "--name= -- --yes -x"));
    assert_string_equal(cmd_value(&c, "name"), "");
    assert_false(cmd_flag(&c, "yes"));
    assert_int_equal(c.args.word_count, 2);
    assert_ok(parse(&c, "-"));
    assert_int_equal(c.args.word_count, 1);
    assert_ok(parse(&c, "-h"));
    assert_true(cmd_flag(&c, "help"));
    assert_ok(parse(&c, "--name 17"));
    assert_ok(cmd_number(&c, "name", 5, 20, &n));
    assert_int_equal(n, 17);
    assert_ok(cmd_number(&c, "host", 5, 20, &n));
    assert_int_equal(n, 5);
    assert_fails(cmd_number(&c, "name", 5, 16, &n), LT_PEER_USAGE);
}

static void refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--nothing", "--name", "--yes=1", "--name a --name b", "--kind three", "--kind on", "-x", "--Name a",
        "--nam a",   "--",     "x -y",
    };
    struct cmd c;
    for (size_t i = 0; i < LT_COUNT(lines); i++) {
        if (strcmp(lines[i], "--") == 0) {
            assert_ok(parse(&c, lines[i]));
            continue;
        }
        assert_fails(parse(&c, lines[i]), LT_PEER_USAGE);
    }
    struct lt_buf many;
    lt_buf_init(&many, 4096);
    for (int i = 0; i < CMD_WORDS_MAX + 1; i++) {
        lt_buf_add_cstr(&many, "w ");
    }
    assert_ok(parse(&c, lt_buf_cstr(&many)));
    assert_int_equal(c.args.word_count, CMD_WORDS_MAX + 1);
    lt_buf_reset(&many);
    for (int i = 0; i < CMD_OPTIONS_MAX + 1; i++) {
        lt_buf_add_cstr(&many, "--host=h ");
    }
    assert_fails(parse(&c, lt_buf_cstr(&many)), LT_PEER_USAGE);
    lt_buf_done(&many);
}

static void help_says_all(void **state)
{
    (void)state;
    struct lt_buf out;
    lt_buf_init(&out, 65536);
    cmd_help(&verb, &out);
    const char *text = lt_buf_cstr(&out);
    static const char *const parts[] = {"lintel thing do: do a thing",
                                        "--name NAME",
                                        "--host HOST",
                                        "may be repeated",
                                        "one of: one two",
                                        "--yes",
                                        "--dir DIR",
                                        "--json",
                                        "lintel thing do x"};
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("no \"%s\" in:\n%s", parts[i], text);
        }
    }
    lt_buf_reset(&out);
    cmd_overview("thing", &out);
    assert_true(out.len > 0);
    lt_buf_reset(&out);
    cmd_overview("thin", &out);
    assert_int_equal(out.len, 0);
    lt_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken),
        cmocka_unit_test(refused),
        cmocka_unit_test(help_says_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
