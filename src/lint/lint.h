#ifndef LINT_LINT_H
#define LINT_LINT_H
/* The linter: every rule is a row in a static table, and the same rows judge before issuance, over the
 * inventory, in the CLI and in the API. Inputs that a linter of finished files never has are first-class:
 * role, profile, issuer, precertificate, time of signing, what the book knows.
 *
 * Pure: no clock, no file; several threads may run it at once, each with its own arena and keys, after
 * crypto_start. No allocation for a rule that passes. It refuses nothing: it says what it found,
 * and whoever asked decides. Bytes that no parser takes are findings, too.
 */
#include "base/arena.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"

/* Words and order of zlint's results; LINT_NOTICE and above are findings. */
enum lint_status {
    LINT_RESERVED = 0,
    LINT_NA = 1, /* not applicable to this object */
    LINT_NE = 2, /* not in force at its date */
    LINT_PASS = 3,
    LINT_NOTICE = 4,
    LINT_WARN = 5,
    LINT_ERROR = 6,
    LINT_FATAL = 7, /* the rule could not be judged: what it needs does not decode */
};
enum { LINT_STATUS_COUNT = 8 };

/* The document that a row comes from. */
enum lint_source {
    LINT_RFC3279,
    LINT_RFC5280,
    LINT_RFC5480,
    LINT_RFC5891,
    LINT_RFC6960,
    LINT_RFC6962,
    LINT_RFC8813,
    LINT_CABF_BR,
    LINT_CABF_CS_BR,
    LINT_CABF_EV,
    LINT_CABF_SMIME_BR,
    LINT_MOZILLA,
    LINT_APPLE,
    LINT_CHROME,
    LINT_COMMUNITY,
    LINT_ETSI_ESI,
    LINT_X690,    /* DER itself */
    LINT_RFC2986, /* certification requests */
    LINT_LINTEL,  /* what only an issuer can know: see rules/issuance.c */
    LINT_SOURCE_COUNT,
};
#define LINT_SOURCES_ALL ((UINT32_C(1) << LINT_SOURCE_COUNT) - 1)

/* Bits: a row may judge several. */
enum lint_kind {
    LINT_CERTIFICATE = 1 << 0, /* and precertificates */
    LINT_CRL = 1 << 1,
    LINT_OCSP = 1 << 2,
    LINT_CSR = 1 << 3,
};

/* What the certificate is meant to be. AUTO: read off its contents, as zlint does. */
enum lint_role {
    LINT_ROLE_AUTO = 0,
    LINT_ROLE_ROOT,
    LINT_ROLE_CROSS_CA, /* cross-certified subordinate CA */
    LINT_ROLE_SUB_CA,
    LINT_ROLE_SUBSCRIBER,
    LINT_ROLE_OCSP_RESPONDER,
    LINT_ROLE_COUNT,
};

/* The certificate profile that it is judged by. AUTO: read off policy OIDs and key purposes. */
enum lint_profile {
    LINT_PROFILE_AUTO = 0,
    LINT_PROFILE_PRIVATE, /* no public trust: only RFC, X.690 and issuance rules */
    LINT_PROFILE_TLS_DV,
    LINT_PROFILE_TLS_OV,
    LINT_PROFILE_TLS_IV,
    LINT_PROFILE_TLS_EV,
    LINT_PROFILE_TLS, /* CAs below the TLS BR; subscribers of any of the four types */
    LINT_PROFILE_SMIME_MV_LEGACY,
    LINT_PROFILE_SMIME_MV_MULTIPURPOSE,
    LINT_PROFILE_SMIME_MV_STRICT,
    LINT_PROFILE_SMIME_OV_LEGACY,
    LINT_PROFILE_SMIME_OV_MULTIPURPOSE,
    LINT_PROFILE_SMIME_OV_STRICT,
    LINT_PROFILE_SMIME_SV_LEGACY,
    LINT_PROFILE_SMIME_SV_MULTIPURPOSE,
    LINT_PROFILE_SMIME_SV_STRICT,
    LINT_PROFILE_SMIME_IV_LEGACY,
    LINT_PROFILE_SMIME_IV_MULTIPURPOSE,
    LINT_PROFILE_SMIME_IV_STRICT,
    LINT_PROFILE_SMIME, /* CAs below the S/MIME BR */
    LINT_PROFILE_CODE_SIGNING,
    LINT_PROFILE_COUNT,
};

