/* Every statement that the registrar runs is a point look-up or a range that an index bounds: EXPLAIN says
 * so. Few tables may be read whole; each stands here with its reason. */
#include "../check.h"
#include "../store/pg_rig.h"

#include <sqlite3.h>

#include "acme/contact.h"
#include "acme/enroll.h"
#include "acme/mail.h"
#include "acme/sql.h"
#include "ca/ari_book.h"
#include "ca/audit_internal.h"
#include "ca/audit_lines.h"
#include "ca/book_internal.h"
#include "ca/compromise.h"
#include "ca/crl_book.h"
#include "ca/crl_watch.h"
#include "ca/eab.h"
#include "ca/event.h"
#include "ca/evidence_book.h"
#include "ca/evidence_shared.h"
#include "ca/hold.h"
#include "ca/host.h"
#include "ca/import_book.h"
#include "ca/issue.h"
#include "ca/issuer_cap.h"
#include "ca/key_block.h"
#include "ca/knot.h"
#include "ca/lint_book.h"
#include "ca/mass.h"
#include "ca/ocsp_book.h"
#include "ca/plan.h"
#include "ca/put_back.h"
#include "ca/ready.h"
#include "ca/retention.h"
#include "ca/revoke.h"
#include "ca/scope_book.h"
#include "ca/scratch_book.h"
#include "ca/session.h"
#include "ca/tally.h"
#include "ca/truth.h"
#include "ca/usage.h"
#include "incident/list_book.h"
#include "incident/op.h"
#include "incident/pack.h"
#include "store/internal.h"
#include "store/postgres_text.h"
#include "store/store.h"

#define PATH "/tmp/lintel-test-statements.db"

static const struct {
    const char *statement;
    const char *because;
} whole[] = {
    {"issuer.all", "at most 256 issuers, read once"},
    {"audit.issuers", "the same, offline"},
    {"host.all", "at most 45 hosts, once at start"},
    {"operator.all", "at most 256 operators, at start and reload"},
    {"acme.account-pending", "a subquery of its own of at most 1,000 rows out of an index"},
    {"acme.order-authorizations", "sorts the at most 100 authorizations of one order"},
    {"retention.count-certificates", "looks at the at most 256 issuers, offline"},
    {"retention.certificates", "the same"},
    {"retention.parts", "five rows for each month, offline"},
    {"retention.count-segments", "a row for each 64 MiB of evidence, offline"},
    {"retention.segments", "a row for each 64 MiB of evidence, offline"},
    {"intent.open-count", "one row for each intent in flight"},
    {"tally.fold", "sorts the rows of the hour that has just gone, a few for each profile"},
    {"tally.all", "counts the whole book, offline"},
    {"tally.all-walk", "reads the tally whole, offline"},
};

static bool may_scan(const char *name)
{
    if (strncmp(name, "pack.", 5) == 0) {
        return true; /* for the auditor, offline: whole tables, or a period of them */
    }
    for (size_t i = 0; i < LT_COUNT(whole); i++) {
        if (strcmp(whole[i].statement, name) == 0) {
            return true;
        }
    }
    return false;
}

static sqlite3 *open_book(void)
{
    struct store *s = NULL;
    const struct store_options o = {.path = PATH, .create = true};
    (void)remove(PATH);
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    store_close(s);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(PATH, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static void close_book(sqlite3 *db)
{
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
}

/* How many steps of its plan read something whole or sort it. */
static int bad_steps(sqlite3 *db, const struct store_sql *sql)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql->text);
    sqlite3_stmt *stmt = NULL;
    int bad = 0;
    if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK) {
        print_error("%s: %s\n", sql->name, sqlite3_errmsg(db));
        return 1;
    }
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        bool limited = strstr(sql->text, "LIMIT") != NULL && strstr(step, "USING") != NULL;
        bool scan = strncmp(step, "SCAN", 4) == 0 && strcmp(step, "SCAN CONSTANT ROW") != 0 && !limited;
        if ((scan || strstr(step, "TEMP B-TREE") != NULL) && !may_scan(sql->name)) {
            print_error("%s: %s\n", sql->name, step);
            bad++;
        }
    }
    (void)sqlite3_finalize(stmt);
    return bad;
}

typedef int visit(void *self, const struct store_sql *sql);

