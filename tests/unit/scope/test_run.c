/* Scopes against a book: each expression beside the same condition in C, over every certificate; cursors, the
 * book as it was, what changed between two scopes, the hash of members, and plans. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../store/pg_rig.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "scope/scope.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NOW (INT64_C(1583280000) * SECOND) /* 2020-03-04 */

enum { CERTIFICATES = 600, SERIAL_LEN = 4 };

/* Certificate n: every column a different rhythm. */
struct made {
    unsigned n;
    int64_t issuer;
    int64_t profile;
    int64_t account;
    int64_t issued;
    int64_t end;
    int64_t caa_age;        /* -1: unknown */
    int64_t validation_age; /* -1: unproven */
    int64_t dimension;      /* 0: unproven */
    int64_t other_dimension;
    int64_t quorum;
    int64_t key_type;
    const char *build;
    const char *domain;
    bool revoked;
    int64_t revoked_us;
    bool replaced;
};

static const char *const builds[] = {"1.4.1", "1.4.2", "1.10.0", "1.4.2-rc1", "0.9"};
static const char *const domains[] = {"example.com", "example.net", "example-x.com", "other.example.com",
                                      "host.org"};
static const char *const methods[] = {"", "dns-01", "http-01", "tls-alpn-01"};

static struct made make(unsigned n)
{
    struct made m = {
        .n = n,
        .issuer = 2 + n % 2,
        .profile = 1 + n % 3 % 2,
        .account = 1000 + n / 50,
        .issued = NOW - (int64_t)(n % 120) * DAY - HOUR,
        .caa_age = n % 11 == 0 ? -1 : (int64_t)(n % 17) * HOUR,
        .validation_age = n % 13 == 0 ? -1 : (int64_t)(n % 40) * DAY,
        .dimension = n % 13 == 0 ? 0 : 1 + n % 3,
        .quorum = n % 6,
        .key_type = 1 + n % 5,
        .build = builds[n % LT_COUNT(builds)],
        .domain = domains[n % LT_COUNT(domains)],
        .revoked = n % 7 == 0,
        .revoked_us = NOW - (int64_t)(n % 5) * DAY,
        .replaced = n % 9 == 0,
    };
    m.other_dimension = n % 10 == 1 && m.dimension == 1 ? 2 : 0;
    m.end = m.issued + 90 * DAY - SECOND;
    return m;
}

static const struct store_sql sql[] = {
    {"issuer",
     "INSERT INTO issuer (id, name, subject_sha256, spki_sha256, certificate, not_before_us, not_after_us) "
     "VALUES (?1, ?2, ?3, ?3, ?3, 1, 2)"},
    {"profile", "INSERT INTO profile (id, name, sha256) VALUES (?1, ?2, ?3)"},
    {"dimension", "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
                  "VALUES (?1, ?2, 'BR-2.1', ?3, '::1', ?4)"},
    {"build", "INSERT INTO build (name, first_us) VALUES (?1, 1)"},
    {"certificate",
     "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
     "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
     "build, "
     "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
     "sequence) "
     "VALUES (?1, ?2, 0, 'x509', ?3, ?4, ?4, ?5, 256, ?6, ?7, ?6, ?8, 7, ?14, 2, 'lint', ?9, 1, '', ?10, "
     "?11, ?12, "
     "?13, 0, 1)"},
    {"name", "INSERT INTO certificate_name (name, type, issuer, serial, copy, authorization_id) "
             "VALUES (?1, 'dns', ?2, ?3, 0, 5)"},
    {"revocation",
     "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
     "by_whom, sequence) VALUES (?1, 0, ?2, ?3, ?4, ?4, 9, 'operator admin', 1)"},
    {"truth",
     "INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, by_serial) "
     "VALUES (?1, ?2, ?3, ?4, 'seen', ?5, 0, ?2)"},
    {"look", "INSERT INTO usage_observation (name, port, looked_us, scan, outcome, address, sha256, issuer, "
             "serial, not_after_us, detail) VALUES (?4, 443, ?3, 1, 'served', '', ?2, ?1, ?2, 0, '')"},
    {"replacement", "INSERT INTO replacement (old_issuer, old_serial, new_issuer, new_serial, how, seen_us) "
                    "VALUES (?1, ?2, ?1, ?4, 'ari', ?3)"},
    {"other", "INSERT INTO certificate_dimension (dimension, issuer, serial, copy) VALUES (?1, ?2, ?3, 0)"},
    {"finding", "INSERT INTO certificate_finding (rule, issuer, serial, copy, result, found_us) "
                "VALUES ('a_rule', ?1, ?2, 0, 'warn', 5)"},
    {"key", "INSERT INTO key_block (spki_sha256, reason, source, blocked_us) VALUES (?1, 'x', 'y', 1)"},
    {"readiness",
     "INSERT INTO readiness (account, tier, since_us, lapse_us, manual, client, client_us, polls, polled_us, "
     "renewals, renewed_us, told_us, terms, terms_us, clause, reached_us, intolerant, intolerant_why, held) "
     "VALUES (?1, ?2, 1, NULL, 0, ?3, 1, 0, 0, 1, ?4, 0, '2026', 1, ?5, ?6, ?7, '', 0)"},
    {"holdout", "INSERT INTO holdout (id, account, name, who, reason, since_us, by_whom, lifted_us, "
                "lifted_by) VALUES (?1, ?2, ?3, 'w', 'r', 1, 'o', ?4, '')"},
    {"poll", "INSERT INTO certificate_poll (issuer, serial, polls, first_us, last_us, client) "
             "VALUES (?1, ?2, 3, 1, ?3, 'c')"},
    {"import",
     "INSERT INTO import (id, source, note, created_us, created_by, batches, added, already, last_us) "
     "VALUES (1, 'x', '', 1, 'admin', 1, 1, 0, ?1)"},
    {"imported", "INSERT INTO certificate_import (issuer, serial, copy, import, form) "
                 "VALUES (?1, ?2, 0, 1, 'row')"},
};
enum {
    ISSUER,
    PROFILE,
    DIMENSION,
    BUILD,
    CERTIFICATE,
    NAME,
    REVOCATION,
    TRUTH,
    LOOK,
    REPLACEMENT,
    OTHER,
    FINDING,
    KEY,
    READY,
    HOLDOUT,
    POLL,
    IMPORT,
    IMPORTED,
};

