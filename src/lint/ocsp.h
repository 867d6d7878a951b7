#ifndef LINT_OCSP_H
#define LINT_OCSP_H
/* OCSP responses (RFC 6960 4.2) as a linter reads them: structure, no verification. */
#include "x509/cert.h"

enum { LINT_OCSP_RESPONSES_MAX = 4096, LINT_OCSP_CERTS_MAX = 16 };

enum lint_ocsp_cert_status {
    LINT_OCSP_GOOD = 0,
    LINT_OCSP_REVOKED = 1,
    LINT_OCSP_UNKNOWN = 2,
};

/* SingleResponse. All slices borrow from the input. */
struct lint_ocsp_single {
    lt_slice der;     /* the whole of it */
    lt_slice cert_id; /* whole CertID */
    lt_slice hash;    /* whole AlgorithmIdentifier */
    lt_slice issuer_name_hash;
    lt_slice issuer_key_hash;
    lt_slice serial; /* content of the INTEGER */
    enum lint_ocsp_cert_status status;
    lt_time revoked;
    bool has_reason;
    uint32_t reason;
    lt_time this_update;
    bool has_next_update;
    lt_time next_update;
    struct x509_extensions ext;
};

struct lint_ocsp {
    lt_slice der;
    unsigned status; /* OCSPResponseStatus: 0 successful */
    lt_slice type;   /* content of the OID; empty: no responseBytes, and nothing of what follows */
    bool basic;      /* id-pkix-ocsp-basic: the rest was read */
    lt_slice data;   /* whole ResponseData: what is signed */
    bool has_version;
    unsigned version;        /* 1 is the default */
    lt_slice responder_name; /* whole Name, or empty */
    lt_slice responder_key;  /* content of KeyHash, or empty */
    lt_time produced_at;
    const struct lint_ocsp_single *responses; /* in the arena */
    size_t response_count;
    struct x509_extensions ext;
    lt_slice nonce; /* value of the extension, empty when there is none */
    enum x509_sig_alg sig_alg;
    lt_slice sig_alg_der;
    lt_slice signature;
    bool has_certs;
    const struct x509_cert *certs; /* in the arena: those that decode */
    size_t cert_count;
    struct der_notes notes;
};

/* LT_PEER_MALFORMED says what and where; LT_PEER_TOO_LARGE. A response that is not successful is complete
 * without responseBytes. */
LT_MUST_USE lt_res lint_ocsp_decode(lt_slice der, struct lt_arena *a, struct lint_ocsp *ret);

#endif
