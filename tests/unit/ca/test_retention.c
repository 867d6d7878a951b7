/* What is dropped when its time is over, and what never is. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/audit.h"
#include "ca/put_back.h"
#include "ca/retention.h"
#include "store/internal.h"

enum { DAY = 86400, YEAR = 366 * DAY, MANY = 600 };

static struct lt_arena arena;
static char book_path[64];
static char evidence[64];

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        char path[80];
        (void)snprintf(path, sizeof path, "%s%s", book_path, ends[i]);
        (void)unlink(path);
    }
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    lt_arena_init(&arena, 64 << 20);
    assert_ok(rig_open(r, book_path, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    lt_arena_done(&arena);
    remove_files();
    return 0;
}

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static void run_sql(struct rig *r, const char *format, ...) LT_PRINTF(2, 3);
static void run_sql(struct rig *r, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    assert_in_range(vsnprintf(text, sizeof text, format, args), 1, sizeof text - 1);
    va_end(args);
    assert_ok(store_script(r->store, text));
}

/* One order with all that hangs on it, one authorization with its check, made at that moment. */
static int64_t add_records(struct rig *r, lt_time made, int n)
{
    long long id = (long long)ca_id_from(made) + n;
    long long us = (long long)made.us;
    run_sql(
        r,
        "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) VALUES "
        "(1, x'01', x'', 'ES256', 'valid', '[]', 0, '') ON CONFLICT DO NOTHING;"
        "INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, "
        "expires_us) VALUES (%lld, 1, 'valid', 'tls-server', '[[\"dns\",\"a.example\"]]', x'0a', %lld, 0);"
        "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, "
        "expires_us, validated_us) VALUES (%lld, 1, 'dns', 'a.example', 0, 'valid', %lld, 0, %lld);"
        "INSERT INTO order_authorization VALUES (%lld, %lld);"
        "INSERT INTO challenge (authorization_id, idx, type, status, token) VALUES (%lld, 0, 'http-01', "
        "'valid', 't');"
        "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) VALUES (1, 'http-01', "
        "'r', 'b', '', 'primary') ON CONFLICT DO NOTHING;"
        "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, "
        "dnssec, statement, segment, position, length, sha256) VALUES (%lld, %lld, 1, 1, 'dns', "
        "'a.example', '', '', 1, 56, 100, x'%064x')",
        id, us, id, us, us, id, id, id, id, us, n + 1);
    return id;
}

static void add_certificate(struct rig *r, int n, lt_time issued, lt_time ends, lt_time validated)
{
    run_sql(
        r,
        "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, "
        "key_bits, not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, "
        "rule_set, build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, "
        "least_quorum, shard, sequence) VALUES (1, x'%08x', 0, 'x509', 1, x'%064x', x'%064x', 1, 256, %lld, "
        "%lld, %lld, 1, 0, x'0a', 1, '', '', 1, '', 1, %lld, %lld, 0, 0, 0);"
        "INSERT INTO certificate_der VALUES (1, x'%08x', 0, x'3000');"
        "INSERT INTO certificate_name VALUES ('example.a', 'dns', 1, x'%08x', 0, 1)",
        n, n, n + 1000, (long long)issued.us, (long long)ends.us, (long long)issued.us,
        (long long)validated.us, (long long)validated.us, n, n);
}

static struct ca_retention_part *plan_at(struct rig *r, lt_time now, int64_t keep_s, size_t *ret_count)
{
    struct ca_retention_part *parts = NULL;
    const struct ca_retention_options o = {now, keep_s};
    assert_ok(ca_retention_plan(r->store, &o, &arena, &parts, ret_count));
    return parts;
}

static struct ca_retention_part *part(struct rig *r, lt_time now, int64_t month, enum ca_retention_kind kind)
{
    size_t count = 0;
    struct ca_retention_part *parts = plan_at(r, now, 0, &count);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].month == month && parts[i].kind == kind) {
            return &parts[i];
        }
    }
    fail_msg("no month %lld", (long long)month);
    return NULL;
}

struct step {
    struct ca_retention_part *p;
    bool more;
};

