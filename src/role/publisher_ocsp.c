/* Answers of OCSP: the base file, written anew while the loop goes on, with the signatures of the old one as
 * long as they are fresh; and every second the delta, where something changed. Both appear whole or not at
 * all. */
#include "role/publisher_ocsp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ca/import_watch.h"
#include "crypto/digest.h"
#include "publish.pb-c.h"

enum {
    ROWS = 4096,  /* of the base in one go */
    TICK_MS = 20, /* of the base in one turn; CRLs wait for it */
    DELTA_EVERY_MS = 1000,
    BASE_EVERY_MS = 3600 * 1000,
    RETRY_MS = 10000,
    SAY_EVERY_MS = 60000,
    TELL_EVERY_MS = 30000,
    FAR_EVERY_S = 20,
    FILE_MAX = 64 * 1024 * 1024,
};

#define BASE "public/ocsp/base"
#define DELTA "public/ocsp/delta"

struct publisher_ocsp {
    int folder_fd;
    struct ca_ocsp_source source;
    struct ca_ocsp_issuer *issuers; /* of the source, as the file has them */
    struct sheet_responders *responders;
    struct lt_arena arena;

    lt_slice old_bytes; /* the base that is published, mapped; empty: none */
    struct ca_ocsp_map old;
    uint64_t old_at; /* the merge of old and new */
    bool old_fits;   /* its issuers are these, so its signatures may be used again */

    int fd; /* of the base under way; -1: none */
    struct ca_ocsp_reading reading;
    bool reading_ended;
    uint64_t rows_written;
    struct ca_ocsp_row *base_rows; /* ROWS */
    struct sheet base;
    int64_t base_ms; /* when it is written next */

    struct ca_ocsp_row *delta; /* sorted; CA_OCSP_CHANGES_MAX */
    size_t delta_count;
    struct ca_ocsp_row *changes; /* CA_OCSP_CHANGES_MAX */
    struct sheet news;
    bool looking;       /* news is being signed */
    lt_time looked;     /* what was committed by then is in it, once it is signed */
    lt_time answered;   /* what was committed by then is answered */
    lt_time looked_far; /* the same, of a look that went back far */
    bool left;          /* not all that the looks found: the rest waits for the next base */
    bool delta_written; /* for this generation */
    int64_t delta_ms;
    int64_t said_ms;
    int64_t told_ms; /* when the registrar is told next how far this is */
};

static lt_res describe(const struct ca_crl_issuer *from, struct ca_ocsp_issuer *ret)
{
    struct x509_spki spki;
    *ret = (struct ca_ocsp_issuer){0};
    LT_TRY(x509_spki_parse(from->spki, &spki));
    (void)snprintf(ret->name, sizeof ret->name, "%s", from->name); /* names have 32 letters */
    crypto_sha1(from->subject, ret->name_hash[X509_OCSP_SHA1]);
    crypto_sha256(from->subject, ret->name_hash[X509_OCSP_SHA256]);
    crypto_sha1(spki.key, ret->key_hash[X509_OCSP_SHA1]);
    crypto_sha256(spki.key, ret->key_hash[X509_OCSP_SHA256]);
    return LT_OK;
}

/* ---- the base that is there ---- */

static void unmap_old(struct publisher_ocsp *o)
{
    if (o->old_bytes.len > 0) {
        (void)munmap((void *)(uintptr_t)o->old_bytes.ptr,
                     o->old_bytes.len); /* our own mapping: it cannot fail */
    }
    o->old_bytes = (lt_slice){0};
    o->old = (struct ca_ocsp_map){0};
    o->old_fits = false;
}

static bool issuers_fit(const struct publisher_ocsp *o)
{
    return lt_slice_eq(o->old.issuers, LT_SLICE(o->issuers, o->source.issuer_count * sizeof o->issuers[0]));
}

/* What cannot be read is as if it were not there. */
static void map_old(struct publisher_ocsp *o)
{
    struct stat st;
    unmap_old(o);
    LT_CLEANUP(lt_fd_closep) int fd = openat(o->folder_fd, BASE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0) {
        return;
    }
    const void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        return;
    }
    o->old_bytes = LT_SLICE(at, (size_t)st.st_size);
    if (lt_failed(ca_ocsp_map_open(o->old_bytes, &o->old))) {
        lt_log_error("answers of OCSP of before");
        unmap_old(o);
        return;
    }
    o->old_fits = issuers_fit(o);
}

