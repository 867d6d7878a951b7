/* Whether a profile can be met at all: certificates with its policies, judged by its lint-profile. What does
 * not fit is no mistake of the file's form, but the gate would refuse every order. */
#include "ca/profile.h"

static const struct {
    enum lint_profile profile;
    enum x509_oid policy;
} reserved[] = {
    {LINT_PROFILE_TLS_DV, X509_OID_POLICY_DV},
    {LINT_PROFILE_TLS_OV, X509_OID_POLICY_OV},
    {LINT_PROFILE_TLS_IV, X509_OID_POLICY_IV},
    {LINT_PROFILE_TLS_EV, X509_OID_POLICY_EV},
    {LINT_PROFILE_SMIME_MV_LEGACY, X509_OID_POLICY_SMIME_MV_LEGACY},
    {LINT_PROFILE_SMIME_MV_MULTIPURPOSE, X509_OID_POLICY_SMIME_MV_MULTIPURPOSE},
    {LINT_PROFILE_SMIME_MV_STRICT, X509_OID_POLICY_SMIME_MV_STRICT},
    {LINT_PROFILE_SMIME_OV_LEGACY, X509_OID_POLICY_SMIME_OV_LEGACY},
    {LINT_PROFILE_SMIME_OV_MULTIPURPOSE, X509_OID_POLICY_SMIME_OV_MULTIPURPOSE},
    {LINT_PROFILE_SMIME_OV_STRICT, X509_OID_POLICY_SMIME_OV_STRICT},
    {LINT_PROFILE_SMIME_SV_LEGACY, X509_OID_POLICY_SMIME_SV_LEGACY},
    {LINT_PROFILE_SMIME_SV_MULTIPURPOSE, X509_OID_POLICY_SMIME_SV_MULTIPURPOSE},
    {LINT_PROFILE_SMIME_SV_STRICT, X509_OID_POLICY_SMIME_SV_STRICT},
    {LINT_PROFILE_SMIME_IV_LEGACY, X509_OID_POLICY_SMIME_IV_LEGACY},
    {LINT_PROFILE_SMIME_IV_MULTIPURPOSE, X509_OID_POLICY_SMIME_IV_MULTIPURPOSE},
    {LINT_PROFILE_SMIME_IV_STRICT, X509_OID_POLICY_SMIME_IV_STRICT},
};

/* AUTO: no reserved one of TLS or S/MIME. */
static enum lint_profile profile_of(enum x509_oid policy)
{
    for (size_t i = 0; i < LT_COUNT(reserved); i++) {
        if (reserved[i].policy == policy) {
            return reserved[i].profile;
        }
    }
    return LINT_PROFILE_AUTO;
}

static bool has_policy_of_its_own(enum lint_profile profile)
{
    for (size_t i = 0; i < LT_COUNT(reserved); i++) {
        if (reserved[i].profile == profile) {
            return true;
        }
    }
    return false;
}

const char *ca_profile_contradiction(const struct ca_profile *p)
{
    bool tls = p->lint_profile >= LINT_PROFILE_TLS_DV && p->lint_profile <= LINT_PROFILE_TLS;
    bool found = !has_policy_of_its_own(p->lint_profile);
    bool needed = !found;
    for (uint32_t i = 0; p->kind != CA_PROFILE_CA && i < p->policy_count; i++) {
        enum x509_oid oid = x509_oid_find(p->policies[i]);
        enum lint_profile of = profile_of(oid);
        if (needed && of != LINT_PROFILE_AUTO && of != p->lint_profile) {
            return "one of its policies is reserved for another kind of certificate than its lint-profile";
        }
        if (tls && oid == X509_OID_ANY_POLICY) {
            return "anyPolicy is no policy of a TLS subscriber";
        }
        found = found || of == p->lint_profile;
    }
    return found || p->kind == CA_PROFILE_CA || p->kind == CA_PROFILE_RESPONDER
               ? NULL
               : "its policies lack the one that is reserved for its lint-profile";
}
