#ifndef ACME_WIRE_PRIVATE_H
#define ACME_WIRE_PRIVATE_H
/* Shared by the wire files alone. */
#include "acme/wire.h"
#include "jose/json.h"

static inline ProtobufCBinaryData wire_bytes(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr}; /* protobuf-c knows no const */
}

LT_MUST_USE lt_res wire_cstr(struct wire_reader *r, lt_slice text, char **ret_text);

lt_res wire_read_finalize(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call);
lt_res wire_read_revoke(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call);
LT_MUST_USE lt_res wire_read_key_change(struct wire_reader *r, const struct jws *outer, Ipc__AcmeCall *call);

#endif
