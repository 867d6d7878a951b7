/* Headers in ASCII, body in quoted-printable: whatever a subscriber is called, no line of it can become a
 * header, and no relay has a reason to change a byte. */
#include "role/courier_letter.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/date.h"
#include "incident/notice_text.h"
#include "validate/contacts.h"

enum {
    BODY_MAX = 16 * 1024,
    NOTICE_MAX = 128 * 1024,
    SUBJECT_MAX = 1024,
    WORD_MAX = 45, /* bytes of one encoded word: 60 letters */
    LINE_MAX_LEN = 75,
    DATE_LEN = 25,
    MESSAGE_ID_MAX = 250,
};

/* RFC 2045 6.7; '\n' of the text ends a line. */
static void add_quoted_printable(struct lt_buf *out, lt_slice text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool end = i + 1 == text.len || text.ptr[i + 1] == '\n';
        bool plain = c > 0x20 && c < 0x7f && c != '=';
        if (c == '\n') {
            lt_buf_add_cstr(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + 3 > LINE_MAX_LEN) {
            lt_buf_add_cstr(out, "=\r\n");
            column = 0;
        }
        if (plain || (c == ' ' && !end)) {
            lt_buf_add_byte(out, c);
            column++;
        } else {
            lt_buf_addf(out, "=%02X", c);
            column += 3;
        }
    }
}

/* One line of text: what could end it is gone. */
static void add_shown(struct lt_buf *out, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        lt_buf_add_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

static void add_words(struct lt_buf *out, const Ipc__MailSend *m)
{
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){m->expires_us}, until);
    lt_buf_add_cstr(out, "The certificate authority ");
    add_shown(out, m->ca);
    lt_buf_addf(out, " was asked for a certificate for\n\n    %s\n\n", m->name);
    lt_buf_addf(out, "and writes to %s, an address that may answer for this name.\n\n    asked by: ", m->to);
    add_shown(out, m->subscriber);
    lt_buf_addf(out, "\n    rule:     %s\n\n", m->rule);
    lt_buf_addf(out,
                "If you know of this request and it shall go on, open this page and approve it there:\n\n"
                "    %s\n\n",
                m->url);
    lt_buf_addf(
        out,
        "If you do not, decline it on that page, or do nothing: without an approval no certificate is\n"
        "made. Looking at the page approves nothing. The link can be used until %s.\n"
        "Whoever has it can approve: give it to nobody else.\n",
        until);
}

static void add_contact_words(struct lt_buf *out, const Ipc__MailSend *m)
{
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){m->expires_us}, until);
    lt_buf_add_cstr(out, "The certificate authority ");
    add_shown(out, m->ca);
    lt_buf_addf(out, " has %s as a contact of\n\n    ", m->to);
    add_shown(out, m->subscriber);
    lt_buf_add_cstr(
        out, "\n\nA certificate may have to be revoked within a day, and we write here to say so. Please "
             "tell us whether\nsomebody who can replace certificates reads this address:\n\n");
    lt_buf_addf(out, "    %s\n\nLooking at the page says nothing yet. The link can be used until %s.\n",
                m->url, until);
}

static const struct {
    const char *kind;
    const char *subject; /* the name follows */
    void (*add)(struct lt_buf *out, const Ipc__MailSend *m);
} kinds[] = {
    {"", "Approve a certificate for", add_words},
    {"contact", "Are you the contact for certificates of", add_contact_words},
};

/* A host name, an address: what may stand behind "@" of a Message-ID. */
static bool is_host(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";
    return s[0] != '\0' && strspn(s, letters) == strlen(s);
}

/* RFC 5322 3.4: a display name of letters, digits and blanks needs no quotes. Others are left out. */
static bool is_plain_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789- ";
    return s[0] != '\0' && strlen(s) <= 64 && strspn(s, letters) == strlen(s);
}

