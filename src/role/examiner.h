#ifndef ROLE_EXAMINER_H
#define ROLE_EXAMINER_H
/* Private to the examiner: what it holds, and what its files share. */
#include "ca/examine.h"
#include "ca/passkey.h"
#include "role/kit.h"

enum { EXAMINER_SLOTS = 4096, EXAMINER_ISSUERS_MAX = 64, EXAMINER_ORDER_WAIT_MS = 45000 };

/* An order that is with the signer. */
struct examiner_slot {
    uint64_t id; /* of the order; 0: free */
    struct ipc_addr to;
    int64_t until_ms; /* then it is answered "unavailable" */
    bool crl;
    int64_t intent_id;
    char issuer[64];
    uint32_t shard;
    uint8_t serial[20];
    size_t serial_len;
    uint8_t profile_sha256[CA_PROFILE_SHA256];
    struct ca_noted notes[CA_NOTED_MAX]; /* what the linter said of what may be signed all the same */
    size_t note_count;
    bool opinion;   /* the second opinion is asked, the signer not yet */
    uint8_t *asked; /* owned: the packed SignRequest, to judge it again when the opinion is there */
    size_t asked_len;
};

/* Findings as a message carries them; room for one message at a time. */
struct examiner_findings {
    Ipc__Finding rows[LINT_FINDINGS_MAX];
    Ipc__Finding *list[LINT_FINDINGS_MAX];
    size_t count;
    size_t bytes;
};

/* What was told to the registrar without being asked, so that the same is not told every second. */
struct examiner_told {
    uint8_t hash[32];
    int64_t until_ms;
};
enum { EXAMINER_TOLD = 16 };

struct examiner {
    struct role_kit *kit;
    const char *folder;          /* of Start: lives as long as the process */
    const char *public_http_url; /* the same */
    bool test_ca;                /* the folder carries the mark: no public profile is signed for */
    int dir_fd;                  /* examiner/ */
    struct ca_examiner_state *state;
    /* The root-owned files, as read at start or at the last reload. */
    struct lt_arena files; /* issuers, host names */
    struct ca_examine_issuer issuers[EXAMINER_ISSUERS_MAX];
    struct ca_profiles profiles;
    struct ca_operators operators;
    struct ca_origins origins; /* of the console's pages; operators points to them */
    struct validate_perspectives perspectives;
    uint32_t approvals_needed;
    bool second_opinion;           /* one is configured */
    const char **opinion_profiles; /* for which; none: all that are public */
    size_t opinion_profile_count;
    int64_t opinion_timeout_s;
    struct examiner_told told[EXAMINER_TOLD];
    size_t next_told;
    struct lint_keys *keys;             /* owned */
    struct validate_verified *verified; /* owned */
    struct examiner_findings *findings; /* owned */
    struct ca_examine x;
    struct examiner_crl *crls; /* owned list: large CRLs, and what waits behind one; the first is under way */
    size_t crl_count;
    struct examiner_slot *slots; /* owned; EXAMINER_SLOTS of them, by id modulo their number */
    uint64_t next_id;
    size_t busy;
    int64_t next_look_ms;
    bool hello_known; /* the registrar has said how far the book is */
    uint64_t acknowledged;
};

/* Reads profiles, operators and issuers' certificates anew; what was there stays when anything is wrong. */
LT_MUST_USE lt_res examiner_load(struct examiner *e, const char *config_yaml);
void examiner_unload(struct examiner *e);

/* NULL when too much is under way. */
struct examiner_slot *examiner_slot_take(struct examiner *e, const struct ipc_addr *to, const char *issuer);
struct examiner_slot *examiner_slot_find(struct examiner *e, uint64_t id);
void examiner_slot_free(struct examiner *e, struct examiner_slot *s);

/* A certificate's refusal, to whoever asked. opinion: the other linter's findings, NULL for our own. */
struct examiner_no {
    const struct ca_verdict *v;
    const Ipc__Opinion *opinion;
};
lt_res examiner_refuse(struct examiner *e, const struct ipc_addr *to, const Ipc__SignRequest *asked,
                       const struct examiner_no *no);
/* Takes a slot and sends the order; a verdict that says no when the signer is away. */
void examiner_certificate_order(struct examiner *e, const struct ipc_addr *to, const Ipc__SignRequest *asked,
                                struct ca_verdict *v);
void examiner_not_now(struct ca_verdict *v, const char *detail);
/* An event in the book about something without an intent: the same words once an hour. */
void examiner_tell(struct examiner *e, Ipc__Refused *m);

/* examiner_opinion.c: the other linter, where one is configured. */
bool examiner_wants_opinion(const struct examiner *e, const struct ca_profile *profile);
/* Asks; a verdict that says no when it cannot be asked. */
void examiner_ask_opinion(struct examiner *e, const struct ipc_msg *m, struct ca_verdict *v);
lt_res examiner_on_opinion(void *self, const struct ipc_msg *m);
/* No answer will come to the question of this slot. later: it may be asked again. */
lt_res examiner_opinion_missing(struct examiner *e, struct examiner_slot *s, const char *detail, bool later);

lt_res examiner_on_sign_request(void *self, const struct ipc_msg *m);
lt_res examiner_certificate_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m);

void examiner_count(const char *what, const char *outcome);
/* What the linter found, as a message carries it. */
void examiner_findings_take(struct examiner_findings *to, const struct ca_examine *x,
                            const struct lint_results *from, const char *profile);

/* examiner_crl.c */
lt_res examiner_on_crl_request(void *self, const struct ipc_msg *m);
/* A few milliseconds of the CRLs that are under way. */
lt_res examiner_crls_go_on(struct examiner *e);
/* All of them are answered "unavailable": what they are judged by changes. */
lt_res examiner_crls_give_up(struct examiner *e, const char *why);
lt_res examiner_crl_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m);

#endif
