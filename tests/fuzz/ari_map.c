/* A map of renewal information whose every byte is hostile, and identifiers likewise: nothing outside the
 * bytes is read, and what is found is a window. */
#include "ca/ari_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct ca_ari_certid id;
    struct ca_ari_map map;
    struct ca_ari_window w;
    size_t text = size > 0 ? data[0] : 0;
    lt_slice all = lt_slice_sub(LT_SLICE(data, size), 1, SIZE_MAX);
    lt_arena_init(&a, 4096);
    if (!lt_failed(ca_ari_certid_read(lt_slice_sub(all, 0, text), &a, &id)) &&
        !lt_failed(ca_ari_map_open(lt_slice_sub(all, text, SIZE_MAX), &map)) &&
        ca_ari_map_find(&map, &id, &w)) {
        LT_ASSERT(w.url.len <= CA_ARI_URL_MAX + 1);
    }
    lt_arena_done(&a);
    return 0;
}
