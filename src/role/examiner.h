#ifndef ROLE_EXAMINER_H
#define ROLE_EXAMINER_H
/* Private to the examiner: what it holds, and what its files share. */
#include "ca/examine.h"
#include "role/kit.h"

enum { EXAMINER_SLOTS = 4096, EXAMINER_ISSUERS_MAX = 64, EXAMINER_ORDER_WAIT_MS = 45000 };

/* An order that is with the signer. */
struct examiner_slot {
    uint64_t id; /* of the order; 0: free */
    struct ipc_addr to;
    int64_t until_ms; /* then it is answered "unavailable" */
    bool crl;
    int64_t intent_id;
    char issuer[64];
    uint32_t shard;
    uint8_t serial[20];
    size_t serial_len;
    uint8_t profile_sha256[CA_PROFILE_SHA256];
};

struct examiner {
    struct role_kit *kit;
    const char *folder;          /* of Start: lives as long as the process */
    const char *public_http_url; /* the same */
    int dir_fd;                  /* examiner/ */
    struct ca_examiner_state *state;
    /* The root-owned files, as read at start or at the last reload. */
    struct lt_arena files; /* issuers, host names */
    struct ca_examine_issuer issuers[EXAMINER_ISSUERS_MAX];
    struct ca_profiles profiles;
    struct ca_operators operators;
    uint32_t approvals_needed;
    struct ca_examine x;
    struct examiner_slot *slots; /* owned; EXAMINER_SLOTS of them, by id modulo their number */
    uint64_t next_id;
    size_t busy;
    int64_t next_look_ms;
    bool hello_known; /* the registrar has said how far the book is */
    uint64_t acknowledged;
};

/* Reads profiles, operators and issuers' certificates anew; what was there stays when anything is wrong. */
LT_MUST_USE lt_res examiner_load(struct examiner *e, const char *config_yaml);
void examiner_unload(struct examiner *e);

/* NULL when too much is under way. */
struct examiner_slot *examiner_slot_take(struct examiner *e, const struct ipc_addr *to, const char *issuer);
struct examiner_slot *examiner_slot_find(struct examiner *e, uint64_t id);
void examiner_slot_free(struct examiner *e, struct examiner_slot *s);

lt_res examiner_on_sign_request(void *self, const struct ipc_msg *m);
lt_res examiner_certificate_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m);
lt_res examiner_on_crl_request(void *self, const struct ipc_msg *m);
lt_res examiner_crl_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m);

#endif
