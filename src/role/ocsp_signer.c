/* ocsp-signer: the keys of the OCSP responders, apart from those of the CA, so that strangers' questions
 * never queue before a CA key. It has no file: each key is drawn at the start of this process or when half of
 * its certificate's life is over, certified by way of registrar, examiner and signer like any other, and gone
 * with the process.
 *
 * It takes fields and writes the responses itself: good and revoked for the publisher, who reads the book,
 * "unknown" for the gateways, who know nothing. Refuses: any other bytes, an issuer that is not its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "ocsp.pb-c.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "signer/responder.h"

enum {
    RESPONDERS_MAX = 64,
    SUBJECTS_MAX = 256, /* of one message: some 15 ms */
    ASK_EVERY_MS = 2000,
    ASK_EVERY_MAX_MS = 300000, /* a certificate that is refused is not asked for each moment */
    RESPONSE_MAX = 4096,
    MESSAGE_ARENA_MAX = 1024 * 1024,
};

struct asking {
    uint64_t id; /* of the open question; 0: none */
    int64_t not_before_ms;
    int64_t wait_ms;
};

struct ocsp_signer {
    struct role_kit *kit;
    struct responder responders[RESPONDERS_MAX];
    struct asking asking[RESPONDERS_MAX];
    size_t count;
};

static struct responder *find(struct ocsp_signer *s, const char *issuer)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->responders[i].name, issuer) == 0) {
            return &s->responders[i];
        }
    }
    return NULL;
}

/* ---- certificates ---- */

static lt_res ask(struct ocsp_signer *s, size_t i)
{
    lt_slice spki;
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct asking *a = &s->asking[i];
    LT_TRY(responder_draw(&s->responders[i], &spki));
    crypto_sha256(spki, hash);
    Ipc__PublicKey key = IPC__PUBLIC_KEY__INIT;
    key.spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr}; /* packed, not kept */
    key.spki_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    key.type = IPC__KEY_TYPE__KEY_P256;
    key.bits = 256;
    Ipc__ResponderRequest m = IPC__RESPONDER_REQUEST__INIT;
    m.issuer = s->responders[i].name;
    m.key = &key;
    a->id = role_next_id(s->kit);
    a->wait_ms = a->wait_ms == 0 ? ASK_EVERY_MS : a->wait_ms * 2;
    a->wait_ms = a->wait_ms > ASK_EVERY_MAX_MS ? ASK_EVERY_MAX_MS : a->wait_ms;
    a->not_before_ms = lt_monotonic_ms() + a->wait_ms;
    return role_send(s->kit, IPC_REGISTRAR, ROLE_ANY, IPC_RESPONDER_REQUEST, a->id, &m.base);
}

static lt_res tick(void *self, lt_time now)
{
    struct ocsp_signer *s = self;
    for (size_t i = 0; i < s->count; i++) {
        if (responder_due(&s->responders[i], now) && lt_monotonic_ms() >= s->asking[i].not_before_ms &&
            role_linked(s->kit, IPC_REGISTRAR) && !role_draining(s->kit) && lt_failed(ask(s, i))) {
            lt_log_error("no certificate for an OCSP responder was asked for");
        }
    }
    return LT_OK;
}

static lt_res take(struct responder *r, const Ipc__ResponderCertificate *m)
{
    LT_CHECK(m->problem == NULL, LT_RETRY_UNAVAILABLE, "%s", m->problem->detail);
    return responder_accept(r, LT_SLICE(m->certificate.data, m->certificate.len),
                            LT_SLICE(m->issuer_certificate.data, m->issuer_certificate.len));
}

static lt_res on_certificate(void *self, const struct ipc_msg *m)
{
    struct ocsp_signer *s = self;
    for (size_t i = 0; i < s->count; i++) {
        if (s->asking[i].id == 0 || s->asking[i].id != m->from.id) {
            continue;
        }
        struct responder *r = &s->responders[i];
        s->asking[i].id = 0;
        if (lt_failed(take(r, (const Ipc__ResponderCertificate *)m->body))) {
            lt_log_error("an OCSP responder has no certificate");
            lt_metric_add("lintel_ocsp_certificates_refused_total", 1);
        } else {
            char until[LT_RFC3339_SIZE];
            lt_time_rfc3339(r->not_after, until);
            lt_log(LT_LOG_INFO, "OCSP responder certified", "issuer=%s until=%s", r->name, until);
            lt_metric_add("lintel_ocsp_certificates_total", 1);
            s->asking[i] = (struct asking){0};
        }
    }
    return LT_OK;
}

/* ---- answers ---- */

static lt_time whole(int64_t us)
{
    return lt_time_from_seconds(lt_time_seconds((lt_time){us}));
}

