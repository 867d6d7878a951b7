/* Orders, authorizations and challenges: every step that a client or the clock can take, and those it cannot.
 */
#include "base/text.h"
#include "check.h"
#include "rig.h"

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

static const char *const www[] = {"www.example.com", NULL};
static const char *const two[] = {"b.example.com", "a.example.com", NULL};

static void test_new_order(void **state)
{
    static const char *const many[] = {"b.example.com", "A.example.com", "b.example.COM", NULL};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, many);
    assert_int_equal(reply->status, 201);
    assert_string_equal(reply->order->status, "pending");
    assert_string_equal(reply->order->profile, "tls-server");
    assert_int_equal(reply->order->n_identifiers, 2);
    assert_string_equal(reply->order->identifiers[0]->value, "a.example.com");
    assert_int_equal(reply->order->n_authorizations, 2);
    assert_int_equal(reply->order->expires_us, r.now.us + 7 * 86400 * LT_US_PER_SECOND);
    assert_false(reply->order->has_certificate);
    int64_t order = reply->location_order;
    int64_t authorization = reply->order->authorizations[1];

    reply = rig_get_authorization(&r, &a, authorization);
    assert_string_equal(reply->authorization->status, "pending");
    assert_non_null(strstr(reply->authorization->identifier->value, ".example.com"));
    assert_false(reply->authorization->wildcard);
    assert_int_equal(reply->authorization->n_challenges, 4);
    assert_string_equal(reply->authorization->challenges[0]->type, "http-01");
    assert_int_equal(strlen(reply->authorization->challenges[0]->token), 32);

    /* other accounts see nothing of it */
    struct rig_account b;
    rig_new_account(&r, &b, 2);
    is_problem(rig_get_order(&r, &b, order), "malformed", 404);
    is_problem(rig_get_authorization(&r, &b, authorization), "malformed", 404);
    is_problem(rig_reply_challenge(&r, &b, authorization), "malformed", 404);
    is_problem(rig_get_order(&r, &a, 4711), "malformed", 404);
    is_problem(rig_get_authorization(&r, &a, order), "malformed", 404);
    rig_close(&r);
}

static const Ipc__AcmeReply *order_with(struct rig *r, struct rig_account *a, const char *profile,
                                        const char *not_before, const char *not_after)
{
    static char dns[] = "dns";
    static char name[] = "www.example.com";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *list[] = {&id};
    id.type = dns;
    id.value = name;
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    body.identifiers = list;
    body.n_identifiers = 1;
    body.profile = (char *)(uintptr_t)profile;
    body.not_before = (char *)(uintptr_t)not_before;
    body.not_after = (char *)(uintptr_t)not_after;
    return rig_call(r, a, &call);
}

static void test_profiles_and_dates(void **state)
{
    static const struct {
        const char *profile;
        const char *not_before;
        const char *not_after;
        const char *problem;
    } rows[] = {
        {"", "", "", NULL},
        {"tls-server", "", "", NULL},
        {"tls-server-short", "", "", NULL},
        {"", "", "2026-12-22T00:00:00Z", NULL},
        {"service", "", "", "invalidProfile"},
        {"ca-tls", "", "", "invalidProfile"},
        {"nothing", "", "", "invalidProfile"},
        {"tls-server ", "", "", "invalidProfile"},
        {"", "tomorrow", "", "malformed"},
        {"", "", "2026-13-01T00:00:00Z", "malformed"},
        {"", "", "2028-01-01T00:00:00Z", "malformed"},
        {"", "", "2025-01-01T00:00:00Z", "malformed"},
        {"", "2027-06-01T00:00:00Z", "2027-01-01T00:00:00Z", "malformed"},
        {"tls-server-short", "", "2026-12-22T00:00:00Z", "malformed"},
    };
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__AcmeReply *reply = order_with(&r, &a, rows[i].profile, rows[i].not_before,
                                                 rows[i].not_after);
        if (rows[i].problem != NULL) {
            is_problem(reply, rows[i].problem, 400);
            continue;
        }
        if (reply->problem != NULL) {
            print_error("%zu: %s\n", i, reply->problem->detail);
        }
        assert_int_equal(reply->status, 201);
        assert_string_equal(reply->order->not_after, rows[i].not_after);
    }
    rig_close(&r);
}

