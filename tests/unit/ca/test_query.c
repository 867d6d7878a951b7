/* Questions to a book of a few thousand certificates: filters, pages, cursors, and how each statement walks
 * its index. */
#include "check.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/authority.h"
#include "ca/crl_build.h"
#include "ca/profile.h"
#include "ca/query.h"
#include "crypto/key.h"
#include "incident/ask.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define NOW (INT64_C(1795000000) * SECOND)

enum { CERTIFICATES = 2500, PER_ACCOUNT = 50 };

static const struct store_sql sql[] = {
    {"issuer",
     "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
     "not_after_us, offline) VALUES (?1, ?2, ?3, x'00', x'00', ?4, 1, ?5, 0)"},
    {"profile", "INSERT INTO profile (id, name, sha256) VALUES (?1, ?2, x'00')"},
    {"certificate",
     "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
     "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
     "build, "
     "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
     "sequence) "
     "VALUES (?1, ?2, 0, 'x509', ?3, ?4, ?5, 2, 256, ?6, ?7, ?6, ?8, 7, x'00', 1, 'r', 'b', 1, 'http-01', 1, "
     "?6, "
     "0, 1, 0, 1)"},
    {"name", "INSERT INTO certificate_name (name, type, issuer, serial, copy, authorization_id) "
             "VALUES (?1, ?2, ?3, ?4, 0, ?5)"},
    {"der", "INSERT INTO certificate_der (issuer, serial, copy, der) VALUES (?1, ?2, 0, ?3)"},
    {"revocation",
     "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
     "by_whom, sequence) VALUES (?1, 0, ?2, 4, ?3, ?3, ?3, 'operator admin', 1)"},
    {"account", "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) "
                "VALUES (?1, ?2, x'00', 'ES256', ?3, '[]', 5, '::1')"},
    {"event", "INSERT INTO event (chain, sequence, time_us, kind, subject, body, attachment, hash) "
              "VALUES ('a', ?1, ?2, ?3, ?4, '{\"n\":1}', x'0102', x'ff')"},
    {"halt",
     "INSERT INTO halt (id, kind, value, reason, operator, since_us) VALUES (?1, 'all', '', 'x', 'o', 9)"},
    {"operator", "INSERT INTO operator (name, roles, spki, thumbprint, alg, status, added_us) "
                 "VALUES (?1, '[\"viewer\"]', x'00', x'01', 'EdDSA', 'valid', 3)"},
    {"plan",
     "INSERT INTO plan (id, action, scope_sha256, count, parameters, proposer, created_us, expires_us, "
     "status, needed) VALUES (?1, 'halt.lift', x'00', 1, '{\"halt\":\"h1\"}', 'admin', 1, ?2, 'proposed', "
     "2)"},
    {"approval", "INSERT INTO approval (plan, operator, signature, signed_us) VALUES (?1, ?2, x'aa', 4)"},
    {"crl",
     "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence) "
     "VALUES (?1, 0, ?2, 1, 2, 3, x'00', 1)"},
    {"crl-part",
     "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence) "
     "VALUES (?1, ?2, ?3, ?4, ?5, 3, x'00', 1)"},
    {"crl-check",
     "INSERT INTO crl_check (issuer, shard, number, published_us, due_us, tries, checked_us, good, "
     "detail, bytes, took_us) VALUES (?1, ?2, ?3, 1, NULL, 1, 2, ?4, ?5, 3, 4)"},
    {"authorization",
     "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, "
     "created_us, expires_us, validated_us) VALUES (?1, 1000, 'dns', 'x', 0, 'valid', 1, 2, 3000000)"},
    {"dimension", "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
                  "VALUES (1, 'http-01', 'BR', '0.1', 'local', 'primary')"},
    {"evidence",
     "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, "
     "dnssec, statement) VALUES (?1, 2000000, 1, 1, 'dns', 'x', 'secure', '{\"seen\":true}')"},
};
enum {
    ISSUER,
    PROFILE,
    CERTIFICATE,
    NAME,
    DER,
    REVOCATION,
    ACCOUNT,
    EVENT,
    HALT,
    OPERATOR,
    PLAN,
    APPROVAL,
    CRL,
    CRL_PART,
    CRL_CHECK,
    AUTHORIZATION,
    DIMENSION,
    EVIDENCE
};

static char folder[64];
static char path[96];
static struct store *book;
static struct lt_arena arena;

#define PUT(which_, ...) assert_ok(store_exec(book, &sql[which_], STORE_ARGS(__VA_ARGS__), NULL))

static lt_res sign(void *self, lt_slice tbs, uint8_t *ret_signature, size_t *ret_len)
{
    return crypto_key_sign(self, CRYPTO_ES384, tbs, ret_signature, ret_len);
}

