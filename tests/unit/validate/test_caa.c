/* What CAA says: grammar, tags, wildcards, accounts, methods; nothing that does not parse is permission. */
#include "check.h"

#include "base/buf.h"
#include "validate/caa.h"

#define US "ca.example"
#define ME "https://ca.example/acme/account/7"

static struct lt_arena arena;

/* A property as the wire has it: flags, tag, value. */
struct wire {
    uint8_t flags;
    const char *tag;
    const char *value;
};

static lt_slice rdata_of(const struct wire *w, struct lt_buf *out)
{
    lt_buf_reset(out);
    lt_buf_add_byte(out, w->flags);
    lt_buf_add_byte(out, (uint8_t)strlen(w->tag));
    lt_buf_add_cstr(out, w->tag);
    lt_buf_add_cstr(out, w->value);
    return lt_buf_slice(out);
}

static bool ask(const struct wire *set, size_t count, const struct validate_caa_question *q,
                const char **ret_why)
{
    struct validate_caa_property list[VALIDATE_CAA_MAX + 1];
    struct lt_buf bufs[8];
    struct validate_caa_verdict v;
    assert_true(count <= LT_COUNT(bufs));
    for (size_t i = 0; i < count; i++) {
        lt_buf_init(&bufs[i], 4096);
        assert_ok(validate_caa_parse(rdata_of(&set[i], &bufs[i]), &list[i]));
    }
    validate_caa_judge(list, count, q, &arena, &v);
    assert_non_null(v.why);
    assert_true(v.decided_by <= count);
    *ret_why = v.why;
    for (size_t i = 0; i < count; i++) {
        lt_buf_done(&bufs[i]);
    }
    return v.permitted;
}

static const struct {
    struct wire set[3];
    bool wildcard;
    bool permitted;
    const char *why; /* words that stand in the reason */
} rows[] = {
    {{{0, "issue", US}}, false, true, "names this CA"},
    {{{0, "ISSUE", "CA.Example"}}, false, true, "names this CA"},
    {{{0, "issue", " \tca.example\t "}}, false, true, "names this CA"},
    {{{128, "issue", US}}, false, true, "names this CA"},
    {{{0, "issue", "other.example"}}, false, false, "another CA"},
    {{{0, "issue", "ca.example.other"}}, false, false, "another CA"},
    {{{0, "issue", ""}}, false, false, "another CA, or none"},
    {{{0, "issue", ";"}}, false, false, "another CA, or none"},
    {{{0, "issue", "; policy=ev"}}, false, false, "another CA, or none"},
    {{{0, "issue", ";"}, {0, "issue", US}}, false, true, "names this CA"},
    {{{0, "issue", "other.example"}, {0, "issue", US}}, false, true, "names this CA"},
    {{{0, "iodef", "mailto:a@b.example"}}, false, true, "restricts nothing"},
    {{{128, "iodef", "mailto:a@b.example"}}, false, true, "restricts nothing"},
    {{{0, "issuemail", "other.example"}}, false, true, "restricts nothing"},
    {{{128, "issuemail", "other.example"}}, false, true, "restricts nothing"},
    {{{0, "tbs", "Unknown"}}, false, true, "restricts nothing"},
    {{{128, "tbs", "Unknown"}}, false, false, "critical property tbs"},
    {{{0, "issue", US}, {128, "tbs", "Unknown"}}, false, false, "critical property tbs"},
    {{{1, "tbs", "Unknown"}}, false, true, "restricts nothing"}, /* only bit 0, the highest, is critical */
    {{{0, "issue", US}}, true, true, "names this CA"},
    {{{0, "issuewild", US}}, true, true, "names this CA"},
    {{{0, "issuewild", US}}, false, true, "restricts nothing"},
    {{{0, "issuewild", ";"}}, false, true, "restricts nothing"},
    {{{0, "issuewild", ";"}}, true, false, "another CA, or none"},
    {{{0, "issue", US}, {0, "issuewild", "other.example"}}, true, false, "property issuewild"},
    {{{0, "issue", "other.example"}, {0, "issuewild", US}}, true, true, "names this CA"},
    {{{0, "issue", "other.example"}, {0, "issuewild", US}}, false, false, "property issue "},
    {{{0, "issue", US "; accounturi=" ME}}, false, true, "names this CA"},
    {{{0, "issue", US ";accounturi=" ME ";validationmethods=dns-01,http-01"}}, false, true, "names this CA"},
    {{{0, "issue", US "; AccountURI=" ME}}, false, true, "names this CA"},
    {{{0, "issue", US "; accounturi=" ME "8"}}, false, false, "another account"},
    {{{0, "issue", US "; accounturi="}}, false, false, "another account"},
    {{{0, "issue", US "; accounturi=" ME "; accounturi=" ME}}, false, false, "another account"},
    {{{0, "issue", US "; validationmethods=dns-01"}}, false, false, "validation method"},
    {{{0, "issue", US "; validationmethods=http-01x,xhttp-01"}}, false, false, "validation method"},
    {{{0, "issue", US "; validationmethods=HTTP-01"}}, false, false, "validation method"},
    {{{0, "issue", US "; validationmethods="}}, false, false, "validation method"},
    {{{0, "issue", US "; unknown=1"}}, false, true, "names this CA"},
    {{{0, "issue", US ";"}}, false, true, "names this CA"},
    {{{0, "issue", US "; a=1;"}}, false, false, "grammar"},
    {{{0, "issue", US "; a"}}, false, false, "grammar"},
    {{{0, "issue", US "; =1"}}, false, false, "grammar"},
    {{{0, "issue", US "; -a=1"}}, false, false, "grammar"},
    {{{0, "issue", US "; a=1 2"}}, false, false, "grammar"},
    {{{0, "issue", US "; a=\x01"}}, false, false, "grammar"},
    {{{0, "issue", US "."}}, false, false, "grammar"},
    {{{0, "issue", ".ca.example"}}, false, false, "grammar"},
    {{{0, "issue", "ca..example"}}, false, false, "grammar"},
    {{{0, "issue", "-ca.example"}}, false, false, "grammar"},
    {{{0, "issue", "ca_a.example"}}, false, false, "grammar"},
    {{{0, "issue", "ca.example other.example"}}, false, false, "grammar"},
    {{{0, "issue", "%%%%%"}}, false, false, "grammar"},
};

