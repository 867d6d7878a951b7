/* Perspectives' files, and what a signed statement is worth. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/key.h"
#include "ipc/ipc.h"
#include "validate/perspective_settings.h"

static struct crypto_key *eu_key; /* made once */
static struct crypto_key *us_key;
static struct lt_arena arena;

static int setup(void **state)
{
    (void)state;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &eu_key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &us_key));
    lt_arena_init(&arena, (size_t)4 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    crypto_key_free(eu_key);
    crypto_key_free(us_key);
    lt_arena_done(&arena);
    return 0;
}

static char *base64(lt_slice bytes)
{
    struct lt_buf b;
    lt_buf_init(&b, 4096);
    lt_base64_add(&b, bytes);
    char *text = lt_arena_cstr(&arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return text;
}

/* A file with one member changed: NULL leaves it out. */
static char *file_with(const char *key, const char *value)
{
    const char *members[][2] = {{"name", "\"eu\""},   {"url", "\"https://192.0.2.1:9443\""},
                                {"spki", ""},         {"rir", "\"RIPE\""},
                                {"latitude", "48.2"}, {"longitude", "16.4"}};
    struct lt_buf b;
    const char *comma = "";
    bool seen = false;
    lt_buf_init(&b, 16384);
    lt_buf_add_byte(&b, '{');
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        bool mine = key != NULL && strcmp(members[i][0], key) == 0;
        seen |= mine;
        if (mine && value == NULL) {
            continue;
        }
        lt_buf_addf(&b, "%s\"%s\":", comma, members[i][0]);
        comma = ",";
        if (mine) {
            lt_buf_add_cstr(&b, value);
        } else if (strcmp(members[i][0], "spki") == 0) {
            lt_buf_addf(&b, "\"%s\"", base64(crypto_key_spki(eu_key)));
        } else {
            lt_buf_add_cstr(&b, members[i][1]);
        }
    }
    if (key != NULL && !seen) {
        lt_buf_addf(&b, ",\"%s\":%s", key, value);
    }
    lt_buf_add_byte(&b, '}');
    char *text = lt_arena_cstr(&arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    assert_non_null(text);
    return text;
}

static void reads_a_file(void **state)
{
    (void)state;
    struct validate_perspective p;
    assert_ok(validate_perspective_parse(&arena, lt_slice_cstr(file_with(NULL, NULL)), &p));
    assert_string_equal(p.name, "eu");
    assert_string_equal(p.url, "https://192.0.2.1:9443");
    assert_true(lt_slice_eq(p.spki, crypto_key_spki(eu_key)));
    assert_int_equal(p.rir, VALIDATE_RIR_RIPE);
    assert_int_equal(p.resolver_rir, VALIDATE_RIR_RIPE);
    assert_true(p.resolver.latitude == 48.2 && p.resolver.longitude == 16.4);
    assert_ok(validate_perspective_parse(&arena, lt_slice_cstr(file_with("resolver-latitude", "50.1")), &p));
    assert_true(p.resolver.latitude == 50.1 && p.place.latitude == 48.2);

    /* What is printed is read the same. */
    struct validate_perspective again;
    struct lt_buf out;
    lt_buf_init(&out, 4096);
    assert_ok(validate_perspective_print(&p, &out));
    assert_ok(validate_perspective_parse(&arena, lt_buf_slice(&out), &again));
    assert_string_equal(again.name, p.name);
    assert_true(lt_slice_eq(again.spki, p.spki));
    assert_true(again.resolver.latitude == 50.1 && again.resolver_rir == p.resolver_rir);
    lt_buf_done(&out);
}

static void refuses_files(void **state)
{
    (void)state;
    struct crypto_key *p384;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P384, 0, &p384));
    char *wrong_curve = lt_arena_printf(&arena, "\"%s\"", base64(crypto_key_spki(p384)));
    crypto_key_free(p384);
    char *long_name = lt_arena_printf(&arena, "\"%064d\"", 0);
    long_name[1] = 'a';
    const char *const rows[][2] = {
        {"name", NULL},
        {"name", "\"\""},
        {"name", "\"EU\""},
        {"name", "\"1eu\""},
        {"name", "\"eu/..\""},
        {"name", "\"primary\""},
        {"name", "7"},
        {"name", long_name},
        {"url", NULL},
        {"url", "\"http://192.0.2.1:9443\""},
        {"url", "\"https://\""},
        {"url", "\"https://a b\""},
        {"url", "\"https://a\\nb\""},
        {"spki", NULL},
        {"spki", "\"\""},
        {"spki", "\"MFkw\""},
        {"spki", "\"!\""},
        {"spki", wrong_curve},
        {"rir", NULL},
        {"rir", "\"EUROPE\""},
        {"rir", "\"\""},
        {"resolver-rir", "\"\""},
        {"latitude", NULL},
        {"latitude", "\"48.2\""},
        {"latitude", "null"},
        {"longitude", NULL},
        {"longitude", "true"},
        {"resolver-latitude", "\"48.2\""},
        {"resolver-longitude", "[]"},
        {"extra", "1"},
    };
    struct validate_perspective p = {.name = "untouched"};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = validate_perspective_parse(&arena, lt_slice_cstr(file_with(rows[i][0], rows[i][1])), &p);
        if (lt_class_of(r.code) != LT_CLASS_PEER) {
            print_error("row %zu: %s %s\n", i, rows[i][0], rows[i][1] == NULL ? "-" : rows[i][1]);
        }
        assert_int_equal(lt_class_of(r.code), LT_CLASS_PEER);
    }
    static const char *const texts[] = {"", "{", "[]", "null", "{\"name\":\"a\",\"name\":\"b\"}", "{} {}"};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        assert_fails(validate_perspective_parse(&arena, lt_slice_cstr(texts[i]), &p), LT_PEER_USAGE);
    }
    static uint8_t large[VALIDATE_PERSPECTIVE_FILE_MAX + 1];
    assert_fails(validate_perspective_parse(&arena, LT_SLICE(large, sizeof large), &p), LT_PEER_TOO_LARGE);
    assert_string_equal(p.name, "untouched");
}

