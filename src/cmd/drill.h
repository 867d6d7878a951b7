#ifndef CMD_DRILL_H
#define CMD_DRILL_H
/* Drills: between the files drill.c (verbs), drill_scenario.c (what is to happen, as data), drill_make.c (a
 * scratch CA), drill_family.c (its programs and its clock), drill_call.c (the verbs that people would type),
 * drill_words.c (what stands in them), drill_log.c (how far it is), drill_run.c (one step after the other),
 * drill_score.c (how it went), drill_tabletop.c, drill_random.c, drill_book.c (what a CA keeps of it). Nobody
 * else includes this.
 *
 * A drill does nothing that a person could not: each step is a verb of the command line, signed by an
 * operator of the scratch CA, approved by two others. Only the clock is the drill's. */
#include <jansson.h>
#include <sys/types.h>

#include "base/buf.h"
#include "cmd/cmd.h"

enum {
    DRILL_STEPS_MAX = 200,
    DRILL_MEASURES_MAX = 60,
    DRILL_QUESTIONS_MAX = 40,
    DRILL_BESIDE_MAX = 3,
    DRILL_CHOICES_MAX = 6,
    DRILL_WORDS_MAX = 60, /* of one verb */
    DRILL_TEXT_MAX = 256 * 1024,
    DRILL_PATIENCE_S = 900,
};

/* All texts borrowed from the scenario's arena; NULL where nothing is written. */
struct drill_step {
    const char *id;
    const char *say;
    const char *at;      /* simulated time since the first step: "24h"; else when the step before is done */
    const char *mode;    /* only in this one */
    const char *as;      /* operator; else admin */
    const char *run;     /* the verb and its words: {variables}, 'quotes' */
    const char *input;   /* for the verb's standard input */
    const char *find;    /* a question that tells whether a step that broke off came through */
    const char *where;   /* "list member=value": which row of its answer that would be */
    const char *keep;    /* "variable=member …" of the answer */
    const char *until;   /* "member=value": asked again until it says so; "value|value", or "clean" */
    const char *expect;  /* "refused", or "member=value" */
    const char *with;    /* a variable: only where it is kept and not empty */
    const char *without; /* the opposite */
    const char *use;     /* a shipped part: its steps stand here, in this one's mode */
    const char *kill;    /* "registrar", "supervisor", …: ended by SIGKILL, as an empty machine would */
};

/* From the beginning of one step to the end of another. */
struct drill_measure {
    const char *id;
    const char *say;
    const char *from;
    const char *to;
    const char *within; /* "10s" of work, "24h" of simulated time */
    const char *mode;
    const char *needs; /* only where there are at least so many certificates */
    const char **beside;
    uint32_t beside_count;
};

struct drill_question {
    const char *at;
    const char *say; /* what has happened */
    const char *ask;
    const char **choices;
    uint32_t choice_count;
    const char *answer; /* number of the right one, from 1 */
    const char *why;
};

struct drill_scenario {
    const char *name;
    const char *title;
    const char *what;      /* a few lines */
    const char *shape;     /* of the book: "caa" (every check of CAA too old), "clean", "mixed" */
    const char *cause;     /* of the incident, ca/reasons.h */
    const char *mail_rate; /* letters a second that the relay takes */
    const char *delayed;   /* a duty that is missed on purpose, with a report of the delay (irg-9) in time */
    const char *delayed_mode;
    const char **modes;
    uint32_t mode_count;
    const char **beside; /* whose times stand beside ours */
    uint32_t beside_count;
    struct drill_step *steps;
    uint32_t step_count;
    struct drill_measure *measures;
    uint32_t measure_count;
    struct drill_question *questions;
    uint32_t question_count;
    struct lt_arena arena; /* owned */
};

struct drill_shipped {
    const char *name;
    const char *text;
};
/* Parts, which only others use, are called "part-…". */
extern const struct drill_shipped drill_shipped[];
extern const size_t drill_shipped_count;

/* A shipped one by its name, or a file. text: as it was, in the command's arena. */
LT_MUST_USE lt_res drill_find(struct cmd *c, const char *name, lt_slice *ret_text);
/* Refuses, naming line and step: steps of the same id, measures of steps that are not there, modes that
 * nobody declared, times that are none. */
