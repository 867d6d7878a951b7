/* Notices: how each leaves and what comes of it, many of them over a kill, hooks and their signature, who is
 * on call and whom an alarm goes to. */
#include "desk_rig.h"

#include <jansson.h>

#include "incident/ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "ca/audit.h"
#include "ca/config.h"
#include "crypto/digest.h"
#include "incident/list_book.h"
#include "incident/notice_private.h"
#include "ipc/codec.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-notice.db"

enum { ACCOUNTS = 700, MEMBERS = 2600 };

static const char *hosts[] = {"ca.example"};
static struct ca_config config;

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    r->now = (lt_time){INT64_C(1795000000) * LT_US_PER_SECOND};
    config = (struct ca_config){.name = "Lintel CA",
                                .host_names = hosts,
                                .host_name_count = 1,
                                .mail_relay = "smtp://127.0.0.1:25",
                                .mail_from = "ca@ca.example",
                                .mail_rate = 20,
                                .hooks = true};
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

#define EVENTS(kind_) rig_number(r, "SELECT count(*) FROM event WHERE kind = '" kind_ "'")
#define NOTICES(where_) rig_number(r, "SELECT count(*) FROM notice WHERE " where_)

/* ---- steps ---- */

static lt_res step_add(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_notice_add(t, arg, NULL);
}

static struct incident_notice letter(void)
{
    return (struct incident_notice){.kind = "message",
                                    .subject = "incident 12",
                                    .channel = "mail",
                                    .to = "ops@sub.example",
                                    .params = "{\"title\":\"t\",\"text\":\"x\"}"};
}

static void add(struct rig *r)
{
    struct incident_notice n = letter();
    assert_ok(rig_run(r, step_add, &n));
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t, .config = &config};
    (void)r;
    *(bool *)arg = false;
    return incident_area_notice.beat(&b, arg);
}

static bool beat(struct rig *r)
{
    bool more = false;
    assert_ok(rig_run(r, step_beat, &more));
    return more;
}

static void pass(struct rig *r, int64_t seconds)
{
    r->now = lt_time_add_seconds(r->now, seconds);
}

static size_t count_sent(const struct rig *r, enum ipc_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < r->sent_count; i++) {
        count += r->sent[i].type == type;
    }
    return count;
}

struct outcome {
    int64_t id;
    uint32_t attempt;
    bool accepted;
    bool final;
    const char *words;
};

static lt_res step_mailed(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct outcome *o = arg;
    Ipc__MailSent m = IPC__MAIL_SENT__INIT;
    (void)r;
    m.mail_id = o->id;
    m.attempt = o->attempt;
    m.accepted = o->accepted;
    m.final = o->final;
    m.notice = true;
    m.why = (char *)(uintptr_t)o->words;
    m.said = (char *)(uintptr_t)o->words;
    return incident_notice_mailed(t, &m);
}

static void mailed(struct rig *r, struct outcome o)
{
    assert_ok(rig_run(r, step_mailed, &o));
}

/* ---- the audit: rows against events ---- */

static void found(void *self, const char *what, const char *subject, const char *detail)
{
    size_t *count = self;
    (void)subject;
    (void)detail;
    *count += strcmp(what, "notice") == 0 ? 1 : 0;
}

static size_t audited(struct rig *r)
{
    size_t count = 0;
    struct ca_audit a = {.store = r->store, .self = &count, .found = found};
    assert_ok(ca_audit_desk(&a));
    return count;
}

static void assert_audit_sees(struct rig *r)
{
    static const char *const crimes[] = {
        "UPDATE notice SET said = '250 what was never said'",
        "UPDATE notice SET recipient = 'somebody@else.example'",
        "UPDATE notice SET status = 'refused'",
        "UPDATE notice SET status = 'queued'",
        "UPDATE notice SET id = 77",
        "DELETE FROM notice",
        "DELETE FROM event WHERE kind = 'notice.sent'",
    };
    assert_int_equal(audited(r), 0);
    for (size_t i = 0; i < LT_COUNT(crimes); i++) {
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, crimes[i]));
        if (audited(r) == 0) {
            print_error("not seen: %s\n", crimes[i]);
        }
        assert_true(audited(r) > 0);
        store_rollback(r->store);
    }
}

/* ---- one letter ---- */

static void test_sent_with_proof(void **state)
{
    struct rig *r = *state;
    add(r);
    assert_int_equal(EVENTS("notice.written"), 1);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 1);
    (void)beat(r); /* it is on its way */
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 1);
    mailed(r, (struct outcome){1, 1, true, false, "250 2.0.0 Ok: queued as 4F1"});
    assert_int_equal(NOTICES("status = 'sent' AND said LIKE '250 %'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'notice.sent' AND subject = "
                                   "'incident 12' AND body LIKE '%queued as 4F1%'"),
                     1);
    mailed(r, (struct outcome){1, 1, true, false, "again"}); /* told twice: known once */
    assert_int_equal(EVENTS("notice.sent"), 1);
    assert_audit_sees(r);
    rig_audit(r);
}

