/* Lintel's own rules of the RFCs: certificates, CRLs, OCSP responses, requests; and what text, names and
 * entries are taken for. */
#include "forge.h"

#include "lint/crl_facts.h"
#include "lint/ocsp.h"
#include "lint/rules/fqdn.h"
#include "lint/rules/text.h"

#define SAN "2.5.29.17"
#define KU "2.5.29.15"
#define CDP "2.5.29.31"
#define AKI "2.5.29.35"
#define NC "2.5.29.30"
#define CP "2.5.29.32"
#define POISON "1.3.6.1.4.1.11129.2.4.3"
#define SCTS "1.3.6.1.4.1.11129.2.4.2"
#define EC_OID "(1.2.840.10045.2.1)"
#define POINT_URI "A0{A0{86{'http://c.example/1.crl'}}}"
#define YEAR_2010 1262304000
#define NOTICE(text_) "30{30{(1.2.3) 30{30{(1.3.6.1.5.5.7.2.2) 30{" text_ "}}}}}"
#define CPS(uri_) "30{30{(1.2.3) 30{30{(1.3.6.1.5.5.7.2.1) " uri_ "}}}}"

static const struct forge_row usage[] = {
    {"lintel_rfc5280_ca_key_usage", "sub", {FORGE_CUT(KU)}, LINT_ERROR},
    {"lintel_rfc5280_ca_key_usage", "sub", {{0}}, LINT_PASS},
    {"lintel_rfc5280_ca_key_usage", "dv", {FORGE_CUT(KU)}, LINT_NA},
    {"lintel_rfc5280_ca_cert_sign", "sub", {FORGE_EXT(KU, true, "03020102")}, LINT_ERROR},
    {"lintel_rfc5280_ca_cert_sign", "sub", {{0}}, LINT_PASS},
    {"lintel_rfc5280_encipher_only", "dv", {FORGE_EXT(KU, true, "0303070980")}, LINT_ERROR},
    {"lintel_rfc5280_encipher_only", "dv", {FORGE_EXT(KU, true, "03020001")}, LINT_ERROR},
    {"lintel_rfc5280_encipher_only", "dv", {FORGE_EXT(KU, true, "03020009")}, LINT_PASS},
    {"lintel_rfc5280_key_usage_of_kind",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.112)} 03{00 [32]11}}"), FORGE_EXT(KU, true, "03020520")},
     LINT_ERROR},
    {"lintel_rfc5280_key_usage_of_kind",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.112)} 03{00 [32]11}}"), FORGE_EXT(KU, true, "03020780")},
     LINT_PASS},
    {"lintel_rfc5280_key_usage_of_kind",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.110)} 03{00 [32]11}}"), FORGE_EXT(KU, true, "03020780")},
     LINT_ERROR},
    {"lintel_rfc5280_key_usage_of_kind",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{(2.16.840.1.101.3.4.4.2)} 03{00 [32]11}}"),
      FORGE_EXT(KU, true, "03020520")},
     LINT_PASS},
    {"lintel_rfc5480_named_curve",
     "dv",
     {FORGE_PUT(FORGE_SPKI, "30{30{" EC_OID " 30{020101}} 03{0004[64]11}}")},
     LINT_ERROR},
    {"lintel_rfc5480_named_curve", "dv", {{0}}, LINT_PASS},
    {"lintel_rfc5480_named_curve", "dvrsa", {{0}}, LINT_NA},
    {"lintel_rfc5758_no_parameters",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2) 0500}")},
     LINT_ERROR},
    {"lintel_rfc5758_no_parameters",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)}")},
     LINT_PASS},
    {"lintel_rfc5280_purpose_twice",
     "dv",
     {FORGE_EXT("2.5.29.37", false, "30{(1.3.6.1.5.5.7.3.1)(1.3.6.1.5.5.7.3.1)}")},
     LINT_WARN},
    {"lintel_rfc5280_purpose_twice", "dv", {{0}}, LINT_PASS},
};

static const struct forge_row extensions[] = {
    {"lintel_rfc5280_aki_issuer_and_serial",
     "dv",
     {FORGE_EXT(AKI, false, "30{80{[20]11} 82{01}}")},
     LINT_ERROR},
    {"lintel_rfc5280_aki_issuer_and_serial", "dv", {{0}}, LINT_PASS},
    {"lintel_rfc5280_ski_empty", "dv", {FORGE_EXT("2.5.29.14", false, "04{}")}, LINT_ERROR},
    {"lintel_rfc5280_ski_empty", "sub", {{0}}, LINT_PASS},
    {"lintel_rfc5280_point_relative",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A1{30{(2.5.4.3) 0C{'x'}}}}}}")},
     LINT_WARN},
    {"lintel_rfc5280_point_relative", "dv", {FORGE_EXT(CDP, false, "30{30{" POINT_URI "}}")}, LINT_PASS},
    {"lintel_rfc5280_point_reasons",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{" POINT_URI " 81{0640}}}")},
     LINT_WARN},
    {"lintel_rfc5280_point_reasons", "dv", {FORGE_EXT(CDP, false, "30{30{" POINT_URI "}}")}, LINT_PASS},
    {"lintel_rfc5280_point_issuer",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{" POINT_URI " A2{86{'http://c.example/'}}}}")},
     LINT_ERROR},
    {"lintel_rfc5280_point_issuer",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{" POINT_URI " A2{A4{30{31{30{(2.5.4.3) 0C{'x'}}}}}}}}")},
     LINT_PASS},
    {"lintel_rfc5280_pointer_uri",
     "dv",
     {FORGE_EXT(CDP, false, "30{30{A0{A0{86{'c.example/1.crl'}}}}}")},
     LINT_ERROR},
    {"lintel_rfc5280_pointer_uri", "dv", {FORGE_EXT(CDP, false, "30{30{" POINT_URI "}}")}, LINT_PASS},
    {"lintel_rfc5280_policy_mappings_in_ca",
     "dv",
     {FORGE_EXT("2.5.29.33", true, "30{30{(1.2.3)(1.2.4)}}")},
     LINT_ERROR},
    {"lintel_rfc5280_policy_mappings_in_ca",
     "sub",
     {FORGE_EXT("2.5.29.33", true, "30{30{(1.2.3)(1.2.4)}}")},
     LINT_NA},
    {"lintel_rfc5280_path_rules_in_ca", "dv", {FORGE_EXT("2.5.29.54", true, "020100")}, LINT_WARN},
    {"lintel_rfc5280_path_rules_in_ca", "dv", {FORGE_EXT("2.5.29.36", true, "30{800100}")}, LINT_WARN},
    {"lintel_rfc5280_path_rules_in_ca", "dv", {{0}}, LINT_PASS},
    {"lintel_rfc5280_san_critical", "ov", {FORGE_CRITICAL(SAN, true)}, LINT_WARN},
    {"lintel_rfc5280_san_critical", "ov", {{0}}, LINT_PASS},
    {"lintel_rfc6962_poison", "dvpre", {FORGE_CRITICAL(POISON, false)}, LINT_ERROR},
    {"lintel_rfc6962_poison", "dvpre", {FORGE_EXT(POISON, true, "04{}")}, LINT_ERROR},
    {"lintel_rfc6962_poison", "dvpre", {{0}}, LINT_PASS},
    {"lintel_rfc6962_list", "dv", {FORGE_EXT(SCTS, false, "04{0005 0003 000203}")}, LINT_ERROR},
    {"lintel_rfc6962_list", "dv", {FORGE_EXT(SCTS, false, "04{0009 002F 00 [46]01}")}, LINT_ERROR},
    {"lintel_rfc6962_list", "dv", {FORGE_EXT(SCTS, false, "04{0031 002F 00 [46]01}")}, LINT_PASS},
    {"lintel_rfc6962_list", "dv", {{0}}, LINT_PASS},
};

