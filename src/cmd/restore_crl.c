/* What relying parties were told last: every CRL below public/crl, verified with its issuer's certificate in
 * the book. A file that does not verify is refused by name: whoever put it there shall take it away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/crl_shard.h"
#include "cmd/backup.h"
#include "cmd/restore.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "x509/cert.h"
#include "x509/crl.h"

enum {
    PATH_SIZE = 256,
    FILE_MAX = 256 * 1024 * 1024,
    ARENA_MAX = 512 * 1024 * 1024,
    NUMBER_MAX = 8,
    ENTRIES_MAX = 64 * 1024 * 1024,
};
static const char *const endings[] = {"", ".next"}; /* signed and synced, and not in its place yet */

void restore_crls_done(struct restore_crls *crls)
{
    free(crls->entries);
    free(crls->list);
    crls->entries = NULL;
    crls->list = NULL;
}

/* ---- lists ---- */

static void *more_room(void *list, size_t count, size_t *size, size_t each)
{
    if (count == *size) {
        *size = *size == 0 ? 1024 : *size * 2;
        list = realloc(list, *size * each);
        LT_ASSERT(list != NULL);
    }
    return list;
}

static lt_res add_entry(struct restore_crls *crls, const struct restore_crl *of,
                        const struct x509_crl_entry *e)
{
    lt_slice serial = x509_serial_magnitude(e->serial);
    LT_CHECK(serial.len > 0 && serial.len <= RESTORE_SERIAL_MAX, LT_PEER_MALFORMED,
             "a CRL has a serial number of %zu bytes", serial.len);
    LT_CHECK(crls->entry_count < ENTRIES_MAX, LT_PEER_TOO_LARGE, "the CRLs have too many entries");
    crls->entries = more_room(crls->entries, crls->entry_count, &crls->entry_size, sizeof *crls->entries);
    struct restore_entry *to = &crls->entries[crls->entry_count++];
    *to = (struct restore_entry){
        .revoked_us = e->revoked.us,
        .issuer = (uint16_t)of->issuer,
        .shard = (uint16_t)of->shard,
        .reason = (uint8_t)e->reason,
        .serial_len = (uint8_t)serial.len,
    };
    memcpy(to->serial, serial.ptr, serial.len);
    return LT_OK;
}

static int by_serial(const void *a, const void *b)
{
    const struct restore_entry *x = a;
    const struct restore_entry *y = b;
    if (x->issuer != y->issuer) {
        return x->issuer < y->issuer ? -1 : 1;
    }
    return lt_slice_cmp(LT_SLICE(x->serial, x->serial_len), LT_SLICE(y->serial, y->serial_len));
}

/* Of one serial those of parts come first: they say where it belongs. */
static int by_serial_and_part(const void *a, const void *b)
{
    const struct restore_entry *x = a;
    const struct restore_entry *y = b;
    int order = by_serial(a, b);
    return order != 0 ? order : (int)y->shard - (int)x->shard;
}

static void one_of_each(struct restore_crls *crls)
{
    size_t kept = 0;
    if (crls->entry_count == 0) {
        return;
    }
    qsort(crls->entries, crls->entry_count, sizeof *crls->entries, by_serial_and_part);
    for (size_t i = 1; i < crls->entry_count; i++) {
        struct restore_entry *last = &crls->entries[kept];
        const struct restore_entry *e = &crls->entries[i];
        if (by_serial(last, e) != 0) {
            crls->entries[++kept] = *e;
        } else if (e->reason == 1) {
            last->reason = 1; /* a key that is compromised in either */
        }
    }
    crls->entry_count = kept + 1;
}

bool restore_crl_part(const struct restore_crls *crls, size_t issuer, lt_slice serial, uint32_t *ret_shard)
{
    struct restore_entry wanted = {.issuer = (uint16_t)issuer, .serial_len = (uint8_t)serial.len};
    if (serial.len > sizeof wanted.serial || crls->entry_count == 0) {
        return false;
    }
    memcpy(wanted.serial, serial.ptr, serial.len);
    const struct restore_entry *e = bsearch(&wanted, crls->entries, crls->entry_count, sizeof wanted,
                                            by_serial);
    *ret_shard = e == NULL ? 0 : e->shard;
    return e != NULL;
}

/* ---- a file ---- */

static lt_res verify(const struct restore_issuer *i, const struct x509_crl *crl, struct lt_arena *a)
{
    struct x509_cert cert;
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *key = NULL;
    LT_TRY(x509_cert_parse(i->certificate, a, &cert));
    LT_CHECK(lt_slice_eq(crl->issuer.der, cert.subject.der), LT_POLICY_REFUSED, "its issuer is another");
    LT_CHECK(lt_slice_eq(crl->sig_alg_der, crl->outer_sig_alg_der), LT_POLICY_REFUSED,
             "its two signature algorithms differ");
    LT_TRY(crypto_pub_import(&cert.spki, &key));
    return crypto_pub_verify(key, (enum crypto_sig_alg)crl->sig_alg, crl->tbs, crl->signature);
}

