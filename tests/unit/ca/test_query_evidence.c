/* The story of an authorization, as the reader tells it: out of real frames, signed by real keys; and what it
 * says when one of them is wrong, unknown or gone. */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"

#include "ca/query.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "evidence.pb-c.h"
#include "store/segment.h"
#include "validate/perspective.h"

#define SECOND INT64_C(1000000)
#define CHECKED (INT64_C(1795305600) * SECOND) /* 2026-11-22T00:00:00Z */
#define NOW (CHECKED + 100 * SECOND)

enum { VIEWS = 4, AUTHORIZATION = 5 };

static const struct store_sql sql[] = {
    {"account", "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) "
                "VALUES (1000, x'00', x'00', 'ES256', 'valid', '[]', 1, '')"},
    {"authorization",
     "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, "
     "expires_us, validated_us) VALUES (?1, 1000, 'dns', 'www.example.com', 1, 'valid', 1, 2, 3)"},
    {"dimension", "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
                  "VALUES (?1, ?2, ?3, '0.1', 'local', 'primary,a,b,c,d')"},
    {"evidence", "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, "
                 "identifier, dnssec, "
                 "statement, caa, caa_us, segment, position, length, sha256) VALUES (?1, ?2, ?3, ?4, 'dns', "
                 "'www.example.com', 'secure', '', 'permitted', ?2, ?5, ?6, ?7, ?8)"},
    {"key", "INSERT INTO perspective_key (id, name, spki, rir, resolver_rir, first_us) "
            "VALUES (?1, ?2, ?3, 'RIPE', 'ARIN', 1)"},
};
enum { SQL_ACCOUNT, SQL_AUTHORIZATION, SQL_DIMENSION, SQL_EVIDENCE, SQL_KEY };

static char folder[64];
static char evidence[96];
static struct store *book;
static struct store_segments *segments;
static struct lt_arena arena;
static struct crypto_key *keys[VIEWS];
static char names[VIEWS][2] = {"a", "b", "c", "d"};

static int set_up(void **state)
{
    char path[96];
    const char *lost = NULL;
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-story-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/book.db", folder);
    (void)snprintf(evidence, sizeof evidence, "%s/evidence", folder);
    assert_int_equal(mkdir(evidence, 0700), 0);
    lt_arena_init(&arena, (size_t)64 << 20);
    const struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &book));
    assert_ok(store_migrate(book));
    const struct store_segments_options so = {.folder = evidence};
    assert_ok(store_segments_open(&so, &arena, &segments, &lost));
    assert_ok(store_exec(book, &sql[SQL_ACCOUNT], STORE_NO_ARGS, NULL));
    assert_ok(store_exec(book, &sql[SQL_AUTHORIZATION], STORE_ARGS(STORE_I(AUTHORIZATION)), NULL));
    for (size_t i = 0; i < VIEWS; i++) {
        assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &keys[i]));
    }
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"book.db", "book.db-wal", "book.db-shm", "evidence/000001.seg",
                                        "evidence/000002.seg"}; /* a segment is of one month */
    (void)state;
    for (size_t i = 0; i < VIEWS; i++) {
        crypto_key_free(keys[i]);
    }
    store_segments_close(segments);
    store_close(book);
    lt_arena_done(&arena);
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        (void)unlink(path); /* there or not */
    }
    assert_int_equal(rmdir(evidence), 0);
    return rmdir(folder);
}

static char *word(const char *text)
{
    return lt_arena_cstr(&arena, lt_slice_cstr(text));
}

static char **one(const char *text)
{
    char **list = LT_NEW_ARRAY(&arena, char *, 1);
    list[0] = word(text);
    return list;
}