static const struct forge_row names[] = {
    {"lintel_rfc5280_attribute_type", "ov", {FORGE_SUBJECT({"2.5.4.6", DER_UTF8_STRING, "DE"})}, LINT_ERROR},
    {"lintel_rfc5280_attribute_type",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_IA5_STRING, "Example"})},
     LINT_ERROR},
    {"lintel_rfc5280_attribute_type", "ov", {{0}}, LINT_PASS},
    {"lintel_rfc5280_attribute_bound",
     "ov",
     {FORGE_SUBJECT({"2.5.4.6", DER_PRINTABLE_STRING, "DEU"})},
     LINT_ERROR},
    {"lintel_rfc5280_attribute_bound", "ov", {{0}}, LINT_PASS},
    {"lintel_rfc5280_directory_string",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_T61_STRING, "Example"})},
     LINT_ERROR},
    {"lintel_rfc5280_directory_string", "ov", {{0}}, LINT_PASS},
    {"lintel_rfc5280_attribute_twice",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_UTF8_STRING, "A"}, {"2.5.4.10", DER_UTF8_STRING, "B", .with = true})},
     LINT_ERROR},
    {"lintel_rfc5280_attribute_twice",
     "ov",
     {FORGE_SUBJECT({"2.5.4.10", DER_UTF8_STRING, "A"}, {"2.5.4.11", DER_UTF8_STRING, "B", .with = true})},
     LINT_PASS},
    {"lintel_rfc5280_ip_length", "dv", {FORGE_EXT(SAN, true, "30{82{'a.example'} 87{[5]01}}")}, LINT_ERROR},
    {"lintel_rfc5280_ip_length", "dv", {FORGE_EXT(SAN, true, "30{82{'a.example'} 87{[4]01}}")}, LINT_PASS},
    {"lintel_rfc5280_mailbox", "smmvs", {FORGE_EXT(SAN, false, "30{81{'nobody'}}")}, LINT_ERROR},
    {"lintel_rfc5280_mailbox", "smmvs", {FORGE_EXT(SAN, false, "30{81{[65]'a' '@a.example'}}")}, LINT_ERROR},
    {"lintel_rfc5280_mailbox", "smmvs", {FORGE_EXT(SAN, false, "30{81{'a@a.example'}}")}, LINT_PASS},
    {"lintel_rfc5280_dns_syntax", "dv", {FORGE_EXT(SAN, true, "30{82{'a..example'}}")}, LINT_ERROR},
    {"lintel_rfc5280_dns_syntax", "dv", {FORGE_EXT(SAN, true, "30{82{'-a.example'}}")}, LINT_ERROR},
    {"lintel_rfc5280_dns_syntax", "dv", {FORGE_EXT(SAN, true, "30{82{'a.*.example'}}")}, LINT_ERROR},
    {"lintel_rfc5280_dns_syntax", "dv", {FORGE_EXT(SAN, true, "30{82{'*.a.example'}}")}, LINT_PASS},
    {"lintel_rfc5280_name_form", "dv", {FORGE_EXT(SAN, true, "30{82{'a.example'} A4{3000}}")}, LINT_ERROR},
    {"lintel_rfc5280_name_form", "dv", {FORGE_EXT(SAN, true, "30{82{'a.example'} A0{0500}}")}, LINT_ERROR},
    {"lintel_rfc5280_name_form", "dv", {FORGE_EXT(SAN, true, "30{82{'a.example'}}")}, LINT_PASS},
    {"e_international_dns_name_not_unicode",
     "dv",
     {FORGE_EXT(SAN, true, "30{82{'xn--a-b.example'}}")},
     LINT_ERROR},
    {"e_international_dns_name_not_unicode",
     "dv",
     {FORGE_EXT(SAN, true, "30{82{'xn--bcher-kva.example'}}")},
     LINT_PASS},
    {"e_international_dns_name_not_nfc",
     "dv",
     {FORGE_EXT(SAN, true, "30{82{'xn--bucher-xyd.example'}}")},
     LINT_ERROR},
    {"e_international_dns_name_not_nfc",
     "dv",
     {FORGE_EXT(SAN, true, "30{82{'XN--bcher-kva.example'}}")},
     LINT_PASS},
};

