/* Each group of calls: what it lets through works, what it does not ends the process. Landlock says no with
 * EACCES. The profiles are entered for real, in children. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "attempt.h"
#include "sandbox/internal.h"

static struct attempt world;
static char folder[] = "/tmp/lintel-sandbox-XXXXXX";

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    LT_ASSERT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static int set_up(void **state)
{
    (void)state;
    LT_ASSERT(mkdtemp(folder) != NULL && chdir(folder) == 0);
    LT_ASSERT(mkdir("open", 0755) == 0 && mkdir("shut", 0755) == 0 && mkdir("look", 0755) == 0);
    make_file("open/file");
    make_file("shut/file");
    make_file("look/file");
    make_file("single");
    int pair[2];
    LT_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    LT_ASSERT(bind(listener, (const struct sockaddr *)&any, sizeof any) == 0 && listen(listener, 8) == 0);
    world = (struct attempt){.folder = folder,
                             .socket_fd = pair[0],
                             .listen_fd = listener,
                             .file_fd = open("single", O_RDWR | O_CLOEXEC)};
    LT_ASSERT(world.file_fd >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const made[] = {"open/file", "open/made", "shut/file", "look/file", "single"};
    for (size_t i = 0; i < LT_COUNT(made); i++) {
        (void)unlink(made[i]); /* not all of them exist */
    }
    return rmdir("open") | rmdir("shut") | rmdir("look") | rmdir(folder);
}

static const struct sandbox_path paths[] = {
    {"open", true}, {"look", false}, {"single", false}, {"missing", true}};

static int run(unsigned calls, attempt_fn *try, const char *path)
{
    struct sandbox_profile profile = {
        .role = "test", .calls = calls, .paths = paths, .path_count = LT_COUNT(paths), .max_fds = 64};
    struct attempt a = world;
    a.path = path;
    return attempt_run(&profile, try, &a);
}

struct row {
    const char *what;
    unsigned calls;
    attempt_fn *try;
    const char *path;
    int expected;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int got = run(rows[i].calls, rows[i].try, rows[i].path);
        if (got != rows[i].expected) {
            print_error("%s: expected %d, got %d\n", rows[i].what, rows[i].expected, got);
        }
        assert_int_equal(got, rows[i].expected);
    }
}

static void test_base(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nothing", SANDBOX_BASE, try_nothing, NULL, WORKS},
        {"memory", SANDBOX_BASE, try_memory, NULL, WORKS},
        {"time and randomness", SANDBOX_BASE, try_time_and_random, NULL, WORKS},
        {"descriptors", SANDBOX_BASE, try_descriptors, NULL, WORKS},
        {"sending", SANDBOX_BASE, try_send, NULL, WORKS},
        {"fstat", SANDBOX_BASE, try_stat_open, NULL, WORKS},
        {"abort", SANDBOX_BASE, try_abort, NULL, SIGABRT},
        {"accept", SANDBOX_BASE, try_accept, NULL, DIES},
        {"socket", SANDBOX_BASE, try_socket_inet, NULL, DIES},
        {"unix socket", SANDBOX_BASE, try_socket_unix, NULL, DIES},
        {"memfd", SANDBOX_BASE, try_memfd, NULL, DIES},
        {"sync", SANDBOX_BASE, try_sync, NULL, DIES},
        {"fork", SANDBOX_BASE, try_fork, NULL, DIES},
        {"thread", SANDBOX_BASE, try_thread, NULL, DIES},
        {"exec", SANDBOX_BASE, try_exec, NULL, DIES},
    };
    check_rows(rows, LT_COUNT(rows));
    if (!SANDBOX_SANITIZED) { /* there, reading is left open for the reports */
        assert_int_equal(run(SANDBOX_BASE, try_open_read, "open/file"), DIES);
        assert_int_equal(run(SANDBOX_BASE, try_stat, "open/file"), DIES);
    }
}

