/* The CA folder as the supervisor finds and leaves it: locked while the family runs, every part owned by the
 * role it belongs to, secrets read for the one process that gets them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/scratch.h"
#include "ca/testing.h"
#include "role/supervisor.h"

enum { YAML_ARENA_MAX = 2 * CA_CONFIG_MAX_BYTES, SECRET_MAX = 1024, SEAL_KEY_LEN = 32 };
#define SEAL_KEY "secrets/seal.key"

/* Who owns what (docs/architecture.md). files: mode of the regular files inside, 0 leaves them alone. The
 * book's folder hands its group on to the files that SQLite makes. */
static const struct {
    const char *path;
    enum ipc_role role; /* IPC_SUPERVISOR: who started us */
    mode_t mode;
    mode_t files;
    bool book_group;
    bool make;
} owners[] = {
    {"lintel.yaml", IPC_SUPERVISOR, 0644, 0, false, false},
    {"testing", IPC_SUPERVISOR, 0644, 0, false, false},
    {CA_SCRATCH_MARK, IPC_SUPERVISOR, 0644, 0, false, false},
    {"profiles", IPC_SUPERVISOR, 0755, 0644, false, false},
    {"operators", IPC_SUPERVISOR, 0755, 0, false, true},
    {"perspectives", IPC_SUPERVISOR, 0755, 0644, false, true},
    {"policy", IPC_SUPERVISOR, 0755, 0644, false, true},
    {"usage", IPC_SUPERVISOR, 0755, 0644, false, true},
    {"courier", IPC_COURIER, 0700, 0600, false, false},
    {"secrets", IPC_SUPERVISOR, 0700, 0600, false, false},
    {"ca", IPC_SUPERVISOR, 0755, 0644, false, false},
    {"run", IPC_SUPERVISOR, 0755, 0, false, true},
    {"keys", IPC_SIGNER, 0700, 0600, false, false},
    {"journal", IPC_SIGNER, 0700, 0600, false, true},
    {"examiner", IPC_EXAMINER, 0700, 0600, false, true},
    {"book", IPC_REGISTRAR, 02750, 0640, true, true},
    {"evidence", IPC_REGISTRAR, 02750, 0640, true, true},
    {"public", IPC_PUBLISHER, 0755, 0, false, true},
    {"public/crl", IPC_PUBLISHER, 0755, 0644, false, true},
    {"public/ca", IPC_PUBLISHER, 0755, 0644, false, true},
    {"public/ari", IPC_PUBLISHER, 0755, 0644, false, true},
    {"public/ocsp", IPC_PUBLISHER, 0755, 0644, false, true},
    {"tls", IPC_GATEWAY, 0700, 0600, false, true},
};

bool folder_in_book_group(enum ipc_role role)
{
    return role == IPC_REGISTRAR || role == IPC_READER || role == IPC_PUBLISHER;
}

/* One that was killed may not be gone altogether. */
static bool lock_patiently(int fd)
{
    enum { TRIES = 20, STEP_US = 50000 };
    int tries = 0;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (++tries == TRIES) {
            return false;
        }
        (void)usleep(STEP_US); /* cut short: tried sooner */
    }
    return true;
}

