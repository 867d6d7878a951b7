/* Turning the locks in their order: limits, privileges, Landlock, seccomp. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/internal.h"

static lt_res limit(__rlimit_resource_t what, size_t value)
{
    struct rlimit now;
    LT_CHECK(getrlimit(what, &now) == 0, LT_STATE_IO, "getrlimit: %s", strerror(errno));
    rlim_t most = now.rlim_max == RLIM_INFINITY || now.rlim_max > value ? (rlim_t)value : now.rlim_max;
    struct rlimit next = {.rlim_cur = most, .rlim_max = most};
    LT_CHECK(setrlimit(what, &next) == 0, LT_STATE_IO, "setrlimit: %s", strerror(errno));
    return LT_OK;
}

/* A role that still runs as root, because it was told to, is root in name only. */
static lt_res drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    LT_CHECK(syscall(SYS_capset, &header, none) == 0, LT_STATE_IO, "capset: %s", strerror(errno));
    return LT_OK;
}

lt_res sandbox_enter(const struct sandbox_profile *profile, const char *folder,
                     struct sandbox_state *ret_state)
{
    LT_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, LT_STATE_IO, "no_new_privs: %s", strerror(errno));
    LT_CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, LT_STATE_IO, "dumpable: %s", strerror(errno));
    LT_TRY(limit(RLIMIT_CORE, 0));
    LT_TRY(limit(RLIMIT_NOFILE, profile->max_fds));
    if (profile->max_memory_bytes != 0 && !SANDBOX_SANITIZED) {
        LT_TRY(limit(RLIMIT_AS, profile->max_memory_bytes));
    }
    LT_TRY(drop_capabilities());
    struct sandbox_state state = {0};
    state.landlock_abi = sandbox_landlock_abi();
    LT_TRY(sandbox_landlock(profile, folder, state.landlock_abi));
    LT_TRY(sandbox_seccomp(profile->calls));
    state.seccomp = true;
    *ret_state = state;
    return LT_OK;
}
