/* One ACME request: path, method, JWS, key, call, reply. */
#include <string.h>

#include "acme/problem.h"
#include "base/text.h"
#include "role/notary_private.h"

static lt_res refuse_as(struct notary *n, struct notary_request *q, uint32_t status, const char *detail)
{
    Ipc__Problem *p = acme_problem(&q->arena, "malformed", "%s", detail);
    if (p != NULL) {
        p->status = status;
    }
    return notary_refuse(n, q, p);
}

static lt_res refuse_failure(struct notary *n, struct notary_request *q, lt_res failure)
{
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    return notary_refuse(n, q, wire_problem_of(&r, failure));
}

static lt_res begin_get(struct notary *n, struct notary_request *q)
{
    const struct wire_route *route = q->target.route;
    if (!route->get) {
        /*= RFC 8555 6.3 "if the server receives a GET request, it MUST return an error with status code 405
         *= (Method Not Allowed) and type "malformed"." */
        return refuse_as(n, q, 405, "this resource is read by POST-as-GET");
    }
    if (route->resource == WIRE_NEW_NONCE) {
        return notary_give_nonce(n, q);
    }
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_answer_directory(&w, &n->options.site, NULL);
    return notary_answer(n, q, &w.http);
}

/*= RFC 8555 6.2 "Because client requests in ACME carry JWS objects in the Flattened JSON Serialization, they
 *= must have the "Content-Type" header field set to "application/jose+json". If a request does not meet this
 *= requirement, then the server MUST return a response with status code 415 (Unsupported Media Type)." */
static bool is_jose(const char *content_type)
{
    lt_slice type = lt_slice_cstr(content_type);
    type = lt_slice_sub(type, 0, lt_slice_find(type, ';'));
    while (type.len > 0 && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t')) {
        type.len--;
    }
    return lt_slice_eq_nocase(type, LT_LIT("application/jose+json"));
}

/*= RFC 8555 6.4 "the server MUST compare the "url" header parameter to the request URL. If the two do not
 *= match, then the server MUST reject the request as unauthorized." */
static bool is_own_url(const struct notary *n, const Ipc__HttpRequest *m, lt_slice url)
{
    const lt_slice parts[] = {lt_slice_cstr(n->options.site.base_url), lt_slice_cstr(m->path),
                              lt_slice_cstr(m->query[0] == 0 ? "" : "?"), lt_slice_cstr(m->query)};
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        if (!lt_slice_starts(url, parts[i])) {
            return false;
        }
        url = lt_slice_sub(url, parts[i].len, SIZE_MAX);
    }
    return url.len == 0;
}

static lt_res check_signer(enum wire_signer signer, const struct jws *jws)
{
    LT_CHECK(signer != WIRE_BY_ACCOUNT || !jws->has_jwk, LT_PEER_MALFORMED,
             "this request is signed by an account: \"kid\", not \"jwk\"");
    LT_CHECK(signer != WIRE_BY_JWK || jws->has_jwk, LT_PEER_MALFORMED,
             "this request carries its key: \"jwk\", not \"kid\"");
    return LT_OK;
}

