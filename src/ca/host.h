#ifndef CA_HOST_H
#define CA_HOST_H
/* Several families on one book, each on its host: who this one is, and which work it may do alone.
 *
 * A host has a chain of events, a signer with its journal, and segments of evidence of its own; what is under
 * way names the host whose neighbours were asked. Three things are done by one host at a time, under a lease
 * of ten seconds: publishing CRLs, timers, mass revocations. A lease has a fence that grows whenever it is
 * taken, and the transaction of the work looks at it: who was stopped, or cut off, for longer finds that its
 * fence is another's, and does nothing. Clocks decide only when somebody else may try.
 *
 * A book in a folder has one host, which is "main" and holds every lease without asking.
 */
#include "base/clock.h"
#include "store/store.h"

struct ca_turn; /* ca/turn.h */

enum {
    CA_HOST_NAME_MAX = 32,
    CA_HOSTS_MAX = 45, /* as many ranges of segments as there are */
    CA_LEASE_S = 10,
};

struct ca_host {
    int64_t id; /* 1: "main" */
    char name[CA_HOST_NAME_MAX + 1];
    char signer[CA_HOST_NAME_MAX + 8]; /* its row in journal */
    bool shared;                       /* other hosts may be at work on this book */
    lt_time seen;                      /* when it was last seen before this start; 0: never */
};

/* How far this host's examiner has heard of what others decided. */
struct ca_news {
    lt_time passkeys;    /* when they were last told */
    lt_time plans;       /* 0: it was not asked for yet */
    lt_time keys;        /* blocked keys, by time and hash: the last that was told */
    uint8_t key[32];     /* of that time; all zeros: none */
    lt_time keys_looked; /* when the look began that is under way */
    uint64_t told[128];  /* plans, so that each is told once */
    size_t next;
    bool lost;            /* a turn of it was not committed */
    bool rest;            /* more blocked keys than fit into the turn in which it was linked */
    uint8_t rest_key[32]; /* the last of those that was told */
};

enum ca_lease { CA_LEASE_CRL, CA_LEASE_TIMERS, CA_LEASE_MASS, CA_LEASES };

/* What is believed of a lease; only the book knows. */
struct ca_lease_memory {
    bool held;
    int64_t fence;
};

bool ca_host_name_valid(lt_slice name);
/* Of this turn's book; 1 where there is none. */
int64_t ca_host_id(const struct ca_turn *t);
/* The one host of a book that is in a folder. */
void ca_host_main(struct ca_host *ret_host);
/* Finds the host by its name, or adds it, in a transaction of its own. LT_PEER_USAGE where another host has
 * the same chain: two machines of one name. */
LT_MUST_USE lt_res ca_host_open(struct store *s, const char *name, const char *chain, const char *build,
                                lt_time now, struct ca_host *ret_host);
/* The same without adding; LT_PEER_NOT_FOUND. For who only reads. */
LT_MUST_USE lt_res ca_host_find(struct store *s, const char *name, struct ca_host *ret_host);
/* Segments of evidence are numbered by each host in a range of its own. */
void ca_host_segments(const struct ca_host *host, uint32_t *ret_first, uint32_t *ret_last);

/* Each second: says that this host lives, keeps its leases, takes those that nobody has. */
LT_MUST_USE lt_res ca_host_tick(struct ca_turn *t);
/* Whether this host may do that work, in this transaction. */
LT_MUST_USE lt_res ca_lease_check(struct ca_turn *t, enum ca_lease lease, bool *ret_held);
/* host_news.c: halts lifted, keys blocked and unblocked, exceptions granted elsewhere, to the examiner: each
 * second, and from further back when it was linked. */
LT_MUST_USE lt_res ca_host_news(struct ca_turn *t);
struct ca_book;
void ca_host_news_again(struct ca_book *b, lt_time now);
/* A turn was not committed: what it told was not heard. */
void ca_host_news_lost(struct ca_book *b);
/* At the end: the next host need not wait. */
LT_MUST_USE lt_res ca_leases_release(struct ca_turn *t);
const char *ca_lease_name(enum ca_lease lease);
/* For the publisher, which only reads: does this host publish? */
LT_MUST_USE lt_res ca_lease_look(struct store *s, enum ca_lease lease, const struct ca_host *host,
                                 lt_time now, bool *ret_held);

extern const struct store_sql *const ca_host_sql;
extern const size_t ca_host_sql_count;
extern const struct store_sql *const ca_host_book_sql;
extern const size_t ca_host_book_sql_count;
extern const struct store_sql *const ca_host_news_sql;
extern const size_t ca_host_news_sql_count;

#endif
