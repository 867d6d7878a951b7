#ifndef LINT_SUBJECT_H
#define LINT_SUBJECT_H
/* Private to lint/: the object as rules see it. Everything that many rules need is found out once, here, and
 * becomes bits that a row names in its columns when and unless; names are split and looked up once. */
#include "lint/lint.h"
#include "lint/names.h"

#define LINT_FACT(n_) (UINT64_C(1) << (n_))
/* Of certificates. What they are (given by role and profile, else read as zlint reads it): */
#define LINT_IS_CA LINT_FACT(0)         /* cA is TRUE */
#define LINT_IS_ROOT LINT_FACT(1)       /* CA and self-signed */
#define LINT_IS_SUB_CA LINT_FACT(2)     /* CA, not self-signed */
#define LINT_IS_SUBSCRIBER LINT_FACT(3) /* neither CA nor self-signed (an OCSP responder is one, too) */
#define LINT_IS_SELF_SIGNED \
    LINT_FACT(4) /* subject is issuer and the signature verifies, or the role says so */
#define LINT_IS_SELF_ISSUED LINT_FACT(5)
#define LINT_IS_CROSS_CA LINT_FACT(6)
#define LINT_IS_OCSP_RESPONDER LINT_FACT(7) /* key purpose OCSPSigning, no CA */
#define LINT_IS_PRECERT LINT_FACT(8)        /* poisoned */
#define LINT_IS_BARE LINT_FACT(9)           /* no signature yet */
#define LINT_IS_SERVER_AUTH LINT_FACT(10)   /* zlint's IsServerAuthCert */
#define LINT_IS_EMAIL LINT_FACT(11)         /* zlint's IsEmailProtectionCert */
#define LINT_IS_CODE_SIGNING LINT_FACT(12)  /* zlint's IsCodeSigning */
#define LINT_IS_DV LINT_FACT(13)            /* reserved policies of the BR, or the profile */
#define LINT_IS_OV LINT_FACT(14)
#define LINT_IS_IV LINT_FACT(15)
#define LINT_IS_EV LINT_FACT(16)     /* 2.23.140.1.1, or the profile */
#define LINT_IS_EV_ANY LINT_FACT(17) /* zlint's IsEV: a CA's own EV policy, too */
#define LINT_IS_SMIME LINT_FACT(18)  /* a reserved policy of the S/MIME BR, or the profile */
#define LINT_IS_SMIME_MV LINT_FACT(19)
#define LINT_IS_SMIME_OV LINT_FACT(20)
#define LINT_IS_SMIME_SV LINT_FACT(21)
#define LINT_IS_SMIME_IV LINT_FACT(22)
#define LINT_IS_SMIME_LEGACY LINT_FACT(23)
#define LINT_IS_SMIME_MULTIPURPOSE LINT_FACT(24)
#define LINT_IS_SMIME_STRICT LINT_FACT(25)
#define LINT_IS_TLS                                                                                      \
    LINT_FACT(26) /* for our own BR rules: a TLS profile was given, or serverAuth or a TLS policy stands \
                     in it; CAs also without extKeyUsage */
