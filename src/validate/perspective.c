/* Perspectives' files: read with jansson (root-owned text, no peer's), checked, sorted by name. */
#include "validate/perspective.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/pub.h"
#include "validate/perspective_private.h"

enum { ALL_MAX = 1024 * 1024 };

static bool name_byte(uint8_t c, bool first)
{
    bool letter = c >= 'a' && c <= 'z';
    bool other = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    return letter || (other && !first);
}

bool validate_perspective_name_valid(lt_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!name_byte(name.ptr[i], i == 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= VALIDATE_PERSPECTIVE_NAME_MAX && !lt_slice_eq(name, LT_LIT("primary"));
}

lt_res validate_perspective_key_check(lt_slice spki)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    if (lt_failed(crypto_pub_new(spki, &pub))) {
        LT_FAIL(LT_PEER_USAGE, "spki: no public key");
    }
    LT_CHECK(crypto_pub_type(pub) == CRYPTO_KEY_P256, LT_PEER_USAGE, "spki: a P-256 key is wanted, not %s",
             crypto_key_type_name(crypto_pub_type(pub)));
    return LT_OK;
}

static bool url_valid(const char *url)
{
    for (size_t i = 0; url[i] != 0; i++) {
        if (url[i] <= ' ' || url[i] > '~' || url[i] == '"' || url[i] == '\\') {
            return false;
        }
    }
    return strncmp(url, "https://", 8) == 0 && url[8] != 0 && strlen(url) <= VALIDATE_PERSPECTIVE_URL_MAX;
}

/* Left out: where the perspective itself is. */
static lt_res coordinate(const json_t *value, const char *key, double otherwise, double *ret)
{
    LT_CHECK(value == NULL || json_is_number(value), LT_PEER_USAGE, "%s: a number of degrees is wanted", key);
    *ret = value == NULL ? otherwise : json_number_value(value);
    return LT_OK;
}

static lt_res region(const char *word, const char *key, enum validate_rir *ret_rir)
{
    *ret_rir = validate_rir_by_name(lt_slice_cstr(word));
    LT_CHECK(*ret_rir != VALIDATE_RIR_NONE, LT_PEER_USAGE,
             "%s: \"%.20s\" is none of AFRINIC, APNIC, ARIN, LACNIC, RIPE", key, word);
    return LT_OK;
}

static lt_res places(const json_t *root, struct validate_perspective *p)
{
    const json_t *latitude = json_object_get(root, "latitude");
    const json_t *longitude = json_object_get(root, "longitude");
    LT_CHECK(latitude != NULL && longitude != NULL, LT_PEER_USAGE, "latitude and longitude are wanted");
    LT_TRY(coordinate(latitude, "latitude", 0, &p->place.latitude));
    LT_TRY(coordinate(longitude, "longitude", 0, &p->place.longitude));
    LT_TRY(coordinate(json_object_get(root, "resolver-latitude"), "resolver-latitude", p->place.latitude,
                      &p->resolver.latitude));
    return coordinate(json_object_get(root, "resolver-longitude"), "resolver-longitude", p->place.longitude,
                      &p->resolver.longitude);
}

/* What a perspective says of itself; unknown members are the caller's to refuse. */
lt_res validate_perspective_describe(struct lt_arena *a, json_t *root, struct validate_perspective *p)
{
    const char *name = NULL;
    const char *url = NULL;
    const char *rir = NULL;
    const char *resolver_rir = NULL;
    json_error_t e;
    int rc = json_unpack_ex(root, &e, 0, "{s:s, s:s, s:s, s?:s}", "name", &name, "url", &url, "rir", &rir,
                            "resolver-rir", &resolver_rir);
    LT_CHECK(rc == 0, LT_PEER_USAGE, "%s", e.text);
    LT_CHECK(validate_perspective_name_valid(lt_slice_cstr(name)), LT_PEER_USAGE,
             "name: lower-case letters, digits, '-', '.', '_', a letter first, at most %d, not \"primary\"",
             VALIDATE_PERSPECTIVE_NAME_MAX);
    LT_CHECK(url_valid(url), LT_PEER_USAGE, "url: https://HOST:PORT is wanted");
    LT_TRY(region(rir, "rir", &p->rir));
    LT_TRY(region(resolver_rir == NULL ? rir : resolver_rir, "resolver-rir", &p->resolver_rir));
    LT_TRY(places(root, p));
    p->name = lt_arena_cstr(a, lt_slice_cstr(name));
    p->url = lt_arena_cstr(a, lt_slice_cstr(url));
    LT_CHECK(p->name != NULL && p->url != NULL, LT_PEER_TOO_LARGE, "too many perspectives");
    return LT_OK;
}

lt_res validate_perspective_only(json_t *root, const char *const *more, size_t count)
{
    static const char *const common[] = {"name",
                                         "url",
                                         "rir",
                                         "latitude",
                                         "longitude",
                                         "resolver-rir",
                                         "resolver-latitude",
                                         "resolver-longitude"};
    const char *key;
    json_t *value; /* borrowed */
    json_object_foreach(root, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < LT_COUNT(common); i++) {
            known |= strcmp(key, common[i]) == 0;
        }
        for (size_t i = 0; i < count; i++) {
            known |= strcmp(key, more[i]) == 0;
        }
        LT_CHECK(known, LT_PEER_USAGE, "\"%.40s\" is not known here", key);
    }
    return LT_OK;
}

