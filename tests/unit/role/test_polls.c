/* What a gateway counts of questions for renewal information, and what a notary passes on of it. */
#include "notary_rig.h"

#include <stdlib.h>

#include "ready.pb-c.h"
#include "role/gateway_polls.h"

static struct ca_ari_certid id_of(uint32_t n, uint8_t room[CA_ARI_SERIAL_MAX])
{
    static const uint8_t key[20] = {1, 2, 3};
    memset(room, 0x11, CA_ARI_SERIAL_MAX);
    memcpy(room, &n, sizeof n);
    return (struct ca_ari_certid){LT_SLICE(key, sizeof key), LT_SLICE(room, 16)};
}

static void add(struct gateway_polls *p, uint32_t n, const char *agent)
{
    uint8_t room[CA_ARI_SERIAL_MAX];
    struct ca_ari_certid id = id_of(n, room);
    gateway_polls_add(p, &id, lt_slice_cstr(agent));
}

static struct gateway_polls *polls_new(void)
{
    struct gateway_polls *p = malloc(sizeof *p);
    assert_non_null(p);
    gateway_polls_init(p, 42);
    return p;
}

static void counted(void **state)
{
    (void)state;
    struct gateway_polls *p = polls_new();
    Ipc__RenewalPolls m;
    size_t at = 0;
    assert_false(gateway_polls_next(p, &at, &m));
    for (int i = 0; i < 3; i++) {
        add(p, 1, "lego-cli/4.14.2 (linux)");
    }
    add(p, 1, "certbot/2.9");
    add(p, 2, "");
    at = 0;
    assert_true(gateway_polls_next(p, &at, &m));
    assert_int_equal(m.n_serials, 3);
    assert_int_equal(m.n_key_ids, 1);
    assert_int_equal(m.counts[0], 3);
    assert_string_equal(m.clients[m.agents[0]], "lego-cli/4.14.2");
    assert_string_equal(m.clients[m.agents[1]], "certbot/2.9");
    assert_string_equal(m.clients[m.agents[2]], "");
    assert_false(gateway_polls_next(p, &at, &m));
    gateway_polls_reset(p);
    assert_int_equal(p->count, 0);
    add(p, 1, "certbot/2.9");
    assert_int_equal(p->count, 1);
    free(p);
}

/* Whatever strangers ask: the room is bounded, each row is told once, and nothing is lost without being
 * counted. */
static void bounded(void **state)
{
    (void)state;
    struct gateway_polls *p = polls_new();
    Ipc__RenewalPolls m;
    size_t at = 0;
    size_t rows = 0;
    uint64_t count = 0;
    char agent[32];
    for (uint32_t i = 0; i < GATEWAY_POLL_ROWS + 100; i++) {
        (void)snprintf(agent, sizeof agent, "client-%u/1", i % 300);
        add(p, i, agent);
        assert_int_equal(gateway_polls_full(p), p->count >= GATEWAY_POLL_ROWS / 4 * 3);
    }
    assert_int_equal(p->dropped, 100);
    assert_int_equal(p->client_count, GATEWAY_POLL_CLIENTS);
    add(p, 7, "client-7/1"); /* one that is there is counted on */
    while (gateway_polls_next(p, &at, &m)) {
        assert_true(m.n_serials <= GATEWAY_POLL_MESSAGE && m.n_counts == m.n_serials);
        for (size_t i = 0; i < m.n_serials; i++) {
            assert_true(m.issuers[i] < m.n_key_ids && m.agents[i] < m.n_clients);
            count += m.counts[i];
        }
        rows += m.n_serials;
    }
    assert_int_equal(rows, GATEWAY_POLL_ROWS);
    assert_int_equal(count, GATEWAY_POLL_ROWS + 1);
    free(p);
}

static void no_certificate(void **state)
{
    (void)state;
    struct gateway_polls *p = polls_new();
    uint8_t room[CA_ARI_SERIAL_MAX];
    struct ca_ari_certid id = id_of(1, room);
    static const uint8_t long_key[CA_ARI_KEY_ID_MAX + 1] = {9};
    id.serial.len = 0;
    gateway_polls_add(p, &id, LT_LIT("x"));
    id = id_of(1, room);
    id.key_id = LT_SLICE(long_key, sizeof long_key);
    gateway_polls_add(p, &id, LT_LIT("x"));
    for (uint8_t i = 0; i < GATEWAY_POLL_KEYS + 1; i++) {
        id = id_of(1, room);
        id.key_id = LT_SLICE(&i, 1);
        gateway_polls_add(p, &id, LT_LIT("x"));
    }
    assert_int_equal(p->count, GATEWAY_POLL_KEYS);
    assert_int_equal(p->dropped, 3);
    free(p);
}

/* ---- the notary ---- */

enum { ROWS = 2 };
struct message {
    Ipc__RenewalPolls m;
    ProtobufCBinaryData keys[1];
    char *clients[1];
    uint32_t numbers[ROWS];
    ProtobufCBinaryData serials[ROWS];
};

static void fill(struct message *f)
{
    static uint8_t key[20] = {1};
    static uint8_t serial[21] = {2};
    static char client[] = "lego-cli/4.14.2";
    *f = (struct message){.numbers = {0, 0}};
    ipc__renewal_polls__init(&f->m);
    f->keys[0] = (ProtobufCBinaryData){sizeof key, key};
    f->clients[0] = client;
    f->serials[0] = f->serials[1] = (ProtobufCBinaryData){16, serial};
    f->m.key_ids = f->keys;
    f->m.clients = f->clients;
    f->m.issuers = f->m.counts = f->m.agents = f->numbers;
    f->m.serials = f->serials;
    f->m.n_key_ids = f->m.n_clients = 1;
    f->m.n_issuers = f->m.n_counts = f->m.n_agents = f->m.n_serials = ROWS;
}

static lt_res tell_notary(const struct message *f)
{
    const struct ipc_msg m = {.from = {.role = IPC_GATEWAY}, .type = IPC_RENEWAL_POLLS, .body = &f->m.base};
    return notary_polls(notary, &m);
}

static void passed_on(void **state)
{
    (void)state;
    struct message f;
    fill(&f);
    assert_ok(tell_notary(&f));
    const struct said *s = heard(IPC_RENEWAL_POLLS);
    assert_int_equal(s->to, IPC_REGISTRAR);
    registrar_is_there = false;
    assert_ok(tell_notary(&f)); /* lost: nobody waits for it */
    registrar_is_there = true;
}

static void not_passed_on(void **state)
{
    (void)state;
    static char long_name[CA_READY_CLIENT_SIZE + 1];
    struct message f;
    memset(long_name, 'a', CA_READY_CLIENT_SIZE);
    fill(&f);
    f.m.n_counts = 1;
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    fill(&f);
    f.m.n_serials = f.m.n_issuers = f.m.n_counts = f.m.n_agents = 0;
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    fill(&f);
    f.numbers[1] = 1; /* of no issuer, by no client */
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    fill(&f);
    f.serials[1].len = 21;
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    fill(&f);
    f.keys[0].len = 0;
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    fill(&f);
    f.clients[0] = long_name;
    assert_fails(tell_notary(&f), LT_PEER_MALFORMED);
    heard_nothing();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted), cmocka_unit_test(bounded), cmocka_unit_test(no_certificate),
        TEST(passed_on),           TEST(not_passed_on),
    };
    return cmocka_run_group_tests_name("polls", tests, make_keys, drop_keys);
}
