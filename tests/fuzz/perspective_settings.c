/* perspective.json: any text is refused or is settings that print and read the same. */
#include <stdint.h>
#include <string.h>

#include "validate/perspective_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena arena;
    struct validate_perspective_settings s;
    struct validate_perspective_settings again;
    struct lt_buf out;
    lt_arena_init(&arena, ARENA_MAX);
    lt_buf_init(&out, VALIDATE_PERSPECTIVE_SETTINGS_MAX);
    if (!lt_failed(validate_perspective_settings_parse(&arena, LT_SLICE(data, size), &s))) {
        LT_ASSERT(validate_perspective_name_valid(lt_slice_cstr(s.self.name)) && s.listen != NULL);
        LT_ASSERT(s.client_count <= VALIDATE_PERSPECTIVE_CLIENTS_MAX);
        if (!lt_failed(
                validate_perspective_settings_print(&s, &out))) { /* latitudes of 300 digits do not fit */
            LT_ASSERT(!lt_failed(validate_perspective_settings_parse(&arena, lt_buf_slice(&out), &again)));
            LT_ASSERT(strcmp(again.self.name, s.self.name) == 0 && strcmp(again.listen, s.listen) == 0);
            LT_ASSERT(again.client_count == s.client_count);
            for (size_t i = 0; i < s.client_count; i++) {
                LT_ASSERT(lt_slice_eq(again.clients[i], s.clients[i]));
            }
        }
    }
    lt_buf_done(&out);
    lt_arena_done(&arena);
    return 0;
}
