#ifndef CA_KEY_BLOCK_H
#define CA_KEY_BLOCK_H
/* Keys that never get a certificate again: reported compromised, weak, ours. Adding needs no approval,
 * removing is a plan (ca/plan.h). The examiner keeps its own copy. */
#include "ca/turn.h"

/* LT_POLICY_BLOCKED_KEY with the reason when it is blocked. */
LT_MUST_USE lt_res ca_key_block_check(struct ca_turn *t, lt_slice spki_sha256);
/* Idempotent; defers KeyBlock and writes an event when it is new. source: "revocation", "operator NAME". */
LT_MUST_USE lt_res ca_key_block_add(struct ca_turn *t, lt_slice spki_sha256, const char *reason,
                                    const char *source);
LT_MUST_USE lt_res ca_key_block_remove(struct ca_turn *t, lt_slice spki_sha256, const char *plan_id);
/* To the examiner, which keeps its own list. */
LT_MUST_USE lt_res ca_key_block_tell(struct ca_turn *t, lt_slice spki_sha256, const char *reason);
/* Tells a reconnected examiner of every blocked key: after ca_host_news_again that many parts of 1,000; what
 * is left is told second by second (ca_host_news). */
LT_MUST_USE lt_res ca_key_block_recover(struct ca_turn *t, size_t parts);

extern const struct store_sql *const ca_key_block_sql;
extern const size_t ca_key_block_sql_count;

#endif