static char folder[64];
static char path[96];
static struct store *book;
static struct lt_arena arena;
static bool on_server; /* PostgreSQL, the same questions and answers */

#define NOTHING STORE_B(LT_SLICE((const uint8_t *)"", 1))
#define PUT(which_, ...) assert_ok(store_exec(book, &sql[which_], STORE_ARGS(__VA_ARGS__), NULL))

static lt_slice serial_of(unsigned n, uint8_t ret_serial[SERIAL_LEN])
{
    const uint8_t bytes[SERIAL_LEN] = {0x0c, (uint8_t)(n * 37 % 251), (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(ret_serial, bytes, SERIAL_LEN);
    return LT_SLICE(ret_serial, SERIAL_LEN);
}

static void put_names(const struct made *m, lt_slice serial)
{
    struct lt_buf b;
    char name[80];
    lt_buf_init(&b, 256);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", i == 0 && m->n % 4 != 0 ? "www." : "", m->domain);
        /* reversed by hand: at most three labels before the domain's own two */
        const char *dot = NULL;
        lt_buf_reset(&b);
        while ((dot = strrchr(name, '.')) != NULL) {
            lt_buf_addf(&b, "%s.", dot + 1);
            *(char *)(uintptr_t)dot = 0;
        }
        lt_buf_add_cstr(&b, name);
        if (i == 1) {
            lt_buf_addf(&b, ".host%u", m->n);
        }
        PUT(NAME, STORE_T(lt_buf_slice(&b)), STORE_I(m->issuer), STORE_B(serial));
    }
    lt_buf_done(&b);
}

static void put(unsigned n)
{
    struct made m = make(n);
    uint8_t room[SERIAL_LEN];
    uint8_t hash[32] = {0};
    lt_slice serial = serial_of(n, room);
    hash[30] = (uint8_t)(n >> 8);
    hash[31] = (uint8_t)n;
    lt_slice print = LT_SLICE(hash, sizeof(hash));
    PUT(CERTIFICATE, STORE_I(m.issuer), STORE_B(serial), STORE_I(m.profile), STORE_B(print),
        STORE_I(m.key_type), STORE_I(m.issued), STORE_I(m.end), STORE_I(m.account), STORE_S(m.build),
        STORE_I(m.dimension), STORE_I(m.validation_age < 0 ? 0 : m.issued - m.validation_age),
        STORE_I(m.caa_age < 0 ? 0 : m.issued - m.caa_age), STORE_I(m.quorum), NOTHING);
    put_names(&m, serial);
    if (m.revoked) {
        PUT(REVOCATION, STORE_I(m.issuer), STORE_B(serial), STORE_I(n % 2 == 0 ? 1 : 4),
            STORE_I(m.revoked_us));
    }
    if (m.replaced) {
        PUT(REPLACEMENT, STORE_I(m.issuer), STORE_B(serial), STORE_I(NOW - DAY), NOTHING);
    }
    /* Every fifth was in use two days ago, and every tenth was deployed a day ago. */
    if (n % 5 == 2) {
        PUT(TRUTH, STORE_I(m.issuer), STORE_B(serial), STORE_I(1), STORE_I(1), STORE_I(NOW - 2 * DAY));
        char name[32];
        (void)snprintf(name, sizeof name, "com.example.n%u", n);
        PUT(LOOK, STORE_I(m.issuer), STORE_B(serial), STORE_I(NOW - 2 * DAY), STORE_S(name));
    }
    if (n % 10 == 2) {
        PUT(TRUTH, STORE_I(m.issuer), STORE_B(serial), STORE_I(2), STORE_I(2), STORE_I(NOW - DAY));
    }
    if (m.other_dimension != 0) {
        PUT(OTHER, STORE_I(m.other_dimension), STORE_I(m.issuer), STORE_B(serial));
    }
    if (n % 12 == 5) {
        PUT(POLL, STORE_I(m.issuer), STORE_B(serial), STORE_I(NOW - HOUR));
    }
    if (n % 50 == 3) {
        PUT(FINDING, STORE_I(m.issuer), STORE_B(serial));
        PUT(KEY, STORE_B(print));
    }
}

/* Accounts from 1010 on have no row: nothing is known of them. Two hold-outs are in force, two were. */
static void put_readiness(void)
{
    for (int64_t a = 1000; a < 1010; a++) {
        PUT(READY, STORE_I(a), STORE_I(1 + a % 5), STORE_S(a % 2 == 0 ? "certbot/2.9" : "lego/4.1"),
            STORE_I(NOW - (a - 1000) * DAY), STORE_I(a % 3 == 0), STORE_I(a % 4 == 0 ? NOW : 0),
            STORE_I(a == 1007));
    }
    PUT(HOLDOUT, STORE_I(1), STORE_I(1011), STORE_S(""), STORE_I(0));
    PUT(HOLDOUT, STORE_I(2), STORE_I(0), STORE_S("com.example.other"), STORE_I(0));
    PUT(HOLDOUT, STORE_I(3), STORE_I(0), STORE_S("org"), STORE_I(5));
    PUT(HOLDOUT, STORE_I(4), STORE_I(1005), STORE_S(""), STORE_I(5));
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/scope-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/lintel.db", folder);
    const struct store_options options = {.path = on_server ? pg_rig_database() : path, .create = !on_server};
    assert_ok(store_open(&options, &book));
    assert_ok(store_migrate(book));
    assert_ok(store_begin(book));
    PUT(ISSUER, STORE_I(1), STORE_S("root"), NOTHING);
    PUT(ISSUER, STORE_I(2), STORE_S("tls"), NOTHING);
    PUT(ISSUER, STORE_I(3), STORE_S("tls2"), NOTHING);
    PUT(PROFILE, STORE_I(1), STORE_S("tls-server"), NOTHING);
    PUT(PROFILE, STORE_I(2), STORE_S("tls-server-short"), NOTHING);
    for (unsigned i = 1; i < LT_COUNT(methods); i++) {
        PUT(DIMENSION, STORE_I(i), STORE_S(methods[i]), STORE_S(builds[i]),
            STORE_S(i == 1 ? "primary,frankfurt,tokyo_1" : "primary,frankfurter"));
    }
    for (unsigned i = 0; i < LT_COUNT(builds); i++) {
        PUT(BUILD, STORE_S(builds[i]));
    }
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        put(n);
    }
    put_readiness();
    assert_ok(store_commit(book));
    lt_arena_init(&arena, 64 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    store_close(book);
    lt_arena_done(&arena);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        (void)snprintf(command, sizeof(command), "%s%s", path, ends[i]);
        (void)unlink(command);
    }
    (void)rmdir(folder);
    return 0;
}

