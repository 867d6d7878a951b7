#ifndef CMD_PERSPECTIVE_H
#define CMD_PERSPECTIVE_H
/* What the verbs of `lintel perspective` share. */
#include "cmd/cmd.h"
#include "crypto/key.h"
#include "validate/perspective_settings.h"

/* Makes a P-256 key in the file, readable by its owner alone; it must not be there. */
LT_MUST_USE lt_res perspective_key_make(int dir, const char *path, struct crypto_key **ret_key);
LT_MUST_USE lt_res perspective_key_read(struct cmd *c, int dir, const char *path,
                                        struct crypto_key **ret_key);
LT_MUST_USE lt_res perspective_settings_read(struct cmd *c, int dir,
                                             struct validate_perspective_settings *ret_settings);
static inline void perspective_key_freep(struct crypto_key **key)
{
    crypto_key_free(*key);
}

#endif
