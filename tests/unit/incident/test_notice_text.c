/* What notices say, and letters that came back. */
#include "../check.h"

#include <string.h>

#include "incident/notice_dsn.h"
#include "incident/notice_text.h"

static lt_res write(const char *kind, const char *words, struct lt_buf *subject, struct lt_buf *body)
{
    const struct incident_letter l = {kind, words, "Lintel CA", "ca.example", "a@b.example", "incident 12"};
    lt_buf_init(subject, 1024);
    lt_buf_init(body, 100000);
    return incident_letter_write(&l, subject, body);
}

static void done(struct lt_buf *subject, struct lt_buf *body)
{
    lt_buf_done(subject);
    lt_buf_done(body);
}

static void test_every_template_has_a_letter(void **state)
{
    (void)state;
    for (size_t i = 0; i < incident_template_count; i++) {
        const struct incident_template *t = &incident_templates[i];
        struct lt_buf json;
        struct lt_buf subject;
        struct lt_buf body;
        lt_slice words = lt_slice_cstr(t->words);
        lt_slice word;
        lt_buf_init(&json, 4096);
        lt_buf_add_byte(&json, '{');
        while (lt_slice_split(&words, ' ', &word)) {
            lt_buf_addf(&json, "%s\"%.*s\":\"(%.*s)\"", json.len > 1 ? "," : "", LT_FMT(word), LT_FMT(word));
        }
        lt_buf_add_byte(&json, '}');
        assert_ok(incident_template_check(t, lt_buf_cstr(&json)));
        assert_ok(write(t->kind, lt_buf_cstr(&json), &subject, &body));
        assert_true(subject.len > 0 && body.len > 0);
        assert_null(strchr(lt_buf_cstr(&subject), '\n'));
        assert_null(strchr(lt_buf_cstr(&body), '{')); /* no brace was left */
        assert_null(strstr(lt_buf_cstr(&body), "\n\n\n"));
        done(&subject, &body);
        lt_buf_done(&json);
        assert_ptr_equal(incident_template_find(t->kind), t);
    }
    assert_null(incident_template_find("no-such"));
}

static void test_words(void **state)
{
    struct lt_buf subject;
    struct lt_buf body;
    (void)state;
    assert_ok(
        write("message", "{\"title\":\"Hello\",\"text\":\"One.\\r\\nTwo {ca}.\\u0007\"}", &subject, &body));
    assert_string_equal(lt_buf_cstr(&subject), "[Lintel CA] Hello");
    /* What is filled in is not looked into, and ends no line but by its own line ends. */
    assert_string_equal(lt_buf_cstr(&body), "One.\nTwo {ca}. \n\n--\nLintel CA, about incident 12\n");
    done(&subject, &body);
    assert_ok(write("message", "{\"title\":\"a\\r\\nBcc: b\",\"text\":\"x\"}", &subject, &body));
    assert_string_equal(lt_buf_cstr(&subject), "[Lintel CA] a  Bcc: b");
    done(&subject, &body);
}

/* A paragraph whose word is not there is not there either. */
static void test_what_may_be_left_out(void **state)
{
    struct lt_buf subject;
    struct lt_buf body;
    (void)state;
    assert_ok(write("root-program", "{\"title\":\"t\",\"text\":\"x\"}", &subject, &body));
    assert_null(strstr(lt_buf_cstr(&body), "Report:"));
    done(&subject, &body);
    assert_ok(write("root-program", "{\"title\":\"t\",\"text\":\"x\",\"bug\":1619047}", &subject, &body));
    assert_non_null(strstr(lt_buf_cstr(&body), "Report: 1619047\n"));
    done(&subject, &body);
}

static void test_refused(void **state)
{
    static const struct {
        const char *kind;
        const char *words;
    } bad[] = {
        {"no-such", "{}"},
        {"message", "{}"},
        {"message", "{\"title\":\"t\"}"},
        {"message", "{\"title\":\"t\",\"text\":\"\"}"},
        {"message", "{\"title\":\"t\",\"text\":null}"},
        {"message", "{\"title\":\"t\",\"text\":[]}"},
        {"message", "[\"title\",\"text\"]"},
        {"message", "{\"title\":\"t\",\"title\":\"u\",\"text\":\"x\"}"},
        {"message", "{\"title\":\"t\",\"text\":\"x\"} more"},
        {"message", "{\"title\":\"t\",\"text\":\"x\""},
        {"message", ""},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct lt_buf subject;
        struct lt_buf body;
        if (!lt_failed(write(bad[i].kind, bad[i].words, &subject, &body))) {
            fail_msg("taken: %s %s", bad[i].kind, bad[i].words);
        }
        done(&subject, &body);
    }
}

