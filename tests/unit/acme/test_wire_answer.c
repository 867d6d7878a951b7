/* Replies as HTTP: status, headers, and JSON read back with a parser. */
#include "check.h"

#include "acme/problem.h"
#include "jose/json.h"
#include "wire_site.h"

static struct lt_arena arena;
static struct lt_buf body;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 22);
    lt_buf_init(&body, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    lt_buf_done(&body);
    return 0;
}

/* The nth value of a header, NULL when there is none. */
static const char *header(const struct wire_answer *w, const char *name, size_t nth)
{
    for (size_t i = 0; i < w->http.n_headers; i++) {
        if (strcmp(w->http.headers[i]->name, name) == 0 && nth-- == 0) {
            return w->http.headers[i]->value;
        }
    }
    return NULL;
}

static json_t *json_of(const struct wire_answer *w)
{
    json_t *value = NULL;
    assert_ok(jose_json_object(LT_SLICE(w->http.body.data, w->http.body.len), &value));
    return value;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static struct wire_answer answer(const char *path, const Ipc__AcmeReply *reply)
{
    struct wire_target t;
    struct wire_answer w;
    assert_ok(wire_find(lt_slice_cstr(path), (lt_slice){0}, &arena, &t));
    wire_answer_begin(&w, &arena, &body);
    wire_answer_reply(&w, &test_site, &t, reply);
    return w;
}

static Ipc__AcmeReply reply_with(uint32_t status)
{
    static char nonce[] = "bm9uY2U";
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    reply.status = status;
    reply.nonce = nonce;
    return reply;
}

static void directory(void **state)
{
    (void)state;
    struct wire_answer w;
    wire_answer_begin(&w, &arena, &body);
    wire_answer_directory(&w, &test_site, NULL);
    assert_int_equal(w.http.status, 200);
    assert_string_equal(w.http.content_type, "application/json");
    assert_null(header(&w, "Replay-Nonce", 0));
    assert_null(header(&w, "Link", 0));
    assert_string_equal(header(&w, "Access-Control-Allow-Origin", 0), "*");
    LT_CLEANUP(jose_json_freep) json_t *d = json_of(&w);
    static const char *const keys[] = {"newNonce", "newAccount", "newOrder", "revokeCert", "keyChange"};
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        struct wire_target t;
        lt_slice url = lt_slice_cstr(text_of(d, keys[i]));
        assert_true(lt_slice_starts(url, LT_LIT(BASE)));
        assert_ok(wire_find(lt_slice_sub(url, strlen(BASE), SIZE_MAX), (lt_slice){0}, &arena, &t));
    }
    assert_string_equal(text_of(d, "renewalInfo"), BASE "/acme/renewal-info"); /* the gateway's own */
    const json_t *meta = json_object_get(d, "meta");
    assert_string_equal(text_of(meta, "termsOfService"), BASE "/terms");
    assert_string_equal(text_of(meta, "website"), "https://www.ca.example");
    assert_string_equal(json_string_value(json_array_get(json_object_get(meta, "caaIdentities"), 0)),
                        "ca.example");
    assert_true(json_is_false(json_object_get(meta, "externalAccountRequired")));
    assert_true(json_is_true(json_object_get(meta, "subdomainAuthAllowed")));
    assert_string_equal(text_of(json_object_get(meta, "profiles"), "tls-server"), "90 days");

    const struct wire_site bare = {
        .base_url = BASE, .terms_of_service = "", .website = "", .caa_identities = NULL, .profiles = NULL};
    wire_answer_begin(&w, &arena, &body);
    wire_answer_directory(&w, &bare, NULL);
    LT_CLEANUP(jose_json_freep) json_t *plain = json_of(&w);
    assert_int_equal(json_object_size(json_object_get(plain, "meta")), 2);
}

static void nonces(void **state)
{
    (void)state;
    struct wire_answer w;
    for (int head = 0; head < 2; head++) {
        wire_answer_begin(&w, &arena, &body);
        wire_answer_nonce(&w, &test_site, "bm9uY2U", head == 1);
        assert_int_equal(w.http.status, head == 1 ? 200 : 204);
        assert_int_equal(w.http.body.len, 0);
        assert_string_equal(header(&w, "Replay-Nonce", 0), "bm9uY2U");
        assert_string_equal(header(&w, "Cache-Control", 0), "no-store");
        assert_string_equal(header(&w, "Link", 0), "<" BASE "/acme/directory>;rel=\"index\"");
    }
}

