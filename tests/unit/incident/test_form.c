/* What the incident desk is asked, on the wire; and that whatever may be asked is answered by somebody. */
#include "check.h"

#include <jansson.h>

#include "incident/ask.h"
#include "incident/form.h"
#include "incident/op.h"
#include "jose/json.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static const struct incident_field fields[] = {
    {"title", INCIDENT_TEXT, true, 20},   {"notes", INCIDENT_TEXTS, false, 5},
    {"count", INCIDENT_NUMBER, false, 9}, {"aware", INCIDENT_TIME, false, 0},
    {"hash", INCIDENT_HEX, false, 4},     {"raw", INCIDENT_BASE64, false, 4},
    {"drill", INCIDENT_FLAG, false, 0},   {"scope", INCIDENT_SCOPE, false, 0},
};
static const struct incident_form form = {
    {"POST", "tests/{id}", "test.run", CA_API_CALL}, fields, LT_COUNT(fields)};

static lt_res take(const char *text, Ipc__DeskWanted **ret_wanted)
{
    LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
    LT_TRY(jose_json_object(lt_slice_cstr(text), &payload));
    return incident_form_take(&form, payload, &arena, ret_wanted);
}

static void members_are_typed(void **state)
{
    (void)state;
    Ipc__DeskWanted *w = NULL;
    assert_ok(
        take("{\"title\":\"CAA\",\"notes\":[\"a\",\"b\"],\"count\":9,\"aware\":\"2020-02-29T03:08:00Z\","
             "\"hash\":\"00ff\",\"raw\":\"AAE\",\"drill\":true,\"scope\":\"not  expired\"}",
             &w));
    struct incident_call c = {.m = w, .id = "17"};
    int64_t id = 0;
    assert_string_equal(incident_text(&c, "title"), "CAA");
    assert_string_equal(incident_text_nth(&c, "notes", 1), "b");
    assert_null(incident_text_nth(&c, "notes", 2));
    assert_int_equal(incident_number(&c, "count"), 9);
    assert_int_equal(incident_number(&c, "aware"), INT64_C(1582945680) * LT_US_PER_SECOND);
    assert_int_equal(incident_data(&c, "hash").len, 2);
    assert_int_equal(incident_data(&c, "raw").ptr[1], 1);
    assert_int_equal(incident_number(&c, "drill"), 1);
    assert_string_equal(incident_text(&c, "scope"), "not expired");
    assert_int_equal(incident_data(&c, "scope").len, 32);
    assert_false(incident_given(&c, "other"));
    assert_ok(incident_id(&c, &id));
    assert_int_equal(id, 17);
    c.id = "seventeen";
    assert_fails(incident_id(&c, &id), LT_PEER_NOT_FOUND);
}

static void bad_members_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *says;
    } rows[] = {
        {"{}", LT_PEER_MALFORMED, "\"title\" is missing"},
        {"{\"title\":\"\"}", LT_PEER_MALFORMED, "\"title\" is empty"},
        {"{\"title\":7}", LT_PEER_MALFORMED, "\"title\" is not a text"},
        {"{\"title\":\"a\\u0000b\"}", LT_PEER_MALFORMED, ""},
        {"{\"title\":\"123456789012345678901\"}", LT_PEER_TOO_LARGE, "\"title\" has 21 bytes"},
        {"{\"title\":\"a\",\"titel\":\"b\"}", LT_PEER_MALFORMED, "\"titel\" is not a member"},
        {"{\"title\":\"a\",\"notes\":\"b\"}", LT_PEER_MALFORMED, "\"notes\" is no array"},
        {"{\"title\":\"a\",\"notes\":[1]}", LT_PEER_MALFORMED, "\"notes\" is not a text"},
        {"{\"title\":\"a\",\"notes\":[\"123456\"]}", LT_PEER_TOO_LARGE, "\"notes\" has 6 bytes"},
        {"{\"title\":\"a\",\"count\":10}", LT_PEER_MALFORMED, "\"count\" is not a number from 0 to 9"},
        {"{\"title\":\"a\",\"count\":-1}", LT_PEER_MALFORMED, "\"count\""},
        {"{\"title\":\"a\",\"count\":\"1\"}", LT_PEER_MALFORMED, "\"count\""},
        {"{\"title\":\"a\",\"aware\":\"yesterday\"}", LT_PEER_MALFORMED, "yesterday"},
        {"{\"title\":\"a\",\"aware\":1}", LT_PEER_MALFORMED, "\"aware\""},
        {"{\"title\":\"a\",\"hash\":\"0\"}", LT_PEER_MALFORMED, ""},
        {"{\"title\":\"a\",\"hash\":\"0011223344\"}", LT_PEER_TOO_LARGE, "\"hash\" has 5 bytes"},
        {"{\"title\":\"a\",\"raw\":\"***\"}", LT_PEER_MALFORMED, ""},
        {"{\"title\":\"a\",\"drill\":1}", LT_PEER_MALFORMED, "\"drill\" is neither"},
        {"{\"title\":\"a\",\"scope\":\"nonsense = 1\"}", LT_PEER_MALFORMED, ""},
        {"[]", LT_PEER_MALFORMED, ""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__DeskWanted *w = NULL;
        assert_fails(take(rows[i].text, &w), rows[i].code);
        assert_non_null(strstr(lt_error_last()->detail, rows[i].says));
    }
}

