/* Templates by name, without a parser: the registrar, too. */
#include <string.h>

#include "base/slice.h"
#include "incident/notice_text.h"

const struct incident_template *incident_template_find(const char *kind)
{
    for (size_t i = 0; i < incident_template_count; i++) {
        if (strcmp(incident_templates[i].kind, kind) == 0) {
            return &incident_templates[i];
        }
    }
    return NULL;
}

static bool has_member(lt_slice json, lt_slice word)
{
    while (json.len > 0) {
        json = lt_slice_sub(json, lt_slice_find(json, '"') + 1, SIZE_MAX);
        if (lt_slice_starts(json, word) &&
            lt_slice_starts(lt_slice_sub(json, word.len, SIZE_MAX), LT_LIT("\":"))) {
            return true;
        }
    }
    return false;
}

lt_res incident_template_check(const struct incident_template *t, const char *json)
{
    lt_slice words = lt_slice_cstr(t->words);
    lt_slice word;
    while (lt_slice_split(&words, ' ', &word)) {
        LT_CHECK(has_member(lt_slice_cstr(json), word), LT_PEER_MALFORMED, "a notice \"%s\" needs \"%.*s\"",
                 t->kind, LT_FMT(word));
    }
    return LT_OK;
}
