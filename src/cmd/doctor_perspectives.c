/* lintel doctor: are there perspectives enough for what the profiles promise? */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ca/profile.h"
#include "cmd/doctor.h"
#include "validate/perspective.h"

static bool any_public(const struct doctor *d)
{
    struct ca_profiles profiles = {.count = 0};
    bool found = false;
    if (lt_failed(ca_profiles_load(d->folder, d->c->now, &profiles))) {
        return false; /* said by another check */
    }
    for (size_t i = 0; i < profiles.count; i++) {
        const struct ca_profile *p = profiles.rows[i];
        found |= p->public_trust && p->kind == CA_PROFILE_SUBSCRIBER;
    }
    ca_profiles_done(&profiles);
    return found;
}

/* As if all of them agreed: what then? */
static void count(struct doctor *d, const struct validate_perspectives *p)
{
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    for (size_t i = 0; i < p->count; i++) {
        votes[i] = (struct validate_vote){&p->list[i], true};
    }
    validate_quorum_count(votes, p->count, d->c->now, &q);
    bool good = q.met || !any_public(d);
    doctor_say(d, good ? DOCTOR_OK : DOCTOR_BAD, "perspectives", "%u perspectives in %u regions%s%s", q.asked,
               q.rirs, q.met ? "" : ": ", q.why);
}

void doctor_perspectives(struct doctor *d)
{
    struct validate_perspectives p;
    if (lt_failed(validate_perspectives_load(d->dir, "perspectives", &p))) {
        doctor_say(d, DOCTOR_BAD, "perspectives", "%s", lt_error_last()->detail);
        return;
    }
    if (p.count > 0) {
        count(d, &p);
    } else if (any_public(d)) {
        doctor_say(d, DOCTOR_WARN, "perspectives",
                   "there is none, and a public profile: browsers take no certificate that only one place "
                   "validated (CABF-BR 3.2.2.9); see lintel-perspective(1)");
    } else {
        doctor_say(d, DOCTOR_OK, "perspectives", "none, and no public profile");
    }
    if (p.count > 0 && faccessat(d->dir, "courier/key.pem", F_OK, 0) != 0) {
        doctor_say(d, DOCTOR_BAD, "courier", "it has no key: lintel perspective client");
    }
    validate_perspectives_done(&p);
}
