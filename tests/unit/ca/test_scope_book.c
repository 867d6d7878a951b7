/* What the registrar writes for scopes, and scopes that get a name: versions, and what is refused. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/scope_book.h"

#define PATH "/tmp/lintel-test-scope-book.db"

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

static char a_name[] = "www.example.com";

static void test_an_issued_certificate_names_its_build(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, 100));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM build b JOIN certificate c ON c.build = b.name"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM build"), 1);
    rig_audit(r);
}

static lt_res step_certificate(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_scope_certificate(t, arg);
}

/* A row for each other dimension, once; none for the worst one, none for no evidence. A rule that found twice
 * is one row. */
static void test_dimensions_and_findings(void **state)
{
    struct rig *r = *state;
    static const int64_t dimensions[] = {7, 8, 7, 0, 9, 8};
    static char rule[] = "a_rule";
    static char other[] = "b_rule";
    static char warn[] = "warn";
    Ipc__NameEvidence evidence[LT_COUNT(dimensions)];
    Ipc__NameEvidence *list[LT_COUNT(dimensions)];
    Ipc__Finding findings[3];
    Ipc__Finding *found[3];
    for (size_t i = 0; i < LT_COUNT(dimensions); i++) {
        ipc__name_evidence__init(&evidence[i]);
        evidence[i].dimension = dimensions[i];
        list[i] = &evidence[i];
    }
    for (size_t i = 0; i < LT_COUNT(findings); i++) {
        ipc__finding__init(&findings[i]);
        findings[i].rule = i == 2 ? other : rule;
        findings[i].result = warn;
        found[i] = &findings[i];
    }
    struct ca_scope_certificate c = {
        .issuer = 2,
        .serial = LT_LIT("\x0c\x01"),
        .worst_dimension = 7,
        .evidence = list,
        .evidence_count = LT_COUNT(list),
        .findings = found,
        .finding_count = LT_COUNT(found),
    };
    assert_ok(rig_run(r, step_certificate, &c));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_dimension"), 2);
    assert_int_equal(rig_number(r, "SELECT sum(dimension) FROM certificate_dimension"), 17);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_finding"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_finding WHERE rule = 'a_rule' AND "
                                   "result = 'warn' AND issuer = 2 AND serial = x'0c01' AND copy = 0"),
                     1);
}

/* ---- saved ones ---- */

static lt_res step_save(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const char *json = NULL;
    LT_TRY(ca_scope_save(t, arg, "ann", LT_LIT("{\"jws\":1}"), &json));
    assert_non_null(strstr(json, "\"version\":"));
    return LT_OK;
}

static uint8_t one_hash[32] = {1};
static uint8_t two_hash[32] = {2};
static char name[] = "my-scope";
static char text[] = "expired";
static char other_text[] = "not expired";
static char note[] = "report 17";

static Ipc__ScopeWanted wanted(const struct rig *r)
{
    Ipc__ScopeWanted w = IPC__SCOPE_WANTED__INIT;
    w.name = name;
    w.text = text;
    w.note = note;
    w.sha256 = (ProtobufCBinaryData){sizeof one_hash, one_hash};
    w.members_sha256 = (ProtobufCBinaryData){sizeof two_hash, two_hash};
    w.as_of_us = r->now.us - 1;
    w.count = 5;
    return w;
}

static void test_versions(void **state)
{
    struct rig *r = *state;
    Ipc__ScopeWanted w = wanted(r);
    assert_ok(rig_run(r, step_save, &w));
    assert_fails(rig_run(r, step_save, &w), LT_PEER_CONFLICT);
    w.members_sha256.data = one_hash; /* the same text, another result */
    assert_ok(rig_run(r, step_save, &w));
    w.text = other_text;
    w.sha256.data = two_hash;
    assert_ok(rig_run(r, step_save, &w));
    w = wanted(r); /* back to the first: a version of its own */
    assert_ok(rig_run(r, step_save, &w));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM scope WHERE name = 'my-scope'"), 4);
    assert_int_equal(rig_number(r, "SELECT max(version) FROM scope"), 4);
    assert_int_equal(rig_number(r, "SELECT version FROM scope WHERE text = 'not expired'"), 3);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'scope.saved' AND "
                                   "subject = 'scope my-scope' AND attachment IS NOT NULL"),
                     4);
}

static void test_refused(void **state)
{
    struct rig *r = *state;
    static char names[][80] = {
        "", "Big", "a b", "a/b", "a_b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static char empty[] = "";
    Ipc__ScopeWanted w;
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        w = wanted(r);
        w.name = names[i];
        assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    }
    w = wanted(r);
    w.sha256.len = 31;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    w = wanted(r);
    w.members_sha256.len = 0;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    w = wanted(r);
    w.as_of_us = 0;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    w.as_of_us = r->now.us + 3600 * LT_US_PER_SECOND;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    w = wanted(r);
    w.text = empty;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_TOO_LARGE);
    w = wanted(r);
    w.count = UINT64_MAX;
    assert_fails(rig_run(r, step_save, &w), LT_PEER_MALFORMED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM scope"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_issued_certificate_names_its_build, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dimensions_and_findings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("scope_book", tests, rig_group_setup, rig_group_teardown);
}
