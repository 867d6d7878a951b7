/* The journal at work: find, append, sync, read again, acknowledge. */
#include "signer/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "signer/journal_impl.h"

/* The acknowledgement's file: sequence, journal id, hash. One write in place; a torn one counts as none. */
enum { ACK_LEN = 8 + JOURNAL_ID_LEN + JOURNAL_HASH_LEN };

uint64_t journal_last(const struct journal *j)
{
    return j->latest.sequence;
}

uint64_t journal_synced(const struct journal *j)
{
    return j->synced.sequence;
}

uint64_t journal_first(const struct journal *j)
{
    return j->header.first_sequence;
}

lt_time journal_last_time(const struct journal *j)
{
    return (lt_time){j->latest.time_us};
}

const uint8_t *journal_head(const struct journal *j)
{
    return j->latest.chain;
}

bool journal_same_key(const struct journal_entry *a, const struct journal_entry *b)
{
    return a->what == b->what && a->kind == b->kind && lt_slice_eq(a->issuer, b->issuer) &&
           lt_slice_eq(a->serial, b->serial);
}

lt_res journal_load(struct journal *j, uint64_t offset, uint8_t *buffer, struct journal_entry *ret_entry)
{
    size_t len;
    if (offset >= j->end) {
        lt_slice pending = lt_buf_slice(&j->pending);
        return journal_record_peek(lt_slice_sub(pending, (size_t)(offset - j->end), pending.len), ret_entry,
                                   &len);
    }
    LT_TRY(journal_read_at(j->io, j->fd[JOURNAL_MAIN], offset, buffer, JOURNAL_RECORD_MIN));
    len = (size_t)buffer[0] << 8 | buffer[1];
    LT_CHECK(len >= JOURNAL_RECORD_MIN && len <= JOURNAL_RECORD_MAX, LT_STATE_CORRUPT,
             "journal: a record changed while it was open");
    LT_TRY(journal_read_at(j->io, j->fd[JOURNAL_MAIN], offset + JOURNAL_RECORD_MIN,
                           buffer + JOURNAL_RECORD_MIN, len - JOURNAL_RECORD_MIN));
    return journal_record_peek(LT_SLICE(buffer, len), ret_entry, &len);
}

/* What the journal has under a key. */
struct found {
    uint64_t offset; /* 0: nothing */
    struct journal_entry entry;
    uint8_t buffer[JOURNAL_RECORD_MAX]; /* the entry's slices point here, or into the pending records */
};

static lt_res look_up(struct journal *j, const struct journal_entry *key, uint64_t hash,
                      struct found *ret_found)
{
    size_t cursor = 0;
    ret_found->offset = 0;
    for (uint64_t at; (at = journal_index_next(&j->index, hash, &cursor)) != 0;) {
        LT_TRY(journal_load(j, at, ret_found->buffer, &ret_found->entry));
        if (journal_same_key(key, &ret_found->entry)) {
            ret_found->offset = at;
            return LT_OK;
        }
    }
    return LT_OK;
}

static lt_res copy_entry(struct lt_arena *a, struct journal_entry *e)
{
    lt_slice *slices[] = {&e->issuer, &e->serial, &e->signature};
    for (size_t i = 0; i < LT_COUNT(slices); i++) {
        *slices[i] = lt_arena_copy(a, *slices[i]);
        LT_CHECK(slices[i]->ptr != NULL, LT_PEER_TOO_LARGE, "journal: over the memory limit");
    }
    return LT_OK;
}

lt_res journal_find(struct journal *j, const struct journal_entry *key, struct lt_arena *a,
                    struct journal_entry *ret_entry)
{
    struct found found;
    LT_TRY(look_up(j, key, journal_index_hash(key), &found));
    LT_CHECK(found.offset != 0, LT_PEER_NOT_FOUND, "journal: no such record");
    *ret_entry = found.entry;
    return copy_entry(a, ret_entry);
}

/* ---- CRL numbers ---- */

static lt_slice strip(lt_slice number)
{
    while (number.len > 0 && number.ptr[0] == 0) {
        number = lt_slice_sub(number, 1, number.len);
    }
    return number;
}

