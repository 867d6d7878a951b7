/* Our own rules for TLS subscriber certificates: each with a certificate that breaks it and one that keeps
 * it. The clean bases keep all of them: lint_corpus holds that. */
#include "forge.h"

#define KU "2.5.29.15"
#define SAN "2.5.29.17"
#define BC "2.5.29.19"
#define CDP "2.5.29.31"
#define CP "2.5.29.32"
#define EKU "2.5.29.37"
#define AIA "1.3.6.1.5.5.7.1.1"
#define SCT "1.3.6.1.4.1.11129.2.4.2"
#define POISON "1.3.6.1.4.1.11129.2.4.3"
#define C "2.5.4.6"
#define ST "2.5.4.8"
#define L "2.5.4.7"
#define O "2.5.4.10"
#define SN "2.5.4.4"
#define GN "2.5.4.42"
#define DC "0.9.2342.19200300.100.1.25"
#define IA5 DER_IA5_STRING
#define PRINTABLE DER_PRINTABLE_STRING
#define UTF8 DER_UTF8_STRING
#define ONION "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp3kead"

#define DNS(name_) "30{ 82{'" name_ "'} }"
#define DAYS(n_) (INT64_C(1780272000) + (n_)*86400 - 1) /* from the notBefore of the bases */
#define BEFORE_SC62 INT64_C(1690000000)                 /* July 2023 */

