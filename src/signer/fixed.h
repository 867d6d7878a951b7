#ifndef SIGNER_FIXED_H
#define SIGNER_FIXED_H
/* The signer's own eyes: a reader of fixed fields that shares no line with src/der and src/x509, so that a
 * bug there does not blind both. It looks at what must never be wrong, whatever profile, registrar and
 * examiner say: version, serial, algorithm, issuer, validity, and that nothing it signs is a CA or may sign
 * certificates or CRLs. It knows only definite, minimal DER. Everything it does not like is
 * LT_POLICY_REFUSED. */
#include "base/clock.h"

enum {
    FIXED_SERIAL_MAX = 20,
    FIXED_CERTIFICATE_MAX = 64 * 1024,
    FIXED_CRL_MAX = 256 * 1024 * 1024,
};
/* The longest life of anything that is no CA: 39 months, what document and mail certificates need at most. */
#define FIXED_VALIDITY_MAX_S (INT64_C(1187) * LT_SECONDS_PER_DAY)
/* CABF-BR 7.1.2.7: within 48 hours of the signing. */
#define FIXED_NOT_BEFORE_SKEW_S (INT64_C(48) * 3600)
/*= CABF-BR 7.2 "For CRLs covering Subscriber Certificates, at most 10 days after the `thisUpdate`." */
#define FIXED_CRL_LIFE_MAX_S (INT64_C(10) * LT_SECONDS_PER_DAY)
#define FIXED_CRL_SKEW_S (INT64_C(3600))

/* What the signer knows of an issuer. Slices live as long as the certificate they were read from. */
struct fixed_issuer {
    lt_slice subject;   /* Name, whole TLV */
    lt_slice spki;      /* SubjectPublicKeyInfo, whole TLV */
    lt_slice algorithm; /* AlgorithmIdentifier that it signs with, whole TLV; set by the owner of the key */
    lt_time not_before;
    lt_time not_after;
};

struct fixed_order {
    lt_slice number; /* the serial, or the CRL number: big-endian */
    lt_slice tbs;
    bool precertificate; /* must carry the poison extension, and only then may */
    lt_time now;
};

/* An issuer's own certificate, whole; LT_STATE_CORRUPT when it does not read. Leaves algorithm empty. */
LT_MUST_USE lt_res fixed_read_issuer(lt_slice certificate, struct fixed_issuer *ret_issuer);
LT_MUST_USE lt_res fixed_check_certificate(const struct fixed_issuer *issuer, const struct fixed_order *o);
LT_MUST_USE lt_res fixed_check_crl(const struct fixed_issuer *issuer, const struct fixed_order *o);

#endif
