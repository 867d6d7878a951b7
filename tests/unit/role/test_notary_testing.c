/* What the notary of a test CA answers beside, and that no other does. */
#include "notary_rig.h"

#define STATUS "/cert-status-by-serial/"
#define SET "/set-renewal-info/"
#define SERIAL "0cfb4f0a00112233445566778899aabb"

/* Of serial 0x87654321, whose DER begins with a zero; as a JSON string. */
#define CERTIFICATE                                                       \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIIBlzCCAT2gAwIBAgIFAIdlQyEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLZXhh\\n" \
    "bXBsZS5jb20wHhcNMjYxMTIyMDcxMDU1WhcNMzYxMTE5MDcxMDU1WjAWMRQwEgYD\\n" \
    "VQQDDAtleGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBfNBys3\\n" \
    "pKz/2JB6yZCZq/AvB6pa5y8I43E7FtElCfrRb3aO/ttd5GIoRjr3sFWNjZI2kaGL\\n" \
    "JlwVvb+CQuTWqwmjeDB2MAwGA1UdEwEB/wQCMAAwFgYDVR0RBA8wDYILZXhhbXBs\\n" \
    "ZS5jb20wHwYDVR0jBBgwFoAURVWV8bQyHX2fljs+RStTwrOnz9IwDgYDVR0PAQH/\\n" \
    "BAQDAgeAMB0GA1UdDgQWBBRFVZXxtDIdfZ+WOz5FK1PCs6fP0jAKBggqhkjOPQQD\\n" \
    "AgNIADBFAiEA2T/HaD9Omj+NePo9G8Fo1N9Z1mf/WC/+XSJIN/BOIpUCIFGDie3N\\n" \
    "KyqJWmT34wAJlFS27Rc2drLwYk1wAXZAwvHA\\n"                             \
    "-----END CERTIFICATE-----\\n"
#define CERTID "RVWV8bQyHX2fljs-RStTwrOnz9I.AIdlQyE"
#define SET_BODY(text_) "{\"Certificate\":\"" CERTIFICATE "\",\"ARIResponse\":\"" text_ "\"}"

static int set_up_testing(void **state)
{
    rig_testing = true;
    int r = set_up(state);
    rig_testing = false;
    return r;
}

static void manage(const char *method, const char *path, const char *body)
{
    send_http(
        &(struct ask){method, path, "", "management", "application/json", lt_slice_cstr(body), false, 0});
}

static void reply_with(const struct said *q, const char *json, const char *problem)
{
    Ipc__QueryReply r = IPC__QUERY_REPLY__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    r.status = 200;
    r.json = (char *)(uintptr_t)json; /* only read, as below */
    if (problem != NULL) {
        p.type = (char *)(uintptr_t)problem;
        p.status = 404;
        r.problem = &p;
    }
    tell(IPC_READER, IPC_QUERY_REPLY, q->id, &r.base, notary_query_reply);
}

static bool body_is(const Ipc__HttpResponse *r, const char *text)
{
    if (r->body.len != strlen(text)) {
        print_error("%.*s", (int)r->body.len, (const char *)r->body.data);
    }
    return r->body.len == strlen(text) && memcmp(r->body.data, text, r->body.len) == 0;
}

static void status_is_pebbles(void **state)
{
    (void)state;
    manage("GET", STATUS "CFB4F0a00112233445566778899aabb", ""); /* as a number: an odd count of digits */
    const struct said *q = heard(IPC_QUERY);
    const Ipc__Query *query = (const Ipc__Query *)(const void *)q->body;
    assert_string_equal(query->what, "certificate.show");
    assert_int_equal(query->serial.len, 16);
    assert_int_equal(query->serial.data[0], 0x0c);
    assert_true(query->with_der);
    reply_with(q, "{\"serial\":\"" SERIAL "\",\"status\":\"expired\",\"pem\":\"P\\nQ\"}", NULL);
    const Ipc__HttpResponse *r = answered(200);
    assert_true(body_is(r, "{\"Certificate\":\"P\\u000aQ\",\"Serial\":\"cfb4f0a00112233445566778899aabb\","
                           "\"Status\":\"Valid\"}\n"));
    assert_null(header(r, "Replay-Nonce"));
    manage("GET", STATUS "00" SERIAL, "");
    reply_with(heard(IPC_QUERY),
               "{\"serial\":\"" SERIAL
               "\",\"pem\":\"P\",\"revocation\":{\"reason\":4,\"revoked\":\"2026-01-01T00:00:00Z\"}}",
               NULL);
    assert_true(body_is(answered(200),
                        "{\"Certificate\":\"P\",\"Reason\":4,\"RevokedAt\":\"2026-01-01T00:00:00Z\","
                        "\"Serial\":\"cfb4f0a00112233445566778899aabb\",\"Status\":\"Revoked\"}\n"));
    manage("GET", STATUS "01", "");
    reply_with(heard(IPC_QUERY), "", "malformed");
    refused(404, "malformed");
    heard_nothing();
}

