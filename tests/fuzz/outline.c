/* What stands where: whatever the bytes, each row lies inside them and behind the start of the one before,
 * and rows of one level do not overlap. */
#include "der/outline.h"
#include "der/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct der_outline o;
    struct der_outline_row row;
    size_t end[DER_OUTLINE_DEPTH_MAX] = {0};
    size_t before = 0;
    unsigned depth = 0;
    der_outline_init(&o, LT_SLICE(data, size));
    end[0] = 0;
    while (der_outline_next(&o, &row)) {
        LT_ASSERT(row.depth <= depth + 1 && row.depth < DER_OUTLINE_DEPTH_MAX && row.offset >= before);
        LT_ASSERT(row.offset + row.header + row.content.len <= size);
        LT_ASSERT(row.depth > depth || row.offset >= end[row.depth]);
        LT_ASSERT(row.tag != DER_NONE || !row.holds);
        depth = row.depth;
        before = row.offset;
        end[depth] = row.offset + row.header + row.content.len;
    }
    return 0;
}
