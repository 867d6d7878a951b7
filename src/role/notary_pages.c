/* See notary_pages.h. */
#include "role/notary_pages.h"

#include <string.h>

#include "acme/wire.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "http/form.h"
#include "incident/proof.h"
#include "role/notary_private.h"

static const struct notary_page pages[] = {
    {"/acme/resume/", "resume", {"do"}, NULL},
    {"/validate/", "validate", {"do"}, NULL},
    {"/acme/contact/", "contact", {"do"}, NULL},
    {"/acme/reissue/", "reissue", {"do", "csr"}, "csr"},
    {"/problem",
     "problem-report",
     {"do", "contact", "name", "consent", "authority", "cause", "clause", "about", "text", "probe"},
     NULL,
     .area = "text",
     .open = true},
    {"/problem/",
     "problem-case",
     {"do", "text", "domain", "method"},
     NULL,
     .area = "text",
     .clean = {"text", "domain"}},
    {"/oncall/", "oncall", {"do"}, NULL},
    {"/key", "key-proof", {"do", "proof", "contact"}, NULL, .area = "proof", .proofs = "proof", .open = true},
    {"/key/", "key-check", {"do"}, NULL},
    {"/concern/", "concern", {"do", "text"}, NULL, .area = "text", .nameless = true},
};

/* The one thing in a page that is not plain text; the policy names its hash. */
static const char style[] = "body{font:1rem/1.5 sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
                            "table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;"
                            "padding:.2rem 1.5rem .2rem 0;overflow-wrap:anywhere}"
                            "textarea,input:not([type]){width:100%;font:.8rem monospace}"
                            "button{font:inherit;padding:.4rem 1rem;margin:1rem 1rem 0 0}";

enum { POLICY_SIZE = 256, CLEAN_MAX = 256 * 1024 };

const struct notary_page *notary_page_find(lt_slice path, lt_slice *ret_token)
{
    for (size_t i = 0; i < LT_COUNT(pages); i++) {
        lt_slice prefix = lt_slice_cstr(pages[i].prefix);
        if (pages[i].open ? lt_slice_eq(path, prefix) : lt_slice_starts(path, prefix)) {
            *ret_token = lt_slice_sub(path, prefix.len, SIZE_MAX);
            return &pages[i];
        }
    }
    return NULL;
}

bool notary_page_token(lt_slice token)
{
    bool good = token.len >= NOTARY_PAGE_TOKEN_MIN && token.len <= NOTARY_PAGE_TOKEN_MAX;
    for (size_t i = 0; i < token.len && good; i++) {
        uint8_t c = token.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    }
    return good;
}

void notary_page_escape(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
            lt_buf_addf(out, "&#%u;", c);
        } else {
            lt_buf_add_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
        }
    }
}

static void add(struct lt_buf *out, const char *before, const char *text, const char *after)
{
    lt_buf_add_cstr(out, before);
    notary_page_escape(out, lt_slice_cstr(text));
    lt_buf_add_cstr(out, after);
}

static void add_rows(struct lt_buf *out, const Ipc__PageReply *page)
{
    if (page->n_rows > 0) {
        lt_buf_add_cstr(out, "<table>\n");
        for (size_t i = 0; i < page->n_rows; i++) {
            add(out, "<tr><th scope=\"row\">", page->rows[i]->name, "</th>");
            add(out, "<td>", page->rows[i]->value, "</td></tr>\n");
        }
        lt_buf_add_cstr(out, "</table>\n");
    }
    if (page->n_items > 0) {
        lt_buf_add_cstr(out, "<ul>\n");
        for (size_t i = 0; i < page->n_items; i++) {
            add(out, "<li>", page->items[i], "</li>\n");
        }
        lt_buf_add_cstr(out, "</ul>\n");
    }
}

static void add_area(struct lt_buf *out, const Ipc__PageArea *area)
{
    if (area->flag) {
        add(out, "<p><label><input type=\"checkbox\" name=\"", area->name, "\" value=\"yes\"> ");
        add(out, "", area->label, "</label></p>\n");
        return;
    }
    add(out, "<p><label>", area->label, "<br>");
    if (area->n_choices > 0) {
        add(out, "<select name=\"", area->name, "\">");
        for (size_t i = 0; i + 1 < area->n_choices; i += 2) {
            add(out, "<option value=\"", area->choices[i], "\">");
            add(out, "", area->choices[i + 1], "</option>");
        }
        lt_buf_add_cstr(out, "</select></label></p>\n");
    } else if (area->rows == 0) {
        add(out, "<input name=\"", area->name, "\" maxlength=\"1000\"></label></p>\n");
    } else {
        add(out, "<textarea name=\"", area->name, "\"");
        lt_buf_addf(out, " rows=\"%u\"></textarea></label></p>\n", area->rows);
    }
}

