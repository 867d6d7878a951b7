/* Segments of evidence. The first byte chooses: hostile frames one behind the other; a stream of the input's
 * inside a frame whose hash fits; a record; a header. Whatever is written reads back as it was. */
#include <string.h>

#include "ca/evidence_record.h"
#include "crypto/digest.h"
#include "store/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 32 << 20, BUF_MAX = 16 << 20, HASHED = 12 };

static void walk(lt_slice bytes, struct lt_arena *a)
{
    struct store_frame_ref ref = {0};
    lt_slice plain;
    while (bytes.len > 0 && !lt_failed(store_frame_check(bytes, &ref))) {
        LT_ASSERT(ref.length >= STORE_FRAME_HEAD_LEN && ref.length <= bytes.len);
        if (!lt_failed(store_frame_read(lt_slice_sub(bytes, 0, ref.length), ref.sha256, a, &plain))) {
            LT_ASSERT(plain.len > 0 && plain.len <= STORE_FRAME_PLAIN_MAX);
        }
        bytes = lt_slice_sub(bytes, ref.length, SIZE_MAX);
    }
}

/* "LEFR", the lengths, and the hash over whatever follows. */
static void stream(lt_slice in, struct lt_arena *a)
{
    struct lt_buf b;
    struct crypto_stream s;
    uint8_t hash[STORE_FRAME_HASH_LEN];
    lt_slice plain;
    if (in.len < 3) {
        return;
    }
    size_t packed = in.len - 2;
    const uint8_t head[HASHED] = {
        'L', 'E', 'F',       'R',      0, (uint8_t)(packed >> 16), (uint8_t)(packed >> 8), (uint8_t)packed,
        0,   0,   in.ptr[0], in.ptr[1]};
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_SLICE(head, sizeof head));
    crypto_stream_add(&s, lt_slice_sub(in, 2, SIZE_MAX));
    crypto_stream_finish(&s, hash);
    crypto_stream_done(&s);
    lt_buf_init(&b, BUF_MAX);
    lt_buf_add(&b, LT_SLICE(head, sizeof head));
    lt_buf_add(&b, LT_SLICE(hash, sizeof hash));
    lt_buf_add(&b, lt_slice_sub(in, 2, SIZE_MAX));
    if (!lt_failed(store_frame_read(lt_buf_slice(&b), hash, a, &plain))) {
        LT_ASSERT(plain.len == ((size_t)in.ptr[0] << 8 | in.ptr[1]));
    }
    lt_buf_done(&b);
}

static void record(lt_slice in, struct lt_arena *a)
{
    const Ipc__EvidenceRecord *r = NULL;
    struct store_frame_ref ref = {0};
    struct lt_buf b;
    lt_slice plain;
    Ipc__EvidenceRecord *seen = ipc__evidence_record__unpack(NULL, in.len, in.ptr);
    if (seen != NULL) {
        bool read = !lt_failed(ca_evidence_unpack(in, seen->authorization_id, seen->checked_us, a, &r));
        LT_ASSERT(!read || (r->primary != NULL && r->primary->identifier != NULL));
        LT_ASSERT(lt_failed(ca_evidence_unpack(in, seen->authorization_id ^ 1, seen->checked_us, a, &r)));
        ipc__evidence_record__free_unpacked(seen, NULL);
    }
    if (in.len > 0) {
        lt_buf_init(&b, BUF_MAX);
        LT_ASSERT(!lt_failed(store_frame_write(in, &b, &ref)) && ref.length == b.len);
        LT_ASSERT(!lt_failed(store_frame_read(lt_buf_slice(&b), ref.sha256, a, &plain)));
        LT_ASSERT(lt_slice_eq(plain, in));
        lt_buf_done(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    lt_slice in = lt_slice_sub(LT_SLICE(data, size), 1, SIZE_MAX);
    lt_arena_init(&a, ARENA_MAX);
    switch (size > 0 ? data[0] % 4 : 0) {
    case 0:
        walk(in, &a);
        break;
    case 1:
        stream(in, &a);
        break;
    case 2:
        record(in, &a);
        break;
    default:
        (void)store_segment_header_read(in, 1).code; /* refused, but for ours */
        break;
    }
    lt_arena_done(&a);
    return 0;
}