#define MAILBOX(text_) FORGE_EXT(SAN, false, "30{A0{(1.3.6.1.5.5.7.8.9) A0{" text_ "}}}")

static const struct forge_row mailboxes[] = {
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("0C{C3BC '@a.example'}")}, LINT_PASS},
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("16{'u@a.example'}")}, LINT_ERROR},
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("0C{C3BC}")}, LINT_ERROR},
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("0C{EFBBBF C3BC '@a.example'}")}, LINT_ERROR},
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("0C{'u@a.example'}")}, LINT_ERROR},
    {"lintel_rfc9598_mailbox", "smmvs", {MAILBOX("0C{C3BC '@A.example'}")}, LINT_ERROR},
    {"lintel_rfc9598_labels", "smmvs", {MAILBOX("0C{C3BC '@' C3BC '.example'}")}, LINT_ERROR},
    {"lintel_rfc9598_labels", "smmvs", {MAILBOX("0C{C3BC '@xn--tda.example'}")}, LINT_PASS},
};

static const struct forge_row constraints[] = {
    {"lintel_rfc5280_nc_bounds",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{86{'a.example'} 810105}}}")},
     LINT_ERROR},
    {"lintel_rfc5280_nc_bounds", "sub", {FORGE_EXT(NC, true, "30{A0{30{86{'a.example'}}}}")}, LINT_PASS},
    {"lintel_rfc5280_nc_address_range",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{87{0A000000 FF00FF00}}}}")},
     LINT_ERROR},
    {"lintel_rfc5280_nc_address_range", "sub", {FORGE_EXT(NC, true, "30{A0{30{87{[5]0A}}}}")}, LINT_ERROR},
    {"lintel_rfc5280_nc_address_range",
     "sub",
     {FORGE_EXT(NC, true, "30{A1{30{87{0A000000 FF800000}} 30{87{[32]00}}}}")},
     LINT_PASS},
    {"lintel_rfc5280_nc_address_bits",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{87{0A000001 FF000000}}}}")},
     LINT_WARN},
    {"lintel_rfc5280_nc_address_bits",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{87{0A000000 FF000000}}}}")},
     LINT_PASS},
    {"lintel_rfc5280_nc_dns", "sub", {FORGE_EXT(NC, true, "30{A0{30{82{'.a.example'}}}}")}, LINT_ERROR},
    {"lintel_rfc5280_nc_dns", "sub", {FORGE_EXT(NC, true, "30{A0{30{82{'*.example'}}}}")}, LINT_ERROR},
    {"lintel_rfc5280_nc_dns",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{82{'a.example'}} 30{82{}}}}")},
     LINT_PASS},
    {"lintel_rfc5280_nc_email", "sub", {FORGE_EXT(NC, true, "30{A0{30{81{'a b'}}}}")}, LINT_ERROR},
    {"lintel_rfc5280_nc_email",
     "sub",
     {FORGE_EXT(NC, true, "30{A0{30{81{'.a.example'}} 30{81{'a.example'}} 30{81{'a@a.example'}}}}")},
     LINT_PASS},
};

static const struct forge_row policies[] = {
    {"lintel_rfc5280_explicit_text_type",
     "dv",
     {FORGE_FROM(YEAR_2010), FORGE_EXT(CP, false, NOTICE("1A{'x'}"))},
     LINT_ERROR},
    {"lintel_rfc5280_explicit_text_type",
     "dv",
     {FORGE_FROM(YEAR_2010), FORGE_EXT(CP, false, NOTICE("0C{'x'}"))},
     LINT_PASS},
    {"lintel_rfc5280_explicit_text_type", "dv", {FORGE_EXT(CP, false, NOTICE("1A{'x'}"))}, LINT_NE},
    {"lintel_rfc5280_display_text", "dv", {FORGE_EXT(CP, false, NOTICE("13{'x'}"))}, LINT_ERROR},
    {"lintel_rfc5280_display_text", "dv", {FORGE_EXT(CP, false, NOTICE("1A{'x'}"))}, LINT_PASS},
    {"lintel_rfc5280_cps_uri", "dv", {FORGE_EXT(CP, false, CPS("0C{'http://a.example/'}"))}, LINT_ERROR},
    {"lintel_rfc5280_cps_uri", "dv", {FORGE_EXT(CP, false, CPS("16{'a.example'}"))}, LINT_ERROR},
    {"lintel_rfc5280_cps_uri", "dv", {FORGE_EXT(CP, false, CPS("16{'http://a.example/'}"))}, LINT_PASS},
    {"w_ext_cert_policy_explicit_text_not_nfc",
     "dv",
     {FORGE_EXT(CP, false, NOTICE("0C{'u' CC88}"))},
     LINT_WARN},
    {"w_ext_cert_policy_explicit_text_not_nfc",
     "dv",
     {FORGE_EXT(CP, false, NOTICE("0C{'to read. ' C3BC [90]'x' C3BC}"))},
     LINT_PASS},
};

#define ENTRIES(entries_) FORGE_PUT(FORGE_ENTRIES, "30{" entries_ "}")
#define ONE(ten_, one_) "30{(1.2.3." #ten_ "." #one_ ") 04{0500}} "
#define TEN(ten_) \
    ONE(ten_, 0)  \
    ONE(ten_, 1)  \
    ONE(ten_, 2) ONE(ten_, 3) ONE(ten_, 4) ONE(ten_, 5) ONE(ten_, 6) ONE(ten_, 7) ONE(ten_, 8) ONE(ten_, 9)
#define ENTRY(serial_, extensions_) "30{02{" serial_ "} 17{'260601000000Z'} 30{" extensions_ "}}"
#define PLAIN(serial_) "30{02{" serial_ "} 17{'260601000000Z'}}"
#define REASON(n_) "30{(2.5.29.21) 04{0A01" n_ "}}"

