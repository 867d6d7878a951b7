/* CRLs out of a real book, read again by OpenSSL: form, entries, numbers, and what drops out when. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ca/crl_build.h"
#include "x509/tbs.h"

enum { NOW = 1795000000, DAY = 86400, TLS = 2 };

static const struct store_sql add_issuer = {
    "test.issuer",
    "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
    "not_after_us, offline) VALUES (?1, ?2, ?3, x'00', x'00', ?4, 0, 0, ?5)"};
static const struct store_sql add_revocation = {
    "test.revocation",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
    "by_whom, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, 'test', 1)"};
static const struct store_sql add_crl = {
    "test.crl",
    "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence, der) "
    "VALUES (?1, ?2, ?3, ?4, ?5, 0, x'00', 1, ?6)"};

struct fixture {
    char path[64];
    struct store *store;
    EVP_PKEY *key;
    X509 *ca;
    struct lt_arena arena;
    struct ca_crl_issuer *issuers;
    size_t count;
};

static void put_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static X509 *make_ca(EVP_PKEY *key, bool with_ski)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"Test CA", -1, -1, 0), 1);
    assert_int_equal(X509_set_version(x, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 7), 1);
    assert_int_equal(X509_set_subject_name(x, name), 1);
    assert_int_equal(X509_set_issuer_name(x, name), 1);
    X509_NAME_free(name);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), NOW + 1000 * DAY));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    put_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    put_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (with_ski) {
        put_extension(x, NID_subject_key_identifier, "hash");
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static void put_issuer(struct fixture *f, int64_t id, const char *name, X509 *ca)
{
    uint8_t *der = NULL;
    int len = i2d_X509(ca, &der);
    assert_true(len > 0);
    assert_ok(store_exec(f->store, &add_issuer,
                         STORE_ARGS(STORE_I(id), STORE_S(name), id == 1 ? STORE_N : STORE_I(1),
                                    STORE_B(LT_SLICE(der, (size_t)len)), STORE_I(id == 1)),
                         NULL));
    OPENSSL_free(der);
}

static void put_revocation(struct fixture *f, uint32_t shard, uint32_t serial, int64_t reason,
                           int64_t not_after)
{
    uint8_t bytes[16] = {0x8d}; /* the high bit: DER puts a zero before it */
    memcpy(bytes + 12, &serial, sizeof serial);
    assert_ok(store_exec(f->store, &add_revocation,
                         STORE_ARGS(STORE_I(TLS), STORE_I(shard), STORE_B(LT_SLICE(bytes, sizeof bytes)),
                                    STORE_I(reason), STORE_I((NOW - 60) * LT_US_PER_SECOND + 123456),
                                    STORE_I(not_after * LT_US_PER_SECOND)),
                         NULL));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/lintel-crl-build-XXXXXX");
    int fd = mkstemp(f->path);
    if (fd < 0 || close(fd) != 0 || unlink(f->path) != 0) {
        return 1;
    }
    struct store_options o = {.path = f->path, .create = true};
    assert_ok(store_open(&o, &f->store));
    assert_ok(store_migrate(f->store));
    f->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    f->ca = make_ca(f->key, true);
    put_issuer(f, 1, "root", f->ca);
    put_issuer(f, TLS, "tls", f->ca);
    lt_arena_init(&f->arena, 16 << 20);
    assert_ok(ca_crl_issuers(f->store, &f->arena, &f->issuers, &f->count));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path); /* the last two may be gone */
    }
    X509_free(f->ca);
    EVP_PKEY_free(f->key);
    lt_arena_done(&f->arena);
    free(f);
    return 0;
}

static struct ca_crl_plan plan_of(const struct fixture *f, const struct ca_crl_newest *before)
{
    struct ca_crl_plan plan = {.issuer = &f->issuers[1], .base_url = "http://crl.example.com"};
    ca_crl_plan_next(before, lt_time_from_seconds(NOW), 7 * DAY, &plan);
    return plan;
}

