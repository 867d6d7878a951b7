/* Evidence of the desk's checks: a row each, what was seen in a frame, nothing of it without the other. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"

#include "ca/evidence_book.h"
#include "ca/evidence_record.h"
#include "rig.h"
#include "store/segment.h"

static const char *const www[] = {"www.example.com", NULL};

/* The frame of the newest row. */
static lt_res newest(struct rig *r, struct lt_arena *a, const Ipc__EvidenceRecord **ret_record)
{
    struct store_rows rows;
    struct store_frame_ref ref = {0};
    lt_slice plain = {0};
    const struct store_sql *sql = rig_sql(
        r, "SELECT authorization_id, checked_us, segment, position, length, sha256 FROM evidence "
           "ORDER BY checked_us DESC LIMIT 1");
    assert_ok(store_query(r->store, sql, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    int64_t authorization = store_int(&rows, 0);
    int64_t checked_us = store_int(&rows, 1);
    ref.segment = (uint32_t)store_int(&rows, 2);
    ref.position = (uint64_t)store_int(&rows, 3);
    ref.length = (uint32_t)store_int(&rows, 4);
    assert_int_equal(store_bytes(&rows, 5).len, sizeof ref.sha256);
    memcpy(ref.sha256, store_bytes(&rows, 5).ptr, sizeof ref.sha256);
    assert_ok(store_rows_end(&rows));
    LT_TRY(store_segments_read(r->book->evidence, &ref, a, &plain));
    return ca_evidence_unpack(plain, authorization, checked_us, a, ret_record);
}

static int64_t begin(struct rig *r, struct rig_account *a)
{
    rig_open(r, NULL);
    rig_new_account(r, a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(r, a, www);
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(r, a, authorization)->status, 200);
    return authorization;
}

static off_t segment_size(const struct rig *r)
{
    char path[128];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/evidence/000001.seg", r->folder);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

static void test_a_row_and_its_frame(void **state)
{
    struct rig r;
    struct rig_account a;
    struct lt_arena arena;
    const Ipc__EvidenceRecord *record = NULL;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    int64_t authorization = begin(&r, &a);
    rig_validated(&r, NULL);
    assert_ok(newest(&r, &arena, &record));
    assert_int_equal(record->authorization_id, authorization);
    assert_int_equal(record->checked_us, r.now.us);
    assert_true(record->primary->ok);
    assert_string_equal(record->primary->identifier->value, "www.example.com");
    assert_string_equal(record->primary->method, "http-01");
    assert_int_equal(record->primary->nonce.len, 16);
    assert_null(record->corroboration);
    assert_null(record->problem);
    assert_int_equal(rig_number(&r, "SELECT length FROM evidence_segment WHERE number = 1"),
                     segment_size(&r));
    lt_arena_done(&arena);
    rig_close(&r);
}

static void test_a_failure_is_evidence(void **state)
{
    struct rig r;
    struct rig_account a;
    struct lt_arena arena;
    const Ipc__EvidenceRecord *record = NULL;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    begin(&r, &a);
    rig_validated(&r, "unauthorized");
    assert_ok(newest(&r, &arena, &record));
    assert_false(record->primary->ok);
    assert_string_equal(record->primary->problem->type, "unauthorized");
    assert_string_equal(record->primary->problem->detail, "it \"did\" not work\\");
    assert_int_equal(rig_number(&r, "SELECT agreeing FROM evidence"), 0);
    assert_int_equal(rig_number(&r, "SELECT dissenting FROM evidence"), 1);
    lt_arena_done(&arena);
    rig_close(&r);
}

/* A message whose savepoint is lost leaves no byte; asked again, the row has its frame. */
static void test_a_lost_message_leaves_nothing(void **state)
{
    struct rig r;
    struct rig_account a;
    struct lt_arena arena;
    const Ipc__EvidenceRecord *record = NULL;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    begin(&r, &a);
    r.fail_next = true;
    rig_validated(&r, NULL);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence_segment"), 0);
    assert_int_equal(segment_size(&r), 0);
    rig_validated(&r, NULL);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 1);
    assert_ok(newest(&r, &arena, &record));
    assert_int_equal(rig_number(&r, "SELECT position FROM evidence"), STORE_SEGMENT_HEADER_LEN);
    lt_arena_done(&arena);
    rig_close(&r);
}

/* A kill -9 between two messages: the next process goes on behind the last frame. */
static void test_the_next_process_goes_on(void **state)
{
    struct rig r;
    struct rig_account a;
    struct lt_arena arena;
    const Ipc__EvidenceRecord *record = NULL;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    begin(&r, &a);
    rig_validated(&r, NULL);
    off_t before = segment_size(&r);
    rig_restart(&r);
    assert_int_equal(segment_size(&r), before);
    static const char *const other[] = {"other.example.com", NULL};
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, other);
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    rig_advance(&r, 1);
    rig_validated(&r, NULL);
    assert_int_equal(rig_number(&r, "SELECT max(position) FROM evidence"), before);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM dimension"), 1); /* interned once for all */
    assert_ok(newest(&r, &arena, &record));
    assert_string_equal(record->primary->identifier->value, "other.example.com");
    lt_arena_done(&arena);
    rig_close(&r);
}

static lt_res step_statements(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    Ipc__NameEvidence e = IPC__NAME_EVIDENCE__INIT;
    (void)m;
    e.authorization_id = rig_number(r, "SELECT authorization_id FROM evidence");
    e.validated_us = rig_number(r, "SELECT checked_us FROM evidence");
    e.n_statements = 7;
    LT_TRY(ca_evidence_statements(t, &e));
    assert_int_equal(e.n_statements, 0);
    return LT_OK;
}

/* What cannot be read is no statement, and no reason to stop: the examiner will say no. */
static void test_what_is_gone_is_no_statement(void **state)
{
    struct rig r;
    struct rig_account a;
    char path[128];
    (void)state;
    begin(&r, &a);
    rig_validated(&r, NULL);
    assert_ok(rig_run(&r, step_statements, NULL)); /* nobody signed anything */
    (void)snprintf(path, sizeof path, "%s/evidence/000001.seg", r.folder);
    assert_int_equal(truncate(path, STORE_SEGMENT_HEADER_LEN + 3), 0);
    assert_ok(rig_run(&r, step_statements, NULL));
    assert_int_equal(unlink(path), 0);
    assert_ok(rig_run(&r, step_statements, NULL));
    rig_close(&r);
}

/* Without a folder nothing is proven: better no certificate than one without evidence. */
static void test_nowhere_to_keep_it(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    int64_t authorization = begin(&r, &a);
    struct store_segments *kept = r.book->evidence;
    r.book->evidence = NULL;
    rig_validated(&r, NULL);
    r.book->evidence = kept;
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 0);
    assert_string_equal(rig_text(&r, "SELECT status FROM authorization"), "pending");
    (void)authorization;
    rig_validated(&r, NULL);
    assert_string_equal(rig_text(&r, "SELECT status FROM authorization"), "valid");
    rig_close(&r);
}

