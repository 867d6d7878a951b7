/* The table of requests in flight, and how each of them ends. */
#include "role/notary_private.h"

#include <stdlib.h>
#include <string.h>

#include "acme/problem.h"
#include "crypto/pub.h"
#include "role/notary_pages.h"

enum {
    REQUEST_ARENA_MAX = 2 * 1024 * 1024,
    ARENA_KEPT = 16 * 1024, /* a slot that needed more gives it back */
    ANSWER_MAX = 4 * 1024 * 1024,
    ANSWER_ARENA_MAX = 256 * 1024,
    NONCES_LOW = 64,
    NONCES_BATCH = 128,
    NONCE_AGE_MS = 60 * 1000, /* the registrar's window moves on */
    ANSWER_WAIT_MS = 20 * 1000,
};

/* Retry-After of a 503. */
enum { RETRY_AFTER_S = 2 };

struct notary *notary_new(const struct notary_options *options, const struct notary_ports *ports)
{
    struct notary *n = calloc(1, sizeof *n);
    LT_ASSERT(n != NULL);
    n->ports = *ports;
    n->options = *options;
    n->keys = notary_keys_new(options->keys_max == 0 ? NOTARY_KEYS_MAX : options->keys_max);
    n->requests = calloc(NOTARY_IN_FLIGHT_MAX, sizeof *n->requests);
    LT_ASSERT(n->requests != NULL);
    lt_buf_init(&n->body, ANSWER_MAX);
    lt_buf_init(&n->known, ANSWER_MAX);
    for (size_t i = 0; i < NOTARY_PUBLIC_PAGES; i++) {
        lt_buf_init(&n->known_pages[i], ANSWER_MAX);
    }
    lt_arena_init(&n->answer, ANSWER_ARENA_MAX);
    return n;
}

void notary_free(struct notary *n)
{
    if (n != NULL) {
        for (uint32_t i = 0; i < n->touched; i++) {
            lt_arena_done(&n->requests[i].arena);
        }
        notary_keys_free(n->keys);
        lt_buf_done(&n->body);
        lt_buf_done(&n->known);
        for (size_t i = 0; i < NOTARY_PUBLIC_PAGES; i++) {
            lt_buf_done(&n->known_pages[i]);
        }
        lt_arena_done(&n->answer);
        free(n->requests);
        free(n);
    }
}

void notary_configure(struct notary *n, const struct wire_site *site)
{
    for (size_t i = 0; i < NOTARY_PUBLIC_PAGES; i++) {
        lt_buf_reset(&n->known_pages[i]); /* they show names of the site */
    }
    n->options.site = *site;
}

void notary_use_origins(struct notary *n, const struct ca_origins *origins)
{
    n->options.origins = *origins;
}

size_t notary_in_flight(const struct notary *n)
{
    return n->in_flight;
}

/* Slots. */

struct notary_request *notary_take(struct notary *n, const struct ipc_addr *client)
{
    struct notary_request *q = n->free;
    if (q != NULL) {
        n->free = q->next_free;
    } else if (n->touched < NOTARY_IN_FLIGHT_MAX) {
        q = &n->requests[n->touched++];
        q->generation = n->options.generation;
        lt_arena_init(&q->arena, REQUEST_ARENA_MAX);
    } else {
        return NULL;
    }
    struct lt_arena arena = q->arena;
    uint32_t generation = q->generation + 1;
    *q = (struct notary_request){.generation = generation, .client = *client, .arena = arena};
    n->in_flight++;
    return q;
}

static void set_wait(struct notary *n, struct notary_request *q, enum notary_wait wait)
{
    n->nonce_waiters -= q->wait == NOTARY_NONCE;
    n->nonce_waiters += wait == NOTARY_NONCE;
    q->wait = wait;
}

