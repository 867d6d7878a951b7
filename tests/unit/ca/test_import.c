/* Certificates of elsewhere: what is read out of their bytes, what the book makes of them, and what is
 * refused. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/import.h"
#include "ca/import_book.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "x509/tbs.h"

#define PATH "/tmp/lintel-test-import.db"
#define DAY_US (86400 * LT_US_PER_SECOND)

enum { DER_MAX = 8192 };

/* Another CA, and one that only has its name. */
static struct {
    struct crypto_key *key;
    struct crypto_key *other;
    struct crypto_key *leaf;
    struct lt_buf name;
    struct lt_buf ca;
    struct lt_buf other_ca;
} elsewhere;

static const lt_time from = {INT64_C(1767225600) * LT_US_PER_SECOND}; /* 2026-01-01 */
static const struct x509_general_name names[] = {
    {.type = X509_GN_DNS, .value = LT_LIT("b.example")},
    {.type = X509_GN_DNS, .value = LT_LIT("A.example")},
    {.type = X509_GN_DNS, .value = LT_LIT("a.example")},
    {.type = X509_GN_EMAIL, .value = LT_LIT("who@example.com")},
    {.type = X509_GN_IP, .value = LT_LIT("\xc0\x00\x02\x01")},
};

static void sign(const struct x509_tbs_spec *spec, struct crypto_key *key, struct lt_buf *out)
{
    struct lt_buf tbs;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    lt_buf_init(&tbs, DER_MAX);
    assert_ok(x509_tbs_build(spec, &tbs));
    assert_ok(crypto_key_sign(key, crypto_alg_of_key(CRYPTO_KEY_P256), lt_buf_slice(&tbs), signature, &len));
    assert_ok(
        x509_assemble(lt_buf_slice(&tbs), x509_sig_alg_for(X509_KEY_P256), LT_SLICE(signature, len), out));
    lt_buf_done(&tbs);
}

static struct x509_tbs_spec leaf_spec(void)
{
    return (struct x509_tbs_spec){.sig_alg = x509_sig_alg_for(X509_KEY_P256),
                                  .serial = LT_LIT("\x01\x02\x03\x04"),
                                  .issuer = lt_buf_slice(&elsewhere.name),
                                  .not_before = from,
                                  .not_after = {from.us + 90 * DAY_US - LT_US_PER_SECOND},
                                  .spki = crypto_key_spki(elsewhere.leaf),
                                  .key_usage = X509_KU_DIGITAL_SIGNATURE,
                                  .san = names,
                                  .san_count = LT_COUNT(names)};
}

static void make_ca(struct crypto_key *key, struct lt_buf *out)
{
    struct x509_tbs_spec spec = leaf_spec();
    spec.ca = true;
    spec.subject = spec.issuer;
    spec.spki = crypto_key_spki(key);
    spec.key_usage = X509_KU_KEY_CERT_SIGN;
    spec.san_count = 0;
    lt_buf_init(out, DER_MAX);
    sign(&spec, key, out);
}

static int group_setup(void **state)
{
    const struct x509_name_item item = {X509_OID_CN, LT_LIT("Elsewhere")};
    struct der_writer w;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &elsewhere.key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &elsewhere.other));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &elsewhere.leaf));
    lt_buf_init(&elsewhere.name, 1024);
    der_write_init(&w, &elsewhere.name);
    assert_ok(x509_name_write(&w, &item, 1));
    assert_ok(der_write_done(&w));
    make_ca(elsewhere.key, &elsewhere.ca);
    make_ca(elsewhere.other, &elsewhere.other_ca);
    return rig_group_setup(state);
}

static int group_teardown(void **state)
{
    crypto_key_free(elsewhere.key);
    crypto_key_free(elsewhere.other);
    crypto_key_free(elsewhere.leaf);
    lt_buf_done(&elsewhere.name);
    lt_buf_done(&elsewhere.ca);
    lt_buf_done(&elsewhere.other_ca);
    return rig_group_teardown(state);
}

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- bytes ---- */

