/* Members of a sealed batch. */
#include "ca/mass_members.h"

enum { MAGIC_LEN = 8, HEAD_LEN = MAGIC_LEN + 8 + 4 + 4 + 1 };
static const char magic[MAGIC_LEN + 1] = "LTMASS1\n";

bool ca_mass_members_is(lt_slice plain)
{
    return lt_slice_starts(plain, LT_SLICE(magic, MAGIC_LEN));
}

static void add_number(struct lt_buf *out, uint64_t n, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        lt_buf_add_byte(out, (uint8_t)(n >> (8 * (len - 1 - i))));
    }
}

static uint64_t number(lt_slice bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        n = n << 8 | bytes.ptr[i];
    }
    return n;
}

void ca_mass_members_write(const struct ca_mass_members *m, struct lt_buf *out)
{
    LT_ASSERT(m->issuer.len <= UINT8_MAX);
    lt_buf_add(out, LT_SLICE(magic, MAGIC_LEN));
    add_number(out, m->mass, 8);
    add_number(out, m->batch, 4);
    add_number(out, m->count, 4);
    add_number(out, m->issuer.len, 1);
    lt_buf_add(out, m->issuer);
    lt_buf_add(out, m->serials);
}

bool ca_mass_members_next(lt_slice *serials, lt_slice *ret_serial)
{
    if (serials->len == 0) {
        return false;
    }
    size_t len = serials->ptr[0];
    bool good = len > 0 && len <= CA_MASS_SERIAL_MAX && len < serials->len;
    *ret_serial = good ? lt_slice_sub(*serials, 1, len) : LT_LIT("");
    *serials = good ? lt_slice_sub(*serials, 1 + len, SIZE_MAX) : LT_LIT("");
    return good;
}

lt_res ca_mass_members_read(lt_slice plain, struct ca_mass_members *ret_members)
{
    lt_slice serial;
    uint32_t count = 0;
    size_t read = 0;
    LT_CHECK(ca_mass_members_is(plain) && plain.len >= HEAD_LEN, LT_PEER_MALFORMED, "no members of a batch");
    size_t issuer_len = plain.ptr[HEAD_LEN - 1];
    LT_CHECK(issuer_len > 0 && plain.len >= HEAD_LEN + issuer_len, LT_PEER_MALFORMED,
             "members of a batch without its issuer");
    *ret_members = (struct ca_mass_members){
        .mass = number(lt_slice_sub(plain, MAGIC_LEN, 8)),
        .batch = (uint32_t)number(lt_slice_sub(plain, MAGIC_LEN + 8, 4)),
        .count = (uint32_t)number(lt_slice_sub(plain, MAGIC_LEN + 12, 4)),
        .issuer = lt_slice_sub(plain, HEAD_LEN, issuer_len),
        .serials = lt_slice_sub(plain, HEAD_LEN + issuer_len, SIZE_MAX),
    };
    LT_CHECK(ret_members->count > 0 && ret_members->count <= CA_MASS_MEMBERS_MAX, LT_PEER_MALFORMED,
             "a batch of %u members", ret_members->count);
    lt_slice rest = ret_members->serials;
    while (ca_mass_members_next(&rest, &serial)) { /* which ends early where it is no serial number */
        count++;
        read += 1 + serial.len;
    }
    LT_CHECK(count == ret_members->count && read == ret_members->serials.len, LT_PEER_MALFORMED,
             "a batch of %u members has %u", ret_members->count, count);
    return LT_OK;
}
