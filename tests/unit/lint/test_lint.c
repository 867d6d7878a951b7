/* The engine: facts and days, sources, roles and profiles that are given, statuses, the list of findings,
 * several threads. What rules find is tested beside them. */
#include "forge.h"

#include <pthread.h>

#include "crypto/digest.h"
#include "lint/keys.h"
#include "lint/subject.h"
#include "x509/tbs.h"

#define NOW INT64_C(1795305600) /* 2026-11-22 */
#define DAY INT64_C(86400)

/* Which facts each base has of those that are asked for. */
static const struct {
    const char *base;
    enum lint_role role;
    enum lint_profile profile;
    uint64_t asked;
    uint64_t facts;
} fact_rows[] = {
#define ROLE \
    (LINT_IS_CA | LINT_IS_ROOT | LINT_IS_SUB_CA | LINT_IS_SUBSCRIBER | LINT_IS_SELF_SIGNED | LINT_IS_CROSS_CA)
#define TYPE \
    (LINT_IS_DV | LINT_IS_OV | LINT_IS_IV | LINT_IS_EV | LINT_IS_EV_ANY | LINT_IS_TLS | LINT_IS_SERVER_AUTH)
#define MAIL (LINT_IS_SMIME | LINT_IS_SMIME_MV | LINT_IS_SMIME_SV | LINT_IS_SMIME_STRICT | LINT_IS_EMAIL)
    {"dv", 0, 0, ROLE, LINT_IS_SUBSCRIBER},
    {"dv", 0, 0, TYPE, LINT_IS_DV | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"ov", 0, 0, TYPE, LINT_IS_OV | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"iv", 0, 0, TYPE, LINT_IS_IV | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"ev", 0, 0, TYPE, LINT_IS_EV | LINT_IS_EV_ANY | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"dv", 0, 0, LINT_HAS_EC | LINT_HAS_RSA | LINT_HAS_SAN | LINT_HAS_DNS | LINT_IS_READABLE,
     LINT_HAS_EC | LINT_HAS_SAN | LINT_HAS_DNS | LINT_IS_READABLE},
    {"dvrsa", 0, 0, LINT_HAS_EC | LINT_HAS_RSA, LINT_HAS_RSA},
    {"dvpre", 0, 0, LINT_IS_PRECERT | LINT_HAS_SCT, LINT_IS_PRECERT},
    {"root", 0, 0, ROLE, LINT_IS_CA | LINT_IS_ROOT | LINT_IS_SELF_SIGNED},
    {"sub", 0, 0, ROLE, LINT_IS_CA | LINT_IS_SUB_CA},
    {"ocsp", 0, 0, ROLE | LINT_IS_OCSP_RESPONDER, LINT_IS_SUBSCRIBER | LINT_IS_OCSP_RESPONDER},
    {"smmvs", 0, 0, MAIL, LINT_IS_SMIME | LINT_IS_SMIME_MV | LINT_IS_SMIME_STRICT | LINT_IS_EMAIL},
    {"smsvs", 0, 0, MAIL, LINT_IS_SMIME | LINT_IS_SMIME_SV | LINT_IS_SMIME_STRICT | LINT_IS_EMAIL},
    /* What is given is not guessed. */
    {"dv", LINT_ROLE_SUB_CA, 0, ROLE, LINT_IS_CA | LINT_IS_SUB_CA},
    {"sub", LINT_ROLE_CROSS_CA, 0, ROLE, LINT_IS_CA | LINT_IS_SUB_CA | LINT_IS_CROSS_CA},
    {"sub", LINT_ROLE_ROOT, 0, ROLE, LINT_IS_CA | LINT_IS_ROOT | LINT_IS_SELF_SIGNED},
    {"root", LINT_ROLE_SUBSCRIBER, 0, ROLE, LINT_IS_SUBSCRIBER},
    {"dv", LINT_ROLE_OCSP_RESPONDER, 0, ROLE | LINT_IS_OCSP_RESPONDER,
     LINT_IS_SUBSCRIBER | LINT_IS_OCSP_RESPONDER},
    {"dv", 0, LINT_PROFILE_TLS_EV, TYPE, LINT_IS_EV | LINT_IS_EV_ANY | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"ev", 0, LINT_PROFILE_TLS_DV, TYPE, LINT_IS_DV | LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"ev", 0, LINT_PROFILE_PRIVATE, TYPE | MAIL, 0},
    {"dv", 0, LINT_PROFILE_SMIME_MV_STRICT, TYPE | MAIL,
     LINT_IS_SMIME | LINT_IS_SMIME_MV | LINT_IS_SMIME_STRICT | LINT_IS_EMAIL},
    {"sub", 0, LINT_PROFILE_TLS, TYPE, LINT_IS_TLS | LINT_IS_SERVER_AUTH},
    {"dv", 0, LINT_PROFILE_CODE_SIGNING, TYPE | LINT_IS_CODE_SIGNING, LINT_IS_CODE_SIGNING},
};

