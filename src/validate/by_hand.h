#ifndef VALIDATE_BY_HAND_H
#define VALIDATE_BY_HAND_H
/* Where a person puts the random value of a method by hand: said once, for the registrar, which asks the
 * validator to look there, and for everybody who tells the person. */
#include "base/buf.h"
#include "validate/methods.h"

/* One label below which no customer of a shared zone may make names; one file. */
#define VALIDATE_BY_HAND_LABEL "_lintel"
#define VALIDATE_BY_HAND_FILE "lintel.txt"

/* What the question's token is: label or file name; "" for methods that have no place. Static storage. */
const char *validate_by_hand_token(const char *method);
/* "_lintel.example.com", "http://example.com/.well-known/pki-validation/lintel.txt"; nothing for methods that
 * have no place. name: without "*.". */
void validate_by_hand_where(const struct validate_method *m, lt_slice name, struct lt_buf *out);
/* What is put there: "TXT record", "file"; "" for methods that have no place. Static storage. */
const char *validate_by_hand_what(const struct validate_method *m);

#endif
