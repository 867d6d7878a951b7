/* Problem reports in the book: opened with their clocks, uploads in parts, on their way to the mailroom and
 * back, ranked, the same again, waiting, findings, probes. */
#include "../ca/book_rig.h"
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "incident/problem_private.h"

#define PATH "/tmp/lintel-test-problem.db"

enum { HOUR_S = 3600 };

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
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- steps ---- */

struct opening {
    struct incident_report report;
    uint8_t upload[INCIDENT_UPLOAD_LEN];
    uint8_t hash[CA_HASH_LEN];
    const char *raw; /* NULL: words alone */
    int64_t id;
};

static struct opening plain(const char *words)
{
    return (struct opening){.report = {.channel = "phone",
                                       .contact = "reporter@example.com",
                                       .reporter = "",
                                       .authority = "",
                                       .title = "x",
                                       .words = words,
                                       .cause = "",
                                       .clause = "",
                                       .form = "",
                                       .by = ""}};
}

static lt_res open_step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct opening *o = arg;
    (void)r;
    if (o->raw != NULL) {
        t->random(o->upload, sizeof o->upload);
        memset(o->hash, o->raw[0], sizeof o->hash);
        o->report.upload = LT_SLICE(o->upload, sizeof o->upload);
        o->report.raw_sha256 = LT_SLICE(o->hash, sizeof o->hash);
        o->report.raw_bytes = (int64_t)strlen(o->raw);
        o->report.raw_parts = 1;
        o->report.form = "mail";
        LT_TRY(problem_upload_part(t, o->report.upload, 0, lt_slice_cstr(o->raw), "mail"));
    }
    return incident_problem_open(t, &o->report, &o->id);
}

static lt_res read_step(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_problem_read(t, arg);
}

static lt_res linked_step(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return incident_problem_mailroom_linked(t);
}

static lt_res beat_step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t};
    bool more = false;
    (void)r;
    (void)arg;
    return incident_area_problem.beat(&b, &more);
}

static int64_t number(struct rig *r, const char *what, int64_t id)
{
    char text[256];
    (void)snprintf(text, sizeof text, "SELECT %s FROM problem WHERE id = %lld", what, (long long)id);
    return rig_number(r, text);
}

static int64_t letter(struct rig *r, const char *raw)
{
    struct opening o = plain("");
    o.report.channel = "mail";
    o.report.title = "";
    o.raw = raw;
    assert_ok(rig_run(r, open_step, &o));
    return o.id;
}

/* ---- opened ---- */

static void words_alone_are_a_report_with_a_clock(void **state)
{
    struct rig *r = *state;
    struct opening o = plain("serial 00 is wrong");
    o.report.received = lt_time_add_seconds(r->now, -2 * HOUR_S);
    assert_ok(rig_run(r, open_step, &o));
    assert_int_equal(o.id, 1);
    assert_int_equal(number(r, "status = 'open'", 1), 1);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'problem 1' AND duty = 'cpr-findings'"), 1);
    assert_int_equal(rig_number(r, "SELECT start_us FROM clock WHERE subject = 'problem 1'"),
                     o.report.received.us);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_word WHERE problem = 1"), 2);
    assert_int_equal(
        rig_number(r, "SELECT reports FROM problem_reporter WHERE contact = 'reporter@example.com'"), 1);
    rig_audit(r);
}

static void bad_reports_are_refused(void **state)
{
    struct rig *r = *state;
    struct opening bad[] = {plain("x"), plain("x"), plain("x"), plain("x"), plain("x")};
    bad[0].report.channel = "pigeon";
    bad[1].report.authority = "king";
    bad[2].report.cause = "nonsense";
    bad[3].report.received = lt_time_add_seconds(r->now, HOUR_S);
    bad[4].report.upload = LT_LIT("0123456789abcdef");
    bad[4].report.raw_sha256 = LT_LIT("0123456789abcdef0123456789abcdef");
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(lt_failed(rig_run(r, open_step, &bad[i])));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem"), 0);
}

struct part {
    const char *upload;
    int64_t number;
    const char *bytes;
};

