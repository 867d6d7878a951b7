/* CAA asked again before issuance, with a validator that writes down what it was asked. In 2020 a CA that had
 * to ask for N names asked N times for one of them: every test here counts by name. */
#include <stdlib.h>

#include "check.h"
#include "rig.h"
#include "sign.pb-c.h"
#include "validate/methods.h"

static const char with_caa[] = "acme:\n  terms-of-service: https://ca.example.com/terms\n"
                               "  caa-identities: [ca.example.com]\n  authorization-lifetime: 30d\n"
                               "validation:\n  allow-private: true\n"
                               "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                               "  failures-per-name: none\n";
enum { HOUR = 3600, MANY = 40 };

#define TEN "0123456789"
static const char long_name[] = TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN;
static const char *const three[] = {"a.example.com", "b.example.com", "c.example.com", NULL};

static lt_res step_validated(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_validated(r->desk, t, m);
}

struct answer {
    const char *problem; /* NULL: ok */
    bool checked;        /* CAA */
    bool permitted;
    const char *dnssec;    /* of CAA; NULL: insecure */
    const char *name;      /* the statement is about; NULL: the question's */
    const char *looked_up; /* NULL: the question's name */
    const char *as;        /* of itself, where it lies: perspective, build, rule, resolver */
    const char *build;
    const char *rule;
    const char *resolver;
    bool other_wildcard;
    bool other_subdomains;
    bool nowhere;    /* looked up */
    bool silent;     /* about CAA */
    int64_t older_s; /* than now */
};
static const struct answer permits = {.checked = true, .permitted = true};
static const struct answer forbids = {.problem = "caa", .checked = true};
static const struct answer fails = {.problem = "dns"};

static void tell(struct rig *r, const Ipc__Validate *q, const struct answer *a)
{
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    Ipc__CaaCheck caa = IPC__CAA_CHECK__INIT;
    Ipc__Identifier name = *q->identifier;
    static char words[3][32] = {"insecure", "primary", "test"};
    const struct validate_method *method = validate_method_find(q->method, q->identifier->type);
    name.value = (char *)(uintptr_t)(a->name == NULL ? q->identifier->value : a->name);
    char *looked_up = (char *)(uintptr_t)(a->looked_up == NULL ? q->identifier->value : a->looked_up);
    v.authorization_id = q->authorization_id;
    v.challenge_index = q->challenge_index;
    v.nonce = q->nonce;
    v.identifier = &name;
    v.method = q->method;
    v.ok = a->problem == NULL;
    v.dnssec = words[0];
    v.perspective = a->as == NULL ? words[1] : (char *)(uintptr_t)a->as;
    v.build = a->build == NULL ? words[2] : (char *)(uintptr_t)a->build;
    v.resolver = a->resolver == NULL ? words[1] : (char *)(uintptr_t)a->resolver;
    v.ruleset = (char *)(uintptr_t)(a->rule == NULL ? method->ruleset : a->rule);
    v.wildcard = q->wildcard != a->other_wildcard;
    v.subdomains = q->subdomains != a->other_subdomains;
    caa.checked = a->checked;
    caa.permitted = a->permitted;
    caa.dnssec = (char *)(uintptr_t)(a->dnssec == NULL ? "insecure" : a->dnssec);
    caa.looked_up = &looked_up;
    caa.n_looked_up = a->nowhere ? 0 : 1;
    caa.checked_us = lt_time_add_seconds(r->now, -a->older_s).us;
    v.caa = a->silent ? NULL : &caa;
    if (a->problem != NULL) {
        p.type = (char *)(uintptr_t)a->problem;
        p.detail = words[2];
        v.problem = &p;
    }
    const struct ipc_msg m = {.from = {.role = IPC_VALIDATOR}, .type = IPC_VALIDATED, .body = &v.base};
    assert_ok(rig_run(r, step_validated, &m));
}

/* Questions about CAA alone, in the order in which they were asked. */
static size_t questions(struct rig *r, const Ipc__Validate **list, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < rig_count(r, IPC_VALIDATE); i++) {
        const Ipc__Validate *q = rig_find(r, IPC_VALIDATE, i);
        if (strcmp(q->method, "caa") == 0) {
            assert_true(count < most);
            list[count++] = q;
        }
    }
    return count;
}

