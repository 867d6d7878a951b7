#ifndef ROLE_PUBLISHER_CRL_H
#define ROLE_PUBLISHER_CRL_H
/* Inside the publisher: the CRLs. Each part of an issuer's CRL goes its own way: built from the book, signed
 * by way of the examiner, kept by the registrar, and only then in its file. Several are on their way at a
 * time, of each part one. Private to role/publisher*.c. */
#include "base/buf.h"
#include "ca/config.h"
#include "ca/crl_build.h"
#include "ca/host.h"
#include "role/kit.h"

enum publisher_phase { PUBLISHER_IDLE, PUBLISHER_SIGNING, PUBLISHER_STORING };

/* An issuer with the parts of its CRL. */
struct publisher_authority {
    const struct ca_crl_issuer *issuer;
    bool wanted;                 /* the configuration says crl: true */
    bool offline;                /* nothing is signed for it here */
    struct publisher_crl **crls; /* owned; [0] is the complete one, [n] part n */
    uint32_t crl_count;          /* at least 1 */
    uint64_t last_number;        /* of all parts: the signer wants them to grow for each issuer */
    bool hungry;                 /* looked at in this tick, and a part of it waits */
};

struct publisher_crl {
    struct publisher_authority *of;
    uint32_t shard;
    bool dirty;        /* a revocation came, or this is the start */
    lt_time told;      /* of the oldest revocation that no published CRL has; {0}: none */
    lt_time told_next; /* the same of those that came while one is on its way */
    enum publisher_phase phase;
    uint64_t id;           /* of the question that is open */
    int64_t not_before_ms; /* debounce and backoff; for offline ones the next look */
    int64_t until_ms;      /* of the open question */
    int64_t begun_ms;
    int64_t backoff_ms;
    int64_t overdue_said_ms;
    bool complained;
    bool keep_all; /* the examiner missed an entry: the next one leaves out none */
    struct ca_crl_newest newest;
    struct ca_crl_plan plan;
    struct lt_buf tbs;   /* empty where it is apart */
    lt_slice tbs_mapped; /* owned: of a large one, sealed; examiner and signer map the same */
    struct lt_buf der;   /* empty where it is staged in a file */
    uint8_t sha256[32];
    uint64_t entries;
    uint64_t newest_entries;
    uint64_t bytes;
    uint64_t sequence;
};

struct publisher_crls {
    struct role_kit *kit;
    int folder_fd;
    struct store *store;            /* borrowed */
    const struct ca_config *config; /* borrowed; replaced by publisher_crls_use */
    struct publisher_authority *list;
    size_t count;
    size_t under_way; /* CRLs that are not idle */
    /* publisher_hosts.c */
    struct ca_host host;
    bool leads;      /* CRLs are made here, and not copied */
    lt_time copied;  /* what was published before this is in the files */
    int64_t look_ms; /* when the book is looked at next */
};

/* publisher_hosts.c: which of several hosts publishes. Store and list must be set. */
LT_MUST_USE lt_res publisher_hosts_start(struct publisher_crls *p, const char *host);
void publisher_hosts_tick(struct publisher_crls *p, lt_time now);
extern const struct store_sql *const publisher_hosts_sql;
extern const size_t publisher_hosts_sql_count;

/* publisher_crls.c: which there are, and when. */
LT_MUST_USE lt_res publisher_crls_start(struct publisher_crls *p, const struct ca_crl_issuer *issuers,
                                        size_t count);
/* After start, and when the configuration has changed. Parts only become more. */
LT_MUST_USE lt_res publisher_crls_use(struct publisher_crls *p, const struct ca_config *config);
void publisher_crls_tick(struct publisher_crls *p, lt_time now);
void publisher_crls_linked(struct publisher_crls *p, enum ipc_role peer);
void publisher_crls_unlinked(struct publisher_crls *p, enum ipc_role peer);
bool publisher_crls_drained(const struct publisher_crls *p);
lt_res publisher_crls_on_hint(struct publisher_crls *p, const struct ipc_msg *m);

/* publisher_crl.c: one CRL, step by step. */
void publisher_crl_begin(struct publisher_crls *p, struct publisher_crl *c, lt_time now);
/* It did not work; it is built anew later. */
void publisher_crl_fail(struct publisher_crls *p, struct publisher_crl *c, const char *why, int64_t wait_ms);
/* Said again when the registrar is there again: it knows the number by then, or it does not. */
void publisher_crl_store(struct publisher_crls *p, struct publisher_crl *c);
/* The book may hold a CRL that a crash kept from its file. */
LT_MUST_USE lt_res publisher_crl_recover(struct publisher_crls *p, struct publisher_crl *c);
lt_res publisher_crl_on_signed(struct publisher_crls *p, const struct ipc_msg *m);
lt_res publisher_crl_on_stored(struct publisher_crls *p, const struct ipc_msg *m);
void publisher_crl_metric(const char *name, const struct publisher_crl *c, int64_t value);

#endif