static struct journal_crl_number *crl_row(const struct journal *j, lt_slice issuer)
{
    for (size_t i = 0; i < j->crl_count; i++) {
        if (lt_slice_eq_cstr(issuer, j->crl[i].issuer)) {
            return &j->crl[i];
        }
    }
    return NULL;
}

static void align(lt_slice number, uint8_t ret_number[JOURNAL_CRL_NUMBER_MAX])
{
    memset(ret_number, 0, JOURNAL_CRL_NUMBER_MAX);
    if (number.len > 0) {
        memcpy(ret_number + JOURNAL_CRL_NUMBER_MAX - number.len, number.ptr, number.len);
    }
}

/*= RFC 5280 5.2.3 "Conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets." */
/*= CABF-BR 7.2.2 "MUST contain an INTEGER greater than or equal to zero (0) and less than 2¹⁵⁹, and convey a
 *= strictly increasing sequence." */
lt_res journal_check_crl_number(const struct journal *j, const struct journal_entry *e)
{
    lt_slice number = strip(e->serial);
    LT_CHECK(number.len > 0 && number.len <= JOURNAL_CRL_NUMBER_MAX &&
                 (number.len < JOURNAL_CRL_NUMBER_MAX || number.ptr[0] < 0x80),
             LT_POLICY_REFUSED, "a CRL number must be positive and below 2^159");
    const struct journal_crl_number *row = crl_row(j, e->issuer);
    if (row == NULL) {
        LT_CHECK(j->crl_count < JOURNAL_ISSUERS_MAX, LT_POLICY_REFUSED, "over %d issuers of CRLs",
                 JOURNAL_ISSUERS_MAX);
        return LT_OK;
    }
    uint8_t aligned[JOURNAL_CRL_NUMBER_MAX];
    align(number, aligned);
    LT_CHECK(memcmp(aligned, row->latest, sizeof aligned) > 0, LT_POLICY_REFUSED,
             "the CRL number of issuer %s does not grow", row->issuer);
    return LT_OK;
}

static void learn_crl_number(struct journal *j, const struct journal_entry *e)
{
    struct journal_crl_number *row = crl_row(j, e->issuer);
    if (row == NULL) {
        row = &j->crl[j->crl_count++];
        *row = (struct journal_crl_number){0};
        memcpy(row->issuer, e->issuer.ptr, e->issuer.len);
    }
    align(strip(e->serial), row->latest);
}

/* ---- appending ---- */

static void *grown(void *array, size_t *size, size_t count, size_t item)
{
    if (count < *size) {
        return array;
    }
    *size = *size == 0 ? 64 : *size * 2;
    void *p = reallocarray(array, *size, item);
    LT_ASSERT(p != NULL);
    return p;
}

void journal_mark_frame(struct journal *j, uint64_t sequence, uint64_t offset)
{
    if (j->mark_count > 0 && sequence - j->marks[j->mark_count - 1].sequence < JOURNAL_MARK_EVERY) {
        return;
    }
    j->marks = grown(j->marks, &j->mark_size, j->mark_count, sizeof *j->marks);
    j->marks[j->mark_count++] = (struct journal_mark){.sequence = sequence, .offset = offset};
}

lt_res journal_learn(struct journal *j, uint64_t offset, const struct journal_entry *e)
{
    if (e->what == JOURNAL_KNOT) {
        return LT_OK; /* nobody asks for a knot again */
    }
    if (e->what == JOURNAL_SIGNATURE && e->kind == JOURNAL_KIND_CRL) {
        learn_crl_number(j, e);
    }
    struct found old;
    uint64_t hash = journal_index_hash(e);
    LT_TRY(look_up(j, e, hash, &old));
    LT_CHECK(old.offset == 0 || e->what != JOURNAL_SIGNATURE, LT_STATE_CORRUPT,
             "journal: records %llu and %llu sign for the same serial",
             (unsigned long long)old.entry.sequence, (unsigned long long)e->sequence);
    if (old.offset != 0) {
        journal_index_set(&j->index, hash, old.offset, offset);
    } else {
        journal_index_add(&j->index, hash, offset);
    }
    if (offset >= j->end) {
        j->undo = grown(j->undo, &j->undo_size, j->undo_count, sizeof *j->undo);
        j->undo[j->undo_count++] = (struct journal_undo){
            .hash = hash, .offset = offset, .old_offset = old.offset};
    }
    return LT_OK;
}

