#ifndef VALIDATE_RESOLVE_H
#define VALIDATE_RESOLVE_H
/* Addresses of a name by libunbound on the caller's loop, with what DNSSEC said. A look-up that failed, or
 * was bogus, gives no addresses: it is never permission.
 *
 * libunbound may call back before its own call returns; this module never does: its answer always comes from
 * the loop. */
#include <event2/event.h>

#include "validate/dns_answer.h"

struct validate_resolver; /* one owner */
struct validate_lookup;   /* running; owned by the resolver until it has answered or was dropped */

enum validate_dnssec { VALIDATE_INSECURE, VALIDATE_BOGUS, VALIDATE_SECURE };

struct validate_answers {
    struct validate_address list[VALIDATE_ADDRESSES_MAX]; /* IPv6 first */
    size_t count;
    enum validate_dnssec dnssec; /* the worst of the two look-ups */
    char why[200];               /* of bogus, or of a failure */
    bool missing;                /* NXDOMAIN: the name does not exist */
    bool failed;                 /* both look-ups ended in an error (SERVFAIL, time-out, bogus) */
};

typedef void validate_resolved(void *self, const struct validate_answers *a);

struct validate_resolver_options {
    const char *forwarder; /* "127.0.0.1@8053"; "" for none: from the root down */
    const char *anchor;    /* file of trust anchors; "" for none */
};

LT_MUST_USE lt_res validate_resolver_new(struct event_base *base,
                                         const struct validate_resolver_options *options,
                                         struct validate_resolver **ret_resolver);
/* Drops what is running. */
void validate_resolver_free(struct validate_resolver *r);
/* AAAA and A of the name, together. LT_RETRY_UNAVAILABLE when libunbound refuses the question. */
LT_MUST_USE lt_res validate_resolve(struct validate_resolver *r, const char *name, validate_resolved *done,
                                    void *self, struct validate_lookup **ret_lookup);
/* The answer is not wanted any more; it will not come. */
void validate_resolve_drop(struct validate_lookup *lookup);

#endif
