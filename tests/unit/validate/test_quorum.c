/* Perspectives: how many on which day, who is distinct, when those that agree are enough. */
#include "check.h"

#include "validate/quorum.h"

#define WIEN       \
    {              \
        48.2, 16.4 \
    }
#define FRANKFURT \
    {             \
        50.1, 8.7 \
    }
#define BRATISLAVA \
    {              \
        48.1, 17.1 \
    }
#define OREGON       \
    {                \
        45.5, -122.7 \
    }
#define OHIO        \
    {               \
        40.0, -83.0 \
    }
#define TOKYO       \
    {               \
        35.7, 139.7 \
    }
#define SYDNEY       \
    {                \
        -33.9, 151.2 \
    }
#define SAO_PAULO    \
    {                \
        -23.5, -46.6 \
    }
#define CAPE_TOWN   \
    {               \
        -33.9, 18.4 \
    }

static struct validate_perspective all[] = {
    {"eu", "", LT_LIT("1"), VALIDATE_RIR_RIPE, VALIDATE_RIR_RIPE, WIEN, WIEN},
    {"eu-2", "", LT_LIT("2"), VALIDATE_RIR_RIPE, VALIDATE_RIR_RIPE, FRANKFURT, FRANKFURT},
    {"us", "", LT_LIT("3"), VALIDATE_RIR_ARIN, VALIDATE_RIR_ARIN, OREGON, OREGON},
    {"us-2", "", LT_LIT("4"), VALIDATE_RIR_ARIN, VALIDATE_RIR_ARIN, OHIO, OHIO},
    {"jp", "", LT_LIT("5"), VALIDATE_RIR_APNIC, VALIDATE_RIR_APNIC, TOKYO, TOKYO},
    {"br", "", LT_LIT("6"), VALIDATE_RIR_LACNIC, VALIDATE_RIR_LACNIC, SAO_PAULO, SAO_PAULO},
    {"za", "", LT_LIT("7"), VALIDATE_RIR_AFRINIC, VALIDATE_RIR_AFRINIC, CAPE_TOWN, CAPE_TOWN},
};