/* What somebody saw: all of it. */
static Ipc__Validated *seen(const char *who, bool ok)
{
    Ipc__Validated *v = LT_NEW(&arena, Ipc__Validated);
    Ipc__Identifier *name = LT_NEW(&arena, Ipc__Identifier);
    Ipc__CaaCheck *caa = LT_NEW(&arena, Ipc__CaaCheck);
    Ipc__Redirect *redirect = LT_NEW(&arena, Ipc__Redirect);
    Ipc__Redirect **redirects = LT_NEW_ARRAY(&arena, Ipc__Redirect *, 1);
    static uint8_t digest[32] = {0xab};
    ipc__validated__init(v);
    ipc__identifier__init(name);
    ipc__caa_check__init(caa);
    ipc__redirect__init(redirect);
    name->type = word("dns");
    name->value = word("www.example.com");
    v->authorization_id = AUTHORIZATION;
    v->identifier = name;
    v->method = word("http-01");
    v->ok = ok;
    v->perspective = word(who);
    v->addresses = one("192.0.2.7");
    v->n_addresses = 1;
    v->address_used = word("192.0.2.7");
    v->resolver = word("libunbound");
    v->dnssec = word("insecure");
    v->dnssec_why = word("no DS at example.com");
    redirect->status = 301;
    redirect->location = word("http://other.example/\"x\"");
    redirects[0] = redirect;
    v->redirects = redirects;
    v->n_redirects = 1;
    v->http_status = ok ? 200 : 404;
    v->answer_sha256 = (ProtobufCBinaryData){sizeof digest, digest};
    v->started_us = CHECKED - 2 * SECOND;
    v->finished_us = CHECKED - SECOND;
    v->build = word("0.1");
    v->ruleset = word("BR 2.2.6 3.2.2.4.19");
    v->records = one("tok\x01.en");
    v->n_records = 1;
    v->chain = one("www.example.com");
    v->n_chain = 1;
    v->ttl = 60;
    caa->checked = true;
    caa->permitted = ok;
    caa->domain = word("example.com");
    caa->dnssec = word("secure");
    caa->records = one("0 issue \"ca.example\"");
    caa->n_records = 1;
    caa->looked_up = one("www.example.com");
    caa->n_looked_up = 1;
    caa->ttl = 3600;
    caa->checked_us = CHECKED;
    v->caa = caa;
    return v;
}

static void put_frame(const Ipc__EvidenceRecord *record, int64_t dimension, int64_t checked, bool ok)
{
    struct store_frame_ref ref = {0};
    uint32_t segment = 0;
    uint64_t length = 0;
    size_t len = ipc__evidence_record__get_packed_size(record);
    uint8_t *packed = lt_arena_alloc(&arena, len);
    (void)ipc__evidence_record__pack(record, packed);
    assert_ok(store_segments_append(segments, LT_SLICE(packed, len), (lt_time){checked}, &ref));
    assert_ok(store_segments_flush(segments, &segment, &length));
    assert_ok(store_exec(book, &sql[SQL_EVIDENCE],
                         STORE_ARGS(STORE_I(AUTHORIZATION), STORE_I(checked), STORE_I(dimension),
                                    STORE_I(ok ? 1 : 0), STORE_I(ref.segment), STORE_I((int64_t)ref.position),
                                    STORE_I(ref.length), STORE_B(LT_SLICE(ref.sha256, 32))),
                         NULL));
}

static void put_dimension(int64_t id, const char *method, const char *rule_set)
{
    assert_ok(store_exec(book, &sql[SQL_DIMENSION],
                         STORE_ARGS(STORE_I(id), STORE_S(method), STORE_S(rule_set)), NULL));
}

static void put_key(int64_t id, size_t view, size_t key)
{
    assert_ok(store_exec(book, &sql[SQL_KEY],
                         STORE_ARGS(STORE_I(id), STORE_S(names[view]), STORE_B(crypto_key_spki(keys[key]))),
                         NULL));
}