static void test_tried_again_until_given_up(void **state)
{
    struct rig *r = *state;
    add(r);
    for (uint32_t attempt = 1; attempt <= 10; attempt++) {
        (void)beat(r);
        assert_int_equal(count_sent(r, IPC_MAIL_SEND), attempt);
        mailed(r, (struct outcome){1, attempt, false, false, "451 later"});
        (void)beat(r); /* not before its time */
        assert_int_equal(count_sent(r, IPC_MAIL_SEND), attempt);
        pass(r, 28801);
    }
    assert_int_equal(NOTICES("status = 'refused' AND said = '451 later'"), 1);
    assert_int_equal(EVENTS("notice.refused"), 1);
}

/* An answer that does not come: the next attempt, and the first one's answer counts no more. */
static void test_silent_courier(void **state)
{
    struct rig *r = *state;
    add(r);
    (void)beat(r);
    pass(r, 181);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 2);
    mailed(r, (struct outcome){1, 1, true, false, "250 late"});
    assert_int_equal(NOTICES("status = 'queued'"), 1);
    mailed(r, (struct outcome){1, 2, true, false, "250 ok"});
    assert_int_equal(NOTICES("status = 'sent'"), 1);
}

static lt_res step_linked(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return incident_notice_courier_linked(t);
}

static void test_courier_comes_back(void **state)
{
    struct rig *r = *state;
    add(r);
    (void)beat(r);
    assert_ok(rig_run(r, step_linked, NULL));
    pass(r, 1);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 2);
    mailed(r, (struct outcome){1, 2, false, false, "451 later"});
    assert_ok(rig_run(r, step_linked, NULL)); /* what was put off waits */
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 2);
}

static void test_bounces(void **state)
{
    struct rig *r = *state;
    add(r);
    (void)beat(r);
    mailed(r, (struct outcome){1, 1, false, true, "550 no such user"});
    assert_int_equal(NOTICES("status = 'bounced'"), 1);
    assert_int_equal(EVENTS("notice.bounced"), 1);
}

struct returned {
    int64_t id;
    const char *token;
};
static lt_res step_returned(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct returned *w = arg;
    (void)r;
    return incident_notice_returned(t, w->id, w->token, "5.1.1", "no such user");
}

static const char *token_of(struct rig *r, int64_t id)
{
    static const struct store_sql q = {"t.token", "SELECT token FROM notice WHERE id = ?1"};
    struct store_rows rows;
    assert_ok(store_query(r->store, &q, STORE_ARGS(STORE_I(id)), &rows));
    assert_true(store_next(&rows));
    static char token[64];
    (void)snprintf(token, sizeof token, "%s", store_cstr(&rows, 0));
    assert_ok(store_rows_end(&rows));
    return token;
}

static void test_a_letter_comes_back(void **state)
{
    struct rig *r = *state;
    struct returned wrong = {1, "0000000000000000"};
    add(r);
    (void)beat(r);
    mailed(r, (struct outcome){1, 1, true, false, "250 ok"});
    assert_fails(rig_run(r, step_returned, &wrong), LT_PEER_NOT_FOUND);
    wrong = (struct returned){2, "0000000000000000"};
    assert_fails(rig_run(r, step_returned, &wrong), LT_PEER_NOT_FOUND);
    struct returned right = {1, token_of(r, 1)};
    assert_ok(rig_run(r, step_returned, &right));
    assert_ok(rig_run(r, step_returned, &right));
    assert_int_equal(NOTICES("status = 'bounced' AND said LIKE 'returned: 5.1.1%'"), 1);
    assert_int_equal(EVENTS("notice.bounced"), 1);
}

static void test_refused(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *kind;
        const char *channel;
        const char *to;
        const char *params;
    } bad[] = {
        {"no-such", "mail", "a@b.example", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "pigeon", "a@b.example", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "mail", "", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "mail", "a", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "mail", "a@b.example\nBcc: c@d.example", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "webhook", "nobody", "{\"title\":\"t\",\"text\":\"x\"}"},
        {"message", "mail", "a@b.example", "{\"title\":\"t\"}"},
        {"message", "mail", "a@b.example", ""},
        {"message", "mail", "a@b.example", "[]"},
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct incident_notice n = {.kind = bad[i].kind,
                                    .subject = "incident 12",
                                    .channel = bad[i].channel,
                                    .to = bad[i].to,
                                    .params = bad[i].params};
        if (!lt_failed(rig_run(r, step_add, &n))) {
            fail_msg("taken: %zu", i);
        }
    }
    struct incident_notice n = letter();
    n.reply_to = "nobody";
    assert_fails(rig_run(r, step_add, &n), LT_PEER_MALFORMED);
    assert_int_equal(NOTICES("id > 0"), 0);
}

/* Every pair of state and event is an edge, or nothing happens. */
static void test_every_edge(void **state)
{
    static const char *const states[] = {"queued", "sent", "bounced", "refused", "withdrawn", "shown"};
    static const char *const events[] = {"sent", "bounced", "refused", "withdrawn", "again"};
    size_t edges = 0;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t k = 0; k < LT_COUNT(events); k++) {
            edges += incident_notice_next(states[i], events[k]) != NULL;
        }
    }
    assert_int_equal(edges, incident_notice_edge_count);
    assert_null(incident_notice_next("sent", "sent"));
    assert_null(incident_notice_next("shown", "bounced"));
    assert_null(incident_notice_next("no-such", "sent"));
}

/* ---- as fast as is allowed ---- */