static lt_res part_step(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct part *p = arg;
    (void)r;
    return problem_upload_part(t, lt_slice_cstr(p->upload), p->number, lt_slice_cstr(p->bytes), "mail");
}

static void parts_come_in_order_and_once(void **state)
{
    static const struct {
        struct part part;
        int code;
    } rows[] = {
        {{"0123456789abcdef", 0, "one"}, 0},
        {{"0123456789abcdef", 2, "three"}, LT_PEER_CONFLICT},
        {{"0123456789abcdef", 1, "two"}, 0},
        {{"0123456789abcdef", 1, "two"}, 0},
        {{"0123456789abcdef", 0, "one"}, 0},
        {{"0123456789abcdef", 3, "four"}, LT_PEER_CONFLICT},
        {{"0123456789abcdef", 2, ""}, LT_PEER_TOO_LARGE},
        {{"short", 0, "one"}, LT_PEER_MALFORMED},
        {{"fedcba9876543210", 1, "two"}, LT_PEER_CONFLICT},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct part p = rows[i].part;
        assert_int_equal(rig_run(r, part_step, &p).code, rows[i].code);
    }
    assert_int_equal(rig_number(r, "SELECT parts * 1000 + bytes FROM problem_upload"), 2006);
    r->now = lt_time_add_seconds(r->now, 25 * HOUR_S);
    assert_ok(rig_run(r, beat_step, NULL)); /* nobody finished it */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_part"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_upload"), 0);
}

