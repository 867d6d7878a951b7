#ifndef CA_HALT_H
#define CA_HALT_H
/* Halts: issuance stopped for everything, a profile, an issuer, an account, a name and all below it, or what
 * was proved by one method of validation.
 * Adding needs one operator and works at once; lifting is a plan with signed approvals (ca/plan.h) that the
 * examiner verifies for itself.
 *
 * ca_halt_check and ca_halt_valid use no book: the examiner links them alone (ca_rules).
 */
#include "base/slice.h"
#include "common.pb-c.h"

struct ca_turn;
struct ca_book;

struct ca_halt_subject {
    lt_slice profile;
    lt_slice issuer;
    int64_t account_id;
    Ipc__Identifier *const *names;
    size_t name_count;
    const char *const *methods; /* by which its names were validated; none: not known yet */
    size_t method_count;
};

/* LT_POLICY_HALTED, naming the halt, when any of them matches. A wildcard name matches as the name below
 * the star. */
LT_MUST_USE lt_res ca_halt_check(Ipc__Halt *const *halts, size_t count, const struct ca_halt_subject *s);
/* Is what this method proves halted? For who offers it, and who would start it. */
bool ca_halt_method(Ipc__Halt *const *halts, size_t count, const char *method);
bool ca_halt_any_method(Ipc__Halt *const *halts, size_t count);
/* Kind known, value of its form (lower-case labels, decimal id, …), reason given. */
LT_MUST_USE lt_res ca_halt_valid(const Ipc__Halt *h);
/* "all", "profile", "issuer", "account", "name-suffix", "method". */
const char *ca_halt_kind_name(Ipc__HaltKind kind);
Ipc__HaltKind ca_halt_kind_by_name(lt_slice name); /* HALT_NONE when unknown */

/* The book's side (ca/halt_book.c). */
LT_MUST_USE lt_res ca_halt_load(struct ca_book *b);
/* An operator's halt stops something that is there: LT_PEER_NOT_FOUND, naming what there is, for a profile or
 * issuer that is not, or an account. A typing error must not look like a halt. */
LT_MUST_USE lt_res ca_halt_known(struct ca_turn *t, const Ipc__Halt *h);
/* id is drawn when empty; ret_id is in the turn's arena. */
LT_MUST_USE lt_res ca_halt_add(struct ca_turn *t, const Ipc__Halt *h, lt_slice jws, const char **ret_id);
/* LT_POLICY_REFUSED, with what is missing, for a halt of an incident without a fix that was shown to hold. */
LT_MUST_USE lt_res ca_halt_may_lift(struct ca_turn *t, const char *id);
LT_MUST_USE lt_res ca_halt_lift(struct ca_turn *t, const char *id, const char *plan_id);
/* Defers a HaltList with a new version: each second, and at each change. */
LT_MUST_USE lt_res ca_halt_send(struct ca_turn *t);

#endif
