/* Letters at the desk: whom they go to, when they go again, what their readers say; the registrar is killed
 * between any two steps, and validator, courier and strangers lie. */
#include <stdlib.h>

#include "acme/enroll.h"
#include "acme/mail.h"
#include "check.h"
#include "mail.pb-c.h"
#include "pages.pb-c.h"
#include "rig.h"
#include "validate/methods.h"

enum { DAY_S = 86400, PATIENCE_S = 181, SUNSET_S = 1836691200 /* 2028-03-15 */ };

static const char with_mail[] = "name: Lintel CA\nhost-names: [ca.example.com]\n"
                                "acme:\n  order-lifetime: 40d\n"
                                "validation:\n  allow-private: true\n"
                                "mail:\n  relay: smtp://127.0.0.1:25\n  from: ca@example.net\n"
                                "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                                "  failures-per-name: none\n";
static const char without_mail[] = "validation:\n  allow-private: true\n";

struct bench {
    struct rig r;
    struct rig_account leaf;
    const Ipc__EnrollWanted *wanted;
    const char *json;
};

static char *text(const char *s)
{
    return (char *)(uintptr_t)s; /* only read */
}

static void set_up(struct bench *b, const char *yaml)
{
    memset(b, 0, sizeof *b);
    rig_open(&b->r, yaml);
    rig_key(&b->leaf, 0);
}

static lt_res step_request(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    static const struct acme_enroll_by by = {.name = "admin"};
    struct bench *b = (struct bench *)r; /* its first member */
    Ipc__Problem *p = NULL;
    (void)m;
    LT_TRY(acme_enroll_request(r->desk, t, &by, b->wanted, &b->json, &p));
    LT_CHECK(p == NULL, LT_PEER_CONFLICT, "%s", p->detail);
    return LT_OK;
}

static lt_res request(struct bench *b, const char *name, const char *method, const char *contact)
{
    static char dns[] = "dns";
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *ids[] = {&id};
    Ipc__EnrollMethod by = IPC__ENROLL_METHOD__INIT;
    Ipc__EnrollMethod *methods[] = {&by};
    Ipc__AcmeFinalize f = IPC__ACME_FINALIZE__INIT;
    Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    id.type = dns;
    id.value = text(name);
    by.method = text(method);
    f.names = ids;
    f.n_names = 1;
    f.key = &b->leaf.key;
    w.request = &f;
    w.subscriber = text("Example Ltd");
    w.contact = text(contact);
    w.methods = methods;
    w.n_methods = 1;
    b->wanted = &w;
    return rig_run(&b->r, step_request, NULL);
}

static int64_t letters(struct bench *b, const char *status)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM mail WHERE status = '%s'", status);
    return rig_number(&b->r, sql);
}

/* The letter that was handed to the courier last. */
static const Ipc__MailSend *sent(struct bench *b)
{
    size_t count = rig_count(&b->r, IPC_MAIL_SEND);
    return count == 0 ? NULL : rig_find(&b->r, IPC_MAIL_SEND, count - 1);
}

static void tick(struct bench *b, int64_t seconds)
{
    rig_clean(&b->r);
    rig_advance(&b->r, seconds);
    rig_tick(&b->r);
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
    said.why = text(accepted ? "" : "450 later");
    const struct ipc_msg m = {.from = {.role = IPC_COURIER}, .type = IPC_MAIL_SENT, .body = &said.base};
    assert_ok(rig_run(&b->r, step_mailed, &m));
}

static lt_res step_page(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_page(r->desk, t, m);
}

/* what: NULL looks. The answer's status; 0: the turn was lost. */
static uint32_t page(struct bench *b, const char *token, const char *what)
{
    Ipc__PageCall call = IPC__PAGE_CALL__INIT;
    Ipc__PageField field = IPC__PAGE_FIELD__INIT;
    Ipc__PageField *fields[] = {&field};
    call.page = text("validate");
    call.token = text(token);
    call.remote_address = text("192.0.2.1");
    call.user_agent = text("");
    call.post = what != NULL;
    field.name = text("do");
    field.value = text(what == NULL ? "" : what);
    call.fields = fields;
    call.n_fields = what == NULL ? 0 : 1;
    const struct ipc_msg m = {
        .from = {.role = IPC_NOTARY, .id = 7}, .type = IPC_PAGE_CALL, .body = &call.base};
    size_t before = rig_count(&b->r, IPC_PAGE_REPLY);
    if (lt_failed(rig_run(&b->r, step_page, &m)) || rig_count(&b->r, IPC_PAGE_REPLY) == before) {
        return 0;
    }
    const Ipc__PageReply *reply = rig_find(&b->r, IPC_PAGE_REPLY, before);
    return reply->status;
}

