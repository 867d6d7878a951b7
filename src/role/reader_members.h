#ifndef ROLE_READER_MEMBERS_H
#define ROLE_READER_MEMBERS_H
/* The members of a scope for the registrar, which may not run scopes: page by page behind a cursor. A scope
 * is run for many pages at once, since each run may read much; what the registrar has not asked for yet waits
 * here. A reader that is new, or is asked for another page than the next, runs it again.
 */
#include "mass.pb-c.h"

#include "role/kit.h"
#include "store/store.h"

struct reader_members; /* owned by the reader */

struct reader_members *reader_members_new(struct role_kit *kit, struct store *store);
LT_MUST_USE lt_res reader_members_asked(struct reader_members *r, const struct ipc_msg *m);

/* For pages of another kind: the members behind the place that q names, in order, as long as they are taken;
 * what was not taken is the next page's. ret_last: there are none behind them. */
typedef lt_res reader_member(void *self, int64_t issuer, lt_slice serial, bool *ret_taken);
LT_MUST_USE lt_res reader_members_each(struct reader_members *r, const Ipc__MembersWanted *q,
                                       reader_member *each, void *self, bool *ret_last);
LT_MUST_USE lt_res reader_members_count(struct reader_members *r, const Ipc__MembersWanted *q,
                                        int64_t *ret_count);

#endif
