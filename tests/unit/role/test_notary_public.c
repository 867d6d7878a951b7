/* Pages for anybody at the notary: what is asked of the reader and what of nobody, and forms with files,
 * whose framing the gateway has undone. */
#include "notary_rig.h"

#include "crypto/digest.h"
#include "crypto/key.h"
#include "pages.pb-c.h"

#define KNOWN                                                                                             \
    "{\"now\":\"2026-11-22T17:02:19Z\",\"incidents\":[{\"incident\":12,\"title\":\"<b>CAA</b>\","         \
    "\"words\":\"<script>\",\"deadline\":\"2026-11-23T00:00:00Z\",\"published\":"                         \
    "\"2026-11-22T00:00:00Z\",\"certificates\":3048289,\"open\":true}],\"issuers\":[{\"name\":\"root\","  \
    "\"parent\":\"\",\"subject\":\"CN=<i>\",\"serial\":\"01\",\"key_type\":\"P-384\",\"not_before\":"     \
    "\"2026-01-01T00:00:00Z\",\"not_after\":\"2046-01-01T00:00:00Z\",\"online\":false,\"sha256\":\"ab\"," \
    "\"pem\":\"-----BEGIN\"},{\"name\":\"tls\",\"parent\":\"root\",\"subject\":\"CN=tls\"},"              \
    "{\"name\":\"loop\",\"parent\":\"loop\",\"subject\":\"CN=loop\"},{\"name\":\"a\",\"parent\":\"b\","   \
    "\"subject\":\"CN=a\"},{\"name\":\"b\",\"parent\":\"a\",\"subject\":\"CN=b\"}],\"crls\":["            \
    "{\"issuer\":\"tls\",\"state\":\"expired\",\"this_update\":\"2026-11-22T00:00:00Z\","                 \
    "\"next_update\":\"2026-11-29T00:00:00Z\",\"entries\":1000,\"fetched\":\"bad\"}],\"crl_parts\":[],"   \
    "\"since\":\"2026-11-01\",\"days\":[{\"day\":\"2026-11-22\",\"ago\":0,\"service\":\"issue\","         \
    "\"good_minutes\":999,\"bad_minutes\":1,\"working\":true,\"words\":\"<u>\"},{\"day\":\"x\","          \
    "\"ago\":90,\"service\":\"issue\",\"good_minutes\":1,\"bad_minutes\":0},{\"ago\":-1,"                 \
    "\"service\":\"issue\"},{\"ago\":\"x\"},7]}"

static const char *text(const Ipc__HttpResponse *r)
{
    return lt_arena_cstr(&arena, LT_SLICE(r->body.data, r->body.len));
}

static void look(const char *path)
{
    send_http(&(struct ask){"GET", path, "", NULL, "", {0}, false, 0});
}

static const char *answer_to(const struct said *s, const char *json)
{
    Ipc__QueryReply reply = IPC__QUERY_REPLY__INIT;
    assert_string_equal(((const Ipc__Query *)(const void *)s->body)->what, "public");
    reply.status = 200;
    reply.json = (char *)(uintptr_t)json; /* only read */
    tell(IPC_READER, IPC_QUERY_REPLY, s->id, &reply.base, notary_query_reply);
    const Ipc__HttpResponse *r = (const Ipc__HttpResponse *)(const void *)heard(IPC_HTTP_RESPONSE)->body;
    assert_int_equal(r->status, 200);
    return text(r); /* perhaps not of the last request */
}

static const char *answer(const char *json)
{
    return answer_to(heard(IPC_QUERY), json);
}

static void nothing_hostile(const char *html)
{
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "<b>"));
    assert_null(strstr(html, "<i>"));
    assert_null(strstr(html, "<u>"));
}

/* A reader is asked once for some seconds, whatever is looked at meanwhile. */
static void known(void **state)
{
    (void)state;
    look("/status");
    const char *html = answer(KNOWN);
    nothing_hostile(html);
    assert_non_null(strstr(html, "Revocation information is out of date"));
    assert_non_null(strstr(html, "3,048,289"));
    assert_non_null(strstr(html, "99.90 % of the 1,000 minutes"));
    assert_non_null(strstr(html, "as not measured"));
    look("/");
    nothing_hostile(text(answered(200)));
    look("/hierarchy");
    html = text(answered(200));
    nothing_hostile(html);
    assert_non_null(strstr(html, "/ca/root.crt"));
    assert_non_null(strstr(html, "/ca/loop.crt"));
    look("/status.json");
    const Ipc__HttpResponse *r = answered(200);
    assert_string_equal(r->content_type, "application/json");
    assert_string_equal(text(r), KNOWN);
    heard_nothing();
    notary_tick(notary, 1000 + 3000);
    look("/");
    const struct said *first = heard(IPC_QUERY);
    look("/status"); /* the reader is asked already: what was so is told */
    assert_non_null(strstr(text(answered(200)), "3,048,289"));
    heard_nothing();
    assert_non_null(strstr(answer_to(first, "{}"), "Everything works"));
    look("/status"); /* written anew */
    assert_null(strstr(text(answered(200)), "3,048,289"));
    notary_tick(notary, 1000 + 3000 + 3000);
    look("/");
    const struct said *late = heard(IPC_QUERY);
    notary_tick(notary, 1000 + 3000 + 3000 + 1000); /* who was asked says nothing: ask again */
    look("/");
    (void)answer("{}");
    (void)answer_to(late, "{}");
}

