/* Mass revocations in the registrar: slices between what others ask. A slice is a message that nobody sent:
 * in its own savepoint, committed like any other. */
#include "ca/mass.h"
#include "role/registrar.h"

/* Nobody waits longer for a slice than this. */
enum { SLICES_MS = 15 };

static lt_res step_slice(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    bool more = false;
    t->book->mass.pending = false; /* when it fails, too: the next second looks again */
    LT_TRY(ca_mass_step(t, &more));
    t->book->mass.pending = t->book->mass.pending || more;
    return LT_OK;
}

void registrar_mass_slices(struct registrar *g)
{
    int64_t until_ms = lt_monotonic_ms() + SLICES_MS;
    if (!g->book->mass.pending || g->failing || role_draining(g->kit)) {
        return;
    }
    do {
        lt_ignore(registrar_run(g, step_slice, NULL)); /* logged there */
    } while (g->book->mass.pending && lt_monotonic_ms() < until_ms);
    registrar_commit(g);
    if (g->book->mass.pending) {
        role_again(g->kit);
    }
}
