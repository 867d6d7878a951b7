/* The conversation with each process: Start and links out, Ready, Drained and complaints in. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/version.h"
#include "control.pb-c.h"
#include "role/supervisor.h"

enum { ARENA_MAX = 64 * 1024, MAX_ISSUERS = 64 };

static uint32_t index_of(const struct supervisor *s, const struct process *p)
{
    return (uint32_t)(p - s->processes);
}

static void watch(struct supervisor *s, const struct process *p, int operation)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = index_of(s, p)};
    e.events |= ipc_link_wants_write(p->control) ? (uint32_t)EPOLLOUT : 0;
    int rc = epoll_ctl(s->epoll_fd, operation, ipc_link_fd(p->control), &e);
    LT_ASSERT(rc == 0);
}

lt_res control_send(struct supervisor *s, struct process *p, enum ipc_type type, const ProtobufCMessage *body,
                    const int *fds, size_t fd_count)
{
    LT_TRY(ipc_link_send(p->control, type, 0, body, fds, fd_count));
    if (ipc_link_wants_write(p->control)) {
        watch(s, p, EPOLL_CTL_MOD);
    }
    return LT_OK;
}

void control_flush(struct supervisor *s, struct process *p)
{
    if (p->control == NULL || !ipc_link_wants_write(p->control)) {
        return;
    }
    if (!lt_failed(ipc_link_flush(p->control))) {
        watch(s, p, EPOLL_CTL_MOD);
    } /* else: it is gone, which reading says next */
}

/* The rows of Start that only key roles get. Storage is the caller's. */
static size_t add_issuers(const struct supervisor *s, enum ipc_role role, Ipc__IssuerKey *keys,
                          Ipc__IssuerKey **list)
{
    size_t count = 0;
    for (size_t i = 0; i < s->config->issuer_count && count < MAX_ISSUERS; i++) {
        const struct ca_config_issuer *issuer = &s->config->issuers[i];
        if (issuer->offline || (role == IPC_OCSP_SIGNER && !issuer->ocsp)) {
            continue;
        }
        Ipc__IssuerKey *k = &keys[count];
        ipc__issuer_key__init(k);
        /* protobuf-c has no const strings; they are only read. */
        k->issuer = (char *)(uintptr_t)issuer->name;
        list[count++] = k;
        if (role == IPC_OCSP_SIGNER) {
            continue; /* it has no business with the CA's keys, not even their names */
        }
        k->key_file = (char *)(uintptr_t)issuer->key;
        k->pkcs11_uri = (char *)(uintptr_t)issuer->pkcs11_uri;
        k->certificate_file = (char *)(uintptr_t)issuer->certificate;
        k->may_sign_certificates = strcmp(issuer->name, "root") != 0; /* its certificates are a ceremony */
    }
    return count;
}

/* Listeners, then every board to read. */
static size_t add_listeners(struct supervisor *s, Ipc__Listener *rows, Ipc__Listener **list, int *fds)
{
    size_t count = 0;
    for (size_t i = 0; i < s->listener_count; i++, count++) {
        ipc__listener__init(&rows[count]);
        rows[count].kind = (char *)(uintptr_t)s->listeners[i].kind; /* only read */
        rows[count].address = s->listeners[i].address;
        fds[count] = s->listeners[i].fd;
        list[count] = &rows[count];
    }
    for (size_t i = 0; i < s->process_count; i++, count++) {
        static char kind[] = "metrics";
        ipc__listener__init(&rows[count]);
        rows[count].kind = kind;
        rows[count].address = s->processes[i].name;
        fds[count] = s->processes[i].board_reader_fd;
        list[count] = &rows[count];
    }
    return count;
}

static void absolute(const struct supervisor *s, const char *path, char *ret_path, size_t size)
{
    if (path[0] == 0 || path[0] == '/') {
        (void)snprintf(ret_path, size, "%s", path);
    } else {
        (void)snprintf(ret_path, size, "%s/%s", s->folder, path);
    }
}

