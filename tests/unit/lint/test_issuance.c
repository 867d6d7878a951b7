/* What only an issuer knows: real signatures by a root of our own, and a book that objects. */
#include "forge.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lint/ocsp.h"

#include "x509/tbs.h"

#define NOW INT64_C(1790000000)
#define DAY INT64_C(86400)

static struct lt_arena arena;
static struct lt_buf room[8]; /* each holds the bytes of one object */
static size_t rooms;

static struct lt_buf *fresh(void)
{
    assert_true(rooms < LT_COUNT(room));
    lt_buf_init(&room[rooms], 1 << 16);
    return &room[rooms++];
}

/* Two P-256 points of no meaning: signatures are checked in their own test. */
#define P256 "30{30{(1.2.840.10045.2.1)(1.2.840.10045.3.1.7)}03{0004 [64]"
#define P384 "30{30{(1.2.840.10045.2.1)(1.3.132.0.34)}03{0004 [96]01}}"

static lt_slice name(const char *cn)
{
    struct der_writer w;
    struct x509_name_item items[] = {{X509_OID_C, LT_LIT("AT")}, {X509_OID_CN, lt_slice_cstr(cn)}};
    struct lt_buf *b = fresh();
    der_write_init(&w, b);
    assert_ok(x509_name_write(&w, items, cn == NULL ? 1 : 2));
    return lt_buf_slice(b);
}

struct draft {
    struct x509_tbs_spec issuer;
    struct x509_tbs_spec cert;
    struct x509_general_name san[3];
    struct x509_general_name permitted[3];
    enum x509_oid eku[1];
    lt_slice url;
    struct lint_evidence evidence;
    struct lint_input in;
};

static void clean(struct draft *d)
{
    *d = (struct draft){.eku = {X509_OID_SERVER_AUTH}};
    d->san[0] = (struct x509_general_name){X509_GN_DNS, LT_LIT("www.example.com")};
    d->url = LT_LIT("http://crl.example.com/1.crl");
    d->issuer = (struct x509_tbs_spec){
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x01"
                         "234567890123456"),
        .issuer = name("Root"),
        .subject = name("CA"),
        .not_before = lt_time_from_seconds(NOW - 100 * DAY),
        .not_after = lt_time_from_seconds(NOW + 1000 * DAY),
        .spki = forge_der(&arena, P256 "01}}"),
        .ca = true,
        .has_path_len = true,
        .path_len = 0,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_LIT("key of the CA"),
        .aki = LT_LIT("key of the root"),
    };
    d->cert = (struct x509_tbs_spec){
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x02"
                         "234567890123456"),
        .issuer = d->issuer.subject,
        .not_before = lt_time_from_seconds(NOW - 3600),
        .not_after = lt_time_from_seconds(NOW + 80 * DAY),
        .spki = forge_der(&arena, P256 "02}}"),
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = d->eku,
        .eku_count = 1,
        .san = d->san,
        .san_count = 1,
        .aki = d->issuer.ski,
        .crl_urls = &d->url,
        .crl_url_count = 1,
    };
    d->evidence = (struct lint_evidence){
        .known = true,
        .oldest_validation = lt_time_from_seconds(NOW - 99 * DAY),
        .oldest_caa = lt_time_from_seconds(NOW - 3600),
        .names_validated = 1,
        .crl_url = d->url,
    };
    d->in = (struct lint_input){
        .kind = LINT_CERTIFICATE,
        .bare = true,
        .signing_time = lt_time_from_seconds(NOW),
        .sources = UINT32_C(1) << LINT_LINTEL,
    };
}

static void run(struct draft *d, struct lint_results *r)
{
    struct x509_cert issuer;
    struct lt_buf *above = fresh();
    struct lt_buf *own = fresh();
    assert_ok(x509_tbs_build(&d->issuer, above));
    assert_ok(x509_tbs_parse(lt_buf_slice(above), &arena, &issuer));
    assert_ok(x509_tbs_build(&d->cert, own));
    d->in.der = lt_buf_slice(own);
    d->in.issuer = &issuer;
    d->in.evidence = &d->evidence;
    assert_ok(lint_run(&d->in, &arena, r));
}

