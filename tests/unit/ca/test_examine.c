/* The examiner's judgement: one request that passes, then every lie a registrar can tell, each refused under
 * its word. The certificates are built by the same writer as the real ones; profiles are those of data/. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../x509/keys.h"
#include "ca/examine.h"
#include "ca/examine_dummy.h"
#include "ca/limits.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "crypto/pub.h"
#include "x509/crl.h"
#include "x509/dnsname.h"
#include "x509/tbs.h"

#define NOW INT64_C(1795305600) /* 2026-11-22T00:00:00Z */
#define BASE "http://pki.example.com"

static struct ca_profiles profiles;
static struct lt_arena standing; /* issuers: as long as the test program */
static struct ca_examine_issuer issuers[4];
static struct x509_cert issuer_certs[4];
static char folder[] = "/tmp/lintel-examine-XXXXXX";
static int folder_fd;

/* One case: what the registrar would send, before it is built. Lies change it. */
struct request {
    struct x509_tbs_spec spec;
    struct x509_general_name san[8];
    enum x509_oid eku[4];
    lt_slice policies[2];
    lt_slice crl_url;
    lt_slice issuer_url;
    lt_slice subject;
    Ipc__NameEvidence evidence[8];
    Ipc__Identifier identifiers[8];
    Ipc__NameEvidence *evidence_list[8];
    Ipc__SignRequest m;
    Ipc__BookFacts facts;
    Ipc__HaltList halts;
    Ipc__Halt halt;
    Ipc__Halt *halt_list[1];
    bool no_list;
    bool trusted; /* by browsers: its profile says public: true */
    lt_time now;
    void (*cut)(struct request *r, struct lt_buf *tbs); /* a change of the finished bytes */
};

static struct lt_arena arena;
static struct lt_buf tbs;
static struct lt_buf subject;
static struct ca_examiner_state *state;

/* ---- the standing world ---- */

static const uint8_t key_ids[4][20] = {{1}, {2}, {3}, {4}};

static void make_issuer(size_t i, const char *name, const struct test_key *k, bool ca)
{
    struct lt_buf dn;
    struct lt_buf out;
    struct lt_buf signature;
    struct lt_buf der;
    struct der_writer w;
    lt_buf_init(&dn, 1024);
    lt_buf_init(&out, 8192);
    lt_buf_init(&signature, 2048);
    lt_buf_init(&der, 8192);
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(name)};
    der_write_init(&w, &dn);
    assert_ok(x509_name_write(&w, &item, 1));
    struct x509_tbs_spec s = {
        .sig_alg = x509_sig_alg_for(k->type),
        .serial = LT_LIT("\x01\x02\x03\x04\x05\x06\x07\x08\x09"),
        .issuer = lt_buf_slice(&dn),
        .subject = lt_buf_slice(&dn),
        .not_before = lt_time_from_seconds(NOW - 86400 * 100),
        .not_after = lt_time_from_seconds(NOW + INT64_C(86400) * 1000),
        .spki = test_key_spki(k),
        .ca = ca,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_SLICE(key_ids[i], 20),
    };
    assert_ok(x509_tbs_build(&s, &out));
    test_sign(k, s.sig_alg, lt_buf_slice(&out), &signature);
    assert_ok(x509_assemble(lt_buf_slice(&out), s.sig_alg, lt_buf_slice(&signature), &der));
    lt_slice kept = lt_arena_copy(&standing, lt_buf_slice(&der));
    assert_ok(x509_cert_parse(kept, &standing, &issuer_certs[i]));
    issuers[i] = (struct ca_examine_issuer){.name = name, .cert = &issuer_certs[i]};
    lt_buf_done(&dn);
    lt_buf_done(&out);
    lt_buf_done(&signature);
    lt_buf_done(&der);
}

static int world_up(void **unused)
{
    if (test_keys_make(unused) != 0 || mkdtemp(folder) == NULL) {
        return -1;
    }
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    lt_arena_init(&standing, 1 << 20);
    assert_ok(ca_profiles_load(DATA_DIR, lt_time_from_seconds(NOW), &profiles));
    make_issuer(0, "tls", &test_keys[0], true);
    make_issuer(1, "workload", &test_keys[1], true);
    make_issuer(2, "not-a-ca", &test_keys[2], false);
    make_issuer(3, "root", &test_keys[4], true);
    issuers[3].offline = true;
    return folder_fd >= 0 ? 0 : -1;
}

static int world_down(void **unused)
{
    ca_profiles_done(&profiles);
    lt_arena_done(&standing);
    (void)close(folder_fd); /* only read */
    (void)rmdir(folder);    /* empty by now */
    return test_keys_free(unused);
}

static void forget_files(void)
{
    static const char *const files[] = {"halts", "blocked", "exceptions"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlinkat(folder_fd, files[i], 0); /* may not be there */
    }
}

static int set_up(void **unused)
{
    (void)unused;
    forget_files();
    lt_arena_init(&arena, 1 << 22);
    lt_buf_init(&tbs, 1 << 20);
    lt_buf_init(&subject, 1024);
    assert_ok(ca_examiner_state_open(folder_fd, &state));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ca_examiner_state_free(state);
    lt_arena_done(&arena);
    lt_buf_done(&tbs);
    lt_buf_done(&subject);
    forget_files();
    return 0;
}

/* ---- one good request ---- */

