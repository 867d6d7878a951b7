/* Knots: asked for each second when the chain has moved, stored when the signer has tied them. */
#include "ca/knot.h"

#include <string.h>

#include "ca/book_internal.h"
#include "ca/event.h"

static const struct store_sql sql[] = {
    {"knot.event", "SELECT hash FROM event WHERE chain = ?1 AND sequence = ?2"},
    {"knot.add",
     "INSERT INTO knot (time_us, chain, sequence, head, journal_sequence, journal_head, signature) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (chain, sequence) DO NOTHING"},
};
enum { SQL_EVENT, SQL_ADD };
const struct store_sql *const ca_knot_sql = sql;
const size_t ca_knot_sql_count = LT_COUNT(sql);

lt_res ca_knot_tick(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    if (!b->examiner_linked || b->at.knot_sequence == b->at.chain.sequence) {
        return LT_OK;
    }
    Ipc__Knot m = IPC__KNOT__INIT;
    m.chain = b->at.chain.name;
    m.sequence = (uint64_t)b->at.chain.sequence;
    m.head.data = b->at.chain.head;
    m.head.len = CA_HASH_LEN;
    m.time_us = t->now.us;
    LT_TRY(ca_turn_send(t, IPC_EXAMINER, IPC_KNOT, m.sequence, &m.base));
    b->at.knot_sequence = b->at.chain.sequence;
    return LT_OK;
}

static lt_res head_at(struct ca_turn *t, int64_t sequence, uint8_t ret_head[CA_HASH_LEN])
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_EVENT],
                       STORE_ARGS(STORE_S(t->book->at.chain.name), STORE_I(sequence)), &rows));
    bool found = store_next(&rows) && store_bytes(&rows, 0).len == CA_HASH_LEN;
    if (found) {
        memcpy(ret_head, store_bytes(&rows, 0).ptr, CA_HASH_LEN);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_CONFLICT, "a knot for event %lld, which is not in the book", (long long)sequence);
    return LT_OK;
}

lt_res ca_knot_on_signed(struct ca_turn *t, uint64_t id, const Ipc__KnotSigned *m)
{
    if (m->signature.len == 0) {
        return LT_OK; /* the signer could not just now; the next second asks anew */
    }
    LT_CHECK(id > 0 && id <= (uint64_t)t->book->at.chain.sequence, LT_PEER_MALFORMED,
             "a knot that nobody asked for");
    uint8_t head[CA_HASH_LEN];
    LT_TRY(head_at(t, (int64_t)id, head));
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(m->time_us), STORE_S(t->book->at.chain.name), STORE_I(id),
                                 STORE_B(LT_SLICE(head, sizeof head)), STORE_I(m->journal_sequence),
                                 STORE_B(LT_SLICE(m->journal_head.data, m->journal_head.len)),
                                 STORE_B(LT_SLICE(m->signature.data, m->signature.len))),
                      NULL));
    ca_journal_seen(t->book, m->journal_sequence);
    return LT_OK;
}
