/* Authorizations that are asked for in advance, that prove the names below them, and by records that stay. */
#include "check.h"
#include "rig.h"

static const char named[] = "acme:\n  caa-identities: [ca.example.com, second.example.com]\n"
                            "  authorization-lifetime: 30d\n"
                            "validation:\n  allow-private: true\n"
                            "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                            "  failures-per-name: none\n";
static const char few[] = "validation:\n  allow-private: true\n"
                          "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                          "  failures-per-name: none\n  pending-authorizations-per-account: 2\n";

static void is_problem(const Ipc__AcmeReply *reply, const char *type)
{
    assert_non_null(reply);
    assert_non_null(reply->problem);
    if (strcmp(reply->problem->type, type) != 0) {
        print_error("%s: %s\n", reply->problem->type, reply->problem->detail);
    }
    assert_string_equal(reply->problem->type, type);
}

static const Ipc__AcmeReply *ahead(struct rig *r, const struct rig_account *a, const char *name,
                                   bool subdomains)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewAuthorization body = IPC__ACME_NEW_AUTHORIZATION__INIT;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    static char types[2][4] = {"dns", "ip"};
    bool address = name[strspn(name, "0123456789.")] == '\0';
    id.type = types[address ? 1 : 0];
    id.value = (char *)(uintptr_t)name;
    body.identifier = &id;
    body.subdomains = subdomains;
    call.op = IPC__ACME_OP__ACME_NEW_AUTHORIZATION;
    call.new_authorization = &body;
    return rig_call(r, a, &call);
}

/* above: for each name the domain that shall prove it, or NULL. */
static const Ipc__AcmeReply *below(struct rig *r, const struct rig_account *a, const char *const *names,
                                   const char *const *above)
{
    enum { MOST = 8 };
    static char dns[] = "dns";
    Ipc__Identifier rows[MOST];
    Ipc__Identifier *list[MOST];
    Ipc__AcmeAncestor ancestors[MOST];
    Ipc__AcmeAncestor *ancestor_list[MOST];
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    for (size_t i = 0; names[i] != NULL; i++) {
        ipc__identifier__init(&rows[i]);
        rows[i].type = dns;
        rows[i].value = (char *)(uintptr_t)names[i];
        list[body.n_identifiers++] = &rows[i];
        if (above[i] != NULL) {
            Ipc__AcmeAncestor *x = &ancestors[body.n_ancestors];
            ipc__acme_ancestor__init(x);
            x->identifier = &rows[i];
            x->domain = (char *)(uintptr_t)above[i];
            ancestor_list[body.n_ancestors++] = x;
        }
    }
    body.identifiers = list;
    body.ancestors = ancestor_list;
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    return rig_call(r, a, &call);
}

static uint32_t index_of(struct rig *r, const struct rig_account *a, int64_t authorization, const char *type)
{
    const Ipc__AcmeReply *reply = rig_get_authorization(r, a, authorization);
    for (size_t i = 0; i < reply->authorization->n_challenges; i++) {
        if (strcmp(reply->authorization->challenges[i]->type, type) == 0) {
            return reply->authorization->challenges[i]->index;
        }
    }
    return UINT32_MAX;
}

static void prove(struct rig *r, const struct rig_account *a, int64_t authorization, const char *type,
                  const char *problem)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeChallengeReply body = IPC__ACME_CHALLENGE_REPLY__INIT;
    call.op = IPC__ACME_OP__ACME_REPLY_CHALLENGE;
    call.challenge = &body;
    body.authorization_id = authorization;
    body.index = index_of(r, a, authorization, type);
    assert_int_not_equal(body.index, UINT32_MAX);
    assert_int_equal(rig_call(r, a, &call)->status, 200);
    rig_validated(r, problem);
}

