/* The operator API and the gateways' own certificates: both come from our own side of the wall, and are read
 * no less strictly. */
#include <string.h>

#include "acme/problem.h"
#include "ca/import.h"
#include "ca/session_kid.h"
#include "crypto/digest.h"
#include "incident/form.h"
#include "role/notary_openapi.h"
#include "role/notary_private.h"
#include "x509/spki.h"

static lt_res refuse_as(struct notary *n, struct notary_request *q, const char *type, uint32_t status)
{
    Ipc__Problem *p = acme_problem(&q->arena, type, "%s", lt_error_last()->detail);
    if (p != NULL) {
        p->status = status;
    }
    return notary_refuse(n, q, p);
}

/* Failures of form; the ACME types serve here as well. */
lt_res notary_api_refuse(struct notary *n, struct notary_request *q, lt_res failure)
{
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    if (lt_class_of(failure.code) == LT_CLASS_POLICY) {
        r.problem_type = "malformed";
    }
    return notary_refuse(n, q, wire_problem_of(&r, failure));
}

/* The console's requests say themselves who is behind them: a session's cookie, or its key. */
static lt_res check_peer(const struct notary *n, const Ipc__HttpRequest *m)
{
    if (strcmp(m->listener, "operator") == 0) {
        return LT_OK;
    }
    LT_CHECK(strcmp(m->listener, "api") == 0, LT_PEER_NOT_FOUND, "there is nothing at this path");
    LT_CHECK(m->has_peer && (m->peer_uid == 0 || m->peer_uid == n->options.owner_uid), LT_PEER_UNAUTHORIZED,
             "the API is for root and the owner of the CA folder, not for user %u", m->peer_uid);
    return LT_OK;
}

/* What the reader knows the session by. A question that is a POST comes from our own script, or from a form
 * of another site that could not say so. */
static lt_res name_session(struct notary_request *q, const Ipc__HttpRequest *m, Ipc__Query *query)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_CHECK(strcmp(m->method, "POST") != 0 || m->asked_by_script, LT_PEER_UNAUTHORIZED,
             "a question by POST has the header X-Lintel");
    crypto_sha256(lt_slice_cstr(m->session), hash);
    lt_slice kept = lt_arena_copy(&q->arena, LT_SLICE(hash, sizeof hash));
    LT_CHECK(kept.ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    query->session_sha256 = (ProtobufCBinaryData){kept.len, (uint8_t *)(uintptr_t)kept.ptr};
    return LT_OK;
}

static lt_res begin_query(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    Ipc__Query query;
    if (q->console && m->session[0] == 0) {
        return notary_refuse(n, q, acme_problem(&q->arena, "lintel:session", "log in first"));
    }
    lt_res r = ca_api_query(&q->api, lt_slice_cstr(m->query), &q->arena, &query);
    r = !lt_failed(r) && q->console ? name_session(q, m, &query) : r;
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    if (strcmp(m->method, "POST") == 0) { /* what shall be judged: not looked into here */
        query.body = (ProtobufCBinaryData){q->raw.len, (uint8_t *)(uintptr_t)q->raw.ptr};
        query.content_type = lt_arena_cstr(&q->arena, lt_slice_cstr(m->content_type));
        if (query.content_type == NULL) {
            return notary_refuse(n, q, NULL);
        }
    }
    return notary_ask(n, q, IPC_READER, &(struct notary_question){IPC_QUERY, NOTARY_QUERY, &query.base});
}

static lt_res read_call(struct notary_request *q, const Ipc__HttpRequest *m)
{
    const lt_slice scheme = LT_LIT(CA_API_URL_PREFIX);
    lt_slice name;
    LT_CHECK(lt_slice_eq_nocase(lt_slice_cstr(m->content_type), LT_LIT("application/jose+json")),
             LT_PEER_MALFORMED, "the Content-Type of a change is application/jose+json");
    LT_TRY(jws_parse(q->raw, JWS_REQUEST, &q->arena, &q->jws));
    LT_CHECK(!q->jws.has_jwk, LT_PEER_MALFORMED, "an operator's request has a \"kid\"");
    if (q->console) { /* an operator's own key stays where it is: it speaks by the socket alone */
        LT_CHECK(lt_slice_starts(q->jws.kid, LT_LIT(CA_SESSION_KID)), LT_PEER_MALFORMED,
                 "the kid of a change from the console is \"session:ID\"");
    } else {
        LT_TRY(ca_api_operator_of_kid(q->jws.kid, &name));
    }
    LT_CHECK(q->jws.kid.len <= NOTARY_KID_MAX, LT_PEER_MALFORMED, "a kid of %zu characters", q->jws.kid.len);
    LT_CHECK(lt_slice_starts(q->jws.url, scheme) &&
                 lt_slice_eq_cstr(lt_slice_sub(q->jws.url, scheme.len, SIZE_MAX), m->path),
             LT_PEER_UNAUTHORIZED, "the request was signed for another URL than %s%s", CA_API_URL_PREFIX,
             m->path);
    q->kid = q->jws.kid;
    return LT_OK;
}

