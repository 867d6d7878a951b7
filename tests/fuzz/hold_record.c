/* Records of holds. What is read is written again as it was. */
#include "ca/hold_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ca_hold_record h;
    struct lt_buf out;
    if (lt_failed(ca_hold_record_read(LT_SLICE(data, size), &h))) {
        return 0;
    }
    lt_buf_init(&out, 1 << 20);
    ca_hold_record_write(&h, &out);
    LT_ASSERT(out.overflow || lt_slice_eq(lt_buf_slice(&out), LT_SLICE(data, size)));
    lt_buf_done(&out);
    return 0;
}
