/* The management face of a test CA, as far as it takes reading: the status of a certificate by serial, and
 * the renewal information that a test sets for one. Both ask the reader whether there is such a certificate;
 * the second then hands the text back to the gateway, which keeps it. And /dir, the directory where suites
 * written for Pebble look for it. Without options.testing none of it is there. */
#include <string.h>

#include "acme/problem.h"
#include "base/text.h"
#include "ca/ari_map.h"
#include "jose/json.h"
#include "role/notary_private.h"
#include "x509/cert.h"

#define STATUS_PATH "/cert-status-by-serial/"
#define SET_PATH "/set-renewal-info/"

static lt_res refuse_as(struct notary *n, struct notary_request *q, uint32_t status, const char *detail)
{
    Ipc__Problem *p = acme_problem(&q->arena, "malformed", "%s", detail);
    if (p != NULL) {
        p->status = status;
    }
    return notary_refuse(n, q, p);
}

lt_slice notary_testing_path(const struct notary *n, const char *path)
{
    bool alias = n->options.testing && strcmp(path, "/dir") == 0;
    return alias ? LT_LIT("/acme/directory") : lt_slice_cstr(path);
}

/* As big integers are written: any number of digits, zeros in front or not, in either case. */
static lt_res read_serial(struct lt_arena *a, lt_slice text, lt_slice *ret_serial)
{
    while (text.len > 1 && text.ptr[0] == '0') {
        text = lt_slice_sub(text, 1, SIZE_MAX);
    }
    LT_CHECK(text.len > 0 && text.len <= (size_t)2 * WIRE_SERIAL_MAX, LT_PEER_MALFORMED,
             "a serial of %zu digits", text.len);
    char *even = lt_arena_printf(a, "%s%.*s", text.len % 2 == 1 ? "0" : "", LT_FMT(text));
    LT_CHECK(even != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return lt_unhex(a, lt_slice_cstr(even), ret_serial);
}

static lt_res ask(struct notary *n, struct notary_request *q, lt_slice serial)
{
    static char what[] = "certificate.show";
    Ipc__Query query = IPC__QUERY__INIT;
    query.what = what;
    query.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    query.with_der = true;
    return notary_ask(n, q, IPC_READER, &(struct notary_question){IPC_QUERY, NOTARY_QUERY, &query.base});
}

/* {"Certificate": PEM, "ARIResponse": any text}: what is set may be broken JSON, so that a client's answer to
 * that can be tested. */
static lt_res read_set(struct notary_request *q, lt_slice *ret_serial)
{
    LT_CLEANUP(jose_json_freep) json_t *json = NULL;
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    lt_slice text;
    struct x509_cert cert;
    LT_TRY(jose_json_object(q->raw, &json));
    LT_TRY(jose_json_string(json, "Certificate", &pem));
    LT_TRY(jose_json_optional_string(json, "ARIResponse", &text));
    LT_TRY(lt_pem_next(&q->arena, &pem, &label, &der));
    LT_CHECK(lt_slice_eq_cstr(label, "CERTIFICATE"), LT_PEER_MALFORMED, "a PEM of %.*s",
             LT_FMT(lt_slice_sub(label, 0, 40)));
    LT_TRY(x509_cert_parse(der, &q->arena, &cert));
    LT_CHECK(cert.ext.aki_key_id.len > 0, LT_PEER_MALFORMED, "a certificate that names no issuer's key");
    const struct ca_ari_certid id = {cert.ext.aki_key_id, x509_serial_magnitude(cert.serial)};
    struct lt_buf certid;
    lt_buf_init(&certid, 256);
    ca_ari_certid_add(&certid, &id);
    lt_res r = lt_buf_check(&certid);
    q->renewal_certid = lt_arena_cstr(&q->arena, lt_buf_slice(&certid));
    q->renewal_text = lt_arena_copy(&q->arena, text);
    lt_buf_done(&certid);
    LT_TRY(r);
    *ret_serial = id.serial;
    LT_CHECK(q->renewal_certid != NULL && (text.len == 0 || q->renewal_text.ptr != NULL), LT_PEER_TOO_LARGE,
             "the request is over the limit");
    return LT_OK;
}

lt_res notary_testing_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    lt_slice path = lt_slice_cstr(m->path);
    lt_slice serial;
    bool is_status = lt_slice_starts(path, LT_LIT(STATUS_PATH));
    bool is_set = lt_slice_eq_cstr(path, SET_PATH);
    if (!n->options.testing || (!is_status && !is_set)) {
        return refuse_as(n, q, 404, "there is nothing at this path");
    }
    if (strcmp(m->method, is_status ? "GET" : "POST") != 0) {
        return refuse_as(n, q, 405, is_status ? "this is read by GET" : "this is set by POST");
    }
    q->is_status = is_status;
    lt_res r = is_status ? read_serial(&q->arena, lt_slice_sub(path, strlen(STATUS_PATH), SIZE_MAX), &serial)
                         : read_set(q, &serial);
    return lt_failed(r) ? refuse_as(n, q, 400, lt_error_last()->detail) : ask(n, q, serial);
}

static lt_res answer_set(struct notary *n, struct notary_request *q)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, NOTARY_TESTING_RENEWAL, "%s", q->renewal_certid);
    lt_buf_add(&n->body, q->renewal_text);
    wire_finish(&w, 200, "application/json");
    return notary_answer(n, q, &w.http);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* Pebble's words. A certificate that has merely expired is "Valid" there. */
static void print_status(const json_t *shown, struct lt_buf *out)
{
    const json_t *revocation = json_object_get(shown, "revocation");
    const char *serial = text_of(shown, "serial");
    while (serial[0] == '0' && serial[1] != 0) {
        serial++; /* a number */
    }
    lt_buf_add_cstr(out, "{\"Certificate\":");
    lt_json_add_string(out, lt_slice_cstr(text_of(shown, "pem")));
    if (revocation != NULL) {
        lt_buf_addf(out, ",\"Reason\":%lld,\"RevokedAt\":\"%s\"",
                    (long long)json_integer_value(json_object_get(revocation, "reason")),
                    text_of(revocation, "revoked"));
    }
    lt_buf_addf(out, ",\"Serial\":\"%s\",\"Status\":\"%s\"}\n", serial,
                revocation != NULL ? "Revoked" : "Valid");
}

static lt_res answer_status(struct notary *n, struct notary_request *q, const Ipc__QueryReply *reply)
{
    struct wire_answer w;
    LT_CLEANUP(jose_json_freep)
    json_t *shown = json_loads(reply->json, JSON_REJECT_DUPLICATES, NULL);
    LT_CHECK(shown != NULL, LT_PEER_MALFORMED, "the reader's answer is no JSON");
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Cache-Control", "no-store");
    print_status(shown, &n->body);
    wire_finish(&w, 200, "application/json; charset=utf-8");
    return notary_answer(n, q, &w.http);
}

bool notary_testing_awaits(const struct notary_request *q)
{
    return q->is_status || q->renewal_certid != NULL;
}

lt_res notary_testing_reply(struct notary *n, struct notary_request *q, const Ipc__QueryReply *reply)
{
    if (reply->more) {
        return refuse_as(n, q, 500, "the certificate is too large to be shown here");
    }
    return q->is_status ? answer_status(n, q, reply) : answer_set(n, q);
}
