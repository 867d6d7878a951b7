/* The notary without its process: requests as the gateway sends them, answers as registrar and reader give
 * them, and what the notary says in between. */
#include "check.h"

#include <stdlib.h>

#include "acme/problem.h"
#include "base/text.h"
#include "http.pb-c.h"
#include "jose/json.h"
#include "role/notary_core.h"
#include "role/notary_keys.h"

#define BASE "https://ca.example"

/* Everything the notary said, oldest first. */
enum { SAID_MAX = 600 };
struct said {
    enum ipc_role to;
    enum ipc_type type;
    uint64_t id;
    ProtobufCMessage *body;
};
static struct said said[SAID_MAX];
static size_t said_count;
static size_t said_read;
static bool registrar_is_there = true;
static struct notary *notary;
static struct lt_arena arena;
static struct crypto_key *account_key;
static struct crypto_key *other_key;
static uint64_t gateway_id;

static void keep(enum ipc_role to, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    size_t len = protobuf_c_message_get_packed_size(body);
    uint8_t *packed = malloc(len + 1);
    assert_int_equal(protobuf_c_message_pack(body, packed), len);
    assert_true(said_count < SAID_MAX);
    said[said_count++] = (struct said){to, type, id,
                                       protobuf_c_message_unpack(body->descriptor, NULL, len, packed)};
    assert_non_null(said[said_count - 1].body);
    free(packed);
}

static lt_res say(void *self, enum ipc_role to, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    (void)self;
    assert_true(ipc_may_send(IPC_NOTARY, to, type));
    LT_CHECK(registrar_is_there, LT_RETRY_UNAVAILABLE, "nobody there");
    keep(to, type, id, body);
    return LT_OK;
}

static lt_res reply(void *self, const struct ipc_addr *to, enum ipc_type type, const ProtobufCMessage *body)
{
    (void)self;
    assert_true(ipc_may_send(IPC_NOTARY, to->role, type));
    keep(to->role, type, to->id, body);
    return LT_OK;
}

static void forget_said(void)
{
    for (size_t i = 0; i < said_count; i++) {
        protobuf_c_message_free_unpacked(said[i].body, NULL);
    }
    said_count = 0;
    said_read = 0;
}

static const struct said *heard(enum ipc_type type)
{
    if (said_read >= said_count) {
        print_error("nothing was said; %d expected\n", (int)type);
    }
    assert_true(said_read < said_count);
    assert_int_equal(said[said_read].type, type);
    return &said[said_read++];
}

static void heard_nothing(void)
{
    assert_int_equal(said_read, said_count);
}

static void tell(enum ipc_role from, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
                 lt_res (*handle)(struct notary *n, const struct ipc_msg *m))
{
    struct ipc_msg m = {.from = {.role = from, .instance = 0, .id = id}, .type = type, .body = body};
    assert_ok(handle(notary, &m));
}

static void grant_nonces(size_t count)
{
    char text[16];
    char *list[256];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text, "bm9uY2U%03zu", i);
        list[i] = lt_arena_cstr(&arena, lt_slice_cstr(text));
    }
    Ipc__NonceGrant grant = IPC__NONCE_GRANT__INIT;
    grant.n_nonces = count;
    grant.nonces = list;
    tell(IPC_REGISTRAR, IPC_NONCE_GRANT, 0, &grant.base, notary_nonce_grant);
}

static int set_up(void **state)
{
    (void)state;
    const struct notary_options options = {
        .site = {.base_url = BASE, .terms_of_service = "", .website = ""}, .owner_uid = 1000, .keys_max = 4};
    const struct notary_ports ports = {.send = say, .reply = reply};
    lt_arena_init(&arena, 1 << 24);
    notary = notary_new(&options, &ports);
    notary_tick(notary, 1000);
    notary_linked(notary, IPC_REGISTRAR);
    (void)heard(IPC_NONCE_REQUEST);
    grant_nonces(200);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(notary_in_flight(notary), 0);
    forget_said();
    notary_free(notary);
    lt_arena_done(&arena);
    registrar_is_there = true;
    return 0;
}

static int make_keys(void **state)
{
    (void)state;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &account_key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &other_key));
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    crypto_key_free(account_key);
    crypto_key_free(other_key);
    return 0;
}

/* Requests. */

struct ask {
    const char *method;
    const char *path;
    const char *query;
    const char *listener;
    const char *content_type;
    lt_slice body;
    bool has_peer;
    uint32_t uid;
};

