/* One ACME client of the load generator. Each step is a request and what to do with its answer; a refused
 * nonce and a request to wait are answered by another try, whatever the step. Any ACME server will do: all
 * URLs but the directory's come from the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/bench.h"
#include "jose/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "x509/tbs.h"

enum {
    FLOW_ARENA_MAX = 64 * 1024,
    REQUEST_MAX = 64 * 1024,
    TRIES_MAX = 10,
    POLLS_MAX = 200,
    POLL_FIRST_MS = 4,
    POLL_MAX_MS = 250,
    WAIT_MAX_S = 10,
};

static void send_request(struct bench_client *c);
static void read_authorization(struct bench_client *c);
static void on_order(struct bench_client *c, const struct http_reply *reply);

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_request(arg);
}

static void send_after(struct bench_client *c, int ms)
{
    const struct timeval wait = {ms / 1000, ms % 1000 * 1000};
    LT_ASSERT(event_add(&c->timer, &wait) == 0);
}

lt_res bench_client_init(struct bench_client *c, struct bench *b, unsigned number)
{
    uint8_t thumbprint[JWK_THUMBPRINT_LEN];
    *c = (struct bench_client){.bench = b, .number = number};
    lt_arena_init(&c->arena, FLOW_ARENA_MAX);
    lt_buf_init(&c->request, REQUEST_MAX);
    LT_ASSERT(event_assign(&c->timer, b->base, -1, 0, on_timer, c) == 0);
    LT_TRY(crypto_key_generate(CRYPTO_KEY_P256, 0, &c->account));
    LT_TRY(jwk_thumbprint(crypto_key_spki(c->account), thumbprint));
    (void)snprintf(c->thumbprint, sizeof c->thumbprint, "%s",
                   lt_base64url(&c->arena, LT_SLICE(thumbprint, sizeof thumbprint))); /* 43 characters */
    return http_client_new(&b->origin, &c->http);
}

void bench_client_done(struct bench_client *c)
{
    if (c->bench == NULL) {
        return;
    }
    (void)event_del(&c->timer); /* deleting what was not added is fine */
    http_client_free(c->http);
    crypto_key_free(c->account);
    lt_arena_done(&c->arena);
    lt_buf_done(&c->request);
}

/* The flow, or the registration, ends here for good. */
static void give_up(struct bench_client *c, const char *kind, const char *detail)
{
    struct bench *b = c->bench;
    if (b->first_error[0] == 0) {
        (void)snprintf(b->first_error, sizeof b->first_error, "%s: %s", kind, detail); /* cut */
    }
    bench_error(b, kind);
    c->busy = false;
    if (c->kid[0] == 0) {
        bench_account_ready(c, false);
    } else {
        bench_flow_over(c, false);
    }
}

static bool take(char to[BENCH_TEXT], lt_slice text)
{
    if (text.len == 0 || text.len >= BENCH_TEXT) {
        return false;
    }
    memcpy(to, text.ptr, text.len);
    to[text.len] = 0;
    return true;
}

/* The path of one of the server's URLs; NULL when it leads elsewhere. */
static const char *path_of(const struct bench *b, const char *url)
{
    struct http_url u;
    bool same = !lt_failed(http_url_split(url, &u)) && u.port == b->origin.port &&
                strcmp(u.host, b->host) == 0;
    return same ? u.path : NULL;
}

static void on_nonce(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct bench_client *c = arg;
    if (lt_failed(outcome)) {
        give_up(c, "new-nonce: no answer", lt_error_last()->detail);
    } else if (!take(c->nonce, http_head_field(reply->head, "replay-nonce"))) {
        give_up(c, "new-nonce: no nonce", "");
    } else {
        send_request(c);
    }
}

/* "urn:ietf:params:acme:error:badNonce: detail" of a problem document; what there is of it. */
static void read_problem(const struct http_reply *reply, char ret_type[96], char ret_detail[160])
{
    LT_CLEANUP(jose_json_freep) json_t *problem = NULL;
    lt_slice type = LT_LIT("");
    lt_slice detail = LT_LIT("");
    if (!lt_failed(jose_json_object(reply->body, &problem))) {
        bool good = !lt_failed(jose_json_optional_string(problem, "type", &type)) &&
                    !lt_failed(jose_json_optional_string(problem, "detail", &detail));
        (void)good; /* a wrong one leaves them empty */
    }
    (void)snprintf(ret_type, 96, "%.*s", LT_FMT(type));      /* cut */
    (void)snprintf(ret_detail, 160, "%.*s", LT_FMT(detail)); /* cut */
}

