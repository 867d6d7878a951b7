/* Lintel's own rules of the TLS Baseline Requirements on CAs, roots, responders, keys and signatures. */
#include "forge.h"

#define AKI "2.5.29.35"
#define SKI "2.5.29.14"
#define KU "2.5.29.15"
#define SAN "2.5.29.17"
#define BC "2.5.29.19"
#define NC "2.5.29.30"
#define CDP "2.5.29.31"
#define CP "2.5.29.32"
#define EKU "2.5.29.37"
#define AIA "1.3.6.1.5.5.7.1.1"
#define SCT "1.3.6.1.4.1.11129.2.4.2"
#define NOCHECK "1.3.6.1.5.5.7.48.1.5"

#define SERVER "(1.3.6.1.5.5.7.3.1)"
#define CLIENT "(1.3.6.1.5.5.7.3.2)"
#define CODE "(1.3.6.1.5.5.7.3.3)"
#define EMAIL "(1.3.6.1.5.5.7.3.4)"
#define STAMP "(1.3.6.1.5.5.7.3.8)"
#define RESPOND "(1.3.6.1.5.5.7.3.9)"
#define PRECERT "(1.3.6.1.4.1.11129.2.4.4)"
#define ANY_EKU "(2.5.29.37.0)"
#define DV "30{(2.23.140.1.2.1)}"
#define ANY_POLICY "30{(2.5.29.32.0)}"
#define OWN_POLICY "30{(1.3.6.1.4.1.99999.1)}"
#define OCSP_AT(where_) "30{(1.3.6.1.5.5.7.48.1) " where_ "}"
#define ISSUER_AT(where_) "30{(1.3.6.1.5.5.7.48.2) " where_ "}"
#define URL "86{'http://ca.example.com/a'}"
#define COUNTRY                               \
    {                                         \
        "2.5.4.6", DER_PRINTABLE_STRING, "AT" \
    }
#define ORGANIZATION                           \
    {                                          \
        "2.5.4.10", DER_UTF8_STRING, "Example" \
    }
#define COMMON_NAME                              \
    {                                            \
        "2.5.4.3", DER_UTF8_STRING, "Example CA" \
    }
#define ONE(rule_, base_, status_, ...)                     \
    {                                                       \
        "lintel_br_" rule_, base_, {__VA_ARGS__}, (status_) \
    }
#define CLEAN(rule_, base_)                         \
    {                                               \
        "lintel_br_" rule_, base_, {{0}}, LINT_PASS \
    }
#define DAY INT64_C(86400)
#define START INT64_C(1780272000) /* 2026-06-01 */

