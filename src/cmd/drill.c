/* lintel drill list, show, run, score, load, serve: incidents of the record, once more, on a scratch CA with
 * a clock of its own, by the verbs that people use on the day. */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/drill.h"
#include "cmd/verbs.h"

enum {
    CERTIFICATES_DEFAULT = 2000,
    CERTIFICATES_MAX = 20000000,
    SPEED_MAX = 1000000,
    SETTLE_S = 5,
    REACTING = 97,
    OPEN_FILES = 16
};

/* ---- what there is ---- */

static lt_res list_one(struct cmd *c, const struct drill_shipped *one, json_t *list)
{
    struct drill_scenario s;
    LT_TRY(drill_parse(one->name, lt_slice_cstr(one->text), &s));
    json_t *modes = json_array();
    LT_ASSERT(modes != NULL);
    for (uint32_t i = 0; i < s.mode_count; i++) {
        LT_ASSERT(json_array_append_new(modes, json_string(s.modes[i])) == 0);
    }
    json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "name", s.name, "title", s.title, "what",
                            s.what, "steps", (int)s.step_count, "measures", (int)s.measure_count, "questions",
                            (int)s.question_count, "modes", modes);
    LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    lt_res r = c->json ? LT_OK : cmd_printf("%-24s %s\n", s.name, s.title);
    drill_scenario_done(&s);
    return r;
}

static lt_res run_list(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = json_pack("{s:[]}", "scenarios");
    LT_ASSERT(answer != NULL);
    for (size_t i = 0; i < drill_shipped_count; i++) {
        if (strncmp(drill_shipped[i].name, "part-", 5) == 0) {
            continue;
        }
        LT_TRY(list_one(c, &drill_shipped[i], json_object_get(answer, "scenarios")));
    }
    return c->json ? cmd_print_json(answer) : LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    lt_slice text;
    struct drill_scenario s;
    LT_TRY(drill_find(c, c->args.words[0], &text));
    LT_TRY(drill_parse(c->args.words[0], text, &s));
    drill_scenario_done(&s);
    return cmd_print(text);
}

/* ---- one drill ---- */

static lt_res drill_init(struct cmd *c, struct drill *d)
{
    *d = (struct drill){.c = c, .inner = *c, .mode = "", .clock_fd = -1, .log_fd = -1};
    d->inner.args = (struct cmd_args){.words = c->args.words};
    d->inner.json = true;
    lt_arena_init(&d->inner.arena, CMD_ARENA_MAX);
    d->kept = json_object();
    LT_ASSERT(d->kept != NULL);
    (void)signal(SIGINT, SIG_DFL);
    return LT_OK;
}

static void drill_free(struct drill *d)
{
    drill_family_stop(d);
    drill_log_done(d);
    json_decref(d->kept);
    lt_arena_done(&d->inner.arena);
    lt_clock_use(NULL);
    drill_scenario_done(&d->scenario);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s;
    (void)type;
    (void)ftw;
    return remove(path);
}

static lt_res absolute(struct cmd *c, const char *path, const char **ret_path)
{
    char here[PATH_MAX];
    LT_CHECK(getcwd(here, sizeof here) != NULL, LT_STATE_IO, "getcwd: %s", strerror(errno));
    *ret_path = path[0] == '/' ? path : lt_arena_printf(&c->arena, "%s/%s", here, path);
    LT_CHECK(*ret_path != NULL, LT_PEER_USAGE, "%.150s: the path is too long", path);
    return LT_OK;
}

/* Where: as it was said, else a folder in TMPDIR that is removed afterwards. */
static lt_res choose_folder(struct cmd *c, struct drill *d)
{
    const char *folder = cmd_value(c, "folder");
    const char *tmp = getenv("TMPDIR");
    if (folder != NULL) {
        return absolute(c, folder, &d->folder);
    }
    char *made = lt_arena_printf(&c->arena, "%s/lintel-drill-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    LT_CHECK(made != NULL && mkdtemp(made) != NULL && rmdir(made) == 0, LT_STATE_IO,
             "no folder can be made: %s", strerror(errno));
    return absolute(c, made, &d->folder);
}

