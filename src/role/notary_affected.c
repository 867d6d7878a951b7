/* "Is my certificate hit?": the page at /affected, for anybody, without a token. A reader looks into the
 * lists of incidents that were published (incident/affected_ask.c); this file reads what was asked for and
 * writes what the reader says as a page, or passes it on as JSON (a path that ends with .json).
 *
 *   /affected                    the incidents, and a form
 *   /affected/incident/12
 *   /affected/certificate/HEX    a serial number, or the SHA-256 of the certificate
 *   /affected/account/123        number of an ACME account
 *   /affected/12.csv             the whole list: a file, the gateway's */
#include <jansson.h>
#include <string.h>

#include "acme/wire.h"
#include "base/text.h"
#include "http/form.h"
#include "role/notary_html.h"
#include "role/notary_pages.h"
#include "role/notary_private.h"

#define PREFIX "/affected"
#define JSON_ENDING ".json"

enum { ASKED_MAX = 300, SERIAL_MAX = 20, SHA256_LEN = 32, ACCOUNT_DIGITS = 19 };

bool notary_affected_is(lt_slice path)
{
    return lt_slice_eq_cstr(path, PREFIX) || lt_slice_starts(path, LT_LIT(PREFIX "/"));
}

/* ---- what is asked for ---- */

static lt_res read_hex(struct lt_arena *a, lt_slice text, Ipc__Query *query)
{
    uint8_t *bare = lt_arena_alloc(a, text.len + 1);
    size_t len = 0;
    lt_slice bytes;
    LT_CHECK(bare != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != ':' && text.ptr[i] != ' ') {
            bare[len++] = text.ptr[i];
        }
    }
    LT_CHECK(!lt_failed(lt_unhex(a, LT_SLICE(bare, len), &bytes)) && bytes.len > 0 &&
                 (bytes.len <= SERIAL_MAX || bytes.len == SHA256_LEN),
             LT_PEER_MALFORMED,
             "That is no serial number (hexadecimal), no SHA-256 fingerprint, no name and no account.");
    ProtobufCBinaryData data = {bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
    if (bytes.len == SHA256_LEN) {
        query->sha256 = data;
    } else {
        query->serial = data;
    }
    return LT_OK;
}

static lt_res read_account(lt_slice text, Ipc__Query *query)
{
    uint64_t number = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(text, INT64_MAX, &number)) && number > 0, LT_PEER_MALFORMED,
             "An account is a number: the end of its URL.");
    query->account_id = (int64_t)number;
    return LT_OK;
}

static bool is_number(lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && s.ptr[0] == ' ') {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && s.ptr[s.len - 1] == ' ') {
        s.len--;
    }
    return s;
}