static const uint8_t serial[16] = {0x0c, 0xf0, 0x1a, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static char text_dns[] = "dns";
static char text_http[] = "http-01";
static char text_tls[] = "tls";
static char text_profile[] = "tls-server";

static void prove(struct request *r, size_t i, char *name)
{
    ipc__identifier__init(&r->identifiers[i]);
    ipc__name_evidence__init(&r->evidence[i]);
    r->identifiers[i].type = text_dns;
    r->identifiers[i].value = name;
    r->evidence[i].identifier = &r->identifiers[i];
    r->evidence[i].method = text_http;
    r->evidence[i].validated_us = (NOW - 3600) * LT_US_PER_SECOND;
    r->evidence[i].authorization_id = 7;
    r->evidence_list[i] = &r->evidence[i];
}

static void add_name(struct request *r, char *name)
{
    size_t i = r->spec.san_count++;
    r->san[i] = (struct x509_general_name){X509_GN_DNS, lt_slice_cstr(name)};
    prove(r, i, name);
    r->m.n_evidence = r->spec.san_count;
}

static void good(struct request *r)
{
    static char one[] = "www.example.com";
    static char two[] = "example.com";
    memset(r, 0, sizeof(*r));
    ipc__sign_request__init(&r->m);
    ipc__halt_list__init(&r->halts);
    ipc__halt__init(&r->halt);
    r->now = lt_time_from_seconds(NOW);
    r->eku[0] = X509_OID_SERVER_AUTH;
    r->policies[0] = x509_oid_der(X509_OID_POLICY_DV);
    r->crl_url = LT_LIT(BASE "/crl/tls.crl");
    r->issuer_url = LT_LIT(BASE "/ca/tls.crt");
    r->spec = (struct x509_tbs_spec){
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_SLICE(serial, sizeof(serial)),
        .issuer = issuer_certs[0].subject.der,
        .not_before = lt_time_from_seconds(NOW - 3600),
        .not_after = ca_validity_end(lt_time_from_seconds(NOW - 3600), INT64_C(90) * 86400),
        .spki = test_key_spki(&test_keys[5]),
        .key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT,
        .eku = r->eku,
        .eku_count = 1,
        .policies = r->policies,
        .policy_count = 1,
        .san = r->san,
        .aki = LT_SLICE(key_ids[0], 20),
        .crl_urls = &r->crl_url,
        .crl_url_count = 1,
        .issuer_urls = &r->issuer_url,
        .issuer_url_count = 1,
    };
    r->m.kind = IPC__SIGN_KIND__SIGN_CERTIFICATE;
    r->m.issuer = text_tls;
    r->m.profile = text_profile;
    r->m.serial = (ProtobufCBinaryData){sizeof(serial), (uint8_t *)(uintptr_t)serial};
    r->m.account_id = 42;
    r->m.evidence = r->evidence_list;
    ipc__book_facts__init(&r->facts);
    r->facts.oldest_validation_us = (NOW - 3600) * LT_US_PER_SECOND;
    r->facts.names_validated = 2;
    r->m.facts = &r->facts;
    r->halts.time_us = (NOW - 1) * LT_US_PER_SECOND;
    r->halts.halts = r->halt_list;
    r->halt_list[0] = &r->halt;
    add_name(r, one);
    add_name(r, two);
}

static const char *host_names[3] = {"localhost"};
static size_t host_name_count = 1;

static void judge(struct request *r, struct ca_verdict *v)
{
    struct ca_examine x = {
        .profiles = &profiles,
        .issuers = issuers,
        .issuer_count = LT_COUNT(issuers),
        .state = state,
        .public_http_url = BASE,
        .host_names = host_names,
        .host_name_count = host_name_count,
    };
    lt_buf_reset(&tbs);
    if (r->m.tbs.len == 0) {
        assert_ok(x509_tbs_build(&r->spec, &tbs));
        if (r->cut != NULL) {
            r->cut(r, &tbs);
        }
        r->m.tbs = (ProtobufCBinaryData){tbs.len, tbs.ptr};
    }
    ca_examiner_forget_list(state);
    if (!r->no_list) {
        assert_ok(ca_examiner_halts(state, &r->halts, lt_time_from_seconds(NOW)));
    }
    struct ca_profile *p = profiles.rows[0];
    for (size_t i = 0; i < profiles.count; i++) {
        p = strcmp(profiles.rows[i]->name, "tls-server") == 0 ? profiles.rows[i] : p;
    }
    p->public_trust = r->trusted;
    ca_examine_certificate(&x, &r->m, r->now, &arena, v);
    p->public_trust = false;
}

/* ---- lies ---- */

static void stale_list(struct request *r)
{
    r->halts.time_us = (NOW - 6) * LT_US_PER_SECOND;
}
static void list_of_the_future(struct request *r)
{
    r->halts.time_us = (NOW + 6) * LT_US_PER_SECOND;
}
static void no_list(struct request *r)
{
    r->no_list = true;
}
static void held(struct request *r)
{
    r->halts.hold = true;
}
static void halt(struct request *r, Ipc__HaltKind kind, const char *value)
{
    static char id[] = "h1";
    static char reason[] = "a drill";
    r->halt.id = id;
    r->halt.kind = kind;
    r->halt.value = (char *)(uintptr_t)value;
    r->halt.reason = reason;
    r->halts.n_halts = 1;
}
static void halted_all(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_ALL, "");
}
static void halted_profile(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_PROFILE, "tls-server");
}
static void halted_issuer(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_ISSUER, "tls");
}
static void halted_account(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_ACCOUNT, "42");
}
static void halted_name(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com");
}
static void halted_method(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_METHOD, "http-01");
}
static void halted_elsewhere(struct request *r)
{
    halt(r, IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.org");
}
static void precertificate(struct request *r)
{
    r->m.kind = IPC__SIGN_KIND__SIGN_PRECERTIFICATE;
}
static void crl_as_certificate(struct request *r)
{
    r->m.kind = IPC__SIGN_KIND__SIGN_CRL;
}
static void unknown_issuer(struct request *r)
{
    static char name[] = "nobody";
    r->m.issuer = name;
}
static void offline_issuer(struct request *r)
{
    static char name[] = "root";
    r->m.issuer = name;
}
static void issuer_without_ca(struct request *r)
{
    static char name[] = "not-a-ca";
    r->m.issuer = name;
}
static void issuer_expired(struct request *r)
{
    r->now = lt_time_from_seconds(NOW + INT64_C(86400) * 1001);
    r->halts.time_us = r->now.us;
}
static void other_issuer(struct request *r)
{
    static char name[] = "workload";
    r->m.issuer = name;
}
static void unknown_profile(struct request *r)
{
    static char name[] = "anything";
    r->m.profile = name;
}
static void ca_profile(struct request *r)
{
    static char profile[] = "ca-workload";
    r->m.profile = profile;
}
static void ca_true(struct request *r)
{
    r->spec.ca = true;
}
static void path_len(struct request *r)
{
    r->spec.ca = true;
    r->spec.has_path_len = true;
}
static void cert_sign(struct request *r)
{
    r->spec.key_usage |= X509_KU_KEY_CERT_SIGN;
}
static void crl_sign(struct request *r)
{
    r->spec.key_usage |= X509_KU_CRL_SIGN;
}
static void poison(struct request *r)
{
    r->spec.ct_poison = true;
}
static void constraints(struct request *r)
{
    r->spec.permitted = r->san;
    r->spec.permitted_count = 1;
}
static void other_serial(struct request *r)
{
    static uint8_t other[16] = {0x0c, 0xf0, 0x1a, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13};
    r->m.serial.data = other;
}
static void shorter_serial(struct request *r)
{
    r->m.serial.len = 15;
}
static void tiny_serial(struct request *r)
{
    r->spec.serial.len = 8;
    r->m.serial.len = 8;
}
static void issuers_name(struct request *r)
{
    r->spec.issuer = issuer_certs[1].subject.der;
}
static void issuers_key_id(struct request *r)
{
    r->spec.aki = LT_SLICE(key_ids[1], 20);
}
static void no_key_id(struct request *r)
{
    r->spec.aki.len = 0;
}
static void wrong_algorithm(struct request *r)
{
    r->spec.sig_alg = X509_SIG_ECDSA_SHA384;
}
static void rsa_algorithm(struct request *r)
{
    r->spec.sig_alg = X509_SIG_RSA_SHA256;
}
static void name_without_evidence(struct request *r)
{
    static char more[] = "evil.example.net";
    add_name(r, more);
    r->m.n_evidence--;
}
static void evidence_for_another(struct request *r)
{
    static char other[] = "example.net";
    r->identifiers[1].value = other;
}
static void evidence_counted_twice(struct request *r)
{
    static char more[] = "evil.example.net";
    add_name(r, more);
    r->evidence_list[2] = &r->evidence[0];
}
static void more_evidence_than_names(struct request *r)
{
    static char more[] = "more.example.net";
    prove(r, 2, more);
    r->m.n_evidence = 3;
}
static void name_twice(struct request *r)
{
    r->san[1] = r->san[0];
}
static void evidence_without_name(struct request *r)
{
    r->evidence[0].identifier = NULL;
}
static void name_with_nul(struct request *r)
{
    r->san[0].value = LT_LIT("www.example.com\0.example.net");
}
static void mail_name(struct request *r)
{
    r->san[0] = (struct x509_general_name){X509_GN_EMAIL, LT_LIT("a@example.com")};
}
static void old_evidence(struct request *r)
{
    r->evidence[1].validated_us = (NOW - INT64_C(201) * 86400) * LT_US_PER_SECOND;
}
static void evidence_of_the_future(struct request *r)
{
    r->evidence[1].validated_us = (NOW + 61) * LT_US_PER_SECOND;
}
static void evidence_without_time(struct request *r)
{
    r->evidence[1].validated_us = 0;
}
static void old_caa(struct request *r)
{
    r->evidence[0].caa_checked_us = (NOW - 9 * 3600) * LT_US_PER_SECOND;
}
static void unknown_method(struct request *r)
{
    static char method[] = "trust-me";
    r->evidence[0].method = method;
}
static void internal_method(struct request *r)
{
    static char method[] = "internal";
    r->evidence[0].method = method;
}
static void wildcard(struct request *r)
{
    static char name[] = "*.example.com";
    r->san[0].value = lt_slice_cstr(name);
    r->identifiers[0].value = name;
}
static void set_method(struct request *r, size_t i, const char *method)
{
    r->evidence[i].method = (char *)(uintptr_t)method; /* only read */
}
static void caa_as_method(struct request *r)
{
    set_method(r, 0, "caa");
}
static void wildcard_by_tls(struct request *r)
{
    wildcard(r);
    set_method(r, 0, "tls-alpn-01");
}
static void wildcard_by_website(struct request *r)
{
    wildcard(r);
    set_method(r, 0, "website-change");
}
static void name_by_address_method(struct request *r)
{
    set_method(r, 0, "reverse-01");
}
static void persistent_too_long(struct request *r)
{
    set_method(r, 0, "dns-persist-01");
    r->evidence[0].validated_us = (NOW - 11 * 86400) * LT_US_PER_SECOND;
}
static void before_its_day(struct request *r)
{
    set_method(r, 0, "dns-persist-01");
    r->evidence[0].validated_us = (NOW - INT64_C(400) * 86400) * LT_US_PER_SECOND;
}
static void public_without_caa(struct request *r)
{
    r->trusted = true;
    r->evidence[1].caa_checked_us = 0;
}
static void public_without_perspectives(struct request *r)
{
    r->trusted = true;
    r->evidence[0].quorum = 5; /* the registrar's word */
    r->evidence[1].quorum = 5;
}
static void address_name(struct request *r)
{
    static const uint8_t ip[4] = {8, 8, 8, 8};
    static char type[] = "ip";
    static char value[] = "8.8.8.8";
    r->san[0] = (struct x509_general_name){X509_GN_IP, {ip, 4}};
    r->identifiers[0].type = type;
    r->identifiers[0].value = value;
    static char method[] = "dns-01"; /* proves names alone */
    r->evidence[0].method = method;
}
static void upper_case(struct request *r)
{
    static char name[] = "WWW.example.com";
    r->san[0].value = lt_slice_cstr(name);
    r->identifiers[0].value = name;
}
static void one_label(struct request *r)
{
    static char name[] = "localhost";
    r->san[0].value = lt_slice_cstr(name);
    r->identifiers[0].value = name;
}
static void internal_name(struct request *r)
{
    static char name[] = "db.corp";
    r->san[0].value = lt_slice_cstr(name);
    r->identifiers[0].value = name;
}
static void issuers_own_key(struct request *r)
{
    r->spec.spki = test_key_spki(&test_keys[0]);
    r->spec.key_usage = X509_KU_DIGITAL_SIGNATURE;
}
static void too_long(struct request *r)
{
    r->spec.not_after = lt_time_add_seconds(r->spec.not_before, INT64_C(200) * 86400);
}
static void in_the_future(struct request *r)
{
    r->spec.not_before = lt_time_from_seconds(NOW + 120);
}
static void backdated(struct request *r)
{
    r->spec.not_before = lt_time_from_seconds(NOW - 49 * 3600);
}
static void over_already(struct request *r)
{
    r->spec.not_after = lt_time_from_seconds(NOW - 1);
}
static void no_such_key(struct request *r)
{
    r->spec.spki = test_key_spki(&test_keys[3]);
}
static void client_auth(struct request *r)
{
    r->eku[1] = X509_OID_CLIENT_AUTH;
    r->spec.eku_count = 2;
}
static void no_eku(struct request *r)
{
    r->spec.eku_count = 0;
}
static void other_usage(struct request *r)
{
    r->spec.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_CONTENT_COMMITMENT;
}
static void other_policy(struct request *r)
{
    r->policies[0] = x509_oid_der(X509_OID_POLICY_EV);
}
static void more_policy(struct request *r)
{
    r->policies[1] = x509_oid_der(X509_OID_ANY_POLICY);
    r->spec.policy_count = 2;
}
static void no_crl(struct request *r)
{
    r->spec.crl_url_count = 0;
}
static void crl_of_another(struct request *r)
{
    r->crl_url = LT_LIT(BASE "/crl/smime.crl");
}
static void crl_elsewhere(struct request *r)
{
    r->crl_url = LT_LIT("http://evil.example.net/crl/tls.crl");
}
static void ocsp_pointer(struct request *r)
{
    r->spec.ocsp_urls = &r->crl_url;
    r->spec.ocsp_url_count = 1;
}
static void key_id_not_in_profile(struct request *r)
{
    r->spec.ski = LT_SLICE(key_ids[3], 20);
}
static void put_name(struct request *r, enum x509_oid type, const char *value)
{
    struct der_writer w;
    struct x509_name_item item = {type, lt_slice_cstr(value)};
    lt_buf_reset(&subject);
    der_write_init(&w, &subject);
    assert_ok(x509_name_write(&w, &item, 1));
    r->spec.subject = lt_buf_slice(&subject);
}
static void common_name(struct request *r)
{
    put_name(r, X509_OID_CN, "www.example.com");
}
static void organization(struct request *r)
{
    put_name(r, X509_OID_O, "Example");
}
static void unknown_extension(struct request *r)
{
    static const struct x509_raw_extension x = {
        {(const uint8_t *)"\x2a\x03\x04", 3}, false, {(const uint8_t *)"\x05", 1}};
    r->spec.extra = &x;
    r->spec.extra_count = 1;
}
static void sct_list(struct request *r)
{
    static const uint8_t list[51] = {0, 49, 0, 47}; /* one, of version 1, all zero */
    r->spec.sct_list = LT_SLICE(list, sizeof(list));
}
static void trailing_byte(struct request *r, struct lt_buf *out)
{
    (void)r; /* it is about the bytes */
    lt_buf_add_byte(out, 0);
}
static void serial_used(struct request *r)
{
    r->facts.serial_uses = 1;
}
static void crl_at_another_address(struct request *r)
{
    static char url[] = "http://elsewhere.example/crl/tls.crl";
    r->facts.crl_url = url;
}
static void fewer_names_proven(struct request *r)
{
    r->facts.names_validated = 1;
}
static void validation_older_than_evidence(struct request *r)
{
    r->facts.oldest_validation_us = (NOW - INT64_C(500) * 86400) * LT_US_PER_SECOND;
}
static void bytes_behind(struct request *r)
{
    r->cut = trailing_byte;
}
static void half(struct request *r, struct lt_buf *out)
{
    (void)r; /* it is about the bytes */
    out->len /= 2;
}
static void bytes_missing(struct request *r)
{
    r->cut = half;
}
static void no_bytes(struct request *r)
{
    static uint8_t nothing[1] = {0};
    r->m.tbs = (ProtobufCBinaryData){1, nothing};
}

static const struct {
    const char *name;
    void (*lie)(struct request *r);
    const char *refusal;
    bool later;
} lies[] = {
    {"stale list", stale_list, "stale-halts", true},
    {"list of the future", list_of_the_future, "stale-halts", true},
    {"no list", no_list, "stale-halts", true},
    {"held", held, "halt", true},
    {"halted all", halted_all, "halt", false},
    {"halted profile", halted_profile, "halt", false},
    {"halted issuer", halted_issuer, "halt", false},
    {"halted account", halted_account, "halt", false},
    {"halted name", halted_name, "halt", false},
    {"halted method", halted_method, "halt", false},
    {"precertificate", precertificate, "unsupported", false},
    {"CRL as certificate", crl_as_certificate, "unsupported", false},
    {"unknown issuer", unknown_issuer, "constraint", false},
    {"offline issuer", offline_issuer, "constraint", false},
    {"issuer without cA", issuer_without_ca, "constraint", false},
    {"issuer expired", issuer_expired, "constraint", false},
    {"profile of another issuer", other_issuer, "profile", false},
    {"unknown profile", unknown_profile, "profile", false},
    {"cA TRUE", ca_true, "constraint", false},
    {"pathLenConstraint", path_len, "constraint", false},
    {"keyCertSign", cert_sign, "constraint", false},
    {"cRLSign", crl_sign, "constraint", false},
    {"poison", poison, "constraint", false},
    {"nameConstraints", constraints, "constraint", false},
    {"other serial", other_serial, "constraint", false},
    {"shorter serial", shorter_serial, "constraint", false},
    {"tiny serial", tiny_serial, "constraint", false},
    {"issuer's name", issuers_name, "constraint", false},
    {"issuer's key identifier", issuers_key_id, "constraint", false},
    {"no key identifier", no_key_id, "constraint", false},
    {"SHA-384 with P-256", wrong_algorithm, "constraint", false},
    {"RSA with an EC key", rsa_algorithm, "constraint", false},
    {"a name without evidence", name_without_evidence, "evidence", false},
    {"evidence for another", evidence_for_another, "evidence", false},
    {"evidence counted twice", evidence_counted_twice, "evidence", false},
    {"more evidence than names", more_evidence_than_names, "evidence", false},
    {"a name twice", name_twice, "evidence", false},
    {"evidence without a name", evidence_without_name, "evidence", false},
    {"a name with a NUL", name_with_nul, "evidence", false},
    {"a mail name", mail_name, "evidence", false},
    {"old evidence", old_evidence, "evidence", false},
    {"evidence of the future", evidence_of_the_future, "evidence", false},
    {"evidence without time", evidence_without_time, "evidence", false},
    {"old CAA", old_caa, "evidence", false},
    {"unknown method", unknown_method, "evidence", false},
    {"internal method", internal_method, "evidence", false},
    {"wildcard", wildcard, "evidence", false},
    {"CAA alone", caa_as_method, "evidence", false},
    {"wildcard by tls-alpn-01", wildcard_by_tls, "evidence", false},
    {"wildcard by a website", wildcard_by_website, "evidence", false},
    {"a method of nobody", name_by_address_method, "evidence", false},
    {"a persistent record after eleven days", persistent_too_long, "evidence", false},
    {"a method before its day", before_its_day, "evidence", false},
    {"public without CAA", public_without_caa, "evidence", false},
    {"public without perspectives", public_without_perspectives, "evidence", false},
    {"address", address_name, "evidence", false},
    {"upper case", upper_case, "evidence", false},
    {"one label", one_label, "evidence", false},
    {"internal name", internal_name, "lint", false},
    {"issuer's own key", issuers_own_key, "blocked-key", false},
    {"too long", too_long, "profile", false},
    {"in the future", in_the_future, "profile", false},
    {"backdated", backdated, "profile", false},
    {"over already", over_already, "profile", false},
    {"no such key type", no_such_key, "profile", false},
    {"clientAuth", client_auth, "profile", false},
    {"no extKeyUsage", no_eku, "profile", false},
    {"other usage", other_usage, "profile", false},
    {"other policy", other_policy, "profile", false},
    {"more policies", more_policy, "profile", false},
    {"no CRL pointer", no_crl, "profile", false},
    {"CRL of another issuer", crl_of_another, "profile", false},
    {"CRL elsewhere", crl_elsewhere, "profile", false},
    {"OCSP pointer", ocsp_pointer, "profile", false},
    {"a key identifier too many", key_id_not_in_profile, "profile", false},
    {"a common name", common_name, "profile", false},
    {"an organization", organization, "profile", false},
    {"an unknown extension", unknown_extension, "profile", false},
    {"SCTs", sct_list, "profile", false},
    {"a serial that was used", serial_used, "lint", false},
    {"a CRL at another address", crl_at_another_address, "lint", false},
    {"fewer names proven than stand in it", fewer_names_proven, "lint", false},
    {"a validation older than the evidence", validation_older_than_evidence, "lint", false},
    {"bytes behind", bytes_behind, "malformed", false},
    {"bytes missing", bytes_missing, "malformed", false},
    {"no bytes", no_bytes, "malformed", false},
};

static void a_good_request_passes(void **unused)
{
    (void)unused;
    struct request r;
    struct ca_verdict v;
    good(&r);
    judge(&r, &v);
    if (v.refusal != NULL) {
        fail_msg("%s: %s", v.refusal, v.detail);
    }
    assert_true(v.lint.worst < LINT_ERROR);
    assert_true(v.lint.tally[LINT_PASS] > 15);
    assert_string_equal(v.profile->name, "tls-server");
    good(&r);
    halted_elsewhere(&r);
    judge(&r, &v);
    assert_null(v.refusal);
    good(&r);
    halt(&r, IPC__HALT_KIND__HALT_METHOD, "dns-01"); /* and it was http-01 */
    judge(&r, &v);
    assert_null(v.refusal);
    good(&r);
    set_method(&r, 0, "dns-persist-01");
    r.evidence[0].validated_us = (NOW - 9 * 86400) * LT_US_PER_SECOND;
    r.evidence[1].validated_us = (NOW - 9 * 86400) * LT_US_PER_SECOND;
    set_method(&r, 1, "dns-change"); /* by hand proves as well as by ACME */
    judge(&r, &v);
    assert_null(v.refusal);
}

static void every_lie_is_refused(void **unused)
{
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        struct request r;
        struct ca_verdict v;
        (void)tear_down(unused); /* halts of the row before stay in force otherwise */
        (void)set_up(unused);
        good(&r);
        lies[i].lie(&r);
        judge(&r, &v);
        if (v.refusal == NULL || strcmp(v.refusal, lies[i].refusal) != 0 || v.later != lies[i].later) {
            fail_msg("%s: expected %s, got %s (%s)", lies[i].name, lies[i].refusal,
                     v.refusal == NULL ? "a signature" : v.refusal, v.detail == NULL ? "" : v.detail);
        }
        assert_non_null(v.detail);
    }
}