static void the_same_bytes_are_the_same_report(void **state)
{
    struct rig *r = *state;
    assert_int_equal(letter(r, "A letter"), 1);
    assert_int_equal(letter(r, "A letter"), 1);
    assert_int_equal(letter(r, "Another"), 1); /* its hash here is its first letter */
    assert_int_equal(letter(r, "B letter"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'problem.again'"), 2);
}

/* A proof circulates: whoever sends it has a report of their own, and nobody gets somebody else's. */
static void the_same_bytes_of_somebody_else_are_another_report(void **state)
{
    static const struct {
        const char *channel;
        const char *contact;
        int64_t id;
    } rows[] = {
        {"api", "one@example.com", 1},
        {"api", "two@example.com", 2},
        {"api", "one@example.com", 1},
        {"form", "one@example.com", 3},
        {"form", "one@example.com", 3},
        {"form", "", 4},
        {"form", "", 5}, /* without an address: who knows whether it is the same person */
        {"mail", "", 6},
        {"mail", "", 6},
        {"mail", "srs0=a=b@relay", 6},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct opening o = plain("");
        o.report.channel = rows[i].channel;
        o.report.contact = rows[i].contact;
        o.raw = "A proof";
        assert_ok(rig_run(r, open_step, &o));
        assert_int_equal(o.id, rows[i].id);
    }
}

/* ---- read ---- */

static void what_the_mailroom_read_is_kept(void **state)
{
    struct rig *r = *state;
    static char from[] = "reporter@example.com";
    static char subject[] = "a subject";
    static char text[] = "a text";
    static char serial[] = "serial";
    static char value[] = "0cf65a03ce05c1fff1baf459b0f1aa20";
    Ipc__MailroomItem item = IPC__MAILROOM_ITEM__INIT;
    Ipc__MailroomItem *items[] = {&item};
    Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
    int64_t id = letter(r, "A letter");
    assert_non_null(rig_last(r, IPC_RAW_WANTED));
    assert_int_equal(number(r, "reading = 'asked'", id), 1);
    item.kind = serial;
    item.value = value;
    m.problem = id;
    m.from = from;
    m.subject = subject;
    m.text = text;
    m.items = items;
    m.n_items = 1;
    m.received_us = lt_time_add_seconds(r->now, -3 * HOUR_S).us;
    assert_ok(rig_run(r, read_step, &m));
    assert_int_equal(number(r, "status = 'open' AND reading = 'done' AND title = 'a subject'", id), 1);
    /* It reached us when our relay took it. */
    assert_int_equal(number(r, "received_us", id), m.received_us);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'problem 1' AND status = 'open'"), 1);
    assert_int_equal(
        rig_number(r, "SELECT start_us FROM clock WHERE subject = 'problem 1' AND status = 'open'"),
        m.received_us);
    assert_ok(rig_run(r, read_step, &m)); /* said twice */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_item"), 1);
    /* The same serial number again: the same matter, one after the other. */
    m.problem = letter(r, "B letter");
    assert_ok(rig_run(r, read_step, &m));
    assert_int_equal(number(r, "same_as", m.problem), id);
    assert_true(number(r, "rank", m.problem) < number(r, "rank", id));
    rig_audit(r);
}

static void a_mailroom_that_lies_is_not_believed(void **state)
{
    struct rig *r = *state;
    static char odd[] = "password";
    static char value[] = "x";
    char *lengthy = malloc(INCIDENT_PROBLEM_WORDS_MAX + 2);
    Ipc__MailroomItem item = IPC__MAILROOM_ITEM__INIT;
    Ipc__MailroomItem *items[] = {&item};
    Ipc__MailroomFile file = IPC__MAILROOM_FILE__INIT; /* without its hash */
    Ipc__MailroomFile *files[] = {&file};
    assert_non_null(lengthy);
    memset(lengthy, 'x', INCIDENT_PROBLEM_WORDS_MAX + 1);
    lengthy[INCIDENT_PROBLEM_WORDS_MAX + 1] = '\0';
    for (int i = 0; i < 4; i++) {
        Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
        m.problem = letter(r, "A letter");
        item.kind = odd;
        item.value = value;
        m.items = items;
        m.n_items = i == 0;
        m.files = files;
        m.n_files = i == 1;
        m.text = i == 2 ? lengthy : m.text;
        m.subject = i == 3 ? lengthy : m.subject;
        assert_int_equal(rig_run(r, read_step, &m).code, LT_PEER_MALFORMED);
        assert_int_equal(number(r, "reading = 'asked'", m.problem), 1);
    }
    Ipc__MailroomRead none = IPC__MAILROOM_READ__INIT;
    none.problem = 99;
    assert_int_equal(rig_run(r, read_step, &none).code, LT_PEER_NOT_FOUND);
    free(lengthy);
}

struct finding {
    int64_t id;
    const char *decision;
    const char *words;
    bool same;
};

static lt_res find_step(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct finding *f = arg;
    struct incident_problem p;
    const struct problem_findings findings = {.decision = f->decision,
                                              .words = f->words,
                                              .to_subscriber = "",
                                              .by = "operator ann",
                                              .same = f->same};
    (void)r;
    LT_TRY(problem_load(t, f->id, &p));
    return problem_findings_give(t, &p, &findings);
}

/* An address that somebody else names a hundred times gets ten letters, and every report its clock. */
static void nobody_is_shot_at_with_our_letters(void **state)
{
    struct rig *r = *state;
    static const char letters[] = "SELECT count(*) FROM notice WHERE kind = 'problem-received'";
    for (int i = 0; i < 30; i++) {
        struct opening o = plain("x");
        assert_ok(rig_run(r, open_step, &o));
    }
    assert_int_equal(rig_number(r, letters), 10);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'cpr-findings'"), 30);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem WHERE acknowledged_us > 0"), 30);
    struct opening other = plain("x");
    other.report.contact = "other@example.com";
    assert_ok(rig_run(r, open_step, &other));
    assert_int_equal(rig_number(r, letters), 11);
    r->now = lt_time_add_seconds(r->now, HOUR_S + 1);
    struct opening later = plain("x");
    assert_ok(rig_run(r, open_step, &later));
    assert_int_equal(rig_number(r, letters), 12);
}

