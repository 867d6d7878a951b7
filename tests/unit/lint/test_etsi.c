/* Our rules of ETSI's profiles: for each a certificate that breaks it, and one that does not. */
#include "forge.h"

#define PRINTABLE DER_PRINTABLE_STRING
#define UTF8 DER_UTF8_STRING
#define QC "1.3.6.1.5.5.7.1.3"
#define COMPLIANCE "30{(0.4.0.1862.1.1)}"
#define STATEMENTS(...) FORGE_EXT(QC, false, "30{" __VA_ARGS__ "}")
#define QC_TYPE(n_) "30{(0.4.0.1862.1.6) 30{(0.4.0.1862.1.6." #n_ ")}}"
#define SSCD "30{(0.4.0.1862.1.4)}"
#define PDS(url_, language_) "30{(0.4.0.1862.1.5) 30{30{16{'" url_ "'} 13{'" language_ "'}}}}"
#define LIMIT(currency_, amount_) "30{(0.4.0.1862.1.2) 30{" currency_ " " amount_ " 020100}}"
#define PSD2(role_, name_, authority_, id_)                                                                \
    "30{(0.4.0.19495.2) 30{30{30{(0.4.0.19495.1." #role_ ") 0C{'" name_ "'}}} 0C{" authority_ "} 0C{'" id_ \
    "'}}}"
#define SEMANTICS(n_, more_) "30{(1.3.6.1.5.5.7.11.2) 30{(0.4.0.194121.1." #n_ ") " more_ "}}"
#define QUALIFIED(n_) FORGE_EXT("2.5.29.32", false, "30{30{(0.4.0.194112.1." #n_ ")}}")
#define NCP FORGE_EXT("2.5.29.32", false, "30{30{(0.4.0.2042.1.1)}}")
#define LAND                       \
    {                              \
        "2.5.4.6", PRINTABLE, "DE" \
    }
#define COMPANY                          \
    {                                    \
        "2.5.4.10", UTF8, "Example GmbH" \
    }
#define NAME                               \
    {                                      \
        "2.5.4.3", UTF8, "www.example.com" \
    }
#define NUMBER                      \
    {                               \
        "2.5.4.97", UTF8, "NTRDE-1" \
    }
#define PERSON                   \
    {"2.5.4.4", UTF8, "Doe"},    \
    {                            \
        "2.5.4.42", UTF8, "Jane" \
    }
#define ISSUER FORGE_ISSUED_BY(LAND, COMPANY, {"2.5.4.3", UTF8, "CA"})

static const struct forge_row statements[] = {
    {"lintel_etsi_statements", "dv", {{0}}, LINT_NA},
    {"lintel_etsi_statements", "dv", {STATEMENTS(COMPLIANCE SSCD QC_TYPE(3))}, LINT_PASS},
    {"lintel_etsi_statements", "dv", {STATEMENTS("30{(0.4.0.1862.1.1) 0500}")}, LINT_ERROR},
    {"lintel_etsi_statements", "dv", {STATEMENTS("30{(0.4.0.1862.1.3) 0C{'x'}}")}, LINT_ERROR},
    {"lintel_etsi_statements", "dv", {STATEMENTS("30{(0.4.0.1862.1.6) 0500}")}, LINT_ERROR},
    {"lintel_etsi_statements", "dv", {STATEMENTS("30{(0.4.0.19495.2) 0500}")}, LINT_ERROR},
    {"lintel_etsi_statements", "dv", {STATEMENTS("020101")}, LINT_ERROR},
    {"lintel_etsi_legislation", "dv", {STATEMENTS("30{(0.4.0.1862.1.7) 30{13{'CH'}}}")}, LINT_PASS},
    {"lintel_etsi_legislation", "dv", {STATEMENTS("30{(0.4.0.1862.1.7) 30{13{'ZZ'}}}")}, LINT_ERROR},
    {"lintel_etsi_legislation", "dv", {STATEMENTS("30{(0.4.0.1862.1.7) 30{}}")}, LINT_ERROR},
    {"lintel_etsi_retention", "dv", {STATEMENTS("30{(0.4.0.1862.1.3) 020107}")}, LINT_PASS},
    {"lintel_etsi_retention", "dv", {STATEMENTS("30{(0.4.0.1862.1.3) 020100}")}, LINT_ERROR},
    {"lintel_etsi_retention", "dv", {STATEMENTS("30{(0.4.0.1862.1.3) 0201FF}")}, LINT_ERROR},
    {"lintel_etsi_disclosure", "dv", {STATEMENTS(PDS("https://a.example/", "en"))}, LINT_PASS},
    {"lintel_etsi_disclosure", "dv", {STATEMENTS(PDS("http://a.example/", "en"))}, LINT_ERROR},
    {"lintel_etsi_disclosure", "dv", {STATEMENTS(PDS("https://a.example/", "xx"))}, LINT_ERROR},
    {"lintel_etsi_disclosure", "dv", {STATEMENTS(PDS("https://a.example/", "eng"))}, LINT_ERROR},
    {"lintel_etsi_limit", "dv", {STATEMENTS(LIMIT("13{'EUR'}", "020164"))}, LINT_PASS},
    {"lintel_etsi_limit", "dv", {STATEMENTS(LIMIT("13{'XXX'}", "020164"))}, LINT_ERROR},
    {"lintel_etsi_limit", "dv", {STATEMENTS(LIMIT("13{'EUR'}", "0201FF"))}, LINT_ERROR},
    {"lintel_etsi_limit", "dv", {STATEMENTS(LIMIT("020203D2", "020164"))}, LINT_WARN},
    {"lintel_etsi_website", "dv", {STATEMENTS(SSCD)}, LINT_NA},
    {"lintel_etsi_website", "dv", {STATEMENTS(COMPLIANCE QC_TYPE(3))}, LINT_PASS},
    {"lintel_etsi_website", "dv", {STATEMENTS(COMPLIANCE)}, LINT_ERROR},
    {"lintel_etsi_website", "dv", {STATEMENTS(COMPLIANCE SSCD QC_TYPE(3))}, LINT_ERROR},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(2), STATEMENTS(COMPLIANCE SSCD QC_TYPE(1))}, LINT_PASS},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(2), STATEMENTS(COMPLIANCE QC_TYPE(1))}, LINT_ERROR},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(0), STATEMENTS(COMPLIANCE QC_TYPE(1))}, LINT_PASS},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(0), STATEMENTS(COMPLIANCE QC_TYPE(2))}, LINT_ERROR},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(1), STATEMENTS(COMPLIANCE QC_TYPE(2))}, LINT_PASS},
    {"lintel_etsi_signature", "smivs", {QUALIFIED(1)}, LINT_ERROR},
};

