/* Enrolment without ACME at the desk: the same orders, challenges that a person meets, random values that are
 * drawn once and end. The registrar may be killed between any two steps. */
#include "acme/enroll.h"
#include "check.h"
#include "rig.h"
#include "sign.pb-c.h"
#include "validate/by_hand.h"

enum { DAY_S = 86400, NAMES_AT_MOST = 8 };

static const char *const www[] = {"www.example.com", NULL};
static const char *const two[] = {"example.com", "www.example.com", NULL};
static const char *const wild[] = {"*.example.com", "example.com", NULL};

/* What the operator's side got. */
struct answer {
    lt_res result;
    char json[1024];
};

struct bench {
    struct rig r;
    struct rig_account leaf;
    const Ipc__EnrollWanted *wanted;
    const Ipc__EnrollStep *step;
    lt_res (*run)(struct acme_desk *desk, struct ca_turn *t, const struct acme_enroll_by *by,
                  const Ipc__EnrollStep *step, const char **ret_json, Ipc__Problem **ret_problem);
    struct answer answer;
    char problem_type[64];
    char problem_detail[512];
};

static const struct acme_enroll_by by = {.name = "admin"};

static lt_res step_any(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    struct bench *b = (struct bench *)r; /* its first member */
    const char *json = NULL;
    Ipc__Problem *p = NULL;
    (void)m;
    b->answer.json[0] = '\0';
    b->problem_type[0] = '\0';
    LT_TRY(b->run == NULL ? acme_enroll_request(r->desk, t, &by, b->wanted, &json, &p)
                          : b->run(r->desk, t, &by, b->step, &json, &p));
    (void)snprintf(b->answer.json, sizeof b->answer.json, "%s", json == NULL ? "" : json);
    if (p != NULL) {
        (void)snprintf(b->problem_type, sizeof b->problem_type, "%s", p->type);
        (void)snprintf(b->problem_detail, sizeof b->problem_detail, "%s", p->detail);
    }
    return LT_OK;
}

/* The id in the answer; 0 when it was refused. */
static int64_t id_in(const char *json)
{
    long long id = 0;
    const char *at = strstr(json, "\"id\":\"");
    return at != NULL && sscanf(at, "\"id\":\"%lld", &id) == 1 ? id : 0;
}

static int64_t request_as(struct bench *b, const char *subscriber, const char *const *names,
                          const Ipc__EnrollWanted *rest)
{
    static char dns[] = "dns";
    Ipc__Identifier rows[NAMES_AT_MOST];
    Ipc__Identifier *list[NAMES_AT_MOST];
    Ipc__AcmeFinalize f = IPC__ACME_FINALIZE__INIT;
    Ipc__EnrollWanted w = *rest;
    for (; names[f.n_names] != NULL; f.n_names++) {
        ipc__identifier__init(&rows[f.n_names]);
        rows[f.n_names].type = dns;
        rows[f.n_names].value = (char *)(uintptr_t)names[f.n_names];
        list[f.n_names] = &rows[f.n_names];
    }
    f.names = list;
    f.key = &b->leaf.key;
    w.request = &f;
    w.subscriber = (char *)(uintptr_t)subscriber;
    b->wanted = &w;
    b->run = NULL;
    b->answer.result = rig_run(&b->r, step_any, NULL);
    b->wanted = NULL;
    return lt_failed(b->answer.result) || b->problem_type[0] != '\0' ? 0 : id_in(b->answer.json);
}

static int64_t request(struct bench *b, const char *subscriber, const char *const *names)
{
    const Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    return request_as(b, subscriber, names, &w);
}

static lt_res do_step(struct bench *b, __typeof__(b->run) run, int64_t id, const char *name,
                      const char *method)
{
    Ipc__EnrollStep s = IPC__ENROLL_STEP__INIT;
    s.id = id;
    s.name = (char *)(uintptr_t)name;
    s.method = (char *)(uintptr_t)method;
    b->step = &s;
    b->run = run;
    b->answer.result = rig_run(&b->r, step_any, NULL);
    b->step = NULL;
    return b->answer.result;
}

static lt_res check(struct bench *b, int64_t id)
{
    return do_step(b, acme_enroll_check, id, "", "");
}

