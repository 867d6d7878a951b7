/* The console's sessions, as the registrar is asked about them: whose key is that, who logs in, who is behind
 * a change. The decisions are in ca/session.h. */
#include "ca/session.h"

#include <string.h>

#include "acme.pb-c.h"
#include "crypto/digest.h"
#include "role/registrar.h"

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

struct named_key {
    lt_slice spki;
    const char *alg;
    const char *operator_;
    const char *status;
};

static lt_res answer(struct ca_turn *t, const struct ipc_msg *m, const struct named_key *k)
{
    const Ipc__KeyLookup *asked = (const Ipc__KeyLookup *)(const void *)m->body;
    Ipc__KeyAnswer a = IPC__KEY_ANSWER__INIT;
    uint8_t thumbprint[CRYPTO_SHA256_LEN];
    a.kid = asked->kid;
    a.found = k->operator_ != NULL;
    if (a.found) {
        crypto_sha256(k->spki, thumbprint);
        a.thumbprint = (ProtobufCBinaryData){sizeof thumbprint, thumbprint};
        a.spki = (ProtobufCBinaryData){k->spki.len, (uint8_t *)(uintptr_t)k->spki.ptr}; /* packed, not kept */
        a.alg = (char *)(uintptr_t)k->alg;
        a.operator_ = (char *)(uintptr_t)k->operator_;
        a.status = (char *)(uintptr_t)k->status;
    }
    return ca_turn_reply(t, &m->from, IPC_KEY_ANSWER, &a.base);
}

lt_res registrar_session_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g; /* same signature as its neighbours */
    const Ipc__KeyLookup *asked = (const Ipc__KeyLookup *)(const void *)m->body;
    struct ca_session s;
    LT_TRY(ca_session_find(t, asked->kid + strlen(CA_SESSION_KID), &s));
    const struct named_key k = {s.spki, "ES256", s.operator_, s.ended ? "ended" : "valid"};
    return answer(t, m, &k);
}

lt_res registrar_passkey_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g; /* same signature as its neighbours */
    const Ipc__KeyLookup *asked = (const Ipc__KeyLookup *)(const void *)m->body;
    struct ca_passkey p;
    LT_TRY(ca_passkey_by_id(t, lt_slice_cstr(asked->kid + strlen(CA_PASSKEY_KID)), &p));
    const struct named_key k = {p.spki, p.alg, p.operator_, "valid"};
    return answer(t, m, &k);
}

static const struct {
    const char *op;
    lt_res (*run)(struct ca_turn *t, const Ipc__OperatorCall *m, struct ca_session_answer *ret_answer);
} ops[] = {
    {"session.open", ca_session_open},
    {"passkey.add", ca_passkey_take},
};

bool registrar_session_is(const char *op)
{
    return strcmp(op, ops[0].op) == 0 || strcmp(op, ops[1].op) == 0;
}

lt_res registrar_session_call(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__OperatorCall *call = (const Ipc__OperatorCall *)(const void *)m->body;
    struct ca_session_answer a = {.json = NULL};
    char nonce[ACME_NONCE_SIZE];
    Ipc__OperatorReply reply = IPC__OPERATOR_REPLY__INIT;
    LT_TRY(acme_desk_redeem(g->desk, lt_slice_cstr(call->nonce)));
    for (size_t i = 0; i < LT_COUNT(ops); i++) {
        LT_TRY(strcmp(ops[i].op, call->op) == 0 ? ops[i].run(t, call, &a) : LT_OK);
    }
    acme_desk_nonce(g->desk, nonce);
    reply.nonce = nonce;
    reply.problem = a.problem;
    reply.status = a.problem != NULL ? a.problem->status : 201;
    reply.json = a.json == NULL ? reply.json : (char *)(uintptr_t)a.json; /* packed, not kept */
    reply.cookie = a.cookie == NULL ? reply.cookie : (char *)(uintptr_t)a.cookie;
    reply.cookie_s = a.cookie_s;
    return ca_turn_reply(t, &m->from, IPC_OPERATOR_REPLY, &reply.base);
}

static lt_res say_ended(struct ca_turn *t, const char *why, Ipc__Problem **ret_ended)
{
    Ipc__Problem *p = LT_NEW(t->arena, Ipc__Problem);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__problem__init(p);
    p->status = 401;
    p->type = lt_arena_cstr(t->arena, LT_LIT("lintel:session"));
    p->detail = lt_arena_cstr(t->arena, lt_slice_cstr(why));
    LT_ASSERT(p->type != NULL && p->detail != NULL);
    *ret_ended = p;
    return LT_OK;
}

lt_res registrar_session_of(struct registrar *g, struct ca_turn *t, const Ipc__OperatorCall *m,
                            const struct ca_operator **ret_by, Ipc__Problem **ret_ended)
{
    struct ca_session s;
    uint8_t thumbprint[CRYPTO_SHA256_LEN];
    *ret_by = NULL;
    *ret_ended = NULL;
    LT_TRY(ca_session_find(t, m->session, &s));
    if (!s.found || s.ended) {
        return say_ended(t, "the session has ended: log in again", ret_ended);
    }
    crypto_sha256(s.spki, thumbprint);
    LT_CHECK(lt_slice_eq(bytes(m->thumbprint), LT_SLICE(thumbprint, sizeof thumbprint)) &&
                 strcmp(m->operator_, s.operator_) == 0,
             LT_PEER_UNAUTHORIZED, "that is not the key of the session");
    *ret_by = ca_operator_by_name(&g->book->operators, lt_slice_cstr(s.operator_));
    bool same = *ret_by != NULL &&
                lt_slice_eq(s.owner, LT_SLICE((*ret_by)->thumbprint, sizeof(*ret_by)->thumbprint));
    *ret_by = same ? *ret_by : NULL;
    return same ? LT_OK : say_ended(t, "the operator is gone, or has another key: log in again", ret_ended);
}
