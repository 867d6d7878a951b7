/* The table of known object identifiers, and dotted text. */
#include "x509/oid.h"

#include <string.h>

#include "base/text.h"

struct row {
    const char *der;
    uint8_t len;
    const char *dotted;
    const char *name;
};
#define OID(bytes_) (bytes_), sizeof(bytes_) - 1

static const struct row rows[X509_OID_COUNT] = {
    [X509_OID_UNKNOWN] = {OID(""), "", "unknown"},
    [X509_OID_CN] = {OID("\x55\x04\x03"), "2.5.4.3", "CN"},
    [X509_OID_SURNAME] = {OID("\x55\x04\x04"), "2.5.4.4", "surname"},
    [X509_OID_SERIAL_NUMBER] = {OID("\x55\x04\x05"), "2.5.4.5", "serialNumber"},
    [X509_OID_C] = {OID("\x55\x04\x06"), "2.5.4.6", "C"},
    [X509_OID_L] = {OID("\x55\x04\x07"), "2.5.4.7", "L"},
    [X509_OID_ST] = {OID("\x55\x04\x08"), "2.5.4.8", "ST"},
    [X509_OID_STREET] = {OID("\x55\x04\x09"), "2.5.4.9", "STREET"},
    [X509_OID_O] = {OID("\x55\x04\x0a"), "2.5.4.10", "O"},
    [X509_OID_OU] = {OID("\x55\x04\x0b"), "2.5.4.11", "OU"},
    [X509_OID_TITLE] = {OID("\x55\x04\x0c"), "2.5.4.12", "title"},
    [X509_OID_BUSINESS_CATEGORY] = {OID("\x55\x04\x0f"), "2.5.4.15", "businessCategory"},
    [X509_OID_POSTAL_CODE] = {OID("\x55\x04\x11"), "2.5.4.17", "postalCode"},
    [X509_OID_GIVEN_NAME] = {OID("\x55\x04\x2a"), "2.5.4.42", "givenName"},
    [X509_OID_PSEUDONYM] = {OID("\x55\x04\x41"), "2.5.4.65", "pseudonym"},
    [X509_OID_DN_QUALIFIER] = {OID("\x55\x04\x2e"), "2.5.4.46", "dnQualifier"},
    [X509_OID_ORGANIZATION_IDENTIFIER] = {OID("\x55\x04\x61"), "2.5.4.97", "organizationIdentifier"},
    [X509_OID_DC] = {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "0.9.2342.19200300.100.1.25", "DC"},
    [X509_OID_UID] = {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "0.9.2342.19200300.100.1.1", "UID"},
    [X509_OID_EMAIL_ADDRESS] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "1.2.840.113549.1.9.1",
                                "emailAddress"},
    [X509_OID_JURISDICTION_L] = {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"),
                                 "1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"},
    [X509_OID_JURISDICTION_ST] = {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"),
                                  "1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"},
    [X509_OID_JURISDICTION_C] = {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"),
                                 "1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"},
    [X509_OID_RSA] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), "1.2.840.113549.1.1.1", "rsaEncryption"},
    [X509_OID_RSA_PSS] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "1.2.840.113549.1.1.10", "rsassaPss"},
    [X509_OID_EC] = {OID("\x2a\x86\x48\xce\x3d\x02\x01"), "1.2.840.10045.2.1", "ecPublicKey"},
    [X509_OID_P256] = {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "1.2.840.10045.3.1.7", "P-256"},
    [X509_OID_P384] = {OID("\x2b\x81\x04\x00\x22"), "1.3.132.0.34", "P-384"},
    [X509_OID_P521] = {OID("\x2b\x81\x04\x00\x23"), "1.3.132.0.35", "P-521"},
    [X509_OID_ED25519] = {OID("\x2b\x65\x70"), "1.3.101.112", "Ed25519"},
    [X509_OID_RSA_SHA1] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "1.2.840.113549.1.1.5",
                           "sha1WithRSAEncryption"},
    [X509_OID_RSA_SHA256] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), "1.2.840.113549.1.1.11",
                             "sha256WithRSAEncryption"},
    [X509_OID_RSA_SHA384] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), "1.2.840.113549.1.1.12",
                             "sha384WithRSAEncryption"},
    [X509_OID_RSA_SHA512] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), "1.2.840.113549.1.1.13",
                             "sha512WithRSAEncryption"},
    [X509_OID_ECDSA_SHA256] = {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), "1.2.840.10045.4.3.2",
                               "ecdsa-with-SHA256"},
    [X509_OID_ECDSA_SHA384] = {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), "1.2.840.10045.4.3.3",
                               "ecdsa-with-SHA384"},
    [X509_OID_ECDSA_SHA512] = {OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), "1.2.840.10045.4.3.4",
                               "ecdsa-with-SHA512"},
    [X509_OID_SUBJECT_KEY_IDENTIFIER] = {OID("\x55\x1d\x0e"), "2.5.29.14", "subjectKeyIdentifier"},
    [X509_OID_KEY_USAGE] = {OID("\x55\x1d\x0f"), "2.5.29.15", "keyUsage"},
    [X509_OID_SUBJECT_ALT_NAME] = {OID("\x55\x1d\x11"), "2.5.29.17", "subjectAltName"},
    [X509_OID_ISSUER_ALT_NAME] = {OID("\x55\x1d\x12"), "2.5.29.18", "issuerAltName"},
    [X509_OID_BASIC_CONSTRAINTS] = {OID("\x55\x1d\x13"), "2.5.29.19", "basicConstraints"},
    [X509_OID_CRL_NUMBER] = {OID("\x55\x1d\x14"), "2.5.29.20", "cRLNumber"},
    [X509_OID_REASON_CODE] = {OID("\x55\x1d\x15"), "2.5.29.21", "reasonCode"},
    [X509_OID_INVALIDITY_DATE] = {OID("\x55\x1d\x18"), "2.5.29.24", "invalidityDate"},
    [X509_OID_DELTA_CRL] = {OID("\x55\x1d\x1b"), "2.5.29.27", "deltaCRLIndicator"},
    [X509_OID_ISSUING_DISTRIBUTION_POINT] = {OID("\x55\x1d\x1c"), "2.5.29.28", "issuingDistributionPoint"},
    [X509_OID_CERTIFICATE_ISSUER] = {OID("\x55\x1d\x1d"), "2.5.29.29", "certificateIssuer"},
    [X509_OID_NAME_CONSTRAINTS] = {OID("\x55\x1d\x1e"), "2.5.29.30", "nameConstraints"},
    [X509_OID_CRL_DISTRIBUTION_POINTS] = {OID("\x55\x1d\x1f"), "2.5.29.31", "cRLDistributionPoints"},
    [X509_OID_CERTIFICATE_POLICIES] = {OID("\x55\x1d\x20"), "2.5.29.32", "certificatePolicies"},
    [X509_OID_POLICY_MAPPINGS] = {OID("\x55\x1d\x21"), "2.5.29.33", "policyMappings"},
    [X509_OID_AUTHORITY_KEY_IDENTIFIER] = {OID("\x55\x1d\x23"), "2.5.29.35", "authorityKeyIdentifier"},
    [X509_OID_POLICY_CONSTRAINTS] = {OID("\x55\x1d\x24"), "2.5.29.36", "policyConstraints"},
    [X509_OID_EXTENDED_KEY_USAGE] = {OID("\x55\x1d\x25"), "2.5.29.37", "extKeyUsage"},
    [X509_OID_FRESHEST_CRL] = {OID("\x55\x1d\x2e"), "2.5.29.46", "freshestCRL"},
    [X509_OID_INHIBIT_ANY_POLICY] = {OID("\x55\x1d\x36"), "2.5.29.54", "inhibitAnyPolicy"},
    [X509_OID_AUTHORITY_INFO_ACCESS] = {OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), "1.3.6.1.5.5.7.1.1",
                                        "authorityInfoAccess"},
    [X509_OID_SUBJECT_INFO_ACCESS] = {OID("\x2b\x06\x01\x05\x05\x07\x01\x0b"), "1.3.6.1.5.5.7.1.11",
                                      "subjectInfoAccess"},
    [X509_OID_TLS_FEATURE] = {OID("\x2b\x06\x01\x05\x05\x07\x01\x18"), "1.3.6.1.5.5.7.1.24", "tlsFeature"},
    [X509_OID_CT_POISON] = {OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03"), "1.3.6.1.4.1.11129.2.4.3",
                            "ctPoison"},
    [X509_OID_SCT_LIST] = {OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"), "1.3.6.1.4.1.11129.2.4.2",
                           "signedCertificateTimestampList"},
    [X509_OID_ACME_IDENTIFIER] = {OID("\x2b\x06\x01\x05\x05\x07\x01\x1f"), "1.3.6.1.5.5.7.1.31",
                                  "acmeIdentifier"},
    [X509_OID_QC_STATEMENTS] = {OID("\x2b\x06\x01\x05\x05\x07\x01\x03"), "1.3.6.1.5.5.7.1.3", "qcStatements"},
    [X509_OID_CABF_ORGANIZATION_IDENTIFIER] = {OID("\x67\x81\x0c\x03\x01"), "2.23.140.3.1",
                                               "cabfOrganizationIdentifier"},
    [X509_OID_SMIME_CAPABILITIES] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f"), "1.2.840.113549.1.9.15",
                                     "smimeCapabilities"},
    [X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES] = {OID("\x55\x1d\x09"), "2.5.29.9", "subjectDirectoryAttributes"},
    [X509_OID_ADOBE_TIME_STAMP] = {OID("\x2a\x86\x48\x86\xf7\x2f\x01\x01\x09\x01"), "1.2.840.113583.1.1.9.1",
                                   "adobeTimeStamp"},
    [X509_OID_ADOBE_ARCHIVE_REV_INFO] = {OID("\x2a\x86\x48\x86\xf7\x2f\x01\x01\x09\x02"),
                                         "1.2.840.113583.1.1.9.2", "adobeArchiveRevInfo"},
    [X509_OID_LEI] = {OID("\x2b\x06\x01\x04\x01\x83\x98\x2a\x01"), "1.3.6.1.4.1.52266.1",
                      "legalEntityIdentifier"},
    [X509_OID_LEI_ROLE] = {OID("\x2b\x06\x01\x04\x01\x83\x98\x2a\x02"), "1.3.6.1.4.1.52266.2",
                           "legalEntityIdentifierRole"},
    [X509_OID_OCSP] = {OID("\x2b\x06\x01\x05\x05\x07\x30\x01"), "1.3.6.1.5.5.7.48.1", "ocsp"},
    [X509_OID_CA_ISSUERS] = {OID("\x2b\x06\x01\x05\x05\x07\x30\x02"), "1.3.6.1.5.5.7.48.2", "caIssuers"},
    [X509_OID_ANY_EXTENDED_KEY_USAGE] = {OID("\x55\x1d\x25\x00"), "2.5.29.37.0", "anyExtendedKeyUsage"},
    [X509_OID_SERVER_AUTH] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x01"), "1.3.6.1.5.5.7.3.1", "serverAuth"},
    [X509_OID_CLIENT_AUTH] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x02"), "1.3.6.1.5.5.7.3.2", "clientAuth"},
    [X509_OID_CODE_SIGNING] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x03"), "1.3.6.1.5.5.7.3.3", "codeSigning"},
    [X509_OID_EMAIL_PROTECTION] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x04"), "1.3.6.1.5.5.7.3.4",
                                   "emailProtection"},
    [X509_OID_TIME_STAMPING] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x08"), "1.3.6.1.5.5.7.3.8", "timeStamping"},
    [X509_OID_OCSP_SIGNING] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x09"), "1.3.6.1.5.5.7.3.9", "OCSPSigning"},
    [X509_OID_DOCUMENT_SIGNING] = {OID("\x2b\x06\x01\x05\x05\x07\x03\x24"), "1.3.6.1.5.5.7.3.36",
                                   "documentSigning"},
    [X509_OID_PRECERTIFICATE_SIGNING] = {OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x04"),
                                         "1.3.6.1.4.1.11129.2.4.4", "precertificateSigning"},
    [X509_OID_OCSP_NO_CHECK] = {OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), "1.3.6.1.5.5.7.48.1.5",
                                "ocspNoCheck"},
    [X509_OID_ANY_POLICY] = {OID("\x55\x1d\x20\x00"), "2.5.29.32.0", "anyPolicy"},
    [X509_OID_POLICY_DV] = {OID("\x67\x81\x0c\x01\x02\x01"), "2.23.140.1.2.1", "domain-validated"},
    [X509_OID_POLICY_OV] = {OID("\x67\x81\x0c\x01\x02\x02"), "2.23.140.1.2.2", "organization-validated"},
    [X509_OID_POLICY_IV] = {OID("\x67\x81\x0c\x01\x02\x03"), "2.23.140.1.2.3", "individual-validated"},
    [X509_OID_POLICY_EV] = {OID("\x67\x81\x0c\x01\x01"), "2.23.140.1.1", "extended-validation"},
    [X509_OID_POLICY_CODE_SIGNING] = {OID("\x67\x81\x0c\x01\x04\x01"), "2.23.140.1.4.1", "code-signing"},
    [X509_OID_POLICY_EV_CODE_SIGNING] = {OID("\x67\x81\x0c\x01\x03"), "2.23.140.1.3", "ev-code-signing"},
    [X509_OID_POLICY_SMIME_MV_LEGACY] = {OID("\x67\x81\x0c\x01\x05\x01\x01"), "2.23.140.1.5.1.1",
                                         "smime-mv-legacy"},
    [X509_OID_POLICY_SMIME_MV_MULTIPURPOSE] = {OID("\x67\x81\x0c\x01\x05\x01\x02"), "2.23.140.1.5.1.2",
                                               "smime-mv-multipurpose"},
    [X509_OID_POLICY_SMIME_MV_STRICT] = {OID("\x67\x81\x0c\x01\x05\x01\x03"), "2.23.140.1.5.1.3",
                                         "smime-mv-strict"},
    [X509_OID_POLICY_SMIME_OV_LEGACY] = {OID("\x67\x81\x0c\x01\x05\x02\x01"), "2.23.140.1.5.2.1",
                                         "smime-ov-legacy"},
    [X509_OID_POLICY_SMIME_OV_MULTIPURPOSE] = {OID("\x67\x81\x0c\x01\x05\x02\x02"), "2.23.140.1.5.2.2",
                                               "smime-ov-multipurpose"},
    [X509_OID_POLICY_SMIME_OV_STRICT] = {OID("\x67\x81\x0c\x01\x05\x02\x03"), "2.23.140.1.5.2.3",
                                         "smime-ov-strict"},
    [X509_OID_POLICY_SMIME_SV_LEGACY] = {OID("\x67\x81\x0c\x01\x05\x03\x01"), "2.23.140.1.5.3.1",
                                         "smime-sv-legacy"},
    [X509_OID_POLICY_SMIME_SV_MULTIPURPOSE] = {OID("\x67\x81\x0c\x01\x05\x03\x02"), "2.23.140.1.5.3.2",
                                               "smime-sv-multipurpose"},
    [X509_OID_POLICY_SMIME_SV_STRICT] = {OID("\x67\x81\x0c\x01\x05\x03\x03"), "2.23.140.1.5.3.3",
                                         "smime-sv-strict"},
    [X509_OID_POLICY_SMIME_IV_LEGACY] = {OID("\x67\x81\x0c\x01\x05\x04\x01"), "2.23.140.1.5.4.1",
                                         "smime-iv-legacy"},
    [X509_OID_POLICY_SMIME_IV_MULTIPURPOSE] = {OID("\x67\x81\x0c\x01\x05\x04\x02"), "2.23.140.1.5.4.2",
                                               "smime-iv-multipurpose"},
    [X509_OID_POLICY_SMIME_IV_STRICT] = {OID("\x67\x81\x0c\x01\x05\x04\x03"), "2.23.140.1.5.4.3",
                                         "smime-iv-strict"},
    [X509_OID_CPS_QUALIFIER] = {OID("\x2b\x06\x01\x05\x05\x07\x02\x01"), "1.3.6.1.5.5.7.2.1", "cps"},
    [X509_OID_USER_NOTICE_QUALIFIER] = {OID("\x2b\x06\x01\x05\x05\x07\x02\x02"), "1.3.6.1.5.5.7.2.2",
                                        "userNotice"},
    [X509_OID_EXTENSION_REQUEST] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), "1.2.840.113549.1.9.14",
                                    "extensionRequest"},
    [X509_OID_CHALLENGE_PASSWORD] = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"), "1.2.840.113549.1.9.7",
                                     "challengePassword"},
};