static const char *order_status(struct bench *b, int64_t id)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT status FROM ca_order WHERE id = %lld", (long long)id);
    return rig_text(&b->r, sql);
}

static void set_up_with(struct bench *b, const char *yaml)
{
    memset(b, 0, sizeof *b);
    rig_open(&b->r, yaml);
    rig_key(&b->leaf, 0);
}

static void set_up(struct bench *b)
{
    set_up_with(b, NULL);
}

static void tear_down(struct bench *b)
{
    rig_close(&b->r);
}

/* --- a whole one ---------------------------------------------------------------------------------------- */

static void test_all_of_it(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", www);
    assert_true(id > 0);
    assert_non_null(strstr(b.answer.json, "\"status\":\"pending\""));
    assert_string_equal(rig_text(&b.r, "SELECT name FROM subscriber"), "Example Ltd");
    assert_int_equal(rig_number(&b.r, "SELECT length(spki) FROM account"), 0);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM challenge"), 2);
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 0); /* nobody has said that it is there */

    assert_ok(check(&b, id));
    const Ipc__Validate *q = rig_find(&b.r, IPC_VALIDATE, 0);
    assert_non_null(q);
    assert_string_equal(q->method, "dns-change");
    assert_string_equal(q->token, "_lintel");
    assert_string_equal(q->expected, rig_text(&b.r, "SELECT token FROM challenge WHERE idx = 0"));
    assert_string_equal(q->key_authorization, "");
    assert_true(q->expires_us > b.r.now.us);
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "processing"); /* finalized by itself */
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 1);
    const Ipc__SignRequest *sign = rig_find(&b.r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(sign->n_evidence, 1);
    assert_string_equal(sign->evidence[0]->method, "dns-change");
    rig_signed(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "valid");
    assert_int_equal(rig_count(&b.r, IPC_ACME_REPLY), 0); /* no client waits for anything */
    tear_down(&b);
}

/* Every step is followed by the death of the registrar. */
static void test_killed_between_steps(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", two);
    rig_restart(&b.r);
    assert_ok(check(&b, id));
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 2);
    rig_advance(&b.r, 1);
    rig_restart(&b.r); /* both are asked again */
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 2);
    rig_validated(&b.r, NULL);
    rig_advance(&b.r, 1);
    rig_restart(&b.r);
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 1);
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "processing");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM intent"), 1);
    rig_signed(&b.r, NULL);
    rig_restart(&b.r);
    assert_string_equal(order_status(&b, id), "valid");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM certificate"), 1);
    tear_down(&b);
}

/* A savepoint that is lost takes all of it along. */
static void test_lost_turns(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    b.r.fail_next = true;
    assert_int_equal(request(&b, "Example Ltd", www), 0);
    assert_int_equal(rig_number(&b.r,
                                "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM ca_order) "
                                "+ (SELECT count(*) FROM enrolment) + (SELECT count(*) FROM subscriber)"),
                     0);
    int64_t id = request(&b, "Example Ltd", www);
    b.r.fail_next = true;
    assert_fails(check(&b, id), LT_RETRY_BUSY);
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 0);
    assert_ok(check(&b, id));
    b.r.fail_next = true;
    rig_validated(&b.r, NULL); /* proven and finalized in one turn: both or nothing */
    assert_string_equal(order_status(&b, id), "pending");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM intent"), 0);
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "processing");
    tear_down(&b);
}

/* --- random values -------------------------------------------------------------------------------------- */

