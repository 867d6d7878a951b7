/* lintel incident report: compiles a report with its appendix and drawings into a folder, and says what a
 * person still has to write, who, and until when. lintel incident handed: it left the house. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cmd/incident_report.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum {
    REPORT_MAX = 8 * 1024 * 1024,
    RELATED_BYTES = 4 * 1024 * 1024,
    PATH_SIZE = 256,
    CHECK_ARENA = 512 * 1024 * 1024
};

struct compile {
    struct cmd *c;
    const char *id;
    const char *kind;
    const char *folder;
    const char *token; /* of a restricted one; "" */
    json_t *facts;     /* owned */
    json_t *files;     /* owned: names in the folder */
    struct incident_numbers *numbers;
    struct incident_sections sections;
    lt_time now; /* of the book */
};

static lt_res check_id(const char *id)
{
    size_t len = strlen(id);
    LT_CHECK(len > 0 && len < 19 && strspn(id, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no number of an incident: lintel incident list", id);
    return LT_OK;
}

static lt_res write_file(struct compile *p, const char *name, lt_slice text)
{
    char *path = lt_arena_printf(&p->c->arena, "%s/%s", p->folder, name);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "--out: the path is too long");
    LT_TRY(lt_file_replace(AT_FDCWD, path, 0644, text));
    LT_CHECK(json_array_append_new(p->files, json_string(name)) == 0, LT_PEER_USAGE, "--out: no UTF-8");
    return LT_OK;
}

/* Rows of the program, then those of the operator: newer ones, other CAs'. */
static lt_res related_rows(struct compile *p, const char **ret_text)
{
    const char *path = cmd_value(p->c, "related");
    lt_slice own = {NULL, 0};
    if (path != NULL) {
        LT_TRY(lt_file_read(&p->c->arena, AT_FDCWD, path, RELATED_BYTES, &own));
    }
    *ret_text = lt_arena_printf(&p->c->arena, "%s%.*s", incident_related_rows, LT_FMT(own));
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "--related: the file is too large");
    return LT_OK;
}

