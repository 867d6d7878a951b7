/* lintel duty list, show, judge: the duties that this program knows, and the deadlines of a case by the rules
 * of any day. Needs no CA. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"
#include "incident/duty.h"

enum { TEXT_SIZE = 64, QUERY_MAX = 8192 };

static const char *when_text(struct cmd *c, lt_time t)
{
    char text[LT_RFC3339_SIZE];
    if (t.us == 0) {
        return "";
    }
    lt_time_rfc3339(t, text);
    const char *kept = lt_arena_cstr(&c->arena, lt_slice_cstr(text));
    LT_ASSERT(kept != NULL);
    return kept;
}

static const char *span_text(struct cmd *c, int64_t s)
{
    static const struct {
        int64_t s;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};
    for (size_t i = 0; i < LT_COUNT(units); i++) {
        if (s >= units[i].s && s % units[i].s == 0 && (s > 3 * units[i].s || i > 0)) {
            return lt_arena_printf(&c->arena, "%lld %s", (long long)(s / units[i].s), units[i].unit);
        }
    }
    return lt_arena_printf(&c->arena, "%lld s", (long long)s);
}

/* "72 h", "promptly (24 h)", "24 h, 5 d at most". */
static const char *limit_text(struct cmd *c, const struct incident_duty *d)
{
    const char *limit = span_text(c, d->limit_s);
    const char *text = !d->exact ? lt_arena_printf(&c->arena, "promptly (%s)", limit)
                       : d->aim_s != 0
                           ? lt_arena_printf(&c->arena, "%s, %s at most", span_text(c, d->aim_s), limit)
                           : limit;
    LT_ASSERT(text != NULL);
    return text;
}

/* --as-of: a day or an instant; otherwise now. */
static lt_res as_of(const struct cmd *c, lt_time otherwise, lt_time *ret_when)
{
    const char *text = cmd_value(c, "as-of");
    *ret_when = otherwise;
    if (text == NULL) {
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), ret_when)), LT_PEER_USAGE,
             "--as-of %.40s: write 2026-11-22 or 2026-11-22T08:00:00Z", text);
    return LT_OK;
}

static json_t *duty_json(struct cmd *c, const struct incident_duty *d)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "id", d->id, "from", d->from,
                          "until", d->until, "force", d->force, "section", d->section, "limit",
                          limit_text(c, d), "aim_s", (json_int_t)d->aim_s, "limit_s", (json_int_t)d->limit_s,
                          "own_measure", !d->exact);
    LT_ASSERT(o != NULL);
    const struct {
        const char *key;
        const char *value;
    } more[] = {{"start", d->start}, {"because", d->because}, {"words", d->words},
                {"quote", d->quote}, {"owner", d->owner},     {"cause", d->cause},
                {"on", d->on},       {"met", d->met},         {"where", d->where}};
    for (size_t i = 0; i < LT_COUNT(more); i++) {
        LT_ASSERT(json_object_set_new(o, more[i].key, json_string(more[i].value)) == 0);
    }
    return o;
}

/* ---- list ---- */

