/* What lies in the CA folder: secrets, owners, room, certificates, CRLs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/doctor.h"
#include "x509/cert.h"

enum {
    PATH_SIZE = 512,
    FILE_MAX = 64 * 1024 * 1024,
    KEY_FILE_MAX = 64 * 1024,
    EXPIRES_SOON_DAYS = 90,
    MIB = 1024 * 1024,
    FREE_MIN_MIB = 200,
    FREE_WARN_PERCENT = 10,
};

/* A file that only its owner may read. */
static bool private_file(struct doctor *d, const char *what, const char *path)
{
    struct stat st;
    if (fstatat(d->dir, path, &st, 0) != 0) {
        doctor_say(d, DOCTOR_BAD, what, "%s: %s", path, strerror(errno));
        return false;
    }
    if ((st.st_mode & 077) != 0) {
        doctor_say(d, DOCTOR_BAD, what,
                   "%s may be read by others (mode %04o); chmod 600 it, and think of its "
                   "content as known",
                   path, (unsigned)(st.st_mode & 07777));
        return false;
    }
    return true;
}

static void key_file(struct doctor *d, const char *path)
{
    struct lt_arena a;
    lt_slice pem;
    if (!private_file(d, "keys", path)) {
        return;
    }
    lt_arena_init(&a, (size_t)KEY_FILE_MAX * 2);
    const lt_slice plain = LT_LIT("-----BEGIN PRIVATE KEY-----");
    bool open_key = !lt_failed(lt_file_read(&a, d->dir, path, KEY_FILE_MAX, &pem)) &&
                    lt_slice_starts(pem, plain);
    lt_arena_done(&a);
    if (open_key) {
        doctor_say(d, DOCTOR_BAD, "keys", "%s is not encrypted; encrypt it with the passphrase", path);
    }
}

static void operator_keys(struct doctor *d)
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(d->dir, "operators", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0)) : NULL;
    const struct dirent *e;
    while (list != NULL && (e = readdir(list)) != NULL) {
        size_t len = strlen(e->d_name);
        char path[PATH_SIZE];
        if (len < 5 || strcmp(e->d_name + len - 4, ".key") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "operators/%s", e->d_name);
        if (private_file(d, "operators", path)) {
            doctor_say(d, DOCTOR_WARN, "operators",
                       "%s/%s: an operator's private key lies beside the CA; move it to where they work",
                       d->folder, path);
        }
    }
    if (list != NULL) {
        (void)closedir(list); /* only read */
    }
}

void doctor_secrets(struct doctor *d)
{
    size_t before = d->count;
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    bool given = credentials != NULL && credentials[0] != 0;
    bool missing = faccessat(d->dir, d->config->passphrase_file, F_OK, 0) != 0;
    if (missing && !given && cmd_folder_pid(d->folder) > 0) {
        doctor_say(d, DOCTOR_NOTE, "passphrase",
                   "%s is missing, and the family runs: it has it as a credential",
                   d->config->passphrase_file);
        given = true;
    }
    if (!given && private_file(d, "passphrase", d->config->passphrase_file)) {
        bool inside = d->config->passphrase_file[0] != '/';
        doctor_say(
            d, inside ? DOCTOR_NOTE : DOCTOR_OK, "passphrase",
            inside
                ? "%s lies beside the keys it protects; a systemd credential \"lintel-passphrase\" is better"
                : "%s",
            d->config->passphrase_file);
    }
    for (uint32_t i = 0; i < d->config->issuer_count; i++) {
        if (d->config->issuers[i].key[0] != 0) {
            key_file(d, d->config->issuers[i].key);
        }
    }
    key_file(d, "keys/audit.key");
    if (d->config->token_pin_file[0] != 0) {
        (void)private_file(d, "token", d->config->token_pin_file); /* has said what there is to say */
    }
    operator_keys(d);
    if (d->count == before) {
        doctor_say(d, DOCTOR_OK, "keys", "encrypted, and readable by their owner alone");
    }
}

