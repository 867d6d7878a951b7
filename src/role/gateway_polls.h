#ifndef ROLE_GATEWAY_POLLS_H
#define ROLE_GATEWAY_POLLS_H
/* How often renewal information was asked for which certificate, by which client: counted in memory, and told
 * to the registrar every few seconds by way of a notary. Bounded, whatever strangers ask; what does not fit
 * is dropped and counted. Only certificates that the map has are counted, so a stranger fills it with nothing
 * of his own. */
#include "ca/ari_map.h"
#include "ca/ready_tier.h"
#include "ready.pb-c.h"

enum {
    GATEWAY_POLL_ROWS = 8192,
    GATEWAY_POLL_SLOTS = 16384, /* a power of two, above the rows */
    GATEWAY_POLL_KEYS = 16,
    GATEWAY_POLL_CLIENTS = 64,
    GATEWAY_POLL_MESSAGE = 256, /* rows; CA_READY_POLLS_MAX */
};

struct gateway_poll {
    uint32_t count;
    uint8_t key;
    uint8_t client;
    uint8_t len;
    uint8_t serial[CA_ARI_SERIAL_MAX];
};

struct gateway_polls {
    uint64_t seed;
    uint64_t dropped;
    size_t count;
    size_t key_count;
    size_t client_count;
    uint16_t slots[GATEWAY_POLL_SLOTS]; /* row, plus one; 0: free */
    struct gateway_poll rows[GATEWAY_POLL_ROWS];
    struct {
        uint8_t len;
        uint8_t id[CA_ARI_KEY_ID_MAX];
    } keys[GATEWAY_POLL_KEYS];
    char clients[GATEWAY_POLL_CLIENTS][CA_READY_CLIENT_SIZE]; /* the first is "" */
};

void gateway_polls_init(struct gateway_polls *p, uint64_t seed);
void gateway_polls_add(struct gateway_polls *p, const struct ca_ari_certid *id, lt_slice user_agent);
/* Three quarters of the room are used. */
bool gateway_polls_full(const struct gateway_polls *p);
/* The next message, of rows that begin at *at, which moves on; false behind the last. It borrows until the
 * next call. */
bool gateway_polls_next(struct gateway_polls *p, size_t *at, Ipc__RenewalPolls *ret_message);
/* Empty again; the seed stays. */
void gateway_polls_reset(struct gateway_polls *p);

#endif
