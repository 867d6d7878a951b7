/* lintel incident report check: anyone's reports held against the CCADB's guidelines. Needs no CA folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/incident_report.h"
#include "cmd/verbs.h"

enum { FILES_MAX = CMD_WORDS_MAX, PIECE = 1024 * 1024, CHECK_ARENA = 512 * 1024 * 1024 };

struct files {
    struct cmd *c;
    const struct incident_check *o;
    struct lt_arena *arena;
    struct incident_findings *out;
    struct incident_reading *reports[FILES_MAX];
    size_t report_count;
    struct incident_appendix *appendices[FILES_MAX]; /* owned */
    size_t appendix_count;
};

static lt_res read_rest(int fd, const char *path, uint8_t *piece, struct incident_appendix *x)
{
    ssize_t n = 1;
    while (n > 0) {
        n = read(fd, piece, PIECE);
        LT_CHECK(n >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
        incident_appendix_feed(x, LT_SLICE(piece, (size_t)n));
    }
    incident_appendix_end(x);
    return LT_OK;
}

static lt_res check_file(struct files *f, const char *path)
{
    lt_slice text;
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", path, strerror(errno));
    uint8_t *piece = lt_arena_alloc(f->arena, PIECE);
    LT_CHECK(piece != NULL, LT_PEER_TOO_LARGE, "too many files");
    ssize_t n = read(fd, piece, PIECE);
    LT_CHECK(n >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    if (incident_appendix_is(LT_SLICE(piece, (size_t)n))) {
        struct incident_appendix **x = &f->appendices[f->appendix_count];
        LT_TRY(incident_appendix_begin(f->o, path, f->arena, f->out, x));
        f->appendix_count++;
        incident_appendix_feed(*x, LT_SLICE(piece, (size_t)n));
        return read_rest(fd, path, piece, *x);
    }
    LT_TRY(lt_file_read(f->arena, AT_FDCWD, path, (size_t)16 * 1024 * 1024, &text));
    return incident_report_check(f->o, path, text, f->arena, f->out, &f->reports[f->report_count++]);
}

/* ---- what is said ---- */

static json_t *finding_json(const struct incident_finding *f)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "id", f->rule->id, "severity",
                     incident_severity_name(f->rule->severity), "file", f->file, "line", (int)f->line,
                     "section", f->section, "message", f->message, "asks", f->rule->asks, "citation",
                     f->rule->citation);
}

lt_res cmd_findings_json(const struct incident_findings *out, json_t **ret_list)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (size_t i = 0; i < out->count; i++) {
        json_t *row = finding_json(&out->list[i]);
        LT_CHECK(row != NULL && json_array_append_new(list, row) == 0, LT_PEER_USAGE,
                 "a file's name is no UTF-8");
    }
    *ret_list = list;
    return LT_OK;
}

size_t cmd_findings_count(const struct incident_findings *out, enum incident_severity severity)
{
    size_t n = 0;
    for (size_t i = 0; i < out->count; i++) {
        n += out->list[i].rule->severity == severity;
    }
    return n;
}

static lt_res say(const struct files *f)
{
    for (size_t i = 0; i < f->out->count; i++) {
        const struct incident_finding *x = &f->out->list[i];
        char line[32] = "";
        if (x->line > 0) {
            (void)snprintf(line, sizeof(line), ":%zu", x->line);
        }
        LT_TRY(cmd_printf("%s%s: %s: %s%s%s [%s; %s]\n", x->file, line,
                          incident_severity_name(x->rule->severity), x->section,
                          x->section[0] != 0 ? ": " : "", x->message, x->rule->id, x->rule->citation));
    }
    LT_TRY(f->out->left_off == 0 ? LT_OK
                                 : cmd_printf("%zu further findings were left off\n", f->out->left_off));
    return cmd_printf("%zu errors, %zu warnings in %zu files\n", cmd_findings_count(f->out, INCIDENT_ERROR),
                      cmd_findings_count(f->out, INCIDENT_WARNING), f->report_count + f->appendix_count);
}

static lt_res say_json(const struct files *f)
{
    LT_CLEANUP(cmd_json_freep) json_t *all = NULL;
    json_t *list = NULL;
    LT_TRY(cmd_findings_json(f->out, &list));
    all = json_pack("{s:i, s:i, s:i, s:o}", "errors", (int)cmd_findings_count(f->out, INCIDENT_ERROR),
                    "warnings", (int)cmd_findings_count(f->out, INCIDENT_WARNING), "left_off",
                    (int)f->out->left_off, "findings", list);
    LT_ASSERT(all != NULL);
    return cmd_print_json(all);
}

