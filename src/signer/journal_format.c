/* Encoding and decoding of the journal's header, frames and records. */
#include "signer/journal_format.h"

#include <string.h>

#include "crypto/digest.h"

static const char header_magic[8] = {'L', 'I', 'N', 'T', 'E', 'L', 'J', '1'};
static const char frame_magic[4] = {'L', 'J', 'F', 'R'};

/* Offsets inside the header. */
enum {
    AT_VERSION = 8,
    AT_LENGTH = 12,
    AT_FIRST = 16,
    AT_CREATED = 24,
    AT_ID = 32,
    AT_PREVIOUS = 48,
    AT_ZEROS = 80,
    AT_HASH = JOURNAL_HEADER_LEN - JOURNAL_HASH_LEN,
};
enum { AT_FRAME_CHECK = 20, FRAME_CHECK_LEN = 4 };

static void put(uint8_t *out, size_t len, uint64_t value)
{
    for (size_t i = len; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t get(const uint8_t *in, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | in[i];
    }
    return value;
}

static bool all_zero(const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (in[i] != 0) {
            return false;
        }
    }
    return true;
}

void journal_header_encode(struct journal_header *h, uint8_t ret_bytes[JOURNAL_HEADER_LEN])
{
    memset(ret_bytes, 0, JOURNAL_HEADER_LEN);
    memcpy(ret_bytes, header_magic, sizeof header_magic);
    put(ret_bytes + AT_VERSION, 4, JOURNAL_VERSION);
    put(ret_bytes + AT_LENGTH, 4, JOURNAL_HEADER_LEN);
    put(ret_bytes + AT_FIRST, 8, h->first_sequence);
    put(ret_bytes + AT_CREATED, 8, (uint64_t)h->created_us);
    memcpy(ret_bytes + AT_ID, h->id, JOURNAL_ID_LEN);
    memcpy(ret_bytes + AT_PREVIOUS, h->previous_head, JOURNAL_HASH_LEN);
    crypto_sha256(LT_SLICE(ret_bytes, AT_HASH), h->hash);
    memcpy(ret_bytes + AT_HASH, h->hash, JOURNAL_HASH_LEN);
}

lt_res journal_header_decode(lt_slice bytes, struct journal_header *ret_header)
{
    LT_CHECK(bytes.len >= JOURNAL_HEADER_LEN, LT_STATE_CORRUPT, "journal: no whole header");
    const uint8_t *p = bytes.ptr;
    LT_CHECK(memcmp(p, header_magic, sizeof header_magic) == 0, LT_STATE_CORRUPT,
             "journal: this is no journal of a signer");
    LT_CHECK(get(p + AT_VERSION, 4) == JOURNAL_VERSION, LT_STATE_CORRUPT,
             "journal: version %llu, this program reads version %d",
             (unsigned long long)get(p + AT_VERSION, 4), JOURNAL_VERSION);
    struct journal_header h = {
        .first_sequence = get(p + AT_FIRST, 8),
        .created_us = (int64_t)get(p + AT_CREATED, 8),
    };
    memcpy(h.id, p + AT_ID, JOURNAL_ID_LEN);
    memcpy(h.previous_head, p + AT_PREVIOUS, JOURNAL_HASH_LEN);
    crypto_sha256(LT_SLICE(p, AT_HASH), h.hash);
    LT_CHECK(memcmp(h.hash, p + AT_HASH, JOURNAL_HASH_LEN) == 0 && h.first_sequence != 0 &&
                 get(p + AT_LENGTH, 4) == JOURNAL_HEADER_LEN && all_zero(p + AT_ZEROS, AT_HASH - AT_ZEROS),
             LT_STATE_CORRUPT, "journal: the header was changed");
    *ret_header = h;
    return LT_OK;
}

