/* Blocks of addresses by the IANA registries of special-purpose addresses (October 2025) and by zlint. */
#include "lint/rules/ip.h"

#include <string.h>

#define BOTH (LINT_IP_SPECIAL | LINT_IP_LOOSE)

const struct lint_ip_block lint_ip_blocks[] = {
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
    {{192, 88, 99}, 4, 24, LINT_IP_SPECIAL}, /* 6to4 relays, withdrawn */
    {{192, 168}, 4, 16, BOTH},
    {{192, 175, 48}, 4, 24, BOTH},
    {{198, 18}, 4, 15, BOTH},
    {{198, 51, 100}, 4, 24, BOTH},
    {{203, 0, 113}, 4, 24, BOTH},
    {{224}, 4, 4, BOTH}, /* multicast: not in that registry, but nobody's */
    {{240}, 4, 4, BOTH},
    {{0}, 16, 127, BOTH},                                /* :: and ::1 */
    {{0, 0x64, 0xff, 0x9b}, 16, 96, BOTH},               /* 64:ff9b::/96 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 16, 48, BOTH},         /* 64:ff9b:1::/48 */
    {{1}, 16, 64, BOTH},                                 /* 100::/64 */
    {{1, 0, 0, 0, 0, 0, 0, 1}, 16, 64, LINT_IP_SPECIAL}, /* 100:0:0:1::/64 */
    {{0x20, 0x01}, 16, 23, BOTH},
    {{0x20, 0x01, 0x0d, 0xb8}, 16, 32, BOTH},
    {{0x20, 0x02}, 16, 16, BOTH},
    {{0x26, 0x20, 0, 0x4f, 0x80, 0}, 16, 48, BOTH},
    {{0x3f, 0xff}, 16, 20, LINT_IP_SPECIAL},
    {{0x5f}, 16, 16, LINT_IP_SPECIAL},
    {{0xfc}, 16, 7, BOTH},
    {{0xfe, 0x80}, 16, 10, BOTH},
    {{0xff}, 16, 8, BOTH},
    /* what IANA has never given out */
    {{0x04}, 16, 6, LINT_IP_LOOSE},
    {{0x08}, 16, 5, LINT_IP_LOOSE},
    {{0x10}, 16, 4, LINT_IP_LOOSE},
    {{0x40}, 16, 3, LINT_IP_LOOSE},
    {{0x60}, 16, 3, LINT_IP_LOOSE},
    {{0x80}, 16, 3, LINT_IP_LOOSE},
    {{0xa0}, 16, 3, LINT_IP_LOOSE},
    {{0xc0}, 16, 3, LINT_IP_LOOSE},
    {{0xe0}, 16, 4, LINT_IP_LOOSE},
    {{0xf0}, 16, 5, LINT_IP_LOOSE},
    {{0xf8}, 16, 6, LINT_IP_LOOSE},
    {{0xfe}, 16, 9, LINT_IP_LOOSE},
};
const size_t lint_ip_block_count = LT_COUNT(lint_ip_blocks);

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

lt_slice lint_ip_unmapped(lt_slice bytes)
{
    bool v4 = bytes.len == 16 && memcmp(bytes.ptr, mapped, sizeof(mapped)) == 0;
    return v4 ? lt_slice_sub(bytes, 12, 4) : bytes;
}

static bool is_in(lt_slice address, const struct lint_ip_block *b)
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
    for (size_t i = 0; i < LT_COUNT(lint_ip_blocks); i++) {
        if ((lint_ip_blocks[i].lists & list) != 0 && is_in(address, &lint_ip_blocks[i])) {
            return true;
        }
    }
    return false;
}

bool lint_ip_reserved(lt_slice bytes)
{
    /* ::ffff:0:0/96 is an entry of the registry itself. */
    return lint_ip_unmapped(bytes).len != bytes.len || is_listed(bytes, LINT_IP_SPECIAL);
}

bool lint_ip_reserved_loose(lt_slice bytes)
{
    return is_listed(lint_ip_unmapped(bytes), LINT_IP_LOOSE);
}
