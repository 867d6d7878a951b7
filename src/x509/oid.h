#ifndef X509_OID_H
#define X509_OID_H
/* The object identifiers that Lintel knows, as one table: number, DER content, dotted text, name. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum x509_oid {
    X509_OID_UNKNOWN = 0,
    /* attribute types */
    X509_OID_CN,
    X509_OID_SURNAME,
    X509_OID_SERIAL_NUMBER,
    X509_OID_C,
    X509_OID_L,
    X509_OID_ST,
    X509_OID_STREET,
    X509_OID_O,
    X509_OID_OU,
    X509_OID_TITLE,
    X509_OID_BUSINESS_CATEGORY,
    X509_OID_POSTAL_CODE,
    X509_OID_GIVEN_NAME,
    X509_OID_PSEUDONYM,
    X509_OID_DN_QUALIFIER,
    X509_OID_ORGANIZATION_IDENTIFIER,
    X509_OID_DC,
    X509_OID_UID,
    X509_OID_EMAIL_ADDRESS,
    X509_OID_JURISDICTION_L,
    X509_OID_JURISDICTION_ST,
    X509_OID_JURISDICTION_C,
    /* keys and signatures */
    X509_OID_RSA,
    X509_OID_RSA_PSS,
    X509_OID_EC,
    X509_OID_P256,
    X509_OID_P384,
    X509_OID_P521,
    X509_OID_ED25519,
    X509_OID_RSA_SHA1,
    X509_OID_RSA_SHA256,
    X509_OID_RSA_SHA384,
    X509_OID_RSA_SHA512,
    X509_OID_ECDSA_SHA256,
    X509_OID_ECDSA_SHA384,
    X509_OID_ECDSA_SHA512,
    /* extensions */
    X509_OID_SUBJECT_KEY_IDENTIFIER,
    X509_OID_KEY_USAGE,
    X509_OID_SUBJECT_ALT_NAME,
    X509_OID_ISSUER_ALT_NAME,
    X509_OID_BASIC_CONSTRAINTS,
    X509_OID_CRL_NUMBER,
    X509_OID_REASON_CODE,
    X509_OID_INVALIDITY_DATE,
    X509_OID_DELTA_CRL,
    X509_OID_ISSUING_DISTRIBUTION_POINT,
    X509_OID_CERTIFICATE_ISSUER,
    X509_OID_NAME_CONSTRAINTS,
    X509_OID_CRL_DISTRIBUTION_POINTS,
    X509_OID_CERTIFICATE_POLICIES,
    X509_OID_POLICY_MAPPINGS,
    X509_OID_AUTHORITY_KEY_IDENTIFIER,
    X509_OID_POLICY_CONSTRAINTS,
    X509_OID_EXTENDED_KEY_USAGE,
    X509_OID_FRESHEST_CRL,
    X509_OID_INHIBIT_ANY_POLICY,
    X509_OID_AUTHORITY_INFO_ACCESS,
    X509_OID_SUBJECT_INFO_ACCESS,
    X509_OID_TLS_FEATURE,
    X509_OID_CT_POISON,
    X509_OID_SCT_LIST,
    X509_OID_ACME_IDENTIFIER,
    /* access methods, key purposes, policies */
    X509_OID_OCSP,
    X509_OID_CA_ISSUERS,
    X509_OID_ANY_EXTENDED_KEY_USAGE,
    X509_OID_SERVER_AUTH,
    X509_OID_CLIENT_AUTH,
    X509_OID_CODE_SIGNING,
    X509_OID_EMAIL_PROTECTION,
    X509_OID_TIME_STAMPING,
    X509_OID_OCSP_SIGNING,
    X509_OID_DOCUMENT_SIGNING, /* RFC 9336 */
    X509_OID_PRECERTIFICATE_SIGNING,
    X509_OID_OCSP_NO_CHECK,
    X509_OID_ANY_POLICY,
    X509_OID_POLICY_DV,
    X509_OID_POLICY_OV,
    X509_OID_POLICY_IV,
    X509_OID_POLICY_EV,
    X509_OID_CPS_QUALIFIER,
    X509_OID_USER_NOTICE_QUALIFIER,
    /* PKCS#9 attributes of a request */
    X509_OID_EXTENSION_REQUEST,
    X509_OID_CHALLENGE_PASSWORD,
    X509_OID_COUNT,
};

/* X509_OID_UNKNOWN for an identifier that is not in the table. der: content of the OBJECT IDENTIFIER. */
enum x509_oid x509_oid_find(lt_slice der);
/* By short name ("CN", "serverAuth", "keyUsage", …) or dotted text. */
enum x509_oid x509_oid_by_name(lt_slice name);
/* Content of the OBJECT IDENTIFIER. */
lt_slice x509_oid_der(enum x509_oid oid);
/* "CN", "serverAuth"; "unknown". Static storage. */
const char *x509_oid_name(enum x509_oid oid);
/* Dotted text of any content that der_oid accepted. */
void x509_oid_text(lt_slice der, struct lt_buf *out);
/* Content from dotted text ("1.3.6.1.4.1.311.2"); LT_PEER_MALFORMED for anything that is none. */
LT_MUST_USE lt_res x509_oid_parse(lt_slice dotted, struct lt_arena *a, lt_slice *ret_der);

#endif