void notary_release(struct notary *n, struct notary_request *q)
{
    set_wait(n, q, NOTARY_FREE);
    q->generation++;
    if (q->arena.used > ARENA_KEPT) {
        lt_arena_done(&q->arena);
    } else {
        lt_arena_reset(&q->arena);
    }
    q->next_free = n->free;
    n->free = q;
    n->in_flight--;
}

uint64_t notary_id(const struct notary *n, const struct notary_request *q)
{
    return (uint64_t)q->generation * NOTARY_IN_FLIGHT_MAX + (uint64_t)(q - n->requests);
}

struct notary_request *notary_waiting(struct notary *n, uint64_t id, enum notary_wait wait)
{
    struct notary_request *q = &n->requests[id % NOTARY_IN_FLIGHT_MAX];
    return q->wait == wait && notary_id(n, q) == id ? q : NULL;
}

lt_res notary_ask(struct notary *n, struct notary_request *q, enum ipc_role to,
                  const struct notary_question *question)
{
    set_wait(n, q, question->wait);
    q->deadline_ms = n->now_ms + ANSWER_WAIT_MS;
    lt_res r = n->ports.send(n->ports.self, to, question->type, notary_id(n, q), question->body);
    return lt_failed(r) ? notary_unavailable(n, q, ipc_role_name(to)) : LT_OK;
}

/* Nonces. */

static bool ask_for_nonces(struct notary *n)
{
    if (!n->nonces_asked) {
        Ipc__NonceRequest ask = IPC__NONCE_REQUEST__INIT;
        ask.count = NONCES_BATCH;
        n->nonces_asked = !lt_failed(
            n->ports.send(n->ports.self, IPC_REGISTRAR, IPC_NONCE_REQUEST, 0, &ask.base));
    }
    return n->nonces_asked;
}

const char *notary_take_nonce(struct notary *n)
{
    while (n->nonce_count > 0 && n->nonces[n->nonce_count - 1].since_ms + NONCE_AGE_MS < n->now_ms) {
        n->nonce_count--; /* the newest is on top: all below are older */
    }
    if (n->nonce_count < NONCES_LOW) {
        (void)ask_for_nonces(n); /* without a registrar there are none */
    }
    return n->nonce_count == 0 ? NULL : n->nonces[--n->nonce_count].text;
}

/* Ends of a request. */

lt_res notary_answer(struct notary *n, struct notary_request *q, const Ipc__HttpResponse *answer)
{
    bool more = answer->more;
    lt_res r = n->ports.reply(n->ports.self, &q->client, IPC_HTTP_RESPONSE, &answer->base);
    lt_arena_reset(&n->answer);
    if (more) {
        q->streaming = true;
    } else {
        notary_release(n, q);
    }
    return r;
}

static lt_res answer_problem(struct notary *n, struct notary_request *q, const Ipc__Problem *problem,
                             const char *nonce)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    if (problem->status == 405) {
        wire_header(&w, "Allow", "%s", q->is_api ? "GET, POST" : "POST");
    }
    wire_answer_problem(&w, q->is_api ? NULL : &n->options.site, problem, nonce);
    return notary_answer(n, q, &w.http);
}

lt_res notary_unavailable(struct notary *n, struct notary_request *q, const char *why)
{
    if (q->wait == NOTARY_SERVICE) {
        return notary_service_refuse(n, q, why);
    }
    if (q->is_page) {
        return notary_page_refuse(n, q, 503, "Lintel is busy or restarting. Try again in a moment.");
    }
    if (q->streaming) { /* the head said 200: what can be said is that it ends here */
        Ipc__HttpResponse end = IPC__HTTP_RESPONSE__INIT;
        end.status = 500;
        return notary_answer(n, q, &end);
    }
    Ipc__Problem *p = acme_problem(&n->answer, "serverInternal", "%s is not there just now; try again", why);
    LT_ASSERT(p != NULL); /* nothing else is in there yet */
    p->status = 503;
    p->retry_after_s = RETRY_AFTER_S;
    return answer_problem(n, q, p, NULL);
}

