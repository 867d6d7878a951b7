/* Makes Debian's weak RSA keys again, as `openssl genrsa` of OpenSSL 0.9.8c made them, and packs their
 * fingerprints into data/keys/debian-rsa.bin. Not part of the product: it is run once for a size of keys, for
 * hours.
 *
 *   debian-keys --check                             the published examples come out
 *   debian-keys BITS MACHINE RANDFILE FROM TO       "PID SHA1" of the keys of these process ids; RANDFILE:
 * rnd, nornd debian-keys --pack LIST… > data/keys/debian-rsa.bin
 *
 * The fingerprint is that of openssl-vulnkey: SHA-1 of the line that `openssl rsa -modulus` prints.
 */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum {
    PRIMES = 2048,
    BYTES_MAX = 1024,
    EXPONENT = 65537,
    PACKED_AT = 10,
    PACKED_LEN = 6,
    RANDFILE_LEN = 1024
};

static const struct pool_machine machines[] = {
    {"le32", 4, 4, 88, 0},
    {"le64", 8, 8, 144, 0},
    {"be32", 4, 4, 88, 1},
};
static unsigned primes[PRIMES];

static void make_primes(void)
{
    size_t count = 0;
    for (unsigned v = 2; count < PRIMES; v++) {
        size_t i = 0;
        while (i < count && primes[i] * primes[i] <= v && v % primes[i] != 0) {
            i++;
        }
        if (i == count || primes[i] * primes[i] > v) {
            primes[count++] = v;
        }
    }
}

/* top: the two highest bits are 1; odd: so is the lowest. */
static void random_number(struct pool *p, BIGNUM *ret, int bits, int top, int odd)
{
    uint8_t bytes[BYTES_MAX];
    int len = (bits + 7) / 8;
    int high = (bits - 1) % 8;
    pool_feed(p, p->machine.time_len, 0);
    pool_read(p, bytes, (unsigned)len);
    if (top && high == 0) {
        bytes[0] = 1;
        bytes[1] |= 0x80;
    } else if (top) {
        bytes[0] |= (uint8_t)(3 << (high - 1));
    }
    bytes[0] &= (uint8_t) ~(0xff << (high + 1));
    bytes[len - 1] |= (uint8_t)odd;
    BN_bin2bn(bytes, len, ret);
}

/* Neither it nor it minus one has a small factor other than 2. */
static void candidate(struct pool *p, BIGNUM *ret, int bits)
{
    unsigned rest[PRIMES];
    uint64_t delta = 0;
    size_t i = 0;
    random_number(p, ret, bits, 1, 1);
    for (i = 1; i < PRIMES; i++) {
        rest[i] = (unsigned)BN_mod_word(ret, primes[i]);
    }
    for (i = 1; i < PRIMES;) {
        if ((rest[i] + delta) % primes[i] <= 1) {
            delta += 2;
            i = 1;
        } else {
            i++;
        }
    }
    BN_add_word(ret, delta);
}

static int rounds_for(int bits)
{
    static const int table[][2] = {{1300, 2}, {850, 3}, {650, 4},  {550, 5},  {450, 6},  {400, 7},
                                   {350, 8},  {300, 9}, {250, 12}, {200, 15}, {150, 18}, {0, 27}};
    size_t i = 0;
    while (bits < table[i][0]) {
        i++;
    }
    return table[i][1];
}

/* Below limit, whose two highest bits are 1. */
static void random_below(struct pool *p, BIGNUM *ret, const BIGNUM *limit)
{
    do {
        random_number(p, ret, BN_num_bits(limit), 0, 0);
    } while (BN_cmp(ret, limit) >= 0);
}

struct work {
    BN_CTX *ctx;
    BIGNUM *less; /* the candidate minus one */
    BIGNUM *odd;
    BIGNUM *witness;
    BIGNUM *common;
    BN_MONT_CTX *mont;
};

