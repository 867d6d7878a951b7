/* Letters to contacts and what becomes of them, links, and what an account may know of itself; the registrar
 * is killed between any two steps, and relay, courier and strangers lie. */
#include "acme/contact.h"
#include "acme/mail.h"
#include "check.h"
#include "pages.pb-c.h"
#include "rig.h"

enum { DAY_S = 86400, PATIENCE_S = 181 };

static const char with_mail[] = "name: Lintel CA\nhost-names: [ca.example.com]\n"
                                "acme:\n  terms-of-service: https://ca.example.com/terms\n"
                                "  terms-version: \"2026-03\"\n  terms-revocation-clause: true\n"
                                "validation:\n  allow-private: true\n"
                                "mail:\n  relay: smtp://127.0.0.1:25\n  from: ca@example.net\n"
                                "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n";
static const char without_mail[] = "validation:\n  allow-private: true\n";

static char *text(const char *s)
{
    return (char *)(uintptr_t)s; /* only read */
}

struct bench {
    struct rig r;
    struct rig_account a;
    const Ipc__ReadyWanted *wanted;
    ca_ready_op *op; /* NULL: letters */
    char json[1024];
};

static void set_up(struct bench *b, const char *yaml)
{
    memset(b, 0, sizeof *b);
    rig_open(&b->r, yaml);
    b->r.book->config = b->r.config;
    rig_new_account(&b->r, &b->a, 1);
}

static void restart(struct bench *b)
{
    rig_restart(&b->r);
    b->r.book->config = b->r.config;
}

static lt_res step_op(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    struct bench *b = (struct bench *)r; /* its first member */
    const struct ca_ready_asker by = {"admin", LT_LIT("{}")};
    const char *json = "";
    (void)m;
    LT_TRY(b->op == NULL ? acme_contact_write(r->desk, t, &by, b->wanted, &json)
                         : b->op(t, &by, b->wanted, &json));
    (void)snprintf(b->json, sizeof b->json, "%s", json);
    return LT_OK;
}

static lt_res write_to(struct bench *b, const char *address)
{
    Ipc__ReadyWanted w = IPC__READY_WANTED__INIT;
    w.account = b->a.id;
    w.address = text(address);
    b->wanted = &w;
    b->op = NULL;
    lt_res r = rig_run(&b->r, step_op, NULL);
    b->wanted = NULL;
    return r;
}

static void tick(struct bench *b, int64_t seconds)
{
    rig_clean(&b->r);
    rig_advance(&b->r, seconds);
    rig_tick(&b->r);
}

static const Ipc__MailSend *sent(struct bench *b)
{
    size_t count = rig_count(&b->r, IPC_MAIL_SEND);
    return count == 0 ? NULL : rig_find(&b->r, IPC_MAIL_SEND, count - 1);
}

static lt_res step_mailed(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_mailed(r->desk, t, m);
}

static void relay_says(struct bench *b, int64_t id, uint32_t attempt, bool accepted, bool final)
{
    Ipc__MailSent said = IPC__MAIL_SENT__INIT;
    said.mail_id = id;
    said.attempt = attempt;
    said.accepted = accepted;
    said.final = final;
    said.why = text(accepted ? "" : final ? "550 no such user" : "450 later");
    const struct ipc_msg m = {.from = {.role = IPC_COURIER}, .type = IPC_MAIL_SENT, .body = &said.base};
    assert_ok(rig_run(&b->r, step_mailed, &m));
}

static lt_res step_page(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_page(r->desk, t, m);
}

