#ifndef CA_SERVICE_H
#define CA_SERVICE_H
/* The gateways' own TLS certificates: profile "service", issuer "workload", the configured host names, 7
 * days. Exempt from nothing but domain validation. */
#include "ca/config.h"
#include "ca/issue.h"
#include "http.pb-c.h"

LT_MUST_USE lt_res ca_service_request(struct ca_turn *t, const struct ca_config *config,
                                      const struct ipc_addr *from, const Ipc__ServiceCertificateRequest *m);
/* Answers a request whose handler failed with r. */
LT_MUST_USE lt_res ca_service_failed(struct ca_turn *t, const struct ipc_addr *to, lt_res r);
/* The outcome of an intent whose requester is "service": answers who waits. */
LT_MUST_USE lt_res ca_service_outcome(struct ca_turn *t, const struct ca_outcome *o);

#endif
