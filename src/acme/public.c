/* Orders by profiles that browsers trust: refused while the CA lacks what ca/public_trust.h asks for, and
 * planned only over proofs that enough of today's perspectives corroborated. The examiner counts again, by
 * the perspectives' own signatures (ca/examine_quorum.c); here it is told before a client has done its work.
 */
#include <string.h>

#include "acme/desk_private.h"
#include "ca/public_trust.h"

lt_res acme_public_check(struct acme_desk *d, struct ca_turn *t, const char *profile,
                         Ipc__Problem **ret_problem)
{
    const struct ca_profile_row *row = ca_profile_by_name(t->book, lt_slice_cstr(profile));
    struct ca_public_trust trust;
    struct lt_buf why;
    *ret_problem = NULL;
    if (row == NULL || !row->profile->public_trust) {
        return LT_OK;
    }
    ca_public_trust_judge(d->config, d->perspectives, t->now, &trust);
    if (trust.lack_count == 0) {
        return LT_OK;
    }
    lt_buf_init(&why, CA_PUBLIC_LACKS * CA_PUBLIC_LACK_MAX);
    for (size_t i = 0; i < trust.lack_count; i++) {
        lt_buf_addf(&why, "%s%s", i == 0 ? "" : "; ", trust.lacks[i]);
    }
    *ret_problem = acme_problem(
        t->arena, "invalidProfile",
        "The profile %s is one that browsers trust, and this CA may not issue by it: %s.", profile,
        lt_buf_cstr(&why));
    lt_buf_done(&why);
    LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    return LT_OK;
}

/* Is that perspective among those that agreed? views: "primary,eu-west,…", bit i for the i-th. */
static bool agreed(const char *name, lt_slice views, uint64_t bits)
{
    lt_slice view;
    for (unsigned i = 0; i < 64 && lt_slice_split(&views, ',', &view); i++) {
        if (lt_slice_eq_cstr(view, name)) {
            return i > 0 && (bits >> i & 1) != 0;
        }
    }
    return false;
}

/* Over the perspectives of today, by the rules of the day of the validation: as the examiner will count. */
static void count(const struct acme_desk *d, const char *views, uint64_t bits, lt_time when,
                  struct validate_quorum *ret_quorum)
{
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    size_t count = d->perspectives == NULL ? 0 : d->perspectives->count;
    for (size_t i = 0; i < count; i++) {
        const struct validate_perspective *p = &d->perspectives->list[i];
        votes[i] = (struct validate_vote){p, agreed(p->name, lt_slice_cstr(views), bits)};
    }
    validate_quorum_count(votes, count, when, ret_quorum);
}

lt_res acme_public_proven(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p)
{
    const struct ca_profile_row *row = ca_profile_by_name(t->book, lt_slice_cstr(p->order->profile));
    if (row == NULL || !row->profile->public_trust) {
        return LT_OK;
    }
    /*= CABF-BR 3.2.2.9 "If the requirements are not satisfied, then the CA MUST NOT proceed with issuance of
     * the Certificate." */
    for (size_t i = 0; i < p->count; i++) {
        const struct ca_issue_name *n = &p->names[i];
        struct validate_quorum q;
        count(d, n->views == NULL ? "" : n->views, n->agreed, n->validated, &q);
        LT_CHECK(q.met || !q.blocking, LT_PEER_CONFLICT,
                 "%u of %u perspectives corroborate the proof for %.*s: %s", q.agreeing, q.asked,
                 LT_FMT(n->value), q.why);
    }
    return LT_OK;
}

lt_res acme_public_reusable(struct acme_desk *d, struct ca_turn *t, const struct ca_profile *profile,
                            int64_t authorization, bool *ret_reusable)
{
    struct store_rows rows;
    struct validate_quorum q = {.met = false, .blocking = true};
    *ret_reusable = true;
    if (!profile->public_trust) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_AUTHORIZATION_VIEWS], STORE_ARGS(STORE_I(authorization)),
                       &rows));
    if (store_next(&rows)) {
        const char *views = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        count(d, views == NULL ? "" : views, (uint64_t)store_int(&rows, 2), (lt_time){store_int(&rows, 0)},
              &q);
    }
    *ret_reusable = q.met || !q.blocking;
    return store_rows_end(&rows);
}

bool acme_public_wanted(const struct acme_desk *d, const struct ca_turn *t)
{
    struct ca_public_trust trust;
    size_t at = 0;
    if (ca_public_profile(&t->book->profiles, &at) == NULL) {
        return false;
    }
    ca_public_trust_judge(d->config, d->perspectives, t->now, &trust);
    return trust.lack_count == 0;
}
