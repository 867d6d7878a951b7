/* Orders by a profile that browsers trust: when they are refused, and perspectives that agree, lie and keep
 * silent, over control and over CAA. The test plays validator, courier and the perspectives with their keys.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "crypto/key.h"
#include "rig.h"
#include "sign.pb-c.h"
#include "validate/methods.h"

enum { VIEWS = 4, HOUR = 3600, FILE_MAX = 65536 };

static const char with_caa[] = "acme:\n  caa-identities: [ca.example.com]\n  authorization-lifetime: 30d\n"
                               "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                               "  failures-per-name: none\n";
static const char without_caa[] = "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n";
static const char without_dnssec[] =
    "acme:\n  caa-identities: [ca.example.com]\n"
    "validation:\n  allow-private: true\n  dnssec: none\n"
    "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n";

#define GOOD_CAA "acme:\n  caa-identities: [ca.example.com]\n"
static const char with_port[] = GOOD_CAA "validation:\n  http-port: 8080\n";
static const char with_tls_port[] = GOOD_CAA "validation:\n  https-port: 444\n";
static const char with_private[] = GOOD_CAA "validation:\n  allow-private: true\n";
static const char with_anchor[] = GOOD_CAA "validation:\n  trust-anchor: my.ds\n";

static const char *const one[] = {"a.example.com", NULL};
static const char *const two[] = {"a.example.com", "b.example.com", NULL};

static char folder[] = "/tmp/lintel-public-XXXXXX";
static struct crypto_key *keys[VIEWS + 1];
static struct validate_perspective list[VIEWS];
static struct validate_perspectives all = {.list = list, .count = VIEWS};

static const char *const files[] = {"ca-root", "ca-tls", "service", "tls-server", "tls-server-short"};

/* The shipped profiles, with tls-server public. */
static int set_up(void **state)
{
    static const enum validate_rir rirs[VIEWS] = {VALIDATE_RIR_RIPE, VALIDATE_RIR_ARIN, VALIDATE_RIR_APNIC,
                                                  VALIDATE_RIR_LACNIC};
    static const char *const names[VIEWS] = {"eu", "us", "jp", "br"};
    struct lt_arena a;
    char path[256];
    (void)state;
    lt_arena_init(&a, 1 << 20);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/profiles", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        lt_slice text;
        (void)snprintf(path, sizeof path, DATA_DIR "/profiles/%s.yaml", files[i]);
        assert_ok(lt_file_read(&a, AT_FDCWD, path, FILE_MAX, &text));
        char *copy = lt_arena_cstr(&a, text);
        char *at = strstr(copy, "\npublic: false");
        if (strcmp(files[i], "tls-server") == 0) {
            assert_non_null(at);
            memcpy(at, "\npublic: true ", 14);
        }
        (void)snprintf(path, sizeof path, "%s/profiles/%s.yaml", folder, files[i]);
        assert_ok(lt_file_replace(AT_FDCWD, path, 0600, lt_slice_cstr(copy)));
    }
    lt_arena_done(&a);
    for (size_t i = 0; i <= VIEWS; i++) {
        assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &keys[i]));
    }
    for (size_t i = 0; i < VIEWS; i++) {
        list[i] = (struct validate_perspective){.name = names[i],
                                                .url = "",
                                                .spki = crypto_key_spki(keys[i]),
                                                .rir = rirs[i],
                                                .resolver_rir = rirs[i]};
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[256];
    (void)state;
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)snprintf(path, sizeof path, "%s/profiles/%s.yaml", folder, files[i]);
        (void)unlink(path); /* below */
    }
    (void)snprintf(path, sizeof path, "%s/profiles", folder);
    (void)rmdir(path); /* below */
    for (size_t i = 0; i <= VIEWS; i++) {
        crypto_key_free(keys[i]);
    }
    return rmdir(folder);
}

