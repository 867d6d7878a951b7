#ifndef CA_EVENT_H
#define CA_EVENT_H
/* Events: every decision, chained by hash.
 *
 * hash(n) = SHA-256( hash(n-1) ‖ canonical(n) ), hash(0) = SHA-256("lintel-event-chain-v1:" chain).
 * canonical(n) = "lintel-event-v1" NUL, then for each of chain, sequence, time_us, kind, subject, body,
 * SHA-256(attachment): 4 bytes big-endian length, the bytes; integers as 8 bytes big-endian; no attachment
 * is a length of 0.
 *
 * Refuses: events without a kind, bodies over 64 KiB, events outside a turn.
 */
#include "ca/book.h"

enum { CA_EVENT_BODY_MAX = 65536 };

struct ca_event_row {
    const char *chain;
    int64_t sequence;
    lt_time time;
    lt_slice kind;
    lt_slice subject;
    lt_slice body;       /* JSON object */
    lt_slice attachment; /* empty: none */
};

/* Appends to this registrar's chain. kind: "certificate.issued", subject: "certificate tls 0a1b…",
 * "account 123", "order 456", "operator admin", "halt ID", "plan ID", "family signer 0". attachment: the raw
 * JWS, or empty. */
LT_MUST_USE lt_res ca_event(struct ca_turn *t, const char *kind, const char *subject, lt_slice json_body,
                            lt_slice attachment);
/* The hash of one row behind `previous`; shared with ca/audit.c. */
LT_MUST_USE lt_res ca_event_hash(const struct ca_event_row *row, const uint8_t previous[CA_HASH_LEN],
                                 uint8_t ret_hash[CA_HASH_LEN]);
LT_MUST_USE lt_res ca_event_first(const char *chain, uint8_t ret_hash[CA_HASH_LEN]);
/* The head as the book has it. */
LT_MUST_USE lt_res ca_chain_load(struct store *s, struct ca_chain *chain);

/* For the test that EXPLAINs every statement. */
extern const struct store_sql *const ca_event_sql;
extern const size_t ca_event_sql_count;

#endif
