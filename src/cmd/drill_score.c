/* How a drill went: each measure from what was written down of its steps, each clock from the book; beside
 * them what others needed when it was no drill; and the record of the test that BR 5.7.1.2 asks for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/api.h"
#include "cmd/drill.h"

enum { SPAN_SIZE = 40, RECORD_MAX = 1024 * 1024, DAY_S = 86400 };

/* "0.21 s", "4 min 3 s", "23 h 10 min", "-5 h". */
static void span(int64_t us, char ret_text[SPAN_SIZE])
{
    const char *sign = us < 0 ? "-" : "";
    int64_t ms = (us < 0 ? -us : us) / LT_US_PER_MS;
    long long s = ms / 1000;
    if (s < 60) {
        (void)snprintf(ret_text, SPAN_SIZE, "%s%lld.%02lld s", sign, s, (long long)(ms % 1000 / 10));
    } else if (s < 3600) {
        (void)snprintf(ret_text, SPAN_SIZE, "%s%lld min %lld s", sign, s / 60, s % 60);
    } else if (s < 2 * DAY_S) {
        (void)snprintf(ret_text, SPAN_SIZE, "%s%lld h %lld min", sign, s / 3600, s % 3600 / 60);
    } else {
        (void)snprintf(ret_text, SPAN_SIZE, "%s%lld d %lld h", sign, s / DAY_S, s % DAY_S / 3600);
    }
}

static const struct drill_done *done_of(const struct drill *d, const char *id)
{
    for (size_t i = 0; i < d->scenario.step_count; i++) {
        if (strcmp(d->scenario.steps[i].id, id) == 0) {
            return &d->done[i];
        }
    }
    return NULL;
}

static json_t *beside(const struct drill_measure *m)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (uint32_t i = 0; i < m->beside_count; i++) {
        LT_ASSERT(json_array_append_new(list, json_string(m->beside[i])) == 0);
    }
    return list;
}

/* NULL: it is not of this mode, or for fewer certificates than there were. */
static json_t *measure(const struct drill *d, const struct drill_measure *m)
{
    const struct drill_done *from = done_of(d, m->from);
    const struct drill_done *to = done_of(d, m->to);
    int64_t within_us = 0;
    uint64_t needs = 0;
    lt_ignore(m->needs == NULL ? LT_OK : lt_parse_u64(lt_slice_cstr(m->needs), UINT32_MAX, &needs));
    if (!drill_in_mode(m->mode, d->mode) || needs > d->certificates) {
        return NULL;
    }
    lt_ignore(m->within == NULL ? LT_OK : drill_span(m->within, &within_us)); /* checked when it was read */
    bool done = from != NULL && to != NULL && from->begun && to->done;
    int64_t took_us = done ? to->ended_us - from->begun_us : -1;
    json_t *one = json_pack("{s:s, s:s, s:I, s:I, s:b, s:o}", "id", m->id, "say", m->say, "took_us",
                            (json_int_t)took_us, "within_us", (json_int_t)within_us, "met",
                            done && (within_us == 0 || took_us <= within_us), "beside", beside(m));
    LT_ASSERT(one != NULL);
    return one;
}

static json_t *measures(const struct drill *d, json_t *missed)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (uint32_t i = 0; i < d->scenario.measure_count; i++) {
        json_t *one = measure(d, &d->scenario.measures[i]);
        if (one == NULL) {
            continue;
        }
        if (!json_is_true(json_object_get(one, "met"))) {
            LT_ASSERT(json_array_append_new(missed, json_string(d->scenario.measures[i].id)) == 0);
        }
        LT_ASSERT(json_array_append_new(list, one) == 0);
    }
    return list;
}

static json_t *steps(const struct drill *d)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (uint32_t i = 0; i < d->scenario.step_count; i++) {
        const struct drill_done *at = &d->done[i];
        const struct drill_step *s = &d->scenario.steps[i];
        char begun[LT_RFC3339_SIZE];
        char ended[LT_RFC3339_SIZE];
        if (!at->done) {
            continue;
        }
        lt_time_rfc3339((lt_time){at->begun_us}, begun);
        lt_time_rfc3339((lt_time){at->ended_us}, ended);
        LT_ASSERT(json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", s->id, "say",
                                                        s->say == NULL ? "" : s->say, "begun", begun, "ended",
                                                        ended, "worked_ms", (json_int_t)at->worked_ms)) == 0);
    }
    return list;
}

