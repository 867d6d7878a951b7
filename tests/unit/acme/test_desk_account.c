/* Accounts, keys, nonces, limits: what the desk says to each. */
#include "base/text.h"
#include "ca/key_block.h"
#include "check.h"
#include "rig.h"

static const Ipc__AcmeReply *new_account(struct rig *r, struct rig_account *a, Ipc__AcmeNewAccount *body)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_NEW_ACCOUNT;
    call.new_account = body;
    return rig_call(r, a, &call);
}

static const Ipc__AcmeReply *update(struct rig *r, struct rig_account *a, Ipc__AcmeUpdateAccount *body)
{
    static uint8_t jws[] = "{\"raw\":\"jws\"}";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_UPDATE_ACCOUNT;
    call.update_account = body;
    call.jws = (ProtobufCBinaryData){sizeof jws - 1, jws};
    return rig_call(r, a, &call);
}

static void is_problem(const Ipc__AcmeReply *reply, const char *type, uint32_t status)
{
    assert_non_null(reply);
    assert_non_null(reply->problem);
    if (strcmp(reply->problem->type, type) != 0 || reply->status != status) {
        print_error("%s %u: %s\n", reply->problem->type, reply->status, reply->problem->detail);
    }
    assert_string_equal(reply->problem->type, type);
    assert_int_equal(reply->status, status);
    assert_int_equal(reply->problem->status, status);
    assert_true(strlen(reply->problem->detail) > 10);
    assert_int_equal(strlen(reply->nonce), 32);
}

static void test_new(void **state)
{
    struct rig r;
    struct rig_account a;
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    char mail[] = "mailto:admin@example.com";
    char *contacts[] = {mail};
    (void)state;
    rig_open(&r, NULL);
    rig_key(&a, 1);
    is_problem(new_account(&r, &a, &body), "userActionRequired", 403);
    body.only_return_existing = true;
    is_problem(new_account(&r, &a, &body), "accountDoesNotExist", 400);
    body.only_return_existing = false;
    body.terms_agreed = true;
    body.contacts = contacts;
    body.n_contacts = 1;
    const Ipc__AcmeReply *reply = new_account(&r, &a, &body);
    assert_int_equal(reply->status, 201);
    assert_string_equal(reply->account->status, "valid");
    assert_int_equal(reply->account->n_contacts, 1);
    assert_string_equal(reply->account->contacts[0], mail);
    assert_true(reply->account->terms_agreed);
    int64_t id = reply->location_account;
    assert_int_equal(id >> 31, 1795305600 - 1577836800);
    /* the same key again: 200 and the same URL, nothing changed */
    body.n_contacts = 0;
    reply = new_account(&r, &a, &body);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->location_account, id);
    assert_int_equal(reply->account->n_contacts, 1);
    body.only_return_existing = true;
    assert_int_equal(new_account(&r, &a, &body)->location_account, id);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account"), 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'account.created'"), 1);
    rig_close(&r);
}

static void test_contacts(void **state)
{
    static const struct {
        const char *contact;
        const char *problem;
    } rows[] = {
        {"mailto:a@example.com", NULL},
        {"MAILTO:a.b+c@Mail.Example.com", NULL},
        {"tel:+1234", "unsupportedContact"},
        {"https://example.com", "unsupportedContact"},
        {"", "unsupportedContact"},
        {"mailto:", "invalidContact"},
        {"mailto:a", "invalidContact"},
        {"mailto:a@", "invalidContact"},
        {"mailto:@example.com", "invalidContact"},
        {"mailto:a@localhost", "invalidContact"},
        {"mailto:a@example.com,b@example.com", "invalidContact"},
        {"mailto:a@example.com?subject=x", "invalidContact"},
        {"mailto:a@b@example.com", "invalidContact"},
        {"mailto:a%40b@example.com", "invalidContact"},
        {"mailto:a b@example.com", "invalidContact"},
        {"mailto:.a@example.com", "invalidContact"},
        {"mailto:a@-example.com", "invalidContact"},
        {"mailto:a@example..com", "invalidContact"},
    };
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__AcmeUpdateAccount body = IPC__ACME_UPDATE_ACCOUNT__INIT;
        char text[128];
        char *contacts[] = {text};
        (void)snprintf(text, sizeof text, "%s", rows[i].contact);
        body.has_contacts = true;
        body.contacts = contacts;
        body.n_contacts = 1;
        const Ipc__AcmeReply *reply = update(&r, &a, &body);
        if (rows[i].problem == NULL) {
            assert_int_equal(reply->status, 200);
            assert_string_equal(reply->account->contacts[0], text);
        } else {
            is_problem(reply, rows[i].problem, 400);
        }
    }
    Ipc__AcmeUpdateAccount none = IPC__ACME_UPDATE_ACCOUNT__INIT;
    none.has_contacts = true;
    assert_int_equal(update(&r, &a, &none)->account->n_contacts, 0);
    rig_close(&r);
}