/* what: NULL looks. The answer's status. */
static uint32_t page(struct bench *b, const char *name, const char *token, const char *what)
{
    Ipc__PageCall call = IPC__PAGE_CALL__INIT;
    Ipc__PageField field = IPC__PAGE_FIELD__INIT;
    Ipc__PageField *fields[] = {&field};
    call.page = text(name);
    call.token = text(token);
    call.remote_address = text("192.0.2.1");
    call.post = what != NULL;
    field.name = text("do");
    field.value = text(what == NULL ? "" : what);
    call.fields = fields;
    call.n_fields = what == NULL ? 0 : 1;
    const struct ipc_msg m = {
        .from = {.role = IPC_NOTARY, .id = 7}, .type = IPC_PAGE_CALL, .body = &call.base};
    size_t before = rig_count(&b->r, IPC_PAGE_REPLY);
    assert_ok(rig_run(&b->r, step_page, &m));
    const Ipc__PageReply *reply = rig_find(&b->r, IPC_PAGE_REPLY, before);
    assert_non_null(reply);
    return reply->status;
}

static int64_t tier(struct bench *b)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT tier FROM readiness WHERE account = %lld", (long long)b->a.id);
    return rig_number(&b->r, sql);
}

static const char *token_of(const Ipc__MailSend *m, char ret_token[64])
{
    const char *at = strstr(m->url, "/acme/contact/");
    assert_non_null(at);
    (void)snprintf(ret_token, 64, "%.50s", at + strlen("/acme/contact/"));
    return ret_token;
}

/* Killed after each step, it goes on; a letter that was handed to a courier that died goes again. */
static void a_contact_is_verified(void **state)
{
    (void)state;
    struct bench b;
    char token[64];
    set_up(&b, with_mail);
    assert_int_equal(tier(&b), CA_READY_BY_HAND);
    assert_ok(write_to(&b, "it@example.com"));
    assert_non_null(strstr(b.json, "it@example.com"));
    assert_null(sent(&b));
    restart(&b);
    tick(&b, 1);
    const Ipc__MailSend *m = sent(&b);
    assert_non_null(m);
    assert_string_equal(m->kind, "contact");
    assert_string_equal(m->to, "it@example.com");
    assert_int_equal(m->attempt, 1);
    int64_t id = m->mail_id;
    (void)token_of(m, token);
    restart(&b);
    tick(&b, PATIENCE_S);
    m = sent(&b);
    assert_non_null(m);
    assert_int_equal(m->attempt, 2);
    relay_says(&b, id, 1, true, false); /* of the attempt before: nothing */
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact_letter WHERE status = 'sent'"), 0);
    relay_says(&b, id, 2, true, false);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact_letter WHERE status = 'sent'"), 1);
    assert_int_equal(page(&b, "contact", token, NULL), 200);
    assert_int_equal(tier(&b), CA_READY_BY_HAND); /* looking says nothing */
    restart(&b);
    assert_int_equal(page(&b, "contact", token, "nonsense"), 404);
    assert_int_equal(page(&b, "contact", token, "confirm"), 200);
    assert_int_equal(tier(&b), CA_READY_REACHABLE);
    assert_int_equal(page(&b, "contact", token, "wrong"), 404); /* once */
    assert_int_equal(tier(&b), CA_READY_REACHABLE);
    rig_close(&b.r);
}

static void letters_come_back(void **state)
{
    (void)state;
    struct bench b;
    char token[64];
    set_up(&b, with_mail);
    assert_ok(write_to(&b, "gone@example.com"));
    tick(&b, 1);
    int64_t id = sent(&b)->mail_id;
    relay_says(&b, id, 1, false, false);
    tick(&b, 30);
    assert_null(sent(&b));
    tick(&b, 31);
    assert_int_equal(sent(&b)->attempt, 2);
    (void)token_of(sent(&b), token);
    relay_says(&b, id, 2, false, true);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact WHERE bounced_us > 0 AND "
                                      "bounce = '550 no such user'"),
                     1);
    assert_int_equal(page(&b, "contact", token, NULL), 404);
    relay_says(&b, id, 2, true, false); /* it changes its mind: too late */
    relay_says(&b, id + 1, 1, true, false);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact_letter WHERE status = 'bounced'"), 1);

    assert_ok(write_to(&b, "old@example.com"));
    tick(&b, 1);
    relay_says(&b, sent(&b)->mail_id, 1, true, false);
    (void)token_of(sent(&b), token);
    assert_int_equal(page(&b, "contact", token, "wrong"), 200);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact WHERE bounced_us > 0"), 2);

    assert_ok(write_to(&b, "late@example.com"));
    tick(&b, 1);
    (void)token_of(sent(&b), token);
    tick(&b, 31 * DAY_S);
    assert_int_equal(page(&b, "contact", token, "confirm"), 404);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact_letter WHERE token IS NOT NULL"), 0);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact WHERE verified_us > 0"), 0);
    rig_close(&b.r);
}