static bool try_again(struct bench_client *c, const struct http_reply *reply, const char *type)
{
    unsigned status = reply->head->status;
    if (++c->tries > TRIES_MAX) {
        return false;
    }
    if (strstr(type, ":badNonce") != NULL) {
        c->bench->stats.bad_nonces++;
        send_request(c);
        return true;
    }
    /* Finalized already by a first try whose answer was lost: the order itself will tell. */
    if (strstr(type, ":orderNotReady") != NULL && c->next == on_order) {
        (void)snprintf(c->url, sizeof c->url, "%s", c->order); /* both have the same size */
        c->payload = NULL;
        send_request(c);
        return true;
    }
    if (status == 429 || status == 503) {
        uint64_t wait_s = 1;
        lt_res r = lt_parse_u64(http_head_field(reply->head, "retry-after"), WAIT_MAX_S, &wait_s);
        c->bench->stats.waits++;
        send_after(c, lt_failed(r) ? 1000 : (int)wait_s * 1000);
        return true;
    }
    return false;
}

static void on_reply(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct bench_client *c = arg;
    const char *path = path_of(c->bench, c->url);
    const char *last = path == NULL ? "?" : path;
    char kind[200];
    if (lt_failed(outcome)) {
        (void)snprintf(kind, sizeof kind, "no answer: %s", lt_code_name(outcome.code));
        give_up(c, kind, lt_error_last()->detail);
        return;
    }
    (void)take(c->nonce, http_head_field(reply->head, "replay-nonce")); /* without one it is asked for */
    bench_sample(c->bench, BENCH_REQUEST, c->sent_us);
    if (reply->head->status < 400) {
        c->tries = 0;
        c->next(c, reply);
        return;
    }
    char type[96];
    char detail[160];
    read_problem(reply, type, detail);
    if (!try_again(c, reply, type)) {
        const char *word = strrchr(type, ':');
        (void)snprintf(kind, sizeof kind, "%u %.60s", reply->head->status, word == NULL ? type : word + 1);
        char where[300];
        (void)snprintf(where, sizeof where, "%.100s: %s", last, detail);
        give_up(c, kind, where);
    }
}

static void send_request(struct bench_client *c)
{
    struct bench *b = c->bench;
    const char *path = path_of(b, c->url);
    const char *nonce_path = path_of(b, b->new_nonce);
    if (path == NULL || nonce_path == NULL) {
        give_up(c, "a URL that leads elsewhere", c->url);
        return;
    }
    if (c->nonce[0] == 0) {
        const struct http_ask ask = {.method = "HEAD", .target = nonce_path};
        http_client_ask(c->http, &ask, on_nonce, c);
        return;
    }
    const struct jws_head head = {
        .kid = lt_slice_cstr(c->kid),
        .nonce = lt_slice_cstr(c->nonce),
        .url = lt_slice_cstr(c->url),
    };
    lt_buf_reset(&c->request);
    if (lt_failed(jws_sign(c->account, &head, lt_slice_cstr(c->payload), &c->request))) {
        give_up(c, "a request that cannot be signed", lt_error_last()->detail);
        return;
    }
    c->nonce[0] = 0; /* used */
    c->sent_us = lt_now().us;
    const struct http_ask ask = {"POST", path, "application/jose+json", lt_buf_slice(&c->request)};
    http_client_ask(c->http, &ask, on_reply, c);
}

static void post(struct bench_client *c, const char *url, const char *payload,
                 void (*next)(struct bench_client *c, const struct http_reply *reply))
{
    if (url != c->url) {
        (void)snprintf(c->url, sizeof c->url, "%s", url); /* all URLs were measured by take */
    }
    c->payload = payload;
    c->next = next;
    send_request(c);
}

/* Polling: again soon, then less often. False when it is enough. */
static bool poll_later(struct bench_client *c)
{
    if (++c->polls > POLLS_MAX) {
        return false;
    }
    int ms = c->polls > 7 ? POLL_MAX_MS : POLL_FIRST_MS << (c->polls - 1);
    send_after(c, ms < POLL_MAX_MS ? ms : POLL_MAX_MS);
    return true;
}

/* The certificate. */

static void on_certificate(struct bench_client *c, const struct http_reply *reply)
{
    struct bench *b = c->bench;
    if (!lt_slice_starts(reply->body, LT_LIT("-----BEGIN CERTIFICATE-----"))) {
        give_up(c, "a certificate that is none", "");
        return;
    }
    bench_sample(b, BENCH_CERTIFICATE, c->step_us);
    bench_sample(b, BENCH_TOTAL, c->due_us);
    b->stats.certificates += b->measuring ? 1 : 0;
    c->busy = false;
    bench_flow_over(c, true);
}

