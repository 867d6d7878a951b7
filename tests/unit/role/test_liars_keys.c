/* Lying neighbours before the keys: real examiner and signer, locked in. A registrar that forgets a halt,
 * skips the lint or speaks past the examiner gets no signature; an examiner that has been taken over gets
 * none for a CA. Beside each lie the honest request is signed, so that these tests can fail. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/limits.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "crypto/pub.h"
#include "puppet.h"
#include "sign.pb-c.h"
#include "x509/cert.h"
#include "x509/tbs.h"

static const char *lintel;
static struct lt_arena standing; /* as long as the program */
static struct x509_cert issuer;  /* "tls" */
static struct crypto_key *subject_key;

static int set_up(void **state)
{
    (void)state;
    puppet_make_folder(lintel);
    lt_arena_init(&standing, 1 << 20);
    char path[64];
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    (void)snprintf(path, sizeof path, "%s/ca/ca/tls.pem", puppet_folder);
    assert_ok(lt_file_read(&standing, AT_FDCWD, path, 65536, &pem));
    assert_ok(lt_pem_next(&standing, &pem, &label, &der));
    assert_ok(x509_cert_parse(der, &standing, &issuer));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &subject_key));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    crypto_key_free(subject_key);
    lt_arena_done(&standing);
    puppet_remove_folder();
    return 0;
}

/* ---- one request ---- */

struct request {
    struct x509_tbs_spec spec;
    struct x509_general_name san;
    enum x509_oid eku;
    lt_slice policy;
    lt_slice crl_url;
    lt_slice issuer_url;
    uint8_t serial[16];
    struct lt_buf tbs;
    Ipc__Identifier identifier;
    Ipc__NameEvidence evidence;
    Ipc__NameEvidence *evidence_list[1];
    Ipc__SignRequest m;
};

static char text_name[] = "www.example.com";

static void good(struct request *r)
{
    static char dns[] = "dns";
    static char method[] = "http-01";
    static char issuer_name[] = "tls";
    static char profile[] = "tls-server";
    lt_time now = lt_time_from_seconds(lt_time_seconds(lt_now()));
    memset(r, 0, sizeof *r);
    lt_random(r->serial, sizeof r->serial);
    r->serial[0] = 0x0c;
    r->san = (struct x509_general_name){X509_GN_DNS, lt_slice_cstr(text_name)};
    r->eku = X509_OID_SERVER_AUTH;
    r->policy = x509_oid_der(X509_OID_POLICY_DV);
    r->crl_url = LT_LIT(PUPPET_BASE "/crl/tls.crl");
    r->issuer_url = LT_LIT(PUPPET_BASE "/ca/tls.crt");
    r->spec = (struct x509_tbs_spec){
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_SLICE(r->serial, sizeof r->serial),
        .issuer = issuer.subject.der,
        .not_before = lt_time_add_seconds(now, -3600),
        .not_after = ca_validity_end(lt_time_add_seconds(now, -3600), INT64_C(90) * 86400),
        .spki = crypto_key_spki(subject_key),
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = &r->eku,
        .eku_count = 1,
        .policies = &r->policy,
        .policy_count = 1,
        .san = &r->san,
        .san_count = 1,
        .aki = issuer.ext.ski,
        .crl_urls = &r->crl_url,
        .crl_url_count = 1,
        .issuer_urls = &r->issuer_url,
        .issuer_url_count = 1,
    };
    ipc__sign_request__init(&r->m);
    ipc__identifier__init(&r->identifier);
    ipc__name_evidence__init(&r->evidence);
    r->identifier.type = dns;
    r->identifier.value = text_name;
    r->evidence.identifier = &r->identifier;
    r->evidence.method = method;
    r->evidence.validated_us = now.us - 60 * LT_US_PER_SECOND;
    r->evidence.authorization_id = 7;
    r->evidence_list[0] = &r->evidence;
    r->m.kind = IPC__SIGN_KIND__SIGN_CERTIFICATE;
    r->m.issuer = issuer_name;
    r->m.profile = profile;
    r->m.serial = (ProtobufCBinaryData){sizeof r->serial, r->serial};
    r->m.account_id = 42;
    r->m.evidence = r->evidence_list;
    r->m.n_evidence = 1;
    lt_buf_init(&r->tbs, 65536);
}

