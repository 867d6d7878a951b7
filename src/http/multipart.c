/* See multipart.h. */
#include "http/multipart.h"

#include <string.h>

static const char form_data[] = "multipart/form-data";

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

bool http_multipart_is(lt_slice content_type)
{
    lt_slice type = trim(lt_slice_sub(content_type, 0, lt_slice_find(content_type, ';')));
    return lt_slice_eq_nocase(type, lt_slice_cstr(form_data));
}

/* One parameter of "; name=value; name=\"value\"": *rest moves behind it. A quoted value ends with the next
 * quote that no backslash stands before; browsers write quotes and ends of lines as %22, %0D, %0A. */
static bool next_parameter(lt_slice *rest, lt_slice *ret_name, lt_slice *ret_value)
{
    lt_slice s = trim(*rest);
    if (s.len == 0 || s.ptr[0] != ';') {
        return false;
    }
    s = trim(lt_slice_sub(s, 1, SIZE_MAX));
    size_t equals = lt_slice_find(s, '=');
    *ret_name = trim(lt_slice_sub(s, 0, equals));
    s = lt_slice_sub(s, equals + 1, SIZE_MAX);
    if (s.len > 0 && s.ptr[0] == '"') {
        size_t end = 1;
        while (end < s.len && s.ptr[end] != '"') {
            end += s.ptr[end] == '\\' && end + 1 < s.len && s.ptr[end + 1] == '"' ? 2 : 1;
        }
        *ret_value = lt_slice_sub(s, 1, end - 1);
        *rest = lt_slice_sub(s, end + 1, SIZE_MAX);
        return end < s.len && ret_name->len > 0;
    }
    size_t end = lt_slice_find(s, ';');
    *ret_value = trim(lt_slice_sub(s, 0, end));
    *rest = lt_slice_sub(s, end, SIZE_MAX);
    return ret_name->len > 0;
}

/*= RFC 2046 5.1.1 "consisting of 1 to 70 characters from a set of characters known to be very robust through
 * mail gateways, and NOT ending with white space" */
static bool is_boundary(lt_slice s)
{
    enum { MOST = 70 };
    bool good = s.len > 0 && s.len <= MOST && s.ptr[s.len - 1] != ' ';
    for (size_t i = 0; i < s.len && good; i++) {
        uint8_t c = s.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c != 0 && strchr("'()+_,-./:=? ", c) != NULL);
    }
    return good;
}

lt_res http_multipart_begin(struct http_multipart *m, lt_slice content_type)
{
    lt_slice rest = lt_slice_sub(content_type, lt_slice_find(content_type, ';'), SIZE_MAX);
    lt_slice boundary = {0};
    lt_slice name;
    lt_slice value;
    while (next_parameter(&rest, &name, &value)) {
        if (lt_slice_eq_nocase(name, LT_LIT("boundary"))) {
            LT_CHECK(boundary.len == 0, LT_PEER_MALFORMED, "two boundaries");
            boundary = value;
        }
    }
    LT_CHECK(is_boundary(boundary), LT_PEER_MALFORMED, "a form with files, and no boundary between them");
    memset(m, 0, sizeof *m);
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
    m->delimiter_len = 4 + boundary.len;
    m->matched = 2; /* the first one begins the body: no end of line is before it */
    return LT_OK;
}

/* ---- the head of a part ---- */

static bool keep(lt_slice value, char *out, size_t most)
{
    bool good = value.len <= most;
    for (size_t i = 0; i < value.len && good; i++) {
        good = value.ptr[i] >= 0x20 && value.ptr[i] != 0x7f;
        out[i] = (char)value.ptr[i];
    }
    out[good ? value.len : 0] = '\0';
    return good;
}

/*= RFC 7578 4.2 "Each part MUST contain a Content-Disposition header field [RFC2183] where the disposition
 * type is "form-data". The Content-Disposition header field MUST also contain an additional parameter of
 * "name"" */