static void what_a_set_says(void **unused)
{
    (void)unused;
    static const char *const us[] = {"other-name-of-ours.example", US};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct validate_caa_question q = {
            .issuer_domains = us,
            .issuer_count = LT_COUNT(us),
            .wildcard = rows[i].wildcard,
            .account_uri = LT_LIT(ME),
            .method = LT_LIT("http-01"),
        };
        size_t count = 0;
        const char *why = NULL;
        while (count < LT_COUNT(rows[i].set) && rows[i].set[count].tag != NULL) {
            count++;
        }
        bool permitted = ask(rows[i].set, count, &q, &why);
        if (permitted != rows[i].permitted || strstr(why, rows[i].why) == NULL) {
            fail_msg("row %zu (%s \"%s\"): %s, \"%s\"", i, rows[i].set[0].tag, rows[i].set[0].value,
                     permitted ? "permitted" : "refused", why);
        }
    }
}

/* Without an account or a method of its own, a request fits no property that asks for one. */
static void nobody_in_particular(void **unused)
{
    (void)unused;
    static const char *const us[] = {US};
    static const struct wire account = {0, "issue", US "; accounturi="};
    static const struct wire method = {0, "issue", US "; validationmethods=,"};
    const struct validate_caa_question q = {.issuer_domains = us, .issuer_count = 1};
    const char *why = NULL;
    assert_false(ask(&account, 1, &q, &why));
    assert_false(ask(&method, 1, &q, &why));
    const struct validate_caa_question nobody = {.method = LT_LIT("http-01")};
    static const struct wire anybody = {0, "issue", ";"};
    assert_false(ask(&anybody, 1, &nobody, &why));
}

static void too_many(void **unused)
{
    (void)unused;
    static const char *const us[] = {US};
    struct validate_caa_property many[VALIDATE_CAA_MAX + 1];
    struct validate_caa_verdict v;
    const struct validate_caa_question q = {.issuer_domains = us, .issuer_count = 1};
    for (size_t i = 0; i < LT_COUNT(many); i++) {
        many[i] = (struct validate_caa_property){
            .tag = VALIDATE_CAA_ISSUE, .name = LT_LIT("issue"), .value = LT_LIT(US)};
    }
    validate_caa_judge(many, LT_COUNT(many), &q, &arena, &v);
    assert_false(v.permitted);
    validate_caa_judge(many, LT_COUNT(many) - 1, &q, &arena, &v);
    assert_true(v.permitted);
}

static void what_is_no_property(void **unused)
{
    (void)unused;
    static const lt_slice bad[] = {
        LT_LIT(""),
        LT_LIT("\x00"),
        LT_LIT("\x00\x00"),
        LT_LIT("\x00\x05issu"),
        LT_LIT("\x00\xffissue"),
        LT_LIT("\x00\x05iss e"),
        LT_LIT("\x00\x05iss-e"),
        LT_LIT("\x00\x02i\xc3\xa4"),
    };
    struct validate_caa_property p;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(validate_caa_parse(bad[i], &p), LT_PEER_MALFORMED);
    }
    struct lt_buf text;
    lt_buf_init(&text, 100);
    assert_ok(validate_caa_parse(LT_LIT("\x80\x05issueca\"\\\x07\xe9"), &p));
    validate_caa_text(&p, &text);
    assert_slice(lt_buf_slice(&text), "128 issue \"ca\\\"\\\\\\007\\233\"");
    lt_buf_done(&text);
}

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_set_says),
        cmocka_unit_test(nobody_in_particular),
        cmocka_unit_test(too_many),
        cmocka_unit_test(what_is_no_property),
    };
    return cmocka_run_group_tests_name("caa", tests, set_up, tear_down);
}
