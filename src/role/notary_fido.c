/* See notary_fido.h. Neither function touches a device: libfido2 is used for what it knows of the format.
 *
 * libcbor 0.8 below it makes room for as many members as the first bytes of a map or an array promise: a few
 * bytes of a stranger take gigabytes. So it sees nothing but keys of a shape that was looked at before, and
 * no extensions. */
#include "role/notary_fido.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <string.h>

#include "crypto/digest.h"
#include "x509/spki.h"

enum { SPKI_MAX = 512, POINT_MAX = 65, P256_LEN = 64, ED25519_LEN = 32, RSA_N_LEN = 256, RSA_E_LEN = 3 };
enum { FLAG_PRESENT = 0x01, FLAG_VERIFIED = 0x04, FLAG_CREDENTIAL = 0x40, FLAG_EXTENSIONS = 0x80 };
/* rpIdHash, flags, signCount; AAGUID, length of the id. */
enum {
    FLAGS_AT = 32,
    HEAD_LEN = 37,
    ID_LEN_AT = 53,
    ID_AT = 55,
    ID_MAX = 1023,
    DATA_MAX = 2048,
    SHAPE_PARTS = 2
};

/* WebAuthn 2, 6.5.1.1 "The credential public key encoded in COSE_Key format"
 * in the canonical form of CTAP2: one sequence of bytes for each key. Known bytes, then so many of the key's;
 * twice. */
