/* What the desk does beyond RFC 8555's middle: orders that replace, and accounts bound to keys that operators
 * gave out, with what those allow. */
#include "base/text.h"
#include "ca/ari_map.h"
#include "ca/book.h"
#include "ca/eab.h"
#include "ca/seal.h"
#include "check.h"
#include "crypto/digest.h"
#include "rig.h"

static const char one_order[] = "validation:\n  allow-private: true\n"
                                "rate-limits:\n  accounts-per-address: none\n  orders-per-account: 1/1h\n"
                                "  failures-per-name: none\n";
static const char required[] = "acme:\n  external-account-required: true\n"
                               "validation:\n  allow-private: true\n"
                               "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                               "  failures-per-name: none\n";

static const char *const www[] = {"www.example.com", NULL};

static void is_problem(const Ipc__AcmeReply *reply, const char *type, uint32_t status)
{
    assert_non_null(reply);
    assert_non_null(reply->problem);
    if (strcmp(reply->problem->type, type) != 0 || reply->status != status) {
        print_error("%s %u: %s\n", reply->problem->type, reply->status, reply->problem->detail);
    }
    assert_string_equal(reply->problem->type, type);
    assert_int_equal(reply->status, status);
}

static const Ipc__AcmeReply *order(struct rig *r, const struct rig_account *a, const char *name,
                                   const char *replaces)
{
    static char dns[] = "dns";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *list[] = {&id};
    id.type = dns;
    id.value = (char *)(uintptr_t)name;
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    body.identifiers = list;
    body.n_identifiers = 1;
    body.replaces = (char *)(uintptr_t)replaces;
    return rig_call(r, a, &call);
}

/* The identifier of a certificate of the rig's issuer. */
static void name_of(struct rig *r, const uint8_t *serial, char ret_text[CA_ARI_CERTID_MAX])
{
    struct lt_buf out;
    const struct ca_issuer *issuer = ca_issuer_by_name(r->book, LT_LIT("tls"));
    assert_non_null(issuer);
    struct ca_ari_certid id = {issuer->key_id, LT_SLICE(serial, CA_SERIAL_LEN)};
    lt_buf_init(&out, CA_ARI_CERTID_MAX);
    ca_ari_certid_add(&out, &id);
    (void)snprintf(ret_text, CA_ARI_CERTID_MAX, "%s", lt_buf_cstr(&out));
    lt_buf_done(&out);
}

static void test_replacement(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    uint8_t serial[CA_SERIAL_LEN];
    char name[CA_ARI_CERTID_MAX];
    (void)state;
    rig_open(&r, one_order);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);
    (void)rig_certificate(&r, &a, www, serial);
    name_of(&r, serial, name);
    is_problem(order(&r, &a, "www.example.com", ""), "rateLimited", 429);
    is_problem(order(&r, &b, "www.example.com", name), "malformed", 400);
    is_problem(order(&r, &a, "else.example.com", name), "malformed", 400);
    is_problem(order(&r, &a, "www.example.com", "AA.AA"), "malformed", 400);
    is_problem(order(&r, &a, "www.example.com", "AA"), "malformed", 400);
    assert_int_equal(order(&r, &a, "www.example.com", name)->status, 201); /* bound by no limit */
    is_problem(order(&r, &a, "www.example.com", name), "alreadyReplaced", 409);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM replacement"), 0); /* not before it is issued */
    rig_close(&r);
}

static struct ca_eab_key made; /* by the step below; its texts are the rig's */
static char made_kid[CA_EAB_KID_LEN + 1];
static uint8_t made_secret[CA_EAB_SECRET_LEN];

