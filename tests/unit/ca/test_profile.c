/* Profiles: those that are shipped say what they should, and what a rule forbids is refused. */
#include "check.h"

#include "base/clock.h"
#include "ca/limits.h"
#include "ca/profile.h"

#define TODAY "2026-11-22T12:00:00Z"

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static struct ca_profiles shipped;

static int load(void **state)
{
    (void)state;
    return lt_failed(ca_profiles_load(DATA_DIR, at(TODAY), &shipped)) ? -1 : 0;
}

static int unload(void **state)
{
    (void)state;
    ca_profiles_done(&shipped);
    return 0;
}

static const struct ca_profile *find(const char *name)
{
    const struct ca_profile *p = ca_profiles_find(&shipped, lt_slice_cstr(name));
    assert_non_null(p);
    return p;
}

static void tls_server(void **state)
{
    (void)state;
    const struct ca_profile *p = find("tls-server");
    assert_int_equal(p->kind, CA_PROFILE_SUBSCRIBER);
    assert_true(!p->public_trust && ca_profile_by_tls_br(p) && p->crl_distribution && p->issuer_url &&
                !p->subject_key_id);
    assert_string_equal(p->issuer, "tls");
    assert_int_equal(p->validity_default_s, 90 * 86400);
    assert_int_equal(p->keys, CA_KEY_RSA | CA_KEY_P256 | CA_KEY_P384 | CA_KEY_P521);
    assert_int_equal(ca_profile_key_usage(p, X509_KEY_P256), X509_KU_DIGITAL_SIGNATURE);
    assert_int_equal(ca_profile_key_usage(p, X509_KEY_RSA),
                     X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT);
    assert_int_equal(p->eku_count, 1);
    assert_int_equal(p->eku[0], X509_OID_SERVER_AUTH);
    assert_int_equal(p->policy_count, 1);
    assert_int_equal(x509_oid_find(p->policies[0]), X509_OID_POLICY_DV);
    assert_int_equal(p->names, CA_NAME_DNS | CA_NAME_WILDCARD | CA_NAME_IP);
    assert_int_equal(p->path_length, -1);
    assert_int_equal(p->subject, CA_SUBJECT_EMPTY);
    assert_int_equal(ca_profile_validity_max(p, at(TODAY)), 200 * 86400);
    assert_int_equal(ca_profile_validity_max(p, at("2027-03-15T00:00:00Z")), 100 * 86400);
    assert_int_equal(ca_profile_validity_max(p, at("2029-03-15T00:00:00Z")), 47 * 86400);
    assert_false(ca_profile_short_lived(p, p->validity_default_s, at(TODAY)));
}

/* The words of profiles are the linter's own; what is shipped says which it means. */
static void lint_profiles(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum lint_profile profile;
    } rows[] = {
        {"tls-server", LINT_PROFILE_TLS_DV},   {"tls-server-short", LINT_PROFILE_TLS_DV},
        {"service", LINT_PROFILE_PRIVATE},     {"ca-root", LINT_PROFILE_TLS},
        {"ca-tls", LINT_PROFILE_TLS},          {"ca-smime", LINT_PROFILE_SMIME},
        {"ca-workload", LINT_PROFILE_PRIVATE},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(find(rows[i].name)->lint_profile, rows[i].profile);
    }
    for (unsigned p = LINT_PROFILE_PRIVATE; p < LINT_PROFILE_COUNT; p++) {
        char yaml[1024];
        struct ca_profile *made = NULL;
        (void)snprintf(
            yaml, sizeof(yaml),
            "name: x\ndescription: x\nkind: service\nissuer: workload\nlint-profile: %s\n"
            "validity: {default: 1d, max: 1d}\nkeys: {types: [p256]}\nkey-usage: [digitalSignature]\n"
            "extended-key-usage: [serverAuth]\nsubject: empty\nnames: {types: [dns]}\n",
            lint_profile_name((enum lint_profile)p));
        assert_ok(ca_profile_parse("profiles/x.yaml", lt_slice_cstr(yaml), at(TODAY), &made));
        assert_int_equal(made->lint_profile, p);
        ca_profile_free(made);
    }
    assert_true((ca_lint_sources(LINT_PROFILE_PRIVATE) & 1U << LINT_CABF_BR) == 0);
    assert_true((ca_lint_sources(LINT_PROFILE_PRIVATE) & 1U << LINT_RFC5280) != 0);
    assert_int_equal(ca_lint_sources(LINT_PROFILE_TLS_DV), LINT_SOURCES_ALL);
}

