/* Lintel's own rules for the TLS Baseline Requirements: extensions of subscriber certificates, policies, key
 * usage, key purposes and serial, where zlint has no rule or a weaker one. Rows of zlint's that already say
 * error are not repeated. */
#include "lint/rules.h"
#include "lint/rules/common.h"

static void missing(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (lint_ext(s, oid) == NULL) {
        lint_found(r, s->cert->tbs, "there is no %s", x509_oid_name(oid));
    }
}

static void critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && !x->critical) {
        lint_found(r, x->der, "%s is not critical", x509_oid_name(x->id.oid));
    }
}

/*= CABF-BR 7.1.2.7.6 "Any other extension" "NOT RECOMMENDED" */
/* What the EV Guidelines ask for is not held against a certificate. */
static void other_extension(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_AUTHORITY_KEY_IDENTIFIER,
        X509_OID_CERTIFICATE_POLICIES,
        X509_OID_EXTENDED_KEY_USAGE,
        X509_OID_SUBJECT_ALT_NAME,
        X509_OID_NAME_CONSTRAINTS,
        X509_OID_KEY_USAGE,
        X509_OID_BASIC_CONSTRAINTS,
        X509_OID_CRL_DISTRIBUTION_POINTS,
        X509_OID_SCT_LIST,
        X509_OID_SUBJECT_KEY_IDENTIFIER,
        X509_OID_CT_POISON,
        X509_OID_CABF_ORGANIZATION_IDENTIFIER,
    };
    for (size_t i = 0; i < s->cert->ext.count; i++) {
        const struct x509_extension *x = &s->cert->ext.list[i];
        if (!lint_oid_in(x->id.oid, known, LT_COUNT(known))) {
            lint_found(r, x->der, "extension %s%s", lint_oid_label(s, x->id.der, x->id.oid),
                       x->critical ? ", critical" : "");
        }
    }
}

static bool is_reserved(enum x509_oid policy)
{
    return policy == X509_OID_POLICY_DV || policy == X509_OID_POLICY_OV || policy == X509_OID_POLICY_IV ||
           policy == X509_OID_POLICY_EV;
}

/*= CABF-BR 7.1.2.7.9 "MUST contain exactly one Reserved Certificate Policy Identifier" */
static void one_reserved_policy(const struct lint_subject *s, struct lint_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        count += is_reserved(s->cert->ext.policies[i].id.oid);
    }
    if (count != 1) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "%zu reserved policies, not one", count);
    }
}

/*= CABF-BR 7.1.2.7.9 "This Profile RECOMMENDS that the first PolicyInformation value within the Certificate
 * Policies extension contains the Reserved Certificate Policy Identifier" */
static void reserved_policy_first(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool any = false;
    for (size_t i = 1; i < e->policy_count; i++) {
        any = any || is_reserved(e->policies[i].id.oid);
    }
    if (any && !is_reserved(e->policies[0].id.oid)) {
        lint_found(r, e->policies[0].id.der, "the reserved policy does not stand first");
    }
}

static void any_policy(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == X509_OID_ANY_POLICY) {
            lint_found(r, s->cert->ext.policies[i].id.der, "anyPolicy");
        }
    }
}

static void qualifiers(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].qualifiers.len > 0) {
            lint_found(r, s->cert->ext.policies[i].qualifiers, "policy qualifiers");
        }
    }
}

static enum x509_oid policy_of(enum lint_profile profile)
{
    return profile == LINT_PROFILE_TLS_DV   ? X509_OID_POLICY_DV
           : profile == LINT_PROFILE_TLS_OV ? X509_OID_POLICY_OV
           : profile == LINT_PROFILE_TLS_IV ? X509_OID_POLICY_IV
           : profile == LINT_PROFILE_TLS_EV ? X509_OID_POLICY_EV
                                            : X509_OID_UNKNOWN;
}

static bool type_is_given(const struct lint_subject *s)
{
    return policy_of(s->in->profile) != X509_OID_UNKNOWN;
}

/*= CABF-BR 7.1.2.7.2 "MUST assert the Reserved Certificate Policy Identifier of 2.23.140.1.2.1" */
/* And so on for the other types: only who gives a profile can be told that another was asserted. */
static void policy_of_type(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid wanted = policy_of(s->in->profile);
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == wanted) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "policy %s is missing",
               x509_oid_name(wanted));
}

