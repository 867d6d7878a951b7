/* The text of a backup's manifest. */
#include "cmd/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"

#define HEAD "lintel-backup-v1\n"

enum { TEXT_MAX = 200 };

/* No name begins with a dot: neither "..", nor what is hidden. */
static bool may_follow(char before, char c)
{
    static const char others[] = "_-+@";
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || (c != 0 && strchr(others, c) != NULL) || ((c == '.' || c == '/') && before != '/');
}

bool manifest_path_good(const char *path)
{
    size_t len = strlen(path);
    bool good = len > 0 && len <= MANIFEST_PATH_MAX && path[len - 1] != '/';
    for (size_t i = 0; good && i < len; i++) {
        good = may_follow(i == 0 ? '/' : path[i - 1], path[i]);
    }
    return good;
}

static int by_path(const void *a, const void *b)
{
    const struct manifest_file *x = a;
    const struct manifest_file *y = b;
    return strcmp(x->path, y->path);
}

static lt_res check_files(const struct manifest *m)
{
    LT_CHECK(m->file_count <= MANIFEST_FILES_MAX, LT_PEER_TOO_LARGE, "a backup of %zu files", m->file_count);
    for (size_t i = 0; i < m->file_count; i++) {
        const char *path = m->files[i].path;
        LT_CHECK(manifest_path_good(path), LT_PEER_MALFORMED, "a file has the name \"%.80s\"", path);
        LT_CHECK(i == 0 || strcmp(m->files[i - 1].path, path) < 0, LT_PEER_MALFORMED,
                 "%.150s stands there twice, or in the wrong place", path);
    }
    return LT_OK;
}

lt_res manifest_write(struct manifest *m, struct lt_buf *out)
{
    char made[LT_RFC3339_SIZE];
    uint8_t hash[MANIFEST_HASH_LEN];
    if (m->file_count > 1) {
        qsort(m->files, m->file_count, sizeof *m->files, by_path);
    }
    LT_TRY(check_files(m));
    LT_CHECK(strpbrk(m->build, "\r\n") == NULL, LT_PEER_MALFORMED, "a build of two lines");
    size_t from = out->len;
    lt_time_rfc3339(m->made, made);
    lt_buf_addf(out, HEAD "made=%s\nbuild=%s\nstore=%s\nschema=%lld\nacknowledged=%lld\njournal-last=%llu\n",
                made, m->build, m->postgresql ? "postgresql" : "sqlite", (long long)m->schema,
                (long long)m->acknowledged, (unsigned long long)m->journal_last);
    lt_buf_add_cstr(out, "journal-head=");
    lt_hex_add(out, LT_SLICE(m->journal_head, sizeof m->journal_head));
    lt_buf_addf(out, "\nkeys=%s\n", m->keys ? "yes" : "no");
    for (size_t i = 0; i < m->file_count; i++) {
        lt_buf_add_cstr(out, "file=");
        lt_hex_add(out, LT_SLICE(m->files[i].sha256, MANIFEST_HASH_LEN));
        lt_buf_addf(out, " %llu %s\n", (unsigned long long)m->files[i].bytes, m->files[i].path);
    }
    crypto_sha256(lt_slice_sub(lt_buf_slice(out), from, SIZE_MAX), hash);
    lt_buf_add_cstr(out, "end=");
    lt_hex_add(out, LT_SLICE(hash, sizeof hash));
    lt_buf_add_cstr(out, "\n");
    return lt_buf_check(out);
}

/* What is read, line by line. */
struct reading {
    struct lt_arena *a;
    lt_slice rest;
    struct manifest *m;
};

static lt_res take_line(struct reading *k, const char *key, lt_slice *ret_value)
{
    lt_slice line;
    size_t len = strlen(key);
    LT_CHECK(lt_slice_split(&k->rest, '\n', &line) && lt_slice_starts(line, lt_slice_cstr(key)) &&
                 line.len > len && line.ptr[len] == '=',
             LT_PEER_MALFORMED, "the manifest has no line \"%s=\" where it should be", key);
    *ret_value = lt_slice_sub(line, len + 1, SIZE_MAX);
    return LT_OK;
}

static lt_res take_number(struct reading *k, const char *key, uint64_t *ret_number)
{
    lt_slice value;
    LT_TRY(take_line(k, key, &value));
    LT_CHECK(!lt_failed(lt_parse_u64(value, INT64_MAX, ret_number)), LT_PEER_MALFORMED,
             "%s of the manifest is no number", key);
    return LT_OK;
}

static lt_res read_hash(lt_slice hex, struct lt_arena *a, uint8_t ret_hash[MANIFEST_HASH_LEN])
{
    lt_slice bytes = {0};
    bool good = hex.len == 2 * (size_t)MANIFEST_HASH_LEN && !lt_failed(lt_unhex(a, hex, &bytes));
    for (size_t i = 0; good && i < hex.len; i++) {
        good = hex.ptr[i] < 'A' || hex.ptr[i] > 'F'; /* one spelling */
    }
    LT_CHECK(good, LT_PEER_MALFORMED, "the manifest has a hash that is none");
    memcpy(ret_hash, bytes.ptr, MANIFEST_HASH_LEN);
    return LT_OK;
}

static lt_res take_hash(struct reading *k, const char *key, uint8_t ret_hash[MANIFEST_HASH_LEN])
{
    lt_slice value;
    LT_TRY(take_line(k, key, &value));
    return read_hash(value, k->a, ret_hash);
}

