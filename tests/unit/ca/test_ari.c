/* Renewal information: the rule, the identifier, the map, and what gets into it out of a real book. */
#include "../check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "ca/ari_book.h"

enum { NOW = 1795000000, DAY = 86400, ROOT = 1, TLS = 2 };

static lt_time at(int64_t seconds)
{
    return lt_time_from_seconds(seconds);
}

static void the_rule(void **state)
{
    (void)state;
    static const struct {
        int64_t life_s;
        int64_t from_s; /* no window starts before, or ends after */
        int64_t until_s;
    } rows[] = {
        {90 * DAY, 90 * DAY / 3 * 2 - 90 * DAY / 50, 90 * DAY / 3 * 2 + 90 * DAY / 50},
        {10 * DAY, 10 * DAY / 3 * 2 - DAY / 5, 10 * DAY / 3 * 2 + DAY / 5},
        {6 * DAY, 3 * DAY - 3 * 3600, 3 * DAY + 3 * 3600},
        {3600, 1800 - 72, 1800 + 72},
        {1, -2, 4},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        int64_t first = 0;
        bool moved = false;
        for (uint32_t n = 0; n < 200; n++) {
            struct ca_ari_window w;
            uint8_t serial[16] = {1, (uint8_t)(n * 37), (uint8_t)n};
            struct ca_ari_facts f = {.serial = LT_SLICE(serial, sizeof serial),
                                     .not_before = at(NOW),
                                     .not_after = at(NOW + rows[i].life_s)};
            ca_ari_window_of(&f, &w);
            assert_true(w.start.us < w.end.us);
            assert_true(w.start.us >= at(NOW + rows[i].from_s).us);
            assert_true(w.end.us <= at(NOW + rows[i].until_s).us);
            assert_int_equal(w.url.len, 0);
            moved = moved || (n > 0 && w.start.us != first);
            first = w.start.us;
        }
        assert_true(moved || rows[i].life_s < 3600);
    }
}

static void set_and_revoked(void **state)
{
    (void)state;
    struct ca_ari_window w;
    struct ca_ari_facts f = {.serial = LT_LIT("\x01"),
                             .not_before = at(NOW),
                             .not_after = at(NOW + 90 * DAY),
                             .set_start = at(NOW + 5),
                             .set_end = at(NOW + 50),
                             .set_url = LT_LIT("https://ca.example/i/1")};
    ca_ari_window_of(&f, &w);
    assert_int_equal(w.start.us, at(NOW + 5).us);
    assert_int_equal(w.end.us, at(NOW + 50).us);
    assert_true(lt_slice_eq_cstr(w.url, "https://ca.example/i/1"));
    f.revoked = at(NOW + 3);
    ca_ari_window_of(&f, &w); /* nothing is more urgent */
    assert_true(w.start.us < w.end.us && w.end.us < f.revoked.us);
    f = (struct ca_ari_facts){.serial = LT_LIT("\x01"),
                              .not_before = at(NOW),
                              .not_after = at(NOW + 90 * DAY),
                              .set_start = at(NOW + 50),
                              .set_end = at(NOW + 50)};
    ca_ari_window_of(&f, &w); /* a window without width is none */
    assert_true(w.start.us > at(NOW + 50 * DAY).us);
}