/* May an answer be given on, or is it time for a new one? */
static bool fresh(const struct ca_ocsp_row *row, lt_time now)
{
    int64_t now_s = lt_time_seconds(now);
    int64_t half_s = (row->next_s - row->this_s) / 2; /* less than usual at the end of a responder's life */
    int64_t refresh_s = ca_ocsp_times_at(now).refresh_s;
    return row->this_s <= now_s && now_s - row->this_s < (half_s < refresh_s ? half_s : refresh_s);
}

static bool take_old(struct publisher_ocsp *o, const struct ca_ocsp_row *old, struct ca_ocsp_row *row,
                     lt_time now)
{
    struct ca_ocsp_responder by;
    if (!ca_ocsp_same_facts(old, row) || !fresh(old, now) ||
        !ca_ocsp_map_responder(&o->old, old->responder, &by) || by.len > CA_OCSP_CERTIFICATE_MAX) {
        return false;
    }
    int number = sheet_responder(o->responders, LT_SLICE(by.certificate, by.len));
    if (number < 0) {
        return false;
    }
    *row = *old;
    row->responder = (uint16_t)number;
    return true;
}

/* Both are sorted, so one pass over the old file serves the whole new one. */
static void use_old(struct publisher_ocsp *o, struct ca_ocsp_row *rows, size_t count, lt_time now)
{
    struct ca_ocsp_row old;
    for (size_t i = 0; o->old_fits && i < count; i++) {
        while (ca_ocsp_map_row(&o->old, o->old_at, &old) && ca_ocsp_row_compare(&old, &rows[i]) < 0) {
            o->old_at++;
        }
        if (ca_ocsp_map_row(&o->old, o->old_at, &old)) {
            (void)take_old(o, &old, &rows[i], now); /* where not, it is signed anew */
        }
    }
}

/* ---- the base ---- */

static void give_up(struct publisher_ocsp *o)
{
    lt_log_error("answers of OCSP");
    lt_fd_closep(&o->fd);
    o->base_ms = lt_monotonic_ms() + RETRY_MS;
    lt_metric_add("lintel_ocsp_failures_total", 1);
}

static lt_res begin(struct publisher_ocsp *o, lt_time now)
{
    struct ca_ocsp_header empty = {0};
    o->fd = openat(o->folder_fd, BASE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                   (mode_t)0644);
    LT_CHECK(o->fd >= 0, LT_STATE_IO, BASE ".new: %s", strerror(errno));
    o->reading = (struct ca_ocsp_reading){.now = now};
    o->reading_ended = false;
    o->rows_written = 0;
    o->old_at = 0;
    sheet_begin(&o->base, o->base_rows, 0);
    return lt_write_all(o->fd, LT_SLICE(&empty, sizeof empty));
}

static lt_slice issuers_of(const struct publisher_ocsp *o)
{
    return LT_SLICE(o->issuers, o->source.issuer_count * sizeof o->issuers[0]);
}

static lt_slice responders_of(const struct publisher_ocsp *o)
{
    return LT_SLICE(o->responders->list, o->responders->count * sizeof o->responders->list[0]);
}

/* Synced, as the next process may use its signatures again. */
static lt_res finish(struct publisher_ocsp *o)
{
    struct ca_ocsp_header head = ca_ocsp_head(
        o->reading.now.us, o->rows_written, (uint32_t)o->source.issuer_count, (uint32_t)o->responders->count);
    LT_TRY(lt_write_all(o->fd, issuers_of(o)));
    LT_TRY(lt_write_all(o->fd, responders_of(o)));
    LT_CHECK(pwrite(o->fd, &head, sizeof head, 0) == (ssize_t)sizeof head, LT_STATE_IO, BASE ".new: %s",
             strerror(errno));
    LT_CHECK(fchmod(o->fd, 0644) == 0 && fdatasync(o->fd) == 0 &&
                 renameat(o->folder_fd, BASE ".new", o->folder_fd, BASE) == 0,
             LT_STATE_IO, BASE ": %s", strerror(errno));
    lt_fd_closep(&o->fd);
    lt_log(LT_LOG_INFO, "answers of OCSP written", "certificates=%llu signatures=%llu",
           (unsigned long long)head.rows, (unsigned long long)o->base.signatures);
    lt_metric_set("lintel_ocsp_rows", (int64_t)head.rows);
    o->base.signatures = 0;
    map_old(o);
    o->delta_count = 0;
    o->looking = false;
    o->delta_written = false;
    o->delta_ms = 0;
    o->base_ms = lt_monotonic_ms() + BASE_EVERY_MS;
    o->answered = o->answered.us > o->reading.now.us ? o->answered : o->reading.now;
    o->left = false; /* the next look goes back to where this base began */
    return LT_OK;
}

