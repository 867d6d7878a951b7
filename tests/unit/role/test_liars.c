/* Lying neighbours before the truth: real registrar and notary. A gateway that speaks out of turn or forges
 * requests gets nowhere near a certificate. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "acme.pb-c.h"
#include "base/random.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "http.pb-c.h"
#include "jose/jws.h"
#include "mail.pb-c.h"
#include "operator.pb-c.h"
#include "pages.pb-c.h"
#include "puppet.h"
#include "sign.pb-c.h"
#include "validate.pb-c.h"

#define SITE "https://localhost:15801"

static const char *lintel;

static int make_folder(void **state)
{
    (void)state;
    puppet_make_folder(lintel);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    puppet_remove_folder();
    return 0;
}

/* ---- the registrar ---- */

/* Who says what it may not; the link is cut, the supervisor hears it, the registrar goes on. */
static void test_out_of_turn(void **state)
{
    (void)state;
    static const struct {
        enum ipc_role liar;
        enum ipc_type type;
    } lies[] = {
        {IPC_GATEWAY, IPC_ACME_CALL},     {IPC_GATEWAY, IPC_OPERATOR_CALL},
        {IPC_GATEWAY, IPC_HTTP_REQUEST},  {IPC_NOTARY, IPC_SIGN_REPLY},
        {IPC_NOTARY, IPC_VALIDATED},      {IPC_NOTARY, IPC_HOLD},
        {IPC_NOTARY, IPC_FAMILY_EVENT},   {IPC_NOTARY, IPC_JOURNAL_REPLAY},
        {IPC_VALIDATOR, IPC_ACME_CALL},   {IPC_VALIDATOR, IPC_SIGN_REPLY},
        {IPC_VALIDATOR, IPC_HOLD},        {IPC_PUBLISHER, IPC_ACME_CALL},
        {IPC_PUBLISHER, IPC_SIGN_REPLY},  {IPC_READER, IPC_ACME_CALL},
        {IPC_SIGNER, IPC_SIGN_RESULT},    {IPC_EXAMINER, IPC_VALIDATED},
        {IPC_EXAMINER, IPC_ACME_CALL},    {IPC_NOTARY, IPC_START},
        {IPC_NOTARY, IPC_DRAIN},          {IPC_GATEWAY, IPC_LINK},
        {IPC_COURIER, IPC_VALIDATED},     {IPC_COURIER, IPC_ACME_CALL},
        {IPC_COURIER, IPC_SIGN_REPLY},    {IPC_COURIER, IPC_HOLD},
        {IPC_COURIER, IPC_CORROBORATE},   {IPC_VALIDATOR, IPC_CORROBORATED},
        {IPC_NOTARY, IPC_CORROBORATED},   {IPC_COURIER, IPC_MAIL_SEND},
        {IPC_NOTARY, IPC_MAIL_SENT},      {IPC_VALIDATOR, IPC_MAIL_SENT},
        {IPC_COURIER, IPC_PAGE_CALL},     {IPC_OCSP_SIGNER, IPC_SIGN_REPLY},
        {IPC_OCSP_SIGNER, IPC_ACME_CALL}, {IPC_NOTARY, IPC_RESPONDER_REQUEST},
        {IPC_GATEWAY, IPC_OCSP_UNKNOWN},
    };
    struct puppet p;
    puppet_start(&p, IPC_REGISTRAR);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        int raw = puppet_raw(&p, lies[i].liar, 3);
        puppet_say(raw, lies[i].type, NULL);
        puppet_expect_complaint(&p, lies[i].liar, raw);
    }
    struct ipc_link *notary = puppet_link(&p, IPC_NOTARY, 0);
    Ipc__NonceRequest ask = IPC__NONCE_REQUEST__INIT;
    ask.count = 3;
    assert_ok(ipc_link_send(notary, IPC_NONCE_REQUEST, 1, &ask.base, NULL, 0));
    const Ipc__NonceGrant *grant = (const Ipc__NonceGrant *)puppet_expect(&p, notary, IPC_NONCE_GRANT);
    assert_int_equal(grant->n_nonces, 3);
    ipc_link_free(notary);
    puppet_drain(&p);
}

/* A notary that has been taken over still cannot invent a nonce, use one twice, or act for an account whose
 * key it does not name. */
