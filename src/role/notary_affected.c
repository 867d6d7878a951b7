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
#include "role/notary_pages.h"
#include "role/notary_private.h"

#define PREFIX "/affected"
#define JSON_ENDING ".json"

enum {
    ASKED_MAX = 300,
    SERIAL_MAX = 20,
    SHA256_LEN = 32,
    TEXTS_MAX = 128,
    ITEMS_MAX = 128,
    ACCOUNT_DIGITS = 19
};

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
    query.what = (char *)(uintptr_t) "affected"; /* only read */
    return notary_ask(n, q, IPC_READER, &(struct notary_question){IPC_QUERY, NOTARY_QUERY, &query.base});
}

/* ---- what is said ---- */

struct saying {
    struct lt_arena *arena;
    Ipc__PageReply page;
    char *texts[TEXTS_MAX];
    char *items[ITEMS_MAX];
    Ipc__PageButton button;
    Ipc__PageButton *buttons[1];
    Ipc__PageArea area;
    Ipc__PageArea *areas[1];
};

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    return value == NULL ? "" : value;
}

static void add_text(struct saying *s, char *line)
{
    if (line != NULL && s->page.n_paragraphs < TEXTS_MAX) {
        s->texts[s->page.n_paragraphs++] = line;
    }
}

static void add_item(struct saying *s, char *line)
{
    if (line != NULL && s->page.n_items < ITEMS_MAX) {
        s->items[s->page.n_items++] = line;
    }
}

static char *copy(struct saying *s, const char *line)
{
    return lt_arena_cstr(s->arena, lt_slice_cstr(line));
}

static void say_incident(struct saying *s, const json_t *i)
{
    long long id = (long long)json_integer_value(json_object_get(i, "incident"));
    long long rows = (long long)json_integer_value(json_object_get(i, "rows"));
    long long mine = (long long)json_integer_value(json_object_get(i, "of_account"));
    const char *deadline = text(i, "deadline");
    add_text(s, lt_arena_printf(s->arena, "Incident %lld: %s", id, text(i, "title")));
    if (text(i, "words")[0] != '\0') {
        add_text(s, copy(s, text(i, "words")));
    }
    if (mine > 0) {
        add_text(s, lt_arena_printf(s->arena,
                                    "Certificates of this account that were in it when its "
                                    "subscriber was told: %lld.",
                                    mine));
    }
    if (deadline[0] != '\0') {
        add_text(s, lt_arena_printf(s->arena,
                                    "These certificates will have been revoked by %s. Replace them before.",
                                    deadline));
    }
    add_text(s, rows > 0 ? lt_arena_printf(
                               s->arena, "The whole list, %lld certificates, is the file /affected/%lld.csv.",
                               rows, id)
                         : copy(s, "The whole list is being written."));
}

static void say_certificate(struct saying *s, const json_t *c)
{
    const char *revoked = text(c, "revoked");
    add_item(s, lt_arena_printf(s->arena, "Incident %lld: serial %s of %s, expires %s: %s%s%s, %s",
                                (long long)json_integer_value(json_object_get(c, "incident")),
                                text(c, "serial"), text(c, "issuer"), text(c, "expires"), text(c, "status"),
                                revoked[0] == '\0' ? "" : " since ", revoked,
                                json_is_true(json_object_get(c, "replaced")) ? "replaced" : "not replaced"));
}

static void say_form(struct saying *s)
{
    ipc__page_area__init(&s->area);
    ipc__page_button__init(&s->button);
    s->area.name = copy(s, "q");
    s->area.label = copy(s, "Serial number, SHA-256 fingerprint, name, or account");
    s->button.name = copy(s, "do");
    s->button.value = copy(s, "look");
    s->button.label = copy(s, "Is it hit?");
    s->areas[0] = &s->area;
    s->buttons[0] = &s->button;
    s->page.areas = s->areas;
    s->page.n_areas = 1;
    s->page.buttons = s->buttons;
    s->page.n_buttons = 1;
}

static void say_all(struct saying *s, const json_t *answer, bool asked)
{
    size_t i;
    const json_t *row;
    long long found = (long long)json_integer_value(json_object_get(answer, "found"));
    const json_t *incidents = json_object_get(answer, "incidents");
    bool more = json_is_true(json_object_get(answer, "more"));
    bool hit = found > 0 || (asked && json_array_size(incidents) > 0);
    s->page.status = 200;
    s->page.paragraphs = s->texts;
    s->page.items = s->items;
    s->page.title = copy(s, !asked ? "Is your certificate hit?"
                            : hit  ? "Yes: certificates must be replaced"
                                   : "Certificates of an incident");
    if (asked && !hit) {
        add_text(s,
                 copy(s, more ? "Not all certificates of what you asked for were looked at: those that "
                                "were are in no list that is published here. Ask for single ones, or look "
                                "into the whole list at /affected."
                              : "What you asked for is in no list of an incident that is published here."));
    }
    json_array_foreach(incidents, i, row)
    {
        say_incident(s, row);
    }
    if (json_array_size(incidents) == 0 && !asked) {
        add_text(s, copy(s, "No incident has a list just now."));
    }
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        say_certificate(s, row);
    }
    if (more && hit) {
        add_text(s, copy(s, "There may be more than is shown here: look into the whole list."));
    }
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
    struct saying *s = LT_NEW(&q->arena, struct saying);
    json_t *answer = json_loads(reply->json, JSON_REJECT_DUPLICATES, &error);
    if (s == NULL || answer == NULL) {
        json_decref(answer);
        return notary_page_refuse(n, q, 503, "This cannot be looked up just now. Try again in a moment.");
    }
    s->arena = &q->arena;
    ipc__page_reply__init(&s->page);
    say_all(s, answer, q->affected_asked);
    if (q->affected_form) {
        say_form(s);
    }
    json_decref(answer);
    bool whole = s->page.title != NULL && (s->page.n_areas == 0 || s->button.label != NULL);
    return whole ? notary_page_answer(n, q, &s->page)
                 : notary_page_refuse(n, q, 413, "the request is over the limit");
}