static void identifiers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *key_id; /* NULL: refused */
        const char *serial;
    } rows[] = {
        /* RFC 9773 4.1's own example. */
        {"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "69885b6b87464041e1b37b847ba0ae2cde01c8d4", "87654321"},
        {"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AQ", "69885b6b87464041e1b37b847ba0ae2cde01c8d4", "01"},
        {"AA.AA", "00", "00"},
        {"", NULL, NULL},
        {".", NULL, NULL},
        {"AA.", NULL, NULL},
        {".AA", NULL, NULL},
        {"AA", NULL, NULL},
        {"AA.AA.AA", NULL, NULL},
        {"AA==.AA", NULL, NULL},
        {"AA.gQ", NULL, NULL},  /* a negative number */
        {"AA.AAE", NULL, NULL}, /* a zero too many */
        {"AA.AB", NULL, NULL},  /* spare bits */
        {"A/.AA", NULL, NULL},
        {"AA.A+", NULL, NULL},
        {"AA.A A", NULL, NULL},
        {"aYhba4dGQEHhs3uEe6CuLN4ByNQaYhba4dGQEHhs3uEe6CuLN4ByNQaYhba4dGQEHhs3uEe6CuLN4ByNQ."
         "aYhba4dGQEHhs3uEe6CuLN4ByNQaYhba4dGQEHhs3uEe6CuLN4ByNQ",
         NULL, NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        struct ca_ari_certid id;
        lt_arena_init(&a, 4096);
        lt_res r = ca_ari_certid_read(lt_slice_cstr(rows[i].text), &a, &id);
        if (rows[i].key_id == NULL) {
            assert_int_equal(r.code, LT_PEER_MALFORMED);
        } else {
            struct lt_buf out;
            assert_ok(r);
            assert_string_equal(lt_hex(&a, id.key_id), rows[i].key_id);
            assert_string_equal(lt_hex(&a, id.serial), rows[i].serial);
            lt_buf_init(&out, 1000);
            ca_ari_certid_add(&out, &id);
            assert_string_equal(lt_buf_cstr(&out), rows[i].text);
            lt_buf_done(&out);
        }
        lt_arena_done(&a);
    }
}

static void strings(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    struct ca_ari_strings s;
    static uint32_t offsets[MANY];
    uint32_t one;
    uint32_t two;
    uint32_t again;
    char text[CA_ARI_URL_MAX + 2];
    ca_ari_strings_init(&s);
    assert_ok(ca_ari_strings_add(&s, LT_LIT(""), &one));
    assert_int_equal(one, 0);
    assert_ok(ca_ari_strings_add(&s, LT_LIT("https://a"), &one));
    assert_ok(ca_ari_strings_add(&s, LT_LIT("https://b"), &two));
    assert_ok(ca_ari_strings_add(&s, LT_LIT("https://a"), &again));
    assert_true(one != 0 && one != two && one == again);
    for (int round = 0; round < 2; round++) { /* the second finds what the first has put, wherever it went */
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(text, sizeof text, "https://ca.example/incident/%d", i);
            assert_ok(ca_ari_strings_add(&s, lt_slice_cstr(text), &again));
            assert_true(round == 0 || offsets[i] == again);
            offsets[i] = again;
        }
    }
    assert_int_equal(s.count, MANY + 2);
    assert_ok(ca_ari_strings_add(&s, LT_LIT("https://b"), &again));
    assert_int_equal(again, two);
    ca_ari_strings_reset(&s);
    assert_ok(ca_ari_strings_add(&s, LT_LIT("https://b"), &again));
    assert_int_equal(again, 1);
    assert_fails(ca_ari_strings_add(&s, LT_LIT("https://a\nb"), &one), LT_STATE_CORRUPT);
    memset(text, 'a', sizeof text);
    assert_fails(ca_ari_strings_add(&s, LT_SLICE(text, CA_ARI_URL_MAX + 1), &one), LT_STATE_CORRUPT);
    for (int i = 0; s.text.len + CA_ARI_URL_MAX < CA_ARI_STRINGS_MAX; i++) {
        (void)snprintf(text, 10, "%09d", i);
        assert_ok(ca_ari_strings_add(&s, LT_SLICE(text, CA_ARI_URL_MAX), &one));
    }
    text[0] = 'x';
    assert_fails(ca_ari_strings_add(&s, LT_SLICE(text, CA_ARI_URL_MAX), &one), LT_PEER_TOO_LARGE);
    ca_ari_strings_done(&s);
}

/* ---- a book ---- */

static const struct store_sql add_certificate = {
    "test.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, "
    "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
    "sequence) VALUES (?1, ?2, 0, 'x509', 1, x'00', x'00', 1, 1, ?3, ?4, ?5, 0, 0, x'00', 1, '', '', 1, '', "
    "0, "
    "0, 0, 0, 0, 0)"};