static void contradictions(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *lint;
        const char *policies;
        bool contradicts;
    } rows[] = {
        {"subscriber", "tls-dv", "2.23.140.1.2.1", false},
        {"subscriber", "tls-dv", "2.23.140.1.2.1, 1.3.6.1.4.1.99999.1", false},
        {"subscriber", "tls-dv", "2.23.140.1.2.2", true},
        {"subscriber", "tls-dv", "2.23.140.1.2.1, 2.5.29.32.0", true},
        {"subscriber", "tls-dv", "2.23.140.1.2.1, 2.23.140.1.5.1.3", true},
        {"subscriber", "tls-ov", "2.23.140.1.2.2", false},
        {"subscriber", "tls-ov", "1.3.6.1.4.1.99999.1", true},
        {"subscriber", "tls", "2.23.140.1.2.2", false},
        {"subscriber", "tls", "2.5.29.32.0", true},
        {"subscriber", "smime-mv-strict", "2.23.140.1.5.1.3", false},
        {"subscriber", "smime-mv-strict", "2.23.140.1.5.1.2", true},
        {"service", "private", "2.23.140.1.2.2, 2.5.29.32.0", false},
        {"service", "tls-dv", "1.3.6.1.4.1.99999.1", true},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char yaml[1024];
        struct ca_profile *made = NULL;
        (void)snprintf(
            yaml, sizeof(yaml),
            "name: x\ndescription: x\nkind: %s\nissuer: workload\nlint-profile: %s\npolicies: [%s]\n"
            "validity: {default: 1d, max: 1d}\nkeys: {types: [p256]}\nkey-usage: [digitalSignature]\n"
            "extended-key-usage: [serverAuth]\nsubject: empty\nnames: {types: [dns]}\n",
            rows[i].kind, rows[i].lint, rows[i].policies);
        assert_ok(ca_profile_parse("profiles/x.yaml", lt_slice_cstr(yaml), at(TODAY), &made));
        if ((ca_profile_contradiction(made) != NULL) != rows[i].contradicts) {
            fail_msg("%s with %s", rows[i].lint, rows[i].policies);
        }
        ca_profile_free(made);
    }
    for (size_t i = 0; i < shipped.count; i++) {
        assert_null(ca_profile_contradiction(shipped.rows[i]));
    }
}

static void others(void **state)
{
    (void)state;
    const struct ca_profile *p = find("tls-server-short");
    assert_int_equal(ca_profile_validity_max(p, at(TODAY)), 604800);
    assert_true(!p->crl_distribution && ca_profile_short_lived(p, 604800, at(TODAY)));
    assert_false(ca_profile_short_lived(p, 604801, at(TODAY)));
    p = find("service");
    assert_int_equal(p->kind, CA_PROFILE_SERVICE);
    assert_true((p->names & CA_NAME_LOCAL) != 0 && !p->public_trust);
    p = find("ca-root");
    assert_true(p->kind == CA_PROFILE_CA && p->path_length == -1 && p->eku_count == 0 &&
                p->policy_count == 0);
    static const struct {
        const char *name;
        enum x509_oid eku;
    } cas[] = {{"ca-tls", X509_OID_SERVER_AUTH},
               {"ca-smime", X509_OID_EMAIL_PROTECTION},
               {"ca-workload", X509_OID_SERVER_AUTH},
               {"ca-document", X509_OID_DOCUMENT_SIGNING}};
    for (size_t i = 0; i < LT_COUNT(cas); i++) {
        p = find(cas[i].name);
        assert_true(p->kind == CA_PROFILE_CA && p->path_length == 0 && p->eku[0] == cas[i].eku);
        assert_int_equal(p->key_usage, X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN);
        assert_true(p->crl_distribution && p->subject_key_id);
    }
    assert_null(ca_profiles_find(&shipped, LT_LIT("nothing")));
}

