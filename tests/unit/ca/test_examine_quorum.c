/* The examiner's own count of the perspectives: whose signatures count, about what, and when there are
 * enough. */
#include "check.h"

#include "ca/examine_internal.h"
#include "crypto/key.h"

enum { VIEWS = 4 };
#define MINUTE_US (60 * LT_US_PER_SECOND)

static const struct {
    const char *name;
    enum validate_rir rir;
} views[VIEWS] = {{"eu", VALIDATE_RIR_RIPE},
                  {"us", VALIDATE_RIR_ARIN},
                  {"jp", VALIDATE_RIR_APNIC},
                  {"br", VALIDATE_RIR_LACNIC}};

static struct crypto_key *keys[VIEWS];
static struct crypto_key *stranger;
static struct validate_perspective list[VIEWS];
static struct validate_perspectives all = {.list = list, .count = VIEWS};
static struct lt_arena arena;
static lt_time now;

static int setup(void **state)
{
    (void)state;
    assert_ok(lt_time_parse(LT_LIT("2026-11-22T05:00:00Z"), &now));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &stranger));
    for (size_t i = 0; i < VIEWS; i++) {
        assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &keys[i]));
        list[i] = (struct validate_perspective){.name = views[i].name,
                                                .spki = crypto_key_spki(keys[i]),
                                                .rir = views[i].rir,
                                                .resolver_rir = views[i].rir};
    }
    lt_arena_init(&arena, (size_t)8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < VIEWS; i++) {
        crypto_key_free(keys[i]);
    }
    crypto_key_free(stranger);
    lt_arena_done(&arena);
    return 0;
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c has no const strings; only read */
}

/* One name, and what each view signed about it. */
struct rig {
    Ipc__Identifier name;      /* of the certificate */
    Ipc__Identifier validated; /* of the statements */
    Ipc__Validated said[VIEWS];
    Ipc__SignedStatement signed_by[VIEWS];
    Ipc__SignedStatement *pointers[VIEWS];
    Ipc__NameEvidence evidence;
    Ipc__NameEvidence *evidence_list[1];
    Ipc__SignRequest request;
    struct ca_profile profile;
    struct ca_verdict verdict;
    struct ca_examine examine;
    struct judge judge;
};

static void sign(struct rig *r, size_t i, struct crypto_key *key)
{
    assert_ok(validate_statement_sign(key, &r->said[i], &arena, &r->signed_by[i]));
    r->pointers[i] = &r->signed_by[i];
}

static void make(struct rig *r)
{
    static uint8_t nonce[16] = "123456789012345";
    memset(r, 0, sizeof *r);
    ipc__identifier__init(&r->name);
    r->name.type = word("dns");
    r->name.value = word("*.example.com");
    r->validated = r->name;
    r->validated.value = word("example.com");
    ipc__name_evidence__init(&r->evidence);
    r->evidence.identifier = &r->name;
    r->evidence.method = word("dns-01");
    r->evidence.authorization_id = 7;
    r->evidence.validated_us = now.us;
    r->evidence.quorum = VIEWS + 1;
    r->evidence.statements = r->pointers;
    r->evidence.n_statements = VIEWS;
    for (size_t i = 0; i < VIEWS; i++) {
        ipc__validated__init(&r->said[i]);
        r->said[i].authorization_id = 7;
        r->said[i].nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
        r->said[i].identifier = &r->validated;
        r->said[i].method = word("dns-01");
        r->said[i].ok = true;
        r->said[i].dnssec = word("secure");
        r->said[i].finished_us = now.us - LT_US_PER_SECOND;
        r->said[i].perspective = word(views[i].name);
        sign(r, i, keys[i]);
    }
    ipc__sign_request__init(&r->request);
    r->evidence_list[0] = &r->evidence;
    r->request.evidence = r->evidence_list;
    r->request.n_evidence = 1;
    r->profile.public_trust = true;
    r->profile.kind = CA_PROFILE_SUBSCRIBER;
    r->verdict.profile = &r->profile;
    r->examine.perspectives = &all;
    r->judge = (struct judge){.x = &r->examine, .m = &r->request, .now = now, .a = &arena, .v = &r->verdict};
}

static void enough(void **state)
{
    (void)state;
    struct rig r;
    make(&r);
    assert_ok(ca_judge_quorum(&r.judge));
    r.evidence.n_statements = VIEWS - 1; /* one of four may be missing */
    assert_ok(ca_judge_quorum(&r.judge));
    r.pointers[0] = &r.signed_by[3]; /* any three, in any order */
    assert_ok(ca_judge_quorum(&r.judge));
}

