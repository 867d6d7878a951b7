/* Pages for people at the notary: which requests become a question, and what the answer's HTML may hold. */
#include "notary_rig.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "pages.pb-c.h"
#include "role/notary_pages.h"

#define RESUME "/acme/resume/0123456789abcdefABCDEF_-"
#define FORM "application/x-www-form-urlencoded"
#define REISSUE "/acme/reissue/0123456789abcdefABCDEF_-"
/* A certificate request for www.example.com, as a browser posts it. */
#define REQUEST                                                                                  \
    "-----BEGIN+CERTIFICATE+REQUEST-----%0D%0AMIHpMIGPAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCA" \
    "AROYpvNxr%2FuTZh2%0D%0A5i90QIF8NWifWJNyz%2FPsvoVWVg0nKrjTi2wpUAUBQ%2BWljHOu2v972ULKxAWrT7s" \
    "h%0D%0Az53Nnb%2BboC0wKwYJKoZIhvcNAQkOMR4wHDAaBgNVHREEEzARgg93d3cuZXhhbXBs%0D%0AZS5jb20wCgY" \
    "IKoZIzj0EAwIDSQAwRgIhAJe9SxShM%2Bsnt9vHK%2F8wBO2s4V2hyWEg%0D%0A57QldsCc%2FBLjAiEA2Ee6KNIuD" \
    "fwAAGA0c81Xtmft9JWOASxN6Btpb6v5zDg%3D%0D%0A-----END+CERTIFICATE+REQUEST-----%0D%0A"

static const Ipc__PageCall *asked(const struct said **ret_said)
{
    *ret_said = heard(IPC_PAGE_CALL);
    assert_int_equal((*ret_said)->to, IPC_REGISTRAR);
    return (const Ipc__PageCall *)(const void *)(*ret_said)->body;
}

static void answer_page(const struct said *call, Ipc__PageReply *reply)
{
    tell(IPC_REGISTRAR, IPC_PAGE_REPLY, call->id, &reply->base, notary_page_reply);
}

static char *text(const Ipc__HttpResponse *r)
{
    return lt_arena_cstr(&arena, LT_SLICE(r->body.data, r->body.len));
}

static void looked_at(void **state)
{
    static char title[] = "Paused names";
    static char paragraph[] = "<script>alert(1)</script> & \"quoted\" 'too'";
    static char item[] = "a.example.com<img src=x>";
    static char name[] = "Account";
    static char value[] = "https://ca.example/acme/account/1";
    static char word[] = "do";
    static char hostile[] = "x\"><b>";
    const struct said *call = NULL;
    (void)state;
    send_http(&(struct ask){"GET", RESUME, "", NULL, "", {0}, false, 0});
    const Ipc__PageCall *c = asked(&call);
    assert_string_equal(c->page, "resume");
    assert_string_equal(c->token, "0123456789abcdefABCDEF_-");
    assert_false(c->post);
    assert_int_equal(c->n_fields, 0);
    Ipc__PageRow row = IPC__PAGE_ROW__INIT;
    Ipc__PageButton button = IPC__PAGE_BUTTON__INIT;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    char *paragraphs[] = {paragraph};
    char *items[] = {item};
    Ipc__PageRow *rows[] = {&row};
    Ipc__PageButton *buttons[] = {&button};
    row.name = name;
    row.value = value;
    button.name = word;
    button.value = hostile;
    button.label = hostile;
    reply.status = 200;
    reply.title = title;
    reply.paragraphs = paragraphs;
    reply.items = items;
    reply.rows = rows;
    reply.buttons = buttons;
    reply.n_paragraphs = reply.n_items = reply.n_rows = reply.n_buttons = 1;
    answer_page(call, &reply);
    const Ipc__HttpResponse *r = answered(200);
    assert_string_equal(r->content_type, "text/html; charset=utf-8");
    const char *html = text(r);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "<img"));
    assert_null(strstr(html, "<b>"));
    assert_non_null(strstr(html, "&#60;script&#62;alert(1)"));
    assert_non_null(strstr(html, "<title>Paused names - Certificate authority</title>"));
    assert_non_null(strstr(html, "<form method=\"post\">"));
    assert_non_null(strstr(html, "value=\"x&#34;&#62;&#60;b&#62;\""));
    assert_non_null(strstr(html, "<td>https://ca.example/acme/account/1</td>"));
}