static void send_http(const struct ask *a)
{
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    r.method = lt_arena_cstr(&arena, lt_slice_cstr(a->method));
    r.path = lt_arena_cstr(&arena, lt_slice_cstr(a->path));
    r.query = lt_arena_cstr(&arena, lt_slice_cstr(a->query));
    r.listener = lt_arena_cstr(&arena, lt_slice_cstr(a->listener == NULL ? "https" : a->listener));
    r.content_type = lt_arena_cstr(&arena, lt_slice_cstr(a->content_type));
    r.body = (ProtobufCBinaryData){a->body.len, (uint8_t *)(uintptr_t)a->body.ptr};
    r.has_peer = a->has_peer;
    r.peer_uid = a->uid;
    gateway_id++;
    tell(IPC_GATEWAY, IPC_HTTP_REQUEST, gateway_id, &r.base, notary_http);
}

static lt_slice sign_for(struct crypto_key *key, const char *kid, const char *url, const char *payload)
{
    struct lt_buf out;
    lt_buf_init(&out, 64 * 1024);
    struct jws_head head = {
        .kid = lt_slice_cstr(kid), .nonce = LT_LIT("Y2xpZW50"), .url = lt_slice_cstr(url)};
    assert_ok(jws_sign(key, &head, lt_slice_cstr(payload), &out));
    lt_slice copy = lt_arena_copy(&arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return copy;
}

static void post(const char *path, lt_slice body)
{
    send_http(&(struct ask){"POST", path, "", NULL, "application/jose+json", body, false, 0});
}

#define KID BASE "/acme/account/12"

static void post_signed(struct crypto_key *key, const char *path, const char *payload)
{
    char *url = lt_arena_printf(&arena, BASE "%s", path);
    post(path, sign_for(key, KID, url, payload));
}

/* The answer to the last request. */
static const Ipc__HttpResponse *answered(uint32_t status)
{
    const struct said *s = heard(IPC_HTTP_RESPONSE);
    const Ipc__HttpResponse *r = (const Ipc__HttpResponse *)(const void *)s->body;
    assert_int_equal(s->to, IPC_GATEWAY);
    assert_int_equal(s->id, gateway_id);
    if (r->status != status) {
        print_error("%u: %.*s\n", r->status, (int)r->body.len, (const char *)r->body.data);
    }
    assert_int_equal(r->status, status);
    return r;
}

static const char *header(const Ipc__HttpResponse *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (strcmp(r->headers[i]->name, name) == 0) {
            return r->headers[i]->value;
        }
    }
    return NULL;
}

static void refused(uint32_t status, const char *type)
{
    const Ipc__HttpResponse *r = answered(status);
    LT_CLEANUP(jose_json_freep) json_t *p = NULL;
    assert_string_equal(r->content_type, "application/problem+json");
    assert_ok(jose_json_object(LT_SLICE(r->body.data, r->body.len), &p));
    char full[128];
    (void)snprintf(full, sizeof full, "urn:ietf:params:acme:error:%s", type);
    assert_string_equal(json_string_value(json_object_get(p, "type")), full);
}

static void answer_key(const struct said *lookup, struct crypto_key *key, const char *status)
{
    Ipc__KeyAnswer a = IPC__KEY_ANSWER__INIT;
    uint8_t thumbprint[32];
    a.kid = ((const Ipc__KeyLookup *)(const void *)lookup->body)->kid;
    a.status = lt_arena_cstr(&arena, lt_slice_cstr(status));
    if (key != NULL) {
        lt_slice spki = crypto_key_spki(key);
        assert_ok(jwk_thumbprint(spki, thumbprint));
        a.found = true;
        a.spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr};
        a.thumbprint = (ProtobufCBinaryData){32, thumbprint};
    }
    tell(IPC_REGISTRAR, IPC_KEY_ANSWER, lookup->id, &a.base, notary_key_answer);
}

static void answer_call(const struct said *call, const char *problem)
{
    char nonce[] = "ZnJlc2g";
    char valid[] = "valid";
    Ipc__AcmeReply r = IPC__ACME_REPLY__INIT;
    Ipc__AcmeAccountBody account = IPC__ACME_ACCOUNT_BODY__INIT;
    account.id = 12;
    account.status = valid;
    r.nonce = nonce;
    r.status = 200;
    if (problem == NULL) {
        r.account = &account;
    } else {
        r.problem = acme_problem(&arena, problem, "no");
    }
    tell(IPC_REGISTRAR, IPC_ACME_REPLY, call->id, &r.base, notary_acme_reply);
}

