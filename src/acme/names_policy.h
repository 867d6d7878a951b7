#ifndef ACME_NAMES_POLICY_H
#define ACME_NAMES_POLICY_H
/* What this CA itself refuses, allows, or has looked at by a person before it issues: policy/names.yaml,
 * root-owned, read at start and at each reload. It only narrows: what the rules of all CAs refuse (names.h)
 * stays refused.
 *
 * Rows are looked at in their order, the first that fits decides:
 *
 *   default: allow
 *   rows:
 *     - id: own-brand            # named in the refusal
 *       action: deny             # allow, deny, review
 *       suffix: example.com      # it and all below; or name: exactly, word: a part of any label
 *       account: 123             # of this account alone
 *       profile: tls-server      # by this profile alone
 *       reason: Our own names come from another CA.
 */
#include "base/arena.h"
#include "common.pb-c.h"

enum acme_policy_action { ACME_POLICY_ALLOW, ACME_POLICY_DENY, ACME_POLICY_REVIEW };

struct acme_policy_row {
    const char *id;
    enum acme_policy_action action;
    const char *name;    /* lower case; NULL: any. "*.example.com" is that wildcard alone */
    const char *suffix;  /* NULL: any */
    const char *word;    /* NULL: any */
    int64_t account;     /* 0: any */
    const char *profile; /* NULL: any */
    const char *reason;
};

struct acme_policy {
    struct lt_arena arena; /* owned; holds all of it */
    const struct acme_policy_row *rows;
    size_t count;
    enum acme_policy_action otherwise; /* never REVIEW */
    uint8_t sha256[32];                /* of the file; zeros: there is none */
};

#define ACME_POLICY_FILE "policy/names.yaml"
enum { ACME_POLICY_ROWS_MAX = 100000, ACME_POLICY_MAX_BYTES = 16 * 1024 * 1024 };

/* Messages begin FILE:LINE:COLUMN. */
LT_MUST_USE lt_res acme_policy_parse(lt_slice yaml, struct acme_policy *ret_policy);
/* folder_fd: of the CA. A file that is not there is a policy that allows everything. */
LT_MUST_USE lt_res acme_policy_load(int folder_fd, struct acme_policy *ret_policy);
void acme_policy_done(struct acme_policy *p);

/* The row that decides; NULL: none did, *ret_action is the default. p may be NULL. */
const struct acme_policy_row *acme_policy_find(const struct acme_policy *p, const Ipc__Identifier *id,
                                               int64_t account, const char *profile,
                                               enum acme_policy_action *ret_action);

#endif