static void test_reads(void **state)
{
    (void)state;
    struct ca_import_reader reader;
    const struct ca_import_issuer *by = NULL;
    struct lt_arena a;
    struct lt_buf der;
    Ipc__ImportRow row;
    struct x509_tbs_spec spec = leaf_spec();
    const lt_slice url = LT_LIT("http://x.example/crl/tls/7.crl");
    lt_arena_init(&a, 1 << 20);
    lt_buf_init(&der, DER_MAX);
    spec.crl_urls = &url;
    spec.crl_url_count = 1;
    sign(&spec, elsewhere.key, &der);
    ca_import_reader_init(&reader);
    assert_ok(ca_import_reader_add(&reader, lt_buf_slice(&elsewhere.other_ca), NULL));
    assert_ok(ca_import_reader_add(&reader, lt_buf_slice(&elsewhere.ca), NULL));
    assert_ok(ca_import_read(&reader, lt_buf_slice(&der), &a, &row, &by));
    assert_ptr_equal(by, &reader.issuers[1]); /* the one of the two that signed it */
    assert_int_equal(row.n_names, 4);
    assert_string_equal(row.names[0]->value, "a.example");
    assert_string_equal(row.names[1]->value, "b.example");
    assert_string_equal(row.names[2]->type, "email");
    assert_string_equal(row.names[3]->value, "192.0.2.1");
    assert_string_equal(row.crl_url, "http://x.example/crl/tls/7.crl");
    assert_int_equal(row.serial.len, 4);
    assert_int_equal(row.not_before_us, from.us);
    assert_int_equal(row.key_type, X509_KEY_P256);
    uint8_t hash[CRYPTO_SHA256_LEN];
    static const char set[] =
        "[[\"dns\",\"a.example\"],[\"dns\",\"b.example\"],[\"email\",\"who@example.com\"],"
        "[\"ip\",\"192.0.2.1\"]]";
    crypto_sha256(lt_slice_cstr(set), hash);
    assert_memory_equal(row.name_set_sha256.data, hash, sizeof hash);
    ca_import_reader_done(&reader);
    lt_buf_done(&der);
    lt_arena_done(&a);
}

struct refusal {
    const char *what;
    int code;
    void (*spoil)(struct x509_tbs_spec *spec);
};
static void no_issuer(struct x509_tbs_spec *spec)
{
    spec->issuer = LT_LIT("\x30\x00");
}
static void is_ca(struct x509_tbs_spec *spec)
{
    spec->ca = true;
}
static void test_refuses(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"another issuer", LT_PEER_NOT_FOUND, no_issuer},
        {"a CA", LT_PEER_MALFORMED, is_ca},
    };
    struct ca_import_reader reader;
    struct lt_arena a;
    struct lt_buf der;
    Ipc__ImportRow row;
    lt_arena_init(&a, 1 << 20);
    lt_buf_init(&der, DER_MAX);
    ca_import_reader_init(&reader);
    assert_ok(ca_import_reader_add(&reader, lt_buf_slice(&elsewhere.ca), NULL));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_tbs_spec spec = leaf_spec();
        rows[i].spoil(&spec);
        lt_buf_reset(&der);
        sign(&spec, elsewhere.key, &der);
        assert_fails(ca_import_read(&reader, lt_buf_slice(&der), &a, &row, NULL), rows[i].code);
    }
    struct x509_tbs_spec spec = leaf_spec();
    lt_buf_reset(&der);
    sign(&spec, elsewhere.other, &der); /* a name, but not the key */
    assert_fails(ca_import_read(&reader, lt_buf_slice(&der), &a, &row, NULL), LT_PEER_UNAUTHORIZED);
    lt_buf_reset(&der);
    sign(&spec, elsewhere.key, &der);
    for (size_t i = 0; i < der.len; i++) { /* every byte counts */
        der.ptr[i] ^= 0x01;
        lt_res read = ca_import_read(&reader, lt_buf_slice(&der), &a, &row, NULL);
        if (!lt_failed(read)) {
            print_error("byte %zu of %zu: %02x\n", i, der.len, der.ptr[i]);
        }
        assert_true(lt_failed(read));
        der.ptr[i] ^= 0x01;
        assert_true(lt_failed(ca_import_read(&reader, LT_SLICE(der.ptr, i), &a, &row, NULL)));
        lt_arena_reset(&a);
    }
    lt_buf_add_byte(&der, 0);
    assert_fails(ca_import_read(&reader, lt_buf_slice(&der), &a, &row, NULL), LT_PEER_MALFORMED);
    assert_fails(ca_import_reader_add(&reader, LT_LIT("nothing"), NULL), LT_PEER_MALFORMED);
    lt_buf_reset(&der);
    sign(&spec, elsewhere.key, &der);
    assert_fails(ca_import_reader_add(&reader, lt_buf_slice(&der), NULL), LT_PEER_MALFORMED); /* no CA */
    ca_import_reader_done(&reader);
    lt_buf_done(&der);
    lt_arena_done(&a);
}