/* A real root, as the answers show what stands in the bytes. */
static lt_slice make_root(void)
{
    struct ca_profiles profiles;
    struct crypto_key *key = NULL;
    struct lt_buf tbs;
    lt_slice der = {NULL, 0};
    lt_buf_init(&tbs, 8192);
    assert_ok(ca_profiles_load(DATA_DIR, (lt_time){NOW}, &profiles));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P384, 0, &key));
    const struct ca_authority a = {
        .profile = ca_profiles_find(&profiles, LT_LIT("ca-root")),
        .country = "XX",
        .organization = "Test",
        .common_name = "Test Root CA",
        .spki = crypto_key_spki(key),
        .issuer_name = "root",
        .public_http_url = "",
        .serial = LT_LIT("\x0c\x01"),
        .now = {NOW},
    };
    const struct ca_authority_key use = {.self = key, .sign = sign, .spki = crypto_key_spki(key)};
    assert_ok(ca_authority_tbs(&a, crypto_key_spki(key), &tbs));
    assert_ok(ca_authority_sign(&use, lt_buf_slice(&tbs), &arena, &der));
    lt_buf_done(&tbs);
    crypto_key_free(key);
    ca_profiles_done(&profiles);
    return der;
}

static void serial_of(unsigned n, uint8_t ret_serial[4])
{
    ret_serial[0] = 0x0c;
    ret_serial[1] = (uint8_t)(n >> 16);
    ret_serial[2] = (uint8_t)(n >> 8);
    ret_serial[3] = (uint8_t)n;
}

/* n: issued n seconds after NOW - 1 day, by issuer 2 or 3, for hostN.exampleM.com and www.hostN… . */
static void put_certificate(unsigned n)
{
    uint8_t serial[4];
    uint8_t hash[32] = {0};
    char name[64];
    serial_of(n, serial);
    memcpy(hash, serial, sizeof serial);
    lt_slice s = LT_SLICE(serial, sizeof serial);
    int64_t issued = NOW - DAY + (int64_t)n * SECOND;
    int64_t end = n % 10 == 0 ? NOW - SECOND : issued + 90 * DAY;
    PUT(CERTIFICATE, STORE_I(2 + n % 2), STORE_B(s), STORE_I(1 + n % 2), STORE_B(LT_SLICE(hash, 32)),
        STORE_B(LT_SLICE(hash, 31)), STORE_I(issued), STORE_I(end), STORE_I(1000 + n / PER_ACCOUNT));
    (void)snprintf(name, sizeof name, "com.example%u.host%u", n % 5, n);
    PUT(NAME, STORE_S(name), STORE_S("dns"), STORE_I(2 + n % 2), STORE_B(s), STORE_I(5));
    (void)snprintf(name, sizeof name, "com.example%u.host%u.www", n % 5, n);
    PUT(NAME, STORE_S(name), STORE_S("dns"), STORE_I(2 + n % 2), STORE_B(s), STORE_I(0));
    if (n % 7 == 0) {
        PUT(REVOCATION, STORE_I(2 + n % 2), STORE_B(s), STORE_I(NOW));
    }
}

static void fill(void)
{
    lt_slice root = make_root();
    uint8_t serial[4];
    PUT(ISSUER, STORE_I(1), STORE_S("root"), STORE_N, STORE_B(root), STORE_I(NOW + 99 * DAY));
    PUT(ISSUER, STORE_I(2), STORE_S("tls"), STORE_I(1), STORE_B(root), STORE_I(NOW + 98 * DAY));
    PUT(ISSUER, STORE_I(3), STORE_S("workload"), STORE_I(1), STORE_B(root), STORE_I(NOW + 98 * DAY));
    PUT(PROFILE, STORE_I(1), STORE_S("tls-server"));
    PUT(PROFILE, STORE_I(2), STORE_S("service"));
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        put_certificate(n);
    }
    serial_of(1, serial);
    PUT(DER, STORE_I(3), STORE_B(LT_SLICE(serial, 4)), STORE_B(root));
    PUT(NAME, STORE_S("com.example1-fake.x"), STORE_S("dns"), STORE_I(3), STORE_B(LT_SLICE(serial, 4)),
        STORE_I(0));
    for (int i = 0; i < 3; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "h%d", i);
        PUT(ACCOUNT, STORE_I(1000 + i), STORE_B(LT_SLICE(id, 2)), STORE_S(i == 1 ? "deactivated" : "valid"));
        PUT(HALT, STORE_S(id));
        PUT(OPERATOR, STORE_S(id));
        PUT(PLAN, STORE_S(id), STORE_I(i == 0 ? NOW - 1 : NOW + DAY));
        PUT(APPROVAL, STORE_S("h1"), STORE_S(id));
        PUT(EVENT, STORE_I(i + 1), STORE_I(NOW - (3 - i) * SECOND), STORE_S(i == 2 ? "halt.added" : "x"),
            STORE_S(i == 0 ? "certificate tls 00" : "y"));
        PUT(CRL, STORE_I(2), STORE_B(LT_SLICE(id, 2)));
    }
    PUT(AUTHORIZATION, STORE_I(5));
    assert_ok(store_exec(book, &sql[DIMENSION], STORE_NO_ARGS, NULL));
    PUT(EVIDENCE, STORE_I(5));
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-query-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/book.db", folder);
    lt_arena_init(&arena, (size_t)256 << 20);
    const struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &book));
    assert_ok(store_migrate(book));
    assert_ok(store_begin(book));
    fill();
    assert_ok(store_commit(book));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    store_close(book);
    lt_arena_done(&arena);
    for (size_t i = 0; i < LT_COUNT(suffixes); i++) {
        char file[128];
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
    return rmdir(folder);
}

