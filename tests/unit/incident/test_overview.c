/* The overview of a book that has some of everything: what it says is wrong, in which order; who sees what is
 * restricted; how large it may grow. */
#include "../check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/viewer.h"
#include "incident/ask.h"
#include "incident/overview.h"
#include "store/internal.h"

#define HOUR INT64_C(3600000000)
#define NOW (INT64_C(1795000000) * 1000000)
#define THIS_HOUR (NOW / HOUR)

static char folder[64];
static struct store *book;
static struct lt_arena arena;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_ok(store_script(book, text));
}

static void status(const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/run/status.json", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    char path[96];
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-overview-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/book.db", folder);
    lt_arena_init(&arena, (size_t)64 << 20);
    const struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &book));
    assert_ok(store_migrate(book));
    put("INSERT INTO issuer (id, name, subject_sha256, spki_sha256, certificate, not_before_us, "
        "not_after_us, "
        "offline) VALUES (1, 'root', x'00', x'00', x'00', 1, 2, 1), (2, 'tls', x'00', x'00', x'00', 1, 2, "
        "0)");
    put("INSERT INTO profile (id, name, sha256) VALUES (1, 'tls-server', x'00'), (2, 'service', x'00')");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    store_close(book);
    lt_arena_done(&arena);
    static const char *const files[] = {"book.db", "book.db-wal", "book.db-shm", "run/status.json", "run"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)snprintf(command, sizeof command, "%s/%s", folder, files[i]);
        (void)remove(command);
    }
    (void)rmdir(folder);
    return 0;
}

static json_t *ask(const char *what, const char *holder, size_t *ret_len)
{
    struct lt_buf out;
    Ipc__Query q = IPC__QUERY__INIT;
    struct ca_viewer viewer = {.operator_ = holder};
    char word[32];
    (void)snprintf(word, sizeof word, "%s", what);
    q.what = word;
    const struct ca_query query = {.store = book,
                                   .q = &q,
                                   .now = {NOW},
                                   .arena = &arena,
                                   .build = "1.0",
                                   .folder = folder,
                                   .viewer = holder == NULL ? NULL : &viewer};
    lt_buf_init(&out, 1 << 20);
    assert_ok(incident_ask(&query, &out));
    lt_slice text = lt_buf_slice(&out);
    assert_true(lt_slice_starts(text, LT_LIT("{\"now\":\"")));
    json_t *doc = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    if (ret_len != NULL) {
        *ret_len = text.len;
    }
    lt_buf_done(&out);
    lt_arena_reset(&arena);
    return doc;
}

static const json_t *at(const json_t *doc, const char *key, size_t index)
{
    return json_array_get(json_object_get(doc, key), index);
}

static int64_t number(const json_t *doc, const char *member, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(doc, member), key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "(none)" : value;
}

static void clock_of(int id, const char *status_, const char *subject, int64_t start_us, int64_t due_us)
{
    put("INSERT INTO clock VALUES (%d, 'revoke-tls/key-compromise', '%s', %lld, 'x', 'MUST', 's', 0, %lld, "
        "1, 1, "
        "'%s', 0, NULL, 0, '')",
        id, subject, (long long)start_us, (long long)due_us, status_);
}

static void incident_of(int id, const char *title, const char *severity, int restricted)
{
    put("INSERT INTO incident VALUES (%d, 'declared', 1, '%s', 'person', '', '%s', %d, 0, 1, 0, 5, 'ann', 0, "
        "0, "
        "0, 0, 0)",
        id, title, severity, restricted);
}

static void an_empty_book(void **state)
{
    (void)state;
    json_t *doc = ask("overview", NULL, NULL);
    assert_true(json_is_null(json_object_get(doc, "held"))); /* nobody wrote run/status.json */
    assert_int_equal(json_array_size(json_object_get(doc, "roles")), 0);
    assert_true(json_is_true(json_object_get(json_object_get(doc, "counts"), "behind")));
    assert_string_equal(text(json_object_get(doc, "worst"), "level"), "ok");
    assert_true(json_is_null(json_object_get(doc, "event")));
    assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "rates"), "minutes")),
                     OVERVIEW_MINUTES);
    json_decref(doc);
}

