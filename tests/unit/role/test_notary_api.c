/* The operator API and the gateways' certificates, by way of the notary. */
#include "notary_rig.h"

static void api_get(const char *path, const char *query, uint32_t uid)
{
    send_http(&(struct ask){"GET", path, query, "api", "", {0}, true, uid});
}

static void api_rights(void **state)
{
    (void)state;
    static const struct {
        const char *listener;
        bool has_peer;
        uint32_t uid;
        uint32_t status;
    } rows[] = {
        {"https", true, 0, 404}, {"http", true, 0, 404}, {"operator", true, 0, 401},
        {"api", false, 0, 403},  {"api", true, 1, 403},  {"api", true, 1001, 403},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        send_http(&(struct ask){
            "GET", "/api/v1/status", "", rows[i].listener, "", {0}, rows[i].has_peer, rows[i].uid});
        (void)answered(rows[i].status);
    }
    api_get("/api/v1/nothing", "", 0);
    (void)answered(404);
    send_http(&(struct ask){"POST", "/api/v1/status", "", "api", "", {0}, true, 0});
    assert_non_null(header(answered(405), "Allow"));
    api_get("/api/v1/certificates", "nothing=1", 0);
    (void)answered(400);
    heard_nothing();
    for (uint32_t uid = 0; uid <= 1000; uid += 1000) { /* root, and the owner */
        api_get("/api/v1/status", "", uid);
        const struct said *q = heard(IPC_QUERY);
        char json[] = "{}";
        Ipc__QueryReply r = IPC__QUERY_REPLY__INIT;
        r.status = 200;
        r.json = json;
        tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
        (void)answered(200);
    }
}

/* What shall be judged goes through unread, whatever it is, and needs no signature. */
static void lint_passes_through(void **state)
{
    (void)state;
    static const char body[] = "{ this is \x01 no JSON";
    send_http(&(struct ask){"POST", "/api/v1/lint", "", "api", "application/json",
                            LT_SLICE(body, sizeof body - 1), true, 0});
    const struct said *q = heard(IPC_QUERY);
    const Ipc__Query *query = (const Ipc__Query *)(const void *)q->body;
    assert_string_equal(query->what, "lint");
    assert_string_equal(query->content_type, "application/json");
    assert_int_equal(query->body.len, sizeof body - 1);
    assert_memory_equal(query->body.data, body, sizeof body - 1);
    char json[] = "{\"worst\":\"pass\"}";
    Ipc__QueryReply r = IPC__QUERY_REPLY__INIT;
    r.status = 200;
    r.json = json;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
    (void)answered(200);
    send_http(&(struct ask){"POST", "/api/v1/lint", "", "https", "application/json",
                            LT_SLICE(body, sizeof body - 1), true, 0});
    (void)answered(404);
    send_http(&(struct ask){"POST", "/api/v1/lint", "", "api", "application/json",
                            LT_SLICE(body, sizeof body - 1), true, 1001});
    (void)answered(403);
    heard_nothing();
}

static void api_streams(void **state)
{
    (void)state;
    char first[] = "{\"certificates\":[1,";
    char last[] = "2]}";
    Ipc__QueryReply r = IPC__QUERY_REPLY__INIT;
    api_get("/api/v1/certificates", "limit=2", 0);
    const struct said *q = heard(IPC_QUERY);
    r.status = 200;
    r.json = first;
    r.more = true;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
    const Ipc__HttpResponse *h = answered(200);
    assert_true(h->more);
    assert_memory_equal(h->body.data, first, strlen(first));
    r.json = last;
    r.more = false;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
    h = answered(0);
    assert_false(h->more);
    assert_memory_equal(h->body.data, last, strlen(last));
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply); /* nobody waits any more */
    heard_nothing();
    /* the reader dies in the middle, and before the beginning */
    api_get("/api/v1/certificates", "", 0);
    q = heard(IPC_QUERY);
    r.json = first;
    r.more = true;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
    (void)answered(200);
    notary_unlinked(notary, IPC_READER);
    (void)answered(500);
    api_get("/api/v1/certificates", "", 0);
    (void)heard(IPC_QUERY);
    notary_unlinked(notary, IPC_READER);
    (void)answered(503);
}