/* What is signed is written, and the next rows are read. */
static lt_res step(struct publisher_ocsp *o, lt_time now)
{
    size_t count = 0;
    LT_TRY(lt_write_all(o->fd, LT_SLICE(o->base_rows, o->base.count * sizeof o->base_rows[0])));
    o->rows_written += o->base.count;
    sheet_begin(&o->base, o->base_rows, 0);
    if (o->reading_ended) {
        return finish(o);
    }
    LT_TRY(ca_ocsp_rows(&o->source, &o->reading, ROWS, o->base_rows, &count, &o->reading_ended));
    use_old(o, o->base_rows, count, now);
    sheet_begin(&o->base, o->base_rows, count);
    sheet_send(&o->base, now);
    return LT_OK;
}

static lt_res steps(struct publisher_ocsp *o, lt_time now)
{
    int64_t end_ms = lt_monotonic_ms() + TICK_MS;
    sheet_send(&o->base, now);
    while (o->fd >= 0 && sheet_done(&o->base) && lt_monotonic_ms() < end_ms) {
        LT_TRY(step(o, now));
    }
    return LT_OK;
}

static void go_on(struct publisher_ocsp *o, lt_time now)
{
    if (o->fd < 0 && lt_monotonic_ms() >= o->base_ms) {
        if (lt_failed(begin(o, now))) {
            give_up(o);
        }
    } else if (o->fd >= 0 && lt_failed(steps(o, now))) {
        give_up(o);
    }
}

/* ---- the delta ---- */

static lt_res write_parts(const struct publisher_ocsp *o, int fd)
{
    struct ca_ocsp_header head = ca_ocsp_head(o->old.head.generation, o->delta_count,
                                              (uint32_t)o->source.issuer_count,
                                              (uint32_t)o->responders->count);
    LT_TRY(lt_write_all(fd, LT_SLICE(&head, sizeof head)));
    LT_TRY(lt_write_all(fd, LT_SLICE(o->delta, o->delta_count * sizeof o->delta[0])));
    LT_TRY(lt_write_all(fd, issuers_of(o)));
    return lt_write_all(fd, responders_of(o));
}

/* Replaced by name, not synced: it is made again from the book. */
static lt_res write_delta(struct publisher_ocsp *o)
{
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(o->folder_fd, DELTA ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    (mode_t)0644);
    LT_CHECK(fd >= 0, LT_STATE_IO, DELTA ".new: %s", strerror(errno));
    LT_TRY(write_parts(o, fd));
    LT_CHECK(fchmod(fd, 0644) == 0 && renameat(o->folder_fd, DELTA ".new", o->folder_fd, DELTA) == 0,
             LT_STATE_IO, DELTA ": %s", strerror(errno));
    o->delta_written = true;
    lt_metric_set("lintel_ocsp_changes", (int64_t)o->delta_count);
    return LT_OK;
}

static bool is_answered(const struct publisher_ocsp *o, const struct ca_ocsp_row *row, lt_time now)
{
    struct ca_ocsp_row old;
    size_t low = 0;
    size_t high = o->delta_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = ca_ocsp_row_compare(row, &o->delta[mid]);
        if (c == 0) {
            return ca_ocsp_same_facts(row, &o->delta[mid]) && fresh(&o->delta[mid], now);
        }
        low = c > 0 ? mid + 1 : low;
        high = c > 0 ? high : mid;
    }
    return ca_ocsp_map_find(&o->old, row, &old) && ca_ocsp_same_facts(row, &old) && fresh(&old, now);
}

/* Revocations of very many wait for the next base, which has them; what was just issued is answered now. */
static size_t leave_to_base(struct publisher_ocsp *o, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (o->changes[i].status != X509_OCSP_REVOKED) {
            o->changes[kept++] = o->changes[i];
        }
    }
    return kept;
}

/* The first look at a generation goes back to before its base began to read, later ones only a little; and
 * now and then one further, for what a slow server has committed long after its time. */
