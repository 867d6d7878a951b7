/* Names that only fail: counted, paused, shown on a page, resumed. */
#include "check.h"
#include "pages.pb-c.h"
#include "rig.h"

static const char three[] = "validation:\n  allow-private: true\n"
                            "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                            "  failures-per-name: none\n"
                            "pausing:\n  failures: 3\n  quiet: 10d\n";
static const char never[] = "validation:\n  allow-private: true\n"
                            "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                            "  failures-per-name: none\n"
                            "pausing:\n  failures: 0\n";

static const char *const gone[] = {"gone.example.com", NULL};
static const char *const both[] = {"gone.example.com", "www.example.com", NULL};
static const char *const stars[] = {"*.gone.example.com", NULL};
static const char *const www[] = {"www.example.com", NULL};

/* An order for one name whose validation ends so; NULL: it is proven. */
static void try(struct rig *r, const struct rig_account *a, const char *const *names, const char *problem)
{
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    assert_int_equal(reply->status, 201);
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(r, a, authorization)->status, 200);
    rig_validated(r, problem);
    rig_clean(r);
}

static const Ipc__Problem *refused(struct rig *r, const struct rig_account *a, const char *const *names)
{
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    assert_non_null(reply->problem);
    assert_string_equal(reply->problem->type, "rateLimited");
    assert_int_equal(reply->status, 429);
    return reply->problem;
}

static lt_res step_page(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_page(r->desk, t, m);
}

static const Ipc__PageReply *page(struct rig *r, const char *token, const char *wanted)
{
    static char name[] = "resume";
    static char field[] = "do";
    static char from[] = "192.0.2.1";
    Ipc__PageCall call = IPC__PAGE_CALL__INIT;
    Ipc__PageField f = IPC__PAGE_FIELD__INIT;
    Ipc__PageField *fields[] = {&f};
    call.page = name;
    call.token = (char *)(uintptr_t)token;
    call.remote_address = from;
    call.post = wanted != NULL;
    if (wanted != NULL) {
        f.name = field;
        f.value = (char *)(uintptr_t)wanted;
        call.fields = fields;
        call.n_fields = 1;
    }
    const struct ipc_msg m = {
        .from = {.role = IPC_NOTARY, .id = 7}, .type = IPC_PAGE_CALL, .body = &call.base};
    bool fails = r->fail_next;
    assert_int_equal(lt_failed(rig_run(r, step_page, &m)), fails);
    return rig_find(r, IPC_PAGE_REPLY, rig_count(r, IPC_PAGE_REPLY) - 1);
}

static const char *token(struct rig *r)
{
    return rig_text(r, "SELECT token FROM account_pause");
}

static void test_paused(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    (void)state;
    rig_open(&r, three);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);
    try(&r, &a, gone, "dns");
    try(&r, &a, gone, "connection");
    assert_int_equal(rig_new_order(&r, &a, gone)->status, 201); /* two are not three */
    try(&r, &a, gone, "unauthorized");
    const Ipc__Problem *p = refused(&r, &a, both);
    assert_int_equal(p->n_subproblems, 1);
    assert_string_equal(p->subproblems[0]->identifier->value, "gone.example.com");
    assert_non_null(strstr(p->detail, "/acme/resume/"));
    assert_non_null(strstr(p->detail, token(&r)));
    (void)refused(&r, &a, stars);                               /* by whichever method: the same name */
    assert_int_equal(rig_new_order(&r, &a, www)->status, 201);  /* others are not touched */
    assert_int_equal(rig_new_order(&r, &b, both)->status, 201); /* nor other accounts */
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'name.paused'"), 1);
    rig_restart(&r);
    (void)refused(&r, &a, gone);
    rig_close(&r);
}