/* One certificate in common is not the same matter: what is more was not looked at. */
static void a_report_that_says_more_is_not_the_same(void **state)
{
    struct rig *r = *state;
    const struct incident_item a = {"serial", "1122"};
    const struct incident_item both[] = {a, {"serial", "3344"}};
    const struct {
        const char *cause;
        size_t items;
        bool same;
    } rows[] = {{"", 1, false}, {"", 1, true}, {"", 2, false}, {"misuse", 1, false}, {"misuse", 1, true}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char raw[2] = {(char)('A' + i), '\0'};
        Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
        struct opening o = plain("");
        o.raw = raw;
        o.report.cause = rows[i].cause;
        o.report.items = both;
        o.report.item_count = rows[i].items;
        assert_ok(rig_run(r, open_step, &o));
        m.problem = o.id;
        assert_ok(rig_run(r, read_step, &m));
        assert_int_equal(number(r, "same_as <> 0", o.id), rows[i].same);
    }
    /* Findings are of the one that they are given for, and of the same on request. */
    struct finding f = {1, "none", "odd but right"};
    assert_ok(rig_run(r, find_step, &f));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem WHERE found_us <> 0"), 1);
    f.same = true;
    assert_ok(rig_run(r, find_step, &f));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem WHERE found_us <> 0"), 2);
    assert_int_equal(number(r, "found_us <> 0", 2), 1);
}

static lt_res reopen_step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_problem p;
    (void)r;
    LT_TRY(problem_load(t, *(const int64_t *)arg, &p));
    return problem_step(t, &p, "reopen");
}

static lt_res token_step(struct rig *r, struct ca_turn *t, void *arg)
{
    static const struct store_sql sql = {"t.token", "UPDATE notice SET token = '77aa' WHERE id = 1"};
    (void)r;
    (void)arg;
    return store_exec(t->store, &sql, STORE_NO_ARGS, NULL);
}

static int64_t clock_of(struct rig *r, const char *what, int64_t id)
{
    char text[256];
    (void)snprintf(text, sizeof text, "SELECT %s FROM clock WHERE subject = 'problem %lld'", what,
                   (long long)id);
    return rig_number(r, text);
}

/* What looks like a letter of ours that came back is put away only where it was ours, and proves nothing. */
static void a_forged_delivery_report_is_a_report(void **state)
{
    static char text[] = "the key of it is compromised";
    static uint8_t kept[] = "without the key";
    static char of[][40] = {"<notice-1.00@>", "<notice-99.77aa@>", "on its way", "<notice-1.77aa@>",
                            "<notice-1.77aa@>"};
    struct rig *r = *state;
    struct opening o = plain("x"); /* its acknowledgement is notice 1 */
    assert_ok(rig_run(r, open_step, &o));
    assert_ok(rig_run(r, token_step, NULL));
    for (size_t i = 0; i < LT_COUNT(of); i++) {
        const char raw[] = {(char)('A' + i), '\0'};
        bool last = i + 1 == LT_COUNT(of);
        Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
        m.problem = letter(r, raw);
        m.bounce_of = of[i];
        m.delayed = true;
        m.text = text;
        m.kept = last ? m.kept : (ProtobufCBinaryData){sizeof kept, kept};
        assert_ok(rig_run(r, read_step, &m));
        assert_int_equal(number(r, "status = 'closed' AND kind = 'bounce'", m.problem), last);
        assert_int_equal(number(r, "status = 'open' AND length(kept_sha256) = 32", m.problem), !last);
        assert_int_equal(clock_of(r, "status = 'open'", m.problem), !last);
    }
    int64_t id = rig_number(r, "SELECT max(id) FROM problem");
    r->now = lt_time_add_seconds(r->now, HOUR_S);
    assert_ok(rig_run(r, reopen_step, &id)); /* its clock runs again, from where it began */
    assert_int_equal(clock_of(r, "status = 'open'", id), 1);
    assert_int_equal(clock_of(r, "start_us", id), number(r, "received_us", id));
    rig_audit(r);
}

