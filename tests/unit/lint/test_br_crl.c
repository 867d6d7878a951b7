/* Lintel's own rules on CRLs, of the TLS Baseline Requirements and of RFC 5280's frame. */
#include "forge.h"

#define AKI "2.5.29.35"
#define NUMBER "2.5.29.20"
#define IDP "2.5.29.28"
#define DELTA "2.5.29.27"
#define URL "86{'http://ca.example.com/1.crl'}"
#define POINT "A0{A0{" URL "}}"
#define NO_REASONS "30{020105 17{'260601000000Z'}}"
#define ENTRY(extensions_) "30{020105 17{'260601000000Z'} 30{" extensions_ "}}"
#define REASON(n_) "30{(2.5.29.21) 04{0A01" n_ "}}"
#define ENTRIES(entries_) FORGE_PUT(FORGE_ENTRIES, "30{" entries_ "}")
#define DAY INT64_C(86400)
#define START INT64_C(1780272000) /* 2026-06-01 */

#define ROW(rule_, status_, ...)               \
    {                                          \
        rule_, "crl", {__VA_ARGS__}, (status_) \
    }

static const struct forge_row frame[] = {
    ROW("lintel_rfc5280_crl_version", LINT_PASS, {0}),
    ROW("lintel_rfc5280_crl_version", LINT_ERROR, FORGE_PUT(FORGE_VERSION, "")),
    ROW("lintel_rfc5280_crl_next_update", LINT_PASS, {0}),
    ROW("lintel_rfc5280_crl_next_update", LINT_ERROR, FORGE_FROM(START), FORGE_TO(START - DAY)),
    ROW("lintel_br_crl_next_update", LINT_PASS, {0}),
    ROW("lintel_br_crl_next_update", LINT_PASS, FORGE_FROM(START), FORGE_TO(START + 11 * DAY)),
    ROW("lintel_br_crl_next_update", LINT_ERROR, FORGE_EXT(IDP, true, "30{" POINT "8101FF}"),
        FORGE_FROM(START), FORGE_TO(START + 11 * DAY)),
    ROW("lintel_br_crl_next_update", LINT_PASS, FORGE_EXT(IDP, true, "30{" POINT "8101FF}"),
        FORGE_FROM(START), FORGE_TO(START + 10 * DAY)),
    ROW("lintel_br_crl_next_update", LINT_PASS, FORGE_FROM(START), FORGE_TO(START + 365 * DAY)),
    ROW("lintel_br_crl_next_update", LINT_ERROR, FORGE_FROM(START), FORGE_TO(START + 365 * DAY + 1)),
    {"lintel_br_crl_next_update",
     "crl",
     {FORGE_FROM(START), FORGE_TO(START + 11 * DAY)},
     LINT_ERROR,
     .role = LINT_ROLE_SUBSCRIBER},
    {"lintel_br_crl_next_update",
     "crl",
     {FORGE_FROM(START), FORGE_TO(START + 11 * DAY)},
     LINT_PASS,
     .role = LINT_ROLE_SUB_CA},
    ROW("lintel_br_crl_algorithms", LINT_PASS, {0}),
    ROW("lintel_br_crl_algorithms", LINT_ERROR,
        FORGE_PUT(FORGE_OUTER_ALGORITHM, "30{(1.2.840.10045.4.3.4)}")),
    ROW("lintel_br_crl_signature_encoding", LINT_PASS, {0}),
    ROW("lintel_br_crl_signature_encoding", LINT_ERROR,
        FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)0500}")),
    ROW("lintel_br_crl_signature_value", LINT_PASS, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)}"),
        FORGE_PUT(FORGE_SIGNATURE, "03{00 30{020107 020105}}")),
    ROW("lintel_br_crl_signature_value", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)}"),
        FORGE_PUT(FORGE_SIGNATURE, "03{00 [64]07}")),
};