static void other_issuer(struct draft *d)
{
    d->cert.issuer = name("Other CA");
}
static void other_aki(struct draft *d)
{
    d->cert.aki = LT_LIT("another key");
}
static void no_aki(struct draft *d)
{
    d->cert.aki = (lt_slice){0};
}
static void no_ca(struct draft *d)
{
    d->issuer.ca = false;
    d->issuer.has_path_len = false;
}
static void no_cert_sign(struct draft *d)
{
    d->issuer.key_usage = X509_KU_DIGITAL_SIGNATURE;
}
static void early(struct draft *d)
{
    d->issuer.not_before = lt_time_from_seconds(NOW - 3599);
}
static void late(struct draft *d)
{
    d->issuer.not_after = lt_time_from_seconds(NOW + 80 * DAY - 1);
}
static void ca_below(struct draft *d)
{
    d->cert.ca = true;
    d->cert.subject = name("Sub CA");
    d->cert.key_usage = X509_KU_KEY_CERT_SIGN;
}
static void ca_below_roomy(struct draft *d)
{
    ca_below(d);
    d->issuer.path_len = 1;
    d->cert.has_path_len = true;
    d->cert.path_len = 1;
}
static void ca_below_shorter(struct draft *d)
{
    ca_below_roomy(d);
    d->cert.path_len = 0;
}
static void p384_issuer(struct draft *d)
{
    d->issuer.spki = forge_der(&arena, P384);
}
static void backdated(struct draft *d)
{
    d->cert.not_before = lt_time_from_seconds(NOW - 48 * 3600 - 1);
}
static void ahead(struct draft *d)
{
    d->cert.not_before = lt_time_from_seconds(NOW + 48 * 3600 + 1);
}
static void ahead_by_two_days(struct draft *d)
{
    d->cert.not_before = lt_time_from_seconds(NOW + 48 * 3600);
}
static void private_backdated(struct draft *d)
{
    backdated(d);
    d->in.profile = LINT_PROFILE_PRIVATE;
}
static void private_p384_issuer(struct draft *d)
{
    p384_issuer(d);
    d->in.profile = LINT_PROFILE_PRIVATE;
}
static void private_rsa_by_ec(struct draft *d)
{
    d->cert.sig_alg = X509_SIG_RSA_SHA256;
    d->in.profile = LINT_PROFILE_PRIVATE;
}
static void over(struct draft *d)
{
    d->cert.not_before = lt_time_from_seconds(NOW - 40 * 3600);
    d->cert.not_after = lt_time_from_seconds(NOW - 1);
}
static void serial_used(struct draft *d)
{
    d->evidence.serial_uses = 2;
    d->evidence.serial_uses_as_precert = 1;
}
static void serial_of_precert(struct draft *d)
{
    d->evidence.serial_uses = 1;
    d->evidence.serial_uses_as_precert = 1;
}
static void other_url(struct draft *d)
{
    d->evidence.crl_url = LT_LIT("http://crl.example.com/2.crl");
}
static void old_validation(struct draft *d)
{
    d->evidence.oldest_validation = lt_time_from_seconds(NOW - 200 * DAY - 1);
}
static void old_caa(struct draft *d)
{
    d->evidence.oldest_caa = lt_time_from_seconds(NOW - 8 * 3600 - 1);
}
static void more_names(struct draft *d)
{
    d->san[1] = (struct x509_general_name){X509_GN_DNS, LT_LIT("example.com")};
    d->cert.san_count = 2;
}
static void ca_backdated(struct draft *d)
{
    ca_below(d);
    d->issuer.has_path_len = false;
    d->cert.not_before = lt_time_from_seconds(NOW - DAY - 1);
}
static void ca_ahead(struct draft *d)
{
    ca_below(d);
    d->issuer.has_path_len = false;
    d->cert.not_before = lt_time_from_seconds(NOW + 61);
}
static void ca_of_yesterday(struct draft *d)
{
    ca_below(d);
    d->issuer.has_path_len = false;
    d->cert.not_before = lt_time_from_seconds(NOW - DAY);
}
static void ski_used(struct draft *d)
{
    ca_below(d);
    d->issuer.has_path_len = false;
    d->evidence.ski_uses_by_other_key = 1;
}

