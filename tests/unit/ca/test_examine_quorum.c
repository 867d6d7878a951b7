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
    Ipc__CaaCheck caa[VIEWS];
    char *looked_up[VIEWS][2];
    Ipc__SignedStatement signed_by[VIEWS];
    Ipc__SignedStatement *pointers[VIEWS];
    Ipc__SignedStatement caa_signed_by[VIEWS]; /* of a check of CAA alone, later */
    Ipc__SignedStatement *caa_pointers[VIEWS];
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

static uint8_t nonce[16] = "123456789012345";

static void say_caa(struct rig *r, size_t i, lt_time when)
{
    Ipc__CaaCheck *caa = &r->caa[i];
    ipc__caa_check__init(caa);
    caa->checked = true;
    caa->permitted = true;
    caa->dnssec = word("secure");
    caa->checked_us = when.us;
    r->looked_up[i][0] = word("example.com");
    r->looked_up[i][1] = word("com");
    caa->looked_up = r->looked_up[i];
    caa->n_looked_up = 2;
    r->said[i].caa = caa;
}

static void make(struct rig *r)
{
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
    r->evidence.caa_checked_us = now.us;
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
        r->said[i].wildcard = true;
        say_caa(r, i, now);
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
    CAA_BOGUS,
    CAA_SILENT,
    CAA_ELSEWHERE, /* the climb began at another name: the bug of 2020, at a perspective */
    CAA_NOWHERE,
    CAA_OLD,
    CAA_NOT_WILD, /* asked by issue, where issuewild decides */
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
    static Ipc__Identifier other;
    struct crypto_key *key = what == ANOTHER_KEY ? stranger : keys[i];
    Ipc__Validated *v = &r->said[i];
    Ipc__CaaCheck *caa = v->caa;
    caa->checked = what != CAA_FAILED;
    caa->permitted = what != CAA_FORBIDS;
    caa->dnssec = word(what == CAA_BOGUS ? "bogus" : "insecure");
    caa->looked_up[0] = word(what == CAA_ELSEWHERE ? "www.example.com" : "example.com");
    caa->n_looked_up = what == CAA_NOWHERE ? 0 : 2;
    caa->checked_us = now.us - (what == CAA_OLD ? 11 * MINUTE_US : 0);
    v->wildcard = what != CAA_NOT_WILD;
    v->caa = what == CAA_SILENT ? NULL : caa;
    other = r->validated;
    other.value = word(what == ANOTHER_NAME ? "www.example.com" : "example.com");
    other.type = word(what == ANOTHER_TYPE ? "ip" : "dns");
    v->ok = what != NOT_OK;
    v->dnssec = word(what == BOGUS ? "bogus" : "secure");
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

/* CAA was asked again, hours after the validation: its own statements count for it, with their own time. */
static void again(void **state)
{
    (void)state;
    static Ipc__Validated later[VIEWS];
    struct rig r;
    make(&r);
    int64_t hours = 9 * 60 * MINUTE_US;
    r.evidence.validated_us -= hours;
    for (size_t i = 0; i < VIEWS; i++) {
        r.said[i].finished_us -= hours;
        r.caa[i].checked_us -= hours;
        sign(&r, i, keys[i]);
    }
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    assert_non_null(strstr(lt_error_last()->detail, "0 of 4 perspectives corroborate CAA"));
    for (size_t i = 0; i < VIEWS; i++) {
        later[i] = r.said[i];
        later[i].method = word("caa");
        later[i].finished_us = now.us;
        r.caa[i].checked_us = now.us;
        assert_ok(validate_statement_sign(keys[i], &later[i], &arena, &r.caa_signed_by[i]));
        r.caa_pointers[i] = &r.caa_signed_by[i];
    }
    r.evidence.caa_statements = r.caa_pointers;
    r.evidence.n_caa_statements = VIEWS;
    assert_ok(ca_judge_quorum(&r.judge));
    r.evidence.n_caa_statements = VIEWS - 1;
    assert_ok(ca_judge_quorum(&r.judge));
    r.evidence.n_caa_statements = VIEWS - 2;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    /* A check of CAA is no proof of control. */
    r.evidence.statements = r.caa_pointers;
    r.evidence.n_caa_statements = VIEWS;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    assert_non_null(strstr(lt_error_last()->detail, "0 of 4 perspectives corroborate control"));
}

/* A name below the one that was validated: by DNS, yes; and CAA is of the name itself. */
static void below(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *method;
        const char *looked_up;
        bool asked; /* for all names below */
        bool fine;
    } rows[] = {
        {"www.example.com", "dns-01", "www.example.com", true, true},
        {"a.b.example.com", "dns-01", "a.b.example.com", true, true},
        {"*.b.example.com", "dns-01", "b.example.com", true, true},
        {"www.example.com", "dns-01", "example.com", true, false},
        {"www.example.com", "http-01", "www.example.com", true, false},
        {"wwwexample.com", "dns-01", "wwwexample.com", true, false},
        {"com", "dns-01", "com", true, false},
        {"www.example.org", "dns-01", "www.example.org", true, false},
        {"www.example.com", "dns-persist-01", "www.example.com", true, true},
        {"www.example.com", "dns-persist-01", "www.example.com", false, false},
        {"www.example.com", "dns-01", "www.example.com", false, false},
    };
    for (size_t k = 0; k < LT_COUNT(rows); k++) {
        struct rig r;
        static Ipc__Identifier own;
        static Ipc__Validated later[VIEWS];
        make(&r);
        r.name.value = word(rows[k].name);
        r.evidence.method = word(rows[k].method);
        r.evidence.authorization_id = 8; /* the ancestor's is 7 */
        own = r.validated;
        own.value = word(rows[k].name[0] == '*' ? &rows[k].name[2] : rows[k].name);
        for (size_t i = 0; i < VIEWS; i++) {
            r.said[i].method = word(rows[k].method);
            r.said[i].subdomains = rows[k].asked;
            sign(&r, i, keys[i]);
            later[i] = r.said[i];
            later[i].method = word("caa");
            later[i].authorization_id = 8;
            later[i].identifier = &own;
            later[i].wildcard = rows[k].name[0] == '*';
            r.looked_up[i][0] = word(rows[k].looked_up);
            assert_ok(validate_statement_sign(keys[i], &later[i], &arena, &r.caa_signed_by[i]));
            r.caa_pointers[i] = &r.caa_signed_by[i];
        }
        r.evidence.caa_statements = r.caa_pointers;
        r.evidence.n_caa_statements = VIEWS;
        lt_res judged = ca_judge_quorum(&r.judge);
        if ((judged.code == 0) != rows[k].fine) {
            print_error("row %zu\n", k);
        }
        assert_int_equal(judged.code, rows[k].fine ? 0 : LT_POLICY_REFUSED);
    }
}

