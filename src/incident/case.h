#ifndef INCIDENT_CASE_H
#define INCIDENT_CASE_H
/* Incidents: from "something is wrong" to closed. The state is a row, its edges are one table
 * (incident_case_edges); each step is an event of the subject "incident N" and a row of incident_step. Halts,
 * scopes, lists, revocations and holds are those of ca/; here is what ties them to one incident, and what
 * must hold before the next step.
 *
 * Refuses: steps that no edge has; a corrected scope without why the one before was wrong; closing while
 * clocks run, halts stand, promises or a revocation are open.
 */
#include "ca/turn.h"
#include "mass.pb-c.h"

enum {
    INCIDENT_TITLE_MAX = 300,
    INCIDENT_WORDS_MAX = 4000,
    INCIDENT_NAME_MAX = 200,
};

struct incident_case_edge {
    const char *from;
    const char *event;
    const char *to;
    const char *when; /* for the page */
};
extern const struct incident_case_edge incident_case_edges[];
extern const size_t incident_case_edge_count;
/* NULL: there is no such edge. */
const char *incident_case_next(const char *from, const char *event);
/* The words that are allowed, NULL ends them. */
extern const char *const incident_case_roles[];
extern const char *const incident_case_severities[];

struct incident_opening {
    const char *title;
    const char *source;   /* "problem-report", "design-review", "pre-issuance-lint", "post-issuance",
                           * "periodic-review", "audit", "monitor", "person" */
    const char *cause;    /* ca/reasons.h: its revocation clock opens; "": not known yet */
    const char *severity; /* "critical", "high", "medium", "low"; "": medium */
    bool restricted;
    lt_time aware;     /* when the clocks began; .us 0: now */
    int64_t problem;   /* report that told of it; 0: none */
    const char *scope; /* canonical; "": not known yet. Kept in the event: a version needs a count */
    const char *by;    /* "operator ann", "trigger 9" */
    bool drill;
    lt_slice jws; /* of the request, or empty */
};
/* In state "detected". Opens irg-1, and the clock of the cause. Event: incident.opened. */
LT_MUST_USE lt_res incident_open(struct ca_turn *t, const struct incident_opening *o, int64_t *ret_id);
/* Along an edge. LT_PEER_CONFLICT: there is none from where it is. Event: incident.EDGE. */
LT_MUST_USE lt_res incident_step(struct ca_turn *t, int64_t id, const char *event, const char *by,
                                 const char *words);
/* The same, where there is such an edge; otherwise nothing. */
LT_MUST_USE lt_res incident_step_if(struct ca_turn *t, int64_t id, const char *event, const char *by,
                                    const char *words);
LT_MUST_USE lt_res incident_link_problem(struct ca_turn *t, int64_t id, int64_t problem, const char *by);

/* What others need of a row; texts in the turn's arena. */
struct incident_case {
    int64_t id;
    const char *status;
    int64_t since_us;
    const char *title;
    const char *source;
    const char *cause;
    const char *severity;
    bool restricted;
    bool drill;
    int64_t aware_us;
    int64_t must_us;
    int64_t opened_us;
    const char *opened_by;
    int64_t contained_us;
    int64_t scope_version;
    int64_t plan_version;
    int64_t late_us;
    int64_t closed_us;
};
LT_MUST_USE lt_res incident_load(struct ca_turn *t, int64_t id, struct incident_case *ret_case);
/* Restricted, and this operator has no role in it: LT_PEER_NOT_FOUND, as if there were none. */
LT_MUST_USE lt_res incident_may_see(struct ca_turn *t, const struct incident_case *c,
                                    const char *operator_name);
/* The last version; .count -1: there is none. */
struct incident_case_scope {
    int64_t version;
    const char *text;
    int64_t as_of_us;
    int64_t count;
};
LT_MUST_USE lt_res incident_scope_last(struct ca_turn *t, int64_t id, struct incident_case_scope *ret_scope);
/* The frozen list of the plan in force; 0: there is none. */
LT_MUST_USE lt_res incident_mass_of(struct ca_turn *t, int64_t id, int64_t *ret_mass);

/* A reader has counted what was issued in spite of a halt (Members with fix). */
LT_MUST_USE lt_res incident_case_on_members(struct ca_turn *t, const Ipc__Members *m);

#endif