static void open_rig(struct rig *r, struct rig_account *a, const char *yaml,
                     const struct validate_perspectives *perspectives)
{
    rig_open(r, yaml);
    r->profiles = folder;
    rig_restart(r);
    acme_desk_use_perspectives(r->desk, perspectives);
    rig_new_account(r, a, 1);
}

static const Ipc__AcmeReply *order(struct rig *r, const struct rig_account *a, const char *profile)
{
    static char dns[] = "dns";
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    Ipc__Identifier *names[] = {&name};
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    name.type = dns;
    name.value = (char *)(uintptr_t)one[0];
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    body.n_identifiers = 1;
    body.identifiers = names;
    body.profile = (char *)(uintptr_t)profile;
    return rig_call(r, a, &call);
}

/* ---- what is seen ---- */

static lt_res step_validated(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_validated(r->desk, t, m);
}

static lt_res step_corroborated(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_corroborated(r->desk, t, m);
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c has no const strings; only read */
}

/* A statement about q, with CAA, that says yes. Everything in *v and *caa. */
static void say(const struct rig *r, const Ipc__Validate *q, Ipc__Validated *v, Ipc__CaaCheck *caa)
{
    ipc__validated__init(v);
    ipc__caa_check__init(caa);
    v->authorization_id = q->authorization_id;
    v->challenge_index = q->challenge_index;
    v->nonce = q->nonce;
    v->identifier = q->identifier;
    v->method = q->method;
    v->wildcard = q->wildcard;
    v->ok = true;
    v->dnssec = word("insecure");
    v->perspective = word(q->perspective[0] == '\0' ? "primary" : q->perspective);
    v->build = word("test");
    v->resolver = word("primary");
    v->ruleset = word(validate_method_find(q->method, q->identifier->type)->ruleset);
    v->subdomains = q->subdomains;
    v->finished_us = r->now.us;
    caa->checked = true;
    caa->permitted = true;
    caa->dnssec = word("insecure");
    caa->looked_up = &q->identifier->value;
    caa->n_looked_up = 1;
    caa->checked_us = r->now.us;
    v->caa = caa;
}

static void primary_sees(struct rig *r, const Ipc__Validate *q, const char *problem)
{
    Ipc__Validated v;
    Ipc__CaaCheck caa;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    say(r, q, &v, &caa);
    if (problem != NULL) {
        v.ok = false;
        v.caa = NULL;
        p.type = word(problem);
        p.detail = word("it did not work");
        v.problem = &p;
    }
    const struct ipc_msg m = {.from = {.role = IPC_VALIDATOR}, .type = IPC_VALIDATED, .body = &v.base};
    assert_ok(rig_run(r, step_validated, &m));
}

static const Ipc__Validate *last(struct rig *r)
{
    return rig_find(r, IPC_VALIDATE, rig_count(r, IPC_VALIDATE) - 1);
}

enum change {
    AGREES,
    SILENT, /* the courier says that it got no answer */
    OTHER_KEY,
    OTHER_PERSPECTIVE,
    OTHER_NONCE,
    OTHER_QUESTION,
    OTHER_NAME,
    OTHER_METHOD,
    OTHER_AUTHORIZATION,
    NOT_OK,
    BOGUS,
    NO_CAA,
    CAA_FORBIDS,
    CAA_FAILED,
    NO_STATEMENT,
    OUT_OF_ORDER, /* by its own word */
    CHANGES,
};

