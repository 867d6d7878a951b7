/* lintel drill record, calendar, plan, drop, rehearse, rehearsal: what a CA keeps of its drills. A rehearsal
 * is the one drill on certificates that are in use: it moves renewal windows, revokes nothing, and counts who
 * reacted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/drill.h"
#include "cmd/list.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum {
    RECORD_FILE_MAX = 1024 * 1024,
    PATH_SIZE = 200,
    QUERY_MAX = 8192,
    PAGE = 400,
    REHEARSED_MAX = 100000,
    HOURS_MAX = 336
};

/* ---- record ---- */

/* What goes into the book: the score without the steps. */
static char *score_of(const json_t *record)
{
    LT_CLEANUP(cmd_json_freep)
    json_t *score = json_copy((json_t *)(uintptr_t)record); /* shallow; only read */
    LT_ASSERT(score != NULL);
    (void)json_object_del(score, "steps"); /* may have none */
    return json_dumps(score, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

static const char *join(struct cmd *c, const json_t *list)
{
    struct lt_buf out;
    lt_buf_init(&out, 4000);
    for (size_t i = 0; i < json_array_size(list); i++) {
        lt_buf_addf(&out, "%s%s", i == 0 ? "" : "; ", json_string_value(json_array_get(list, i)));
    }
    const char *text = lt_arena_cstr(&c->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return text == NULL ? "" : text;
}

static lt_res payload_of(struct cmd *c, const json_t *record, lt_slice file, json_t **ret_payload)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct lt_buf hex;
    uint64_t date = 0;
    char *score = score_of(record);
    LT_TRY(cmd_number(c, "date", 0, UINT32_MAX, &date));
    crypto_sha256(file, hash);
    lt_buf_init(&hex, 2 * sizeof hash + 1);
    lt_hex_add(&hex, LT_SLICE(hash, sizeof hash));
    *ret_payload = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:s, s:s%, s:s, s:s, s:I}", "scenario",
        cmd_text(record, "scenario"), "kind", cmd_text(record, "kind"), "mode", cmd_text(record, "mode"),
        "seed", (json_int_t)cmd_int(record, "seed"), "certificates",
        (json_int_t)cmd_int(record, "certificates"), "begun", cmd_text(record, "begun"), "ended",
        cmd_text(record, "ended"), "passed", json_is_true(json_object_get(record, "passed")), "missed",
        join(c, json_object_get(record, "missed")), "sha256", (const char *)hex.ptr, hex.len, "record",
        score == NULL ? "" : score, "findings", cmd_value_or(c, "findings", ""), "date", (json_int_t)date);
    lt_buf_done(&hex);
    free(score);
    LT_CHECK(*ret_payload != NULL, LT_PEER_USAGE, "no record of a drill, or text that is no UTF-8");
    return LT_OK;
}

static lt_res run_record(struct cmd *c)
{
    lt_slice file;
    LT_CLEANUP(cmd_json_freep) json_t *record = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, c->args.words[0], RECORD_FILE_MAX, &file));
    record = json_loadb((const char *)file.ptr, file.len, 0, NULL);
    LT_CHECK(record != NULL && cmd_text(record, "scenario")[0] != 0 && cmd_text(record, "kind")[0] != 0,
             LT_PEER_USAGE, "%.150s is no record of a drill; `drill run` writes drill/out/record.json",
             c->args.words[0]);
    LT_TRY(payload_of(c, record, file, &payload));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would record the %s %s, which %s; add --yes to do it", cmd_text(record, "kind"),
                         cmd_text(record, "scenario"),
                         json_is_true(json_object_get(record, "passed")) ? "met every clock" : "missed some");
    }
    LT_TRY(cmd_api_post(c, "drills", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("recorded as drill %lld\n", (long long)cmd_int(answer, "id"));
}

/* ---- calendar ---- */

static lt_res print_dates(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ID", "DUE", "STATUS", "SCENARIO", "KIND", "OWNER", "DRILL"};
    size_t i;
    const json_t *one;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "dates"), i, one)
    {
        const char *id = lt_arena_printf(&c->arena, "%lld", (long long)cmd_int(one, "id"));
        const char *drill = lt_arena_printf(&c->arena, "%lld", (long long)cmd_int(one, "drill"));
        LT_ASSERT(id != NULL && drill != NULL);
        bool late = json_is_true(json_object_get(one, "late")) &&
                    strcmp(cmd_text(one, "status"), "planned") == 0;
        const char *const cells[] = {id,
                                     cmd_text(one, "due"),
                                     late ? "LATE" : cmd_text(one, "status"),
                                     cmd_text(one, "scenario")[0] == 0 ? "any" : cmd_text(one, "scenario"),
                                     cmd_text(one, "kind"),
                                     cmd_text(one, "owner"),
                                     cmd_int(one, "drill") == 0 ? "" : drill};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res list(struct cmd *c, const char *path, const char *key, json_t **ret)
{
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, path, key, &query, ret);
    lt_buf_done(&query);
    return r;
}

