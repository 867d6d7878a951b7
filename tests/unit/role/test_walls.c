/* The walls of the family, tried from inside: every row enters the very profile that the program enters
 * (role/profiles.c) in a made-up CA folder, and does one thing. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#include "attempt.h"
#include "role/profiles.h"

static struct attempt world;
static char folder[] = "/tmp/lintel-walls-XXXXXX";

static const char *const folders[] = {"keys",       "book", "journal", "examiner",     "public",
                                      "public/crl", "tls",  "secrets", "operators",    "profiles",
                                      "ca",         "run",  "courier", "perspectives", "evidence"};
static const char *const files[] = {"keys/tls.key",         "book/lintel.db",     "journal/log",
                                    "examiner/halts",       "public/crl/tls.crl", "tls/0.key",
                                    "secrets/passphrase",   "operators/a.json",   "profiles/tls-server.yaml",
                                    "ca/tls.pem",           "lintel.yaml",        "courier/key.pem",
                                    "perspectives/eu.json", "evidence/000001.seg"};

static int set_up(void **state)
{
    (void)state;
    LT_ASSERT(mkdtemp(folder) != NULL && chdir(folder) == 0);
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        LT_ASSERT(mkdir(folders[i], 0755) == 0);
    }
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        int fd = open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        LT_ASSERT(fd >= 0 && close(fd) == 0);
    }
    int pair[2];
    LT_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    LT_ASSERT(bind(listener, (const struct sockaddr *)&any, sizeof any) == 0 && listen(listener, 8) == 0);
    world = (struct attempt){.folder = folder,
                             .socket_fd = pair[0],
                             .listen_fd = listener,
                             .file_fd = open("journal/log", O_RDWR | O_CLOEXEC)};
    LT_ASSERT(world.file_fd >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlink(files[i]); /* below */
    }
    (void)unlink("evidence/made"); /* by the registrar, which may */
    for (size_t i = LT_COUNT(folders); i > 0; i--) {
        (void)rmdir(folders[i - 1]); /* the last line fails if anything is left */
    }
    return rmdir(folder);
}

static int run(enum ipc_role role, attempt_fn *try, const char *path)
{
    struct attempt a = world;
    a.path = path;
    return attempt_run(&role_profiles[role], try, &a);
}

/* No way in: shut out by Landlock or by seccomp. */
static bool shut(int outcome)
{
    return outcome == DIES || outcome == EACCES || outcome == EAFNOSUPPORT;
}

struct wall {
    enum ipc_role role;
    const char *what;
    attempt_fn *try;
    const char *path;
    int expected; /* SHUT, or exactly this */
};

enum { SHUT = 1000 };

