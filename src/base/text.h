#ifndef BASE_TEXT_H
#define BASE_TEXT_H
/* Bytes as text and back: hex, base64 (RFC 4648 section 4), base64url without padding (section 5), JSON
 * strings. */
#include "base/arena.h"
#include "base/buf.h"

void lt_hex_add(struct lt_buf *out, lt_slice bytes); /* lower case */
/* In the arena, NUL-terminated; NULL when its cap is reached. */
char *lt_hex(struct lt_arena *a, lt_slice bytes);
/* Either case; an odd number of digits or another character is LT_PEER_MALFORMED. */
LT_MUST_USE lt_res lt_unhex(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes);

void lt_base64_add(struct lt_buf *out, lt_slice bytes);
void lt_base64url_add(struct lt_buf *out, lt_slice bytes);
char *lt_base64url(struct lt_arena *a, lt_slice bytes);
/* Strict: padding, white space, foreign characters and non-zero spare bits are refused.
 *= RFC 7515 2 "with all trailing '=' characters omitted" */
LT_MUST_USE lt_res lt_unbase64url(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes);
/* Padding as the RFC wants it; line ends and blanks are skipped, nothing else. */
LT_MUST_USE lt_res lt_unbase64(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes);

/* PEM (RFC 7468 section 3, strict: 64 columns). */
void lt_pem_add(struct lt_buf *out, const char *label, lt_slice der);
/* The next block in *text; moves *text behind it. LT_PEER_NOT_FOUND when there is none left. */
LT_MUST_USE lt_res lt_pem_next(struct lt_arena *a, lt_slice *text, lt_slice *ret_label, lt_slice *ret_der);

/* A quoted JSON string; control characters and anything that is no UTF-8 are escaped. */
void lt_json_add_string(struct lt_buf *out, lt_slice s);

/* Decimal only, no sign, no blank, no leading zero but "0" itself. */
LT_MUST_USE lt_res lt_parse_u64(lt_slice text, uint64_t max, uint64_t *ret_value);

#endif
