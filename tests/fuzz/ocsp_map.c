/* A map of answers whose every byte is hostile, and what is asked of it likewise: nothing outside the bytes
 * is read, and an answer is DER or none. */
#include "ca/ocsp_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ASKED = 20 + 20 + 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ca_ocsp_map map;
    struct ca_ocsp_row row;
    struct ca_ocsp_issuer issuer;
    struct lt_buf out;
    lt_slice all = LT_SLICE(data, size);
    if (size < ASKED || lt_failed(ca_ocsp_map_open(lt_slice_sub(all, ASKED, SIZE_MAX), &map))) {
        return 0;
    }
    struct x509_ocsp_certid id = {X509_OCSP_SHA1, lt_slice_sub(all, 0, 20), lt_slice_sub(all, 20, 20),
                                  lt_slice_sub(all, 40, 8)};
    if (ca_ocsp_map_issuer(&map, 0, &issuer)) { /* or its own, so that the search is reached */
        id.name_hash = LT_SLICE(issuer.name_hash[0], 20);
        id.key_hash = LT_SLICE(issuer.key_hash[0], 20);
    }
    lt_buf_init(&out, 8192);
    if (!lt_failed(ca_ocsp_map_answer(&map, &id, &out, &row))) {
        LT_ASSERT(out.len > 0);
    }
    lt_buf_done(&out);
    return 0;
}