static void facts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LT_COUNT(fact_rows); i++) {
        struct forge f;
        struct lint_subject s;
        forge_open(&f, fact_rows[i].base);
        struct lint_input in = {.kind = LINT_CERTIFICATE,
                                .der = forge_make(&f, false),
                                .role = fact_rows[i].role,
                                .profile = fact_rows[i].profile};
        assert_ok(lint_subject_init(&s, &in, &f.arena));
        if ((s.facts & fact_rows[i].asked) != fact_rows[i].facts) {
            fail_msg("row %zu, %s: %llx", i, fact_rows[i].base,
                     (unsigned long long)(s.facts & fact_rows[i].asked));
        }
        forge_done(&f);
    }
}

/* A root that somebody else's key signed is none; of what is to be signed the names must do. */
static void self_signed(void **unused)
{
    (void)unused;
    static const struct forge_edit touched = FORGE_PUT(FORGE_SERIAL, "02090123456789abcdef01");
    for (unsigned i = 0; i < 3; i++) {
        struct forge f;
        struct lint_subject s;
        forge_open(&f, "root");
        if (i > 0) {
            forge_edit(&f, &touched);
        }
        struct lint_input in = {.kind = LINT_CERTIFICATE, .bare = i == 2, .der = forge_make(&f, i == 2)};
        assert_ok(lint_subject_init(&s, &in, &f.arena));
        assert_int_equal(lint_is(&s, LINT_IS_ROOT | LINT_IS_SELF_SIGNED), i != 1);
        assert_int_equal(lint_is(&s, LINT_IS_SUB_CA), i == 1);
        assert_true(lint_is(&s, LINT_IS_SELF_ISSUED));
        forge_done(&f);
    }
}

/* The same from bytes, from bytes to be signed, and from what was decoded already. */
static void ways_in(void **unused)
{
    (void)unused;
    struct forge f;
    struct x509_cert c;
    struct lint_results by_der;
    struct lint_results by_cert;
    struct lint_results by_tbs;
    forge_open(&f, "ov");
    lt_slice der = forge_make(&f, false);
    assert_ok(x509_cert_decode(der, &f.arena, &c));
    struct lint_input in = {.kind = LINT_CERTIFICATE, .der = der};
    assert_ok(lint_run(&in, &f.arena, &by_der));
    in = (struct lint_input){.kind = LINT_CERTIFICATE, .cert = &c};
    assert_ok(lint_run(&in, &f.arena, &by_cert));
    in = (struct lint_input){.kind = LINT_CERTIFICATE, .der = c.tbs, .bare = true};
    assert_ok(lint_run(&in, &f.arena, &by_tbs));
    size_t differ = 0;
    for (size_t i = 0; i < lint_rule_count(); i++) {
        assert_int_equal(by_der.status[i], by_cert.status[i]);
        differ += by_der.status[i] != by_tbs.status[i];
    }
    assert_true(differ < 10); /* the rules of the signature itself */
    assert_int_equal(by_tbs.worst, by_der.worst);
    forge_done(&f);
}

static enum lint_status worst_of(const struct lint_results *r, enum lint_source source, bool *ret_any)
{
    enum lint_status worst = LINT_RESERVED;
    for (size_t i = 0; i < lint_rule_count(); i++) {
        if (lint_rule_at(i)->source == source) {
            worst = r->status[i] > worst ? (enum lint_status)r->status[i] : worst;
        }
    }
    *ret_any = worst != LINT_RESERVED;
    return worst;
}

