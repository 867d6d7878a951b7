/* zlint's rules of the S/MIME Baseline Requirements: extensions, key usage, keys. */
#include "lint/rules/common.h"
#include "lint/rules/purposes.h"
#include "lint/rules/url.h"

#define SMIME                                                                                    \
    .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(2023, 9, 1)
#define SUBSCRIBER (LINT_IS_SUBSCRIBER | LINT_IS_SMIME)

static const enum x509_oid adobe[] = {X509_OID_ADOBE_TIME_STAMP, X509_OID_ADOBE_ARCHIVE_REV_INFO};

static bool not_strict(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_LEGACY | LINT_IS_SMIME_MULTIPURPOSE);
}

static bool not_legacy(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_STRICT | LINT_IS_SMIME_MULTIPURPOSE);
}

static bool adobe_not_strict(const struct lint_subject *s)
{
    return not_strict(s) && (lint_ext(s, adobe[0]) != NULL || lint_ext(s, adobe[1]) != NULL);
}

static void adobe_criticality(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(adobe); i++) {
        const struct x509_extension *x = lint_ext(s, adobe[i]);
        if (x != NULL && x->critical) {
            lint_found(r, x->der, "%s is critical", x509_oid_name(adobe[i]));
        }
    }
}

static void adobe_presence(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(adobe); i++) {
        const struct x509_extension *x = lint_ext(s, adobe[i]);
        if (x != NULL) {
            lint_found(r, x->der, "%s stands in a certificate of the strict generation",
                       x509_oid_name(adobe[i]));
        }
    }
}

/* The three optional fields by their tags alone, whatever they hold. */
static void authority_key_id(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "authorityKeyIdentifier is missing");
        return;
    }
    if (x->critical) {
        lint_found(r, x->der, "authorityKeyIdentifier is critical");
        return;
    }
    static const char *const fields[] = {"keyIdentifier", "authorityCertIssuer", "authorityCertSerialNumber"};
    struct der_cursor c = der_open(x->value);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    size_t len[3] = {0};
    while (der_more(&in)) {
        uint32_t tag;
        lt_slice content;
        if (der_any(&in, &tag, &content, NULL) && (tag & DER_CLASS_CONTEXT) != 0 && DER_TAG_NUMBER(tag) < 3) {
            len[DER_TAG_NUMBER(tag)] = content.len;
        }
    }
    if (!der_ok(&in)) {
        lint_found_at(r, LINT_FATAL, x->value, "authorityKeyIdentifier does not decode: %s", in.why);
        return;
    }
    if (len[0] == 0) {
        lint_found(r, x->value, "authorityKeyIdentifier has no %s", fields[0]);
        return;
    }
    for (size_t i = 1; i < LT_COUNT(fields); i++) {
        if (len[i] > 0) {
            lint_found(r, x->value, "authorityKeyIdentifier has %s", fields[i]);
        }
    }
}

static bool is_reserved(enum x509_oid policy)
{
    return policy >= X509_OID_POLICY_SMIME_MV_LEGACY && policy <= X509_OID_POLICY_SMIME_IV_STRICT;
}

static void one_policy(const struct lint_subject *s, struct lint_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        count += is_reserved(s->cert->ext.policies[i].id.oid);
    }
    if (count != 1) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "%zu reserved S/MIME policies", count);
    }
}

/* Which bits may stand beside each other, by what the key is for. */
struct key_usages {
    uint32_t management; /* the bit that makes it a key for key management */
    uint32_t signing_may;
    uint32_t management_may;
};
#define SIGNING_MAY (X509_KU_DIGITAL_SIGNATURE | X509_KU_CONTENT_COMMITMENT)

static const struct key_usages rsa_strict = {X509_KU_KEY_ENCIPHERMENT, SIGNING_MAY, X509_KU_KEY_ENCIPHERMENT};
static const struct key_usages rsa_others = {X509_KU_KEY_ENCIPHERMENT, SIGNING_MAY,
                                             X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT};