static lt_res read_request(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    LT_TRY(jws_parse(q->raw, JWS_REQUEST, &q->arena, &q->jws));
    LT_CHECK(is_own_url(n, m, q->jws.url), LT_PEER_UNAUTHORIZED,
             "the request was signed for another URL than it was sent to");
    LT_TRY(check_signer(q->target.route->signer, &q->jws));
    q->nonce = lt_arena_cstr(&q->arena, q->jws.nonce);
    LT_CHECK(q->nonce != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    if (q->jws.has_jwk) {
        return jws_verify(&q->jws, NULL);
    }
    LT_TRY(wire_account_of_kid(&n->options.site, q->jws.kid, &q->account_id));
    char *kid = lt_arena_printf(&q->arena, "%lld", (long long)q->account_id);
    LT_CHECK(kid != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    q->kid = lt_slice_cstr(kid);
    return LT_OK;
}

static lt_res begin_post(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    if (!is_jose(m->content_type)) {
        return refuse_as(n, q, 415, "the Content-Type of a request is application/jose+json");
    }
    lt_res r = read_request(n, q, m);
    if (lt_failed(r)) {
        return refuse_failure(n, q, r);
    }
    return q->jws.has_jwk ? notary_acme_verified(n, q, NULL) : notary_find_key(n, q);
}

lt_res notary_acme_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    /*= RFC 8555 6.1 "Communications between an ACME client and an ACME server are done over HTTPS" */
    lt_res r = wire_find(notary_testing_path(n, m->path), lt_slice_cstr(m->query), &q->arena, &q->target);
    if (lt_failed(r) || strcmp(m->listener, "https") != 0) {
        Ipc__Problem *p = acme_problem(&q->arena, "malformed", "there is nothing at this path");
        if (p != NULL) {
            p->status = 404;
        }
        return notary_refuse(n, q, p);
    }
    if (strcmp(m->method, "GET") == 0 || q->head) {
        return begin_get(n, q);
    }
    if (strcmp(m->method, "POST") == 0) {
        return begin_post(n, q, m);
    }
    if (strcmp(m->method, "OPTIONS") == 0) {
        struct wire_answer w;
        wire_answer_begin(&w, &n->answer, &n->body);
        wire_answer_options(&w, q->target.route);
        return notary_answer(n, q, &w.http);
    }
    return refuse_as(n, q, 405, "this resource takes POST alone");
}

static lt_res send_call(struct notary *n, struct notary_request *q, lt_slice spki, const uint8_t *thumbprint)
{
    Ipc__AcmeCall call;
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    lt_res read = wire_begin_call(&q->arena, &q->jws, q->account_id, thumbprint, &call);
    if (!lt_failed(read)) {
        read = wire_read_call(&r, &q->target, &q->jws, spki, &call);
    }
    if (lt_failed(read)) {
        return notary_refuse(n, q, wire_problem_of(&r, read));
    }
    call.nonce = q->nonce;
    call.remote_address = q->remote_address;
    call.user_agent = q->user_agent;
    if (q->target.route->keep_jws && q->jws.payload.len > 0) {
        call.jws = (ProtobufCBinaryData){q->raw.len, (uint8_t *)(uintptr_t)q->raw.ptr};
    }
    return notary_ask(n, q, IPC_REGISTRAR, &(struct notary_question){IPC_ACME_CALL, NOTARY_CALL, &call.base});
}

lt_res notary_acme_verified(struct notary *n, struct notary_request *q, const struct notary_key *key)
{
    if (key == NULL) {
        return send_call(n, q, q->jws.jwk.spki, q->jws.jwk.thumbprint);
    }
    return send_call(n, q, crypto_pub_spki(key->pub), key->thumbprint);
}

/* The account has another key by now: once more with that, and with the nonce of this very answer, as the
 * client's is spent. */
static lt_res try_again(struct notary *n, struct notary_request *q, const Ipc__AcmeReply *reply)
{
    q->retried = true;
    q->nonce = lt_arena_cstr(&q->arena, lt_slice_cstr(reply->nonce));
    if (q->nonce == NULL) {
        return notary_refuse(n, q, NULL);
    }
    return notary_forget_key(n, q);
}

lt_res notary_acme_reply(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__AcmeReply *reply = (const Ipc__AcmeReply *)(const void *)m->body;
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_CALL);
    if (q == NULL) {
        return LT_OK;
    }
    bool stale = reply->problem != NULL && strcmp(reply->problem->type, "lintel:stale-key") == 0;
    if (stale && !q->retried) {
        return try_again(n, q, reply);
    }
    if (stale) {
        return notary_unavailable(n, q, "the account's key");
    }
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_answer_reply(&w, &n->options.site, &q->target, reply);
    return notary_answer(n, q, &w.http);
}