static lt_res step_slice(struct rig *r, struct ca_turn *t, void *arg)
{
    struct step *s = arg;
    (void)r;
    return ca_retention_slice(t, s->p, &s->more);
}

static void drop_all(struct rig *r, struct ca_retention_part *p)
{
    struct step s = {.p = p, .more = true};
    while (s.more) {
        assert_ok(rig_run(r, step_slice, &s));
    }
}

static void months(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int64_t number;
        const char *first;
        const char *next;
    } rows[] = {
        {"2024-02-29T12:00:00Z", 202402, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
        {"2024-12-31T23:59:59Z", 202412, "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"},
        {"2025-01-01T00:00:00Z", 202501, "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        int64_t number = 0;
        lt_time first = ca_month_of(at(rows[i].in), &number);
        assert_int_equal(number, rows[i].number);
        assert_int_equal(first.us, at(rows[i].first).us);
        assert_int_equal(ca_month_next(first).us, at(rows[i].next).us);
    }
}

/* Two years after the last certificate that could rest on it; whoever was issued late on an old validation
 * counts. */
static void until_when(void **state)
{
    struct rig *r = *state;
    lt_time made = at("2021-03-10T00:00:00Z");
    lt_time late = at("2021-09-05T00:00:00Z");
    (void)add_records(r, made, 0);
    add_certificate(r, 1, lt_time_add_seconds(made, DAY), at("2021-06-08T00:00:00Z"), made);
    lt_time now = at("2026-11-22T12:00:00Z");
    struct ca_retention_part *p = part(r, now, 202103, CA_RETENTION_EVIDENCE);
    assert_int_equal(p->kept_until.us, lt_time_add_seconds(at("2021-06-08T00:00:00Z"), 2 * YEAR).us);
    assert_string_equal(p->duty, "CABF-BR 5.5.2");
    assert_true(p->due);
    assert_int_equal(part(r, now, 202103, CA_RETENTION_CERTIFICATES)->kept_until.us, p->kept_until.us);
    assert_string_equal(part(r, now, 202103, CA_RETENTION_CERTIFICATES)->duty, "CABF-BR 5.4.3");

    add_certificate(r, 2, late, at("2024-12-24T00:00:00Z"), made); /* long, and on the old validation */
    p = part(r, now, 202103, CA_RETENTION_EVIDENCE);
    assert_int_equal(p->kept_until.us, lt_time_add_seconds(at("2024-12-24T00:00:00Z"), 2 * YEAR).us);
    assert_false(p->due);
    assert_false(part(r, now, 202104, CA_RETENTION_EVIDENCE)->due); /* nor what comes after it */
    assert_true(part(r, now, 202103, CA_RETENTION_CERTIFICATES)->due);
    assert_false(part(r, now, 202109, CA_RETENTION_CERTIFICATES)->due);

    add_certificate(r, 3, late, at("2031-01-01T00:00:00Z"), late); /* on one of its own */
    assert_int_equal(
        part(r, now, 202103, CA_RETENTION_EVIDENCE)->kept_until.us,
        lt_time_add_seconds(at("2031-01-01T00:00:00Z"), 2 * YEAR).us); /* of one month: taken together */
}

/* A certificate of elsewhere without an end: it rests on nothing of ours, and keeps its own month's alone. */
static void without_end(void **state)
{
    struct rig *r = *state;
    lt_time made = at("2021-03-10T00:00:00Z");
    lt_time now = at("2026-11-22T12:00:00Z");
    (void)add_records(r, made, 0);
    add_certificate(r, 1, made, at("2021-06-08T00:00:00Z"), made);
    add_certificate(r, 2, at("2021-02-01T00:00:00Z"), at("9999-12-31T23:59:59Z"), (lt_time){0});
    run_sql(r, "UPDATE certificate SET account = 0, worst_dimension = 0 WHERE serial = x'00000002'");
    static const enum ca_retention_kind kinds[] = {CA_RETENTION_ORDERS, CA_RETENTION_AUTHORIZATIONS,
                                                   CA_RETENTION_EVIDENCE, CA_RETENTION_CERTIFICATES};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        assert_true(part(r, now, 202103, kinds[i])->due);
        assert_int_equal(part(r, now, 202102, kinds[i])->due, kinds[i] != CA_RETENTION_CERTIFICATES);
    }
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(part(r, now, 202102, CA_RETENTION_CERTIFICATES)->kept_until, text);
    assert_string_equal(text, "9999-12-01T00:00:00Z");
}