static void build(struct request *r)
{
    assert_ok(x509_tbs_build(&r->spec, &r->tbs));
    r->m.tbs = (ProtobufCBinaryData){r->tbs.len, r->tbs.ptr};
}

/* ---- the examiner ---- */

struct examiner {
    struct puppet p;
    struct ipc_link *registrar;
    struct ipc_link *signer;
};

static void examiner_up(struct examiner *e)
{
    puppet_start(&e->p, IPC_EXAMINER);
    e->signer = puppet_link(&e->p, IPC_SIGNER, 0);
    e->registrar = puppet_link(&e->p, IPC_REGISTRAR, 0);
}

static void examiner_down(struct examiner *e)
{
    ipc_link_free(e->registrar);
    ipc_link_free(e->signer);
    puppet_kill(&e->p);
}

static void send_halts(struct examiner *e, Ipc__HaltKind kind, const char *value, int64_t age_s, bool hold)
{
    char id[16];
    static char why[] = "a drill";
    static uint64_t version;
    Ipc__Halt halt = IPC__HALT__INIT;
    Ipc__Halt *list[] = {&halt};
    Ipc__HaltList m = IPC__HALT_LIST__INIT;
    (void)snprintf(id, sizeof id, "halt-%d", (int)kind);
    halt.id = id;
    halt.kind = kind;
    halt.value = (char *)(uintptr_t)value;
    halt.reason = why;
    m.version = ++version;
    m.time_us = lt_now().us - age_s * LT_US_PER_SECOND;
    m.hold = hold;
    m.n_halts = kind == IPC__HALT_KIND__HALT_NONE ? 0 : 1;
    m.halts = list;
    assert_ok(ipc_link_send(e->registrar, IPC_HALT_LIST, 0, &m.base, NULL, 0));
}

static void no_halts(struct examiner *e)
{
    send_halts(e, IPC__HALT_KIND__HALT_NONE, "", 0, false);
}

/* Passed on unchanged to the signer, whose answer comes back. */
static void passes(struct examiner *e)
{
    struct request r;
    good(&r);
    build(&r);
    assert_ok(ipc_link_send(e->registrar, IPC_SIGN_REQUEST, 5, &r.m.base, NULL, 0));
    struct ipc_msg m = {0};
    lt_res got = {LT_RETRY_AGAIN};
    for (int i = 0; i < 5000 && got.code == LT_RETRY_AGAIN; i++) {
        lt_arena_reset(&e->p.arena);
        got = ipc_link_recv(e->signer, &e->p.arena, &m);
        if (got.code == 0 && m.type != IPC_SIGN_ORDER) {
            got.code = LT_RETRY_AGAIN;
        }
        (void)usleep(got.code == 0 ? 0 : 1000);
    }
    if (lt_failed(got)) {
        const Ipc__SignReply *no = (const Ipc__SignReply *)puppet_expect(&e->p, e->registrar, IPC_SIGN_REPLY);
        print_error("refused: %s: %s\n", no->refusal, no->detail);
    }
    assert_int_equal(got.code, 0);
    const Ipc__SignOrder *order = (const Ipc__SignOrder *)m.body;
    assert_int_equal(order->tbs.len, r.tbs.len);
    assert_memory_equal(order->tbs.data, r.tbs.ptr, r.tbs.len);
    static char outcome[] = "signed";
    static uint8_t bytes[70] = {0x30};
    Ipc__SignResult result = IPC__SIGN_RESULT__INIT;
    result.outcome = outcome;
    result.sequence = 1;
    result.signature = (ProtobufCBinaryData){sizeof bytes, bytes};
    assert_ok(ipc_link_send(e->signer, IPC_SIGN_RESULT, m.from.id, &result.base, NULL, 0));
    const Ipc__SignReply *reply = (const Ipc__SignReply *)puppet_expect(&e->p, e->registrar, IPC_SIGN_REPLY);
    assert_string_equal(reply->outcome, "signed");
    lt_buf_done(&r.tbs);
}

