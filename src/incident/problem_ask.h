#ifndef INCIDENT_PROBLEM_ASK_H
#define INCIDENT_PROBLEM_ASK_H
/* Between the files that answer questions about problem reports. */
#include "incident/ask.h"

/* One item of a report. */
struct problem_item {
    const char *kind;
    const char *value;
    int64_t issuer; /* 0: no certificate of the book */
    lt_slice serial;
    int64_t account;
};
enum { PROBLEM_ITEMS_MAX = 200 };
LT_MUST_USE lt_res problem_items_of(const struct ca_query *query, int64_t id,
                                    struct problem_item list[PROBLEM_ITEMS_MAX], size_t *ret_count);
LT_MUST_USE lt_res problem_id_of(const struct ca_query *query, int64_t *ret_id);

/* problem_triage.c */
query_answer problem_triage;

/* All statements of this area's questions. */
enum problem_ask_row {
    PROBLEM_SQL_VERDICT,
    PROBLEM_SQL_DER,
    PROBLEM_SQL_PRIOR,
    PROBLEM_SQL_PRIOR_ACCOUNT,
    PROBLEM_SQL_CLAIM,
    PROBLEM_SQL_PROVEN,
    PROBLEM_SQL_ISSUED,
    PROBLEM_SQL_ASKS, /* those of problem_ask.c follow */
    PROBLEM_SQL_ROWS = PROBLEM_SQL_ASKS + 14,
};
extern const struct store_sql problem_ask_sql[PROBLEM_SQL_ROWS];

#endif
