/* Which certificates a book of `bench inventory` has. The shares are those of 2020 as far as they are known:
 * 7.76 names each, over half replaced before anybody revoked them, a few very large ones. */
#include <stdio.h>
#include <string.h>

#include "cmd/bench_inventory.h"

enum {
    DAY_S = 86400,
    LONG_SHARE = 3,  /* tenths that are issued long ago, for long */
    LONG_DAYS = 224, /* since 2019-07-25 */
    SHORT_DAYS = 84, /* the others since then, so that none has expired when it is loaded */
    SIZES = 10,      /* rows below */
    DOMAIN_LETTERS = 5,
    DOMAIN_SPACE = 26 * 26 * 26 * 26 * 26,
    REPLACED_OF = 3048289,
    REPLACED = 1706505,
    FORBIDDEN = 445,
    OLD_CAA_S = 8 * 3600 + 300,
};

/* Of 10,000 sets. Mean 7.7624. */
static const struct {
    uint32_t sets;
    uint32_t names;
} sizes[SIZES] = {{1400, 1}, {4312, 2}, {1000, 3}, {800, 4},  {600, 5},
                  {600, 8},  {400, 12}, {400, 25}, {200, 50}, {288, 100}};

/* In the order of their reversed form; percent of all sets. */
static const struct {
    const char *suffix;
    uint32_t share;
} tops[] = {{"at", 2},  {"com", 46}, {"de", 9}, {"fr", 4},    {"io", 3},
            {"net", 9}, {"org", 9},  {"ru", 6}, {"co.uk", 6}, {"xyz", 6}};

static const struct inventory_dimension variants[] = {
    {"", "BR-2.1", "1.4.2", "192.0.2.53", "primary,frankfurt,ohio,oregon,singapore", 31},
    {"", "BR-2.1", "1.4.0", "192.0.2.53", "primary,frankfurt,ohio,oregon", 15},
    {"", "BR-1.6.7", "0.9.8", "127.0.0.53", "primary", 1},
    {"", "BR-2.1", "1.3.9", "192.0.2.53", "primary,frankfurt,ohio", 3},
};
static const int64_t quorums[] = {5, 4, 1, 2};
static const char *const methods[] = {"http-01", "dns-01", "tls-alpn-01", "website-change"};
enum { VARIANTS = LT_COUNT(variants) };

