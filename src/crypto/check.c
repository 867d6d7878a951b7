/* Weak public keys. RSA: small factors, the Infineon generator, factors close together. Curves: the point
 * must be on them, and for Ed25519 not in the small subgroup. */
#include "crypto/check.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

#include "crypto/debian.h"

enum { SMALL_PRIME_LIMIT = 752, FERMAT_ROUNDS = 100, EXPONENT_MIN = 65537, EXPONENT_BITS_MAX = 256 };

static BIGNUM *number(lt_slice big_endian)
{
    LT_ASSERT(big_endian.len <= 65536);
    BIGNUM *n = BN_bin2bn(big_endian.ptr, (int)big_endian.len, NULL);
    LT_ASSERT(n != NULL);
    return n;
}

/* number % m, eight bytes at a time. */
static uint64_t rest_of(lt_slice big_endian, uint64_t m)
{
    uint64_t rest = 0;
    size_t first = big_endian.len % sizeof(uint64_t);
    for (size_t i = 0; i < first; i++) {
        rest = rest << 8 | big_endian.ptr[i]; /* less than eight bytes: nothing is shifted out */
    }
    rest %= m;
    for (size_t i = first; i < big_endian.len; i += sizeof(uint64_t)) {
        uint64_t limb = 0;
        for (size_t k = 0; k < sizeof(limb); k++) {
            limb = limb << 8 | big_endian.ptr[i + k];
        }
        rest = (uint64_t)(((unsigned __int128)rest << 64 | limb) % m);
    }
    return rest;
}

/* All below 752. */
static const uint16_t small_primes[] = {
    2,   3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,
    71,  73,  79,  83,  89,  97,  101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
    167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269,
    271, 277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383,
    389, 397, 401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499,
    503, 509, 521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619,
    631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719, 727, 733, 739, 743, 751};

/* One of the primes divides, or 0. Several primes share a walk over the number: their product fits a word.
 *= CABF-BR 6.1.6 "have no factors smaller than 752" */
static unsigned small_factor(lt_slice modulus)
{
    size_t from = 0;
    while (from < LT_COUNT(small_primes)) {
        uint64_t product = 1;
        size_t to = from;
        while (to < LT_COUNT(small_primes) && product <= UINT64_MAX / small_primes[to]) {
            product *= small_primes[to++];
        }
        uint64_t rest = rest_of(modulus, product);
        for (; from < to; from++) {
            if (rest % small_primes[from] == 0) {
                return small_primes[from];
            }
        }
    }
    return 0;
}

/* The Infineon library made primes of the form k * M + (65537^a mod M) with M a product of small primes: for
 * each of those the modulus is then a power of 65537. */
static bool is_roca(lt_slice modulus)
{
    static const unsigned primes[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                      79, 97, 103, 107, 109, 127, 151, 157};
    for (size_t i = 0; i < LT_COUNT(primes); i++) {
        unsigned p = primes[i];
        unsigned rest = (unsigned)rest_of(modulus, p);
        unsigned power = 1;
        bool found = false;
        do {
            found = found || power == rest;
            power = power * (65537 % p) % p;
        } while (power != 1);
        if (!found) {
            return false;
        }
    }
    return true;
}

/* Not less than the root, and right in its first bits: the root of the first 52 bits, rounded up. */
static int root_from_above(const BIGNUM *n, BIGNUM *root)
{
    enum { TOP_BITS = 52 };
    int shift = BN_num_bits(n) > TOP_BITS ? (BN_num_bits(n) - TOP_BITS + 1) / 2 * 2 : 0;
    int ok = BN_rshift(root, n, shift);
    uint64_t top = BN_get_word(root);
    uint64_t r = UINT64_C(1) << TOP_BITS / 2;
    while (r > 1 && top / r < r) {
        r = (r + top / r) / 2;
    }
    return ok && BN_set_word(root, r + 1) && BN_lshift(root, root, shift / 2);
}

/* Floor of the square root by Newton's steps from above. */
static void square_root(const BIGNUM *n, BIGNUM *root, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *next = BN_CTX_get(ctx);
    LT_ASSERT(next != NULL);
    int ok = root_from_above(n, root);
    for (;;) {
        ok = ok && BN_div(next, NULL, n, root, ctx) && BN_add(next, next, root) && BN_rshift1(next, next);
        LT_ASSERT(ok);
        if (BN_cmp(next, root) >= 0) {
            break;
        }
        ok = BN_copy(root, next) != NULL;
    }
    BN_CTX_end(ctx);
}

/* What is kept of a number from round to round: its last 64 bits, and the rest by a product of small moduli.
 */
