#ifndef CMD_KEY_H
#define CMD_KEY_H
/* Private keys as the offline verbs use them: in a file, or in a token. */
#include "base/secret.h"
#include "ca/authority.h"
#include "cmd/cmd.h"
#include "crypto/key.h"
#include "crypto/pkcs11.h"

struct cmd_key {
    struct crypto_key *soft; /* owned; NULL when the key is in a token or elsewhere */
    struct ca_authority_key use;
};

void cmd_key_done(struct cmd_key *k);
/* "p256", "p384", "p521", "rsa:3072", "ed25519". */
LT_MUST_USE lt_res cmd_key_generate(const char *type, struct cmd_key *ret_key);
/* The first private key of a PEM file. */
LT_MUST_USE lt_res cmd_key_load(struct lt_arena *a, const char *path, const struct lt_secret *passphrase,
                                struct cmd_key *ret_key);
/* Takes over a key. */
void cmd_key_wrap(struct crypto_key *soft, struct cmd_key *ret_key);
/* The key that the URI names in the token; made there when there is none and type is not NULL. The module
 * must outlive it. */
LT_MUST_USE lt_res cmd_key_token(struct crypto_pkcs11 *module, const char *uri, const char *type,
                                 struct cmd_key *ret_key);
/* Of the key files: --passphrase-file, else the systemd credential "lintel-passphrase", else as configured.
 */
LT_MUST_USE lt_res cmd_passphrase(struct cmd *c, const char *folder, const char *configured,
                                  struct lt_secret *ret_secret);
LT_MUST_USE lt_res cmd_secret_file(const char *path, struct lt_secret *ret_secret);

#endif