static const struct forge_row crls[] = {
    {"lintel_rfc5280_crl_version", "crl", {FORGE_PUT(FORGE_VERSION, "")}, LINT_ERROR},
    {"lintel_rfc5280_crl_version", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_algorithms",
     "crl",
     {FORGE_PUT(FORGE_OUTER_ALGORITHM, "30{(1.2.840.10045.4.3.3)}")},
     LINT_ERROR},
    {"lintel_rfc5280_crl_algorithms", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_issuer", "crl", {FORGE_PUT(FORGE_ISSUER, "3000")}, LINT_ERROR},
    {"lintel_rfc5280_crl_issuer", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_next_update", "crl", {FORGE_TO(1780000000)}, LINT_ERROR},
    {"lintel_rfc5280_crl_next_update", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_time_type", "crl", {ENTRIES("30{020105 18{'20260601000000Z'}}")}, LINT_ERROR},
    {"lintel_rfc5280_crl_time_type",
     "crl",
     {FORGE_PUT(FORGE_VALIDITY, "18{'20260601000000Z'} 17{'260608000000Z'}")},
     LINT_ERROR},
    {"lintel_rfc5280_crl_time_type", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_criticality", "crl", {FORGE_CRITICAL("2.5.29.20", true)}, LINT_ERROR},
    {"lintel_rfc5280_crl_criticality", "crl", {FORGE_EXT("2.5.29.28", false, "30{8101FF}")}, LINT_ERROR},
    {"lintel_rfc5280_crl_criticality", "crl", {FORGE_EXT("2.5.29.28", true, "30{8101FF}")}, LINT_PASS},
    {"lintel_rfc5280_crl_key_identifier", "crl", {FORGE_EXT(AKI, false, "3000")}, LINT_ERROR},
    {"lintel_rfc5280_crl_key_identifier", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_number", "crl", {FORGE_EXT("2.5.29.20", false, "02{[21]11}")}, LINT_ERROR},
    {"lintel_rfc5280_crl_number", "crl", {FORGE_EXT("2.5.29.20", false, "0201FF")}, LINT_ERROR},
    {"lintel_rfc5280_crl_number", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_delta", "crl", {FORGE_EXT("2.5.29.27", true, "020108")}, LINT_ERROR},
    {"lintel_rfc5280_crl_delta", "crl", {FORGE_EXT("2.5.29.27", true, "020107")}, LINT_PASS},
    {"lintel_rfc5280_crl_point", "crl", {FORGE_EXT("2.5.29.28", true, "3000")}, LINT_ERROR},
    {"lintel_rfc5280_crl_point", "crl", {FORGE_EXT("2.5.29.28", true, "30{8101FF 8201FF}")}, LINT_ERROR},
    {"lintel_rfc5280_crl_point", "crl", {FORGE_EXT("2.5.29.28", true, "30{8101FF}")}, LINT_PASS},
    {"lintel_rfc5280_crl_info_access",
     "crl",
     {FORGE_EXT("1.3.6.1.5.5.7.1.1", false, "30{30{(1.3.6.1.5.5.7.48.1) 86{'http://a.example/'}}}")},
     LINT_ERROR},
    {"lintel_rfc5280_crl_info_access",
     "crl",
     {FORGE_EXT("1.3.6.1.5.5.7.1.1", false, "30{30{(1.3.6.1.5.5.7.48.2) 86{'http://a.example/'}}}")},
     LINT_PASS},
    {"lintel_rfc5280_crl_remove_in_delta", "crl", {ENTRIES(ENTRY("05", REASON("08")))}, LINT_ERROR},
    {"lintel_rfc5280_crl_remove_in_delta", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_indirect",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.29) 0101FF 04{30{82{'a.example'}}}}"))},
     LINT_ERROR},
    {"lintel_rfc5280_crl_indirect", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_entries", "crl", {ENTRIES(ENTRY("05", "30{(2.5.29.21) 04{020101}}"))}, LINT_ERROR},
    {"lintel_rfc5280_crl_entries", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_reason_critical",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.21) 0101FF 04{0A0101}}"))},
     LINT_ERROR},
    {"lintel_rfc5280_crl_reason_critical", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_invalidity_critical",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.24) 0101FF 04{18{'20260501000000Z'}}}"))},
     LINT_ERROR},
    {"lintel_rfc5280_crl_invalidity_critical",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.24) 04{18{'20260501000000Z'}}}"))},
     LINT_PASS},
    {"lintel_rfc5280_crl_invalidity_form",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.24) 04{17{'260501000000Z'}}}"))},
     LINT_ERROR},
    {"lintel_rfc5280_crl_invalidity_form",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.24) 04{18{'20260501000000Z'}}}"))},
     LINT_PASS},
    {"lintel_rfc5280_crl_issuer_critical",
     "crl",
     {ENTRIES(ENTRY("05", "30{(2.5.29.29) 04{30{82{'a.example'}}}}"))},
     LINT_ERROR},
    {"lintel_rfc5280_crl_issuer_critical", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_serial_positive", "crl", {ENTRIES(PLAIN("00"))}, LINT_ERROR},
    {"lintel_rfc5280_crl_serial_positive", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_serial_length", "crl", {ENTRIES(PLAIN("[21]11"))}, LINT_ERROR},
    {"lintel_rfc5280_crl_serial_length", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_entry_extensions", "crl", {ENTRIES(ENTRY("05", ""))}, LINT_ERROR},
    {"lintel_rfc5280_crl_entry_extensions", "crl", {{0}}, LINT_PASS},
    {"lintel_rfc5280_crl_entry_critical",
     "crl",
     {ENTRIES(ENTRY("05", "30{(1.2.3.4) 0101FF 04{0500}}"))},
     LINT_WARN},
    {"lintel_rfc5280_crl_entry_critical", "crl", {{0}}, LINT_PASS},
    {"lintel_limit_crl_entry",
     "crl",
     {ENTRIES(ENTRY("05", TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7)))},
     LINT_ERROR},
    {"lintel_limit_crl_entry",
     "crl",
     {ENTRIES(ENTRY("05", TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6)))},
     LINT_PASS},
    {"e_crl_unique_revoked_certificate", "crl", {ENTRIES(PLAIN("05") PLAIN("06") PLAIN("05"))}, LINT_WARN},
    {"e_crl_unique_revoked_certificate", "crl", {ENTRIES(PLAIN("06") PLAIN("05") PLAIN("04"))}, LINT_PASS},
};