static lt_res make_key(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    const char *json = NULL;
    Ipc__EabWanted w = IPC__EAB_WANTED__INIT;
    char note[] = "a customer";
    char domain[] = "example.com";
    char *domains[] = {domain};
    (void)r;
    (void)m;
    char unknown[] = "nope";
    char *profiles[] = {unknown};
    assert_fails(ca_eab_create(t, &w, "ann", LT_LIT("{}"), &json), LT_PEER_MALFORMED); /* for nobody */
    w.note = note;
    w.profiles = profiles;
    w.n_profiles = 1;
    assert_fails(ca_eab_create(t, &w, "ann", LT_LIT("{}"), &json), LT_PEER_MALFORMED);
    w.n_profiles = 0;
    w.suffixes = domains;
    w.n_suffixes = 1;
    w.accounts_most = 1;
    w.orders_most = 2;
    LT_TRY(ca_eab_create(t, &w, "ann", LT_LIT("{}"), &json));
    const char *kid = strstr(json, "\"kid\":\"");
    assert_non_null(kid);
    (void)snprintf(made_kid, sizeof made_kid, "%s", kid + 7);
    LT_TRY(ca_eab_find(t, made_kid, &made));
    const char *text = strstr(json, "\"hmac_key\":\"");
    lt_slice secret;
    assert_non_null(text);
    LT_TRY(lt_unbase64url(t->arena, lt_slice_sub(lt_slice_cstr(text), 12, 43), &secret));
    assert_int_equal(secret.len, sizeof made_secret);
    memcpy(made_secret, secret.ptr, sizeof made_secret);
    /* the book has it sealed, for this key alone */
    char id[64];
    lt_slice opened;
    assert_int_equal(made.secret.len, sizeof made_secret + CA_SEAL_EXTRA);
    assert_null(memmem(made.secret.ptr, made.secret.len, made_secret, sizeof made_secret));
    (void)snprintf(id, sizeof id, "eab %s", made_kid);
    LT_TRY(ca_seal_open(t->book->seal, id, made.secret, t->arena, &opened));
    assert_true(lt_slice_eq(opened, secret));
    return LT_OK;
}

/* A book that was put back without its key. */
static lt_res lose_key(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    struct crypto_aead *own = t->book->seal;
    struct crypto_aead *other = NULL;
    (void)r;
    (void)m;
    LT_TRY(ca_eab_seal_fits(t->book, t->arena));
    LT_TRY(ca_seal_new(LT_LIT("another key"), &other));
    t->book->seal = other;
    assert_fails(ca_eab_seal_fits(t->book, t->arena), LT_RETRY_UNAVAILABLE);
    assert_non_null(strstr(lt_error_last()->detail, "secrets/seal.key"));
    t->book->seal = NULL;
    assert_fails(ca_eab_seal_fits(t->book, t->arena), LT_RETRY_UNAVAILABLE);
    t->book->seal = own;
    crypto_aead_free(other);
    return LT_OK;
}

static lt_res revoke_key(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    const char *json = NULL;
    (void)r;
    (void)m;
    assert_fails(ca_eab_revoke(t, "none", "ann", LT_LIT("{}"), &json), LT_PEER_NOT_FOUND);
    LT_TRY(ca_eab_revoke(t, made_kid, "ann", LT_LIT("{}"), &json));
    assert_fails(ca_eab_revoke(t, made_kid, "ann", LT_LIT("{}"), &json), LT_PEER_CONFLICT);
    return LT_OK;
}

