/* Readiness: facts and tiers over all that can be, what is written down as it happens, what operators say,
 * and what is refused; caps of issuers. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/config.h"
#include "ca/issuer_cap.h"
#include "ca/ready.h"

#define PATH "/tmp/lintel-test-ready.db"

enum { DAY_S = 86400, ACCOUNT = 77 };

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static struct ca_config *config;

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    assert_ok(ca_config_parse(LT_LIT("issuers:\n  - {name: tls, key: k, certificate: c, cap: 10}\n"
                                     "acme:\n  terms-of-service: https://ca.example/terms\n"
                                     "  terms-version: \"2026-03\"\n  terms-revocation-clause: true\n"),
                              &config));
    r->book->config = config;
    assert_int_equal(rig_number(r, "SELECT count(*) FROM readiness"), 0);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    ca_config_free(config);
    config = NULL;
    remove_files();
    return 0;
}

/* ---- tiers ---- */

static const lt_time now = {INT64_C(1800000000) * LT_US_PER_SECOND};

static lt_time ago(int64_t seconds)
{
    return lt_time_add_seconds(now, -seconds);
}

static const struct {
    struct ca_ready_seen seen; /* times in days before now; 0: never */
    enum ca_ready_tier tier;
    int64_t lapse_days; /* from now; 0: never */
} tiers[] = {
    {{{0}, {0}, {0}, {0}, false, false, false, false}, CA_READY_BY_HAND, 0},
    {{{1}, {0}, {0}, {0}, false, false, false, false}, CA_READY_BY_HAND, 6},
    {{{1}, {10}, {10}, {0}, false, false, false, false}, CA_READY_AUTOMATIC, 6},
    {{{8}, {10}, {10}, {0}, false, false, false, false}, CA_READY_UNATTENDED, 190},
    {{{7}, {10}, {10}, {0}, false, false, false, false}, CA_READY_UNATTENDED, 190},
    {{{1}, {0}, {199}, {0}, false, false, false, false}, CA_READY_UNATTENDED, 1},
    {{{1}, {201}, {201}, {0}, false, false, false, false}, CA_READY_BY_HAND, 6},
    {{{1}, {10}, {10}, {0}, false, true, false, false}, CA_READY_BY_HAND, 6},
    {{{0}, {0}, {0}, {100}, true, false, false, false}, CA_READY_REACHABLE, 265},
    {{{0}, {0}, {0}, {100}, true, true, false, false}, CA_READY_REACHABLE, 265},
    {{{0}, {0}, {0}, {100}, false, true, false, false}, CA_READY_BY_HAND, 265},
    {{{0}, {0}, {0}, {0}, true, false, false, false}, CA_READY_BY_HAND, 0},
    {{{0}, {0}, {0}, {366}, true, false, false, false}, CA_READY_BY_HAND, 0},
    {{{1}, {10}, {10}, {100}, true, false, true, false}, CA_READY_HOLD_OUT, 6},
    {{{1}, {10}, {10}, {100}, true, false, false, true}, CA_READY_HOLD_OUT, 6},
    {{{0}, {0}, {0}, {0}, false, true, true, true}, CA_READY_HOLD_OUT, 0},
};

static lt_time dated(lt_time days)
{
    return days.us == 0 ? days : ago(days.us * DAY_S);
}

static void test_tiers(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(tiers); i++) {
        struct ca_ready_seen s = tiers[i].seen;
        s.polled = dated(s.polled);
        s.told = dated(s.told);
        s.renewed = dated(s.renewed);
        s.reached = dated(s.reached);
        struct ca_ready_judgement j = ca_ready_judge(&s, now);
        if (j.tier != tiers[i].tier) {
            print_error("row %zu: %s\n", i, ca_ready_tier_name(j.tier));
        }
        assert_int_equal(j.tier, tiers[i].tier);
        int64_t lapse = tiers[i].lapse_days == 0 ? 0
                                                 : lt_time_add_seconds(now, tiers[i].lapse_days * DAY_S).us;
        assert_int_equal(j.lapse.us, lapse);
    }
}

/* Whatever is seen: a tier that comes earlier never needs less, nothing but a poll lets nobody into the
 * first, and at the lapse something changes. */
