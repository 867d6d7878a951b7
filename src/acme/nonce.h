#ifndef ACME_NONCE_H
#define ACME_NONCE_H
/* Anti-replay nonces without a database write (RFC 8555 6.5). A nonce is a counter and an AES-256-GCM tag
 * over {host, boot epoch, counter} under a key that lives only in this process: whoever starts again knows
 * none of the old ones. Redeemed once, in a window over the last ACME_NONCE_WINDOW that were drawn. One
 * thread. */
#include "base/slice.h"

enum { ACME_NONCE_WINDOW = 1 << 20, ACME_NONCE_TEXT = 33 };

struct acme_nonces; /* one owner */

LT_MUST_USE lt_res acme_nonces_new(const char *host_id, lt_slice boot_epoch,
                                   void (*random)(uint8_t *out, size_t len), struct acme_nonces **ret_nonces);
void acme_nonces_free(struct acme_nonces *n);
/* NUL-terminated. */
void acme_nonce_draw(struct acme_nonces *n, char ret_text[ACME_NONCE_TEXT]);
/* LT_PEER_BAD_NONCE: not ours, fallen out of the window, or used before. */
LT_MUST_USE lt_res acme_nonce_redeem(struct acme_nonces *n, lt_slice text);

#endif