static void test_refused_names(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const one[] = {"good.example.com", "printer.local", NULL};
    static const char *const mixed[] = {"a.test", "a_b.example.com", "good.example.com", NULL};
    static const char *const wild[] = {"*.com", NULL};
    char text[101][32];
    const char *many[102];
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    is_problem(rig_new_order(&r, &a, none), "malformed", 400);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, one);
    is_problem(reply, "rejectedIdentifier", 400);
    assert_int_equal(reply->problem->n_subproblems, 1);
    assert_string_equal(reply->problem->subproblems[0]->identifier->value, "printer.local");
    reply = rig_new_order(&r, &a, mixed);
    is_problem(reply, "compound", 400);
    assert_int_equal(reply->problem->n_subproblems, 2);
    assert_string_equal(reply->problem->subproblems[0]->type, "rejectedIdentifier");
    assert_string_equal(reply->problem->subproblems[1]->type, "malformed");
    is_problem(rig_new_order(&r, &a, wild), "rejectedIdentifier", 400);
    for (int i = 0; i < 101; i++) {
        (void)snprintf(text[i], sizeof text[i], "n%d.example.com", i);
        many[i] = text[i];
    }
    many[101] = NULL;
    is_problem(rig_new_order(&r, &a, many), "malformed", 400);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order"), 0);
    many[100] = NULL;
    assert_int_equal(rig_new_order(&r, &a, many)->order->n_authorizations, 100);
    rig_close(&r);
}

static bool offers(const Ipc__AcmeReply *reply, const char *const *types)
{
    size_t count = 0;
    for (; types[count] != NULL; count++) {
        if (count >= reply->authorization->n_challenges ||
            strcmp(reply->authorization->challenges[count]->type, types[count]) != 0) {
            return false;
        }
    }
    return count == reply->authorization->n_challenges;
}

/* Clients that poll the challenge (uacme, dehydrated) wait for its outcome like those that poll the
 * authorization: one that is processed is held, others are shown at once. */
static void test_challenge_polls(void **state)
{
    static const char *const names[] = {"a.example.com", NULL};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    int64_t id = rig_new_order(&r, &a, names)->order->authorizations[0];
    assert_string_equal(rig_get_challenge(&r, &a, id, 0)->challenge->status, "pending");
    const Ipc__AcmeReply *reply = rig_reply_challenge(&r, &a, id);
    assert_string_equal(reply->challenge->status, "processing");
    assert_int_equal(reply->retry_after_s, 1);
    assert_string_equal(rig_get_challenge(&r, &a, id, 1)->challenge->status, "pending");
    assert_null(rig_get_challenge(&r, &a, id, 0));
    uint64_t first = r.next_id;
    r.now.us += 1100 * LT_US_PER_MS; /* not for ever */
    rig_tick(&r);
    reply = rig_answer(&r, first);
    assert_string_equal(reply->challenge->status, "processing");
    assert_int_equal(reply->retry_after_s, 1);
    assert_null(rig_get_challenge(&r, &a, id, 0));
    uint64_t second = r.next_id;
    rig_validated(&r, NULL);
    reply = rig_answer(&r, second);
    assert_string_equal(reply->challenge->status, "valid");
    assert_int_equal(reply->retry_after_s, 0);
    assert_null(reply->authorization);
    assert_string_equal(rig_get_challenge(&r, &a, id, 0)->challenge->status, "valid");
    assert_int_equal(rig_get_challenge(&r, &a, id, 9)->status, 404);
    rig_close(&r);
}

