/* See case.h: whom it concerns is told, and may look it up. */
#include <string.h>

#include "incident/case_internal.h"
#include "incident/notice.h"

/* What any of the templates may want; one takes what it names. */
static lt_res params_of(struct incident_call *c, int64_t deadline_us, const char **ret_json)
{
    struct ca_body b;
    char when[LT_RFC3339_SIZE] = "a date that follows";
    if (deadline_us != 0) {
        lt_time_rfc3339((lt_time){deadline_us}, when);
    }
    ca_body_init(&b);
    ca_body_str(&b, "deadline", when);
    ca_body_str(&b, "why", incident_text(c, "why"));
    ca_body_str(&b, "more", incident_text(c, "more"));
    return ca_body_cstr(&b, c->t->arena, ret_json);
}

/* A restricted incident is not for the world, and a look-up page is. */
static lt_res publish(struct incident_call *c, const struct incident_case *in, int64_t mass,
                      int64_t deadline_us)
{
    const struct incident_publish p = {
        .incident = in->id,
        .mass = mass,
        .title = incident_given(c, "title") ? incident_text(c, "title") : in->title,
        .words = incident_text(c, "why"),
        .deadline = {deadline_us},
        .by = c->by,
    };
    LT_CHECK(!in->restricted, LT_POLICY_REFUSED,
             "incident %lld is restricted: nothing of it is published (lintel incident change --public)",
             (long long)in->id);
    return incident_publish(c->t, &p);
}

lt_res incident_case_op_notify(struct incident_call *c)
{
    struct incident_case in;
    int64_t mass = 0;
    int64_t batch = 0;
    struct ca_body b;
    const char *kind = incident_given(c, "kind") ? incident_text(c, "kind") : "affected";
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(incident_mass_of(c->t, in.id, &mass));
    LT_CHECK(mass != 0, LT_PEER_CONFLICT,
             "incident %lld has no plan yet, whose list says whom to tell: lintel "
             "incident plan",
             (long long)in.id);
    int64_t deadline_us = incident_given(c, "deadline") ? incident_number(c, "deadline") : in.must_us;
    struct incident_notify n = {
        .subject = incident_case_subject(c->t, in.id), .kind = kind, .mass = mass, .by = c->by};
    LT_TRY(params_of(c, deadline_us, &n.params));
    LT_TRY(incident_notify(c->t, &n, &batch));
    bool world = incident_number(c, "publish") != 0;
    LT_TRY(world ? publish(c, &in, mass, deadline_us) : LT_OK);
    ca_body_init(&b);
    ca_body_int(&b, "incident", in.id);
    ca_body_int(&b, "batch", batch);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "why", incident_text(c, "why"));
    ca_body_bool(&b, "published", world);
    ca_body_str(&b, "by", c->by);
    LT_TRY(incident_case_event(c->t, in.id, "incident.notified", &b, c->jws));
    LT_TRY(incident_step_if(c->t, in.id, "notify", c->by, kind));
    ca_body_init(&b);
    ca_body_int(&b, "batch", batch);
    ca_body_bool(&b, "published", world);
    return incident_case_answer(c, in.id, &b);
}
