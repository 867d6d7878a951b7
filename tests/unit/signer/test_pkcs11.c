/* Keys in a real token (SoftHSM): made, found, signing; what they sign verifies with OpenSSL. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/pkcs11.h"
#include "crypto/pkcs11_private.h"
#include "softhsm.h"

static struct softhsm hsm;

static struct crypto_pkcs11 *must_open(void)
{
    struct crypto_pkcs11 *m = NULL;
    assert_ok(crypto_pkcs11_open(SOFTHSM_MODULE, LT_LIT(SOFTHSM_PIN), &m));
    return m;
}

static void verifies(const struct crypto_pkcs11_key *key, const EVP_MD *md, lt_slice message,
                     lt_slice signature)
{
    lt_slice spki = crypto_pkcs11_spki(key);
    const uint8_t *p = spki.ptr;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
    assert_non_null(pkey);
    assert_ptr_equal(p, spki.ptr + spki.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey), 1);
    assert_int_equal(EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

static const struct {
    const char *uri;
    enum crypto_key_type type;
    unsigned bits;
    enum crypto_sig_alg alg;
    const EVP_MD *(*md)(void);
} kinds[] = {
    {"pkcs11:token=lintel;object=p256", CRYPTO_KEY_P256, 0, CRYPTO_ES256, EVP_sha256},
    {"pkcs11:token=lintel;object=p384;id=%01%02", CRYPTO_KEY_P384, 0, CRYPTO_ES384, EVP_sha384},
    {"pkcs11:token=lintel;object=p521", CRYPTO_KEY_P521, 0, CRYPTO_ES512, EVP_sha512},
    {"pkcs11:token=lintel;object=rsa", CRYPTO_KEY_RSA, 2048, CRYPTO_RS256, EVP_sha256},
    {"pkcs11:token=lintel;object=ed25519", CRYPTO_KEY_ED25519, 0, CRYPTO_EDDSA, NULL},
};

/* SoftHSM 2.6.1 leaks a few bytes whenever it uses an Ed25519 key. Weak: only a sanitizer has them. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void watch_leaks(bool yes)
{
    if (__lsan_disable != NULL && __lsan_enable != NULL) {
        (yes ? __lsan_enable : __lsan_disable)();
    }
}

static void makes_finds_and_signs(void **state)
{
    (void)state;
    static const uint8_t message[] = "to be signed";
    lt_slice text = LT_SLICE(message, sizeof message);
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        struct crypto_pkcs11 *m = must_open();
        struct crypto_pkcs11_key *made;
        struct crypto_pkcs11_key *found;
        assert_fails(crypto_pkcs11_find(m, kinds[i].uri, &found), LT_PEER_NOT_FOUND);
        if (kinds[i].type == CRYPTO_KEY_ED25519) {
            watch_leaks(false);
        }
        assert_ok(crypto_pkcs11_generate(m, kinds[i].uri, kinds[i].type, kinds[i].bits, &made));
        assert_int_equal(crypto_pkcs11_type(made), kinds[i].type);
        assert_fails(crypto_pkcs11_generate(m, kinds[i].uri, kinds[i].type, kinds[i].bits, &found),
                     LT_PEER_CONFLICT);
        assert_ok(crypto_pkcs11_find(m, kinds[i].uri, &found));
        assert_true(crypto_pkcs11_spki(made).len > 0);
        assert_true(lt_slice_eq(crypto_pkcs11_spki(made), crypto_pkcs11_spki(found)));
        for (int n = 0; n < 20; n++) {
            uint8_t signature[CRYPTO_SIGNATURE_MAX];
            size_t len;
            assert_ok(crypto_pkcs11_sign(n % 2 == 0 ? made : found, kinds[i].alg, text, signature, &len));
            verifies(made, kinds[i].md == NULL ? NULL : kinds[i].md(), text, LT_SLICE(signature, len));
        }
        if (kinds[i].type == CRYPTO_KEY_ED25519) {
            watch_leaks(true);
        }
        crypto_pkcs11_close(m);
    }
}

static void refuses_another_algorithm(void **state)
{
    (void)state;
    struct crypto_pkcs11 *m = must_open();
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        struct crypto_pkcs11_key *key;
        assert_ok(crypto_pkcs11_find(m, kinds[i].uri, &key));
        for (size_t k = 0; k < LT_COUNT(kinds); k++) {
            if (k != i) {
                assert_fails(crypto_pkcs11_sign(key, kinds[k].alg, LT_LIT("x"), signature, &len),
                             LT_PEER_UNSUPPORTED);
            }
        }
        assert_fails(crypto_pkcs11_sign(key, (enum crypto_sig_alg)99, LT_LIT("x"), signature, &len),
                     LT_PEER_UNSUPPORTED);
    }
    crypto_pkcs11_close(m);
}

static void comes_back_after_a_lost_session(void **state)
{
    (void)state;
    struct crypto_pkcs11 *m = must_open();
    struct crypto_pkcs11_key *first;
    struct crypto_pkcs11_key *second;
    assert_ok(crypto_pkcs11_find(m, kinds[0].uri, &first));
    assert_ok(crypto_pkcs11_find(m, kinds[1].uri, &second));
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    assert_int_equal(m->f->C_CloseAllSessions(m->tokens[0].slot), CKR_OK); /* and with them the login */
    assert_ok(crypto_pkcs11_sign(first, CRYPTO_ES256, LT_LIT("x"), signature, &len));
    verifies(first, EVP_sha256(), LT_LIT("x"), LT_SLICE(signature, len));
    assert_ok(crypto_pkcs11_sign(second, CRYPTO_ES384, LT_LIT("x"), signature, &len));
    verifies(second, EVP_sha384(), LT_LIT("x"), LT_SLICE(signature, len));
    assert_int_equal(m->f->C_Logout(m->tokens[0].session), CKR_OK);
    assert_ok(crypto_pkcs11_sign(second, CRYPTO_ES384, LT_LIT("x"), signature, &len));
    crypto_pkcs11_close(m);
}

