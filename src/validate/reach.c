/* From a host to the addresses that are tried, in the order of trying. */
#include "validate/engine.h"

#include <string.h>

struct found {
    struct validate_address list[2 * VALIDATE_ADDRESSES_MAX]; /* IPv6 first */
    size_t count;
};

/* Of each family the first that is allowed, IPv6 before IPv4, and one more IPv4. */
static void choose(struct validate_job *j, const struct found *f)
{
    const char *refused = NULL;
    struct validate_address refused_address = {0};
    size_t of_family[2] = {0};
    j->candidate_count = 0;
    j->candidate = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct validate_address *a = &f->list[i];
        const char *why = j->engine->options.allow_private ? NULL : validate_address_special(a);
        size_t most = a->v6 ? 1 : 2;
        validate_note_address(j, a);
        if (why != NULL) {
            refused = why;
            refused_address = *a;
        } else if (of_family[a->v6 ? 1 : 0] < most && j->candidate_count < VALIDATE_CANDIDATES_MAX) {
            of_family[a->v6 ? 1 : 0]++;
            j->candidates[j->candidate_count++] = *a;
        }
    }
    if (j->candidate_count > 0) {
        j->reached(j);
    } else if (refused != NULL) {
        char text[VALIDATE_ADDRESS_TEXT];
        validate_address_print(&refused_address, text);
        validate_job_end(j, "dns", "%s has no public address: %s is %s.", j->asked, text, refused);
    } else {
        validate_job_end(j, "dns", "%s has neither an AAAA nor an A record.", j->asked);
    }
}

static void resolved(void *self, const struct validate_dns *answers, size_t count)
{
    struct validate_job *j = self;
    struct found f = {.count = 0};
    bool one_is_there = false;
    j->lookup = NULL;
    if (j->ended) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct validate_dns *d = &answers[i];
        validate_note_dnssec(j, d);
        if (d->outcome == VALIDATE_DNS_FAILED && d->dnssec != VALIDATE_BOGUS) {
            continue;
        }
        if (validate_dns_unusable(j, d)) {
            return;
        }
        one_is_there = true;
        size_t more = 0;
        if (lt_failed(validate_dns_addresses(d->message, d->type, f.list + f.count, &more))) {
            validate_job_end(j, "dns", "The answer for %s holds %s.", j->asked, lt_error_last()->detail);
            return;
        }
        f.count += more;
        if (j->statement.n_chain == 0) {
            validate_note_chain(j, d);
        }
    }
    if (!one_is_there) {
        (void)validate_dns_unusable(j, &answers[0]); /* it is */
    } else if (answers[0].outcome == VALIDATE_DNS_MISSING && f.count == 0) {
        validate_job_end(j, "dns", "%s does not exist (NXDOMAIN).", j->asked);
    } else {
        choose(j, &f);
    }
}

void validate_reach(struct validate_job *j, const char *host, bool literal,
                    void (*reached)(struct validate_job *j))
{
    j->asked = host;
    j->reached = reached;
    if (literal) {
        struct found one = {.count = 1};
        if (lt_failed(validate_address_parse(lt_slice_cstr(host), &one.list[0]))) {
            validate_job_end(j, "malformed", "%s is no address.", host);
            return;
        }
        if (j->statement.dnssec[0] == '\0') {
            j->statement.dnssec = validate_keep(j, "none");
        }
        choose(j, &one);
        return;
    }
    if (lt_failed(validate_ask_addresses(j->engine->resolver, host, resolved, j, &j->lookup))) {
        validate_job_end(j, "dns", "%s cannot be looked up: %s.", host, lt_error_last()->detail);
    }
}
