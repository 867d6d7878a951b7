/* See passkey.h. */
#include "ca/passkey.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pub.h"

enum { PASSKEYS_ARENA_MAX = 4 * 1024 * 1024, HEAD_LEN = 37, TEXT_MAX = 1024 };
/* WebAuthn 2, 6.1 "Bit 0: User Present (UP) result" … "Bit 2: User Verified (UV) result" */
enum { FLAG_PRESENT = 0x01, FLAG_VERIFIED = 0x04, FLAG_CREDENTIAL = 0x40, FLAG_EXTENSIONS = 0x80 };

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

/* ---- lists ---- */

void ca_passkeys_init(struct ca_passkeys *p)
{
    *p = (struct ca_passkeys){.count = 0};
    lt_arena_init(&p->arena, PASSKEYS_ARENA_MAX);
}

void ca_passkeys_done(struct ca_passkeys *p)
{
    lt_arena_done(&p->arena);
    p->list = NULL;
    p->count = 0;
}

const struct ca_passkey *ca_passkeys_find(const struct ca_passkeys *p, lt_slice id)
{
    for (size_t i = 0; p != NULL && i < p->count; i++) {
        if (lt_slice_eq(p->list[i].id, id)) {
            return &p->list[i];
        }
    }
    return NULL;
}

lt_res ca_passkeys_add(struct ca_passkeys *p, const struct ca_passkey *k)
{
    const struct ca_passkey *known = ca_passkeys_find(p, k->id);
    if (known != NULL) {
        LT_CHECK(strcmp(known->operator_, k->operator_) == 0 && lt_slice_eq(known->spki, k->spki),
                 LT_PEER_CONFLICT, "this passkey is that of %s already", known->operator_);
        return LT_OK;
    }
    if (p->list == NULL) {
        p->list = LT_NEW_ARRAY(&p->arena, struct ca_passkey, CA_PASSKEYS_MAX);
    }
    LT_CHECK(p->list != NULL && p->count < CA_PASSKEYS_MAX, LT_PEER_TOO_LARGE, "over %d passkeys",
             CA_PASSKEYS_MAX);
    struct ca_passkey own = {
        .operator_ = lt_arena_cstr(&p->arena, lt_slice_cstr(k->operator_)),
        .rp = lt_arena_cstr(&p->arena, lt_slice_cstr(k->rp)),
        .alg = lt_arena_cstr(&p->arena, lt_slice_cstr(k->alg)),
        .id = lt_arena_copy(&p->arena, k->id),
        .spki = lt_arena_copy(&p->arena, k->spki),
        .owner = lt_arena_copy(&p->arena, k->owner),
    };
    LT_CHECK(own.operator_ != NULL && own.rp != NULL && own.alg != NULL && own.id.ptr != NULL &&
                 own.spki.ptr != NULL,
             LT_PEER_TOO_LARGE, "too many passkeys");
    p->list[p->count++] = own;
    return LT_OK;
}

/* ---- origins ---- */

static void origin_add(struct ca_origins *o, const char *scheme, lt_slice host, lt_slice port)
{
    LT_ASSERT(o->count < CA_ORIGINS_MAX);
    char *at = o->list[o->count];
    int len = snprintf(at, CA_ORIGIN_SIZE, "%s://%.*s%s%.*s", scheme, LT_FMT(host), port.len > 0 ? ":" : "",
                       LT_FMT(port));
    o->count += len > 0 && len < CA_ORIGIN_SIZE;
}

/* Behind the last colon. */
static lt_slice port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon == NULL ? (lt_slice){NULL, 0} : lt_slice_cstr(colon + 1);
}

void ca_origins_of(const char *listen, const char *name, struct ca_origins *ret_origins)
{
    lt_slice port = port_of(listen);
    lt_slice host = lt_slice_cstr(name);
    *ret_origins = (struct ca_origins){.count = 0};
    origin_add(ret_origins, "http", LT_LIT("localhost"), port);
    origin_add(ret_origins, "https", LT_LIT("localhost"), port);
    if (host.len > 0 && !lt_slice_eq_cstr(host, "localhost")) {
        origin_add(ret_origins, "https", host, port);
        origin_add(ret_origins, "https", host, (lt_slice){NULL, 0});
    }
}