/* As if a batch had written them. */
static void add_many(struct rig *r, size_t count)
{
    static const struct store_sql batch = {"t.batch", "UPDATE notice SET batch = 1 WHERE batch = 0"};
    for (size_t i = 0; i < count; i++) {
        add(r);
    }
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &batch, STORE_NO_ARGS, NULL));
    assert_ok(store_commit(r->store));
}

static void test_throttled(void **state)
{
    struct rig *r = *state;
    add_many(r, 70);
    assert_false(beat(r));
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 20);
    assert_false(beat(r)); /* the same second */
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 20);
    add(r);
    assert_false(beat(r)); /* but what goes to one does not wait behind what goes to many */
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 21);
    pass(r, 1);
    assert_false(beat(r));
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 41);
    pass(r, 10); /* a clock that jumps: as if a beat had been each second */
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 71);
    pass(r, 100); /* nothing waited: nothing is saved up */
    add_many(r, 30);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 91);
}

/* ---- many ---- */

static const struct store_sql certificate_sql = {
    "t.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, "
    "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
    "sequence) VALUES (1, ?1, 0, 'x509', 1, ?1, ?1, 1, 256, 0, 0, 0, ?2, 0, ?1, 1, '', '', 1, '', 0, 0, 0, "
    "0, "
    "0, 0)"};
static const struct store_sql member_sql = {
    "t.member", "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (5, ?1, 1, ?2, 0)"};
static const struct store_sql account_sql = {
    "t.account",
    "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) VALUES "
    "(?1, ?2, ?2, 'ES256', 'valid', ?3, 0, '')"};

/* Account 1 has no address, account 2 two, all others one. */
static void fill_book(struct rig *r)
{
    assert_ok(store_begin(r->store));
    for (int64_t i = 1; i <= ACCOUNTS; i++) {
        char contacts[128];
        (void)snprintf(contacts, sizeof contacts,
                       i == 1   ? "[]"
                       : i == 2 ? "[\"mailto:b%lld@sub.example\",\"mailto:c@sub.example\"]"
                                : "[\"mailto:a%lld@sub.example\"]",
                       (long long)i);
        assert_ok(store_exec(r->store, &account_sql,
                             STORE_ARGS(STORE_I(i), STORE_B(LT_SLICE(&i, sizeof i)), STORE_S(contacts)),
                             NULL));
    }
    for (int64_t i = 0; i < MEMBERS; i++) {
        uint8_t serial[8];
        for (size_t k = 0; k < sizeof serial; k++) {
            serial[k] = (uint8_t)(i >> (8 * (sizeof serial - 1 - k)));
        }
        lt_slice s = LT_SLICE(serial, sizeof serial);
        assert_ok(
            store_exec(r->store, &certificate_sql, STORE_ARGS(STORE_B(s), STORE_I(i % ACCOUNTS + 1)), NULL));
        assert_ok(store_exec(r->store, &member_sql, STORE_ARGS(STORE_I(i % 3), STORE_B(s)), NULL));
    }
    assert_ok(store_commit(r->store));
}

/* Incidents 1 to so many have a list of their own each; the certificate is in that of one. */
static void publish_lists(struct rig *r, int64_t lists, int64_t of, lt_slice serial)
{
    static const struct store_sql list_sql = {
        "t.list", "INSERT INTO notice_list (incident, version, mass, title, words, deadline_us, public, "
                  "wanted_us, wanted_by, published_us, rows, bytes, sha256) VALUES (?1, 1, ?1 + 1000, 't', "
                  "'w', 0, 1, 1, 'ann', 1, 1, 1, x'00')"};
    static const struct store_sql tier_sql = {"t.tier",
                                              "INSERT INTO mass_tier (mass, tier, scope) VALUES (?1, 0, '')"};
    static const struct store_sql one_sql = {
        "t.one", "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (?1, 0, 1, ?2, 0)"};
    assert_ok(store_begin(r->store));
    for (int64_t i = 1; i <= lists; i++) {
        assert_ok(store_exec(r->store, &list_sql, STORE_ARGS(STORE_I(i)), NULL));
        assert_ok(store_exec(r->store, &tier_sql, STORE_ARGS(STORE_I(i + 1000)), NULL));
    }
    assert_ok(store_exec(r->store, &one_sql, STORE_ARGS(STORE_I(of + 1000), STORE_B(serial)), NULL));
    assert_ok(store_commit(r->store));
}

static json_t *look_up(struct rig *r, lt_slice serial)
{
    struct lt_arena own;
    struct lt_buf out;
    Ipc__Query q = IPC__QUERY__INIT;
    static char what[] = "affected";
    q.what = what;
    q.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    lt_arena_init(&own, (size_t)16 << 20);
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    const struct ca_query query = {.store = r->store, .q = &q, .now = r->now, .arena = &own, .build = "t"};
    assert_ok(incident_ask(&query, &out));
    json_t *answer = json_loadb((const char *)out.ptr, out.len, 0, NULL);
    assert_non_null(answer);
    lt_buf_done(&out);
    lt_arena_done(&own);
    return answer;
}

