/* The engine and its rows: a clean certificate has no finding; each change of it has exactly the finding that
 * it should have; limits follow the calendar. */
#include "check.h"

#include "der/writer.h"
#include "lint/lint.h"
#include "x509/tbs.h"

#define NOW INT64_C(1795305600) /* 2026-11-22 */
#define DAY INT64_C(86400)

static struct lt_arena arena;
static struct lt_buf tbs;
static struct lt_buf issuer_tbs;
static struct lt_buf issuer_dn;
static struct lt_buf subject_dn;
static struct x509_cert issuer;

/* What a row may change before it is built. */
struct draft {
    struct x509_tbs_spec spec;
    struct lint_input in;
    struct x509_general_name san[4];
    enum x509_oid eku[4];
    lt_slice policies[2];
    lt_slice url;
};

#define P256                                                                                               \
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42" \
    "\x00\x04"
/* the base point of P-256 */
#define POINT                                                                                  \
    "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb" \
    "\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a" \
    "\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5"

static lt_slice dn(struct lt_buf *b, const char *cn)
{
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(cn)};
    lt_buf_reset(b);
    der_write_init(&w, b);
    assert_ok(x509_name_write(&w, &item, 1));
    return lt_buf_slice(b);
}

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 22);
    lt_buf_init(&tbs, 1 << 16);
    lt_buf_init(&issuer_tbs, 1 << 16);
    lt_buf_init(&issuer_dn, 1024);
    lt_buf_init(&subject_dn, 1024);
    struct x509_tbs_spec s = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("123456789"),
        .issuer = dn(&issuer_dn, "CA"),
        .subject = lt_buf_slice(&issuer_dn),
        .not_before = lt_time_from_seconds(NOW - 100 * DAY),
        .not_after = lt_time_from_seconds(NOW + 4000 * DAY),
        .spki = LT_LIT(P256 POINT),
        .ca = true,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_LIT("issuer's key id"),
    };
    assert_ok(x509_tbs_build(&s, &issuer_tbs));
    assert_ok(x509_tbs_parse(lt_buf_slice(&issuer_tbs), &arena, &issuer));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    lt_buf_done(&tbs);
    lt_buf_done(&issuer_tbs);
    lt_buf_done(&issuer_dn);
    lt_buf_done(&subject_dn);
    return 0;
}

static void clean(struct draft *d)
{
    memset(d, 0, sizeof(*d));
    d->san[0] = (struct x509_general_name){X509_GN_DNS, LT_LIT("www.example.com")};
    d->eku[0] = X509_OID_SERVER_AUTH;
    d->policies[0] = x509_oid_der(X509_OID_POLICY_DV);
    d->url = LT_LIT("http://pki.example.com/x");
    d->spec = (struct x509_tbs_spec){
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x0c"
                         "234567890123456"),
        .issuer = issuer.subject.der,
        .not_before = lt_time_from_seconds(NOW - 3600),
        .not_after = lt_time_from_seconds(NOW - 3600 + 90 * DAY - 1),
        .spki = LT_LIT(P256 POINT),
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = d->eku,
        .eku_count = 1,
        .policies = d->policies,
        .policy_count = 1,
        .san = d->san,
        .san_count = 1,
        .aki = issuer.ext.ski,
        .crl_urls = &d->url,
        .crl_url_count = 1,
        .issuer_urls = &d->url,
        .issuer_url_count = 1,
    };
    d->in = (struct lint_input){
        .kind = LINT_CERTIFICATE,
        .bare = true,
        .role = LINT_ROLE_SUBSCRIBER,
        .issuer = &issuer,
        .signing_time = lt_time_from_seconds(NOW),
    };
}

static void run(struct draft *d, struct lint_results *r)
{
    static struct x509_cert c;
    lt_buf_reset(&tbs);
    assert_ok(x509_tbs_build(&d->spec, &tbs));
    assert_ok(x509_tbs_parse(lt_buf_slice(&tbs), &arena, &c));
    d->in.cert = &c;
    assert_ok(lint_run(&d->in, &arena, r));
}

static void san_to(struct draft *d, enum x509_general_name_type type, lt_slice value)
{
    d->san[0] = (struct x509_general_name){type, value};
}

