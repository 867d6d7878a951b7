/* The CA folder and the programs. */
#include "keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "x509/crl.h"
#include "x509/tbs.h"

enum { WAIT_MS = 10000, CONTROL_FD = 3, DAY = 86400 };

static void write_file(const struct keyring *k, const char *name, lt_slice bytes)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s/%s", k->folder, name);
    assert_ok(lt_file_replace(AT_FDCWD, path, 0600, bytes));
}

/* Reading an encrypted key takes a good part of a second, on purpose: one of them is enough here. */
static void write_key(const struct keyring *k, const char *name, const struct crypto_key *key,
                      lt_slice passphrase)
{
    struct lt_buf b;
    lt_buf_init(&b, 65536);
    assert_ok(crypto_key_write(key, passphrase, &b));
    write_file(k, name, lt_buf_slice(&b));
    lt_buf_done(&b);
}

static lt_slice name_of(struct keyring *k, const char *cn)
{
    struct lt_buf b;
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(cn)};
    lt_buf_init(&b, 1024);
    der_write_init(&w, &b);
    assert_ok(x509_name_write(&w, &item, 1));
    assert_ok(der_write_done(&w));
    lt_slice der = lt_arena_copy(&k->arena, lt_buf_slice(&b));
    lt_buf_done(&b);
    return der;
}

void keyring_certificate(struct keyring *k, const char *name, lt_slice spki)
{
    struct lt_buf tbs;
    struct lt_buf der;
    struct lt_buf pem;
    lt_buf_init(&tbs, 65536);
    lt_buf_init(&der, 65536);
    lt_buf_init(&pem, 65536);
    struct x509_tbs_spec spec = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x07"),
        .issuer = name_of(k, "root"),
        .not_before = lt_time_add_seconds(k->now, -10 * DAY),
        .not_after = lt_time_add_seconds(k->now, 1000 * DAY),
        .subject = name_of(k, name),
        .spki = spki,
        .ca = true,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_LIT("0123456789abcdef0123"),
        .aki = LT_LIT("0123456789abcdef0123"),
    };
    assert_ok(x509_tbs_build(&spec, &tbs));
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    assert_ok(crypto_key_sign(k->root, CRYPTO_ES256, lt_buf_slice(&tbs), signature, &len));
    assert_ok(x509_assemble(lt_buf_slice(&tbs), spec.sig_alg, LT_SLICE(signature, len), &der));
    lt_pem_add(&pem, "CERTIFICATE", lt_buf_slice(&der));
    char path[64];
    (void)snprintf(path, sizeof path, "ca/%.32s.pem", name);
    write_file(k, path, lt_buf_slice(&pem));
    lt_buf_done(&tbs);
    lt_buf_done(&der);
    lt_buf_done(&pem);
}

void keyring_new(struct keyring *k)
{
    static const char *const folders[] = {"ca", "keys", "journal", "mirror"};
    (void)snprintf(k->folder, sizeof k->folder, "/tmp/lintel-keyring-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", k->folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    lt_arena_init(&k->arena, (size_t)256 << 20);
    k->now = lt_time_from_seconds(lt_time_seconds(lt_now()));
    struct crypto_key *audit;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &k->tls));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &k->root));
    assert_ok(crypto_key_generate(CRYPTO_KEY_ED25519, 0, &audit));
    write_key(k, "keys/tls.key", k->tls, LT_LIT(PASSPHRASE));
    write_key(k, "keys/root.key", k->root, LT_LIT(""));
    write_key(k, "keys/audit.key", audit, LT_LIT(""));
    crypto_key_free(audit);
    keyring_certificate(k, "tls", crypto_key_spki(k->tls));
    keyring_certificate(k, "root", crypto_key_spki(k->root));
}

void keyring_done(struct keyring *k)
{
    char command[16] = "rm";
    char option[16] = "-rf";
    char *const arguments[] = {command, option, k->folder, NULL};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execvp(command, arguments);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    crypto_key_free(k->tls);
    crypto_key_free(k->root);
    lt_arena_done(&k->arena);
}