#define SHA1 "30{(1.3.14.3.2.26) 0500}"
#define CERT_ID "30{" SHA1 " 04{[20]'n'} 04{[20]'k'} 020105}"
#define SINGLE(status_, more_) "30{" CERT_ID " " status_ " 18{'20260601000000Z'} " more_ "}"
#define NONCE "1.3.6.1.5.5.7.48.1.2"

/* A response with its responder's certificate, which is for that purpose. */
#define ECDSA "30{(1.2.840.10045.4.3.2)}"
#define DUMMY "03{00 30{020101 020101}}"
#define RESPONDER(purpose_)                                                                    \
    "30{30{A0{020102} 020105 " ECDSA " 3000 30{17{'260501000000Z'} 17{'260901000000Z'}} 3000 " \
    "30{30{(1.3.101.112)} 03{00 [32]11}} A3{30{30{(2.5.29.37) 04{30{" purpose_ "}}}}}} " ECDSA " " DUMMY "}"
#define SIGNED_WITH(purpose_) FORGE_PUT(FORGE_SIGNATURE, DUMMY " A0{30{" RESPONDER(purpose_) "}}")

static const struct forge_row responses[] = {
    {"lintel_ocsp_response_bytes", "response", {FORGE_PUT(FORGE_WHOLE, "30{0A0100}")}, LINT_ERROR},
    {"lintel_ocsp_response_bytes", "response", {FORGE_PUT(FORGE_WHOLE, "30{0A0106}")}, LINT_PASS},
    {"lintel_ocsp_response_bytes", "response", {FORGE_PUT(FORGE_STATUS, "0A0106")}, LINT_ERROR},
    {"lintel_ocsp_response_bytes", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_status", "response", {FORGE_PUT(FORGE_WHOLE, "30{0A0104}")}, LINT_ERROR},
    {"lintel_ocsp_status", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_type", "response", {FORGE_PUT(FORGE_TYPE, "(1.2.3)")}, LINT_ERROR},
    {"lintel_ocsp_type", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_version", "response", {FORGE_PUT(FORGE_VERSION, "A0{020101}")}, LINT_ERROR},
    {"lintel_ocsp_version", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_responses", "response", {FORGE_PUT(FORGE_ENTRIES, "3000")}, LINT_ERROR},
    {"lintel_ocsp_responses", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_update_order",
     "response",
     {ENTRIES(SINGLE("80{}", "A0{18{'20260501000000Z'}}"))},
     LINT_ERROR},
    {"lintel_ocsp_update_order", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_revoked_before",
     "response",
     {ENTRIES(SINGLE("A1{18{'20260701000000Z'}}", ""))},
     LINT_ERROR},
    {"lintel_ocsp_revoked_before", "response", {ENTRIES(SINGLE("A1{18{'20260501000000Z'}}", ""))}, LINT_PASS},
    {"lintel_ocsp_reason",
     "response",
     {ENTRIES(SINGLE("A1{18{'20260501000000Z'} A0{0A0107}}", ""))},
     LINT_ERROR},
    {"lintel_ocsp_reason",
     "response",
     {ENTRIES(SINGLE("A1{18{'20260501000000Z'} A0{0A0104}}", ""))},
     LINT_PASS},
    {"lintel_ocsp_cert_id",
     "response",
     {ENTRIES("30{30{" SHA1 " 04{[21]'n'} 04{[20]'k'} 020105} 80{} 18{'20260601000000Z'}}")},
     LINT_ERROR},
    {"lintel_ocsp_cert_id", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_responder_id", "response", {FORGE_PUT(FORGE_ISSUER, "A2{04{[21]'k'}}")}, LINT_ERROR},
    {"lintel_ocsp_responder_id", "response", {FORGE_PUT(FORGE_ISSUER, "A1{3000}")}, LINT_ERROR},
    {"lintel_ocsp_responder_id", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_nonce", "response", {FORGE_EXT(NONCE, false, "04{}")}, LINT_ERROR},
    {"lintel_ocsp_nonce", "response", {FORGE_EXT(NONCE, false, "04{[16]'n'}")}, LINT_PASS},
    {"lintel_ocsp_extension_twice",
     "response",
     {FORGE_EXT(NONCE, false, "04{[16]'n'}"), FORGE_MORE(NONCE, false, "04{[16]'n'}")},
     LINT_ERROR},
    {"lintel_ocsp_extension_twice", "response", {FORGE_EXT(NONCE, false, "04{[16]'n'}")}, LINT_PASS},
    {"lintel_ocsp_certificate_twice",
     "response",
     {ENTRIES(SINGLE("80{}", "") SINGLE("80{}", ""))},
     LINT_ERROR},
    {"lintel_ocsp_certificate_twice", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_delegated", "response", {{0}}, LINT_PASS},
    {"lintel_ocsp_delegated", "response", {SIGNED_WITH("(1.3.6.1.5.5.7.3.1)")}, LINT_ERROR},
    {"lintel_ocsp_delegated", "response", {SIGNED_WITH("(1.3.6.1.5.5.7.3.9)")}, LINT_PASS},
};

#define ATTRIBUTE(type_, value_) "30{(" type_ ") 31{" value_ "}}"
#define ASK(extensions_) "A0{" ATTRIBUTE("1.2.840.113549.1.9.14", "30{" extensions_ "}") "}"
#define PASSWORD ATTRIBUTE("1.2.840.113549.1.9.7", "0C{'x'}")

static const struct forge_row requests[] = {
    {"lintel_csr_signature", "request", {FORGE_PUT(FORGE_SIGNATURE, "03{00 30{020101 020101}}")}, LINT_ERROR},
    {"lintel_csr_signature", "request", {{0}}, LINT_PASS},
    /* what cannot be computed is not forged */
    {"lintel_csr_signature", "request", {FORGE_PUT(FORGE_OUTER_ALGORITHM, "30{(1.2.3.4)}")}, LINT_NA},
    {"lintel_csr_version", "request", {FORGE_PUT(FORGE_VERSION, "020101")}, LINT_ERROR},
    {"lintel_csr_version", "request", {{0}}, LINT_PASS},
    {"lintel_csr_key", "request", {{0}}, LINT_PASS},
    {"lintel_csr_key",
     "request",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.113549.1.1.1) 0500} 03{00 30{02{[128]71} 02{010001}}}}")},
     LINT_ERROR},
    {"lintel_csr_key_weak", "request", {{0}}, LINT_NA},
    {"lintel_csr_key_weak",
     "request",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.2.840.113549.1.1.1) 0500} 03{00 30{02{[127]77 7B} 02{010001}}}}")},
     LINT_ERROR},
    {"lintel_csr_attributes", "request", {FORGE_CUT(SAN), FORGE_PUT(FORGE_EXTENSIONS, "")}, LINT_WARN},
    {"lintel_csr_attributes", "request", {{0}}, LINT_PASS},
    {"lintel_csr_attribute_twice",
     "request",
     {FORGE_PUT(FORGE_EXTENSIONS, "A0{" PASSWORD PASSWORD "}")},
     LINT_ERROR},
    {"lintel_csr_attribute_twice", "request", {{0}}, LINT_PASS},
    {"lintel_csr_single_value",
     "request",
     {FORGE_PUT(FORGE_EXTENSIONS, "A0{" ATTRIBUTE("1.2.840.113549.1.9.7", "0C{'x'} 0C{'y'}") "}")},
     LINT_ERROR},
    {"lintel_csr_single_value", "request", {{0}}, LINT_PASS},
    {"lintel_csr_password", "request", {FORGE_PUT(FORGE_EXTENSIONS, "A0{" PASSWORD "}")}, LINT_NOTICE},
    {"lintel_csr_password", "request", {{0}}, LINT_PASS},
    {"lintel_csr_extension_twice", "request", {FORGE_MORE(SAN, false, "30{82{'b.example'}}")}, LINT_ERROR},
    {"lintel_csr_extension_twice", "request", {{0}}, LINT_PASS},
    {"lintel_csr_extension_form", "request", {FORGE_EXT(KU, true, "0500")}, LINT_ERROR},
    {"lintel_csr_extension_form", "request", {{0}}, LINT_PASS},
    {"lintel_csr_not_issuers", "request", {FORGE_EXT(AKI, false, "30{80{[20]11}}")}, LINT_WARN},
    {"lintel_csr_not_issuers", "request", {{0}}, LINT_PASS},
    {"lintel_csr_key_usage", "request", {FORGE_EXT(KU, true, "03020204")}, LINT_ERROR},
    {"lintel_csr_key_usage", "request", {FORGE_EXT(KU, true, "03020780")}, LINT_PASS},
    {"lintel_csr_names", "request", {FORGE_PUT(FORGE_EXTENSIONS, "A000")}, LINT_WARN},
    {"lintel_csr_names", "request", {{0}}, LINT_PASS},
    {"lintel_csr_name_form", "request", {FORGE_EXT(SAN, false, "30{82{'a..b'}}")}, LINT_ERROR},
    {"lintel_csr_name_form", "request", {{0}}, LINT_PASS},
};

#define SHA1_RSA "30{(1.2.840.113549.1.1.5) 0500}"
#define LOG(byte_) "002F 00 [32]" byte_ " [14]00"
#define EKUS(oids_) FORGE_EXT("2.5.29.37", false, "30{" oids_ "}")
#define JULY_2026 1782864000

static const struct forge_row programs[] = {
    {"lintel_mozilla_key", "dv", {FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.112)} 03{00 [32]11}}")}, LINT_ERROR},
    {"lintel_mozilla_key", "dv", {{0}}, LINT_PASS},
    {"lintel_mozilla_key",
     "smmvs",
     {FORGE_PUT(FORGE_SPKI, "30{30{(1.3.101.112)} 03{00 [32]11}}")},
     LINT_PASS},
    {"lintel_mozilla_sha1_mail", "smmvs", {FORGE_PUT(FORGE_ALGORITHM, SHA1_RSA)}, LINT_ERROR},
    {"lintel_mozilla_sha1_mail", "smmvs", {{0}}, LINT_PASS},
    {"lintel_mozilla_sha1", "ocsp", {FORGE_PUT(FORGE_ALGORITHM, SHA1_RSA)}, LINT_ERROR},
    {"lintel_mozilla_sha1", "ocsp", {{0}}, LINT_PASS},
    {"lintel_mozilla_sha1_crl", "crl", {FORGE_PUT(FORGE_ALGORITHM, SHA1_RSA)}, LINT_ERROR},
    {"lintel_mozilla_sha1_crl", "crl", {{0}}, LINT_PASS},
    {"lintel_mozilla_sha1_ocsp", "response", {FORGE_PUT(FORGE_OUTER_ALGORITHM, SHA1_RSA)}, LINT_ERROR},
    {"lintel_mozilla_sha1_ocsp", "response", {{0}}, LINT_PASS},
    {"lintel_mozilla_leaf_purpose", "dv", {FORGE_CUT("2.5.29.37")}, LINT_ERROR},
    {"lintel_mozilla_leaf_purpose", "dv", {EKUS("(2.5.29.37.0)")}, LINT_ERROR},
    {"lintel_mozilla_leaf_purpose", "dv", {{0}}, LINT_PASS},
    {"lintel_mozilla_intermediate_purpose",
     "sub",
     {EKUS("(1.3.6.1.5.5.7.3.1)(1.3.6.1.5.5.7.3.4)")},
     LINT_ERROR,
     .role = LINT_ROLE_SUB_CA},
    {"lintel_mozilla_intermediate_purpose", "sub", {{0}}, LINT_PASS, .role = LINT_ROLE_SUB_CA},
    {"lintel_mozilla_intermediate_purpose", "sub", {{0}}, LINT_NA},
    {"lintel_chrome_logs", "dv", {FORGE_EXT(SCTS, false, "04{0062 " LOG("01") LOG("01") "}")}, LINT_ERROR},
    {"lintel_chrome_logs", "dv", {FORGE_EXT(SCTS, false, "04{0062 " LOG("01") LOG("02") "}")}, LINT_PASS},
    {"lintel_chrome_logs",
     "dv",
     {FORGE_EXT(SCTS, false, "04{0062 " LOG("01") LOG("02") "}"), FORGE_TO(1780272000 + 199 * 86400)},
     LINT_WARN},
    {"lintel_chrome_ca_purpose",
     "sub",
     {FORGE_FROM(JULY_2026), EKUS("(1.3.6.1.5.5.7.3.1)(1.3.6.1.5.5.7.3.2)")},
     LINT_ERROR},
    {"lintel_chrome_ca_purpose", "sub", {FORGE_FROM(JULY_2026), EKUS("(1.3.6.1.5.5.7.3.1)")}, LINT_PASS},
    {"lintel_chrome_ca_purpose", "sub", {{0}}, LINT_NE},
};