/* A law or a CPS may want more, never less. */
static void longer(void **state)
{
    struct rig *r = *state;
    lt_time made = at("2021-03-10T00:00:00Z");
    size_t count = 0;
    (void)add_records(r, made, 0);
    add_certificate(r, 1, made, at("2021-06-08T00:00:00Z"), made);
    lt_time now = at("2026-11-22T12:00:00Z");
    assert_true(plan_at(r, now, 0, &count)[0].due);
    assert_true(plan_at(r, now, DAY, &count)[0].due); /* less than the rules want: the rules stand */
    struct ca_retention_part *p = plan_at(r, now, (int64_t)7 * YEAR, &count);
    assert_false(p[0].due);
    assert_string_equal(p[0].duty, "own rule");
    struct step s = {.p = p};
    assert_fails(rig_run(r, step_slice, &s), LT_POLICY_REFUSED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM ca_order"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM retention"), 0);
}

static void dropped(void **state)
{
    struct rig *r = *state;
    lt_time old = at("2021-03-10T00:00:00Z");
    lt_time young = at("2026-11-20T00:00:00Z");
    for (int i = 0; i < MANY; i++) {
        (void)add_records(r, old, i);
        add_certificate(r, i, old, at("2021-06-08T00:00:00Z"), old);
    }
    (void)add_records(r, young, 1);
    add_certificate(r, 5000, young, at("2027-02-08T00:00:00Z"), young);
    lt_time now = at("2026-11-22T12:00:00Z");
    static const enum ca_retention_kind kinds[] = {CA_RETENTION_ORDERS, CA_RETENTION_AUTHORIZATIONS,
                                                   CA_RETENTION_EVIDENCE, CA_RETENTION_CERTIFICATES};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        int64_t count = 0;
        struct ca_retention_part *p = part(r, now, 202103, kinds[i]);
        assert_ok(ca_retention_count(r->store, p, &count));
        assert_int_equal(count, MANY);
        drop_all(r, p);
        assert_int_equal(p->count, MANY);
        p = part(r, now, 202103, kinds[i]);
        assert_true(p->dropped && !p->due);
        assert_ok(ca_retention_count(r->store, p, &count));
        assert_int_equal(count, 0);
    }
    static const struct {
        const char *sql;
        int64_t left;
    } rows[] = {
        {"SELECT count(*) FROM ca_order", 1},
        {"SELECT count(*) FROM order_authorization", 1},
        {"SELECT count(*) FROM authorization", 1},
        {"SELECT count(*) FROM challenge", 1},
        {"SELECT count(*) FROM certificate_der", 1},
        {"SELECT count(*) FROM evidence WHERE segment <> 0", 1},
        {"SELECT count(*) FROM evidence WHERE sha256 IS NOT NULL", MANY + 1},
        {"SELECT count(DISTINCT sha256) FROM evidence",
         MANY}, /* never a hash: one stands twice from the start */
        {"SELECT count(*) FROM certificate", MANY + 1},
        {"SELECT count(*) FROM certificate_name", MANY + 1},
        {"SELECT count(*) FROM event WHERE kind = 'retention.dropped'", 4},
        {"SELECT count(*) FROM retention WHERE status = 'dropped' AND dropped = 600 AND ended_us > 0", 4},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(rig_number(r, rows[i].sql), rows[i].left);
    }
    /* Once more changes nothing. */
    struct step s = {.p = part(r, now, 202103, CA_RETENTION_ORDERS)};
    assert_fails(rig_run(r, step_slice, &s), LT_POLICY_REFUSED);
}

static int64_t root_of(struct rig *r)
{
    return rig_number(r, "SELECT count(*) FROM retention WHERE status = 'dropped'");
}

