/* The blocks of the IANA special-purpose registries that are not globally reachable, as rows. */
#include "validate/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct block {
    uint8_t prefix[16];
    uint8_t bits;
    const char *why;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const struct block blocks4[] = {
    {{0}, 8, "\"this network\", RFC 791"},
    {{10}, 8, "private use, RFC 1918"},
    {{100, 64}, 10, "shared address space, RFC 6598"},
    {{127}, 8, "loopback, RFC 1122"},
    {{169, 254}, 16, "link local, RFC 3927"},
    {{172, 16}, 12, "private use, RFC 1918"},
    {{192, 0, 0}, 24, "protocol assignments, RFC 6890"},
    {{192, 0, 2}, 24, "documentation, RFC 5737"},
    {{192, 31, 196}, 24, "AS112, RFC 7535"},
    {{192, 52, 193}, 24, "AMT, RFC 7450"},
    {{192, 88, 99}, 24, "6to4 relay anycast, RFC 7526"},
    {{192, 168}, 16, "private use, RFC 1918"},
    {{192, 175, 48}, 24, "AS112, RFC 7534"},
    {{198, 18}, 15, "benchmarking, RFC 2544"},
    {{198, 51, 100}, 24, "documentation, RFC 5737"},
    {{203, 0, 113}, 24, "documentation, RFC 5737"},
    {{224}, 4, "multicast, RFC 1112"},
    {{240}, 4, "reserved or broadcast, RFC 1112"},
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry; only 2000::/3 is global unicast at all. */
static const struct block blocks6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23, "protocol assignments, RFC 2928"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation, RFC 3849"},
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48, "AS112, RFC 7534"},
    {{0x3f, 0xff, 0x00}, 20, "documentation, RFC 9637"},
};

static bool inside(const uint8_t *bytes, const struct block *b)
{
    size_t whole = b->bits / 8;
    unsigned rest = b->bits % 8;
    if (memcmp(bytes, b->prefix, whole) != 0) {
        return false;
    }
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return rest == 0 || (bytes[whole] & mask) == (b->prefix[whole] & mask);
}

static const char *find(const struct block *blocks, size_t count, const uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (inside(bytes, &blocks[i])) {
            return blocks[i].why;
        }
    }
    return NULL;
}

const char *validate_address_special(const struct validate_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const uint8_t *b = a->bytes;
    if (!a->v6) {
        return find(blocks4, LT_COUNT(blocks4), b);
    }
    if (memcmp(b, mapped, sizeof mapped) == 0) {
        return "IPv4-mapped, RFC 4291";
    }
    if (memcmp(b, nat64, sizeof nat64) == 0) {
        return find(blocks4, LT_COUNT(blocks4), b + 12);
    }
    if (b[0] == 0x20 && b[1] == 0x02) { /* 6to4: 2002:V4ADDR::/48 */
        return find(blocks4, LT_COUNT(blocks4), b + 2);
    }
    if ((b[0] & 0xe0) != 0x20) {
        return "not global unicast, RFC 4291";
    }
    return find(blocks6, LT_COUNT(blocks6), b);
}

lt_res validate_address_parse(lt_slice text, struct validate_address *ret_address)
{
    char copy[VALIDATE_ADDRESS_TEXT];
    struct validate_address a = {0};
    LT_CHECK(text.len > 0 && text.len < sizeof copy && memchr(text.ptr, 0, text.len) == NULL,
             LT_PEER_MALFORMED, "not an address");
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    a.v6 = inet_pton(AF_INET, copy, a.bytes) != 1;
    LT_CHECK(!a.v6 || inet_pton(AF_INET6, copy, a.bytes) == 1, LT_PEER_MALFORMED, "not an address");
    *ret_address = a;
    return LT_OK;
}

void validate_address_print(const struct validate_address *a, char ret_text[VALIDATE_ADDRESS_TEXT])
{
    const char *done = inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, ret_text, VALIDATE_ADDRESS_TEXT);
    LT_ASSERT(done != NULL);
}

socklen_t validate_address_sockaddr(const struct validate_address *a, uint16_t port,
                                    struct sockaddr_storage *ret_sockaddr)
{
    memset(ret_sockaddr, 0, sizeof *ret_sockaddr);
    if (a->v6) {
        struct sockaddr_in6 s = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&s.sin6_addr, a->bytes, sizeof s.sin6_addr);
        memcpy(ret_sockaddr, &s, sizeof s);
        return sizeof s;
    }
    struct sockaddr_in s = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&s.sin_addr, a->bytes, sizeof s.sin_addr);
    memcpy(ret_sockaddr, &s, sizeof s);
    return sizeof s;
}
