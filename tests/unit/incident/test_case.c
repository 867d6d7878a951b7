/* Incidents in the book: every edge of their states and every pair that is none; who sees, who does what;
 * halts that stand until a fix was shown to hold; scopes that are corrected; plans, windows, and what will be
 * late. */
#include "../ca/book_rig.h"
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/halt.h"
#include "incident/case.h"
#include "incident/clock.h"
#include "incident/op.h"

#define PATH "/tmp/lintel-test-case.db"
enum { HOUR = 3600, DAY = 86400, HASH = 32, MASS = 77 };

static void remove_files(void)
{
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- an operator's request, as the notary would have typed it ---- */

enum { VALUES = 16 };
struct request {
    const char *op;
    const char *id;
    const char *by;
    struct {
        const char *name;
        const char *text;
        int64_t number;
        lt_slice data;
    } values[VALUES];
    size_t count;
    char answer[8192];
};

static struct request ask(const char *op, const char *id)
{
    return (struct request){.op = op, .id = id, .by = "ann"};
}

static void text(struct request *q, const char *name, const char *value)
{
    q->values[q->count].name = name;
    q->values[q->count++].text = value;
}

static void number(struct request *q, const char *name, int64_t value)
{
    q->values[q->count].name = name;
    q->values[q->count++].number = value;
}

static void data(struct request *q, const char *name, const char *value, lt_slice bytes)
{
    q->values[q->count].name = name;
    q->values[q->count].data = bytes;
    q->values[q->count++].text = value;
}

static lt_res step_op(struct rig *r, struct ca_turn *t, void *arg)
{
    struct request *q = arg;
    const struct incident_op *op = incident_op_find(q->op);
    Ipc__DeskWanted m = IPC__DESK_WANTED__INIT;
    Ipc__DeskValue rows[VALUES];
    Ipc__DeskValue *list[VALUES];
    (void)r;
    assert_non_null(op);
    for (size_t i = 0; i < q->count; i++) {
        ipc__desk_value__init(&rows[i]);
        rows[i].name = (char *)(uintptr_t)q->values[i].name; /* only read */
        rows[i].text = (char *)(uintptr_t)(q->values[i].text == NULL ? "" : q->values[i].text);
        rows[i].number = q->values[i].number;
        rows[i].data = (ProtobufCBinaryData){q->values[i].data.len,
                                             (uint8_t *)(uintptr_t)q->values[i].data.ptr};
        list[i] = &rows[i];
    }
    m.values = list;
    m.n_values = q->count;
    struct incident_call c = {.t = t, .by = q->by, .id = q->id, .m = &m, .jws = LT_LIT("a request")};
    LT_TRY(op->run(&c));
    (void)snprintf(q->answer, sizeof q->answer, "%s", c.json == NULL ? "" : c.json);
    return LT_OK;
}

static lt_res run(struct rig *r, struct request q, char *ret_answer)
{
    lt_res done = rig_run(r, step_op, &q);
    if (ret_answer != NULL) {
        (void)snprintf(ret_answer, sizeof q.answer, "%s", q.answer);
    }
    return done;
}

static int64_t open_one(struct rig *r, const char *cause, bool restricted)
{
    struct request q = ask("incident.open", "");
    text(&q, "title", "CAA was not checked again");
    text(&q, "source", "post-issuance");
    text(&q, "cause", cause);
    number(&q, "restricted", restricted);
    assert_ok(run(r, q, NULL));
    return rig_number(r, "SELECT max(id) FROM incident");
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    bool more = false;
    struct incident_beat b = {.t = t};
    (void)r;
    (void)arg;
    for (size_t i = 0; i < incident_area_count; i++) {
        if (strcmp(incident_areas[i]->name, "case") == 0) {
            LT_TRY(incident_beat_run(&b, i, &more));
        }
    }
    return LT_OK;
}

static void sql(struct rig *r, const char *words)
{
    enum { KEPT = 64 };
    static struct store_sql kept_list[KEPT]; /* a statement is known by its address */
    static size_t kept_count;
    assert_true(kept_count < KEPT);
    struct store_sql *kept = &kept_list[kept_count++];
    *kept = (struct store_sql){words, words};
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, kept, STORE_NO_ARGS, NULL));
    assert_ok(store_commit(r->store));
}

/* ---- states ---- */

static const char *const states[] = {"detected",  "declared", "contained", "scoped",   "notifying",
                                     "replacing", "revoking", "reporting", "learning", "closed"};
