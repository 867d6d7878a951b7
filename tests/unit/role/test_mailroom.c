/* Letters and forms taken apart: heads, parts, attachments, letters that came back, and bytes that are no
 * letter. */
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "role/mailroom_read.h"
#include "role/mailroom_text.h"

static struct lt_arena arena;
static Ipc__MailroomRead said;

static const Ipc__MailroomRead *read_as(const char *form, const char *raw)
{
    lt_arena_done(&arena);
    lt_arena_init(&arena, MAILROOM_ARENA_MAX);
    ipc__mailroom_read__init(&said);
    assert_ok(mailroom_read(form, lt_slice_cstr(raw), &arena, &said));
    return &said;
}

static const char *item(const Ipc__MailroomRead *m, const char *kind)
{
    for (size_t i = 0; i < m->n_items; i++) {
        if (strcmp(m->items[i]->kind, kind) == 0) {
            return m->items[i]->value;
        }
    }
    return "";
}

#define HEAD                                                                         \
    "Return-Path: <nobody@example.org>\r\n"                                          \
    "Received: from a.example by mx.ca.example; Sat, 21 Nov 2026 08:00:05 +0000\r\n" \
    "From: =?utf-8?q?N=C3=B6body?= <nobody@example.org>\r\n"                         \
    "To: problems@ca.example\r\n"                                                    \
    "Date: Sat, 21 Nov 2026 08:59:00 +0100\r\n"                                      \
    "Message-ID: <abc@example.org>\r\n"

static void a_plain_letter(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "mail", HEAD "In-Reply-To: <notice-4.77aa@ca.example>\r\nSubject: a wrong certificate\r\n\r\n"
                     "Serial 0cf65a03ce05c1fff1baf459b0f1aa20 breaks BR 7.1.2.7.6.\r\n");
    assert_string_equal(m->from, "nobody@example.org");
    assert_string_equal(m->from_name, "N\xc3\xb6"
                                      "body");
    assert_string_equal(m->subject, "a wrong certificate");
    assert_string_equal(m->message_id, "<abc@example.org>");
    assert_int_equal(m->n_references, 1);
    assert_string_equal(m->references[0], "<notice-4.77aa@ca.example>");
    assert_int_equal(m->date_us, INT64_C(1795247940) * 1000000);
    assert_int_equal(m->received_us, INT64_C(1795248005) * 1000000);
    assert_string_equal(item(m, "serial"), "0cf65a03ce05c1fff1baf459b0f1aa20");
    assert_string_equal(item(m, "clause"), "CABF-BR 7.1.2.7.6");
    assert_string_equal(m->text, "Serial 0cf65a03ce05c1fff1baf459b0f1aa20 breaks BR 7.1.2.7.6.\n");
    assert_false(m->automatic || m->hollow || m->takedown || m->cut);
    assert_int_equal(m->n_files + m->n_proofs + m->kept.len, 0);
}

static void parts_and_attachments(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "mail",
        HEAD "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
             "--b\r\nContent-Type: text/html\r\n\r\n<p>The <b>key</b> of www.example.com</p>\r\n"
             "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
             "quoted-printable\r\n\r\ncaf=E9\r\n"
             "--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: "
             "base64\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\n\r\naGVsbG8=\r\n--b--\r\n");
    assert_string_equal(m->text, "caf\xc3\xa9");
    assert_string_equal(item(m, "name"), "www.example.com");
    assert_int_equal(m->n_files, 1);
    assert_string_equal(m->files[0]->name, "a.bin");
    assert_int_equal(m->files[0]->bytes, 5);
    assert_int_equal(m->files[0]->sha256.len, 32);
}

static void html_alone_is_read_without_its_tags(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "mail", HEAD "Subject: x\r\nContent-Type: text/html\r\n\r\n<p>please revoke <i>it</i></p>\r\n");
    assert_non_null(strstr(m->text, "please revoke"));
    assert_null(strchr(m->text, '<'));
}