lt_slice keyring_tbs(struct keyring *k, const struct tbs *t, lt_slice *ret_serial)
{
    uint8_t serial[16] = {0x0d, 1, 2, 3};
    struct lt_buf out;
    lt_buf_init(&out, (size_t)64 << 20);
    memcpy(serial + 12, &t->serial, sizeof t->serial);
    *ret_serial = lt_arena_copy(&k->arena, LT_SLICE(serial, sizeof serial));
    if (t->crl) {
        uint8_t number[8];
        for (size_t i = 0; i < sizeof number; i++) {
            number[i] = (uint8_t)(t->crl_number >> (56 - 8 * i));
        }
        *ret_serial = lt_arena_copy(&k->arena, LT_SLICE(number, sizeof number));
        struct x509_crl_spec spec = {.sig_alg = X509_SIG_ECDSA_SHA256,
                                     .issuer = name_of(k, t->issuer),
                                     .aki = LT_LIT("0123456789abcdef0123"),
                                     .this_update = k->now,
                                     .next_update = lt_time_add_seconds(k->now, (1 + t->variant) * DAY),
                                     .number = *ret_serial};
        struct x509_crl_builder b;
        x509_crl_begin(&b, &spec, &out);
        for (uint32_t i = 0; i < (t->entries == 0 ? 1 : t->entries); i++) {
            const uint8_t entry[4] = {0x05, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
            x509_crl_add(&b, LT_SLICE(entry, t->entries == 0 ? 1 : sizeof entry), k->now, 1);
        }
        assert_ok(x509_crl_end(&b));
    } else {
        static const lt_slice host = {(const uint8_t *)"www.example.com", 15};
        struct x509_general_name san = {X509_GN_DNS, host};
        struct x509_tbs_spec spec = {.sig_alg = X509_SIG_ECDSA_SHA256,
                                     .serial = *ret_serial,
                                     .issuer = name_of(k, t->issuer),
                                     .not_before = k->now,
                                     .not_after = lt_time_add_seconds(k->now, (1 + t->variant) * DAY),
                                     .spki = crypto_key_spki(k->tls),
                                     .ca = t->ca,
                                     .key_usage = t->ca ? X509_KU_KEY_CERT_SIGN : X509_KU_DIGITAL_SIGNATURE,
                                     .san = &san,
                                     .san_count = 1,
                                     .aki = LT_LIT("0123456789abcdef0123")};
        assert_ok(x509_tbs_build(&spec, &out));
    }
    lt_slice tbs = lt_arena_copy(&k->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return tbs;
}

bool verifies(lt_slice spki, lt_slice tbs, lt_slice signature)
{
    const uint8_t *p = spki.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    bool good = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, signature.ptr, signature.len, tbs.ptr, tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}

/* ---- programs ---- */

void say(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    assert_ok(ipc_link_send(link, type, id, body, NULL, 0));
    while (ipc_link_wants_write(link)) {
        struct pollfd p = {.fd = ipc_link_fd(link), .events = POLLOUT};
        assert_true(poll(&p, 1, WAIT_MS) == 1);
        assert_ok(ipc_link_flush(link));
    }
}

void say_apart(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
               lt_slice bytes)
{
    int fd = -1;
    assert_ok(ipc_sealed_new(bytes, &fd));
    assert_ok(ipc_link_send(link, type, id, body, &fd, 1));
    (void)close(fd);
}

const void *hear_apart(struct ipc_link *link, struct lt_arena *arena, enum ipc_type type, uint64_t *ret_id,
                       lt_slice *ret_bytes)
{
    struct ipc_msg m;
    lt_res r = ipc_link_recv(link, arena, &m);
    while (r.code == LT_RETRY_AGAIN) {
        struct pollfd p = {.fd = ipc_link_fd(link), .events = POLLIN};
        assert_true(poll(&p, 1, WAIT_MS) == 1);
        r = ipc_link_recv(link, arena, &m);
    }
    assert_ok(r);
    assert_int_equal(m.type, type);
    if (ret_id != NULL) {
        *ret_id = m.from.id;
    }
    *ret_bytes = (lt_slice){0};
    if (m.fd_count == 1) {
        lt_slice mapped;
        assert_ok(ipc_sealed_map(m.fds[0], (size_t)1 << 30, &mapped));
        *ret_bytes = lt_arena_copy(arena, mapped);
        assert_non_null(ret_bytes->ptr);
        (void)munmap((void *)(uintptr_t)mapped.ptr, mapped.len);
    }
    ipc_msg_done(&m);
    return m.body;
}

const void *hear(struct ipc_link *link, struct lt_arena *arena, enum ipc_type type, uint64_t *ret_id)
{
    lt_slice none;
    const void *body = hear_apart(link, arena, type, ret_id, &none);
    assert_int_equal(none.len, 0);
    return body;
}

bool is_silent(struct ipc_link *link, int ms)
{
    struct pollfd p = {.fd = ipc_link_fd(link), .events = POLLIN};
    return poll(&p, 1, ms) == 0;
}

static void run_child(const char *path, int control, size_t file_size_limit)
{
    char *const arguments[] = {(char *)(uintptr_t)path, NULL};
    if (file_size_limit > 0) {
        struct rlimit limit = {.rlim_cur = file_size_limit, .rlim_max = RLIM_INFINITY};
        (void)signal(SIGXFSZ, SIG_IGN); /* as an error, not an end */
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            _exit(126);
        }
    }
    if (dup2(control, CONTROL_FD) == CONTROL_FD) {
        (void)execv(path, arguments);
    }
    _exit(127);
}

static void launch(struct program *p, const struct keyring *k, const char *path,
                   const struct program_start *s)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    p->path = path;
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        run_child(path, pair[1], s->file_size_limit);
    }
    assert_int_equal(close(pair[1]), 0);
    assert_ok(ipc_link_new(pair[0], IPC_SUPERVISOR, s->role, 0, &p->control));
    int board = memfd_create("board", MFD_CLOEXEC);
    assert_true(board >= 0 && ftruncate(board, sizeof(struct lt_metrics)) == 0);
    char journal[96];
    char mirror[96] = "";
    (void)snprintf(journal, sizeof journal, "%s/journal", k->folder);
    if (s->mirror != NULL) {
        (void)snprintf(mirror, sizeof mirror, "%s/%s", k->folder, s->mirror);
    }
    Ipc__Start m = IPC__START__INIT;
    m.folder = (char *)(uintptr_t)k->folder;
    m.issuers = s->issuers;
    m.n_issuers = s->issuer_count;
    m.passphrase = (ProtobufCBinaryData){sizeof PASSPHRASE - 1, (uint8_t *)(uintptr_t)PASSPHRASE};
    m.journal_folder = journal;
    m.journal_mirror = mirror;
    m.token_module = (char *)(uintptr_t)(s->token_module == NULL ? "" : s->token_module);
    const char *pin = s->token_pin == NULL ? "" : s->token_pin;
    m.token_pin = (ProtobufCBinaryData){strlen(pin), (uint8_t *)(uintptr_t)pin};
    m.config_yaml = (char *)(uintptr_t)(s->config_yaml == NULL ? "" : s->config_yaml);
    m.log_level = LT_LOG_ERROR;
    m.sandbox_off = getenv("LINTEL_TEST_NO_SANDBOX") != NULL;
    assert_ok(ipc_link_send(p->control, IPC_START, 0, &m.base, &board, 1));
    assert_int_equal(close(board), 0);
}