static lt_res read_disposition(struct http_multipart *m, lt_slice value)
{
    lt_slice type = trim(lt_slice_sub(value, 0, lt_slice_find(value, ';')));
    lt_slice rest = lt_slice_sub(value, lt_slice_find(value, ';'), SIZE_MAX);
    lt_slice name;
    lt_slice text;
    LT_CHECK(lt_slice_eq_nocase(type, LT_LIT("form-data")) && m->name[0] == '\0' && !m->is_file,
             LT_PEER_MALFORMED, "a part of a form that is none");
    while (next_parameter(&rest, &name, &text)) {
        if (lt_slice_eq_nocase(name, LT_LIT("name"))) {
            LT_CHECK(m->name[0] == '\0' && keep(text, m->name, HTTP_MULTIPART_NAME_MAX), LT_PEER_MALFORMED,
                     "the name of a field is over the limit, or there are two");
        } else if (lt_slice_eq_nocase(name, LT_LIT("filename"))) {
            LT_CHECK(!m->is_file && keep(text, m->filename, HTTP_MULTIPART_FILENAME_MAX), LT_PEER_MALFORMED,
                     "the name of a file is over the limit, or there are two");
            m->is_file = true;
        }
    }
    LT_CHECK(trim(rest).len == 0, LT_PEER_MALFORMED, "the head of a part cannot be read");
    return LT_OK;
}

/*= RFC 7578 4.7 "Senders SHOULD NOT generate any parts with a Content-Transfer-Encoding header field." */
static bool is_plain(lt_slice encoding)
{
    return lt_slice_eq_nocase(encoding, LT_LIT("binary")) || lt_slice_eq_nocase(encoding, LT_LIT("8bit")) ||
           lt_slice_eq_nocase(encoding, LT_LIT("7bit"));
}

static lt_res read_line(struct http_multipart *m, lt_slice line)
{
    size_t colon = lt_slice_find(line, ':');
    lt_slice name = lt_slice_sub(line, 0, colon);
    lt_slice value = trim(lt_slice_sub(line, colon + 1, SIZE_MAX));
    LT_CHECK(colon > 0 && colon < line.len && trim(name).len == name.len, LT_PEER_MALFORMED,
             "the head of a part cannot be read");
    if (lt_slice_eq_nocase(name, LT_LIT("content-disposition"))) {
        return read_disposition(m, value);
    }
    if (lt_slice_eq_nocase(name, LT_LIT("content-type"))) {
        LT_CHECK(keep(value, m->type, HTTP_MULTIPART_TYPE_MAX), LT_PEER_MALFORMED,
                 "the type of a part is over the limit");
    }
    LT_CHECK(!lt_slice_eq_nocase(name, LT_LIT("content-transfer-encoding")) || is_plain(value),
             LT_PEER_MALFORMED, "a part that is encoded");
    return LT_OK;
}

static lt_res read_head(struct http_multipart *m)
{
    lt_slice rest = LT_SLICE(m->head, m->head_len - 2); /* without the line that ends it */
    m->name[0] = '\0';
    m->filename[0] = '\0';
    m->type[0] = '\0';
    m->is_file = false;
    while (rest.len > 0) {
        size_t end = lt_slice_find(rest, '\r'); /* every line has one: collect_head saw to it */
        LT_CHECK(end + 1 < rest.len && rest.ptr[end + 1] == '\n', LT_PEER_MALFORMED,
                 "the head of a part cannot be read");
        LT_TRY(read_line(m, lt_slice_sub(rest, 0, end)));
        rest = lt_slice_sub(rest, end + 2, SIZE_MAX);
    }
    LT_CHECK(m->name[0] != '\0', LT_PEER_MALFORMED, "a part without a name");
    return LT_OK;
}

/* ---- what comes ---- */

static uint8_t take(lt_slice *in)
{
    uint8_t c = in->ptr[0];
    *in = lt_slice_sub(*in, 1, SIZE_MAX);
    return c;
}

static lt_res match_first(struct http_multipart *m, lt_slice *in)
{
    while (in->len > 0 && m->matched < m->delimiter_len) {
        LT_CHECK(take(in) == m->delimiter[m->matched++], LT_PEER_MALFORMED,
                 "the form does not begin with its boundary");
    }
    if (m->matched == m->delimiter_len) {
        m->state = MULTIPART_AFTER;
        m->matched = 0;
    }
    return LT_OK;
}

