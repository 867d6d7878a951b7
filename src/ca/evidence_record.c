/* The bytes of a record, back. */
#include "ca/evidence_record.h"

#include "ipc/arena.h"
#include "validate/quorum.h"

lt_res ca_evidence_unpack(lt_slice plain, int64_t authorization, int64_t checked_us, struct lt_arena *a,
                          const Ipc__EvidenceRecord **ret_record)
{
    ProtobufCAllocator allocator = ipc_arena_allocator(a);
    const Ipc__EvidenceRecord *r = ipc__evidence_record__unpack(&allocator, plain.len, plain.ptr);
    LT_CHECK(r != NULL && r->primary != NULL && r->primary->identifier != NULL, LT_STATE_CORRUPT,
             "the frame holds no record of a check");
    LT_CHECK(r->authorization_id == authorization && r->checked_us == checked_us, LT_STATE_CORRUPT,
             "the frame holds another check: of authorization %lld at %lld", (long long)r->authorization_id,
             (long long)r->checked_us);
    LT_CHECK(r->corroboration == NULL || r->corroboration->n_voices <= VALIDATE_PERSPECTIVES_MAX,
             LT_STATE_CORRUPT, "the record has %zu perspectives", r->corroboration->n_voices);
    *ret_record = r;
    return LT_OK;
}
