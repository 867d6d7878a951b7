#ifndef ROLE_NOTARY_CORE_H
#define ROLE_NOTARY_CORE_H
/* The notary's work without its process: messages in, messages out, no clock, no descriptor. What it holds is
 * a bounded table of requests in flight, a cache of keys and a handful of nonces; all of it may be lost.
 *
 * Says to the registrar only what it has verified. Whatever a client did wrong is answered here and then; a
 * neighbour that is away is 503 with Retry-After. */
#include "acme/wire.h"
#include "ca/api.h"
#include "ca/passkey.h"
#include "http.pb-c.h"
#include "ipc/ipc.h"
#include "operator.pb-c.h"
#include "query.pb-c.h"

enum { NOTARY_IN_FLIGHT_MAX = 4096, NOTARY_NONCES_MAX = 256, NOTARY_NONCE_SIZE = 96 };

struct notary;

/* How it speaks. send: LT_RETRY_UNAVAILABLE when no such neighbour is there. */
struct notary_ports {
    void *self;
    lt_res (*send)(void *self, enum ipc_role to, enum ipc_type type, uint64_t id,
                   const ProtobufCMessage *body);
    lt_res (*reply)(void *self, const struct ipc_addr *to, enum ipc_type type, const ProtobufCMessage *body);
};

struct notary_options {
    struct wire_site site;     /* strings are borrowed until notary_free or the next notary_configure */
    struct ca_origins origins; /* of the console's pages */
    char cookie[32];           /* of its sessions */
    uint32_t owner_uid;        /* of the CA folder: may use the API besides root */
    size_t keys_max;           /* power of two; 0 for NOTARY_KEYS_MAX */
    bool testing;              /* of a test CA that wants it: notary_testing.c */
    uint32_t generation; /* where ids begin; drawn, so that no answer to a predecessor fits a question */
};

struct notary *notary_new(const struct notary_options *options, const struct notary_ports *ports);
void notary_free(struct notary *n);
void notary_configure(struct notary *n, const struct wire_site *site);
void notary_use_origins(struct notary *n, const struct ca_origins *origins);

/* Each takes the message of its type and answers or goes on; they fail only where a neighbour broke the rules
 * (LT_PEER_*) or the link is gone. */
LT_MUST_USE lt_res notary_http(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_service(struct notary *n, const struct ipc_msg *m); /* the gateway's own key */
LT_MUST_USE lt_res notary_polls(struct notary *n, const struct ipc_msg *m);   /* the gateway's counts */
LT_MUST_USE lt_res notary_key_answer(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_nonce_grant(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_acme_reply(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_operator_reply(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_page_reply(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_query_reply(struct notary *n, const struct ipc_msg *m);
LT_MUST_USE lt_res notary_service_certificate(struct notary *n, const struct ipc_msg *m);

/* now_ms: of a clock that only grows. Requests whose answer does not come are given up. */
void notary_tick(struct notary *n, int64_t now_ms);
/* A neighbour came up or went away. */
void notary_linked(struct notary *n, enum ipc_role peer);
void notary_unlinked(struct notary *n, enum ipc_role peer);
size_t notary_in_flight(const struct notary *n);

#endif