static void test_not_paused(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, three);
    rig_new_account(&r, &a, 1);
    for (unsigned i = 0; i < 3; i++) { /* a success between them */
        try(&r, &a, gone, "dns");
        try(&r, &a, gone, "dns");
        try(&r, &a, gone, NULL);
        rig_advance(&r, 8 * 3600);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM name_pause"), 0);
    for (unsigned i = 0; i < 4; i++) { /* a quiet time between them */
        try(&r, &a, gone, "dns");
        rig_advance(&r, 11 * 86400);
    }
    assert_int_equal(rig_number(&r, "SELECT failures FROM name_pause"), 1);
    for (unsigned i = 0; i < 4; i++) { /* our own fault */
        int64_t id = rig_new_order(&r, &a, www)->order->authorizations[0];
        assert_int_equal(rig_reply_challenge(&r, &a, id)->status, 200);
        for (unsigned k = 0; k < 20 && rig_number(&r, "SELECT count(*) FROM challenge WHERE status = "
                                                      "'processing'") > 0;
             k++) {
            rig_validated(&r, "serverInternal");
        }
        assert_string_equal(rig_get_authorization(&r, &a, id)->authorization->status, "invalid");
        rig_clean(&r);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account_pause"), 0);
    rig_close(&r);
    rig_open(&r, never);
    rig_new_account(&r, &a, 1);
    for (unsigned i = 0; i < 30; i++) {
        try(&r, &a, gone, "dns");
    }
    assert_int_equal(rig_new_order(&r, &a, gone)->status, 201);
    rig_close(&r);
}

static void pause(struct rig *r, const struct rig_account *a, const char *const *names)
{
    for (unsigned i = 0; i < 3; i++) {
        try(r, a, names, "dns");
    }
}

static void test_page(void **state)
{
    struct rig r;
    struct rig_account a;
    char right[64];
    (void)state;
    rig_open(&r, three);
    rig_new_account(&r, &a, 1);
    pause(&r, &a, gone);
    pause(&r, &a, www);
    (void)snprintf(right, sizeof right, "%s", token(&r));
    /* Looking changes nothing, however often. */
    for (unsigned i = 0; i < 3; i++) {
        const Ipc__PageReply *p = page(&r, right, NULL);
        assert_int_equal(p->status, 200);
        assert_int_equal(p->n_items, 2);
        assert_string_equal(p->items[0], "gone.example.com");
        assert_int_equal(p->n_buttons, 1);
        assert_string_equal(p->buttons[0]->value, "resume");
        assert_non_null(strstr(p->rows[0]->value, "/acme/account/"));
        rig_clean(&r);
    }
    (void)refused(&r, &a, gone);
    assert_int_equal(page(&r, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL)->status, 404);
    assert_int_equal(page(&r, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "resume")->status, 404);
    assert_int_equal(page(&r, "", "resume")->status, 404);
    assert_int_equal(page(&r, right, "")->status, 404);
    assert_int_equal(page(&r, right, "delete")->status, 404);
    (void)refused(&r, &a, gone);
    const Ipc__PageReply *p = page(&r, right, "resume");
    assert_int_equal(p->status, 200);
    assert_string_equal(p->title, "Resumed");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM name_pause"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'account.resumed' AND body LIKE "
                                    "'%192.0.2.1%gone.example.com%www.example.com%'"),
                     1);
    assert_int_equal(rig_new_order(&r, &a, both)->status, 201);
    assert_int_equal(page(&r, right, NULL)->status, 404); /* the link was good once */
    assert_int_equal(page(&r, right, "resume")->status, 404);
    rig_close(&r);
}

static void test_page_failed(void **state)
{
    struct rig r;
    struct rig_account a;
    char right[64];
    (void)state;
    rig_open(&r, three);
    rig_new_account(&r, &a, 1);
    pause(&r, &a, gone);
    (void)snprintf(right, sizeof right, "%s", token(&r));
    r.fail_next = true;
    assert_int_equal(page(&r, right, "resume")->status, 503);
    (void)refused(&r, &a, gone);
    assert_int_equal(page(&r, right, "resume")->status, 200);
    rig_close(&r);
}

static struct acme_resume_request wanted;

static lt_res step_resume(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    const char *json = NULL;
    (void)r;
    (void)m;
    LT_TRY(acme_pause_resume(t, &wanted, &json));
    assert_non_null(strstr(json, "\"resumed\":1"));
    return LT_OK;
}

static void test_operator(void **state)
{
    struct rig r;
    struct rig_account a;
    const struct ipc_msg m = {.from = {.role = IPC_NOTARY}, .type = IPC_OPERATOR_CALL};
    (void)state;
    rig_open(&r, three);
    rig_new_account(&r, &a, 1);
    pause(&r, &a, gone);
    pause(&r, &a, www);
    wanted = (struct acme_resume_request){.account = a.id, .name = "else.example.com", .by = "operator ann"};
    assert_fails(rig_run(&r, step_resume, &m), LT_PEER_NOT_FOUND);
    wanted.name = "gone.example.com";
    wanted.account++;
    assert_fails(rig_run(&r, step_resume, &m), LT_PEER_NOT_FOUND);
    wanted.account--;
    assert_ok(rig_run(&r, step_resume, &m));
    assert_int_equal(rig_new_order(&r, &a, gone)->status, 201);
    (void)refused(&r, &a, www); /* and the link goes on being good */
    assert_int_equal(page(&r, token(&r), NULL)->status, 200);
    wanted.name = "";
    assert_ok(rig_run(&r, step_resume, &m));
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM account_pause"), 0);
    assert_fails(rig_run(&r, step_resume, &m), LT_PEER_NOT_FOUND);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paused),      cmocka_unit_test(test_not_paused), cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_failed), cmocka_unit_test(test_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
