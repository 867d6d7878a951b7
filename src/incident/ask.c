/* See ask.h. */
#include "incident/ask.h"

#include <string.h>

#include "incident/overview.h"

const struct incident_questions *const incident_questions[] = {
    &incident_questions_affected,       &incident_questions_case,          &incident_questions_drill,
    &incident_questions_duty,           &incident_questions_learn,         &incident_questions_notice,
    &incident_questions_problem,        &incident_questions_proof,         &incident_questions_public,
    &incident_questions_report,         &incident_questions_watch,         &incident_questions_overview,
    &incident_questions_overview_tally, &incident_questions_overview_desk, &incident_questions_overview_work,
};
const size_t incident_questions_count = LT_COUNT(incident_questions);

lt_res incident_ask(const struct ca_query *query, struct lt_buf *out)
{
    for (size_t i = 0; i < incident_questions_count; i++) {
        const struct incident_questions *area = incident_questions[i];
        for (size_t k = 0; k < area->count; k++) {
            if (strcmp(area->questions[k].what, query->q->what) == 0) {
                return query_run(query, area->questions[k].answer, out);
            }
        }
    }
    return ca_query_answer(query, out);
}