static lt_res run_calendar(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(list(c, "drill-dates", "dates", &answer));
    return c->json ? cmd_print_json(answer) : print_dates(c, answer);
}

static lt_res run_held(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "drills",
        .key = "drills",
        .columns = {{"ID", "id", 0},
                    {"ENDED", "ended", 0},
                    {"SCENARIO", "scenario", 0},
                    {"KIND", "kind", 0},
                    {"MODE", "mode", 0},
                    {"CERTIFICATES", "certificates", 0},
                    {"PASSED", "passed", 0},
                    {"BY", "recorded_by", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_plan(struct cmd *c)
{
    lt_time due;
    char text[LT_RFC3339_SIZE];
    uint64_t every = 0;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *owner = cmd_value(c, "owner");
    LT_CHECK(owner != NULL && cmd_value(c, "due") != NULL, LT_PEER_USAGE,
             "--owner NAME and --due DAY are needed");
    LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(cmd_value(c, "due")), &due)), LT_PEER_USAGE,
             "--due %.40s: write 2027-03-01", cmd_value(c, "due"));
    LT_TRY(cmd_number(c, "every-days", 0, 366, &every));
    lt_time_rfc3339(due, text);
    payload = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "scenario",
                        c->args.word_count > 0 ? c->args.words[0] : "", "kind",
                        cmd_value_or(c, "kind", "simulation"), "owner", owner, "due", text, "every-days",
                        (json_int_t)every, "note", cmd_value_or(c, "note", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_TRY(cmd_api_post(c, "drill-dates", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("planned as %lld, due %s; its clock runs\n", (long long)cmd_int(answer, "id"),
                                cmd_text(answer, "due"));
}

static lt_res number_word(const struct cmd *c, uint64_t *ret)
{
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->args.words[0]), UINT32_MAX, ret)), LT_PEER_USAGE,
             "\"%.40s\" is no number", c->args.words[0]);
    return LT_OK;
}

static lt_res run_drop(struct cmd *c)
{
    uint64_t id = 0;
    char path[PATH_SIZE];
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(number_word(c, &id));
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT is needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would drop the drill planned as %llu; add --yes to do it",
                         (unsigned long long)id);
    }
    payload = json_pack("{s:s}", "why", cmd_value(c, "why"));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--why is no UTF-8");
    (void)snprintf(path, sizeof path, "drill-dates/%llu/drop", (unsigned long long)id);
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("dropped\n");
}

/* ---- rehearsals ---- */

static lt_res add_page(struct cmd *c, long long id, const json_t *certificates)
{
    struct lt_buf words;
    char path[PATH_SIZE];
    size_t i;
    const json_t *one;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_buf_init(&words, 32 * 1024);
    json_array_foreach(certificates, i, one)
    {
        lt_buf_addf(&words, "%s%s:%s", i == 0 ? "" : " ", cmd_text(one, "issuer"), cmd_text(one, "serial"));
    }
    lt_res r = lt_buf_check(&words);
    payload = lt_failed(r) ? NULL : json_pack("{s:s%}", "certificates", (const char *)words.ptr, words.len);
    lt_buf_done(&words);
    LT_TRY(r);
    LT_ASSERT(payload != NULL);
    (void)snprintf(path, sizeof path, "rehearsals/%lld/certificates", id);
    return cmd_api_post(c, path, payload, &answer);
}