/* What is offered follows from the kind of name. */
static void test_offered(void **state)
{
    static const char *const names[] = {"*.example.com", "example.com", NULL};
    static const char *const of_name[] = {"http-01", "dns-01", "dns-account-01", "tls-alpn-01", NULL};
    static const char *const of_wildcard[] = {"dns-01", "dns-account-01", NULL};
    static const char *const of_address[] = {"http-01", "tls-alpn-01", NULL};
    static char ip[] = "ip";
    static char good[] = "8.8.8.8";
    static char reserved[] = "10.1.2.3";
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, names);
    assert_int_equal(reply->status, 201);
    int64_t wildcard = reply->order->authorizations[0];
    int64_t name = reply->order->authorizations[1];
    reply = rig_get_authorization(&r, &a, wildcard);
    assert_true(reply->authorization->wildcard);
    assert_string_equal(reply->authorization->identifier->value, "example.com");
    assert_true(offers(reply, of_wildcard));
    reply = rig_get_authorization(&r, &a, name);
    assert_false(reply->authorization->wildcard);
    assert_true(offers(reply, of_name));
    /* the proof of the one is none of the other */
    assert_int_equal(rig_reply_challenge(&r, &a, name)->status, 200);
    const Ipc__Validate *q = rig_find(&r, IPC_VALIDATE, 0);
    assert_false(q->wildcard);
    rig_validated(&r, NULL);
    reply = rig_new_order(&r, &a, names);
    assert_string_equal(reply->order->status, "pending");

    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *list[] = {&id};
    id.type = ip;
    id.value = good;
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    body.identifiers = list;
    body.n_identifiers = 1;
    reply = rig_call(&r, &a, &call);
    assert_int_equal(reply->status, 201);
    reply = rig_get_authorization(&r, &a, reply->order->authorizations[0]);
    assert_string_equal(reply->authorization->identifier->type, "ip");
    assert_true(offers(reply, of_address));
    static char no_nonce[] = "";
    call.nonce = no_nonce;
    id.value = reserved;
    is_problem(rig_call(&r, &a, &call), "rejectedIdentifier", 400);
    rig_close(&r);
}

static void test_proof(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, two);
    int64_t order = reply->location_order;
    int64_t first = reply->order->authorizations[0];
    int64_t second = reply->order->authorizations[1];

    reply = rig_reply_challenge(&r, &a, first);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->challenge->status, "processing");
    const Ipc__Validate *q = rig_find(&r, IPC_VALIDATE, 0);
    assert_int_equal(q->nonce.len, 16);
    assert_string_equal(q->method, "http-01");
    char *thumbprint = lt_base64url(&r.arena, LT_SLICE(a.thumbprint, 32));
    char want[128];
    (void)snprintf(want, sizeof want, "%s.%s", q->token, thumbprint);
    assert_string_equal(q->key_authorization, want);
    /* said twice: nothing new is asked */
    assert_int_equal(rig_reply_challenge(&r, &a, first)->status, 200);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 1);

    /* a poll is held until the outcome */
    assert_null(rig_get_authorization(&r, &a, first));
    uint64_t held = r.next_id;
    rig_validated(&r, NULL);
    reply = rig_answer(&r, held);
    assert_string_equal(reply->authorization->status, "valid");
    assert_string_equal(reply->authorization->challenges[0]->status, "valid");
    assert_int_equal(reply->authorization->challenges[0]->validated_us, r.now.us);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "pending");
    assert_int_equal(rig_reply_challenge(&r, &a, second)->status, 200);
    rig_validated(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence WHERE ok = 1 AND dnssec = 'insecure'"), 2);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM dimension"), 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence WHERE segment = 1 AND length > 44 AND "
                                    "length(sha256) = 32 AND statement = ''"),
                     2);

    /* the next order of these names is ready at once, one with a third name is not */
    assert_string_equal(rig_new_order(&r, &a, two)->order->status, "ready");
    static const char *const three[] = {"a.example.com", "b.example.com", "c.example.com", NULL};
    reply = rig_new_order(&r, &a, three);
    assert_string_equal(reply->order->status, "pending");
    assert_int_equal(reply->order->n_authorizations, 3);
    /* but not for another account, and not when the proof has grown old */
    struct rig_account b;
    rig_new_account(&r, &b, 2);
    assert_string_equal(rig_new_order(&r, &b, two)->order->status, "pending");
    rig_advance(&r, 200 * 86400 - 1800);
    assert_string_equal(rig_new_order(&r, &a, two)->order->status, "pending");
    rig_close(&r);
}

