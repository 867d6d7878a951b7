#ifndef CA_PROFILE_H
#define CA_PROFILE_H
/* What a certificate of a kind looks like: profiles/NAME.yaml, reviewed, root-owned, read at start; the hash
 * of the file goes into every event. The registrar builds from it, the examiner judges by it, each from its
 * own reading. Refuses a profile that a rule forbids: a subscriber or service profile with cA or keyCertSign
 * is refused, and a public one never yields more than the dated limits allow on the day. */
#include "base/arena.h"
#include "base/clock.h"
#include "lint/lint.h"
#include "x509/ext.h"
#include "x509/spki.h"

enum { CA_PROFILE_MAX_BYTES = 64 * 1024, CA_PROFILE_SHA256 = 32, CA_PROFILE_NAMES_MAX = 100 };

enum ca_profile_kind { CA_PROFILE_SUBSCRIBER, CA_PROFILE_SERVICE, CA_PROFILE_CA, CA_PROFILE_RESPONDER };

/* 1 << the number of the key type, which x509, crypto and the messages share. */
enum ca_key_mask {
    CA_KEY_RSA = 1 << X509_KEY_RSA,
    CA_KEY_P256 = 1 << X509_KEY_P256,
    CA_KEY_P384 = 1 << X509_KEY_P384,
    CA_KEY_P521 = 1 << X509_KEY_P521,
    CA_KEY_ED25519 = 1 << X509_KEY_ED25519,
};

enum ca_name_mask {
    CA_NAME_DNS = 1 << 0,
    CA_NAME_IP = 1 << 1,
    CA_NAME_WILDCARD = 1 << 2, /* DNS names that begin "*." */
    CA_NAME_LOCAL = 1 << 3,    /* localhost, internal names, loopback and private addresses */
};

enum ca_subject_rule {
    CA_SUBJECT_EMPTY,  /* empty, so subjectAltName is critical */
    CA_SUBJECT_CN_SAN, /* commonName: the first DNS name that fits 64 bytes, else empty */
    CA_SUBJECT_FIXED,  /* CA profiles: given when the certificate is made; responders: of the issuer's own */
};

/* All pointers live in the profile's own arena. */
struct ca_profile {
    const char *name;
    const char *description;
    enum ca_profile_kind kind;
    const char *issuer; /* who signs: "tls"; a root's profile names itself: "root" */
    bool public_trust;  /* browsers trust it: nothing is issued without what ca/public_trust.h asks for */
    enum lint_profile lint_profile; /* that the linter judges it by; never AUTO */

    int64_t validity_default_s; /* inclusive: ca_validity_end() */
    int64_t validity_max_s;     /* as written; ca_profile_validity_max() also asks the dated limits */
    int64_t backdate_s;         /* notBefore = now - backdate */

    uint32_t keys; /* enum ca_key_mask */
    uint32_t rsa_min_bits;
    uint32_t rsa_max_bits;

    uint32_t key_usage;     /* X509_KU_*, for EC and EdDSA keys */
    uint32_t key_usage_rsa; /* the same for RSA keys */
    const enum x509_oid *eku;
    uint32_t eku_count;
    const lt_slice *policies; /* OID contents, as x509_tbs_spec takes them */
    uint32_t policy_count;

    bool subject_key_id;   /* authorityKeyIdentifier is always there, but in a root */
    bool crl_distribution; /* CDP: public-http-url/crl/ISSUER.crl */
    bool issuer_url;       /* AIA caIssuers: public-http-url/ca/ISSUER.crt */
    bool ocsp_url;         /* AIA ocsp: public-http-url/ocsp */
    enum ca_subject_rule subject;
    uint32_t names; /* enum ca_name_mask */
    uint32_t names_max;

    /* CA profiles only. */
    int path_length;                  /* -1: no constraint */
    const char *const *permitted_dns; /* nameConstraints; critical when any is there */
    uint32_t permitted_dns_count;
    const char *const *excluded_dns;
    uint32_t excluded_dns_count;

    uint8_t sha256[CA_PROFILE_SHA256]; /* of the file's bytes */
    struct lt_arena arena;
};

/* file: for messages, and its base name without ".yaml" must be the profile's name. Limits are those of now.
 */
LT_MUST_USE lt_res ca_profile_parse(const char *file, lt_slice yaml, lt_time now,
                                    struct ca_profile **ret_profile);
void ca_profile_free(struct ca_profile *profile);

/* All of DIR/profiles/NAME.yaml, sorted by name. */
struct ca_profiles {
    struct ca_profile **rows; /* owned */
    size_t count;
};
LT_MUST_USE lt_res ca_profiles_load(const char *folder, lt_time now, struct ca_profiles *ret_profiles);
void ca_profiles_done(struct ca_profiles *profiles);
/* A test CA may prove nothing at all, so none of its profiles for orders is public. LT_POLICY_REFUSED names
 * one that is. */
LT_MUST_USE lt_res ca_profiles_check_testing(const struct ca_profiles *profiles);
const struct ca_profile *ca_profiles_find(const struct ca_profiles *profiles, lt_slice name);

/* Is it judged by the TLS Baseline Requirements? Public profiles always are, private ones may be. */
bool ca_profile_by_tls_br(const struct ca_profile *profile);
/* The longest validity that may be issued now: what is written, and the dated limits of those requirements.
 */
int64_t ca_profile_validity_max(const struct ca_profile *profile, lt_time now);
/* Does the rule book let certificates of that length go without revocation pointers, and is this one? */
bool ca_profile_short_lived(const struct ca_profile *profile, int64_t validity_s, lt_time now);
/* The period of a new certificate. wanted: from the order, {0} for what it does not say; LT_POLICY_REFUSED
 * when it does not fit the profile. issuer: never outlived, and never begun before. Whole seconds. */
struct ca_period {
    lt_time not_before;
    lt_time not_after;
};
LT_MUST_USE lt_res ca_profile_period(const struct ca_profile *profile, lt_time now, struct ca_period wanted,
                                     struct ca_period issuer, struct ca_period *ret_period);
uint32_t ca_profile_key_usage(const struct ca_profile *profile, enum x509_key_type type);
/* LT_POLICY_REFUSED: that kind or size of key is not for this profile. */
LT_MUST_USE lt_res ca_profile_check_key(const struct ca_profile *profile, enum x509_key_type type,
                                        unsigned bits);
/* profile_lint.c: why no certificate of it can pass the linter; NULL when nothing is known against it. */
const char *ca_profile_contradiction(const struct ca_profile *profile);
/* Of lint_input.sources: which documents bind a certificate that is judged by that profile. */
uint32_t ca_lint_sources(enum lint_profile profile);

#endif