static void test_ahead(void **state)
{
    static const char *const www[] = {"www.example.com", NULL};
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);
    const Ipc__AcmeReply *reply = ahead(&r, &a, "www.example.com", false);
    assert_int_equal(reply->status, 201);
    int64_t id = reply->location_authorization;
    assert_int_equal(reply->authorization->id, id);
    assert_string_equal(reply->authorization->status, "pending");
    assert_false(reply->authorization->subdomains);
    prove(&r, &a, id, "http-01", NULL);
    reply = rig_new_order(&r, &a, www);
    assert_string_equal(reply->order->status, "ready");
    assert_int_equal(reply->order->authorizations[0], id);
    assert_string_equal(rig_new_order(&r, &b, www)->order->status, "pending"); /* another's is none */
    is_problem(ahead(&r, &a, "*.example.com", false), "malformed");
    is_problem(ahead(&r, &a, "com", false), "rejectedIdentifier");
    is_problem(ahead(&r, &a, "x.onion", false), "rejectedIdentifier");
    /* Its own end: no order will bring it. */
    id = ahead(&r, &a, "late.example.com", false)->location_authorization;
    rig_advance(&r, 8 * 86400);
    rig_tick(&r);
    rig_tick(&r);
    assert_string_equal(rig_get_authorization(&r, &a, id)->authorization->status, "expired");
    rig_close(&r);
    rig_open(&r, few);
    rig_new_account(&r, &a, 1);
    assert_int_equal(ahead(&r, &a, "a.example.com", false)->status, 201);
    assert_int_equal(ahead(&r, &a, "b.example.com", false)->status, 201);
    is_problem(ahead(&r, &a, "c.example.com", false), "rateLimited");
    rig_close(&r);
}

static const char *const three[] = {"a.example.com", "*.b.example.com", "x.y.example.com", NULL};
static const char *const by_one[] = {"example.com", "example.com", "example.com"};
static const char *const by_none[] = {NULL, NULL, NULL};

static void test_order(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = below(&r, &a, three, by_one);
    assert_int_equal(reply->status, 201);
    assert_int_equal(reply->order->n_identifiers, 3);
    assert_int_equal(reply->order->n_authorizations, 1); /* one for all of them */
    int64_t order = reply->location_order;
    int64_t id = reply->order->authorizations[0];
    reply = rig_get_order(&r, &a, order);
    assert_int_equal(reply->order->n_authorizations, 1);
    assert_int_equal(reply->order->authorizations[0], id);
    reply = rig_get_authorization(&r, &a, id);
    assert_string_equal(reply->authorization->identifier->value, "example.com");
    assert_true(reply->authorization->subdomains);
    assert_int_equal(index_of(&r, &a, id, "http-01"), UINT32_MAX); /* good for the one name alone */
    assert_int_equal(index_of(&r, &a, id, "tls-alpn-01"), UINT32_MAX);
    prove(&r, &a, id, "dns-01", NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
    rig_key(&leaf, 0);
    assert_null(rig_finalize(&r, &a, order, three, &leaf.key));
    const Ipc__SignRequest *q = rig_find(&r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(q->n_evidence, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(q->evidence[i]->method, "dns-01");
        assert_int_not_equal(q->evidence[i]->authorization_id, id); /* its own row, for its own name */
    }
    /* The next one finds it proven, asked for or not. */
    static const char *const fourth[] = {"fourth.example.com", NULL};
    reply = below(&r, &a, fourth, by_none);
    assert_string_equal(reply->order->status, "ready");
    assert_int_equal(reply->order->authorizations[0], id);
    static const char *const itself[] = {"example.com", NULL};
    assert_string_equal(rig_new_order(&r, &a, itself)->order->status, "ready");
    static const char *const other[] = {"example.org", NULL};
    assert_string_equal(rig_new_order(&r, &a, other)->order->status, "pending");
    rig_close(&r);
}

static void test_order_refused(void **state)
{
    static const char *const name[] = {"a.example.co.uk", NULL};
    static const char *const suffix[] = {"co.uk"};
    static const char *const top[] = {"uk"};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    is_problem(below(&r, &a, name, suffix), "rejectedIdentifier");
    is_problem(below(&r, &a, name, top), "rejectedIdentifier");
    const Ipc__AcmeReply *reply = below(&r, &a, three, by_one);
    int64_t order = reply->location_order;
    int64_t id = reply->order->authorizations[0];
    prove(&r, &a, id, "dns-01", "unauthorized");
    assert_string_equal(rig_get_authorization(&r, &a, id)->authorization->status, "invalid");
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
    assert_string_equal(below(&r, &a, three, by_none)->order->status, "pending");
    rig_close(&r);
}

/* What the ancestor loses, those below it lose: an order that is ready, and the next one. */
static void test_deactivated(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    int64_t id = ahead(&r, &a, "example.com", true)->location_authorization;
    assert_true(rig_get_authorization(&r, &a, id)->authorization->subdomains);
    prove(&r, &a, id, "dns-01", NULL);
    int64_t order = below(&r, &a, three, by_none)->location_order;
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION;
    call.object = &body;
    body.id = id;
    assert_string_equal(rig_call(&r, &a, &call)->authorization->status, "deactivated");
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
    assert_string_equal(below(&r, &a, three, by_none)->order->status, "pending");
    rig_close(&r);
}

/* Each name below is asked about CAA by itself; the ancestor's answer is not theirs. */
static void test_caa(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, named);
    rig_new_account(&r, &a, 1);
    int64_t id = ahead(&r, &a, "example.com", true)->location_authorization;
    prove(&r, &a, id, "dns-01", NULL);
    int64_t order = below(&r, &a, three, by_none)->location_order;
    rig_clean(&r);
    rig_key(&leaf, 0);
    assert_null(rig_finalize(&r, &a, order, three, &leaf.key));
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 3);
    for (size_t i = 0; i < 3; i++) {
        const Ipc__Validate *v = rig_find(&r, IPC_VALIDATE, i);
        assert_string_equal(v->method, "caa");
        assert_string_not_equal(v->identifier->value, "example.com");
    }
    rig_close(&r);
}