static const struct forge_row profile_rows[] = {
    {"lintel_br_key_usage_missing", "dv", {FORGE_CUT(KU)}, LINT_WARN},
    {"lintel_br_key_usage_missing", "dv", {{0}}, LINT_PASS},
    {"lintel_br_key_usage_missing", "ocsp", {{0}}, LINT_NA},
    {"lintel_br_key_usage_missing", "root", {{0}}, LINT_NA},
    {"lintel_br_key_usage_missing", "smmvs", {{0}}, LINT_NA},
    {"lintel_br_key_usage_critical", "dv", {FORGE_CRITICAL(KU, false)}, LINT_ERROR},
    {"lintel_br_key_usage_critical", "dv", {{0}}, LINT_PASS},
    {"lintel_br_key_usage_critical", "dv", {FORGE_CRITICAL(KU, false), FORGE_FROM(BEFORE_SC62)}, LINT_NE},
    {"lintel_br_certificate_policies_critical", "dv", {FORGE_CRITICAL(CP, true)}, LINT_ERROR},
    {"lintel_br_certificate_policies_critical", "dv", {{0}}, LINT_PASS},
    {"lintel_br_sct_list_critical", "dv", {FORGE_CRITICAL(SCT, true)}, LINT_ERROR},
    {"lintel_br_sct_list_critical", "dv", {{0}}, LINT_PASS},
    {"lintel_br_sct_list_critical", "dv", {FORGE_CUT(SCT)}, LINT_NA},
    {"lintel_br_sct_list", "dv", {FORGE_EXT(SCT, false, "04{0005 0003 AA}")}, LINT_ERROR},
    {"lintel_br_sct_list", "dv", {FORGE_EXT(SCT, false, "0500")}, LINT_ERROR},
    {"lintel_br_sct_list", "dv", {{0}}, LINT_PASS},
    {"lintel_br_other_extension", "dv", {FORGE_EXT("1.2.3.4", false, "0500")}, LINT_WARN},
    {"lintel_br_other_extension", "dv", {FORGE_EXT("2.5.29.18", false, DNS("a.example.com"))}, LINT_WARN},
    {"lintel_br_other_extension", "dvpre", {{0}}, LINT_PASS},
    {"lintel_br_other_extension", "ev", {{0}}, LINT_PASS},
    {"lintel_br_one_reserved_policy", "dv", {FORGE_EXT(CP, false, "30{30{(1.2.3.4)}}")}, LINT_ERROR},
    {"lintel_br_one_reserved_policy",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(2.23.140.1.2.1)}30{(2.23.140.1.2.2)}}")},
     LINT_ERROR},
    {"lintel_br_one_reserved_policy",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(2.23.140.1.2.1)}30{(1.2.3.4)}}")},
     LINT_PASS},
    {"lintel_br_reserved_policy_first",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(1.2.3.4)}30{(2.23.140.1.2.1)}}")},
     LINT_NOTICE},
    {"lintel_br_reserved_policy_first",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(2.23.140.1.2.1)}30{(1.2.3.4)}}")},
     LINT_PASS},
    {"lintel_br_policy_of_type", "dv", {{0}}, LINT_NA},
    {"lintel_br_policy_of_type", "dv", {{0}}, LINT_PASS, .profile = LINT_PROFILE_TLS_DV},
    {"lintel_br_policy_of_type", "dv", {{0}}, LINT_ERROR, .profile = LINT_PROFILE_TLS_OV},
    {"lintel_br_policy_of_type", "ov", {{0}}, LINT_PASS, .profile = LINT_PROFILE_TLS_OV},
    {"lintel_br_policy_of_type", "iv", {{0}}, LINT_PASS, .profile = LINT_PROFILE_TLS_IV},
    {"lintel_br_policy_of_type", "iv", {{0}}, LINT_ERROR, .profile = LINT_PROFILE_TLS_EV},
    {"lintel_br_policy_of_type", "ev", {{0}}, LINT_PASS, .profile = LINT_PROFILE_TLS_EV},
    {"lintel_br_any_policy",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(2.23.140.1.2.1)}30{(2.5.29.32.0)}}")},
     LINT_ERROR},
    {"lintel_br_any_policy", "dv", {{0}}, LINT_PASS},
    {"lintel_br_policy_qualifiers",
     "dv",
     {FORGE_EXT(CP, false, "30{30{(2.23.140.1.2.1)30{30{(1.3.6.1.5.5.7.2.1)16{'http://a.example/'}}}}}")},
     LINT_WARN},
    {"lintel_br_policy_qualifiers", "dv", {{0}}, LINT_PASS},
    {"lintel_br_other_purpose",
     "dv",
     {FORGE_EXT(EKU, false, "30{(1.3.6.1.5.5.7.3.1)(1.3.6.1.5.5.7.3.17)}")},
     LINT_WARN},
    {"lintel_br_other_purpose",
     "dv",
     {FORGE_EXT(EKU, false, "30{(1.3.6.1.5.5.7.3.1)(1.3.6.1.4.1.311.10.3.3)}")},
     LINT_WARN},
    {"lintel_br_other_purpose",
     "dv",
     {FORGE_EXT(EKU, false, "30{(1.3.6.1.5.5.7.3.1)(1.3.6.1.5.5.7.3.2)}")},
     LINT_PASS},
    {"lintel_br_subscriber_ca",
     "dv",
     {FORGE_EXT(BC, true, "30{0101FF}")},
     LINT_ERROR,
     .role = LINT_ROLE_SUBSCRIBER},
    {"lintel_br_subscriber_ca", "dv", {FORGE_EXT(BC, true, "30{}")}, LINT_PASS, .role = LINT_ROLE_SUBSCRIBER},
    {"lintel_br_subscriber_ca", "sub", {{0}}, LINT_NA},
    {"lintel_br_rsa_key_usage", "dvrsa", {FORGE_EXT(KU, true, "03 02 06 C0")}, LINT_ERROR},
    {"lintel_br_rsa_key_usage", "dvrsa", {FORGE_EXT(KU, true, "03 03 07 80 80")}, LINT_ERROR},
    {"lintel_br_rsa_key_usage", "dvrsa", {FORGE_EXT(KU, true, "03 02 05 A0")}, LINT_PASS},
    {"lintel_br_rsa_key_usage", "dv", {{0}}, LINT_NA},
    {"lintel_br_rsa_no_key_usage", "dvrsa", {FORGE_EXT(KU, true, "03 02 06 40")}, LINT_ERROR},
    {"lintel_br_rsa_no_key_usage", "dvrsa", {{0}}, LINT_PASS},
    {"lintel_br_rsa_digital_signature", "dvrsa", {FORGE_EXT(KU, true, "03 02 05 20")}, LINT_WARN},
    {"lintel_br_rsa_digital_signature", "dvrsa", {{0}}, LINT_PASS},
    {"lintel_br_rsa_two_usages", "dvrsa", {FORGE_EXT(KU, true, "03 02 05 A0")}, LINT_WARN},
    {"lintel_br_rsa_two_usages", "dvrsa", {FORGE_EXT(KU, true, "03 02 05 20")}, LINT_PASS},
    {"lintel_br_rsa_data_encipherment", "dvrsa", {FORGE_EXT(KU, true, "03 02 04 90")}, LINT_WARN},
    {"lintel_br_rsa_data_encipherment", "dvrsa", {{0}}, LINT_PASS},
    {"lintel_br_serial_entropy", "dv", {FORGE_PUT(FORGE_SERIAL, "02 05 0102030405")}, LINT_ERROR},
    {"lintel_br_serial_entropy", "dv", {FORGE_PUT(FORGE_SERIAL, "02 06 00FF02030405")}, LINT_ERROR},
    {"lintel_br_serial_entropy", "dv", {FORGE_PUT(FORGE_SERIAL, "02 07 01020304050607")}, LINT_NOTICE},
    {"lintel_br_serial_entropy", "dv", {FORGE_PUT(FORGE_SERIAL, "02 08 0102030405060708")}, LINT_PASS},
    {"lintel_br_poison_critical", "dvpre", {FORGE_CRITICAL(POISON, false)}, LINT_ERROR},
    {"lintel_br_poison_critical", "dvpre", {{0}}, LINT_PASS},
    {"lintel_br_poison_critical", "dv", {{0}}, LINT_NA},
    {"lintel_br_poison_value", "dvpre", {FORGE_EXT(POISON, true, "0400")}, LINT_ERROR},
    {"lintel_br_poison_value", "dvpre", {FORGE_EXT(POISON, true, "05000500")}, LINT_ERROR},
    {"lintel_br_poison_value", "dvpre", {{0}}, LINT_PASS},
};

