/* Hosts and leases, on both stores: who is who, who may do what, and what becomes of one that slept. */
#include "../check.h"
#include "../store/pg_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "ca/book.h"
#include "ca/host.h"
#include "ca/key_block.h"
#include "ca/turn.h"

#include "sign.pb-c.h"
#include "store/segment.h"

#define PATH "/tmp/lintel-test-host.db"
enum { BEGAN_S = 1800000000 };
static bool server;

/* One registrar's side. */
struct side {
    struct store *store;
    struct ca_host host;
    struct ca_book *book;
    struct lt_arena arena;
    struct ca_turn turn;
};

static lt_time at(int64_t s)
{
    return lt_time_from_seconds(BEGAN_S + s);
}

static struct store *open_book(const char *path)
{
    struct store *s = NULL;
    const struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    return s;
}

static void open_side(struct side *k, const char *path, const char *name, const char *chain)
{
    *k = (struct side){.store = open_book(path)};
    assert_ok(ca_host_open(k->store, name, chain, "1.0", at(0), &k->host));
    const struct ca_book_options o = {.store = k->store,
                                      .chain = chain,
                                      .host = &k->host,
                                      .build = "1.0",
                                      .base_url = "",
                                      .public_http_url = "",
                                      .now = at(0)};
    assert_ok(ca_book_open(&o, &k->book));
    lt_arena_init(&k->arena, 1024 * 1024);
}

static void close_side(struct side *k)
{
    ca_book_free(k->book);
    lt_arena_done(&k->arena);
    store_close(k->store);
}

static void begin(struct side *k, int64_t s)
{
    lt_arena_reset(&k->arena);
    ca_turn_init(&k->turn, k->store, &k->arena, at(s));
    k->turn.book = k->book;
    k->turn.random = lt_random;
    assert_ok(store_begin(k->store));
}

static void tick(struct side *k, int64_t s)
{
    begin(k, s);
    assert_ok(ca_host_tick(&k->turn));
    assert_ok(store_commit(k->store));
}

static bool may(struct side *k, enum ca_lease lease, int64_t s)
{
    bool held = false;
    begin(k, s);
    assert_ok(ca_lease_check(&k->turn, lease, &held));
    assert_ok(store_commit(k->store));
    return held;
}

static bool looks_held(struct side *k, int64_t s)
{
    bool held = false;
    assert_ok(ca_lease_look(k->store, CA_LEASE_CRL, &k->host, at(s), &held));
    return held;
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"main", "b", "rome-2", "0", "a2345678901234567890123456789012"};
    static const char *const bad[] = {"",    "-a",  "A",   "a.b",
                                      "a b", "a_b", "a/b", "a23456789012345678901234567890123"};
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        assert_true(ca_host_name_valid(lt_slice_cstr(good[i])));
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_false(ca_host_name_valid(lt_slice_cstr(bad[i])));
    }
}

static void ranges_of_segments(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (int64_t id = 1; id <= CA_HOSTS_MAX; id++) {
        const struct ca_host host = {.id = id};
        uint32_t first = 0;
        uint32_t last = 0;
        ca_host_segments(&host, &first, &last);
        assert_int_equal(first, before + 1);
        assert_true(last > first);
        before = last;
    }
    assert_true(before <= STORE_SEGMENT_NUMBER_MAX);
}

/* A book in a folder has one host, which never asks. */
static void alone(void **state)
{
    struct side k;
    struct ca_host other;
    (void)state;
    (void)remove(PATH);
    open_side(&k, PATH, "main", "registrar-one");
    assert_int_equal(k.host.id, 1);
    assert_string_equal(k.host.signer, "signer");
    for (enum ca_lease i = CA_LEASE_CRL; i < CA_LEASES; i++) {
        assert_true(may(&k, i, 0));
    }
    tick(&k, 1);
    assert_true(looks_held(&k, 1));
    assert_fails(ca_host_find(k.store, "b", &other), LT_PEER_NOT_FOUND);
    assert_fails(ca_host_open(k.store, "B", "registrar-b", "1.0", at(0), &other), LT_PEER_USAGE);
    close_side(&k);
    /* The machine has another name now: it is the same host. */
    open_side(&k, PATH, "main", "registrar-renamed");
    assert_int_equal(k.host.id, 1);
    close_side(&k);
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
}

