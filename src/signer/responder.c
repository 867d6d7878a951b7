/* A delegated OCSP responder. */
#include "signer/responder.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "x509/cert.h"

enum { PARSE_ARENA_MAX = 256 * 1024, DATA_MAX = 1024, REASON_MAX = 10 };

static void key_done(struct responder_key *k)
{
    crypto_key_free(k->key);
    *k = (struct responder_key){0};
}

lt_res responder_init(const char *issuer, struct responder *ret_responder)
{
    *ret_responder = (struct responder){0};
    LT_CHECK(strlen(issuer) < sizeof ret_responder->name, LT_PEER_USAGE, "the issuer's name is too long");
    (void)snprintf(ret_responder->name, sizeof ret_responder->name, "%s", issuer); /* measured */
    return LT_OK;
}

void responder_done(struct responder *r)
{
    key_done(&r->now);
    key_done(&r->next);
}

bool responder_ready(const struct responder *r, lt_time now)
{
    return r->now.key != NULL && now.us >= r->not_before.us && now.us < r->not_after.us;
}

bool responder_due(const struct responder *r, lt_time now)
{
    return !responder_ready(r, now) || now.us - r->not_before.us > (r->not_after.us - r->not_before.us) / 2;
}

/*= RFC 6960 4.2.1 "SHA-1 hash of responder's public key (excluding the tag and length fields)" */
static void public_key_sha1(lt_slice bits, uint8_t ret_hash[20])
{
    crypto_sha1(bits, ret_hash);
}

lt_res responder_draw(struct responder *r, lt_slice *ret_spki)
{
    if (r->next.key == NULL) {
        LT_TRY(crypto_key_generate(CRYPTO_KEY_P256, 0, &r->next.key));
    }
    *ret_spki = crypto_key_spki(r->next.key);
    return LT_OK;
}

static bool has_purpose(const struct x509_cert *c)
{
    return c->ext.eku_count == 1 && x509_has_eku(&c->ext, X509_OID_OCSP_SIGNING);
}

static lt_res check(const struct responder *r, const struct x509_cert *c, const struct x509_cert *by)
{
    LT_CHECK(r->next.key != NULL && lt_slice_eq(c->spki.der, crypto_key_spki(r->next.key)), LT_PEER_CONFLICT,
             "a certificate for another key than the one that was drawn");
    LT_CHECK(lt_slice_eq(c->issuer.der, by->subject.der) && by->ext.ca, LT_PEER_CONFLICT,
             "a certificate of another issuer");
    /*= RFC 6960 4.2.2.2 "This certificate MUST be issued directly by the CA that is identified in the
     * request."
     */
    LT_CHECK(has_purpose(c) && !c->ext.ca, LT_PEER_CONFLICT, "no certificate of an OCSP responder");
    LT_CHECK(c->not_before.us < c->not_after.us, LT_PEER_CONFLICT, "a certificate that is never valid");
    return LT_OK;
}

static void take_issuer(struct responder *r, const struct x509_cert *by)
{
    crypto_sha1(by->subject.der, r->name_hash[X509_OCSP_SHA1]);
    crypto_sha256(by->subject.der, r->name_hash[X509_OCSP_SHA256]);
    crypto_sha1(by->spki.key, r->issuer_hash[X509_OCSP_SHA1]);
    crypto_sha256(by->spki.key, r->issuer_hash[X509_OCSP_SHA256]);
}

static lt_res accept(struct responder *r, struct lt_arena *a, lt_slice certificate, lt_slice issuer)
{
    struct x509_cert c;
    struct x509_cert by;
    LT_CHECK(certificate.len <= sizeof r->certificate, LT_PEER_TOO_LARGE,
             "the responder's certificate is too large");
    LT_TRY(x509_cert_parse(certificate, a, &c));
    LT_TRY(x509_cert_parse(issuer, a, &by));
    LT_TRY(check(r, &c, &by));
    take_issuer(r, &by);
    key_done(&r->now);
    r->now = r->next;
    r->next = (struct responder_key){0};
    public_key_sha1(c.spki.key, r->now.key_hash);
    memcpy(r->certificate, certificate.ptr, certificate.len);
    r->certificate_len = certificate.len;
    r->not_before = c.not_before;
    r->not_after = c.not_after;
    return LT_OK;
}