static lt_slice host_of(const char *origin)
{
    const char *host = strstr(origin, "://");
    LT_ASSERT(host != NULL);
    return lt_slice_sub(lt_slice_cstr(host + 3), 0, strcspn(host + 3, ":"));
}

bool ca_origins_have_rp(const struct ca_origins *o, const char *rp)
{
    for (size_t i = 0; i < o->count; i++) {
        if (lt_slice_eq_cstr(host_of(o->list[i]), rp)) {
            return true;
        }
    }
    return false;
}

/* ---- enrolment ---- */

static bool is_rp(lt_slice rp)
{
    bool good = rp.len > 0 && rp.len <= CA_PASSKEY_RP_MAX;
    for (size_t i = 0; i < rp.len && good; i++) {
        uint8_t c = rp.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }
    return good;
}

static bool alg_is_ours(const char *alg)
{
    return strcmp(alg, "ES256") == 0 || strcmp(alg, "EdDSA") == 0 || strcmp(alg, "RS256") == 0;
}

lt_res ca_passkey_check(const struct ca_passkey *k)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(k->operator_)), LT_PEER_MALFORMED,
             "a passkey belongs to an operator");
    LT_CHECK(is_rp(lt_slice_cstr(k->rp)), LT_PEER_MALFORMED, "a passkey is for a host name");
    LT_CHECK(k->id.len > 0 && k->id.len <= CA_PASSKEY_ID_MAX, LT_PEER_MALFORMED,
             "a credential's id of %zu bytes", k->id.len);
    LT_TRY(crypto_pub_new(k->spki, &pub));
    enum crypto_sig_alg alg = crypto_alg_by_name(lt_slice_cstr(k->alg));
    LT_CHECK(alg_is_ours(k->alg) && crypto_alg_fits(alg, crypto_pub_type(pub)), LT_PEER_UNSUPPORTED,
             "a passkey signs by ES256, EdDSA or RS256");
    return LT_OK;
}

lt_res ca_passkey_statement(const struct ca_passkey *k, struct lt_buf *out)
{
    LT_TRY(ca_passkey_check(k));
    lt_buf_addf(out, "lintel-passkey-v1\noperator=%s\nrp=%s\ncredential=", k->operator_, k->rp);
    lt_base64url_add(out, k->id);
    lt_buf_add_cstr(out, "\nkey=");
    lt_base64url_add(out, k->spki);
    lt_buf_add_byte(out, '\n');
    return lt_buf_check(out);
}

lt_res ca_passkey_signed(const struct ca_passkey *k, lt_slice enrolment_spki, lt_slice signature)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    struct lt_buf statement;
    LT_TRY(crypto_pub_new(enrolment_spki, &pub));
    LT_CHECK(crypto_pub_type(pub) == CRYPTO_KEY_P256, LT_PEER_UNSUPPORTED,
             "the key of a link is one of P-256");
    lt_buf_init(&statement, CA_PASSKEY_STATEMENT_MAX);
    lt_res r = ca_passkey_statement(k, &statement);
    if (!lt_failed(r)) {
        r = crypto_pub_verify_jose(pub, crypto_alg_by_name(LT_LIT("ES256")), lt_buf_slice(&statement),
                                   signature);
    }
    lt_buf_done(&statement);
    LT_TRY(r);
    return LT_OK;
}

static const struct ca_enrolment *enrolment_find(const struct ca_operator *o, lt_slice spki)
{
    for (size_t i = 0; i < o->enrolment_count; i++) {
        if (lt_slice_eq(o->enrolments[i].spki, spki)) {
            return &o->enrolments[i];
        }
    }
    return NULL;
}