/* A whole profile, with one line replaced or added. */
static lt_res parse_with(const char *replaced, const char *with)
{
    static const char *const lines[] = {
        "name: x",
        "description: X",
        "kind: subscriber",
        "issuer: tls",
        "public: true",
        "validity: {default: 90d, max: 200d, backdate: 1h}",
        "keys: {types: [rsa, p256]}",
        "key-usage: [digitalSignature]",
        "extended-key-usage: [serverAuth]",
        "policies: [2.23.140.1.2.1]",
        "include: {crl-distribution-point: true}",
        "subject: empty",
        "names: {types: [dns]}",
    };
    char text[2000] = "";
    size_t len = 0;
    bool found = replaced == NULL;
    for (size_t i = 0; i < LT_COUNT(lines); i++) {
        bool hit = replaced != NULL && strncmp(lines[i], replaced, strlen(replaced)) == 0;
        found = found || hit;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", hit ? with : lines[i]);
    }
    if (replaced == NULL && with != NULL) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", with);
    }
    assert_true(found);
    struct ca_profile *p = NULL;
    lt_res r = ca_profile_parse("profiles/x.yaml", LT_SLICE(text, len), at(TODAY), &p);
    if (!lt_failed(r)) {
        ca_profile_free(p);
    }
    return r;
}

