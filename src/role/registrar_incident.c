/* The incident desk in the registrar: what is due in each of its areas, in slices between what others ask. A
 * slice is a message that nobody sent: in its own savepoint, so that an area which fails keeps nothing else
 * back. */
#include <sys/epoll.h>

#include "ca/host.h"
#include "incident/op.h"
#include "role/registrar.h"

/* So long at a time, when nobody asks anything: more slices share a sync. */
enum { SLICES_MS = 15 };

static lt_res step_beat(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    bool mine = false;
    bool more = false;
    size_t area = g->beating;
    struct incident_beat b = {.t = t, .config = g->config, .desk = g->desk};
    (void)m;
    g->beats &= ~(UINT32_C(1) << area); /* when it fails, too: the next second looks again */
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    if (!mine) {
        return LT_OK;
    }
    LT_TRY(incident_beat_run(&b, area, &more));
    g->beats |= (uint32_t)more << area;
    return LT_OK;
}

static bool somebody_asks(const struct registrar *g)
{
    struct epoll_event one; /* level-triggered: the kit sees it again */
    return epoll_wait(role_kit_fd(g->kit), &one, 1, 0) > 0;
}

void registrar_incident_second(struct registrar *g)
{
    g->beats = (UINT32_C(1) << incident_area_count) - 1;
}

void registrar_incident_slices(struct registrar *g)
{
    int64_t until_ms = lt_monotonic_ms() + SLICES_MS;
    bool asked = false;
    if (g->beats == 0 || g->failing || role_draining(g->kit)) {
        return;
    }
    do {
        g->beating = (g->beating + 1) % incident_area_count;
        if ((g->beats >> g->beating & 1) != 0) {
            lt_ignore(registrar_run(g, step_beat, NULL)); /* logged there */
            asked = somebody_asks(g);
        }
    } while (g->beats != 0 && !asked && lt_monotonic_ms() < until_ms);
    if (asked && g->open) {
        g->opened_us = lt_now().us; /* the group's time begins with the first question */
    } else {
        registrar_commit(g);
    }
    if (g->beats != 0 || g->open) {
        role_again(g->kit);
    }
}
