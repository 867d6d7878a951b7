#ifndef CMD_RESTORE_H
#define CMD_RESTORE_H
/* The book and what it does not know any more. restore.c: the verb and the signer's journal; restore_crl.c:
 * the last published CRLs; restore_batch.c: batches of mass revocations; restore_book.c: rows; restore_put.c:
 * a backup put back.
 *
 * Nothing here trusts a file for being there: the journal is a hash chain, each CRL is verified with the
 * issuer's certificate in the book. */
#include "ca/book.h"
#include "ca/host.h"
#include "cmd/cmd.h"
#include "signer/journal.h"

enum { RESTORE_SERIAL_MAX = 20, RESTORE_ISSUERS_MAX = 64 };

/* One line of a published CRL. */
struct restore_entry {
    int64_t revoked_us;
    uint16_t issuer; /* index into restore_crls.issuers */
    uint16_t shard;
    uint8_t reason;
    uint8_t serial_len;
    bool unknown; /* neither book nor journal nor evidence had it */
    uint8_t serial[RESTORE_SERIAL_MAX];
};

struct restore_issuer {
    int64_t id;
    char name[64];
    int64_t not_after_us;
    lt_slice certificate;    /* DER, of the command's arena */
    uint32_t shards;         /* the highest part that was published, in the book or as a file */
    uint64_t journal_number; /* the highest CRL number in the signer's journal */
    uint64_t number;         /* and of the CRLs that were found */
};

/* A published CRL that was found. */
struct restore_crl {
    size_t issuer;
    uint32_t shard;
    uint64_t number;
    int64_t this_update_us;
    int64_t next_update_us;
    uint64_t entries;
    uint8_t sha256[CA_HASH_LEN];
};

struct restore_crls {
    struct restore_issuer issuers[RESTORE_ISSUERS_MAX];
    size_t issuer_count;
    struct restore_entry *entries; /* owned (heap); sorted by issuer, serial; a serial once */
    size_t entry_count;
    size_t entry_size;
    struct restore_crl *list; /* owned (heap) */
    size_t count;
    size_t size;
};

/* A batch that the journal has and the book has not. */
struct restore_batch {
    uint64_t mass;
    uint32_t batch;
    uint32_t count;
    size_t issuer;
    uint32_t reason;
    int64_t revoked_us;
    uint64_t sequence;
    uint8_t root[CA_HASH_LEN];
    bool found; /* its members are known after all */
};

struct restore {
    struct cmd *c;
    const char *folder;
    int dir; /* owned */
    struct ca_host host;
    struct store *store;  /* owned */
    struct ca_book *book; /* owned */
    struct ca_turn turn;
    struct lt_arena arena; /* of one record or row */
    bool revoke_lost;
    bool forget_missing;
    bool put_back; /* the book says that it came out of a backup */
    int64_t acknowledged;
    uint64_t seen;
    uint64_t revocations;
    uint64_t batches;
    uint64_t batch_members; /* that came back with them */
    uint64_t published;     /* entries of CRLs that were in no book */
    uint64_t lost;
    uint64_t lost_revoked;
    uint64_t holds;   /* set or lifted since */
    uint64_t missing; /* members of batches that nobody names: at most */
    uint64_t halts;   /* of the examiner's memory, not of the book */
    uint64_t blocked_keys;
    struct restore_crls crls;
    struct restore_batch *unknown; /* owned (heap) */
    size_t unknown_count;
    size_t unknown_size;
    const char *people; /* who signed the script */
};

/* What is written for one record lives that long. */
void restore_turn(struct restore *k);

/* restore_book.c */
struct restore_revocation {
    size_t issuer; /* index */
    lt_slice serial;
    uint32_t reason;
    int64_t revoked_us;
    const char *by;
    uint64_t sequence;
};
/* Writes it where it is not there; where it is, a compromised key counts more than another reason.
 * ret_changed may be NULL. */
LT_MUST_USE lt_res restore_revoke(struct restore *k, const struct restore_revocation *r, bool *ret_changed);
LT_MUST_USE lt_res restore_has_intent(struct restore *k, int64_t issuer, lt_slice serial, bool *ret_there);
/* What was signed, and is in no book. */
LT_MUST_USE lt_res restore_lost(struct restore *k, const struct journal_entry *e, const char *issuer);
LT_MUST_USE lt_res restore_issuers(struct restore *k);
/* LT_STATE_CORRUPT: an issuer that the book does not know. */
LT_MUST_USE lt_res restore_issuer_index(struct restore *k, lt_slice name, size_t *ret_index);
LT_MUST_USE lt_res restore_put_crls(struct restore *k);

/* restore_crl.c: reads and verifies every CRL below public/crl. */
LT_MUST_USE lt_res restore_read_crls(struct restore *k);
void restore_crls_done(struct restore_crls *crls);
/* The part on which a published CRL has that serial; false: on none. */
bool restore_crl_part(const struct restore_crls *crls, size_t issuer, lt_slice serial, uint32_t *ret_shard);
/* SHA-256 over the files, for the script that people sign. */
LT_MUST_USE lt_res restore_crls_hash(int dir, struct lt_arena *a, uint8_t ret_hash[CA_HASH_LEN]);

/* restore_batch.c */
LT_MUST_USE lt_res restore_take_batch(struct restore *k, const struct journal_entry *e);
/* Holds that were set or lifted since the book ended: among the evidence. */
LT_MUST_USE lt_res restore_read_holds(struct restore *k);
/* Of unknown batches: what the registrar wrote into the evidence when it sealed them. */
LT_MUST_USE lt_res restore_read_sealed(struct restore *k);
/* After all else is in the book: which members nobody names. */
LT_MUST_USE lt_res restore_count_missing(struct restore *k);

/* restore_examiner.c: halts and blocked keys that the examiner has and the book has not. */
LT_MUST_USE lt_res restore_read_examiner(struct restore *k);

#endif
