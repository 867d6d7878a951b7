#ifndef UNIT_ROLE_KEYRING_H
#define UNIT_ROLE_KEYRING_H
/* A CA folder for the key programs, and the programs themselves: the test is their supervisor and their
 * examiner. The real binaries run, in their real sandboxes. */
#include <sys/types.h>

#include "base/clock.h"
#include "check.h"
#include "control.pb-c.h"
#include "crypto/key.h"
#include "ipc/ipc.h"
#include "sign.pb-c.h"

#define PASSPHRASE "correct horse"

struct keyring {
    char folder[64];
    struct crypto_key *tls; /* of the software issuer "tls"; the root's is another */
    struct crypto_key *root;
    lt_time now; /* of its making: the same order has the same bytes */
    struct lt_arena arena;
};

void keyring_new(struct keyring *k);
void keyring_done(struct keyring *k);
/* A CA certificate for that key, as ca/NAME.pem; path length 0, valid around now. */
void keyring_certificate(struct keyring *k, const char *name, lt_slice spki);

struct program {
    pid_t pid;
    struct ipc_link *control;
    const char *path;
};

/* What Start says beside folder, journal and passphrase. */
struct program_start {
    enum ipc_role role;
    Ipc__IssuerKey **issuers;
    size_t issuer_count;
    const char *token_module;
    const char *token_pin;
    const char *mirror;
    size_t file_size_limit; /* RLIMIT_FSIZE; 0: none */
    const char *config_yaml;
};
/* Starts it and waits for Ready. */
void program_start(struct program *p, const struct keyring *k, const char *path,
                   const struct program_start *s);
/* The same for one that is meant not to start: its exit status. */
int program_fails(struct program *p, const struct keyring *k, const char *path,
                  const struct program_start *s);
/* A link between it and the test, which speaks as that role. */
struct ipc_link *program_link(struct program *p, enum ipc_role self, enum ipc_role peer);
/* A link between two programs. */
void program_join(struct program *a, enum ipc_role a_role, struct program *b, enum ipc_role b_role);
void program_kill(struct program *p);
/* Drain: waits for Drained and the end; returns the exit status. */
int program_drain(struct program *p);

void say(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body);
/* Waits (10 s) for the next message, which must be of that type; lives in arena. */
const void *hear(struct ipc_link *link, struct lt_arena *arena, enum ipc_type type, uint64_t *ret_id);
/* The same with bytes beside it, sealed. */
void say_apart(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
               lt_slice bytes);
/* What stands beside it comes along, in the arena too: empty where nothing does. */
const void *hear_apart(struct ipc_link *link, struct lt_arena *arena, enum ipc_type type, uint64_t *ret_id,
                       lt_slice *ret_bytes);
/* Is there nothing to hear for that long? */
bool is_silent(struct ipc_link *link, int ms);

struct tbs {
    const char *issuer; /* "tls": whose name */
    uint32_t serial;
    bool ca;
    bool crl;
    uint64_t crl_number;
    uint32_t entries; /* of the CRL; 0: one */
    unsigned variant; /* other bytes for the same serial */
};
/* To-be-signed bytes, in the keyring's arena; the order's serial comes with them. */
lt_slice keyring_tbs(struct keyring *k, const struct tbs *t, lt_slice *ret_serial);
/* Did the key of that SPKI sign it? */
bool verifies(lt_slice spki, lt_slice tbs, lt_slice signature);

#endif