static const char *joined(struct compile *p)
{
    struct lt_buf b;
    size_t i;
    json_t *name;
    lt_buf_init(&b, 4096);
    json_array_foreach(p->files, i, name)
    {
        lt_buf_addf(&b, "%s%s", i == 0 ? "" : ", ", json_string_value(name));
    }
    const char *text = lt_arena_cstr(&p->c->arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return text != NULL ? text : "";
}

static lt_res write_drawings(struct compile *p, unsigned kind)
{
    struct lt_buf b;
    lt_res r = LT_OK;
    lt_buf_init(&b, REPORT_MAX);
    if ((kind & INCIDENT_REPORT_FULLS) != 0 && json_array_size(json_object_get(p->facts, "bones")) > 0) {
        incident_fishbone_svg(p->facts, &b);
        r = write_file(p, "fishbone.svg", lt_buf_slice(&b));
    }
    lt_buf_reset(&b);
    if (!lt_failed(r) && kind == INCIDENT_REPORT_DELAYED && p->numbers->known && p->numbers->total > 0) {
        incident_runoff_svg(p->facts, p->numbers, &b);
        r = write_file(p, "run-off.svg", lt_buf_slice(&b));
    }
    lt_buf_done(&b);
    return r;
}

/* Who has to write or sign what, until when: for the meeting, and for the folder. */
static lt_res write_sections(struct compile *p)
{
    struct lt_buf b;
    lt_buf_init(&b, 256 * 1024);
    lt_buf_add_cstr(&b, "SECTION\tSTATE\tOWNER\tDUE\tBY\n");
    for (size_t i = 0; i < p->sections.count; i++) {
        const struct incident_section *s = &p->sections.list[i];
        char due[LT_RFC3339_SIZE] = "-";
        if (s->due.us != 0) {
            lt_time_rfc3339(s->due, due);
        }
        lt_buf_addf(&b, "%s\t%s\t%s\t%s\t%s\n", s->id, s->state, s->role, due, s->by[0] != 0 ? s->by : "-");
    }
    lt_res r = write_file(p, "sections.tsv", lt_buf_slice(&b));
    lt_buf_done(&b);
    return r;
}

static lt_res write_report(struct compile *p, unsigned kind, const char *name)
{
    struct lt_buf out;
    struct incident_writing w = {
        .facts = p->facts, .kind = kind, .numbers = p->numbers, .appendix = joined(p), .now = p->now};
    LT_TRY(related_rows(p, &w.related));
    lt_buf_init(&out, REPORT_MAX);
    lt_res r = incident_report_write(&w, &p->c->arena, &out, &p->sections);
    r = lt_failed(r) ? r : write_file(p, name, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res compile(struct compile *p, unsigned kind, const char *name)
{
    const struct incident_listing l = {
        .id = p->id,
        .folder = p->folder,
        .token = p->token,
        .facts = p->facts,
        .delayed = kind == INCIDENT_REPORT_DELAYED,
        .appendix = (kind & INCIDENT_REPORT_FULLS) != 0 && !cmd_flag(p->c, "no-appendix"),
        .now = p->now,
    };
    if ((kind & INCIDENT_REPORT_FULLS) != 0) {
        LT_TRY(cmd_incident_members(p->c, &l, p->numbers, p->files));
    }
    LT_TRY(write_drawings(p, kind));
    LT_TRY(write_report(p, kind, name));
    return write_sections(p);
}

/* ---- what is said ---- */

static lt_res sections_json(const struct compile *p, json_t **ret_list)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (size_t i = 0; i < p->sections.count; i++) {
        const struct incident_section *s = &p->sections.list[i];
        char due[LT_RFC3339_SIZE] = "";
        if (s->due.us != 0) {
            lt_time_rfc3339(s->due, due);
        }
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "section", s->id, "state", s->state, "owner",
                                s->role, "due", due, "by", s->by);
        LT_CHECK(row != NULL && json_array_append_new(list, row) == 0, LT_STATE_CORRUPT, "no UTF-8");
    }
    *ret_list = list;
    return LT_OK;
}

static lt_res say(struct compile *p, const char *name, const struct incident_findings *found)
{
    LT_CLEANUP(cmd_json_freep) json_t *all = NULL;
    json_t *sections = NULL;
    json_t *findings = NULL;
    int errors = (int)cmd_findings_count(found, INCIDENT_ERROR);
    int warnings = (int)cmd_findings_count(found, INCIDENT_WARNING);
    if (p->c->json) {
        LT_TRY(sections_json(p, &sections));
        LT_TRY(cmd_findings_json(found, &findings));
        all = json_pack("{s:I, s:s, s:s, s:O, s:i, s:i, s:i, s:i, s:I, s:o, s:o}", "incident",
                        (json_int_t)strtoll(p->id, NULL, 10), "kind", p->kind, "file", name, "files",
                        p->files, "missing", (int)p->sections.missing, "unsigned", (int)p->sections.unsigned_,
                        "errors", errors, "warnings", warnings, "certificates", (json_int_t)p->numbers->total,
                        "sections", sections, "findings", findings);
        LT_CHECK(all != NULL, LT_STATE_CORRUPT, "an answer that is no UTF-8");
        return cmd_print_json(all);
    }
    LT_TRY(cmd_printf(
        "%s/%s: %zu sections to be written, %zu not signed off; the check has %d errors, %d warnings\n",
        p->folder, name, p->sections.missing, p->sections.unsigned_, errors, warnings));
    for (size_t i = 0; i < p->sections.count; i++) {
        const struct incident_section *s = &p->sections.list[i];
        char due[LT_RFC3339_SIZE] = "";
        if (s->due.us != 0) {
            lt_time_rfc3339(s->due, due);
        }
        if (strcmp(s->state, "missing") == 0) {
            LT_TRY(cmd_printf("  %-24s %s%s%s\n", s->id, s->role, due[0] != 0 ? ", until " : "", due));
        }
    }
    return LT_OK;
}

/* Held against the guidelines at once, with its appendix: who compiles a report sees what it lacks. */
static lt_res check(struct compile *p, unsigned kind, struct lt_arena *a, struct incident_findings *ret_found)
{
    struct cmd inner = *p->c;
    char *words[CMD_WORDS_MAX];
    const struct incident_check o = {.now = p->now, .delayed = kind == INCIDENT_REPORT_DELAYED};
    size_t i;
    json_t *name;
    inner.args.words = words;
    inner.args.word_count = 0;
    json_array_foreach(p->files, i, name)
    {
        const char *text = json_string_value(name);
        bool mine = strstr(text, ".md") != NULL || strcmp(text, "certificates.csv") == 0 ||
                    strcmp(text, "certificates.txt") == 0;
        if (mine && inner.args.word_count < CMD_WORDS_MAX) {
            words[inner.args.word_count] = lt_arena_printf(a, "%s/%s", p->folder, text);
            LT_CHECK(words[inner.args.word_count] != NULL, LT_PEER_TOO_LARGE, "--out: the path is too long");
            inner.args.word_count++;
        }
    }
    return cmd_check_files(&inner, &o, a, ret_found);
}

/* A restricted incident is for those who have a role in it: they sign for the question. */
static lt_res ask_for_grant(struct compile *p)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    p->token = "";
    if (!cmd_flag(p->c, "mine")) {
        return LT_OK;
    }
    (void)snprintf(path, sizeof path, "incidents/%s/report/grant", p->id);
    LT_TRY(cmd_api_post(p->c, path, payload, &answer));
    p->token = lt_arena_cstr(&p->c->arena, lt_slice_cstr(cmd_text(answer, "token")));
    LT_CHECK(p->token != NULL, LT_PEER_TOO_LARGE, "no room");
    return LT_OK;
}

