#ifndef DER_WRITER_H
#define DER_WRITER_H
/* A forward writer of DER into a struct lt_buf. Lengths are patched when an element ends; a hint of the
 * length to come saves moving large contents. Overflow of the buffer is sticky there: write on, ask
 * der_write_done.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "der/reader.h"

struct der_writer {
    struct lt_buf *out; /* borrowed */
    struct {
        size_t at;         /* of the length's first byte */
        unsigned reserved; /* bytes kept for the length */
    } open[DER_DEPTH_MAX];
    unsigned depth;
};

void der_write_init(struct der_writer *w, struct lt_buf *out);
/* Every begin has its end, and all fitted: LT_PEER_TOO_LARGE otherwise. */
LT_MUST_USE lt_res der_write_done(const struct der_writer *w);

void der_begin(struct der_writer *w, uint32_t tag);
/* The same when the content is expected to be about len bytes. */
void der_begin_hint(struct der_writer *w, uint32_t tag, size_t len);
void der_end(struct der_writer *w);

void der_put(struct der_writer *w, uint32_t tag, lt_slice content);
/* Tag and length alone, of content that goes elsewhere. */
void der_put_head(struct der_writer *w, uint32_t tag, size_t len);
/* Elements that are complete already. */
void der_put_raw(struct der_writer *w, lt_slice der);
/* INTEGER from a big-endian magnitude; leading zeros are dropped, one is added where the sign needs it. */
void der_put_unsigned(struct der_writer *w, lt_slice magnitude);
void der_put_small(struct der_writer *w, uint64_t value);
void der_put_enumerated(struct der_writer *w, uint8_t value);
void der_put_boolean(struct der_writer *w, bool value);
void der_put_null(struct der_writer *w);
void der_put_oid(struct der_writer *w, lt_slice content);
void der_put_octets(struct der_writer *w, lt_slice content);
/* BIT STRING of whole bytes. */
void der_put_bitstring(struct der_writer *w, lt_slice bytes);
/* Named bits: 1 << n is bit n of the ASN.1; written without zero bits at the end. tag: DER_BIT_STRING or
 * implicit. */
void der_put_named_bits(struct der_writer *w, uint32_t tag, uint32_t bits);
/* RFC 5280 Time; the fraction of a second is dropped. */
void der_put_time(struct der_writer *w, lt_time t);
void der_put_generalized_time(struct der_writer *w, lt_time t);

#endif
