#ifndef VALIDATE_VALIDATE_H
#define VALIDATE_VALIDATE_H
/* Proof of control over a name, from this perspective: resolve with DNSSEC, connect, ask, compare, and say
 * all that was seen. Runs on the caller's libevent loop; thousands at once. Decides nothing for the
 * registrar: an answer is a statement with evidence. A bogus or failed look-up is never permission.
 *
 * What a question holds, by method (methods.h):
 *   http-01, dns-01, dns-account-01, tls-alpn-01   token, key_authorization; dns-account-01: account_uri
 *   dns-persist-01                                 account_uri, issuer_domains
 *   dns-change       expected (the random value); token: "" for the name itself, or a label, "_" first
 *   website-change   expected; token: name of the file below /.well-known/pki-validation/
 *   email-…          topmost: the highest name whose contacts may answer; expected: "" to be told
 *                    all contacts there are, or the one that must be among them (email.c)
 *   caa              issuer_domains; token: the method that validationmethods is held against
 * CAA is looked up with each of them when issuer_domains is not empty and the identifier is a name.
 */
#include <event2/event.h>

#include "base/clock.h"
#include "base/slice.h"
#include "validate.pb-c.h"

struct validate_engine; /* owned by its maker */

struct validate_options {
    /* Strings are borrowed for validate_engine_new only. */
    const char *resolver;     /* "127.0.0.1@8053"; empty: from the root down, by ourselves */
    const char *trust_anchor; /* DNSSEC anchors, a record a line; empty: none, everything is "insecure" */
    uint16_t http_port;       /* 0: 80 */
    uint16_t https_port;      /* 0: 443; of redirects and of tls-alpn-01 */
    bool allow_private;
    int connect_timeout_ms; /* 0: 5,000 */
    int total_timeout_ms;   /* 0: 15,000 */
    size_t max_running;     /* 0: 1,024; more wait in a queue of max_waiting */
    size_t max_waiting;     /* 0: 65,536 */
    lt_time (*now)(void);   /* lt_now; tests: a clock of their own */
    const char *build;
    const char *perspective; /* "primary" */
};

/* The statement about one request; `v` is valid during the call. */
typedef void validate_answer(void *self, uint64_t id, const Ipc__Validated *v);

LT_MUST_USE lt_res validate_engine_new(struct event_base *base, const struct validate_options *options,
                                       validate_answer *answer, void *self,
                                       struct validate_engine **ret_engine);
/* Drops what is running without an answer. */
void validate_engine_free(struct validate_engine *e);
/* Begins; the answer comes later, also for what cannot be begun. id comes back with it. LT_RETRY_BUSY when
 * the queue is full too. */
LT_MUST_USE lt_res validate_start(struct validate_engine *e, uint64_t id, const Ipc__Validate *request);
size_t validate_running(const struct validate_engine *e);

#endif