static void test_every_published_list_is_looked_into(void **state)
{
    struct rig *r = *state;
    static const uint8_t serials[][8] = {{0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}};
    enum { LISTS = 70 };
    fill_book(r);
    publish_lists(r, LISTS, 3, LT_SLICE(serials[0], 8));
    for (size_t i = 0; i < LT_COUNT(serials); i++) {
        json_t *answer = look_up(r, LT_SLICE(serials[i], 8));
        json_t *incidents = json_object_get(answer, "incidents");
        assert_int_equal(json_integer_value(json_object_get(answer, "found")), i == 0);
        assert_int_equal(json_array_size(incidents), i == 0);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(incidents, 0), "incident")),
                         i == 0 ? 3 : 0);
        assert_true(json_is_false(json_object_get(answer, "more")));
        json_decref(answer);
    }
    /* Without a question the newest are named, and that there are more. */
    json_t *all = look_up(r, LT_LIT(""));
    json_t *incidents = json_object_get(all, "incidents");
    assert_int_equal(json_array_size(incidents), 50);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(incidents, 0), "incident")), LISTS);
    assert_true(json_is_true(json_object_get(all, "more")));
    json_decref(all);
}

static struct incident_notify everybody(void)
{
    return (struct incident_notify){.subject = "incident 12",
                                    .kind = "affected",
                                    .mass = 5,
                                    .params = "{\"deadline\":\"soon\",\"why\":\"because\"}",
                                    .by = "ann"};
}

static lt_res step_notify(struct rig *r, struct ca_turn *t, void *arg)
{
    int64_t id = 0;
    (void)r;
    LT_TRY(incident_notify(t, arg, &id));
    assert_int_equal(id, 1);
    return LT_OK;
}

static lt_res step_notify_again(struct rig *r, struct ca_turn *t, void *arg)
{
    int64_t id = 0;
    (void)r;
    LT_TRY(incident_notify(t, arg, &id));
    assert_int_equal(id, 2);
    return LT_OK;
}

static void hold_written(struct rig *r)
{
    assert_int_equal(rig_number(r, "SELECT certificates FROM notice_batch"), MEMBERS);
    assert_int_equal(rig_number(r, "SELECT accounts FROM notice_batch"), ACCOUNTS);
    assert_int_equal(rig_number(r, "SELECT notices FROM notice_batch"), ACCOUNTS);
    assert_int_equal(rig_number(r, "SELECT unreached FROM notice_batch"), 1);
    assert_int_equal(rig_number(r, "SELECT sum(certificates) FROM notice_account"), MEMBERS);
    assert_int_equal(NOTICES("batch = 1"), ACCOUNTS);
    assert_int_equal(rig_number(r, "SELECT count(DISTINCT recipient) FROM notice"), ACCOUNTS);
    assert_int_equal(NOTICES("account = 2"), 2);
    assert_int_equal(EVENTS("notices.all-written"), 1);
}

static void test_everybody_is_written_to(void **state)
{
    struct rig *r = *state;
    struct incident_notify n = everybody();
    fill_book(r);
    assert_ok(rig_run(r, step_notify, &n));
    assert_ok(rig_run(r, step_notify, &n)); /* asked twice: it is the one that is there */
    config.mail_rate = 1;
    for (size_t i = 0; i < 20 && beat(r); i++) {
    }
    hold_written(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice_batch"), 1);
    /* The letter has what is for all, and what is its own. */
    const struct rig_sent *sent = rig_last(r, IPC_MAIL_SEND);
    assert_non_null(sent);
    Ipc__MailSend *m = ipc__mail_send__unpack(NULL, sent->packed.len, sent->packed.ptr);
    assert_non_null(m);
    assert_non_null(strstr(m->words, "\"why\":\"because\""));
    assert_non_null(strstr(m->words, "/affected/account/2\""));
    assert_string_equal(m->notice, "affected");
    ipc__mail_send__free_unpacked(m, NULL);
}

/* Killed behind any slice: the end is the same. */
static void test_killed_and_goes_on(void **state)
{
    struct rig *r = *state;
    struct incident_notify n = everybody();
    bool more = true;
    config.mail_rate = 1;
    fill_book(r);
    assert_ok(rig_run(r, step_notify, &n));
    for (size_t i = 0; i < 20 && more; i++) {
        lt_time now = r->now;
        assert_ok(rig_begin(r));
        assert_ok(rig_message(r, step_beat, &more)); /* never committed */
        rig_close(r);
        assert_ok(rig_open(r, PATH, NULL, false));
        r->now = now;
        more = beat(r);
    }
    assert_false(more);
    hold_written(r);
}

static void test_counted_until_done(void **state)
{
    struct rig *r = *state;
    struct incident_notify n = everybody();
    config.mail_rate = 1000;
    fill_book(r);
    assert_ok(rig_run(r, step_notify, &n));
    for (size_t i = 0; i < 40; i++) {
        (void)beat(r);
        pass(r, 1);
    }
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), ACCOUNTS);
    for (int64_t id = 1; id <= ACCOUNTS; id++) {
        mailed(r, (struct outcome){id, 1, id > 2, id <= 2, "said"});
    }
    (void)beat(r);
    assert_int_equal(rig_number(r,
                                "SELECT count(*) FROM notice_batch WHERE status = 'done' AND sent = 698 AND "
                                "failed = 2"),
                     1);
    assert_int_equal(EVENTS("notices.done"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM contact WHERE bounced_us > 0"), 2);
}

/* A reminder goes to those alone who have something left, and again when the one before is done. */
static void test_reminder(void **state)
{
    static const struct store_sql replaced = {
        "t.replaced",
        "INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, "
        "by_serial) SELECT 1, serial, 1, 3, 'successor', 0, 0, x'' FROM certificate WHERE account <> 7"};
    struct rig *r = *state;
    struct incident_notify n = everybody();
    config.mail_rate = 1000;
    fill_book(r);
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &replaced, STORE_NO_ARGS, NULL));
    assert_ok(store_commit(r->store));
    n.kind = "reminder";
    assert_ok(rig_run(r, step_notify, &n));
    for (size_t i = 0; i < 20; i++) {
        (void)beat(r);
        pass(r, 1);
    }
    assert_int_equal(NOTICES("account = 7"), 1);
    assert_int_equal(NOTICES("account <> 7"), 0);
    assert_ok(rig_run(r, step_notify, &n)); /* the letter is not out yet: it is the one that is there */
    mailed(r, (struct outcome){1, 1, true, false, "250 ok"});
    (void)beat(r);
    assert_ok(rig_run(r, step_notify_again, &n));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice_batch"), 2);
}