static void test_forged_calls(void **state)
{
    (void)state;
    struct puppet p;
    puppet_start(&p, IPC_REGISTRAR);
    struct ipc_link *notary = puppet_link(&p, IPC_NOTARY, 0);
    struct ipc_link *examiner = puppet_link(&p, IPC_EXAMINER, 0);
    struct ipc_link *validator = puppet_link(&p, IPC_VALIDATOR, 0);
    struct ipc_link *courier = puppet_link(&p, IPC_COURIER, 0);
    static const char *const nonces[] = {"", "AAAA", "not a nonce at all",
                                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < LT_COUNT(nonces); i++) {
        Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
        Ipc__AcmeFinalize finalize = IPC__ACME_FINALIZE__INIT;
        call.op = IPC__ACME_OP__ACME_FINALIZE;
        call.nonce = (char *)(uintptr_t)nonces[i];
        call.account_id = 1;
        call.finalize = &finalize;
        assert_ok(ipc_link_send(notary, IPC_ACME_CALL, i + 1, &call.base, NULL, 0));
        const Ipc__AcmeReply *r = (const Ipc__AcmeReply *)puppet_expect(&p, notary, IPC_ACME_REPLY);
        assert_non_null(r->problem);
        assert_string_equal(r->problem->type, "badNonce");
    }
    Ipc__NonceRequest ask = IPC__NONCE_REQUEST__INIT;
    ask.count = 1;
    assert_ok(ipc_link_send(notary, IPC_NONCE_REQUEST, 9, &ask.base, NULL, 0));
    const Ipc__NonceGrant *grant = (const Ipc__NonceGrant *)puppet_expect(&p, notary, IPC_NONCE_GRANT);
    char nonce[128];
    (void)snprintf(nonce, sizeof nonce, "%s", grant->nonces[0]);
    static uint8_t thumbprint[32] = {1};
    static const char *const expected[] = {NULL,
                                           "badNonce"}; /* an unknown account, then a nonce used twice */
    for (size_t i = 0; i < LT_COUNT(expected); i++) {
        Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
        Ipc__AcmeFinalize finalize = IPC__ACME_FINALIZE__INIT;
        call.op = IPC__ACME_OP__ACME_FINALIZE;
        call.nonce = nonce;
        call.account_id = 1;
        call.thumbprint = (ProtobufCBinaryData){sizeof thumbprint, thumbprint};
        finalize.order_id = 1;
        call.finalize = &finalize;
        assert_ok(ipc_link_send(notary, IPC_ACME_CALL, 20 + i, &call.base, NULL, 0));
        const Ipc__AcmeReply *r = (const Ipc__AcmeReply *)puppet_expect(&p, notary, IPC_ACME_REPLY);
        assert_non_null(r->problem);
        if (expected[i] != NULL) {
            assert_string_equal(r->problem->type, expected[i]);
        } else {
            assert_string_not_equal(r->problem->type, "badNonce");
        }
    }
    /* An outcome of a validation that nobody asked for makes nothing valid. */
    Ipc__Validated v = IPC__VALIDATED__INIT;
    v.authorization_id = 1;
    v.ok = true;
    assert_ok(ipc_link_send(validator, IPC_VALIDATED, 1, &v.base, NULL, 0));
    /* Nor does a perspective's answer that nobody asked for, with a signature of nobody. */
    Ipc__Corroborated c = IPC__CORROBORATED__INIT;
    Ipc__SignedStatement s = IPC__SIGNED_STATEMENT__INIT;
    c.authorization_id = 1;
    c.perspective = nonce;
    c.statement = &s;
    c.nonce = v.nonce;
    assert_ok(ipc_link_send(courier, IPC_CORROBORATED, 1, &c.base, NULL, 0));
    /* Nor a letter that nobody wrote, nor a link that was never sent. */
    Ipc__MailSent sent = IPC__MAIL_SENT__INIT;
    sent.mail_id = 1;
    sent.attempt = 1;
    sent.accepted = true;
    assert_ok(ipc_link_send(courier, IPC_MAIL_SENT, 1, &sent.base, NULL, 0));
    Ipc__PageCall page = IPC__PAGE_CALL__INIT;
    Ipc__PageField field = IPC__PAGE_FIELD__INIT;
    Ipc__PageField *fields[] = {&field};
    static char words[5][64] = {"validate", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "do", "approve", "192.0.2.1"};
    page.page = words[0];
    page.token = words[1];
    page.post = true;
    page.remote_address = words[4];
    field.name = words[2];
    field.value = words[3];
    page.fields = fields;
    page.n_fields = 1;
    assert_ok(ipc_link_send(notary, IPC_PAGE_CALL, 10, &page.base, NULL, 0));
    const Ipc__PageReply *shown = (const Ipc__PageReply *)puppet_expect(&p, notary, IPC_PAGE_REPLY);
    assert_int_equal(shown->status, 404);
    assert_ok(ipc_link_send(notary, IPC_NONCE_REQUEST, 9, &ask.base, NULL, 0));
    (void)puppet_expect(&p, notary, IPC_NONCE_GRANT);
    assert_false(puppet_heard(&p, examiner, IPC_SIGN_REQUEST));
    ipc_link_free(notary);
    ipc_link_free(examiner);
    ipc_link_free(validator);
    ipc_link_free(courier);
    puppet_drain(&p);
}

