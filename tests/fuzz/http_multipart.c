/* Forms with files: the same parts and the same end however the bytes are cut; never more data than came in,
 * and names that are within their limits. */
#include <stdint.h>
#include <string.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int code;
    bool whole;
    size_t parts;
    size_t len;
    uint64_t hash;
};

static void add(struct outcome *o, lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        o->hash = (o->hash ^ s.ptr[i]) * UINT64_C(0x100000001b3);
    }
}

static void hear(struct outcome *o, const struct http_multipart *m, enum http_multipart_event e, lt_slice run)
{
    if (e == HTTP_MULTIPART_PART) {
        LT_ASSERT(m->name[0] != '\0' && strlen(m->name) <= HTTP_MULTIPART_NAME_MAX);
        LT_ASSERT(strlen(m->filename) <= HTTP_MULTIPART_FILENAME_MAX);
        add(o, lt_slice_cstr(m->name));
        add(o, lt_slice_cstr(m->filename));
        add(o, lt_slice_cstr(m->type));
        o->parts++;
    } else if (e == HTTP_MULTIPART_DATA) {
        LT_ASSERT(run.len > 0);
        add(o, run);
        o->len += run.len;
    }
}

static struct outcome decode(lt_slice type, lt_slice in, size_t step)
{
    struct http_multipart m;
    struct outcome o = {.code = http_multipart_begin(&m, type).code};
    for (size_t at = 0; at < in.len && o.code == 0; at += step < in.len ? step : in.len) {
        lt_slice piece = lt_slice_sub(in, at, step);
        enum http_multipart_event e;
        do {
            lt_slice run;
            o.code = http_multipart_next(&m, &piece, &e, &run).code;
            if (o.code == 0) {
                hear(&o, &m, e, run);
            }
        } while (o.code == 0 && e != HTTP_MULTIPART_MORE);
    }
    o.whole = o.code == 0 && http_multipart_whole(&m);
    return o;
}

/* The first line is the type; what follows, the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice in = LT_SLICE(data, size);
    size_t end = lt_slice_find(in, '\n');
    lt_slice type = lt_slice_sub(in, 0, end);
    lt_slice body = lt_slice_sub(in, end + 1, SIZE_MAX);
    struct outcome whole = decode(type, body, SIZE_MAX);
    (void)http_multipart_is(type); /* it must only be safe */
    LT_ASSERT(whole.len <= size && whole.parts <= HTTP_MULTIPART_PARTS_MAX);
    for (size_t step = 1; step < 9; step += 3) {
        struct outcome cut = decode(type, body, step);
        LT_ASSERT(cut.code == whole.code && cut.whole == whole.whole);
        LT_ASSERT(cut.code != 0 ||
                  (cut.parts == whole.parts && cut.len == whole.len && cut.hash == whole.hash));
    }
    return 0;
}
