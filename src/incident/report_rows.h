#ifndef INCIDENT_REPORT_ROWS_H
#define INCIDENT_REPORT_ROWS_H
/* Lines of a report's appendices: the CCADB's CSV, the list of addresses of crt.sh, and those that are late
 * with their reasons. Pure: no book, no file. */
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"

/* A certificate of the list. */
struct incident_member {
    uint8_t sha256[32];
    int64_t not_before_s; /* 0: not asked for */
    int64_t not_after_s;
    int64_t revoked_s; /* 0: not */
    uint8_t reason;
    uint8_t issuer;
    uint8_t profile;
    lt_slice serial; /* borrowed; empty where it was not asked for */
};

/* A short row of incidents/N/report/members: big-endian, with a serial number behind its length or without.
 */
enum { INCIDENT_ROW_SHORT = 43, INCIDENT_ROW_LONG = 64 };
void incident_member_read(const uint8_t *row, size_t size, struct incident_member *ret_member);

void incident_add_crt_sh(struct lt_buf *out, const struct incident_member *m);

extern const char incident_late_head[];
/* What is said of those that are late. facts: of incidents/N/report. */
struct incident_late {
    json_t *own;        /* owned: rows of holds and delays by "ISSUER/SERIAL" */
    const char *common; /* of all others; borrows facts */
    lt_time plan_end;
    lt_time now;
};
LT_MUST_USE lt_res incident_late_init(const json_t *facts, lt_time plan_end, lt_time now,
                                      struct incident_late *ret_late);
void incident_late_done(struct incident_late *l);
void incident_add_late(struct lt_buf *out, const struct incident_late *l, const struct incident_member *m);

/* The CSV: its head, and a line. der: of the certificate; empty: the book has its number alone. */
struct incident_csv {
    const struct incident_late *late;
    bool delayed;
    lt_time must;            /* when the others are to be revoked; .us 0: no such time */
    const char *issuer_name; /* where the bytes do not say */
    const char *names;       /* NULL: as the bytes say */
};
void incident_add_csv_head(struct lt_buf *out);
LT_MUST_USE lt_res incident_add_csv(struct lt_buf *out, const struct incident_csv *c,
                                    const struct incident_member *m, lt_slice der);

#endif
