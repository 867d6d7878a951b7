/* lintel review: incidents of others and our own, read by one person each week. */
#include "cmd/learn.h"

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "reviews",
        .key = "reviews",
        .columns = {{"REVIEW", "id", 0},
                    {"REVIEWER", "reviewer", 0},
                    {"DUE", "due", 0},
                    {"FILED", "filed", 0},
                    {"SOURCE", "source", 0},
                    {"TITLE", "title", 90}},
        .filters = {{"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_show(struct cmd *c)
{
    return cmd_learn_show(c, "reviews");
}

static lt_res run_file(struct cmd *c)
{
    static const struct learn_change row = {.path = "reviews/*/brief", .words = {"brief"}, .file = true};
    return cmd_learn_change(c, &row);
}

static lt_res run_assign(struct cmd *c)
{
    static const struct learn_change row = {.path = "reviews", .words = {"source", "reviewer"}};
    return cmd_learn_change(c, &row);
}

static lt_res run_calendar(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "review-calendar",
        .members = {{"every-days", "every-days", LEARN_NUMBER, false},
                    {"within-days", "within-days", LEARN_NUMBER, false}},
    };
    LT_CHECK(cmd_value(c, "every-days") != NULL || cmd_value(c, "within-days") != NULL, LT_PEER_USAGE,
             "give --every-days or --within-days");
    return cmd_learn_change(c, &row);
}

static lt_res run_reviewers(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "reviewers",
        .key = "reviewers",
        .columns = {{"NAME", "name", 0}, {"SINCE", "since", 0}, {"LAST", "last", 0}, {"ENDED", "ended", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_reviewer(struct cmd *c)
{
    static const struct learn_change add = {.path = "reviewers", .words = {"name"}};
    static const struct learn_change end = {.path = "reviewers/*/end"};
    return cmd_flag(c, "end") ? cmd_learn_end(c, &end) : cmd_learn_change(c, &add);
}

static lt_res run_sources(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "review-sources",
        .key = "sources",
        .columns = {{"SOURCE", "source", 0},
                    {"KIND", "kind", 0},
                    {"LAST", "last", 0},
                    {"ENDED", "ended", 0},
                    {"TITLE", "title", 90},
                    {"LINK", "link", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_source(struct cmd *c)
{
    static const struct learn_change add = {
        .path = "review-sources",
        .words = {"source"},
        .members = {{"title", "title", LEARN_TEXT, true}, {"link", "link", LEARN_TEXT, false}},
    };
    static const struct learn_change end = {.path = "review-sources/end", .words = {"source"}};
    return cmd_flag(c, "end") ? cmd_learn_end(c, &end) : cmd_learn_change(c, &add);
}

static const struct cmd_option list_options[] = {
    {"status", "WORD", "open, filed, or lapsed: its day is over", false, "open filed lapsed"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option operator_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option calendar_options[] = {
    {"every-days", "N", "one review is given out every so many days (at first: 7)", false, NULL},
    {"within-days", "N", "its brief is due after so many (at first: 14)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option reviewer_options[] = {
    {"end", NULL, "takes part no longer", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option source_options[] = {
    {"title", "TEXT", "what it was", false, NULL},
    {"link", "URL", "where it can be read", false, NULL},
    {"end", NULL, "out of the rotation", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

#define OPTIONS(list_) .options = (list_), .option_count = LT_COUNT(list_)

const struct cmd_verb cmd_review_list = {
    .name = "review list",
    .words = "",
    .summary = "list reviews of incidents, newest first",
    .help = "examples:\n  lintel review list --status open\n",
    OPTIONS(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_review_show = {
    .name = "review show",
    .words = "REVIEW",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one review with its brief",
    .help = "examples:\n  lintel review show 3\n",
    .run = run_show,
};
const struct cmd_verb cmd_review_file = {
    .name = "review file",
    .words = "REVIEW FILE",
    .words_least = 2,
    .words_most = 2,
    .summary = "file the brief: what the incident means for us",
    .help =
        "FILE may be -. What is to be done about it goes into the ledger: lintel action add --for 'review "
        "N'.\n"
        "\n"
        "examples:\n"
        "  lintel review file 3 brief.md\n",
    OPTIONS(operator_options),
    .run = run_file,
};
const struct cmd_verb cmd_review_assign = {
    .name = "review assign",
    .words = "SOURCE REVIEWER",
    .words_least = 2,
    .words_most = 2,
    .summary = "give out a review beside the calendar",
    .help = "examples:\n  lintel review assign bug-1619047 ann\n",
    OPTIONS(operator_options),
    .run = run_assign,
};
const struct cmd_verb cmd_review_calendar = {
    .name = "review calendar",
    .words = "",
    .summary = "how often an incident is reviewed, and in what time",
    .help = "examples:\n  lintel review calendar --every-days 14\n",
    OPTIONS(calendar_options),
    .run = run_calendar,
};
const struct cmd_verb cmd_review_reviewers = {
    .name = "review reviewers",
    .words = "",
    .summary = "list who takes part",
    .help = "examples:\n  lintel review reviewers\n",
    OPTIONS(page_options),
    .run = run_reviewers,
};
const struct cmd_verb cmd_review_reviewer = {
    .name = "review reviewer",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "let somebody take part",
    .help = "Who has waited longest gets the next one.\n"
            "\n"
            "examples:\n  lintel review reviewer ann\n  lintel review reviewer ann --end\n",
    OPTIONS(reviewer_options),
    .run = run_reviewer,
};
const struct cmd_verb cmd_review_sources = {
    .name = "review sources",
    .words = "",
    .summary = "list the incidents in the rotation: recorded, public, our own",
    .help = "Our own come in when they are closed.\n"
            "\n"
            "examples:\n  lintel review sources --all\n",
    OPTIONS(page_options),
    .run = run_sources,
};
const struct cmd_verb cmd_review_source = {
    .name = "review source",
    .words = "SOURCE",
    .words_least = 1,
    .words_most = 1,
    .summary = "bring a public incident into the rotation",
    .help = "examples:\n"
            "  lintel review source bug-1900000 --title 'Another CA: ...' --link https://...\n"
            "  lintel review source bug-1900000 --end\n",
    OPTIONS(source_options),
    .run = run_source,
};
