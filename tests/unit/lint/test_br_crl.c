/* Lintel's own rules of the TLS and S/MIME Baseline Requirements on CRLs and OCSP responses. */
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
    ROW("e_crl_next_update_invalid", LINT_ERROR, FORGE_FROM(START), FORGE_TO(START + 11 * DAY)),
    {"e_crl_next_update_invalid",
     "crl",
     {FORGE_FROM(START), FORGE_TO(START + 11 * DAY)},
     LINT_PASS,
     .role = LINT_ROLE_ROOT},
    {"e_crl_next_update_invalid",
     "crl",
     {FORGE_FROM(START), FORGE_TO(START + 366 * DAY)},
     LINT_ERROR,
     .role = LINT_ROLE_ROOT},
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

#define CERT_ID "30{30{(1.3.14.3.2.26)0500} 04{[20]11} 04{[20]22} 020105}"
#define GOOD "8000"
#define REVOKED(reason_) "A1{18{'20260601000000Z'}" reason_ "}"
#define FROM "18{'20260601000000Z'}"
#define UNTIL(time_) "A0{18{'" time_ "'}}"
#define SINGLE(status_, rest_) FORGE_PUT(FORGE_ENTRIES, "30{30{" CERT_ID status_ FROM rest_ "}}")
#define WEEK UNTIL("20260607000000Z")
#define RESPONSE(rule_, status_, ...)                                     \
    {                                                                     \
        "lintel_br_response_" rule_, "response", {__VA_ARGS__}, (status_) \
    }
#define OF(role_, rule_, status_, ...)                                                     \
    {                                                                                      \
        "lintel_br_response_" rule_, "response", {__VA_ARGS__}, (status_), .role = (role_) \
    }

static const struct forge_row responses[] = {
    RESPONSE("reason_extension", LINT_PASS, SINGLE(GOOD, WEEK)),
    RESPONSE("reason_extension", LINT_ERROR, SINGLE(GOOD, WEEK "A1{30{30{(2.5.29.21) 04{0A0101}}}}")),
    RESPONSE("reason", LINT_PASS, SINGLE(REVOKED("A0{0A0101}"), WEEK)),
    RESPONSE("reason", LINT_PASS, SINGLE(REVOKED(""), WEEK)),
    RESPONSE("reason", LINT_ERROR, SINGLE(REVOKED("A0{0A0100}"), WEEK)),
    RESPONSE("reason", LINT_ERROR, SINGLE(REVOKED("A0{0A0106}"), WEEK)),
    RESPONSE("reason", LINT_ERROR, SINGLE(REVOKED("A0{0A0108}"), WEEK)),
    RESPONSE("ca_reason", LINT_NA, SINGLE(REVOKED(""), WEEK)),
    OF(LINT_ROLE_SUB_CA, "ca_reason", LINT_ERROR, SINGLE(REVOKED(""), WEEK)),
    OF(LINT_ROLE_SUB_CA, "ca_reason", LINT_PASS, SINGLE(REVOKED("A0{0A0104}"), WEEK)),
    OF(LINT_ROLE_SUB_CA, "ca_reason", LINT_PASS, SINGLE(GOOD, WEEK)),
    RESPONSE("interval", LINT_NA, SINGLE(GOOD, UNTIL("20260601010000Z"))),
    OF(LINT_ROLE_SUBSCRIBER, "interval", LINT_PASS, SINGLE(GOOD, WEEK)),
    OF(LINT_ROLE_SUBSCRIBER, "interval", LINT_PASS, SINGLE(GOOD, UNTIL("20260601075959Z"))),
    OF(LINT_ROLE_SUBSCRIBER, "interval", LINT_ERROR, SINGLE(GOOD, UNTIL("20260601075958Z"))),
    OF(LINT_ROLE_SUBSCRIBER, "interval", LINT_PASS, SINGLE(GOOD, UNTIL("20260610235959Z"))),
    OF(LINT_ROLE_SUBSCRIBER, "interval", LINT_ERROR, SINGLE(GOOD, UNTIL("20260611000000Z"))),
    RESPONSE("signature_encoding", LINT_PASS, SINGLE(GOOD, WEEK)),
    RESPONSE("signature_encoding", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)0500}")),
    RESPONSE("signature_sha1", LINT_PASS, SINGLE(GOOD, WEEK)),
    RESPONSE("signature_sha1", LINT_ERROR, FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.5)0500}")),
};

#define MAIL(rule_, base_, role_, status_, ...)                                                         \
    {                                                                                                   \
        "lintel_smime_" rule_, base_, {__VA_ARGS__}, (status_), .role = (role_),                        \
                                                                .profile = LINT_PROFILE_SMIME_OV_STRICT \
    }
#define CA LINT_ROLE_SUB_CA
#define USER LINT_ROLE_SUBSCRIBER

