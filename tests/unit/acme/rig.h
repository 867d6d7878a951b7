#ifndef TESTS_UNIT_ACME_RIG_H
#define TESTS_UNIT_ACME_RIG_H
/* A desk on a real book in /tmp, with the registrar's loop around it and a clock of its own; validator,
 * examiner and signer are played by the test. */
#include "acme.pb-c.h"
#include "acme/desk.h"
#include "acme/desk_private.h"
#include "ca/book.h"
#include "ca/config.h"
#include "validate.pb-c.h"

enum { RIG_SENT_MAX = 512 };

struct rig_sent {
    enum ipc_role to;
    uint32_t instance;
    enum ipc_type type;
    uint64_t id;
    lt_slice packed; /* in the rig's arena */
};

struct rig {
    char folder[64];
    struct store *store;
    struct ca_book *book;
    struct ca_config *config;
    struct acme_desk *desk;
    struct lt_arena arena; /* what was sent and received; emptied by rig_clean */
    lt_time now;
    struct rig_sent sent[RIG_SENT_MAX]; /* since rig_clean */
    size_t sent_count;
    uint64_t next_id;
    uint64_t sequence;           /* of the signer that the test plays */
    bool fail_next;              /* the next message's savepoint is rolled back after its handler */
    const char *profiles;        /* folder above profiles/ */
    struct store_sql asked[128]; /* of rig_number and rig_text: a statement is its address to the store */
    size_t asked_count;
};

/* yaml: of lintel.yaml; NULL for the rig's own. */
void rig_open(struct rig *r, const char *yaml);
void rig_close(struct rig *r);
/* Everything in memory goes, the book stays: a kill -9 between two messages, and the start after it. */
void rig_restart(struct rig *r);
void rig_clean(struct rig *r);
void rig_advance(struct rig *r, int64_t seconds);

/* One of the desk's functions as the registrar runs it. */
typedef lt_res rig_step(struct rig *r, struct ca_turn *t, const struct ipc_msg *m);
lt_res rig_run(struct rig *r, rig_step *step, const struct ipc_msg *m);
void rig_tick(struct rig *r);
void rig_validator_linked(struct rig *r);

/* An account as its client knows it. */
struct rig_account {
    int64_t id;
    uint8_t thumbprint[32];
    uint8_t spki[91];
    uint8_t spki_sha256[32];
    Ipc__PublicKey key;
};
void rig_key(struct rig_account *a, uint8_t seed);

/* Sends a call with a fresh nonce; the answer, or NULL when it is held. */
const Ipc__AcmeReply *rig_call(struct rig *r, const struct rig_account *by, Ipc__AcmeCall *call);
/* The answer to the id that rig_call used last, after more has happened. */
const Ipc__AcmeReply *rig_answer(struct rig *r, uint64_t id);
const void *rig_find(struct rig *r, enum ipc_type type, size_t skip);
size_t rig_count(const struct rig *r, enum ipc_type type);

void rig_new_account(struct rig *r, struct rig_account *a, uint8_t seed);
/* names: NULL-terminated. */
const Ipc__AcmeReply *rig_new_order(struct rig *r, const struct rig_account *a, const char *const *names);
const Ipc__AcmeReply *rig_get_order(struct rig *r, const struct rig_account *a, int64_t id);
const Ipc__AcmeReply *rig_get_authorization(struct rig *r, const struct rig_account *a, int64_t id);
const Ipc__AcmeReply *rig_reply_challenge(struct rig *r, const struct rig_account *a, int64_t authorization);
const Ipc__AcmeReply *rig_get_challenge(struct rig *r, const struct rig_account *a, int64_t authorization,
                                        uint32_t index);
const Ipc__AcmeReply *rig_finalize(struct rig *r, const struct rig_account *a, int64_t order,
                                   const char *const *names, const Ipc__PublicKey *key);
/* The validator's statement about the last question. problem: NULL for success. */
void rig_validated(struct rig *r, const char *problem);
void rig_validated_nonce(struct rig *r, const char *problem, lt_slice nonce);
/* The signer's answer to the last question; refusal: NULL for a signature. */
void rig_signed(struct rig *r, const char *refusal);
/* All of it up to a certificate; returns the order's id, its serial in ret_serial (16 bytes). */
int64_t rig_certificate(struct rig *r, const struct rig_account *a, const char *const *names,
                        uint8_t *ret_serial);

/* The same text is the same statement, for as long as the store is open. */
const struct store_sql *rig_sql(struct rig *r, const char *text);
int64_t rig_number(struct rig *r, const char *sql);
const char *rig_text(struct rig *r, const char *sql);

#endif