static const struct forge_row host_rows[] = {
    {"lintel_br_san_without_host", "dv", {FORGE_EXT(SAN, true, "30{81{'a@example.com'}}")}, LINT_ERROR},
    {"lintel_br_san_without_host", "dv", {FORGE_EXT(SAN, true, "30{87{08080808}}")}, LINT_PASS},
    {"lintel_br_san_x400_address",
     "dv",
     {FORGE_EXT(SAN, true, "30{82{'a.example.com'}A3{30{}}}")},
     LINT_ERROR},
    {"lintel_br_san_x400_address", "dv", {{0}}, LINT_PASS},
    {"lintel_br_san_critical", "ov", {FORGE_CRITICAL(SAN, true)}, LINT_ERROR},
    {"lintel_br_san_critical", "ov", {{0}}, LINT_PASS},
    {"lintel_br_san_critical", "dv", {{0}}, LINT_NA}, /* it has no subject */
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("-a.example.com"))}, LINT_ERROR},
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("www.a-.example.com"))}, LINT_ERROR},
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("www.example.com-"))}, LINT_ERROR},
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("w-w.ex-ample.com"))}, LINT_PASS},
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("?.example.com"))}, LINT_ERROR},
    {"lintel_br_ldh_labels", "dv", {FORGE_EXT(SAN, true, DNS("*.example.com"))}, LINT_PASS},
    {"lintel_br_p_label", "dv", {FORGE_EXT(SAN, true, DNS("xn--.example.com"))}, LINT_ERROR},
    {"lintel_br_p_label", "dv", {FORGE_EXT(SAN, true, DNS("XN--a-.example.com"))}, LINT_ERROR},
    {"lintel_br_p_label", "dv", {FORGE_EXT(SAN, true, DNS("xn--99999999999.example.com"))}, LINT_ERROR},
    {"lintel_br_p_label", "dv", {FORGE_EXT(SAN, true, DNS("xn--mnchen-3ya.example.com"))}, LINT_PASS},
    {"lintel_br_p_label", "dv", {FORGE_EXT(SAN, true, DNS("xn.example.com"))}, LINT_PASS},
    {"lintel_br_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("co.uk"))}, LINT_ERROR},
    {"lintel_br_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("example.co.uk"))}, LINT_PASS},
    {"lintel_br_wildcard_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("*.co.uk"))}, LINT_ERROR},
    {"lintel_br_wildcard_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("*.com"))}, LINT_ERROR},
    {"lintel_br_wildcard_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("*.example.com"))}, LINT_PASS},
    {"lintel_br_wildcard_public_suffix", "dv", {FORGE_EXT(SAN, true, DNS("*.github.io"))}, LINT_PASS},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{0A000001}}")}, LINT_ERROR},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{C0586301}}")}, LINT_ERROR},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{3FFF [14]00}}")}, LINT_ERROR},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{[10]00 FFFF 08080808}}")}, LINT_ERROR},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{08080808}}")}, LINT_PASS},
    {"lintel_br_reserved_address", "dv", {FORGE_EXT(SAN, true, "30{87{2A00 [13]00 01}}")}, LINT_PASS},
    {"lintel_br_onion_address", "dv", {FORGE_EXT(SAN, true, DNS(ONION ".onion"))}, LINT_PASS},
    {"lintel_br_onion_address", "dv", {FORGE_EXT(SAN, true, DNS("www." ONION ".onion"))}, LINT_PASS},
    {"lintel_br_onion_address",
     "dv",
     {FORGE_EXT(SAN, true, DNS("aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypqaaad.onion"))},
     LINT_ERROR},
    {"lintel_br_onion_address",
     "dv",
     {FORGE_EXT(SAN, true, DNS("aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp2sxye.onion"))},
     LINT_ERROR},
    {"lintel_br_onion_address",
     "dv",
     {FORGE_EXT(SAN, true, DNS("0aaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp3kead.onion"))},
     LINT_ERROR},
    {"lintel_br_onion_address", "dv", {{0}}, LINT_NA},
    {"lintel_br_onion_version", "ev", {FORGE_EXT(SAN, false, DNS("t3y3qp7zoduvisdl.onion"))}, LINT_ERROR},
    {"lintel_br_onion_version", "dv", {FORGE_EXT(SAN, true, DNS("onion"))}, LINT_ERROR},
    {"lintel_br_onion_version", "dv", {FORGE_EXT(SAN, true, DNS(ONION ".onion"))}, LINT_PASS},
    {"lintel_br_url_without_host",
     "dv",
     {FORGE_EXT(AIA, false, "30{30{(1.3.6.1.5.5.7.48.2)86{'http:///a.crt'}}}")},
     LINT_ERROR},
    {"lintel_br_url_without_host",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A0{86{'http://:80/a.crl'}}}}}")},
     LINT_ERROR},
    {"lintel_br_url_without_host", "dv", {{0}}, LINT_PASS},
    {"lintel_br_crl_pointer", "dv", {FORGE_EXT(CDP, false, "30{30{A0{A0{A4{30{}}}}}}")}, LINT_ERROR},
    {"lintel_br_crl_pointer",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A1{30{(2.5.4.3)0C{'a'}}}}}}")},
     LINT_ERROR},
    {"lintel_br_crl_pointer",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A0{86{'ldap://a.example/a'}}}}}")},
     LINT_ERROR},
    {"lintel_br_crl_pointer", "dv", {{0}}, LINT_PASS},
    {"lintel_br_no_revocation", "dv", {FORGE_CUT(CDP), FORGE_TO(DAYS(8))}, LINT_ERROR},
    {"lintel_br_no_revocation", "dv", {FORGE_CUT(CDP), FORGE_TO(DAYS(7))}, LINT_PASS},
    {"lintel_br_no_revocation",
     "dv",
     {FORGE_CUT(CDP), FORGE_EXT(AIA, false, "30{30{(1.3.6.1.5.5.7.48.1)86{'http://a.example/'}}}")},
     LINT_PASS},
    {"lintel_br_no_revocation", "dv", {{0}}, LINT_PASS},
    {"lintel_br_crl_pointers",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A0{86{'http://a.example/a'}}}}30{A0{A0{86{'http://b.example/b'}}}}}")},
     LINT_WARN},
    {"lintel_br_crl_pointers", "dv", {{0}}, LINT_PASS},
};