static const struct store_sql add_revocation = {
    "test.revocation",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, by_whom, "
    "sequence) VALUES (?1, 0, ?2, 0, ?3, ?3, 0, 'test', 1)"};
static const struct store_sql set_window = {
    "test.window", "INSERT INTO renewal_window (issuer, serial, start_us, end_us, url, set_us) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};

struct fixture {
    char path[64];
    struct store *store;
    struct ca_crl_issuer issuers[2];
};

static lt_slice serial_of(uint32_t n, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    bytes[0] = 0x8d;
    bytes[12] = (uint8_t)(n >> 24);
    bytes[13] = (uint8_t)(n >> 16);
    bytes[14] = (uint8_t)(n >> 8);
    bytes[15] = (uint8_t)n;
    return LT_SLICE(bytes, 16);
}

static void issue(struct fixture *f, int64_t issuer, uint32_t n, int64_t from_s, int64_t life_s)
{
    uint8_t bytes[16];
    assert_ok(store_exec(f->store, &add_certificate,
                         STORE_ARGS(STORE_I(issuer), STORE_B(serial_of(n, bytes)), STORE_I(at(from_s).us),
                                    STORE_I(at(from_s + life_s).us), STORE_I(at(from_s).us)),
                         NULL));
}

static void revoke_one(struct fixture *f, uint32_t n, int64_t when_s)
{
    uint8_t bytes[16];
    assert_ok(store_exec(f->store, &add_revocation,
                         STORE_ARGS(STORE_I(TLS), STORE_B(serial_of(n, bytes)), STORE_I(at(when_s).us)),
                         NULL));
}

static void set(struct fixture *f, uint32_t n, int64_t from_s, const char *url, int64_t when_s)
{
    uint8_t bytes[16];
    assert_ok(store_exec(f->store, &set_window,
                         STORE_ARGS(STORE_I(TLS), STORE_B(serial_of(n, bytes)), STORE_I(at(from_s).us),
                                    STORE_I(at(from_s + 100).us), STORE_S(url), STORE_I(at(when_s).us)),
                         NULL));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/lintel-ari-XXXXXX");
    int fd = mkstemp(f->path);
    if (fd < 0 || close(fd) != 0 || unlink(f->path) != 0) {
        return 1;
    }
    struct store_options o = {.path = f->path, .create = true};
    assert_ok(store_open(&o, &f->store));
    assert_ok(store_migrate(f->store));
    static const struct store_sql loose = {"test.loose", "PRAGMA foreign_keys = OFF"};
    struct store_rows rows;
    assert_ok(store_query(f->store, &loose, STORE_NO_ARGS, &rows));
    (void)store_next(&rows);
    assert_ok(store_rows_end(&rows));
    f->issuers[0] = (struct ca_crl_issuer){.id = ROOT, .name = "root", .key_id = LT_LIT("root-key")};
    f->issuers[1] = (struct ca_crl_issuer){.id = TLS, .name = "tls", .key_id = LT_LIT("tls-key")};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path); /* the last two may be gone */
    }
    free(f);
    return 0;
}

/* The base in slices of `limit`, as the publisher writes it. */
static void build(struct fixture *f, size_t limit, struct lt_buf *out, struct ca_ari_map *ret_map)
{
    struct ca_ari_build b;
    bool end = false;
    ca_ari_build_init(&b, f->store, f->issuers, LT_COUNT(f->issuers), at(NOW));
    lt_buf_init(out, 1 << 20);
    ca_ari_build_begin(&b, out);
    for (int i = 0; i < 1000 && !end; i++) {
        assert_ok(ca_ari_build_rows(&b, limit, out, &end));
    }
    assert_true(end);
    struct ca_ari_header head = ca_ari_build_end(&b, out);
    memcpy(out->ptr, &head, sizeof head);
    assert_ok(ca_ari_map_open(lt_buf_slice(out), ret_map));
    ca_ari_build_done(&b);
}

static bool find(const struct ca_ari_map *map, const char *key_id, uint32_t n,
                 struct ca_ari_window *ret_window)
{
    uint8_t bytes[16];
    struct ca_ari_certid id = {lt_slice_cstr(key_id), serial_of(n, bytes)};
    return ca_ari_map_find(map, &id, ret_window);
}

