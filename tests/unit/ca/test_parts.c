/* The small parts of the book: the list of effects, the canonical bytes of events, the window over the
 * signer's journal, ids and serials, the gateways' certificates. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "ca/book_internal.h"
#include "ca/config.h"
#include "ca/event.h"
#include "ca/service.h"
#include "crypto/digest.h"

#define PATH "/tmp/lintel-test-parts.db"

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

struct seen {
    uint64_t ids[16];
    size_t count;
};

static void note(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    struct seen *s = self;
    (void)type;
    (void)packed;
    s->ids[s->count++] = to->id;
}

static void effects_in_order(void **state)
{
    (void)state;
    struct lt_arena a;
    struct ca_turn t;
    struct seen s = {.count = 0};
    Ipc__JournalAck m = IPC__JOURNAL_ACK__INIT;
    const struct ipc_addr back = {.role = IPC_EXAMINER, .instance = 1, .id = 2};
    lt_arena_init(&a, 10000);
    ca_turn_init(&t, NULL, &a, (lt_time){1});
    assert_ok(ca_turn_send(&t, IPC_EXAMINER, IPC_JOURNAL_ACK, 1, &m.base));
    assert_ok(ca_turn_reply(&t, &back, IPC_JOURNAL_ACK, &m.base));
    size_t mark = ca_turn_mark(&t);
    assert_ok(ca_turn_send(&t, IPC_EXAMINER, IPC_JOURNAL_ACK, 3, &m.base));
    ca_turn_cut(&t, mark);
    assert_ok(ca_turn_send(&t, IPC_EXAMINER, IPC_JOURNAL_ACK, 4, &m.base));
    ca_turn_release(&t, note, &s);
    assert_int_equal(s.count, 3);
    assert_true(s.ids[0] == 1 && s.ids[1] == 2 && s.ids[2] == 4);
    ca_turn_release(&t, note, &s); /* forgotten */
    assert_int_equal(s.count, 3);
    assert_ok(ca_turn_send(&t, IPC_EXAMINER, IPC_JOURNAL_ACK, 5, &m.base));
    ca_turn_cut(&t, 0);
    ca_turn_release(&t, note, &s);
    assert_int_equal(s.count, 3);
    lt_arena_done(&a);
}

static void effects_have_a_cap(void **state)
{
    (void)state;
    struct lt_arena a;
    struct ca_turn t;
    Ipc__HaltList m = IPC__HALT_LIST__INIT;
    lt_arena_init(&a, 100);
    ca_turn_init(&t, NULL, &a, (lt_time){1});
    lt_res r = LT_OK;
    for (int i = 0; i < 10 && !lt_failed(r); i++) {
        r = ca_turn_send(&t, IPC_EXAMINER, IPC_HALT_LIST, 1, &m.base);
    }
    assert_int_equal(r.code, LT_PEER_TOO_LARGE);
    lt_arena_done(&a);
}

static void assert_hash(const uint8_t hash[CA_HASH_LEN], const char *hex)
{
    struct lt_arena a;
    lt_arena_init(&a, 1000);
    assert_string_equal(lt_hex(&a, LT_SLICE(hash, CA_HASH_LEN)), hex);
    lt_arena_done(&a);
}

/* Computed from the description in event.h by another program. */
static void events_hash_as_described(void **state)
{
    (void)state;
    uint8_t hash[CA_HASH_LEN];
    assert_ok(ca_event_first("registrar-a", hash));
    assert_hash(hash, "fc2741155aeb4d906e6ff734445726c83f0bbbd4ec9f3cadd422e8eaf6337da3");
    struct ca_event_row row = {.chain = "registrar-a",
                               .sequence = 1,
                               .time = {1700000000000000},
                               .kind = LT_LIT("halt.added"),
                               .subject = LT_LIT("halt h1"),
                               .body = LT_LIT("{\"x\":1}")};
    assert_ok(ca_event_hash(&row, hash, hash));
    assert_hash(hash, "ab163d328af1a93f675f92e74ef9e73e0b64723d0ad2903e7b3bbace11f6609a");
    row.sequence = 2;
    row.time.us++;
    row.kind = LT_LIT("halt.lifted");
    row.body = LT_LIT("{}");
    row.attachment = LT_LIT("jws");
    assert_ok(ca_event_hash(&row, hash, hash));
    assert_hash(hash, "74cdc35b6d462d3079c9b54098ff38ab6e3e380796ad4d5adea77a0f604e00b6");
    row.kind = LT_LIT("");
    assert_fails(ca_event_hash(&row, hash, hash), LT_STATE_CORRUPT);
    row.kind = LT_LIT("x");
    static uint8_t large[CA_EVENT_BODY_MAX + 1];
    row.body = LT_SLICE(large, sizeof large);
    assert_fails(ca_event_hash(&row, hash, hash), LT_PEER_TOO_LARGE);
    assert_fails(ca_event_first("", hash), LT_STATE_CORRUPT);
}

/* Fields are framed: what moves from one to the next changes the hash. */
static void events_are_framed(void **state)
{
    (void)state;
    uint8_t start[CA_HASH_LEN] = {0};
    uint8_t one[CA_HASH_LEN];
    uint8_t other[CA_HASH_LEN];
    struct ca_event_row row = {.chain = "c", .sequence = 1, .kind = LT_LIT("ab"), .subject = LT_LIT("c")};
    assert_ok(ca_event_hash(&row, start, one));
    row.kind = LT_LIT("a");
    row.subject = LT_LIT("bc");
    assert_ok(ca_event_hash(&row, start, other));
    assert_memory_not_equal(one, other, sizeof one);
}