static void of_nobody(void **state)
{
    (void)state;
    look("/get-certificates");
    const Ipc__HttpResponse *r = answered(200);
    assert_non_null(strstr(text(r), "--server " BASE "/acme/directory"));
    assert_non_null(strstr(header(r, "Cache-Control"), "max-age"));
    assert_non_null(strstr(header(r, "Content-Security-Policy"), "default-src 'none'"));
    send_http(&(struct ask){"POST", "/status", "", NULL, "", {0}, false, 0});
    (void)answered(405);
    send_http(&(struct ask){"GET", "/status", "", "http", "", {0}, false, 0});
    (void)answered(404);
    send_http(&(struct ask){"GET", "/status", "", "operator", "", {0}, false, 0});
    (void)answered(404);
    heard_nothing();
}

static void not_answered(void **state)
{
    Ipc__QueryReply reply = IPC__QUERY_REPLY__INIT;
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        look("/status");
        const struct said *s = heard(IPC_QUERY);
        reply.status = 200;
        reply.problem = i == 0 ? &problem : NULL;
        reply.json = (char *)(uintptr_t) "no JSON";
        tell(IPC_READER, IPC_QUERY_REPLY, s->id, &reply.base, notary_query_reply);
        (void)answered(503);
    }
    look("/status"); /* what was no answer is not kept */
    (void)answer(KNOWN);
}

/* ---- files ---- */

struct field {
    const char *name;
    const char *filename; /* NULL: it is none */
    lt_slice data;
};

static void send_parts(const char *path, const struct field *fields, size_t count)
{
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    Ipc__FormPart parts[20];
    Ipc__FormPart *list[20];
    for (size_t i = 0; i < count; i++) {
        lt_slice data = lt_arena_copy(&arena, fields[i].data); /* it is wiped */
        ipc__form_part__init(&parts[i]);
        parts[i].name = lt_arena_cstr(&arena, lt_slice_cstr(fields[i].name));
        parts[i].filename = lt_arena_cstr(&arena, lt_slice_cstr(fields[i].filename));
        parts[i].is_file = fields[i].filename != NULL;
        parts[i].data = (ProtobufCBinaryData){data.len, (uint8_t *)(uintptr_t)data.ptr};
        list[i] = &parts[i];
    }
    r.method = lt_arena_cstr(&arena, LT_LIT("POST"));
    r.path = lt_arena_cstr(&arena, lt_slice_cstr(path));
    r.listener = lt_arena_cstr(&arena, LT_LIT("https"));
    r.content_type = lt_arena_cstr(&arena, LT_LIT("multipart/form-data; boundary=x"));
    r.parts = list;
    r.n_parts = count;
    send_request(&r);
}

static const Ipc__PageCall *call_of(const struct field *fields, size_t count, const char *path,
                                    const struct said **ret_call)
{
    send_parts(path, fields, count);
    *ret_call = heard(IPC_PAGE_CALL);
    return (const Ipc__PageCall *)(const void *)(*ret_call)->body;
}

static void done(const struct said *call)
{
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    reply.status = 200;
    tell(IPC_REGISTRAR, IPC_PAGE_REPLY, call->id, &reply.base, notary_page_reply);
    (void)answered(200);
}

static const char *field(const Ipc__PageCall *c, const char *name)
{
    for (size_t i = 0; i < c->n_fields; i++) {
        if (strcmp(c->fields[i]->name, name) == 0) {
            return c->fields[i]->value;
        }
    }
    return NULL;
}

/* A file of text stands in the report as it is; DER as PEM of its kind, anything else as PEM of none. */
static void files_of_a_report(void **state)
{
    const struct said *call = NULL;
    const uint8_t bytes[] = {0xff, 0, 1, 2};
    lt_slice spki = crypto_key_spki(account_key);
    const struct field fields[] = {
        {"do", NULL, LT_LIT("report")},
        {"about", NULL, LT_LIT("a\r\nb")},
        {"file", "a.txt", LT_LIT("one\r\ntwo")},
        {"file", "", LT_LIT("")},
        {"file", "b.bin", LT_SLICE(bytes, sizeof bytes)},
        {"file", "c.der", spki},
    };
    (void)state;
    const Ipc__PageCall *c = call_of(fields, LT_COUNT(fields), "/problem", &call);
    assert_string_equal(c->page, "problem-report");
    assert_string_equal(field(c, "about"), "a\r\nb");
    const char *file = field(c, "file");
    assert_non_null(strstr(file, "--- file a.txt, 8 bytes ---\none\ntwo\n"));
    assert_non_null(strstr(file, "-----BEGIN FILE-----\n/wABAg==\n-----END FILE-----"));
    assert_non_null(strstr(file, "--- file c.der"));
    assert_null(strstr(file, "PRIVATE KEY"));
    done(call);
}

static void files_refused(void **state)
{
    struct field fields[12] = {{"do", NULL, LT_LIT("report")}};
    (void)state;
    fields[1] = (struct field){"other", "a", LT_LIT("x")};
    send_parts("/problem", fields, 2);
    (void)answered(400);
    fields[1] = (struct field){"do", NULL, LT_LIT("x")}; /* twice */
    send_parts("/problem", fields, 2);
    (void)answered(400);
    fields[1] = (struct field){"text", NULL, LT_LIT("a\x01")};
    send_parts("/problem", fields, 2);
    (void)answered(400);
    fields[1] = (struct field){"contact", NULL, LT_LIT("a\nb")}; /* of one line */
    send_parts("/problem", fields, 2);
    (void)answered(400);
    for (size_t i = 1; i < 10; i++) {
        fields[i] = (struct field){"file", "a", LT_LIT("x")};
    }
    send_parts("/problem", fields, 10); /* nine */
    (void)answered(413);
    send_parts("/acme/contact/0123456789abcdef", fields, 2); /* takes none */
    (void)answered(400);
    heard_nothing();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known), TEST(of_nobody), TEST(not_answered), TEST(files_of_a_report), TEST(files_refused),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
