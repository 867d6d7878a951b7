/* A request of OCSP whose every byte is hostile: what is taken has hashes of their length and a serial that a
 * row can hold, all of it inside the bytes. */
#include "x509/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(lt_slice part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.ptr >= data && part.ptr + part.len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x509_ocsp_request q;
    if (!lt_failed(x509_ocsp_request_parse(LT_SLICE(data, size), &q))) {
        size_t len = x509_ocsp_hash_len(q.certid.hash);
        LT_ASSERT(q.certid.name_hash.len == len && q.certid.key_hash.len == len);
        LT_ASSERT(q.certid.serial.len > 0 && q.certid.serial.len <= X509_OCSP_SERIAL_MAX);
        LT_ASSERT(q.nonce.len <= X509_OCSP_NONCE_MAX);
        LT_ASSERT(inside(q.certid.serial, data, size) && inside(q.nonce, data, size) &&
                  inside(q.certid.key_hash, data, size));
    }
    return 0;
}
