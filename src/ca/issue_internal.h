#ifndef CA_ISSUE_INTERNAL_H
#define CA_ISSUE_INTERNAL_H
/* Between the files of issuance in this room. */
#include "ca/issue.h"

struct ca_issue_draft {
    const struct ca_issue_request *request;
    const struct ca_profile *profile;
    const struct ca_issuer *issuer;
    uint8_t serial[CA_SERIAL_LEN];
    struct ca_period period;
    uint32_t crl_shard;
    lt_slice tbs; /* in the turn's arena */
};

/* Does the profile allow this key, these names, this requester? LT_POLICY_REFUSED says what not. */
LT_MUST_USE lt_res ca_issue_fits(const struct ca_issue_request *r, const struct ca_profile *p);
/* Fills tbs from all the rest. */
LT_MUST_USE lt_res ca_issue_build(struct ca_turn *t, struct ca_issue_draft *d);
/* SHA-256 over [["dns","a.example"],…], sorted; the order does not matter. */
LT_MUST_USE lt_res ca_name_set_sha256(struct ca_turn *t, const struct ca_issue_request *r,
                                      uint8_t ret_hash[CA_HASH_LEN]);

/* An intent as the book has it; all in the turn's arena. */
struct ca_intent {
    int64_t id;
    const char *requester;
    int64_t order_id;
    int64_t account_id;
    const struct ca_issuer *issuer;
    int64_t profile;
    lt_slice serial;
    lt_slice tbs;
    lt_time created;
    const Ipc__IntentRecord *record;
};
/* LT_PEER_NOT_FOUND when there is none. */
LT_MUST_USE lt_res ca_intent_load(struct ca_turn *t, int64_t id, struct ca_intent *ret_intent);
/* The same for one that has not ended yet. */
LT_MUST_USE lt_res ca_intent_load_open(struct ca_turn *t, int64_t id, struct ca_intent *ret_intent);
LT_MUST_USE lt_res ca_intent_by_serial(struct ca_turn *t, const struct ca_issuer *issuer, lt_slice serial,
                                       int64_t *ret_id);
/* Is it still without an outcome? */
LT_MUST_USE lt_res ca_intent_is_open(struct ca_turn *t, int64_t id, bool *ret_open);
/* Asks the examiner; nothing while held or unlinked. */
LT_MUST_USE lt_res ca_intent_ask(struct ca_turn *t, const struct ca_intent *i);

/* The certificate's rows, from a signature; and the listener's outcome. */
struct ca_signed {
    lt_slice signature;
    uint64_t sequence;
    const char *rule_set;
    lt_slice profile_sha256; /* as the examiner read it; empty when replayed */
    bool replayed;
    const char *findings_json;     /* as the examiner saw it; NULL: not known */
    Ipc__Finding *const *findings; /* the same, for scopes */
    size_t finding_count;
    const char *excepted_json; /* rules that an exception let pass; NULL: none */
};
/* "[{…},…]" in the turn's arena, the first that fit; members that are empty are left out. */
const char *ca_findings_json(struct ca_turn *t, Ipc__Finding *const *list, size_t count,
                             size_t *ret_left_out);
/* The ids of those with an exception; NULL: there is none. */
const char *ca_excepted_json(struct ca_turn *t, Ipc__Finding *const *list, size_t count);
LT_MUST_USE lt_res ca_intent_complete(struct ca_turn *t, const struct ca_intent *i,
                                      const struct ca_signed *s);
LT_MUST_USE lt_res ca_intent_refuse(struct ca_turn *t, const struct ca_intent *i, const Ipc__SignReply *m);

#endif