/* A changed length must not look like a frame whose end was lost. */
static void frame_check(const uint8_t *head, uint8_t ret_check[FRAME_CHECK_LEN])
{
    uint8_t hash[JOURNAL_HASH_LEN];
    crypto_sha256(LT_SLICE(head, AT_FRAME_CHECK), hash);
    memcpy(ret_check, hash, FRAME_CHECK_LEN);
}

void journal_frame_head_encode(const struct journal_frame_head *f, uint8_t ret_bytes[JOURNAL_FRAME_HEAD_LEN])
{
    memset(ret_bytes, 0, JOURNAL_FRAME_HEAD_LEN);
    memcpy(ret_bytes, frame_magic, sizeof frame_magic);
    put(ret_bytes + 4, 4, f->len);
    put(ret_bytes + 8, 8, f->first_sequence);
    put(ret_bytes + 16, 4, f->count);
    frame_check(ret_bytes, ret_bytes + AT_FRAME_CHECK);
}

lt_res journal_frame_head_decode(lt_slice bytes, struct journal_frame_head *ret_head)
{
    LT_CHECK(bytes.len >= JOURNAL_FRAME_HEAD_LEN && memcmp(bytes.ptr, frame_magic, sizeof frame_magic) == 0,
             LT_STATE_CORRUPT, "journal: no frame");
    uint8_t check[FRAME_CHECK_LEN];
    frame_check(bytes.ptr, check);
    LT_CHECK(memcmp(check, bytes.ptr + AT_FRAME_CHECK, sizeof check) == 0, LT_STATE_CORRUPT,
             "journal: the head of a frame was changed");
    struct journal_frame_head f = {
        .len = (uint32_t)get(bytes.ptr + 4, 4),
        .first_sequence = get(bytes.ptr + 8, 8),
        .count = (uint32_t)get(bytes.ptr + 16, 4),
    };
    LT_CHECK(f.count > 0 && f.len <= JOURNAL_FRAME_MAX && f.len >= JOURNAL_FRAME_HEAD_LEN &&
                 f.count <= (f.len - JOURNAL_FRAME_HEAD_LEN) / JOURNAL_RECORD_MIN,
             LT_STATE_CORRUPT, "journal: a frame's length and count do not fit");
    *ret_head = f;
    return LT_OK;
}

/* One call instead of a stream: at start there may be millions of them. */
static void chain_hash(const uint8_t before[JOURNAL_HASH_LEN], lt_slice record,
                       uint8_t ret_chain[JOURNAL_HASH_LEN])
{
    uint8_t both[JOURNAL_HASH_LEN + JOURNAL_RECORD_MAX];
    LT_ASSERT(record.len <= JOURNAL_RECORD_MAX);
    memcpy(both, before, JOURNAL_HASH_LEN);
    memcpy(both + JOURNAL_HASH_LEN, record.ptr, record.len);
    crypto_sha256(LT_SLICE(both, JOURNAL_HASH_LEN + record.len), ret_chain);
}

void journal_record_encode(struct journal_entry *e, struct journal_position *at, struct lt_buf *out)
{
    LT_ASSERT(e->issuer.len <= JOURNAL_NAME_MAX && e->serial.len <= JOURNAL_NAME_MAX &&
              e->signature.len <= JOURNAL_SIGNATURE_MAX && e->kind <= UINT8_MAX);
    size_t body_len = JOURNAL_RECORD_FIXED_LEN + e->issuer.len + e->serial.len + e->signature.len;
    e->sequence = at->sequence + 1;
    uint8_t fixed[JOURNAL_RECORD_FIXED_LEN];
    put(fixed, 2, body_len + JOURNAL_HASH_LEN);
    fixed[2] = (uint8_t)e->what;
    fixed[3] = (uint8_t)e->kind;
    fixed[4] = (uint8_t)e->issuer.len;
    fixed[5] = (uint8_t)e->serial.len;
    put(fixed + 6, 2, e->signature.len);
    put(fixed + 8, 8, e->sequence);
    put(fixed + 16, 8, (uint64_t)e->time_us);
    put(fixed + 24, 8, (uint64_t)e->revoked_us);
    put(fixed + 32, 4, e->reason);
    memcpy(fixed + 36, e->digest, JOURNAL_HASH_LEN);
    size_t start = out->len;
    lt_buf_add(out, LT_SLICE(fixed, sizeof fixed));
    lt_buf_add(out, e->issuer);
    lt_buf_add(out, e->serial);
    lt_buf_add(out, e->signature);
    LT_ASSERT(!out->overflow);
    chain_hash(at->chain, lt_slice_sub(lt_buf_slice(out), start, body_len), e->chain);
    lt_buf_add(out, LT_SLICE(e->chain, JOURNAL_HASH_LEN));
    *at = (struct journal_position){.sequence = e->sequence, .time_us = e->time_us};
    memcpy(at->chain, e->chain, JOURNAL_HASH_LEN);
}