static void read_root(struct rig *r, uint8_t ret_root[CA_HASH_LEN])
{
    static const struct store_sql sql = {"t.root", "SELECT sha256 FROM retention WHERE kind = 'orders'"};
    struct store_rows rows;
    assert_ok(store_query(r->store, &sql, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    assert_int_equal(store_bytes(&rows, 0).len, CA_HASH_LEN);
    memcpy(ret_root, store_bytes(&rows, 0).ptr, CA_HASH_LEN);
    assert_ok(store_rows_end(&rows));
}

/* Killed before any commit, and opened again: the end is the same, hash included. */
static void cut_off(void **state)
{
    struct rig *r = *state;
    uint8_t roots[2][CA_HASH_LEN];
    lt_time now = at("2026-11-22T12:00:00Z");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            (void)add_records(r, at("2021-03-10T00:00:00Z"), i);
        }
        struct step s = {.p = part(r, now, 202103, CA_RETENTION_ORDERS), .more = true};
        while (s.more) {
            if (round == 1) { /* this one never comes to its commit */
                assert_ok(rig_begin(r));
                assert_ok(rig_message(r, step_slice, &s));
                store_rollback(r->store);
                rig_close(r);
                assert_ok(rig_open(r, book_path, NULL, false));
                s.p = part(r, now, 202103, CA_RETENTION_ORDERS);
            }
            assert_ok(rig_run(r, step_slice, &s));
        }
        assert_int_equal(root_of(r), 1);
        read_root(r, roots[round]);
        assert_int_equal(rig_number(r, "SELECT dropped FROM retention"), MANY);
        assert_int_equal(rig_number(r, "SELECT count(*) FROM ca_order"), 0);
        run_sql(
            r,
            "DELETE FROM retention; DELETE FROM authorization; DELETE FROM challenge; DELETE FROM evidence");
    }
    assert_memory_equal(roots[0], roots[1], CA_HASH_LEN);
}

/* A certificate whose key is that of an issuer is a CA's. */
static void authorities_stay(void **state)
{
    struct rig *r = *state;
    lt_time old = at("2021-03-10T00:00:00Z");
    add_certificate(r, 1, old, at("2021-06-08T00:00:00Z"), old);
    add_certificate(r, 2, old, at("2021-06-08T00:00:00Z"), old);
    run_sql(r, "UPDATE issuer SET spki_sha256 = x'%064x' WHERE id = 2", 1002);
    drop_all(r, part(r, at("2026-11-22T12:00:00Z"), 202103, CA_RETENTION_CERTIFICATES));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_der WHERE serial = x'00000002'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_der"), 1);
}

static void touch(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", evidence, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
}

static bool is_there(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", evidence, name);
    return access(path, F_OK) == 0;
}

/* A file goes when no frame in it can be of a month that is kept; the newest never. */
static void segments(void **state)
{
    struct rig *r = *state;
    lt_time now = at("2026-11-22T12:00:00Z");
    (void)mkdir(evidence, 0700);
    (void)add_records(r, at("2021-03-10T00:00:00Z"), 0);
    (void)add_records(r, at("2026-11-10T00:00:00Z"), 1);
    run_sql(r,
            "INSERT INTO evidence_segment VALUES (1, 100, %lld), (2, 100, %lld), (3, 100, %lld);"
            "INSERT INTO evidence_frame VALUES (1, 56, x'00'), (3, 56, x'00')",
            (long long)at("2021-03-10T00:00:00Z").us, (long long)at("2021-03-12T00:00:00Z").us,
            (long long)at("2021-04-02T00:00:00Z").us);
    static const char *const names[] = {"000001.seg", "000002.seg", "000003.seg", "000004.seg", "notes.txt"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        touch(names[i]);
    }
    uint64_t files = 0;
    struct ca_host host;
    ca_host_main(&host);
    drop_all(r, part(r, now, 202103, CA_RETENTION_SEGMENTS)); /* its evidence is still there */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM evidence_segment"), 3);
    drop_all(r, part(r, now, 202103, CA_RETENTION_EVIDENCE));
    drop_all(r, part(r, now, 202103, CA_RETENTION_SEGMENTS));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM evidence_segment"), 2); /* 3 was begun in April */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM evidence_frame"), 1);
    assert_ok(ca_retention_sweep(r->store, &host, evidence, &files));
    assert_int_equal(files, 1);
    assert_false(is_there(names[0]));
    drop_all(r, part(r, now, 202104, CA_RETENTION_EVIDENCE));
    drop_all(r, part(r, now, 202103, CA_RETENTION_SEGMENTS));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM evidence_segment"), 1);
    assert_true(part(r, now, 202103, CA_RETENTION_SEGMENTS)->dropped);
    drop_all(r, part(r, now, 202104, CA_RETENTION_SEGMENTS)); /* the newest of its host */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM evidence_segment"), 1);
    assert_ok(ca_retention_sweep(r->store, &host, evidence, &files));
    assert_int_equal(files, 1);
    assert_true(is_there(names[2]) && is_there(names[3]) && is_there(names[4]));
    run_sql(r, "DELETE FROM evidence_segment"); /* a book that names none says nothing of any */
    assert_ok(ca_retention_sweep(r->store, &host, evidence, &files));
    assert_int_equal(files, 0);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", evidence, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(evidence);
}

