/* See session_limit.h. A key that finds its place taken drives out who stands there, unless that one is
 * nearer to its limit: then it shares the place, and waits with it. */
#include "ca/session_limit.h"

#include "ca/session.h"

static bool over(const struct ca_session_window *w, lt_time now)
{
    return now.us - w->since_us >= (int64_t)CA_LOGIN_WINDOW_S * LT_US_PER_SECOND || now.us < w->since_us;
}

int64_t ca_session_wait_s(const struct ca_session_limits *l, uint64_t key, uint32_t most, lt_time now)
{
    const struct ca_session_window *w = &l->rows[key % CA_SESSION_LIMITS];
    if (over(w, now) || w->count < most) {
        return 0;
    }
    return (w->since_us - now.us) / LT_US_PER_SECOND + CA_LOGIN_WINDOW_S + 1;
}

void ca_session_count(struct ca_session_limits *l, uint64_t key, lt_time now)
{
    struct ca_session_window *w = &l->rows[key % CA_SESSION_LIMITS];
    if (over(w, now)) {
        *w = (struct ca_session_window){key, now.us, 0};
    }
    w->count++;
}
