#ifndef INCIDENT_PROBLEM_PRIVATE_H
#define INCIDENT_PROBLEM_PRIVATE_H
/* Between the files of the problem desk, in the registrar's turn. */
#include "incident/op.h"
#include "incident/problem.h"
#include "mailroom.pb-c.h"

/* Edges of a report's state; what waits for somebody else is a state, and stops no clock. */
struct incident_problem_edge {
    const char *from;
    const char *event;
    const char *to;
    const char *when; /* for the page */
};
extern const struct incident_problem_edge incident_problem_edges[];
extern const size_t incident_problem_edge_count;
/* NULL: there is no such edge. */
const char *incident_problem_next(const char *from, const char *event);

/* A row; texts in the turn's arena. */
struct incident_problem {
    int64_t id; /* 0: there is none */
    const char *status;
    const char *kind;
    const char *channel;
    int64_t received_us;
    const char *contact;
    const char *reporter;
    bool may_name;
    const char *authority;
    const char *title;
    const char *cause;
    const char *clause;
    lt_slice upload;
    const char *form;
    lt_slice raw_sha256;
    int64_t raw_bytes;
    const char *reading;
    int64_t tries;
    const char *message;
    lt_slice link; /* sealed */
    int64_t rank;
    const char *rank_why;
    int64_t same_as;
    int64_t incident;
    int64_t acknowledged_us;
    int64_t found_us;
    int64_t told_us;
    const char *decision;
};

/* LT_PEER_NOT_FOUND when there is none. */
LT_MUST_USE lt_res problem_load(struct ca_turn *t, int64_t id, struct incident_problem *ret_p);
/* By the word of its page; id 0: none. */
LT_MUST_USE lt_res problem_by_link(struct ca_turn *t, lt_slice token, struct incident_problem *ret_p);
/* "https://…/problem/WORD"; "" where the word cannot be opened. */
LT_MUST_USE lt_res problem_page_url(struct ca_turn *t, const struct incident_problem *p,
                                    const char **ret_url);
/* "problem 12" in the turn's arena. */
LT_MUST_USE lt_res problem_subject(struct ca_turn *t, int64_t id, const char **ret_subject);
/* Along an edge; LT_PEER_CONFLICT: there is none. Nothing where `event` is an edge to the same state. */
LT_MUST_USE lt_res problem_step(struct ca_turn *t, struct incident_problem *p, const char *event);
/* 0 to 100, and why. Never lowers what a proof has raised. */
LT_MUST_USE lt_res problem_rank(struct ca_turn *t, struct incident_problem *p, int64_t rank, const char *why);
/* The order in which people look, by what is known now. */
LT_MUST_USE lt_res problem_rank_anew(struct ca_turn *t, struct incident_problem *p, bool hollow);

/* problem_item.c: what it is about. Resolved against the book; *ret_known: certificates of ours. */
LT_MUST_USE lt_res problem_items_add(struct ca_turn *t, int64_t id, const struct incident_item *items,
                                     size_t count, int64_t *ret_known);
/* The first open report that names and claims all that this one does; 0: none. */
LT_MUST_USE lt_res problem_same(struct ca_turn *t, int64_t id, int64_t *ret_same);
enum { PROBLEM_ACCOUNTS_MAX = 100 };
/* Subscribers of the certificates that it is about. */
LT_MUST_USE lt_res problem_accounts(struct ca_turn *t, int64_t id, int64_t ret_accounts[PROBLEM_ACCOUNTS_MAX],
                                    size_t *ret_count);
LT_MUST_USE lt_res problem_known(struct ca_turn *t, int64_t id, int64_t *ret_count);

/* problem_reporter.c: who reports, for the order alone. */
LT_MUST_USE lt_res problem_reporter_seen(struct ca_turn *t, const char *contact);
LT_MUST_USE lt_res problem_reporter_judged(struct ca_turn *t, const char *contact, bool upheld);
/* -10 to 10. */
LT_MUST_USE lt_res problem_reporter_worth(struct ca_turn *t, const char *contact, int64_t *ret_worth);

/* problem_letter.c: what the desk writes. */
/* The acknowledgement, once; of a takedown with the words for that. */
LT_MUST_USE lt_res problem_acknowledge(struct ca_turn *t, struct incident_problem *p);
/* A letter of data/notices to the reporter with "case", "page", "text" and "title"; *ret_notice 0: there is
 * nobody to write to. */
LT_MUST_USE lt_res problem_write(struct ca_turn *t, const struct incident_problem *p, const char *kind,
                                 const char *text, int64_t *ret_notice);