lt_res folder_lock(struct supervisor *s)
{
    LT_CHECK(mkdir("run", 0755) == 0 || errno == EEXIST, LT_STATE_IO, "run: %s", strerror(errno));
    LT_CLEANUP(lt_fd_closep) int fd = open("run/supervisor.pid", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    LT_CHECK(fd >= 0, LT_STATE_IO, "run/supervisor.pid: %s", strerror(errno));
    LT_CHECK(lock_patiently(fd), LT_PEER_CONFLICT,
             "%.150s is being served already, or an offline command works in it", s->folder);
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* The lock is what counts; a full disk must not keep the family from starting. */
    if (pwrite(fd, pid, (size_t)n, 0) != n || ftruncate(fd, n) != 0) {
        lt_log(LT_LOG_WARN, "run/supervisor.pid does not say who we are", "error=\"%s\"", strerror(errno));
    }
    s->lock_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

/* The program that was locked in with it is the one that it may start. */
static bool same_command(const struct ca_config_opinion *a, const struct ca_config_opinion *b)
{
    bool same = a->command_count == b->command_count && a->timeout_s == b->timeout_s &&
                a->format == b->format && a->fail_on == b->fail_on;
    for (uint32_t i = 0; same && i < a->command_count; i++) {
        same = strcmp(a->command[i], b->command[i]) == 0;
    }
    return same;
}

/* What only a restart can change stays as it is. */
static void keep_running(const struct ca_config *now, struct ca_config *next)
{
    bool same = next->uid_base == now->uid_base && next->gateways == now->gateways &&
                next->notaries == now->notaries && next->readers == now->readers &&
                strcmp(next->listen_https, now->listen_https) == 0 &&
                strcmp(next->listen_http, now->listen_http) == 0 &&
                strcmp(next->listen_operator, now->listen_operator) == 0 &&
                strcmp(next->console_name, now->console_name) == 0 &&
                same_command(&next->opinion, &now->opinion);
    if (!same) {
        lt_log(LT_LOG_WARN,
               "listen, console.name, gateways, notaries, readers, uid-base and second-opinion change with a "
               "restart",
               "%s", "");
    }
    next->uid_base = now->uid_base;
    next->gateways = now->gateways;
    next->notaries = now->notaries;
    next->readers = now->readers;
}

/* The one place that lets a family behave like a test server: the mark first, then what is wanted. What the
 * management listener changes lives in one gateway's memory, so there is one. */
static lt_res load_testing(struct supervisor *s, struct ca_config *config)
{
    bool marked = false;
    LT_TRY(ca_testing_check(AT_FDCWD, config, &marked));
    if (s->config != NULL) {
        if (config->testing.wanted != s->testing.wanted) {
            lt_log(LT_LOG_WARN, "testing changes with a restart", "%s", "");
        }
        return LT_OK;
    }
    LT_TRY(ca_testing_environment(&config->testing, getenv));
    s->test_ca = marked;
    s->testing = config->testing;
    config->gateways = s->testing.wanted ? 1 : config->gateways;
    return LT_OK;
}

/* The other such place: a clock that is moved, and the mark that allows it, or neither. A drill's book and
 * keys are in its folder. */
static lt_res check_scratch(const struct supervisor *s, const struct ca_config *config)
{
    bool drill = s->clock_fd >= 0;
    LT_TRY(ca_scratch_check(AT_FDCWD, drill));
    LT_CHECK(!drill || (config->token_module[0] == 0 && config->store[0] == 0), LT_POLICY_REFUSED,
             "a drill has no token and no store on a server; see lintel.yaml");
    return LT_OK;
}

static lt_res parse_config(struct supervisor *s, lt_slice yaml, struct ca_config **ret_config)
{
    LT_TRY(ca_config_parse(yaml, ret_config));
    lt_res r = check_scratch(s, *ret_config);
    r = lt_failed(r) ? r : load_testing(s, *ret_config);
    if (lt_failed(r)) {
        ca_config_free(LT_TAKE(*ret_config, NULL));
    }
    return r;
}

lt_res folder_load_config(struct supervisor *s)
{
    struct lt_arena a;
    lt_arena_init(&a, YAML_ARENA_MAX);
    lt_slice yaml = {0};
    struct ca_config *config = NULL;
    lt_res r = lt_file_read(&a, AT_FDCWD, CA_CONFIG_FILE, CA_CONFIG_MAX_BYTES, &yaml);
    if (!lt_failed(r)) {
        r = parse_config(s, yaml, &config);
    }
    char *copy = lt_failed(r) ? NULL : lt_arena_cstr(&a, yaml);
    if (copy == NULL) {
        lt_arena_done(&a);
        return lt_failed(r) ? r
                            : lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, CA_CONFIG_FILE " is too long");
    }
    if (s->config != NULL) {
        keep_running(s->config, config);
    }
    ca_config_free(s->config);
    lt_arena_done(&s->yaml_arena);
    s->config = config;
    s->yaml_arena = a;
    s->yaml = copy;
    return LT_OK;
}

/* Only the local files: name services would bring their libraries, and a CA's users are local. */
static bool find_user(const char *role, uid_t *ret_uid, gid_t *ret_gid)
{
    char name[64];
    (void)snprintf(name, sizeof name, "lintel-%s", role);
    FILE *f = fopen("/etc/passwd", "re");
    const struct passwd *found = NULL;
    while (f != NULL && (found = fgetpwent(f)) != NULL && strcmp(found->pw_name, name) != 0) {
    }
    if (found != NULL) {
        *ret_uid = found->pw_uid;
        *ret_gid = found->pw_gid;
    }
    if (f != NULL) {
        (void)fclose(f); /* was only read */
    }
    return found != NULL;
}

void folder_ids(const struct supervisor *s, enum ipc_role role, uid_t *ret_uid, gid_t *ret_gid)
{
    *ret_uid = geteuid();
    *ret_gid = getegid();
    if (!s->own_users || role == IPC_SUPERVISOR || find_user(ipc_role_name(role), ret_uid, ret_gid)) {
        return;
    }
    *ret_uid = ca_config_uid(s->config, role);
    *ret_gid = *ret_uid;
}

gid_t folder_book_gid(const struct supervisor *s)
{
    FILE *f = fopen("/etc/group", "re");
    const struct group *found = NULL;
    while (f != NULL && (found = fgetgrent(f)) != NULL && strcmp(found->gr_name, "lintel-book") != 0) {
    }
    gid_t gid = found != NULL ? found->gr_gid : ca_config_book_gid(s->config);
    if (f != NULL) {
        (void)fclose(f); /* was only read */
    }
    return gid;
}

/* How something in the folder is to lie: files 0 leaves alone what is inside. */
struct ownership {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    mode_t files;
};

enum { FOLDERS_DEEP = 4 };

/* chmod last: chown clears the group-on-folders bit. */
static lt_res own_fd(int fd, const char *name, const struct stat *st, const struct ownership *o, mode_t mode)
{
    bool same = st->st_uid == o->uid && st->st_gid == o->gid && (st->st_mode & 07777) == mode;
    LT_CHECK(same || (fchown(fd, o->uid, o->gid) == 0 && fchmod(fd, mode) == 0), LT_STATE_IO, "%s: %s", name,
             strerror(errno));
    return LT_OK;
}

/* No symbolic link is followed: the parts of the folder belong to roles that may be anybody's by now. Folders
 * inside are their role's, too: it may have made them as another user in an earlier run. */
static lt_res own_part(int dir_fd, const char *name, const struct ownership *o, unsigned deep)
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 && (errno == ENOENT || deep > 0)) {
        return LT_OK; /* sockets, links, or gone */
    }
    LT_CHECK(fd >= 0 && fstat(fd, &st) == 0, LT_STATE_IO, "%s: %s", name, strerror(errno));
    if (deep > 0 && S_ISREG(st.st_mode)) {
        return own_fd(fd, name, &st, o, o->files);
    }
    if (deep > 0 && !S_ISDIR(st.st_mode)) {
        return LT_OK;
    }
    LT_TRY(own_fd(fd, name, &st, o, o->mode));
    if (o->files == 0 || !S_ISDIR(st.st_mode) || deep == FOLDERS_DEEP) {
        return LT_OK;
    }
    DIR *dir = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    LT_CHECK(dir != NULL, LT_STATE_IO, "%s: %s", name, strerror(errno));
    lt_res r = LT_OK;
    const struct dirent *entry;
    while (!lt_failed(r) && (entry = readdir(dir)) != NULL) {
        bool itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        r = itself ? LT_OK : own_part(fd, entry->d_name, o, deep + 1);
    }
    (void)closedir(dir); /* was only read */
    return r;
}

