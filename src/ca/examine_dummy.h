#ifndef CA_EXAMINE_DUMMY_H
#define CA_EXAMINE_DUMMY_H
/* A certificate for linters that want a whole one: the bytes that are to be signed, and in place of the
 * signature a constant of the form and length that the issuer's key would give. No key is touched, and nobody
 * will ever verify it.
 *= CABF-BR 4.3.1.2 "Specify a static value for the signature field of the Certificate ASN.1 SEQUENCE." */
#include "base/buf.h"
#include "x509/spki.h"

LT_MUST_USE lt_res ca_dummy_certificate(lt_slice tbs, const struct x509_spki *issuer, struct lt_buf *out);

#endif