/* The address of the envelope is somebody's who passed it on. */
static void the_sender_in_the_letter_is_who_filed_it(void **state)
{
    static char from[] = "reporter@example.com";
    struct rig *r = *state;
    for (int with = 0; with < 2; with++) {
        struct opening o = plain("");
        Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
        o.report.channel = "mail";
        o.report.contact = "srs0=abc=xy=example.com=owner@relay.example";
        o.raw = with != 0 ? "A letter" : "B letter";
        assert_ok(rig_run(r, open_step, &o));
        m.problem = o.id;
        m.from = with != 0 ? from : m.from;
        assert_ok(rig_run(r, read_step, &m));
        assert_int_equal(number(r, "contact = 'reporter@example.com'", o.id), with);
        assert_int_equal(number(r, "contact LIKE 'srs0=%'", o.id), 1 - with);
    }
    assert_int_equal(
        rig_number(r, "SELECT reports FROM problem_reporter WHERE contact = 'reporter@example.com'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice WHERE recipient = 'reporter@example.com'"),
                     1);
}

static void a_relay_with_a_wrong_clock_moves_nothing(void **state)
{
    struct rig *r = *state;
    Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
    int64_t received = 0;
    const int64_t wrong_s[] = {HOUR_S, -30 * 24 * HOUR_S};
    for (size_t i = 0; i < LT_COUNT(wrong_s); i++) {
        m.problem = letter(r, i == 0 ? "A" : "B");
        received = number(r, "received_us", m.problem);
        m.received_us = lt_time_add_seconds(r->now, wrong_s[i]).us;
        assert_ok(rig_run(r, read_step, &m));
        assert_int_equal(number(r, "received_us", m.problem), received);
    }
}

static void what_kills_the_mailroom_again_is_for_a_person(void **state)
{
    struct rig *r = *state;
    Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
    int64_t id = letter(r, "A letter");
    int64_t other = letter(r, "B letter");
    assert_ok(rig_run(r, linked_step, NULL)); /* a new mailroom: the one before died over one of them */
    assert_int_equal(number(r, "tries * 10 + (reading = 'asked')", id), 21);
    assert_int_equal(number(r, "tries * 10 + (reading = 'waiting')", other),
                     11);                     /* until the first is back */
    assert_ok(rig_run(r, linked_step, NULL)); /* over the first: now the other has its turn */
    assert_int_equal(number(r, "tries * 10 + (reading = 'waiting')", id), 21);
    assert_int_equal(number(r, "tries * 10 + (reading = 'asked')", other), 21);
    m.problem = other;
    assert_ok(rig_run(r, read_step, &m));
    assert_int_equal(number(r, "reading = 'done'", other), 1);
    assert_int_equal(number(r, "tries * 10 + (reading = 'asked')", id), 31);
    assert_ok(rig_run(r, linked_step, NULL));
    assert_int_equal(number(r, "reading = 'failed' AND status = 'open' AND rank = 80", id), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'problem.unreadable'"), 1);
}

static void silence_is_asked_again(void **state)
{
    struct rig *r = *state;
    int64_t id = letter(r, "A letter");
    r->now = lt_time_add_seconds(r->now, 31);
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(number(r, "tries", id), 2);
}

static void few_are_on_their_way_at_a_time(void **state)
{
    struct rig *r = *state;
    char raw[2] = "0";
    for (int i = 0; i < 30; i++) {
        raw[0] = (char)('0' + i);
        (void)letter(r, raw);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem WHERE reading = 'asked'"), 16);
    Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
    for (int i = 1; i <= 30; i++) {
        m.problem = i;
        assert_ok(rig_run(r, read_step, &m));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem WHERE reading = 'done'"), 30);
}

/* ---- states ---- */

static void every_edge_and_no_other(void **state)
{
    static const char *const states[] = {
        "received", "open",  "waiting-reporter", "waiting-requester", "waiting-provider",
        "answered", "closed"};
    static const char *const events[] = {"read",          "unreadable", "wait-reporter", "wait-requester",
                                         "wait-provider", "word",       "find",          "close",
                                         "reopen",        "nothing"};
    size_t edges = 0;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t k = 0; k < LT_COUNT(events); k++) {
            edges += incident_problem_next(states[i], events[k]) != NULL;
        }
    }
    assert_int_equal(edges, incident_problem_edge_count);
    assert_null(incident_problem_next("closed", "find"));
    assert_null(incident_problem_next("received", "wait-reporter"));
    assert_null(incident_problem_next("nothing", "read"));
    /* Findings can be given from wherever it waits. */
    for (size_t i = 1; i < 6; i++) {
        assert_string_equal(incident_problem_next(states[i], "find"), "answered");
    }
}

static void findings_without_an_address_are_on_the_page(void **state)
{
    struct rig *r = *state;
    struct opening o = plain("x");
    o.report.contact = "";
    assert_ok(rig_run(r, open_step, &o));
    struct finding bad[] = {{o.id, "maybe", "x"}, {o.id, "none", ""}, {99, "none", "x"}};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(lt_failed(rig_run(r, find_step, &bad[i])));
    }
    struct finding good = {o.id, "none", "all is well"};
    assert_ok(rig_run(r, find_step, &good));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(number(r, "status = 'answered' AND told_us > 0", o.id), 1);
    assert_int_equal(rig_number(r, "SELECT status = 'met' FROM clock WHERE subject = 'problem 1'"), 1);
}