static void preflight(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_route_count; i++) {
        struct wire_answer w;
        wire_answer_begin(&w, &arena, &body);
        wire_answer_options(&w, &wire_routes[i]);
        assert_int_equal(w.http.status, 204);
        assert_string_equal(header(&w, "Access-Control-Allow-Origin", 0), "*");
        assert_string_equal(header(&w, "Access-Control-Allow-Headers", 0), "Content-Type");
        assert_string_equal(header(&w, "Access-Control-Allow-Methods", 0),
                            wire_routes[i].get ? "GET, HEAD, POST" : "POST");
        assert_null(header(&w, "Replay-Nonce", 0));
    }
}

static void problems(void **state)
{
    (void)state;
    struct wire_answer w;
    Ipc__Problem *p = acme_problem(&arena, "malformed", "it said \"%s\"", "x\n");
    wire_answer_begin(&w, &arena, &body);
    wire_answer_problem(&w, &test_site, p, "bm9uY2U");
    assert_int_equal(w.http.status, 400);
    assert_string_equal(w.http.content_type, "application/problem+json");
    assert_string_equal(header(&w, "Replay-Nonce", 0), "bm9uY2U");
    LT_CLEANUP(jose_json_freep) json_t *malformed = json_of(&w);
    assert_string_equal(text_of(malformed, "type"), "urn:ietf:params:acme:error:malformed");
    assert_string_equal(text_of(malformed, "detail"), "it said \"x\n\"");
    assert_int_equal(json_integer_value(json_object_get(malformed, "status")), 400);
    assert_null(json_object_get(malformed, "algorithms"));
    assert_null(json_object_get(malformed, "subproblems"));

    p = acme_problem(&arena, "badSignatureAlgorithm", "no");
    wire_answer_begin(&w, &arena, &body);
    wire_answer_problem(&w, &test_site, p, NULL);
    assert_null(header(&w, "Replay-Nonce", 0));
    LT_CLEANUP(jose_json_freep) json_t *algorithm = json_of(&w);
    assert_int_equal(json_array_size(json_object_get(algorithm, "algorithms")), 4);

    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    char type[] = "dns";
    char value[] = "bad.example.com";
    id.type = type;
    id.value = value;
    p = acme_problem(&arena, "compound", "several");
    assert_ok(acme_problem_add(&arena, p, "rejectedIdentifier", &id, "no"));
    assert_ok(acme_problem_add(&arena, p, "caa", &id, "neither"));
    p->retry_after_s = 7;
    p->status = 429;
    wire_answer_begin(&w, &arena, &body);
    wire_answer_problem(&w, &test_site, p, NULL);
    assert_int_equal(w.http.status, 429);
    assert_string_equal(header(&w, "Retry-After", 0), "7");
    LT_CLEANUP(jose_json_freep) json_t *compound = json_of(&w);
    const json_t *subs = json_object_get(compound, "subproblems");
    assert_int_equal(json_array_size(subs), 2);
    assert_string_equal(text_of(json_array_get(subs, 0), "type"),
                        "urn:ietf:params:acme:error:rejectedIdentifier");
    assert_string_equal(text_of(json_object_get(json_array_get(subs, 1), "identifier"), "value"),
                        "bad.example.com");

    p = acme_problem(&arena, "userActionRequired", "new terms");
    wire_answer_begin(&w, &arena, &body);
    wire_answer_problem(&w, &test_site, p, NULL);
    assert_string_equal(header(&w, "Link", 1), "<" BASE "/terms>;rel=\"terms-of-service\"");
}

static void account(void **state)
{
    (void)state;
    char valid[] = "valid";
    char contact[] = "mailto:a@example.com";
    char *contacts[] = {contact};
    Ipc__AcmeAccountBody a = IPC__ACME_ACCOUNT_BODY__INIT;
    a.id = 12;
    a.status = valid;
    a.contacts = contacts;
    a.n_contacts = 1;
    a.terms_agreed = true;
    Ipc__AcmeReply reply = reply_with(201);
    reply.location_account = 12;
    reply.account = &a;
    struct wire_answer w = answer("/acme/new-account", &reply);
    assert_int_equal(w.http.status, 201);
    assert_string_equal(header(&w, "Location", 0), BASE "/acme/account/12");
    assert_string_equal(header(&w, "Replay-Nonce", 0), "bm9uY2U");
    LT_CLEANUP(jose_json_freep) json_t *o = json_of(&w);
    assert_string_equal(text_of(o, "status"), "valid");
    assert_string_equal(text_of(o, "orders"), BASE "/acme/account/12/orders");
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "contact"), 0)), contact);
    assert_true(json_is_true(json_object_get(o, "termsOfServiceAgreed")));
    /* a key that is in use: the problem and the holder's URL */
    Ipc__AcmeReply conflict = reply_with(409);
    conflict.location_account = 13;
    conflict.problem = acme_problem(&arena, "malformed", "in use");
    conflict.problem->status = 409;
    w = answer("/acme/key-change", &conflict);
    assert_int_equal(w.http.status, 409);
    assert_string_equal(header(&w, "Location", 0), BASE "/acme/account/13");
}

