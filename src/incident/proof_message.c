/* A proof as the registrar is told of it. */
#include <string.h>

#include "crypto/digest.h"
#include "incident/proof.h"

static lt_res text(struct lt_arena *a, const char *s, char **ret_text)
{
    *ret_text = lt_arena_cstr(a, lt_slice_cstr(s));
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "too much to look through at once");
    return LT_OK;
}

static lt_res bytes(struct lt_arena *a, lt_slice b, ProtobufCBinaryData *ret_bytes)
{
    lt_slice copy = lt_arena_copy(a, b);
    LT_CHECK(copy.ptr != NULL, LT_PEER_TOO_LARGE, "too much to look through at once");
    *ret_bytes = (ProtobufCBinaryData){copy.len, (uint8_t *)(uintptr_t)copy.ptr};
    return LT_OK;
}

lt_res incident_proof_message(const struct incident_proof *p, struct lt_arena *a, Ipc__KeyProof *m)
{
    ipc__key_proof__init(m);
    LT_TRY(text(a, p->kind, &m->kind));
    LT_TRY(text(a, incident_proof_verdict_name(p->verdict), &m->verdict));
    LT_TRY(text(a, p->why, &m->why));
    LT_TRY(text(a, p->key_type, &m->key_type));
    LT_TRY(text(a, p->nonce, &m->nonce));
    LT_TRY(bytes(a, LT_SLICE(p->evidence_sha256, sizeof p->evidence_sha256), &m->evidence_sha256));
    if (p->has_key) {
        LT_TRY(bytes(a, LT_SLICE(p->spki_sha256, sizeof p->spki_sha256), &m->spki_sha256));
    }
    if (p->has_key && memcmp(p->spki_sha256, p->sent_sha256, sizeof p->spki_sha256) != 0) {
        LT_TRY(bytes(a, LT_SLICE(p->sent_sha256, sizeof p->sent_sha256), &m->sent_sha256));
    }
    if (p->verdict == INCIDENT_PROOF_PROVEN) {
        LT_TRY(bytes(a, p->evidence, &m->evidence));
    }
    m->offset = p->offset;
    m->length = p->length;
    return LT_OK;
}
