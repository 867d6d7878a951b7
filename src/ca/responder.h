#ifndef CA_RESPONDER_H
#define CA_RESPONDER_H
/* Certificates of delegated OCSP responders (RFC 6960 4.2.2.2): a profile of kind responder for each issuer
 * with ocsp: true. The ocsp-signer asks by itself, the examiner judges it like any other certificate, and it
 * stands in the book like any other. Exempt from names and their validation: it has none. */
#include "ca/config.h"
#include "ca/issue.h"
#include "ocsp.pb-c.h"

/* LT_PEER_UNSUPPORTED: that issuer has no OCSP, or no profile for it. */
LT_MUST_USE lt_res ca_responder_request(struct ca_turn *t, const struct ca_config *config,
                                        const struct ipc_addr *from, const Ipc__ResponderRequest *m);
/* Answers a request whose handler failed with r. */
LT_MUST_USE lt_res ca_responder_failed(struct ca_turn *t, const struct ipc_addr *to, lt_res r);
/* The outcome of an intent whose requester is "ocsp": answers who waits. */
LT_MUST_USE lt_res ca_responder_outcome(struct ca_turn *t, const struct ca_outcome *o);

#endif