static void who_writes_by_itself_gets_no_answer(void **state)
{
    static const char *const heads[] = {"Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <a.b>"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(heads); i++) {
        char raw[1024];
        (void)snprintf(raw, sizeof raw, "%s%s\r\nSubject: x\r\n\r\nI am away.\r\n", HEAD, heads[i]);
        assert_true(read_as("mail", raw)->automatic);
    }
    assert_true(read_as("mail", "Subject: from nobody\r\n\r\nhello\r\n")->automatic);
    assert_false(read_as("mail", HEAD "Auto-Submitted: no\r\nSubject: x\r\n\r\nhello\r\n")->automatic);
}

static void addresses_that_are_none_are_not_answered(void **state)
{
    static const char *const froms[] = {"From: \r\n", "From: undisclosed-recipients:;\r\n",
                                        "From: <a b@c>\r\n", "From: nobody\r\n"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(froms); i++) {
        char raw[256];
        (void)snprintf(raw, sizeof raw, "%sSubject: x\r\n\r\nhello\r\n", froms[i]);
        assert_string_equal(read_as("mail", raw)->from, "");
    }
}

static void a_letter_that_came_back(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "mail",
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: ca@ca.example\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; gone@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: "
        "<notice-12.0123456789abcdef0123456789abcdef@ca.example>\r\nSubject: x\r\n\r\nhello\r\n--b--\r\n");
    assert_string_equal(m->bounce_of, "<notice-12.0123456789abcdef0123456789abcdef@>");
    assert_string_equal(m->bounce_status, "5.1.1");
    assert_true(m->automatic);
    assert_string_equal(read_as("mail", HEAD "Subject: x\r\n\r\nnotice-12 came back?\r\n")->bounce_of, "");
}

/* Nothing is refused: what is no letter is read as a text, and put before a person. */
static void bytes_that_are_no_letter(void **state)
{
    static const char *const raws[] = {
        "\x01\x02\x03",
        "no head at all",
        "\r\n\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n--b\r\n",
        "Content-Type: multipart/mixed\r\n\r\n--\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\n====%%%%",
        "From: \xff\xfe\r\nSubject: =?utf-8?b?////?=\r\nDate: 99 Foo 99999\r\nReceived: ;;;\r\n\r\n\xff",
        "Content-Type: text/plain; charset=\"klingon\"\r\n\r\nhello",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(raws); i++) {
        const Ipc__MailroomRead *m = read_as("mail", raws[i]);
        assert_string_equal(m->failed, "");
        assert_int_equal(m->n_proofs, 0);
    }
}

static void parts_without_end_are_a_text(void **state)
{
    enum { DEPTH = 600, ROW = 128 };
    char *raw = malloc((size_t)DEPTH * ROW);
    size_t n = 0;
    (void)state;
    assert_non_null(raw);
    for (int i = 0; i < DEPTH; i++) {
        n += (size_t)snprintf(raw + n, ROW, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i,
                              i);
    }
    const Ipc__MailroomRead *m = read_as("mail", raw);
    assert_string_equal(m->failed, "");
    assert_true(m->text[0] != '\0' && !m->hollow); /* a person looks at it */
    free(raw);
}

static void the_text_of_a_form(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "text", "contact: me@example.org\nabout: www.example.com\nprobe: AAAAAAAAAAAAAAAAAAAAA-\n\nserial "
                "0cf65a03ce05c1fff1baf459b0f1aa20\n");
    assert_string_equal(m->probe, "AAAAAAAAAAAAAAAAAAAAA-");
    assert_string_equal(item(m, "name"), "www.example.com");
    assert_string_equal(item(m, "serial"), "0cf65a03ce05c1fff1baf459b0f1aa20");
    assert_string_equal(read_as("text", "probe: short\n\nx")->probe, "");
}

/* A key is where somebody pasted it: in the line for serial numbers, in a name, in a subject. */
#define SECRET "MC4CAQAwBQYDK2VwBCIEIKrRwnLuL3YAoS/bROeTQzUQobJRn4CmtdTQTcZdooDY"
#define KEY "-----BEGIN PRIVATE KEY----- " SECRET " -----END PRIVATE KEY-----"

