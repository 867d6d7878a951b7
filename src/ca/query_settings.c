/* How the family is set up: what its supervisor wrote in run/settings.json of this host. */
#include <fcntl.h>

#include "base/file.h"
#include "ca/query_parts.h"
#include "jose/json.h"

enum { SETTINGS_MAX = 1024 * 1024 };

lt_res query_settings(const struct ca_query *query, struct query_out *out)
{
    json_t *read = NULL;
    lt_slice text;
    LT_CHECK(query->folder != NULL, LT_PEER_NOT_FOUND, "nobody serves this book");
    char *path = lt_arena_printf(query->arena, "%s/run/settings.json", query->folder);
    LT_CHECK(path != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(lt_file_read(query->arena, AT_FDCWD, path, SETTINGS_MAX, &text));
    LT_TRY(jose_json_object(text, &read));
    char *settings = json_dumps(json_object_get(read, "settings"), JSON_COMPACT);
    json_decref(read);
    query_raw(out, "settings", lt_slice_cstr(settings == NULL ? "" : settings));
    free(settings);
    return LT_OK;
}