static void findings_by_letter_wait_for_the_relay(void **state)
{
    struct rig *r = *state;
    struct opening o = plain("x");
    assert_ok(rig_run(r, open_step, &o));
    struct finding f = {o.id, "none", "all is well"};
    assert_ok(rig_run(r, find_step, &f));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(number(r, "told_us", o.id), 0);
    assert_int_equal(rig_number(r, "SELECT status = 'open' FROM clock WHERE subject = 'problem 1'"), 1);
    assert_int_equal(
        rig_number(r, "SELECT unfounded FROM problem_reporter WHERE contact = 'reporter@example.com'"), 1);
}

static void what_comes_back_after_the_findings_is_taken(void **state)
{
    struct rig *r = *state;
    Ipc__MailroomRead m = IPC__MAILROOM_READ__INIT;
    struct finding f = {letter(r, "A letter"), "none", "all is well"};
    assert_ok(rig_run(r, find_step, &f));
    m.problem = f.id;
    assert_ok(rig_run(r, read_step, &m));
    assert_int_equal(number(r, "status = 'answered' AND reading = 'done'", f.id), 1);
}

static lt_res prove_step(struct rig *r, struct ca_turn *t, void *arg)
{
    static char kind[] = "nonce";
    static char verdict[] = "forged";
    Ipc__KeyProof proof = IPC__KEY_PROOF__INIT;
    struct incident_problem p;
    const struct finding *f = arg;
    bool done = false;
    (void)r;
    proof.kind = kind;
    proof.verdict = verdict;
    LT_TRY(problem_load(t, f->id, &p));
    LT_TRY(problem_prove(t, &p, &(struct problem_proof){.proof = &proof, .via = "form", .received = t->now},
                         &done));
    LT_CHECK(!done, LT_PEER_CONFLICT, "findings of a proof that is none");
    return LT_OK;
}

static void a_proof_that_is_none_is_answered_in_the_thread(void **state)
{
    struct rig *r = *state;
    struct opening o = plain("x");
    assert_ok(rig_run(r, open_step, &o));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_word WHERE kind = 'note'"), 0);
    assert_ok(rig_run(r, prove_step, &(struct finding){.id = o.id}));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_word WHERE kind = 'note' AND shown = 1"), 1);
    assert_int_equal(number(r, "status = 'open' AND rank < 100 AND found_us = 0", o.id), 1);
}

static lt_res bounce_step(struct rig *r, struct ca_turn *t, void *arg)
{
    static const struct store_sql sql = {
        "t.bounce", "UPDATE notice SET status = 'bounced', ended_us = ?1, said = '550 gone' WHERE kind = "
                    "'problem-findings'"};
    (void)r;
    (void)arg;
    return store_exec(t->store, &sql, STORE_ARGS(STORE_I(t->now.us)), NULL);
}

static lt_res told_step(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct finding *f = arg;
    struct incident_problem p;
    (void)r;
    LT_TRY(problem_load(t, f->id, &p));
    return problem_findings_told(t, &p, t->now, f->words);
}