/* The first so many of the expression, a page at a time. */
static lt_res add_all(struct cmd *c, long long id, const char *scope, uint64_t sample, uint64_t *ret_count)
{
    const char *cursor = "";
    *ret_count = 0;
    do {
        struct lt_buf query;
        char path[PATH_SIZE];
        LT_CLEANUP(cmd_json_freep) json_t *page = NULL;
        uint64_t left = sample - *ret_count;
        lt_buf_init(&query, QUERY_MAX);
        (void)snprintf(path, sizeof path, "%llu", (unsigned long long)(left < PAGE ? left : PAGE));
        cmd_query_add(&query, "limit", path);
        cmd_query_add(&query, "cursor", cursor[0] == 0 ? NULL : cursor);
        const char *target = lt_arena_printf(&c->arena, "scope/list?%.*s", LT_FMT(lt_buf_slice(&query)));
        lt_buf_done(&query);
        LT_CHECK(target != NULL, LT_PEER_TOO_LARGE, "too many pages");
        LT_TRY(cmd_api_ask(c, target, "text/plain", lt_slice_cstr(scope), &page));
        const json_t *certificates = json_object_get(page, "certificates");
        *ret_count += json_array_size(certificates);
        LT_TRY(json_array_size(certificates) == 0 ? LT_OK : add_page(c, id, certificates));
        cursor = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(page, "next")));
        LT_CHECK(cursor != NULL, LT_PEER_TOO_LARGE, "too many pages");
    } while (cursor[0] != 0 && *ret_count < sample);
    return LT_OK;
}

static lt_res count(struct cmd *c, const char *scope, int64_t *ret_count)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(cmd_api_ask(c, "scope/count", "text/plain", lt_slice_cstr(scope), &answer));
    *ret_count = cmd_int(answer, "count");
    return LT_OK;
}

static lt_res begin_rehearsal(struct cmd *c, const char *scope, uint64_t sample, uint64_t hours)
{
    char start[LT_RFC3339_SIZE];
    char end[LT_RFC3339_SIZE];
    uint64_t added = 0;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_time_rfc3339(lt_time_add_seconds(c->now, -3600), start);
    lt_time_rfc3339(lt_time_add_seconds(c->now, (int64_t)hours * 3600), end);
    payload = json_pack("{s:s, s:s, s:s, s:s, s:s}", "note", cmd_value_or(c, "note", scope), "explanation",
                        cmd_value_or(c, "explanation", ""), "start", start, "end", end, "until", end);
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_TRY(cmd_api_post(c, "rehearsals", payload, &answer));
    LT_TRY(add_all(c, (long long)cmd_int(answer, "id"), scope, sample, &added));
    return c->json ? cmd_printf("{\"id\":%lld,\"certificates\":%llu,\"until\":\"%s\"}\n",
                                (long long)cmd_int(answer, "id"), (unsigned long long)added, end)
                   : cmd_printf("rehearsal %lld: the windows of %llu certificates are moved until %s\n"
                                "lintel drill rehearsal %lld   says who reacted\n",
                                (long long)cmd_int(answer, "id"), (unsigned long long)added, end,
                                (long long)cmd_int(answer, "id"));
}

static lt_res run_rehearse(struct cmd *c)
{
    int64_t all = 0;
    uint64_t sample = 0;
    uint64_t hours = 0;
    const char *scope = c->args.words[0];
    LT_TRY(cmd_number(c, "certificates", 100, REHEARSED_MAX, &sample));
    LT_TRY(cmd_number(c, "hours", 24, HOURS_MAX, &hours));
    LT_CHECK(sample > 0 && hours > 0, LT_PEER_USAGE, "--certificates and --hours: at least 1");
    LT_TRY(count(c, scope, &all));
    LT_CHECK(all > 0, LT_PEER_NOT_FOUND, "no certificate is in that scope");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(
            c,
            "would move the renewal windows of %llu of %lld certificates to now, for %llu hours; "
            "nothing is revoked; add --yes to do it",
            (unsigned long long)((uint64_t)all < sample ? (uint64_t)all : sample), (long long)all,
            (unsigned long long)hours);
    }
    return begin_rehearsal(c, scope, sample, hours);
}