bool ca_passkey_link_known(const struct ca_operators *operators, const char *operator_,
                           lt_slice enrolment_spki)
{
    const struct ca_operator *o = ca_operator_by_name(operators, lt_slice_cstr(operator_));
    return o != NULL && enrolment_find(o, enrolment_spki) != NULL;
}

lt_res ca_passkey_enrolled(const struct ca_operators *operators, const struct ca_passkey *k,
                           lt_slice enrolment_spki, lt_slice signature, lt_time now)
{
    const struct ca_operator *o = ca_operator_by_name(operators, lt_slice_cstr(k->operator_));
    LT_CHECK(o != NULL, LT_POLICY_APPROVAL, "there is no operator %s", k->operator_);
    const struct ca_enrolment *e = enrolment_find(o, enrolment_spki);
    LT_CHECK(e != NULL, LT_POLICY_APPROVAL, "this link is not for %s, or a newer one has replaced it",
             o->name);
    LT_CHECK(now.us < e->expires.us, LT_POLICY_APPROVAL,
             "this link has expired; make another with: lintel operator passkey %s", o->name);
    lt_res r = ca_passkey_signed(k, enrolment_spki, signature);
    LT_CHECK(!lt_failed(r), LT_POLICY_APPROVAL, "the link's key has not signed for this passkey");
    return LT_OK;
}

bool ca_passkey_is_of(const struct ca_passkey *k, const struct ca_operator *o)
{
    return strcmp(k->operator_, o->name) == 0 &&
           lt_slice_eq(k->owner, LT_SLICE(o->thumbprint, sizeof o->thumbprint)) &&
           !ca_passkey_refused(o, k->id);
}

bool ca_passkey_refused(const struct ca_operator *o, lt_slice id)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(id, hash);
    for (size_t i = 0; i < o->refused_count; i++) {
        if (lt_slice_eq(o->refused[i], LT_SLICE(hash, sizeof hash))) {
            return true;
        }
    }
    return false;
}

/* ---- answers ---- */

lt_res ca_session_text(const struct ca_session_text *s, struct lt_buf *out)
{
    lt_slice nonce = lt_slice_cstr(s->nonce);
    LT_CHECK(is_rp(lt_slice_cstr(s->rp)), LT_PEER_MALFORMED, "\"rp\" is a host name");
    LT_CHECK(nonce.len < TEXT_MAX && lt_slice_find(nonce, '\n') == nonce.len, LT_PEER_MALFORMED, "no nonce");
    lt_buf_addf(out, "lintel-session-v1\nnonce=%s\nrp=%s\nkey=", s->nonce, s->rp);
    lt_base64url_add(out, s->thumbprint);
    lt_buf_add_byte(out, '\n');
    return lt_buf_check(out);
}

static bool take(lt_slice *s, lt_slice expected)
{
    if (!lt_slice_starts(*s, expected)) {
        return false;
    }
    *s = lt_slice_sub(*s, expected.len, SIZE_MAX);
    return true;
}

/* With its closing quote. */
static bool take_origin(lt_slice *s, const struct ca_origins *origins)
{
    size_t end = lt_slice_find(*s, '"');
    lt_slice origin = lt_slice_sub(*s, 0, end);
    bool good = end < s->len && origins == NULL && lt_slice_find(origin, '\\') == origin.len;
    for (size_t i = 0; origins != NULL && end < s->len && i < origins->count; i++) {
        good = good || lt_slice_eq_cstr(origin, origins->list[i]);
    }
    *s = lt_slice_sub(*s, end + 1, SIZE_MAX);
    return good;
}