/* ---- the book ---- */

static const struct ca_import_asker admin = {.operator_ = "ann"};

static lt_res step_begin(struct rig *r, struct ca_turn *t, void *arg)
{
    const char *json = NULL;
    Ipc__ImportWanted w = IPC__IMPORT_WANTED__INIT;
    char source[] = "old";
    (void)r;
    w.source = source;
    LT_TRY(ca_import_begin(t, &admin, &w, &json));
    *(int64_t *)arg = t->book->last_id;
    return LT_OK;
}

struct added {
    Ipc__ImportWanted w;
    char json[256];
};

static lt_res step_add(struct rig *r, struct ca_turn *t, void *arg)
{
    struct added *a = arg;
    const char *json = NULL;
    (void)r;
    LT_TRY(ca_import_add(t, &admin, &a->w, &json));
    (void)snprintf(a->json, sizeof a->json, "%s", json);
    return LT_OK;
}

static lt_res step_issuer(struct rig *r, struct ca_turn *t, void *arg)
{
    const char *json = NULL;
    (void)r;
    return ca_import_issuer_add(t, &admin, arg, &json);
}

static Ipc__ImportIssuer issuer_of(const char *name, struct crypto_key *key, const struct lt_buf *ca,
                                   uint8_t hashes[64])
{
    Ipc__ImportIssuer i = IPC__IMPORT_ISSUER__INIT;
    crypto_sha256(lt_buf_slice(&elsewhere.name), hashes);
    crypto_sha256(crypto_key_spki(key), hashes + 32);
    i.name = (char *)(uintptr_t)name;
    i.der = (ProtobufCBinaryData){ca->len, ca->ptr};
    i.subject_sha256 = (ProtobufCBinaryData){32, hashes};
    i.spki_sha256 = (ProtobufCBinaryData){32, hashes + 32};
    i.not_before_us = from.us;
    i.not_after_us = from.us + 3650 * DAY_US;
    return i;
}

static void read_leaf(struct lt_arena *a, const char *serial, Ipc__ImportRow *row)
{
    struct ca_import_reader reader;
    struct lt_buf der;
    struct x509_tbs_spec spec = leaf_spec();
    spec.serial = lt_slice_cstr(serial);
    lt_buf_init(&der, DER_MAX);
    sign(&spec, elsewhere.key, &der);
    lt_slice kept = lt_arena_copy(a, lt_buf_slice(&der));
    ca_import_reader_init(&reader);
    assert_ok(ca_import_reader_add(&reader, lt_buf_slice(&elsewhere.ca), NULL));
    assert_ok(ca_import_read(&reader, kept, a, row, NULL));
    ca_import_reader_done(&reader);
    lt_buf_done(&der);
}

