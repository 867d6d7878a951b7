/* The gate: what the linter finds in the exact bytes, and which of it an exception covers. What stops is an
 * error or worse; a finding that could not be kept stops as well, as nobody has read it. */
#include <string.h>

#include "base/text.h"
#include "ca/crl_shard.h"
#include "ca/examine_internal.h"

static lt_time older(int64_t a_us, int64_t b_us)
{
    return (lt_time){a_us == 0 || (b_us != 0 && b_us < a_us) ? b_us : a_us};
}

/* The registrar's word, bounded by what stands in the evidence itself. */
static struct lint_evidence evidence_of(const struct judge *j)
{
    static const Ipc__BookFacts none = IPC__BOOK_FACTS__INIT;
    const Ipc__BookFacts *f = j->m->facts == NULL ? &none : j->m->facts;
    struct lint_evidence e = {
        .known = true,
        .serial_uses = f->serial_uses,
        .names_validated = (uint32_t)j->m->n_evidence,
        .oldest_validation = {f->oldest_validation_us},
        .oldest_caa = {f->oldest_caa_us},
        .crl_url = lt_slice_cstr(f->crl_url),
    };
    for (size_t i = 0; i < j->m->n_evidence; i++) {
        e.oldest_validation = older(e.oldest_validation.us, j->m->evidence[i]->validated_us);
        e.oldest_caa = older(e.oldest_caa.us, j->m->evidence[i]->caa_checked_us);
    }
    if (j->m->facts != NULL && f->names_validated < e.names_validated) {
        e.names_validated = f->names_validated;
    }
    return e;
}

/* The address that the registrar names is one that a CRL of this issuer has here. That it stands in the
 * certificate is a rule's affair: lintel_issuance_crl_url. */
static lt_res crl_url_fits(const struct judge *j)
{
    if (j->m->facts == NULL || j->m->facts->crl_url[0] == 0) {
        return LT_OK;
    }
    uint32_t shard = 0;
    LT_CHECK(
        ca_crl_url_shard(lt_slice_cstr(j->m->facts->crl_url), j->x->public_http_url, j->m->issuer, &shard),
        LT_POLICY_REFUSED, "the CRL will not be at %.200s", j->m->facts->crl_url);
    return LT_OK;
}

bool ca_lint_excepted(const struct ca_examine *x, const struct lint_finding *f, const char *profile,
                      lt_time now)
{
    return ca_examiner_excepted(x->state, f->rule->id, profile, now);
}

lt_res ca_judge_findings(const struct ca_examine *x, const struct lint_results *r, const char *profile,
                         lt_time now)
{
    LT_CHECK(r->dropped == 0, LT_POLICY_LINT, "%zu findings more than can be told", r->dropped);
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_finding *f = &r->list[i];
        bool counts = f->level >= LINT_ERROR && !ca_lint_excepted(x, f, profile, now);
        LT_CHECK(!counts, LT_POLICY_LINT, "%s: %s (%s)", f->rule->id, f->message, f->rule->citation);
    }
    return LT_OK;
}

lt_res ca_judge_lint(struct judge *j)
{
    struct lint_evidence evidence = evidence_of(j);
    LT_TRY(crl_url_fits(j));
    struct lint_input in = {
        .kind = LINT_CERTIFICATE,
        .der = LT_SLICE(j->m->tbs.data, j->m->tbs.len),
        .bare = true,
        .cert = &j->v->cert,
        .role = j->v->profile->kind == CA_PROFILE_RESPONDER ? LINT_ROLE_OCSP_RESPONDER : LINT_ROLE_SUBSCRIBER,
        .profile = j->v->profile->lint_profile,
        .sources = ca_lint_sources(j->v->profile->lint_profile),
        .issuer = j->issuer->cert,
        .signing_time = j->now,
        .evidence = &evidence,
        .keys = j->x->keys,
    };
    LT_TRY(lint_run(&in, j->a, &j->v->lint));
    return ca_judge_findings(j->x, &j->v->lint, j->m->profile, j->now);
}

size_t ca_examine_note(const struct ca_examine *x, const struct lint_results *r, const char *profile,
                       lt_time now, struct ca_noted ret_notes[CA_NOTED_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) { /* in the order of the rules: the same ones are neighbours */
        const struct lint_finding *f = &r->list[i];
        bool again = count > 0 && ret_notes[count - 1].rule == f->rule;
        if (again && ret_notes[count - 1].level < f->level) {
            ret_notes[count - 1].level = f->level;
        } else if (!again && count < CA_NOTED_MAX) {
            ret_notes[count++] = (struct ca_noted){f->rule, f->level, false};
        }
    }
    for (size_t i = 0; i < count; i++) {
        ret_notes[i].excepted = ret_notes[i].level >= LINT_ERROR &&
                                ca_examiner_excepted(x->state, ret_notes[i].rule->id, profile, now);
    }
    return count;
}