static void test_deactivate(void **state)
{
    static const char *const names[] = {"www.example.com", NULL};
    struct rig r;
    struct rig_account a;
    Ipc__AcmeUpdateAccount body = IPC__ACME_UPDATE_ACCOUNT__INIT;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    int64_t order = rig_new_order(&r, &a, names)->location_order;
    assert_true(order > 0);
    body.deactivate = true;
    const Ipc__AcmeReply *reply = update(&r, &a, &body);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->account->status, "deactivated");
    assert_string_equal(rig_text(&r, "SELECT status FROM ca_order"), "invalid");
    assert_string_equal(rig_text(&r, "SELECT status FROM authorization"), "deactivated");
    assert_int_equal(
        rig_number(&r, "SELECT length(attachment) FROM event WHERE kind = 'account.deactivated'"), 13);
    /* nothing works any more, and the key cannot come back */
    is_problem(rig_get_order(&r, &a, order), "unauthorized", 401);
    is_problem(rig_new_order(&r, &a, names), "unauthorized", 401);
    is_problem(update(&r, &a, &body), "unauthorized", 401);
    Ipc__AcmeNewAccount again = IPC__ACME_NEW_ACCOUNT__INIT;
    again.terms_agreed = true;
    is_problem(new_account(&r, &a, &again), "unauthorized", 401);
    rig_close(&r);
}

/* More pending authorizations than one message cancels: the rest when the clock ticks. */
static void test_deactivate_many(void **state)
{
    struct rig r;
    struct rig_account a;
    Ipc__AcmeUpdateAccount body = IPC__ACME_UPDATE_ACCOUNT__INIT;
    char text[100][32];
    const char *names[101];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (int o = 0; o < 5; o++) {
        for (int i = 0; i < 100; i++) {
            (void)snprintf(text[i], sizeof text[i], "n%d-%d.example.com", o, i);
            names[i] = text[i];
        }
        names[100] = NULL;
        assert_int_equal(rig_new_order(&r, &a, names)->status, 201);
        rig_clean(&r);
    }
    body.deactivate = true;
    assert_int_equal(update(&r, &a, &body)->status, 200);
    static const char pending[] = "SELECT count(*) FROM authorization WHERE status = 'pending'";
    assert_int_equal(rig_number(&r, pending), 300);
    for (int i = 0; i < 4; i++) {
        rig_advance(&r, 2);
        rig_tick(&r);
    }
    assert_int_equal(rig_number(&r, pending), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order WHERE status = 'invalid'"), 5);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM due WHERE what = 'acme.cancel'"), 0);
    rig_close(&r);
}

static const Ipc__AcmeReply *key_change(struct rig *r, struct rig_account *a, struct rig_account *to,
                                        const char *account, const uint8_t *old)
{
    static char alg[] = "ES256";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeKeyChange body = IPC__ACME_KEY_CHANGE__INIT;
    call.op = IPC__ACME_OP__ACME_KEY_CHANGE;
    call.key_change = &body;
    body.new_key = &to->key;
    body.new_thumbprint = (ProtobufCBinaryData){32, to->thumbprint};
    body.new_alg = alg;
    body.old_thumbprint = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)old};
    body.inner_account = (char *)(uintptr_t)account;
    return rig_call(r, a, &call);
}

static void test_key_change(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    struct rig_account next;
    char url[128];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);
    rig_key(&next, 3);
    (void)snprintf(url, sizeof url, "%s/acme/account/%lld", r.config->base_url, (long long)a.id);
    is_problem(key_change(&r, &a, &next, "https://elsewhere/acme/account/1", a.thumbprint), "malformed", 400);
    is_problem(key_change(&r, &a, &next, url, b.thumbprint), "malformed", 400);
    /* in use: 409, and whose it is */
    const Ipc__AcmeReply *reply = key_change(&r, &a, &b, url, a.thumbprint);
    is_problem(reply, "malformed", 409);
    assert_int_equal(reply->location_account, b.id);
    is_problem(key_change(&r, &a, &a, url, a.thumbprint), "malformed", 409);
    assert_int_equal(key_change(&r, &a, &next, url, a.thumbprint)->status, 200);
    /* the old key is nobody's now; the notary that remembers it is told so */
    is_problem(rig_get_order(&r, &a, 1), "lintel:stale-key", 409);
    next.id = a.id;
    is_problem(rig_get_order(&r, &next, 1), "malformed", 404);
    Ipc__AcmeNewAccount fresh = IPC__ACME_NEW_ACCOUNT__INIT;
    fresh.terms_agreed = true;
    assert_int_equal(new_account(&r, &a, &fresh)->status, 201);
    rig_close(&r);
}