/* The one that is shipped, with one line replaced. */
static void responders(void **state)
{
    (void)state;
    const struct ca_profile *p = find("ocsp-tls");
    assert_true(p->kind == CA_PROFILE_RESPONDER && p->eku_count == 1 && p->eku[0] == X509_OID_OCSP_SIGNING);
    assert_true(p->names == 0 && !p->crl_distribution && !p->issuer_url && !p->ocsp_url && p->subject_key_id);
    assert_null(ca_profile_contradiction(p));
    static const struct {
        const char *line;
        bool good;
    } rows[] = {
        {"description: the same", true},
        {"public: true", true},
        {"key-usage: [digitalSignature, keyEncipherment]", false},
        {"extended-key-usage: [OCSPSigning, serverAuth]", false},
        {"extended-key-usage: [serverAuth]", false},
        {"keys: {types: [rsa]}", false},
        {"issuer: root", false},
        {"subject: empty", false},
        {"include: {crl-distribution-point: true}", false},
        {"include: {ocsp-url: true}", false},
    };
    static const char *const lines[] = {"name: x",
                                        "description: X",
                                        "kind: responder",
                                        "issuer: tls",
                                        "public: false",
                                        "validity: {default: 30d, max: 30d}",
                                        "keys: {types: [p256]}",
                                        "key-usage: [digitalSignature]",
                                        "extended-key-usage: [OCSPSigning]",
                                        "include: {subject-key-identifier: true}",
                                        "subject: fixed"};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char text[1000] = "";
        size_t len = 0;
        for (size_t k = 0; k < LT_COUNT(lines); k++) {
            size_t word = strcspn(lines[k], ":") + 1;
            bool hit = strncmp(lines[k], rows[i].line, word) == 0;
            len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", hit ? rows[i].line : lines[k]);
        }
        struct ca_profile *made = NULL;
        lt_res r = ca_profile_parse("profiles/x.yaml", LT_SLICE(text, len), at(TODAY), &made);
        if (lt_failed(r) == rows[i].good) {
            print_error("%s: %s\n", rows[i].line, lt_failed(r) ? lt_error_last()->detail : "taken");
        }
        assert_int_equal(!lt_failed(r), rows[i].good);
        ca_profile_free(made);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *replaced;
        const char *with;
    } rows[] = {
        {"name", "name: y"},
        {"kind", "kind: root"},
        {"issuer", "issuer: root"},
        {"validity", "validity: {default: 201d, max: 200d}"},
        {"validity", "validity: {default: 90d, max: 4000d}"},
        {"validity", "validity: {default: 90d, max: 200d, backdate: 3d}"},
        {"validity", "validity: {default: 90, max: 200d}"},
        {"validity", "validity: {max: 200d}"},
        {"keys", "keys: {types: []}"},
        {"keys", "keys: {types: [ed25519]}"},
        {"keys", "keys: {types: [dsa]}"},
        {"keys", "keys: {types: [rsa], rsa-min-bits: 1024}"},
        {"keys", "keys: {types: [rsa], rsa-max-bits: 16384}"},
        {"keys", "keys: {types: [rsa], rsa-min-bits: 4096, rsa-max-bits: 2048}"},
        {"key-usage", "key-usage: [digitalSignature, keyCertSign]"},
        {"key-usage", "key-usage: [cRLSign]"},
        {"key-usage", "key-usage: [certSign]"},
        {NULL, "key-usage-rsa: [keyCertSign]"},
        {"extended", "extended-key-usage: []"},
        {"extended", "extended-key-usage: [clientAuth]"},
        {"extended", "extended-key-usage: [serverAuth, emailProtection]"},
        {"extended", "extended-key-usage: [serverAuth, nothing]"},
        {"extended", "extended-key-usage: [keyUsage]"},
        {"extended", "extended-key-usage: [serverAuth, OCSPSigning]"},
        {"kind", "kind: responder"},
        {"policies", "policies: [2.23.140.1.2.1, 2.23.140.1.2.2]"},
        {"policies", "policies: [1.3.6.1.4.1.311]"},
        {"policies", "policies: [2.23.140.1.2.x]"},
        {"policies", "policies: []"},
        {"include", "include: {crl-distribution-point: false}"},
        {"include", "include: {everything: true}"},
        {"subject", "subject: fixed"},
        {"subject", "subject: anything"},
        {"names", "names: {types: []}"},
        {"names", "names: {types: [wildcard]}"},
        {"names", "names: {types: [dns, local]}"},
        {"names", "names: {types: [dns], max: 0}"},
        {"names", "names: {types: [dns], max: 101}"},
        {NULL, "path-length: 0"},
        {NULL, "name-constraints: {permitted-dns: [example.com]}"},
        {NULL, "ca: true"},
        {NULL, "name: x"},
    };
    assert_ok(parse_with(NULL, NULL));
    assert_ok(parse_with(NULL, "key-usage-rsa: [digitalSignature, keyEncipherment]"));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = parse_with(rows[i].replaced, rows[i].with);
        if (!lt_failed(r)) {
            fail_msg("accepted: %s", rows[i].with);
        }
        assert_int_equal(r.code, LT_PEER_USAGE);
        if (strncmp(lt_error_last()->detail, "profiles/x.yaml:", 16) != 0) {
            fail_msg("%s gave %s", rows[i].with, lt_error_last()->detail);
        }
    }
}

