#ifndef ACME_CONTACT_H
#define ACME_CONTACT_H
/* Does anybody read what we would write on the worst day? Letters to the contacts of a subscriber, each with
 * a link to a page on which its reader says that it reached him. What the relay refuses for good is a bounce.
 * Rows with a due time, as in mail.c: a registrar that was killed goes on with them.
 *
 * Refuses: an answer by looking at the page, and one by a value that was used or has expired. */
#include "acme/desk_private.h"
#include "mail.pb-c.h"

/* An operator wants it: to w->address, or to all contacts of the account. LT_PEER_UNSUPPORTED where the CA
 * sends no mail; LT_PEER_NOT_FOUND where there is nobody to write to. */
LT_MUST_USE lt_res acme_contact_write(struct acme_desk *d, struct ca_turn *t, const struct ca_ready_asker *by,
                                      const Ipc__ReadyWanted *w, const char **ret_json);
/* What the relay said to a letter that is none of mail.c's. */
LT_MUST_USE lt_res acme_contact_mailed(struct ca_turn *t, const Ipc__MailSent *said);
LT_MUST_USE lt_res acme_contact_tick(struct acme_desk *d, struct ca_turn *t);
/* A courier was linked (again). */
LT_MUST_USE lt_res acme_contact_courier_linked(struct ca_turn *t);
acme_page_handler acme_contact_page;

extern const struct store_sql *const acme_contact_sql;
extern const size_t acme_contact_sql_count;

#endif
