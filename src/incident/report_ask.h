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
    REPORT_SQL_GRANTS
};
extern const struct store_sql report_ask_sql[];

/* The incident of the path; LT_PEER_NOT_FOUND where it is restricted and nobody was let in. */
LT_MUST_USE lt_res report_ask_incident(const struct ca_query *query, int64_t *ret_id);
LT_MUST_USE lt_res report_ask_members(const struct ca_query *query, struct query_out *o);

#endif