/* Builds, signs with OpenSSL, and has OpenSSL read and verify it. */
static X509_CRL *build(struct fixture *f, const struct ca_crl_plan *plan, uint64_t expected)
{
    struct lt_buf tbs;
    struct lt_buf der;
    uint64_t entries;
    lt_buf_init(&tbs, CA_CRL_MAX_BYTES);
    lt_buf_init(&der, CA_CRL_MAX_BYTES);
    assert_ok(ca_crl_build(f->store, plan, &tbs, &entries));
    assert_int_equal(entries, expected);
    uint8_t signature[128];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, tbs.ptr, tbs.len), 1);
    EVP_MD_CTX_free(ctx);
    assert_ok(x509_assemble(lt_buf_slice(&tbs), plan->issuer->alg, LT_SLICE(signature, len), &der));
    const uint8_t *p = der.ptr;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
    assert_non_null(crl);
    assert_ptr_equal(p, der.ptr + der.len);
    assert_int_equal(X509_CRL_verify(crl, f->key), 1);
    assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(f->ca)), 0);
    lt_buf_done(&tbs);
    lt_buf_done(&der);
    return crl;
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    int days;
    int seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, epoch, t), 1);
    ASN1_TIME_free(epoch);
    return (int64_t)days * DAY + seconds;
}

static void reads_issuers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->count, 2);
    assert_string_equal(f->issuers[0].name, "root");
    assert_true(f->issuers[0].offline);
    assert_int_equal(f->issuers[0].parent, 0);
    assert_string_equal(f->issuers[1].name, "tls");
    assert_int_equal(f->issuers[1].parent, 1);
    assert_int_equal(f->issuers[1].alg, X509_SIG_ECDSA_SHA256);
    assert_int_equal(f->issuers[1].key_id.len, 20);
}

static void an_empty_one(void **state)
{
    struct fixture *f = *state;
    struct ca_crl_newest before;
    assert_ok(ca_crl_newest(f->store, TLS, 0, NULL, &before));
    assert_false(before.found);
    struct ca_crl_plan plan = plan_of(f, &before);
    X509_CRL *crl = build(f, &plan, 0);
    assert_null(X509_CRL_get_REVOKED(crl)); /* absent, not empty: RFC 5280 5.1.2.6 */
    assert_int_equal(X509_CRL_get_version(crl), 1);
    assert_int_equal(seconds_of(X509_CRL_get0_lastUpdate(crl)), NOW);
    assert_int_equal(seconds_of(X509_CRL_get0_nextUpdate(crl)), NOW + 7 * DAY);
    assert_int_equal(X509_CRL_get_ext_count(crl), 2);
    int critical;
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    int64_t n;
    assert_int_equal(ASN1_INTEGER_get_int64(&n, number), 1);
    assert_int_equal(n, NOW * LT_US_PER_SECOND);
    assert_int_equal(critical, 0);
    ASN1_INTEGER_free(number);
    AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);
    assert_int_equal(ASN1_OCTET_STRING_cmp(aki->keyid, X509_get0_subject_key_id(f->ca)), 0);
    AUTHORITY_KEYID_free(aki);
    X509_CRL_free(crl);
}

static void entries_as_they_are(void **state)
{
    struct fixture *f = *state;
    static const int64_t reasons[] = {0, 1, 3, 4, 5, 9};
    for (uint32_t i = 0; i < LT_COUNT(reasons); i++) {
        put_revocation(f, 0, i + 1, reasons[i], NOW + DAY);
    }
    put_revocation(f, 3, 99, 1, NOW + DAY); /* another shard's */
    struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
    X509_CRL *crl = build(f, &plan, LT_COUNT(reasons));
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    assert_int_equal(sk_X509_REVOKED_num(list), LT_COUNT(reasons));
    for (int i = 0; i < (int)LT_COUNT(reasons); i++) {
        const X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(r);
        assert_int_equal(ASN1_STRING_length(serial), 16);
        assert_int_equal(ASN1_STRING_get0_data(serial)[0], 0x8d);
        uint32_t which;
        memcpy(&which, ASN1_STRING_get0_data(serial) + 12, sizeof which);
        assert_int_equal(seconds_of(X509_REVOKED_get0_revocationDate(r)), NOW - 60);
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
        assert_int_equal(reason == NULL, reasons[which - 1] == 0); /* 0 is left out */
        if (reason != NULL) {
            assert_int_equal(ASN1_ENUMERATED_get(reason), reasons[which - 1]);
            ASN1_ENUMERATED_free(reason);
        }
    }
    X509_CRL_free(crl);
}