static void the_journal_out_of_order(void **state)
{
    struct rig *r = *state;
    struct ca_book *b = r->book;
    ca_journal_reset(b, 10);
    ca_journal_seen(b, 0);
    ca_journal_seen(b, 10);
    ca_journal_seen(b, 12);
    ca_journal_seen(b, 13);
    assert_int_equal(b->at.acknowledged, 10);
    struct ca_book_at at = b->at;
    ca_journal_seen(b, 11);
    assert_int_equal(b->at.acknowledged, 13);
    assert_ok(ca_book_at_restore(b, &at)); /* the savepoint was lost */
    assert_int_equal(b->at.acknowledged, 10);
    ca_journal_seen(b, 11);
    assert_int_equal(b->at.acknowledged, 13);
    ca_journal_seen(b, 13 + CA_JOURNAL_WINDOW); /* too far: the replay brings it */
    ca_journal_seen(b, UINT64_MAX);
    for (uint64_t s = 14; s < 14 + 3 * CA_JOURNAL_WINDOW; s += 2) { /* in swapped pairs, around the window */
        ca_journal_seen(b, s + 1);
        assert_int_equal(b->at.acknowledged, s - 1);
        ca_journal_seen(b, s);
        assert_int_equal(b->at.acknowledged, s + 1);
    }
    for (size_t i = 0; i < LT_COUNT(b->at.seen); i++) {
        assert_int_equal(b->at.seen[i], 0);
    }
}

static lt_res step_ids(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    enum { MANY = 10000 };
    int64_t last = 0;
    lt_time start = t->now;
    for (int i = 0; i < MANY; i++) {
        t->now.us = start.us + i / 100 -
                    i / 5000 * 10; /* many in a microsecond, and the clock goes back once */
        int64_t id = ca_new_id(t);
        LT_CHECK(id > last, LT_STATE_CORRUPT, "an id that does not grow");
        last = id;
    }
    LT_CHECK(last < ca_id_at(t->now), LT_STATE_CORRUPT, "an id beyond its second");
    t->now = start;
    return LT_OK;
}

static void ids_grow(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, step_ids, NULL));
}

static lt_res step_serials(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    uint8_t *out = arg;
    ca_new_serial(t, out);
    ca_new_serial(t, out + CA_SERIAL_LEN);
    t->now.us += LT_US_PER_SECOND;
    ca_new_serial(t, out + 2 * CA_SERIAL_LEN);
    return LT_OK;
}

static void serials(void **state)
{
    struct rig *r = *state;
    uint8_t s[3][CA_SERIAL_LEN];
    assert_ok(rig_run(r, step_serials, s));
    assert_memory_equal(s[0], s[1], 6);
    assert_memory_not_equal(s[0] + 6, s[1] + 6, CA_SERIAL_LEN - 6);
    assert_true(memcmp(s[0], s[2], 4) < 0);
    assert_true(s[0][0] > 0 && s[0][0] < 0x80); /* positive, and 16 bytes in DER too */
}

static lt_res step_service(struct rig *r, struct ca_turn *t, void *arg)
{
    static const char *const hosts[] = {"localhost", "ca.example.com", "192.0.2.1"};
    const struct ca_config config = {.host_names = hosts, .host_name_count = 3, .listen_operator = ""};
    const struct ipc_addr from = {.role = IPC_NOTARY, .id = 4};
    (void)r;
    return ca_service_request(t, &config, &from, arg);
}

static void a_gateway_gets_its_certificate(void **state)
{
    struct rig *r = *state;
    Ipc__ServiceCertificateRequest m = IPC__SERVICE_CERTIFICATE_REQUEST__INIT;
    assert_fails(rig_run(r, step_service, &m), LT_PEER_MALFORMED); /* no key as the notary parsed it */
    lt_slice spki = crypto_key_spki(rig_operator_key(0));
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(spki, hash);
    Ipc__PublicKey key = IPC__PUBLIC_KEY__INIT;
    memcpy(&key.spki.data, &spki.ptr, sizeof key.spki.data); /* only read */
    key.spki.len = spki.len;
    key.spki_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    key.type = IPC__KEY_TYPE__KEY_ED25519;
    key.bits = 256;
    m.key = &key;
    assert_fails(rig_run(r, step_service, &m), LT_PEER_UNSUPPORTED); /* P-256 alone, says the profile */
    key.type = IPC__KEY_TYPE__KEY_P256;
    assert_ok(rig_run(r, step_service, &m));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_name WHERE type = 'ip'"), 3);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_name WHERE type = 'dns'"), 2);
    assert_int_equal(
        rig_number(r, "SELECT (not_after_us + 1000000 - not_before_us) / 86400000000 FROM certificate"), 7);
    rig_audit(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_in_order),
        cmocka_unit_test(effects_have_a_cap),
        cmocka_unit_test(events_hash_as_described),
        cmocka_unit_test(events_are_framed),
        cmocka_unit_test_setup_teardown(the_journal_out_of_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(serials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gateway_gets_its_certificate, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("parts", tests, rig_group_setup, rig_group_teardown);
}
