/* Passkeys: what makes one somebody's, what is an answer to a text, and everything that is none. */
#include "../check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "ca/approval.h"
#include "ca/examiner_state.h"
#include "ca/passkey.h"
#include "crypto/digest.h"
#include "crypto/key.h"

#define NOW INT64_C(1795305600000000)
enum { ID_LEN = 16, HEAD_LEN = 37, DATA_MAX = 1200 };

static struct crypto_key *passkey_key;
static struct crypto_key *link_key;
static struct ca_enrolment enrolment;
static struct ca_operator people[2];
static struct ca_operators operators = {.list = people, .count = 2};
static uint8_t id[ID_LEN] = "sixteen bytes..";
static struct ca_passkey passkey;
static struct ca_origins origins;

static int set_up(void **state)
{
    (void)state;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &passkey_key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &link_key));
    enrolment = (struct ca_enrolment){crypto_key_spki(link_key), {NOW + LT_US_PER_SECOND}};
    people[0] = (struct ca_operator){.name = "ann",
                                     .roles = CA_ROLE_APPROVER,
                                     .alg = "ES256",
                                     .spki = crypto_key_spki(link_key),
                                     .enrolments = &enrolment,
                                     .enrolment_count = 1};
    people[1] = (struct ca_operator){
        .name = "bob", .roles = CA_ROLE_OPERATOR, .alg = "ES256", .spki = crypto_key_spki(link_key)};
    passkey = (struct ca_passkey){"ann", "localhost", "ES256", LT_SLICE(id, sizeof id),
                                  crypto_key_spki(passkey_key)};
    passkey.owner = LT_SLICE(people[0].thumbprint, sizeof people[0].thumbprint);
    people[1].thumbprint[0] = 1;
    ca_origins_of("127.0.0.1:14001", "ca.example", &origins);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    crypto_key_free(passkey_key);
    crypto_key_free(link_key);
    return 0;
}

static void pages_that_count(void **state)
{
    (void)state;
    static const char *const wanted[] = {"http://localhost:14001", "https://localhost:14001",
                                         "https://ca.example:14001", "https://ca.example"};
    struct ca_origins o;
    assert_int_equal(origins.count, LT_COUNT(wanted));
    for (size_t i = 0; i < LT_COUNT(wanted); i++) {
        assert_string_equal(origins.list[i], wanted[i]);
    }
    assert_true(ca_origins_have_rp(&origins, "localhost"));
    assert_true(ca_origins_have_rp(&origins, "ca.example"));
    assert_false(ca_origins_have_rp(&origins, "example"));
    assert_false(ca_origins_have_rp(&origins, "127.0.0.1"));
    ca_origins_of("[::1]:9", "localhost", &o);
    assert_int_equal(o.count, 2);
    assert_string_equal(o.list[1], "https://localhost:9");
}

static lt_slice sign_statement(struct crypto_key *key, const struct ca_passkey *k, uint8_t *signature)
{
    struct lt_buf text;
    size_t len = 0;
    lt_buf_init(&text, CA_PASSKEY_STATEMENT_MAX);
    assert_ok(ca_passkey_statement(k, &text));
    assert_ok(
        crypto_key_sign_jose(key, crypto_alg_by_name(LT_LIT("ES256")), lt_buf_slice(&text), signature, &len));
    lt_buf_done(&text);
    return LT_SLICE(signature, len);
}

static void links(void **state)
{
    (void)state;
    uint8_t room[CRYPTO_SIGNATURE_MAX];
    lt_slice link = crypto_key_spki(link_key);
    lt_slice signature = sign_statement(link_key, &passkey, room);
    const lt_time now = {NOW};
    assert_ok(ca_passkey_enrolled(&operators, &passkey, link, signature, now));
    assert_true(ca_passkey_link_known(&operators, "ann", link));
    assert_false(ca_passkey_link_known(&operators, "bob", link));
    assert_fails(ca_passkey_enrolled(&operators, &passkey, link, signature, enrolment.expires),
                 LT_POLICY_APPROVAL);
    assert_fails(ca_passkey_enrolled(&operators, &passkey, crypto_key_spki(passkey_key), signature, now),
                 LT_POLICY_APPROVAL);
    struct ca_passkey other = passkey;
    other.operator_ = "bob"; /* his file names no link */
    assert_fails(ca_passkey_enrolled(&operators, &other, link, signature, now), LT_POLICY_APPROVAL);
    other.operator_ = "eve";
    assert_fails(ca_passkey_enrolled(&operators, &other, link, signature, now), LT_POLICY_APPROVAL);
    for (int i = 0; i < 4; i++) { /* what was signed is for one passkey, to the last byte */
        other = passkey;
        other.rp = i == 0 ? "ca.example" : other.rp;
        other.id = i == 1 ? LT_LIT("another") : other.id;
        other.spki = i == 2 ? link : other.spki;
        room[3] ^= i == 3 ? 1 : 0;
        assert_fails(ca_passkey_enrolled(&operators, &other, link, signature, now), LT_POLICY_APPROVAL);
    }
}

