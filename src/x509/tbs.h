#ifndef X509_TBS_H
#define X509_TBS_H
/* Building what is to be signed: TBSCertificate for leaves and CAs, CertificationRequestInfo; and putting
 * to-be-signed bytes, algorithm and signature together. Pure: whoever may sign decides elsewhere. */
#include "base/buf.h"
#include "x509/ext.h"
#include "x509/spki.h"

struct x509_raw_extension {
    lt_slice oid; /* content */
    bool critical;
    lt_slice value; /* content of extnValue */
};

/* All slices borrowed. What is empty or zero is left out. */
struct x509_tbs_spec {
    enum x509_sig_alg sig_alg; /* of the issuer's key */
    lt_slice serial;           /* magnitude */
    lt_slice issuer;           /* whole Name: the issuer certificate's subject, byte for byte */
    lt_time not_before;
    lt_time not_after;
    lt_slice subject; /* whole Name; empty: an empty SEQUENCE, and then SAN is critical */
    lt_slice spki;    /* whole SubjectPublicKeyInfo, as the subscriber sent it */

    bool ca; /* writes critical basicConstraints with cA TRUE */
    bool has_path_len;
    uint32_t path_len;
    uint32_t key_usage; /* critical */
    const enum x509_oid *eku;
    size_t eku_count;
    const lt_slice *policies; /* OID contents */
    size_t policy_count;
    const struct x509_general_name *san;
    size_t san_count;
    lt_slice aki; /* the issuer's subjectKeyIdentifier */
    lt_slice ski;
    const lt_slice *crl_urls; /* one distribution point each */
    size_t crl_url_count;
    const lt_slice *ocsp_urls;
    size_t ocsp_url_count;
    const lt_slice *issuer_urls; /* id-ad-caIssuers */
    size_t issuer_url_count;
    const struct x509_general_name *permitted; /* nameConstraints, critical */
    size_t permitted_count;
    const struct x509_general_name *excluded;
    size_t excluded_count;
    bool must_staple;
    bool ct_poison;
    lt_slice sct_list; /* TLS structure */
    const struct x509_raw_extension *extra;
    size_t extra_count;
};

LT_MUST_USE lt_res x509_tbs_build(const struct x509_tbs_spec *spec, struct lt_buf *out);

struct x509_csr_spec {
    lt_slice subject; /* whole Name, or empty */
    lt_slice spki;
    const struct x509_general_name *san;
    size_t san_count;
    bool must_staple;
};
LT_MUST_USE lt_res x509_csr_info_build(const struct x509_csr_spec *spec, struct lt_buf *out);

/* SEQUENCE { tbs, algorithm, BIT STRING signature }: a certificate, a request or a CRL. */
LT_MUST_USE lt_res x509_assemble(lt_slice tbs, enum x509_sig_alg alg, lt_slice signature, struct lt_buf *out);
/* The same for one that is too large to be copied: what stands before the tbs_len bytes and behind them. */
LT_MUST_USE lt_res x509_assemble_around(size_t tbs_len, enum x509_sig_alg alg, lt_slice signature,
                                        struct lt_buf *head, struct lt_buf *tail);

#endif