/* Only what the folder's mark allows, and only where it is wanted. */
static void fill_testing(const struct supervisor *s, Ipc__Start *m, Ipc__Testing *testing)
{
    m->test_ca = s->test_ca;
    if (s->test_ca && s->testing.wanted) {
        testing->nonce_reject = s->testing.nonce_reject;
        testing->authz_reuse = s->testing.authz_reuse;
        testing->always_valid = s->testing.always_valid;
        testing->sleep_s = s->testing.sleep_s;
        m->testing = testing;
    }
}

static void fill_start(struct supervisor *s, const struct process *p, Ipc__Start *m)
{
    m->folder = s->folder;
    m->config_yaml = (char *)(uintptr_t)s->yaml; /* only read, here and below */
    m->instance = p->instance;
    m->gateways = s->config->gateways;
    m->notaries = s->config->notaries;
    m->boot_epoch = (ProtobufCBinaryData){sizeof s->boot_epoch, s->boot_epoch};
    m->log_json = s->log_json;
    m->log_level = s->config->log_level;
    m->build = (char *)(uintptr_t)lt_version; /* only read */
    m->base_url = (char *)(uintptr_t)s->config->base_url;
    m->console_name = (char *)(uintptr_t)s->config->console_name;
    ca_config_console_cookie(s->config, s->console_cookie);
    m->console_cookie = s->console_cookie;
    m->public_http_url = (char *)(uintptr_t)s->config->public_http_url;
    m->host_id = s->host_id;
    m->sandbox_off = s->sandbox_off;
}

/* What only the holders of keys are told; secret stays the caller's to wipe. */
static lt_res fill_keys(const struct supervisor *s, const struct process *p, Ipc__Start *m,
                        struct lt_secret *secret)
{
    if (p->role == IPC_SIGNER) {
        LT_TRY(folder_passphrase(s, secret));
        m->passphrase = (ProtobufCBinaryData){secret->len, secret->ptr};
    } else if (p->role == IPC_TOKEN) {
        LT_TRY(folder_pin(s, secret));
        m->token_pin = (ProtobufCBinaryData){secret->len, secret->ptr};
        m->token_module = (char *)(uintptr_t)s->config->token_module; /* only read */
    } else if (p->role == IPC_REGISTRAR) {
        LT_TRY(folder_seal_key(secret));
        m->seal_key = (ProtobufCBinaryData){secret->len, secret->ptr};
    }
    return LT_OK;
}

lt_res control_start(struct supervisor *s, struct process *p)
{
    Ipc__Start m = IPC__START__INIT;
    Ipc__Testing testing = IPC__TESTING__INIT;
    Ipc__IssuerKey keys[MAX_ISSUERS];
    Ipc__IssuerKey *key_list[MAX_ISSUERS];
    Ipc__Listener listeners[IPC_MAX_FDS];
    Ipc__Listener *listener_list[IPC_MAX_FDS];
    int fds[IPC_MAX_FDS] = {p->board_fd};
    char journal[1100];
    char mirror[1100];
    char store[1100];
    LT_CLEANUP(lt_secret_done) struct lt_secret secret = {0};
    _Static_assert(2 + MAX_LISTENERS + MAX_PROCESSES <= IPC_MAX_FDS, "Start carries them all");
    watch(s, p, EPOLL_CTL_ADD);
    fill_start(s, p, &m);
    fill_testing(s, &m, &testing);
    LT_TRY(fill_keys(s, p, &m, &secret));
    if (p->role == IPC_SIGNER || p->role == IPC_TOKEN || p->role == IPC_OCSP_SIGNER) {
        m.issuers = key_list;
        m.n_issuers = add_issuers(s, p->role, keys, key_list);
    }
    if (p->role == IPC_SIGNER) {
        absolute(s, "journal", journal, sizeof journal);
        absolute(s, s->config->journal_mirror, mirror, sizeof mirror);
        m.journal_folder = journal;
        m.journal_mirror = mirror;
    }
    if (p->role == IPC_REGISTRAR || p->role == IPC_READER || p->role == IPC_PUBLISHER) {
        bool server = s->config->store[0] != 0;
        (void)snprintf(store, sizeof store, "%s%s", server ? s->config->store : s->folder,
                       server ? "" : "/book/lintel.db");
        m.store = store;
    }
    if (p->role == IPC_GATEWAY) {
        m.listeners = listener_list;
        m.n_listeners = add_listeners(s, listeners, listener_list, fds + 1);
    }
    size_t fd_count = 1 + m.n_listeners;
    m.scratch = s->clock_fd >= 0;
    if (m.scratch) {
        fds[fd_count++] = s->clock_fd;
    }
    return control_send(s, p, IPC_START, &m.base, fds, fd_count);
}