static void test_many_refused(void **state)
{
    struct rig *r = *state;
    struct incident_notify n = everybody();
    n.kind = "no-such";
    assert_fails(rig_run(r, step_notify, &n), LT_PEER_MALFORMED);
    n = everybody();
    n.params = "{\"why\":\"no deadline\"}";
    assert_fails(rig_run(r, step_notify, &n), LT_PEER_MALFORMED);
    n.params = "\"deadline\": \"why\":";
    assert_fails(rig_run(r, step_notify, &n), LT_PEER_MALFORMED);
}

/* ---- an operator's change ---- */

static lt_res say(struct rig *r, struct wanted w)
{
    w.config = &config;
    return rig_run(r, step_op, &w);
}

/* ---- hooks ---- */

static struct wanted hook(const char *name, const char *url, const char *account)
{
    return (struct wanted){.op = "hook.add",
                           .config = &config,
                           .values = {{"name", name, 0}, {"url", url, 0}, {"account", account, 0}}};
}

static void test_hook_is_signed(void **state)
{
    struct rig *r = *state;
    struct wanted w = hook("pager", "https://hook.example/in", "");
    assert_ok(rig_run(r, step_op, &w));
    const char *text = strstr(w.answer, "whsec_");
    assert_non_null(text);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE body LIKE '%whsec%'"), 0);
    struct incident_notice n = letter();
    n.channel = "webhook";
    n.to = "pager";
    assert_ok(rig_run(r, step_add, &n));
    (void)beat(r);
    const struct rig_sent *sent = rig_last(r, IPC_HOOK_SEND);
    assert_non_null(sent);
    Ipc__HookSend *m = ipc__hook_send__unpack(NULL, sent->packed.len, sent->packed.ptr);
    assert_non_null(m);
    /* The other side reckons the same with the secret that it was given. */
    lt_slice secret;
    uint8_t mac[CRYPTO_SHA256_LEN];
    struct lt_buf whole;
    struct lt_buf expected;
    lt_slice shown = lt_slice_cstr(text + 6);
    assert_ok(lt_unbase64(&r->arena, lt_slice_sub(shown, 0, lt_slice_find(shown, '"')), &secret));
    lt_buf_init(&whole, 4096);
    lt_buf_init(&expected, 128);
    lt_buf_addf(&whole, "%s.%lld.%.*s", m->message, (long long)m->timestamp_s, (int)m->body.len,
                m->body.data);
    crypto_hmac(CRYPTO_SHA256, secret, lt_buf_slice(&whole), mac);
    lt_buf_add_cstr(&expected, "v1,");
    lt_base64_add(&expected, LT_SLICE(mac, sizeof mac));
    assert_string_equal(m->signature, lt_buf_cstr(&expected));
    assert_string_equal(m->url, "https://hook.example/in");
    assert_false(m->allow_private);
    lt_buf_done(&whole);
    lt_buf_done(&expected);
    ipc__hook_send__free_unpacked(m, NULL);
}

static lt_res step_hooked(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct outcome *o = arg;
    Ipc__HookSent m = IPC__HOOK_SENT__INIT;
    (void)r;
    m.notice_id = o->id;
    m.attempt = o->attempt;
    m.accepted = o->accepted;
    m.final = o->final;
    m.said = (char *)(uintptr_t)o->words;
    return incident_notice_hooked(t, &m);
}