static void prove(struct rig *r, const struct rig_account *a, const char *const *names,
                  const struct answer *caa)
{
    int64_t ids[MANY];
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    assert_int_equal(reply->status, 201);
    size_t count = reply->order->n_authorizations;
    assert_true(count <= MANY);
    memcpy(ids, reply->order->authorizations, count * sizeof ids[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rig_reply_challenge(r, a, ids[i])->status, 200);
        const Ipc__Validate *q = rig_find(r, IPC_VALIDATE, rig_count(r, IPC_VALIDATE) - 1);
        assert_int_equal(q->n_issuer_domains, 1);
        assert_string_equal(q->issuer_domains[0], "ca.example.com");
        tell(r, q, caa);
    }
}

/* An order of names that were proven `age_s` ago, and its finalize; what was sent before it is forgotten. */
static int64_t finalize_after(struct rig *r, struct rig_account *a, const char *const *names, int64_t age_s)
{
    struct rig_account leaf;
    rig_open(r, with_caa);
    rig_new_account(r, a, 1);
    prove(r, a, names, &permits);
    rig_advance(r, age_s);
    rig_clean(r);
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    assert_string_equal(reply->order->status, "ready");
    int64_t order = reply->location_order;
    rig_key(&leaf, 0);
    assert_null(rig_finalize(r, a, order, names, &leaf.key));
    return order;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void test_each_by_its_own_name(void **state)
{
    static char text[MANY][32];
    const char *names[MANY + 1] = {NULL};
    const char *asked[MANY];
    const Ipc__Validate *list[MANY];
    struct rig r;
    struct rig_account a;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(text[i], sizeof text[i], "n%02zu.example.com", i);
        names[i] = text[i];
    }
    int64_t order = finalize_after(&r, &a, names, 9 * HOUR);
    uint64_t held = r.next_id;
    assert_int_equal(questions(&r, list, MANY), MANY);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    for (size_t i = 0; i < MANY; i++) {
        asked[i] = list[i]->identifier->value;
        assert_string_equal(list[i]->token, "http-01");
        assert_non_null(strstr(list[i]->account_uri, "/acme/account/"));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(list[i]->nonce.data, list[k]->nonce.data, list[i]->nonce.len);
            assert_true(list[i]->authorization_id != list[k]->authorization_id);
        }
    }
    qsort(asked, MANY, sizeof asked[0], by_text);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(asked[i], names[i]);
    }
    rig_advance(&r, 3);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
        tell(&r, list[i], &permits);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM caa_check WHERE status = 'permitted'"), MANY);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'caa.checked'"), MANY);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM order_wait"), 0);
    const Ipc__SignRequest *q = rig_find(&r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(q->n_evidence, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(q->evidence[i]->caa_checked_us, r.now.us);
        assert_int_equal(q->evidence[i]->validated_us, lt_time_add_seconds(r.now, -9 * HOUR - 3).us);
    }
    rig_signed(&r, NULL);
    const Ipc__AcmeReply *reply = rig_answer(&r, held);
    assert_non_null(reply);
    assert_string_equal(reply->order->status, "valid");
    assert_int_equal(reply->location_order, order);
    rig_close(&r);
}

/* A validator in wrong hands: what it says of itself and of its question is held against what we know. */
static const struct answer lies[] = {
    {.checked = true, .permitted = true, .nowhere = true},
    {.checked = true, .permitted = true, .looked_up = "www.example.com"},
    {.checked = true, .permitted = true, .looked_up = "example.com"},
    {.checked = true, .permitted = true, .older_s = 3600},
    {.checked = true, .permitted = true, .as = ""},
    {.checked = true, .permitted = true, .as = "eu-west"},
    {.checked = true, .permitted = true, .as = "primary,eu-west,us-east"},
    {.checked = true, .permitted = true, .build = ""},
    {.checked = true, .permitted = true, .build = "test2"},
    {.checked = true, .permitted = true, .build = "test (testing.always-valid: nothing was looked at)"},
    {.checked = true, .permitted = true, .rule = ""},
    {.checked = true, .permitted = true, .rule = "BR 2.2.6 3.2.2.4.20"},
    {.checked = true, .permitted = true, .rule = "BR 9.9.9 3.2.2.4.19"},
    {.checked = true, .permitted = true, .resolver = long_name},
    {.checked = true, .permitted = true, .other_wildcard = true},
    {.checked = true, .permitted = true, .other_subdomains = true},
    {.problem = "dns", .as = "eu-west"},
    {.problem = "dns", .rule = "BR 9.9.9 3.2.2.4.19"},
    {.problem = "dns", .build = "test2"},
};