/* The answer of list[i] to q. */
static void answer(struct rig *r, const Ipc__Validate *q, size_t i, enum change what)
{
    static uint8_t other_bytes[32] = "this was drawn by somebody else";
    struct lt_arena a;
    uint8_t digest[32];
    Ipc__Validated v;
    Ipc__CaaCheck caa;
    Ipc__Identifier other = *q->identifier;
    Ipc__SignedStatement s = IPC__SIGNED_STATEMENT__INIT;
    Ipc__Corroborated m = IPC__CORROBORATED__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    lt_arena_init(&a, 1 << 20);
    say(r, q, &v, &caa);
    assert_ok(validate_question_digest(q, &a, digest));
    v.question_sha256 = (ProtobufCBinaryData){32, what == OTHER_QUESTION ? other_bytes : digest};
    v.nonce = what == OTHER_NONCE ? (ProtobufCBinaryData){q->nonce.len, other_bytes} : v.nonce;
    other.value = word("evil.example.com");
    v.identifier = what == OTHER_NAME ? &other : v.identifier;
    v.method = what == OTHER_METHOD ? word("dns-01") : v.method;
    v.authorization_id += what == OTHER_AUTHORIZATION;
    v.dnssec = word(what == BOGUS ? "bogus" : "insecure");
    v.caa = what == NO_CAA ? NULL : v.caa;
    caa.permitted = what != CAA_FORBIDS;
    caa.checked = what != CAA_FAILED;
    caa.why = word("a record names others");
    if (what == NOT_OK) {
        p.type = word("unauthorized");
        p.detail = word("another content");
        v.ok = false;
        v.problem = &p;
    }
    if (what == OUT_OF_ORDER) {
        p.type = word("serverInternal");
        p.detail = word("its resolver 192.0.2.77 is dead");
        v.ok = false;
        v.problem = &p;
    }
    v.perspective = word(list[what == OTHER_PERSPECTIVE ? (i + 1) % VIEWS : i].name);
    assert_ok(validate_statement_sign(keys[what == OTHER_KEY ? VIEWS : i], &v, &a, &s));
    s.statement.len = what == NO_STATEMENT ? 3 : s.statement.len;
    m.authorization_id = q->authorization_id;
    m.challenge_index = q->challenge_index;
    m.perspective = word(list[i].name);
    m.nonce = q->nonce;
    m.statement = what == SILENT ? NULL : &s;
    m.why = word(what == SILENT ? "192.0.2.20 port 9443: no connection" : "");
    const struct ipc_msg msg = {.from = {.role = IPC_COURIER}, .type = IPC_CORROBORATED, .body = &m.base};
    assert_ok(rig_run(r, step_corroborated, &msg));
    lt_arena_done(&a);
}

static const Ipc__Corroborate *asked(struct rig *r)
{
    size_t count = rig_count(r, IPC_CORROBORATE);
    assert_true(count > 0);
    const Ipc__Corroborate *m = rig_find(r, IPC_CORROBORATE, count - 1);
    assert_int_equal(m->n_questions, VIEWS);
    return m;
}

/* The first `dissenting` of them are changed. */
static void all_answer(struct rig *r, size_t dissenting, enum change what)
{
    const Ipc__Corroborate *m = asked(r);
    for (size_t i = 0; i < VIEWS; i++) {
        assert_string_equal(m->questions[i]->perspective, list[i].name);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(m->questions[i]->nonce.data, m->questions[k]->nonce.data, 16);
        }
        answer(r, m->questions[i], i, i < dissenting ? what : AGREES);
    }
}

/* A new order up to the perspectives; its authorization. */
static int64_t until_asked(struct rig *r, const struct rig_account *a, int64_t *ret_order)
{
    const Ipc__AcmeReply *reply = rig_new_order(r, a, one);
    assert_int_equal(reply->status, 201);
    *ret_order = reply->location_order;
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(r, a, authorization)->status, 200);
    primary_sees(r, last(r), NULL);
    return authorization;
}

/* ---- tests ---- */

