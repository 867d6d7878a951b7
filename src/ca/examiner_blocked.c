/* Blocked keys: a sorted array in memory, a file that grows by a line for each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/examiner_private.h"
#include "ca/parameters.h"

static const char blocked_file[] = "blocked";

/* Where it is, or would stand. */
static size_t place_of(const struct ca_examiner_state *s, lt_slice hash, bool *ret_there)
{
    size_t low = 0;
    size_t high = s->blocked_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(s->blocked[middle].bytes, hash.ptr, CA_KEY_HASH_LEN);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_there = false;
    return low;
}

static void insert(struct ca_examiner_state *s, size_t at, lt_slice hash)
{
    if (s->blocked_count == s->blocked_size) {
        s->blocked_size = s->blocked_size == 0 ? 256 : s->blocked_size * 2;
        s->blocked = realloc(s->blocked, s->blocked_size * sizeof(s->blocked[0]));
        LT_ASSERT(s->blocked != NULL);
    }
    memmove(&s->blocked[at + 1], &s->blocked[at], (s->blocked_count - at) * sizeof(s->blocked[0]));
    memcpy(s->blocked[at].bytes, hash.ptr, CA_KEY_HASH_LEN);
    s->blocked_count++;
}

static lt_res line_take(struct ca_examiner_state *s, lt_slice line)
{
    struct lt_arena a;
    lt_slice hex = {0};
    lt_slice hash = {0};
    lt_slice rest = line;
    lt_arena_init(&a, 256);
    bool good = lt_slice_split(&rest, ' ', &hex) && hex.len == (size_t)2 * CA_KEY_HASH_LEN &&
                !lt_failed(lt_unhex(&a, hex, &hash));
    if (good) {
        bool there = false;
        size_t at = place_of(s, hash, &there);
        if (!there) {
            insert(s, at, hash);
        }
    }
    lt_arena_done(&a);
    /* The last line may be cut off by a power failure: the registrar tells of it again. */
    LT_CHECK(good || rest.ptr == NULL, LT_STATE_CORRUPT, "examiner/blocked: '%.*s'", LT_FMT(line));
    return LT_OK;
}

lt_res examiner_blocked_open(struct ca_examiner_state *s)
{
    s->blocked_fd = -1;
    LT_TRY(examiner_file_lines(s, blocked_file, line_take));
    s->blocked_fd = openat(s->dir_fd, blocked_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    LT_CHECK(s->blocked_fd >= 0, LT_STATE_IO, "examiner/blocked: %s", strerror(errno));
    return LT_OK;
}

void examiner_blocked_close(struct ca_examiner_state *s)
{
    if (s->blocked_fd >= 0) {
        (void)close(s->blocked_fd); /* every line is synced already */
    }
    free(s->blocked);
}

/* A reason on one line. */
static void reason_put(struct lt_buf *out, const char *reason)
{
    for (const char *c = reason; *c != 0 && out->len < 400; c++) {
        lt_buf_add_byte(out, *c >= ' ' && *c <= '~' ? (uint8_t)*c : '?');
    }
}

static lt_res append(const struct ca_examiner_state *s, lt_slice hash, const char *reason)
{
    struct lt_buf line;
    lt_buf_init(&line, 1024);
    lt_buf_add_byte(&line, '\n'); /* behind a line that was cut off, a new one */
    lt_hex_add(&line, hash);
    lt_buf_add_byte(&line, ' ');
    reason_put(&line, reason);
    lt_buf_add_byte(&line, '\n');
    lt_res r = lt_write_all(s->blocked_fd, lt_buf_slice(&line));
    lt_buf_done(&line);
    LT_TRY(r);
    LT_CHECK(fdatasync(s->blocked_fd) == 0, LT_STATE_IO, "examiner/blocked: %s", strerror(errno));
    return LT_OK;
}

lt_res ca_examiner_block(struct ca_examiner_state *s, const Ipc__KeyBlock *m)
{
    lt_slice hash = LT_SLICE(m->spki_sha256.data, m->spki_sha256.len);
    LT_CHECK(hash.len == CA_KEY_HASH_LEN, LT_PEER_MALFORMED, "a key is named by its SHA-256");
    bool there = false;
    size_t at = place_of(s, hash, &there);
    if (there) {
        return LT_OK;
    }
    LT_TRY(append(s, hash, m->reason));
    insert(s, at, hash);
    return LT_OK;
}

bool ca_examiner_blocked(const struct ca_examiner_state *s, lt_slice spki_sha256)
{
    bool there = false;
    if (spki_sha256.len == CA_KEY_HASH_LEN) {
        (void)place_of(s, spki_sha256, &there); /* only whether */
    }
    return there;
}

static lt_res save_all(struct ca_examiner_state *s)
{
    struct lt_buf out;
    lt_buf_init(&out, CA_EXAMINER_FILE_MAX);
    for (size_t i = 0; i < s->blocked_count; i++) {
        lt_hex_add(&out, LT_SLICE(s->blocked[i].bytes, CA_KEY_HASH_LEN));
        lt_buf_add_cstr(&out, " kept\n");
    }
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = lt_file_replace(s->dir_fd, blocked_file, 0600, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    LT_TRY(r);
    (void)close(s->blocked_fd); /* of the file that was replaced */
    s->blocked_fd = openat(s->dir_fd, blocked_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    LT_CHECK(s->blocked_fd >= 0, LT_STATE_IO, "examiner/blocked: %s", strerror(errno));
    return LT_OK;
}

lt_res ca_examiner_unblock(struct ca_examiner_state *s, const struct ca_approvers *by,
                           const Ipc__KeyUnblock *m, lt_time now)
{
    lt_slice hash = LT_SLICE(m->spki_sha256.data, m->spki_sha256.len);
    LT_CHECK(hash.len == CA_KEY_HASH_LEN, LT_PEER_MALFORMED, "a key is named by its SHA-256");
    struct lt_buf text;
    lt_buf_init(&text, 4096);
    ca_parameters_key(hash, &text);
    struct examiner_plan p = {m->plan, m->approvals, m->n_approvals, &text};
    lt_res r = examiner_approved(by, CA_ACTION_KEY_UNBLOCK, &p, now);
    lt_buf_done(&text);
    LT_TRY(r);
    bool there = false;
    size_t at = place_of(s, hash, &there);
    if (!there) {
        return LT_OK;
    }
    LT_TRY(examiner_use(s, m->plan, now));
    s->blocked_count--;
    memmove(&s->blocked[at], &s->blocked[at + 1], (s->blocked_count - at) * sizeof(s->blocked[0]));
    return save_all(s);
}