#define ORG(...) \
    FORGE_SUBJECT(__VA_ARGS__, {C, PRINTABLE, "US"}, {L, UTF8, "Boston"}, {O, UTF8, "Example Inc"})

static const struct forge_row subject_rows[] = {
    {"lintel_br_rdn_single",
     "ov",
     {FORGE_SUBJECT({C, PRINTABLE, "US"}, {ST, UTF8, "Ohio", .with = true}, {O, UTF8, "Example Inc"})},
     LINT_ERROR},
    {"lintel_br_rdn_single", "ov", {{0}}, LINT_PASS},
    {"lintel_br_rdn_single", "dv", {{0}}, LINT_NA},
    {"lintel_br_attribute_twice", "ov", {ORG({C, PRINTABLE, "US"})}, LINT_ERROR},
    {"lintel_br_attribute_twice", "ov", {ORG({"2.5.4.17", UTF8, "1"}, {"2.5.4.17", UTF8, "2"})}, LINT_ERROR},
    {"lintel_br_attribute_twice", "ov", {ORG({"1.2.3.4", UTF8, "1"}, {"1.2.3.4", UTF8, "2"})}, LINT_ERROR},
    {"lintel_br_attribute_twice", "ov", {ORG({"1.2.3.4", UTF8, "1"}, {"1.2.3.5", UTF8, "2"})}, LINT_PASS},
    {"lintel_br_attribute_twice", "ov", {ORG({"2.5.4.9", UTF8, "1"}, {"2.5.4.9", UTF8, "2"})}, LINT_PASS},
    {"lintel_br_attribute_twice", "ov", {ORG({DC, IA5, "com"}, {DC, IA5, "example"})}, LINT_PASS},
    {"lintel_br_attribute_length", "ov", {ORG({DC, IA5, "[64]'a'", .hex = true})}, LINT_ERROR},
    {"lintel_br_attribute_length", "ov", {ORG({DC, IA5, "[63]'a'", .hex = true})}, LINT_PASS},
    {"lintel_br_attribute_length", "ov", {ORG({"2.5.4.17", UTF8, "[41]'1'", .hex = true})}, LINT_ERROR},
    {"lintel_br_attribute_length", "ov", {ORG({"2.5.4.17", UTF8, "[40]'1'", .hex = true})}, LINT_PASS},
    {"lintel_br_attribute_length",
     "iv",
     {FORGE_SUBJECT({C, PRINTABLE, "AT"}, {L, UTF8, "Wien"}, {SN, UTF8, "[65]'a'", .hex = true})},
     LINT_ERROR},
    {"lintel_br_attribute_length",
     "iv", /* characters, not octets */
     {FORGE_SUBJECT({C, PRINTABLE, "AT"}, {L, UTF8, "Wien"},
                    {SN, UTF8, "[60]'a' C3A4 C3A4 C3A4", .hex = true})},
     LINT_PASS},
    {"lintel_br_placeholder", "ov", {ORG({ST, UTF8, "N/A"})}, LINT_ERROR},
    {"lintel_br_placeholder", "ov", {ORG({ST, UTF8, " none "})}, LINT_ERROR},
    {"lintel_br_placeholder", "ov", {ORG({ST, UTF8, "Not Applicable"})}, LINT_ERROR},
    {"lintel_br_placeholder", "ov", {ORG({ST, UTF8, "NA"})}, LINT_PASS}, /* Napoli */
    {"lintel_br_placeholder",
     "ov", /* a town in Piedmont */
     {FORGE_SUBJECT({C, PRINTABLE, "IT"}, {L, UTF8, "None"}, {O, UTF8, "Example SpA"})},
     LINT_PASS},
    {"lintel_br_placeholder",
     "iv",
     {FORGE_SUBJECT({C, PRINTABLE, "US"}, {L, UTF8, "Boston"}, {SN, UTF8, "Null"}, {GN, UTF8, "Jane"})},
     LINT_PASS},
    {"lintel_br_placeholder",
     "iv",
     {FORGE_SUBJECT({C, PRINTABLE, "US"}, {L, UTF8, "Boston"}, {SN, UTF8, "n/a"}, {GN, UTF8, "Jane"})},
     LINT_ERROR},
    {"lintel_br_country_code", "dv", {FORGE_SUBJECT({C, PRINTABLE, "us"})}, LINT_ERROR},
    {"lintel_br_country_code", "dv", {FORGE_SUBJECT({C, PRINTABLE, "AN"})}, LINT_ERROR},
    {"lintel_br_country_code", "dv", {FORGE_SUBJECT({C, PRINTABLE, "USA"})}, LINT_ERROR},
    {"lintel_br_country_code", "dv", {FORGE_SUBJECT({C, PRINTABLE, "XX"})}, LINT_PASS},
    {"lintel_br_country_code", "dv", {FORGE_SUBJECT({C, PRINTABLE, "CH"})}, LINT_PASS},
    {"lintel_br_domain_components", "ov", {ORG({DC, IA5, "example"}, {DC, IA5, "com"})}, LINT_ERROR},
    {"lintel_br_domain_components", "ov", {ORG({DC, IA5, "com"})}, LINT_ERROR},
    {"lintel_br_domain_components", "ov", {ORG({DC, IA5, "com"}, {DC, IA5, "ex_ample"})}, LINT_ERROR},
    {"lintel_br_domain_components",
     "ov",
     {ORG({DC, IA5, "com"}, {"2.5.4.17", UTF8, "1"}, {DC, IA5, "example"})},
     LINT_ERROR},
    {"lintel_br_domain_components", "ov", {ORG({DC, IA5, "com"}, {DC, IA5, "example"})}, LINT_PASS},
    {"lintel_br_domain_components", "ov", {{0}}, LINT_NA},
    {"lintel_br_ov_attributes", "ov", {ORG({"2.5.4.17", UTF8, "12345"})}, LINT_WARN},
    {"lintel_br_ov_attributes", "ov", {ORG({"2.5.4.5", PRINTABLE, "12345"})}, LINT_WARN},
    {"lintel_br_ov_attributes", "ov", {ORG({DC, IA5, "com"}, {DC, IA5, "example"})}, LINT_PASS},
    {"lintel_br_ov_attributes", "ev", {{0}}, LINT_NA},
    {"lintel_br_iv_attributes",
     "iv",
     {FORGE_SUBJECT({C, PRINTABLE, "US"}, {L, UTF8, "Boston"}, {O, UTF8, "Doe Ltd"}, {SN, UTF8, "Doe"},
                    {GN, UTF8, "Jane"})},
     LINT_WARN},
    {"lintel_br_iv_attributes", "iv", {{0}}, LINT_PASS},
};

static void profile(void **unused)
{
    (void)unused;
    forge_rows(profile_rows, LT_COUNT(profile_rows));
}

static void hosts(void **unused)
{
    (void)unused;
    forge_rows(host_rows, LT_COUNT(host_rows));
}

static void subjects(void **unused)
{
    (void)unused;
    forge_rows(subject_rows, LT_COUNT(subject_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile),
        cmocka_unit_test(hosts),
        cmocka_unit_test(subjects),
    };
    return cmocka_run_group_tests_name("br_subscriber", tests, NULL, NULL);
}