static void days(struct draft *d, int64_t n)
{
    d->spec.not_after = lt_time_from_seconds(lt_time_seconds(d->spec.not_before) + n * DAY - 1);
}

static void change(struct draft *d, int which)
{
    switch (which) {
    case 0:
        days(d, 201);
        break;
    case 1:
        d->spec.not_before = lt_time_from_seconds(NOW - 49 * 3600);
        break;
    case 2:
        d->spec.serial = LT_LIT("\x01\x02\x03\x04\x05");
        break;
    case 3:
        d->spec.serial = LT_LIT("\x7f");
        break;
    case 4:
        d->spec.key_usage = X509_KU_KEY_ENCIPHERMENT;
        break;
    case 5:
        d->spec.eku_count = 0;
        break;
    case 6:
        d->eku[1] = X509_OID_CODE_SIGNING;
        d->spec.eku_count = 2;
        break;
    case 7:
        d->spec.policy_count = 0;
        break;
    case 8:
        d->policies[1] = x509_oid_der(X509_OID_POLICY_OV);
        d->spec.policy_count = 2;
        break;
    case 9:
        d->spec.spki = LT_LIT("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"
                              "0123456789abcdef0123456789abcdef");
        break;
    case 10:
        d->spec.sig_alg = X509_SIG_RSA_SHA256;
        break;
    case 11:
        d->spec.crl_url_count = 0;
        break;
    case 12:
        d->url = LT_LIT("https://pki.example.com/x");
        break;
    case 13:
        san_to(d, X509_GN_DNS, LT_LIT("host.internal"));
        break;
    case 14:
        san_to(d, X509_GN_DNS, LT_LIT("under_score.example.com"));
        break;
    case 15:
        san_to(d, X509_GN_IP, LT_LIT("\x0a\x00\x00\x01"));
        break;
    case 16:
        san_to(d, X509_GN_IP, LT_LIT("\xac\x1f\xff\xff"));
        break;
    case 17:
        san_to(d, X509_GN_IP,
               LT_LIT("\xfe\x80"
                      "23456789abcdef"));
        break;
    case 18:
        san_to(d, X509_GN_EMAIL, LT_LIT("a@example.com"));
        break;
    case 19:
        d->spec.subject = dn(&subject_dn, "other.example.com");
        break;
    case 20:
        d->spec.issuer = dn(&subject_dn, "Other CA");
        break;
    case 21:
        d->spec.aki = LT_LIT("another key id");
        break;
    case 22:
        d->spec.not_before = lt_time_from_seconds(NOW - 200 * DAY);
        d->spec.not_after = lt_time_from_seconds(NOW - 1);
        d->in.signing_time = (lt_time){0};
        break;
    default:
        fail_msg("no such change");
    }
}

static void each_change_has_its_finding(void **unused)
{
    (void)unused;
    static const char *const rules[] = {
        "e_server_cert_valid_time_longer_than_200_days",
        "lintel_issuance_not_before",
        "lintel_br_serial_entropy",
        "lintel_br_serial_entropy",
        "e_cabf_ecc_allowed_key_usages",
        "e_sub_cert_eku_missing",
        "e_sub_cert_eku_check",
        "e_sub_cert_certificate_policies_missing",
        "lintel_br_one_reserved_policy",
        "e_algorithm_identifier_improper_encoding",
        "lintel_issuance_algorithm",
        "e_missing_crl_distrib_point",
        "e_crl_distrib_points_not_http",
        "e_dnsname_not_valid_tld",
        "e_underscore_not_permissible_in_dnsname",
        "e_ext_san_contains_reserved_ip",
        "e_ext_san_contains_reserved_ip",
        "e_ext_san_contains_reserved_ip",
        "e_ext_san_rfc822_name_present",
        "e_subject_common_name_not_exactly_from_san",
        "rfc5280.issuer-is-issuers-subject",
        "rfc5280.authority-key-id",
        "rfc5280.within-issuer",
    };
    static struct lint_results r;
    struct draft d;
    clean(&d);
    run(&d, &r);
    for (size_t i = 0; i < r.count; i++) {
        if (r.list[i].level >= LINT_ERROR) {
            fail_msg("%s: %s", r.list[i].rule->id, r.list[i].message);
        }
    }
    assert_true(r.tally[LINT_PASS] > 20);
    for (size_t i = 0; i < LT_COUNT(rules); i++) {
        clean(&d);
        change(&d, (int)i);
        run(&d, &r);
        bool found = false;
        for (size_t k = 0; k < r.count; k++) {
            found = found || strcmp(r.list[k].rule->id, rules[i]) == 0;
            assert_true(r.list[k].offset < tbs.len);
            assert_non_null(r.list[k].message);
        }
        if (!found) {
            fail_msg("change %zu: %s expected, %s found", i, rules[i],
                     r.count > 0 ? r.list[0].rule->id : "nothing");
        }
        assert_int_equal(r.worst, LINT_ERROR);
    }
}

