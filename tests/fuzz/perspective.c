/* Perspectives' files: any text is refused or is a perspective that prints and reads the same. Besides, as
 * the packed form of a signed statement: whatever decodes does not verify under a key that signed nothing. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "validate/perspective.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 20 };

static void print_again(struct lt_arena *a, const struct validate_perspective *p)
{
    struct lt_buf out;
    struct validate_perspective again;
    LT_ASSERT(validate_perspective_name_valid(lt_slice_cstr(p->name)) && p->spki.len > 0);
    LT_ASSERT(p->rir != VALIDATE_RIR_NONE && p->resolver_rir != VALIDATE_RIR_NONE);
    lt_buf_init(&out, VALIDATE_PERSPECTIVE_FILE_MAX);
    if (!lt_failed(validate_perspective_print(p, &out))) { /* a latitude of 300 digits does not fit */
        LT_ASSERT(!lt_failed(validate_perspective_parse(a, lt_buf_slice(&out), &again)));
        LT_ASSERT(strcmp(again.name, p->name) == 0 && strcmp(again.url, p->url) == 0);
        LT_ASSERT(lt_slice_eq(again.spki, p->spki) && again.rir == p->rir);
    }
    lt_buf_done(&out);
}

static void verify(struct lt_arena *a, const struct validate_perspective *p, const uint8_t *data, size_t size)
{
    Ipc__SignedStatement *s = ipc__signed_statement__unpack(NULL, size, data);
    const Ipc__Validated *v = NULL;
    if (s != NULL) {
        LT_ASSERT(lt_failed(validate_statement_verify(p, s, a, &v)) && v == NULL);
        ipc__signed_statement__free_unpacked(s, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] =
        "{\"name\":\"eu\",\"url\":\"https://a\",\"spki\":\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
        "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\","
        "\"rir\":\"RIPE\",\"latitude\":48.2,\"longitude\":16.4}"; /* the curve's own point */
    struct lt_arena arena;
    struct validate_perspective p;
    lt_arena_init(&arena, ARENA_MAX);
    if (!lt_failed(validate_perspective_parse(&arena, LT_SLICE(data, size), &p))) {
        print_again(&arena, &p);
        LT_ASSERT(validate_perspectives_check(&p, 1).code == 0 || p.rir != p.resolver_rir ||
                  !(p.place.latitude >= -90 && p.place.latitude <= 90 && p.place.longitude >= -180 &&
                    p.place.longitude <= 180 && p.resolver.latitude >= -90 && p.resolver.latitude <= 90 &&
                    p.resolver.longitude >= -180 && p.resolver.longitude <= 180));
    }
    lt_res r = validate_perspective_parse(&arena, LT_SLICE(known, sizeof known - 1), &p);
    LT_ASSERT(!lt_failed(r));
    verify(&arena, &p, data, size);
    lt_arena_done(&arena);
    return 0;
}