/* A signature is verified once; one byte of anything else is another signature. */
static void remembers(void **state)
{
    (void)state;
    struct rig r;
    struct validate_verified *known = validate_verified_new(64);
    make(&r);
    r.examine.verified = known;
    assert_ok(ca_judge_quorum(&r.judge));
    size_t before = validate_verified_hits(known);
    assert_ok(ca_judge_quorum(&r.judge));
    assert_true(validate_verified_hits(known) >= before + 4);
    /* Known to be good for one key is not known for another. */
    before = validate_verified_hits(known);
    lt_slice own = list[0].spki;
    list[0].spki = crypto_key_spki(stranger);
    list[1].spki = crypto_key_spki(stranger);
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    list[0].spki = own;
    list[1].spki = crypto_key_spki(keys[1]);
    assert_ok(ca_judge_quorum(&r.judge));
    for (size_t i = 0; i < 2; i++) {
        r.signed_by[i].statement.data[r.signed_by[i].statement.len - 1] ^= 1;
    }
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    for (size_t i = 0; i < 2; i++) {
        r.signed_by[i].statement.data[r.signed_by[i].statement.len - 1] ^= 1;
        r.signed_by[i].signature.data[r.signed_by[i].signature.len - 1] ^= 1;
    }
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED); /* what was bad is not remembered as good */
    validate_verified_free(known);
}

static void for_whom(void **state)
{
    (void)state;
    struct rig r;
    make(&r);
    r.evidence.n_statements = 0;
    r.profile.public_trust = false;
    assert_ok(ca_judge_quorum(&r.judge));
    r.profile.kind = CA_PROFILE_SERVICE;
    assert_ok(ca_judge_quorum(&r.judge));
    /* An address has no CAA. */
    make(&r);
    r.name.type = word("ip");
    r.validated.type = word("ip");
    r.name.value = word("192.0.2.1");
    r.validated.value = word("192.0.2.1");
    r.evidence.method = word("http-01");
    r.evidence.caa_checked_us = 0;
    for (size_t i = 0; i < VIEWS; i++) {
        r.said[i].method = word("http-01");
        r.said[i].wildcard = false;
        r.said[i].caa = NULL;
        sign(&r, i, keys[i]);
    }
    assert_ok(ca_judge_quorum(&r.judge));
    /* Without any perspective nobody can have corroborated. */
    make(&r);
    r.examine.perspectives = NULL;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    struct validate_perspectives none = {.count = 0};
    r.examine.perspectives = &none;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    /* Three are fewer than the rules want, two regions fewer than they want of four. */
    make(&r);
    struct validate_perspectives three = {.list = list, .count = 3};
    r.examine.perspectives = &three;
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    r.examine.perspectives = &all;
    enum validate_rir kept[VIEWS];
    for (size_t i = 0; i < VIEWS; i++) {
        kept[i] = list[i].rir;
        list[i].rir = i == 3 ? VALIDATE_RIR_ARIN : VALIDATE_RIR_RIPE;
    }
    assert_ok(ca_judge_quorum(&r.judge));
    r.evidence.n_statements = 3; /* all of one region */
    assert_fails(ca_judge_quorum(&r.judge), LT_POLICY_REFUSED);
    assert_non_null(strstr(lt_error_last()->detail, "regions"));
    for (size_t i = 0; i < VIEWS; i++) {
        list[i].rir = kept[i];
    }
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
        cmocka_unit_test(enough),   cmocka_unit_test(too_few), cmocka_unit_test(believes_no_number),
        cmocka_unit_test(again),    cmocka_unit_test(below),   cmocka_unit_test(remembers),
        cmocka_unit_test(for_whom), /* moves the clock: last */
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