static void nobody_asked(void **unused)
{
    (void)unused;
    static struct lint_results r;
    struct draft d;
    clean(&d);
    change(&d, 13);
    d.in.sources = 1u << LINT_RFC5280;
    run(&d, &r);
    assert_true(r.worst < LINT_ERROR); /* an internal name is no matter of RFC 5280 */
    clean(&d);
    change(&d, 21);
    d.in.issuer = NULL;
    run(&d, &r);
    assert_true(r.worst < LINT_ERROR); /* unknown issuer: nothing to compare with */
}

/* Days around each date of the limits. */
static void limits_follow_the_calendar(void **unused)
{
    (void)unused;
    static const struct {
        int64_t day; /* of signing */
        int64_t most;
    } rows[] = {
        {LINT_DAY(2026, 3, 14), 398}, {LINT_DAY(2026, 3, 15), 200}, {LINT_DAY(2027, 3, 14), 200},
        {LINT_DAY(2027, 3, 15), 100}, {LINT_DAY(2029, 3, 14), 100}, {LINT_DAY(2029, 3, 15), 47},
        {LINT_DAY(2033, 1, 1), 47},
    };
    static struct lint_results r;
    struct draft d;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (int64_t over = 0; over <= 1; over++) {
            clean(&d);
            d.in.issuer = NULL;
            d.spec.not_before = lt_time_from_seconds(rows[i].day * DAY + 7200);
            d.in.signing_time = d.spec.not_before;
            days(&d, rows[i].most);
            d.spec.not_after.us += over * LT_US_PER_SECOND;
            run(&d, &r);
            assert_int_equal(r.worst >= LINT_ERROR, over);
        }
    }
    assert_int_equal(LINT_DAY(1970, 1, 1), 0);
    assert_int_equal(LINT_DAY(2000, 2, 29), 11016);
    assert_int_equal(LINT_DAY(2026, 11, 22) * DAY, NOW);
}

static void the_table(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < lint_rule_count(); i++) {
        const struct lint_rule *r = lint_rule_at(i);
        assert_ptr_equal(lint_rule_by_id(lt_slice_cstr(r->id)), r); /* so ids are unique */
        assert_non_null(r->check);
        assert_true(strlen(r->citation) > 5);
        assert_true(r->retired == 0 || r->retired > r->effective);
    }
    assert_null(lint_rule_at(lint_rule_count()));
    assert_null(lint_rule_by_id(LT_LIT("br.nothing")));
    assert_string_equal(lint_status_name(LINT_FATAL), "fatal");
}

static void more_findings_than_room(void **unused)
{
    (void)unused;
    static struct lint_results r;
    static struct x509_general_name many[1100];
    struct draft d;
    clean(&d);
    for (size_t i = 0; i < LT_COUNT(many); i++) {
        many[i] = (struct x509_general_name){X509_GN_DNS, LT_LIT("a.local")};
    }
    d.spec.san = many;
    d.spec.san_count = LT_COUNT(many);
    run(&d, &r);
    assert_int_equal(r.count, LINT_FINDINGS_MAX);
    assert_true(r.dropped >= LT_COUNT(many) - LINT_FINDINGS_MAX);
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(each_change_has_its_finding), EACH(nobody_asked),
        EACH(limits_follow_the_calendar),  EACH(the_table),
        EACH(more_findings_than_room),
    };
    return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