static void the_base(void **state)
{
    struct fixture *f = *state;
    struct ca_ari_window w;
    for (uint32_t n = 0; n < 50; n++) {
        issue(f, TLS, n * 2, NOW - DAY, n == 7 ? DAY / 2 : 90 * DAY); /* the eighth has expired */
    }
    issue(f, ROOT, 4, NOW - DAY, 365 * DAY);
    revoke_one(f, 6, NOW - 10);
    set(f, 8, NOW + 77, "https://ca.example/i/1", NOW - 10);
    static const size_t limits[] = {1, 7, 10, 50, 51, 1000};
    for (size_t i = 0; i < LT_COUNT(limits); i++) {
        struct lt_buf file;
        struct ca_ari_map map;
        build(f, limits[i], &file, &map);
        assert_int_equal(map.head.rows, 50);
        assert_int_equal(map.head.generation, at(NOW).us);
        for (uint32_t n = 0; n < 100; n++) {
            bool there = n % 2 == 0 && n != 14;
            assert_int_equal(find(&map, "tls-key", n, &w), there);
            if (there && n != 6 && n != 8) {
                assert_true(w.start.us > at(NOW + 50 * DAY).us && w.url.len == 0);
            }
        }
        assert_true(find(&map, "tls-key", 6, &w) && w.end.us < at(NOW).us);
        assert_true(find(&map, "tls-key", 8, &w) && w.start.us == at(NOW + 77).us);
        assert_true(lt_slice_eq_cstr(w.url, "https://ca.example/i/1"));
        assert_true(find(&map, "root-key", 4, &w) && w.start.us > at(NOW + 200 * DAY).us);
        assert_false(find(&map, "root-key", 6, &w));
        assert_false(find(&map, "", 6, &w));
        assert_false(find(&map, "other-key", 6, &w));
        struct ca_ari_certid cut = {LT_LIT("tls-key"), LT_LIT("\x8d")};
        assert_false(ca_ari_map_find(&map, &cut, &w));
        cut.serial = LT_LIT("\x8d                                  ");
        assert_false(ca_ari_map_find(&map, &cut, &w));
        cut.serial = LT_LIT("");
        assert_false(ca_ari_map_find(&map, &cut, &w));
        lt_buf_done(&file);
    }
}

/* ---- plans of incidents ---- */

/* The rule of ranks, without a book. */
static void windows_by_rank(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        int64_t first;
        int64_t left_s;
        int64_t per_hour;
        bool all_in_time;
    } rows[] = {
        {100, 0, DAY, 3600, true},
        {3048289, 1706505, DAY, 200000, true},
        {1, 0, DAY, 10, true},
        {2, 2, DAY, 10, true},
        {1000000, 0, 5 * DAY, 36000, true},
        {1000000, 0, DAY, 36000, false},
        {3048289, 0, DAY, 100000, false},
        {5, 0, 3600, 100, true},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_wave w = {0};
        const struct ca_wave_wanted want = {.start = at(NOW),
                                            .must = at(NOW + rows[i].left_s),
                                            .count = rows[i].count,
                                            .first_rank = rows[i].first,
                                            .per_hour = rows[i].per_hour,
                                            .reserve_us = 600 * LT_US_PER_SECOND};
        ca_wave_spread(&want, &w);
        struct ca_wave_window first = ca_wave_window(&w, 0);
        struct ca_wave_window last = ca_wave_window(&w, w.count - 1);
        assert_int_equal(first.start.us, at(NOW).us);
        assert_true(last.end.us == w.end.us || w.count - w.first_rank <= 1);
        assert_true(first.end.us > first.start.us);
        assert_int_equal(ca_wave_late(&w, want.must) == w.count, rows[i].all_in_time);
        int64_t before = first.start.us;
        for (int64_t r = 0; r < w.count; r += 1 + w.count / 1000) {
            struct ca_wave_window one = ca_wave_window(&w, r);
            assert_true(one.start.us >= before);
            assert_true(r > w.first_rank || one.start.us == first.start.us);
            assert_int_equal(one.end.us - one.start.us, w.width_us);
            before = one.start.us;
        }
        /* Nobody is asked faster than can be issued. */
        int64_t places = w.count - w.first_rank;
        int64_t least_us = (int64_t)((double)places / (double)rows[i].per_hour * 3600e6 * 0.999);
        assert_true(places <= 1 || w.end.us - w.width_us - w.start.us >= least_us);
    }
    struct ca_wave w = {.count = 10, .start = at(NOW), .end = at(NOW + 1000), .width_us = LT_US_PER_SECOND};
    assert_int_equal(ca_wave_late(&w, (lt_time){0}), 10); /* no deadline, nobody is late */
    assert_int_equal(ca_wave_late(&w, at(NOW)), 0);
    assert_int_equal(ca_wave_late(&w, at(NOW + 1000)), 10);
    assert_int_equal(ca_wave_late(&w, at(NOW + 999)), 9);
}

