#ifndef X509_CERT_H
#define X509_CERT_H
/* Certificates, and the TBSCertificate alone: a full strict decode (RFC 5280 4.1) into one struct of slices.
 * It says what the bytes are, not whether they are a good idea: that is lint's. */
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/spki.h"

/* What x509_cert_parse takes, and x509_cert_decode. */
enum { X509_CERT_MAX_BYTES = 256 * 1024, X509_CERT_DECODED_BYTES = 1024 * 1024 };

struct x509_cert {
    lt_slice der;     /* whole Certificate; empty after x509_tbs_parse. All slices borrow from the input */
    lt_slice tbs;     /* whole TBSCertificate: exactly the bytes that are signed */
    unsigned version; /* 1 to 3 */
    lt_slice serial;  /* content of the INTEGER, two's complement */
    enum x509_sig_alg sig_alg;
    lt_slice sig_alg_der; /* whole AlgorithmIdentifier inside the TBS */
    struct x509_name issuer;
    lt_slice validity; /* whole SEQUENCE of the two times */
    lt_time not_before;
    lt_time not_after;
    struct x509_name subject;
    struct x509_spki spki;
    lt_slice issuer_unique_id;
    lt_slice subject_unique_id;
    struct x509_extensions ext;
    lt_slice outer_sig_alg_der; /* whole AlgorithmIdentifier behind the TBS */
    lt_slice signature;         /* content of the BIT STRING without the unused-bits byte */
    struct der_notes notes;     /* of x509_cert_decode and x509_tbs_decode */
};

LT_MUST_USE lt_res x509_cert_parse(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert);
/* A bare TBSCertificate. */
LT_MUST_USE lt_res x509_tbs_parse(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert);
/* For those who look at what others made: what is broken but readable is noted instead of refused, and known
 * extensions whose content does not decode stay, each with its reason. On failure notes.last says where
 * reading ended; nothing else in it counts. */
LT_MUST_USE lt_res x509_cert_decode(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert);
LT_MUST_USE lt_res x509_tbs_decode(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert);
/* Serial as the book has it: magnitude without a leading zero byte. */
lt_slice x509_serial_magnitude(lt_slice serial);

#endif
