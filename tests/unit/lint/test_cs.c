/* Our rules of code signing certificates: for each a certificate that breaks it, and one that does not. */
#include "forge.h"

#define POLICY FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.4.1)}}")
#define EV_POLICY FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.3)}}")
#define PURPOSE FORGE_EXT("2.5.29.37", false, "30{(1.3.6.1.5.5.7.3.3)}")
#define RSA(bytes_) "30{30{(1.2.840.113549.1.1.1) 0500} 03{00 30{02{00[" #bytes_ "]81} 0203010001}}}"

static const struct forge_row rows[] = {
    {"lintel_cs_serial", "ov", {{0}}, LINT_NA},
    {"lintel_cs_serial", "ov", {POLICY}, LINT_PASS},
    {"lintel_cs_serial", "ov", {POLICY, FORGE_PUT(FORGE_SERIAL, "020105")}, LINT_ERROR},
    {"lintel_cs_no_ca", "ov", {POLICY, FORGE_EXT("2.5.29.19", true, "30{}")}, LINT_PASS},
    {"lintel_cs_no_ca", "ov", {POLICY, FORGE_EXT("2.5.29.19", true, "30{0101FF}")}, LINT_ERROR},
    {"lintel_cs_no_ca", "subnontls", {POLICY}, LINT_PASS},
    {"lintel_cs_ca_key", "subnontls", {POLICY}, LINT_NA},
    {"lintel_cs_ca_key", "subnontls", {POLICY, FORGE_PUT(FORGE_SPKI, RSA(512))}, LINT_PASS},
    {"lintel_cs_ca_key", "subnontls", {POLICY, FORGE_PUT(FORGE_SPKI, RSA(384))}, LINT_ERROR},
    {"lintel_cs_purposes", "ov", {POLICY, PURPOSE}, LINT_PASS},
    {"lintel_cs_purposes", "ov", {POLICY}, LINT_WARN},
    {"lintel_cs_ev_subject", "ov", {POLICY}, LINT_NA},
    {"lintel_cs_ev_subject", "ov", {EV_POLICY}, LINT_ERROR},
    {"lintel_cs_ev_subject", "ev", {EV_POLICY}, LINT_PASS},
};

static void rules(void **unused)
{
    (void)unused;
    forge_rows(rows, LT_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};
    return cmocka_run_group_tests_name("lint/cs", tests, NULL, NULL);
}