enum { MASS = 77, LISTED = 60 };

static void add_member(struct fixture *f, int64_t tier, int64_t issuer, uint32_t n)
{
    static const struct store_sql add = {
        "test.member",
        "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (?1, ?2, ?3, ?4, 0)"};
    uint8_t bytes[16];
    assert_ok(store_exec(
        f->store, &add,
        STORE_ARGS(STORE_I(MASS), STORE_I(tier), STORE_I(issuer), STORE_B(serial_of(n, bytes))), NULL));
}

static void add_batch(struct fixture *f, int64_t batch, int64_t tier, uint32_t first, uint32_t last)
{
    static const struct store_sql add = {
        "test.batch", "INSERT INTO mass_batch (mass, batch, tier, issuer, first, last, count, root, status, "
                      "revoked_us, sequence, at, revoked, already, held) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5, 'sealed', 0, 0, ?5, 0, 0, 0)"};
    uint8_t a[16];
    uint8_t b[16];
    assert_ok(store_exec(f->store, &add,
                         STORE_ARGS(STORE_I(MASS), STORE_I(batch), STORE_I(tier), STORE_I(TLS),
                                    STORE_B(serial_of(first, a)), STORE_B(serial_of(last, b)),
                                    STORE_I((last - first) / 2 + 1)),
                         NULL));
}

static void add_plan(struct fixture *f, const char *status, int64_t set_s)
{
    static const struct store_sql mass = {
        "test.mass",
        "INSERT INTO mass (id, status, source, scope, scope_sha256, cause, reason, note, aware_us, "
        "should_us, must_us, late_because, revoked_us, as_of_us, created_us, created_by, plan, count, "
        "root, batches, at_batch, stop_after, at_tier, at_issuer, at_serial, revoked, already, held, "
        "started_us, ended_us, why) VALUES (?1, 'proposed', 'scope', '', ?2, '', 4, '', 0, 0, 0, '', "
        "0, ?3, 0, '', '', ?4, ?2, 3, 0, -1, 0, 0, ?2, 0, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING"};
    static const struct store_sql plan = {
        "test.plan",
        "INSERT INTO incident_plan (incident, version, scope_version, mass, status, count, first_rank, "
        "start_us, end_us, width_us, reserve_us, must_us, per_hour, capacity, late, set_us, made_us, "
        "made_by, "
        "explanation) VALUES (1, ?1, 1, ?2, ?3, ?4, 0, ?5, ?6, ?7, 0, 0, 1, '', 0, ?8, 0, '', "
        "'https://ca.example/affected/1') ON CONFLICT (incident, version) DO UPDATE SET "
        "status = excluded.status, set_us = excluded.set_us"};
    assert_ok(store_exec(f->store, &mass,
                         STORE_ARGS(STORE_I(MASS), STORE_B(LT_LIT("")), STORE_I(at(NOW).us), STORE_I(LISTED)),
                         NULL));
    assert_ok(store_exec(f->store, &plan,
                         STORE_ARGS(STORE_I(1), STORE_I(MASS), STORE_S(status), STORE_I(LISTED),
                                    STORE_I(at(NOW + 1000).us), STORE_I(at(NOW + 1000 + LISTED).us),
                                    STORE_I(LT_US_PER_SECOND), STORE_I(at(set_s).us)),
                         NULL));
}

