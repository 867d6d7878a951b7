/* Opening the journal: both places are read, the one that is behind catches up, a torn end is cut, the last
 * frame is written and synced once more, the index is built. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signer/journal_impl.h"

static const char log_name[] = "signer.log";
static const char ack_name[] = "signer.ack";
enum { COPY_CHUNK = 256 * 1024, GROW_DEFAULT = 1024 * 1024 };

static lt_res open_at(const struct journal_io *io, const char *folder, const char *name, int *ret_fd)
{
    int fd = io->open(io->self, folder, name);
    LT_CHECK(fd >= 0 || errno != EWOULDBLOCK, LT_RETRY_BUSY, "%s/%s: another signer holds it", folder, name);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s/%s: %s", folder, name, strerror(errno));
    *ret_fd = fd;
    return LT_OK;
}

static lt_res sync_fd(const struct journal_io *io, int fd)
{
    LT_CHECK(io->sync(io->self, fd) == 0, LT_STATE_IO, "journal: sync: %s", strerror(errno));
    return LT_OK;
}

static lt_res cut(const struct journal_io *io, int fd, uint64_t len)
{
    LT_CHECK(io->truncate(io->self, fd, len) == 0, LT_STATE_IO, "journal: truncate: %s", strerror(errno));
    return LT_OK;
}

static lt_res write_header(const struct journal_io *io, int fd, const struct journal_options *o)
{
    struct journal_header h = {.first_sequence = 1, .created_us = o->now.us};
    memcpy(h.id, o->id, sizeof h.id);
    uint8_t bytes[JOURNAL_HEADER_LEN];
    journal_header_encode(&h, bytes);
    LT_TRY(journal_write_at(io, fd, 0, LT_SLICE(bytes, sizeof bytes)));
    return sync_fd(io, fd);
}

static lt_res copy_bytes(const struct journal_io *io, int from, int to, uint64_t start, uint64_t end)
{
    struct lt_buf b;
    lt_buf_init(&b, COPY_CHUNK);
    uint8_t *chunk = lt_buf_extend(&b, COPY_CHUNK);
    lt_res r = LT_OK;
    while (start < end && !lt_failed(r)) {
        size_t len = end - start < COPY_CHUNK ? (size_t)(end - start) : COPY_CHUNK;
        r = journal_read_at(io, from, start, chunk, len);
        if (!lt_failed(r)) {
            r = journal_write_at(io, to, start, LT_SLICE(chunk, len));
        }
        start += len;
    }
    lt_buf_done(&b);
    return r;
}

/* Cuts what is torn. A frame that we find may stand in memory alone, its sync having failed or never been
 * reached: it is written again, because a page whose write failed counts as clean. */
static lt_res settle(const struct journal_scan *s)
{
    if (s->size != s->end) {
        LT_TRY(cut(s->io, s->fd, s->end)); /* or make it longer: the last zeros may be missing */
    }
    LT_TRY(copy_bytes(s->io, s->fd, s->fd, s->last_frame, s->end));
    return sync_fd(s->io, s->fd);
}

/* The one that is behind must be the beginning of the other, and gets the rest. */
static lt_res catch_up(const struct journal_scan *behind, const struct journal_scan *ahead)
{
    uint64_t start = 0;
    if (!behind->empty) {
        struct journal_scan again;
        lt_res r = journal_scan(ahead->io, ahead->fd, behind->end, NULL, NULL, &again);
        bool same = !lt_failed(r) && again.end == behind->end &&
                    memcmp(again.at.chain, behind->at.chain, JOURNAL_HASH_LEN) == 0;
        journal_scan_done(&again);
        LT_TRY(r);
        LT_CHECK(same, LT_STATE_CORRUPT,
                 "journal and mirror are not copies of one another (at record %llu): find out which is "
                 "right, remove the other",
                 (unsigned long long)behind->at.sequence);
        start = behind->last_frame; /* once more, for the reason that settle gives */
    }
    LT_TRY(cut(behind->io, behind->fd, behind->end));
    LT_TRY(copy_bytes(ahead->io, ahead->fd, behind->fd, start, ahead->end));
    return sync_fd(behind->io, behind->fd);
}

static lt_res reconcile(const struct journal_options *o, const struct journal_scan *first,
                        const struct journal_scan *second)
{
    if (first->empty && second->empty) {
        LT_TRY(write_header(first->io, first->fd, o));
        return write_header(second->io, second->fd, o);
    }
    bool first_behind = first->empty || (!second->empty && first->at.sequence < second->at.sequence);
    const struct journal_scan *behind = first_behind ? first : second;
    const struct journal_scan *ahead = first_behind ? second : first;
    LT_TRY(settle(ahead));
    return catch_up(behind, ahead);
}

/* The tables of a journal that is read again. */
static void forget_all(struct journal *j)
{
    journal_index_done(&j->index);
    j->crl_count = 0;
    j->mark_count = 0;
}

