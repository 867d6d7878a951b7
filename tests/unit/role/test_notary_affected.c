/* Look-ups of incidents' lists at the notary: what becomes a question to the reader, and what its answer may
 * do to a page. */
#include "notary_rig.h"

#include "pages.pb-c.h"

#define FORM "application/x-www-form-urlencoded"

static const Ipc__Query *asked(const char *path, uint64_t *ret_id)
{
    send_http(&(struct ask){"GET", path, "", NULL, "", {0}, false, 0});
    const struct said *s = heard(IPC_QUERY);
    assert_int_equal(s->to, IPC_READER);
    *ret_id = s->id;
    const Ipc__Query *q = (const Ipc__Query *)(const void *)s->body;
    assert_string_equal(q->what, "affected");
    return q;
}

static const Ipc__Query *typed(const char *form, uint64_t *ret_id)
{
    send_http(&(struct ask){"POST", "/affected", "", NULL, FORM, lt_slice_cstr(form), false, 0});
    const struct said *s = heard(IPC_QUERY);
    *ret_id = s->id;
    return (const Ipc__Query *)(const void *)s->body;
}

static const char *answer(uint64_t id, const char *json)
{
    Ipc__QueryReply reply = IPC__QUERY_REPLY__INIT;
    reply.status = 200;
    reply.json = (char *)(uintptr_t)json; /* only read */
    tell(IPC_READER, IPC_QUERY_REPLY, id, &reply.base, notary_query_reply);
    const Ipc__HttpResponse *r = answered(200);
    return lt_arena_cstr(&arena, LT_SLICE(r->body.data, r->body.len));
}

#define NOTHING "{\"certificates\":[],\"incidents\":[],\"found\":0,\"more\":false}"

static void test_paths(void **state)
{
    uint64_t id = 0;
    (void)state;
    const Ipc__Query *q = asked("/affected", &id);
    assert_int_equal(q->serial.len + q->sha256.len + strlen(q->name) + strlen(q->id), 0);
    const char *html = answer(id, NOTHING);
    assert_non_null(strstr(html, "No incident has a list"));
    assert_non_null(strstr(html, "<form method=\"post\" action=\"/affected\">"));
    q = asked("/affected/certificate/0a1b", &id);
    assert_int_equal(q->serial.len, 2);
    assert_int_equal(q->serial.data[1], 0x1b);
    assert_non_null(strstr(answer(id, NOTHING), "in no list"));
    q = asked("/affected/certificate/0A:1B", &id);
    assert_int_equal(q->serial.len, 2);
    (void)answer(id, NOTHING);
    q = asked("/affected/certificate/"
              "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
              &id);
    assert_int_equal(q->sha256.len, 32);
    (void)answer(id, NOTHING);
    q = asked("/affected/account/466731012345678901", &id);
    assert_int_equal(q->account_id, INT64_C(466731012345678901));
    (void)answer(id, NOTHING);
    q = asked("/affected/incident/12", &id);
    assert_string_equal(q->id, "12");
    (void)answer(id, NOTHING);
    (void)asked("/affected/incident/12.json", &id);
    assert_string_equal(answer(id, NOTHING), NOTHING);
}

static void test_typed(void **state)
{
    static const struct {
        const char *form;
        const char *name;
        int64_t account;
        size_t serial;
    } rows[] = {
        {"q=Www.Example.com&do=look", "www.example.com", 0, 0},
        {"do=look&q=466731012345678901", "", INT64_C(466731012345678901), 0},
        {"q=https%3A%2F%2Fca.example%2Facme%2Faccount%2F17", "", 17, 0},
        {"q=0102030405060708090a", "", 0, 10},
        {"q=01020304050607080910", "", 0, 10}, /* digits alone, longer than an account */
        {"q=%20+0a+", "", 0, 1},
        {"q=0a%3A0b+0c", "", 0, 3},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint64_t id = 0;
        const Ipc__Query *q = typed(rows[i].form, &id);
        assert_string_equal(q->name, rows[i].name);
        assert_int_equal(q->account_id, rows[i].account);
        assert_int_equal(q->serial.len, rows[i].serial);
        (void)answer(id, NOTHING);
    }
}