static Ipc__Identifier *dns(const char *name)
{
    static char type[] = "dns";
    Ipc__Identifier *id = LT_NEW(&arena, Ipc__Identifier);
    ipc__identifier__init(id);
    id->type = type;
    id->value = lt_arena_cstr(&arena, lt_slice_cstr(name));
    return id;
}

static void order(void **state)
{
    (void)state;
    char valid[] = "valid";
    char profile[] = "tls-server";
    uint8_t serial[] = {0x0c, 0xf6};
    Ipc__Identifier *ids[] = {dns("a.example.com"), dns("b.example.com")};
    int64_t authorizations[] = {21, 22};
    Ipc__AcmeOrderBody b = IPC__ACME_ORDER_BODY__INIT;
    b.id = 5;
    b.status = valid;
    b.expires_us = 1795305600000000;
    b.identifiers = ids;
    b.n_identifiers = 2;
    b.authorizations = authorizations;
    b.n_authorizations = 2;
    b.profile = profile;
    b.has_certificate = true;
    b.certificate_serial = (ProtobufCBinaryData){2, serial};
    b.error = acme_problem(&arena, "badCSR", "once");
    Ipc__AcmeReply reply = reply_with(201);
    reply.location_order = 5;
    reply.retry_after_s = 3;
    reply.order = &b;
    struct wire_answer w = answer("/acme/new-order", &reply);
    assert_int_equal(w.http.status, 201);
    assert_string_equal(header(&w, "Location", 0), BASE "/acme/order/5");
    assert_string_equal(header(&w, "Retry-After", 0), "3");
    LT_CLEANUP(jose_json_freep) json_t *o = json_of(&w);
    assert_string_equal(text_of(o, "expires"), "2026-11-22T00:00:00Z");
    assert_string_equal(text_of(o, "finalize"), BASE "/acme/order/5/finalize");
    assert_string_equal(text_of(o, "certificate"), BASE "/acme/certificate/0cf6");
    assert_string_equal(text_of(o, "profile"), "tls-server");
    assert_null(json_object_get(o, "notBefore"));
    assert_null(json_object_get(o, "replaces"));
    assert_string_equal(text_of(json_array_get(json_object_get(o, "identifiers"), 1), "value"),
                        "b.example.com");
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "authorizations"), 1)),
                        BASE "/acme/authorization/22");
    assert_string_equal(text_of(json_object_get(o, "error"), "type"), "urn:ietf:params:acme:error:badCSR");
}

static void orders(void **state)
{
    (void)state;
    int64_t ids[] = {1, 2, 3};
    uint8_t cursor[] = {1, 2};
    Ipc__AcmeOrdersBody b = IPC__ACME_ORDERS_BODY__INIT;
    b.orders = ids;
    b.n_orders = 3;
    b.next_cursor = (ProtobufCBinaryData){2, cursor};
    Ipc__AcmeReply reply = reply_with(200);
    reply.orders = &b;
    struct wire_answer w = answer("/acme/account/12/orders", &reply);
    assert_string_equal(header(&w, "Link", 1), "<" BASE "/acme/account/12/orders?cursor=AQI>;rel=\"next\"");
    LT_CLEANUP(jose_json_freep) json_t *o = json_of(&w);
    assert_int_equal(json_array_size(json_object_get(o, "orders")), 3);
    b.next_cursor.len = 0;
    b.n_orders = 0;
    w = answer("/acme/account/12/orders", &reply);
    assert_null(header(&w, "Link", 1));
    LT_CLEANUP(jose_json_freep) json_t *empty = json_of(&w);
    assert_int_equal(json_array_size(json_object_get(empty, "orders")), 0);
}

