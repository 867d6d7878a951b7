/* A PKCS #11 module: loading, tokens and sessions, finding keys. */
#include "crypto/pkcs11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/pkcs11_private.h"

lt_res pkcs11_fail(const char *call, CK_RV rv)
{
    const char *what = p11_kit_strerror(rv);
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_LOCKED:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        LT_FAIL(LT_PEER_UNAUTHORIZED, "PKCS #11 %s: %s", call, what);
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_KEY_SIZE_RANGE:
    case CKR_TOKEN_WRITE_PROTECTED:
        LT_FAIL(LT_PEER_UNSUPPORTED, "PKCS #11 %s: %s", call, what);
    default:
        LT_FAIL(LT_RETRY_UNAVAILABLE, "PKCS #11 %s: %s (0x%lx)", call, what, (unsigned long)rv);
    }
}

lt_res pkcs11_parse_uri(const char *text, P11KitUri **ret_uri)
{
    P11KitUri *uri = p11_kit_uri_new();
    LT_ASSERT(uri != NULL);
    int rc = p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, uri);
    if (rc != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri) || strlen(text) >= PKCS11_URI_MAX) {
        p11_kit_uri_free(uri);
        LT_FAIL(LT_PEER_USAGE, "'%.100s' is no PKCS #11 URI such as pkcs11:token=lintel;object=tls", text);
    }
    *ret_uri = uri;
    return LT_OK;
}

lt_res crypto_pkcs11_open(const char *module, lt_slice pin, struct crypto_pkcs11 **ret_module)
{
    LT_CHECK(module[0] == '/', LT_PEER_USAGE, "%s: write the absolute path of the PKCS #11 module", module);
    /* Unmanaged: the module's own functions, without wrappers that p11-kit would make at run time. */
    CK_FUNCTION_LIST *f = p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED);
    LT_CHECK(f != NULL, LT_PEER_USAGE, "%s: cannot be loaded as a PKCS #11 module", module);
    CK_RV rv = p11_kit_module_initialize(f);
    if (rv != CKR_OK) {
        p11_kit_module_release(f);
        LT_FAIL(LT_PEER_USAGE, "%s: does not start: %s", module, p11_kit_strerror(rv));
    }
    struct crypto_pkcs11 *m = calloc(1, sizeof *m);
    LT_ASSERT(m != NULL);
    m->f = f;
    lt_res r = lt_secret_new(pin, &m->pin);
    if (lt_failed(r)) {
        crypto_pkcs11_close(m);
        return r;
    }
    *ret_module = m;
    return LT_OK;
}

void crypto_pkcs11_close(struct crypto_pkcs11 *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->token_count; i++) {
        pkcs11_forget_session(m, &m->tokens[i]);
    }
    for (size_t i = 0; i < m->key_count; i++) {
        free(m->keys[i]->spki);
        free(m->keys[i]);
    }
    (void)p11_kit_module_finalize(m->f); /* nothing is left to be said to it */
    p11_kit_module_release(m->f);
    lt_secret_done(&m->pin);
    free(m);
}

void crypto_pkcs11_closep(struct crypto_pkcs11 **module)
{
    crypto_pkcs11_close(*module);
    *module = NULL;
}

void pkcs11_forget_session(struct crypto_pkcs11 *m, struct pkcs11_token *t)
{
    if (t->session != CK_INVALID_HANDLE) {
        (void)m->f->C_CloseSession(t->session); /* it may be gone already */
        t->session = CK_INVALID_HANDLE;
    }
    for (size_t i = 0; i < m->key_count; i++) {
        if (m->keys[i]->token == t) {
            m->keys[i]->object = CK_INVALID_HANDLE; /* handles may mean other objects after another login */
        }
    }
}

/* The one slot whose token the URI names. */
static lt_res find_slot(struct crypto_pkcs11 *m, P11KitUri *uri, CK_SLOT_ID *ret_slot)
{
    CK_SLOT_ID slots[PKCS11_SLOTS_MAX];
    CK_ULONG count = PKCS11_SLOTS_MAX;
    PKCS11_TRY("C_GetSlotList", m->f->C_GetSlotList(CK_TRUE, slots, &count));
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    size_t found = 0;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        bool fits = m->f->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
                    p11_kit_uri_match_token_info(uri, &info) &&
                    (wanted == (CK_SLOT_ID)-1 || wanted == slots[i]) &&
                    (info.flags & CKF_TOKEN_INITIALIZED) != 0;
        if (fits) {
            *ret_slot = slots[i];
            found++;
        }
    }
    LT_CHECK(found != 0, LT_RETRY_UNAVAILABLE, "the PKCS #11 token that the URI names is not there");
    LT_CHECK(found == 1, LT_PEER_CONFLICT, "the PKCS #11 URI fits %zu tokens: name the token", found);
    return LT_OK;
}

