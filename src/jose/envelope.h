#ifndef JOSE_ENVELOPE_H
#define JOSE_ENVELOPE_H
/* The outermost layer of a flattened JWS in the one form that every client writes: an object of exactly three
 * members, each once, in any order, their values of base64url characters. What is in any other form is not
 * read here but by the JSON parser, which also says what is wrong; so this may only ever accept what that
 * accepts, with the same meaning (the fuzzer compares). It saves two thirds of the parsing of a request. */
#include "base/slice.h"

struct jws_envelope { /* borrowed from the body; as sent */
    lt_slice protected;
    lt_slice payload;
    lt_slice signature;
};

bool jws_envelope_read(lt_slice body, struct jws_envelope *ret_envelope);

#endif