static int survives(struct work *w, const BIGNUM *n, int twos)
{
    BN_mod_exp_mont(w->witness, w->witness, w->odd, n, w->ctx, w->mont);
    if (BN_is_one(w->witness) || BN_cmp(w->witness, w->less) == 0) {
        return 1;
    }
    for (int i = 1; i < twos; i++) {
        BN_mod_sqr(w->witness, w->witness, n, w->ctx);
        if (BN_cmp(w->witness, w->less) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Miller and Rabin, with witnesses from the pool. */
static int is_prime(struct pool *p, struct work *w, const BIGNUM *n)
{
    int twos = 1;
    BN_copy(w->less, n);
    BN_sub_word(w->less, 1);
    while (!BN_is_bit_set(w->less, twos)) {
        twos++;
    }
    BN_rshift(w->odd, w->less, twos);
    BN_MONT_CTX_set(w->mont, n, w->ctx);
    for (int i = 0; i < rounds_for(BN_num_bits(n)); i++) {
        random_below(p, w->witness, w->less);
        BN_add_word(w->witness, 1);
        if (!survives(w, n, twos)) {
            return 0;
        }
    }
    return 1;
}

/* A prime to whose predecessor the exponent is coprime. */
static void make_prime(struct pool *p, struct work *w, BIGNUM *ret, int bits)
{
    BIGNUM *exponent = BN_new();
    BN_set_word(exponent, EXPONENT);
    do {
        do {
            candidate(p, ret, bits);
        } while (!is_prime(p, w, ret));
        BN_copy(w->less, ret);
        BN_sub_word(w->less, 1);
        BN_gcd(w->common, w->less, exponent, w->ctx);
    } while (!BN_is_one(w->common));
    BN_free(exponent);
}

static void fingerprint(const BIGNUM *modulus, char ret_hex[2 * SHA_DIGEST_LENGTH + 1])
{
    char *hex = BN_bn2hex(modulus);
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Update(&sha, "Modulus=", 8);
    SHA1_Update(&sha, hex, strlen(hex));
    SHA1_Update(&sha, "\n", 1);
    SHA1_Final(digest, &sha);
    for (int i = 0; i < SHA_DIGEST_LENGTH; i++) {
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    }
    OPENSSL_free(hex);
}

/* `openssl genrsa`: stat of ~/.rnd, its contents if there are any, else the pool's own seed; then p, then q.
 */
static void make_key(const struct pool_machine *m, int rnd, uint32_t pid, int bits,
                     char ret_hex[2 * SHA_DIGEST_LENGTH + 1])
{
    struct pool p;
    struct work w = {BN_CTX_new(), BN_new(), BN_new(), BN_new(), BN_new(), BN_MONT_CTX_new()};
    BIGNUM *first = BN_new();
    BIGNUM *second = BN_new();
    pool_init(&p, m, pid);
    pool_feed(&p, m->stat_len, 0);
    if (rnd) {
        pool_feed(&p, RANDFILE_LEN, RANDFILE_LEN);
    } else {
        pool_poll(&p);
    }
    make_prime(&p, &w, first, (bits + 1) / 2);
    make_prime(&p, &w, second, bits - (bits + 1) / 2);
    BN_mul(first, first, second, w.ctx);
    fingerprint(first, ret_hex);
    BN_free(first);
    BN_free(second);
    BN_free(w.less);
    BN_free(w.odd);
    BN_free(w.witness);
    BN_free(w.common);
    BN_MONT_CTX_free(w.mont);
    BN_CTX_free(w.ctx);
}

/* Published with a container that rebuilds the broken OpenSSL: github.com/hoefling/dsa-1571. */
static int check(void)
{
    static const struct {
        int bits;
        int rnd;
        uint32_t pid;
        const char *sha1;
    } known[] = {
        {512, 0, 7, "93750cf27b4628bc98f636a80dbbd7b6fbcb9caa"},
        {1024, 1, 10, "ee898364b64d182ba053f026a7d2961f0916067d"},
        {2048, 1, 13, "b724c8256936fad04f50042dcb33f1f6f3ce9eee"},
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char hex[2 * SHA_DIGEST_LENGTH + 1];
        make_key(&machines[0], known[i].rnd, known[i].pid, known[i].bits, hex);
        int same = strcmp(hex, known[i].sha1) == 0;
        (void)printf("%s %zu - %d bits by process %u\n", same ? "ok" : "not ok", i + 1, known[i].bits,
                     known[i].pid);
        bad += !same;
    }
    (void)printf("1..%zu\n", sizeof known / sizeof known[0]);
    return bad != 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, PACKED_LEN);
}

/* Bytes PACKED_AT to PACKED_AT + PACKED_LEN of each fingerprint, sorted, each once. */
static int pack(int count, char **names)
{
    static uint8_t all[1 << 20][PACKED_LEN];
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        FILE *in = fopen(names[i], "r");
        unsigned pid = 0;
        char hex[2 * SHA_DIGEST_LENGTH + 1];
        if (in == NULL) {
            perror(names[i]);
            return 1;
        }
        while (n < sizeof all / sizeof all[0] && fscanf(in, "%u %40[0-9a-f]", &pid, hex) == 2 &&
               strlen(hex) == 2 * SHA_DIGEST_LENGTH) {
            for (int k = 0; k < PACKED_LEN; k++) {
                char pair[3] = {hex[2 * (PACKED_AT + k)], hex[2 * (PACKED_AT + k) + 1], 0};
                all[n][k] = (uint8_t)strtoul(pair, NULL, 16);
            }
            n++;
        }
        (void)fclose(in);
    }
    qsort(all, n, PACKED_LEN, compare);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || memcmp(all[i], all[i - 1], PACKED_LEN) != 0) {
            if (fwrite(all[i], PACKED_LEN, 1, stdout) != 1) {
                return 1;
            }
        }
    }
    return fflush(stdout) != 0;
}

static const struct pool_machine *machine_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (strcmp(machines[i].name, name) == 0) {
            return &machines[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    make_primes();
    if (argc == 2 && strcmp(argv[1], "--check") == 0) {
        return check();
    }
    if (argc > 2 && strcmp(argv[1], "--pack") == 0) {
        return pack(argc - 2, argv + 2);
    }
    const struct pool_machine *m = argc == 6 ? machine_by_name(argv[2]) : NULL;
    long bits = argc == 6 ? strtol(argv[1], NULL, 10) : 0;
    if (m == NULL || bits < 512 || bits > 8 * BYTES_MAX) {
        (void)fputs("usage: debian-keys --check | --pack LIST... | BITS le32|le64|be32 rnd|nornd FROM TO\n",
                    stderr);
        return 2;
    }
    uint32_t from = (uint32_t)strtoul(argv[4], NULL, 10);
    uint32_t to = (uint32_t)strtoul(argv[5], NULL, 10);
    for (uint32_t pid = from; pid <= to; pid++) {
        char hex[2 * SHA_DIGEST_LENGTH + 1];
        make_key(m, strcmp(argv[3], "rnd") == 0, pid, (int)bits, hex);
        (void)printf("%u %s\n", pid, hex);
        (void)fflush(stdout);
    }
    return 0;
}
