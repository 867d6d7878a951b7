/* lintel plan show, lintel approve: what a plan would do, and an operator's signature under it. What is
 * signed is built here from the fields that are shown, never taken from the other side as bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/approval.h"
#include "cmd/api.h"
#include "cmd/key.h"
#include "cmd/verbs.h"

enum { STATEMENT_MAX = 64 * 1024, PATH_SIZE = 256 };

static lt_res plan_path(const char *id, const char *suffix, char ret_path[PATH_SIZE])
{
    size_t len = strlen(id);
    LT_CHECK(len > 0 && len < 100 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len,
             LT_PEER_USAGE, "\"%.60s\" is no plan; see lintel plan list", id);
    (void)snprintf(ret_path, PATH_SIZE, "plans/%s%s", id, suffix);
    return LT_OK;
}

/* The statement as approver, registrar and examiner build it. */
static lt_res build_statement(struct cmd *c, const json_t *plan, struct lt_buf *out)
{
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    lt_slice scope;
    lt_time expires;
    LT_TRY(lt_unhex(&c->arena, lt_slice_cstr(cmd_text(plan, "scope_sha256")), &scope));
    LT_TRY(lt_time_parse(lt_slice_cstr(cmd_text(plan, "expires")), &expires));
    const char *parameters = cmd_text(plan, "parameters_text");
    p.plan_id = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(plan, "id")));
    p.action = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(plan, "action")));
    p.parameters = lt_arena_cstr(&c->arena, lt_slice_cstr(parameters));
    p.proposer = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(plan, "proposer")));
    LT_CHECK(p.plan_id != NULL && p.action != NULL && p.parameters != NULL && p.proposer != NULL,
             LT_PEER_TOO_LARGE, "the plan is too large");
    p.scope_sha256 = (ProtobufCBinaryData){scope.len, (uint8_t *)(uintptr_t)scope.ptr};
    p.count = (uint64_t)cmd_int(plan, "count");
    p.expires_us = expires.us;
    return ca_approval_statement(&p, out);
}

/* Whether the proposer's own signature counts is the program's policy for the action. */
static bool proposer_counts(const json_t *plan)
{
    return ca_approval_policy_of(cmd_text(plan, "action"), (uint32_t)cmd_int(plan, "needed")).proposer_counts;
}

static size_t approvals_that_count(const json_t *plan)
{
    size_t i;
    size_t count = 0;
    json_t *approval;
    json_array_foreach(json_object_get(plan, "approvals"), i, approval)
    {
        count += proposer_counts(plan) ||
                 strcmp(cmd_text(approval, "operator"), cmd_text(plan, "proposer")) != 0;
    }
    return count;
}

static lt_res say_plan(struct cmd *c, const json_t *plan)
{
    size_t i;
    json_t *approval;
    struct lt_buf statement;
    lt_buf_init(&statement, STATEMENT_MAX);
    lt_res r = build_statement(c, plan, &statement);
    if (!lt_failed(r)) {
        r = cmd_printf("plan %s is %s; what an approver signs:\n\n%.*s\n", cmd_text(plan, "id"),
                       cmd_text(plan, "status"), LT_FMT(lt_buf_slice(&statement)));
    }
    lt_buf_done(&statement);
    LT_TRY(r);
    LT_TRY(cmd_printf("approvals: %zu of %lld%s\n", approvals_that_count(plan),
                      (long long)cmd_int(plan, "needed"),
                      proposer_counts(plan) ? "" : " (the proposer's does not count)"));
    json_array_foreach(json_object_get(plan, "approvals"), i, approval)
    {
        LT_TRY(cmd_printf("  %s at %s\n", cmd_text(approval, "operator"), cmd_text(approval, "signed")));
    }
    const char *result = cmd_text(plan, "result");
    return result[0] == 0 ? LT_OK : cmd_printf("result: %s\n", result);
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *plan = NULL;
    char path[PATH_SIZE];
    LT_TRY(plan_path(c->args.words[0], "", path));
    LT_TRY(cmd_api_get(c, path, &plan));
    return c->json ? cmd_print_json(plan) : say_plan(c, plan);
}