static void test_refused(void **state)
{
    struct validate_perspectives three = {.list = list, .count = 3};
    struct validate_perspectives none = {.count = 0};
    const struct {
        const char *yaml;
        const struct validate_perspectives *perspectives;
        const char *words[3];
    } rows[] = {
        {with_caa, NULL, {"0 remote perspectives", "4 in 2 regions"}},
        {with_caa, &none, {"0 remote perspectives", "CABF-BR 3.2.2.9"}},
        {with_caa, &three, {"3 remote perspectives in 3 regions"}},
        {without_caa, &all, {"caa-identities", "CABF-BR 3.2.2.8"}},
        {without_dnssec, &all, {"dnssec", "CABF-BR 3.2.2.8.1"}},
        {without_caa, NULL, {"caa-identities", "0 remote perspectives"}},
        {with_port, &all, {"http-port is 8080", "Authorized Ports"}},
        {with_tls_port, &all, {"https-port is 444"}},
        {with_private, &all, {"allow-private"}},
        {with_anchor, &all, {"trust-anchor", "IANA"}},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct rig r;
        struct rig_account a;
        open_rig(&r, &a, rows[i].yaml, rows[i].perspectives);
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, one);
        assert_non_null(reply->problem);
        assert_string_equal(reply->problem->type, "invalidProfile");
        for (size_t k = 0; k < 3 && rows[i].words[k] != NULL; k++) {
            assert_non_null(strstr(reply->problem->detail, rows[i].words[k]));
        }
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order"), 0);
        assert_int_equal(order(&r, &a, "tls-server-short")->status, 201); /* a private one */
        rig_close(&r);
    }
}

static void test_agreed(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    int64_t authorization = until_asked(&r, &a, &id);
    assert_string_equal(rig_get_authorization(&r, &a, authorization) == NULL ? "held" : "", "held");
    all_answer(&r, 1, NOT_OK);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "ready");
    assert_string_equal(
        rig_text(&r, "SELECT body ->> 'corroboration' FROM event WHERE kind = 'authorization.valid'"), "3/4");
    rig_key(&leaf, 0);
    assert_null(rig_finalize(&r, &a, id, one, &leaf.key));
    const Ipc__SignRequest *q = rig_find(&r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(q->n_evidence, 1);
    assert_int_equal(q->evidence[0]->quorum, 4); /* the primary one is among them */
    assert_int_equal(q->evidence[0]->n_statements, 4);
    assert_int_equal(q->evidence[0]->n_caa_statements, 0);
    assert_int_equal(q->evidence[0]->caa_checked_us, r.now.us);
    rig_close(&r);
}

/* Nothing that was signed about the name. */
static bool is_absence(enum change what)
{
    return what == SILENT || what == NO_STATEMENT || what == OUT_OF_ORDER ||
           (what >= OTHER_KEY && what <= OTHER_AUTHORIZATION);
}

static void test_dissent(void **state)
{
    (void)state;
    for (enum change what = SILENT; what < CHANGES; what++) {
        struct rig r;
        struct rig_account a;
        int64_t id = 0;
        bool ours = is_absence(what);
        open_rig(&r, &a, with_caa, &all);
        (void)until_asked(&r, &a, &id);
        all_answer(&r, 2, what);
        assert_string_equal(rig_get_order(&r, &a, id)->order->status, ours ? "pending" : "invalid");
        rig_advance(&r, 23);
        rig_tick(&r);
        const Ipc__AcmeReply *reply = rig_get_order(&r, &a, id);
        if (strcmp(reply->order->status, "invalid") != 0) {
            print_error("change %d\n", (int)what);
        }
        assert_string_equal(reply->order->status, "invalid");
        const char *type = what == NOT_OK ? "unauthorized" : ours ? "serverInternal" : "caa";
        const char *detail = reply->order->error->subproblems[0]->detail;
        assert_string_equal(reply->order->error->type, type);
        assert_int_equal(reply->order->error->status, ours ? 500 : 403);
        assert_non_null(strstr(detail, ours ? "a fault of the CA" : "2 of 4"));
        assert_null(strstr(detail, "192.0.2."));
        assert_string_equal(
            rig_text(&r, "SELECT body ->> 'corroboration' FROM event WHERE kind = 'authorization.invalid'"),
            "2/4");
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM name_pause"), ours ? 0 : 1);
        rig_close(&r);
    }
}