static lt_res sign_one(struct responder *r, const Ipc__OcspSign *q, const Ipc__OcspSubject *one, lt_time next,
                       uint8_t (*signatures)[RESPONDER_SIGNATURE_MAX], ProtobufCBinaryData *ret)
{
    const struct responder_subject subject = {
        .serial = LT_SLICE(one->serial.data, one->serial.len),
        .status = one->revoked ? X509_OCSP_REVOKED : X509_OCSP_GOOD,
        .reason = one->reason,
        .revoked = whole(one->revoked_us),
        .this_update = whole(q->this_us),
        .next_update = next,
    };
    for (size_t h = 0; h < X509_OCSP_HASHES; h++) {
        LT_TRY(responder_sign(r, (enum x509_ocsp_hash)h, &subject, signatures[h], &ret[h].len));
        ret[h].data = signatures[h];
    }
    return LT_OK;
}

static lt_res sign_all(struct responder *r, const Ipc__OcspSign *q, uint8_t (*room)[RESPONDER_SIGNATURE_MAX],
                       Ipc__OcspSigned *answer)
{
    lt_time now = lt_now();
    lt_time next = whole(q->next_us < r->not_after.us ? q->next_us : r->not_after.us);
    LT_CHECK(responder_ready(r, now), LT_RETRY_UNAVAILABLE, "the responder of %s has no certificate yet",
             r->name);
    LT_CHECK(q->n_subjects <= SUBJECTS_MAX, LT_PEER_TOO_LARGE, "over %d subjects at once", SUBJECTS_MAX);
    for (size_t i = 0; i < q->n_subjects; i++) {
        LT_TRY(sign_one(r, q, q->subjects[i], next, room + i * X509_OCSP_HASHES,
                        answer->signatures + i * X509_OCSP_HASHES));
    }
    answer->n_signatures = q->n_subjects * X509_OCSP_HASHES;
    answer->next_us = next.us;
    answer->certificate = (ProtobufCBinaryData){r->certificate_len, r->certificate};
    lt_metric_add("lintel_ocsp_signatures_total", answer->n_signatures);
    return LT_OK;
}

static lt_res on_sign(void *self, const struct ipc_msg *m)
{
    static uint8_t room[SUBJECTS_MAX * X509_OCSP_HASHES]
                       [RESPONDER_SIGNATURE_MAX]; /* too large for the stack */
    static ProtobufCBinaryData signatures[SUBJECTS_MAX * X509_OCSP_HASHES];
    struct ocsp_signer *s = self;
    const Ipc__OcspSign *q = (const Ipc__OcspSign *)m->body;
    struct responder *r = find(s, q->issuer);
    char detail[sizeof lt_error_last()->detail] = "no such responder";
    Ipc__OcspSigned answer = IPC__OCSP_SIGNED__INIT;
    answer.signatures = signatures;
    lt_res res = r == NULL ? (lt_res){LT_PEER_NOT_FOUND} : sign_all(r, q, room, &answer);
    if (lt_failed(res)) {
        if (r != NULL) {
            memcpy(detail, lt_error_last()->detail, sizeof detail);
        }
        answer = (Ipc__OcspSigned)IPC__OCSP_SIGNED__INIT;
        answer.detail = detail;
    }
    answer.ok = !lt_failed(res);
    return role_reply(s->kit, &m->from, IPC_OCSP_SIGNED, &answer.base);
}

static lt_res on_unknown(void *self, const struct ipc_msg *m)
{
    struct ocsp_signer *s = self;
    const Ipc__OcspUnknown *q = (const Ipc__OcspUnknown *)m->body;
    struct responder *r = find(s, q->issuer);
    struct lt_buf out;
    lt_buf_init(&out, RESPONSE_MAX);
    bool ok = r != NULL && q->hash < X509_OCSP_HASHES &&
              !lt_failed(responder_unknown(r, (enum x509_ocsp_hash)q->hash,
                                           LT_SLICE(q->serial.data, q->serial.len), lt_now(), &out));
    Ipc__OcspUnknownSigned answer = IPC__OCSP_UNKNOWN_SIGNED__INIT;
    answer.ok = ok;
    answer.response = (ProtobufCBinaryData){ok ? out.len : 0, out.ptr};
    lt_res res = role_reply(s->kit, &m->from, IPC_OCSP_UNKNOWN_SIGNED, &answer.base);
    lt_buf_done(&out);
    lt_metric_add("lintel_ocsp_unknown_total", 1);
    return res;
}

/* ---- life ---- */

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    struct ocsp_signer *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->kit = kit;
    crypto_start();
    crypto_key_lock_memory();
    LT_CHECK(m->n_issuers <= RESPONDERS_MAX, LT_PEER_USAGE, "over %d issuers with OCSP", RESPONDERS_MAX);
    for (size_t i = 0; i < m->n_issuers; i++) {
        lt_slice spki;
        LT_TRY(responder_init(m->issuers[i]->issuer, &s->responders[i]));
        LT_TRY(responder_draw(&s->responders[i], &spki)); /* what libcrypto loads for it is loaded now */
        s->count++;
    }
    *ret_self = s;
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_RESPONDER_CERTIFICATE, on_certificate},
    {IPC_PUBLISHER, IPC_OCSP_SIGN, on_sign},
    {IPC_GATEWAY, IPC_OCSP_UNKNOWN, on_unknown},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_OCSP_SIGNER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_OCSP_SIGNER],
        .message_arena_max = MESSAGE_ARENA_MAX,
        .start = start,
        .tick = tick,
    };
    return role_main(&spec);
}
