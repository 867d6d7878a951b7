/* A search in a sorted list of six-byte pieces of fingerprints. */
#include "crypto/debian.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Bytes 10 to 15 of a SHA-1: where openssl-vulnkey's published lists begin, too. */
enum { PIECE_AT = 10, PIECE_LEN = 6, SHA1_LEN = 20, MODULUS_LINE_MAX = 8192 };

extern const uint8_t crypto_debian_keys[];
extern const uint8_t crypto_debian_keys_end[];

size_t crypto_debian_count(void)
{
    return (size_t)((uintptr_t)crypto_debian_keys_end - (uintptr_t)crypto_debian_keys) / PIECE_LEN;
}

/* SHA-1 of the line that `openssl rsa -modulus` prints. */
static bool fingerprint(lt_slice modulus, uint8_t ret_sha1[SHA1_LEN])
{
    static const char digits[] = "0123456789ABCDEF";
    struct lt_buf line;
    unsigned len = 0;
    lt_buf_init(&line, MODULUS_LINE_MAX);
    lt_buf_add_cstr(&line, "Modulus=");
    for (size_t i = 0; i < modulus.len; i++) {
        lt_buf_add_byte(&line, (uint8_t)digits[modulus.ptr[i] >> 4]);
        lt_buf_add_byte(&line, (uint8_t)digits[modulus.ptr[i] & 15]);
    }
    lt_buf_add_byte(&line, '\n');
    bool made = !lt_failed(lt_buf_check(&line)) &&
                EVP_Digest(line.ptr, line.len, ret_sha1, &len, EVP_sha1(), NULL) == 1 && len == SHA1_LEN;
    lt_buf_done(&line);
    return made;
}

bool crypto_rsa_is_debian(lt_slice modulus)
{
    uint8_t sha1[SHA1_LEN];
    if (modulus.len > MODULUS_LINE_MAX / 4 || !fingerprint(modulus, sha1)) {
        return false;
    }
    size_t low = 0;
    size_t high = crypto_debian_count();
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(&crypto_debian_keys[middle * PIECE_LEN], sha1 + PIECE_AT, PIECE_LEN);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}
