/* Scans in the book: their states, what is asked of reader and courier, what becomes of what was seen, and
 * what is refused. */
#include "../check.h"
#include "book_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/config.h"
#include "ca/usage.h"
#include "crypto/digest.h"

#define PATH "/tmp/lintel-test-usage.db"

static struct ca_config config = {.usage_scan = true};

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static void open_again(struct rig *r, bool create)
{
    assert_ok(rig_open(r, PATH, NULL, create));
    r->book->config = &config;
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    config.usage_scan = true;
    open_again(r, true);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- what operators ask ---- */

static char scope[] = "valid";
static uint8_t scope_hash[32] = {7};
static uint32_t two_ports[] = {443, 8443};
static const char *answer; /* of the last request */

static Ipc__UsageWanted wanted(void)
{
    Ipc__UsageWanted w = IPC__USAGE_WANTED__INIT;
    w.scope = scope;
    w.scope_sha256 = (ProtobufCBinaryData){sizeof scope_hash, scope_hash};
    w.ports = two_ports;
    w.n_ports = 1;
    w.rate = 50;
    w.concurrency = 8;
    w.timeout_ms = 1000;
    return w;
}

static struct ca_plan_asker asker(void)
{
    return (struct ca_plan_asker){"ann", LT_SLICE(NULL, 0), {.role = IPC_NOTARY}};
}

static lt_res step_create(struct rig *r, struct ca_turn *t, void *arg)
{
    struct ca_plan_asker by = asker();
    (void)r;
    return ca_usage_create(t, &by, arg, &answer);
}

typedef lt_res act(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__UsageWanted *m,
                   const char **ret_json);
struct acting {
    act *act;
    Ipc__UsageWanted w;
};

static lt_res step_act(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct acting *a = arg;
    struct ca_plan_asker by = asker();
    (void)r;
    return a->act(t, &by, &a->w, &answer);
}

static int64_t scan_id(struct rig *r)
{
    return rig_number(r, "SELECT max(id) FROM usage_scan");
}

static lt_res do_act(struct rig *r, act *which)
{
    static char id[32];
    struct acting a = {which, wanted()};
    (void)snprintf(id, sizeof id, "u%lld", (long long)scan_id(r));
    a.w.id = id;
    return rig_run(r, step_act, &a);
}

static lt_res step_tick(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_usage_step(t);
}

static lt_res step_endpoints(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_usage_on_endpoints(t, arg);
}

static lt_res step_seen(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_usage_on_seen(t, arg);
}

static bool is(struct rig *r, const char *status)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM usage_scan WHERE status = '%s'", status);
    return rig_number(r, sql) == 1;
}

static void create(struct rig *r)
{
    Ipc__UsageWanted w = wanted();
    assert_ok(rig_run(r, step_create, &w));
}

static const Ipc__EndpointsWanted *asked(struct rig *r)
{
    const struct rig_sent *s = rig_last(r, IPC_ENDPOINTS_WANTED);
    static Ipc__EndpointsWanted *q;
    assert_non_null(s);
    if (q != NULL) {
        ipc__endpoints_wanted__free_unpacked(q, NULL);
    }
    q = ipc__endpoints_wanted__unpack(NULL, s->packed.len, s->packed.ptr);
    assert_non_null(q);
    return q;
}

static size_t sent(const struct rig *r, enum ipc_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < r->sent_count; i++) {
        n += r->sent[i].type == type;
    }
    return n;
}

/* ---- what a reader says ---- */

static void say_count(struct rig *r, uint64_t count)
{
    Ipc__Endpoints m = IPC__ENDPOINTS__INIT;
    m.scan = scan_id(r);
    m.count_only = true;
    m.count = count;
    assert_ok(rig_run(r, step_endpoints, &m));
}

static uint8_t serials[8][2];

/* A page of two names behind the certificate `after`, ending with `last`. */
static Ipc__Endpoints page(struct rig *r, uint8_t after, uint8_t last, char **names, size_t count)
{
    Ipc__Endpoints m = IPC__ENDPOINTS__INIT;
    m.scan = scan_id(r);
    serials[after][0] = after;
    serials[last][0] = last;
    m.after_issuer = after == 0 ? 0 : 2;
    m.after_serial = (ProtobufCBinaryData){after == 0 ? 0 : 1, serials[after]};
    m.names = names;
    m.n_names = count;
    m.last_issuer = 2;
    m.last_serial = (ProtobufCBinaryData){1, serials[last]};
    m.certificates = 1;
    return m;
}