static lt_res choose_mode(struct cmd *c, struct drill *d)
{
    const char *mode = cmd_value(c, "mode");
    const struct drill_scenario *s = &d->scenario;
    d->mode = mode != NULL ? mode : s->mode_count > 0 ? s->modes[0] : "";
    for (uint32_t i = 0; i < s->mode_count; i++) {
        if (strcmp(s->modes[i], d->mode) == 0) {
            return LT_OK;
        }
    }
    LT_CHECK(mode == NULL, LT_PEER_USAGE, "%.60s has no mode \"%.40s\"; lintel drill list --json names them",
             s->name, mode);
    return LT_OK;
}

static lt_res say_begin(const struct drill *d)
{
    return d->c->json ? LT_OK
                      : cmd_printf("%s\n%s%s%s, %llu certificates, in %s\n\n", d->scenario.title,
                                   d->scenario.name, d->mode[0] == 0 ? "" : ", ", d->mode,
                                   (unsigned long long)d->certificates, d->folder);
}

/* To the end of its steps, then the score. */
static lt_res go(struct drill *d, bool *ret_passed)
{
    LT_CLEANUP(cmd_json_freep) json_t *record = NULL;
    LT_TRY(drill_family_start(d));
    LT_TRY(drill_steps(d));
    LT_TRY(drill_advance(d, lt_now().us +
                                (int64_t)SETTLE_S * LT_US_PER_SECOND)); /* what follows from the last */
    LT_TRY(drill_score(d, &record));
    LT_TRY(drill_write(d, record));
    *ret_passed = json_is_true(json_object_get(record, "passed"));
    return d->c->json ? cmd_print_json(record) : drill_print(d, record);
}

/* A folder is of one drill. */
static lt_res check_new(const struct drill *d)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/drill/run.json", d->folder);
    LT_CHECK(access(path, F_OK) != 0, LT_PEER_CONFLICT,
             "%.150s has a drill already: `lintel drill score` shows it, `lintel drill run --resume` goes on "
             "with it",
             d->folder);
    return LT_OK;
}

static lt_res begin(struct cmd *c, struct drill *d, lt_slice scenario)
{
    LT_TRY(drill_parse(c->args.word_count > 0 ? c->args.words[0] : "drawn", scenario, &d->scenario));
    LT_TRY(choose_mode(c, d));
    LT_TRY(cmd_number(c, "certificates", CERTIFICATES_DEFAULT, CERTIFICATES_MAX, &d->certificates));
    LT_CHECK(d->certificates >= 100, LT_PEER_USAGE, "--certificates: at least 100");
    LT_TRY(cmd_number(c, "speed", 0, SPEED_MAX, &d->speed));
    LT_TRY(cmd_number(c, "reacting", REACTING, 100, &d->reacting));
    LT_TRY(choose_folder(c, d));
    LT_TRY(check_new(d));
    LT_TRY(say_begin(d));
    LT_TRY(drill_make(d, cmd_value(c, "book")));
    d->begun_us = lt_now().us;
    return drill_log_begin(d, scenario);
}

static lt_res finish(struct cmd *c, struct drill *d, lt_res r, bool passed)
{
    struct lt_error why = *lt_error_last();
    const char *folder = d->folder;
    bool keep = cmd_flag(c, "keep") || cmd_flag(c, "resume") || cmd_value(c, "folder") != NULL;
    drill_free(d);
    if (folder != NULL && !keep && !lt_failed(r)) {
        (void)nftw(folder, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS); /* what stays is in TMPDIR */
    }
    if (lt_failed(r)) {
        return lt_fail(r.code, why.file, why.line, "%.150s%s%.60s", why.detail,
                       folder == NULL ? "" : "; see ", folder == NULL ? "" : folder);
    }
    c->exit_status = passed ? 0 : CMD_FINDINGS;
    return LT_OK;
}

static lt_res run_drawn(struct cmd *c, lt_slice scenario, uint64_t seed)
{
    struct drill d;
    bool passed = false;
    LT_TRY(drill_init(c, &d));
    d.seed = seed;
    lt_res r = begin(c, &d, scenario);
    r = lt_failed(r) ? r : go(&d, &passed);
    return finish(c, &d, r, passed);
}