/* What no group gives, whatever else a role may do. */
static void test_never(void **state)
{
    (void)state;
    const unsigned all = SANDBOX_BASE | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE | SANDBOX_ACCEPT |
                         SANDBOX_CONNECT | SANDBOX_MEMFD | SANDBOX_FORK | SANDBOX_THREADS | SANDBOX_SYNC;
    static const struct {
        const char *what;
        attempt_fn *try;
    } never[] = {
        {"kill", try_kill_parent},
        {"kill of itself", try_kill_self},
        {"tgkill of another", try_tgkill_parent},
        {"ptrace", try_ptrace},
        {"process_vm_readv", try_process_vm},
        {"executable memory", try_exec_memory},
        {"making memory executable", try_make_executable},
        {"setresuid", try_setuid},
        {"chroot", try_chroot},
        {"unshare", try_unshare},
        {"mount", try_mount},
        {"bpf", try_bpf},
        {"keyctl", try_keyctl},
        {"io_uring", try_io_uring},
        {"userfaultfd", try_userfaultfd},
        {"setrlimit", try_raise_limit},
        {"becoming dumpable again", try_dumpable},
        {"signals by fcntl", try_sigio},
        {"pidfd_open", try_pidfd},
        {"raw socket", try_socket_raw},
    };
    for (size_t i = 0; i < LT_COUNT(never); i++) {
        int got = run(all, never[i].try, NULL);
        if (got != DIES) {
            print_error("%s: got %d\n", never[i].what, got);
        }
        assert_int_equal(got, DIES);
    }
}

static void test_groups(void **state)
{
    (void)state;
    static const unsigned reads = SANDBOX_BASE | SANDBOX_OPEN_READ;
    static const unsigned writes = SANDBOX_BASE | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE;
    static const struct row rows[] = {
        {"reading", reads, try_open_read, "look/file", WORKS},
        {"stat", reads, try_stat, "look/file", WORKS},
        {"listing", reads, try_list, "look", WORKS},
        {"a reader that opens for writing", reads, try_open_write, "open/file", EACCES},
        {"a reader that creates", reads, try_create, "open", EACCES},
        {"a reader that syncs", reads, try_sync, NULL, DIES},
        {"writing", writes, try_open_write, "open/file", WORKS},
        {"creating", writes, try_create, "open", WORKS},
        {"renaming", writes, try_rename, "open", WORKS},
        {"syncing", writes, try_sync, NULL, WORKS},
        {"syncing alone", SANDBOX_BASE | SANDBOX_SYNC, try_sync, NULL, WORKS},
        {"accept", SANDBOX_BASE | SANDBOX_ACCEPT, try_accept, NULL, WORKS},
        {"an acceptor that makes a socket", SANDBOX_BASE | SANDBOX_ACCEPT, try_socket_inet, NULL, DIES},
        {"socket", SANDBOX_BASE | SANDBOX_CONNECT, try_socket_inet, NULL, WORKS},
        {"connect", SANDBOX_BASE | SANDBOX_CONNECT, try_connect, NULL, WORKS},
        {"a connector with UNIX sockets", SANDBOX_BASE | SANDBOX_CONNECT, try_socket_unix, NULL,
         EAFNOSUPPORT},
        {"a connector with netlink", SANDBOX_BASE | SANDBOX_CONNECT, try_socket_netlink, NULL, EAFNOSUPPORT},
        {"a connector that accepts", SANDBOX_BASE | SANDBOX_CONNECT, try_accept, NULL, DIES},
        {"memfd", SANDBOX_BASE | SANDBOX_MEMFD, try_memfd, NULL, WORKS},
        {"thread", SANDBOX_BASE | SANDBOX_THREADS, try_thread, NULL, WORKS},
        {"a threader that forks", SANDBOX_BASE | SANDBOX_THREADS, try_fork, NULL, DIES},
        {"a maker of workers that forks", SANDBOX_BASE | SANDBOX_WORKERS, try_fork, NULL, WORKS},
        {"a maker of workers that starts a program", SANDBOX_BASE | SANDBOX_WORKERS, try_exec, NULL, DIES},
        {"a maker of workers that signals", SANDBOX_BASE | SANDBOX_WORKERS, try_kill_parent, NULL, DIES},
        {"fork", SANDBOX_BASE | SANDBOX_FORK, try_fork, NULL, WORKS},
    };
    check_rows(rows, LT_COUNT(rows));
}

