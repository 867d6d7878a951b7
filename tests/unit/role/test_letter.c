/* The letter that a courier writes, and where it takes it. */
#include "check.h"
#include "role/courier_letter.h"

static char *text(const char *s)
{
    return (char *)(uintptr_t)s; /* only read */
}

static Ipc__MailSend message(void)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    m.mail_id = 4711;
    m.attempt = 1;
    m.relay = text("smtp://127.0.0.1:25");
    m.from = text("ca@ca.example");
    m.to = text("hostmaster@example.com");
    m.ca = text("Lintel CA");
    m.name = text("*.example.com");
    m.rule = text("BR 2.2.6 3.2.2.4.4");
    m.subscriber = text("Example Ltd");
    m.url = text("https://ca.example/validate/AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH");
    m.created_us = INT64_C(1795305600000000);
    m.expires_us = INT64_C(1797897600000000);
    m.host = text("ca.example");
    return m;
}

static const char expected[] =
    "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
    "From: Lintel CA <ca@ca.example>\r\n"
    "To: <hostmaster@example.com>\r\n"
    "Subject: Approve a certificate for *.example.com?\r\n"
    "Message-ID: <lintel-4711@ca.example>\r\n"
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "The certificate authority Lintel CA was asked for a certificate for\r\n"
    "\r\n"
    "    *.example.com\r\n"
    "\r\n"
    "and writes to hostmaster@example.com, an address that may answer for this=\r\n"
    " name.\r\n"
    "\r\n"
    "    asked by: Example Ltd\r\n"
    "    rule:     BR 2.2.6 3.2.2.4.4\r\n"
    "\r\n"
    "If you know of this request and it shall go on, open this page and approv=\r\n"
    "e it there:\r\n"
    "\r\n"
    "    https://ca.example/validate/AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH\r\n"
    "\r\n"
    "If you do not, decline it on that page, or do nothing: without an approva=\r\n"
    "l no certificate is\r\n"
    "made. Looking at the page approves nothing. The link can be used until 20=\r\n"
    "26-12-22T00:00:00Z.\r\n"
    "Whoever has it can approve: give it to nobody else.\r\n";

static void test_letter(void **state)
{
    (void)state;
    struct lt_buf first;
    struct lt_buf again;
    Ipc__MailSend m = message();
    lt_buf_init(&first, 65536);
    lt_buf_init(&again, 65536);
    assert_ok(courier_letter_write(&m, &first));
    assert_string_equal(lt_buf_cstr(&first), expected);
    m.attempt = 5; /* the fifth time says the same */
    assert_ok(courier_letter_write(&m, &again));
    assert_string_equal(lt_buf_cstr(&again), expected);
    lt_buf_done(&first);
    lt_buf_done(&again);
}