static Ipc__Query question(const char *what)
{
    static char word[64];
    Ipc__Query q = IPC__QUERY__INIT;
    (void)snprintf(word, sizeof word, "%s", what);
    q.what = word;
    return q;
}

static lt_res ask(const Ipc__Query *q, json_t **ret_json)
{
    struct lt_arena own;
    struct lt_buf out;
    lt_arena_init(&own, (size_t)64 << 20);
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    const struct ca_query query = {.store = book, .q = q, .now = {NOW}, .arena = &own, .build = "t"};
    lt_res r = ca_query_answer(&query, &out);
    *ret_json = NULL;
    if (!lt_failed(r)) {
        json_error_t error;
        *ret_json = json_loadb((const char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, &error);
        if (*ret_json == NULL) {
            fail_msg("no JSON: %s in %.*s", error.text, LT_FMT(lt_buf_slice(&out)));
        }
    }
    lt_buf_done(&out);
    lt_arena_done(&own);
    return r;
}

static json_t *answer(const Ipc__Query *q)
{
    json_t *json = NULL;
    assert_ok(ask(q, &json));
    return json;
}

/* All pages of a list; checks that no row comes twice and that each fits `check`. */
static size_t count_all(Ipc__Query q, const char *key, const char *id, bool (*check)(const json_t *row))
{
    static char cursor[4096];
    char last[256] = "";
    size_t count = 0;
    json_t *seen = json_object();
    do {
        json_t *page = answer(&q);
        size_t i;
        json_t *row;
        json_array_foreach(json_object_get(page, key), i, row)
        {
            const char *name = json_string_value(json_object_get(row, id));
            assert_non_null(name);
            (void)snprintf(last, sizeof last, "%s", name);
            if (json_object_get(seen, name) != NULL) {
                fail_msg("%s came twice", name);
            }
            assert_int_equal(json_object_set_new(seen, name, json_true()), 0);
            assert_true(check == NULL || check(row));
            count++;
        }
        const char *next = json_string_value(json_object_get(page, "next"));
        (void)snprintf(cursor, sizeof cursor, "%s", next != NULL ? next : "");
        q.cursor = cursor;
        json_decref(page);
    } while (cursor[0] != 0);
    json_decref(seen);
    return count;
}

static bool is(const json_t *row, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL && strcmp(text, value) == 0;
}
static bool of_tls(const json_t *row)
{
    return is(row, "issuer", "tls");
}
static bool revoked(const json_t *row)
{
    return is(row, "status", "revoked") && json_object_get(row, "revocation") != NULL;
}
static bool expired(const json_t *row)
{
    return is(row, "status", "expired");
}
static bool of_account(const json_t *row)
{
    return is(row, "account", "1003");
}
static bool below_example1(const json_t *row)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(row, "names"), i, name)
    {
        if (strstr(json_string_value(name), ".example1.com") != NULL) {
            return true;
        }
    }
    return false;
}

static void lists_in_pages(void **state)
{
    (void)state;
    Ipc__Query q = question("certificate.list");
    static char issued[] = "issued", newest[] = "-issued", expires[] = "expires";
    char *const orders[] = {issued, newest, expires, q.order};
    static const uint32_t limits[] = {0, 1000, 333};
    for (size_t o = 0; o < LT_COUNT(orders); o++) {
        for (size_t l = 0; l < LT_COUNT(limits); l++) {
            q.order = orders[o];
            q.limit = limits[l];
            assert_int_equal(count_all(q, "certificates", "serial", NULL), CERTIFICATES);
        }
    }
}

static void newest_first(void **state)
{
    (void)state;
    Ipc__Query q = question("certificate.list");
    q.limit = 2;
    json_t *page = answer(&q);
    const json_t *first = json_array_get(json_object_get(page, "certificates"), 0);
    assert_int_equal(json_array_size(json_object_get(page, "certificates")), 2);
    assert_true(is(first, "serial", "0c0009c3"));
    assert_true(is(first, "profile", "service"));
    assert_true(is(first, "key_type", "P-256"));
    json_decref(page);
}

static void filters(void **state)
{
    (void)state;
    static char tls[] = "tls", service[] = "service", word_revoked[] = "revoked", word_expired[] = "expired";
    static char name[] = "www.host6.example1.com", suffix[] = "example1.com", nothing[] = "example9.com";
    Ipc__Query q = question("certificate.list");
    q.limit = 500;
    q.issuer = tls;
    assert_int_equal(count_all(q, "certificates", "serial", of_tls), CERTIFICATES / 2);
    q.profile = service;
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 0);
    q = question("certificate.list");
    q.status = word_revoked;
    assert_int_equal(count_all(q, "certificates", "serial", revoked), (CERTIFICATES + 6) / 7);
    q.status = word_expired;
    assert_int_equal(count_all(q, "certificates", "serial", expired),
                     CERTIFICATES / 10 - (CERTIFICATES + 69) / 70);
    q = question("certificate.list");
    q.account_id = 1003;
    assert_int_equal(count_all(q, "certificates", "serial", of_account), PER_ACCOUNT);
    q = question("certificate.list");
    q.name = name;
    assert_int_equal(count_all(q, "certificates", "serial", below_example1), 1);
    q = question("certificate.list");
    q.name_suffix = suffix;
    q.limit = 99;
    assert_int_equal(count_all(q, "certificates", "serial", below_example1), CERTIFICATES / 5);
    /* As people and problem reports write them. */
    static char folded[] = "EXAMPLE1.com.", starred[] = "*.Example1.COM", odd[] = "exa mple1.com";
    q.name_suffix = folded;
    assert_int_equal(count_all(q, "certificates", "serial", below_example1), CERTIFICATES / 5);
    q.name_suffix = starred;
    assert_int_equal(count_all(q, "certificates", "serial", below_example1), CERTIFICATES / 5);
    json_t *json = NULL;
    q.name_suffix = odd;
    assert_fails(ask(&q, &json), LT_PEER_MALFORMED);
    static char capitals[] = "WWW.Host6.Example1.com.", unicode[] = "b\xc3\xbc"
                                                                    "cher.example";
    q = question("certificate.list");
    q.limit = 99;
    q.name = capitals;
    assert_int_equal(count_all(q, "certificates", "serial", below_example1), 1);
    q.name = unicode;
    assert_fails(ask(&q, &json), LT_PEER_MALFORMED);
    q.name = (char *)(uintptr_t) "";
    q.name_suffix = nothing;
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 0);
}

