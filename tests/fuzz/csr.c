/* Certification requests: what parses has a key that, where its type is known, is written again as the same
 * bytes. */
#include "x509/csr.h"
#include "der/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 4 << 20 };

static void key_again(const struct x509_spki *key)
{
    struct lt_buf out;
    struct der_writer w;
    lt_buf_init(&out, 1 << 20);
    der_write_init(&w, &out);
    x509_spki_write(&w, key);
    LT_ASSERT(!lt_failed(der_write_done(&w)) && lt_slice_eq(lt_buf_slice(&out), key->der));
    lt_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct x509_csr c;
    lt_arena_init(&a, ARENA_MAX);
    if (!lt_failed(x509_csr_parse(LT_SLICE(data, size), &a, &c))) {
        LT_ASSERT(c.info.ptr > data && c.info.ptr + c.info.len <= data + size);
        if (c.spki.type != X509_KEY_UNKNOWN) {
            key_again(&c.spki);
            lt_res usable = x509_spki_check(&c.spki);
            LT_ASSERT(lt_failed(usable) || c.spki.bits >= 256);
        }
    }
    lt_arena_done(&a);
    return 0;
}