static void nobody_to_write_to(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b, without_mail);
    assert_fails(write_to(&b, "it@example.com"), LT_PEER_UNSUPPORTED);
    rig_close(&b.r);
    set_up(&b, with_mail);
    assert_fails(write_to(&b, "it@example.com\r\nBcc: x@example.com"), LT_PEER_MALFORMED);
    assert_fails(write_to(&b, "it"), LT_PEER_MALFORMED);
    b.a.id++;
    assert_fails(write_to(&b, ""), LT_PEER_NOT_FOUND);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM contact_letter"), 0);
    rig_close(&b.r);
}

static const Ipc__AcmeReply *ask(struct bench *b, const struct rig_account *by, int64_t about)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject object = IPC__ACME_OBJECT__INIT;
    object.id = about;
    call.op = IPC__ACME_OP__ACME_GET_READINESS;
    call.object = &object;
    return rig_call(&b->r, by, &call);
}

static void an_account_sees_itself(void **state)
{
    (void)state;
    struct bench b;
    struct rig_account other;
    set_up(&b, with_mail);
    rig_new_account(&b.r, &other, 2);
    const Ipc__AcmeReply *reply = ask(&b, &b.a, b.a.id);
    assert_non_null(reply->readiness);
    assert_string_equal(reply->readiness->tier, "by-hand");
    assert_string_equal(reply->readiness->terms, "2026-03");
    assert_true(reply->readiness->clause);
    assert_int_equal(reply->readiness->n_facts, 1);
    reply = ask(&b, &other, b.a.id);
    assert_non_null(reply->problem);
    assert_null(reply->readiness);
    rig_close(&b.r);
}

static void a_link_ends(void **state)
{
    (void)state;
    struct bench b;
    char token[64];
    Ipc__ReadyWanted w = IPC__READY_WANTED__INIT;
    set_up(&b, with_mail);
    w.account = b.a.id;
    w.until_us = lt_time_add_seconds(b.r.now, 3600).us;
    b.wanted = &w;
    b.op = ca_ready_link;
    assert_ok(rig_run(&b.r, step_op, NULL));
    const char *at = strstr(b.json, "/acme/reissue/");
    assert_non_null(at);
    (void)snprintf(token, sizeof token, "%.32s", at + strlen("/acme/reissue/"));
    restart(&b);
    assert_int_equal(page(&b, "reissue", token, NULL), 200);
    assert_int_equal(page(&b, "reissue", token, "reissue"), 200); /* it has a client: nothing to take */
    assert_int_equal(rig_number(&b.r, "SELECT requests FROM reissue_link"), 0);
    assert_int_equal(page(&b, "reissue", token, "check"), 404);
    assert_int_equal(page(&b, "contact", token, NULL), 404);
    token[0] = token[0] == 'A' ? 'B' : 'A';
    assert_int_equal(page(&b, "reissue", token, NULL), 404);
    token[0] = b.json[at - b.json + (ptrdiff_t)strlen("/acme/reissue/")];
    assert_int_equal(page(&b, "reissue", token, NULL), 200);
    rig_advance(&b.r, 3600);
    assert_int_equal(page(&b, "reissue", token, NULL), 404);
    rig_close(&b.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contact_is_verified), cmocka_unit_test(letters_come_back),
        cmocka_unit_test(nobody_to_write_to),    cmocka_unit_test(an_account_sees_itself),
        cmocka_unit_test(a_link_ends),
    };
    return cmocka_run_group_tests_name("desk_ready", tests, NULL, NULL);
}