static void operator_post(struct crypto_key *key, const char *kid, const char *url, const char *payload)
{
    send_http(&(struct ask){"POST", "/api/v1/halts", "", "api", "application/jose+json",
                            sign_for(key, kid, url, payload), true, 0});
}

static void operator_calls(void **state)
{
    (void)state;
    static const char halt[] = "{\"kind\":\"all\",\"reason\":\"test\"}";
    static const char url[] = "lintel:/api/v1/halts";
    operator_post(account_key, "operator:admin", url, halt);
    const struct said *lookup = heard(IPC_KEY_LOOKUP);
    assert_string_equal(((const Ipc__KeyLookup *)(const void *)lookup->body)->kid, "operator:admin");
    answer_key(lookup, account_key, "valid");
    const struct said *call = heard(IPC_OPERATOR_CALL);
    const Ipc__OperatorCall *c = (const Ipc__OperatorCall *)(const void *)call->body;
    assert_string_equal(c->op, "halt.add");
    assert_string_equal(c->operator_, "admin");
    assert_string_equal(c->nonce, "Y2xpZW50");
    assert_int_equal(c->thumbprint.len, 32);
    assert_true(c->jws.len > 0);
    char json[] = "{\"id\":\"h1\"}";
    char nonce[] = "ZnJlc2g";
    Ipc__OperatorReply r = IPC__OPERATOR_REPLY__INIT;
    r.status = 201;
    r.json = json;
    r.nonce = nonce;
    tell(IPC_REGISTRAR, IPC_OPERATOR_REPLY, call->id, &r.base, notary_operator_reply);
    const Ipc__HttpResponse *h = answered(201);
    assert_string_equal(header(h, "Replay-Nonce"), "ZnJlc2g");
    assert_memory_equal(h->body.data, json, strlen(json));
    /* who does not sign as an operator, for this URL, with this payload */
    operator_post(account_key, KID, url, halt);
    (void)answered(400);
    operator_post(account_key, "", url, halt);
    (void)answered(400);
    operator_post(account_key, "operator:admin", BASE "/api/v1/halts", halt);
    (void)answered(403);
    operator_post(account_key, "operator:admin", "lintel:/api/v1/plans", halt);
    (void)answered(403);
    operator_post(account_key, "operator:admin", url, "{\"kind\":\"nothing\",\"reason\":\"x\"}");
    (void)answered(400);
    operator_post(other_key, "operator:admin", url, halt);
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    (void)answered(403);
    operator_post(account_key, "operator:nobody", url, halt);
    answer_key(heard(IPC_KEY_LOOKUP), NULL, "");
    (void)answered(403);
    send_http(&(struct ask){"POST", "/api/v1/halts", "", "api", "application/json", LT_LIT("{}"), true, 0});
    (void)answered(400);
    heard_nothing();
}

/* A certificate request for www.example.com and example.com, P-256, made by another program. */
#define CSR                                                                                      \
    "MIH1MIGcAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARkyGqltvVvrwvDDqosEgQ9LJYj1gCY-MSSwYc_v4" \
    "zl8eANxD7-lhisiF-dpssWpFG6pek528BWeFvLOLWmU2jqoDowOAYJKoZIhvcNAQkOMSswKTAnBgNVHREEIDAegg93" \
    "d3cuZXhhbXBsZS5jb22CC2V4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIQCodpHW99FOLDOjqXb6I4uxOCWgHD" \
    "h7k-qD-KBfYbWW-wIgFz_gXJDKvz1YiodcT_XQ6aS0CIZ6jeVhltvh2tB1NHI"

static void post_enrolment(const char *payload)
{
    static const char url[] = "lintel:/api/v1/enrollments";
    send_http(&(struct ask){"POST", "/api/v1/enrollments", "", "api", "application/jose+json",
                            sign_for(account_key, "operator:admin", url, payload), true, 0});
}