static void test_every_combination(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++) {
        const struct ca_ready_seen s = {
            .polled = (bits & 1) != 0 ? ago(60) : (lt_time){0},
            .told = (bits & 2) != 0 ? ago(3 * DAY_S) : (lt_time){0},
            .renewed = (bits & 4) != 0 ? ago(4 * DAY_S) : (lt_time){0},
            .reached = (bits & 8) != 0 ? ago(5 * DAY_S) : (lt_time){0},
            .clause = (bits & 16) != 0,
            .manual = (bits & 32) != 0,
            .intolerant = (bits & 64) != 0,
            .held = (bits & 128) != 0,
        };
        struct ca_ready_judgement j = ca_ready_judge(&s, now);
        assert_int_equal(j.facts, bits);
        assert_int_equal(j.tier == CA_READY_HOLD_OUT, (bits & 192) != 0);
        assert_false(j.tier == CA_READY_AUTOMATIC && (bits & 3) != 3);
        assert_false(j.tier <= CA_READY_UNATTENDED && (bits & 32) != 0);
        assert_int_equal(j.lapse.us != 0, (bits & 15) != 0);
        if (j.lapse.us != 0) {
            struct ca_ready_judgement before = ca_ready_judge(&s, (lt_time){j.lapse.us - 1});
            assert_int_equal(before.facts, bits);
            assert_int_not_equal(ca_ready_judge(&s, j.lapse).facts, bits);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    struct ca_ready_fact_info f;
    size_t facts = 0;
    for (enum ca_ready_tier t = CA_READY_AUTOMATIC; t <= CA_READY_HOLD_OUT; t++) {
        assert_int_equal(ca_ready_tier_by_name(lt_slice_cstr(ca_ready_tier_name(t))), t);
        assert_true(ca_ready_tier_words(t)[0] != 0 && ca_ready_tier_advice(t)[0] != 0);
        assert_non_null(strstr(ca_ready_tier_scope(t), ca_ready_tier_name(t)));
    }
    assert_int_equal(ca_ready_tier_by_name(LT_LIT("")), 0);
    assert_int_equal(ca_ready_tier_by_name(LT_LIT("Automatic")), 0);
    assert_string_equal(ca_ready_tier_name((enum ca_ready_tier)0), "");
    assert_string_equal(ca_ready_tier_scope((enum ca_ready_tier)6), "");
    while (ca_ready_fact_info(facts, &f)) {
        assert_int_equal(f.fact, 1U << facts);
        facts++;
    }
    assert_int_equal(facts, 8);
}

static const struct {
    const char *agent;
    const char *client;
} agents[] = {
    {"lego-cli/4.14.2 xenolf-acme/4.14.2 (release; linux; amd64)", "lego-cli/4.14.2"},
    {"CertbotACMEClient/2.9.0 (certbot; Ubuntu 24.04) Authenticator/nginx Installer/nginx (certonly; flags: "
     "n) "
     "Py/3.12",
     "CertbotACMEClient/2.9.0"},
    {"CertbotACMEClient/2.9.0 (certbot) Authenticator/manual Installer/None",
     "CertbotACMEClient/2.9.0 manual"},
    {"", ""},
    {" lego", ""},
    {"<script>alert(1)</script>", "_script_alert_1__/script_"},
    {"a\"b\\c\x7f\xc3\xa9", "a_b_c___"},
    {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhh",
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"},
};

static void test_clients(void **state)
{
    (void)state;
    char client[CA_READY_CLIENT_SIZE];
    for (size_t i = 0; i < LT_COUNT(agents); i++) {
        ca_ready_client(lt_slice_cstr(agents[i].agent), client);
        assert_string_equal(client, agents[i].client);
        assert_int_equal(ca_ready_client_is_manual(lt_slice_cstr(client)),
                         strstr(agents[i].client, " manual") != NULL);
    }
}

/* ---- what happens ---- */

static lt_res step_open(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const bool *agreed = arg;
    LT_TRY(
        store_exec(t->store,
                   &(struct store_sql){"account", "INSERT INTO account (id, thumbprint, spki, alg, status, "
                                                  "contacts, created_us, address) VALUES (?1, x'00', "
                                                  "x'', 'ES256', 'valid', '[]', 1, '')"},
                   STORE_ARGS(STORE_I(ACCOUNT)), NULL));
    return ca_ready_open(t, ACCOUNT, false, *agreed);
}

static void open_account(struct rig *r, bool agreed)
{
    assert_ok(rig_run(r, step_open, &agreed));
}

static int64_t tier_of(struct rig *r)
{
    return rig_number(r, "SELECT tier FROM readiness WHERE account = 77");
}

static lt_res step_ordered(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_ready_ordered(t, ACCOUNT, arg);
}

struct issued {
    uint8_t serial;
    bool told;
};

/* A certificate of the account, of always the same names, good for 90 days. */
static lt_res step_issued(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct issued *i = arg;
    struct ca_outcome o = {.issued = true,
                           .requester = "acme",
                           .order_id = 1,
                           .account_id = ACCOUNT,
                           .issuer = &r->book->issuers[0],
                           .serial = LT_SLICE(&i->serial, 1)};
    LT_TRY(store_exec(
        t->store,
        &(struct store_sql){"certificate",
                            "INSERT INTO certificate VALUES (?1, ?2, 0, 'x509', 1, x'00', x'00', 2, 256, ?3, "
                            "?4, ?3, 77, 1, x'0102', 1, '', '', 1, '', 0, 0, 0, 0, 0, 1)"},
        STORE_ARGS(STORE_I(o.issuer->id), STORE_B(o.serial), STORE_I(t->now.us),
                   STORE_I(lt_time_add_seconds(t->now, 90 * DAY_S).us)),
        NULL));
    return ca_ready_issued(t, &o, i->told);
}

static void issue(struct rig *r, uint8_t serial, bool told)
{
    struct issued i = {serial, told};
    assert_ok(rig_run(r, step_issued, &i));
}

static void pass(struct rig *r, int64_t seconds)
{
    r->now = lt_time_add_seconds(r->now, seconds);
}

static lt_res step_tick(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_ready_tick(t);
}

static int64_t events(struct rig *r)
{
    return rig_number(r, "SELECT count(*) FROM event WHERE kind = 'readiness.tier'");
}

static void test_renewals(void **state)
{
    struct rig *r = *state;
    static char lego[] = "lego-cli/4.14.2";
    open_account(r, false);
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    assert_ok(rig_run(r, step_ordered, lego));
    issue(r, 1, false);
    pass(r, DAY_S);
    issue(r, 2, false); /* asked for twice: that is no renewal */
    assert_int_equal(rig_number(r, "SELECT renewals FROM readiness"), 0);
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    pass(r, 30 * DAY_S);
    issue(r, 3, false);
    assert_int_equal(rig_number(r, "SELECT renewals FROM readiness"), 1);
    assert_int_equal(tier_of(r), CA_READY_UNATTENDED);
    assert_int_equal(events(r), 1);
    issue(r, 4, true); /* it says what it replaces: a client that knows, whatever the time */
    assert_int_equal(rig_number(r, "SELECT renewals FROM readiness"), 2);
    assert_int_equal(tier_of(r), CA_READY_UNATTENDED);
    pass(r, 199 * DAY_S);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(tier_of(r), CA_READY_UNATTENDED);
    pass(r, DAY_S);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    assert_int_equal(events(r), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM readiness WHERE lapse_us IS NOT NULL"), 0);
}

static void test_a_person_renews(void **state)
{
    struct rig *r = *state;
    static char manual[] = "CertbotACMEClient/2.9.0 (certbot) Authenticator/manual";
    open_account(r, false);
    assert_ok(rig_run(r, step_ordered, manual));
    issue(r, 1, false);
    pass(r, 60 * DAY_S);
    issue(r, 2, false);
    assert_int_equal(rig_number(r, "SELECT renewals FROM readiness"), 0);
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
}

/* ---- polls ---- */

enum { ROWS = 4 };
struct poll_message {
    Ipc__RenewalPolls m;
    ProtobufCBinaryData keys[2];
    char *clients[2];
    uint32_t issuers[ROWS];
    ProtobufCBinaryData serials[ROWS];
    uint32_t counts[ROWS];
    uint32_t agents[ROWS];
};

static uint8_t serials[ROWS] = {1, 2, 9, 1};
static uint8_t strange_key[20] = {7};
static char lego_name[] = "lego-cli/4.14.2";
static char empty_name[] = "";

static void polls_of(struct rig *r, struct poll_message *p)
{
    *p = (struct poll_message){.issuers = {0, 0, 0, 1}, .counts = {3, 1, 5, 8}, .agents = {1, 0, 1, 1}};
    ipc__renewal_polls__init(&p->m);
    lt_slice key = r->book->issuers[0].key_id;
    p->keys[0] = (ProtobufCBinaryData){key.len, (uint8_t *)(uintptr_t)key.ptr};
    p->keys[1] = (ProtobufCBinaryData){sizeof strange_key, strange_key};
    p->clients[0] = empty_name;
    p->clients[1] = lego_name;
    for (size_t i = 0; i < ROWS; i++) {
        p->serials[i] = (ProtobufCBinaryData){1, &serials[i]};
    }
    p->m.key_ids = p->keys;
    p->m.clients = p->clients;
    p->m.issuers = p->issuers;
    p->m.serials = p->serials;
    p->m.counts = p->counts;
    p->m.agents = p->agents;
    p->m.n_key_ids = p->m.n_clients = 2;
    p->m.n_issuers = p->m.n_serials = p->m.n_counts = p->m.n_agents = ROWS;
}

static lt_res step_polled(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_ready_polled(t, arg);
}

/* Two certificates of the account, one that is nobody's, one of a key that is not ours. */
static void test_polls(void **state)
{
    struct rig *r = *state;
    struct poll_message p;
    open_account(r, false);
    issue(r, 1, false);
    issue(r, 2, false);
    polls_of(r, &p);
    assert_ok(rig_run(r, step_polled, &p.m));
    assert_ok(rig_run(r, step_polled, &p.m));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_poll"), 2);
    assert_int_equal(rig_number(r, "SELECT polls FROM certificate_poll WHERE serial = x'01'"), 6);
    assert_int_equal(rig_number(r, "SELECT polls FROM readiness"), 8);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM readiness WHERE client = 'lego-cli/4.14.2'"), 1);
    /* Anybody may ask: it makes nobody automatic. */
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    issue(r, 3, true);
    assert_int_equal(tier_of(r), CA_READY_AUTOMATIC);
    pass(r, 7 * DAY_S);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(tier_of(r), CA_READY_UNATTENDED);
    assert_ok(rig_run(r, step_polled, &p.m));
    assert_int_equal(tier_of(r), CA_READY_AUTOMATIC);
}

static void test_bad_polls(void **state)
{
    struct rig *r = *state;
    struct poll_message p;
    open_account(r, false);
    issue(r, 1, false);
    polls_of(r, &p);
    p.m.n_counts = 1;
    assert_fails(rig_run(r, step_polled, &p.m), LT_PEER_MALFORMED);
    polls_of(r, &p);
    p.issuers[3] = 2;
    assert_fails(rig_run(r, step_polled, &p.m), LT_PEER_MALFORMED);
    polls_of(r, &p);
    p.agents[0] = 2;
    assert_fails(rig_run(r, step_polled, &p.m), LT_PEER_MALFORMED);
    polls_of(r, &p);
    p.m.n_serials = p.m.n_issuers = p.m.n_counts = p.m.n_agents = CA_READY_POLLS_MAX + 1;
    assert_fails(rig_run(r, step_polled, &p.m), LT_PEER_MALFORMED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_poll"), 0);
}

/* ---- contacts, terms ---- */

static lt_res step_verified(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_ready_verified(t, ACCOUNT, arg, "page, from 192.0.2.1");
}
static lt_res step_bounced(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_ready_bounced(t, ACCOUNT, arg, "550 no such user");
}
static lt_res step_contacts(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    char *list[] = {arg};
    return ca_ready_contacts(t, ACCOUNT, list, 1);
}

static void test_contacts(void **state)
{
    struct rig *r = *state;
    static char it[] = "it@example.com";
    static char ops[] = "ops@example.com";
    static char mailto[] = "mailto:ops@example.com";
    open_account(r, true);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM readiness WHERE terms = '2026-03' AND clause = 1"),
                     1);
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    assert_ok(rig_run(r, step_verified, it));
    assert_int_equal(tier_of(r), CA_READY_REACHABLE);
    pass(r, 60);
    assert_ok(rig_run(r, step_bounced, it));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    pass(r, 60);
    assert_ok(rig_run(r, step_bounced, ops));
    assert_ok(rig_run(r, step_verified, it)); /* it works again */
    assert_int_equal(tier_of(r), CA_READY_REACHABLE);
    assert_ok(rig_run(r, step_contacts, mailto)); /* and is no contact any more */
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM contact"), 1);
    pass(r, 60);
    assert_ok(rig_run(r, step_verified, ops));
    pass(r, 365 * DAY_S);
    assert_ok(rig_run(r, step_tick, NULL));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
}

/* ---- what operators say ---- */

struct asked {
    ca_ready_op *op;
    Ipc__ReadyWanted w;
    const char *json;
};

static lt_res step_op(struct rig *r, struct ca_turn *t, void *arg)
{
    struct asked *a = arg;
    const struct ca_ready_asker by = {rig_operator_name(0), LT_LIT("{}")};
    LT_TRY(a->op(t, &by, &a->w, &a->json));
    if (a->json != NULL) {
        a->json = lt_arena_cstr(&r->sent_arena, lt_slice_cstr(a->json));
    }
    return LT_OK;
}

static char text_of[] = "a ventilator cannot be restarted";
static char who_of[] = "Ms Miller, +49 30 1234";
static char name_of[] = "example.com";
static char bad_name[] = "Example..com";
static char number[] = "+49 30 1234";
static char refuses[] = "refuses";
static char maybe[] = "maybe";

static struct asked asked_of(ca_ready_op *op)
{
    struct asked a = {.op = op};
    ipc__ready_wanted__init(&a.w);
    a.w.account = ACCOUNT;
    a.w.text = text_of;
    return a;
}

static void test_cannot_tolerate(void **state)
{
    struct rig *r = *state;
    struct asked a = asked_of(ca_ready_set);
    open_account(r, false);
    a.w.intolerant = true;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(tier_of(r), CA_READY_HOLD_OUT);
    assert_non_null(strstr(a.json, "hold-out"));
    a.w.intolerant = false;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    a.w.text = empty_name;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    a = asked_of(ca_ready_set);
    a.w.account = 5;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_NOT_FOUND);
    a.w.subscriber = name_of;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_NOT_FOUND);
}

static void test_hold_outs(void **state)
{
    struct rig *r = *state;
    struct asked a = asked_of(ca_ready_holdout_add);
    open_account(r, false);
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED); /* who says so? */
    a.w.who = who_of;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(tier_of(r), CA_READY_HOLD_OUT);
    a.w.name = name_of;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED); /* account and domain */
    a.w.account = 0;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM holdout WHERE name = 'com.example'"), 1);
    char capitals[] = "Capitals.EXAMPLE.com";
    a.w.name = capitals;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM holdout WHERE name = 'com.example.capitals'"), 1);
    a.w.name = bad_name;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    struct asked lift = asked_of(ca_ready_holdout_lift);
    lift.w.id = rig_number(r, "SELECT id FROM holdout WHERE account = 77");
    assert_ok(rig_run(r, step_op, &lift));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    assert_fails(rig_run(r, step_op, &lift), LT_PEER_NOT_FOUND);
    lift.w.id = rig_number(r, "SELECT id FROM holdout WHERE account = 0");
    assert_ok(rig_run(r, step_op, &lift));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'holdout.lifted'"), 2);
}