static const struct key_usages ec_all = {X509_KU_KEY_AGREEMENT, SIGNING_MAY,
                                         X509_KU_KEY_AGREEMENT | X509_KU_ENCIPHER_ONLY |
                                             X509_KU_DECIPHER_ONLY};

static void key_usage_bits(const struct lint_subject *s, struct lint_report *r)
{
    const struct key_usages *k = r->rule->data;
    uint32_t bits = s->cert->ext.key_usage & LINT_KU_DEFINED;
    bool signing = (bits & X509_KU_DIGITAL_SIGNATURE) != 0;
    bool management = (bits & k->management) != 0;
    if (!signing && !management) {
        lint_say(r, LINT_NA);
        return;
    }
    uint32_t may = (signing ? k->signing_may : 0) | (management ? k->management_may : 0);
    if ((bits & ~may) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE),
                   "key usage bits 0x%x beside 0x%x, which go together", bits & ~may, bits & may);
    }
}

static void key_usage_some(const struct lint_subject *s, struct lint_report *r)
{
    const struct key_usages *k = r->rule->data;
    uint32_t bits = s->cert->ext.key_usage & LINT_KU_DEFINED;
    if ((bits & (X509_KU_DIGITAL_SIGNATURE | k->management)) != 0) {
        return;
    }
    if (bits == 0) {
        lint_say(r, LINT_NA);
        return;
    }
    lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "key usage 0x%x is neither for signing nor for keys",
               bits);
}

static void key_usage_edwards(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t bits = s->cert->ext.key_usage & LINT_KU_DEFINED;
    if ((bits & X509_KU_DIGITAL_SIGNATURE) == 0 || (bits & ~(uint32_t)SIGNING_MAY) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "key usage 0x%x with an Edwards curve key", bits);
    }
}

static bool is_edwards(const struct lint_subject *s)
{
    return s->cert->spki.type == X509_KEY_ED25519;
}

static void key_usage_presence(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_KU)) {
        lint_found(r, s->cert->tbs, "keyUsage is missing");
    }
}

static void not_critical_key_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_KEY_USAGE);
    if (x != NULL && !x->critical) {
        lint_found(r, x->der, "keyUsage is not critical");
    }
}

/* Whole AlgorithmIdentifiers. */
static const struct {
    const char *der;
    size_t len;
    bool later; /* since version 1.0.11 */
} key_algorithms[] = {
    {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15, false},
    {"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21, false},
    {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 18, false},
    {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", 18, false},
    {"\x30\x05\x06\x03\x2b\x65\x70", 7, false},
    {"\x30\x05\x06\x03\x2b\x65\x71", 7, false},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11", 13, true}, /* ML-DSA-44, -65, -87 */
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12", 13, true},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13", 13, true},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x01", 13, true}, /* ML-KEM-512, -768, -1024 */
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x02", 13, true},
    {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03", 13, true},
};

/* value: those of version 1.0.11, too, which is what zlint takes at any time. */
static void key_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice algorithm = s->cert->spki.algorithm;
    for (size_t i = 0; i < LT_COUNT(key_algorithms); i++) {
        bool known = r->rule->value != 0 || !key_algorithms[i].later;
        if (known && lt_slice_eq(algorithm, LT_SLICE(key_algorithms[i].der, key_algorithms[i].len))) {
            return;
        }
    }
    lint_found(r, algorithm, "the algorithm of the public key is in none of the allowed encodings");
}

static void legacy_generation(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, lint_validity_at(s), "issued by a policy of the legacy generation after its end");
}

/* critical: that it is there at all is fine. */
static void lei_one(const struct lint_subject *s, struct lint_report *r, enum x509_oid oid, bool allowed)
{
    const struct x509_extension *x = lint_ext(s, oid);
    if (x != NULL && !allowed) {
        lint_found(r, x->der, "%s has no place in this type of certificate", x509_oid_name(oid));
    } else if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(oid));
    }
}