static void test_hook_outcomes(void **state)
{
    struct rig *r = *state;
    struct incident_notice n = letter();
    n.channel = "webhook";
    n.to = "pager";
    assert_ok(say(r, hook("pager", "https://hook.example/in", "")));
    for (size_t i = 0; i < 3; i++) {
        assert_ok(rig_run(r, step_add, &n));
    }
    (void)beat(r);
    struct outcome taken = {1, 1, true, false, "hook.example: status 204"};
    struct outcome gone = {2, 1, false, true, "hook.example: status 410"};
    struct outcome later = {3, 1, false, false, "hook.example: status 503"};
    assert_ok(rig_run(r, step_hooked, &taken));
    assert_ok(rig_run(r, step_hooked, &gone));
    assert_ok(rig_run(r, step_hooked, &later));
    assert_int_equal(NOTICES("id = 1 AND status = 'sent'"), 1);
    assert_int_equal(NOTICES("id = 2 AND status = 'refused'"), 1);
    assert_int_equal(NOTICES("id = 3 AND status = 'queued'"), 1);
    /* One that was removed takes nothing any more. */
    assert_ok(say(r, (struct wanted){.op = "hook.remove", .id = "pager"}));
    pass(r, 60);
    (void)beat(r);
    assert_int_equal(NOTICES("id = 3 AND status = 'withdrawn'"), 1);
    assert_fails(rig_run(r, step_add, &n), LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){.op = "hook.remove", .id = "pager"}), LT_PEER_NOT_FOUND);
}

static void test_hooks_refused(void **state)
{
    struct rig *r = *state;
    assert_fails(say(r, hook("", "https://h.example/", "")), LT_PEER_MALFORMED);
    assert_fails(say(r, hook("A b", "https://h.example/", "")), LT_PEER_MALFORMED);
    assert_fails(say(r, hook("a", "http://h.example/", "")), LT_PEER_MALFORMED);
    assert_fails(say(r, hook("a", "ftp://h.example/", "")), LT_PEER_MALFORMED);
    assert_fails(say(r, hook("a", "https://h.example/", "x")), LT_PEER_MALFORMED);
    config.hooks = false;
    assert_fails(say(r, hook("a", "https://h.example/", "")), LT_PEER_UNSUPPORTED);
}

/* ---- by hand ---- */

static void test_by_hand(void **state)
{
    struct rig *r = *state;
    struct wanted w = {.op = "notice.send",
                       .values = {{"about", "incident 12", 0},
                                  {"mail", "it@sub.example", 0},
                                  {"title", "Please", 0},
                                  {"text", "Call us.", 0}}};
    assert_ok(say(r, w));
    (void)beat(r);
    mailed(r, (struct outcome){1, 1, false, true, "550 no"});
    assert_ok(say(r, (struct wanted){.op = "notice.again", .id = "1"}));
    assert_fails(say(r, (struct wanted){.op = "notice.again", .id = "1"}), LT_PEER_CONFLICT);
    assert_fails(say(r, (struct wanted){.op = "notice.again", .id = "2"}), LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){.op = "notice.again", .id = "x"}), LT_PEER_NOT_FOUND);
    pass(r, 1);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 2);
    w.values[1] = (struct said){"account", "77", 0};
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    w.values[1] = (struct said){"account", "no", 0};
    assert_fails(say(r, w), LT_PEER_MALFORMED);
    w.values[4] = (struct said){"mail", "a@b.example", 0};
    assert_fails(say(r, w), LT_PEER_MALFORMED);
}

/* ---- who is on call ---- */

static struct wanted person(const char *name, int64_t place, const char *mail)
{
    return (struct wanted){.op = "oncall.person",
                           .values = {{"name", name, 0}, {"place", NULL, place}, {"mail", mail, 0}}};
}

static void three_people(struct rig *r)
{
    assert_ok(say(r, person("zoe", 1, "zoe@ca.example")));
    assert_ok(say(r, person("abe", 2, "abe@ca.example")));
    assert_ok(say(r, person("chief", 0, "chief@ca.example")));
    assert_ok(say(
        r, (struct wanted){
               .op = "oncall.rota",
               .values = {{"start", NULL, r->now.us}, {"turn_s", NULL, 7 * 86400}, {"step_s", NULL, 600}}}));
}

static lt_res step_who(struct rig *r, struct ca_turn *t, void *arg)
{
    const char *name = NULL;
    (void)r;
    LT_TRY(incident_oncall_now(t, t->now, &name));
    (void)snprintf(arg, 65, "%s", name);
    return LT_OK;
}

static void hold_on_call(struct rig *r, const char *name)
{
    char who[65];
    assert_ok(rig_run(r, step_who, who));
    assert_string_equal(who, name);
}

static void test_turns(void **state)
{
    struct rig *r = *state;
    hold_on_call(r, "");
    three_people(r);
    hold_on_call(r, "zoe");
    pass(r, 7 * 86400 - 1);
    hold_on_call(r, "zoe");
    pass(r, 1);
    hold_on_call(r, "abe");
    assert_ok(say(r, (struct wanted){.op = "oncall.override",
                                     .values = {{"person", "chief", 0},
                                                {"from", NULL, lt_time_add_seconds(r->now, 60).us},
                                                {"until", NULL, lt_time_add_seconds(r->now, 120).us}}}));
    hold_on_call(r, "abe");
    pass(r, 60);
    hold_on_call(r, "chief");
    pass(r, 60);
    hold_on_call(r, "abe");
    pass(r, 7 * 86400);
    hold_on_call(r, "zoe");
    assert_ok(say(r, (struct wanted){.op = "oncall.remove", .id = "zoe"}));
    hold_on_call(r, "abe");
}

struct alarm {
    const char *severity;
    const char *words;
};
static lt_res step_page(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct alarm *a = arg;
    (void)r;
    return incident_page(t, a->severity, "incident 12", a->words);
}

static void alarm_goes(struct rig *r, const char *severity)
{
    struct alarm a = {severity, "it burns"};
    assert_ok(rig_run(r, step_page, &a));
}

