#ifndef VALIDATE_PERSPECTIVE_PRIVATE_H
#define VALIDATE_PERSPECTIVE_PRIVATE_H
/* Shared by the file that a CA reads of a perspective and the one that the perspective reads of itself. */
#include <jansson.h>

#include "validate/perspective.h"

/* Name, URL, regions and places. Members that it does not know are left alone. */
LT_MUST_USE lt_res validate_perspective_describe(struct lt_arena *a, json_t *root,
                                                 struct validate_perspective *p);
/* Refuses members that are neither of those nor among more. */
LT_MUST_USE lt_res validate_perspective_only(json_t *root, const char *const *more, size_t count);
/* The object's beginning; the caller ends it. */
void validate_perspective_describe_print(const struct validate_perspective *p, struct lt_buf *out);
LT_MUST_USE lt_res validate_perspective_key_check(lt_slice spki);

/* validate_statement_verify; check false: the signature is known to be good. */
LT_MUST_USE lt_res validate_statement_open(const struct validate_perspective *p,
                                           const Ipc__SignedStatement *s, bool check, struct lt_arena *a,
                                           const Ipc__Validated **ret_validated);

#endif