/* The scenario misses one on purpose; then the report of the delay has to be there in time. */
static bool is_told(const struct drill *d, const json_t *clocks)
{
    size_t i;
    const json_t *one;
    if (d->scenario.delayed == NULL || !drill_in_mode(d->scenario.delayed_mode, d->mode)) {
        return false;
    }
    json_array_foreach(clocks, i, one)
    {
        if (strcmp(cmd_text(one, "duty"), "irg-9") == 0 && strcmp(cmd_text(one, "status"), "met") == 0) {
            return true;
        }
    }
    return false;
}

/* Every clock of the book: met, late, missed. One that runs still has time, and is named. */
static lt_res clocks(struct drill *d, json_t *missed, json_t **ret_list)
{
    char clock[] = "clock";
    char list[] = "list";
    char all[] = "--all";
    char every[] = "--status=all";
    char *words[] = {clock, list, all, every, NULL};
    struct drill_answer a;
    size_t i;
    json_t *one;
    LT_TRY(drill_call(d, words, NULL, &a));
    *ret_list = json_incref(json_object_get(a.json, "clocks"));
    drill_answer_done(&a);
    LT_CHECK(*ret_list != NULL, LT_STATE_CORRUPT, "the clocks cannot be read: %.200s", a.words);
    bool told = is_told(d, *ret_list);
    json_array_foreach(*ret_list, i, one)
    {
        bool must = strcmp(cmd_text(one, "force"), "MUST") == 0;
        const char *status = cmd_text(one, "status");
        bool over = strcmp(status, "breached") == 0 || strcmp(status, "late") == 0;
        bool reported = over && told && strcmp(cmd_text(one, "duty"), d->scenario.delayed) == 0;
        LT_ASSERT(!reported || json_object_set_new(one, "reported", json_true()) == 0);
        if (must && over && !reported) {
            LT_ASSERT(json_array_append_new(missed, json_string(cmd_text(one, "duty"))) == 0);
        }
    }
    return LT_OK;
}

static lt_res fill(struct drill *d, json_t *record)
{
    json_t *missed = json_array();
    json_t *list = NULL;
    json_t *names = json_array();
    LT_ASSERT(missed != NULL && names != NULL);
    LT_ASSERT(json_object_set_new(record, "missed", missed) == 0 &&
              json_object_set_new(record, "beside", names) == 0);
    for (uint32_t i = 0; i < d->scenario.beside_count; i++) {
        LT_ASSERT(json_array_append_new(names, json_string(d->scenario.beside[i])) == 0);
    }
    LT_ASSERT(json_object_set_new(record, "measures", measures(d, missed)) == 0 &&
              json_object_set_new(record, "steps", steps(d)) == 0 &&
              json_object_set(record, "kept", d->kept) == 0);
    LT_TRY(clocks(d, missed, &list));
    LT_ASSERT(json_object_set_new(record, "clocks", list) == 0 &&
              json_object_set_new(record, "passed", json_boolean(json_array_size(missed) == 0)) == 0);
    return LT_OK;
}

lt_res drill_score(struct drill *d, json_t **ret_record)
{
    char begun[LT_RFC3339_SIZE];
    char ended[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){d->begun_us}, begun);
    lt_time_rfc3339((lt_time){lt_now().us - lt_clock_ahead_us()}, ended);
    *ret_record = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:s}", "scenario",
                            d->scenario.name, "title", d->scenario.title, "mode", d->mode, "kind",
                            "simulation", "seed", (json_int_t)d->seed, "certificates",
                            (json_int_t)d->certificates, "begun", begun, "ended", ended, "worked_ms",
                            (json_int_t)d->worked_ms, "build", lt_version);
    LT_ASSERT(*ret_record != NULL);
    lt_res r = fill(d, *ret_record);
    if (lt_failed(r)) {
        json_decref(LT_TAKE(*ret_record, NULL));
    }
    return r;
}

/* ---- for people ---- */