/* The order after finalize, or polled. */
static void on_order(struct bench_client *c, const struct http_reply *reply)
{
    LT_CLEANUP(jose_json_freep) json_t *order = NULL;
    lt_slice status;
    lt_slice url;
    if (lt_failed(jose_json_object(reply->body, &order)) ||
        lt_failed(jose_json_string(order, "status", &status)) ||
        lt_failed(jose_json_optional_string(order, "certificate", &url))) {
        give_up(c, "an order that is none", lt_error_last()->detail);
        return;
    }
    if (lt_slice_eq_cstr(status, "valid") && take(c->certificate, url)) {
        bench_sample(c->bench, BENCH_FINALIZE, c->step_us);
        c->step_us = lt_now().us;
        post(c, c->certificate, NULL, on_certificate);
        return;
    }
    bool waiting = lt_slice_eq_cstr(status, "processing") || lt_slice_eq_cstr(status, "ready");
    (void)snprintf(c->url, sizeof c->url, "%s", c->order);
    c->payload = NULL;
    if (!waiting || !poll_later(c)) {
        char kind[64];
        (void)snprintf(kind, sizeof kind, "order %.*s after finalize", LT_FMT(lt_slice_sub(status, 0, 20)));
        give_up(c, kind, c->order);
    }
}

static lt_res build_csr(struct bench_client *c, lt_slice *ret_der)
{
    const struct bench *b = c->bench;
    struct crypto_key *key = b->leaf_keys[c->number % BENCH_LEAF_KEYS];
    struct x509_general_name san[BENCH_NAMES_MAX];
    for (size_t i = 0; i < b->options.names; i++) {
        san[i] = (struct x509_general_name){X509_GN_DNS, lt_slice_cstr(c->names[i])};
    }
    const struct x509_csr_spec spec = {
        .spki = crypto_key_spki(key), .san = san, .san_count = b->options.names};
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    struct lt_buf info;
    struct lt_buf der;
    lt_buf_init(&info, REQUEST_MAX);
    lt_buf_init(&der, REQUEST_MAX);
    lt_res r = x509_csr_info_build(&spec, &info);
    r = lt_failed(r) ? r : crypto_key_sign(key, CRYPTO_ES256, lt_buf_slice(&info), signature, &len);
    r = lt_failed(r)
            ? r
            : x509_assemble(lt_buf_slice(&info), X509_SIG_ECDSA_SHA256, LT_SLICE(signature, len), &der);
    *ret_der = lt_arena_copy(&c->arena, lt_buf_slice(&der));
    lt_buf_done(&info);
    lt_buf_done(&der);
    return r;
}

static void finalize(struct bench_client *c)
{
    lt_slice csr;
    if (lt_failed(build_csr(c, &csr))) {
        give_up(c, "a CSR that cannot be made", lt_error_last()->detail);
        return;
    }
    const char *text = lt_base64url(&c->arena, csr);
    const char *payload = text == NULL ? NULL : lt_arena_printf(&c->arena, "{\"csr\":\"%s\"}", text);
    LT_ASSERT(payload != NULL); /* the arena holds a flow of the most names */
    c->polls = 0;
    c->step_us = lt_now().us;
    post(c, c->finalize, payload, on_order);
}

/* Authorizations, one after the other. */

static void next_authorization(struct bench_client *c)
{
    c->authorization_at++;
    if (c->authorization_at < c->authorization_count) {
        read_authorization(c);
    } else {
        finalize(c);
    }
}

static void on_validation(struct bench_client *c, const struct http_reply *reply)
{
    LT_CLEANUP(jose_json_freep) json_t *authorization = NULL;
    lt_slice status;
    if (lt_failed(jose_json_object(reply->body, &authorization)) ||
        lt_failed(jose_json_string(authorization, "status", &status))) {
        give_up(c, "an authorization that is none", lt_error_last()->detail);
    } else if (lt_slice_eq_cstr(status, "valid")) {
        bench_sample(c->bench, BENCH_VALIDATION, c->step_us);
        next_authorization(c);
    } else if (!lt_slice_eq_cstr(status, "pending") || !poll_later(c)) {
        char kind[64];
        (void)snprintf(kind, sizeof kind, "authorization %.*s", LT_FMT(lt_slice_sub(status, 0, 20)));
        char detail[160];
        (void)snprintf(detail, sizeof detail, "%.*s", LT_FMT(reply->body)); /* cut */
        give_up(c, kind, detail);
    }
}

static void on_challenge(struct bench_client *c, const struct http_reply *reply)
{
    (void)reply;
    bench_sample(c->bench, BENCH_CHALLENGE, c->step_us);
    c->polls = 0;
    post(c, c->authorizations[c->authorization_at], NULL, on_validation);
}