static lt_res changes_of(struct publisher_ocsp *o, lt_time now, size_t *ret_count, bool *ret_more)
{
    lt_time began = {o->old.head.generation};
    bool first = !o->delta_written;
    bool far = first || now.us - o->looked_far.us >= FAR_EVERY_S * LT_US_PER_SECOND;
    lt_time near = lt_time_add_seconds(first ? began : o->looked, -CA_OCSP_OVERLAP_S);
    if (far) {
        lt_time since = lt_time_add_seconds(first ? began : o->looked_far, -CA_OCSP_LATE_S);
        lt_res r = ca_ocsp_changes(&o->source, since, now, o->changes, ret_count, ret_more);
        o->looked_far = now;
        if (r.code != LT_PEER_TOO_LARGE) {
            return r;
        }
    }
    return ca_ocsp_changes(&o->source, near, now, o->changes, ret_count, ret_more);
}

static lt_res look(struct publisher_ocsp *o, lt_time now)
{
    size_t count = 0;
    size_t kept = 0;
    bool more = false;
    LT_TRY(changes_of(o, now, &count, &more));
    for (size_t i = 0; i < count; i++) {
        if (!is_answered(o, &o->changes[i], now)) {
            o->changes[kept++] = o->changes[i];
        }
    }
    if (o->delta_count + kept > CA_OCSP_CHANGES_MAX) {
        kept = leave_to_base(o, kept);
        more = true;
    }
    o->left = o->left || more;
    LT_CHECK(o->delta_count + kept <= CA_OCSP_CHANGES_MAX, LT_PEER_TOO_LARGE, "over %d changes for OCSP",
             CA_OCSP_CHANGES_MAX);
    bool imported = false;
    LT_TRY(ca_import_waits(o->source.store, (lt_time){o->old.head.generation}, now, &imported));
    if ((more || imported) && o->fd < 0) {
        o->base_ms = 0; /* so much at once is what the base is for */
    }
    o->looked = now;
    o->looking = true;
    sheet_begin(&o->news, o->changes, kept);
    return LT_OK;
}

/* A row that was there before gives way to the new one. */
static void merge(struct publisher_ocsp *o)
{
    size_t kept = 0;
    for (size_t i = 0, k = 0; i < o->delta_count; i++) {
        while (k < o->news.count && ca_ocsp_row_compare(&o->changes[k], &o->delta[i]) < 0) {
            k++;
        }
        if (k >= o->news.count || ca_ocsp_row_compare(&o->changes[k], &o->delta[i]) != 0) {
            o->delta[kept++] = o->delta[i];
        }
    }
    memcpy(o->delta + kept, o->changes, o->news.count * sizeof o->delta[0]); /* look measured it */
    o->delta_count = kept + o->news.count;
    ca_ocsp_sort(o->delta, o->delta_count);
}

static lt_res look_done(struct publisher_ocsp *o)
{
    bool changed = o->news.count > 0;
    o->looking = false;
    merge(o);
    LT_TRY(changed || !o->delta_written ? write_delta(o) : LT_OK);
    o->answered = o->left ? o->answered : o->looked;
    return LT_OK;
}

static lt_res look_at_delta(struct publisher_ocsp *o, lt_time now)
{
    if (o->old_bytes.len == 0) {
        return LT_OK;
    }
    if (!o->looking && lt_monotonic_ms() >= o->delta_ms) {
        o->delta_ms = lt_monotonic_ms() + DELTA_EVERY_MS;
        LT_TRY(look(o, now));
    }
    if (o->looking) {
        sheet_send(&o->news, now);
        LT_TRY(sheet_done(&o->news) ? look_done(o) : LT_OK);
    }
    return LT_OK;
}

/* For who watches. One that is lost is followed by the next. */
static void tell(struct publisher_ocsp *o)
{
    Ipc__OcspAnswered m = IPC__OCSP_ANSWERED__INIT;
    if (lt_monotonic_ms() < o->told_ms) {
        return;
    }
    o->told_ms = lt_monotonic_ms() + TELL_EVERY_MS;
    m.answered_us = o->answered.us;
    lt_ignore(role_send(o->base.kit, IPC_REGISTRAR, ROLE_ANY, IPC_OCSP_ANSWERED, 0, &m.base));
}

