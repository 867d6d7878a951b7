/* Private keys of the offline verbs. */
#include "cmd/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum { KEY_FILE_MAX = 64 * 1024, SECRET_MAX = 1024, RSA_BITS_DEFAULT = 3072 };

static lt_res sign_soft(void *self, lt_slice tbs, uint8_t *ret_signature, size_t *ret_len)
{
    struct crypto_key *key = self;
    return crypto_key_sign(key, crypto_alg_of_key(crypto_key_type(key)), tbs, ret_signature, ret_len);
}

void cmd_key_wrap(struct crypto_key *soft, struct cmd_key *ret_key)
{
    *ret_key = (struct cmd_key){
        .soft = soft,
        .use = {.self = soft, .sign = sign_soft, .spki = crypto_key_spki(soft)},
    };
}

void cmd_key_done(struct cmd_key *k)
{
    crypto_key_free(k->soft);
    *k = (struct cmd_key){.soft = NULL};
}

static lt_res parse_type(const char *type, enum crypto_key_type *ret_kind, unsigned *ret_bits)
{
    lt_slice text = lt_slice_cstr(type);
    lt_slice name = lt_slice_sub(text, 0, lt_slice_find(text, ':'));
    enum crypto_key_type kind = crypto_key_type_by_name(name);
    uint64_t bits = 0;
    bool sized = name.len < text.len;
    bool good = kind != CRYPTO_KEY_NONE && sized <= (kind == CRYPTO_KEY_RSA);
    if (good && kind == CRYPTO_KEY_RSA) {
        bits = RSA_BITS_DEFAULT;
        good = !sized || !lt_failed(lt_parse_u64(lt_slice_sub(text, name.len + 1, text.len),
                                                 CRYPTO_RSA_BITS_MAX, &bits));
    }
    LT_CHECK(good, LT_PEER_USAGE, "\"%.40s\" is no kind of key; write p256, p384, p521, rsa:3072 or ed25519",
             type);
    *ret_kind = kind;
    *ret_bits = (unsigned)bits;
    return LT_OK;
}

lt_res cmd_key_generate(const char *type, struct cmd_key *ret_key)
{
    enum crypto_key_type kind;
    unsigned bits;
    struct crypto_key *key = NULL;
    LT_TRY(parse_type(type, &kind, &bits));
    LT_TRY(crypto_key_generate(kind, bits, &key));
    cmd_key_wrap(key, ret_key);
    return LT_OK;
}

static lt_res sign_token(void *self, lt_slice tbs, uint8_t *ret_signature, size_t *ret_len)
{
    struct crypto_pkcs11_key *key = self;
    return crypto_pkcs11_sign(key, crypto_alg_of_key(crypto_pkcs11_type(key)), tbs, ret_signature, ret_len);
}

lt_res cmd_key_token(struct crypto_pkcs11 *module, const char *uri, const char *type, struct cmd_key *ret_key)
{
    enum crypto_key_type kind;
    unsigned bits;
    struct crypto_pkcs11_key *key = NULL;
    lt_res r = crypto_pkcs11_find(module, uri, &key);
    if (r.code == LT_PEER_NOT_FOUND && type != NULL) {
        LT_TRY(parse_type(type, &kind, &bits));
        r = crypto_pkcs11_generate(module, uri, kind, bits, &key);
    }
    LT_TRY(r);
    *ret_key = (struct cmd_key){.use = {.self = key, .sign = sign_token, .spki = crypto_pkcs11_spki(key)}};
    LT_CHECK(ret_key->use.spki.len > 0, LT_PEER_UNSUPPORTED,
             "%.100s: the token keeps no public key beside it", uri);
    return LT_OK;
}

lt_res cmd_secret_file(const char *path, struct lt_secret *ret_secret)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_USAGE, "%.150s: %s", path, strerror(errno));
    LT_TRY(lt_secret_from_fd(fd, SECRET_MAX, ret_secret));
    LT_CHECK(ret_secret->len > 0, LT_PEER_USAGE, "%.150s is empty", path);
    return LT_OK;
}

lt_res cmd_passphrase(struct cmd *c, const char *folder, const char *configured, struct lt_secret *ret_secret)
{
    const char *given = cmd_value(c, "passphrase-file");
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (given == NULL && credentials != NULL) {
        const char *path = lt_arena_printf(&c->arena, "%s/lintel-passphrase", credentials);
        given = path != NULL && access(path, R_OK) == 0 ? path : NULL;
    }
    if (given == NULL) {
        given = configured[0] == '/' ? configured : lt_arena_printf(&c->arena, "%s/%s", folder, configured);
    }
    LT_CHECK(given != NULL, LT_PEER_USAGE, "%s: the path is too long", folder);
    return cmd_secret_file(given, ret_secret);
}

lt_res cmd_key_load(struct lt_arena *a, const char *path, const struct lt_secret *passphrase,
                    struct cmd_key *ret_key)
{
    lt_slice pem;
    LT_TRY(lt_file_read(a, AT_FDCWD, path, KEY_FILE_MAX, &pem));
    struct crypto_key *key = NULL;
    LT_TRY(crypto_key_load(pem, lt_secret_slice(passphrase), &key));
    cmd_key_wrap(key, ret_key);
    return LT_OK;
}