static lt_res answer_api_nonce(struct notary *n, struct notary_request *q, const char *nonce)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Replay-Nonce", "%s", nonce);
    wire_header(&w, "Cache-Control", "no-store");
    lt_buf_addf(&n->body, "{\"nonce\":\"%s\"}", nonce);
    wire_finish(&w, 200, "application/json");
    return notary_answer(n, q, &w.http);
}

/* What waited for a nonce, or needs none any more: its own problem, or the nonce is the answer. */
static lt_res finish_with_nonce(struct notary *n, struct notary_request *q, const char *nonce)
{
    if (q->problem != NULL) {
        return answer_problem(n, q, q->problem, nonce);
    }
    if (nonce == NULL) {
        return notary_unavailable(n, q, ipc_role_name(IPC_REGISTRAR));
    }
    if (q->is_api) {
        return answer_api_nonce(n, q, nonce);
    }
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_answer_nonce(&w, &n->options.site, nonce, q->head);
    return notary_answer(n, q, &w.http);
}

lt_res notary_give_nonce(struct notary *n, struct notary_request *q)
{
    const char *nonce = notary_take_nonce(n);
    if (nonce != NULL || !ask_for_nonces(n)) {
        return finish_with_nonce(n, q, nonce);
    }
    set_wait(n, q, NOTARY_NONCE);
    q->deadline_ms = n->now_ms + ANSWER_WAIT_MS;
    return LT_OK;
}

lt_res notary_refuse(struct notary *n, struct notary_request *q, Ipc__Problem *problem)
{
    if (problem == NULL) { /* the request filled its arena: that much is sure */
        static char type[] = "malformed";
        static char detail[] = "the request is over the limit";
        static Ipc__Problem too_large = IPC__PROBLEM__INIT;
        too_large.type = type;
        too_large.detail = detail;
        too_large.status = 413;
        problem = &too_large;
    }
    if (q->is_page) {
        return notary_page_refuse(n, q, problem->status, problem->detail);
    }
    if (q->is_api) {
        return answer_problem(n, q, problem, NULL);
    }
    q->problem = problem;
    return notary_give_nonce(n, q);
}

lt_res notary_nonce_grant(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__NonceGrant *grant = (const Ipc__NonceGrant *)(const void *)m->body;
    n->nonces_asked = false;
    for (size_t i = 0; i < grant->n_nonces && n->nonce_count < NOTARY_NONCES_MAX; i++) {
        struct notary_nonce *nonce = &n->nonces[n->nonce_count];
        size_t len = strlen(grant->nonces[i]);
        LT_CHECK(len > 0 && len < sizeof nonce->text, LT_PEER_MALFORMED, "a nonce of %zu characters", len);
        memcpy(nonce->text, grant->nonces[i], len + 1);
        nonce->since_ms = n->now_ms;
        n->nonce_count++;
    }
    for (uint32_t i = 0; i < n->touched && n->nonce_waiters > 0 && n->nonce_count > 0; i++) {
        if (n->requests[i].wait == NOTARY_NONCE) {
            LT_TRY(finish_with_nonce(n, &n->requests[i], n->nonces[--n->nonce_count].text));
        }
    }
    if (n->nonce_waiters > 0) {
        (void)ask_for_nonces(n); /* more clients than came in one grant */
    }
    return LT_OK;
}

/* Requests. */

