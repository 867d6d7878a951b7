/* How well an account can replace its certificates, told to the account itself. */
#include "acme/desk_private.h"

static char *words(const char *text)
{
    return (char *)(uintptr_t)text; /* the message has no const; it is only read */
}

static lt_res add_facts(struct lt_arena *a, unsigned facts, Ipc__AcmeReadinessBody *body)
{
    struct ca_ready_fact_info f;
    size_t most = 0;
    while (ca_ready_fact_info(most, &f)) {
        most++;
    }
    body->facts = LT_NEW_ARRAY(a, char *, most);
    LT_CHECK(body->facts != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    for (size_t i = 0; ca_ready_fact_info(i, &f); i++) {
        if ((facts & f.fact) != 0) {
            body->facts[body->n_facts++] = words(f.words);
        }
    }
    return LT_OK;
}

lt_res acme_readiness_get(struct acme_call *c)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    Ipc__AcmeReadinessBody body = IPC__ACME_READINESS_BODY__INIT;
    struct ca_ready_row r;
    if (c->m->object != NULL && c->m->object->id != c->account.id) {
        return acme_refuse(c, acme_problem(c->turn->arena, "unauthorized", "That is another account's URL."));
    }
    LT_TRY(ca_ready_load(c->turn, c->account.id, &r));
    LT_TRY(add_facts(c->turn->arena, r.facts, &body));
    body.tier = words(ca_ready_tier_name(r.tier));
    body.means = words(ca_ready_tier_words(r.tier));
    body.advice = words(ca_ready_tier_advice(r.tier));
    body.client = words(r.client);
    body.polls = r.polls;
    body.polled_us = r.seen.polled.us;
    body.renewals = r.renewals;
    body.renewed_us = r.seen.renewed.us;
    body.contact_verified_us = r.seen.reached.us;
    body.terms = words(r.terms);
    body.clause = r.seen.clause;
    body.cannot_tolerate = r.seen.intolerant;
    body.held_out = r.seen.held;
    reply.status = 200;
    reply.readiness = &body;
    return acme_answer(c, &reply);
}
