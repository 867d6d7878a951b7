/* Forms: what is taken has names that differ, texts that are UTF-8 without control characters, and means the
 * same when it is written again. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_escaped(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        lt_buf_addf(out, "%%%02X", text.ptr[i]);
    }
}

static void check_again(const struct http_form *f, struct lt_arena *a)
{
    struct http_form again;
    struct lt_buf out;
    lt_buf_init(&out, 256 * 1024);
    for (size_t i = 0; i < f->count; i++) {
        LT_ASSERT(f->fields[i].name.len > 0 && f->fields[i].name.len <= HTTP_FORM_NAME_MAX);
        LT_ASSERT(f->fields[i].value.len <= HTTP_FORM_VALUE_MAX);
        LT_ASSERT(!lt_failed(http_form_check_text(f->fields[i].value)));
        lt_buf_add_cstr(&out, i == 0 ? "" : "&");
        add_escaped(&out, f->fields[i].name);
        lt_buf_add_byte(&out, '=');
        add_escaped(&out, f->fields[i].value);
    }
    LT_ASSERT(!lt_failed(http_form_parse(lt_buf_slice(&out), a, &again)) && again.count == f->count);
    for (size_t i = 0; i < f->count; i++) {
        LT_ASSERT(lt_slice_eq(again.fields[i].name, f->fields[i].name));
        LT_ASSERT(lt_slice_eq(again.fields[i].value, f->fields[i].value));
    }
    lt_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena arena;
    struct http_form f;
    lt_arena_init(&arena, 1024 * 1024);
    if (!lt_failed(http_form_parse(LT_SLICE(data, size), &arena, &f))) {
        LT_ASSERT(f.count <= HTTP_FORM_FIELDS_MAX);
        check_again(&f, &arena);
    }
    if (!lt_failed(http_form_parse_area(LT_SLICE(data, size), "csr", &arena, &f))) {
        for (size_t i = 0; i < f.count; i++) {
            bool area = lt_slice_eq_cstr(f.fields[i].name, "csr");
            LT_ASSERT(f.fields[i].value.len <= (area ? HTTP_FORM_AREA_MAX : HTTP_FORM_VALUE_MAX));
            LT_ASSERT(area || !lt_failed(http_form_check_text(f.fields[i].value)));
        }
    }
    (void)http_form_is(LT_SLICE(data, size)); /* it must only be safe */
    lt_arena_done(&arena);
    return 0;
}
