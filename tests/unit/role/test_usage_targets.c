/* usage/targets: lines that hold, lines that are refused with their number, and whose line is found. */
#include "../check.h"

#include <stdio.h>
#include <string.h>

#include "role/usage_targets.h"

static const char good[] = "# where we look\n"
                           "www.example.com 10.0.0.7\n"
                           "mail.example.com\t10.0.0.8:8443   # another port\n"
                           "\n"
                           "v6.example.com 2001:db8::1\r\n"
                           "v6port.example.com [2001:db8::2]:993\n"
                           "shop.example.com -\n"
                           ".example.org -\n"
                           "in.example.org 127.0.0.1:1\n"
                           "10.1.2.3 10.9.9.9";

static const struct usage_target *find(const struct usage_targets *t, const char *name)
{
    return usage_targets_find(t, lt_slice_cstr(name));
}

static void is_at(const struct usage_target *t, const char *address, uint16_t port)
{
    char text[VALIDATE_ADDRESS_TEXT];
    assert_non_null(t);
    assert_false(t->skip);
    validate_address_print(&t->address, text);
    assert_string_equal(text, address);
    assert_int_equal(t->port, port);
}

static void test_good(void **state)
{
    (void)state;
    struct usage_targets t;
    assert_ok(usage_targets_parse(lt_slice_cstr(good), &t));
    assert_int_equal(t.count, 8);
    is_at(find(&t, "www.example.com"), "10.0.0.7", 0);
    is_at(find(&t, "mail.example.com"), "10.0.0.8", 8443);
    is_at(find(&t, "v6.example.com"), "2001:db8::1", 0);
    is_at(find(&t, "v6port.example.com"), "2001:db8::2", 993);
    is_at(find(&t, "10.1.2.3"), "10.9.9.9", 0);
    assert_true(find(&t, "shop.example.com")->skip);
    assert_null(find(&t, "a.shop.example.com"));
    assert_null(find(&t, "example.com"));
    assert_null(find(&t, ""));
    assert_true(find(&t, "example.org")->skip);
    assert_true(find(&t, "a.b.example.org")->skip);
    is_at(find(&t, "in.example.org"), "127.0.0.1", 1); /* the nearer line */
    assert_null(find(&t, "badexample.org"));
    usage_targets_done(&t);
    assert_ok(usage_targets_parse(LT_LIT(""), &t));
    assert_null(find(&t, "www.example.com"));
    usage_targets_done(&t);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"www.example.com", "usage/targets:1:"},
        {"# fine\nwww.example.com somewhere\n", "usage/targets:2:"},
        {"www.example.com 10.0.0.7:0\n", "0 is no port"},
        {"www.example.com 10.0.0.7:65536\n", "usage/targets:1:"},
        {"www.example.com 10.0.0.7:\n", "usage/targets:1:"},
        {"www.example.com 10.0.0.7 10.0.0.8\n", "usage/targets:1:"},
        {"www.example.com [2001:db8::1\n", "usage/targets:1:"},
        {"www.example.com [2001:db8::1]\n", "usage/targets:1:"},
        {"WWW.example.com -\n", "lower case"},
        {"www..example.com -\n", "usage/targets:1:"},
        {"*.example.com -\n", "usage/targets:1:"},
        {"www.example.com. -\n", "usage/targets:1:"},
        {".example.com 10.0.0.7\n", "only \"-\""},
        {"a.example.com -\nb.example.com -\na.example.com 10.0.0.1\n", "stands twice"},
    };
    char line[700];
    struct usage_targets t;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = usage_targets_parse(lt_slice_cstr(rows[i].text), &t);
        assert_int_equal(lt_class_of(r.code), LT_CLASS_PEER);
        if (strstr(lt_error_last()->detail, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].text, lt_error_last()->detail);
        }
    }
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_fails(usage_targets_parse(lt_slice_cstr(line), &t), LT_PEER_TOO_LARGE);
}

static void test_no_file(void **state)
{
    (void)state;
    struct usage_targets t;
    assert_ok(usage_targets_load("/tmp", &t));
    assert_int_equal(t.count, 0);
    assert_true(lt_failed(usage_targets_load("/nonexistent", &t)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
