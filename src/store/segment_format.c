/* The bytes of segments: header, frames, what is inside a frame. Pure: no file, no clock. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "crypto/digest.h"
#include "store/segment.h"

enum {
    MAGIC_LEN = 8,
    FRAME_MAGIC_LEN = 4,
    FRAME_HASHED_LEN = 12, /* of the head */
    LEVEL = 6,
    LARGE = 64 * 1024, /* members of a batch, most of it random: more effort folds nothing */
    WINDOW_BITS = 13,  /* a record is smaller; a stream with 15 begins with 256 KiB of zeros: 52 us, not 20 */
    MEMORY_LEVEL = 6,
    WINDOW_BITS_MOST = 15,
};
static const uint8_t segment_magic[MAGIC_LEN] = {'L', 'I', 'N', 'T', 'E', 'L', 'E', '1'};
static const uint8_t frame_magic[FRAME_MAGIC_LEN] = {'L', 'E', 'F', 'R'};

/* Of version 1, for ever: frames cannot be read without it. What statements say, the commonest last. */
/* clang-format off */
static const char dictionary[] =
    "connection\0unauthorized\0rejectedIdentifier\0serverInternal\0dns\0tls\0ip\0caa\0"
    "no server gave an answer\0SERVFAIL\0validation failure\0signature expired\0no DNSKEY matches DS\0"
    "The look-up of \0 failed (SERVFAIL or refused)\0 gave no answer within \0 ms.\0There is no TXT record at \0"
    " (no records of this type).\0 redirects to \0 is the redirect after \0connection refused\0timed out\0"
    "Only \0 of \0 remote perspectives saw what the primary one saw. \0its statement is for another nonce\0"
    "no answer\0there is no CAA record between the name and the root\0CAA names this CA\0the CAA property \0" "0 iodef \"mailto:security@\0" "0 issuewild \";\"\0" "0 issue \";\"\0" "0 issue \"\0"
    "; validationmethods=\0; accounturi=https://\0/acme/account/\0_validation-persist.\0persistUntil=\0"
    "policy=wildcard\0_acme-challenge.\0/.well-known/pki-validation/\0https://www.\0"
    ". answered 404; 200 with the key authorization is needed.\0http://\0:80/.well-known/acme-challenge/\0"
    "127.0.0.1\0" "192.168.\0" "10.0.0.\0" "2001:db8::\0ARIN\0APNIC\0AFRINIC\0LACNIC\0RIPE\0"
    "libunbound by 127.0.0.1@53, validating\0com\0org\0net\0www.\0.example.com\0"
    "BR 2.2.6 3.2.2.8\0BR 2.2.6 3.2.2.5.6\0BR 2.2.6 3.2.2.4.22\0BR 2.2.6 3.2.2.4.20\0"
    "BR 2.2.6 3.2.2.4.7\0BR 2.2.6 3.2.2.4.19\0"
    "none\0bogus\0secure\0no trust anchor is configured: nothing was proven\0insecure\0"
    "tls-alpn-01\0dns-persist-01\0dns-account-01\0dns-01\0http-01\0dns\0primary";
/* clang-format on */

static void put32(struct lt_buf *out, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    lt_buf_add(out, LT_SLICE(b, sizeof b));
}

static uint32_t get32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void store_segment_name(uint32_t number, char ret_name[STORE_SEGMENT_NAME_SIZE])
{
    LT_ASSERT(number > 0 && number <= STORE_SEGMENT_NUMBER_MAX);
    (void)snprintf(ret_name, STORE_SEGMENT_NAME_SIZE, "%06u.seg", number); /* fits */
}

void store_segment_header(uint32_t number, int64_t created_us, struct lt_buf *out)
{
    uint8_t hash[STORE_FRAME_HASH_LEN];
    size_t from = out->len;
    lt_buf_add(out, LT_SLICE(segment_magic, MAGIC_LEN));
    put32(out, STORE_SEGMENT_VERSION);
    put32(out, number);
    put32(out, (uint32_t)((uint64_t)created_us >> 32));
    put32(out, (uint32_t)(uint64_t)created_us);
    crypto_sha256(lt_slice_sub(lt_buf_slice(out), from, SIZE_MAX), hash);
    lt_buf_add(out, LT_SLICE(hash, sizeof hash));
}