lt_res control_link(struct supervisor *s, struct process *a, struct process *b)
{
    int pair[2];
    LT_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, LT_STATE_IO,
             "socketpair: %s", strerror(errno));
    LT_CLEANUP(lt_fd_closep) int to_a = pair[0];
    LT_CLEANUP(lt_fd_closep) int to_b = pair[1];
    Ipc__Link m = IPC__LINK__INIT;
    m.role = (uint32_t)b->role;
    m.instance = b->instance;
    LT_TRY(control_send(s, a, IPC_LINK, &m.base, &to_a, 1));
    m.role = (uint32_t)a->role;
    m.instance = a->instance;
    lt_res r = control_send(s, b, IPC_LINK, &m.base, &to_b, 1);
    /* The other one dying is its own story: it gets its links when it is back. */
    return r.code == LT_STATE_CLOSED ? LT_OK : r;
}

/* To the registrar, if it is there; false if it has to wait. */
static bool tell_registrar(struct supervisor *s, enum ipc_type type, const ProtobufCMessage *body)
{
    struct process *registrar = family_find(s, IPC_REGISTRAR, 0);
    if (registrar == NULL || registrar->control == NULL || registrar->state != PROCESS_READY) {
        return false;
    }
    return !lt_failed(control_send(s, registrar, type, body, NULL, 0));
}

static bool send_event(struct supervisor *s, struct waiting_event *e)
{
    static char names[IPC_ROLE_COUNT][16];
    char *name = names[e->role];
    (void)snprintf(name, sizeof names[0], "%s", ipc_role_name(e->role));
    Ipc__FamilyEvent m = IPC__FAMILY_EVENT__INIT;
    m.role = name;
    m.instance = e->instance;
    m.what = (char *)(uintptr_t)e->what; /* only read */
    m.detail = e->detail;
    return tell_registrar(s, IPC_FAMILY_EVENT, &m.base);
}

void control_event(struct supervisor *s, const struct process *p, const char *what, const char *detail)
{
    struct waiting_event e = {
        .role = p == NULL ? IPC_SUPERVISOR : p->role, .instance = p == NULL ? 0 : p->instance, .what = what};
    (void)snprintf(e.detail, sizeof e.detail, "%s", detail); /* a longer one is cut */
    if (s->event_count > 0 || !send_event(s, &e)) {
        if (s->event_count == MAX_EVENTS_WAITING) {
            memmove(s->events, s->events + 1, sizeof s->events - sizeof s->events[0]);
            s->event_count--; /* the oldest goes; the log has it */
        }
        s->events[s->event_count++] = e;
    }
}

static bool send_hold(struct supervisor *s)
{
    Ipc__Hold m = IPC__HOLD__INIT;
    m.held = s->held;
    m.reason = s->hold_reason;
    return tell_registrar(s, IPC_HOLD, &m.base);
}