/* The certificate request of a subscriber is taken apart here, as strictly as in finalize. */
static void enrolments(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"subscriber\":\"x\"}",
        "{\"subscriber\":\"x\",\"csr\":\"\"}",
        "{\"subscriber\":\"x\",\"csr\":\"AAAA\"}",
        "{\"subscriber\":\"x\",\"csr\":\"MAA\"}",
        "{\"subscriber\":\"x\",\"csr\":7}",
        "{\"subscriber\":\"x\",\"csr\":\"" CSR "AA\"}",
        "{\"subscriber\":\"x\",\"csr\":\"MIIA" CSR "\"}",
        "{\"csr\":\"" CSR "\"}",
        "{\"subscriber\":\"x\",\"csr\":\"" CSR "\",\"methods\":[{}]}",
    };
    post_enrolment("{\"subscriber\":\"Example Ltd\",\"csr\":\"" CSR "\",\"hold\":true,"
                   "\"methods\":[{\"name\":\"example.com\",\"method\":\"dns-change\"}]}");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid"); /* and remembered */
    const struct said *call = heard(IPC_OPERATOR_CALL);
    const Ipc__OperatorCall *c = (const Ipc__OperatorCall *)(const void *)call->body;
    assert_string_equal(c->op, "enroll.request");
    assert_string_equal(c->enroll->subscriber, "Example Ltd");
    assert_int_equal(c->enroll->csr.len, 0);
    assert_true(c->enroll->hold);
    const Ipc__AcmeFinalize *f = c->enroll->request;
    assert_int_equal(f->n_names, 2);
    assert_string_equal(f->names[0]->value, "example.com");
    assert_string_equal(f->names[1]->value, "www.example.com");
    assert_int_equal(f->key->type, IPC__KEY_TYPE__KEY_P256);
    assert_true(f->csr.len > 100);
    Ipc__OperatorReply r = IPC__OPERATOR_REPLY__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    char type[] = "rateLimited";
    char detail[] = "too many";
    p.type = type;
    p.detail = detail;
    p.status = 429;
    r.problem = &p;
    tell(IPC_REGISTRAR, IPC_OPERATOR_REPLY, call->id, &r.base, notary_operator_reply);
    (void)answered(429);
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        post_enrolment(bad[i]);
        (void)answered(400);
    }
    heard_nothing();
}

static void api_nonce(void **state)
{
    (void)state;
    api_get("/api/v1/nonce", "", 0);
    const Ipc__HttpResponse *h = answered(200);
    LT_CLEANUP(jose_json_freep) json_t *o = NULL;
    assert_ok(jose_json_object(LT_SLICE(h->body.data, h->body.len), &o));
    assert_string_equal(json_string_value(json_object_get(o, "nonce")), header(h, "Replay-Nonce"));
}

/* The gateways' certificates. */

static void service_certificates(void **state)
{
    (void)state;
    lt_slice spki = crypto_key_spki(other_key);
    Ipc__ServiceCertificateRequest q = IPC__SERVICE_CERTIFICATE_REQUEST__INIT;
    q.spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr};
    tell(IPC_GATEWAY, IPC_SERVICE_CERTIFICATE_REQUEST, 77, &q.base, notary_service);
    const struct said *ask = heard(IPC_SERVICE_CERTIFICATE_REQUEST);
    assert_int_equal(ask->to, IPC_REGISTRAR);
    uint8_t der[] = {0x30, 0x00};
    Ipc__ServiceCertificate a = IPC__SERVICE_CERTIFICATE__INIT;
    a.certificate = (ProtobufCBinaryData){2, der};
    tell(IPC_REGISTRAR, IPC_SERVICE_CERTIFICATE, ask->id, &a.base, notary_service_certificate);
    const struct said *back = heard(IPC_SERVICE_CERTIFICATE);
    assert_int_equal(back->to, IPC_GATEWAY);
    assert_int_equal(back->id, 77);
    /* a gateway that sends something else is broken */
    q.spki.len--;
    struct ipc_msg m = {.from = {.role = IPC_GATEWAY, .id = 78}, .body = &q.base};
    assert_fails(notary_service(notary, &m), LT_PEER_MALFORMED);
    q.spki.len++;
    registrar_is_there = false;
    tell(IPC_GATEWAY, IPC_SERVICE_CERTIFICATE_REQUEST, 79, &q.base, notary_service);
    back = heard(IPC_SERVICE_CERTIFICATE);
    assert_int_equal(((const Ipc__ServiceCertificate *)(const void *)back->body)->problem->status, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(api_rights), TEST(lint_passes_through), TEST(api_streams),          TEST(operator_calls),
        TEST(enrolments), TEST(api_nonce),           TEST(service_certificates),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