static void authorization_and_challenge(void **state)
{
    (void)state;
    char pending[] = "pending";
    char type[] = "http-01";
    char token[] = "dG9rZW4";
    Ipc__AcmeChallengeBody c = IPC__ACME_CHALLENGE_BODY__INIT;
    c.authorization_id = 21;
    c.index = 0;
    c.type = type;
    c.status = pending;
    c.token = token;
    Ipc__AcmeChallengeBody *challenges[] = {&c};
    Ipc__AcmeAuthorizationBody z = IPC__ACME_AUTHORIZATION_BODY__INIT;
    z.id = 21;
    z.status = pending;
    z.identifier = dns("a.example.com");
    z.expires_us = 1795305600000000;
    z.challenges = challenges;
    z.n_challenges = 1;
    Ipc__AcmeReply reply = reply_with(200);
    reply.authorization = &z;
    struct wire_answer w = answer("/acme/authorization/21", &reply);
    LT_CLEANUP(jose_json_freep) json_t *o = json_of(&w);
    assert_null(json_object_get(o, "wildcard"));
    assert_string_equal(text_of(json_object_get(o, "identifier"), "value"), "a.example.com");
    const json_t *first = json_array_get(json_object_get(o, "challenges"), 0);
    assert_string_equal(text_of(first, "url"), BASE "/acme/challenge/21/0");
    assert_string_equal(text_of(first, "token"), token);
    assert_null(json_object_get(first, "validated"));
    z.wildcard = true;
    w = answer("/acme/authorization/21", &reply);
    LT_CLEANUP(jose_json_freep) json_t *wild = json_of(&w);
    assert_true(json_is_true(json_object_get(wild, "wildcard")));
    assert_null(json_object_get(wild, "subdomainAuthAllowed"));
    assert_null(json_object_get(first, "issuer-domain-names"));
    z.subdomains = true;
    reply.location_authorization = 21;
    reply.status = 201;
    char persist[] = "dns-persist-01";
    char none[] = "";
    c.type = persist;
    c.token = none;
    w = answer("/acme/new-authz", &reply);
    assert_string_equal(header(&w, "Location", 0), BASE "/acme/authorization/21");
    LT_CLEANUP(jose_json_freep) json_t *below = json_of(&w);
    assert_true(json_is_true(json_object_get(below, "subdomainAuthAllowed")));
    first = json_array_get(json_object_get(below, "challenges"), 0);
    assert_null(json_object_get(first, "token"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "issuer-domain-names"), 0)),
                        "ca.example");

    c.validated_us = 1795305600000000;
    c.error = acme_problem(&arena, "connection", "refused");
    reply = reply_with(200);
    reply.challenge = &c;
    w = answer("/acme/challenge/21/0", &reply);
    assert_string_equal(header(&w, "Link", 1), "<" BASE "/acme/authorization/21>;rel=\"up\"");
    LT_CLEANUP(jose_json_freep) json_t *one = json_of(&w);
    assert_string_equal(text_of(one, "validated"), "2026-11-22T00:00:00Z");
    assert_string_equal(text_of(json_object_get(one, "error"), "type"),
                        "urn:ietf:params:acme:error:connection");
}

static void certificate(void **state)
{
    (void)state;
    uint8_t leaf[] = {0x30, 0x00};
    uint8_t issuer[] = {0x30, 0x01, 0x05};
    ProtobufCBinaryData chain[] = {{2, leaf}, {3, issuer}};
    Ipc__AcmeCertificateBody b = IPC__ACME_CERTIFICATE_BODY__INIT;
    b.chain = chain;
    b.n_chain = 2;
    b.alternates = 2;
    Ipc__AcmeReply reply = reply_with(200);
    reply.certificate = &b;
    struct wire_answer w = answer("/acme/certificate/0cf6", &reply);
    assert_string_equal(w.http.content_type, "application/pem-certificate-chain");
    assert_slice(LT_SLICE(w.http.body.data, w.http.body.len),
                 "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
                 "-----BEGIN CERTIFICATE-----\nMAEF\n-----END CERTIFICATE-----\n");
    assert_string_equal(header(&w, "Link", 1), "<" BASE "/acme/certificate/0cf6/1>;rel=\"alternate\"");
    assert_string_equal(header(&w, "Link", 2), "<" BASE "/acme/certificate/0cf6/2>;rel=\"alternate\"");
    assert_null(header(&w, "Link", 3));
    b.index = 1;
    w = answer("/acme/certificate/0cf6/1", &reply);
    assert_string_equal(header(&w, "Link", 1), "<" BASE "/acme/certificate/0cf6>;rel=\"alternate\"");
    assert_string_equal(header(&w, "Link", 2), "<" BASE "/acme/certificate/0cf6/2>;rel=\"alternate\"");
    /* a revocation has nothing to say */
    Ipc__AcmeReply nothing = reply_with(200);
    w = answer("/acme/revoke-cert", &nothing);
    assert_int_equal(w.http.status, 200);
    assert_int_equal(w.http.body.len, 0);
    assert_string_equal(w.http.content_type, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directory),
        cmocka_unit_test(nonces),
        cmocka_unit_test(preflight),
        cmocka_unit_test(problems),
        cmocka_unit_test(account),
        cmocka_unit_test(order),
        cmocka_unit_test(orders),
        cmocka_unit_test(certificate),
        cmocka_unit_test(authorization_and_challenge),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
