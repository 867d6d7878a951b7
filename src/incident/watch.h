#ifndef INCIDENT_WATCH_H
#define INCIDENT_WATCH_H
/* Monitoring: small rules that look through the book again and again, each in slices, and do something when
 * they find something: open a case, halt an issuer, call who is on duty. A finding is one row for as long as
 * it lasts; its events are watch.fired and watch.cleared of the subject "watch N".
 */
#include "incident/op.h"
#include "incident/watch_list.h"

enum { WATCH_PLACE_MAX = 200, WATCH_SUBJECT_MAX = 160, WATCH_SLICE = 250, WATCH_FACT_MAX = 100 };

struct watch_look;
/* One slice from look->place on: at most WATCH_SLICE rows. Sets the next place, or done. */
typedef lt_res watch_look_at(struct watch_look *look);
/* NULL: there is no such trigger. */
const struct watch_row *watch_row_by_number(int64_t number);

struct watch_look {
    struct ca_turn *t;
    const struct ca_config *config; /* NULL in tests that need none */
    const struct watch_row *rule;
    lt_time began;               /* of this pass */
    char place[WATCH_PLACE_MAX]; /* "": at the beginning */
    bool done;
    int64_t looked;
    int64_t found;
    int64_t fired;        /* new ones in this pass: one call is enough */
    int64_t told;         /* rows of findings, at most 1,000: the rest is only counted */
    const char *severity; /* NULL: the rule's */
    const char *issuer;   /* to halt; NULL: everything */
    int64_t incident_id;  /* the rule's last case; 0: none yet */
};
/* It was seen: row, and for what is new the event and what the rule does. */
LT_MUST_USE lt_res watch_found(struct watch_look *look, const char *subject, const char *format, ...)
    LT_PRINTF(3, 4);
/* "certificate tls 0a1b…" in look's arena. */
const char *watch_certificate(struct watch_look *look, int64_t issuer, lt_slice serial);
/* Neither expired nor revoked. */
LT_MUST_USE lt_res watch_live(struct watch_look *look, int64_t issuer, lt_slice serial, bool *ret_live);
/* A fact that somebody stated; "" when nobody has. In the turn's arena. */
LT_MUST_USE lt_res watch_fact(struct ca_turn *t, const char *name, const char **ret_value, lt_time *ret_at);
/* A place that is numbers: "12 34". Missing ones are 0; an onward rule begins at now. */
void watch_place_read(const struct watch_look *look, int64_t *ret_first, int64_t *ret_second);
void watch_place_write(struct watch_look *look, int64_t first, int64_t second);

/* One slice of one rule that is due; *ret_more: there is more to do at once. */
LT_MUST_USE lt_res watch_beat(struct incident_beat *b, bool *ret_more);
/* Begins a pass now. LT_PEER_NOT_FOUND, or LT_PEER_CONFLICT when it is switched off. */
/* from .us: an onward rule looks from there again; 0: from where it is. */
LT_MUST_USE lt_res watch_run(struct ca_turn *t, int64_t number, lt_time from);

/* on false: it looks at nothing until it is switched on again. */
LT_MUST_USE lt_res watch_switch(struct ca_turn *t, int64_t number, bool on);
/* A finding is over, by somebody's word. LT_PEER_NOT_FOUND: there is none. */
LT_MUST_USE lt_res watch_settle(struct ca_turn *t, int64_t number, const char *subject, const char *why);
/* value "": the fact is none any more. */
LT_MUST_USE lt_res watch_state(struct ca_turn *t, const char *name, const char *value, const char *by);

/* The rules' looks. */
watch_look_at watch_lint;          /* 4 */
watch_look_at watch_journal;       /* 5 */
watch_look_at watch_evidence;      /* 6 */
watch_look_at watch_caa;           /* 7 */
watch_look_at watch_crl;           /* 8 */
watch_look_at watch_not_on_crl;    /* 9 */
watch_look_at watch_ocsp;          /* 10 */
watch_look_at watch_early_removal; /* 11 */
watch_look_at watch_blocked_key;   /* 12 */
watch_look_at watch_weak_key;      /* 13 */
watch_look_at watch_heartbeat;     /* 15 */
watch_look_at watch_clocks;        /* 16 */
watch_look_at watch_cps;           /* 17 */
watch_look_at watch_coming_rule;   /* 19 */
watch_look_at watch_stopped;       /* 20 */
watch_look_at watch_success_rate;  /* 21 */
watch_look_at watch_ari;           /* 22 */
watch_look_at watch_bounced;       /* 23 */
watch_look_at watch_drift;         /* 24 */

extern const struct incident_sql watch_sql;
extern const struct incident_sql watch_book_sql;
extern const struct incident_sql watch_issued_sql;
extern const struct incident_sql watch_crl_sql;
extern const struct incident_sql watch_rule_sql;

#endif