/* The registrar looks for names alone. */
static void test_check_by_name(void **state)
{
    const struct incident_template *t = incident_template_find("message");
    (void)state;
    assert_ok(incident_template_check(t, "{\"title\":\"\",\"text\":1}"));
    assert_fails(incident_template_check(t, "{\"title\":\"text\"}"), LT_PEER_MALFORMED);
    assert_fails(incident_template_check(t, "{\"title\":\"t\",\"texts\":\"x\"}"), LT_PEER_MALFORMED);
    assert_fails(incident_template_check(t, ""), LT_PEER_MALFORMED);
}

/* ---- letters that came back ---- */

#define HEAD                                                                                   \
    "From: MAILER-DAEMON@relay.example\r\nTo: <ca@ca.example>\r\n"                             \
    "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"x\"\r\n"     \
    "\r\nThis is the mail system.\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n" \
    "Reporting-MTA: dns; relay.example\r\n\r\n"
#define BACK "\r\n--x\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"

static lt_res read(const char *mail, struct incident_dsn *d)
{
    return incident_dsn_read(lt_slice_cstr(mail), d);
}

static void test_returned(void **state)
{
    struct incident_dsn d;
    (void)state;
    assert_ok(read(HEAD "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                        "Diagnostic-Code: smtp; 550 5.1.1 <a@b.example>: no such user\r\n" BACK
                        "Message-ID: <notice-12.0a1b2c3d4e5f6071@ca.example>\r\n\r\n--x--\r\n",
                   &d));
    assert_int_equal(d.notice, 12);
    assert_string_equal(d.token, "0a1b2c3d4e5f6071");
    assert_int_equal(d.action, INCIDENT_DSN_FAILED);
    assert_string_equal(d.status, "5.1.1");
    assert_string_equal(d.words, "smtp; 550 5.1.1 <a@b.example>: no such user");
}

static void test_returned_in_other_shapes(void **state)
{
    struct incident_dsn d;
    (void)state;
    /* Line ends of UNIX, another case, a folded Message-ID; delayed is no failure. */
    assert_ok(read("content-type: Multipart/Report;\n report-type=Delivery-Status\n\n"
                   "Content-Type: message/delivery-status\n\nACTION: Delayed\n\n"
                   "Content-Type: text/rfc822-headers\n\nmessage-id:\n <notice-7.ff@h>\n",
                   &d));
    assert_int_equal(d.notice, 7);
    assert_int_equal(d.action, INCIDENT_DSN_DELAYED);
    /* The first of ours counts; a letter of others in it does not. */
    assert_ok(read(HEAD "Action: failed\r\n" BACK "Message-ID: <x@y>\r\nMessage-ID: <notice-1.a@h>\r\n"
                        "Message-ID: <notice-2.b@h>\r\n",
                   &d));
    assert_int_equal(d.notice, 1);
    /* An action outside of the part that has it says nothing. */
    assert_ok(read("Content-Type: multipart/report; report-type=delivery-status\n\nAction: failed\n"
                   "Message-ID: <notice-1.a@h>\n",
                   &d));
    assert_int_equal(d.action, INCIDENT_DSN_OTHER);
}

static void test_not_returned(void **state)
{
    static const char *const bad[] = {
        "",
        "\r\n",
        "Subject: hello\r\n\r\nMessage-ID: <notice-1.a@h>\r\n",
        "Content-Type: multipart/report; report-type=feedback-report\r\n\r\nMessage-ID: <notice-1.a@h>\r\n",
        "Content-Type: text/plain\r\n delivery-status\r\n\r\nMessage-ID: <notice-1.a@h>\r\n",
        HEAD "Action: failed\r\n" BACK,
        HEAD BACK "Message-ID: <lintel-12@ca.example>\r\n",
        HEAD BACK "Message-ID: <notice-@h>\r\n",
        HEAD BACK "Message-ID: <notice-1@h>\r\n",
        HEAD BACK "Message-ID: <notice-1.@h>\r\n",
        HEAD BACK "Message-ID: <notice-0.a@h>\r\n",
        HEAD BACK "Message-ID: <notice-01.a@h>\r\n",
        HEAD BACK "Message-ID: <notice--1.a@h>\r\n",
        HEAD BACK "Message-ID: <notice-1.A@h>\r\n",
        HEAD BACK "Message-ID: <notice-1.xy@h>\r\n",
        HEAD BACK "Message-ID: <notice-1.a\r\n",
        HEAD BACK "Message-ID: <notice-99999999999999999999.a@h>\r\n",
        HEAD BACK "Message-ID: <notice-1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@h>\r\n",
        HEAD BACK "References: <notice-1.a@h>\r\n",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct incident_dsn d;
        if (!lt_failed(read(bad[i], &d))) {
            fail_msg("taken: %zu: notice %lld", i, (long long)d.notice);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_template_has_a_letter),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_may_be_left_out),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_check_by_name),
        cmocka_unit_test(test_returned),
        cmocka_unit_test(test_returned_in_other_shapes),
        cmocka_unit_test(test_not_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
