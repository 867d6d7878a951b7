/* See event_loop.h. */
#include "role/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>

enum { TICK_MS = 100 };

struct loop {
    struct role_kit *kit;
    struct event_base *base;
};

static void on_kit(evutil_socket_t fd, short what, void *arg)
{
    const struct loop *l = arg;
    (void)fd;
    (void)what;
    if (!role_kit_dispatch(l->kit)) {
        (void)event_base_loopbreak(l->base); /* fails only without a base */
    }
}

lt_res role_event_loop(struct role_kit *kit, struct event_base *base)
{
    const struct timeval period = {.tv_usec = TICK_MS * 1000};
    struct loop l = {kit, base};
    struct event messages;
    struct event tick;
    bool fine = event_assign(&messages, base, role_kit_fd(kit), EV_READ | EV_PERSIST, on_kit, &l) == 0 &&
                event_assign(&tick, base, -1, EV_PERSIST, on_kit, &l) == 0 &&
                event_add(&messages, NULL) == 0 && event_add(&tick, &period) == 0;
    LT_ASSERT(fine);
    int done = event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    (void)event_del(&messages); /* both are on our stack */
    (void)event_del(&tick);
    LT_CHECK(done == 0, LT_STATE_IO, "the event loop failed");
    return LT_OK;
}
