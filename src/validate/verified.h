#ifndef VALIDATE_VERIFIED_H
#define VALIDATE_VERIFIED_H
/* Signatures that were verified, remembered by the hash of key, statement and signature: an order that is
 * tried again does not cost the verification of hundreds of statements again. Only good ones are remembered;
 * what a statement says is read anew each time. Belongs to one thread.
 */
#include "validate/perspective.h"

struct validate_verified;
/* capacity: signatures that are remembered (rounded up to a power of two); the newer one of two that share a
 * place stays. */
struct validate_verified *validate_verified_new(size_t capacity);
void validate_verified_free(struct validate_verified *known); /* NULL is fine */
size_t validate_verified_hits(const struct validate_verified *known);

/* validate_statement_verify; known may be NULL. */
LT_MUST_USE lt_res validate_statement_recall(struct validate_verified *known,
                                             const struct validate_perspective *p,
                                             const Ipc__SignedStatement *s, struct lt_arena *a,
                                             const Ipc__Validated **ret_validated);

#endif