static void sources(void **unused)
{
    (void)unused;
    struct forge f;
    struct lint_results r;
    bool any = false;
    forge_open(&f, "dv");
    struct lint_input in = {.sources = UINT32_C(1) << LINT_RFC5280};
    forge_lint(&f, &in, &r);
    assert_true(worst_of(&r, LINT_RFC5280, &any) >= LINT_PASS);
    (void)worst_of(&r, LINT_CABF_BR, &any);
    assert_false(any);
    in = (struct lint_input){.profile = LINT_PROFILE_PRIVATE};
    forge_lint(&f, &in, &r);
    assert_int_equal(worst_of(&r, LINT_CABF_BR, &any), LINT_NA);
    assert_int_equal(worst_of(&r, LINT_MOZILLA, &any), LINT_NA);
    assert_int_equal(worst_of(&r, LINT_COMMUNITY, &any), LINT_NA);
    assert_true(worst_of(&r, LINT_RFC5280, &any) >= LINT_PASS);
    assert_true(worst_of(&r, LINT_X690, &any) >= LINT_PASS);
    size_t sum = 0;
    for (size_t i = 0; i < LINT_STATUS_COUNT; i++) {
        sum += r.tally[i];
    }
    assert_int_equal(sum, lint_rule_count());
    forge_done(&f);
}

/* Which day counts: chosen, of signing, of the object. */
static void days(void **unused)
{
    (void)unused;
    static const struct {
        int64_t as_of;
        int64_t signing;
        int64_t day;
    } rows[] = {{0, 0, LINT_DAY(2026, 6, 1)},
                {0, NOW, LINT_DAY(2026, 11, 22)},
                {NOW + DAY, NOW, LINT_DAY(2026, 11, 23)},
                {NOW + DAY, 0, LINT_DAY(2026, 11, 23)}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct forge f;
        struct lint_subject s;
        forge_open(&f, "dv");
        struct lint_input in = {.kind = LINT_CERTIFICATE,
                                .der = forge_make(&f, false),
                                .as_of = lt_time_from_seconds(rows[i].as_of),
                                .signing_time = lt_time_from_seconds(rows[i].signing)};
        assert_ok(lint_subject_init(&s, &in, &f.arena));
        assert_int_equal(s.day, rows[i].day);
        forge_done(&f);
    }
    assert_int_equal(LINT_DAY(1970, 1, 1), 0);
    assert_int_equal(LINT_DAY(2000, 2, 29), 11016);
    assert_int_equal(LINT_DAY(2026, 11, 22) * DAY, NOW);
}

static void the_table(void **unused)
{
    (void)unused;
    size_t zlints = 0;
    for (size_t i = 0; i < lint_rule_count(); i++) {
        const struct lint_rule *r = lint_rule_at(i);
        if (lint_rule_by_id(lt_slice_cstr(r->id)) != r) {
            fail_msg("%s stands twice", r->id);
        }
        bool level = r->level >= LINT_NOTICE && r->level <= LINT_FATAL;
        bool dates = r->retired == 0 || r->retired > r->effective;
        bool kinds = r->kinds != 0 && r->kinds < 1 << 4;
        bool words = r->asks != NULL && r->citation != NULL && r->asks[strlen(r->asks) - 1] != '.';
        bool name = r->zlint || strncmp(r->id, "lintel_", 7) == 0;
        if (!level || !dates || !kinds || !words || !name || r->check == NULL) {
            print_error("%s: level %d, dates %d, kinds %d, words %d, name %d\n", r->id, level, dates, kinds,
                        words, name);
            zlints += 10000;
        }
        zlints += r->zlint;
    }
    assert_int_equal(zlints, 431);
    assert_null(lint_rule_at(lint_rule_count()));
    assert_null(lint_rule_by_id(LT_LIT("lintel_nothing")));
    assert_string_equal(lint_status_name(LINT_FATAL), "fatal");
}

