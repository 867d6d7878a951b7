#ifndef VALIDATE_PERSPECTIVE_SETTINGS_H
#define VALIDATE_PERSPECTIVE_SETTINGS_H
/* A perspective's own folder: perspective.json says what it is and whom it answers, key.pem is its key,
 * lintel.yaml has the same section "validation" as that of a CA.
 *   {"name", "url", "rir", "latitude", "longitude", "resolver-…" as in validate/perspective.h,
 *    "listen": "0.0.0.0:9443", "clients": ["BASE64 of the DER of a courier's public key", …]}
 */
#include "validate/perspective.h"

#define VALIDATE_PERSPECTIVE_FILE "perspective.json"
#define VALIDATE_PERSPECTIVE_KEY "key.pem"
enum { VALIDATE_PERSPECTIVE_CLIENTS_MAX = 16, VALIDATE_PERSPECTIVE_SETTINGS_MAX = 16 * 1024 };

struct validate_perspective_settings {
    struct validate_perspective self; /* spki empty: it is the key's */
    const char *listen;
    lt_slice clients[VALIDATE_PERSPECTIVE_CLIENTS_MAX];
    size_t client_count;
};

/* Everything lives in the arena. */
LT_MUST_USE lt_res validate_perspective_settings_parse(struct lt_arena *a, lt_slice json,
                                                       struct validate_perspective_settings *ret_settings);
LT_MUST_USE lt_res validate_perspective_settings_print(const struct validate_perspective_settings *s,
                                                       struct lt_buf *out);

#endif