static const char *const events[] = {"declare", "contain", "dismiss", "scope", "report", "notify",
                                     "replace", "revoke",  "learn",   "close", "reopen", "open"};

struct stepping {
    int64_t id;
    const char *event;
};

static lt_res step_step(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct stepping *s = arg;
    (void)r;
    return incident_step(t, s->id, s->event, "operator ann", "a test");
}

static void put_in(struct rig *r, const char *state)
{
    static const struct store_sql put = {"t.put",
                                         "UPDATE incident SET status = ?1, closed_us = 0 WHERE id = 1"};
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &put, STORE_ARGS(STORE_S(state)), NULL));
    assert_ok(store_commit(r->store));
}

static bool in_table(const char *from, const char *event, const char **ret_to)
{
    for (size_t i = 0; i < incident_case_edge_count; i++) {
        if (strcmp(incident_case_edges[i].from, from) == 0 &&
            strcmp(incident_case_edges[i].event, event) == 0) {
            *ret_to = incident_case_edges[i].to;
            return true;
        }
    }
    return false;
}

static void every_edge_and_no_other(void **state)
{
    struct rig *r = *state;
    size_t edges = 0;
    assert_int_equal(open_one(r, "", false), 1);
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t k = 0; k < LT_COUNT(events); k++) {
            const char *to = NULL;
            struct stepping s = {1, events[k]};
            put_in(r, states[i]);
            int64_t before = rig_number(r, "SELECT count(*) FROM event WHERE subject = 'incident 1'");
            if (in_table(states[i], events[k], &to)) {
                edges++;
                assert_ok(rig_run(r, step_step, &s));
                assert_string_equal(incident_case_next(states[i], events[k]), to);
                assert_int_equal(
                    rig_number(r, "SELECT count(*) FROM event WHERE subject = 'incident 1'") > before, true);
            } else {
                assert_fails(rig_run(r, step_step, &s), LT_PEER_CONFLICT);
                assert_null(incident_case_next(states[i], events[k]));
                assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE subject = 'incident 1'"),
                                 before);
            }
        }
    }
    assert_int_equal(edges, incident_case_edge_count);
    struct stepping nobody = {99, "declare"};
    assert_fails(rig_run(r, step_step, &nobody), LT_PEER_NOT_FOUND);
}

static void every_state_is_reached_and_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        bool reached = i == 0;
        bool left = false;
        for (size_t k = 0; k < incident_case_edge_count; k++) {
            reached = reached || strcmp(incident_case_edges[k].to, states[i]) == 0;
            left = left || strcmp(incident_case_edges[k].from, states[i]) == 0;
        }
        assert_true(reached && left);
    }
}

/* ---- opening ---- */

static void opened(void **state)
{
    struct rig *r = *state;
    int64_t id = open_one(r, "caa-unreliable", false);
    assert_int_equal(id, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'incident 1'"), 2);
    assert_int_equal(rig_number(r, "SELECT must_us FROM incident WHERE id = 1"),
                     lt_time_add_seconds(r->now, DAY).us); /* 24 h now, five days in 2020 */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE status = 'declared'"), 1);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident_role WHERE holder = 'ann' AND role = 'commander'"), 1);
    assert_int_equal(open_one(r, "", true), 2);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'incident 2' AND duty = 'irg-11'"), 1);
    rig_audit(r);
}

