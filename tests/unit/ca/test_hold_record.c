/* A hold as bytes and back. */
#include "../check.h"

#include "ca/hold_record.h"

static struct lt_buf text;

static int set_up(void **state)
{
    (void)state;
    lt_buf_init(&text, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_buf_done(&text);
    return 0;
}

static const struct ca_hold_record one = {.lifted = false,
                                          .at_us = INT64_C(1795341600000000),
                                          .issuer = {(const uint8_t *)"tls", 3},
                                          .serial = {(const uint8_t *)"\x10\x01", 2},
                                          .reason = {(const uint8_t *)"restraining order", 17},
                                          .reference = {(const uint8_t *)"case 7", 6},
                                          .by_whom = {(const uint8_t *)"admin", 5}};

static void there_and_back(void **state)
{
    (void)state;
    struct ca_hold_record h;
    ca_hold_record_write(&one, &text);
    assert_true(ca_hold_record_is(lt_buf_slice(&text)));
    assert_ok(ca_hold_record_read(lt_buf_slice(&text), &h));
    assert_false(h.lifted);
    assert_true(h.at_us == one.at_us);
    assert_slice(h.issuer, "tls");
    assert_slice(h.serial, "\x10\x01");
    assert_slice(h.reason, "restraining order");
    assert_slice(h.reference, "case 7");
    assert_slice(h.by_whom, "admin");
    struct ca_hold_record lifted = one;
    lifted.lifted = true;
    lifted.reason = LT_LIT("");
    lt_buf_reset(&text);
    ca_hold_record_write(&lifted, &text);
    assert_ok(ca_hold_record_read(lt_buf_slice(&text), &h));
    assert_true(h.lifted && h.reason.len == 0);
}

static void cut_longer_or_changed(void **state)
{
    (void)state;
    struct ca_hold_record h;
    ca_hold_record_write(&one, &text);
    for (size_t len = 0; len < text.len; len++) {
        assert_fails(ca_hold_record_read(LT_SLICE(text.ptr, len), &h), LT_PEER_MALFORMED);
    }
    text.ptr[8] = 2; /* neither set nor lifted */
    assert_fails(ca_hold_record_read(lt_buf_slice(&text), &h), LT_PEER_MALFORMED);
    text.ptr[8] = 0;
    text.ptr[0] = 'X';
    assert_fails(ca_hold_record_read(lt_buf_slice(&text), &h), LT_PEER_MALFORMED);
    text.ptr[0] = 'L';
    lt_buf_add_byte(&text, 0);
    assert_fails(ca_hold_record_read(lt_buf_slice(&text), &h), LT_PEER_MALFORMED);
}

static void of_nothing(void **state)
{
    (void)state;
    struct ca_hold_record h;
    struct ca_hold_record rows[2] = {one, one};
    rows[0].issuer = LT_LIT("");
    rows[1].serial = LT_LIT("");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_buf_reset(&text);
        ca_hold_record_write(&rows[i], &text);
        assert_fails(ca_hold_record_read(lt_buf_slice(&text), &h), LT_PEER_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_longer_or_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