static const struct scope_ask plain = {.want = SCOPE_COUNT, .now = {NOW}};

static lt_res compile(const char *text, struct scope_ask ask, struct scope_sql *ret_sql)
{
    const struct scope *s = NULL;
    struct scope_catalog *catalog = LT_NEW(&arena, struct scope_catalog);
    assert_non_null(catalog);
    assert_ok(scope_catalog_load(book, &arena, catalog));
    ask.catalog = catalog;
    LT_TRY(scope_parse(lt_slice_cstr(text), &arena, NULL, &s));
    return scope_compile(s, &ask, &arena, NULL, ret_sql);
}

static int64_t count_as(const char *text, struct scope_ask ask)
{
    struct scope_sql s;
    int64_t count = -1;
    assert_ok(compile(text, ask, &s));
    assert_ok(scope_count(book, &s, &count));
    lt_arena_reset(&arena);
    return count;
}

static bool is_below(const struct made *m, const char *suffix)
{
    size_t len = strlen(m->domain);
    size_t end = strlen(suffix);
    return strcmp(m->domain, suffix) == 0 ||
           (len > end && strcmp(m->domain + len - end, suffix) == 0 && m->domain[len - end - 1] == '.');
}
static int64_t tier_of(const struct made *m)
{
    return m->account < 1010 ? 1 + m->account % 5 : 4;
}
static bool known(const struct made *m)
{
    return m->account < 1010;
}
static bool by(const struct made *m, int64_t dimension)
{
    return m->dimension == dimension || m->other_dimension == dimension;
}

#define CONDITION(name_, expression_)       \
    static bool name_(const struct made *m) \
    {                                       \
        return (expression_);               \
    }
CONDITION(c_all, m->account > 0)
CONDITION(c_none, m->account < 0)
CONDITION(c_issuer, m->issuer == 2)
CONDITION(c_profile, m->profile == 2)
CONDITION(c_accounts, m->account == 1000 || m->account == 1003)
CONDITION(c_account_range, m->account >= 1001 && m->account <= 1004)
CONDITION(c_expired, m->end < NOW)
CONDITION(c_revoked, m->revoked)
CONDITION(c_valid, m->end >= NOW && !m->revoked)
CONDITION(c_status, m->revoked || m->end >= NOW)
CONDITION(c_caa, m->caa_age > 8 * HOUR)
CONDITION(c_caa_not, !(m->caa_age > 8 * HOUR))
CONDITION(c_caa_unknown, m->caa_age < 0)
CONDITION(c_validation, m->validation_age >= 10 * DAY && m->validation_age <= 20 * DAY)
CONDITION(c_method, by(m, 1))
CONDITION(c_method_2, by(m, 2))
CONDITION(c_method_not, !by(m, 1) && !by(m, 2))
CONDITION(c_perspective, by(m, 1))
CONDITION(c_validator, by(m, 2) || by(m, 3))
CONDITION(c_build, strcmp(m->build, "1.4.1") == 0 || strcmp(m->build, "0.9") == 0)
CONDITION(c_build_range, strncmp(m->build, "1.4.2", 5) == 0 || strcmp(m->build, "1.10.0") == 0)
CONDITION(c_issued, m->issued >= NOW - 33 * DAY && m->issued < NOW - 4 * DAY)
CONDITION(c_age, m->issued < NOW - 30 * DAY)
CONDITION(c_age_range, m->issued <= NOW - 10 * DAY && m->issued >= NOW - 20 * DAY)
CONDITION(c_remaining, m->end < NOW + 10 * DAY)
CONDITION(c_quorum, m->quorum < 2)
CONDITION(c_key, m->key_type == 1 || m->key_type == 5)
CONDITION(c_suffix, is_below(m, "example.com"))
CONDITION(c_suffixes, is_below(m, "example.com") || is_below(m, "org"))
CONDITION(c_name, strcmp(m->domain, "example.net") == 0 && m->n % 4 != 0)
CONDITION(c_finding, m->n % 50 == 3)
CONDITION(c_reason, m->revoked && m->n % 2 == 0)
CONDITION(c_revoked_at, m->revoked && m->revoked_us >= NOW - 2 * DAY)
CONDITION(c_replaced, m->replaced)
CONDITION(c_in_use, m->n % 10 == 7)
CONDITION(c_deployed, m->n % 10 == 2)
CONDITION(c_silent, m->n % 5 != 2)
CONDITION(c_seen, m->n % 5 == 2)
CONDITION(c_automatic, tier_of(m) == 1)
CONDITION(c_by_hand, tier_of(m) == 4)
CONDITION(c_slow, tier_of(m) == 5 || tier_of(m) == 3)
CONDITION(c_hold_out, m->account == 1011 || is_below(m, "other.example.com"))
CONDITION(c_client, known(m) && m->account % 2 == 0)
CONDITION(c_renewed, known(m) && m->account > 1004)
CONDITION(c_clause, known(m) && m->account % 3 == 0)
CONDITION(c_reached, known(m) && m->account % 4 == 0)
CONDITION(c_intolerant, m->account == 1007)
CONDITION(c_polled, m->n % 12 == 5)
CONDITION(c_unproven, m->dimension == 0)
CONDITION(c_one, m->n == 300)
CONDITION(c_mixed, ((by(m, 1) && m->caa_age > 8 * HOUR) || m->quorum == 0) && !(m->end < NOW || m->revoked))

