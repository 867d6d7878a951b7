/* Where the desk of a test CA behaves worse than it could, so that clients are seen to cope. */
#include "acme/desk_private.h"

void acme_desk_use_testing(struct acme_desk *d, uint32_t nonce_reject, uint32_t authz_reuse)
{
    d->nonce_reject = nonce_reject;
    d->authz_forget = authz_reuse < 100 ? 100 - authz_reuse : 0;
}

void acme_desk_use_always_valid(struct acme_desk *d)
{
    d->always_valid = true;
}

static bool draw(struct acme_desk *d, uint32_t percent)
{
    uint32_t drawn = 0;
    if (percent == 0) {
        return false; /* every CA but a test CA */
    }
    d->random((uint8_t *)&drawn, sizeof drawn);
    return drawn % 100 < percent;
}

bool acme_testing_rejects(struct acme_desk *d)
{
    return draw(d, d->nonce_reject);
}

bool acme_testing_forgets(struct acme_desk *d)
{
    return draw(d, d->authz_forget);
}
