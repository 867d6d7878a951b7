/* Questions that prove something, and those to which every domain has the answer already. */
#include "check.h"
#include "validate/question.h"

#define TOKEN "0123456789-ABCDEFGHIJ_"
#define THUMB ".AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"
#define VALUE "0123456789abcdefghijklmnopqrst-_"
#define ACCOUNT "https://ca.example/acme/account/1"

struct row {
    const char *method;
    const char *identifier;
    const char *token;
    const char *authorization;
    const char *expected;
    const char *account;
    const char *perspective;
    const char *why; /* NULL: it can be asked */
};

static const struct row rows[] = {
    {"http-01", "dns", TOKEN, TOKEN THUMB, "", "", "eu", NULL},
    {"http-01", "ip", TOKEN "0", TOKEN "0" THUMB, "", "", "", NULL},
    {"dns-01", "dns", TOKEN, TOKEN THUMB, "", "", "eu", NULL},
    {"tls-alpn-01", "dns", TOKEN, TOKEN THUMB, "", "", "eu", NULL},
    {"dns-account-01", "dns", TOKEN, TOKEN THUMB, "", ACCOUNT, "eu", NULL},
    {"dns-persist-01", "dns", "", "", "", ACCOUNT, "eu", NULL},
    {"dns-persist-01", "ip", "", "", "", ACCOUNT, "eu", NULL},
    {"dns-change", "dns", "_lintel", "", VALUE, "", "eu", NULL},
    {"website-change", "dns", "lintel.txt", "", VALUE, "", "eu", NULL},
    {"email-caa-contact", "dns", "", "", "a@example.com", "", "eu", NULL},
    {"email-caa-contact", "dns", "", "", "", "", "", NULL}, /* who there is: the primary one alone */
    {"caa", "dns", "dns-01", "", "", "", "eu", NULL},

    /* any file of a web server */
    {"http-01", "dns", "../../robots.txt", "User-agent: *", "", "", "eu", "token"},
    {"http-01", "dns", "", "User-agent: *", "", "", "eu", "token"},
    {"http-01", "dns", "0123456789-ABCDEFGHIJ", "0123456789-ABCDEFGHIJ" THUMB, "", "", "eu", "token"},
    {"http-01", "dns", TOKEN "/", TOKEN "/" THUMB, "", "", "eu", "token"},
    {"http-01", "dns", TOKEN "?", TOKEN "?" THUMB, "", "", "eu", "token"},
    /* a page that says the same to everything */
    {"http-01", "dns", TOKEN, "It works!", "", "", "eu", "key authorization"},
    {"http-01", "dns", TOKEN, "", "", "", "eu", "key authorization"},
    {"http-01", "dns", TOKEN, TOKEN, "", "", "eu", "key authorization"},
    {"http-01", "dns", TOKEN, TOKEN ".", "", "", "eu", "key authorization"},
    {"http-01", "dns", TOKEN, TOKEN THUMB "L", "", "", "eu", "key authorization"},
    {"http-01", "dns", TOKEN, TOKEN ".AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKK", "", "", "eu",
     "key authorization"},
    {"http-01", "dns", TOKEN, TOKEN ".AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKK=", "", "", "eu",
     "key authorization"},
    {"http-01", "dns", TOKEN, "X123456789-ABCDEFGHIJ_" THUMB, "", "", "eu", "key authorization"},
    {"dns-01", "dns", "_dmarc", "_dmarc" THUMB, "", "", "eu", "token"},
    {"tls-alpn-01", "dns", TOKEN, "x", "", "", "eu", "key authorization"},
    {"dns-account-01", "dns", TOKEN, TOKEN THUMB, "", "", "eu", "account"},
    {"dns-account-01", "dns", "x", "x" THUMB, "", ACCOUNT, "eu", "token"},
    /* records that stay */
    {"dns-persist-01", "dns", "", "", "", "", "eu", "account"},
    {"dns-persist-01", "dns", "", "", "", "1", "eu", "account"},
    {"dns-persist-01", "dns", "", "", "", "https://", "eu", "account"},
    {"dns-persist-01", "dns", "", "", "", ACCOUNT "; policy=wildcard", "eu", "account"},
    {"dns-persist-01", "dns", TOKEN, "", "", ACCOUNT, "eu", "token"},
    /* what stands in every zone, and a digest that an old dns-01 left behind */
    {"dns-change", "dns", "_dmarc", "", "v=DMARC1; p=none", "", "eu", "random value"},
    {"dns-change", "dns", "", "", "v=spf1 include:_spf.example -all", "", "eu", "random value"},
    {"dns-change", "dns", "_acme-challenge", "", VALUE, "", "eu", "place"},
    {"dns-change", "dns", "", "", VALUE, "", "eu", "underscore"},
    {"dns-change", "dns", "lintel", "", VALUE, "", "eu", "underscore"},
    {"dns-change", "dns", "_lintel", "", "", "", "eu", "random value"},
    {"dns-change", "dns", "_lintel", "", VALUE "0", "", "eu", "random value"},
    {"dns-change", "dns", "_lintel", "", "0123456789abcdefghijklmnopqrst- ", "", "eu", "random value"},
    {"website-change", "dns", "fileauth.txt", "", VALUE, "", "eu", "place"},
    {"website-change", "dns", "../../robots.txt", "", VALUE, "", "eu", "place"},
    {"website-change", "dns", "lintel.txt", "", "a line of sixteen", "", "eu", "random value"},
    /* nobody answered a letter */
    {"email-constructed", "dns", "", "", "", "", "eu", "letter"},
    {"email-caa-contact", "dns", "", "", "", "", "eu", "letter"},
    {"email-txt-contact", "dns", "", "", "", "", "eu", "letter"},
    {"email-txt-contact", "dns", "", "", "example.com", "", "eu", "mail address"},
    {"caa", "dns", "", "", "", "", "eu", "method"},
    {"caa", "dns", "dns-02", "", "", "", "", "method"},
};

static char *word(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c has no const strings; only read */
}

static void test_rows(void **state)
{
    unsigned bad = 0;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        const struct validate_method *m = validate_method_find(r->method, r->identifier);
        Ipc__Validate q = IPC__VALIDATE__INIT;
        q.method = word(r->method);
        q.token = word(r->token);
        q.key_authorization = word(r->authorization);
        q.expected = word(r->expected);
        q.account_uri = word(r->account);
        q.perspective = word(r->perspective);
        assert_non_null(m);
        const char *why = validate_question_refusal(m, &q);
        bool fits = r->why == NULL ? why == NULL : why != NULL && strstr(why, r->why) != NULL;
        if (!fits) {
            print_error("%s \"%s\" \"%s\": %s\n", r->method, r->token, r->expected, why == NULL ? "-" : why);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* Every way to prove control is somewhere above, asked well and asked badly. */
static void test_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < validate_method_count; i++) {
        bool good = false;
        bool refused = false;
        for (size_t k = 0; k < LT_COUNT(rows); k++) {
            bool this = strcmp(rows[k].method, validate_methods[i].name) == 0;
            good = good || (this && rows[k].why == NULL);
            refused = refused || (this && rows[k].why != NULL);
        }
        bool mail = validate_methods[i].kind == VALIDATE_KIND_MAIL; /* one check for all three */
        assert_true((good || mail) && refused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
