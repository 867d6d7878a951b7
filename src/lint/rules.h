#ifndef LINT_RULES_H
#define LINT_RULES_H
/* Private to lint/: what the files in rules/ are written with. */
#include "lint/subject.h"

struct lint_table {
    const struct lint_rule *rows;
    size_t count;
};
#define LINT_TABLE(rows_)        \
    {                            \
        (rows_), LT_COUNT(rows_) \
    }

/* What a check writes to. */
struct lint_report {
    const struct lint_subject *subject;
    const struct lint_rule *rule;
    struct lint_results *results;
    enum lint_status status; /* so far; LINT_PASS at first */
};

/* Something is wrong, at the rule's level. where: the bytes it is about, a slice of the input, from which
 * path and offset follow; the slice that should have held it when it is missing; empty for the whole object.
 * The message says what is wrong with this one ("valid for 400 days"), not what the rule asks. */
void lint_found(struct lint_report *r, lt_slice where, const char *format, ...) LT_PRINTF(3, 4);
/* The same at another level than the rule's, or without a finding: LINT_NA, LINT_NE. */
void lint_found_at(struct lint_report *r, enum lint_status level, lt_slice where, const char *format, ...)
    LT_PRINTF(4, 5);
/* zlint's checks may still answer NA, NE or fatal. */
static inline void lint_say(struct lint_report *r, enum lint_status status)
{
    r->status = status;
}

/* The whole Extension of that type, or NULL. */
static inline const struct x509_extension *lint_ext(const struct lint_subject *s, enum x509_oid oid)
{
    return x509_extension_find(&s->cert->ext, oid);
}
/* Where to point for an extension: itself, or all of the TBS when it is missing. */
static inline lt_slice lint_ext_at(const struct lint_subject *s, enum x509_oid oid)
{
    const struct x509_extension *x = lint_ext(s, oid);
    return x == NULL ? s->cert->tbs : x->der;
}

/* The types of strings that zlint's library reads: an attribute of another type is there, but has no text. */
static inline bool lint_is_text(const struct x509_attribute *a)
{
    return a->string_type == DER_UTF8_STRING || a->string_type == DER_PRINTABLE_STRING ||
           a->string_type == DER_IA5_STRING || a->string_type == DER_NUMERIC_STRING ||
           a->string_type == DER_T61_STRING || a->string_type == DER_BMP_STRING;
}

#endif