static void two_hosts(void **state)
{
    (void)state;
    struct side a;
    struct side b;
    char url[192];
    struct ca_host other;
    if (!server) {
        skip();
    }
    (void)snprintf(url, sizeof url, "%s", pg_rig_database());
    open_side(&a, url, "main", "registrar-one");
    open_side(&b, url, "b", "registrar-b");
    assert_int_equal(b.host.id, 2);
    assert_string_equal(b.host.signer, "signer-b");
    /* Two machines of one name would write one chain. */
    assert_fails(ca_host_open(b.store, "c", "registrar-one", "1.0", at(0), &other), LT_PEER_USAGE);
    assert_fails(ca_host_find(b.store, "c", &other), LT_PEER_NOT_FOUND);

    assert_false(may(&a, CA_LEASE_CRL, 0)); /* nobody has it before it was taken */
    tick(&a, 1);
    tick(&b, 1);
    for (enum ca_lease i = CA_LEASE_CRL; i < CA_LEASES; i++) {
        assert_true(may(&a, i, 1));
        assert_false(may(&b, i, 1));
    }
    assert_true(looks_held(&a, 1));
    assert_false(looks_held(&b, 1));

    /* It goes on as long as it is heard of, by whatever clock the other has. */
    tick(&a, 8);
    tick(&b, 17);
    assert_true(may(&a, CA_LEASE_TIMERS, 17));
    /* Then it sleeps. */
    tick(&b, 19);
    assert_true(may(&b, CA_LEASE_TIMERS, 19));
    assert_int_equal(b.book->leases[CA_LEASE_TIMERS].fence, 2);
    /* Awake again, it believes what it did before; the book knows better. */
    assert_true(a.book->leases[CA_LEASE_TIMERS].held);
    assert_false(may(&a, CA_LEASE_TIMERS, 20));
    assert_false(may(&a, CA_LEASE_CRL, 20));
    tick(&a, 20);
    assert_false(may(&a, CA_LEASE_MASS, 20));
    assert_false(looks_held(&a, 20));

    /* One that ends gives them away. */
    begin(&b, 21);
    assert_ok(ca_leases_release(&b.turn));
    assert_ok(store_commit(b.store));
    assert_false(may(&b, CA_LEASE_CRL, 21));
    tick(&a, 21);
    assert_true(may(&a, CA_LEASE_CRL, 21));
    assert_int_equal(a.book->leases[CA_LEASE_CRL].fence, 3);

    /* What was taken in a transaction that did not come to its end is not held. */
    close_side(&b);
    open_side(&b, url, "b", "registrar-b");
    begin(&b, 60);
    assert_ok(ca_host_tick(&b.turn));
    assert_true(b.book->leases[CA_LEASE_CRL].held);
    store_rollback(b.store);
    assert_ok(ca_book_reload(b.book));
    assert_false(may(&b, CA_LEASE_CRL, 60));

    /* One that starts anew takes its own again at once. */
    close_side(&a);
    open_side(&a, url, "main", "registrar-one");
    tick(&a, 22);
    assert_true(may(&a, CA_LEASE_CRL, 22));
    close_side(&a);
    close_side(&b);
}

/* ---- blocked keys of other hosts ---- */

enum { KEYS = 103000, LATER = 1400 };
static const struct store_sql block = {"test.block", "INSERT INTO key_block (spki_sha256, reason, source, "
                                                     "blocked_us) VALUES (?1, 'r', 's', ?2)"};