/* The policy allows our own style and nothing else; what it names is what is in the page. */
static void policy(void **state)
{
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct lt_buf wanted;
    (void)state;
    send_http(&(struct ask){"GET", RESUME, "", NULL, "", {0}, false, 0});
    (void)asked(&call);
    reply.status = 404;
    answer_page(call, &reply);
    const Ipc__HttpResponse *r = answered(404);
    const char *csp = header(r, "Content-Security-Policy");
    assert_non_null(strstr(csp, "default-src 'none'"));
    assert_non_null(strstr(csp, "frame-ancestors 'none'"));
    assert_non_null(strstr(csp, "form-action 'self'"));
    assert_null(strstr(csp, "unsafe"));
    assert_null(strstr(csp, "script-src"));
    assert_string_equal(header(r, "Referrer-Policy"), "no-referrer");
    assert_string_equal(header(r, "Cache-Control"), "no-store");
    assert_string_equal(header(r, "X-Content-Type-Options"), "nosniff");
    assert_null(header(r, "Access-Control-Allow-Origin"));
    assert_null(header(r, "Replay-Nonce"));
    const char *html = text(r);
    const char *style = strstr(html, "<style>") + 7;
    crypto_sha256(LT_SLICE(style, (size_t)(strstr(style, "</style>") - style)), hash);
    lt_buf_init(&wanted, 100);
    lt_buf_add_cstr(&wanted, "'sha256-");
    lt_base64_add(&wanted, LT_SLICE(hash, sizeof hash));
    assert_non_null(strstr(csp, lt_buf_cstr(&wanted)));
    lt_buf_done(&wanted);
    assert_null(strstr(html, "style="));
}

static void posted(void **state)
{
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    (void)state;
    send_http(&(struct ask){"POST", RESUME, "", NULL, FORM, LT_LIT("do=resume"), false, 0});
    const Ipc__PageCall *c = asked(&call);
    assert_true(c->post);
    assert_int_equal(c->n_fields, 1);
    assert_string_equal(c->fields[0]->name, "do");
    assert_string_equal(c->fields[0]->value, "resume");
    reply.status = 200;
    answer_page(call, &reply);
    (void)answered(200);
    send_http(&(struct ask){"POST", "/validate/0123456789abcdef", "", NULL, FORM, {0}, false, 0});
    assert_string_equal(asked(&call)->page, "validate");
    answer_page(call, &reply);
    (void)answered(200);
}

static void refused_here(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *query;
        const char *listener;
        const char *type;
        const char *body;
        uint32_t status;
    } rows[] = {
        {"GET", "/acme/resume/", "", NULL, "", "", 404},
        {"GET", "/acme/resume/short", "", NULL, "", "", 404},
        {"GET", RESUME "/", "", NULL, "", "", 404},
        {"GET", RESUME "%2f", "", NULL, "", "", 404},
        {"GET", RESUME, "do=resume", NULL, "", "", 404},
        {"GET", RESUME, "", "http", "", "", 404}, /* a right does not go over the wire in clear text */
        {"GET", RESUME, "", "operator", "", "", 404},
        {"GET", RESUME, "", "api", "", "", 404},
        {"PUT", RESUME, "", NULL, FORM, "do=resume", 405},
        {"DELETE", RESUME, "", NULL, "", "", 405},
        {"OPTIONS", RESUME, "", NULL, "", "", 405}, /* no other site's script asks */
        {"POST", RESUME, "", NULL, "", "do=resume", 415},
        {"POST", RESUME, "", NULL, "text/plain", "do=resume", 415},
        {"POST", RESUME, "", NULL, "application/jose+json", "{}", 415},
        {"POST", RESUME, "", NULL, FORM, "do=resume&do=x", 400},
        {"POST", RESUME, "", NULL, FORM, "else=1", 400},
        {"POST", RESUME, "", NULL, FORM, "do=%ff", 400},
        {"POST", RESUME, "", NULL, FORM, "do=%", 400},
        {"GET", "/acme/resumed/0123456789abcdef", "", NULL, "", "", 404},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        send_http(&(struct ask){rows[i].method, rows[i].path, rows[i].query, rows[i].listener, rows[i].type,
                                lt_slice_cstr(rows[i].body), false, 0});
        (void)answered(rows[i].status);
    }
    heard_nothing();
}