static lt_res check_all(struct files *f)
{
    for (size_t i = 0; i < f->c->args.word_count; i++) {
        LT_TRY(check_file(f, f->c->args.words[i]));
    }
    return incident_report_check_together(f->o, f->reports, f->report_count, f->appendices, f->appendix_count,
                                          f->arena, f->out);
}

lt_res cmd_check_files(struct cmd *c, const struct incident_check *o, struct lt_arena *a,
                       struct incident_findings *ret_findings)
{
    struct files f = {.c = c, .o = o, .arena = a, .out = ret_findings};
    incident_findings_init(ret_findings, a);
    lt_res r = check_all(&f);
    for (size_t i = 0; i < f.appendix_count; i++) {
        incident_appendix_freep(&f.appendices[i]);
    }
    return r;
}

static lt_res list_rules(const struct cmd *c)
{
    for (size_t i = 0; i < incident_report_rule_count; i++) {
        const struct incident_report_rule *r = &incident_report_rules[i];
        LT_TRY(c->json ? cmd_printf("{\"id\":\"%s\",\"severity\":\"%s\"}\n", r->id,
                                    incident_severity_name(r->severity))
                       : cmd_printf("%-24s %-8s %s (%s)\n", r->id, incident_severity_name(r->severity),
                                    r->asks, r->citation));
    }
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    struct incident_findings out;
    struct lt_arena a;
    struct incident_check o = {
        .now = c->now,
        .delayed = cmd_flag(c, "revocation-delay"),
        .third_party = cmd_flag(c, "third-party"),
        .title = cmd_value(c, "title"),
    };
    if (cmd_flag(c, "rules")) {
        return list_rules(c);
    }
    LT_CHECK(c->args.word_count > 0, LT_PEER_USAGE, "which files? see lintel incident report check --help");
    if (cmd_value(c, "as-of") != NULL) {
        lt_res r = lt_time_parse_or_day(lt_slice_cstr(cmd_value(c, "as-of")), &o.now);
        LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--as-of %.40s is no time: write 2027-01-31",
                 cmd_value(c, "as-of"));
    }
    lt_arena_init(&a, CHECK_ARENA);
    struct files f = {.c = c, .o = &o, .arena = &a, .out = &out};
    incident_findings_init(&out, &a);
    lt_res r = check_all(&f);
    r = lt_failed(r) ? r : c->json ? say_json(&f) : say(&f);
    bool errors = cmd_findings_count(&out, INCIDENT_ERROR) > 0;
    bool strict = cmd_flag(c, "strict") && cmd_findings_count(&out, INCIDENT_WARNING) > 0;
    c->findings = errors || strict;
    for (size_t i = 0; i < f.appendix_count; i++) {
        incident_appendix_freep(&f.appendices[i]);
    }
    lt_arena_done(&a);
    return r;
}

static const struct cmd_option options[] = {
    {"title", "TEXT", "the bug's summary, checked as well", false, NULL},
    {"revocation-delay", NULL, "the bug has that label: a delayed revocation is explained", false, NULL},
    {"third-party", NULL, "a preliminary report that somebody else than the CA filed", false, NULL},
    {"as-of", "TIME", "judge as on that day (default: now)", false, NULL},
    {"strict", NULL, "warnings count as errors do", false, NULL},
    {"rules", NULL, "list what is checked", false, NULL},
};

const struct cmd_verb cmd_incident_report_check = {
    .name = "incident report check",
    .words = "FILE…",
    .words_least = 0,
    .words_most = FILES_MAX,
    .summary = "check anyone's incident report against the CCADB's guidelines",
    .help =
        "Reports in Markdown, appendices as CSV or as a list of crt.sh, told apart by what is in them. Those "
        "of one\nincident are given together: numbers, sources and action items are then held against each "
        "other.\nNeeds no CA folder. Ends with 6 when there is an error, 0 when there are only warnings.\n\n"
        "examples:\n"
        "  lintel incident report check full.md certificates.csv\n"
        "  lintel incident report check --title 'Example CA: late CRL' preliminary.md\n"
        "  lintel incident report check --rules\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