/* Tests. */

static void reads_without_signature(void **state)
{
    (void)state;
    send_http(&(struct ask){"GET", "/acme/directory", "", NULL, "", {0}, false, 0});
    const Ipc__HttpResponse *r = answered(200);
    assert_null(header(r, "Replay-Nonce"));
    send_http(&(struct ask){"HEAD", "/acme/new-nonce", "", NULL, "", {0}, false, 0});
    r = answered(200);
    const char *first = header(r, "Replay-Nonce");
    send_http(&(struct ask){"GET", "/acme/new-nonce", "", NULL, "", {0}, false, 0});
    r = answered(204);
    assert_string_not_equal(header(r, "Replay-Nonce"), first);
    heard_nothing();
}

static void wrong_paths_and_methods(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *path;
        const char *listener;
        uint32_t status;
    } rows[] = {
        {"GET", "/", "https", 404},
        {"GET", "/acme/nothing", "https", 404},
        {"POST", "/acme/nothing", "https", 404},
        {"GET", "/acme/directory", "http", 404}, /* ACME is for https alone */
        {"GET", "/acme/directory", "operator", 404},
        {"GET", "/acme/directory", "api", 404},
        {"GET", "/acme/new-order", "https", 405},
        {"HEAD", "/acme/account/12", "https", 405},
        {"PUT", "/acme/new-order", "https", 405},
        {"DELETE", "/acme/account/12", "https", 405},
        {"post", "/acme/new-order", "https", 405},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        send_http(&(struct ask){rows[i].method, rows[i].path, "", rows[i].listener, "", {0}, false, 0});
        const Ipc__HttpResponse *r = answered(rows[i].status);
        assert_int_equal(header(r, "Replay-Nonce") != NULL, strncmp(rows[i].path, "/acme/", 6) == 0);
        if (rows[i].status == 405) {
            assert_string_equal(header(r, "Allow"), "POST");
        }
    }
}

static void content_types(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool good;
    } rows[] = {
        {"application/jose+json", true},   {"Application/JOSE+JSON; charset=utf-8", true},
        {"application/json", false},       {"application/jose", false},
        {"application/jose+jsonx", false}, {"", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        send_http(&(struct ask){"POST", "/acme/new-order", "", NULL, rows[i].type, LT_LIT("{}"), false, 0});
        refused(rows[i].good ? 400 : 415, "malformed");
    }
}

static void key_is_asked_once(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    const struct said *lookup = heard(IPC_KEY_LOOKUP);
    assert_string_equal(((const Ipc__KeyLookup *)(const void *)lookup->body)->kid, "12");
    answer_key(lookup, account_key, "valid");
    const struct said *call = heard(IPC_ACME_CALL);
    const Ipc__AcmeCall *c = (const Ipc__AcmeCall *)(const void *)call->body;
    uint8_t thumbprint[32];
    assert_ok(jwk_thumbprint(crypto_key_spki(account_key), thumbprint));
    assert_int_equal(c->op, IPC__ACME_OP__ACME_GET_ACCOUNT);
    assert_int_equal(c->account_id, 12);
    assert_string_equal(c->nonce, "Y2xpZW50");
    assert_memory_equal(c->thumbprint.data, thumbprint, 32);
    assert_int_equal(c->jws.len, 0);
    answer_call(call, NULL);
    const Ipc__HttpResponse *r = answered(200);
    assert_string_equal(header(r, "Replay-Nonce"), "ZnJlc2g");

    post_signed(account_key, "/acme/account/12", "{\"status\":\"deactivated\"}");
    call = heard(IPC_ACME_CALL);
    c = (const Ipc__AcmeCall *)(const void *)call->body;
    assert_true(c->update_account->deactivate);
    assert_true(c->jws.len > 0); /* kept with the event */
    answer_call(call, "badNonce");
    refused(400, "badNonce");
    heard_nothing();
}

static void directory_by_post_as_get(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/directory", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    answer_call(heard(IPC_ACME_CALL), NULL);
    const Ipc__HttpResponse *r = answered(200);
    assert_non_null(memmem(r->body.data, r->body.len, "newNonce", 8));
    assert_string_equal(header(r, "Replay-Nonce"), "ZnJlc2g");
    post_signed(account_key, "/acme/new-nonce", "");
    answer_call(heard(IPC_ACME_CALL), NULL);
    r = answered(204);
    assert_string_equal(header(r, "Replay-Nonce"), "ZnJlc2g");
}