static void reads_settings(void **state)
{
    (void)state;
    char *key = base64(crypto_key_spki(us_key));
    struct validate_perspective_settings s;
    struct validate_perspective_settings again;
    struct lt_buf out;
    char *text = lt_arena_printf(&arena,
                                 "{\"name\":\"eu\",\"url\":\"https://a\",\"rir\":\"RIPE\",\"latitude\":1,"
                                 "\"longitude\":2,\"listen\":\"127.0.0.1:1\",\"clients\":[\"%s\"]}",
                                 key);
    lt_buf_init(&out, 8192);
    assert_ok(validate_perspective_settings_parse(&arena, lt_slice_cstr(text), &s));
    assert_int_equal(s.client_count, 1);
    assert_string_equal(s.listen, "127.0.0.1:1");
    assert_ok(validate_perspective_settings_print(&s, &out));
    assert_ok(validate_perspective_settings_parse(&arena, lt_buf_slice(&out), &again));
    assert_true(lt_slice_eq(again.clients[0], crypto_key_spki(us_key)));
    assert_true(again.self.place.longitude == 2 && again.self.resolver.latitude == 1);
    lt_buf_done(&out);
    static const char *const wrong[] = {
        "\"listen\":\"127.0.0.1:1\"",
        "\"clients\":[]",
        "\"listen\":1,\"clients\":[]",
        "\"listen\":\"127.0.0.1:1\",\"clients\":{}",
        "\"listen\":\"127.0.0.1:1\",\"clients\":[1]",
        "\"listen\":\"127.0.0.1:1\",\"clients\":[\"AAAA\"]",
        "\"listen\":\"127.0.0.1:1\",\"clients\":[],\"spki\":\"AAAA\"",
    };
    for (size_t i = 0; i < LT_COUNT(wrong); i++) {
        text = lt_arena_printf(&arena,
                               "{\"name\":\"eu\",\"url\":\"https://a\",\"rir\":\"RIPE\",\"latitude\":1,"
                               "\"longitude\":2,%s}",
                               wrong[i]);
        assert_int_equal(
            lt_class_of(validate_perspective_settings_parse(&arena, lt_slice_cstr(text), &s).code),
            LT_CLASS_PEER);
    }
}

static void put(int dir, const char *file, const char *text)
{
    assert_ok(lt_file_replace(dir, file, 0644, lt_slice_cstr(text)));
}

