/* The console's requests, by way of the notary: what it asks of whom, and what goes no further. */
#include "notary_rig.h"

#include "acme.pb-c.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "query.pb-c.h"

static char operator_listener[] = "operator";
static char get[] = "GET";
static char post_method[] = "POST";
static char cookie[] = "AbC_-123";
static char jose[] = "application/jose+json";
static char text_plain[] = "text/plain";
static char origin_host[] = "127.0.0.1:14001";

static Ipc__HttpRequest request(char *method, const char *path)
{
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    r.method = method;
    r.path = lt_arena_cstr(&arena, lt_slice_cstr(path));
    r.listener = operator_listener;
    return r;
}

static void questions(void **state)
{
    (void)state;
    uint8_t hash[CRYPTO_SHA256_LEN];
    Ipc__HttpRequest r = request(get, "/api/v1/status");
    send_request(&r);
    (void)answered(401); /* nobody is bothered */
    r.session = cookie;
    send_request(&r);
    const struct said *q = heard(IPC_QUERY);
    const Ipc__Query *query = (const Ipc__Query *)(const void *)q->body;
    crypto_sha256(lt_slice_cstr(cookie), hash);
    assert_int_equal(query->session_sha256.len, sizeof hash);
    assert_memory_equal(query->session_sha256.data, hash, sizeof hash);
    char type[] = "lintel:session";
    char detail[] = "gone";
    Ipc__Problem p = IPC__PROBLEM__INIT;
    Ipc__QueryReply reply = IPC__QUERY_REPLY__INIT;
    p.status = reply.status = 401;
    p.type = type;
    p.detail = detail;
    reply.problem = &p;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &reply.base, notary_query_reply);
    (void)answered(401);
    r = request(post_method, "/api/v1/scope/count"); /* as a form of another site would */
    r.session = cookie;
    r.content_type = text_plain;
    send_request(&r);
    (void)answered(403);
    r.asked_by_script = true;
    send_request(&r);
    q = heard(IPC_QUERY);
    char json[] = "{}";
    reply = (Ipc__QueryReply)IPC__QUERY_REPLY__INIT;
    reply.status = 200;
    reply.json = json;
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &reply.base, notary_query_reply);
    (void)answered(200);
    /* By the socket there are no sessions, whatever it says. */
    static char api[] = "api";
    r = request(get, "/api/v1/status");
    r.listener = api;
    r.has_peer = true;
    r.session = cookie;
    send_request(&r);
    q = heard(IPC_QUERY);
    assert_int_equal(((const Ipc__Query *)(const void *)q->body)->session_sha256.len, 0);
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &reply.base, notary_query_reply);
    (void)answered(200);
    heard_nothing();
}

static void send_jws(const char *path, lt_slice body)
{
    Ipc__HttpRequest r = request(post_method, path);
    r.content_type = jose;
    r.body = (ProtobufCBinaryData){body.len, (uint8_t *)(uintptr_t)body.ptr};
    send_request(&r);
}

static void answer_session(const struct said *lookup, const char *operator_)
{
    Ipc__KeyAnswer a = IPC__KEY_ANSWER__INIT;
    uint8_t thumbprint[32] = {1};
    char valid[] = "valid";
    lt_slice spki = crypto_key_spki(account_key);
    a.kid = ((const Ipc__KeyLookup *)(const void *)lookup->body)->kid;
    a.found = true;
    a.status = valid;
    a.operator_ = lt_arena_cstr(&arena, lt_slice_cstr(operator_));
    a.spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr};
    a.thumbprint = (ProtobufCBinaryData){sizeof thumbprint, thumbprint};
    tell(IPC_REGISTRAR, IPC_KEY_ANSWER, lookup->id, &a.base, notary_key_answer);
}

static void changes(void **state)
{
    (void)state;
    static const char halt[] = "{\"kind\":\"all\",\"reason\":\"test\"}";
    static const char url[] = "lintel:/api/v1/halts";
    for (int i = 0; i < 2; i++) { /* the second time its key is known */
        send_jws("/api/v1/halts", sign_for(account_key, "session:S1", url, halt));
        if (i == 0) {
            answer_session(heard(IPC_KEY_LOOKUP), "ann");
        }
        const struct said *call = heard(IPC_OPERATOR_CALL);
        const Ipc__OperatorCall *c = (const Ipc__OperatorCall *)(const void *)call->body;
        assert_string_equal(c->operator_, "ann");
        assert_string_equal(c->session, "S1");
        Ipc__OperatorReply r = IPC__OPERATOR_REPLY__INIT;
        tell(IPC_REGISTRAR, IPC_OPERATOR_REPLY, call->id, &r.base, notary_operator_reply);
        assert_null(header(answered(200), "Set-Cookie"));
    }
    static const char *const kids[] = {"operator:ann", "12", "session", KID, ""};
    for (size_t i = 0; i < LT_COUNT(kids); i++) {
        send_jws("/api/v1/halts", sign_for(account_key, kids[i], url, halt));
        (void)answered(400);
    }
    send_jws("/api/v1/halts", sign_for(account_key, "session:S1", "lintel:/api/v1/plans", halt));
    (void)answered(403);
    send_jws("/api/v1/halts", sign_for(other_key, "session:S1", url, halt));
    answer_session(heard(IPC_KEY_LOOKUP), "ann"); /* asked once more: keys change */
    (void)answered(403);
    send_jws("/api/v1/halts", sign_for(account_key, "session:S2", url, halt));
    answer_key(heard(IPC_KEY_LOOKUP), NULL, "");
    (void)answered(401);
    /* The socket takes none of a session. */
    send_http(&(struct ask){"POST", "/api/v1/halts", "", "api", "application/jose+json",
                            sign_for(account_key, "session:S1", url, halt), true, 0});
    (void)answered(400);
    heard_nothing();
}