static void add_measure(struct lt_buf *out, const json_t *m, size_t others, bool markdown)
{
    char took[SPAN_SIZE];
    char within[SPAN_SIZE];
    bool done = cmd_int(m, "took_us") >= 0;
    span(cmd_int(m, "took_us"), took);
    span(cmd_int(m, "within_us"), within);
    lt_buf_addf(out, markdown ? "| %s | %s | %s | %s |" : "  %-44s %14s %14s  %-6s", cmd_text(m, "say"),
                done ? took : "not done", cmd_int(m, "within_us") == 0 ? "-" : within,
                !json_is_true(json_object_get(m, "met")) ? "MISSED"
                : cmd_int(m, "within_us") == 0           ? "-"
                                                         : "met");
    for (size_t i = 0; i < others; i++) {
        const char *theirs = json_string_value(json_array_get(json_object_get(m, "beside"), i));
        lt_buf_addf(out, markdown ? " %s |" : "  %-22s", theirs == NULL ? "" : theirs);
    }
    lt_buf_add_byte(out, '\n');
}

static void add_measures(struct lt_buf *out, const json_t *record, bool markdown)
{
    const json_t *others = json_object_get(record, "beside");
    size_t count = json_array_size(others);
    lt_buf_addf(out, markdown ? "| %s | %s | %s | %s |" : "  %-44s %14s %14s  %-6s", "Measure", "Here",
                "Limit", "");
    for (size_t i = 0; i < count; i++) {
        lt_buf_addf(out, markdown ? " %s |" : "  %-22s", json_string_value(json_array_get(others, i)));
    }
    lt_buf_add_byte(out, '\n');
    for (size_t i = 0; markdown && i < count + 4; i++) {
        lt_buf_add_cstr(out, i == count + 3 ? "|---|\n" : "|---");
    }
    for (size_t i = 0; i < json_array_size(json_object_get(record, "measures")); i++) {
        add_measure(out, json_array_get(json_object_get(record, "measures"), i), count, markdown);
    }
}

static void add_clocks(struct lt_buf *out, const json_t *record, bool markdown)
{
    size_t i;
    const json_t *one;
    lt_buf_addf(out,
                markdown ? "| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n"
                         : "  %-34s %-16s %-10s %20s  %s\n",
                "Clock", "Subject", "Status", "Margin", "Rule");
    json_array_foreach(json_object_get(record, "clocks"), i, one)
    {
        char margin[SPAN_SIZE];
        span(cmd_int(one, "margin_s") * LT_US_PER_SECOND, margin);
        lt_buf_addf(out, markdown ? "| %s | %s | %s | %s | %s %s |\n" : "  %-34s %-16s %-10s %20s  %s %s\n",
                    cmd_text(one, "duty"), cmd_text(one, "subject"),
                    json_is_true(json_object_get(one, "reported")) ? "late, told" : cmd_text(one, "status"),
                    margin, cmd_text(one, "force"), cmd_text(one, "section"));
    }
}

static const char *outcome(const json_t *record)
{
    size_t i;
    const json_t *one;
    if (!json_is_true(json_object_get(record, "passed"))) {
        return "Not every clock was met.";
    }
    json_array_foreach(json_object_get(record, "clocks"), i, one)
    {
        if (json_is_true(json_object_get(one, "reported"))) {
            return "Every clock that has ended was met, but for the one that the scenario misses: its delay "
                   "was "
                   "told in time.";
        }
    }
    return "Every clock that has ended was met.";
}

/* What was not missed because its time is not over is no clock that was met. */
static void add_running(struct lt_buf *out, const json_t *record)
{
    size_t i;
    size_t count = 0;
    const json_t *one;
    json_array_foreach(json_object_get(record, "clocks"), i, one)
    {
        if (strcmp(cmd_text(one, "force"), "MUST") == 0 && strcmp(cmd_text(one, "status"), "open") == 0) {
            lt_buf_addf(out, "%s%s of %s", count++ == 0 ? "Still running: " : ", ", cmd_text(one, "duty"),
                        cmd_text(one, "subject"));
        }
    }
    lt_buf_add_cstr(out, count == 0 ? "" : ".\n");
}

