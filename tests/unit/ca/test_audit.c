/* The audit of rows: a clean book gives no finding, each changed row gives one. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/audit.h"
#include "ca/halt.h"
#include "ca/key_block.h"
#include "crypto/digest.h"
#include "store/internal.h"
#include "x509/cert.h"

#define PATH "/tmp/lintel-test-audit.db"

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static lt_res step_block(struct rig *r, struct ca_turn *t, void *arg)
{
    uint8_t hash[CA_HASH_LEN] = {1, 2, 3};
    (void)r;
    return arg == NULL ? ca_key_block_add(t, LT_SLICE(hash, sizeof hash), "weak", "test")
                       : ca_key_block_remove(t, LT_SLICE(hash, sizeof hash), arg);
}

static lt_res step_halt(struct rig *r, struct ca_turn *t, void *arg)
{
    Ipc__Halt h = IPC__HALT__INIT;
    const char *id = NULL;
    char names[2][16] = {"tls-server", "weekend"};
    char operator_name[] = "ann";
    (void)r;
    h.kind = IPC__HALT_KIND__HALT_PROFILE;
    h.id = arg;
    h.value = names[0];
    h.reason = names[1];
    h.operator_ = operator_name;
    return ca_halt_add(t, &h, LT_SLICE(NULL, 0), &id);
}

static lt_res step_lift(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_halt_lift(t, arg, "plan-1");
}

static lt_res step_revoke(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct ca_revoke_request q = {
        .issuer = 1,
        .serial = LT_SLICE(r->journal[0].serial, CA_SERIAL_LEN),
        .reason = *(const uint32_t *)arg,
        .origin = CA_REVOKE_BY_OPERATOR,
        .by_whom = "operator ann",
    };
    return ca_revoke_begin(t, &q);
}

static const struct store_sql get_issuer = {"test.issuer", "SELECT certificate FROM issuer WHERE id = 1"};
static const struct store_sql put_issuer = {
    "test.issuers", "UPDATE issuer SET spki_sha256 = ?1, subject_sha256 = ?2, not_before_us = ?3, "
                    "not_after_us = ?4"};

/* The rig's issuers have made-up columns; a book's are those of the certificate. */
static void complete_issuers(struct rig *r)
{
    struct lt_arena arena;
    struct store_rows rows;
    struct x509_cert c;
    uint8_t spki[CA_HASH_LEN];
    uint8_t subject[CA_HASH_LEN];
    lt_arena_init(&arena, 1 << 20);
    assert_ok(store_query(r->store, &get_issuer, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    lt_slice der = lt_arena_copy(&arena, store_bytes(&rows, 0));
    assert_ok(store_rows_end(&rows));
    assert_ok(x509_cert_parse(der, &arena, &c));
    crypto_sha256(c.spki.der, spki);
    crypto_sha256(c.subject.der, subject);
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &put_issuer,
                         STORE_ARGS(STORE_B(LT_SLICE(spki, sizeof spki)),
                                    STORE_B(LT_SLICE(subject, sizeof subject)), STORE_I(c.not_before.us),
                                    STORE_I(c.not_after.us)),
                         NULL));
    assert_ok(store_commit(r->store));
    lt_arena_done(&arena);
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    char name[] = "a.example.com";
    char halts[2][8] = {"h1", "h2"};
    uint32_t reasons[] = {CA_REASON_SUPERSEDED, CA_REASON_KEY_COMPROMISE};
    char plan[] = "plan-1";
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    assert_ok(rig_run(r, rig_plan, name));
    assert_ok(rig_answer(r, SIZE_MAX));
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        assert_ok(rig_run(r, step_revoke, &reasons[i])); /* the second changes the first */
        assert_ok(rig_answer(r, SIZE_MAX));
    }
    assert_ok(rig_run(r, step_block, NULL));
    assert_ok(rig_run(r, step_block, plan));
    assert_ok(rig_run(r, step_block, NULL));
    assert_ok(rig_run(r, step_halt, halts[0]));
    assert_ok(rig_run(r, step_halt, halts[1]));
    assert_ok(rig_run(r, step_lift, halts[1]));
    complete_issuers(r);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

static void told(void *self, const char *what, const char *subject, const char *detail)
{
    const char **last = self;
    print_message("%s: %s: %s\n", what, subject, detail);
    *last = what;
}

static uint64_t findings(struct rig *r, const char **ret_what)
{
    struct ca_audit a = {.store = r->store, .self = ret_what, .found = told};
    *ret_what = "";
    assert_ok(ca_audit_certificates(&a));
    assert_ok(ca_audit_rows(&a));
    return a.counts.findings;
}

