/* A name server for the load generator's names, just large enough for a resolver to believe it. */
#include <string.h>

#include "cmd/bench.h"

enum { HEADER_LEN = 12, NAME_MAX_LEN = 255, TYPE_A = 1, CLASS_IN = 1, TTL_S = 60 };
enum { RCODE_REFUSED = 5, RCODE_NOTIMP = 4 };

static unsigned u16(lt_slice s, size_t at)
{
    return (unsigned)s.ptr[at] << 8 | s.ptr[at + 1];
}

static void put16(struct lt_buf *out, unsigned v)
{
    lt_buf_add_byte(out, (uint8_t)(v >> 8));
    lt_buf_add_byte(out, (uint8_t)v);
}

/* The question's name as text with dots, lower case; *ret_end is where it ends in the message. */
static lt_res read_name(lt_slice query, char ret_text[NAME_MAX_LEN + 1], size_t *ret_end)
{
    size_t at = HEADER_LEN;
    size_t len = 0;
    while (at < query.len && query.ptr[at] != 0) {
        size_t label = query.ptr[at];
        LT_CHECK(label < 64 && at + 1 + label < query.len && len + label + 1 < NAME_MAX_LEN,
                 LT_PEER_MALFORMED, "DNS: a name that is none");
        for (size_t i = 0; i < label; i++) {
            uint8_t c = query.ptr[at + 1 + i];
            ret_text[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        ret_text[len++] = '.';
        at += 1 + label;
    }
    LT_CHECK(at + 5 <= query.len, LT_PEER_MALFORMED, "DNS: the question is cut short");
    ret_text[len > 0 ? len - 1 : 0] = 0;
    *ret_end = at + 1;
    return LT_OK;
}

/* suffix itself, or something with a dot before it. */
static bool below(const char *name, const char *suffix, size_t *ret_offset)
{
    size_t n = strlen(name);
    size_t s = strlen(suffix);
    *ret_offset = n >= s ? n - s : 0;
    return n >= s && strcmp(name + *ret_offset, suffix) == 0 && (n == s || name[*ret_offset - 1] == '.');
}

static void put_record(struct lt_buf *out, unsigned name_at, unsigned type, unsigned rdata_len)
{
    put16(out, 0xc000u | name_at); /* a pointer into the question */
    put16(out, type);
    put16(out, CLASS_IN);
    put16(out, 0);
    put16(out, TTL_S);
    put16(out, rdata_len);
}

/* SOA with root as both names: what makes an empty answer one that may be remembered. */
static void put_soa(struct lt_buf *out, size_t zone_at)
{
    enum { TYPE_SOA = 6, NUMBERS = 5 };
    put_record(out, (unsigned)zone_at, TYPE_SOA, 2 + 4 * NUMBERS);
    put16(out, 0);
    for (int i = 0; i < NUMBERS; i++) {
        put16(out, 0);
        put16(out, TTL_S);
    }
}

lt_res bench_dns_answer(lt_slice query, const char *suffix, struct lt_buf *out)
{
    char name[NAME_MAX_LEN + 1];
    size_t end;
    size_t offset;
    LT_CHECK(query.len > HEADER_LEN && (query.ptr[2] & 0x80) == 0 && u16(query, 4) == 1, LT_PEER_MALFORMED,
             "DNS: not one question");
    LT_TRY(read_name(query, name, &end));
    bool standard = (query.ptr[2] & 0x78) == 0;
    bool ours = below(name, suffix, &offset) && u16(query, end + 2) == CLASS_IN;
    bool address = ours && standard && u16(query, end) == TYPE_A;
    bool edns = u16(query, 10) > 0;
    unsigned code = !standard ? RCODE_NOTIMP : ours ? 0 : RCODE_REFUSED;
    put16(out, u16(query, 0));
    put16(out, 0x8480u | (query.ptr[2] & 1u) << 8 | code); /* QR, AA, RA; RD as asked */
    put16(out, 1);
    put16(out, address ? 1 : 0);
    put16(out, code == 0 && !address ? 1 : 0);
    put16(out, edns ? 1 : 0);
    lt_buf_add(out, LT_SLICE(query.ptr + HEADER_LEN, end + 4 - HEADER_LEN));
    if (address) {
        put_record(out, HEADER_LEN, TYPE_A, 4);
        lt_buf_add(out, LT_LIT("\x7f\0\0\1"));
    } else if (code == 0) {
        put_soa(out, HEADER_LEN + offset); /* text and wire have the same offsets: a length for each dot */
    }
    if (edns) {
        lt_buf_add(out, LT_LIT("\0\0\x29\x04\xd0\0\0\0\0\0\0")); /* OPT, 1232 bytes, nothing else */
    }
    return lt_buf_check(out);
}