void notary_page_html(struct lt_buf *out, const Ipc__PageReply *page)
{
    lt_buf_add_cstr(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n"
                         "<meta name=\"robots\" content=\"noindex\">\n");
    add(out, "<title>", page->title, "</title>\n");
    lt_buf_addf(out, "<style>%s</style></head><body><main>\n", style);
    add(out, "<h1>", page->title, "</h1>\n");
    for (size_t i = 0; i < page->n_paragraphs; i++) {
        add(out, "<p>", page->paragraphs[i], "</p>\n");
    }
    add_rows(out, page);
    if (page->n_buttons > 0) {
        lt_buf_add_cstr(out, "<form method=\"post\">\n");
        for (size_t i = 0; i < page->n_areas; i++) {
            add_area(out, page->areas[i]);
        }
        for (size_t i = 0; i < page->n_buttons; i++) {
            add(out, "<button name=\"", page->buttons[i]->name, "\"");
            add(out, " value=\"", page->buttons[i]->value, "\">");
            add(out, "", page->buttons[i]->label, "</button>\n");
        }
        lt_buf_add_cstr(out, "</form>\n");
    }
    lt_buf_add_cstr(out, "</main></body></html>\n");
}

const char *notary_page_policy(void)
{
    static char policy[POLICY_SIZE];
    if (policy[0] == '\0') {
        uint8_t hash[CRYPTO_SHA256_LEN];
        struct lt_buf text;
        lt_buf_init(&text, sizeof policy);
        crypto_sha256(lt_slice_cstr(style), hash);
        lt_buf_add_cstr(&text, "default-src 'none'; style-src 'sha256-");
        lt_base64_add(&text, LT_SLICE(hash, sizeof hash));
        lt_buf_add_cstr(
            &text, "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-forms");
        LT_ASSERT(!text.overflow && text.len < sizeof policy);
        memcpy(policy, text.ptr, text.len);
        lt_buf_done(&text);
    }
    return policy;
}

/* --- requests ------------------------------------------------------------------------------------------- */

/* For programs that send the forms of people: the same words without their looks. */
static void page_json(struct lt_buf *out, const Ipc__PageReply *page)
{
    lt_buf_add_cstr(out, "{\"title\":");
    lt_json_add_string(out, lt_slice_cstr(page->title));
    lt_buf_add_cstr(out, ",\"text\":[");
    for (size_t i = 0; i < page->n_paragraphs; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(page->paragraphs[i]));
    }
    lt_buf_add_cstr(out, "],\"rows\":{");
    for (size_t i = 0; i < page->n_rows; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(page->rows[i]->name));
        lt_buf_add_byte(out, ':');
        lt_json_add_string(out, lt_slice_cstr(page->rows[i]->value));
    }
    lt_buf_add_cstr(out, "},\"items\":[");
    for (size_t i = 0; i < page->n_items; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(page->items[i]));
    }
    lt_buf_add_cstr(out, "]}\n");
}

lt_res notary_page_answer(struct notary *n, struct notary_request *q, const Ipc__PageReply *page)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Cache-Control", "no-store");
    wire_header(&w, "Content-Security-Policy", "%s", notary_page_policy());
    wire_header(&w, "X-Content-Type-Options", "nosniff");
    wire_header(&w, "X-Frame-Options", "DENY");
    wire_header(&w, "Referrer-Policy", "no-referrer"); /* the path is a right */
    if (page->status == 405) {
        wire_header(&w, "Allow", "GET, HEAD, POST");
    }
    if (page->status == 503) {
        wire_header(&w, "Retry-After", "2");
    }
    if (q->page_json) {
        page_json(&n->body, page);
    } else {
        notary_page_html(&n->body, page);
    }
    wire_finish(&w, page->status, q->page_json ? "application/json" : "text/html; charset=utf-8");
    return notary_answer(n, q, &w.http);
}