static void test_missed_and_checked_again(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", www);
    const char *value = rig_text(&b.r, "SELECT token FROM challenge WHERE idx = 0");
    static const char *const problems[] = {"unauthorized", "incorrectResponse", "dns", "caa", "connection"};
    for (size_t i = 0; i < LT_COUNT(problems); i++) {
        rig_advance(&b.r, 1);
        assert_ok(check(&b, id));
        rig_validated(&b.r, problems[i]);
        assert_string_equal(order_status(&b, id), "pending");
        assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "pending");
        assert_string_equal(rig_text(&b.r, "SELECT status FROM challenge WHERE idx = 0"), "pending");
        assert_string_equal(rig_text(&b.r, "SELECT token FROM challenge WHERE idx = 0"), value);
        assert_non_null(strstr(rig_text(&b.r, "SELECT error FROM challenge WHERE idx = 0"), problems[i]));
    }
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM evidence WHERE ok = 0"), LT_COUNT(problems));
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM event WHERE kind = 'authorization.missed'"),
                     LT_COUNT(problems));
    rig_advance(&b.r, 1);
    assert_ok(do_step(&b, acme_enroll_check, id, "www.example.com", "website-change"));
    const Ipc__Validate *q = rig_find(&b.r, IPC_VALIDATE, LT_COUNT(problems));
    assert_string_equal(q->method, "website-change");
    assert_string_equal(q->token, "lintel.txt");
    assert_string_not_equal(q->expected, value);
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "processing");
    tear_down(&b);
}

/* Drawn anew for every request, name and method. */
static void test_never_the_same_value(void **state)
{
    enum { TIMES = 40 };
    struct bench b;
    (void)state;
    set_up(&b);
    for (int i = 0; i < TIMES; i++) {
        assert_true(request(&b, "Example Ltd", wild) > 0);
        rig_clean(&b.r);
    }
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM challenge"), TIMES * 3);
    assert_int_equal(rig_number(&b.r, "SELECT count(DISTINCT token) FROM challenge"), TIMES * 3);
    assert_true(rig_number(&b.r, "SELECT min(length(token)) FROM challenge") >= 32);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM subscriber"), 1);
    tear_down(&b);
}

/* Whatever lintel.yaml says of orders: 30 days, and not a second more. */
static void test_thirty_days(void **state)
{
    struct bench b;
    (void)state;
    set_up_with(&b, "acme:\n  order-lifetime: 1d\nvalidation:\n  allow-private: true\n");
    int64_t id = request(&b, "Example Ltd", www);
    assert_int_equal(rig_number(&b.r, "SELECT expires_us FROM ca_order"),
                     b.r.now.us + 30LL * DAY_S * 1000000);
    rig_advance(&b.r, 30 * DAY_S - 1);
    rig_tick(&b.r);
    assert_ok(check(&b, id));
    rig_advance(&b.r, 1);
    rig_validated(&b.r, NULL); /* right, and too late: before anybody has swept */
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "pending");
    assert_string_equal(order_status(&b, id), "pending");
    rig_tick(&b.r);
    assert_string_equal(order_status(&b, id), "invalid");
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "expired");
    assert_fails(check(&b, id), LT_PEER_CONFLICT);
    tear_down(&b);
}

/* What was lost for five years elsewhere: the label before the name begins with an underscore, whatever the
 * name is and whichever way it is asked for. */
static void test_every_label_begins_with_an_underscore(void **state)
{
    static const char *const names[] = {"example.com", "www.example.com", "a.b.c.example.com",
                                        "_x.example.com", "xn--bcher-kva.example"};
    const struct validate_method *m = validate_method_find("dns-change", "dns");
    (void)state;
    assert_int_equal(validate_by_hand_token("dns-change")[0], '_');
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        char expected[128];
        struct lt_buf where;
        lt_buf_init(&where, 512);
        validate_by_hand_where(m, lt_slice_cstr(names[i]), &where);
        (void)snprintf(expected, sizeof expected, "%s.%s", validate_by_hand_token("dns-change"), names[i]);
        assert_true(lt_slice_eq_cstr(lt_buf_slice(&where), expected));
        assert_int_equal(lt_buf_slice(&where).ptr[0], '_');
        lt_buf_done(&where);
    }
}