static lt_res step_key(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_key(r->desk, t, m);
}

static void test_key_lookup(void **state)
{
    static const char *const unknown[] = {
        "1", "0", "", "abc", "-1", "99999999999999999999", "operator:nobody"};
    struct rig r;
    struct rig_account a;
    Ipc__KeyLookup lookup = IPC__KEY_LOOKUP__INIT;
    char kid[32];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    (void)snprintf(kid, sizeof kid, "%lld", (long long)a.id);
    lookup.kid = kid;
    const struct ipc_msg m = {.from = {.role = IPC_NOTARY}, .type = IPC_KEY_LOOKUP, .body = &lookup.base};
    assert_ok(rig_run(&r, step_key, &m));
    const Ipc__KeyAnswer *answer = rig_find(&r, IPC_KEY_ANSWER, 0);
    assert_true(answer->found);
    assert_string_equal(answer->status, "valid");
    assert_string_equal(answer->alg, "ES256");
    assert_memory_equal(answer->thumbprint.data, a.thumbprint, 32);
    assert_memory_equal(answer->spki.data, a.spki, sizeof a.spki);
    for (size_t i = 0; i < LT_COUNT(unknown); i++) {
        rig_clean(&r);
        lookup.kid = (char *)(uintptr_t)unknown[i];
        assert_ok(rig_run(&r, step_key, &m));
        answer = rig_find(&r, IPC_KEY_ANSWER, 0);
        assert_false(answer->found);
        assert_string_equal(answer->kid, unknown[i]);
    }
    rig_close(&r);
}

/* One request, sent 10,000 times: it is done once. */
static void test_replayed_request(void **state)
{
    static const char *const names[] = {"www.example.com", NULL};
    struct rig r;
    struct rig_account a;
    char nonce[ACME_NONCE_SIZE];
    unsigned bad = 0;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    acme_desk_nonce(r.desk, nonce);
    for (int i = 0; i < 10000; i++) {
        Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
        Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
        Ipc__Identifier id = IPC__IDENTIFIER__INIT;
        Ipc__Identifier *list[] = {&id};
        char dns[] = "dns";
        id.type = dns;
        id.value = (char *)(uintptr_t)names[0];
        call.op = IPC__ACME_OP__ACME_NEW_ORDER;
        call.nonce = nonce;
        call.new_order = &body;
        body.identifiers = list;
        body.n_identifiers = 1;
        const Ipc__AcmeReply *reply = rig_call(&r, &a, &call);
        if (reply->problem != NULL) {
            is_problem(reply, "badNonce", 400);
            assert_ok(acme_desk_redeem(r.desk, lt_slice_cstr(reply->nonce))); /* and the fresh one is good */
            bad++;
        }
        rig_clean(&r);
    }
    assert_int_equal(bad, 9999);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order"), 1);
    rig_close(&r);
}

static void test_signers(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account stranger;
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject object = IPC__ACME_OBJECT__INIT;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&stranger, 2);
    /* an order by a bare key, a new account by an account, an account that is none */
    call.op = IPC__ACME_OP__ACME_GET_ORDER;
    call.object = &object;
    call.account_id = -1;
    is_problem(rig_call(&r, &stranger, &call), "malformed", 400);
    call = (Ipc__AcmeCall)IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_GET_ORDER;
    call.object = &object;
    call.account_id = 12345;
    is_problem(rig_call(&r, &a, &call), "accountDoesNotExist", 400);
    /* other accounts' URLs */
    struct rig_account b;
    rig_new_account(&r, &b, 3);
    object.id = a.id;
    call = (Ipc__AcmeCall)IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_GET_ACCOUNT;
    call.object = &object;
    is_problem(rig_call(&r, &b, &call), "unauthorized", 403);
    call = (Ipc__AcmeCall)IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_GET_ORDERS;
    call.object = &object;
    is_problem(rig_call(&r, &b, &call), "unauthorized", 403);
    /* a message without its body, an operation that is none: answered, not obeyed */
    call = (Ipc__AcmeCall)IPC__ACME_CALL__INIT;
    call.op = IPC__ACME_OP__ACME_FINALIZE;
    is_problem(rig_call(&r, &b, &call), "serverInternal", 500);
    call = (Ipc__AcmeCall)IPC__ACME_CALL__INIT;
    call.op = (Ipc__AcmeOp)99;
    is_problem(rig_call(&r, &b, &call), "serverInternal", 500);
    rig_close(&r);
}

