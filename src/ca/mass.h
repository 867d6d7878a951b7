#ifndef CA_MASS_H
#define CA_MASS_H
/* Many certificates revoked as one plan: all of one key, or all of a scope, tier by tier.
 *
 * The list of members is frozen first, in slices, from the registrar's own index (a key) or by pages that a
 * reader gives (a scope). Then it is sealed into batches, each with the Merkle root of its serials; the root
 * over those roots is what an approval is for. Running, each batch is one record in the signer's journal,
 * durable before any of its rows is written, and one event. Its rows go into the book in slices, each with
 * how far it is, so that a registrar that dies goes on where it was. A batch that the journal has comes into
 * the book even when the mass is paused or stopped. States: ca_mass_edges.
 *
 * Refuses: reasons that TLS certificates may not have, dates that may not be set back, a start without
 * enough approvals when there are more members than one operator may revoke alone, a batch that finds
 * another number of certificates than its seal says (it pauses and says why).
 */
#include "ca/params.h"
#include "ca/plan.h"
#include "mass.pb-c.h"
#include "sign.pb-c.h"

enum {
    CA_MASS_BATCH = 10000,    /* members of a batch */
    CA_MASS_SLICE = 1000,     /* rows of one statement */
    CA_MASS_SLICE_BUSY = 500, /* the same, while others wait for answers */
    CA_MASS_PAGE = 12000,     /* members of a message: 11 ms to write down */
    CA_MASS_PAGE_BUSY = 4000, /* the same, while others wait for answers, or where the book is on a server */
    CA_MASS_ALONE_MAX = 100,  /* without a configuration */
    CA_MASS_TIERS_MAX = 16,
    CA_MASS_AHEAD = 2, /* batches that are with the signer or on the way into the book */
    CA_MASS_TEXT_MAX = 64 * 1024,
};

struct ca_mass_edge {
    const char *from;
    const char *event;
    const char *to;
};
extern const struct ca_mass_edge ca_mass_edges[];
extern const size_t ca_mass_edge_count;
/* NULL: there is no such edge. */
const char *ca_mass_next(const char *from, const char *event);

/* The object as JSON in the turn's arena. One that blocks its key starts by itself when one operator may
 * start it alone. A mass of the same members, cause and reason that has not ended is
 * given back as it is: asked twice, it is made once; only a plan that has expired is proposed anew.
 * LT_PEER_CONFLICT: it is that one with other tiers, another date or clock. */
LT_MUST_USE lt_res ca_mass_create(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                  const char **ret_json);
/* The same list has another plan when the one that it has was not approved in time, or when expires is given
 * and is another time, at most the end of its clock: who asks again for the same may still have it revoked.
 * Approvals of the plan before are not for this one. */
LT_MUST_USE lt_res ca_mass_propose_again(struct ca_turn *t, const struct ca_plan_asker *by, int64_t id,
                                         lt_time expires);
/* m->id names it. LT_POLICY_APPROVAL: it needs a plan that is approved. */
LT_MUST_USE lt_res ca_mass_start(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                 const char **ret_json);
LT_MUST_USE lt_res ca_mass_pause(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                 const char **ret_json);
/* m->stop_after: tier behind which it pauses again; -1: none. */
LT_MUST_USE lt_res ca_mass_resume(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                  const char **ret_json);
/* The same for one that waits for signatures: the last of them starts it. */
LT_MUST_USE lt_res ca_mass_stop_after(struct ca_turn *t, int64_t id, int64_t tier);
LT_MUST_USE lt_res ca_mass_stop(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                const char **ret_json);

/* For plans of CA_ACTION_MASS_REVOKE, parameters {"mass", "reason", "root"}: fills hash and count of the
 * statement from the mass, which remembers the plan; and starts it once the plan is done. */
#define CA_ACTION_MASS_REVOKE "mass.revoke"
LT_MUST_USE lt_res ca_mass_plan(struct ca_turn *t, const struct ca_params *params, Ipc__PlanStatement *p);
LT_MUST_USE lt_res ca_mass_approved(struct ca_turn *t, lt_slice id, const char *plan_id);

/* A certificate was revoked because its key is compromised: all others of that key follow. The plan starts by
 * itself where the key itself has signed ("certificate-key"), or where there are no more of them than one
 * operator may revoke alone; otherwise it is proposed. Nothing is made where there are no others. */
struct ca_mass_compromise {
    lt_slice spki_sha256;
    const char *by_whom; /* as ca/revoke.h has it */
    lt_slice jws;
    /* The rest may be left out. */
    const char *note; /* instead of one that names by_whom */
    lt_time aware;    /* when the clock began; {0}: now */
    bool proven;      /* by the key itself, in whatever way: it starts by itself however many there are */
};
LT_MUST_USE lt_res ca_mass_compromised(struct ca_turn *t, const struct ca_mass_compromise *c);
/* Members that one operator may revoke without a second person, as configured. */
int64_t ca_mass_alone(const struct ca_turn *t);

/* Drops what is left of a list that has been kept long enough, at most 1,000 members. ret_more: there is more
 * to drop. */
LT_MUST_USE lt_res ca_mass_drop(struct ca_turn *t, bool *ret_more);

/* One slice of whatever there is to do. ret_more: there is more that waits for nobody. */
LT_MUST_USE lt_res ca_mass_step(struct ca_turn *t, bool *ret_more);
LT_MUST_USE lt_res ca_mass_on_members(struct ca_turn *t, const Ipc__Members *m);
/* RevocationRecorded of a batch (mass is not 0). */
LT_MUST_USE lt_res ca_mass_on_recorded(struct ca_turn *t, const Ipc__RevocationRecorded *m);
/* "revocations" out of the signer's journal. LT_PEER_NOT_FOUND: this book has no such batch. */
LT_MUST_USE lt_res ca_mass_on_replay(struct ca_turn *t, const Ipc__JournalEntry *e);
/* A reader, or the examiner, is there again: what was asked is asked again. */
void ca_mass_ask_again(struct ca_book *b);

extern const struct store_sql *const ca_mass_sql;
extern const size_t ca_mass_sql_count;
extern const struct store_sql *const ca_mass_auto_sql;
extern const size_t ca_mass_auto_sql_count;
extern const struct store_sql *const ca_mass_freeze_sql;
extern const size_t ca_mass_freeze_sql_count;
extern const struct store_sql *const ca_mass_run_sql;
extern const size_t ca_mass_run_sql_count;

#endif