static void key_of(uint32_t n, uint8_t ret_key[CA_HASH_LEN])
{
    uint32_t mixed = n * 2654435761u; /* not in the order of their times */
    memset(ret_key, 7, CA_HASH_LEN);
    memcpy(ret_key, &mixed, sizeof mixed);
}

static void block_some(struct side *k, uint32_t first, uint32_t count, int64_t us)
{
    begin(k, 0);
    for (uint32_t i = first; i < first + count; i++) {
        uint8_t key[CA_HASH_LEN];
        key_of(i, key);
        assert_ok(
            store_exec(k->store, &block, STORE_ARGS(STORE_B(LT_SLICE(key, sizeof key)), STORE_I(us)), NULL));
    }
    assert_ok(store_commit(k->store));
}

struct heard {
    bool keys[KEYS + LATER];
    size_t distinct;
};

static void hear(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    struct heard *h = self;
    assert_int_equal(to->role, IPC_EXAMINER);
    assert_int_equal(type, IPC_KEY_BLOCK);
    Ipc__KeyBlock *m = ipc__key_block__unpack(NULL, packed.len, packed.ptr);
    assert_non_null(m);
    uint32_t mixed = 0;
    memcpy(&mixed, m->spki_sha256.data, sizeof mixed);
    uint32_t n = mixed * 244002641u; /* the inverse */
    assert_true(n < LT_COUNT(h->keys));
    h->distinct += !h->keys[n];
    h->keys[n] = true;
    ipc__key_block__free_unpacked(m, NULL);
}

static void news_of(struct side *k, struct heard *h, int64_t s, bool commit)
{
    begin(k, s);
    assert_ok(ca_host_news(&k->turn));
    if (commit) {
        assert_ok(store_commit(k->store));
        ca_turn_release(&k->turn, hear, h);
    } else {
        store_rollback(k->store);
        assert_ok(ca_book_reload(k->book));
    }
}

/* More than fit into one turn, more of one time than into one page: each is told. */
static void keys_of(struct side *k)
{
    struct heard *h = calloc(1, sizeof *h);
    assert_non_null(h);
    lt_arena_done(&k->arena);
    lt_arena_init(&k->arena, 64 * 1024 * 1024);
    block_some(k, 0, KEYS, at(-5000).us);
    begin(k, 0);
    k->book->examiner_linked = true;
    k->book->host.shared = true;
    ca_host_news_again(k->book, k->turn.now);
    assert_ok(ca_key_block_recover(&k->turn, 100));
    assert_ok(store_commit(k->store));
    ca_turn_release(&k->turn, hear, h);
    assert_int_equal(h->distinct, 100000);
    news_of(k, h, 1, true);
    assert_int_equal(h->distinct, KEYS);
    /* Two slices of a mass revocation: a page of the list ends inside the second. */
    block_some(k, KEYS, LATER / 2, at(1).us);
    block_some(k, KEYS + LATER / 2, LATER / 2, at(1).us + 9);
    news_of(k, h, 2, false); /* nobody heard that */
    assert_int_equal(h->distinct, KEYS);
    news_of(k, h, 3, true);
    assert_int_equal(h->distinct, KEYS + LATER);
    free(h);
}

static void blocked_keys(void **state)
{
    struct side k;
    (void)state;
    (void)remove(PATH);
    open_side(&k, PATH, "main", "registrar-one");
    keys_of(&k);
    close_side(&k);
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
    if (server) {
        open_side(&k, pg_rig_database(), "main", "registrar-one");
        keys_of(&k);
        close_side(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),     cmocka_unit_test(ranges_of_segments), cmocka_unit_test(alone),
        cmocka_unit_test(two_hosts), cmocka_unit_test(blocked_keys),
    };
    server = pg_rig_start();
    if (!server) {
        (void)fprintf(stderr, "no PostgreSQL server here: hosts that share a book are not tested\n");
    }
    int failed = cmocka_run_group_tests_name("host", tests, NULL, NULL);
    pg_rig_stop();
    return failed;
}
