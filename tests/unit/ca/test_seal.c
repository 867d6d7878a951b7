/* Secrets in the book: what opens them, and what does not. */
#include "check.h"

#include "ca/seal.h"

static struct lt_arena arena;
static struct crypto_aead *seal;
static uint8_t drawn;

static void counted(uint8_t *out, size_t len)
{
    memset(out, ++drawn, len);
}

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_ok(ca_seal_new(LT_LIT("a key's text"), &seal));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    crypto_aead_free(seal);
    lt_arena_done(&arena);
    return 0;
}

static lt_slice sealed(const char *id, lt_slice secret)
{
    lt_slice out;
    assert_ok(ca_seal_close(seal, counted, id, secret, &arena, &out));
    assert_int_equal(out.len, secret.len + CA_SEAL_EXTRA);
    return out;
}

static void what_is_sealed_opens(void **state)
{
    (void)state;
    static const char *const secrets[] = {"", "x", "0123456789abcdef0123456789abcdef"};
    struct crypto_aead *same = NULL;
    assert_ok(ca_seal_new(LT_LIT("a key's text"), &same));
    for (size_t i = 0; i < LT_COUNT(secrets); i++) {
        lt_slice opened;
        lt_slice box = sealed("eab kid", lt_slice_cstr(secrets[i]));
        assert_ok(ca_seal_open(seal, "eab kid", box, &arena, &opened));
        assert_slice(opened, secrets[i]);
        assert_ok(ca_seal_open(same, "eab kid", box, &arena, &opened)); /* after a restart */
        assert_slice(opened, secrets[i]);
    }
    assert_false(lt_slice_eq(sealed("a", LT_LIT("secret")), sealed("a", LT_LIT("secret"))));
    crypto_aead_free(same);
}

static void nothing_else_opens_it(void **state)
{
    (void)state;
    lt_slice opened;
    struct crypto_aead *other = NULL;
    lt_slice box = sealed("eab kid", LT_LIT("0123456789abcdef0123456789abcdef"));
    assert_ok(ca_seal_new(LT_LIT("another key's text"), &other));
    assert_fails(ca_seal_open(other, "eab kid", box, &arena, &opened), LT_RETRY_UNAVAILABLE);
    assert_non_null(strstr(lt_error_last()->detail, "secrets/seal.key"));
    assert_fails(ca_seal_open(NULL, "eab kid", box, &arena, &opened), LT_RETRY_UNAVAILABLE);
    assert_fails(ca_seal_open(seal, "eab kie", box, &arena, &opened),
                 LT_RETRY_UNAVAILABLE); /* another's row */
    assert_fails(ca_seal_open(seal, "eab ki", box, &arena, &opened), LT_RETRY_UNAVAILABLE);
    assert_fails(ca_seal_open(seal, "", box, &arena, &opened), LT_RETRY_UNAVAILABLE);
    for (size_t len = 0; len < box.len; len++) { /* among them what was never sealed: too short */
        assert_fails(ca_seal_open(seal, "eab kid", lt_slice_sub(box, 0, len), &arena, &opened),
                     LT_RETRY_UNAVAILABLE);
    }
    for (size_t bit = 0; bit < box.len * 8; bit++) {
        uint8_t bytes[128];
        memcpy(bytes, box.ptr, box.len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_fails(ca_seal_open(seal, "eab kid", LT_SLICE(bytes, box.len), &arena, &opened),
                     LT_RETRY_UNAVAILABLE);
    }
    lt_slice out;
    assert_fails(ca_seal_close(NULL, counted, "eab kid", LT_LIT("x"), &arena, &out), LT_RETRY_UNAVAILABLE);
    crypto_aead_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_sealed_opens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_else_opens_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