/* The dated rule: from 2027-03-15 on a proof is good for 100 days, whatever was written when it was made. */
static void test_reuse_by_the_rule_of_the_day(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, "acme:\n  authorization-lifetime: 200d\n");
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    rig_validated(&r, NULL);
    rig_advance(&r, 112 * 86400); /* 2027-03-14 */
    reply = rig_new_order(&r, &a, www);
    assert_string_equal(reply->order->status, "ready");
    int64_t order = reply->location_order;
    rig_advance(&r, 2 * 86400);
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "pending");
    struct rig_account leaf;
    rig_key(&leaf, 0);
    is_problem(rig_finalize(&r, &a, order, www, &leaf.key), "orderNotReady", 403);
    rig_close(&r);
}

static void test_failure(void **state)
{
    static const char *const types[] = {"dns", "connection", "tls", "unauthorized", "incorrectResponse"};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, two);
        int64_t order = reply->location_order;
        int64_t authorization = reply->order->authorizations[0];
        assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
        rig_validated(&r, types[i]);
        reply = rig_get_authorization(&r, &a, authorization);
        assert_string_equal(reply->authorization->status, "invalid");
        assert_string_equal(reply->authorization->challenges[0]->status, "invalid");
        assert_string_equal(reply->authorization->challenges[0]->error->type, types[i]);
        assert_string_equal(reply->authorization->challenges[0]->error->detail, "it \"did\" not work\\");
        reply = rig_get_order(&r, &a, order);
        assert_string_equal(reply->order->status, "invalid");
        assert_string_equal(reply->order->error->type, types[i]);
        assert_int_equal(reply->order->error->n_subproblems, 1);
        is_problem(rig_finalize(&r, &a, order, two, &a.key), "orderNotReady", 403);
        rig_clean(&r);
    }
    rig_close(&r);
}

/* Statements that answer no question of ours change nothing and are written down. */
static void test_strange_statements(void **state)
{
    static const uint8_t zero[16];
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    rig_validated_nonce(&r, NULL, LT_SLICE(zero, sizeof zero));
    rig_validated_nonce(&r, NULL, LT_SLICE(zero, 0));
    rig_validated_nonce(&r, "noSuchType", LT_SLICE(zero, 0));
    static const char status[] = "SELECT status FROM authorization";
    assert_string_equal(rig_text(&r, status), "pending");
    static const char discarded[] = "SELECT count(*) FROM event WHERE kind = 'validation.discarded'";
    assert_int_equal(rig_number(&r, discarded), 3);
    rig_validated(&r, "noSuchType");
    assert_string_equal(rig_text(&r, status), "pending");
    assert_int_equal(rig_number(&r, discarded), 4);
    rig_validated(&r, NULL);
    assert_string_equal(rig_text(&r, status), "valid");
    rig_validated(&r, "dns"); /* the same statement's nonce is spent */
    assert_string_equal(rig_text(&r, status), "valid");
    assert_int_equal(rig_number(&r, discarded), 5);
    rig_close(&r);
}

static const Ipc__AcmeReply *deactivate(struct rig *r, struct rig_account *a, int64_t id)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION;
    call.object = &body;
    body.id = id;
    return rig_call(r, a, &call);
}