static lt_res check_new(struct journal *j, const struct journal_entry *e)
{
    LT_CHECK(!j->failed, LT_STATE_IO, "journal: a write has failed before");
    LT_CHECK(e->issuer.len > 0 && e->issuer.len <= JOURNAL_NAME_MAX &&
                 lt_slice_find(e->issuer, 0) == e->issuer.len && e->serial.len > 0 &&
                 e->serial.len <= JOURNAL_NAME_MAX && e->signature.len <= JOURNAL_SIGNATURE_MAX &&
                 e->kind <= UINT8_MAX,
             LT_POLICY_REFUSED, "a name, serial or signature is empty or too long for the journal");
    LT_CHECK(e->time_us >= j->latest.time_us, LT_RETRY_UNAVAILABLE,
             "it is earlier than the last journal entry");
    LT_CHECK(j->pending.len + JOURNAL_RECORD_MAX <= JOURNAL_FRAME_MAX, LT_RETRY_BUSY,
             "journal: too much waits for a sync");
    if (e->what != JOURNAL_SIGNATURE) {
        return LT_OK;
    }
    struct found old;
    LT_TRY(look_up(j, e, journal_index_hash(e), &old));
    LT_CHECK(old.offset == 0, LT_POLICY_REFUSED, "this serial has been signed for (record %llu)",
             (unsigned long long)old.entry.sequence);
    return e->kind == JOURNAL_KIND_CRL ? journal_check_crl_number(j, e) : LT_OK;
}

lt_res journal_append(struct journal *j, struct journal_entry *e)
{
    LT_TRY(check_new(j, e));
    if (j->pending_count == 0) {
        lt_buf_reset(&j->pending);
        (void)lt_buf_extend(&j->pending, JOURNAL_FRAME_HEAD_LEN); /* an empty buffer has room for it */
    }
    uint64_t offset = j->end + j->pending.len;
    journal_record_encode(e, &j->latest, &j->pending);
    j->pending_count++;
    return journal_learn(j, offset, e);
}

/* ---- syncing ---- */

static void forget_pending(struct journal *j)
{
    j->pending_count = 0;
    j->undo_count = 0;
    lt_buf_reset(&j->pending);
}

static void undo_pending(struct journal *j)
{
    for (size_t i = j->undo_count; i > 0; i--) {
        const struct journal_undo *u = &j->undo[i - 1];
        journal_index_set(&j->index, u->hash, u->offset, u->old_offset);
    }
    for (size_t i = 0; i < j->crl_count; i++) {
        memcpy(j->crl[i].latest, j->crl[i].synced, sizeof j->crl[i].latest);
    }
    j->latest = j->synced;
    forget_pending(j);
}

/* The frame's head and zeros around the pending records. */
static lt_slice close_frame(struct journal *j)
{
    struct journal_frame_head head = {
        .len = (uint32_t)j->pending.len,
        .first_sequence = j->synced.sequence + 1,
        .count = j->pending_count,
    };
    size_t padding = (size_t)(journal_padded(j->pending.len) - j->pending.len);
    uint8_t *zeros = lt_buf_extend(&j->pending, padding);
    LT_ASSERT(zeros != NULL || padding == 0);
    if (padding > 0) {
        memset(zeros, 0, padding);
    }
    journal_frame_head_encode(&head, j->pending.ptr);
    return lt_buf_slice(&j->pending);
}

/* Zeros ahead of the end, in both places, so that most syncs write nothing but the frame: a file that grows
 * has its length in the file system's own journal, at each sync. Where there is no room, the frame itself
 * will say so. */