static void test_landlock(void **state)
{
    (void)state;
    if (sandbox_landlock_abi() == 0) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
    static const unsigned writes = SANDBOX_BASE | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE;
    static const struct row rows[] = {
        {"outside", writes, try_open_read, "shut/file", EACCES},
        {"listing outside", writes, try_list, "shut", EACCES},
        {"the folder itself", writes, try_list, ".", EACCES},
        {"the world", writes, try_open_read, "/etc/passwd", EACCES},
        {"/proc", writes, try_open_read, "/proc/self/mem", EACCES},
        {"creating outside", writes, try_create, "shut", EACCES},
        {"through the back door", writes, try_open_read, "open/../shut/file", EACCES},
        {"writing where only reading is allowed", writes, try_open_write, "look/file", EACCES},
        {"creating where only reading is allowed", writes, try_create, "look", EACCES},
        {"renaming where only reading is allowed", writes, try_rename, "look", EACCES},
        {"a single file", writes, try_open_read, "single", WORKS},
        {"writing to it", writes, try_open_write, "single", EACCES},
        {"inside", writes, try_open_write, "open/file", WORKS},
    };
    check_rows(rows, LT_COUNT(rows));
}

/* TCP is closed by Landlock as well, where the kernel can: a second belt. */
static int connect_by_landlock(const struct attempt *a)
{
    return try_connect(a);
}

static void test_landlock_network(void **state)
{
    (void)state;
    if (sandbox_landlock_abi() < 4) {
        print_message("this kernel's Landlock knows no TCP\n");
        skip();
    }
    pid_t pid = fork();
    LT_ASSERT(pid >= 0);
    if (pid == 0) {
        struct sandbox_profile profile = {.role = "test", .calls = SANDBOX_BASE};
        LT_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        LT_ASSERT(!lt_failed(sandbox_landlock(&profile, folder, sandbox_landlock_abi())));
        _exit(connect_by_landlock(&world));
    }
    int status = 0;
    LT_ASSERT(waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EACCES);
}

/* One file right after the other, as a kernel with that ABI would have it; 0 or the first surprise. */
static int doors_at(unsigned abi)
{
    struct sandbox_profile profile = {
        .role = "test", .calls = SANDBOX_BASE, .paths = paths, .path_count = LT_COUNT(paths)};
    LT_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (lt_failed(sandbox_landlock(&profile, folder, abi))) {
        (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
        return 100;
    }
    const struct {
        attempt_fn *try;
        const char *path;
        int expected;
    } doors[] = {
        {try_open_read, "look/file", WORKS},
        {try_open_write, "look/file", EACCES},
        {try_open_write, "open/file", WORKS},
        {try_create, "open", WORKS},
        {try_rename, "open", WORKS},
        {try_create, "look", EACCES},
        {try_open_read, "shut/file", EACCES},
        {try_list, "shut", EACCES},
        {try_open_read, "/etc/passwd", EACCES},
        {try_connect, NULL, abi >= 4 ? EACCES : WORKS},
    };
    for (size_t i = 0; i < LT_COUNT(doors); i++) {
        struct attempt a = world;
        a.path = doors[i].path;
        if (doors[i].try(&a) != doors[i].expected) {
            return (int)i + 1;
        }
    }
    return 0;
}

/* Debian 12 has ABI 2, this machine perhaps more: every level up to its own closes what it can. */
static void test_every_abi(void **state)
{
    (void)state;
    for (unsigned abi = 1; abi <= sandbox_landlock_abi(); abi++) {
        (void)fflush(NULL);
        pid_t pid = fork();
        LT_ASSERT(pid >= 0);
        if (pid == 0) {
            _exit(doors_at(abi));
        }
        int status = 0;
        LT_ASSERT(waitpid(pid, &status, 0) == pid);
        if (status != 0) {
            print_error("ABI %u: door %d\n", abi, WEXITSTATUS(status));
        }
        assert_int_equal(status, 0);
    }
}

static int look_at_limits(const struct attempt *a)
{
    (void)a;
    struct rlimit core;
    struct rlimit files;
    struct rlimit memory;
    bool good = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
                getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max == 50 &&
                getrlimit(RLIMIT_AS, &memory) == 0 &&
                (SANDBOX_SANITIZED || memory.rlim_max == (rlim_t)1 << 30);
    return good ? 0 : EINVAL;
}

static void test_limits(void **state)
{
    (void)state;
    struct sandbox_profile profile = {
        .role = "test", .calls = SANDBOX_BASE, .max_fds = 50, .max_memory_bytes = (size_t)1 << 30};
    assert_int_equal(attempt_run(&profile, look_at_limits, &world), WORKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_landlock),
        cmocka_unit_test(test_every_abi),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_landlock_network),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