void program_start(struct program *p, const struct keyring *k, const char *path,
                   const struct program_start *s)
{
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    launch(p, k, path, s);
    const Ipc__Ready *ready = hear(p->control, &a, IPC_READY, NULL);
    assert_int_equal(ready->pid, p->pid);
    lt_arena_done(&a);
}

/* It has closed its end, so it is at its end: waitpid for one that hangs would have none. */
static int exit_status(struct program *p)
{
    int status;
    struct pollfd gone = {.fd = ipc_link_fd(p->control)};
    if (poll(&gone, 1, WAIT_MS) != 1) {
        print_error("%s goes on\n", p->path);
        program_kill(p);
        fail();
    }
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    ipc_link_free(p->control);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int program_fails(struct program *p, const struct keyring *k, const char *path, const struct program_start *s)
{
    launch(p, k, path, s);
    return exit_status(p);
}

static void send_link(struct program *p, enum ipc_role peer, int fd)
{
    Ipc__Link body = IPC__LINK__INIT;
    body.role = (uint32_t)peer;
    assert_ok(ipc_link_send(p->control, IPC_LINK, 0, &body.base, &fd, 1));
    assert_int_equal(close(fd), 0);
}

struct ipc_link *program_link(struct program *p, enum ipc_role self, enum ipc_role peer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    send_link(p, self, pair[1]);
    struct ipc_link *link;
    assert_ok(ipc_link_new(pair[0], self, peer, 0, &link));
    return link;
}

void program_join(struct program *a, enum ipc_role a_role, struct program *b, enum ipc_role b_role)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    send_link(a, b_role, pair[0]);
    send_link(b, a_role, pair[1]);
}

void program_kill(struct program *p)
{
    assert_int_equal(kill(p->pid, SIGKILL), 0);
    assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
    ipc_link_free(p->control);
}

int program_drain(struct program *p)
{
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    Ipc__Drain body = IPC__DRAIN__INIT;
    assert_ok(ipc_link_send(p->control, IPC_DRAIN, 0, &body.base, NULL, 0));
    (void)hear(p->control, &a, IPC_DRAINED, NULL); /* it has no content */
    lt_arena_done(&a);
    return exit_status(p);
}