static const struct forge_row extensions[] = {
    ROW("lintel_br_crl_aki", LINT_PASS, {0}),
    ROW("lintel_br_crl_aki", LINT_ERROR, FORGE_CUT(AKI)),
    ROW("lintel_br_crl_aki", LINT_ERROR, FORGE_EXT(AKI, false, "3000")),
    ROW("lintel_br_crl_aki", LINT_ERROR, FORGE_EXT(AKI, false, "30{80{0102} A1{A4{3000}} 82{05}}")),
    ROW("lintel_br_crl_criticality", LINT_PASS, FORGE_EXT(IDP, true, "30{" POINT "}")),
    ROW("lintel_br_crl_criticality", LINT_ERROR, FORGE_EXT(IDP, false, "30{" POINT "}")),
    ROW("lintel_br_crl_criticality", LINT_ERROR, FORGE_CRITICAL(AKI, true)),
    ROW("lintel_br_crl_criticality", LINT_ERROR, FORGE_CRITICAL(NUMBER, true)),
    ROW("lintel_br_crl_other_extension", LINT_PASS, {0}),
    ROW("lintel_br_crl_other_extension", LINT_WARN, FORGE_EXT("1.3.6.1.4.1.99999.1", false, "0500")),
    ROW("lintel_br_crl_idp", LINT_NA, {0}),
    ROW("lintel_br_crl_idp", LINT_PASS, FORGE_EXT(IDP, true, "30{" POINT "8101FF}")),
    ROW("lintel_br_crl_idp", LINT_ERROR, FORGE_EXT(IDP, true, "30{8101FF}")),
    ROW("lintel_br_crl_idp", LINT_ERROR, FORGE_EXT(IDP, true, "30{A0{A0{A4{3000}}}}")),
    ROW("lintel_br_crl_idp", LINT_ERROR, FORGE_EXT(IDP, true, "30{" POINT "8101FF 8201FF}")),
    ROW("lintel_br_crl_idp", LINT_ERROR, FORGE_EXT(IDP, true, "30{" POINT "8401FF}")),
    ROW("lintel_br_crl_idp", LINT_ERROR, FORGE_EXT(IDP, true, "30{" POINT "8501FF}")),
    ROW("lintel_br_crl_idp_reasons", LINT_PASS, FORGE_EXT(IDP, true, "30{" POINT "}")),
    ROW("lintel_br_crl_idp_reasons", LINT_WARN, FORGE_EXT(IDP, true, "30{" POINT "83020640}")),
};

static const struct forge_row entries[] = {
    ROW("lintel_br_crl_reason", LINT_PASS, ENTRIES(ENTRY(REASON("01")))),
    ROW("lintel_br_crl_reason", LINT_PASS, ENTRIES(ENTRY(REASON("09")))),
    ROW("lintel_br_crl_reason", LINT_PASS, ENTRIES(NO_REASONS)),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("00")))),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("06")))),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("07")))),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("08")))),
    ROW("lintel_br_crl_reason", LINT_PASS, ENTRIES(ENTRY(REASON("08"))), FORGE_EXT(DELTA, true, "020101")),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("0A")))),
    ROW("lintel_br_crl_reason", LINT_ERROR, ENTRIES(ENTRY(REASON("0B")))),
    ROW("lintel_br_crl_reason", LINT_PASS, ENTRIES(ENTRY(REASON("02")))),
    {"lintel_br_crl_reason", "crl", {ENTRIES(ENTRY(REASON("02")))}, LINT_ERROR, .role = LINT_ROLE_SUBSCRIBER},
    ROW("lintel_br_crl_entry_extensions", LINT_PASS, ENTRIES(ENTRY(REASON("01")))),
    ROW("lintel_br_crl_entry_extensions", LINT_ERROR, ENTRIES(ENTRY("30{(2.5.29.21) 0101FF 04{0A0101}}"))),
    ROW("lintel_br_crl_entry_extensions", LINT_ERROR,
        ENTRIES(ENTRY("30{(2.5.29.29) 0101FF 04{30{A4{3000}}}}"))),
    ROW("lintel_br_crl_ca_reason", LINT_NA, ENTRIES(NO_REASONS)),
    {"lintel_br_crl_ca_reason", "crl", {ENTRIES(NO_REASONS)}, LINT_ERROR, .role = LINT_ROLE_SUB_CA},
    {"lintel_br_crl_ca_reason", "crl", {ENTRIES(ENTRY(REASON("04")))}, LINT_PASS, .role = LINT_ROLE_ROOT},
    ROW("lintel_br_crl_ca_reason", LINT_ERROR, ENTRIES(NO_REASONS),
        FORGE_EXT(IDP, true, "30{" POINT "8201FF}")),
    ROW("lintel_br_crl_other_entry_extension", LINT_PASS, ENTRIES(ENTRY(REASON("01")))),
    ROW("lintel_br_crl_other_entry_extension", LINT_WARN,
        ENTRIES(ENTRY("30{(2.5.29.24) 04{18{'20260101000000Z'}}}"))),
};

#define TABLE(name_)                                           \
    static void name_##_rows(void **state)                     \
    {                                                          \
        (void)state;                                           \
        forge_rows(name_, sizeof(name_) / sizeof((name_)[0])); \
    }
TABLE(frame)
TABLE(extensions)
TABLE(entries)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_rows),
        cmocka_unit_test(extensions_rows),
        cmocka_unit_test(entries_rows),
    };
    return cmocka_run_group_tests_name("br crl", tests, NULL, NULL);
}
