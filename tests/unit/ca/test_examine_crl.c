/* A CRL against the one before: what may leave it, and every way to lose an entry, refused. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../x509/keys.h"
#include "ca/examine.h"
#include "x509/crl.h"
#include "x509/tbs.h"

#define NOW INT64_C(1795305600)
#define DAY INT64_C(86400)

static struct lt_arena arena;
static struct x509_cert cert;
static struct ca_examine_issuer issuer = {"tls", &cert, false};
static struct ca_profiles no_profiles;
static struct ca_examine x = {.profiles = &no_profiles,
                              .issuers = &issuer,
                              .issuer_count = 1,
                              .public_http_url = "http://ca.example.com"};
static const uint8_t key_id[20] = {7};
static struct lt_buf name;

static lt_slice keep(struct lt_buf *b)
{
    lt_slice kept = lt_arena_copy(&arena, lt_buf_slice(b));
    assert_non_null(kept.ptr);
    lt_buf_done(b);
    return kept;
}

/* A certificate of the issuer, or of whoever signs; subject of its own. */
static lt_slice certificate(lt_slice serial, int64_t not_after, const struct test_key *by, bool ca)
{
    struct lt_buf tbs;
    struct lt_buf signature;
    struct lt_buf der;
    lt_buf_init(&tbs, 8192);
    lt_buf_init(&signature, 2048);
    lt_buf_init(&der, 8192);
    struct x509_tbs_spec s = {
        .sig_alg = x509_sig_alg_for(by->type),
        .serial = serial,
        .issuer = lt_buf_slice(&name),
        .subject = lt_buf_slice(&name),
        .not_before = lt_time_from_seconds(NOW - 90 * DAY),
        .not_after = lt_time_from_seconds(not_after),
        .spki = test_key_spki(&test_keys[0]),
        .ca = ca,
        .key_usage = ca ? X509_KU_CRL_SIGN | X509_KU_KEY_CERT_SIGN : X509_KU_DIGITAL_SIGNATURE,
        .ski = LT_SLICE(key_id, 20),
    };
    assert_ok(x509_tbs_build(&s, &tbs));
    test_sign(by, s.sig_alg, lt_buf_slice(&tbs), &signature);
    assert_ok(x509_assemble(lt_buf_slice(&tbs), s.sig_alg, lt_buf_slice(&signature), &der));
    lt_buf_done(&tbs);
    lt_buf_done(&signature);
    return keep(&der);
}

static int world_up(void **unused)
{
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, LT_LIT("TLS")};
    if (test_keys_make(unused) != 0) {
        return -1;
    }
    lt_arena_init(&arena, 1 << 26);
    lt_buf_init(&name, 1024);
    der_write_init(&w, &name);
    assert_ok(x509_name_write(&w, &item, 1));
    assert_ok(
        x509_cert_parse(certificate(LT_LIT("\x01"), NOW + 1000 * DAY, &test_keys[0], true), &arena, &cert));
    return 0;
}

static int world_down(void **unused)
{
    lt_arena_done(&arena);
    lt_buf_done(&name);
    return test_keys_free(unused);
}

struct list {
    const char *serials; /* one byte each */
    int64_t this_update;
    int64_t life;
    const char *number;
    enum x509_sig_alg alg;
    const uint8_t *aki;
    const char *idp_url;
    uint32_t shard;   /* as the publisher says */
    uint64_t counted; /* the number, where it is no text */
    uint32_t reason;  /* of all entries; 0: superseded */
    bool of_cas;      /* what it says that it is of */
    bool of_all;
};

static lt_slice number_of(const struct list *l)
{
    if (l->number != NULL) {
        return lt_slice_cstr(l->number);
    }
    uint8_t digits[8];
    for (size_t i = 0; i < sizeof(digits); i++) {
        digits[i] = (uint8_t)(l->counted >> (56 - 8 * i));
    }
    return lt_arena_copy(&arena, LT_SLICE(digits, sizeof(digits)));
}

static lt_slice crl(const struct list *l)
{
    struct lt_buf tbs;
    struct x509_crl_builder b;
    lt_buf_init(&tbs, 1 << 20);
    struct x509_crl_spec s = {
        .sig_alg = l->alg == X509_SIG_UNKNOWN ? X509_SIG_ECDSA_SHA256 : l->alg,
        .issuer = lt_buf_slice(&name),
        .aki = LT_SLICE(l->aki == NULL ? key_id : l->aki, 20),
        .this_update = lt_time_from_seconds(l->this_update),
        .next_update = lt_time_from_seconds(l->this_update + (l->life == 0 ? 7 * DAY : l->life)),
        .number = number_of(l),
        .idp_url = lt_slice_cstr(l->idp_url == NULL ? "" : l->idp_url),
        .only_user_certificates = l->idp_url != NULL && !l->of_cas && !l->of_all,
        .only_ca_certificates = l->of_cas,
    };
    x509_crl_begin(&b, &s, &tbs);
    for (const char *c = l->serials; *c != 0; c++) {
        x509_crl_add(&b, LT_SLICE(c, 1), lt_time_from_seconds(NOW - 30 * DAY),
                     l->reason == 0 ? 4 : l->reason);
    }
    assert_ok(x509_crl_end(&b));
    return keep(&tbs);
}