/* Proofs are verified here: the registrar hears which key, and gets no private key. */
static void proofs_posted(void **state)
{
    /* Made for this test with openssl; the private number is 1. */
    static const char key[] = "do=prove&contact=a%40example.com&proof=-----BEGIN+PRIVATE+KEY-----%0D%0A"
                              "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAAAAAAAAAAAAAAAAAA%0D%0A"
                              "AAAAAAAAAAAAAAAAAAAAAAAAAQ%3D%3D%0D%0A-----END+PRIVATE+KEY-----%0D%0A";
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    (void)state;
    reply.status = 200;
    send_http(&(struct ask){"POST", "/key", "", NULL, FORM, LT_SLICE(key, sizeof key - 1), false, 0});
    const Ipc__PageCall *c = asked(&call);
    assert_string_equal(c->page, "key-proof");
    assert_int_equal(c->n_fields, 2);
    assert_int_equal(c->n_proofs, 1);
    assert_string_equal(c->proofs[0]->kind, "private-key");
    assert_string_equal(c->proofs[0]->verdict, "proven");
    assert_int_equal(c->proofs[0]->spki_sha256.len, 32);
    assert_null(memmem(call->body, sizeof *c, "MEECAQAw", 8));
    assert_null(memmem(c->proofs[0]->evidence.data, c->proofs[0]->evidence.len, "MEECAQAw", 8));
    assert_non_null(memmem(c->proofs[0]->evidence.data, c->proofs[0]->evidence.len, "It has signed", 13));
    answer_page(call, &reply);
    (void)answered(200);
    send_http(
        &(struct ask){"POST", "/key", "", NULL, FORM, LT_LIT("do=prove&contact=&proof=nothing"), false, 0});
    assert_int_equal(asked(&call)->n_proofs, 0);
    answer_page(call, &reply);
    (void)answered(200);
    send_http(&(struct ask){"POST", "/key", "", NULL, FORM, LT_LIT("do=prove&text=x"), false, 0});
    (void)answered(400);
    send_http(&(struct ask){"POST", "/key", "", NULL, "text/plain", LT_LIT("x"), false, 0});
    (void)answered(415);
    heard_nothing();
}

/* Certificate requests are taken apart here: the registrar gets names and keys. */
/* What is added to a case is words, and may be a proof of any kind. */
static void proofs_between_words(void **state)
{
    static const char words[] =
        "do=say&text=here+it+is%3A+%7B%22kty%22%3A%22EC%22%2C%22crv%22%3A%22P-256%22%2C"
        "%22d%22%3A%22AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE%22%7D+there&domain=a.example";
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    (void)state;
    reply.status = 200;
    send_http(&(struct ask){"POST", "/problem/0123456789abcdefABCDEF_-", "", NULL, FORM,
                            LT_SLICE(words, sizeof words - 1), false, 0});
    const Ipc__PageCall *c = asked(&call);
    assert_int_equal(c->n_fields, 3);
    assert_int_equal(c->n_proofs, 1);
    assert_string_equal(c->proofs[0]->kind, "private-key");
    assert_string_equal(c->proofs[0]->verdict, "proven");
    assert_string_equal(c->fields[1]->name, "text");
    assert_null(strstr(c->fields[1]->value, "AAAAAAAAAAAAAAAAAAE"));
    assert_non_null(strstr(c->fields[1]->value, "here it is: [private key removed: JWK"));
    assert_non_null(strstr(c->fields[1]->value, "] there"));
    assert_string_equal(c->fields[2]->value, "a.example");
    answer_page(call, &reply);
    (void)answered(200);
    send_http(&(struct ask){"POST", "/problem/0123456789abcdefABCDEF_-", "", NULL, FORM,
                            LT_LIT("do=say&text=%7B%22kty%22%3A+words"), false, 0});
    c = asked(&call);
    assert_int_equal(c->n_proofs, 0);
    assert_string_equal(c->fields[1]->value, "{\"kty\": words");
    answer_page(call, &reply);
    (void)answered(200);
    heard_nothing();
}

