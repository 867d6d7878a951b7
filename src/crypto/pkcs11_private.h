#ifndef CRYPTO_PKCS11_PRIVATE_H
#define CRYPTO_PKCS11_PRIVATE_H
/* Inside crypto/pkcs11*.c: the module, its tokens, its keys. */
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "base/secret.h"
#include "crypto/pkcs11.h"

enum { PKCS11_SLOTS_MAX = 64, PKCS11_KEYS_MAX = 256, PKCS11_URI_MAX = 512, PKCS11_ID_LEN = 16 };

/* A token that is in use: one session, logged in. */
struct pkcs11_token {
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* CK_INVALID_HANDLE: none */
};

struct crypto_pkcs11_key {
    struct crypto_pkcs11 *module; /* borrowed: its owner */
    char uri[PKCS11_URI_MAX];
    struct pkcs11_token *token;
    CK_OBJECT_HANDLE object; /* CK_INVALID_HANDLE: look for it again */
    enum crypto_key_type type;
    uint8_t *spki; /* owned; NULL: unknown */
    size_t spki_len;
};

struct crypto_pkcs11 {
    CK_FUNCTION_LIST *f; /* of the loaded module */
    struct lt_secret pin;
    bool pin_refused;
    struct pkcs11_token tokens[PKCS11_SLOTS_MAX];
    size_t token_count;
    struct crypto_pkcs11_key *keys[PKCS11_KEYS_MAX]; /* owned */
    size_t key_count;
};

/* A failure of the module as a result: which call, and what it said. */
lt_res pkcs11_fail(const char *call, CK_RV rv);
#define PKCS11_TRY(call_, rv_)                       \
    do {                                             \
        CK_RV pkcs11_rv_ = (rv_);                    \
        if (pkcs11_rv_ != CKR_OK) {                  \
            return pkcs11_fail((call_), pkcs11_rv_); \
        }                                            \
    } while (0)

/* The token that the URI names, with a session that is logged in; for_writing: one that may make objects. */
LT_MUST_USE lt_res pkcs11_use_token(struct crypto_pkcs11 *m, P11KitUri *uri, bool for_writing,
                                    struct pkcs11_token **ret_token);
void pkcs11_forget_session(struct crypto_pkcs11 *m, struct pkcs11_token *t);
LT_MUST_USE lt_res pkcs11_parse_uri(const char *text, P11KitUri **ret_uri);
/* One object of that class by the URI's object and id; LT_PEER_NOT_FOUND, LT_PEER_CONFLICT. */
LT_MUST_USE lt_res pkcs11_find_object(struct crypto_pkcs11 *m, const struct pkcs11_token *t, P11KitUri *uri,
                                      CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *ret_object);
/* Looks the key up (again): token, session, object. */
LT_MUST_USE lt_res pkcs11_locate(struct crypto_pkcs11_key *key);
/* Kind of the private key, and the SubjectPublicKeyInfo where the token has it. */
LT_MUST_USE lt_res pkcs11_describe(struct crypto_pkcs11_key *key);
/* OBJECT IDENTIFIER of the curve, whole TLV; empty for a type that is no curve. */
lt_slice pkcs11_curve(enum crypto_key_type type);

#endif
