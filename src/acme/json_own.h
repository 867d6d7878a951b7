#ifndef ACME_JSON_OWN_H
#define ACME_JSON_OWN_H
/* Reads back the few JSON texts that this room wrote into the book itself: fixed keys in a fixed order, no
 * blanks. Not a JSON parser, and never for anything that came from outside: what differs is LT_STATE_CORRUPT.
 */
#include "base/arena.h"

struct acme_own {
    lt_slice rest;
    bool bad; /* sticky */
};

bool acme_own_is(struct acme_own *o, const char *literal);   /* takes it when it comes next */
void acme_own_skip(struct acme_own *o, const char *literal); /* must come next */
/* A JSON string as lt_json_add_string writes it; NUL-terminated, NULL when the cursor is bad. */
char *acme_own_string(struct acme_own *o, struct lt_arena *a);
uint32_t acme_own_number(struct acme_own *o);
/* Nothing bad, nothing left. */
LT_MUST_USE lt_res acme_own_done(const struct acme_own *o);

#endif
