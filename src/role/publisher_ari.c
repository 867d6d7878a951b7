/* Renewal information: the base file, written anew in slices while the loop goes on; and every second the
 * delta, where something changed. Both appear whole or not at all. Neither is synced: they are made again
 * from the book at each start. */
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
#include "ca/ari_book.h"
#include "ca/import_watch.h"
#include "role/publisher.h"

enum {
    SLICE = 5000, /* certificates of the base in one go: some 2 ms */
    TICK_MS = 20, /* of the base in one tick; the CRLs wait for it */
    SLICE_BYTES_MAX = 64 * 1024 * 1024,
    DELTA_EVERY_MS = 1000,
    BASE_EVERY_MS = 3600 * 1000, /* so that what has expired goes */
    RETRY_MS = 10000,
    PLAN_OVERLAP_S = 2, /* an incident's plan that was committed a little after its time */
};

#define BASE "public/ari/base"
#define DELTA "public/ari/delta"

struct publisher_ari {
    int folder_fd;
    struct store *store;
    const struct ca_crl_issuer *issuers;
    size_t issuer_count;
    int64_t generation; /* of the base that is published; 0: none */
    int64_t delta_ms;   /* when the delta is looked at next */
    int64_t base_ms;    /* when the base is written next */
    int fd;             /* of the base under way; -1: none */
    struct ca_ari_build build;
    struct ca_ari_delta delta;
    bool delta_written; /* for this generation */
};

/* What an earlier process left stands until the new one is whole. */
static int64_t generation_there(int folder_fd)
{
    struct ca_ari_header head;
    LT_CLEANUP(lt_fd_closep) int fd = openat(folder_fd, BASE, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &head, sizeof head) != (ssize_t)sizeof head ||
        head.row_size != sizeof(struct ca_ari_row)) {
        return 0;
    }
    return head.generation;
}

struct publisher_ari *publisher_ari_new(int folder_fd, struct store *store,
                                        const struct ca_crl_issuer *issuers, size_t issuer_count)
{
    struct publisher_ari *a = calloc(1, sizeof *a);
    LT_ASSERT(a != NULL);
    a->folder_fd = folder_fd;
    a->store = store;
    a->issuers = issuers;
    a->issuer_count = issuer_count;
    a->fd = -1;
    a->generation = generation_there(folder_fd);
    ca_ari_delta_init(&a->delta);
    return a;
}

static void give_up(struct publisher_ari *a, const char *what)
{
    lt_log_error(what);
    lt_fd_closep(&a->fd);
    ca_ari_build_done(&a->build);
    a->base_ms = lt_monotonic_ms() + RETRY_MS;
    lt_metric_add("lintel_renewal_information_failures_total", 1);
}