static void test_calls(void **state)
{
    struct rig *r = *state;
    struct asked a = asked_of(ca_ready_call);
    open_account(r, false);
    a.w.who = number;
    a.w.state = maybe;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    a.w.state = refuses;
    a.w.until_us = r->now.us - 1;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    a.w.until_us = lt_time_add_seconds(r->now, DAY_S).us;
    assert_ok(rig_run(r, step_op, &a));
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM readiness_call WHERE outcome = 'refuses'"), 2);
}

static void test_contact_said(void **state)
{
    struct rig *r = *state;
    static char verified[] = "verified";
    static char bounced[] = "bounced";
    static char it[] = "it@example.com";
    static const char *const bad[] = {"",       "@",    "it", "it@", "@example.com", "a b@example.com",
                                      "it@a@b", "a,b@c"};
    struct asked a = asked_of(ca_ready_contact);
    open_account(r, true);
    a.w.state = verified;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        a.w.address = (char *)(uintptr_t)bad[i];
        assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    }
    a.w.address = it;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(tier_of(r), CA_READY_REACHABLE);
    pass(r, 1);
    a.w.state = bounced;
    assert_ok(rig_run(r, step_op, &a));
    assert_int_equal(tier_of(r), CA_READY_BY_HAND);
    a.w.state = maybe;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
}

