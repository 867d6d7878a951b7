#ifndef LINT_RULES_TEXT_H
#define LINT_RULES_TEXT_H
/* Private to lint/: texts as a lenient reader sees them: code points of attributes and raw GeneralNames,
 * white space, Punycode, NFC. Nothing here refuses anything, and nothing allocates but lint_text_is_nfc,
 * which asks libidn2. */
#include "der/reader.h"
#include "lint/rules.h"

/* Code points: of BMPString pairs of bytes, of anything else UTF-8, where a byte that is none is U+FFFD. */
struct lint_text {
    lt_slice rest;
    bool wide;
};
struct lint_text lint_text_of(const struct x509_attribute *a);
static inline struct lint_text lint_text_utf8(lt_slice s)
{
    return (struct lint_text){.rest = s};
}
bool lint_text_next(struct lint_text *t, uint32_t *ret_point);
size_t lint_text_count(struct lint_text t);
bool lint_text_is_space(uint32_t point); /* Unicode White_Space */
/* A value of a string type that readers make text of: not VisibleString, UniversalString or no string. */
bool lint_attribute_is_text(const struct x509_attribute *a);

/* What stands behind "xn--", decoded (RFC 3492). false: it does not decode, or is longer than the room. */
enum { LINT_ULABEL_MAX = 256 };
bool lint_punycode(lt_slice encoded, uint32_t out[LINT_ULABEL_MAX], size_t *ret_count);
/* Does it begin with xn--, in either case? */
bool lint_label_is_xn(lt_slice label);
/* The next label of a name: an empty name has one, which is empty; n is 0 before the first. */
bool lint_label_next(lt_slice name, size_t *at, lt_slice *ret_label);
/* Unicode Normalization Form C? Text that is no UTF-8 counts as normal. */
bool lint_text_is_nfc(lt_slice utf8);
bool lint_points_are_nfc(const uint32_t *points, size_t count);

/* The names in an alternative name's extension, whatever their class and content: for (c =
 * lint_names_open(value); lint_names_next(&c, &number, &content);) */
struct der_cursor lint_names_open(lt_slice extension_value);
bool lint_names_next(struct der_cursor *c, unsigned *ret_number, lt_slice *ret_content);
/* The same over the extension of that type; an empty cursor when it is not there. */
struct der_cursor lint_names_of(const struct lint_subject *s, enum x509_oid oid);

#endif