/* Can another user get here? One closed parent, such as /root, shuts every role out. */
static bool reachable(const char *folder, char *ret_closed, size_t size)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", folder);
    for (;;) {
        struct stat st;
        if (stat(path[0] == 0 ? "/" : path, &st) != 0 || (st.st_mode & S_IXOTH) == 0) {
            (void)snprintf(ret_closed, size, "%s", path);
            return false;
        }
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[0] == 0) {
            return true;
        }
        *slash = 0;
    }
}

static void choose_users(struct supervisor *s)
{
    char closed[1024];
    s->own_users = geteuid() == 0 && s->config->uid_base != 0;
    if (!s->own_users) {
        lt_log(LT_LOG_INFO, "all roles run as one user", "reason=%s",
               geteuid() == 0 ? "uid-base" : "not-root");
        return;
    }
    if (chmod(".", 0755) != 0 || !reachable(s->folder, closed, sizeof closed)) {
        s->own_users = false;
        lt_log(LT_LOG_WARN, "all roles run as one user: theirs cannot reach the CA folder",
               "closed=%s mend=\"keep the folder where others may pass, such as /var/lib/lintel\"", closed);
    }
}

lt_res folder_prepare(struct supervisor *s)
{
    choose_users(s);
    for (size_t i = 0; i < LT_COUNT(owners); i++) {
        if (owners[i].make) {
            LT_CHECK(mkdir(owners[i].path, owners[i].mode & 0777) == 0 || errno == EEXIST, LT_STATE_IO,
                     "%s: %s", owners[i].path, strerror(errno));
        }
        if (geteuid() != 0) {
            continue;
        }
        uid_t uid;
        gid_t gid;
        folder_ids(s, owners[i].role, &uid, &gid);
        if (owners[i].book_group && s->own_users) {
            gid = folder_book_gid(s);
        }
        const struct ownership o = {uid, gid, owners[i].mode, owners[i].files};
        LT_TRY(own_part(AT_FDCWD, owners[i].path, &o, 0));
    }
    return LT_OK;
}

