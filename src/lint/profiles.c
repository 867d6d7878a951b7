/* The table of profiles. */
#include "lint/profiles.h"

#define SOURCE(name_) (UINT32_C(1) << LINT_##name_)
#define CABF (SOURCE(CABF_BR) | SOURCE(CABF_CS_BR) | SOURCE(CABF_EV) | SOURCE(CABF_SMIME_BR))
/* Who asks something of CAs that the public trusts. */
#define PROGRAMS (SOURCE(MOZILLA) | SOURCE(APPLE) | SOURCE(CHROME))
#define NO_TLS (SOURCE(CABF_BR) | SOURCE(CABF_EV) | SOURCE(CHROME) | SOURCE(RFC6962))
#define TLS_ONLY (SOURCE(CABF_SMIME_BR) | SOURCE(CABF_CS_BR))
#define MAIL_ONLY (NO_TLS | SOURCE(CABF_CS_BR))

#define TLS_OF(type_) (LINT_IS_SERVER_AUTH | LINT_IS_TLS | (type_))
#define SMIME_OF(type_) (LINT_IS_EMAIL | LINT_IS_SMIME | (type_))

static const struct {
    uint64_t facts;
    uint32_t silent;
} table[LINT_PROFILE_COUNT] = {
    [LINT_PROFILE_PRIVATE] = {0, CABF | PROGRAMS | SOURCE(COMMUNITY) | SOURCE(ETSI_ESI)},
    [LINT_PROFILE_TLS] = {TLS_OF(0), TLS_ONLY},
    [LINT_PROFILE_TLS_DV] = {TLS_OF(LINT_IS_DV), TLS_ONLY},
    [LINT_PROFILE_TLS_OV] = {TLS_OF(LINT_IS_OV), TLS_ONLY},
    [LINT_PROFILE_TLS_IV] = {TLS_OF(LINT_IS_IV), TLS_ONLY},
    [LINT_PROFILE_TLS_EV] = {TLS_OF(LINT_IS_EV | LINT_IS_EV_ANY), TLS_ONLY},
    [LINT_PROFILE_SMIME] = {SMIME_OF(0), MAIL_ONLY},
    [LINT_PROFILE_SMIME_MV_LEGACY] = {SMIME_OF(LINT_IS_SMIME_MV | LINT_IS_SMIME_LEGACY), MAIL_ONLY},
    [LINT_PROFILE_SMIME_MV_MULTIPURPOSE] = {SMIME_OF(LINT_IS_SMIME_MV | LINT_IS_SMIME_MULTIPURPOSE),
                                            MAIL_ONLY},
    [LINT_PROFILE_SMIME_MV_STRICT] = {SMIME_OF(LINT_IS_SMIME_MV | LINT_IS_SMIME_STRICT), MAIL_ONLY},
    [LINT_PROFILE_SMIME_OV_LEGACY] = {SMIME_OF(LINT_IS_SMIME_OV | LINT_IS_SMIME_LEGACY), MAIL_ONLY},
    [LINT_PROFILE_SMIME_OV_MULTIPURPOSE] = {SMIME_OF(LINT_IS_SMIME_OV | LINT_IS_SMIME_MULTIPURPOSE),
                                            MAIL_ONLY},
    [LINT_PROFILE_SMIME_OV_STRICT] = {SMIME_OF(LINT_IS_SMIME_OV | LINT_IS_SMIME_STRICT), MAIL_ONLY},
    [LINT_PROFILE_SMIME_SV_LEGACY] = {SMIME_OF(LINT_IS_SMIME_SV | LINT_IS_SMIME_LEGACY), MAIL_ONLY},
    [LINT_PROFILE_SMIME_SV_MULTIPURPOSE] = {SMIME_OF(LINT_IS_SMIME_SV | LINT_IS_SMIME_MULTIPURPOSE),
                                            MAIL_ONLY},
    [LINT_PROFILE_SMIME_SV_STRICT] = {SMIME_OF(LINT_IS_SMIME_SV | LINT_IS_SMIME_STRICT), MAIL_ONLY},
    [LINT_PROFILE_SMIME_IV_LEGACY] = {SMIME_OF(LINT_IS_SMIME_IV | LINT_IS_SMIME_LEGACY), MAIL_ONLY},
    [LINT_PROFILE_SMIME_IV_MULTIPURPOSE] = {SMIME_OF(LINT_IS_SMIME_IV | LINT_IS_SMIME_MULTIPURPOSE),
                                            MAIL_ONLY},
    [LINT_PROFILE_SMIME_IV_STRICT] = {SMIME_OF(LINT_IS_SMIME_IV | LINT_IS_SMIME_STRICT), MAIL_ONLY},
    [LINT_PROFILE_CODE_SIGNING] = {LINT_IS_CODE_SIGNING, NO_TLS | SOURCE(CABF_SMIME_BR)},
};

uint64_t lint_profile_facts(enum lint_profile profile)
{
    LT_ASSERT((unsigned)profile < LINT_PROFILE_COUNT);
    return table[profile].facts;
}

/* BR 2.0.0 (ballot SC-62) brought the profiles of 7.1.2, S/MIME BR 1.0.0 those of mail. */
int64_t lint_profile_since(enum lint_profile profile)
{
    uint64_t facts = lint_profile_facts(profile);
    if ((facts & LINT_IS_SMIME) != 0) {
        return LINT_DAY(2023, 9, 1);
    }
    return (facts & LINT_IS_TLS) != 0 ? LINT_DAY(2023, 9, 15) : 0;
}

uint32_t lint_profile_silent(enum lint_profile profile)
{
    LT_ASSERT((unsigned)profile < LINT_PROFILE_COUNT);
    return table[profile].silent;
}
