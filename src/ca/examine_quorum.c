/* Multi-Perspective Issuance Corroboration, counted a second time: from the perspectives' own signatures and
 * the examiner's own reading of their files, so that a registrar that says "valid" to everything gets no
 * certificate for the public. */
#include <string.h>

#include "ca/examine_internal.h"

enum { APART_S = 600 }; /* between the registrar's time of a validation and a perspective's */

/* "*." is a matter of the order: what is validated is the name below it. */
static const char *validated_name(const Ipc__Identifier *name)
{
    return strncmp(name->value, "*.", 2) == 0 ? name->value + 2 : name->value;
}

static bool about(const Ipc__NameEvidence *e, const Ipc__Validated *v)
{
    int64_t apart_us = v->finished_us > e->validated_us ? v->finished_us - e->validated_us
                                                        : e->validated_us - v->finished_us;
    return v->authorization_id == e->authorization_id && v->identifier != NULL &&
           strcmp(v->identifier->type, e->identifier->type) == 0 &&
           strcmp(v->identifier->value, validated_name(e->identifier)) == 0 &&
           strcmp(v->method, e->method) == 0 && v->nonce.len > 0 && v->finished_us > 0 &&
           apart_us <= APART_S * LT_US_PER_SECOND;
}

/* Does that perspective say so? Only its own signature counts, whatever stands beside it. */
static bool agrees(const struct judge *j, const struct validate_perspective *p, const Ipc__NameEvidence *e)
{
    for (size_t i = 0; i < e->n_statements; i++) {
        const Ipc__Validated *v = NULL;
        if (strcmp(e->statements[i]->perspective, p->name) == 0 &&
            !lt_failed(validate_statement_verify(p, e->statements[i], j->a, &v)) && about(e, v) &&
            validate_statement_permits(v, v->caa != NULL)) {
            return true;
        }
    }
    return false;
}

static lt_res one_name(const struct judge *j, const Ipc__NameEvidence *e)
{
    const struct validate_perspectives *all = j->x->perspectives;
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    for (size_t i = 0; i < all->count; i++) {
        votes[i] = (struct validate_vote){&all->list[i], agrees(j, &all->list[i], e)};
    }
    validate_quorum_count(votes, all->count, (lt_time){e->validated_us}, &q);
    LT_CHECK(q.met || !q.blocking, LT_POLICY_REFUSED, "'%s': %u of %u perspectives corroborate: %s",
             e->identifier->value, q.agreeing, q.asked, q.why);
    return LT_OK;
}

lt_res ca_judge_quorum(struct judge *j)
{
    const struct ca_profile *p = j->v->profile;
    if (!p->public_trust || p->kind != CA_PROFILE_SUBSCRIBER || j->x->perspectives == NULL ||
        j->x->perspectives->count == 0) {
        return LT_OK;
    }
    for (size_t i = 0; i < j->m->n_evidence; i++) {
        LT_TRY(one_name(j, j->m->evidence[i]));
    }
    return LT_OK;
}
