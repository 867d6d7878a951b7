/* CRLs in the registrar's book: what is taken, over how many parts certificates are spread, and what is asked
 * for again until it came back as it was published. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "book_rig.h"
#include "ca/config.h"
#include "ca/crl_book.h"
#include "ca/crl_shard.h"
#include "ca/crl_watch.h"
#include "crypto/digest.h"
#include "x509/cert.h"

#define PATH "/tmp/lintel-test-crl-book.db"

static struct ca_config config;
static struct ca_config_issuer issuers[] = {{.name = "tls", .crl = true}};

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
    issuers[0].crl_shards = 0;
    config = (struct ca_config){.issuers = issuers, .issuer_count = 1, .crl_fetch_back = true};
    r->book->config = &config;
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

struct stored {
    uint32_t shard;
    uint8_t number;
    size_t der_len;
    size_t hash_len;
    bool wrong_hash;
    const char *issuer;
};

static lt_res step_store(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const struct ipc_addr from = {IPC_PUBLISHER, 0, 3};
    return ca_crl_store(t, &from, arg);
}

static bool store(struct rig *r, const struct stored *s)
{
    uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, s->number};
    uint8_t der[4] = {0x30, 2, 5, s->number};
    uint8_t hash[CA_HASH_LEN];
    Ipc__CrlStore m = IPC__CRL_STORE__INIT;
    crypto_sha256(LT_SLICE(der, s->der_len), hash);
    hash[0] ^= s->wrong_hash;
    m.issuer = (char *)(uintptr_t)(s->issuer == NULL ? "tls" : s->issuer);
    m.shard = s->shard;
    m.number = (ProtobufCBinaryData){sizeof number, number};
    m.der = (ProtobufCBinaryData){s->der_len, der};
    m.sha256 = (ProtobufCBinaryData){s->hash_len, hash};
    m.entries = 7;
    m.kept_from_us = 1000 + s->number;
    assert_ok(rig_run(r, step_store, &m));
    const struct rig_sent *last = rig_last(r, IPC_CRL_STORED);
    Ipc__CrlStored *a = ipc__crl_stored__unpack(NULL, last->packed.len, last->packed.ptr);
    bool ok = a->ok;
    assert_int_equal(a->shard, s->shard);
    ipc__crl_stored__free_unpacked(a, NULL);
    return ok;
}

static void what_is_taken(void **state)
{
    struct rig *r = *state;
    static const struct {
        struct stored s;
        bool ok;
    } rows[] = {
        {{0, 1, 4, 32}, true},
        {{1, 1, 4, 32}, true}, /* a part has its own numbers here; that they grow over all is the signer's */
        {{1, 2, 0, 32}, true}, /* too large for the book: its hash alone */
        {{1024, 1, 4, 32}, true},
        {{1, 2, 4, 32}, false},
        {{1025, 1, 4, 32}, false},
        {{UINT32_MAX, 1, 4, 32}, false},
        {{2, 1, 4, 31}, false},
        {{2, 1, 4, 0}, false},
        {{2, 1, 4, 32, true}, false},
        {{2, 1, 4, 32, false, "nobody"}, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (store(r, &rows[i].s) != rows[i].ok) {
            fail_msg("row %zu", i);
        }
    }
    /* How far each has dropped expired entries, of the newest alone. */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl_kept"), 3);
    assert_int_equal(rig_number(r, "SELECT kept_from_us FROM crl_kept WHERE shard = 1"), 1002);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl"), 4);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl WHERE der IS NULL AND shard = 1 AND "
                                   "length(sha256) = 32"),
                     1);
    rig_audit(r);
}

static char a_name[] = "www.example.com";

static uint32_t shard_of_next(struct rig *r)
{
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    return (uint32_t)rig_number(r,
                                "SELECT shard FROM certificate ORDER BY issued_us DESC, serial DESC LIMIT 1");
}

