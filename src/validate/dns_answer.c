/* RFC 1035 4.1: header, questions, answers. */
#include "validate/dns_answer.h"

#include <string.h>

enum { HEADER_LEN = 12, CLASS_IN = 1, RECORDS_MAX = 256 };

struct cursor {
    lt_slice rest;
    bool bad; /* sticky */
};

static void skip(struct cursor *c, size_t len)
{
    c->bad = c->bad || len > c->rest.len;
    c->rest = lt_slice_sub(c->rest, len, SIZE_MAX);
}

static uint16_t u16(struct cursor *c)
{
    uint16_t v = 0;
    if (c->rest.len >= 2) {
        v = (uint16_t)(c->rest.ptr[0] << 8 | c->rest.ptr[1]);
    }
    skip(c, 2);
    return v;
}

/* Labels until the root or a pointer, which ends a name here: where it points to matters to nobody. */
static void skip_name(struct cursor *c)
{
    while (!c->bad && c->rest.len > 0) {
        uint8_t len = c->rest.ptr[0];
        if ((len & 0xc0) == 0xc0) {
            skip(c, 2);
            return;
        }
        c->bad = c->bad || (len & 0xc0) != 0;
        skip(c, (size_t)len + 1);
        if (len == 0) {
            return;
        }
    }
    c->bad = true;
}

static void take_record(struct cursor *c, uint16_t type, struct validate_address *list, size_t *count)
{
    skip_name(c);
    uint16_t found = u16(c);
    uint16_t class = u16(c);
    skip(c, 4); /* TTL */
    uint16_t len = u16(c);
    lt_slice data = lt_slice_sub(c->rest, 0, len);
    size_t want = type == VALIDATE_DNS_AAAA ? 16 : 4;
    skip(c, len);
    if (c->bad || found != type || class != CLASS_IN || *count == VALIDATE_ADDRESSES_MAX) {
        return;
    }
    c->bad = len != want;
    if (!c->bad) {
        list[*count] = (struct validate_address){.v6 = type == VALIDATE_DNS_AAAA};
        memcpy(list[*count].bytes, data.ptr, want);
        *count += 1;
    }
}

lt_res validate_dns_addresses(lt_slice message, uint16_t type, struct validate_address *list, size_t *count)
{
    struct cursor c = {.rest = message};
    skip(&c, 4);
    uint16_t questions = u16(&c);
    uint16_t answers = u16(&c);
    skip(&c, 4);
    LT_CHECK(!c.bad && questions <= 1 && answers <= RECORDS_MAX, LT_PEER_MALFORMED, "no DNS message");
    for (uint16_t i = 0; i < questions; i++) {
        skip_name(&c);
        skip(&c, 4);
    }
    for (uint16_t i = 0; i < answers && !c.bad; i++) {
        take_record(&c, type, list, count);
    }
    LT_CHECK(!c.bad, LT_PEER_MALFORMED, "a DNS message that ends too early");
    return LT_OK;
}
