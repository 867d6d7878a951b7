#ifndef ROLE_COURIER_CRL_H
#define ROLE_COURIER_CRL_H
/* What the CA publishes, fetched back as a relying party would: over plain HTTP from the address that stands
 * in certificates, then parsed and verified (ca/crl_check.h). One at a time, in the order in which they were
 * asked; when to look again is the registrar's to say. */
#include "publish.pb-c.h"

#include "base/result.h"

struct event_base;
struct courier_crl; /* one owner */

/* said is valid during the call. */
typedef void courier_crl_told(void *self, const Ipc__CrlFetched *said);

struct courier_crl *courier_crl_new(struct event_base *base, courier_crl_told *told, void *self);
/* Drops what is under way without a word. */
void courier_crl_free(struct courier_crl *c);
/* told is called once, from the loop or from the tick. */
void courier_crl_ask(struct courier_crl *c, const Ipc__CrlFetch *asked);
/* Begins what waits. */
void courier_crl_tick(struct courier_crl *c);
size_t courier_crl_open(const struct courier_crl *c);

#endif
