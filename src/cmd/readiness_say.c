/* lintel readiness set, contact, write, call, link; lintel holdout add, lift: what operators know of a
 * subscriber, signed. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/readiness.h"
#include "cmd/verbs.h"

static lt_res put(const struct cmd *c, json_t *payload, const char *option, const char *member)
{
    const char *value = cmd_value(c, option);
    LT_CHECK(value == NULL || json_object_set_new(payload, member, json_string(value)) == 0, LT_PEER_USAGE,
             "--%s is no UTF-8", option);
    return LT_OK;
}

static lt_res put_time(const struct cmd *c, json_t *payload, const char *option, const char *member)
{
    const char *value = cmd_value(c, option);
    lt_time when;
    if (value == NULL) {
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_time_parse(lt_slice_cstr(value), &when)), LT_PEER_USAGE,
             "--%s: write it as 2026-11-22T10:00:00Z", option);
    return put(c, payload, option, member);
}

static lt_res post(struct cmd *c, const char *rest, json_t *payload, json_t **ret_answer)
{
    char path[READINESS_PATH_SIZE];
    LT_TRY(cmd_readiness_path(c->args.words[0], rest, path));
    return cmd_api_post(c, path, payload, ret_answer);
}

static lt_res say_tier(struct cmd *c, const json_t *answer)
{
    return c->json
               ? cmd_print_json(answer)
               : cmd_printf("account %s: now %s\n", cmd_text(answer, "account"), cmd_text(answer, "tier"));
}

static lt_res run_set(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    bool cannot = cmd_value(c, "cannot-tolerate") != NULL;
    bool can = cmd_value(c, "tolerates") != NULL;
    LT_CHECK(cannot != can, LT_PEER_USAGE, "give one of --cannot-tolerate WHY and --tolerates WHY");
    LT_ASSERT(payload != NULL && json_object_set_new(payload, "cannot-tolerate", json_boolean(cannot)) == 0);
    LT_TRY(put(c, payload, cannot ? "cannot-tolerate" : "tolerates", "reason"));
    LT_TRY(post(c, "/set", payload, &answer));
    return say_tier(c, answer);
}

static lt_res run_contact(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    bool bounced = cmd_value(c, "bounced") != NULL;
    LT_CHECK(bounced != cmd_flag(c, "verified"), LT_PEER_USAGE, "give one of --verified and --bounced WHY");
    LT_ASSERT(payload != NULL &&
              json_object_set_new(payload, "state", json_string(bounced ? "bounced" : "verified")) == 0);
    LT_CHECK(json_object_set_new(payload, "address", json_string(c->args.words[1])) == 0, LT_PEER_USAGE,
             "the address is no UTF-8");
    LT_TRY(put(c, payload, "bounced", "reason"));
    LT_TRY(post(c, "/contact", payload, &answer));
    return say_tier(c, answer);
}

static lt_res run_write(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    LT_ASSERT(payload != NULL);
    LT_TRY(put(c, payload, "address", "address"));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would write to %s of account %s, with a link to say that the letter arrived; "
                         "add --yes to do it",
                         cmd_value_or(c, "address", "every contact"), c->args.words[0]);
    }
    LT_TRY(post(c, "/write", payload, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    json_array_foreach(json_object_get(answer, "written_to"), i, row)
    {
        LT_TRY(cmd_printf("written to %s\n", json_string_value(row)));
    }
    return LT_OK;
}

static lt_res run_call(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "who") != NULL && cmd_value(c, "outcome") != NULL, LT_PEER_USAGE,
             "--who TEXT and --outcome WORD are needed");
    LT_TRY(put(c, payload, "who", "who"));
    LT_TRY(put(c, payload, "outcome", "outcome"));
    LT_TRY(put(c, payload, "note", "note"));
    LT_TRY(put_time(c, payload, "again", "again"));
    LT_TRY(post(c, "/call", payload, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("noted\n");
}

static lt_res run_link(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(put_time(c, payload, "expires", "expires"));
    LT_TRY(post(c, "/link", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("%s\nuntil %s; whoever has it sees how the subscriber stands and asks for "
                                "certificates. It is not shown again.\n",
                                cmd_text(answer, "url"), cmd_text(answer, "until"));
}

static lt_res run_add(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_CHECK((cmd_value(c, "account") != NULL) + (cmd_value(c, "subscriber") != NULL) +
                     (cmd_value(c, "domain") != NULL) ==
                 1,
             LT_PEER_USAGE, "give one of --account ID, --subscriber NAME and --domain NAME");
    LT_CHECK(cmd_value(c, "who") != NULL && cmd_value(c, "reason") != NULL, LT_PEER_USAGE,
             "--who TEXT (who says so) and --reason TEXT are needed");
    LT_TRY(put(c, payload, "account", "account"));
    LT_TRY(put(c, payload, "subscriber", "subscriber"));
    LT_TRY(put(c, payload, "domain", "name"));
    LT_TRY(put(c, payload, "who", "who"));
    LT_TRY(put(c, payload, "reason", "reason"));
    LT_TRY(cmd_api_post(c, "holdouts", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("hold-out %s: in the last tier from now on, not exempt\n",
                                cmd_text(answer, "id"));
}

static lt_res run_lift(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[READINESS_PATH_SIZE];
    const char *id = c->args.words[0];
    size_t len = strlen(id);
    LT_ASSERT(payload != NULL);
    LT_CHECK(len > 0 && len <= READINESS_ID_MAX && strspn(id, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no hold-out; see lintel holdout list", id);
    (void)snprintf(path, sizeof path, "holdouts/%s/lift", id); /* measured */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("lifted\n");
}

