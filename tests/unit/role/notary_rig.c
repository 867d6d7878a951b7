/* See notary_rig.h. */
#include "notary_rig.h"

#include <stdlib.h>

#include "acme/problem.h"
#include "jose/jws.h"

struct said said[SAID_MAX];
size_t said_count;
size_t said_read;
bool registrar_is_there = true;
bool rig_testing;
struct notary *notary;
struct lt_arena arena;
struct crypto_key *account_key;
struct crypto_key *other_key;
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

void forget_said(void)
{
    for (size_t i = 0; i < said_count; i++) {
        protobuf_c_message_free_unpacked(said[i].body, NULL);
    }
    said_count = 0;
    said_read = 0;
}

const struct said *heard(enum ipc_type type)
{
    if (said_read >= said_count) {
        print_error("nothing was said; %d expected\n", (int)type);
    }
    assert_true(said_read < said_count);
    assert_int_equal(said[said_read].type, type);
    return &said[said_read++];
}

void heard_nothing(void)
{
    assert_int_equal(said_read, said_count);
}

void tell(enum ipc_role from, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
          lt_res (*handle)(struct notary *n, const struct ipc_msg *m))
{
    struct ipc_msg m = {.from = {.role = from, .instance = 0, .id = id}, .type = type, .body = body};
    assert_ok(handle(notary, &m));
}

void grant_nonces(size_t count)
{
    char text[32];
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

int set_up(void **state)
{
    (void)state;
    const struct notary_options options = {.site = {.base_url = BASE, .terms_of_service = "", .website = ""},
                                           .cookie = "lintel_session_14001",
                                           .owner_uid = 1000,
                                           .keys_max = 4,
                                           .testing = rig_testing};
    const struct notary_ports ports = {.send = say, .reply = reply};
    lt_arena_init(&arena, 1 << 24);
    notary = notary_new(&options, &ports);
    notary_tick(notary, 1000);
    notary_linked(notary, IPC_REGISTRAR);
    (void)heard(IPC_NONCE_REQUEST);
    grant_nonces(200);
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    assert_int_equal(notary_in_flight(notary), 0);
    forget_said();
    notary_free(notary);
    lt_arena_done(&arena);
    registrar_is_there = true;
    return 0;
}

int make_keys(void **state)
{
    (void)state;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &account_key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &other_key));
    return 0;
}

int drop_keys(void **state)
{
    (void)state;
    crypto_key_free(account_key);
    crypto_key_free(other_key);
    return 0;
}

void send_http(const struct ask *a)
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
    send_request(&r);
}

void send_request(const Ipc__HttpRequest *r)
{
    gateway_id++;
    tell(IPC_GATEWAY, IPC_HTTP_REQUEST, gateway_id, &r->base, notary_http);
}

lt_slice sign_for(struct crypto_key *key, const char *kid, const char *url, const char *payload)
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

void post(const char *path, lt_slice body)
{
    send_http(&(struct ask){"POST", path, "", NULL, "application/jose+json", body, false, 0});
}

void post_signed(struct crypto_key *key, const char *path, const char *payload)
{
    char *url = lt_arena_printf(&arena, BASE "%s", path);
    post(path, sign_for(key, KID, url, payload));
}

/* The answer to the last request. */
const Ipc__HttpResponse *answered(uint32_t status)
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

const char *header(const Ipc__HttpResponse *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (strcmp(r->headers[i]->name, name) == 0) {
            return r->headers[i]->value;
        }
    }
    return NULL;
}

void refused(uint32_t status, const char *type)
{
    const Ipc__HttpResponse *r = answered(status);
    LT_CLEANUP(jose_json_freep) json_t *p = NULL;
    assert_string_equal(r->content_type, "application/problem+json");
    assert_ok(jose_json_object(LT_SLICE(r->body.data, r->body.len), &p));
    char full[128];
    (void)snprintf(full, sizeof full, "urn:ietf:params:acme:error:%s", type);
    assert_string_equal(json_string_value(json_object_get(p, "type")), full);
}

void answer_key(const struct said *lookup, struct crypto_key *key, const char *status)
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

void answer_call(const struct said *call, const char *problem)
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