static void each_change(void **unused)
{
    (void)unused;
    static const struct {
        void (*change)(struct draft *d);
        const char *rule;       /* NULL: nothing is found */
        enum lint_status level; /* LINT_PASS: error */
    } rows[] = {
        {NULL, NULL},
        {other_issuer, "lintel_issuance_issuer_name"},
        {other_aki, "lintel_issuance_aki"},
        {no_aki, "lintel_issuance_aki"},
        {no_ca, "lintel_issuance_issuer_is_ca"},
        {no_cert_sign, "lintel_issuance_issuer_is_ca"},
        {early, "lintel_issuance_within_issuer", LINT_WARN},
        {late, "lintel_issuance_within_issuer", LINT_WARN},
        {ca_below, "lintel_issuance_path_length"},
        {ca_below_roomy, "lintel_issuance_path_length", LINT_WARN},
        {ca_below_shorter, NULL},
        {p384_issuer, "lintel_issuance_algorithm"},
        {backdated, "lintel_issuance_not_before"},
        {ahead, "lintel_issuance_not_before_ahead"},
        {ahead_by_two_days, NULL},
        {private_backdated, NULL},
        {private_p384_issuer, NULL},
        {private_rsa_by_ec, "lintel_issuance_algorithm"},
        {ca_ahead, "lintel_issuance_not_before_future"},
        {ca_backdated, "lintel_issuance_not_before_ca"},
        {ca_of_yesterday, NULL},
        {over, "lintel_issuance_not_over"},
        {serial_used, "lintel_issuance_serial_reuse"},
        {serial_of_precert, NULL},
        {other_url, "lintel_issuance_crl_url"},
        {old_validation, "lintel_issuance_validation_age"},
        {old_caa, "lintel_issuance_caa_age"},
        {more_names, "lintel_issuance_names_validated"},
        {ski_used, "lintel_issuance_ski_reuse"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        static struct lint_results r;
        struct draft d;
        clean(&d);
        if (rows[i].change != NULL) {
            rows[i].change(&d);
        }
        run(&d, &r);
        enum lint_status level = rows[i].level == 0 ? LINT_ERROR : rows[i].level;
        bool fits = rows[i].rule == NULL ? r.count == 0
                                         : r.count == 1 && r.list[0].level == level &&
                                               strcmp(r.list[0].rule->id, rows[i].rule) == 0;
        if (!fits) {
            fail_msg("row %zu: %zu findings, first %s", i, r.count, r.count > 0 ? r.list[0].message : "none");
        }
        /* Without the inputs nobody can say. */
        d.in.issuer = NULL;
        d.in.evidence = NULL;
        d.in.signing_time = (lt_time){0};
        assert_ok(lint_run(&d.in, &arena, &r));
        assert_int_equal(r.count, 0);
        while (rooms > 0) {
            lt_buf_done(&room[--rooms]);
        }
    }
}

/* Reuse periods shrink by the day of signing. */
static void reuse_periods(void **unused)
{
    (void)unused;
    static const struct {
        int64_t day;
        int64_t most;
    } rows[] = {{LINT_DAY(2026, 3, 14), 398}, {LINT_DAY(2026, 3, 15), 200}, {LINT_DAY(2027, 3, 14), 200},
                {LINT_DAY(2027, 3, 15), 100}, {LINT_DAY(2029, 3, 14), 100}, {LINT_DAY(2029, 3, 15), 10}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (int64_t more = 0; more < 2; more++) {
            static struct lint_results r;
            struct draft d;
            int64_t now = rows[i].day * DAY + 3600;
            clean(&d);
            d.issuer.not_before = lt_time_from_seconds(now - 500 * DAY);
            d.issuer.not_after = lt_time_from_seconds(now + 500 * DAY);
            d.cert.not_before = lt_time_from_seconds(now);
            d.cert.not_after = lt_time_from_seconds(now + 5 * DAY);
            d.in.signing_time = lt_time_from_seconds(now);
            d.evidence.oldest_caa = d.in.signing_time;
            d.evidence.oldest_validation = lt_time_from_seconds(now - rows[i].most * DAY - more);
            run(&d, &r);
            assert_int_equal(r.count, more);
            while (rooms > 0) {
                lt_buf_done(&room[--rooms]);
            }
        }
    }
}

static void constraints(void **unused)
{
    (void)unused;
    static const struct {
        enum x509_general_name_type type;
        const char *base;
        size_t base_len;
        const char *name;
        size_t name_len;
        bool below;
        bool covers; /* a wildcard that stands for the base, too */
    } rows[] = {
#define TEXT(s_) (s_), sizeof(s_) - 1
        {X509_GN_DNS, TEXT("example.com"), TEXT("example.com"), true},
        {X509_GN_DNS, TEXT("example.com"), TEXT("a.b.EXAMPLE.com"), true},
        {X509_GN_DNS, TEXT("example.com"), TEXT("*.example.com"), true},
        {X509_GN_DNS, TEXT("example.com"), TEXT("badexample.com"), false},
        {X509_GN_DNS, TEXT("example.com"), TEXT("com"), false},
        {X509_GN_DNS, TEXT("example.com"), TEXT("example.com.evil.org"), false},
        {X509_GN_DNS, TEXT(".example.com"), TEXT("*.example.com"), true},
        {X509_GN_DNS, TEXT("a.example.com"), TEXT("*.example.com"), false, true},
        {X509_GN_DNS, TEXT("A.example.com"), TEXT("*.EXAMPLE.com"), false, true},
        {X509_GN_DNS, TEXT("b.a.example.com"), TEXT("*.example.com"), false},
        {X509_GN_DNS, TEXT(".a.example.com"), TEXT("*.example.com"), false},
        {X509_GN_DNS, TEXT("a.example.com"), TEXT("*.ample.com"), false},
        {X509_GN_EMAIL, TEXT("example.com"), TEXT("a@example.com"), true},
        {X509_GN_EMAIL, TEXT("example.com"), TEXT("a@mail.example.com"), false},
        {X509_GN_EMAIL, TEXT(".example.com"), TEXT("a@mail.example.com"), true},
        {X509_GN_EMAIL, TEXT(".example.com"), TEXT("a@example.com"), false},
        {X509_GN_EMAIL, TEXT("a@example.com"), TEXT("a@EXAMPLE.com"), true},
        {X509_GN_EMAIL, TEXT("a@example.com"), TEXT("A@example.com"), false},
        {X509_GN_EMAIL, TEXT("a@example.com"), TEXT("example.com"), false},
        {X509_GN_URI, TEXT("example.com"), TEXT("https://example.com/x"), true},
        {X509_GN_URI, TEXT("example.com"), TEXT("https://u@example.com:80/x"), true},
        {X509_GN_URI, TEXT(".example.com"), TEXT("https://a.example.com"), true},
        {X509_GN_URI, TEXT("example.com"), TEXT("https://a.example.com/"), false},
        {X509_GN_URI, TEXT("example.com"), TEXT("urn:example.com"), false},
        {X509_GN_IP, TEXT("\xc0\x00\x02\x00\xff\xff\xff\x00"), TEXT("\xc0\x00\x02\x07"), true},
        {X509_GN_IP, TEXT("\xc0\x00\x02\x00\xff\xff\xff\x00"), TEXT("\xc0\x00\x03\x07"), false},
        {X509_GN_IP, TEXT("\xc0\x00\x02\x00\xff\xff\xff\x00"), TEXT("0123456789abcdef"), false},
#undef TEXT
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (unsigned excluded = 0; excluded < 2; excluded++) {
            static struct lint_results r;
            struct draft d;
            clean(&d);
            d.permitted[0] = (struct x509_general_name){rows[i].type,
                                                        LT_SLICE(rows[i].base, rows[i].base_len)};
            d.san[0] = (struct x509_general_name){rows[i].type, LT_SLICE(rows[i].name, rows[i].name_len)};
            *(excluded ? &d.issuer.excluded : &d.issuer.permitted) = d.permitted;
            *(excluded ? &d.issuer.excluded_count : &d.issuer.permitted_count) = 1;
            run(&d, &r);
            bool found = false;
            for (size_t k = 0; k < r.count; k++) {
                found = found || strcmp(r.list[k].rule->id, "lintel_issuance_name_constraints") == 0;
            }
            if (found != (excluded == 1 ? rows[i].below || rows[i].covers : !rows[i].below)) {
                fail_msg("row %zu, %s: %s", i, excluded ? "excluded" : "permitted",
                         found ? "found" : "not found");
            }
            while (rooms > 0) {
                lt_buf_done(&room[--rooms]);
            }
        }
    }
}

static void directory_constraints(void **unused)
{
    (void)unused;
    static const struct {
        const char *base; /* common name of the base; NULL: the country alone */
        const char *subject;
        bool below;
    } rows[] = {{NULL, "leaf", true},
                {"leaf", "leaf", true},
                {"LEAF", "leaf", true},
                {"other", "leaf", false},
                {"leaf", "leafs", false},
                {"leafs", "leaf", false},
                {"leaf of  an oak", "Leaf  of an oak", true},
                {" leaf ", "leaf", true},
                {"le af", "leaf", false},
                {"M\xc3\xbcller", "m\xc3\xbcller", true},
                {"M\xc3\xbc  ller", "m\xc3\xb6 ller", false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        static struct lint_results r;
        struct draft d;
        clean(&d);
        d.cert.subject = name(rows[i].subject);
        d.permitted[0] = (struct x509_general_name){X509_GN_DIRECTORY, name(rows[i].base)};
        d.issuer.permitted = d.permitted;
        d.issuer.permitted_count = 1;
        run(&d, &r);
        if (r.count != (rows[i].below ? 0 : 1)) {
            fail_msg("row %zu: %zu findings", i, r.count);
        }
        while (rooms > 0) {
            lt_buf_done(&room[--rooms]);
        }
    }
}

/* The pair of a precertificate and its certificate: each thing that may differ, and what may not. */
static void precertificates(void **unused)
{
    (void)unused;
    static const char *const sct = "0004000200aa";
    for (unsigned i = 0; i < 8; i++) {
        static struct lint_results r;
        struct x509_cert before;
        struct draft d;
        clean(&d);
        struct lt_buf *pre = fresh();
        d.cert.ct_poison = i != 1;
        if (i == 7) { /* made by a Precertificate Signing CA: name and key identifier are its own */
            d.cert.issuer = name("Precert CA");
            d.cert.aki = LT_LIT("key of that CA");
        }
        assert_ok(x509_tbs_build(&d.cert, pre));
        assert_ok(x509_tbs_decode(lt_buf_slice(pre), &arena, &before));
        d.cert.ct_poison = false;
        d.cert.issuer = d.issuer.subject;
        d.cert.aki = d.issuer.ski;
        d.cert.sct_list = forge_der(&arena, sct);
        const char *rule = NULL;
        if (i == 1) {
            rule = "lintel_issuance_precert_poison";
        } else if (i == 2) {
            d.cert.serial = LT_LIT("\x03"
                                   "234567890123456");
            rule = "lintel_issuance_precert_fields";
        } else if (i == 3) {
            d.cert.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_AGREEMENT;
            rule = "lintel_issuance_precert_extensions";
        } else if (i == 4) {
            d.cert.must_staple = true;
            rule = "lintel_issuance_precert_extensions";
        } else if (i == 5) {
            d.cert.crl_url_count = 0;
            rule = "lintel_issuance_precert_extensions";
        } else if (i == 6) {
            d.cert.not_after = lt_time_from_seconds(NOW + 81 * DAY);
            rule = "lintel_issuance_precert_fields";
        } else if (i == 7) {
            rule = "lintel_issuance_precert_issuer";
        }
        d.in.precertificate = &before;
        run(&d, &r);
        if (rule == NULL ? r.count != 0 : r.count != 1 || strcmp(r.list[0].rule->id, rule) != 0) {
            fail_msg("change %u: %zu findings, first %s", i, r.count,
                     r.count > 0 ? r.list[0].message : "none");
        }
        const char *field = i == 2 ? "serialNumber " : i == 6 ? "validity " : "";
        assert_true(r.count == 0 || strncmp(r.list[0].message, field, strlen(field)) == 0);
        while (rooms > 0) {
            lt_buf_done(&room[--rooms]);
        }
    }
}

/* Signed things of the corpus: chains that verify, and what was put over another's signature. */
static const struct forge_row signatures[] = {
    {"lintel_issuance_signature",
     "real/chains/google.com-0.pem",
     {{0}},
     LINT_PASS,
     .issuer = "real/chains/google.com-1.pem"},
    {"lintel_issuance_signature",
     "real/chains/cloudflare.com-0.pem",
     {{0}},
     LINT_PASS,
     .issuer = "real/chains/cloudflare.com-1.pem"},
    {"lintel_issuance_signature",
     "real/chains/google.com-0.pem",
     {{0}},
     LINT_ERROR,
     .issuer = "real/chains/cloudflare.com-1.pem"},
    {"lintel_issuance_signature",
     "real/chains/google.com-0.pem",
     {FORGE_CUT("2.5.29.37")},
     LINT_ERROR,
     .issuer = "real/chains/google.com-1.pem"},
    {"lintel_issuance_signature", "dv", {{0}}, LINT_PASS, .issuer = "sub"},
    {"lintel_issuance_signature",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.2)0500}")}, /* MD2 */
     LINT_NA,
     .issuer = "dvrsa"},
    {"lintel_issuance_crl_signature",
     "crl",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.2)0500}")},
     LINT_NA,
     .issuer = "dvrsa"},
    {"lintel_issuance_ocsp_signature",
     "response",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.2)0500}")},
     LINT_NA,
     .issuer = "dvrsa"},
    /* Its own issuer by name: a root where the signature says nothing, unless the key identifiers differ. */
    {"lintel_br_root_issuer", "root", {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.3.4)}")}, LINT_PASS},
    {"lintel_br_root_issuer",
     "root",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.3.4)}"), FORGE_EXT("2.5.29.35", false, "30{80{0102}}")},
     LINT_NA},
    /* Kinds of keys and algorithms: RSASSA-PSS is one of RSA's, SHA-1 and unknown ones are for others. */
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.10)}")},
     LINT_PASS,
     .issuer = "dvrsa"},
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.5)0500}")},
     LINT_PASS,
     .issuer = "dvrsa"},
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.3.4)}")},
     LINT_PASS,
     .issuer = "sub"},
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.113549.1.1.10)}")},
     LINT_ERROR,
     .issuer = "sub"},
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.3)}"), FORGE_FROM(1600000000)},
     LINT_ERROR,
     .issuer = "dvrsa"},
    {"lintel_issuance_algorithm",
     "dv",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.3)}"), FORGE_FROM(1450000000)},
     LINT_NE,
     .issuer = "dvrsa"},
    {"lintel_issuance_signature", "dv", {{0}}, LINT_NA, .issuer = "sub", .bare = true},
    {"lintel_issuance_signature", "dv", {{0}}, LINT_NA},
    {"lintel_issuance_crl_issuer_name", "crl", {{0}}, LINT_NA},
    {"lintel_issuance_crl_issuer_name",
     "crl",
     {FORGE_ISSUED_BY({"2.5.4.3", DER_UTF8_STRING, "x"})},
     LINT_ERROR,
     .issuer = "sub"},
    {"lintel_issuance_crl_aki",
     "crl",
     {FORGE_EXT("2.5.29.35", false, "30{80{0102}}")},
     LINT_ERROR,
     .issuer = "sub"},
    {"lintel_issuance_crl_aki", "crl", {FORGE_CUT("2.5.29.35")}, LINT_ERROR, .issuer = "sub"},
    {"lintel_issuance_ocsp_signature", "response", {{0}}, LINT_NA},
    {"lintel_issuance_ocsp_signature", "response", {{0}}, LINT_ERROR, .issuer = "sub"},
    {"lintel_issuance_ocsp_signer_valid", "response", {{0}}, LINT_NA},
    {"lintel_issuance_crl_signer", "crl", {{0}}, LINT_PASS, .issuer = "sub"},
    {"lintel_issuance_crl_signer", "crl", {{0}}, LINT_ERROR, .issuer = "dv"},
    {"lintel_issuance_crl_algorithm", "crl", {{0}}, LINT_PASS, .issuer = "sub"},
    {"lintel_issuance_crl_algorithm",
     "crl",
     {FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.4)}")},
     LINT_ERROR,
     .issuer = "sub"},
    {"lintel_issuance_crl_signature", "crl", {{0}}, LINT_ERROR, .issuer = "sub"},
    {"lintel_issuance_crl_signature", "crl", {{0}}, LINT_NA, .issuer = "sub", .bare = true},
    {"lintel_issuance_crl_this_update",
     "crl",
     {FORGE_FROM(1780000000), FORGE_TO(1780500000)},
     LINT_PASS,
     .at = 1780000000},
    {"lintel_issuance_crl_this_update",
     "crl",
     {FORGE_FROM(1780000061), FORGE_TO(1780500000)},
     LINT_ERROR,
     .at = 1780000000},
};

