/* Operators' files: read with jansson (root-owned text, no peer's), checked, sorted by name. */
#include "ca/operator.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pub.h"

static const struct {
    const char *word;
    unsigned role;
} roles[] = {
    {"viewer", CA_ROLE_VIEWER},   {"operator", CA_ROLE_OPERATOR}, {"approver", CA_ROLE_APPROVER},
    {"auditor", CA_ROLE_AUDITOR}, {"intake", CA_ROLE_INTAKE},
};

unsigned ca_operator_role_by_name(lt_slice word)
{
    for (size_t i = 0; i < LT_COUNT(roles); i++) {
        if (lt_slice_eq_cstr(word, roles[i].word)) {
            return roles[i].role;
        }
    }
    return 0;
}

void ca_operator_roles_json(unsigned set, struct lt_buf *out)
{
    const char *separator = "[";
    for (size_t i = 0; i < LT_COUNT(roles); i++) {
        if ((set & roles[i].role) != 0) {
            lt_buf_addf(out, "%s\"%s\"", separator, roles[i].word);
            separator = ",";
        }
    }
    lt_buf_add_cstr(out, set == 0 ? "[]" : "]");
}

static bool name_byte(uint8_t c, bool first)
{
    bool letter = c >= 'a' && c <= 'z';
    bool other = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    return letter || (other && !first);
}

bool ca_operator_name_valid(lt_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!name_byte(name.ptr[i], i == 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= CA_OPERATOR_NAME_MAX;
}

static lt_res read_roles(const json_t *array, unsigned *ret_roles)
{
    *ret_roles = 0;
    LT_CHECK(json_is_array(array) && json_array_size(array) > 0, LT_PEER_USAGE,
             "roles: a list of viewer, operator, approver, auditor is wanted");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *word = json_string_value(json_array_get(array, i));
        unsigned role = ca_operator_role_by_name(lt_slice_cstr(word));
        LT_CHECK(role != 0, LT_PEER_USAGE, "roles: \"%s\" is none of viewer, operator, approver, auditor",
                 word == NULL ? "" : word);
        *ret_roles |= role;
    }
    return LT_OK;
}

/* The key is one that we verify with, and the algorithm is its own. */
static lt_res check_key(const struct ca_operator *o)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(crypto_pub_new(o->spki, &pub));
    enum crypto_sig_alg alg = crypto_alg_by_name(lt_slice_cstr(o->alg));
    LT_CHECK(alg != CRYPTO_SIG_NONE && crypto_alg_fits(alg, crypto_pub_type(pub)), LT_PEER_USAGE,
             "alg: \"%s\" is not for a key of type %s", o->alg, crypto_key_type_name(crypto_pub_type(pub)));
    return LT_OK;
}

static lt_res read_enrolments(struct lt_arena *a, const json_t *array, struct ca_operator *o)
{
    size_t count = json_array_size(array);
    LT_CHECK((array == NULL || json_is_array(array)) && count <= CA_ENROLMENTS_MAX, LT_PEER_USAGE,
             "enrolments: a list of at most %d", CA_ENROLMENTS_MAX);
    o->enrolments = LT_NEW_ARRAY(a, struct ca_enrolment, count);
    LT_CHECK(o->enrolments != NULL || count == 0, LT_PEER_TOO_LARGE, "too many operators");
    for (size_t i = 0; i < count; i++) {
        struct ca_enrolment *e = &o->enrolments[o->enrolment_count];
        const char *spki = NULL;
        const char *expires = NULL;
        int rc = json_unpack(json_array_get(array, i), "{s:s, s:s !}", "spki", &spki, "expires", &expires);
        LT_CHECK(rc == 0, LT_PEER_USAGE, "enrolments: {\"spki\", \"expires\"} each");
        LT_TRY(lt_unbase64url(a, lt_slice_cstr(spki), &e->spki));
        LT_TRY(lt_time_parse(lt_slice_cstr(expires), &e->expires));
        LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
        LT_TRY(crypto_pub_new(e->spki, &pub));
        LT_CHECK(crypto_pub_type(pub) == CRYPTO_KEY_P256, LT_PEER_USAGE,
                 "enrolments: a key of P-256 is wanted");
        o->enrolment_count++;
    }
    return LT_OK;
}