#define TABLE(name_)                        \
    static void name_##_rows(void **unused) \
    {                                       \
        (void)unused;                       \
        forge_rows(name_, LT_COUNT(name_)); \
    }
TABLE(usage)
TABLE(extensions)
TABLE(names)
TABLE(mailboxes)
TABLE(constraints)
TABLE(policies)
TABLE(crls)
TABLE(responses)
TABLE(requests)
TABLE(programs)

static void punycode(void **unused)
{
    (void)unused;
    static const struct {
        const char *encoded;
        bool ok;
        size_t count;
        uint32_t last;
    } rows[] = {
        {"", true, 0, 0},
        {"bcher-kva", true, 6, 'r'},
        {"-", false, 0, 0},                            /* nothing before the hyphen */
        {"abc-", true, 3, 'c'},                        /* nothing behind it */
        {"ihqwcrb4cv8a8dqg056pqjye", true, 9, 0x6587}, /* RFC 3492 7.1 (B) */
        {"a-b", false, 0, 0},
        {"99999999", false, 0, 0}, /* overflows */
        {"a_b", false, 0, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint32_t points[LINT_ULABEL_MAX];
        size_t count = 0;
        bool ok = lint_punycode(lt_slice_cstr(rows[i].encoded), points, &count);
        assert_int_equal(ok, rows[i].ok);
        assert_int_equal(count, rows[i].count);
        assert_true(count == 0 || points[count - 1] == rows[i].last);
    }
}

static void normal_form(void **unused)
{
    (void)unused;
    assert_true(lint_text_is_nfc(LT_LIT("plain")));
    assert_true(lint_text_is_nfc(LT_LIT("\xc3\xbc")));
    assert_false(lint_text_is_nfc(LT_LIT("u\xcc\x88")));
    assert_false(lint_text_is_nfc(LT_LIT("one. two\xcc\x88")));
    assert_true(lint_text_is_nfc(LT_LIT("")));
    assert_false(lint_text_is_nfc(LT_LIT("\xe2\x84\xab"))); /* the angstrom sign */
}

static void loose_hosts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool host;
    } rows[] = {
        {"example.com", true},
        {"www.example.com", true},
        {"*.example.com", true},
        {"?.?.example.com", true},
        {"example", false},
        {"a.b", false},
        {".example.com", false},
        {"exa mple.com", false},
        {"example.com:8080", true},
        {"example.com/x", true},
        {"http://a.example.com/", true},
        {"foo_bar.example.com", true},
        {"a..example.com", false},
        {"192.0.2.1", true},
        {"-a.example.com", false},
        {"", false},
        {"user@example.com", true},
        {"example.com:port", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (lint_fqdn_loose(lt_slice_cstr(rows[i].text)) != rows[i].host) {
            fail_msg("'%s' is %s host", rows[i].text, rows[i].host ? "a" : "no");
        }
    }
}