static char name_a[] = "com.example.a";
static char name_b[] = "com.example.b";
static char name_c[] = "com.example.c";
static char *names[] = {name_a, name_b, name_c};

/* ---- what the courier says ---- */

static Ipc__UsageSight sights[8];
static Ipc__UsageSight *sight_list[8];
static uint8_t shown_hash[32] = {9};
static char served[] = "served";
static char refused[] = "refused";
static char skipped[] = "skipped";

static Ipc__UsageSeen seen(struct rig *r, uint64_t number, char **list, size_t count, char *outcome)
{
    Ipc__UsageSeen m = IPC__USAGE_SEEN__INIT;
    bool shows = outcome == served;
    for (size_t i = 0; i < count; i++) {
        ipc__usage_sight__init(&sights[i]);
        sights[i].page = number;
        sights[i].name = list[i];
        sights[i].port = 443;
        sights[i].outcome = outcome;
        sights[i].sha256 = (ProtobufCBinaryData){shows ? sizeof shown_hash : 0, shown_hash};
        sight_list[i] = &sights[i];
    }
    m.scan = scan_id(r);
    m.sights = sight_list;
    m.n_sights = count;
    return m;
}

static Ipc__UsageLook *last_look(struct rig *r)
{
    const struct rig_sent *s = rig_last(r, IPC_USAGE_LOOK);
    assert_non_null(s);
    Ipc__UsageLook *look = ipc__usage_look__unpack(NULL, s->packed.len, s->packed.ptr);
    assert_non_null(look);
    return look;
}

/* ---- tests ---- */

static void test_states(void **state)
{
    (void)state;
    static const char *const states[] = {"counting", "running", "paused", "done", "stopped"};
    static const char *const events[] = {"counted", "pause", "resume", "stop", "fail", "finish"};
    size_t edges = 0;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t e = 0; e < LT_COUNT(events); e++) {
            edges += ca_usage_next(states[i], events[e]) != NULL;
        }
    }
    assert_int_equal(edges, ca_usage_edge_count);
    assert_null(ca_usage_next("done", "resume"));
    assert_null(ca_usage_next("stopped", "resume"));
    assert_null(ca_usage_next("", "pause"));
}

