/* Holds as bytes. */
#include "ca/hold_record.h"

enum { MAGIC_LEN = 8, HEAD_LEN = MAGIC_LEN + 1 + 8, LENGTH_LEN = 2, TIME_LEN = 8 };
static const char magic[MAGIC_LEN + 1] = "LTHOLD1\n";

bool ca_hold_record_is(lt_slice plain)
{
    return lt_slice_starts(plain, LT_SLICE(magic, MAGIC_LEN));
}

void ca_hold_record_write(const struct ca_hold_record *h, struct lt_buf *out)
{
    const lt_slice texts[CA_HOLD_TEXTS] = {h->issuer, h->serial, h->reason, h->reference, h->by_whom};
    lt_buf_add(out, LT_SLICE(magic, MAGIC_LEN));
    lt_buf_add_byte(out, h->lifted ? 1 : 0);
    for (unsigned i = 0; i < TIME_LEN; i++) {
        lt_buf_add_byte(out, (uint8_t)((uint64_t)h->at_us >> (56 - 8 * i)));
    }
    for (size_t i = 0; i < CA_HOLD_TEXTS; i++) {
        LT_ASSERT(texts[i].len <= UINT16_MAX);
        lt_buf_add_byte(out, (uint8_t)(texts[i].len >> 8));
        lt_buf_add_byte(out, (uint8_t)texts[i].len);
        lt_buf_add(out, texts[i]);
    }
}

lt_res ca_hold_record_read(lt_slice plain, struct ca_hold_record *ret_hold)
{
    LT_CHECK(ca_hold_record_is(plain) && plain.len >= HEAD_LEN && plain.ptr[MAGIC_LEN] <= 1,
             LT_PEER_MALFORMED, "no record of a hold");
    uint64_t at = 0;
    for (unsigned i = 0; i < TIME_LEN; i++) {
        at = at << 8 | plain.ptr[MAGIC_LEN + 1 + i];
    }
    *ret_hold = (struct ca_hold_record){.lifted = plain.ptr[MAGIC_LEN] == 1, .at_us = (int64_t)at};
    lt_slice *const texts[CA_HOLD_TEXTS] = {&ret_hold->issuer, &ret_hold->serial, &ret_hold->reason,
                                            &ret_hold->reference, &ret_hold->by_whom};
    lt_slice rest = lt_slice_sub(plain, HEAD_LEN, SIZE_MAX);
    for (size_t i = 0; i < CA_HOLD_TEXTS; i++) {
        size_t len = rest.len >= LENGTH_LEN ? (size_t)rest.ptr[0] << 8 | rest.ptr[1] : SIZE_MAX;
        LT_CHECK(len <= rest.len && rest.len - len >= LENGTH_LEN, LT_PEER_MALFORMED,
                 "a record of a hold was cut off");
        *texts[i] = lt_slice_sub(rest, LENGTH_LEN, len);
        rest = lt_slice_sub(rest, LENGTH_LEN + len, SIZE_MAX);
    }
    LT_CHECK(rest.len == 0 && ret_hold->issuer.len > 0 && ret_hold->serial.len > 0, LT_PEER_MALFORMED,
             "a record of a hold of nothing, or with more behind it");
    return LT_OK;
}
