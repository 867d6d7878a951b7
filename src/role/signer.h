#ifndef ROLE_SIGNER_H
#define ROLE_SIGNER_H
/* Private to the signer: what it holds, and what its files share. */
#include "crypto/digest.h"
#include "role/kit.h"
#include "sign.pb-c.h"
#include "signer/journal.h"
#include "signer/keys.h"

/* What the journal must sync before its answer leaves. */
struct waiting {
    struct ipc_addr to;
    enum ipc_type type;         /* of the answer */
    struct journal_entry entry; /* slices live in the turn's arena */
    bool found;                 /* it was in the journal before */
};

/* An order that is with the token. */
struct token_order {
    uint64_t id; /* of the question; 0: free */
    int64_t until_ms;
    bool sent;
    unsigned tries;
    struct ipc_addr to;
    struct signer_key *key;
    struct journal_entry entry; /* without signature; slices in own */
    struct signer_message message;
    lt_slice mapped; /* owned: its tbs where that was mapped; else empty, and tbs is in own */
    struct lt_arena own;
};

/* CRLs in the order in which they came, while one of them is read in slices. */
struct signer_crl;
struct signer_crls {
    struct signer_crl *first; /* owned list */
    struct signer_crl **last; /* set by signer_crls_init */
    size_t count;
};

struct signer {
    struct role_kit *kit;
    struct signer_keys keys;
    struct journal *journal;
    struct lt_arena turn;
    struct waiting *waiting; /* WAITING_MAX */
    size_t waiting_count;
    struct token_order *token_orders; /* TOKEN_ORDERS_MAX */
    size_t token_order_count;
    struct signer_crls crls;
    bool book_known;
    char book_refused[sizeof(((struct lt_error *)0)->detail)];
    bool replaying;
    uint64_t replay_after;
    int64_t complain_after_ms;
};

/* What is asked for, in the message or beside it. All borrowed, but a mapping: who keeps the bytes takes it.
 */
struct signer_order {
    Ipc__SignKind kind;
    const char *issuer;
    lt_slice serial;
    struct signer_message message;
    const uint8_t *sha256; /* of the tbs */
    lt_slice *mapped;      /* NULL: the tbs is no mapping of ours */
};
/* Fixed fields, journal, signature; what was signed is answered when it is synced. */
LT_MUST_USE lt_res signer_take_order(struct signer *s, const struct ipc_addr *to,
                                     const struct signer_order *order);
/* LT_RETRY_UNAVAILABLE with a reason when nothing may be signed now. */
LT_MUST_USE lt_res signer_check_ready(struct signer *s);
/* A failure that is the order's, or the moment's, becomes an answer; one that is ours goes on up. */
LT_MUST_USE lt_res signer_answer_failure(struct signer *s, const struct ipc_addr *to, lt_res r);

/* signer_crl.c: a CRL of millions of entries is hashed in slices, so that certificates do not wait for it. */
void signer_crls_init(struct signer_crls *list);
/* Must this one wait its turn? Numbers of CRLs grow in the order of the orders. */
bool signer_crl_waits(const struct signer *s, const Ipc__SignOrder *m);
LT_MUST_USE lt_res signer_crl_queue(struct signer *s, const struct ipc_msg *m);
/* A few milliseconds of work. */
LT_MUST_USE lt_res signer_crl_go_on(struct signer *s);
/* Who asked is gone. */
void signer_crls_drop(struct signer *s);

#endif
