/* DER: whatever der_check accepts is encoded in exactly one way, so writing it again element by element gives
 * the same bytes; and every typed reader stays inside its input, whatever that is. */
#include "der/reader.h"
#include "der/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void typed(lt_slice input)
{
    struct der_cursor c = der_open(input);
    struct der_bits bits;
    uint64_t sum = 0;
    while (der_more(&c)) {
        struct der_cursor one = c;
        sum += der_boolean(&one);
        one = c;
        sum += der_unsigned(&one).len;
        one = c;
        sum += der_small(&one, UINT64_MAX);
        one = c;
        sum += der_oid(&one).len;
        one = c;
        bits = der_bitstring(&one);
        sum += bits.bytes.len + bits.unused;
        one = c;
        sum += der_named_bits(&one);
        one = c;
        sum += (uint64_t)der_time(&one).us;
        one = c;
        sum += (uint64_t)der_generalized_time(&one).us;
        uint32_t tag = DER_NONE;
        lt_slice content = {0};
        (void)der_any(&c, &tag, &content, NULL); /* sticky: ends the loop */
    }
    LT_ASSERT(sum != 1 || input.len > 0);
}

static void write_again(lt_slice input)
{
    struct der_cursor stack[DER_DEPTH_MAX + 2];
    struct lt_buf out;
    struct der_writer w;
    size_t depth = 0;
    lt_buf_init(&out, input.len);
    der_write_init(&w, &out);
    stack[0] = der_open(input);
    for (;;) {
        struct der_cursor *c = &stack[depth];
        uint32_t tag = DER_NONE;
        lt_slice content = {0};
        if (!der_more(c)) {
            if (depth == 0) {
                break;
            }
            der_end(&w);
            depth--;
            continue;
        }
        LT_ASSERT(der_any(c, &tag, &content, NULL));
        if ((tag & DER_CONSTRUCTED) == 0) {
            der_put(&w, tag, content);
            continue;
        }
        der_begin_hint(&w, tag, content.len);
        stack[depth + 1] = der_into(c, content);
        depth++;
    }
    LT_ASSERT(!lt_failed(der_write_done(&w)) && lt_slice_eq(lt_buf_slice(&out), input));
    lt_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice input = LT_SLICE(data, size);
    typed(input);
    if (!lt_failed(der_check(input))) {
        write_again(input);
    }
    return 0;
}