static void test_refused(void **state)
{
    static const struct {
        struct ask ask;
        uint32_t status;
    } rows[] = {
        {{"GET", "/affected", "x=1", NULL, "", {0}, false, 0}, 404},
        {{"GET", "/affected/nothing", "", NULL, "", {0}, false, 0}, 404},
        {{"GET", "/affected/certificate/", "", NULL, "", {0}, false, 0}, 400},
        {{"GET", "/affected/certificate/0", "", NULL, "", {0}, false, 0}, 400},
        {{"GET", "/affected/certificate/zz", "", NULL, "", {0}, false, 0}, 400},
        {{"GET",
          "/affected/certificate/000102030405060708090a0b0c0d0e0f0001020304",
          "",
          NULL,
          "",
          {0},
          false,
          0},
         400},
        {{"GET", "/affected/account/0", "", NULL, "", {0}, false, 0}, 400},
        {{"GET", "/affected/account/-1", "", NULL, "", {0}, false, 0}, 400},
        {{"GET", "/affected/account/99999999999999999999", "", NULL, "", {0}, false, 0}, 400},
        {{"GET", "/affected/incident/x", "", NULL, "", {0}, false, 0}, 404},
        {{"GET", "/affected/incident/99999999999999999999", "", NULL, "", {0}, false, 0}, 404},
        {{"DELETE", "/affected", "", NULL, "", {0}, false, 0}, 405},
        {{"GET", "/affected", "", "http", "", {0}, false, 0}, 404},
    };
    static const char *const forms[] = {"", "q=", "do=look", "q=%20", "q=zz", "q=/", "q=a%0Ab"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        send_http(&rows[i].ask);
        (void)answered(rows[i].status);
    }
    for (size_t i = 0; i < LT_COUNT(forms); i++) {
        send_http(&(struct ask){"POST", "/affected", "", NULL, FORM, lt_slice_cstr(forms[i]), false, 0});
        (void)answered(400);
    }
    send_http(&(struct ask){"POST", "/affected", "", NULL, "application/json", LT_LIT("{}"), false, 0});
    (void)answered(415);
    send_http(&(struct ask){"POST", "/affected/account/1", "", NULL, FORM, LT_LIT("q=1"), false, 0});
    (void)answered(404);
}

/* What operators wrote, and what is in the book, is text. */
static void test_html(void **state)
{
    uint64_t id = 0;
    (void)state;
    (void)asked("/affected/certificate/0a", &id);
    const char *html = answer(
        id,
        "{\"certificates\":[{\"incident\":12,\"issuer\":\"tls\",\"serial\":\"0a\",\"sha256\":\"\","
        "\"expires\":\"2027-01-01T00:00:00Z\",\"status\":\"revoked\",\"revoked\":\"2026-11-22T00:00:00Z\","
        "\"replaced\":true}],\"incidents\":[{\"incident\":12,\"title\":\"<b>CAA</b>\",\"words\":\"<script>\","
        "\"deadline\":\"2026-11-23T00:00:00Z\",\"rows\":3048289}],\"found\":1,\"more\":true}");
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "<b>"));
    assert_non_null(strstr(html, "Yes: certificates must be replaced"));
    assert_non_null(strstr(html,
                           "0a</th><td>tls</td><td><time datetime=\"2027-01-01T00:00:00Z\">1 January 2027 at "
                           "00:00 UTC</time></td><td><strong class=\"tag warning\">revoked</strong> since "
                           "<time datetime=\"2026-11-22T00:00:00Z\">22 November 2026 at 00:00 UTC</time></td>"
                           "<td><strong class=\"tag good\">replaced</strong>"));
    assert_non_null(strstr(html, "3,048,289 certificates, is the file /affected/12.csv"));
    assert_non_null(strstr(html, "There may be more"));
}

/* Of an account with more certificates than are looked at nobody says that none of them is hit. */
static void test_more_than_was_looked_at(void **state)
{
    uint64_t id = 0;
    (void)state;
    (void)asked("/affected/account/7", &id);
    const char *html = answer(id, "{\"certificates\":[],\"incidents\":[],\"found\":0,\"more\":true}");
    assert_null(strstr(html, "What you asked for is in no list"));
    assert_non_null(strstr(html, "Not all certificates"));
    (void)asked("/affected/account/7", &id);
    html = answer(id, "{\"certificates\":[],\"incidents\":[{\"incident\":12,\"title\":\"x\",\"words\":\"\","
                      "\"deadline\":\"\",\"rows\":9,\"of_account\":4}],\"found\":0,\"more\":true}");
    assert_null(strstr(html, "in no list"));
    assert_non_null(strstr(html, "Yes: certificates must be replaced"));
    assert_non_null(strstr(html, "told: 4."));
}

static void test_reader_that_fails(void **state)
{
    uint64_t id = 0;
    Ipc__QueryReply reply = IPC__QUERY_REPLY__INIT;
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    (void)state;
    (void)asked("/affected", &id);
    reply.problem = &problem;
    tell(IPC_READER, IPC_QUERY_REPLY, id, &reply.base, notary_query_reply);
    (void)answered(503);
    (void)asked("/affected", &id);
    Ipc__QueryReply bad = IPC__QUERY_REPLY__INIT;
    bad.json = (char *)(uintptr_t) "{";
    tell(IPC_READER, IPC_QUERY_REPLY, id, &bad.base, notary_query_reply);
    (void)answered(503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_paths),
                                       TEST(test_typed),
                                       TEST(test_refused),
                                       TEST(test_html),
                                       TEST(test_more_than_was_looked_at),
                                       TEST(test_reader_that_fails)};
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