static const struct {
    const char *text;
    bool (*condition)(const struct made *m);
} rows[] = {
    {"names = 2", c_all},
    {"lifetime = 90d and kind = x509 and delivered and shard = 0 and order = 7", c_all},
    {"names > 2 or key_bits < 255", c_none},
    {"build > 2.0", c_none},
    {"issuer = tls", c_issuer},
    {"issuer != tls2", c_issuer},
    {"profile in {tls-server-short}", c_profile},
    {"account in {1000, 1003}", c_accounts},
    {"account in 1001..1004", c_account_range},
    {"expired", c_expired},
    {"expires < now", c_expired},
    {"remaining < 0s", c_expired},
    {"revoked", c_revoked},
    {"revoked_by = \"operator admin\"", c_revoked},
    {"status = valid", c_valid},
    {"valid", c_valid},
    {"status != expired", c_status},
    {"status in {valid, revoked}", c_status},
    {"caa_age > 8h", c_caa},
    {"not caa_age > 8h", c_caa_not},
    {"caa_unknown", c_caa_unknown},
    {"validation_age in 10d..20d", c_validation},
    {"method = dns-01", c_method},
    {"method = http-01", c_method_2},
    {"not method in {dns-01, http-01}", c_method_not},
    {"perspective = frankfurt", c_perspective},
    {"perspective = tokyo_1", c_perspective},
    {"validator_build > 1.4.2-rc0", c_validator},
    {"build < 1.4.2", c_build},
    {"build in 1.4.2..1.10.0", c_build_range},
    {"issued in 2020-01-31..2020-02-28", c_issued},
    {"issued >= now-33d and issued < now-4d", c_issued},
    {"age > 30d", c_age},
    {"age in 10d..20d", c_age_range},
    {"remaining < 10d", c_remaining},
    {"quorum < 2", c_quorum},
    {"key_type in {rsa, ed25519}", c_key},
    {"suffix = example.com", c_suffix},
    {"suffix in {example.com, org}", c_suffixes},
    {"name = www.example.net", c_name},
    {"finding = a_rule", c_finding},
    {"key_blocked", c_finding},
    {"reason = keyCompromise", c_reason},
    {"revoked_at >= 2020-03-02", c_revoked_at},
    {"replaced", c_replaced},
    {"replaced_how = ari", c_replaced},
    {"replacement = in_use", c_in_use},
    {"replacement = deployed", c_deployed},
    {"replacement = silent", c_silent},
    {"not replacement in {in_use, deployed, not_seen}", c_silent},
    {"seen >= now-2d", c_seen},
    {"tier = automatic", c_automatic},
    {"tier = by-hand", c_by_hand},
    {"tier in {reachable, hold-out}", c_slow},
    {"hold_out", c_hold_out},
    {"client = \"certbot/2.9\"", c_client},
    {"renewed < 2020-02-29", c_renewed},
    {"terms = \"2026\" and terms_clause", c_clause},
    {"contact_verified", c_reached},
    {"cannot_tolerate", c_intolerant},
    {"polled >= 2020-03-03", c_polled},
    {"unproven", c_unproven},
    {"sha256 = 000000000000000000000000000000000000000000000000000000000000012c", c_one},
    {"key = 000000000000000000000000000000000000000000000000000000000000012c", c_one},
    {"serial = 0c38012c", c_one},
    {"(method = dns-01 and caa_age > 8h or quorum = 0) and not (expired or revoked)", c_mixed},
};

static int64_t expected(bool (*condition)(const struct made *m))
{
    int64_t count = 0;
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        struct made m = make(n);
        count += condition(&m) ? 1 : 0;
    }
    return count;
}

static void test_counts(void **state)
{
    (void)state;
    char negated[256];
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].condition == NULL) {
            continue;
        }
        int64_t want = expected(rows[i].condition);
        int64_t got = count_as(rows[i].text, plain);
        if (got != want) {
            print_error("%s: %lld, not %lld\n", rows[i].text, (long long)got, (long long)want);
        }
        assert_int_equal(got, want);
        (void)snprintf(negated, sizeof(negated), "not (%s)", rows[i].text);
        assert_int_equal(count_as(negated, plain), CERTIFICATES - want);
    }
    assert_int_equal(count_as("perspective = \"tokyo%1\" or perspective = \"frank_urt\"", plain), 0);
    assert_int_equal(count_as("serial = 0c38012c", plain), 1);
}

/* Each of them is met by something and missed by something, or the table above tests nothing. */
static void test_table_is_worth_it(void **state)
{
    (void)state;
    for (size_t i = 4; i < LT_COUNT(rows); i++) {
        int64_t want = rows[i].condition == NULL ? 1 : expected(rows[i].condition);
        assert_true(want > 0 && want < CERTIFICATES);
    }
}

struct gathered {
    uint8_t serials[CERTIFICATES][SERIAL_LEN];
    int64_t issuers[CERTIFICATES];
    size_t count;
};