static lt_res read_secret(const char *path, struct lt_secret *ret_secret)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_USAGE, "%.150s: %s", path, strerror(errno));
    return lt_secret_from_fd(fd, SECRET_MAX, ret_secret);
}

/* A credential of the service manager comes first. */
static bool credential(const char *name, char *ret_path, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int n = folder == NULL ? -1 : snprintf(ret_path, size, "%s/%s", folder, name);
    return n > 0 && (size_t)n < size && access(ret_path, R_OK) == 0;
}

lt_res folder_seal_key(struct lt_secret *ret_secret)
{
    char path[1024];
    uint8_t key[SEAL_KEY_LEN];
    if (credential("lintel-seal-key", path, sizeof path)) {
        return read_secret(path, ret_secret);
    }
    if (access(SEAL_KEY, F_OK) != 0 && errno == ENOENT) {
        LT_CHECK(mkdir("secrets", 0700) == 0 || errno == EEXIST, LT_STATE_IO, "secrets: %s", strerror(errno));
        struct lt_buf text;
        lt_random(key, sizeof key);
        lt_buf_init(&text, SECRET_MAX);
        lt_hex_add(&text, LT_SLICE(key, sizeof key));
        lt_buf_add_byte(&text, '\n');
        lt_res r = lt_file_replace(AT_FDCWD, SEAL_KEY, 0600, lt_buf_slice(&text));
        explicit_bzero(key, sizeof key);
        explicit_bzero(text.ptr, text.len);
        lt_buf_done(&text);
        LT_TRY(r);
        lt_log(LT_LOG_INFO, "made a key for secrets in the book",
               "file=" SEAL_KEY " keep=\"with the backups\"");
    }
    return read_secret(SEAL_KEY, ret_secret);
}

lt_res folder_passphrase(const struct supervisor *s, struct lt_secret *ret_secret)
{
    char path[1024];
    bool given = credential("lintel-passphrase", path, sizeof path);
    return read_secret(given ? path : s->config->passphrase_file, ret_secret);
}

lt_res folder_pin(const struct supervisor *s, struct lt_secret *ret_secret)
{
    if (s->config->token_pin_file[0] == 0) {
        return lt_secret_new((lt_slice){0}, ret_secret);
    }
    return read_secret(s->config->token_pin_file, ret_secret);
}
