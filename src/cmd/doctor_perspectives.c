/* lintel doctor: are there perspectives enough, and all else that the profiles promise to browsers? */
#include <fcntl.h>
#include <unistd.h>

#include "ca/public_trust.h"
#include "cmd/doctor.h"

/* As if all of them agreed: what then? */
static void count(struct doctor *d, const struct validate_perspectives *p)
{
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    for (size_t i = 0; i < p->count; i++) {
        votes[i] = (struct validate_vote){&p->list[i], true};
    }
    validate_quorum_count(votes, p->count, d->c->now, &q);
    doctor_say(d, DOCTOR_OK, "perspectives", "%u in %u regions%s%s", q.asked, q.rirs,
               q.met ? "" : "; for certificates that browsers trust: ", q.why);
}

static void judge(struct doctor *d, const struct ca_profile *profile, const struct validate_perspectives *p)
{
    struct ca_public_trust trust;
    ca_public_trust_judge(d->config, p, d->c->now, &trust);
    for (size_t i = 0; i < trust.lack_count; i++) {
        doctor_say(d, DOCTOR_BAD, "public", "orders by the public profile %s are refused: %s", profile->name,
                   trust.lacks[i]);
    }
    if (trust.lack_count == 0) {
        doctor_say(d, DOCTOR_OK, "public", "profile %s has what browsers ask for: CAA, DNSSEC, perspectives",
                   profile->name);
    }
    if (trust.soon[0] != '\0') {
        doctor_say(d, DOCTOR_WARN, "public", "soon orders by the public profile %s are refused: %s",
                   profile->name, trust.soon);
    }
    if (d->config->allow_private) {
        doctor_say(d, DOCTOR_WARN, "public",
                   "validation.allow-private is true, and profile %s is public: a name of somebody's inner "
                   "network could be proven",
                   profile->name);
    }
}

static void public_profile(struct doctor *d, const struct validate_perspectives *p)
{
    struct ca_profiles profiles = {.count = 0};
    if (d->config == NULL || lt_failed(ca_profiles_load(d->folder, d->c->now, &profiles))) {
        return; /* said by another check */
    }
    const struct ca_profile *profile = ca_public_profile(&profiles);
    if (profile != NULL) {
        judge(d, profile, p);
    }
    ca_profiles_done(&profiles);
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
    } else {
        doctor_say(d, DOCTOR_OK, "perspectives", "none: what is validated is seen from here alone");
    }
    public_profile(d, &p);
    if (p.count > 0 && faccessat(d->dir, "courier/key.pem", F_OK, 0) != 0) {
        doctor_say(d, DOCTOR_BAD, "courier", "it has no key: lintel perspective client");
    }
    validate_perspectives_done(&p);
}