static lt_res gather(void *self, int64_t issuer, lt_slice serial, int64_t copy)
{
    struct gathered *g = self;
    assert_int_equal(copy, 0);
    assert_int_equal(serial.len, SERIAL_LEN);
    assert_true(g->count < CERTIFICATES);
    if (g->count > 0) {
        int64_t before = g->issuers[g->count - 1];
        assert_true(before < issuer ||
                    (before == issuer && memcmp(g->serials[g->count - 1], serial.ptr, SERIAL_LEN) < 0));
    }
    memcpy(g->serials[g->count], serial.ptr, SERIAL_LEN);
    g->issuers[g->count++] = issuer;
    return LT_OK;
}

static void test_members(void **state)
{
    (void)state;
    static struct gathered whole;
    static struct gathered pages;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct scope_sql s;
        struct scope_ask ask = {.want = SCOPE_MEMBERS, .now = {NOW}, .few = i % 2 == 0};
        whole.count = pages.count = 0;
        assert_ok(compile(rows[i].text, ask, &s));
        assert_ok(scope_each(book, &s, gather, &whole));
        lt_arena_reset(&arena);
        assert_int_equal(whole.count, count_as(rows[i].text, plain));
        for (size_t before = SIZE_MAX; before != pages.count;) {
            before = pages.count;
            ask.limit = 37;
            ask.few = !ask.few;
            if (before > 0) {
                ask.after = (struct scope_cursor){.set = true,
                                                  .issuer = pages.issuers[before - 1],
                                                  .serial = LT_SLICE(pages.serials[before - 1], SERIAL_LEN)};
            }
            assert_ok(compile(rows[i].text, ask, &s));
            assert_ok(scope_each(book, &s, gather, &pages));
            lt_arena_reset(&arena);
        }
        assert_int_equal(pages.count, whole.count);
        assert_memory_equal(pages.serials, whole.serials, whole.count * SERIAL_LEN);
    }
}

static void test_as_of(void **state)
{
    (void)state;
    int64_t then = NOW - 3 * DAY + SECOND;
    int64_t issued = 0;
    int64_t revoked = 0;
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        struct made m = make(n);
        issued += m.issued <= then ? 1 : 0;
        revoked += m.issued <= then && m.revoked && m.revoked_us <= then ? 1 : 0;
    }
    const struct scope_ask ask = {.want = SCOPE_COUNT, .now = {then}, .as_of = true};
    assert_int_equal(count_as("names > 0", ask), issued);
    assert_int_equal(count_as("revoked", ask), revoked);
    assert_int_equal(count_as("replaced", ask), 0); /* all of it was seen later */
    assert_int_equal(count_as("replacement != silent", ask), 0);
    const struct scope_ask between = {.want = SCOPE_COUNT, .now = {NOW - DAY - HOUR}, .as_of = true};
    assert_int_equal(count_as("replacement = deployed", between), 0);
    assert_true(count_as("replacement = in_use", between) >
                count_as("replacement = in_use", (struct scope_ask){.want = SCOPE_COUNT, .now = {NOW}}));
    uint8_t room[SERIAL_LEN];
    const struct scope_ask today = {.want = SCOPE_COUNT, .now = {NOW}, .as_of = true};
    assert_ok(store_begin(book)); /* brought in between the two, whenever it was issued */
    PUT(IMPORT, STORE_I(then + SECOND));
    PUT(IMPORTED, STORE_I(make(100).issuer), STORE_B(serial_of(100, room)));
    assert_int_equal(count_as("names > 0", ask), issued - 1);
    assert_int_equal(count_as("names > 0", today), CERTIFICATES);
    store_rollback(book);
    assert_true(revoked > 0 && revoked < expected(c_revoked));
}

static void test_but_not(void **state)
{
    (void)state;
    const struct scope *old = NULL;
    assert_ok(scope_parse(LT_LIT("expired or revoked"), &arena, NULL, &old));
    struct scope_ask ask = plain;
    struct scope_sql s;
    int64_t count = 0;
    ask.but_not = old;
    assert_ok(compile("revoked or quorum < 2", ask, &s));
    assert_ok(scope_count(book, &s, &count));
    int64_t want = 0;
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        struct made m = make(n);
        want += (m.revoked || m.quorum < 2) && !(c_expired(&m) || m.revoked) ? 1 : 0;
    }
    assert_int_equal(count, want);
}

enum { TIERS = 3 };

static lt_res tally(void *self, int64_t issuer, lt_slice serial, int64_t tier)
{
    int64_t *counts = self;
    (void)issuer;
    (void)serial;
    assert_in_range(tier, 0, TIERS);
    counts[tier]++;
    return LT_OK;
}

/* All tiers in one walk, and each counted by itself: what it says, and none before it does. */
static void test_tiers(void **state)
{
    (void)state;
    static const char *const texts[TIERS] = {"replaced", "tier = automatic and not hold_out",
                                             "caa_age > 8h or method = http-01"};
    static const char *const alone[TIERS + 1] = {
        "names > 0 and (replaced)",
        "names > 0 and not (replaced) and (tier = automatic and not hold_out)",
        "names > 0 and not (replaced) and not (tier = automatic and not hold_out) and (caa_age > 8h or "
        "method = "
        "http-01)",
        "names > 0 and not (replaced) and not (tier = automatic and not hold_out) and not (caa_age > 8h or "
        "method = "
        "http-01)",
    };
    const struct scope *tiers[TIERS];
    int64_t counts[TIERS + 1] = {0};
    struct scope_sql s;
    for (size_t i = 0; i < TIERS; i++) {
        assert_ok(scope_parse(lt_slice_cstr(texts[i]), &arena, NULL, &tiers[i]));
    }
    struct scope_ask ask = plain;
    ask.want = SCOPE_MEMBERS;
    ask.tiers = tiers;
    ask.tier_count = TIERS;
    assert_ok(compile("names > 0", ask, &s));
    assert_ok(scope_each(book, &s, tally, counts));
    for (size_t i = 0; i <= TIERS; i++) {
        assert_int_equal(counts[i], count_as(alone[i], plain));
    }
    assert_true(counts[0] > 0 && counts[TIERS] > 0);
    ask.tier_count = 0; /* none: the copy, as ever */
    int64_t copies[TIERS + 1] = {0};
    assert_ok(compile("names > 0", ask, &s));
    assert_ok(scope_each(book, &s, tally, copies));
    assert_true(copies[0] > counts[0]);
}

