/* CRLs that are too large to be hashed between two certificates. Their bytes come in a sealed memfd and are
 * read in slices; CRLs that come meanwhile wait behind, since the journal wants their numbers to grow. EdDSA
 * alone takes messages whole: such an issuer's certificates wait for its CRL. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "role/signer.h"

enum {
    CRLS_MAX = 32,
    SLICE_BYTES = 1024 * 1024,
    SLICES_MS = 4,
};

struct signer_crl {
    struct signer_crl *next;
    struct ipc_addr to;
    char issuer[JOURNAL_NAME_MAX];
    uint8_t serial[FIXED_SERIAL_MAX];
    size_t serial_len;
    lt_slice tbs;    /* in one of the two */
    lt_slice mapped; /* owned, unless a token's order has taken it; or empty */
    uint8_t *copy;   /* owned; or NULL */
    size_t at;       /* so much of it is hashed */
    bool begun;
    enum crypto_hash hash; /* of the key beside SHA-256; CRYPTO_HASH_NONE: none */
    struct crypto_stream sha256;
    struct crypto_stream own;
};

void signer_crls_init(struct signer_crls *list)
{
    *list = (struct signer_crls){.first = NULL};
    list->last = &list->first;
}

bool signer_crl_waits(const struct signer *s, const Ipc__SignOrder *m)
{
    return m->kind == IPC__SIGN_KIND__SIGN_CRL && (m->apart || s->crls.first != NULL);
}

static void unmap(lt_slice *mapped)
{
    if (mapped->len > 0) {
        (void)munmap((void *)(uintptr_t)mapped->ptr, mapped->len); /* ours: nothing to lose */
    }
    *mapped = (lt_slice){0};
}

static void crl_free(struct signer_crl *c)
{
    if (c->begun) {
        crypto_stream_done(&c->sha256);
        crypto_stream_done(&c->own);
    }
    unmap(&c->mapped);
    free(c->copy);
    free(c);
}

static lt_res take_bytes(struct signer_crl *c, const struct ipc_msg *m, const Ipc__SignOrder *body)
{
    if (body->apart) {
        LT_CHECK(m->fd_count == 1 && body->tbs.len == 0, LT_PEER_MALFORMED, "a CRL apart without its bytes");
        LT_TRY(ipc_sealed_map(m->fds[0], FIXED_CRL_MAX, &c->mapped));
        c->tbs = c->mapped;
        return LT_OK;
    }
    c->copy = malloc(body->tbs.len + 1);
    LT_ASSERT(c->copy != NULL);
    if (body->tbs.len > 0) {
        memcpy(c->copy, body->tbs.data, body->tbs.len);
    }
    c->tbs = LT_SLICE(c->copy, body->tbs.len);
    return LT_OK;
}

static lt_res crl_new(struct signer *s, const struct ipc_msg *m, struct signer_crl **ret_crl)
{
    const Ipc__SignOrder *body = (const Ipc__SignOrder *)m->body;
    size_t issuer_len = strlen(body->issuer);
    LT_CHECK(s->crls.count < CRLS_MAX, LT_RETRY_UNAVAILABLE, "too many CRLs at once");
    LT_CHECK(issuer_len < JOURNAL_NAME_MAX, LT_POLICY_REFUSED, "no issuer has such a name");
    LT_CHECK(body->serial.len > 0 && body->serial.len <= FIXED_SERIAL_MAX, LT_POLICY_REFUSED,
             "a serial has 1 to 20 bytes");
    struct signer_crl *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->to = m->from;
    memcpy(c->issuer, body->issuer, issuer_len + 1);
    memcpy(c->serial, body->serial.data, body->serial.len);
    c->serial_len = body->serial.len;
    lt_res r = take_bytes(c, m, body);
    if (lt_failed(r)) {
        free(c);
        return r;
    }
    *ret_crl = c;
    return LT_OK;
}

lt_res signer_crl_queue(struct signer *s, const struct ipc_msg *m)
{
    struct signer_crl *c = NULL;
    lt_res r = crl_new(s, m, &c);
    if (r.code == LT_PEER_MALFORMED) {
        return r;
    }
    if (lt_failed(r)) {
        return signer_answer_failure(s, &m->from, r);
    }
    *s->crls.last = c;
    s->crls.last = &c->next;
    s->crls.count++;
    return LT_OK;
}

/* SHA-256 is the journal's; where the key signs with that as well, once is enough. */
static void begin(struct signer *s, struct signer_crl *c)
{
    const struct signer_key *key = signer_keys_find(&s->keys, c->issuer);
    enum crypto_hash hash = key == NULL ? CRYPTO_HASH_NONE : signer_key_hash(key);
    c->hash = hash;
    c->begun = true;
    crypto_stream_init(&c->sha256, CRYPTO_SHA256);
    crypto_stream_init(&c->own, hash == CRYPTO_HASH_NONE ? CRYPTO_SHA256 : hash);
}

static void hash_slice(struct signer_crl *c)
{
    lt_slice part = lt_slice_sub(c->tbs, c->at, SLICE_BYTES);
    crypto_stream_add(&c->sha256, part);
    if (c->hash != CRYPTO_HASH_NONE && c->hash != CRYPTO_SHA256) {
        crypto_stream_add(&c->own, part);
    }
    c->at += part.len;
}

static lt_res finish(struct signer *s, struct signer_crl *c)
{
    uint8_t sha256[CRYPTO_SHA256_LEN];
    uint8_t own[CRYPTO_HASH_MAX];
    struct signer_order order = {
        .kind = IPC__SIGN_KIND__SIGN_CRL,
        .issuer = c->issuer,
        .serial = LT_SLICE(c->serial, c->serial_len),
        .message = {.tbs = c->tbs},
        .sha256 = sha256,
        .mapped = c->mapped.len > 0 ? &c->mapped : NULL,
    };
    crypto_stream_finish(&c->sha256, sha256);
    if (c->hash == CRYPTO_SHA256) {
        order.message.digest = LT_SLICE(sha256, sizeof sha256);
    } else if (c->hash != CRYPTO_HASH_NONE) {
        crypto_stream_finish(&c->own, own);
        order.message.digest = LT_SLICE(own, crypto_hash_len(c->hash));
    }
    lt_res r = signer_take_order(s, &c->to, &order);
    return lt_failed(r) ? signer_answer_failure(s, &c->to, r) : LT_OK;
}

static struct signer_crl *take_first(struct signer_crls *list)
{
    struct signer_crl *c = list->first;
    list->first = c->next;
    list->count--;
    if (list->first == NULL) {
        list->last = &list->first;
    }
    return c;
}

lt_res signer_crl_go_on(struct signer *s)
{
    int64_t until_ms = lt_monotonic_ms() + SLICES_MS;
    while (s->crls.first != NULL && lt_monotonic_ms() < until_ms) {
        struct signer_crl *c = s->crls.first;
        if (!c->begun) {
            begin(s, c);
        }
        hash_slice(c);
        if (c->at >= c->tbs.len) {
            c = take_first(&s->crls);
            lt_res r = finish(s, c);
            crl_free(c);
            LT_TRY(r);
        }
    }
    if (s->crls.first != NULL) {
        role_again(s->kit);
    }
    return LT_OK;
}

void signer_crls_drop(struct signer *s)
{
    while (s->crls.first != NULL) {
        crl_free(take_first(&s->crls));
    }
}