static void loads_a_folder(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-perspectives-XXXXXX";
    assert_non_null(mkdtemp(folder));
    int top = open(folder, O_RDONLY | O_DIRECTORY);
    struct validate_perspectives all;
    assert_ok(validate_perspectives_load(top, "perspectives", &all));
    assert_int_equal(all.count, 0);
    assert_null(validate_perspective_by_name(&all, LT_LIT("eu")));
    assert_int_equal(mkdirat(top, "perspectives", 0755), 0);
    int dir = openat(top, "perspectives", O_RDONLY | O_DIRECTORY);
    struct validate_perspective us = {.name = "us",
                                      .url = "https://[2001:db8::1]:9443",
                                      .spki = crypto_key_spki(us_key),
                                      .rir = VALIDATE_RIR_ARIN,
                                      .resolver_rir = VALIDATE_RIR_ARIN,
                                      .place = {45.5, -122.7},
                                      .resolver = {45.5, -122.7}};
    struct lt_buf out;
    lt_buf_init(&out, 4096);
    assert_ok(validate_perspective_print(&us, &out));
    put(dir, "us.json", lt_buf_cstr(&out));
    put(dir, "eu.json", file_with(NULL, NULL));
    put(dir, "README", "not a perspective");
    put(dir, ".hidden.json", "{");
    assert_ok(validate_perspectives_load(top, "perspectives", &all));
    assert_int_equal(all.count, 2);
    assert_string_equal(all.list[0].name, "eu");
    assert_ptr_equal(validate_perspective_by_name(&all, LT_LIT("us")), &all.list[1]);
    assert_null(validate_perspective_by_name(&all, LT_LIT("u")));
    validate_perspectives_done(&all);
    /* Its name is not the file's; one key twice; too close; not JSON. */
    put(dir, "nl.json", file_with(NULL, NULL));
    assert_fails(validate_perspectives_load(top, "perspectives", &all), LT_PEER_USAGE);
    put(dir, "nl.json", file_with("name", "\"nl\""));
    assert_int_equal(lt_class_of(validate_perspectives_load(top, "perspectives", &all).code), LT_CLASS_PEER);
    us.name = "nl";
    us.place = (struct validate_place){48.1, 17.1};
    lt_buf_reset(&out);
    assert_ok(validate_perspective_print(&us, &out));
    put(dir, "nl.json", lt_buf_cstr(&out));
    assert_int_equal(lt_class_of(validate_perspectives_load(top, "perspectives", &all).code), LT_CLASS_PEER);
    put(dir, "nl.json", "{");
    assert_fails(validate_perspectives_load(top, "perspectives", &all), LT_PEER_USAGE);
    assert_non_null(strstr(lt_error_last()->detail, "perspectives/nl.json"));
    static const char *const files[] = {"us.json", "eu.json", "README", ".hidden.json", "nl.json"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        assert_int_equal(unlinkat(dir, files[i], 0), 0);
    }
    assert_int_equal(unlinkat(top, "perspectives", AT_REMOVEDIR), 0);
    assert_int_equal(rmdir(folder), 0);
    lt_buf_done(&out);
    (void)close(dir); /* read only */
    (void)close(top);
}

static struct validate_perspective eu(void)
{
    return (struct validate_perspective){.name = "eu", .spki = crypto_key_spki(eu_key)};
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c has no const strings; only read */
}

static Ipc__Validated statement(void)
{
    static uint8_t nonce[16] = "0123456789abcde";
    Ipc__Validated v = IPC__VALIDATED__INIT;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.method = word("http-01");
    v.ok = true;
    v.perspective = word("eu");
    v.dnssec = word("insecure");
    return v;
}

static void verifies(void **state)
{
    (void)state;
    struct validate_perspective p = eu();
    Ipc__Validated v = statement();
    Ipc__SignedStatement s;
    const Ipc__Validated *got = NULL;
    assert_ok(validate_statement_sign(eu_key, &v, &arena, &s));
    assert_ok(validate_statement_verify(&p, &s, &arena, &got));
    assert_true(got->ok);
    assert_string_equal(got->method, "http-01");
    assert_memory_equal(got->nonce.data, v.nonce.data, v.nonce.len);
}