static void test_members_hash(void **state)
{
    (void)state;
    uint8_t a[SCOPE_HASH_LEN];
    uint8_t b[SCOPE_HASH_LEN];
    uint8_t want[SCOPE_HASH_LEN];
    int64_t count = 0;
    struct scope_sql s;
    const struct scope_ask ask = {.want = SCOPE_MEMBERS, .now = {NOW}};
    assert_ok(compile("serial = 0c38012c", ask, &s));
    assert_ok(scope_members_hash(book, &s, &count, a));
    assert_int_equal(count, 1);
    static const uint8_t row[] = {0, 0, 0,    0,    0,    0,    0, 2, 0, 0, 0, 0, 0, 0,
                                  0, 4, 0x0c, 0x38, 0x01, 0x2c, 0, 0, 0, 0, 0, 0, 0, 0};
    crypto_sha256(LT_SLICE(row, sizeof(row)), want);
    assert_memory_equal(a, want, sizeof(a));
    assert_ok(compile("names > 0", ask, &s));
    assert_ok(scope_members_hash(book, &s, &count, a));
    assert_int_equal(count, CERTIFICATES);
    assert_ok(
        compile("not names = 0", (struct scope_ask){.want = SCOPE_MEMBERS, .now = {NOW}, .few = true}, &s));
    assert_ok(scope_members_hash(book, &s, &count, b));
    assert_memory_equal(a, b, sizeof(a));
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
    } bad[] = {
        {"issuer = tlz", 9},
        {"not expired and profile in {tls-server, tls}", 28},
        {"issuer in {tls, \"no such\"}", 11},
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        const struct scope *s = NULL;
        struct scope_sql out;
        struct scope_error error = {0};
        struct scope_catalog catalog;
        assert_ok(scope_catalog_load(book, &arena, &catalog));
        struct scope_ask ask = plain;
        ask.catalog = &catalog;
        assert_ok(scope_parse(lt_slice_cstr(bad[i].text), &arena, NULL, &s));
        assert_fails(scope_compile(s, &ask, &arena, &error, &out), LT_PEER_MALFORMED);
        assert_true(error.offset >= bad[i].offset && error.len > 0);
    }
    const struct scope *s = NULL;
    struct scope_sql out;
    assert_ok(scope_parse(LT_LIT("build < 1.4.2"), &arena, NULL, &s));
    assert_fails(scope_compile(s, &plain, &arena, NULL, &out), LT_PEER_MALFORMED);
    struct scope_ask late = plain;
    assert_ok(scope_parse(LT_LIT("serial = 0c"), &arena, NULL, &s));
    assert_ok(scope_compile(s, &late, &arena, NULL, &out));
    const struct store_sql writes = {"writes", "INSERT INTO build (name, first_us) VALUES ('x', ?1)"};
    (void)writes; /* a statement that writes is a bug and aborts: nothing to test without a death test */
}

static lt_res refuse_third(void *self, int64_t issuer, lt_slice serial, int64_t copy)
{
    (void)issuer;
    (void)serial;
    (void)copy;
    int *count = self;
    LT_CHECK(++*count < 3, LT_RETRY_BUSY, "enough");
    return LT_OK;
}

/* Who is called may end it; the connection is good for more, again and again. */
static void test_ended_early(void **state)
{
    (void)state;
    const struct scope_ask ask = {.want = SCOPE_MEMBERS, .now = {NOW}};
    for (int i = 0; i < 20; i++) {
        struct scope_sql s;
        int count = 0;
        assert_ok(compile("names > 0", ask, &s));
        assert_fails(scope_each(book, &s, refuse_third, &count), LT_RETRY_BUSY);
        lt_arena_reset(&arena);
    }
    assert_int_equal(count_as("names > 0", plain), CERTIFICATES);
}

