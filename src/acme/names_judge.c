/* The policy of names held against all names of an order: denied names become one problem with a subproblem
 * for each; the first row that wants a person is remembered. */
#include "acme/desk_private.h"

static lt_res deny(struct ca_turn *t, Ipc__Identifier *id, const struct acme_policy_row *row,
                   Ipc__Problem **p)
{
    static const char type[] = "rejectedIdentifier";
    char *detail = row == NULL
                       ? lt_arena_printf(t->arena, "This CA issues for the names of its list alone [policy "
                                                   "default].")
                       : lt_arena_printf(t->arena, "%s [policy row %s]", row->reason, row->id);
    LT_CHECK(detail != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    if (*p == NULL) {
        *p = acme_problem(t->arena, type, "%s: %s", id->value, detail);
        LT_CHECK(*p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    }
    return acme_problem_add(t->arena, *p, type, id, detail);
}

lt_res acme_policy_judge(struct acme_desk *d, struct ca_turn *t, const struct acme_order *o,
                         struct acme_judgement *ret_judgement)
{
    struct acme_judgement j = {.action = ACME_POLICY_ALLOW, .rule = ""};
    for (size_t i = 0; i < o->names.count; i++) {
        enum acme_policy_action action = ACME_POLICY_ALLOW;
        const struct acme_policy_row *row = acme_policy_find(d->policy, o->names.list[i], o->account,
                                                             o->profile, &action);
        if (action == ACME_POLICY_DENY) {
            LT_TRY(deny(t, o->names.list[i], row, &j.problem));
            j.action = ACME_POLICY_DENY;
        } else if (action == ACME_POLICY_REVIEW && j.action == ACME_POLICY_ALLOW) {
            j.action = ACME_POLICY_REVIEW;
            j.rule = row->id;
        }
    }
    j.rule = j.action == ACME_POLICY_REVIEW ? j.rule : "";
    *ret_judgement = j;
    return LT_OK;
}
