/* The publisher's files. */
#include "role/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

enum { MODE_PUBLIC = 0644, CHAIN_MAX = 8, PATH_SIZE = 192, CHAIN_BYTES_MAX = 1024 * 1024 };

lt_res publisher_make_folders(int folder_fd)
{
    static const char *const folders[] = {"public", "public/crl", "public/ca", "public/ari"};
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        LT_CHECK(mkdirat(folder_fd, folders[i], 0755) == 0 || errno == EEXIST, LT_STATE_IO, "%s: %s",
                 folders[i], strerror(errno));
    }
    return LT_OK;
}

static void crl_path(char path[PATH_SIZE], const char *issuer, uint32_t shard)
{
    if (shard == 0) {
        (void)snprintf(path, PATH_SIZE, "public/crl/%.100s.crl", issuer);
    } else {
        (void)snprintf(path, PATH_SIZE, "public/crl/%.100s-%u.crl", issuer, shard);
    }
}

lt_res publisher_write_crl(int folder_fd, const char *issuer, uint32_t shard, lt_slice der,
                           lt_time this_update)
{
    char path[PATH_SIZE];
    crl_path(path, issuer, shard);
    LT_TRY(lt_file_replace(folder_fd, path, MODE_PUBLIC, der));
    struct timespec t = {.tv_sec = (time_t)lt_time_seconds(this_update)};
    const struct timespec times[2] = {t, t};
    LT_CHECK(utimensat(folder_fd, path, times, 0) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    return LT_OK;
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