static void address_is(struct rig *r, uint32_t shard)
{
    static const struct store_sql sql = {
        "t.der",
        "SELECT d.der FROM certificate c JOIN certificate_der d ON d.issuer = c.issuer AND d.serial = "
        "c.serial ORDER BY c.issued_us DESC, c.serial DESC LIMIT 1"};
    struct store_rows rows;
    struct x509_cert c;
    uint32_t got = 99;
    assert_ok(store_query(r->store, &sql, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    assert_ok(x509_cert_parse(store_bytes(&rows, 0), &r->sent_arena, &c));
    assert_int_equal(c.ext.crldp_count, 1);
    assert_true(ca_crl_url_shard(c.ext.crldp[0].names.list[0].value, r->book->public_http_url, "tls", &got));
    assert_int_equal(got, shard);
    assert_ok(store_rows_end(&rows));
}

/* No certificate points to a part whose first CRL is not in the book. */
static void parts_are_used_when_they_exist(void **state)
{
    struct rig *r = *state;
    assert_int_equal(shard_of_next(r), 0);
    issuers[0].crl_shards = 3;
    assert_int_equal(shard_of_next(r), 0);
    address_is(r, 0);
    assert_true(store(r, &(struct stored){2, 1, 4, 32})); /* the first is missing */
    assert_int_equal(shard_of_next(r), 0);
    assert_true(store(r, &(struct stored){1, 2, 4, 32}));
    for (int i = 0; i < 6; i++) {
        uint32_t shard = shard_of_next(r);
        assert_in_range(shard, 1, 2);
        address_is(r, shard);
        r->now.us += LT_US_PER_SECOND;
    }
    assert_true(store(r, &(struct stored){3, 3, 4, 32}));
    bool third = false;
    for (int i = 0; i < 40 && !third; i++) {
        third = shard_of_next(r) == 3;
        r->now.us += LT_US_PER_SECOND;
    }
    assert_true(third);
    issuers[0].crl_shards = 1; /* fewer again: new ones on the first, old ones stay where they are */
    assert_int_equal(shard_of_next(r), 1);
    r->book->config = NULL;
    r->now.us += LT_US_PER_SECOND;
    assert_int_equal(shard_of_next(r), 0);
    rig_audit(r);
}

static lt_res step_published(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_crl_published(t, arg);
}

static lt_res step_due(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_crl_watch_due(t);
}

static lt_res step_fetched(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_crl_fetched(t, arg);
}

static void publish(struct rig *r, uint8_t n)
{
    uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, n};
    Ipc__CrlPublished m = IPC__CRL_PUBLISHED__INIT;
    m.issuer = (char[]){"tls"};
    m.shard = 7;
    m.number = (ProtobufCBinaryData){sizeof number, number};
    assert_ok(rig_run(r, step_published, &m));
}

static void fetched(struct rig *r, uint8_t n, bool good)
{
    uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, n};
    Ipc__CrlFetched m = IPC__CRL_FETCHED__INIT;
    m.issuer = (char[]){"tls"};
    m.shard = 7;
    m.number = (ProtobufCBinaryData){sizeof number, number};
    m.good = good;
    m.detail = good ? (char[]){""} : (char[]){"it has expired"};
    assert_ok(rig_run(r, step_fetched, &m));
}

static size_t asked(struct rig *r)
{
    size_t before = r->sent_count;
    size_t count = 0;
    assert_ok(rig_run(r, step_due, NULL));
    for (size_t i = before; i < r->sent_count; i++) {
        count += r->sent[i].type == IPC_CRL_FETCH;
    }
    return count;
}

static void asked_until_it_is_good(void **state)
{
    struct rig *r = *state;
    assert_true(store(r, &(struct stored){7, 1, 4, 32}));
    assert_int_equal(asked(r), 0);
    publish(r, 1);
    assert_int_equal(asked(r), 1);
    const struct rig_sent *last = rig_last(r, IPC_CRL_FETCH);
    Ipc__CrlFetch *m = ipc__crl_fetch__unpack(NULL, last->packed.len, last->packed.ptr);
    assert_string_equal(m->issuer, "tls");
    assert_true(m->shard == 7 && m->entries == 7 && m->sha256.len == 32 && m->number.len == 8);
    assert_true(strstr(m->url, "/crl/tls/7.crl") != NULL && m->certificate.len > 100);
    ipc__crl_fetch__free_unpacked(m, NULL);
    assert_int_equal(asked(r), 0); /* an answer may still come */
    r->now.us += 61 * LT_US_PER_SECOND;
    assert_int_equal(asked(r), 1); /* it did not */
    fetched(r, 1, false);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl_check WHERE good = 0 AND checked_us IS NOT NULL "
                                   "AND due_us IS NOT NULL AND detail = 'it has expired'"),
                     1);
    r->now.us += 601 * LT_US_PER_SECOND;
    assert_int_equal(asked(r), 1);
    fetched(r, 1, true);
    r->now.us += LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    assert_int_equal(asked(r), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'crl.fetched'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'crl.not-fetched'"), 1);
    rig_audit(r);
}

/* The answer about an older one says nothing of the newer; what is not wanted is not asked for. */
static void a_newer_one_is_asked_for_itself(void **state)
{
    struct rig *r = *state;
    assert_true(store(r, &(struct stored){7, 1, 4, 32}) && store(r, &(struct stored){7, 2, 4, 32}));
    publish(r, 1);
    assert_int_equal(asked(r), 1);
    publish(r, 2);
    fetched(r, 1, true);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl_check WHERE good = 0 AND checked_us IS NULL"),
                     1);
    assert_int_equal(asked(r), 1);
    fetched(r, 2, true);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl_check WHERE good = 1 AND due_us IS NULL"), 1);
    fetched(r, 2, true); /* twice is once */
    config.crl_fetch_back = false;
    assert_true(store(r, &(struct stored){7, 3, 4, 32}));
    publish(r, 3);
    assert_int_equal(asked(r), 0);
    Ipc__CrlFetched m = IPC__CRL_FETCHED__INIT;
    m.issuer = (char[]){"nobody"};
    assert_fails(rig_run(r, step_fetched, &m), LT_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_are_used_when_they_exist, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asked_until_it_is_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_one_is_asked_for_itself, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