static void a_key_that_is_gone(void **state)
{
    (void)state;
    struct crypto_pkcs11 *m = must_open();
    struct crypto_pkcs11_key *key;
    assert_ok(crypto_pkcs11_generate(m, "pkcs11:token=lintel;object=short", CRYPTO_KEY_P256, 0, &key));
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    P11KitUri *uri;
    struct pkcs11_token *token;
    CK_OBJECT_HANDLE object;
    assert_ok(pkcs11_parse_uri("pkcs11:token=lintel;object=short", &uri));
    assert_ok(pkcs11_use_token(m, uri, true, &token));
    assert_ok(pkcs11_find_object(m, token, uri, CKO_PRIVATE_KEY, &object));
    assert_int_equal(m->f->C_DestroyObject(token->session, object), CKR_OK);
    p11_kit_uri_free(uri);
    assert_fails(crypto_pkcs11_sign(key, CRYPTO_ES256, LT_LIT("x"), signature, &len), LT_PEER_NOT_FOUND);
    crypto_pkcs11_close(m);
}

static void refuses_uris(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int code;
    } rows[] = {
        {"", LT_PEER_USAGE},
        {"object=p256", LT_PEER_USAGE},
        {"pkcs11:token=lintel;object=%zz", LT_PEER_USAGE},
        {"pkcs11:token=lintel;frobnicate=p256", LT_PEER_USAGE},
        {"pkcs11:token=another;object=p256", LT_RETRY_UNAVAILABLE},
        {"pkcs11:object=p256", LT_PEER_CONFLICT}, /* two tokens are there */
        {"pkcs11:token=lintel", LT_PEER_CONFLICT},
        {"pkcs11:token=lintel;object=none", LT_PEER_NOT_FOUND},
        {"pkcs11:token=lintel;object=p384;id=%09", LT_PEER_NOT_FOUND},
    };
    softhsm_add_token("second");
    struct crypto_pkcs11 *m = must_open();
    struct crypto_pkcs11_key *key;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_fails(crypto_pkcs11_find(m, rows[i].uri, &key), rows[i].code);
    }
    char long_uri[PKCS11_URI_MAX + 40];
    memset(long_uri, 'a', sizeof long_uri);
    memcpy(long_uri, "pkcs11:object=", 14);
    long_uri[sizeof long_uri - 1] = 0;
    assert_fails(crypto_pkcs11_find(m, long_uri, &key), LT_PEER_USAGE);
    static const struct {
        const char *uri;
        enum crypto_key_type type;
        unsigned bits;
        int code;
    } makes[] = {
        {"pkcs11:token=lintel", CRYPTO_KEY_P256, 0, LT_PEER_CONFLICT}, /* some key fits it */
        {"pkcs11:token=second", CRYPTO_KEY_P256, 0, LT_PEER_USAGE},
        {"pkcs11:token=lintel;object=new", CRYPTO_KEY_P256, 2048, LT_PEER_USAGE},
        {"pkcs11:token=lintel;object=new", CRYPTO_KEY_RSA, 0, LT_PEER_USAGE},
        {"pkcs11:token=lintel;object=new", CRYPTO_KEY_RSA, 1024, LT_PEER_USAGE},
        {"pkcs11:token=lintel;object=new", CRYPTO_KEY_NONE, 0, LT_PEER_USAGE},
    };
    for (size_t i = 0; i < LT_COUNT(makes); i++) {
        assert_fails(crypto_pkcs11_generate(m, makes[i].uri, makes[i].type, makes[i].bits, &key),
                     makes[i].code);
    }
    crypto_pkcs11_close(m);
}

/* A token locks itself after a few wrong PINs: one is all that we spend. */
static void a_wrong_pin_is_tried_once(void **state)
{
    (void)state;
    struct crypto_pkcs11 *m;
    struct crypto_pkcs11_key *key;
    assert_ok(crypto_pkcs11_open(SOFTHSM_MODULE, LT_LIT("9999"), &m));
    for (int i = 0; i < 20; i++) {
        assert_fails(crypto_pkcs11_find(m, kinds[0].uri, &key), LT_PEER_UNAUTHORIZED);
    }
    assert_non_null(strstr(lt_error_last()->detail, "not tried again"));
    crypto_pkcs11_close(m);
    m = must_open();
    assert_ok(crypto_pkcs11_find(m, kinds[0].uri, &key));
    crypto_pkcs11_close(m);
}

static void refuses_modules(void **state)
{
    (void)state;
    static const char *const modules[] = {"libsofthsm2.so", "/no/such/module.so", "/etc/passwd",
                                          "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"};
    struct crypto_pkcs11 *m;
    for (size_t i = 0; i < LT_COUNT(modules); i++) {
        assert_fails(crypto_pkcs11_open(modules[i], LT_LIT("1"), &m), LT_PEER_USAGE);
    }
}

static int setup(void **state)
{
    (void)state;
    softhsm_new(&hsm, "lintel");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    softhsm_done(&hsm);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_finds_and_signs),
        cmocka_unit_test(refuses_another_algorithm),
        cmocka_unit_test(comes_back_after_a_lost_session),
        cmocka_unit_test(a_key_that_is_gone),
        cmocka_unit_test(refuses_uris),
        cmocka_unit_test(a_wrong_pin_is_tried_once),
        cmocka_unit_test(refuses_modules),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
