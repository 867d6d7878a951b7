/* A nonce is good once, here, and not for long. */
#include "acme/nonce.h"
#include "base/random.h"
#include "check.h"

static const uint8_t epoch[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct acme_nonces *make(const char *host)
{
    struct acme_nonces *n = NULL;
    assert_ok(acme_nonces_new(host, LT_SLICE(epoch, sizeof epoch), lt_random, &n));
    return n;
}

static void test_once(void **state)
{
    struct acme_nonces *n = make("a");
    char text[ACME_NONCE_TEXT];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        acme_nonce_draw(n, text);
        assert_int_equal(strlen(text), ACME_NONCE_TEXT - 1);
        assert_ok(acme_nonce_redeem(n, lt_slice_cstr(text)));
        assert_fails(acme_nonce_redeem(n, lt_slice_cstr(text)), LT_PEER_BAD_NONCE);
    }
    acme_nonces_free(n);
}

/* 10,000 replays of one nonce, other clients' nonces in between: one is taken. */
static void test_replays(void **state)
{
    struct acme_nonces *n = make("a");
    char text[ACME_NONCE_TEXT];
    char other[ACME_NONCE_TEXT];
    unsigned taken = 0;
    (void)state;
    acme_nonce_draw(n, text);
    for (int i = 0; i < 10000; i++) {
        taken += !lt_failed(acme_nonce_redeem(n, lt_slice_cstr(text)));
        acme_nonce_draw(n, other);
        assert_ok(acme_nonce_redeem(n, lt_slice_cstr(other)));
    }
    assert_int_equal(taken, 1);
    acme_nonces_free(n);
}

static void test_foreign(void **state)
{
    static const char *const strange[] = {
        "",
        "x",
        "not a nonce at all, but just as long",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xff"
        "\xff\xff\xff\xff\xff\xff",
    };
    struct acme_nonces *here = make("a");
    struct acme_nonces *there = make("b");
    struct acme_nonces *again = make("a"); /* the same host after a restart in the same epoch */
    char text[ACME_NONCE_TEXT];
    (void)state;
    for (size_t i = 0; i < LT_COUNT(strange); i++) {
        assert_fails(acme_nonce_redeem(here, lt_slice_cstr(strange[i])), LT_PEER_BAD_NONCE);
    }
    acme_nonce_draw(there, text);
    assert_fails(acme_nonce_redeem(here, lt_slice_cstr(text)), LT_PEER_BAD_NONCE);
    acme_nonce_draw(here, text);
    assert_fails(acme_nonce_redeem(again, lt_slice_cstr(text)), LT_PEER_BAD_NONCE);
    /* every single bit counts */
    for (size_t i = 0; i < ACME_NONCE_TEXT - 1; i++) {
        char bent[ACME_NONCE_TEXT];
        memcpy(bent, text, sizeof bent);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_fails(acme_nonce_redeem(here, lt_slice_cstr(bent)), LT_PEER_BAD_NONCE);
    }
    assert_ok(acme_nonce_redeem(here, lt_slice_cstr(text)));
    acme_nonces_free(here);
    acme_nonces_free(there);
    acme_nonces_free(again);
}

static void test_window(void **state)
{
    struct acme_nonces *n = make("a");
    char first[ACME_NONCE_TEXT];
    char used[ACME_NONCE_TEXT];
    char text[ACME_NONCE_TEXT];
    (void)state;
    acme_nonce_draw(n, used);
    acme_nonce_draw(n, first);
    assert_ok(acme_nonce_redeem(n, lt_slice_cstr(used)));
    for (size_t i = 0; i < ACME_NONCE_WINDOW - 1; i++) {
        acme_nonce_draw(n, text);
    }
    /* the one before has left the window, `first` is the last one in it */
    assert_fails(acme_nonce_redeem(n, lt_slice_cstr(used)), LT_PEER_BAD_NONCE);
    assert_ok(acme_nonce_redeem(n, lt_slice_cstr(first)));
    acme_nonce_draw(n, text);
    assert_fails(acme_nonce_redeem(n, lt_slice_cstr(first)), LT_PEER_BAD_NONCE);
    assert_ok(acme_nonce_redeem(n, lt_slice_cstr(text)));
    acme_nonces_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_replays),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