/* What is found in something that may be signed is kept: each rule once, without a path. */
static void what_is_found_is_noted(void **unused)
{
    (void)unused;
    struct request r;
    struct ca_verdict v;
    struct ca_noted notes[CA_NOTED_MAX];
    struct ca_examine x = {.state = state};
    good(&r);
    judge(&r, &v);
    size_t count = ca_examine_note(&x, &v.lint, "tls-server", r.now, notes);
    assert_true(count > 0 && count <= v.lint.count);
    for (size_t i = 0; i < count; i++) {
        assert_true(notes[i].level >= LINT_NOTICE && notes[i].level < LINT_ERROR && !notes[i].excepted);
        assert_true(i == 0 || notes[i].rule != notes[i - 1].rule);
    }
}

/* For linters that want a whole one: the same bytes, an algorithm that fits, and nobody's signature. */
static void a_dummy_certificate_is_whole(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(issuers); i++) {
        struct request r;
        struct x509_cert cert;
        struct lt_buf der;
        struct lt_buf again;
        good(&r);
        r.spec.sig_alg = x509_sig_alg_for(issuer_certs[i].spki.type);
        lt_buf_reset(&tbs);
        assert_ok(x509_tbs_build(&r.spec, &tbs));
        lt_buf_init(&der, 65536);
        lt_buf_init(&again, 65536);
        assert_ok(ca_dummy_certificate(lt_buf_slice(&tbs), &issuer_certs[i].spki, &der));
        assert_ok(ca_dummy_certificate(lt_buf_slice(&tbs), &issuer_certs[i].spki, &again));
        assert_true(lt_slice_eq(lt_buf_slice(&der), lt_buf_slice(&again)));
        assert_ok(x509_cert_parse(lt_buf_slice(&der), &arena, &cert));
        assert_true(lt_slice_eq(cert.tbs, lt_buf_slice(&tbs)));
        struct crypto_pub *key = NULL;
        assert_ok(crypto_pub_import(&issuer_certs[i].spki, &key));
        assert_true(
            lt_failed(crypto_pub_verify(key, (enum crypto_sig_alg)cert.sig_alg, cert.tbs, cert.signature)));
        crypto_pub_free(key);
        lt_buf_done(&der);
        lt_buf_done(&again);
    }
    struct x509_spki unknown = {.type = X509_KEY_UNKNOWN};
    struct lt_buf none;
    lt_buf_init(&none, 1024);
    assert_true(lt_failed(ca_dummy_certificate(LT_LIT("\x30\x00"), &unknown, &none)));
    lt_buf_done(&none);
}