lt_res drill_print(struct drill *d, const json_t *record)
{
    struct lt_buf out;
    (void)d;
    lt_buf_init(&out, RECORD_MAX);
    lt_buf_addf(&out, "\n%s: %s\n%lld certificates%s%s, %.1f s of work\n\n", cmd_text(record, "scenario"),
                cmd_text(record, "title"), (long long)cmd_int(record, "certificates"),
                cmd_text(record, "mode")[0] == 0 ? "" : ", ", cmd_text(record, "mode"),
                (double)cmd_int(record, "worked_ms") / 1000);
    add_measures(&out, record, false);
    lt_buf_add_byte(&out, '\n');
    add_clocks(&out, record, false);
    lt_buf_addf(&out, "\n%s\n", outcome(record));
    add_running(&out, record);
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* ---- the record of the test ---- */

static void add_timeline(struct lt_buf *out, const json_t *record)
{
    size_t i;
    const json_t *one;
    lt_buf_add_cstr(
        out,
        "\n## What was done\n\nTimes are of the drill's clock.\n\n| Begun | Ended | Step |\n|---|---|---|\n");
    json_array_foreach(json_object_get(record, "steps"), i, one)
    {
        lt_buf_addf(out, "| %s | %s | %s |\n", cmd_text(one, "begun"), cmd_text(one, "ended"),
                    cmd_text(one, "say")[0] != 0 ? cmd_text(one, "say") : cmd_text(one, "id"));
    }
}

static void add_record(struct lt_buf *out, const json_t *record)
{
    size_t i;
    const json_t *one;
    /*= CABF-BR 5.7.1.2 "The CA SHALL annually test, review, and update its plan and such procedures." */
    lt_buf_addf(
        out,
        "# Record of a test of the mass revocation plan\n\n"
        "- **Scenario:** %s (%s)\n- **Kind of test:** %s\n- **Mode:** %s\n- **Begun:** %s\n- **Ended:** %s\n"
        "- **Certificates in the scratch book:** %lld\n- **Software:** lintel %s\n"
        "- **Certificates of active Subscribers that were revoked:** none; the book, its keys and its clock "
        "were the drill's own\n- **Outcome:** %s\n\n## Targets\n\n",
        cmd_text(record, "title"), cmd_text(record, "scenario"), cmd_text(record, "kind"),
        cmd_text(record, "mode")[0] == 0 ? "-" : cmd_text(record, "mode"), cmd_text(record, "begun"),
        cmd_text(record, "ended"), (long long)cmd_int(record, "certificates"), cmd_text(record, "build"),
        json_is_true(json_object_get(record, "passed"))
            ? "every target and every clock that has ended was met"
            : "missed, see below");
    add_measures(out, record, true);
    lt_buf_add_cstr(out, "\n## Clocks\n\n");
    add_clocks(out, record, true);
    lt_buf_add_byte(out, '\n');
    add_running(out, record);
    add_timeline(out, record);
    lt_buf_add_cstr(out, "\n## Missed\n\n");
    json_array_foreach(json_object_get(record, "missed"), i, one)
    {
        lt_buf_addf(out, "- %s\n", json_string_value(one));
    }
    lt_buf_add_cstr(out, json_array_size(json_object_get(record, "missed")) == 0 ? "Nothing.\n" : "");
    lt_buf_add_cstr(
        out, "\n## Analysis and changes to the plan\n\n*To be written by a person: what was learned, what "
             "changes in the plan, who does it and until when (`lintel action add`).*\n");
}

static lt_res write_text(const struct drill *d, const char *name, lt_slice text)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_STATE_IO, "%.150s: %s", d->folder, strerror(errno));
    LT_CHECK((mkdirat(dir, "drill", 0755) == 0 || errno == EEXIST) &&
                 (mkdirat(dir, "drill/out", 0755) == 0 || errno == EEXIST),
             LT_STATE_IO, "drill/out: %s", strerror(errno));
    return lt_file_replace(dir, name, 0644, text);
}

lt_res drill_write(struct drill *d, const json_t *record)
{
    struct lt_buf out;
    char *text = json_dumps(record, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    LT_ASSERT(text != NULL);
    lt_res r = write_text(d, "drill/out/record.json", lt_slice_cstr(text));
    free(text);
    LT_TRY(r);
    lt_buf_init(&out, RECORD_MAX);
    add_record(&out, record);
    r = write_text(d, "drill/out/test-record.md", lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}
