#ifndef INCIDENT_NOTICE_H
#define INCIDENT_NOTICE_H
/* Notices: what we tell people and machines, each to one address, each a row that is sent by the beat, tried
 * again while it is not taken, and proven by an event with what the other side said. All of it in the
 * registrar's turn; what it says is made of the row alone by the courier (incident/notice_text.h), so that an
 * attempt after a crash says the same.
 *
 *   queued ──taken──▶ sent ──returned──▶ bounced
 *   queued ──refused for good──▶ bounced (mail), refused (hook)
 *   queued ──no attempt left──▶ refused      queued ──withdrawn──▶ withdrawn      (page) ──▶ shown
 *
 * Refuses: kinds that data/notices does not have, addresses that are none, hooks that nobody added.
 */
#include "ca/turn.h"
#include "mail.pb-c.h"
#include "publish.pb-c.h"

struct incident_notice {
    const char *kind;    /* of data/notices: "message", "affected" */
    const char *subject; /* "incident 12", "problem 7" */
    const char *channel; /* "mail", "webhook", "page": stands on a page, nothing is sent */
    const char *to;      /* address without "mailto:"; name of the hook; who looks */
    const char *params;  /* JSON object of the template's words, values strings (ca/body.h) */
    /* The rest may be left out. */
    int64_t account;         /* of the subscriber: what comes back counts against this contact */
    const char *reply_to;    /* address */
    const char *in_reply_to; /* Message-ID with its brackets */
};
/* Event notice.written of the subject; later notice.sent {"said"}, notice.bounced, notice.refused. */
LT_MUST_USE lt_res incident_notice_add(struct ca_turn *t, const struct incident_notice *n, int64_t *ret_id);
/* To every address and hook of a subscriber (n->channel and n->to are left out). *ret_count: how many. */
LT_MUST_USE lt_res incident_notice_account(struct ca_turn *t, const struct incident_notice *n,
                                           int64_t *ret_count);
/* A letter came back (DSN, RFC 3464): id and token of its Message-ID, "<notice-ID.TOKEN@host>".
 * status NULL: it is on its way still. LT_PEER_NOT_FOUND: we sent no such letter. */
LT_MUST_USE lt_res incident_notice_returned(struct ca_turn *t, int64_t id, const char *token,
                                            const char *status, const char *words);

/* Many: one notice for every subscriber of a frozen list. Written in slices by the beat, then sent as fast as
 * mail.rate allows; asked again for the same subject, kind and list: the one that is there is given. */
struct incident_notify {
    const char *subject; /* "incident 12" */
    const char *kind;    /* "affected" */
    int64_t mass;        /* whose frozen list (ca/mass.h) */
    const char *params;  /* JSON object, for all; each gets "certificates" and "account" beside it */
    const char *by;
};
LT_MUST_USE lt_res incident_notify(struct ca_turn *t, const struct incident_notify *n, int64_t *ret_batch);
/* How far it is, for "incident show"; certificates 0 and status "" when there is none. */
struct incident_notified {
    char status[16]; /* collecting, writing, sending, done */
    int64_t certificates;
    int64_t accounts;
    int64_t notices;
    int64_t unreached; /* subscribers without an address or a hook */
    int64_t sent;
    int64_t failed;
    lt_time written; /* .us 0: not yet */
};
LT_MUST_USE lt_res incident_notified(struct ca_turn *t, const char *subject,
                                     struct incident_notified *ret_state);

/* The list of an incident, for the world: look-ups at /affected, and the file /affected/ID.csv. A second call
 * publishes the next version. Restricted incidents are not for this. */
struct incident_publish {
    int64_t incident;
    int64_t mass;
    const char *title;
    const char *words;
    lt_time deadline; /* .us 0: none is known yet */
    const char *by;
};
LT_MUST_USE lt_res incident_publish(struct ca_turn *t, const struct incident_publish *p);
LT_MUST_USE lt_res incident_publish_end(struct ca_turn *t, int64_t incident, const char *by);

/* Wakes who is on call, by mail and hook, and the next after each step until somebody acknowledges.
 * "critical": everybody of the rota in turn, again and again; "high": the same once; "low": who is on call,
 * once, and nobody need acknowledge. The same words about the same subject while it is calling: nothing new.
 * Where nobody is on call it is an event, and stands in the list. */
LT_MUST_USE lt_res incident_page(struct ca_turn *t, const char *severity, const char *subject,
                                 const char *words);

/* ---- for the registrar's loop ---- */
LT_MUST_USE lt_res incident_notice_mailed(struct ca_turn *t, const Ipc__MailSent *said);
LT_MUST_USE lt_res incident_notice_hooked(struct ca_turn *t, const Ipc__HookSent *said);
LT_MUST_USE lt_res incident_list_published(struct ca_turn *t, const Ipc__ListPublished *said);
/* The one before may have died with letters in its hands. */
LT_MUST_USE lt_res incident_notice_courier_linked(struct ca_turn *t);

#endif