/* The record of another row, or none at all. */
static void test_records_that_are_refused(void **state)
{
    struct lt_arena a;
    const Ipc__EvidenceRecord *got = NULL;
    Ipc__EvidenceRecord record = IPC__EVIDENCE_RECORD__INIT;
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    uint8_t bytes[512];
    (void)state;
    lt_arena_init(&a, 1 << 20);
    record.authorization_id = 5;
    record.checked_us = 6;
    record.primary = &v;
    v.identifier = &name;
    size_t len = ipc__evidence_record__pack(&record, bytes);
    assert_ok(ca_evidence_unpack(LT_SLICE(bytes, len), 5, 6, &a, &got));
    assert_fails(ca_evidence_unpack(LT_SLICE(bytes, len), 5, 7, &a, &got), LT_STATE_CORRUPT);
    assert_fails(ca_evidence_unpack(LT_SLICE(bytes, len), 4, 6, &a, &got), LT_STATE_CORRUPT);
    assert_fails(ca_evidence_unpack(LT_SLICE(bytes, len - 1), 5, 6, &a, &got), LT_STATE_CORRUPT);
    assert_fails(ca_evidence_unpack(LT_LIT("\xff\xff\xff"), 5, 6, &a, &got), LT_STATE_CORRUPT);
    assert_fails(ca_evidence_unpack(LT_LIT(""), 0, 0, &a, &got), LT_STATE_CORRUPT);
    v.identifier = NULL;
    len = ipc__evidence_record__pack(&record, bytes);
    assert_fails(ca_evidence_unpack(LT_SLICE(bytes, len), 5, 6, &a, &got), LT_STATE_CORRUPT);
    Ipc__EvidenceCorroboration c = IPC__EVIDENCE_CORROBORATION__INIT;
    Ipc__EvidenceVoice voice = IPC__EVIDENCE_VOICE__INIT;
    Ipc__EvidenceVoice *voices[33];
    for (size_t i = 0; i < LT_COUNT(voices); i++) {
        voices[i] = &voice;
    }
    v.identifier = &name;
    record.corroboration = &c;
    c.voices = voices;
    c.n_voices = LT_COUNT(voices); /* more than a bitmap has */
    len = ipc__evidence_record__pack(&record, bytes);
    assert_fails(ca_evidence_unpack(LT_SLICE(bytes, len), 5, 6, &a, &got), LT_STATE_CORRUPT);
    lt_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_and_its_frame),           cmocka_unit_test(test_a_failure_is_evidence),
        cmocka_unit_test(test_a_lost_message_leaves_nothing), cmocka_unit_test(test_the_next_process_goes_on),
        cmocka_unit_test(test_what_is_gone_is_no_statement),  cmocka_unit_test(test_nowhere_to_keep_it),
        cmocka_unit_test(test_records_that_are_refused),
    };
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