lt_res store_segment_header_read(lt_slice bytes, uint32_t number)
{
    uint8_t hash[STORE_FRAME_HASH_LEN];
    const size_t hashed = STORE_SEGMENT_HEADER_LEN - STORE_FRAME_HASH_LEN;
    LT_CHECK(bytes.len >= STORE_SEGMENT_HEADER_LEN &&
                 lt_slice_starts(bytes, LT_SLICE(segment_magic, MAGIC_LEN)),
             LT_STATE_CORRUPT, "segment %06u: there is no header", number);
    crypto_sha256(lt_slice_sub(bytes, 0, hashed), hash);
    LT_CHECK(lt_slice_eq(lt_slice_sub(bytes, hashed, sizeof hash), LT_SLICE(hash, sizeof hash)),
             LT_STATE_CORRUPT, "segment %06u: its header is damaged", number);
    uint32_t version = get32(&bytes.ptr[MAGIC_LEN]);
    LT_CHECK(version == STORE_SEGMENT_VERSION, LT_STATE_CORRUPT,
             "segment %06u: version %u, this program knows %d", number, version, STORE_SEGMENT_VERSION);
    uint32_t says = get32(&bytes.ptr[MAGIC_LEN + 4]);
    LT_CHECK(says == number, LT_STATE_CORRUPT, "segment %06u: it says that it is %06u", number, says);
    return LT_OK;
}

int64_t store_segment_created(lt_slice bytes)
{
    const uint8_t *at = &bytes.ptr[MAGIC_LEN + 8];
    return (int64_t)((uint64_t)get32(at) << 32 | get32(at + 4));
}

/* A stream that cannot begin is a heap that is empty. */
static size_t fold(lt_slice plain, uint8_t *out, size_t room)
{
    z_stream z = {0};
    int rc = deflateInit2(&z, plain.len > LARGE ? Z_BEST_SPEED : LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                          Z_DEFAULT_STRATEGY);
    LT_ASSERT(rc == Z_OK);
    rc = deflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary);
    LT_ASSERT(rc == Z_OK);
    z.next_in = (z_const Bytef *)(uintptr_t)plain.ptr; /* only read */
    z.avail_in = (uInt)plain.len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    rc = deflate(&z, Z_FINISH);
    LT_ASSERT(rc == Z_STREAM_END); /* room is what deflateBound says */
    size_t len = z.total_out;
    (void)deflateEnd(&z); /* its result repeats deflate's */
    return len;
}

static size_t bound(size_t plain_len)
{
    enum { SPARE = 64 }; /* of zlib's own ends and the name of the dictionary */
    return compressBound((uLong)plain_len) + plain_len / 8 + SPARE;
}

lt_res store_frame_write(lt_slice plain, struct lt_buf *out, struct store_frame_ref *ret_ref)
{
    LT_CHECK(plain.len > 0 && plain.len <= STORE_FRAME_PLAIN_MAX, LT_PEER_TOO_LARGE,
             "a frame of %zu bytes, at most %d", plain.len, STORE_FRAME_PLAIN_MAX);
    struct lt_buf packed;
    size_t room = bound(plain.len);
    lt_buf_init(&packed, room);
    uint8_t *bytes = lt_buf_extend(&packed, room);
    LT_ASSERT(bytes != NULL);
    size_t len = fold(plain, bytes, room);
    size_t from = out->len;
    lt_buf_add(out, LT_SLICE(frame_magic, FRAME_MAGIC_LEN));
    put32(out, (uint32_t)len);
    put32(out, (uint32_t)plain.len);
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, lt_slice_sub(lt_buf_slice(out), from, SIZE_MAX));
    crypto_stream_add(&s, LT_SLICE(bytes, len));
    crypto_stream_finish(&s, ret_ref->sha256);
    crypto_stream_done(&s);
    lt_buf_add(out, LT_SLICE(ret_ref->sha256, sizeof ret_ref->sha256));
    lt_buf_add(out, LT_SLICE(bytes, len));
    ret_ref->length = (uint32_t)(STORE_FRAME_HEAD_LEN + len);
    lt_buf_done(&packed);
    return lt_buf_check(out);
}