static lt_res make_room(struct journal *j, size_t len)
{
    static const uint8_t zeros[4096];
    if (j->end + len <= j->room || j->grow == JOURNAL_GROW_NONE) {
        return LT_OK;
    }
    uint64_t until = j->end + len + j->grow;
    for (size_t i = 0; i < JOURNAL_PLACES; i++) {
        for (uint64_t at = j->end; j->fd[i] >= 0 && at < until; at += sizeof zeros) {
            size_t n = until - at < sizeof zeros ? (size_t)(until - at) : sizeof zeros;
            lt_res r = journal_write_at(j->io, j->fd[i], at, LT_SLICE(zeros, n));
            if (r.code == LT_RETRY_UNAVAILABLE) {
                return LT_OK;
            }
            LT_TRY(r);
        }
        LT_CHECK(j->fd[i] < 0 || j->io->sync(j->io->self, j->fd[i]) == 0, LT_STATE_IO,
                 "journal: sync failed (%s)", strerror(errno));
    }
    j->room = until;
    return LT_OK;
}

static lt_res write_and_sync(struct journal *j, int fd, lt_slice frame)
{
    LT_TRY(journal_write_at(j->io, fd, j->end, frame));
    LT_CHECK(j->io->sync(j->io->self, fd) == 0, LT_STATE_IO,
             "journal: sync failed (%s); what is on the disk is unknown now", strerror(errno));
    return LT_OK;
}

/* The disk is full: take back what has been written of the frame. It was never relied on. */
static lt_res take_back(struct journal *j)
{
    for (size_t i = 0; i < JOURNAL_PLACES; i++) {
        LT_CHECK(j->fd[i] < 0 || j->io->truncate(j->io->self, j->fd[i], j->end) == 0, LT_STATE_IO,
                 "journal: truncate: %s", strerror(errno));
    }
    j->room = j->end;
    undo_pending(j);
    return LT_OK;
}

lt_res journal_sync(struct journal *j)
{
    LT_CHECK(!j->failed, LT_STATE_IO, "journal: a write has failed before");
    if (j->pending_count == 0) {
        return LT_OK;
    }
    lt_slice frame = close_frame(j);
    lt_res r = make_room(j, frame.len);
    if (!lt_failed(r) && j->fd[JOURNAL_MIRROR] >= 0) {
        r = write_and_sync(j, j->fd[JOURNAL_MIRROR], frame);
    }
    if (!lt_failed(r)) {
        r = write_and_sync(j, j->fd[JOURNAL_MAIN], frame);
    }
    if (r.code == LT_RETRY_UNAVAILABLE && !lt_failed(take_back(j))) {
        LT_FAIL(LT_RETRY_UNAVAILABLE, "journal: no room on the disk");
    }
    if (lt_failed(r)) {
        j->failed = true;
        return r.code == LT_RETRY_UNAVAILABLE ? (lt_res){LT_STATE_IO} : r;
    }
    journal_mark_frame(j, j->synced.sequence + 1, j->end);
    j->end += frame.len;
    j->synced = j->latest;
    for (size_t i = 0; i < j->crl_count; i++) {
        memcpy(j->crl[i].synced, j->crl[i].latest, sizeof j->crl[i].synced);
    }
    forget_pending(j);
    return LT_OK;
}

/* ---- reading again ---- */