/* What somebody typed: a number that is no longer than accounts are is one; what has a dot is a name. */
static lt_res read_asked(struct lt_arena *a, lt_slice text, Ipc__Query *query)
{
    text = trim(text);
    LT_CHECK(text.len > 0 && text.len <= ASKED_MAX, LT_PEER_MALFORMED,
             "Write a serial number, a fingerprint, a name or an account.");
    size_t slash = 0;
    for (size_t i = 0; i < text.len; i++) {
        slash = text.ptr[i] == '/' ? i + 1 : slash;
    }
    if (slash > 0) { /* the URL of an account */
        return read_account(lt_slice_sub(text, slash, SIZE_MAX), query);
    }
    if (is_number(text) && text.len <= ACCOUNT_DIGITS) {
        return read_account(text, query);
    }
    if (lt_slice_find(text, '.') == text.len) {
        return read_hex(a, text, query);
    }
    query->name = lt_arena_cstr(a, text);
    LT_CHECK(query->name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (char *c = query->name; *c != '\0'; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    return LT_OK;
}

static lt_res read_path(struct lt_arena *a, lt_slice rest, Ipc__Query *query)
{
    lt_slice head;
    if (!lt_slice_split(&rest, '/', &head)) {
        return LT_OK;
    }
    if (lt_slice_eq_cstr(head, "certificate")) {
        return read_hex(a, rest, query);
    }
    if (lt_slice_eq_cstr(head, "account")) {
        return read_account(rest, query);
    }
    LT_CHECK(lt_slice_eq_cstr(head, "incident") && is_number(rest) && rest.len <= ACCOUNT_DIGITS,
             LT_PEER_NOT_FOUND, "This link leads nowhere. Is it whole?");
    query->id = lt_arena_cstr(a, rest);
    LT_CHECK(query->id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res read_form(struct notary_request *q, Ipc__Query *query)
{
    struct http_form form;
    LT_TRY(http_form_parse_area(q->raw, NULL, &q->arena, &form));
    for (size_t i = 0; i < form.count; i++) {
        if (lt_slice_eq_cstr(form.fields[i].name, "q")) {
            return read_asked(&q->arena, form.fields[i].value, query);
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "Write a serial number, a fingerprint, a name or an account.");
}

lt_res notary_affected_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    Ipc__Query query = IPC__QUERY__INIT;
    lt_slice rest = lt_slice_sub(lt_slice_cstr(m->path), sizeof PREFIX, SIZE_MAX); /* behind the slash */
    bool post = strcmp(m->method, "POST") == 0;
    q->is_affected = true;
    q->affected_form = rest.len == 0;
    q->affected_json = lt_slice_ends(rest, LT_LIT(JSON_ENDING));
    if (strcmp(m->listener, "https") != 0 || m->query[0] != '\0' || (post && rest.len > 0)) {
        return notary_page_refuse(n, q, 404, "This link leads nowhere. Is it whole?");
    }
    if (!post && !q->head && strcmp(m->method, "GET") != 0) {
        return notary_page_refuse(n, q, 405, "This page is looked at, or its form is sent; nothing else.");
    }
    if (post && !http_form_is(lt_slice_cstr(m->content_type))) {
        return notary_page_refuse(n, q, 415, "This page takes its own form alone.");
    }
    rest.len -= q->affected_json ? sizeof JSON_ENDING - 1 : 0;
    lt_res r = post ? read_form(q, &query) : read_path(&q->arena, rest, &query);
    if (lt_failed(r)) {
        return notary_page_refuse(n, q, r.code == LT_PEER_NOT_FOUND ? 404 : 400, lt_error_last()->detail);
    }
    q->affected_asked = post || rest.len > 0;
    q->affected_incident = query.id[0] != '\0';
    query.what = (char *)(uintptr_t) "affected"; /* only read */
    return notary_ask(n, q, IPC_READER, &(struct notary_question){IPC_QUERY, NOTARY_QUERY, &query.base});
}

/* ---- what is said ---- */

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    return value == NULL ? "" : value;
}

static int64_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void add_title(struct lt_buf *out, const json_t *i)
{
    lt_buf_addf(out, "<section><h2 id=\"incident-%lld\">Incident %lld: ", (long long)number(i, "incident"),
                (long long)number(i, "incident"));
    notary_html_add(out, "", text(i, "title"), "</h2>\n");
}

static void add_incident(struct lt_buf *out, const json_t *i)
{
    add_title(out, i);
    if (text(i, "words")[0] != '\0') {
        notary_html_add(out, "<p class=\"words\">", text(i, "words"), "</p>\n");
    }
    if (number(i, "of_account") > 0) {
        lt_buf_add_cstr(out,
                        "<p>Certificates of this account that were in it when its subscriber was told: ");
        notary_html_number(out, number(i, "of_account"));
        lt_buf_add_cstr(out, ".</p>\n");
    }
    if (text(i, "deadline")[0] != '\0') {
        notary_html_add(out, "<p><strong>These certificates will have been revoked by ", text(i, "deadline"),
                        ". Replace them before.</strong></p>\n");
    }
    if (number(i, "rows") > 0) {
        lt_buf_addf(
            out, "<p><a href=\"/affected/%lld.csv\">The whole list</a>: ", (long long)number(i, "incident"));
        notary_html_number(out, number(i, "rows"));
        lt_buf_addf(out, " certificates, is the file /affected/%lld.csv.</p></section>\n",
                    (long long)number(i, "incident"));
    } else {
        lt_buf_add_cstr(out, "<p>The whole list is being written.</p></section>\n");
    }
}

static void add_certificate(struct lt_buf *out, const json_t *c)
{
    bool revoked = text(c, "revoked")[0] != '\0';
    bool replaced = json_is_true(json_object_get(c, "replaced"));
    notary_html_add(out, "<tr><th scope=\"row\" class=\"mono\">", text(c, "serial"), "</th>");
    notary_html_add(out, "<td>", text(c, "issuer"), "</td>");
    notary_html_add(out, "<td>", text(c, "expires"), "</td><td>");
    notary_html_tag(out, revoked ? "warning" : "", text(c, "status"));
    notary_html_add(out, revoked ? " since " : "", text(c, "revoked"), "</td><td>");
    notary_html_tag(out, replaced ? "good" : "bad", replaced ? "replaced" : "not replaced");
    lt_buf_addf(out, "</td><td><a href=\"#incident-%lld\">%lld</a></td></tr>\n",
                (long long)number(c, "incident"), (long long)number(c, "incident"));
}

static void add_certificates(struct lt_buf *out, const json_t *list)
{
    size_t i;
    const json_t *row;
    if (json_array_size(list) == 0) {
        return;
    }
    lt_buf_add_cstr(out,
                    "<div class=\"wide\" role=\"region\" aria-label=\"Certificates\" tabindex=\"0\"><table>"
                    "<caption>Certificates</caption><thead><tr><th scope=\"col\">Serial number</th>"
                    "<th scope=\"col\">Issuer</th><th scope=\"col\">Expires</th>"
                    "<th scope=\"col\">State</th><th scope=\"col\">Replacement</th>"
                    "<th scope=\"col\">Incident</th></tr></thead><tbody>\n");
    json_array_foreach(list, i, row)
    {
        add_certificate(out, row);
    }
    lt_buf_add_cstr(out, "</tbody></table></div>\n");
}

static void add_form(struct lt_buf *out)
{
    lt_buf_add_cstr(out,
                    "<form method=\"post\" action=\"" PREFIX "\"><div class=\"field\">"
                    "<label for=\"q\">Which certificate, or which account?</label>"
                    "<p class=\"hint\" id=\"q-hint\">Its serial number, its SHA-256 fingerprint, a name in "
                    "it, or the URL or number of your ACME account.</p>"
                    "<input type=\"text\" id=\"q\" name=\"q\" maxlength=\"300\" spellcheck=\"false\" "
                    "autocapitalize=\"none\" aria-describedby=\"q-hint\" required></div>"
                    "<button name=\"do\" value=\"look\">Look it up</button></form>\n");
}

struct outcome {
    bool asked;
    bool hit;
    bool more;
};

static void add_outcome(struct lt_buf *out, const struct outcome *o)
{
    if (o->asked && o->hit) {
        lt_buf_add_cstr(out,
                        "<div class=\"box bad\" role=\"status\"><p>What you asked for is in the list of an "
                        "incident: get a new certificate, and install it, before the day below. "
                        "<a href=\"/get-certificates\">How to get one</a>.</p></div>\n");
        lt_buf_add_cstr(out, !o->more ? ""
                                      : "<p>There may be more than is shown here: look into the whole "
                                        "list.</p>\n");
    } else if (o->asked && o->more) {
        lt_buf_add_cstr(
            out, "<div class=\"box warning\" role=\"status\"><p>Not all certificates of what you asked "
                 "for were looked at: those that were are in no list that is published here. Ask for "
                 "single ones, or look into the whole list at <a href=\"/affected\">/affected</a>."
                 "</p></div>\n");
    } else if (o->asked) {
        lt_buf_add_cstr(out,
                        "<div class=\"box good\" role=\"status\"><p>What you asked for is in no list of an "
                        "incident that is published here. There is nothing to do.</p></div>\n");
    } else {
        lt_buf_add_cstr(out, "<p class=\"lead\">When certificates of ours have to be revoked, their list is "
                             "published here. Look up whether yours is among them, and by when it has to be "
                             "replaced.</p>\n");
    }
}

static void say_all(struct notary *n, struct notary_request *q, const json_t *answer)
{
    size_t i;
    const json_t *row;
    const json_t *incidents = json_object_get(answer, "incidents");
    bool some = json_array_size(incidents) > 0;
    const struct outcome o = {.asked = q->affected_asked,
                              .hit = number(answer, "found") > 0 || (q->affected_asked && some),
                              .more = json_is_true(json_object_get(answer, "more"))};
    bool one = q->affected_asked && q->affected_incident;
    const struct notary_frame frame = {.name = n->options.site.name,
                                       .here = q->affected_form ? PREFIX : "",
                                       .index = true,
                                       .title = one        ? "Certificates of an incident"
                                                : !o.asked ? "Is your certificate affected?"
                                                : o.hit    ? "Yes: certificates must be replaced"
                                                           : "No: it is not affected"};
    notary_html_begin(&n->body, &frame);
    if (!one) {
        add_outcome(&n->body, &o);
    }
    if (q->affected_form) {
        add_form(&n->body);
    }
    add_certificates(&n->body, json_object_get(answer, "certificates"));
    json_array_foreach(incidents, i, row)
    {
        add_incident(&n->body, row);
    }
    if (!q->affected_form) {
        lt_buf_add_cstr(&n->body, "<p><a href=\"" PREFIX "\">Look up another</a></p>\n");
    }
    if (!some && !o.asked) {
        lt_buf_add_cstr(&n->body, "<div class=\"box good\"><p>No incident has a list just now.</p></div>\n");
    }
    notary_html_end(&n->body);
}

static lt_res answer_json(struct notary *n, struct notary_request *q, const Ipc__QueryReply *reply)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Cache-Control", "no-store");
    wire_header(&w, "X-Content-Type-Options", "nosniff");
    lt_buf_add_cstr(&n->body, reply->json);
    wire_finish(&w, 200, "application/json");
    return notary_answer(n, q, &w.http);
}

lt_res notary_affected_reply(struct notary *n, struct notary_request *q, const Ipc__QueryReply *reply)
{
    json_error_t error;
    if (reply->problem != NULL || reply->more) {
        return notary_page_refuse(n, q, 503, "This cannot be looked up just now. Try again in a moment.");
    }
    if (q->affected_json) {
        return answer_json(n, q, reply);
    }
    json_t *answer = json_loads(reply->json, JSON_REJECT_DUPLICATES, &error);
    if (answer == NULL) {
        return notary_page_refuse(n, q, 503, "This cannot be looked up just now. Try again in a moment.");
    }
    struct wire_answer w;
    notary_page_head(n, &w, "no-store");
    say_all(n, q, answer);
    json_decref(answer);
    wire_finish(&w, 200, NOTARY_HTML);
    return notary_answer(n, q, &w.http);
}