static void set_goes_back_to_the_gateway(void **state)
{
    (void)state;
    manage("POST", SET, SET_BODY("{ no JSON"));
    const struct said *q = heard(IPC_QUERY);
    const Ipc__Query *query = (const Ipc__Query *)(const void *)q->body;
    assert_int_equal(query->serial.len, 4); /* as the book has it */
    assert_int_equal(query->serial.data[0], 0x87);
    reply_with(q, "{}", NULL);
    const Ipc__HttpResponse *r = answered(200);
    assert_string_equal(header(r, "lintel-renewal-info"), CERTID);
    assert_true(body_is(r, "{ no JSON"));
    manage("POST", SET, SET_BODY("x"));
    reply_with(heard(IPC_QUERY), "", "malformed"); /* no such certificate: nothing is set */
    refused(404, "malformed");
    heard_nothing();
}

static void refusals(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        uint32_t status;
    } rows[] = {
        {"GET", "/", "", 404},
        {"GET", "/acme/directory", "", 404},
        {"GET", "/dir", "", 404},
        {"GET", "/api/v1/status", "", 404},
        {"GET", STATUS, "", 400},
        {"GET", STATUS "xyz", "", 400},
        {"GET", STATUS "0x01", "", 400},
        {"GET", STATUS SERIAL SERIAL, "", 400},
        {"POST", STATUS SERIAL, "{}", 405},
        {"HEAD", STATUS SERIAL, "", 405},
        {"GET", SET, "", 405},
        {"POST", SET "x", SET_BODY("x"), 404},
        {"POST", SET, "", 400},
        {"POST", SET, "[]", 400},
        {"POST", SET, "{}", 400},
        {"POST", SET, "{\"Certificate\":1}", 400},
        {"POST", SET, "{\"Certificate\":\"x\",\"ARIResponse\":\"\"}", 400},
        {"POST", SET, "{\"Certificate\":\"-----BEGIN X-----\\nAAAA\\n-----END X-----\\n\"}", 400},
        {"POST", SET,
         "{\"Certificate\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"}", 400},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        manage(rows[i].method, rows[i].path, rows[i].body);
        const Ipc__HttpResponse *r = answered(rows[i].status);
        assert_null(header(r, "lintel-renewal-info"));
    }
    heard_nothing();
}

static void dir_is_the_directory(void **state)
{
    (void)state;
    send_http(&(struct ask){"GET", "/dir", "", NULL, "", {0}, false, 0});
    const Ipc__HttpResponse *r = answered(200);
    assert_non_null(memmem(r->body.data, r->body.len, "newNonce", 8));
    send_http(&(struct ask){"GET", "/dir", "", "http", "", {0}, false, 0}); /* for https alone */
    (void)answered(404);
    send_http(&(struct ask){"GET", "/dirs", "", NULL, "", {0}, false, 0});
    (void)answered(404);
    post_signed(account_key, "/dir", ""); /* signed for the path that it was sent to */
    answer_key(heard(IPC_KEY_LOOKUP), account_key, "valid");
    answer_call(heard(IPC_ACME_CALL), NULL);
    r = answered(200);
    assert_non_null(memmem(r->body.data, r->body.len, "newNonce", 8));
}

/* The notary of every other CA: whatever listener a request claims to come by. */
static void not_elsewhere(void **state)
{
    static const char *const listeners[] = {"management", "https", "http", "operator", "api"};
    static const char *const paths[] = {"/dir", STATUS SERIAL, SET, "/roots/0"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(listeners); i++) {
        for (size_t j = 0; j < LT_COUNT(paths); j++) {
            send_http(&(struct ask){"GET", paths[j], "", listeners[i], "", {0}, true, 0});
            (void)answered(404);
            send_http(&(struct ask){"POST", paths[j], "", listeners[i], "application/json",
                                    lt_slice_cstr(SET_BODY("x")), true, 0});
            (void)answered(404);
        }
    }
    heard_nothing();
}

#define TESTING(f_) cmocka_unit_test_setup_teardown(f_, set_up_testing, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TESTING(status_is_pebbles), TESTING(set_goes_back_to_the_gateway),
        TESTING(refusals),          TESTING(dir_is_the_directory),
        TEST(not_elsewhere),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
