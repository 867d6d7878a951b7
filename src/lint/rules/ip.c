/* Blocks of addresses by the IANA registries of special-purpose addresses (October 2025) and by zlint. */
#include "lint/rules/ip.h"

#include <string.h>

enum {
    SPECIAL = 1, /* IANA's special-purpose registries */
    LOOSE = 2,   /* zlint's list */
    BOTH = SPECIAL | LOOSE,
};

static const struct block {
    uint8_t prefix[8]; /* what follows is zero */
    uint8_t len;       /* of an address */
    uint8_t bits;
    uint8_t lists;
} blocks[] = {
    {{0}, 4, 8, BOTH},
    {{10}, 4, 8, BOTH},
    {{100, 64}, 4, 10, BOTH},
    {{127}, 4, 8, BOTH},
    {{169, 254}, 4, 16, BOTH},
    {{172, 16}, 4, 12, BOTH},
    {{192, 0, 0}, 4, 24, BOTH},
    {{192, 0, 2}, 4, 24, BOTH},
    {{192, 31, 196}, 4, 24, BOTH},
    {{192, 52, 193}, 4, 24, BOTH},
    {{192, 88, 99}, 4, 24, SPECIAL}, /* 6to4 relays, withdrawn */
    {{192, 168}, 4, 16, BOTH},
    {{192, 175, 48}, 4, 24, BOTH},
    {{198, 18}, 4, 15, BOTH},
    {{198, 51, 100}, 4, 24, BOTH},
    {{203, 0, 113}, 4, 24, BOTH},
    {{224}, 4, 4, BOTH}, /* multicast: not in that registry, but nobody's */
    {{240}, 4, 4, BOTH},
    {{0}, 16, 127, BOTH},                        /* :: and ::1 */
    {{0, 0x64, 0xff, 0x9b}, 16, 96, BOTH},       /* 64:ff9b::/96 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 16, 48, BOTH}, /* 64:ff9b:1::/48 */
    {{1}, 16, 64, BOTH},                         /* 100::/64 */
    {{1, 0, 0, 0, 0, 0, 0, 1}, 16, 64, SPECIAL}, /* 100:0:0:1::/64 */
    {{0x20, 0x01}, 16, 23, BOTH},
    {{0x20, 0x01, 0x0d, 0xb8}, 16, 32, BOTH},
    {{0x20, 0x02}, 16, 16, BOTH},
    {{0x26, 0x20, 0, 0x4f, 0x80, 0}, 16, 48, BOTH},
    {{0x3f, 0xff}, 16, 20, SPECIAL},
    {{0x5f}, 16, 16, SPECIAL},
    {{0xfc}, 16, 7, BOTH},
    {{0xfe, 0x80}, 16, 10, BOTH},
    {{0xff}, 16, 8, BOTH},
    /* what IANA has never given out */
    {{0x04}, 16, 6, LOOSE},
    {{0x08}, 16, 5, LOOSE},
    {{0x10}, 16, 4, LOOSE},
    {{0x40}, 16, 3, LOOSE},
    {{0x60}, 16, 3, LOOSE},
    {{0x80}, 16, 3, LOOSE},
    {{0xa0}, 16, 3, LOOSE},
    {{0xc0}, 16, 3, LOOSE},
    {{0xe0}, 16, 4, LOOSE},
    {{0xf0}, 16, 5, LOOSE},
    {{0xf8}, 16, 6, LOOSE},
    {{0xfe}, 16, 9, LOOSE},
};
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

lt_slice lint_ip_unmapped(lt_slice bytes)
{
    bool v4 = bytes.len == 16 && memcmp(bytes.ptr, mapped, sizeof(mapped)) == 0;
    return v4 ? lt_slice_sub(bytes, 12, 4) : bytes;
}

static bool is_in(lt_slice address, const struct block *b)
{
    uint8_t prefix[16] = {0};
    memcpy(prefix, b->prefix, sizeof(b->prefix));
    if (address.len != b->len || memcmp(address.ptr, prefix, b->bits / 8) != 0) {
        return false;
    }
    unsigned rest = b->bits % 8;
    return rest == 0 || (address.ptr[b->bits / 8] ^ prefix[b->bits / 8]) >> (8 - rest) == 0;
}

static bool is_listed(lt_slice address, unsigned list)
{
    for (size_t i = 0; i < LT_COUNT(blocks); i++) {
        if ((blocks[i].lists & list) != 0 && is_in(address, &blocks[i])) {
            return true;
        }
    }
    return false;
}

bool lint_ip_reserved(lt_slice bytes)
{
    /* ::ffff:0:0/96 is an entry of the registry itself. */
    return lint_ip_unmapped(bytes).len != bytes.len || is_listed(bytes, SPECIAL);
}

bool lint_ip_reserved_loose(lt_slice bytes)
{
    return is_listed(lint_ip_unmapped(bytes), LOOSE);
}

/* Does the range hold the first address of the block? */
static bool holds_block(lt_slice address, lt_slice mask, const struct block *b)
{
    for (size_t i = 0; i < address.len && address.len == b->len; i++) {
        uint8_t prefix = i < sizeof(b->prefix) ? b->prefix[i] : 0;
        if (((prefix ^ address.ptr[i]) & mask.ptr[i]) != 0) {
            return false;
        }
    }
    return address.len == b->len;
}

bool lint_net_reserved(lt_slice range)
{
    if (range.len != 8 && range.len != 32) {
        return false;
    }
    lt_slice address = lt_slice_sub(range, 0, range.len / 2);
    lt_slice mask = lt_slice_sub(range, range.len / 2, range.len / 2);
    if (lint_ip_reserved_loose(address)) {
        return true;
    }
    for (size_t i = 0; i < LT_COUNT(blocks); i++) {
        if ((blocks[i].lists & LOOSE) != 0 && holds_block(address, mask, &blocks[i])) {
            return true;
        }
    }
    return false;
}
