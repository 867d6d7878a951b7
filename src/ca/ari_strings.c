/* Texts of renewal information: open addressing over offsets. */
#include "ca/ari_strings.h"

#include <stdlib.h>
#include <string.h>

#include "ca/ari_map.h"

enum { SIZE_FIRST = 256 };

void ca_ari_strings_init(struct ca_ari_strings *s)
{
    *s = (struct ca_ari_strings){.size = 0};
    lt_buf_init(&s->text, CA_ARI_STRINGS_MAX);
}

void ca_ari_strings_done(struct ca_ari_strings *s)
{
    lt_buf_done(&s->text);
    free(s->slots);
    *s = (struct ca_ari_strings){.size = 0};
}

void ca_ari_strings_reset(struct ca_ari_strings *s)
{
    lt_buf_reset(&s->text);
    if (s->size > 0) {
        memset(s->slots, 0, s->size * sizeof *s->slots);
    }
    s->count = 0;
}

/* FNV-1a; the texts are our own. */
static size_t hash_of(lt_slice text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++) {
        h = (h ^ text.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32);
}

static lt_slice text_at(const struct ca_ari_strings *s, uint32_t slot)
{
    lt_slice text = lt_slice_sub(lt_buf_slice(&s->text), slot - 1, CA_ARI_URL_MAX + 1);
    return lt_slice_sub(text, 0, lt_slice_find(text, '\n'));
}

/* Where the text is, or the empty slot where it belongs. */
static uint32_t *slot_of(const struct ca_ari_strings *s, lt_slice text)
{
    size_t at = hash_of(text) & (s->size - 1);
    while (s->slots[at] != 0 && !lt_slice_eq(text_at(s, s->slots[at]), text)) {
        at = (at + 1) & (s->size - 1);
    }
    return &s->slots[at];
}

static void grow(struct ca_ari_strings *s)
{
    struct ca_ari_strings larger = *s;
    larger.size = s->size == 0 ? SIZE_FIRST : s->size * 2;
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    LT_ASSERT(larger.slots != NULL);
    for (size_t i = 0; i < s->size; i++) {
        if (s->slots[i] != 0) {
            *slot_of(&larger, text_at(s, s->slots[i])) = s->slots[i];
        }
    }
    free(s->slots);
    *s = larger;
}

lt_res ca_ari_strings_add(struct ca_ari_strings *s, lt_slice text, uint32_t *ret_offset)
{
    *ret_offset = 0;
    if (text.len == 0) {
        return LT_OK;
    }
    LT_CHECK(text.len <= CA_ARI_URL_MAX, LT_STATE_CORRUPT, "an explanation URL of %zu bytes", text.len);
    LT_CHECK(lt_slice_find(text, '\n') == text.len, LT_STATE_CORRUPT, "an explanation URL with a line end");
    if (s->count >= s->size / 2) {
        grow(s);
    }
    uint32_t *slot = slot_of(s, text);
    if (*slot == 0) {
        uint32_t offset = (uint32_t)s->text.len + 1;
        lt_buf_add(&s->text, text);
        lt_buf_add_byte(&s->text, '\n');
        LT_TRY(lt_buf_check(&s->text));
        *slot = offset;
        s->count++;
    }
    *ret_offset = *slot;
    return LT_OK;
}