static void a_shard_says_which(void **state)
{
    struct fixture *f = *state;
    put_revocation(f, 0, 1, 1, NOW + DAY);
    put_revocation(f, 3, 99, 1, NOW + DAY);
    struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
    plan.shard = 3;
    X509_CRL *crl = build(f, &plan, 1);
    int critical;
    ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    assert_non_null(idp);
    assert_int_equal(critical, 1);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
    assert_int_equal(name->type, GEN_URI);
    assert_string_equal((const char *)ASN1_STRING_get0_data(name->d.ia5),
                        "http://crl.example.com/crl/tls/3.crl");
    assert_true(idp->onlyuser != 0 && idp->onlyCA == 0 && idp->indirectCRL == 0);
    ISSUING_DIST_POINT_free(idp);
    X509_CRL_free(crl);
}

/* All entries of all parts, in order, over many pages; what had expired when the one before was made is gone.
 */
static void the_complete_one_has_all_parts(void **state)
{
    struct fixture *f = *state;
    enum { SHARDS = 5, EACH = 700 };
    assert_ok(store_begin(f->store));
    for (uint32_t i = 0; i < SHARDS * EACH; i++) {
        uint32_t serial = __builtin_bswap32(i * 2654435761U); /* mixed, each once */
        put_revocation(f, i % SHARDS * 3, serial, i % 2 == 0 ? 4 : 0, i % 7 == 0 ? NOW - 3 * DAY : NOW + DAY);
    }
    put_revocation(f, 1024, 0, 1, NOW + DAY); /* the least of all, alone in the last part */
    assert_ok(store_commit(f->store));
    struct ca_crl_newest before = {.found = true, .this_update = lt_time_from_seconds(NOW - DAY)};
    struct ca_crl_plan plan = plan_of(f, &before);
    plan.of_all_shards = true;
    X509_CRL *crl = build(f, &plan, SHARDS * EACH - SHARDS * EACH / 7 + 1);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    for (int i = 1; i < sk_X509_REVOKED_num(list); i++) {
        const ASN1_INTEGER *a = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i - 1));
        const ASN1_INTEGER *b = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i));
        assert_true(ASN1_INTEGER_cmp(a, b) < 0);
    }
    assert_int_equal(X509_CRL_get_ext_count(crl),
                     2); /* no issuingDistributionPoint: it is the complete one */
    X509_CRL_free(crl);
    before.found = false;
    plan = plan_of(f, &before);
    plan.of_all_shards = true;
    X509_CRL_free(build(f, &plan, SHARDS * EACH + 1));
    put_revocation(f, 7, 5, 7, NOW + DAY); /* a reason that does not exist */
    struct lt_buf tbs;
    uint64_t entries;
    lt_buf_init(&tbs, CA_CRL_MAX_BYTES);
    assert_fails(ca_crl_build(f->store, &plan, &tbs, &entries), LT_STATE_CORRUPT);
    lt_buf_done(&tbs);
    uint32_t last = 99;
    assert_ok(ca_crl_shard_last(f->store, TLS, &last));
    assert_int_equal(last, 0);
}

/* An expired certificate's entry stays until one CRL was made after the expiry. */
static void expired_entries_go_late(void **state)
{
    struct fixture *f = *state;
    put_revocation(f, 0, 1, 1, NOW - 10 * DAY);
    put_revocation(f, 0, 2, 1, NOW - DAY);
    put_revocation(f, 0, 3, 1, NOW + DAY);
    static const struct {
        bool found;
        int64_t before;
        uint64_t entries;
    } rows[] = {
        {false, 0, 3},
        {true, NOW - 11 * DAY, 3},
        {true, NOW - 10 * DAY, 3}, /* made in the second of the expiry: not beyond it */
        {true, NOW - 10 * DAY + 1, 2},
        {true, NOW - DAY, 2},
        {true, NOW - DAY + 1, 1},
        {true, NOW, 1},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_crl_newest before = {.found = rows[i].found,
                                       .this_update = lt_time_from_seconds(rows[i].before)};
        struct ca_crl_plan plan = plan_of(f, &before);
        X509_CRL_free(build(f, &plan, rows[i].entries));
    }
}

