#ifndef CA_LINT_BOOK_H
#define CA_LINT_BOOK_H
/* What the linter said, as events: refusals that belong to no intent, and what a later look at the inventory
 * found. */
#include "ca/book.h"
#include "operator.pb-c.h"
#include "sign.pb-c.h"

/* The examiner refused something without an intent. LT_PEER_MALFORMED for a kind that it has not. */
LT_MUST_USE lt_res ca_refused(struct ca_turn *t, const Ipc__Refused *m);

/* The examiner says by which rules it judges: an event "lint.rules" when they are others than before. */
LT_MUST_USE lt_res ca_rules_say(struct ca_turn *t, const Ipc__Rules *m);
/* Those in force at that time, by the events; "" when none were told before it. In the turn's arena. */
LT_MUST_USE lt_res ca_rules_at(struct ca_turn *t, lt_time when, const char **ret_rule_set);

/* What an operator's look at issued certificates found: one event for the part, "lint.audit", and one for
 * each certificate in it, "lint.finding". LT_PEER_NOT_FOUND: a certificate that is not in the book. */
struct ca_lint_look {
    const char *operator_name;
    lt_slice jws;
    const Ipc__LintRecord *record;
};
LT_MUST_USE lt_res ca_lint_record(struct ca_turn *t, const struct ca_lint_look *look, const char **ret_json);

extern const struct store_sql *const ca_lint_sql;
extern const size_t ca_lint_sql_count;

#endif