lt_res ca_client_data_check(lt_slice client_data, const char *type, lt_slice challenge,
                            const struct ca_origins *origins)
{
    struct lt_buf head;
    lt_slice rest = client_data;
    LT_CHECK(client_data.len <= CA_PASSKEY_CLIENT_DATA_MAX, LT_POLICY_APPROVAL, "client data of %zu bytes",
             client_data.len);
    lt_buf_init(&head, TEXT_MAX);
    lt_buf_addf(&head, "{\"type\":\"%s\",\"challenge\":\"", type);
    lt_base64url_add(&head, challenge);
    lt_buf_add_cstr(&head, "\",\"origin\":\"");
    bool good = !lt_buf_check(&head).code && take(&rest, lt_buf_slice(&head));
    lt_buf_done(&head);
    LT_CHECK(good, LT_POLICY_APPROVAL, "the passkey has answered something else");
    LT_CHECK(take_origin(&rest, origins), LT_POLICY_APPROVAL, "the passkey has answered another site's page");
    LT_CHECK(take(&rest, LT_LIT(",\"crossOrigin\":false")) && rest.len > 0 &&
                 (lt_slice_eq_cstr(rest, "}") || rest.ptr[0] == ','),
             LT_POLICY_APPROVAL, "the passkey has answered a page inside another one");
    return LT_OK;
}

/* rpIdHash (32), flags (1), signCount (4), extensions that nobody asked for. */
static lt_res read_head(lt_slice data, const char *rp, uint32_t *ret_sign_count)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_CHECK(data.len >= HEAD_LEN && data.len <= CA_PASSKEY_AUTHENTICATOR_DATA_MAX, LT_POLICY_APPROVAL,
             "authenticator data of %zu bytes", data.len);
    crypto_sha256(lt_slice_cstr(rp), hash);
    LT_CHECK(lt_slice_eq(lt_slice_sub(data, 0, sizeof hash), LT_SLICE(hash, sizeof hash)), LT_POLICY_APPROVAL,
             "the passkey has answered for another site");
    uint8_t flags = data.ptr[CRYPTO_SHA256_LEN];
    LT_CHECK((flags & FLAG_PRESENT) != 0 && (flags & FLAG_VERIFIED) != 0, LT_POLICY_APPROVAL,
             "the passkey has not verified who used it");
    LT_CHECK((flags & FLAG_CREDENTIAL) == 0 && ((flags & FLAG_EXTENSIONS) != 0) == (data.len > HEAD_LEN),
             LT_POLICY_APPROVAL, "authenticator data of another kind");
    const uint8_t *c = data.ptr + CRYPTO_SHA256_LEN + 1;
    *ret_sign_count = (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
    return LT_OK;
}

/* WebAuthn 2, 7.2 "verify that sig is a valid signature over the binary concatenation of authData and hash."
 */
static lt_res verify_signature(const struct ca_passkey *k, const Ipc__PasskeyAssertion *a)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    uint8_t message[CA_PASSKEY_AUTHENTICATOR_DATA_MAX + CRYPTO_SHA256_LEN];
    LT_TRY(crypto_pub_new(k->spki, &pub));
    memcpy(message, a->authenticator_data.data, a->authenticator_data.len);
    crypto_sha256(bytes(a->client_data), message + a->authenticator_data.len);
    lt_res r = crypto_pub_verify(pub, crypto_alg_by_name(lt_slice_cstr(k->alg)),
                                 LT_SLICE(message, a->authenticator_data.len + CRYPTO_SHA256_LEN),
                                 bytes(a->signature));
    LT_CHECK(!lt_failed(r), LT_POLICY_APPROVAL, "the passkey's signature does not verify");
    return LT_OK;
}

lt_res ca_passkey_verify(const struct ca_passkey *k, lt_slice text, const struct ca_origins *origins,
                         const Ipc__PasskeyAssertion *a, uint32_t *ret_sign_count)
{
    uint8_t challenge[CRYPTO_SHA256_LEN];
    LT_CHECK(lt_slice_eq(bytes(a->credential_id), k->id), LT_POLICY_APPROVAL, "another passkey has answered");
    crypto_sha256(text, challenge);
    LT_TRY(ca_client_data_check(bytes(a->client_data), "webauthn.get", LT_SLICE(challenge, sizeof challenge),
                                origins));
    LT_TRY(read_head(bytes(a->authenticator_data), k->rp, ret_sign_count));
    return verify_signature(k, a);
}