static json_t *show(const char *id, const char *folder_of_segments, lt_res *ret)
{
    struct lt_buf out;
    struct lt_arena own;
    Ipc__Query q = IPC__QUERY__INIT;
    lt_arena_init(&own, (size_t)32 << 20);
    lt_buf_init(&out, CA_QUERY_ANSWER_MAX);
    q.what = word("authorization.show");
    q.id = word(id);
    const struct ca_query query = {.store = book,
                                   .q = &q,
                                   .now = {NOW},
                                   .arena = &own,
                                   .build = "t",
                                   .evidence_folder = folder_of_segments};
    *ret = ca_query_answer(&query, &out);
    json_t *json = NULL;
    if (!lt_failed(*ret)) {
        json = json_loadb((const char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
    }
    lt_buf_done(&out);
    lt_arena_done(&own);
    return json;
}

static json_t *show_it(void)
{
    lt_res r;
    json_t *json = show("5", evidence, &r);
    assert_ok(r);
    return json;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

/* Row i of the answer. */
static const json_t *check_at(const json_t *answer, size_t i)
{
    const json_t *c = json_array_get(json_object_get(answer, "checks"), i);
    assert_non_null(c);
    return c;
}

/* a signed well; b with a key that the book does not have for it; c's key is gone; d said nothing. */
static void put_corroborated(void)
{
    Ipc__EvidenceRecord record = IPC__EVIDENCE_RECORD__INIT;
    Ipc__EvidenceCorroboration c = IPC__EVIDENCE_CORROBORATION__INIT;
    Ipc__EvidenceVoice voices[VIEWS];
    Ipc__EvidenceVoice *list[VIEWS];
    Ipc__SignedStatement said[VIEWS];
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    record.authorization_id = AUTHORIZATION;
    record.checked_us = CHECKED;
    record.primary = seen("primary", true);
    problem.type = word("caa");
    problem.detail = word("Only 1 of 4");
    record.problem = &problem;
    record.corroboration = &c;
    c.agreeing = 1;
    c.asked = VIEWS;
    c.regions = 1;
    c.why = word("too few agree");
    c.voices = list;
    c.n_voices = VIEWS;
    for (size_t i = 0; i < VIEWS; i++) {
        ipc__evidence_voice__init(&voices[i]);
        voices[i].name = names[i];
        voices[i].key_id = (int64_t)i + 1;
        voices[i].agrees = i == 0;
        voices[i].why = word(i == 0 ? "" : "it saw something else");
        if (i < 3) {
            assert_ok(validate_statement_sign(keys[i], seen(names[i], i == 0), &arena, &said[i]));
            voices[i].said = &said[i];
        }
        list[i] = &voices[i];
    }
    put_key(1, 0, 0);
    put_key(2, 1, 3);
    put_dimension(1, "http-01", "BR 2.2.6 3.2.2.4.19");
    put_frame(&record, 1, CHECKED, false);
}

static void everything_is_told(void **state)
{
    (void)state;
    put_corroborated();
    json_t *answer = show_it();
    assert_string_equal(text(answer, "name"), "www.example.com");
    assert_true(json_is_true(json_object_get(answer, "wildcard")));
    const json_t *check = check_at(answer, 0);
    assert_string_equal(text(check, "integrity"), "intact");
    assert_string_equal(text(json_object_get(check, "problem"), "detail"), "Only 1 of 4");
    assert_null(json_object_get(check, "relied_on")); /* no certificate was asked for */
    const json_t *primary = json_object_get(check, "statement");
    assert_string_equal(text(primary, "address_used"), "192.0.2.7");
    assert_string_equal(text(primary, "dnssec_why"), "no DS at example.com");
    assert_string_equal(text(primary, "started"), "2026-11-21T23:59:58Z");
    assert_string_equal(json_string_value(json_array_get(json_object_get(primary, "records"), 0)),
                        "tok\x01.en");
    const json_t *redirect = json_array_get(json_object_get(primary, "redirects"), 0);
    assert_string_equal(text(redirect, "location"), "http://other.example/\"x\"");
    const json_t *caa = json_object_get(primary, "caa");
    assert_string_equal(text(caa, "domain"), "example.com");
    assert_true(json_is_true(json_object_get(caa, "permitted")));
    const json_t *rule = json_object_get(check, "rule");
    assert_string_equal(text(rule, "section"), "3.2.2.4.19");
    assert_true(json_is_true(json_object_get(rule, "in_force_then")));
    assert_true(json_is_true(json_object_get(rule, "same_version")));
    json_decref(answer);
}

static void signatures_are_judged(void **state)
{
    static const struct {
        const char *signature;
        bool statement;
    } rows[VIEWS] = {
        {"verified", true}, {"wrong", false}, {"its key is not in the book", false}, {"none", false}};
    (void)state;
    json_t *answer = show_it();
    const json_t *c = json_object_get(check_at(answer, 0), "corroboration");
    assert_string_equal(text(c, "count"), "1/4");
    assert_string_equal(text(c, "why"), "too few agree");
    assert_true(json_is_false(json_object_get(c, "quorum")));
    for (size_t i = 0; i < VIEWS; i++) {
        const json_t *v = json_array_get(json_object_get(c, "perspectives"), i);
        assert_string_equal(text(v, "name"), names[i]);
        assert_string_equal(text(v, "signature"), rows[i].signature);
        assert_int_equal(json_object_get(v, "statement") != NULL, rows[i].statement);
        assert_int_equal(json_is_true(json_object_get(v, "agrees")), i == 0);
    }
    const json_t *first = json_array_get(json_object_get(c, "perspectives"), 0);
    assert_string_equal(text(first, "region"), "RIPE");
    assert_string_equal(text(first, "resolver_region"), "ARIN");
    assert_int_equal(strlen(text(first, "key_sha256")), 64);
    json_decref(answer);
}

/* Until when: the ladder of BR 4.2.1, the method's own period; nothing for what this program does not know.
 */
static void how_long_it_may_be_used(void **state)
{
    static const struct {
        const char *method;
        const char *rule_set;
        const char *until; /* of a check at 2026-11-22T00:00:0NZ */
        bool known;
        bool same;
    } rows[] = {
        {"dns-01", "BR 2.2.6 3.2.2.4.7", "2027-03-15T00:00:00Z", true, true},
        {"dns-persist-01", "BR 2.2.6 3.2.2.4.22", "2026-12-02T00:00:03Z", true, true},
        {"http-01", "BR 2.1.0 3.2.2.4.19", "2027-03-15T00:00:00Z", true, false},
        {"caa", "BR 2.2.6 3.2.2.8", "", true, true},
        {"by-pigeon", "BR 9.9.9 3.2.2.4.99", "", false, false},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__EvidenceRecord record = IPC__EVIDENCE_RECORD__INIT;
        int64_t at = CHECKED + ((int64_t)i + 1) * SECOND;
        record.authorization_id = AUTHORIZATION;
        record.checked_us = at;
        record.primary = seen("primary", true);
        put_dimension(10 + (int64_t)i, rows[i].method, rows[i].rule_set);
        put_frame(&record, 10 + (int64_t)i, at, true);
        json_t *answer = show_it();
        const json_t *check = check_at(answer, i + 1);
        const json_t *rule = json_object_get(check, "rule");
        assert_int_equal(json_is_true(json_object_get(rule, "known")), rows[i].known);
        assert_int_equal(json_is_true(json_object_get(rule, "same_version")), rows[i].same);
        assert_string_equal(text(check, "usable_until"), rows[i].until);
        assert_true(json_is_null(json_object_get(check, "corroboration")));
        json_decref(answer);
    }
}

/* The rest is told all the same. */
static void what_cannot_be_read_is_said(void **state)
{
    char path[160];
    uint8_t byte = 0;
    lt_res r;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/000001.seg", evidence);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, STORE_SEGMENT_HEADER_LEN + 60), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, STORE_SEGMENT_HEADER_LEN + 60), 1);
    json_t *answer = show_it();
    assert_non_null(strstr(text(check_at(answer, 0), "integrity"), "damaged"));
    assert_null(json_object_get(check_at(answer, 0), "statement"));
    assert_string_equal(text(check_at(answer, 0), "method"), "http-01");
    assert_string_equal(text(check_at(answer, 1), "integrity"), "intact");
    json_decref(answer);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, STORE_SEGMENT_HEADER_LEN + 60), 1);
    assert_int_equal(close(fd), 0);

    answer = show("5", NULL, &r);
    assert_ok(r);
    assert_non_null(strstr(text(check_at(answer, 0), "integrity"), "no folder"));
    json_decref(answer);
    answer = show("5", "/nowhere/at/all", &r);
    assert_ok(r);
    assert_string_not_equal(text(check_at(answer, 0), "integrity"), "intact");
    json_decref(answer);
}

static void what_is_not_there(void **state)
{
    static const char *const ids[] = {"6", "0"};
    static const char *const bad[] = {"", "x", "-5", "05", "99999999999999999999"};
    lt_res r;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(ids); i++) {
        assert_null(show(ids[i], evidence, &r));
        assert_int_equal(r.code, LT_PEER_NOT_FOUND);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_null(show(bad[i], evidence, &r));
        assert_int_equal(lt_class_of(r.code), LT_CLASS_PEER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_told),      cmocka_unit_test(signatures_are_judged),
        cmocka_unit_test(how_long_it_may_be_used), cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(what_is_not_there),
    };
    return cmocka_run_group_tests_name("story", tests, set_up, tear_down);
}
