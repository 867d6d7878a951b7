#ifndef CMD_INCIDENT_REPORT_H
#define CMD_INCIDENT_REPORT_H
/* Between the files of lintel incident report. */
#include "cmd/api.h"
#include "incident/report_check.h"
#include "incident/report_write.h"

/* incident_check.c */
LT_MUST_USE lt_res cmd_findings_json(const struct incident_findings *out, json_t **ret_list);
size_t cmd_findings_count(const struct incident_findings *out, enum incident_severity severity);
/* The files that are the words of c, checked together. */
LT_MUST_USE lt_res cmd_check_files(struct cmd *c, const struct incident_check *o, struct lt_arena *a,
                                   struct incident_findings *ret_findings);

/* incident_members.c: the certificates of an incident, counted, and written into the folder as the appendix.
 */
struct incident_listing {
    const char *id;
    const char *folder;
    const char *token; /* of a restricted one; "" */
    const json_t *facts;
    bool delayed;  /* with the list of those that are late */
    bool appendix; /* else only counted */
    lt_time now;
};
LT_MUST_USE lt_res cmd_incident_members(struct cmd *c, const struct incident_listing *l,
                                        struct incident_numbers *ret_numbers, json_t *files);

/* incident_pages.c: what is taken is borrowed until take returns. A row has CMD_INCIDENT_ROW bytes, and with
 * serials the number behind its length. */
enum { CMD_INCIDENT_ROW = 43 };
LT_MUST_USE lt_res cmd_incident_pages(struct cmd *c, const struct incident_listing *l, bool serials,
                                      void (*take)(void *self, lt_slice rows, size_t size, lt_time end),
                                      void *self);

#endif