static lt_res resume(struct cmd *c)
{
    struct drill d;
    bool passed = false;
    LT_TRY(drill_init(c, &d));
    lt_res r = absolute(c, c->args.words[0], &d.folder);
    r = lt_failed(r) ? r : drill_log_open(&d);
    r = lt_failed(r) ? r : say_begin(&d);
    r = lt_failed(r) ? r : go(&d, &passed);
    return finish(c, &d, r, passed);
}

static lt_res run_run(struct cmd *c)
{
    lt_slice text;
    if (cmd_flag(c, "resume")) {
        return resume(c);
    }
    LT_TRY(drill_find(c, c->args.words[0], &text));
    return run_drawn(c, text, 0);
}

static lt_res run_random(struct cmd *c)
{
    struct lt_buf out;
    uint64_t seed = 0;
    LT_TRY(cmd_number(c, "seed", (uint64_t)c->now.us % 1000000, UINT32_MAX, &seed));
    lt_buf_init(&out, DRILL_TEXT_MAX);
    lt_res r = drill_random(seed, &out);
    lt_slice text = lt_failed(r) ? (lt_slice){0} : lt_arena_copy(&c->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_TRY(r);
    return cmd_flag(c, "run") ? run_drawn(c, text, seed) : cmd_print(text);
}

/* The score of one that was run with --keep or --folder, from what it wrote down. */
static lt_res run_score(struct cmd *c)
{
    struct drill d;
    LT_CLEANUP(cmd_json_freep) json_t *record = NULL;
    LT_TRY(drill_init(c, &d));
    lt_res r = absolute(c, c->args.words[0], &d.folder);
    r = lt_failed(r) ? r : drill_log_open(&d);
    char *path = lt_failed(r) ? NULL : lt_arena_printf(&c->arena, "%s/drill/out/record.json", d.folder);
    record = path == NULL ? NULL : json_load_file(path, 0, NULL);
    if (!lt_failed(r) && record == NULL) {
        r = lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__,
                    "this drill has not come to its end: lintel drill run --resume %.150s", d.folder);
    }
    r = lt_failed(r) ? r : c->json ? cmd_print_json(record) : drill_print(&d, record);
    bool passed = json_is_true(json_object_get(record, "passed"));
    drill_free(&d);
    c->exit_status = passed ? 0 : CMD_FINDINGS;
    return r;
}

static lt_res run_load(struct cmd *c)
{
    struct drill d;
    LT_TRY(drill_init(c, &d));
    d.scenario.shape = cmd_value(c, "shape");
    lt_res r = cmd_number(c, "certificates", CERTIFICATES_DEFAULT, CERTIFICATES_MAX, &d.certificates);
    r = lt_failed(r) ? r : absolute(c, c->args.words[0], &d.folder);
    r = lt_failed(r) ? r : drill_make(&d, NULL);
    json_decref(d.kept);
    lt_arena_done(&d.inner.arena);
    LT_TRY(r);
    return c->json ? cmd_printf("{\"folder\":\"%s\",\"certificates\":%llu}\n", d.folder,
                                (unsigned long long)d.certificates)
                   : cmd_printf("%s: %llu certificates; lintel drill run SCENARIO --book %s\n", d.folder,
                                (unsigned long long)d.certificates, d.folder);
}

static volatile sig_atomic_t told_to_stop;

static void take_stop(int number)
{
    (void)number;
    told_to_stop = 1;
}

/* Who looks around in the console of a drill: may read, and nothing else. */
#define GUEST "guest"

/* A new link each time; the passkeys that older ones made are still good. */
static lt_res invite(struct drill *d, const char **ret_link)
{
    char operator_[] = "operator";
    char add[] = "add";
    char passkey[] = "passkey";
    char guest[] = GUEST;
    char role[] = "--role=viewer";
    char path[PATH_MAX];
    struct drill_answer a;
    char *const adding[] = {operator_, add, guest, role, NULL};
    char *const inviting[] = {operator_, passkey, guest, NULL};
    (void)snprintf(path, sizeof path, "%s/operators/%s.json", d->folder, guest);
    if (access(path, F_OK) != 0) {
        LT_TRY(drill_call(d, adding, NULL, &a));
        LT_CHECK(a.status == 0, LT_STATE_IO, "no guest can be added: %.150s", a.words);
        drill_answer_done(&a);
    }
    LT_TRY(drill_call(d, inviting, NULL, &a));
    *ret_link = a.status == 0 ? lt_arena_cstr(&d->c->arena, lt_slice_cstr(cmd_text(a.json, "link"))) : "";
    drill_answer_done(&a);
    LT_CHECK(*ret_link != NULL, LT_PEER_TOO_LARGE, "the link is too long");
    return LT_OK;
}