static const struct wall walls[] = {
    {IPC_GATEWAY, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_GATEWAY, "lists the keys", try_list, "keys", SHUT},
    {IPC_GATEWAY, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_GATEWAY, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_GATEWAY, "reads the journal", try_open_read, "journal/log", SHUT},
    {IPC_GATEWAY, "forges a halt", try_open_write, "examiner/halts", SHUT},
    {IPC_GATEWAY, "makes an operator", try_create, "operators", SHUT},
    {IPC_GATEWAY, "changes a profile", try_open_write, "profiles/tls-server.yaml", SHUT},
    {IPC_GATEWAY, "changes a CRL", try_open_write, "public/crl/tls.crl", SHUT},
    {IPC_GATEWAY, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_GATEWAY, "connects out", try_connect, NULL, DIES},
    {IPC_GATEWAY, "reads a CRL", try_open_read, "public/crl/tls.crl", WORKS},
    {IPC_GATEWAY, "accepts", try_accept, NULL, WORKS},
    {IPC_GATEWAY, "reads its own key", try_open_read, "tls/0.key", WORKS},

    {IPC_NOTARY, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_NOTARY, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_NOTARY, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_NOTARY, "opens any file", try_open_read, "/etc/passwd", SHUT},
    {IPC_NOTARY, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_NOTARY, "makes a UNIX socket", try_socket_unix, NULL, DIES},
    {IPC_NOTARY, "accepts", try_accept, NULL, DIES},

    {IPC_MAILROOM, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_MAILROOM, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_MAILROOM, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_MAILROOM, "opens any file", try_open_read, "/etc/passwd", SHUT},
    {IPC_MAILROOM, "lists the folder", try_list, "keys", SHUT},
    {IPC_MAILROOM, "writes the book", try_open_write, "book/lintel.db", SHUT},
    {IPC_MAILROOM, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_MAILROOM, "makes a UNIX socket", try_socket_unix, NULL, DIES},
    {IPC_MAILROOM, "connects out", try_connect, NULL, DIES},

    {IPC_REGISTRAR, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_REGISTRAR, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_REGISTRAR, "reads the journal", try_open_read, "journal/log", SHUT},
    {IPC_REGISTRAR, "lifts a halt at the examiner", try_open_write, "examiner/halts", SHUT},
    {IPC_REGISTRAR, "makes an operator", try_create, "operators", SHUT},
    {IPC_REGISTRAR, "changes a profile", try_open_write, "profiles/tls-server.yaml", SHUT},
    {IPC_REGISTRAR, "makes a perspective", try_create, "perspectives", SHUT},
    {IPC_REGISTRAR, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_REGISTRAR, "looks for another way to the signer", try_socket_unix, NULL, DIES},
    {IPC_REGISTRAR, "writes the book", try_open_write, "book/lintel.db", WORKS},
    {IPC_REGISTRAR, "syncs it", try_sync, NULL, WORKS},
    {IPC_REGISTRAR, "goes on with a segment", try_open_write, "evidence/000001.seg", WORKS},
    {IPC_REGISTRAR, "begins a segment", try_create, "evidence", WORKS},

    {IPC_READER, "writes the book", try_open_write, "book/lintel.db", SHUT},
    {IPC_READER, "makes a file beside it", try_create, "book", SHUT},
    {IPC_READER, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_READER, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_READER, "changes evidence", try_open_write, "evidence/000001.seg", SHUT},
    {IPC_READER, "makes evidence", try_create, "evidence", SHUT},
    {IPC_READER, "reads evidence", try_open_read, "evidence/000001.seg", WORKS},
    {IPC_READER, "reads the book", try_open_read, "book/lintel.db", WORKS},

    {IPC_PUBLISHER, "writes the book", try_open_write, "book/lintel.db", SHUT},
    {IPC_PUBLISHER, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_PUBLISHER, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_PUBLISHER, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_PUBLISHER, "publishes", try_rename, "public/crl", WORKS},

    {IPC_EXAMINER, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_EXAMINER, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_EXAMINER, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_EXAMINER, "makes an operator", try_create, "operators", SHUT},
    {IPC_EXAMINER, "changes a profile", try_open_write, "profiles/tls-server.yaml", SHUT},
    {IPC_EXAMINER, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_EXAMINER, "makes a perspective", try_create, "perspectives", SHUT},
    {IPC_EXAMINER, "keeps a halt", try_rename, "examiner", WORKS},
    {IPC_EXAMINER, "reads a perspective", try_open_read, "perspectives/eu.json", WORKS},

    {IPC_SIGNER, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_SIGNER, "makes a UNIX socket", try_socket_unix, NULL, DIES},
    {IPC_SIGNER, "accepts", try_accept, NULL, DIES},
    {IPC_SIGNER, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_SIGNER, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_SIGNER, "opens a key once more", try_open_read, "keys/tls.key", SHUT},
    {IPC_SIGNER, "writes elsewhere", try_create, "public", SHUT},
    {IPC_SIGNER, "syncs its journal", try_sync, NULL, WORKS},

    {IPC_OCSP_SIGNER, "makes a socket", try_socket_inet, NULL, DIES},
    {IPC_OCSP_SIGNER, "makes a UNIX socket", try_socket_unix, NULL, DIES},
    {IPC_OCSP_SIGNER, "accepts", try_accept, NULL, DIES},
    {IPC_OCSP_SIGNER, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_OCSP_SIGNER, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_OCSP_SIGNER, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_OCSP_SIGNER, "writes an answer by itself", try_create, "public", SHUT},
    {IPC_OCSP_SIGNER, "writes to the journal", try_sync, NULL, DIES},

    {IPC_TOKEN, "makes a socket", try_socket_inet, NULL, SHUT},
    {IPC_TOKEN, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_TOKEN, "opens a CA key", try_open_read, "keys/tls.key", SHUT},

    {IPC_VALIDATOR, "opens evidence", try_open_read, "evidence/000001.seg", SHUT},
    {IPC_VALIDATOR, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_VALIDATOR, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_VALIDATOR, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_VALIDATOR, "speaks to the operator's socket", try_socket_unix, NULL, SHUT},
    {IPC_VALIDATOR, "connects out", try_connect, NULL, WORKS},

    {IPC_COURIER, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_COURIER, "forges evidence", try_open_write, "evidence/000001.seg", SHUT},
    {IPC_COURIER, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_COURIER, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_COURIER, "opens its own key once more", try_open_read, "courier/key.pem", SHUT},
    {IPC_COURIER, "makes a perspective", try_create, "perspectives", SHUT},
    {IPC_COURIER, "changes a perspective", try_open_write, "perspectives/eu.json", SHUT},
    {IPC_COURIER, "forges a halt", try_open_write, "examiner/halts", SHUT},
    {IPC_COURIER, "writes anywhere", try_create, "public", SHUT},
    {IPC_COURIER, "reads a profile", try_open_read, "profiles/tls-server.yaml", SHUT},
    {IPC_COURIER, "accepts", try_accept, NULL, DIES},
    {IPC_COURIER, "speaks to the operator's socket", try_socket_unix, NULL, SHUT},
    {IPC_COURIER, "reads a perspective", try_open_read, "perspectives/eu.json", WORKS},
    {IPC_COURIER, "connects out", try_connect, NULL, WORKS},

    {IPC_OPINION, "opens the book", try_open_read, "book/lintel.db", SHUT},
    {IPC_OPINION, "opens a CA key", try_open_read, "keys/tls.key", SHUT},
    {IPC_OPINION, "reads the passphrase", try_open_read, "secrets/passphrase", SHUT},
    {IPC_OPINION, "reads a profile", try_open_read, "profiles/tls-server.yaml", SHUT},
    {IPC_OPINION, "writes anywhere", try_create, "public", SHUT},
    {IPC_OPINION, "makes a socket", try_socket_inet, NULL, SHUT},
    {IPC_OPINION, "speaks to the operator's socket", try_socket_unix, NULL, SHUT},
};