static void attribute_texts(void **unused)
{
    (void)unused;
    struct x509_attribute a = {.string_type = DER_BMP_STRING, .value = LT_LIT("\0a\xd8\x3d\xde\x00\0\0")};
    assert_int_equal(lint_text_count(lint_text_of(&a)), 2);
    a = (struct x509_attribute){.string_type = DER_UTF8_STRING, .value = LT_LIT("\xc3\xbc\xff")};
    assert_int_equal(lint_text_count(lint_text_of(&a)), 2);
    a.string_type = DER_VISIBLE_STRING;
    assert_false(lint_attribute_is_text(&a));
}

/* Serial numbers in no order, each once; then one twice at the end. */
static void large_crl(void **unused)
{
    (void)unused;
    enum { COUNT = 100000 };
    struct lt_buf buf;
    lt_buf_init(&buf, 4 << 20);
    struct x509_crl crl = {.entries = {0}};
    for (uint32_t i = 0; i <= COUNT; i++) {
        uint32_t n = i == COUNT ? 7 : i;
        uint32_t serial = 0x01000000 | (n * 7919 % COUNT);
        uint8_t entry[] = {0x30,
                           0x15,
                           0x02,
                           0x04,
                           (uint8_t)(serial >> 24),
                           (uint8_t)(serial >> 16),
                           (uint8_t)(serial >> 8),
                           (uint8_t)serial,
                           0x17,
                           0x0d,
                           '2',
                           '6',
                           '0',
                           '6',
                           '0',
                           '1',
                           '0',
                           '0',
                           '0',
                           '0',
                           '0',
                           '0',
                           'Z'};
        lt_buf_add(&buf, LT_SLICE(entry, sizeof(entry)));
    }
    struct lt_arena a;
    lt_arena_init(&a, 4 << 20);
    struct lint_crl_facts f;
    size_t entry_len = buf.len / (COUNT + 1);
    crl.entries = LT_SLICE(buf.ptr, COUNT * entry_len);
    crl.this_update = lt_time_from_seconds(1780272000);
    lint_crl_facts_find(&crl, &a, &f);
    assert_int_equal(f.count, COUNT);
    assert_false(f.serials_not_compared);
    assert_int_equal(f.serial_twice.len, 0);
    assert_int_equal(f.after_this_update.len, 0);
    crl.entries = LT_SLICE(buf.ptr, buf.len);
    lint_crl_facts_find(&crl, &a, &f);
    assert_ptr_equal(f.serial_twice.ptr, (const uint8_t *)buf.ptr + COUNT * entry_len);
    lt_arena_done(&a);
    lt_arena_init(&a, 1000); /* no room for the table */
    lint_crl_facts_find(&crl, &a, &f);
    assert_true(f.serials_not_compared);
    lt_arena_done(&a);
    lt_buf_done(&buf);
}

