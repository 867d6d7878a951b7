#ifndef X509_CRL_H
#define X509_CRL_H
/* Certificate revocation lists (RFC 5280 section 5): read with an iterator that allocates nothing, and
 * written as a stream, so that millions of entries cost their bytes. Version 2 only when written. */
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/spki.h"

struct x509_crl {
    lt_slice
        der; /* whole CertificateList; empty after x509_crl_tbs_parse. All slices borrow from the input */
    lt_slice tbs; /* whole TBSCertList */
    unsigned version;
    enum x509_sig_alg sig_alg;
    lt_slice sig_alg_der;
    struct x509_name issuer;
    lt_time this_update;
    bool has_next_update;
    lt_time next_update;
    lt_slice entries; /* content of revokedCertificates; empty for none */
    size_t entry_count;
    struct x509_extensions ext;
    lt_slice outer_sig_alg_der;
    lt_slice signature;
    struct der_notes notes; /* of x509_crl_decode and x509_crl_tbs_decode */
};

struct x509_crl_entry {
    lt_slice serial; /* content of the INTEGER */
    lt_time revoked;
    bool has_reason;
    uint32_t reason; /* 0 when there is none */
    bool has_invalidity_date;
    lt_time invalidity_date;
    lt_slice certificate_issuer; /* whole GeneralNames of an indirect CRL, or empty */
    lt_slice extensions;         /* content of crlEntryExtensions */
};

/* Checks every entry. */
LT_MUST_USE lt_res x509_crl_parse(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);
/* As x509_cert_decode. Iterate over its entries with x509_crl_entries, which keeps what is noted already
 * apart. */
LT_MUST_USE lt_res x509_crl_decode(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);
LT_MUST_USE lt_res x509_crl_tbs_parse(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);
LT_MUST_USE lt_res x509_crl_tbs_decode(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);
/* All but the entries, for who reads a large one in slices: entry_count stays 0, and only x509_crl_next to
 * the end says whether they are right. Version 2 alone. */
LT_MUST_USE lt_res x509_crl_tbs_open(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);
/* The same of a whole one. */
LT_MUST_USE lt_res x509_crl_open(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl);

/* for (c = der_open(crl.entries); x509_crl_next(&c, &entry);) — false at the end, or when der_ok(c) is not.
 */
/* After x509_crl_decode: for (c = x509_crl_entries(&crl, &scratch); …), or it stops at what was noted. */
struct der_cursor x509_crl_entries(const struct x509_crl *crl, struct der_notes *scratch);
bool x509_crl_next(struct der_cursor *c, struct x509_crl_entry *ret_entry);

struct x509_crl_spec {
    enum x509_sig_alg sig_alg;
    lt_slice issuer; /* whole Name, byte for byte the subject of the issuer's certificate */
    lt_slice aki;    /* key identifier of the issuer */
    lt_time this_update;
    lt_time next_update;
    lt_slice number;  /* magnitude, at most 20 bytes */
    lt_slice idp_url; /* of this shard; empty for a complete CRL without issuingDistributionPoint */
    bool only_user_certificates; /* with idp_url */
    bool only_ca_certificates;
    size_t entries_hint; /* how many are to come, for the length's room */
};

struct x509_crl_builder {
    struct der_writer w;
    struct x509_crl_spec spec; /* slices borrowed until x509_crl_end */
    size_t count;
};

/* Writes a TBSCertList to out: begin, any number of add (serials as magnitudes, in the order wanted), end. */
void x509_crl_begin(struct x509_crl_builder *b, const struct x509_crl_spec *spec, struct lt_buf *out);
/* reason 0 (unspecified) is left out, as RFC 5280 5.3.1 wants. */
void x509_crl_add(struct x509_crl_builder *b, lt_slice serial, lt_time revoked, uint32_t reason);
LT_MUST_USE lt_res x509_crl_end(struct x509_crl_builder *b);

#endif
