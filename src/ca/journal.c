/* The window over the signer's journal: acknowledged is the last sequence before the first gap. */
#include "ca/journal.h"

#include <string.h>

#include "ca/body.h"
#include "ca/book_internal.h"

static const struct store_sql sql[] = {
    {"journal.put", "INSERT INTO journal (signer, acknowledged) VALUES (?1, ?2) "
                    "ON CONFLICT (signer) DO UPDATE SET acknowledged = excluded.acknowledged"},
};
const struct store_sql *const ca_journal_sql = sql;
const size_t ca_journal_sql_count = LT_COUNT(sql);

enum { FLUSH_AFTER = 64, FLUSH_AFTER_S = 1, ASK_AGAIN_S = 5 };

void ca_journal_reset(struct ca_book *b, int64_t acknowledged)
{
    b->at.acknowledged = acknowledged;
    b->at.flushed = acknowledged;
    memset(b->at.seen, 0, sizeof b->at.seen);
}

static uint64_t *word_of(struct ca_book *b, int64_t sequence, uint64_t *ret_bit)
{
    uint64_t slot = (uint64_t)sequence % CA_JOURNAL_WINDOW;
    *ret_bit = UINT64_C(1) << (slot % 64);
    return &b->at.seen[slot / 64];
}

void ca_journal_seen(struct ca_book *b, uint64_t sequence)
{
    int64_t at = b->at.acknowledged;
    if (sequence > INT64_MAX || (int64_t)sequence <= at || (int64_t)sequence - at >= CA_JOURNAL_WINDOW) {
        return; /* known, or so far ahead that the replay will bring it */
    }
    uint64_t bit = 0;
    uint64_t *word = word_of(b, (int64_t)sequence, &bit);
    *word |= bit;
    for (word = word_of(b, at + 1, &bit); (*word & bit) != 0; word = word_of(b, at + 1, &bit)) {
        *word &= ~bit;
        at++;
    }
    b->at.acknowledged = at;
}

static bool gap(const struct ca_book *b)
{
    for (size_t i = 0; i < LT_COUNT(b->at.seen); i++) {
        if (b->at.seen[i] != 0) {
            return true;
        }
    }
    return false;
}

static lt_res acknowledge(struct ca_turn *t, bool hello)
{
    Ipc__JournalAck ack = IPC__JOURNAL_ACK__INIT;
    /* What the row says, never more: the signer takes a book that later says less for a restored one. */
    ack.sequence = (uint64_t)t->book->at.flushed;
    ack.book_hello = hello;
    return ca_turn_send(t, IPC_EXAMINER, IPC_JOURNAL_ACK, 0, &ack.base);
}

lt_res ca_journal_flush(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    int64_t moved = b->at.acknowledged - b->at.flushed;
    bool due = t->now.us - b->journal_flushed.us >= FLUSH_AFTER_S * LT_US_PER_SECOND;
    if (moved == 0 || (moved < FLUSH_AFTER && !due)) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[0], STORE_ARGS(STORE_S(b->host.signer), STORE_I(b->at.acknowledged)),
                      NULL));
    b->at.flushed = b->at.acknowledged;
    b->journal_flushed = t->now;
    return b->examiner_linked ? acknowledge(t, false) : LT_OK;
}

lt_res ca_journal_hello(struct ca_turn *t)
{
    t->book->journal_asked = t->now;
    return acknowledge(t, true);
}

lt_res ca_journal_tick(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    bool waited = t->now.us - b->journal_asked.us >= ASK_AGAIN_S * LT_US_PER_SECOND;
    if (!b->examiner_linked || !waited || (b->replayed && !gap(b))) {
        return LT_OK;
    }
    return ca_journal_hello(t);
}