/* ---- the notary ---- */

struct desk {
    struct puppet p;
    struct ipc_link *gateway;
    struct ipc_link *registrar;
    struct ipc_link *reader;
    struct crypto_key *key; /* of account 77 */
    struct crypto_key *other;
    struct lt_arena arena;
};

static void desk_open(struct desk *d)
{
    puppet_start(&d->p, IPC_NOTARY);
    d->registrar = puppet_link(&d->p, IPC_REGISTRAR, 0);
    d->reader = puppet_link(&d->p, IPC_READER, 0);
    d->gateway = puppet_link(&d->p, IPC_GATEWAY, 0);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &d->key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &d->other));
    lt_arena_init(&d->arena, 1 << 20);
}

static void desk_close(struct desk *d)
{
    ipc_link_free(d->gateway);
    ipc_link_free(d->registrar);
    ipc_link_free(d->reader);
    crypto_key_free(d->key);
    crypto_key_free(d->other);
    lt_arena_done(&d->arena);
    puppet_drain(&d->p);
}

/* The registrar's part: keys and nonces, until the gateway has its answer or a call has come. */
static enum ipc_type serve(struct desk *d, unsigned *ret_status)
{
    for (int rounds = 0; rounds < 5000; rounds++) {
        struct ipc_msg m;
        lt_arena_reset(&d->p.arena);
        if (!lt_failed(ipc_link_recv(d->gateway, &d->p.arena, &m))) {
            *ret_status = ((const Ipc__HttpResponse *)m.body)->status;
            return IPC_HTTP_RESPONSE;
        }
        if (lt_failed(ipc_link_recv(d->registrar, &d->p.arena, &m))) {
            (void)usleep(1000);
            continue;
        }
        if (m.type == IPC_KEY_LOOKUP) {
            static char valid[] = "valid";
            static char alg[] = "ES256";
            uint8_t thumbprint[32];
            Ipc__KeyAnswer a = IPC__KEY_ANSWER__INIT;
            a.kid = ((const Ipc__KeyLookup *)m.body)->kid;
            a.found = true;
            a.status = valid;
            a.alg = alg;
            lt_slice spki = crypto_key_spki(d->key);
            assert_ok(jwk_thumbprint(spki, thumbprint));
            a.spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr};
            a.thumbprint = (ProtobufCBinaryData){sizeof thumbprint, thumbprint};
            assert_ok(ipc_link_send(d->registrar, IPC_KEY_ANSWER, m.from.id, &a.base, NULL, 0));
        } else if (m.type == IPC_NONCE_REQUEST) {
            static char nonce[] = "bm9uY2U";
            char *list[] = {nonce};
            Ipc__NonceGrant g = IPC__NONCE_GRANT__INIT;
            g.n_nonces = 1;
            g.nonces = list;
            assert_ok(ipc_link_send(d->registrar, IPC_NONCE_GRANT, m.from.id, &g.base, NULL, 0));
        } else if (m.type == IPC_ACME_CALL || m.type == IPC_OPERATOR_CALL) {
            return m.type;
        }
    }
    fail_msg("the notary neither answered nor asked");
    return IPC_NONE;
}

struct forged_request {
    const char *what;
    const char *method;
    const char *path;
    const char *listener;
    const char *url;     /* that was signed */
    const char *payload; /* NULL: body is no JWS */
    const char *body;    /* when there is no payload */
    bool wrong_key;
    bool by_jwk;
    bool tampered;
    bool operator_kid;
    char own_url[200]; /* where url is NULL: that of the path */
};

