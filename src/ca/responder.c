/* Certificates of OCSP responders. */
#include "ca/responder.h"

#include <string.h>

#include "ca/body.h"

static lt_res answer_problem(struct ca_turn *t, const struct ipc_addr *to, const char *type,
                             const char *detail)
{
    Ipc__Problem p = IPC__PROBLEM__INIT;
    p.type = lt_arena_cstr(t->arena, lt_slice_cstr(type));
    p.detail = lt_arena_cstr(t->arena, lt_slice_cstr(detail));
    p.status = 503;
    LT_ASSERT(p.type != NULL && p.detail != NULL);
    Ipc__ResponderCertificate m = IPC__RESPONDER_CERTIFICATE__INIT;
    m.problem = &p;
    return ca_turn_reply(t, to, IPC_RESPONDER_CERTIFICATE, &m.base);
}

lt_res ca_responder_failed(struct ca_turn *t, const struct ipc_addr *to, lt_res r)
{
    return answer_problem(t, to, lt_code_name(r.code), lt_error_last()->detail);
}

/* The first by name, where there are several. */
static const struct ca_profile *profile_of(const struct ca_book *b, const char *issuer)
{
    for (size_t i = 0; i < b->row_count; i++) {
        const struct ca_profile *p = b->rows[i].profile;
        if (p->kind == CA_PROFILE_RESPONDER && strcmp(p->issuer, issuer) == 0) {
            return p;
        }
    }
    return NULL;
}

lt_res ca_responder_request(struct ca_turn *t, const struct ca_config *config, const struct ipc_addr *from,
                            const Ipc__ResponderRequest *m)
{
    const struct ca_config_issuer *issuer = ca_config_issuer(config, lt_slice_cstr(m->issuer));
    LT_CHECK(m->key != NULL, LT_PEER_MALFORMED, "a responder without a key");
    LT_CHECK(issuer != NULL && issuer->ocsp, LT_PEER_UNSUPPORTED, "issuer %.64s has no OCSP", m->issuer);
    const struct ca_profile *p = profile_of(t->book, m->issuer);
    LT_CHECK(p != NULL, LT_PEER_UNSUPPORTED, "issuer %.64s has ocsp: true, but no profile of kind responder",
             m->issuer);
    const struct ca_issue_request r = {
        .requester = "ocsp",
        .profile = lt_slice_cstr(p->name),
        .key = m->key,
        .reply_to = *from,
    };
    return ca_issue_plan(t, &r, NULL);
}

static lt_res answer_certificate(struct ca_turn *t, const struct ca_outcome *o)
{
    lt_slice leaf = lt_arena_copy(t->arena, o->certificate);
    Ipc__ResponderCertificate m = IPC__RESPONDER_CERTIFICATE__INIT;
    LT_CHECK(leaf.ptr != NULL, LT_PEER_TOO_LARGE, "a certificate is too large");
    m.issuer = (char *)(uintptr_t)o->issuer->name; /* packed, not kept, as are the bytes */
    m.certificate = (ProtobufCBinaryData){leaf.len, (uint8_t *)(uintptr_t)leaf.ptr};
    m.issuer_certificate = (ProtobufCBinaryData){o->issuer->certificate.len,
                                                 (uint8_t *)(uintptr_t)o->issuer->certificate.ptr};
    m.not_after_us = o->not_after.us;
    return ca_turn_reply(t, &o->reply_to, IPC_RESPONDER_CERTIFICATE, &m.base);
}

/* Until when somebody may answer for the issuer, for who watches. */
static lt_res tell(struct ca_turn *t, const struct ca_outcome *o)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "ocsp %s", o->issuer->name);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the message is over the limit");
    ca_body_init(&b);
    ca_body_time(&b, "not_after", o->not_after);
    return ca_body_event(&b, t, "responder.issued", subject, LT_SLICE(NULL, 0));
}

lt_res ca_responder_outcome(struct ca_turn *t, const struct ca_outcome *o)
{
    if (o->replayed || o->reply_to.role == IPC_NOBODY) {
        return LT_OK; /* its key is gone with the one who asked; the next asks anew */
    }
    LT_TRY(o->issued ? tell(t, o) : LT_OK);
    return o->issued ? answer_certificate(t, o) : answer_problem(t, &o->reply_to, o->refusal, o->detail);
}