static void not_opened(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *title;
        const char *source;
        const char *cause;
        const char *severity;
        int64_t aware_s;
    } rows[] = {
        {"", "person", "", "", 0},
        {"x", "gossip", "", "", 0},
        {"x", "", "", "", 0},
        {"x", "person", "bad-luck", "", 0},
        {"x", "person", "", "enormous", 0},
        {"x", "person", "", "", HOUR},
        {"x", "person", "smime/caa", "", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct request q = ask("incident.open", "");
        text(&q, "title", rows[i].title);
        text(&q, "source", rows[i].source);
        text(&q, "cause", rows[i].cause);
        text(&q, "severity", rows[i].severity);
        number(&q, "aware", rows[i].aware_s == 0 ? 0 : lt_time_add_seconds(r->now, rows[i].aware_s).us);
        assert_fails(run(r, q, NULL), LT_PEER_MALFORMED);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock"), 0);
}

static void dismissed(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "caa-unreliable", false);
    struct request q = ask("incident.step", "1");
    text(&q, "event", "dismiss");
    assert_fails(run(r, q, NULL), LT_PEER_MALFORMED); /* why is wanted */
    text(&q, "words", "the monitor looked at the wrong list");
    assert_ok(run(r, q, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'void'"), 2);
    struct request note = ask("incident.contain", "1");
    text(&note, "kind", "all");
    text(&note, "reason", "x");
    assert_fails(run(r, note, NULL), LT_PEER_CONFLICT); /* it is closed */
}

static lt_res contain(struct rig *r, const char *kind, const char *value);

static lt_res by_hand(struct rig *r, const char *by, const char *event, const char *words)
{
    struct request q = ask("incident.step", "1");
    q.by = by;
    text(&q, "event", event);
    text(&q, "words", words);
    return run(r, q, NULL);
}

#define RUNNING "SELECT count(*) FROM clock WHERE met_us = 0 AND status <> 'void' AND next_us IS NOT NULL"

static void dismissed_and_one_after_all(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "caa-unreliable", true);
    assert_int_equal(rig_number(r, RUNNING), 3);
    assert_ok(by_hand(r, "ann", "dismiss", "it was none"));
    assert_int_equal(rig_number(r, RUNNING), 0);
    r->now = lt_time_add_seconds(r->now, HOUR);
    assert_ok(by_hand(r, "ann", "reopen", "it was one"));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident WHERE status = 'declared' AND closed_us = 0"), 1);
    assert_int_equal(rig_number(r, RUNNING), 3); /* since we knew, not since now */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock c JOIN incident i ON c.start_us = i.aware_us"),
                     3);
    assert_ok(contain(r, "all", ""));
    sql(r, "UPDATE incident SET status = 'learning'");
    assert_ok(rig_run(r, step_step, &(struct stepping){1, "close"}));
    assert_fails(by_hand(r, "ann", "declare", "it was not dismissed"), LT_PEER_CONFLICT);
    assert_ok(by_hand(r, "ann", "reopen", "somebody asks"));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE status = 'reporting'"), 1);
}

static void a_clock_that_runs_is_not_ended_by_one(void **state)
{
    struct rig *r = *state;
    struct request q = ask("incident.change", "1");
    (void)open_one(r, "not-issued-per-rules", false);
    assert_fails(by_hand(r, "dora", "dismiss", "it was none"), LT_PEER_UNAUTHORIZED);
    q.by = "dora"; /* no approver */
    text(&q, "cause", "");
    text(&q, "words", "none of that");
    assert_fails(run(r, q, NULL), LT_PEER_UNAUTHORIZED);
    q.values[0].text = "caa-unreliable"; /* one day in place of five: that anybody may say */
    assert_ok(run(r, q, NULL));
    q.values[0].text = "not-issued-per-rules";
    assert_fails(run(r, q, NULL), LT_PEER_UNAUTHORIZED);
    q.by = "ann";
    assert_ok(run(r, q, NULL));
    assert_ok(by_hand(r, "ann", "dismiss", "it was none"));
}

/* What was not done in time is to be done all the same. */
static void not_closed_with_nothing_done(void **state)
{
    struct rig *r = *state;
    struct request close = ask("incident.close", "1");
    (void)open_one(r, "key-compromise", false);
    assert_fails(by_hand(r, "ann", "report", ""), LT_PEER_CONFLICT); /* nobody counted */
    assert_ok(by_hand(r, "ann", "report", "a key of a test"));
    sql(r, "UPDATE clock SET status = 'breached'");
    assert_fails(by_hand(r, "ann", "learn", "x"), LT_PEER_CONFLICT);
    sql(r, "UPDATE incident SET status = 'learning'");
    assert_fails(run(r, close, NULL), LT_PEER_CONFLICT);
    sql(r, "UPDATE clock SET status = 'late', met_us = 1 WHERE duty LIKE 'irg-%'");
    assert_fails(run(r, close, NULL), LT_PEER_CONFLICT); /* not revoked */
    sql(r, "UPDATE incident SET status = 'reporting'");
    assert_ok(by_hand(r, "ann", "learn", "x"));
    sql(r, "UPDATE clock SET status = 'late', met_us = 1");
    assert_ok(run(r, close, NULL));
}

/* ---- roles ---- */

static lt_res give(struct rig *r, const char *by, const char *role, const char *holder)
{
    struct request q = ask("incident.role", "1");
    q.by = by;
    text(&q, "role", role);
    text(&q, "holder", holder);
    return run(r, q, NULL);
}