/* Options that zlint reads from TOML under the same names. {0} is NOT the default: use lint_config_default.
 */
struct lint_config {
    bool cross_signed_ca;          /* [CABFBaselineRequirementsConfig] CrossSignedCa */
    bool subject_ou_cross_cert;    /* [e_subj_orgunit_in_ca_cert] CrossCert */
    bool reserved_oids_cross_cert; /* [e_ca_multiple_reserved_policy_oids] CrossCert */
    bool html_entities_skip;       /* [e_subj_contains_html_entities] Skip */
    bool crl_of_subscribers;       /* [e_crl_next_update_invalid] SubscriberCRL; default true */
    uint32_t fermat_rounds;        /* [e_rsa_fermat_factorization] Rounds; default 100 */
};
struct lint_config lint_config_default(void);

/* What the book knows of the certificate to be signed; a count or time of 0 is unknown. */
struct lint_evidence {
    bool known;                      /* the rest was filled in */
    uint32_t serial_uses;            /* certificates of this issuer that have this serial already */
    uint32_t serial_uses_as_precert; /* of these, the precertificate that belongs to it */
    lt_time oldest_validation;       /* of the names in it */
    lt_time oldest_caa;              /* CAA check, of the names in it */
    uint32_t names_validated;        /* how many names have evidence */
    lt_slice crl_url; /* that the issuer's CRL of this certificate will carry in its IDP; empty: unknown */
    uint32_t ski_uses_by_other_key; /* CA certificates of ours with this SKI and another key */
};

struct lint_crl_facts; /* what occurs in the entries of a CRL: lint/crl_facts.h */

struct lint_keys; /* cache of what was found out about public keys: lint/keys.h */

/* All borrowed; what is not known is NULL, empty or 0. One of der and the parsed object is enough. */
struct lint_input {
    enum lint_kind kind;
    lt_slice der; /* the whole object, or a bare TBSCertificate or TBSCertList: bare says which */
    bool bare;    /* der is what is to be signed: there is no signature yet */
    const struct x509_cert *cert; /* parsed already; then der may be empty */
    const struct x509_crl *crl;
    /* Of crl, found out in slices by who has read each entry strictly: they are not read again. Or NULL. */
    const struct lint_crl_facts *crl_facts;
    enum lint_role role;
    enum lint_profile profile; /* given, and no day below: judged as on its document's first day or later */
    const struct x509_cert *issuer;         /* its certificate */
    const struct x509_cert *precertificate; /* of the final certificate that is judged */
    const struct x509_cert *crossed;  /* of a cross certificate: the CA certificate that exists already */
    lt_time signing_time;             /* before issuance: now; else {0}, and notBefore counts */
    lt_time as_of;                    /* the day whose rules count, whenever it was signed; {0}: as above */
    uint32_t sources;                 /* 1 << enum lint_source; 0: all that fit */
    const struct lint_config *config; /* NULL: defaults */
    const struct lint_evidence *evidence;
    struct lint_keys *keys; /* NULL: found out anew each time */
};

struct lint_subject; /* what rules look at: lint/subject.h */
struct lint_report;

typedef bool lint_applies(const struct lint_subject *s);
/* Calls lint_found for each thing that is wrong; silence is a pass. */
typedef void lint_check(const struct lint_subject *s, struct lint_report *report);