static lt_res from_json(struct lt_arena *a, json_t *root, struct validate_perspective *p)
{
    static const char *const more[] = {"spki"};
    const char *spki = json_string_value(json_object_get(root, "spki"));
    LT_TRY(validate_perspective_describe(a, root, p));
    LT_TRY(validate_perspective_only(root, more, LT_COUNT(more)));
    LT_CHECK(spki != NULL, LT_PEER_USAGE, "spki is wanted");
    LT_TRY(lt_unbase64(a, lt_slice_cstr(spki), &p->spki));
    return validate_perspective_key_check(p->spki);
}

lt_res validate_perspective_parse(struct lt_arena *a, lt_slice json,
                                  struct validate_perspective *ret_perspective)
{
    LT_CHECK(json.len <= VALIDATE_PERSPECTIVE_FILE_MAX, LT_PEER_TOO_LARGE, "over %d bytes",
             VALIDATE_PERSPECTIVE_FILE_MAX);
    json_error_t e;
    json_t *root = json_loadb(json.len == 0 ? "" : (const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES,
                              &e);
    LT_CHECK(root != NULL, LT_PEER_USAGE, "line %d: %s", e.line, e.text);
    struct validate_perspective p = {.name = ""};
    lt_res r = from_json(a, root, &p);
    json_decref(root);
    if (!lt_failed(r)) {
        *ret_perspective = p;
    }
    return r;
}

void validate_perspective_describe_print(const struct validate_perspective *p, struct lt_buf *out)
{
    lt_buf_addf(out, "{\n  \"name\": \"%s\",\n  \"url\": \"%s\",\n  \"rir\": \"%s\",\n", p->name, p->url,
                validate_rir_name(p->rir));
    lt_buf_addf(out, "  \"latitude\": %.4f,\n  \"longitude\": %.4f,\n  \"resolver-rir\": \"%s\",\n",
                p->place.latitude, p->place.longitude, validate_rir_name(p->resolver_rir));
    lt_buf_addf(out, "  \"resolver-latitude\": %.4f,\n  \"resolver-longitude\": %.4f,\n",
                p->resolver.latitude, p->resolver.longitude);
}

lt_res validate_perspective_print(const struct validate_perspective *p, struct lt_buf *out)
{
    validate_perspective_describe_print(p, out);
    lt_buf_add_cstr(out, "  \"spki\": \"");
    lt_base64_add(out, p->spki);
    lt_buf_add_cstr(out, "\"\n}\n");
    return lt_buf_check(out);
}

/* "eu-west.json" is the perspective "eu-west". */
static bool is_perspective_file(const char *file)
{
    lt_slice name = lt_slice_cstr(file);
    lt_slice suffix = LT_LIT(".json");
    return lt_slice_ends(name, suffix) && name.len > suffix.len && file[0] != '.';
}

static lt_res load_one(struct validate_perspectives *all, int dir_fd, const char *file)
{
    lt_slice text;
    LT_TRY(lt_file_read(&all->arena, dir_fd, file, VALIDATE_PERSPECTIVE_FILE_MAX, &text));
    struct validate_perspective *p = &all->list[all->count];
    if (lt_failed(validate_perspective_parse(&all->arena, text, p))) {
        char why[sizeof lt_error_last()->detail];
        memcpy(why, lt_error_last()->detail, sizeof why);
        LT_FAIL(LT_PEER_USAGE, "perspectives/%.60s: %.120s", file, why);
    }
    lt_slice name = lt_slice_cstr(p->name);
    LT_CHECK(lt_slice_starts(lt_slice_cstr(file), name) && strlen(file) == name.len + strlen(".json"),
             LT_PEER_USAGE, "perspectives/%.60s: it names \"%s\"", file, p->name);
    all->count++;
    return LT_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct validate_perspective *x = a;
    const struct validate_perspective *y = b;
    return strcmp(x->name, y->name);
}

static lt_res load_all(DIR *dir, struct validate_perspectives *all)
{
    all->list = LT_NEW_ARRAY(&all->arena, struct validate_perspective, VALIDATE_PERSPECTIVES_MAX);
    LT_CHECK(all->list != NULL, LT_PEER_TOO_LARGE, "too many perspectives");
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_perspective_file(entry->d_name)) {
            LT_CHECK(all->count < VALIDATE_PERSPECTIVES_MAX, LT_PEER_TOO_LARGE, "over %d perspectives",
                     VALIDATE_PERSPECTIVES_MAX);
            LT_TRY(load_one(all, dirfd(dir), entry->d_name));
        }
    }
    qsort(all->list, all->count, sizeof all->list[0], by_name);
    return validate_perspectives_check(all->list, all->count);
}

lt_res validate_perspectives_load(int folder_fd, const char *folder,
                                  struct validate_perspectives *ret_perspectives)
{
    struct validate_perspectives all = {.count = 0};
    lt_arena_init(&all.arena, ALL_MAX);
    int fd = openat(folder_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret_perspectives = all;
        return LT_OK;
    }
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        (void)close(fd); /* read only */
        LT_FAIL(LT_STATE_IO, "%s: %s", folder, strerror(errno));
    }
    lt_res r = load_all(dir, &all);
    (void)closedir(dir); /* read only */
    if (lt_failed(r)) {
        lt_arena_done(&all.arena);
        return r;
    }
    *ret_perspectives = all;
    return LT_OK;
}

void validate_perspectives_done(struct validate_perspectives *p)
{
    lt_arena_done(&p->arena);
    p->list = NULL;
    p->count = 0;
}

const struct validate_perspective *validate_perspective_by_name(const struct validate_perspectives *p,
                                                                lt_slice name)
{
    for (size_t i = 0; i < p->count; i++) {
        if (lt_slice_eq_cstr(name, p->list[i].name)) {
            return &p->list[i];
        }
    }
    return NULL;
}