LT_MUST_USE lt_res drill_parse(const char *file, lt_slice yaml, struct drill_scenario *ret_scenario);
void drill_scenario_done(struct drill_scenario *s);
/* "90s", "2m", "24h", "14d". */
LT_MUST_USE lt_res drill_span(const char *text, int64_t *ret_us);
/* "" of either: in every mode. */
bool drill_in_mode(const char *mode, const char *now);

/* ---- one drill ---- */

struct drill_done { /* of one step */
    bool begun;
    bool done;
    int64_t begun_us; /* simulated */
    int64_t ended_us;
    int64_t worked_ms; /* real time of the verb itself */
};

struct drill {
    struct cmd *c;
    struct cmd inner;   /* asks the scratch CA: no options of ours */
    const char *folder; /* absolute */
    struct drill_scenario scenario;
    const char *mode;
    uint64_t certificates;
    uint64_t seed;
    uint64_t reacting; /* of 100 clients that look at renewal information */
    uint64_t speed; /* simulated seconds in a real one while waiting; 0: as fast as what is due gets done */
    struct drill_done done[DRILL_STEPS_MAX];
    json_t *kept;        /* owned: variables */
    int64_t detected_us; /* simulated: when the first step began */
    int64_t begun_us;    /* real, for the record */
    int64_t worked_ms;   /* real time in all */
    /* drill_family.c */
    struct lt_clock_page *clock;
    int clock_fd;
    pid_t supervisor;
    int restarts;
    /* drill_log.c */
    int log_fd;
};

/* drill_make.c: a folder with a CA, its book of so many certificates, operators, and the marks. */
LT_MUST_USE lt_res drill_make(struct drill *d, const char *from);

/* drill_family.c */
LT_MUST_USE lt_res drill_family_start(struct drill *d);
/* Where the supervisor has died it is started again. */
LT_MUST_USE lt_res drill_family_alive(struct drill *d);
void drill_family_stop(struct drill *d);
LT_MUST_USE lt_res drill_family_kill(struct drill *d, const char *role);
/* Moves the clock, in steps, and waits each time until what is due then has been done. */
LT_MUST_USE lt_res drill_advance(struct drill *d, int64_t until_us);

/* drill_call.c */
struct drill_answer {
    int status;      /* exit status; -1: ended by a signal */
    json_t *json;    /* owned; NULL: it gave none */
    char words[400]; /* of a failure */
    int64_t took_ms;
};
void drill_answer_done(struct drill_answer *a);
/* The verb, as one would type it in the scratch CA's folder; --json is added. */
LT_MUST_USE lt_res drill_call(struct drill *d, char *const *words, const char *input,
                              struct drill_answer *ret_answer);

/* drill_words.c */
/* Cuts a line into words and puts variables into them; copies live in the command's arena. */
LT_MUST_USE lt_res drill_words(struct drill *d, const char *line, char **ret_words, size_t *ret_count);
LT_MUST_USE lt_res drill_fill(struct drill *d, lt_slice text, const char **ret_text);
/* "a.0.b" of a document: NULL where there is none. */
const json_t *drill_member(const json_t *json, lt_slice path);
/* Strings as they are, numbers in digits. */
const char *drill_text(struct drill *d, const json_t *value);
/* "member=value|value". */
bool drill_holds(struct drill *d, const json_t *json, const char *rule);
LT_MUST_USE lt_res drill_keep(struct drill *d, const json_t *json, const char *rule);

/* drill_log.c */
LT_MUST_USE lt_res drill_log_begin(struct drill *d, lt_slice scenario);
/* What a drill that broke off had written down. */
LT_MUST_USE lt_res drill_log_open(struct drill *d);
LT_MUST_USE lt_res drill_log_step(struct drill *d, size_t step, bool done);
void drill_log_done(struct drill *d);

/* drill_run.c */
LT_MUST_USE lt_res drill_steps(struct drill *d);

/* drill_score.c */
/* The record as JSON, owned by the caller. */
LT_MUST_USE lt_res drill_score(struct drill *d, json_t **ret_record);
LT_MUST_USE lt_res drill_print(struct drill *d, const json_t *record);
/* record.json and the record of the test (BR 5.7.1.2) into FOLDER/drill/out. */
LT_MUST_USE lt_res drill_write(struct drill *d, const json_t *record);

/* drill_random.c: a scenario drawn from the seed, as text. */
LT_MUST_USE lt_res drill_random(uint64_t seed, struct lt_buf *out);

#endif
