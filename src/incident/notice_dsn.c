/* See notice_dsn.h. Line by line: of the report itself the type and the fields of its second part, of what
 * came back its Message-ID. RFC 3464 2.1 has these parts in plain text, so nothing is decoded. */
#include "incident/notice_dsn.h"

#include <string.h>

#include "base/text.h"

enum { LINE_MAX_LEN = 8192, LINES_MAX = 20000 };

/* The next line without its end; folded lines of a header are taken one by one. */
static bool next_line(lt_slice *text, lt_slice *ret_line)
{
    if (text->len == 0) {
        return false;
    }
    size_t end = lt_slice_find(*text, '\n');
    lt_slice line = lt_slice_sub(*text, 0, end);
    *text = lt_slice_sub(*text, end + 1, SIZE_MAX);
    while (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    *ret_line = line;
    return true;
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/* Empty when the line is of another field. */
static lt_slice field(lt_slice line, lt_slice name)
{
    bool is = line.len > name.len && line.ptr[name.len] == ':' &&
              lt_slice_eq_nocase(lt_slice_sub(line, 0, name.len), name);
    return is ? trim(lt_slice_sub(line, name.len + 1, SIZE_MAX)) : (lt_slice){0};
}

static bool has_nocase(lt_slice text, lt_slice word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (lt_slice_eq_nocase(lt_slice_sub(text, i, word.len), word)) {
            return true;
        }
    }
    return false;
}

static bool is_hex(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return s.len > 0;
}

static bool read_id(lt_slice text, struct incident_dsn *d)
{
    lt_slice whole = lt_slice_sub(text, 0, lt_slice_find(text, '@'));
    size_t dot = lt_slice_find(whole, '.');
    lt_slice token = lt_slice_sub(whole, dot + 1, SIZE_MAX);
    uint64_t id = 0;
    if (whole.len == text.len || !is_hex(token) || token.len >= sizeof d->token ||
        lt_failed(lt_parse_u64(lt_slice_sub(whole, 0, dot), INT64_MAX, &id)) || id == 0) {
        return false;
    }
    d->notice = (int64_t)id;
    memcpy(d->token, token.ptr, token.len);
    d->token[token.len] = '\0';
    return true;
}

bool incident_dsn_message_id(lt_slice text, struct incident_dsn *ret_dsn)
{
    const lt_slice mark = LT_LIT("<notice-");
    while (text.len > 0) {
        text = lt_slice_sub(text, lt_slice_find(text, '<'), SIZE_MAX);
        if (lt_slice_starts(text, mark) && read_id(lt_slice_sub(text, mark.len, 128), ret_dsn)) {
            return true;
        }
        text = lt_slice_sub(text, 1, SIZE_MAX);
    }
    return false;
}

static void keep(char *to, size_t size, lt_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.ptr[i];
        to[i] = (char)(c < 0x20 || c > 0x7e ? '?' : c);
    }
    to[len] = '\0';
}

/* RFC 3464 2.3.3: the worst of the recipients counts; a letter of ours has one. */
static void read_report_line(lt_slice line, struct incident_dsn *d)
{
    lt_slice action = field(line, LT_LIT("Action"));
    lt_slice status = field(line, LT_LIT("Status"));
    lt_slice words = field(line, LT_LIT("Diagnostic-Code"));
    if (action.len > 0) {
        d->action = lt_slice_eq_nocase(action, LT_LIT("failed"))    ? INCIDENT_DSN_FAILED
                    : lt_slice_eq_nocase(action, LT_LIT("delayed")) ? INCIDENT_DSN_DELAYED
                                                                    : d->action;
    }
    if (status.len > 0) {
        keep(d->status, sizeof d->status, status);
    }
    if (words.len > 0) {
        keep(d->words, sizeof d->words, words);
    }
}

/* Headers up to the empty line: is it a report? RFC 3462 3: "report-type=delivery-status". */
static bool read_head(lt_slice *mail)
{
    lt_slice line;
    bool in_type = false;
    bool report = false;
    bool status = false;
    for (size_t i = 0; i < LINES_MAX && next_line(mail, &line) && line.len > 0; i++) {
        bool folded = line.ptr[0] == ' ' || line.ptr[0] == '\t';
        in_type = folded ? in_type : field(line, LT_LIT("Content-Type")).len > 0;
        line = lt_slice_sub(line, 0, LINE_MAX_LEN);
        report = report || (in_type && has_nocase(line, LT_LIT("multipart/report")));
        status = status || (in_type && has_nocase(line, LT_LIT("delivery-status")));
    }
    return report && status;
}

lt_res incident_dsn_read(lt_slice mail, struct incident_dsn *ret_dsn)
{
    struct incident_dsn d = {.notice = 0};
    lt_slice line;
    bool in_status = false;
    bool in_id = false;
    LT_CHECK(read_head(&mail), LT_PEER_NOT_FOUND, "it is no delivery report");
    for (size_t i = 0; i < LINES_MAX && next_line(&mail, &line); i++) {
        lt_slice type = field(line, LT_LIT("Content-Type"));
        line = lt_slice_sub(line, 0, LINE_MAX_LEN);
        in_status = type.len > 0 ? has_nocase(type, LT_LIT("message/delivery-status")) : in_status;
        if (in_status) {
            read_report_line(line, &d);
        }
        /* The Message-ID may stand in the folded line behind its name. */
        bool folded = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        in_id = folded
                    ? in_id
                    : line.len > 10 && lt_slice_eq_nocase(lt_slice_sub(line, 0, 11), LT_LIT("Message-ID:"));
        if (in_id && d.notice == 0) {
            (void)incident_dsn_message_id(line, &d); /* another's stays another's */
        }
    }
    LT_CHECK(d.notice != 0, LT_PEER_NOT_FOUND, "the report is about no letter of ours");
    *ret_dsn = d;
    return LT_OK;
}