static void findings_that_come_back_leave_the_clock_running(void **state)
{
    struct rig *r = *state;
    struct opening o = plain("x");
    assert_ok(rig_run(r, open_step, &o));
    struct finding f = {o.id, "revoke", "it is so"};
    assert_ok(rig_run(r, find_step, &f));
    assert_ok(rig_run(r, bounce_step, NULL));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(number(r, "told_us", o.id), -1);
    assert_int_equal(rig_number(r, "SELECT status = 'open' FROM clock WHERE subject = 'problem 1'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM problem_word WHERE kind = 'undelivered'"), 1);
    struct finding by_phone = {o.id, "", "read to them by telephone"};
    assert_ok(rig_run(r, told_step, &by_phone));
    assert_int_equal(rig_number(r, "SELECT status = 'met' FROM clock WHERE subject = 'problem 1'"), 1);
    assert_int_equal(
        rig_number(r, "SELECT upheld FROM problem_reporter WHERE contact = 'reporter@example.com'"), 1);
}

static lt_res revoke_step(struct rig *r, struct ca_turn *t, void *arg)
{
    static const struct store_sql sql = {
        "t.revoke",
        "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
        "by_whom, sequence) SELECT issuer, shard, serial, 4, ?1, ?1, not_after_us, 'operator ann', 1 FROM "
        "certificate WHERE serial = ?2"};
    (void)r;
    (void)arg;
    return store_exec(t->store, &sql, STORE_ARGS(STORE_I(t->now.us), STORE_B(LT_LIT("\x11\x22"))), NULL);
}

static lt_res certificate_step(struct rig *r, struct ca_turn *t, void *arg)
{
    static const struct store_sql sql = {
        "t.certificate",
        "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, "
        "key_bits, "
        "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
        "build, "
        "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
        "sequence) VALUES (1, ?1, 0, 'imported', 1, ?1, ?1, 1, 256, 0, ?2, 0, 0, 0, ?1, 1, '', '', 1, '', 0, "
        "0, 0, "
        "0, 0, 0)"};
    (void)r;
    (void)arg;
    return store_exec(
        t->store, &sql,
        STORE_ARGS(STORE_B(LT_LIT("\x11\x22")), STORE_I(lt_time_add_seconds(t->now, HOUR_S).us)), NULL);
}

static void what_is_so_is_revoked_from_the_receipt_on(void **state)
{
    struct rig *r = *state;
    const struct incident_item item = {"serial", "1122"};
    static const char clock[] =
        "SELECT count(*) FROM clock WHERE subject = 'problem 1' AND duty LIKE 'revoke-%' AND "
        "status = 'open'";
    struct opening o = plain("x");
    assert_ok(rig_run(r, certificate_step, NULL));
    o.report.cause = "misuse";
    o.report.items = &item;
    o.report.item_count = 1;
    o.report.received = lt_time_add_seconds(r->now, -HOUR_S);
    assert_ok(rig_run(r, open_step, &o));
    assert_int_equal(number(r, "rank", o.id), 75);
    assert_int_equal(rig_number(r, clock), 0);
    struct finding f = {o.id, "revoke", "it is so"};
    assert_ok(rig_run(r, find_step, &f));
    assert_int_equal(rig_number(r, clock), 1);
    assert_int_equal(rig_number(r, "SELECT start_us FROM clock WHERE duty LIKE 'revoke-%'"),
                     o.report.received.us);
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(number(r, "revoked_us", o.id), 0);
    assert_ok(rig_run(r, revoke_step, NULL));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_true(number(r, "revoked_us", o.id) > 0);
    assert_int_equal(rig_number(r, clock), 0);
    assert_int_equal(rig_number(r, "SELECT status = 'met' FROM clock WHERE duty LIKE 'revoke-%'"), 1);
}

/* ---- our own ---- */

struct probe {
    const char *channel;
    const char *word;
    bool seen;
};

static lt_res channel_step(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct probe *p = arg;
    (void)r;
    return problem_channel_put(t, p->channel, 30, "ann", (lt_slice){0});
}