static lt_res print_rehearsal(const json_t *r)
{
    size_t i;
    const json_t *one;
    long long all = (long long)cmd_int(r, "count");
    LT_TRY(cmd_printf("rehearsal %lld: %s, windows until %s\n  %s\n  reacted   %lld of %lld (%.1f %%)\n",
                      (long long)cmd_int(r, "id"), cmd_text(r, "status"), cmd_text(r, "until"),
                      cmd_text(r, "note"), (long long)cmd_int(r, "reacted"), all,
                      all == 0 ? 0.0 : 100.0 * (double)cmd_int(r, "reacted") / (double)all));
    json_array_foreach(json_object_get(r, "accounts"), i, one)
    {
        LT_TRY(cmd_printf("  account %-12lld %6lld of %lld\n", (long long)cmd_int(one, "account"),
                          (long long)cmd_int(one, "reacted"), (long long)cmd_int(one, "certificates")));
    }
    return LT_OK;
}

static lt_res run_rehearsal(struct cmd *c)
{
    uint64_t id = 0;
    char path[PATH_SIZE];
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    if (c->args.word_count == 0) {
        LT_TRY(list(c, "rehearsals", "rehearsals", &answer));
        return cmd_print_json(answer);
    }
    LT_TRY(number_word(c, &id));
    if (cmd_flag(c, "end")) {
        LT_CLEANUP(cmd_json_freep) json_t *payload = json_pack("{s:s}", "why", "ended by hand");
        LT_CLEANUP(cmd_json_freep) json_t *done = NULL;
        LT_ASSERT(payload != NULL);
        (void)snprintf(path, sizeof path, "rehearsals/%llu/end", (unsigned long long)id);
        LT_TRY(cmd_api_post(c, path, payload, &done));
    }
    (void)snprintf(path, sizeof path, "rehearsals/%llu", (unsigned long long)id);
    LT_TRY(cmd_api_get(c, path, &answer));
    return c->json ? cmd_print_json(answer) : print_rehearsal(answer);
}

/* ---- a drill's world ---- */

