/* Requests that carry a second proof: a CSR (finalize), a certificate (revocation), another JWS (key change).
 */
#include <string.h>

#include "acme/wire_private.h"
#include "crypto/digest.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/dnsname.h"

/* CSR. */

struct names {
    Ipc__Identifier *list[WIRE_IDENTIFIERS_MAX];
    size_t count;
};

/* Sorted by type and value, each once. */
static lt_res add_name(struct wire_reader *r, struct names *names, lt_slice type, lt_slice value)
{
    Ipc__Identifier *id = LT_NEW(r->arena, Ipc__Identifier);
    LT_CHECK(id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(wire_identifier(r, type, value, id));
    size_t at = 0;
    for (; at < names->count; at++) {
        int order = strcmp(id->type, names->list[at]->type);
        order = order == 0 ? strcmp(id->value, names->list[at]->value) : order;
        if (order == 0) {
            return LT_OK;
        }
        if (order < 0) {
            break;
        }
    }
    LT_CHECK(names->count < WIRE_IDENTIFIERS_MAX, LT_PEER_MALFORMED, "the CSR has more than %d names",
             WIRE_IDENTIFIERS_MAX);
    memmove(&names->list[at + 1], &names->list[at], (names->count - at) * sizeof names->list[0]);
    names->list[at] = id;
    names->count++;
    return LT_OK;
}

static lt_res add_san(struct wire_reader *r, struct names *names, const struct x509_general_name *name)
{
    if (name->type == X509_GN_DNS) {
        return add_name(r, names, LT_LIT("dns"), name->value);
    }
    LT_CHECK(name->type == X509_GN_IP, LT_PEER_MALFORMED,
             "the CSR's subjectAltName has something other than DNS names and addresses");
    LT_CLEANUP(lt_buf_done) struct lt_buf text;
    lt_buf_init(&text, 64);
    LT_TRY(x509_ip_text(name->value, &text));
    return add_name(r, names, LT_LIT("ip"), lt_buf_slice(&text));
}

static lt_res add_common_names(struct wire_reader *r, struct names *names, const struct x509_name *subject)
{
    const struct x509_attribute *cn;
    for (size_t n = 0; (cn = x509_name_find(subject, X509_OID_CN, n)) != NULL; n++) {
        LT_CLEANUP(lt_buf_done) struct lt_buf text;
        lt_buf_init(&text, 1024);
        x509_attribute_text(cn, &text);
        LT_TRY(lt_buf_check(&text));
        struct x509_ip ip;
        bool address = !lt_failed(x509_ip_parse(lt_buf_slice(&text), &ip));
        LT_TRY(add_name(r, names, address ? LT_LIT("ip") : LT_LIT("dns"), lt_buf_slice(&text)));
    }
    return LT_OK;
}

static lt_res check_csr_key(struct wire_reader *r, const struct x509_csr *csr)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *key = NULL;
    LT_TRY(crypto_pub_import(&csr->spki, &key));
    /*= RFC 8555 11.1 "when a server receives a finalize request, it MUST verify that the public key in a CSR
     *= is not the same as the public key of the account key pair used to authenticate that request." */
    LT_CHECK(!lt_slice_eq(csr->spki.der, r->signer_spki), LT_PEER_MALFORMED,
             "the CSR has the account's own key");
    lt_res verified = crypto_pub_verify_request(key, (enum crypto_sig_alg)csr->sig_alg, csr->info,
                                                csr->signature);
    LT_CHECK(!lt_failed(verified), LT_PEER_MALFORMED, "the CSR's signature does not verify with its own key");
    return LT_OK;
}

