#ifndef CA_TALLY_H
#define CA_TALLY_H
/* The tally: how many certificates there are by hour of expiry, issuer and profile, how many of them are
 * revoked, and what was issued, revoked and refused in each minute. Whoever writes a certificate or a
 * revocation says so here; the loop writes it down with the same commit (ca_tally_flush), so that a crash
 * loses both or neither.
 *
 * What was in the book before, or was loaded into it without a registrar, is counted by a walk over the
 * certificates, in slices, alone among all hosts. Up to where it is the tally is exact, and what is said of a
 * certificate behind that is left to the walk.
 *
 * Counts first copies (copy 0) alone: certificates of one serial number are one. Refuses: judging whether a
 * certificate is good.
 */
#include "ca/book.h"

struct ca_tally_certificate {
    int64_t issuer;
    lt_slice serial;
    int64_t profile;
    int64_t not_after_us;
};
/* brought_in: issued elsewhere or long ago, which is no issuance of this minute. */
LT_MUST_USE lt_res ca_tally_issued(struct ca_turn *t, const struct ca_tally_certificate *c, bool brought_in);
/* The first revocation of it; not a changed reason. */
LT_MUST_USE lt_res ca_tally_revoked(struct ca_turn *t, const struct ca_tally_certificate *c, bool brought_in);
/* Nothing was issued: refused, or a name was not proven. */
LT_MUST_USE lt_res ca_tally_failed(struct ca_turn *t);

/* Members of a mass revocation whose entries are about to be written: those that have none yet. */
struct ca_tally_members {
    int64_t mass;
    int64_t tier;
    int64_t issuer;
    lt_slice behind; /* serial */
    lt_slice to;     /* up to and with it */
};
LT_MUST_USE lt_res ca_tally_mass(struct ca_turn *t, const struct ca_tally_members *m);

/* For the loop, before each commit. */
LT_MUST_USE lt_res ca_tally_flush(struct ca_turn *t);
/* Once a second, by whoever has the timers, alone among hosts: a slice of the walk, and what is old goes.
 * *ret_more: the walk is not at its end. */
LT_MUST_USE lt_res ca_tally_beat(struct ca_turn *t, bool *ret_more);
/* What the publisher says of OCSP: written down at most each half minute. */
LT_MUST_USE lt_res ca_tally_heard(struct ca_turn *t, lt_time answered);

/* For those who write the book without a registrar, inside their transaction. All at once: counted now, for
 * books that are loaded; anew: the next registrar walks. */
LT_MUST_USE lt_res ca_tally_all_at_once(struct store *s, lt_time now);
LT_MUST_USE lt_res ca_tally_anew(struct store *s);

void ca_tally_free(struct ca_book *b);
extern const struct store_sql *const ca_tally_sql;
extern const size_t ca_tally_sql_count;

#endif
