/* The publisher's files. */
#include "role/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/crl_shard.h"
#include "crypto/digest.h"
#include "x509/tbs.h"

enum { MODE_PUBLIC = 0644, CHAIN_MAX = 8, PATH_SIZE = 192, CHAIN_BYTES_MAX = 1024 * 1024, AROUND_MAX = 2048 };

lt_res publisher_make_folders(int folder_fd)
{
    static const char *const folders[] = {"public", "public/crl", "public/ca", "public/ari", "public/ocsp"};
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        LT_CHECK(mkdirat(folder_fd, folders[i], 0755) == 0 || errno == EEXIST, LT_STATE_IO, "%s: %s",
                 folders[i], strerror(errno));
    }
    return LT_OK;
}

lt_res publisher_make_shards(int folder_fd, const char *issuer)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "public/crl/%.100s", issuer);
    LT_CHECK(mkdirat(folder_fd, path, 0755) == 0 || errno == EEXIST, LT_STATE_IO, "%s: %s", path,
             strerror(errno));
    return LT_OK;
}

static void crl_path(char path[PATH_SIZE], const char *issuer, uint32_t shard)
{
    char name[CA_CRL_NAME_MAX];
    ca_crl_name(issuer, shard, name);
    (void)snprintf(path, PATH_SIZE, "public/crl/%s", name);
}

/* Beside it; nobody is given a file with this ending. */
static void staged_path(char path[PATH_SIZE], const char *issuer, uint32_t shard)
{
    crl_path(path, issuer, shard);
    size_t len = strlen(path);
    (void)snprintf(path + len, PATH_SIZE - len, ".next");
}

