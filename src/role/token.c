/* token: hosts a PKCS #11 module, which is foreign code, away from everything else. It signs for the signer
 * alone, with the keys that the configuration names; what it signed is checked there.
 *
 * A token that is away is looked for again. A PIN that was refused is never tried again: tokens lock
 * themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/pkcs11.h"
#include "role/kit.h"
#include "role/token_module.h"
#include "sign.pb-c.h"

enum {
    KEYS_MAX = 256,
    LOOK_AGAIN_MS = 5000,
    MESSAGE_ARENA_MAX = 300 * 1024 * 1024,
    OWN_ARENA_MAX = 256 * 1024,
};

/* Filled by start: the walls depend on the module. */
static struct sandbox_profile walls;

struct token_key {
    const char *issuer; /* in the Start message */
    const char *uri;
    struct crypto_pkcs11_key *key; /* NULL: not found yet */
};

struct token {
    struct role_kit *kit;
    struct lt_arena arena; /* paths */
    struct crypto_pkcs11 *module;
    struct token_key keys[KEYS_MAX];
    size_t count;
    bool gave_up; /* the PIN is wrong */
    int64_t look_again_ms;
};

/* True when there is one more than before. */
static bool look_for(struct token *t, struct token_key *k)
{
    if (k->key != NULL || t->gave_up) {
        return false;
    }
    lt_res r = crypto_pkcs11_find(t->module, k->uri, &k->key);
    if (lt_failed(r)) {
        lt_log_error("a key is not to be had from the token");
        t->gave_up = r.code == LT_PEER_UNAUTHORIZED;
        return false;
    }
    lt_log(LT_LOG_INFO, "key found in the token", "issuer=%s type=%s", k->issuer,
           crypto_key_type_name(crypto_pkcs11_type(k->key)));
    return true;
}

static lt_res tell_keys(struct token *t)
{
    char *names[KEYS_MAX];
    Ipc__TokenKeys body = IPC__TOKEN_KEYS__INIT;
    for (size_t i = 0; i < t->count; i++) {
        if (t->keys[i].key != NULL) {
            names[body.n_issuers++] = (char *)(uintptr_t)t->keys[i].issuer; /* packed, not kept */
        }
    }
    body.issuers = names;
    lt_metric_set("lintel_token_keys", (int64_t)body.n_issuers);
    lt_res r = role_send(t->kit, IPC_SIGNER, ROLE_ANY, IPC_TOKEN_KEYS, 0, &body.base);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r; /* it is told when it is there */
}

static struct token_key *find(struct token *t, const char *issuer)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->keys[i].issuer, issuer) == 0) {
            return &t->keys[i];
        }
    }
    return NULL;
}

static lt_res sign(struct token *t, const Ipc__TokenSign *m, uint8_t *ret_signature, size_t *ret_len)
{
    const struct token_key *k = find(t, m->issuer);
    LT_CHECK(k != NULL, LT_PEER_NOT_FOUND, "no key of issuer '%.64s' is in the token", m->issuer);
    LT_CHECK(k->key != NULL, LT_RETRY_UNAVAILABLE, "the token with the key of issuer '%.64s' is away",
             m->issuer);
    return crypto_pkcs11_sign(k->key, (enum crypto_sig_alg)m->algorithm, LT_SLICE(m->tbs.data, m->tbs.len),
                              ret_signature, ret_len);
}

static lt_res on_sign(void *self, const struct ipc_msg *m)
{
    struct token *t = self;
    const Ipc__TokenSign *body = (const Ipc__TokenSign *)m->body;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    int64_t from_us = lt_now().us;
    lt_res r = sign(t, body, signature, &len);
    lt_metric_observe_us("lintel_token_sign_seconds", (uint64_t)(lt_now().us - from_us));
    char detail[sizeof lt_error_last()->detail] = "";
    if (lt_failed(r)) {
        memcpy(detail, lt_error_last()->detail, sizeof detail);
        lt_log_error("the token did not sign");
        lt_metric_add("lintel_token_failures_total", 1);
    }
    Ipc__TokenSigned answer = IPC__TOKEN_SIGNED__INIT;
    answer.ok = !lt_failed(r);
    answer.signature = (ProtobufCBinaryData){lt_failed(r) ? 0 : len, signature};
    answer.detail = detail;
    return role_reply(t->kit, &m->from, IPC_TOKEN_SIGNED, &answer.base);
}

static lt_res tick(void *self, lt_time now)
{
    struct token *t = self;
    (void)now; /* waits on the monotonic clock */
    if (lt_monotonic_ms() < t->look_again_ms || t->gave_up) {
        return LT_OK;
    }
    t->look_again_ms = lt_monotonic_ms() + LOOK_AGAIN_MS;
    bool more = false;
    for (size_t i = 0; i < t->count; i++) {
        more = look_for(t, &t->keys[i]) || more;
    }
    return more ? tell_keys(t) : LT_OK;
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct token *t = self;
    (void)instance; /* there is one signer */
    if (peer == IPC_SIGNER && lt_failed(tell_keys(t))) {
        lt_log_error("the signer was not told which keys are there");
    }
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    static struct token token;
    struct token *t = &token;
    t->kit = kit;
    lt_arena_init(&t->arena, OWN_ARENA_MAX);
    LT_TRY(token_module_profile(m->token_module, &t->arena, &walls));
    LT_TRY(crypto_pkcs11_open(m->token_module, LT_SLICE(m->token_pin.data, m->token_pin.len), &t->module));
    for (size_t i = 0; i < m->n_issuers; i++) {
        const Ipc__IssuerKey *k = m->issuers[i];
        if (k->pkcs11_uri[0] == 0) {
            continue;
        }
        LT_CHECK(t->count < KEYS_MAX, LT_PEER_USAGE, "over %d issuers with keys in tokens", KEYS_MAX);
        t->keys[t->count] = (struct token_key){.issuer = k->issuer, .uri = k->pkcs11_uri};
        (void)look_for(t, &t->keys[t->count]); /* it is told where it fails, and looked for again */
        t->count++;
    }
    t->look_again_ms = lt_monotonic_ms() + LOOK_AGAIN_MS;
    *ret_self = t;
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_SIGNER, IPC_TOKEN_SIGN, on_sign},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_TOKEN,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &walls,
        .message_arena_max = MESSAGE_ARENA_MAX,
        .start = start,
        .linked = linked,
        .tick = tick,
    };
    return role_main(&spec);
}