/*= CABF-BR 7.1.2.7.10 "Any other value" "NOT RECOMMENDED" */
static void other_purpose(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_SERVER_AUTH,
        X509_OID_CLIENT_AUTH,
        X509_OID_CODE_SIGNING,
        X509_OID_EMAIL_PROTECTION,
        X509_OID_TIME_STAMPING,
        X509_OID_OCSP_SIGNING,
        X509_OID_ANY_EXTENDED_KEY_USAGE,
        X509_OID_PRECERTIFICATE_SIGNING,
    };
    for (size_t i = 0; i < s->cert->ext.eku_count; i++) {
        if (!lint_oid_in(s->cert->ext.eku[i].oid, known, LT_COUNT(known))) {
            lint_found(r, s->cert->ext.eku[i].der, "key purpose %s",
                       lint_oid_label(s, s->cert->ext.eku[i].der, s->cert->ext.eku[i].oid));
        }
    }
}

static bool role_is_given(const struct lint_subject *s)
{
    return s->in->role == LINT_ROLE_SUBSCRIBER;
}

/*= CABF-BR 7.1.2.7.8 "cA MUST be FALSE" */
/* Without a role it is taken for a CA, and the rules of CAs speak. */
static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "cA is TRUE");
    }
}

static const struct {
    uint32_t bit;
    const char *name;
} usages[] = {
    {X509_KU_DIGITAL_SIGNATURE, "digitalSignature"},
    {X509_KU_CONTENT_COMMITMENT, "nonRepudiation"},
    {X509_KU_KEY_ENCIPHERMENT, "keyEncipherment"},
    {X509_KU_DATA_ENCIPHERMENT, "dataEncipherment"},
    {X509_KU_KEY_AGREEMENT, "keyAgreement"},
    {X509_KU_KEY_CERT_SIGN, "keyCertSign"},
    {X509_KU_CRL_SIGN, "cRLSign"},
    {X509_KU_ENCIPHER_ONLY, "encipherOnly"},
    {X509_KU_DECIPHER_ONLY, "decipherOnly"},
};

/* Bits of .value are not to be set. */
static void usage_bits(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(usages); i++) {
        if ((s->cert->ext.key_usage & (uint32_t)r->rule->value & usages[i].bit) != 0) {
            lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "%s is set", usages[i].name);
        }
    }
}

/*= CABF-BR 7.1.2.7.11 "At least one Key Usage MUST be set for RSA Public Keys." */
static void no_usage(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & (uint32_t)r->rule->value) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "nothing that an RSA key of a server does is set");
    }
}

static void no_signature(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & X509_KU_DIGITAL_SIGNATURE) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "digitalSignature is not set");
    }
}

static void two_usages(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t both = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT;
    if ((s->cert->ext.key_usage & both) == both) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "digitalSignature and keyEncipherment are set");
    }
}

/*= CABF-BR 7.1.2.7 "containing at least 64 bits of output from a CSPRNG" */
/* A number of 64 random bits is shorter than 6 bytes once in 2^24. */
static void short_serial(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice serial = x509_serial_magnitude(s->cert->serial);
    if (serial.len < 6) {
        lint_found(r, s->cert->serial, "%zu bytes cannot hold 64 random bits", serial.len);
    } else if (serial.len < 8) {
        lint_found_at(r, LINT_NOTICE, s->cert->serial, "%zu bytes hold 64 random bits by chance alone",
                      serial.len);
    }
}

/*= CABF-BR 7.1.2.11.3 "MUST be an OCTET STRING containing the encoded SignedCertificateTimestampList" */
static void sct_list(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SCT_LIST);
    if (x != NULL && x->why != NULL) {
        lint_found(r, x->der, "%s", x->why);
    }
}

/*= CABF-BR 7.1.2.9.3 "MUST have an extnValue OCTET STRING which is exactly the hex-encoded bytes 0500" */
static void poison(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CT_POISON);
    if (x != NULL && !lt_slice_eq(x->value, LT_LIT("\x05\x00"))) {
        lint_found(r, x->value, "%zu bytes that are not 0500", x->value.len);
    }
}

#define BR(level_, when_)                                                                      \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .when = LINT_IS_TLS | LINT_IS_SUBSCRIBER | (when_), .unless = LINT_IS_OCSP_RESPONDER,      \
    .effective = LINT_DAY(2023, 9, 15)
#define RSA(level_) \
    BR(level_, LINT_HAS_RSA | LINT_HAS_KU), .citation = "BR 7.1.2.7.11", .formerly = "BR 7.1.2.3"

