#ifndef LINT_SYNTAX_H
#define LINT_SYNTAX_H
/* Private to lint/: where the bytes are not the DER of what they should be. */
#include "base/arena.h"
#include "base/slice.h"
#include "der/reader.h"
#include "x509/ext.h"

/* What kind of rule was broken: each is a row of rules/x690.c. */
enum lint_fault_class {
    LINT_FAULT_LENGTH,
    LINT_FAULT_TAG,
    LINT_FAULT_BOOLEAN,
    LINT_FAULT_INTEGER,
    LINT_FAULT_BIT_STRING,
    LINT_FAULT_NAMED_BITS,
    LINT_FAULT_NULL,
    LINT_FAULT_OID,
    LINT_FAULT_DEFAULT,
    LINT_FAULT_SET_ORDER,
    LINT_FAULT_STRING,
    LINT_FAULT_TIME,
    LINT_FAULT_TRAILING,
    LINT_FAULT_DUPLICATE,
    LINT_FAULT_STRUCTURE,
    LINT_FAULT_LIMIT, /* nothing is wrong, but not all of it was read */
    LINT_FAULT_OTHER, /* broken rules of RFC 5280's text, which has rows of its own */
    LINT_FAULT_CLASSES,
};

struct lint_fault {
    enum lint_fault_class class;
    const char *why; /* static storage */
    size_t offset;   /* from the start of the input */
    size_t len;
};

enum { LINT_FAULTS_MAX = 64 };
struct lint_faults {
    struct lint_fault list[LINT_FAULTS_MAX];
    size_t count;
};

struct lint_bytes {
    lt_slice whole;
    lt_slice known; /* content of an element in it that a strict reader has read to its end; or empty */
};

/* Everything that is wrong, without an end at the first: what the decoder noted and refused, then each
 * element of the tree by itself, but those that are known to be right. ext: NULL when it did not decode; then
 * OCTET STRINGs behind an object identifier are looked into. *ret_faults is in the arena, NULL when nothing
 * is wrong. */
LT_MUST_USE lt_res lint_faults_find(const struct lint_bytes *bytes, const struct der_notes *notes,
                                    const struct x509_extensions *ext, struct lt_arena *a,
                                    const struct lint_faults **ret_faults);

#endif