static void refuses_statements(void **state)
{
    (void)state;
    struct validate_perspective p = eu();
    Ipc__Validated v = statement();
    Ipc__SignedStatement s;
    const Ipc__Validated *got = NULL;
    /* Another key, another name outside, another name inside. */
    assert_ok(validate_statement_sign(us_key, &v, &arena, &s));
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
    assert_ok(validate_statement_sign(eu_key, &v, &arena, &s));
    s.perspective = word("us");
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
    v.perspective = word("us");
    assert_ok(validate_statement_sign(eu_key, &v, &arena, &s));
    s.perspective = word("eu");
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
    /* Every bit of statement and signature counts. */
    v.perspective = word("eu");
    assert_ok(validate_statement_sign(eu_key, &v, &arena, &s));
    for (size_t i = 0; i < s.statement.len; i++) {
        s.statement.data[i] ^= 1;
        assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
        s.statement.data[i] ^= 1;
    }
    for (size_t i = 0; i < s.signature.len; i++) {
        s.signature.data[i] ^= 1;
        assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
        s.signature.data[i] ^= 1;
    }
    size_t len = s.signature.len;
    s.signature.len = 0;
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
    s.signature.len = len;
    assert_ok(validate_statement_verify(&p, &s, &arena, &got));
    /* The bare statement, signed without its context, is nothing. */
    uint8_t bare[CRYPTO_SIGNATURE_MAX];
    assert_ok(crypto_key_sign(eu_key, CRYPTO_ES256, LT_SLICE(s.statement.data, s.statement.len), bare, &len));
    s.signature = (ProtobufCBinaryData){len, bare};
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_UNAUTHORIZED);
    /* Too large. */
    static uint8_t large[VALIDATE_STATEMENT_MAX + 1];
    s.statement = (ProtobufCBinaryData){sizeof large, large};
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_TOO_LARGE);
}

/* Signed well, but no statement. */
static void refuses_signed_noise(void **state)
{
    (void)state;
    struct validate_perspective p = eu();
    static char noise[] = "\xff\xff\xff";
    char message[sizeof VALIDATE_STATEMENT_CONTEXT + 3];
    memcpy(message, VALIDATE_STATEMENT_CONTEXT, sizeof VALIDATE_STATEMENT_CONTEXT);
    memcpy(message + sizeof VALIDATE_STATEMENT_CONTEXT, noise, 3);
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    const Ipc__Validated *got = NULL;
    assert_ok(crypto_key_sign(eu_key, CRYPTO_ES256, LT_SLICE(message, sizeof message), signature, &len));
    Ipc__SignedStatement s = IPC__SIGNED_STATEMENT__INIT;
    s.statement = (ProtobufCBinaryData){3, (uint8_t *)noise};
    s.perspective = word("eu");
    s.signature = (ProtobufCBinaryData){len, signature};
    assert_fails(validate_statement_verify(&p, &s, &arena, &got), LT_PEER_MALFORMED);
}

static void digests_questions(void **state)
{
    (void)state;
    uint8_t a[32];
    uint8_t b[32];
    Ipc__Validate q = IPC__VALIDATE__INIT;
    q.token = word("t");
    assert_ok(validate_question_digest(&q, &arena, a));
    assert_ok(validate_question_digest(&q, &arena, b));
    assert_memory_equal(a, b, 32);
    q.token = word("u");
    assert_ok(validate_question_digest(&q, &arena, b));
    assert_memory_not_equal(a, b, 32);
}

static void says_what_permits(void **state)
{
    (void)state;
    Ipc__Validated v = statement();
    Ipc__CaaCheck caa = IPC__CAA_CHECK__INIT;
    assert_true(validate_statement_permits(&v, false));
    assert_false(validate_statement_permits(&v, true)); /* CAA was asked and is not there */
    v.caa = &caa;
    assert_false(validate_statement_permits(&v, true));
    caa.permitted = true;
    assert_false(validate_statement_permits(&v, true)); /* permitted, but never looked at */
    caa.checked = true;
    assert_true(validate_statement_permits(&v, true));
    caa.dnssec = word("bogus");
    assert_false(validate_statement_permits(&v, true));
    caa.dnssec = word("secure");
    caa.permitted = false;
    assert_false(validate_statement_permits(&v, true));
    caa.permitted = true;
    v.dnssec = word("bogus");
    assert_false(validate_statement_permits(&v, true));
    v.dnssec = word("secure");
    v.ok = false;
    assert_false(validate_statement_permits(&v, true));
    assert_false(validate_statement_permits(&v, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(loads_a_folder),
        cmocka_unit_test(reads_settings),
        cmocka_unit_test(verifies),
        cmocka_unit_test(refuses_statements),
        cmocka_unit_test(refuses_signed_noise),
        cmocka_unit_test(digests_questions),
        cmocka_unit_test(says_what_permits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