/* Of a letter that is in the rig's arena; copied. */
static char *token_of(const Ipc__MailSend *m)
{
    const char *at = strstr(m->url, "/validate/");
    assert_non_null(at);
    return strdup(at + strlen("/validate/"));
}

/* The letter to that address among those that were just handed over. */
static char *token_to(struct bench *b, const char *to)
{
    for (size_t i = 0; i < rig_count(&b->r, IPC_MAIL_SEND); i++) {
        const Ipc__MailSend *m = rig_find(&b->r, IPC_MAIL_SEND, i);
        if (strcmp(m->to, to) == 0) {
            return token_of(m);
        }
    }
    fail_msg("no letter to %s", to);
    return NULL;
}

static const Ipc__Validate *question(struct bench *b)
{
    size_t count = rig_count(&b->r, IPC_VALIDATE);
    return count == 0 ? NULL : rig_find(&b->r, IPC_VALIDATE, count - 1);
}

static lt_res step_validated(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_validated(r->desk, t, m);
}

struct say {
    const char *contacts[8];
    const char *problem; /* NULL: ok */
    const char *name;    /* NULL: the question's */
    const char *method;
    const char *dnssec;
    bool other_nonce;
};

static void validator_says(struct bench *b, const Ipc__Validate *q, const struct say *s)
{
    static uint8_t other[16] = {1};
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    Ipc__Identifier name = *q->identifier;
    char *contacts[LT_COUNT(s->contacts)];
    name.value = s->name == NULL ? name.value : text(s->name);
    v.authorization_id = q->authorization_id;
    v.challenge_index = q->challenge_index;
    v.nonce = s->other_nonce ? (ProtobufCBinaryData){sizeof other, other} : q->nonce;
    v.identifier = &name;
    v.method = s->method == NULL ? q->method : text(s->method);
    v.ok = s->problem == NULL;
    v.dnssec = text(s->dnssec == NULL ? "secure" : s->dnssec);
    v.perspective = text("primary");
    v.build = text("test");
    v.resolver = text("test");
    v.ruleset = text(validate_method_find(q->method, "dns")->ruleset);
    v.wildcard = q->wildcard;
    v.subdomains = q->subdomains;
    for (; v.n_contacts < LT_COUNT(s->contacts) && s->contacts[v.n_contacts] != NULL; v.n_contacts++) {
        contacts[v.n_contacts] = text(s->contacts[v.n_contacts]);
    }
    v.contacts = contacts;
    p.type = text(s->problem);
    p.detail = text("because");
    v.problem = s->problem == NULL ? NULL : &p;
    const struct ipc_msg m = {.from = {.role = IPC_VALIDATOR}, .type = IPC_VALIDATED, .body = &v.base};
    assert_ok(rig_run(&b->r, step_validated, &m));
}

/* --- letters -------------------------------------------------------------------------------------------- */