static void a_private_key_in_any_field_is_taken_out_and_proves(void **state)
{
    static const struct {
        const char *form;
        const char *raw;
    } rows[] = {
        {"text", "contact: \nname: x\nclause: \nabout: " KEY "\n\nx\n"},
        {"text", "contact: \nname: " KEY "\nclause: \nabout: x\n\nx\n"},
        {"text", "contact: \nname: x\nclause: " KEY "\nabout: x\n\nx\n"},
        {"text", "contact: \nname: x\nclause: \nabout: x\n\n" KEY "\n"},
        {"mail", HEAD "Subject: " KEY "\r\n\r\nsee above\r\n"},
        {"mail", HEAD "Comments: " KEY "\r\nSubject: x\r\n\r\nsee above\r\n"},
        {"mail", HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n" KEY
                      "\r\n--b\r\n\r\nsee above\r\n--b--\r\n"},
        {"mail", HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee "
                      "below\r\n--b--\r\n" KEY "\r\n"},
        {"mail", "From: \"" KEY "\" <nobody@example.org>\r\nSubject: x\r\n\r\nsee above\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__MailroomRead *m = read_as(rows[i].form, rows[i].raw);
        assert_int_equal(m->n_proofs, 1);
        const char *const told[] = {m->text, m->subject, m->from_name, m->clause, m->message_id};
        for (size_t k = 0; k < LT_COUNT(told); k++) {
            assert_null(strstr(told[k], SECRET));
        }
        assert_true(m->kept.len > 0);
        assert_null(memmem(m->kept.data, m->kept.len, SECRET, strlen(SECRET)));
    }
}

/* As Outlook and ticket systems send it, and editors of Windows save it. */
static void proofs_are_found_whatever_they_are_wrapped_in(void **state)
{
#define HTML "MIME-Version: 1.0\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n"
    static const char *const rows[] = {
        HEAD HTML "<p>see</p>-----BEGIN PRIVATE KEY-----<br>" SECRET "<br>-----END PRIVATE KEY-----<br>\r\n",
        HEAD HTML "<div>-----BEGIN PRIVATE KEY-----</div><div><span>" SECRET "</span></div>"
                  "<div>-----END PRIVATE KEY-----</div>\r\n",
        HEAD HTML "<p>&#45;&#x2d;---BEGIN&nbsp;PRIVATE KEY-----<BR/>" SECRET "<BR/>-----END PRIVATE "
                  "KEY-----</p>\r\n",
        HEAD HTML "<!-- -----BEGIN PRIVATE KEY-----\r\n" SECRET "\r\n-----END PRIVATE KEY----- -->see\r\n",
        HEAD "MIME-Version: 1.0\r\nSubject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
             "--b\r\nContent-Type: text/plain\r\n\r\n-----BEGIN PRIVATE KEY-----\r\n" SECRET
             "\r\n-----END PRIVATE KEY-----\r\n--b\r\nContent-Type: text/html\r\n\r\n-----BEGIN PRIVATE "
             "KEY-----<br>" SECRET "<br>-----END PRIVATE KEY-----\r\n--b--\r\n",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__MailroomRead *m = read_as("mail", rows[i]);
        assert_int_equal(m->n_proofs, 1);
        assert_string_equal(m->proofs[0]->verdict, "proven");
        assert_null(strstr(m->text, SECRET));
        assert_null(memmem(m->kept.data, m->kept.len, SECRET, strlen(SECRET)));
    }
}

static void a_file_in_utf_16_is_a_text(void **state)
{
    static const char key[] = "-----BEGIN PRIVATE KEY-----\r\n" SECRET "\r\n-----END PRIVATE KEY-----\r\n";
    (void)state;
    for (size_t big = 0; big < 2; big++) {
        uint8_t wide[2 + 2 * sizeof key];
        size_t len = 0;
        struct lt_buf raw;
        wide[len++] = big != 0 ? 0xfe : 0xff;
        wide[len++] = big != 0 ? 0xff : 0xfe;
        for (size_t i = 0; key[i] != '\0'; i++) {
            wide[len++] = big != 0 ? 0 : (uint8_t)key[i];
            wide[len++] = big != 0 ? (uint8_t)key[i] : 0;
        }
        lt_buf_init(&raw, 8192);
        lt_buf_add_cstr(&raw,
                        HEAD "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; "
                             "name=key.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        lt_base64_add(&raw, LT_SLICE(wide, len));
        lt_buf_add_cstr(&raw, "\r\n");
        const Ipc__MailroomRead *m = read_as("mail", lt_buf_cstr(&raw));
        lt_buf_done(&raw);
        assert_int_equal(m->n_proofs, 1);
        assert_string_equal(m->proofs[0]->verdict, "proven");
        assert_null(memmem(m->kept.data, m->kept.len, SECRET, strlen(SECRET)));
    }
}

static void what_is_no_tag_and_no_entity_stays(void **state)
{
    static const struct {
        const char *html;
        const char *text;
    } rows[] = {
        {"a &amp; b &lt;c&gt; &#65;&#x42;&#xe9;", "a & b <c> AB\xc3\xa9"},
        {"AT&T &nothing; &#; &#x110000; &#xd800; &#99999999999; &",
         "AT&T &nothing; &#; &#x110000; &#xd800; &#99999999999; &"},
        {"w<b>o</b>rd<td>cell</td><unknown thing>", "word cell "},
        {"open <a href=\"x", "open "},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice text;
        assert_ok(mailroom_text_html(lt_slice_cstr(rows[i].html), &arena, &text));
        assert_true(lt_slice_eq_cstr(text, rows[i].text));
    }
    static const uint8_t odd[] = {0xff, 0xfe, 'a', 0, 0x3d, 0xd8, 'b'};
    lt_slice text;
    assert_ok(mailroom_text_utf16(LT_SLICE(odd, sizeof odd), &arena, &text));
    assert_true(lt_slice_eq_cstr(text, "a?"));
    assert_ok(mailroom_text_utf16(LT_LIT("a\xff"), &arena, &text));
    assert_true(lt_slice_eq_cstr(text, "a\xff"));
}

static void what_a_form_says_is_in_its_place(void **state)
{
    (void)state;
    const Ipc__MailroomRead *m = read_as(
        "text", "contact: me@example.org\nname: A. Nobody\nauthority: other\ncause: \nclause: CABF-BR "
                "7.1.2.7.6\nabout: www.example.com\nprobe: \nfrom: 192.0.2.1\n\nIt is wrong.\n");
    assert_string_equal(m->subject, "www.example.com");
    assert_string_equal(m->from_name, "A. Nobody");
    assert_string_equal(m->clause, "CABF-BR 7.1.2.7.6");
    assert_string_equal(m->text, "www.example.com\n\nIt is wrong.\n");
    /* Of what was added to a case nothing is a field. */
    assert_string_equal(read_as("text", "clause: none\n\nx")->clause, "");
    assert_string_equal(read_as("text", "clause: none\n\nx")->text, "clause: none\n\nx");
}

static int begin(void **state)
{
    (void)state;
    mailroom_start();
    lt_arena_init(&arena, MAILROOM_ARENA_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_letter),
        cmocka_unit_test(parts_and_attachments),
        cmocka_unit_test(html_alone_is_read_without_its_tags),
        cmocka_unit_test(who_writes_by_itself_gets_no_answer),
        cmocka_unit_test(addresses_that_are_none_are_not_answered),
        cmocka_unit_test(a_letter_that_came_back),
        cmocka_unit_test(bytes_that_are_no_letter),
        cmocka_unit_test(parts_without_end_are_a_text),
        cmocka_unit_test(the_text_of_a_form),
        cmocka_unit_test(a_private_key_in_any_field_is_taken_out_and_proves),
        cmocka_unit_test(what_a_form_says_is_in_its_place),
        cmocka_unit_test(proofs_are_found_whatever_they_are_wrapped_in),
        cmocka_unit_test(a_file_in_utf_16_is_a_text),
        cmocka_unit_test(what_is_no_tag_and_no_entity_stays),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
