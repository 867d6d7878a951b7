/* A sticky cursor over our own JSON. */
#include "acme/json_own.h"
#include "base/text.h"

bool acme_own_is(struct acme_own *o, const char *literal)
{
    lt_slice want = lt_slice_cstr(literal);
    if (o->bad || !lt_slice_starts(o->rest, want)) {
        return false;
    }
    o->rest = lt_slice_sub(o->rest, want.len, SIZE_MAX);
    return true;
}

void acme_own_skip(struct acme_own *o, const char *literal)
{
    if (!acme_own_is(o, literal)) {
        o->bad = true;
    }
}

static uint8_t take(struct acme_own *o)
{
    if (o->bad || o->rest.len == 0) {
        o->bad = true;
        return 0;
    }
    uint8_t c = o->rest.ptr[0];
    o->rest = lt_slice_sub(o->rest, 1, SIZE_MAX);
    return c;
}

/* Behind a backslash: the only escapes that lt_json_add_string writes. */
static size_t take_escape(struct acme_own *o, char *out)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t c = take(o);
    if (c == '"' || c == '\\') {
        out[0] = (char)c;
        return 1;
    }
    unsigned value = 0;
    for (size_t i = 0; i < 4; i++) {
        uint8_t digit = c == 'u' ? take(o) : 0;
        unsigned n = 0;
        while (n < 16 && hex[n] != (char)digit) {
            n++;
        }
        o->bad = o->bad || n == 16;
        value = value * 16 + (n & 15);
    }
    if (value < 0x80) {
        out[0] = (char)value;
        return 1;
    }
    o->bad = o->bad || value != 0xfffd;
    out[0] = (char)0xef;
    out[1] = (char)0xbf;
    out[2] = (char)0xbd;
    return 3;
}

char *acme_own_string(struct acme_own *o, struct lt_arena *a)
{
    char *out = o->bad ? NULL : lt_arena_alloc(a, o->rest.len + 1);
    if (out == NULL || take(o) != '"') {
        o->bad = true;
        return NULL;
    }
    size_t len = 0;
    for (uint8_t c = take(o); c != '"' && !o->bad; c = take(o)) {
        if (c == '\\') {
            len += take_escape(o, out + len);
        } else {
            out[len++] = (char)c;
        }
    }
    out[len] = '\0';
    return o->bad ? NULL : out;
}

uint32_t acme_own_number(struct acme_own *o)
{
    size_t len = 0;
    while (len < o->rest.len && o->rest.ptr[len] >= '0' && o->rest.ptr[len] <= '9') {
        len++;
    }
    uint64_t value = 0;
    if (o->bad || lt_failed(lt_parse_u64(lt_slice_sub(o->rest, 0, len), UINT32_MAX, &value))) {
        o->bad = true;
        return 0;
    }
    o->rest = lt_slice_sub(o->rest, len, SIZE_MAX);
    return (uint32_t)value;
}

lt_res acme_own_done(const struct acme_own *o)
{
    LT_CHECK(!o->bad && o->rest.len == 0, LT_STATE_CORRUPT, "acme: the book holds JSON that is not ours");
    return LT_OK;
}
