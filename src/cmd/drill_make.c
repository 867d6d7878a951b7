/* A scratch CA: a new folder with a book of `bench inventory`, three operators, and the marks that keep it
 * apart from every CA (ca/scratch.h). The marks come last: what is made before them could start as nobody's
 * CA, so a drill that broke off here is begun anew. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/scratch.h"
#include "ca/scratch_book.h"
#include "cmd/drill.h"
#include "signer/key_mark.h"
#include "store/store.h"

enum { FILE_MAX = 256 * 1024, PORT_FIRST = 20000, PORT_RANGE = 20000, PORT_TRIES = 200, PORT_HTTP = 80 };

static bool is_free(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    LT_CLEANUP(lt_fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
}

/* One for ACME, the next for metrics, and 80 above it for CRLs. */
static lt_res find_port(struct cmd *c, uint64_t *ret_port)
{
    LT_TRY(cmd_number(c, "port", 0, 65000, ret_port));
    for (int i = 0; *ret_port == 0 && i < PORT_TRIES; i++) {
        uint16_t drawn = 0;
        lt_random((uint8_t *)&drawn, sizeof drawn);
        uint16_t port = (uint16_t)(PORT_FIRST + drawn % PORT_RANGE);
        *ret_port = is_free(port) && is_free((uint16_t)(port + 1)) && is_free((uint16_t)(port + PORT_HTTP))
                        ? port
                        : 0;
    }
    LT_CHECK(*ret_port != 0, LT_RETRY_UNAVAILABLE, "no free ports; say --port PORT");
    return LT_OK;
}

static lt_res call(struct drill *d, char *const *words, const char *what)
{
    struct drill_answer a;
    LT_TRY(drill_call(d, words, NULL, &a));
    lt_res r = a.status == 0 ? LT_OK
                             : lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "%s: %.300s", what, a.words);
    drill_answer_done(&a);
    return r;
}

static lt_res load(struct drill *d)
{
    char bench[] = "bench";
    char inventory[] = "inventory";
    char keep[] = "--keep";
    char load_only[] = "--load-only";
    char revoked[] = "--revoked=0";
    char no_evidence[] = "--no-evidence";
    uint64_t port = 0;
    struct lt_arena *a = &d->c->arena;
    LT_TRY(find_port(d->c, &port));
    const char *shape = d->scenario.shape == NULL ? "clean" : d->scenario.shape;
    char *words[] = {bench,
                     inventory,
                     keep,
                     load_only,
                     revoked,
                     lt_arena_printf(a, "--certificates=%llu", (unsigned long long)d->certificates),
                     lt_arena_printf(a, "--folder=%s", d->folder),
                     lt_arena_printf(a, "--port=%llu", (unsigned long long)port),
                     lt_arena_printf(a, "--shape=%s", shape),
                     lt_arena_printf(a, "--shards=%d", d->certificates > 500000 ? 128 : 16),
                     cmd_flag(d->c, "evidence") ? NULL : no_evidence,
                     NULL};
    return call(d, words, "the book cannot be made");
}

static lt_res add_operators(struct drill *d)
{
    static const char *const names[] = {"berta", "carl", "dora"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        char operator_[] = "operator";
        char add[] = "add";
        char role[] = "--role=approver";
        char also[] = "--role=operator";
        char *words[] = {operator_, add,  lt_arena_cstr(&d->c->arena, lt_slice_cstr(names[i])),
                         role,      also, NULL};
        LT_TRY(call(d, words, "no operator can be added"));
    }
    return LT_OK;
}

