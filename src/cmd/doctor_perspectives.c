/* lintel doctor: are there perspectives enough, and all else that the profiles promise to browsers? */
#include <fcntl.h>
#include <unistd.h>

#include "ca/public_trust.h"
#include "cmd/doctor.h"

enum { NAMES_MAX = 256 };

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

static void judge(struct doctor *d, const char *names, const struct validate_perspectives *p)
{
    struct ca_public_trust trust;
    ca_public_trust_judge(d->config, p, d->c->now, &trust);
    for (size_t i = 0; i < trust.lack_count; i++) {
        doctor_say(d, DOCTOR_BAD, "public", "orders by the public profiles %s are refused: %s", names,
                   trust.lacks[i]);
    }
    if (trust.lack_count == 0) {
        doctor_say(d, DOCTOR_OK, "public",
                   "profiles %s: CAA, DNSSEC, ports, addresses and perspectives are as browsers ask", names);
    }
    if (trust.soon[0] != '\0') {
        doctor_say(d, DOCTOR_WARN, "public", "soon orders by the public profiles %s are refused: %s", names,
                   trust.soon);
    }
}

static void public_profiles(struct doctor *d, const struct validate_perspectives *p)
{
    struct ca_profiles profiles = {.count = 0};
    char names[NAMES_MAX];
    if (d->config == NULL || lt_failed(ca_profiles_load(d->folder, d->c->now, &profiles))) {
        return; /* said by another check */
    }
    ca_public_profile_names(&profiles, names, sizeof names);
    if (names[0] != '\0') {
        judge(d, names, p);
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
    public_profiles(d, &p);
    if (p.count > 0 && faccessat(d->dir, "courier/key.pem", F_OK, 0) != 0) {
        doctor_say(d, DOCTOR_BAD, "courier", "it has no key: lintel perspective client");
    }
    validate_perspectives_done(&p);
}
