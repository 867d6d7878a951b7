#ifndef ROLE_COURIER_MAIL_H
#define ROLE_COURIER_MAIL_H
/* Letters to the relay (SMTP, by libcurl, on the courier's loop). One try each: when to try again is the
 * registrar's to say. What the relay answers is told in its last line, and believed in its number alone.
 *
 * smtp:// encrypts where the relay offers STARTTLS and does not look at its certificate: the way to the
 * relay is the CA's own network. smtps:// is TLS with a certificate of the system's roots, or nothing.
 */
#include "mail.pb-c.h"

#include "base/result.h"

struct event_base;
struct courier_mail; /* one owner */

/* said is valid during the call. */
typedef void courier_mailed(void *self, const Ipc__MailSent *said);

/* Before the doors close: it opens what it needs. */
LT_MUST_USE lt_res courier_mail_new(struct event_base *base, courier_mailed *told, void *self,
                                    struct courier_mail **ret_mail);
/* Drops what is under way without a word. */
void courier_mail_free(struct courier_mail *m);
/* told is called once, from the loop or from the tick. */
void courier_mail_send(struct courier_mail *m, const Ipc__MailSend *letter);
/* What could not even begin is told here. */
void courier_mail_tick(struct courier_mail *m);
size_t courier_mail_open(const struct courier_mail *m);

#endif
