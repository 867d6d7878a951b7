#include "pg_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_MOST = 160, WAITS = 200, WAIT_NS = 50000000 };

static char folder[64];
static char programs[PATH_MOST];
static char data[PATH_MOST];
static pid_t server;
static unsigned databases;

/* Debian keeps the programs of a server by its version. */
static bool find_programs(void)
{
    static const char *const versions[] = {"18", "17", "16", "15", "14"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char path[PATH_MOST + 16];
        (void)snprintf(programs, sizeof programs, "/usr/lib/postgresql/%s/bin", versions[i]);
        (void)snprintf(path, sizeof path, "%s/postgres", programs);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

static const struct passwd *server_user(void)
{
    return geteuid() == 0 ? getpwnam("postgres") : NULL;
}

/* A server refuses to run as root. */
static pid_t start(const char *program, const char *const argv[])
{
    char path[PATH_MOST + 32];
    (void)snprintf(path, sizeof path, "%s/%s", programs, program);
    const struct passwd *user = server_user();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (user != NULL && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
            _exit(126);
        }
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)execv(path, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return child;
}

static int run(const char *program, const char *const argv[])
{
    int status = -1;
    pid_t child = start(program, argv);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool answers(void)
{
    const char *const argv[] = {"pg_isready", "-q", "-h", folder, "-p", "5432", NULL};
    for (int i = 0; i < WAITS; i++) {
        if (run("pg_isready", argv) == 0) {
            return true;
        }
        const struct timespec wait = {0, WAIT_NS};
        (void)nanosleep(&wait, NULL);
    }
    return false;
}

bool pg_rig_start(void)
{
    const struct passwd *user = server_user();
    if (!find_programs() || (geteuid() == 0 && user == NULL)) {
        return false;
    }
    (void)snprintf(folder, sizeof folder, "/tmp/lintel-pg-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    if (user != NULL && chown(folder, user->pw_uid, user->pw_gid) != 0) {
        return false;
    }
    (void)snprintf(data, sizeof data, "%s/data", folder);
    const char *const make[] = {"initdb",           "-A", "trust", "-U", "book", "-E", "UTF8",
                                "--locale=C.UTF-8", "-D", data,    NULL};
    if (run("initdb", make) != 0) {
        return false;
    }
    const char *const serve[] = {
        "postgres",           "-D", data, "-k", folder, "-h", "127.0.0.1", "-c", "listen_addresses=", "-c",
        "max_connections=40", NULL};
    server = start("postgres", serve);
    return server > 0 && answers();
}

static void remove_tree(const char *path)
{
    const char *const argv[] = {"rm", "-rf", "--", path, NULL};
    pid_t child = fork();
    if (child == 0) {
        (void)execv("/bin/rm", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)waitpid(child, NULL, 0);
}

void pg_rig_stop(void)
{
    if (server > 0) {
        (void)kill(server, SIGINT);
        (void)waitpid(server, NULL, 0);
        server = 0;
    }
    if (folder[0] != '\0') {
        remove_tree(folder);
    }
}

const char *pg_rig_folder(void)
{
    return folder;
}

int pg_rig_sql(const char *sql)
{
    char database[32];
    (void)snprintf(database, sizeof database, databases == 0 ? "postgres" : "book%u", databases);
    const char *const argv[] = {"psql",   "-q",   "-X", "-v",   "ON_ERROR_STOP=1",
                                "-h",     folder, "-U", "book", "-d",
                                database, "-c",   sql,  NULL};
    return run("psql", argv);
}

const char *pg_rig_database(void)
{
    static char url[192];
    char sql[64];
    unsigned next = databases + 1;
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE book%u", next);
    if (pg_rig_sql(sql) != 0) {
        return NULL;
    }
    databases = next;
    (void)snprintf(url, sizeof url, "postgresql:///book%u?host=%s&user=book", next, folder);
    return url;
}