static void numbers_grow(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t before;
        uint64_t next;
    } rows[] = {
        {0, NOW * (uint64_t)LT_US_PER_SECOND},
        {1, NOW * (uint64_t)LT_US_PER_SECOND},
        {NOW * (uint64_t)LT_US_PER_SECOND - 1, NOW * (uint64_t)LT_US_PER_SECOND},
        {NOW * (uint64_t)LT_US_PER_SECOND, NOW * (uint64_t)LT_US_PER_SECOND + 1},
        {UINT64_C(1) << 60, (UINT64_C(1) << 60) + 1}, /* the clock went back, or another host's went ahead */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_crl_newest before = {.found = true, .number = rows[i].before};
        struct ca_crl_plan plan = plan_of(f, &before);
        assert_int_equal(plan.number, rows[i].next);
    }
}

static void the_rules_cut(void **state)
{
    struct fixture *f = *state;
    struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
    ca_crl_plan_next(&(struct ca_crl_newest){.found = false}, lt_time_from_seconds(NOW), 30 * DAY, &plan);
    assert_int_equal(plan.next_update.us - plan.this_update.us, 10 * DAY * LT_US_PER_SECOND);
    static const struct {
        int64_t before; /* nextUpdate of the one before, from now */
        int64_t lifetime;
        int64_t next;
    } ends[] = {{3 * DAY, 7 * DAY, 7 * DAY},
                {7 * DAY, 3 * DAY, 7 * DAY}, /* a shorter lifetime takes nothing back */
                {7 * DAY, 7 * DAY, 7 * DAY},
                {-DAY, DAY, DAY},
                {30 * DAY, DAY, 10 * DAY}, /* but the rules do */
                {11 * DAY, 30 * DAY, 10 * DAY}};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        const struct ca_crl_newest last = {.found = true,
                                           .next_update = lt_time_from_seconds(NOW + ends[i].before)};
        ca_crl_plan_next(&last, lt_time_from_seconds(NOW), ends[i].lifetime, &plan);
        assert_int_equal(plan.next_update.us, lt_time_from_seconds(NOW + ends[i].next).us);
    }
    struct ca_crl_newest before = {.found = true, .this_update = lt_time_from_seconds(NOW)};
    assert_int_equal(ca_crl_due(&before, 3600).us, lt_time_from_seconds(NOW + 3600).us);
    assert_int_equal(ca_crl_due(&before, 30 * DAY).us, lt_time_from_seconds(NOW + DAY).us);
    before.found = false;
    assert_int_equal(ca_crl_due(&before, 3600).us, 0);
}

/* A shorter lifetime in the configuration takes no promise back. */
static void next_update_never_goes_back(void **state)
{
    struct fixture *f = *state;
    static const struct {
        bool found;
        int64_t before; /* its nextUpdate, from now */
        int64_t lifetime;
        int64_t next;
    } rows[] = {
        {true, 7 * DAY, DAY, 7 * DAY}, {true, DAY, 7 * DAY, 7 * DAY},        {true, -DAY, DAY, DAY},
        {false, 0, DAY, DAY},          {true, 10 * DAY, 30 * DAY, 10 * DAY},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_crl_newest before = {.found = rows[i].found,
                                       .next_update = lt_time_from_seconds(NOW + rows[i].before)};
        struct ca_crl_plan plan = plan_of(f, &before);
        ca_crl_plan_next(&before, lt_time_from_seconds(NOW), rows[i].lifetime, &plan);
        assert_int_equal(lt_time_seconds(plan.next_update), NOW + rows[i].next);
    }
}

