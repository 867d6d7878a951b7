/* The gateways' own certificates. */
#include "ca/service.h"

#include <string.h>

#include "ca/book_internal.h"
#include "x509/dnsname.h"

#define SERVICE_PROFILE "service"

static lt_res answer_problem(struct ca_turn *t, const struct ipc_addr *to, const char *type,
                             const char *detail)
{
    Ipc__Problem p = IPC__PROBLEM__INIT;
    p.type = lt_arena_cstr(t->arena, lt_slice_cstr(type));
    p.detail = lt_arena_cstr(t->arena, lt_slice_cstr(detail));
    p.status = 503;
    LT_ASSERT(p.type != NULL && p.detail != NULL);
    Ipc__ServiceCertificate m = IPC__SERVICE_CERTIFICATE__INIT;
    m.problem = &p;
    return ca_turn_reply(t, to, IPC_SERVICE_CERTIFICATE, &m.base);
}

lt_res ca_service_failed(struct ca_turn *t, const struct ipc_addr *to, lt_res r)
{
    return answer_problem(t, to, lt_code_name(r.code), lt_error_last()->detail);
}

static struct ca_issue_name internal_name(const struct ca_turn *t, const char *type, lt_slice value)
{
    return (struct ca_issue_name){.type = type, .value = value, .method = "internal", .validated = t->now};
}

/* Every configured name, the console's, and the loopback addresses when one of them is localhost. */
static size_t list_names(const struct ca_turn *t, const struct ca_config *config, struct ca_issue_name *names,
                         size_t max)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};
    size_t count = 0;
    bool local = false;
    const char *own[CA_CONFIG_OWN_NAMES];
    uint32_t own_count = ca_config_own_names(config, own);
    for (uint32_t i = 0; i < own_count && count < max; i++) {
        struct x509_ip ip;
        lt_slice name = lt_slice_cstr(own[i]);
        bool is_ip = !lt_failed(x509_ip_parse(name, &ip));
        names[count++] = internal_name(t, is_ip ? "ip" : "dns", name);
        local = local || lt_slice_eq_cstr(name, "localhost");
    }
    for (size_t i = 0; local && i < LT_COUNT(loopback) && count < max; i++) {
        names[count++] = internal_name(t, "ip", lt_slice_cstr(loopback[i]));
    }
    return count;
}

lt_res ca_service_request(struct ca_turn *t, const struct ca_config *config, const struct ipc_addr *from,
                          const Ipc__ServiceCertificateRequest *m)
{
    struct ca_issue_name names[64];
    LT_CHECK(m->key != NULL, LT_PEER_MALFORMED, "a service request without a parsed key");
    const struct ca_issue_request r = {
        .requester = "service",
        .profile = LT_LIT(SERVICE_PROFILE),
        .key = m->key,
        .names = names,
        .name_count = list_names(t, config, names, LT_COUNT(names)),
        .reply_to = *from,
    };
    return ca_issue_plan(t, &r, NULL);
}

static lt_res answer_certificate(struct ca_turn *t, const struct ca_outcome *o)
{
    lt_slice leaf = lt_arena_copy(t->arena, o->certificate);
    lt_slice issuer = lt_arena_copy(t->arena, o->issuer->certificate);
    LT_CHECK(leaf.ptr != NULL && issuer.ptr != NULL, LT_PEER_TOO_LARGE, "a certificate is too large");
    Ipc__ServiceCertificate m = IPC__SERVICE_CERTIFICATE__INIT;
    ProtobufCBinaryData chain = {.len = issuer.len};
    memcpy(&chain.data, &issuer.ptr, sizeof chain.data); /* borrowed for encoding only */
    memcpy(&m.certificate.data, &leaf.ptr, sizeof m.certificate.data);
    m.certificate.len = leaf.len;
    m.chain = &chain;
    m.n_chain = 1;
    m.not_after_us = o->not_after.us;
    return ca_turn_reply(t, &o->reply_to, IPC_SERVICE_CERTIFICATE, &m.base);
}

lt_res ca_service_outcome(struct ca_turn *t, const struct ca_outcome *o)
{
    if (o->replayed || o->reply_to.role == IPC_NOBODY) {
        return LT_OK; /* who asked is gone; it asks anew */
    }
    return o->issued ? answer_certificate(t, o) : answer_problem(t, &o->reply_to, o->refusal, o->detail);
}