struct residue {
    uint64_t low;
    uint64_t rest;
};
#define RESIDUE_PRODUCT (UINT64_C(63) * 65 * 11 * 17 * 19 * 23 * 31)

static struct residue residue_of(const BIGNUM *n)
{
    struct residue r = {0};
    size_t len = (size_t)BN_num_bytes(n) + sizeof(r.low); /* at least eight bytes */
    uint8_t *bytes = OPENSSL_malloc(len);
    LT_ASSERT(bytes != NULL && BN_bn2binpad(n, bytes, (int)len) > 0);
    for (size_t i = len - sizeof(r.low); i < len; i++) {
        r.low = r.low << 8 | bytes[i];
    }
    r.rest = rest_of(LT_SLICE(bytes, len), RESIDUE_PRODUCT);
    OPENSSL_free(bytes);
    return r;
}

/* Squares are rare among residues: most candidates end here without a root being taken. */
static bool may_be_square(struct residue n)
{
    static const unsigned moduli[] = {64, 63, 65, 11, 17, 19, 23, 31};
    for (size_t i = 0; i < LT_COUNT(moduli); i++) {
        unsigned m = moduli[i];
        unsigned rest = (unsigned)((i == 0 ? n.low : n.rest) % m);
        bool residue = false;
        for (unsigned x = 0; x <= m / 2 && !residue; x++) {
            residue = x * x % m == rest;
        }
        if (!residue) {
            return false;
        }
    }
    return true;
}

/* a^2 - n is a square, for a = from + more. */
static bool splits(const BIGNUM *n, const BIGNUM *from, uint32_t more, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *a = BN_CTX_get(ctx);
    BIGNUM *b2 = BN_CTX_get(ctx);
    BIGNUM *root = BN_CTX_get(ctx);
    BIGNUM *square = BN_CTX_get(ctx);
    LT_ASSERT(square != NULL);
    int ok = BN_copy(a, from) != NULL && BN_add_word(a, more) && BN_sqr(b2, a, ctx) && BN_sub(b2, b2, n);
    LT_ASSERT(ok);
    bool found = BN_is_zero(b2);
    if (!found) {
        square_root(b2, root, ctx);
        ok = BN_sqr(square, root, ctx);
        LT_ASSERT(ok);
        found = BN_cmp(square, b2) == 0;
    }
    BN_CTX_end(ctx);
    return found;
}

/* Fermat: n = a^2 - b^2 with a little above the root of n when the factors are close. From round to round b^2
 * grows by 2a + 1, so that words alone tell which rounds are worth a root.
 *= CABF-BR 6.1.1.3 "In the case of Close Primes vulnerability, the CA SHALL reject weak keys which can be
 *= factored within 100 rounds using Fermat's factorization method." */
static uint32_t fermat_round(const BIGNUM *n, uint32_t rounds)
{
    BN_CTX *ctx = BN_CTX_new();
    LT_ASSERT(ctx != NULL);
    BN_CTX_start(ctx);
    BIGNUM *first = BN_CTX_get(ctx);
    BIGNUM *b2 = BN_CTX_get(ctx);
    LT_ASSERT(b2 != NULL);
    square_root(n, first, ctx);
    int ok = BN_sqr(b2, first, ctx);
    if (BN_cmp(b2, n) < 0) {
        ok = ok && BN_add_word(first, 1) && BN_sqr(b2, first, ctx);
    }
    ok = ok && BN_sub(b2, b2, n);
    LT_ASSERT(ok);
    struct residue a = residue_of(first);
    struct residue b = residue_of(b2);
    uint32_t found = 0;
    for (uint32_t i = 0; i < rounds && found == 0; i++) {
        if (may_be_square(b) && splits(n, first, i, ctx)) {
            found = i + 1;
        }
        b.low += 2 * a.low + 1; /* the last 64 bits: what runs over is meant to be lost */
        b.rest = (b.rest + 2 * a.rest + 1) % RESIDUE_PRODUCT;
        a.low++;
        a.rest = (a.rest + 1) % RESIDUE_PRODUCT;
    }
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return found;
}

void crypto_rsa_examine(lt_slice modulus, uint32_t fermat_rounds, struct crypto_rsa_flaws *ret_flaws)
{
    *ret_flaws = (struct crypto_rsa_flaws){.roca = false};
    if (modulus.len == 0 || modulus.len > CRYPTO_EXAMINED_BITS / 8) {
        return;
    }
    BIGNUM *n = number(modulus);
    if (!BN_is_zero(n)) {
        ret_flaws->small_prime = small_factor(modulus);
        ret_flaws->roca = is_roca(modulus);
    }
    if (BN_is_odd(n) && !BN_is_one(n)) { /* an even one has fallen apart already */
        ret_flaws->fermat_round = fermat_round(n, fermat_rounds < CRYPTO_FERMAT_MAX ? fermat_rounds
                                                                                    : CRYPTO_FERMAT_MAX);
    }
    BN_free(n);
}