static void unknown_accounts(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), NULL, "");
    refused(400, "accountDoesNotExist");
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "deactivated");
    refused(401, "unauthorized");
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), NULL, "unavailable");
    refused(503, "serverInternal");
}

/* A signature that the remembered key does not verify: the key may have changed by way of another notary. */
static void changed_key(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    answer_call(heard(IPC_ACME_CALL), NULL);
    (void)answered(200);
    post_signed(other_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), other_key, "valid");
    answer_call(heard(IPC_ACME_CALL), NULL);
    (void)answered(200);
    /* and one that is just wrong costs one question, then an answer */
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), other_key, "valid");
    refused(403, "unauthorized");
    heard_nothing();
}

/* The remembered key verifies, but the registrar knows a newer one. */
static void stale_key(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    answer_call(heard(IPC_ACME_CALL), "lintel:stale-key");
    answer_key(heard(IPC_KEY_LOOKUP), other_key, "valid");
    refused(403, "unauthorized"); /* signed with the old one: no more */

    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid"); /* the look-up was itself too early */
    answer_call(heard(IPC_ACME_CALL), "lintel:stale-key");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    const struct said *call = heard(IPC_ACME_CALL);
    assert_string_equal(((const Ipc__AcmeCall *)(const void *)call->body)->nonce, "ZnJlc2g");
    answer_call(call, "lintel:stale-key");
    refused(503, "serverInternal"); /* never a third time, and never the word itself */
    heard_nothing();
}

static void other_urls(void **state)
{
    (void)state;
    static const char *const urls[] = {
        BASE "/acme/new-order/",
        BASE "/acme/new-account",
        "http://ca.example/acme/new-order",
        BASE "/acme/new-order?x",
        "https://ca.example:443/acme/new-order",
        "/acme/new-order",
        "HTTPS://ca.example/acme/new-order",
    };
    for (size_t i = 0; i < LT_COUNT(urls); i++) {
        post("/acme/new-order", sign_for(account_key, KID, urls[i], "{}"));
        refused(403, "unauthorized");
    }
    /* the query is part of it */
    send_http(&(struct ask){"POST", "/acme/account/12/orders", "cursor=AQI", NULL, "application/jose+json",
                            sign_for(account_key, KID, BASE "/acme/account/12/orders", ""), false, 0});
    refused(403, "unauthorized");
    send_http(&(struct ask){"POST", "/acme/account/12/orders", "cursor=AQI", NULL, "application/jose+json",
                            sign_for(account_key, KID, BASE "/acme/account/12/orders?cursor=AQI", ""), false,
                            0});
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    const struct said *call = heard(IPC_ACME_CALL);
    assert_int_equal(((const Ipc__AcmeCall *)(const void *)call->body)->object->cursor.len, 2);
    answer_call(call, NULL);
    (void)answered(200);
}

static void who_signs(void **state)
{
    (void)state;
    /* jwk where an account is asked for, kid where a key is */
    post("/acme/new-order", sign_for(account_key, "", BASE "/acme/new-order", "{}"));
    refused(400, "malformed");
    post("/acme/new-account", sign_for(account_key, KID, BASE "/acme/new-account", "{}"));
    refused(400, "malformed");
    post("/acme/new-order", sign_for(account_key, "operator:admin", BASE "/acme/new-order", "{}"));
    refused(400, "malformed");
    post("/acme/new-order", sign_for(account_key, BASE "/acme/order/12", BASE "/acme/new-order", "{}"));
    refused(400, "malformed");
    /* a new account says so with its key */
    post("/acme/new-account", sign_for(account_key, "", BASE "/acme/new-account", "{}"));
    const struct said *call = heard(IPC_ACME_CALL);
    const Ipc__AcmeCall *c = (const Ipc__AcmeCall *)(const void *)call->body;
    assert_int_equal(c->account_id, 0);
    assert_int_equal(c->op, IPC__ACME_OP__ACME_NEW_ACCOUNT);
    assert_string_equal(c->jwk_alg, "ES256");
    assert_true(lt_slice_eq(LT_SLICE(c->jwk->spki.data, c->jwk->spki.len), crypto_key_spki(account_key)));
    answer_call(call, NULL);
    (void)answered(200);
}

