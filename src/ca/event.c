/* The chain of events: canonical bytes, hash, and the row. */
#include "ca/event.h"

#include <string.h>

#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"event.append", "INSERT INTO event (chain, sequence, time_us, kind, subject, body, attachment, hash) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    {"event.head", "SELECT sequence, hash FROM event WHERE chain = ?1 ORDER BY sequence DESC LIMIT 1"},
};
enum { SQL_APPEND, SQL_HEAD };

static void put_u32(uint8_t *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void add_field(struct crypto_stream *s, lt_slice value)
{
    uint8_t len[4];
    put_u32(len, (uint32_t)value.len);
    crypto_stream_add(s, LT_SLICE(len, sizeof len));
    crypto_stream_add(s, value);
}

static void add_number(struct crypto_stream *s, int64_t value)
{
    uint8_t bytes[8];
    put_u32(bytes, (uint32_t)((uint64_t)value >> 32));
    put_u32(bytes + 4, (uint32_t)value);
    add_field(s, LT_SLICE(bytes, sizeof bytes));
}

lt_res ca_event_hash(const struct ca_event_row *row, const uint8_t previous[CA_HASH_LEN],
                     uint8_t ret_hash[CA_HASH_LEN])
{
    LT_CHECK(row->kind.len > 0 && row->kind.len < 256 && row->subject.len < 1024, LT_STATE_CORRUPT,
             "an event without kind, or with too long a subject");
    LT_CHECK(row->body.len <= CA_EVENT_BODY_MAX, LT_PEER_TOO_LARGE, "an event's body is over %d bytes",
             CA_EVENT_BODY_MAX);
    LT_CHECK(row->attachment.len <= UINT32_MAX, LT_PEER_TOO_LARGE, "an event's attachment is over 4 GiB");
    uint8_t attached[CRYPTO_SHA256_LEN];
    if (row->attachment.len > 0) {
        crypto_sha256(row->attachment, attached);
    }
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_SLICE(previous, CA_HASH_LEN));
    crypto_stream_add(&s, LT_SLICE("lintel-event-v1", sizeof "lintel-event-v1"));
    add_field(&s, lt_slice_cstr(row->chain));
    add_number(&s, row->sequence);
    add_number(&s, row->time.us);
    add_field(&s, row->kind);
    add_field(&s, row->subject);
    add_field(&s, row->body);
    add_field(&s, LT_SLICE(attached, row->attachment.len > 0 ? sizeof attached : 0));
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
    return LT_OK;
}

lt_res ca_event_first(const char *chain, uint8_t ret_hash[CA_HASH_LEN])
{
    LT_CHECK(chain[0] != 0 && strlen(chain) < CA_CHAIN_NAME_MAX, LT_STATE_CORRUPT, "a chain without a name");
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_LIT("lintel-event-chain-v1:"));
    crypto_stream_add(&s, lt_slice_cstr(chain));
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
    return LT_OK;
}

lt_res ca_chain_load(struct store *s, struct ca_chain *chain)
{
    chain->sequence = 0;
    LT_TRY(ca_event_first(chain->name, chain->head));
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_HEAD], STORE_ARGS(STORE_S(chain->name)), &rows));
    bool sound = true;
    if (store_next(&rows)) {
        chain->sequence = store_int(&rows, 0);
        lt_slice head = store_bytes(&rows, 1);
        sound = head.len == CA_HASH_LEN && chain->sequence > 0;
        if (sound) {
            memcpy(chain->head, head.ptr, CA_HASH_LEN);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(sound, LT_STATE_CORRUPT, "the last event of %s is not sound", chain->name);
    return LT_OK;
}

lt_res ca_event(struct ca_turn *t, const char *kind, const char *subject, lt_slice json_body,
                lt_slice attachment)
{
    struct ca_chain *chain = &t->book->at.chain;
    struct ca_event_row row = {
        .chain = chain->name,
        .sequence = chain->sequence + 1,
        .time = t->now,
        .kind = lt_slice_cstr(kind),
        .subject = lt_slice_cstr(subject),
        .body = json_body,
        .attachment = attachment,
    };
    uint8_t hash[CA_HASH_LEN];
    LT_TRY(ca_event_hash(&row, chain->head, hash));
    LT_TRY(store_exec(t->store, &sql[SQL_APPEND],
                      STORE_ARGS(STORE_S(row.chain), STORE_I(row.sequence), STORE_I(row.time.us),
                                 STORE_S(kind), STORE_S(subject), STORE_T(json_body),
                                 attachment.len > 0 ? STORE_B(attachment) : STORE_N,
                                 STORE_B(LT_SLICE(hash, sizeof hash))),
                      NULL));
    chain->sequence = row.sequence;
    memcpy(chain->head, hash, sizeof hash);
    return LT_OK;
}

const struct store_sql *const ca_event_sql = sql;
const size_t ca_event_sql_count = LT_COUNT(sql);
