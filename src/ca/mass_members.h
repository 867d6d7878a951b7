#ifndef CA_MASS_MEMBERS_H
#define CA_MASS_MEMBERS_H
/* Who is in a sealed batch, as bytes: a frame among the evidence, written before the batch can be journaled.
 * The journal has of a batch its count and the root of its serials; a book that is put back older than the
 * batch finds here whose they are (lintel restore). Proven by that root, so nothing else is trusted of it.
 *
 *   "LTMASS1\n" mass:8 batch:4 count:4 issuer-length:1 issuer (length:1 serial)*count      numbers big-endian
 *
 * Pure. Refuses whatever it would not have written itself. */
#include "base/buf.h"
#include "base/result.h"

enum { CA_MASS_SERIAL_MAX = 20, CA_MASS_MEMBERS_MAX = 10000 };

struct ca_mass_members {
    uint64_t mass;
    uint32_t batch;
    uint32_t count;
    lt_slice issuer;  /* name; borrowed, as the serials */
    lt_slice serials; /* each behind its length */
};

/* A frame of members, or something else. */
bool ca_mass_members_is(lt_slice plain);
void ca_mass_members_write(const struct ca_mass_members *m, struct lt_buf *out);
LT_MUST_USE lt_res ca_mass_members_read(lt_slice plain, struct ca_mass_members *ret_members);
/* Moves *serials behind the next one; false at the end. */
bool ca_mass_members_next(lt_slice *serials, lt_slice *ret_serial);

#endif