/* Whatever a subscriber is called, no line of it is a header, and nothing is longer than a line may be. */
static void test_names_of_all_kinds(void **state)
{
    (void)state;
    static const char *const names[] = {
        "x\r\nBcc: all@example.com\r\n\r\nhello",
        "B\xc3\xbc"
        "cher GmbH",
        "=?utf-8?q?x?=",
        ".\r\n.\r\nQUIT",
        "",
        "a very long name that goes on and on and on and on and on and on and on and on and on and on and on "
        "and on and on and on and on and on and on and on and on and on",
    };
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        struct lt_buf out;
        Ipc__MailSend m = message();
        m.subscriber = text(names[i]);
        m.ca = text(names[i]);
        lt_buf_init(&out, 65536);
        assert_ok(courier_letter_write(&m, &out));
        const char *letter = lt_buf_cstr(&out);
        const char *body = strstr(letter, "\r\n\r\n");
        assert_non_null(body);
        assert_null(strstr(letter, "\r\nBcc:"));
        assert_null(strstr(letter, "\r\n.\r\n"));
        size_t headers = 0;
        for (const char *at = letter; at != NULL && at < body + 2; at = strstr(at, "\r\n") + 2) {
            headers++;
        }
        assert_int_equal(headers, 9);
        for (const char *line = letter; *line != '\0'; line = strstr(line, "\r\n") + 2) {
            assert_true(strcspn(line, "\r\n") <= 78);
            assert_int_equal(strcspn(line, "\r\n"), strcspn(line, "\r"));
        }
        lt_buf_done(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {"", "x", "a@b\r\nBcc: c@d", "<a@b.example>",
                                            "a@b.example, c@d.example"};
    static const char *const hosts[] = {"", "exa mple.com", "example.com\r\nX: y", "example.com?",
                                        "**.example.com"};
    struct lt_buf out;
    lt_buf_init(&out, 65536);
    for (size_t i = 0; i < LT_COUNT(addresses); i++) {
        Ipc__MailSend to = message();
        Ipc__MailSend from = message();
        to.to = text(addresses[i]);
        from.from = text(addresses[i]);
        assert_fails(courier_letter_write(&to, &out), LT_PEER_MALFORMED);
        assert_fails(courier_letter_write(&from, &out), LT_PEER_MALFORMED);
    }
    for (size_t i = 0; i < LT_COUNT(hosts); i++) {
        Ipc__MailSend name = message();
        Ipc__MailSend host = message();
        name.name = text(hosts[i]);
        host.host = text(hosts[i]);
        assert_fails(courier_letter_write(&name, &out), LT_PEER_MALFORMED);
        assert_fails(courier_letter_write(&host, &out), LT_PEER_MALFORMED);
    }
    assert_int_equal(out.len, 0);
    lt_buf_done(&out);
}

/* The other kind: to a contact. A kind that is none is refused, and no subscriber's name becomes a header. */
static void test_contact(void **state)
{
    (void)state;
    struct lt_buf out;
    Ipc__MailSend m = message();
    lt_buf_init(&out, 65536);
    m.kind = text("contact");
    m.name = text("ca.example");
    m.subscriber = text("Example\r\nBcc: x@y.example");
    m.url = text("https://ca.example/acme/contact/AAAABBBBCCCCDDDD");
    assert_ok(courier_letter_write(&m, &out));
    const char *letter = lt_buf_cstr(&out);
    assert_non_null(strstr(letter, "Subject: Are you the contact for certificates of ca.example?\r\n"));
    assert_non_null(strstr(letter, "https://ca.example/acme/contact/AAAABBBBCCCCDDDD"));
    assert_null(strstr(letter, "\nBcc:"));
    assert_null(strstr(letter, "Approve"));
    lt_buf_reset(&out);
    m.kind = text("other");
    assert_fails(courier_letter_write(&m, &out), LT_PEER_MALFORMED);
    m.kind = text("contact");
    m.to = text("a@b\r\nBcc: c@d");
    assert_fails(courier_letter_write(&m, &out), LT_PEER_MALFORMED);
    assert_int_equal(out.len, 0);
    lt_buf_done(&out);
}

static void test_relay(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        bool tls;
    } good[] = {
        {"smtp://mail.example.net:2525", "mail.example.net", 2525, false},
        {"smtp://mail.example.net", "mail.example.net", 25, false},
        {"smtps://mail.example.net", "mail.example.net", 465, true},
        {"smtp://127.0.0.1:1", "127.0.0.1", 1, false},
        {"smtps://[::1]:65535", "::1", 65535, true},
        {"smtp://[2001:db8::1]", "2001:db8::1", 25, false},
    };
    static const char *const bad[] = {
        "",
        "mail.example.net",
        "http://mail.example.net",
        "smtp:mail",
        "smtp://",
        "smtp://:25",
        "smtp://mail:",
        "smtp://mail:0",
        "smtp://mail:65536",
        "smtp://mail:25/",
        "smtp://u@mail",
        "smtp://mail example",
        "smtp://[::1",
        "smtp://[::1]25",
        "smtp://[]:25",
        "SMTP://mail",
        "smtp://mail:2 5",
        "smtp://mail:+25",
    };
    struct courier_relay r;
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        assert_ok(courier_relay_read(good[i].text, &r));
        assert_string_equal(r.host, good[i].host);
        assert_int_equal(r.port, good[i].port);
        assert_int_equal(r.tls, good[i].tls);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        if (!lt_failed(courier_relay_read(bad[i], &r))) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static Ipc__MailSend notice(void)
{
    Ipc__MailSend m = message();
    m.kind = text("notice");
    m.name = text("");
    m.notice = text("message");
    m.subject = text("incident 12");
    m.words = text("{\"title\":\"Please\",\"text\":\"One = two.\\nThree\"}");
    m.token = text("0a1b");
    return m;
}

static const char expected_notice[] = "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
                                      "From: Lintel CA <ca@ca.example>\r\n"
                                      "To: <hostmaster@example.com>\r\n"
                                      "Subject: [Lintel CA] Please\r\n"
                                      "Message-ID: <notice-4711.0a1b@ca.example>\r\n"
                                      "Reply-To: <desk@ca.example>\r\n"
                                      "In-Reply-To: <1@x.example>\r\n"
                                      "References: <1@x.example>\r\n"
                                      "Auto-Submitted: auto-generated\r\n"
                                      "MIME-Version: 1.0\r\n"
                                      "Content-Type: text/plain; charset=utf-8\r\n"
                                      "Content-Transfer-Encoding: quoted-printable\r\n"
                                      "\r\n"
                                      "One =3D two.\r\nThree\r\n\r\n--\r\nLintel CA, about incident 12\r\n";

static void test_notice(void **state)
{
    struct lt_buf out;
    Ipc__MailSend m = notice();
    (void)state;
    m.reply_to = text("desk@ca.example");
    m.in_reply_to = text("<1@x.example>");
    lt_buf_init(&out, 65536);
    assert_ok(courier_letter_write(&m, &out));
    assert_string_equal(lt_buf_cstr(&out), expected_notice);
    lt_buf_reset(&out);
    /* A stranger's Message-ID that is none is left out; a subject that is not ASCII is encoded. */
    m.in_reply_to = text("<1@x.example>\r\nBcc: <a@b.example>");
    m.words = text(
        "{\"title\":\"Gr\\u00fc\\u00dfe an alle, die Zertifikate haben, und an noch viele andere\","
        "\"text\":\"x\"}");
    assert_ok(courier_letter_write(&m, &out));
    assert_null(strstr(lt_buf_cstr(&out), "Bcc"));
    assert_null(strstr(lt_buf_cstr(&out), "In-Reply-To"));
    assert_non_null(
        strstr(lt_buf_cstr(&out),
               "Subject: =?utf-8?B?W0xpbnRlbCBDQV0gR3LDvMOfZSBhbiBhbGxlLCBkaWUgWmVydGlmaWthdGUg?=\r\n"
               " =?utf-8?B?aGFiZW4sIHVuZCBhbiBub2NoIHZpZWxlIGFuZGVyZQ==?=\r\n"));
    lt_buf_done(&out);
}

static void test_notice_refused(void **state)
{
    static const struct {
        size_t member;
        const char *value;
    } bad[] = {
        {offsetof(Ipc__MailSend, to), "a@b.example\r\nBcc: c@d.example"},
        {offsetof(Ipc__MailSend, from), "nobody"},
        {offsetof(Ipc__MailSend, host), "ca.example>\r\nX: y"},
        {offsetof(Ipc__MailSend, host), ""},
        {offsetof(Ipc__MailSend, token), "a>b"},
        {offsetof(Ipc__MailSend, token), ""},
        {offsetof(Ipc__MailSend, reply_to), "x"},
        {offsetof(Ipc__MailSend, notice), "no-such"},
        {offsetof(Ipc__MailSend, words), "{}"},
        {offsetof(Ipc__MailSend, words), "no JSON"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct lt_buf out;
        Ipc__MailSend m = notice();
        *(char **)(void *)((char *)&m + bad[i].member) = text(bad[i].value);
        lt_buf_init(&out, 65536);
        if (!lt_failed(courier_letter_write(&m, &out))) {
            fail_msg("taken: %s", bad[i].value);
        }
        lt_buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letter),         cmocka_unit_test(test_names_of_all_kinds),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_contact),
        cmocka_unit_test(test_relay),          cmocka_unit_test(test_notice),
        cmocka_unit_test(test_notice_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