static lt_res give_document(struct notary *n, struct notary_request *q)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Cache-Control", "no-cache");
    wire_finish(&w, 200, "application/json");
    w.http.body = (ProtobufCBinaryData){notary_openapi_size, (uint8_t *)(uintptr_t)notary_openapi};
    return notary_answer(n, q, &w.http);
}

lt_res notary_api_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    lt_res r = check_peer(n, m);
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    q->console = strcmp(m->listener, "operator") == 0;
    q->secure = m->secure;
    lt_slice method = lt_slice_cstr(m->method);
    r = incident_form_find(method, lt_slice_cstr(m->path), &q->arena, &q->api);
    if (r.code == LT_PEER_NOT_FOUND) {
        r = ca_api_find(method, lt_slice_cstr(m->path), &q->arena, &q->api);
    }
    if (r.code == LT_PEER_UNSUPPORTED) {
        return refuse_as(n, q, "malformed", 405);
    }
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    switch (q->api.route->kind) {
    case CA_API_NONCE:
        return notary_give_nonce(n, q);
    case CA_API_QUERY:
        return begin_query(n, q, m);
    case CA_API_DOCUMENT:
        return give_document(n, q);
    case CA_API_LOGIN:
        if (q->console) {
            return notary_login_begin(n, q, m);
        }
        return notary_api_refuse(
            n, q, lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "sessions are the console's"));
    case CA_API_CALL:
        break;
    }
    r = read_call(q, m);
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    return notary_find_key(n, q);
}

/* A subscriber's certificate request, judged here as one of ACME is. */
static lt_res take_enrolment(struct notary *n, struct notary_request *q, Ipc__EnrollWanted *w,
                             Ipc__Problem **ret_problem)
{
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    *ret_problem = NULL;
    w->request = LT_NEW(&q->arena, Ipc__AcmeFinalize);
    LT_CHECK(w->request != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_finalize__init(w->request);
    lt_res failure = wire_read_csr(&r, LT_SLICE(w->csr.data, w->csr.len), w->request);
    if (lt_failed(failure)) {
        *ret_problem = wire_problem_of(&r, failure);
        return failure;
    }
    w->csr = (ProtobufCBinaryData){0, NULL}; /* it is in the request */
    return LT_OK;
}

static lt_res read_imported(const struct ca_import_reader *reader, struct notary_request *q,
                            Ipc__ImportWanted *w)
{
    for (size_t i = 0; i < w->n_rows; i++) {
        Ipc__ImportRow *row = w->rows[i];
        int64_t revoked_us = row->revoked_us;
        uint32_t reason = row->reason;
        if (row->der.len == 0) {
            continue;
        }
        lt_res r = ca_import_read(reader, LT_SLICE(row->der.data, row->der.len), &q->arena, row, NULL);
        LT_CHECK(!lt_failed(r), LT_PEER_MALFORMED, "certificates[%zu]: %.150s", i, lt_error_last()->detail);
        row->revoked_us = revoked_us;
        row->reason = reason;
    }
    w->n_issuers = 0; /* the registrar has its own */
    return LT_OK;
}

/* What is brought in: taken apart here, and its issuers' signatures verified. */
static lt_res take_import(struct notary_request *q, Ipc__ImportWanted *w)
{
    struct ca_import_reader reader;
    lt_res r = LT_OK;
    ca_import_reader_init(&reader);
    for (size_t i = 0; i < w->n_issuers && !lt_failed(r); i++) {
        r = ca_import_reader_add(&reader, LT_SLICE(w->issuers[i].data, w->issuers[i].len), NULL);
    }
    r = lt_failed(r) ? r : read_imported(&reader, q, w);
    ca_import_reader_done(&reader);
    return r;
}

static lt_res take_issuer(struct notary_request *q, Ipc__ImportIssuer *w)
{
    struct ca_import_reader reader;
    const struct ca_import_issuer *i = NULL;
    uint8_t *hashes = lt_arena_alloc(&q->arena, (size_t)CRYPTO_SHA256_LEN * 2);
    LT_CHECK(hashes != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_import_reader_init(&reader);
    lt_res r = ca_import_reader_add(&reader, LT_SLICE(w->der.data, w->der.len), &i);
    if (!lt_failed(r)) {
        memcpy(hashes, i->subject_sha256, CRYPTO_SHA256_LEN);
        crypto_sha256(i->cert.spki.der, hashes + CRYPTO_SHA256_LEN);
        w->subject_sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hashes};
        w->spki_sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hashes + CRYPTO_SHA256_LEN};
        w->not_before_us = i->cert.not_before.us;
        w->not_after_us = i->cert.not_after.us;
    }
    ca_import_reader_done(&reader);
    return r;
}

