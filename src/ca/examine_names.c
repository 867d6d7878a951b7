/* Names in the bytes, and the evidence for each of them. */
#include <string.h>

#include "ca/examine_internal.h"
#include "ca/limits.h"
#include "validate/methods.h"
#include "x509/dnsname.h"

enum { FUTURE_SLACK_S = 60, HOUR = 3600 };

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
    if (j->v->profile->kind == CA_PROFILE_RESPONDER) {
        LT_CHECK(!j->v->cert.ext.has_san && j->m->n_evidence == 0, LT_POLICY_REFUSED,
                 "a responder has no names");
        return LT_OK;
    }
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

/* Ages in microseconds: from the past, and not too far. */
static lt_res age_fits(const struct judge *j, int64_t when_us, int64_t most_s, const char *what)
{
    LT_CHECK(when_us > 0 && when_us <= lt_time_add_seconds(j->now, FUTURE_SLACK_S).us, LT_POLICY_REFUSED,
             "%s has no time, or one in the future", what);
    bool days = most_s >= LT_SECONDS_PER_DAY;
    LT_CHECK(when_us >= lt_time_add_seconds(j->now, -most_s).us, LT_POLICY_REFUSED,
             "%s is older than %lld %s", what,
             (long long)(days ? most_s / LT_SECONDS_PER_DAY : most_s / HOUR), days ? "days" : "hours");
    return LT_OK;
}

/* A row of the table of methods (validate/methods.h) that proves such a name, that was allowed when it was
 *used and still is. "internal" is none: it serves our own listeners alone. Nor is a check of CAA. =
 *CABF-BR 3.2.2.4.19 "This method is NOT suitable for validating Wildcard Domain Names." */
static lt_res method_fits(const struct judge *j, const Ipc__NameEvidence *e)
{
    bool wildcard = lt_slice_starts(lt_slice_cstr(e->identifier->value), LT_LIT("*."));
    const struct validate_method *m = validate_method_find(e->method, e->identifier->type);
    LT_CHECK(m != NULL && m->kind != VALIDATE_KIND_CAA, LT_POLICY_REFUSED,
             "'%.32s' is no method of validation for '%s'", e->method, e->identifier->value);
    LT_CHECK(!wildcard || m->wildcard, LT_POLICY_REFUSED, "%s does not prove control of '%s'", e->method,
             e->identifier->value);
    LT_CHECK(validate_method_in_force(m, (lt_time){e->validated_us}) && validate_method_in_force(m, j->now),
             LT_POLICY_REFUSED,
             "%s (BR %s) is not allowed on the day of that validation, or of this certificate", e->method,
             m->section);
    int64_t most_s = validate_method_reuse_s(m, j->now);
    int64_t rule_s = ca_limit_at(CA_LIMIT_DOMAIN_REUSE_S, j->now);
    return age_fits(j, e->validated_us, most_s < rule_s ? most_s : rule_s, "a validation");
}

/*= CABF-BR 3.2.2.8 "the CA MUST retrieve and process CAA records in accordance with RFC 8659" — 0 stands for
 * no check, which only a private CA that has no name for CAA may say */
static lt_res caa_fits(const struct judge *j, const Ipc__NameEvidence *e)
{
    bool wanted = j->v->profile->public_trust && strcmp(e->identifier->type, "dns") == 0;
    LT_CHECK(!wanted || e->caa_checked_us != 0, LT_POLICY_REFUSED, "there is no check of CAA for '%s'",
             e->identifier->value);
    return e->caa_checked_us == 0
               ? LT_OK
               : age_fits(j, e->caa_checked_us, ca_limit_at(CA_LIMIT_CAA_REUSE_S, j->now), "a CAA check");
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
    LT_TRY(method_fits(j, e));
    return caa_fits(j, e);
}

lt_res ca_judge_evidence(struct judge *j)
{
    for (size_t i = 0; i < j->name_count; i++) {
        LT_TRY(kind_fits(j->v->profile, j->names[i]));
        LT_TRY(one_evidence(j, evidence_of(j, j->names[i])));
    }
    return LT_OK;
}