static const struct forge_row mail[] = {
    ROW("lintel_smime_crl_next_update", LINT_NA, {0}),
    {"lintel_br_crl_next_update", "crl", {{0}}, LINT_NA, .profile = LINT_PROFILE_SMIME_OV_STRICT},
    MAIL("crl_next_update", "crl", USER, LINT_PASS, FORGE_FROM(START), FORGE_TO(START + 10 * DAY)),
    MAIL("crl_next_update", "crl", USER, LINT_ERROR, FORGE_FROM(START), FORGE_TO(START + 10 * DAY + 1)),
    MAIL("crl_next_update", "crl", CA, LINT_PASS, FORGE_FROM(START), FORGE_TO(START + 365 * DAY)),
    MAIL("crl_next_update", "crl", CA, LINT_ERROR, FORGE_FROM(START), FORGE_TO(START + 365 * DAY + 1)),
    MAIL("crl_next_update", "crl", LINT_ROLE_AUTO, LINT_ERROR, FORGE_EXT(IDP, true, "30{" POINT "8101FF}"),
         FORGE_FROM(START), FORGE_TO(START + 11 * DAY)),
    MAIL("crl_ca_reason", "crl", USER, LINT_NA, ENTRIES(NO_REASONS)),
    MAIL("crl_ca_reason", "crl", CA, LINT_ERROR, ENTRIES(NO_REASONS)),
    MAIL("crl_ca_reason", "crl", CA, LINT_PASS, ENTRIES(ENTRY(REASON("04")))),
    MAIL("crl_ca_reason", "crl", CA, LINT_ERROR, ENTRIES(ENTRY(REASON("06")))),
    MAIL("crl_ca_reason", "crl", LINT_ROLE_AUTO, LINT_ERROR, ENTRIES(NO_REASONS),
         FORGE_EXT(IDP, true, "30{" POINT "8201FF}")),
    MAIL("response_reason_extension", "response", USER, LINT_PASS, SINGLE(GOOD, WEEK)),
    MAIL("response_reason_extension", "response", USER, LINT_ERROR,
         SINGLE(GOOD, WEEK "A1{30{30{(2.5.29.21) 04{0A0101}}}}")),
    RESPONSE("reason", LINT_PASS, SINGLE(REVOKED("A0{0A0105}"), WEEK)),
    MAIL("response_reason", "response", USER, LINT_PASS, SINGLE(REVOKED("A0{0A0106}"), WEEK)),
    MAIL("response_reason", "response", CA, LINT_ERROR, SINGLE(REVOKED("A0{0A0106}"), WEEK)),
    MAIL("response_reason", "response", CA, LINT_PASS, SINGLE(REVOKED("A0{0A0102}"), WEEK)),
    MAIL("response_reason", "response", USER, LINT_ERROR, SINGLE(REVOKED("A0{0A0100}"), WEEK)),
    MAIL("response_reason", "response", USER, LINT_ERROR, SINGLE(REVOKED("A0{0A0108}"), WEEK)),
    MAIL("response_ca_reason", "response", USER, LINT_NA, SINGLE(REVOKED(""), WEEK)),
    MAIL("response_ca_reason", "response", CA, LINT_ERROR, SINGLE(REVOKED(""), WEEK)),
    MAIL("response_ca_reason", "response", CA, LINT_PASS, SINGLE(REVOKED("A0{0A0104}"), WEEK)),
    MAIL("responder", "ocsp", LINT_ROLE_OCSP_RESPONDER, LINT_PASS, {0}),
    MAIL("responder", "ocsp", LINT_ROLE_AUTO, LINT_ERROR, FORGE_CUT("1.3.6.1.5.5.7.48.1.5")),
    MAIL("responder", "ocsp", LINT_ROLE_OCSP_RESPONDER, LINT_ERROR, FORGE_CUT("2.5.29.37")),
    {"lintel_smime_responder", "ocsp", {FORGE_CUT("1.3.6.1.5.5.7.48.1.5")}, LINT_NA},
    MAIL("response_interval", "response", CA, LINT_NA, SINGLE(GOOD, UNTIL("20260601010000Z"))),
    MAIL("response_interval", "response", USER, LINT_PASS, SINGLE(GOOD, UNTIL("20260601075959Z"))),
    MAIL("response_interval", "response", USER, LINT_ERROR, SINGLE(GOOD, UNTIL("20260601075958Z"))),
    MAIL("response_interval", "response", USER, LINT_ERROR, SINGLE(GOOD, UNTIL("20260611000000Z"))),
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
TABLE(responses)
TABLE(mail)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_rows),     cmocka_unit_test(extensions_rows), cmocka_unit_test(entries_rows),
        cmocka_unit_test(responses_rows), cmocka_unit_test(mail_rows),
    };
    return cmocka_run_group_tests_name("br crl", tests, NULL, NULL);
}