static void points(void **state)
{
    (void)state;
    uint8_t hash[32] = {0x0c, 0, 1, 2};
    Ipc__Query q = question("certificate.list");
    q.sha256 = (ProtobufCBinaryData){32, hash};
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 1);
    q = question("certificate.list");
    q.spki_sha256 = (ProtobufCBinaryData){31, hash};
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 1);
    q = question("certificate.list");
    q.serial = (ProtobufCBinaryData){4, hash};
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 1);
    q = question("certificate.list");
    q.issued_from_us = NOW - DAY + 10 * SECOND;
    q.issued_until_us = NOW - DAY + 20 * SECOND;
    assert_int_equal(count_all(q, "certificates", "serial", NULL), 10);
    q = question("certificate.list");
    q.expires_until_us = NOW;
    assert_int_equal(count_all(q, "certificates", "serial", NULL), CERTIFICATES / 10);
}

static void one_certificate(void **state)
{
    (void)state;
    uint8_t serial[4] = {0x0c, 0, 0, 1};
    Ipc__Query q = question("certificate.show");
    q.serial = (ProtobufCBinaryData){4, serial};
    q.evidence = true;
    q.with_der = true;
    json_t *c = answer(&q);
    assert_true(is(c, "subject", "CN=Test Root CA,O=Test,C=XX"));
    assert_non_null(strstr(json_string_value(json_object_get(c, "pem")), "BEGIN CERTIFICATE"));
    assert_int_equal(json_array_size(json_object_get(c, "chain")), 2);
    const json_t *name = json_array_get(json_object_get(c, "names"), 0);
    size_t i;
    json_t *row;
    size_t checks = 0;
    json_array_foreach(json_object_get(c, "names"), i, row)
    {
        if (is(row, "authorization", "5")) {
            const json_t *check = json_array_get(json_object_get(row, "checks"), 0);
            assert_true(is(check, "method", "http-01") && is(check, "dnssec", "secure"));
            assert_true(json_is_true(json_object_get(json_object_get(check, "statement"), "seen")));
            assert_true(is(row, "validated", "1970-01-01T00:00:03Z"));
            checks++;
        }
    }
    assert_non_null(name);
    assert_int_equal(checks, 1);
    json_decref(c);
    serial[3] = 99;
    serial[0] = 0x7f;
    assert_fails(ask(&q, &c), LT_PEER_NOT_FOUND);
    serial[0] = 0x0c; /* its bytes are not in the book: brought in without them, or dropped in their time */
    assert_ok(ask(&q, &c));
    assert_true(json_is_null(json_object_get(c, "subject")));
    json_decref(c);
}

/* Two parts, of which one was looked at after it was published: the newest of each, behind the complete ones.
 */
static void parts_of_a_crl(const Ipc__Query *q)
{
    PUT(CRL_PART, STORE_I(2), STORE_I(1), STORE_B(LT_LIT("p1")), STORE_I(NOW - DAY), STORE_I(NOW + 6 * DAY));
    PUT(CRL_PART, STORE_I(2), STORE_I(1), STORE_B(LT_LIT("p2")), STORE_I(NOW - DAY), STORE_I(NOW + 6 * DAY));
    PUT(CRL_PART, STORE_I(2), STORE_I(9), STORE_B(LT_LIT("p3")), STORE_I(NOW - 3 * DAY),
        STORE_I(NOW + 4 * DAY));
    PUT(CRL_PART, STORE_I(2), STORE_I(10), STORE_B(LT_LIT("p4")), STORE_I(NOW - 4 * DAY),
        STORE_I(NOW + 3 * DAY)); /* not expired, and older than the rules allow */
    PUT(CRL_CHECK, STORE_I(2), STORE_I(1), STORE_B(LT_LIT("p1")), STORE_I(1), STORE_S("")); /* an older one */
    PUT(CRL_CHECK, STORE_I(2), STORE_I(9), STORE_B(LT_LIT("p3")), STORE_I(0), STORE_S("it has expired"));
    json_t *a = answer(q);
    const json_t *list = json_object_get(a, "crls");
    assert_int_equal(json_array_size(list), 6);
    assert_true(is(json_array_get(list, 5), "state", "broken"));
    const json_t *one = json_array_get(list, 3);
    const json_t *nine = json_array_get(list, 4);
    assert_true(is(one, "number", "7032") && is(one, "state", "fresh") && is(one, "fetched", ""));
    assert_int_equal(json_integer_value(json_object_get(one, "shard")), 1);
    assert_int_equal(json_integer_value(json_object_get(nine, "shard")), 9);
    assert_true(is(nine, "state", "late") && is(nine, "fetched", "bad") &&
                is(nine, "fetched_detail", "it has expired"));
    assert_true(is(json_array_get(list, 0), "state", "expired"));
    json_decref(a);
}