static lt_res begin(struct publisher_ari *a, lt_time now)
{
    struct lt_buf out;
    ca_ari_build_init(&a->build, a->store, a->issuers, a->issuer_count, now);
    a->fd = openat(a->folder_fd, BASE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                   (mode_t)0644);
    LT_CHECK(a->fd >= 0, LT_STATE_IO, BASE ".new: %s", strerror(errno));
    lt_buf_init(&out, SLICE_BYTES_MAX);
    ca_ari_build_begin(&a->build, &out);
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : lt_write_all(a->fd, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res finish(struct publisher_ari *a, lt_slice strings, const struct ca_ari_header *head)
{
    LT_TRY(lt_write_all(a->fd, strings));
    LT_CHECK(pwrite(a->fd, head, sizeof *head, 0) == (ssize_t)sizeof *head, LT_STATE_IO, BASE ".new: %s",
             strerror(errno));
    LT_CHECK(fchmod(a->fd, 0644) == 0 && renameat(a->folder_fd, BASE ".new", a->folder_fd, BASE) == 0,
             LT_STATE_IO, BASE ": %s", strerror(errno));
    a->generation = head->generation;
    ca_ari_delta_reset(&a->delta);
    a->delta_written = false;
    a->delta_ms = 0;
    lt_log(LT_LOG_INFO, "renewal information written", "certificates=%llu", (unsigned long long)head->rows);
    lt_metric_set("lintel_renewal_information_rows", (int64_t)head->rows);
    lt_fd_closep(&a->fd);
    ca_ari_build_done(&a->build);
    a->base_ms = lt_monotonic_ms() + BASE_EVERY_MS;
    return LT_OK;
}

static lt_res slice(struct publisher_ari *a)
{
    struct lt_buf out;
    bool end = false;
    lt_buf_init(&out, SLICE_BYTES_MAX);
    lt_res r = ca_ari_build_rows(&a->build, SLICE, &out, &end);
    r = lt_failed(r) ? r : lt_write_all(a->fd, lt_buf_slice(&out));
    if (!lt_failed(r) && end) {
        lt_buf_reset(&out);
        struct ca_ari_header head = ca_ari_build_end(&a->build, &out);
        r = lt_buf_check(&out);
        r = lt_failed(r) ? r : finish(a, lt_buf_slice(&out), &head);
    }
    lt_buf_done(&out);
    return r;
}

static lt_res slices(struct publisher_ari *a)
{
    int64_t end_ms = lt_monotonic_ms() + TICK_MS;
    do {
        LT_TRY(slice(a));
    } while (a->fd >= 0 && lt_monotonic_ms() < end_ms);
    return LT_OK;
}

/* The delta's time is that of the look at the book: who asked before it is answered out of it. */
static void look_time(lt_time looked, struct timespec ret_times[2])
{
    ret_times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    ret_times[1] = (struct timespec){.tv_sec = looked.us / LT_US_PER_SECOND,
                                     .tv_nsec = looked.us % LT_US_PER_SECOND * 1000};
}

/* Replaced by name, not synced. */
static lt_res replace(const struct publisher_ari *a, lt_slice bytes, lt_time looked)
{
    struct timespec times[2];
    look_time(looked, times);
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(a->folder_fd, DELTA ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    (mode_t)0644);
    LT_CHECK(fd >= 0, LT_STATE_IO, DELTA ".new: %s", strerror(errno));
    LT_TRY(lt_write_all(fd, bytes));
    LT_CHECK(fchmod(fd, 0644) == 0 && futimens(fd, times) == 0 &&
                 renameat(a->folder_fd, DELTA ".new", a->folder_fd, DELTA) == 0,
             LT_STATE_IO, DELTA ": %s", strerror(errno));
    return LT_OK;
}

static lt_res write_delta(struct publisher_ari *a, lt_time looked)
{
    const struct ca_ari_build book = {.issuers = a->issuers, .issuer_count = a->issuer_count};
    struct lt_buf out;
    lt_buf_init(&out, SLICE_BYTES_MAX);
    ca_ari_delta_write(&a->delta, &book, a->generation, &out);
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : replace(a, lt_buf_slice(&out), looked);
    lt_buf_done(&out);
    a->delta_written = !lt_failed(r);
    lt_metric_set("lintel_renewal_information_changes", (int64_t)a->delta.count);
    return r;
}

/* The first look at a generation goes back to where its base began to read; later ones only a little. */
static lt_res look(struct publisher_ari *a, lt_time now)
{
    const struct ca_ari_build book = {
        .store = a->store, .issuers = a->issuers, .issuer_count = a->issuer_count};
    lt_time since = a->delta_written ? now : (lt_time){a->generation};
    bool changed = false;
    since = lt_time_add_seconds(since, -CA_ARI_OVERLAP_S);
    LT_TRY(ca_ari_delta_take(&a->delta, &book, since, &changed));
    if (changed || !a->delta_written) {
        return write_delta(a, now);
    }
    struct timespec times[2];
    look_time(now, times);
    LT_CHECK(utimensat(a->folder_fd, DELTA, times, AT_SYMLINK_NOFOLLOW) == 0, LT_STATE_IO, DELTA ": %s",
             strerror(errno));
    return LT_OK;
}

static void look_at_delta(struct publisher_ari *a, lt_time now)
{
    int64_t mono_ms = lt_monotonic_ms();
    if (a->generation == 0 || mono_ms < a->delta_ms) {
        return;
    }
    a->delta_ms = mono_ms + DELTA_EVERY_MS;
    bool imported = false;
    lt_res r = look(a, now);
    r = lt_failed(r) ? r : ca_import_waits(a->store, (lt_time){a->generation}, now, &imported);
    bool planned = false;
    lt_time plans = lt_time_add_seconds((lt_time){a->generation}, -PLAN_OVERLAP_S);
    r = lt_failed(r) ? r : ca_waves_changed(a->store, plans, &planned);
    a->base_ms = (imported || planned) && a->fd < 0 ? 0 : a->base_ms;
    if (r.code == LT_PEER_TOO_LARGE) {
        a->base_ms = a->fd < 0 ? 0 : a->base_ms; /* so much at once is what the base is for */
    } else if (lt_failed(r)) {
        lt_log_error("changes of renewal information");
        a->delta_written = false; /* the next look goes back to the beginning */
    }
}

void publisher_ari_tick(struct publisher_ari *a, lt_time now, bool busy)
{
    if (a->fd < 0 && lt_monotonic_ms() >= a->base_ms) {
        if (lt_failed(begin(a, now))) {
            give_up(a, "renewal information");
        }
    } else if (a->fd >= 0 && !busy && lt_failed(slices(a))) {
        give_up(a, "renewal information");
    }
    look_at_delta(a, now);
}
