/* Names in the bytes, and the evidence for each of them. */
#include <string.h>

#include "ca/examine_internal.h"
#include "ca/limits.h"
#include "x509/dnsname.h"

enum { FUTURE_SLACK_S = 60 };

/* A name of the certificate in the form that evidence has: A-labels, or the RFC 5952 text of an address. */
static lt_res name_read(struct judge *j, const struct x509_general_name *n, Ipc__Identifier **ret)
{
    Ipc__Identifier *id = LT_NEW(j->a, Ipc__Identifier);
    LT_CHECK(id != NULL, LT_PEER_TOO_LARGE, "too many names");
    ipc__identifier__init(id);
    if (n->type == X509_GN_DNS) {
        static char dns[] = "dns";
        LT_CHECK(lt_slice_find(n->value, 0) == n->value.len, LT_POLICY_REFUSED, "a name with a NUL");
        id->type = dns;
        id->value = lt_arena_cstr(j->a, n->value);
    } else {
        static char ip[] = "ip";
        LT_CHECK(n->type == X509_GN_IP, LT_POLICY_REFUSED,
                 "a subjectAltName that is neither DNS name nor address");
        struct lt_buf text;
        lt_buf_init(&text, 64);
        lt_res r = x509_ip_text(n->value, &text);
        id->type = ip;
        id->value = lt_failed(r) ? NULL : lt_arena_cstr(j->a, lt_buf_slice(&text));
        lt_buf_done(&text);
        LT_TRY(r);
    }
    LT_CHECK(id->value != NULL, LT_PEER_TOO_LARGE, "too many names");
    *ret = id;
    return LT_OK;
}

static bool same(const Ipc__Identifier *a, const Ipc__Identifier *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->value, b->value) == 0;
}

static const Ipc__NameEvidence *evidence_of(const struct judge *j, const Ipc__Identifier *name)
{
    for (size_t i = 0; i < j->m->n_evidence; i++) {
        const Ipc__NameEvidence *e = j->m->evidence[i];
        if (e->identifier != NULL && same(e->identifier, name)) {
            return e;
        }
    }
    return NULL;
}

lt_res ca_judge_names(struct judge *j)
{
    const struct x509_general_names *san = &j->v->cert.ext.san;
    LT_CHECK(san->count > 0, LT_POLICY_REFUSED, "there is no name in it");
    LT_CHECK(san->count <= j->v->profile->names_max, LT_POLICY_REFUSED, "%zu names: profile %s takes %u",
             san->count, j->v->profile->name, j->v->profile->names_max);
    LT_CHECK(san->count == j->m->n_evidence, LT_POLICY_REFUSED, "%zu names in the bytes, evidence for %zu",
             san->count, j->m->n_evidence);
    j->names = LT_NEW_ARRAY(j->a, Ipc__Identifier *, san->count);
    LT_CHECK(j->names != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < san->count; i++) {
        LT_TRY(name_read(j, &san->list[i], &j->names[i]));
        for (size_t k = 0; k < i; k++) {
            LT_CHECK(!same(j->names[i], j->names[k]), LT_POLICY_REFUSED, "'%s' stands twice",
                     j->names[i]->value);
        }
        LT_CHECK(evidence_of(j, j->names[i]) != NULL, LT_POLICY_REFUSED, "there is no evidence for '%s'",
                 j->names[i]->value);
    }
    j->name_count = san->count;
    return LT_OK;
}

static lt_res kind_fits(const struct ca_profile *p, const Ipc__Identifier *name)
{
    bool ip = strcmp(name->type, "ip") == 0;
    lt_slice value = lt_slice_cstr(name->value);
    bool wildcard = lt_slice_starts(value, LT_LIT("*."));
    LT_CHECK((p->names & (ip ? CA_NAME_IP : CA_NAME_DNS)) != 0 &&
                 (!wildcard || (p->names & CA_NAME_WILDCARD) != 0),
             LT_POLICY_REFUSED, "profile %s takes no name like '%s'", p->name, name->value);
    if (!ip && (p->names & CA_NAME_LOCAL) == 0) {
        LT_TRY(x509_dns_check(value, X509_DNS_WILDCARD));
    }
    return LT_OK;
}

/* The methods that prove control, and what for. "internal" is no proof: it serves our own listeners alone.
 *= CABF-BR 3.2.2.4.19 "This method is NOT suitable for validating Wildcard Domain Names." */
