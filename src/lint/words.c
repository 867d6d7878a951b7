/* The words of the enums: zlint's for results and sources, the field's for roles and profiles. */
#include "lint/lint.h"

static const char *const statuses[LINT_STATUS_COUNT] = {"reserved", "NA",   "NE",    "pass",
                                                        "notice",   "warn", "error", "fatal"};
static const char *const sources[LINT_SOURCE_COUNT] = {
    [LINT_RFC3279] = "RFC3279",
    [LINT_RFC5280] = "RFC5280",
    [LINT_RFC5480] = "RFC5480",
    [LINT_RFC5891] = "RFC5891",
    [LINT_RFC6960] = "RFC6960",
    [LINT_RFC6962] = "RFC6962",
    [LINT_RFC8813] = "RFC8813",
    [LINT_CABF_BR] = "CABF_BR",
    [LINT_CABF_CS_BR] = "CABF_CS_BR",
    [LINT_CABF_EV] = "CABF_EV",
    [LINT_CABF_SMIME_BR] = "CABF_SMIME_BR",
    [LINT_MOZILLA] = "Mozilla",
    [LINT_APPLE] = "Apple",
    [LINT_CHROME] = "Chrome",
    [LINT_COMMUNITY] = "Community",
    [LINT_ETSI_ESI] = "ETSI_ESI",
    [LINT_X690] = "X690",
    [LINT_RFC2986] = "RFC2986",
    [LINT_LINTEL] = "Lintel",
};
static const char *const roles[LINT_ROLE_COUNT] = {"auto",   "root",       "cross-ca",
                                                   "sub-ca", "subscriber", "ocsp-responder"};
static const char *const profiles[LINT_PROFILE_COUNT] = {
    [LINT_PROFILE_AUTO] = "auto",
    [LINT_PROFILE_PRIVATE] = "private",
    [LINT_PROFILE_TLS_DV] = "tls-dv",
    [LINT_PROFILE_TLS_OV] = "tls-ov",
    [LINT_PROFILE_TLS_IV] = "tls-iv",
    [LINT_PROFILE_TLS_EV] = "tls-ev",
    [LINT_PROFILE_TLS] = "tls",
    [LINT_PROFILE_SMIME_MV_LEGACY] = "smime-mv-legacy",
    [LINT_PROFILE_SMIME_MV_MULTIPURPOSE] = "smime-mv-multipurpose",
    [LINT_PROFILE_SMIME_MV_STRICT] = "smime-mv-strict",
    [LINT_PROFILE_SMIME_OV_LEGACY] = "smime-ov-legacy",
    [LINT_PROFILE_SMIME_OV_MULTIPURPOSE] = "smime-ov-multipurpose",
    [LINT_PROFILE_SMIME_OV_STRICT] = "smime-ov-strict",
    [LINT_PROFILE_SMIME_SV_LEGACY] = "smime-sv-legacy",
    [LINT_PROFILE_SMIME_SV_MULTIPURPOSE] = "smime-sv-multipurpose",
    [LINT_PROFILE_SMIME_SV_STRICT] = "smime-sv-strict",
    [LINT_PROFILE_SMIME_IV_LEGACY] = "smime-iv-legacy",
    [LINT_PROFILE_SMIME_IV_MULTIPURPOSE] = "smime-iv-multipurpose",
    [LINT_PROFILE_SMIME_IV_STRICT] = "smime-iv-strict",
    [LINT_PROFILE_SMIME] = "smime",
    [LINT_PROFILE_CODE_SIGNING] = "code-signing",
};

/* LT_COUNT words, or -1. */
static int find(const char *const *words, size_t count, lt_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq_cstr(name, words[i])) {
            return (int)i;
        }
    }
    return -1;
}

const char *lint_status_name(enum lint_status status)
{
    LT_ASSERT((unsigned)status < LINT_STATUS_COUNT);
    return statuses[status];
}

enum lint_status lint_status_by_name(lt_slice name)
{
    int i = find(statuses, LINT_STATUS_COUNT, name);
    return i < 0 ? LINT_RESERVED : (enum lint_status)i;
}

const char *lint_source_name(enum lint_source source)
{
    LT_ASSERT((unsigned)source < LINT_SOURCE_COUNT);
    return sources[source];
}

bool lint_source_by_name(lt_slice name, enum lint_source *ret_source)
{
    int i = find(sources, LINT_SOURCE_COUNT, name);
    if (i >= 0) {
        *ret_source = (enum lint_source)i;
    }
    return i >= 0;
}

const char *lint_role_name(enum lint_role role)
{
    return (unsigned)role < LINT_ROLE_COUNT ? roles[role] : NULL;
}

const char *lint_profile_name(enum lint_profile profile)
{
    return (unsigned)profile < LINT_PROFILE_COUNT ? profiles[profile] : NULL;
}

bool lint_role_by_name(lt_slice name, enum lint_role *ret_role)
{
    int i = find(roles, LINT_ROLE_COUNT, name);
    if (i >= 0) {
        *ret_role = (enum lint_role)i;
    }
    return i >= 0;
}

bool lint_profile_by_name(lt_slice name, enum lint_profile *ret_profile)
{
    int i = find(profiles, LINT_PROFILE_COUNT, name);
    if (i >= 0) {
        *ret_profile = (enum lint_profile)i;
    }
    return i >= 0;
}
