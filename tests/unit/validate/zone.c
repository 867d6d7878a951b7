/* Canonical forms by hand: one record in each set, so there is nothing to sort. */
#include "zone.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/result.h"

enum {
    TYPE_A = 1,
    TYPE_AAAA = 28,
    TYPE_RRSIG = 46,
    TYPE_DNSKEY = 48,
    ALGORITHM = 13,
    TTL = 60,
    SIG_LEN = 64
};

struct zone {
    char name[128];
    uint8_t owner[130];
    size_t owner_len;
    uint8_t labels;
    EVP_PKEY *key;
    uint8_t dnskey[68];
    uint16_t tag;
};

static size_t put16(uint8_t *out, size_t at, unsigned v)
{
    out[at] = (uint8_t)(v >> 8);
    out[at + 1] = (uint8_t)v;
    return at + 2;
}

static size_t put32(uint8_t *out, size_t at, uint32_t v)
{
    return put16(out, put16(out, at, v >> 16), v & 0xffff);
}

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t len)
{
    memcpy(out + at, bytes, len);
    return at + len;
}

static void wire_name(struct zone *z)
{
    const char *p = z->name;
    while (*p != '\0') {
        size_t len = strcspn(p, ".");
        z->owner[z->owner_len++] = (uint8_t)len;
        z->owner_len = put(z->owner, z->owner_len, p, len);
        z->labels++;
        p += len + (p[len] == '.' ? 1 : 0);
    }
    z->owner[z->owner_len++] = 0;
}

struct zone *zone_new(const char *name)
{
    struct zone *z = calloc(1, sizeof *z);
    uint8_t point[65];
    size_t len = 0;
    uint32_t sum = 0;
    LT_ASSERT(z != NULL);
    (void)snprintf(z->name, sizeof z->name, "%s", name);
    wire_name(z);
    z->key = EVP_EC_gen("P-256");
    LT_ASSERT(z->key != NULL && EVP_PKEY_get_octet_string_param(z->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                                sizeof point, &len) == 1);
    LT_ASSERT(len == sizeof point);
    (void)put16(z->dnskey, 0, 257);
    z->dnskey[2] = 3;
    z->dnskey[3] = ALGORITHM;
    memcpy(z->dnskey + 4, point + 1, 64);
    for (size_t i = 0; i < sizeof z->dnskey; i++) { /* RFC 4034 appendix B */
        sum += (i & 1) != 0 ? z->dnskey[i] : (uint32_t)z->dnskey[i] << 8;
    }
    z->tag = (uint16_t)(sum + (sum >> 16));
    return z;
}

void zone_free(struct zone *z)
{
    EVP_PKEY_free(z->key);
    free(z);
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

void zone_anchor(const struct zone *z, char *ret_text, size_t size)
{
    uint8_t input[256];
    uint8_t digest[32];
    size_t len = put(input, 0, z->owner, z->owner_len);
    len = put(input, len, z->dnskey, sizeof z->dnskey);
    LT_ASSERT(SHA256(input, len, digest) != NULL);
    int at = snprintf(ret_text, size, "%s. IN DS %u %u 2 ", z->name, z->tag, ALGORITHM);
    for (size_t i = 0; i < sizeof digest; i++) {
        at += snprintf(ret_text + at, size - (size_t)at, "%02X", digest[i]);
    }
    (void)snprintf(ret_text + at, size - (size_t)at, "\n");
}

static void sign(const struct zone *z, const uint8_t *data, size_t len, uint8_t ret_signature[SIG_LEN])
{
    uint8_t der[128];
    size_t der_len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool fine = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, z->key) == 1 &&
                EVP_DigestSign(ctx, der, &der_len, data, len) == 1;
    LT_ASSERT(fine);
    EVP_MD_CTX_free(ctx);
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
    LT_ASSERT(sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_signature, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_signature + 32, 32) == 32);
    ECDSA_SIG_free(sig);
}

/* RRSIG RDATA without the signature. */
static size_t put_rrsig_head(const struct zone *z, uint8_t *out, uint16_t type)
{
    uint32_t now = (uint32_t)time(NULL);
    size_t at = put16(out, 0, type);
    out[at++] = ALGORITHM;
    out[at++] = z->labels;
    at = put32(out, at, TTL);
    at = put32(out, at, now + 86400);
    at = put32(out, at, now - 86400);
    at = put16(out, at, z->tag);
    return put(out, at, z->owner, z->owner_len);
}

static size_t put_record(uint8_t *packet, size_t at, uint16_t type, const uint8_t *data, size_t len)
{
    at = put16(packet, at, 0xc00c); /* the question's name */
    at = put16(packet, at, type);
    at = put16(packet, at, 1);
    at = put32(packet, at, TTL);
    at = put16(packet, at, (unsigned)len);
    return put(packet, at, data, len);
}

size_t zone_answer(const struct zone *z, uint8_t *packet, size_t at, uint16_t type, bool tamper,
                   unsigned *ret_count)
{
    static const uint8_t a[4] = {127, 0, 0, 1};
    static const uint8_t aaaa[16] = {[15] = 1};
    const uint8_t *data = type == TYPE_A ? a : type == TYPE_AAAA ? aaaa : z->dnskey;
    size_t len = type == TYPE_A ? sizeof a : type == TYPE_AAAA ? sizeof aaaa : sizeof z->dnskey;
    uint8_t rrsig[256];
    uint8_t input[600];
    uint8_t sent[sizeof z->dnskey];
    *ret_count = 0;
    if (type != TYPE_A && type != TYPE_AAAA && type != TYPE_DNSKEY) {
        return at;
    }
    size_t head = put_rrsig_head(z, rrsig, type);
    size_t n = put(input, 0, rrsig, head);
    n = put(input, n, z->owner, z->owner_len);
    n = put16(input, n, type);
    n = put16(input, n, 1);
    n = put32(input, n, TTL);
    n = put16(input, n, (unsigned)len);
    n = put(input, n, data, len);
    sign(z, input, n, rrsig + head);
    memcpy(sent, data, len);
    if (tamper && type != TYPE_DNSKEY) {
        sent[len - 1] ^= 2;
    }
    at = put_record(packet, at, type, sent, len);
    *ret_count = 2;
    return put_record(packet, at, TYPE_RRSIG, rrsig, head + SIG_LEN);
}