static void counts_by_the_hour(void **state)
{
    (void)state;
    put("INSERT INTO tally VALUES (-1, 1, 2, 1, 100, 3), (%lld, 1, 2, 1, 7, 1), (%lld, 1, 2, 1, 10, 4), "
        "(%lld, 2, 2, 1, 5, 0), (%lld, 1, 1, 2, 2, 2), (%lld, 1, 2, 1, 1000, 0)",
        (long long)THIS_HOUR - 1, (long long)THIS_HOUR, (long long)THIS_HOUR, (long long)THIS_HOUR + 24,
        (long long)THIS_HOUR + 24 * 200);
    put("INSERT INTO tally_walk VALUES (1, 9, x'00', 1, 1, 1)");
    put("INSERT INTO tally_minute VALUES (%lld, 1, 5, 6, 7), (%lld, 2, 1, 1, 1), (%lld, 1, 9, 9, 9)",
        (long long)(NOW / 60000000), (long long)(NOW / 60000000),
        (long long)(NOW / 60000000 - OVERVIEW_MINUTES));
    json_t *doc = ask("overview", NULL, NULL);
    assert_int_equal(number(doc, "counts", "expired"), 107);
    assert_int_equal(number(doc, "counts", "revoked"), 6);
    assert_int_equal(number(doc, "counts", "valid"), 1011);
    assert_int_equal(number(doc, "counts", "total"), 1124);
    assert_true(json_is_false(json_object_get(json_object_get(doc, "counts"), "behind")));
    const json_t *today = at(doc, "expiry", 0);
    assert_int_equal(json_integer_value(json_array_get(today, 1)), 11);
    assert_int_equal(json_integer_value(json_array_get(today, 2)), 4);
    assert_int_equal(json_integer_value(json_array_get(at(doc, "expiry", 1), 2)), 2);
    assert_string_equal(text(at(doc, "by_profile", 0), "profile"), "tls-server");
    assert_string_equal(text(at(doc, "by_issuer", 1), "issuer"), "root");
    const json_t *minutes = json_object_get(json_object_get(doc, "rates"), "minutes");
    const json_t *last = json_array_get(minutes, OVERVIEW_MINUTES - 1);
    assert_int_equal(json_integer_value(json_array_get(last, 0)), NOW / 60000000 * 60);
    assert_int_equal(json_integer_value(json_array_get(last, 1)), 6);
    assert_int_equal(json_integer_value(json_array_get(last, 3)), 8);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(minutes, 0), 1)), 0);
    json_decref(doc);
}

static void what_is_wrong(void **state)
{
    (void)state;
    status(
        "{\"name\":\"Test\",\"held\":true,\"hold_reason\":\"three crashes\",\"drill\":true,\"processes\":[{"
        "\"name\":\"signer-0\",\"state\":\"ready\",\"crashes\":0},{\"name\":\"reader-0\",\"state\":\"down\","
        "\"crashes\":4}],\"silent\":[{\"what\":\"perspective a\",\"since\":\"2026-11-22\"}]}");
    put("INSERT INTO halt (id, kind, value, reason, operator, since_us) VALUES ('h1', 'issuer', 'tls', 'x', "
        "'ann', 9)");
    put("INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence) "
        "VALUES "
        "(2, 0, x'01', %lld, %lld, 1, x'00', 1), (2, 3, x'01', %lld, %lld, 5, x'00', 1), "
        "(2, 3, x'02', %lld, %lld, 6, x'00', 1), (1, 0, x'01', %lld, %lld, 0, x'00', 1)",
        (long long)(NOW - HOUR), (long long)(NOW + 100 * HOUR), (long long)(NOW - 900 * HOUR),
        (long long)(NOW - 800 * HOUR), (long long)(NOW - 900 * HOUR), (long long)(NOW - 1),
        (long long)(NOW - HOUR), (long long)(NOW + 100 * HOUR));
    put("INSERT INTO tally_heard VALUES (1, 'ocsp', %lld, %lld), (2, 'ocsp', 1, 1)", (long long)NOW,
        (long long)NOW);
    put("INSERT INTO problem_channel VALUES ('form', 5, 1, 'ann', 0)");
    json_t *doc = ask("overview.live", NULL, NULL);
    assert_true(json_is_true(json_object_get(doc, "held")));
    assert_true(json_is_true(json_object_get(json_object_get(doc, "ca"), "drill")));
    assert_string_equal(text(json_object_get(doc, "ca"), "name"), "Test");
    assert_true(json_is_false(json_object_get(at(doc, "roles", 1), "up")));
    static const struct {
        const char *level;
        const char *says;
    } rows[] = {{"bad", "Issuance is held: three crashes"},
                {"bad", "reader-0 is not running (down)"},
                {"bad", "CRL of tls: expired"},
                {"warning", "No answer from perspective a since 2026-11-22"},
                {"warning", "Issuance is halted: issuer tls"}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_string_equal(text(at(doc, "findings", i), "text"), rows[i].says);
        assert_string_equal(text(at(doc, "findings", i), "level"), rows[i].level);
    }
    assert_int_equal(json_array_size(json_object_get(doc, "findings")), LT_COUNT(rows));
    assert_string_equal(text(json_object_get(doc, "worst"), "text"), rows[0].says);
    assert_string_equal(text(at(doc, "crls", 1), "state"), "expired");
    assert_int_equal(json_integer_value(json_object_get(at(doc, "crls", 1), "parts")), 2);
    assert_int_equal(json_integer_value(json_object_get(at(doc, "crls", 1), "entries")), 7);
    assert_string_equal(text(at(doc, "crls", 0), "state"), "fresh");
    assert_string_equal(text(at(doc, "ocsp", 0), "state"), "fresh");
    json_decref(doc);
    put("UPDATE tally_heard SET until_us = 5");
    doc = ask("overview.live", NULL, NULL);
    assert_string_equal(text(at(doc, "ocsp", 0), "state"), "broken");
    json_decref(doc);
}

