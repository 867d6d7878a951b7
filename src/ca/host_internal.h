#ifndef CA_HOST_INTERNAL_H
#define CA_HOST_INTERNAL_H
/* Between host.c, for who reads, and host_book.c, for the registrar. */
#include "ca/host.h"

enum { CA_HOST_MAIN = 1 };

struct ca_host_found {
    int64_t id;   /* 0: not there */
    int64_t last; /* of all */
    lt_time seen;
    char signer[sizeof((struct ca_host *)0)->signer];
    char same_chain[CA_HOST_NAME_MAX + 1]; /* another host that has it; empty: none */
};

/* chain: NULL where nobody asks who has it. */
LT_MUST_USE lt_res ca_hosts_find(struct store *s, const char *name, const char *chain,
                                 struct ca_host_found *f);
void ca_host_take(struct store *s, const char *name, const struct ca_host_found *f, struct ca_host *ret_host);
LT_MUST_USE lt_res ca_lease_get(struct store *s, enum ca_lease lease, int64_t *ret_host, int64_t *ret_fence,
                                int64_t *ret_until_us);

#endif
