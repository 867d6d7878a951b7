/* Paths, identifiers and payloads of clients: what becomes of them, and which problem it is otherwise. */
#include "check.h"

#include "wire_site.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *query;
        bool found;
        enum wire_resource resource;
        int64_t id;
        uint32_t index;
    } rows[] = {
        {"/acme/directory", "", true, WIRE_DIRECTORY, 0, 0},
        {"/acme/new-nonce", "", true, WIRE_NEW_NONCE, 0, 0},
        {"/acme/account/12", "", true, WIRE_ACCOUNT, 12, 0},
        {"/acme/account/12/orders", "", true, WIRE_ORDERS, 12, 0},
        {"/acme/account/12/orders", "cursor=AQI", true, WIRE_ORDERS, 12, 0},
        {"/acme/order/9223372036854775807", "", true, WIRE_ORDER, INT64_MAX, 0},
        {"/acme/order/7/finalize", "", true, WIRE_FINALIZE, 7, 0},
        {"/acme/challenge/7/3", "", true, WIRE_CHALLENGE, 7, 3},
        {"/acme/certificate/0cf6", "", true, WIRE_CERTIFICATE, 0, 0},
        {"/acme/certificate/0cf6/1", "", true, WIRE_CERTIFICATE, 0, 1},
        {"", "", false, 0, 0, 0},
        {"/", "", false, 0, 0, 0},
        {"/acme", "", false, 0, 0, 0},
        {"/acme/", "", false, 0, 0, 0},
        {"acme/directory", "", false, 0, 0, 0},
        {"/acme/directory/", "", false, 0, 0, 0},
        {"/acme//directory", "", false, 0, 0, 0},
        {"/ACME/directory", "", false, 0, 0, 0},
        {"/acme/Directory", "", false, 0, 0, 0},
        {"/acme/%64irectory", "", false, 0, 0, 0},
        {"/acme/directory", "x=1", false, 0, 0, 0},
        {"/acme/order/", "", false, 0, 0, 0},
        {"/acme/order/0", "", false, 0, 0, 0},
        {"/acme/order/-1", "", false, 0, 0, 0},
        {"/acme/order/+1", "", false, 0, 0, 0},
        {"/acme/order/01", "", false, 0, 0, 0},
        {"/acme/order/1x", "", false, 0, 0, 0},
        {"/acme/order/9223372036854775808", "", false, 0, 0, 0},
        {"/acme/order/18446744073709551617", "", false, 0, 0, 0},
        {"/acme/order/7/finalize/", "", false, 0, 0, 0},
        {"/acme/order/7/Finalize", "", false, 0, 0, 0},
        {"/acme/challenge/7", "", false, 0, 0, 0},
        {"/acme/challenge/7/1001", "", false, 0, 0, 0},
        {"/acme/certificate/0CF6", "", false, 0, 0, 0},
        {"/acme/certificate/0cf", "", false, 0, 0, 0},
        {"/acme/certificate/zz", "", false, 0, 0, 0},
        {"/acme/certificate/", "", false, 0, 0, 0},
        {"/acme/certificate/000102030405060708090a0b0c0d0e0f1011121314", "", false, 0, 0, 0},
        {"/acme/account/12/orders", "cursor=", false, 0, 0, 0},
        {"/acme/account/12/orders", "cursor=A", false, 0, 0, 0},
        {"/acme/account/12/orders", "page=2", false, 0, 0, 0},
        {"/acme/account/12", "cursor=AQI", false, 0, 0, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct wire_target t;
        lt_res r = wire_find(lt_slice_cstr(rows[i].path), lt_slice_cstr(rows[i].query), &arena, &t);
        if (lt_failed(r) == rows[i].found) {
            print_error("%s?%s\n", rows[i].path, rows[i].query);
        }
        assert_int_equal(!lt_failed(r), rows[i].found);
        if (rows[i].found) {
            assert_int_equal(t.route->resource, rows[i].resource);
            assert_int_equal(t.id, rows[i].id);
            assert_int_equal(t.index, rows[i].index);
        }
    }
}

