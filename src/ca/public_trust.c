/* Each lack is found by itself, so that all of them can be told at once. */
#include "ca/public_trust.h"

#include <stdio.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

static void add(struct ca_public_trust *t, const char *text)
{
    LT_ASSERT(t->lack_count < CA_PUBLIC_LACKS);
    (void)snprintf(t->lacks[t->lack_count++], CA_PUBLIC_LACK_MAX, "%s", text); /* fits */
}

/* As if all perspectives agreed: would it be enough at that time? */
static bool enough(const struct validate_perspectives *p, lt_time when, struct validate_quorum *q)
{
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    size_t count = p == NULL ? 0 : p->count;
    for (size_t i = 0; i < count; i++) {
        votes[i] = (struct validate_vote){&p->list[i], true};
    }
    validate_quorum_count(votes, count, when, q);
    return q->met || !q->blocking;
}

static void say_perspectives(const struct validate_quorum *q, const struct validate_quorum_row *row,
                             const char *when, char ret_text[CA_PUBLIC_LACK_MAX])
{
    (void)snprintf(ret_text, CA_PUBLIC_LACK_MAX,
                   "%u remote perspectives in %u regions are configured%s, %u in %u regions are the least "
                   "[%s]",
                   q->asked, q->rirs, when, row->least_remote, row->least_rirs, row->source); /* fits */
}

static void look_ahead(const struct validate_perspectives *p, lt_time now, struct ca_public_trust *t)
{
    const struct validate_quorum_row *next = validate_quorum_next(now);
    struct validate_quorum q;
    lt_time from = {0};
    if (next == NULL) {
        return;
    }
    lt_res r = lt_time_parse(lt_slice_cstr(next->from), &from);
    LT_ASSERT(!lt_failed(r)); /* our own table */
    int64_t days = (from.us - now.us) / (LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    if (days < CA_PUBLIC_SOON_DAYS && !enough(p, from, &q)) {
        char when[32];
        (void)snprintf(when, sizeof when, ", and from %.10s on", next->from); /* fits */
        say_perspectives(&q, next, when, t->soon);
    }
}

/* From where, and where to. */
static void judge_reach(const struct ca_config *config, struct ca_public_trust *t)
{
    /*= CABF-BR 3.2.2.4 "DNSSEC validation back to the IANA DNSSEC root trust anchor MUST be performed" */
    if (config->dnssec && config->trust_anchor[0] != '\0') {
        add(t, "validation.trust-anchor names a file of its own: DNSSEC is to end at the IANA root, which is "
               "the usual when the key is left out [CABF-BR 3.2.2.4]");
    }
    if (config->allow_private) {
        add(t, "validation.allow-private is true: a name of somebody's inner network could be proven");
    }
    /*= CABF-BR 3.2.2.4.19 "Redirects MUST be to resource URLs accessed via Authorized Ports." */
    if (config->validation_http_port != HTTP_PORT) {
        char text[CA_PUBLIC_LACK_MAX];
        (void)snprintf(text, sizeof text,
                       "validation.http-port is %u, and http-01 is seen on port 80 only "
                       "[CABF-BR 3.2.2.4.19, Authorized Ports]",
                       config->validation_http_port);
        add(t, text);
    }
    if (config->validation_https_port != HTTPS_PORT) {
        char text[CA_PUBLIC_LACK_MAX];
        (void)snprintf(text, sizeof text,
                       "validation.https-port is %u, and redirects and tls-alpn-01 are seen "
                       "on port 443 only [CABF-BR 3.2.2.4.19, 3.2.2.4.20]",
                       config->validation_https_port);
        add(t, text);
    }
}

void ca_public_trust_judge(const struct ca_config *config, const struct validate_perspectives *perspectives,
                           lt_time now, struct ca_public_trust *ret_trust)
{
    struct validate_quorum q;
    *ret_trust = (struct ca_public_trust){.lack_count = 0};
    /*= CABF-BR 3.2.2.8 "the CA MUST retrieve and process CAA records in accordance with RFC 8659" */
    if (config->caa_identity_count == 0) {
        add(ret_trust,
            "acme.caa-identities is empty, so that no CAA record can name this CA [CABF-BR 3.2.2.8]");
    }
    /*= CABF-BR 3.2.2.8.1 "CAs MUST NOT use local policy to disable DNSSEC validation" */
    if (!config->dnssec) {
        add(ret_trust, "validation.dnssec is none [CABF-BR 3.2.2.8.1]");
    }
    judge_reach(config, ret_trust);
    ret_trust->of_config = ret_trust->lack_count;
    /*= CABF-BR 3.2.2.9 "the CA MUST implement Multi-Perspective Issuance Corroboration using at least four
     * (4) remote Network Perspectives" */
    if (!enough(perspectives, now, &q)) {
        say_perspectives(&q, validate_quorum_at(now), "", ret_trust->lacks[ret_trust->lack_count++]);
    } else {
        look_ahead(perspectives, now, ret_trust);
    }
}

const struct ca_profile *ca_public_profile(const struct ca_profiles *profiles, size_t *at)
{
    while (*at < profiles->count) {
        const struct ca_profile *p = profiles->rows[(*at)++];
        if (p->public_trust && p->kind == CA_PROFILE_SUBSCRIBER) {
            return p;
        }
    }
    return NULL;
}

void ca_public_profile_names(const struct ca_profiles *profiles, char *ret_text, size_t size)
{
    size_t len = 0;
    size_t at = 0;
    const struct ca_profile *p = NULL;
    LT_ASSERT(size > 0);
    ret_text[0] = '\0';
    while ((p = ca_public_profile(profiles, &at)) != NULL) {
        int n = snprintf(ret_text + len, size - len, "%s%s", len > 0 ? ", " : "", p->name);
        LT_ASSERT(n >= 0);
        len = (size_t)n < size - len ? len + (size_t)n : size - 1;
    }
}
