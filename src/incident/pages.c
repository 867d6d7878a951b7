/* See pages.h. */
#include "incident/pages.h"

static const struct acme_page_row pages[] = {
    {"problem-report", incident_problem_report_page},
    {"problem-case", incident_problem_case_page},
    {"concern", incident_concern_page},
    {"oncall", incident_oncall_page},
    {"key-proof", incident_key_proof_page},
    {"key-check", incident_key_check_page},
};

lt_res incident_page_call(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m, bool *ret_taken)
{
    return acme_page_serve(d, t, m, pages, LT_COUNT(pages), ret_taken);
}
