#ifndef HTTP_FORM_H
#define HTTP_FORM_H
/* The body of a posted HTML form (application/x-www-form-urlencoded), read strictly and without I/O.
 *
 * Refuses what a browser does not send for the forms that we write: bad percent escapes, control characters,
 * bytes that are no UTF-8, a name twice, an empty name, more or longer fields than the limits. */
#include "base/arena.h"
#include "base/slice.h"

enum {
    HTTP_FORM_FIELDS_MAX = 16,
    HTTP_FORM_NAME_MAX = 32,
    HTTP_FORM_VALUE_MAX = 1024, /* decoded */
    HTTP_FORM_AREA_MAX = 60 * 1024,
};

struct http_form_field { /* in the arena */
    lt_slice name;
    lt_slice value;
};

struct http_form {
    size_t count;
    struct http_form_field fields[HTTP_FORM_FIELDS_MAX];
};

/* Is this Content-Type that of such a body? Parameters are passed over. */
bool http_form_is(lt_slice content_type);
/* The empty body is a form without fields. */
LT_MUST_USE lt_res http_form_parse(lt_slice body, struct lt_arena *a, struct http_form *ret_form);
/* The same for a form with a <textarea> of this name: its value may be long, and have ends of lines. */
LT_MUST_USE lt_res http_form_parse_area(lt_slice body, const char *area, struct lt_arena *a,
                                        struct http_form *ret_form);
/* The same with some of them; the last name is NULL. areas NULL: there is none. */
LT_MUST_USE lt_res http_form_parse_areas(lt_slice body, const char *const *areas, struct lt_arena *a,
                                         struct http_form *ret_form);
/* One more field, which came in another way, by the same rules. name and value are borrowed. */
LT_MUST_USE lt_res http_form_take(struct http_form *form, const char *const *areas, lt_slice name,
                                  lt_slice value);
/* Is this a text: UTF-8, and of control characters ends of lines and tabs alone? */
bool http_form_is_text(lt_slice bytes);
/* LT_PEER_MALFORMED for a byte that no UTF-8 text has at its place, or a control character. */
LT_MUST_USE lt_res http_form_check_text(lt_slice text);

#endif
