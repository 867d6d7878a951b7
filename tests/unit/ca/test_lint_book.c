/* What the linter said, in the book: findings beside their intent, refusals without one, rule sets by time,
 * and what a later look at the inventory found. */
#include "../check.h"
#include "book_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/lint_book.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-lint-book.db"

enum { MANY = 900 };

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

static lt_res step_reply(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_issue_on_reply(t, arg);
}

static lt_res step_refused(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_refused(t, arg);
}

static lt_res step_rules(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    Ipc__Rules m = IPC__RULES__INIT;
    m.rule_set = arg;
    return ca_rules_say(t, &m);
}

static char before_that[128];

static lt_res step_rules_at(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const char *name = NULL;
    LT_TRY(ca_rules_at(t, *(const lt_time *)arg, &name));
    (void)snprintf(before_that, sizeof before_that, "%s", name);
    return LT_OK;
}

static const char *answer_of_record;

static lt_res step_record(struct rig *r, struct ca_turn *t, void *arg)
{
    static char answer[4096];
    const struct ca_lint_look look = {"ann", LT_LIT("{\"jws\":1}"), arg};
    const char *json = NULL;
    (void)r;
    LT_TRY(ca_lint_record(t, &look, &json));
    (void)snprintf(answer, sizeof answer, "%s", json);
    answer_of_record = answer;
    return LT_OK;
}

/* All that fit, whole; how many did not is said. What stops comes first, as the examiner sends it. */
static void many_findings(void **state)
{
    struct rig *r = *state;
    static Ipc__Finding rows[MANY];
    static Ipc__Finding *list[MANY];
    static char message[] =
        "a sentence about what is wrong with this one, long enough to fill the room that there is";
    for (size_t i = 0; i < MANY; i++) {
        ipc__finding__init(&rows[i]);
        rows[i].rule = (char *)(uintptr_t)(i == 0 ? "e_first" : "w_other");
        rows[i].result = (char *)(uintptr_t)(i == 0 ? "error" : "warn");
        rows[i].message = message;
        rows[i].path = (char *)(uintptr_t) "certificate.tbsCertificate.subject";
        rows[i].offset = (uint32_t)i + 1;
        list[i] = &rows[i];
    }
    assert_ok(rig_run(r, rig_plan, a_name));
    Ipc__SignReply m = IPC__SIGN_REPLY__INIT;
    m.intent_id = rig_number(r, "SELECT id FROM intent");
    m.outcome = (char[]){"refused"};
    m.refusal = (char[]){"lint"};
    m.detail = (char[]){"e_first: bad"};
    m.rule_set = (char[]){"lintel+1"};
    m.findings = list;
    m.n_findings = MANY;
    assert_ok(rig_run(r, step_reply, &m));
#define EVENT "FROM event WHERE kind = 'certificate.refused' AND "
    assert_int_equal(rig_number(r, "SELECT count(*) " EVENT
                                   "json_extract(body, '$.findings[0].rule') = 'e_first' "
                                   "AND json_extract(body, '$.findings[0].offset') = 1 "
                                   "AND json_extract(body, '$.findings[1].path') LIKE 'certificate.%' "
                                   "AND json_extract(body, '$.rule_set') = 'lintel+1'"),
                     1);
    int64_t told = rig_number(r, "SELECT json_array_length(body, '$.findings') " EVENT "1");
    int64_t left = rig_number(r, "SELECT json_extract(body, '$.findings_left_out') " EVENT "1");
    assert_true(told > 100 && left > 100);
    assert_int_equal(told + left, MANY);
    rig_audit(r);
}

/* Rule and result alone, and which of them an exception let pass. */
static void findings_of_what_is_signed(void **state)
{
    struct rig *r = *state;
    Ipc__Finding rows[2] = {IPC__FINDING__INIT, IPC__FINDING__INIT};
    Ipc__Finding *list[] = {&rows[0], &rows[1]};
    rows[0].rule = (char[]){"e_bad"};
    rows[0].result = (char[]){"error"};
    rows[0].excepted = true;
    rows[1].rule = (char[]){"w_odd"};
    rows[1].result = (char[]){"warn"};
    assert_ok(rig_run(r, rig_plan, a_name));
    const struct rig_sent *asked = rig_last(r, IPC_SIGN_REQUEST);
    Ipc__SignRequest *q = ipc__sign_request__unpack(NULL, asked->packed.len, asked->packed.ptr);
    assert_non_null(q);
    assert_non_null(q->facts); /* what the book knows goes with it */
    assert_int_equal(q->facts->serial_uses, 0);
    assert_int_equal(q->facts->names_validated, 1);
    assert_true(q->facts->oldest_validation_us > 0);
    uint8_t signature[72] = {0x30};
    Ipc__SignReply m = IPC__SIGN_REPLY__INIT;
    m.intent_id = q->intent_id;
    m.outcome = (char[]){"signed"};
    m.serial = q->serial;
    m.signature = (ProtobufCBinaryData){sizeof signature, signature};
    m.sequence = 1;
    m.rule_set = (char[]){"lintel+1"};
    m.findings = list;
    m.n_findings = 2;
    assert_ok(rig_run(r, step_reply, &m));
    ipc__sign_request__free_unpacked(q, NULL);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_end WHERE outcome = 'signed' AND findings = "
                                   "'[{\"rule\":\"e_bad\",\"result\":\"error\",\"excepted\":true},"
                                   "{\"rule\":\"w_odd\",\"result\":\"warn\"}]'"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificate.issued' AND "
                                   "json_extract(body, '$.excepted') = '[\"e_bad\"]'"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate WHERE rule_set = 'lintel+1'"), 1);
}

