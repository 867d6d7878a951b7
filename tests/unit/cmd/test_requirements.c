/* The map of requirements, editions and their comparison, and what citations name. */
#include "check.h"

#include "cmd/requirements.h"
#include "crypto/digest.h"

#define HEAD "# a map\ndocument\tedition\tsection\tline\tkey\tkeywords\tsummary\tstatus\tkept-by\treason\n"
#define EDITION "doc\tsection\ttitle\tline\tkind\tfield\tkeywords\ttext\n"

const char requirements_shipped[] = "";
const struct cmd_verb *const cmd_verbs[1];
const size_t cmd_verb_count = 0;

static struct lt_arena arena;

static int make_arena(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 24);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static void a_map_is_read(void **state)
{
    (void)state;
    struct requirement_map map;
    assert_ok(requirements_read(
        &arena,
        lt_slice_cstr(HEAD "BR\t2.2.6\t7.1\t9\tab12\tMUST\twhat it asks\tkept\trule:a code:b\t-\n"
                           "\n# between\n"
                           "RFC 5280\t2008\t4.1\t-\tab12~2\t-\t-\tnot-yet\t-\t-\n"),
        "m.tsv", &map));
    assert_int_equal(map.count, 2);
    assert_slice(map.rows[0].kept_by, "rule:a code:b");
    assert_slice(map.rows[0].reason, "");
    assert_int_equal(map.rows[0].status, REQUIREMENT_KEPT);
    assert_int_equal(map.rows[1].status, REQUIREMENT_NOT_YET);
    assert_ptr_equal(requirements_find(&map, LT_LIT("RFC 5280"), LT_LIT("4.1"), LT_LIT("ab12~2")),
                     &map.rows[1]);
    assert_null(requirements_find(&map, LT_LIT("RFC 5280"), LT_LIT("4.1"), LT_LIT("ab12")));
    assert_null(requirements_find(&map, LT_LIT("BR"), LT_LIT("7.2"), LT_LIT("ab12")));
}

static void a_map_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "m.tsv: not the head of such a map"},
        {"document\tedition\n", "m.tsv:1: not the head of such a map"},
        {HEAD "BR\t1\t7\t9\tk\t-\t-\tkept\ta\n", "m.tsv:3: 9 columns instead of 10"},
        {HEAD "BR\t1\t7\t9\tk\t-\t-\tkept\ta\t-\t-\n", "m.tsv:3: more than 10 columns"},
        {HEAD "\nBR\t1\t7\t9\tk\t-\t-\tdone\ta\t-\n",
         "m.tsv:4: status \"done\": kept, procedural, not-applicable or not-yet"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct requirement_map map;
        assert_fails(requirements_read(&arena, lt_slice_cstr(rows[i].text), "m.tsv", &map),
                     LT_PEER_MALFORMED);
        assert_string_equal(lt_error_last()->detail, rows[i].says);
    }
}

static void keys(void **state)
{
    (void)state;
    struct edition e;
    assert_ok(requirements_edition(&arena,
                                   lt_slice_cstr(EDITION "BR\t7.1\tT\t1\tprose\t\tMUST\t The CA  MUST do. \n"
                                                         "BR\t7.1\tT\t2\tprose\t\tMUST\tThe CA MUST do.\r\n"
                                                         "BR\t7.2\tT\t3\tprose\t\tMUST\tThe CA MUST do.\n"
                                                         "BR\t7.2\tT\t4\ttable\tf\tMUST\tThe CA MUST do.\n"
                                                         "BR\t7.2\tT\t4\tprose\t\t\t\n"),
                                   "e.tsv", &e));
    assert_int_equal(e.count, 5);
    /* printf '\tThe CA MUST do.' | sha256sum, printf 'f\tThe CA MUST do.' | sha256sum */
    assert_string_equal(e.rows[0].key, "8a18f792b36e28a6");
    assert_string_equal(e.rows[1].key, "8a18f792b36e28a6~2");
    assert_string_equal(e.rows[2].key, "8a18f792b36e28a6");
    assert_string_equal(e.rows[3].key, "3c4ba67accbbe205");
    assert_fails(requirements_edition(&arena, LT_LIT("doc\tsection\n"), "e.tsv", &e), LT_PEER_MALFORMED);
    assert_fails(requirements_edition(&arena, lt_slice_cstr(EDITION "BR\t7.1\n"), "e.tsv", &e),
                 LT_PEER_MALFORMED);
    assert_string_equal(lt_error_last()->detail, "e.tsv:2: not 8 columns");
}

