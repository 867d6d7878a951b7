/* The registrar's part in scans, and what it finds out by itself about certificates that came without it. */
#include "ca/host.h"
#include "ca/truth.h"
#include "ca/usage.h"
#include "role/registrar.h"

/* Of each tick: a book that is new to this goes through it in the background. */
enum { SWEEP_MS = 15 };

lt_res registrar_endpoints(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_usage_on_endpoints(t, (const Ipc__Endpoints *)(const void *)m->body);
}

lt_res registrar_seen(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_usage_on_seen(t, (const Ipc__UsageSeen *)(const void *)m->body);
}

static lt_res step_usage(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    return ca_usage_step(t);
}

static lt_res step_sweep(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    bool mine = false;
    bool more = true;
    (void)m;
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    if (!mine) {
        g->sweeping = false; /* another host does it */
        return LT_OK;
    }
    LT_TRY(ca_truth_sweep(t, &more));
    t->book->truth_swept = !more;
    g->sweeping = more;
    return LT_OK;
}

lt_res registrar_usage_tick(struct registrar *g)
{
    int64_t until_ms = lt_monotonic_ms() + SWEEP_MS;
    lt_time now = lt_now();
    bool look = now.us >= g->usage_next.us || g->usage_next.us > now.us + LT_US_PER_SECOND;
    g->usage_next = look ? lt_time_add_seconds(now, 1) : g->usage_next;
    if (look || g->book->usage.scan != 0) {
        LT_TRY(registrar_run(g, step_usage, NULL));
    }
    bool more = !g->book->truth_swept && (look || g->sweeping) &&
                !g->book->mass.pending; /* that is waited for */
    while (more) {
        LT_TRY(registrar_run(g, step_sweep, NULL));
        more = g->sweeping && g->book->examiner_linked && lt_monotonic_ms() < until_ms;
    }
    return LT_OK;
}