static lt_res run_react(struct cmd *c)
{
    uint64_t percent = 0;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(cmd_number(c, "percent", 100, 100, &percent));
    payload = json_pack("{s:s, s:I}", "mass", c->args.words[0], "percent", (json_int_t)percent);
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_api_post(c, "drill-reactions", payload, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("reaction %lld\n", (long long)cmd_int(answer, "id"));
}

static lt_res run_reactions(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(list(c, "drill-reactions", "reactions", &answer));
    return cmd_print_json(answer);
}

static const struct cmd_option record_options[] = {
    {"date", "ID", "of the calendar, which this drill keeps", false, NULL},
    {"findings", "TEXT", "what is to be changed", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option plan_options[] = {
    {"kind", "WORD", "simulation (default), tabletop or rehearsal", false, "simulation tabletop rehearsal"},
    {"owner", "NAME", "who sees to it", false, NULL},
    {"due", "DAY", "until when; its clock runs from now on", false, NULL},
    {"every-days", "N", "the next is due so long after it was held; 365 for the annual test", false, NULL},
    {"note", "TEXT", "kept with it", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option drop_options[] = {
    {"why", "TEXT", "kept with the event", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option rehearse_options[] = {
    {"certificates", "N", "the first so many of the scope (default: 100)", false, NULL},
    {"hours", "N", "how long the windows stay moved (default: 24, at most 336)", false, NULL},
    {"note", "TEXT", "kept with it", false, NULL},
    {"explanation", "URL", "that renewal information points to", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option rehearsal_options[] = {
    {"end", NULL, "put the windows back now", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option react_options[] = {
    {"percent", "N", "of those that were not replaced (default: 100)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_drill_record = {
    .name = "drill record",
    .words = "FILE",
    .words_least = 1,
    .words_most = 1,
    .summary = "file the record of a drill in the CA's book",
    .help = "FILE is drill/out/record.json of `drill run`, or what `drill tabletop --out` wrote. It is the "
            "record of the\n"
            "annual test of the mass revocation plan (BR 5.7.1.2), and meets its clock.\n"
            "\n"
            "examples:\n"
            "  lintel drill record /var/tmp/drill/drill/out/record.json --date 1 --yes\n",
    .options = record_options,
    .option_count = LT_COUNT(record_options),
    .run = run_record,
};
const struct cmd_verb cmd_drill_held = {
    .name = "drill held",
    .words = "",
    .summary = "list the drills that were recorded",
    .help = "examples:\n  lintel drill held\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_held,
};
const struct cmd_verb cmd_drill_calendar = {
    .name = "drill calendar",
    .words = "",
    .summary = "list which drills are due, and who sees to them",
    .help = "examples:\n  lintel drill calendar\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_calendar,
};
const struct cmd_verb cmd_drill_plan = {
    .name = "drill plan",
    .words = "[SCENARIO]",
    .words_most = 1,
    .summary = "put a drill into the calendar, with a clock that runs",
    .help = "examples:\n"
            "  lintel drill plan le-caa-2020 --owner compliance --due 2027-03-01 --every-days 365\n",
    .options = plan_options,
    .option_count = LT_COUNT(plan_options),
    .run = run_plan,
};
const struct cmd_verb cmd_drill_drop = {
    .name = "drill drop",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "take a drill out of the calendar",
    .help = "examples:\n  lintel drill drop 3 --why 'held with drill 2' --yes\n",
    .options = drop_options,
    .option_count = LT_COUNT(drop_options),
    .run = run_drop,
};
const struct cmd_verb cmd_drill_rehearse = {
    .name = "drill rehearse",
    .words = "SCOPE",
    .words_least = 1,
    .words_most = 1,
    .summary = "move the renewal windows of some certificates in use, and see who reacts",
    .help = "As an incident would move them; nothing is revoked, halted or written to anybody. When its time "
            "is over the\n"
            "windows go back to what they were. A certificate whose window an incident has moved stays as it "
            "is.\n"
            "\n"
            "examples:\n"
            "  lintel drill rehearse 'account = 1017 and valid' --certificates 50 --hours 48 --yes\n",
    .options = rehearse_options,
    .option_count = LT_COUNT(rehearse_options),
    .run = run_rehearse,
};
const struct cmd_verb cmd_drill_rehearsal = {
    .name = "drill rehearsal",
    .words = "[ID]",
    .words_most = 1,
    .summary = "show who reacted to a rehearsal, by account",
    .help =
        "examples:\n  lintel drill rehearsal\n  lintel drill rehearsal 1\n  lintel drill rehearsal 1 --end\n",
    .options = rehearsal_options,
    .option_count = LT_COUNT(rehearsal_options),
    .run = run_rehearsal,
};
const struct cmd_verb cmd_drill_react = {
    .name = "drill react",
    .words = "MASS",
    .words_least = 1,
    .words_most = 1,
    .summary = "in a drill's book: clients react to the windows of a plan",
    .help = "So many of every hundred members of the frozen list that were not replaced count as replaced. "
            "No other book\n"
            "takes it.\n"
            "\n"
            "examples:\n"
            "  lintel drill react m467103463247873787 --percent 97\n",
    .options = react_options,
    .option_count = LT_COUNT(react_options),
    .run = run_react,
};
const struct cmd_verb cmd_drill_reactions = {
    .name = "drill reactions",
    .words = "",
    .summary = "in a drill's book: how many have reacted",
    .help = "examples:\n  lintel drill reactions\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_reactions,
};