/* 1,100 internal names: the list ends, the count does not. */
static void more_findings_than_room(void **unused)
{
    (void)unused;
    static struct x509_general_name many[1100];
    struct lt_arena arena;
    struct lt_buf tbs;
    struct lint_results r;
    lt_arena_init(&arena, 1 << 24);
    lt_buf_init(&tbs, 1 << 18);
    for (size_t i = 0; i < LT_COUNT(many); i++) {
        many[i] = (struct x509_general_name){X509_GN_IP, LT_LIT("\x0a\x00\x00")};
    }
    struct x509_tbs_spec spec = {.sig_alg = X509_SIG_ECDSA_SHA256,
                                 .serial = LT_LIT("123456789"),
                                 .issuer = LT_LIT("\x30\x00"),
                                 .not_before = lt_time_from_seconds(NOW),
                                 .not_after = lt_time_from_seconds(NOW + DAY),
                                 .san = many,
                                 .san_count = LT_COUNT(many),
                                 .spki = LT_LIT("\x30\x0c\x30\x05\x06\x03\x2b\x65\x71\x03\x03\x00\x01\x02")};
    assert_ok(x509_tbs_build(&spec, &tbs));
    struct lint_input in = {
        .kind = LINT_CERTIFICATE, .bare = true, .der = lt_buf_slice(&tbs), .profile = LINT_PROFILE_TLS_DV};
    assert_ok(lint_run(&in, &arena, &r));
    assert_true(r.count <= LINT_FINDINGS_MAX);
    assert_true(r.count > 0 && r.worst >= LINT_ERROR);
    /* With little room the verdict is the same, the list shorter. */
    enum lint_status worst = r.worst;
    size_t all = r.count + r.dropped;
    lt_arena_done(&arena);
    lt_arena_init(&arena, 140000);
    assert_ok(lint_run(&in, &arena, &r));
    assert_int_equal(r.worst, worst);
    assert_true(r.count + r.dropped == all);
    lt_arena_done(&arena);
    /* With none at all it says so. */
    lt_arena_init(&arena, 1000);
    assert_fails(lint_run(&in, &arena, &r), LT_PEER_TOO_LARGE);
    lt_arena_done(&arena);
    lt_buf_done(&tbs);
}

enum { THREADS = 4, TURNS = 200 };

struct job {
    lt_slice der[4];
    enum lint_status worst[4];
    size_t count[4];
    size_t wrong;
};

static void *work(void *arg)
{
    struct job *j = arg;
    struct lt_arena arena;
    struct lint_keys *keys = lint_keys_new(16);
    lt_arena_init(&arena, 1 << 22);
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct lint_input in = {.kind = LINT_CERTIFICATE, .der = j->der[turn % 4], .keys = keys};
        struct lint_results r;
        bool failed = lt_failed(lint_run(&in, &arena, &r));
        j->wrong += failed || r.worst != j->worst[turn % 4] || r.count != j->count[turn % 4];
        lt_arena_reset(&arena);
    }
    lt_arena_done(&arena);
    lint_keys_free(keys);
    return NULL;
}

static void threads(void **unused)
{
    (void)unused;
    static const char *const bases[] = {"dv", "dvrsa", "root", "ev"};
    struct forge f[4];
    struct job jobs[THREADS] = {0};
    pthread_t thread[THREADS];
    crypto_start();
    for (size_t i = 0; i < 4; i++) {
        struct lint_results r;
        forge_open(&f[i], bases[i]);
        forge_lint(&f[i], NULL, &r);
        for (size_t k = 0; k < THREADS; k++) {
            jobs[k].der[i] = forge_make(&f[i], false);
            jobs[k].worst[i] = r.worst;
            jobs[k].count[i] = r.count;
        }
    }
    jobs[1].der[3] = lt_slice_sub(jobs[1].der[3], 0, 100); /* one that fails to decode, all the time */
    jobs[1].worst[3] = LINT_FATAL;
    struct lint_input in = {.kind = LINT_CERTIFICATE, .der = jobs[1].der[3]};
    struct lint_results r;
    assert_ok(lint_run(&in, &f[0].arena, &r));
    jobs[1].count[3] = r.count;
    for (size_t k = 0; k < THREADS; k++) {
        assert_int_equal(pthread_create(&thread[k], NULL, work, &jobs[k]), 0);
    }
    for (size_t k = 0; k < THREADS; k++) {
        assert_int_equal(pthread_join(thread[k], NULL), 0);
        assert_int_equal(jobs[k].wrong, 0);
    }
    for (size_t i = 0; i < 4; i++) {
        forge_done(&f[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),   cmocka_unit_test(self_signed),
        cmocka_unit_test(ways_in), cmocka_unit_test(sources),
        cmocka_unit_test(days),    cmocka_unit_test(the_table),
        cmocka_unit_test(threads), cmocka_unit_test(more_findings_than_room),
    };
    return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
