#ifndef ROLE_MAILROOM_TEXT_H
#define ROLE_MAILROOM_TEXT_H
/* What people wrote, out of what their programs made of it. Whatever comes in, some text comes out;
 * LT_PEER_TOO_LARGE alone, when the arena is full. */
#include "base/arena.h"

/* As its reader sees it, more or less: tags are passed over, those that end a line end one, and the
 * characters that HTML writes with names or numbers are themselves. */
LT_MUST_USE lt_res mailroom_text_html(lt_slice html, struct lt_arena *a, lt_slice *ret_text);
/* UTF-16 that says so by its first two bytes, as UTF-8; everything else as it is. */
LT_MUST_USE lt_res mailroom_text_utf16(lt_slice bytes, struct lt_arena *a, lt_slice *ret_text);

#endif
