/* Requests that make a session or a passkey: signed with a key that they bring along. What an authenticator
 * wrote is taken apart here (notary_fido.h); who may is the registrar's. */
#include <string.h>

#include "base/text.h"
#include "ca/passkey.h"
#include "ca/session_kid.h"
#include "crypto/digest.h"
#include "jose/json.h"
#include "role/notary_fido.h"
#include "role/notary_private.h"

enum { CHALLENGE_MAX = 1024 };

static ProtobufCBinaryData lend(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr}; /* the request's arena has it */
}

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static lt_res read_text(const json_t *o, const char *name, struct lt_arena *a, char **ret_text)
{
    lt_slice text;
    LT_TRY(jose_json_string(o, name, &text));
    LT_CHECK(text.len <= CA_PASSKEY_RP_MAX, LT_PEER_MALFORMED, "\"%s\" of %zu bytes", name, text.len);
    *ret_text = lt_arena_cstr(a, text);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res read_blob(const json_t *o, const char *name, struct lt_arena *a, ProtobufCBinaryData *ret_blob)
{
    lt_slice blob;
    LT_TRY(jose_json_bytes(o, name, a, &blob));
    LT_CHECK(blob.len > 0 && blob.len <= CA_PASSKEY_CLIENT_DATA_MAX, LT_PEER_MALFORMED, "\"%s\" of %zu bytes",
             name, blob.len);
    *ret_blob = lend(blob);
    return LT_OK;
}

/* ---- log in ---- */

static lt_res read_login(struct notary_request *q, const json_t *payload, Ipc__SessionWanted *w)
{
    const json_t *passkey = json_object_get(payload, "passkey");
    w->spki = lend(q->jws.jwk.spki);
    w->thumbprint = lend(LT_SLICE(q->jws.jwk.thumbprint, JWK_THUMBPRINT_LEN));
    if (passkey != NULL) {
        LT_TRY(read_text(payload, "rp", &q->arena, &w->rp));
        return ca_api_passkey(passkey, &q->arena, &w->passkey);
    }
    bool by_certificate = false;
    LT_TRY(jose_json_optional_bool(payload, "certificate", &by_certificate));
    LT_CHECK(by_certificate, LT_PEER_MALFORMED, "\"passkey\" is missing");
    LT_CHECK(q->client_spki.len > 0, LT_PEER_UNAUTHORIZED,
             "the browser has shown no client certificate; use https, and choose yours");
    w->client_spki_sha256 = lend(q->client_spki);
    return LT_OK;
}

static lt_res make_call(struct notary_request *q, Ipc__OperatorCall *call)
{
    ipc__operator_call__init(call);
    call->op = (char *)(uintptr_t)q->api.route->what; /* packed, not kept */
    call->nonce = lt_arena_cstr(&q->arena, q->jws.nonce);
    call->remote_address = q->remote_address;
    call->jws = lend(q->raw);
    LT_CHECK(call->nonce != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res send_call(struct notary *n, struct notary_request *q, const Ipc__OperatorCall *call)
{
    return notary_ask(n, q, IPC_REGISTRAR,
                      &(struct notary_question){IPC_OPERATOR_CALL, NOTARY_OPERATOR, &call->base});
}

static lt_res send_login(struct notary *n, struct notary_request *q)
{
    Ipc__OperatorCall call;
    if (lt_failed(make_call(q, &call))) {
        return notary_refuse(n, q, NULL);
    }
    call.login = q->login;
    return send_call(n, q, &call);
}

/* Whose passkey is it? What the registrar answers comes to notary_login_key. */
static lt_res ask_key(struct notary *n, struct notary_request *q)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(bytes(q->login->passkey->credential_id), hash);
    char *id = lt_base64url(&q->arena, LT_SLICE(hash, sizeof hash));
    char *kid = id == NULL ? NULL : lt_arena_printf(&q->arena, CA_PASSKEY_KID "%s", id);
    if (kid == NULL) {
        return notary_refuse(n, q, NULL);
    }
    q->kid = lt_slice_cstr(kid);
    return notary_ask_key(n, q);
}

lt_res notary_login_key(struct notary *n, struct notary_request *q, const Ipc__KeyAnswer *answer)
{
    if (answer->found) {
        lt_res r = notary_fido_verify(bytes(answer->spki), q->login->rp, q->login->passkey);
        if (lt_failed(r)) { /* the registrar counts it, and says so */
            q->login->refused = lt_arena_cstr(&q->arena, lt_slice_cstr(lt_error_last()->detail));
            if (q->login->refused == NULL) {
                return notary_refuse(n, q, NULL);
            }
        }
    }
    return send_login(n, q);
}

static lt_res prepare_login(struct notary_request *q, const json_t *payload)
{
    q->login = LT_NEW(&q->arena, Ipc__SessionWanted);
    LT_CHECK(q->login != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__session_wanted__init(q->login);
    return read_login(q, payload, q->login);
}

/* ---- enrol ---- */

static lt_res check_new(const struct notary *n, struct notary_request *q, const Ipc__PasskeyWanted *w,
                        lt_slice client_data)
{
    struct lt_buf text;
    uint8_t challenge[CRYPTO_SHA256_LEN];
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(w->operator_)), LT_PEER_MALFORMED,
             "\"operator\" is no name");
    lt_buf_init(&text, CHALLENGE_MAX);
    lt_buf_addf(&text, "lintel-passkey-create-v1\nnonce=%.*s\noperator=%s\n", LT_FMT(q->jws.nonce),
                w->operator_);
    lt_res r = lt_buf_check(&text);
    crypto_sha256(lt_buf_slice(&text), challenge);
    lt_buf_done(&text);
    LT_TRY(r);
    LT_CHECK(ca_origins_have_rp(&n->options.origins, w->rp), LT_PEER_MALFORMED,
             "the console has not the name %s", w->rp);
    return ca_client_data_check(client_data, "webauthn.create", LT_SLICE(challenge, sizeof challenge),
                                &n->options.origins);
}

static lt_res read_enrolment(struct notary *n, struct notary_request *q, const json_t *payload,
                             Ipc__PasskeyWanted *w)
{
    ProtobufCBinaryData data = {0, NULL};
    ProtobufCBinaryData client_data = {0, NULL};
    struct notary_fido_new made;
    ipc__passkey_wanted__init(w);
    LT_TRY(read_text(payload, "operator", &q->arena, &w->operator_));
    LT_TRY(read_text(payload, "rp", &q->arena, &w->rp));
    LT_TRY(read_blob(payload, "authenticator-data", &q->arena, &data));
    LT_TRY(read_blob(payload, "client-data", &q->arena, &client_data));
    LT_TRY(read_blob(payload, "signature", &q->arena, &w->signature));
    LT_TRY(check_new(n, q, w, bytes(client_data)));
    LT_TRY(notary_fido_read(bytes(data), w->rp, &q->arena, &made));
    w->credential_id = lend(made.credential_id);
    w->spki = lend(made.spki);
    w->alg = (char *)(uintptr_t)made.alg; /* packed, not kept */
    w->sign_count = made.sign_count;
    w->enrolment_spki = lend(q->jws.jwk.spki);
    return LT_OK;
}

static lt_res send_enrolment(struct notary *n, struct notary_request *q, Ipc__PasskeyWanted *w)
{
    Ipc__OperatorCall call;
    if (lt_failed(make_call(q, &call))) {
        return notary_refuse(n, q, NULL);
    }
    call.passkey = w;
    return send_call(n, q, &call);
}

/* ---- begin ---- */

static lt_res check_request(struct notary_request *q, const Ipc__HttpRequest *m)
{
    const lt_slice scheme = LT_LIT(CA_API_URL_PREFIX);
    LT_CHECK(lt_slice_eq_nocase(lt_slice_cstr(m->content_type), LT_LIT("application/jose+json")),
             LT_PEER_MALFORMED, "the Content-Type of a change is application/jose+json");
    LT_TRY(jws_parse(q->raw, JWS_REQUEST, &q->arena, &q->jws));
    LT_CHECK(q->jws.has_jwk && q->jws.jwk.type == CRYPTO_KEY_P256, LT_PEER_MALFORMED,
             "this request brings its own key of P-256 along, as \"jwk\"");
    LT_CHECK(lt_slice_starts(q->jws.url, scheme) &&
                 lt_slice_eq_cstr(lt_slice_sub(q->jws.url, scheme.len, SIZE_MAX), m->path),
             LT_PEER_UNAUTHORIZED, "the request was signed for another URL than %s%s", CA_API_URL_PREFIX,
             m->path);
    return jws_verify(&q->jws, NULL);
}

static lt_res prepare(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m,
                      Ipc__PasskeyWanted *w)
{
    LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
    LT_TRY(check_request(q, m));
    q->client_spki = lt_arena_copy(&q->arena, bytes(m->client_spki_sha256));
    LT_TRY(jose_json_object(q->jws.payload, &payload));
    return strcmp(q->api.route->what, "session.open") == 0 ? prepare_login(q, payload)
                                                           : read_enrolment(n, q, payload, w);
}

lt_res notary_login_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    Ipc__PasskeyWanted w;
    lt_res r = prepare(n, q, m, &w);
    if (lt_failed(r)) {
        return notary_api_refuse(n, q, r);
    }
    if (q->login == NULL) {
        return send_enrolment(n, q, &w);
    }
    return q->login->passkey != NULL ? ask_key(n, q) : send_login(n, q);
}