bool crypto_rsa_has_small_factor(lt_slice modulus)
{
    return small_factor(modulus) != 0;
}

bool crypto_rsa_is_roca(lt_slice modulus)
{
    return is_roca(modulus);
}

bool crypto_rsa_factors_are_close(lt_slice modulus)
{
    BIGNUM *n = number(modulus);
    bool yes = fermat_round(n, FERMAT_ROUNDS) != 0;
    BN_free(n);
    return yes;
}

static lt_res check_numbers(lt_slice modulus, const BIGNUM *n, const BIGNUM *e)
{
    int bits = BN_num_bits(n);
    LT_CHECK(bits >= CRYPTO_RSA_BITS_MIN && bits <= CRYPTO_RSA_BITS_MAX && bits % 8 == 0, LT_POLICY_REFUSED,
             "RSA key of %d bits; %d to %d in steps of 8 are taken", bits, CRYPTO_RSA_BITS_MIN,
             CRYPTO_RSA_BITS_MAX);
    LT_CHECK(BN_is_odd(n), LT_POLICY_REFUSED, "the RSA modulus is even");
    LT_CHECK(BN_is_odd(e) && BN_num_bits(e) <= EXPONENT_BITS_MAX &&
                 (BN_num_bits(e) > 32 || BN_get_word(e) >= EXPONENT_MIN),
             LT_POLICY_REFUSED, "the RSA exponent is even, below 65537 or over 256 bits");
    LT_CHECK(small_factor(modulus) == 0, LT_POLICY_REFUSED, "the RSA modulus has a factor below %d",
             SMALL_PRIME_LIMIT);
    LT_CHECK(!is_roca(modulus), LT_POLICY_REFUSED, "the RSA key was made by a broken generator (ROCA)");
    LT_CHECK(!crypto_rsa_is_debian(modulus), LT_POLICY_REFUSED,
             "the RSA key was made by a broken generator (Debian, CVE-2008-0166)");
    LT_CHECK(fermat_round(n, FERMAT_ROUNDS) == 0, LT_POLICY_REFUSED,
             "the factors of the RSA modulus are too close");
    return LT_OK;
}

lt_res crypto_check_rsa(lt_slice modulus, lt_slice exponent)
{
    LT_CHECK(modulus.len <= CRYPTO_RSA_BITS_MAX / 8 && exponent.len <= CRYPTO_RSA_BITS_MAX / 8,
             LT_POLICY_REFUSED, "RSA key of more than %d bits", CRYPTO_RSA_BITS_MAX);
    BIGNUM *n = number(modulus);
    BIGNUM *e = number(exponent);
    lt_res r = check_numbers(modulus, n, e);
    BN_free(n);
    BN_free(e);
    return r;
}

struct dsa_numbers {
    BIGNUM *p;
    BIGNUM *q;
    BIGNUM *y;
};

static lt_res dsa_numbers(const struct crypto_dsa *key, struct dsa_numbers *ret)
{
    const size_t most = CRYPTO_DSA_BITS_MAX / 8;
    LT_CHECK(key->p.len <= most && key->q.len <= most && key->y.len <= most, LT_PEER_UNSUPPORTED,
             "DSA with numbers of more than %d bits", CRYPTO_DSA_BITS_MAX);
    *ret = (struct dsa_numbers){.p = number(key->p), .q = number(key->q), .y = number(key->y)};
    return LT_OK;
}

static void dsa_numbers_done(struct dsa_numbers *n)
{
    BN_free(n->p);
    BN_free(n->q);
    BN_free(n->y);
}

lt_res crypto_dsa_is_of_order(const struct crypto_dsa *key, bool *ret_yes)
{
    struct dsa_numbers n;
    LT_TRY(dsa_numbers(key, &n));
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *power = BN_new();
    LT_ASSERT(ctx != NULL && power != NULL);
    *ret_yes = BN_mod_exp(power, n.y, n.q, n.p, ctx) == 1 && BN_is_one(power); /* p of 0: no */
    BN_free(power);
    BN_CTX_free(ctx);
    dsa_numbers_done(&n);
    ERR_clear_error();
    return LT_OK;
}

lt_res crypto_dsa_is_in_range(const struct crypto_dsa *key, bool *ret_yes)
{
    struct dsa_numbers n;
    LT_TRY(dsa_numbers(key, &n));
    *ret_yes = !BN_is_zero(n.y) && !BN_is_one(n.y) && BN_sub_word(n.p, 2) == 1 && BN_cmp(n.y, n.p) <= 0;
    dsa_numbers_done(&n);
    return LT_OK;
}