static const struct lint_rule rows[] = {
    {"lintel_br_key_usage_missing", BR(LINT_WARN, 0), .check = missing, .value = X509_OID_KEY_USAGE,
     .asks = "a subscriber certificate says what its key is used for", .citation = "BR 7.1.2.7.6"},
    {"lintel_br_key_usage_critical", BR(LINT_ERROR, LINT_HAS_KU), .check = not_critical,
     .value = X509_OID_KEY_USAGE, .asks = "keyUsage is critical", .citation = "BR 7.1.2.7.6"},
    {"lintel_br_certificate_policies_critical", BR(LINT_ERROR, LINT_HAS_CP), .check = critical,
     .value = X509_OID_CERTIFICATE_POLICIES, .asks = "certificatePolicies is not critical",
     .citation = "BR 7.1.2.7.6"},
    {"lintel_br_sct_list_critical", BR(LINT_ERROR, LINT_HAS_SCT), .check = critical,
     .value = X509_OID_SCT_LIST, .asks = "the list of signed certificate timestamps is not critical",
     .citation = "BR 7.1.2.7.6"},
    {"lintel_br_sct_list", BR(LINT_ERROR, LINT_HAS_SCT), .check = sct_list,
     .asks = "the list of signed certificate timestamps is one of RFC 6962", .citation = "BR 7.1.2.11.3"},
    {"lintel_br_other_extension", BR(LINT_WARN, 0), .check = other_extension,
     .asks = "a subscriber certificate has the extensions of its profile alone", .citation = "BR 7.1.2.7.6"},
    {"lintel_br_one_reserved_policy", BR(LINT_ERROR, LINT_HAS_CP), .check = one_reserved_policy,
     .asks = "exactly one of the reserved policies stands in a subscriber certificate",
     .citation = "BR 7.1.2.7.9", .formerly = "BR 7.1.6.4"},
    {"lintel_br_reserved_policy_first", BR(LINT_NOTICE, LINT_HAS_CP), .check = reserved_policy_first,
     .asks = "the reserved policy stands first", .citation = "BR 7.1.2.7.9"},
    {"lintel_br_policy_of_type", BR(LINT_ERROR, 0), .applies = type_is_given, .check = policy_of_type,
     .asks = "the reserved policy is that of the certificate's type",
     .citation = "BR 7.1.2.7.2, 7.1.2.7.3, 7.1.2.7.4, 7.1.2.7.5"},
    {"lintel_br_any_policy", BR(LINT_ERROR, LINT_HAS_CP), .check = any_policy,
     .asks = "anyPolicy does not stand in a subscriber certificate", .citation = "BR 7.1.2.7.9"},
    {"lintel_br_policy_qualifiers", BR(LINT_WARN, LINT_HAS_CP), .check = qualifiers,
     .asks = "policies have no qualifiers", .citation = "BR 7.1.2.7.9"},
    {"lintel_br_other_purpose", BR(LINT_WARN, LINT_HAS_EKU), .check = other_purpose,
     .asks = "the key is for TLS alone", .citation = "BR 7.1.2.7.10"},
    {"lintel_br_subscriber_ca", .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .any_purpose = true, .when = LINT_IS_TLS | LINT_HAS_BC, .effective = LINT_DAY(2012, 7, 1),
     .applies = role_is_given, .check = no_ca, .asks = "a subscriber is no CA", .citation = "BR 7.1.2.7.8",
     .formerly = "BR 7.1.2.3"},
    {"lintel_br_rsa_key_usage", RSA(LINT_ERROR), .check = usage_bits,
     .value = X509_KU_CONTENT_COMMITMENT | X509_KU_KEY_AGREEMENT | X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN |
              X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY,
     .asks = "an RSA key of a server signs and enciphers, and does nothing else"},
    {"lintel_br_rsa_no_key_usage", RSA(LINT_ERROR), .check = no_usage,
     .value = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT,
     .asks = "an RSA key of a server does something"},
    {"lintel_br_rsa_digital_signature", RSA(LINT_WARN), .check = no_signature,
     .asks = "an RSA key of a server signs"},
    {"lintel_br_rsa_two_usages", RSA(LINT_WARN), .check = two_usages,
     .asks = "an RSA key of a server does not both sign and encipher keys"},
    {"lintel_br_rsa_data_encipherment", RSA(LINT_WARN), .check = usage_bits,
     .value = X509_KU_DATA_ENCIPHERMENT, .asks = "an RSA key of a server enciphers no data"},
    {"lintel_br_serial_entropy", BR(LINT_ERROR, 0), .check = short_serial,
     .asks = "a serial number has 64 random bits at least", .citation = "BR 7.1.2.7", .formerly = "BR 7.1"},
    {"lintel_br_poison_critical", BR(LINT_ERROR, LINT_IS_PRECERT), .check = not_critical,
     .value = X509_OID_CT_POISON, .asks = "the poison of a precertificate is critical",
     .citation = "BR 7.1.2.9.1"},
    {"lintel_br_poison_value", BR(LINT_ERROR, LINT_IS_PRECERT), .check = poison,
     .asks = "the poison of a precertificate is NULL", .citation = "BR 7.1.2.9.3"},
};
const struct lint_table lint_cabf_br_profile = LINT_TABLE(rows);