static void test_places(void **state)
{
    static const struct {
        const char *method;
        const char *type;
        const char *name;
        const char *where;
        const char *what;
    } rows[] = {
        {"website-change", "dns", "www.example.com",
         "http://www.example.com/.well-known/pki-validation/lintel.txt", "file"},
        {"website-change", "ip", "9.9.9.9", "http://9.9.9.9/.well-known/pki-validation/lintel.txt", "file"},
        {"website-change", "ip", "2620:fe::fe", "http://[2620:fe::fe]/.well-known/pki-validation/lintel.txt",
         "file"},
        {"email-constructed", "dns", "example.com", "", ""},
        {"dns-01", "dns", "example.com", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct validate_method *m = validate_method_find(rows[i].method, rows[i].type);
        struct lt_buf where;
        assert_non_null(m);
        lt_buf_init(&where, 512);
        validate_by_hand_where(m, lt_slice_cstr(rows[i].name), &where);
        assert_true(lt_slice_eq_cstr(lt_buf_slice(&where), rows[i].where));
        assert_string_equal(validate_by_hand_what(m), rows[i].what);
        lt_buf_done(&where);
    }
    assert_string_equal(validate_by_hand_token("http-01"), "");
}

/* --- subscribers ---------------------------------------------------------------------------------------- */

static int64_t prove(struct bench *b, const char *subscriber, const char *const *names)
{
    int64_t id = request(b, subscriber, names);
    assert_true(id > 0);
    assert_ok(check(b, id));
    rig_validated(&b->r, NULL);
    rig_signed(&b->r, NULL);
    rig_clean(&b->r);
    return id;
}

static void test_proofs_are_the_subscribers(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    (void)prove(&b, "Example Ltd", www);
    rig_advance(&b.r, DAY_S);
    int64_t again = request(&b, "Example Ltd", www);
    assert_string_equal(order_status(&b, again), "processing"); /* at once */
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 1);
    int64_t other = request(&b, "example ltd", www);
    assert_string_equal(order_status(&b, other), "pending");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM subscriber"), 2);
    rig_advance(&b.r, 30 * DAY_S); /* enrolment.proof-lifetime */
    int64_t late = request(&b, "Example Ltd", www);
    assert_string_equal(order_status(&b, late), "pending");
    tear_down(&b);
}

static void test_no_client_signs_for_them(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    assert_true(request(&b, "Example Ltd", www) > 0);
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject object = IPC__ACME_OBJECT__INIT;
    struct rig_account thief;
    rig_key(&thief, 9);
    thief.id = rig_number(&b.r, "SELECT account FROM subscriber");
    call.op = IPC__ACME_OP__ACME_GET_ACCOUNT;
    call.object = &object;
    object.id = thief.id;
    const Ipc__AcmeReply *reply = rig_call(&b.r, &thief, &call);
    assert_non_null(reply->problem);
    assert_string_equal(reply->problem->type, "lintel:stale-key");
    tear_down(&b);
}

/* --- held, cancelled ------------------------------------------------------------------------------------ */

static void test_held(void **state)
{
    struct bench b;
    Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    (void)state;
    set_up(&b);
    w.hold = true;
    int64_t id = request_as(&b, "Example Ltd", www, &w);
    assert_ok(do_step(&b, acme_enroll_issue, id, "", ""));
    assert_string_equal(b.problem_type, "orderNotReady");
    assert_ok(check(&b, id));
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "ready");
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    assert_ok(do_step(&b, acme_enroll_issue, id, "", ""));
    assert_string_equal(b.problem_type, "");
    assert_string_equal(order_status(&b, id), "processing");
    assert_ok(do_step(&b, acme_enroll_issue, id, "", ""));
    assert_string_equal(b.problem_type, "orderNotReady");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM intent"), 1);
    tear_down(&b);
}

static void test_cancelled(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", two);
    assert_ok(check(&b, id));
    assert_ok(do_step(&b, acme_enroll_cancel, id, "", ""));
    assert_string_equal(order_status(&b, id), "invalid");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM authorization WHERE status = 'deactivated'"), 2);
    rig_validated(&b.r, NULL); /* the answer to what was asked before */
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM authorization WHERE status = 'valid'"), 0);
    assert_fails(check(&b, id), LT_PEER_CONFLICT);
    assert_fails(do_step(&b, acme_enroll_cancel, id, "", ""), LT_PEER_CONFLICT);
    assert_ok(do_step(&b, acme_enroll_issue, id, "", ""));
    assert_string_equal(b.problem_type, "orderNotReady");
    tear_down(&b);
}

