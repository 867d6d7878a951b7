/* Members of a sealed batch, as bytes and back. */
#include "../check.h"

#include "ca/mass_members.h"

static struct lt_buf text;

static int set_up(void **state)
{
    (void)state;
    lt_buf_init(&text, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_buf_done(&text);
    return 0;
}

static const struct ca_mass_members two = {.mass = UINT64_C(0x0123456789abcdef),
                                           .batch = 7,
                                           .count = 2,
                                           .issuer = {(const uint8_t *)"tls", 3},
                                           .serials = {(const uint8_t *)"\x02\x10\x01\x03\x10\x02\x03", 7}};

static void there_and_back(void **state)
{
    (void)state;
    struct ca_mass_members m;
    lt_slice serial;
    ca_mass_members_write(&two, &text);
    assert_true(ca_mass_members_is(lt_buf_slice(&text)));
    assert_ok(ca_mass_members_read(lt_buf_slice(&text), &m));
    assert_true(m.mass == two.mass);
    assert_int_equal(m.batch, 7);
    assert_int_equal(m.count, 2);
    assert_slice(m.issuer, "tls");
    lt_slice rest = m.serials;
    assert_true(ca_mass_members_next(&rest, &serial));
    assert_slice(serial, "\x10\x01");
    assert_true(ca_mass_members_next(&rest, &serial));
    assert_slice(serial, "\x10\x02\x03");
    assert_false(ca_mass_members_next(&rest, &serial));
}

static void cut_or_longer(void **state)
{
    (void)state;
    struct ca_mass_members m;
    ca_mass_members_write(&two, &text);
    for (size_t len = 0; len < text.len; len++) {
        assert_fails(ca_mass_members_read(LT_SLICE(text.ptr, len), &m), LT_PEER_MALFORMED);
    }
    lt_buf_add_byte(&text, 1);
    assert_fails(ca_mass_members_read(lt_buf_slice(&text), &m), LT_PEER_MALFORMED);
    lt_buf_add_byte(&text, 1); /* a third serial, and the count says two */
    assert_fails(ca_mass_members_read(lt_buf_slice(&text), &m), LT_PEER_MALFORMED);
}

static void what_is_none(void **state)
{
    (void)state;
    static const struct ca_mass_members rows[] = {
        {.mass = 1, .count = 0, .issuer = {(const uint8_t *)"tls", 3}},
        {.mass = 1, .count = 1, .issuer = {NULL, 0}, .serials = {(const uint8_t *)"\x01\x01", 2}},
        {.mass = 1,
         .count = 1,
         .issuer = {(const uint8_t *)"tls", 3},
         .serials = {(const uint8_t *)"\0\x01", 2}},
        {.mass = 1,
         .count = 1,
         .issuer = {(const uint8_t *)"tls", 3},
         .serials = {(const uint8_t *)"\x15", 1}},
        {.mass = 1,
         .count = 2,
         .issuer = {(const uint8_t *)"tls", 3},
         .serials = {(const uint8_t *)"\x01\x01", 2}},
        {.mass = 1,
         .count = 10001,
         .issuer = {(const uint8_t *)"tls", 3},
         .serials = {(const uint8_t *)"\x01\x01", 2}},
    };
    struct ca_mass_members m;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_buf_reset(&text);
        ca_mass_members_write(&rows[i], &text);
        assert_fails(ca_mass_members_read(lt_buf_slice(&text), &m), LT_PEER_MALFORMED);
    }
    assert_false(ca_mass_members_is(LT_LIT("LTMASS2\n")));
    assert_fails(ca_mass_members_read(LT_LIT("something else, an evidence record"), &m), LT_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_or_longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