static void clocks_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        clock_of(10 + i, "open", "problem 3", NOW - HOUR + i, NOW + (12 - i) * HOUR);
        clock_of(30 + i, "breached", "incident 4", NOW - 90 * HOUR + i, NOW - (i + 1) * HOUR);
    }
    clock_of(50, "overdue", "control x", NOW - 90 * HOUR, NOW - HOUR);
    clock_of(51, "met", "incident 4", NOW - 91 * HOUR, NOW - HOUR);
    json_t *doc = ask("overview", NULL, NULL);
    static const int64_t ids[] = {30, 31, 32, 21,
                                  20, 19, 18, 17}; /* the last that were missed, then the next */
    assert_int_equal(json_array_size(json_object_get(doc, "next")), LT_COUNT(ids));
    for (size_t i = 0; i < LT_COUNT(ids); i++) {
        assert_int_equal(json_integer_value(json_object_get(at(doc, "next", i), "id")), ids[i]);
    }
    assert_string_equal(text(at(doc, "next", 0), "level"), "bad");
    assert_string_equal(text(at(doc, "next", 0), "href"), "/console/incidents/4");
    assert_int_equal(json_integer_value(json_object_get(at(doc, "next", 0), "incident")), 4);
    assert_string_equal(text(at(doc, "next", 3), "href"), "/console/problems/3");
    assert_true(json_is_null(json_object_get(at(doc, "next", 3), "incident")));
    assert_string_equal(text(at(doc, "next", 3), "level"), "ok");
    assert_string_equal(text(at(doc, "findings", 0), "text"), "13 deadlines were missed");
    json_decref(doc);
}