static void refusals_without_an_intent(void **state)
{
    struct rig *r = *state;
    Ipc__Finding f = IPC__FINDING__INIT;
    Ipc__Finding *list[] = {&f};
    f.rule = (char[]){"e_crl"};
    f.result = (char[]){"error"};
    f.message = (char[]){"too old"};
    Ipc__Refused m = IPC__REFUSED__INIT;
    m.subject = (char[]){"crl tls"};
    m.kind = (char[]){"crl.refused"};
    m.refusal = (char[]){"lint"};
    m.detail = (char[]){"e_crl: too old"};
    m.findings = list;
    m.n_findings = 1;
    assert_ok(rig_run(r, step_refused, &m));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM event WHERE kind = 'crl.refused' AND subject = 'crl tls' "
                      "AND json_extract(body, '$.findings[0].message') = 'too old'"),
        1);
    static const char *const kinds[] = {"", "certificate.issued", "halt.lifted", "lint.exception"};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) { /* events that it has no business with */
        m.kind = (char *)(uintptr_t)kinds[i];
        assert_fails(rig_run(r, step_refused, &m), LT_PEER_MALFORMED);
    }
    m.kind = (char[]){"crl.refused"};
    m.subject = (char[]){""};
    assert_fails(rig_run(r, step_refused, &m), LT_PEER_MALFORMED);
    rig_audit(r);
}

static void rule_sets_have_times(void **state)
{
    struct rig *r = *state;
    char one[] = "lintel-1+aaaa";
    char two[] = "lintel-2+bbbb";
    lt_time first = r->now;
    assert_ok(rig_run(r, step_rules, one));
    assert_ok(rig_run(r, step_rules, one)); /* the examiner was started anew: no news */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'lint.rules'"), 1);
    r->now = lt_time_add_seconds(first, 3600);
    assert_ok(rig_run(r, step_rules, two));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'lint.rules'"), 2);
    const struct {
        int64_t after_s;
        const char *name;
    } rows[] = {{-10, ""}, {60, one}, {3599, one}, {3700, two}, {999999, two}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time when = lt_time_add_seconds(first, rows[i].after_s);
        assert_ok(rig_run(r, step_rules_at, &when));
        assert_string_equal(before_that, rows[i].name);
    }
    static char blank[] = "two words";
    static char none[] = "";
    assert_fails(rig_run(r, step_rules, blank), LT_PEER_MALFORMED);
    assert_fails(rig_run(r, step_rules, none), LT_PEER_MALFORMED);
    rig_audit(r);
}

static Ipc__LintFound found(const struct rig *r, size_t i, char *rule, char *result)
{
    Ipc__LintFound f = IPC__LINT_FOUND__INIT;
    f.issuer = (char *)(uintptr_t) "tls";
    f.serial = (ProtobufCBinaryData){CA_SERIAL_LEN, (uint8_t *)(uintptr_t)r->told[i]};
    f.rule = rule;
    f.result = result;
    return f;
}

static void a_look_is_recorded(void **state)
{
    struct rig *r = *state;
    char other[] = "mail.example.org";
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_run(r, rig_plan, other));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(r->told_count, 2);
    char error[] = "error";
    Ipc__LintFound rows[3] = {found(r, 0, (char[]){"e_a"}, error), found(r, 0, (char[]){"e_b"}, error),
                              found(r, 1, (char[]){"e_a"}, error)};
    Ipc__LintFound *list[] = {&rows[0], &rows[1], &rows[2]};
    Ipc__LintRecord m = IPC__LINT_RECORD__INIT;
    m.run = (char[]){"ab12"};
    m.rule_set = (char[]){"lintel+1"};
    m.seed = (char[]){"c0ffee"};
    m.sample = (char[]){"3%"};
    m.total = 100;
    m.judged = 3;
    m.found = list;
    m.n_found = 3;
    assert_ok(rig_run(r, step_record, &m));
    assert_non_null(strstr(answer_of_record, "\"run\":\"ab12\""));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM event WHERE kind = 'lint.audit' AND subject = 'lint ab12' "
                      "AND json_extract(body, '$.seed') = 'c0ffee' AND attachment IS NOT NULL "
                      "AND json_extract(body, '$.operator') = 'ann'"),
        1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'lint.finding'"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'lint.finding' AND "
                                   "json_array_length(body, '$.findings') = 2"),
                     1);
    /* What is not in the book, or not a finding, leaves no trace of any of it. */
    static char nobody[] = "nobody";
    static uint8_t unknown[CA_SERIAL_LEN] = {9};
    Ipc__LintFound good = rows[2];
    rows[2].issuer = nobody;
    assert_fails(rig_run(r, step_record, &m), LT_PEER_NOT_FOUND);
    rows[2] = good;
    rows[2].serial.data = unknown;
    assert_fails(rig_run(r, step_record, &m), LT_PEER_NOT_FOUND);
    rows[2] = good;
    rows[2].result = (char[]){"splendid"};
    assert_fails(rig_run(r, step_record, &m), LT_PEER_MALFORMED);
    rows[2] = good;
    m.run = (char[]){"AB 12"};
    assert_fails(rig_run(r, step_record, &m), LT_PEER_MALFORMED);
    m.run = (char[]){""};
    assert_fails(rig_run(r, step_record, &m), LT_PEER_MALFORMED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'lint.%'"), 3);
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(many_findings),        EACH(findings_of_what_is_signed), EACH(refusals_without_an_intent),
        EACH(rule_sets_have_times), EACH(a_look_is_recorded),
    };
    return cmocka_run_group_tests_name("ca/lint_book", tests, rig_group_setup, rig_group_teardown);
}