/* A CA profile names its own issuer, so it is reached under that one. */
static void no_request_uses_a_ca_profile(void **unused)
{
    (void)unused;
    struct request r;
    struct ca_verdict v;
    good(&r);
    ca_profile(&r);
    issuers[3].offline = false;
    offline_issuer(&r);
    judge(&r, &v);
    issuers[3].offline = true;
    assert_string_equal(v.refusal, "constraint");
    assert_non_null(strstr(v.detail, "makes CAs"));
}

/* A halt that the registrar leaves out again stays. */
static void a_halt_is_not_forgotten(void **unused)
{
    (void)unused;
    struct request r;
    struct ca_verdict v;
    good(&r);
    halted_name(&r);
    judge(&r, &v);
    assert_string_equal(v.refusal, "halt");
    good(&r);
    judge(&r, &v);
    assert_string_equal(v.refusal, "halt");
    ca_examiner_state_free(state);
    assert_ok(ca_examiner_state_open(folder_fd, &state)); /* as after a restart */
    good(&r);
    judge(&r, &v);
    assert_string_equal(v.refusal, "halt");
}

static void a_blocked_key(void **unused)
{
    (void)unused;
    struct request r;
    struct ca_verdict v;
    uint8_t hash[32];
    static char reason[] = "found in a public repository";
    Ipc__KeyBlock b = IPC__KEY_BLOCK__INIT;
    good(&r);
    crypto_sha256(r.spec.spki, hash);
    b.spki_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
    b.reason = reason;
    assert_ok(ca_examiner_block(state, &b));
    judge(&r, &v);
    assert_string_equal(v.refusal, "blocked-key");
    ca_examiner_state_free(state);
    assert_ok(ca_examiner_state_open(folder_fd, &state));
    good(&r);
    judge(&r, &v);
    assert_string_equal(v.refusal, "blocked-key");
    b.spki_sha256.len = 31;
    assert_fails(ca_examiner_block(state, &b), LT_PEER_MALFORMED);
}

