/* lintel drill tabletop: the scenario told, and a person asked what comes next. Answers are timed; the record
 * says what was answered, what would have been right and why. No CA is needed, nothing is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/api.h"
#include "cmd/drill.h"
#include "cmd/verbs.h"

#include <fcntl.h>

enum { LINE_MAX_LEN = 4096 };

/* A number, or words of their own, which count as no choice. */
static bool read_line(char ret_line[LINE_MAX_LEN])
{
    if (fgets(ret_line, LINE_MAX_LEN, stdin) == NULL) {
        return false;
    }
    ret_line[strcspn(ret_line, "\r\n")] = 0;
    return true;
}

static lt_res ask(struct cmd *c, const struct drill_question *q, json_t *answers)
{
    char line[LINE_MAX_LEN];
    uint64_t choice = 0;
    uint64_t right = 0;
    FILE *to = c->json ? stderr : stdout;
    (void)fprintf(to, "\nT+%s  %s\n\n%s\n", q->at, q->say, q->ask);
    for (uint32_t i = 0; i < q->choice_count; i++) {
        (void)fprintf(to, "  %u  %s\n", i + 1, q->choices[i]);
    }
    (void)fputs("> ", to);
    (void)fflush(to);
    int64_t asked_ms = lt_monotonic_ms();
    LT_CHECK(read_line(line), LT_PEER_USAGE, "nobody answers: a tabletop needs somebody at the terminal");
    int64_t took_ms = lt_monotonic_ms() - asked_ms;
    lt_ignore(lt_parse_u64(lt_slice_cstr(q->answer), q->choice_count, &right)); /* checked when it was read */
    lt_ignore(lt_parse_u64(lt_slice_cstr(line), q->choice_count, &choice));     /* 0: words */
    (void)fprintf(to, "%s %s\n", choice == right ? "Yes." : "No:", q->why);
    json_t *one = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:I}", "at", q->at, "asked", q->ask, "said", line,
                            "choice", (json_int_t)choice, "right", (json_int_t)right, "met", choice == right,
                            "took_ms", (json_int_t)took_ms);
    LT_CHECK(one != NULL, LT_PEER_USAGE, "the answer is no UTF-8");
    LT_ASSERT(json_array_append_new(answers, one) == 0);
    return LT_OK;
}

static lt_res ask_all(struct cmd *c, const struct drill_scenario *s, json_t *record)
{
    json_t *answers = json_object_get(record, "answers");
    json_t *missed = json_object_get(record, "missed");
    char at[LT_RFC3339_SIZE];
    int64_t all_ms = 0;
    for (uint32_t i = 0; i < s->question_count; i++) {
        LT_TRY(ask(c, &s->questions[i], answers));
        const json_t *one = json_array_get(answers, i);
        all_ms += cmd_int(one, "took_ms");
        if (!json_is_true(json_object_get(one, "met"))) {
            LT_ASSERT(json_array_append(missed, json_object_get(one, "asked")) == 0);
        }
    }
    lt_time_rfc3339(lt_now(), at);
    LT_ASSERT(json_object_set_new(record, "ended", json_string(at)) == 0 &&
              json_object_set_new(record, "worked_ms", json_integer((json_int_t)all_ms)) == 0 &&
              json_object_set_new(record, "passed", json_boolean(json_array_size(missed) == 0)) == 0);
    return LT_OK;
}

static lt_res print(const json_t *record)
{
    size_t count = json_array_size(json_object_get(record, "answers"));
    return cmd_printf("\n%s: %zu of %zu questions answered as the rules have it, %.0f s in all\n",
                      cmd_text(record, "scenario"),
                      count - json_array_size(json_object_get(record, "missed")), count,
                      (double)cmd_int(record, "worked_ms") / 1000);
}

static lt_res keep(const struct cmd *c, const json_t *record)
{
    const char *file = cmd_value(c, "out");
    if (file == NULL) {
        return LT_OK;
    }
    char *text = json_dumps(record, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    LT_ASSERT(text != NULL);
    lt_res r = lt_file_replace(AT_FDCWD, file, 0644, lt_slice_cstr(text));
    free(text);
    return r;
}

static lt_res hold(struct cmd *c, const struct drill_scenario *s)
{
    char begun[LT_RFC3339_SIZE];
    FILE *to = c->json ? stderr : stdout;
    LT_CHECK(s->question_count > 0, LT_PEER_USAGE, "%.60s asks nothing", s->name);
    lt_time_rfc3339(c->now, begun);
    LT_CLEANUP(cmd_json_freep)
    json_t *record = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:[], s:[]}", "scenario", s->name,
                               "title", s->title, "mode", "", "kind", "tabletop", "seed", 0, "certificates",
                               0, "begun", begun, "build", lt_version, "answers", "missed");
    LT_ASSERT(record != NULL);
    (void)fprintf(to, "%s\n\n%s\n", s->title, s->what);
    LT_TRY(ask_all(c, s, record));
    LT_TRY(keep(c, record));
    LT_TRY(c->json ? cmd_print_json(record) : print(record));
    c->exit_status = json_is_true(json_object_get(record, "passed")) ? 0 : CMD_FINDINGS;
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    lt_slice text;
    struct drill_scenario s;
    LT_TRY(drill_find(c, c->args.words[0], &text));
    LT_TRY(drill_parse(c->args.words[0], text, &s));
    lt_res r = hold(c, &s);
    drill_scenario_done(&s);
    return r;
}

static const struct cmd_option options[] = {
    {"out", "FILE", "write the record there, for `drill record`", false, NULL},
};
const struct cmd_verb cmd_drill_tabletop = {
    .name = "drill tabletop",
    .words = "SCENARIO",
    .words_least = 1,
    .words_most = 1,
    .summary = "tell a scenario and ask a person what comes next",
    .help =
        "Each answer is timed and compared with what the rules have. The status is 6 where one was wrong.\n"
        "\n"
        "examples:\n"
        "  lintel drill tabletop digicert-cname-2024 --out tabletop.json\n"
        "  lintel drill record tabletop.json --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
