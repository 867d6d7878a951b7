#ifndef INCIDENT_DUTY_H
#define INCIDENT_DUTY_H
/* Duties as dated data: what data/duties says, compiled in, and judged for any day. Knows no book and never
 * reads the clock, so that the command line judges old incidents by the rules of any date without a CA.
 *
 * An id has one row for each period in which the rule said something else; rows of one id never overlap
 * (duties.py refuses them at build time).
 */
#include "base/clock.h"

struct incident_duty {
    const char *id;      /* "irg-1" */
    const char *from;    /* RFC 3339, in force from this instant on; "" from ever */
    const char *until;   /* not any more from this instant on; "" until further notice */
    const char *start;   /* what begins it, in words */
    const char *because; /* which evidence shows that instant */
    int64_t aim_s;       /* SHOULD be done in; 0: the rule has only one limit */
    int64_t limit_s;
    bool exact;          /* false: the rule says "promptly"; the limit is ours */
    const char *force;   /* "MUST", "SHOULD" */
    const char *section; /* "CCADB-IRG 3.2", "CABF-BR 4.9.5" */
    const char *words;   /* ours: what is to be done */
    const char *quote;   /* the document's words; "" where none is quoted */
    const char *owner;   /* role: commander, communications, revocation, liaison, legal, compliance */
    const char *cause;   /* of ca/reasons.h, "tls/key-compromise"; "": not about one */
    const char *on;      /* kind of the event that begins it by itself; "": somebody opens it */
    const char *met;     /* kind of the event that meets it; "": somebody says so */
    const char *where;   /* "data/duties/irg.yaml:12" */
};

extern const struct incident_duty incident_duties[];
extern const size_t incident_duty_count;

/* The row in force at that time; NULL when there is none. */
const struct incident_duty *incident_duty_at(lt_slice id, lt_time when);
bool incident_duty_in_force(const struct incident_duty *duty, lt_time when);
/* Any row of that id: does anybody know it? */
bool incident_duty_known(lt_slice id);
/* Of a revocation for that cause ("caa-unreliable" of TLS, "smime/misuse"); NULL as above. */
const struct incident_duty *incident_duty_for_cause(lt_slice cause, lt_time when);

struct incident_due {
    lt_time aim; /* .us 0: none */
    lt_time due;
};
struct incident_due incident_duty_due(const struct incident_duty *duty, lt_time start);

/* When a clock begins, by how it came to light: the dated rules of data/duties/starts.yaml. */
enum incident_instant {
    INCIDENT_RECEIVED,  /* somebody told us */
    INCIDENT_FOUND,     /* a machine or a person of ours had it before the eyes */
    INCIDENT_CONFIRMED, /* we were sure */
    INCIDENT_INSTANTS,
};
/* "received", … Static storage. */
const char *incident_instant_name(enum incident_instant instant);
struct incident_start {
    const char *source; /* "problem-report", "design-review", … as in incident/case.h */
    const char *from;
    const char *until;
    enum incident_instant at;
    const char *section;
    const char *words;
    const char *where;
};
extern const struct incident_start incident_starts[];
extern const size_t incident_start_count;

/* The rule in force when the thing came up; NULL: no such source. */
const struct incident_start *incident_start_at(lt_slice source, lt_time when);
/* When the clocks of a case of that source begin. instants: .us 0 where it has not happened. The rules are
 * those of `as_of`. LT_PEER_MALFORMED: no such source. LT_PEER_NOT_FOUND: that instant has not come, so no
 * clock runs yet. */
LT_MUST_USE lt_res incident_start_judge(lt_slice source, const lt_time instants[INCIDENT_INSTANTS],
                                        lt_time as_of, const struct incident_start **ret_rule,
                                        lt_time *ret_start);

/* Incidents of the record, to be judged by the rules of any day (data/duties/recorded.yaml). */
struct incident_recorded {
    const char *name; /* "le-caa-2020" */
    const char *title;
    const char *source;
    const char *cause;
    const char *instants[INCIDENT_INSTANTS]; /* RFC 3339 or "" */
    const char *note;
};
extern const struct incident_recorded incident_recorded[];
extern const size_t incident_recorded_count;
const struct incident_recorded *incident_recorded_find(lt_slice name);
void incident_recorded_instants(const struct incident_recorded *r, lt_time ret_instants[INCIDENT_INSTANTS]);

#endif