static void add_from_to(struct lt_buf *out, const Ipc__MailSend *m)
{
    char date[HTTP_DATE_SIZE];
    http_date((lt_time){m->created_us}, date);
    lt_buf_addf(out, "Date: %.*s +0000\r\n", DATE_LEN, date);
    lt_buf_addf(out, is_plain_name(m->ca) ? "From: %s <%s>\r\n" : "From: %s<%s>\r\n",
                is_plain_name(m->ca) ? m->ca : "", m->from);
    lt_buf_addf(out, "To: <%s>\r\n", m->to);
}

static void add_format(struct lt_buf *out)
{
    /* RFC 3834 5: nobody's out-of-office shall answer. */
    lt_buf_add_cstr(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

static void add_headers(struct lt_buf *out, const Ipc__MailSend *m, const char *subject)
{
    add_from_to(out, m);
    lt_buf_addf(out, "Subject: %s %s?\r\n", subject, m->name);
    lt_buf_addf(out, "Message-ID: <lintel-%lld@%s>\r\n", (long long)m->mail_id, m->host);
    add_format(out);
}

/* --- what the incident desk says ------------------------------------------------------------------------ */

/* RFC 2047 2: "An 'encoded-word' may not be more than 75 characters long"; 5 (3): no character of several
 * bytes is split over two of them. */
static void add_subject(struct lt_buf *out, lt_slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++) {
        plain = plain && text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f;
    }
    lt_buf_add_cstr(out, "Subject:");
    for (bool first = true; plain ? first : text.len > 0; first = false) {
        size_t len = plain || text.len < WORD_MAX ? text.len : WORD_MAX;
        while (!plain && len > 0 && len < text.len && (text.ptr[len] & 0xc0) == 0x80) {
            len--;
        }
        len = len == 0 ? WORD_MAX : len; /* no UTF-8: its reader sees what it is */
        lt_buf_add_cstr(out, plain ? " " : first ? " =?utf-8?B?" : "\r\n =?utf-8?B?");
        if (plain) {
            lt_buf_add(out, text);
        } else {
            lt_base64_add(out, lt_slice_sub(text, 0, len));
            lt_buf_add_cstr(out, "?=");
        }
        text = lt_slice_sub(text, len, SIZE_MAX);
    }
    lt_buf_add_cstr(out, "\r\n");
}

/* A stranger's: one that is none is left out. */
static bool is_message_id(const char *s)
{
    size_t len = strlen(s);
    bool good = len > 2 && len <= MESSAGE_ID_MAX && s[0] == '<' && s[len - 1] == '>';
    for (size_t i = 1; good && i + 1 < len; i++) {
        good = s[i] > 0x20 && s[i] < 0x7f && s[i] != '<' && s[i] != '>';
    }
    return good;
}

static void add_notice(struct lt_buf *out, const Ipc__MailSend *m, lt_slice subject, lt_slice body)
{
    add_from_to(out, m);
    add_subject(out, subject);
    lt_buf_addf(out, "Message-ID: <notice-%lld.%s@%s>\r\n", (long long)m->mail_id, m->token, m->host);
    if (m->reply_to[0] != '\0') {
        lt_buf_addf(out, "Reply-To: <%s>\r\n", m->reply_to);
    }
    if (is_message_id(m->in_reply_to)) {
        lt_buf_addf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", m->in_reply_to, m->in_reply_to);
    }
    add_format(out);
    add_quoted_printable(out, body);
}

static lt_res write_notice(const Ipc__MailSend *m, struct lt_buf *out)
{
    struct lt_buf subject;
    struct lt_buf body;
    LT_CHECK(is_host(m->host) && is_host(m->token), LT_PEER_MALFORMED, "\"%.80s\" is no name", m->host);
    LT_CHECK(m->reply_to[0] == '\0' || validate_contact_is(lt_slice_cstr(m->reply_to)), LT_PEER_MALFORMED,
             "\"%.80s\" is no address to answer to", m->reply_to);
    const struct incident_letter letter = {m->notice, m->words, m->ca, m->host, m->to, m->subject};
    lt_buf_init(&subject, SUBJECT_MAX);
    lt_buf_init(&body, NOTICE_MAX);
    lt_res r = incident_letter_write(&letter, &subject, &body);
    if (!lt_failed(r)) {
        add_notice(out, m, lt_buf_slice(&subject), lt_buf_slice(&body));
        r = lt_buf_check(out);
    }
    lt_buf_done(&subject);
    lt_buf_done(&body);
    return r;
}

lt_res courier_letter_write(const Ipc__MailSend *m, struct lt_buf *out)
{
    struct lt_buf words;
    size_t kind = 0;
    const char *bare = m->name[0] == '*' && m->name[1] == '.' ? m->name + 2 : m->name;
    LT_CHECK(validate_contact_is(lt_slice_cstr(m->to)), LT_PEER_MALFORMED,
             "\"%.80s\" is no address to write to", m->to);
    LT_CHECK(validate_contact_is(lt_slice_cstr(m->from)), LT_PEER_MALFORMED,
             "\"%.80s\" is no address to write from", m->from);
    if (strcmp(m->kind, "notice") == 0) {
        return write_notice(m, out);
    }
    LT_CHECK(is_host(bare) && is_host(m->host), LT_PEER_MALFORMED, "\"%.80s\" at \"%.80s\" is no name",
             m->name, m->host);
    while (kind < LT_COUNT(kinds) && strcmp(m->kind, kinds[kind].kind) != 0) {
        kind++;
    }
    LT_CHECK(kind < LT_COUNT(kinds), LT_PEER_MALFORMED, "a letter of the kind \"%.40s\"", m->kind);
    add_headers(out, m, kinds[kind].subject);
    lt_buf_init(&words, BODY_MAX);
    kinds[kind].add(&words, m);
    lt_res r = lt_buf_check(&words);
    if (!lt_failed(r)) {
        add_quoted_printable(out, lt_buf_slice(&words));
        r = lt_buf_check(out);
    }
    lt_buf_done(&words);
    return r;
}

lt_res courier_relay_read(const char *text, struct courier_relay *ret_relay)
{
    lt_slice s = lt_slice_cstr(text);
    bool tls = lt_slice_starts(s, LT_LIT("smtps://"));
    LT_CHECK(tls || lt_slice_starts(s, LT_LIT("smtp://")), LT_PEER_USAGE,
             "\"%.60s\" does not begin smtp:// or smtps://", text);
    lt_slice host = lt_slice_sub(s, lt_slice_find(s, '/') + 2, SIZE_MAX);
    lt_slice port = {NULL, 0};
    bool literal = host.len > 0 && host.ptr[0] == '[';
    size_t end = lt_slice_find(host, literal ? ']' : ':');
    if (literal) {
        LT_CHECK(end < host.len && (end + 1 == host.len || host.ptr[end + 1] == ':'), LT_PEER_USAGE,
                 "\"%.60s\" is no relay; write smtp://HOST:PORT", text);
        port = lt_slice_sub(host, end + 1, SIZE_MAX);
        host = lt_slice_sub(host, 1, end - 1);
    } else {
        port = lt_slice_sub(host, end, SIZE_MAX);
        host = lt_slice_sub(host, 0, end);
    }
    uint64_t number = tls ? 465 : 25;
    struct courier_relay relay = {.tls = tls};
    LT_CHECK(port.len == 0 || !lt_failed(lt_parse_u64(lt_slice_sub(port, 1, SIZE_MAX), 65535, &number)),
             LT_PEER_USAGE, "\"%.60s\" has no port; write smtp://HOST:PORT", text);
    (void)snprintf(relay.host, sizeof relay.host, "%.*s", LT_FMT(host)); /* its length is looked at below */
    LT_CHECK(host.len < sizeof relay.host && is_host(relay.host) && number > 0, LT_PEER_USAGE,
             "\"%.60s\" is no relay; write smtp://HOST:PORT", text);
    relay.port = (uint16_t)number;
    *ret_relay = relay;
    return LT_OK;
}