/* One that said no and one that said nothing: whatever the silent one had said, it could have been enough. */
static void test_dissent_and_silence(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    const Ipc__Corroborate *m = asked(&r);
    for (size_t i = 0; i < VIEWS; i++) {
        answer(&r, m->questions[i], i, i == 0 ? NOT_OK : i == 1 ? SILENT : AGREES);
    }
    rig_advance(&r, 3);
    rig_tick(&r);
    m = rig_find(&r, IPC_CORROBORATE, rig_count(&r, IPC_CORROBORATE) - 1);
    assert_int_equal(m->n_questions, 1); /* who said no is not asked until it says yes */
    assert_string_equal(m->questions[0]->perspective, list[1].name);
    answer(&r, m->questions[0], 1, NOT_OK);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, id);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "unauthorized");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM name_pause"), 1);
    rig_close(&r);
}

/* Who did not answer is asked again, after 2 and after 4 seconds, and then no more; it may be back. */
static void test_silent_again(void **state)
{
    (void)state;
    for (size_t back = 1; back <= 3; back++) {
        struct rig r;
        struct rig_account a;
        int64_t id = 0;
        open_rig(&r, &a, with_caa, &all);
        (void)until_asked(&r, &a, &id);
        all_answer(&r, 2, SILENT);
        for (size_t round = 1; round <= 2; round++) {
            rig_tick(&r);
            assert_int_equal(rig_count(&r, IPC_CORROBORATE), round); /* too early */
            rig_advance(&r, 2 * (int64_t)round);
            rig_tick(&r);
            assert_int_equal(rig_count(&r, IPC_CORROBORATE), round + 1);
            const Ipc__Corroborate *m = rig_find(&r, IPC_CORROBORATE, round);
            assert_int_equal(m->n_questions, 2);
            answer(&r, m->questions[0], 0, round == back ? AGREES : SILENT);
            answer(&r, m->questions[1], 1, round == back ? AGREES : SILENT);
            if (round == back) {
                break;
            }
        }
        assert_string_equal(rig_get_order(&r, &a, id)->order->status, back <= 2 ? "ready" : "invalid");
        rig_advance(&r, 60);
        rig_close(&r);
    }
}

/* Those that never answer are waited for, and not for ever; what comes later, or twice, changes nothing. */
static void test_late(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    const Ipc__Corroborate *m = asked(&r);
    answer(&r, m->questions[0], 0, AGREES);
    answer(&r, m->questions[0], 0, AGREES);
    answer(&r, m->questions[0], 1, AGREES); /* in the name of another */
    rig_advance(&r, 21);
    rig_tick(&r);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "pending");
    rig_advance(&r, 2);
    rig_tick(&r);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "invalid");
    assert_string_equal(rig_get_order(&r, &a, id)->order->error->type, "serverInternal");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM name_pause"), 0);
    for (size_t i = 0; i < VIEWS; i++) {
        answer(&r, m->questions[i], i, AGREES);
    }
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "invalid");
    rig_close(&r);
}

/* Enough of them, and all in one region. */
static void test_regions(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    enum validate_rir kept[VIEWS];
    (void)state;
    for (size_t i = 0; i < VIEWS; i++) {
        kept[i] = list[i].rir;
        list[i].rir = i == 0 ? VALIDATE_RIR_ARIN : VALIDATE_RIR_RIPE;
    }
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    all_answer(&r, 1, NOT_OK);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, id);
    assert_string_equal(reply->order->status, "invalid");
    assert_non_null(strstr(reply->order->error->subproblems[0]->detail, "too few regions"));
    rig_close(&r);
    for (size_t i = 0; i < VIEWS; i++) {
        list[i].rir = kept[i];
    }
}