static void test_limits(void **state)
{
    static const char yaml[] = "rate-limits:\n  accounts-per-address: 3/1h\n  orders-per-account: 5/1h\n"
                               "  failures-per-name: 2/1h\n  pending-authorizations-per-account: 6\n";
    static const char *const names[] = {"www.example.com", NULL};
    struct rig r;
    struct rig_account a[4];
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    (void)state;
    rig_open(&r, yaml);
    for (uint8_t i = 0; i < 3; i++) {
        rig_new_account(&r, &a[i], i);
    }
    rig_key(&a[3], 3);
    const Ipc__AcmeReply *reply = new_account(&r, &a[3], &body);
    is_problem(reply, "rateLimited", 429);
    assert_in_range(reply->retry_after_s, 1100, 1201);
    assert_non_null(strstr(reply->problem->detail, "new accounts from your address: at most 3"));
    rig_advance(&r, reply->retry_after_s);
    assert_int_equal(new_account(&r, &a[3], &body)->status, 201);

    /* failed validations of one name */
    for (int i = 0; i < 2; i++) {
        reply = rig_new_order(&r, &a[0], names);
        assert_int_equal(reply->status, 201);
        assert_int_equal(rig_reply_challenge(&r, &a[0], reply->order->authorizations[0])->status, 200);
        rig_validated(&r, "connection");
    }
    reply = rig_new_order(&r, &a[0], names);
    int64_t authorization = reply->order->authorizations[0];
    is_problem(rig_reply_challenge(&r, &a[0], authorization), "rateLimited", 429);
    rig_advance(&r, 1801);
    assert_int_equal(rig_reply_challenge(&r, &a[0], authorization)->status, 200);

    /* orders, and authorizations that are pending */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rig_new_order(&r, &a[1], names)->status, 201);
    }
    is_problem(rig_new_order(&r, &a[1], names), "rateLimited", 429);
    rig_advance(&r, 3600);
    static const char *const two[] = {"a.example.com", "b.example.com", NULL};
    reply = rig_new_order(&r, &a[1], two);
    is_problem(reply, "rateLimited", 429);
    assert_non_null(strstr(reply->problem->detail, "pending authorizations"));
    assert_int_equal(rig_new_order(&r, &a[1], names)->status, 201);
    rig_close(&r);
}

/* The book takes nothing: the client hears so, and no account is half made. */
static void test_lost_savepoint(void **state)
{
    struct rig r;
    struct rig_account a;
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    (void)state;
    rig_open(&r, NULL);
    rig_key(&a, 1);
    body.terms_agreed = true;
    r.fail_next = true;
    const Ipc__AcmeReply *reply = new_account(&r, &a, &body);
    is_problem(reply, "serverInternal", 503);
    assert_int_equal(reply->retry_after_s, 5);
    assert_int_equal(rig_count(&r, IPC_ACME_REPLY), 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account"), 0);
    assert_int_equal(new_account(&r, &a, &body)->status, 201);
    rig_close(&r);
}

static struct rig_account burnt;

static lt_res block_it(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)r;
    (void)m;
    return ca_key_block_add(t, LT_SLICE(burnt.spki_sha256, 32), "keyCompromise", "revocation");
}

static void test_blocked(void **state)
{
    struct rig r;
    struct rig_account a;
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    char url[100];
    (void)state;
    rig_open(&r, NULL);
    rig_key(&burnt, 2);
    assert_ok(rig_run(&r, block_it, NULL));
    body.terms_agreed = true;
    is_problem(new_account(&r, &burnt, &body), "badPublicKey", 400);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account"), 0);
    rig_new_account(&r, &a, 1);
    (void)snprintf(url, sizeof url, "%s/acme/account/%lld", r.config->base_url, (long long)a.id);
    is_problem(key_change(&r, &a, &burnt, url, a.thumbprint), "badPublicKey", 400);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_contacts),
        cmocka_unit_test(test_deactivate),
        cmocka_unit_test(test_deactivate_many),
        cmocka_unit_test(test_key_change),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_key_lookup),
        cmocka_unit_test(test_signers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_lost_savepoint),
        cmocka_unit_test(test_replayed_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