static lt_res read_after(struct http_multipart *m, lt_slice *in)
{
    uint8_t c = take(in);
    if (m->matched == 0) {
        LT_CHECK(c == '\r' || c == '-', LT_PEER_MALFORMED, "the boundary of the form goes on");
        m->first = c;
        m->matched = 1;
        return LT_OK;
    }
    LT_CHECK(c == (m->first == '\r' ? '\n' : '-'), LT_PEER_MALFORMED, "the boundary of the form goes on");
    m->state = m->first == '\r' ? MULTIPART_HEAD : MULTIPART_DONE;
    m->matched = 0;
    m->head_len = 0;
    LT_CHECK(m->state != MULTIPART_HEAD || m->parts++ < HTTP_MULTIPART_PARTS_MAX, LT_PEER_TOO_LARGE,
             "too many parts in the form");
    LT_CHECK(m->state != MULTIPART_DONE || m->parts > 0, LT_PEER_MALFORMED, "a form without parts");
    return LT_OK;
}

static lt_res collect_head(struct http_multipart *m, lt_slice *in, enum http_multipart_event *ret_event)
{
    LT_CHECK(m->head_len < sizeof m->head, LT_PEER_TOO_LARGE, "the head of a part is over the limit");
    m->head[m->head_len++] = take(in);
    if (lt_slice_ends(LT_SLICE(m->head, m->head_len), LT_LIT("\r\n\r\n"))) {
        LT_TRY(read_head(m));
        m->state = MULTIPART_DATA;
        *ret_event = HTTP_MULTIPART_PART;
    }
    return LT_OK;
}

/* No boundary has a CR: what began like a delimiter and was none begins no other before its end. */
static void read_data(struct http_multipart *m, lt_slice *in, enum http_multipart_event *ret_event,
                      lt_slice *ret_run)
{
    size_t plain = m->matched == 0 ? lt_slice_find(*in, '\r') : 0;
    if (plain > 0) {
        *ret_run = lt_slice_sub(*in, 0, plain);
        *in = lt_slice_sub(*in, plain, SIZE_MAX);
        *ret_event = HTTP_MULTIPART_DATA;
        return;
    }
    while (in->len > 0 && m->matched < m->delimiter_len && in->ptr[0] == m->delimiter[m->matched]) {
        (void)take(in);
        m->matched++;
    }
    if (m->matched == m->delimiter_len) {
        m->state = MULTIPART_AFTER;
        m->matched = 0;
        *ret_event = HTTP_MULTIPART_END;
    } else if (in->len > 0) {
        *ret_run = LT_SLICE(m->delimiter, m->matched);
        m->matched = 0;
        *ret_event = HTTP_MULTIPART_DATA;
    }
}

static lt_res read_end(struct http_multipart *m, lt_slice *in)
{
    LT_CHECK(m->state == MULTIPART_DONE && take(in) == (m->matched == 0 ? '\r' : '\n'), LT_PEER_MALFORMED,
             "something behind the end of the form");
    m->matched++;
    m->state = m->matched == 2 ? MULTIPART_OVER : m->state;
    return LT_OK;
}

lt_res http_multipart_next(struct http_multipart *m, lt_slice *in, enum http_multipart_event *ret_event,
                           lt_slice *ret_run)
{
    *ret_event = HTTP_MULTIPART_MORE;
    *ret_run = (lt_slice){0};
    while (in->len > 0 && *ret_event == HTTP_MULTIPART_MORE) {
        switch (m->state) {
        case MULTIPART_START:
            LT_TRY(match_first(m, in));
            break;
        case MULTIPART_AFTER:
            LT_TRY(read_after(m, in));
            break;
        case MULTIPART_HEAD:
            LT_TRY(collect_head(m, in, ret_event));
            break;
        case MULTIPART_DATA:
            read_data(m, in, ret_event, ret_run);
            break;
        case MULTIPART_DONE:
        case MULTIPART_OVER:
            LT_TRY(read_end(m, in));
            break;
        }
    }
    return LT_OK;
}

bool http_multipart_whole(const struct http_multipart *m)
{
    return (m->state == MULTIPART_DONE && m->matched == 0) || m->state == MULTIPART_OVER;
}
