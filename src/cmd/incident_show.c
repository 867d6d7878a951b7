/* lintel incident show: where an incident stands, and what it will miss. */
#include "cmd/incident.h"

#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

static lt_res show_head(const json_t *in)
{
    LT_TRY(cmd_printf("incident %lld: %s\n", (long long)cmd_int(in, "id"), cmd_text(in, "title")));
    LT_TRY(cmd_printf("  %s since %s; %s; by %s%s%s\n", cmd_text(in, "status"), cmd_text(in, "since"),
                      cmd_text(in, "severity"), cmd_text(in, "source"),
                      cmd_text(in, "cause")[0] == 0 ? "" : "; ", cmd_text(in, "cause")));
    LT_TRY(cmd_printf("  aware %s; opened %s by %s%s\n", cmd_text(in, "aware"), cmd_text(in, "opened"),
                      cmd_text(in, "opened_by"),
                      json_is_true(json_object_get(in, "restricted")) ? "; RESTRICTED" : ""));
    if (cmd_text(in, "must")[0] != 0) {
        LT_TRY(cmd_printf("  has to be revoked by %s\n", cmd_text(in, "must")));
    }
    return cmd_text(in, "said_late")[0] == 0
               ? LT_OK
               : cmd_printf("  WILL BE LATE, said %s: file the delayed-revocation report (lintel incident "
                            "report %lld "
                            "--kind delayed --out DIR)\n",
                            cmd_text(in, "said_late"), (long long)cmd_int(in, "id"));
}

static lt_res show_parts(const json_t *in)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(in, "roles"), i, row)
    {
        if (cmd_text(row, "until")[0] == 0) {
            LT_TRY(cmd_printf("  %-15s %s since %s\n", cmd_text(row, "role"), cmd_text(row, "holder"),
                              cmd_text(row, "since")));
        }
    }
    json_array_foreach(json_object_get(in, "problems"), i, row)
    {
        LT_TRY(cmd_printf("  problem %lld\n", (long long)cmd_int(row, "problem")));
    }
    json_array_foreach(json_object_get(in, "halts"), i, row)
    {
        bool lifted = cmd_text(row, "lifted")[0] != 0;
        LT_TRY(cmd_printf("  halt %s: %s %s since %s; %s%s%s%s%s\n", cmd_text(row, "halt"),
                          cmd_text(row, "kind"), cmd_text(row, "value"), cmd_text(row, "added"),
                          lifted ? "lifted " : "in force", cmd_text(row, "lifted"),
                          cmd_text(row, "proof")[0] == 0 ? "" : "; fix: ", cmd_text(row, "proof"),
                          strcmp(cmd_text(row, "status"), "dirty") == 0 ? " DID NOT HOLD" : ""));
    }
    json_array_foreach(json_object_get(in, "scopes"), i, row)
    {
        LT_TRY(cmd_printf("  scope %lld: %lld certificates at %s: %s%s%s\n",
                          (long long)cmd_int(row, "version"), (long long)cmd_int(row, "count"),
                          cmd_text(row, "as_of"), cmd_text(row, "scope"),
                          cmd_text(row, "wrong")[0] == 0 ? "" : "; corrected: ", cmd_text(row, "wrong")));
    }
    return LT_OK;
}

static lt_res show_plans(const json_t *in)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(in, "plans"), i, row)
    {
        LT_TRY(cmd_printf(
            "  plan %lld (%s): %lld certificates of %s, %lld of them replaced; windows %s to %s\n",
            (long long)cmd_int(row, "version"), cmd_text(row, "status"), (long long)cmd_int(row, "count"),
            cmd_text(row, "mass"), (long long)cmd_int(row, "replaced_already"), cmd_text(row, "first_opens"),
            cmd_text(row, "last_closes")));
        LT_TRY(cmd_printf(
            "    revocation %s: %lld revoked, %lld were already, %lld held%s%s\n",
            cmd_text(row, "mass_status"), (long long)cmd_int(row, "revoked"),
            (long long)cmd_int(row, "already"), (long long)cmd_int(row, "held"),
            strcmp(cmd_text(row, "mass_status"), "proposed") == 0 && cmd_text(row, "approval")[0] != 0
                ? "; approve: "
                : "",
            strcmp(cmd_text(row, "mass_status"), "proposed") == 0 ? cmd_text(row, "approval") : ""));
        if (cmd_int(row, "after_the_deadline") > 0) {
            LT_TRY(cmd_printf(
                "    %lld WINDOWS CLOSE AFTER THE DEADLINE: more than %lld an hour cannot be issued\n",
                (long long)cmd_int(row, "after_the_deadline"), (long long)cmd_int(row, "per_hour")));
        }
    }
    return LT_OK;
}

