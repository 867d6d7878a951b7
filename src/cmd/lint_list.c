/* lintel lint --list: every rule with what it asks, where that stands, and since when. */
#include "base/text.h"
#include "cmd/lint.h"

#include "lint/kinds.h"

static void add_day(int64_t day, char ret_text[LT_RFC3339_SIZE])
{
    lt_time_rfc3339(lt_time_from_seconds(day * LT_SECONDS_PER_DAY), ret_text);
    ret_text[10] = 0; /* the date alone */
}

static void add_kinds(unsigned kinds, const char *quote, const char *between, struct lt_buf *out)
{
    const char *before = "";
    for (unsigned k = 0; k < CMD_LINT_KINDS; k++) {
        if ((kinds >> k & 1) != 0) {
            lt_buf_addf(out, "%s%s%s%s", before, quote, lint_kind_name(1u << k), quote);
            before = between;
        }
    }
}

static void add_date(const char *name, int64_t day, struct lt_buf *out)
{
    char text[LT_RFC3339_SIZE];
    if (day == 0) {
        lt_buf_addf(out, ",\"%s\":null", name);
        return;
    }
    add_day(day, text);
    lt_buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void add_text(const char *name, const char *text, struct lt_buf *out)
{
    lt_buf_addf(out, ",\"%s\":", name);
    if (text == NULL) {
        lt_buf_add_cstr(out, "null");
    } else {
        lt_json_add_string(out, lt_slice_cstr(text));
    }
}

static void rule_json(const struct lint_rule *r, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "{\"rule\":");
    lt_json_add_string(out, lt_slice_cstr(r->id));
    add_text("source", lint_source_name(r->source), out);
    add_text("citation", r->citation, out);
    add_text("formerly", r->formerly, out);
    add_text("level", lint_status_name(r->level), out);
    add_date("effective", r->effective, out);
    add_date("retired", r->retired, out);
    lt_buf_add_cstr(out, ",\"kinds\":[");
    add_kinds(r->kinds, "\"", ",", out);
    lt_buf_addf(out, "],\"zlint\":%s", r->zlint ? "true" : "false");
    add_text("asks", r->asks, out);
    lt_buf_add_byte(out, '}');
}

/* As `zlint -list-lints-json`. */
static void rule_zlint(const struct lint_rule *r, struct lt_buf *out)
{
    const struct {
        const char *before;
        const char *text;
    } members[] = {
        {"{\"name\":", r->id},
        {",\"description\":", r->asks},
        {",\"citation\":", r->citation},
        {",\"source\":", lint_source_name(r->source)},
    };
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        lt_buf_add_cstr(out, members[i].before);
        cmd_lint_go_string(out, lt_slice_cstr(members[i].text != NULL ? members[i].text : ""));
    }
    lt_buf_add_cstr(out, "}\n");
}

static void rule_text(const struct lint_rule *r, struct lt_buf *out)
{
    char day[LT_RFC3339_SIZE];
    lt_buf_addf(out, "%s\n    %s of %s; %s; ", r->id, lint_status_name(r->level), lint_source_name(r->source),
                r->zlint ? "zlint's" : "Lintel's own");
    add_kinds(r->kinds, "", ", ", out);
    if (r->effective != 0) {
        add_day(r->effective, day);
        lt_buf_addf(out, "; from %s", day);
    }
    if (r->retired != 0) {
        add_day(r->retired, day);
        lt_buf_addf(out, "; until %s", day);
    }
    lt_buf_addf(out, "\n    %s%s%s%s\n    %s\n", r->citation != NULL ? r->citation : "",
                r->formerly != NULL ? " (formerly " : "", r->formerly != NULL ? r->formerly : "",
                r->formerly != NULL ? ")" : "", r->asks != NULL ? r->asks : "");
}

lt_res cmd_lint_list(struct cmd *c, const struct cmd_lint *job)
{
    struct lt_buf out;
    const char *between = "\n";
    size_t count = 0;
    lt_buf_init(&out, (size_t)64 * 1024 * 1024);
    if (c->json) {
        lt_buf_add_cstr(&out, "{\"rule_set\":");
        lt_json_add_string(&out, lt_slice_cstr(lint_rule_set()));
        lt_buf_add_cstr(&out, ",\"rules\":[");
    }
    for (size_t i = 0; i < job->rule_count; i++) {
        const struct lint_rule *r = job->rules[i];
        if (!job->wanted[i] || (job->kind != 0 && (r->kinds & job->kind) == 0)) {
            continue;
        }
        count++;
        if (c->json) {
            lt_buf_add_cstr(&out, between);
            between = ",\n";
            rule_json(r, &out);
        } else if (job->format == CMD_LINT_ZLINT) {
            rule_zlint(r, &out);
        } else {
            rule_text(r, &out);
        }
    }
    if (c->json) {
        lt_buf_add_cstr(&out, "\n]}\n");
    } else if (job->format != CMD_LINT_ZLINT) {
        lt_buf_addf(&out, "\n%zu rules, set %s\n", count, lint_rule_set());
    }
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}