static void make_body(struct desk *d, const struct forged_request *r, struct lt_buf *out)
{
    if (r->payload == NULL) {
        lt_buf_add_cstr(out, r->body);
        return;
    }
    struct jws_head head = {.nonce = LT_LIT("bm9uY2U"),
                            .url = lt_slice_cstr(r->url == NULL ? r->own_url : r->url)};
    if (!r->by_jwk) {
        head.kid = r->operator_kid ? LT_LIT("operator:admin") : LT_LIT(SITE "/acme/account/77");
    }
    assert_ok(jws_sign(r->wrong_key ? d->other : d->key, &head, lt_slice_cstr(r->payload), out));
    if (r->tampered) {
        /* Another letter in the middle of the payload. */
        char *at = strstr((char *)(uintptr_t)lt_buf_cstr(out), "\"payload\":\"") + 13;
        *at = *at == 'A' ? 'B' : 'A';
    }
}

static enum ipc_type offer(struct desk *d, const struct forged_request *r, unsigned *ret_status)
{
    struct lt_buf body;
    static char jose[] = "application/jose+json";
    static char address[] = "192.0.2.1";
    lt_buf_init(&body, 1 << 16);
    make_body(d, r, &body);
    Ipc__HttpRequest m = IPC__HTTP_REQUEST__INIT;
    m.method = (char *)(uintptr_t)r->method;
    m.path = (char *)(uintptr_t)r->path;
    m.listener = (char *)(uintptr_t)r->listener;
    m.content_type = jose;
    m.remote_address = address;
    m.has_peer = true; /* it lies about that as well */
    m.body = (ProtobufCBinaryData){body.len, body.ptr};
    static uint64_t id;
    assert_ok(ipc_link_send(d->gateway, IPC_HTTP_REQUEST, ++id, &m.base, NULL, 0));
    lt_buf_done(&body);
    return serve(d, ret_status);
}

static const char order[] = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"victim.example.com\"}]}";

static const struct forged_request forgeries[] = {
    {.what = "no signature at all", .body = order},
    {.what = "empty", .body = ""},
    {.what = "garbage", .body = "\xff\xfe{}"},
    {.what = "alg none",
     .body = "{\"protected\":\"eyJhbGciOiJub25lIn0\",\"payload\":\"e30\",\"signature\":\"\"}"},
    {.what = "another's key under the account's name", .payload = order, .wrong_key = true},
    {.what = "its own key as jwk where an account is asked for",
     .payload = order,
     .wrong_key = true,
     .by_jwk = true},
    {.what = "a signed request with other content", .payload = order, .tampered = true},
    {.what = "signed for another resource", .payload = order, .url = SITE "/acme/new-account"},
    {.what = "signed for another host", .payload = order, .url = "https://example.net/acme/new-order"},
    {.what = "as GET", .payload = order, .method = "GET"},
    {.what = "finalize by another key",
     .payload = "{\"csr\":\"MAA\"}",
     .path = "/acme/order/1/finalize",
     .wrong_key = true},
    {.what = "revocation by nobody",
     .payload = "{\"certificate\":\"MAA\"}",
     .path = "/acme/revoke-cert",
     .wrong_key = true},
    {.what = "an operator's request on the public side",
     .payload = "{\"reason\":\"x\"}",
     .path = "/api/v1/halts",
     .operator_kid = true},
    {.what = "an unsigned operator's request",
     .body = "{\"kind\":\"all\",\"reason\":\"x\"}",
     .path = "/api/v1/halts",
     .listener = "api"},
    {.what = "an operator's request by another key",
     .payload = "{\"kind\":\"all\",\"reason\":\"x\"}",
     .path = "/api/v1/halts",
     .listener = "api",
     .operator_kid = true,
     .wrong_key = true},
};

static void with_defaults(struct forged_request *r)
{
    r->method = r->method == NULL ? "POST" : r->method;
    r->path = r->path == NULL ? "/acme/new-order" : r->path;
    r->listener = r->listener == NULL ? "https" : r->listener;
    if (r->url == NULL) {
        bool api = strncmp(r->path, "/api/", 5) == 0;
        (void)snprintf(r->own_url, sizeof r->own_url, "%s%s", api ? "lintel:" : SITE, r->path);
    }
}

