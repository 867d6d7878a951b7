#ifndef HTTP_PINNED_H
#define HTTP_PINNED_H
/* TLS 1.3 between two programs that know each other's public key, and nothing else: both sides show a
 * certificate for their key, made here and worth nothing by itself; the key is compared with those that are
 * expected. No names, no dates, no authorities, no resumption.
 */
#include "base/slice.h"

struct ssl_ctx_st;

struct http_pins {
    const lt_slice *spkis; /* DER; any of them */
    size_t count;
};

/* key_pem: PKCS #8, plain. pins are borrowed for as long as the context lives; none: nobody is let in. */
LT_MUST_USE lt_res http_pinned_context(bool server, lt_slice key_pem, const struct http_pins *pins,
                                       struct ssl_ctx_st **ret_ctx);

void http_pinned_free(struct ssl_ctx_st *ctx); /* NULL is fine */

#endif
