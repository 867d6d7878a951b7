/* Writing a new folder so that it is whole or not there: everything is made in DIR/.init-XXXXXXXX, moved up
 * entry by entry, and lintel.yaml comes last. No command takes a folder without lintel.yaml for a CA. What an
 * interrupted init left is taken away by the next one, if nobody holds its lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/public_trust.h"
#include "ca/testing.h"
#include "cmd/init.h"

enum { DEPTH_MAX = 4, PATH_SIZE = 256 };

static const char stage_prefix[] = ".init-";

/* Removes what is below a folder; depth is bounded as nothing of ours is deeper. */
static void remove_below(int dir, unsigned depth)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    while (list != NULL && (e = readdir(list)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlinkat(dir, e->d_name, 0) == 0 ||
            depth >= DEPTH_MAX) {
            continue;
        }
        LT_CLEANUP(lt_fd_closep)
        int sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub >= 0) {
            remove_below(sub, depth + 1); /* NOLINT(misc-no-recursion): bounded by DEPTH_MAX */
            (void)unlinkat(dir, e->d_name, AT_REMOVEDIR); /* what stays is seen by the next init */
        }
    }
    if (list != NULL) {
        (void)closedir(list); /* only read */
    }
}

static void remove_tree(int dir, const char *name)
{
    LT_CLEANUP(lt_fd_closep) int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sub >= 0) {
        remove_below(sub, 0);
        (void)unlinkat(dir, name, AT_REMOVEDIR); /* what stays is seen by the next init */
    }
}