#define CALLED(who_) NOTICES("kind = 'alarm' AND recipient = '" who_ "@ca.example'")

static void test_escalates_until_acknowledged(void **state)
{
    struct rig *r = *state;
    three_people(r);
    alarm_goes(r, "critical");
    alarm_goes(r, "critical"); /* the same: no second alarm */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM oncall_page"), 1);
    assert_int_equal(CALLED("zoe"), 1);
    assert_int_equal(CALLED("abe"), 0);
    pass(r, 599);
    (void)beat(r);
    assert_int_equal(CALLED("abe"), 0);
    pass(r, 1);
    (void)beat(r);
    assert_int_equal(CALLED("abe"), 1);
    pass(r, 600);
    (void)beat(r);
    assert_int_equal(CALLED("chief"), 1);
    pass(r, 600);
    (void)beat(r); /* and from the beginning */
    assert_int_equal(CALLED("zoe"), 2);
    assert_ok(say(r, (struct wanted){.op = "oncall.ack", .id = "1", .values = {{"note", "on it", 0}}}));
    assert_int_equal(EVENTS("oncall.acknowledged"), 1);
    pass(r, 6000);
    (void)beat(r);
    assert_int_equal(CALLED("abe"), 1);
    assert_ok(say(r, (struct wanted){.op = "oncall.ack", .id = "1"})); /* said by whom, and no more */
    assert_int_equal(EVENTS("oncall.acknowledged"), 1);
    assert_fails(say(r, (struct wanted){.op = "oncall.ack", .id = "9"}), LT_PEER_NOT_FOUND);
    rig_audit(r);
}

/* In the turn that raises it: no letter is before it. */
static void test_an_alarm_waits_for_nothing(void **state)
{
    struct rig *r = *state;
    struct alarm a = {"high", "it burns"};
    r->book->config = &config;
    three_people(r);
    add_many(r, 70);
    assert_ok(rig_run(r, step_page, &a));
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 1);
    (void)beat(r);
    assert_int_equal(count_sent(r, IPC_MAIL_SEND), 21);
    r->book->config = NULL;
}

static void test_severities(void **state)
{
    struct rig *r = *state;
    struct alarm none = {"urgent", "x"};
    three_people(r);
    assert_fails(rig_run(r, step_page, &none), LT_PEER_MALFORMED);
    alarm_goes(r, "low");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM oncall_page WHERE status = 'said'"), 1);
    alarm_goes(r, "high");
    for (size_t i = 0; i < 6; i++) {
        pass(r, 600);
        (void)beat(r);
    }
    assert_int_equal(CALLED("zoe"), 2);
    assert_int_equal(CALLED("abe"), 1);
    assert_int_equal(CALLED("chief"), 1);
    assert_int_equal(EVENTS("oncall.unanswered"), 1);
}

/* Nobody is on call: it is said, and whoever is added is called. */
static void test_nobody(void **state)
{
    struct rig *r = *state;
    alarm_goes(r, "critical");
    assert_int_equal(EVENTS("oncall.nobody"), 1);
    three_people(r);
    pass(r, 600);
    (void)beat(r);
    assert_int_equal(CALLED("zoe"), 1);
}

static void test_oncall_refused(void **state)
{
    struct rig *r = *state;
    assert_fails(say(r, person("Zoe", 1, "zoe@ca.example")), LT_PEER_MALFORMED);
    assert_fails(say(r, person("zoe", 1, "zoe")), LT_PEER_MALFORMED);
    assert_fails(say(r, person("zoe", 1, "")), LT_PEER_MALFORMED);
    struct wanted w = person("zoe", 1, "");
    w.values[3] = (struct said){"hook", "none", 0};
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){.op = "oncall.remove", .id = "zoe"}), LT_PEER_NOT_FOUND);
    assert_fails(
        say(r, (struct wanted){.op = "oncall.rota",
                               .values = {{"start", NULL, 1}, {"turn_s", NULL, 60}, {"step_s", NULL, 60}}}),
        LT_PEER_MALFORMED);
    assert_fails(
        say(r, (struct wanted){.op = "oncall.rota",
                               .values = {{"start", NULL, 1}, {"turn_s", NULL, 3600}, {"step_s", NULL, 1}}}),
        LT_PEER_MALFORMED);
    assert_ok(say(r, person("zoe", 1, "zoe@ca.example")));
    assert_fails(say(r, (struct wanted){.op = "oncall.override",
                                        .values = {{"person", "abe", 0},
                                                   {"from", NULL, r->now.us},
                                                   {"until", NULL, lt_time_add_seconds(r->now, 9).us}}}),
                 LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){.op = "oncall.override",
                                        .values = {{"person", "zoe", 0},
                                                   {"from", NULL, r->now.us - 9},
                                                   {"until", NULL, r->now.us - 1}}}),
                 LT_PEER_MALFORMED);
}

/* ---- lists ---- */

static lt_res step_publish(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct incident_publish p = {
        .incident = 12, .mass = 5, .title = "CAA", .words = "Replace them.", .by = "ann"};
    (void)r;
    (void)arg;
    return incident_publish(t, &p);
}