static lt_res list_starts(struct cmd *c, lt_time when, bool everything)
{
    static const char *const heads[] = {"SOURCE", "BEGINS WHEN", "FROM", "UNTIL", "SECTION", "WORDS"};
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    LT_ASSERT(all != NULL);
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < incident_start_count; i++) {
        const struct incident_start *s = &incident_starts[i];
        if (!everything && incident_start_at(lt_slice_cstr(s->source), when) != s) {
            continue;
        }
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "source", s->source, "at",
                              incident_instant_name(s->at), "from", s->from, "until", s->until, "section",
                              s->section, "words", s->words);
        LT_ASSERT(o != NULL && json_array_append_new(all, o) == 0);
        const char *const cells[] = {s->source, incident_instant_name(s->at), s->from, s->until, s->section,
                                     s->words};
        LT_TRY(cmd_table_row(t, cells));
    }
    return c->json ? cmd_print_json(all) : cmd_table_print(t);
}

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"ID", "LIMIT", "FORCE", "SECTION", "OWNER", "FROM", "UNTIL"};
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    lt_time when;
    bool everything = cmd_flag(c, "all");
    LT_TRY(as_of(c, c->now, &when));
    if (cmd_flag(c, "starts")) {
        return list_starts(c, when, everything);
    }
    LT_ASSERT(all != NULL);
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (!everything && !incident_duty_in_force(d, when)) {
            continue;
        }
        LT_ASSERT(json_array_append_new(all, duty_json(c, d)) == 0);
        const char *const cells[] = {d->id,    limit_text(c, d), d->force, d->section,
                                     d->owner, d->from,          d->until};
        if (!c->json) {
            LT_TRY(cmd_table_row(t, cells));
        }
    }
    return c->json ? cmd_print_json(all) : cmd_table_print(t);
}

/* ---- show ---- */

static lt_res show_row(struct cmd *c, const struct incident_duty *d)
{
    const char *now = incident_duty_in_force(d, c->now) ? "in force" : "not in force now";
    LT_TRY(cmd_printf("%s  (%s%s%s%s%s, %s)\n", d->id, d->from[0] == 0 ? "from ever" : "from ", d->from,
                      d->until[0] == 0 ? "" : " until ", d->until, "", now));
    LT_TRY(cmd_printf("  %s  %s  %s\n", d->force, limit_text(c, d), d->section));
    LT_TRY(cmd_printf("  begins   %s\n  shown by %s\n  to do    %s (%s)\n", d->start, d->because, d->words,
                      d->owner));
    if (d->quote[0] != 0) {
        LT_TRY(cmd_printf("  \"%s\"\n", d->quote));
    }
    if (d->on[0] != 0 || d->met[0] != 0) {
        LT_TRY(cmd_printf("  opened by %s, met by %s\n", d->on[0] == 0 ? "hand" : d->on,
                          d->met[0] == 0 ? "hand" : d->met));
    }
    return cmd_printf("  %s\n", d->where);
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    const char *id = c->args.words[0];
    LT_ASSERT(all != NULL);
    LT_CHECK(incident_duty_known(lt_slice_cstr(id)), LT_PEER_NOT_FOUND,
             "there is no duty \"%.60s\"; lintel duty list has them", id);
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (strcmp(d->id, id) != 0) {
            continue;
        }
        if (c->json) {
            LT_ASSERT(json_array_append_new(all, duty_json(c, d)) == 0);
        } else {
            LT_TRY(show_row(c, d));
        }
    }
    return c->json ? cmd_print_json(all) : LT_OK;
}

/* ---- judge ---- */

/* What is judged: of the record, or as it was given. */
struct judged {
    const char *name;
    const char *source;
    const char *cause;
    lt_time instants[INCIDENT_INSTANTS];
};

static lt_res read_case(struct cmd *c, struct judged *j)
{
    j->name = "";
    if (c->args.word_count == 1) {
        const struct incident_recorded *r = incident_recorded_find(lt_slice_cstr(c->args.words[0]));
        LT_CHECK(r != NULL, LT_PEER_NOT_FOUND,
                 "no incident \"%.60s\" is recorded; lintel duty judge --list names them", c->args.words[0]);
        *j = (struct judged){.name = r->name, .source = r->source, .cause = r->cause};
        incident_recorded_instants(r, j->instants);
    }
    j->source = cmd_value_or(c, "source", j->source);
    j->cause = cmd_value_or(c, "cause", j->cause);
    LT_CHECK(
        j->source != NULL && j->cause != NULL, LT_PEER_USAGE,
        "give an incident of the record, or --source and --cause with --received, --found or --confirmed");
    for (size_t i = 0; i < INCIDENT_INSTANTS; i++) {
        const char *name = incident_instant_name((enum incident_instant)i);
        const char *text = cmd_value(c, name);
        LT_CHECK(text == NULL || !lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), &j->instants[i])),
                 LT_PEER_USAGE, "--%s %.40s: write 2026-11-22T08:00:00Z", name, text);
    }
    return LT_OK;
}