/* What the examiner and the registrar judge by must not be writable by them, or by anybody. */
void doctor_owners(struct doctor *d)
{
    static const char *const paths[] = {".", "lintel.yaml", "profiles", "operators", "ca", "secrets"};
    struct stat top;
    bool good = fstat(d->dir, &top) == 0;
    for (size_t i = 0; i < LT_COUNT(paths); i++) {
        struct stat st;
        if (fstatat(d->dir, paths[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
            doctor_say(d, DOCTOR_BAD, "owners", "%s/%s: %s", d->folder, paths[i], strerror(errno));
            good = false;
        } else if ((st.st_mode & 022) != 0 || (st.st_uid != 0 && st.st_uid != top.st_uid)) {
            doctor_say(d, DOCTOR_BAD, "owners",
                       "%s/%s can be changed by others (owner %u, mode %04o); chown root and chmod go-w it",
                       d->folder, paths[i], st.st_uid, (unsigned)(st.st_mode & 07777));
            good = false;
        }
    }
    if (good) {
        doctor_say(d, DOCTOR_OK, "owners", "configuration, profiles and operators are the owner's alone");
    }
}

void doctor_disk(struct doctor *d)
{
    static const char *const paths[] = {"book", "journal", "evidence"};
    for (size_t i = 0; i < LT_COUNT(paths); i++) {
        char path[PATH_SIZE];
        struct statvfs st;
        (void)snprintf(path, sizeof(path), "%.400s/%s", d->folder, paths[i]);
        if (statvfs(path, &st) != 0) {
            doctor_say(d, DOCTOR_BAD, "disk", "%s: %s", path, strerror(errno));
            continue;
        }
        uint64_t free_mib = (uint64_t)st.f_bavail * st.f_frsize / MIB;
        uint64_t percent = st.f_blocks > 0 ? (uint64_t)st.f_bavail * 100 / st.f_blocks : 0;
        bool bad = free_mib < FREE_MIN_MIB || (st.f_files > 0 && st.f_favail < 100);
        doctor_say(d,
                   bad                           ? DOCTOR_BAD
                   : percent < FREE_WARN_PERCENT ? DOCTOR_WARN
                                                 : DOCTOR_OK,
                   "disk", "%s: %llu MiB free (%llu %%)%s", path, (unsigned long long)free_mib,
                   (unsigned long long)percent, bad ? "; make room before issuance stops" : "");
    }
}

static void issuer(struct doctor *d, const struct ca_config_issuer *i)
{
    struct lt_arena a;
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    struct x509_cert cert;
    lt_arena_init(&a, FILE_MAX);
    lt_res r = lt_file_read(&a, d->dir, i->certificate, KEY_FILE_MAX, &pem);
    r = lt_failed(r) ? r : lt_pem_next(&a, &pem, &label, &der);
    r = lt_failed(r) ? r : x509_cert_parse(der, &a, &cert);
    if (lt_failed(r)) {
        doctor_say(d, DOCTOR_BAD, "issuers", "%s: %s", i->certificate, lt_error_last()->detail);
    } else {
        int64_t days = (cert.not_after.us - d->c->now.us) / LT_US_PER_SECOND / LT_SECONDS_PER_DAY;
        bool over = cert.not_after.us <= d->c->now.us;
        doctor_say(d,
                   over                       ? DOCTOR_BAD
                   : days < EXPIRES_SOON_DAYS ? DOCTOR_WARN
                                              : DOCTOR_OK,
                   "issuers", "%s %s in %lld days%s", i->name, over ? "has expired," : "ends",
                   (long long)days, days < EXPIRES_SOON_DAYS ? "; make its successor in a ceremony" : "");
    }
    lt_arena_done(&a);
}

void doctor_issuers(struct doctor *d)
{
    for (uint32_t i = 0; i < d->config->issuer_count; i++) {
        issuer(d, &d->config->issuers[i]);
    }
}