static lt_res run_all(struct compile *p)
{
    struct incident_findings found;
    struct lt_arena a;
    unsigned kind = incident_report_kind_of(lt_slice_cstr(p->kind));
    char path[PATH_SIZE];
    LT_TRY(ask_for_grant(p));
    (void)snprintf(path, sizeof path, "incidents/%s/report?by=%s", p->id, p->token);
    LT_TRY(cmd_api_get(p->c, path, &p->facts));
    p->now = incident_fact_time(p->facts, "now");
    LT_CHECK(mkdir(p->folder, 0755) == 0 || errno == EEXIST, LT_PEER_USAGE, "--out %.150s: %s", p->folder,
             strerror(errno));
    char *name = lt_arena_printf(&p->c->arena, "%s.md", p->kind);
    LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "no room");
    LT_TRY(compile(p, kind, name));
    lt_arena_init(&a, CHECK_ARENA);
    lt_res r = check(p, kind, &a, &found);
    r = lt_failed(r) ? r : say(p, name, &found);
    lt_arena_done(&a);
    return r;
}

static lt_res run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *facts = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *files = json_array();
    struct compile p = {.c = c,
                        .id = c->args.words[0],
                        .kind = cmd_value(c, "kind"),
                        .folder = cmd_value(c, "out"),
                        .files = files,
                        .numbers = LT_NEW(&c->arena, struct incident_numbers)};
    LT_TRY(check_id(p.id));
    LT_CHECK(p.kind != NULL && p.folder != NULL, LT_PEER_USAGE,
             "--kind preliminary, full, delayed or closure and --out DIR are needed");
    LT_CHECK(files != NULL && p.numbers != NULL, LT_PEER_TOO_LARGE, "no room");
    lt_res r = run_all(&p);
    facts = p.facts;
    (void)facts; /* freed with the block */
    return r;
}

/* ---- handed over ---- */

/* What is handed over passes the check, and is what it is said to be; else somebody says why. */
static lt_res check_handed(struct cmd *c, char *file, lt_slice text, struct lt_arena *a)
{
    unsigned kind = incident_report_kind_of(lt_slice_cstr(cmd_value(c, "kind")));
    const struct incident_check o = {.now = c->now, .delayed = kind == INCIDENT_REPORT_DELAYED};
    struct incident_findings found;
    struct incident_reading *read = NULL;
    struct cmd inner = *c;
    inner.args.words = &file;
    inner.args.word_count = 1;
    incident_findings_init(&found, a);
    LT_TRY(incident_report_check(&o, file, text, a, &found, &read));
    unsigned is = read == NULL ? 0 : incident_report_kind(read);
    bool alike = is == kind || ((is & INCIDENT_REPORT_FULLS) != 0 && (kind & INCIDENT_REPORT_FULLS) != 0);
    LT_CHECK(alike, LT_PEER_USAGE, "%.150s is no %s report; --anyway WORDS says why it is one", file,
             cmd_value(c, "kind"));
    LT_TRY(cmd_check_files(&inner, &o, a, &found));
    size_t errors = cmd_findings_count(&found, INCIDENT_ERROR);
    LT_CHECK(errors == 0, LT_PEER_USAGE,
             "%.150s has %zu errors (lintel incident report check); --anyway WORDS says why it goes out so",
             file, errors);
    return LT_OK;
}