static void periods(void **state)
{
    (void)state;
    const struct ca_profile *p = find("tls-server");
    const lt_time none = {0};
    lt_time now = at(TODAY);
    const struct ca_period far = {none, at("2031-01-01T00:00:00Z")};
    struct ca_period got;
    now.us += 123456;
    assert_ok(ca_profile_period(p, now, (struct ca_period){none, none}, far, &got));
    assert_int_equal(got.not_before.us, at("2026-11-22T11:00:00Z").us);
    assert_int_equal(ca_validity_seconds(got.not_before, got.not_after), 90 * 86400);
    /* An issuer that ends sooner cuts it; one that has ended refuses. */
    assert_ok(ca_profile_period(p, now, (struct ca_period){none, none},
                                (struct ca_period){none, at("2026-12-01T00:00:00Z")}, &got));
    assert_int_equal(got.not_after.us, at("2026-12-01T00:00:00Z").us);
    assert_fails(ca_profile_period(p, now, (struct ca_period){none, none},
                                   (struct ca_period){none, at("2026-11-22T11:59:59Z")}, &got),
                 LT_POLICY_REFUSED);
    /* An issuer of this very moment: the leaf does not begin before it. */
    const struct ca_period young = {at("2026-11-22T11:59:30Z"), far.not_after};
    assert_ok(ca_profile_period(p, now, (struct ca_period){none, none}, young, &got));
    assert_int_equal(got.not_before.us, young.not_before.us);
    assert_int_equal(ca_validity_seconds(got.not_before, got.not_after), 90 * 86400);
    /* What was asked for, to the second: 200 days are fine, one second more is not. */
    lt_time begin = at(TODAY);
    lt_time last = ca_validity_end(begin, 200 * 86400);
    assert_ok(ca_profile_period(p, now, (struct ca_period){begin, last}, far, &got));
    assert_int_equal(ca_validity_seconds(got.not_before, got.not_after), 200 * 86400);
    static const struct {
        const char *begin;
        const char *end;
    } bad[] = {
        {"2026-11-22T12:00:00Z", "2027-06-10T12:00:00Z"}, /* 200 days and a second */
        {"2026-11-25T12:00:00Z", "2026-12-25T12:00:00Z"}, {"2026-11-19T12:00:00Z", "2026-12-25T12:00:00Z"},
        {"2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z"}, {"2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"},
        {"2026-11-22T12:00:00Z", "2099-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        const struct ca_period wanted = {at(bad[i].begin), at(bad[i].end)};
        assert_fails(ca_profile_period(p, now, wanted, far, &got), LT_POLICY_REFUSED);
    }
    /* By 2029 the written 90 days are too long, and 47 are issued. */
    assert_ok(ca_profile_period(p, at("2029-04-01T00:00:00Z"), (struct ca_period){none, none}, far, &got));
    assert_int_equal(ca_validity_seconds(got.not_before, got.not_after), 47 * 86400);
}

static void keys(void **state)
{
    (void)state;
    const struct ca_profile *p = find("tls-server");
    assert_ok(ca_profile_check_key(p, X509_KEY_RSA, 2048));
    assert_ok(ca_profile_check_key(p, X509_KEY_RSA, 8192));
    assert_ok(ca_profile_check_key(p, X509_KEY_P521, 521));
    assert_fails(ca_profile_check_key(p, X509_KEY_RSA, 2040), LT_POLICY_REFUSED);
    assert_fails(ca_profile_check_key(p, X509_KEY_RSA, 8200), LT_POLICY_REFUSED);
    assert_fails(ca_profile_check_key(p, X509_KEY_ED25519, 255), LT_POLICY_REFUSED);
    assert_fails(ca_profile_check_key(p, X509_KEY_UNKNOWN, 0), LT_POLICY_REFUSED);
}

/* What is shipped is private; the CAs' own profiles may say public, as no order is for them. */
static void none_public_in_a_test_ca(void **state)
{
    struct ca_profile one = {.name = "one", .kind = CA_PROFILE_SUBSCRIBER};
    struct ca_profile two = {.name = "two", .kind = CA_PROFILE_SUBSCRIBER, .public_trust = true};
    struct ca_profile *rows[] = {&one, &two};
    struct ca_profiles profiles = {rows, LT_COUNT(rows)};
    (void)state;
    assert_true(find("ca-tls")->public_trust);
    assert_ok(ca_profiles_check_testing(&shipped));
    assert_fails(ca_profiles_check_testing(&profiles), LT_POLICY_REFUSED);
    assert_non_null(strstr(lt_error_last()->detail, "profiles/two.yaml"));
    two.kind = CA_PROFILE_CA;
    assert_ok(ca_profiles_check_testing(&profiles));
    profiles.count = 0;
    assert_ok(ca_profiles_check_testing(&profiles));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_server),
        cmocka_unit_test(others),
        cmocka_unit_test(lint_profiles),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(responders),
        cmocka_unit_test(refusals),
        cmocka_unit_test(periods),
        cmocka_unit_test(keys),
        cmocka_unit_test(none_public_in_a_test_ca),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