static lt_res read_refused(struct lt_arena *a, const json_t *array, struct ca_operator *o)
{
    size_t count = json_array_size(array);
    LT_CHECK((array == NULL || json_is_array(array)) && count <= CA_REFUSED_MAX, LT_PEER_USAGE,
             "refused: a list of at most %d", CA_REFUSED_MAX);
    o->refused = LT_NEW_ARRAY(a, lt_slice, count);
    LT_CHECK(o->refused != NULL || count == 0, LT_PEER_TOO_LARGE, "too many operators");
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_array_get(array, i));
        LT_CHECK(id != NULL, LT_PEER_USAGE, "refused: ids of passkeys");
        LT_TRY(lt_unbase64url(a, lt_slice_cstr(id), &o->refused[i]));
        o->refused_count++;
    }
    return LT_OK;
}

static lt_res from_json(struct lt_arena *a, json_t *root, struct ca_operator *o)
{
    const json_t *enrolments = NULL;
    const json_t *refused = NULL;
    int certificate = 0;
    const char *name = NULL;
    const char *alg = NULL;
    const char *spki = NULL;
    const char *added = NULL;
    json_t *role_list = NULL;
    json_error_t e;
    int rc = json_unpack_ex(root, &e, JSON_STRICT, "{s:s, s:o, s:s, s:s, s?:s, s?:o, s?:o, s?:b}", "name",
                            &name, "roles", &role_list, "alg", &alg, "spki", &spki, "added", &added,
                            "enrolments", &enrolments, "refused", &refused, "certificate", &certificate);
    LT_CHECK(rc == 0, LT_PEER_USAGE, "%s", e.text);
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(name)), LT_PEER_USAGE,
             "name: lower-case letters, digits, '-', '.', '_', a letter first, at most %d",
             CA_OPERATOR_NAME_MAX);
    LT_TRY(read_roles(role_list, &o->roles));
    LT_TRY(lt_unbase64url(a, lt_slice_cstr(spki), &o->spki));
    if (added != NULL) {
        LT_TRY(lt_time_parse(lt_slice_cstr(added), &o->added));
    }
    LT_TRY(read_enrolments(a, enrolments, o));
    LT_TRY(read_refused(a, refused, o));
    o->certificate = certificate != 0;
    o->name = lt_arena_cstr(a, lt_slice_cstr(name));
    o->alg = lt_arena_cstr(a, lt_slice_cstr(alg));
    LT_CHECK(o->name != NULL && o->alg != NULL, LT_PEER_TOO_LARGE, "too many operators");
    crypto_sha256(o->spki, o->thumbprint);
    return check_key(o);
}