/* One entry with count extensions, of which `first` stands once more at the end. */
static lt_slice long_entry(struct lt_buf *buf, uint32_t count, uint32_t first)
{
    static const uint8_t time[] = {0x17, 0x0d, '2', '6', '0', '6', '0', '1',
                                   '0',  '0',  '0', '0', '0', '0', 'Z'};
    size_t extensions_len = (size_t)count * 13;
    size_t content_len = 3 + sizeof(time) + 5 + extensions_len;
    const uint8_t head[] = {
        0x30, 0x83, (uint8_t)(content_len >> 16), (uint8_t)(content_len >> 8), (uint8_t)content_len, 0x02,
        0x01, 0x05};
    const uint8_t list[] = {0x30, 0x83, (uint8_t)(extensions_len >> 16), (uint8_t)(extensions_len >> 8),
                            (uint8_t)extensions_len};
    lt_buf_reset(buf);
    lt_buf_add(buf, LT_SLICE(head, sizeof(head)));
    lt_buf_add(buf, LT_SLICE(time, sizeof(time)));
    lt_buf_add(buf, LT_SLICE(list, sizeof(list)));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = i + 1 == count ? first : i;
        const uint8_t extension[] = {0x30,
                                     0x0b,
                                     0x06,
                                     0x05,
                                     0x2a,
                                     (uint8_t)(0x80 | n >> 14),
                                     (uint8_t)(0x80 | n >> 7),
                                     (uint8_t)(n & 0x7f),
                                     0x03,
                                     0x04,
                                     0x02,
                                     0x05,
                                     0x00};
        lt_buf_add(buf, LT_SLICE(extension, sizeof(extension)));
    }
    return LT_SLICE(buf->ptr, buf->len);
}

/* What is compared with all before it is bounded, and what is over the bound is said. */
static void long_entries(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t count;
        uint32_t last;
        bool twice;
        bool many;
    } rows[] = {
        {64, 63, false, false}, {64, 0, true, false},          {64, 62, true, false},
        {65, 64, false, true},  {300000, 299999, false, true},
    };
    struct lt_buf buf;
    struct lt_arena a;
    lt_buf_init(&buf, 8 << 20);
    lt_arena_init(&a, 1 << 20);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_crl_facts f;
        struct x509_crl crl = {.entries = long_entry(&buf, rows[i].count, rows[i].last)};
        crl.this_update = lt_time_from_seconds(1780272000);
        lint_crl_facts_find(&crl, &a, &f);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.broken.len, 0);
        assert_int_equal(f.extension_twice.len > 0, rows[i].twice);
        assert_int_equal(f.extensions_many.len > 0, rows[i].many);
        assert_int_equal(f.extension_other_id.len, 5); /* for messages */
    }
    lt_arena_done(&a);
    lt_buf_done(&buf);
}

static void responses_decode(void **unused)
{
    (void)unused;
    struct forge f;
    struct lint_ocsp o;
    forge_open(&f, "response");
    assert_ok(lint_ocsp_decode(forge_make(&f, false), &f.arena, &o));
    assert_true(o.basic);
    assert_int_equal(o.response_count, 1);
    assert_int_equal(o.responses[0].status, LINT_OCSP_GOOD);
    assert_int_equal(o.responses[0].serial.len, 16);
    assert_int_equal(o.responder_key.len, 20);
    assert_int_equal(o.version, 1);
    assert_int_equal(o.sig_alg, X509_SIG_ECDSA_SHA256);
    assert_true(o.responses[0].has_next_update);
    lt_slice whole = forge_make(&f, false);
    for (size_t n = 0; n < whole.len; n++) {
        assert_true(lt_failed(lint_ocsp_decode(lt_slice_sub(whole, 0, n), &f.arena, &o)));
    }
    forge_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_rows),     cmocka_unit_test(extensions_rows),  cmocka_unit_test(names_rows),
        cmocka_unit_test(mailboxes_rows), cmocka_unit_test(constraints_rows), cmocka_unit_test(policies_rows),
        cmocka_unit_test(crls_rows),      cmocka_unit_test(responses_rows),   cmocka_unit_test(requests_rows),
        cmocka_unit_test(programs_rows),  cmocka_unit_test(punycode),         cmocka_unit_test(normal_form),
        cmocka_unit_test(loose_hosts),    cmocka_unit_test(attribute_texts),  cmocka_unit_test(large_crl),
        cmocka_unit_test(long_entries),   cmocka_unit_test(responses_decode),
    };
    return cmocka_run_group_tests_name("lint: the RFCs", tests, NULL, NULL);
}
