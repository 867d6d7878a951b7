#ifndef CA_PUBLIC_TRUST_H
#define CA_PUBLIC_TRUST_H
/* What a CA needs today before it may issue by a profile that browsers trust (`public: true`): a name for
 * CAA, DNSSEC from the root that all know, the ports that the rules name, no private addresses, and
 * perspectives enough, in regions enough. One judgement for the registrar, which refuses,
 * and for status, doctor and `config check`, which tell. Refuses nothing itself, opens nothing.
 */
#include "ca/config.h"
#include "ca/profile.h"
#include "validate/perspective.h"

enum { CA_PUBLIC_LACKS = 7, CA_PUBLIC_LACK_MAX = 200, CA_PUBLIC_SOON_DAYS = 60 };

struct ca_public_trust {
    char lacks[CA_PUBLIC_LACKS][CA_PUBLIC_LACK_MAX]; /* sentences without a full stop, the rule named */
    size_t lack_count;                               /* 0: nothing is in the way */
    size_t of_config;                                /* of them, the first: what the configuration says */
    char soon[CA_PUBLIC_LACK_MAX]; /* what will be missing within CA_PUBLIC_SOON_DAYS; "" for nothing */
};

/* perspectives: NULL for none. */
void ca_public_trust_judge(const struct ca_config *config, const struct validate_perspectives *perspectives,
                           lt_time now, struct ca_public_trust *ret_trust);
/* The profile for orders that browsers are to trust, at *at or after it, and *at behind it; NULL: none
 * (more).
 */
const struct ca_profile *ca_public_profile(const struct ca_profiles *profiles, size_t *at);
/* "tls-server, tls-server-short": all of them, cut to the buffer. */
void ca_public_profile_names(const struct ca_profiles *profiles, char *ret_text, size_t size);

#endif