/* The first CRL whose number, the moment at which the book was read for it, is not before the revocation's.
 */
static void the_crl_of_a_revocation(void)
{
    static const int64_t read_us[] = {NOW - 1, NOW + 5, NOW + 9};
    uint8_t serial[4];
    uint8_t number[CA_CRL_NUMBER_LEN];
    Ipc__Query q = question("certificate.show");
    serial_of(7, serial);
    q.serial = (ProtobufCBinaryData){4, serial};
    for (size_t i = 0; i < LT_COUNT(read_us); i++) {
        ca_crl_number_bytes((uint64_t)read_us[i], number);
        PUT(CRL_PART, STORE_I(3), STORE_I(0), STORE_B(LT_SLICE(number, sizeof number)), STORE_I(NOW),
            STORE_I(NOW + DAY));
        json_t *c = answer(&q);
        const json_t *crl = json_object_get(c, "crl");
        if (i == 0) {
            assert_true(json_is_null(crl));
        } else {
            char hex[2 * CA_CRL_NUMBER_LEN + 1];
            (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)read_us[1]);
            assert_true(is(crl, "number", hex) && is(crl, "fetched", ""));
        }
        json_decref(c);
    }
    serial_of(8, serial);
    json_t *c = answer(&q);
    assert_null(json_object_get(c, "crl")); /* not revoked */
    json_decref(c);
}

static bool by_hand(const json_t *row)
{
    return is(row, "tier", "by-hand");
}

/* Who was never seen is by hand, in list, work list and show as in scopes. */
static void readiness_of_those_never_seen(void **state)
{
    (void)state;
    static const struct store_sql one = {
        "test.readiness",
        "INSERT INTO readiness (account, tier, since_us, manual, client, client_us, polls, polled_us, "
        "renewals, renewed_us, told_us, terms, terms_us, clause, reached_us, intolerant, intolerant_why, "
        "held) VALUES (1001, ?1, 5, 0, '', 0, 0, 0, 0, 0, 0, '', 0, 0, 0, 0, '', 0)"};
    static char none[] = "", tier_by_hand[] = "by-hand", reachable[] = "reachable", seen[] = "1001",
                unseen[] = "1000", nobody[] = "77";
    assert_ok(store_begin(book));
    assert_ok(store_exec(book, &one, STORE_ARGS(STORE_I(3)), NULL));
    assert_ok(store_commit(book));
    Ipc__Query q = question("readiness.list");
    for (q.limit = 1; q.limit <= 4; q.limit++) {
        q.status = none;
        assert_int_equal(count_all(q, "subscribers", "account", NULL), 3);
        q.status = tier_by_hand;
        assert_int_equal(count_all(q, "subscribers", "account", by_hand), 2);
        q.status = reachable;
        assert_int_equal(count_all(q, "subscribers", "account", NULL), 1);
    }
    q = question("readiness.worklist");
    for (q.limit = 1; q.limit <= 4; q.limit++) {
        q.status = none;
        assert_int_equal(count_all(q, "worklist", "account", NULL), 3);
        q.status = tier_by_hand;
        assert_int_equal(count_all(q, "worklist", "account", by_hand), 2);
    }
    q = question("readiness.show");
    q.id = unseen;
    json_t *shown = answer(&q);
    assert_true(by_hand(shown));
    json_decref(shown);
    q.id = seen;
    shown = answer(&q);
    assert_true(is(shown, "tier", "reachable"));
    json_decref(shown);
    q.id = nobody;
    assert_fails(ask(&q, &shown), LT_PEER_NOT_FOUND);
}

