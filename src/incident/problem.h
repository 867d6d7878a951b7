#ifndef INCIDENT_PROBLEM_H
#define INCIDENT_PROBLEM_H
/* Problem reports: what people tell us about our certificates. The report is in the book before anything of
 * it is read; what a stranger wrote is taken apart by the mailroom (role/mailroom.c), and what cannot be
 * taken apart waits for a person. Nothing is ever discarded: reports are ranked, and the rank says in which
 * order people look. Clocks begin when a report reached us, whatever it is worth and whoever is waited for.
 *
 * Events: problem.received, problem.again, problem.read, problem.unreadable, problem.known (a certificate of
 * ours is meant), problem.proven, problem.acknowledged, problem.said, problem.waits, problem.triaged,
 * problem.findings, problem.findings-sent, problem.revoked, problem.linked, problem.domain, problem.closed,
 * problem.reopened; alarm.problem-channel.
 */
#include "ca/turn.h"

enum {
    INCIDENT_RAW_MAX = 25 * 1024 * 1024,
    INCIDENT_RAW_PART_MAX = 32 * 1024,
    INCIDENT_UPLOAD_LEN = 16,
    INCIDENT_PROBLEM_TITLE_MAX = 300,
    INCIDENT_PROBLEM_WORDS_MAX = 32 * 1024,
    INCIDENT_PROBLEM_ITEMS_MAX = 200, /* of one report: more are counted, and in its bytes */
};

/* What a report is about: "serial", "sha256", "spki" (hexadecimal), "crtsh", "name", "clause". */
struct incident_item {
    const char *kind;
    const char *value;
};

struct incident_report {
    const char *channel;   /* "mail", "form", "api", "phone", "acme" */
    lt_time received;      /* when it reached us; .us 0: now */
    lt_time sent;          /* by the reporter's clock; .us 0: unknown */
    const char *contact;   /* mail address; "" */
    const char *reporter;  /* name; "" */
    bool may_name;         /* in public */
    const char *authority; /* "subscriber", "domain", "key", "supplier", "law", "other"; "" is other */
    const char *title;
    const char *words;
    const char *cause;  /* what is claimed: ca/reasons.h; "" */
    const char *clause; /* "CABF-BR 7.1.2.7.6"; "" */
    const struct incident_item *items;
    size_t item_count;
    lt_slice raw_sha256; /* of the bytes as they came; empty: of the words */
    int64_t raw_bytes;
    int64_t raw_parts;
    lt_slice upload;   /* of problem_upload, whole; empty: the words are all that there is */
    const char *form;  /* of the upload: "mail", "text" */
    const char *by;    /* operator who wrote it down; "": nobody in between */
    lt_slice jws;      /* of that operator; empty */
    const char *probe; /* the word of our own daily report; NULL or "": it is none */
};

/* A report that is now in the book, with its clock (cpr-findings) running, an acknowledgement on its way, and
 * its bytes on their way to the mailroom. The same bytes again, by the same channel and from the same address
 * as far as there is one, give the id that they have. */
LT_MUST_USE lt_res incident_problem_open(struct ca_turn *t, const struct incident_report *r, int64_t *ret_id);

/* It belongs to an incident. Both have the event. */
LT_MUST_USE lt_res incident_problem_link(struct ca_turn *t, int64_t id, int64_t incident, const char *by);

/* A proof that came with it has been acted on (incident/proof.h): ranked first, said in its thread. */
LT_MUST_USE lt_res incident_problem_proven(struct ca_turn *t, int64_t id, lt_slice spki_sha256,
                                           const char *words);

/* One line into the thread. kind, to: as in problem_word. shown: on the page of the case. */
struct incident_said {
    const char *kind;
    const char *by;
    const char *to;
    const char *text;
    int64_t notice; /* that carries it; 0 */
    bool shown;
    lt_slice jws; /* of the operator, or empty */
};
LT_MUST_USE lt_res incident_problem_say(struct ca_turn *t, int64_t id, const struct incident_said *s);

/* What the mailroom read, or that it died over it; the registrar's. */
struct Ipc__MailroomRead;
LT_MUST_USE lt_res incident_problem_read(struct ca_turn *t, const struct Ipc__MailroomRead *m);
/* A mailroom was linked (again): what lay with the one before is asked for again, one by one. */
LT_MUST_USE lt_res incident_problem_mailroom_linked(struct ca_turn *t);

#endif