static lt_res copy_request(struct notary_request *q, const Ipc__HttpRequest *m)
{
    q->raw = lt_arena_copy(&q->arena, LT_SLICE(m->body.data, m->body.len));
    q->remote_address = lt_arena_cstr(&q->arena, lt_slice_cstr(m->remote_address));
    q->user_agent = lt_arena_cstr(&q->arena, lt_slice_sub(lt_slice_cstr(m->user_agent), 0, 200));
    q->peer_uid = m->peer_uid;
    q->head = strcmp(m->method, "HEAD") == 0;
    LT_CHECK(q->raw.ptr != NULL && q->remote_address != NULL && q->user_agent != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    return LT_OK;
}

static lt_res refuse_full(struct notary *n, const struct ipc_addr *client)
{
    struct notary_request full = {.client = *client};
    struct wire_answer w;
    Ipc__Problem *p = acme_problem(&n->answer, "serverInternal", "too many requests at once; try again");
    LT_ASSERT(p != NULL);
    p->status = 503;
    p->retry_after_s = RETRY_AFTER_S;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_answer_problem(&w, NULL, p, NULL);
    lt_res r = n->ports.reply(n->ports.self, &full.client, IPC_HTTP_RESPONSE, &w.http.base);
    lt_arena_reset(&n->answer);
    return r;
}

lt_res notary_http(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__HttpRequest *request = (const Ipc__HttpRequest *)(const void *)m->body;
    struct notary_request *q = notary_take(n, &m->from);
    if (q == NULL) {
        return refuse_full(n, &m->from);
    }
    lt_slice path = notary_testing_path(n, request->path);
    lt_slice token;
    bool is_affected = notary_affected_is(path);
    bool is_public = notary_public_is(path);
    q->is_page = is_affected || is_public || notary_page_find(path, &token) != NULL;
    q->is_api = !q->is_page &&
                !lt_slice_starts(path, LT_LIT("/acme/")); /* or nothing at all: the API says so */
    if (lt_failed(copy_request(q, request))) {
        return notary_refuse(n, q, NULL);
    }
    if (strcmp(request->listener, "management") == 0) {
        return notary_testing_begin(n, q, request);
    }
    if (is_public) {
        return notary_public_begin(n, q, request);
    }
    if (is_affected) {
        return notary_affected_begin(n, q, request);
    }
    if (q->is_page) {
        return notary_page_begin(n, q, request);
    }
    return q->is_api ? notary_api_begin(n, q, request) : notary_acme_begin(n, q, request);
}

/* Keys. */

static lt_res go_on(struct notary *n, struct notary_request *q, const struct notary_key *key)
{
    return q->is_api ? notary_api_verified(n, q, key) : notary_acme_verified(n, q, key);
}

lt_res notary_ask_key(struct notary *n, struct notary_request *q)
{
    Ipc__KeyLookup lookup = IPC__KEY_LOOKUP__INIT;
    lookup.kid = lt_arena_cstr(&q->arena, q->kid);
    if (lookup.kid == NULL) {
        return notary_refuse(n, q, NULL);
    }
    q->key_is_fresh = true;
    return notary_ask(n, q, IPC_REGISTRAR,
                      &(struct notary_question){IPC_KEY_LOOKUP, NOTARY_KEY, &lookup.base});
}

lt_res notary_forget_key(struct notary *n, struct notary_request *q)
{
    notary_keys_forget(n->keys, q->kid);
    return notary_ask_key(n, q);
}

static lt_res verify_with(struct notary *n, struct notary_request *q, const struct notary_key *key)
{
    lt_res verified = jws_verify(&q->jws, key->pub);
    if (!lt_failed(verified)) {
        return go_on(n, q, key);
    }
    if (!q->key_is_fresh) { /* the key may have been changed by way of another notary */
        return notary_forget_key(n, q);
    }
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    return notary_refuse(n, q, wire_problem_of(&r, verified));
}

lt_res notary_find_key(struct notary *n, struct notary_request *q)
{
    const struct notary_key *key = notary_keys_get(n->keys, q->kid);
    return key != NULL ? verify_with(n, q, key) : notary_ask_key(n, q);
}

static lt_res refuse_unknown(struct notary *n, struct notary_request *q, const Ipc__KeyAnswer *answer)
{
    if (strcmp(answer->status, "unavailable") == 0) {
        return notary_unavailable(n, q, "the book");
    }
    Ipc__Problem *p = NULL;
    if (q->is_api && q->console) {
        p = acme_problem(&q->arena, "lintel:session", "the session has ended: log in again");
    } else if (q->is_api) {
        p = acme_problem(&q->arena, "unauthorized", "there is no %.*s", LT_FMT(q->kid));
    } else if (answer->found) {
        /*= RFC 8555 7.3.6 "it MUST return an error response with status code 401 (Unauthorized) and type
         *= "urn:ietf:params:acme:error:unauthorized"." */
        p = acme_problem(&q->arena, "unauthorized", "the account is %s", answer->status);
        if (p != NULL) {
            p->status = 401;
        }
    } else {
        p = acme_problem(&q->arena, "accountDoesNotExist", "there is no account %.*s", LT_FMT(q->kid));
    }
    return notary_refuse(n, q, p);
}

lt_res notary_key_answer(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__KeyAnswer *answer = (const Ipc__KeyAnswer *)(const void *)m->body;
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_KEY);
    if (q == NULL) {
        return LT_OK;
    }
    if (q->login != NULL && strcmp(answer->status, "unavailable") != 0) {
        return notary_login_key(n, q, answer);
    }
    if (!answer->found || strcmp(answer->status, "valid") != 0) {
        return refuse_unknown(n, q, answer);
    }
    LT_CHECK(answer->thumbprint.len == JWK_THUMBPRINT_LEN && q->kid.len <= NOTARY_KID_MAX, LT_PEER_MALFORMED,
             "a key without its thumbprint");
    struct crypto_pub *pub = NULL;
    lt_res r = crypto_pub_new(LT_SLICE(answer->spki.data, answer->spki.len), &pub);
    if (lt_failed(r)) { /* it was good enough once: rules have become stricter */
        struct wire_reader reader = {
            .site = &n->options.site, .arena = &q->arena, .problem_type = "badPublicKey"};
        return notary_refuse(n, q, wire_problem_of(&reader, r));
    }
    const struct notary_key *key = notary_keys_put(n->keys, q->kid, pub, answer->thumbprint.data);
    notary_keys_name(n->keys, q->kid, lt_slice_cstr(answer->operator_));
    return verify_with(n, q, key);
}

