/* DER itself: each row one rule of X.690, found by the decoders and by the walk of lint/syntax.c. These are
 * the only rows that are judged on bytes that do not decode; they go on behind the first thing that is wrong.
 */
#include "lint/rules.h"
#include "lint/syntax.h"

enum { SHOWN_BYTES = 16 };

static void faults_of(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; s->faults != NULL && i < s->faults->count; i++) {
        const struct lint_fault *f = &s->faults->list[i];
        if ((int64_t)f->class == r->rule->value) {
            lt_slice where = lt_slice_sub(s->der, f->offset, f->len);
            lint_found(r, where, "%s at byte %zu", f->why, f->offset);
        }
    }
}

static void undecodable(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_is(s, LINT_IS_READABLE) || s->limit > 0) {
        return;
    }
    const char *why = s->notes != NULL && s->notes->last.why != NULL ? s->notes->last.why : "no such object";
    size_t offset = s->notes != NULL ? s->notes->last.offset : 0;
    lint_found(r, lt_slice_sub(s->der, offset, SHOWN_BYTES),
               "%s at byte %zu: nothing behind it can be judged", why, offset);
}

static void too_long(const struct lint_subject *s, struct lint_report *r)
{
    if (s->limit > 0) {
        lint_found(r, s->der, "%zu bytes: %zu at most are read, and nothing in it was judged", s->der.len,
                   s->limit);
    }
}

/* Not what a document asks: whoever relies on a verdict has to know that part of the object has none. */
#define LIMIT \
    .citation = "docs/lint.md, Known limits", .source = LINT_LINTEL, .level = LINT_ERROR, .undecoded = true

#define X690 \
    .source = LINT_X690, .kinds = LINT_CERTIFICATE | LINT_CRL | LINT_CSR | LINT_OCSP, .check = faults_of
#define OF(class_) X690, .level = LINT_ERROR, .value = LINT_FAULT_##class_

static const struct lint_rule rows[] = {
    {"lintel_x690_undecodable", .asks = "the bytes decode as what they are meant to be",
     .citation = "X.690 10", .source = LINT_X690, .kinds = LINT_CERTIFICATE | LINT_CRL | LINT_CSR | LINT_OCSP,
     .level = LINT_FATAL, .check = undecodable},
    {"lintel_x690_length", .asks = "lengths are definite and take as few bytes as they can",
     .citation = "X.690 10.1", OF(LENGTH)},
    {"lintel_x690_tag", .asks = "tags are minimal, and constructed where their type is",
     .citation = "X.690 8.1.2", OF(TAG)},
    {"lintel_x690_boolean", .asks = "a BOOLEAN is one byte, 00 or FF", .citation = "X.690 11.1", OF(BOOLEAN)},
    {"lintel_x690_integer", .asks = "an INTEGER has content, and no byte that its value does not need",
     .citation = "X.690 8.3.2", OF(INTEGER)},
    {"lintel_x690_bit_string", .asks = "a BIT STRING counts its unused bits, and they are zero",
     .citation = "X.690 11.2.1", OF(BIT_STRING)},
    {"lintel_x690_named_bits", .asks = "a list of named bits ends with a bit that is one",
     .citation = "X.690 11.2.2", OF(NAMED_BITS)},
    {"lintel_x690_null", .asks = "a NULL is empty", .citation = "X.690 8.8.2", OF(NULL)},
    {"lintel_x690_oid", .asks = "an OBJECT IDENTIFIER is whole and its arcs are minimal",
     .citation = "X.690 8.19.2", OF(OID)},
    {"lintel_x690_default", .asks = "a component that has its default value is left out",
     .citation = "X.690 11.5", OF(DEFAULT)},
    {"lintel_x690_set_order", .asks = "the elements of a SET OF stand in ascending order",
     .citation = "X.690 11.6", OF(SET_ORDER)},
    {"lintel_x690_string", .asks = "a string holds only characters of its type", .citation = "X.680 41",
     OF(STRING)},
    {"lintel_x690_time", .asks = "a time has seconds, no idle fraction, and ends in Z",
     .citation = "X.690 11.7, 11.8", OF(TIME)},
    {"lintel_x690_trailing", .asks = "nothing stands behind the last field of a structure",
     .citation = "X.690 8.9", OF(TRAILING)},
    {"lintel_x690_structure", .asks = "each structure is made as its module says",
     .citation = "X.690 8, RFC 5280 A", OF(STRUCTURE)},
    {"lintel_x690_duplicate_extension", .asks = "no extension stands twice", .citation = "RFC 5280 4.2",
     OF(DUPLICATE)},
    {"lintel_limit_count", .asks = "all attributes, extensions and entries of lists were read", LIMIT,
     .kinds = LINT_CERTIFICATE | LINT_CRL | LINT_CSR | LINT_OCSP, .check = faults_of,
     .value = LINT_FAULT_LIMIT},
    {"lintel_limit_bytes", .asks = "the object is short enough to be read", LIMIT,
     .kinds = LINT_CERTIFICATE | LINT_CSR, .check = too_long},
};
const struct lint_table lint_x690 = LINT_TABLE(rows);
