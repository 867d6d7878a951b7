#ifndef INCIDENT_REPORT_ASK_H
#define INCIDENT_REPORT_ASK_H
/* Between the files that answer what a report is made of. */
#include "incident/ask.h"

enum {
    REPORT_SQL_SECTIONS,
    REPORT_SQL_CAUSES,
    REPORT_SQL_WHYS,
    REPORT_SQL_BONES,
    REPORT_SQL_LESSONS,
    REPORT_SQL_ACTIONS,
    REPORT_SQL_EVENTS,
    REPORT_SQL_PROBLEMS,
    REPORT_SQL_CLOCKS,
    REPORT_SQL_HALTS,
    REPORT_SQL_SCOPES,
    REPORT_SQL_PLANS,
    REPORT_SQL_MASSES,
    REPORT_SQL_HOLDS,
    REPORT_SQL_DELAYS,
    REPORT_SQL_ROLES,
    REPORT_SQL_HANDED,
    REPORT_SQL_INCIDENT,
    REPORT_SQL_MASS,
    REPORT_SQL_BATCHES,
    REPORT_SQL_MEMBERS,
    REPORT_SQL_CERTIFICATES,
    REPORT_SQL_REVOCATION,
    REPORT_SQL_RESTRICTED,
    REPORT_SQL_GRANTS,
    REPORT_SQL_DER,
    REPORT_SQL_FEW
};
extern const struct store_sql report_ask_sql[];

/* The incident of the path; LT_PEER_NOT_FOUND where it is restricted and nobody was let in. */
LT_MUST_USE lt_res report_ask_incident(const struct ca_query *query, int64_t *ret_id);
/* Everything that a report is made of. */
LT_MUST_USE lt_res report_ask_facts(const struct ca_query *query, struct query_out *o);

/* A page of the frozen list: up to a hundred thousand short rows, see report_members.c. */
struct report_page {
    int64_t mass; /* 0: nothing is frozen for the scope as it is now */
    int64_t count;
    int64_t pages; /* 0: it is still being frozen */
    int64_t end_us;
    size_t row; /* bytes of one */
    struct lt_buf rows;
};
struct report_page_of {
    int64_t incident;
    int64_t page; /* from 1 */
    bool serials; /* with the serial number behind each row */
};
void report_page_init(struct report_page *p); /* lt_buf_done(&p->rows) ends it */
LT_MUST_USE lt_res report_ask_page(const struct ca_query *query, const struct report_page_of *of,
                                   struct report_page *ret_page);
LT_MUST_USE lt_res report_ask_members(const struct ca_query *query, struct query_out *o);
/* draft_ask.c */
query_answer report_ask_draft;
query_answer report_ask_timeline;
/* appendix_ask.c */
query_answer report_ask_appendix;

#endif
