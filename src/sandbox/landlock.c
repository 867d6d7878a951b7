/* Landlock: which files a process may still reach, and whether it may open TCP.
 *
 * The headers of Debian 12 stop at ABI 2, so the constants stand here (Linux, include/uapi/linux/landlock.h)
 * and the kernel is asked at run time what it can. Everything that the running ABI can deny is denied; each
 * path of the profile then gets back reading, or reading and changing. Device ioctls (ABI 5) and signals and
 * abstract sockets towards processes outside (ABI 6) are given back to nobody. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/internal.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

static const uint64_t read_rights = FS_READ_FILE | FS_READ_DIR;
static const uint64_t write_rights = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_REMOVE_FILE |
                                     FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE;
/* What a rule on something that is no folder may name. */
static const uint64_t file_rights = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

/* From which ABI on the kernel knows how many bytes of ruleset_attr, and how many rights. */
static const struct {
    unsigned abi;
    size_t attr_size;
    uint64_t fs;
} levels[] = {
    {1, 8, (UINT64_C(1) << 13) - 1},  {2, 8, (UINT64_C(1) << 14) - 1},  {3, 8, (UINT64_C(1) << 15) - 1},
    {4, 16, (UINT64_C(1) << 15) - 1}, {5, 16, (UINT64_C(1) << 16) - 1}, {6, 24, (UINT64_C(1) << 16) - 1},
};

unsigned sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (unsigned)abi;
}

static lt_res add_path(int ruleset_fd, const struct sandbox_path *path, const char *folder, uint64_t handled)
{
    char full[PATH_MAX];
    int n = path->path[0] == '/' ? snprintf(full, sizeof full, "%s", path->path)
                                 : snprintf(full, sizeof full, "%s/%s", folder, path->path);
    LT_CHECK(n > 0 && (size_t)n < sizeof full, LT_PEER_USAGE, "%s: path too long", path->path);
    LT_CLEANUP(lt_fd_closep) int fd = open(full, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return LT_OK;
    }
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", full, strerror(errno));
    struct stat st;
    LT_CHECK(fstat(fd, &st) == 0, LT_STATE_IO, "%s: %s", full, strerror(errno));
    uint64_t rights = path->write ? write_rights : read_rights;
    rights |= path->exec ? FS_EXECUTE : 0;
    rights &= S_ISDIR(st.st_mode) ? UINT64_MAX : file_rights;
    struct path_beneath_attr rule = {.allowed_access = rights & handled, .parent_fd = fd};
    LT_CHECK(syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) == 0, LT_STATE_IO,
             "landlock: %s: %s", full, strerror(errno));
    return LT_OK;
}

lt_res sandbox_landlock(const struct sandbox_profile *profile, const char *folder, unsigned abi)
{
    if (abi == 0) {
        return LT_OK; /* seccomp and the file owners stand alone; status and doctor say so */
    }
    size_t level = LT_COUNT(levels) - 1;
    while (levels[level].abi > abi) {
        level--;
    }
    struct ruleset_attr attr = {.handled_access_fs = levels[level].fs,
                                .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL};
    if ((profile->calls & SANDBOX_CONNECT) == 0) {
        attr.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
    }
    LT_CLEANUP(lt_fd_closep)
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, levels[level].attr_size, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "landlock: no ruleset: %s", strerror(errno));
    for (size_t i = 0; i < profile->path_count; i++) {
        LT_TRY(add_path(fd, &profile->paths[i], folder, attr.handled_access_fs));
    }
    LT_CHECK(syscall(SYS_landlock_restrict_self, fd, 0) == 0, LT_STATE_IO, "landlock: %s", strerror(errno));
    return LT_OK;
}