/* One line for each statement: the change, and the old line. */
static const char *compared(const char *old_text, const char *new_text)
{
    static char said[1024];
    struct edition old;
    struct edition new;
    size_t at = 0;
    said[0] = 0;
    assert_ok(requirements_edition(&arena, lt_slice_cstr(old_text), "old", &old));
    assert_ok(requirements_edition(&arena, lt_slice_cstr(new_text), "new", &new));
    assert_ok(requirements_match(&old, &new));
    for (size_t i = 0; i < new.count; i++) {
        const struct statement *s = new.rows[i].partner == SIZE_MAX ? NULL : &old.rows[new.rows[i].partner];
        at += (size_t)snprintf(said + at, sizeof said - at, "%s%s", i > 0 ? " " : "",
                               requirements_change_name(requirements_change(s, &new.rows[i])));
        if (s != NULL) {
            at += (size_t)snprintf(said + at, sizeof said - at, ":%.*s", LT_FMT(s->line));
        }
    }
    for (size_t i = 0; i < old.count; i++) {
        if (old.rows[i].partner == SIZE_MAX) {
            at += (size_t)snprintf(said + at, sizeof said - at, " -%.*s", LT_FMT(old.rows[i].line));
        }
    }
    return said;
}

#define S(section_, line_, text_) "BR\t" section_ "\tT\t" line_ "\tprose\t\tMUST\t" text_ "\n"
#define LONG "The CA MUST revoke a certificate within 24 hours when the key is known to be compromised"

static void editions_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *old_text;
        const char *new_text;
        const char *says;
    } rows[] = {
        {EDITION S("1", "1", "a MUST b"), EDITION S("1", "5", "a MUST b"), "same:1"},
        {EDITION, EDITION S("1", "5", "a MUST b"), "added"},
        {EDITION S("1", "1", "a MUST b") S("1", "2", "x SHALL y z"), EDITION S("1", "5", "a MUST b"),
         "same:1 -2"},
        {EDITION S("1", "1", LONG), EDITION S("1", "1", LONG " or stolen"), "reworded:1"},
        {EDITION S("1", "1", LONG), EDITION S("1", "1", "Nothing of this is in the other one at all"),
         "added -1"},
        {EDITION S("1", "1", "a MUST b"), EDITION S("2", "1", "a MUST b"), "moved:1"},
        {EDITION S("1", "1", LONG), EDITION S("2", "1", LONG " now"), "moved-reworded:1"},
        {EDITION S("1", "1", "a b c d e"), EDITION S("2", "1", "a b c x y"), "added -1"},
        /* the same text twice, and one of them goes */
        {EDITION S("1", "1", "a MUST b") S("1", "2", "a MUST b"), EDITION S("1", "1", "a MUST b"),
         "same:1 -2"},
        {EDITION S("1", "1", "a MUST b"), EDITION S("1", "1", "a MUST b") S("1", "2", "a MUST b"),
         "same:1 added"},
        /* the likest wins, whichever comes first */
        {EDITION S("1", "1", LONG " x y z") S("1", "2", LONG " x"), EDITION S("1", "1", LONG " x q"),
         "reworded:2 -1"},
        /* another document is another matter */
        {EDITION S("1", "1", "a MUST b"), EDITION "EVG\t1\tT\t1\tprose\t\tMUST\ta MUST b\n", "added -1"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_string_equal(compared(rows[i].old_text, rows[i].new_text), rows[i].says);
    }
}

static void citations(void **state)
{
    (void)state;
    static const struct {
        const char *citation;
        const char *document;
        const char *section;
        bool cites;
    } rows[] = {
        {"BR 7.1.2.7.6", "BR", "7.1.2.7.6", true},
        {"BR 7.1.2.7.6", "BR", "7.1.2.7", false},
        {"SBR 7.1.2.3 e", "SBR", "7.1.2.3", true},
        {"SBR 7.1.2.3 e", "BR", "7.1.2.3", false},
        {"BR 7.1.2.1, 7.1.2.2(c)", "BR", "7.1.2.2", true},
        {"RFC 5280 4.2.1.6; BR 7.1.2.7.12", "BR", "7.1.2.7.12", true},
        {"RFC 5280 4.2.1.6; BR 7.1.2.7.12", "BR", "4.2.1.6", false},
        {"RFC 5280 4.2.1.6; BR 7.1.2.7.12", "RFC 5280", "7.1.2.7.12", false},
        {"RFC 5280 A.1", "RFC 5280", "A.1", true},
        {"RFC 5280 4.2", "RFC 6960", "4.2", false},
        {"Ballot 201; EVG 9.8.1", "EVG", "9.8.1", true},
        {"", "BR", "7", false},
        {" ,; ", "BR", "7", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(requirements_cites(rows[i].citation, lt_slice_cstr(rows[i].document),
                                            lt_slice_cstr(rows[i].section)),
                         rows[i].cites);
    }
    assert_false(requirements_cites(NULL, LT_LIT("BR"), LT_LIT("7")));
}

int main(void)
{
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_is_read),         cmocka_unit_test(a_map_is_refused), cmocka_unit_test(keys),
        cmocka_unit_test(editions_are_compared), cmocka_unit_test(citations),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