static const struct forge_row authorities[] = {
    CLEAN("ca_basic_constraints", "sub"),
    CLEAN("ca_basic_constraints", "root"),
    {"lintel_br_ca_basic_constraints", "sub", {FORGE_CUT(BC)}, LINT_ERROR, .role = LINT_ROLE_SUB_CA},
    {"lintel_br_ca_basic_constraints",
     "root",
     {FORGE_EXT(BC, true, "3000")},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
    CLEAN("ca_key_usage_bits", "sub"),
    ONE("ca_key_usage_bits", "sub", LINT_PASS, FORGE_EXT(KU, true, "03 02 01 86")),
    ONE("ca_key_usage_bits", "sub", LINT_ERROR, FORGE_EXT(KU, true, "03 02 01 46")),
    ONE("ca_key_usage_bits", "subnontls", LINT_ERROR, FORGE_EXT(KU, true, "03 02 01 16")),
    ONE("ca_key_usage_bits", "dv", LINT_NA, FORGE_EXT(KU, true, "03 02 01 46")),
    CLEAN("ca_policies_critical", "sub"),
    ONE("ca_policies_critical", "sub", LINT_ERROR, FORGE_CRITICAL(CP, true)),
    CLEAN("ca_eku_critical", "sub"),
    ONE("ca_eku_critical", "sub", LINT_ERROR, FORGE_CRITICAL(EKU, true)),
    ONE("ca_eku_critical", "subnontls", LINT_ERROR, FORGE_CRITICAL(EKU, true)),
    ONE("ca_sct_critical", "sub", LINT_NA, {0}),
    ONE("ca_sct_critical", "sub", LINT_PASS, FORGE_EXT(SCT, false, "0402 0000")),
    ONE("ca_sct_critical", "sub", LINT_ERROR, FORGE_EXT(SCT, true, "0402 0000")),
    ONE("ca_eku_missing", "sub", LINT_NA, {0}),
    ONE("ca_eku_missing", "sub", LINT_ERROR, FORGE_CUT(EKU)),
    {"lintel_br_ca_eku_missing", "sub", {FORGE_CUT(EKU)}, LINT_NA, .role = LINT_ROLE_CROSS_CA},
    {"lintel_br_cross_ca_eku_missing", "sub", {FORGE_CUT(EKU)}, LINT_WARN, .role = LINT_ROLE_CROSS_CA},
    {"lintel_br_cross_ca_eku_missing", "sub", {{0}}, LINT_NA, .role = LINT_ROLE_CROSS_CA},
    CLEAN("tls_ca_server_auth", "sub"),
    ONE("tls_ca_server_auth", "sub", LINT_ERROR, FORGE_EXT(EKU, false, "30{" CLIENT "}")),
    ONE("tls_ca_server_auth", "sub", LINT_PASS, FORGE_EXT(EKU, false, "30{" ANY_EKU "}")),
    {"lintel_br_tls_ca_server_auth",
     "sub",
     {FORGE_EXT(EKU, false, "30{" ANY_EKU "}")},
     LINT_ERROR,
     .role = LINT_ROLE_SUB_CA},
    {"lintel_br_tls_ca_server_auth",
     "sub",
     {FORGE_EXT(EKU, false, "30{" ANY_EKU "}")},
     LINT_PASS,
     .role = LINT_ROLE_CROSS_CA},
    {"lintel_br_tls_ca_server_auth",
     "sub",
     {FORGE_EXT(EKU, false, "30{" CLIENT "}")},
     LINT_ERROR,
     .role = LINT_ROLE_CROSS_CA,
     .profile = LINT_PROFILE_TLS},
    CLEAN("tls_ca_other_purpose", "sub"),
    ONE("tls_ca_other_purpose", "sub", LINT_WARN,
        FORGE_EXT(EKU, false, "30{" SERVER "(1.3.6.1.5.5.7.3.17)}")),
    ONE("precert_ca_purpose", "sub", LINT_NA, {0}),
    ONE("precert_ca_purpose", "sub", LINT_PASS, FORGE_EXT(EKU, false, "30{" PRECERT "}")),
    ONE("precert_ca_purpose", "sub", LINT_ERROR, FORGE_EXT(EKU, false, "30{" SERVER PRECERT "}")),
    ONE("precert_ca_used", "sub", LINT_ERROR, FORGE_EXT(EKU, false, "30{" PRECERT "}")),
    ONE("precert_ca_used", "sub", LINT_NE, FORGE_EXT(EKU, false, "30{" PRECERT "}"),
        FORGE_FROM(START - 365 * DAY)),
    {"lintel_br_precert_ca_key",
     "sub",
     {FORGE_EXT(EKU, false, "30{" PRECERT "}")},
     LINT_PASS,
     .issuer = "sub"},
    {"lintel_br_precert_ca_key",
     "sub",
     {FORGE_EXT(EKU, false, "30{" PRECERT "}")},
     LINT_ERROR,
     .issuer = "dvrsa"},
    CLEAN("ca_rdn_single", "sub"),
    ONE("ca_rdn_single", "sub", LINT_ERROR,
        FORGE_SUBJECT(COUNTRY, ORGANIZATION, {"2.5.4.3", DER_UTF8_STRING, "CA", .with = true})),
    CLEAN("ca_name_order", "sub"),
    CLEAN("ca_name_order", "root"),
    ONE("ca_name_order", "sub", LINT_ERROR, FORGE_SUBJECT(ORGANIZATION, COUNTRY, COMMON_NAME)),
    ONE("ca_name_order", "sub", LINT_ERROR, FORGE_SUBJECT(COUNTRY, COMMON_NAME, ORGANIZATION)),
    {"lintel_br_ca_name_order",
     "sub",
     {FORGE_SUBJECT(COUNTRY, COMMON_NAME, ORGANIZATION)},
     LINT_NA,
     .role = LINT_ROLE_CROSS_CA},
    CLEAN("ca_name_other", "sub"),
    ONE("ca_name_other", "sub", LINT_WARN,
        FORGE_SUBJECT(COUNTRY, ORGANIZATION, COMMON_NAME, {"2.5.4.5", DER_PRINTABLE_STRING, "12"})),
    CLEAN("ca_first_policy", "sub"),
    ONE("ca_first_policy", "sub", LINT_PASS, FORGE_EXT(CP, false, "30{" DV OWN_POLICY "}")),
    ONE("ca_first_policy", "sub", LINT_WARN, FORGE_EXT(CP, false, "30{" OWN_POLICY DV "}")),
    CLEAN("ca_policy_qualifiers", "sub"),
    ONE("ca_policy_qualifiers", "sub", LINT_WARN,
        FORGE_EXT(CP, false,
                  "30{30{(2.23.140.1.2.1) 30{30{(1.3.6.1.5.5.7.2.1) 16{'http://example.com'}}}}}")),
    CLEAN("ca_info_access", "sub"),
    ONE("ca_info_access", "sub", LINT_PASS, FORGE_EXT(AIA, false, "30{" OCSP_AT(URL) ISSUER_AT(URL) "}")),
    ONE("ca_info_access", "sub", LINT_ERROR, FORGE_EXT(AIA, false, "30{" ISSUER_AT(URL) ISSUER_AT(URL) "}")),
    ONE("ca_info_access", "sub", LINT_ERROR, FORGE_EXT(AIA, false, "30{" ISSUER_AT("A4{3000}") "}")),
    ONE("ca_info_access", "sub", LINT_ERROR,
        FORGE_EXT(AIA, false, "30{" ISSUER_AT("86{'https://a.example'}") "}")),
    ONE("ca_info_access", "sub", LINT_ERROR, FORGE_EXT(AIA, false, "30{30{(1.3.6.1.5.5.7.48.5)" URL "}}")),
    CLEAN("ca_other_extension", "sub"),
    ONE("ca_other_extension", "sub", LINT_WARN, FORGE_EXT("1.3.6.1.4.1.99999.2", false, "0500")),
};

static const struct forge_row outside_tls[] = {
    CLEAN("non_tls_ca_purpose", "subnontls"),
    ONE("non_tls_ca_purpose", "sub", LINT_NA, {0}),
    ONE("non_tls_ca_purpose", "subnontls", LINT_ERROR, FORGE_EXT(EKU, false, "30{" EMAIL RESPOND "}")),
    CLEAN("non_tls_ca_one_purpose", "subnontls"),
    ONE("non_tls_ca_one_purpose", "subnontls", LINT_WARN, FORGE_EXT(EKU, false, "30{" CODE STAMP "}")),
    CLEAN("non_tls_ca_extensions", "subnontls"),
    ONE("non_tls_ca_extensions", "subnontls", LINT_ERROR, FORGE_CRITICAL(KU, false)),
    ONE("non_tls_ca_extensions", "subnontls", LINT_ERROR, FORGE_CUT(KU)),
    ONE("non_tls_ca_extensions", "subnontls", LINT_ERROR, FORGE_CUT(CDP)),
    ONE("non_tls_ca_extensions", "subnontls", LINT_ERROR, FORGE_CRITICAL(CDP, true)),
    ONE("non_tls_ca_extensions", "subnontls", LINT_ERROR, FORGE_EXT(AIA, true, "30{" ISSUER_AT(URL) "}")),
    CLEAN("non_tls_ca_key_usage", "subnontls"),
    ONE("non_tls_ca_key_usage", "subnontls", LINT_ERROR, FORGE_EXT(KU, true, "03 02 02 04")),
    ONE("non_tls_ca_any_policy", "subnontls", LINT_PASS, FORGE_EXT(CP, false, "30{" ANY_POLICY "}")),
    ONE("non_tls_ca_any_policy", "subnontls", LINT_ERROR,
        FORGE_EXT(CP, false, "30{" ANY_POLICY OWN_POLICY "}")),
    ONE("non_tls_ca_qualifiers", "subnontls", LINT_PASS,
        FORGE_EXT(CP, false, "30{30{(2.5.29.32.0) 30{30{(1.3.6.1.5.5.7.2.1) 16{'http://example.com'}}}}}")),
    ONE("non_tls_ca_qualifiers", "subnontls", LINT_ERROR,
        FORGE_EXT(CP, false, "30{30{(2.5.29.32.0) 30{30{(1.3.6.1.5.5.7.2.2) 30{0C{'text'}}}}}}")),
    CLEAN("non_tls_ca_name", "subnontls"),
    ONE("non_tls_ca_name", "subnontls", LINT_ERROR, FORGE_SUBJECT(ORGANIZATION, COMMON_NAME)),
    ONE("non_tls_ca_name", "subnontls", LINT_ERROR, FORGE_SUBJECT(COUNTRY, COMMON_NAME)),
    ONE("non_tls_ca_name", "subnontls", LINT_ERROR, FORGE_SUBJECT(COUNTRY, ORGANIZATION)),
    CLEAN("non_tls_ca_unit", "subnontls"),
    ONE("non_tls_ca_unit", "subnontls", LINT_WARN,
        FORGE_SUBJECT(COUNTRY, ORGANIZATION, {"2.5.4.11", DER_UTF8_STRING, "Unit"}, COMMON_NAME)),
};

#define RSA_E(exponent_) \
    FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.113549.1.1.1)0500} 03{00 30{02{00[256]C1}02{" exponent_ "}}}}")