lt_res ca_operator_parse(struct lt_arena *a, lt_slice json, struct ca_operator *ret_operator)
{
    LT_CHECK(json.len <= CA_OPERATOR_FILE_MAX, LT_PEER_TOO_LARGE, "over %d bytes", CA_OPERATOR_FILE_MAX);
    json_error_t e;
    json_t *root = json_loadb((const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES, &e);
    LT_CHECK(root != NULL, LT_PEER_USAGE, "line %d: %s", e.line, e.text);
    struct ca_operator o = {.roles = 0};
    lt_res r = from_json(a, root, &o);
    json_decref(root);
    if (!lt_failed(r)) {
        *ret_operator = o;
    }
    return r;
}

static void print_console(const struct ca_operator *o, struct lt_buf *out)
{
    for (size_t i = 0; i < o->enrolment_count; i++) {
        char expires[LT_RFC3339_SIZE];
        lt_time_rfc3339(o->enrolments[i].expires, expires);
        lt_buf_add_cstr(out, i == 0 ? ",\n  \"enrolments\": [{\"spki\": \"" : ", {\"spki\": \"");
        lt_base64url_add(out, o->enrolments[i].spki);
        lt_buf_addf(out, "\", \"expires\": \"%s\"}%s", expires, i + 1 == o->enrolment_count ? "]" : "");
    }
    for (size_t i = 0; i < o->refused_count; i++) {
        lt_buf_add_cstr(out, i == 0 ? ",\n  \"refused\": [\"" : "\", \"");
        lt_base64url_add(out, o->refused[i]);
        lt_buf_add_cstr(out, i + 1 == o->refused_count ? "\"]" : "");
    }
    lt_buf_add_cstr(out, o->certificate ? ",\n  \"certificate\": true" : "");
}

lt_res ca_operator_print(const struct ca_operator *o, struct lt_buf *out)
{
    char added[LT_RFC3339_SIZE];
    lt_time_rfc3339(o->added, added);
    lt_buf_addf(out, "{\n  \"name\": \"%s\",\n  \"roles\": ", o->name);
    ca_operator_roles_json(o->roles, out);
    lt_buf_addf(out, ",\n  \"alg\": \"%s\",\n  \"spki\": \"", o->alg);
    lt_base64url_add(out, o->spki);
    lt_buf_addf(out, "\",\n  \"added\": \"%s\"", added);
    print_console(o, out);
    lt_buf_add_cstr(out, "\n}\n");
    return lt_buf_check(out);
}

/* "admin.json" is the operator "admin". */
static bool is_operator_file(const char *file)
{
    lt_slice name = lt_slice_cstr(file);
    lt_slice suffix = LT_LIT(".json");
    return lt_slice_ends(name, suffix) && name.len > suffix.len && file[0] != '.';
}

static lt_res load_one(struct ca_operators *all, int dir_fd, const char *file)
{
    lt_slice text;
    LT_TRY(lt_file_read(&all->arena, dir_fd, file, CA_OPERATOR_FILE_MAX, &text));
    struct ca_operator *o = &all->list[all->count];
    lt_res r = ca_operator_parse(&all->arena, text, o);
    if (lt_failed(r)) {
        LT_FAIL(LT_PEER_USAGE, "operators/%s: %s", file, lt_error_last()->detail);
    }
    lt_slice name = lt_slice_cstr(o->name);
    LT_CHECK(lt_slice_starts(lt_slice_cstr(file), name) && strlen(file) == name.len + strlen(".json"),
             LT_PEER_USAGE, "operators/%s: it names \"%s\"", file, o->name);
    for (size_t i = 0; i < all->count; i++) {
        LT_CHECK(!lt_slice_eq(all->list[i].spki, o->spki), LT_PEER_USAGE,
                 "operators/%s: the key is that of \"%s\": one person, one key", file, all->list[i].name);
    }
    all->count++;
    return LT_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct ca_operator *x = a;
    const struct ca_operator *y = b;
    return strcmp(x->name, y->name);
}

static lt_res load_all(DIR *dir, struct ca_operators *all)
{
    all->list = LT_NEW_ARRAY(&all->arena, struct ca_operator, CA_OPERATORS_MAX);
    LT_CHECK(all->list != NULL, LT_PEER_TOO_LARGE, "too many operators");
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_operator_file(entry->d_name)) {
            LT_CHECK(all->count < CA_OPERATORS_MAX, LT_PEER_TOO_LARGE, "over %d operators", CA_OPERATORS_MAX);
            LT_TRY(load_one(all, dirfd(dir), entry->d_name));
        }
    }
    qsort(all->list, all->count, sizeof all->list[0], by_name);
    return LT_OK;
}

lt_res ca_operators_load(int folder_fd, const char *folder, struct ca_operators *ret_operators)
{
    enum { ALL_MAX = 4 * 1024 * 1024 };
    struct ca_operators all = {.count = 0};
    lt_arena_init(&all.arena, ALL_MAX);
    int fd = openat(folder_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret_operators = all;
        return LT_OK;
    }
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    DIR *dir = fdopendir(fd);
    LT_ASSERT(dir != NULL);
    lt_res r = load_all(dir, &all);
    (void)closedir(dir); /* only read */
    if (lt_failed(r)) {
        ca_operators_done(&all);
        return r;
    }
    *ret_operators = all;
    return LT_OK;
}

void ca_operators_done(struct ca_operators *o)
{
    if (o != NULL) {
        lt_arena_done(&o->arena);
        *o = (struct ca_operators){.count = 0};
    }
}

const struct ca_operator *ca_operator_by_name(const struct ca_operators *o, lt_slice name)
{
    for (size_t i = 0; i < o->count; i++) {
        if (lt_slice_eq_cstr(name, o->list[i].name)) {
            return &o->list[i];
        }
    }
    return NULL;
}
