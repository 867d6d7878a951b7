/* A validation that ended by our own fault (a worker died over it) is asked again, a few times: the client
 * did nothing wrong. How often lives in a small table; who finds its place taken is not asked again, so that
 * nothing goes on for ever.
 */
#include <string.h>

#include "acme/desk_private.h"

enum { TIMES_MAX = 3, FORGET_S = 600 };

bool acme_again(struct acme_desk *d, const struct ca_turn *t, const Ipc__Validated *v)
{
    if (v->ok || v->problem == NULL || strcmp(v->problem->type, "serverInternal") != 0) {
        return false;
    }
    struct acme_retry *r = &d->retries[(uint64_t)v->authorization_id % ACME_RETRIES];
    bool old = lt_time_add_seconds(r->last, FORGET_S).us <= t->now.us;
    bool same = r->authorization == v->authorization_id;
    if (!old && !same) {
        return false;
    }
    if (old || !same) {
        *r = (struct acme_retry){.authorization = v->authorization_id};
    }
    r->last = t->now;
    return ++r->times <= TIMES_MAX;
}