static void test_a_letter_and_its_approval(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "*.example.com", "email-constructed", "hostmaster@example.com"));
    assert_int_equal(rig_count(&b.r, IPC_MAIL_SEND), 0); /* the turn has not ended yet */
    tick(&b, 1);
    const Ipc__MailSend *m = sent(&b);
    assert_int_equal(rig_count(&b.r, IPC_MAIL_SEND), 1);
    assert_string_equal(m->to, "hostmaster@example.com");
    assert_string_equal(m->from, "ca@example.net");
    assert_string_equal(m->relay, "smtp://127.0.0.1:25");
    assert_string_equal(m->name, "*.example.com");
    assert_string_equal(m->subscriber, "Example Ltd");
    assert_string_equal(m->ca, "Lintel CA");
    assert_string_equal(m->rule, "BR 2.2.6 3.2.2.4.4");
    assert_int_equal(m->expires_us - m->created_us, INT64_C(30) * DAY_S * LT_US_PER_SECOND);
    char *t = token_of(m);
    assert_true(strlen(t) >= 22);
    /* A copy of the book does not tell it. */
    assert_int_equal(rig_number(&b.r, "SELECT length(token) > 32 AND length(token_sha256) = 32 FROM mail"),
                     1);
    relay_says(&b, m->mail_id, m->attempt, true, false);
    assert_int_equal(letters(&b, "sent"), 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(page(&b, t, NULL), 200);
    }
    assert_null(question(&b)); /* looking approves nothing */
    assert_int_equal(page(&b, t, "approve"), 200);
    const Ipc__Validate *q = question(&b);
    assert_non_null(q);
    assert_string_equal(q->method, "email-constructed");
    assert_string_equal(q->expected, "hostmaster@example.com");
    assert_string_equal(q->topmost, "example.com");
    assert_string_equal(q->token, "");
    validator_says(&b, q, &(struct say){.contacts = {"hostmaster@example.com"}});
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "valid");
    assert_string_equal(
        rig_text(&b.r, "SELECT kind FROM event WHERE kind LIKE 'mail.%' ORDER BY sequence DESC"),
        "mail.approved");
    assert_int_equal(page(&b, t, "approve"), 404);
    free(t);
    rig_close(&b.r);
}

static void test_killed_and_sent_again(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    rig_restart(&b.r);
    tick(&b, 1);
    char *url = strdup(sent(&b)->url);
    int64_t created = sent(&b)->created_us;
    assert_int_equal(sent(&b)->attempt, 1);
    tick(&b, 5);
    assert_null(sent(&b)); /* the courier has it */
    rig_restart(&b.r);
    tick(&b, PATIENCE_S); /* or had it, and was killed */
    assert_int_equal(sent(&b)->attempt, 2);
    assert_string_equal(sent(&b)->url, url);
    assert_int_equal(sent(&b)->created_us, created);
    relay_says(&b, sent(&b)->mail_id, 1, true, false); /* of the attempt before */
    assert_int_equal(letters(&b, "queued"), 1);
    relay_says(&b, sent(&b)->mail_id + 1, 2, true, false); /* of no letter */
    relay_says(&b, sent(&b)->mail_id, 2, true, false);
    assert_int_equal(letters(&b, "sent"), 1);
    relay_says(&b, sent(&b)->mail_id, 2, false, true); /* it cannot take that back */
    assert_int_equal(page(&b, strstr(url, "/validate/") + 10, NULL), 200);
    tick(&b, DAY_S);
    assert_null(sent(&b));
    free(url);
    rig_close(&b.r);
}

static lt_res step_courier(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_courier_linked(r->desk, t);
}

/* Only what it had in its hands goes again at once. */
static void test_a_new_courier(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    assert_ok(request(&b, "www.example.org", "email-constructed", "admin@example.org"));
    assert_ok(request(&b, "www.example.net", "email-constructed", "admin@example.net"));
    tick(&b, 1);
    assert_int_equal(rig_count(&b.r, IPC_MAIL_SEND), 3);
    const Ipc__MailSend *done = rig_find(&b.r, IPC_MAIL_SEND, 0);
    const Ipc__MailSend *later = rig_find(&b.r, IPC_MAIL_SEND, 1);
    char *lost = strdup(((const Ipc__MailSend *)rig_find(&b.r, IPC_MAIL_SEND, 2))->url);
    relay_says(&b, done->mail_id, 1, true, false);
    relay_says(&b, later->mail_id, 1, false, false);
    assert_ok(rig_run(&b.r, step_courier, NULL));
    tick(&b, 1);
    assert_int_equal(rig_count(&b.r, IPC_MAIL_SEND), 1);
    assert_string_equal(sent(&b)->url, lost);
    assert_int_equal(sent(&b)->attempt, 2);
    free(lost);
    rig_close(&b.r);
}

static void test_retries_have_an_end(void **state)
{
    struct bench b;
    unsigned attempts = 0;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    for (unsigned i = 0; i < 20000 && letters(&b, "queued") == 1; i++) {
        tick(&b, 60);
        if (sent(&b) != NULL) {
            attempts++;
            relay_says(&b, sent(&b)->mail_id, sent(&b)->attempt, false, false);
        }
    }
    assert_int_equal(attempts, 8);
    assert_int_equal(letters(&b, "refused"), 1);
    assert_non_null(strstr(rig_text(&b.r, "SELECT error FROM challenge"), "did not arrive: 450 later"));
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail WHERE token IS NOT NULL"), 0);
    rig_close(&b.r);
}

