#ifndef ROLE_COURIER_LETTER_H
#define ROLE_COURIER_LETTER_H
/* The letter that asks whether a certificate may be made for a name, as RFC 5322 text. Nothing in it but what
 * the message says, so that sending it again sends the same bytes.
 *= CABF-BR 3.2.2.4.4 "The email MAY be re-sent in its entirety, including the re-use of the Random Value" */
#include "base/buf.h"
#include "mail.pb-c.h"

/* Refuses (LT_PEER_MALFORMED) what would not be one header or one address. */
LT_MUST_USE lt_res courier_letter_write(const Ipc__MailSend *m, struct lt_buf *out);

struct courier_relay {
    bool tls; /* from the first byte: smtps */
    char host[256];
    uint16_t port; /* 25, or 465 with smtps, where it is left out */
};
/* "smtp://host:25", "smtps://[::1]". */
LT_MUST_USE lt_res courier_relay_read(const char *text, struct courier_relay *ret_relay);

#endif