static lt_res sign(struct cmd *c, const json_t *plan, json_t **ret_payload)
{
    struct cmd_key key = {.soft = NULL};
    struct lt_buf statement;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    char now[LT_RFC3339_SIZE];
    lt_buf_init(&statement, STATEMENT_MAX);
    lt_res r = build_statement(c, plan, &statement);
    if (!lt_failed(r)) {
        r = cmd_operator_key(c, &key);
    }
    if (!lt_failed(r)) {
        r = crypto_key_sign_jose(key.soft, crypto_alg_of_key(crypto_key_type(key.soft)),
                                 lt_buf_slice(&statement), signature, &len);
    }
    cmd_key_done(&key);
    lt_buf_done(&statement);
    LT_TRY(r);
    lt_time_rfc3339(c->now, now);
    const char *text = lt_base64url(&c->arena, LT_SLICE(signature, len));
    *ret_payload = json_pack("{s:s, s:s}", "signature", text, "signed", now);
    LT_ASSERT(*ret_payload != NULL);
    return LT_OK;
}

static lt_res run_plan(struct cmd *c, const char *id)
{
    LT_CLEANUP(cmd_json_freep) json_t *empty = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_ASSERT(empty != NULL);
    LT_TRY(plan_path(id, "/run", path));
    LT_TRY(cmd_api_post(c, path, empty, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("plan %s is %s. %s\n", cmd_text(answer, "id"), cmd_text(answer, "status"),
                                cmd_text(answer, "result"));
}

static lt_res approve(struct cmd *c, const json_t *plan)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *id = cmd_text(plan, "id");
    LT_CHECK(proposer_counts(plan) || strcmp(cmd_operator_name(c), cmd_text(plan, "proposer")) != 0,
             LT_POLICY_APPROVAL, "%s proposed this plan, so others must sign it: --operator NAME --key FILE",
             cmd_operator_name(c));
    LT_TRY(sign(c, plan, &payload));
    LT_TRY(plan_path(id, "/approvals", path));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    bool complete = strcmp(cmd_text(answer, "status"), "approved") == 0;
    if (complete && !cmd_flag(c, "no-run")) {
        return run_plan(c, id);
    }
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("signed by %s: %zu of %lld approvals; plan %s is %s\n", cmd_operator_name(c),
                                approvals_that_count(answer), (long long)cmd_int(answer, "needed"), id,
                                cmd_text(answer, "status"));
}

static lt_res run_approve(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *plan = NULL;
    char path[PATH_SIZE];
    LT_TRY(plan_path(c->args.words[0], "", path));
    LT_TRY(cmd_api_get(c, path, &plan));
    if (!cmd_flag(c, "yes")) {
        if (c->json) {
            return cmd_print_json(plan);
        }
        LT_TRY(say_plan(c, plan));
        return cmd_printf("add --yes to sign it as %s\n", cmd_operator_name(c));
    }
    if (!c->json) {
        LT_TRY(say_plan(c, plan));
    }
    return approve(c, plan);
}

lt_res cmd_approve_plan(struct cmd *c, const char *plan_id)
{
    LT_CLEANUP(cmd_json_freep) json_t *plan = NULL;
    char path[PATH_SIZE];
    LT_TRY(plan_path(plan_id, "", path));
    LT_TRY(cmd_api_get(c, path, &plan));
    return approve(c, plan);
}

static lt_res run_run(struct cmd *c)
{
    return run_plan(c, c->args.words[0]);
}

static const struct cmd_option approve_options[] = {
    CMD_YES_OPTION,
    {"no-run", NULL, "only sign, even where this is the last approval", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option run_options[] = {CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_plan_show = {
    .name = "plan show",
    .words = "PLAN",
    .words_least = 1,
    .words_most = 1,
    .summary = "show a plan: what would be signed, who has",
    .help = "examples:\n  lintel plan show p466731012345678901\n",
    .options = NULL,
    .option_count = 0,
    .run = run_show,
};
const struct cmd_verb cmd_plan_run = {
    .name = "plan run",
    .words = "PLAN",
    .words_least = 1,
    .words_most = 1,
    .summary = "carry out a plan that is approved",
    .help = "The last approval does so by itself; this is for plans approved with --no-run, and for trying "
            "again.\n"
            "\n"
            "examples:\n  lintel plan run p466731012345678901\n",
    .options = run_options,
    .option_count = LT_COUNT(run_options),
    .run = run_run,
};
const struct cmd_verb cmd_approve = {
    .name = "approve",
    .words = "PLAN",
    .words_least = 1,
    .words_most = 1,
    .summary = "sign a plan with your own key",
    .help = "Shows the statement; with --yes signs exactly that. Registrar and examiner verify the "
            "signature, each\n"
            "for itself. With the last approval that the plan needs, it is carried out.\n"
            "\n"
            "examples:\n"
            "  lintel approve p466731012345678901\n"
            "  lintel approve p466731012345678901 --operator berta --key ~/berta.key --yes\n",
    .options = approve_options,
    .option_count = LT_COUNT(approve_options),
    .run = run_approve,
};