/* What is in them: */
#define LINT_HAS_RSA LINT_FACT(27)
#define LINT_HAS_EC LINT_FACT(28)
#define LINT_HAS_BC LINT_FACT(29)
#define LINT_HAS_KU LINT_FACT(30)
#define LINT_HAS_EKU LINT_FACT(31)
#define LINT_HAS_SAN LINT_FACT(32)
#define LINT_HAS_IAN LINT_FACT(33)
#define LINT_HAS_CP LINT_FACT(34)
#define LINT_HAS_AIA LINT_FACT(35)
#define LINT_HAS_CDP LINT_FACT(36)
#define LINT_HAS_AKI LINT_FACT(37)
#define LINT_HAS_SKI LINT_FACT(38)
#define LINT_HAS_NC LINT_FACT(39)
#define LINT_HAS_SIA LINT_FACT(40)
#define LINT_HAS_POLICY_MAPPINGS LINT_FACT(41)
#define LINT_HAS_POLICY_CONSTRAINTS LINT_FACT(42)
#define LINT_HAS_INHIBIT_ANY LINT_FACT(43)
#define LINT_HAS_SCT LINT_FACT(44)
#define LINT_HAS_FRESHEST LINT_FACT(45)
#define LINT_HAS_QC LINT_FACT(46)     /* qcStatements */
#define LINT_HAS_ORG_ID LINT_FACT(47) /* cabfOrganizationIdentifier */
#define LINT_HAS_SMIME_CAPS LINT_FACT(48)
#define LINT_HAS_SUBJECT LINT_FACT(49) /* subject is not the empty sequence */
#define LINT_HAS_CN LINT_FACT(50)
#define LINT_HAS_DNS LINT_FACT(51) /* a dNSName in the SAN */
#define LINT_HAS_EXTENSIONS LINT_FACT(52)
/* Inputs that were given: */
#define LINT_WITH_ISSUER LINT_FACT(53)
#define LINT_WITH_PRECERT LINT_FACT(54)
#define LINT_WITH_TIME LINT_FACT(55)
#define LINT_WITH_EVIDENCE LINT_FACT(56)
/* Of CRLs. */
#define LINT_CRL_HAS_ENTRIES LINT_FACT(57)
#define LINT_CRL_IS_DELTA LINT_FACT(58)
#define LINT_CRL_HAS_IDP LINT_FACT(59)
#define LINT_CRL_OF_CAS LINT_FACT(60) /* IDP onlyContainsCACerts */
/* Of anything: it decoded. Rows without this bit in when are judged over syntax alone. */
#define LINT_IS_READABLE LINT_FACT(63)

struct lint_key;
struct lint_path_hint;
struct lint_crl_facts;
struct lint_faults;

struct lint_subject {
    const struct lint_input *in;
    lt_slice der; /* all of the input */
    const struct der_notes
        *notes; /* what was wrong but readable, and where reading ended; NULL when nobody read */
    const struct x509_cert *cert;           /* LINT_CERTIFICATE; never NULL: zeroed when it did not decode */
    const struct x509_crl *crl;             /* LINT_CRL; the same */
    const struct x509_csr *csr;             /* LINT_CSR */
    const struct lint_ocsp *ocsp;           /* LINT_OCSP: lint/ocsp.h */
    const struct lint_crl_facts *crl_facts; /* lint/crl_facts.h: of a CRL's entries; never NULL */
    const struct lint_faults *faults;       /* lint/syntax.h: all that is no DER; NULL when it is */
    size_t limit;                           /* bytes that are read, of an input that has more; else 0 */
    uint64_t facts;
    int64_t day;                   /* the day whose rules count */
    const struct lint_name *names; /* dNSNames in their order, then the common name(s): lint/names.h */
    size_t name_count;
    size_t san_names; /* how many of them are dNSNames */
    const struct lint_key
        *key; /* lint/keys.h: what is wrong with the public key; NULL when it is no RSA key */
    const struct lint_config *config;
    struct lt_arena *arena;
    struct lint_path_hint *hint; /* of lint/path.c; may be NULL */
};

static inline bool lint_is(const struct lint_subject *s, uint64_t all)
{
    return (s->facts & all) == all;
}
static inline bool lint_is_any(const struct lint_subject *s, uint64_t some)
{
    return (s->facts & some) != 0;
}
/* Seconds that a certificate is valid, both ends counted (RFC 5280 4.1.2.5). */
static inline int64_t lint_validity_s(const struct x509_cert *c)
{
    return lt_time_seconds(c->not_after) - lt_time_seconds(c->not_before) + 1;
}

/* Decodes, finds the facts, splits the names. */
LT_MUST_USE lt_res lint_subject_init(struct lint_subject *s, const struct lint_input *in, struct lt_arena *a);

#endif