/* From here on a session's change is its operator's; the registrar knows whose session it is, and looks
 * again. */
static lt_res be_operator(struct notary_request *q, const struct notary_key *key, char **ret_session)
{
    const lt_slice prefix = LT_LIT(CA_SESSION_KID);
    *ret_session = NULL;
    if (q->console) {
        char *kid = lt_arena_printf(&q->arena, "operator:%s", key->operator_);
        *ret_session = lt_arena_cstr(&q->arena, lt_slice_sub(q->kid, prefix.len, SIZE_MAX));
        LT_CHECK(kid != NULL && *ret_session != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        q->jws.kid = lt_slice_cstr(kid);
    }
    return LT_OK;
}

lt_res notary_api_verified(struct notary *n, struct notary_request *q, const struct notary_key *key)
{
    Ipc__OperatorCall call;
    char *session = NULL;
    if (lt_failed(be_operator(q, key, &session))) {
        return notary_refuse(n, q, NULL);
    }
    lt_res r = incident_form_of(&q->api) != NULL ? incident_form_read(&q->api, &q->jws, &q->arena, &call)
                                                 : ca_api_call(&q->api, &q->jws, &q->arena, &call);
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    Ipc__Problem *p = NULL;
    if (call.enroll != NULL && lt_failed(take_enrolment(n, q, call.enroll, &p))) {
        return notary_refuse(n, q, p);
    }
    r = call.import_ != NULL && call.import_->n_rows > 0 ? take_import(q, call.import_)
        : call.import_issuer != NULL                     ? take_issuer(q, call.import_issuer)
                                                         : LT_OK;
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    lt_slice print = lt_arena_copy(&q->arena, LT_SLICE(key->thumbprint, JWK_THUMBPRINT_LEN));
    if (print.ptr == NULL) {
        return notary_refuse(n, q, NULL);
    }
    call.thumbprint = (ProtobufCBinaryData){print.len, (uint8_t *)(uintptr_t)print.ptr};
    call.session = session == NULL ? call.session : session;
    call.remote_address = q->remote_address;
    call.peer_uid = q->peer_uid;
    call.jws = (ProtobufCBinaryData){q->raw.len, (uint8_t *)(uintptr_t)q->raw.ptr};
    return notary_ask(n, q, IPC_REGISTRAR,
                      &(struct notary_question){IPC_OPERATOR_CALL, NOTARY_OPERATOR, &call.base});
}

/* Never seen by a script, never sent by another site's page, and of no use for anything but reading. */
static void set_cookie(const struct notary *n, struct wire_answer *w, const struct notary_request *q,
                       const Ipc__OperatorReply *reply)
{
    const char *secure = q->secure ? "; Secure" : "";
    bool left = strcmp(q->api.route->what, "session.leave") == 0;
    if (reply->cookie[0] != 0 || left) {
        wire_header(w, "Set-Cookie", "%s=%s; HttpOnly; SameSite=Strict; Path=/api/v1; Max-Age=%u%s",
                    n->options.cookie, reply->cookie, reply->cookie_s, secure);
    }
}

static void begin_json(struct notary *n, struct wire_answer *w, const char *nonce)
{
    wire_answer_begin(w, &n->answer, &n->body);
    wire_header(w, "Cache-Control", "no-store");
    if (nonce[0] != 0) {
        wire_header(w, "Replay-Nonce", "%s", nonce);
    }
}

lt_res notary_operator_reply(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__OperatorReply *reply = (const Ipc__OperatorReply *)(const void *)m->body;
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_OPERATOR);
    struct wire_answer w;
    if (q == NULL) {
        return LT_OK;
    }
    if (reply->problem != NULL) {
        wire_answer_begin(&w, &n->answer, &n->body);
        wire_answer_problem(&w, NULL, reply->problem, reply->nonce);
        return notary_answer(n, q, &w.http);
    }
    begin_json(n, &w, reply->nonce);
    set_cookie(n, &w, q, reply);
    lt_buf_add_cstr(&n->body, reply->json[0] == 0 ? "{}" : reply->json);
    wire_finish(&w, reply->status == 0 ? 200 : reply->status, "application/json");
    return notary_answer(n, q, &w.http);
}