static void restricted_later(void **state)
{
    struct rig *r = *state;
    struct request q = ask("incident.change", "1");
    (void)open_one(r, "", false);
    sql(r,
        "INSERT INTO notice_list (incident, version, mass, title, words, deadline_us, public, wanted_us, "
        "wanted_by, published_us, rows, bytes, sha256) VALUES (1, 1, 1, 't', 'w', 0, 1, 1, 'ann', 1, 1, 1, "
        "x'00')");
    number(&q, "restricted", 1);
    text(&q, "words", "it can be used by anybody");
    assert_ok(run(r, q, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-11' AND status = 'open'"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'list.withdrawn'"), 1);
}

static void roles_and_who_sees(void **state)
{
    struct rig *r = *state;
    struct request note = ask("incident.note", "1");
    struct request show = ask("incident.show-mine", "1");
    struct request mine = ask("incident.list-mine", "");
    char answer[8192];
    (void)open_one(r, "", true);
    note.by = "bob";
    text(&note, "words", "I should not");
    assert_fails(run(r, note, NULL), LT_PEER_NOT_FOUND);
    show.by = "bob";
    mine.by = "bob";
    assert_fails(run(r, show, NULL), LT_PEER_NOT_FOUND);
    assert_ok(run(r, mine, answer));
    assert_string_equal(answer, "{\"incidents\":[]}");
    assert_fails(give(r, "bob", "legal", "bob"), LT_PEER_NOT_FOUND);
    assert_fails(give(r, "ann", "king", "bob"), LT_PEER_MALFORMED);
    assert_fails(give(r, "ann", "legal", "nobody"), LT_PEER_NOT_FOUND);
    assert_fails(give(r, "ann", "commander", "ann"), LT_PEER_CONFLICT);
    assert_fails(give(r, "ann", "commander", ""), LT_PEER_CONFLICT);
    assert_ok(give(r, "ann", "legal", "bob"));
    assert_ok(run(r, show, answer));
    assert_non_null(strstr(answer, "\"title\":\"CAA was not checked again\""));
    assert_ok(run(r, mine, answer));
    assert_non_null(strstr(answer, "\"restricted\":true"));
    r->now = lt_time_add_seconds(r->now, 60);
    assert_ok(give(r, "bob", "legal", "")); /* given back */
    assert_fails(run(r, show, NULL), LT_PEER_NOT_FOUND);
    assert_true(rig_number(r, "SELECT until_us - since_us FROM incident_role WHERE role = 'legal'") >=
                60 * LT_US_PER_SECOND);
}

/* ---- containment ---- */

static lt_res contain(struct rig *r, const char *kind, const char *value)
{
    struct request q = ask("incident.contain", "1");
    text(&q, "kind", kind);
    text(&q, "value", value);
    text(&q, "reason", "a test");
    return run(r, q, NULL);
}

/* Everybody reads the halts, and their events. */
static void a_halt_does_not_say_what_is_restricted(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "", true);
    assert_ok(contain(r, "all", ""));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM halt WHERE reason = 'incident 1'"), 1);
    assert_int_equal(rig_number(r,
                                "SELECT count(*) FROM event WHERE kind = 'halt.added' AND (attachment IS NOT "
                                "NULL OR body LIKE '%a test%')"),
                     0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.halt' AND "
                                   "attachment IS NOT NULL"),
                     1);
}

static lt_res fix(struct rig *r, const char *halt, const char *build, const char *rule, const char *test)
{
    struct request q = ask("incident.fix", "1");
    text(&q, "halt", halt);
    text(&q, "build", build);
    text(&q, "rule", rule);
    text(&q, "test", test);
    return run(r, q, NULL);
}

static lt_res scope(struct rig *r, const char *words, int64_t count, uint8_t members)
{
    uint8_t hash[HASH];
    uint8_t result[HASH];
    memset(hash, (int)strlen(words), sizeof hash);
    memset(result, members, sizeof result);
    struct request q = ask("incident.scope", "1");
    data(&q, "scope", words, LT_SLICE(hash, sizeof hash));
    number(&q, "as-of", r->now.us);
    number(&q, "count", count);
    data(&q, "members-sha256", "", LT_SLICE(result, sizeof result));
    if (members > 1) {
        text(&q, "wrong", "one method alone was looked at");
        text(&q, "avoided", "by CAA alone");
    }
    return run(r, q, NULL);
}