static void put_crl(struct fixture *f, lt_slice number, int64_t this_update, lt_slice der)
{
    assert_ok(store_exec(f->store, &add_crl,
                         STORE_ARGS(STORE_I(TLS), STORE_I(0), STORE_B(number),
                                    STORE_I(this_update * LT_US_PER_SECOND),
                                    STORE_I((this_update + DAY) * LT_US_PER_SECOND), STORE_B(der)),
                         NULL));
}

static void the_newest_one(void **state)
{
    struct fixture *f = *state;
    put_crl(f, LT_LIT("\0\0\0\0\0\0\1\0"), 1000, LT_LIT("old"));
    put_crl(f, LT_LIT("\0\0\0\0\0\0\2\1"), 2000, LT_LIT("new"));
    struct ca_crl_newest n;
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    assert_ok(ca_crl_newest(f->store, TLS, 0, &a, &n));
    assert_true(n.found);
    assert_int_equal(n.number, 0x201);
    assert_int_equal(n.this_update.us, 2000 * LT_US_PER_SECOND);
    assert_slice(n.der, "new");
    assert_ok(ca_crl_newest(f->store, TLS, 1, &a, &n));
    assert_false(n.found);
    assert_ok(ca_crl_newest(f->store, 1, 0, &a, &n));
    assert_false(n.found);
    lt_arena_done(&a);
    put_crl(f, LT_LIT("\xff\xff"), 3000, LT_LIT("bad"));
    assert_fails(ca_crl_newest(f->store, TLS, 0, NULL, &n), LT_STATE_CORRUPT);
}

static void refuses_a_book_that_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const int64_t reasons[] = {7, 11, -1, 4096};
    for (uint32_t i = 0; i < LT_COUNT(reasons); i++) {
        put_revocation(f, 10 + i, 1, reasons[i], NOW + DAY);
        struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
        plan.shard = 10 + i;
        struct lt_buf tbs;
        uint64_t entries;
        lt_buf_init(&tbs, CA_CRL_MAX_BYTES);
        assert_fails(ca_crl_build(f->store, &plan, &tbs, &entries), LT_STATE_CORRUPT);
        lt_buf_done(&tbs);
    }
    X509 *bare = make_ca(f->key, false);
    put_issuer(f, 3, "bare", bare);
    X509_free(bare);
    struct ca_crl_issuer *issuers;
    size_t count;
    assert_fails(ca_crl_issuers(f->store, &f->arena, &issuers, &count), LT_STATE_CORRUPT);
}

static void many(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 20000 };
    assert_ok(store_begin(f->store));
    for (uint32_t i = 1; i <= MANY; i++) {
        put_revocation(f, 0, i, i % 2 == 0 ? 4 : 0, NOW + DAY);
    }
    assert_ok(store_commit(f->store));
    struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
    X509_CRL *crl = build(f, &plan, MANY);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), MANY);
    X509_CRL_free(crl);
    struct lt_buf small; /* too much for the buffer: said, not cut */
    uint64_t entries;
    lt_buf_init(&small, 100000);
    assert_fails(ca_crl_build(f->store, &plan, &small, &entries), LT_PEER_TOO_LARGE);
    lt_buf_done(&small);
}

static uint64_t count_of(struct fixture *f, const struct ca_crl_plan *plan)
{
    struct lt_buf tbs;
    uint64_t entries;
    lt_buf_init(&tbs, CA_CRL_MAX_BYTES);
    assert_ok(ca_crl_build(f->store, plan, &tbs, &entries));
    lt_buf_done(&tbs);
    return entries;
}

/* One step: what the CRL after that one leaves out; the next one begins where it ended. */
static uint64_t drop_step(struct fixture *f, struct ca_crl_newest *before, bool *ret_more)
{
    struct ca_crl_plan plan = plan_of(f, before);
    assert_ok(ca_crl_plan_bound(f->store, &plan));
    assert_true(plan.drop_expired_before.us <= before->this_update.us);
    uint64_t entries = count_of(f, &plan);
    before->kept_from = plan.drop_expired_before;
    *ret_more = plan.more_to_drop;
    return entries;
}

