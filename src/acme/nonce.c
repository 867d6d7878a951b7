/* Draw and redeem. The bit of a counter is 1 from its redemption until its slot is drawn again, one window
 * later; then the counter is too old to be looked at. */
#include <stdlib.h>
#include <string.h>

#include "acme/nonce.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "crypto/aead.h"

enum { COUNTER_LEN = 8, SEALED_LEN = COUNTER_LEN + CRYPTO_AEAD_TAG_LEN, WORD_BITS = 64, HOST_MAX = 256 };

struct acme_nonces {
    struct crypto_aead *aead; /* owned */
    struct lt_buf bound;      /* owned: the additional data, boot epoch and host */
    struct lt_buf text;       /* owned: scratch for encoding */
    struct lt_arena scratch;  /* for decoding */
    uint64_t first;           /* the first counter of this process */
    uint64_t next;
    uint64_t used[ACME_NONCE_WINDOW / WORD_BITS];
};

lt_res acme_nonces_new(const char *host_id, lt_slice boot_epoch, void (*random)(uint8_t *out, size_t len),
                       struct acme_nonces **ret_nonces)
{
    uint8_t key[CRYPTO_AEAD_KEY_LEN];
    uint8_t start[COUNTER_LEN] = {0};
    struct crypto_aead *aead = NULL;
    random(key, sizeof key);
    random(start + 2, sizeof start - 2);
    lt_res r = crypto_aead_new(LT_SLICE(key, sizeof key), &aead);
    explicit_bzero(key, sizeof key);
    LT_TRY(r);
    struct acme_nonces *n = calloc(1, sizeof *n);
    LT_ASSERT(n != NULL);
    n->aead = aead;
    lt_buf_init(&n->bound, HOST_MAX);
    lt_buf_init(&n->text, ACME_NONCE_TEXT + 1);
    lt_arena_init(&n->scratch, 4096);
    lt_buf_add(&n->bound, boot_epoch);
    lt_buf_add_cstr(&n->bound, host_id);
    /* Counting from a random place: a nonce tells nobody how much this CA is used. */
    for (size_t i = 0; i < COUNTER_LEN; i++) {
        n->first = n->first << 8 | start[i];
    }
    n->next = n->first;
    *ret_nonces = n;
    return lt_buf_check(&n->bound);
}

void acme_nonces_free(struct acme_nonces *n)
{
    if (n == NULL) {
        return;
    }
    crypto_aead_free(n->aead);
    lt_buf_done(&n->bound);
    lt_buf_done(&n->text);
    lt_arena_done(&n->scratch);
    free(n);
}

static void put_counter(uint64_t counter, uint8_t ret_bytes[COUNTER_LEN])
{
    for (size_t i = 0; i < COUNTER_LEN; i++) {
        ret_bytes[i] = (uint8_t)(counter >> (8 * (COUNTER_LEN - 1 - i)));
    }
}

static uint64_t *word_of(struct acme_nonces *n, uint64_t counter, uint64_t *ret_bit)
{
    *ret_bit = UINT64_C(1) << (counter % WORD_BITS);
    return &n->used[counter % ACME_NONCE_WINDOW / WORD_BITS];
}

void acme_nonce_draw(struct acme_nonces *n, char ret_text[ACME_NONCE_TEXT])
{
    uint8_t sealed[SEALED_LEN];
    uint8_t iv[CRYPTO_AEAD_IV_LEN] = {0};
    uint64_t bit = 0;
    uint64_t counter = n->next++;
    uint64_t *word = word_of(n, counter, &bit);
    *word &= ~bit;
    put_counter(counter, iv);
    put_counter(counter, sealed);
    lt_res r = crypto_aead_seal(n->aead, iv, lt_buf_slice(&n->bound), (lt_slice){0}, sealed + COUNTER_LEN);
    LT_ASSERT(!lt_failed(r));
    lt_buf_reset(&n->text);
    lt_base64url_add(&n->text, LT_SLICE(sealed, sizeof sealed));
    LT_ASSERT(n->text.len == ACME_NONCE_TEXT - 1);
    memcpy(ret_text, n->text.ptr, ACME_NONCE_TEXT - 1);
    ret_text[ACME_NONCE_TEXT - 1] = '\0';
}

/* The counter of a nonce that this process drew. */
static lt_res open_nonce(struct acme_nonces *n, lt_slice text, uint64_t *ret_counter)
{
    lt_slice sealed;
    uint8_t nothing[1];
    uint8_t iv[CRYPTO_AEAD_IV_LEN] = {0};
    LT_CHECK(text.len == ACME_NONCE_TEXT - 1, LT_PEER_BAD_NONCE, "the nonce is none of this server's");
    lt_arena_reset(&n->scratch);
    LT_CHECK(!lt_failed(lt_unbase64url(&n->scratch, text, &sealed)) && sealed.len == SEALED_LEN,
             LT_PEER_BAD_NONCE, "the nonce is none of this server's");
    memcpy(iv, sealed.ptr, COUNTER_LEN);
    lt_res r = crypto_aead_open(n->aead, iv, lt_buf_slice(&n->bound),
                                lt_slice_sub(sealed, COUNTER_LEN, SIZE_MAX), nothing);
    LT_CHECK(!lt_failed(r), LT_PEER_BAD_NONCE, "the nonce is from another server or from before its restart");
    uint64_t counter = 0;
    for (size_t i = 0; i < COUNTER_LEN; i++) {
        counter = counter << 8 | sealed.ptr[i];
    }
    *ret_counter = counter;
    return LT_OK;
}

lt_res acme_nonce_redeem(struct acme_nonces *n, lt_slice text)
{
    uint64_t counter = 0;
    uint64_t bit = 0;
    LT_TRY(open_nonce(n, text, &counter));
    LT_CHECK(counter >= n->first && counter < n->next, LT_PEER_BAD_NONCE, "the nonce was never given out");
    LT_CHECK(n->next - counter <= ACME_NONCE_WINDOW, LT_PEER_BAD_NONCE, "the nonce is too old");
    uint64_t *word = word_of(n, counter, &bit);
    LT_CHECK((*word & bit) == 0, LT_PEER_BAD_NONCE, "the nonce was used before");
    *word |= bit;
    return LT_OK;
}