static void statements_that_could_mean_two_things(void **state)
{
    (void)state;
    static const struct {
        const char *operator_;
        const char *rp;
        const char *alg;
        size_t id_len;
    } rows[] = {
        {"ann\nrp=evil", "localhost", "ES256", 16},
        {"", "localhost", "ES256", 16},
        {"Ann", "localhost", "ES256", 16},
        {"ann", "localhost\nkey=x", "ES256", 16},
        {"ann", "", "ES256", 16},
        {"ann", "local host", "ES256", 16},
        {"ann", "localhost", "none", 16},
        {"ann", "localhost", "RS256", 16},
        {"ann", "localhost", "EdDSA", 16},
        {"ann", "localhost", "ES384", 16},
        {"ann", "localhost", "ES256", 0},
        {"ann", "localhost", "ES256", 1024},
    };
    static uint8_t long_id[1024];
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf text;
        struct ca_passkey k = {rows[i].operator_, rows[i].rp, rows[i].alg, LT_SLICE(long_id, rows[i].id_len),
                               passkey.spki};
        lt_buf_init(&text, CA_PASSKEY_STATEMENT_MAX);
        assert_true(lt_failed(ca_passkey_statement(&k, &text)));
        lt_buf_done(&text);
    }
}

static void lists(void **state)
{
    (void)state;
    struct ca_passkeys all;
    struct ca_passkey other = passkey;
    ca_passkeys_init(&all);
    assert_null(ca_passkeys_find(&all, passkey.id));
    assert_null(ca_passkeys_find(NULL, passkey.id));
    assert_ok(ca_passkeys_add(&all, &passkey));
    assert_ok(ca_passkeys_add(&all, &passkey));
    assert_int_equal(all.count, 1);
    assert_string_equal(ca_passkeys_find(&all, passkey.id)->operator_, "ann");
    other.operator_ = "bob";
    assert_fails(ca_passkeys_add(&all, &other), LT_PEER_CONFLICT);
    ca_passkeys_done(&all);
}

/* ---- answers ---- */

/* The challenge is the SHA-256 of "abc". */
#define C "\"challenge\":\"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0\","
#define O "\"origin\":\"http://localhost:14001\","
#define X "\"crossOrigin\":false"

static void client_data(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"{\"type\":\"webauthn.get\"," C O X "}", true},
        {"{\"type\":\"webauthn.get\"," C O X ",\"other_keys_can_be_added_here\":\"do not compare\"}", true},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"https://ca.example\"," X "}", true},
        {"", false},
        {"{}", false},
        {"{\"type\":\"webauthn.get\"," C O "\"crossOrigin\":true}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://localhost:14001\"}", false},
        {"{\"type\":\"webauthn.get\"," C O X, false},
        {"{\"type\":\"webauthn.get\"," C O X " }", false},
        {"{\"type\":\"webauthn.get\"," C O X "]", false},
        {" {\"type\":\"webauthn.get\"," C O X "}", false},
        {"{\"type\":\"webauthn.create\"," C O X "}", false},
        {"{\"type\":\"payment.get\"," C O X "}", false},
        {"{" C "\"type\":\"webauthn.get\"," O X "}", false},
        {"{\"type\":\"webauthn.get\"," O C X "}", false},
        {"{\"type\":\"webauthn.get\",\"challenge\":\"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa1\"," O X "}",
         false},
        {"{\"type\":\"webauthn.get\",\"challenge\":\"\"," O X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://localhost:14002\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://localhost:140011\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://localhost\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://ca.example\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"https://ca.example.evil\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"\"," X "}", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http://localhost:14001", false},
        {"{\"type\":\"webauthn.get\"," C "\"origin\":\"http:\\/\\/localhost:14001\"," X "}", false},
    };
    uint8_t challenge[CRYPTO_SHA256_LEN];
    crypto_sha256(LT_LIT("abc"), challenge);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = ca_client_data_check(lt_slice_cstr(rows[i].text), "webauthn.get",
                                        LT_SLICE(challenge, sizeof challenge), &origins);
        if (lt_failed(r) == rows[i].good) {
            print_error("%s\n", rows[i].text);
        }
        assert_int_equal(!lt_failed(r), rows[i].good);
    }
    /* The audit knows no origins of the time; nor does it take what could be read in two ways. */
    assert_ok(ca_client_data_check(
        LT_LIT("{\"type\":\"webauthn.get\"," C "\"origin\":\"https://was.example\"," X "}"), "webauthn.get",
        LT_SLICE(challenge, sizeof challenge), NULL));
    assert_fails(ca_client_data_check(LT_LIT("{\"type\":\"webauthn.get\"," C "\"origin\":\"a\\\\\"," X "}"),
                                      "webauthn.get", LT_SLICE(challenge, sizeof challenge), NULL),
                 LT_POLICY_APPROVAL);
}