static lt_res step_members(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_case_on_members(t, arg);
}

static lt_res counted(struct rig *r, char *halt, uint64_t count, char *failed)
{
    Ipc__Members m = IPC__MEMBERS__INIT;
    m.fix = halt;
    m.count = count;
    m.count_only = true;
    m.failed = failed;
    return rig_run(r, step_members, &m);
}

static lt_res step_lift(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_halt_may_lift(t, arg);
}

static void halt_id(struct rig *r, char ret_id[64])
{
    static const struct store_sql get = {"t.halt",
                                         "SELECT halt FROM incident_halt ORDER BY added_us DESC LIMIT 1"};
    struct store_rows rows;
    assert_ok(store_query(r->store, &get, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    (void)snprintf(ret_id, 64, "%s", store_cstr(&rows, 0));
    assert_ok(store_rows_end(&rows));
}

static void a_halt_stands_until_a_fix_holds(void **state)
{
    struct rig *r = *state;
    char halt[64];
    char none[] = "";
    char failed[] = "the linter has no rule e_x";
    static const char good[] = "tests/unit/validate/test_caa.c";
    const char *build = r->book->build;
    (void)open_one(r, "", false);
    assert_fails(contain(r, "profile", "no-such-profile"), LT_PEER_NOT_FOUND);
    assert_fails(contain(r, "method", "http-99"), LT_PEER_NOT_FOUND);
    assert_fails(contain(r, "moon", "x"), LT_PEER_MALFORMED);
    assert_ok(contain(r, "method", "http-01"));
    halt_id(r, halt);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident WHERE status = 'contained' AND contained_us > 0"), 1);
    assert_fails(rig_run(r, step_lift, halt), LT_POLICY_REFUSED);
    assert_fails(fix(r, halt, "9.9.9", "", good), LT_PEER_CONFLICT);
    assert_fails(fix(r, halt, build, "", ""), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "e_x", good), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/cmd/test_args.c"), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/validate/"), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/role/../../../docs/index.html"), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/ca/x"), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/ca/test_/../x.c"), LT_PEER_MALFORMED);
    assert_fails(fix(r, halt, build, "", "tests/unit/ca/test_x.c.txt"), LT_PEER_MALFORMED);
    assert_fails(fix(r, "h1", build, "", good), LT_PEER_NOT_FOUND);
    assert_fails(fix(r, halt, build, "", good), LT_PEER_CONFLICT); /* there is no scope to be run again */
    assert_ok(scope(r, "method = \"http-01\"", 3, 1));
    assert_ok(fix(r, halt, build, "e_x", ""));
    assert_fails(rig_run(r, step_lift, halt), LT_RETRY_BUSY);
    assert_ok(counted(r, halt, 0, failed));
    assert_fails(rig_run(r, step_lift, halt), LT_POLICY_REFUSED);
    assert_ok(fix(r, halt, build, "", good));
    assert_ok(counted(r, halt, 3, none));
    assert_fails(rig_run(r, step_lift, halt), LT_POLICY_REFUSED);
    assert_ok(fix(r, halt, build, "", good));
    assert_ok(counted(r, halt, 0, none));
    assert_ok(counted(r, halt, 7, none)); /* an answer that was asked for twice changes nothing */
    assert_ok(rig_run(r, step_lift, halt));
    r->now = lt_time_add_seconds(r->now, 2 * DAY);
    assert_fails(rig_run(r, step_lift, halt), LT_POLICY_REFUSED); /* counted too long ago */
    char unknown[] = "h42";
    assert_ok(rig_run(r, step_lift, unknown)); /* a halt of no incident */
}

/* ---- scopes ---- */

static void scopes_are_corrected_in_public(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "", false);
    assert_ok(scope(r, "expired", 10, 1));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-7'"), 0);
    assert_fails(scope(r, "not expired", 20, 1), LT_PEER_MALFORMED); /* why, and how it is avoided */
    assert_ok(scope(r, "not expired", 20, 2));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-7' AND status = 'open'"), 1);
    assert_int_equal(rig_number(r, "SELECT scope_version FROM incident"), 2);
    assert_fails(scope(r, "not expired", 20, 2), LT_PEER_CONFLICT); /* it says the same */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.corrected'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM scope WHERE name = 'incident-1'"), 2);
}

/* ---- plans ---- */

