/* Forms with files: the framing is undone here, where foreign bytes are framed anyway, and nowhere else in
 * the family. What stands in a part is passed on as it is; who judges it is the notary, and the mailroom.
 *
 * Refuses: files where no form of ours takes any, forms that are not whole. How large all of it may be is the
 * limit of every body (HTTP_BODY_MAX). */
#include <string.h>

#include "http/multipart.h"
#include "role/gateway.h"

/* Forms of ours that have files. */
static const char *const forms[] = {"/problem", "/problem/", "/key"};

static bool takes_files(lt_slice path)
{
    for (size_t i = 0; i < LT_COUNT(forms); i++) {
        lt_slice form = lt_slice_cstr(forms[i]);
        bool below = lt_slice_ends(form, LT_LIT("/"));
        if (below ? lt_slice_starts(path, form) : lt_slice_eq(path, form)) {
            return true;
        }
    }
    return false;
}

static bool has_files(const struct http_request *r)
{
    return http_multipart_is(http_request_field(r, "content-type")) &&
           strcmp(r->listener->name, "https") == 0 && takes_files(r->path);
}

static lt_res add_part(struct lt_arena *a, const struct http_multipart *m, uint8_t *data, Ipc__HttpRequest *q)
{
    Ipc__FormPart *part = LT_NEW(a, Ipc__FormPart);
    LT_CHECK(part != NULL, LT_PEER_TOO_LARGE, "the form is over the limit");
    ipc__form_part__init(part);
    part->name = lt_arena_cstr(a, lt_slice_cstr(m->name));
    part->filename = lt_arena_cstr(a, lt_slice_cstr(m->filename));
    part->type = lt_arena_cstr(a, lt_slice_cstr(m->type));
    part->is_file = m->is_file;
    part->data.data = data;
    LT_CHECK(part->name != NULL && part->filename != NULL && part->type != NULL, LT_PEER_TOO_LARGE,
             "the form is over the limit");
    q->parts[q->n_parts++] = part;
    return LT_OK;
}

/* What the parts hold stands in one copy of the body, each behind the one before. */
static lt_res read_parts(lt_slice body, struct http_multipart *m, struct lt_arena *a, Ipc__HttpRequest *q)
{
    uint8_t *data = lt_arena_alloc(a, body.len + 1);
    enum http_multipart_event e;
    lt_slice run;
    q->parts = LT_NEW_ARRAY(a, Ipc__FormPart *, HTTP_MULTIPART_PARTS_MAX);
    LT_CHECK(data != NULL && q->parts != NULL, LT_PEER_TOO_LARGE, "the form is over the limit");
    do {
        LT_TRY(http_multipart_next(m, &body, &e, &run));
        if (e == HTTP_MULTIPART_PART) {
            LT_TRY(add_part(a, m, data, q));
        } else if (e == HTTP_MULTIPART_DATA) {
            memcpy(data, run.ptr, run.len);
            data += run.len;
            q->parts[q->n_parts - 1]->data.len += run.len;
        }
    } while (e != HTTP_MULTIPART_MORE);
    LT_CHECK(http_multipart_whole(m), LT_PEER_MALFORMED, "the form is cut off");
    return LT_OK;
}

lt_res gateway_form_read(const struct http_request *r, struct lt_arena *a, Ipc__HttpRequest *q)
{
    struct http_multipart m;
    if (!has_files(r)) {
        return LT_OK;
    }
    LT_TRY(http_multipart_begin(&m, http_request_field(r, "content-type")));
    LT_TRY(read_parts(r->body, &m, a, q));
    q->body.len = 0;
    return LT_OK;
}

bool gateway_form_refuse(struct gateway *g, struct http_exchange *x)
{
    Ipc__HttpRequest q = IPC__HTTP_REQUEST__INIT;
    lt_arena_reset(&g->scratch);
    lt_res r = gateway_form_read(http_exchange_request(x), &g->scratch, &q);
    if (lt_failed(r)) {
        http_exchange_problem(x, r.code == LT_PEER_TOO_LARGE ? 413 : 400, NULL, lt_error_last()->detail, 0);
    }
    return lt_failed(r);
}