/* Every resource answers to something, and only the two that the RFC names to plain GET. */
static void route_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_route_count; i++) {
        const struct wire_route *r = &wire_routes[i];
        assert_true(r->read || r->write);
        assert_int_equal(r->get, r->resource == WIRE_DIRECTORY || r->resource == WIRE_NEW_NONCE);
        assert_int_equal(r->signer == WIRE_BY_JWK, r->resource == WIRE_NEW_ACCOUNT);
        assert_int_equal(r->signer == WIRE_BY_EITHER, r->resource == WIRE_REVOKE);
        assert_true(!r->keep_jws || r->write);
    }
}

static void kids(void **state)
{
    (void)state;
    static const struct {
        const char *kid;
        int64_t account;
    } rows[] = {
        {BASE "/acme/account/1", 1},
        {BASE "/acme/account/9223372036854775807", INT64_MAX},
        {BASE "/acme/account/0", 0},
        {BASE "/acme/account/01", 0},
        {BASE "/acme/account/", 0},
        {BASE "/acme/account/1/", 0},
        {BASE "/acme/account/1?x", 0},
        {BASE "/acme/account/9223372036854775808", 0},
        {BASE "/acme/order/1", 0},
        {"http://ca.example/acme/account/1", 0},
        {"https://ca.example.evil/acme/account/1", 0},
        {"/acme/account/1", 0},
        {"operator:admin", 0},
        {"1", 0},
        {"", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        int64_t account = 0;
        lt_res r = wire_account_of_kid(&test_site, lt_slice_cstr(rows[i].kid), &account);
        assert_int_equal(r.code, rows[i].account == 0 ? LT_PEER_MALFORMED : 0);
        assert_int_equal(account, rows[i].account);
    }
}

static void identifiers(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *value;
        const char *canonical; /* NULL: refused */
    } rows[] = {
        {"dns", "example.com", "example.com"},
        {"dns", "WWW.Example.COM", "www.example.com"},
        {"dns", "*.example.com", "*.example.com"},
        {"dns", "xn--bcher-kva.example.com", "xn--bcher-kva.example.com"},
        {"dns", "XN--BCHER-KVA.example.com", "xn--bcher-kva.example.com"},
        {"dns", "localhost", "localhost"}, /* form only: the registrar says no */
        {"ip", "192.0.2.1", "192.0.2.1"},
        {"ip", "2001:db8::1", "2001:db8::1"},
        {"dns", "", NULL},
        {"dns", ".", NULL},
        {"dns", "a..b", NULL},
        {"dns", ".example.com", NULL},
        {"dns", "example.com.", NULL},
        {"dns", "-a.example.com", NULL},
        {"dns", "a-.example.com", NULL},
        {"dns", "-localhost", NULL},
        {"dns", "local_host", NULL},
        {"dns", "a_b.example.com", NULL},
        {"dns", "a b.example.com", NULL},
        {"dns", "exa\tmple.com", NULL},
        {"dns",
         "b\xc3\xbc"
         "cher.example.com",
         NULL},
        {"dns", "*.*.example.com", NULL},
        {"dns", "a.*.example.com", NULL},
        {"dns", "*a.example.com", NULL},
        {"dns", "*", NULL},
        {"dns", "192.0.2.1", NULL},
        {"dns", "xn--.example.com", NULL},
        {"dns", "xn--a.example.com", NULL},
        {"dns", "xn--example-.example.com", NULL},
        {"dns", "ab--cd.example.com", NULL},
        {"dns", "xn--strae-oqa.example.com", "xn--strae-oqa.example.com"}, /* with the sharp s of IDNA 2008 */
        {"dns", "xn--999999999999.example.com", NULL},                     /* punycode that overflows */
        {"dns", "xn--bcher-KVa.example.com", "xn--bcher-kva.example.com"},
        {"ip", "192.0.2.01", NULL},
        {"ip", "192.0.2", NULL},
        {"ip", "2001:DB8::1", NULL},
        {"ip", "2001:db8:0:0:0:0:0:1", NULL},
        {"ip", "fe80::1%eth0", NULL},
        {"ip", "example.com", NULL},
        {"ip", "", NULL},
        {"ip", "192.0.2.0/24", NULL},
        {"email", "a@example.com", NULL},
        {"DNS", "example.com", NULL},
        {"", "example.com", NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct wire_reader r = {.site = &test_site, .arena = &arena};
        Ipc__Identifier id;
        lt_res found = wire_identifier(&r, lt_slice_cstr(rows[i].type), lt_slice_cstr(rows[i].value), &id);
        if (lt_failed(found) == (rows[i].canonical != NULL)) {
            print_error("%s %s\n", rows[i].type, rows[i].value);
        }
        assert_int_equal(!lt_failed(found), rows[i].canonical != NULL);
        if (rows[i].canonical != NULL) {
            assert_string_equal(id.value, rows[i].canonical);
            assert_string_equal(id.type, rows[i].type);
        }
    }
}

/* Runs a payload through the whole reader for that path, as account 12. */
static lt_res read_as(struct wire_reader *r, const char *path, const char *payload, Ipc__AcmeCall *call)
{
    struct wire_target t;
    struct jws jws = {.nonce = LT_LIT("AA"),
                      .url = LT_LIT("u"),
                      .kid = LT_LIT(BASE "/acme/account/12"),
                      .payload = lt_slice_cstr(payload)};
    static const uint8_t thumbprint[32] = {1};
    *r = (struct wire_reader){.site = &test_site, .arena = &arena};
    LT_TRY(wire_find(lt_slice_cstr(path), (lt_slice){0}, &arena, &t));
    int64_t account = t.route->signer == WIRE_BY_JWK ? 0 : 12;
    LT_TRY(wire_begin_call(&arena, &jws, account, thumbprint, call));
    return wire_read_call(r, &t, &jws, LT_LIT("spki"), call);
}

#define CONTACT(c) "{\"contact\":[\"" c "\"]}"
#define ORDER(ids) "{\"identifiers\":[" ids "]}"
#define UNDER(name_, domain_) "{\"type\":\"dns\",\"value\":\"" name_ "\",\"ancestorDomain\":" domain_ "}"
#define WITH_BELOW(value_) "{\"type\":\"dns\",\"value\":\"example.com\",\"subdomainAuthAllowed\":" value_ "}"
#define DNS(n) "{\"type\":\"dns\",\"value\":\"" n "\"}"

static void payloads(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *payload;
        Ipc__AcmeOp op;
        const char *problem; /* "" when it is taken */
    } rows[] = {
        {"/acme/directory", "", IPC__ACME_OP__ACME_GET_ACCOUNT, ""},
        {"/acme/directory", "{}", 0, "malformed"},
        {"/acme/new-account", "{}", IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", "{\"unknown\":[1,2]}", IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", CONTACT("mailto:a@example.com"), IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", CONTACT("MAILTO:a+b.c@Example.com"), IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", "{\"contact\":[]}", IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", "{\"contact\":null}", IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", "{\"onlyReturnExisting\":true}", IPC__ACME_OP__ACME_NEW_ACCOUNT, ""},
        {"/acme/new-account", "", 0, "malformed"},
        {"/acme/new-account", "[]", 0, "malformed"},
        {"/acme/new-account", "null", 0, "malformed"},
        {"/acme/new-account", "{\"onlyReturnExisting\":\"true\"}", 0, "malformed"},
        {"/acme/new-account", "{\"termsOfServiceAgreed\":1}", 0, "malformed"},
        {"/acme/new-account", "{\"contact\":\"mailto:a@example.com\"}", 0, "malformed"},
        {"/acme/new-account", "{\"contact\":[7]}", 0, "malformed"},
        {"/acme/new-account", "{\"externalAccountBinding\":\"x\"}", 0, "malformed"},
        {"/acme/new-account", CONTACT("tel:+12025551212"), 0, "unsupportedContact"},
        {"/acme/new-account", CONTACT("https://example.com/"), 0, "unsupportedContact"},
        {"/acme/new-account", CONTACT("a@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT(""), 0, "invalidContact"},
        {"/acme/new-account", CONTACT(":"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@b@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@localhost"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@example..com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@example.com,b@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a@example.com?cc=b@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a b@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:a\\r\\nb@example.com"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:<a@example.com>"), 0, "invalidContact"},
        {"/acme/new-account", CONTACT("mailto:\\u00e4@example.com"), 0, "invalidContact"},
        {"/acme/new-account", "{\"contact\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}", 0,
         "invalidContact"},
        {"/acme/account/12", "", IPC__ACME_OP__ACME_GET_ACCOUNT, ""},
        {"/acme/account/12", "{}", IPC__ACME_OP__ACME_UPDATE_ACCOUNT, ""},
        {"/acme/account/12", "{\"status\":\"deactivated\"}", IPC__ACME_OP__ACME_UPDATE_ACCOUNT, ""},
        {"/acme/account/12", "{\"status\":\"valid\"}", IPC__ACME_OP__ACME_UPDATE_ACCOUNT, ""},
        {"/acme/account/12", "{\"status\":\"revoked\"}", 0, "malformed"},
        {"/acme/account/12", "{\"status\":7}", 0, "malformed"},
        {"/acme/account/12", CONTACT("tel:1"), 0, "unsupportedContact"},
        {"/acme/account/13", "", 0, "unauthorized"},
        {"/acme/account/13", "{}", 0, "unauthorized"},
        {"/acme/account/13/orders", "", 0, "unauthorized"},
        {"/acme/account/12/orders", "", IPC__ACME_OP__ACME_GET_ORDERS, ""},
        {"/acme/account/12/orders", "{}", 0, "malformed"},
        {"/acme/new-order", ORDER(DNS("example.com")), IPC__ACME_OP__ACME_NEW_ORDER, ""},
        {"/acme/new-order", ORDER(DNS("example.com") "," DNS("EXAMPLE.com")), IPC__ACME_OP__ACME_NEW_ORDER,
         ""},
        {"/acme/new-order", "", 0, "malformed"},
        {"/acme/new-order", "{\"identifiers\":[" DNS("example.com") "],\"auto-renewal\":{}}", 0, "malformed"},
        {"/acme/new-order", "{}", 0, "malformed"},
        {"/acme/new-order", ORDER(""), 0, "malformed"},
        {"/acme/new-order", "{\"identifiers\":{}}", 0, "malformed"},
        {"/acme/new-order", ORDER("\"example.com\""), 0, "malformed"},
        {"/acme/new-order", ORDER("{\"type\":\"dns\"}"), 0, "malformed"},
        {"/acme/new-order", ORDER("{\"type\":\"dns\",\"value\":7}"), 0, "malformed"},
        {"/acme/new-order", ORDER(DNS("-")), 0, "rejectedIdentifier"},
        {"/acme/new-order", ORDER("{\"type\":\"email\",\"value\":\"x\"}"), 0, "unsupportedIdentifier"},
        {"/acme/new-order", ORDER(DNS("-") ",{\"type\":\"email\",\"value\":\"x\"}"), 0, "compound"},
        {"/acme/new-order", "{\"identifiers\":[" DNS("example.com") "],\"notBefore\":\"tomorrow\"}", 0,
         "malformed"},
        {"/acme/new-order", "{\"identifiers\":[" DNS("example.com") "],\"notAfter\":7}", 0, "malformed"},
        {"/acme/new-order", "{\"identifiers\":[" DNS("example.com") "],\"profile\":7}", 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("a.example.com", "\"example.com\"")), IPC__ACME_OP__ACME_NEW_ORDER,
         ""},
        {"/acme/new-order", ORDER(UNDER("*.example.com", "\"EXAMPLE.com\"")), IPC__ACME_OP__ACME_NEW_ORDER,
         ""},
        {"/acme/new-order", ORDER(UNDER("example.com", "\"example.com\"")), 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("a.example.com", "\"example.org\"")), 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("aexample.com", "\"example.com\"")), 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("a.example.com", "\"*.example.com\"")), 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("a.example.com", "\".com\"")), 0, "malformed"},
        {"/acme/new-order", ORDER(UNDER("a.example.com", "7")), 0, "malformed"},
        {"/acme/new-order", ORDER("{\"type\":\"ip\",\"value\":\"192.0.2.1\",\"ancestorDomain\":\"2.1\"}"), 0,
         "malformed"},
        {"/acme/new-authz", "{\"identifier\":" DNS("example.com") "}", IPC__ACME_OP__ACME_NEW_AUTHORIZATION,
         ""},
        {"/acme/new-authz", "{\"identifier\":" WITH_BELOW("true") "}", IPC__ACME_OP__ACME_NEW_AUTHORIZATION,
         ""},
        {"/acme/new-authz", "{\"identifier\":" WITH_BELOW("false") "}", IPC__ACME_OP__ACME_NEW_AUTHORIZATION,
         ""},
        {"/acme/new-authz", "{\"identifier\":" WITH_BELOW("\"true\"") "}", 0, "malformed"},
        {"/acme/new-authz", "{\"identifier\":" WITH_BELOW("1") "}", 0, "malformed"},
        {"/acme/new-authz", "", 0, "malformed"},
        {"/acme/new-authz", "{}", 0, "malformed"},
        {"/acme/new-authz", "{\"identifier\":[]}", 0, "malformed"},
        {"/acme/new-authz", "{\"identifier\":{\"type\":\"dns\"}}", 0, "malformed"},
        {"/acme/new-authz", "{\"identifier\":" DNS("-") "}", 0, "rejectedIdentifier"},
        {"/acme/new-authz", "{\"identifier\":{\"type\":\"email\",\"value\":\"x\"}}", 0,
         "unsupportedIdentifier"},
        {"/acme/new-authz",
         "{\"identifier\":{\"type\":\"ip\",\"value\":\"192.0.2.1\",\"subdomainAuthAllowed\":true}}", 0,
         "malformed"},
        {"/acme/order/5", "", IPC__ACME_OP__ACME_GET_ORDER, ""},
        {"/acme/order/5", "{}", 0, "malformed"},
        {"/acme/order/5/finalize", "", 0, "malformed"},
        {"/acme/order/5/finalize", "{}", 0, "malformed"},
        {"/acme/order/5/finalize", "{\"csr\":7}", 0, "malformed"},
        {"/acme/order/5/finalize", "{\"csr\":\"MA==\"}", 0, "malformed"},
        {"/acme/order/5/finalize", "{\"csr\":\"\"}", 0, "badCSR"},
        {"/acme/order/5/finalize", "{\"csr\":\"MAA\"}", 0, "badCSR"},
        {"/acme/authorization/5", "", IPC__ACME_OP__ACME_GET_AUTHORIZATION, ""},
        {"/acme/authorization/5", "{\"status\":\"deactivated\"}", IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION,
         ""},
        {"/acme/authorization/5", "{\"status\":\"valid\"}", 0, "malformed"},
        {"/acme/authorization/5", "{}", 0, "malformed"},
        {"/acme/challenge/5/0", "", IPC__ACME_OP__ACME_GET_CHALLENGE, ""},
        {"/acme/challenge/5/0", "{}", IPC__ACME_OP__ACME_REPLY_CHALLENGE, ""},
        {"/acme/challenge/5/0", "{\"keyAuthorization\":\"x\"}", IPC__ACME_OP__ACME_REPLY_CHALLENGE, ""},
        {"/acme/challenge/5/0", "[]", 0, "malformed"},
        {"/acme/challenge/5/0", "{", 0, "malformed"},
        {"/acme/certificate/0cf6", "", IPC__ACME_OP__ACME_GET_CERTIFICATE, ""},
        {"/acme/certificate/0cf6", "{}", 0, "malformed"},
        {"/acme/revoke-cert", "{}", 0, "malformed"},
        {"/acme/revoke-cert", "{\"certificate\":\"MAA\"}", 0, "malformed"},
        {"/acme/key-change", "", 0, "malformed"},
        {"/acme/key-change", "{}", 0, "malformed"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct wire_reader r;
        Ipc__AcmeCall call;
        lt_res found = read_as(&r, rows[i].path, rows[i].payload, &call);
        const char *type = problem_type(&r, found);
        if (strcmp(type, rows[i].problem) != 0) {
            print_error("%s %s: %s %s\n", rows[i].path, rows[i].payload, type,
                        lt_failed(found) ? lt_error_last()->detail : "");
        }
        assert_string_equal(type, rows[i].problem);
        if (!lt_failed(found)) {
            assert_int_equal(call.op, rows[i].op);
        }
    }
}

static void order_details(void **state)
{
    (void)state;
    struct wire_reader r;
    Ipc__AcmeCall call;
    assert_ok(
        read_as(&r, "/acme/new-order",
                "{\"identifiers\":[" DNS("B.example.com") "," DNS("a.example.com") "," DNS(
                    "b.example.com") ",{\"type\":\"ip\",\"value\":\"192.0.2.1\"}],"
                                     "\"notBefore\":\"2026-11-22T00:00:00Z\",\"profile\":\"tls-server\","
                                     "\"replaces\":\"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE\"}",
                &call));
    assert_int_equal(call.new_order->n_identifiers, 3);
    assert_string_equal(call.new_order->identifiers[0]->value, "b.example.com");
    assert_string_equal(call.new_order->identifiers[1]->value, "a.example.com");
    assert_string_equal(call.new_order->identifiers[2]->type, "ip");
    assert_string_equal(call.new_order->not_before, "2026-11-22T00:00:00Z");
    assert_string_equal(call.new_order->not_after, "");
    assert_string_equal(call.new_order->profile, "tls-server");
    assert_string_equal(call.new_order->replaces, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    assert_string_equal(call.nonce, "AA");
    assert_int_equal(call.account_id, 12);
    /* each fault with its identifier */
    lt_res failed = read_as(&r, "/acme/new-order", ORDER(DNS("good.example.com") "," DNS("-") "," DNS("_")),
                            &call);
    Ipc__Problem *p = wire_problem_of(&r, failed);
    assert_string_equal(p->type, "rejectedIdentifier");
    assert_int_equal(p->n_subproblems, 2);
    assert_string_equal(p->subproblems[0]->identifier->value, "-");
    assert_string_equal(p->subproblems[1]->identifier->value, "_");
}

static void order_limit(void **state)
{
    (void)state;
    for (size_t count = WIRE_IDENTIFIERS_MAX; count <= WIRE_IDENTIFIERS_MAX + 1; count++) {
        struct wire_reader r;
        Ipc__AcmeCall call;
        LT_CLEANUP(lt_buf_done) struct lt_buf text;
        lt_buf_init(&text, 64 * 1024);
        lt_buf_add_cstr(&text, "{\"identifiers\":[");
        for (size_t i = 0; i < count; i++) {
            lt_buf_addf(&text, "%s{\"type\":\"dns\",\"value\":\"n%zu.example.com\"}", i == 0 ? "" : ",", i);
        }
        lt_buf_add_cstr(&text, "]}");
        lt_res found = read_as(&r, "/acme/new-order", lt_buf_cstr(&text), &call);
        assert_int_equal(lt_failed(found), count > WIRE_IDENTIFIERS_MAX);
    }
}

/* Whatever cap the arena has, the answer is a problem and nothing worse. */
static void small_arenas(void **state)
{
    (void)state;
    static const char *const bodies[][2] = {
        {"/acme/new-order", ORDER(DNS("example.com") "," DNS("-"))},
        {"/acme/new-account", CONTACT("mailto:a@example.com")},
        {"/acme/challenge/5/0", "{}"},
    };
    for (size_t i = 0; i < LT_COUNT(bodies); i++) {
        for (size_t max = 64; max < 4096; max += 16) {
            struct lt_arena small;
            lt_arena_init(&small, max);
            struct wire_reader r = {.site = &test_site, .arena = &small};
            struct wire_target t;
            struct jws jws = {
                .nonce = LT_LIT("AA"), .url = LT_LIT("u"), .payload = lt_slice_cstr(bodies[i][1])};
            static const uint8_t thumbprint[32] = {1};
            Ipc__AcmeCall call;
            assert_ok(wire_find(lt_slice_cstr(bodies[i][0]), (lt_slice){0}, &small, &t));
            lt_res done = wire_begin_call(&small, &jws, 12, thumbprint, &call);
            if (!lt_failed(done)) {
                done = wire_read_call(&r, &t, &jws, (lt_slice){0}, &call);
            }
            assert_true(done.code == 0 || lt_class_of(done.code) == LT_CLASS_PEER);
            lt_arena_done(&small);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),       cmocka_unit_test(route_table),  cmocka_unit_test(kids),
        cmocka_unit_test(identifiers), cmocka_unit_test(payloads),     cmocka_unit_test(order_details),
        cmocka_unit_test(order_limit), cmocka_unit_test(small_arenas),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
