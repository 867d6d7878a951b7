#ifndef X509_CSR_H
#define X509_CSR_H
/* PKCS#10 certification requests (RFC 2986). The caller verifies `signature` over `info` with `spki`. */
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/spki.h"

/* What x509_csr_parse takes, and x509_csr_decode. */
enum { X509_CSR_MAX_BYTES = 64 * 1024, X509_CSR_DECODED_BYTES = 1024 * 1024 };

struct x509_csr {
    lt_slice der;  /* all slices borrow from the input */
    lt_slice info; /* whole CertificationRequestInfo: exactly the bytes that are signed */
    struct x509_name subject;
    struct x509_spki spki;
    bool has_extensions;
    struct x509_extensions ext; /* of the extensionRequest attribute */
    size_t attribute_count;
    bool has_challenge_password;
    enum x509_sig_alg sig_alg;
    lt_slice sig_alg_der;
    lt_slice signature;
    struct der_notes notes; /* of x509_csr_decode */
};

LT_MUST_USE lt_res x509_csr_parse(lt_slice der, struct lt_arena *a, struct x509_csr *ret_csr);
/* As x509_cert_decode. */
LT_MUST_USE lt_res x509_csr_decode(lt_slice der, struct lt_arena *a, struct x509_csr *ret_csr);

#endif