/* What was proven for a private profile, by the primary one alone, is no proof for a public one. */
static void test_reuse(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, NULL);
    const Ipc__AcmeReply *reply = order(&r, &a, "tls-server-short");
    int64_t first = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, first)->status, 200);
    primary_sees(&r, last(&r), NULL);
    acme_desk_use_perspectives(r.desk, &all);
    assert_string_equal(order(&r, &a, "tls-server-short")->order->status, "ready");
    reply = order(&r, &a, "tls-server");
    assert_string_equal(reply->order->status, "pending");
    assert_true(reply->order->authorizations[0] != first);
    (void)until_asked(&r, &a, &id);
    all_answer(&r, 0, AGREES);
    assert_string_equal(order(&r, &a, "tls-server")->order->status, "ready");
    /* Nor is what perspectives said that are known no more. */
    static struct validate_perspective others[VIEWS];
    static const char *const names[VIEWS] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < VIEWS; i++) {
        others[i] = list[i];
        others[i].name = names[i];
    }
    struct validate_perspectives new = {.list = others, .count = VIEWS};
    acme_desk_use_perspectives(r.desk, &new);
    assert_string_equal(order(&r, &a, "tls-server")->order->status, "pending");
    rig_close(&r);
}

/* Perspectives that went away between the proof and finalize: the order waits for better days. */
static void test_lost_before_finalize(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    all_answer(&r, 0, AGREES);
    acme_desk_use_perspectives(r.desk, NULL);
    rig_key(&leaf, 0);
    const Ipc__AcmeReply *reply = rig_finalize(&r, &a, id, one, &leaf.key);
    assert_non_null(reply->problem);
    assert_string_equal(reply->problem->type, "invalidProfile");
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "ready");
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    acme_desk_use_perspectives(r.desk, &all);
    assert_null(rig_finalize(&r, &a, id, one, &leaf.key));
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_close(&r);
}

/* ---- CAA asked again ---- */

static size_t caa_questions(struct rig *r, const Ipc__Validate **found, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < rig_count(r, IPC_VALIDATE); i++) {
        const Ipc__Validate *q = rig_find(r, IPC_VALIDATE, i);
        if (strcmp(q->method, "caa") == 0) {
            assert_true(count < most);
            found[count++] = q;
        }
    }
    return count;
}

/* Two names that were proven nine hours ago; finalize has been asked for. */
static int64_t nine_hours_later(struct rig *r, struct rig_account *a)
{
    struct rig_account leaf;
    open_rig(r, a, with_caa, &all);
    const Ipc__AcmeReply *reply = rig_new_order(r, a, two);
    int64_t ids[2] = {reply->order->authorizations[0], reply->order->authorizations[1]};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rig_reply_challenge(r, a, ids[i])->status, 200);
        primary_sees(r, last(r), NULL);
        all_answer(r, 0, AGREES);
    }
    rig_advance(r, 9 * HOUR);
    rig_clean(r);
    reply = rig_new_order(r, a, two);
    assert_string_equal(reply->order->status, "ready");
    int64_t id = reply->location_order;
    rig_key(&leaf, 0);
    assert_null(rig_finalize(r, a, id, two, &leaf.key));
    return id;
}

static void test_caa_again(void **state)
{
    const Ipc__Validate *found[4];
    struct rig r;
    struct rig_account a;
    (void)state;
    (void)nine_hours_later(&r, &a);
    assert_int_equal(caa_questions(&r, found, 4), 2);
    primary_sees(&r, found[0], NULL);
    assert_string_equal(asked(&r)->questions[0]->method, "caa");
    assert_string_equal(asked(&r)->questions[0]->token, "http-01"); /* validationmethods is held against it */
    all_answer(&r, 1, SILENT);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    primary_sees(&r, found[1], NULL);
    assert_int_equal(rig_count(&r, IPC_CORROBORATE), 2);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    all_answer(&r, 0, AGREES);
    const Ipc__SignRequest *q = rig_find(&r, IPC_SIGN_REQUEST, 0);
    assert_non_null(q);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(q->evidence[i]->caa_checked_us, r.now.us);
        assert_int_equal(q->evidence[i]->n_statements, 4);
        assert_int_equal(q->evidence[i]->n_caa_statements, i == 0 ? 3 : 4);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM evidence"), 4);
    rig_close(&r);
}

