/* Our rules of EV certificates: for each a certificate that breaks it, and one that does not. */
#include "forge.h"

#define JC "1.3.6.1.4.1.311.60.2.1.3"
#define JST "1.3.6.1.4.1.311.60.2.1.2"
#define JL "1.3.6.1.4.1.311.60.2.1.1"
#define PRINTABLE DER_PRINTABLE_STRING
#define UTF8 DER_UTF8_STRING
/* A subject around the attributes that a row is about. */
#define AROUND(...)                                                                                      \
    FORGE_SUBJECT({"2.5.4.15", UTF8, "Private Organization"}, __VA_ARGS__, {"2.5.4.6", PRINTABLE, "US"}, \
                  {"2.5.4.10", UTF8, "Example Inc"})
#define US                  \
    {                       \
        JC, PRINTABLE, "US" \
    }
#define NUMBER                         \
    {                                  \
        "2.5.4.5", PRINTABLE, "123-45" \
    }
#define CITY                     \
    {                            \
        "2.5.4.7", UTF8, "Dover" \
    }
#define ORG_ID "2.23.140.3.1"
#define ORG_ID_VALUE(scheme_, country_, state_) "30{13{'" scheme_ "'} 13{'" country_ "'} " state_ " 0C{'1'}}"

static const struct forge_row subjects[] = {
    {"lintel_ev_jurisdiction_country", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_jurisdiction_country", "ev", {AROUND(NUMBER, CITY)}, LINT_ERROR},
    {"lintel_ev_jurisdiction_country", "ov", {AROUND(NUMBER, CITY)}, LINT_NA},
    {"lintel_ev_jurisdiction_levels", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_jurisdiction_levels", "ev", {AROUND({JL, UTF8, "Dover"}, US, NUMBER, CITY)}, LINT_ERROR},
    {"lintel_ev_jurisdiction_levels",
     "ev",
     {AROUND({JL, UTF8, "Dover"}, {JST, UTF8, "Delaware"}, US, NUMBER, CITY)},
     LINT_PASS},
    {"lintel_ev_jurisdiction_code", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_jurisdiction_code", "ev", {AROUND({JC, PRINTABLE, "us"}, NUMBER, CITY)}, LINT_ERROR},
    {"lintel_ev_jurisdiction_code", "ev", {AROUND({JC, PRINTABLE, "ZZ"}, NUMBER, CITY)}, LINT_ERROR},
    {"lintel_ev_country_code", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_country_code", "ev", {FORGE_SUBJECT({"2.5.4.6", PRINTABLE, "UK"})}, LINT_ERROR},
    {"lintel_ev_country_code", "ev", {FORGE_SUBJECT({"2.5.4.6", PRINTABLE, "XX"})}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "2025-01-23"}, CITY)}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "01/23/2025"}, CITY)}, LINT_WARN},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "23.1.2025"}, CITY)}, LINT_WARN},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "12-3-2045"}, CITY)}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "2045-1-23"}, CITY)}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "2025/01/23"}, CITY)}, LINT_ERROR},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "2025-1-23"}, CITY)}, LINT_ERROR},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "99-99-2025"}, CITY)}, LINT_PASS},
    {"lintel_ev_serial_date", "ev", {AROUND(US, {"2.5.4.5", PRINTABLE, "12-345-678"}, CITY)}, LINT_PASS},
    {"lintel_ev_serial_date",
     "ev",
     {AROUND(US, {"2.5.4.5", PRINTABLE, "01/23/2025"}, CITY), FORGE_FROM(1700000000)},
     LINT_NE},
    {"lintel_ev_place", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_place", "ev", {AROUND(US, NUMBER)}, LINT_ERROR},
    {"lintel_ev_one_common_name",
     "ev",
     {AROUND(US, NUMBER, {"2.5.4.3", UTF8, "www.example.com"})},
     LINT_PASS},
    {"lintel_ev_one_common_name",
     "ev",
     {AROUND(US, {"2.5.4.3", UTF8, "www.example.com"}, {"2.5.4.3", UTF8, "www.example.com"})},
     LINT_ERROR},
};