static void signed_things(void **unused)
{
    (void)unused;
    forge_rows(signatures, LT_COUNT(signatures));
}

/* The URL in the CRL is the one that certificates carry. */
static void points(void **unused)
{
    (void)unused;
    static const struct forge_edit idp = FORGE_EXT("2.5.29.28", true,
                                                   "30{A0{A0{86{'http://crl.example.com/1.crl'}}}}");
    static const struct {
        const char *url;
        enum lint_status status;
    } rows[] = {{"http://crl.example.com/1.crl", LINT_PASS},
                {"http://crl.example.com/1.CRL", LINT_ERROR},
                {"", LINT_NA}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct forge f;
        struct lint_evidence e = {.known = true, .crl_url = lt_slice_cstr(rows[i].url)};
        struct lint_input in = {.evidence = &e};
        forge_open(&f, "crl");
        forge_edit(&f, &idp);
        forge_expect(&f, &in, "lintel_issuance_crl_idp", rows[i].status);
        forge_done(&f);
    }
}

/* The same CA below another root: its name and key, or it is another CA. */
static void crossed(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        const char *key;
        const char *rule;
    } rows[] = {
        {"Sub CA", P256 "02}}", NULL},
        {"Sub Ca", P256 "02}}", "lintel_issuance_cross_subject"},
        {"Sub CA", P256 "03}}", "lintel_issuance_cross_key"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        static struct lint_results r;
        struct x509_cert other;
        struct draft d;
        clean(&d);
        ca_below(&d);
        d.issuer.has_path_len = false;
        struct lt_buf *b = fresh();
        assert_ok(x509_tbs_build(&d.cert, b));
        assert_ok(x509_tbs_parse(lt_buf_slice(b), &arena, &other));
        d.cert.subject = name(rows[i].name);
        d.cert.spki = forge_der(&arena, rows[i].key);
        d.in.crossed = &other;
        run(&d, &r);
        assert_int_equal(r.count, rows[i].rule != NULL);
        assert_true(r.count == 0 || strcmp(r.list[0].rule->id, rows[i].rule) == 0);
        while (rooms > 0) {
            lt_buf_done(&room[--rooms]);
        }
    }
}