static void test_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(walls); i++) {
        const struct wall *w = &walls[i];
        int got = run(w->role, w->try, w->path);
        bool good = w->expected == SHUT ? shut(got) : got == w->expected;
        if (!good) {
            print_error("%s %s: got %d\n", ipc_role_name(w->role), w->what, got);
        }
        assert_true(good);
    }
}

/* The validator makes workers. In the second opinion runs a program that is not ours, and may well try
 * things: they fail, and do not end it. Its loader makes memory executable. */
static bool refused(enum ipc_role role, attempt_fn *try, int outcome)
{
    bool foreign = role == IPC_OPINION;
    if (role == IPC_VALIDATOR && try == try_fork) {
        return outcome == WORKS; /* its workers, behind the same walls */
    }
    return outcome == DIES || (foreign && (outcome == ENOSYS || outcome == EACCES || outcome == EPERM)) ||
           (foreign && try == try_make_executable);
}

/* What nobody may, tried by everybody. */
static void test_nobody(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        attempt_fn *try;
    } never[] = {
        {"signals the supervisor", try_kill_parent},
        {"aborts another", try_tgkill_parent},
        {"signals by a descriptor", try_sigio},
        {"takes a pidfd", try_pidfd},
        {"traces", try_ptrace},
        {"reads another's memory", try_process_vm},
        {"starts a program", try_exec},
        {"forks", try_fork},
        {"makes memory executable", try_make_executable},
        {"becomes root", try_setuid},
        {"becomes dumpable", try_dumpable},
        {"leaves its namespace", try_unshare},
    };
    for (unsigned role = IPC_GATEWAY; role < IPC_ROLE_COUNT; role++) {
        for (size_t i = 0; i < LT_COUNT(never); i++) {
            int got = run((enum ipc_role)role, never[i].try, NULL);
            bool good = refused((enum ipc_role)role, never[i].try, got);
            if (!good) {
                print_error("%s %s: got %d\n", ipc_role_name((enum ipc_role)role), never[i].what, got);
            }
            assert_true(good);
        }
    }
}

static void test_everybody(void **state)
{
    (void)state;
    for (unsigned role = IPC_GATEWAY; role < IPC_ROLE_COUNT; role++) {
        assert_string_equal(role_profiles[role].role, ipc_role_name((enum ipc_role)role));
        assert_true(role_profiles[role].max_fds >= 64);
        assert_int_equal(run((enum ipc_role)role, try_memory, NULL), WORKS);
        assert_int_equal(run((enum ipc_role)role, try_memfd, NULL), WORKS);
        assert_int_equal(run((enum ipc_role)role, try_send, NULL), WORKS);
        assert_int_equal(run((enum ipc_role)role, try_time_and_random, NULL), WORKS);
        assert_int_equal(run((enum ipc_role)role, try_abort, NULL), SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_everybody),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