static void logging_in(void **state)
{
    (void)state;
    static const char url[] = "lintel:/api/v1/sessions";
    static const char good[] =
        "{\"rp\":\"localhost\",\"passkey\":{\"id\":\"AQ\",\"authenticator-data\":\"AQ\","
        "\"client-data\":\"AQ\",\"signature\":\"AQ\"}}";
    static const char *const bad[] = {
        "{}",
        "[]",
        "",
        "{\"certificate\":false}",
        "{\"certificate\":1}",
        "{\"passkey\":1,\"rp\":\"localhost\"}",
        "{\"passkey\":{\"id\":\"AQ\"},\"rp\":\"localhost\"}",
        "{\"rp\":\"localhost\"}",
        "{\"passkey\":{\"id\":\"\",\"authenticator-data\":\"AQ\",\"client-data\":\"AQ\",\"signature\":\"AQ\"}"
        ",\"rp\":\"localhost\"}",
        "{\"passkey\":{\"id\":\"A+\",\"authenticator-data\":\"AQ\",\"client-data\":\"AQ\",\"signature\":"
        "\"AQ\"},\"rp\":\"localhost\"}",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        send_jws("/api/v1/sessions", sign_for(account_key, "", url, bad[i]));
        (void)answered(400);
    }
    send_jws("/api/v1/sessions", sign_for(account_key, "", url, "{\"certificate\":true}"));
    (void)answered(403); /* TLS has proved none */
    send_jws("/api/v1/sessions", sign_for(account_key, "session:S1", url, good));
    (void)answered(400);
    send_http(&(struct ask){"POST", "/api/v1/sessions", "", "api", "application/jose+json",
                            sign_for(account_key, "", url, good), true, 0});
    (void)answered(404);
    /* What is no answer is counted by the registrar, which says no. */
    send_jws("/api/v1/sessions", sign_for(account_key, "", url, good));
    const struct said *lookup = heard(IPC_KEY_LOOKUP);
    const char *kid = ((const Ipc__KeyLookup *)(const void *)lookup->body)->kid;
    assert_memory_equal(kid, "passkey:", 8);
    answer_session(lookup, "ann");
    const struct said *call = heard(IPC_OPERATOR_CALL);
    const Ipc__OperatorCall *c = (const Ipc__OperatorCall *)(const void *)call->body;
    assert_string_equal(c->op, "session.open");
    assert_string_equal(c->operator_, "");
    assert_non_null(c->login);
    assert_true(c->login->refused[0] != 0);
    assert_int_equal(c->login->spki.len, crypto_key_spki(account_key).len);
    char value[] = "drawn";
    char json[] = "{}";
    Ipc__OperatorReply r = IPC__OPERATOR_REPLY__INIT;
    r.status = 201;
    r.json = json;
    r.cookie = value;
    r.cookie_s = 60;
    tell(IPC_REGISTRAR, IPC_OPERATOR_REPLY, call->id, &r.base, notary_operator_reply);
    assert_string_equal(header(answered(201), "Set-Cookie"),
                        "lintel_session_14001=drawn; HttpOnly; SameSite=Strict; Path=/api/v1; Max-Age=60");
    heard_nothing();
}

static void enrolling(void **state)
{
    (void)state;
    static const char url[] = "lintel:/api/v1/passkeys";
    static const char *const bad[] = {
        "{}",
        "{\"operator\":\"Ann\",\"rp\":\"localhost\",\"authenticator-data\":\"AQ\",\"client-data\":\"AQ\","
        "\"signature\":\"AQ\"}",
        "{\"operator\":\"ann\",\"rp\":\"evil\",\"authenticator-data\":\"AQ\",\"client-data\":\"AQ\","
        "\"signature\":\"AQ\"}",
        "{\"operator\":\"ann\",\"rp\":\"localhost\",\"authenticator-data\":\"AQ\",\"client-data\":\"AQ\","
        "\"signature\":\"AQ\"}",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        send_jws("/api/v1/passkeys", sign_for(account_key, "", url, bad[i]));
        const Ipc__HttpResponse *r = answered(400);
        assert_null(header(r, "Set-Cookie"));
    }
    heard_nothing();
}

static int console_up(void **state)
{
    if (set_up(state) != 0) {
        return -1;
    }
    struct ca_origins origins;
    ca_origins_of(origin_host, "localhost", &origins);
    notary_use_origins(notary, &origins);
    return 0;
}

#define CONSOLE_TEST(f_) cmocka_unit_test_setup_teardown(f_, console_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {CONSOLE_TEST(questions), CONSOLE_TEST(changes),
                                       CONSOLE_TEST(logging_in), CONSOLE_TEST(enrolling)};
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