static const struct {
    const char *crime;
    const char *what;
} crimes[] = {
    {"UPDATE issuer SET spki_sha256 = zeroblob(32) WHERE id = 2", "issuer"},
    {"UPDATE issuer SET not_after_us = not_after_us + 1 WHERE id = 1", "issuer"},
    {"UPDATE issuer SET certificate = x'3000' WHERE id = 1", "issuer"},
    {"UPDATE certificate SET not_after_us = not_after_us + 1000000", "revocation"}, /* and "certificate" */
    {"UPDATE certificate SET not_before_us = not_before_us - 86400000000", "certificate"},
    {"UPDATE certificate SET spki_sha256 = zeroblob(32)", "certificate"},
    {"UPDATE revocation SET reason = 0", "revocation"},
    {"UPDATE revocation SET revoked_us = revoked_us + 3600000000", "revocation"},
    {"UPDATE revocation SET sequence = sequence + 1", "revocation"},
    {"UPDATE revocation SET not_after_us = 1", "revocation"},
    {"UPDATE halt SET lifted_us = 1 WHERE id = 'h1'", "halt"},
    {"UPDATE halt SET lifted_us = NULL WHERE id = 'h2'", "halt"},
    {"UPDATE halt SET value = 'tls-server-short' WHERE id = 'h1'", "halt"},
    {"DELETE FROM halt WHERE id = 'h1'", "halt"},
    {"INSERT INTO halt (id, kind, value, reason, operator, since_us) VALUES ('h3', 'all', '', 'x', 'ann', 1)",
     "halt"},
    {"DELETE FROM key_block WHERE reason = 'weak'", "key-block"},
    {"INSERT INTO key_block VALUES (zeroblob(32), 'x', 'y', 1)", "key-block"},
    {"INSERT INTO crl VALUES (1, 0, zeroblob(8), 1, 2, 0, zeroblob(32), 0, x'3000')", "crl"},
    {"INSERT INTO plan VALUES ('p', 'resume', zeroblob(32), 1, '{}', 'ann', 1, 2, 'done', 2, NULL)", "plan"},
};

static void changed_rows_show(void **state)
{
    struct rig *r = *state;
    const char *what = NULL;
    for (size_t i = 0; i < LT_COUNT(crimes); i++) {
        assert_int_equal(findings(r, &what), 0);
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, crimes[i].crime));
        assert_true(findings(r, &what) > 0);
        assert_string_equal(what, crimes[i].what);
        store_rollback(r->store);
    }
}

/* first, last and how far the book is; whether that is a finding. */
static void a_journal_that_is_too_short(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint64_t last;
        const char *script;
        uint64_t findings;
    } rows[] = {
        {0, "DELETE FROM journal", 0},
        {0, "INSERT OR REPLACE INTO journal (signer, acknowledged) VALUES ('signer', 3)", 1},
        {2, "INSERT OR REPLACE INTO journal (signer, acknowledged) VALUES ('signer', 3)", 1},
        {3, "INSERT OR REPLACE INTO journal (signer, acknowledged) VALUES ('signer', 3)", 0},
        {9, "INSERT OR REPLACE INTO journal (signer, acknowledged) VALUES ('signer', 3)", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *what = "";
        struct ca_audit a = {.store = r->store, .self = &what, .found = told};
        const struct journal_summary summary = {.first = rows[i].last == 0 ? 0 : 1, .last = rows[i].last};
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, rows[i].script));
        assert_ok(ca_audit_journal_end(&a, &summary));
        assert_int_equal(a.counts.findings, rows[i].findings);
        a.counts.knots = 1; /* that the journal has no record of */
        assert_ok(ca_audit_journal_end(&a, &summary));
        assert_int_equal(a.counts.findings, 2 * rows[i].findings + 1);
        store_rollback(r->store);
    }
}

/* A knot's record is found by chain and sequence, and must tie the heads that the book has. */
static void knots_lie_on_the_journal(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *crime;
        uint64_t findings;
        uint64_t tied;
    } rows[] = {
        {"UPDATE knot SET time_us = 1", 0, 1},
        {"UPDATE knot SET head = x'00'", 1, 1},
        {"UPDATE knot SET journal_head = zeroblob(31)", 1, 1},
        {"UPDATE knot SET journal_sequence = 8", 0, 0},
        {"UPDATE knot SET sequence = 6", 0, 0},
    };
    const uint8_t five[] = {0, 0, 0, 0, 0, 0, 0, 5};
    const struct journal_entry e = {
        .sequence = 7, .what = JOURNAL_KNOT, .issuer = LT_LIT("c"), .serial = LT_SLICE(five, sizeof five)};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *what = "";
        struct ca_audit a = {.store = r->store, .self = &what, .found = told};
        assert_ok(store_begin(r->store));
        assert_ok(store_script(
            r->store, "DELETE FROM knot; INSERT INTO knot (time_us, chain, sequence, head, journal_sequence, "
                      "journal_head, signature) VALUES (1, 'c', 5, zeroblob(32), 7, zeroblob(32), x'00')"));
        assert_ok(store_script(r->store, rows[i].crime));
        assert_ok(ca_audit_journal_entry(&a, &e));
        assert_int_equal(a.counts.findings, rows[i].findings);
        assert_int_equal(a.knots_tied, rows[i].tied);
        store_rollback(r->store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changed_rows_show, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_is_too_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knots_lie_on_the_journal, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("audit", tests, rig_group_setup, rig_group_teardown);
}
