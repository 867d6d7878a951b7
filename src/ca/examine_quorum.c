/* Multi-Perspective Issuance Corroboration, counted a second time: from the perspectives' own signatures and
 * the examiner's own reading of their files, so that a registrar that says "valid" to everything gets no
 * certificate for the public. That holds as far as a perspective looks by itself: it refuses questions that
 * every domain has an answer to (validate/question.c), but who answered a letter is known to the registrar
 * alone. Counted twice for each name, for control and for CAA, since CAA may have been
 * asked again long after.
 */
#include <string.h>

#include "ca/examine_internal.h"
#include "validate/methods.h"

enum { APART_S = 600 }; /* between the registrar's time of a check and a perspective's */

static bool is_wildcard(const Ipc__Identifier *name)
{
    return strncmp(name->value, "*.", 2) == 0;
}

/* "*." is a matter of the order: what is validated is the name below it. */
static const char *validated_name(const Ipc__Identifier *name)
{
    return is_wildcard(name) ? &name->value[2] : name->value;
}

static bool near(int64_t a_us, int64_t b_us)
{
    return (a_us > b_us ? a_us - b_us : b_us - a_us) <= APART_S * LT_US_PER_SECOND;
}

static bool about_name(const Ipc__NameEvidence *e, const Ipc__Validated *v)
{
    return v->identifier != NULL && strcmp(v->identifier->type, e->identifier->type) == 0 &&
           strcmp(v->identifier->value, validated_name(e->identifier)) == 0 &&
           v->authorization_id == e->authorization_id;
}

/* A domain above it, by a method that is good for all names below: an authorization of its own, and a
 *question that said so: a record that stays is good for its own name, unless it was asked for more. =
 *CABF-BR 3.2.2.4.7 "Once the FQDN has been validated using this method, the CA MAY also issue Certificates
 *for other FQDNs that end with all the Domain Labels of the validated FQDN." */
static bool about_above(const Ipc__NameEvidence *e, const Ipc__Validated *v)
{
    const struct validate_method *m = validate_method_find(e->method, e->identifier->type);
    lt_slice name = lt_slice_cstr(validated_name(e->identifier));
    if (m == NULL || !m->subdomains || !v->subdomains || v->identifier == NULL ||
        strcmp(v->identifier->type, "dns") != 0) {
        return false;
    }
    lt_slice above = lt_slice_cstr(v->identifier->value);
    return above.len > 0 && name.len > above.len && lt_slice_ends(name, above) &&
           name.ptr[name.len - above.len - 1] == '.';
}

static bool saw_control(const Ipc__NameEvidence *e, const Ipc__Validated *v)
{
    bool dns = strcmp(e->identifier->type, "dns") == 0;
    bool own = about_name(e, v) && (v->wildcard || !is_wildcard(e->identifier));
    return (own || about_above(e, v)) && strcmp(v->method, e->method) == 0 && v->nonce.len > 0 &&
           v->finished_us > 0 && near(v->finished_us, e->validated_us) && validate_statement_permits(v, dns);
}

/* Did it climb from this very name, for a wildcard where it is one? With the validation, or later by itself.
 */
static bool saw_caa(const Ipc__NameEvidence *e, const Ipc__Validated *v)
{
    const Ipc__CaaCheck *caa = v->caa;
    bool good = about_name(e, v) && (strcmp(v->method, e->method) == 0 || strcmp(v->method, "caa") == 0) &&
                v->nonce.len > 0 && validate_statement_permits(v, true);
    return good && caa->n_looked_up > 0 && strcmp(caa->looked_up[0], validated_name(e->identifier)) == 0 &&
           v->wildcard == is_wildcard(e->identifier) && near(caa->checked_us, e->caa_checked_us);
}

typedef bool saw(const Ipc__NameEvidence *e, const Ipc__Validated *v);

/* Does that perspective say so in one of these? Only its own signature counts, whatever stands beside it. */
static bool one_of(const struct judge *j, const struct validate_perspective *p, const Ipc__NameEvidence *e,
                   bool again, saw *what)
{
    Ipc__SignedStatement *const *list = again ? e->caa_statements : e->statements;
    size_t count = again ? e->n_caa_statements : e->n_statements;
    for (size_t i = 0; i < count; i++) {
        const Ipc__Validated *v = NULL;
        if (strcmp(list[i]->perspective, p->name) == 0 &&
            !lt_failed(validate_statement_recall(j->x->verified, p, list[i], j->a, &v)) && what(e, v)) {
            return true;
        }
    }
    return false;
}

static bool agrees(const struct judge *j, const struct validate_perspective *p, const Ipc__NameEvidence *e,
                   bool caa)
{
    return caa ? one_of(j, p, e, true, saw_caa) || one_of(j, p, e, false, saw_caa)
               : one_of(j, p, e, false, saw_control);
}

static lt_res enough(const struct judge *j, const Ipc__NameEvidence *e, bool caa)
{
    const struct validate_perspectives *all = j->x->perspectives;
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    size_t count = all == NULL ? 0 : all->count;
    for (size_t i = 0; i < count; i++) {
        votes[i] = (struct validate_vote){&all->list[i], agrees(j, &all->list[i], e, caa)};
    }
    validate_quorum_count(votes, count, (lt_time){caa ? e->caa_checked_us : e->validated_us}, &q);
    /*= CABF-BR 3.2.2.9 "If the requirements are not satisfied, then the CA MUST NOT proceed with issuance of
     * the Certificate." */
    LT_CHECK(q.met || !q.blocking, LT_POLICY_REFUSED, "'%s': %u of %u perspectives corroborate %s: %s",
             e->identifier->value, q.agreeing, q.asked, caa ? "CAA" : "control", q.why);
    return LT_OK;
}

lt_res ca_judge_quorum(struct judge *j)
{
    const struct ca_profile *p = j->v->profile;
    if (!p->public_trust || p->kind != CA_PROFILE_SUBSCRIBER) {
        return LT_OK;
    }
    for (size_t i = 0; i < j->m->n_evidence; i++) {
        const Ipc__NameEvidence *e = j->m->evidence[i];
        LT_TRY(enough(j, e, false));
        if (strcmp(e->identifier->type, "dns") == 0) {
            LT_TRY(enough(j, e, true));
        }
    }
    return LT_OK;
}