static const struct forge_row beyond_zlint[] = {
    ONE("outside_rsa_exponent", "dvrsa", LINT_NA, {0}),
    ONE("outside_rsa_exponent", "ocsp", LINT_PASS, RSA_E("010001")),
    ONE("outside_rsa_exponent", "ocsp", LINT_ERROR, RSA_E("010002")),
    ONE("outside_rsa_exponent", "subnontls", LINT_ERROR, RSA_E("01")),
    ONE("outside_rsa_exponent_range", "ocsp", LINT_PASS, RSA_E("010001")),
    ONE("outside_rsa_exponent_range", "ocsp", LINT_WARN, RSA_E("03")),
    CLEAN("outside_attribute_twice", "ocsp"),
    ONE("outside_attribute_twice", "ocsp", LINT_ERROR,
        FORGE_SUBJECT(COUNTRY, ORGANIZATION, ORGANIZATION, COMMON_NAME)),
    ONE("outside_attribute_twice", "sub", LINT_NA, {0}),
    CLEAN("outside_country", "subnontls"),
    ONE("outside_country", "subnontls", LINT_ERROR,
        FORGE_SUBJECT({"2.5.4.6", DER_PRINTABLE_STRING, "UK"}, ORGANIZATION, COMMON_NAME)),
    ONE("outside_practice", "subnontls", LINT_PASS,
        FORGE_EXT(CP, false, "30{30{(2.5.29.32.0) 30{30{(1.3.6.1.5.5.7.2.1) 16{'https://example.com'}}}}}")),
    ONE("outside_practice", "subnontls", LINT_ERROR,
        FORGE_EXT(CP, false, "30{30{(2.5.29.32.0) 30{30{(1.3.6.1.5.5.7.2.1) 16{'ldap://example.com'}}}}}")),
    ONE("ca_name_order", "ocsp", LINT_ERROR, FORGE_SUBJECT(ORGANIZATION, COUNTRY, COMMON_NAME)),
    ONE("ca_name_order", "dv", LINT_NA, FORGE_SUBJECT(ORGANIZATION, COUNTRY, COMMON_NAME)),
};