static lt_slice plan_of(const char *text, const struct scope_ask *ask)
{
    struct scope_sql s;
    struct lt_buf b;
    lt_buf_init(&b, 65536);
    assert_ok(compile(text, *ask, &s));
    assert_ok(scope_plan(book, &s, &arena, &b));
    lt_slice plan = lt_arena_copy(&arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return plan;
}

static bool says(lt_slice plan, const char *words)
{
    return memmem(plan.ptr, plan.len, words, strlen(words)) != NULL;
}

/* Counts of summarised evidence read the covering index; lists go in the order of the key, without a sort. */
static void test_plans(void **state)
{
    (void)state;
    if (on_server) { /* it plans by what it has counted: with so few rows there is nothing else to see */
        assert_true(says(plan_of("caa_age > 8h", &plain), "Scan"));
        return;
    }
    const struct scope_ask members = {.want = SCOPE_MEMBERS, .now = {NOW}, .limit = 100};
    static const char *const summaries[] = {
        "caa_age > 8h",
        ("method = dns-01 and caa_age > 8h and issued in 2019-07-25..2020-02-28 and build < 1.4.2 and not "
         "expired"),
        "validation_age > 30d and not expired and quorum < 3 and names > 5",
    };
    for (size_t i = 0; i < LT_COUNT(summaries); i++) {
        lt_slice count = plan_of(summaries[i], &plain);
        if (!says(count, "USING COVERING INDEX certificate_summary")) {
            print_error("%s: %.*s\n", summaries[i], LT_FMT(count));
        }
        assert_true(says(count, "USING COVERING INDEX certificate_summary"));
        lt_slice list = plan_of(summaries[i], &members);
        if (says(list, "B-TREE FOR ORDER")) {
            print_error("%s: %.*s\n", summaries[i], LT_FMT(list));
        }
        assert_false(says(list, "B-TREE FOR ORDER"));
        lt_arena_reset(&arena);
    }
    assert_true(
        says(plan_of("key = 000000000000000000000000000000000000000000000000000000000000012c", &plain),
             "certificate_spki"));
    assert_true(says(plan_of("serial = 0c", &plain), "issuer=? AND serial=?"));
    assert_true(says(plan_of("account = 5", &plain), "certificate_account"));
    assert_true(says(plan_of("suffix = example.com", &plain), "name>? AND name<?"));
}

/* The expressions that the bench runs, too. */
static void test_named(void **state)
{
    (void)state;
    lt_slice file;
    struct lt_arena text;
    size_t count = 0;
    lt_arena_init(&text, 1024 * 1024);
    assert_ok(lt_file_read(&text, AT_FDCWD, DATA_DIR "/scopes.tsv", 512 * 1024, &file));
    lt_slice line;
    while (lt_slice_split(&file, '\n', &line)) {
        lt_slice name;
        lt_slice expression = {0};
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        assert_true(lt_slice_split(&line, '\t', &name) && lt_slice_split(&line, '\t', &expression) &&
                    line.len > 0);
        char *cstr = lt_arena_cstr(&text, expression);
        int64_t got = count_as(cstr, plain);
        assert_true(got >= 0 && got < CERTIFICATES);
        count++;
    }
    assert_int_equal(count, 40);
    lt_arena_done(&text);
}

/* What asking for one group gives; NULL: there is no such expression. */
static const char *group_question(struct scope_field_info f, const char *by, const char *value, char *out,
                                  size_t size)
{
    bool month = strchr(by, ':') == NULL && strcmp(f.type, "time") == 0;
    bool flag = strcmp(f.type, "flag") == 0;
    if (value == NULL || strcmp(value, "00") == 0 || strcmp(f.type, "duration") == 0 ||
        (strcmp(f.type, "time") == 0 && !month)) {
        return NULL;
    }
    (void)snprintf(out, size,
                   month ? "account > 1003 and %s in %s"
                   : flag
                       ? (strcmp(value, "yes") == 0 ? "account > 1003 and %s" : "account > 1003 and not %s")
                       : "account > 1003 and %s = \"%s\"",
                   f.name, value);
    return out;
}

static lt_res groups_of(const char *text, const char *by, size_t limit, struct scope_groups *ret_groups)
{
    const struct scope *s = NULL;
    struct scope_catalog *catalog = LT_NEW(&arena, struct scope_catalog);
    struct scope_ask ask = plain;
    assert_non_null(catalog);
    assert_ok(scope_catalog_load(book, &arena, catalog));
    ask.catalog = catalog;
    assert_ok(scope_parse(lt_slice_cstr(text), &arena, NULL, &s));
    return scope_group_by(book, s, &ask, by, limit, &arena, ret_groups);
}

/* Each group of each field is what asking for it gives, and the groups are the whole. */
static void test_groups(void **state)
{
    (void)state;
    struct lt_arena *own = &arena;
    size_t counted = 0;
    int64_t whole = count_as("account > 1003", plain);
    for (size_t i = 0; i < scope_field_count(); i++) {
        struct scope_field_info f = scope_field_info(i);
        struct scope_groups groups;
        int64_t sum = 0;
        if (lt_failed(groups_of("account > 1003", f.name, SCOPE_GROUPS_MAX, &groups))) {
            assert_int_equal(lt_error_last()->code, LT_PEER_MALFORMED);
            lt_arena_reset(own);
            continue;
        }
        assert_int_equal(groups.certificates, whole);
        assert_int_equal(groups.groups, groups.count);
        struct scope_group list[CERTIFICATES];
        assert_true(groups.count > 0 && groups.count <= CERTIFICATES);
        for (size_t n = 0; n < groups.count; n++) {
            list[n] = groups.list[n];
            list[n].value = list[n].value == NULL ? NULL : strdup(list[n].value);
            sum += list[n].count;
        }
        assert_true(groups.several ? sum >= whole : sum == whole);
        for (size_t n = 0; n < groups.count; n++) {
            char question[256];
            const char *q = group_question(f, f.name, list[n].value, question, sizeof(question));
            if (q != NULL && count_as(q, plain) != list[n].count) {
                print_error("%s: %lld and not %lld\n", q, (long long)count_as(q, plain),
                            (long long)list[n].count);
                fail();
            }
            free((void *)(uintptr_t)list[n].value);
        }
        counted++;
        lt_arena_reset(own);
    }
    assert_true(counted > 30);
}

static void test_group_rows(void **state)
{
    (void)state;
    struct scope_groups g;
    assert_ok(groups_of("names > 0", "issuer", 10, &g));
    assert_true(g.count == 2 && g.groups == 2 && !g.several);
    assert_string_equal(g.list[0].value, "tls");
    assert_int_equal(g.list[0].count + g.list[1].count, CERTIFICATES);
    assert_ok(groups_of("names > 0", "account", 3, &g)); /* the largest three of twelve */
    assert_int_equal(g.count, 3);
    assert_int_equal(g.groups, CERTIFICATES / 50);
    assert_int_equal(g.certificates, CERTIFICATES);
    assert_ok(groups_of("names > 0", "quorum", 10, &g)); /* from the least on */
    assert_int_equal(g.count, 6);
    assert_string_equal(g.list[0].value, "0");
    assert_ok(groups_of("names > 0", "issued", 100, &g));
    assert_int_equal(g.count, 5);
    assert_int_equal(g.groups, 5);
    assert_string_equal(g.list[0].value, "2019-11");
    assert_ok(groups_of("names > 0", "issued:day", 7, &g));
    assert_int_equal(g.count, 7);
    assert_int_equal(g.groups, 120);
    assert_string_equal(g.list[0].value, "2019-11-05");
    assert_ok(groups_of("names > 0", "issued:year", 100, &g));
    assert_int_equal(g.count, 2);
    assert_ok(groups_of("names > 0", "caa_age:hour", 100, &g));
    assert_int_equal(g.count, 18); /* 0 to 16, and unknown */
    assert_ok(groups_of("names > 0", "perspective", 100, &g));
    assert_true(g.several && g.count == 5); /* four, and none */
    assert_string_equal(g.list[0].value, "primary");
    assert_ok(groups_of("account < 0", "method", 100, &g)); /* nothing is no group */
    assert_true(g.count == 0 && g.certificates == 0);
    assert_ok(groups_of("account < 0", "profile", 100, &g));
    assert_true(g.count == 0 && g.certificates == 0);
    static const char *const bad[] = {"",           "nothing",     "serial",        "sha256",
                                      "order",      "suffix",      "name",          "issuer:month",
                                      "issued:",    "issued:week", "caa_age:month", "issuer ",
                                      "method:day", ":",           "c.issuer"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(groups_of("names > 0", bad[i], 100, &g), LT_PEER_MALFORMED);
    }
    lt_arena_reset(&arena);
}

/* A scope of then against the same scope of now: what came, and what went. */
static void test_but_not_of_another_time(void **state)
{
    (void)state;
    const struct scope *same = NULL;
    struct scope_sql s;
    int64_t count = 0;
    int64_t then = NOW - 3 * DAY + SECOND;
    assert_ok(scope_parse(LT_LIT("revoked"), &arena, NULL, &same));
    struct scope_ask ask = plain;
    ask.as_of = true;
    ask.but_not = same;
    ask.but_not_now = (lt_time){then};
    ask.but_not_as_of = true;
    assert_ok(compile("revoked", ask, &s));
    assert_ok(scope_count(book, &s, &count));
    int64_t want = 0;
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        struct made m = make(n);
        want += m.revoked && m.issued <= NOW && !(m.issued <= then && m.revoked_us <= then) ? 1 : 0;
    }
    assert_int_equal(count, want);
    assert_true(want > 0);
    ask.now = (lt_time){then};
    ask.but_not_now = (lt_time){NOW};
    assert_ok(compile("revoked", ask, &s));
    assert_ok(scope_count(book, &s, &count));
    assert_int_equal(count, 0); /* nothing is ever not revoked again */
    assert_ok(compile("not revoked", ask, &s));
    assert_ok(scope_count(book, &s, &count));
    want = 0;
    for (unsigned n = 0; n < CERTIFICATES; n++) {
        struct made m = make(n);
        want += m.issued <= then && !(m.revoked && m.revoked_us <= then) && !m.revoked ? 1 : 0;
    }
    assert_int_equal(count, want);
    lt_arena_reset(&arena);
}

