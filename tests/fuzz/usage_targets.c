/* usage/targets: any text is refused, or is a sorted list in which every line is found by its name. */
#include <stdint.h>

#include "role/usage_targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct usage_targets t;
    if (lt_failed(usage_targets_parse(LT_SLICE(data, size), &t))) {
        return 0;
    }
    for (size_t i = 0; i < t.count; i++) {
        LT_ASSERT(usage_targets_find(&t, t.list[i].name) == &t.list[i]);
        LT_ASSERT(i == 0 || lt_slice_cmp(t.list[i - 1].name, t.list[i].name) < 0);
    }
    (void)usage_targets_find(&t, LT_SLICE(data, size < 300 ? size : 300));
    usage_targets_done(&t);
    return 0;
}
