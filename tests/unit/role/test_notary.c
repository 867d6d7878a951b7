/* The notary without its process: ACME requests as the gateway sends them, answers as the registrar gives
 * them, and what the notary says in between. */
#include "notary_rig.h"

#include "../crypto/weak_keys.h"
#include "base/text.h"
#include "role/notary_keys.h"

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
        {"GET", "/nothing", "https", 404},
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

static void browsers_ask_first(void **state)
{
    (void)state;
    send_http(&(struct ask){"OPTIONS", "/acme/new-order", "", NULL, "", {0}, false, 0});
    const Ipc__HttpResponse *r = answered(204);
    assert_string_equal(header(r, "Access-Control-Allow-Methods"), "POST");
    assert_string_equal(header(r, "Allow"), "POST");
    send_http(&(struct ask){"OPTIONS", "/acme/nothing", "", NULL, "", {0}, false, 0});
    (void)answered(404);
    send_http(&(struct ask){"OPTIONS", "/api/v1/status", "", "api", "", {0}, true, 0});
    (void)answered(405);
    heard_nothing();
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

static const char *base64url_of(struct lt_arena *a, const char *text)
{
    const char *out = lt_base64url(a, lt_slice_cstr(text));
    assert_non_null(out);
    return out;
}

/* Accounts' keys that nobody should rely on: said before the signature is looked at, and nobody is asked. */
static void weak_account_keys(void **state)
{
    (void)state;
    static const struct {
        const char *modulus;
        const char *exponent;
    } rows[] = {
        {modulus_roca, "AQAB"},  {modulus_debian, "AQAB"}, {modulus_close, "AQAB"},
        {modulus_small, "AQAB"}, {modulus_good, "Aw"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        lt_slice n;
        lt_arena_init(&a, 1 << 20);
        assert_ok(lt_unhex(&a, lt_slice_cstr(rows[i].modulus), &n));
        const char *head = lt_arena_printf(
            &a,
            "{\"alg\":\"RS256\",\"nonce\":\"AAAA\",\"url\":\"" BASE
            "/acme/new-account\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}}",
            lt_base64url(&a, n), rows[i].exponent);
        const char *body = lt_arena_printf(&a,
                                           "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"AAAA\"}",
                                           base64url_of(&a, head), base64url_of(&a, "{}"));
        assert_non_null(body);
        post("/acme/new-account", lt_slice_cstr(body));
        refused(400, "badPublicKey");
        lt_arena_done(&a);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_without_signature),
        TEST(wrong_paths_and_methods),
        TEST(browsers_ask_first),
        TEST(content_types),
        TEST(key_is_asked_once),
        TEST(directory_by_post_as_get),
        TEST(unknown_accounts),
        TEST(changed_key),
        TEST(stale_key),
        TEST(other_urls),
        TEST(who_signs),
        TEST(broken_bodies),
        TEST(weak_account_keys),
        TEST(nonces_run_out),
        TEST(registrar_goes_away),
        TEST(answers_that_do_not_come),
        cmocka_unit_test_setup_teardown(table_is_bounded, set_up, tear_down_full),
        TEST(foreign_replies),
        TEST(key_cache),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
