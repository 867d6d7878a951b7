/* The modules that we know. */
#include "role/token_module.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "role/profiles.h"

enum { PATHS_MAX = 16, CONF_MAX = 64 * 1024 };

struct paths {
    struct sandbox_path *list;
    size_t count;
    struct lt_arena *a;
};

static lt_res add(struct paths *p, lt_slice path, bool write)
{
    LT_CHECK(p->count < PATHS_MAX, LT_PEER_USAGE, "too many paths for a PKCS #11 module");
    const char *text = lt_arena_cstr(p->a, path);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "paths: over the memory limit");
    p->list[p->count++] = (struct sandbox_path){.path = text, .write = write};
    return LT_OK;
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, s.len);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r')) {
        s.len--;
    }
    return s;
}

/* SoftHSM keeps its tokens in the folder that its configuration names, and looks into it at each turn. */
static lt_res softhsm_paths(struct paths *p)
{
    const char *conf = getenv("SOFTHSM2_CONF");
    conf = conf == NULL ? "/etc/softhsm/softhsm2.conf" : conf;
    LT_TRY(add(p, lt_slice_cstr(conf), false));
    lt_slice text;
    LT_TRY(lt_file_read(p->a, AT_FDCWD, conf, CONF_MAX, &text));
    lt_slice line;
    while (lt_slice_split(&text, '\n', &line)) {
        size_t equals = lt_slice_find(line, '=');
        lt_slice value = trim(lt_slice_sub(line, equals + 1, line.len));
        if (lt_slice_eq_cstr(trim(lt_slice_sub(line, 0, equals)), "directories.tokendir") && value.len > 0) {
            LT_TRY(add(p, value, true));
        }
    }
    return LT_OK;
}

static const struct {
    const char *name; /* of the file */
    lt_res (*paths)(struct paths *p);
} modules[] = {
    {"libsofthsm2.so", softhsm_paths},
};

lt_res token_module_profile(const char *module, struct lt_arena *a, struct sandbox_profile *ret_profile)
{
    const struct sandbox_profile *base = &role_profiles[IPC_TOKEN];
    struct paths p = {.a = a, .list = LT_NEW_ARRAY(a, struct sandbox_path, PATHS_MAX)};
    LT_CHECK(p.list != NULL && base->path_count <= PATHS_MAX, LT_PEER_TOO_LARGE,
             "paths: over the memory limit");
    for (; p.count < base->path_count; p.count++) {
        p.list[p.count] = base->paths[p.count];
    }
    const char *slash = strrchr(module, '/');
    for (size_t i = 0; i < LT_COUNT(modules); i++) {
        if (strcmp(slash == NULL ? module : slash + 1, modules[i].name) == 0) {
            LT_TRY(modules[i].paths(&p));
        }
    }
    *ret_profile = *base;
    ret_profile->paths = p.list;
    ret_profile->path_count = p.count;
    return LT_OK;
}