lt_res notary_page_refuse(struct notary *n, struct notary_request *q, uint32_t status, const char *why)
{
    Ipc__PageReply page = IPC__PAGE_REPLY__INIT;
    char *title = lt_arena_cstr(&n->answer, lt_slice_cstr(status == 503 ? "Not just now" : "Nothing here"));
    char *text = lt_arena_cstr(&n->answer, lt_slice_cstr(why));
    LT_ASSERT(title != NULL && text != NULL); /* nothing else is in there yet */
    page.status = status;
    page.title = title;
    page.paragraphs = &text;
    page.n_paragraphs = 1;
    return notary_page_answer(n, q, &page);
}

/* Browsers end lines with CR LF. */
static lt_res without_cr(struct lt_arena *a, lt_slice text, lt_slice *ret_text)
{
    uint8_t *out = lt_arena_alloc(a, text.len + 1);
    size_t len = 0;
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\r') {
            out[len++] = text.ptr[i];
        }
    }
    *ret_text = LT_SLICE(out, len);
    return LT_OK;
}

/* Strangers' requests are taken apart here, as in finalize. */
static lt_res read_requests(struct notary *n, struct notary_request *q, lt_slice text, Ipc__PageCall *call)
{
    struct wire_reader r = {.site = &n->options.site, .arena = &q->arena};
    lt_slice label;
    lt_slice der;
    LT_TRY(without_cr(&q->arena, text, &text));
    call->requests = LT_NEW_ARRAY(&q->arena, Ipc__AcmeFinalize *, NOTARY_PAGE_REQUESTS_MAX);
    LT_CHECK(call->requests != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (;;) {
        lt_res next = lt_pem_next(&q->arena, &text, &label, &der);
        if (next.code == LT_PEER_NOT_FOUND && call->n_requests > 0) {
            return LT_OK;
        }
        LT_CHECK(!lt_failed(next), LT_PEER_MALFORMED,
                 "Paste certificate requests, each from its BEGIN to its END CERTIFICATE REQUEST.");
        LT_CHECK(call->n_requests < NOTARY_PAGE_REQUESTS_MAX, LT_PEER_TOO_LARGE,
                 "At most %d certificate requests at a time.", NOTARY_PAGE_REQUESTS_MAX);
        Ipc__AcmeFinalize *f = LT_NEW(&q->arena, Ipc__AcmeFinalize);
        LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        ipc__acme_finalize__init(f);
        lt_res read = wire_read_csr(&r, der, f);
        char *why = lt_arena_cstr(&q->arena, lt_slice_cstr(lt_failed(read) ? lt_error_last()->detail : ""));
        LT_CHECK(!lt_failed(read), LT_PEER_MALFORMED, "Certificate request %zu is none that we take: %.150s",
                 call->n_requests + 1, why == NULL ? "" : why);
        call->requests[call->n_requests++] = f;
    }
}

/* Verified here; a private key among them goes no further than this. */
static lt_res tell_proofs(struct notary_request *q, struct incident_proofs *found, Ipc__PageCall *call)
{
    LT_TRY(incident_proof_finish(&q->arena, found));
    call->proofs = LT_NEW_ARRAY(&q->arena, Ipc__KeyProof *, found->count + 1);
    LT_CHECK(call->proofs != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < found->count; i++) {
        Ipc__KeyProof *m = LT_NEW(&q->arena, Ipc__KeyProof);
        LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        LT_TRY(incident_proof_message(&found->list[i], &q->arena, m));
        call->proofs[call->n_proofs++] = m;
    }
    return LT_OK;
}

/* A text in which there may be proofs: what goes on has the hashes of a private key in its place. */
static lt_res clean(struct notary_request *q, struct incident_proofs *found, lt_slice *text)
{
    size_t first = found->count;
    struct lt_buf out;
    LT_TRY(incident_proof_look(*text, &q->arena, found));
    lt_buf_init(&out, CLEAN_MAX);
    incident_proof_redact(*text, found, first, &out);
    *text = out.overflow ? (lt_slice){0} : lt_arena_copy(&q->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_CHECK(text->ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static bool is_among(const char *const names[NOTARY_PAGE_FIELDS_MAX], lt_slice field)
{
    for (size_t i = 0; i < NOTARY_PAGE_FIELDS_MAX && names[i] != NULL; i++) {
        if (lt_slice_eq_cstr(field, names[i])) {
            return true;
        }
    }
    return false;
}

static lt_res read_field(struct notary_request *q, lt_slice name, lt_slice value, Ipc__PageCall *call)
{
    Ipc__PageField *f = LT_NEW(&q->arena, Ipc__PageField);
    LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__page_field__init(f);
    f->name = lt_arena_cstr(&q->arena, name);
    f->value = lt_arena_cstr(&q->arena, value);
    LT_CHECK(f->name != NULL && f->value != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    call->fields[call->n_fields++] = f;
    return LT_OK;
}

static lt_res read_form(struct notary *n, struct notary_request *q, const struct notary_page *page,
                        Ipc__PageCall *call)
{
    struct http_form form;
    struct incident_proofs *found = LT_NEW(&q->arena, struct incident_proofs);
    LT_TRY(
        http_form_parse_area(q->raw, page->requests != NULL ? page->requests : page->area, &q->arena, &form));
    call->fields = LT_NEW_ARRAY(&q->arena, Ipc__PageField *, form.count + 1);
    LT_CHECK(call->fields != NULL && found != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < form.count; i++) {
        lt_slice name = form.fields[i].name;
        lt_slice value = form.fields[i].value;
        LT_CHECK(is_among(page->fields, name), LT_PEER_MALFORMED, "the form has no such field");
        if (page->requests != NULL && lt_slice_eq_cstr(name, page->requests)) {
            LT_TRY(value.len == 0 ? LT_OK : read_requests(n, q, value, call));
        } else if (page->proofs != NULL && lt_slice_eq_cstr(name, page->proofs)) {
            LT_TRY(incident_proof_look(value, &q->arena, found));
        } else {
            LT_TRY(is_among(page->clean, name) ? clean(q, found, &value) : LT_OK);
            LT_TRY(read_field(q, name, value, call));
        }
    }
    LT_TRY(found->count > 0 ? tell_proofs(q, found, call) : LT_OK);
    if (page->proofs != NULL || found->count > 0) { /* the messages have copies of what may be kept */
        for (size_t i = 0; i < form.count; i++) {
            lt_slice value = form.fields[i].value;
            if (value.len > 0) {
                explicit_bzero((void *)(uintptr_t)value.ptr, value.len);
            }
        }
        explicit_bzero((void *)(uintptr_t)q->raw.ptr, q->raw.len);
    }
    return LT_OK;
}

lt_res notary_page_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    lt_slice token = {0};
    const struct notary_page *page = notary_page_find(lt_slice_cstr(m->path), &token);
    Ipc__PageCall call = IPC__PAGE_CALL__INIT;
    q->page_json = strstr(m->accept, "application/json") != NULL;
    call.post = strcmp(m->method, "POST") == 0;
    bool get = strcmp(m->method, "GET") == 0 || q->head;
    if (page == NULL || strcmp(m->listener, "https") != 0 || m->query[0] != '\0' ||
        !(page->open || notary_page_token(token))) {
        return notary_page_refuse(n, q, 404, "This link leads nowhere. Is it whole?");
    }
    if (!get && !call.post) {
        return notary_page_refuse(n, q, 405, "This page is looked at, or its form is sent; nothing else.");
    }
    if (call.post && !http_form_is(lt_slice_cstr(m->content_type))) {
        return notary_page_refuse(n, q, 415, "This page takes its own form alone.");
    }
    lt_res r = call.post ? read_form(n, q, page, &call) : LT_OK;
    if (lt_failed(r)) {
        return notary_page_refuse(n, q, r.code == LT_PEER_TOO_LARGE ? 413 : 400, lt_error_last()->detail);
    }
    call.page = lt_arena_cstr(&q->arena, lt_slice_cstr(page->name));
    call.token = lt_arena_cstr(&q->arena, token);
    if (!page->nameless) {
        call.remote_address = q->remote_address;
        call.user_agent = q->user_agent;
    }
    if (call.page == NULL || call.token == NULL) {
        return notary_page_refuse(n, q, 413, "the request is over the limit");
    }
    return notary_ask(n, q, IPC_REGISTRAR, &(struct notary_question){IPC_PAGE_CALL, NOTARY_PAGE, &call.base});
}

lt_res notary_page_reply(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__PageReply *reply = (const Ipc__PageReply *)(const void *)m->body;
    struct notary_request *q = notary_waiting(n, m->from.id, NOTARY_PAGE);
    return q == NULL ? LT_OK : notary_page_answer(n, q, reply);
}