static void test_lies(void **state)
{
    static const char *const one[] = {"a.example.com", NULL};
    static const char discarded[] = "SELECT count(*) FROM event WHERE kind = 'validation.discarded'";
    static const char status[] = "SELECT status FROM authorization";
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, with_caa);
    rig_new_account(&r, &a, 1);
    rig_advance(&r, 7200);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, one);
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    const Ipc__Validate *q = rig_find(&r, IPC_VALIDATE, rig_count(&r, IPC_VALIDATE) - 1);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        tell(&r, q, &lies[i]);
        assert_int_equal(rig_number(&r, discarded), i + 1);
        assert_string_equal(rig_text(&r, status), "pending");
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 0);
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM dimension"), 0);
    }
    tell(&r, q, &permits);
    assert_string_equal(rig_text(&r, status), "valid");
    rig_close(&r);
}

/* And where CAA alone is asked again. */
static void test_lies_again(void **state)
{
    static const char asked[] = "SELECT count(*) FROM caa_check WHERE status = 'asked'";
    static const char *const one[] = {"a.example.com", NULL};
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    (void)state;
    (void)finalize_after(&r, &a, one, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 1);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        tell(&r, list[0], &lies[i]);
        assert_int_equal(rig_number(&r, asked), 1);
    }
    tell(&r, list[0], &permits);
    assert_int_equal(rig_number(&r, asked), 0);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_close(&r);
}

/* The validator is asked for every name and answers for one of them each time. */
static void test_one_name_many_times(void **state)
{
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    (void)state;
    int64_t order = finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    const struct answer wrong_name = {.checked = true, .permitted = true, .name = list[0]->identifier->value};
    const struct answer looked_elsewhere = {
        .checked = true, .permitted = true, .looked_up = list[0]->identifier->value};
    tell(&r, list[0], &permits);
    tell(&r, list[1], &wrong_name);
    tell(&r, list[2], &looked_elsewhere);
    tell(&r, list[0], &permits); /* its nonce is spent */
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM caa_check WHERE status = 'asked'"), 2);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'validation.discarded'"), 3);
    assert_string_equal(rig_get_order(&r, &a, order) == NULL ? "held" : "answered", "held");
    /* nobody waits for ever */
    rig_advance(&r, 601);
    rig_tick(&r);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "serverInternal");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM caa_check WHERE status = 'asked'"), 0);
    rig_close(&r);
}

/* A name whose check got lost is not counted as checked: it is asked, whatever the others said. */
static void test_lost_row(void **state)
{
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    char sql[128];
    (void)state;
    (void)finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    (void)snprintf(sql, sizeof sql, "DELETE FROM caa_check WHERE authorization_id = %lld",
                   (long long)list[1]->authorization_id);
    assert_ok(store_exec(r.store, rig_sql(&r, sql), STORE_NO_ARGS, NULL));
    tell(&r, list[0], &permits);
    tell(&r, list[2], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    assert_int_equal(questions(&r, list, 8), 4);
    assert_string_equal(list[3]->identifier->value, list[1]->identifier->value);
    tell(&r, list[1], &permits); /* of before */
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    tell(&r, list[3], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_close(&r);
}

static void test_refused(void **state)
{
    static const struct answer bogus = {.checked = true, .permitted = true, .dnssec = "bogus"};
    static const struct {
        const struct answer *answers[3];
        const char *type;
        size_t refused;
    } rows[] = {
        {{&permits, &permits, &forbids}, "caa", 1}, {{&forbids, &permits, &forbids}, "caa", 2},
        {{&fails, &permits, &permits}, "dns", 1},   {{&fails, &forbids, &permits}, "caa", 2},
        {{&forbids, &forbids, &forbids}, "caa", 3}, {{&permits, &bogus, &permits}, "dns", 1},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__Validate *list[8];
        struct rig r;
        struct rig_account a;
        int64_t order = finalize_after(&r, &a, three, 9 * HOUR);
        uint64_t held = r.next_id;
        assert_int_equal(questions(&r, list, 8), 3);
        for (size_t k = 0; k < 3; k++) {
            tell(&r, list[k], rows[i].answers[k]);
        }
        assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
        const Ipc__AcmeReply *reply = rig_answer(&r, held);
        assert_non_null(reply);
        assert_string_equal(reply->order->status, "invalid");
        assert_string_equal(reply->order->error->type, rows[i].type);
        assert_int_equal(reply->order->error->n_subproblems, rows[i].refused);
        for (size_t k = 0, at = 0; k < 3; k++) {
            if (rows[i].answers[k] != &permits) {
                assert_string_equal(reply->order->error->subproblems[at++]->identifier->value,
                                    list[k]->identifier->value);
            }
        }
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM order_wait"), 0);
        assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
        rig_close(&r);
    }
}

/* A worker that died over it is our own fault: it is asked again, with a nonce of its own, and not for ever.
 */
static void test_asked_again(void **state)
{
    static const struct answer no_word = {.silent = true, .problem = "serverInternal"};
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    (void)state;
    (void)finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    tell(&r, list[2], &no_word);
    assert_int_equal(questions(&r, list, 8), 4);
    assert_string_equal(list[3]->identifier->value, list[2]->identifier->value);
    assert_memory_not_equal(list[3]->nonce.data, list[2]->nonce.data, list[2]->nonce.len);
    tell(&r, list[2], &permits); /* the old one */
    tell(&r, list[0], &permits);
    tell(&r, list[1], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    tell(&r, list[3], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_close(&r);

    int64_t order = finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    for (size_t i = 0; i < 4; i++) {
        size_t count = questions(&r, list, 8);
        assert_int_equal(count, 3 + i);
        tell(&r, list[count - 1], &no_word);
    }
    assert_int_equal(questions(&r, list, 8), 6);
    tell(&r, list[0], &permits);
    tell(&r, list[1], &permits);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "serverInternal");
    rig_close(&r);
}

static void test_age(void **state)
{
    static const struct {
        int64_t age_s;
        size_t asked;
    } rows[] = {{0, 0}, {HOUR, 0}, {7 * HOUR + 54 * 60, 0}, {7 * HOUR + 56 * 60, 3}, {24 * HOUR, 3}};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__Validate *list[8];
        struct rig r;
        struct rig_account a;
        (void)finalize_after(&r, &a, three, rows[i].age_s);
        assert_int_equal(questions(&r, list, 8), rows[i].asked);
        assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), rows[i].asked == 0 ? 1 : 0);
        rig_close(&r);
    }
}

