#ifndef INCIDENT_MASS_PLAN_H
#define INCIDENT_MASS_PLAN_H
/* The plan for mass revocations that CABF-BR 5.7.1.2 asks of every CA, as a file that a machine can read:
 * nine parts, each with what it must have. Pure: reads text, gives findings; for `lintel plan check`, and for
 * drills, whose test record goes beside it.
 *
 * Refuses (an error with line and column): what is no YAML, keys that no part has, values of another type.
 * Everything else is a finding.
 */
#include "base/arena.h"
#include "base/clock.h"

enum {
    INCIDENT_PLAN_PARTS = 9,
    INCIDENT_PLAN_MAX_BYTES = 256 * 1024,
    INCIDENT_PLAN_ROWS_MAX = 64,
    INCIDENT_PLAN_FINDINGS_MAX = 200,
};

enum incident_plan_severity { INCIDENT_PLAN_WARNING, INCIDENT_PLAN_ERROR };

struct incident_plan_finding {
    const char *id; /* "activation-missing" */
    unsigned part;  /* 1 to 9; 0: the plan as a whole */
    enum incident_plan_severity severity;
    const char *text; /* in the arena */
};

struct incident_plan_report {
    const char *name; /* of the plan, "" when it has none */
    struct incident_plan_finding findings[INCIDENT_PLAN_FINDINGS_MAX];
    size_t count;
    size_t errors;
    size_t warnings;
};

/* "activation criteria", … ; part from 1. */
const char *incident_plan_part(unsigned part);
/* file: for messages. now: whether the last test is too old. Everything in the arena. */
LT_MUST_USE lt_res incident_plan_check(const char *file, lt_slice yaml, lt_time now, struct lt_arena *a,
                                       struct incident_plan_report *ret_report);

#endif