static lt_res checked(struct cmd *c, const char *path, lt_slice text)
{
    struct lt_arena a;
    char *file = lt_arena_printf(&c->arena, "%s", path);
    LT_CHECK(file != NULL, LT_PEER_USAGE, "--file: the path is too long");
    if (cmd_value(c, "anyway") != NULL || strcmp(cmd_value(c, "kind"), "update") == 0) {
        return LT_OK;
    }
    lt_arena_init(&a, CHECK_ARENA);
    lt_res r = check_handed(c, file, text, &a);
    lt_arena_done(&a);
    return r;
}

static lt_res run_handed(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    uint8_t hash[32];
    char hex[65];
    char path[PATH_SIZE];
    lt_slice text;
    const char *file = cmd_value(c, "file");
    LT_TRY(check_id(c->args.words[0]));
    LT_CHECK(file != NULL && cmd_value(c, "kind") != NULL && cmd_value(c, "where") != NULL, LT_PEER_USAGE,
             "--kind, --where and --file are needed: see lintel incident handed --help");
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, file, REPORT_MAX, &text));
    LT_TRY(checked(c, file, text));
    crypto_sha256(text, hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
    payload = json_pack("{s:s, s:s, s:s}", "kind", cmd_value(c, "kind"), "where", cmd_value(c, "where"),
                        "sha256", hex);
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--where is no UTF-8");
    LT_CHECK(cmd_value(c, "anyway") == NULL ||
                 json_object_set_new(payload, "anyway", json_string(cmd_value(c, "anyway"))) == 0,
             LT_PEER_USAGE, "--anyway is no UTF-8");
    if (cmd_value(c, "at") != NULL) {
        lt_time at;
        char when[LT_RFC3339_SIZE];
        LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(cmd_value(c, "at")), &at)), LT_PEER_USAGE,
                 "--at %.40s is no time: write 2027-01-31T12:00:00Z", cmd_value(c, "at"));
        lt_time_rfc3339(at, when);
        LT_CHECK(json_object_set_new(payload, "at", json_string(when)) == 0, LT_PEER_USAGE, "no room");
    }
    (void)snprintf(path, sizeof path, "incidents/%s/report/handed", c->args.words[0]);
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("recorded: %s report of incident %s, SHA-256 %s\n", cmd_value(c, "kind"),
                                c->args.words[0], hex);
}

#define KIND_OPTION                                                            \
    {                                                                          \
        "kind", "WORD", "of report", false, "preliminary full delayed closure" \
    }
static const struct cmd_option options[] = {
    KIND_OPTION,
    {"out", "DIR", "write there; made where it is missing", false, NULL},
    {"related", "FILE", "further related incidents, in the columns of data/incidents/recorded.tsv", false,
     NULL},
    {"no-appendix", NULL, "only count the certificates", false, NULL},
    {"mine", NULL, "a restricted one where --operator has a role: asked with a signature", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option handed_options[] = {
    {"kind", "WORD", "of report, or an update of one", false, "preliminary full delayed closure update"},
    {"where", "URL", "of the bug or comment", false, NULL},
    {"file", "FILE", "what was handed over: checked, and its hash is recorded", false, NULL},
    {"at", "TIME", "when (default: now)", false, NULL},
    {"anyway", "WORDS", "why it went out with errors, or sections that nobody signed", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_incident_report = {
    .name = "incident report",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "compile a report of an incident, in the CCADB's template",
    .help =
        "Everything in it is an event, a row of the book, or what somebody wrote (lintel incident write, "
        "cause,"
        "\nlesson, event; lintel action). What a person still has to write is marked in the text, and listed "
        "with its\nowner and due time, here and in sections.tsv. Up to 9,999 certificates are "
        "certificates.csv "
        "in the CCADB's\ncolumns, more a list for crt.sh; a delayed report has delayed.csv with reason and "
        "date of each, and\nrun-off.svg. The report is checked at once, as lintel incident report check "
        "does.\n\n"
        "examples:\n"
        "  lintel incident report 12 --kind preliminary --out report-12\n"
        "  lintel incident report 12 --kind delayed --out report-12 --related ours.tsv\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
const struct cmd_verb cmd_incident_handed = {
    .name = "incident handed",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "record that a report was posted; its clocks are met",
    .help = "examples:\n  lintel incident handed 12 --kind preliminary --file report-12/preliminary.md \\\n"
            "    --where 'https://bugzilla.mozilla.org/show_bug.cgi?id=1'\n"
            "  lintel incident handed 12 --kind update --file comment.md --where URL\n"
            "  (each post begins the next week; another update of the delay is --kind delayed again)\n",
    .options = handed_options,
    .option_count = LT_COUNT(handed_options),
    .run = run_handed,
};
