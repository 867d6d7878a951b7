/* What perspectives sign, and what their signature is worth. */
#include <string.h>

#include "crypto/digest.h"
#include "crypto/pub.h"
#include "ipc/ipc.h"
#include "validate/perspective_private.h"

/* "lintel-perspective-v1" NUL statement: no other signature of that key, in TLS above all, is one of these.
 */
static lt_res message_of(lt_slice statement, struct lt_arena *a, lt_slice *ret_message)
{
    const size_t context = sizeof VALIDATE_STATEMENT_CONTEXT;
    uint8_t *bytes = lt_arena_alloc(a, context + statement.len);
    LT_CHECK(bytes != NULL, LT_PEER_TOO_LARGE, "the statement is too large");
    memcpy(bytes, VALIDATE_STATEMENT_CONTEXT, context);
    if (statement.len > 0) {
        memcpy(&bytes[context], statement.ptr, statement.len);
    }
    *ret_message = LT_SLICE(bytes, context + statement.len);
    return LT_OK;
}

lt_res validate_statement_sign(struct crypto_key *key, const Ipc__Validated *v, struct lt_arena *a,
                               Ipc__SignedStatement *ret_signed)
{
    lt_slice statement;
    lt_slice message;
    size_t len = 0;
    LT_TRY(ipc_pack(&v->base, a, &statement));
    LT_CHECK(statement.len <= VALIDATE_STATEMENT_MAX, LT_PEER_TOO_LARGE, "a statement of %zu bytes",
             statement.len);
    LT_TRY(message_of(statement, a, &message));
    uint8_t *signature = lt_arena_alloc(a, CRYPTO_SIGNATURE_MAX);
    LT_CHECK(signature != NULL, LT_PEER_TOO_LARGE, "the statement is too large");
    LT_TRY(crypto_key_sign(key, CRYPTO_ES256, message, signature, &len));
    ipc__signed_statement__init(ret_signed);
    /* protobuf-c has no const bytes; they are only read. */
    ret_signed->statement = (ProtobufCBinaryData){statement.len, (uint8_t *)(uintptr_t)statement.ptr};
    ret_signed->perspective = v->perspective;
    ret_signed->signature = (ProtobufCBinaryData){len, signature};
    return LT_OK;
}

static lt_res check_signature(const struct validate_perspective *p, const Ipc__SignedStatement *s,
                              struct lt_arena *a)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    lt_slice message;
    LT_TRY(message_of(LT_SLICE(s->statement.data, s->statement.len), a, &message));
    LT_TRY(crypto_pub_new(p->spki, &pub));
    return crypto_pub_verify(pub, CRYPTO_ES256, message, LT_SLICE(s->signature.data, s->signature.len));
}

lt_res validate_statement_open(const struct validate_perspective *p, const Ipc__SignedStatement *s,
                               bool check, struct lt_arena *a, const Ipc__Validated **ret_validated)
{
    lt_slice statement = LT_SLICE(s->statement.data, s->statement.len);
    const ProtobufCMessage *body;
    LT_CHECK(strcmp(s->perspective, p->name) == 0, LT_PEER_UNAUTHORIZED,
             "a statement of \"%.63s\" where %s was asked", s->perspective, p->name);
    LT_CHECK(statement.len <= VALIDATE_STATEMENT_MAX, LT_PEER_TOO_LARGE, "a statement of %zu bytes",
             statement.len);
    if (check) {
        LT_TRY(check_signature(p, s, a));
    }
    /* Only now is it looked into. */
    LT_TRY(ipc_unpack(IPC_VALIDATED, statement, a, &body));
    const Ipc__Validated *v = (const Ipc__Validated *)(const void *)body;
    LT_CHECK(strcmp(v->perspective, p->name) == 0, LT_PEER_UNAUTHORIZED,
             "%s signed a statement in the name of \"%.63s\"", p->name, v->perspective);
    *ret_validated = v;
    return LT_OK;
}

lt_res validate_statement_verify(const struct validate_perspective *p, const Ipc__SignedStatement *s,
                                 struct lt_arena *a, const Ipc__Validated **ret_validated)
{
    return validate_statement_open(p, s, true, a, ret_validated);
}

lt_res validate_question_digest(const Ipc__Validate *question, struct lt_arena *a, uint8_t ret_hash[32])
{
    lt_slice packed;
    LT_TRY(ipc_pack(&question->base, a, &packed));
    crypto_sha256(packed, ret_hash);
    return LT_OK;
}

bool validate_statement_permits(const Ipc__Validated *v, bool caa_asked)
{
    if (!v->ok || strcmp(v->dnssec, "bogus") == 0) {
        return false;
    }
    const Ipc__CaaCheck *caa = v->caa;
    return !caa_asked || (caa != NULL && caa->checked && caa->permitted && strcmp(caa->dnssec, "bogus") != 0);
}
