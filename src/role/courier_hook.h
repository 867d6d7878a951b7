#ifndef ROLE_COURIER_HOOK_H
#define ROLE_COURIER_HOOK_H
/* Notices to machines: one POST each, of the bytes and the signature that the registrar made. When to try
 * again is the registrar's to say; of the answer its status alone counts.
 *
 * Refuses: to follow a redirection, to go anywhere but to https with a certificate of the system's roots, and
 * to addresses that are none of the Internet's; both may be where the CA lives in a private network. */
#include "mail.pb-c.h"

#include "base/result.h"

struct event_base;
struct courier_hook; /* one owner */

/* said is valid during the call. */
typedef void courier_hooked(void *self, const Ipc__HookSent *said);

/* Before the doors close: it opens what it needs. */
LT_MUST_USE lt_res courier_hook_new(struct event_base *base, courier_hooked *told, void *self,
                                    struct courier_hook **ret_hook);
/* Drops what is under way without a word. */
void courier_hook_free(struct courier_hook *h);
/* told is called once, from the loop or from the tick. */
void courier_hook_send(struct courier_hook *h, const Ipc__HookSend *notice);
/* What could not even begin is told here. */
void courier_hook_tick(struct courier_hook *h);
size_t courier_hook_open(const struct courier_hook *h);

#endif