static const struct forge_row roots[] = {
    {"lintel_br_root_issuer", "root", {{0}}, LINT_PASS, .role = LINT_ROLE_ROOT},
    {"lintel_br_root_issuer",
     "root",
     {FORGE_ISSUED_BY(COUNTRY, ORGANIZATION, COMMON_NAME)},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity", "root", {{0}}, LINT_PASS, .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity",
     "root",
     {FORGE_FROM(START), FORGE_TO(START + 2922 * DAY - 1)},
     LINT_PASS,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity",
     "root",
     {FORGE_FROM(START), FORGE_TO(START + 2922 * DAY - 2)},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity",
     "root",
     {FORGE_FROM(START), FORGE_TO(START + 9132 * DAY - 1)},
     LINT_PASS,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity",
     "root",
     {FORGE_FROM(START), FORGE_TO(START + 9132 * DAY)},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_validity",
     "root",
     {FORGE_FROM(1600000000), FORGE_TO(1600000000 + DAY)},
     LINT_NE,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_aki_missing", "root", {FORGE_CUT(AKI)}, LINT_WARN, .role = LINT_ROLE_ROOT},
    {"lintel_br_root_aki_missing",
     "root",
     {FORGE_EXT(AKI, false, "30{80{0102}}")},
     LINT_NA,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_aki_is_ski",
     "root",
     {FORGE_EXT(AKI, false, "30{80{0102}}"), FORGE_EXT(SKI, false, "04{0102}")},
     LINT_PASS,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_aki_is_ski",
     "root",
     {FORGE_EXT(AKI, false, "30{80{0102}}"), FORGE_EXT(SKI, false, "04{0103}")},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_other_extension", "root", {{0}}, LINT_PASS, .role = LINT_ROLE_ROOT},
    {"lintel_br_root_other_extension",
     "root",
     {FORGE_EXT(SAN, false, "30{82{'example.com'}}")},
     LINT_WARN,
     .role = LINT_ROLE_ROOT},
    {"lintel_br_root_signature_pairing", "root", {{0}}, LINT_PASS, .role = LINT_ROLE_ROOT},
    {"lintel_br_root_signature_pairing",
     "root",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.4)}")},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
};

#define RESPONDER(rule_, status_, ...)                                                                   \
    {                                                                                                    \
        "lintel_br_responder_" rule_, "ocsp", {__VA_ARGS__}, (status_), .role = LINT_ROLE_OCSP_RESPONDER \
    }

static const struct forge_row responders[] = {
    CLEAN("responder_no_ca", "ocsp"),
    ONE("responder_no_ca", "ocsp", LINT_ERROR, FORGE_EXT(BC, true, "30030101FF")),
    ONE("responder_no_ca", "sub", LINT_ERROR, FORGE_EXT(EKU, false, "30{" SERVER RESPOND "}")),
    RESPONDER("basic_constraints", LINT_PASS, FORGE_EXT(BC, true, "3000")),
    RESPONDER("basic_constraints", LINT_ERROR, FORGE_EXT(BC, false, "3000")),
    RESPONDER("basic_constraints", LINT_ERROR, FORGE_EXT(BC, true, "3003010100")),
    RESPONDER("basic_constraints", LINT_ERROR, FORGE_EXT(BC, true, "3003020100")),
    RESPONDER("purpose", LINT_PASS, {0}),
    RESPONDER("purpose", LINT_ERROR, FORGE_EXT(EKU, false, "30{" RESPOND CLIENT "}")),
    RESPONDER("purpose", LINT_ERROR, FORGE_EXT(EKU, false, "30{" CLIENT "}")),
    RESPONDER("no_check", LINT_PASS, {0}),
    RESPONDER("no_check", LINT_ERROR, FORGE_CRITICAL(NOCHECK, true)),
    RESPONDER("no_check", LINT_ERROR, FORGE_EXT(NOCHECK, false, "0400")),
    RESPONDER("key_usage", LINT_PASS, {0}),
    RESPONDER("key_usage", LINT_ERROR, FORGE_CUT(KU)),
    RESPONDER("key_usage", LINT_ERROR, FORGE_CRITICAL(KU, false)),
    RESPONDER("key_usage", LINT_ERROR, FORGE_EXT(KU, true, "03 02 06 40")),
    RESPONDER("forbidden", LINT_PASS, {0}),
    RESPONDER("forbidden", LINT_ERROR, FORGE_EXT(SAN, false, "30{82{'example.com'}}")),
    RESPONDER("forbidden", LINT_ERROR, FORGE_EXT(NC, true, "30{A0{30{82{'example.com'}}}}")),
    RESPONDER("forbidden", LINT_ERROR, FORGE_EXT(CDP, false, "30{30{A0{A0{" URL "}}}}")),
    RESPONDER("forbidden", LINT_ERROR, FORGE_CRITICAL(AKI, true)),
    RESPONDER("aki_missing", LINT_NA, {0}),
    RESPONDER("aki_missing", LINT_ERROR, FORGE_CUT(AKI)),
    RESPONDER("access_method", LINT_PASS, FORGE_EXT(AIA, false, "30{" OCSP_AT(URL) "}")),
    RESPONDER("access_method", LINT_ERROR, FORGE_EXT(AIA, false, "30{" ISSUER_AT(URL) "}")),
    RESPONDER("access_method", LINT_ERROR,
              FORGE_EXT(AIA, false, "30{" OCSP_AT("86{'https://a.example'}") "}")),
    RESPONDER("access", LINT_NA, {0}),
    RESPONDER("access", LINT_WARN, FORGE_EXT(AIA, false, "30{" OCSP_AT(URL) "}")),
    RESPONDER("other_extension", LINT_PASS, {0}),
    RESPONDER("other_extension", LINT_WARN, FORGE_EXT("1.3.6.1.4.1.99999.2", false, "0500")),
    RESPONDER("name", LINT_PASS, {0}),
    RESPONDER("name", LINT_ERROR, FORGE_SUBJECT(ORGANIZATION, COMMON_NAME)),
    RESPONDER("name", LINT_ERROR, FORGE_SUBJECT(COUNTRY, COMMON_NAME)),
};

#define DNS "30{82{'example.com'}}"
#define DIRECTORY "30{A4{30{31{30{(2.5.4.6) 13{'AT'}}}}}}"
#define V4 "30{87{C0000200FFFFFF00}}"
#define V6 "30{87{20010DB8[12]00 FFFFFFFF[12]00}}"
#define NO_DNS "30{8200}"
#define NO_V4 "30{87{[8]00}}"
#define NO_V6 "30{87{[32]00}}"
#define CONSTRAINED(rule_, status_, permitted_, excluded_) \
    ONE(rule_, "subtc", status_, FORGE_EXT(NC, true, "30{A0{" permitted_ "} A1{" excluded_ "}}"))

static const struct forge_row constraints[] = {
    CLEAN("nc_complete", "subtc"),
    CONSTRAINED("nc_complete", LINT_PASS, DNS DIRECTORY V4, NO_V6),
    CONSTRAINED("nc_complete", LINT_PASS, DIRECTORY, NO_DNS NO_V4 NO_V6),
    CONSTRAINED("nc_complete", LINT_PASS, DIRECTORY V4 V6, NO_DNS),
    CONSTRAINED("nc_complete", LINT_ERROR, DNS DIRECTORY V4, DNS),
    CONSTRAINED("nc_complete", LINT_ERROR, DNS DIRECTORY V6, DNS),
    CONSTRAINED("nc_complete", LINT_ERROR, DNS V4, NO_V6),
    CONSTRAINED("nc_complete", LINT_ERROR, DIRECTORY V4, DNS NO_V6),
    CONSTRAINED("nc_complete", LINT_ERROR, DNS DIRECTORY V4, "30{87{[16]00[16]FF}}"),
    CLEAN("nc_types", "subtc"),
    CONSTRAINED("nc_types", LINT_ERROR, DNS DIRECTORY "30{81{'example.com'}}", NO_V4 NO_V6),
    CONSTRAINED("nc_types", LINT_ERROR, DNS DIRECTORY, NO_V4 NO_V6 "30{86{'.example.com'}}"),
    {"lintel_br_nc_cross_types",
     "subtc",
     {FORGE_EXT(NC, true, "30{A0{" DNS "30{81{'example.com'}}}}")},
     LINT_WARN,
     .role = LINT_ROLE_CROSS_CA},
    {"lintel_br_nc_cross_types", "subtc", {{0}}, LINT_PASS, .role = LINT_ROLE_CROSS_CA},
    CLEAN("nc_discouraged", "subtc"),
    CONSTRAINED("nc_discouraged", LINT_WARN, DNS DIRECTORY, NO_V4 NO_V6 DIRECTORY),
    CONSTRAINED("nc_discouraged", LINT_WARN, DNS DIRECTORY "30{A0{(1.2.3) A0{0500}}}", NO_V4 NO_V6),
};

static const struct forge_row fields[] = {
    CLEAN("ca_serial_entropy", "sub"),
    CLEAN("ca_serial_entropy", "ocsp"),
    ONE("ca_serial_entropy", "dv", LINT_NA, {0}),
    ONE("ca_serial_entropy", "sub", LINT_ERROR, FORGE_PUT(FORGE_SERIAL, "02050102030405")),
    ONE("ca_serial_entropy", "sub", LINT_PASS, FORGE_PUT(FORGE_SERIAL, "0206010203040506")),
    {"lintel_br_ca_serial_entropy",
     "sub",
     {FORGE_PUT(FORGE_SERIAL, "0206010203040506")},
     LINT_ERROR,
     .bare = true},
    CLEAN("aki", "sub"),
    CLEAN("aki", "dv"),
    ONE("aki", "sub", LINT_ERROR, FORGE_EXT(AKI, false, "3000")),
    ONE("aki", "dv", LINT_ERROR, FORGE_EXT(AKI, false, "30{80{0102} A1{A4{3000}} 82{05}}")),
    CLEAN("ca_crl_points", "sub"),
    ONE("ca_crl_points", "sub", LINT_ERROR, FORGE_EXT(CDP, false, "30{30{A0{A0{A4{3000}}}}}")),
    ONE("ca_crl_points", "sub", LINT_ERROR, FORGE_EXT(CDP, false, "30{30{A0{A0{" URL "}} 8102 0640}}")),
    ONE("ca_crl_points", "sub", LINT_ERROR, FORGE_EXT(CDP, false, "30{30{A0{A0{86{'ldap://a.example'}}}}}")),
    ONE("ca_crl_points", "sub", LINT_ERROR, FORGE_EXT(CDP, false, "30{30{A2{A4{3000}}}}")),
    CLEAN("ca_one_crl_point", "sub"),
    ONE("ca_one_crl_point", "sub", LINT_WARN,
        FORGE_EXT(CDP, false, "30{30{A0{A0{" URL "}}} 30{A0{A0{" URL "}}}}")),
    ONE("ca_sct_list", "sub", LINT_PASS,
        FORGE_EXT(SCT, false, "04{0032 0030 00 [32]11 0000019000000000 0000 0403 0001 AA}")),
    ONE("ca_sct_list", "sub", LINT_ERROR, FORGE_EXT(SCT, false, "0500")),
    ONE("ca_sct_list", "sub", LINT_ERROR, FORGE_EXT(SCT, false, "0402 0000")),
    ONE("ca_sct_list", "sub", LINT_ERROR, FORGE_EXT(SCT, false, "04{0003 0030 00}")),
    ONE("validity_398", "dv", LINT_NE, {0}),
    ONE("validity_398", "dv", LINT_PASS, FORGE_FROM(1700000000), FORGE_TO(1700000000 + 398 * DAY - 1)),
    ONE("validity_398", "dv", LINT_ERROR, FORGE_FROM(1700000000), FORGE_TO(1700000000 + 398 * DAY)),
    ONE("validity_397", "dv", LINT_PASS, FORGE_FROM(1700000000), FORGE_TO(1700000000 + 397 * DAY - 1)),
    ONE("validity_397", "dv", LINT_WARN, FORGE_FROM(1700000000), FORGE_TO(1700000000 + 398 * DAY - 1)),
};

#define EC_KEY(head_, x_, y_) "30{30{(1.2.840.10045.2.1)(1.2.840.10045.3.1.7)} 03{00 " head_ x_ y_ "}}"
#define GX "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
#define GY "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
#define RSA_KEY(bytes_) "30{30{(1.2.840.113549.1.1.1)0500} 03{00 30{02{00" bytes_ "}0203010001}}}"

static const struct forge_row algorithms[] = {
    CLEAN("signature_encoding", "dv"),
    CLEAN("signature_encoding", "ocsp"),
    ONE("signature_encoding", "dv", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)0500}")),
    ONE("signature_encoding", "dv", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.11)}")),
    ONE("signature_encoding", "ocsp", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.3.101.112)}")),
    CLEAN("signature_sha1", "sub"),
    ONE("signature_sha1", "ocsp", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.5)0500}")),
    ONE("signature_sha1", "sub", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.1)}")),
    ONE("signature_value", "dv", LINT_PASS, FORGE_PUT(FORGE_SIGNATURE, "03{00 30{0201070201 05}}")),
    ONE("signature_value", "dv", LINT_ERROR, FORGE_PUT(FORGE_SIGNATURE, "03{00 [64]07}")),
    ONE("signature_value", "dv", LINT_ERROR, FORGE_PUT(FORGE_SIGNATURE, "03{00 30{0201000201 05}}")),
    ONE("signature_value", "dv", LINT_ERROR, FORGE_PUT(FORGE_SIGNATURE, "03{00 30{0201 87 0201 05}}")),
    ONE("signature_value", "dv", LINT_ERROR, FORGE_PUT(FORGE_SIGNATURE, "03{00 30{02020007 0201 05}}")),
    ONE("signature_value", "dv", LINT_ERROR, FORGE_PUT(FORGE_SIGNATURE, "03{00 30{020107 020105} 00}")),
    {"lintel_br_signature_value", "dv", {{0}}, LINT_NA, .bare = true},
    ONE("key_encoding", "dv", LINT_NA, {0}),
    CLEAN("key_encoding", "ocsp"),
    ONE("key_encoding", "ocsp", LINT_ERROR,
        FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.113549.1.1.1)} 03{00 30{02{00[256]C1}0203010001}}}")),
    ONE("key_encoding", "ocsp", LINT_ERROR, FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.112)} 03{00 [32]11}}")),
    CLEAN("rsa_size", "dvrsa"),
    ONE("rsa_size", "dvrsa", LINT_ERROR, FORGE_PUT(FORGE_SPKI, RSA_KEY("[128]C1"))),
    ONE("rsa_size", "dvrsa", LINT_ERROR, FORGE_PUT(FORGE_SPKI, RSA_KEY("03[256]C1"))),
    CLEAN("ec_point", "dv"),
    ONE("ec_point", "dv", LINT_PASS, FORGE_PUT(FORGE_SPKI, EC_KEY("04", GX, GY))),
    ONE("ec_point", "dv", LINT_ERROR, FORGE_PUT(FORGE_SPKI, EC_KEY("04", GX, GX))),
    ONE("ec_point", "dv", LINT_ERROR, FORGE_PUT(FORGE_SPKI, EC_KEY("03", GX, ""))),
    ONE("ec_point", "sub", LINT_ERROR, FORGE_PUT(FORGE_SPKI, EC_KEY("04", GY, GY))),
};

#define TABLE(name_)                                           \
    static void name_##_rows(void **state)                     \
    {                                                          \
        (void)state;                                           \
        forge_rows(name_, sizeof(name_) / sizeof((name_)[0])); \
    }
TABLE(authorities)
TABLE(outside_tls)
TABLE(beyond_zlint)
TABLE(roots)
TABLE(responders)
TABLE(constraints)
TABLE(fields)
TABLE(algorithms)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_rows),  cmocka_unit_test(outside_tls_rows),
        cmocka_unit_test(beyond_zlint_rows), cmocka_unit_test(roots_rows),
        cmocka_unit_test(responders_rows),   cmocka_unit_test(constraints_rows),
        cmocka_unit_test(fields_rows),       cmocka_unit_test(algorithms_rows),
    };
    return cmocka_run_group_tests_name("br ca", tests, NULL, NULL);
}