static lt_res date(int folder_fd, const char *path, lt_time this_update)
{
    struct timespec t = {.tv_sec = (time_t)lt_time_seconds(this_update)};
    const struct timespec times[2] = {t, t};
    LT_CHECK(utimensat(folder_fd, path, times, 0) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    return LT_OK;
}

/* Its bytes are in the book, and every start holds the file against them: so it is not synced, and a hundred
 * parts at once do not wait for the disk. */
lt_res publisher_write_crl(int folder_fd, const char *issuer, uint32_t shard, lt_slice der,
                           lt_time this_update)
{
    char path[PATH_SIZE];
    char fresh[PATH_SIZE + 8];
    crl_path(path, issuer, shard);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(folder_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    (mode_t)MODE_PUBLIC);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", fresh, strerror(errno));
    LT_TRY(lt_write_all(fd, der));
    LT_CHECK(fchmod(fd, MODE_PUBLIC) == 0, LT_STATE_IO, "%s: %s", fresh, strerror(errno));
    LT_TRY(date(folder_fd, fresh, this_update));
    LT_CHECK(renameat(folder_fd, fresh, folder_fd, path) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    return LT_OK;
}

/* One piece on its way at a time: the registrar's syncs must not wait for all of it. */
static lt_res write_pieces(int fd, lt_slice bytes)
{
    enum { PIECE = 1024 * 1024 };
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        LT_TRY(lt_write_through(fd, lt_slice_sub(bytes, at, PIECE), true));
    }
    return LT_OK;
}

static lt_res write_parts(int fd, const lt_slice parts[3], uint8_t ret_sha256[32], uint64_t *ret_bytes)
{
    struct crypto_stream h;
    lt_res r = LT_OK;
    *ret_bytes = 0;
    crypto_stream_init(&h, CRYPTO_SHA256);
    for (size_t i = 0; i < 3 && !lt_failed(r); i++) {
        crypto_stream_add(&h, parts[i]);
        *ret_bytes += parts[i].len;
        r = write_pieces(fd, parts[i]);
    }
    crypto_stream_finish(&h, ret_sha256);
    crypto_stream_done(&h);
    return r;
}

lt_res publisher_stage_crl(int folder_fd, const char *issuer, uint32_t shard,
                           const struct publisher_parts *parts, uint8_t ret_sha256[32], uint64_t *ret_bytes)
{
    char path[PATH_SIZE];
    struct lt_buf head;
    struct lt_buf tail;
    staged_path(path, issuer, shard);
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(folder_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    (mode_t)MODE_PUBLIC);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    lt_buf_init(&head, AROUND_MAX);
    lt_buf_init(&tail, AROUND_MAX);
    lt_res r = x509_assemble_around(parts->tbs.len, parts->alg, parts->signature, &head, &tail);
    if (!lt_failed(r)) {
        const lt_slice all[3] = {lt_buf_slice(&head), parts->tbs, lt_buf_slice(&tail)};
        r = write_parts(fd, all, ret_sha256, ret_bytes);
    }
    lt_buf_done(&head);
    lt_buf_done(&tail);
    LT_TRY(r);
    LT_CHECK(fchmod(fd, MODE_PUBLIC) == 0 && fsync(fd) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    return LT_OK;
}

lt_res publisher_take_staged(int folder_fd, const char *issuer, uint32_t shard, lt_time this_update)
{
    char from[PATH_SIZE];
    char path[PATH_SIZE];
    staged_path(from, issuer, shard);
    crl_path(path, issuer, shard);
    LT_TRY(date(folder_fd, from, this_update));
    LT_CHECK(renameat(folder_fd, from, folder_fd, path) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    LT_CLEANUP(lt_fd_closep) int dir = openat(folder_fd, "public/crl", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0 && fsync(dir) == 0, LT_STATE_IO, "public/crl: %s", strerror(errno));
    return LT_OK;
}

static bool hash_is(int folder_fd, const char *path, const uint8_t sha256[32])
{
    struct lt_arena a;
    uint8_t hash[32] = {0};
    lt_slice there;
    lt_arena_init(&a, (size_t)CA_CRL_MAX_BYTES + 4096);
    lt_res r = lt_file_read(&a, folder_fd, path, CA_CRL_MAX_BYTES, &there);
    if (!lt_failed(r)) {
        crypto_sha256(there, hash);
    }
    lt_arena_done(&a);
    return !lt_failed(r) && memcmp(hash, sha256, sizeof hash) == 0;
}

lt_res publisher_recover_staged(int folder_fd, const char *issuer, uint32_t shard,
                                const struct ca_crl_newest *newest, bool *ret_written)
{
    char path[PATH_SIZE];
    staged_path(path, issuer, shard);
    *ret_written = hash_is(folder_fd, path, newest->sha256);
    return *ret_written ? publisher_take_staged(folder_fd, issuer, shard, newest->this_update) : LT_OK;
}

static bool file_is(int folder_fd, const char *path, lt_slice bytes)
{
    struct lt_arena a;
    lt_arena_init(&a, bytes.len + 4096);
    lt_slice there;
    lt_res r = lt_file_read(&a, folder_fd, path, bytes.len, &there);
    bool same = !lt_failed(r) && lt_slice_eq(there, bytes);
    lt_arena_done(&a);
    return same;
}

bool publisher_crl_is(int folder_fd, const char *issuer, uint32_t shard, lt_slice der)
{
    char path[PATH_SIZE];
    crl_path(path, issuer, shard);
    return file_is(folder_fd, path, der);
}

static lt_res write_if_other(int folder_fd, const char *path, lt_slice bytes)
{
    return file_is(folder_fd, path, bytes) ? LT_OK : lt_file_replace(folder_fd, path, MODE_PUBLIC, bytes);
}

static const struct ca_crl_issuer *by_id(const struct ca_crl_issuer *issuers, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (issuers[i].id == id) {
            return &issuers[i];
        }
    }
    return NULL;
}

lt_res publisher_write_issuer(int folder_fd, const struct ca_crl_issuer *issuers, size_t count, size_t which)
{
    const struct ca_crl_issuer *issuer = &issuers[which];
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "public/ca/%.100s.crt", issuer->name);
    LT_TRY(write_if_other(folder_fd, path, issuer->certificate));
    struct lt_buf pem;
    lt_buf_init(&pem, CHAIN_BYTES_MAX);
    const struct ca_crl_issuer *at = issuer;
    for (size_t i = 0; i < CHAIN_MAX && at != NULL; i++) {
        lt_pem_add(&pem, "CERTIFICATE", at->certificate);
        at = at->parent == 0 || at->parent == at->id ? NULL : by_id(issuers, count, at->parent);
    }
    (void)snprintf(path, sizeof path, "public/ca/%.100s.chain.pem", issuer->name);
    lt_res r = lt_buf_check(&pem);
    r = lt_failed(r) ? r : write_if_other(folder_fd, path, lt_buf_slice(&pem));
    lt_buf_done(&pem);
    return r;
}

lt_res publisher_copy_offline(int folder_fd, const struct ca_crl_issuer *issuer, bool *ret_copied)
{
    *ret_copied = false;
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "ca/%.100s.crl", issuer->name);
    struct lt_arena a;
    lt_arena_init(&a, (size_t)2 * CA_CRL_MAX_BYTES);
    lt_slice der;
    lt_res r = lt_file_read(&a, folder_fd, path, CA_CRL_MAX_BYTES, &der);
    if (r.code == LT_PEER_NOT_FOUND) {
        lt_arena_done(&a);
        return LT_OK;
    }
    struct x509_crl crl;
    r = lt_failed(r) ? r : x509_crl_parse(der, &a, &crl);
    if (!lt_failed(r) && !publisher_crl_is(folder_fd, issuer->name, 0, der)) {
        r = publisher_write_crl(folder_fd, issuer->name, 0, der, crl.this_update);
        *ret_copied = !lt_failed(r);
    }
    lt_arena_done(&a);
    return r;
}