static lt_res send_step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct probe *p = arg;
    const char *word = NULL;
    static char kept[64];
    (void)r;
    LT_TRY(problem_probe_send(t, p->channel, &word));
    (void)snprintf(kept, sizeof kept, "%s", word); /* 22 letters */
    p->word = kept;
    return LT_OK;
}

static lt_res seen_step(struct rig *r, struct ca_turn *t, void *arg)
{
    struct probe *p = arg;
    (void)r;
    return problem_probe_seen(t, p->word, &p->seen);
}

static void a_channel_that_is_silent_is_an_alarm(void **state)
{
    struct rig *r = *state;
    struct probe bad[] = {{.channel = "pigeon"}, {.channel = "mail nobody"}, {.channel = ""}};
    struct probe form = {.channel = "form"};
    static const char alarms[] = "SELECT count(*) FROM event WHERE kind = 'alarm.problem-channel'";
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(lt_failed(rig_run(r, channel_step, &bad[i])));
    }
    assert_true(lt_failed(rig_run(r, send_step, &form))); /* not named yet */
    assert_ok(rig_run(r, channel_step, &form));
    assert_ok(rig_run(r, send_step, &form));
    assert_ok(rig_run(r, seen_step, &form));
    assert_true(form.seen);
    r->now = lt_time_add_seconds(r->now, HOUR_S);
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(rig_number(r, alarms), 0);
    assert_ok(rig_run(r, send_step, &form)); /* and this one does not arrive */
    r->now = lt_time_add_seconds(r->now, HOUR_S);
    assert_ok(rig_run(r, beat_step, NULL));
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(rig_number(r, alarms), 1);
    r->now = lt_time_add_seconds(r->now, 26 * HOUR_S);
    assert_ok(rig_run(r, beat_step, NULL));
    assert_int_equal(rig_number(r, alarms), 2); /* nobody tried it for a day */
    struct probe guess = {.word = "AAAAAAAAAAAAAAAAAAAAAA"};
    assert_ok(rig_run(r, seen_step, &guess));
    assert_false(guess.seen);
}

static void letters_go_out_daily(void **state)
{
    struct rig *r = *state;
    struct probe mail = {.channel = "mail problems@example.com"};
    static const char sent[] = "SELECT count(*) FROM notice WHERE kind = 'problem-probe'";
    assert_ok(rig_run(r, channel_step, &mail));
    for (int64_t day = 1; day <= 3; day++) {
        assert_ok(rig_run(r, beat_step, NULL));
        assert_ok(rig_run(r, beat_step, NULL));
        assert_int_equal(rig_number(r, sent), day);
        r->now = lt_time_add_seconds(r->now, 24 * HOUR_S);
    }
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(words_alone_are_a_report_with_a_clock),
        TEST(bad_reports_are_refused),
        TEST(parts_come_in_order_and_once),
        TEST(the_same_bytes_are_the_same_report),
        TEST(the_same_bytes_of_somebody_else_are_another_report),
        TEST(what_the_mailroom_read_is_kept),
        TEST(a_mailroom_that_lies_is_not_believed),
        TEST(a_forged_delivery_report_is_a_report),
        TEST(a_report_that_says_more_is_not_the_same),
        TEST(nobody_is_shot_at_with_our_letters),
        TEST(the_sender_in_the_letter_is_who_filed_it),
        TEST(a_relay_with_a_wrong_clock_moves_nothing),
        TEST(what_kills_the_mailroom_again_is_for_a_person),
        TEST(silence_is_asked_again),
        TEST(few_are_on_their_way_at_a_time),
        cmocka_unit_test(every_edge_and_no_other),
        TEST(findings_without_an_address_are_on_the_page),
        TEST(what_comes_back_after_the_findings_is_taken),
        TEST(a_proof_that_is_none_is_answered_in_the_thread),
        TEST(findings_by_letter_wait_for_the_relay),
        TEST(findings_that_come_back_leave_the_clock_running),
        TEST(what_is_so_is_revoked_from_the_receipt_on),
        TEST(a_channel_that_is_silent_is_an_alarm),
        TEST(letters_go_out_daily),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