lt_res responder_accept(struct responder *r, lt_slice certificate, lt_slice issuer)
{
    struct lt_arena a;
    lt_arena_init(&a, PARSE_ARENA_MAX);
    lt_res res = accept(r, &a, certificate, issuer);
    lt_arena_done(&a);
    return res;
}

static lt_res write_data(const struct responder *r, enum x509_ocsp_hash hash,
                         const struct responder_subject *s, struct lt_buf *out)
{
    size_t len = x509_ocsp_hash_len(hash);
    const struct x509_ocsp_data d = {
        .responder_key_hash = LT_SLICE(r->now.key_hash, sizeof r->now.key_hash),
        .produced = s->this_update,
        .certid = {hash, LT_SLICE(r->name_hash[hash], len), LT_SLICE(r->issuer_hash[hash], len), s->serial},
        .status = s->status,
        .revoked = s->revoked,
        .reason = s->reason,
        .this_update = s->this_update,
        .next_update = s->next_update,
    };
    LT_CHECK(s->serial.len > 0 && s->serial.len <= X509_OCSP_SERIAL_MAX, LT_POLICY_REFUSED,
             "a serial has 1 to 20 bytes");
    LT_CHECK(s->reason <= REASON_MAX && (s->reason == 0 || s->status == X509_OCSP_REVOKED), LT_POLICY_REFUSED,
             "a reason that there is not");
    LT_CHECK(s->next_update.us > s->this_update.us && s->next_update.us <= r->not_after.us, LT_POLICY_REFUSED,
             "an answer that ends before it begins, or outlives its responder");
    return x509_ocsp_data_write(&d, out);
}

static lt_res sign(struct responder *r, lt_slice data, uint8_t *ret_signature, size_t *ret_len)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    LT_CHECK(r->now.key != NULL, LT_RETRY_UNAVAILABLE, "the responder of %s has no certificate yet", r->name);
    LT_TRY(crypto_key_sign(r->now.key, CRYPTO_ES256, data, signature, ret_len));
    LT_CHECK(*ret_len <= RESPONDER_SIGNATURE_MAX, LT_STATE_CRYPTO, "a signature of %zu bytes", *ret_len);
    memcpy(ret_signature, signature, *ret_len);
    return LT_OK;
}

lt_res responder_sign(struct responder *r, enum x509_ocsp_hash hash, const struct responder_subject *s,
                      uint8_t *ret_signature, size_t *ret_len)
{
    struct lt_buf data;
    lt_buf_init(&data, DATA_MAX);
    lt_res res = write_data(r, hash, s, &data);
    res = lt_failed(res) ? res : sign(r, lt_buf_slice(&data), ret_signature, ret_len);
    lt_buf_done(&data);
    return res;
}

lt_res responder_unknown(struct responder *r, enum x509_ocsp_hash hash, lt_slice serial, lt_time now,
                         struct lt_buf *out)
{
    uint8_t signature[RESPONDER_SIGNATURE_MAX];
    size_t len = 0;
    struct lt_buf data;
    lt_time from = lt_time_from_seconds(lt_time_seconds(now));
    const struct responder_subject s = {.serial = serial,
                                        .status = X509_OCSP_UNKNOWN,
                                        .this_update = from,
                                        .next_update = lt_time_add_seconds(from, RESPONDER_UNKNOWN_S)};
    LT_CHECK(responder_ready(r, now), LT_RETRY_UNAVAILABLE, "the responder of %s has no certificate",
             r->name);
    lt_buf_init(&data, DATA_MAX);
    lt_res res = write_data(r, hash, &s, &data);
    res = lt_failed(res) ? res : sign(r, lt_buf_slice(&data), signature, &len);
    if (!lt_failed(res)) {
        res = x509_ocsp_response_write(lt_buf_slice(&data), X509_SIG_ECDSA_SHA256, LT_SLICE(signature, len),
                                       LT_SLICE(r->certificate, r->certificate_len), out);
    }
    lt_buf_done(&data);
    return res;
}