/* Time and neighbours. */

static lt_res give_up(struct notary *n, struct notary_request *q)
{
    if (q->wait == NOTARY_NONCE) {
        return finish_with_nonce(n, q, NULL);
    }
    return notary_unavailable(
        n, q, q->wait == NOTARY_QUERY ? ipc_role_name(IPC_READER) : ipc_role_name(IPC_REGISTRAR));
}

void notary_tick(struct notary *n, int64_t now_ms)
{
    n->now_ms = now_ms;
    if (n->in_flight == 0) {
        return;
    }
    for (uint32_t i = 0; i < n->touched; i++) {
        if (n->requests[i].wait != NOTARY_FREE && n->requests[i].deadline_ms < now_ms) {
            (void)give_up(n, &n->requests[i]); /* a gateway that is gone wants no answer */
        }
    }
}

void notary_linked(struct notary *n, enum ipc_role peer)
{
    if (peer == IPC_REGISTRAR) {
        n->nonces_asked = false;
        n->nonce_count = 0; /* its window may have started anew */
        (void)ask_for_nonces(n);
    }
}

void notary_unlinked(struct notary *n, enum ipc_role peer)
{
    if (peer != IPC_REGISTRAR && peer != IPC_READER) {
        return;
    }
    if (peer == IPC_REGISTRAR) {
        n->nonces_asked = false;
        n->nonce_count = 0;
    }
    for (uint32_t i = 0; i < n->touched; i++) {
        struct notary_request *q = &n->requests[i];
        if (q->wait != NOTARY_FREE && (q->wait == NOTARY_QUERY) == (peer == IPC_READER)) {
            (void)give_up(n, q); /* a gateway that is gone wants no answer */
        }
    }
}
