#ifndef VALIDATE_QUESTION_H
#define VALIDATE_QUESTION_H
/* Can the answer to this question prove anything? */
#include "validate.pb-c.h"
#include "validate/methods.h"

enum {
    VALIDATE_RANDOM_TEXT = 32,     /* base64url of the 192 bits that the registrar draws */
    VALIDATE_TOKEN_TEXT_MIN = 22,  /* base64url of 128 bits */
    VALIDATE_THUMBPRINT_TEXT = 43, /* base64url of SHA-256 */
};

/* NULL, or what its form lacks: a clause in static storage. */
const char *validate_question_refusal(const struct validate_method *m, const Ipc__Validate *q);

#endif