struct lint_rule {
    const char *id;       /* zlint's name, or "lintel_…" */
    const char *asks;     /* what the rule wants, one sentence of our own without a full stop */
    const char *citation; /* current numbering: "BR 7.1.2.7.6" */
    const char *formerly; /* numbering before (BR before 2.0), or NULL */
    enum lint_source source;
    enum lint_status level; /* of lint_found; a check may say another by lint_found_at */
    unsigned kinds;         /* of enum lint_kind */
    bool zlint;             /* name and verdict are zlint's: shown by --format zlint */
    bool any_purpose;       /* judged whatever the framework filter of its source says */
    bool undecoded;         /* judged also when the bytes did not decode, as all of LINT_X690 are */
    uint64_t when;          /* LINT_IS_…, LINT_HAS_… of lint/subject.h: all of them */
    uint64_t unless;        /* none of them */
    int64_t effective;      /* LINT_DAY(…): first day in force; 0 for ever */
    int64_t retired;        /* first day no more in force; 0 for never */
    lint_applies *applies;  /* after when and unless; NULL: always */
    lint_check *check;
    int64_t value; /* for rows that share a check */
    const void *data;
};

/* Days since 1970 as a constant expression, from March-based civil years. */
#define LINT_DAY(y_, m_, d_)                                                                       \
    (INT64_C(365) * ((y_) - ((m_) <= 2)) + ((y_) - ((m_) <= 2)) / 4 - ((y_) - ((m_) <= 2)) / 100 + \
     ((y_) - ((m_) <= 2)) / 400 + (153 * ((m_) + ((m_) > 2 ? -3 : 9)) + 2) / 5 + (d_)-1 - 719468)

struct lint_finding {
    const struct lint_rule *rule;
    enum lint_status level;
    const char *message; /* what is wrong; in the arena */
    const char *path;    /* of the node, "certificate.tbsCertificate.extensions.2.extnValue"; in the arena */
    size_t offset;       /* of the node from the start of the input; 0 when it is about all of it */
    size_t len;          /* of the node */
};
/* {"rule", "source", "result", "message", "path", "offset", "length", "asks", "citation"} */
void lint_finding_json(const struct lint_finding *f, struct lt_buf *out);

enum { LINT_FINDINGS_MAX = 1024 };

struct lint_results {
    const uint8_t *status;     /* enum lint_status of each rule, by its index; in the arena */
    struct lint_finding *list; /* in the arena, in the order of the rules */
    size_t count;
    size_t room;                     /* of the list; the engine's */
    size_t dropped;                  /* found, but over LINT_FINDINGS_MAX or the arena's cap */
    size_t tally[LINT_STATUS_COUNT]; /* rules by status */
    enum lint_status worst;          /* LINT_PASS when nothing was found */
};

/* LT_PEER_TOO_LARGE when the arena has no room to decode the object; findings are no failure. */
LT_MUST_USE lt_res lint_run(const struct lint_input *in, struct lt_arena *a,
                            struct lint_results *ret_results);

/* All rows, in the order in which they run. */
size_t lint_rule_count(void);
const struct lint_rule *lint_rule_at(size_t i);
const struct lint_rule *lint_rule_by_id(lt_slice id);
/* Does it look at what the book knows (struct lint_evidence)? */
bool lint_rule_asks_book(const struct lint_rule *rule);
/* "NA", "NE", "pass", "notice", "warn", "error", "fatal". */
const char *lint_status_name(enum lint_status status);
enum lint_status lint_status_by_name(lt_slice name); /* LINT_RESERVED for none */
/* "CABF_BR": zlint's names where it has one. */
const char *lint_source_name(enum lint_source source);
bool lint_source_by_name(lt_slice name, enum lint_source *ret_source);
/* The names that the CLI takes: "root", "sub-ca", …; "tls-dv", "smime-mv-strict", … NULL beyond the last. */
const char *lint_role_name(enum lint_role role);
const char *lint_profile_name(enum lint_profile profile);
bool lint_role_by_name(lt_slice name, enum lint_role *ret_role);
bool lint_profile_by_name(lt_slice name, enum lint_profile *ret_profile);
/* Name of the rules: an edition, and a short hash over their sources and tables, as it goes into every
 * decision. Static storage. */
const char *lint_rule_set(void);

#endif