/* The first instant that is known: the day of the case. */
static lt_time day_of(const struct judged *j)
{
    lt_time first = {0};
    for (size_t i = 0; i < INCIDENT_INSTANTS; i++) {
        if (j->instants[i].us != 0 && (first.us == 0 || j->instants[i].us < first.us)) {
            first = j->instants[i];
        }
    }
    return first;
}

/* Which clocks a case has at its beginning: its revocation, findings for who reported it, its disclosure. */
static size_t clocks_of(const struct judged *j, lt_time when, const struct incident_duty *list[8])
{
    static const char *const first[] = {"irg-1", "mrsp-report"};
    size_t count = 0;
    const struct incident_duty *revoke = incident_duty_for_cause(lt_slice_cstr(j->cause), when);
    const struct incident_duty *findings = strcmp(j->source, "problem-report") == 0
                                               ? incident_duty_at(LT_LIT("cpr-findings"), when)
                                               : NULL;
    if (revoke != NULL) {
        list[count++] = revoke;
    }
    if (findings != NULL) {
        list[count++] = findings;
    }
    for (size_t i = 0; i < LT_COUNT(first); i++) {
        const struct incident_duty *d = incident_duty_at(lt_slice_cstr(first[i]), when);
        if (d != NULL) {
            list[count++] = d;
        }
    }
    return count;
}

struct verdict {
    const char *title; /* "the rules of that day" */
    lt_time as_of;
};

static lt_res judge_one(struct cmd *c, const struct judged *j, const struct verdict *v, json_t *all)
{
    static const char *const heads[] = {"DUTY", "SHOULD", "MUST", "LIMIT", "SECTION"};
    const struct incident_duty *list[8];
    const struct incident_start *rule = NULL;
    lt_time start;
    LT_TRY(incident_start_judge(lt_slice_cstr(j->source), j->instants, v->as_of, &rule, &start));
    size_t count = clocks_of(j, v->as_of, list);
    LT_CHECK(count > 0 && incident_duty_for_cause(lt_slice_cstr(j->cause), v->as_of) != NULL,
             LT_PEER_NOT_FOUND, "no rule for the cause \"%.60s\" is known of %s", j->cause,
             when_text(c, v->as_of));
    json_t *clocks = json_array();
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "rules", v->title, "as_of",
                          when_text(c, v->as_of), "start", when_text(c, start), "start_rule", rule->words,
                          "start_section", rule->section, "clocks", clocks);
    LT_ASSERT(o != NULL && json_array_append_new(all, o) == 0);
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < count; i++) {
        struct incident_due due = incident_duty_due(list[i], start);
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "duty", list[i]->id, "aim",
                                when_text(c, due.aim), "due", when_text(c, due.due), "section",
                                list[i]->section, "limit", limit_text(c, list[i]));
        LT_ASSERT(row != NULL && json_array_append_new(clocks, row) == 0);
        const char *const cells[] = {list[i]->id, when_text(c, due.aim), when_text(c, due.due),
                                     limit_text(c, list[i]), list[i]->section};
        LT_TRY(cmd_table_row(t, cells));
    }
    if (c->json) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("By %s (%s) its clocks began at %s:\n  %s (%s)\n\n", v->title, when_text(c, v->as_of),
                      when_text(c, start), rule->words, rule->section));
    LT_TRY(cmd_table_print(t));
    return cmd_printf("\n");
}

