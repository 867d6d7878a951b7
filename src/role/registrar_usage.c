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
    (void)g;
    (void)m;
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    if (!mine) {
        return LT_OK;
    }
    LT_TRY(ca_truth_sweep(t, &more));
    t->book->truth_swept = !more;
    return LT_OK;
}

lt_res registrar_usage_tick(struct registrar *g)
{
    int64_t until_ms = lt_monotonic_ms() + SWEEP_MS;
    LT_TRY(registrar_run(g, step_usage, NULL));
    bool more = !g->book->truth_swept && !g->book->mass.pending; /* that is waited for */
    while (more) {
        LT_TRY(registrar_run(g, step_sweep, NULL));
        more = !g->book->truth_swept && g->book->examiner_linked && lt_monotonic_ms() < until_ms;
    }
    return LT_OK;
}
