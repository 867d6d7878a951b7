/* lintel training: what who has a role must have learned, and who has. lintel concern: what worries the
 * staff.
 */
#include "cmd/learn.h"

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "trainings",
        .key = "trainings",
        .columns = {{"PERSON", "person", 0},
                    {"ROLE", "role", 0},
                    {"COURSE", "course", 0},
                    {"DONE", "done", 0},
                    {"UNTIL", "until", 0},
                    {"EVIDENCE", "evidence", 0}},
        .filters = {{"person", "name"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_courses(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "courses",
        .key = "courses",
        .columns = {{"ROLE", "role", 0},
                    {"COURSE", "course", 0},
                    {"VALID DAYS", "valid_days", 0},
                    {"SINCE", "since", 0},
                    {"ENDED", "ended", 0},
                    {"WORDS", "words", 90}},
    };
    return cmd_list(c, &l);
}

static lt_res run_people(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "trainees",
        .key = "trainees",
        .columns = {{"PERSON", "person", 0},
                    {"ROLE", "role", 0},
                    {"SINCE", "since", 0},
                    {"ENDED", "ended", 0},
                    {"MISSING", "missing", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_course(struct cmd *c)
{
    static const struct learn_change add = {
        .path = "courses",
        .words = {"role", "course"},
        .members = {{"words", "words", LEARN_TEXT, true}, {"valid-days", "valid-days", LEARN_NUMBER, false}},
    };
    static const struct learn_change end = {.path = "courses/end", .words = {"role", "course"}};
    return cmd_flag(c, "end") ? cmd_learn_end(c, &end) : cmd_learn_change(c, &add);
}

static lt_res run_role(struct cmd *c)
{
    static const struct learn_change add = {.path = "trainees", .words = {"person", "role"}};
    static const struct learn_change end = {.path = "trainees/end", .words = {"person", "role"}};
    return cmd_flag(c, "end") ? cmd_learn_end(c, &end) : cmd_learn_change(c, &add);
}

static lt_res run_record(struct cmd *c)
{
    static const struct learn_change row = {
        .path = "trainings",
        .words = {"person", "role", "course"},
        .members = {{"evidence", "evidence", LEARN_TEXT, true}, {"done", "done", LEARN_TIME, false}},
    };
    return cmd_learn_change(c, &row);
}

static lt_res run_concerns(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "concerns",
        .key = "concerns",
        .columns = {{"CONCERN", "id", 0},
                    {"INCIDENT", "incident", 0},
                    {"RECEIVED", "received", 0},
                    {"ANSWERED", "answered", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_concern(struct cmd *c)
{
    return cmd_learn_show_signed(c, "concerns");
}

static lt_res run_link(struct cmd *c)
{
    static const struct learn_change row = {.path = "concerns/link",
                                            .members = {{"keeper", "keepers", LEARN_TEXTS, false}}};
    if (!cmd_flag(c, "yes")) {
        return cmd_would(
            c, "would make a new link for the concern box; the one before ends. Add --yes to do it");
    }
    return cmd_learn_change(c, &row);
}

static lt_res run_answer(struct cmd *c)
{
    static const struct learn_change row = {.path = "concerns/*/answer", .words = {"words"}};
    return cmd_learn_change(c, &row);
}

static const struct cmd_option list_options[] = {
    {"person", "NAME", "of that one", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option course_options[] = {
    {"words", "TEXT", "what it teaches", false, NULL},
    {"valid-days", "N", "so long it counts (default: for good)", false, NULL},
    {"end", NULL, "wanted no longer", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option role_options[] = {
    {"end", NULL, "has it no longer", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option record_options[] = {
    {"evidence", "TEXT", "where that is written: 'drill 3', a certificate", false, NULL},
    {"done", "TIME", "when (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option operator_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option link_options[] = {
    {"keeper", "NAME", "operator who sees what comes; several times (default: who makes the link)", true,
     NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

#define OPTIONS(list_) .options = (list_), .option_count = LT_COUNT(list_)

const struct cmd_verb cmd_training_list = {
    .name = "training list",
    .words = "",
    .summary = "list who has learned what, newest first",
    .help = "examples:\n  lintel training list --person ann\n",
    OPTIONS(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_training_people = {
    .name = "training people",
    .words = "",
    .summary = "list who has which role, and what they have not learned, or not lately",
    .help = "examples:\n  lintel training people\n",
    OPTIONS(page_options),
    .run = run_people,
};
const struct cmd_verb cmd_training_courses = {
    .name = "training courses",
    .words = "",
    .summary = "list what each role must have learned",
    .help = "examples:\n  lintel training courses\n",
    OPTIONS(page_options),
    .run = run_courses,
};
const struct cmd_verb cmd_training_course = {
    .name = "training course",
    .words = "ROLE COURSE",
    .words_least = 2,
    .words_most = 2,
    .summary = "who has the role must learn this",
    .help = "Who has the role already has 30 days; then somebody is told.\n"
            "\n"
            "examples:\n"
            "  lintel training course commander drill --valid-days 365 --words 'led one drill'\n"
            "  lintel training course commander drill --end\n",
    OPTIONS(course_options),
    .run = run_course,
};
const struct cmd_verb cmd_training_role = {
    .name = "training role",
    .words = "PERSON ROLE",
    .words_least = 2,
    .words_most = 2,
    .summary = "somebody has a role from now on",
    .help = "examples:\n  lintel training role ann commander\n  lintel training role ann commander --end\n",
    OPTIONS(role_options),
    .run = run_role,
};
const struct cmd_verb cmd_training_record = {
    .name = "training record",
    .words = "PERSON ROLE COURSE",
    .words_least = 3,
    .words_most = 3,
    .summary = "somebody has learned it",
    .help = "examples:\n  lintel training record ann commander drill --evidence 'drill 3'\n",
    OPTIONS(record_options),
    .run = run_record,
};
const struct cmd_verb cmd_concern_link = {
    .name = "concern link",
    .words = "",
    .summary = "make the link of the concern box: one for all of the staff",
    .help = "Whoever has it may write down what worries them, in any browser; a case is opened that says "
            "nothing\n"
            "of who it was. Put it where all of the staff find it. A new link ends the one before. What "
            "comes by it is\n"
            "shown to its keepers alone, who have a role in the incident that it opens: the first is its "
            "commander.\n"
            "\n"
            "examples:\n  lintel concern link --keeper ann --keeper bob --yes\n",
    OPTIONS(link_options),
    .run = run_link,
};
const struct cmd_verb cmd_concern_list = {
    .name = "concern list",
    .words = "",
    .summary = "list what worries the staff, newest first",
    .help = "examples:\n  lintel concern list\n",
    OPTIONS(page_options),
    .run = run_concerns,
};
const struct cmd_verb cmd_concern_show = {
    .name = "concern show",
    .words = "CONCERN",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one concern, and the answer",
    .help = "For who keeps the box, and whoever else has a role in its incident.\n"
            "\n"
            "examples:\n  lintel concern show 2 --operator ann --key ann.key\n",
    OPTIONS(operator_options),
    .run = run_concern,
};
const struct cmd_verb cmd_concern_answer = {
    .name = "concern answer",
    .words = "CONCERN TEXT",
    .words_least = 2,
    .words_most = 2,
    .summary = "answer it: whoever filed it reads that by their own link",
    .help = "examples:\n  lintel concern answer 2 'It was as you said; incident 14 is about it.'\n",
    OPTIONS(operator_options),
    .run = run_answer,
};