static lt_res say_served(const struct drill *d, const char *link)
{
    const char *end = strstr(link, "enroll#");
    int len = end == NULL ? 0 : (int)(end - link);
    if (d->c->json) {
        return cmd_printf("{\"folder\":\"%s\",\"console\":\"%.*s\",\"link\":\"%s\"}\n", d->folder, len, link,
                          link);
    }
    LT_TRY(cmd_printf("serving the drill in %s until Ctrl-C\n", d->folder));
    if (len > 0) {
        LT_TRY(cmd_printf("  console    %.*s, to look at: nothing is changed from it\n"
                          "  log in     %s\n"
                          "             (once, within 24 hours: makes a passkey of this browser a guest's)\n",
                          len, link, link));
    }
    return cmd_printf("  terminal   LINTEL_DIR=%s lintel incident list\n", d->folder);
}

static lt_res serve_drill(struct drill *d)
{
    const char *link = "";
    LT_TRY(drill_family_start(d));
    LT_TRY(invite(d, &link));
    LT_TRY(say_served(d, link));
    while (told_to_stop == 0) {
        (void)usleep(100000);
        LT_TRY(drill_family_alive(d));
    }
    return LT_OK;
}

/* For people who want to look around in a drill's CA: by the console, or with LINTEL_DIR=FOLDER in another
 * terminal. */