static void test_refused_by_the_relay(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", ""));
    tick(&b, 1);
    assert_int_equal(rig_count(&b.r, IPC_MAIL_SEND), 5);
    for (size_t i = 0; i < 5; i++) {
        const Ipc__MailSend *m = rig_find(&b.r, IPC_MAIL_SEND, i);
        assert_true(rig_number(&b.r, "SELECT error IS NULL FROM challenge") == 1);
        relay_says(&b, m->mail_id, m->attempt, false, true);
    }
    assert_int_equal(letters(&b, "refused"), 5);
    assert_int_equal(rig_number(&b.r, "SELECT error IS NULL FROM challenge"), 0); /* nobody has got one */
    rig_close(&b.r);
}

static void test_expired(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    tick(&b, 1);
    relay_says(&b, sent(&b)->mail_id, 1, true, false);
    char *t = token_of(sent(&b));
    rig_advance(&b.r, INT64_C(30) * DAY_S - 10);
    assert_int_equal(page(&b, t, NULL), 200);
    rig_advance(&b.r, 20);
    assert_int_equal(page(&b, t, NULL), 404); /* before the sweep as well as after it */
    assert_int_equal(page(&b, t, "approve"), 404);
    tick(&b, 2);
    assert_int_equal(letters(&b, "expired"), 1);
    assert_int_equal(page(&b, t, "approve"), 404);
    free(t);
    rig_close(&b.r);
}

static void test_declined(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", ""));
    tick(&b, 1);
    char *t = token_to(&b, "admin@example.com");
    char *u = token_to(&b, "webmaster@example.com");
    assert_int_equal(page(&b, t, "decline"), 200);
    assert_string_equal(rig_text(&b.r, "SELECT status FROM ca_order"), "invalid");
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "invalid");
    assert_int_equal(letters(&b, "withdrawn"), 4);
    assert_int_equal(page(&b, u, "approve"), 404);
    assert_null(question(&b));
    tick(&b, PATIENCE_S);
    assert_null(sent(&b));
    free(t);
    free(u);
    rig_close(&b.r);
}

static void test_a_lost_turn(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    tick(&b, 1);
    char *t = token_of(sent(&b));
    b.r.fail_next = true;
    (void)page(&b, t, "approve"); /* not written down */
    assert_null(question(&b));
    assert_int_equal(letters(&b, "approved"), 0);
    assert_int_equal(page(&b, t, "approve"), 200);
    rig_clean(&b.r);
    rig_advance(&b.r, 1);
    rig_restart(&b.r); /* the question went nowhere */
    assert_non_null(question(&b));
    assert_string_equal(question(&b)->expected, "admin@example.com");
    validator_says(&b, question(&b), &(struct say){.contacts = {"admin@example.com"}});
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "valid");
    free(t);
    rig_close(&b.r);
}

/* --- contacts ------------------------------------------------------------------------------------------- */