void control_hold(struct supervisor *s, bool held, const char *reason)
{
    s->held = held;
    (void)snprintf(s->hold_reason, sizeof s->hold_reason, "%s", reason);
    if (held) {
        lt_log(LT_LOG_ERROR, "ISSUANCE IS HELD", "reason=\"%s\" lift=\"find the cause, then SIGHUP\"",
               reason);
    } else {
        memset(s->key_crash_ms, 0, sizeof s->key_crash_ms);
        lt_log(LT_LOG_WARN, "issuance is no longer held", "%s", "");
    }
    (void)send_hold(s); /* if the registrar is away, it hears it first thing when it is ready */
    control_event(s, NULL, held ? "held" : "hold-lifted", reason);
}

static void take_ready(struct supervisor *s, struct process *p, const Ipc__Ready *m)
{
    if (p->state != PROCESS_STARTING) {
        return;
    }
    p->state = PROCESS_READY;
    p->landlock_abi = m->landlock_abi;
    p->seccomp = m->seccomp;
    lt_log(LT_LOG_DEBUG, "process ready", "process=%s pid=%ld landlock=%u seccomp=%d ms=%lld", p->name,
           (long)p->pid, p->landlock_abi, p->seccomp, (long long)(lt_monotonic_ms() - p->started_ms));
    if (p->crashes > 0) {
        lt_log(LT_LOG_INFO, "process is back", "process=%s", p->name);
        control_event(s, p, "restarted", "");
    }
    if (p->role != IPC_REGISTRAR) {
        return;
    }
    if (s->held) {
        (void)send_hold(s); /* fails only if it died again, and then it hears it again */
    }
    size_t sent = 0;
    while (sent < s->event_count && send_event(s, &s->events[sent])) {
        sent++;
    }
    s->event_count -= sent;
    memmove(s->events, s->events + sent, s->event_count * sizeof s->events[0]);
}

/* The complaint is believed as far as the two are neighbours: what is broken is restarted. */
static void take_misbehaved(struct supervisor *s, const struct process *from, const Ipc__Misbehaved *m)
{
    struct process *p = m->role < IPC_ROLE_COUNT ? family_find(s, (enum ipc_role)m->role, m->instance) : NULL;
    bool good = p != NULL && ipc_neighbours(from->role, p->role);
    lt_log(LT_LOG_ERROR, good ? "ended for misbehaviour" : "an impossible complaint",
           "process=%s by=%s type=%u detail=\"%.200s\"", p == NULL ? "?" : p->name, from->name, m->type,
           m->detail);
    if (good && p->pid != 0) {
        p->misbehaved = true;
        p->ended = true;
        (void)kill(p->pid, SIGKILL); /* reaped and counted as a crash */
    }
}

static void take_message(struct supervisor *s, struct process *p, const struct ipc_msg *m)
{
    if (m->type == IPC_READY) {
        take_ready(s, p, (const Ipc__Ready *)m->body);
    } else if (m->type == IPC_MISBEHAVED) {
        take_misbehaved(s, p, (const Ipc__Misbehaved *)m->body);
    } /* Drained: its exit status says the same */
}

void control_read(struct supervisor *s, struct process *p)
{
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    while (p->control != NULL) {
        struct ipc_msg m;
        lt_res r = ipc_link_recv(p->control, &arena, &m);
        if (r.code == LT_RETRY_AGAIN) {
            break;
        }
        if (!lt_failed(r)) {
            take_message(s, p, &m);
            ipc_msg_done(&m);
            lt_arena_reset(&arena);
            continue;
        }
        if (lt_class_of(r.code) == LT_CLASS_PEER) {
            lt_log_error("a process broke the rules of its control link");
            p->misbehaved = true;
        }
        ipc_link_free(LT_TAKE(p->control, NULL));
        if (p->pid != 0 && p->state != PROCESS_DRAINING) {
            (void)kill(p->pid,
                       SIGKILL); /* without a control link it is nobody's; mostly it is dead already */
        }
    }
    lt_arena_done(&arena);
}