static void hash_frame(lt_slice bytes, uint32_t packed, uint8_t ret_hash[STORE_FRAME_HASH_LEN])
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, lt_slice_sub(bytes, 0, FRAME_HASHED_LEN));
    crypto_stream_add(&s, lt_slice_sub(bytes, STORE_FRAME_HEAD_LEN, packed));
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
}

lt_res store_frame_check(lt_slice bytes, struct store_frame_ref *ret_ref)
{
    LT_CHECK(bytes.len >= STORE_FRAME_HEAD_LEN &&
                 lt_slice_starts(bytes, LT_SLICE(frame_magic, FRAME_MAGIC_LEN)),
             LT_STATE_CORRUPT, "there is no frame");
    uint32_t packed = get32(&bytes.ptr[FRAME_MAGIC_LEN]);
    uint32_t plain = get32(&bytes.ptr[FRAME_MAGIC_LEN + 4]);
    LT_CHECK(plain > 0 && plain <= STORE_FRAME_PLAIN_MAX && packed <= bound(plain) &&
                 packed <= bytes.len - STORE_FRAME_HEAD_LEN,
             LT_STATE_CORRUPT, "a frame of %u bytes for %u where %zu are left", packed, plain, bytes.len);
    hash_frame(bytes, packed, ret_ref->sha256);
    LT_CHECK(lt_slice_eq(lt_slice_sub(bytes, FRAME_HASHED_LEN, STORE_FRAME_HASH_LEN),
                         LT_SLICE(ret_ref->sha256, STORE_FRAME_HASH_LEN)),
             LT_STATE_CORRUPT, "the frame is damaged");
    ret_ref->length = STORE_FRAME_HEAD_LEN + packed;
    return LT_OK;
}

/* Exactly len bytes, no more and no less, from all of packed. */
static bool unfold(lt_slice packed, uint8_t *out, size_t len)
{
    z_stream z = {0};
    int rc = inflateInit2(&z, WINDOW_BITS_MOST);
    LT_ASSERT(rc == Z_OK);
    z.next_in = (z_const Bytef *)(uintptr_t)packed.ptr; /* only read */
    z.avail_in = (uInt)packed.len;
    z.next_out = out;
    z.avail_out = (uInt)len;
    rc = inflate(&z, Z_FINISH);
    if (rc == Z_NEED_DICT) {
        rc = inflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary);
        rc = rc == Z_OK ? inflate(&z, Z_FINISH) : rc;
    }
    bool whole = rc == Z_STREAM_END && z.total_out == len && z.avail_in == 0;
    (void)inflateEnd(&z); /* only frees */
    return whole;
}

lt_res store_frame_read(lt_slice bytes, const uint8_t sha256[STORE_FRAME_HASH_LEN], struct lt_arena *a,
                        lt_slice *ret_plain)
{
    struct store_frame_ref ref = {0};
    LT_TRY(store_frame_check(bytes, &ref));
    LT_CHECK(ref.length == bytes.len && memcmp(ref.sha256, sha256, sizeof ref.sha256) == 0, LT_STATE_CORRUPT,
             "it is another frame than the book names");
    size_t len = get32(&bytes.ptr[FRAME_MAGIC_LEN + 4]);
    uint8_t *plain = lt_arena_alloc(a, len);
    LT_CHECK(plain != NULL, LT_PEER_TOO_LARGE, "a frame of %zu bytes is too large here", len);
    LT_CHECK(unfold(lt_slice_sub(bytes, STORE_FRAME_HEAD_LEN, SIZE_MAX), plain, len), LT_STATE_CORRUPT,
             "the frame does not unfold to %zu bytes", len);
    *ret_plain = LT_SLICE(plain, len);
    return LT_OK;
}
