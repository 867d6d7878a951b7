/* Rows of OCSP on their way to the ocsp-signer and back: some questions at a time, so that it never waits for
 * us and the gateways' questions never wait behind more than these. Of each answer the first signature is
 * verified over the bytes that a gateway will write: what is signed and what is served are written by two
 * programs. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "ocsp.pb-c.h"
#include "role/publisher_ocsp.h"
#include "x509/cert.h"

enum { ANSWER_WAIT_MS = 30000, RETRY_MS = 1000, PARSE_ARENA_MAX = 256 * 1024, DATA_MAX = 1024 };

static bool needs(const struct ca_ocsp_row *row)
{
    return row->signature_len[0] == 0;
}

void sheet_begin(struct sheet *s, struct ca_ocsp_row *rows, size_t count)
{
    s->rows = rows;
    s->count = count;
    s->at = 0;
    s->open = 0;
    memset(s->questions, 0, sizeof s->questions);
}

/* The next rows of one issuer that need it. */
static void fill(struct sheet *s, struct sheet_question *q)
{
    *q = (struct sheet_question){0};
    for (; s->at < s->count && q->count < SHEET_BATCH; s->at++) {
        const struct ca_ocsp_row *row = &s->rows[s->at];
        if (!needs(row)) {
            continue;
        }
        if (q->count > 0 && row->issuer != s->rows[q->rows[0]].issuer) {
            break;
        }
        q->rows[q->count++] = (uint32_t)s->at;
    }
    s->open += q->count > 0;
}

static lt_res send_question(struct sheet *s, struct sheet_question *q, lt_time now)
{
    Ipc__OcspSubject subjects[SHEET_BATCH];
    Ipc__OcspSubject *list[SHEET_BATCH];
    Ipc__OcspSign m = IPC__OCSP_SIGN__INIT;
    for (size_t i = 0; i < q->count; i++) {
        struct ca_ocsp_row *row = &s->rows[q->rows[i]];
        ipc__ocsp_subject__init(&subjects[i]);
        subjects[i].serial = (ProtobufCBinaryData){row->serial_len, row->serial};
        subjects[i].revoked = row->status == X509_OCSP_REVOKED;
        subjects[i].reason = row->reason;
        subjects[i].revoked_us = lt_time_from_seconds(row->revoked_s).us;
        list[i] = &subjects[i];
    }
    q->from = lt_time_from_seconds(lt_time_seconds(now));
    m.issuer = (char *)(uintptr_t)s->source->issuers[s->rows[q->rows[0]].issuer]->name; /* packed, not kept */
    m.this_us = q->from.us;
    m.next_us = lt_time_add_seconds(q->from, ca_ocsp_times_at(now).valid_s).us;
    m.subjects = list;
    m.n_subjects = q->count;
    q->id = role_next_id(s->kit);
    q->due_ms = lt_monotonic_ms() + ANSWER_WAIT_MS;
    return role_send(s->kit, IPC_OCSP_SIGNER, ROLE_ANY, IPC_OCSP_SIGN, q->id, &m.base);
}

static void put_off(struct sheet_question *q)
{
    q->id = 0;
    q->due_ms = lt_monotonic_ms() + RETRY_MS;
}

void sheet_send(struct sheet *s, lt_time now)
{
    for (size_t i = 0; i < SHEET_QUESTIONS; i++) {
        struct sheet_question *q = &s->questions[i];
        if (q->count == 0) {
            fill(s, q);
        }
        bool due = q->count > 0 && lt_monotonic_ms() >= q->due_ms; /* never sent, put off, or given up */
        if (due && (!role_linked(s->kit, IPC_OCSP_SIGNER) || lt_failed(send_question(s, q, now)))) {
            put_off(q);
        }
    }
}

bool sheet_done(const struct sheet *s)
{
    return s->at >= s->count && s->open == 0;
}

void sheet_ask_again(struct sheet *s)
{
    for (size_t i = 0; i < SHEET_QUESTIONS; i++) {
        if (s->questions[i].count > 0) {
            put_off(&s->questions[i]);
        }
    }
}

/* ---- answers ---- */

static lt_res read_responder(lt_slice der, struct ca_ocsp_responder *ret)
{
    struct x509_cert c;
    struct lt_arena a;
    lt_arena_init(&a, PARSE_ARENA_MAX);
    lt_res r = x509_cert_parse(der, &a, &c);
    if (!lt_failed(r)) {
        *ret = (struct ca_ocsp_responder){.len = (uint32_t)der.len,
                                          .not_after_s = lt_time_seconds(c.not_after)};
        crypto_sha1(c.spki.key, ret->key_hash);
        memcpy(ret->certificate, der.ptr, der.len);
    }
    lt_arena_done(&a);
    return r;
}

