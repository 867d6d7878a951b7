#ifndef CA_RETENTION_H
#define CA_RETENTION_H
/* What need not be kept any more. Records are dropped by month and kind, the oldest month first: a month is a
 * range of ids (which grow with time), so dropping it touches one end of each table and no other. Until when
 * a month is kept follows from the certificates that could rest on its records, and from dated limits
 * (ca/limits.h).
 *
 *   orders          with their enrolments and waiting rows
 *   authorizations  with their challenges and letters
 *   evidence        what was seen: statement, place of the frame; the row and its hash stay
 *   segments        files of evidence in which no row's frame lies any more
 *   certificates    DER and to-be-signed bytes; the row, its names and its hash stay
 *
 * Never dropped: hashes, events, knots, the signer's journal, revocations, rows of certificates, sessions of
 * the console (what was signed in one is verified with its key). Over what is dropped a hash is kept, in
 * order, so that a copy elsewhere can be shown to be the thing itself. Certificates of CAs stay, and so does
 * all that the incident desk has: reports, incidents, promises.
 *
 * The book is asked for months in ranges of an index; dropping goes in slices, each a transaction that says
 * how far it is.
 */
#include "ca/book.h"
#include "ca/turn.h"

enum { CA_RETENTION_SLICE = 250, CA_RETENTION_MONTHS_MAX = 1200 };

enum ca_retention_kind {
    CA_RETENTION_ORDERS,
    CA_RETENTION_AUTHORIZATIONS,
    CA_RETENTION_EVIDENCE,
    CA_RETENTION_SEGMENTS,
    CA_RETENTION_CERTIFICATES,
    CA_RETENTION_KINDS,
};
const char *ca_retention_kind_name(enum ca_retention_kind kind);

/* One month of one kind. */
struct ca_retention_part {
    int64_t month; /* 202411 */
    lt_time from;
    lt_time to;
    enum ca_retention_kind kind;
    const char *duty; /* section that keeps it longest */
    lt_time kept_until;
    lt_time evidence_to; /* of segments: evidence of checks before this is dropped */
    bool due;            /* its time is over, and that of every month before it */
    bool dropping;       /* begun */
    bool dropped;
    int64_t at;
    int64_t count; /* records dropped so far */
};

struct ca_retention_options {
    lt_time now;
    int64_t
        keep_s; /* at least so long after expiry, where that is more than the rules want; 0: what they want */
};

/* Every month from the first record on, kinds in their order; in the arena. */
LT_MUST_USE lt_res ca_retention_plan(struct store *s, const struct ca_retention_options *o,
                                     struct lt_arena *a, struct ca_retention_part **ret_parts,
                                     size_t *ret_count);
/* How many records of the part there are still, for a dry run. */
LT_MUST_USE lt_res ca_retention_count(struct store *s, const struct ca_retention_part *p, int64_t *ret_count);
/* One slice, inside a transaction of the caller's; refuses a part that is not due (LT_POLICY_REFUSED).
 * ret_more: there is more of it. With the last one an event is written. */
LT_MUST_USE lt_res ca_retention_slice(struct ca_turn *t, struct ca_retention_part *p, bool *ret_more);
/* After the commit: files of this host's segments that the book does not name any more. */
LT_MUST_USE lt_res ca_retention_sweep(struct store *s, const struct ca_host *host,
                                      const char *evidence_folder, uint64_t *ret_files);

/* The first moment of a month, and its number. */
lt_time ca_month_of(lt_time t, int64_t *ret_number);
lt_time ca_month_next(lt_time month);

extern const struct store_sql *const ca_retention_sql;
extern const size_t ca_retention_sql_count;
extern const struct store_sql *const ca_retention_drop_sql;
extern const size_t ca_retention_drop_sql_count;

#endif