static lt_time at(const char *text)
{
    lt_time t = {0};
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

/* votes: one letter for each of `all`: y agrees, n does not, - was not asked. */
static void votes_decide(void **unused)
{
    (void)unused;
    static const struct {
        const char *when;
        const char *votes;
        bool met;
        bool blocking;
        const char *why;
    } rows[] = {
        {"2025-03-14T23:59:59Z", "-------", true, false, ""},
        {"2025-03-15T00:00:00Z", "-------", false, false, "fewer"},
        {"2025-03-15T00:00:00Z", "y-y----", true, false, ""},
        {"2025-09-14T23:59:59Z", "n-n----", false, false, "too many"},
        {"2025-09-15T00:00:00Z", "n-n----", false, true, "too many"},
        {"2025-09-15T00:00:00Z", "n-y----", true, true, ""},
        {"2025-09-15T00:00:00Z", "yy-----", true, true, ""},
        {"2026-03-14T23:59:59Z", "yy-----", true, true, ""},
        {"2026-03-15T00:00:00Z", "yy-----", false, true, "fewer"},
        {"2026-03-15T00:00:00Z", "yyy----", true, true, ""},
        {"2026-03-15T00:00:00Z", "yyn----", false, true, "too few regions"},
        {"2026-03-15T00:00:00Z", "yny----", true, true, ""},
        {"2026-03-15T00:00:00Z", "nny----", false, true, "too many"},
        {"2026-06-15T00:00:00Z", "yyy----", false, true, "fewer"},
        {"2026-11-22T00:00:00Z", "yyyn---", true, true, ""}, /* 3/4 */
        {"2026-11-22T00:00:00Z", "yynn---", false, true, "too many"},
        {"2026-12-14T23:59:59Z", "yyyn---", true, true, ""},
        {"2026-12-15T00:00:00Z", "yyyy---", false, true, "fewer"},
        {"2026-12-15T00:00:00Z", "yyyyn--", true, true, ""},
        {"2026-12-15T00:00:00Z", "yyynn--", false, true, "too many"},
        {"2026-12-15T00:00:00Z", "yyyynn-", true, true, ""},
        {"2026-12-15T00:00:00Z", "yyynnn-", false, true, "too many"},
        {"2030-01-01T00:00:00Z", "yyyyynn", true, true, ""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct validate_vote votes[LT_COUNT(all)];
        struct validate_quorum q;
        size_t count = 0;
        unsigned agreeing = 0;
        for (size_t k = 0; k < LT_COUNT(all); k++) {
            if (rows[i].votes[k] != '-') {
                votes[count++] = (struct validate_vote){&all[k], rows[i].votes[k] == 'y'};
                agreeing += rows[i].votes[k] == 'y';
            }
        }
        validate_quorum_count(votes, count, at(rows[i].when), &q);
        if (q.met != rows[i].met || q.blocking != rows[i].blocking || strstr(q.why, rows[i].why) == NULL ||
            (q.why[0] == '\0') != rows[i].met) {
            fail_msg("row %zu: %s at %s: %s, \"%s\"", i, rows[i].votes, rows[i].when,
                     q.met ? "met" : "not met", q.why);
        }
        assert_int_equal(q.asked, count);
        assert_int_equal(q.agreeing, agreeing);
        assert_int_equal(__builtin_popcount(q.agreed), agreeing);
    }
}

static void who_is_distinct(void **unused)
{
    (void)unused;
    struct validate_perspective two[2];
    static const struct validate_place near_wien = BRATISLAVA;
    static const struct validate_place nowhere = {91, 0};
    assert_ok(validate_perspectives_check(all, LT_COUNT(all)));
    assert_ok(validate_perspectives_check(all, 0));
    for (int change = 0; change < 8; change++) {
        memcpy(two, all, sizeof two);
        assert_ok(validate_perspectives_check(two, 2));
        switch (change) {
        case 0:
            two[1].name = "eu";
            break;
        case 1:
            two[1].spki = two[0].spki;
            break;
        case 2:
            two[1].place = near_wien;
            break;
        case 3:
            two[1].resolver = near_wien;
            break;
        case 4:
            two[1].rir = VALIDATE_RIR_NONE;
            break;
        case 5:
            two[1].resolver_rir = VALIDATE_RIR_ARIN;
            break;
        case 6:
            two[1].place = nowhere;
            break;
        default:
            two[1].spki = (lt_slice){0};
            break;
        }
        assert_fails(validate_perspectives_check(two, 2), LT_PEER_MALFORMED);
    }
}

static void distances(void **unused)
{
    (void)unused;
    static const struct validate_place wien = WIEN;
    static const struct validate_place sydney = SYDNEY;
    static const struct validate_place north = {90, 0};
    static const struct validate_place south = {-90, 123};
    assert_true(validate_distance_km(&wien, &wien) < 0.001);
    double far = validate_distance_km(&wien, &sydney);
    assert_true(far > 15800 && far < 16100);
    far = validate_distance_km(&north, &south);
    assert_true(far > 20000 && far < 20030);
}

static void regions_have_names(void **unused)
{
    (void)unused;
    for (int i = VALIDATE_RIR_NONE + 1; i < VALIDATE_RIR_COUNT; i++) {
        const char *name = validate_rir_name((enum validate_rir)i);
        assert_int_equal(validate_rir_by_name(lt_slice_cstr(name)), i);
    }
    assert_int_equal(validate_rir_by_name(LT_LIT("ripe")), VALIDATE_RIR_RIPE);
    assert_int_equal(validate_rir_by_name(LT_LIT("")), VALIDATE_RIR_NONE);
    assert_int_equal(validate_rir_by_name(LT_LIT("IANA")), VALIDATE_RIR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_decide),
        cmocka_unit_test(who_is_distinct),
        cmocka_unit_test(distances),
        cmocka_unit_test(regions_have_names),
    };
    return cmocka_run_group_tests_name("quorum", tests, NULL, NULL);
}
