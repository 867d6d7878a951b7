/* Certificates, CRLs, requests and OCSP responses, with the names that their modules give to what is in them.
 */
#include "lint/schema.h"

#define FIELDS(fields_) .fields = (fields_), .field_count = LT_COUNT(fields_)
#define ROWS(rows_) .rows = (rows_), .row_count = LT_COUNT(rows_)
#define OID(bytes_) (bytes_), sizeof(bytes_) - 1
#define SEQUENCE(name_, fields_) static const struct lint_node name_ = {LINT_SHAPE_FIELDS, FIELDS(fields_)}
#define LIST(name_, item_) static const struct lint_node name_ = {LINT_SHAPE_LIST, .item = (item_)}

static const struct lint_node leaves = {LINT_SHAPE_LIST};

/* AlgorithmIdentifier */
static const struct lint_field algorithm_fields[] = {{"algorithm", DER_OID}, {"parameters", LINT_TAG_ANY}};
SEQUENCE(algorithm, algorithm_fields);

/* Name */
static const struct lint_by_oid attribute_rows[] = {
    {OID("\x55\x04\x03"), "x520CommonName", NULL},
    {OID("\x55\x04\x04"), "x520name", NULL},
    {OID("\x55\x04\x05"), "x520SerialNumber", NULL},
    {OID("\x55\x04\x06"), "x520countryName", NULL},
    {OID("\x55\x04\x07"), "x520LocalityName", NULL},
    {OID("\x55\x04\x08"), "x520StateOrProvinceName", NULL},
    {OID("\x55\x04\x09"), "x520StreetAddress", NULL},
    {OID("\x55\x04\x0a"), "x520OrganizationName", NULL},
    {OID("\x55\x04\x0b"), "x520OrganizationalUnitName", NULL},
    {OID("\x55\x04\x0c"), "x520Title", NULL},
    {OID("\x55\x04\x0f"), "x520BusinessCategory", NULL},
    {OID("\x55\x04\x11"), "x520PostalCode", NULL},
    {OID("\x55\x04\x2a"), "x520name", NULL},
    {OID("\x55\x04\x2e"), "x520dnQualifier", NULL},
    {OID("\x55\x04\x41"), "x520Pseudonym", NULL},
    {OID("\x55\x04\x61"), "x520OrganizationIdentifier", NULL},
    {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "domainComponent", NULL},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "emailAddress", NULL},
    {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"), "jurisdictionLocalityName", NULL},
    {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"), "jurisdictionStateOrProvinceName", NULL},
    {OID("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"), "jurisdictionCountryName", NULL},
};
static const struct lint_node attribute_value = {LINT_SHAPE_ANY_BY_OID, ROWS(attribute_rows)};
static const struct lint_field attribute_fields[] = {{"type", DER_OID},
                                                     {"value", LINT_TAG_ANY, &attribute_value}};
SEQUENCE(attribute, attribute_fields);
LIST(rdn, &attribute);
static const struct lint_node name = {LINT_SHAPE_LIST, .also = "rdnSequence", .item = &rdn};

/* GeneralNames */
static const struct lint_by_oid other_name_rows[] = {
    {OID("\x2b\x06\x01\x05\x05\x07\x08\x09"), "smtpUTF8Mailbox", NULL},
    {OID("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"), "userPrincipalName", NULL},
};
static const struct lint_node other_name_value = {LINT_SHAPE_ANY_BY_OID, ROWS(other_name_rows)};
static const struct lint_field other_name_fields[] = {{"type-id", DER_OID},
                                                      {"value", DER_CONTEXT_CONS(0), &other_name_value}};
SEQUENCE(other_name, other_name_fields);
static const struct lint_field general_name_fields[] = {
    {"otherName", DER_CONTEXT_CONS(0), &other_name},
    {"rfc822Name", DER_CONTEXT(1)},
    {"dNSName", DER_CONTEXT(2)},
    {"x400Address", DER_CONTEXT_CONS(3)},
    {"directoryName", DER_CONTEXT_CONS(4), &name, .wrapped = true},
    {"ediPartyName", DER_CONTEXT_CONS(5)},
    {"uniformResourceIdentifier", DER_CONTEXT(6)},
    {"iPAddress", DER_CONTEXT(7)},
    {"registeredID", DER_CONTEXT(8)},
};
static const struct lint_node general_name = {LINT_SHAPE_CHOICE, FIELDS(general_name_fields)};
LIST(general_names, &general_name);

/* A field whose type is a CHOICE cannot be told by one tag: each of its forms is a field of its own. */
#define GENERAL_NAME_FORMS(field_)                                                                    \
    {field_ ".otherName", DER_CONTEXT_CONS(0), &other_name}, {field_ ".rfc822Name", DER_CONTEXT(1)},  \
        {field_ ".dNSName", DER_CONTEXT(2)}, {field_ ".x400Address", DER_CONTEXT_CONS(3)},            \
        {field_ ".directoryName", DER_CONTEXT_CONS(4), &name, .wrapped = true},                       \
        {field_ ".ediPartyName", DER_CONTEXT_CONS(5)},                                                \
        {field_ ".uniformResourceIdentifier", DER_CONTEXT(6)}, {field_ ".iPAddress", DER_CONTEXT(7)}, \
    {                                                                                                 \
        field_ ".registeredID", DER_CONTEXT(8)                                                        \
    }

/* Extensions of certificates */
static const struct lint_field basic_constraints_fields[] = {{"cA", DER_BOOLEAN},
                                                             {"pathLenConstraint", DER_INTEGER}};
SEQUENCE(basic_constraints, basic_constraints_fields);

static const struct lint_field aki_fields[] = {{"keyIdentifier", DER_CONTEXT(0)},
                                               {"authorityCertIssuer", DER_CONTEXT_CONS(1), &general_names},
                                               {"authorityCertSerialNumber", DER_CONTEXT(2)}};
SEQUENCE(aki, aki_fields);

static const struct lint_field access_fields[] = {{"accessMethod", DER_OID},
                                                  GENERAL_NAME_FORMS("accessLocation")};
SEQUENCE(access_description, access_fields);
LIST(access_syntax, &access_description);

static const struct lint_field point_name_fields[] = {{"fullName", DER_CONTEXT_CONS(0), &general_names},
                                                      {"nameRelativeToCRLIssuer", DER_CONTEXT_CONS(1), &rdn}};
SEQUENCE(point_name, point_name_fields);
static const struct lint_field point_fields[] = {{"distributionPoint", DER_CONTEXT_CONS(0), &point_name},
                                                 {"reasons", DER_CONTEXT(1)},
                                                 {"cRLIssuer", DER_CONTEXT_CONS(2), &general_names}};
SEQUENCE(point, point_fields);
LIST(points, &point);

static const struct lint_field notice_reference_fields[] = {{"organization", LINT_TAG_ANY},
                                                            {"noticeNumbers", DER_SEQUENCE, &leaves}};
SEQUENCE(notice_reference, notice_reference_fields);
static const struct lint_field user_notice_fields[] = {{"noticeRef", DER_SEQUENCE, &notice_reference},
                                                       {"explicitText", LINT_TAG_ANY}};
SEQUENCE(user_notice, user_notice_fields);
static const struct lint_by_oid qualifier_rows[] = {
    {OID("\x2b\x06\x01\x05\x05\x07\x02\x01"), "cPSuri", NULL},
    {OID("\x2b\x06\x01\x05\x05\x07\x02\x02"), "userNotice", &user_notice},
};
static const struct lint_node qualifier_value = {LINT_SHAPE_ANY_BY_OID, ROWS(qualifier_rows)};
static const struct lint_field qualifier_fields[] = {{"policyQualifierId", DER_OID},
                                                     {"qualifier", LINT_TAG_ANY, &qualifier_value}};
SEQUENCE(qualifier, qualifier_fields);
LIST(qualifiers, &qualifier);
static const struct lint_field policy_fields[] = {{"policyIdentifier", DER_OID},
                                                  {"policyQualifiers", DER_SEQUENCE, &qualifiers}};
SEQUENCE(policy, policy_fields);
LIST(policies, &policy);

static const struct lint_field mapping_fields[] = {{"issuerDomainPolicy", DER_OID},
                                                   {"subjectDomainPolicy", DER_OID}};
SEQUENCE(mapping, mapping_fields);
LIST(mappings, &mapping);

static const struct lint_field subtree_fields[] = {
    GENERAL_NAME_FORMS("base"), {"minimum", DER_CONTEXT(0)}, {"maximum", DER_CONTEXT(1)}};
SEQUENCE(subtree, subtree_fields);
LIST(subtrees, &subtree);
static const struct lint_field constraints_fields[] = {{"permittedSubtrees", DER_CONTEXT_CONS(0), &subtrees},
                                                       {"excludedSubtrees", DER_CONTEXT_CONS(1), &subtrees}};
SEQUENCE(constraints, constraints_fields);

static const struct lint_field policy_constraints_fields[] = {{"requireExplicitPolicy", DER_CONTEXT(0)},
                                                              {"inhibitPolicyMapping", DER_CONTEXT(1)}};
SEQUENCE(policy_constraints, policy_constraints_fields);

static const struct lint_field organization_id_fields[] = {
    {"registrationSchemeIdentifier", DER_PRINTABLE_STRING},
    {"registrationCountry", DER_PRINTABLE_STRING},
    {"registrationStateOrProvince", DER_CONTEXT(0)},
    {"registrationReference", LINT_TAG_ANY}};
SEQUENCE(organization_id, organization_id_fields);

static const struct lint_field capability_fields[] = {{"capabilityID", DER_OID},
                                                      {"parameters", LINT_TAG_ANY}};
SEQUENCE(capability, capability_fields);
LIST(capabilities, &capability);

static const struct lint_field psd2_fields[] = {
    {"rolesOfPSP", DER_SEQUENCE, &leaves}, {"nCAName", DER_UTF8_STRING}, {"nCAId", DER_UTF8_STRING}};
SEQUENCE(psd2, psd2_fields);
static const struct lint_by_oid statement_rows[] = {
    {OID("\x04\x00\x8e\x46\x01\x02"), "qcEuLimitValue", NULL},
    {OID("\x04\x00\x8e\x46\x01\x03"), "qcEuRetentionPeriod", NULL},
    {OID("\x04\x00\x8e\x46\x01\x05"), "qcEuPDS", &leaves},
    {OID("\x04\x00\x8e\x46\x01\x06"), "qcType", &leaves},
    {OID("\x04\x00\x8e\x46\x01\x07"), "qcCClegislation", &leaves},
    {OID("\x04\x00\x81\x98\x27\x02"), "pSD2QcType", &psd2},
    {OID("\x2b\x06\x01\x05\x05\x07\x0b\x01"), "semanticsInformation", NULL},
    {OID("\x2b\x06\x01\x05\x05\x07\x0b\x02"), "semanticsInformation", NULL},
};
static const struct lint_node statement_info = {LINT_SHAPE_ANY_BY_OID, ROWS(statement_rows)};
static const struct lint_field statement_fields[] = {{"statementId", DER_OID},
                                                     {"statementInfo", LINT_TAG_ANY, &statement_info}};
SEQUENCE(statement, statement_fields);
LIST(statements, &statement);

static const struct lint_field issuing_point_fields[] = {
    {"distributionPoint", DER_CONTEXT_CONS(0), &point_name},
    {"onlyContainsUserCerts", DER_CONTEXT(1)},
    {"onlyContainsCACerts", DER_CONTEXT(2)},
    {"onlySomeReasons", DER_CONTEXT(3)},
    {"indirectCRL", DER_CONTEXT(4)},
    {"onlyContainsAttributeCerts", DER_CONTEXT(5)},
};
SEQUENCE(issuing_point, issuing_point_fields);

static const struct lint_by_oid extension_rows[] = {
    {OID("\x55\x1d\x0e"), "subjectKeyIdentifier", NULL},
    {OID("\x55\x1d\x0f"), "keyUsage", NULL},
    {OID("\x55\x1d\x11"), "subjectAltName", &general_names},
    {OID("\x55\x1d\x12"), "issuerAltName", &general_names},
    {OID("\x55\x1d\x13"), "basicConstraints", &basic_constraints},
    {OID("\x55\x1d\x14"), "cRLNumber", NULL},
    {OID("\x55\x1d\x15"), "cRLReason", NULL},
    {OID("\x55\x1d\x18"), "invalidityDate", NULL},
    {OID("\x55\x1d\x1b"), "baseCRLNumber", NULL},
    {OID("\x55\x1d\x1c"), "issuingDistributionPoint", &issuing_point},
    {OID("\x55\x1d\x1d"), "certificateIssuer", &general_names},
    {OID("\x55\x1d\x1e"), "nameConstraints", &constraints},
    {OID("\x55\x1d\x1f"), "cRLDistributionPoints", &points},
    {OID("\x55\x1d\x20"), "certificatePolicies", &policies},
    {OID("\x55\x1d\x21"), "policyMappings", &mappings},
    {OID("\x55\x1d\x23"), "authorityKeyIdentifier", &aki},
    {OID("\x55\x1d\x24"), "policyConstraints", &policy_constraints},
    {OID("\x55\x1d\x25"), "extKeyUsageSyntax", &leaves},
    {OID("\x55\x1d\x2e"), "freshestCRL", &points},
    {OID("\x55\x1d\x36"), "inhibitAnyPolicy", NULL},
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), "authorityInfoAccessSyntax", &access_syntax},
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x03"), "qCStatements", &statements},
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x0b"), "subjectInfoAccessSyntax", &access_syntax},
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x18"), "features", &leaves},
    {OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), "ocspNoCheck", NULL},
    {OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"), "signedCertificateTimestampList", NULL},
    {OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03"), "precertificatePoison", NULL},
    {OID("\x67\x81\x0c\x03\x01"), "cABFOrganizationIdentifier", &organization_id},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f"), "sMIMECapabilities", &capabilities},
};
static const struct lint_node extension_value = {LINT_SHAPE_OCTETS_BY_OID, ROWS(extension_rows)};
static const struct lint_field extension_fields[] = {
    {"extnID", DER_OID}, {"critical", DER_BOOLEAN}, {"extnValue", DER_OCTET_STRING, &extension_value}};
SEQUENCE(extension, extension_fields);
LIST(extensions, &extension);

/* Certificate */
static const struct lint_field rsa_fields[] = {{"modulus", DER_INTEGER}, {"publicExponent", DER_INTEGER}};
SEQUENCE(rsa_key, rsa_fields);
static const struct lint_node key_bits = {LINT_SHAPE_KEY, .item = &rsa_key};
static const struct lint_field spki_fields[] = {{"algorithm", DER_SEQUENCE, &algorithm},
                                                {"subjectPublicKey", DER_BIT_STRING, &key_bits}};
SEQUENCE(spki, spki_fields);
static const struct lint_field validity_fields[] = {{"notBefore", LINT_TAG_TIME},
                                                    {"notAfter", LINT_TAG_TIME}};
SEQUENCE(validity, validity_fields);
static const struct lint_field tbs_fields[] = {
    {"version", DER_CONTEXT_CONS(0)},
    {"serialNumber", DER_INTEGER},
    {"signature", DER_SEQUENCE, &algorithm},
    {"issuer", DER_SEQUENCE, &name},
    {"validity", DER_SEQUENCE, &validity},
    {"subject", DER_SEQUENCE, &name},
    {"subjectPublicKeyInfo", DER_SEQUENCE, &spki},
    {"issuerUniqueID", DER_CONTEXT(1)},
    {"subjectUniqueID", DER_CONTEXT(2)},
    {"extensions", DER_CONTEXT_CONS(3), &extensions, .wrapped = true},
};
SEQUENCE(tbs, tbs_fields);
static const struct lint_field certificate_fields[] = {{"tbsCertificate", DER_SEQUENCE, &tbs},
                                                       {"signatureAlgorithm", DER_SEQUENCE, &algorithm},
                                                       {"signature", DER_BIT_STRING}};
SEQUENCE(certificate, certificate_fields);

/* CertificateList */
static const struct lint_field revoked_fields[] = {{"userCertificate", DER_INTEGER},
                                                   {"revocationDate", LINT_TAG_TIME},
                                                   {"crlEntryExtensions", DER_SEQUENCE, &extensions}};
SEQUENCE(revoked, revoked_fields);
LIST(revoked_list, &revoked);
static const struct lint_field crl_tbs_fields[] = {
    {"version", DER_INTEGER},
    {"signature", DER_SEQUENCE, &algorithm},
    {"issuer", DER_SEQUENCE, &name},
    {"thisUpdate", LINT_TAG_TIME},
    {"nextUpdate", LINT_TAG_TIME},
    {"revokedCertificates", DER_SEQUENCE, &revoked_list},
    {"crlExtensions", DER_CONTEXT_CONS(0), &extensions, .wrapped = true},
};
SEQUENCE(crl_tbs, crl_tbs_fields);
static const struct lint_field crl_fields[] = {{"tbsCertList", DER_SEQUENCE, &crl_tbs},
                                               {"signatureAlgorithm", DER_SEQUENCE, &algorithm},
                                               {"signature", DER_BIT_STRING}};
SEQUENCE(crl, crl_fields);

/* CertificationRequest */
static const struct lint_field csr_attribute_fields[] = {{"type", DER_OID}, {"values", DER_SET, &leaves}};
SEQUENCE(csr_attribute, csr_attribute_fields);
LIST(csr_attributes, &csr_attribute);
static const struct lint_field csr_info_fields[] = {{"version", DER_INTEGER},
                                                    {"subject", DER_SEQUENCE, &name},
                                                    {"subjectPKInfo", DER_SEQUENCE, &spki},
                                                    {"attributes", DER_CONTEXT_CONS(0), &csr_attributes}};
SEQUENCE(csr_info, csr_info_fields);
static const struct lint_field csr_fields[] = {{"certificationRequestInfo", DER_SEQUENCE, &csr_info},
                                               {"signatureAlgorithm", DER_SEQUENCE, &algorithm},
                                               {"signature", DER_BIT_STRING}};
SEQUENCE(csr, csr_fields);

/* OCSPResponse */
static const struct lint_field cert_id_fields[] = {{"hashAlgorithm", DER_SEQUENCE, &algorithm},
                                                   {"issuerNameHash", DER_OCTET_STRING},
                                                   {"issuerKeyHash", DER_OCTET_STRING},
                                                   {"serialNumber", DER_INTEGER}};
SEQUENCE(cert_id, cert_id_fields);
static const struct lint_field revoked_info_fields[] = {{"revocationTime", DER_GENERALIZED_TIME},
                                                        {"revocationReason", DER_CONTEXT_CONS(0)}};
SEQUENCE(revoked_info, revoked_info_fields);
static const struct lint_field single_fields[] = {
    {"certID", DER_SEQUENCE, &cert_id},
    {"certStatus.good", DER_CONTEXT(0)},
    {"certStatus.revoked", DER_CONTEXT_CONS(1), &revoked_info},
    {"certStatus.unknown", DER_CONTEXT(2)},
    {"thisUpdate", DER_GENERALIZED_TIME},
    {"nextUpdate", DER_CONTEXT_CONS(0)},
    {"singleExtensions", DER_CONTEXT_CONS(1), &extensions, .wrapped = true},
};
SEQUENCE(single, single_fields);
LIST(singles, &single);
static const struct lint_field response_data_fields[] = {
    {"version", DER_CONTEXT_CONS(0)},
    {"responderID.byName", DER_CONTEXT_CONS(1), &name, .wrapped = true},
    {"responderID.byKey", DER_CONTEXT_CONS(2)},
    {"producedAt", DER_GENERALIZED_TIME},
    {"responses", DER_SEQUENCE, &singles},
    {"responseExtensions", DER_CONTEXT_CONS(1), &extensions, .wrapped = true},
};
SEQUENCE(response_data, response_data_fields);
LIST(certs, &certificate);
static const struct lint_field basic_fields[] = {{"tbsResponseData", DER_SEQUENCE, &response_data},
                                                 {"signatureAlgorithm", DER_SEQUENCE, &algorithm},
                                                 {"signature", DER_BIT_STRING},
                                                 {"certs", DER_CONTEXT_CONS(0), &certs, .wrapped = true}};
SEQUENCE(basic, basic_fields);
static const struct lint_by_oid response_rows[] = {
    {OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01"), "basicOCSPResponse", &basic},
};
static const struct lint_node response_value = {LINT_SHAPE_OCTETS_BY_OID, ROWS(response_rows)};
static const struct lint_field response_bytes_fields[] = {{"responseType", DER_OID},
                                                          {"response", DER_OCTET_STRING, &response_value}};
SEQUENCE(response_bytes, response_bytes_fields);
static const struct lint_field ocsp_fields[] = {
    {"responseStatus", DER_ENUMERATED},
    {"responseBytes", DER_CONTEXT_CONS(0), &response_bytes, .wrapped = true}};
SEQUENCE(ocsp, ocsp_fields);

const struct lint_root *lint_root(enum lint_kind kind, bool bare)
{
    static const struct lint_root roots[] = {
        {"certificate", &certificate},  {"certificate.tbsCertificate", &tbs},
        {"certificateList", &crl},      {"certificateList.tbsCertList", &crl_tbs},
        {"certificationRequest", &csr}, {"oCSPResponse", &ocsp},
    };
    switch (kind) {
    case LINT_CERTIFICATE:
        return &roots[bare ? 1 : 0];
    case LINT_CRL:
        return &roots[bare ? 3 : 2];
    case LINT_CSR:
        return &roots[4];
    case LINT_OCSP:
        break;
    }
    return &roots[5];
}
