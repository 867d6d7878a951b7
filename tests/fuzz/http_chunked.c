/* Chunked bodies: the same data and the same end however the bytes are cut; never more data than came in. */
#include <stdint.h>
#include <string.h>

#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int code;
    bool done;
    size_t len;
    size_t used;
    uint64_t hash;
};

static struct outcome decode(lt_slice in, size_t step)
{
    struct http_chunked c = {0};
    struct outcome o = {0};
    size_t at = 0;
    while (at < in.len && !c.done && o.code == 0) {
        lt_slice piece = lt_slice_sub(in, at, step);
        size_t before = piece.len;
        while (piece.len > 0 && !c.done && o.code == 0) {
            lt_slice run;
            size_t left = piece.len;
            o.code = http_chunked_next(&c, &piece, &run).code;
            LT_ASSERT(o.code != 0 || piece.len < left); /* it goes on */
            for (size_t i = 0; i < run.len && o.code == 0; i++) {
                o.hash = (o.hash ^ run.ptr[i]) * UINT64_C(0x100000001b3);
                o.len++;
            }
        }
        at += before - piece.len;
    }
    o.done = c.done;
    o.used = o.code == 0 ? at : 0;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice in = LT_SLICE(data, size);
    struct outcome whole = decode(in, SIZE_MAX);
    LT_ASSERT(whole.len <= size);
    for (size_t step = 1; step < 9; step += 3) {
        struct outcome cut = decode(in, step);
        LT_ASSERT(cut.code == whole.code && cut.done == whole.done);
        LT_ASSERT(cut.code != 0 ||
                  (cut.len == whole.len && cut.hash == whole.hash && cut.used == whole.used));
    }
    return 0;
}