/* 200 certificates; the even ones up to 118 are listed: 0..38 in tier 1, 40..118 in tier 0, which comes
 * first. */
static void a_list(struct fixture *f)
{
    for (uint32_t n = 0; n < 200; n++) {
        issue(f, TLS, n, NOW - DAY, 90 * DAY);
    }
    for (uint32_t n = 0; n < 120; n += 2) {
        add_member(f, n < 40 ? 1 : 0, TLS, n);
    }
    add_batch(f, 0, 0, 40, 78);
    add_batch(f, 1, 0, 80, 118);
    add_batch(f, 2, 1, 0, 38);
}

static int64_t rank_of(uint32_t n)
{
    return n < 40 ? 40 + n / 2 : (n - 40) / 2;
}

static void a_plan_sets_windows(void **state)
{
    struct fixture *f = *state;
    struct ca_ari_window w;
    bool changed = false;
    a_list(f);
    add_plan(f, "set", NOW - 5);
    revoke_one(f, 42, NOW - 1000);
    set(f, 44, NOW + 77, "https://ca.example/i/1", NOW - 10);
    static const size_t limits[] = {1, 7, 1000};
    for (size_t i = 0; i < LT_COUNT(limits); i++) {
        struct lt_buf file;
        struct ca_ari_map map;
        build(f, limits[i], &file, &map);
        for (uint32_t n = 0; n < 200; n++) {
            bool listed = n < 120 && n % 2 == 0;
            assert_true(find(&map, "tls-key", n, &w));
            if (n == 42) {
                assert_true(w.end.us < at(NOW).us); /* revoked: nothing is more urgent */
            } else if (n == 44) {
                assert_int_equal(w.start.us, at(NOW + 77).us);
            } else if (listed) {
                assert_int_equal(w.start.us, at(NOW + 1000 + rank_of(n)).us);
                assert_true(lt_slice_eq_cstr(w.url, "https://ca.example/affected/1"));
            } else {
                assert_true(w.start.us > at(NOW + 40 * DAY).us);
            }
        }
        lt_buf_done(&file);
    }
    assert_ok(ca_waves_changed(f->store, at(NOW - 5), &changed));
    assert_true(changed);
    assert_ok(ca_waves_changed(f->store, at(NOW - 4), &changed));
    assert_false(changed);
    add_plan(f, "over", NOW);
    struct lt_buf file;
    struct ca_ari_map map;
    build(f, 1000, &file, &map);
    assert_true(find(&map, "tls-key", 40, &w) && w.start.us > at(NOW + 40 * DAY).us);
    lt_buf_done(&file);
}

/* By look-ups, as the delta does: the same. */
static void a_rank_is_found(void **state)
{
    struct fixture *f = *state;
    struct ca_waves *waves = NULL;
    struct ca_wave_window w;
    const char *url = NULL;
    uint8_t bytes[16];
    a_list(f);
    add_plan(f, "set", NOW - 5);
    assert_ok(ca_waves_load(f->store, &waves));
    assert_int_equal(ca_waves_count(waves), 1);
    for (uint32_t n = 0; n < 200; n++) {
        bool listed = n < 120 && n % 2 == 0;
        assert_ok(ca_waves_find(waves, TLS, serial_of(n, bytes), at(NOW - DAY), &w, &url));
        assert_int_equal(url != NULL, listed);
        assert_true(!listed || w.start.us == at(NOW + 1000 + rank_of(n)).us);
    }
    assert_ok(ca_waves_find(waves, ROOT, serial_of(40, bytes), at(NOW - DAY), &w, &url));
    assert_null(url);
    assert_ok(ca_waves_find(waves, TLS, serial_of(40, bytes), at(NOW + 1), &w, &url)); /* after the list */
    assert_null(url);
    ca_waves_free(waves);
    ca_waves_free(NULL);
}

