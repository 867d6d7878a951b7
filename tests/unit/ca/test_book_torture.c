/* The whole book on a disk that fails at every call that could: intents, signatures, revocations, events and
 * the signer's journal against each other after a power cut.
 *
 * What must hold, whatever was lost: every certificate that a client was told of is in the book; every
 * signature of the journal is in the book after the replay; no serial twice; no intent stays open; the chain
 * of events holds; the tally says what counting says; and the book never says less to the signer than it
 * acknowledged before.
 */
#include "../check.h"
#include "book_rig.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/tally.h"
#include "faultvfs.h"

enum { GROUPS = 4, IN_A_GROUP = 3 };

static char names[IN_A_GROUP][32] = {"a.example.com", "b.example.com", "c.example.org"};

static lt_res plan_group(struct rig *r)
{
    LT_TRY(rig_begin(r));
    for (size_t i = 0; i < IN_A_GROUP; i++) {
        lt_res planned = rig_message(r, rig_plan, names[i]);
        if (lt_failed(planned) && lt_class_of(planned.code) == LT_CLASS_POLICY) {
            return planned;
        }
    }
    return rig_commit(r);
}

static lt_res step_revoke(struct rig *r, struct ca_turn *t, void *arg)
{
    const size_t *which = arg;
    const struct ca_revoke_request q = {
        .issuer = 1,
        .serial = LT_SLICE(r->told[*which], CA_SERIAL_LEN),
        .reason = CA_REASON_SUPERSEDED,
        .by_whom = "account 4",
        .origin = CA_REVOKE_BY_ACME,
    };
    return ca_revoke_begin(t, &q);
}

static lt_res step_tally(struct rig *r, struct ca_turn *t, void *arg)
{
    bool more = false;
    (void)r;
    (void)arg;
    return ca_tally_beat(t, &more);
}

/* What the registrar would do; failures are answered and life goes on, as far as the disk lets it. */
static void live(struct rig *r)
{
    for (size_t g = 0; g < GROUPS; g++) {
        lt_ignore(plan_group(r)); /* refused: nobody is told */
        lt_ignore(rig_answer(r, SIZE_MAX));
        if (g == 1) { /* counts begin between the writes of others */
            lt_ignore(rig_run(r, step_tally, NULL));
        }
        if (r->told_committed > g) {
            lt_ignore(rig_run(r, step_revoke, &g));
            lt_ignore(rig_answer(r, SIZE_MAX));
        }
    }
}

static const struct store_sql has_sql = {"t.has",
                                         "SELECT 1 FROM certificate WHERE issuer = 1 AND serial = ?1"};

static bool in_book(struct rig *r, const uint8_t *serial)
{
    struct store_rows rows;
    assert_ok(store_query(r->store, &has_sql, STORE_ARGS(STORE_B(LT_SLICE(serial, CA_SERIAL_LEN))), &rows));
    bool found = store_next(&rows);
    assert_ok(store_rows_end(&rows));
    return found;
}

static void check(struct rig *r)
{
    assert_ok(rig_replay(r));
    size_t signatures = 0;
    for (size_t i = 0; i < r->told_committed; i++) {
        assert_true(in_book(r, r->told[i]));
    }
    for (size_t i = 0; i < r->journal_count; i++) {
        signatures += r->journal[i].revocation ? 0 : 1;
        assert_true(in_book(r, r->journal[i].serial));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), signatures);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_open"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    assert_false(r->book->alarmed);
    rig_audit(r);
    rig_tally(r);
    rig_tally_is_exact(r);
    size_t before = r->told_committed;
    assert_ok(plan_group(r)); /* and it works again */
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_true(r->told_committed == before + IN_A_GROUP);
    rig_tally_is_exact(r); /* not the walk's work any more */
}

static struct rig *fresh(void)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    faultvfs_format();
    assert_ok(rig_open(r, "book", FAULTVFS_NAME, true));
    rig_close(r);
    return r;
}

/* Every stride-th call: opening takes most of them and is the store's own test. */
static void torture(enum faultvfs_kind kind, uint64_t seed, uint64_t stride)
{
    bool struck = true;
    uint64_t rounds = 0;
    for (uint64_t n = 1 + seed % stride; struck; n += stride, rounds++) {
        struct rig *r = fresh();
        faultvfs_arm(kind, n);
        lt_res opened = rig_open(r, "book", FAULTVFS_NAME, false);
        if (!lt_failed(opened)) {
            live(r);
        }
        struck = faultvfs_struck();
        rig_close(r);
        faultvfs_power_cut(seed == 0 ? 0 : seed + n);
        assert_ok(rig_open(r, "book", FAULTVFS_NAME, false));
        check(r);
        rig_free(r);
    }
    assert_true(rounds > 20);
}

static void killed_at_any_call(void **state)
{
    (void)state;
    torture(FAULTVFS_KILL, 0, 3);
}

static void killed_with_torn_sectors(void **state)
{
    (void)state;
    torture(FAULTVFS_KILL, 4711, 5);
    torture(FAULTVFS_KILL, 815, 7);
}

static void any_call_fails_once(void **state)
{
    (void)state;
    torture(FAULTVFS_IO, 0, 5);
}

static void any_lock_is_taken(void **state)
{
    (void)state;
    torture(FAULTVFS_BUSY, 0, 1);
}

static void a_full_disk_and_room_again(void **state)
{
    (void)state;
    bool struck = true;
    for (uint64_t n = 1; struck; n += 2) {
        struct rig *r = fresh();
        assert_ok(rig_open(r, "book", FAULTVFS_NAME, false));
        faultvfs_arm(FAULTVFS_FULL, n);
        live(r);
        struck = faultvfs_struck();
        faultvfs_arm(FAULTVFS_NONE, 0);
        check(r); /* the same process goes on */
        rig_close(r);
        faultvfs_power_cut(0);
        assert_ok(rig_open(r, "book", FAULTVFS_NAME, false));
        check(r);
        rig_free(r);
    }
}

#define PATH "/tmp/lintel-test-torture.db"

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

/* kill -9 of a real process on a real file, at a random moment; the signer's journal and what clients were
 * told are in memory that it shares with us. */
static void killed_for_real(void **state)
{
    (void)state;
    enum { ROUNDS = 25 };
    size_t size = sizeof(struct rig);
    struct rig *r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(r, MAP_FAILED);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    rig_close(r);
    unsigned random = 12345;
    for (int i = 0; i < ROUNDS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            lt_ignore(rig_open(r, PATH, NULL, false));
            for (;;) {
                live(r);
            }
        }
        random = random * 1103515245U + 12345U;
        (void)usleep(2000 + random / 65536 % 30000);
        (void)kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        r->store = NULL; /* the child's */
        r->book = NULL;
        r->arena = (struct lt_arena){.max = 0};
        r->sent_arena = r->arena;
        r->sent_count = 0;
        r->answered = 0;
        r->told_count = r->told_committed;
        assert_ok(rig_open(r, PATH, NULL, false));
        check(r);
        rig_close(r);
        if (r->journal_count > RIG_JOURNAL_MAX / 2) {
            break;
        }
    }
    remove_files();
    (void)munmap(r, size);
}

int main(void)
{
    faultvfs_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_call),         cmocka_unit_test(killed_with_torn_sectors),
        cmocka_unit_test(any_call_fails_once),        cmocka_unit_test(any_lock_is_taken),
        cmocka_unit_test(a_full_disk_and_room_again), cmocka_unit_test(killed_for_real),
    };
    return cmocka_run_group_tests_name("book torture", tests, rig_group_setup, rig_group_teardown);
}