static void requests_posted(void **state)
{
    static const char *const bad[] = {
        "csr=nonsense",
        "csr=-----BEGIN+CERTIFICATE+REQUEST-----%0D%0AMIHp%0D%0A-----END+CERTIFICATE+REQUEST-----%0D%0A",
        "csr=" REQUEST "&csr=" REQUEST,
        "csr=%00",
        "do=a%0Ab",
    };
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    struct lt_buf body;
    (void)state;
    send_http(&(struct ask){"POST", REISSUE, "", NULL, FORM,
                            LT_LIT("do=reissue&csr=" REQUEST "%0D%0A" REQUEST), false, 0});
    const Ipc__PageCall *c = asked(&call);
    assert_string_equal(c->page, "reissue");
    assert_int_equal(c->n_fields, 1);
    assert_int_equal(c->n_requests, 2);
    assert_int_equal(c->requests[1]->n_names, 1);
    assert_string_equal(c->requests[1]->names[0]->value, "www.example.com");
    assert_int_equal(c->requests[1]->key->spki_sha256.len, 32);
    reply.status = 200;
    answer_page(call, &reply);
    (void)answered(200);
    send_http(&(struct ask){"POST", REISSUE, "", NULL, FORM, LT_LIT("do=check&csr="), false, 0});
    assert_int_equal(asked(&call)->n_requests, 0);
    answer_page(call, &reply);
    (void)answered(200);
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        send_http(&(struct ask){"POST", REISSUE, "", NULL, FORM, lt_slice_cstr(bad[i]), false, 0});
        (void)answered(400);
    }
    lt_buf_init(&body, 256 * 1024);
    lt_buf_add_cstr(&body, "csr=");
    for (size_t i = 0; i <= NOTARY_PAGE_REQUESTS_MAX; i++) {
        lt_buf_add_cstr(&body, REQUEST);
    }
    send_http(&(struct ask){"POST", REISSUE, "", NULL, FORM, lt_buf_slice(&body), false, 0});
    (void)answered(413);
    lt_buf_done(&body);
    /* No other page takes them. */
    send_http(&(struct ask){"POST", RESUME, "", NULL, FORM, LT_LIT("csr=" REQUEST), false, 0});
    (void)answered(400);
    heard_nothing();
}

static void registrar_away(void **state)
{
    const struct said *call = NULL;
    Ipc__PageReply reply = IPC__PAGE_REPLY__INIT;
    (void)state;
    registrar_is_there = false;
    send_http(&(struct ask){"GET", RESUME, "", NULL, "", {0}, false, 0});
    const Ipc__HttpResponse *r = answered(503);
    assert_string_equal(r->content_type, "text/html; charset=utf-8");
    assert_non_null(header(r, "Retry-After"));
    registrar_is_there = true;
    send_http(&(struct ask){"POST", RESUME, "", NULL, FORM, LT_LIT("do=resume"), false, 0});
    (void)asked(&call);
    notary_tick(notary, 1000 * 1000);
    (void)answered(503);
    reply.status = 200;
    answer_page(call, &reply); /* too late */
    while (said_read < said_count) {
        assert_int_equal(said[said_read++].type, IPC_NONCE_REQUEST);
    }
}

static void tokens(void **state)
{
    static const struct {
        const char *token;
        bool good;
    } rows[] = {
        {"0123456789abcdef", true},  {"AZaz09-_AZaz09-_", true},
        {"0123456789abcde", false},  {"", false},
        {"0123456789abcde=", false}, {"0123456789abcde.", false},
        {"0123456789abcde/", false}, {"0123456789abcd\xc3\xa4", false},
    };
    char longest[NOTARY_PAGE_TOKEN_MAX + 1];
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(notary_page_token(lt_slice_cstr(rows[i].token)), rows[i].good);
    }
    memset(longest, 'a', sizeof longest);
    assert_true(notary_page_token(LT_SLICE(longest, NOTARY_PAGE_TOKEN_MAX)));
    assert_false(notary_page_token(LT_SLICE(longest, NOTARY_PAGE_TOKEN_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(looked_at),
        TEST(policy),
        TEST(posted),
        TEST(refused_here),
        TEST(requests_posted),
        TEST(proofs_posted),
        TEST(proofs_between_words),
        TEST(registrar_away),
        TEST(tokens),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