/* No signature, and nothing reached the signer. */
static void gets_nothing(struct examiner *e, struct request *r, const char *why)
{
    assert_ok(ipc_link_send(e->registrar, IPC_SIGN_REQUEST, 6, &r->m.base, NULL, 0));
    const Ipc__SignReply *reply = (const Ipc__SignReply *)puppet_expect(&e->p, e->registrar, IPC_SIGN_REPLY);
    assert_string_not_equal(reply->outcome, "signed");
    if (why != NULL && strcmp(reply->refusal, why) != 0) {
        print_error("expected %s, got %s: %s\n", why, reply->refusal, reply->detail);
    }
    if (why != NULL) {
        assert_string_equal(reply->refusal, why);
    }
    assert_int_equal(reply->signature.len, 0);
    assert_false(puppet_heard(&e->p, e->signer, IPC_SIGN_ORDER));
    lt_buf_done(&r->tbs);
}

static void good_gets_nothing(struct examiner *e, const char *why)
{
    struct request r;
    good(&r);
    build(&r);
    gets_nothing(e, &r, why);
}

static void test_halts(void **state)
{
    (void)state;
    struct examiner e;
    examiner_up(&e);
    good_gets_nothing(&e, "stale-halts"); /* no list was ever sent */
    send_halts(&e, IPC__HALT_KIND__HALT_NONE, "", 6, false);
    good_gets_nothing(&e, "stale-halts");
    no_halts(&e);
    passes(&e);
    send_halts(&e, IPC__HALT_KIND__HALT_NONE, "", 0, true);
    good_gets_nothing(&e, "halt");
    no_halts(&e);
    passes(&e);
    send_halts(&e, IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.org", 0, false);
    passes(&e);
    send_halts(&e, IPC__HALT_KIND__HALT_PROFILE, "tls-server", 0, false);
    good_gets_nothing(&e, "halt");
    no_halts(&e); /* "forgotten" */
    good_gets_nothing(&e, "halt");
    examiner_down(&e);
    /* Its own file remembers. */
    examiner_up(&e);
    no_halts(&e);
    good_gets_nothing(&e, "halt");

    static char id[] = "halt-2"; /* that of the profile */
    static char action[] = "halt.lift";
    static char plan_id[] = "p1";
    static char operator[] = "admin";
    static uint8_t signature[64] = {1};
    Ipc__PlanStatement plan = IPC__PLAN_STATEMENT__INIT;
    Ipc__Approval approval = IPC__APPROVAL__INIT;
    Ipc__Approval *twice[] = {&approval, &approval};
    plan.plan_id = plan_id;
    plan.action = action;
    plan.expires_us = lt_now().us + 3600 * LT_US_PER_SECOND;
    approval.operator_ = operator;
    approval.signature = (ProtobufCBinaryData){sizeof signature, signature};
    approval.signed_us = lt_now().us;
    for (size_t n = 0; n <= LT_COUNT(twice); n++) {
        Ipc__HaltLift lift = IPC__HALT_LIFT__INIT;
        lift.halt_id = id;
        lift.plan = &plan;
        lift.n_approvals = n;
        lift.approvals = twice;
        assert_ok(ipc_link_send(e.registrar, IPC_HALT_LIFT, n, &lift.base, NULL, 0));
        const Ipc__ExaminerVerdict *v = (const Ipc__ExaminerVerdict *)puppet_expect(&e.p, e.registrar,
                                                                                    IPC_EXAMINER_VERDICT);
        assert_false(v->accepted);
    }
    no_halts(&e);
    good_gets_nothing(&e, "halt");
    examiner_down(&e);
    char path[100];
    (void)snprintf(path, sizeof path, "%s/ca/examiner/halts", puppet_folder);
    (void)unlink(path); /* for the tests that follow; by the test's hand, not by the registrar's */
}

static void ca_true(struct request *r)
{
    r->spec.ca = true;
    r->spec.key_usage |= X509_KU_KEY_CERT_SIGN;
}
static void too_long(struct request *r)
{
    r->spec.not_after = lt_time_add_seconds(r->spec.not_before, INT64_C(800) * 86400);
}
static void no_evidence(struct request *r)
{
    r->m.n_evidence = 0;
}
static void another_name(struct request *r)
{
    r->san.value = LT_LIT("victim.example.net");
}
static void internal_name(struct request *r)
{
    static char name[] = "intranet";
    r->san.value = lt_slice_cstr(name);
    r->identifier.value = name;
}
static void old_evidence(struct request *r)
{
    r->evidence.validated_us -= INT64_C(900) * 86400 * LT_US_PER_SECOND;
}
static void other_serial(struct request *r)
{
    static uint8_t other[16] = {0x0c, 1};
    r->m.serial.data = other;
}
static void short_serial(struct request *r)
{
    r->spec.serial.len = 4;
    r->m.serial.len = 4;
}
static void other_profile(struct request *r)
{
    static char name[] = "service";
    r->m.profile = name;
}
static void ca_profile(struct request *r)
{
    static char name[] = "ca-tls";
    r->m.profile = name;
    ca_true(r);
}
static void no_purpose(struct request *r)
{
    r->spec.eku_count = 0;
}
static void other_issuer(struct request *r)
{
    static char name[] = "smime";
    r->m.issuer = name;
}

static void test_what_a_lint_would_find(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*change)(struct request *r);
    } lies[] = {
        {"a CA", ca_true},
        {"a CA under its own profile", ca_profile},
        {"800 days", too_long},
        {"no evidence", no_evidence},
        {"a name without evidence", another_name},
        {"an internal name", internal_name},
        {"evidence of years ago", old_evidence},
        {"another serial", other_serial},
        {"a short serial", short_serial},
        {"another profile", other_profile},
        {"no purpose", no_purpose},
        {"another issuer", other_issuer},
    };
    struct examiner e;
    examiner_up(&e);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        struct request r;
        no_halts(&e);
        good(&r);
        lies[i].change(&r);
        build(&r);
        gets_nothing(&e, &r, NULL);
    }
    /* Bytes that are no certificate at all. */
    static uint8_t nothing[] = {0x30, 0x03, 0x02, 0x01};
    struct request r;
    good(&r);
    r.m.tbs = (ProtobufCBinaryData){sizeof nothing, nothing};
    no_halts(&e);
    gets_nothing(&e, &r, NULL);
    /* A blocked key. */
    uint8_t hash[32];
    static char reason[] = "keyCompromise";
    crypto_sha256(crypto_key_spki(subject_key), hash);
    passes(&e);
    Ipc__KeyBlock block = IPC__KEY_BLOCK__INIT;
    block.spki_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    block.reason = reason;
    assert_ok(ipc_link_send(e.registrar, IPC_KEY_BLOCK, 8, &block.base, NULL, 0));
    const Ipc__ExaminerVerdict *v = (const Ipc__ExaminerVerdict *)puppet_expect(&e.p, e.registrar,
                                                                                IPC_EXAMINER_VERDICT);
    assert_true(v->accepted);
    no_halts(&e);
    good_gets_nothing(&e, "blocked-key");
    examiner_down(&e);
    char path[100];
    (void)snprintf(path, sizeof path, "%s/ca/examiner/blocked", puppet_folder);
    assert_int_equal(unlink(path), 0);
}