/* A request for a certificate of our own, of one name. */
static void judge_own(const char *type, const char *value, const char *how, struct ca_verdict *v)
{
    static char workload[] = "workload";
    static char service[] = "service";
    struct request r;
    struct x509_ip ip;
    good(&r);
    r.m.issuer = workload;
    r.m.profile = service;
    r.spec.issuer = issuer_certs[1].subject.der;
    r.spec.aki = LT_SLICE(key_ids[1], 20);
    r.spec.sig_alg = X509_SIG_ECDSA_SHA384;
    r.spec.spki = test_key_spki(&test_keys[0]);
    r.spec.key_usage = X509_KU_DIGITAL_SIGNATURE;
    r.spec.policy_count = 0;
    r.crl_url = LT_LIT(BASE "/crl/workload.crl");
    r.issuer_url = LT_LIT(BASE "/ca/workload.crt");
    r.spec.not_after = ca_validity_end(r.spec.not_before, INT64_C(7) * 86400);
    r.spec.san_count = 1;
    r.m.n_evidence = 1;
    r.san[0].value = lt_slice_cstr(value);
    if (strcmp(type, "ip") == 0) {
        assert_ok(x509_ip_parse(lt_slice_cstr(value), &ip));
        r.san[0] = (struct x509_general_name){X509_GN_IP, LT_SLICE(ip.bytes, ip.len)};
    }
    r.identifiers[0].type = (char *)(uintptr_t)type;
    r.identifiers[0].value = (char *)(uintptr_t)value;
    r.evidence[0].method = (char *)(uintptr_t)how;
    r.evidence[0].validated_us = 0;
    struct ca_examine_issuer kept = issuers[0];
    issuers[0].cert = issuers[1].cert; /* the first key is no issuer's here */
    judge(&r, v);
    issuers[0] = kept;
}