static lt_res log_in(struct crypto_pkcs11 *m, CK_SESSION_HANDLE session)
{
    LT_CHECK(!m->pin_refused, LT_PEER_UNAUTHORIZED,
             "the token refused the PIN before; it is not tried again, tokens lock themselves");
    CK_RV rv = m->f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)m->pin.ptr, m->pin.len);
    if (rv == CKR_USER_ALREADY_LOGGED_IN) {
        return LT_OK;
    }
    lt_res r = rv == CKR_OK ? LT_OK : pkcs11_fail("C_Login", rv);
    m->pin_refused = r.code == LT_PEER_UNAUTHORIZED;
    return r;
}

static lt_res open_session(struct crypto_pkcs11 *m, struct pkcs11_token *t, bool for_writing)
{
    if (t->session != CK_INVALID_HANDLE && !for_writing) {
        return LT_OK;
    }
    pkcs11_forget_session(m, t);
    CK_FLAGS flags = CKF_SERIAL_SESSION | (for_writing ? CKF_RW_SESSION : 0);
    CK_SESSION_HANDLE session;
    PKCS11_TRY("C_OpenSession", m->f->C_OpenSession(t->slot, flags, NULL, NULL, &session));
    lt_res r = log_in(m, session);
    if (lt_failed(r)) {
        (void)m->f->C_CloseSession(session); /* the failure counts */
        return r;
    }
    t->session = session;
    return LT_OK;
}

lt_res pkcs11_use_token(struct crypto_pkcs11 *m, P11KitUri *uri, bool for_writing,
                        struct pkcs11_token **ret_token)
{
    CK_SLOT_ID slot;
    LT_TRY(find_slot(m, uri, &slot));
    struct pkcs11_token *t = m->tokens;
    while (t < m->tokens + m->token_count && t->slot != slot) {
        t++;
    }
    if (t == m->tokens + m->token_count) {
        LT_CHECK(m->token_count < PKCS11_SLOTS_MAX, LT_PEER_USAGE, "too many PKCS #11 tokens");
        m->token_count++;
        *t = (struct pkcs11_token){.slot = slot, .session = CK_INVALID_HANDLE};
    }
    *ret_token = t;
    return open_session(m, t, for_writing);
}

lt_res pkcs11_find_object(struct crypto_pkcs11 *m, const struct pkcs11_token *t, P11KitUri *uri,
                          CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *ret_object)
{
    CK_ATTRIBUTE search[3] = {{CKA_CLASS, &class, sizeof class}};
    CK_ULONG count = 1;
    static const CK_ATTRIBUTE_TYPE by[] = {CKA_LABEL, CKA_ID};
    for (size_t i = 0; i < LT_COUNT(by); i++) {
        const CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(uri, by[i]);
        if (a != NULL) {
            search[count++] = *a;
        }
    }
    CK_OBJECT_HANDLE found[2];
    CK_ULONG found_count = 0;
    PKCS11_TRY("C_FindObjectsInit", m->f->C_FindObjectsInit(t->session, search, count));
    CK_RV rv = m->f->C_FindObjects(t->session, found, LT_COUNT(found), &found_count);
    (void)m->f->C_FindObjectsFinal(t->session); /* what was found counts */
    PKCS11_TRY("C_FindObjects", rv);
    LT_CHECK(found_count != 0, LT_PEER_NOT_FOUND, "the token has no such key");
    LT_CHECK(found_count == 1, LT_PEER_CONFLICT, "the PKCS #11 URI fits several keys: name object or id");
    *ret_object = found[0];
    return LT_OK;
}

lt_res pkcs11_locate(struct crypto_pkcs11_key *key)
{
    P11KitUri *uri;
    LT_TRY(pkcs11_parse_uri(key->uri, &uri));
    lt_res r = pkcs11_use_token(key->module, uri, false, &key->token);
    if (!lt_failed(r)) {
        r = pkcs11_find_object(key->module, key->token, uri, CKO_PRIVATE_KEY, &key->object);
    }
    p11_kit_uri_free(uri);
    return r;
}

lt_res crypto_pkcs11_find(struct crypto_pkcs11 *m, const char *uri, struct crypto_pkcs11_key **ret_key)
{
    LT_CHECK(m->key_count < PKCS11_KEYS_MAX, LT_PEER_USAGE, "too many PKCS #11 keys");
    struct crypto_pkcs11_key *key = calloc(1, sizeof *key);
    LT_ASSERT(key != NULL);
    key->module = m;
    (void)snprintf(key->uri, sizeof key->uri, "%s", uri); /* a longer one does not parse */
    lt_res r = strlen(uri) < sizeof key->uri
                   ? pkcs11_locate(key)
                   : lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "a PKCS #11 URI is too long");
    if (!lt_failed(r)) {
        r = pkcs11_describe(key);
    }
    if (lt_failed(r)) {
        free(key->spki);
        free(key);
        return r;
    }
    m->keys[m->key_count++] = key;
    *ret_key = key;
    return LT_OK;
}

enum crypto_key_type crypto_pkcs11_type(const struct crypto_pkcs11_key *key)
{
    return key->type;
}

lt_slice crypto_pkcs11_spki(const struct crypto_pkcs11_key *key)
{
    return LT_SLICE(key->spki, key->spki_len);
}