static void test_examiner_out_of_turn(void **state)
{
    (void)state;
    static const struct {
        enum ipc_role liar;
        enum ipc_type type;
    } lies[] = {
        {IPC_REGISTRAR, IPC_SIGN_ORDER},    {IPC_REGISTRAR, IPC_SIGN_RESULT},
        {IPC_REGISTRAR, IPC_TOKEN_SIGN},    {IPC_PUBLISHER, IPC_SIGN_REQUEST},
        {IPC_PUBLISHER, IPC_HALT_LIST},     {IPC_PUBLISHER, IPC_KEY_UNBLOCK},
        {IPC_NOTARY, IPC_SIGN_REQUEST},     {IPC_GATEWAY, IPC_SIGN_REQUEST},
        {IPC_VALIDATOR, IPC_SIGN_REQUEST},  {IPC_SIGNER, IPC_HALT_LIFT},
        {IPC_SIGNER, IPC_SIGN_REQUEST},     {IPC_READER, IPC_HALT_LIST},
        {IPC_OPINION, IPC_SIGN_RESULT},     {IPC_OPINION, IPC_SIGN_REQUEST},
        {IPC_OPINION, IPC_HALT_LIST},       {IPC_OPINION, IPC_OPINION_REQUEST},
        {IPC_OPINION, IPC_OPINION_GIVEN}, /* on nothing, in no word that there is */
        {IPC_REGISTRAR, IPC_OPINION_GIVEN},
    };
    struct examiner e;
    examiner_up(&e);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        int raw = puppet_raw(&e.p, lies[i].liar, 4);
        puppet_say(raw, lies[i].type, NULL);
        puppet_expect_complaint(&e.p, lies[i].liar, raw);
    }
    no_halts(&e);
    passes(&e);
    examiner_down(&e);
}