struct answer {
    Ipc__PasskeyAssertion m;
    uint8_t head[DATA_MAX];
    size_t head_len;
    uint8_t client_data[1024];
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
};

static void make_answer(lt_slice text, struct answer *a)
{
    struct lt_buf data;
    uint8_t challenge[CRYPTO_SHA256_LEN];
    crypto_sha256(text, challenge);
    lt_buf_init(&data, sizeof a->client_data);
    lt_buf_add_cstr(&data, "{\"type\":\"webauthn.get\",\"challenge\":\"");
    lt_base64url_add(&data, LT_SLICE(challenge, sizeof challenge));
    lt_buf_add_cstr(&data, "\"," O X "}");
    memcpy(a->client_data, data.ptr, data.len);
    ipc__passkey_assertion__init(&a->m);
    a->m.client_data = (ProtobufCBinaryData){data.len, a->client_data};
    lt_buf_done(&data);
    a->m.credential_id = (ProtobufCBinaryData){sizeof id, id};
    crypto_sha256(LT_LIT("localhost"), a->head);
    a->head[32] = 0x05;
    memcpy(a->head + 33, "\x00\x01\x02\x03", 4);
    a->head_len = HEAD_LEN;
}

static void sign_answer(struct answer *a)
{
    uint8_t message[DATA_MAX + CRYPTO_SHA256_LEN];
    size_t len = 0;
    memcpy(message, a->head, a->head_len);
    crypto_sha256(LT_SLICE(a->m.client_data.data, a->m.client_data.len), message + a->head_len);
    assert_ok(crypto_key_sign(passkey_key, crypto_alg_by_name(LT_LIT("ES256")),
                              LT_SLICE(message, a->head_len + CRYPTO_SHA256_LEN), a->signature, &len));
    a->m.authenticator_data = (ProtobufCBinaryData){a->head_len, a->head};
    a->m.signature = (ProtobufCBinaryData){len, a->signature};
}