struct linked {
    const char *token;
    int64_t account;
};

static lt_res step_by_link(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct linked *l = arg;
    return ca_ready_by_link(t, l->token, &l->account);
}

static void test_link(void **state)
{
    struct rig *r = *state;
    struct asked a = asked_of(ca_ready_link);
    open_account(r, false);
    a.w.until_us = r->now.us;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    a.w.until_us = lt_time_add_seconds(r->now, (int64_t)500 * DAY_S).us;
    assert_fails(rig_run(r, step_op, &a), LT_PEER_MALFORMED);
    a.w.until_us = 0;
    assert_ok(rig_run(r, step_op, &a));
    const char *url = strstr(a.json, "/acme/reissue/");
    assert_non_null(url);
    char token[64] = "";
    (void)snprintf(token, sizeof token, "%.32s", url + strlen("/acme/reissue/"));
    struct linked l = {.token = token};
    assert_ok(rig_run(r, step_by_link, &l));
    assert_int_equal(l.account, ACCOUNT);
    /* The book keeps no token that could be used, nor does the chain of events. */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE body LIKE '%reissue%'"), 0);
    token[3] ^= 1;
    assert_ok(rig_run(r, step_by_link, &l));
    assert_int_equal(l.account, 0);
    token[3] ^= 1;
    pass(r, 30 * DAY_S);
    assert_ok(rig_run(r, step_by_link, &l));
    assert_int_equal(l.account, 0);
}