/* ---- the signer ---- */

struct signer {
    struct puppet p;
    struct ipc_link *examiner;
};

static void signer_up(struct signer *s)
{
    puppet_start(&s->p, IPC_SIGNER);
    s->examiner = puppet_link(&s->p, IPC_EXAMINER, 0);
}

static const Ipc__SignResult *order(struct signer *s, const struct request *r)
{
    Ipc__SignOrder o = IPC__SIGN_ORDER__INIT;
    o.kind = r->m.kind;
    o.issuer = r->m.issuer;
    o.serial = r->m.serial;
    o.tbs = r->m.tbs;
    assert_ok(ipc_link_send(s->examiner, IPC_SIGN_ORDER, 3, &o.base, NULL, 0));
    return (const Ipc__SignResult *)puppet_expect(&s->p, s->examiner, IPC_SIGN_RESULT);
}

static void say_hello(struct signer *s)
{
    Ipc__JournalAck hello = IPC__JOURNAL_ACK__INIT;
    hello.book_hello = true;
    assert_ok(ipc_link_send(s->examiner, IPC_JOURNAL_ACK, 0, &hello.base, NULL, 0));
    (void)puppet_expect(&s->p, s->examiner, IPC_JOURNAL_REPLAY);
}

static void is_refused(struct signer *s, struct request *r, const char *what)
{
    build(r);
    const Ipc__SignResult *result = order(s, r);
    if (strcmp(result->outcome, "refused") != 0) {
        print_error("%s: %s\n", what, result->outcome);
    }
    assert_string_equal(result->outcome, "refused");
    assert_int_equal(result->signature.len, 0);
    lt_buf_done(&r->tbs);
}