static const struct cmd_option set_options[] = {
    {"cannot-tolerate", "WHY", "the subscriber says that it cannot tolerate revocation", false, NULL},
    {"tolerates", "WHY", "that is not so any more", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option contact_options[] = {
    {"verified", NULL, "somebody who can replace certificates reads it", false, NULL},
    {"bounced", "WHY", "a letter came back, or nobody reads it", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option write_options[] = {
    {"address", "MAIL", "to this one alone", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option call_options[] = {
    {"who", "TEXT", "number or name", false, NULL},
    {"outcome", "WORD", "what it came to", false, "reached no-answer will-replace refuses wrong-number"},
    {"note", "TEXT", "what was said", false, NULL},
    {"again", "TIME", "call again then", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option link_options[] = {
    {"expires", "TIME", "default: in 30 days", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option add_options[] = {
    {"account", "ID", "all certificates of an account", false, NULL},
    {"subscriber", "NAME", "the same, of a subscriber without automation", false, NULL},
    {"domain", "NAME", "all certificates with a name that is this one or below it", false, NULL},
    {"who", "TEXT", "who says so: a person, an organisation", false, NULL},
    {"reason", "TEXT", "why", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option lift_options[] = {CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_readiness_set = {
    .name = "readiness set",
    .words = "ACCOUNT",
    .words_least = 1,
    .words_most = 1,
    .summary = "note whether a subscriber says that it cannot tolerate revocation",
    .help = "It comes into the last tier; it is exempt from nothing.\n"
            "\n"
            "examples:\n"
            "  lintel readiness set 7161283018232531917 --cannot-tolerate \"a ventilator\"\n"
            "  lintel readiness set 7161283018232531917 --tolerates \"moved to a private CA\"\n",
    .options = set_options,
    .option_count = LT_COUNT(set_options),
    .run = run_set,
};
const struct cmd_verb cmd_readiness_contact = {
    .name = "readiness contact",
    .words = "ACCOUNT MAIL",
    .words_least = 2,
    .words_most = 2,
    .summary = "note that an address reaches somebody, or nobody",
    .help = "examples:\n"
            "  lintel readiness contact 7161283018232531917 it@example.com --verified\n"
            "  lintel readiness contact 7161283018232531917 it@example.com --bounced \"left in May\"\n",
    .options = contact_options,
    .option_count = LT_COUNT(contact_options),
    .run = run_contact,
};
const struct cmd_verb cmd_readiness_write = {
    .name = "readiness write",
    .words = "ACCOUNT",
    .words_least = 1,
    .words_most = 1,
    .summary = "write to the contacts of a subscriber, to see whether somebody reads it",
    .help = "Needs mail.relay in lintel.yaml. What the relay refuses for good is a bounce.\n"
            "\n"
            "examples:\n"
            "  lintel readiness write 7161283018232531917 --yes\n",
    .options = write_options,
    .option_count = LT_COUNT(write_options),
    .run = run_write,
};
const struct cmd_verb cmd_readiness_call = {
    .name = "readiness call",
    .words = "ACCOUNT",
    .words_least = 1,
    .words_most = 1,
    .summary = "note a call",
    .help = "examples:\n"
            "  lintel readiness call 7161283018232531917 --who \"+49 30 1234\" --outcome will-replace \\\n"
            "    --again 2026-11-23T08:00:00Z\n",
    .options = call_options,
    .option_count = LT_COUNT(call_options),
    .run = run_call,
};
const struct cmd_verb cmd_readiness_link = {
    .name = "readiness link",
    .words = "ACCOUNT",
    .words_least = 1,
    .words_most = 1,
    .summary = "make a link by which a subscriber sees how it stands, and has certificates reissued",
    .help = "examples:\n  lintel readiness link 7161283018232531917 --expires 2026-11-25T00:00:00Z\n",
    .options = link_options,
    .option_count = LT_COUNT(link_options),
    .run = run_link,
};
const struct cmd_verb cmd_holdout_add = {
    .name = "holdout add",
    .words = "",
    .summary = "note who will not replace in time",
    .help =
        "The last tier of a mass revocation, and the first of the work list; exempt from nothing. A\n"
        "court's order is another thing: lintel hold.\n"
        "\n"
        "examples:\n"
        "  lintel holdout add --domain hospital.example --who \"Ms Miller, CIO\" --reason \"change freeze\"\n"
        "  lintel holdout add --account 7161283018232531917 --who \"their lawyer\" --reason \"refuses\"\n",
    .options = add_options,
    .option_count = LT_COUNT(add_options),
    .run = run_add,
};
const struct cmd_verb cmd_holdout_lift = {
    .name = "holdout lift",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "note that it is so no more",
    .help = "examples:\n  lintel holdout lift 473828173648173648\n",
    .options = lift_options,
    .option_count = LT_COUNT(lift_options),
    .run = run_lift,
};
