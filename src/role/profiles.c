/* The walls of the family in one table. A file that is not listed here does not exist for the program, even
 * when its user could read it; a system call that is not in the groups ends it. Paths are relative to the CA
 * folder; what start has opened before the doors close needs no line here. Nobody has kill or ptrace, the
 * second opinion alone has execve, and the validator alone may fork.
 */
#include "role/profiles.h"

enum { MB = 1024 * 1024 };

/* Public files and its own keys and certificates. */
static const struct sandbox_path gateway_paths[] = {{"public", false}, {"tls", true}};

/* The book, and the root-owned files it mirrors. */
static const struct sandbox_path registrar_paths[] = {
    {"book", true}, {"evidence", true},     {"operators", false},    {"profiles", false},
    {"ca", false},  {"lintel.yaml", false}, {"perspectives", false}, {"policy", false},
};

/* In run/ how the supervisor sees the family; nobody connects to the socket beside it without the call for
 * it. */
static const struct sandbox_path reader_paths[] = {{"book", false}, {"evidence", false}, {"run", false}};

static const struct sandbox_path publisher_paths[] = {{"book", false}, {"public", true}, {"ca", false}};

/* Its own halts, blocked keys and last CRLs; the root-owned files that it judges by. */
static const struct sandbox_path examiner_paths[] = {
    {"examiner", true}, {"operators", false},   {"profiles", false},
    {"ca", false},      {"lintel.yaml", false}, {"perspectives", false},
};

/* What a module needs beside these is said in role/token_module.c. */
static const struct sandbox_path token_paths[] = {{"softhsm", true}};

static const struct sandbox_path validator_paths[] = {
    {"/etc/resolv.conf", false}, {"/etc/hosts", false},     {"/etc/nsswitch.conf", false},
    {"/etc/host.conf", false},   {"/usr/share/dns", false}, {"/etc/gai.conf", false},
};

/* Whom it may ask is read again on SIGHUP; its own key is not. The system's roots are for a relay with smtps.
 */
static const struct sandbox_path courier_paths[] = {
    {"perspectives", false},   {"/etc/resolv.conf", false},
    {"/etc/hosts", false},     {"/etc/nsswitch.conf", false},
    {"/etc/host.conf", false}, {"/etc/gai.conf", false},
    {"/etc/ssl/certs", false}, {"usage", false},
};

/* What any program reads to be loaded; the command itself and its interpreter: role/opinion_walls.c. */
static const struct sandbox_path opinion_paths[] = {
    {"/usr", false},      {"/lib", false},      {"/lib64", false},       {"/etc/ld.so.cache", false},
    {"/dev/null", false}, {"/dev/zero", false}, {"/dev/urandom", false},
};

#define PATHS(table_) .paths = (table_), .path_count = LT_COUNT(table_)

const struct sandbox_profile role_profiles[IPC_ROLE_COUNT] = {
    [IPC_GATEWAY] = {.role = "gateway",
                     .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE |
                              SANDBOX_ACCEPT,
                     PATHS(gateway_paths),
                     .max_fds = 65536,
                     .max_memory_bytes = (size_t)4096 * MB},
    [IPC_NOTARY] = {.role = "notary",
                    .calls = SANDBOX_BASE | SANDBOX_MEMFD,
                    .max_fds = 256,
                    .max_memory_bytes = (size_t)1024 * MB},
    [IPC_REGISTRAR] = {.role = "registrar",
                       .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE,
                       PATHS(registrar_paths),
                       .max_fds = 1024,
                       .max_memory_bytes = (size_t)8192 * MB},
    [IPC_READER] = {.role = "reader",
                    .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ,
                    PATHS(reader_paths),
                    .max_fds = 256,
                    .max_memory_bytes = (size_t)4096 * MB},
    [IPC_PUBLISHER] = {.role = "publisher",
                       .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE,
                       PATHS(publisher_paths),
                       .max_fds = 256,
                       .max_memory_bytes = (size_t)8192 * MB},
    [IPC_EXAMINER] = {.role = "examiner",
                      .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE,
                      PATHS(examiner_paths),
                      .max_fds = 256,
                      .max_memory_bytes = (size_t)4096 * MB},
    /* Keys are read and the journal is open before the doors close: it can open nothing at all. */
    [IPC_SIGNER] = {.role = "signer",
                    .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_SYNC,
                    .max_fds = 256,
                    .max_memory_bytes = (size_t)4096 * MB},
    /* Its keys are drawn in it: it has no file, before or after. */
    [IPC_OCSP_SIGNER] = {.role = "ocsp-signer",
                         .calls = SANDBOX_BASE | SANDBOX_MEMFD,
                         .max_fds = 256,
                         .max_memory_bytes = (size_t)1024 * MB},
    [IPC_TOKEN] = {.role = "token",
                   .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_OPEN_WRITE |
                            SANDBOX_THREADS | SANDBOX_FOREIGN,
                   PATHS(token_paths),
                   .max_fds = 256,
                   .max_memory_bytes = (size_t)2048 * MB},
    [IPC_VALIDATOR] = {.role = "validator",
                       .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_CONNECT |
                                SANDBOX_THREADS | SANDBOX_WORKERS,
                       PATHS(validator_paths),
                       .max_fds = 16384,
                       .max_memory_bytes = (size_t)4096 * MB},
    /* It starts a program that is not ours, which inherits all of this: no network, no folder of the CA. */
    [IPC_OPINION] = {.role = "opinion",
                     .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_THREADS |
                              SANDBOX_FOREIGN | SANDBOX_COMMAND,
                     PATHS(opinion_paths),
                     .max_fds = 256,
                     .max_memory_bytes = (size_t)8192 * MB},
    /* Opening is in its calls, and no path: a library that looks for a character set is told that there is
       none. */
    [IPC_MAILROOM] = {.role = "mailroom",
                      .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ,
                      .max_fds = 256,
                      .max_memory_bytes = (size_t)1024 * MB},
    /* It goes out to those who are configured, with its own key and nothing else of the CA. */
    [IPC_COURIER] = {.role = "courier",
                     .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_OPEN_READ | SANDBOX_CONNECT,
                     PATHS(courier_paths),
                     .max_fds = 1024,
                     .max_memory_bytes = (size_t)1024 * MB},
};