static void poison(struct request *r)
{
    r->spec.ct_poison = true;
}
static void wrong_name(struct request *r)
{
    static char smime[] = "smime";
    r->m.issuer = smime;
}
static void by_the_root(struct request *r)
{
    static char root[] = "root";
    r->m.issuer = root;
}
static void unknown_issuer(struct request *r)
{
    static char nobody[] = "nobody";
    r->m.issuer = nobody;
}
static void long_ago(struct request *r)
{
    r->spec.not_before = lt_time_add_seconds(r->spec.not_before, -INT64_C(10) * 86400);
}
static void ten_years(struct request *r)
{
    r->spec.not_after = lt_time_add_seconds(r->spec.not_before, INT64_C(3650) * 86400);
}
static void crl_sign(struct request *r)
{
    r->spec.key_usage |= X509_KU_CRL_SIGN;
}
static void as_crl(struct request *r)
{
    r->m.kind = IPC__SIGN_KIND__SIGN_CRL;
}
static void no_kind(struct request *r)
{
    r->m.kind = IPC__SIGN_KIND__SIGN_NONE;
}

static void test_signer(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*change)(struct request *r);
    } lies[] = {
        {"a CA", ca_true},
        {"a certificate that may sign CRLs", crl_sign},
        {"an unannounced precertificate", poison},
        {"another issuer's name", wrong_name},
        {"under the root", by_the_root},
        {"under nobody", unknown_issuer},
        {"another serial", other_serial},
        {"dated back", long_ago},
        {"ten years", ten_years},
        {"a certificate as CRL", as_crl},
        {"of no kind", no_kind},
    };
    struct signer s;
    struct request r;
    signer_up(&s);
    good(&r);
    build(&r);
    assert_string_equal(order(&s, &r)->outcome, "unavailable"); /* it does not know the book yet */
    lt_buf_done(&r.tbs);
    say_hello(&s);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        good(&r);
        lies[i].change(&r);
        is_refused(&s, &r, lies[i].what);
    }
    good(&r);
    build(&r);
    const Ipc__SignResult *result = order(&s, &r);
    assert_string_equal(result->outcome, "signed");
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    assert_ok(crypto_pub_import(&issuer.spki, &pub));
    assert_ok(crypto_pub_verify(pub, CRYPTO_ES256, lt_buf_slice(&r.tbs),
                                LT_SLICE(result->signature.data, result->signature.len)));
    /* The same serial for other bytes: never. */
    r.san.value = LT_LIT("other.example.com");
    lt_buf_reset(&r.tbs);
    is_refused(&s, &r, "a serial twice");
    ipc_link_free(s.examiner);
    puppet_drain(&s.p);
}

static void test_signer_out_of_turn(void **state)
{
    (void)state;
    static const struct {
        enum ipc_role liar;
        enum ipc_type type;
    } lies[] = {
        {IPC_REGISTRAR, IPC_SIGN_ORDER}, {IPC_GATEWAY, IPC_SIGN_ORDER},    {IPC_NOTARY, IPC_SIGN_ORDER},
        {IPC_PUBLISHER, IPC_SIGN_ORDER}, {IPC_TOKEN, IPC_SIGN_ORDER},      {IPC_EXAMINER, IPC_SIGN_REQUEST},
        {IPC_EXAMINER, IPC_HALT_LIST},   {IPC_EXAMINER, IPC_TOKEN_SIGNED}, {IPC_REGISTRAR, IPC_JOURNAL_ACK},
    };
    struct signer s;
    signer_up(&s);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        int raw = puppet_raw(&s.p, lies[i].liar, 4);
        puppet_say(raw, lies[i].type, NULL);
        puppet_expect_complaint(&s.p, lies[i].liar, raw);
    }
    ipc_link_free(s.examiner);
    puppet_drain(&s.p);
}

int main(int argc, char **argv)
{
    LT_ASSERT(argc == 3);
    lintel = argv[1];
    puppet_libexec = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halts),
        cmocka_unit_test(test_what_a_lint_would_find),
        cmocka_unit_test(test_examiner_out_of_turn),
        cmocka_unit_test(test_signer),
        cmocka_unit_test(test_signer_out_of_turn),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
