/* What strangers send about keys: nothing is proven that no key has signed, and no private key is left in
 * what is kept. */
#include <stdlib.h>
#include <string.h>

#include "incident/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 8 << 20 };

static void check(const struct incident_proof *p, size_t size, struct lt_arena *a)
{
    Ipc__KeyProof m;
    LT_ASSERT(p->offset + p->length <= size);
    LT_ASSERT(p->verdict != INCIDENT_PROOF_PROVEN || (p->has_key && p->kind[0] != '\0'));
    LT_ASSERT(p->nonce[0] == '\0' || incident_proof_nonce_form(lt_slice_cstr(p->nonce)));
    lt_res r = incident_proof_message(p, a, &m);
    LT_ASSERT(!lt_failed(r) || r.code == LT_PEER_TOO_LARGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct lt_buf kept;
    struct incident_proofs *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    lt_arena_init(&a, ARENA_MAX);
    lt_buf_init(&kept, 4 << 20);
    lt_slice part = LT_SLICE(data, size);
    if (!lt_failed(incident_proof_look(part, &a, p)) && !lt_failed(incident_proof_finish(&a, p))) {
        incident_proof_redact(part, p, 0, &kept);
        for (size_t i = 0; i < p->count; i++) {
            check(&p->list[i], size, &a);
        }
    }
    lt_buf_done(&kept);
    lt_arena_done(&a);
    free(p);
    return 0;
}
