#ifndef X509_EXT_H
#define X509_EXT_H
/* Extensions of certificates, requests and CRLs: all of them as a list, and the contents of those that Lintel
 * knows. An extension that stands twice is refused (RFC 5280 4.2). A known one whose content does not decode
 * keeps the reason in its row; the strict parsers refuse it, a linter may look at it. */
#include "base/arena.h"
#include "der/reader.h"
#include "x509/name.h"
#include "x509/oid.h"

/* More is refused by the strict parsers; a lenient one reads up to its own limit and notes that more stands
 * there (X509_MORE_…). Lists: key purposes, policies, distribution points, access descriptions. */
enum {
    X509_EXTENSIONS_MAX = 64,
    X509_EXTENSIONS_DECODED = 256,
    X509_GENERAL_NAMES_MAX = 4096,
    X509_LIST_MAX = 256,
    X509_LIST_DECODED = 1024,
};
#define X509_MORE_EXTENSIONS "more extensions than are read here"
#define X509_MORE_ENTRIES "a list of more entries than are read here"

/* Bits of KeyUsage. */
enum {
    X509_KU_DIGITAL_SIGNATURE = 1 << 0,
    X509_KU_CONTENT_COMMITMENT = 1 << 1,
    X509_KU_KEY_ENCIPHERMENT = 1 << 2,
    X509_KU_DATA_ENCIPHERMENT = 1 << 3,
    X509_KU_KEY_AGREEMENT = 1 << 4,
    X509_KU_KEY_CERT_SIGN = 1 << 5,
    X509_KU_CRL_SIGN = 1 << 6,
    X509_KU_ENCIPHER_ONLY = 1 << 7,
    X509_KU_DECIPHER_ONLY = 1 << 8,
};

/* Numbers are the tags of GeneralName. */
enum x509_general_name_type {
    X509_GN_OTHER = 0,
    X509_GN_EMAIL = 1,
    X509_GN_DNS = 2,
    X509_GN_X400 = 3,
    X509_GN_DIRECTORY = 4,
    X509_GN_EDI = 5,
    X509_GN_URI = 6,
    X509_GN_IP = 7,
    X509_GN_REGISTERED_ID = 8,
};

struct x509_general_name {
    enum x509_general_name_type type;
    lt_slice value; /* text of email, DNS, URI; bytes of IP; whole Name for directory; content otherwise */
};

struct x509_general_names {
    const struct x509_general_name *list; /* in the arena */
    size_t count;
};

struct x509_oid_ref {
    lt_slice der; /* content, borrowed */
    enum x509_oid oid;
};

struct x509_policy {
    struct x509_oid_ref id;
    lt_slice qualifiers; /* whole SEQUENCE, or empty */
};

struct x509_distribution_point {
    struct x509_general_names names; /* fullName; empty for nameRelativeToCRLIssuer or none */
    lt_slice relative_name;          /* content of nameRelativeToCRLIssuer */
    bool has_reasons;
    uint32_t reasons;
    struct x509_general_names crl_issuer;
};

struct x509_access {
    struct x509_oid_ref method;
    struct x509_general_name location;
};

struct x509_extension {
    struct x509_oid_ref id;
    bool critical;
    lt_slice value;  /* content of extnValue */
    lt_slice der;    /* the whole Extension */
    const char *why; /* NULL, or what is wrong with the content; static storage */
    size_t offset;   /* of what is wrong, from the start of the input */
};

/* Everything in the arena or borrowed from the input. A has_… or a count says whether it was there. */
struct x509_extensions {
    const struct x509_extension *list;
    size_t count;
    size_t malformed; /* rows with a reason */

    bool has_basic_constraints;
    bool ca;
    bool has_path_len;
    uint32_t path_len;
    bool has_key_usage;
    uint32_t key_usage;
    bool has_eku;
    const struct x509_oid_ref *eku;
    size_t eku_count;
    bool has_policies;
    const struct x509_policy *policies;
    size_t policy_count;
    bool has_san;
    struct x509_general_names san;
    bool has_ian;
    struct x509_general_names ian;
    bool has_aki;
    lt_slice aki_key_id; /* empty when absent inside */
    struct x509_general_names aki_issuer;
    lt_slice aki_serial;
    bool has_ski;
    lt_slice ski;
    bool has_crldp;
    const struct x509_distribution_point *crldp;
    size_t crldp_count;
    bool has_aia;
    const struct x509_access *aia;
    size_t aia_count;
    bool has_freshest;
    const struct x509_distribution_point *freshest;
    size_t freshest_count;
    bool has_sia;
    const struct x509_access *sia;
    size_t sia_count;
    bool has_inhibit_any_policy;
    uint32_t inhibit_any_policy;
    bool has_require_explicit_policy;
    uint32_t require_explicit_policy;
    bool has_inhibit_policy_mapping;
    uint32_t inhibit_policy_mapping;
    bool has_policy_mappings;
    bool has_name_constraints;
    struct x509_general_names permitted;
    struct x509_general_names excluded;
    bool has_tls_feature;
    bool must_staple; /* status_request (5) is among the features */
    bool ct_poison;
    bool has_sct_list;
    lt_slice sct_list; /* the TLS structure inside both OCTET STRINGs */
    /* of CRLs */
    bool has_crl_number;
    lt_slice crl_number; /* magnitude */
    bool has_delta;
    lt_slice delta_base; /* magnitude */
    bool has_idp;
    struct x509_distribution_point idp; /* its names and reasons */
    bool idp_only_user;
    bool idp_only_ca;
    bool idp_indirect;
    bool idp_only_attribute;
};

/* Reads the Extensions SEQUENCE that comes next. */
LT_MUST_USE lt_res x509_extensions_read(struct der_cursor *c, struct lt_arena *a,
                                        struct x509_extensions *ret_ext);
/* LT_PEER_MALFORMED naming the first row with a reason. */
LT_MUST_USE lt_res x509_extensions_check(const struct x509_extensions *ext);
/* NULL when it is not there. */
const struct x509_extension *x509_extension_find(const struct x509_extensions *ext, enum x509_oid oid);
/* Is that purpose in extKeyUsage? */
bool x509_has_eku(const struct x509_extensions *ext, enum x509_oid purpose);

/* GeneralNames from the content of a SEQUENCE. */
bool x509_general_names_read(struct der_cursor *c, struct lt_arena *a, struct x509_general_names *ret_names);
/* "DNS:example.com", "IP:192.0.2.1", … for people. */
void x509_general_name_text(const struct x509_general_name *name, struct lt_buf *out);

#endif
