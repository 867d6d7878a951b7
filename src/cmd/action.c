/* lintel action: the promise ledger. */
#include "cmd/learn.h"

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "actions",
        .key = "actions",
        .columns = {{"ACTION", "id", 0},
                    {"STATUS", "status", 0},
                    {"DUE", "due", 0},
                    {"KIND", "kind", 0},
                    {"OWNER", "owner", 0},
                    {"FOR", "for", 0},
                    {"TELL BY", "tell_by", 0},
                    {"TITLE", "title", 90}},
        .filters = {{"for", "id"}, {"owner", "name"}, {"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_show(struct cmd *c)
{
    return cmd_learn_show(c, "actions");
}

static lt_res run_add(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions",
        .words = {"title"},
        .members = {{"for", "for", LEARN_TEXT, false},
                    {"kind", "kind", LEARN_TEXT, true},
                    {"criteria", "criteria", LEARN_TEXT, true},
                    {"owner", "owner", LEARN_TEXT, true},
                    {"due", "due", LEARN_TIME, true},
                    {"causes", "causes", LEARN_TEXT, false}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_complete(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions/*/complete",
        .members = {{"evidence", "evidence", LEARN_TEXT, true}, {"words", "words", LEARN_TEXT, false}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_delay(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions/*/delay",
        .members = {{"due", "due", LEARN_TIME, true}, {"words", "words", LEARN_TEXT, true}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_reopen(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions/*/reopen",
        .members = {{"due", "due", LEARN_TIME, true}, {"words", "words", LEARN_TEXT, true}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_cancel(struct cmd *c)
{
    static const struct learn_change row = {.path = "actions/*/cancel",
                                            .members = {{"words", "words", LEARN_TEXT, true}}};
    return cmd_learn_change(c, &row);
}

static lt_res run_update(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions/*/update",
        .members = {{"words", "words", LEARN_TEXT, false},
                    {"owner", "owner", LEARN_TEXT, false},
                    {"criteria", "criteria", LEARN_TEXT, false},
                    {"causes", "causes", LEARN_TEXT, false}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_tell(struct cmd *c)
{
    static const struct learn_change row = {.path = "actions/*/tell", .words = {"words"}};
    return cmd_learn_change(c, &row);
}

static lt_res run_check(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "actions/*/check",
        .members = {{"months", "months", LEARN_NUMBER, true},
                    {"holds", "holds", LEARN_FLAG, false},
                    {"evidence", "evidence", LEARN_TEXT, true}},
    };
    LT_CHECK(cmd_flag(c, "holds") != cmd_flag(c, "fails"), LT_PEER_USAGE,
             "say --holds or --fails: does what was done still hold?");
    return cmd_learn_change(c, &row);
}

static const struct cmd_option list_options[] = {
    {"for", "SUBJECT", "of that one: 'incident 12', 'review 3', 'drill 4'", false, NULL},
    {"owner", "NAME", "of that owner", false, NULL},
    {"status", "WORD", "open; lapsed: open, and its day is over; or a status", false,
     "open lapsed ongoing delayed complete canceled"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option add_options[] = {
    {"for", "SUBJECT", "what made us promise it: 'incident 12', 'review 3', 'drill 4'", false, NULL},
    {"kind", "WORD", "what it does about the root cause", false, "Prevent Mitigate Detect"},
    {"criteria", "TEXT", "how anybody can see that it helped", false, NULL},
    {"owner", "NAME", "who does it", false, NULL},
    {"due", "TIME", "by when (a day, or RFC 3339)", false, NULL},
    {"causes", "NUMBERS", "root causes that it answers: '1, 3'", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option complete_options[] = {
    {"evidence", "TEXT", "where it can be seen", false, NULL},
    {"words", "TEXT", "what else is to be said", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option dated_options[] = {
    {"due", "TIME", "the new day", false, NULL},
    {"words", "TEXT", "why", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option cancel_options[] = {
    {"words", "TEXT", "why it is not done", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option update_options[] = {
    {"words", "TEXT", "how it goes", false, NULL},
    {"owner", "NAME", "another owner", false, NULL},
    {"criteria", "TEXT", "other criteria", false, NULL},
    {"causes", "NUMBERS", "other root causes", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option operator_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option check_options[] = {
    {"months", "N", "which look: 3, 6 or 12 months after it was complete", false, "3 6 12"},
    {"holds", NULL, "what was done still holds", false, NULL},
    {"fails", NULL, "it does not: somebody is woken, and it is opened again", false, NULL},
    {"evidence", "TEXT", "where that can be seen", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

#define OPTIONS(list_) .options = (list_), .option_count = LT_COUNT(list_)
#define ONE_WORD(word_) .words = (word_), .words_least = 1, .words_most = 1

const struct cmd_verb cmd_action_list = {
    .name = "action list",
    .words = "",
    .summary = "list promises, newest first",
    .help = "TELL BY: a change of it must be told in public until then.\n"
            "\n"
            "examples:\n"
            "  lintel action list --status open\n"
            "  lintel action list --for 'incident 12' --json\n",
    OPTIONS(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_action_show = {
    .name = "action show",
    ONE_WORD("ACTION"),
    .summary = "show one promise, and whether it still holds",
    .help = "examples:\n  lintel action show 7\n",
    .run = run_show,
};
const struct cmd_verb cmd_action_add = {
    .name = "action add",
    ONE_WORD("TITLE"),
    .summary = "promise something: what, by whom, until when, and how one will see that it helped",
    .help = "A promise of an incident is an action item of its report. When its day is over and it is not "
            "done,\n"
            "somebody is woken; 3, 6 and 12 months after it is complete somebody has to look whether it "
            "holds.\n"
            "\n"
            "examples:\n"
            "  lintel action add 'compare all paths in one test' --for 'incident 12' --kind Prevent \\\n"
            "    --criteria 'the test is in the nightly run' --owner engineering --due 2027-01-19 \\\n"
            "    --causes 1\n",
    OPTIONS(add_options),
    .run = run_add,
};
const struct cmd_verb cmd_action_complete = {
    .name = "action complete",
    ONE_WORD("ACTION"),
    .summary = "it is done, and can be seen",
    .help = "examples:\n"
            "  lintel action complete 7 --evidence https://ca.example/changes/412\n",
    OPTIONS(complete_options),
    .run = run_complete,
};
const struct cmd_verb cmd_action_delay = {
    .name = "action delay",
    ONE_WORD("ACTION"),
    .summary = "it is done later, and why",
    .help = "examples:\n"
            "  lintel action delay 7 --due 2027-02-28 --words 'needs a key ceremony'\n",
    OPTIONS(dated_options),
    .run = run_delay,
};
const struct cmd_verb cmd_action_reopen = {
    .name = "action reopen",
    ONE_WORD("ACTION"),
    .summary = "it was done, or given up, and is wanted again",
    .help = "examples:\n"
            "  lintel action reopen 7 --due 2027-09-01 --words 'the control was removed'\n",
    OPTIONS(dated_options),
    .run = run_reopen,
};
const struct cmd_verb cmd_action_cancel = {
    .name = "action cancel",
    ONE_WORD("ACTION"),
    .summary = "it is not done, and why",
    .help = "examples:\n  lintel action cancel 7 --words 'action 9 covers it'\n",
    OPTIONS(cancel_options),
    .run = run_cancel,
};
const struct cmd_verb cmd_action_update = {
    .name = "action update",
    ONE_WORD("ACTION"),
    .summary = "how it goes; another owner, criteria, root causes",
    .help = "examples:\n"
            "  lintel action update 7 --words 'in review' --owner platform\n",
    OPTIONS(update_options),
    .run = run_update,
};
const struct cmd_verb cmd_action_tell = {
    .name = "action tell",
    .words = "ACTION WHERE",
    .words_least = 2,
    .words_most = 2,
    .summary = "a change of it has been told in public: within 3 days (IRG-5)",
    .help = "examples:\n"
            "  lintel action tell 7 'https://bugzilla.mozilla.org/show_bug.cgi?id=1900000#c12'\n",
    OPTIONS(operator_options),
    .run = run_tell,
};
const struct cmd_verb cmd_action_check = {
    .name = "action check",
    ONE_WORD("ACTION"),
    .summary = "does what was done still hold, after 3, 6, 12 months?",
    .help = "examples:\n"
            "  lintel action check 7 --months 3 --holds --evidence 'nightly run of 2027-04-20'\n"
            "  lintel action check 7 --months 6 --fails --evidence 'the job was removed in May'\n",
    OPTIONS(check_options),
    .run = run_check,
};