static void the_delta(void **state)
{
    struct fixture *f = *state;
    const struct ca_ari_build book = {.store = f->store, .issuers = f->issuers, .issuer_count = 2};
    struct ca_ari_delta d;
    struct ca_ari_map map;
    struct ca_ari_window w;
    struct lt_buf file;
    bool changed;
    ca_ari_delta_init(&d);
    lt_buf_init(&file, 1 << 20);
    assert_ok(ca_ari_delta_take(&d, &book, at(NOW), &changed));
    assert_false(changed);
    issue(f, TLS, 1, NOW - 100, 90 * DAY);
    issue(f, TLS, 2, NOW, 90 * DAY);
    issue(f, TLS, 3, NOW + 1, 90 * DAY);
    assert_ok(ca_ari_delta_take(&d, &book, at(NOW), &changed));
    assert_true(changed);
    assert_int_equal(d.count, 2);
    assert_ok(ca_ari_delta_take(&d, &book, at(NOW), &changed)); /* the overlap brings nothing new */
    assert_false(changed);
    revoke_one(f, 1, NOW + 2);
    revoke_one(f, 2, NOW + 2);
    set(f, 3, NOW + 60, "https://ca.example/i/2", NOW + 2);
    assert_ok(ca_ari_delta_take(&d, &book, at(NOW), &changed));
    assert_true(changed);
    assert_int_equal(d.count, 3);
    ca_ari_delta_write(&d, &book, 42, &file);
    assert_ok(ca_ari_map_open(lt_buf_slice(&file), &map));
    assert_int_equal(map.head.generation, 42);
    assert_true(find(&map, "tls-key", 1, &w) && w.end.us < at(NOW).us);
    assert_true(find(&map, "tls-key", 2, &w) && w.end.us < at(NOW).us);
    assert_true(find(&map, "tls-key", 3, &w) && w.start.us == at(NOW + 60).us);
    assert_true(lt_slice_eq_cstr(w.url, "https://ca.example/i/2"));
    assert_false(find(&map, "tls-key", 4, &w));
    ca_ari_delta_reset(&d);
    lt_buf_reset(&file);
    ca_ari_delta_write(&d, &book, 43, &file);
    assert_ok(ca_ari_map_open(lt_buf_slice(&file), &map));
    assert_false(find(&map, "tls-key", 3, &w));
    lt_buf_done(&file);
    ca_ari_delta_done(&d);
}

/* Every cut and every spoilt byte of the header is refused or stays within the bytes. */
static void spoilt_files(void **state)
{
    struct fixture *f = *state;
    struct ca_ari_map map;
    struct lt_buf file;
    issue(f, TLS, 1, NOW, 90 * DAY);
    set(f, 1, NOW, "https://ca.example/i/1", NOW);
    build(f, 10, &file, &map);
    for (size_t len = 0; len < file.len; len++) {
        assert_fails(ca_ari_map_open(LT_SLICE(file.ptr, len), &map), LT_STATE_CORRUPT);
    }
    for (size_t i = 0; i < sizeof(struct ca_ari_header); i++) {
        if (i >= 8 && i < 16) {
            continue; /* any generation will do */
        }
        file.ptr[i] ^= 0xff;
        assert_fails(ca_ari_map_open(lt_buf_slice(&file), &map), LT_STATE_CORRUPT);
        file.ptr[i] ^= 0xff;
    }
    for (size_t i = sizeof(struct ca_ari_header); i < file.len; i++) {
        struct ca_ari_window w;
        file.ptr[i] ^= 0xff;
        assert_ok(ca_ari_map_open(lt_buf_slice(&file), &map));
        (void)find(&map, "tls-key", 1, &w);
        file.ptr[i] ^= 0xff;
    }
    lt_buf_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_by_rank),
        cmocka_unit_test(the_rule),
        cmocka_unit_test(set_and_revoked),
        cmocka_unit_test(identifiers),
        cmocka_unit_test(strings),
        cmocka_unit_test_setup_teardown(the_base, setup, teardown),
        cmocka_unit_test_setup_teardown(the_delta, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_sets_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rank_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(spoilt_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