int sheet_responder(struct sheet_responders *r, lt_slice certificate)
{
    for (size_t i = 0; i < r->count; i++) {
        if (lt_slice_eq(LT_SLICE(r->list[i].certificate, r->list[i].len), certificate)) {
            return (int)i;
        }
    }
    if (r->count == CA_OCSP_RESPONDERS_MAX || certificate.len == 0 ||
        certificate.len > CA_OCSP_CERTIFICATE_MAX ||
        lt_failed(read_responder(certificate, &r->list[r->count]))) {
        return -1;
    }
    return (int)r->count++;
}

static lt_res verify_data(const struct sheet *s, const struct ca_ocsp_row *row, struct crypto_pub *pub,
                          enum x509_ocsp_hash hash)
{
    struct x509_ocsp_data data;
    struct lt_buf tbs;
    ca_ocsp_row_data(row, &s->issuers[row->issuer], &s->responders->list[row->responder], hash, &data);
    lt_buf_init(&tbs, DATA_MAX);
    lt_res r = x509_ocsp_data_write(&data, &tbs);
    r = lt_failed(r) ? r
                     : crypto_pub_verify(pub, CRYPTO_ES256, lt_buf_slice(&tbs),
                                         LT_SLICE(row->signature[hash], row->signature_len[hash]));
    lt_buf_done(&tbs);
    return r;
}

static lt_res verify(const struct sheet *s, const struct ca_ocsp_row *row)
{
    const struct ca_ocsp_responder *by = &s->responders->list[row->responder];
    struct x509_cert c;
    struct crypto_pub *pub = NULL;
    struct lt_arena a;
    lt_arena_init(&a, PARSE_ARENA_MAX);
    lt_res r = x509_cert_parse(LT_SLICE(by->certificate, by->len), &a, &c);
    r = lt_failed(r) ? r : crypto_pub_new(c.spki.der, &pub);
    for (size_t h = 0; !lt_failed(r) && h < X509_OCSP_HASHES; h++) {
        r = verify_data(s, row, pub, (enum x509_ocsp_hash)h);
    }
    if (pub != NULL) {
        crypto_pub_free(pub);
    }
    lt_arena_done(&a);
    return r;
}

static lt_res fill_row(struct ca_ocsp_row *row, const struct sheet_question *q, const Ipc__OcspSigned *m,
                       const ProtobufCBinaryData *signatures)
{
    for (size_t h = 0; h < X509_OCSP_HASHES; h++) {
        LT_CHECK(signatures[h].len > 0 && signatures[h].len <= CA_OCSP_SIGNATURE_MAX, LT_PEER_MALFORMED,
                 "a signature of %zu bytes", signatures[h].len);
        memset(row->signature[h], 0, sizeof row->signature[h]);
        memcpy(row->signature[h], signatures[h].data, signatures[h].len);
        row->signature_len[h] = (uint8_t)signatures[h].len;
    }
    row->this_s = lt_time_seconds(q->from);
    row->next_s = lt_time_seconds((lt_time){m->next_us});
    return LT_OK;
}

static lt_res take(struct sheet *s, struct sheet_question *q, const Ipc__OcspSigned *m)
{
    LT_CHECK(m->ok, LT_RETRY_UNAVAILABLE, "%s", m->detail);
    LT_CHECK(m->n_signatures == q->count * X509_OCSP_HASHES, LT_PEER_MALFORMED, "%zu signatures for %zu",
             m->n_signatures, q->count);
    int by = sheet_responder(s->responders, LT_SLICE(m->certificate.data, m->certificate.len));
    LT_CHECK(by >= 0, LT_PEER_TOO_LARGE, "too many responders");
    for (size_t i = 0; i < q->count; i++) {
        struct ca_ocsp_row one = s->rows[q->rows[i]];
        one.responder = (uint16_t)by;
        LT_TRY(fill_row(&one, q, m, m->signatures + i * X509_OCSP_HASHES));
        LT_TRY(i == 0 ? verify(s, &one) : LT_OK);
        s->rows[q->rows[i]] = one;
    }
    return LT_OK;
}

bool sheet_take(struct sheet *s, const struct ipc_msg *msg)
{
    const Ipc__OcspSigned *m = (const Ipc__OcspSigned *)msg->body;
    for (size_t i = 0; i < SHEET_QUESTIONS; i++) {
        struct sheet_question *q = &s->questions[i];
        if (q->count == 0 || q->id == 0 || q->id != msg->from.id) {
            continue;
        }
        if (lt_failed(take(s, q, m))) {
            lt_log(LT_LOG_DEBUG, "answers of OCSP were not signed", "why=\"%s\"", lt_error_last()->detail);
            lt_metric_add("lintel_ocsp_failures_total", 1);
            for (size_t k = 0; k < q->count; k++) {
                s->rows[q->rows[k]].signature_len[0] = 0;
            }
            put_off(q);
        } else {
            s->signatures += q->count * X509_OCSP_HASHES;
            q->count = 0;
            s->open--;
        }
        return true;
    }
    return false;
}
