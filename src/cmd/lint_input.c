/* What a file holds: PEM with any number of blocks, DER, or base64 of DER, told apart by looking. Blocks that
 * are none of ours (keys) are passed over; a block whose base64 is broken is named, and the next one is still
 * read. Time grows with the bytes alone: an end that was not found is not looked for again. */
#include "cmd/lint.h"

#include <string.h>

#include "base/text.h"
#include "lint/kinds.h"

enum { LABEL_MAX = 64 };

/* Offset of needle in s, or s.len. */
static size_t find_text(lt_slice s, const char *needle)
{
    size_t len = strlen(needle);
    const void *hit = s.len == 0 ? NULL : memmem(s.ptr, s.len, needle, len);
    return hit == NULL ? s.len : (size_t)((const uint8_t *)hit - s.ptr);
}

/* Behind "-----BEGIN " at the start of a line; false when there is none. */
static bool find_begin(lt_slice *rest)
{
    static const char begin[] = "-----BEGIN ";
    for (;;) {
        size_t at = find_text(*rest, begin);
        if (at == rest->len) {
            return false;
        }
        bool starts_line = at == 0 || rest->ptr[at - 1] == '\n' || rest->ptr[at - 1] == '\r';
        *rest = lt_slice_sub(*rest, at + sizeof(begin) - 1, SIZE_MAX);
        if (starts_line) {
            return true;
        }
    }
}

/* The label, *rest behind its dashes. */
static lt_slice take_label(lt_slice *rest)
{
    size_t len = find_text(lt_slice_sub(*rest, 0, LABEL_MAX + 5), "-----");
    lt_slice label = lt_slice_sub(*rest, 0, len);
    *rest = lt_slice_sub(*rest, len + 5, SIZE_MAX);
    return label;
}

static size_t count_blocks(lt_slice text)
{
    size_t count = 0;
    while (find_begin(&text)) {
        count += lint_kind_by_label(take_label(&text)) != 0;
    }
    return count;
}

void cmd_lint_open(struct cmd_lint_reader *r, lt_slice bytes, bool bare)
{
    lt_slice rest = bytes;
    bool der = lint_kind_of(bytes, bare) != 0;
    *r = (struct cmd_lint_reader){.rest = bytes, .pem = !der && find_begin(&rest), .count = 1, .bare = bare};
    if (r->pem) {
        r->count = count_blocks(bytes);
    }
}

/* "Proc-Type: …" lines of RFC 1421 end with an empty one. */
static lt_slice without_headers(lt_slice body)
{
    lt_slice line = body;
    lt_slice rest = body;
    (void)lt_slice_split(&rest, '\n', &line); /* the rest of the BEGIN line */
    lt_slice first = rest;
    (void)lt_slice_split(&first, '\n', &line);
    if (lt_slice_find(line, ':') == line.len) {
        return body;
    }
    while (lt_slice_split(&rest, '\n', &line)) {
        if (line.len == 0 || (line.len == 1 && line.ptr[0] == '\r')) {
            return rest;
        }
    }
    return body;
}

/* Blocks of that label end nowhere from here on. */
static bool is_endless(const struct cmd_lint_reader *r, lt_slice label)
{
    for (size_t i = 0; i < r->endless_count; i++) {
        if (lt_slice_eq(r->endless[i], label)) {
            return true;
        }
    }
    return false;
}

/* The next label of ours. */
static lt_res next_label(struct cmd_lint_reader *r, lt_slice *ret_label)
{
    do {
        LT_CHECK(find_begin(&r->rest), LT_PEER_NOT_FOUND, "no further PEM block");
        *ret_label = take_label(&r->rest);
    } while (lint_kind_by_label(*ret_label) == 0 || is_endless(r, *ret_label));
    return LT_OK;
}

static lt_res next_block(struct cmd_lint_reader *r, struct lt_arena *a, struct cmd_lint_object *ret_object)
{
    char end[LABEL_MAX + 16] = "-----END ";
    lt_slice label = LT_SLICE(NULL, 0);
    LT_TRY(next_label(r, &label));
    size_t used = strlen(end);
    memcpy(end + used, label.ptr, label.len); /* a label of ours: none is longer */
    memcpy(end + used + label.len, "-----", 6);
    size_t body_len = find_text(r->rest, end);
    if (body_len == r->rest.len) {
        LT_ASSERT(r->endless_count < LT_COUNT(r->endless));
        r->endless[r->endless_count++] = label;
        LT_FAIL(LT_PEER_MALFORMED, "the PEM block has no line %s", end);
    }
    lt_slice body = lt_slice_sub(r->rest, 0, body_len);
    r->rest = lt_slice_sub(r->rest, body_len, SIZE_MAX);
    LT_TRY(lt_unbase64(a, without_headers(body), &ret_object->der));
    LT_CHECK(ret_object->der.len > 0, LT_PEER_MALFORMED, "the PEM block is empty");
    ret_object->kind = lint_kind_labelled(label, &ret_object->der, r->bare);
    return LT_OK;
}

static bool is_base64_text(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && strchr("+/= \t\r\n", c) == NULL) {
            return false;
        }
    }
    return s.len > 0;
}

lt_res cmd_lint_next(struct cmd_lint_reader *r, struct lt_arena *a, struct cmd_lint_object *ret_object)
{
    *ret_object = (struct cmd_lint_object){.kind = 0};
    if (r->pem) {
        return next_block(r, a, ret_object);
    }
    LT_CHECK(r->count > 0, LT_PEER_NOT_FOUND, "no further object");
    r->count = 0;
    LT_CHECK(r->rest.len > 0, LT_PEER_MALFORMED, "it is empty");
    ret_object->der = r->rest;
    ret_object->kind = lint_kind_of(r->rest, r->bare);
    if (ret_object->kind == 0 && is_base64_text(r->rest)) {
        LT_TRY(lt_unbase64(a, r->rest, &ret_object->der));
        LT_CHECK(ret_object->der.len > 0, LT_PEER_MALFORMED, "it is empty");
        ret_object->kind = lint_kind_of(ret_object->der, r->bare);
    }
    return LT_OK;
}