/* Nobody proves these names: no other ones than those of the configuration. */
static void our_own_listeners(void **unused)
{
    (void)unused;
    static const struct {
        const char *hosts[3];
        const char *type;
        const char *value;
        const char *method;
        bool good;
    } rows[] = {
        {{"localhost"}, "dns", "localhost", "internal", true},
        {{"localhost"}, "ip", "127.0.0.1", "internal", true},
        {{"localhost"}, "ip", "::1", "internal", true},
        {{"ca.example.com", "10.0.0.5"}, "dns", "ca.example.com", "internal", true},
        {{"ca.example.com", "10.0.0.5"}, "ip", "10.0.0.5", "internal", true},
        {{"2001:db8:0::5"}, "ip", "2001:db8::5", "internal", true}, /* written otherwise */
        {{"*.example.com"}, "dns", "*.example.com", "internal", true},
        {{"localhost"}, "dns", "localhost", "http-01", false},
        {{"localhost"}, "dns", "www.example.com", "internal", false},
        {{"localhost"}, "dns", "*.example.com", "internal", false},
        {{"localhost"}, "dns", "localhost.example.com", "internal", false},
        {{"localhost"}, "ip", "127.0.0.2", "internal", false},
        {{"localhost"}, "ip", "8.8.8.8", "internal", false},
        {{"ca.example.com"}, "dns", "localhost", "internal", false},
        {{"ca.example.com"}, "ip", "127.0.0.1", "internal", false},
        {{"ca.example.com"}, "ip", "::1", "internal", false},
        {{"ca.example.com"}, "dns", "*.example.com", "internal", false},
        {{"ca.example.com"}, "dns", "example.com", "internal", false},
        {{"*.example.com"}, "dns", "ca.example.com", "internal", false},
        {{"10.0.0.5"}, "ip", "10.0.0.6", "internal", false},
        {{NULL}, "dns", "localhost", "internal", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_verdict v;
        host_name_count = 0;
        while (host_name_count < LT_COUNT(rows[i].hosts) && rows[i].hosts[host_name_count] != NULL) {
            host_names[host_name_count] = rows[i].hosts[host_name_count];
            host_name_count++;
        }
        judge_own(rows[i].type, rows[i].value, rows[i].method, &v);
        const char *got = v.refusal == NULL ? "" : v.refusal;
        if (strcmp(got, rows[i].good ? "" : "evidence") != 0) {
            fail_msg("row %zu, %s: '%s' (%s)", i, rows[i].value, got, v.detail == NULL ? "" : v.detail);
        }
    }
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

/* ---- responders of OCSP ---- */

struct responder_case {
    const char *refusal; /* NULL: it is signed */
    const char *cn;
    bool no_check;
    bool crl_pointer;
    bool named;
    enum x509_oid purpose;
    int64_t days;
    lt_slice no_check_value;
};

static void responder_name(const char *cn)
{
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(cn)};
    lt_buf_reset(&subject);
    der_write_init(&w, &subject);
    assert_ok(x509_name_write(&w, &item, 1));
}

static void make_responder(struct request *r, const struct responder_case *c, lt_slice spki,
                           struct x509_raw_extension *extra)
{
    static char profile[] = "ocsp-tls";
    static uint8_t key_id[20] = {9};
    good(r);
    r->m.profile = profile;
    r->m.account_id = 0;
    r->spec.san_count = c->named ? 1 : 0;
    r->m.n_evidence = c->named ? 1 : 0;
    r->facts.names_validated = (uint32_t)r->m.n_evidence;
    r->eku[0] = c->purpose;
    r->spec.policy_count = 0;
    r->spec.crl_url_count = c->crl_pointer ? 1 : 0;
    r->spec.issuer_url_count = 0;
    r->spec.key_usage = X509_KU_DIGITAL_SIGNATURE;
    r->spec.spki = spki;
    r->spec.ski = LT_SLICE(key_id, sizeof key_id);
    r->spec.not_after = ca_validity_end(lt_time_from_seconds(NOW - 3600), c->days * 86400);
    *extra = (struct x509_raw_extension){.oid = x509_oid_der(X509_OID_OCSP_NO_CHECK),
                                         .value = c->no_check_value};
    r->spec.extra = extra;
    r->spec.extra_count = c->no_check ? 1 : 0;
    responder_name(c->cn);
    r->spec.subject = lt_buf_slice(&subject);
}

static void responders(void **unused)
{
    (void)unused;
    struct crypto_key *key;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
#define NULL_DER LT_LIT("\x05\x00")
    const struct responder_case rows[] = {
        {NULL, "OCSP responder 1", true, false, false, X509_OID_OCSP_SIGNING, 30, NULL_DER},
        {"profile", "OCSP responder 1", false, false, false, X509_OID_OCSP_SIGNING, 30, NULL_DER},
        {"profile", "OCSP responder 1", true, false, false, X509_OID_OCSP_SIGNING, 30, LT_LIT("\x04\x00")},
        {"profile", "OCSP responder 1", true, true, false, X509_OID_OCSP_SIGNING, 30, NULL_DER},
        {"evidence", "OCSP responder 1", true, false, true, X509_OID_OCSP_SIGNING, 30, NULL_DER},
        {"profile", "OCSP responder 1", true, false, false, X509_OID_SERVER_AUTH, 30, NULL_DER},
        {"profile", "OCSP responder 1", true, false, false, X509_OID_OCSP_SIGNING, 31, NULL_DER},
        {"profile", "tls", true, false, false, X509_OID_OCSP_SIGNING, 30,
         NULL_DER}, /* the issuer's own name */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct request r;
        struct ca_verdict v;
        struct x509_raw_extension extra;
        make_responder(&r, &rows[i], crypto_key_spki(key), &extra);
        judge(&r, &v);
        if ((v.refusal == NULL) != (rows[i].refusal == NULL) ||
            (v.refusal != NULL && strcmp(v.refusal, rows[i].refusal) != 0)) {
            print_error("row %zu: %s: %s\n", i, v.refusal == NULL ? "signed" : v.refusal,
                        v.detail == NULL ? "" : v.detail);
        }
        assert_int_equal(v.refusal == NULL, rows[i].refusal == NULL);
        assert_true(v.refusal == NULL || strcmp(v.refusal, rows[i].refusal) == 0);
    }
    /* and its extension stands in nobody else's */
    struct request r;
    struct ca_verdict v;
    const struct x509_raw_extension extra = {.oid = x509_oid_der(X509_OID_OCSP_NO_CHECK), .value = NULL_DER};
    good(&r);
    r.spec.extra = &extra;
    r.spec.extra_count = 1;
    judge(&r, &v);
    assert_string_equal(v.refusal, "profile");
    crypto_key_free(key);
#undef NULL_DER
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(responders),
        EACH(what_is_found_is_noted),
        EACH(a_dummy_certificate_is_whole),
        EACH(a_good_request_passes),
        EACH(every_lie_is_refused),
        EACH(no_request_uses_a_ca_profile),
        EACH(a_halt_is_not_forgotten),
        EACH(a_blocked_key),
        EACH(our_own_listeners),
    };
    return cmocka_run_group_tests_name("ca/examine", tests, world_up, world_down);
}
