#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H
/* SHA-2 and HMAC over OpenSSL's EVP, fetched once per process. These cannot fail on any input: what OpenSSL
 * refuses here is a bug or an empty heap and ends the process. */
#include "crypto/alg.h"

/* Before the sandbox closes: OpenSSL would read its configuration file at its first use. It is never read:
 * what Lintel computes does not depend on a file in /etc. */
void crypto_start(void);

void crypto_sha256(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA256_LEN]);
/* ret_hash: crypto_hash_len(hash) bytes. */
void crypto_digest(enum crypto_hash hash, lt_slice bytes, uint8_t *ret_hash);

/* SHA-3, for .onion names alone: it signs nothing here. */
void crypto_sha3_256(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA256_LEN]);

/* For OCSP alone, where clients name issuers and responders by it: nothing rests on its strength. */
enum { CRYPTO_SHA1_LEN = 20 };
void crypto_sha1(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA1_LEN]);

/* In pieces. One owner; init, add…, finish; done frees (after finish too). */
struct crypto_stream {
    void *ctx; /* owned */
};
void crypto_stream_init(struct crypto_stream *s, enum crypto_hash hash);
void crypto_stream_add(struct crypto_stream *s, lt_slice bytes);
void crypto_stream_finish(struct crypto_stream *s, uint8_t *ret_hash);
void crypto_stream_done(struct crypto_stream *s);

/* ret_mac: crypto_hash_len(hash) bytes. */
void crypto_hmac(enum crypto_hash hash, lt_slice key, lt_slice message, uint8_t *ret_mac);
/* In time that depends on the lengths alone. */
bool crypto_equal(lt_slice a, lt_slice b);

#endif
