/* The family as its supervisor sees it: run/status.json of this host. A reader that cannot read it says so by
 * null. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "incident/overview_private.h"
#include "jose/json.h"

enum { STATUS_MAX = 1024 * 1024 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static json_t *load(const struct ca_query *query)
{
    json_t *family = NULL;
    lt_slice text;
    char *path = query->folder == NULL ? NULL
                                       : lt_arena_printf(query->arena, "%s/run/status.json", query->folder);
    if (path == NULL || lt_failed(lt_file_read(query->arena, AT_FDCWD, path, STATUS_MAX, &text)) ||
        lt_failed(jose_json_object(text, &family))) {
        return NULL;
    }
    return family;
}

static void roles(struct overview *o, const json_t *family)
{
    size_t i;
    json_t *p;
    query_open(o->out, "roles", '[');
    json_array_foreach(json_object_get(family, "processes"), i, p)
    {
        bool up = strcmp(text_of(p, "state"), "ready") == 0;
        query_open(o->out, NULL, '{');
        query_cstr(o->out, "role", text_of(p, "name"));
        query_bool(o->out, "up", up);
        query_cstr(o->out, "state", text_of(p, "state"));
        query_int(o->out, "crashes", json_integer_value(json_object_get(p, "crashes")));
        query_close(o->out, '}');
        if (!up && !json_is_true(json_object_get(family, "stopping"))) {
            overview_find(o, OVERVIEW_BAD, "settings", "%s is not running (%s)", text_of(p, "name"),
                          text_of(p, "state"));
        }
    }
    query_close(o->out, ']');
}

static void silent(struct overview *o, const json_t *family)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(family, "silent"), i, row)
    {
        overview_find(o, OVERVIEW_WARNING, "settings", "No answer from %s since %s", text_of(row, "what"),
                      text_of(row, "since"));
    }
}

lt_res overview_family(struct overview *o)
{
    LT_CLEANUP(jose_json_freep) json_t *family = load(o->query);
    bool held = json_is_true(json_object_get(family, "held"));
    query_open(o->out, "ca", '{');
    query_cstr(o->out, "name", text_of(family, "name"));
    query_cstr(o->out, "version", o->query->build);
    query_bool(o->out, "drill", json_is_true(json_object_get(family, "drill")));
    query_bool(o->out, "testing", json_is_true(json_object_get(family, "test_ca")));
    query_close(o->out, '}');
    if (family == NULL) {
        query_raw(o->out, "held", (lt_slice){NULL, 0});
    } else {
        query_bool(o->out, "held", held);
    }
    query_cstr(o->out, "held_reason", text_of(family, "hold_reason"));
    if (held) {
        overview_find(o, OVERVIEW_BAD, "settings", "Issuance is held: %s", text_of(family, "hold_reason"));
    }
    roles(o, family);
    silent(o, family);
    return LT_OK;
}