/* Each change is made to two statements: two of four are too few. */
enum change {
    MISSING,
    TWICE,
    ANOTHER_KEY,
    ANOTHER_NAME_OUTSIDE,
    NOT_OK,
    BOGUS,
    CAA_FORBIDS,
    CAA_FAILED,
    ANOTHER_NAME,
    ANOTHER_TYPE,
    ANOTHER_METHOD,
    ANOTHER_AUTHORIZATION,
    NO_NONCE,
    TOO_OLD,
    TOO_NEW,
    CHANGES,
};

static void change_one(struct rig *r, size_t i, enum change what)
{
    static Ipc__CaaCheck caa;
    static Ipc__Identifier other;
    struct crypto_key *key = what == ANOTHER_KEY ? stranger : keys[i];
    Ipc__Validated *v = &r->said[i];
    ipc__caa_check__init(&caa);
    caa.checked = what != CAA_FAILED;
    caa.permitted = what != CAA_FORBIDS;
    other = r->validated;
    other.value = word(what == ANOTHER_NAME ? "www.example.com" : "example.com");
    other.type = word(what == ANOTHER_TYPE ? "ip" : "dns");
    v->ok = what != NOT_OK;
    v->dnssec = word(what == BOGUS ? "bogus" : "secure");
    v->caa = what == CAA_FORBIDS || what == CAA_FAILED ? &caa : NULL;
    v->identifier = &other;
    v->method = word(what == ANOTHER_METHOD ? "http-01" : "dns-01");
    v->authorization_id = what == ANOTHER_AUTHORIZATION ? 8 : 7;
    v->nonce.len = what == NO_NONCE ? 0 : 16;
    v->finished_us = now.us + (what == TOO_OLD ? -11 * MINUTE_US : what == TOO_NEW ? 11 * MINUTE_US : 0);
    sign(r, i, key);
    r->signed_by[i].perspective = word(what == ANOTHER_NAME_OUTSIDE ? "za" : views[i].name);
    r->pointers[i] = what == TWICE ? &r->signed_by[3] : r->pointers[i];
}

static void too_few(void **state)
{
    (void)state;
    for (enum change what = MISSING; what < CHANGES; what++) {
        struct rig r;
        make(&r);
        change_one(&r, 0, what);
        if (what != MISSING) {
            assert_ok(ca_judge_quorum(&r.judge)); /* one alone changes nothing */
        }
        change_one(&r, 1, what);
        if (what == MISSING) {
            r.evidence.n_statements = 2;
        }
        lt_res judged = ca_judge_quorum(&r.judge);
        if (judged.code != LT_POLICY_REFUSED) {
            print_error("change %d\n", (int)what);
        }
        assert_int_equal(judged.code, LT_POLICY_REFUSED);
        assert_non_null(strstr(lt_error_last()->detail, "2 of 4"));
    }
}

static void believes_no_number(void **state)
{
    (void)state;
    struct rig r;
    make(&r);
    r.evidence.n_statements = 0;
    r.evidence.quorum = 100;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    /* The second name counts as the first. */
    struct rig s;
    make(&r);
    make(&s);
    s.evidence.n_statements = 0;
    Ipc__NameEvidence *both[] = {&r.evidence, &s.evidence};
    r.request.evidence = both;
    r.request.n_evidence = 2;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
}

static void for_whom(void **state)
{
    (void)state;
    struct rig r;
    make(&r);
    r.evidence.n_statements = 0;
    r.profile.public_trust = false;
    assert_ok(ca_judge_quorum(&r.judge));
    r.profile.public_trust = true;
    r.examine.perspectives = NULL;
    assert_ok(ca_judge_quorum(&r.judge));
    /* By the rules of the day of the validation: too few are known for the last of them. */
    make(&r);
    assert_ok(lt_time_parse(LT_LIT("2026-12-15T00:00:00Z"), &now));
    struct rig later;
    make(&later);
    assert_fails(ca_judge_quorum(&later.judge), LT_POLICY_REFUSED);
    assert_ok(ca_judge_quorum(&r.judge));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough), cmocka_unit_test(too_few), cmocka_unit_test(believes_no_number),
        cmocka_unit_test(for_whom), /* moves the clock: last */
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