/* The domain above fails, again and again: it is that name which is paused, by whichever way it is asked for.
 */
static void test_paused(void **state)
{
    static const char two[] = "validation:\n  allow-private: true\n"
                              "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                              "  failures-per-name: none\n"
                              "pausing:\n  failures: 2\n";
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, two);
    rig_new_account(&r, &a, 1);
    for (unsigned i = 0; i < 2; i++) {
        const Ipc__AcmeReply *reply = below(&r, &a, three, by_one);
        assert_int_equal(reply->status, 201);
        prove(&r, &a, reply->order->authorizations[0], "dns-01", "dns");
    }
    const Ipc__AcmeReply *reply = below(&r, &a, three, by_one);
    is_problem(reply, "rateLimited");
    assert_string_equal(reply->problem->subproblems[0]->identifier->value, "example.com");
    is_problem(ahead(&r, &a, "example.com", true), "rateLimited");
    assert_int_equal(below(&r, &a, three, by_none)->status, 201); /* each by itself */
    rig_close(&r);
}

/* A kill -9 between any two messages: the question is asked again, the order goes on, nothing is counted
 * twice. */
static void test_restarted(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    int64_t id = ahead(&r, &a, "example.com", true)->location_authorization;
    rig_restart(&r);
    const Ipc__AcmeReply *reply = below(&r, &a, three, by_one); /* not proven yet: it makes one of its own */
    int64_t order = reply->location_order;
    int64_t own = reply->order->authorizations[0];
    assert_int_not_equal(own, id);
    rig_restart(&r);
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeChallengeReply body = IPC__ACME_CHALLENGE_REPLY__INIT;
    call.op = IPC__ACME_OP__ACME_REPLY_CHALLENGE;
    call.challenge = &body;
    body.authorization_id = own;
    body.index = index_of(&r, &a, own, "dns-01");
    assert_int_equal(rig_call(&r, &a, &call)->status, 200);
    rig_restart(&r);
    rig_advance(&r, 1);
    rig_validator_linked(&r);
    r.fail_next = true; /* its turn is lost: all three names, or none */
    rig_validated(&r, NULL);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM authorization WHERE status = 'valid'"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 0);
    rig_validated(&r, NULL);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM authorization WHERE status = 'valid'"), 4);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence WHERE proven_by IS NOT NULL"), 3);
    rig_restart(&r);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
    rig_key(&leaf, 0);
    assert_null(rig_finalize(&r, &a, order, three, &leaf.key));
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_close(&r);
}