static lt_res list_recorded(struct cmd *c)
{
    static const char *const heads[] = {"NAME", "SOURCE", "CAUSE", "TITLE", "NOTE"};
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    LT_ASSERT(all != NULL);
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < incident_recorded_count; i++) {
        const struct incident_recorded *r = &incident_recorded[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", r->name, "title", r->title, "source",
                              r->source, "cause", r->cause, "note", r->note);
        LT_ASSERT(o != NULL && json_array_append_new(all, o) == 0);
        const char *const cells[] = {r->name, r->source, r->cause, r->title, r->note};
        LT_TRY(cmd_table_row(t, cells));
    }
    return c->json ? cmd_print_json(all) : cmd_table_print(t);
}

static lt_res run_judge(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    struct judged j = {0};
    struct verdict then = {.title = "the rules of that day"};
    struct verdict now = {.title = "the rules of today", .as_of = c->now};
    LT_ASSERT(all != NULL);
    if (cmd_flag(c, "list")) {
        return list_recorded(c);
    }
    LT_TRY(read_case(c, &j));
    then.as_of = day_of(&j);
    LT_CHECK(then.as_of.us != 0, LT_PEER_USAGE, "give --received, --found or --confirmed");
    if (cmd_value(c, "as-of") != NULL) {
        then.title = "the rules of the chosen day";
        LT_TRY(as_of(c, c->now, &then.as_of));
        LT_TRY(judge_one(c, &j, &then, all));
    } else {
        LT_TRY(judge_one(c, &j, &then, all));
        LT_TRY(judge_one(c, &j, &now, all));
    }
    return c->json ? cmd_print_json(all) : LT_OK;
}

static const struct cmd_option list_options[] = {
    {"as-of", "DATE", "what was in force then (default: now)", false, NULL},
    {"all", NULL, "every row, in force or not", false, NULL},
    {"starts", NULL, "when clocks begin, by how a case came to light", false, NULL},
};
static const struct cmd_option judge_options[] = {
    {"as-of", "DATE", "by the rules of that day alone (default: of its day, and of today)", false, NULL},
    {"source", "WORD", "how it came to light", false,
     "problem-report design-review pre-issuance-lint post-issuance periodic-review audit monitor person"},
    {"cause", "NAME", "why certificates must be revoked: caa-unreliable, smime/misuse", false, NULL},
    {"received", "WHEN", "when somebody told us", false, NULL},
    {"found", "WHEN", "when it was before our eyes", false, NULL},
    {"confirmed", "WHEN", "when we were sure", false, NULL},
    {"list", NULL, "the incidents of the record", false, NULL},
};

const struct cmd_verb cmd_duty_list = {
    .name = "duty list",
    .words = "",
    .summary = "list the duties with a clock, as the rules are at a date",
    .help = "Each duty is a row of data/duties with its dates, its limit and its source. Needs no CA.\n"
            "\n"
            "examples:\n"
            "  lintel duty list\n"
            "  lintel duty list --as-of 2020-02-29\n"
            "  lintel duty list --starts\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_duty_show = {
    .name = "duty show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one duty with every period of its rule",
    .help = "examples:\n  lintel duty show irg-1\n  lintel duty show revoke-tls/caa-unreliable\n",
    .run = run_show,
};
const struct cmd_verb cmd_duty_judge = {
    .name = "duty judge",
    .words = "[INCIDENT]",
    .words_most = 1,
    .summary =
        "say when an incident's clocks began and ended, by the rules of its day, of today, or of any day",
    .help =
        "INCIDENT is one of the record (--list); or give how it came to light, its cause and the instants\n"
        "that are known. Needs no CA.\n"
        "\n"
        "examples:\n"
        "  lintel duty judge le-caa-2020\n"
        "  lintel duty judge le-caa-2020 --as-of 2026-11-22\n"
        "  lintel duty judge --source problem-report --cause key-compromise --received "
        "2026-11-22T08:00:00Z\n",
    .options = judge_options,
    .option_count = LT_COUNT(judge_options),
    .run = run_judge,
};