static bool find_http01(const json_t *authorization, lt_slice *ret_url)
{
    const json_t *challenges = json_object_get(authorization, "challenges");
    for (size_t i = 0; i < json_array_size(challenges); i++) {
        const json_t *challenge = json_array_get(challenges, i);
        lt_slice type;
        if (!lt_failed(jose_json_string(challenge, "type", &type)) && lt_slice_eq_cstr(type, "http-01")) {
            return !lt_failed(jose_json_string(challenge, "url", ret_url));
        }
    }
    return false;
}

static void on_authorization(struct bench_client *c, const struct http_reply *reply)
{
    LT_CLEANUP(jose_json_freep) json_t *authorization = NULL;
    lt_slice status;
    lt_slice url;
    if (lt_failed(jose_json_object(reply->body, &authorization)) ||
        lt_failed(jose_json_string(authorization, "status", &status))) {
        give_up(c, "an authorization that is none", lt_error_last()->detail);
        return;
    }
    bench_sample(c->bench, BENCH_AUTHORIZATION, c->step_us);
    if (lt_slice_eq_cstr(status, "valid")) {
        next_authorization(c);
    } else if (find_http01(authorization, &url) && take(c->challenge, url)) {
        c->step_us = lt_now().us;
        post(c, c->challenge, "{}", on_challenge);
    } else {
        give_up(c, "no http-01 challenge", c->url);
    }
}

static void read_authorization(struct bench_client *c)
{
    c->step_us = lt_now().us;
    post(c, c->authorizations[c->authorization_at], NULL, on_authorization);
}

/* The order. */

static lt_res take_authorizations(struct bench_client *c, const json_t *order)
{
    const json_t *list = json_object_get(order, "authorizations");
    c->authorization_count = json_array_size(list);
    LT_CHECK(c->authorization_count > 0 && c->authorization_count <= BENCH_NAMES_MAX, LT_PEER_MALFORMED,
             "%zu authorizations", c->authorization_count);
    for (size_t i = 0; i < c->authorization_count; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        LT_CHECK(url != NULL && strlen(url) < BENCH_TEXT, LT_PEER_MALFORMED, "an authorization without URL");
        c->authorizations[i] = lt_arena_cstr(&c->arena, lt_slice_cstr(url));
    }
    c->authorization_at = 0;
    return LT_OK;
}

static void on_new_order(struct bench_client *c, const struct http_reply *reply)
{
    LT_CLEANUP(jose_json_freep) json_t *order = NULL;
    lt_slice url;
    bool good = !lt_failed(jose_json_object(reply->body, &order)) &&
                !lt_failed(jose_json_string(order, "finalize", &url)) && take(c->finalize, url) &&
                take(c->order, http_head_field(reply->head, "location")) &&
                !lt_failed(take_authorizations(c, order));
    if (!good) {
        give_up(c, "an order that is none", lt_error_last()->detail);
        return;
    }
    bench_sample(c->bench, BENCH_NEW_ORDER, c->step_us);
    read_authorization(c);
}

void bench_client_flow(struct bench_client *c, int64_t due_us)
{
    struct bench *b = c->bench;
    struct lt_buf payload;
    c->busy = true;
    c->due_us = due_us;
    lt_arena_reset(&c->arena);
    lt_buf_init(&payload, FLOW_ARENA_MAX / 2);
    lt_buf_add_cstr(&payload, "{\"identifiers\":[");
    for (size_t i = 0; i < b->options.names; i++) {
        c->names[i] = lt_arena_printf(&c->arena, "c%u-%s-%llu-%zu.%s", c->number, b->run,
                                      (unsigned long long)c->sequence, i, b->options.suffix);
        LT_ASSERT(c->names[i] != NULL); /* the arena holds a flow of the most names */
        lt_buf_addf(&payload, "%s{\"type\":\"dns\",\"value\":\"%s\"}", i == 0 ? "" : ",", c->names[i]);
    }
    lt_buf_add_cstr(&payload, "]}");
    c->sequence++;
    const char *text = lt_arena_cstr(&c->arena, lt_buf_slice(&payload));
    lt_buf_done(&payload);
    LT_ASSERT(text != NULL);
    c->step_us = lt_now().us;
    post(c, b->new_order, text, on_new_order);
}

static void on_account(struct bench_client *c, const struct http_reply *reply)
{
    c->busy = false;
    bench_account_ready(c, take(c->kid, http_head_field(reply->head, "location")));
}

void bench_client_register(struct bench_client *c)
{
    c->busy = true;
    post(c, c->bench->new_account, "{\"termsOfServiceAgreed\":true}", on_account);
}
