#ifndef ROLE_COURIER_USAGE_H
#define ROLE_COURIER_USAGE_H
/* In-use scans: goes to the names of certificates and says which certificate each shows.
 *
 * As many connections a second and at once as the scan says, never more than four to one address, none to an
 * address of a private network unless the configuration has such a network, none to whom usage/targets
 * excepts. A name is looked up in the DNS as any client would; a spoofed answer leads to a server that cannot
 * finish the handshake for a certificate that is not its own.
 */
#include "usage.pb-c.h"

#include "base/result.h"

struct event_base;
struct courier_usage; /* one owner */

/* said is valid during the call. */
typedef void courier_usage_told(void *self, const Ipc__UsageSeen *said);

/* usage/targets that are wrong are no reason to leave everything else undone: then it looks at nothing, and
 * says why. courier_usage_broken is that, or "". */
LT_MUST_USE lt_res courier_usage_new(struct event_base *base, const char *folder, courier_usage_told *told,
                                     void *self, struct courier_usage **ret_usage);
/* Drops what is under way without a word. */
void courier_usage_free(struct courier_usage *c);
/* usage/targets is read again. */
LT_MUST_USE lt_res courier_usage_reload(struct courier_usage *c, const char *folder);
const char *courier_usage_broken(const struct courier_usage *c);
/* Each target is told once, from the loop or from the tick. */
void courier_usage_look(struct courier_usage *c, const Ipc__UsageLook *look);
/* What still waits is not looked at, and not told. */
void courier_usage_stop(struct courier_usage *c, int64_t scan);
/* Tells what has gathered. */
void courier_usage_tick(struct courier_usage *c);
size_t courier_usage_open(const struct courier_usage *c); /* connections and look-ups */

#endif