static void legal_entity(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_is_any(s, LINT_IS_SMIME_MV | LINT_IS_SMIME_IV)) {
        lei_one(s, r, X509_OID_LEI, false);
        return;
    }
    lei_one(s, r, X509_OID_LEI, true);
    lei_one(s, r, X509_OID_LEI_ROLE, !lint_is(s, LINT_IS_SMIME_OV));
}

static void qc_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_QC_STATEMENTS);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "qcStatements is critical");
    }
}

static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid forbidden[] = {X509_OID_SERVER_AUTH, X509_OID_CODE_SIGNING,
                                              X509_OID_TIME_STAMPING, X509_OID_ANY_EXTENDED_KEY_USAGE};
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    if (!x509_has_eku(e, X509_OID_EMAIL_PROTECTION)) {
        lint_found(r, where, "key purpose emailProtection is missing");
        return;
    }
    for (size_t i = 0; i < LT_COUNT(forbidden); i++) {
        if (x509_has_eku(e, forbidden[i])) {
            lint_found(r, where, "key purpose %s", x509_oid_name(forbidden[i]));
        }
    }
}

/* Purposes that zlint's library has no name for pass it by. */
static void purposes_strict(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->eku_count; i++) {
        if (e->eku[i].oid != X509_OID_EMAIL_PROTECTION && lint_purpose_known(e->eku[i].der)) {
            lint_found(r, e->eku[i].der, "a key purpose beside emailProtection");
            return;
        }
    }
    if (!x509_has_eku(e, X509_OID_EMAIL_PROTECTION)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "key purpose emailProtection is missing");
    }
}

static void no_directory_attributes(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES);
    if (x != NULL) {
        lint_found(r, x->der,
                   "subjectDirectoryAttributes in a certificate that is not of the legacy generation");
    }
}

