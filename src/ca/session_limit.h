#ifndef CA_SESSION_LIMIT_H
#define CA_SESSION_LIMIT_H
/* How often logging in may fail, or succeed: windows of fixed length, by key, in a table that does not grow.
 * Memory of the registrar; a restart forgets it. */
#include "base/clock.h"

enum { CA_SESSION_LIMITS = 256 };

struct ca_session_window {
    uint64_t key;
    int64_t since_us;
    uint32_t count;
};
struct ca_session_limits {
    struct ca_session_window rows[CA_SESSION_LIMITS];
};

/* How long to wait; 0: go on. */
int64_t ca_session_wait_s(const struct ca_session_limits *l, uint64_t key, uint32_t most, lt_time now);
void ca_session_count(struct ca_session_limits *l, uint64_t key, lt_time now);

#endif