lt_res journal_record_peek(lt_slice bytes, struct journal_entry *ret_entry, size_t *ret_len)
{
    const uint8_t *p = bytes.ptr;
    LT_CHECK(bytes.len >= JOURNAL_RECORD_MIN, LT_STATE_CORRUPT, "journal: a record is cut short");
    size_t len = (size_t)get(p, 2);
    size_t issuer_len = p[4];
    size_t serial_len = p[5];
    size_t signature_len = (size_t)get(p + 6, 2);
    LT_CHECK(len <= bytes.len && signature_len <= JOURNAL_SIGNATURE_MAX && p[2] >= JOURNAL_SIGNATURE &&
                 p[2] <= JOURNAL_REVOCATIONS &&
                 len == JOURNAL_RECORD_MIN + issuer_len + serial_len + signature_len,
             LT_STATE_CORRUPT, "journal: the lengths of a record do not fit");
    struct journal_entry e = {
        .sequence = get(p + 8, 8),
        .time_us = (int64_t)get(p + 16, 8),
        .what = (enum journal_what)p[2],
        .kind = p[3],
        .issuer = lt_slice_sub(bytes, JOURNAL_RECORD_FIXED_LEN, issuer_len),
        .serial = lt_slice_sub(bytes, JOURNAL_RECORD_FIXED_LEN + issuer_len, serial_len),
        .signature = lt_slice_sub(bytes, JOURNAL_RECORD_FIXED_LEN + issuer_len + serial_len, signature_len),
        .reason = (uint32_t)get(p + 32, 4),
        .revoked_us = (int64_t)get(p + 24, 8),
    };
    memcpy(e.digest, p + 36, JOURNAL_HASH_LEN);
    memcpy(e.chain, p + len - JOURNAL_HASH_LEN, JOURNAL_HASH_LEN);
    *ret_entry = e;
    *ret_len = len;
    return LT_OK;
}

lt_res journal_record_decode(lt_slice bytes, struct journal_position *at, struct journal_entry *ret_entry,
                             size_t *ret_len)
{
    LT_TRY(journal_record_peek(bytes, ret_entry, ret_len));
    const struct journal_entry *e = ret_entry;
    uint8_t chain[JOURNAL_HASH_LEN];
    chain_hash(at->chain, lt_slice_sub(bytes, 0, *ret_len - JOURNAL_HASH_LEN), chain);
    LT_CHECK(memcmp(chain, e->chain, JOURNAL_HASH_LEN) == 0, LT_STATE_CORRUPT,
             "journal: record %llu does not fit the chain", (unsigned long long)(at->sequence + 1));
    LT_CHECK(e->sequence == at->sequence + 1 && e->time_us >= at->time_us, LT_STATE_CORRUPT,
             "journal: record %llu is out of order", (unsigned long long)(at->sequence + 1));
    *at = (struct journal_position){.sequence = e->sequence, .time_us = e->time_us};
    memcpy(at->chain, e->chain, JOURNAL_HASH_LEN);
    return LT_OK;
}