/* A line below "crl:", as people write it there; and what else a drill's folder says of itself. */
static lt_res configure(struct drill *d, int dir)
{
    lt_slice text;
    struct lt_buf out;
    LT_TRY(lt_file_read(&d->c->arena, dir, CA_CONFIG_FILE, FILE_MAX, &text));
    const char *at = strstr((const char *)text.ptr, "\ncrl:\n");
    lt_buf_init(&out, 2 * FILE_MAX);
    if (at != NULL) {
        size_t head = (size_t)(at - (const char *)text.ptr) + sizeof "\ncrl:\n" - 1;
        lt_buf_add(&out, lt_slice_sub(text, 0, head));
        lt_buf_add_cstr(&out, "  fetch-back: true\n");
        lt_buf_add(&out, lt_slice_sub(text, head, text.len));
    } else {
        lt_buf_add(&out, text);
    }
    /* Nobody is there: the courier of a drill hands letters to nobody, at that pace. */
    const char *rate = d->scenario.mail_rate == NULL ? "200" : d->scenario.mail_rate;
    lt_buf_addf(&out, "\nmail:\n  relay: smtp://127.0.0.1:25\n  from: drill@ca.example\n  rate: %s\n", rate);
    lt_res r = lt_file_replace(dir, CA_CONFIG_FILE, 0644, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res mark_key(struct drill *d, int dir, const char *name)
{
    lt_slice pem;
    struct lt_buf out;
    LT_TRY(lt_file_read(&d->c->arena, dir, name, FILE_MAX, &pem));
    if (lt_slice_starts(pem, LT_LIT(SIGNER_KEY_MARK))) {
        return LT_OK;
    }
    lt_buf_init(&out, 2 * FILE_MAX);
    lt_buf_add_cstr(&out, SIGNER_KEY_MARK);
    lt_buf_add(&out, pem);
    lt_res r = lt_file_replace(dir, name, 0600, lt_buf_slice(&out));
    explicit_bzero(out.ptr, out.len);
    lt_buf_done(&out);
    return r;
}

static lt_res mark_keys(struct drill *d, int dir)
{
    int fd = openat(dir, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    LT_CHECK(list != NULL, LT_STATE_IO, "keys: %s", strerror(errno));
    lt_res r = LT_OK;
    const struct dirent *one;
    while (!lt_failed(r) && (one = readdir(list)) != NULL) {
        bool key = lt_slice_ends(lt_slice_cstr(one->d_name), LT_LIT(".key"));
        r = key ? mark_key(d, fd, one->d_name) : LT_OK;
    }
    (void)closedir(list); /* was only read */
    return r;
}

static lt_res mark_book(struct drill *d)
{
    struct store *s = NULL;
    const char *path = lt_arena_printf(&d->c->arena, "%s/book/lintel.db", d->folder);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "%.150s: too long", d->folder);
    const struct store_options o = {.path = path};
    LT_TRY(store_open(&o, &s));
    lt_res r = store_begin(s);
    r = lt_failed(r) ? r : ca_scratch_book_mark(s);
    r = lt_failed(r) ? r : store_commit(s);
    store_close(s);
    return r;
}

static lt_res mark_folder(struct drill *d, int dir)
{
    lt_slice root;
    struct lt_buf mark;
    LT_TRY(lt_file_read(&d->c->arena, dir, "ca/root.pem", FILE_MAX, &root));
    lt_buf_init(&mark, 2 * FILE_MAX);
    ca_scratch_mark(root, &mark);
    lt_res r = lt_buf_check(&mark);
    r = lt_failed(r) ? r : lt_file_replace(dir, CA_SCRATCH_MARK, 0644, lt_buf_slice(&mark));
    lt_buf_done(&mark);
    return r;
}

/* A book that was loaded before, for the same drill over and over: copied, as a drill uses its book up. */
static lt_res copy(struct drill *d, const char *from)
{
    bool marked = false;
    LT_CLEANUP(lt_fd_closep) int dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "%.150s: %s", from, strerror(errno));
    LT_TRY(ca_scratch_marked(dir, &marked));
    LT_CHECK(marked && cmd_folder_pid(from) == 0, LT_POLICY_REFUSED,
             "%.150s is no folder of `lintel drill load`, or is being served", from);
    pid_t pid = fork();
    LT_CHECK(pid >= 0, LT_STATE_IO, "fork: %s", strerror(errno));
    if (pid == 0) {
        (void)execlp("cp", "cp", "-a", "--reflink=auto", "--", from, d->folder, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    LT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, LT_STATE_IO, "%.150s cannot be copied to %.150s",
             from, d->folder);
    return LT_OK;
}

lt_res drill_make(struct drill *d, const char *from)
{
    if (from != NULL) {
        return copy(d, from);
    }
    LT_ASSERT(setenv("LINTEL_DIR", d->folder, 1) == 0);
    LT_TRY(load(d));
    LT_TRY(add_operators(d));
    LT_CLEANUP(lt_fd_closep) int dir = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_STATE_IO, "%.150s: %s", d->folder, strerror(errno));
    LT_TRY(configure(d, dir));
    LT_CHECK(mkdirat(dir, "drill", 0755) == 0 || errno == EEXIST, LT_STATE_IO, "drill: %s", strerror(errno));
    LT_CHECK(mkdirat(dir, "drill/out", 0755) == 0 || errno == EEXIST, LT_STATE_IO, "drill/out: %s",
             strerror(errno));
    LT_TRY(mark_keys(d, dir));
    LT_TRY(mark_book(d));
    return mark_folder(d, dir);
}