/* The reader's JSON goes through as it is; only the first part has a head. */
lt_res notary_query_reply(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__QueryReply *reply = (const Ipc__QueryReply *)(const void *)m->body;
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_QUERY);
    struct wire_answer w;
    if (q == NULL) {
        return LT_OK;
    }
    if (q->is_affected) {
        return notary_affected_reply(n, q, reply);
    }
    if (q->public_page != 0) {
        return notary_public_reply(n, q, reply);
    }
    if (reply->problem != NULL && !q->streaming) {
        wire_answer_begin(&w, &n->answer, &n->body);
        wire_answer_problem(&w, NULL, reply->problem, NULL);
        return notary_answer(n, q, &w.http);
    }
    if (reply->problem != NULL) {
        return notary_unavailable(n, q, ipc_role_name(IPC_READER));
    }
    if (notary_testing_awaits(q)) {
        return notary_testing_reply(n, q, reply);
    }
    begin_json(n, &w, "");
    if (reply->session_until_us != 0 && !q->streaming) { /* kept by the gateway */
        wire_header(&w, "Lintel-Session-Until", "%lld", (long long)reply->session_until_us);
    }
    if (!q->streaming) {
        wire_finish(&w, reply->status == 0 ? 200 : reply->status, "application/json");
    } else {
        ipc__http_response__init(&w.http);
    }
    w.http.body = (ProtobufCBinaryData){strlen(reply->json), (uint8_t *)reply->json};
    w.http.more = reply->more;
    q->deadline_ms = n->now_ms + 20000;
    return notary_answer(n, q, &w.http);
}

/* The gateways' own certificates. */

lt_res notary_service_refuse(struct notary *n, struct notary_request *q, const char *why)
{
    Ipc__ServiceCertificate refusal = IPC__SERVICE_CERTIFICATE__INIT;
    refusal.problem = acme_problem(&n->answer, "serverInternal", "%s is not there just now; try again", why);
    LT_ASSERT(refusal.problem != NULL);
    refusal.problem->status = 503;
    lt_res r = n->ports.reply(n->ports.self, &q->client, IPC_SERVICE_CERTIFICATE, &refusal.base);
    lt_arena_reset(&n->answer);
    notary_release(n, q);
    return r;
}

/* A gateway that sends no sound key is broken: the supervisor is told. */
lt_res notary_service(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__ServiceCertificateRequest *request =
        (const Ipc__ServiceCertificateRequest *)(const void *)m->body;
    struct crypto_pub *pub = NULL;
    lt_res r = crypto_pub_new(LT_SLICE(request->spki.data, request->spki.len), &pub);
    LT_CHECK(!lt_failed(r), LT_PEER_MALFORMED, "the gateway's key: %s", lt_error_last()->detail);
    crypto_pub_free(pub);
    struct notary_request *q = notary_take(n, &m->from);
    if (q == NULL) {
        return LT_OK; /* the gateway asks again */
    }
    Ipc__PublicKey key;
    Ipc__ServiceCertificateRequest onward = IPC__SERVICE_CERTIFICATE_REQUEST__INIT;
    onward.spki = request->spki;
    onward.key = &key;
    r = wire_public_key(&q->arena, LT_SLICE(request->spki.data, request->spki.len), &key);
    if (lt_failed(r)) {
        return notary_service_refuse(n, q, lt_error_last()->detail);
    }
    return notary_ask(
        n, q, IPC_REGISTRAR,
        &(struct notary_question){IPC_SERVICE_CERTIFICATE_REQUEST, NOTARY_SERVICE, &onward.base});
}

lt_res notary_service_certificate(struct notary *n, const struct ipc_msg *m)
{
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_SERVICE);
    if (q == NULL) {
        return LT_OK;
    }
    lt_res r = n->ports.reply(n->ports.self, &q->client, IPC_SERVICE_CERTIFICATE, m->body);
    notary_release(n, q);
    return r;
}