/* A response that the issuer's key signed, then another's. */
static void responses(void **unused)
{
    (void)unused;
    EVP_PKEY *keys[2] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-256")};
    struct draft d;
    struct x509_cert issuer;
    uint8_t *spki = NULL;
    int spki_len = i2d_PUBKEY(keys[0], &spki);
    clean(&d);
    d.issuer.spki = LT_SLICE(spki, (size_t)spki_len);
    struct lt_buf *above = fresh();
    assert_ok(x509_tbs_build(&d.issuer, above));
    assert_ok(x509_tbs_parse(lt_buf_slice(above), &arena, &issuer));
    for (size_t i = 0; i < 2; i++) {
        struct forge f;
        struct lint_ocsp o;
        uint8_t signature[128];
        size_t len = sizeof signature;
        static const struct forge_edit alg = FORGE_PUT(FORGE_ALGORITHM, "30{(1.2.840.10045.4.3.2)}");
        char hex[300] = "03{00";
        forge_open(&f, "response");
        forge_edit(&f, &alg);
        assert_ok(lint_ocsp_decode(forge_make(&f, false), &f.arena, &o));
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, keys[i]), 1);
        assert_int_equal(EVP_DigestSign(c, signature, &len, o.data.ptr, o.data.len), 1);
        EVP_MD_CTX_free(c);
        for (size_t k = 0; k < len; k++) {
            (void)snprintf(hex + 5 + 2 * k, sizeof hex - 5 - 2 * k, "%02x", signature[k]);
        }
        hex[5 + 2 * len] = '}';
        const struct forge_edit put = FORGE_PUT(FORGE_SIGNATURE, hex);
        forge_edit(&f, &put);
        struct lint_input in = {.issuer = &issuer};
        forge_expect(&f, &in, "lintel_issuance_ocsp_signature", i == 0 ? LINT_PASS : LINT_ERROR);
        /* The issuer has no digitalSignature, then has it. */
        forge_expect(&f, &in, "lintel_issuance_ocsp_signer_usage", i == 0 ? LINT_ERROR : LINT_PASS);
        issuer.ext.key_usage |= X509_KU_DIGITAL_SIGNATURE;
        forge_expect(&f, &in, "lintel_issuance_ocsp_signer_usage", LINT_PASS);
        issuer.ext.key_usage ^= X509_KU_DIGITAL_SIGNATURE;
        forge_done(&f);
    }
    OPENSSL_free(spki);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
    while (rooms > 0) {
        lt_buf_done(&room[--rooms]);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 26);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change),     cmocka_unit_test(reuse_periods),
        cmocka_unit_test(constraints),     cmocka_unit_test(directory_constraints),
        cmocka_unit_test(precertificates), cmocka_unit_test(signed_things),
        cmocka_unit_test(responses),       cmocka_unit_test(crossed),
        cmocka_unit_test(points),
    };
    return cmocka_run_group_tests_name("lint issuance", tests, set_up, tear_down);
}
