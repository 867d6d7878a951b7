/* Members of a sealed batch. What is read is written again as it was. */
#include "ca/mass_members.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ca_mass_members m;
    struct lt_buf out;
    lt_slice serial;
    uint32_t count = 0;
    if (lt_failed(ca_mass_members_read(LT_SLICE(data, size), &m))) {
        return 0;
    }
    lt_buf_init(&out, 1 << 20);
    lt_slice rest = m.serials;
    while (ca_mass_members_next(&rest, &serial)) {
        LT_ASSERT(serial.len > 0 && serial.len <= CA_MASS_SERIAL_MAX);
        count++;
    }
    LT_ASSERT(count == m.count);
    ca_mass_members_write(&m, &out);
    LT_ASSERT(out.overflow || lt_slice_eq(lt_buf_slice(&out), LT_SLICE(data, size)));
    lt_buf_done(&out);
    return 0;
}