/* So many expire at once that verifying their certificates would take the examiner minutes: they go bit by
 * bit, each CRL with no more than the bound, and the last one has none of them. */
static void many_that_expire_at_once(void **state)
{
    struct fixture *f = *state;
    enum { SPREAD = 25000, TOGETHER = 12000, LIVING = 3 };
    uint32_t serial = 0;
    bool more;
    assert_ok(store_begin(f->store));
    for (uint32_t i = 0; i < SPREAD; i++) {
        put_revocation(f, 0, ++serial, 1, NOW - 10 * DAY + i);
    }
    for (uint32_t i = 0; i < TOGETHER; i++) {
        put_revocation(f, 0, ++serial, 1, NOW - 5 * DAY);
    }
    for (uint32_t i = 0; i < LIVING; i++) {
        put_revocation(f, 0, ++serial, 1, NOW - i);
    }
    assert_ok(store_commit(f->store));
    struct ca_crl_newest before = {.found = true, .this_update = lt_time_from_seconds(NOW - DAY)};
    uint64_t left = SPREAD + TOGETHER + LIVING;
    assert_int_equal(drop_step(f, &before, &more), left -= CA_CRL_GO_AT_ONCE);
    assert_true(more);
    assert_int_equal(drop_step(f, &before, &more), left -= CA_CRL_GO_AT_ONCE);
    assert_true(more);
    assert_int_equal(drop_step(f, &before, &more), left -= SPREAD - 2 * CA_CRL_GO_AT_ONCE);
    assert_true(more);
    assert_int_equal(drop_step(f, &before, &more), LIVING); /* those of one second go together */
    assert_true(more);                                      /* as far as the bound knows */
    assert_int_equal(drop_step(f, &before, &more), LIVING);
    assert_false(more);
    /* Of a first one, and of one that is to have all, nothing goes. */
    struct ca_crl_plan plan = plan_of(f, &(struct ca_crl_newest){.found = false});
    assert_ok(ca_crl_plan_bound(f->store, &plan));
    assert_false(plan.more_to_drop);
    assert_int_equal(count_of(f, &plan), SPREAD + TOGETHER + LIVING);
}

/* How far the newest one has dropped is in the book beside it; a row of another number says nothing. */
static void how_far_it_has_dropped(void **state)
{
    static const struct store_sql add_kept = {
        "test.kept", "INSERT INTO crl_kept (issuer, shard, number, kept_from_us) VALUES (?1, 0, ?2, 777)"};
    struct fixture *f = *state;
    struct ca_crl_newest n;
    put_crl(f, LT_LIT("\0\0\0\0\0\0\1\0"), 1000, LT_LIT("old"));
    assert_ok(ca_crl_newest(f->store, TLS, 0, NULL, &n));
    assert_int_equal(n.kept_from.us, 0);
    put_crl(f, LT_LIT("\0\0\0\0\0\0\2\0"), 2000, LT_LIT("new"));
    assert_ok(ca_crl_newest(f->store, TLS, 0, NULL, &n));
    assert_int_equal(n.kept_from.us, 1000 * LT_US_PER_SECOND);
    assert_ok(
        store_exec(f->store, &add_kept, STORE_ARGS(STORE_I(TLS), STORE_B(LT_LIT("\0\0\0\0\0\0\2\0"))), NULL));
    assert_ok(ca_crl_newest(f->store, TLS, 0, NULL, &n));
    assert_int_equal(n.kept_from.us, 777);
    put_crl(f, LT_LIT("\0\0\0\0\0\0\3\0"), 3000, LT_LIT("restored"));
    assert_ok(ca_crl_newest(f->store, TLS, 0, NULL, &n));
    assert_int_equal(n.kept_from.us, 2000 * LT_US_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_issuers, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_one, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shard_says_which, setup, teardown),
        cmocka_unit_test_setup_teardown(the_complete_one_has_all_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(expired_entries_go_late, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rules_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(next_update_never_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_one, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_book_that_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(many, setup, teardown),
        cmocka_unit_test_setup_teardown(many_that_expire_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(how_far_it_has_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