static void test_contacts(void **state)
{
    static const struct {
        const char *contact; /* of the subscriber */
        const char *found[8];
        const char *written; /* in their order */
    } rows[] = {
        {"", {"a@example.com"}, "a@example.com"},
        {"", {"a@example.com", "b@example.net"}, "a@example.com,b@example.net"},
        {"b@example.net", {"a@example.com", "b@EXAMPLE.net"}, "b@EXAMPLE.net"},
        {"c@example.com", {"a@example.com", "b@example.net"}, "a@example.com,b@example.net"},
        {"",
         {"1@a.example", "2@a.example", "3@a.example", "4@a.example", "5@a.example", "6@a.example"},
         "1@a.example,2@a.example,3@a.example,4@a.example,5@a.example"},
        /* The validator should not have said these. */
        {"", {"a@example.com\r\nBcc: x@example.com", "<b@example.com>", "c@example.com"}, "c@example.com"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct bench b;
        struct say s = {.problem = NULL};
        set_up(&b, with_mail);
        assert_ok(request(&b, "www.example.com", "email-caa-contact", rows[i].contact));
        const Ipc__Validate *q = question(&b);
        assert_non_null(q);
        assert_string_equal(q->expected, "");
        assert_string_equal(q->topmost, "example.com");
        memcpy(s.contacts, rows[i].found, sizeof s.contacts);
        validator_says(&b, q, &s);
        assert_string_equal(rig_text(&b.r, "SELECT group_concat(recipient, ',') FROM mail"), rows[i].written);
        assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail_lookup"), 0);
        validator_says(&b, q, &s); /* said twice */
        assert_string_equal(rig_text(&b.r, "SELECT group_concat(recipient, ',') FROM mail"), rows[i].written);
        rig_close(&b.r);
    }
}

static void test_statements_that_count_for_nothing(void **state)
{
    static const struct say lies[] = {
        {.contacts = {"evil@example.com"}, .other_nonce = true},
        {.contacts = {"evil@example.com"}, .name = "www.example.org"},
        {.contacts = {"evil@example.com"}, .method = "email-txt-contact"},
        {.contacts = {"evil@example.com"}, .dnssec = "bogus"},
        {.problem = "noSuchType"},
    };
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-caa-contact", ""));
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        validator_says(&b, question(&b), &lies[i]);
        assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail"), 0);
        assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM event WHERE kind = 'validation.discarded'"),
                         i + 1);
        assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail_lookup"), 1);
    }
    /* Without an approval no statement proves anything. */
    validator_says(&b, question(&b), &(struct say){.contacts = {"a@example.com"}});
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail"), 1);
    validator_says(&b, question(&b), &(struct say){.contacts = {"a@example.com"}});
    assert_string_equal(rig_text(&b.r, "SELECT status FROM authorization"), "pending");
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM evidence"), 0);
    rig_close(&b.r);
}

static void test_nobody_and_nothing(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-txt-contact", ""));
    const Ipc__Validate *first = question(&b);
    validator_says(&b, first, &(struct say){.problem = "serverInternal"}); /* its own fault */
    assert_int_equal(rig_number(&b.r, "SELECT error IS NULL FROM challenge"), 1);
    uint8_t nonce[16];
    memcpy(nonce, first->nonce.data, sizeof nonce);
    rig_restart(&b.r);
    tick(&b, 41);
    assert_non_null(question(&b));
    assert_memory_not_equal(question(&b)->nonce.data, nonce, sizeof nonce);
    validator_says(&b, question(&b), &(struct say){.problem = "dns"});
    assert_non_null(strstr(rig_text(&b.r, "SELECT error FROM challenge"), "because"));
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail_lookup"), 0);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail"), 0);
    tick(&b, 100);
    assert_null(question(&b));
    rig_close(&b.r);
}

/* --- not at all ----------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, without_mail);
    assert_fails(request(&b, "www.example.com", "email-constructed", ""), LT_PEER_UNSUPPORTED);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail"), 0);
    rig_close(&b.r);
    /*= CABF-BR 3.2.2.4.4 "The CA MUST NOT rely on this method." */
    set_up(&b, with_mail);
    rig_advance(&b.r, SUNSET_S - lt_time_seconds(b.r.now) + 1);
    assert_true(lt_failed(request(&b, "www.example.com", "email-constructed", "")));
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM mail"), 0);
    rig_close(&b.r);
}

static void test_tokens_of_strangers(void **state)
{
    static const char *const tokens[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "' OR 1=1 --"};
    struct bench b;
    (void)state;
    set_up(&b, with_mail);
    assert_ok(request(&b, "www.example.com", "email-constructed", "admin@example.com"));
    tick(&b, 1);
    for (size_t i = 0; i < LT_COUNT(tokens); i++) {
        assert_int_equal(page(&b, tokens[i], NULL), 404);
        assert_int_equal(page(&b, tokens[i], "approve"), 404);
    }
    char *t = token_of(sent(&b));
    assert_int_equal(page(&b, t, ""), 404);
    assert_int_equal(page(&b, t, "resume"), 404);
    free(t);
    assert_int_equal(letters(&b, "queued"), 1);
    rig_close(&b.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_letter_and_its_approval),
        cmocka_unit_test(test_killed_and_sent_again),
        cmocka_unit_test(test_a_new_courier),
        cmocka_unit_test(test_retries_have_an_end),
        cmocka_unit_test(test_refused_by_the_relay),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_declined),
        cmocka_unit_test(test_a_lost_turn),
        cmocka_unit_test(test_contacts),
        cmocka_unit_test(test_statements_that_count_for_nothing),
        cmocka_unit_test(test_nobody_and_nothing),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tokens_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