/* A validation that said nothing of CAA, and one of a CA that has no name for it. */
static void test_never_checked(void **state)
{
    static const struct answer silent = {.silent = true};
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, with_caa);
    rig_new_account(&r, &a, 1);
    prove(&r, &a, three, &silent);
    rig_key(&leaf, 0);
    int64_t order = rig_new_order(&r, &a, three)->location_order;
    assert_null(rig_finalize(&r, &a, order, three, &leaf.key));
    assert_int_equal(questions(&r, list, 8), 3);
    rig_close(&r);

    uint8_t serial[16];
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    (void)rig_certificate(&r, &a, three, serial);
    assert_int_equal(questions(&r, list, 8), 0);
    rig_close(&r);
}

/* "valid" over CAA that forbids is a validator gone mad: nothing comes of it. */
static void test_success_against_caa(void **state)
{
    static const struct answer mad = {.checked = true};
    static const char *const one[] = {"a.example.com", NULL};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, with_caa);
    rig_new_account(&r, &a, 1);
    prove(&r, &a, one, &mad);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM authorization WHERE status = 'valid'"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'validation.discarded'"), 1);
    rig_close(&r);
}

static void test_goes_on_after_restart(void **state)
{
    const Ipc__Validate *list[8];
    const Ipc__Validate *again[8];
    struct rig r;
    struct rig_account a;
    uint8_t nonce[16];
    (void)state;
    int64_t order = finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    tell(&r, list[0], &permits);
    memcpy(nonce, list[1]->nonce.data, sizeof nonce);
    rig_advance(&r, 5);
    rig_restart(&r);
    assert_int_equal(questions(&r, again, 8), 2);
    assert_string_equal(again[0]->token, "http-01");
    Ipc__Validate old = *again[0];
    old.nonce.data = nonce;
    tell(&r, &old, &permits);
    tell(&r, again[0], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    tell(&r, again[1], &permits);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_signed(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "valid");
    rig_close(&r);
}

/* What was given up while CAA was asked ends the order. */
static void test_given_up_meanwhile(void **state)
{
    const Ipc__Validate *list[8];
    struct rig r;
    struct rig_account a;
    (void)state;
    int64_t order = finalize_after(&r, &a, three, 9 * HOUR);
    assert_int_equal(questions(&r, list, 8), 3);
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION;
    call.object = &body;
    body.id = list[1]->authorization_id;
    assert_int_equal(rig_call(&r, &a, &call)->status, 200);
    for (size_t i = 0; i < 3; i++) {
        tell(&r, list[i], &permits);
    }
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "unauthorized");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_by_its_own_name),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_lies_again),
        cmocka_unit_test(test_one_name_many_times),
        cmocka_unit_test(test_lost_row),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_asked_again),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_never_checked),
        cmocka_unit_test(test_success_against_caa),
        cmocka_unit_test(test_goes_on_after_restart),
        cmocka_unit_test(test_given_up_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