static lt_res learn(void *self, uint64_t frame, uint64_t offset, const struct journal_entry *e)
{
    struct journal *j = self;
    if (offset == frame + JOURNAL_FRAME_HEAD_LEN) {
        journal_mark_frame(j, e->sequence, frame);
    }
    bool crl = e->what == JOURNAL_SIGNATURE && e->kind == JOURNAL_KIND_CRL;
    LT_CHECK(!crl || !lt_failed(journal_check_crl_number(j, e)), LT_STATE_CORRUPT,
             "journal: the CRL number of record %llu does not grow", (unsigned long long)e->sequence);
    return journal_learn(j, offset, e);
}

/* Reads the main file into the tables. */
static lt_res learn_all(struct journal *j, struct journal_scan *ret_scan)
{
    forget_all(j);
    return journal_scan(j->io, j->fd[JOURNAL_MAIN], UINT64_MAX, learn, j, ret_scan);
}

/* What is in the file by now, scanned after all that changed it. */
static void take_scan(struct journal *j, const struct journal_scan *s)
{
    j->header = s->header;
    j->end = s->end;
    j->room = s->end;
    j->synced = s->at;
    j->latest = s->at;
    for (size_t i = 0; i < j->crl_count; i++) {
        memcpy(j->crl[i].synced, j->crl[i].latest, sizeof j->crl[i].synced);
    }
}

/* Reads main and mirror, mends both, and reads main again where that brought records to it. */
static lt_res settle_places(struct journal *j, const struct journal_options *o)
{
    struct journal_scan s[JOURNAL_PLACES] = {0};
    struct journal_scan again = {0};
    lt_res r = learn_all(j, &s[JOURNAL_MAIN]);
    if (!lt_failed(r) && j->fd[JOURNAL_MIRROR] >= 0) {
        r = journal_scan(j->io, j->fd[JOURNAL_MIRROR], UINT64_MAX, NULL, NULL, &s[JOURNAL_MIRROR]);
        r = lt_failed(r) ? r : reconcile(o, &s[JOURNAL_MIRROR], &s[JOURNAL_MAIN]);
    } else if (!lt_failed(r)) {
        r = s[JOURNAL_MAIN].empty ? write_header(j->io, j->fd[JOURNAL_MAIN], o) : settle(&s[JOURNAL_MAIN]);
    }
    bool behind = s[JOURNAL_MAIN].empty || s[JOURNAL_MAIN].at.sequence < s[JOURNAL_MIRROR].at.sequence;
    if (!lt_failed(r) && behind) {
        r = learn_all(j, &again);
    }
    if (!lt_failed(r)) {
        take_scan(j, behind ? &again : &s[JOURNAL_MAIN]);
    }
    journal_scan_done(&s[JOURNAL_MAIN]);
    journal_scan_done(&s[JOURNAL_MIRROR]);
    journal_scan_done(&again);
    return r;
}

static lt_res open_all(struct journal *j, const struct journal_options *o)
{
    LT_TRY(open_at(j->io, o->folder, log_name, &j->fd[JOURNAL_MAIN]));
    LT_TRY(open_at(j->io, o->folder, ack_name, &j->ack_fd));
    if (o->mirror != NULL && o->mirror[0] != 0) {
        LT_TRY(open_at(j->io, o->mirror, log_name, &j->fd[JOURNAL_MIRROR]));
    }
    j->end = UINT64_MAX; /* while opening, every record that the index names is in the file */
    LT_TRY(settle_places(j, o));
    LT_TRY(journal_ack_load(j));
    LT_CHECK(
        j->acknowledged <= j->synced.sequence, LT_STATE_CORRUPT,
        "journal: it ends at record %llu, but the book acknowledged %llu: put back the copy from the mirror "
        "or a backup",
        (unsigned long long)j->synced.sequence, (unsigned long long)j->acknowledged);
    return LT_OK;
}

lt_res journal_open(const struct journal_options *options, struct journal **ret_journal)
{
    struct journal *j = calloc(1, sizeof *j);
    LT_ASSERT(j != NULL);
    j->io = options->io == NULL ? &journal_io_posix : options->io;
    j->fd[JOURNAL_MAIN] = -1;
    j->fd[JOURNAL_MIRROR] = -1;
    j->ack_fd = -1;
    j->grow = options->grow == 0 ? GROW_DEFAULT : options->grow;
    lt_buf_init(&j->pending, JOURNAL_FRAME_MAX);
    j->crl = calloc(JOURNAL_ISSUERS_MAX, sizeof *j->crl);
    LT_ASSERT(j->crl != NULL);
    lt_res r = open_all(j, options);
    if (lt_failed(r)) {
        journal_close(j);
        return r;
    }
    *ret_journal = j;
    return LT_OK;
}

void journal_close(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    int fds[] = {j->fd[JOURNAL_MAIN], j->fd[JOURNAL_MIRROR], j->ack_fd};
    for (size_t i = 0; i < LT_COUNT(fds); i++) {
        if (fds[i] >= 0) {
            j->io->close(j->io->self, fds[i]);
        }
    }
    lt_buf_done(&j->pending);
    journal_index_done(&j->index);
    free(j->undo);
    free(j->crl);
    free(j->marks);
    free(j);
}
