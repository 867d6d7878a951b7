/* OpenSSH's own form of a private key, unencrypted. */
#include <string.h>

#include "crypto/found.h"

/* What is left; a failed read leaves `bad` set and gives empty values. */
struct reader {
    lt_slice rest;
    bool bad;
};

static uint32_t read_u32(struct reader *r)
{
    if (r->bad || r->rest.len < 4) {
        r->bad = true;
        return 0;
    }
    const uint8_t *p = r->rest.ptr;
    uint32_t v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    r->rest = lt_slice_sub(r->rest, 4, SIZE_MAX);
    return v;
}

static lt_slice read_string(struct reader *r)
{
    uint32_t len = read_u32(r);
    if (r->bad || len > r->rest.len) {
        r->bad = true;
        return LT_SLICE(NULL, 0);
    }
    lt_slice s = lt_slice_sub(r->rest, 0, len);
    r->rest = lt_slice_sub(r->rest, len, SIZE_MAX);
    return s;
}

static lt_res read_rsa(struct reader *r, struct lt_arena *a, struct crypto_found *ret)
{
    struct crypto_found_rsa f;
    f.n = read_string(r);
    f.e = read_string(r);
    f.d = read_string(r);
    (void)read_string(r); /* q^-1 mod p */
    f.p = read_string(r);
    f.q = read_string(r);
    LT_CHECK(!r->bad, LT_PEER_MALFORMED, "an OpenSSH key that ends too early");
    return crypto_found_from_rsa(&f, a, ret);
}

static lt_res read_ec(struct reader *r, enum x509_key_type type, struct lt_arena *a, struct crypto_found *ret)
{
    (void)read_string(r); /* name of the curve once more */
    (void)read_string(r); /* public point: may be anybody's */
    lt_slice d = read_string(r);
    LT_CHECK(!r->bad, LT_PEER_MALFORMED, "an OpenSSH key that ends too early");
    while (d.len > 0 && d.ptr[0] == 0) {
        d = lt_slice_sub(d, 1, SIZE_MAX);
    }
    return crypto_found_from_ec(type, d, a, ret);
}

static lt_res read_key(struct reader *r, struct lt_arena *a, struct crypto_found *ret)
{
    static const struct {
        const char *name;
        enum x509_key_type type;
    } kinds[] = {{"ssh-rsa", X509_KEY_RSA},
                 {"ssh-ed25519", X509_KEY_ED25519},
                 {"ecdsa-sha2-nistp256", X509_KEY_P256},
                 {"ecdsa-sha2-nistp384", X509_KEY_P384},
                 {"ecdsa-sha2-nistp521", X509_KEY_P521}};
    lt_slice name = read_string(r);
    enum x509_key_type type = X509_KEY_UNKNOWN;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        type = lt_slice_eq_cstr(name, kinds[i].name) ? kinds[i].type : type;
    }
    LT_CHECK(type != X509_KEY_UNKNOWN, LT_PEER_UNSUPPORTED,
             "an OpenSSH key of a kind that is not known here");
    if (type == X509_KEY_RSA) {
        return read_rsa(r, a, ret);
    }
    if (type != X509_KEY_ED25519) {
        return read_ec(r, type, a, ret);
    }
    (void)read_string(r); /* public key */
    lt_slice both = read_string(r);
    LT_CHECK(!r->bad && both.len == 64, LT_PEER_MALFORMED, "an OpenSSH key that ends too early");
    return crypto_found_from_ed25519(lt_slice_sub(both, 0, 32), a, ret);
}

lt_res crypto_found_openssh(lt_slice bytes, struct lt_arena *a, struct crypto_found *ret_found)
{
    static const char magic[] = "openssh-key-v1"; /* with its NUL */
    const lt_slice head = LT_SLICE(magic, sizeof magic);
    LT_CHECK(lt_slice_starts(bytes, head), LT_PEER_NOT_FOUND, "no OpenSSH key");
    struct reader r = {lt_slice_sub(bytes, head.len, SIZE_MAX), false};
    lt_slice cipher = read_string(&r);
    (void)read_string(&r); /* how the passphrase is stretched */
    (void)read_string(&r);
    uint32_t count = read_u32(&r);
    (void)read_string(&r); /* public key */
    lt_slice secret = read_string(&r);
    LT_CHECK(!r.bad && count == 1, LT_PEER_MALFORMED, "an OpenSSH key that ends too early");
    LT_CHECK(lt_slice_eq_cstr(cipher, "none"), LT_PEER_UNSUPPORTED, "an OpenSSH key under a passphrase");
    struct reader inner = {secret, false};
    uint32_t check = read_u32(&inner);
    LT_CHECK(check == read_u32(&inner) && !inner.bad, LT_PEER_MALFORMED, "an OpenSSH key that is damaged");
    ret_found->form = "OpenSSH";
    return read_key(&inner, a, ret_found);
}