static void seen(void *self, const char *what, const char *subject, const char *detail)
{
    (void)self;
    (void)what;
    (void)subject;
    (void)detail;
}

static uint64_t findings(struct rig *r)
{
    struct ca_audit a = {.store = r->store, .found = seen};
    assert_ok(ca_audit_certificates(&a));
    assert_ok(ca_audit_rows(&a));
    return a.counts.findings;
}

/* Bytes that went in their time are no finding; without the row, or its event, or before their time, they
 * are. */
static void the_audit_knows(void **state)
{
    struct rig *r = *state;
    char name[] = "www.example.com";
    assert_ok(rig_run(r, rig_plan, name));
    assert_ok(rig_answer(r, SIZE_MAX));
    run_sql(r, "UPDATE issuer SET spki_sha256 = x'%064x'", 1);
    uint64_t before = findings(r); /* the rig's issuers are made up */
    lt_time then = r->now;
    r->now = lt_time_add_seconds(r->now, (int64_t)5 * YEAR);
    drop_all(r, part(r, r->now, 202611, CA_RETENTION_CERTIFICATES));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_der"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 1);
    assert_int_equal(findings(r), before);
    rig_audit(r); /* the signer's journal has a signature over what was dropped */
    static const char *const crimes[] = {
        "DELETE FROM retention",
        "UPDATE retention SET dropped = 0",
        "UPDATE retention SET sha256 = zeroblob(32)",
        "UPDATE retention SET from_us = to_us",
        "UPDATE certificate SET issued_us = issued_us + 40 * 86400000000",
    };
    for (size_t i = 0; i < LT_COUNT(crimes); i++) {
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, crimes[i]));
        assert_true(findings(r) > before);
        store_rollback(r->store);
    }
    r->now = then;
}

static void a_book_that_was_put_back(void **state)
{
    struct rig *r = *state;
    bool marked = true;
    assert_ok(ca_put_back_check(r->store));
    assert_ok(ca_put_back_get(r->store, &marked));
    assert_false(marked);
    assert_ok(store_begin(r->store));
    assert_ok(ca_put_back_mark(r->store, "of yesterday"));
    assert_ok(ca_put_back_mark(r->store, "of today"));
    assert_ok(store_commit(r->store));
    assert_fails(ca_put_back_check(r->store), LT_STATE_CORRUPT);
    assert_non_null(strstr(lt_error_last()->detail, "of today"));
    assert_non_null(strstr(lt_error_last()->detail, "lintel restore --reconcile"));
    assert_ok(store_begin(r->store));
    assert_ok(ca_put_back_clear(r->store));
    assert_ok(store_commit(r->store));
    assert_ok(ca_put_back_check(r->store));
}

int main(void)
{
    (void)snprintf(book_path, sizeof book_path, "/tmp/lintel-test-retention-%d.db", (int)getpid());
    (void)snprintf(evidence, sizeof evidence, "/tmp/lintel-test-retention-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months),
        cmocka_unit_test_setup_teardown(until_when, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(authorities_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_audit_knows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_book_that_was_put_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