static void test_forged_requests(void **state)
{
    (void)state;
    struct desk d;
    unsigned status = 0;
    desk_open(&d);
    struct forged_request honest = {.payload = order};
    with_defaults(&honest);
    assert_int_equal(offer(&d, &honest, &status), IPC_ACME_CALL); /* so that what follows can fail */
    for (size_t i = 0; i < LT_COUNT(forgeries); i++) {
        struct forged_request r = forgeries[i];
        with_defaults(&r);
        enum ipc_type got = offer(&d, &r, &status);
        if (got != IPC_HTTP_RESPONSE || status < 400) {
            print_error("%s: %s, status %u\n", r.what, ipc_type_info(got)->name, status);
        }
        assert_int_equal(got, IPC_HTTP_RESPONSE);
        assert_true(status >= 400 && status < 500);
    }
    assert_int_equal(offer(&d, &honest, &status), IPC_ACME_CALL);
    puppet_kill(&d.p); /* two calls are still open: a drain would wait for their answers */
    ipc_link_free(d.gateway);
    ipc_link_free(d.registrar);
    ipc_link_free(d.reader);
    crypto_key_free(d.key);
    crypto_key_free(d.other);
    lt_arena_done(&d.arena);
}

static void test_notary_out_of_turn(void **state)
{
    (void)state;
    static const struct {
        enum ipc_role liar;
        enum ipc_type type;
    } lies[] = {
        {IPC_GATEWAY, IPC_ACME_CALL},   {IPC_GATEWAY, IPC_KEY_ANSWER}, {IPC_GATEWAY, IPC_ACME_REPLY},
        {IPC_GATEWAY, IPC_QUERY_REPLY}, {IPC_READER, IPC_ACME_REPLY},  {IPC_READER, IPC_KEY_ANSWER},
        {IPC_EXAMINER, IPC_SIGN_REPLY}, {IPC_GATEWAY, IPC_LINK},
    };
    struct desk d;
    desk_open(&d);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        int raw = puppet_raw(&d.p, lies[i].liar, 5);
        puppet_say(raw, lies[i].type, NULL);
        puppet_expect_complaint(&d.p, lies[i].liar, raw);
    }
    desk_close(&d);
}

/* The answer to a gateway that died must not reach the client of its successor. */
static void test_no_answer_to_a_successor(void **state)
{
    (void)state;
    struct desk d;
    unsigned status = 0;
    desk_open(&d);
    struct forged_request honest = {.payload = order};
    with_defaults(&honest);
    /* As offer does, but the call is looked at here, for its id. */
    struct lt_buf body;
    lt_buf_init(&body, 1 << 16);
    make_body(&d, &honest, &body);
    static char jose[] = "application/jose+json";
    Ipc__HttpRequest m = IPC__HTTP_REQUEST__INIT;
    m.method = (char *)(uintptr_t)honest.method;
    m.path = (char *)(uintptr_t)honest.path;
    m.listener = (char *)(uintptr_t)honest.listener;
    m.content_type = jose;
    m.body = (ProtobufCBinaryData){body.len, body.ptr};
    assert_ok(ipc_link_send(d.gateway, IPC_HTTP_REQUEST, 4711, &m.base, NULL, 0));
    lt_buf_done(&body);
    assert_int_equal(serve(&d, &status), IPC_ACME_CALL);
    struct ipc_link *successor = puppet_link(&d.p, IPC_GATEWAY, 0);
    ipc_link_free(LT_TAKE(d.gateway, successor));
    /* An answer with every id that the one call can have had would be guessing: an unavailable registrar
     * makes the notary answer all that waits. */
    ipc_link_free(LT_TAKE(d.registrar, puppet_link(&d.p, IPC_REGISTRAR, 0)));
    struct forged_request garbage = {.body = "garbage"};
    with_defaults(&garbage);
    assert_int_equal(offer(&d, &garbage, &status), IPC_HTTP_RESPONSE);
    assert_int_equal(status, 400); /* and not the 503 of the other */
    desk_close(&d);
}

int main(int argc, char **argv)
{
    LT_ASSERT(argc == 3);
    lintel = argv[1];
    puppet_libexec = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_turn),
        cmocka_unit_test(test_forged_calls),
        cmocka_unit_test(test_forged_requests),
        cmocka_unit_test(test_notary_out_of_turn),
        cmocka_unit_test(test_no_answer_to_a_successor),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