/* One of two words. */
static lt_res take_choice(struct reading *k, const char *key, const char *const words[2], bool *ret_second)
{
    lt_slice value;
    LT_TRY(take_line(k, key, &value));
    *ret_second = lt_slice_eq_cstr(value, words[1]);
    LT_CHECK(*ret_second || lt_slice_eq_cstr(value, words[0]), LT_PEER_MALFORMED,
             "%s of the manifest is neither %s nor %s", key, words[0], words[1]);
    return LT_OK;
}

static lt_res take_head(struct reading *k)
{
    static const char *const stores[2] = {"sqlite", "postgresql"};
    static const char *const keys[2] = {"no", "yes"};
    struct manifest *m = k->m;
    lt_slice value;
    uint64_t number = 0;
    char again[LT_RFC3339_SIZE];
    LT_TRY(take_line(k, "made", &value));
    LT_TRY(lt_time_parse(value, &m->made));
    lt_time_rfc3339(m->made, again);
    LT_CHECK(lt_slice_eq_cstr(value, again), LT_PEER_MALFORMED, "\"made\" is written in another way");
    LT_TRY(take_line(k, "build", &value));
    LT_CHECK(value.len <= TEXT_MAX, LT_PEER_TOO_LARGE, "\"build\" of the manifest is too long");
    m->build = lt_arena_cstr(k->a, value);
    LT_CHECK(m->build != NULL && strlen(m->build) == value.len, LT_PEER_MALFORMED, "\"build\" is no text");
    LT_TRY(take_choice(k, "store", stores, &m->postgresql));
    LT_TRY(take_number(k, "schema", &number));
    m->schema = (int64_t)number;
    LT_TRY(take_number(k, "acknowledged", &number));
    m->acknowledged = (int64_t)number;
    LT_TRY(take_number(k, "journal-last", &m->journal_last));
    LT_TRY(take_hash(k, "journal-head", m->journal_head));
    return take_choice(k, "keys", keys, &m->keys);
}

static lt_res take_file(struct reading *k, struct manifest_file *f)
{
    lt_slice value;
    lt_slice hash;
    lt_slice bytes;
    LT_TRY(take_line(k, "file", &value));
    LT_CHECK(lt_slice_split(&value, ' ', &hash) && lt_slice_split(&value, ' ', &bytes), LT_PEER_MALFORMED,
             "a line of a file has too few words");
    LT_TRY(read_hash(hash, k->a, f->sha256));
    LT_CHECK(!lt_failed(lt_parse_u64(bytes, INT64_MAX, &f->bytes)), LT_PEER_MALFORMED,
             "the length of a file is no number");
    f->path = lt_arena_cstr(k->a, value);
    LT_CHECK(f->path != NULL && strlen(f->path) == value.len, LT_PEER_MALFORMED, "a path is no text");
    return LT_OK;
}

static lt_res take_files(struct reading *k)
{
    size_t count = 0;
    for (size_t i = 0; i < k->rest.len; i++) {
        count += k->rest.ptr[i] == '\n';
    }
    LT_CHECK(count > 0 && count <= MANIFEST_FILES_MAX + 1, LT_PEER_TOO_LARGE, "a manifest of %zu files",
             count);
    k->m->files = LT_NEW_ARRAY(k->a, struct manifest_file, count);
    LT_CHECK(k->m->files != NULL, LT_PEER_TOO_LARGE, "the manifest is too large");
    while (lt_slice_starts(k->rest, LT_LIT("file="))) {
        LT_TRY(take_file(k, &k->m->files[k->m->file_count]));
        k->m->file_count++;
    }
    return check_files(k->m);
}

lt_res manifest_read(lt_slice text, struct lt_arena *a, struct manifest *ret_manifest)
{
    struct reading k = {.a = a, .rest = text, .m = ret_manifest};
    uint8_t says[MANIFEST_HASH_LEN];
    uint8_t is[MANIFEST_HASH_LEN];
    *ret_manifest = (struct manifest){.build = ""};
    LT_CHECK(text.len <= MANIFEST_TEXT_MAX, LT_PEER_TOO_LARGE, "the manifest is too large");
    LT_CHECK(lt_slice_starts(text, LT_LIT(HEAD)), LT_PEER_MALFORMED, "this is no manifest of a backup");
    LT_CHECK(text.ptr[text.len - 1] == '\n', LT_PEER_MALFORMED, "the manifest was cut off");
    k.rest = lt_slice_sub(text, sizeof HEAD - 1, SIZE_MAX);
    LT_TRY(take_head(&k));
    LT_TRY(take_files(&k));
    crypto_sha256(lt_slice_sub(text, 0, text.len - k.rest.len), is);
    LT_TRY(take_hash(&k, "end", says));
    LT_CHECK(k.rest.len == 0, LT_PEER_MALFORMED, "the manifest goes on behind its end");
    LT_CHECK(memcmp(says, is, sizeof is) == 0, LT_PEER_MALFORMED,
             "the manifest was changed: its hash is another");
    return LT_OK;
}

const struct manifest_file *manifest_find(const struct manifest *m, const char *path)
{
    const struct manifest_file wanted = {.path = path};
    return m->file_count == 0 ? NULL : bsearch(&wanted, m->files, m->file_count, sizeof *m->files, by_path);
}
