/* What a worker of the validator writes into its pipe, as the front takes it apart. */
#include "base/arena.h"
#include "validate/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice rest = LT_SLICE(data, size);
    lt_slice body;
    uint64_t id = 0;
    size_t len = 0;
    bool bad = false;
    while (validate_frame_next(rest, &id, &body, &len, &bad)) {
        LT_ASSERT(len >= VALIDATE_FRAME_HEAD && len <= rest.len && body.len == len - VALIDATE_FRAME_HEAD);
        Ipc__Validated *v = ipc__validated__unpack(NULL, body.len, body.ptr);
        if (v != NULL) {
            ipc__validated__free_unpacked(v, NULL);
        }
        rest = lt_slice_sub(rest, len, SIZE_MAX);
    }
    LT_ASSERT(!bad || rest.len >= VALIDATE_FRAME_HEAD);
    return 0;
}