static const int curve_nids[] = {[CRYPTO_KEY_P256] = NID_X9_62_prime256v1,
                                 [CRYPTO_KEY_P384] = NID_secp384r1,
                                 [CRYPTO_KEY_P521] = NID_secp521r1};
static EC_GROUP *curve_groups[LT_COUNT(curve_nids)]; /* constants once made, for all threads; never freed */

static void make_groups(void)
{
    for (size_t i = 0; i < LT_COUNT(curve_nids); i++) {
        if (curve_nids[i] != 0) {
            curve_groups[i] = EC_GROUP_new_by_curve_name(curve_nids[i]);
            LT_ASSERT(curve_groups[i] != NULL);
        }
    }
}

static const EC_GROUP *group_of(enum crypto_key_type type)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int r = pthread_once(&once, make_groups);
    LT_ASSERT(r == 0 && (unsigned)type < LT_COUNT(curve_nids) && curve_nids[type] != 0);
    return curve_groups[type];
}

lt_res crypto_check_point(enum crypto_key_type type, lt_slice point)
{
    /* oct2point refuses coordinates over the field's size and points off the curve; the curves' cofactor is
     * 1, so what is on them is in the group. */
    const EC_GROUP *group = group_of(type);
    LT_CHECK(point.len > 0 && point.ptr[0] == 0x04, LT_POLICY_REFUSED,
             "the point is not in uncompressed form");
    EC_POINT *p = EC_POINT_new(group);
    LT_ASSERT(p != NULL);
    int on_curve = EC_POINT_oct2point(group, p, point.ptr, point.len, NULL);
    EC_POINT_free(p);
    ERR_clear_error();
    LT_CHECK(on_curve == 1, LT_POLICY_REFUSED, "the point is not on curve %s", crypto_key_type_name(type));
    return LT_OK;
}

/* x^2 = (y^2 - 1) / (d y^2 + 1) must be a square in the field: u / v is one exactly when u * v is. */
static bool ed25519_decodes(const BIGNUM *y, const BIGNUM *p)
{
    static const char d_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
    BN_CTX *ctx = BN_CTX_new();
    LT_ASSERT(ctx != NULL);
    BN_CTX_start(ctx);
    BIGNUM *d = BN_CTX_get(ctx);
    BIGNUM *u = BN_CTX_get(ctx);
    BIGNUM *v = BN_CTX_get(ctx);
    LT_ASSERT(v != NULL);
    int ok = BN_hex2bn(&d, d_hex) > 0 && BN_mod_sqr(u, y, p, ctx) && BN_mod_mul(v, d, u, p, ctx) &&
             BN_add_word(v, 1) && BN_sub_word(u, 1) && BN_mod_mul(u, u, v, p, ctx);
    LT_ASSERT(ok);
    int symbol = BN_kronecker(u, p, ctx);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return symbol >= 0;
}

lt_res crypto_check_ed25519(lt_slice key)
{
    /* The y of the points of order 1, 2, 4 and 8: a signature under them proves nothing. */
    static const char *const small_order[] = {
        "0",
        "1",
        "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
        "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
        "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
    };
    static const char p_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
    LT_CHECK(key.len == 32, LT_POLICY_REFUSED, "an Ed25519 key of %zu bytes", key.len);
    uint8_t bytes[32];
    memcpy(bytes, key.ptr, sizeof bytes);
    bytes[31] &= 0x7f; /* the sign of x */
    BIGNUM *y = BN_lebin2bn(bytes, sizeof bytes, NULL);
    BIGNUM *other = NULL;
    LT_ASSERT(y != NULL && BN_hex2bn(&other, p_hex) > 0);
    bool good = BN_cmp(y, other) < 0 && ed25519_decodes(y, other);
    for (size_t i = 0; i < LT_COUNT(small_order) && good; i++) {
        LT_ASSERT(BN_hex2bn(&other, small_order[i]) > 0);
        good = BN_cmp(y, other) != 0;
    }
    BN_free(y);
    BN_free(other);
    LT_CHECK(good, LT_POLICY_REFUSED, "the Ed25519 key is no point of the large subgroup");
    return LT_OK;
}

lt_res crypto_check_spki(const struct x509_spki *spki)
{
    LT_TRY(x509_spki_check(spki));
    switch (spki->type) {
    case X509_KEY_RSA:
        return crypto_check_rsa(spki->modulus, spki->exponent);
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521:
        return crypto_check_point((enum crypto_key_type)spki->type, spki->point);
    case X509_KEY_ED25519:
        return crypto_check_ed25519(spki->point);
    case X509_KEY_UNKNOWN:
        break;
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "an unknown kind of key");
}