static lt_res read_number(const struct x509_crl *crl, uint64_t *ret_number)
{
    lt_slice n = x509_serial_magnitude(crl->ext.crl_number);
    LT_CHECK(crl->ext.has_crl_number && n.len <= NUMBER_MAX, LT_POLICY_REFUSED, "it has no number of ours");
    *ret_number = 0;
    for (size_t i = 0; i < n.len; i++) {
        *ret_number = *ret_number << 8 | n.ptr[i];
    }
    return LT_OK;
}

static lt_res take_crl(struct restore *k, lt_slice der, struct restore_crl *c, struct lt_arena *a)
{
    struct x509_crl crl;
    struct x509_crl_entry e;
    struct restore_issuer *i = &k->crls.issuers[c->issuer];
    LT_TRY(x509_crl_parse(der, a, &crl));
    LT_TRY(verify(i, &crl, a));
    LT_TRY(read_number(&crl, &c->number));
    c->this_update_us = crl.this_update.us;
    c->next_update_us = crl.next_update.us;
    c->entries = crl.entry_count;
    crypto_sha256(der, c->sha256);
    struct der_cursor at = der_open(crl.entries);
    while (x509_crl_next(&at, &e)) {
        LT_TRY(add_entry(&k->crls, c, &e));
    }
    k->crls.list = more_room(k->crls.list, k->crls.count, &k->crls.size, sizeof *k->crls.list);
    k->crls.list[k->crls.count++] = *c;
    i->number = c->number > i->number ? c->number : i->number;
    i->shards = c->shard > i->shards ? c->shard : i->shards;
    return LT_OK;
}

static lt_res read_file(struct restore *k, size_t issuer, uint32_t shard, const char *ending)
{
    char name[CA_CRL_NAME_MAX];
    char path[PATH_SIZE];
    lt_slice der = {0};
    struct lt_arena a;
    struct restore_crl c = {.issuer = issuer, .shard = shard};
    ca_crl_name(k->crls.issuers[issuer].name, shard, name);
    (void)snprintf(path, sizeof path, "public/crl/%s%s", name, ending);
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = lt_file_read(&a, k->dir, path, FILE_MAX, &der);
    bool missing = r.code == LT_PEER_NOT_FOUND;
    r = lt_failed(r) ? r : take_crl(k, der, &c, &a);
    struct lt_error why = *lt_error_last();
    lt_arena_done(&a);
    if (missing || !lt_failed(r)) {
        return LT_OK;
    }
    return lt_fail(r.code == LT_STATE_IO ? r.code : LT_STATE_CORRUPT, __FILE__, __LINE__,
                   "%.80s: %.100s: take it away", path, why.detail);
}

/* Parts of an issuer, by the names of its files. */
static lt_res count_parts(const struct restore *k, struct restore_issuer *i)
{
    char path[PATH_SIZE];
    const struct dirent *e;
    (void)snprintf(path, sizeof path, "public/crl/%s", i->name);
    int fd = openat(k->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0 || errno == ENOENT || errno == ENOTDIR, LT_STATE_IO, "%.150s: %s", path,
             strerror(errno));
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char *end = NULL;
        unsigned long n = strtoul(e->d_name, &end, 10);
        bool part = end != e->d_name && strncmp(end, ".crl", 4) == 0 && n <= CA_CRL_SHARDS_MAX;
        i->shards = part && n > i->shards ? (uint32_t)n : i->shards;
    }
    if (dir != NULL) {
        (void)closedir(dir); /* was only read */
    }
    return LT_OK;
}

lt_res restore_read_crls(struct restore *k)
{
    for (size_t i = 0; i < k->crls.issuer_count; i++) {
        LT_TRY(count_parts(k, &k->crls.issuers[i]));
        uint32_t parts = k->crls.issuers[i].shards;
        for (uint32_t shard = 0; shard <= parts; shard++) {
            for (size_t e = 0; e < LT_COUNT(endings); e++) {
                LT_TRY(read_file(k, i, shard, endings[e]));
            }
        }
    }
    one_of_each(&k->crls);
    return LT_OK;
}

/* ---- for the script ---- */

static int by_path(const void *a, const void *b)
{
    const struct manifest_file *x = a;
    const struct manifest_file *y = b;
    return strcmp(x->path, y->path);
}

lt_res restore_crls_hash(int dir, struct lt_arena *a, uint8_t ret_hash[CA_HASH_LEN])
{
    struct backup_files f = {.from = dir, .to = -1, .arena = a};
    struct crypto_stream hash;
    lt_res r = LT_OK;
    LT_TRY(backup_files_init(&f));
    LT_TRY(backup_list_below(&f, "public/crl", ""));
    if (f.count > 1) {
        qsort(f.list, f.count, sizeof *f.list, by_path);
    }
    crypto_stream_init(&hash, CRYPTO_SHA256);
    for (size_t i = 0; i < f.count && !lt_failed(r); i++) {
        uint64_t bytes = 0;
        r = backup_hash(dir, f.list[i].path, NULL, &bytes, f.list[i].sha256);
        crypto_stream_add(&hash, LT_SLICE(f.list[i].path, strlen(f.list[i].path) + 1));
        crypto_stream_add(&hash, LT_SLICE(f.list[i].sha256, sizeof f.list[i].sha256));
    }
    crypto_stream_finish(&hash, ret_hash);
    crypto_stream_done(&hash);
    return r;
}
