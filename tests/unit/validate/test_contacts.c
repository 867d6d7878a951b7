/* What is a mail address that a letter may go to, and which can be constructed for a name. */
#include "check.h"
#include "validate/contacts.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define D63 "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static const char *const good[] = {
    "security@example.com",
    "a@b",
    "a.b+c_d@sub.example.com",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "0@0.example",
    "x@xn--bcher-kva.example",
    A64 "@example.com",
    "x@" D63 ".example",
    "Security@EXAMPLE.com",
};

/*= CABF-BR A.1.1 "with no additional padding or structure, or it cannot be used." */
static const char *const bad[] = {
    "",
    "@",
    "example.com",
    "security@",
    "@example.com",
    " security@example.com",
    "security@example.com ",
    "security@example.com\n",
    "security@example.com, admin@example.com",
    "security@example.com;",
    "<security@example.com>",
    "Security <security@example.com>",
    "mailto:security@example.com",
    "security@example.com?subject=x",
    "security@@example.com",
    "security@example@example.com",
    ".security@example.com",
    "security.@example.com",
    "se..curity@example.com",
    "\"se curity\"@example.com",
    "security(comment)@example.com",
    "security@[192.0.2.1]",
    "security@example.com.",
    "security@.example.com",
    "security@example..com",
    "security@-example.com",
    "security@example-.com",
    "security@exa_mple.com",
    "security@b\xc3\xbc"
    "cher.example",
    "s\xc3\xa9"
    "curity@example.com",
    A64 "a@example.com",
    "x@" D63 "d.example",
    "x@" D63 "." D63 "." D63 "." D63,
    "security@example.com\r\nBcc: x@example.com",
};

static void test_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        if (!validate_contact_is(lt_slice_cstr(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        if (validate_contact_is(lt_slice_cstr(bad[i]))) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_false(validate_contact_is(LT_LIT("a\0b@example.com")));
}

static void test_equal(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        {"a@example.com", "a@example.com", true},
        {"a@example.com", "a@EXAMPLE.com", true},
        {"a@example.com", "A@example.com", false},
        {"a@example.com", "a@example.org", false},
        {"a@example.com", "aa@example.com", false},
        {"a@example.com", "a@example.com ", false},
        {"", "", false},
        {"x", "x", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice a = lt_slice_cstr(rows[i].a);
        lt_slice b = lt_slice_cstr(rows[i].b);
        assert_int_equal(validate_contact_equal(a, b), rows[i].equal);
        assert_int_equal(validate_contact_equal(b, a), rows[i].equal);
    }
}

/*= CABF-BR 3.2.2.4.4 "followed by the at-sign ("@"), followed by an Authorization Domain Name" */
static void test_constructed(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *name;
        const char *highest;
        bool fits;
    } rows[] = {
        {"admin@example.com", "www.example.com", "example.com", true},
        {"administrator@www.example.com", "www.example.com", "example.com", true},
        {"webmaster@b.example.com", "a.b.example.com", "example.com", true},
        {"hostmaster@example.com", "example.com", "example.com", true},
        {"postmaster@EXAMPLE.com", "example.com", "example.com", true},
        {"root@example.com", "example.com", "example.com", false},
        {"Admin@example.com", "example.com", "example.com", false},
        {"admin+x@example.com", "example.com", "example.com", false},
        {"admin@com", "www.example.com", "example.com", false},
        {"admin@example.com", "www.example.com", "www.example.com", false},
        {"admin@ample.com", "www.example.com", "example.com", false},
        {"admin@other.example.com", "www.example.com", "example.com", false},
        {"admin@x.www.example.com", "www.example.com", "example.com", false},
        {"admin@example.org", "www.example.com", "example.com", false},
        {"admin@example.com", "www.example.com", "", false},
        {"admin@example.com", "", "example.com", false},
        {"admin@", "www.example.com", "example.com", false},
        {"admin", "www.example.com", "example.com", false},
        {"", "www.example.com", "example.com", false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        bool fits = validate_contact_constructed(lt_slice_cstr(rows[i].address), lt_slice_cstr(rows[i].name),
                                                 lt_slice_cstr(rows[i].highest));
        if (fits != rows[i].fits) {
            fail_msg("%s for %s up to %s", rows[i].address, rows[i].name, rows[i].highest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_constructed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
