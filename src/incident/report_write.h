#ifndef INCIDENT_REPORT_WRITE_H
#define INCIDENT_REPORT_WRITE_H
/* Compiles an incident report: the CCADB's template filled with what the book knows (the answer of
 * incidents/N/report) and what people wrote. What only a person can write, and nobody has, is marked in the
 * text and listed. Pure.
 *
 * Refuses to make anything up: a fact is an event or a row of the book, or it is missing. */
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "incident/report_form.h"

enum { INCIDENT_HOURS_MAX = 24 * 120 };

/* Counted while the certificates went by. */
struct incident_numbers {
    bool known; /* else only what the scope said */
    int64_t total;
    int64_t revoked;
    int64_t expired;                      /* and not revoked before */
    int64_t by_type[5];                   /* DV, OV, IV, EV, S/MIME; INCIDENT_TYPES */
    int64_t last_not_after_s;             /* of those neither revoked nor expired */
    int64_t gone[INCIDENT_HOURS_MAX];     /* revoked in that hour since the CA was aware */
    int64_t expiring[INCIDENT_HOURS_MAX]; /* not revoked, expires in that hour */
};
#define INCIDENT_TYPES ((const char *const[]){"DV", "OV", "IV", "EV", "S/MIME"})

struct incident_writing {
    const json_t *facts;
    unsigned kind; /* INCIDENT_REPORT_* */
    const struct incident_numbers *numbers;
    const char *related;  /* rows of data/incidents, and those of the operator */
    const char *appendix; /* names of the attached files, for the text; "": none */
    lt_time now;
};

/* A section with its state, for the list of what is left to do. */
struct incident_section {
    const char *id;
    const char *words;
    const char *role;
    const char *state; /* "missing", "written", "signed", "computed" */
    lt_time due;       /* .us 0: none known */
    const char *by;    /* who wrote or signed */
};
struct incident_sections {
    struct incident_section list[64];
    size_t count;
    size_t missing;
    size_t unsigned_;
};

LT_MUST_USE lt_res incident_report_write(const struct incident_writing *w, struct lt_arena *a,
                                         struct lt_buf *out, struct incident_sections *ret_sections);
/* What happened, in words, the oldest first; without what is only expected. */
struct incident_moment {
    lt_time at;
    const char *text; /* in the arena */
};
struct incident_moments {
    struct incident_moment *list; /* in the arena */
    size_t count;
};
LT_MUST_USE lt_res incident_report_moments(const json_t *facts, struct lt_arena *a,
                                           struct incident_moments *ret_moments);
/* The fishbone of root causes, and how many certificates were left over time: SVG, drawn by ourselves. */
void incident_fishbone_svg(const json_t *facts, struct lt_buf *out);
void incident_runoff_svg(const json_t *facts, const struct incident_numbers *n, struct lt_buf *out);

/* Members of facts; "" and 0 where they are missing. */
const char *incident_fact(const json_t *object, const char *key);
int64_t incident_fact_number(const json_t *object, const char *key);
/* An RFC 3339 member; .us 0: none. */
lt_time incident_fact_time(const json_t *object, const char *key);
/* "2026-03-01 02:10 UTC" */
void incident_add_minute(struct lt_buf *out, lt_time t);
/* "3,048,289" */
void incident_add_count(struct lt_buf *out, int64_t n);

extern const char incident_related_rows[]; /* data/incidents/recorded.tsv */

#endif