static const struct forge_row psd2[] = {
    {"lintel_etsi_psd2_roles", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "DE-BAFIN"))}, LINT_PASS},
    {"lintel_etsi_psd2_roles", "ev", {STATEMENTS(PSD2(3, "PSP_AI", "'BaFin'", "DE-BAFIN"))}, LINT_PASS},
    {"lintel_etsi_psd2_roles", "ev", {STATEMENTS(PSD2(2, "PSP_AS", "'BaFin'", "DE-BAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_roles", "ev", {STATEMENTS(PSD2(9, "PSP_AS", "'BaFin'", "DE-BAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_roles",
     "ev",
     {STATEMENTS("30{(0.4.0.19495.2) 30{30{} 0C{'BaFin'} 0C{'DE-BAFIN'}}}")},
     LINT_ERROR},
    {"lintel_etsi_psd2_authority", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "DE-BAFIN"))}, LINT_PASS},
    {"lintel_etsi_psd2_authority", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "ZZ-BAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_authority", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "DE-BaFin"))}, LINT_ERROR},
    {"lintel_etsi_psd2_authority", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "DEBAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_authority", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "C3A4", "DE-BAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_org_id", "ev", {{0}}, LINT_NA},
    {"lintel_etsi_psd2_org_id", "ev", {STATEMENTS(PSD2(1, "PSP_AS", "'BaFin'", "DE-BAFIN"))}, LINT_ERROR},
    {"lintel_etsi_psd2_org_id",
     "ev",
     {STATEMENTS(PSD2(1, "PSP_AS", "'B'", "DE-BAFIN")), FORGE_SUBJECT({"2.5.4.97", UTF8, "PSDDE-BAFIN-1"})},
     LINT_PASS},
    {"lintel_etsi_psd2_org_id",
     "ev",
     {STATEMENTS(PSD2(1, "PSP_AS", "'B'", "DE-BAFIN")), FORGE_SUBJECT({"2.5.4.97", UTF8, "PSDDE-1"})},
     LINT_ERROR},
    {"lintel_etsi_psd2_policy", "ev", {{0}}, LINT_PASS},
    {"lintel_etsi_psd2_policy",
     "ev",
     {FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.1)} 30{(0.4.0.19495.3.1)}}")},
     LINT_ERROR},
    {"lintel_etsi_psd2_policy",
     "ev",
     {FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.1)} 30{(0.4.0.19495.3.1)}}"),
      STATEMENTS(PSD2(1, "PSP_AS", "'B'", "DE-BAFIN"))},
     LINT_PASS},
};

