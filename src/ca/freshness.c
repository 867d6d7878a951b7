/* Dated limits of freshness. A change of the rules is a row here with its date, never an edit of an old row.
 */
#include "ca/freshness.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define OCSP_OPTIONAL "2024-03-15T00:00:00Z" /* from there on CRLs must be, and OCSP may */

const struct ca_fresh_rule ca_fresh_rules[] = {
    {CA_FRESH_CRL, 7 * DAY, "", OCSP_OPTIONAL, "CABF-BR 4.9.7", "a new CRL at least every seven days"},
    /*= CABF-BR 4.9.7 "MUST update and publish a new CRL at least every:" — seven days where all certificates
     * point to OCSP, else four */
    {CA_FRESH_CRL, 4 * DAY, OCSP_OPTIONAL, "", "CABF-BR 4.9.7",
     "a new CRL at least every four days, unless all certificates point to OCSP"},
    {CA_FRESH_CRL_WITH_OCSP, 7 * DAY, "", "", "CABF-BR 4.9.7", "a new CRL at least every seven days"},
    {CA_FRESH_CRL, 7 * DAY, "", "", "MRSP 6", "a new CRL at least every seven days"},
    /*= CABF-BR 4.9.7 "MUST update and publish a new CRL at least every twelve (12) months;" */
    {CA_FRESH_CRL_OF_CAS, 365 * DAY, "", "", "CABF-BR 4.9.7",
     "a new CRL of CAs at least every twelve months"},
    /*= CABF-BR 4.9.7 "MUST update and publish a new CRL within twenty-four (24) hours after recording a
     *= Certificate as revoked." */
    {CA_FRESH_ENTRY, DAY, "", "", "CABF-BR 4.9.7", "a revocation is on a CRL within 24 hours"},
    /*= CABF-BR 4.9.7 "Within twenty-four (24) hours of issuing its first Certificate, the CA MUST generate
     *and = publish either:" */
    {CA_FRESH_FIRST, DAY, OCSP_OPTIONAL, "", "CABF-BR 4.9.7",
     "the first CRL within 24 hours of the first certificate"},
    /*= CABF-BR 4.9.9 "starting no more than 15 minutes after the Certificate or Precertificate is first
     *published = or otherwise made available." */
    {CA_FRESH_ANSWER, 15 * MINUTE, "2025-01-15T00:00:00Z", "", "CABF-BR 4.9.9",
     "OCSP knows a certificate within 15 minutes"},
    /*= CABF-BR 4.9.9 "at least eight hours prior to the `nextUpdate`, and no later than four days after the
     *= `thisUpdate`." */
    {CA_FRESH_ANSWER_UPDATE, 4 * DAY, "", "", "CABF-BR 4.9.9",
     "a new answer of OCSP at least every four days"},
};
const size_t ca_fresh_rule_count = LT_COUNT(ca_fresh_rules);

static const char *const kind_names[CA_FRESH_COUNT] = {
    [CA_FRESH_CRL] = "crl",
    [CA_FRESH_CRL_WITH_OCSP] = "crl-with-ocsp",
    [CA_FRESH_CRL_OF_CAS] = "crl-of-cas",
    [CA_FRESH_ENTRY] = "entry",
    [CA_FRESH_FIRST] = "first-crl",
    [CA_FRESH_ANSWER] = "answer",
    [CA_FRESH_ANSWER_UPDATE] = "answer-update",
};

static const char *const state_names[] = {
    [CA_FRESH_GOOD] = "fresh", [CA_FRESH_LATE] = "late", [CA_FRESH_BROKEN] = "broken"};

const char *ca_fresh_kind_name(enum ca_fresh_kind kind)
{
    LT_ASSERT((unsigned)kind < CA_FRESH_COUNT);
    return kind_names[kind];
}

const char *ca_fresh_state_name(enum ca_fresh_state state)
{
    LT_ASSERT((size_t)state < LT_COUNT(state_names));
    return state_names[state];
}

/* A date of the table; "" is the edge given. A date that does not parse is a bug in the table. */
static int64_t row_time(const char *text, int64_t edge_us)
{
    lt_time t = {edge_us};
    if (text[0] != 0) {
        LT_ASSERT(!lt_failed(lt_time_parse(lt_slice_cstr(text), &t)));
    }
    return t.us;
}

const struct ca_fresh_rule *ca_fresh_rule_at(enum ca_fresh_kind kind, lt_time when)
{
    const struct ca_fresh_rule *best = NULL;
    for (size_t i = 0; i < ca_fresh_rule_count; i++) {
        const struct ca_fresh_rule *r = &ca_fresh_rules[i];
        bool counts = r->kind == kind && row_time(r->from, INT64_MIN) <= when.us &&
                      when.us < row_time(r->until, INT64_MAX);
        if (counts && (best == NULL || r->limit_s < best->limit_s)) {
            best = r;
        }
    }
    return best;
}

static enum ca_fresh_state by_age(int64_t age_us, int64_t limit_us)
{
    if (age_us >= limit_us) {
        return CA_FRESH_BROKEN;
    }
    return age_us >= limit_us / 2 ? CA_FRESH_LATE : CA_FRESH_GOOD;
}

enum ca_fresh_state ca_fresh_judge(enum ca_fresh_kind kind, lt_time since, lt_time now)
{
    const struct ca_fresh_rule *r = ca_fresh_rule_at(kind, now);
    return r == NULL ? CA_FRESH_GOOD : by_age(now.us - since.us, r->limit_s * LT_US_PER_SECOND);
}

enum ca_fresh_state ca_fresh_judge_crl(const struct ca_fresh_crl *crl, lt_time now)
{
    enum ca_fresh_state by_rule = ca_fresh_judge(crl->of_cas ? CA_FRESH_CRL_OF_CAS : CA_FRESH_CRL,
                                                 crl->this_update, now);
    enum ca_fresh_state by_itself = by_age(now.us - crl->this_update.us,
                                           crl->next_update.us - crl->this_update.us);
    return by_rule > by_itself ? by_rule : by_itself;
}
