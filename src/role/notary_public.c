/* Pages for anybody, which look and change nothing: the front page, the status page, the hierarchy, how to
 * get certificates. A reader says what is so; what it said is kept for some seconds, so that however many
 * look, the book is asked as if one did. */
#include "role/notary_public.h"

#include <string.h>

#include "role/notary_html.h"
#include "role/notary_private.h"

/* What is known longer than KNOWN_MS is still told, for a while, to those who look when the reader has been
 * asked already. */
enum { KNOWN_MS = 3000, ASKED_MS = 1000, STALE_MS = 30000 };

static const struct page {
    const char *path;
    const char *title; /* NULL: the name of the CA */
    const char *cache;
    notary_public_writer *write; /* NULL: the JSON as it is */
    bool known;                  /* of what the reader says; else of the configuration alone */
} pages[NOTARY_PUBLIC_PAGES] = {
    {"/", NULL, "public, max-age=15", notary_public_front, true},
    {"/status", "Status", "public, max-age=15", notary_public_status, true},
    {"/status.json", "", "public, max-age=15", NULL, true},
    {"/hierarchy", "Our CA certificates", "public, max-age=300", notary_public_hierarchy, true},
    {"/get-certificates", "Get certificates", "public, max-age=300", notary_public_connect, false},
};

static size_t find(lt_slice path)
{
    for (size_t i = 0; i < LT_COUNT(pages); i++) {
        if (lt_slice_eq_cstr(path, pages[i].path)) {
            return i + 1;
        }
    }
    return 0;
}

bool notary_public_is(lt_slice path)
{
    return find(path) != 0;
}

const char *notary_public_text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    return value == NULL ? "" : value;
}

int64_t notary_public_number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static lt_res answer_json(struct notary *n, struct notary_request *q, const char *cache)
{
    struct wire_answer w;
    wire_answer_begin(&w, &n->answer, &n->body);
    wire_header(&w, "Cache-Control", "%s", cache);
    wire_header(&w, "X-Content-Type-Options", "nosniff");
    wire_header(&w, "Access-Control-Allow-Origin", "*");
    lt_buf_add(&n->body, lt_buf_slice(&n->known));
    wire_finish(&w, 200, "application/json");
    return notary_answer(n, q, &w.http);
}

/* False: what the reader said is nothing that can be read. */
static bool write_page(struct notary *n, const struct page *page, struct lt_buf *out)
{
    json_error_t error;
    json_t *known = page->known ? json_loadb((const char *)n->known.ptr, n->known.len, 0, &error)
                                : json_object();
    const char *name = n->options.site.name == NULL ? "Certificate authority" : n->options.site.name;
    const struct notary_frame frame = {.name = n->options.site.name,
                                       .title = page->title == NULL ? name : page->title,
                                       .here = page->path,
                                       .index = true};
    if (known == NULL) {
        n->known_ms = 0;
        return false;
    }
    notary_html_begin(out, &frame);
    page->write(out, &n->options.site, known);
    notary_html_end(out);
    json_decref(known);
    return true;
}

/* Written once for all that look until the reader says something new. */
static lt_res answer(struct notary *n, struct notary_request *q)
{
    const struct page *page = &pages[q->public_page - 1];
    struct lt_buf *written = &n->known_pages[q->public_page - 1];
    struct wire_answer w;
    if (page->write == NULL) {
        return answer_json(n, q, page->cache);
    }
    if (written->len == 0 && !write_page(n, page, written)) {
        return notary_page_refuse(n, q, 503, "This cannot be looked up just now. Try again in a moment.");
    }
    notary_page_head(n, &w, page->cache);
    lt_buf_add(&n->body, lt_buf_slice(written));
    wire_finish(&w, 200, NOTARY_HTML);
    return notary_answer(n, q, &w.http);
}

static bool can_tell(const struct notary *n)
{
    int64_t age_ms = n->now_ms - n->known_ms;
    bool asked = n->known_asked_ms != 0 && n->now_ms - n->known_asked_ms < ASKED_MS;
    return n->known_ms != 0 && (age_ms < KNOWN_MS || (asked && age_ms < STALE_MS));
}

lt_res notary_public_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m)
{
    q->public_page = find(lt_slice_cstr(m->path));
    if (strcmp(m->listener, "https") != 0) {
        return notary_page_refuse(n, q, 404, "This link leads nowhere. Is it whole?");
    }
    if (!q->head && strcmp(m->method, "GET") != 0) {
        return notary_page_refuse(n, q, 405, "This page is looked at; nothing else.");
    }
    if (!pages[q->public_page - 1].known || can_tell(n)) {
        return answer(n, q);
    }
    Ipc__Query query = IPC__QUERY__INIT;
    query.what = (char *)(uintptr_t) "public"; /* only read */
    n->known_asked_ms = n->now_ms;
    return notary_ask(n, q, IPC_READER, &(struct notary_question){IPC_QUERY, NOTARY_QUERY, &query.base});
}

/* Comes in pieces; the last one answers. */
lt_res notary_public_reply(struct notary *n, struct notary_request *q, const Ipc__QueryReply *reply)
{
    n->known_asked_ms = 0;
    if (reply->problem != NULL || reply->more) {
        return notary_page_refuse(n, q, 503, "This cannot be looked up just now. Try again in a moment.");
    }
    for (size_t i = 0; i < NOTARY_PUBLIC_PAGES; i++) {
        lt_buf_reset(&n->known_pages[i]);
    }
    lt_buf_reset(&n->known);
    lt_buf_add_cstr(&n->known, reply->json);
    n->known_ms = n->now_ms;
    return answer(n, q);
}
