#ifndef CRYPTO_FETCH_H
#define CRYPTO_FETCH_H
/* Private to this room. */
#include <openssl/evp.h>

#include "crypto/alg.h"

const EVP_MD *crypto_fetch_md(enum crypto_hash hash);
/* Takes OpenSSL's oldest error off its queue into words of ours, and empties the queue. Static storage. */
const char *crypto_openssl_error(void);

#endif