static const struct {
    const char *method;
    bool wildcard;
    bool ip;
} methods[] = {
    {"http-01", false, true},
    {"dns-01", true, false},
    {"tls-alpn-01", false, true},
    {"dns-account-01", true, false},
};

static lt_res method_fits(const Ipc__NameEvidence *e)
{
    bool ip = strcmp(e->identifier->type, "ip") == 0;
    bool wildcard = lt_slice_starts(lt_slice_cstr(e->identifier->value), LT_LIT("*."));
    for (size_t i = 0; i < LT_COUNT(methods); i++) {
        if (strcmp(methods[i].method, e->method) == 0) {
            LT_CHECK((!ip || methods[i].ip) && (!wildcard || methods[i].wildcard), LT_POLICY_REFUSED,
                     "%s does not prove control of '%s'", e->method, e->identifier->value);
            return LT_OK;
        }
    }
    LT_FAIL(LT_POLICY_REFUSED, "'%.32s' is no method of validation", e->method);
}

/* Ages in microseconds: from the past, and not too far. */
static lt_res age_fits(const struct judge *j, int64_t when_us, enum ca_limit limit, const char *what)
{
    int64_t most = ca_limit_at(limit, j->now);
    LT_CHECK(when_us > 0 && when_us <= lt_time_add_seconds(j->now, FUTURE_SLACK_S).us, LT_POLICY_REFUSED,
             "%s has no time, or one in the future", what);
    LT_CHECK(when_us >= lt_time_add_seconds(j->now, -most).us, LT_POLICY_REFUSED,
             "%s is older than %lld days", what, (long long)(most / LT_SECONDS_PER_DAY));
    return LT_OK;
}

static bool is_loopback(lt_slice address)
{
    return lt_slice_eq_cstr(address, "127.0.0.1") || lt_slice_eq_cstr(address, "::1");
}

/* Whether a configured name is that of the certificate. An address may be written in several ways. */
static bool is_host(const Ipc__Identifier *name, const char *host)
{
    struct x509_ip ip;
    if (lt_failed(x509_ip_parse(lt_slice_cstr(host), &ip))) {
        return strcmp(name->type, "dns") == 0 &&
               lt_slice_eq_nocase(lt_slice_cstr(host), lt_slice_cstr(name->value));
    }
    struct lt_buf text;
    lt_buf_init(&text, 64);
    lt_res r = x509_ip_text(LT_SLICE(ip.bytes, ip.len), &text);
    bool fits = strcmp(name->type, "ip") == 0 && !lt_failed(r) &&
                lt_slice_eq_cstr(lt_buf_slice(&text), name->value);
    lt_buf_done(&text);
    return fits;
}

/* Our own listeners have the names of the configuration, and where one of them is localhost, the loopback
 * addresses. Nobody proves these names, so that no other one may stand there. */
static lt_res own_name(const struct judge *j, const Ipc__Identifier *name)
{
    bool local = false;
    for (size_t i = 0; i < j->x->host_name_count; i++) {
        if (is_host(name, j->x->host_names[i])) {
            return LT_OK;
        }
        local = local || strcmp(j->x->host_names[i], "localhost") == 0;
    }
    LT_CHECK(local && strcmp(name->type, "ip") == 0 && is_loopback(lt_slice_cstr(name->value)),
             LT_POLICY_REFUSED, "'%s' is no host name of ours", name->value);
    return LT_OK;
}

static lt_res one_evidence(const struct judge *j, const Ipc__NameEvidence *e)
{
    const struct ca_profile *p = j->v->profile;
    if (p->kind == CA_PROFILE_SERVICE) {
        LT_CHECK(strcmp(e->method, "internal") == 0 && !p->public_trust, LT_POLICY_REFUSED,
                 "profile %s is for our own listeners", p->name);
        return own_name(j, e->identifier);
    }
    LT_TRY(method_fits(e));
    LT_TRY(age_fits(j, e->validated_us, CA_LIMIT_DOMAIN_REUSE_S, "a validation"));
    /* Checks of CAA come with their own issue; where there was one, its age counts. */
    return e->caa_checked_us == 0 ? LT_OK
                                  : age_fits(j, e->caa_checked_us, CA_LIMIT_CAA_REUSE_S, "a CAA check");
}

lt_res ca_judge_evidence(struct judge *j)
{
    for (size_t i = 0; i < j->name_count; i++) {
        LT_TRY(kind_fits(j->v->profile, j->names[i]));
        LT_TRY(one_evidence(j, evidence_of(j, j->names[i])));
    }
    return LT_OK;
}