static void test_a_whole_scan(void **state)
{
    struct rig *r = *state;
    create(r);
    assert_non_null(strstr(answer, "\"status\":\"counting\""));
    assert_ok(rig_run(r, step_tick, NULL));
    assert_true(asked(r)->count_only);
    assert_string_equal(asked(r)->scope, scope);
    say_count(r, 2);
    assert_true(is(r, "running"));
    assert_false(asked(r)->count_only);
    assert_int_equal(asked(r)->after_serial.len, 0);

    Ipc__Endpoints first = page(r, 0, 1, names, 2);
    assert_ok(rig_run(r, step_endpoints, &first));
    Ipc__UsageLook *look = last_look(r);
    assert_int_equal(look->n_targets, 2);
    assert_int_equal(look->page, 1);
    assert_int_equal(look->rate, 50);
    assert_int_equal(asked(r)->after_serial.data[0], 1); /* the next page is asked for meanwhile */
    ipc__usage_look__free_unpacked(look, NULL);

    Ipc__Endpoints second = page(r, 1, 2, names + 2, 1);
    second.last = true;
    assert_ok(rig_run(r, step_endpoints, &second));
    Ipc__UsageSeen late = seen(r, 2, names + 2, 1, refused);
    assert_ok(rig_run(r, step_seen, &late)); /* the second page is whole before the first */
    assert_int_equal(rig_number(r, "SELECT certificates FROM usage_scan"), 0);
    Ipc__UsageSeen rest = seen(r, 1, names, 2, served);
    assert_ok(rig_run(r, step_seen, &rest));
    assert_true(is(r, "done"));
    assert_int_equal(rig_number(r, "SELECT certificates FROM usage_scan"), 2);
    assert_int_equal(rig_number(r, "SELECT looked FROM usage_scan"), 3);
    assert_int_equal(rig_number(r, "SELECT served FROM usage_scan"), 2);
    assert_int_equal(rig_number(r, "SELECT ours FROM usage_scan"), 0);
    assert_int_equal(rig_number(r, "SELECT failed FROM usage_scan"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_observation"), 3);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_endpoint WHERE seen_us > 0"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'usage.%'"), 2);
    rig_audit(r);
}

/* Ours is known by its hash; what was not to be looked at is no observation. */
static void test_ours(void **state)
{
    struct rig *r = *state;
    static char www[] = "www.example.com";
    assert_ok(rig_run(r, rig_plan, www));
    assert_ok(rig_answer(r, 100));
    create(r);
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    struct store_rows rows;
    static const struct store_sql hash = {"test.hash", "SELECT sha256 FROM certificate LIMIT 1"};
    uint8_t ours[32];
    assert_ok(store_begin(r->store));
    assert_ok(store_query(r->store, &hash, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    memcpy(ours, store_bytes(&rows, 0).ptr, sizeof ours);
    assert_ok(store_rows_end(&rows));
    store_rollback(r->store);
    Ipc__Endpoints only = page(r, 0, 1, names, 2);
    only.last = true;
    assert_ok(rig_run(r, step_endpoints, &only));
    Ipc__UsageSeen m = seen(r, 1, names, 1, served);
    sights[0].sha256.data = ours;
    assert_ok(rig_run(r, step_seen, &m));
    Ipc__UsageSeen left_out = seen(r, 1, names + 1, 1, skipped);
    assert_ok(rig_run(r, step_seen, &left_out));
    assert_true(is(r, "done"));
    assert_int_equal(rig_number(r, "SELECT ours FROM usage_scan"), 1);
    assert_int_equal(rig_number(r, "SELECT skipped FROM usage_scan"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_observation"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth t JOIN certificate c ON "
                                   "c.issuer = t.issuer AND c.serial = t.serial WHERE t.state = 1"),
                     1);
}

/* A registrar dies with a page half looked at: it is asked for again, and only the rest of it is looked at.
 */
static void test_resumed_after_a_death(void **state)
{
    struct rig *r = *state;
    create(r);
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    Ipc__Endpoints only = page(r, 0, 1, names, 3);
    only.last = true;
    assert_ok(rig_run(r, step_endpoints, &only));
    Ipc__UsageSeen half = seen(r, 1, names, 2, refused);
    assert_ok(rig_run(r, step_seen, &half));
    rig_close(r);
    open_again(r, false);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(asked(r)->after_serial.len, 0); /* the cursor did not move */
    Ipc__Endpoints again = page(r, 0, 1, names, 3);
    again.last = true;
    assert_ok(rig_run(r, step_endpoints, &again));
    Ipc__UsageLook *look = last_look(r);
    assert_int_equal(look->n_targets, 1);
    assert_string_equal(look->targets[0]->name, name_c);
    Ipc__UsageSeen rest = seen(r, look->page, names + 2, 1, refused);
    assert_ok(rig_run(r, step_seen, &rest));
    ipc__usage_look__free_unpacked(look, NULL);
    assert_true(is(r, "done"));
    assert_int_equal(rig_number(r, "SELECT looked FROM usage_scan"), 3);
    assert_int_equal(rig_number(r, "SELECT certificates FROM usage_scan"), 1);
}

static void test_the_courier_is_new(void **state)
{
    struct rig *r = *state;
    create(r);
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    Ipc__Endpoints only = page(r, 0, 1, names, 2);
    only.last = true;
    assert_ok(rig_run(r, step_endpoints, &only));
    size_t before = sent(r, IPC_ENDPOINTS_WANTED);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(sent(r, IPC_ENDPOINTS_WANTED), before); /* it is waited for */
    ca_usage_ask_again(r->book);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(sent(r, IPC_ENDPOINTS_WANTED), before + 1);
    assert_ok(rig_run(r, step_endpoints, &only));
    assert_int_equal(sent(r, IPC_USAGE_LOOK), 2);
    Ipc__UsageSeen old = seen(r, 1, names, 2, refused); /* of the one before: true, but it closes no page */
    assert_ok(rig_run(r, step_seen, &old));
    assert_true(is(r, "running"));
    Ipc__UsageSeen fresh = seen(r, 2, names, 2, refused);
    assert_ok(rig_run(r, step_seen, &fresh));
    assert_true(is(r, "done"));
    assert_int_equal(rig_number(r, "SELECT looked FROM usage_scan"), 2); /* each once */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_observation"), 2);
}

static void test_paused_and_resumed(void **state)
{
    struct rig *r = *state;
    create(r);
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    assert_ok(do_act(r, ca_usage_pause));
    assert_int_equal(sent(r, IPC_USAGE_STOP), 1);
    assert_fails(do_act(r, ca_usage_pause), LT_PEER_CONFLICT);
    size_t before = sent(r, IPC_ENDPOINTS_WANTED);
    Ipc__Endpoints only = page(r, 0, 1, names, 1);
    assert_ok(rig_run(r, step_endpoints, &only)); /* too late: dropped */
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(sent(r, IPC_ENDPOINTS_WANTED), before);
    assert_int_equal(sent(r, IPC_USAGE_LOOK), 0);
    create(r); /* another may go on meanwhile */
    assert_ok(do_act(r, ca_usage_stop));
    assert_fails(do_act(r, ca_usage_resume), LT_PEER_CONFLICT);
}

static void test_refused(void **state)
{
    struct rig *r = *state;
    Ipc__UsageWanted w = wanted();
    char empty[] = "";
    uint32_t zero[] = {0};
    uint32_t large[] = {65536};
    w.scope = empty;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    w.n_ports = 0;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    w.ports = zero;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w.ports = large;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    w.rate = CA_USAGE_RATE_MAX + 1;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    w.concurrency = 0;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    w.timeout_ms = CA_USAGE_TIMEOUT_MAX_MS + 1;
    assert_fails(rig_run(r, step_create, &w), LT_PEER_MALFORMED);
    w = wanted();
    config.usage_scan = false; /* nobody decided that this CA goes out */
    assert_fails(rig_run(r, step_create, &w), LT_PEER_UNSUPPORTED);
    config.usage_scan = true;
    r->book->no_courier = true; /* decided since the start: nobody is there to look */
    assert_fails(rig_run(r, step_create, &w), LT_PEER_UNSUPPORTED);
    r->book->no_courier = false;
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_scan"), 0);
    create(r);
    assert_fails(rig_run(r, step_create, &w), LT_PEER_CONFLICT); /* one at a time */
    struct acting a = {ca_usage_pause, wanted()};
    char unknown[] = "u1";
    char wrong[] = "m1";
    a.w.id = unknown;
    assert_fails(rig_run(r, step_act, &a), LT_PEER_NOT_FOUND);
    a.w.id = wrong;
    assert_fails(rig_run(r, step_act, &a), LT_PEER_MALFORMED);
    a.w.id = empty;
    assert_fails(rig_run(r, step_act, &a), LT_PEER_MALFORMED);
}

static void test_liars(void **state)
{
    struct rig *r = *state;
    create(r);
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    Ipc__UsageSeen m = seen(r, 1, names, 1, served);
    sights[0].sha256.len = 31;
    assert_fails(rig_run(r, step_seen, &m), LT_PEER_MALFORMED);
    m = seen(r, 1, names, 1, refused);
    sights[0].sha256.len = 32;
    assert_fails(rig_run(r, step_seen, &m), LT_PEER_MALFORMED);
    m = seen(r, 1, names, 1, served);
    sights[0].port = 0;
    assert_fails(rig_run(r, step_seen, &m), LT_PEER_MALFORMED);
    m = seen(r, 1, names, 1, served);
    char empty[] = "";
    sights[0].name = empty;
    assert_fails(rig_run(r, step_seen, &m), LT_PEER_MALFORMED);
    m = seen(r, 1, names, 1, served);
    sights[0].serial = (ProtobufCBinaryData){32, shown_hash};
    assert_fails(rig_run(r, step_seen, &m), LT_PEER_MALFORMED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_observation"), 0);
    Ipc__Endpoints skip_one = page(r, 3, 4, names, 1); /* not the page that was asked for */
    assert_ok(rig_run(r, step_endpoints, &skip_one));
    assert_int_equal(sent(r, IPC_USAGE_LOOK), 0);
    char broken[] = "usage/targets:1: no name";
    Ipc__UsageSeen cannot = IPC__USAGE_SEEN__INIT;
    cannot.scan = scan_id(r);
    cannot.failed = broken;
    assert_ok(rig_run(r, step_seen, &cannot));
    assert_true(is(r, "paused"));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_scan WHERE why LIKE 'usage/targets:1%'"), 1);
    assert_ok(do_act(r, ca_usage_resume));
    assert_ok(rig_run(r, step_tick, NULL));
    say_count(r, 1);
    Ipc__Endpoints failed = IPC__ENDPOINTS__INIT;
    char why[] = "byte 3: there is no issuer \"x\"";
    failed.scan = scan_id(r);
    failed.failed = why;
    assert_ok(rig_run(r, step_endpoints, &failed));
    assert_true(is(r, "stopped"));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM usage_scan WHERE why LIKE 'byte 3%'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test_setup_teardown(test_a_whole_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resumed_after_a_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_courier_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paused_and_resumed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_liars, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