static lt_res show_clocks(const json_t *in)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(in, "clocks"), i, row)
    {
        LT_TRY(cmd_printf("  clock %-28s %-8s due %s  %s\n", cmd_text(row, "duty"), cmd_text(row, "status"),
                          cmd_text(row, "due"), cmd_text(row, "section")));
    }
    json_array_foreach(json_object_get(in, "steps"), i, row)
    {
        LT_TRY(cmd_printf("  %s  %-9s %s, by %s%s%s\n", cmd_text(row, "at"), cmd_text(row, "event"),
                          cmd_text(row, "status"), cmd_text(row, "by"),
                          cmd_text(row, "words")[0] == 0 ? "" : ": ", cmd_text(row, "words")));
    }
    return LT_OK;
}

static lt_res show_forecast(const json_t *f)
{
    size_t i;
    json_t *row;
    LT_TRY(cmd_printf("  by the deadline %lld of %lld will not be replaced, %lld not revoked%s\n",
                      (long long)cmd_int(f, "unreplaced_at_deadline"), (long long)cmd_int(f, "members"),
                      (long long)cmd_int(f, "unrevoked_at_deadline"),
                      strcmp(cmd_text(f, "mass_status"), "proposed") == 0 ? " (nobody has approved it yet)"
                                                                          : ""));
    json_array_foreach(json_object_get(f, "tiers"), i, row)
    {
        LT_TRY(cmd_printf(
            "    tier %lld: %lld, %lld replaced (%lld in the last hour), %lld windows over, %lld %% "
            "follow%s; %lld revoked, %lld held; %lld left over\n",
            (long long)cmd_int(row, "tier"), (long long)cmd_int(row, "members"),
            (long long)cmd_int(row, "replaced"), (long long)cmd_int(row, "replaced_last_hour"),
            (long long)cmd_int(row, "windows_over"), (long long)cmd_int(row, "percent_follow"),
            json_is_true(json_object_get(row, "assumed")) ? " (assumed)" : "",
            (long long)cmd_int(row, "revoked"), (long long)cmd_int(row, "held"),
            (long long)cmd_int(row, "unreplaced_at_deadline")));
    }
    return LT_OK;
}

/* What it will miss; a restricted one's numbers are for those who have a role in it, and not foretold. */
static lt_res forecast_of(struct cmd *c, json_t *in, json_t **ret_forecast)
{
    char path[CMD_INCIDENT_PATH];
    *ret_forecast = NULL;
    if (cmd_int(in, "plan_version") == 0 || json_is_true(json_object_get(in, "restricted")) ||
        cmd_text(in, "closed")[0] != 0 || cmd_flag(c, "brief")) {
        return LT_OK;
    }
    LT_TRY(cmd_incident_path(c, "forecast", path));
    LT_TRY(cmd_api_get(c, path, ret_forecast));
    LT_ASSERT(json_object_set(in, "forecast", *ret_forecast) == 0);
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *in = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *forecast = NULL;
    LT_TRY(cmd_incident_load(c, &in));
    LT_TRY(forecast_of(c, in, &forecast));
    if (c->json) {
        return cmd_print_json(in);
    }
    LT_TRY(show_head(in));
    LT_TRY(show_parts(in));
    LT_TRY(show_plans(in));
    LT_TRY(forecast == NULL ? LT_OK : show_forecast(forecast));
    return show_clocks(in);
}

static const struct cmd_option show_options[] = {
    {"brief", NULL, "without the forecast, which counts all members", false, NULL},
    CMD_INCIDENT_MINE_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_incident_show = {
    .name = "incident show",
    .words = "INCIDENT",
    .words_least = 1,
    .words_most = 1,
    .summary = "one incident: roles, halts, scope, plan, clocks, and what it will miss",
    .help = "examples:\n"
            "  lintel incident show 12\n"
            "  lintel incident show 12 --mine --operator ann --key ann.key\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
