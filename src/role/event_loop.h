#ifndef ROLE_EVENT_LOOP_H
#define ROLE_EVENT_LOOP_H
/* For roles whose own work lives in a libevent loop: the kit's messages and ticks come by in the same one. */
#include "role/kit.h"

struct event_base;

/* Runs until the kit says stop. Both are borrowed. LT_STATE_IO: the loop failed. */
LT_MUST_USE lt_res role_event_loop(struct role_kit *kit, struct event_base *base);

#endif