/* What it is about is for those who have a role in it; that a clock runs is for all. */
static void restricted_incidents(void **state)
{
    (void)state;
    incident_of(1, "secret hole", "critical", 1);
    incident_of(2, "known to all", "low", 0);
    clock_of(1, "open", "incident 1", NOW - HOUR, NOW + HOUR);
    clock_of(2, "breached", "incident 2", NOW - 9 * HOUR, NOW - HOUR);
    put("INSERT INTO incident_role VALUES (1, 'commander', 1, 'ann', 'bob', 0, ''), (1, 'scribe', 1, 'cyd', "
        "'bob', 7, "
        "'')");
    static const struct {
        const char *what;
        const char *holder;
        bool sees;
    } rows[] = {{"overview", "ann", true},     {"overview", "bob", false}, {"overview", "cyd", false},
                {"overview", NULL, false},     {"overview", "", false},    {"overview.live", "ann", false},
                {"overview.live", NULL, false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        json_t *doc = ask(rows[i].what, rows[i].holder, NULL);
        char *all = json_dumps(doc, 0);
        assert_int_equal(strstr(all, "secret hole") != NULL, rows[i].sees);
        assert_int_equal(json_array_size(json_object_get(doc, "incidents")), rows[i].sees ? 2 : 1);
        bool masked = strcmp(text(at(doc, "next", 1), "what"), "a duty of a restricted incident") == 0;
        assert_int_equal(masked, !rows[i].sees);
        assert_int_equal(strcmp(text(at(doc, "next", 1), "duty"), "revoke-tls") == 0, !rows[i].sees);
        assert_string_equal(text(json_object_get(doc, "worst"), "level"), "bad");
        assert_int_equal(strstr(all, "Incident 1 (critical)") != NULL, rows[i].sees);
        free(all);
        json_decref(doc);
    }
    json_t *doc = ask("overview", "ann", NULL);
    assert_true(
        json_is_string(json_object_get(at(doc, "incidents", 0), "next_due"))); /* of one missed as well */
    json_decref(doc);
}

static const char *first_finding(const char *what)
{
    static char found[OVERVIEW_COUNT_MAX];
    json_t *doc = ask(what, NULL, NULL);
    (void)snprintf(found, sizeof found, "%s", text(at(doc, "findings", 0), "text"));
    json_decref(doc);
    return found;
}

/* Long texts end at a word, and between characters; numbers have their own plural. */
static void words_are_whole(void **state)
{
    static const struct {
        const char *title;
        const char *shown;
    } rows[] = {
        {"the certificates of one customer that were validated by a method which nobody may use any more, "
         "all of "
         "them",
         "the certificates of one customer that were validated by a method which nobody may use "
         "any more\xe2\x80\xa6"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "\xc3\xa4\xc3\xa4\xc3\xa4",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "\xe2\x80\xa6"},
        {"short enough", "short enough"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        incident_of(100 - (int)i, rows[i].title, "low", 0);
    }
    json_t *doc = ask("overview", NULL, NULL);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_string_equal(text(at(doc, "incidents", i), "title"), rows[i].shown);
    }
    json_decref(doc);
    put("DELETE FROM incident");
    put("INSERT INTO control (name, kind, owner, about, source, every_s, last_us, due_us, added_us, status) "
        "VALUES "
        "('a', 'k', 'o', 'x', '', 1, 1, 2, 1, 'live')");
    assert_string_equal(first_finding("overview"), "1 review or control has lapsed");
    put("INSERT INTO control (name, kind, owner, about, source, every_s, last_us, due_us, added_us, status) "
        "VALUES "
        "('b', 'k', 'o', 'x', '', 1, 1, 2, 1, 'live')");
    assert_string_equal(first_finding("overview"), "2 reviews or controls have lapsed");
}

static void mass_of(int id, const char *status_, int64_t started_us, int64_t ended_us)
{
    put("INSERT INTO mass VALUES (%d, '%s', 'scope', 's', x'00', '', 4, '', 1, 0, 0, '', 0, 1, 1, 'ann', "
        "'p%d', 3000, "
        "x'00', 4, 1, -1, 0, 0, x'00', 900, 90, 10, %lld, %lld, '')",
        id, status_, id, (long long)started_us, (long long)ended_us);
}

static void work(void **state)
{
    (void)state;
    mass_of(1, "done", NOW - 9 * HOUR, NOW - 2 * HOUR); /* long over */
    mass_of(2, "done", NOW - HOUR, NOW - HOUR / 2);
    mass_of(3, "running", NOW - 10 * INT64_C(1000000), 0);
    for (int id = 10; id < 16; id++) { /* nobody has approved them: they hide none that runs */
        mass_of(id, "proposed", 0, 0);
    }
    incident_of(7, "x", "high", 0);
    put("INSERT INTO incident_plan VALUES (7, 1, 1, 3, 'set', 1, 0, 1, 1, 1, 1, 1, 1, '', 0, 1, 1, 'ann', "
        "'')");
    for (int i = 0; i < 4; i++) {
        put("INSERT INTO mass_batch VALUES (3, %d, %d, 2, x'00', x'01', 750, x'00', 'done', 1, 1, x'00', %d, "
            "0, 0)",
            i, i / 2, i < 2 ? 500 : 0);
    }
    put("INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) VALUES (1, "
        "x'01', x'00', "
        "'ES256', 'valid', '[]', 5, '::1')");
    static const char *const states[] = {"pending", "pending", "ready", "processing", "valid"};
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        put("INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, "
            "expires_us) "
            "VALUES (%zu, 1, '%s', 'p', '[]', x'00', 1, %lld)",
            i, states[i], (long long)(NOW + HOUR));
    }
    put("INSERT INTO notice (id, kind, subject, channel, recipient, params, account, batch, reply_to, "
        "in_reply_to, token, "
        "status, attempts, due_us, created_us, ended_us, said) VALUES "
        "(1, 'k', 's', 'mail', 'r', '{}', 0, 0, '', '', 't', 'queued', 0, 5, 1, 0, ''), "
        "(2, 'k', 's', 'webhook', 'r', '{}', 0, 4, '', '', 't', 'queued', 0, 5, 1, 0, ''), "
        "(3, 'k', 's', 'mail', 'r', '{}', 0, 0, '', '', 't', 'sent', 0, 5, 1, 0, '')");
    json_t *doc = ask("overview", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(doc, "masses")), 2);
    const json_t *m = at(doc, "masses", 0);
    assert_string_equal(text(m, "id"), "m3");
    assert_string_equal(text(m, "reason"), "superseded");
    assert_int_equal(json_integer_value(json_object_get(m, "done")), 1000);
    assert_int_equal(json_integer_value(json_object_get(m, "rate")), 100);
    assert_int_equal(json_integer_value(json_object_get(m, "eta_s")), 20);
    assert_int_equal(json_integer_value(json_object_get(m, "incident")), 7);
    const json_t *tier = json_array_get(json_object_get(m, "tiers"), 0);
    assert_int_equal(json_integer_value(json_object_get(tier, "total")), 1500);
    assert_int_equal(json_integer_value(json_object_get(tier, "done")), 1000);
    const json_t *queues = json_object_get(doc, "queues");
    assert_int_equal(number(queues, "orders", "pending"), 2);
    assert_int_equal(number(queues, "orders", "ready"), 1);
    assert_int_equal(number(queues, "orders", "processing"), 1);
    assert_int_equal(number(doc, "queues", "notices"), 1);
    assert_int_equal(number(doc, "queues", "hooks"), 1);
    json_decref(doc);
}

