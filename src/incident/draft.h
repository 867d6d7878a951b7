#ifndef INCIDENT_DRAFT_H
#define INCIDENT_DRAFT_H
/* Between the files that compile reports in the reader, by the library that the command line compiles them
 * with: for the console, which has no folder. */
#include "incident/report_ask.h"
#include "incident/report_write.h"

/* incidents/N/report as a document; *ret_facts: for the caller to free. */
LT_MUST_USE lt_res incident_draft_facts(const struct ca_query *query, json_t **ret_facts);
/* certificates.csv, certificates.txt, delayed.csv */
const char *incident_appendix_name(int64_t count, bool late);

#endif
