#ifndef X509_OCSP_H
#define X509_OCSP_H
/* OCSP (RFC 6960, RFC 5019) as a responder needs it: a request read strictly, and a response written. Both
 * are bytes alone: no hash is computed and no key is here. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/slice.h"
#include "x509/spki.h"

/* How a CertID hashes name and key of the issuer. */
enum x509_ocsp_hash { X509_OCSP_SHA1, X509_OCSP_SHA256, X509_OCSP_HASHES };

enum {
    X509_OCSP_HASH_MAX = 32,
    X509_OCSP_SERIAL_MAX = 20,
    X509_OCSP_REQUEST_MAX = 2048, /* one CertID, a nonce, and room for a name and a signature */
    X509_OCSP_NONCE_MAX = 128,    /* RFC 9654 2.1: 1 to 128 octets */
};

/* OCSPResponseStatus */
enum x509_ocsp_error {
    X509_OCSP_MALFORMED = 1,
    X509_OCSP_INTERNAL = 2,
    X509_OCSP_TRY_LATER = 3,
    X509_OCSP_UNAUTHORIZED = 6,
};

struct x509_ocsp_certid {
    enum x509_ocsp_hash hash;
    lt_slice name_hash; /* x509_ocsp_hash_len(hash) bytes */
    lt_slice key_hash;  /* the same */
    lt_slice serial;    /* magnitude, at most X509_OCSP_SERIAL_MAX */
};

struct x509_ocsp_request {
    struct x509_ocsp_certid certid; /* slices of the input */
    lt_slice nonce;                 /* empty: there is none */
};

size_t x509_ocsp_hash_len(enum x509_ocsp_hash hash);
/* LT_PEER_MALFORMED says what and where; LT_PEER_UNSUPPORTED for what is well-formed and has no answer here:
 * several certificates in one request, another hash. A signature is not looked at. */
LT_MUST_USE lt_res x509_ocsp_request_parse(lt_slice der, struct x509_ocsp_request *ret_request);

enum x509_ocsp_status { X509_OCSP_GOOD, X509_OCSP_REVOKED, X509_OCSP_UNKNOWN };

/* One ResponseData with one SingleResponse. The same fields give the same bytes: who serves a response that
 * was signed ahead writes it again from what it kept of it. */
struct x509_ocsp_data {
    lt_slice responder_key_hash; /* SHA-1 of the responder's public key */
    lt_time produced;
    struct x509_ocsp_certid certid;
    enum x509_ocsp_status status;
    lt_time revoked;
    uint32_t reason; /* CRLReason; 0 is left out */
    lt_time this_update;
    lt_time next_update; /* {0}: none */
};

LT_MUST_USE lt_res x509_ocsp_data_write(const struct x509_ocsp_data *data, struct lt_buf *out);
/* OCSPResponse around signed data; certificate: of the responder, DER. */
LT_MUST_USE lt_res x509_ocsp_response_write(lt_slice data, enum x509_sig_alg alg, lt_slice signature,
                                            lt_slice certificate, struct lt_buf *out);
/* The five bytes of a response that is none. */
enum { X509_OCSP_ERROR_LEN = 5 };
void x509_ocsp_error_write(enum x509_ocsp_error error, uint8_t ret_bytes[X509_OCSP_ERROR_LEN]);

#endif