static void test_persistent(void **state)
{
    static const char *const www[] = {"www.example.com", NULL};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL); /* a CA without a name of its own offers none */
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    assert_int_equal(index_of(&r, &a, reply->order->authorizations[0], "dns-persist-01"), UINT32_MAX);
    rig_close(&r);
    rig_open(&r, named);
    rig_new_account(&r, &a, 1);
    int64_t id = rig_new_order(&r, &a, www)->order->authorizations[0];
    uint32_t index = index_of(&r, &a, id, "dns-persist-01");
    reply = rig_get_authorization(&r, &a, id);
    for (size_t i = 0; i < reply->authorization->n_challenges; i++) {
        const Ipc__AcmeChallengeBody *c = reply->authorization->challenges[i];
        assert_int_equal(c->token[0] == '\0', c->index == index); /* no token: nothing new to write */
    }
    rig_clean(&r);
    prove(&r, &a, id, "dns-persist-01", NULL);
    const Ipc__Validate *v = rig_find(&r, IPC_VALIDATE, 0);
    assert_string_equal(v->topmost, "example.com");
    assert_int_equal(v->n_issuer_domains, 2);
    assert_string_equal(v->token, "");
    assert_false(v->subdomains);
    /* Ten days, though the CA uses others for thirty. */
    reply = rig_get_authorization(&r, &a, id);
    assert_int_equal(reply->authorization->expires_us, r.now.us + 10 * 86400 * LT_US_PER_SECOND);
    rig_advance(&r, 9 * 86400);
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "ready");
    rig_advance(&r, 86400);
    id = rig_new_order(&r, &a, www)->order->authorizations[0];
    prove(&r, &a, id, "dns-01", NULL);
    rig_advance(&r, 20 * 86400);
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "ready");
    /* Addresses have theirs in the reverse zone (BR 3.2.2.5.8). */
    id = ahead(&r, &a, "93.184.216.34", false)->location_authorization;
    rig_clean(&r);
    prove(&r, &a, id, "dns-persist-01", NULL);
    assert_string_equal(((const Ipc__Validate *)rig_find(&r, IPC_VALIDATE, 0))->topmost, "");
    rig_close(&r);
}

static void test_topmost(void **state)
{
    static const struct {
        const char *name;
        const char *topmost;
    } rows[] = {
        {"example.com", "example.com"},
        {"www.example.com", "example.com"},
        {"a.b.example.co.uk", "example.co.uk"},
        {"co.uk", "co.uk"},
        {"localhost", "localhost"},
        {"a.b.c.example.org", "example.org"},
    };
    static const struct {
        const char *name;
        const char *domain;
        bool below;
    } pairs[] = {
        {"a.example.com", "example.com", true}, {"*.example.com", "example.com", true},
        {"example.com", "example.com", false},  {"aexample.com", "example.com", false},
        {".example.com", "example.com", false}, {"example.com", "a.example.com", false},
        {"a.example.com", "", false},
    };
    struct acme_names *n = NULL;
    (void)state;
    assert_ok(acme_names_open(&n));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_string_equal(acme_name_topmost(n, rows[i].name), rows[i].topmost);
    }
    for (size_t i = 0; i < LT_COUNT(pairs); i++) {
        assert_int_equal(acme_name_below(pairs[i].name, pairs[i].domain), pairs[i].below);
    }
    acme_names_close(n);
}

/* A proof above that may not be used again is asked for anew, and leaves nothing of itself behind. */
static void test_unfit(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, named);
    rig_new_account(&r, &a, 1);
    int64_t id = ahead(&r, &a, "example.com", true)->location_authorization;
    prove(&r, &a, id, "dns-01", NULL);
    assert_string_equal(below(&r, &a, three, by_one)->order->status, "ready");
    rig_clean(&r);
    acme_desk_use_testing(r.desk, 0, 0); /* as in a test CA that uses no proof again */
    const Ipc__AcmeReply *reply = below(&r, &a, three, by_one);
    assert_int_equal(reply->status, 201);
    assert_string_equal(reply->order->status, "pending");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unfit),       cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_order),       cmocka_unit_test(test_order_refused),
        cmocka_unit_test(test_deactivated), cmocka_unit_test(test_caa),
        cmocka_unit_test(test_persistent),  cmocka_unit_test(test_topmost),
        cmocka_unit_test(test_restarted),   cmocka_unit_test(test_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