static const struct {
    int cose;
    const char *alg;
    enum x509_key_type type;
    size_t len; /* as libfido2 hands it out */
    struct {
        lt_slice known;
        size_t key;
    } shape[SHAPE_PARTS];
} kinds[] = {
    {COSE_ES256,
     "ES256",
     X509_KEY_P256,
     P256_LEN,
     {{LT_LIT("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), 32}, {LT_LIT("\x22\x58\x20"), 32}}},
    {COSE_EDDSA,
     "EdDSA",
     X509_KEY_ED25519,
     ED25519_LEN,
     {{LT_LIT("\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"), 32}, {LT_LIT(""), 0}}},
    {COSE_RS256,
     "RS256",
     X509_KEY_RSA,
     RSA_N_LEN + RSA_E_LEN,
     {{LT_LIT("\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00"), RSA_N_LEN},
      {LT_LIT("\x21\x43\x01\x00\x01"), 0}}},
};

void notary_fido_start(void)
{
    fido_init(0);
}

/* ---- a new one ---- */

static lt_res write_spki(size_t kind, const uint8_t *key, struct lt_arena *a, lt_slice *ret_spki)
{
    uint8_t point[POINT_MAX] = {4};
    struct x509_spki s = {.type = kinds[kind].type};
    switch (kinds[kind].cose) {
    case COSE_ES256:
        memcpy(point + 1, key, P256_LEN);
        s.point = LT_SLICE(point, 1 + P256_LEN);
        break;
    case COSE_EDDSA:
        s.point = LT_SLICE(key, ED25519_LEN);
        break;
    default: /* RS256: the table has no more */
        s.modulus = LT_SLICE(key, RSA_N_LEN);
        s.exponent = LT_SLICE(key + RSA_N_LEN, RSA_E_LEN);
        break;
    }
    struct der_writer w;
    struct lt_buf der;
    lt_buf_init(&der, SPKI_MAX);
    der_write_init(&w, &der);
    x509_spki_write(&w, &s);
    lt_res r = der_write_done(&w);
    *ret_spki = lt_arena_copy(a, lt_buf_slice(&der));
    lt_buf_done(&der);
    LT_TRY(r);
    LT_CHECK(ret_spki->ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res take_new(const fido_cred_t *c, size_t kind, const char *rp, struct lt_arena *a,
                       struct notary_fido_new *ret_new)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(lt_slice_cstr(rp), hash);
    lt_slice raw = LT_SLICE(fido_cred_authdata_raw_ptr(c), fido_cred_authdata_raw_len(c));
    LT_CHECK(lt_slice_eq(lt_slice_sub(raw, 0, sizeof hash), LT_SLICE(hash, sizeof hash)), LT_PEER_MALFORMED,
             "the passkey was made for another site");
    unsigned flags = fido_cred_flags(c);
    LT_CHECK((flags & FLAG_PRESENT) != 0 && (flags & FLAG_VERIFIED) != 0, LT_PEER_MALFORMED,
             "the passkey has not verified who made it");
    LT_CHECK(fido_cred_pubkey_len(c) == kinds[kind].len, LT_PEER_MALFORMED, "a key of another length");
    LT_TRY(write_spki(kind, fido_cred_pubkey_ptr(c), a, &ret_new->spki));
    ret_new->credential_id = lt_arena_copy(a, LT_SLICE(fido_cred_id_ptr(c), fido_cred_id_len(c)));
    LT_CHECK(ret_new->credential_id.ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ret_new->alg = kinds[kind].alg;
    ret_new->sign_count = fido_cred_sigcount(c);
    return LT_OK;
}

/* Where the key of that kind ends; 0: it is none of that kind. */
static size_t key_end(lt_slice data, size_t at, size_t kind)
{
    for (size_t i = 0; i < SHAPE_PARTS; i++) {
        lt_slice known = kinds[kind].shape[i].known;
        size_t len = known.len + kinds[kind].shape[i].key;
        if (data.len - at < len || !lt_slice_starts(lt_slice_sub(data, at, SIZE_MAX), known)) {
            return 0;
        }
        at += len;
    }
    return at;
}

static size_t key_begin(lt_slice data)
{
    if (data.len < ID_AT || data.len > DATA_MAX || (data.ptr[FLAGS_AT] & FLAG_CREDENTIAL) == 0) {
        return 0;
    }
    size_t id_len = (size_t)data.ptr[ID_LEN_AT] << 8 | data.ptr[ID_LEN_AT + 1];
    return id_len == 0 || id_len > ID_MAX || id_len > data.len - ID_AT ? 0 : ID_AT + id_len;
}

/* What stands behind the key are extensions that nobody asked for; where there are none, nothing does. */
static lt_res read_as(lt_slice data, size_t kind, const char *rp, struct lt_arena *a,
                      struct notary_fido_new *ret_new)
{
    uint8_t plain[DATA_MAX];
    memcpy(plain, data.ptr, data.len);
    plain[FLAGS_AT] &= (uint8_t)~FLAG_EXTENSIONS;
    fido_cred_t *c = fido_cred_new();
    LT_ASSERT(c != NULL);
    bool good = fido_cred_set_type(c, kinds[kind].cose) == FIDO_OK &&
                fido_cred_set_authdata_raw(c, plain, data.len) == FIDO_OK;
    lt_res r = good ? take_new(c, kind, rp, a, ret_new)
                    : lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "authenticator data that does not read");
    fido_cred_free(&c);
    return r;
}

lt_res notary_fido_read(lt_slice data, const char *rp, struct lt_arena *a, struct notary_fido_new *ret_new)
{
    size_t begin = key_begin(data);
    LT_CHECK(begin > 0, LT_PEER_MALFORMED, "authenticator data without a credential");
    for (size_t kind = 0; kind < LT_COUNT(kinds); kind++) {
        size_t end = key_end(data, begin, kind);
        if (end > 0) {
            bool extended = (data.ptr[FLAGS_AT] & FLAG_EXTENSIONS) != 0;
            LT_CHECK(extended == (end < data.len), LT_PEER_MALFORMED, "authenticator data of another length");
            return read_as(lt_slice_sub(data, 0, end), kind, rp, a, ret_new);
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "no authenticator data of a key by ES256, EdDSA or RS256");
}

/* ---- an answer ---- */

static bool verify_es256(const fido_assert_t *a, const struct x509_spki *s)
{
    es256_pk_t *pk = es256_pk_new();
    LT_ASSERT(pk != NULL);
    bool good = s->point.len == POINT_MAX && es256_pk_from_ptr(pk, s->point.ptr, s->point.len) == FIDO_OK &&
                fido_assert_verify(a, 0, COSE_ES256, pk) == FIDO_OK;
    es256_pk_free(&pk);
    return good;
}

static bool verify_eddsa(const fido_assert_t *a, const struct x509_spki *s)
{
    eddsa_pk_t *pk = eddsa_pk_new();
    LT_ASSERT(pk != NULL);
    bool good = s->point.len == ED25519_LEN && eddsa_pk_from_ptr(pk, s->point.ptr, s->point.len) == FIDO_OK &&
                fido_assert_verify(a, 0, COSE_EDDSA, pk) == FIDO_OK;
    eddsa_pk_free(&pk);
    return good;
}

static bool verify_rs256(const fido_assert_t *a, const struct x509_spki *s)
{
    uint8_t key[RSA_N_LEN + RSA_E_LEN];
    rs256_pk_t *pk = rs256_pk_new();
    LT_ASSERT(pk != NULL);
    bool good = s->modulus.len == RSA_N_LEN && s->exponent.len == RSA_E_LEN;
    if (good) {
        memcpy(key, s->modulus.ptr, RSA_N_LEN);
        memcpy(key + RSA_N_LEN, s->exponent.ptr, RSA_E_LEN);
        good = rs256_pk_from_ptr(pk, key, sizeof key) == FIDO_OK &&
               fido_assert_verify(a, 0, COSE_RS256, pk) == FIDO_OK;
    }
    rs256_pk_free(&pk);
    return good;
}

static bool verify_with(const fido_assert_t *a, const struct x509_spki *s)
{
    return s->type == X509_KEY_P256      ? verify_es256(a, s)
           : s->type == X509_KEY_ED25519 ? verify_eddsa(a, s)
           : s->type == X509_KEY_RSA     ? verify_rs256(a, s)
                                         : false;
}

static bool fill(fido_assert_t *a, const char *rp, const Ipc__PasskeyAssertion *m)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(LT_SLICE(m->client_data.data, m->client_data.len), hash);
    return fido_assert_set_count(a, 1) == FIDO_OK &&
           fido_assert_set_clientdata_hash(a, hash, sizeof hash) == FIDO_OK &&
           fido_assert_set_rp(a, rp) == FIDO_OK && fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_uv(a, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_authdata_raw(a, 0, m->authenticator_data.data, m->authenticator_data.len) ==
               FIDO_OK &&
           fido_assert_set_sig(a, 0, m->signature.data, m->signature.len) == FIDO_OK;
}

lt_res notary_fido_verify(lt_slice spki, const char *rp, const Ipc__PasskeyAssertion *answer)
{
    struct x509_spki s;
    LT_TRY(x509_spki_parse(spki, &s));
    LT_CHECK(answer->authenticator_data.len >= HEAD_LEN, LT_PEER_UNAUTHORIZED,
             "authenticator data that is cut off");
    if (answer->authenticator_data.len > HEAD_LEN) {
        return LT_OK; /* extensions: the registrar judges alone */
    }
    fido_assert_t *a = fido_assert_new();
    LT_ASSERT(a != NULL);
    bool good = fill(a, rp, answer) && verify_with(a, &s);
    fido_assert_free(&a);
    LT_CHECK(good, LT_PEER_UNAUTHORIZED, "the passkey's answer does not verify");
    return LT_OK;
}
