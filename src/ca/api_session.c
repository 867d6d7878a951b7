/* What the console sends: a passkey's answer, and the end of a session. */
#include <string.h>

#include "ca/api_internal.h"
#include "ca/passkey.h"
#include "jose/json.h"

static lt_res read_blob(const json_t *o, const char *name, struct lt_arena *a, ProtobufCBinaryData *ret_blob)
{
    lt_slice blob;
    LT_TRY(jose_json_bytes(o, name, a, &blob));
    LT_CHECK(blob.len > 0 && blob.len <= CA_PASSKEY_CLIENT_DATA_MAX, LT_PEER_MALFORMED, "\"%s\" of %zu bytes",
             name, blob.len);
    *ret_blob = (ProtobufCBinaryData){blob.len, (uint8_t *)(uintptr_t)blob.ptr};
    return LT_OK;
}

lt_res ca_api_passkey(const json_t *o, struct lt_arena *a, Ipc__PasskeyAssertion **ret_answer)
{
    Ipc__PasskeyAssertion *p = LT_NEW(a, Ipc__PasskeyAssertion);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_CHECK(json_is_object(o), LT_PEER_MALFORMED, "\"passkey\" is not an object");
    ipc__passkey_assertion__init(p);
    LT_TRY(read_blob(o, "id", a, &p->credential_id));
    LT_TRY(read_blob(o, "authenticator-data", a, &p->authenticator_data));
    LT_TRY(read_blob(o, "client-data", a, &p->client_data));
    LT_TRY(read_blob(o, "signature", a, &p->signature));
    LT_CHECK(p->credential_id.len <= CA_PASSKEY_ID_MAX &&
                 p->authenticator_data.len <= CA_PASSKEY_AUTHENTICATOR_DATA_MAX,
             LT_PEER_MALFORMED, "a passkey's answer of that size");
    *ret_answer = p;
    return LT_OK;
}

lt_res ca_api_read_session(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                           Ipc__OperatorCall *call)
{
    (void)payload; /* it is in the path */
    call->name = lt_arena_cstr(a, t->id);
    LT_CHECK(call->name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}