/* A well-mixed number out of another one (splitmix64). */
static uint64_t mixed(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* By the extended algorithm of Euclid; a and n have no common divisor. */
static uint64_t inverse(uint64_t a, uint64_t n)
{
    int64_t t = 0;
    int64_t next_t = 1;
    int64_t r = (int64_t)n;
    int64_t next_r = (int64_t)(a % n);
    while (next_r != 0) {
        int64_t q = r / next_r;
        int64_t swap = t - q * next_t;
        t = next_t;
        next_t = swap;
        swap = r - q * next_r;
        r = next_r;
        next_r = swap;
    }
    return (uint64_t)(t < 0 ? t + (int64_t)n : t);
}

uint64_t inventory_set_names(uint64_t set)
{
    uint64_t at = set * 7919 % INVENTORY_PERIOD; /* a prime: every size is spread over all sets */
    size_t row = 0;
    while (at >= sizes[row].sets) {
        at -= sizes[row++].sets;
    }
    return sizes[row].names;
}

void inventory_shape_init(struct inventory_shape *s, uint64_t count, lt_time now)
{
    *s = (struct inventory_shape){.count = count, .now_us = now.us - now.us % LT_US_PER_SECOND};
    s->sets = (count + INVENTORY_TIMES - 1) / INVENTORY_TIMES;
    s->step = s->sets * 618 / 1000 + 1;
    while (divisor(s->step, s->sets) != 1) {
        s->step++;
    }
    s->back = s->sets == 1 ? 0 : inverse(s->step, s->sets);
    s->accounts = count / 100 + 3;
    s->replaced = count * REPLACED / REPLACED_OF;
    for (uint64_t i = 0; i < INVENTORY_PERIOD; i++) {
        s->before[i + 1] = s->before[i] + (uint32_t)inventory_set_names(i);
    }
}

uint64_t inventory_number(const struct inventory_shape *s, uint64_t set, uint64_t time)
{
    return time * s->sets + set * s->step % s->sets;
}

uint64_t inventory_set_first(const struct inventory_shape *s, uint64_t set)
{
    return set / INVENTORY_PERIOD * s->before[INVENTORY_PERIOD] + s->before[set % INVENTORY_PERIOD];
}

uint64_t inventory_names_total(const struct inventory_shape *s)
{
    uint64_t total = inventory_set_first(s, s->sets) * INVENTORY_TIMES;
    for (uint64_t i = s->count; i < s->sets * INVENTORY_TIMES; i++) {
        total -= inventory_set_names((i % s->sets) * s->back % s->sets);
    }
    return total;
}

/* A few accounts have very many. */
uint64_t inventory_set_account(const struct inventory_shape *s, uint64_t set)
{
    double share = (double)set / (double)s->sets;
    return INVENTORY_FIRST_ACCOUNT + (uint64_t)(share * share * (double)s->accounts);
}

static size_t set_dimension(uint64_t set)
{
    uint64_t m = set * 37 % 100;
    uint64_t v = set * 61 % 101 * 100 / 101;
    size_t method = m < 70 ? 0 : m < 90 ? 1 : m < 98 ? 2 : 3;
    size_t variant = v < 55 ? 0 : v < 80 ? 1 : v < 90 ? 2 : 3;
    return method * VARIANTS + variant;
}

size_t inventory_name_dimension(uint64_t set, uint64_t k)
{
    size_t worst = set_dimension(set);
    return k == 1 && set % 50 == 0 ? (worst + VARIANTS) % INVENTORY_DIMENSIONS : worst;
}

struct inventory_dimension inventory_dimension(size_t index)
{
    struct inventory_dimension d = variants[index % VARIANTS];
    d.method = methods[index / VARIANTS];
    return d;
}

bool inventory_set_caa(const struct inventory_shape *s, uint64_t set)
{
    return s->old_caa || set % 97 != 0;
}

/* The first tenths in the first days, then the rest: in the order of their numbers. */
static int64_t issued_us(const struct inventory_shape *s, uint64_t i)
{
    double share = (double)i / (double)s->count;
    double begun = (double)LONG_SHARE / 10;
    double days = share < begun ? LONG_DAYS - share / begun * (LONG_DAYS - SHORT_DAYS)
                                : SHORT_DAYS - (share - begun) / (1 - begun) * SHORT_DAYS;
    return s->now_us - (int64_t)(days * DAY_S * (double)LT_US_PER_SECOND) - 60 * LT_US_PER_SECOND;
}

/* At least as long as it takes to be valid still. */
static int64_t lifetime_s(const struct inventory_shape *s, uint64_t i)
{
    bool is_long = i * 10 < s->count * LONG_SHARE || i % 4 == 0;
    int64_t days = is_long ? 397 : 90;
    return days * DAY_S + (i % 64 == 1 ? (is_long ? 2 * DAY_S : 1) : 0);
}

int64_t inventory_set_validated_us(const struct inventory_shape *s, uint64_t set)
{
    int64_t before_s = (int64_t)(mixed(set) % (3 * (uint64_t)DAY_S)) + 2;
    before_s += set % 20 == 3 ? 25 * DAY_S : 0;
    before_s += s->old_caa ? OLD_CAA_S : 0;
    return issued_us(s, inventory_number(s, set, 0)) - before_s * LT_US_PER_SECOND;
}

static void serial_of(uint64_t i, int64_t issued, uint8_t ret_serial[INVENTORY_SERIAL])
{
    static const int64_t epoch_2020_s = 1577836800;
    uint64_t parts[2] = {mixed(i * 2), mixed(i * 2 + 1)};
    uint32_t seconds = (uint32_t)(issued / LT_US_PER_SECOND - epoch_2020_s);
    for (unsigned k = 0; k < 4; k++) {
        ret_serial[k] = (uint8_t)(seconds >> (24 - 8 * k));
    }
    memcpy(ret_serial + 4, &parts[0], 8);
    memcpy(ret_serial + 12, &parts[1], 4);
}

void inventory_one(const struct inventory_shape *s, uint64_t i, struct inventory_one *ret_one)
{
    static const char *const builds[] = {"1.3.9", "1.4.0", "1.4.1", "1.4.2"};
    uint64_t set = (i % s->sets) * s->back % s->sets;
    size_t dimension = set_dimension(set);
    struct inventory_one o = {.set = set,
                              .names = inventory_set_names(set),
                              .account = inventory_set_account(s, set),
                              .issued_us = issued_us(s, i),
                              .build = builds[i * LT_COUNT(builds) / s->count],
                              .dimension = (int64_t)dimension + 1,
                              .method = methods[dimension / VARIANTS],
                              .quorum = quorums[dimension % VARIANTS],
                              .validated_us = inventory_set_validated_us(s, set)};
    o.not_before_us = o.issued_us - o.issued_us % LT_US_PER_SECOND - 3600 * LT_US_PER_SECOND;
    o.not_after_us = o.not_before_us + (lifetime_s(s, i) - 1) * LT_US_PER_SECOND;
    o.caa_us = inventory_set_caa(s, set) ? o.validated_us : 0;
    serial_of(i, o.issued_us, o.serial);
    *ret_one = o;
}

/* "example" stands where its first letters are. */
static bool is_example(uint64_t at, uint64_t stride, const char *suffix)
{
    static const uint64_t examp = (((4 * 26 + 23) * 26 + 0) * 26 + 12) * 26 + 15;
    bool has_one = strcmp(suffix, "com") == 0 || strcmp(suffix, "net") == 0 || strcmp(suffix, "org") == 0;
    return has_one && at <= examp && at + stride > examp;
}

static void domain_of(const struct inventory_shape *s, uint64_t set, char ret_name[INVENTORY_TEXT])
{
    uint64_t from = 0;
    uint64_t share = 0;
    for (size_t i = 0; i < LT_COUNT(tops); i++) {
        share += tops[i].share;
        uint64_t until = s->sets * share / 100;
        if (set < until) {
            uint64_t stride = DOMAIN_SPACE / (until - from);
            uint64_t at = (set - from) * stride;
            char label[8] = "example";
            if (!is_example(at, stride, tops[i].suffix)) {
                label[DOMAIN_LETTERS] = 0;
                for (unsigned k = DOMAIN_LETTERS; k > 0; k--, at /= 26) {
                    label[k - 1] = (char)('a' + at % 26);
                }
            }
            (void)snprintf(ret_name, INVENTORY_TEXT, "%s.%s", label, tops[i].suffix); /* fits */
            return;
        }
        from = until;
    }
    LT_ASSERT(false); /* the shares are 100 percent */
}

void inventory_name(const struct inventory_shape *s, uint64_t set, uint64_t k, char ret_name[INVENTORY_TEXT])
{
    char domain[INVENTORY_TEXT - 8];
    char whole[INVENTORY_TEXT];
    domain_of(s, set, whole);
    (void)snprintf(domain, sizeof domain, "%.30s", whole); /* fits */
    uint64_t count = inventory_set_names(set);
    if (k == 0) {
        (void)snprintf(ret_name, INVENTORY_TEXT, "%s", domain);
    } else if (k == count - 1) {
        (void)snprintf(ret_name, INVENTORY_TEXT, "www.%s", domain);
    } else if (k == 1 && set % 16 == 5) {
        (void)snprintf(ret_name, INVENTORY_TEXT, "*.%s", domain);
    } else {
        (void)snprintf(ret_name, INVENTORY_TEXT, "s%03u.%s", (unsigned)k, domain);
    }
}

bool inventory_is_replaced(const struct inventory_shape *s, uint64_t i)
{
    uint64_t could = s->count > s->sets ? s->count - s->sets : 0;
    return i < could && (i + 1) * s->replaced / could > i * s->replaced / could;
}

/* Spread over the last third, of which none is replaced. */
bool inventory_is_forbidden(const struct inventory_shape *s, uint64_t i)
{
    uint64_t could = s->count > s->sets ? s->count - s->sets : 0;
    uint64_t wanted = (s->count * FORBIDDEN + REPLACED_OF - 1) / REPLACED_OF;
    uint64_t last = s->count - could;
    return s->old_caa && i >= could && (i - could + 1) * wanted / last > (i - could) * wanted / last;
}