/* A list of 100, 40 of them in the first tier, as the mass revocation would have frozen it. */
static void a_list(struct rig *r, const char *status)
{
    char words[1024];
    (void)snprintf(
        words, sizeof words,
        "INSERT INTO mass (id, status, source, scope, scope_sha256, cause, reason, note, aware_us, "
        "should_us, must_us, late_because, revoked_us, as_of_us, created_us, created_by, plan, count, root, "
        "batches, at_batch, stop_after, at_tier, at_issuer, at_serial, revoked, already, held, started_us, "
        "ended_us, why) SELECT 77, '%s', 'scope', text, sha256, '', 4, '', 0, 0, 0, '', 0, 0, 0, 'ann', '', "
        "100, x'', 2, 0, -1, 0, 0, x'', 0, 0, 0, 0, 0, '' FROM incident_scope ORDER BY version DESC LIMIT 1",
        status);
    sql(r, words);
    sql(r, "INSERT INTO mass_batch (mass, batch, tier, issuer, first, last, count, root, status, revoked_us, "
           "sequence, "
           "at, revoked, already, held) VALUES (77, 0, 0, 1, x'01', x'02', 40, x'', 'sealed', 0, 0, x'', 0, "
           "0, 0)");
    sql(r, "INSERT INTO mass_batch (mass, batch, tier, issuer, first, last, count, root, status, revoked_us, "
           "sequence, "
           "at, revoked, already, held) VALUES (77, 1, 1, 1, x'03', x'04', 60, x'', 'sealed', 0, 0, x'', 0, "
           "0, 0)");
}

static lt_res plan(struct rig *r, const char *mass, int64_t per_hour)
{
    struct request q = ask("incident.plan", "1");
    text(&q, "mass", mass);
    number(&q, "per-hour", per_hour);
    number(&q, "replaced-tiers", 1);
    return run(r, q, NULL);
}

static void planned_and_revoked(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "caa-unreliable", false);
    assert_fails(plan(r, "m77", 100), LT_PEER_CONFLICT); /* no scope yet */
    assert_ok(scope(r, "expired", 100, 1));
    assert_fails(plan(r, "m77", 100), LT_PEER_NOT_FOUND);
    a_list(r, "freezing");
    assert_fails(plan(r, "77", 100), LT_PEER_MALFORMED);
    assert_fails(plan(r, "m77", 0), LT_PEER_MALFORMED);
    sql(r, "UPDATE mass SET scope_sha256 = x'00' WHERE id = 77");
    assert_fails(plan(r, "m77", 100), LT_PEER_CONFLICT); /* of something else */
    sql(r, "UPDATE mass SET scope_sha256 = (SELECT sha256 FROM incident_scope) WHERE id = 77");
    assert_ok(plan(r, "m77", 100));
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'freezing'"), 1);
    sql(r, "UPDATE mass SET status = 'proposed' WHERE id = 77");
    assert_ok(rig_run(r, step_beat, NULL));
    assert_ok(rig_run(r, step_beat, NULL)); /* once */
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'set' AND first_rank = 40 AND "
                      "count = 100 AND late = 0"),
        1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.windows'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE status = 'replacing'"), 1);
    assert_ok(plan(r, "m77", 1)); /* nobody can issue so few in a day */
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'set' AND late > 30"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'replaced'"), 1);
    sql(r, "UPDATE mass SET status = 'done', revoked = 99, held = 1, ended_us = 5 WHERE id = 77");
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE status = 'reporting'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'set'"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.revoked'"), 1);
}

#define CLOCK_IS(r_, duty_, status_) \
    assert_int_equal(                \
        rig_number(r_, "SELECT count(*) FROM clock WHERE duty = '" duty_ "' AND status = '" status_ "'"), 1)

