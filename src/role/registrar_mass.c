/* Mass revocations in the registrar: slices between what others ask. A slice is a message that nobody sent:
 * in its own savepoint, committed like any other. */
#include <sys/epoll.h>

#include "ca/mass.h"
#include "role/registrar.h"

/* So long, when nobody asks anything: more slices share a sync. A batch that is sealed is a row and a frame.
 */
enum { SLICES_MS = 15, SEALING_MS = 120 };

static lt_res step_slice(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    bool more = false;
    bool mine = false;
    t->book->mass.sealing = false;
    t->book->mass.pending = false; /* when it fails, too: the next second looks again */
    LT_TRY(ca_lease_check(t, CA_LEASE_MASS, &mine));
    if (!mine) {
        return LT_OK;
    }
    LT_TRY(ca_mass_step(t, &more));
    t->book->mass.pending = t->book->mass.pending || more;
    return LT_OK;
}

static bool somebody_asks(const struct registrar *g)
{
    struct epoll_event one; /* level-triggered: the kit sees it again */
    return epoll_wait(role_kit_fd(g->kit), &one, 1, 0) > 0;
}

/* Who asks waits for one slice at most, and shares its commit: with a sync each, both would be slower. */
void registrar_mass_slices(struct registrar *g)
{
    int64_t began_ms = lt_monotonic_ms();
    bool asked = false;
    if (!g->book->mass.pending || g->failing || role_draining(g->kit)) {
        return;
    }
    do {
        lt_ignore(registrar_run(g, step_slice, NULL)); /* logged there */
        asked = somebody_asks(g);
    } while (g->book->mass.pending && !asked &&
             lt_monotonic_ms() - began_ms < (g->book->mass.sealing ? SEALING_MS : SLICES_MS));
    g->book->mass.busy = asked;
    if (asked && g->open) {
        g->opened_us = lt_now().us; /* the group's time begins with the first question */
    } else {
        registrar_commit(g);
    }
    if (g->book->mass.pending || g->open) {
        role_again(g->kit);
    }
}