/* Left by an init that was killed: its lock is free. */
static bool remove_leftover(int dir, const char *name)
{
    if (strncmp(name, stage_prefix, sizeof(stage_prefix) - 1) != 0) {
        return false;
    }
    LT_CLEANUP(lt_fd_closep) int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sub < 0 || flock(sub, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    remove_tree(dir, name);
    return true;
}

static lt_res check_empty(const struct init *i)
{
    DIR *list = fdopendir(fcntl(i->dir, F_DUPFD_CLOEXEC, 0));
    LT_CHECK(list != NULL, LT_STATE_IO, "%s: %s", i->folder, strerror(errno));
    char found[NAME_MAX + 1] = "";
    const struct dirent *e;
    while (found[0] == 0 && (e = readdir(list)) != NULL) {
        bool fine = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    strcmp(e->d_name, "lost+found") == 0 || remove_leftover(i->dir, e->d_name);
        if (!fine) {
            (void)snprintf(found, sizeof(found), "%s", e->d_name);
        }
    }
    (void)closedir(list); /* only read */
    LT_CHECK(found[0] == 0 || faccessat(i->dir, CA_CONFIG_FILE, F_OK, 0) != 0, LT_PEER_CONFLICT,
             "%s is a CA folder already; init never touches one", i->folder);
    LT_CHECK(found[0] == 0, LT_PEER_CONFLICT,
             "%s is not empty (\"%.60s\" is in it); give another folder, or empty it if an interrupted init "
             "left that",
             i->folder, found);
    return LT_OK;
}

lt_res init_stage(struct init *i)
{
    uint8_t random[8];
    i->made_folder = mkdir(i->folder, 0755) == 0;
    LT_CHECK(i->made_folder || errno == EEXIST, LT_PEER_USAGE, "%s: %s", i->folder, strerror(errno));
    i->dir = open(i->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(i->dir >= 0, LT_PEER_USAGE, "%s: %s", i->folder, strerror(errno));
    LT_TRY(check_empty(i));
    lt_random(random, sizeof(random));
    char name[sizeof(i->staging)];
    (void)snprintf(name, sizeof(name), "%s%s", stage_prefix,
                   lt_hex(&i->c->arena, LT_SLICE(random, sizeof(random))));
    LT_CHECK(mkdirat(i->dir, name, 0700) == 0, LT_STATE_IO, "%s/%s: %s", i->folder, name, strerror(errno));
    memcpy(i->staging, name, sizeof(name));
    i->stage = openat(i->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(i->stage >= 0 && flock(i->stage, LOCK_EX | LOCK_NB) == 0, LT_STATE_IO, "%s/%s: %s", i->folder,
             name, strerror(errno));
    return LT_OK;
}

static lt_res put(const struct init *i, const char *path, unsigned mode, lt_slice bytes)
{
    return lt_file_replace(i->stage, path, mode, bytes);
}

static lt_res make_folders(const struct init *i)
{
    static const struct {
        const char *path;
        mode_t mode;
    } rows[] = {
        {"profiles", 0755},   {"operators", 0755}, {"secrets", 0700}, {"ca", 0755},       {"keys", 0700},
        {"book", 0750},       {"evidence", 0750},  {"journal", 0700}, {"examiner", 0700}, {"public", 0755},
        {"public/crl", 0755}, {"public/ca", 0755}, {"tls", 0700},     {"run", 0755},
    };
    for (size_t k = 0; k < LT_COUNT(rows); k++) {
        /* chmod too: the umask must not decide. */
        LT_CHECK(mkdirat(i->stage, rows[k].path, rows[k].mode) == 0 &&
                     fchmodat(i->stage, rows[k].path, rows[k].mode, 0) == 0,
                 LT_STATE_IO, "%s/%s: %s", i->folder, rows[k].path, strerror(errno));
    }
    return LT_OK;
}

/* drawn: the passphrase is one of ours, not somebody's choice. */
static lt_res put_key(int dir, const char *path, const struct crypto_key *key, lt_slice passphrase,
                      bool drawn)
{
    struct lt_buf pem;
    lt_buf_init(&pem, 64 * 1024);
    lt_res r = drawn ? crypto_key_write_drawn(key, passphrase, &pem)
                     : crypto_key_write(key, passphrase, &pem);
    if (!lt_failed(r)) {
        r = lt_file_replace(dir, path, 0600, lt_buf_slice(&pem));
    }
    explicit_bzero(pem.ptr, pem.size);
    lt_buf_done(&pem);
    return r;
}

static bool is_drawn(const struct init *i)
{
    return cmd_value(i->c, "passphrase-file") == NULL;
}

static lt_res put_issuer_key(const struct init *i, const struct init_issuer *issuer)
{
    char path[PATH_SIZE];
    if (issuer->key.soft == NULL || issuer->offline) {
        return LT_OK;
    }
    (void)snprintf(path, sizeof(path), "keys/%s.key", issuer->name);
    return put_key(i->stage, path, issuer->key.soft, lt_secret_slice(&i->passphrase), is_drawn(i));
}

/* The root's key, under a passphrase of its own, into the folder that is taken away. Last of all, so that
 * only a whole init leaves it there. */
static lt_res put_offline_root(struct init *i)
{
    struct lt_secret passphrase = {.ptr = NULL};
    LT_CLEANUP(lt_fd_closep) int dir = open(i->offline_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "--root-offline %.150s: %s", i->offline_path, strerror(errno));
    LT_CHECK(faccessat(dir, INIT_OFFLINE_KEY, F_OK, 0) != 0 &&
                 faccessat(dir, INIT_OFFLINE_PASSPHRASE, F_OK, 0) != 0,
             LT_PEER_CONFLICT, "%.150s holds a root's key already; none is ever overwritten",
             i->offline_path);
    LT_TRY(init_passphrase(&passphrase));
    i->wrote_offline = true;
    lt_res r = put_key(dir, INIT_OFFLINE_KEY, i->issuers[INIT_ROOT].key.soft, lt_secret_slice(&passphrase),
                       true);
    if (!lt_failed(r)) {
        r = lt_file_replace(dir, INIT_OFFLINE_PASSPHRASE, 0600, lt_secret_slice(&passphrase));
    }
    lt_secret_done(&passphrase);
    return r;
}

static void remove_offline_root(const struct init *i)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(i->offline_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        (void)unlinkat(dir, INIT_OFFLINE_KEY, 0); /* it signs for nothing that exists */
        (void)unlinkat(dir, INIT_OFFLINE_PASSPHRASE, 0);
    }
}

/* ca/NAME.pem; ca/NAME.chain.pem: it and what is above it, without the root; public/ca/NAME.crt. */
static lt_res put_issuer(const struct init *i, const struct init_issuer *issuer)
{
    char path[PATH_SIZE];
    struct lt_buf pem;
    LT_TRY(put_issuer_key(i, issuer));
    lt_buf_init(&pem, 1 << 20);
    lt_pem_add(&pem, "CERTIFICATE", issuer->der);
    (void)snprintf(path, sizeof(path), "ca/%s.pem", issuer->name);
    lt_res r = put(i, path, 0644, lt_buf_slice(&pem));
    if (!lt_failed(r)) {
        if (issuer->parent < 0) {
            lt_buf_add(&pem, issuer->above);
        }
        for (size_t k = i->extra_count; issuer == &i->issuers[INIT_TLS] && k > 0; k--) {
            if (i->extras[k - 1].row <= i->tls_parent) { /* they were made first, from the root down */
                lt_pem_add(&pem, "CERTIFICATE", i->extras[k - 1].der);
            }
        }
        (void)snprintf(path, sizeof(path), "ca/%s.chain.pem", issuer->name);
        r = put(i, path, 0644, lt_buf_slice(&pem));
    }
    lt_buf_done(&pem);
    LT_TRY(r);
    (void)snprintf(path, sizeof(path), "public/ca/%s.crt", issuer->name);
    return put(i, path, 0644, issuer->der);
}

static lt_res put_operator(const struct init *i)
{
    char path[PATH_SIZE];
    struct lt_buf text;
    lt_buf_init(&text, CA_OPERATOR_FILE_MAX);
    lt_res r = ca_operator_print(&i->admin, &text);
    (void)snprintf(path, sizeof(path), "operators/%s.json", i->admin.name);
    if (!lt_failed(r)) {
        r = put(i, path, 0644, lt_buf_slice(&text));
    }
    lt_buf_done(&text);
    LT_TRY(r);
    (void)snprintf(path, sizeof(path), "operators/%s.key", i->admin.name);
    return put_key(i->stage, path, i->operator_key.soft, (lt_slice){NULL, 0}, false);
}

static lt_res put_secrets(const struct init *i)
{
    if (is_drawn(i)) {
        LT_TRY(put(i, "secrets/passphrase", 0600, lt_secret_slice(&i->passphrase)));
    }
    struct cmd_key audit = {.soft = NULL};
    LT_TRY(cmd_key_generate("ed25519", &audit));
    lt_res r = put_key(i->stage, "keys/audit.key", audit.soft, lt_secret_slice(&i->passphrase), is_drawn(i));
    struct lt_buf pem;
    lt_buf_init(&pem, 4096);
    lt_pem_add(&pem, "PUBLIC KEY", audit.use.spki); /* what `audit verify` checks knots with */
    r = lt_failed(r) ? r : put(i, "ca/audit.pub", 0644, lt_buf_slice(&pem));
    lt_buf_done(&pem);
    cmd_key_done(&audit);
    return r;
}

static lt_res put_profiles(const struct init *i)
{
    char path[PATH_SIZE];
    for (size_t k = 0; k < init_profiles_wanted(i); k++) {
        (void)snprintf(path, sizeof(path), "profiles/%s", init_profile_file(i, k));
        LT_TRY(put(i, path, 0644, init_profile_text(i, k)));
    }
    return LT_OK;
}

/* Of a test CA: the certificates that are only chained through, and the mark. */
static lt_res put_testing(const struct init *i)
{
    char path[PATH_SIZE];
    struct lt_buf pem;
    struct lt_buf mark;
    if (!i->testing) {
        return LT_OK;
    }
    for (size_t k = 0; k < i->extra_count; k++) {
        (void)snprintf(path, sizeof(path), "public/ca/%s.crt", i->extras[k].name);
        LT_TRY(put(i, path, 0644, i->extras[k].der));
    }
    LT_CHECK(mkdirat(i->stage, "policy", 0755) == 0 && fchmodat(i->stage, "policy", 0755, 0) == 0,
             LT_STATE_IO, "%s/policy: %s", i->folder, strerror(errno));
    LT_TRY(put(i, "policy/names.yaml", 0644, lt_slice_cstr(init_testing_policy)));
    lt_buf_init(&pem, 64 * 1024);
    lt_buf_init(&mark, 64 * 1024);
    lt_pem_add(&pem, "CERTIFICATE", i->issuers[INIT_ROOT].der);
    ca_testing_mark(lt_buf_slice(&pem), &mark);
    lt_res r = lt_buf_check(&mark);
    r = lt_failed(r) ? r : put(i, CA_TESTING_MARK, 0644, lt_buf_slice(&mark));
    lt_buf_done(&pem);
    lt_buf_done(&mark);
    return r;
}

/* Everything but the book and lintel.yaml. */
static lt_res put_all(const struct init *i)
{
    LT_TRY(make_folders(i));
    LT_TRY(put_profiles(i));
    LT_TRY(put_secrets(i));
    LT_TRY(put_operator(i));
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        LT_TRY(put_issuer(i, &i->issuers[k]));
    }
    LT_TRY(put_testing(i));
    return put(i, "public/crl/root.crl", 0644, i->root_crl);
}

/* What no perspective could heal later. */
static lt_res check_public(const struct ca_config *config, lt_time now)
{
    struct ca_public_trust trust;
    ca_public_trust_judge(config, NULL, now, &trust);
    LT_CHECK(trust.of_config == 0, LT_PEER_USAGE, "--public: every order would be refused: %s",
             trust.lacks[0]);
    return LT_OK;
}

static lt_res put_config(const struct init *i)
{
    struct lt_buf text;
    lt_buf_init(&text, CA_CONFIG_MAX_BYTES);
    lt_res r = init_config(i, &text);
    struct ca_config *parsed = NULL;
    if (!lt_failed(r)) {
        r = ca_config_parse(lt_buf_slice(&text), &parsed); /* what was given may not be fit for it */
    }
    if (!lt_failed(r) && cmd_flag(i->c, "public")) {
        r = check_public(parsed, i->c->now);
    }
    ca_config_free(parsed);
    if (!lt_failed(r)) {
        r = put(i, CA_CONFIG_FILE, 0644, lt_buf_slice(&text));
    }
    lt_buf_done(&text);
    return r;
}

lt_res init_write(struct init *i)
{
    char path[PATH_MAX];
    char absolute[PATH_MAX];
    LT_TRY(put_all(i));
    LT_TRY(put_config(i));
    LT_CHECK(realpath(i->folder, absolute) != NULL, LT_STATE_IO, "%s: %s", i->folder, strerror(errno));
    int n = snprintf(path, sizeof(path), "%s/%s", absolute, i->staging);
    LT_CHECK(n > 0 && (size_t)n < sizeof(path), LT_PEER_USAGE, "%s: the path is too long", i->folder);
    LT_TRY(init_book(i, path));
    return i->offline_path != NULL ? put_offline_root(i) : LT_OK;
}

/* lintel.yaml last. */
lt_res init_commit(struct init *i)
{
    static const char *const order[] = {"profiles", "operators",     "secrets",     "ca",     "keys", "book",
                                        "evidence", "journal",       "examiner",    "public", "tls",  "run",
                                        "policy",   CA_TESTING_MARK, CA_CONFIG_FILE};
    for (size_t k = 0; k < LT_COUNT(order); k++) {
        bool of_tests = strcmp(order[k], CA_TESTING_MARK) == 0 || strcmp(order[k], "policy") == 0;
        if (!i->testing && of_tests) {
            continue;
        }
        LT_CHECK(renameat(i->stage, order[k], i->dir, order[k]) == 0, LT_STATE_IO, "%s/%s: %s", i->folder,
                 order[k], strerror(errno));
        LT_CHECK(fsync(i->dir) == 0, LT_STATE_IO, "%s: %s", i->folder, strerror(errno));
    }
    (void)unlinkat(i->dir, i->staging, AT_REMOVEDIR); /* empty by now; if it stays, it does no harm */
    i->staging[0] = 0;
    i->made_folder = false;
    return LT_OK;
}

void init_abandon(struct init *i)
{
    if (i->wrote_offline) {
        remove_offline_root(i);
    }
    if (i->staging[0] != 0) {
        remove_tree(i->dir, i->staging);
    }
    if (i->made_folder) {
        (void)rmdir(i->folder); /* only if it is empty */
    }
}
