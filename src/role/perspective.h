#ifndef ROLE_PERSPECTIVE_H
#define ROLE_PERSPECTIVE_H
/* A remote network perspective: three processes. The first (perspective.c) opens files and the port, starts
 * the other two, each under a user of its own where it is root, and replaces them when one of them ends; it
 * reads nothing foreign. The front (perspective_front.c) has the key: it ends TLS, takes questions from
 * couriers that it knows, and signs answers. The validator (role/validator.c) is the same program as in a CA:
 * what strangers say is read there, and in its workers for one account each.
 */
#include "base/log.h"

/* What the front finds open. */
enum {
    PERSPECTIVE_LINK_FD = 3, /* to the validator */
    PERSPECTIVE_LISTEN_FD = 4,
    PERSPECTIVE_KEY_FD = 5,
    PERSPECTIVE_SETTINGS_FD = 6,
};

/* The exit status. */
int perspective_front(bool sandbox, enum lt_log_format format);

#endif