/* The verdict must not depend on where one slice ends and the next begins. */
static const char *in_slices(const struct ca_crl_asked *asked, size_t slice, const struct ca_verdict *whole)
{
    static struct ca_verdict v;
    struct ca_crl_judging *j = ca_examine_crl_begin(&x, asked, lt_time_from_seconds(NOW), &arena, &v);
    size_t turns = 1;
    while (!ca_examine_crl_go_on(j, slice)) {
        assert_true(++turns < 1000);
    }
    assert_true(ca_examine_crl_go_on(j, slice)); /* done stays done */
    ca_examine_crl_end(j);
    assert_int_equal(v.lint.count, whole->lint.count);
    assert_memory_equal(v.lint.tally, whole->lint.tally, sizeof v.lint.tally);
    if (v.refusal != NULL) {
        assert_string_equal(v.detail, whole->detail);
    }
    return v.refusal == NULL ? "" : v.refusal;
}

static const char *judge(const struct list *now, const struct list *before, lt_slice *proofs,
                         size_t proof_count)
{
    static char tls[] = "tls";
    static struct ca_verdict v;
    ProtobufCBinaryData dropped[8];
    Ipc__CrlSignRequest m = IPC__CRL_SIGN_REQUEST__INIT;
    lt_slice tbs = crl(now);
    for (size_t i = 0; i < proof_count; i++) {
        dropped[i] = (ProtobufCBinaryData){proofs[i].len, (uint8_t *)(uintptr_t)proofs[i].ptr};
    }
    m.issuer = tls;
    m.shard = now->shard;
    lt_slice number = number_of(now);
    m.number = (ProtobufCBinaryData){number.len, (uint8_t *)(uintptr_t)number.ptr};
    m.tbs = (ProtobufCBinaryData){tbs.len, (uint8_t *)(uintptr_t)tbs.ptr};
    m.n_dropped = proof_count;
    m.dropped = dropped;
    lt_slice last = before == NULL ? LT_LIT("") : crl(before);
    ca_examine_crl(&x, &m, last, lt_time_from_seconds(NOW), &arena, &v);
    const char *word = v.refusal == NULL ? "" : v.refusal;
    const struct ca_crl_asked asked = {.m = &m, .tbs = tbs, .before = last};
    for (size_t slice = 1; slice < 4; slice++) {
        assert_string_equal(in_slices(&asked, slice, &v), word);
    }
    return word;
}