/* A request stays with its event: a key that somebody dictated may not. */
static void private_keys_are_refused_in_every_text(void **state)
{
    (void)state;
    static const struct incident_field words[] = {{"text", INCIDENT_TEXT, true, 4000},
                                                  {"about", INCIDENT_TEXTS, false, 300}};
    static const struct incident_form note = {
        {"POST", "tests/{id}/note", "test.note", CA_API_CALL}, words, LT_COUNT(words)};
#define JWK                                                            \
    "{\\\"kty\\\":\\\"EC\\\",\\\"crv\\\":\\\"P-256\\\",\\\"d\\\":\\\"" \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\\\"}"
#define PEM                                                                                \
    "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIKrRwnLuL3YAoS/bROeTQzUQobJRn4Cmtd" \
    "TQTcZdooDY\\n-----END PRIVATE KEY-----"
    static const struct {
        const char *text;
        int code;
        const char *says;
    } rows[] = {
        {"{\"text\":\"he read it out: " JWK "\"}", LT_PEER_MALFORMED, "\"text\" has a private key"},
        {"{\"text\":\"" PEM "\"}", LT_PEER_MALFORMED, "lintel problem prove"},
        {"{\"text\":\"-----BEGIN RSA PRIVATE KEY-----\\nMIIEdamaged\"}", LT_PEER_MALFORMED, "private key"},
        {"{\"text\":\"x\",\"about\":[\"a.example\",\"" PEM "\"]}", LT_PEER_MALFORMED, "\"about\""},
        {"{\"text\":\"the words BEGIN PRIVATE KEY, and {\\\"kty\\\":\\\"EC\\\"}, are no key at all\"}", 0,
         ""},
        {"{\"text\":\"-----BEGIN CERTIFICATE REQUEST-----\\nMIHpMIGP\\n-----END CERTIFICATE REQUEST-----\"}",
         0, ""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
        Ipc__DeskWanted *w = NULL;
        assert_ok(jose_json_object(lt_slice_cstr(rows[i].text), &payload));
        assert_int_equal(incident_form_take(&note, payload, &arena, &w).code, rows[i].code);
        assert_true(rows[i].code == 0 || strstr(lt_error_last()->detail, rows[i].says) != NULL);
    }
}

static bool is_asked(const char *what)
{
    for (size_t i = 0; i < incident_questions_count; i++) {
        for (size_t k = 0; k < incident_questions[i]->count; k++) {
            if (strcmp(incident_questions[i]->questions[k].what, what) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool has_form(const char *what)
{
    for (size_t i = 0; i < incident_form_area_count; i++) {
        for (size_t k = 0; k < incident_form_areas[i]->count; k++) {
            if (strcmp(incident_form_areas[i]->forms[k].route.what, what) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void every_path_has_somebody(void **state)
{
    (void)state;
    for (size_t i = 0; i < incident_form_area_count; i++) {
        for (size_t k = 0; k < incident_form_areas[i]->count; k++) {
            const struct ca_api_route *r = &incident_form_areas[i]->forms[k].route;
            bool there = r->kind == CA_API_CALL ? incident_op_find(r->what) != NULL : is_asked(r->what);
            if (!there) {
                fail_msg("%s %s: nobody answers \"%s\"", r->method, r->pattern, r->what);
            }
        }
    }
    for (size_t i = 0; i < incident_area_count; i++) {
        for (size_t k = 0; k < incident_areas[i]->ops.count; k++) {
            const char *op = incident_areas[i]->ops.ops[k].op;
            if (!has_form(op)) {
                fail_msg("\"%s\" has no path", op);
            }
        }
    }
}

static void paths(void **state)
{
    (void)state;
    struct ca_api_target t;
    assert_fails(incident_form_find(LT_LIT("GET"), LT_LIT("/api/v1/status"), &arena, &t), LT_PEER_NOT_FOUND);
    assert_fails(incident_form_find(LT_LIT("GET"), LT_LIT("/api/v1/nothing/at/all"), &arena, &t),
                 LT_PEER_NOT_FOUND);
    t.route = &ca_api_routes[0];
    assert_null(incident_form_of(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_typed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_members_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(private_keys_are_refused_in_every_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_path_has_somebody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("forms", tests, NULL, NULL);
}