static const struct forge_row identifiers[] = {
    {"lintel_ev_org_id", "ev", {{0}}, LINT_NA},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRUS+DE-1234567"})}, LINT_PASS},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "VATEL-1"})}, LINT_PASS},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "PSDDE-BAFIN-1"})}, LINT_PASS},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRZZ-1"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTREL-1"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRUS"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRUS+DEL-1"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "VATUS+DE-1"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "LEIXG-529900T8BM49AURSDO55"})}, LINT_ERROR},
    {"lintel_ev_org_id", "ev", {AROUND(US, {"2.5.4.97", UTF8, "ntrus-1"})}, LINT_ERROR},
    {"lintel_ev_org_id_encoding", "ev", {AROUND(US, {"2.5.4.97", PRINTABLE, "NTRUS-1"})}, LINT_PASS},
    {"lintel_ev_org_id_encoding", "ev", {AROUND(US, {"2.5.4.97", DER_IA5_STRING, "NTRUS-1"})}, LINT_ERROR},
    {"lintel_ev_org_id_jurisdiction", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRUS-1"})}, LINT_PASS},
    {"lintel_ev_org_id_jurisdiction", "ev", {AROUND(US, {"2.5.4.97", UTF8, "NTRGB-1"})}, LINT_ERROR},
    {"lintel_ev_org_id_jurisdiction", "ev", {AROUND(US, {"2.5.4.97", UTF8, "VATGB-1"})}, LINT_PASS},
    {"lintel_ev_org_id_syntax", "ev", {{0}}, LINT_NA},
    {"lintel_ev_org_id_syntax", "ev", {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("NTR", "US", ""))}, LINT_PASS},
    {"lintel_ev_org_id_syntax",
     "ev",
     {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("NTR", "US", "80{'DE'}"))},
     LINT_PASS},
    {"lintel_ev_org_id_syntax",
     "ev",
     {FORGE_EXT(ORG_ID, false, "30{13{'NTR'} 0C{'US'} 0C{'1'}}")},
     LINT_ERROR},
    {"lintel_ev_org_id_syntax", "ev", {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("NTRX", "US", ""))}, LINT_ERROR},
    {"lintel_ev_org_id_syntax",
     "ev",
     {FORGE_EXT(ORG_ID, false, "30{13{'NTR'} 13{'US'} 0C{'1'}} 0500")},
     LINT_ERROR},
    {"lintel_ev_org_id_extension",
     "ev",
     {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("NTR", "US", ""))},
     LINT_PASS},
    {"lintel_ev_org_id_extension",
     "ev",
     {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("NTR", "ZZ", ""))},
     LINT_ERROR},
    {"lintel_ev_org_id_extension",
     "ev",
     {FORGE_EXT(ORG_ID, false, ORG_ID_VALUE("VAT", "US", "80{'DE'}"))},
     LINT_ERROR},
};

static const struct forge_row others[] = {
    {"lintel_ev_san_types", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_san_types",
     "ev",
     {FORGE_EXT("2.5.29.17", false, "30{82{'a.example'} 87{01020304}}")},
     LINT_ERROR},
    {"lintel_ev_san_types", "ev", {FORGE_EXT("2.5.29.17", false, "30{81{'a@a.example'}}")}, LINT_ERROR},
    {"lintel_ev_wildcard", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_wildcard", "ev", {FORGE_EXT("2.5.29.17", false, "30{82{'*.example.com'}}")}, LINT_ERROR},
    {"lintel_ev_wildcard", "ev", {FORGE_EXT("2.5.29.17", false, "30{82{'*.example.onion'}}")}, LINT_PASS},
    /* from 2026-06-01: 398 days to the second, and one more; 366 days and one more second */
    {"lintel_ev_validity", "ev", {FORGE_TO(1780272000 + 398 * 86400 - 1)}, LINT_PASS},
    {"lintel_ev_validity", "ev", {FORGE_TO(1780272000 + 398 * 86400)}, LINT_ERROR},
    {"lintel_ev_validity_recommended", "ev", {FORGE_TO(1780272000 + 366 * 86400 - 1)}, LINT_PASS},
    {"lintel_ev_validity_recommended", "ev", {FORGE_TO(1780272000 + 366 * 86400)}, LINT_WARN},
    {"lintel_ev_revocation", "ev", {{0}}, LINT_PASS},
    {"lintel_ev_revocation", "ev", {FORGE_CUT("2.5.29.31"), FORGE_CUT("1.3.6.1.5.5.7.1.1")}, LINT_ERROR},
    {"lintel_ev_revocation",
     "ev",
     {FORGE_CUT("2.5.29.31"), FORGE_CUT("1.3.6.1.5.5.7.1.1"), FORGE_TO(1780272000 + 7 * 86400 - 1)},
     LINT_PASS},
    {"lintel_ev_policy", "ev", {{0}}, LINT_PASS, .profile = LINT_PROFILE_TLS_EV},
    {"lintel_ev_policy", "ov", {{0}}, LINT_ERROR, .profile = LINT_PROFILE_TLS_EV},
    {"lintel_ev_cps_pointer", "ev", {{0}}, LINT_NE},
    {"lintel_ev_cps_pointer", "ev", {FORGE_FROM(1700000000)}, LINT_ERROR},
    {"lintel_ev_cps_pointer",
     "ev",
     {FORGE_FROM(1700000000),
      FORGE_EXT("2.5.29.32", false,
                "30{30{(2.23.140.1.1) 30{30{(1.3.6.1.5.5.7.2.1) 16{'https://a.example'}}}}}")},
     LINT_PASS},
};

static void in_subjects(void **unused)
{
    (void)unused;
    forge_rows(subjects, LT_COUNT(subjects));
}

static void in_identifiers(void **unused)
{
    (void)unused;
    forge_rows(identifiers, LT_COUNT(identifiers));
}

static void in_extensions(void **unused)
{
    (void)unused;
    forge_rows(others, LT_COUNT(others));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_subjects),
        cmocka_unit_test(in_identifiers),
        cmocka_unit_test(in_extensions),
    };
    return cmocka_run_group_tests_name("lint/ev", tests, NULL, NULL);
}
