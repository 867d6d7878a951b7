#ifndef VALIDATE_RESOLVE_H
#define VALIDATE_RESOLVE_H
/* Every question to the DNS, by libunbound on the caller's loop, with what DNSSEC said. A look-up that
 * failed, or was bogus, gives no records: it is never permission.
 *
 * libunbound may call back before its own call returns; this module never does: its answer always comes from
 * the loop. */
#include <event2/event.h>

#include "validate/dns_answer.h"

struct validate_resolver; /* one owner */
struct validate_lookup;   /* running; owned by the resolver until it has answered or was dropped */

enum validate_dnssec { VALIDATE_INSECURE, VALIDATE_BOGUS, VALIDATE_SECURE };
const char *validate_dnssec_word(enum validate_dnssec d); /* "secure" */

enum validate_outcome {
    VALIDATE_DNS_FOUND,   /* records of the type */
    VALIDATE_DNS_NODATA,  /* the name is there, the type is not */
    VALIDATE_DNS_MISSING, /* NXDOMAIN */
    VALIDATE_DNS_FAILED,  /* SERVFAIL, refused, bogus, broken: nothing is known */
};

/* The answer to one question. */
struct validate_dns {
    const char *name; /* asked */
    uint16_t type;
    enum validate_outcome outcome;
    enum validate_dnssec dnssec;
    char why[256];                        /* of bogus or of a failure; or why "insecure" says little */
    struct validate_dns_message *message; /* borrowed; chain and records; empty but for the name on FAILED */
};

/* count: 1, or 2 of the pair AAAA, A. Valid during the call. */
typedef void validate_asked(void *self, const struct validate_dns *answers, size_t count);

struct validate_resolver_options {
    const char *forwarder; /* "127.0.0.1@8053"; "" for none: from the root down */
    const char *anchor;    /* DNSSEC trust anchors as text, DS or DNSKEY a line; "" for none */
};

LT_MUST_USE lt_res validate_resolver_new(struct event_base *base,
                                         const struct validate_resolver_options *options,
                                         struct validate_resolver **ret_resolver);
/* Drops what is running. */
void validate_resolver_free(struct validate_resolver *r);
/* One question. LT_RETRY_UNAVAILABLE when libunbound refuses it. */
LT_MUST_USE lt_res validate_ask(struct validate_resolver *r, const char *name, uint16_t type,
                                validate_asked *done, void *self, struct validate_lookup **ret_lookup);
/* AAAA and A of the name, together. */
LT_MUST_USE lt_res validate_ask_addresses(struct validate_resolver *r, const char *name, validate_asked *done,
                                          void *self, struct validate_lookup **ret_lookup);
/* The answer is not wanted any more; it will not come. NULL is fine. */
void validate_resolve_drop(struct validate_lookup *lookup);

#endif