static lt_res step_published(struct rig *r, struct ca_turn *t, void *arg)
{
    Ipc__ListPublished m = IPC__LIST_PUBLISHED__INIT;
    (void)r;
    m.incident = 12;
    m.version = *(int64_t *)arg;
    m.rows = MEMBERS;
    return incident_list_published(t, &m);
}

static lt_res step_unpublish(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return incident_publish_end(t, 12, "ann");
}

static void test_lists(void **state)
{
    struct rig *r = *state;
    int64_t first = 1;
    int64_t third = 3;
    assert_ok(rig_run(r, step_publish, NULL));
    assert_ok(rig_run(r, step_published, &first));
    assert_ok(rig_run(r, step_published, &first)); /* another host's */
    assert_ok(rig_run(r, step_published, &third)); /* nobody wanted it */
    assert_int_equal(EVENTS("list.published"), 1);
    assert_ok(rig_run(r, step_publish, NULL)); /* a corrected scope */
    assert_int_equal(rig_number(r, "SELECT max(version) FROM notice_list WHERE public = 1"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice_list WHERE public = 1"), 1);
    assert_ok(rig_run(r, step_unpublish, NULL));
    assert_ok(rig_run(r, step_unpublish, NULL));
    assert_int_equal(EVENTS("list.withdrawn"), 1);
    rig_audit(r);
}

/* All of it in slices of that size. */
static void write_list(struct rig *r, const struct incident_list_wanted *w, size_t slice, struct lt_buf *out)
{
    struct incident_list_at at;
    bool end = false;
    incident_list_begin(&at);
    incident_list_head(w, out);
    while (!end) {
        assert_ok(incident_list_rows(r->store, w, &at, slice, out, &end));
    }
    assert_int_equal(at.rows, MEMBERS);
}

static void test_list_as_a_file(void **state)
{
    static const struct store_sql mass = {
        "t.mass",
        "INSERT INTO mass (id, status, source, scope, scope_sha256, cause, reason, note, aware_us, "
        "should_us, must_us, late_because, revoked_us, as_of_us, created_us, created_by, plan, count, root, "
        "batches, at_batch, stop_after, at_tier, at_issuer, at_serial, revoked, already, held, started_us, "
        "ended_us, why) VALUES (5, 'freezing', 'scope', '', x'', '', 4, '', 0, 0, 0, '', 0, 0, 0, '', '', 0, "
        "x'', 0, 0, -1, 0, 0, x'', 0, 0, 0, 0, 0, '')"};
    static const struct store_sql frozen = {"t.frozen", "UPDATE mass SET status = 'proposed' WHERE id = 5"};
    struct rig *r = *state;
    struct incident_list_wanted list[INCIDENT_LISTS_MAX];
    struct incident_notify n = everybody();
    size_t count = 0;
    struct lt_buf whole;
    struct lt_buf sliced;
    fill_book(r);
    assert_ok(rig_run(r, step_publish, NULL));
    assert_ok(rig_run(r, step_notify, &n));
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &mass, STORE_NO_ARGS, NULL));
    assert_ok(store_commit(r->store));
    /* While the list is being frozen nobody publishes half of it, or writes to half of them. */
    assert_ok(incident_lists_wanted(r->store, list, &count));
    assert_int_equal(count, 0);
    assert_false(beat(r));
    assert_int_equal(rig_number(r, "SELECT certificates FROM notice_batch"), 0);
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &frozen, STORE_NO_ARGS, NULL));
    assert_ok(store_commit(r->store));
    assert_true(beat(r));
    assert_ok(incident_lists_wanted(r->store, list, &count));
    assert_int_equal(count, 1);
    assert_false(list[0].published);
    lt_buf_init(&whole, 1024 * 1024);
    lt_buf_init(&sliced, 1024 * 1024);
    write_list(r, &list[0], 5000, &whole);
    write_list(r, &list[0], 7, &sliced);
    assert_true(lt_slice_eq(lt_buf_slice(&whole), lt_buf_slice(&sliced)));
    assert_true(lt_slice_starts(lt_buf_slice(&whole),
                                LT_LIT("# incident 12, version 1, revoked by unknown\n"
                                       "issuer,serial,sha256,expires\n"
                                       "tls,0000000000000000,0000000000000000,1970-01-01T00:00:00Z\n")));
    lt_buf_done(&whole);
    lt_buf_done(&sliced);
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_sent_with_proof),
        TEST(test_tried_again_until_given_up),
        TEST(test_silent_courier),
        TEST(test_courier_comes_back),
        TEST(test_bounces),
        TEST(test_a_letter_comes_back),
        TEST(test_refused),
        TEST(test_every_edge),
        TEST(test_throttled),
        TEST(test_every_published_list_is_looked_into),
        TEST(test_everybody_is_written_to),
        TEST(test_killed_and_goes_on),
        TEST(test_counted_until_done),
        TEST(test_many_refused),
        TEST(test_reminder),
        TEST(test_hook_is_signed),
        TEST(test_hook_outcomes),
        TEST(test_hooks_refused),
        TEST(test_by_hand),
        TEST(test_turns),
        TEST(test_escalates_until_acknowledged),
        TEST(test_severities),
        TEST(test_an_alarm_waits_for_nothing),
        TEST(test_nobody),
        TEST(test_oncall_refused),
        TEST(test_lists),
        TEST(test_list_as_a_file),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