/* ---- caps ---- */

static lt_res step_cap(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_cap_tick(t);
}
static lt_res step_counted(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_cap_counted(t, arg);
}

static void counted(struct rig *r, uint64_t valid)
{
    Ipc__Members m = IPC__MEMBERS__INIT;
    m.tier = (uint32_t)ca_issuer_by_name(r->book, LT_LIT("tls"))->id;
    m.count_only = true;
    m.count = valid;
    assert_ok(rig_run(r, step_counted, &m));
}

static void test_caps(void **state)
{
    struct rig *r = *state;
    static const struct {
        int64_t valid;
        int64_t cap;
        unsigned step;
    } steps[] = {{79, 100, 0},
                 {80, 100, 80},
                 {89, 100, 80},
                 {90, 100, 90},
                 {100, 100, 100},
                 {101, 100, 100},
                 {5, 0, 0},
                 {0, 1, 0},
                 {1599999999, 2000000000, 0},
                 {1600000000, 2000000000, 80}};
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        assert_int_equal(ca_cap_step(steps[i].valid, steps[i].cap), steps[i].step);
    }
    assert_ok(rig_run(r, step_cap, NULL));
    assert_non_null(rig_last(r, IPC_MEMBERS_WANTED));
    size_t sent = r->sent_count;
    assert_ok(rig_run(r, step_cap, NULL));
    assert_int_equal(r->sent_count, sent); /* it waits for the answer */
    counted(r, 7);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'issuer.cap%'"), 0);
    assert_ok(rig_run(r, step_cap, NULL));
    assert_int_equal(r->sent_count, sent); /* ten minutes */
    pass(r, CA_CAP_EVERY_S);
    assert_ok(rig_run(r, step_cap, NULL));
    assert_int_equal(r->sent_count, sent + 1);
    counted(r, 8);
    counted(r, 8);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'issuer.cap-near'"), 1);
    sent = r->sent_count;
    struct ca_config other = *config;
    struct ca_config_issuer larger = config->issuers[0];
    larger.cap = 20;
    other.issuers = &larger;
    r->book->config = &other;
    assert_ok(rig_run(r, step_cap, NULL));
    r->book->config = config;
    assert_int_equal(r->sent_count, sent + 1); /* a new cap is not waited for */
    counted(r, 9);
    counted(r, 12);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'issuer.cap-near'"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'issuer.cap-reached'"), 1);
    counted(r, 3);
    counted(r, 8); /* it was below: said again */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'issuer.cap-near'"), 3);
    assert_int_equal(rig_number(r, "SELECT valid FROM issuer_load"), 8);
    Ipc__Members m = IPC__MEMBERS__INIT;
    m.tier = 99;
    m.count_only = true;
    assert_fails(rig_run(r, step_counted, &m), LT_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_clients),
        cmocka_unit_test_setup_teardown(test_renewals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_person_renews, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_polls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_polls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contacts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_tolerate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hold_outs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contact_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_caps, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ready", tests, rig_group_setup, rig_group_teardown);
}
