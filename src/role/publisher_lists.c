/* Lists of incidents: public/incident/ID.csv, written in slices while the loop goes on, whole or not at all.
 * The registrar is told when one is there; a list that was withdrawn goes. A file that is there already is
 * known by its first line; where the book does not know of it, it is written again, and told again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "incident/list_book.h"
#include "ipc/ipc.h"
#include "role/kit.h"
#include "role/publisher_lists.h"

enum {
    SLICE = 5000,
    TICK_MS = 60,
    SLICE_BYTES_MAX = 4 * 1024 * 1024,
    EVERY_MS = 1000,
    TOLD_AGAIN_MS = 3000,
    PATH_SIZE = 64,
    MODE_PUBLIC = 0644,
};
#define FOLDER "public/incident"

struct there {
    int64_t incident; /* 0: none */
    int64_t version;
    int64_t told_ms;
    int64_t rows; /* as it was told; 0: an earlier process told it */
    int64_t bytes;
    uint8_t sha256[CRYPTO_SHA256_LEN];
};

struct publisher_lists {
    struct role_kit *kit;
    int folder_fd;       /* borrowed */
    struct store *store; /* borrowed */
    struct there there[INCIDENT_LISTS_MAX];
    int64_t look_ms;
    bool swept; /* what an earlier process left was looked at */
    int fd;     /* of the list under way; -1: none */
    struct incident_list_wanted wanted;
    struct incident_list_at at;
    struct crypto_stream hash;
    int64_t bytes;
};

struct publisher_lists *publisher_lists_new(struct role_kit *kit, int folder_fd, struct store *store)
{
    struct publisher_lists *l = calloc(1, sizeof *l);
    LT_ASSERT(l != NULL);
    l->kit = kit;
    l->folder_fd = folder_fd;
    l->store = store;
    l->fd = -1;
    return l;
}

static void path_of(char path[PATH_SIZE], int64_t incident, const char *ending)
{
    (void)snprintf(path, PATH_SIZE, FOLDER "/%lld.csv%s", (long long)incident, ending); /* it fits */
}

static struct there *find(struct publisher_lists *l, int64_t incident)
{
    for (size_t i = 0; i < INCIDENT_LISTS_MAX; i++) {
        if (l->there[i].incident == incident) {
            return &l->there[i];
        }
    }
    return NULL;
}

static struct there *remember(struct publisher_lists *l, const struct incident_list_wanted *w)
{
    struct there *t = find(l, w->incident);
    t = t != NULL ? t : find(l, 0);
    t = t != NULL ? t
                  : &l->there[0]; /* no more are wanted at once than there is room for, but for a moment */
    *t = (struct there){.incident = w->incident, .version = w->version};
    return t;
}

static void tell(struct publisher_lists *l, struct there *t)
{
    Ipc__ListPublished m = IPC__LIST_PUBLISHED__INIT;
    m.incident = t->incident;
    m.version = t->version;
    m.rows = t->rows;
    m.bytes = t->bytes;
    m.sha256 = (ProtobufCBinaryData){sizeof t->sha256, t->sha256};
    t->told_ms = lt_monotonic_ms();
    if (lt_failed(role_send(l->kit, IPC_REGISTRAR, ROLE_ANY, IPC_LIST_PUBLISHED, 0, &m.base))) {
        lt_log_error("message not sent"); /* the book does not say so, and it is told again */
    }
}

