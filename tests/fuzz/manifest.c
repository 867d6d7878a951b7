/* The manifest of a backup. What is read is written again as it was. The first byte: with the hash that the
 * input has, or with one that fits. */
#include "cmd/manifest.h"
#include "crypto/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 16 << 20, BUF_MAX = 4 << 20 };

static void add_end(struct lt_buf *b)
{
    uint8_t hash[MANIFEST_HASH_LEN];
    crypto_sha256(lt_buf_slice(b), hash);
    lt_buf_add_cstr(b, "end=");
    for (size_t i = 0; i < sizeof hash; i++) {
        lt_buf_addf(b, "%02x", hash[i]);
    }
    lt_buf_add_cstr(b, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct lt_buf in;
    struct lt_buf out;
    struct manifest m;
    if (size == 0 || size > BUF_MAX / 2) {
        return 0;
    }
    lt_arena_init(&a, ARENA_MAX);
    lt_buf_init(&in, BUF_MAX);
    lt_buf_init(&out, BUF_MAX);
    lt_buf_add(&in, LT_SLICE(data + 1, size - 1));
    if ((data[0] & 1) != 0) {
        add_end(&in);
    }
    if (!lt_failed(manifest_read(lt_buf_slice(&in), &a, &m))) {
        LT_ASSERT(!lt_failed(manifest_write(&m, &out)));
        LT_ASSERT(lt_slice_eq(lt_buf_slice(&in), lt_buf_slice(&out)));
        LT_ASSERT(manifest_find(&m, "nowhere") == NULL || m.file_count > 0);
    }
    lt_buf_done(&in);
    lt_buf_done(&out);
    lt_arena_done(&a);
    return 0;
}
