#ifndef INCIDENT_PAGES_H
#define INCIDENT_PAGES_H
/* The incident desk's pages for people: a row for each in pages.c, and one in the notary's table
 * (role/notary_pages.c). */
#include "acme/pages.h"

/* IPC_PAGE_CALL. *ret_taken false: the page is another room's. */
LT_MUST_USE lt_res incident_page_call(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m,
                                      bool *ret_taken);

/* problem_page.c: the form, and the case that its link leads to. */
acme_page_handler incident_problem_report_page, incident_problem_case_page;
/* learn_concern.c: the box for the staff, and the answer to one of them. */
acme_page_handler incident_concern_page;

/* proof_page.c: is a key blocked, and the form that takes proofs. */
acme_page_handler incident_key_proof_page, incident_key_check_page;

/* oncall.c: the link in an alarm. */
acme_page_handler incident_oncall_page;

#endif