static void answers(void **state)
{
    (void)state;
    struct answer a;
    uint32_t count = 0;
    make_answer(LT_LIT("text"), &a);
    sign_answer(&a);
    assert_ok(ca_passkey_verify(&passkey, LT_LIT("text"), &origins, &a.m, &count));
    assert_int_equal(count, 0x010203);
    assert_fails(ca_passkey_verify(&passkey, LT_LIT("texts"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
    struct ca_passkey other = passkey;
    other.spki = crypto_key_spki(link_key);
    assert_fails(ca_passkey_verify(&other, LT_LIT("text"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
    other = passkey;
    other.id = LT_LIT("another");
    assert_fails(ca_passkey_verify(&other, LT_LIT("text"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
    other = passkey;
    other.rp = "ca.example";
    assert_fails(ca_passkey_verify(&other, LT_LIT("text"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
    for (size_t i = 0; i < a.m.signature.len; i++) {
        a.signature[i] ^= 1;
        assert_fails(ca_passkey_verify(&passkey, LT_LIT("text"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
        a.signature[i] ^= 1;
    }
    a.m.signature.len = 0;
    assert_fails(ca_passkey_verify(&passkey, LT_LIT("text"), &origins, &a.m, &count), LT_POLICY_APPROVAL);
}

/* Signed by the right key, and still no answer. */
static void heads(void **state)
{
    (void)state;
    static const struct {
        uint8_t flags;
        size_t len;
        bool good;
    } rows[] = {
        {0x05, HEAD_LEN, true},      {0x1d, HEAD_LEN, true}, /* backed up: as many are */
        {0x85, HEAD_LEN + 5, true},  {0x04, HEAD_LEN, false},
        {0x01, HEAD_LEN, false},     {0x00, HEAD_LEN, false},
        {0x45, HEAD_LEN, false},     {0xc5, HEAD_LEN + 60, false},
        {0x05, HEAD_LEN + 1, false}, {0x85, HEAD_LEN, false},
        {0x05, HEAD_LEN - 1, false}, {0x05, 0, false},
        {0x85, 1025, false},
    };
    uint32_t count = 0;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct answer a;
        make_answer(LT_LIT("text"), &a);
        memset(a.head + HEAD_LEN, 0xa0, sizeof a.head - HEAD_LEN);
        a.head[32] = rows[i].flags;
        a.head_len = rows[i].len;
        sign_answer(&a);
        lt_res r = ca_passkey_verify(&passkey, LT_LIT("text"), &origins, &a.m, &count);
        assert_int_equal(!lt_failed(r), rows[i].good);
    }
}

static void texts(void **state)
{
    (void)state;
    struct lt_buf out;
    struct ca_session_text s = {"bm9uY2U", "localhost", LT_LIT("\x01\x02\x03")};
    lt_buf_init(&out, 1000);
    assert_ok(ca_session_text(&s, &out));
    assert_slice(lt_buf_slice(&out), "lintel-session-v1\nnonce=bm9uY2U\nrp=localhost\nkey=AQID\n");
    s.nonce = "a\nrp=evil";
    assert_fails(ca_session_text(&s, &out), LT_PEER_MALFORMED);
    s = (struct ca_session_text){"a", "evil\nkey=", LT_LIT("x")};
    assert_fails(ca_session_text(&s, &out), LT_PEER_MALFORMED);
    lt_buf_done(&out);
}

/* ---- approvals ---- */

static void approvals(void **state)
{
    (void)state;
    static char plan_id[] = "p1";
    static char action[] = "halt.lift";
    static char parameters[] = "{}";
    static char bob[] = "bob";
    static char ann[] = "ann";
    static uint8_t scope[32];
    struct ca_passkeys all;
    struct lt_buf text;
    struct answer a;
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    Ipc__Approval approval = IPC__APPROVAL__INIT;
    p.plan_id = plan_id;
    p.action = action;
    p.parameters = parameters;
    p.proposer = bob;
    p.scope_sha256 = (ProtobufCBinaryData){sizeof scope, scope};
    p.expires_us = NOW + LT_US_PER_SECOND;
    ca_passkeys_init(&all);
    assert_ok(ca_passkeys_add(&all, &passkey));
    lt_buf_init(&text, 10000);
    assert_ok(ca_approval_statement(&p, &text));
    make_answer(lt_buf_slice(&text), &a);
    sign_answer(&a);
    approval.operator_ = ann;
    approval.signed_us = NOW;
    approval.passkey = &a.m;
    assert_fails(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}),
                 LT_POLICY_APPROVAL); /* none is known */
    operators.passkeys = &all;
    operators.origins = &origins;
    assert_ok(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}));
    p.count = 2;
    assert_fails(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}), LT_POLICY_APPROVAL);
    p.count = 0;
    people[1].roles |= CA_ROLE_APPROVER;
    approval.operator_ = bob; /* hers, under his name */
    assert_fails(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}), LT_POLICY_APPROVAL);
    approval.operator_ = ann;
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(passkey.id, hash);
    lt_slice refused = LT_SLICE(hash, sizeof hash);
    people[0].refused = &refused;
    people[0].refused_count = 1;
    assert_fails(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}), LT_POLICY_APPROVAL);
    people[0].refused_count = 0;
    assert_ok(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}));
    people[0].thumbprint[5] ^= 1; /* a namesake */
    assert_fails(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}), LT_POLICY_APPROVAL);
    people[0].thumbprint[5] ^= 1;
    people[0].refused_count = 1;
    operators.past = true;
    assert_ok(ca_approval_verify(&operators, &p, &approval, (lt_time){NOW}));
    operators.past = false;
    operators.passkeys = NULL;
    operators.origins = NULL;
    lt_buf_done(&text);
    ca_passkeys_done(&all);
}

/* ---- the examiner's own list ---- */