static void broken_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *type;
    } rows[] = {
        {"", "malformed"},
        {"x", "malformed"},
        {"{}", "malformed"},
        /* {"alg":"none"} */
        {"{\"protected\":\"eyJhbGciOiJub25lIn0\",\"payload\":\"\",\"signature\":\"AA\"}",
         "badSignatureAlgorithm"},
        /* {"alg":"ES256","url":"u"} */
        {"{\"protected\":\"eyJhbGciOiJFUzI1NiIsInVybCI6InUifQ\",\"payload\":\"\",\"signature\":\"AA\"}",
         "badNonce"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        post("/acme/new-order", lt_slice_cstr(rows[i].body));
        refused(400, rows[i].type);
    }
    lt_slice good = sign_for(account_key, "", BASE "/acme/new-account", "{}");
    uint8_t *bad = (uint8_t *)(uintptr_t)good.ptr;
    bad[good.len - 8] = bad[good.len - 8] == 'A' ? 'B' : 'A'; /* in the signature */
    post("/acme/new-account", good);
    refused(403, "unauthorized");
    static char large[JWS_MAX_BYTES + 1];
    memset(large, ' ', sizeof large);
    post("/acme/new-order", LT_SLICE(large, sizeof large));
    refused(413, "malformed");
    heard_nothing();
}

/* Nonces run out: answers wait for a grant. */
static void nonces_run_out(void **state)
{
    (void)state;
    size_t answers = 0;
    for (size_t i = 0; i < 203; i++) {
        send_http(&(struct ask){"HEAD", "/acme/new-nonce", "", NULL, "", {0}, false, 0});
    }
    while (said_read < said_count) {
        answers += said[said_read].type == IPC_HTTP_RESPONSE;
        said_read++;
    }
    assert_int_equal(answers, 200);
    assert_int_equal(notary_in_flight(notary), 3);
    grant_nonces(2);
    (void)heard(IPC_HTTP_RESPONSE);
    (void)heard(IPC_HTTP_RESPONSE);
    (void)heard(IPC_NONCE_REQUEST);
    grant_nonces(5);
    (void)answered(200);
    /* old ones are not given out: the registrar's window moves on */
    notary_tick(notary, 1000 + 3600 * 1000);
    send_http(&(struct ask){"GET", "/acme/nothing", "", NULL, "", {0}, false, 0});
    (void)heard(IPC_NONCE_REQUEST);
    heard_nothing();
    grant_nonces(1);
    refused(404, "malformed");
}

static void registrar_goes_away(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    const struct said *lookup = heard(IPC_KEY_LOOKUP);
    notary_unlinked(notary, IPC_REGISTRAR);
    const Ipc__HttpResponse *r = answered(503);
    assert_non_null(header(r, "Retry-After"));
    answer_key(lookup, account_key, "valid"); /* too late */
    heard_nothing();
    registrar_is_there = false;
    post_signed(account_key, "/acme/account/12", "");
    (void)answered(503);
    send_http(&(struct ask){"HEAD", "/acme/new-nonce", "", NULL, "", {0}, false, 0});
    (void)answered(503);
    send_http(&(struct ask){"GET", "/acme/nothing", "", NULL, "", {0}, false, 0});
    (void)answered(404);
    send_http(&(struct ask){"GET", "/acme/directory", "", NULL, "", {0}, false, 0});
    (void)answered(200);
    registrar_is_there = true;
    notary_linked(notary, IPC_REGISTRAR);
    (void)heard(IPC_NONCE_REQUEST);
}

static void answers_that_do_not_come(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    const struct said *call = heard(IPC_ACME_CALL);
    notary_tick(notary, 1000 + 15 * 1000);
    heard_nothing();
    notary_tick(notary, 1000 + 25 * 1000);
    (void)answered(503);
    answer_call(call, NULL);
    heard_nothing();
}

static void table_is_bounded(void **state)
{
    (void)state;
    lt_slice body = sign_for(account_key, KID, BASE "/acme/account/12", "");
    for (size_t i = 0; i < NOTARY_IN_FLIGHT_MAX; i++) {
        post("/acme/account/12", body);
        assert_int_equal(said[said_count - 1].type, IPC_KEY_LOOKUP);
        forget_said();
        if (i % 64 == 0) {
            lt_arena_reset(&arena);
            body = sign_for(account_key, KID, BASE "/acme/account/12", "");
        }
    }
    post("/acme/account/12", body);
    const Ipc__HttpResponse *r = answered(503);
    assert_non_null(header(r, "Retry-After"));
    assert_int_equal(notary_in_flight(notary), NOTARY_IN_FLIGHT_MAX);
    forget_said();
}

