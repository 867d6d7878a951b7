#ifndef TESTS_CA_BOOK_RIG_H
#define TESTS_CA_BOOK_RIG_H
/* A book with an issuer, the shipped profiles and three operators, on a real file or on the failing disk; a
 * loop as the registrar has it; and an examiner and signer in one that journal, sign and answer. */
#include "ca/book.h"
#include "ca/issue.h"
#include "ca/revoke.h"
#include "crypto/key.h"

enum { RIG_JOURNAL_MAX = 2048, RIG_SENT_MAX = 4096, RIG_OPERATORS = 3 };

struct rig_entry { /* of the signer's journal: survives whatever happens to the book */
    uint64_t sequence;
    bool revocation;
    uint64_t mass; /* of a batch, with its number; 0: it is none */
    uint32_t batch;
    char issuer[64];
    uint8_t serial[CA_SERIAL_LEN];
    uint8_t tbs_sha256[CA_HASH_LEN];
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t signature_len;
    uint32_t reason;
    int64_t revoked_us;
};

struct rig_sent { /* what left after a commit; in the rig's arena */
    enum ipc_role to;
    enum ipc_type type;
    uint64_t id;
    lt_slice packed;
};

struct rig {
    struct store *store;
    struct ca_book *book;
    struct lt_arena arena;      /* of the turn */
    struct lt_arena sent_arena; /* of what was sent */
    struct ca_turn turn;
    lt_time now;
    uint64_t random_state;
    struct rig_sent sent[RIG_SENT_MAX];
    size_t sent_count;
    size_t answered; /* how far the signer has read */
    struct rig_entry journal[RIG_JOURNAL_MAX];
    size_t journal_count;
    uint64_t acknowledged;
    /* What a client was told, after the commit that it waited for. */
    uint8_t told[RIG_JOURNAL_MAX][CA_SERIAL_LEN];
    size_t told_count;
    size_t told_committed;
    size_t refused;
    size_t revoked;
    size_t unexpected;
};

/* Keys and certificates are made once per process. */
int rig_group_setup(void **state);
int rig_group_teardown(void **state);
struct crypto_key *
rig_operator_key(size_t i); /* "ann", "bob", "cyd": operators and approvers; cyd only views */
const char *rig_operator_name(size_t i);

/* vfs NULL: path is a file. Creates the book when create. */
LT_MUST_USE lt_res rig_open(struct rig *r, const char *path, const char *vfs, bool create);
/* Forgets the process: memory, what was sent; the signer's journal stays. */
void rig_close(struct rig *r);
void rig_free(struct rig *r); /* close, and the rest */

typedef lt_res rig_step(struct rig *r, struct ca_turn *t, void *arg);
/* A group of one message: begin, savepoint, step, commit, release; with the registrar's way of failing. */
LT_MUST_USE lt_res rig_run(struct rig *r, rig_step *step, void *arg);
/* The same in three parts, for groups of several. */
LT_MUST_USE lt_res rig_begin(struct rig *r);
LT_MUST_USE lt_res rig_message(struct rig *r, rig_step *step, void *arg);
LT_MUST_USE lt_res rig_commit(struct rig *r);

/* Plans one certificate for a name; key i of a few. */
lt_res rig_plan(struct rig *r, struct ca_turn *t, void *name);
/* Lets the signer answer everything that was sent to it, until nothing more comes. `limit` answers at most.
 */
LT_MUST_USE lt_res rig_answer(struct rig *r, size_t limit);
/* Hello, replay and whatever follows from it. */
LT_MUST_USE lt_res rig_replay(struct rig *r);
/* The last message of that type; NULL when there was none. */
const struct rig_sent *rig_last(const struct rig *r, enum ipc_type type);
int64_t rig_number(struct rig *r, const char *sql_text);
/* The tally's beats, until it has counted everything. */
void rig_tally(struct rig *r);
void rig_tally_slice(struct rig *r); /* one of them */
/* It says what counting the book says. */
void rig_tally_is_exact(struct rig *r);
/* All chains, certificates and approvals hold; the signer's journal is in the book. */
void rig_audit(struct rig *r);

#endif