static void test_whole_ones(void **state)
{
    struct rig *r = *state;
    struct lt_arena a;
    Ipc__ImportRow row;
    Ipc__ImportRow *list[] = {&row};
    struct added add = {.w = IPC__IMPORT_WANTED__INIT};
    uint8_t hashes[64];
    lt_arena_init(&a, 1 << 20);
    read_leaf(&a, "\x01\x02", &row);
    add.w.rows = list;
    add.w.n_rows = 1;
    rig_tally(r);
    assert_ok(rig_run(r, step_begin, &add.w.id));
    assert_fails(rig_run(r, step_add, &add), LT_PEER_NOT_FOUND); /* that issuer is not there */
    Ipc__ImportIssuer issuer = issuer_of("old", elsewhere.key, &elsewhere.ca, hashes);
    assert_ok(rig_run(r, step_issuer, &issuer));
    assert_fails(rig_run(r, step_issuer, &issuer), LT_PEER_CONFLICT);
    issuer.name = (char *)(uintptr_t) "again";
    assert_fails(rig_run(r, step_issuer, &issuer), LT_PEER_CONFLICT);
    assert_ok(rig_run(r, step_add, &add));
    assert_non_null(strstr(add.json, "\"added\":1,\"already\":0"));
    assert_ok(rig_run(r, step_add, &add));
    assert_non_null(strstr(add.json, "\"added\":0,\"already\":1"));
    /* The same number twice is a duplicate of its own. */
    read_leaf(&a, "\x01\x02", &row);
    assert_ok(rig_run(r, step_add, &add));
    assert_non_null(strstr(add.json, "\"added\":1"));
    assert_int_equal(rig_number(r, "SELECT max(copy) FROM certificate"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate WHERE worst_method = 'unknown' AND "
                                   "worst_dimension = 0 AND account = 0 AND name_count = 4"),
                     2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_name WHERE name = 'example.a'"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_import WHERE form = 'der'"), 2);
    assert_int_equal(rig_number(r, "SELECT added FROM import"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificates.imported'"), 2);
    /* Revoked elsewhere, where nobody here signs: a row at once. */
    row.revoked_us = from.us + DAY_US;
    row.reason = 4;
    assert_ok(rig_run(r, step_add, &add));
    assert_ok(rig_run(r, step_add, &add));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 1);
    row.revoked_us = r->now.us + DAY_US;
    read_leaf(&a, "\x01\x03", &row);
    row.revoked_us = r->now.us + DAY_US;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED); /* of a time to come */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 2);
    lt_arena_done(&a);
    rig_audit(r);
    rig_tally_is_exact(r);
}

/* A commit that fails takes the issuer out of memory, too. */
static void test_an_issuer_that_was_lost(void **state)
{
    struct rig *r = *state;
    uint8_t hashes[64];
    size_t count = r->book->issuer_count;
    Ipc__ImportIssuer issuer = issuer_of("old", elsewhere.key, &elsewhere.ca, hashes);
    struct ca_book_at before = r->book->at;
    assert_ok(rig_begin(r));
    assert_ok(rig_message(r, step_issuer, &issuer));
    assert_int_equal(r->book->issuer_count, count + 1);
    store_rollback(r->store);
    assert_ok(ca_book_at_restore(r->book, &before));
    assert_int_equal(r->book->issuer_count, count);
    assert_null(ca_issuer_by_name(r->book, LT_LIT("old")));
}

static void test_names_of_issuers(void **state)
{
    struct rig *r = *state;
    static const char *const bad[] = {"",       "Old", "old ca",
                                      "../old", "tls", "a123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        uint8_t hashes[64];
        Ipc__ImportIssuer issuer = issuer_of(bad[i], elsewhere.key, &elsewhere.ca, hashes);
        assert_true(lt_failed(rig_run(r, step_issuer, &issuer)));
    }
}