/* On the worst day. */
static void it_stays_small(void **state)
{
    char title[301];
    size_t len = 0;
    (void)state;
    memset(title, 'x', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    for (int i = 0; i < 40; i++) {
        incident_of(i + 1, title, "critical", 0);
        clock_of(100 + i, "open", "incident 1", NOW - HOUR + i, NOW + HOUR);
        mass_of(i + 1, "running", NOW - HOUR, 0);
        put("INSERT INTO halt (id, kind, value, reason, operator, since_us) VALUES ('halt-%d', "
            "'name-suffix', '%s', '%s', "
            "'ann', 9)",
            i, title, title);
        put("INSERT INTO profile (id, name, sha256) VALUES (%d, 'profile-%d', x'00')", 10 + i, i);
        for (int tier = 0; tier < 16; tier++) {
            put("INSERT INTO mass_batch VALUES (%d, %d, %d, 2, x'00', x'01', 1000000, x'00', 'done', 1, 1, "
                "x'00', 500000, "
                "0, 0)",
                i + 1, tier, tier);
        }
    }
    for (int day = 0; day < 120; day++) {
        for (int p = 0; p < 40; p++) {
            put("INSERT INTO tally VALUES (%lld, 1, 2, %d, 25000, 12000)", (long long)THIS_HOUR + 24 * day,
                10 + p);
        }
    }
    for (int m = 0; m < OVERVIEW_MINUTES; m++) {
        put("INSERT INTO tally_minute VALUES (%lld, 1, 60000, 1700000, 60000)",
            (long long)(NOW / 60000000 - m));
    }
    json_t *doc = ask("overview", NULL, &len);
    print_message("# the worst day: %zu bytes\n", len);
    assert_true(len < 32768);
    assert_int_equal(json_array_size(json_object_get(doc, "by_profile")), 17); /* the others in one */
    assert_int_equal(number(doc, "counts", "total"), 120 * 40 * 25000);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_book, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_by_the_hour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clocks_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restricted_incidents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_stays_small, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("overview", tests, NULL, NULL);
}