static void test_deactivation(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    /* pending */
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t order = reply->location_order;
    int64_t authorization = reply->order->authorizations[0];
    reply = deactivate(&r, &a, authorization);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->authorization->status, "deactivated");
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
    is_problem(deactivate(&r, &a, authorization), "malformed", 400);
    is_problem(rig_reply_challenge(&r, &a, authorization), "malformed", 400);
    /* valid, with two orders that rest on it */
    reply = rig_new_order(&r, &a, www);
    authorization = reply->order->authorizations[0];
    order = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    rig_validated(&r, NULL);
    int64_t other = rig_new_order(&r, &a, www)->location_order;
    assert_int_equal(deactivate(&r, &a, authorization)->status, 200);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
    assert_string_equal(rig_get_order(&r, &a, other)->order->status, "invalid");
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "pending");
    /* while it is being validated: the outcome is evidence, no more */
    reply = rig_new_order(&r, &a, www);
    authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    assert_int_equal(deactivate(&r, &a, authorization)->status, 200);
    rig_validated(&r, NULL);
    assert_string_equal(rig_get_authorization(&r, &a, authorization)->authorization->status, "deactivated");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 2);
    rig_close(&r);
}

static void test_time(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, two);
    int64_t order = reply->location_order;
    int64_t first = reply->order->authorizations[0];
    int64_t second = reply->order->authorizations[1];
    /* a ready one beside it */
    reply = rig_new_order(&r, &a, www);
    int64_t ready = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    rig_validated(&r, NULL);
    /* and one that failed early, whose other authorization is left pending */
    static const char *const left[] = {"x.example.com", "y.example.com", NULL};
    reply = rig_new_order(&r, &a, left);
    int64_t leftover = reply->order->authorizations[1];
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    rig_validated(&r, "dns");

    rig_advance(&r, 7 * 86400 - 1);
    rig_tick(&r);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "pending");
    rig_advance(&r, 1);
    is_problem(rig_reply_challenge(&r, &a, first), "malformed", 400);
    rig_tick(&r);
    reply = rig_get_order(&r, &a, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_non_null(strstr(reply->order->error->detail, "in time"));
    assert_string_equal(rig_get_order(&r, &a, ready)->order->status, "invalid");
    assert_string_equal(rig_get_authorization(&r, &a, second)->authorization->status, "expired");
    assert_string_equal(rig_get_authorization(&r, &a, leftover)->authorization->status, "expired");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM authorization WHERE status = 'pending'"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM due"), 0);
    is_problem(rig_reply_challenge(&r, &a, second), "malformed", 400);
    rig_close(&r);
}

/* A token is good for 30 days, whatever the configuration says of orders. */
static void test_token_age(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, "acme:\n  order-lifetime: 60d\n");
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    if (reply->order->expires_us != r.now.us + 30 * 86400 * LT_US_PER_SECOND) {
        print_error("expires %lld\n", (long long)reply->order->expires_us);
    }
    assert_int_equal(reply->order->expires_us, r.now.us + 30 * 86400 * LT_US_PER_SECOND);
    rig_close(&r);
}

/* Held no longer than a second; then the state of things, with Retry-After. */
static void test_held_poll(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    assert_null(rig_get_authorization(&r, &a, authorization));
    uint64_t held = r.next_id;
    assert_true(acme_desk_busy(r.desk));
    r.now.us += 900 * LT_US_PER_MS;
    rig_tick(&r);
    assert_null(rig_answer(&r, held));
    r.now.us += 100 * LT_US_PER_MS;
    rig_tick(&r);
    reply = rig_answer(&r, held);
    assert_string_equal(reply->authorization->status, "pending");
    assert_int_equal(reply->retry_after_s, 1);
    assert_false(acme_desk_busy(r.desk));
    /* a notary that is gone is not answered */
    assert_null(rig_get_authorization(&r, &a, authorization));
    held = r.next_id;
    acme_desk_notary_gone(r.desk, 1);
    rig_validated(&r, NULL);
    assert_null(rig_answer(&r, held));
    rig_close(&r);
}