static void test_caa_dissent(void **state)
{
    static const struct {
        enum change what;
        const char *type;
    } rows[] = {
        {CAA_FORBIDS, "caa"},
        {CAA_FAILED, "caa"},
        {NO_CAA, "caa"},
        {SILENT, "serverInternal"},
        {OTHER_KEY, "serverInternal"},
        {OTHER_NAME, "serverInternal"},
        {OTHER_NONCE, "serverInternal"},
        {OTHER_QUESTION, "serverInternal"},
        {OTHER_METHOD, "serverInternal"},
        {OTHER_AUTHORIZATION, "serverInternal"},
        {OUT_OF_ORDER, "serverInternal"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__Validate *found[4];
        struct rig r;
        struct rig_account a;
        int64_t id = nine_hours_later(&r, &a);
        assert_int_equal(caa_questions(&r, found, 4), 2);
        primary_sees(&r, found[0], NULL);
        all_answer(&r, 2, rows[i].what);
        primary_sees(&r, found[1], NULL);
        all_answer(&r, 0, AGREES);
        rig_advance(&r, 23);
        rig_tick(&r);
        assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
        const Ipc__AcmeReply *reply = rig_get_order(&r, &a, id);
        assert_string_equal(reply->order->status, "invalid");
        assert_string_equal(reply->order->error->type, rows[i].type);
        assert_int_equal(reply->order->error->n_subproblems, 1);
        assert_string_equal(reply->order->error->subproblems[0]->identifier->value,
                            found[0]->identifier->value);
        rig_close(&r);
    }
}

/* What was being asked is lost with the registrar: all of it is asked again, and old answers count for
 * nothing. */
static void test_caa_restart(void **state)
{
    const Ipc__Validate *found[4];
    struct rig r;
    struct rig_account a;
    struct lt_arena keep;
    const ProtobufCMessage *copy;
    lt_slice packed;
    (void)state;
    int64_t id = nine_hours_later(&r, &a);
    assert_int_equal(caa_questions(&r, found, 4), 2);
    primary_sees(&r, found[0], NULL);
    lt_arena_init(&keep, 1 << 20);
    assert_ok(ipc_pack(&asked(&r)->base, &keep, &packed));
    assert_ok(ipc_unpack(IPC_CORROBORATE, packed, &keep, &copy));
    const Ipc__Corroborate *old = (const Ipc__Corroborate *)(const void *)copy;
    rig_advance(&r, 5);
    rig_restart(&r);
    acme_desk_use_perspectives(r.desk, &all);
    assert_int_equal(caa_questions(&r, found, 4), 2);
    for (size_t i = 0; i < VIEWS; i++) {
        answer(&r, old->questions[i], i, AGREES);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM caa_check WHERE status = 'asked'"), 2);
    for (size_t i = 0; i < 2; i++) {
        primary_sees(&r, found[i], NULL);
        all_answer(&r, 0, AGREES);
    }
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_signed(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "valid");
    lt_arena_done(&keep);
    rig_close(&r);
}

/* ---- our own faults ---- */

static lt_res step_courier(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_courier_linked(r->desk, t);
}

/* A courier that died is asked the same again: who has answered is not. */
static void test_courier_comes_back(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    const Ipc__Corroborate *first = asked(&r);
    answer(&r, first->questions[2], 2, AGREES);
    rig_advance(&r, 20);
    assert_ok(rig_run(&r, step_courier, NULL));
    assert_int_equal(rig_count(&r, IPC_CORROBORATE), 2);
    const Ipc__Corroborate *again = rig_find(&r, IPC_CORROBORATE, 1);
    assert_int_equal(again->n_questions, 3);
    static const size_t who[] = {0, 1, 3};
    rig_advance(&r, 20); /* they have their time anew */
    rig_tick(&r);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(again->questions[i]->perspective, list[who[i]].name);
        assert_memory_equal(again->questions[i]->nonce.data, first->questions[who[i]]->nonce.data, 16);
        answer(&r, again->questions[i], who[i], AGREES);
    }
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "ready");
    assert_ok(rig_run(&r, step_courier, NULL)); /* nothing is open */
    assert_int_equal(rig_count(&r, IPC_CORROBORATE), 2);
    rig_close(&r);
}

