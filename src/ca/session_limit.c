/* See session_limit.h. When every place is taken, the window with the fewest makes room. */
#include "ca/session_limit.h"

#include "ca/session.h"

static bool over(const struct ca_session_window *w, lt_time now)
{
    return now.us - w->since_us >= (int64_t)CA_LOGIN_WINDOW_S * LT_US_PER_SECOND || now.us < w->since_us;
}

int64_t ca_session_wait_s(const struct ca_session_limits *l, uint64_t key, uint32_t most, lt_time now)
{
    for (size_t i = 0; i < CA_SESSION_LIMITS; i++) {
        const struct ca_session_window *w = &l->rows[i];
        if (w->key == key && w->count >= most && !over(w, now)) {
            return (w->since_us - now.us) / LT_US_PER_SECOND + CA_LOGIN_WINDOW_S + 1;
        }
    }
    return 0;
}

static struct ca_session_window *place_of(struct ca_session_limits *l, uint64_t key, lt_time now)
{
    struct ca_session_window *least = &l->rows[0];
    for (size_t i = 0; i < CA_SESSION_LIMITS; i++) {
        struct ca_session_window *w = &l->rows[i];
        if (over(w, now)) {
            w->count = 0;
        }
        if (w->key == key) {
            return w;
        }
        least = w->count < least->count ? w : least;
    }
    return least;
}

void ca_session_count(struct ca_session_limits *l, uint64_t key, lt_time now)
{
    struct ca_session_window *w = place_of(l, key, now);
    if (w->key != key || w->count == 0) {
        *w = (struct ca_session_window){key, now.us, 0};
    }
    w->count++;
}