/* problem_found.c: the findings of 24 hours, to the filer and to every subscriber. */
struct problem_findings {
    const char *decision;      /* "revoke", "none", "takedown", "duplicate" */
    const char *words;         /* for the filer */
    const char *to_subscriber; /* "": the same words */
    const char *by;
    lt_slice jws;
    bool told; /* by the letters of incident/proof_book.h: none go out */
    bool same; /* of all reports that say no more than this one */
};
LT_MUST_USE lt_res problem_findings_give(struct ca_turn *t, struct incident_problem *p,
                                         const struct problem_findings *f);
/* They reached everybody at that time; how: what shows it. Meets the clock. */
LT_MUST_USE lt_res problem_findings_told(struct ca_turn *t, struct incident_problem *p, lt_time when,
                                         const char *how);
LT_MUST_USE lt_res problem_findings_beat(struct ca_turn *t, bool *ret_more);

/* problem_upload.c: the bytes. */
LT_MUST_USE lt_res problem_upload_part(struct ca_turn *t, lt_slice upload, int64_t part, lt_slice bytes,
                                       const char *by);
/* It is that report's from now on. LT_PEER_CONFLICT: not whole. */
LT_MUST_USE lt_res problem_upload_take(struct ca_turn *t, lt_slice upload, int64_t problem, int64_t parts,
                                       int64_t bytes);
/* Other bytes in their place. */
LT_MUST_USE lt_res problem_upload_replace(struct ca_turn *t, lt_slice upload, lt_slice bytes);
/* Uploads that nobody has finished within a day. */
LT_MUST_USE lt_res problem_upload_beat(struct ca_turn *t, bool *ret_more);

/* problem_read.c: reports on their way to the mailroom. */
LT_MUST_USE lt_res problem_reading_beat(struct ca_turn *t, bool *ret_more);
/* What is waiting, as far as there is room. */
LT_MUST_USE lt_res problem_reading_go(struct ca_turn *t);
/* A proof that came with a report, or to one: acted on, said in the thread; where the key is compromised the
 * findings say so. *ret_done is set when findings were given. */
struct problem_proof {
    const Ipc__KeyProof *proof;
    const char *via;
    lt_time received;
    bool alone; /* the report is about nothing else: a key that is none of ours ends it */
};
LT_MUST_USE lt_res problem_prove(struct ca_turn *t, struct incident_problem *p,
                                 const struct problem_proof *proof, bool *ret_done);

/* problem_probe.c: our own daily report. */
LT_MUST_USE lt_res problem_channel_put(struct ca_turn *t, const char *name, int64_t minutes, const char *by,
                                       lt_slice jws);
LT_MUST_USE lt_res problem_channel_remove(struct ca_turn *t, const char *name, lt_slice jws);
/* One more: of mail a letter; of the others the word, for who goes there from outside. */
LT_MUST_USE lt_res problem_probe_send(struct ca_turn *t, const char *channel, const char **ret_word);
/* *ret_probe: it was one of ours. */
LT_MUST_USE lt_res problem_probe_seen(struct ca_turn *t, const char *word, bool *ret_probe);
LT_MUST_USE lt_res problem_probe_beat(struct incident_beat *b, bool *ret_more);

/* problem_domain.c: a reporter shows that a domain is theirs. */
struct problem_domain_ask {
    const char *name;
    const char *method;
    const char *by;
};
/* *ret_words: what to do, or what came of it. */
LT_MUST_USE lt_res problem_domain_begin(struct acme_desk *d, struct ca_turn *t,
                                        const struct incident_problem *p,
                                        const struct problem_domain_ask *ask, const char **ret_words);
LT_MUST_USE lt_res problem_domain_check(struct acme_desk *d, struct ca_turn *t,
                                        const struct incident_problem *p, const char *name,
                                        const char **ret_words);
LT_MUST_USE lt_res problem_domain_beat(struct incident_beat *b, bool *ret_more);

extern const struct incident_sql incident_problem_sql;
extern const struct incident_sql incident_problem_item_sql;
extern const struct incident_sql incident_problem_letter_sql;
extern const struct incident_sql incident_problem_found_sql;
extern const struct incident_sql incident_problem_upload_sql;
extern const struct incident_sql incident_problem_read_sql;
extern const struct incident_sql incident_problem_probe_sql;
extern const struct incident_sql incident_problem_domain_sql;
extern const struct incident_sql incident_problem_ops_sql;
extern const struct incident_sql incident_problem_page_sql;

#endif
