/* See notary_pages.h. */
#include "role/notary_pages.h"

#include <string.h>

#include "acme/wire.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "http/form.h"
#include "incident/proof.h"
#include "role/notary_html.h"
#include "role/notary_private.h"

static const struct notary_page pages[] = {
    {"/acme/resume/", "resume", {"do"}, NULL},
    {"/validate/", "validate", {"do"}, NULL},
    {"/acme/contact/", "contact", {"do"}, NULL},
    {"/acme/reissue/", "reissue", {"do", "csr"}, "csr", .areas = {"csr"}},
    {"/problem",
     "problem-report",
     {"do", "contact", "name", "consent", "authority", "cause", "clause", "about", "text", "probe"},
     NULL,
     .areas = {"text", "about"},
     .file = "file",
     .open = true},
    {"/problem/",
     "problem-case",
     {"do", "text", "domain", "method"},
     NULL,
     .areas = {"text"},
     .file = "file",
     .clean = {"text", "domain", "file"}},
    {"/oncall/", "oncall", {"do"}, NULL},
    {"/key",
     "key-proof",
     {"do", "proof", "contact"},
     NULL,
     .areas = {"proof"},
     .file = "file",
     .proofs = "proof",
     .open = true},
    {"/key/", "key-check", {"do"}, NULL},
    {"/concern/", "concern", {"do", "text"}, NULL, .areas = {"text"}, .nameless = true},
};

enum { POLICY_SIZE = 256, CLEAN_MAX = 256 * 1024, FILES_MAX = 128 * 1024, PART_LINES = 200 };

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

const char *notary_page_policy(void)
{
    static char policy[POLICY_SIZE];
    if (policy[0] == '\0') {
        uint8_t hash[CRYPTO_SHA256_LEN];
        struct lt_buf text;
        lt_buf_init(&text, sizeof policy);
        crypto_sha256(lt_slice_cstr(notary_style), hash);
        lt_buf_add_cstr(&text, "default-src 'none'; style-src 'sha256-");
        lt_base64_add(&text, LT_SLICE(hash, sizeof hash));
        lt_buf_add_cstr(&text, "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; sandbox "
                               "allow-forms allow-downloads");
        LT_ASSERT(!text.overflow && text.len < sizeof policy);
        memcpy(policy, text.ptr, text.len);
        lt_buf_done(&text);
    }
    return policy;
}

/* --- requests ------------------------------------------------------------------------------------------- */

/* For programs that send the forms of people: the same words without their looks. */
static void list_json(struct lt_buf *out, const char *key, char *const *texts, size_t count)
{
    lt_buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(texts[i]));
    }
    lt_buf_add_byte(out, ']');
}

static void rows_json(struct lt_buf *out, Ipc__PageRow *const *rows, size_t count)
{
    lt_buf_add_cstr(out, ",\"rows\":{");
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(rows[i]->name));
        lt_buf_add_byte(out, ':');
        lt_json_add_string(out, lt_slice_cstr(rows[i]->value));
    }
    lt_buf_add_byte(out, '}');
}

/* Which fields have to be put right. */
static void wrong_json(struct lt_buf *out, const Ipc__PageReply *page)
{
    bool more = false;
    lt_buf_add_cstr(out, ",\"wrong\":{");
    for (size_t i = 0; i < page->n_areas; i++) {
        if (page->areas[i]->wrong[0] != '\0') {
            lt_buf_add_cstr(out, more ? "," : "");
            lt_json_add_string(out, lt_slice_cstr(page->areas[i]->name));
            lt_buf_add_byte(out, ':');
            lt_json_add_string(out, lt_slice_cstr(page->areas[i]->wrong));
            more = true;
        }
    }
    lt_buf_add_byte(out, '}');
}

static void page_json(struct lt_buf *out, const Ipc__PageReply *page)
{
    lt_buf_add_cstr(out, "{\"title\":");
    lt_json_add_string(out, lt_slice_cstr(page->title));
    list_json(out, "text", page->paragraphs, page->n_paragraphs);
    rows_json(out, page->rows, page->n_rows);
    list_json(out, "items", page->items, page->n_items);
    wrong_json(out, page);
    lt_buf_add_cstr(out, ",\"sections\":[");
    for (size_t i = 0; i < page->n_sections; i++) {
        const Ipc__PageSection *s = page->sections[i];
        lt_buf_add_cstr(out, i == 0 ? "{\"title\":" : ",{\"title\":");
        lt_json_add_string(out, lt_slice_cstr(s->title));
        list_json(out, "text", s->paragraphs, s->n_paragraphs);
        rows_json(out, s->rows, s->n_rows);
        list_json(out, "items", s->items, s->n_items);
        lt_buf_add_byte(out, '}');
    }
    lt_buf_add_cstr(out, "]}\n");
}