/* Serial number and dates alone, of an issuer that signs here: it can be revoked, through the journal. */
static void test_rows_of_our_own(void **state)
{
    struct rig *r = *state;
    struct lt_arena a;
    char name[] = "www.example.com";
    char type[] = "dns";
    char profile[] = "old-profile";
    uint8_t serial[CA_SERIAL_LEN] = {1, 2, 3};
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *ids[] = {&id};
    Ipc__ImportRow row = IPC__IMPORT_ROW__INIT;
    Ipc__ImportRow *list[] = {&row};
    struct added add = {.w = IPC__IMPORT_WANTED__INIT};
    lt_arena_init(&a, 1 << 20);
    id.type = type;
    id.value = name;
    row.issuer = r->book->issuers[0].name;
    row.serial = (ProtobufCBinaryData){sizeof serial, serial};
    row.not_before_us = from.us;
    row.not_after_us = from.us + 900 * DAY_US;
    row.names = ids;
    row.n_names = 1;
    assert_ok(ca_import_name_set(&row, &a));
    add.w.rows = list;
    add.w.n_rows = 1;
    add.w.profile = profile;
    assert_ok(rig_run(r, step_begin, &add.w.id));
    assert_ok(rig_run(r, step_add, &add));
    row.revoked_us = from.us + DAY_US;
    row.reason = 4;
    assert_ok(rig_run(r, step_add, &add));
    assert_non_null(strstr(add.json, "\"already\":1,\"revoked\":1"));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 1);
    assert_ok(rig_run(r, step_add, &add)); /* it is under way: not twice */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 1);
    assert_ok(rig_replay(r));
    assert_ok(rig_answer(r, 100));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 4 AND by_whom LIKE 'import i%'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate c JOIN profile p ON p.id = c.profile "
                                   "WHERE p.name = 'old-profile' AND c.issued_us = c.not_before_us"),
                     1);
    char odd[] = "Old Profile";
    add.w.profile = odd;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    add.w.profile = profile;
    char nobody[] = "nobody";
    row.issuer = nobody;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_NOT_FOUND);
    row.issuer = r->book->issuers[0].name;
    row.serial.len = 0;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    add.w.id++;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_NOT_FOUND);
    lt_arena_done(&a);
    rig_audit(r);
}

/* What our CRL cannot have is refused before it is in the journal; what contradicts the book is said. */
static void test_rows_that_are_refused(void **state)
{
    struct rig *r = *state;
    struct lt_arena a;
    char name[] = "www.example.com";
    char other[] = "other.example.com";
    char type[] = "dns";
    uint8_t serial[CA_SERIAL_LEN] = {1, 2, 4};
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *ids[] = {&id};
    Ipc__ImportRow row = IPC__IMPORT_ROW__INIT;
    Ipc__ImportRow *list[] = {&row};
    struct added add = {.w = IPC__IMPORT_WANTED__INIT};
    static const uint32_t reasons[] = {2, 6, 7, 8, 10, 11};
    lt_arena_init(&a, 1 << 20);
    id.type = type;
    id.value = name;
    row.issuer = r->book->issuers[0].name;
    row.serial = (ProtobufCBinaryData){sizeof serial, serial};
    row.not_before_us = from.us;
    row.not_after_us = from.us + 900 * DAY_US;
    row.names = ids;
    row.n_names = 1;
    assert_ok(ca_import_name_set(&row, &a));
    add.w.rows = list;
    add.w.n_rows = 1;
    assert_ok(rig_run(r, step_begin, &add.w.id));
    row.revoked_us = from.us + DAY_US;
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        row.reason = reasons[i];
        assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
        assert_ok(ca_import_row_check(&row, false, r->now)); /* of a CA that signs elsewhere it is history */
    }
    row.reason = 4;
    row.revoked_us = -1;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    row.revoked_us = 0;
    row.not_before_us = -DAY_US;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    row.not_before_us = from.us;
    memset(serial, 0, sizeof serial);
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    uint8_t large[CA_IMPORT_SERIAL_MAX] = {0x80};
    row.serial = (ProtobufCBinaryData){sizeof large, large};
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    large[0] = 0x7f;
    assert_ok(rig_run(r, step_add, &add));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    row.not_after_us += DAY_US;
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    row.not_after_us -= DAY_US;
    id.value = other;
    assert_ok(ca_import_name_set(&row, &a));
    assert_fails(rig_run(r, step_add, &add), LT_PEER_MALFORMED);
    row.n_names = 0; /* it says less, and nothing else */
    assert_ok(ca_import_name_set(&row, &a));
    assert_ok(rig_run(r, step_add, &add));
    assert_non_null(strstr(add.json, "\"added\":0,\"already\":1"));
    lt_arena_done(&a);
    rig_audit(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test_setup_teardown(test_whole_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_issuer_that_was_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_of_issuers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_of_our_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_that_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("import", tests, group_setup, group_teardown);
}
