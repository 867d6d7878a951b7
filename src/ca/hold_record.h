#ifndef CA_HOLD_RECORD_H
#define CA_HOLD_RECORD_H
/* A certificate put on the freeze list, or taken off it, as bytes: a frame among the evidence. A book that is
 * put back older than a court's order finds it here, before batches that were journaled since come back
 * (lintel restore).
 *
 *   "LTHOLD1\n" lifted:1 at-us:8, then each behind its length of 2: issuer, serial, reason, reference,
 * operator
 *
 * Pure. Numbers are big-endian. Refuses whatever it would not have written itself. */
#include "base/buf.h"
#include "base/result.h"

enum { CA_HOLD_TEXTS = 5 };

struct ca_hold_record {
    bool lifted;
    int64_t at_us;
    lt_slice issuer;
    lt_slice serial;
    lt_slice reason;
    lt_slice reference;
    lt_slice by_whom;
};

bool ca_hold_record_is(lt_slice plain);
void ca_hold_record_write(const struct ca_hold_record *h, struct lt_buf *out);
/* Slices borrow from plain. */
LT_MUST_USE lt_res ca_hold_record_read(lt_slice plain, struct ca_hold_record *ret_hold);

#endif