static void lists(void **unused)
{
    (void)unused;
    static const uint8_t other[20] = {8};
    static const struct {
        struct list now;
        struct list before;
        bool first;
        const char *refusal;
    } rows[] = {
        {{"", NOW, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, ""},
        {{"ABC", NOW, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, ""},
        {{"ABC", NOW, 0, "2", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, ""},
        {{"ABCD", NOW, 0, "2", 0, NULL}, {"BD", NOW - DAY, 0, "1", 0, NULL}, false, ""},
        {{"ABCD", NOW, 0, "10", 0, NULL}, {"BD", NOW - DAY, 0, "9", 0, NULL}, false, ""},
        {{"ABC", NOW, 0, "1", 0, NULL}, {"ABC", NOW, 0, "1", 0, NULL}, false, ""}, /* the same bytes */
        {{"AC", NOW, 0, "2", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, "lost-entry"},
        {{"BC", NOW, 0, "2", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, "lost-entry"},
        {{"AB", NOW, 0, "2", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, "lost-entry"},
        {{"", NOW, 0, "2", 0, NULL}, {"A", NOW - DAY, 0, "1", 0, NULL}, false, "lost-entry"},
        {{"DEF", NOW, 0, "2", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, "lost-entry"},
        {{"ABCD", NOW, 0, "1", 0, NULL}, {"ABC", NOW - DAY, 0, "1", 0, NULL}, false, "constraint"},
        {{"ABC", NOW, 0, "1", 0, NULL}, {"ABC", NOW - DAY, 0, "2", 0, NULL}, false, "constraint"},
        {{"ABC", NOW, 0, "9", 0, NULL}, {"ABC", NOW - DAY, 0, "10", 0, NULL}, false, "constraint"},
        {{"BA", NOW, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"AA", NOW, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW - 2 * DAY, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW + DAY, 0, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW, 11 * DAY, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW - 60, 30, "2", 0, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW, 0, "2", X509_SIG_ECDSA_SHA384, NULL}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW, 0, "2", 0, other}, {"", 0, 0, "", 0, NULL}, true, "constraint"},
        {{"A", NOW - 1800, 0, "2", 0, NULL}, {"A", NOW - 60, 0, "1", 0, NULL}, false, "constraint"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *word = judge(&rows[i].now, rows[i].first ? NULL : &rows[i].before, NULL, 0);
        if (strcmp(word, rows[i].refusal) != 0) {
            fail_msg("row %zu: '%s' instead of '%s'", i, word, rows[i].refusal);
        }
    }
}

static void an_entry_goes_with_its_proof(void **unused)
{
    (void)unused;
    const struct list before = {"ABC", NOW - DAY, 0, "1", 0, NULL};
    const struct list now = {"AC", NOW, 0, "2", 0, NULL};
    lt_slice proof = certificate(LT_LIT("B"), NOW - DAY - 1, &test_keys[0], false);
    assert_string_equal(judge(&now, &before, &proof, 1), "");
    /* It expired after the CRL before was made: it must stand on this one. */
    proof = certificate(LT_LIT("B"), NOW - DAY, &test_keys[0], false);
    assert_string_equal(judge(&now, &before, &proof, 1), "evidence");
    proof = certificate(LT_LIT("B"), NOW + DAY, &test_keys[0], false);
    assert_string_equal(judge(&now, &before, &proof, 1), "evidence");
    /* Another's certificate, another's signature, no certificate. */
    proof = certificate(LT_LIT("A"), NOW - 2 * DAY, &test_keys[0], false);
    assert_string_equal(judge(&now, &before, &proof, 1), "lost-entry");
    proof = certificate(LT_LIT("B"), NOW - 2 * DAY, &test_keys[1], false);
    assert_string_equal(judge(&now, &before, &proof, 1), "evidence");
    proof = LT_LIT("B");
    assert_string_equal(judge(&now, &before, &proof, 1), "evidence");
    /* Several, in any order. */
    const struct list none = {"", NOW, 0, "2", 0, NULL};
    lt_slice three[] = {certificate(LT_LIT("C"), NOW - 2 * DAY, &test_keys[0], false),
                        certificate(LT_LIT("A"), NOW - 3 * DAY, &test_keys[0], false),
                        certificate(LT_LIT("B"), NOW - 4 * DAY, &test_keys[0], false)};
    assert_string_equal(judge(&none, &before, three, 3), "");
    assert_string_equal(judge(&none, &before, three, 2), "lost-entry");
    assert_string_equal(judge(&none, NULL, three, 3), "evidence");
}

/* A part is held against the part before, and says which it is, byte for byte. */
static void parts(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t shard;
        const char *url;
    } lies[] = {
        {7, NULL},
        {7, "http://ca.example.com/crl/tls.crl"},
        {7, "http://ca.example.com/crl/tls/8.crl"},
        {7, "http://ca.example.com/crl/tls/07.crl"},
        {7, "http://ca.example.com/crl/tls/7.CRL"},
        {7, "https://ca.example.com/crl/tls/7.crl"},
        {7, "http://ca.example.com/crl/other/7.crl"},
        {7, "http://ca.example.com/crl/tls/7.crl?x"},
        {7, "http://evil.example.net/crl/tls/7.crl"},
        {1025, "http://ca.example.com/crl/tls/1025.crl"},
        {UINT32_MAX, "http://ca.example.com/crl/tls/4294967295.crl"},
        {0, "http://ca.example.com/crl/tls.crl"}, /* the complete one says nothing */
        {0, "http://ca.example.com/crl/tls/7.crl"},
    };
    static const char url[] = "http://ca.example.com/crl/tls/7.crl";
    struct list before = {"ABC", NOW - DAY, 0, "1", 0, NULL, url, 7};
    struct list now = {"ABCD", NOW, 0, "2", 0, NULL, url, 7};
    assert_string_equal(judge(&now, NULL, NULL, 0), "");
    assert_string_equal(judge(&now, &before, NULL, 0), "");
    now.serials = "AC";
    assert_string_equal(judge(&now, &before, NULL, 0), "lost-entry");
    now.serials = "ABC";
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        now.shard = lies[i].shard;
        now.idp_url = lies[i].url;
        const char *first = judge(&now, NULL, NULL, 0);
        if (strcmp(first, "constraint") != 0) {
            fail_msg("row %zu: '%s'", i, first);
        }
        assert_string_equal(judge(&now, &before, NULL, 0), "constraint");
    }
    struct list of_cas = {"ABC", NOW, 0, "2", 0, NULL, url, 7, 0, 0, true, false};
    struct list of_all = {"ABC", NOW, 0, "2", 0, NULL, url, 7, 0, 0, false, true};
    assert_string_equal(judge(&of_cas, &before, NULL, 0), "constraint");
    assert_string_equal(judge(&of_all, &before, NULL, 0), "constraint");
}

/* Microseconds and a second of slack; beyond that, the next one alone. */
static void numbers(void **unused)
{
    (void)unused;
    const uint64_t most = (uint64_t)NOW * 1000000 + 1000000;
    const struct {
        uint64_t number;
        uint64_t before; /* 0: none */
        const char *refusal;
    } rows[] = {
        {most, 0, ""},
        {most, most - 1, ""},
        {most, 5, ""},
        {most + 1, most, ""},
        {most + 0x1000000, most + 0xffffff, ""}, /* digits carry */
        {INT64_MAX, INT64_MAX - 1, ""},
        {most + 1, 0, "constraint"},
        {most + 1, most - 1, "constraint"},
        {most + 2, most, "constraint"},
        {most + 2, most + 2 - 256, "constraint"},
        {most + 2, most + 3, "constraint"},
        {INT64_MAX, 0, "constraint"},
        {INT64_MAX, 5, "constraint"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct list now = {"A", NOW, 0, NULL, 0, NULL, NULL, 0, rows[i].number};
        struct list before = {"A", NOW - DAY, 0, NULL, 0, NULL, NULL, 0, rows[i].before};
        const char *word = judge(&now, rows[i].before == 0 ? NULL : &before, NULL, 0);
        if (strcmp(word, rows[i].refusal) != 0) {
            fail_msg("row %zu: '%s' instead of '%s'", i, word, rows[i].refusal);
        }
    }
}

static void not_ours(void **unused)
{
    (void)unused;
    static char nobody[] = "nobody";
    static char tls[] = "tls";
    static uint8_t rubbish[] = {0x30, 0x80};
    struct ca_verdict v;
    Ipc__CrlSignRequest m = IPC__CRL_SIGN_REQUEST__INIT;
    m.issuer = nobody;
    ca_examine_crl(&x, &m, LT_LIT(""), lt_time_from_seconds(NOW), &arena, &v);
    assert_string_equal(v.refusal, "constraint");
    m.issuer = tls;
    m.tbs = (ProtobufCBinaryData){sizeof(rubbish), rubbish};
    ca_examine_crl(&x, &m, LT_LIT(""), lt_time_from_seconds(NOW), &arena, &v);
    assert_string_equal(v.refusal, "malformed");
    issuer.offline = true;
    ca_examine_crl(&x, &m, LT_LIT(""), lt_time_from_seconds(NOW), &arena, &v);
    issuer.offline = false;
    assert_string_equal(v.refusal, "constraint");
}

/* A list that loses nothing and keeps every constraint may still break a rule. */
static void rules(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/lintel-examine-crl-XXXXXX";
    struct ca_examiner_state *state = NULL;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(ca_examiner_state_open(fd, &state));
    struct ca_profile trusted = {.lint_profile = LINT_PROFILE_TLS_DV, .issuer = "tls"};
    struct ca_profile *row = &trusted;
    struct ca_profiles profiles = {.rows = &row, .count = 1};
    x.state = state;
    x.profiles = &profiles;
    struct list before = {.serials = "A", .this_update = NOW - DAY, .number = "1"};
    struct list now = {.serials = "AB", .this_update = NOW, .number = "2"};
    assert_string_equal(judge(&now, &before, NULL, 0), "");
    now.reason = 6; /* certificateHold has no place in a CRL of TLS certificates */
    assert_string_equal(judge(&now, &before, NULL, 0), "lint");
    x.profiles = &no_profiles; /* beyond public trust that is nobody's affair */
    assert_string_equal(judge(&now, &before, NULL, 0), "");
    x.state = NULL;
    ca_examiner_state_free(state);
    (void)unlinkat(fd, "blocked", 0); /* may not be there */
    (void)close(fd);                  /* only read */
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),    cmocka_unit_test(an_entry_goes_with_its_proof),
        cmocka_unit_test(parts),    cmocka_unit_test(numbers),
        cmocka_unit_test(not_ours), cmocka_unit_test(rules),
    };
    return cmocka_run_group_tests_name("ca/examine_crl", tests, world_up, world_down);
}