/* An order is no exception: the clock goes on, the delay is told, and it ends with the last of them. */
static void what_a_court_keeps_is_late(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "caa-unreliable", false);
    assert_ok(scope(r, "expired", 100, 1));
    a_list(r, "proposed");
    assert_ok(plan(r, "m77", 1000));
    assert_ok(rig_run(r, step_beat, NULL));
    sql(r, "INSERT INTO mass_tier VALUES (77, 0, '')");
    sql(r, "INSERT INTO mass_member VALUES (77, 0, 1, x'05', 1)");
    sql(r, "INSERT INTO revocation_hold VALUES (1, x'04', 1, 'another order', 'r', 'ann', 0, '')");
    sql(r, "INSERT INTO revocation_hold VALUES (1, x'05', 1, 'an order', 'r', 'ann', 0, '')");
    sql(r,
        "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, "
        "key_bits, not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, "
        "rule_set, build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, "
        "least_quorum, shard, sequence) VALUES (1, x'05', 0, 'x509', 1, x'00', x'00', 1, 256, 1, 2, 1, 1, "
        "0, x'00', 1, '', '', 1, '', 1, 1, 1, 0, 3, 7)");
    sql(r, "UPDATE mass SET status = 'done', revoked = 99, held = 1, ended_us = (SELECT aware_us + 9 FROM "
           "incident) WHERE id = 77");
    for (int i = 0; i < 3; i++) {
        r->now = lt_time_add_seconds(r->now, HOUR);
        assert_ok(rig_run(r, step_beat, NULL));
    }
    CLOCK_IS(r, "revoke-tls/caa-unreliable", "open");
    CLOCK_IS(r, "irg-9", "open");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.late'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE status = 'reporting'"), 1);
    sql(r, "UPDATE revocation_hold SET lifted_us = 9");
    assert_ok(rig_run(r, step_beat, NULL));
    CLOCK_IS(r, "revoke-tls/caa-unreliable", "open");
    r->now = lt_time_add_seconds(r->now, 30 * HOUR);
    sql(r, "INSERT INTO revocation SELECT 1, 3, x'05', 4, due_us + 60000000, 0, 0, 'ann', 8 FROM clock WHERE "
           "duty LIKE 'revoke%'");
    assert_ok(rig_run(r, step_beat, NULL));
    assert_ok(rig_run(r, step_beat, NULL));
    CLOCK_IS(r, "revoke-tls/caa-unreliable", "late");
    CLOCK_IS(r, "irg-9", "open"); /* the report is due all the same */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.held-revoked'"), 1);
}

/* Said in good time, once, with a clock of its own. */
static void what_will_be_late_is_said(void **state)
{
    struct rig *r = *state;
    (void)open_one(r, "caa-unreliable", false);
    assert_ok(scope(r, "expired", 100, 1));
    a_list(r, "proposed");
    assert_ok(plan(r, "m77", 1000));
    assert_ok(rig_run(r, step_beat, NULL));
    r->now = lt_time_add_seconds(r->now, 17 * HOUR);
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.late'"), 0);
    r->now = lt_time_add_seconds(r->now, 2 * HOUR);
    assert_ok(rig_run(r, step_beat, NULL));
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'incident.late'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-9'"), 1);
    sql(r, "UPDATE mass SET status = 'stopped' WHERE id = 77");
    assert_ok(rig_run(r, step_beat, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_plan WHERE status = 'over'"), 1);
    struct request close = ask("incident.close", "1");
    assert_fails(run(r, close, NULL), LT_PEER_CONFLICT); /* clocks run */
}

static void another_cause(void **state)
{
    struct rig *r = *state;
    struct request q = ask("incident.change", "1");
    (void)open_one(r, "caa-unreliable", false);
    text(&q, "cause", "bad-luck");
    text(&q, "words", "x");
    assert_fails(run(r, q, NULL), LT_PEER_MALFORMED);
    q = ask("incident.change", "1");
    text(&q, "cause", "not-issued-per-rules");
    text(&q, "words", "not CAA at all");
    assert_ok(run(r, q, NULL));
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM incident"), 5 * DAY * LT_US_PER_SECOND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'void'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'open'"), 2);
    q = ask("incident.change", "1"); /* and back: the first clock runs on */
    text(&q, "cause", "caa-unreliable");
    text(&q, "words", "it was CAA");
    assert_ok(run(r, q, NULL));
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM incident"), DAY * LT_US_PER_SECOND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'open' AND "
                                   "duty = 'revoke-tls/caa-unreliable' AND next_us IS NOT NULL"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'void'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_edge_and_no_other, set_up, tear_down),
        cmocka_unit_test(every_state_is_reached_and_left),
        cmocka_unit_test_setup_teardown(opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dismissed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dismissed_and_one_after_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_runs_is_not_ended_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_closed_with_nothing_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(roles_and_who_sees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restricted_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_halt_stands_until_a_fix_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scopes_are_corrected_in_public, set_up, tear_down),
        cmocka_unit_test_setup_teardown(planned_and_revoked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_halt_does_not_say_what_is_restricted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_court_keeps_is_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_will_be_late_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_cause, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