/* Sorted by length, then bytes: for the search. */
static const uint8_t by_der[] = {X509_OID_ED25519,
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
                                 X509_OID_DN_QUALIFIER,
                                 X509_OID_PSEUDONYM,
                                 X509_OID_ORGANIZATION_IDENTIFIER,
                                 X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES,
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
                                 X509_OID_ANY_POLICY,
                                 X509_OID_ANY_EXTENDED_KEY_USAGE,
                                 X509_OID_P384,
                                 X509_OID_P521,
                                 X509_OID_POLICY_EV,
                                 X509_OID_POLICY_EV_CODE_SIGNING,
                                 X509_OID_CABF_ORGANIZATION_IDENTIFIER,
                                 X509_OID_POLICY_DV,
                                 X509_OID_POLICY_OV,
                                 X509_OID_POLICY_IV,
                                 X509_OID_POLICY_CODE_SIGNING,
                                 X509_OID_EC,
                                 X509_OID_POLICY_SMIME_MV_LEGACY,
                                 X509_OID_POLICY_SMIME_MV_MULTIPURPOSE,
                                 X509_OID_POLICY_SMIME_MV_STRICT,
                                 X509_OID_POLICY_SMIME_OV_LEGACY,
                                 X509_OID_POLICY_SMIME_OV_MULTIPURPOSE,
                                 X509_OID_POLICY_SMIME_OV_STRICT,
                                 X509_OID_POLICY_SMIME_SV_LEGACY,
                                 X509_OID_POLICY_SMIME_SV_MULTIPURPOSE,
                                 X509_OID_POLICY_SMIME_SV_STRICT,
                                 X509_OID_POLICY_SMIME_IV_LEGACY,
                                 X509_OID_POLICY_SMIME_IV_MULTIPURPOSE,
                                 X509_OID_POLICY_SMIME_IV_STRICT,
                                 X509_OID_P256,
                                 X509_OID_ECDSA_SHA256,
                                 X509_OID_ECDSA_SHA384,
                                 X509_OID_ECDSA_SHA512,
                                 X509_OID_AUTHORITY_INFO_ACCESS,
                                 X509_OID_QC_STATEMENTS,
                                 X509_OID_SUBJECT_INFO_ACCESS,
                                 X509_OID_TLS_FEATURE,
                                 X509_OID_ACME_IDENTIFIER,
                                 X509_OID_CPS_QUALIFIER,
                                 X509_OID_USER_NOTICE_QUALIFIER,
                                 X509_OID_SERVER_AUTH,
                                 X509_OID_CLIENT_AUTH,
                                 X509_OID_CODE_SIGNING,
                                 X509_OID_EMAIL_PROTECTION,
                                 X509_OID_TIME_STAMPING,
                                 X509_OID_OCSP_SIGNING,
                                 X509_OID_DOCUMENT_SIGNING,
                                 X509_OID_OCSP,
                                 X509_OID_CA_ISSUERS,
                                 X509_OID_RSA,
                                 X509_OID_RSA_SHA1,
                                 X509_OID_RSA_PSS,
                                 X509_OID_RSA_SHA256,
                                 X509_OID_RSA_SHA384,
                                 X509_OID_RSA_SHA512,
                                 X509_OID_EMAIL_ADDRESS,
                                 X509_OID_CHALLENGE_PASSWORD,
                                 X509_OID_EXTENSION_REQUEST,
                                 X509_OID_SMIME_CAPABILITIES,
                                 X509_OID_LEI,
                                 X509_OID_LEI_ROLE,
                                 X509_OID_OCSP_NO_CHECK,
                                 X509_OID_UID,
                                 X509_OID_DC,
                                 X509_OID_ADOBE_TIME_STAMP,
                                 X509_OID_ADOBE_ARCHIVE_REV_INFO,
                                 X509_OID_SCT_LIST,
                                 X509_OID_CT_POISON,
                                 X509_OID_PRECERTIFICATE_SIGNING,
                                 X509_OID_JURISDICTION_L,
                                 X509_OID_JURISDICTION_ST,
                                 X509_OID_JURISDICTION_C};