static void the_other_lists(void **state)
{
    (void)state;
    static char valid[] = "valid", expired_word[] = "expired";
    static char subject[] = "certificate tls 00", kind[] = "halt.added", h1[] = "h1", tls[] = "tls",
                up[] = "issued";
    Ipc__Query q = question("account.list");
    q.limit = 1;
    assert_int_equal(count_all(q, "accounts", "id", NULL), 3);
    q.status = valid;
    assert_int_equal(count_all(q, "accounts", "id", NULL), 2);
    q = question("halt.list");
    q.limit = 2;
    assert_int_equal(count_all(q, "halts", "id", NULL), 3);
    q = question("operator.list");
    assert_int_equal(count_all(q, "operators", "name", NULL), 3);
    q = question("plan.list");
    assert_int_equal(count_all(q, "plans", "id", NULL), 3);
    q = question("event.list");
    q.limit = 1;
    assert_int_equal(count_all(q, "events", "time", NULL), 3);
    q.order = up;
    assert_int_equal(count_all(q, "events", "time", NULL), 3);
    q.id = subject;
    assert_int_equal(count_all(q, "events", "time", NULL), 1);
    q = question("event.list");
    q.name = kind;
    assert_int_equal(count_all(q, "events", "time", NULL), 1);
    q = question("issuer.list");
    assert_int_equal(count_all(q, "issuers", "name", NULL), 3);
    q = question("crl.list");
    assert_int_equal(count_all(q, "crls", "number", NULL), 1);
    q.issuer = tls;
    assert_int_equal(count_all(q, "crls", "number", NULL), 3);
    parts_of_a_crl(&q);
    the_crl_of_a_revocation();
    q = question("plan.show");
    q.id = h1;
    json_t *plan = answer(&q);
    assert_int_equal(json_array_size(json_object_get(plan, "approvals")), 3);
    assert_true(is(plan, "parameters_text", "{\"halt\":\"h1\"}") && is(plan, "status", "proposed"));
    json_decref(plan);
    h1[1] = '0';
    plan = answer(&q);
    assert_true(is(plan, "status", expired_word));
    json_decref(plan);
    q = question("account.show");
    q.account_id = 1001;
    plan = answer(&q);
    assert_int_equal(json_integer_value(json_object_get(plan, "certificates")), PER_ACCOUNT);
    json_decref(plan);
    q = question("status");
    plan = answer(&q);
    assert_int_equal(json_integer_value(json_object_get(plan, "certificates")), CERTIFICATES);
    assert_int_equal(json_integer_value(json_object_get(plan, "halts")), 3);
    json_decref(plan);
}

static void orders_and_who_waits(void **state)
{
    (void)state;
    static const struct store_sql order = {
        "t.order", "INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, error, "
                   "created_us, expires_us) VALUES (?1, ?2, ?3, 'tls-server', '[[\"dns\",\"a.example\"]]', "
                   "x'00', ?4, 1, 2)"};
    static const struct store_sql wait = {
        "t.wait", "INSERT INTO order_wait (order_id, subject_key, since_us, until_us, review, rule) "
                  "VALUES (?1, x'00', 1000000, 2000000, ?2, ?3)"};
    static const struct store_sql link = {
        "t.link", "INSERT INTO order_authorization (order_id, authorization_id) VALUES (?1, 5)"};
    static char waiting[] = "waiting";
    static char invalid[] = "invalid";
    static char id[] = "3";
    for (int i = 1; i <= 6; i++) {
        assert_ok(store_exec(book, &order,
                             STORE_ARGS(STORE_I(i), STORE_I(1000 + i % 2),
                                        STORE_S(i == 6 ? "invalid" : "processing"),
                                        i == 6 ? STORE_S("{\"detail\":\"no\"}") : STORE_N),
                             NULL));
    }
    assert_ok(store_exec(book, &wait, STORE_ARGS(STORE_I(2), STORE_S(""), STORE_S("")), NULL));
    assert_ok(store_exec(book, &wait, STORE_ARGS(STORE_I(3), STORE_S("waiting"), STORE_S("bank")), NULL));
    assert_ok(store_exec(book, &wait, STORE_ARGS(STORE_I(4), STORE_S("released"), STORE_S("bank")), NULL));
    assert_ok(store_exec(book, &wait, STORE_ARGS(STORE_I(5), STORE_S("waiting"), STORE_S("brand")), NULL));
    assert_ok(store_exec(book, &link, STORE_ARGS(STORE_I(3)), NULL));
    Ipc__Query q = question("order.list");
    q.limit = 4;
    assert_int_equal(count_all(q, "orders", "id", NULL), 6);
    q.account_id = 1001;
    assert_int_equal(count_all(q, "orders", "id", NULL), 3);
    q = question("order.list");
    q.limit = 1;
    q.status = waiting;
    assert_int_equal(count_all(q, "orders", "id", NULL), 2);
    q.account_id = 1002; /* nobody's */
    assert_int_equal(count_all(q, "orders", "id", NULL), 0);
    q = question("order.list");
    q.status = invalid;
    assert_int_equal(count_all(q, "orders", "id", NULL), 1);
    q = question("order.show");
    q.id = id;
    json_t *one = answer(&q);
    assert_true(is(one, "review", "waiting") && is(one, "rule", "bank") && is(one, "account", "1001"));
    assert_true(is(one, "waiting_until", "1970-01-01T00:00:02Z"));
    assert_int_equal(json_array_size(json_object_get(one, "authorizations")), 1);
    json_decref(one);
    id[0] = '6';
    one = answer(&q);
    assert_true(is(json_object_get(one, "error"), "detail", "no") && json_object_get(one, "review") == NULL);
    json_decref(one);
    static const char *const absent[] = {"7", "", "x", "-3", "99999999999999999999"};
    for (size_t i = 0; i < LT_COUNT(absent); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", absent[i]);
        q.id = text;
        assert_fails(ask(&q, &one), i == 0 ? LT_PEER_NOT_FOUND : LT_PEER_MALFORMED);
    }
}

static json_t *ask_text(const char *what, const char *text)
{
    Ipc__Query q = question(what);
    q.body = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
    return answer(&q);
}