/* Supervisor holds, halts: what may pass is waited for, as long as the order lasts. */
static void test_hindered(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", www);
    assert_ok(check(&b, id));
    b.r.book->held = true;
    rig_validated(&b.r, NULL);
    assert_string_equal(order_status(&b, id), "ready");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM event WHERE kind = 'enrolment.hindered'"), 1);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM due WHERE what = 'acme.enrolment'"), 1);
    for (int i = 0; i < 3; i++) { /* and still */
        rig_advance(&b.r, 301);
        rig_tick(&b.r);
        assert_string_equal(order_status(&b, id), "ready");
        assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM due WHERE what = 'acme.enrolment'"), 1);
    }
    int64_t more = request(&b, "Example Ltd", www); /* proven: it would be issued at once */
    assert_non_null(strstr(b.answer.json, "\"hindered\":\"This cannot be done just now"));
    b.r.book->held = false;
    rig_restart(&b.r);
    rig_advance(&b.r, 301);
    rig_tick(&b.r);
    assert_string_equal(order_status(&b, id), "processing");
    assert_string_equal(order_status(&b, more), "processing");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM due WHERE what = 'acme.enrolment'"), 0);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM event WHERE kind = 'enrolment.hindered'"), 1);
    tear_down(&b);
}

static void test_hindered_and_cancelled(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", www);
    assert_ok(check(&b, id));
    b.r.book->held = true;
    rig_validated(&b.r, NULL);
    assert_ok(do_step(&b, acme_enroll_cancel, id, "", ""));
    b.r.book->held = false;
    rig_advance(&b.r, 301);
    rig_tick(&b.r);
    assert_string_equal(order_status(&b, id), "invalid");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM intent"), 0);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM due WHERE what = 'acme.enrolment'"), 0);
    tear_down(&b);
}

/* --- refused -------------------------------------------------------------------------------------------- */

static void nothing_is_left(struct bench *b)
{
    assert_int_equal(rig_number(&b->r,
                                "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM ca_order) "
                                "+ (SELECT count(*) FROM enrolment) + (SELECT count(*) FROM subscriber)"),
                     0);
}

static void test_refused_form(void **state)
{
    static char long_name[202];
    struct bench b;
    Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    static const char *const subscribers[] = {"", " x", "x ", "a\nb", "a\tb", "\x7f", long_name};
    static const char *const contacts[] = {"x",     "@",     "a@",      "@b",    "a@b@c",
                                           "a b@c", "a@b\n", "a@b,c@d", "<a@b>", "\xc3\xa9@b"};
    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    set_up(&b);
    for (size_t i = 0; i < LT_COUNT(subscribers); i++) {
        assert_int_equal(request(&b, subscribers[i], www), 0);
        assert_fails(b.answer.result, LT_PEER_MALFORMED);
    }
    for (size_t i = 0; i < LT_COUNT(contacts); i++) {
        w.contact = (char *)(uintptr_t)contacts[i];
        assert_int_equal(request_as(&b, "Example Ltd", www, &w), 0);
        assert_fails(b.answer.result, LT_PEER_MALFORMED);
    }
    nothing_is_left(&b);
    w.contact = (char *)(uintptr_t) "it@example.com";
    assert_true(request_as(&b, "Caf\xc3\xa9 & S\xc3\xb6hne", www, &w) > 0);
    tear_down(&b);
}

static void test_refused_methods(void **state)
{
    static const struct {
        const char *name;
        const char *method;
        bool good;
    } rows[] = {
        {"", "dns-change", true},
        {"example.com", "website-change", true},
        {"", "website-change", false}, /* not for the wildcard */
        {"*.example.com", "website-change", false},
        {"www.example.com", "dns-change", false}, /* no name of it */
        {"", "http-01", false},
        {"", "dns-01", false},
        {"", "caa", false},
        {"", "DNS-change", false},
        {"", "", false},
    };
    struct bench b;
    (void)state;
    set_up(&b);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__EnrollMethod m = IPC__ENROLL_METHOD__INIT;
        Ipc__EnrollMethod *list[] = {&m};
        Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
        m.name = (char *)(uintptr_t)rows[i].name;
        m.method = (char *)(uintptr_t)rows[i].method;
        w.methods = list;
        w.n_methods = 1;
        int64_t id = request_as(&b, "Example Ltd", wild, &w);
        assert_int_equal(id != 0, rows[i].good);
        assert_true(rows[i].good || b.answer.result.code == LT_PEER_MALFORMED);
    }
    tear_down(&b);
}