static void examiner(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-passkeys-XXXXXX";
    static char ann[] = "ann";
    static char rp[] = "localhost";
    static char alg[] = "ES256";
    uint8_t room[CRYPTO_SIGNATURE_MAX];
    struct ca_examiner_state *s = NULL;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    lt_slice signature = sign_statement(link_key, &passkey, room);
    lt_slice link = crypto_key_spki(link_key);
    Ipc__PasskeyAdd m = IPC__PASSKEY_ADD__INIT;
    m.operator_ = ann;
    m.rp = rp;
    m.alg = alg;
    m.credential_id = (ProtobufCBinaryData){sizeof id, id};
    m.spki = (ProtobufCBinaryData){passkey.spki.len, (uint8_t *)(uintptr_t)passkey.spki.ptr};
    m.enrolment_spki = (ProtobufCBinaryData){link.len, (uint8_t *)(uintptr_t)link.ptr};
    m.signature = (ProtobufCBinaryData){signature.len, room};
    assert_ok(ca_examiner_state_open(fd, &s));
    assert_fails(ca_examiner_passkey(s, &operators, &m, enrolment.expires), LT_POLICY_APPROVAL);
    assert_int_equal(ca_examiner_passkeys(s)->count, 0);
    assert_ok(ca_examiner_passkey(s, &operators, &m, (lt_time){NOW}));
    ca_examiner_state_free(s);
    assert_ok(ca_examiner_state_open(fd, &s)); /* it remembers */
    assert_int_equal(ca_examiner_passkeys(s)->count, 1);
    assert_string_equal(ca_examiner_passkeys(s)->list[0].operator_, "ann");
    assert_ok(ca_examiner_passkey(s, &operators, &m,
                                  (lt_time){NOW * 2})); /* told again, long after the link was good */
    static uint8_t other_id[ID_LEN] = "another passkey";
    struct ca_passkey other = passkey;
    other.id = LT_SLICE(other_id, sizeof other_id);
    signature = sign_statement(link_key, &other, room);
    m.credential_id.data = other_id;
    m.signature = (ProtobufCBinaryData){signature.len, room};
    assert_fails(ca_examiner_passkey(s, &operators, &m, (lt_time){NOW}),
                 LT_POLICY_APPROVAL); /* the link was used */
    ca_examiner_state_free(s);
    int file = openat(fd, "passkeys", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(file, "half a line\n", 12), 12);
    (void)close(file);
    assert_fails(ca_examiner_state_open(fd, &s), LT_STATE_CORRUPT);
    static const char *const files[] = {"passkeys", "blocked"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlinkat(fd, files[i], 0); /* may not be there */
    }
    (void)close(fd); /* only read */
    assert_int_equal(rmdir(folder), 0);
}

/* ---- operators' files ---- */

static void files(void **state)
{
    (void)state;
    struct lt_arena arena;
    struct lt_buf text;
    struct ca_operator o;
    lt_arena_init(&arena, 1 << 20);
    lt_buf_init(&text, 1 << 16);
    uint8_t hash[CRYPTO_SHA256_LEN] = {7};
    lt_slice refused[2] = {LT_SLICE(hash, sizeof hash), LT_SLICE(hash, 16)};
    people[0].refused = refused;
    people[0].refused_count = 2;
    people[0].certificate = true;
    assert_ok(ca_operator_print(&people[0], &text));
    assert_ok(ca_operator_parse(&arena, lt_buf_slice(&text), &o));
    assert_int_equal(o.enrolment_count, 1);
    assert_true(lt_slice_eq(o.enrolments[0].spki, enrolment.spki));
    assert_int_equal(o.enrolments[0].expires.us, enrolment.expires.us);
    assert_int_equal(o.refused_count, 2);
    assert_true(lt_slice_eq(o.refused[0], refused[0]));
    assert_true(o.certificate);
    static const char *const bad[] = {
        "\"enrolments\": {}",
        "\"enrolments\": [1]",
        "\"enrolments\": [{\"spki\": \"AAAA\", \"expires\": \"2026-01-01T00:00:00Z\"}]",
        "\"enrolments\": [{\"spki\": \"\"}]",
        "\"refused\": \"x\"",
        "\"refused\": [1]",
        "\"refused\": [\"!\"]",
        "\"certificate\": 1",
        "\"passkeys\": []",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct lt_buf line;
        lt_buf_init(&line, 4096);
        lt_buf_add_cstr(&line,
                        "{\"name\": \"ann\", \"roles\": [\"viewer\"], \"alg\": \"ES256\", \"spki\": \"");
        lt_base64url_add(&line, crypto_key_spki(link_key));
        lt_buf_addf(&line, "\", %s}", bad[i]);
        assert_true(lt_failed(ca_operator_parse(&arena, lt_buf_slice(&line), &o)));
        lt_buf_done(&line);
    }
    people[0].refused_count = 0;
    people[0].certificate = false;
    lt_buf_done(&text);
    lt_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_count),
        cmocka_unit_test(links),
        cmocka_unit_test(statements_that_could_mean_two_things),
        cmocka_unit_test(lists),
        cmocka_unit_test(client_data),
        cmocka_unit_test(answers),
        cmocka_unit_test(heads),
        cmocka_unit_test(texts),
        cmocka_unit_test(approvals),
        cmocka_unit_test(examiner),
        cmocka_unit_test(files),
    };
    crypto_start();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
