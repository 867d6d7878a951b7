/* RFC 6960: OCSP responses. */
#include "lint/ocsp.h"
#include "lint/rules.h"

static bool has_response(const struct lint_subject *s)
{
    return s->ocsp->response_count > 0;
}

static void produced_after_this_update(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_ocsp *o = s->ocsp;
    for (size_t i = 0; i < o->response_count; i++) {
        if (o->responses[i].this_update.us > o->produced_at.us) {
            lint_found(
                r, o->responses[i].der, "thisUpdate lies %lld s after producedAt",
                (long long)(lt_time_seconds(o->responses[i].this_update) - lt_time_seconds(o->produced_at)));
        }
    }
}

static const struct lint_rule rows[] = {
    {"e_this_update_not_after_produced_at", .source = LINT_RFC6960, .level = LINT_ERROR, .kinds = LINT_OCSP,
     .zlint = true, .asks = "a response is not produced before its thisUpdate", .citation = "RFC 6960 2.4",
     .effective = LINT_DAY(2013, 6, 1), .applies = has_response, .check = produced_after_this_update},
};
const struct lint_table lint_ocsp_rules = LINT_TABLE(rows);