static lt_slice row_der(size_t i)
{
    return LT_SLICE(rows[i].der, rows[i].len);
}

enum x509_oid x509_oid_find(lt_slice der)
{
    size_t low = 0;
    size_t high = LT_COUNT(by_der);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct row *r = &rows[by_der[middle]];
        int order = der.len < r->len ? -1 : der.len > r->len;
        if (order == 0) {
            order = memcmp(der.ptr, r->der, der.len);
        }
        if (order == 0) {
            return (enum x509_oid)by_der[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return X509_OID_UNKNOWN;
}

enum x509_oid x509_oid_by_name(lt_slice name)
{
    for (size_t i = 1; i < X509_OID_COUNT; i++) {
        if (lt_slice_eq_cstr(name, rows[i].name) || lt_slice_eq_cstr(name, rows[i].dotted)) {
            return (enum x509_oid)i;
        }
    }
    return X509_OID_UNKNOWN;
}

lt_slice x509_oid_der(enum x509_oid oid)
{
    LT_ASSERT((unsigned)oid < X509_OID_COUNT);
    return row_der(oid);
}

const char *x509_oid_name(enum x509_oid oid)
{
    LT_ASSERT((unsigned)oid < X509_OID_COUNT);
    return rows[oid].name;
}

/* The next arc; an arc beyond 64 bits gives UINT64_MAX, which no registered identifier has. */
static uint64_t arc_next(lt_slice *der)
{
    uint64_t arc = 0;
    bool large = false;
    size_t i = 0;
    for (bool more = true; more && i < der->len; i++) {
        large = large || arc >> 57 != 0;
        arc = arc << 7 | (der->ptr[i] & 0x7f);
        more = (der->ptr[i] & 0x80) != 0;
    }
    *der = lt_slice_sub(*der, i, der->len - i);
    return large ? UINT64_MAX : arc;
}

void x509_oid_text(lt_slice der, struct lt_buf *out)
{
    uint64_t first = arc_next(&der);
    uint64_t top = first < 80 ? first / 40 : 2;
    lt_buf_addf(out, "%llu.%llu", (unsigned long long)top, (unsigned long long)(first - top * 40));
    while (der.len > 0) {
        lt_buf_addf(out, ".%llu", (unsigned long long)arc_next(&der));
    }
}

static size_t arc_put(uint8_t *out, uint64_t arc)
{
    size_t len = 1;
    for (uint64_t rest = arc >> 7; rest > 0; rest >>= 7) {
        len++;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t more = i + 1 < len ? 0x80 : 0;
        out[i] = (uint8_t)((arc >> (7 * (len - 1 - i)) & 0x7f) | more);
    }
    return len;
}

lt_res x509_oid_parse(lt_slice dotted, struct lt_arena *a, lt_slice *ret_der)
{
    enum { ARCS_MAX = 32, ARC_BYTES = 10 };
    uint8_t bytes[ARCS_MAX * ARC_BYTES];
    size_t len = 0;
    lt_slice rest = dotted;
    lt_slice part = {0};
    uint64_t top = 0;
    size_t count = 0;
    for (; lt_slice_split(&rest, '.', &part); count++) {
        uint64_t arc = 0;
        LT_CHECK(count < ARCS_MAX, LT_PEER_MALFORMED, "an object identifier of more than %d arcs", ARCS_MAX);
        uint64_t max = count == 0 ? 2 : count == 1 && top < 2 ? 39 : UINT64_MAX - 81;
        LT_TRY(lt_parse_u64(part, max, &arc));
        if (count == 0) {
            top = arc;
            continue;
        }
        len += arc_put(bytes + len, count == 1 ? top * 40 + arc : arc);
    }
    LT_CHECK(count >= 2, LT_PEER_MALFORMED, "no object identifier: '%.*s'", LT_FMT(dotted));
    *ret_der = lt_arena_copy(a, LT_SLICE(bytes, len));
    LT_CHECK(ret_der->ptr != NULL, LT_PEER_TOO_LARGE, "no room for an object identifier");
    return LT_OK;
}