/* bits 0: no binding at all. */
static const Ipc__AcmeReply *new_account(struct rig *r, struct rig_account *a, uint8_t seed, uint32_t bits,
                                         const uint8_t *secret)
{
    static char input[] = "header.payload";
    static char alg[] = "ES256";
    static char address[] = "192.0.2.1";
    uint8_t mac[CRYPTO_HASH_MAX];
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    Ipc__AcmeBinding binding = IPC__ACME_BINDING__INIT;
    rig_key(a, seed);
    binding.kid = made_kid;
    binding.hash_bits = bits;
    binding.signing_input = (ProtobufCBinaryData){strlen(input), (uint8_t *)input};
    crypto_hmac(bits == 512 ? CRYPTO_SHA512 : CRYPTO_SHA256, LT_SLICE(secret, CA_EAB_SECRET_LEN),
                lt_slice_cstr(input), mac);
    binding.mac = (ProtobufCBinaryData){bits / 8, mac};
    body.binding = bits == 0 ? NULL : &binding;
    static char sent[] = "{\"protected\":\"x\"}";
    body.eab_jws = (ProtobufCBinaryData){strlen(sent), (uint8_t *)sent};
    body.terms_agreed = true;
    call.op = IPC__ACME_OP__ACME_NEW_ACCOUNT;
    call.new_account = &body;
    call.jwk = &a->key;
    call.jwk_alg = alg;
    call.thumbprint = (ProtobufCBinaryData){sizeof a->thumbprint, a->thumbprint};
    call.remote_address = address;
    const Ipc__AcmeReply *reply = rig_call(r, NULL, &call);
    a->id = reply->location_account;
    return reply;
}

static const Ipc__AcmeReply *ahead(struct rig *r, const struct rig_account *a, const char *name)
{
    static char dns[] = "dns";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewAuthorization body = IPC__ACME_NEW_AUTHORIZATION__INIT;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    id.type = dns;
    id.value = (char *)(uintptr_t)name;
    body.identifier = &id;
    call.op = IPC__ACME_OP__ACME_NEW_AUTHORIZATION;
    call.new_authorization = &body;
    return rig_call(r, a, &call);
}

static void test_external_accounts(void **state)
{
    struct rig r;
    struct rig_account a;
    static const uint8_t other[CA_EAB_SECRET_LEN] = {1};
    (void)state;
    rig_open(&r, required);
    assert_ok(rig_run(&r, make_key, NULL));
    is_problem(new_account(&r, &a, 1, 0, other), "externalAccountRequired", 403);
    is_problem(new_account(&r, &a, 1, 256, other), "unauthorized", 403);
    is_problem(new_account(&r, &a, 1, 384, made_secret), "unauthorized", 403); /* not that hash's MAC */
    is_problem(new_account(&r, &a, 1, 8, made_secret), "unauthorized", 403);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account"), 0);
    const Ipc__AcmeReply *bound = new_account(&r, &a, 1, 512, made_secret);
    assert_int_equal(bound->status, 201);
    assert_int_equal(bound->account->eab_jws.len, strlen("{\"protected\":\"x\"}"));
    assert_int_equal(rig_number(&r, "SELECT accounts FROM eab_key"), 1);
    struct rig_account second;
    is_problem(new_account(&r, &second, 2, 256, made_secret), "unauthorized", 403); /* it was for one */

    is_problem(order(&r, &a, "www.example.org", ""), "rejectedIdentifier", 400);
    is_problem(order(&r, &a, "notexample.com", ""), "rejectedIdentifier", 400);
    is_problem(ahead(&r, &a, "www.example.org"), "rejectedIdentifier", 403);
    assert_int_equal(ahead(&r, &a, "www.example.com")->status, 201);
    assert_int_equal(order(&r, &a, "www.example.com", "")->status, 201);
    assert_int_equal(order(&r, &a, "example.com", "")->status, 201);
    const Ipc__AcmeReply *over = order(&r, &a, "example.com", "");
    is_problem(over, "rateLimited", 429);
    assert_true(over->retry_after_s > 86000 && over->retry_after_s <= 86401);
    rig_advance(&r, 86401);
    assert_int_equal(order(&r, &a, "example.com", "")->status, 201);
    assert_ok(rig_run(&r, lose_key, NULL));
    assert_ok(rig_run(&r, revoke_key, NULL));
    is_problem(order(&r, &a, "example.com", ""), "unauthorized", 403);
    assert_int_equal(rig_number(&r, "SELECT length(secret) FROM eab_key"), 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replacement),
        cmocka_unit_test(test_external_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
