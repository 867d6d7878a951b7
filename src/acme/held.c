/* Answers that wait for an outcome: a list in memory. Whoever loses one (a restart) has a client that polls
 * again. */
#include "acme/desk_private.h"

bool acme_hold(struct acme_call *c, enum acme_object object, int64_t id, int64_t ms)
{
    struct acme_desk *d = c->desk;
    if (d->held_count == ACME_HELD_MAX || c->kept != NULL) {
        return false;
    }
    d->held[d->held_count++] = (struct acme_held){
        .to = c->from,
        .object = object,
        .id = id,
        .until = {c->turn->now.us + ms * LT_US_PER_MS},
    };
    return true;
}

bool acme_hold_challenge(struct acme_call *c, int64_t authorization, uint32_t index)
{
    if (!acme_hold(c, ACME_AUTHORIZATION, authorization, ACME_HOLD_POLL_MS)) {
        return false;
    }
    c->desk->held[c->desk->held_count - 1].challenge = index + 1;
    return true;
}

static void take_out(struct acme_desk *d, size_t at)
{
    d->held[at] = d->held[--d->held_count];
}

static bool same_address(const struct ipc_addr *a, const struct ipc_addr *b)
{
    return a->role == b->role && a->instance == b->instance && a->id == b->id;
}

void acme_held_drop(struct acme_desk *d, const struct ipc_addr *to)
{
    for (size_t i = d->held_count; i-- > 0;) {
        if (same_address(&d->held[i].to, to)) {
            take_out(d, i);
        }
    }
}

void acme_held_drop_instance(struct acme_desk *d, uint32_t instance)
{
    for (size_t i = d->held_count; i-- > 0;) {
        if (d->held[i].to.instance == instance) {
            take_out(d, i);
        }
    }
}

/* The object as it is now. */
static lt_res answer_now(struct acme_desk *d, struct ca_turn *t, const struct acme_held *h)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_authorization a;
    reply.status = 200;
    if (h->object == ACME_ORDER) {
        struct acme_order o;
        LT_TRY(acme_order_load(t, h->id, &o));
        LT_TRY(acme_order_body(t, &o, &reply));
    } else {
        LT_TRY(acme_authorization_load(t, h->id, &a));
        for (size_t i = 0; h->challenge != 0 && i < a.challenge_count; i++) {
            if (a.challenges[i]->index == h->challenge - 1) {
                acme_challenge_body(a.challenges[i], &reply);
            }
        }
        if (reply.challenge == NULL) {
            LT_TRY(acme_authorization_body(t, &a, &reply));
        }
    }
    return acme_reply_to(d, t, &h->to, &reply);
}

/* Answers, but keeps the entry for two ticks: the turn may yet be lost (acme_desk_forget). */
static lt_res answer(struct acme_desk *d, struct ca_turn *t, struct acme_held *h)
{
    LT_TRY(answer_now(d, t, h));
    h->answered = 1;
    return LT_OK;
}

lt_res acme_held_release(struct acme_desk *d, struct ca_turn *t, enum acme_object object, int64_t id)
{
    for (size_t i = 0; i < d->held_count; i++) {
        struct acme_held *h = &d->held[i];
        if (h->answered == 0 && h->object == object && h->id == id) {
            LT_TRY(answer(d, t, h));
        }
    }
    return LT_OK;
}

lt_res acme_held_tick(struct acme_desk *d, struct ca_turn *t)
{
    for (size_t i = d->held_count; i-- > 0;) {
        struct acme_held *h = &d->held[i];
        if (h->answered > 1) {
            take_out(d, i);
        } else if (h->answered == 1) {
            h->answered++;
        } else if (h->until.us <= t->now.us) {
            LT_TRY(answer(d, t, h));
        }
    }
    return LT_OK;
}

void acme_held_undo(struct acme_desk *d)
{
    for (size_t i = 0; i < d->held_count; i++) {
        d->held[i].answered = 0;
    }
}