static void watch(struct publisher_ocsp *o, lt_time now)
{
    tell(o);
    int64_t behind_s = lt_time_seconds(now) - lt_time_seconds(o->answered);
    lt_metric_set("lintel_ocsp_behind_seconds", behind_s);
    if (behind_s > ca_ocsp_times_at(now).authoritative_s / 2 && lt_monotonic_ms() >= o->said_ms) {
        o->said_ms = lt_monotonic_ms() + SAY_EVERY_MS;
        lt_log(LT_LOG_ERROR, "OCSP is behind the book", "seconds=%lld", (long long)behind_s);
    }
}

static void turn(struct publisher_ocsp *o, lt_time now)
{
    go_on(o, now);
    lt_res r = look_at_delta(o, now);
    if (r.code == LT_PEER_TOO_LARGE) {
        o->base_ms = o->fd < 0 ? 0 : o->base_ms; /* so much at once is what the base is for */
    } else if (lt_failed(r)) {
        lt_log_error("changes for OCSP");
        o->delta_written = false; /* the next look goes back to the beginning */
    }
}

/* ---- from outside ---- */

void publisher_ocsp_tick(struct publisher_ocsp *o, lt_time now)
{
    if (o != NULL) {
        turn(o, now);
        watch(o, now);
    }
}

void publisher_ocsp_on_signed(struct publisher_ocsp *o, const struct ipc_msg *m)
{
    if (o != NULL && (sheet_take(&o->base, m) || (o->looking && sheet_take(&o->news, m)))) {
        turn(o, lt_now());
    }
}

void publisher_ocsp_unlinked(struct publisher_ocsp *o, enum ipc_role peer)
{
    if (o != NULL && peer == IPC_OCSP_SIGNER) {
        sheet_ask_again(&o->base);
        sheet_ask_again(&o->news);
    }
}

static lt_res choose(struct publisher_ocsp *o, const struct ca_crl_issuer *issuers, size_t count,
                     const struct ca_config *config)
{
    const struct ca_crl_issuer **list = LT_NEW_ARRAY(&o->arena, const struct ca_crl_issuer *, count + 1);
    o->issuers = LT_NEW_ARRAY(&o->arena, struct ca_ocsp_issuer, count + 1);
    LT_ASSERT(list != NULL && o->issuers != NULL);
    o->source.issuers = list;
    for (size_t i = 0; i < count && o->source.issuer_count < CA_OCSP_ISSUERS_MAX; i++) {
        const struct ca_config_issuer *c = ca_config_issuer(config, lt_slice_cstr(issuers[i].name));
        if (c != NULL && c->ocsp) {
            LT_TRY(describe(&issuers[i], &o->issuers[o->source.issuer_count]));
            list[o->source.issuer_count++] = &issuers[i];
        }
    }
    return LT_OK;
}

static struct ca_ocsp_row *rows(size_t count)
{
    struct ca_ocsp_row *r = calloc(count, sizeof *r); /* pages that are not written cost nothing */
    LT_ASSERT(r != NULL);
    return r;
}

lt_res publisher_ocsp_new(struct role_kit *kit, int folder_fd, struct store *store,
                          const struct ca_crl_issuer *issuers, size_t issuer_count,
                          const struct ca_config *config, struct publisher_ocsp **ret_ocsp)
{
    struct publisher_ocsp *o = calloc(1, sizeof *o);
    LT_ASSERT(o != NULL);
    *o = (struct publisher_ocsp){.folder_fd = folder_fd, .source.store = store, .fd = -1};
    *ret_ocsp = NULL;
    lt_arena_init(&o->arena, 1024 * 1024);
    LT_TRY(choose(o, issuers, issuer_count, config)); /* a failure ends the process */
    if (o->source.issuer_count == 0) {
        lt_arena_done(&o->arena);
        free(o);
        return LT_OK;
    }
    o->responders = calloc(1, sizeof *o->responders);
    LT_ASSERT(o->responders != NULL);
    o->base_rows = rows(ROWS);
    o->delta = rows(CA_OCSP_CHANGES_MAX);
    o->changes = rows(CA_OCSP_CHANGES_MAX);
    const struct sheet sheet = {
        .kit = kit, .source = &o->source, .issuers = o->issuers, .responders = o->responders};
    o->base = sheet;
    o->news = sheet;
    o->answered = lt_now();
    map_old(o);
    *ret_ocsp = o;
    return LT_OK;
}
