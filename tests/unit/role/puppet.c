#include "puppet.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ca/config.h"
#include "ipc/codec.h"

enum { WAIT_MS = 10000, ARENA_MAX = 16 * 1024 * 1024, CONTROL_FD = 3, MAX_ISSUERS = 16 };

const char *puppet_libexec = "";
struct puppet_listener puppet_listeners[PUPPET_LISTENERS];
size_t puppet_listener_count;
char puppet_folder[] = "/tmp/lintel-puppet-XXXXXX";
static char ca_folder[64];

void puppet_make_folder(const char *lintel)
{
    assert_non_null(mkdtemp(puppet_folder));
    (void)snprintf(ca_folder, sizeof ca_folder, "%s/ca", puppet_folder);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDOUT_FILENO);
        (void)execl(lintel, "lintel", "init", ca_folder, "--public-http-url", PUPPET_BASE, "--https-port",
                    "15801", "--http-port", "15802", "--operator-port", "15803", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void puppet_remove_folder(void)
{
    assert_int_equal(nftw(puppet_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void run(const struct puppet *p, int control)
{
    char path[4096];
    char name[64];
    char zero[] = "0";
    (void)snprintf(path, sizeof path, "%s/lintel-%s", puppet_libexec, ipc_role_name(p->role));
    (void)snprintf(name, sizeof name, "lintel-%s", ipc_role_name(p->role));
    char *arguments[] = {name, zero, NULL};
    if (dup2(control, CONTROL_FD) == CONTROL_FD) {
        (void)execv(path, arguments);
    }
    (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    _exit(127);
}

static void fill_issuers(Ipc__Start *m, const struct ca_config *config, Ipc__IssuerKey *keys,
                         Ipc__IssuerKey **list)
{
    for (size_t i = 0; i < config->issuer_count && i < MAX_ISSUERS; i++) {
        ipc__issuer_key__init(&keys[i]);
        keys[i].issuer = (char *)(uintptr_t)config->issuers[i].name;
        keys[i].key_file = (char *)(uintptr_t)config->issuers[i].key;
        keys[i].certificate_file = (char *)(uintptr_t)config->issuers[i].certificate;
        keys[i].may_sign_certificates = strcmp(config->issuers[i].name, "root") != 0;
        list[m->n_issuers++] = &keys[i];
    }
    m->issuers = list;
}

static void fill_listeners(Ipc__Start *m, Ipc__Listener *listeners, Ipc__Listener **list, int *fds)
{
    for (size_t i = 0; i < puppet_listener_count; i++) {
        ipc__listener__init(&listeners[i]);
        listeners[i].kind = (char *)(uintptr_t)puppet_listeners[i].kind;
        listeners[i].address = (char *)(uintptr_t)puppet_listeners[i].address;
        fds[i] = puppet_listeners[i].fd;
        list[m->n_listeners++] = &listeners[i];
    }
    m->listeners = list;
}

static void send_start(struct puppet *p)
{
    struct lt_arena a;
    struct ca_config *config = NULL;
    lt_slice yaml;
    lt_slice passphrase;
    char path[128];
    char journal[128];
    Ipc__IssuerKey keys[MAX_ISSUERS];
    Ipc__IssuerKey *list[MAX_ISSUERS];
    static uint8_t epoch[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static char build[] = "test";
    static char host[] = "host";
    lt_arena_init(&a, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/lintel.yaml", ca_folder);
    assert_ok(lt_file_read(&a, AT_FDCWD, path, 1 << 18, &yaml));
    assert_ok(ca_config_parse(yaml, &config));
    (void)snprintf(path, sizeof path, "%s/secrets/passphrase", ca_folder);
    assert_ok(lt_file_read(&a, AT_FDCWD, path, 1024, &passphrase));
    (void)snprintf(journal, sizeof journal, "%s/journal", ca_folder);
    Ipc__Start m = IPC__START__INIT;
    m.folder = ca_folder;
    m.config_yaml = lt_arena_cstr(&a, yaml);
    m.gateways = m.notaries = 1;
    m.boot_epoch = (ProtobufCBinaryData){sizeof epoch, epoch};
    m.base_url = (char *)(uintptr_t)config->base_url;
    m.console_name = (char *)(uintptr_t)config->console_name;
    m.public_http_url = (char *)(uintptr_t)config->public_http_url;
    m.build = build;
    m.host_id = host;
    m.log_level = LT_LOG_ERROR + 1; /* what it refuses is what the tests are for */
    if (p->role == IPC_SIGNER) {
        fill_issuers(&m, config, keys, list);
        size_t len = passphrase.len - (passphrase.ptr[passphrase.len - 1] == '\n');
        m.passphrase = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)passphrase.ptr};
        m.journal_folder = journal;
    }
    int fds[1 + PUPPET_LISTENERS];
    Ipc__Listener listeners[PUPPET_LISTENERS];
    Ipc__Listener *listener_list[PUPPET_LISTENERS];
    fill_listeners(&m, listeners, listener_list, fds + 1);
    fds[0] = memfd_create("board", MFD_CLOEXEC);
    assert_true(fds[0] >= 0 && ftruncate(fds[0], sizeof(struct lt_metrics)) == 0);
    assert_ok(ipc_link_send(p->control, IPC_START, 0, &m.base, fds, 1 + m.n_listeners));
    (void)close(fds[0]);
    ca_config_free(config);
    lt_arena_done(&a);
}

void puppet_start(struct puppet *p, enum ipc_role role)
{
    int pair[2];
    *p = (struct puppet){.role = role};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    (void)fflush(NULL);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        run(p, pair[1]);
    }
    (void)close(pair[1]);
    assert_ok(ipc_link_new(pair[0], IPC_SUPERVISOR, role, 0, &p->control));
    lt_arena_init(&p->arena, ARENA_MAX);
    send_start(p);
    const Ipc__Ready *ready = (const Ipc__Ready *)puppet_expect(p, p->control, IPC_READY);
    assert_true(ready->seccomp);
}

bool puppet_alive(const struct puppet *p)
{
    return waitpid(p->pid, NULL, WNOHANG) == 0;
}

static void forget(struct puppet *p)
{
    ipc_link_free(p->control);
    lt_arena_done(&p->arena);
    *p = (struct puppet){0};
}

void puppet_drain(struct puppet *p)
{
    Ipc__Drain m = IPC__DRAIN__INIT;
    int status = -1;
    assert_ok(ipc_link_send(p->control, IPC_DRAIN, 0, &m.base, NULL, 0));
    (void)puppet_expect(p, p->control, IPC_DRAINED);
    struct pollfd gone = {.fd = ipc_link_fd(p->control)}; /* waitpid would wait for ever */
    if (poll(&gone, 1, WAIT_MS) != 1) {
        (void)kill(p->pid, SIGKILL);
        fail_msg("%s goes on", ipc_role_name(p->role));
    }
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    assert_int_equal(status, 0);
    forget(p);
}

void puppet_kill(struct puppet *p)
{
    assert_int_equal(kill(p->pid, SIGKILL), 0);
    assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
    forget(p);
}

int puppet_raw(struct puppet *p, enum ipc_role peer, uint32_t instance)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    Ipc__Link m = IPC__LINK__INIT;
    m.role = (uint32_t)peer;
    m.instance = instance;
    assert_ok(ipc_link_send(p->control, IPC_LINK, 0, &m.base, &pair[1], 1));
    (void)close(pair[1]);
    return pair[0];
}

struct ipc_link *puppet_link(struct puppet *p, enum ipc_role peer, uint32_t instance)
{
    struct ipc_link *link = NULL;
    assert_ok(ipc_link_new(puppet_raw(p, peer, instance), peer, p->role, 0, &link));
    return link;
}

void puppet_say(int raw, enum ipc_type type, const ProtobufCMessage *body)
{
    uint8_t bytes[IPC_HEADER_BYTES + 4096];
    size_t len = body == NULL ? 0 : protobuf_c_message_get_packed_size(body);
    assert_true(len <= sizeof bytes - IPC_HEADER_BYTES);
    struct ipc_header h = {
        .type = (uint16_t)type, .version = IPC_WIRE_VERSION, .body_len = (uint32_t)len, .id = 1};
    ipc_header_write(&h, bytes);
    if (body != NULL) {
        (void)protobuf_c_message_pack(body, bytes + IPC_HEADER_BYTES);
    }
    assert_int_equal(send(raw, bytes, IPC_HEADER_BYTES + len, MSG_NOSIGNAL), IPC_HEADER_BYTES + len);
}

bool puppet_heard(struct puppet *p, struct ipc_link *link, enum ipc_type type)
{
    struct ipc_msg m;
    lt_arena_reset(&p->arena);
    while (!lt_failed(ipc_link_recv(link, &p->arena, &m))) {
        bool right = m.type == type;
        ipc_msg_done(&m);
        if (right) {
            return true;
        }
    }
    return false;
}

const ProtobufCMessage *puppet_expect(struct puppet *p, struct ipc_link *link, enum ipc_type type)
{
    for (;;) {
        struct ipc_msg m;
        lt_arena_reset(&p->arena);
        lt_res r = ipc_link_recv(link, &p->arena, &m);
        if (r.code == LT_RETRY_AGAIN) {
            struct pollfd f = {.fd = ipc_link_fd(link), .events = POLLIN};
            int n = poll(&f, 1, WAIT_MS);
            if (n != 1) {
                print_error("%s did not say %s\n", ipc_role_name(p->role), ipc_type_info(type)->name);
            }
            assert_int_equal(n, 1);
            continue;
        }
        assert_ok(r);
        ipc_msg_done(&m);
        if (m.type == type) {
            return m.body;
        }
    }
}

void puppet_expect_complaint(struct puppet *p, enum ipc_role peer, int raw)
{
    const Ipc__Misbehaved *m = (const Ipc__Misbehaved *)puppet_expect(p, p->control, IPC_MISBEHAVED);
    assert_int_equal(m->role, peer);
    assert_true(m->detail[0] != 0);
    /* Whatever it had to say, the end comes. */
    uint8_t byte;
    struct pollfd f = {.fd = raw, .events = POLLIN};
    while (poll(&f, 1, WAIT_MS) == 1 && recv(raw, &byte, 1, 0) > 0) {
    }
    assert_true((f.revents & POLLHUP) != 0);
    (void)close(raw);
    assert_true(puppet_alive(p));
}