/* Sums up what visit says of every statement. */
static int each(visit *see, void *self, size_t *ret_count)
{
    const struct {
        const struct store_sql *rows;
        size_t count;
    } tables[] = {
        {ca_book_sql, ca_book_sql_count},
        {ca_event_sql, ca_event_sql_count},
        {ca_journal_sql, ca_journal_sql_count},
        {ca_put_back_sql, ca_put_back_sql_count},
        {ca_scratch_sql, ca_scratch_sql_count},
        {ca_retention_sql, ca_retention_sql_count},
        {ca_retention_drop_sql, ca_retention_drop_sql_count},
        {ca_host_sql, ca_host_sql_count},
        {incident_list_book_sql, incident_list_book_sql_count},
        {ca_host_book_sql, ca_host_book_sql_count},
        {ca_host_news_sql, ca_host_news_sql_count},
        {ca_evidence_shared_sql, ca_evidence_shared_sql_count},
        {ca_halt_sql, ca_halt_sql_count},
        {ca_key_block_sql, ca_key_block_sql_count},
        {ca_knot_sql, ca_knot_sql_count},
        {ca_crl_sql, ca_crl_sql_count},
        {ca_crl_watch_sql, ca_crl_watch_sql_count},
        {ca_issue_sql, ca_issue_sql_count},
        {ca_ready_sql, ca_ready_sql_count},
        {acme_contact_sql, acme_contact_sql_count},
        {acme_reissue_sql, acme_reissue_sql_count},
        {ca_ready_ops_sql, ca_ready_ops_sql_count},
        {ca_cap_sql, ca_cap_sql_count},
        {ca_evidence_sql, ca_evidence_sql_count},
        {ca_outcome_sql, ca_outcome_sql_count},
        {ca_revoke_sql, ca_revoke_sql_count},
        {ca_mass_sql, ca_mass_sql_count},
        {ca_mass_auto_sql, ca_mass_auto_sql_count},
        {ca_compromise_sql, ca_compromise_sql_count},
        {ca_mass_freeze_sql, ca_mass_freeze_sql_count},
        {ca_mass_run_sql, ca_mass_run_sql_count},
        {ca_hold_sql, ca_hold_sql_count},
        {ca_import_sql, ca_import_sql_count},
        {ca_plan_sql, ca_plan_sql_count},
        {ca_lint_sql, ca_lint_sql_count},
        {ca_scope_sql, ca_scope_sql_count},
        {ca_tally_sql, ca_tally_sql_count},
        {ca_truth_sql, ca_truth_sql_count},
        {ca_usage_sql, ca_usage_sql_count},
        {ca_usage_look_sql, ca_usage_look_sql_count},
        {ca_audit_sql, ca_audit_sql_count},
        {ca_audit_evidence_sql, ca_audit_evidence_sql_count},
        {ca_audit_jws_sql, ca_audit_jws_sql_count},
        {ca_audit_desk_sql, ca_audit_desk_sql_count},
        {ca_audit_notice_sql, ca_audit_notice_sql_count},
        {ca_audit_export_sql, ca_audit_export_sql_count},
        {incident_pack_sql, incident_pack_sql_count},
        {ca_ari_sql, ca_ari_sql_count},
        {ca_wave_sql, ca_wave_sql_count},
        {ca_ocsp_sql, ca_ocsp_sql_count},
        {ca_eab_sql, ca_eab_sql_count},
        {ca_session_sql, ca_session_sql_count},
        {ca_passkey_sql, ca_passkey_sql_count},
        {ca_audit_console_sql, ca_audit_console_sql_count},
        {acme_enroll_sql, acme_enroll_sql_count},
        {acme_mail_sql, acme_mail_sql_count},
    };
    int bad = 0;
    *ret_count = 0;
    for (size_t i = 0; i < LT_COUNT(tables); i++) {
        for (size_t j = 0; j < tables[i].count; j++, ++*ret_count) {
            bad += see(self, &tables[i].rows[j]);
        }
    }
    for (size_t i = 0; i < ACME_SQL_COUNT; i++, ++*ret_count) {
        bad += see(self, &acme_sql[i]);
    }
    for (size_t i = 0; i < incident_area_count; i++) {
        for (size_t k = 0; k < INCIDENT_SQL_MAX && incident_areas[i]->sql[k] != NULL; k++) {
            for (size_t j = 0; j < incident_areas[i]->sql[k]->count; j++, ++*ret_count) {
                bad += see(self, &incident_areas[i]->sql[k]->rows[j]);
            }
        }
    }
    return bad;
}

static int see_steps(void *self, const struct store_sql *sql)
{
    return bad_steps(self, sql);
}

static void no_statement_reads_a_table_whole(void **state)
{
    (void)state;
    sqlite3 *db = open_book();
    size_t count = 0;
    int bad = each(see_steps, db, &count);
    close_book(db);
    assert_int_equal(bad, 0);
    assert_true(count > 60);
}

static int see_words(void *self, const struct store_sql *sql)
{
    struct lt_buf text;
    size_t count = 0;
    lt_buf_init(&text, 65536);
    lt_buf_add_cstr(&text, "PREPARE statement AS ");
    lt_res r = postgres_text(sql->text, &text, &count);
    r = lt_failed(r) ? r : store_script(self, lt_buf_cstr(&text));
    r = lt_failed(r) ? r : store_script(self, "DEALLOCATE statement");
    lt_buf_done(&text);
    if (lt_failed(r)) {
        print_error("%s: %s\n", sql->name, lt_error_last()->detail);
    }
    return lt_failed(r) ? 1 : 0;
}

/* PostgreSQL takes each of them too, in its own words. */
static void both_stores_understand_every_statement(void **state)
{
    (void)state;
    struct store *s = NULL;
    size_t count = 0;
    if (!pg_rig_start()) {
        pg_rig_stop();
        skip(); /* no server is installed */
    }
    const struct store_options o = {.path = pg_rig_database()};
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    int bad = each(see_words, s, &count);
    store_close(s);
    pg_rig_stop();
    assert_int_equal(bad, 0);
    assert_true(count > 60);
}

static void the_test_can_fail(void **state)
{
    (void)state;
    static const struct store_sql bad[] = {
        {"t.scan", "SELECT * FROM certificate WHERE rule_set = ?1"},
        {"t.sort", "SELECT serial FROM certificate WHERE issuer = ?1 ORDER BY build"},
        {"t.broken", "SELECT nothing FROM nowhere"},
    };
    sqlite3 *db = open_book();
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(bad_steps(db, &bad[i]) > 0);
    }
    close_book(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_statement_reads_a_table_whole),
        cmocka_unit_test(both_stores_understand_every_statement),
        cmocka_unit_test(the_test_can_fail),
    };
    return cmocka_run_group_tests_name("statements", tests, NULL, NULL);
}