/* Where the language says no, the answer says where; a name that the book does not have is such a place. */
static void an_expression_while_it_is_typed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int offset; /* -1: it is good */
        int len;
    } texts[] = {
        {"profile = tls-server", -1, 0},
        {"not expired and key_type = p256", -1, 0},
        {"", 0, 0},
        {"profle = x", 0, 6},
        {"profile =", 9, 0},
        {"issuer = nobody", 9, 6},
        {"age > blue", 6, 4},
        {"expired and (revoked", 12, 1},
    };
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        json_t *json = ask_text("scope.check", texts[i].text);
        print_message("%s\n", texts[i].text);
        assert_int_equal(json_is_true(json_object_get(json, "good")), texts[i].offset < 0);
        if (texts[i].offset < 0) {
            assert_true(json_array_size(json_object_get(json, "words")) > 0);
            assert_true(json_is_string(json_object_get(json, "sha256")));
        } else {
            const char *detail = json_string_value(json_object_get(json, "detail"));
            assert_non_null(detail);
            assert_true(detail[0] != 0 && strncmp(detail, "byte ", 5) != 0);
            assert_int_equal(json_integer_value(json_object_get(json, "offset")), texts[i].offset);
            assert_int_equal(json_integer_value(json_object_get(json, "length")), texts[i].len);
        }
        json_decref(json);
    }
    Ipc__Query q = question("scope.fields");
    json_t *json = answer(&q);
    assert_true(json_array_size(json_object_get(json, "fields")) > 40);
    json_decref(json);
}

static void a_count_that_may_not_take_long(void **state)
{
    (void)state;
    static char all[] = "not expired or expired";
    Ipc__Query q = question("scope.count");
    q.body = (ProtobufCBinaryData){strlen(all), (uint8_t *)all};
    q.within_ms = 60000;
    json_t *json = answer(&q);
    assert_int_equal(json_integer_value(json_object_get(json, "count")), CERTIFICATES);
    json_decref(json);
    /* Pages that come back short lose nothing, and the members of a scope come whatever became of their
     * number. */
    static char no[] = "revoked";
    Ipc__Query list = question("certificate.list");
    size_t revoked_ones = 0;
    list.status = no;
    revoked_ones = count_all(list, "certificates", "serial", revoked);
    list.within_ms = 1;
    assert_true(revoked_ones > 0);
    assert_int_equal(count_all(list, "certificates", "serial", revoked), revoked_ones);
    Ipc__Query members = question("scope.list");
    members.body = q.body;
    members.limit = 700;
    members.within_ms = 1;
    assert_int_equal(count_all(members, "certificates", "serial", NULL), CERTIFICATES);
}

static void causes_and_reasons(void **state)
{
    (void)state;
    Ipc__Query q = question("cause.list");
    json_t *json = answer(&q);
    size_t i;
    json_t *row;
    bool misuse = false;
    json_array_foreach(json_object_get(json, "causes"), i, row)
    {
        misuse = misuse || (is(row, "cause", "misuse") && is(row, "reason_name", "privilegeWithdrawn") &&
                            json_integer_value(json_object_get(row, "must_s")) == 5 * 86400);
    }
    assert_true(misuse && i > 20);
    json_array_foreach(json_object_get(json, "reasons"), i, row)
    {
        assert_false(is(row, "name", "certificateHold"));
    }
    assert_int_equal(i, 6);
    json_decref(json);
}

/* The bytes come back with what stands where. */
static void what_is_judged_is_shown(void **state)
{
    (void)state;
    static uint8_t bytes[] = {0x30, 0x0d, 0x06, 0x03, 0x55, 0x04, 0x03, 0x82,
                              0x01, 'a',  0x02, 0x01, 0xff, 0x05, 0x00};
    static const struct {
        const char *tag;
        const char *value;
        int offset;
    } rows[] = {{"SEQUENCE", "", 0},
                {"OBJECT IDENTIFIER", "CN", 2},
                {"[2]", "a", 7},
                {"INTEGER", "-1", 10},
                {"NULL", "", 13}};
    Ipc__Query q = question("lint");
    q.body = (ProtobufCBinaryData){sizeof(bytes), bytes};
    json_t *json = answer(&q);
    assert_null(json_object_get(json, "outline"));
    assert_true(json_array_size(json_object_get(json, "findings")) > 0);
    json_decref(json);
    q.with_der = true;
    json = answer(&q);
    const json_t *outline = json_object_get(json, "outline");
    assert_int_equal(json_array_size(outline), LT_COUNT(rows));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const json_t *row = json_array_get(outline, i);
        assert_true(is(row, "tag", rows[i].tag) && is(row, "value", rows[i].value));
        assert_int_equal(json_integer_value(json_object_get(row, "offset")), rows[i].offset);
    }
    assert_true(is(json, "kind", "certificate") && is(json, "der", "MA0GA1UEA4IBYQIB/wUA"));
    json_decref(json);
}