/* One message that fails takes nothing of the others with it; one that fails itself is asked again later. */
static void test_lost_savepoint(void **state)
{
    struct rig r;
    struct rig_account a;
    int64_t id = 0;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    (void)until_asked(&r, &a, &id);
    r.fail_next = true;
    (void)order(&r, &a, "tls-server-short"); /* answered as a fault of ours */
    all_answer(&r, 0, AGREES);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "ready");
    rig_close(&r);

    open_rig(&r, &a, with_caa, &all);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, one);
    id = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    Ipc__Validated v;
    Ipc__CaaCheck caa;
    say(&r, last(&r), &v, &caa);
    const struct ipc_msg m = {.from = {.role = IPC_VALIDATOR}, .type = IPC_VALIDATED, .body = &v.base};
    r.fail_next = true;
    assert_true(lt_failed(rig_run(&r, step_validated, &m)));
    assert_int_equal(rig_count(&r, IPC_CORROBORATE), 0);
    rig_advance(&r, 30); /* nobody waits for answers to what was never asked */
    rig_tick(&r);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "pending");
    rig_advance(&r, 60);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 2);
    primary_sees(&r, last(&r), NULL);
    all_answer(&r, 0, AGREES);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "ready");
    rig_close(&r);
}

/* While issuance is held an order whose CAA was permitted waits, and keeps nothing else from going on. */
static void test_held(void **state)
{
    const Ipc__Validate *found[4];
    struct rig r;
    struct rig_account a;
    (void)state;
    int64_t id = nine_hours_later(&r, &a);
    assert_int_equal(caa_questions(&r, found, 4), 2);
    r.book->held = true;
    for (size_t i = 0; i < 2; i++) {
        primary_sees(&r, found[i], NULL);
        all_answer(&r, 0, AGREES);
    }
    rig_advance(&r, 2);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    assert_string_equal(rig_text(&r, "SELECT review FROM order_wait"), "held");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM caa_check WHERE status = 'permitted'"), 2);
    r.book->held = false;
    rig_advance(&r, 2);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 1);
    rig_signed(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, id)->order->status, "valid");
    rig_close(&r);
}

static void test_asked_again(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    open_rig(&r, &a, with_caa, &all);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, one);
    int64_t id = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    for (size_t i = 0; i < 3; i++) {
        primary_sees(&r, last(&r), "serverInternal");
        assert_int_equal(rig_count(&r, IPC_VALIDATE), i + 2);
        assert_string_equal(rig_get_order(&r, &a, id)->order->status, "pending");
    }
    primary_sees(&r, last(&r), "serverInternal");
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 4);
    reply = rig_get_order(&r, &a, id);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "serverInternal");
    /* The client's own fault is not asked again; after a fault of ours the truth still counts. */
    reply = rig_new_order(&r, &a, one);
    id = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    primary_sees(&r, last(&r), "serverInternal");
    primary_sees(&r, last(&r), "unauthorized");
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 6);
    assert_string_equal(rig_get_order(&r, &a, id)->order->error->type, "unauthorized");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_agreed),
        cmocka_unit_test(test_dissent),        cmocka_unit_test(test_dissent_and_silence),
        cmocka_unit_test(test_silent_again),   cmocka_unit_test(test_late),
        cmocka_unit_test(test_regions),        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_caa_again),      cmocka_unit_test(test_lost_before_finalize),
        cmocka_unit_test(test_caa_dissent),    cmocka_unit_test(test_caa_restart),
        cmocka_unit_test(test_asked_again),    cmocka_unit_test(test_courier_comes_back),
        cmocka_unit_test(test_lost_savepoint), cmocka_unit_test(test_held),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