static int tear_down_full(void **state)
{
    (void)state;
    forget_said();
    notary_free(notary);
    lt_arena_done(&arena);
    return 0;
}

/* The operator API. */

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
        {"https", true, 0, 404}, {"http", true, 0, 404}, {"operator", true, 0, 404},
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

/* Replies with ids that nobody asked under, or of another kind, change nothing. */
static void foreign_replies(void **state)
{
    (void)state;
    post_signed(account_key, "/acme/account/12", "");
    const struct said *lookup = heard(IPC_KEY_LOOKUP);
    struct said wrong = *lookup;
    for (uint64_t delta = 1; delta < 5000; delta += 777) {
        wrong.id = lookup->id + delta;
        answer_key(&wrong, account_key, "valid");
        answer_call(&wrong, NULL);
    }
    answer_call(lookup, NULL); /* the right id, but no call was made */
    heard_nothing();
    answer_key(lookup, account_key, "valid");
    answer_call(heard(IPC_ACME_CALL), NULL);
    (void)answered(200);
}

/* The cache of keys. */

static struct crypto_pub *import_key(struct crypto_key *key)
{
    struct crypto_pub *pub = NULL;
    assert_ok(crypto_pub_new(crypto_key_spki(key), &pub));
    return pub;
}

static void key_cache(void **state)
{
    (void)state;
    struct notary_keys *k = notary_keys_new(4);
    uint8_t print[32] = {0};
    char kid[16];
    for (uint8_t i = 0; i < 6; i++) {
        (void)snprintf(kid, sizeof kid, "%u", i);
        print[0] = i;
        (void)notary_keys_put(k, lt_slice_cstr(kid), import_key(account_key), print);
        if (i == 3) {
            assert_non_null(notary_keys_get(k, LT_LIT("0"))); /* used: now 1 is the oldest */
        }
    }
    assert_int_equal(notary_keys_count(k), 4);
    assert_null(notary_keys_get(k, LT_LIT("1")));
    assert_null(notary_keys_get(k, LT_LIT("2")));
    assert_int_equal(notary_keys_get(k, LT_LIT("0"))->thumbprint[0], 0);
    assert_int_equal(notary_keys_get(k, LT_LIT("5"))->thumbprint[0], 5);
    print[0] = 99;
    (void)notary_keys_put(k, LT_LIT("5"), import_key(account_key), print);
    assert_int_equal(notary_keys_count(k), 4);
    assert_int_equal(notary_keys_get(k, LT_LIT("5"))->thumbprint[0], 99);
    notary_keys_forget(k, LT_LIT("5"));
    notary_keys_forget(k, LT_LIT("5"));
    notary_keys_forget(k, LT_LIT(""));
    assert_null(notary_keys_get(k, LT_LIT("5")));
    assert_int_equal(notary_keys_count(k), 3);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(kid, sizeof kid, "%u", i * 7 % 13);
        if (i % 3 == 0) {
            notary_keys_forget(k, lt_slice_cstr(kid));
        } else if (notary_keys_get(k, lt_slice_cstr(kid)) == NULL) {
            (void)notary_keys_put(k, lt_slice_cstr(kid), import_key(account_key), print);
        }
        assert_true(notary_keys_count(k) <= 4);
    }
    notary_keys_free(k);
    notary_keys_free(NULL);
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_without_signature),
        TEST(wrong_paths_and_methods),
        TEST(content_types),
        TEST(key_is_asked_once),
        TEST(directory_by_post_as_get),
        TEST(unknown_accounts),
        TEST(changed_key),
        TEST(stale_key),
        TEST(other_urls),
        TEST(who_signs),
        TEST(broken_bodies),
        TEST(nonces_run_out),
        TEST(registrar_goes_away),
        TEST(answers_that_do_not_come),
        cmocka_unit_test_setup_teardown(table_is_bounded, set_up, tear_down_full),
        TEST(api_rights),
        TEST(api_streams),
        TEST(operator_calls),
        TEST(api_nonce),
        TEST(service_certificates),
        TEST(foreign_replies),
        TEST(key_cache),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