/* Does the file begin with the line that this version begins with? */
static bool is_there(struct publisher_lists *l, const struct incident_list_wanted *w)
{
    char path[PATH_SIZE];
    uint8_t begins[INCIDENT_LIST_HEAD_MAX];
    struct lt_buf head;
    path_of(path, w->incident, "");
    LT_CLEANUP(lt_fd_closep) int fd = openat(l->folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    lt_buf_init(&head, INCIDENT_LIST_HEAD_MAX);
    incident_list_head(w, &head);
    ssize_t len = read(fd, begins, head.len);
    bool same = len >= 0 && lt_slice_eq(LT_SLICE(begins, (size_t)len), lt_buf_slice(&head));
    lt_buf_done(&head);
    return same;
}

/* ---- one list ---- */

static lt_res add(struct publisher_lists *l, struct lt_buf *out)
{
    LT_TRY(lt_buf_check(out));
    crypto_stream_add(&l->hash, lt_buf_slice(out));
    l->bytes += (int64_t)out->len;
    return lt_write_all(l->fd, lt_buf_slice(out));
}

static void give_up(struct publisher_lists *l)
{
    lt_log_error("a list of an incident was not written");
    lt_fd_closep(&l->fd);
    crypto_stream_done(&l->hash);
    l->look_ms = lt_monotonic_ms() + 10 * EVERY_MS;
}

static lt_res begin(struct publisher_lists *l, const struct incident_list_wanted *w)
{
    char path[PATH_SIZE];
    struct lt_buf head;
    path_of(path, w->incident, ".new");
    LT_CHECK(mkdirat(l->folder_fd, FOLDER, 0755) == 0 || errno == EEXIST, LT_STATE_IO, FOLDER ": %s",
             strerror(errno));
    l->wanted = *w;
    l->bytes = 0;
    incident_list_begin(&l->at);
    crypto_stream_init(&l->hash, CRYPTO_SHA256);
    l->fd = openat(l->folder_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                   (mode_t)MODE_PUBLIC);
    LT_CHECK(l->fd >= 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    lt_buf_init(&head, INCIDENT_LIST_HEAD_MAX);
    incident_list_head(w, &head);
    lt_res r = add(l, &head);
    lt_buf_done(&head);
    return r;
}

static lt_res finish(struct publisher_lists *l)
{
    char fresh[PATH_SIZE];
    char path[PATH_SIZE];
    path_of(fresh, l->wanted.incident, ".new");
    path_of(path, l->wanted.incident, "");
    LT_CHECK(fchmod(l->fd, MODE_PUBLIC) == 0 && fsync(l->fd) == 0 &&
                 renameat(l->folder_fd, fresh, l->folder_fd, path) == 0,
             LT_STATE_IO, "%s: %s", path, strerror(errno));
    struct there *t = remember(l, &l->wanted);
    crypto_stream_finish(&l->hash, t->sha256);
    crypto_stream_done(&l->hash);
    lt_fd_closep(&l->fd);
    t->rows = l->at.rows;
    t->bytes = l->bytes;
    lt_log(LT_LOG_INFO, "a list of an incident was published", "incident=%lld version=%lld certificates=%lld",
           (long long)l->wanted.incident, (long long)l->wanted.version, (long long)l->at.rows);
    tell(l, t);
    return LT_OK;
}

static lt_res slices(struct publisher_lists *l)
{
    int64_t until_ms = lt_monotonic_ms() + TICK_MS;
    struct lt_buf out;
    bool end = false;
    lt_res r = LT_OK;
    lt_buf_init(&out, SLICE_BYTES_MAX);
    do {
        lt_buf_reset(&out);
        r = incident_list_rows(l->store, &l->wanted, &l->at, SLICE, &out, &end);
        r = lt_failed(r) ? r : add(l, &out);
    } while (!lt_failed(r) && !end && lt_monotonic_ms() < until_ms);
    lt_buf_done(&out);
    LT_TRY(r);
    return end ? finish(l) : LT_OK;
}

/* ---- all of them ---- */

static bool among(const struct incident_list_wanted *list, size_t count, int64_t incident)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].incident == incident) {
            return true;
        }
    }
    return false;
}

static void remove_file(struct publisher_lists *l, int64_t incident)
{
    char path[PATH_SIZE];
    path_of(path, incident, "");
    if (unlinkat(l->folder_fd, path, 0) == 0) {
        lt_log(LT_LOG_INFO, "a list of an incident was withdrawn", "incident=%lld", (long long)incident);
    }
}

/* What an earlier process wrote, and nobody wants any more. */
static void sweep(struct publisher_lists *l, const struct incident_list_wanted *list, size_t count)
{
    int fd = openat(l->folder_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    l->swept = true;
    if (dir == NULL) {
        lt_fd_closep(&fd);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        lt_slice name = lt_slice_cstr(entry->d_name);
        uint64_t incident = 0;
        if (lt_slice_ends(name, LT_LIT(".csv")) &&
            !lt_failed(lt_parse_u64(lt_slice_sub(name, 0, name.len - 4), INT64_MAX, &incident)) &&
            !among(list, count, (int64_t)incident)) {
            remove_file(l, (int64_t)incident);
        }
    }
    (void)closedir(dir); /* read only */
}

static void withdraw(struct publisher_lists *l, const struct incident_list_wanted *list, size_t count)
{
    for (size_t i = 0; i < INCIDENT_LISTS_MAX; i++) {
        if (l->there[i].incident != 0 && !among(list, count, l->there[i].incident)) {
            remove_file(l, l->there[i].incident);
            l->there[i] = (struct there){.incident = 0};
        }
    }
}

static bool is_done(struct publisher_lists *l, const struct incident_list_wanted *w, int64_t now_ms)
{
    struct there *t = find(l, w->incident);
    if (t != NULL && t->version == w->version && (w->published || t->bytes > 0)) {
        if (!w->published && now_ms >= t->told_ms + TOLD_AGAIN_MS) {
            tell(l, t); /* its hearer died */
        }
        return true;
    }
    if (w->published && is_there(l, w)) {
        (void)remember(l, w);
        return true;
    }
    return false;
}

static lt_res look(struct publisher_lists *l, int64_t now_ms)
{
    struct incident_list_wanted list[INCIDENT_LISTS_MAX];
    size_t count = 0;
    LT_TRY(incident_lists_wanted(l->store, list, &count));
    if (!l->swept) {
        sweep(l, list, count);
    }
    withdraw(l, list, count);
    for (size_t i = 0; i < count; i++) {
        if (!is_done(l, &list[i], now_ms)) {
            return begin(l, &list[i]);
        }
    }
    return LT_OK;
}

void publisher_lists_tick(struct publisher_lists *l)
{
    int64_t now_ms = lt_monotonic_ms();
    lt_res r = LT_OK;
    if (l->fd < 0 && now_ms >= l->look_ms) {
        l->look_ms = now_ms + EVERY_MS;
        r = look(l, now_ms);
    }
    if (!lt_failed(r) && l->fd >= 0) {
        r = slices(l);
    }
    if (lt_failed(r)) {
        give_up(l);
    }
}

bool publisher_lists_busy(const struct publisher_lists *l)
{
    return l->fd >= 0;
}
