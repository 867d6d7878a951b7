/* See gateway_polls.h. */
#include "role/gateway_polls.h"

#include <string.h>

_Static_assert(GATEWAY_POLL_ROWS<UINT16_MAX && GATEWAY_POLL_SLOTS> GATEWAY_POLL_ROWS, "rows in slots");

void gateway_polls_init(struct gateway_polls *p, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    p->seed = seed;
    p->client_count = 1;
}

void gateway_polls_reset(struct gateway_polls *p)
{
    memset(p->slots, 0, sizeof p->slots);
    p->count = 0;
    p->key_count = 0;
    p->client_count = 1;
}

/* Keys of issuers are few, and certificates of more than these do not come from one CA. */
static bool key_of(struct gateway_polls *p, lt_slice id, uint8_t *ret_key)
{
    for (size_t i = 0; i < p->key_count; i++) {
        if (lt_slice_eq(LT_SLICE(p->keys[i].id, p->keys[i].len), id)) {
            *ret_key = (uint8_t)i;
            return true;
        }
    }
    if (p->key_count == GATEWAY_POLL_KEYS || id.len > CA_ARI_KEY_ID_MAX) {
        return false;
    }
    *ret_key = (uint8_t)p->key_count++;
    p->keys[*ret_key].len = (uint8_t)id.len;
    memcpy(p->keys[*ret_key].id, id.ptr, id.len);
    return true;
}

/* The poll counts where there are too many clients, too. */
static uint8_t client_of(struct gateway_polls *p, lt_slice user_agent)
{
    char name[CA_READY_CLIENT_SIZE];
    ca_ready_client(user_agent, name);
    for (size_t i = 0; i < p->client_count; i++) {
        if (strcmp(p->clients[i], name) == 0) {
            return (uint8_t)i;
        }
    }
    if (p->client_count == GATEWAY_POLL_CLIENTS) {
        return 0;
    }
    memcpy(p->clients[p->client_count], name, sizeof name);
    return (uint8_t)p->client_count++;
}

static size_t slot_of(const struct gateway_polls *p, const struct gateway_poll *row)
{
    uint64_t h = p->seed ^ ((uint64_t)row->key << 8 | row->client);
    for (size_t i = 0; i < row->len; i++) {
        h = (h ^ row->serial[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h >> 32) % GATEWAY_POLL_SLOTS;
}

static bool same(const struct gateway_poll *a, const struct gateway_poll *b)
{
    return a->key == b->key && a->client == b->client && a->len == b->len &&
           memcmp(a->serial, b->serial, a->len) == 0;
}

void gateway_polls_add(struct gateway_polls *p, const struct ca_ari_certid *id, lt_slice user_agent)
{
    struct gateway_poll row = {.count = 1};
    if (id->serial.len == 0 || id->serial.len > sizeof row.serial || !key_of(p, id->key_id, &row.key)) {
        p->dropped++;
        return;
    }
    row.client = client_of(p, user_agent);
    row.len = (uint8_t)id->serial.len;
    memcpy(row.serial, id->serial.ptr, id->serial.len);
    size_t at = slot_of(p, &row);
    for (; p->slots[at] != 0; at = (at + 1) % GATEWAY_POLL_SLOTS) {
        struct gateway_poll *old = &p->rows[p->slots[at] - 1];
        if (same(old, &row)) {
            old->count += old->count < UINT32_MAX ? 1U : 0U;
            return;
        }
    }
    if (p->count == GATEWAY_POLL_ROWS) {
        p->dropped++;
        return;
    }
    p->rows[p->count++] = row;
    p->slots[at] = (uint16_t)p->count;
}

bool gateway_polls_full(const struct gateway_polls *p)
{
    return p->count >= GATEWAY_POLL_ROWS / 4 * 3;
}

bool gateway_polls_next(struct gateway_polls *p, size_t *at, Ipc__RenewalPolls *m)
{
    static ProtobufCBinaryData keys[GATEWAY_POLL_KEYS];
    static char *clients[GATEWAY_POLL_CLIENTS];
    static uint32_t issuers[GATEWAY_POLL_MESSAGE];
    static ProtobufCBinaryData serials[GATEWAY_POLL_MESSAGE];
    static uint32_t counts[GATEWAY_POLL_MESSAGE];
    static uint32_t agents[GATEWAY_POLL_MESSAGE];
    size_t n = 0;
    ipc__renewal_polls__init(m);
    for (size_t i = 0; i < p->key_count; i++) {
        keys[i] = (ProtobufCBinaryData){p->keys[i].len, p->keys[i].id};
    }
    for (size_t i = 0; i < p->client_count; i++) {
        clients[i] = p->clients[i];
    }
    for (; *at < p->count && n < GATEWAY_POLL_MESSAGE; n++, (*at)++) {
        struct gateway_poll *row = &p->rows[*at];
        issuers[n] = row->key;
        serials[n] = (ProtobufCBinaryData){row->len, row->serial};
        counts[n] = row->count;
        agents[n] = row->client;
    }
    m->key_ids = keys;
    m->n_key_ids = p->key_count;
    m->clients = clients;
    m->n_clients = p->client_count;
    m->issuers = issuers;
    m->serials = serials;
    m->counts = counts;
    m->agents = agents;
    m->n_issuers = m->n_serials = m->n_counts = m->n_agents = n;
    return n > 0;
}