static lt_res read_csr(struct wire_reader *r, lt_slice der, Ipc__AcmeFinalize *m)
{
    struct x509_csr csr;
    struct names names = {.count = 0};
    LT_TRY(x509_csr_parse(der, r->arena, &csr));
    LT_TRY(check_csr_key(r, &csr));
    /*= RFC 8555 7.4 "The CSR MUST indicate the exact same set of requested identifiers as the initial
     *= newOrder request. Identifiers of type "dns" MUST appear either in the commonName portion of the
     *= requested subject name or in an extensionRequest attribute [RFC2985] requesting a subjectAltName
     *= extension, or both." */
    for (size_t i = 0; i < csr.ext.san.count; i++) {
        LT_TRY(add_san(r, &names, &csr.ext.san.list[i]));
    }
    LT_TRY(add_common_names(r, &names, &csr.subject));
    LT_CHECK(names.count > 0, LT_PEER_MALFORMED, "the CSR names nothing");
    LT_CHECK(!csr.ext.has_basic_constraints || !csr.ext.ca, LT_PEER_MALFORMED, "the CSR asks for a CA");
    m->names = LT_NEW_ARRAY(r->arena, Ipc__Identifier *, names.count);
    m->key = LT_NEW(r->arena, Ipc__PublicKey);
    LT_CHECK(m->names != NULL && m->key != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    memcpy(m->names, names.list, names.count * sizeof names.list[0]);
    m->n_names = names.count;
    m->csr = wire_bytes(der);
    m->must_staple = csr.ext.must_staple;
    uint8_t *print = lt_arena_alloc(r->arena, JWK_THUMBPRINT_LEN);
    LT_CHECK(print != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(jwk_thumbprint(csr.spki.der, print));
    m->key_thumbprint = (ProtobufCBinaryData){JWK_THUMBPRINT_LEN, print};
    return wire_public_key(r->arena, csr.spki.der, m->key);
}

lt_res wire_read_csr(struct wire_reader *r, lt_slice der, Ipc__AcmeFinalize *finalize)
{
    lt_res result = read_csr(r, der, finalize);
    r->problem_type = lt_failed(result) ? "badCSR" : NULL;
    return result;
}

lt_res wire_read_finalize(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    lt_slice der;
    LT_TRY(jose_json_bytes(payload, "csr", r->arena, &der));
    Ipc__AcmeFinalize *m = LT_NEW(r->arena, Ipc__AcmeFinalize);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_finalize__init(m);
    LT_TRY(wire_read_csr(r, der, m));
    call->op = IPC__ACME_OP__ACME_FINALIZE;
    call->finalize = m;
    return LT_OK;
}

/* Revocation. */

/*= RFC 8555 7.6 "If a request contains a disallowed reasonCode, then the server MUST reject it with the
 *= error type "urn:ietf:params:acme:error:badRevocationReason"." */
static bool reason_may_be_asked(json_int_t reason)
{
    static const json_int_t allowed[] = {0, 1, 3, 4, 5};
    for (size_t i = 0; i < LT_COUNT(allowed); i++) {
        if (allowed[i] == reason) {
            return true;
        }
    }
    return false;
}

static lt_res read_reason(struct wire_reader *r, const json_t *payload, uint32_t *ret_reason)
{
    const json_t *reason = json_object_get(payload, "reason");
    if (reason == NULL) {
        *ret_reason = 0;
        return LT_OK;
    }
    LT_CHECK(json_is_integer(reason), LT_PEER_MALFORMED, "\"reason\" is not an integer");
    bool good = reason_may_be_asked(json_integer_value(reason));
    r->problem_type = good ? NULL : "badRevocationReason";
    LT_CHECK(good, LT_PEER_MALFORMED,
             "reason %" JSON_INTEGER_FORMAT " cannot be asked for; 0 unspecified, 1 keyCompromise, "
             "3 affiliationChanged, 4 superseded, 5 cessationOfOperation can",
             json_integer_value(reason));
    *ret_reason = (uint32_t)json_integer_value(reason);
    return LT_OK;
}

static lt_res hash_of(struct wire_reader *r, lt_slice bytes, ProtobufCBinaryData *ret_hash)
{
    uint8_t *hash = lt_arena_alloc(r->arena, CRYPTO_SHA256_LEN);
    LT_CHECK(hash != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    crypto_sha256(bytes, hash);
    *ret_hash = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
    return LT_OK;
}

lt_res wire_read_revoke(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    lt_slice der;
    struct x509_cert cert;
    LT_TRY(jose_json_bytes(payload, "certificate", r->arena, &der));
    Ipc__AcmeRevoke *m = LT_NEW(r->arena, Ipc__AcmeRevoke);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_revoke__init(m);
    LT_TRY(x509_cert_parse(der, r->arena, &cert));
    LT_TRY(read_reason(r, payload, &m->reason));
    LT_TRY(hash_of(r, cert.issuer.der, &m->issuer_name_sha256));
    LT_TRY(hash_of(r, der, &m->certificate_sha256));
    LT_TRY(hash_of(r, cert.spki.der, &m->spki_sha256));
    m->certificate = wire_bytes(der);
    m->serial = wire_bytes(x509_serial_magnitude(cert.serial));
    /* Signed with a jwk: then it must be the certificate's own key, and not an account's. */
    bool by_jwk = call->account_id == 0;
    LT_CHECK(!by_jwk || lt_slice_eq(cert.spki.der, r->signer_spki), LT_PEER_UNAUTHORIZED,
             "the request is signed neither by an account nor with the certificate's key");
    m->by_certificate_key = by_jwk;
    call->op = IPC__ACME_OP__ACME_REVOKE;
    call->revoke = m;
    return LT_OK;
}

/* Key change. */

static lt_res read_inner_payload(struct wire_reader *r, const json_t *payload, const struct jws *outer,
                                 Ipc__AcmeKeyChange *m)
{
    lt_slice account;
    struct jwk old;
    LT_TRY(jose_json_string(payload, "account", &account));
    /*= RFC 8555 7.3.5 "Check that the "account" field of the keyChange object contains the URL for the
     *= account matching the old key (i.e., the "kid" field in the outer JWS)." */
    LT_CHECK(lt_slice_eq(account, outer->kid), LT_PEER_MALFORMED,
             "\"account\" of the inner payload is not the account that signed the outer JWS");
    LT_TRY(wire_cstr(r, account, &m->inner_account));
    const json_t *old_key = json_object_get(payload, "oldKey");
    LT_CHECK(old_key != NULL, LT_PEER_MALFORMED, "\"oldKey\" is missing");
    lt_res parsed = jwk_parse(old_key, r->arena, &old);
    LT_CHECK(!lt_failed(parsed), LT_PEER_MALFORMED, "\"oldKey\": %s", lt_error_last()->detail);
    /*= RFC 8555 7.3.5 "Check that the "oldKey" field of the keyChange object is the same as the account key
     *= for the account in question." */
    LT_CHECK(lt_slice_eq(old.spki, r->signer_spki), LT_PEER_MALFORMED, "\"oldKey\" is not the account's key");
    lt_slice print = lt_arena_copy(r->arena, LT_SLICE(old.thumbprint, sizeof old.thumbprint));
    LT_CHECK(print.ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    m->old_thumbprint = wire_bytes(print);
    return LT_OK;
}

static lt_res read_key_change(struct wire_reader *r, const struct jws *outer, Ipc__AcmeKeyChange *m)
{
    LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
    struct jws inner;
    LT_TRY(jws_parse(outer->payload, JWS_KEY_CHANGE, r->arena, &inner));
    /*= RFC 8555 7.3.5 "Check that the inner JWS verifies using the key in its "jwk" field." */
    lt_res verified = jws_verify(&inner, NULL);
    LT_CHECK(verified.code != LT_PEER_UNAUTHORIZED, LT_PEER_MALFORMED,
             "the inner JWS does not verify with the new key");
    LT_TRY(verified);
    /*= RFC 8555 7.3.5 "Check that the "url" parameters of the inner and outer JWSs are the same." */
    LT_CHECK(lt_slice_eq(inner.url, outer->url), LT_PEER_MALFORMED,
             "the \"url\" of inner and outer JWS differ");
    LT_TRY(jose_json_object(inner.payload, &payload));
    LT_TRY(read_inner_payload(r, payload, outer, m));
    lt_slice print = lt_arena_copy(r->arena, LT_SLICE(inner.jwk.thumbprint, sizeof inner.jwk.thumbprint));
    m->new_key = LT_NEW(r->arena, Ipc__PublicKey);
    m->new_alg = lt_arena_cstr(r->arena, lt_slice_cstr(crypto_alg_name(inner.alg)));
    LT_CHECK(print.ptr != NULL && m->new_key != NULL && m->new_alg != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    m->new_thumbprint = wire_bytes(print);
    return wire_public_key(r->arena, inner.jwk.spki, m->new_key);
}

lt_res wire_read_key_change(struct wire_reader *r, const struct jws *outer, Ipc__AcmeCall *call)
{
    Ipc__AcmeKeyChange *m = LT_NEW(r->arena, Ipc__AcmeKeyChange);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_key_change__init(m);
    LT_TRY(read_key_change(r, outer, m));
    call->op = IPC__ACME_OP__ACME_KEY_CHANGE;
    call->key_change = m;
    return LT_OK;
}
