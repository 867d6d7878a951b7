#ifndef LINT_PROFILES_H
#define LINT_PROFILES_H
/* Private to lint/: what a given profile makes of the facts, and which documents do not speak of it. */
#include "lint/subject.h"

/* What a certificate is for: all of it comes from the profile when one is given. */
#define LINT_PURPOSE_FACTS                                                                                  \
    (LINT_IS_SERVER_AUTH | LINT_IS_EMAIL | LINT_IS_CODE_SIGNING | LINT_IS_DV | LINT_IS_OV | LINT_IS_IV |    \
     LINT_IS_EV | LINT_IS_EV_ANY | LINT_IS_SMIME | LINT_IS_SMIME_MV | LINT_IS_SMIME_OV | LINT_IS_SMIME_SV | \
     LINT_IS_SMIME_IV | LINT_IS_SMIME_LEGACY | LINT_IS_SMIME_MULTIPURPOSE | LINT_IS_SMIME_STRICT |          \
     LINT_IS_TLS)

uint64_t lint_profile_facts(enum lint_profile profile);
/* First day of the document that it stands in; 0 when it has none. */
int64_t lint_profile_since(enum lint_profile profile);
/* Bits 1 << enum lint_source: the documents that are silent about it. */
uint32_t lint_profile_silent(enum lint_profile profile);

#endif