void notary_page_head(struct notary *n, struct wire_answer *w, const char *cache)
{
    wire_answer_begin(w, &n->answer, &n->body);
    wire_header(w, "Cache-Control", "%s", cache);
    wire_header(w, "Content-Security-Policy", "%s", notary_page_policy());
    wire_header(w, "X-Content-Type-Options", "nosniff");
    wire_header(w, "X-Frame-Options", "DENY");
    wire_header(w, "Referrer-Policy", "no-referrer"); /* the path is a right */
    wire_header(w, "Cross-Origin-Opener-Policy", "same-origin");
    wire_header(w, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
}

lt_res notary_page_answer(struct notary *n, struct notary_request *q, const Ipc__PageReply *page)
{
    struct wire_answer w;
    notary_page_head(n, &w, "no-store");
    if (page->status == 405) {
        wire_header(&w, "Allow", "GET, HEAD, POST");
    }
    if (page->status == 503) {
        wire_header(&w, "Retry-After", "2");
    }
    if (q->page_json) {
        page_json(&n->body, page);
    } else {
        notary_page_html(&n->body, page, n->options.site.name);
    }
    wire_finish(&w, page->status, q->page_json ? "application/json" : NOTARY_HTML);
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

/* One value of the form: into the call, or where it is judged. */
static lt_res take_value(struct notary *n, struct notary_request *q, const struct notary_page *page,
                         struct incident_proofs *found, const struct http_form_field *f, Ipc__PageCall *call)
{
    lt_slice value = f->value;
    LT_CHECK(is_among(page->fields, f->name), LT_PEER_MALFORMED, "the form has no such field");
    if (page->requests != NULL && lt_slice_eq_cstr(f->name, page->requests)) {
        return value.len == 0 ? LT_OK : read_requests(n, q, value, call);
    }
    if (page->proofs != NULL && lt_slice_eq_cstr(f->name, page->proofs)) {
        return incident_proof_look(value, &q->arena, found);
    }
    LT_TRY(is_among(page->clean, f->name) ? clean(q, found, &value) : LT_OK);
    return read_field(q, f->name, value, call);
}

static lt_res take_files(struct notary_request *q, const struct notary_page *page, lt_slice text,
                         struct incident_proofs *found, Ipc__PageCall *call)
{
    lt_slice name = lt_slice_cstr(page->file);
    if (text.len == 0) {
        return LT_OK;
    }
    if (page->proofs != NULL) {
        return incident_proof_look(text, &q->arena, found);
    }
    LT_TRY(is_among(page->clean, name) ? clean(q, found, &text) : LT_OK);
    return read_field(q, name, text, call);
}

static lt_res may_have_file(const struct notary_page *page, const Ipc__FormPart *p, size_t count)
{
    LT_CHECK(page->file != NULL && strcmp(p->name, page->file) == 0, LT_PEER_MALFORMED,
             "the form has no such file");
    LT_CHECK(count <= NOTARY_PAGE_FILES_MAX, LT_PEER_TOO_LARGE, "At most %d files at a time.",
             NOTARY_PAGE_FILES_MAX);
    return LT_OK;
}

static void wipe(lt_slice s)
{
    if (s.len > 0) {
        explicit_bzero((void *)(uintptr_t)s.ptr, s.len);
    }
}

/* At once, as much as PEM of all of it needs: what grows leaves copies behind. */
static void make_room(struct lt_buf *text, const Ipc__HttpRequest *m)
{
    size_t room = 0;
    for (size_t i = 0; i < m->n_parts; i++) {
        room += m->parts[i]->data.len * 3 / 2 + strlen(m->parts[i]->filename) + PART_LINES;
    }
    (void)lt_buf_extend(text, room < FILES_MAX ? room : FILES_MAX);
    lt_buf_reset(text);
}

/* A form with files: the gateway has undone its framing (role/gateway_form.c), and nobody has looked at what
 * is in it. */
static lt_res read_parts(struct notary_request *q, const struct notary_page *page, const Ipc__HttpRequest *m,
                         struct http_form *form, lt_slice *ret_files)
{
    size_t files = 0;
    struct lt_buf text;
    lt_res r = LT_OK;
    form->count = 0;
    lt_buf_init(&text, FILES_MAX);
    make_room(&text, m);
    for (size_t i = 0; i < m->n_parts && !lt_failed(r); i++) {
        const Ipc__FormPart *p = m->parts[i];
        if (!p->is_file) {
            r = http_form_take(form, page->areas, lt_slice_cstr(p->name),
                               LT_SLICE(p->data.data, p->data.len));
        } else {
            r = may_have_file(page, p, ++files);
            r = lt_failed(r) ? r : notary_file_text(p, &q->arena, &text);
        }
    }
    r = lt_failed(r) ? r : lt_buf_check(&text);
    *ret_files = lt_failed(r) ? (lt_slice){0} : lt_arena_copy(&q->arena, lt_buf_slice(&text));
    wipe(lt_buf_slice(&text)); /* there may be a key in plain in it */
    lt_buf_done(&text);
    return r;
}

static lt_res read_form(struct notary *n, struct notary_request *q, const struct notary_page *page,
                        const Ipc__HttpRequest *m, Ipc__PageCall *call)
{
    struct http_form form;
    lt_slice files = {0};
    struct incident_proofs *found = LT_NEW(&q->arena, struct incident_proofs);
    LT_TRY(m->n_parts > 0 ? read_parts(q, page, m, &form, &files)
                          : http_form_parse_areas(q->raw, page->areas, &q->arena, &form));
    call->fields = LT_NEW_ARRAY(&q->arena, Ipc__PageField *, form.count + 2);
    LT_CHECK(call->fields != NULL && found != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < form.count; i++) {
        LT_TRY(take_value(n, q, page, found, &form.fields[i], call));
    }
    LT_TRY(take_files(q, page, files, found, call));
    LT_TRY(found->count > 0 ? tell_proofs(q, found, call) : LT_OK);
    if (page->proofs != NULL || found->count > 0) { /* the messages have copies of what may be kept */
        for (size_t i = 0; i < form.count; i++) {
            wipe(form.fields[i].value);
        }
        for (size_t i = 0; i < m->n_parts; i++) {
            wipe(LT_SLICE(m->parts[i]->data.data, m->parts[i]->data.len));
        }
        wipe(files);
        wipe(q->raw);
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
    if (call.post && m->n_parts == 0 && !http_form_is(lt_slice_cstr(m->content_type))) {
        return notary_page_refuse(n, q, 415, "This page takes its own form alone.");
    }
    lt_res r = call.post ? read_form(n, q, page, m, &call) : LT_OK;
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