/* What finalize would refuse in the end is refused at the beginning, in its words. */
static void test_refused_requests(void **state)
{
    static const char *const suffix[] = {"com", NULL};
    struct bench b;
    Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    (void)state;
    set_up(&b);
    assert_int_equal(request(&b, "Example Ltd", suffix), 0);
    assert_string_equal(b.problem_type, "rejectedIdentifier");
    w.profile = (char *)(uintptr_t) "service";
    assert_int_equal(request_as(&b, "Example Ltd", www, &w), 0);
    assert_string_equal(b.problem_type, "invalidProfile");
    w.profile = (char *)(uintptr_t) "tls-server";
    b.leaf.key.type = IPC__KEY_TYPE__KEY_RSA;
    b.leaf.key.bits = 1024;
    assert_int_equal(request_as(&b, "Example Ltd", www, &w), 0);
    assert_string_equal(b.problem_type, "badCSR");
    rig_key(&b.leaf, 0);
    nothing_is_left(&b);
    tear_down(&b);
}

static void test_wrong_steps(void **state)
{
    struct bench b;
    struct rig_account a;
    (void)state;
    set_up(&b);
    int64_t id = request(&b, "Example Ltd", two);
    assert_fails(do_step(&b, acme_enroll_check, id + 1, "", ""), LT_PEER_NOT_FOUND);
    assert_fails(do_step(&b, acme_enroll_issue, 0, "", ""), LT_PEER_NOT_FOUND);
    assert_fails(do_step(&b, acme_enroll_cancel, -1, "", ""), LT_PEER_NOT_FOUND);
    assert_fails(do_step(&b, acme_enroll_check, id, "*.example.com", ""), LT_PEER_NOT_FOUND);
    assert_fails(do_step(&b, acme_enroll_check, id, "", "email-constructed"), LT_PEER_CONFLICT);
    assert_fails(do_step(&b, acme_enroll_check, id, "", "dns-01"), LT_PEER_CONFLICT);
    /* an order of ACME is no enrolment */
    rig_new_account(&b.r, &a, 1);
    int64_t order = rig_new_order(&b.r, &a, www)->location_order;
    assert_fails(do_step(&b, acme_enroll_check, order, "", ""), LT_PEER_NOT_FOUND);
    assert_fails(do_step(&b, acme_enroll_cancel, order, "", ""), LT_PEER_NOT_FOUND);
    /* one look at a time */
    assert_ok(check(&b, id));
    assert_ok(check(&b, id));
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 2);
    assert_ok(do_step(&b, acme_enroll_check, id, "", "website-change"));
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 2);
    tear_down(&b);
}

static void test_limits(void **state)
{
    struct bench b;
    (void)state;
    set_up_with(&b, "validation:\n  allow-private: true\nrate-limits:\n  failures-per-name: 2/1h\n");
    int64_t id = request(&b, "Example Ltd", www);
    for (int i = 0; i < 2; i++) {
        rig_advance(&b.r, 1);
        assert_ok(check(&b, id));
        rig_validated(&b.r, "unauthorized");
    }
    assert_ok(check(&b, id));
    assert_string_equal(b.problem_type, "rateLimited");
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), 2);
    rig_advance(&b.r, 3600);
    assert_ok(check(&b, id));
    assert_string_equal(b.problem_type, "");
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it),
        cmocka_unit_test(test_killed_between_steps),
        cmocka_unit_test(test_lost_turns),
        cmocka_unit_test(test_missed_and_checked_again),
        cmocka_unit_test(test_never_the_same_value),
        cmocka_unit_test(test_thirty_days),
        cmocka_unit_test(test_every_label_begins_with_an_underscore),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_proofs_are_the_subscribers),
        cmocka_unit_test(test_no_client_signs_for_them),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_hindered),
        cmocka_unit_test(test_hindered_and_cancelled),
        cmocka_unit_test(test_refused_form),
        cmocka_unit_test(test_refused_methods),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_wrong_steps),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