#define WITH_ID(semantics_, more_, ...) \
    STATEMENTS(COMPLIANCE SEMANTICS(semantics_, more_)), FORGE_SUBJECT(LAND, COMPANY, NAME, __VA_ARGS__)
#define REGISTER "30{86{'https://a.example'}}"

static const struct forge_row identifiers[] = {
    {"lintel_etsi_legal_id", "dv", {FORGE_SUBJECT(NUMBER)}, LINT_NA},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", NUMBER)}, LINT_PASS},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "VATEL-1"})}, LINT_PASS},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "AB:DE-1"})}, LINT_PASS},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "TAXDE-1"})}, LINT_ERROR},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "NTRZZ-1"})}, LINT_ERROR},
    {"lintel_etsi_legal_id", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "NTRDE"})}, LINT_ERROR},
    {"lintel_etsi_natural_id", "dv", {WITH_ID(1, "", {"2.5.4.5", PRINTABLE, "PNODE-1"})}, LINT_PASS},
    {"lintel_etsi_natural_id", "dv", {WITH_ID(1, "", {"2.5.4.5", PRINTABLE, "XXXDE-1"})}, LINT_ERROR},
    {"lintel_etsi_natural_id", "dv", {WITH_ID(1, "", {"2.5.4.5", PRINTABLE, "PNOZZ-1"})}, LINT_ERROR},
    {"lintel_etsi_natural_id", "dv", {WITH_ID(1, "", {"2.5.4.5", PRINTABLE, "1"})}, LINT_ERROR},
    {"lintel_etsi_registration", "dv", {WITH_ID(2, "", NUMBER)}, LINT_PASS},
    {"lintel_etsi_registration", "dv", {WITH_ID(2, REGISTER, {"2.5.4.97", UTF8, "AB:DE-1"})}, LINT_PASS},
    {"lintel_etsi_registration", "dv", {WITH_ID(2, "", {"2.5.4.97", UTF8, "AB:DE-1"})}, LINT_ERROR},
    {"lintel_etsi_registration",
     "dv",
     {WITH_ID(1, "30{82{'a'}}", {"2.5.4.5", PRINTABLE, "AB:DE-1"})},
     LINT_ERROR},
    {"lintel_etsi_eidas_natural", "dv", {WITH_ID(3, "", {"2.5.4.5", PRINTABLE, "ES/AT/1"})}, LINT_PASS},
    {"lintel_etsi_eidas_natural", "dv", {WITH_ID(3, "", {"2.5.4.5", PRINTABLE, "ES-AT-1"})}, LINT_ERROR},
    {"lintel_etsi_eidas_natural", "dv", {WITH_ID(3, "", {"2.5.4.5", PRINTABLE, "ZZ/AT/1"})}, LINT_ERROR},
    {"lintel_etsi_eidas_legal", "dv", {WITH_ID(4, "", {"2.5.4.97", UTF8, "ES/AT/1"})}, LINT_PASS},
    {"lintel_etsi_eidas_legal", "dv", {WITH_ID(4, "", {"2.5.4.97", UTF8, "ES/AT 1"})}, LINT_ERROR},
};