static void test_catalog(void **state)
{
    (void)state;
    struct scope_catalog c;
    assert_ok(scope_catalog_load(book, &arena, &c));
    assert_int_equal(c.issuer_count, 3);
    assert_int_equal(c.profile_count, 2);
    assert_int_equal(c.build_count, LT_COUNT(builds));
    assert_string_equal(c.issuers[1], "tls");
}

/* A mistyped word counts nothing: that the book has it nowhere is said, and what it has. */
static void test_missing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says; /* NULL: nothing to say */
    } asked[] = {
        {"method = dns-01 and names > 0", NULL},
        {"method < b or issued > 2020 or expired", "?"},
        {"method = DNS-01", "no method \"DNS-01\"; it has"},
        {"not (expired or method in {dns-01, dns-99})", "no method \"dns-99\""},
        {"perspective = nowhere", "no perspective \"nowhere\""},
        {"resolver = foo", "no resolver \"foo\""},
        {"rule_set = foo", "no rule_set \"foo\""},
        {"finding = foo", "no finding \"foo\""},
    };
    for (size_t i = 0; i < LT_COUNT(asked); i++) {
        const struct scope *s = NULL;
        struct lt_buf b;
        if (lt_failed(scope_parse(lt_slice_cstr(asked[i].text), &arena, NULL, &s))) {
            assert_true(asked[i].says != NULL && asked[i].says[0] == '?'); /* texts have no order */
            continue;
        }
        lt_buf_init(&b, 65536);
        assert_ok(scope_missing(book, s, &arena, &b));
        if (asked[i].says == NULL) {
            assert_int_equal(b.len, 0);
        } else {
            assert_true(says(lt_buf_slice(&b), asked[i].says));
            assert_true(!says(lt_buf_slice(&b), "no method \"dns-01\""));
        }
        lt_buf_done(&b);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_table_is_worth_it),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_as_of),
        cmocka_unit_test(test_but_not),
        cmocka_unit_test(test_members_hash),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ended_early),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_catalog),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_group_rows),
        cmocka_unit_test(test_but_not_of_another_time),
        cmocka_unit_test(test_missing),
    };
    on_server = argc > 1 && strcmp(argv[1], "postgres") == 0;
    if (on_server && !pg_rig_start()) {
        (void)fprintf(stderr, "no PostgreSQL server here (Debian: apt install postgresql)\n");
        return 77; /* meson: skipped */
    }
    int failed = cmocka_run_group_tests_name(on_server ? "scope-run-postgres" : "scope-run", tests, setup,
                                             teardown);
    if (on_server) {
        pg_rig_stop();
    }
    return failed;
}