/* The turn in which a held answer went out is lost: it goes out with the next. */
static void test_held_and_lost(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    assert_null(rig_get_authorization(&r, &a, authorization));
    uint64_t held = r.next_id;
    r.fail_next = true;
    rig_validated(&r, NULL);
    assert_null(rig_answer(&r, held));
    assert_string_equal(rig_text(&r, "SELECT status FROM challenge"), "processing");
    rig_validated(&r, NULL);
    assert_string_equal(rig_answer(&r, held)->authorization->status, "valid");
    rig_close(&r);
}

static const Ipc__AcmeReply *list(struct rig *r, struct rig_account *a, lt_slice cursor)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = IPC__ACME_OP__ACME_GET_ORDERS;
    call.object = &body;
    body.id = a->id;
    body.cursor = (ProtobufCBinaryData){cursor.len, (uint8_t *)(uintptr_t)cursor.ptr};
    return rig_call(r, a, &call);
}

static void test_list(void **state)
{
    enum { ORDERS = 250 };
    struct rig r;
    struct rig_account a;
    int64_t seen = INT64_MAX;
    size_t total = 0;
    uint8_t cursor[8];
    lt_slice next = {0};
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    assert_int_equal(list(&r, &a, next)->orders->n_orders, 0);
    for (int i = 0; i < ORDERS; i++) {
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
        if (i % 10 == 0) {
            assert_int_equal(deactivate(&r, &a, reply->order->authorizations[0])->status, 200);
        }
        rig_advance(&r, 1);
        rig_clean(&r);
    }
    do {
        const Ipc__AcmeReply *reply = list(&r, &a, next);
        assert_int_equal(reply->status, 200);
        for (size_t i = 0; i < reply->orders->n_orders; i++) {
            assert_true(reply->orders->orders[i] < seen); /* newest first, none twice */
            seen = reply->orders->orders[i];
        }
        total += reply->orders->n_orders;
        next = (lt_slice){0};
        if (reply->orders->next_cursor.len > 0) {
            assert_int_equal(reply->orders->next_cursor.len, 8);
            memcpy(cursor, reply->orders->next_cursor.data, 8);
            next = LT_SLICE(cursor, 8);
        }
        rig_clean(&r);
    } while (next.len > 0);
    assert_int_equal(total, ORDERS - ORDERS / 10);
    is_problem(list(&r, &a, LT_LIT("x")), "malformed", 400);
    is_problem(list(&r, &a, LT_LIT("\xff\xff\xff\xff\xff\xff\xff\xff")), "malformed", 400);
    rig_close(&r);
}

static void test_halts(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    Ipc__Halt halt = IPC__HALT__INIT;
    Ipc__Halt *halts[] = {&halt};
    static char value[] = "example.com";
    static char reason[] = "being looked at";
    static char id[] = "h1";
    halt.id = id;
    halt.kind = IPC__HALT_KIND__HALT_NAME_SUFFIX;
    halt.value = value;
    halt.reason = reason;
    Ipc__Halt **before = r.book->halts;
    r.book->halts = halts;
    r.book->halt_count = 1;
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    is_problem(reply, "serverInternal", 503);
    assert_int_equal(reply->retry_after_s, 3600);
    static const char *const org[] = {"www.example.org", NULL};
    assert_int_equal(rig_new_order(&r, &a, org)->status, 201);
    r.book->halts = before;
    r.book->halt_count = 0;
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_order),
        cmocka_unit_test(test_profiles_and_dates),
        cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_offered),
        cmocka_unit_test(test_challenge_polls),
        cmocka_unit_test(test_proof),
        cmocka_unit_test(test_reuse_by_the_rule_of_the_day),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_strange_statements),
        cmocka_unit_test(test_deactivation),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_token_age),
        cmocka_unit_test(test_held_poll),
        cmocka_unit_test(test_held_and_lost),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_halts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
