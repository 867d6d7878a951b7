#ifndef ACME_MAIL_H
#define ACME_MAIL_H
/* The methods by mail (BR 3.2.2.4.4, .13, .14): whom to write to, letters with a random value each, and what
 * their readers say on the page that the letter leads to.
 *
 * A challenge of these methods goes three steps while it is pending: the validator is asked for the contacts
 * (mail_lookup.c; not for addresses that are constructed), letters go out (mail.c), somebody approves on the
 * page (mail_page.c). Only then is it processing, like any other: validator and perspectives are asked
 * whether the address that approved is a contact of the name now, and whether CAA permits. Letters are rows
 * with a due time: a registrar that was killed goes on with them.
 *
 * Refuses: an approval by looking at the page, by a value that was used, has expired or belongs to an
 * authorization that waits no more. */
#include "acme/desk_private.h"

enum acme_mail_row {
    ACME_MAIL_LOOKUP_PUT,
    ACME_MAIL_LOOKUP,
    ACME_MAIL_LOOKUP_DROP,
    ACME_MAIL_LOOKUP_OLD,
    ACME_MAIL_ADD,
    ACME_MAIL_DUE,
    ACME_MAIL_BY_TOKEN,
    ACME_MAIL_BY_ID,
    ACME_MAIL_OF,
    ACME_MAIL_TRY,
    ACME_MAIL_RESUME,
    ACME_MAIL_SENT,
    ACME_MAIL_PUT_OFF,
    ACME_MAIL_END,
    ACME_MAIL_ANSWER,
    ACME_MAIL_WITHDRAW,
    ACME_MAIL_AGAIN,
    ACME_MAIL_EXPIRED,
    ACME_MAIL_ERROR,
    ACME_MAIL_ROWS,
};
extern const struct store_sql acme_mail_rows[ACME_MAIL_ROWS];
/* For the test that EXPLAINs them. */
extern const struct store_sql *const acme_mail_sql;
extern const size_t acme_mail_sql_count;

enum {
    ACME_MAIL_RECIPIENTS_MAX = 5, /* of one challenge */
    ACME_MAIL_STEP = 100,         /* rows in one tick */
    ACME_MAIL_LIFETIME_DAYS = 30,
};

/* A challenge that letters are for. Strings in the turn's arena. */
struct acme_mail_for {
    int64_t authorization;
    uint32_t index;
    const char *method;
    const char *name; /* without "*." */
    lt_time expires;  /* of the authorization */
};

/* Is it one of these methods? */
bool acme_mail_is(const char *method);
/* The subscriber wants it: asks whom to write to, or writes. contact: the one who is written to where he is
 * among those who may answer; otherwise all of them are. LT_PEER_UNSUPPORTED where the CA sends no mail. */
LT_MUST_USE lt_res acme_mail_begin(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                                   const char *contact);
/* Asked for once more: letters that are out go out again, unchanged; where there are none, begins. *ret_look:
 * somebody has approved already, so that the challenge itself can be looked at. */
LT_MUST_USE lt_res acme_mail_again(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                                   bool *ret_look);
/* What the validator is asked when somebody has approved: whether that address is a contact. */
LT_MUST_USE lt_res acme_mail_question(struct ca_turn *t, const struct acme_mail_for *f, Ipc__Validate *v);
/* A statement of such a method. *ret_taken false: it is about the challenge itself. */
LT_MUST_USE lt_res acme_mail_contacts(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                                      bool *ret_taken);
/* Sends what is due, asks again, ends what has expired. */
LT_MUST_USE lt_res acme_mail_tick(struct acme_desk *d, struct ca_turn *t);
acme_page_handler acme_mail_page;

/* --- between the files ---------------------------------------------------------------------------------- */

/* A row of mail with what belongs to it. */
struct acme_letter {
    int64_t id; /* 0: there is none */
    struct acme_mail_for of;
    const char *recipient;
    lt_slice sealed; /* its random value; empty: good for nothing any more */
    const char *subscriber;
    bool wildcard;
    bool pending; /* the authorization */
    bool queued;  /* the relay has not said its last word */
    uint32_t attempts;
    lt_time created;
    lt_time expires;
};
/* The columns of ACME_MAIL_DUE, _BY_TOKEN and _BY_ID. */
LT_MUST_USE lt_res acme_letter_read(struct acme_desk *d, struct ca_turn *t, const struct store_rows *rows,
                                    struct acme_letter *ret_letter);
/* Writes the row of a letter, which leaves with the next tick. */
LT_MUST_USE lt_res acme_letter_add(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                                   const char *recipient);
LT_MUST_USE lt_res acme_letter_event(struct ca_turn *t, const char *kind, const struct acme_letter *l,
                                     const char *why);
/* Says at the challenge why it does not go on; it stays pending. */
LT_MUST_USE lt_res acme_mail_say(struct ca_turn *t, const struct acme_mail_for *f, const Ipc__Problem *p);
/* Every letter of the challenge that could still be answered. */
LT_MUST_USE lt_res acme_mail_withdraw(struct ca_turn *t, const struct acme_mail_for *f);
/* Rows of mail_lookup that got no answer. */
LT_MUST_USE lt_res acme_mail_ask_again(struct acme_desk *d, struct ca_turn *t);

#endif
