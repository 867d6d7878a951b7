/* lintel: finds the verb, parses its options, runs it, and says in one line on standard error why it failed:
 * what, where, and what to do. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/cmd.h"
#include "cmd/lint.h"
#include "cmd/verbs.h"

static const char intro[] = "lintel: a certificate authority\n"
                            "\n"
                            "usage: lintel VERB [options]      lintel VERB --help      lintel --version\n"
                            "\n";
static const char outro[] =
    "\n"
    "The CA folder is given by --dir DIR or LINTEL_DIR. Every verb takes --json.\n"
    "Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by policy, 5 not available now,\n"
    "6 it ran and found something (doctor, audit verify). lint: 0 clean, 1 findings, 2 unreadable.\n"
    "\n"
    "examples:\n"
    "  lintel init /srv/ca && lintel serve /srv/ca\n"
    "  LINTEL_DIR=/srv/ca lintel cert list --suffix example.com\n";

static int print_all(struct lt_buf *out)
{
    lt_res r = cmd_print(lt_buf_slice(out));
    lt_buf_done(out);
    return lt_failed(r) ? CMD_FAILED : CMD_DONE;
}

static int help_for(const char *prefix)
{
    struct lt_buf out;
    lt_buf_init(&out, 1 << 20);
    lt_buf_add_cstr(&out, intro);
    cmd_overview(prefix, &out);
    lt_buf_add_cstr(&out, outro);
    return print_all(&out);
}

/* How many words of the command line are the verb's name; 0: they are not. */
static int words_of(const char *name, int argc, char **argv)
{
    lt_slice rest = lt_slice_cstr(name);
    lt_slice word;
    int used = 0;
    while (lt_slice_split(&rest, ' ', &word)) {
        if (used >= argc || !lt_slice_eq_cstr(word, argv[used])) {
            return 0;
        }
        used++;
    }
    return used;
}

/* The verb whose words begin the command line; longest first, as "cert list" is two words. */
static const struct cmd_verb *find_verb(int argc, char **argv, int *ret_used)
{
    const struct cmd_verb *best = NULL;
    int most = 0;
    for (size_t i = 0; i < cmd_verb_count; i++) {
        int used = words_of(cmd_verbs[i]->name, argc, argv);
        if (used > most) {
            best = cmd_verbs[i];
            most = used;
            *ret_used = used;
        }
    }
    return best;
}

static enum cmd_exit exit_of(int code)
{
    static const struct {
        int code;
        enum cmd_exit status;
    } rows[] = {
        {LT_PEER_USAGE, CMD_USAGE},
        {LT_PEER_NOT_FOUND, CMD_NOT_FOUND},
        {LT_PEER_UNAUTHORIZED, CMD_REFUSED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].code == code) {
            return rows[i].status;
        }
    }
    switch (lt_class_of(code)) {
    case LT_CLASS_OK:
        return CMD_DONE;
    case LT_CLASS_POLICY:
        return CMD_REFUSED;
    case LT_CLASS_RETRY:
        return CMD_UNAVAILABLE;
    case LT_CLASS_PEER:
    case LT_CLASS_STATE:
        break;
    }
    return CMD_FAILED;
}

static int report(const struct cmd *c, lt_res r)
{
    if (!lt_failed(r)) {
        return c->exit_status != 0 ? c->exit_status : c->findings != 0 ? CMD_FINDINGS : CMD_DONE;
    }
    if (r.code == LT_STATE_CLOSED && ferror(stdout) != 0) {
        return CMD_FAILED; /* quietly: cmd_print found nobody there to read */
    }
    struct lt_buf out;
    lt_buf_init(&out, 8192);
    if (c->json) {
        lt_buf_addf(&out, "{\"error\":\"%s\",\"detail\":", lt_code_name(r.code));
        lt_json_add_string(&out, lt_slice_cstr(lt_error_last()->detail));
        lt_buf_add_cstr(&out, "}\n");
    } else {
        lt_buf_addf(&out, "lintel %s: %s\n", c->verb->name, lt_error_last()->detail);
    }
    (void)fwrite(out.ptr, 1, out.len, stderr); /* there is nowhere else to say it */
    lt_buf_done(&out);
    return (int)exit_of(r.code);
}

static lt_res run(struct cmd *c, int argc, char **argv)
{
    LT_TRY(cmd_parse(c->verb, argc, argv, &c->args));
    c->json = cmd_flag(c, "json");
    if (cmd_flag(c, "help")) {
        struct lt_buf out;
        lt_buf_init(&out, 1 << 20);
        cmd_help(c->verb, &out);
        return print_all(&out) == CMD_DONE ? LT_OK : (lt_res){LT_STATE_IO};
    }
    LT_CHECK(c->args.word_count >= c->verb->words_least && c->args.word_count <= c->verb->words_most,
             LT_PEER_USAGE, "usage: lintel %s %s; see lintel %s --help", c->verb->name, c->verb->words,
             c->verb->name);
    LT_TRY(cmd_drill_time(c));
    return c->verb->run(c);
}

/* "lintel cert" has verbs below it; "lintel foo" has none. */
static int unknown(int argc, char **argv)
{
    struct lt_buf below;
    lt_buf_init(&below, 1 << 20);
    cmd_overview(argv[1], &below);
    bool family = below.len > 0;
    bool asked = family && argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    lt_buf_done(&below);
    if (!asked) {
        (void)fprintf(stderr, "lintel: %.40s%s%.40s: %s\n", argv[1], argc > 2 ? " " : "",
                      argc > 2 ? argv[2] : "", family ? "which of these?" : "there is no such verb");
    }
    (void)help_for(family ? argv[1] : ""); /* the status says it already */
    return asked ? CMD_DONE : CMD_USAGE;
}

/* zlint ends with 0 whatever it finds, and with 1 when it cannot read something. */
static int main_as_zlint(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "-version") == 0 || strcmp(argv[1], "--version") == 0)) {
        return lt_failed(cmd_printf("ZLint version lintel-%s\n", lt_version)) ? CMD_FAILED : CMD_DONE;
    }
    struct cmd c = {.verb = &cmd_lint, .now = lt_now()};
    lt_arena_init(&c.arena, CMD_ARENA_MAX);
    lt_res r = cmd_lint_as_zlint(&c.arena, argc - 1, argv + 1, &argc, &argv);
    r = lt_failed(r) ? r : run(&c, argc, argv);
    int status = report(&c, r);
    bool found = !lt_failed(r) && status == CMD_FAILED;
    lt_arena_done(&c.arena);
    return status == CMD_DONE || found ? CMD_DONE : CMD_FAILED;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write */
    lt_log_init("lintel", LT_LOG_TEXT, LT_LOG_WARN);
    if (argc > 0 && cmd_lint_is_zlint(argv[0])) {
        return main_as_zlint(argc, argv);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return lt_failed(cmd_printf("lintel %s\n", lt_version)) ? CMD_FAILED : CMD_DONE;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        (void)help_for("");
        return argc < 2 ? CMD_USAGE : CMD_DONE;
    }
    int used = 0;
    struct cmd c = {.verb = find_verb(argc - 1, argv + 1, &used), .now = lt_now()};
    if (c.verb == NULL) {
        return unknown(argc, argv);
    }
    lt_arena_init(&c.arena, CMD_ARENA_MAX);
    int status = report(&c, run(&c, argc - 1 - used, argv + 1 + used));
    lt_arena_done(&c.arena);
    return status;
}
