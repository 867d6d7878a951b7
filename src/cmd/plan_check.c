/* lintel plan check: a plan for mass revocations, held against the nine parts of CABF-BR 5.7.1.2. Needs no
 * CA.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/verbs.h"
#include "incident/mass_plan.h"

enum { OUT_MAX = 1 << 20 };

static const char *severity(const struct incident_plan_finding *f)
{
    return f->severity == INCIDENT_PLAN_ERROR ? "error" : "warning";
}

static void add_json(struct lt_buf *out, const char *file, const struct incident_plan_report *r)
{
    lt_buf_add_cstr(out, "{\"file\":");
    lt_json_add_string(out, lt_slice_cstr(file));
    lt_buf_add_cstr(out, ",\"name\":");
    lt_json_add_string(out, lt_slice_cstr(r->name));
    lt_buf_addf(out, ",\"ok\":%s,\"errors\":%zu,\"warnings\":%zu,\"parts\":%d,\"findings\":[",
                r->errors == 0 ? "true" : "false", r->errors, r->warnings, INCIDENT_PLAN_PARTS);
    for (size_t i = 0; i < r->count; i++) {
        const struct incident_plan_finding *f = &r->findings[i];
        lt_buf_addf(out, "%s{\"id\":\"%s\",\"severity\":\"%s\",\"part\":%u,\"text\":", i > 0 ? "," : "",
                    f->id, severity(f), f->part);
        lt_json_add_string(out, lt_slice_cstr(f->text));
        lt_buf_add_cstr(out, ",\"citation\":\"CABF-BR 5.7.1.2\"}");
    }
    lt_buf_add_cstr(out, "]}\n");
}

static void add_text(struct lt_buf *out, const char *file, const struct incident_plan_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct incident_plan_finding *f = &r->findings[i];
        lt_buf_addf(out, "%-8s %-26s %s\n", severity(f), f->id, f->text);
    }
    for (unsigned part = 1; part <= INCIDENT_PLAN_PARTS; part++) {
        size_t errors = 0;
        for (size_t i = 0; i < r->count; i++) {
            errors += r->findings[i].part == part && r->findings[i].severity == INCIDENT_PLAN_ERROR ? 1 : 0;
        }
        lt_buf_addf(out, "%u  %-40s %s\n", part, incident_plan_part(part), errors == 0 ? "ok" : "NOT OK");
    }
    lt_buf_addf(out, "%s: %zu errors, %zu warnings\n", file, r->errors, r->warnings);
}

static lt_res run(struct cmd *c)
{
    struct incident_plan_report r;
    lt_slice text;
    struct lt_buf out;
    lt_time now = c->now;
    const char *file = c->args.words[0];
    const char *as_of = cmd_value(c, "as-of");
    lt_res dated = as_of == NULL ? LT_OK : lt_time_parse_or_day(lt_slice_cstr(as_of), &now);
    LT_CHECK(!lt_failed(dated), LT_PEER_USAGE, "--as-of %.40s is no time", as_of == NULL ? "" : as_of);
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, file, INCIDENT_PLAN_MAX_BYTES, &text));
    LT_TRY(incident_plan_check(file, text, now, &c->arena, &r));
    c->findings = r.errors > 0;
    lt_buf_init(&out, OUT_MAX);
    (c->json ? add_json : add_text)(&out, file, &r);
    lt_res said = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return said;
}

static const struct cmd_option options[] = {
    {"as-of", "TIME", "as if it were then: is the last test too old?", false, NULL},
};

const struct cmd_verb cmd_plan_check = {
    .name = "plan check",
    .words = "FILE",
    .words_least = 1,
    .words_most = 1,
    .summary = "check a plan for mass revocations: the nine parts of BR 5.7.1.2",
    .help =
        "FILE is YAML; data/plans/mass-revocation.yaml is one to start from. Exit status 6 when a part is\n"
        "missing or says nothing, 2 when the file cannot be read; warnings leave it 0.\n"
        "\n"
        "examples:\n"
        "  lintel plan check plan.yaml\n"
        "  lintel plan check plan.yaml --json | jq '.findings[].id'\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