static const struct lint_rule rows[] = {
    {"e_adobe_extensions_legacy_multipurpose_criticality", SMIME,
     .asks = "Adobe's timestamp and revocation archive extensions are not critical",
     .citation = "SBR 7.1.2.3 m", .when = LINT_IS_SUBSCRIBER, .applies = adobe_not_strict,
     .check = adobe_criticality},
    {"e_adobe_extensions_strict_presence", SMIME,
     .asks = "Adobe's extensions are not in certificates of the strict generation",
     .citation = "SBR 7.1.2.3 m", .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_STRICT, .check = adobe_presence},
    {"e_authority_key_identifier_correct", SMIME,
     .asks = "authorityKeyIdentifier is there, not critical, and holds a keyIdentifier and nothing else",
     .citation = "SBR 7.1.2.3 g", .when = SUBSCRIBER, .check = authority_key_id},
    {"e_exactly_one_smime_policy", SMIME,
     .asks = "exactly one reserved policy of the S/MIME requirements is there", .citation = "SBR 7.1.2.3 a",
     .when = LINT_IS_SUBSCRIBER, .check = one_policy},
    {"e_ec_other_key_usages", SMIME, .asks = "key usage of an EC key includes signing or key agreement",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU, .applies = lint_key_is_ec,
     .check = key_usage_some, .data = &ec_all},
    {"e_ecpublickey_key_usages", SMIME, .asks = "key usage bits of an EC key go together",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU, .applies = lint_key_is_ec,
     .check = key_usage_bits, .data = &ec_all},
    {"e_edwardspublickey_key_usages", SMIME,
     .asks = "an Edwards curve key is for digitalSignature and at most nonRepudiation",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU, .applies = is_edwards,
     .check = key_usage_edwards},
    {"e_invalid_legacy_spki_algoid", SMIME,
     .asks = "the public key is RSA, ECDSA, EdDSA, ML-DSA or ML-KEM in the given encoding",
     .citation = "SBR 7.1.3.1", .retired = LINT_DAY(2025, 8, 22), .check = key_algorithm, .value = 1},
    {"lintel_smime_key_algorithm", .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .effective = LINT_DAY(2023, 9, 1), .retired = LINT_DAY(2025, 8, 22),
     .when = SUBSCRIBER, .asks = "the public key is RSA, ECDSA or EdDSA in the given encoding",
     .citation = "SBR 7.1.3.1", .check = key_algorithm},
    {"e_invalid_spki_algoid", .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .zlint = true, .effective = LINT_DAY(2025, 8, 22),
     .asks = "the public key is RSA, ECDSA, EdDSA, ML-DSA or ML-KEM in the given encoding",
     .citation = "SBR 7.1.3.1", .check = key_algorithm, .value = 1},
    {"e_key_usage_presence", SMIME, .asks = "keyUsage is there", .citation = "SBR 7.1.2.3 e",
     .when = SUBSCRIBER, .check = key_usage_presence},
    /* A CA may still name the policies of what it issued: zlint asks it, too, the Requirements do not. */
    {"e_legacy_generation_deprecated", .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .zlint = true, .effective = LINT_DAY(2025, 7, 15),
     .asks = "no certificate is issued by a profile of the legacy generation", .citation = "SBR 7.1.6.1",
     .when = LINT_IS_SMIME_LEGACY, .unless = LINT_IS_CA, .check = legacy_generation},
    {"e_legal_entity_identifier", SMIME,
     .asks = "legal entity identifiers stand only in types of certificates that may have them, not critical",
     .citation = "SBR 7.1.2.3 l", .when = SUBSCRIBER, .check = legal_entity},
    {"e_rsa_key_usage_legacy_multipurpose", SMIME, .asks = "key usage bits of an RSA key go together",
     .citation = "SBR 7.1.2.3 e", .when = LINT_IS_SUBSCRIBER | LINT_HAS_KU | LINT_HAS_RSA,
     .applies = not_strict, .check = key_usage_bits, .data = &rsa_others},
    {"e_rsa_key_usage_strict", SMIME, .asks = "key usage bits of an RSA key go together",
     .citation = "SBR 7.1.2.3 e",
     .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_STRICT | LINT_HAS_KU | LINT_HAS_RSA, .check = key_usage_bits,
     .data = &rsa_strict},
    {"e_rsa_other_key_usages", SMIME, .asks = "key usage of an RSA key includes signing or key encipherment",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU | LINT_HAS_RSA, .check = key_usage_some,
     .data = &rsa_others},
    {"e_smime_legacy_multipurpose_eku_check", SMIME,
     .asks =
         "emailProtection is among the key purposes, serverAuth, codeSigning, timeStamping and any are not",
     .citation = "SBR 7.1.2.3 f", .when = LINT_IS_SUBSCRIBER, .applies = not_strict, .check = purposes},
    {"e_smime_qc_statements_must_not_be_critical", SMIME, .asks = "qcStatements is not critical",
     .citation = "SBR 7.1.2.3 k", .when = SUBSCRIBER | LINT_HAS_QC, .check = qc_not_critical},
    {"e_smime_strict_eku_check", SMIME, .asks = "emailProtection is the only key purpose",
     .citation = "SBR 7.1.2.3 f", .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_STRICT,
     .check = purposes_strict},
    {"e_strict_multipurpose_smime_ext_subject_directory_attr", SMIME,
     .asks = "subjectDirectoryAttributes is not in certificates of the strict and multipurpose generations",
     .citation = "SBR 7.1.2.3 j", .when = LINT_IS_SUBSCRIBER, .applies = not_legacy,
     .check = no_directory_attributes},
    {"w_key_usage_criticality", .source = LINT_CABF_SMIME_BR, .level = LINT_WARN, .kinds = LINT_CERTIFICATE,
     .zlint = true, .effective = LINT_DAY(2023, 9, 1), .asks = "keyUsage is critical",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU, .check = not_critical_key_usage},
};
const struct lint_table lint_cabf_smime_ext = LINT_TABLE(rows);