/* The last mark at or before the record. */
static uint64_t frame_before(const struct journal *j, uint64_t sequence)
{
    size_t low = 0;
    size_t high = j->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (j->marks[middle].sequence <= sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? JOURNAL_HEADER_LEN : j->marks[low - 1].offset;
}

struct reading {
    struct journal *j;
    struct lt_arena *a;
    uint64_t after;
    size_t max;
    struct journal_entry *entries;
    size_t count;
};

/* One frame, record by record, without holding all of it. */
static lt_res read_frame_entries(struct reading *r, uint64_t at, const struct journal_frame_head *head)
{
    uint64_t offset = at + JOURNAL_FRAME_HEAD_LEN;
    for (uint32_t i = 0; i < head->count && r->count < r->max; i++) {
        uint8_t buffer[JOURNAL_RECORD_MAX];
        struct journal_entry e;
        LT_TRY(journal_load(r->j, offset, buffer, &e));
        offset += JOURNAL_RECORD_MIN + e.issuer.len + e.serial.len + e.signature.len;
        if (e.sequence > r->after) {
            LT_TRY(copy_entry(r->a, &e));
            r->entries[r->count++] = e;
        }
    }
    return LT_OK;
}

lt_res journal_read(struct journal *j, uint64_t after, size_t max, struct lt_arena *a,
                    struct journal_entry **ret_entries, size_t *ret_count)
{
    struct reading r = {.j = j, .a = a, .after = after, .max = max};
    r.entries = LT_NEW_ARRAY(a, struct journal_entry, max);
    LT_CHECK(r.entries != NULL, LT_PEER_TOO_LARGE, "journal: over the memory limit");
    uint64_t at = frame_before(j, after + 1);
    while (after < j->synced.sequence && at < j->end && r.count < max) {
        uint8_t bytes[JOURNAL_FRAME_HEAD_LEN];
        struct journal_frame_head head;
        LT_TRY(journal_read_at(j->io, j->fd[JOURNAL_MAIN], at, bytes, sizeof bytes));
        LT_TRY(journal_frame_head_decode(LT_SLICE(bytes, sizeof bytes), &head));
        LT_TRY(read_frame_entries(&r, at, &head));
        at += journal_padded(head.len);
    }
    *ret_entries = r.entries;
    *ret_count = r.count;
    return LT_OK;
}

/* ---- acknowledging ---- */

uint64_t journal_acknowledged(const struct journal *j)
{
    return j->acknowledged;
}

static void ack_encode(const struct journal *j, uint64_t sequence, uint8_t ret_bytes[ACK_LEN])
{
    for (size_t i = 0; i < 8; i++) {
        ret_bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
    memcpy(ret_bytes + 8, j->header.id, JOURNAL_ID_LEN);
    crypto_sha256(LT_SLICE(ret_bytes, 8 + JOURNAL_ID_LEN), ret_bytes + 8 + JOURNAL_ID_LEN);
}

lt_res journal_ack_load(struct journal *j)
{
    int64_t size = j->io->size(j->io->self, j->ack_fd);
    LT_CHECK(size >= 0, LT_STATE_IO, "journal: %s", strerror(errno));
    j->acknowledged = j->header.first_sequence - 1;
    if (size < ACK_LEN) {
        return LT_OK;
    }
    uint8_t bytes[ACK_LEN];
    LT_TRY(journal_read_at(j->io, j->ack_fd, 0, bytes, sizeof bytes));
    uint64_t sequence = 0;
    for (size_t i = 0; i < 8; i++) {
        sequence = sequence << 8 | bytes[i];
    }
    uint8_t right[ACK_LEN];
    ack_encode(j, sequence, right);
    if (memcmp(bytes, right, sizeof right) == 0) {
        j->acknowledged = sequence;
    }
    return LT_OK;
}

lt_res journal_acknowledge(struct journal *j, uint64_t sequence)
{
    LT_CHECK(sequence <= j->synced.sequence, LT_STATE_CORRUPT,
             "journal: the book acknowledges record %llu, the journal ends at %llu",
             (unsigned long long)sequence, (unsigned long long)j->synced.sequence);
    if (sequence <= j->acknowledged) {
        return LT_OK;
    }
    j->acknowledged = sequence;
    uint8_t bytes[ACK_LEN];
    ack_encode(j, sequence, bytes);
    lt_res r = journal_write_at(j->io, j->ack_fd, 0, LT_SLICE(bytes, sizeof bytes));
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r; /* a full disk only makes a later replay longer */
}

lt_res journal_check_book(const struct journal *j, uint64_t book_sequence)
{
    LT_CHECK(
        book_sequence <= j->synced.sequence, LT_STATE_CORRUPT,
        "the journal ends at record %llu, the book knows %llu: journal and book are not of one CA, or the "
        "journal was lost; put back its mirror",
        (unsigned long long)j->synced.sequence, (unsigned long long)book_sequence);
    LT_CHECK(book_sequence >= j->acknowledged && book_sequence + 1 >= j->header.first_sequence,
             LT_STATE_CORRUPT,
             "the book ends at journal record %llu, but had acknowledged %llu: it was restored. Run `lintel "
             "restore --reconcile` before anything is signed",
             (unsigned long long)book_sequence, (unsigned long long)j->acknowledged);
    return LT_OK;
}