static void refusals(void **state)
{
    (void)state;
    char *const cursors[] = {
        (char[]){"x"},           (char[]){"i~1~2~3~00~00"}, (char[]){"i~1~2~3~0~~"},
        (char[]){"i~-1~2~3~~~"}, (char[]){"i~1~2~3~~~~"},   (char[]){"d~1~2~3~~~"},
        (char[]){"A~1~0~0~~~"},  (char[]){"i~1~2~3~zz~~"},  (char[]){"i~99999999999999999999~2~3~~~"}};
    static char issued[] = "issued", sideways[] = "sideways", nobody[] = "nobody";
    json_t *json = NULL;
    Ipc__Query q = question("certificate.list");
    q.order = issued;
    for (size_t i = 0; i < LT_COUNT(cursors); i++) {
        q.cursor = cursors[i];
        assert_fails(ask(&q, &json), LT_PEER_MALFORMED);
    }
    q = question("certificate.list");
    q.order = sideways;
    assert_fails(ask(&q, &json), LT_PEER_MALFORMED);
    q = question("event.list");
    q.order = sideways;
    assert_fails(ask(&q, &json), LT_PEER_MALFORMED);
    q = question("crl.list");
    q.issuer = nobody;
    assert_fails(ask(&q, &json), LT_PEER_NOT_FOUND);
    q = question("account.show");
    q.account_id = 1;
    assert_fails(ask(&q, &json), LT_PEER_NOT_FOUND);
    q = question("plan.show");
    q.id = nobody;
    assert_fails(ask(&q, &json), LT_PEER_NOT_FOUND);
    q = question("book.delete");
    assert_fails(ask(&q, &json), LT_PEER_UNSUPPORTED);
}

/* Those of the incident desk as well. */
static const struct ca_query_sql *table_at(size_t t)
{
    static const struct ca_query_sql none = {NULL, 0};
    const struct ca_query_sql *more = t < ca_query_statement_tables
                                          ? ca_query_statements[t]
                                          : incident_questions[t - ca_query_statement_tables]->sql;
    return more == NULL ? &none : more;
}

/* No statement may look at a whole table or sort: what a plan says begins with SEARCH. The two that read the
 * small tables whole, and those that walk an index from its start up to a LIMIT, are named. */
static void every_statement_walks_an_index(void **state)
{
    (void)state;
    static const char *const whole[] = {
        "query.issuers",         "query.profiles",        "query.status.chains",
        "query.status.revoked",  "query.status.accounts", "query.status.open-intents",
        "query.status.halts",    "query.status.waiting",  "query.status.findings",
        "query.status.controls", "overview.controls"};
    /* What falls when something fails: one walk over the summary for all of it, as scopes are counted. */
    static const char *const walks[] = {"case.issued-busiest",
                                        "case.issued-second",
                                        "case.mail-busiest",
                                        "case.mass-pace",
                                        "case.replaced",
                                        "case.held",
                                        "case.crl-slowest",
                                        "query.blast",
                                        "query.blast.grouped",
                                        "query.blast.revoked",
                                        "query.blast.revoked-grouped",
                                        "query.blast.other",
                                        "query.blast.other-grouped"};
    for (size_t t = 0; t < ca_query_statement_tables + incident_questions_count; t++) {
        for (size_t i = 0; i < table_at(t)->count; i++) {
            const struct store_sql *s = &table_at(t)->rows[i];
            char text[4096];
            int n = snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", s->text);
            assert_true(n > 0 && (size_t)n < sizeof text);
            /* The store knows statements by their address. */
            struct store_sql *explain = LT_NEW(&arena, struct store_sql);
            assert_non_null(explain);
            *explain = (struct store_sql){s->name, lt_arena_cstr(&arena, lt_slice_cstr(text))};
            struct store_rows rows;
            struct store_value nulls[8];
            size_t count = 0;
            for (size_t p = 8; p > 0 && count == 0; p--) {
                char mark[4];
                (void)snprintf(mark, sizeof mark, "?%zu", p);
                count = strstr(s->text, mark) != NULL ? p : 0;
            }
            for (size_t p = 0; p < LT_COUNT(nulls); p++) {
                nulls[p] = STORE_N;
            }
            assert_ok(store_query(book, explain, nulls, count, &rows));
            while (store_next(&rows)) {
                const char *detail = store_cstr(&rows, 3);
                bool fine = strncmp(detail, "SCAN ", 5) != 0 || strstr(detail, "SUBQUERY") != NULL ||
                            strcmp(detail, "SCAN c") == 0 || strcmp(detail, "SCAN o") == 0 ||
                            strstr(detail, "CONSTANT ROW") != NULL;
                for (size_t w = 0; w < LT_COUNT(whole); w++) {
                    fine = fine || strcmp(whole[w], s->name) == 0;
                }
                bool walk = false;
                for (size_t w = 0; w < LT_COUNT(walks); w++) {
                    walk = walk || strcmp(walks[w], s->name) == 0;
                }
                if (!walk && (!fine || strstr(detail, "TEMP B-TREE") != NULL)) {
                    fail_msg("%s: %s", s->name, detail);
                }
            }
            assert_ok(store_rows_end(&rows));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_in_pages),
        cmocka_unit_test(newest_first),
        cmocka_unit_test(filters),
        cmocka_unit_test(points),
        cmocka_unit_test(one_certificate),
        cmocka_unit_test(the_other_lists),
        cmocka_unit_test(readiness_of_those_never_seen),
        cmocka_unit_test(orders_and_who_waits),
        cmocka_unit_test(an_expression_while_it_is_typed),
        cmocka_unit_test(a_count_that_may_not_take_long),
        cmocka_unit_test(causes_and_reasons),
        cmocka_unit_test(what_is_judged_is_shown),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_statement_walks_an_index),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