static const struct forge_row profiles[] = {
    {"lintel_etsi_natural_subject", "smivs", {NCP, FORGE_SUBJECT(LAND, PERSON, NAME)}, LINT_PASS},
    {"lintel_etsi_natural_subject", "smivs", {NCP, FORGE_SUBJECT(PERSON, NAME)}, LINT_ERROR},
    {"lintel_etsi_natural_subject", "smivs", {NCP, FORGE_SUBJECT(LAND, LAND, PERSON, NAME)}, LINT_ERROR},
    {"lintel_etsi_natural_subject",
     "smivs",
     {NCP, FORGE_SUBJECT(LAND, PERSON, {"2.5.4.65", UTF8, "Fox"}, NAME)},
     LINT_ERROR},
    {"lintel_etsi_legal_subject", "smovs", {{0}}, LINT_NA},
    {"lintel_etsi_legal_subject", "smovs", {NCP, FORGE_SUBJECT(LAND, COMPANY, NUMBER, NAME)}, LINT_PASS},
    {"lintel_etsi_legal_subject", "smovs", {NCP, FORGE_SUBJECT(LAND, COMPANY, NAME)}, LINT_ERROR},
    {"lintel_etsi_issuer_name", "smovs", {NCP, ISSUER}, LINT_PASS},
    {"lintel_etsi_issuer_name", "smovs", {NCP, FORGE_ISSUED_BY(COMPANY)}, LINT_ERROR},
    {"lintel_etsi_org_id_differs", "smovs", {NCP}, LINT_PASS},
    {"lintel_etsi_org_id_differs",
     "smovs",
     {NCP, FORGE_SUBJECT(COMPANY, {"2.5.4.97", UTF8, "EXAMPLE GMBH"})},
     LINT_ERROR},
    {"lintel_etsi_extensions", "smovs", {NCP}, LINT_PASS},
    {"lintel_etsi_extensions", "smovs", {NCP, FORGE_CUT("1.3.6.1.5.5.7.1.1")}, LINT_ERROR},
    {"lintel_etsi_extensions", "smovs", {NCP, FORGE_EXT("2.5.29.54", true, "020100")}, LINT_ERROR},
    {"lintel_etsi_criticality", "smovs", {NCP}, LINT_PASS},
    {"lintel_etsi_criticality", "smovs", {NCP, FORGE_CRITICAL("2.5.29.17", true)}, LINT_ERROR},
    {"lintel_etsi_locations", "smovs", {NCP}, LINT_PASS},
    {"lintel_etsi_locations", "smovs", {NCP, FORGE_CUT("2.5.29.31")}, LINT_ERROR},
    {"lintel_etsi_locations",
     "smovs",
     {NCP, FORGE_EXT("1.3.6.1.5.5.7.1.1", false, "30{30{(1.3.6.1.5.5.7.48.1) 86{'http://a.example'}}}")},
     LINT_ERROR},
    {"lintel_etsi_crl_points", "smovs", {NCP}, LINT_PASS},
    {"lintel_etsi_crl_points",
     "smovs",
     {NCP, FORGE_EXT("2.5.29.31", false, "30{30{A0{A0{86{'https://a.example'}}}}}")},
     LINT_ERROR},
    {"lintel_etsi_policies", "smivs", {QUALIFIED(0)}, LINT_PASS},
    {"lintel_etsi_policies", "smovs", {QUALIFIED(0)}, LINT_ERROR},
    {"lintel_etsi_policies", "smivs", {QUALIFIED(5)}, LINT_ERROR},
    {"lintel_etsi_policies", "dv", {QUALIFIED(6)}, LINT_PASS},
    {"lintel_etsi_policies",
     "dv",
     {FORGE_EXT("2.5.29.32", false, "30{30{(0.4.0.194112.1.5)} 30{(0.4.0.194112.1.6)}}")},
     LINT_ERROR},
    {"lintel_etsi_website_policy", "dv", {QUALIFIED(6)}, LINT_PASS},
    {"lintel_etsi_website_policy", "dv", {QUALIFIED(4)}, LINT_ERROR},
    {"lintel_etsi_website_policy",
     "ev",
     {FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.1)} 30{(0.4.0.194112.1.4)}}")},
     LINT_PASS},
    {"lintel_etsi_commitment", "smivs", {QUALIFIED(0), FORGE_EXT("2.5.29.15", true, "03020640")}, LINT_PASS},
    {"lintel_etsi_commitment", "smivs", {QUALIFIED(0)}, LINT_ERROR},
    {"lintel_etsi_policies_411_1", "ev", {{0}}, LINT_PASS},
    {"lintel_etsi_policies_411_1",
     "ev",
     {FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.1)} 30{(0.4.0.2042.1.4)}}")},
     LINT_PASS},
    {"lintel_etsi_policies_411_1",
     "ev",
     {FORGE_EXT("2.5.29.32", false, "30{30{(2.23.140.1.1)} 30{(0.4.0.2042.1.7)}}")},
     LINT_ERROR},
    {"lintel_etsi_website_names", "dv", {NCP, FORGE_SUBJECT(NAME)}, LINT_PASS},
    {"lintel_etsi_website_names", "dv", {NCP, FORGE_SUBJECT({"2.5.4.3", UTF8, "a.example"})}, LINT_ERROR},
    {"lintel_etsi_website_names", "dv", {NCP, FORGE_CUT("2.5.29.17")}, LINT_ERROR},
};

static void in_statements(void **unused)
{
    (void)unused;
    forge_rows(statements, LT_COUNT(statements));
}
static void in_psd2(void **unused)
{
    (void)unused;
    forge_rows(psd2, LT_COUNT(psd2));
}
static void in_identifiers(void **unused)
{
    (void)unused;
    forge_rows(identifiers, LT_COUNT(identifiers));
}
static void in_profiles(void **unused)
{
    (void)unused;
    forge_rows(profiles, LT_COUNT(profiles));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_statements),
        cmocka_unit_test(in_psd2),
        cmocka_unit_test(in_identifiers),
        cmocka_unit_test(in_profiles),
    };
    return cmocka_run_group_tests_name("lint/etsi", tests, NULL, NULL);
}
