#ifndef SIGNER_FIXED_READER_H
#define SIGNER_FIXED_READER_H
/* The sticky reader inside fixed.c and fixed_crl.c: once anything was wrong, every field is empty. */
#include "signer/fixed.h"

enum { BOOL = 0x01, INTEGER = 0x02, BITS = 0x03, OCTETS = 0x04, OID = 0x06, UTC = 0x17, GENERALIZED = 0x18 };
enum { SEQUENCE = 0x30, TAG_0 = 0xa0, TAG_3 = 0xa3, KEY_CERT_SIGN = 0x04, CRL_SIGN = 0x02 };
#define BYTES(literal_) LT_SLICE(literal_, sizeof(literal_) - 1)

struct fixed_reader {
    const char *bad; /* the first thing that was wrong; static storage */
};

/* Was anything wrong, this included? */
bool fixed_refuse(struct fixed_reader *r, bool wrong, const char *why);
/* The content of the TLV at the front of *in, which moves behind it. */
lt_slice fixed_step(struct fixed_reader *r, lt_slice *in, uint8_t tag);
void fixed_expect(struct fixed_reader *r, lt_slice *in, lt_slice bytes, const char *why);
void fixed_expect_number(struct fixed_reader *r, lt_slice *in, lt_slice number);
lt_time fixed_take_time(struct fixed_reader *r, lt_slice *in);
void fixed_near_now(struct fixed_reader *r, lt_time t, lt_time now, int64_t skew_s);
/* The end of a certificate, or of a CRL: then number is set. found: poison, or the CRL number. */
void fixed_take_extensions(struct fixed_reader *r, lt_slice in, const lt_slice *number, bool *found);

#endif