static lt_res run_serve(struct cmd *c)
{
    struct drill d;
    LT_TRY(drill_init(c, &d));
    lt_res r = absolute(c, c->args.words[0], &d.folder);
    (void)signal(SIGINT, take_stop);
    (void)signal(SIGTERM, take_stop);
    r = lt_failed(r) ? r : serve_drill(&d);
    struct lt_error why = *lt_error_last();
    drill_family_stop(&d);
    json_decref(d.kept);
    lt_arena_done(&d.inner.arena);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

static const struct cmd_option run_options[] = {
    {"certificates", "N", "in the scratch book (default: 2000)", false, NULL},
    {"mode", "NAME", "of the scenario's modes (default: the first)", false, NULL},
    {"reacting", "N", "of 100 clients that follow renewal information, where a mode has them (default: 97)",
     false, NULL},
    {"speed", "X", "simulated seconds in a second while waiting (default: as fast as possible)", false, NULL},
    {"folder", "DIR", "where; kept (default: a folder in TMPDIR that is removed)", false, NULL},
    {"book", "DIR", "a copy of this folder of `drill load` instead of a book made anew", false, NULL},
    {"keep", NULL, "leave the folder there", false, NULL},
    {"evidence", NULL, "with an authorization and its evidence for each name: takes twice as long to load",
     false, NULL},
    {"resume", NULL, "go on with the drill in that folder, which broke off", false, NULL},
    {"port", "PORT", "of its listeners (default: free ones)", false, NULL},
};
static const struct cmd_option random_options[] = {
    {"seed", "N", "the same number draws the same scenario (default: of the time)", false, NULL},
    {"run", NULL, "run it; without this it is only printed", false, NULL},
    {"certificates", "N", "in the scratch book (default: 2000)", false, NULL},
    {"mode", "NAME", "of the scenario's modes (default: the first)", false, NULL},
    {"reacting", "N", "of 100 clients that follow renewal information, where a mode has them (default: 97)",
     false, NULL},
    {"speed", "X", "simulated seconds in a second while waiting (default: as fast as possible)", false, NULL},
    {"folder", "DIR", "where; kept (default: a folder in TMPDIR that is removed)", false, NULL},
    {"book", "DIR", "a copy of this folder of `drill load` instead of a book made anew", false, NULL},
    {"keep", NULL, "leave the folder there", false, NULL},
    {"evidence", NULL, "with an authorization and its evidence for each name", false, NULL},
    {"port", "PORT", "of its listeners (default: free ones)", false, NULL},
};
static const struct cmd_option load_options[] = {
    {"certificates", "N", "in the scratch book (default: 2000)", false, NULL},
    {"shape", "WORD", "clean: nothing is wrong (default); caa: every check of CAA is too old; mixed", false,
     "clean caa mixed"},
    {"evidence", NULL, "with an authorization and its evidence for each name", false, NULL},
    {"port", "PORT", "of its listeners (default: free ones)", false, NULL},
};

const struct cmd_verb cmd_drill_list = {
    .name = "drill list",
    .words = "",
    .summary = "list the scenarios that can be drilled",
    .help = "examples:\n  lintel drill list\n",
    .run = run_list,
};
const struct cmd_verb cmd_drill_show = {
    .name = "drill show",
    .words = "SCENARIO",
    .words_least = 1,
    .words_most = 1,
    .summary = "print a scenario, or check a file with one",
    .help = "examples:\n  lintel drill show le-caa-2020 >mine.yaml\n  lintel drill show ./mine.yaml\n",
    .run = run_show,
};
const struct cmd_verb cmd_drill_run = {
    .name = "drill run",
    .words = "SCENARIO | --resume DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "go through an incident of the record, on a scratch CA with a clock of its own",
    .help =
        "Makes a scratch CA, serves it, and goes through the scenario's steps, each of them a verb as people "
        "would\n"
        "type it, with the clock moved on while the drill waits. Prints the score of every clock beside "
        "what\n"
        "others needed, and writes the record of the test. The status is 6 where a clock was missed.\n"
        "A drill that broke off is resumed from where it was. Nothing of it touches a CA: its folder, book "
        "and\n"
        "keys are marked, no family without a drill's clock takes them, and a drill takes nobody else's.\n"
        "\n"
        "examples:\n"
        "  lintel drill run le-caa-2020\n"
        "  lintel drill run le-caa-2020 --mode with-ari --certificates 100000 --folder /var/tmp/drill\n"
        "  lintel drill run --resume /var/tmp/drill\n",
    .options = run_options,
    .option_count = LT_COUNT(run_options),
    .run = run_run,
};
const struct cmd_verb cmd_drill_random = {
    .name = "drill random",
    .words = "",
    .summary = "draw a scenario from a seed, and run it",
    .help = "examples:\n  lintel drill random --seed 7\n  lintel drill random --seed 7 --run\n",
    .options = random_options,
    .option_count = LT_COUNT(random_options),
    .run = run_random,
};
const struct cmd_verb cmd_drill_score = {
    .name = "drill score",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "print the score of a drill that was run in DIR",
    .help = "examples:\n  lintel drill score /var/tmp/drill\n  lintel drill score /var/tmp/drill --json\n",
    .run = run_score,
};
const struct cmd_verb cmd_drill_load = {
    .name = "drill load",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "make a scratch CA for several drills",
    .help = "A drill uses its book up; with --book it works on a copy.\n"
            "\n"
            "examples:\n"
            "  lintel drill load /var/tmp/book --certificates 3048289 --shape caa\n"
            "  lintel drill run le-caa-2020 --certificates 3048289 --book /var/tmp/book --folder "
            "/var/tmp/drill\n",
    .options = load_options,
    .option_count = LT_COUNT(load_options),
    .run = run_load,
};
const struct cmd_verb cmd_drill_serve = {
    .name = "drill serve",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "serve the scratch CA of a drill, to look around in it",
    .help =
        "Prints the address of the drill's own console and a link by which a browser becomes a guest there. "
        "From that\n"
        "console nothing is changed, whoever is logged in. The clock stands where the drill's end left it, "
        "and goes on\n"
        "at its usual pace.\n"
        "\n"
        "examples:\n"
        "  lintel drill serve /var/tmp/drill\n"
        "  lintel drill serve /var/tmp/drill --json\n",
    .run = run_serve,
};
